//! Random sequences of host calls, on Hatchery and on upstream: the same answer to every call, to the byte.
//!
//! The sequences are the same in every run. `PROPTEST_CASES` makes more of them.

use hatchery_runtime_tests::{
    Node, Setup, Stored,
    guests::{
        self,
        InstructionSet::{JamV1, ReviveV1},
        Layout,
    },
};
use hatchery_test_runtime::{Flavour, outcome::HostCall, scenario};
use proptest::{
    collection, option,
    prelude::*,
    prop_oneof, sample,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};

const LAYOUT: Layout = Layout { read_only: 0x1800, read_write: 0x2345, stack: 0x1000 };

#[test]
fn natively() {
    compare(Setup::native(Node::Hatchery), Setup::native(Node::Upstream), 256);
}

#[test]
fn in_wasm() {
    compare(
        Setup::wasm(Flavour::Hatchery, Node::Hatchery),
        Setup::wasm(Flavour::Upstream, Node::Upstream),
        64,
    );
}

/// Compiled guests with a few bytes changed: refused by both, or the same behaviour. Decoding is what an attacker sees first.
#[test]
fn broken_guests() {
    let hatchery = Setup::native(Node::Hatchery);
    let upstream = Setup::native(Node::Upstream);
    run(256, &broken_guest(), |calls| same(hatchery, upstream, &[], calls));
}

fn compare(hatchery: Setup, upstream: Setup, cases: u32) {
    let storage = [
        Stored { child_trie: Vec::new(), key: b"a".to_vec(), value: guests::marked(1) },
        Stored { child_trie: Vec::new(), key: b"b".to_vec(), value: guests::probe(LAYOUT) },
        Stored { child_trie: Vec::new(), key: b"c".to_vec(), value: b"no program".to_vec() },
    ];
    run(cases, &script(), |calls| same(hatchery, upstream, &storage, calls));
}

/// Tries as many values; the same ones in every run.
fn run<S: Strategy>(cases: u32, strategy: &S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let mut config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    if let Err(error) = TestRunner::new_with_rng(config, random).run(strategy, test) {
        panic!("{error}");
    }
}

/// Whether both give the same answer to every call.
fn same(
    hatchery: Setup,
    upstream: Setup,
    storage: &[Stored],
    calls: Vec<HostCall>,
) -> Result<(), TestCaseError> {
    let input = scenario::wire(calls.clone());
    let play = |setup: Setup| -> Result<_, TestCaseError> {
        let result = setup.play(&input, storage).map_err(|error| TestCaseError::fail(error.to_string()))?;
        Ok(input.decode(&result).expect("the scenario's result"))
    };
    let (ours, theirs) = (play(hatchery)?, play(upstream)?);
    prop_assert_eq!(ours.len(), calls.len());
    for (at, call) in calls.iter().enumerate() {
        prop_assert_eq!(&ours[at], &theirs[at], "call {} on {} and {}: {:?}", at, hatchery, upstream, call);
    }
    Ok(())
}

/// A program that is almost a compiled guest, and calls that run whatever it is.
fn broken_guest() -> impl Strategy<Value = Vec<HostCall>> {
    let guest = sample::select(vec![
        (guests::counter(JamV1), &b"counter"[..]),
        (guests::counter(ReviveV1), b"offset"),
        (guests::hello(JamV1), b"hello_times"),
        (guests::echo(ReviveV1), b"echo"),
        (guests::syscalls(JamV1), b"round_trips"),
        (guests::traps(ReviveV1), b"division_edges"),
    ]);
    let changes = collection::vec((any::<sample::Index>(), any::<u8>()), 1..4);
    (guest, changes, collection::vec((gas(), register()), 1..8)).prop_map(
        |((mut program, export), changes, runs)| {
            for (at, value) in changes {
                // The magic, the version and the length of the whole are before byte 13.
                let at = 13 + at.index(program.len() - 13);
                program[at] = value;
            }
            let start = [
                HostCall::CompileFromBytes { program, identifier: None },
                HostCall::Instantiate { module: 0 },
                HostCall::Prepare { instance: 0, export: export.to_vec() },
            ];
            // Not with all the gas there is: a changed loop may never end.
            let run = |(gas, a0): (i64, u64)| HostCall::Run { instance: 0, gas: gas.min(100_000), a0 };
            start.into_iter().chain(runs.into_iter().map(run)).collect()
        },
    )
}

/// Two modules with two instances each, so that something happens, then whatever comes.
fn script() -> impl Strategy<Value = Vec<HostCall>> {
    (program(), program(), collection::vec(call(), 1..60)).prop_map(|(first, second, calls)| {
        let compile = |program| HostCall::CompileFromBytes { program, identifier: None };
        let start = [
            compile(first),
            compile(second),
            HostCall::Instantiate { module: 0 },
            HostCall::Instantiate { module: 1 },
            HostCall::Instantiate { module: 0 },
        ];
        start.into_iter().chain(calls).collect()
    })
}

fn call() -> impl Strategy<Value = HostCall> {
    prop_oneof![
        1 => (program(), option::of(key()))
            .prop_map(|(program, identifier)| HostCall::CompileFromBytes { program, identifier }),
        1 => key().prop_map(|identifier| HostCall::Lookup { identifier }),
        1 => key().prop_map(|key| HostCall::CompileFromStorageKey { key, child_trie: Vec::new() }),
        2 => id().prop_map(|module| HostCall::Instantiate { module }),
        10 => (id(), export()).prop_map(|(instance, export)| HostCall::Prepare { instance, export }),
        14 => (id(), gas(), register()).prop_map(|(instance, gas, a0)| HostCall::Run { instance, gas, a0 }),
        1 => id().prop_map(|instance| HostCall::Destroy { instance }),
        5 => (id(), address(), 0u32..9)
            .prop_map(|(instance, address, length)| HostCall::ReadMemory { instance, address, length }),
        5 => (id(), address(), collection::vec(any::<u8>(), 0..9))
            .prop_map(|(instance, address, bytes)| HostCall::WriteMemory { instance, address, bytes }),
    ]
}

fn program() -> impl Strategy<Value = Vec<u8>> {
    sample::select(vec![
        guests::probe(LAYOUT),
        guests::counter(JamV1),
        guests::counter(ReviveV1),
        guests::trapping(),
        guests::registers(),
        guests::marked(7),
        guests::importing(&[b"look"], 3),
        b"no program".to_vec(),
    ])
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    sample::select(vec![b"a".to_vec(), b"b".to_vec(), b"c".to_vec(), b"d".to_vec(), Vec::new()])
}

fn id() -> impl Strategy<Value = u32> {
    prop_oneof![20 => 0u32..4, 1 => 4u32..8, 1 => Just(u32::MAX)]
}

fn export() -> impl Strategy<Value = Vec<u8>> {
    let exports: [&[u8]; 14] = [
        b"look",
        b"peek",
        b"poke",
        b"main",
        b"return",
        b"counter",
        b"offset",
        b"do_panic",
        b"increment_forever",
        b"instruction",
        b"store_to_read_only",
        b"divide_by_zero",
        b"jump_to_0",
        b"absent",
    ];
    sample::select(exports.map(<[u8]>::to_vec).to_vec())
}

fn gas() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => Just(i64::MAX),
        4 => 0i64..400,
        2 => 400i64..10_000,
        1 => Just(0),
        1 => i64::MIN..0,
    ]
}

/// What `counter` expects of its syscalls, addresses for `peek` and `poke`, anything.
fn register() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => Just(1),
        4 => Just(2 << 56),
        4 => address().prop_map(u64::from),
        1 => any::<u64>(),
    ]
}

/// Addresses around the edges of the regions.
fn address() -> impl Strategy<Value = u32> {
    let edges = [
        0,
        LAYOUT.read_only_start(),
        LAYOUT.read_only_end(),
        LAYOUT.read_write_start(),
        LAYOUT.read_write_end(),
        LAYOUT.stack_start(),
        LAYOUT.stack_end(),
        u32::MAX,
    ];
    prop_oneof![
        8 => (sample::select(edges.to_vec()), -9i32..9).prop_map(|(edge, by)| edge.wrapping_add_signed(by)),
        1 => any::<u32>(),
    ]
}
