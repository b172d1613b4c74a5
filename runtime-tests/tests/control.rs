//! The second set of host functions natively and as Wasm, where they must tell the same to the byte.

use codec::{Decode, DecodeAll, Encode};
use hatchery_client::{ConsensusConstants, Limits, VirtManager};
use hatchery_primitives::{
    ExitInfo, ModuleInfo, ResourceInfo, SnapshotParts, Stop, TransactionType, TrapKind, VirtManagerExt,
};
use hatchery_runtime_tests::{
    Node, Runtime, STRATEGIES, Setup, bare_externalities, externalities,
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

/// What the visit of the bounds tells in a chain with these limits, natively and in every kind of Wasm instance.
fn at_bounds(limits: Limits) -> Vec<String> {
    let input = scenario::control_bounds(guests::counter(JamV1));
    let play = |setup: Setup| -> Vec<String> {
        let mut externalities = bare_externalities(&[]);
        let manager = VirtManager::new(ConsensusConstants::v1().limits(limits));
        externalities.register_extension(VirtManagerExt::new(manager));
        let told = setup.play_in(&mut externalities, &input).expect("it does not trap");
        let told = input.decode(&told).expect("a list");
        told.into_iter().map(|line| String::from_utf8(line).expect("it is text")).collect()
    };
    let native = play(Setup::native(Node::Hatchery));
    for strategy in STRATEGIES {
        let wasm = play(Setup { runtime: Runtime::Wasm(Flavour::Control, strategy), node: Node::Hatchery });
        assert_eq!(wasm, native, "{strategy:?}");
    }
    native
}

/// The lines that begin with this, without it.
fn said<'a>(told: &'a [String], what: &str) -> Vec<&'a str> {
    let lines: Vec<_> = told.iter().filter_map(|line| line.strip_prefix(what)?.strip_prefix(": ")).collect();
    assert!(!lines.is_empty(), "{what} is in none of {told:#?}");
    lines
}

#[test]
fn at_the_ends_of_gas_and_in_wrong_states_wasm_and_native_are_told_the_same() {
    let told = at_bounds(Limits::V1);
    let zeros = format!("{:?}", [0u8; 96]);
    for gas in [0, -1, i64::MIN, 1] {
        let lines = said(&told, &format!("resume with {gas}"));
        assert_eq!(lines[0], format!("(Err(OutOfGas), {zeros})"), "{gas}");
        // The gas that it had is what it still has, to the least number.
        assert!(lines[1].contains(&format!("gas_left: {gas},")), "{gas}: {}", lines[1]);
        assert!(said(&told, &format!("resume with {gas}, then with more"))[0].starts_with("(Ok(Syscall), "));
    }
    assert!(said(&told, &format!("resume with {}", i64::MAX))[0].starts_with("(Ok(Syscall), "));
    let invalid = format!("(Err(InvalidInstance), {zeros})");
    for state in ["idle", "finished", "destroyed"] {
        assert_eq!(said(&told, &format!("resume, {state}"))[0], invalid, "{state}");
    }
    let zero = "CallResult { a0: 0, a1: 0 }";
    for state in ["idle", "prepared", "suspended"] {
        assert_eq!(said(&told, &format!("result, {state}")), [format!("(Err(InvalidState), {zero})")]);
    }
    assert!(said(&told, "result, finished")[0].starts_with("(Ok(()), "));
    assert_eq!(said(&told, "result, destroyed"), [format!("(Err(InvalidInstance), {zero})")]);
    for (state, memory, prepare, unknown) in [
        ("prepared", "Ok(())", "Err(InvalidInstance)", "Err(InvalidInstance)"),
        ("suspended", "Ok(())", "Err(InvalidInstance)", "Err(InvalidInstance)"),
        ("destroyed", "Err(InvalidInstance)", "Err(InvalidInstance)", "Err(InvalidInstance)"),
    ] {
        assert_eq!(said(&told, &format!("zero_memory, {state}")), [memory], "{state}");
        assert_eq!(said(&told, &format!("prepare_with_args, {state}")), [prepare], "{state}");
        assert_eq!(said(&told, &format!("prepare_with_args, unknown export, {state}")), [unknown], "{state}");
    }
    for state in ["idle", "finished"] {
        assert_eq!(said(&told, &format!("zero_memory, {state}")), ["Err(InvalidInstance)"], "{state}");
        let unknown = said(&told, &format!("prepare_with_args, unknown export, {state}"));
        assert_eq!(unknown, ["Err(InvalidImage)"], "{state}");
    }
}

#[test]
fn limits_of_the_second_set_are_the_same_in_wasm() {
    let far = at_bounds(Limits::V1);
    for what in ["prepare_with_args", "fork", "restore"] {
        assert!(said(&far, &format!("nesting: {what}"))[0].starts_with("Ok("), "{what}");
    }
    let near = at_bounds(Limits { nesting: 2, ..Limits::V1 });
    assert_eq!(said(&near, "nesting: prepare_with_args"), ["Err(InvalidImage)"]);
    assert!(said(&near, "nesting: why")[0].contains("Some(Nesting)"), "{near:#?}");
    assert!(said(&near, "nesting: resume")[0].starts_with("(Err(InvalidImage), "));
    for what in ["fork", "restore"] {
        assert_eq!(
            said(&near, &format!("nesting: {what}")),
            ["Err(LimitReached)", "Some(Nesting)"],
            "{what}"
        );
    }
    // One of the two is gone then.
    assert_eq!(said(&near, "nesting with room: prepare_with_args"), ["Ok(())"]);

    let near = at_bounds(Limits { snapshot_bytes: 100, ..Limits::V1 });
    let refused = "Err(LimitReached)";
    assert_eq!(said(&near, "snapshot")[..2], [refused, "Some(SnapshotBytes)"]);
    assert_eq!(said(&near, "snapshot")[2], format!("({refused}, {:?})", [0u8; 40]));
    assert_eq!(said(&near, "snapshot of processes"), [refused, "Some(SnapshotBytes)"]);
    let invalid = ["Err(InvalidSnapshot)", "Some(InvalidSnapshot)"];
    assert_eq!(said(&near, "restore 100 bytes"), invalid);
    assert_eq!(said(&near, "restore 101 bytes"), [refused, "Some(SnapshotBytes)"]);
    assert_eq!(said(&far, "restore 101 bytes"), invalid);

    let end = said(&far, "processes end")[0];
    assert!(end.starts_with("(Ok(Finished), ") && end.contains("a0: 0"), "{end}");
    for limits in [Limits { processes: 2, ..Limits::V1 }, Limits { descriptors: 3, ..Limits::V1 }] {
        let near = at_bounds(limits);
        let end = said(&near, "processes end")[0];
        assert!(end.starts_with("(Ok(Finished), ") && !end.contains("a0: 0"), "the root is told: {end}");
    }
    let near = at_bounds(Limits { instances: 16, ..Limits::V1 });
    assert_eq!(said(&near, "processes"), [refused, "Some(Instances)"], "a tree counts as 17");
}

/// A node without these host functions does not even start such a runtime; without the feature, it does.
#[test]
fn upstream_nodes_refuse_the_runtime_and_not_the_one_without_the_feature() {
    let on_upstream = |flavour| Setup::wasm(flavour, Node::Upstream).play(&input(), &[]);
    let error = on_upstream(Flavour::Control).unwrap_err().to_string();
    assert!(error.contains("ext_virtualization_control_"), "{error}");
    assert!(on_upstream(Flavour::Hatchery).is_ok());
}
