//! Contiguous windows as the interpreter's handlers access them: with a base and a table, without borrowing.

use core::ptr::NonNull;

use super::window::state;
use super::{Backing, PAGE_SIZE, Window};

/// Where guest address 0 of a contiguous window lies, and its table with a byte for each page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Direct {
    base: NonNull<u8>,
    table: NonNull<u8>,
}

impl Direct {
    /// The parts, to be passed in registers.
    pub(crate) const fn into_parts(self) -> (NonNull<u8>, NonNull<u8>) {
        (self.base, self.table)
    }

    /// Puts it together again.
    ///
    /// # Safety
    /// These must be the parts of one, of a window that nobody else accesses as long as this is used.
    #[inline(always)]
    #[cfg_attr(
        not(all(hatchery_direct_threading, not(debug_assertions))),
        allow(dead_code, reason = "only threaded handlers take it apart")
    )]
    pub(crate) const unsafe fn from_parts(base: NonNull<u8>, table: NonNull<u8>) -> Self {
        Self { base, table }
    }

    /// Whether `N` bytes lie in one page to which this can be done at once.
    #[inline(always)]
    fn allows<const N: usize>(self, address: u32, wanted: u8) -> bool {
        let within = N == 1 || address % PAGE_SIZE <= PAGE_SIZE - N as u32;
        // SAFETY: the table has a byte for each page of the address space; nobody changes it as long as this is used.
        within && unsafe { *self.table.add((address / PAGE_SIZE) as usize).as_ptr() } & wanted != 0
    }

    /// Loads `N` bytes within one page, or `None` if the slow path has to look at it.
    #[inline(always)]
    pub(crate) fn load<const N: usize>(self, address: u32) -> Option<[u8; N]> {
        if !self.allows::<N>(address, state::READ) {
            return None;
        }
        // SAFETY: a page with READ is accessible, and the bytes lie in it; byte arrays need no alignment.
        Some(unsafe { self.base.add(address as usize).cast::<[u8; N]>().read() })
    }

    /// Stores `N` bytes within one page; `None` if the slow path has to look at it.
    #[inline(always)]
    pub(crate) fn store<const N: usize>(self, address: u32, value: [u8; N]) -> Option<()> {
        if !self.allows::<N>(address, state::WRITE) {
            return None;
        }
        // SAFETY: a page with WRITE is accessible and nobody else's, and the bytes lie in it; byte arrays need no alignment.
        unsafe { self.base.add(address as usize).cast::<[u8; N]>().write(value) };
        Some(())
    }
}

impl<B: Backing> Window<B> {
    /// Direct access, to be used as long as this window is borrowed and not accessed in another way; `None`: it is not contiguous.
    #[inline]
    pub(crate) fn direct(&mut self) -> Option<Direct> {
        Some(Direct { base: self.contiguous()?, table: self.table() })
    }
}
