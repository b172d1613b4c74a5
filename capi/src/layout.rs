//! From the four regions that `pvm_set_memory_bounds` gets to a layout in which the heap grows behind the read-write region.

use hatchery_engine::memory::PAGE_SIZE;
use hatchery_engine::program::MemoryConfig;
use hatchery_engine::{Instance, Permission};

use crate::status::Failure;

/// Pages that differ from what the layout alone would make of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Region {
    /// The first page's address.
    start: u64,
    /// The end of the last page.
    end: u64,
    permission: Permission,
}

impl Region {
    pub(crate) fn apply(self, instance: &mut Instance) -> Result<(), Failure> {
        if self.start < self.end {
            instance.memory_mut().protect(self.start as u32, self.end - self.start, self.permission)?;
        }
        Ok(())
    }
}

/// Start and end, in bytes; empty if both are the same.
pub(crate) type Bounds = (u32, u32);

/// The engine places parts of memory at multiples of this and keeps them apart by at least this much.
const GRANULE: u64 = 0x1_0000;
const PAGE: u64 = PAGE_SIZE as u64;
/// End of the space for the stack and what is above.
const TOP: u64 = 0xffff_0000;

/// The layout and the exceptions from it for these regions.
///
/// The engine's layout is that of JAM standard programs: read-only data, read-write data and heap, stack, arguments, apart by
/// 64 KiB. Where a region does not begin or end at a multiple of that, the surplus becomes inaccessible again.
pub(crate) fn layout(
    rw: Bounds,
    ro: Bounds,
    output: Bounds,
    stack: Bounds,
) -> Result<(MemoryConfig, Vec<Region>), Failure> {
    for (name, (start, end)) in [("rw", rw), ("ro", ro), ("output", output), ("stack", stack)] {
        if end < start {
            return Err(Failure::argument(format!(
                "{name}: the end {end:#x} is before the start {start:#x}"
            )));
        }
        if start != end && (u64::from(start) < GRANULE || u64::from(end) > TOP) {
            return Err(Failure::argument(format!(
                "{name}: {start:#x} to {end:#x} is not between 0x10000 and 0xffff0000"
            )));
        }
    }
    let pages =
        |(start, end): Bounds| (u64::from(start) / PAGE * PAGE, u64::from(end).next_multiple_of(PAGE));
    let (ro_pages, rw_pages, stack_pages) = (pages(ro), pages(rw), pages(stack));

    let mut config = MemoryConfig::default();
    let mut regions = Vec::new();
    let mut except = |start: u64, end: u64, permission| regions.push(Region { start, end, permission });

    let lowest_rw = if ro.0 == ro.1 { 2 * GRANULE } else { ro_pages.1.next_multiple_of(GRANULE) + GRANULE };
    if rw.0 == rw.1 {
        config.ro_size = (lowest_rw - 2 * GRANULE) as u32;
    } else {
        let start = u64::from(rw.0) / GRANULE * GRANULE;
        if start < lowest_rw {
            return Err(Failure::argument(format!(
                "rw begins at {:#x}: with this ro it can begin at {lowest_rw:#x} at the lowest",
                rw.0
            )));
        }
        config.ro_size = (start - 2 * GRANULE) as u32;
        config.rw_size = (u64::from(rw.1) - start) as u32;
        except(start, rw_pages.0, Permission::None);
    }
    let declared_ro = GRANULE + u64::from(config.ro_size);
    if ro.0 == ro.1 {
        except(GRANULE, declared_ro, Permission::None);
    } else {
        except(GRANULE, ro_pages.0, Permission::None);
        except(ro_pages.1, declared_ro, Permission::None);
    }

    let stack_end = if stack.0 == stack.1 { TOP - GRANULE } else { stack_pages.1.next_multiple_of(GRANULE) };
    let space_above = (TOP - GRANULE)
        .checked_sub(stack_end)
        .ok_or_else(|| Failure::argument(format!("stack: the end {:#x} is above 0xfffe0000", stack.1)))?;
    config.auxiliary_size = space_above as u32;
    if stack.0 != stack.1 {
        config.stack_size = (stack_end - stack_pages.0) as u32;
        except(stack_pages.1, stack_end, Permission::None);
    }
    if output.0 != output.1 {
        let (start, end) = pages(output);
        let overlaps = |(low, high): (u64, u64)| start < high && low < end;
        if overlaps(rw_pages) && rw.0 != rw.1 || overlaps(stack_pages) && stack.0 != stack.1 {
            return Err(Failure::argument("output overlaps rw or stack"));
        }
        except(start, end, Permission::Read);
    }
    Ok((config, regions))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hatchery_engine::memory::MemoryMap;

    fn map(config: &MemoryConfig) -> MemoryMap {
        MemoryMap::new(config.ro_size, config.rw_size, config.stack_size, config.auxiliary_size).unwrap()
    }

    #[test]
    fn a_standard_layout_is_the_engines_own() {
        let (config, regions) = layout(
            (0x3_0000, 0x3_2000),
            (0x1_0000, 0x1_1000),
            (0xfeff_0000, 0xfeff_0010),
            (0xfefd_f000, 0xfefe_0000),
        )
        .unwrap();
        let map = map(&config);
        assert_eq!(map.rw_data(), 0x3_0000..0x3_2000);
        assert_eq!(map.heap_base(), 0x3_2000);
        assert_eq!(map.stack(), 0xfefd_f000..0xfefe_0000);
        let open: Vec<_> = regions.iter().filter(|region| region.start < region.end).collect();
        assert_eq!(
            open,
            [
                &Region { start: 0x1_1000, end: 0x2_0000, permission: Permission::None },
                &Region { start: 0xfeff_0000, end: 0xfeff_1000, permission: Permission::Read },
            ]
        );
    }

    #[test]
    fn regions_at_odd_addresses_are_cut_out() {
        let (config, regions) = layout((0x4_5000, 0x4_6001), (0, 0), (0, 0), (0x10_2000, 0x10_3000)).unwrap();
        let map = map(&config);
        assert_eq!(map.rw_data(), 0x4_0000..0x4_7000);
        assert_eq!(map.heap_base(), 0x4_6001);
        assert_eq!(map.stack(), 0x10_2000..0x11_0000);
        assert!(regions.contains(&Region { start: 0x4_0000, end: 0x4_5000, permission: Permission::None }));
        assert!(regions.contains(&Region { start: 0x10_3000, end: 0x11_0000, permission: Permission::None }));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let none = (0, 0);
        let text = |result: Result<_, Failure>| result.map(drop).unwrap_err().text;
        assert!(text(layout((0x3_0000, 0x2_0000), none, none, none)).starts_with("rw: the end"));
        assert!(text(layout((0x1_0000, 0x2_0000), none, none, none)).contains("at the lowest"));
        assert!(text(layout(none, (0, 0x2_0000), none, none)).starts_with("ro: 0x0 to"));
        assert!(text(layout(none, none, none, (0x2_0000, 0xffff_0000))).contains("above 0xfffe0000"));
        assert!(text(layout((0x2_0000, 0x3_0000), none, (0x2_5000, 0x2_6000), none)).contains("overlaps"));
        assert!(layout(none, none, none, none).is_ok());
    }
}
