//! Each operation: what it does, and what it refuses.

use crate::common::*;
use codec::Encode;
use hatchery_capabilities::*;

/// Calls an instance with code, which must reply, and gives the slots it has then.
fn slots_after(world: &mut World, code: Code, slots: &[(u8, CapHash)]) -> CNode {
    let instance = world.instance(code.reply().image(), slots);
    let (_, after) = world.halts(instance);
    world.slots(after)
}

/// Calls an instance with code, which must fault, and says why.
fn refused(world: &mut World, code: Code, slots: &[(u8, CapHash)]) -> String {
    let instance = world.instance(code.reply().image(), slots);
    world.faults(instance)
}

fn held(node: &CNode) -> Vec<(u16, CapHash)> {
    node.iter().map(|(slot, cap)| (slot, cap.hash().unwrap())).collect()
}

#[test]
fn copy_move_drop_and_swap() {
    each_backend(|world| {
        let [a, b] = [b"a", b"b"].map(|bytes| world.data(bytes));
        let slots = [(2, a), (3, b)];
        let mut after = |code: Code| held(&slots_after(world, code, &slots));
        let op = |operation, args: &[u64]| Code::new().op(operation, args);
        assert_eq!(after(op(Operation::Copy, &[2, 7])), [(2, a), (3, b), (7, a)]);
        assert_eq!(after(op(Operation::Copy, &[2, 3])), [(2, a), (3, a)], "what lay there is gone");
        assert_eq!(after(op(Operation::Copy, &[2, 2])), [(2, a), (3, b)]);
        assert_eq!(after(op(Operation::Move, &[2, 7])), [(3, b), (7, a)]);
        assert_eq!(after(op(Operation::Move, &[2, 3])), [(3, a)]);
        assert_eq!(after(op(Operation::Move, &[2, 2])), [(2, a), (3, b)]);
        assert_eq!(after(op(Operation::Drop, &[2])), [(3, b)]);
        assert_eq!(after(op(Operation::Drop, &[4])), [(2, a), (3, b)], "an empty slot can be emptied");
        assert_eq!(after(op(Operation::Swap, &[2, 3])), [(2, b), (3, a)]);
        assert_eq!(after(op(Operation::Swap, &[2, 4])), [(3, b), (4, a)]);
        assert_eq!(after(op(Operation::Swap, &[4, 5])), [(2, a), (3, b)]);
    });
}

#[test]
fn empty_sources_and_what_is_no_path_trap() {
    each_backend(|world| {
        let op = |operation, args: &[u64]| Code::new().op(operation, args);
        assert_eq!(
            refused(world, op(Operation::Copy, &[2, 7]), &[]),
            "operation 1 at pc 0x14: slot 2 is empty"
        );
        assert_eq!(
            refused(world, op(Operation::Move, &[2, 7]), &[]),
            "operation 2 at pc 0x14: slot 2 is empty"
        );
        let error = refused(world, op(Operation::Drop, &[0x1_0005]), &[]);
        assert_eq!(error, "operation 3 at pc 0xa: 0x10005 is no path: there is something behind its end");
        let data = world.data(b"x");
        let error = refused(world, op(Operation::Drop, &[path(&[2, 0])]), &[(2, data)]);
        assert_eq!(error, "operation 3 at pc 0xa: step 0 of the path 2/0 does not lead to a node");
    });
}

#[test]
fn nodes_are_minted_in_every_size() {
    each_backend(|world| {
        for size_log in [0, 8, 16] {
            let after = slots_after(world, Code::new().op(Operation::MintCNode, &[5, size_log]), &[]);
            let expected = Cap::CNode(CNode::new(size_log as u8).unwrap()).hash().unwrap();
            assert_eq!(held(&after), [(5, expected)]);
        }
        for size_log in [17, 256, u64::MAX] {
            let error = refused(world, Code::new().op(Operation::MintCNode, &[5, size_log]), &[]);
            assert!(error.ends_with("at most 2^16 are possible"), "{error}");
        }
    });
}

/// Operations reach into nodes, up to eight steps deep.
#[test]
fn defect_10_operations_take_paths() {
    each_backend(|world| {
        let data = world.data(b"deep");
        // Eight nodes in each other, from slot 5 on; the data goes into the innermost.
        let mut code = Code::new();
        let mut steps = vec![5];
        for _ in 0..7 {
            code = code.op(Operation::MintCNode, &[path(&steps), 2]);
            steps.push(3);
        }
        let code = code.op(Operation::Move, &[2, path(&steps)]);
        let after = slots_after(world, code.clone(), &[(2, data)]);
        let mut node = after;
        for &step in &steps {
            let hash = node.get(step).and_then(CapHashOrRef::hash).unwrap();
            if hash == data {
                assert_eq!(step, 3);
                break;
            }
            node = world.cache.cnode(hash).unwrap();
        }
        // And back out of it.
        let back = code.op(Operation::Copy, &[path(&steps), 9]).op(Operation::Drop, &[5]);
        assert_eq!(held(&slots_after(world, back, &[(2, data)])), [(9, data)]);
    });
}

#[test]
fn copies_of_a_node_diverge() {
    each_backend(|world| {
        let [a, b] = [b"a", b"b"].map(|bytes| world.data(bytes));
        let node = world.cnode(2, &[(0, a)]);
        let code = Code::new()
            .op(Operation::Copy, &[5, 6])
            .op(Operation::Copy, &[2, path(&[6, 1])])
            .op(Operation::Copy, &[6, 7])
            .op(Operation::Drop, &[path(&[6, 0])]);
        let after = slots_after(world, code, &[(2, b), (5, node)]);
        let hashes = [&[(0, a)][..], &[(1, b)], &[(0, a), (1, b)]].map(|slots| world.cnode(2, slots));
        assert_eq!(held(&after), [(2, b), (5, hashes[0]), (6, hashes[1]), (7, hashes[2])]);
    });
}

#[test]
fn a_node_goes_into_itself_only_as_a_copy() {
    each_backend(|world| {
        let node = world.cnode(1, &[]);
        let inside = path(&[5, 1]);
        for (operation, args) in
            [(Operation::Move, [5, inside]), (Operation::Swap, [5, inside]), (Operation::Swap, [inside, 5])]
        {
            let error = refused(world, Code::new().op(operation, &args), &[(5, node)]);
            assert!(error.ends_with("5/1 lies in what 5 holds: it cannot be moved there"), "{error}");
        }
        let after = slots_after(world, Code::new().op(Operation::Copy, &[5, inside]), &[(5, node)]);
        let outer = world.cnode(1, &[(1, node)]);
        assert_eq!(held(&after), [(5, outer)]);
        // Out of itself it can go.
        let after = slots_after(world, Code::new().op(Operation::Move, &[inside, 5]), &[(5, outer)]);
        assert_eq!(held(&after), [(5, node)]);
    });
}

/// An image with slot 4 pinned to `cap`.
fn pinning(code: Code, cap: CapHash) -> Image {
    Image { pinned: vec![SlotContent { slot: 4, cap }], ..code.reply().image() }
}

#[test]
fn defect_08_pinned_slots_are_neither_written_nor_copied() {
    each_backend(|world| {
        let data = world.data(b"pinned");
        let node = world.cnode(2, &[(1, data)]);
        let quota = world.quota(1, 1 << 20);
        let pinned = path(&[4, 1]);
        let mut refusals = Vec::new();
        for (operation, args) in [
            (Operation::Copy, vec![4, 7]),
            (Operation::Copy, vec![pinned, 7]),
            (Operation::Copy, vec![2, 4]),
            (Operation::Copy, vec![2, pinned]),
            (Operation::Move, vec![4, 7]),
            (Operation::Move, vec![2, 4]),
            (Operation::Move, vec![pinned, 7]),
            (Operation::Drop, vec![4]),
            (Operation::Drop, vec![pinned]),
            (Operation::Swap, vec![2, 4]),
            (Operation::Swap, vec![4, 2]),
            (Operation::Swap, vec![pinned, 2]),
            (Operation::MintCNode, vec![4, 2]),
            (Operation::MintCNode, vec![path(&[4, 2]), 2]),
            (Operation::TypeOf, vec![3, 4]),
            (Operation::MintData, vec![u64::from(DATA), 1, 1, 4]),
            (Operation::Open, vec![1, 4]),
            (Operation::DeriveSpawn, vec![6, 8, 4]),
            (Operation::DeriveSpawn, vec![6, 4, 9]),
            (Operation::MakeImage, vec![2, u64::MAX, u64::MAX, 4]),
            (Operation::MakeImage, vec![2, 4, u64::MAX, 9]),
        ] {
            let image = with_memory(pinning(Code::new().op(operation, &args), node));
            let image = Image { quota_slots: vec![1], ..image };
            let other = world.instance(Code::new().image(), &[]);
            let some_image = world.image(Code::new().image());
            let prepared = world.cnode(8, &[]);
            let bytes = Code::new().image().encode();
            let source = world.data(&bytes);
            let slots = [(1, quota), (2, source), (3, other), (6, some_image), (8, prepared)];
            let instance = world.instance(image, &slots);
            let refusal = world.faults(instance);
            assert!(refusal.contains("is pinned"), "{operation:?} {args:?}: {refusal}");
            refusals.push(refusal);
        }
        refusals
    });
}

#[test]
fn what_is_pinned_can_be_used() {
    each_backend(|world| {
        let data = world.data(b"pinned");
        let read = Code::new().op(Operation::ReadData, &[4, DATA.into(), 6]).load(Reg::A0, DATA);
        let instance = world.instance(with_memory(pinning(read, data)), &[]);
        assert_eq!(world.halts(instance).0, u64::from_le_bytes(*b"pinned\0\0"));
    });
}

/// Programs make such images with MAKE_IMAGE: it must not be an error of the host to enter them.
#[test]
fn what_is_no_data_shows_zeros_also_where_an_image_puts_it_itself() {
    each_backend(|world| {
        let node = world.cnode(2, &[]);
        for (start, pinned) in [(0x1_0000, true), (DATA, false)] {
            let mut image = Code::new().load(Reg::A0, start).reply().image();
            image.mappings = vec![Mapping { start, size: 0x1000, source: SlotPath::slot(4) }];
            let content = vec![SlotContent { slot: 4, cap: node }];
            *(if pinned { &mut image.pinned } else { &mut image.initial }) = content;
            let callee = world.instance(image, &[]);
            assert_eq!(world.halts(callee).0, 0);
            let code = Code::new().op(Operation::Call, &[5, 0]).copy(Reg::A0, Reg::A1).reply();
            let caller = world.instance(code.image(), &[(5, callee)]);
            assert_eq!(world.halts(caller).0, CallStatus::Halted as u64);
        }
    });
}

#[test]
fn types_are_compared() {
    each_backend(|world| {
        let image = Code::new().image();
        let node = world.cnode(8, &[]);
        let image_hash = world.image(image.clone());
        let twin = world.instance(image, &[]);
        let other = world.instance(Code::new().fallthrough().image(), &[]);
        let slots = [(2, twin), (3, other), (4, image_hash), (5, node)];
        let same = |a, b| Code::new().op(Operation::SameType, &[a, b]).reply().image();
        let mut answer = |image| {
            let instance = world.instance(image, &slots);
            world.halts(instance).0
        };
        assert_eq!(answer(same(2, 2)), 1);
        assert_eq!(answer(same(2, 3)), 0);
        // A type is of the type that it is of.
        let of = Code::new().op(Operation::TypeOf, &[2, 6]).op(Operation::SameType, &[6, 2]).reply().image();
        assert_eq!(answer(of), 1);
        for (a, b) in [(2, 4), (5, 2), (2, 7)] {
            assert!(
                refused(world, Code::new().op(Operation::SameType, &[a, b]), &slots)
                    .starts_with("operation 20")
            );
        }
        let chain = world.cache.instance(twin).unwrap().image_hash_chain;
        let after = slots_after(world, Code::new().op(Operation::TypeOf, &[2, 6]), &slots);
        let expected = Cap::Type(TypeCap { image_hash_chain: chain }).hash().unwrap();
        assert_eq!(after.get(6), Some(&expected.into()));
    });
}

#[test]
fn data_are_read_into_memory() {
    each_backend(|world| {
        let data = world.data(b"12345678");
        let image = |args: &[u64]| with_memory(Code::new().op(Operation::ReadData, args).reply().image());
        let mut read = |args: &[u64]| {
            let instance = world.instance(image(args), &[(2, data)]);
            let (count, after) = world.halts(instance);
            (count, world.cache.instance(after).unwrap().rw_overlays)
        };
        let (count, overlays) = read(&[2, DATA.into(), 5]);
        assert_eq!(
            (count, overlays[0].start, &overlays[0].bytes.bytes()[..8]),
            (5, DATA, &b"12345\0\0\0"[..])
        );
        let (count, overlays) = read(&[2, u64::from(DATA) + 100, u64::MAX]);
        assert_eq!((count, overlays.len()), (4096, 1), "the data end with their page");
        assert_eq!(&overlays[0].bytes.bytes()[100..108], b"12345678");
        assert_eq!(read(&[2, u64::from(DATA) + 0x1fff, 1]).1[0].bytes.bytes()[0xfff], b'1');
        for (args, error) in [
            ([2, u64::from(DATA) + 0x1fff, 2], "memory at 0x00021fff (2 bytes) is not accessible"),
            ([2, 1 << 32, 1], "the address 0x100000000 exceeds 32 bits"),
            ([3, DATA.into(), 1], "slot 3 is empty"),
        ] {
            let instance = world.instance(image(&args), &[(2, data)]);
            let found = world.faults(instance);
            assert!(found.contains(error), "{found}");
        }
    });
}

#[test]
fn data_are_minted_at_the_expense_of_a_quota() {
    each_backend(|world| {
        let quota = world.quota(7, 3 * 4096);
        let image = |args: &[u64]| {
            let code =
                Code::new().set(Reg::S0, 0x1234).store(DATA, Reg::S0).op(Operation::MintData, args).reply();
            Image { quota_slots: vec![1], ..with_memory(code.image()) }
        };
        let instance = world.instance(image(&[DATA.into(), 3, 7, 5]), &[(1, quota)]);
        let (_, after) = world.halts(instance);
        let expected = world.data(&[0x34, 0x12, 0]);
        assert_eq!(world.slot(after, 5), Some(expected));
        assert_eq!(world.vm.assist().storage_quota(7), 2 * 4096, "whole pages are charged");
        let instance = world.instance(image(&[DATA.into(), 0, 7, 5]), &[(1, quota)]);
        world.halts(instance);
        assert_eq!(world.vm.assist().storage_quota(7), 2 * 4096, "nothing costs nothing");
        for (args, slots, error) in [
            ([DATA.into(), 0x2000, 7, 5], &[(1, quota)][..], ""),
            ([DATA.into(), 1, 7, 5], &[(1, quota)], "the quota 7 has 0 bytes left, 4096 are needed"),
            ([DATA.into(), 1, 7, 5], &[(2, quota)], "there is no quota 7 in the quota slots"),
            ([DATA.into(), 1, 8, 5], &[(1, quota)], "there is no quota 8 in the quota slots"),
            ([DATA.into(), 0x2001, 7, 5], &[(1, quota)], "is not accessible"),
            ([DATA.into(), 1 << 40, 7, 5], &[(1, quota)], "1099511627776 bytes: data have at most 16777216"),
            ([DATA.into(), 1, 7, path(&[3, 1])], &[(1, quota)], "does not lead to a node"),
        ] {
            let instance = world.instance(image(&args), slots);
            if error.is_empty() {
                world.halts(instance);
            } else {
                let found = world.faults(instance);
                assert!(found.contains(error), "{found}");
            }
            assert_eq!(world.vm.assist().storage_quota(7), 0);
        }
    });
}

#[test]
fn files_are_saved_and_opened_by_their_owner() {
    each_backend(|world| {
        let quota = world.quota(7, 2 * 4096);
        let data = world.data(b"file");
        let code = Code::new().op(Operation::Save, &[2, 7]).copy(Reg::S0, Reg::A0);
        let code = code.set(Reg::A1, 5).ecalli(Operation::Open.number()).copy(Reg::A0, Reg::S0).reply();
        let image = Image { quota_slots: vec![1], ..code.image() };
        let saver = world.instance(image, &[(1, quota), (2, data)]);
        let (file, after) = world.halts(saver);
        assert_eq!((file, world.slot(after, 5)), (1, Some(data)));
        assert_eq!(world.halts(after).0, 2, "another file");
        assert_eq!(world.vm.assist().storage_quota(7), 0);
        assert!(world.faults(after).contains("the quota 7 has 0 bytes left"));
        // Who is of another type has other files.
        assert!(
            refused(world, Code::new().op(Operation::Open, &[1, 5]), &[])
                .ends_with("there is no file 1 of this owner")
        );
    });
}

#[test]
fn instances_are_spawned_from_images_and_prepared_nodes() {
    each_backend(|world| {
        let [data, pinned, initial] = [b"d", b"p", b"i"].map(|bytes| world.data(bytes));
        let child = Code::new().op(Operation::Copy, &[2, 9]).reply_with(5).image();
        let child = Image {
            pinned: vec![SlotContent { slot: 4, cap: pinned }],
            initial: vec![SlotContent { slot: 5, cap: initial }, SlotContent { slot: 6, cap: initial }],
            ..child
        };
        let child = world.image(child);
        let prepared = world.cnode(8, &[(2, data), (6, data)]);
        let code = Code::new().op(Operation::DeriveSpawn, &[2, 3, 5]).op(Operation::Call, &[5, 0]).reply();
        let parent = world.instance(code.clone().image(), &[(2, child), (3, prepared)]);
        let (value, after) = world.halts(parent);
        assert_eq!((value, world.slot(after, 3)), (5, None), "the node is used up");
        let spawned = world.slot(after, 5).unwrap();
        let slots = held(&world.slots(spawned));
        assert_eq!(
            slots,
            [(2, data), (4, pinned), (5, initial), (6, data), (9, data)],
            "initial slots do not overwrite"
        );
        let [parent, spawned] = [parent, spawned].map(|hash| world.cache.instance(hash).unwrap());
        assert_eq!(spawned.image_hash_chain, extended_chain(parent.image_hash_chain, child));
        assert!(spawned.is_derived_from(parent.image_hash_chain));

        let taken = world.cnode(8, &[(4, data)]);
        let small = world.cnode(7, &[]);
        for (node, error) in [
            (taken, "slot 4, which the image pins, is taken"),
            (small, "slot 3 does not hold what it has to: a node of 256 slots"),
            (data, "slot 3 does not hold what it has to: a node"),
            (prepared, ""),
        ] {
            let parent = world.instance(code.clone().image(), &[(2, child), (3, node)]);
            match error {
                "" => assert_eq!(world.halts(parent).0, 5),
                _ => assert!(world.faults(parent).ends_with(error)),
            }
        }
    });
}

#[test]
fn defect_02_make_image_makes_images_and_validates_them() {
    each_backend(|world| {
        let data = world.data(b"pinned");
        let made = Code::new().reply_with(77).image();
        let pins = world.cnode(8, &[(4, data)]);
        let prepared = world.cnode(8, &[]);
        let code = |pins: u64| {
            Code::new()
                .op(Operation::MakeImage, &[2, pins, u64::MAX, 5])
                .op(Operation::DeriveSpawn, &[5, 3, 6])
                .op(Operation::Call, &[6, 0])
                .reply()
                .image()
        };
        let source = world.data(&made.encode());
        let slots = [(2, source), (3, prepared), (7, pins)];
        let maker = world.instance(code(7), &slots);
        let (value, after) = world.halts(maker);
        assert_eq!(value, 77);
        let expected = Image { pinned: vec![SlotContent { slot: 4, cap: data }], ..made.clone() };
        assert_eq!(world.slot(after, 5), Some(Cap::Image(expected).hash().unwrap()));
        assert_eq!(world.slot(after, 7), Some(pins), "the node stays");

        // Authority comes from nodes that the maker has, never from a hash in bytes.
        let forged = Image { initial: vec![SlotContent { slot: 9, cap: data }], ..made.clone() };
        let invalid_code = Image { code: vec![255], bitmask: vec![1], ..made.clone() };
        let invalid_endpoint = Image { endpoints: vec![Endpoint::at(u32::MAX)], ..made };
        for (bytes, error) in [
            (forged.encode(), "it names capabilities by hash"),
            (invalid_code.encode(), "invalid instruction at pc 0x0"),
            (invalid_endpoint.encode(), "endpoint 0: its entry 0xffffffff is behind the code"),
            (vec![9; 100], "not an image"),
            ([Code::new().image().encode(), vec![1]].concat(), "there is something behind its end"),
        ] {
            let source = world.data(&bytes);
            let maker = world.instance(code(u64::MAX), &[(2, source), (3, prepared)]);
            let found = world.faults(maker);
            assert!(found.contains(error), "{found}");
        }
    });
}

#[test]
fn defect_07_set_image_swaps_pinned_slots_and_remaps_memory() {
    each_backend(|world| {
        let [old_pin, new_pin, kept] = [b"o", b"n", b"k"].map(|bytes| world.data(bytes));
        let new_data = world.data(&[7; 16]);
        // Both images begin with the same code, so that the new one goes on behind SET_IMAGE.
        let begin = Code::new().set(Reg::S0, 0x55).store(DATA, Reg::S0).op(Operation::SetImage, &[2]);
        let new =
            begin.clone().load(Reg::A0, DATA).load(Reg::A1, ASIDE).sum(Reg::A0, Reg::A0, Reg::A1).reply();
        let mut new = with_memory(new.image());
        // What was nowhere before shows its source, what could be written before stays.
        new.initial = vec![SlotContent { slot: ASIDE_SLOT, cap: new_data }];
        new.pinned = vec![SlotContent { slot: 11, cap: new_pin }];
        let new_hash = world.image(new);
        let mut old = with_memory(begin.reply_with(0).image());
        old.mappings.remove(1);
        old.pinned = vec![SlotContent { slot: 10, cap: old_pin }];
        let instance = world.instance(old.clone(), &[(2, new_hash), (3, kept)]);
        let (value, after) = world.halts(instance);
        assert_eq!(value, 0x0707_0707_0707_0707 + 0x55);
        assert_eq!(
            held(&world.slots(after)),
            [(2, new_hash), (3, kept), (11, new_pin), (ASIDE_SLOT.into(), new_data)]
        );
        let [before, after] = [instance, after].map(|hash| world.cache.instance(hash).unwrap());
        assert_eq!(after.image_hash, new_hash);
        assert_eq!(after.image_hash_chain, extended_chain(before.image_hash_chain, new_hash));
        assert_eq!(after.mem_size, 0xfffe_0000);
        // A slot that the new image pins must be empty.
        let instance = world.instance(old, &[(2, new_hash), (11, kept)]);
        assert!(world.faults(instance).ends_with("slot 11, which the image pins, is taken"));
    });
}

#[test]
fn gas_behind_set_image_is_that_of_the_new_meters() {
    each_backend(|world| {
        let begin = Code::new().op(Operation::SetImage, &[2]);
        let work = |code: Code| (0..200).fold(code, |code, _| code.fallthrough()).reply();
        let new = Image { gas_slots: vec![8], ..work(begin.clone()).image() };
        let programs = program_gas(&new);
        let new = world.image(new);
        let old = Image { gas_slots: vec![7], ..begin.reply().image() };
        let [first, second] = [world.meter(1, 1_000_000), world.meter(2, GAS)];
        let programs = programs + program_gas(&old);
        let instance = world.instance(old, &[(2, new), (7, first), (8, second)]);
        let CallResult::Halt { gas_used, .. } = world.call_with(instance, [0; 4], 0) else { panic!() };
        let [left, others] = [1, 2].map(|meter| world.vm.assist().gas_meter(meter));
        let before = 1_000_000 - left - programs;
        let Costs { operation, set_image, .. } = Costs::DEFAULT;
        let block = before.checked_sub(operation + set_image);
        assert!(block.is_some_and(|block| (1..400).contains(&block)), "{before} before, and in, SET_IMAGE");
        assert_eq!(GAS - others, gas_used - before - programs);
        gas_used
    });
}

#[test]
fn unknown_operations_trap_or_go_to_the_embedder() {
    each_backend(|world| {
        for number in (6..16).chain([27, 63, 64, 1000, u32::MAX]) {
            let error = refused(world, Code::new().ecalli(number), &[]);
            let expected =
                if number < 16 { "there is no such operation" } else { "the embedder does not do this" };
            assert!(
                error.starts_with(&format!("operation {number} at")) && error.ends_with(expected),
                "{error}"
            );
        }
    });
}
