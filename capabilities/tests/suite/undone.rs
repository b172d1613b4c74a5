//! What faults, or is given up, leaves nothing in the directory, and what stays there is complete.

use crate::common::*;
use codec::Encode;
use hatchery_capabilities::*;

/// The number of the quota that [`maker`] has, and how many bytes it allows.
const QUOTA: u64 = 7;
const BYTES: u64 = 1 << 20;

/// Writes a number into memory and makes data of it in slot 9.
fn mint(code: Code, number: u64) -> Code {
    let code = code.set(Reg::S0, number).store(DATA, Reg::S0);
    code.op(Operation::MintData, &[DATA.into(), 8, QUOTA, 9])
}

/// What [`mint`] makes.
fn minted(number: u64) -> CapHash {
    hash(Cap::Data(DataCap::new(&number.to_le_bytes())))
}

fn hash(cap: Cap) -> CapHash {
    cap.hash().unwrap()
}

/// An instance with this code, a quota in slot 1, and these slots.
fn maker(world: &mut World, code: Code, slots: &[(u8, CapHash)]) -> CapHash {
    let quota = world.kernel(KernelImage::Quota, QUOTA);
    let image = Image { quota_slots: vec![1], ..with_memory(code.image()) };
    let slots: Vec<_> = slots.iter().copied().chain([(1, quota)]).collect();
    world.instance(image, &slots)
}

/// A world with a full quota, and a marker that the embedder catches.
fn world(backend: Backend) -> (World, CapHash) {
    let mut world = World::new(backend);
    world.vm.assist_mut().set_storage_quota(QUOTA, BYTES);
    let marker = world.data(b"marker");
    world.vm.assist_mut().catch(marker);
    (world, marker)
}

fn is_here(world: &World, hash: CapHash) -> bool {
    world.cache.contains(hash).unwrap()
}

/// Everything that these lead to is there.
fn check_complete(world: &mut World, roots: &[CapHash]) {
    world.cache.collect(roots.iter().copied()).unwrap();
}

#[test]
fn what_a_callee_has_made_goes_with_it_when_it_faults() {
    for &backend in Backend::AVAILABLE {
        let (mut world, _) = world(backend);
        let made = Code::new().reply_with(1234).image();
        let bytes = world.data(&made.encode());
        let other = world.instance(Code::new().reply().image(), &[]);
        let chain = world.cache.instance(other).unwrap().image_hash_chain;
        let inner = maker(&mut world, mint(Code::new(), 2).reply(), &[]);
        let slots = [(2, bytes), (3, other), (5, inner)];
        let making = mint(Code::new(), 1)
            .op(Operation::MakeImage, &[2, u64::MAX, u64::MAX, 10])
            .op(Operation::TypeOf, &[3, 11])
            .op(Operation::Call, &[5, 0]);
        let all = [
            minted(1),
            minted(2),
            hash(Cap::Image(made)),
            hash(Cap::Type(TypeCap { image_hash_chain: chain })),
        ];

        let faulting = maker(&mut world, making.clone().trap(), &slots);
        let calls = |code: Code| (0..3).fold(code, |code, _| code.op(Operation::Call, &[5, 0]));
        let caller = world.instance(calls(Code::new()).reply().image(), &[(5, faulting)]);
        let before = world.cache.resident_bytes();
        let (_, after) = world.halts(caller);
        assert!(all.iter().all(|&hash| !is_here(&world, hash)), "{backend:?}");
        assert_eq!(world.vm.assist().storage_quota(QUOTA), BYTES);
        // The nodes and instances that it has become are there, and nothing else.
        world.cache.collect([caller, after, faulting]).unwrap();
        assert!(world.cache.resident_bytes() < before + 4096);

        // The same, but that it replies.
        let replying = maker(&mut world, making.reply(), &slots);
        let caller = world.instance(calls(Code::new()).reply().image(), &[(5, replying)]);
        let (_, after) = world.halts(caller);
        assert!(all.iter().all(|&hash| is_here(&world, hash)), "{backend:?}");
        check_complete(&mut world, &[after, replying]);
        assert!(all.iter().all(|&hash| is_here(&world, hash)), "it holds them");

        // And that its caller faults.
        check_complete(&mut world, &[replying]);
        let caller = world.instance(calls(Code::new()).trap().image(), &[(5, replying)]);
        world.faults(caller);
        assert!(all.iter().all(|&hash| !is_here(&world, hash)), "{backend:?}");
    }
}

#[test]
fn what_others_have_made_as_well_stays() {
    for &backend in Backend::AVAILABLE {
        let (mut world, _) = world(backend);
        let faulting = maker(&mut world, mint(Code::new(), 1).trap(), &[]);
        let replying = maker(&mut world, mint(Code::new(), 1).reply(), &[]);
        for (code, own) in [
            (mint(Code::new(), 1).op(Operation::Call, &[5, 0]), 9),
            (Code::new().op(Operation::Call, &[6, 0]).op(Operation::Call, &[5, 0]), 6),
            (Code::new().op(Operation::Call, &[5, 0]).op(Operation::Call, &[6, 0]), 6),
        ] {
            let caller = maker(&mut world, code.reply(), &[(5, faulting), (6, replying)]);
            assert!(!is_here(&world, minted(1)));
            let (_, after) = world.halts(caller);
            let holder = if own == 9 { after } else { world.slot(after, own).unwrap() };
            assert_eq!(world.slot(holder, 9), Some(minted(1)));
            check_complete(&mut world, &[after, faulting, replying]);
            assert!(is_here(&world, minted(1)));
            // As it was.
            check_complete(&mut world, &[faulting, replying]);
        }
    }
}

#[test]
fn what_faulted_or_was_given_up_as_a_whole_leaves_nothing() {
    let (mut world, marker) = world(Backend::Auto);
    let faulting = maker(&mut world, mint(Code::new(), 1).trap(), &[]);
    world.faults(faulting);
    assert!(!is_here(&world, minted(1)));

    let pausing = mint(Code::new(), 2).op(Operation::Yield, &[3]).reply();
    let pausing = maker(&mut world, pausing, &[(3, marker)]);
    let idle = world.instance(Code::new().reply().image(), &[]);
    let give_up: [fn(&mut World); 3] = [
        |world| world.vm.drop_paused().unwrap(),
        |world| assert_eq!(world.vm.drop_to_catcher(&mut world.cache), Ok(None)),
        // The machine itself.
        |world| world.with_machine(|vm| vm),
    ];
    let look: [fn(&mut World, CapHash); 2] = [
        |world, _| world.cache.commit(Vec::new()).unwrap(),
        |world, idle| assert_eq!(world.halts(idle).0, 0),
    ];
    for give_up in give_up {
        for look in look {
            assert!(matches!(world.call(pausing), CallResult::Paused { .. }));
            assert!(is_here(&world, minted(2)));
            give_up(&mut world);
            look(&mut world, idle);
            assert!(!is_here(&world, minted(2)));
        }
    }
}

#[test]
fn what_the_embedder_keeps_meanwhile_stays_with_all_that_it_names() {
    let keep: [fn(&mut World, CapHash); 5] = [
        |world, node| world.cache.hold(node),
        |world, node| {
            let kept = world.cnode(3, &[(7, node)]);
            assert!(is_here(world, kept));
        },
        |world, node| {
            let content = world.cache.cnode(node).unwrap();
            assert_eq!(world.cache.put(Cap::CNode(content)), Ok(node));
        },
        |world, _| world.cache.commit(Vec::new()).unwrap(),
        |world, _| drop(world.vm.suspend(&mut world.cache).unwrap()),
    ];
    for keep in keep {
        let (mut world, _) = world(Backend::Auto);
        // The marker is a node in a node with what was made in it.
        let code = mint(Code::new(), 3)
            .op(Operation::MintCNode, &[10, 1])
            .op(Operation::Move, &[9, path(&[10, 1])])
            .op(Operation::MintCNode, &[11, 1])
            .op(Operation::Move, &[10, path(&[11, 0])])
            .op(Operation::Yield, &[11])
            .trap();
        let instance = maker(&mut world, code, &[]);
        let inner = world.data(&3u64.to_le_bytes());
        let inner_node = world.cnode(1, &[(1, inner)]);
        let node = world.cnode(1, &[(0, inner_node)]);
        world.cache.collect([instance]).unwrap();
        world.vm.assist_mut().catch(node);
        assert!(matches!(world.call(instance), CallResult::Paused { marker, .. } if marker == node));
        keep(&mut world, node);
        assert!(matches!(world.resume(None), CallResult::Faulted { .. }));
        world.cache.commit(Vec::new()).unwrap();
        assert_eq!(inner, minted(3));
        for hash in [node, inner_node, inner] {
            assert!(world.cache.get(hash).is_ok());
        }
    }
}

#[test]
fn a_capability_that_is_given_stays() {
    let (mut world, marker) = world(Backend::Auto);
    let yielding = mint(Code::new(), 1).op(Operation::Yield, &[3]).trap();
    let yielding = maker(&mut world, yielding, &[(3, marker)]);
    assert!(matches!(world.call(yielding), CallResult::Paused { .. }));
    // What one machine's call has made is given to another's, which keeps it.
    let mut other = Vm::new(InProcessAssist::default());
    let keeper = world.instance(Code::new().op(Operation::Move, &[0, 5]).reply().image(), &[]);
    let result = other.invoke_with(&mut world.cache, keeper, 0, [0; 4], GAS, Some(minted(1))).unwrap();
    let CallResult::Halt { post_instance_hash, .. } = result else { panic!("{result:?}") };
    assert!(matches!(world.resume(None), CallResult::Faulted { .. }));
    assert_eq!(world.slot(post_instance_hash, 5), Some(minted(1)));
    check_complete(&mut world, &[post_instance_hash]);
}

#[test]
fn machines_that_share_a_directory_do_not_undo_what_the_others_have_made() {
    let (mut world, marker) = world(Backend::Auto);
    let code = |end: fn(Code) -> Code| end(mint(Code::new(), 1).op(Operation::Yield, &[3]));
    let [faulting, replying] =
        [code(Code::trap), code(Code::reply)].map(|code| maker(&mut world, code, &[(3, marker)]));
    let machine = |world: &World| Vm::new(world.vm.assist().clone());
    for first_faults in [true, false] {
        let mut machines = [machine(&world), machine(&world)];
        for (vm, instance) in machines.iter_mut().zip([faulting, replying]) {
            let result = vm.invoke(&mut world.cache, instance, 0, [0; 4], GAS).unwrap();
            assert!(matches!(result, CallResult::Paused { .. }));
        }
        let order = if first_faults { [0, 1] } else { [1, 0] };
        for at in order {
            assert!(is_here(&world, minted(1)));
            machines[at].resume(&mut world.cache, None).unwrap();
        }
        world.cache.commit(Vec::new()).unwrap();
        assert!(world.cache.get(minted(1)).is_ok());
        world.cache.collect([faulting, replying]).unwrap();
        assert!(!is_here(&world, minted(1)));
    }
    // Both fault.
    let mut machines = [machine(&world), machine(&world)];
    for vm in &mut machines {
        vm.invoke(&mut world.cache, faulting, 0, [0; 4], GAS).unwrap();
    }
    for vm in &mut machines {
        assert!(is_here(&world, minted(1)));
        vm.resume(&mut world.cache, None).unwrap();
    }
    assert!(!is_here(&world, minted(1)));
}

#[test]
fn a_suspended_call_goes_on_although_it_was_given_up_where_it_was() {
    for &backend in Backend::AVAILABLE {
        let (mut world, marker) = world(backend);
        let callee = mint(Code::new(), 1).op(Operation::Yield, &[3]);
        let callee = maker(&mut world, mint(callee, 2).trap(), &[(3, marker)]);
        let code = mint(Code::new(), 3).op(Operation::Call, &[5, 0]).reply();
        let caller = maker(&mut world, code, &[(5, callee)]);
        assert!(matches!(world.call(caller), CallResult::Paused { .. }));
        let suspended = world.vm.suspend(&mut world.cache).unwrap();
        let assist = world.vm.assist().clone();
        world.vm.drop_paused().unwrap();
        world.with_machine(|_| Vm::new(assist).backend(backend));
        world.cache.commit(Vec::new()).unwrap();
        world.vm.restore(&mut world.cache, &suspended).unwrap();
        let result = world.resume(None);
        let CallResult::Halt { post_instance_hash, .. } = result else { panic!("{result:?}") };
        assert_eq!(world.slot(post_instance_hash, 9), Some(minted(3)));
        assert!(!is_here(&world, minted(2)), "made since by who has faulted");
        assert_eq!(world.vm.assist().storage_quota(QUOTA), BYTES - 4096);
        check_complete(&mut world, &[post_instance_hash]);
    }
}

/// Nodes are paid for when they are written, not when they are settled: what was settled stays settled, whoever faults.
#[test]
fn what_is_settled_for_who_faults_is_not_settled_again() {
    let (mut world, marker) = world(Backend::Auto);
    let unknown = world.data(b"a marker that nobody catches");
    let callee = world.instance(Code::new().op(Operation::Yield, &[3]).reply().image(), &[(3, unknown)]);
    let with_node = |code: Code| {
        let code = code.op(Operation::MintCNode, &[10, 5]).op(Operation::Copy, &[3, path(&[10, 4])]);
        code.op(Operation::Call, &[5, 0])
    };
    let code = with_node(Code::new()).op(Operation::Drop, &[10]).reply();
    let image = Image { yield_marker_slot: Some(10), ..code.image() };
    let caller = world.instance(image, &[(3, marker), (5, callee)]);
    let mut node = CNode::new(5).unwrap();
    node.set(4, Some(marker)).unwrap();
    let node = hash(Cap::CNode(node));
    world.halts(caller);
    assert!(is_here(&world, node));

    // Unless what it names goes away.
    let code = mint(Code::new(), 1)
        .op(Operation::MintCNode, &[10, 5])
        .op(Operation::Copy, &[9, path(&[10, 4])])
        .op(Operation::Call, &[5, 0])
        .trap();
    let quota = world.kernel(KernelImage::Quota, QUOTA);
    let image = Image { yield_marker_slot: Some(10), quota_slots: vec![1], ..with_memory(code.image()) };
    let middle = world.instance(image, &[(1, quota), (5, callee)]);
    let caller = world.instance(Code::new().op(Operation::Call, &[5, 0]).reply().image(), &[(5, middle)]);
    let mut node = CNode::new(5).unwrap();
    node.set(4, Some(minted(1))).unwrap();
    world.halts(caller);
    assert!(!is_here(&world, minted(1)));
    assert!(!is_here(&world, hash(Cap::CNode(node))));
}
