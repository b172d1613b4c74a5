//! The mounted form: contiguous memory with a table that says what may be done to each page at once.

use std::sync::Arc;

use super::sys::Backing;
use super::{HostError, Image, PAGE_SIZE, PAGES, Page, PageSet, Permission, is_same};

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

/// How many pages a guarded window keeps if most of them take no memory, since nobody has touched them. To ask which these are takes
/// some 10 ns for each, whenever an instance leaves the window.
const MOST_PAGES_TO_KEEP_OPEN: usize = 4096;

/// How many pages come into a guarded window at once, at first. Each time takes a signal and a call of the system, some 5 us, but
/// pages that come in vain are compared and put back with the others when the instance leaves.
const GRANTED_AT_ONCE: u32 = 4;
/// After as many times twice as many pages come at once.
const GRANTS_OF_A_LENGTH: u32 = 16;

/// To ask the system which pages nobody has touched takes 6 us, and up to half a microsecond for each; to compare one that nobody has
/// touched takes 2 us, since the system makes it, and 0.07 another time. Fewer than these are compared.
const FEWEST_TO_ASK_FOR: usize = 16;

/// Fewer than these are filled when an instance leaves, which makes them: the next one that leaves need not ask.
const FEWEST_TO_LEAVE_UNTOUCHED: usize = 64;

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

    /// Dirty pages that nobody has touched, if they are many and the system tells: they are as in the image. `own` are the pages whose
    /// bytes may not have come from there, of which it says nothing.
    pub(crate) fn untouched_pages(&self, own: impl Iterator<Item = u32>) -> Option<PageSet> {
        if self.untouched.len() < FEWEST_TO_ASK_FOR {
            return None;
        }
        let mut untouched = self.bytes.untouched(&self.untouched)?;
        own.for_each(|page| untouched.remove(page));
        Some(untouched)
    }

    /// Takes note that pages of which it was asked are not untouched any more.
    pub(crate) fn note_touched(&mut self, untouched: Option<&PageSet>) {
        if let Some(untouched) = untouched {
            self.untouched.retain(|&page| untouched.contains(page));
        }
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

impl<B: Backing> Window<B> {
    /// Whether the guest can do this to the page at once.
    #[inline]
    pub(crate) fn allows(&self, page: u32, permission: Permission) -> bool {
        let wanted = match permission {
            Permission::None => 0,
            Permission::Read => state::READ,
            Permission::ReadWrite => state::WRITE,
        };
        self.state(page) & wanted == wanted
    }

    /// Gives a page of a guarded window that the guest can write other contents; false if it cannot write it.
    pub(crate) fn overwrite(&mut self, page: u32, contents: &[u8]) -> bool {
        let is_writable = self.state(page) & state::WRITE != 0;
        if is_writable {
            fill(self.bytes.page_mut(page), contents);
        }
        is_writable
    }

    /// Brings pages with these contents into a guarded window and lets the guest do this to them. None of them is resident. If
    /// it fails nothing has changed.
    ///
    /// Nobody notices the first write, so writable pages are dirty from the beginning.
    pub(crate) fn grant<'a>(
        &mut self,
        pages: core::ops::Range<u32>,
        permission: Permission,
        contents: impl Fn(u32) -> &'a [u8],
    ) -> Result<(), HostError> {
        let opened = self.bytes.protect(pages.clone(), Permission::ReadWrite);
        // Perhaps some of the pages are open now.
        self.is_leaky |= opened.is_err();
        opened?;
        self.grants += 1;
        for page in pages.clone() {
            let contents = contents(page);
            if self.state(page) & state::STALE != 0 || !contents.is_empty() {
                fill(self.bytes.page_mut(page), contents);
            } else if permission == Permission::ReadWrite {
                self.untouched.push(page);
            }
        }
        if permission != Permission::ReadWrite
            && let Err(error) = self.bytes.protect(pages.clone(), permission)
        {
            // The guest must not keep what it was not meant to have.
            self.close(pages.clone());
            pages.for_each(|page| self.note_stale(page));
            return Err(error);
        }
        pages.for_each(|page| self.note_granted(page, permission));
        Ok(())
    }

    fn note_granted(&mut self, page: u32, permission: Permission) {
        let entry = &mut self.table[page as usize];
        if *entry & state::STALE == 0 {
            self.resident.push(page);
        }
        let listed = *entry & state::LISTED;
        *entry = state::RESIDENT | state::READ | listed;
        if permission == Permission::ReadWrite {
            *entry |= state::WRITE | state::DIRTY | state::LISTED;
            if listed == 0 {
                self.dirty.push(page);
            }
        }
    }

    fn note_stale(&mut self, page: u32) {
        let entry = &mut self.table[page as usize];
        if *entry & (state::STALE | state::RESIDENT) == 0 {
            self.resident.push(page);
        }
        *entry = state::STALE | *entry & state::LISTED;
    }

    /// Takes these pages from the guest, those of them that it has.
    pub(crate) fn revoke(&mut self, pages: impl Iterator<Item = u32>) {
        let mut pages: Vec<u32> = pages.filter(|&page| self.state(page) & state::RESIDENT != 0).collect();
        self.close_runs(&mut pages);
        pages.into_iter().for_each(|page| self.note_stale(page));
    }

    /// Forbids everything to these pages.
    fn close_runs(&mut self, pages: &mut Vec<u32>) {
        pages.sort_unstable();
        pages.dedup();
        for run in pages.chunk_by(|a, b| a + 1 == *b) {
            self.close(run[0]..run[0] + run.len() as u32);
        }
    }

    /// Forbids everything.
    ///
    /// The system refuses what would leave the process with more mappings than it may have, of which a window has few (see
    /// [`Window::grant_length`]), but there may be many windows. Then these pages stay within the reach of native code, which must not
    /// run here any more.
    fn close(&mut self, pages: core::ops::Range<u32>) {
        self.is_leaky |= self.bytes.protect(pages, Permission::None).is_err();
    }

    /// How many pages to grant together, a power of two. The system limits the mappings of a process (`vm.max_map_count`), so
    /// that a program that accesses pages here and there gets more of them each time.
    pub(crate) fn grant_length(&self) -> u32 {
        GRANTED_AT_ONCE << (self.grants / GRANTS_OF_A_LENGTH).min(16)
    }

    /// As `scrub`, in a guarded window.
    fn scrub_guarded(&mut self) {
        if !self.resident.is_empty() {
            self.is_leaky |= !self.bytes.forget();
        }
        self.grants = 0;
        self.untouched.clear();
        for page in self.resident.drain(..) {
            self.table[page as usize] = 0;
        }
        for page in self.dirty.drain(..) {
            self.table[page as usize] = 0;
        }
        self.open.clear();
    }

    /// As `give_surplus_back`, in a guarded window, which keeps more pages if nobody has touched them, but none of these that the next
    /// instance could not write. It gives those of the pages that it keeps that nobody has touched, if there are many and the system
    /// tells. `own` are those of which it says nothing.
    fn give_guarded_surplus_back(&mut self, image: &Image, own: &[u32]) -> Option<PageSet> {
        let length = self.resident.len();
        // It is not asked about those that go anyway.
        let mut surplus = self.resident.split_off(length.min(MOST_PAGES_TO_KEEP_OPEN));
        self.note_given_back(&surplus);
        let untouched = self.leave_untouched(own);
        if untouched.is_some() || self.resident.len() > MOST_PAGES_TO_KEEP {
            // Ranges are limited, too: each takes mappings.
            let (mut counted, mut next) = (0, None);
            let is_kept = |&page: &u32| {
                let is_untouched = untouched.as_ref().is_some_and(|set| set.contains(page));
                let counts = !is_untouched || next != Some(page);
                let is_kept = (!counts || counted < MOST_PAGES_TO_KEEP)
                    && !(is_untouched && image.map.permission(page, image.extent()) != Permission::ReadWrite);
                if is_kept {
                    counted += usize::from(counts);
                    next = Some(page + 1);
                }
                is_kept
            };
            let resident = core::mem::take(&mut self.resident);
            let (kept, others): (Vec<u32>, Vec<u32>) = resident.into_iter().partition(is_kept);
            self.resident = kept;
            self.note_given_back(&others);
            surplus.extend(others);
        }
        if !surplus.is_empty() {
            // Bytes that stay there are as bad as pages that stay open.
            self.is_leaky |= !self.bytes.discard(&mut surplus);
            for run in surplus.chunk_by(|a, b| a + 1 == *b) {
                self.close(run[0]..run[0] + run.len() as u32);
            }
            self.forget_clean_pages();
        }
        untouched
    }

    /// Takes note that these pages are going to be given back.
    fn note_given_back(&mut self, pages: &[u32]) {
        let Self { table, untouched, .. } = self;
        if !pages.is_empty() {
            pages.iter().for_each(|&page| table[page as usize] &= state::LISTED);
            untouched.retain(|&page| table[page as usize] & (state::RESIDENT | state::STALE) != 0);
        }
    }

    /// The pages that nobody has touched, if they are so many that it pays to leave them so. Of all others nothing is known from now on:
    /// they are filled, or taken from the guest.
    fn leave_untouched(&mut self, own: &[u32]) -> Option<PageSet> {
        let are_many = self.untouched.len() >= FEWEST_TO_LEAVE_UNTOUCHED;
        let untouched = if are_many { self.untouched_pages(own.iter().copied()) } else { None };
        match &untouched {
            None => self.untouched.clear(),
            Some(set) => self.untouched.retain(|&page| set.contains(page)),
        }
        untouched
    }

    /// Takes from the list of dirty pages those that are not.
    fn forget_clean_pages(&mut self) {
        let Self { table, dirty, .. } = self;
        dirty.retain(|&page| {
            let entry = &mut table[page as usize];
            let is_dirty = *entry & state::DIRTY != 0;
            if !is_dirty {
                *entry &= !state::LISTED;
            }
            is_dirty
        });
    }

    /// As `restore_image`, in a guarded window: afterwards the guest can write some of the pages that it may write in the image,
    /// with the bytes that they have there, and read some of those that it may only read.
    fn restore_guarded_image(&mut self, mut others: Vec<u32>) {
        let Some(image) = self.image.clone() else { return };
        self.grants = 0;
        let untouched = self.give_guarded_surplus_back(&image, &others);
        let is_untouched = |page| untouched.as_ref().is_some_and(|set| set.contains(page));
        let extent = image.extent();
        for at in 0..self.dirty.len() {
            let page = self.dirty[at];
            if self.state(page) & state::DIRTY == 0 {
                continue;
            }
            if image.map.permission(page, extent) != Permission::ReadWrite {
                others.push(page);
            } else if !is_untouched(page) {
                fill(self.bytes.page_mut(page), image.page(page));
            }
        }
        let writable = |window: &Self, page: u32| {
            window.state(page) & state::WRITE != 0
                && image.map.permission(page, extent) == Permission::ReadWrite
        };
        others.retain(|&page| !writable(self, page));
        if !others.is_empty() {
            others.into_iter().for_each(|page| self.leave_open(page));
            self.forget_clean_pages();
        }
    }

    /// Whether nothing can be done to a page of a guarded window that may not be done in the image.
    fn is_as_in_image(&self) -> bool {
        let Some(image) = &self.image else { return true };
        let allowed = |page: u32| image.map.permission(page, image.extent());
        self.resident.iter().all(|&page| match self.state(page) & (state::READ | state::WRITE) {
            0 => true,
            state::READ => allowed(page) >= Permission::Read,
            _ => allowed(page) == Permission::ReadWrite,
        })
    }

    /// Takes a page from the instance that leaves a guarded window, and leaves it to `settle` whether the next one gets it.
    fn leave_open(&mut self, page: u32) {
        let before = self.state(page);
        if before & state::RESIDENT == 0 {
            return;
        }
        self.note_stale(page);
        let is_writable = before & state::WRITE != 0;
        self.table[page as usize] |= state::OPEN | if is_writable { state::OPEN_TO_WRITE } else { 0 };
        self.open.push(page);
    }

    /// Decides about the open pages of a guarded window: the instance that is going to run in it gets those to which it may do the
    /// same, with its contents, and the others are closed. The host of a program sets the permissions of pages, often the same ones
    /// for each instance: closing and opening them takes 4 us, copying them 0.07.
    pub(crate) fn settle<'a>(&mut self, wanted: impl Fn(u32) -> (Permission, &'a [u8])) {
        let mut open = core::mem::take(&mut self.open);
        open.retain(|&page| {
            let before = self.state(page);
            if before & state::OPEN == 0 {
                return false;
            }
            let (permission, contents) = wanted(page);
            let is_writable = before & state::OPEN_TO_WRITE != 0;
            let is_kept = match permission {
                Permission::ReadWrite => is_writable,
                Permission::Read => !is_writable && is_same(self.bytes.page(page), contents),
                Permission::None => false,
            };
            if is_kept && is_writable {
                fill(self.bytes.page_mut(page), contents);
            }
            if is_kept {
                self.note_granted(page, permission);
            }
            !is_kept
        });
        self.close_runs(&mut open);
        for &page in &open {
            self.table[page as usize] &= !(state::OPEN | state::OPEN_TO_WRITE);
        }
        open.clear();
        self.open = open;
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

    #[cfg(all(target_os = "linux", target_arch = "x86_64", not(any(miri, hatchery_no_native_code))))]
    mod guarded {
        use super::*;
        use crate::memory::Guarded;

        /// Grants pages in ranges of this length with as many pages between them, and writes the first page of each.
        fn write_here_and_there(
            window: &mut Window<Guarded>,
            first: u32,
            length: u32,
            count: u32,
        ) -> Vec<u32> {
            let ranges = (0..count).map(|range| first + range * 2 * length);
            let written: Vec<u32> = ranges
                .inspect(|&page| {
                    if !window.allows(page, Permission::ReadWrite) {
                        window.grant(page..page + length, Permission::ReadWrite, |_| &[]).unwrap();
                    }
                })
                .collect();
            written.iter().for_each(|&page| window.page_mut(page).unwrap().fill(1));
            written
        }

        fn window(rw_size: u32) -> (Window<Guarded>, u32) {
            let config = MemoryConfig { rw_size, ..MemoryConfig::default() };
            let map = MemoryMap::new(0, rw_size, 0, 0).unwrap();
            let mut window = Window::new().unwrap();
            window.assign(&Arc::new(Image::new(map, &config, u64::MAX, false)));
            (window, map.rw_data().start / PAGE_SIZE)
        }

        /// How many pages of it are open, and of how many of these the system says that nobody has touched them.
        fn open(window: &Window<Guarded>) -> (usize, usize) {
            let open: Vec<u32> = window
                .resident
                .iter()
                .copied()
                .filter(|&page| window.state(page) & state::READ != 0)
                .collect();
            let untouched = window.bytes.untouched(&open);
            let is_untouched = |&&page: &&u32| untouched.as_ref().is_some_and(|set| set.contains(page));
            (open.len(), open.iter().filter(is_untouched).count())
        }

        #[test]
        #[cfg(not(hatchery_no_page_map))]
        fn pages_that_nobody_touched_stay_with_the_window() {
            let (mut window, first) = window(0x1000_0000);
            for _ in 0..3 {
                let written = write_here_and_there(&mut window, first, 32, 100);
                window.restore_image(core::iter::empty());
                assert_eq!(open(&window), (3200, 3100));
                assert!(written.iter().all(|&page| *window.page(page).unwrap() == [0; PAGE_SIZE as usize]));
                assert_eq!(window.untouched.len(), 3100);
            }
            // So many that it does not keep all.
            write_here_and_there(&mut window, first, 32, 500);
            window.restore_image(core::iter::empty());
            assert_eq!(open(&window).0, MOST_PAGES_TO_KEEP_OPEN);
            assert_eq!(window.resident.len(), MOST_PAGES_TO_KEEP_OPEN);
            assert_eq!(window.bytes.accessible_pages(), MOST_PAGES_TO_KEEP_OPEN);
            // What it gave back comes in again, zero.
            let again = write_here_and_there(&mut window, first, 32, 500);
            assert!(again.iter().all(|&page| *window.page(page).unwrap() == [1; PAGE_SIZE as usize]));
            window.restore_image(core::iter::empty());
            assert!(window.untouched.len() <= MOST_PAGES_TO_KEEP_OPEN, "none is listed twice");
        }

        #[test]
        fn what_takes_memory_or_mappings_is_given_back_earlier() {
            let (mut window, first) = window(0x1000_0000);
            // Two of each eight pages are touched or begin a range.
            write_here_and_there(&mut window, first, 8, 2000);
            window.restore_image(core::iter::empty());
            let (open_pages, untouched) = open(&window);
            assert!(open_pages - untouched <= MOST_PAGES_TO_KEEP, "{open_pages} {untouched}");
            write_here_and_there(&mut window, first + 0x8000, 2, 2000);
            window.restore_image(core::iter::empty());
            let mut pages = window.resident.clone();
            pages.sort_unstable();
            assert!(pages.chunk_by(|a, b| a + 1 == *b).count() <= MOST_PAGES_TO_KEEP);
        }

        #[test]
        #[cfg(not(hatchery_no_page_map))]
        fn pages_that_the_next_instance_may_not_write_do_not_stay() {
            // The heap of an instance is not in the image.
            let (mut window, first) = window(0x10_0000);
            write_here_and_there(&mut window, first + 0x100, 32, 10);
            window.restore_image(core::iter::empty());
            assert_eq!(
                (open(&window).0, window.resident.len()),
                (0, 10),
                "those that were written need zeros"
            );
            assert!(window.untouched.is_empty());
        }
    }
}
