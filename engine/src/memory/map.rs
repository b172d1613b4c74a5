//! Where the parts of a program's memory lie.

use core::ops::Range;

use super::{LOWEST_ADDRESS, PAGE_SIZE, Permission};

/// Parts of memory are placed at multiples of this and kept apart by at least this much.
const GRANULE: u64 = 0x1_0000;
/// End of the space for the stack and auxiliary data.
const TOP: u64 = 0xffff_0000;

/// The layout of a program's memory. Addresses are guest addresses, sizes are bytes, a multiple of the page size unless said
/// otherwise. The rules are those of PolkaVM's `MemoryMapBuilder`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MemoryMap {
    ro_size: u32,
    rw_address: u32,
    rw_size: u32,
    heap_base: u32,
    max_heap_size: u32,
    stack_high: u32,
    stack_size: u32,
    auxiliary_address: u32,
    auxiliary_size: u32,
}

/// How far an instance's memory reaches at the moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Extent {
    /// End of the heap.
    pub(crate) heap_top: u32,
    /// Bytes of auxiliary data.
    pub(crate) auxiliary: u32,
}

/// The parts of a program's memory do not fit the address space together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "memory: {ro_size} bytes read-only, {rw_size} read-write, {stack_size} of stack and {auxiliary_size} auxiliary do not fit 4 GiB with their guards"
)]
pub struct MemoryMapError {
    /// Declared size of the read-only data.
    pub ro_size: u32,
    /// Declared size of the read-write data.
    pub rw_size: u32,
    /// Declared size of the stack.
    pub stack_size: u32,
    /// Space for auxiliary data.
    pub auxiliary_size: u32,
}

impl MemoryMap {
    /// The layout of a program that declares these sizes in bytes.
    ///
    /// # Errors
    /// If the parts and their guards do not fit the address space.
    pub fn new(
        ro_size: u32,
        rw_size: u32,
        stack_size: u32,
        auxiliary_size: u32,
    ) -> Result<Self, MemoryMapError> {
        let error = MemoryMapError { ro_size, rw_size, stack_size, auxiliary_size };
        let space = |size: u32| u64::from(size).next_multiple_of(GRANULE);
        let paged = |size: u32| size.checked_next_multiple_of(PAGE_SIZE).ok_or(error);

        let rw_address = u64::from(LOWEST_ADDRESS) + space(ro_size) + GRANULE;
        let heap_base = rw_address + u64::from(rw_size);
        let rw_end = rw_address + space(rw_size);
        let auxiliary_address = TOP.checked_sub(space(auxiliary_size)).ok_or(error)?;
        let stack_high = auxiliary_address.checked_sub(GRANULE).ok_or(error)?;
        let lowest_stack = stack_high.checked_sub(space(stack_size)).ok_or(error)?;
        if rw_end + GRANULE > lowest_stack {
            return Err(error);
        }
        let max_heap_size = lowest_stack - (rw_end + GRANULE) + (rw_end - heap_base);
        Ok(Self {
            ro_size: paged(ro_size)?,
            rw_address: rw_address as u32,
            rw_size: paged(rw_size)?,
            heap_base: heap_base as u32,
            max_heap_size: max_heap_size as u32,
            stack_high: stack_high as u32,
            stack_size: paged(stack_size)?,
            auxiliary_address: auxiliary_address as u32,
            auxiliary_size: paged(auxiliary_size)?,
        })
    }

    /// The read-only data.
    pub const fn ro_data(&self) -> Range<u32> {
        LOWEST_ADDRESS..LOWEST_ADDRESS + self.ro_size
    }

    /// The read-write data.
    pub const fn rw_data(&self) -> Range<u32> {
        self.rw_address..self.rw_address + self.rw_size
    }

    /// The stack. It grows from the end of the range downwards.
    pub const fn stack(&self) -> Range<u32> {
        self.stack_high - self.stack_size..self.stack_high
    }

    /// Space for data that the host gives and the program can only read, such as the arguments of a JAM program.
    pub const fn auxiliary(&self) -> Range<u32> {
        self.auxiliary_address..self.auxiliary_address + self.auxiliary_size
    }

    /// Where the heap begins: the end of the read-write data, not rounded.
    pub const fn heap_base(&self) -> u32 {
        self.heap_base
    }

    /// How far the heap can grow, in bytes, not rounded.
    pub const fn max_heap_size(&self) -> u32 {
        self.max_heap_size
    }

    /// Bytes accessible at first: read-only data, read-write data and stack.
    pub const fn declared_bytes(&self) -> u64 {
        self.ro_size as u64 + self.rw_size as u64 + self.stack_size as u64
    }

    /// End of the pages accessible as read-write data or heap when the heap ends at `heap_top`.
    pub(crate) fn rw_end(&self, heap_top: u32) -> u32 {
        // The heap cannot grow into the guard below the stack, so this does not overflow.
        heap_top.next_multiple_of(PAGE_SIZE).max(self.rw_address + self.rw_size)
    }

    /// What may be done to a page unless the host has said otherwise.
    #[inline]
    pub(crate) fn permission(&self, page: u32, extent: Extent) -> Permission {
        self.part(page, extent).map_or(Permission::None, |(_, permission)| permission)
    }

    /// What may be done to a page, if that will always be so: not where the heap or auxiliary data can get to.
    pub(crate) fn lasting_permission(&self, page: u32, extent: Extent) -> Option<Permission> {
        let address = page * PAGE_SIZE;
        let heap = self.rw_end(extent.heap_top)..self.rw_end(self.heap_base + self.max_heap_size);
        let can_change = heap.contains(&address) || self.auxiliary().contains(&address);
        (!can_change).then(|| self.permission(page, extent))
    }

    /// The part of memory that a page belongs to.
    pub(crate) fn part(&self, page: u32, extent: Extent) -> Option<(Range<u32>, Permission)> {
        let address = page * PAGE_SIZE;
        let rw = self.rw_address..self.rw_end(extent.heap_top);
        let auxiliary = self.auxiliary_address
            ..self.auxiliary_address + extent.auxiliary.next_multiple_of(PAGE_SIZE).min(self.auxiliary_size);
        [
            (rw, Permission::ReadWrite),
            (self.stack(), Permission::ReadWrite),
            (self.ro_data(), Permission::Read),
            (auxiliary, Permission::Read),
        ]
        .into_iter()
        .find(|(range, _)| range.contains(&address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_program_has_all_space_for_its_heap() {
        let map = MemoryMap::new(0, 0, 0, 0).unwrap();
        assert_eq!(map.ro_data(), 0x1_0000..0x1_0000);
        assert_eq!(map.rw_data(), 0x2_0000..0x2_0000);
        assert_eq!(map.stack(), 0xfffe_0000..0xfffe_0000);
        assert_eq!(map.heap_base(), 0x2_0000);
        assert_eq!(map.max_heap_size(), 0xfffe_0000 - 0x3_0000);
    }

    #[test]
    fn parts_are_rounded_to_pages_and_placed_at_multiples_of_64_kib() {
        let map = MemoryMap::new(1, 0x1_0001, 0x1_0fff, 0).unwrap();
        assert_eq!(map.ro_data(), 0x1_0000..0x1_1000);
        assert_eq!(map.rw_data(), 0x3_0000..0x4_1000);
        assert_eq!(map.heap_base(), 0x4_0001);
        assert_eq!(map.stack(), 0xfffc_f000..0xfffe_0000);
        assert_eq!(map.max_heap_size(), 0xfffc_0000 - 0x6_0000 + 0xffff);
        assert_eq!(map.declared_bytes(), 0x1000 + 0x1_1000 + 0x1_1000);
    }

    #[test]
    fn the_largest_memory_fits_and_a_byte_more_does_not() {
        let most = 0xfffe_0000 - 0x3_0000;
        assert_eq!(MemoryMap::new(0, 0, most, 0).unwrap().max_heap_size(), 0);
        assert_eq!(MemoryMap::new(0, most, 0, 0).unwrap().max_heap_size(), 0);
        assert!(MemoryMap::new(most, 0, 0, 0).is_ok());
        assert!(MemoryMap::new(0, 0, most + 1, 0).is_err());
        assert!(MemoryMap::new(0, most + 1, 0, 0).is_err());
        assert!(MemoryMap::new(u32::MAX, u32::MAX, u32::MAX, 0).is_err());
        assert!(MemoryMap::new(u32::MAX, 0, 0, 0).is_err());
        assert!(MemoryMap::new(0, 0, u32::MAX, 0).is_err());
    }

    #[test]
    fn permissions_follow_the_heap() {
        let map = MemoryMap::new(0x1000, 0x10, 0x1000, 0).unwrap();
        let at =
            |address: u32, heap_top| map.permission(address / PAGE_SIZE, Extent { heap_top, auxiliary: 0 });
        let base = map.heap_base();
        assert_eq!(at(0, base), Permission::None);
        assert_eq!(at(0x1_0000, base), Permission::Read);
        assert_eq!(at(0x1_1000, base), Permission::None);
        assert_eq!(at(0x3_0000, base), Permission::ReadWrite);
        assert_eq!(at(0x3_1000, base), Permission::None);
        assert_eq!(at(0x3_1000, 0x3_1000), Permission::None, "the heap ends before this page");
        assert_eq!(at(0x3_1000, 0x3_1001), Permission::ReadWrite);
        assert_eq!(at(0xfffd_f000, base), Permission::ReadWrite);
        assert_eq!(at(0xfffd_e000, base), Permission::None);
        assert_eq!(at(0xfffe_0000, base), Permission::None);
    }

    #[test]
    fn auxiliary_data_lies_above_the_stack_and_is_read_only_as_far_as_there_is_any() {
        let map = MemoryMap::new(0, 0, 0x1000, 1 << 24).unwrap();
        assert_eq!(map.auxiliary(), 0xfeff_0000..0xffff_0000);
        assert_eq!(map.stack(), 0xfefd_f000..0xfefe_0000);
        let at = |address: u32, auxiliary| {
            map.permission(address / PAGE_SIZE, Extent { heap_top: map.heap_base(), auxiliary })
        };
        assert_eq!(at(0xfeff_0000, 0), Permission::None);
        assert_eq!(at(0xfeff_0000, 1), Permission::Read);
        assert_eq!(at(0xfeff_1000, 0x1000), Permission::None);
        assert_eq!(at(0xfffe_f000, 1 << 24), Permission::Read);
        assert_eq!(at(0xffff_0000, u32::MAX - 0xfff), Permission::None);
        assert!(MemoryMap::new(0, 0, 0, u32::MAX).is_err());
        assert!(MemoryMap::new(0, 0, 0, 0xfffb_0000).is_ok());
        assert!(MemoryMap::new(0, 0, 0, 0xfffb_0001).is_err());
    }
}
