//! An address space of separately allocated pages: slower, but for every platform and for Miri.

use core::ops::Range;

use super::Backing;
use crate::memory::{HostError, PAGE_SIZE, PAGES, Page};

const LEAF: usize = 1024;

type Leaf = [Option<Box<Page>>; LEAF];

/// A tree of two levels with a thousand branches each.
pub(crate) struct Portable {
    leaves: Box<[Option<Box<Leaf>>]>,
}

impl Backing for Portable {
    fn reserve() -> Result<Self, HostError> {
        Ok(Self { leaves: (0..PAGES / LEAF).map(|_| None).collect() })
    }

    fn commit(&mut self, page: u32, _: Range<u32>) -> Result<(), HostError> {
        // Only the leaf is made here; pages are made when they are written.
        self.leaves[page as usize / LEAF].get_or_insert_with(|| Box::new([const { None }; LEAF]));
        Ok(())
    }

    fn page(&self, page: u32) -> &Page {
        static ZERO: Page = [0; PAGE_SIZE as usize];
        let Some(leaf) = &self.leaves[page as usize / LEAF] else {
            panic!("page {page:#x} is not committed")
        };
        leaf[page as usize % LEAF].as_deref().unwrap_or(&ZERO)
    }

    fn page_mut(&mut self, page: u32) -> &mut Page {
        let Some(leaf) = &mut self.leaves[page as usize / LEAF] else {
            panic!("page {page:#x} is not committed")
        };
        leaf[page as usize % LEAF].get_or_insert_with(|| Box::new([0; PAGE_SIZE as usize]))
    }

    fn discard(&mut self, pages: &mut [u32]) -> bool {
        for page in pages {
            if let Some(leaf) = &mut self.leaves[*page as usize / LEAF] {
                leaf[*page as usize % LEAF] = None;
            }
        }
        true
    }

    unsafe fn load<const N: usize>(&self, address: u32) -> [u8; N] {
        let offset = (address % PAGE_SIZE) as usize;
        let mut bytes = [0; N];
        bytes.copy_from_slice(&self.page(address / PAGE_SIZE)[offset..offset + N]);
        bytes
    }

    unsafe fn store<const N: usize>(&mut self, address: u32, value: [u8; N]) {
        let offset = (address % PAGE_SIZE) as usize;
        self.page_mut(address / PAGE_SIZE)[offset..offset + N].copy_from_slice(&value);
    }
}
