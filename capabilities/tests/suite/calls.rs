//! Calls, yields, gas and settlement.

use crate::common::*;
use hatchery_capabilities::*;

/// Replies with `a0 + 1` of what the callee in slot 5 replied.
fn one_more() -> Image {
    Code::new().op(Operation::Call, &[5, 0]).add(Reg::A0, Reg::A0, 1).reply().image()
}

/// Counts its calls in memory and replies with the count.
fn counter() -> Image {
    let code = Code::new().load(Reg::A0, DATA).add(Reg::A0, Reg::A0, 1).store(DATA, Reg::A0).reply();
    with_memory(code.image())
}

#[test]
fn defect_06_the_caller_finds_value_and_status() {
    each_backend(|world| {
        let code = |call: Code| call.store(DATA, Reg::A0).store(DATA + 8, Reg::A1).reply().image();
        let page_fault = Code::new().load(Reg::A0, 0x9_0000).reply();
        let panic = Code::new().emit(hatchery_engine::isa::Instruction {
            s1: Reg::A0,
            x: 2,
            ..hatchery_engine::isa::Instruction::plain(hatchery_engine::isa::Opcode::JumpIndirect)
        });
        let mut seen = Vec::new();
        for (callee, expected) in [
            (Code::new().reply_with(42), [42, 0]),
            (Code::new().set(Reg::A0, 9), [0, CallStatus::Trap as u64]),
            (panic, [0, CallStatus::Panic as u64]),
            (page_fault, [0, CallStatus::PageFault as u64]),
            (Code::new().ecalli(7), [0, CallStatus::Trap as u64]),
        ] {
            let callee = world.instance(callee.image(), &[]);
            let caller = with_memory(code(Code::new().op(Operation::Call, &[5, 0])));
            let caller = world.instance(caller, &[(5, callee)]);
            let (_, after) = world.halts(caller);
            let page = world.cache.instance(after).unwrap().rw_overlays[0].bytes.clone();
            let word = |at| u64::from_le_bytes(page.bytes()[at..at + 8].try_into().unwrap());
            assert_eq!([word(0), word(8)], expected);
            seen.push(after);
        }
        seen
    });
}

#[test]
fn arguments_go_as_far_as_the_endpoint_wants_them() {
    each_backend(|world| {
        let sum = |registers| {
            let code = Code::new().sum(Reg::A0, Reg::A0, Reg::A1).sum(Reg::A0, Reg::A0, Reg::A2);
            let mut image = code.sum(Reg::A0, Reg::A0, Reg::A3).reply().image();
            image.endpoints[0].argument_registers = registers;
            image.endpoints[0].initial_regs[10] = 7000;
            image
        };
        for (registers, expected) in [(4, 1234), (3, 7234), (0, 7000)] {
            let callee = world.instance(sum(registers), &[]);
            let result = world.call_with(callee, [4, 30, 200, 1000], GAS);
            assert!(matches!(result, CallResult::Halt { return_value, .. } if return_value == expected));
            let code = Code::new().set(Reg::A2, 4).set(Reg::A3, 30).set(Reg::A4, 200).set(Reg::A5, 1000);
            let code = code.set(Reg::A0, 5).set(Reg::A1, 0).ecalli(26).reply();
            let caller = world.instance(code.image(), &[(5, callee)]);
            assert_eq!(world.halts(caller).0, expected);
        }
    });
}

#[test]
fn slot_0_goes_down_and_up() {
    each_backend(|world| {
        let [a, b] = [b"a", b"b"].map(|bytes| world.data(bytes));
        // Keeps what it is given in slot 7 and gives what it has in slot 8.
        let callee = Code::new().op(Operation::Move, &[0, 7]).op(Operation::Move, &[8, 0]).reply().image();
        let callee = world.instance(callee, &[(8, b)]);
        let call = Code::new().op(Operation::Call, &[5, 0]).reply().image();
        let caller = world.instance(call.clone(), &[(0, a), (5, callee)]);
        let CallResult::Halt { post_instance_hash, reflected_slot0, .. } = world.call(caller) else {
            panic!()
        };
        assert_eq!(reflected_slot0, Some(b), "what the callee gives goes on to the embedder");
        let callee_after = world.slot(post_instance_hash, 5).unwrap();
        assert_eq!((world.slot(callee_after, 7), world.slot(callee_after, 0)), (Some(a), None));
        assert_eq!(world.slot(post_instance_hash, 0), None);
        // A callee that gives nothing back keeps it.
        let keeper = Code::new().op(Operation::Move, &[0, 7]).reply().image();
        let keeper = world.instance(keeper, &[]);
        let caller = world.instance(call, &[(0, a), (5, keeper)]);
        assert!(matches!(world.call(caller), CallResult::Halt { reflected_slot0: None, .. }));
        // And from the embedder.
        let CallResult::Halt { reflected_slot0, post_instance_hash, .. } =
            world.vm.invoke_with(&mut world.cache, callee, 0, [0; 4], GAS, Some(a)).unwrap()
        else {
            panic!()
        };
        assert_eq!((reflected_slot0, world.slot(post_instance_hash, 7)), (Some(b), Some(a)));
    });
}

#[test]
fn a_callee_is_what_became_of_it() {
    each_backend(|world| {
        let counter = world.instance(counter(), &[]);
        let call = |code: Code| code.op(Operation::Call, &[5, 0]);
        let thrice = world.instance(call(call(call(Code::new()))).reply().image(), &[(5, counter)]);
        let (count, after) = world.halts(thrice);
        assert_eq!(count, 3);
        assert_eq!(world.halts(after).0, 6, "settled and loaded again it goes on where it was");
        assert_eq!(world.halts(thrice).0, 3, "what it was is still there");
        // Copies go their own ways.
        let code = call(Code::new()).op(Operation::Copy, &[5, 6]);
        let code = call(call(code)).op(Operation::Call, &[6, 0]).copy(Reg::S0, Reg::A0);
        let both = call(code).sum(Reg::A0, Reg::A0, Reg::S0).reply();
        let both = world.instance(both.image(), &[(5, counter)]);
        assert_eq!(world.halts(both).0, 2 + 4);
        // In a node, too.
        let node = world.cnode(1, &[(1, counter)]);
        let nested = path(&[5, 1]);
        let code = Code::new().op(Operation::Call, &[nested, 0]).op(Operation::Call, &[nested, 0]).reply();
        let nested = world.instance(code.image(), &[(5, node)]);
        let (count, after) = world.halts(nested);
        assert_eq!((count, world.halts(after).0), (2, 4));
    });
}

#[test]
fn a_pinned_callee_keeps_nothing() {
    each_backend(|world| {
        let counter = world.instance(counter(), &[]);
        let code = Code::new().op(Operation::Call, &[5, 0]).op(Operation::Call, &[5, 0]).reply();
        let image = Image { pinned: vec![SlotContent { slot: 5, cap: counter }], ..code.image() };
        let caller = world.instance(image, &[]);
        let (count, after) = world.halts(caller);
        assert_eq!((count, world.slot(after, 5)), (1, Some(counter)));
    });
}

#[test]
fn the_depth_of_the_stack_is_limited_exactly() {
    let chain = |world: &mut World, instances: usize| {
        let leaf = world.instance(Code::new().reply_with(1000).image(), &[]);
        (1..instances).fold(leaf, |callee, _| world.instance(one_more(), &[(5, callee)]))
    };
    each_backend(|world| {
        let fits = chain(world, 256);
        assert_eq!(world.halts(fits).0, 1000 + 255);
        // The 257th is not entered: that traps in the 256th, of which the 255th is told.
        let too_deep = chain(world, 257);
        assert_eq!(world.halts(too_deep).0, 255);
    });
}

#[test]
fn defect_05_a_fault_in_a_callee_goes_to_its_caller_only() {
    each_backend(|world| {
        let trap = world.instance(Code::new().image(), &[]);
        let middle = world.instance(one_more(), &[(5, trap)]);
        let top = world.instance(one_more(), &[(5, middle)]);
        assert_eq!(world.halts(top).0, 2, "0 for the fault, then one more twice");
        assert!(world.vm.call_stack().is_empty());
    });
}

#[test]
fn defect_11_a_fault_undoes_all_that_was_done_below() {
    each_backend(|world| {
        let [a, b] = [b"a", b"b"].map(|bytes| world.data(bytes));
        let quota = world.quota(7, 10 * 4096);
        let counter_hash = world.instance(counter(), &[]);
        // Calls a counter, saves a file, mints data, moves what it was given, then traps.
        let code = Code::new()
            .op(Operation::Call, &[5, 0])
            .op(Operation::Save, &[2, 7])
            .op(Operation::MintData, &[DATA.into(), 10, 7, 9])
            .op(Operation::Copy, &[2, 0])
            .op(Operation::Drop, &[2])
            .set(Reg::S0, 1)
            .store(DATA, Reg::S0)
            .trap();
        let image = Image { quota_slots: vec![1], ..with_memory(code.image()) };
        let faulty = world.instance(image, &[(1, quota), (2, b), (5, counter_hash)]);
        let caller =
            Code::new().op(Operation::Copy, &[2, 0]).op(Operation::Call, &[5, 0]).copy(Reg::A0, Reg::A1);
        let caller = world.instance(caller.reply().image(), &[(2, a), (5, faulty)]);
        let assist = world.vm.assist().clone();
        let CallResult::Halt { return_value, reflected_slot0, post_instance_hash, .. } = world.call(caller)
        else {
            panic!()
        };
        assert_eq!(return_value, CallStatus::Trap as u64);
        assert_eq!(reflected_slot0, Some(a), "the caller has what it gave");
        assert_eq!(world.slot(post_instance_hash, 5), Some(faulty), "and the callee as it was");
        assert_eq!(*world.vm.assist(), assist, "quotas and files, too");
        // The same from the embedder.
        let result = world.vm.invoke_with(&mut world.cache, faulty, 0, [0; 4], GAS, Some(a)).unwrap();
        assert!(matches!(result, CallResult::Faulted { reflected_slot0, .. } if reflected_slot0 == Some(a)));
        assert_eq!(*world.vm.assist(), assist);
    });
}

#[test]
fn what_cannot_be_called_traps() {
    each_backend(|world| {
        let data = world.data(b"x");
        let gas = world.kernel(KernelImage::Gas, 1);
        let image = world.image(Code::new().image());
        let callee = world.instance(Code::new().reply().image(), &[]);
        for (slot, endpoint, cap, error) in [
            (5, 0, data, "does not hold what it has to: an instance"),
            (5, 0, image, "does not hold what it has to: an instance"),
            (5, 0, gas, "has no code"),
            (6, 0, callee, "slot 6 is empty"),
            (5, 1, callee, "the image has no endpoint of this number"),
            (5, 256, callee, "the image has no endpoint of this number"),
            (0, 0, callee, "slot 0 goes to the callee"),
        ] {
            let caller = Code::new().op(Operation::Call, &[slot, endpoint]).reply().image();
            let caller = world.instance(caller, &[(5, cap), (0, callee)]);
            let found = world.faults(caller);
            assert!(found.contains(error), "{found}");
        }
        let mut wants_node = Code::new().reply_with(1).image();
        wants_node.endpoints[0].argument_cnode = Some(3);
        let callee = world.instance(wants_node, &[]);
        let caller = Code::new().op(Operation::Call, &[5, 0]).reply().image();
        let node = world.cnode(3, &[]);
        let fits = world.instance(caller.clone(), &[(5, callee), (0, node)]);
        assert_eq!(world.halts(fits).0, 1);
        let node = world.cnode(4, &[]);
        let other = world.instance(caller, &[(5, callee), (0, node)]);
        assert!(world.faults(other).contains("wants a node of another size"));
    });
}

/// An image whose instances catch with what lies in slot 9.
fn catching(image: Image) -> Image {
    Image { yield_marker_slot: Some(9), ..image }
}

/// Remembers in a register and in memory, yields the marker in slot 3, and replies with what it remembers and what the yield
/// answered.
fn yielder() -> Image {
    let code = Code::new()
        .set(Reg::S0, 0x700)
        .set(Reg::S1, 0x30)
        .store(DATA, Reg::S1)
        .op(Operation::Yield, &[3])
        .load(Reg::S1, DATA)
        .sum(Reg::A0, Reg::A0, Reg::S0)
        .sum(Reg::A0, Reg::A0, Reg::S1);
    with_memory(code.reply().image())
}

/// Remembers, calls slot 5, and adds what it remembers.
fn between(remembers: u64) -> Image {
    let code =
        Code::new().set(Reg::S0, remembers).op(Operation::Call, &[5, 0]).sum(Reg::A0, Reg::A0, Reg::S0);
    code.reply().image()
}

#[test]
fn defect_04_a_yield_saves_the_state_of_who_yields_however_deep() {
    each_backend(|world| {
        let marker = world.data(b"marker");
        let catcher = world.catcher(1, &[marker]);
        let payload = world.data(b"payload");
        for depth in [0, 1, 2, 30] {
            let yielder = world.instance(yielder(), &[(3, marker)]);
            let callee =
                (0..depth).fold(yielder, |callee, _| world.instance(between(0x10_000), &[(5, callee)]));
            let top = world.instance(catching(between(0x100_0000)), &[(5, callee), (9, catcher)]);
            for given in [None, Some(payload)] {
                let result = world.call(top);
                let CallResult::Paused { marker: yielded, payload: with, catcher, .. } = result else {
                    panic!("{result:?}")
                };
                assert_eq!((yielded, with, catcher), (marker, Some(marker), Catcher::Entry(0)));
                assert_eq!(world.vm.call_stack().depth(), depth + 3);
                let CallResult::Halt { return_value, post_instance_hash, reflected_slot0, .. } =
                    world.resume(given)
                else {
                    panic!()
                };
                let expected = 0x100_0730 + 0x10_000 * depth as u64 + u64::from(given.is_some());
                assert_eq!(return_value, expected);
                assert_eq!(reflected_slot0, given, "what is given passes through all of them");
                assert_eq!(world.slot(post_instance_hash, 0), None);
            }
        }
    });
}

#[test]
fn the_nearest_catcher_of_the_marker_catches() {
    each_backend(|world| {
        let [near, far, other] = [b"n", b"f", b"o"].map(|bytes| world.data(bytes));
        let catches_near = world.catcher(1, &[near]);
        let catches_far = world.catcher(2, &[other, far, near]);
        for (marker, expected) in
            [(near, Catcher::Entry(1)), (far, Catcher::Entry(0)), (other, Catcher::Entry(0))]
        {
            let yielder = world.instance(catching(yielder()), &[(3, marker), (9, catches_far)]);
            let middle = world.instance(catching(between(0)), &[(5, yielder), (9, catches_near)]);
            let top = world.instance(catching(between(0)), &[(5, middle), (9, catches_far)]);
            let result = world.call(top);
            assert!(
                matches!(result, CallResult::Paused { catcher, .. } if catcher == expected),
                "{result:?}"
            );
            world.vm.drop_paused().unwrap();
        }
        // Nobody catches for oneself.
        let alone = world.instance(catching(yielder()), &[(3, near), (9, catches_far)]);
        assert!(world.faults(alone).contains("nobody catches the marker"));
        // But the embedder can.
        world.vm.assist_mut().catch(near);
        assert!(matches!(world.call(alone), CallResult::Paused { catcher: Catcher::Embedder, .. }));
        assert!(matches!(world.resume(None), CallResult::Halt { return_value: 0x730, .. }));
    });
}

#[test]
fn a_paused_stack_shows_who_called_whom_and_where_they_are() {
    each_backend(|world| {
        let marker = world.data(b"marker");
        world.vm.assist_mut().catch(marker);
        let meter = world.meter(7, GAS);
        let code = Code::new().set(Reg::S0, 77).set(Reg::A0, 3);
        let at = code.here();
        let image = Image { gas_slots: vec![8], ..code.ecalli(Operation::Yield.number()).reply().image() };
        let callee = world.instance(image, &[(3, marker), (8, meter)]);
        let caller = Code::new().op(Operation::Call, &[5, 0]).reply().image();
        let caller = world.instance(caller, &[(5, callee)]);
        assert!(matches!(world.call(caller), CallResult::Paused { catcher: Catcher::Embedder, .. }));

        let known = [caller, callee].map(|instance| world.cache.instance(instance).unwrap());
        let stack = world.vm.call_stack();
        let statuses: Vec<Status> = stack.entries().map(|(status, _)| status).collect();
        assert_eq!(statuses, [Status::Waiting, Status::Waiting, Status::Running]);
        assert_eq!(stack.caught_by(), Some(Catcher::Embedder));
        let [below, above] = [0, 1].map(|position| stack.instance(position).unwrap());
        for (entry, known) in [below, above].into_iter().zip(known) {
            assert_eq!((entry.chain(), entry.image_hash()), (known.image_hash_chain, known.image_hash));
        }
        assert_eq!((below.called_through(), below.gas_meters().count()), (None, 0));
        assert_eq!(above.called_through(), Some(SlotPath::slot(5)));
        assert_eq!(above.gas_meters().collect::<Vec<_>>(), [7]);
        assert_eq!((above.pc(), above.registers()[Reg::S0 as usize]), (at, 77));
        assert_eq!(above.slots().get(3), Some(&marker.into()));
        assert!(matches!(world.resume(None), CallResult::Halt { .. }));
    });
}

#[test]
fn defect_01_drop_paused_drops() {
    each_backend(|world| {
        assert_eq!(world.vm.drop_paused(), Err(VmError::NotPaused));
        let marker = world.data(b"marker");
        let catcher = world.catcher(1, &[marker]);
        let quota = world.quota(7, 8192);
        let save = Code::new().op(Operation::Save, &[3, 7]).op(Operation::Yield, &[3]).reply();
        let saver = Image { quota_slots: vec![1], ..save.image() };
        let yielder = world.instance(saver, &[(1, quota), (3, marker)]);
        let top = Code::new().op(Operation::Call, &[5, 0]).sum(Reg::A0, Reg::A0, Reg::A1).reply();
        let top = world.instance(catching(top.image()), &[(5, yielder), (9, catcher)]);
        let before = world.vm.assist().clone();
        assert!(matches!(world.call(top), CallResult::Paused { .. }));
        assert_eq!(world.vm.invoke(&mut world.cache, top, 0, [0; 4], GAS), Err(VmError::Paused));
        assert_ne!(*world.vm.assist(), before);
        world.vm.drop_paused().unwrap();
        assert!(world.vm.call_stack().is_empty());
        assert_eq!((world.vm.assist(), world.cache.working()), (&before, 0));
        assert_eq!(world.vm.resume(&mut world.cache, None), Err(VmError::NotPaused));
        // Only what the catcher called can be dropped, too: it goes on.
        world.call(top);
        let result = world.vm.drop_to_catcher(&mut world.cache).unwrap().unwrap();
        let CallResult::Halt { return_value, post_instance_hash, .. } = result else { panic!("{result:?}") };
        assert_eq!(return_value, CallStatus::Dropped as u64);
        assert_eq!(world.slot(post_instance_hash, 5), Some(yielder));
        assert_eq!(*world.vm.assist(), before);
    });
}

/// Calls two levels down, stores, and works on slots: something of everything.
fn busy_tree(world: &mut World) -> CapHash {
    let quota = world.quota(7, 1 << 40);
    let data = world.data(b"data");
    let leaf = Code::new()
        .op(Operation::MintCNode, &[6, 3])
        .op(Operation::Copy, &[2, path(&[6, 2])])
        .load(Reg::A0, DATA)
        .add(Reg::A0, Reg::A0, 1)
        .fallthrough()
        .store(DATA, Reg::A0)
        .ret();
    let leaf = world.instance(with_memory(leaf.image()), &[(2, data)]);
    let middle = Code::new()
        .op(Operation::Call, &[5, 0])
        .copy(Reg::S0, Reg::A0)
        .op(Operation::Call, &[5, 0])
        .sum(Reg::S0, Reg::A0, Reg::S0)
        .store(DATA + 0x1000, Reg::S0)
        .op(Operation::ReadData, &[2, u64::from(DATA) + 0x1100, 100])
        .op(Operation::Save, &[2, 7])
        .op(Operation::Copy, &[2, 0])
        .copy(Reg::A0, Reg::S0)
        .reply();
    let middle = Image { quota_slots: vec![1], ..with_memory(middle.image()) };
    let middle = world.instance(middle, &[(1, quota), (2, data), (5, leaf)]);
    let top = Code::new()
        .op(Operation::Call, &[5, 0])
        .fallthrough()
        .op(Operation::Move, &[0, 6])
        .set(Reg::S0, 3)
        .store(ASIDE, Reg::S0)
        .op(Operation::Call, &[5, 0]);
    world.instance(with_memory(top.reply().image()), &[(5, middle)])
}

#[test]
fn running_out_of_gas_at_every_value_and_topping_up_is_as_having_had_it() {
    topping_up_is_as_having_had_it(CHEAP, 1);
}

#[test]
fn topping_up_is_as_having_had_it_at_the_usual_costs_too() {
    topping_up_is_as_having_had_it(Costs::DEFAULT, 7001);
}

fn topping_up_is_as_having_had_it(costs: Costs, stride: usize) {
    each_backend(|world| {
        world.with_machine(|vm| vm.costs(costs));
        let instance = busy_tree(world);
        let CallResult::Halt { return_value, post_instance_hash, reflected_slot0, gas_used } =
            world.call(instance)
        else {
            panic!()
        };
        assert_eq!(return_value, 3 + 4);
        let oog = KernelImage::OogMarker.hash();
        world.vm.assist_mut().catch(oog);
        for gas in (0..=gas_used).step_by(stride).chain([gas_used]) {
            let mut total = 0;
            let mut result = world.call_with(instance, [0; 4], gas);
            let mut stops = 0;
            while let CallResult::Paused {
                marker,
                payload: None,
                catcher: Catcher::Embedder,
                gas_used: used,
            } = result
            {
                assert_eq!(marker, oog);
                total += used;
                stops += 1;
                // As much again, so that it runs out at other places, too.
                world.vm.add_gas(gas.max(100));
                result = world.resume(None);
            }
            total += result.gas_used();
            let gas_used_last = result.gas_used();
            let expected = CallResult::Halt {
                return_value,
                post_instance_hash,
                reflected_slot0,
                gas_used: gas_used_last,
            };
            assert_eq!((&result, total), (&expected, gas_used), "with {gas} gas at first");
            assert_eq!(stops == 0, gas == gas_used, "with {gas} gas at first");
        }
        (return_value, post_instance_hash, gas_used)
    });
}

#[test]
fn topping_up_unit_by_unit_changes_nothing() {
    each_backend(|world| {
        world.with_machine(|vm| vm.costs(CHEAP));
        let callee = world.instance(counter(), &[]);
        let instance = world.instance(one_more(), &[(5, callee)]);
        let CallResult::Halt { post_instance_hash, gas_used, .. } = world.call(instance) else { panic!() };
        world.vm.assist_mut().catch(KernelImage::OogMarker.hash());
        let mut result = world.call_with(instance, [0; 4], 0);
        let (mut used, mut given) = (0, 0);
        while let CallResult::Paused { gas_used, .. } = result {
            used += gas_used;
            given += 1;
            world.vm.add_gas(1);
            result = world.resume(None);
        }
        used += result.gas_used();
        assert_eq!((used, given), (gas_used, gas_used));
        assert!(
            matches!(result, CallResult::Halt { post_instance_hash: hash, .. } if hash == post_instance_hash)
        );
    });
}

#[test]
fn defect_03_meters_in_gas_slots_are_spent_and_out_of_gas_names_the_meter() {
    each_backend(|world| {
        let metered = Image { gas_slots: vec![7, 8], ..counter() };
        let [first, second] = [world.meter(1, 50), world.meter(2, GAS)];
        let callee = world.instance(metered.clone(), &[(7, first), (8, second)]);
        let oog = KernelImage::OogMarker.hash();
        let catcher = world.catcher(1, &[oog]);
        let caller = world.instance(catching(one_more()), &[(5, callee), (9, catcher)]);
        // A metered instance alone spends nothing of what it is called with.
        let result = world.call_with(callee, [0; 4], 0);
        let CallResult::Halt { gas_used, .. } = result else { panic!("{result:?}") };
        let meter = |world: &World, id| world.vm.assist().gas_meter(id);
        assert_eq!((meter(world, 1), meter(world, 2)), (0, GAS + 50 - gas_used), "the first is spent first");

        // Its caller pays for what it takes to enter it.
        world.vm.assist_mut().set_gas_meter(2, gas_used - program_gas(&metered) - 1);
        let result = world.call(caller);
        let CallResult::Paused { marker, payload, catcher, gas_used: before } = result else {
            panic!("{result:?}")
        };
        assert_eq!((marker, payload, catcher), (oog, Some(first), Catcher::Entry(0)));
        world.vm.assist_mut().set_gas_meter(1, 1);
        let result = world.resume(None);
        assert!(matches!(result, CallResult::Halt { return_value: 2, .. }), "{result:?}");
        assert_eq!((meter(world, 1), meter(world, 2)), (0, 0));
        assert!(before > 0);
        // Where nobody catches it, the callee faults and the caller, which has gas, goes on.
        let caller = Code::new().op(Operation::Call, &[5, 0]).copy(Reg::A0, Reg::A1).reply().image();
        let caller = world.instance(caller, &[(5, callee)]);
        assert_eq!(world.halts(caller).0, CallStatus::OutOfGas as u64);
    });
}

#[test]
fn what_a_callee_leaves_of_a_budget_is_refunded() {
    each_backend(|world| {
        // The middle one has a meter; the innermost spends from it, too; the outermost does not.
        let inner = world.instance(counter(), &[]);
        let meter = world.meter(1, 1_000_000);
        let middle = world.instance(Image { gas_slots: vec![7], ..one_more() }, &[(5, inner), (7, meter)]);
        let top = world.instance(one_more(), &[(5, middle)]);
        let result = world.call_with(top, [0; 4], 1_000_000);
        let used_of_meter = 1_000_000 - world.vm.assist().gas_meter(1);
        let used_of_call = 1_000_000 - world.vm.gas();
        assert!(used_of_meter > 0 && used_of_call > 0);
        assert_eq!(used_of_meter + used_of_call, result.gas_used());
        // Without the meter all of it is the call's.
        let middle = world.instance(one_more(), &[(5, inner)]);
        let top = world.instance(one_more(), &[(5, middle)]);
        let without = world.call_with(top, [0; 4], 1_000_000);
        assert_eq!(1_000_000 - world.vm.gas(), without.gas_used());
        result.gas_used()
    });
}

#[test]
fn gas_that_a_faulting_callee_spent_is_gone() {
    each_backend(|world| {
        let meter = world.meter(1, 1_000_000);
        let image = Image { gas_slots: vec![7], ..Code::new().fallthrough().image() };
        let faulty = world.instance(image, &[(7, meter)]);
        world.faults(faulty);
        assert!(world.vm.assist().gas_meter(1) < 1_000_000);
    });
}

#[test]
fn defect_09_the_size_of_memory_is_the_end_of_the_highest_mapping() {
    each_backend(|world| {
        let instance = world.instance(counter(), &[]);
        let (_, after) = world.halts(instance);
        assert_eq!(world.cache.instance(after).unwrap().mem_size, 0xfffe_0000);
    });
}

#[test]
fn overlays_hold_the_changed_pages_only() {
    each_backend(|world| {
        let content = world.data(&[5; 4096]);
        // Writes what is there already, writes something and takes it back, and writes something.
        let code = Code::new()
            .set(Reg::S0, 0x0505_0505_0505_0505)
            .store(DATA, Reg::S0)
            .set(Reg::S1, 1)
            .store(ASIDE, Reg::S1)
            .set(Reg::S1, 0)
            .store(ASIDE, Reg::S1)
            .store(DATA + 0x1000, Reg::S0);
        let instance = world.instance(with_memory(code.reply().image()), &[(DATA_SLOT, content)]);
        let (_, after) = world.halts(instance);
        let starts = |world: &mut World, instance| -> Vec<u32> {
            let overlays = world.cache.instance(instance).unwrap().rw_overlays;
            overlays.iter().map(|overlay| overlay.start).collect()
        };
        assert_eq!(starts(world, after), [DATA + 0x1000]);
        assert_eq!(world.halts(after).1, after, "nothing new, the same hash");
    });
}

#[test]
fn memory_stays_when_its_source_goes_away() {
    each_backend(|world| {
        let content = world.data(&[5; 4096]);
        let code = Code::new().load(Reg::A0, DATA).load(Reg::S0, ASIDE).sum(Reg::A0, Reg::A0, Reg::S0);
        let code = code.store(ASIDE + 8, Reg::A0);
        let slots = [(DATA_SLOT, content), (ASIDE_SLOT, content)];
        let read =
            with_memory(code.op(Operation::Drop, &[DATA_SLOT.into()]).load(Reg::A0, DATA).reply().image());
        let instance = world.instance(read, &slots);
        let (value, after) = world.halts(instance);
        assert_eq!(value, 0x0505_0505_0505_0505, "what is mapped stays mapped");
        let overlays = world.cache.instance(after).unwrap().rw_overlays;
        assert_eq!(overlays.iter().map(|overlay| overlay.start).collect::<Vec<_>>(), [DATA, ASIDE]);
        let (value, again) = world.halts(after);
        assert_eq!((value, again), (0x0505_0505_0505_0505, after));
    });
}

#[test]
fn read_only_mappings_are_read_only() {
    each_backend(|world| {
        let content = world.data(b"constant");
        for start in [0x1_0000, ASIDE] {
            let mut seen = Vec::new();
            for code in [Code::new().load(Reg::A0, start), Code::new().store(start, Reg::A0)] {
                let mut image = code.reply().image();
                image.pinned = vec![SlotContent { slot: 4, cap: content }];
                image.mappings = vec![Mapping { start, size: 0x1000, source: SlotPath::slot(4) }];
                let instance = world.instance(image, &[]);
                seen.push(world.call(instance));
            }
            let [CallResult::Halt { return_value, .. }, CallResult::Faulted { reason, .. }] = &seen[..]
            else {
                panic!("{seen:?}")
            };
            assert_eq!(*return_value, u64::from_le_bytes(*b"constant"));
            assert_eq!(reason.status(), CallStatus::PageFault);
        }
    });
}

#[test]
fn a_source_lies_in_a_node_as_well() {
    each_backend(|world| {
        let content = world.data(b"in there");
        let node = world.cnode(4, &[(3, content)]);
        let mut image = Code::new().load(Reg::A0, ASIDE).reply().image();
        image.mappings =
            vec![Mapping { start: ASIDE, size: 0x1000, source: SlotPath::new(&[6, 3]).unwrap() }];
        let instance = world.instance(image, &[(6, node)]);
        assert_eq!(world.halts(instance).0, u64::from_le_bytes(*b"in there"));
    });
}

#[test]
fn data_that_exceed_their_mapping_cannot_be_entered() {
    each_backend(|world| {
        let content = world.data(&[1; 4097]);
        let callee = world.instance(counter(), &[(ASIDE_SLOT, content)]);
        let caller = Code::new().op(Operation::Call, &[5, 0]).copy(Reg::A0, Reg::A1).reply().image();
        let caller = world.instance(caller, &[(5, callee)]);
        assert!(world.faults(caller).contains("have 8192 bytes, the mapping at 0x00500000 has 4096"));
        let result = world.vm.invoke(&mut world.cache, callee, 0, [0; 4], GAS);
        assert!(matches!(result, Err(VmError::Load(LoadError::Program(ProgramLoadError::TooLong { .. })))));
    });
}

#[test]
fn registers_stay_but_for_the_stack_pointer_and_the_return_address() {
    each_backend(|world| {
        let code = Code::new().add(Reg::S0, Reg::S0, 1).add(Reg::SP, Reg::SP, -64).copy(Reg::A0, Reg::SP);
        let mut image = code.sum(Reg::A0, Reg::A0, Reg::S0).reply().image();
        image.endpoints[0].initial_regs[Reg::SP as usize] = 0x1000;
        image.endpoints[0].initial_regs[Reg::S0 as usize] = 7;
        let mut instance = world.instance(image, &[]);
        for count in 8..11 {
            let (value, after) = world.halts(instance);
            assert_eq!(value, 0x1000 - 64 + count);
            instance = after;
        }
    });
}

#[test]
fn what_is_settled_does_not_depend_on_what_stays_in_memory() {
    each_backend(|world| {
        let instance = busy_tree(world);
        let (_, once) = world.halts(instance);
        let (_, twice) = world.halts(once);
        // Another machine and another directory, in which nothing but bytes is left.
        let store = {
            let mut store = MemoryStore::default();
            let mut pending = vec![once];
            while let Some(hash) = pending.pop() {
                let cap = world.cache.get(hash).unwrap();
                store.commit(vec![Change::Put { hash, bytes: cap.to_bytes().unwrap() }]).unwrap();
                pending.extend(cap.references().into_iter().map(|(hash, _)| hash));
            }
            store
        };
        let mut assist = InProcessAssist::default();
        assist.set_storage_quota(7, 1 << 40);
        let mut cache = CacheDirectory::new(store).memory_limit(10_000);
        let result = Vm::new(assist).invoke(&mut cache, once, 0, [0; 4], GAS).unwrap();
        assert!(matches!(result, CallResult::Halt { post_instance_hash, .. } if post_instance_hash == twice));
        twice
    });
}

#[test]
fn what_is_wrong_with_a_first_call_is_said() {
    each_backend(|world| {
        let unknown = CapHash([9; 32]);
        let data = world.data(b"x");
        let kernel = world.kernel(KernelImage::Gas, 1);
        let instance = world.instance(Code::new().reply().image(), &[]);
        let mut error = |instance, endpoint| {
            world.vm.invoke(&mut world.cache, instance, endpoint, [0; 4], GAS).unwrap_err().to_string()
        };
        assert_eq!(error(unknown, 0), format!("there is no capability {unknown}"));
        assert_eq!(error(data, 0), format!("the capability {data} is of the kind data, not instance"));
        assert_eq!(error(kernel, 0), format!("the instance {kernel} has no code"));
        assert_eq!(
            error(instance, 1),
            "the instance cannot be entered: the image has no endpoint of this number"
        );
        let result = world.vm.invoke_with(&mut world.cache, instance, 0, [0; 4], GAS, Some(unknown));
        assert_eq!(result, Err(VmError::Cache(CacheError::Unknown { hash: unknown })));
        assert!(world.vm.call_stack().is_empty());
        assert!(matches!(world.call(instance), CallResult::Halt { .. }), "the machine is usable");
    });
}
