//! The third difference between the sound rules and upstream: limits, small enough that random calls reach all of them.
//!
//! What reaches one is worked out from the calls alone, by the rules that `docs/extension.md` lists. That call is refused and nothing
//! is left of it: upstream answers the rest as if it had not been made. A heap that may not grow is a guest's affair: `sbrk` gives 0.

use super::{LAYOUT, address, equal, gas, key, run, storage};
use hatchery_client::{ConsensusConstants, Limits, UpstreamExt, VirtManager};
use hatchery_engine::{Config, Engine, InstructionSet, Module};
use hatchery_primitives::VirtManagerExt;
use hatchery_runtime_tests::{
    Node, Setup, bare_externalities,
    guests::{self, InstructionSet::JamV1},
};
use hatchery_test_runtime::{
    Flavour,
    outcome::{HostCall, Returned},
    scenario,
};
use proptest::{collection, option, prelude::*, sample};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

#[test]
fn limits_are_the_only_other_difference_natively() {
    reach_all(Setup::native(Node::Hatchery), Setup::native(Node::Upstream), 256);
    reach_all(Setup::native(Node::Switched), Setup::native(Node::Upstream), 256);
}

#[test]
fn limits_are_the_only_other_difference_in_wasm() {
    let upstream = Setup::wasm(Flavour::Upstream, Node::Upstream);
    reach_all(Setup::wasm(Flavour::Hatchery, Node::Hatchery), upstream, 96);
    reach_all(Setup::wasm(Flavour::Upstream, Node::Switched), upstream, 96);
}

/// What a call can be too much for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Limit {
    CodeBytes,
    Modules,
    ModulesBytes,
    MemoryBytes,
    MemoryBytesOfHeap,
    Instances,
    Pages,
    PagesOfHeaps,
    Nesting,
}

const ALL: [Limit; 9] = [
    Limit::CodeBytes,
    Limit::Modules,
    Limit::ModulesBytes,
    Limit::MemoryBytes,
    Limit::MemoryBytesOfHeap,
    Limit::Instances,
    Limit::Pages,
    Limit::PagesOfHeaps,
    Limit::Nesting,
];

/// How often each has to be reached.
const ENOUGH: u32 = 5;

fn reach_all(sound: Setup, upstream: Setup, cases: u32) {
    let reached = RefCell::new(BTreeMap::<Limit, u32>::new());
    run(cases, &(limits(), script()), |((memory_pages, limits), calls)| {
        let ours = play_with(sound, memory_pages, limits, &calls)?;
        prop_assert_eq!(ours.len(), calls.len());
        let mut model = Model::new(memory_pages, limits);
        let (mut made, mut expected, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
        for (call, answer) in calls.iter().zip(&ours) {
            match model.take(call, answer) {
                Verdict::Allowed => {
                    theirs.push(call.clone());
                    made.push(call.clone());
                    expected.push(answer.clone());
                }
                Verdict::Refused(limit, error) => {
                    prop_assert_eq!(
                        answer,
                        &Returned { value: error, buffer: Vec::new() },
                        "{:?} at {:?}",
                        limit,
                        call
                    );
                    *reached.borrow_mut().entry(limit).or_default() += 1;
                }
                Verdict::HeapStays(limit, same, as_theirs) => {
                    theirs.push(same);
                    made.push(call.clone());
                    expected.push(as_theirs);
                    *reached.borrow_mut().entry(limit).or_default() += 1;
                }
            }
        }
        equal(&made, &expected, &super::play(upstream, &storage(), &theirs)?)
    });
    let reached = reached.into_inner();
    for limit in ALL {
        let times = reached.get(&limit).copied().unwrap_or_default();
        assert!(times >= ENOUGH, "{sound}: {limit:?} was reached {times} times: {reached:?}");
    }
}

/// Plays the calls with a manager that has these limits.
fn play_with(
    setup: Setup,
    memory_pages: u64,
    limits: Limits,
    calls: &[HostCall],
) -> Result<Vec<Returned>, TestCaseError> {
    let constants = ConsensusConstants::v1().memory_bytes(memory_pages * PAGE).limits(limits);
    let manager = VirtManager::new(constants);
    let mut externalities = bare_externalities(&storage());
    match setup.node {
        Node::Switched => externalities.register_extension(UpstreamExt::new(manager)),
        _ => externalities.register_extension(VirtManagerExt::new(manager)),
    }
    let input = scenario::wire(calls.to_vec());
    let result = setup.play_in(&mut externalities, &input);
    let result = result.map_err(|error| TestCaseError::fail(error.to_string()))?;
    Ok(input.decode(&result).expect("the scenario's result"))
}

const PAGE: u64 = 4096;
const OUT_OF_GAS: i64 = -3;
const TRAP: i64 = -4;

/// Where the data of a guest that grows begins, behind which is its heap.
const HEAP_START: u64 = 0x2_0000;

/// What the limits make of a call.
enum Verdict {
    /// Nothing: upstream gives the same answer.
    Allowed,
    /// It is refused with this error.
    Refused(Limit, i64),
    /// The guest's heap does not grow. Upstream is called in a way that does not grow it either and answers as given here if this
    /// call was answered as it should be.
    HeapStays(Limit, HostCall, Returned),
}

/// What the calls so far have made, by the documentation alone.
struct Model {
    memory_pages: u64,
    limits: Limits,
    engine: Engine,
    /// What is a program, and what has been found out of it.
    known: BTreeMap<Vec<u8>, Option<Module>>,
    /// By handle. A handle lasts, so what has one counts.
    modules: Vec<Vec<u8>>,
    identifiers: BTreeMap<Vec<u8>, Vec<u8>>,
    next_instance: u32,
    instances: BTreeMap<u32, Instance>,
}

struct Instance {
    program: Vec<u8>,
    declared: u64,
    heap_bytes: u64,
    state: State,
}

#[derive(Clone, PartialEq, Eq)]
enum State {
    Idle,
    Prepared(Vec<u8>),
    Suspended,
}

impl Instance {
    fn pages(&self) -> u64 {
        self.declared + self.heap_bytes.div_ceil(PAGE)
    }
}

impl Model {
    fn new(memory_pages: u64, limits: Limits) -> Self {
        Self {
            memory_pages,
            limits,
            engine: Engine::new(Config::default().latest64(InstructionSet::Latest64Bitmask))
                .expect("settings that make sense"),
            known: BTreeMap::new(),
            modules: Vec::new(),
            identifiers: BTreeMap::new(),
            next_instance: 0,
            instances: BTreeMap::new(),
        }
    }

    fn module(&mut self, program: &[u8]) -> Option<&Module> {
        if !self.known.contains_key(program) {
            self.known.insert(program.to_vec(), self.engine.compile(program).ok());
        }
        self.known[program].as_ref()
    }

    /// Takes a call and what it was answered.
    fn take(&mut self, call: &HostCall, answer: &Returned) -> Verdict {
        match call {
            HostCall::CompileFromBytes { program, identifier } => {
                self.compile(Some(program.clone()), identifier.as_ref())
            }
            HostCall::CompileFromStorageKey { key, child_trie } => {
                assert!(child_trie.is_empty(), "another difference, which is not of interest here");
                let stored =
                    storage().into_iter().find(|stored| stored.child_trie.is_empty() && stored.key == *key);
                self.compile(stored.map(|stored| stored.value), Some(key))
            }
            HostCall::Lookup { identifier } => {
                let found = self.identifiers.get(identifier).cloned();
                self.modules.extend(found);
                Verdict::Allowed
            }
            HostCall::Instantiate { module } => self.instantiate(*module),
            HostCall::Prepare { instance, export } => self.prepare(*instance, export),
            HostCall::Run { instance, a0, .. } => self.run(*instance, *a0, call, answer),
            HostCall::Destroy { instance } => {
                self.instances.remove(instance);
                Verdict::Allowed
            }
            HostCall::ReadMemory { .. } | HostCall::WriteMemory { .. } => Verdict::Allowed,
            HostCall::Transaction(_) => panic!("another difference, which is not of interest here"),
        }
    }

    fn compile(&mut self, program: Option<Vec<u8>>, identifier: Option<&Vec<u8>>) -> Verdict {
        if let Some(cached) = identifier.and_then(|identifier| self.identifiers.get(identifier)).cloned() {
            self.modules.push(cached);
            return Verdict::Allowed;
        }
        let Some(program) = program else { return Verdict::Allowed };
        let Some(module) = self.module(&program) else { return Verdict::Allowed };
        let declared = module.memory_map().declared_bytes();
        let length = program.len() as u64;
        let distinct: BTreeSet<_> = self.modules.iter().collect();
        let bytes: u64 = distinct.iter().map(|program| program.len() as u64).sum();
        let is_new = !distinct.contains(&program);
        let limit = if length > u64::from(self.limits.code_bytes) {
            Limit::CodeBytes
        } else if is_new && distinct.len() as u64 >= u64::from(self.limits.modules) {
            Limit::Modules
        } else if is_new && bytes + length > u64::from(self.limits.modules_bytes) {
            Limit::ModulesBytes
        } else if declared > self.memory_pages * PAGE {
            Limit::MemoryBytes
        } else {
            self.identifiers.extend(identifier.map(|identifier| (identifier.clone(), program.clone())));
            self.modules.push(program);
            return Verdict::Allowed;
        };
        Verdict::Refused(limit, -1)
    }

    fn pages(&self) -> u64 {
        self.instances.values().map(Instance::pages).sum()
    }

    fn instantiate(&mut self, module: u32) -> Verdict {
        let Some(program) = self.modules.get(module as usize).cloned() else { return Verdict::Allowed };
        let module = self.module(&program).expect("it has a handle, so it was compiled");
        let declared = module.memory_map().declared_bytes().div_ceil(PAGE);
        if self.instances.len() as u64 >= u64::from(self.limits.instances) {
            return Verdict::Refused(Limit::Instances, -1);
        }
        if self.pages() + declared > u64::from(self.limits.pages) {
            return Verdict::Refused(Limit::Pages, -1);
        }
        let instance = Instance { program, declared, heap_bytes: 0, state: State::Idle };
        self.instances.insert(self.next_instance, instance);
        self.next_instance += 1;
        Verdict::Allowed
    }

    fn prepare(&mut self, id: u32, export: &[u8]) -> Verdict {
        let is_ready = |instance: &Instance| instance.state != State::Idle;
        let ready = self.instances.values().filter(|instance| is_ready(instance)).count() as u64;
        let Some(instance) = self.instances.get(&id).filter(|instance| !is_ready(instance)) else {
            return Verdict::Allowed;
        };
        let program = instance.program.clone();
        if self.module(&program).is_none_or(|module| module.export(export).is_none()) {
            return Verdict::Allowed;
        }
        if ready >= u64::from(self.limits.nesting) {
            return Verdict::Refused(Limit::Nesting, -2);
        }
        if let Some(instance) = self.instances.get_mut(&id) {
            instance.state = State::Prepared(export.to_vec());
        }
        Verdict::Allowed
    }

    fn run(&mut self, id: u32, a0: u64, call: &HostCall, answer: &Returned) -> Verdict {
        let all = self.pages();
        let (most, most_of_all) = (self.memory_pages, u64::from(self.limits.pages));
        let Some(instance) = self.instances.get_mut(&id).filter(|instance| instance.state != State::Idle)
        else {
            return Verdict::Allowed;
        };
        let is_syscall = answer.value == 1;
        let before =
            std::mem::replace(&mut instance.state, if is_syscall { State::Suspended } else { State::Idle });
        // These two kinds of exports grow the heap in their first block, which runs whole or not at all.
        let State::Prepared(export) = before else { return Verdict::Allowed };
        let (by, is_told) = match export.as_slice() {
            b"grow" => (a0 & 0xffff, true),
            b"grow_1" => (PAGE, false),
            b"grow_2" => (2 * PAGE, false),
            b"grow_3" => (3 * PAGE, false),
            b"grow_5" => (5 * PAGE, false),
            _ => return Verdict::Allowed,
        };
        if answer.value == OUT_OF_GAS {
            return Verdict::Allowed;
        }
        let pages = instance.declared + (instance.heap_bytes + by).div_ceil(PAGE);
        let limit = if pages > most {
            Limit::MemoryBytesOfHeap
        } else if all - instance.pages() + pages > most_of_all {
            Limit::PagesOfHeaps
        } else {
            instance.heap_bytes += by;
            return Verdict::Allowed;
        };
        let HostCall::Run { gas, .. } = *call else { panic!("it is a run") };
        if is_told {
            // The guest tells what `sbrk` gave it. To grow by nothing costs the same, and there upstream's gives the end.
            let end = HEAP_START + instance.declared * PAGE + instance.heap_bytes;
            let mut as_theirs = answer.clone();
            if as_theirs.buffer.get(48..56) == Some(&[0; 8][..]) {
                as_theirs.buffer[48..56].copy_from_slice(&end.to_le_bytes());
            } else {
                // Whatever it is, it is not what should be there.
                as_theirs.buffer.clear();
            }
            Verdict::HeapStays(limit, HostCall::Run { instance: id, gas, a0: 0 }, as_theirs)
        } else {
            // The guest traps, where upstream's has to be stopped before it grows its heap. Nothing else of it is told.
            let mut as_theirs = answer.clone();
            as_theirs.value = if answer.value == TRAP { OUT_OF_GAS } else { i64::MIN };
            Verdict::HeapStays(limit, HostCall::Run { instance: id, gas: 0, a0: 0 }, as_theirs)
        }
    }
}

/// Pages that an instance may have, and the rest. One or two of the limits are near, as otherwise one hides another.
fn limits() -> impl Strategy<Value = (u64, Limits)> {
    type Limited = (u64, Limits);
    type Near = (u32, fn(u32, Limited) -> Limited);
    let near: [Near; 7] = [
        (7, |to, (_, limits)| (u64::from(to) + 1, limits)),
        (5, |to, (memory, limits)| (memory, Limits { modules: to, ..limits })),
        (3, |to, (memory, limits)| {
            (memory, Limits { modules_bytes: [300, 700, 9_000][to as usize - 1], ..limits })
        }),
        (4, |to, (memory, limits)| (memory, Limits { instances: to, ..limits })),
        (15, |to, (memory, limits)| (memory, Limits { pages: to + 3, ..limits })),
        (2, |to, (memory, limits)| (memory, Limits { code_bytes: [150, 1_000][to as usize - 1], ..limits })),
        (2, |to, (memory, limits)| (memory, Limits { nesting: to, ..limits })),
    ];
    let near = sample::select(near.to_vec());
    let near = near.prop_flat_map(|(most, set)| (1..=most).prop_map(move |to| (to, set)));
    collection::vec(near, 1..3)
        .prop_map(|near| near.into_iter().fold((FAR, Limits::V1), |limited, (to, set)| set(to, limited)))
}

/// Pages of an instance that nothing here comes to.
const FAR: u64 = 64;

fn script() -> impl Strategy<Value = Vec<HostCall>> {
    let call = prop_oneof![
        4 => (program(), option::of(key()))
            .prop_map(|(program, identifier)| HostCall::CompileFromBytes { program, identifier }),
        1 => key().prop_map(|identifier| HostCall::Lookup { identifier }),
        1 => key().prop_map(|key| HostCall::CompileFromStorageKey { key, child_trie: Vec::new() }),
        5 => (0u32..4).prop_map(|module| HostCall::Instantiate { module }),
        8 => (0u32..4, export()).prop_map(|(instance, export)| HostCall::Prepare { instance, export }),
        8 => (0u32..4, gas(), register()).prop_map(|(instance, gas, a0)| HostCall::Run { instance, gas, a0 }),
        1 => (0u32..4).prop_map(|instance| HostCall::Destroy { instance }),
        1 => (0u32..4, anywhere(), 0u32..9)
            .prop_map(|(instance, address, length)| HostCall::ReadMemory { instance, address, length }),
        1 => (0u32..4, anywhere(), collection::vec(any::<u8>(), 0..9))
            .prop_map(|(instance, address, bytes)| HostCall::WriteMemory { instance, address, bytes }),
    ];
    (growing(), program(), growing(), collection::vec(call, 20..100)).prop_map(
        |(first, second, third, calls)| {
            let compile = |program| HostCall::CompileFromBytes { program, identifier: None };
            let instantiate = |module| HostCall::Instantiate { module };
            let start = [
                compile(first),
                compile(second),
                compile(third),
                instantiate(0),
                instantiate(2),
                instantiate(0),
            ];
            start.into_iter().chain(calls).collect()
        },
    )
}

fn growing() -> impl Strategy<Value = Vec<u8>> {
    sample::select(vec![guests::growing(0), guests::growing(1), guests::growing(5)])
}

fn program() -> impl Strategy<Value = Vec<u8>> {
    let fixed = vec![guests::probe(LAYOUT), guests::counter(JamV1), b"no program".to_vec()];
    prop_oneof![
        3 => sample::select(fixed),
        3 => (0u32..9).prop_map(guests::marked),
        4 => growing(),
    ]
}

fn export() -> impl Strategy<Value = Vec<u8>> {
    let exports: [&[u8]; 10] =
        [b"grow", b"grow_1", b"grow_2", b"grow_3", b"grow_5", b"peek", b"poke", b"look", b"main", b"absent"];
    sample::select(exports.map(<[u8]>::to_vec).to_vec())
}

/// Bytes to grow by, and what [`super::register`] has.
fn register() -> impl Strategy<Value = u64> {
    prop_oneof![2 => super::register(), 3 => 0u64..0x1_0000, 1 => anywhere().prop_map(u64::from)]
}

/// What [`super::address`] has, and around the ends of pages of a heap.
fn anywhere() -> impl Strategy<Value = u32> {
    let in_heap =
        (0u32..12, -9i32..9).prop_map(|(page, by)| (0x2_0000 + page * 4096).wrapping_add_signed(by));
    prop_oneof![1 => address(), 1 => in_heap]
}
