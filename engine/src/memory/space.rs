//! The memory of one instance: what differs from its image, and the window it is mounted in, if any.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::saved::SourcePage;
use super::window::state;
use super::{
    AnyWindow, Backing, Extent, HostError, Image, LOWEST_ADDRESS, PAGE_SIZE, Page, Permission, Window,
    any_window, by_page, is_same, pages_of,
};
use crate::program::hash;
use crate::snapshot::DataRange;

/// How many of an instance's own pages are copied into a guarded window when it is mounted (some 5 us), if the window has places for
/// them: that takes less time than if the guest had to ask for half of them.
const MOST_PAGES_TO_COPY: usize = 64;

/// How many bytes the host may write at once for the pages that they lie in to be brought into the window. Whoever writes a little
/// mostly writes there again, or the guest reads it; more than that is kept as pages of the instance's own until the guest wants it.
const MOST_BYTES_TO_BRING_IN: usize = 64 * 1024;

/// The host asked for memory that is not there. Nothing was done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MemoryError {
    /// Some byte of the range is not mapped, or may not be written.
    #[error(
        "memory at {address:#010x} ({length} bytes) is not accessible: {problem} at {page_address:#010x}"
    )]
    OutOfRange {
        /// Start of the range.
        address: u32,
        /// Its length in bytes.
        length: u64,
        /// Start of the first page that does not allow the access.
        page_address: u32,
        /// What the page is.
        problem: &'static str,
    },
    /// There is not as much space for auxiliary data.
    #[error("{length} bytes of auxiliary data: the program has space for {limit}")]
    AuxiliaryTooLong {
        /// Length of the data in bytes.
        length: u64,
        /// Space for it in bytes.
        limit: u32,
    },
    /// Data does not reach as far.
    #[error("{length} bytes from byte {offset} on end behind what 64 bits can number")]
    DataRange {
        /// The first byte.
        offset: u64,
        /// How many bytes.
        length: u32,
    },
    /// The operation takes whole pages.
    #[error(
        "{address:#010x} ({length} bytes) are not whole pages of 4096 bytes between 0x10000 and the end of memory"
    )]
    NotPages {
        /// Start of the range.
        address: u32,
        /// Its length in bytes.
        length: u64,
    },
}

/// What an access wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Access {
    Read,
    Write,
}

/// Why a guest's access cannot be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// Memory does not allow it.
    Denied(Denied),
    /// The host cannot do it.
    Host(HostError),
}

/// The first page that does not allow an access.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Denied {
    /// The first byte of the access in that page; of the whole access where it exceeds the address space.
    pub(crate) address: u32,
    /// What the page allows.
    pub(crate) permission: Permission,
}

/// What of an instance's memory is not as in its image.
#[derive(Clone, Debug)]
pub(crate) struct Contents {
    pub(super) image: Arc<Image>,
    pub(super) extent: Extent,
    /// The most bytes that may be accessible, heap included: never more than the image allows.
    limit: u64,
    pub(super) pages: BTreeMap<u32, OwnPage>,
    /// Where the bytes of pages were taken from, whether they still have them or not.
    pub(super) sources: BTreeMap<u32, SourcePage>,
}

/// A page that is not as in the image, whether mounted or not.
#[derive(Clone, Debug)]
pub(super) struct OwnPage {
    pub(super) bytes: OwnBytes,
    /// Set by the host; otherwise as the layout says.
    pub(super) permission: Option<Permission>,
}

/// Bytes of a page, unless the window has newer ones.
#[derive(Clone, Debug)]
pub(super) enum OwnBytes {
    Image,
    Zero,
    Own(Arc<Page>),
}

impl Contents {
    pub(crate) fn new(image: Arc<Image>) -> Self {
        let (extent, limit) = (image.extent(), image.memory_limit);
        Self { image, extent, limit, pages: BTreeMap::new(), sources: BTreeMap::new() }
    }

    pub(super) fn permission(&self, page: u32) -> Permission {
        let set =
            if self.pages.is_empty() { None } else { self.pages.get(&page).and_then(|own| own.permission) };
        set.unwrap_or_else(|| self.image.map.permission(page, self.extent))
    }

    /// The bytes of a page as they are outside of the window; what is missing is zero.
    pub(super) fn bytes(&self, page: u32) -> &[u8] {
        match self.pages.get(&page).map(|own| &own.bytes) {
            None | Some(OwnBytes::Image) => self.image.page(page),
            Some(OwnBytes::Zero) => &[],
            Some(OwnBytes::Own(bytes)) => bytes.as_slice(),
        }
    }

    pub(super) fn own(&mut self, page: u32) -> &mut OwnPage {
        self.pages.entry(page).or_insert(OwnPage { bytes: OwnBytes::Image, permission: None })
    }

    /// The instance's own bytes of a page, which nobody shares, to be written.
    fn own_bytes(&mut self, page: u32) -> &mut Page {
        let Self { image, pages, .. } = self;
        let own = pages.entry(page).or_insert(OwnPage { bytes: OwnBytes::Image, permission: None });
        let from = match &own.bytes {
            OwnBytes::Own(_) => None,
            OwnBytes::Image => Some(image.page(page)),
            OwnBytes::Zero => Some(&[][..]),
        };
        if let Some(from) = from {
            let mut bytes = [0; PAGE_SIZE as usize];
            bytes[..from.len()].copy_from_slice(from);
            own.bytes = OwnBytes::Own(Arc::new(bytes));
        }
        match &mut own.bytes {
            OwnBytes::Own(bytes) => Arc::make_mut(bytes),
            OwnBytes::Image | OwnBytes::Zero => unreachable!("it was made its own above"),
        }
    }

    /// Takes note of the bytes of a page, which may have been written.
    fn keep(&mut self, page: u32, bytes: &Page) {
        if !is_same(bytes, self.bytes(page)) {
            self.own_bytes(page).copy_from_slice(bytes);
        }
    }

    /// The first page of the range that does not allow the access.
    fn check(&self, address: u32, length: usize, access: Access) -> Result<(), Denied> {
        let Some(pages) = pages_of(address, length) else {
            return Err(Denied { address, permission: Permission::None });
        };
        let wanted = match access {
            Access::Read => Permission::Read,
            Access::Write => Permission::ReadWrite,
        };
        for page in pages {
            let permission = self.permission(page);
            if permission < wanted {
                return Err(Denied { address: address.max(page * PAGE_SIZE), permission });
            }
        }
        Ok(())
    }

    pub(crate) fn heap_top(&self) -> u32 {
        self.extent.heap_top
    }

    pub(crate) fn faults_to_host(&self) -> bool {
        self.image.faults_to_host
    }

    /// Grows the heap by `size` bytes and gives its new top, or `None` if the layout or the memory limit forbid it.
    pub(crate) fn sbrk(&mut self, size: u64) -> Option<u32> {
        let map = &self.image.map;
        let top = u64::from(self.extent.heap_top).checked_add(size)?;
        if top - u64::from(map.heap_base()) > u64::from(map.max_heap_size()) {
            return None;
        }
        let top = top as u32;
        // The heap has what it has, also where the limit was lowered below that.
        if self.bytes_with_heap(top) > self.limit.max(self.accessible_bytes()) {
            return None;
        }
        self.extent.heap_top = top;
        Some(top)
    }

    /// Bytes of data, heap and stack.
    pub(crate) fn accessible_bytes(&self) -> u64 {
        self.bytes_with_heap(self.extent.heap_top)
    }

    fn bytes_with_heap(&self, heap_top: u32) -> u64 {
        let map = &self.image.map;
        map.declared_bytes() + u64::from(map.rw_end(heap_top) - map.rw_data().end)
    }

    pub(crate) fn set_limit(&mut self, bytes: u64) {
        self.limit = bytes.min(self.image.memory_limit);
    }
}

impl<B: Backing> Window<B> {
    /// The slow path of a guest's access: makes the whole range accessible in the window, or says why that may not be.
    #[cold]
    pub(crate) fn touch(
        &mut self,
        contents: &Contents,
        address: u32,
        length: usize,
        access: Access,
    ) -> Result<(), Fault> {
        contents.check(address, length, access).map_err(Fault::Denied)?;
        self.open(contents, address, length, access).map_err(Fault::Host)
    }

    /// Makes a range accessible in the window that allows the access. If the host cannot, a part of it may be.
    fn open(
        &mut self,
        contents: &Contents,
        address: u32,
        length: usize,
        access: Access,
    ) -> Result<(), HostError> {
        for page in pages_of(address, length).into_iter().flatten() {
            if B::GUARDED {
                self.grant_from(contents, page)?;
                continue;
            }
            self.bring_in_from(contents, page)?;
            self.allow(page, if access == Access::Write { Permission::ReadWrite } else { Permission::Read });
        }
        Ok(())
    }

    /// Prepares a clean window for an instance with these contents.
    fn expect(&mut self, contents: &Contents) {
        let own = contents.pages.keys().copied();
        if !B::GUARDED {
            return self.distrust(own);
        }
        let few = contents.pages.len() <= MOST_PAGES_TO_COPY;
        let others = own.filter(|&page| {
            let copied = few
                && contents.permission(page) == Permission::ReadWrite
                && self.overwrite(page, contents.bytes(page));
            !copied
        });
        let others: Vec<u32> = others.collect();
        self.revoke(others.into_iter());
        self.settle(|page| match few {
            true => (contents.permission(page), contents.bytes(page)),
            false => (Permission::None, &[]),
        });
    }

    /// Lets the guest do to a page of a guarded window what it may, and to some around it.
    fn grant_from(&mut self, contents: &Contents, page: u32) -> Result<(), HostError> {
        let permission = contents.permission(page);
        if self.allows(page, permission) {
            return Ok(());
        }
        let length = self.grant_length();
        let group = page / length * length;
        let alike =
            |&page: &u32| !self.allows(page, Permission::Read) && contents.permission(page) == permission;
        let before = (group..page).rev().take_while(alike).count() as u32;
        let behind = (page + 1..group + length).take_while(alike).count() as u32;
        self.grant(page - before..page + 1 + behind, permission, |page| contents.bytes(page))
    }

    fn bring_in_from(&mut self, contents: &Contents, page: u32) -> Result<(), HostError> {
        if self.state(page) & state::RESIDENT != 0 {
            return Ok(());
        }
        let address = page * PAGE_SIZE;
        // The last page of the address space is no part of a layout and ends where u32 does.
        let alone = address..address.saturating_add(PAGE_SIZE);
        let range = contents.image.map.part(page, contents.extent).map_or(alone, |(range, _)| range);
        self.bring_in(page, range, contents.bytes(page))
    }

    /// Loads from a range that `touch` has made accessible and that may cross a page.
    pub(crate) fn read_touched(&self, address: u32, into: &mut [u8]) {
        for (page, offset, range) in by_page(address, into.len()) {
            if let Some(bytes) = self.page(page) {
                let length = range.len();
                into[range].copy_from_slice(&bytes[offset..offset + length]);
            }
        }
    }

    /// Stores to a range that `touch` has made accessible and that may cross a page.
    pub(crate) fn write_touched(&mut self, address: u32, from: &[u8]) {
        for (page, offset, range) in by_page(address, from.len()) {
            if let Some(bytes) = self.page_mut(page) {
                bytes[offset..offset + range.len()].copy_from_slice(&from[range]);
            }
        }
    }

    /// Fills a range that `touch` has made writable.
    pub(crate) fn fill_touched(&mut self, address: u32, length: usize, value: u8) {
        for (page, offset, range) in by_page(address, length) {
            if let Some(bytes) = self.page_mut(page) {
                bytes[offset..offset + range.len()].fill(value);
            }
        }
    }
}

/// The memory of one instance.
#[derive(Debug)]
pub(crate) struct AddressSpace {
    pub(crate) contents: Contents,
    pub(crate) window: Option<AnyWindow>,
}

impl AddressSpace {
    pub(crate) fn new(image: Arc<Image>) -> Self {
        Self { contents: Contents::new(image), window: None }
    }

    pub(crate) fn image(&self) -> &Arc<Image> {
        &self.contents.image
    }

    /// Whether it can run where it is. If not, it has to take a window, and leave the one it has, if any.
    #[inline]
    pub(crate) fn can_run(&self) -> bool {
        self.window.as_ref().is_some_and(|window| !window.is_leaky())
    }

    /// Puts the instance into a clean window for its image. Its own pages are copied there when they are touched, or, if they are
    /// few and it costs next to nothing, at once.
    pub(crate) fn mount(&mut self, mut window: AnyWindow) {
        debug_assert!(self.window.is_none());
        any_window!(&mut window, window => window.expect(&self.contents));
        self.window = Some(window);
    }

    /// Takes the instance out of its window, keeping what was written.
    pub(crate) fn park(&mut self) -> Option<AnyWindow> {
        self.save();
        self.dismount()
    }

    /// Takes the instance out of its window, forgetting what was written since it was mounted.
    pub(crate) fn dismount(&mut self) -> Option<AnyWindow> {
        let mut window = self.window.take()?;
        let own = self.contents.pages.keys().copied();
        any_window!(&mut window, window => {
            window.restore_image(own);
            window.forget_permissions();
        });
        Some(window)
    }

    /// Copies what was written in the window out of it. The instance stays mounted.
    fn save(&mut self) {
        let Some(window) = &mut self.window else { return };
        any_window!(window, window => {
            let contents = &mut self.contents;
            let untouched = window.untouched_pages(contents.pages.keys().copied());
            window.note_touched(untouched.as_ref());
            for (page, bytes) in window.dirty_pages(untouched) {
                contents.keep(page, bytes);
            }
            window.note_saved();
        });
    }

    /// Back to the image, in proportion to the pages written. The instance stays mounted.
    pub(crate) fn reset(&mut self) {
        if let Some(window) = &mut self.window {
            let own = self.contents.pages.keys().copied();
            any_window!(window, window => {
                window.restore_image(own);
                window.forget_permissions();
            });
        }
        let limit = self.contents.limit;
        self.contents = Contents::new(Arc::clone(&self.contents.image));
        self.contents.limit = limit;
        if let Some(window) = &mut self.window {
            any_window!(window, window => window.expect(&self.contents));
        }
    }

    /// The pages of its own, in ascending order: all that are not as in the image, and some that are again.
    pub(crate) fn own_pages(&mut self) -> Vec<u32> {
        self.save();
        self.contents.pages.keys().copied().collect()
    }

    /// Bytes that the guest can load at once.
    #[inline(always)]
    pub(crate) fn loadable(&self, address: u32, length: usize) -> Option<&[u8]> {
        let window = self.window.as_ref()?;
        any_window!(window, window => window.loadable(address, length))
    }

    /// Bytes that the guest can store to at once.
    #[inline(always)]
    pub(crate) fn storable(&mut self, address: u32, length: usize) -> Option<&mut [u8]> {
        let window = self.window.as_mut()?;
        any_window!(window, window => window.storable(address, length))
    }

    /// Reads for the host: everything a guest can read.
    #[inline]
    pub(crate) fn read(&self, address: u32, into: &mut [u8]) -> Result<(), MemoryError> {
        if let Some(bytes) = self.loadable(address, into.len()) {
            into.copy_from_slice(bytes);
            return Ok(());
        }
        self.read_pages(address, into)
    }

    fn read_pages(&self, address: u32, into: &mut [u8]) -> Result<(), MemoryError> {
        self.check(address, into.len() as u64, Access::Read)?;
        for (page, offset, range) in by_page(address, into.len()) {
            let resident =
                self.window.as_ref().and_then(|w| any_window!(w, w => w.page(page).map(Page::as_slice)));
            let bytes = resident.unwrap_or_else(|| self.contents.bytes(page));
            let from = bytes.get(offset..).unwrap_or(&[]);
            let part = &mut into[range];
            let known = from.len().min(part.len());
            part[..known].copy_from_slice(&from[..known]);
            part[known..].fill(0);
        }
        Ok(())
    }

    /// The bytes from an address to the end of its page, for the host to read in place.
    pub(crate) fn page(&mut self, address: u32) -> Result<&[u8], MemoryError> {
        const ZEROS: Page = [0; PAGE_SIZE as usize];
        self.check(address, 1, Access::Read)?;
        let (page, offset) = (address / PAGE_SIZE, (address % PAGE_SIZE) as usize);
        let is_resident = |w: &AnyWindow| any_window!(w, w => w.page(page).is_some());
        let bytes: &[u8] = match &self.window {
            Some(w) if is_resident(w) => any_window!(w, w => w.page(page).unwrap_or(&ZEROS)).as_slice(),
            _ => match self.contents.bytes(page).len() {
                0 => &ZEROS,
                length if length < ZEROS.len() => self.contents.own_bytes(page),
                _ => self.contents.bytes(page),
            },
        };
        Ok(&bytes[offset..])
    }

    /// Writes for the host: everything a guest can write.
    #[inline]
    pub(crate) fn write(&mut self, address: u32, from: &[u8]) -> Result<(), MemoryError> {
        if let Some(bytes) = self.storable(address, from.len()) {
            bytes.copy_from_slice(from);
            return Ok(());
        }
        self.write_pages(address, from)
    }

    fn write_pages(&mut self, address: u32, from: &[u8]) -> Result<(), MemoryError> {
        self.check(address, from.len() as u64, Access::Write)?;
        self.expect_writes(address, from.len());
        self.modify(address, from.len(), |part, range| part.copy_from_slice(&from[range]));
        Ok(())
    }

    /// Brings what the host is about to write, and may, into the window, unless it is much: so that it finds it there the next time,
    /// and so does the guest. Where memory for that is missing it is written outside of the window.
    fn expect_writes(&mut self, address: u32, length: usize) {
        let Self { contents, window } = self;
        let Some(window) = window.as_mut().filter(|window| !window.is_leaky()) else { return };
        if length <= MOST_BYTES_TO_BRING_IN {
            let _ = any_window!(window, window => window.open(contents, address, length, Access::Write));
        }
    }

    /// Copies for the host from another space.
    pub(crate) fn copy_from(
        &mut self,
        address: u32,
        other: &Self,
        from: u32,
        length: u32,
    ) -> Result<(), MemoryError> {
        if let Some(bytes) = other.loadable(from, length as usize)
            && let Some(own) = self.storable(address, length as usize)
        {
            own.copy_from_slice(bytes);
            return Ok(());
        }
        other.check(from, length.into(), Access::Read)?;
        self.check(address, length.into(), Access::Write)?;
        self.expect_writes(address, length as usize);
        let mut result = Ok(());
        self.modify(address, length as usize, |part, range| {
            // The end of the range was checked: this does not overflow.
            result = result.and(other.read(from + range.start as u32, part));
        });
        result
    }

    /// Zeroes for the host: everything a guest can write.
    pub(crate) fn zero(&mut self, address: u32, length: u32) -> Result<(), MemoryError> {
        self.check(address, length.into(), Access::Write)?;
        for (page, offset, range) in by_page(address, length as usize) {
            let is_resident =
                self.window.as_ref().is_some_and(|w| any_window!(w, w => w.page(page).is_some()));
            // What is zero anyway needs no bytes of its own.
            if is_resident || !self.contents.bytes(page).is_empty() {
                self.page_mut(page)[offset..offset + range.len()].fill(0);
            }
        }
        Ok(())
    }

    /// Calls `change` with each part of the range and where in the range it lies. The range has been checked.
    fn modify(
        &mut self,
        address: u32,
        length: usize,
        mut change: impl FnMut(&mut [u8], core::ops::Range<usize>),
    ) {
        for (page, offset, range) in by_page(address, length) {
            change(&mut self.page_mut(page)[offset..offset + range.len()], range);
        }
    }

    /// The bytes of a page, to be changed.
    fn page_mut(&mut self, page: u32) -> &mut Page {
        let resident = self.window.as_mut().and_then(|w| any_window!(w, w => w.page_mut(page)));
        match resident {
            Some(bytes) => bytes,
            None => self.contents.own_bytes(page),
        }
    }

    /// Whether a guest can access the range in this way.
    #[inline]
    pub(crate) fn check_permission(
        &self,
        address: u32,
        length: u64,
        permission: Permission,
    ) -> Result<(), MemoryError> {
        match permission {
            Permission::None => Ok(()),
            Permission::Read => self.check(address, length, Access::Read),
            Permission::ReadWrite => self.check(address, length, Access::Write),
        }
    }

    #[inline]
    fn check(&self, address: u32, length: u64, access: Access) -> Result<(), MemoryError> {
        let wanted = match access {
            Access::Read => Permission::Read,
            Access::Write => Permission::ReadWrite,
        };
        // What the guest can do at once it may do.
        let is_in_one_page = length <= u64::from(PAGE_SIZE - address % PAGE_SIZE);
        if is_in_one_page
            && let Some(window) = &self.window
            && any_window!(window, window => window.allows(address / PAGE_SIZE, wanted))
        {
            return Ok(());
        }
        self.check_contents(address, length, access)
    }

    fn check_contents(&self, address: u32, length: u64, access: Access) -> Result<(), MemoryError> {
        let size = usize::try_from(length).unwrap_or(usize::MAX);
        if size == 0 {
            return Ok(());
        }
        self.contents.check(address, size, access).map_err(|denied| MemoryError::OutOfRange {
            address,
            length,
            page_address: denied.address / PAGE_SIZE * PAGE_SIZE,
            problem: if denied.permission == Permission::Read {
                "read-only memory"
            } else {
                "unmapped memory"
            },
        })
    }

    /// Sets what the guest may do to these whole pages. Pages that were not mapped become zero, pages that are not mapped any
    /// more lose their bytes.
    pub(crate) fn protect(
        &mut self,
        address: u32,
        length: u64,
        permission: Permission,
    ) -> Result<(), MemoryError> {
        let error = MemoryError::NotPages { address, length };
        let pages = pages_of(address, usize::try_from(length).map_err(|_| error)?).ok_or(error)?;
        let whole = address.is_multiple_of(PAGE_SIZE) && length.is_multiple_of(PAGE_SIZE.into());
        if !whole || address < LOWEST_ADDRESS {
            return Err(error);
        }
        for page in pages {
            let appears_or_goes =
                permission == Permission::None || self.contents.permission(page) == Permission::None;
            self.forbid(page);
            let own = self.contents.own(page);
            own.permission = Some(permission);
            if appears_or_goes {
                own.bytes = OwnBytes::Zero;
            }
            if let Some(window) = &mut self.window {
                any_window!(window, window => {
                    if appears_or_goes && let Some(bytes) = window.page_mut(page) {
                        bytes.fill(0);
                    }
                });
            }
        }
        Ok(())
    }

    /// Sets the auxiliary data, which the guest can read and not write. What there was before is gone.
    pub(crate) fn set_auxiliary(&mut self, data: &[u8]) -> Result<(), MemoryError> {
        let space = self.contents.image.map.auxiliary();
        let length = u32::try_from(data.len()).ok().filter(|&length| length <= space.end - space.start);
        let Some(length) = length else {
            return Err(MemoryError::AuxiliaryTooLong {
                length: data.len() as u64,
                limit: space.end - space.start,
            });
        };
        let reach = self.contents.extent.auxiliary.max(length).next_multiple_of(PAGE_SIZE);
        self.contents.extent.auxiliary = length;
        for page in space.start / PAGE_SIZE..(space.start + reach) / PAGE_SIZE {
            self.forbid(page);
        }
        self.modify(space.start, reach as usize, |part, range| {
            let from = data.get(range.start..range.end.min(data.len())).unwrap_or(&[]);
            part[..from.len()].copy_from_slice(from);
            part[from.len()..].fill(0);
        });
        Ok(())
    }

    /// Takes note of where the bytes of these pages were taken from.
    pub(crate) fn record_source(&mut self, address: u32, range: DataRange) -> Result<(), MemoryError> {
        let DataRange { data, offset, length } = range;
        if !address.is_multiple_of(PAGE_SIZE) {
            return Err(MemoryError::NotPages { address, length: length.into() });
        }
        if offset.checked_add(length.into()).is_none() {
            return Err(MemoryError::DataRange { offset, length });
        }
        self.check(address, length.into(), Access::Read)?;
        let mut bytes = [0; PAGE_SIZE as usize];
        for (page, _, part) in by_page(address, length as usize) {
            let bytes = &mut bytes[..part.len()];
            self.read(page * PAGE_SIZE, bytes)?;
            let range = DataRange { data, offset: offset + part.start as u64, length: part.len() as u32 };
            self.contents.sources.insert(page, SourcePage { range, digest: hash(bytes) });
        }
        Ok(())
    }

    /// The first page that is not as in another instance of the same module. Takes time in proportion to the pages written.
    pub(crate) fn different_page(&mut self, other: &mut Self) -> Option<u32> {
        self.save();
        other.save();
        let (ours, theirs) = (&self.contents, &other.contents);
        let pages = ours.pages.keys().chain(theirs.pages.keys()).copied();
        let padded = |contents: &Contents, page| {
            let mut bytes = contents.bytes(page).to_vec();
            bytes.resize(PAGE_SIZE as usize, 0);
            bytes
        };
        pages
            .filter(|&page| {
                ours.permission(page) != theirs.permission(page) || padded(ours, page) != padded(theirs, page)
            })
            .min()
    }

    /// Makes the guest's next access to the page take the slow path.
    fn forbid(&mut self, page: u32) {
        let Self { contents, window } = self;
        if let Some(window) = window {
            any_window!(window, window => window.forbid(page, |bytes| contents.keep(page, bytes)));
        }
    }

    /// A copy that shares what is the same. O(pages written).
    pub(crate) fn fork(&mut self) -> Self {
        self.save();
        Self { contents: self.contents.clone(), window: None }
    }
}

#[cfg(test)]
mod tests;
