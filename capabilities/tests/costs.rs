//! What takes time costs gas, before it is done, and what the host cannot do leaves nothing behind.

mod common;

use common::*;
use hatchery_capabilities::*;

/// Gas that a call which must reply takes.
fn gas_of(world: &mut World, instance: CapHash) -> u64 {
    let result = world.call(instance);
    assert!(matches!(result, CallResult::Halt { .. }), "{result:?}");
    result.gas_used()
}

#[test]
fn a_callee_that_goes_back_into_a_large_node_costs_what_writing_there_costs() {
    each_backend(|world| {
        let callee = world.instance(Code::new().reply().image(), &[]);
        let data = world.data(b"data");
        let mut call_in = |filled: u16| {
            let slots: Vec<(u16, CapHash)> =
                (0..filled).map(|slot| (slot, data)).chain([(filled, callee)]).collect();
            let node = world.cnode(10, &slots);
            let code = Code::new().op(Operation::Call, &[path(&[6, filled]), 0]).reply();
            let instance = world.instance(code.image(), &[(6, node)]);
            gas_of(world, instance)
        };
        assert_eq!(call_in(200) - call_in(1), 8 * 199);
        // Nothing goes back into what is pinned.
        let mut pinned = |filled: u16| {
            let slots: Vec<(u16, CapHash)> =
                (0..filled).map(|slot| (slot, data)).chain([(filled, callee)]).collect();
            let node = world.cnode(10, &slots);
            let code = Code::new().op(Operation::Call, &[path(&[6, filled]), 0]).reply();
            let pinned = vec![SlotContent { slot: 6, cap: node }];
            let instance = world.instance(Image { pinned, ..code.image() }, &[]);
            gas_of(world, instance)
        };
        assert_eq!(pinned(200), pinned(1));
    });
}

#[test]
fn pages_that_are_prepared_one_by_one_cost_gas_even_if_they_cannot_be_written() {
    each_backend(|world| {
        let content = world.data(b"constant");
        let mut call = |start: u32, pages: u32| {
            let mut image = Code::new().reply().image();
            image.pinned = vec![SlotContent { slot: 4, cap: content }];
            image.mappings = vec![Mapping { start, size: pages * 4096, source: SlotPath::slot(4) }];
            let callee = world.instance(image, &[]);
            let caller = Code::new().op(Operation::Call, &[5, 0]).reply().image();
            let caller = world.instance(caller, &[(5, callee)]);
            gas_of(world, caller)
        };
        assert_eq!(call(ASIDE, 64) - call(ASIDE, 1), 63);
        assert_eq!(call(0x1_0000, 64), call(0x1_0000, 1), "where read-only data lie they are shared");
    });
}

#[test]
fn a_callee_for_which_there_is_no_gas_is_not_loaded() {
    each_backend(|world| {
        let callee = world.instance(Code::new().reply().image(), &[]);
        let caller = world.instance(Code::new().op(Operation::Call, &[5, 0]).reply().image(), &[(5, callee)]);
        let result = world.call_with(caller, [0; 4], 100);
        assert!(matches!(result, CallResult::Faulted { reason: FaultReason::OutOfGas, .. }), "{result:?}");
        assert_eq!(world.vm.programs(), 1, "the caller's");
        world.halts(caller);
        assert_eq!(world.vm.programs(), 2);
    });
}

#[test]
fn a_host_failure_leaves_nothing_behind_wherever_it_comes() {
    each_backend(|world| {
        let quota = world.quota(7, 10 * 4096);
        let setup = |world: &mut World| {
            let data = world.data(b"file");
            let saves = |code: Code| Image {
                quota_slots: vec![1],
                ..code.op(Operation::Save, &[2, 7]).reply().image()
            };
            let slots = [(1, quota), (2, data)];
            // At the end of the call, at the end of a callee, and in an operation.
            let at_end = world.instance(saves(Code::new()), &slots);
            let calls = saves(Code::new().op(Operation::Save, &[2, 7]).op(Operation::Call, &[5, 0]));
            let in_callee = world.instance(calls, &[(1, quota), (2, data), (5, at_end)]);
            let mints = Code::new().op(Operation::Save, &[2, 7]).op(Operation::MintCNode, &[5, 3]);
            let in_operation = world.instance(saves(mints), &slots);
            [at_end, in_callee, in_operation]
        };
        // Nothing can be worked on, which is what an instance is when its call ends.
        world.cache = CacheDirectory::default().working_limit(0);
        world.kernel(KernelImage::Quota, 7);
        let before = world.vm.assist().clone();
        for instance in setup(world) {
            let result = world.vm.invoke(&mut world.cache, instance, 0, [0; 4], GAS);
            assert_eq!(result, Err(VmError::Cache(CacheError::TooManyWorking { limit: 0 })));
            assert_eq!(*world.vm.assist(), before, "no file was saved, no quota charged");
            assert!(world.vm.call_stack().is_empty());
            assert_eq!(world.cache.working(), 0);
        }
        // The machine goes on.
        world.cache = CacheDirectory::default();
        world.kernel(KernelImage::Quota, 7);
        for instance in setup(world) {
            world.halts(instance);
        }
        world.vm.assist().storage_quota(7)
    });
}

#[test]
fn what_was_settled_keeps_its_hash_while_it_stays_the_same() {
    let mut cache = CacheDirectory::default();
    let leaf = cache.put(Cap::Data(DataCap::new(b"leaf"))).unwrap();
    let mut inner = CNode::new(1).unwrap();
    inner.set(0, Some(leaf)).unwrap();
    let mut outer = CNode::new(1).unwrap();
    outer.set(0, Some(cache.work_on(inner).unwrap())).unwrap();
    let mut outer = cache.work_on(outer).unwrap();
    let first = cache.settle(&outer.clone().into()).unwrap();
    assert_eq!(cache.settle(&outer.clone().into()), Ok(first));

    // What was collected is made again, and what it holds.
    assert_eq!(cache.collect([leaf]), Ok(2));
    assert!(cache.get(first).is_err());
    assert_eq!(cache.settle(&outer.clone().into()), Ok(first));
    let again = cache.cnode(first).unwrap();
    assert!(cache.cnode(again.get(0).unwrap().hash().unwrap()).is_ok());

    // What is changed deep inside has another hash, and so has what holds it.
    let Some(CapHashOrRef::Ref(inner)) = outer.cnode_mut().unwrap().get_mut(0) else { panic!() };
    inner.cnode_mut().unwrap().set(1, Some(leaf)).unwrap();
    let second = cache.settle(&outer.clone().into()).unwrap();
    let mut expected = CNode::new(1).unwrap();
    expected.set(0, Some(leaf)).unwrap();
    expected.set(1, Some(leaf)).unwrap();
    let expected = cache.put(Cap::CNode(expected)).unwrap();
    assert_eq!(cache.cnode(second).unwrap().get(0), Some(&expected.into()));
    assert_ne!(first, second);
}

/// A marker that is being worked on is settled when it is yielded. That takes time in proportion to what it holds once, not with each
/// yield: what is yielded again has the same hash, and what was changed between has another.
#[test]
fn markers_that_are_being_worked_on_have_the_hash_of_what_they_are_at_the_yield() {
    each_backend(|world| {
        let data = world.data(b"data");
        let code = Code::new()
            .op(Operation::MintCNode, &[5, 2])
            .op(Operation::MintCNode, &[path(&[5, 0]), 2])
            .op(Operation::Yield, &[5])
            .op(Operation::Yield, &[5])
            .op(Operation::Copy, &[2, path(&[5, 0, 1])])
            .op(Operation::Yield, &[5])
            .reply();
        let instance = world.instance(code.image(), &[(2, data)]);
        let empty = world.cnode(2, &[]);
        let before = world.cnode(2, &[(0, empty)]);
        let filled = world.cnode(2, &[(1, data)]);
        let after = world.cnode(2, &[(0, filled)]);
        for marker in [before, after] {
            world.vm.assist_mut().catch(marker);
        }
        let mut markers = Vec::new();
        let mut result = world.call(instance);
        while let CallResult::Paused { marker, .. } = result {
            markers.push(marker);
            result = world.resume(None);
        }
        assert_eq!(markers, [before, before, after]);
        result
    });
}

#[test]
fn data_that_their_tree_has_no_leaves_for_are_refused() {
    let pages = |last: u8| {
        let mut pages = vec![PageSlot::Missing([0; 32]); (1 << 20) + 1];
        pages[1 << 20] = PageSlot::Missing([last; 32]);
        Cap::Data(DataCap { pages })
    };
    let mut cache = CacheDirectory::default();
    let error = cache.put(pages(1)).unwrap_err();
    assert_eq!(error.to_string(), "data of 1048577 pages: at most 2^20 are possible");
    let bytes = pages(2).to_bytes().unwrap();
    assert_eq!(Cap::from_bytes(&bytes), Err(CapDecodeError::Data { pages: (1 << 20) + 1 }));
    let mut image = Image::from_code(vec![0], vec![1]);
    image.bitmask = vec![0; (4 << 20) + 1];
    assert!(matches!(cache.put(Cap::Image(image)), Err(CacheError::Invalid(CapDecodeError::Image(_)))));
}

#[test]
fn code_that_goes_on_behind_the_end_of_a_new_image_faults() {
    each_backend(|world| {
        let short = world.image(Code::new().image());
        let code = (0..50).fold(Code::new(), |code, _| code.fallthrough());
        let instance = world.instance(code.op(Operation::SetImage, &[2]).reply().image(), &[(2, short)]);
        let CallResult::Faulted { reason, .. } = world.call(instance) else { panic!() };
        assert_eq!(reason.status(), CallStatus::Panic, "{reason}");
        reason
    });
}
