//! An address space reserved as one piece of virtual memory.

use core::ffi::c_void;
use core::ops::Range;
use core::ptr::{NonNull, null_mut};

use rustix::io::Errno;
use rustix::mm::{Advice, MapFlags, MprotectFlags, ProtFlags, madvise, mmap_anonymous, mprotect, munmap};

use super::Backing;
use crate::memory::{HostError, PAGE_SIZE, Page};

/// 4 GiB and a guard, since an access may begin at the last byte.
const LENGTH: usize = (1 << 32) + 0x1_0000;
/// What is committed at once at least, so that a heap that grows by pages does not ask for each of them.
const CHUNK: u64 = 0x1_0000;

/// Reserved virtual memory. Nothing of it is accessible until it is committed.
pub(crate) struct Reserved {
    base: NonNull<u8>,
    /// Committed ranges of addresses, disjoint, in no order. There are as many as a program has parts: a handful.
    committed: Vec<Range<u64>>,
}

// SAFETY: the memory belongs to this value alone; nothing in it is tied to a thread.
unsafe impl Send for Reserved {}

impl Reserved {
    fn is_committed(&self, page: u32) -> bool {
        let address = u64::from(page) * u64::from(PAGE_SIZE);
        self.committed.iter().any(|range| range.contains(&address))
    }

    /// The start of a committed page.
    fn page_pointer(&self, page: u32) -> NonNull<Page> {
        assert!(self.is_committed(page), "page {page:#x} is not committed");
        // SAFETY: every page lies in the reservation, which is one allocation.
        unsafe { self.base.add(page as usize * PAGE_SIZE as usize).cast() }
    }
}

impl Backing for Reserved {
    fn reserve() -> Result<Self, HostError> {
        // SAFETY: a new mapping at an address of the system's choice touches nothing that exists.
        let mapped = unsafe {
            mmap_anonymous(null_mut(), LENGTH, ProtFlags::empty(), MapFlags::PRIVATE | MapFlags::NORESERVE)
        };
        let base = mapped.map_err(|code| failed("reserve 4 GiB of address space", code))?;
        let base = NonNull::new(base.cast())
            .ok_or_else(|| failed("reserve 4 GiB of address space", Errno::NOMEM))?;
        Ok(Self { base, committed: Vec::new() })
    }

    fn commit(&mut self, range: Range<u32>) -> Result<(), HostError> {
        let start = u64::from(range.start) / CHUNK * CHUNK;
        let end = u64::from(range.end).next_multiple_of(CHUNK);
        if self.committed.iter().any(|have| have.start <= start && end <= have.end) {
            return Ok(());
        }
        // What overlaps or touches the new range becomes part of it.
        let (mut start, mut end) = (start, end);
        self.committed.retain(|have| {
            let apart = have.end < start || end < have.start;
            if !apart {
                start = start.min(have.start);
                end = end.max(have.end);
            }
            apart
        });
        let length = (end - start) as usize;
        // SAFETY: the range lies in the reservation; making more of it accessible invalidates nothing.
        let done = unsafe {
            let at = self.base.add(start as usize).as_ptr().cast::<c_void>();
            mprotect(at, length, MprotectFlags::READ | MprotectFlags::WRITE)
        };
        done.map_err(|code| failed("make guest memory accessible", code))?;
        self.committed.push(start..end);
        Ok(())
    }

    fn page(&self, page: u32) -> &Page {
        // SAFETY: the page is committed, and shared access to `self` means that nobody writes it.
        unsafe { self.page_pointer(page).as_ref() }
    }

    fn page_mut(&mut self, page: u32) -> &mut Page {
        // SAFETY: the page is committed, and `self` is borrowed exclusively.
        unsafe { self.page_pointer(page).as_mut() }
    }

    fn discard(&mut self, pages: &mut [u32]) {
        pages.sort_unstable();
        let mut rest = &*pages;
        while let Some(&first) = rest.first() {
            let run = rest.iter().zip(first..).take_while(|(page, expected)| *page == expected).count();
            let at = self.page_pointer(first);
            // SAFETY: the pages lie in the reservation, `self` is borrowed exclusively, private anonymous memory reads as
            // zero afterwards.
            let done =
                unsafe { madvise(at.as_ptr().cast(), run * PAGE_SIZE as usize, Advice::LinuxDontNeed) };
            if done.is_err() {
                for &page in &rest[..run] {
                    self.page_mut(page).fill(0);
                }
            }
            rest = &rest[run..];
        }
    }

    #[inline]
    unsafe fn load<const N: usize>(&self, address: u32) -> [u8; N] {
        debug_assert!(self.is_committed(address / PAGE_SIZE));
        // SAFETY: the caller promises that the bytes lie in a committed page; byte arrays need no alignment.
        unsafe { self.base.add(address as usize).cast::<[u8; N]>().read() }
    }

    #[inline]
    unsafe fn store<const N: usize>(&mut self, address: u32, value: [u8; N]) {
        debug_assert!(self.is_committed(address / PAGE_SIZE));
        // SAFETY: the caller promises that the bytes lie in a committed page; byte arrays need no alignment.
        unsafe { self.base.add(address as usize).cast::<[u8; N]>().write(value) }
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `reserve` with this length and nobody has references into it any more.
        // Failing would leak address space, which is all that can be done about it.
        let _ = unsafe { munmap(self.base.as_ptr().cast(), LENGTH) };
    }
}

fn failed(operation: &'static str, code: Errno) -> HostError {
    HostError { operation, code: code.raw_os_error() }
}
