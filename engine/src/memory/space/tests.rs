//! Memory parked and mounted, in every kind of window.

use super::*;
use crate::memory::{MemoryMap, Pool, Slot, WindowKind};
use crate::program::MemoryConfig;

const RO: u32 = 0x1_0000;
const RW: u32 = 0x3_0000;

fn image(faults_to_host: bool) -> Arc<Image> {
    let config = MemoryConfig {
        ro_data: vec![7; 100],
        ro_size: 4096,
        rw_data: vec![9; 5000],
        rw_size: 0x5000,
        stack_size: 0x2000,
        ..MemoryConfig::default()
    };
    let map = MemoryMap::new(config.ro_size, config.rw_size, config.stack_size, 0).unwrap();
    Arc::new(Image::new(map, &config, u64::MAX, faults_to_host))
}

/// Kinds of windows, and whether they are guarded.
fn kinds() -> impl Iterator<Item = (WindowKind, bool)> {
    let has_guarded = crate::Backend::AVAILABLE.contains(&crate::Backend::Recompiler);
    let guarded = WindowKind::ALL.iter().filter(move |&&kind| has_guarded && kind != WindowKind::Portable);
    WindowKind::ALL.iter().map(|&kind| (kind, false)).chain(guarded.map(|&kind| (kind, true)))
}

/// Runs the test parked, mounted in each kind of window, and mounted after having been parked.
fn in_every_form(faults_to_host: bool, test: impl Fn(&mut AddressSpace, &dyn Fn(&mut AddressSpace))) {
    test(&mut AddressSpace::new(image(faults_to_host)), &|_| {});
    for (kind, guarded) in kinds() {
        let (pool, slot) = (Pool::new(kind, guarded, 4), Arc::new(Slot::new()));
        let mount = |space: &mut AddressSpace| {
            if space.window.is_none() {
                space.mount(pool.acquire(&slot, space.image()).unwrap());
            }
        };
        let mut space = AddressSpace::new(image(faults_to_host));
        mount(&mut space);
        test(&mut space, &mount);
        let mut space = AddressSpace::new(image(faults_to_host));
        mount(&mut space);
        test(&mut space, &|space| {
            let window = space.park();
            pool.release(&slot, window);
            mount(space);
        });
    }
}

fn read<const N: usize>(space: &AddressSpace, address: u32) -> [u8; N] {
    let mut bytes = [0xaa; N];
    space.read(address, &mut bytes).unwrap();
    bytes
}

#[test]
fn the_host_reads_what_it_wrote_and_the_rest_is_the_image() {
    in_every_form(false, |space, step| {
        assert_eq!(read(space, RO + 99), [7, 0]);
        assert_eq!(read(space, RW + 4999), [9, 0]);
        space.write(RW + 4094, &[1, 2, 3, 4]).unwrap();
        step(space);
        assert_eq!(read(space, RW + 4093), [9, 1, 2, 3, 4, 9]);
        space.zero(RW + 4095, 2).unwrap();
        step(space);
        assert_eq!(read(space, RW + 4093), [9, 1, 0, 0, 4, 9]);
        let stack = space.image().map.stack();
        space.write(stack.end - 2, &[5, 6]).unwrap();
        step(space);
        assert_eq!(read(space, stack.end - 3), [0, 5, 6]);
    });
}

#[test]
fn the_host_reads_a_page_where_it_lies() {
    in_every_form(false, |space, disturb| {
        let map = space.image().map;
        let parts = [map.ro_data(), map.rw_data(), map.stack()];
        for address in parts.iter().flat_map(|part| [part.start, part.start + 5, part.end - 1]) {
            for write in [false, true] {
                if write && space.write(address, &[77]).is_err() {
                    continue;
                }
                disturb(space);
                let mut expected = vec![0; (PAGE_SIZE - address % PAGE_SIZE) as usize];
                space.read(address, &mut expected).unwrap();
                assert_eq!(space.page(address).unwrap(), expected, "at {address:#x}");
            }
        }
        assert!(space.page(0).is_err() && space.page(map.ro_data().end).is_err());
    });
}

#[test]
fn host_access_is_all_or_nothing() {
    in_every_form(false, |space, step| {
        let end = RW + 0x5000;
        let error = space.write(end - 1, &[1, 2]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "memory at 0x00034fff (2 bytes) is not accessible: unmapped memory at 0x00035000"
        );
        step(space);
        assert_eq!(read(space, end - 1), [0]);
        let mut buffer = [0xaa; 2];
        assert!(space.read(end - 1, &mut buffer).is_err());
        assert_eq!(buffer, [0xaa; 2]);
        assert!(space.zero(end - 1, 2).is_err());
        let error = space.write(RO, &[1]).unwrap_err();
        assert!(error.to_string().contains("read-only memory at 0x00010000"), "{error}");
        for address in [0, 1, 0xffff, 0xfffe_0000, 0xffff_0000, u32::MAX] {
            assert!(space.read(address, &mut [0]).is_err(), "{address:#x}");
            assert!(space.write(address, &[0]).is_err(), "{address:#x}");
            assert_eq!(space.read(address, &mut []), Ok(()), "nothing can be read anywhere");
            assert_eq!(space.write(address, &[]), Ok(()));
        }
        assert!(space.read(u32::MAX, &mut [0; 2]).is_err());
        assert!(space.zero(RW, u32::MAX).is_err());
    });
}

#[test]
fn what_can_be_accessed_can_be_asked_without_accessing() {
    in_every_form(false, |space, step| {
        step(space);
        let end = RW + 0x5000;
        let allowed = |address, length, permission| space.check_permission(address, length, permission);
        assert_eq!(allowed(RW, 0x5000, Permission::ReadWrite), Ok(()));
        assert_eq!(allowed(RO, 100, Permission::Read), Ok(()));
        assert_eq!(
            allowed(end - 1, 2, Permission::Read).unwrap_err().to_string(),
            "memory at 0x00034fff (2 bytes) is not accessible: unmapped memory at 0x00035000"
        );
        let error = allowed(RO, 1, Permission::ReadWrite).unwrap_err();
        assert!(error.to_string().contains("read-only memory at 0x00010000"), "{error}");
        for length in [1 << 32, u64::MAX] {
            assert!(allowed(RW, length, Permission::Read).is_err(), "{length}");
        }
        assert_eq!(allowed(0, 0, Permission::ReadWrite), Ok(()), "nothing can be accessed anywhere");
        assert_eq!(allowed(0, 1 << 32, Permission::None), Ok(()));
    });
}

#[test]
fn reset_forgets_everything() {
    in_every_form(false, |space, step| {
        space.write(RW, &[1; 9000]).unwrap();
        assert_eq!(space.contents.sbrk(0x3000), Some(RW + 0x8000));
        step(space);
        space.write(RW + 0x7000, &[1]).unwrap();
        step(space);
        space.reset();
        assert_eq!(read(space, RW), [9; 5000]);
        assert_eq!(read(space, RW + 5000), [0; 0x3000]);
        assert!(space.read(RW + 0x7000, &mut [0]).is_err(), "the heap is gone");
        assert_eq!(space.contents.sbrk(0x3000), Some(RW + 0x8000));
        step(space);
        assert_eq!(read(space, RW + 0x7000), [0], "and comes back zero");
    });
}

#[test]
fn a_fork_and_its_origin_do_not_see_each_others_writes() {
    in_every_form(false, |space, step| {
        space.write(RW, &[1, 1]).unwrap();
        let mut fork = space.fork();
        space.write(RW, &[2]).unwrap();
        fork.write(RW + 1, &[3]).unwrap();
        step(space);
        assert_eq!(read(space, RW), [2, 1]);
        assert_eq!(read(&fork, RW), [1, 3]);
    });
}

#[test]
fn protected_pages_keep_their_bytes_and_unmapped_ones_lose_them() {
    in_every_form(true, |space, step| {
        let page = 0x10_0000;
        space.protect(page, 0x2000, Permission::ReadWrite).unwrap();
        space.write(page, &[1, 2]).unwrap();
        step(space);
        space.protect(page, 0x1000, Permission::Read).unwrap();
        assert_eq!(read(space, page), [1, 2]);
        assert!(space.write(page, &[3]).is_err());
        step(space);
        space.protect(page, 0x1000, Permission::None).unwrap();
        assert!(space.read(page, &mut [0]).is_err());
        step(space);
        space.protect(page, 0x1000, Permission::ReadWrite).unwrap();
        assert_eq!(read(space, page), [0, 0]);
        space.protect(RW, 0x1000, Permission::None).unwrap();
        space.protect(RW, 0x1000, Permission::Read).unwrap();
        step(space);
        assert_eq!(read(space, RW), [0, 0], "the image does not shine through");
        assert_eq!(
            space.protect(1, 0x1000, Permission::Read),
            Err(MemoryError::NotPages { address: 1, length: 0x1000 })
        );
        assert!(space.protect(0xf000, 0x1000, Permission::Read).is_err());
        assert!(space.protect(0xffff_f000, 0x2000, Permission::Read).is_err());
        assert!(space.protect(0xffff_f000, 0x1000, Permission::Read).is_ok());
    });
}

#[test]
fn the_heap_grows_to_its_limits_exactly() {
    let map = MemoryMap::new(0, 0x10, 0, 0).unwrap();
    let config = MemoryConfig { rw_size: 0x10, ..MemoryConfig::default() };
    let limited = Image::new(map, &config, 0x3000, false);
    let mut contents = Contents::new(Arc::new(limited));
    let base = map.heap_base();
    assert_eq!(contents.sbrk(0), Some(base));
    assert_eq!(contents.sbrk(0x2ff0), Some(base + 0x2ff0), "up to the limit of three pages");
    assert_eq!(contents.sbrk(1), None);
    assert_eq!(contents.heap_top(), base + 0x2ff0);
    let unlimited = Image::new(map, &config, u64::MAX, false);
    let mut contents = Contents::new(Arc::new(unlimited));
    assert_eq!(contents.sbrk(u64::from(map.max_heap_size()) + 1), None);
    assert_eq!(contents.sbrk(u64::MAX), None);
    assert_eq!(contents.sbrk(map.max_heap_size().into()), Some(base + map.max_heap_size()));
    assert_eq!(contents.sbrk(1), None);
}

#[test]
fn what_a_guest_touches() {
    for (kind, guarded) in kinds() {
        let (pool, slot) = (Pool::new(kind, guarded, 1), Arc::new(Slot::new()));
        let mut space = AddressSpace::new(image(false));
        let mut window = pool.acquire(&slot, space.image()).unwrap();
        any_window!(&mut window, window => {
            let contents = &space.contents;
            assert_eq!(window.load::<4>(RW), None, "nothing is there before it is touched");
            window.touch(contents, RW + 4094, 4, Access::Read).unwrap();
            assert_eq!(window.load::<2>(RW + 4094), Some([9, 9]));
            assert_eq!(window.load::<4>(RW + 4094), None, "crosses a page");
            if !guarded {
                assert!(!window.store::<1>(RW, [1]), "read is not write");
                assert_eq!(window.dirty_pages(None).count(), 0);
            }
            window.touch(contents, RW, 1, Access::Write).unwrap();
            assert!(window.store::<1>(RW, [1]));
            assert_eq!(window.dirty_pages(None).count(), if guarded { 4 } else { 1 }, "several at once");
            let denied = window.touch(contents, RO, 1, Access::Write).unwrap_err();
            assert_eq!(denied, Fault::Denied(Denied { address: RO, permission: Permission::Read }));
            let denied = window.touch(contents, RO + 4094, 4, Access::Read).unwrap_err();
            assert_eq!(denied, Fault::Denied(Denied { address: RO + 4096, permission: Permission::None }));
            let denied = window.touch(contents, u32::MAX - 1, 4, Access::Read).unwrap_err();
            assert_eq!(denied, Fault::Denied(Denied { address: u32::MAX - 1, permission: Permission::None }));
        });
        space.window = Some(window);
        assert_eq!(read(&space, RW), [1, 9]);
        pool.release(&slot, space.park());
        assert_eq!(read(&space, RW), [1, 9]);
    }
}

#[test]
fn what_a_guest_wrote_is_still_there_after_parking() {
    for (kind, guarded) in kinds() {
        let (pool, slot) = (Pool::new(kind, guarded, 1), Arc::new(Slot::new()));
        let mut space = AddressSpace::new(image(false));
        for round in 1..=3u8 {
            space.mount(pool.acquire(&slot, space.image()).unwrap());
            let Some(window) = &mut space.window else { unreachable!() };
            any_window!(window, window => {
                window.touch(&space.contents, RW, 4, Access::Write).unwrap();
                let [first, ..] = window.load::<4>(RW).unwrap();
                assert_eq!(first, if round == 1 { 9 } else { round - 1 });
                window.store::<1>(RW, [round]);
            });
            pool.release(&slot, space.park());
            assert_eq!(read(&space, RW), [round, 9]);
            // Another instance uses the window in between.
            let mut other = AddressSpace::new(Arc::clone(space.image()));
            other.mount(pool.acquire(&slot, space.image()).unwrap());
            let Some(window) = &mut other.window else { unreachable!() };
            any_window!(window, window => {
                window.touch(&other.contents, RW, 4, Access::Read).unwrap();
                assert_eq!(window.load::<4>(RW), Some([9; 4]));
            });
            pool.release(&slot, other.dismount());
            assert_eq!(pool.windows(), (1, 1));
        }
    }
}

/// Reads through the window, as a guest does.
fn guest_read(space: &mut AddressSpace, address: u32, length: usize) -> Result<Vec<u8>, Fault> {
    let AddressSpace { contents, window: Some(window) } = space else { panic!("not mounted") };
    any_window!(window, window => {
        window.touch(contents, address, length, Access::Read)?;
        let mut bytes = vec![0xaa; length];
        window.read_touched(address, &mut bytes);
        Ok(bytes)
    })
}

/// Writes through the window, as a guest does.
fn guest_fill(space: &mut AddressSpace, address: u32, length: usize, value: u8) {
    let AddressSpace { contents, window: Some(window) } = space else { panic!("not mounted") };
    any_window!(window, window => {
        window.touch(contents, address, length, Access::Write).unwrap();
        window.fill_touched(address, length, value);
    });
}

#[test]
fn a_window_is_handed_on_clean() {
    // Many pages, but for Miri, which takes its time.
    const HEAP: usize = if cfg!(miri) { 0x2000 } else { 0x10_0000 };
    let with_data = image(false);
    let config = MemoryConfig { rw_size: 0x5000, ..MemoryConfig::default() };
    let map = MemoryMap::new(0x1000, config.rw_size, 0, 0).unwrap();
    let without_data = Arc::new(Image::new(map, &config, u64::MAX, false));
    for (kind, guarded) in kinds() {
        let (pool, slot) = (Pool::new(kind, guarded, 1), Arc::new(Slot::new()));
        // Each once for an instance that only reads, and so leaves clean pages behind, and twice for one that writes.
        for (image, data) in [(&with_data, 9), (&without_data, 0), (&with_data, 9), (&without_data, 0)] {
            for writes in [false, true, true] {
                let mut space = AddressSpace::new(Arc::clone(image));
                space.mount(pool.acquire(&slot, image).unwrap());
                assert_eq!(guest_read(&mut space, RW, 5000).unwrap(), [data; 5000]);
                assert!(guest_read(&mut space, RW + 0x5000, 1).is_err(), "the heap of others is not there");
                space.contents.sbrk(HEAP as u64).unwrap();
                let rest = guest_read(&mut space, RW + 5000, HEAP).unwrap();
                assert!(rest.iter().all(|&byte| byte == 0));
                if writes {
                    guest_fill(&mut space, RW, HEAP, 0x55);
                    assert_eq!(read(&space, RW), [0x55; 5000]);
                }
                pool.release(&slot, space.dismount());
            }
        }
        assert_eq!(pool.windows(), (1, 1));
    }
}

#[test]
fn a_window_in_which_pages_far_apart_were_touched_is_handed_on_clean() {
    // A guarded window gives a guest more pages than it asks for, and keeps those that nobody touched.
    const HEAP: u32 = if cfg!(miri) { 0x1_0000 } else { 0x200_0000 };
    const TURNS: u32 = if cfg!(miri) { 3 } else { 24 };
    let images = [0x5000, HEAP].map(|rw_size| {
        let config = MemoryConfig { rw_data: vec![9; 5000], rw_size, ..MemoryConfig::default() };
        let map = MemoryMap::new(0x1000, config.rw_size, 0, 0).unwrap();
        Arc::new(Image::new(map, &config, u64::MAX, false))
    });
    for (kind, guarded) in kinds() {
        let (pool, slot) = (Pool::new(kind, guarded, 1), Arc::new(Slot::new()));
        let mut touched_before = Vec::new();
        for turn in 0..TURNS {
            // Sometimes the data is large, sometimes the heap is.
            let image = &images[(turn / 6 % 2) as usize];
            let mut space = AddressSpace::new(Arc::clone(image));
            space.mount(pool.acquire(&slot, image).unwrap());
            let rw_end = image.map.rw_end(space.contents.heap_top());
            assert!(guest_read(&mut space, rw_end, 1).is_err(), "the heap of others is not there");
            let end =
                if turn % 3 == 2 { rw_end } else { rw_end.max(space.contents.sbrk(HEAP.into()).unwrap()) };
            let (is_new, is_zeroed) = (turn % 6 == 0, turn % 3 == 0);
            if is_zeroed {
                // Then the page is zero, and not as in the image; in a new window without having been touched.
                for permission in [Permission::None, Permission::ReadWrite] {
                    space.protect(RW, PAGE_SIZE.into(), permission).unwrap();
                }
            }
            let first_bytes = if is_zeroed { [0; 8] } else { [9; 8] };
            let distance = PAGE_SIZE * (turn % 5 * 7 + 1);
            // One of the first pages, which are granted together.
            let touched: Vec<u32> =
                (RW + (1 + turn % 3) * PAGE_SIZE..end).step_by(distance as usize).take(1500).collect();
            let seen_before = touched_before.iter().chain(&touched).copied().filter(|&address| address < end);
            // To look at the first page is to touch it.
            for address in seen_before.chain((!is_new).then_some(RW)) {
                let expected = match address / PAGE_SIZE - RW / PAGE_SIZE {
                    0 => first_bytes,
                    1 => [9; 8],
                    _ => [0; 8],
                };
                let found = guest_read(&mut space, address, 8).unwrap();
                assert_eq!(found, expected, "{kind:?}, turn {turn}: at {address:#x}");
            }
            for &address in &touched {
                guest_fill(&mut space, address, 8, 0x55);
            }
            if turn % 5 == 4 {
                space.reset();
                assert_eq!(guest_read(&mut space, RW, 8).unwrap(), [9; 8], "{kind:?}, turn {turn}");
                assert!(guest_read(&mut space, rw_end, 1).is_err());
            }
            pool.release(&slot, space.dismount());
            touched_before = touched;
        }
    }
}

#[test]
fn a_window_forgets_the_pages_of_a_parked_instance() {
    for (kind, guarded) in kinds() {
        let (pool, slot) = (Pool::new(kind, guarded, 1), Arc::new(Slot::new()));
        let image = image(true);
        let mut parked = AddressSpace::new(Arc::clone(&image));
        parked.mount(pool.acquire(&slot, &image).unwrap());
        guest_fill(&mut parked, RW, 1, 0x55);
        for _ in 0..2 {
            // The second time the page comes back from the instance and is only read.
            assert_eq!(guest_read(&mut parked, RW, 2).unwrap(), [0x55, 9]);
            pool.release(&slot, parked.park());
            let mut other = AddressSpace::new(Arc::clone(&image));
            other.mount(pool.acquire(&slot, &image).unwrap());
            assert_eq!(guest_read(&mut other, RW, 2).unwrap(), [9, 9]);
            pool.release(&slot, other.dismount());
            parked.mount(pool.acquire(&slot, &image).unwrap());
        }
    }
}

#[test]
fn pages_that_the_host_took_and_gave_back_are_zero_to_the_guest_in_every_window() {
    for (kind, guarded) in kinds() {
        let (pool, slot) = (Pool::new(kind, guarded, 1), Arc::new(Slot::new()));
        let image = image(true);
        let mut other = AddressSpace::new(Arc::clone(&image));
        other.mount(pool.acquire(&slot, &image).unwrap());
        assert_eq!(guest_read(&mut other, RW, 1).unwrap(), [9]);
        pool.release(&slot, other.dismount());
        let mut space = AddressSpace::new(Arc::clone(&image));
        space.protect(RW, 0x1000, Permission::None).unwrap();
        space.mount(pool.acquire(&slot, &image).unwrap());
        assert!(guest_read(&mut space, RW, 1).is_err());
        space.protect(RW, 0x1000, Permission::Read).unwrap();
        assert_eq!(guest_read(&mut space, RW, 1).unwrap(), [0]);
    }
}

#[test]
fn a_reset_takes_from_the_guest_what_it_could_access() {
    for (kind, guarded) in kinds() {
        let (pool, slot) = (Pool::new(kind, guarded, 1), Arc::new(Slot::new()));
        let mut space = AddressSpace::new(image(true));
        space.mount(pool.acquire(&slot, space.image()).unwrap());
        let heap = RW + 0x5000;
        space.contents.sbrk(0x1000).unwrap();
        space.protect(0x20_0000, 0x1000, Permission::Read).unwrap();
        for address in [heap, 0x20_0000] {
            assert_eq!(guest_read(&mut space, address, 1).unwrap(), [0]);
        }
        space.reset();
        for address in [heap, 0x20_0000] {
            let Some(window) = &space.window else { unreachable!() };
            assert_eq!(any_window!(window, window => window.load::<1>(address)), None, "not at once");
            assert!(guest_read(&mut space, address, 1).is_err(), "not at all");
        }
    }
}

#[test]
fn what_the_host_takes_the_guest_loses_at_once() {
    for (kind, guarded) in kinds() {
        let (pool, slot) = (Pool::new(kind, guarded, 1), Arc::new(Slot::new()));
        let mut space = AddressSpace::new(image(true));
        space.mount(pool.acquire(&slot, space.image()).unwrap());
        let at_once = |space: &mut AddressSpace| {
            let Some(window) = &mut space.window else { unreachable!() };
            any_window!(window, window => (window.load::<1>(RW).is_some(), window.store(RW, [1])))
        };
        guest_fill(&mut space, RW, 1, 1);
        assert_eq!(at_once(&mut space), (true, true));
        space.protect(RW, 0x1000, Permission::Read).unwrap();
        assert_eq!(at_once(&mut space), (false, false));
        assert_eq!(guest_read(&mut space, RW, 1).unwrap(), [1]);
        assert_eq!(at_once(&mut space), (true, false));
        space.protect(RW, 0x1000, Permission::None).unwrap();
        assert_eq!(at_once(&mut space), (false, false));
        assert!(guest_read(&mut space, RW, 1).is_err());
    }
}

#[test]
fn what_the_host_writes_is_in_the_window_unless_it_is_much() {
    let map = MemoryMap::new(0, 0x4_0000, 0, 0).unwrap();
    let config = MemoryConfig { rw_data: vec![9; 5000], rw_size: 0x4_0000, ..MemoryConfig::default() };
    let image = Arc::new(Image::new(map, &config, u64::MAX, false));
    for (kind, guarded) in kinds() {
        let (pool, slot) = (Pool::new(kind, guarded, 1), Arc::new(Slot::new()));
        let start = image.map.rw_data().start;
        let mut space = AddressSpace::new(Arc::clone(&image));
        let mut source = AddressSpace::new(Arc::clone(&image));
        source.write(start, &vec![3; MOST_BYTES_TO_BRING_IN + 2]).unwrap();
        // With a window or without: bytes across a page, and bytes of another instance.
        let few: &dyn Fn(&mut AddressSpace) = &|space| {
            space.write(start + 4094, &[1, 2, 3, 4]).unwrap();
            space.copy_from(start + 0x2_0000, &source, start, 5).unwrap();
        };
        let much: &dyn Fn(&mut AddressSpace) = &|space| {
            space.write(start + 0x2_0001, &vec![7; MOST_BYTES_TO_BRING_IN + 1]).unwrap();
            space.copy_from(start + 0x2_0003, &source, start, MOST_BYTES_TO_BRING_IN as u32 + 1).unwrap();
        };
        for (writes, are_few) in [(few, true), (much, false)] {
            let mut parked = AddressSpace::new(Arc::clone(&image));
            writes(&mut parked);
            space.mount(pool.acquire(&slot, &image).unwrap());
            writes(&mut space);
            assert_eq!(space.contents.pages.is_empty(), are_few, "{kind:?}, guarded {guarded}");
            for address in [start + 4095, start + 4096, start + 0x2_0004] {
                let is_there = space.storable(address, 1).is_some();
                assert!(is_there == are_few || !are_few && guarded, "{kind:?}, guarded {guarded}");
            }
            assert_eq!(space.different_page(&mut parked), None, "{kind:?}, guarded {guarded}");
            pool.release(&slot, space.park());
            assert_eq!(space.different_page(&mut parked), None, "{kind:?}, guarded {guarded}, parked");
            space.reset();
        }
    }
}

#[test]
fn zeroing_what_is_zero_takes_no_memory() {
    // Far more than is there, but for Miri, which looks at each byte.
    const SIZE: u32 = if cfg!(miri) { 0x21_0000 } else { 0x1000_0000 };
    let config = MemoryConfig { rw_data: vec![9; 5000], rw_size: SIZE, ..MemoryConfig::default() };
    let map = MemoryMap::new(0x1000, config.rw_size, 0, 0).unwrap();
    let image = Arc::new(Image::new(map, &config, u64::MAX, false));
    for (kind, guarded) in kinds() {
        let (pool, slot) = (Pool::new(kind, guarded, 1), Arc::new(Slot::new()));
        let mut space = AddressSpace::new(Arc::clone(&image));
        space.mount(pool.acquire(&slot, &image).unwrap());
        guest_fill(&mut space, RW + 0x10_0000, 1, 1);
        pool.release(&slot, space.park());
        space.mount(pool.acquire(&slot, &image).unwrap());
        guest_fill(&mut space, RW + 0x20_0000, 1, 1);
        space.zero(RW + 1, SIZE - 1).unwrap();
        assert_eq!(space.contents.pages.len(), 3, "two with data, one that was written");
        pool.release(&slot, space.park());
        assert_eq!(space.contents.pages.len(), 3, "what was written in the window is as in the image again");
        assert_eq!(read(&space, RW), [9, 0]);
        let mut bytes = vec![1; SIZE as usize - 1];
        space.read(RW + 1, &mut bytes).unwrap();
        assert!(bytes.iter().all(|&byte| byte == 0));
    }
}
