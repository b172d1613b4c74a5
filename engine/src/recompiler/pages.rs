//! Memory for native code and jump tables, which is written once and protected then.
//!
//! Pages that are done with are kept for the next program, writable and not executable: it takes the system longer to make and to
//! clear a page, and to take it away from every processor again, than to fill it.

use core::ptr::{NonNull, null_mut};
use std::sync::Mutex;

use rustix::io::Errno;
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};

use crate::memory::HostError;

/// The size of a page of this platform, in bytes.
const PAGE: usize = 4096;

/// Machine code that can be executed and not written.
#[derive(Debug)]
pub(super) struct CodeMemory {
    kept: Kept,
    #[cfg(test)]
    length: usize,
}

impl CodeMemory {
    /// A copy of this code. It is writable until it is complete, then executable, never both.
    pub(super) fn new(code: &[u8]) -> Result<Self, HostError> {
        Self::in_store(&CODE, code)
    }

    fn in_store(store: &'static Store, code: &[u8]) -> Result<Self, HostError> {
        let failed =
            |code: Errno| HostError { operation: "make native code executable", code: code.raw_os_error() };
        let mut kept = store.take(code.len()).map_err(failed)?;
        let (writable, rest) = kept.bytes_mut().split_at_mut(code.len());
        writable.copy_from_slice(code);
        // To the end of the page, as pages of the program before are executable again with it: `int3`.
        rest.iter_mut().take(code.len().next_multiple_of(PAGE) - code.len()).for_each(|byte| *byte = 0xcc);
        kept.protect(code.len(), MprotectFlags::READ | MprotectFlags::EXEC).map_err(failed)?;
        Ok(Self {
            kept,
            #[cfg(test)]
            length: code.len(),
        })
    }

    pub(super) fn start(&self) -> NonNull<u8> {
        self.kept.start()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Bytes of host memory that it takes.
    pub(super) fn resident_bytes(&self) -> usize {
        self.kept.resident_bytes()
    }
}

/// Memory below 2 GiB, so that an instruction can name its address in 31 bits. It is never executable.
#[derive(Debug)]
pub(super) struct LowMemory {
    kept: Kept,
    length: usize,
}

impl LowMemory {
    /// So many bytes, writable, or `None` if the system has no such memory.
    pub(super) fn new(length: usize) -> Option<Self> {
        let kept = LOW.take(length).ok()?;
        let end = kept.start().as_ptr() as usize + length;
        // Systems that do not know the flag ignore it.
        i32::try_from(end).is_ok().then_some(Self { kept, length })
    }

    pub(super) fn start(&self) -> NonNull<u8> {
        self.kept.start()
    }

    /// Bytes of host memory that it takes.
    pub(super) fn resident_bytes(&self) -> usize {
        self.kept.resident_bytes()
    }

    /// What is there until it is written is of no meaning. To be called before [`LowMemory::read_only`].
    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.kept.bytes_mut()[..self.length]
    }

    /// The same, which nobody can change any more.
    pub(super) fn read_only(mut self) -> Result<Self, HostError> {
        let protected = self.kept.protect(self.length, MprotectFlags::READ);
        protected.map_err(|code| HostError {
            operation: "make a jump table read-only",
            code: code.raw_os_error(),
        })?;
        Ok(self)
    }
}

/// For native code.
static CODE: Store = Store::new(MapFlags::empty(), 8 << 20);

/// For jump tables at low addresses.
static LOW: Store = Store::new(MapFlags::from_bits_retain(libc::MAP_32BIT as u32), 1 << 20);

/// Keeps pages of a kind for the process.
#[derive(Debug)]
struct Store {
    flags: MapFlags,
    /// The most bytes that are kept.
    most_bytes: usize,
    /// The oldest first.
    kept: Mutex<Vec<Pages>>,
}

impl Store {
    /// However small they are.
    const MOST_KEPT: usize = 64;

    const fn new(flags: MapFlags, most_bytes: usize) -> Self {
        Self { flags, most_bytes, kept: Mutex::new(Vec::new()) }
    }

    /// At least so many writable bytes, of any content.
    fn take(&'static self, length: usize) -> Result<Kept, Errno> {
        let length = length.max(1).next_multiple_of(PAGE);
        let pages = match self.find(length) {
            Some(pages) => pages,
            None => Pages::new(length, self.flags)?,
        };
        Ok(Kept { pages: Some(pages), store: self })
    }

    /// The smallest that is long enough and not much longer.
    fn find(&self, length: usize) -> Option<Pages> {
        // Who finds the others busy does not wait for them; in the child of a fork it would be for ever.
        let mut kept = self.kept.try_lock().ok()?;
        let lengths = kept.iter().map(|pages| pages.length).enumerate();
        let fitting = lengths.filter(|&(_, it)| it >= length && it <= length + length / 2 + 2 * PAGE);
        let (at, _) = fitting.min_by_key(|&(_, length)| length)?;
        Some(kept.remove(at))
    }

    /// Keeps pages, in place of older ones where they are too many.
    fn keep(&self, mut pages: Pages) {
        let all = pages.length;
        if all > self.most_bytes || pages.protect(all, MprotectFlags::READ | MprotectFlags::WRITE).is_err() {
            return;
        }
        let Ok(mut kept) = self.kept.try_lock() else { return };
        kept.push(pages);
        let mut bytes: usize = kept.iter().map(|pages| pages.length).sum();
        let too_many = kept
            .iter()
            .enumerate()
            .take_while(|(before, pages)| {
                let is_too_many = bytes > self.most_bytes || kept.len() - before > Self::MOST_KEPT;
                bytes -= if is_too_many { pages.length } else { 0 };
                is_too_many
            })
            .count();
        let given_back: Vec<_> = kept.drain(..too_many).collect();
        drop(kept);
        // Outside of the lock, as it takes long.
        drop(given_back);
    }
}

/// Pages that are kept for others when this is dropped.
#[derive(Debug)]
struct Kept {
    /// Until then there are some.
    pages: Option<Pages>,
    store: &'static Store,
}

impl Kept {
    fn start(&self) -> NonNull<u8> {
        self.pages.as_ref().map_or(NonNull::dangling(), |pages| pages.start)
    }

    fn resident_bytes(&self) -> usize {
        self.pages.as_ref().map_or(0, |pages| pages.length)
    }

    /// To be called before [`Kept::protect`].
    fn bytes_mut(&mut self) -> &mut [u8] {
        let length = self.resident_bytes();
        // SAFETY: the mapping is as long as that, initialised and, until it is protected, writable; it is borrowed exclusively.
        unsafe { core::slice::from_raw_parts_mut(self.start().as_ptr(), length) }
    }

    /// Protects the pages of the first bytes.
    fn protect(&mut self, length: usize, protection: MprotectFlags) -> Result<(), Errno> {
        self.pages.as_mut().map_or(Ok(()), |pages| pages.protect(length, protection))
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(pages) = self.pages.take() {
            self.store.keep(pages);
        }
    }
}

/// Pages of the system's own choice.
#[derive(Debug)]
struct Pages {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: the memory belongs to this value alone.
unsafe impl Send for Pages {}
// SAFETY: it is changed through exclusive references only.
unsafe impl Sync for Pages {}

impl Pages {
    /// Writable ones, zero.
    fn new(length: usize, flags: MapFlags) -> Result<Self, Errno> {
        // SAFETY: a new mapping at an address of the system's choice touches nothing that exists.
        let mapped = unsafe {
            let flags = flags | MapFlags::PRIVATE | MapFlags::POPULATE;
            mmap_anonymous(null_mut(), length, ProtFlags::READ | ProtFlags::WRITE, flags)
        };
        let start = NonNull::new(mapped?.cast()).ok_or(Errno::NOMEM)?;
        Ok(Self { start, length })
    }

    /// Protects the pages of the first bytes.
    fn protect(&mut self, length: usize, protection: MprotectFlags) -> Result<(), Errno> {
        // SAFETY: the mapping is this value's own, and nobody has a reference to its bytes.
        unsafe { mprotect(self.start.as_ptr().cast(), length.min(self.length), protection) }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `new` with this length; whoever could use it holds a reference to this.
        let _ = unsafe { munmap(self.start.as_ptr().cast(), self.length) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The protection of the page at an address, as the system tells it.
    fn protection(address: usize) -> String {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let line = maps.lines().find(|line| {
            let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
            let parsed = |text| usize::from_str_radix(text, 16).unwrap();
            (parsed(start)..parsed(end)).contains(&address)
        });
        line.map_or(String::new(), |line| line.split(' ').nth(1).unwrap().to_owned())
    }

    fn store(most_bytes: usize) -> &'static Store {
        Box::leak(Box::new(Store::new(MapFlags::empty(), most_bytes)))
    }

    /// The lengths of what is kept, in pages.
    fn kept(store: &Store) -> Vec<usize> {
        store.kept.lock().unwrap().iter().map(|pages| pages.length / PAGE).collect()
    }

    #[test]
    fn what_is_kept_is_writable_and_no_more() {
        let store = store(1 << 20);
        let mut first = store.take(3 * PAGE - 1).unwrap();
        first.bytes_mut().fill(0xc3);
        first.protect(PAGE + 1, MprotectFlags::READ | MprotectFlags::EXEC).unwrap();
        let start = first.start().as_ptr() as usize;
        let all = || [0, 1, 2].map(|page| protection(start + page * PAGE));
        assert_eq!(all(), ["r-xp", "r-xp", "rw-p"]);
        drop(first);
        assert_eq!(all(), ["rw-p"; 3]);
        let mut second = store.take(2 * PAGE).unwrap();
        assert_eq!((second.start().as_ptr() as usize, second.resident_bytes()), (start, 3 * PAGE));
        second.bytes_mut()[0] = 1;
    }

    #[test]
    fn the_smallest_that_fits_is_taken_and_none_that_is_much_too_long() {
        let store = store(1 << 20);
        let all: Vec<_> = [20, 4, 8, 6].map(|pages| store.take(pages * PAGE).unwrap()).into();
        drop(all);
        assert_eq!(kept(store), [20, 4, 8, 6]);
        let first = store.take(5 * PAGE).unwrap();
        assert_eq!(kept(store), [20, 4, 8]);
        let second = store.take(5 * PAGE).unwrap();
        assert_eq!(kept(store), [20, 4]);
        let third = store.take(12 * PAGE).unwrap();
        assert_eq!(kept(store), [4], "twenty are fewer than half too many");
        let fourth = store.take(1).unwrap();
        assert_eq!((kept(store), fourth.resident_bytes()), (vec![4], PAGE), "four are too many for one");
        drop((first, second, third));
    }

    #[test]
    fn no_more_is_kept_than_is_allowed() {
        let store = store(10 * PAGE);
        let all: Vec<_> = [4, 3, 2, 5, 11].map(|pages| store.take(pages * PAGE).unwrap()).into();
        drop(all);
        assert_eq!(kept(store), [3, 2, 5], "the oldest went, and what is too long by itself was never kept");
        let store = self::store(1 << 30);
        let all: Vec<_> = (0..Store::MOST_KEPT + 3).map(|_| store.take(1).unwrap()).collect();
        drop(all);
        assert_eq!(kept(store).len(), Store::MOST_KEPT);
    }

    #[test]
    fn nothing_is_left_of_the_code_before() {
        let store = store(1 << 20);
        let long = vec![0x90; 30 * PAGE];
        let first = CodeMemory::in_store(store, &long).unwrap();
        let start = first.start();
        drop(first);
        let code = vec![0xc3; 30 * PAGE - 100];
        let second = CodeMemory::in_store(store, &code).unwrap();
        assert_eq!(second.start(), start);
        // SAFETY: the memory is as long as the code before, readable, and nobody changes it.
        let bytes = unsafe { core::slice::from_raw_parts(start.as_ptr(), long.len()) };
        assert_eq!(bytes[..code.len()], code);
        assert_eq!(bytes[code.len()..], [0xcc; 100]);
    }

    #[test]
    fn memory_at_low_addresses_is_writable_until_it_is_read_only() {
        let Some(mut memory) = LowMemory::new(5000) else { return };
        let start = memory.start().as_ptr() as usize;
        assert!(i32::try_from(start + 5000).is_ok());
        memory.bytes_mut().fill(7);
        assert_eq!((memory.bytes_mut().len(), memory.resident_bytes()), (5000, 2 * PAGE));
        let memory = memory.read_only().unwrap();
        assert_eq!([0, PAGE].map(|at| protection(start + at)), ["r--p", "r--p"]);
        drop(memory);
    }
}
