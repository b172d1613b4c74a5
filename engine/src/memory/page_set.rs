//! A set of pages.

use super::PAGES;

/// A set of pages, of a bit for each that there can be.
#[derive(Debug)]
pub(crate) struct PageSet(Box<[u64]>);

impl PageSet {
    /// The empty set.
    pub(crate) fn new() -> Self {
        Self(vec![0; PAGES / 64].into_boxed_slice())
    }

    #[inline]
    pub(crate) fn contains(&self, page: u32) -> bool {
        self.0[page as usize / 64] >> (page % 64) & 1 != 0
    }

    #[inline]
    pub(crate) fn insert(&mut self, page: u32) {
        self.0[page as usize / 64] |= 1 << (page % 64);
    }

    #[inline]
    pub(crate) fn remove(&mut self, page: u32) {
        self.0[page as usize / 64] &= !(1 << (page % 64));
    }

    pub(crate) fn clear(&mut self) {
        self.0.fill(0);
    }
}
