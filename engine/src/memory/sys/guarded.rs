//! An address space that the processor guards: native code runs in it without checks of its own.
//!
//! ```text
//!  base - 64 KiB    nothing
//!  base - 4 KiB     what native code and its host tell each other, out of the guest's reach
//!  base             guest address 0: 4 GiB of which only pages that were allowed are accessible
//!  base + 4 GiB     64 KiB of nothing, since an access may begin at the last byte
//! ```
//!
//! Guest addresses have 32 bits and are added to the base, so that no access of a guest can leave this.

use core::ffi::c_void;
use core::ops::Range;
use core::ptr::{NonNull, null_mut};

use rustix::io::Errno;
use rustix::mm::{Advice, MapFlags, MprotectFlags, ProtFlags, madvise, mmap_anonymous, mprotect, munmap};

use super::{Backing, page_map};
use crate::memory::{HostError, PAGE_SIZE, PAGES, Page, PageSet, Permission};

/// Bytes in front of the base, which are accessible whatever the guest may do.
pub(crate) const CONTEXT_SIZE: usize = PAGE_SIZE as usize;
const BEFORE: usize = 0x1_0000;
const SPACE: usize = 1 << 32;
const AFTER: usize = 0x1_0000;
const LENGTH: usize = BEFORE + SPACE + AFTER;

/// Reserved virtual memory with real permissions.
pub(crate) struct Guarded {
    /// Guest address 0.
    base: NonNull<u8>,
    readable: PageSet,
    writable: PageSet,
}

// SAFETY: the memory belongs to this value alone; nothing in it is tied to a thread.
unsafe impl Send for Guarded {}

impl Guarded {
    /// Where the guest's address 0 lies.
    pub(crate) fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// How many pages the processor lets a guest access.
    #[cfg(test)]
    pub(crate) fn accessible_pages(&self) -> usize {
        (0..PAGES as u32).filter(|&page| self.readable.contains(page)).count()
    }

    /// The start of a page, which must be one of those that are accessible.
    fn page_pointer(&self, accessible: &PageSet, page: u32) -> NonNull<Page> {
        assert!(accessible.contains(page), "page {page:#x} is not accessible");
        // SAFETY: every page lies in the reservation, which is one allocation.
        unsafe { self.base.add(page as usize * PAGE_SIZE as usize).cast() }
    }
}

impl Backing for Guarded {
    const GUARDED: bool = true;

    fn reserve() -> Result<Self, HostError> {
        let failed = |code| failed("reserve 4 GiB of address space", code);
        // SAFETY: a new mapping at an address of the system's choice touches nothing that exists.
        let mapped = unsafe {
            mmap_anonymous(null_mut(), LENGTH, ProtFlags::empty(), MapFlags::PRIVATE | MapFlags::NORESERVE)
        };
        let start: NonNull<u8> =
            NonNull::new(mapped.map_err(failed)?.cast()).ok_or_else(|| failed(Errno::NOMEM))?;
        // SAFETY: `BEFORE` is less than the length of the mapping.
        let base = unsafe { start.add(BEFORE) };
        // From here on dropping unmaps it.
        let space = Self { base, readable: PageSet::new(), writable: PageSet::new() };
        // SAFETY: the context lies in the mapping, before the base.
        let done = unsafe {
            let context = base.sub(CONTEXT_SIZE).as_ptr().cast();
            protect(context, CONTEXT_SIZE, MprotectFlags::READ | MprotectFlags::WRITE)
        };
        done.map_err(failed)?;
        // SAFETY: the byte lies in the context. Writing it makes the page, as `untouched` wants it.
        unsafe { base.sub(1).write_volatile(0) };
        Ok(space)
    }

    fn commit(&mut self, _: u32, _: Range<u32>) -> Result<(), HostError> {
        Ok(())
    }

    fn protect(&mut self, pages: Range<u32>, permission: Permission) -> Result<(), HostError> {
        let flags = match permission {
            Permission::None => MprotectFlags::empty(),
            Permission::Read => MprotectFlags::READ,
            Permission::ReadWrite => MprotectFlags::READ | MprotectFlags::WRITE,
        };
        assert!(pages.end as usize <= PAGES);
        // SAFETY: the range lies in the reservation, of which only `page` and `page_mut` give references; `self` is borrowed
        // exclusively, so there are none.
        let done = unsafe {
            let at = self.base.add(pages.start as usize * PAGE_SIZE as usize).as_ptr().cast();
            protect(at, pages.len() * PAGE_SIZE as usize, flags)
        };
        let known = if done.is_ok() { permission } else { Permission::None };
        for page in pages {
            for (accessible, is_member) in [
                (&mut self.readable, known >= Permission::Read),
                (&mut self.writable, known == Permission::ReadWrite),
            ] {
                if is_member {
                    accessible.insert(page);
                } else {
                    accessible.remove(page);
                }
            }
        }
        done.map_err(|code| failed("protect guest memory", code))
    }

    fn forget(&mut self) -> bool {
        let at = self.base.as_ptr().cast();
        // SAFETY: all of the space, into which there are no references since `self` is borrowed exclusively. Private anonymous
        // memory reads as zero afterwards.
        let done = unsafe { protect(at, SPACE, MprotectFlags::empty()).and_then(|()| make_zero(at, SPACE)) };
        self.readable.clear();
        self.writable.clear();
        done.is_ok()
    }

    fn page(&self, page: u32) -> &Page {
        // SAFETY: the page is readable, and shared access to `self` means that nobody writes it.
        unsafe { self.page_pointer(&self.readable, page).as_ref() }
    }

    fn page_mut(&mut self, page: u32) -> &mut Page {
        // SAFETY: the page is writable, and `self` is borrowed exclusively.
        unsafe { self.page_pointer(&self.writable, page).as_mut() }
    }

    fn discard(&mut self, pages: &mut [u32]) -> bool {
        pages.sort_unstable();
        pages.chunk_by(|a, b| a + 1 == *b).all(|run| {
            // SAFETY: the pages lie in the reservation, into which there are no references since `self` is borrowed exclusively.
            let done = unsafe {
                let at = self.base.add(run[0] as usize * PAGE_SIZE as usize).as_ptr().cast();
                make_zero(at, run.len() * PAGE_SIZE as usize)
            };
            done.is_ok()
        })
    }

    fn untouched(&self, pages: &[u32]) -> Option<PageSet> {
        page_map::untouched(self.base, pages)
    }

    #[inline]
    fn contiguous(&mut self) -> Option<NonNull<u8>> {
        Some(self.base)
    }

    #[inline]
    unsafe fn load<const N: usize>(&self, address: u32) -> [u8; N] {
        // SAFETY: the caller promises that the bytes lie in a readable page; byte arrays need no alignment.
        unsafe { self.base.add(address as usize).cast::<[u8; N]>().read() }
    }

    #[inline]
    unsafe fn store<const N: usize>(&mut self, address: u32, value: [u8; N]) {
        // SAFETY: the caller promises that the bytes lie in a writable page; byte arrays need no alignment.
        unsafe { self.base.add(address as usize).cast::<[u8; N]>().write(value) }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `reserve` with this start and length and nobody has references into it any more.
        // Failing would leak address space, which is all that can be done about it.
        let _ = unsafe { munmap(self.base.sub(BEFORE).as_ptr().cast(), LENGTH) };
    }
}

/// `mprotect`, which tests can make fail.
///
/// # Safety
/// As `mprotect`.
unsafe fn protect(start: *mut c_void, length: usize, flags: MprotectFlags) -> Result<(), Errno> {
    #[cfg(test)]
    if refusals::is_due() {
        return Err(Errno::NOMEM);
    }
    // SAFETY: the caller keeps what `mprotect` asks for.
    unsafe { mprotect(start, length, flags) }
}

/// Gives the memory of private anonymous pages back, which read as zero afterwards. Tests can make it fail.
///
/// # Safety
/// As `madvise`.
unsafe fn make_zero(start: *mut c_void, length: usize) -> Result<(), Errno> {
    #[cfg(test)]
    if refusals::is_due() {
        return Err(Errno::INVAL);
    }
    // SAFETY: the caller keeps what `madvise` asks for.
    unsafe { madvise(start, length, Advice::LinuxDontNeed) }
}

/// Makes the system refuse what windows ask for, on this thread.
#[cfg(test)]
pub(crate) mod refusals {
    use core::cell::Cell;
    use core::ops::Range;

    thread_local! {
        /// How many times it was asked, and which of these times it refuses.
        static CALLS: Cell<u32> = const { Cell::new(0) };
        static REFUSED: Cell<(u32, u32)> = const { Cell::new((0, 0)) };
    }

    /// From now on it counts how many times it is asked, and refuses some of them.
    pub(crate) fn refuse(times: Range<u32>) {
        CALLS.set(0);
        REFUSED.set((times.start, times.end));
    }

    /// How many times it was asked since then.
    pub(crate) fn calls() -> u32 {
        CALLS.get()
    }

    pub(super) fn is_due() -> bool {
        let (start, end) = REFUSED.get();
        (start..end).contains(&CALLS.replace(CALLS.get() + 1))
    }
}

fn failed(operation: &'static str, code: Errno) -> HostError {
    HostError { operation, code: code.raw_os_error() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_keep_their_bytes_whatever_is_allowed() {
        let mut space = Guarded::reserve().unwrap();
        space.protect(0x10..0x13, Permission::ReadWrite).unwrap();
        space.page_mut(0x11)[7] = 9;
        space.protect(0x10..0x12, Permission::Read).unwrap();
        assert_eq!(space.page(0x11)[7], 9);
        space.protect(0x11..0x12, Permission::None).unwrap();
        space.protect(0x11..0x12, Permission::Read).unwrap();
        assert_eq!((space.page(0x11)[7], space.page(0x12)[7]), (9, 0));
        assert!(space.forget());
        space.protect(0x11..0x12, Permission::Read).unwrap();
        assert_eq!(space.page(0x11)[7], 0);
    }

    #[test]
    #[should_panic(expected = "page 0x10 is not accessible")]
    fn read_only_pages_cannot_be_written() {
        let mut space = Guarded::reserve().unwrap();
        space.protect(0x10..0x11, Permission::Read).unwrap();
        space.page_mut(0x10);
    }

    #[test]
    #[cfg(not(hatchery_no_page_map))]
    fn untouched_pages_are_known() {
        let mut space = Guarded::reserve().unwrap();
        let ranges = [0..0x1000, 0xf_f000..0x10_0000];
        ranges.clone().into_iter().for_each(|pages| space.protect(pages, Permission::ReadWrite).unwrap());
        let pages: Vec<u32> = ranges.into_iter().flatten().collect();
        let touched = [0, 5, 0x1ff, 0x200, 0xfff, 0xf_ffff];
        [&touched[..], &[7]].concat().iter().for_each(|&page| space.page_mut(page)[9] = 1);
        assert!(space.discard(&mut [7]));
        let untouched = space.untouched(&pages).expect("this system tells");
        assert!(touched.iter().all(|&page| !untouched.contains(page)));
        // Others may have come with these, in a huge page.
        assert!([7, 0xf_f000].iter().all(|&page| untouched.contains(page)));
        assert!(!untouched.contains(0x1000), "it was not asked for");
        for page in pages.into_iter().filter(|&page| untouched.contains(page)) {
            assert_eq!(*space.page(page), [0; PAGE_SIZE as usize]);
        }
    }

    #[test]
    #[cfg(not(hatchery_no_page_map))]
    fn untouched_pages_are_known_in_whatever_order_one_asks() {
        let mut space = Guarded::reserve().unwrap();
        space.protect(0x1_0000..0x2_0000, Permission::ReadWrite).unwrap();
        // Distances that are looked at together and some that are not, over more pages than are looked at at once.
        let mut pages: Vec<u32> = (0..4000).map(|index| 0x1_0000 + index * 3).collect();
        pages.extend([1, 31, 32, 33, 34, 511, 512, 513].into_iter().scan(0x1_8000, |page, distance| {
            *page += distance;
            Some(*page)
        }));
        // Backwards, and twice.
        pages.extend([0x1_f000, 0x1_e000, 0x1_dfff, 0x1_dfff, 0x1_e001]);
        let touched: Vec<u32> =
            pages.iter().copied().filter(|&page| page < 0x1_1000 && page % 7 < 3).collect();
        touched.iter().for_each(|&page| space.page_mut(page)[9] = 1);
        let untouched = space.untouched(&pages).expect("this system tells");
        for page in 0x1_0000..0x2_0000 {
            if !pages.contains(&page) || touched.contains(&page) {
                assert!(!untouched.contains(page), "{page:#x}");
            } else if page >= 0x1_1400 {
                // Nearer ones may have come with those that were touched, in a huge page.
                assert!(untouched.contains(page), "{page:#x}");
            }
        }
    }

    #[test]
    fn a_system_that_denies_a_page_which_is_there_is_not_relied_on() {
        let space = Guarded::reserve().unwrap();
        // SAFETY: it lies in the reservation. Nobody has written the page in front of it.
        let above = unsafe { space.base.add(2 * PAGE_SIZE as usize) };
        assert!(page_map::untouched(above, &[7]).is_none());
    }

    #[test]
    fn the_first_and_the_last_page_are_part_of_it() {
        let mut space = Guarded::reserve().unwrap();
        for page in [0, 0xf_ffff] {
            space.protect(page..page + 1, Permission::ReadWrite).unwrap();
            space.page_mut(page).fill(1);
        }
    }
}
