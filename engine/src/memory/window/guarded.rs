//! What only a guarded window does: the processor, not a look at the table, keeps the guest from pages that are closed.

use core::ops::Range;

use super::{MOST_PAGES_TO_KEEP, Window, fill, state};
use crate::memory::sys::Backing;
use crate::memory::{HostError, Image, PageSet, Permission, is_same};

/// How many pages come into a guarded window at once, at first. Each time takes a signal and a call of the system, some 5 us, but
/// pages that come in vain are compared and put back with the others when the instance leaves.
const GRANTED_AT_ONCE: u32 = 4;
/// After as many times twice as many pages come at once.
const GRANTS_OF_A_LENGTH: u32 = 16;

/// To ask the system which pages nobody has touched takes 6 us, and 5 to 20 ns for each, or 0.6 us for one that lies far from the others; to
/// compare one that nobody has touched takes 2 us, since the system makes it, and 0.07 another time. Fewer than these are compared.
const FEWEST_TO_ASK_FOR: usize = 16;

/// Fewer than these are filled when an instance leaves, which makes them: the next one that leaves need not ask.
const FEWEST_TO_LEAVE_UNTOUCHED: usize = 64;

/// How many pages a guarded window keeps if most of them take no memory, since nobody has touched them. The system is asked for all of
/// them whenever an instance leaves the window.
const MOST_PAGES_TO_KEEP_OPEN: usize = 4096;

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
        pages: Range<u32>,
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
    fn close(&mut self, pages: Range<u32>) {
        self.is_leaky |= self.bytes.protect(pages, Permission::None).is_err();
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

    /// How many pages to grant together, a power of two. The system limits the mappings of a process (`vm.max_map_count`), so
    /// that a program that accesses pages here and there gets more of them each time.
    pub(crate) fn grant_length(&self) -> u32 {
        GRANTED_AT_ONCE << (self.grants / GRANTS_OF_A_LENGTH).min(16)
    }

    /// As `scrub`, in a guarded window.
    pub(super) fn scrub_guarded(&mut self) {
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

    /// As `give_surplus_back`, in a guarded window, which keeps more pages if nobody has touched them and the next instance can write
    /// them. It gives the pages that nobody has touched, if there are many and the system tells. `own` are those of which it says
    /// nothing.
    fn give_guarded_surplus_back(&mut self, image: &Image, own: &[u32]) -> Option<PageSet> {
        let mut surplus = Vec::new();
        if self.resident.len() > MOST_PAGES_TO_KEEP_OPEN {
            // It is not asked about those that go anyway.
            surplus = self.resident.split_off(MOST_PAGES_TO_KEEP_OPEN);
            self.note_given_back(&surplus);
        }
        let untouched = self.leave_untouched(own);
        if self.resident.len() > MOST_PAGES_TO_KEEP {
            let is_free = |page| {
                untouched.as_ref().is_some_and(|set| set.contains(page))
                    && image.map.permission(page, image.extent()) == Permission::ReadWrite
            };
            // The first page of a range counts too, since each range takes mappings. So does what the next instance cannot write, as it is
            // not known afterwards whether it takes memory.
            let (mut counted, mut next) = (0, None);
            let is_kept = |&page: &u32| {
                let counts = next != Some(page) || !is_free(page);
                let is_kept = !counts || counted < MOST_PAGES_TO_KEEP;
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
        // Bytes that stay there are as bad as pages that stay open.
        self.is_leaky |= !self.bytes.discard(&mut surplus);
        self.close_runs(&mut surplus);
        untouched
    }

    /// Takes note that these pages are going to be given back.
    fn note_given_back(&mut self, pages: &[u32]) {
        if !pages.is_empty() {
            pages.iter().for_each(|&page| self.table[page as usize] &= state::LISTED);
            self.forget_clean_pages();
        }
    }

    /// The pages that nobody has touched, if they are so many that it pays to leave them so. Of all others nothing is known from now on:
    /// they are filled, or taken from the guest.
    fn leave_untouched(&mut self, own: &[u32]) -> Option<PageSet> {
        let are_many = self.untouched.len() >= FEWEST_TO_LEAVE_UNTOUCHED;
        let untouched = if are_many { self.untouched_pages(own.iter().copied()) } else { None };
        if untouched.is_none() {
            self.untouched.clear();
        }
        self.note_touched(untouched.as_ref());
        untouched
    }

    /// Takes from the lists of dirty and of untouched pages those that are not dirty.
    fn forget_clean_pages(&mut self) {
        let Self { table, dirty, untouched, .. } = self;
        untouched.retain(|&page| table[page as usize] & state::DIRTY != 0);
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
    pub(super) fn restore_guarded_image(&mut self, mut others: Vec<u32>) {
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
    pub(super) fn is_as_in_image(&self) -> bool {
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

#[cfg(all(test, target_os = "linux", target_arch = "x86_64", not(any(miri, hatchery_no_native_code))))]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::memory::{Guarded, MemoryMap, PAGE_SIZE};
    use crate::program::MemoryConfig;

    /// Grants pages in ranges of this length with as many pages between them, and writes the first page of each.
    fn write_here_and_there(window: &mut Window<Guarded>, first: u32, length: u32, count: u32) -> Vec<u32> {
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
        let open: Vec<u32> =
            window.resident.iter().copied().filter(|&page| window.state(page) & state::READ != 0).collect();
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

    /// How many mappings there are between the first and the last of its pages.
    fn mappings(window: &Window<Guarded>) -> usize {
        let start = window.base().as_ptr() as u64;
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let starts =
            maps.lines().map(|line| u64::from_str_radix(line.split('-').next().unwrap(), 16).unwrap());
        starts.filter(|at| (start..start + (1 << 32)).contains(at)).count()
    }

    /// The heap of an instance is not in the image.
    #[test]
    fn pages_that_the_next_instance_may_not_write_take_no_mappings_each() {
        for count in [20, 80, 1000, 2000, 20_000] {
            let (mut window, first) = window(0x10_0000);
            for _ in 0..3 {
                let heap = first + 0x100..first + 0x100 + 2 * count;
                let pages: Vec<u32> =
                    heap.clone().filter(|&page| !window.allows(page, Permission::ReadWrite)).collect();
                for run in pages.chunk_by(|a, b| a + 1 == *b) {
                    let run = run[0]..run[0] + run.len() as u32;
                    window.grant(run, Permission::ReadWrite, |_| &[]).unwrap();
                }
                // Every second page.
                heap.step_by(2).for_each(|page| window.page_mut(page).unwrap().fill(1));
                window.restore_image(core::iter::empty());
                assert!(mappings(&window) <= 5, "{count}: {}", mappings(&window));
                assert!(window.untouched.is_empty() && window.dirty.is_empty());
                // It will not be known which of them nobody touched.
                assert!(window.resident.len() <= MOST_PAGES_TO_KEEP);
                window.settle(|_| (Permission::None, &[]));
                assert_eq!(window.bytes.accessible_pages(), 0);
                assert!(mappings(&window) <= 3, "{count}: {}", mappings(&window));
            }
        }
    }

    #[test]
    fn every_second_page_of_data_takes_no_mapping_each() {
        for count in [20, 80, 1000, 2000, 20_000] {
            let (mut window, first) = window(0x1000_0000);
            for _ in 0..3 {
                for page in first..first + 2 * count {
                    if !window.allows(page, Permission::ReadWrite) {
                        window.grant(page..page + 1, Permission::ReadWrite, |_| &[]).unwrap();
                    }
                }
                (first..first + 2 * count).step_by(2).for_each(|page| window.page_mut(page).unwrap().fill(1));
                window.restore_image(core::iter::empty());
                assert!(mappings(&window) <= 5, "{count}: {}", mappings(&window));
            }
        }
    }
}
