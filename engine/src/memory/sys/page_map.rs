//! Which pages of a reservation the system has made.
//!
//! It makes a page when somebody first touches it; until then all that it has is a promise of zeros. A guest gets more pages than
//! it asks for (see `Window::grant_length`), so that most of what a window holds may never have been touched. To compare such a page
//! the system has to make it. `/proc/self/pagemap` tells which ones there are: an entry of 64 bits for each page of the process.
//!
//! It does not tell of pages that somebody else provides when they are touched (`userfaultfd` with missing pages, as for processes that are
//! moved to another machine while they run): there `--cfg hatchery_no_page_map` is needed.

use core::ptr::NonNull;
use std::fs::File;
use std::os::unix::fs::FileExt;

use crate::memory::{PAGE_SIZE, PageSet};

/// The page is in memory, or was put elsewhere for the time being.
const MADE: u64 = 1 << 63 | 1 << 62;
/// Entries that are read at once.
const AT_ONCE: usize = 512;
/// Pages that lie no farther apart are looked at together, with what lies between them: a call of the system takes 0.6 us, an entry 5 ns,
/// or 20 if the page was made.
const GAP: u32 = 32;
const ENTRY: usize = size_of::<u64>();

/// Those of the pages above `base` that nobody has touched, so that they are zero. `None` if the system does not tell. The page in
/// front of `base` must have been written: where the system denies that there is such a page, what it tells is not to be relied on.
pub(super) fn untouched(base: NonNull<u8>, pages: &[u32]) -> Option<PageSet> {
    if cfg!(hatchery_no_page_map) {
        return None;
    }
    // Each time anew, since after a fork a file that was opened before is still about the other process.
    let map = PageMap(File::open("/proc/self/pagemap").ok()?);
    let first = base.as_ptr() as u64 / u64::from(PAGE_SIZE);
    let mut untouched = PageSet::new();
    let mut entries = [[0; ENTRY]; AT_ONCE];
    map.read(first - 1, &mut entries[..1])?;
    if !is_made(&entries[0]) {
        return None;
    }
    for range in pages.chunk_by(|&page, &next| (1..=GAP).contains(&next.wrapping_sub(page))) {
        let mut rest = range;
        while let [begin, ..] = *rest {
            let (part, behind) = rest.split_at(rest.partition_point(|page| page - begin < AT_ONCE as u32));
            rest = behind;
            let length = part.last().map_or(0, |last| last - begin + 1);
            map.read(first + u64::from(begin), &mut entries[..length as usize])?;
            for &page in part {
                if !is_made(&entries[(page - begin) as usize]) {
                    untouched.insert(page);
                }
            }
        }
    }
    Some(untouched)
}

struct PageMap(File);

impl PageMap {
    /// The entries of these pages of the process, as many as fit.
    fn read(&self, first: u64, entries: &mut [[u8; ENTRY]]) -> Option<()> {
        self.0.read_exact_at(entries.as_flattened_mut(), first * ENTRY as u64).ok()
    }
}

fn is_made(entry: &[u8; ENTRY]) -> bool {
    u64::from_le_bytes(*entry) & MADE != 0
}
