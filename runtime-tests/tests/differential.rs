//! Random sequences of host calls, on Hatchery and on upstream: the same answer to every call, to the byte.
//!
//! The sequences are the same in every run. `PROPTEST_CASES` makes more of them.

#[path = "differential/limits.rs"]
mod limits;

use hatchery_runtime_tests::{
    Node, Setup, Stored,
    guests::{
        self,
        InstructionSet::{JamV1, ReviveV1},
        Layout,
    },
};
use hatchery_test_runtime::{
    Flavour,
    outcome::{HostCall, Returned, Transaction},
    scenario,
};
use proptest::{
    collection, option,
    prelude::*,
    prop_oneof, sample,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use std::collections::{BTreeMap, BTreeSet};

const LAYOUT: Layout = Layout { read_only: 0x1800, read_write: 0x2345, stack: 0x1000 };

/// With upstream's rules everything is equal: child tries, storage layers and all.
#[test]
fn upstreams_rules() {
    let compatible = Setup::wasm(Flavour::Hatchery, Node::Compatible);
    let upstream = Setup::wasm(Flavour::Upstream, Node::Upstream);
    run(32, &script_with(any_call()), |calls| same(compatible, upstream, &storage(), calls));
}

/// With the sound rules two things differ, and nothing else does.
///
/// A key in a child trie is a key of its own, and what a storage layer cached is forgotten with it. Upstream answers the
/// same to a script in which that is spelled out: keys are renamed such that each trie has its own, and once more after
/// each rollback that makes one be forgotten. (The third difference are the limits, which are too far for these scripts; `limits` is about them.)
#[test]
fn sound_rules_differ_in_what_is_listed() {
    let sound = Setup::wasm(Flavour::Hatchery, Node::Hatchery);
    differ_as_listed(sound, Setup::wasm(Flavour::Upstream, Node::Upstream), true);
}

fn differ_as_listed(sound: Setup, upstream: Setup, tries_apart: bool) {
    let renamed_at_all = std::cell::Cell::new(0);
    run(32, &script_with(any_call()), |calls| {
        let ours = play(sound, &storage(), &calls)?;
        let (spelled_out, renamed) = spell_out(&calls, &ours, tries_apart);
        renamed_at_all.set(renamed_at_all.get() + renamed);
        let theirs = play(upstream, &renamed_storage(&spelled_out, tries_apart), &spelled_out)?;
        equal(&calls, &ours, &theirs)
    });
    let enough = if tries_apart { 20 } else { 5 };
    assert!(renamed_at_all.get() > enough, "the scripts hardly show a difference: {}", renamed_at_all.get());
}

/// Over upstream's host functions one of the two is left: they do not tell which child trie a key is in.
#[test]
fn sound_rules_behind_upstreams_host_functions_differ_in_layers() {
    let pairs = [
        (Setup::native(Node::Switched), Setup::native(Node::Upstream)),
        (Setup::wasm(Flavour::Upstream, Node::Switched), Setup::wasm(Flavour::Upstream, Node::Upstream)),
    ];
    for (switched, upstream) in pairs {
        differ_as_listed(switched, upstream, false);
    }
}

#[test]
fn sound_rules_natively_differ_in_what_is_listed() {
    differ_as_listed(Setup::native(Node::Hatchery), Setup::native(Node::Upstream), true);
}

#[test]
fn upstreams_rules_natively() {
    let (compatible, upstream) = (Setup::native(Node::Compatible), Setup::native(Node::Upstream));
    run(128, &script_with(any_call()), |calls| same(compatible, upstream, &storage(), calls));
}

#[test]
fn natively() {
    compare(Setup::native(Node::Hatchery), Setup::native(Node::Upstream), 256);
    compare(Setup::native(Node::Switched), Setup::native(Node::Upstream), 256);
}

#[test]
fn in_wasm() {
    let upstream = Setup::wasm(Flavour::Upstream, Node::Upstream);
    compare(Setup::wasm(Flavour::Hatchery, Node::Hatchery), upstream, 64);
    compare(Setup::wasm(Flavour::Upstream, Node::Switched), upstream, 64);
}

/// Compiled guests with a few bytes changed: refused by both, or the same behaviour. Decoding is what an attacker sees first.
#[test]
fn broken_guests() {
    // A few of them declare more memory than the sound rules allow.
    let hatchery = Setup::native(Node::Compatible);
    let upstream = Setup::native(Node::Upstream);
    run(256, &broken_guest(), |calls| same(hatchery, upstream, &[], calls));
}

fn compare(hatchery: Setup, upstream: Setup, cases: u32) {
    run(cases, &script_with(call()), |calls| same(hatchery, upstream, &storage(), calls));
}

/// What is stored under each key, in the main trie and in child tries.
const STORED: [(&[u8], &[u8]); 6] =
    [(b"", b"a"), (b"", b"b"), (b"", b"c"), (b"x", b"a"), (b"x", b"b"), (b"y", b"a")];

fn stored_value(child_trie: &[u8], key: &[u8]) -> Vec<u8> {
    match (child_trie, key) {
        (b"", b"a") => guests::marked(1),
        (b"", b"b") => guests::probe(LAYOUT),
        (b"x", b"a") => guests::marked(2),
        (b"y", b"a") => guests::registers(),
        _ => b"no program".to_vec(),
    }
}

fn storage() -> Vec<Stored> {
    let stored = |(child_trie, key): (&[u8], &[u8])| Stored {
        child_trie: child_trie.to_vec(),
        key: key.to_vec(),
        value: stored_value(child_trie, key),
    };
    STORED.map(stored).into()
}

/// The same under the names that the keys have in this script.
fn renamed_storage(spelled_out: &[HostCall], tries_apart: bool) -> Vec<Stored> {
    let names: BTreeSet<_> = spelled_out
        .iter()
        .filter_map(|call| match call {
            HostCall::CompileFromStorageKey { key, child_trie } => Some((child_trie, key)),
            _ => None,
        })
        .collect();
    let stored = |(child_trie, name): (&Vec<u8>, &Vec<u8>)| {
        let original = STORED.iter().find(|(trie, key)| {
            let trie_of_name = if tries_apart { *trie } else { b"" };
            trie == child_trie && name.starts_with(&[trie_of_name, b"/", *key, b"/"].concat())
        });
        original.map(|(trie, key)| Stored {
            child_trie: trie.to_vec(),
            key: name.clone(),
            value: stored_value(trie, key),
        })
    };
    names.into_iter().filter_map(stored).collect()
}

fn renamed(child_trie: &[u8], key: &[u8], generation: usize) -> Vec<u8> {
    [child_trie, b"/", key, format!("/{generation}").as_bytes()].concat()
}

/// The script that upstream answers as Hatchery answered this one, and how many names it takes beyond the first ones.
/// `tries_apart`: whether the same key in another trie is another key.
fn spell_out(calls: &[HostCall], answers: &[Returned], tries_apart: bool) -> (Vec<HostCall>, usize) {
    type Key = (Vec<u8>, Vec<u8>);
    let mut generations = BTreeMap::<Key, usize>::new();
    // The keys that each open layer has cached.
    let mut layers: Vec<Vec<Key>> = Vec::new();
    let mut renames = 0;
    let spelled_out = calls.iter().zip(answers).map(|(call, answer)| {
        let mut call = call.clone();
        let key = match &mut call {
            HostCall::CompileFromBytes { identifier: Some(key), .. }
            | HostCall::Lookup { identifier: key } => Some((Vec::new(), key)),
            HostCall::CompileFromStorageKey { key, child_trie } => {
                Some((if tries_apart { child_trie.clone() } else { Vec::new() }, key))
            }
            _ => None,
        };
        if let Some((child_trie, name)) = key {
            let key = (child_trie, name.clone());
            let generation = generations.get(&key).copied().unwrap_or_default();
            *name = renamed(&key.0, &key.1, generation);
            renames += usize::from(!key.0.is_empty() || generation > 0);
            let compiled = answer.value >= 1 << 32;
            if let Some(layer) = layers.last_mut().filter(|_| compiled) {
                layer.push(key);
            }
        }
        match &call {
            HostCall::Transaction(Transaction::Start) => layers.push(Vec::new()),
            HostCall::Transaction(Transaction::Commit) => {
                let inner = layers.pop().unwrap_or_default();
                if let Some(outer) = layers.last_mut() {
                    outer.extend(inner);
                }
            }
            HostCall::Transaction(Transaction::Rollback) => {
                for key in layers.pop().unwrap_or_default() {
                    *generations.entry(key).or_default() += 1;
                }
            }
            _ => {}
        }
        call
    });
    let spelled_out = spelled_out.collect();
    (spelled_out, renames)
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
    let ours = play(hatchery, storage, &calls)?;
    let theirs = play(upstream, storage, &calls)?;
    equal(&calls, &ours, &theirs)
}

fn play(setup: Setup, storage: &[Stored], calls: &[HostCall]) -> Result<Vec<Returned>, TestCaseError> {
    let input = scenario::wire(calls.to_vec());
    let result = setup.play(&input, storage).map_err(|error| TestCaseError::fail(error.to_string()))?;
    Ok(input.decode(&result).expect("the scenario's result"))
}

fn equal(calls: &[HostCall], ours: &[Returned], theirs: &[Returned]) -> Result<(), TestCaseError> {
    prop_assert_eq!(ours.len(), calls.len());
    for (at, call) in calls.iter().enumerate() {
        prop_assert_eq!(&ours[at], &theirs[at], "call {} (ours first): {:?}", at, call);
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

/// The most calls of a script, without those that it starts with.
const MOST_CALLS: usize = 60;

/// Two modules with two instances each, so that something happens, then whatever comes.
fn script_with(call: impl Strategy<Value = HostCall>) -> impl Strategy<Value = Vec<HostCall>> {
    (program(), program(), collection::vec(call, 1..MOST_CALLS)).prop_map(|(first, second, calls)| {
        let compile = |program| HostCall::CompileFromBytes { program, identifier: None };
        let start = [
            compile(first),
            compile(second),
            HostCall::Instantiate { module: 0 },
            HostCall::Instantiate { module: 1 },
            HostCall::Instantiate { module: 0 },
        ];
        start.into_iter().chain(closed(calls)).collect()
    })
}

/// Only layers that are open are closed. Those that are left open the runtime's end closes.
fn closed(calls: Vec<HostCall>) -> impl Iterator<Item = HostCall> {
    let mut open = 0;
    calls.into_iter().filter(move |call| match call {
        HostCall::Transaction(Transaction::Start) => {
            open += 1;
            true
        }
        HostCall::Transaction(_) if open == 0 => false,
        HostCall::Transaction(_) => {
            open -= 1;
            true
        }
        _ => true,
    })
}

/// As [`call`], with child tries and storage layers, which tell upstream's rules from the sound ones.
fn any_call() -> impl Strategy<Value = HostCall> {
    let child_trie = sample::select(vec![Vec::new(), b"x".to_vec(), b"y".to_vec()]);
    let identified = (program(), key())
        .prop_map(|(program, key)| HostCall::CompileFromBytes { program, identifier: Some(key) });
    let layer = prop_oneof![
        3 => Just(Transaction::Start),
        1 => Just(Transaction::Commit),
        2 => Just(Transaction::Rollback),
    ];
    prop_oneof![
        3 => call(),
        2 => identified,
        2 => key().prop_map(|identifier| HostCall::Lookup { identifier }),
        2 => (key(), child_trie)
            .prop_map(|(key, child_trie)| HostCall::CompileFromStorageKey { key, child_trie }),
        3 => layer.prop_map(HostCall::Transaction),
    ]
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
        guests::growing(1),
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
    let exports: [&[u8]; 16] = [
        b"look",
        b"grow",
        b"grow_3",
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
