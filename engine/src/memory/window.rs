//! The mounted form: contiguous memory with a table that says what may be done to each page at once.

mod guarded;

use std::sync::Arc;

use super::sys::Backing;
use super::{HostError, Image, PAGE_SIZE, PAGES, Page, PageSet, Permission};

/// What the table says of a page. All clear: its bytes in the window are zero and mean nothing.
pub(crate) mod state {
    /// A guest may read it.
    pub(crate) const READ: u8 = 1;
    /// A guest may write it; it is in the list of dirty pages.
    pub(crate) const WRITE: u8 = 2;
    /// Its bytes in the window are those of the instance; it is in the list of resident pages.
    pub(crate) const RESIDENT: u8 = 4;
    /// It was written since it came into the window; it is in the list of dirty pages.
    pub(crate) const DIRTY: u8 = 8;
    /// Its bytes in the window are of no use, and need not be zero; it is in the list of resident pages.
    pub(crate) const STALE: u8 = 16;
    /// It is in the list of dirty pages of a guarded window, dirty or not.
    pub(crate) const LISTED: u8 = 32;
    /// Of a stale page in a guarded window in which nobody runs: the processor lets it be read, and also be written. It is in the
    /// list of open pages.
    pub(crate) const OPEN: u8 = 64;
    pub(crate) const OPEN_TO_WRITE: u8 = 128;
}

/// How many pages (4 MiB) a window keeps for its next instance; the others are given back to the operating system. Overwriting
/// a page takes some 70 ns, giving it back and getting it again 1.8 us (measured on an AMD EPYC, virtualised).
const MOST_PAGES_TO_KEEP: usize = 1024;

/// Contiguous memory for one instance at a time.
pub(crate) struct Window<B> {
    bytes: B,
    /// A byte for each page.
    table: Box<[u8]>,
    resident: Vec<u32>,
    dirty: Vec<u32>,
    /// Pages to be given to the next instance or closed before it runs.
    open: Vec<u32>,
    /// Whose contents the clean resident pages have.
    image: Option<Arc<Image>>,
    /// How many times pages were granted since it was last empty.
    grants: u32,
    /// Pages of a guarded window that came in for the guest to write, zero as in the image, and that nobody had touched then: perhaps
    /// nobody has yet.
    untouched: Vec<u32>,
    /// The system has refused to change what the processor allows, so that it may allow the guest more than the table says.
    is_leaky: bool,
}

impl<B: Backing> Window<B> {
    pub(crate) fn new() -> Result<Self, HostError> {
        Ok(Self {
            bytes: B::reserve()?,
            table: vec![0; PAGES].into_boxed_slice(),
            resident: Vec::new(),
            dirty: Vec::new(),
            open: Vec::new(),
            image: None,
            grants: 0,
            untouched: Vec::new(),
            is_leaky: false,
        })
    }

    /// Whether native code can do more in it than the guest may, since the system has refused to forbid it. Then it is good for the
    /// host's accesses and for taking out what the guest has written, and has to be given up.
    #[inline]
    pub(crate) const fn is_leaky(&self) -> bool {
        B::GUARDED && self.is_leaky
    }

    /// Whether its clean pages are those of `image`.
    pub(crate) fn is_for(&self, image: &Arc<Image>) -> bool {
        self.image.as_ref().is_some_and(|own| Arc::ptr_eq(own, image))
    }

    /// Makes it the window of an instance of `image`. It must be clean.
    pub(crate) fn assign(&mut self, image: &Arc<Image>) {
        debug_assert!(B::GUARDED || self.dirty.is_empty());
        if !self.is_for(image) {
            self.scrub();
            self.image = Some(Arc::clone(image));
        }
    }

    /// Forgets everything.
    fn scrub(&mut self) {
        if B::GUARDED {
            return self.scrub_guarded();
        }
        self.give_surplus_back();
        for page in self.resident.drain(..) {
            self.table[page as usize] = 0;
            self.bytes.page_mut(page).fill(0);
        }
        self.dirty.clear();
    }

    /// Forgets the pages that it should not keep for the next instance.
    fn give_surplus_back(&mut self) {
        if self.resident.len() > MOST_PAGES_TO_KEEP {
            let mut surplus = self.resident.split_off(MOST_PAGES_TO_KEEP);
            if !self.bytes.discard(&mut surplus) {
                surplus.iter().for_each(|&page| self.bytes.page_mut(page).fill(0));
            }
            for page in surplus {
                self.table[page as usize] = 0;
            }
        }
    }

    /// Puts the pages that were written, and `others`, back to what the image has. Their permissions are looked up anew.
    pub(crate) fn restore_image(&mut self, others: impl Iterator<Item = u32>) {
        if B::GUARDED {
            return self.restore_guarded_image(others.collect());
        }
        self.give_surplus_back();
        let Some(image) = &self.image else { return };
        let dirty = core::mem::take(&mut self.dirty);
        for page in dirty.iter().copied().chain(others) {
            let entry = &mut self.table[page as usize];
            if *entry & (state::RESIDENT | state::STALE) != 0 {
                *entry = state::RESIDENT;
                fill(self.bytes.page_mut(page), image.page(page));
            }
        }
        self.dirty = dirty;
        self.dirty.clear();
    }

    /// Takes note that the instance to be mounted has own bytes for these pages, which do not come from the image.
    pub(crate) fn distrust(&mut self, pages: impl Iterator<Item = u32>) {
        for page in pages {
            let entry = &mut self.table[page as usize];
            if *entry & state::RESIDENT != 0 {
                *entry = state::STALE;
            }
        }
    }

    /// Looks permissions of all resident pages up anew.
    pub(crate) fn forget_permissions(&mut self) {
        if B::GUARDED {
            debug_assert!(self.is_as_in_image(), "restoring the image has seen to that");
            return;
        }
        for &page in &self.resident {
            self.table[page as usize] &= !(state::READ | state::WRITE);
        }
    }

    /// Where guest address 0 lies if all pages lie in order behind it.
    #[inline]
    pub(crate) fn contiguous(&mut self) -> Option<core::ptr::NonNull<u8>> {
        self.bytes.contiguous()
    }

    /// The table, which has a byte for each page.
    #[inline]
    pub(crate) fn table(&mut self) -> core::ptr::NonNull<u8> {
        core::ptr::NonNull::from(&mut *self.table).cast()
    }

    /// Loads `N` bytes within one page, or `None` if the slow path has to look at it.
    #[inline]
    pub(crate) fn load<const N: usize>(&self, address: u32) -> Option<[u8; N]> {
        let within = address % PAGE_SIZE <= PAGE_SIZE - N as u32;
        if within && self.table[(address / PAGE_SIZE) as usize] & state::READ != 0 {
            // SAFETY: a page with READ is resident, and the bytes lie in it.
            return Some(unsafe { self.bytes.load(address) });
        }
        None
    }

    /// Stores `N` bytes within one page; false if the slow path has to look at it.
    #[inline]
    pub(crate) fn store<const N: usize>(&mut self, address: u32, value: [u8; N]) -> bool {
        let within = address % PAGE_SIZE <= PAGE_SIZE - N as u32;
        if within && self.table[(address / PAGE_SIZE) as usize] & state::WRITE != 0 {
            // SAFETY: a page with WRITE is resident, and the bytes lie in it.
            unsafe { self.bytes.store(address, value) };
            return true;
        }
        false
    }

    /// Bytes within one page that the guest can load at once, or `None` if the slow path has to look at them.
    #[inline(always)]
    pub(crate) fn loadable(&self, address: u32, length: usize) -> Option<&[u8]> {
        let (page, offset) = (address / PAGE_SIZE, (address % PAGE_SIZE) as usize);
        if length > PAGE_SIZE as usize - offset || self.table[page as usize] & state::READ == 0 {
            return None;
        }
        Some(&self.bytes.page(page)[offset..offset + length])
    }

    /// Bytes within one page that the guest can store to at once, or `None` if the slow path has to look at them.
    #[inline(always)]
    pub(crate) fn storable(&mut self, address: u32, length: usize) -> Option<&mut [u8]> {
        let (page, offset) = (address / PAGE_SIZE, (address % PAGE_SIZE) as usize);
        if length > PAGE_SIZE as usize - offset || self.table[page as usize] & state::WRITE == 0 {
            return None;
        }
        Some(&mut self.bytes.page_mut(page)[offset..offset + length])
    }

    #[inline]
    pub(crate) fn state(&self, page: u32) -> u8 {
        self.table[page as usize]
    }

    /// The bytes of a resident page.
    pub(crate) fn page(&self, page: u32) -> Option<&Page> {
        (self.state(page) & state::RESIDENT != 0).then(|| self.bytes.page(page))
    }

    /// Brings a page in, with these contents, if it is not resident. `range` is the part of memory it belongs to, in
    /// addresses: the operating system is asked for all of it at once. If it cannot give it nothing has changed.
    pub(crate) fn bring_in(
        &mut self,
        page: u32,
        range: core::ops::Range<u32>,
        contents: &[u8],
    ) -> Result<(), HostError> {
        let before = self.state(page);
        if before & state::RESIDENT == 0 {
            self.bytes.commit(page, range)?;
            let is_stale = before & state::STALE != 0;
            if is_stale || !contents.is_empty() {
                fill(self.bytes.page_mut(page), contents);
            }
            if !is_stale {
                self.resident.push(page);
            }
            self.table[page as usize] = state::RESIDENT;
        }
        Ok(())
    }

    /// Lets the guest read a resident page at once from now on, or write it, which makes it dirty.
    pub(crate) fn allow(&mut self, page: u32, permission: Permission) {
        let entry = &mut self.table[page as usize];
        debug_assert!(*entry & state::RESIDENT != 0);
        match permission {
            Permission::None => {}
            Permission::Read => *entry |= state::READ,
            Permission::ReadWrite => *entry |= state::READ | state::WRITE,
        }
        if permission == Permission::ReadWrite {
            self.note_dirty(page);
        }
    }

    fn note_dirty(&mut self, page: u32) {
        let entry = &mut self.table[page as usize];
        debug_assert!(!B::GUARDED || *entry & state::DIRTY != 0, "what can be written is dirty");
        if *entry & state::DIRTY == 0 {
            *entry |= state::DIRTY;
            self.dirty.push(page);
        }
    }

    /// The bytes of a resident page, which becomes dirty.
    pub(crate) fn page_mut(&mut self, page: u32) -> Option<&mut Page> {
        if self.state(page) & state::RESIDENT == 0 {
            return None;
        }
        self.note_dirty(page);
        Some(self.bytes.page_mut(page))
    }

    /// Forbids the guest to access the page at once. In a guarded window its bytes are lost to it: `save` gets those that may have
    /// been written before.
    pub(crate) fn forbid(&mut self, page: u32, save: impl FnOnce(&Page)) {
        if B::GUARDED {
            if self.state(page) & state::DIRTY != 0 {
                save(self.bytes.page(page));
            }
            return self.revoke(core::iter::once(page));
        }
        self.table[page as usize] &= !(state::READ | state::WRITE);
    }

    /// The pages that may have been written since they came in: dirty ones that are not `untouched`.
    pub(crate) fn dirty_pages(&self, untouched: Option<PageSet>) -> impl Iterator<Item = (u32, &Page)> {
        let is_written = move |&page: &u32| {
            self.state(page) & state::DIRTY != 0 && !untouched.as_ref().is_some_and(|set| set.contains(page))
        };
        self.dirty.iter().copied().filter(is_written).map(|page| (page, self.bytes.page(page)))
    }

    /// Whether it was written since it came in.
    pub(crate) fn is_dirty(&self, page: u32) -> bool {
        self.state(page) & state::DIRTY != 0
    }

    /// Takes note that someone else has copies of the dirty pages: from now on they are clean, the next write is noticed.
    pub(crate) fn note_saved(&mut self) {
        if B::GUARDED {
            // Nobody would notice the next write.
            return;
        }
        for page in self.dirty.drain(..) {
            self.table[page as usize] &= !(state::DIRTY | state::WRITE);
        }
    }
}

#[cfg(all(target_os = "linux", target_arch = "x86_64", not(any(miri, hatchery_no_native_code))))]
impl Window<super::Guarded> {
    /// Where the guest's address 0 lies.
    pub(crate) fn base(&self) -> core::ptr::NonNull<u8> {
        self.bytes.base()
    }
}

/// Copies `contents`, with zeros behind.
fn fill(page: &mut Page, contents: &[u8]) {
    let (data, rest) = page.split_at_mut(contents.len());
    data.copy_from_slice(contents);
    rest.fill(0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{MemoryMap, Portable};
    use crate::program::MemoryConfig;

    fn a_window_does_not_hoard_memory<B: Backing>() {
        let config = MemoryConfig { rw_data: vec![9; 5000], rw_size: 0x10_0000, ..MemoryConfig::default() };
        let map = MemoryMap::new(0, config.rw_size, 0, 0).unwrap();
        let image = Arc::new(Image::new(map, &config, u64::MAX, false));
        let first = map.rw_data().start / PAGE_SIZE;
        let mut window = Window::<B>::new().unwrap();
        window.assign(&image);
        // Instances one after the other that write different pages, few of them or many.
        for (begin, count) in
            [(0, 10), (10, 200), (210, 10_000), (0, 3), (20_000, 200), (21_000, 900), (0, 3)]
        {
            for page in first + begin..first + begin + count {
                let address = page * PAGE_SIZE;
                window.bring_in(page, address..address + PAGE_SIZE, image.page(page)).unwrap();
                assert_eq!(window.page(page).unwrap()[0], if page < first + 2 { 9 } else { 0 });
                window.allow(page, Permission::ReadWrite);
                assert!(window.store(address, [1]));
            }
            window.restore_image([first].into_iter());
            window.forget_permissions();
            assert_eq!(window.dirty_pages(None).count(), 0);
            assert!(window.resident.len() <= MOST_PAGES_TO_KEEP, "{}", window.resident.len());
        }
    }

    #[test]
    fn windows_do_not_hoard_memory() {
        a_window_does_not_hoard_memory::<Portable>();
        #[cfg(all(target_os = "linux", target_pointer_width = "64", not(miri)))]
        a_window_does_not_hoard_memory::<crate::memory::Reserved>();
    }
}
