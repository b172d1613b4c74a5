//! What takes time costs gas, before it is done, and what the host cannot do leaves nothing behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::common::*;
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
        assert_eq!(call_in(200) - call_in(1), Costs::DEFAULT.node_slot * 199);
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
        assert_eq!(call(ASIDE, 64) - call(ASIDE, 1), 63 * Costs::DEFAULT.page_aside);
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

/// A store that fails after so many reads.
#[derive(Debug)]
struct Failing {
    inner: MemoryStore,
    reads_left: Arc<AtomicI64>,
}

impl Failing {
    fn count(&self) -> Result<(), StoreError> {
        if self.reads_left.fetch_sub(1, Ordering::Relaxed) > 0 {
            return Ok(());
        }
        Err(StoreError { operation: "read", reason: "it is broken".into() })
    }
}

impl BlobStore for Failing {
    fn blob(&self, hash: CapHash) -> Result<Option<Vec<u8>>, StoreError> {
        self.count()?;
        self.inner.blob(hash)
    }

    fn record(&self, name: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.record(name)
    }

    fn records(&self) -> Result<Vec<Record>, StoreError> {
        self.inner.records()
    }

    fn hashes(&mut self) -> Result<Vec<CapHash>, StoreError> {
        self.inner.hashes()
    }

    fn commit(&mut self, changes: Vec<Change>) -> Result<(), StoreError> {
        self.inner.commit(changes)
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        self.inner.sync()
    }
}

/// Saves files, makes nodes and data, and calls who does the same: the store is broken from some read on.
#[test]
fn a_host_failure_leaves_nothing_behind_wherever_it_comes() {
    each_backend(|world| {
        let reads_left = Arc::new(AtomicI64::new(i64::MAX));
        let store = Failing { inner: MemoryStore::default(), reads_left: Arc::clone(&reads_left) };
        // Nothing stays in memory that the store has.
        world.cache = CacheDirectory::new(store).memory_limit(0);
        let quota = world.quota(7, 10 * 4096);
        let data = world.data(b"file");
        let node = world.cnode(2, &[(1, data)]);
        let working = |code: Code| {
            code.op(Operation::Save, &[2, 7])
                .op(Operation::MintCNode, &[8, 3])
                .op(Operation::Copy, &[2, path(&[3, 2])])
                .op(Operation::MintData, &[DATA.into(), 10, 7, 9])
        };
        let image = |code: Code| Image { quota_slots: vec![1], ..with_memory(code.reply().image()) };
        let slots = [(1, quota), (2, data), (3, node)];
        let callee = world.instance(image(working(Code::new())), &slots);
        let code = working(Code::new()).op(Operation::Call, &[5, 0]).op(Operation::Save, &[9, 7]);
        let caller = world.instance(image(code), &[(1, quota), (2, data), (3, node), (5, callee)]);
        world.cache.commit(Vec::new()).unwrap();
        let before = world.vm.assist().clone();
        let minted = Cap::Data(DataCap::new(&[0; 10])).hash().unwrap();
        for reads in 0.. {
            world.with_machine(|vm| vm);
            reads_left.store(reads, Ordering::Relaxed);
            let result = world.vm.invoke(&mut world.cache, caller, 0, [0; 4], GAS);
            reads_left.store(i64::MAX, Ordering::Relaxed);
            assert!(world.vm.call_stack().is_empty());
            assert_eq!(world.cache.working(), 0);
            match result {
                Ok(result) => {
                    assert!(reads > 20, "it failed after every read up to {reads}");
                    assert!(matches!(result, CallResult::Halt { .. }), "{result:?}");
                    return (result, world.vm.assist().storage_quota(7));
                }
                Err(error) => {
                    assert!(error.to_string().contains("it is broken"), "after {reads} reads: {error}");
                    assert_eq!(*world.vm.assist(), before, "no file was saved, no quota charged");
                    assert!(!world.cache.contains(minted).unwrap(), "what was made has gone");
                }
            }
        }
        unreachable!()
    });
}

/// What a call makes: a node, three for two writes below it, an instance, and twice what a callee becomes, once below a node.
fn making(world: &mut World) -> CapHash {
    let data = world.data(b"data");
    let callee = world.instance(Code::new().op(Operation::MintCNode, &[6, 0]).reply().image(), &[]);
    let image = world.image(Code::new().reply().image());
    let root = world.cnode(8, &[]);
    let node = world.cnode(1, &[(0, callee)]);
    let code = Code::new()
        .op(Operation::MintCNode, &[10, 1])
        .op(Operation::Copy, &[2, path(&[10, 0])])
        .op(Operation::Move, &[path(&[10, 0]), path(&[10, 1])])
        .op(Operation::DeriveSpawn, &[3, 4, 11])
        .op(Operation::Call, &[5, 0])
        .op(Operation::Call, &[path(&[7, 0]), 0]);
    let slots = [(2, data), (3, image), (4, root), (5, callee), (7, node)];
    world.instance(code.reply().image(), &slots)
}

#[test]
fn what_a_call_makes_is_limited_exactly_and_the_program_traps() {
    // MINT 1, COPY 1, MOVE 2, DERIVE_SPAWN 1, CALL 1 and in it MINT 1, CALL 2 and in it MINT 1.
    const MADE: u64 = 10;
    each_backend(|world| {
        let mut results = Vec::new();
        for limit in 0..=MADE {
            world.with_machine(|vm| vm.working_limit(limit));
            let instance = making(world);
            let result = world.call(instance);
            match &result {
                CallResult::Halt { .. } => assert!(limit >= MADE - 1, "with {limit}"),
                CallResult::Faulted {
                    reason:
                        FaultReason::Operation { error: OperationError::WorkingLimit { limit: found }, .. },
                    ..
                } => assert!(limit < MADE && *found == limit),
                other => panic!("with {limit}: {other:?}"),
            }
            results.push(result);
        }
        // The last MINT is the callee's: its fault is a status for the caller. What faulted was made nevertheless.
        let trapped = |result: &CallResult| matches!(result, CallResult::Faulted { .. });
        assert_eq!(results.iter().filter(|result| trapped(result)).count() as u64, MADE - 1);
        assert_ne!(results[MADE as usize - 1], results[MADE as usize]);
        results
    });
}

/// Nodes that are copied when they are written because they have a hash, those that others hold, and those that nobody else has:
/// all count alike, so that a call that was stored and goes on elsewhere traps where it would have here.
#[test]
fn what_a_call_makes_does_not_depend_on_where_it_goes_on() {
    const LIMIT: u64 = 6;
    let marker = Cap::Data(DataCap::new(b"marker")).hash().unwrap();
    for &backend in Backend::AVAILABLE {
        let run = |is_moved: bool| {
            let mut world = World::new(backend);
            let machine = |vm: Vm<InProcessAssist>| vm.working_limit(LIMIT);
            world.with_machine(machine);
            let marker_cap = world.data(b"marker");
            assert_eq!(marker_cap, marker);
            world.vm.assist_mut().catch(marker);
            let write =
                |code: Code| code.op(Operation::Copy, &[3, path(&[10, 0])]).op(Operation::Yield, &[3]);
            let code =
                (0..LIMIT + 2).fold(Code::new().op(Operation::MintCNode, &[10, 1]), |code, _| write(code));
            let instance = world.instance(code.reply().image(), &[(3, marker)]);
            let mut results = vec![world.call(instance)];
            while let Some(CallResult::Paused { .. }) = results.last() {
                if is_moved {
                    let suspended = world.vm.suspend(&mut world.cache).unwrap();
                    world.with_machine(machine);
                    world.vm.restore(&mut world.cache, &suspended).unwrap();
                }
                results.push(world.resume(None));
            }
            results
        };
        let here = run(false);
        assert_eq!(here.len() as u64, LIMIT, "a node and five writes, then it traps");
        assert!(matches!(here.last(), Some(CallResult::Faulted { .. })), "{here:?}");
        assert_eq!(run(true), here, "{backend:?}");
    }
}

#[test]
fn a_directory_without_room_for_what_a_call_may_make_is_refused_before_anything_happens() {
    let mut world = World::new(Backend::Auto);
    let marker = world.data(b"marker");
    world.vm.assist_mut().catch(marker);
    let code = Code::new().op(Operation::MintCNode, &[10, 1]).op(Operation::Yield, &[3]).reply();
    let instance = world.instance(code.image(), &[(3, marker)]);
    world.cache = core::mem::take(&mut world.cache).working_limit(10);
    world.with_machine(|vm| vm.working_limit(11));
    let result = world.vm.invoke(&mut world.cache, instance, 0, [0; 4], GAS);
    assert_eq!(result, Err(VmError::Room { room: 10, wanted: 11 }));
    world.with_machine(|vm| vm.working_limit(10));
    assert!(matches!(world.call(instance), CallResult::Paused { .. }));
    // Somebody else takes what it may need: it stays paused, and goes on when there is room.
    let node = world.cache.work_on(CNode::root()).unwrap();
    let result = world.vm.resume(&mut world.cache, None);
    assert_eq!(result, Err(VmError::Room { room: 8, wanted: 9 }));
    drop(node);
    assert!(matches!(world.resume(None), CallResult::Halt { .. }));
}

/// Stores what `a0` to `a3` say into two pages, and ends.
fn storing(code: Code, end: impl FnOnce(Code) -> Code) -> Image {
    let code = code.store(DATA + 8, Reg::A0).store(DATA + 0x1008, Reg::A1).store(ASIDE, Reg::A2);
    let mut image = with_memory(end(code).image());
    image.endpoints[0].argument_registers = 4;
    image
}

#[test]
fn pages_that_an_instance_changes_cost_gas_when_it_ends() {
    let Costs { changed_page, own_page, .. } = Costs::DEFAULT;
    each_backend(|world| {
        let instance = world.instance(storing(Code::new(), Code::reply), &[]);
        let call = |world: &mut World, instance, args: [u64; 4]| {
            let CallResult::Halt { gas_used, post_instance_hash, .. } = world.call_with(instance, args, GAS)
            else {
                panic!()
            };
            (gas_used, post_instance_hash)
        };
        let (nothing, same) = call(world, instance, [0, 0, 0, 0]);
        assert!(world.cache.instance(same).unwrap().rw_overlays.is_empty());
        for (args, pages) in [([1, 0, 0, 0], 1), ([1, 2, 0, 0], 2), ([1, 2, 3, 0], 3)] {
            let (gas, after) = call(world, instance, args);
            assert_eq!(gas - nothing, pages * changed_page);
            assert_eq!(world.cache.instance(after).unwrap().rw_overlays.len() as u64, pages);
            // What it has already need not be hashed again, and what it gives up is gone.
            assert_eq!(call(world, after, args), (nothing, after));
            assert_eq!(call(world, after, [7, args[1], args[2], 0]).0 - nothing, changed_page);
            let (gas, emptied) = call(world, after, [0; 4]);
            assert_eq!(gas, nothing);
            assert_eq!(emptied, same);
        }
        // Without REPLY there is no operation to be paid for.
        let returning = world.instance(storing(Code::new(), Code::ret), &[]);
        let (idle, _) = call(world, returning, [0, 0, 0, 0]);
        assert_eq!(call(world, returning, [1, 2, 3, 0]).0 - idle, 3 * changed_page);
        // Called by others, from inside and again: as often as it changes them.
        let calls = |world: &mut World, values: &[u64]| {
            let code = values.iter().fold(Code::new(), |code, &value| {
                code.set(Reg::A2, value).set(Reg::A3, 0).set(Reg::A4, 0).op(Operation::Call, &[5, 0])
            });
            let caller = world.instance(code.reply().image(), &[(5, instance)]);
            call(world, caller, [0; 4]).0
        };
        let (once, twice, again) = (calls(world, &[0, 0]), calls(world, &[1, 2]), calls(world, &[1, 1]));
        assert_eq!(twice - once, 2 * changed_page + own_page);
        assert_eq!(again - once, changed_page + own_page);
        (nothing, once, twice, again)
    });
}

/// However large the mapping: what lies behind the data of its sources is not looked at.
#[test]
fn a_source_that_is_replaced_costs_the_pages_of_data_that_are_compared() {
    let Costs { page_aside, changed_page, program_page, .. } = Costs::DEFAULT;
    each_backend(|world| {
        // Pages of data that the image has, then of those that come in their place, and their bytes.
        let mut call = |declared: usize, pages: usize, byte: u8| {
            let mut data = |pages: usize, byte: u8| world.data(&vec![byte; pages * 4096]);
            let (declared, data) = ((declared > 0).then(|| data(declared, 6)), data(pages, byte));
            let mut image = Code::new().op(Operation::Copy, &[2, 14]).reply().image();
            image.mappings = vec![Mapping { start: DATA, size: 1 << 30, source: SlotPath::slot(14) }];
            image.initial = declared.map(|cap| SlotContent { slot: 14, cap }).into_iter().collect();
            let instance = world.instance(image, &[(2, data)]);
            let CallResult::Halt { gas_used, post_instance_hash, .. } = world.call(instance) else {
                panic!()
            };
            (gas_used, world.cache.instance(post_instance_hash).unwrap().rw_overlays.len())
        };
        let (nothing, _) = call(0, 0, 0);
        assert_eq!(call(0, 1, 0), (nothing + page_aside, 0));
        assert_eq!(call(0, 70, 0), (nothing + 70 * page_aside, 0));
        assert_eq!(call(0, 70, 6), (nothing + 70 * (page_aside + changed_page), 70));
        assert_eq!(call(90, 70, 6), (nothing + 90 * (program_page + page_aside) + 20 * changed_page, 20));
        assert_eq!(call(90, 90, 6), (nothing + 90 * program_page, 0), "the same data");
        nothing
    });
}

#[test]
fn who_has_no_gas_for_the_pages_that_it_changed_pays_for_finding_them() {
    let Costs { page_aside, changed_page, operation, .. } = Costs::DEFAULT;
    each_backend(|world| {
        let data = world.data(&[6; 70 * 4096]);
        let mut image = Code::new().op(Operation::Copy, &[2, 14]).reply().image();
        image.mappings = vec![Mapping { start: DATA, size: 1 << 30, source: SlotPath::slot(14) }];
        image.gas_slots = vec![8];
        let meter = world.meter(3, GAS);
        let callee = world.instance(image, &[(2, data), (8, meter)]);
        let code = Code::new().op(Operation::Call, &[5, 0]).copy(Reg::A0, Reg::A1).reply();
        let caller = world.instance(code.image(), &[(5, callee)]);
        let mut call = |gas: u64| {
            world.vm.assist_mut().set_gas_meter(3, gas);
            (world.halts(caller).0, world.vm.assist().gas_meter(3))
        };
        let (comparing, hashing) = (70 * page_aside, 70 * changed_page);
        let (status, left) = call(GAS);
        assert_eq!(status, CallStatus::Halted as u64);
        let before = GAS - left - operation - comparing - hashing;
        let out_of_gas = CallStatus::OutOfGas as u64;
        let all = before + operation + comparing;
        assert_eq!(call(all + hashing), (CallStatus::Halted as u64, 0));
        assert_eq!(call(all + hashing - 1), (out_of_gas, operation + hashing - 1));
        assert_eq!(call(all), (out_of_gas, operation));
        // Not enough for that: nothing is compared.
        assert_eq!(call(all - 1), (out_of_gas, operation + comparing - 1));
        before
    });
}

#[test]
fn a_fault_costs_no_pages() {
    each_backend(|world| {
        let code = Code::new().store(DATA, Reg::SP).store(DATA + 0x1000, Reg::SP).trap();
        let instance = world.instance(with_memory(code.image()), &[]);
        let CallResult::Faulted { gas_used, .. } = world.call(instance) else { panic!() };
        let Costs { program, program_byte, changed_page, .. } = Costs::DEFAULT;
        assert!(gas_used < program + 100 * program_byte + changed_page, "{gas_used}");
        gas_used
    });
}

#[test]
fn an_image_costs_gas_when_it_is_entered_first_in_a_call_and_however_often_it_was_before() {
    let Costs { program, program_byte, program_page, slot, .. } = Costs::DEFAULT;
    each_backend(|world| {
        let constant = world.data(&[7; 5000]);
        let mut callee = Code::new().reply().image();
        callee.pinned = vec![SlotContent { slot: 4, cap: constant }];
        callee.mappings = vec![Mapping { start: 0x1_0000, size: 0x2000, source: SlotPath::slot(4) }];
        let price = |code: usize| program + program_byte * code as u64;
        let of_callee = price(callee.code.len()) + 2 * program_page;
        let callees = [world.instance(callee.clone(), &[]), world.instance(callee, &[(9, constant)])];
        let [once, same] = [[5, 5], [5, 6]].map(|slots| {
            let code = slots.iter().fold(Code::new(), |code, &slot| code.op(Operation::Call, &[slot, 0]));
            world.instance(code.reply().image(), &[(5, callees[0]), (6, callees[1])])
        });
        let first = gas_of(world, once);
        // The program is at hand now, which makes no difference.
        assert_eq!(gas_of(world, once), first);
        world.with_machine(|vm| vm);
        assert_eq!(gas_of(world, once), first);
        assert_eq!(gas_of(world, same) - first, slot, "another instance of the image, with a slot more");

        // Gas for the first instance of a call is the first that is taken.
        let alone = world.instance(Code::new().reply().image(), &[]);
        let length = Code::new().reply().image().code.len();
        let result = world.call_with(alone, [0; 4], price(length) - 1);
        assert_eq!(
            result,
            CallResult::Faulted { reason: FaultReason::OutOfGas, reflected_slot0: None, gas_used: 0 }
        );
        let result = world.call_with(alone, [0; 4], price(length));
        assert!(
            matches!(result, CallResult::Faulted { reason: FaultReason::OutOfGas, gas_used, .. } if gas_used == price(length))
        );

        // For a callee it is taken with the rest of CALL.
        let caller = Code::new().op(Operation::Call, &[5, 0]).reply().image();
        let [all, plain] = [callees[0], alone].map(|callee| {
            let caller = world.instance(caller.clone(), &[(5, callee)]);
            gas_of(world, caller)
        });
        assert_eq!(all - plain, of_callee - price(length) + slot, "it has pages, and a slot for them");
        (first, all)
    });
}

#[test]
fn set_image_costs_what_entering_the_image_costs_once() {
    let Costs { program, program_byte, operation, set_image, .. } = Costs::DEFAULT;
    each_backend(|world| {
        // Both have the same code in the same places, so that it goes on behind the operation.
        let swap = |times: usize| (0..times).fold(Code::new(), |code, _| code.op(Operation::SetImage, &[2]));
        let image = |times: usize, gas: u8| Image { gas_slots: vec![gas], ..swap(times).reply().image() };
        let gas = |world: &mut World, times: usize| {
            let other = world.image(image(times, 200));
            let instance = world.instance(image(times, 201), &[(2, other)]);
            gas_of(world, instance)
        };
        let length = |times: usize| swap(times).reply().image().code.len() as u64;
        let (one, two) = (gas(world, 1), gas(world, 2));
        let per_image = |times| program + program_byte * length(times);
        let code_of_one = one - 2 * per_image(1);
        let code_of_two = two - 2 * per_image(2);
        // The second time it is the operation, its block and no more.
        let block = (code_of_two - code_of_one).checked_sub(operation + set_image);
        assert!(block.is_some_and(|block| (1..400).contains(&block)), "{code_of_one} {code_of_two}");
        (one, two)
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
