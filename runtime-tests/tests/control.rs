//! The second set of host functions natively and as Wasm, where they must tell the same to the byte.

use codec::{Decode, DecodeAll, Encode};
use hatchery_primitives::{
    ExitInfo, ModuleInfo, ResourceInfo, SnapshotParts, Stop, TransactionType, TrapKind,
};
use hatchery_runtime_tests::{
    Node, Runtime, STRATEGIES, Setup, externalities,
    guests::{self, InstructionSet::JamV1},
};
use hatchery_test_runtime::{Flavour, Input, scenario};

fn input() -> Input<Vec<Vec<u8>>> {
    scenario::control(guests::counter(JamV1))
}

fn play(setup: Setup) -> Vec<Vec<u8>> {
    let input = input();
    let result = setup.play(&input, &[]).expect("it does not trap");
    input.decode(&result).expect("a list")
}

fn decode<T: Decode>(told: &[u8]) -> T {
    T::decode(&mut &told[..]).expect("what the host function tells")
}

#[test]
fn natively_it_tells_what_happened() {
    let told = play(Setup::native(Node::Hatchery));
    let module: ModuleInfo = decode(&told[0]);
    assert!(module.exports.contains(&b"counter".to_vec()), "{module:?}");
    assert_eq!(module.code_bytes as usize, guests::counter(JamV1).len());
    let resources: ResourceInfo = decode(&told[1]);
    assert_eq!((resources.modules.used, resources.instances.used), (1, 0));
    assert_eq!(resources.modules_bytes.used as usize, guests::counter(JamV1).len());
    let trap: ExitInfo = decode(&told[2]);
    assert_eq!(trap.stop, Stop::Trap { kind: TrapKind::TRAP, address: None });
    assert!((1..1_000_000).contains(&trap.gas_left), "{trap:?}");
    assert_eq!(told[3], b"Err(InvalidState)");
    assert_eq!(decode::<ExitInfo>(&told[4]).stop, Stop::OutOfGas);
    assert_eq!(decode::<ExitInfo>(&told[5]), ExitInfo::default(), "after a reset");
    assert!(matches!(decode::<ExitInfo>(&told[7]).stop, Stop::Syscall { .. }));
    let resources: ResourceInfo = decode(&told[8]);
    assert_eq!((resources.instances.used, resources.nesting.used), (3, 2));
    assert_eq!(told[9], [7, 7, 0, 0, 0, 7, 7, 7]);
    assert_eq!(told[10], b"Err(OutOfBounds)");
    let text = |part: &[u8]| told.iter().filter(|told| told.as_slice() == part).count();
    assert_eq!(text(b"Ok(Some(InvalidProgram))"), 1);
    assert_eq!(text(b"Err(InvalidModule)"), 6);
    assert_eq!(text(b"Err(InvalidInstance)"), 8);
    assert_eq!(text(&[0; 40]), 3, "output is zero after an error");
    assert_eq!(text(&[0; 96]), 1);
    assert_eq!(text(b"Ok(23)"), 4, "with the reason of the last refusal it is a byte longer");
}

/// What the part of the tour about snapshots tells, in order.
#[test]
fn snapshots_tell_the_same_and_go_on_in_the_same_way() {
    let told = play(Setup::native(Node::Hatchery));
    let first = told.iter().position(|told| {
        SnapshotParts::decode(&mut &told[..]).is_ok_and(|parts| parts.version == 1 && parts.encode() == *told)
    });
    let told = &told[first.expect("a snapshot")..];
    let [idle, prepared, starved, suspended, trapped] = [0, 1, 2, 3, 4].map(|at| &told[at]);
    for snapshot in [idle, prepared, starved, suspended, trapped] {
        let parts: SnapshotParts = decode(snapshot);
        assert!((150..300).contains(&parts.head.len()), "{}", parts.head.len());
        assert!(parts.pages.len() < 3, "{}", parts.pages.len());
    }
    let stops: Vec<_> = told[5..]
        .iter()
        .filter_map(|told| ExitInfo::decode_all(&mut &told[..]).ok())
        .map(|info| info.stop)
        .collect();
    assert_eq!(stops[0], Stop::Idle);
    assert_eq!(stops[1], Stop::Ready);
    assert!(
        stops.contains(&Stop::OutOfGas)
            && stops.contains(&Stop::Trap { kind: TrapKind::TRAP, address: None })
    );
    // What was prepared and what ran out of gas at once go on to the same syscall.
    let again = told[5..].iter().filter(|told| *told == suspended).count();
    assert!(again > 0, "it goes on as the original did");
    let text = |part: &[u8]| told.iter().filter(|told| told.as_slice() == part).count();
    assert_eq!(text(b"InvalidInstance"), 2, "idle and trapped: there is nothing to go on with");
    assert_eq!(text(b"Err(InvalidSnapshot)"), 3);
    assert_eq!(text(b"Ok(Some(InvalidSnapshot))"), 1);
    assert_eq!(text(format!("Ok({})", idle.len()).as_bytes()), 3);
    assert_eq!(text(&[&idle[..], &[0; 3]].concat()), 1);
}

/// What the part of the tour about processes tells.
#[test]
fn a_tree_of_processes_goes_on_from_its_snapshots() {
    let told = play(Setup::native(Node::Hatchery));
    let of_tree =
        |told: &&Vec<u8>| SnapshotParts::decode_all(&mut &told[..]).is_ok_and(|parts| parts.version == 129);
    let snapshots: Vec<&Vec<u8>> = told.iter().filter(of_tree).collect();
    assert!(snapshots.len() > 4, "{} slices", snapshots.len());
    let places = |snapshot: &[u8]| {
        let parts: SnapshotParts = decode(snapshot);
        let mut places: Vec<u32> = parts.pages.iter().map(|(page, _)| page >> 20).collect();
        places.dedup();
        places
    };
    assert!(places(snapshots[0]).is_empty(), "nothing is written yet");
    assert!(snapshots.iter().any(|snapshot| places(snapshot).len() > 1), "several processes have pages");
    let resources: Vec<ResourceInfo> = told
        .iter()
        .filter_map(|told| ResourceInfo::decode_all(&mut &told[..]).ok())
        .filter(|info| info.instances.limit == 1024)
        .collect();
    let last = resources.last().expect("limits were asked for");
    assert_eq!((last.most_processes, last.most_descriptors), (17, 64));
    assert!(last.instances.used >= 17, "a tree counts as all that it may come to: {last:?}");
    let said = told.iter().filter(|told| told.windows(6).any(|part| part == b"\x109592\x02"));
    assert_eq!(said.count(), 1, "there are 9592 primes below 100,000, says a process at a syscall");
    let text = |part: &[u8]| told.iter().filter(|told| told.as_slice() == part).count();
    assert_eq!(text(b"Err(InvalidPrograms)"), 6, "no list, and one with an identifier twice");
}

#[test]
fn in_wasm_it_tells_the_same() {
    let native = play(Setup::native(Node::Hatchery));
    assert!(native.len() > 30, "{}", native.len());
    for strategy in STRATEGIES {
        let wasm = play(Setup { runtime: Runtime::Wasm(Flavour::Control, strategy), node: Node::Hatchery });
        for (at, (wasm, native)) in wasm.iter().zip(&native).enumerate() {
            assert_eq!(wasm, native, "step {at}, {strategy:?}");
        }
        assert_eq!(wasm.len(), native.len());
    }
}

/// What a node tried and gave up, trees of processes included, leaves nothing: made again, it tells the same, ids included.
#[test]
fn what_was_rolled_back_leaves_nothing() {
    for setup in [Setup::native(Node::Hatchery), Setup::wasm(Flavour::Control, Node::Hatchery)] {
        let mut externalities = externalities(Node::Hatchery, &[]);
        externalities.extensions.start_transaction(TransactionType::Host);
        let told = setup.play_in(&mut externalities, &input()).expect("it does not trap");
        externalities.extensions.rollback_transaction(TransactionType::Host);
        for is_new in [true, false] {
            let again = setup.play_in(&mut externalities, &input()).expect("it does not trap");
            assert_eq!(told == again, is_new, "{setup}");
        }
    }
}

/// A program that is past a limit is told from one that is none.
#[test]
fn the_cause_of_a_refusal_is_told() {
    let too_long = vec![0; (16 << 20) + 1];
    let programs = [
        (b"no program".to_vec(), "InvalidProgram"),
        (too_long, "CodeBytes"),
        (guests::growing((256 << 8) + 1), "MemoryBytes"),
    ];
    for (program, cause) in programs {
        let input = scenario::control(program);
        for setup in [Setup::native(Node::Hatchery), Setup::wasm(Flavour::Control, Node::Hatchery)] {
            let told = input.decode(&setup.play(&input, &[]).expect("it does not trap")).expect("a list");
            assert_eq!(told, [format!("Ok(Some({cause}))").into_bytes()], "{setup}");
        }
    }
}

/// A node without these host functions does not even start such a runtime; without the feature, it does.
#[test]
fn upstream_nodes_refuse_the_runtime_and_not_the_one_without_the_feature() {
    let on_upstream = |flavour| Setup::wasm(flavour, Node::Upstream).play(&input(), &[]);
    let error = on_upstream(Flavour::Control).unwrap_err().to_string();
    assert!(error.contains("ext_virtualization_control_"), "{error}");
    assert!(on_upstream(Flavour::Hatchery).is_ok());
}
