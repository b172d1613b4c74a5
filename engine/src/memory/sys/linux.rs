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
/// After as many times the least that is committed at once doubles. The system limits the mappings of a process
/// (`vm.max_map_count`), and scattered pages would take two each.
const COMMITS_OF_A_SIZE: u32 = 8;

/// Reserved virtual memory. Nothing of it is accessible until it is committed.
pub(crate) struct Reserved {
    base: NonNull<u8>,
    /// A bit for each chunk: whether it is committed.
    committed: Box<[u64]>,
    /// How many times something was committed.
    commits: u32,
}

// SAFETY: the memory belongs to this value alone; nothing in it is tied to a thread.
unsafe impl Send for Reserved {}

impl Reserved {
    fn is_committed(&self, page: u32) -> bool {
        let chunk = page / (CHUNK as u32 / PAGE_SIZE);
        self.committed[chunk as usize / 64] >> (chunk % 64) & 1 != 0
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
        let chunks = (1 << 32) / CHUNK as usize;
        Ok(Self { base, committed: vec![0; chunks / 64].into(), commits: 0 })
    }

    fn commit(&mut self, page: u32, range: Range<u32>) -> Result<(), HostError> {
        if self.is_committed(page) {
            return Ok(());
        }
        let unit = CHUNK << (self.commits / COMMITS_OF_A_SIZE).min(16);
        let start = u64::from(range.start) / unit * unit;
        let end = u64::from(range.end).next_multiple_of(unit);
        // SAFETY: the range lies in the reservation; making more of it accessible invalidates nothing.
        let done = unsafe {
            let at = self.base.add(start as usize).as_ptr().cast::<c_void>();
            mprotect(at, (end - start) as usize, MprotectFlags::READ | MprotectFlags::WRITE)
        };
        done.map_err(|code| failed("make guest memory accessible", code))?;
        self.commits += 1;
        for chunk in start / CHUNK..end / CHUNK {
            self.committed[chunk as usize / 64] |= 1 << (chunk % 64);
        }
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

    fn discard(&mut self, pages: &mut [u32]) -> bool {
        pages.sort_unstable();
        pages.chunk_by(|a, b| a + 1 == *b).all(|run| {
            let at = self.page_pointer(run[0]).as_ptr().cast();
            // SAFETY: the pages lie in the reservation, `self` is borrowed exclusively, private anonymous memory reads as
            // zero afterwards.
            let done = unsafe { madvise(at, run.len() * PAGE_SIZE as usize, Advice::LinuxDontNeed) };
            done.is_ok()
        })
    }

    #[inline]
    fn contiguous(&mut self) -> Option<NonNull<u8>> {
        Some(self.base)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_committed_stays_so_when_the_system_refuses_more() {
        let mut space = Reserved::reserve().unwrap();
        space.commit(0x10, 0x1_0000..0x2_0000).unwrap();
        space.page_mut(0x10)[0] = 7;
        // A file that cannot be written, shared: the system refuses to make it writable.
        let file = std::fs::File::open("/proc/self/exe").unwrap();
        // SAFETY: the range lies in the reservation, and nothing refers to it.
        unsafe {
            let at = space.base.add(0x2_0000).as_ptr().cast();
            let flags = MapFlags::SHARED | MapFlags::FIXED;
            rustix::mm::mmap(at, 0x1_0000, ProtFlags::empty(), flags, &file, 0).unwrap();
        }
        let error = space.commit(0x20, 0x1_0000..0x3_0000).unwrap_err();
        assert_eq!(error.operation, "make guest memory accessible");
        assert_eq!(space.page(0x10)[0], 7);
        space.page_mut(0x10)[0] = 8;
        space.commit(0x30, 0x3_0000..0x4_0000).unwrap();
        assert_eq!((space.page(0x10)[0], space.page(0x30)[0]), (8, 0));
    }

    #[test]
    fn many_ranges_can_be_committed() {
        let mut space = Reserved::reserve().unwrap();
        // Every second chunk of 64 KiB, backwards. In time that grows with their square this would take minutes.
        for page in (16..1 << 20).step_by(32).rev() {
            let address = page * PAGE_SIZE;
            space.commit(page, address..address + PAGE_SIZE).unwrap();
            for _ in 0..20 {
                assert_eq!(space.page(page)[0], 0);
            }
        }
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        assert!(maps.lines().count() < 10_000, "the mappings of a process are limited");
    }
}
