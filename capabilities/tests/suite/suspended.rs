//! Paused calls as data: going on elsewhere is going on here, and nothing but what a machine has made is taken.

use crate::common::*;
use hatchery_capabilities::*;

/// More than any suspended call here has.
const LIMIT: usize = 1 << 20;

/// Yields `a0` of its calls in slot 3 from inside: a caller that has an own node in its hand, a callee that writes and has a quota, and
/// the yielder, twice.
fn tree(world: &mut World) -> CapHash {
    let marker = world.data(b"marker");
    let data = world.data(b"data");
    let quota = world.quota(1, 100_000);
    let yielder = Code::new()
        .load(Reg::S0, DATA)
        .add(Reg::S0, Reg::S0, 1)
        .store(DATA, Reg::S0)
        .op(Operation::Yield, &[3])
        .sum(Reg::S0, Reg::S0, Reg::A0)
        .store(ASIDE, Reg::S0)
        .op(Operation::Copy, &[0, 9])
        .copy(Reg::A0, Reg::S0)
        .ret();
    let yielder = world.instance(with_memory(yielder.image()), &[(0, data), (3, marker)]);
    let mint = [u64::from(DATA), 500, 1, 8];
    let middle = Code::new()
        .op(Operation::MintCNode, &[6, 3])
        .op(Operation::Copy, &[2, path(&[6, 1])])
        .op(Operation::Move, &[6, 0])
        .op(Operation::MintData, &mint)
        .op(Operation::Call, &[path(&[7, 1]), 0])
        .op(Operation::Copy, &[path(&[7, 1]), 10])
        .op(Operation::Call, &[10, 0])
        .op(Operation::Save, &[8, 1])
        .load(Reg::A0, DATA)
        .add(Reg::A0, Reg::A0, 40)
        .store(DATA, Reg::A0)
        .reply();
    let node = world.cnode(2, &[(1, yielder)]);
    let mut middle = with_memory(middle.image());
    middle.quota_slots = vec![11];
    let meter = world.meter(1, 1_000_000);
    middle.gas_slots = vec![12];
    let middle = world.instance(middle, &[(2, data), (7, node), (11, quota), (12, meter)]);
    let top = Code::new()
        .op(Operation::Call, &[5, 0])
        .op(Operation::Call, &[5, 0])
        .op(Operation::Move, &[0, 6])
        .reply();
    let catcher = world.catcher(1, &[marker]);
    let mut top = with_memory(top.image());
    top.yield_marker_slot = Some(9);
    let top = world.instance(top, &[(5, middle), (9, catcher)]);
    world.vm.assist_mut().catch(KernelImage::OogMarker.hash());
    top
}

/// What is done about a pause.
fn top_up(vm: &mut Vm<InProcessAssist>, more: u64) {
    vm.add_gas(more);
    let left = vm.assist().gas_meter(1);
    vm.assist_mut().set_gas_meter(1, left + more);
}

/// All results of a call, and meters, quotas and files after it.
type Course = (Vec<CallResult>, InProcessAssist);

/// Runs a call to its end. `between` may put another machine in the place of the one that paused.
fn course(world: &mut World, instance: CapHash, gas: u64, mut between: impl FnMut(&mut World)) -> Course {
    let payload = world.data(b"payload");
    let mut results = vec![world.call_with(instance, [0; 4], gas)];
    while let Some(CallResult::Paused { marker, .. }) = results.last() {
        let is_for_gas = *marker == KernelImage::OogMarker.hash();
        between(world);
        if is_for_gas {
            top_up(&mut world.vm, 1500);
        }
        results.push(world.resume((!is_for_gas && results.len() % 2 == 0).then_some(payload)));
    }
    (results, world.vm.assist().clone())
}

/// Stores the call and goes on with it in a new process, as it were, on another backend.
fn elsewhere(world: &mut World, backend: Backend) -> Vec<u8> {
    let suspended = world.vm.suspend(&mut world.cache).unwrap();
    let bytes = suspended.to_bytes();
    let decoded = SuspendedCall::from_bytes(&bytes, LIMIT).unwrap();
    assert_eq!(
        (decoded.to_bytes(), decoded.gas(), decoded.depth()),
        (bytes.clone(), world.vm.gas(), world.vm.call_stack().depth() - 1)
    );
    world.cache.commit(vec![world.vm.assist().record()]).unwrap();
    let assist = InProcessAssist::load(&world.cache).unwrap();
    let mut other = Vm::new(assist).backend(backend).costs(CHEAP);
    other.restore(&mut world.cache, &decoded).unwrap();
    assert_eq!(other.suspend(&mut world.cache).unwrap().to_bytes(), bytes);
    assert_eq!(other.call_stack().caught_by(), world.vm.call_stack().caught_by());
    world.vm = other;
    assert_eq!(world.cache.working(), 0, "nothing of it is only in memory");
    bytes
}

#[test]
fn a_call_goes_on_elsewhere_as_it_would_have_here_wherever_it_runs_out_of_gas() {
    let mut world = World::new(Backend::Interpreter);
    world.with_machine(|vm| vm.costs(CHEAP));
    let instance = tree(&mut world);
    let before = world.vm.assist().clone();
    let plenty = course(&mut world, instance, GAS, |_| {});
    assert!(matches!(plenty.0.last(), Some(CallResult::Halt { .. })), "{plenty:?}");
    assert!(plenty.0.len() > 4, "{plenty:?}");
    let all: u64 = plenty.0.iter().map(CallResult::gas_used).sum();
    // 37 is a prime, so that all instructions are hit sooner or later.
    for gas in (0..all + 37).step_by(37) {
        *world.vm.assist_mut() = before.clone();
        world.vm.assist_mut().set_gas_meter(1, gas / 2);
        let here = course(&mut world, instance, gas, |_| {});
        for backend in Backend::AVAILABLE {
            let mut world = World::new(*backend);
            world.with_machine(|vm| vm.costs(CHEAP));
            assert_eq!(tree(&mut world), instance);
            world.vm.assist_mut().set_gas_meter(1, gas / 2);
            let mut turn = 0;
            let there = course(&mut world, instance, gas, |world| {
                turn += 1;
                elsewhere(world, Backend::AVAILABLE[turn % Backend::AVAILABLE.len()]);
            });
            assert_eq!(there, here, "with {gas} gas, beginning on {backend:?}");
        }
    }
}

#[test]
fn equal_states_have_equal_bytes_however_they_came_about() {
    each_backend(|world| {
        world.with_machine(|vm| vm.costs(CHEAP));
        let instance = tree(world);
        let mut all = Vec::new();
        let stored = course(world, instance, GAS, |world| all.push(elsewhere(world, Backend::Auto)));
        *world.vm.assist_mut() = InProcessAssist::default();
        assert_eq!(tree(world), instance);
        let mut again = Vec::new();
        let stayed = course(world, instance, GAS, |world| {
            again.push(world.vm.suspend(&mut world.cache).unwrap().to_bytes());
        });
        assert_eq!((&all, &stored), (&again, &stayed));
        all
    });
}

/// Data in every kind of mapping: where PolkaVM puts memory and elsewhere, writable and not, as the image says and not.
#[test]
fn memory_that_shows_data_goes_on_elsewhere_as_well() {
    /// Read-write data begin 64 KiB behind the end of a page of read-only data.
    const WRITABLE: u32 = 0x3_0000;
    const FAR: u32 = 0x60_0000;
    const GIVEN_SLOT: u8 = 251;
    let instance_of = |world: &mut World| {
        let [constant, declared, given] = [1, 2, 3].map(|byte| world.data(&[byte; 4096]));
        let marker = world.data(b"marker");
        world.vm.assist_mut().catch(marker);
        let code = Code::new()
            .load(Reg::S0, WRITABLE + 16)
            .store(WRITABLE + 24, Reg::S0)
            .store(WRITABLE + 0x1000, Reg::S0)
            .store(ASIDE + 8, Reg::S0)
            .op(Operation::Drop, &[GIVEN_SLOT.into()])
            .op(Operation::Yield, &[3]);
        let addresses = [0x1_0000, WRITABLE, WRITABLE + 24, WRITABLE + 0x1000, ASIDE, ASIDE + 8, FAR];
        let code = addresses.iter().fold(code, |code, &address| {
            code.load(Reg::A1, address).sum(Reg::A0, Reg::A0, Reg::A1).store(ASIDE + 16, Reg::A0)
        });
        let mut image = code.reply().image();
        let mapping = |start, size, slot: u8| Mapping { start, size, source: SlotPath::slot(slot.into()) };
        image.mappings = vec![
            mapping(0x1_0000, 0x1000, 4),
            mapping(WRITABLE, 0x2000, DATA_SLOT),
            mapping(ASIDE, 0x1000, GIVEN_SLOT),
            mapping(FAR, 0x1000, 4),
        ];
        image.pinned = vec![SlotContent { slot: 4, cap: constant }];
        image.initial = vec![SlotContent { slot: DATA_SLOT, cap: declared }];
        let as_declared = world.instance(image.clone(), &[(3, marker), (GIVEN_SLOT, given)]);
        [as_declared, world.instance(image, &[(3, marker), (DATA_SLOT, given), (GIVEN_SLOT, given)])]
    };
    each_backend(|world| {
        world.with_machine(|vm| vm.costs(CHEAP));
        let mut courses = Vec::new();
        for instance in instance_of(world) {
            let here = course(world, instance, GAS, |_| {});
            assert!(matches!(here.0[..], [CallResult::Paused { .. }, CallResult::Halt { .. }]), "{here:?}");
            for &backend in Backend::AVAILABLE {
                let there = course(world, instance, GAS, |world| drop(elsewhere(world, backend)));
                assert_eq!(there, here, "on {backend:?}");
            }
            courses.push(here);
        }
        assert_ne!(courses[0], courses[1]);
        courses
    });
}

#[test]
fn it_can_be_dropped_elsewhere_as_well() {
    each_backend(|world| {
        world.with_machine(|vm| vm.costs(CHEAP));
        let instance = tree(world);
        let before = world.vm.assist().storage_quotas().collect::<Vec<_>>();
        world.call_with(instance, [0; 4], GAS);
        elsewhere(world, Backend::Auto);
        assert_ne!(world.vm.assist().storage_quotas().collect::<Vec<_>>(), before, "a page was made");
        let result = world.vm.drop_to_catcher(&mut world.cache).unwrap().unwrap();
        assert!(
            matches!(result, CallResult::Paused { catcher: Catcher::Entry(0), .. }),
            "it calls again: {result:?}"
        );
        elsewhere(world, Backend::Auto);
        world.vm.drop_paused().unwrap();
        assert_eq!(world.vm.assist().storage_quotas().collect::<Vec<_>>(), before);
        assert!(world.vm.call_stack().is_empty() && world.vm.roots().is_empty());
        result
    });
}

#[test]
fn what_it_names_is_not_collected_and_suffices() {
    let mut world = World::new(Backend::Auto);
    let instance = tree(&mut world);
    let expected = course(&mut world, instance, GAS, |_| {});
    let mut world = World::new(Backend::Auto);
    tree(&mut world);
    let got = course(&mut world, instance, GAS, |world| {
        // Working entries and all. What is forgotten is not lost.
        assert_eq!(world.cache.collect([]), Err(CacheError::Paused { paused: 1, known: 0 }));
        world.vm.collect(&mut world.cache, []).unwrap();
        let suspended = world.vm.suspend(&mut world.cache).unwrap();
        world.vm.collect(&mut world.cache, []).unwrap();
        let files = world.vm.assist().roots();
        world.vm = Vm::new(world.vm.assist().clone());
        if world.vm.assist().files().count() % 2 == 0 {
            // The store keeps it, in a directory of its own.
            world.cache.commit(vec![suspended.record("here"), world.vm.assist().record()]).unwrap();
            world.vm.collect(&mut world.cache, []).unwrap();
            assert_eq!(SuspendedCall::load(&world.cache, "here", LIMIT), Ok(Some(suspended.clone())));
            world.cache.commit(vec![SuspendedCall::removal("here")]).unwrap();
            assert_eq!(SuspendedCall::load(&world.cache, "here", LIMIT), Ok(None));
        } else {
            world.cache.collect(suspended.roots().chain(files)).unwrap();
        }
        // Only what changes in it is charged, so it has to be known as it was.
        assert!(world.cache.get(instance).is_ok());
        world.vm.restore(&mut world.cache, &suspended).unwrap();
        // What the test itself has named.
        world.data(b"payload");
    });
    assert_eq!(got, expected);
}

#[test]
fn other_bytes_are_refused() {
    let mut world = World::new(Backend::Auto);
    let instance = tree(&mut world);
    world.call_with(instance, [0; 4], GAS);
    let suspended = world.vm.suspend(&mut world.cache).unwrap();
    let bytes = suspended.to_bytes();
    for length in 0..bytes.len() {
        let error = SuspendedCall::from_bytes(&bytes[..length], LIMIT).unwrap_err();
        assert!(matches!(error, SuspendedCallError::Malformed { .. }), "{error}");
    }
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(SuspendedCall::from_bytes(&changed, LIMIT).is_err(), "byte {at}");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(SuspendedCall::from_bytes(&longer, LIMIT).is_err());
    let error = SuspendedCall::from_bytes(&bytes, bytes.len() - 1).unwrap_err();
    assert_eq!(error, SuspendedCallError::TooLong { length: bytes.len(), limit: bytes.len() - 1 });
}

/// Bytes with a hash of their own: what a store that somebody has written to could hold.
#[test]
fn forged_bytes_give_an_error_or_a_machine_that_works() {
    let mut world = World::new(Backend::Interpreter);
    let instance = tree(&mut world);
    world.call_with(instance, [0; 4], GAS);
    let bytes = world.vm.suspend(&mut world.cache).unwrap().to_bytes();
    let content = &bytes[..bytes.len() - 32];
    let assist = world.vm.assist().clone();
    let (mut refused, mut taken) = (0, 0);
    for at in 0..content.len() {
        let mut forged = content.to_vec();
        forged[at] = forged[at].wrapping_add(1 + (at % 3) as u8);
        let digest = blake2b_simd::Params::new().hash_length(32).hash(&forged);
        forged.extend(digest.as_bytes());
        let Ok(suspended) = SuspendedCall::from_bytes(&forged, LIMIT) else {
            refused += 1;
            continue;
        };
        assert_eq!(suspended.to_bytes(), forged, "what is decoded encodes to the same");
        let mut vm = Vm::new(assist.clone()).backend(Backend::Interpreter);
        if vm.restore(&mut world.cache, &suspended).is_err() {
            assert!(vm.call_stack().is_empty(), "nothing was done");
            refused += 1;
            continue;
        }
        taken += 1;
        let _ = vm.resume(&mut world.cache, None);
    }
    assert!(refused > 100 && taken > 0, "{refused} refused, {taken} taken");
}

#[test]
fn what_a_machine_cannot_go_on_with_is_said() {
    let mut world = World::new(Backend::Auto);
    let instance = tree(&mut world);
    assert_eq!(world.vm.suspend(&mut world.cache), Err(VmError::NotPaused));
    world.call_with(instance, [0; 4], GAS);
    let suspended = world.vm.suspend(&mut world.cache).unwrap();
    let mut restored = |vm: &mut Vm<InProcessAssist>| vm.restore(&mut world.cache, &suspended).unwrap_err();
    assert_eq!(restored(&mut world.vm), SuspendedCallError::Busy);
    let mut small = Vm::with_max_depth(InProcessAssist::default(), 2);
    assert_eq!(restored(&mut small).to_string(), "3 instances: the call stack has room for 2");
    let mut other = Vm::new(InProcessAssist::default());
    let error = other.restore(&mut CacheDirectory::default(), &suspended).unwrap_err();
    assert!(matches!(error, SuspendedCallError::Load { position: 0, .. }), "{error}");
}
