//! A set of pages.

use super::PAGES;

/// A set of pages, of a bit for each that there can be.
#[derive(Debug)]
pub(crate) struct PageSet(Box<[u64]>);

impl PageSet {
    /// The empty set.
    #[cfg_attr(
        not(all(target_os = "linux", target_arch = "x86_64", not(any(miri, hatchery_no_native_code)))),
        expect(dead_code, reason = "for guarded windows")
    )]
    pub(crate) fn new() -> Self {
        Self(vec![0; PAGES / 64].into_boxed_slice())
    }

    #[inline]
    pub(crate) fn contains(&self, page: u32) -> bool {
        self.0[page as usize / 64] >> (page % 64) & 1 != 0
    }

    #[cfg_attr(
        not(all(target_os = "linux", target_arch = "x86_64", not(any(miri, hatchery_no_native_code)))),
        expect(dead_code, reason = "for guarded windows")
    )]
    #[inline]
    pub(crate) fn insert(&mut self, page: u32) {
        self.0[page as usize / 64] |= 1 << (page % 64);
    }

    #[inline]
    pub(crate) fn remove(&mut self, page: u32) {
        self.0[page as usize / 64] &= !(1 << (page % 64));
    }

    #[cfg_attr(
        not(all(target_os = "linux", target_arch = "x86_64", not(any(miri, hatchery_no_native_code)))),
        expect(dead_code, reason = "for guarded windows")
    )]
    pub(crate) fn clear(&mut self) {
        self.0.fill(0);
    }
}
