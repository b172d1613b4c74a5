//! What of an instance's memory a snapshot keeps, in a form that does not depend on how it came about.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::space::{AddressSpace, Contents, OwnBytes, OwnPage};
use super::{
    Image, LOWEST_ADDRESS, PAGE_SIZE, PAGES, Page, Permission, any_window, is_same, is_zero, trimmed,
};
use crate::program::hash;
use crate::snapshot::{DataRange, DataSource, RestoreError};

/// Memory, as far as it is not as in the image. Pages are known by their numbers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct SavedMemory {
    /// End of the heap.
    pub(crate) heap_top: u32,
    /// Bytes of auxiliary data.
    pub(crate) auxiliary: u32,
    /// What the host has set and the layout does not say for all time.
    pub(crate) permissions: BTreeMap<u32, Permission>,
    /// Where the bytes of pages were taken from.
    pub(crate) sources: BTreeMap<u32, SavedSource>,
    /// The bytes of accessible pages that are neither as in the image nor as where they were taken from.
    pub(crate) pages: BTreeMap<u32, SavedPage>,
}

/// The bytes of a page. Equal if they are, in whichever form.
#[derive(Clone, Debug)]
pub(crate) enum SavedPage {
    /// All of them, perhaps shared with instances.
    Whole(Arc<Page>),
    /// Without zeros at the end. What was decoded takes hardly more memory than it had bytes.
    Short(Arc<[u8]>),
}

/// Where the bytes of a page were taken from, and what they were.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SourcePage {
    pub(crate) range: DataRange,
    /// The hash of these bytes.
    pub(crate) digest: [u8; 32],
}

/// Where the bytes of a page were taken from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SavedSource {
    pub(crate) page: SourcePage,
    /// Whether the page still has them and the image does not: then they are not in the snapshot.
    pub(crate) is_referred_to: bool,
}

impl SavedPage {
    /// A page of these bytes, the last of which is not zero, with zeros behind.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        if bytes.len() > PAGE_SIZE as usize / 2 {
            Self::Whole(Arc::new(pad(bytes)))
        } else {
            Self::Short(bytes.into())
        }
    }

    /// The bytes up to the last one that is not zero.
    pub(crate) fn trimmed(&self) -> &[u8] {
        match self {
            Self::Whole(page) => trimmed(&**page),
            Self::Short(bytes) => bytes,
        }
    }

    fn whole(&self) -> Arc<Page> {
        match self {
            Self::Whole(page) => Arc::clone(page),
            Self::Short(bytes) => Arc::new(pad(bytes)),
        }
    }
}

impl PartialEq for SavedPage {
    fn eq(&self, other: &Self) -> bool {
        self.trimmed() == other.trimmed()
    }
}

impl Eq for SavedPage {}

impl SourcePage {
    /// Whether these are the bytes, with zeros behind.
    fn is(&self, bytes: &Page) -> bool {
        let (start, rest) = bytes.split_at(self.range.length as usize);
        is_zero(rest) && hash(start) == self.digest
    }

    /// The bytes, with zeros behind.
    fn load(&self, page: u32, source: &dyn DataSource) -> Result<Page, RestoreError> {
        let DataRange { data, offset, length } = self.range;
        let page_address = page * PAGE_SIZE;
        let mut bytes = [0; PAGE_SIZE as usize];
        let start = &mut bytes[..length as usize];
        source.read(&data, offset, start).map_err(|_| RestoreError::MissingData {
            page_address,
            data,
            offset,
            length,
        })?;
        if hash(start) != self.digest {
            return Err(RestoreError::OtherData { page_address, data, offset, length });
        }
        Ok(bytes)
    }
}

impl AddressSpace {
    /// What there is to keep. O(pages written), and as many again that a window guards.
    pub(crate) fn saved(&self) -> SavedMemory {
        let Self { contents, window } = self;
        let mut saved = SavedMemory {
            heap_top: contents.extent.heap_top,
            auxiliary: contents.extent.auxiliary,
            permissions: contents.set_permissions().collect(),
            sources: BTreeMap::new(),
            pages: BTreeMap::new(),
        };
        let changed = |page: u32, bytes: &[u8]| {
            contents.permission(page) != Permission::None && !is_same(bytes, contents.image.page(page))
        };
        if let Some(window) = window {
            any_window!(window, window => {
                let untouched = window.untouched_pages(contents.pages.keys().copied());
                for (page, bytes) in window.dirty_pages(untouched).filter(|(page, bytes)| changed(*page, *bytes)) {
                    saved.pages.insert(page, SavedPage::Whole(Arc::new(*bytes)));
                }
            });
        }
        let is_dirty = |page: u32| {
            window.as_ref().is_some_and(|window| any_window!(window, window => window.is_dirty(page)))
        };
        for (&page, own) in &contents.pages {
            let bytes = contents.bytes(page);
            if is_dirty(page) || !changed(page, bytes) {
                continue;
            }
            let bytes = match &own.bytes {
                OwnBytes::Own(bytes) => Arc::clone(bytes),
                OwnBytes::Image | OwnBytes::Zero => Arc::new(pad(bytes)),
            };
            saved.pages.insert(page, SavedPage::Whole(bytes));
        }
        for (&number, &page) in &contents.sources {
            let is_referred_to = saved.pages.get(&number).is_some_and(|bytes| page.is(&bytes.whole()));
            if is_referred_to {
                saved.pages.remove(&number);
            }
            saved.sources.insert(number, SavedSource { page, is_referred_to });
        }
        saved
    }

    /// The opposite of `saved`, parked. Whatever `saved` does not give is an error.
    pub(crate) fn restored(
        image: Arc<Image>,
        saved: &SavedMemory,
        source: &dyn DataSource,
    ) -> Result<Self, RestoreError> {
        let mut contents = Contents::new(image);
        let SavedMemory { heap_top, auxiliary, permissions, sources, pages } = saved;
        let growth = heap_top.checked_sub(contents.heap_top());
        if growth.and_then(|growth| contents.sbrk(growth.into())) != Some(*heap_top) {
            return Err(RestoreError::HeapTop { heap_top: *heap_top });
        }
        let space = contents.image.map.auxiliary();
        if *auxiliary > space.end - space.start {
            return Err(RestoreError::Auxiliary { length: *auxiliary, limit: space.end - space.start });
        }
        contents.extent.auxiliary = *auxiliary;
        // The image has none: whoever gets the window next must find them closed, also those that are zero.
        for page in space.start / PAGE_SIZE..(space.start + auxiliary).div_ceil(PAGE_SIZE) {
            contents.own(page);
        }
        for (&page, &permission) in permissions {
            contents.restore_permission(page, permission)?;
        }
        for (&page, bytes) in pages {
            contents.restore_page(page, bytes)?;
            if sources.get(&page).is_some_and(|source| source.page.is(&bytes.whole())) {
                return Err(page_error(
                    page,
                    "its bytes are given although they are as where they come from",
                ));
            }
        }
        for (&number, &SavedSource { page, is_referred_to }) in sources {
            if is_referred_to {
                if pages.contains_key(&number) {
                    return Err(page_error(number, "its bytes are given twice"));
                }
                // Whether it may have bytes comes first: nothing is read in vain.
                contents.check_page(number)?;
                contents.restore_page(number, &SavedPage::Whole(Arc::new(page.load(number, source)?)))?;
            } else if !is_page(number) {
                return Err(page_error(number, "it is no page that can be mapped"));
            }
            contents.sources.insert(number, page);
        }
        Ok(Self { contents, window: None })
    }
}

impl Contents {
    /// The permissions that the host has set, but for those that the layout says anyway, now and later.
    fn set_permissions(&self) -> impl Iterator<Item = (u32, Permission)> {
        let set = self.pages.iter().filter_map(|(&page, own)| Some((page, own.permission?)));
        set.filter(|&(page, permission)| {
            self.image.map.lasting_permission(page, self.extent) != Some(permission)
        })
    }

    fn restore_permission(&mut self, page: u32, permission: Permission) -> Result<(), RestoreError> {
        if !is_page(page) {
            return Err(page_error(page, "it is no page that can be mapped"));
        }
        if self.image.map.lasting_permission(page, self.extent) == Some(permission) {
            return Err(page_error(page, "its permission is given although it is that of the layout"));
        }
        // What is not mapped loses its bytes.
        let bytes = if permission == Permission::None { OwnBytes::Zero } else { OwnBytes::Image };
        self.pages.insert(page, OwnPage { bytes, permission: Some(permission) });
        Ok(())
    }

    fn check_page(&self, page: u32) -> Result<(), RestoreError> {
        if !is_page(page) || self.permission(page) == Permission::None {
            return Err(page_error(page, "its bytes are given although it is not mapped"));
        }
        Ok(())
    }

    fn restore_page(&mut self, page: u32, bytes: &SavedPage) -> Result<(), RestoreError> {
        self.check_page(page)?;
        if is_same(bytes.trimmed(), self.image.page(page)) {
            return Err(page_error(page, "its bytes are given although they are as in the program"));
        }
        self.own(page).bytes = OwnBytes::Own(bytes.whole());
        Ok(())
    }
}

fn page_error(page: u32, problem: &'static str) -> RestoreError {
    RestoreError::Page { page, problem }
}

/// Whether anything can be mapped there.
fn is_page(page: u32) -> bool {
    (LOWEST_ADDRESS / PAGE_SIZE..PAGES as u32).contains(&page)
}

/// A page of these bytes, with zeros behind.
fn pad(bytes: &[u8]) -> Page {
    let mut page = [0; PAGE_SIZE as usize];
    page[..bytes.len()].copy_from_slice(bytes);
    page
}
