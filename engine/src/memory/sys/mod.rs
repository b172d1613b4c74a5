//! All that asks the operating system for memory, and a twin that does not.
//!
//! This is the folder to edit to port the engine: a [`Backing`] for the new platform, or nothing, since [`Portable`]
//! works everywhere.

#[cfg(all(target_os = "linux", target_arch = "x86_64", not(any(miri, hatchery_no_native_code))))]
mod guarded;
#[cfg(all(target_os = "linux", target_pointer_width = "64", not(miri)))]
mod linux;
#[cfg(all(target_os = "linux", target_arch = "x86_64", not(any(miri, hatchery_no_native_code))))]
mod page_map;
mod portable;

#[cfg(all(test, target_os = "linux", target_arch = "x86_64", not(any(miri, hatchery_no_native_code))))]
pub(crate) use guarded::refusals;
#[cfg(all(target_os = "linux", target_arch = "x86_64", not(any(miri, hatchery_no_native_code))))]
pub(crate) use guarded::{CONTEXT_SIZE, Guarded};
#[cfg(all(target_os = "linux", target_pointer_width = "64", not(miri)))]
pub(crate) use linux::Reserved;
pub(crate) use portable::Portable;

use core::ops::Range;
use core::ptr::NonNull;

use super::{HostError, Page, PageSet, Permission};

/// The bytes of a 4 GiB address space, zero at first, of which pages are *committed* before they are accessed.
pub(crate) trait Backing: Sized + Send + 'static {
    /// Whether the processor itself keeps code from doing what `protect` has not allowed. Then pages are not committed but
    /// protected.
    const GUARDED: bool = false;

    /// A fresh address space.
    fn reserve() -> Result<Self, HostError>;

    /// Makes a page accessible, and perhaps others with it, in particular those of `range`, the addresses it belongs with.
    /// Already committed pages keep their bytes. If it fails nothing has changed.
    fn commit(&mut self, page: u32, range: Range<u32>) -> Result<(), HostError>;

    /// The bytes of a page, which must be committed: otherwise it panics.
    fn page(&self, page: u32) -> &Page;

    /// The bytes of a page, which must be committed: otherwise it panics.
    fn page_mut(&mut self, page: u32) -> &mut Page;

    /// Makes these committed pages zero in a way that frees their memory. May reorder the list. False if the system refuses: then
    /// some of them have the bytes that they had.
    #[must_use]
    fn discard(&mut self, pages: &mut [u32]) -> bool;

    /// Decides what the processor lets code do to these pages, nothing at first. Pages that allowed nothing before are zero the
    /// first time, and keep their bytes afterwards. If it fails, some of the pages may allow this and some what they did before,
    /// and no bytes can be had of any of them until they are protected anew.
    fn protect(&mut self, _: Range<u32>, _: Permission) -> Result<(), HostError> {
        Ok(())
    }

    /// Forbids everything everywhere and makes all bytes zero. False if the system refuses: then the space is of no use.
    #[must_use]
    fn forget(&mut self) -> bool {
        true
    }

    /// Those of these pages that nobody has touched since they were zero, so that they still are. `None` if that is not known.
    fn untouched(&self, _: &[u32]) -> Option<PageSet> {
        None
    }

    /// Where guest address 0 lies if all pages lie in order behind it, committed or not.
    fn contiguous(&mut self) -> Option<NonNull<u8>> {
        None
    }

    /// Loads from a page.
    ///
    /// # Safety
    /// The bytes must lie in one committed page.
    unsafe fn load<const N: usize>(&self, address: u32) -> [u8; N];

    /// Stores to a page.
    ///
    /// # Safety
    /// The bytes must lie in one committed page.
    unsafe fn store<const N: usize>(&mut self, address: u32, value: [u8; N]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_fresh_space_is_zero_and_keeps_what_is_written<B: Backing>() {
        let mut space = B::reserve().unwrap();
        for (page, range) in [
            (0x10, 0x1_0000..0x1_3000),
            (0x12, 0x1_0000..0x1_3000),
            (0xf_fffe, 0xffff_e000..0xffff_f000),
            (0xf_ffff, 0xffff_f000..0xffff_ffff),
        ] {
            space.commit(page, range).unwrap();
            assert!(space.page(page).iter().all(|&byte| byte == 0));
            space.page_mut(page)[7] = 9;
            let address = page * 4096 + 7;
            // SAFETY: the page was committed above.
            let bytes = unsafe { space.load::<2>(address) };
            assert_eq!(bytes, [9, 0]);
            // SAFETY: as above.
            unsafe { space.store(address, [1, 2, 3, 4]) };
        }
        space.commit(0x12, 0x1_2000..0x1_4000).unwrap();
        assert_eq!(space.page(0x12)[7..11], [1, 2, 3, 4], "committing again keeps bytes");
        assert!(space.discard(&mut [0x12, 0x10]));
        assert_eq!(space.page(0x12)[7..11], [0; 4]);
        assert_eq!(space.page(0xf_fffe)[7..11], [1, 2, 3, 4]);
    }

    #[test]
    fn portable() {
        a_fresh_space_is_zero_and_keeps_what_is_written::<Portable>();
    }

    #[cfg(all(target_os = "linux", target_pointer_width = "64", not(miri)))]
    #[test]
    fn reserved() {
        a_fresh_space_is_zero_and_keeps_what_is_written::<Reserved>();
    }

    #[test]
    #[should_panic(expected = "page 0x10 is not committed")]
    fn portable_pages_that_are_not_committed_panic() {
        Portable::reserve().unwrap().page(0x10);
    }

    #[cfg(all(target_os = "linux", target_pointer_width = "64", not(miri)))]
    #[test]
    #[should_panic(expected = "page 0x10 is not committed")]
    fn reserved_pages_that_are_not_committed_panic() {
        Reserved::reserve().unwrap().page(0x10);
    }
}
