//! Each limit, at its bound and one past it, as a runtime in Wasm sees it: in a block that importers execute too.

use crate::node::{push, shared_executors};
use crate::{
    COMPILED, INVALID_IMAGE, agree, at_genesis_on, compile, from_storage, instantiate, main_of, prepare,
};
use hatchery_client::{ConsensusConstants, Limits, VirtExtensionFactory};
use hatchery_engine::{Config, Engine};
use hatchery_runtime_tests::{
    STRATEGIES,
    guests::{self, InstructionSet::JamV1},
};
use hatchery_test_chain::{extrinsic, steps::Step};

/// The answers of a block with these steps in a chain with these limits.
fn answers(limits: Limits, steps: Vec<Step>) -> Vec<i64> {
    answers_under(ConsensusConstants::v1().limits(limits), steps)
}

/// The same in every kind of Wasm instance.
fn answers_under(constants: ConsensusConstants, steps: Vec<Step>) -> Vec<i64> {
    let factory = VirtExtensionFactory::new(constants);
    let mut answers = shared_executors().iter().map(|executor| {
        let mut author = at_genesis_on(executor.clone(), factory.clone());
        let built = author.build(|builder| push(builder, extrinsic(steps.clone(), false)).expect("valid"));
        agree(&mut author, &built, &factory)
    });
    let first = answers.next().expect("there are some");
    for (at, other) in answers.enumerate() {
        assert_eq!(other, first, "{:?}", STRATEGIES[at + 1]);
    }
    first
}

fn grow(instance: u32, pages: u32) -> Step {
    Step::Call { instance, export: format!("grow_{pages}").into_bytes() }
}

fn compile_growing(declared: u32) -> Step {
    Step::Compile { code: guests::growing(declared), identifier: Vec::new() }
}

/// What a call answers that wrote where its heap did not grow.
const TRAP: i64 = -4;

#[test]
fn memory_of_an_instance() {
    let of = |pages: u64, steps| answers_under(ConsensusConstants::v1().memory_bytes(pages * 4096), steps);
    assert_eq!(of(1, vec![compile_growing(2), instantiate(0)])[0], INVALID_IMAGE);
    let steps = vec![compile_growing(2), instantiate(0), grow(0, 3), grow(0, 2), grow(0, 1), grow(0, 1)];
    let answers = of(4, steps);
    assert_eq!(answers[..3], [COMPILED, 0, TRAP]);
    assert!(answers[3] > 0, "two pages are left: {answers:?}");
    assert_eq!(answers[4..], [TRAP, TRAP]);
}

#[test]
fn pages_of_heaps() {
    let limits = Limits { pages: 10, ..Limits::V1 };
    let steps = vec![
        compile_growing(2),
        instantiate(0),
        instantiate(0),
        grow(0, 5),
        grow(1, 2),
        grow(1, 1),
        instantiate(0),
        destroy(0),
        instantiate(0),
        grow(1, 5),
    ];
    let answers = answers(limits, steps);
    assert_eq!(answers[..3], [COMPILED, 0, 1]);
    assert!(answers[3] > 0, "{answers:?}");
    assert_eq!(answers[4], TRAP, "one is left");
    assert!(answers[5] > 0, "{answers:?}");
    assert_eq!(answers[6..9], [INVALID_IMAGE, 0, 2]);
    assert!(answers[9] > 0, "what was destroyed made room: {answers:?}");
}

fn destroy(instance: u32) -> Step {
    Step::Destroy { instance }
}

#[test]
fn programs() {
    let limits = Limits { modules: 2, ..Limits::V1 };
    let steps =
        vec![compile(1, b"a"), compile(2, b"b"), compile(3, b"c"), compile(1, b"a"), compile(2, b"d")];
    // The same program under another name is none more.
    assert_eq!(answers(limits, steps), [COMPILED, COMPILED + 1, INVALID_IMAGE, 2, COMPILED + 3]);
}

#[test]
fn bytes_of_programs() {
    let length = guests::marked(1).len() as u32;
    assert_eq!(length, guests::marked(2).len() as u32);
    let of = |modules_bytes| {
        let steps = vec![compile(1, b"a"), compile(2, b"b"), compile(1, b"c")];
        answers(Limits { modules_bytes, ..Limits::V1 }, steps)
    };
    assert_eq!(of(2 * length), [COMPILED, COMPILED + 1, COMPILED + 2]);
    assert_eq!(of(2 * length - 1), [COMPILED, INVALID_IMAGE, COMPILED + 1]);
}

#[test]
fn instances() {
    let limits = Limits { instances: 2, ..Limits::V1 };
    let steps = vec![
        compile(1, b"a"),
        instantiate(0),
        instantiate(0),
        instantiate(0),
        destroy(0),
        instantiate(0),
        instantiate(0),
    ];
    assert_eq!(answers(limits, steps), [COMPILED, 0, 1, INVALID_IMAGE, 0, 2, INVALID_IMAGE]);
}

#[test]
fn pages() {
    let engine = Engine::new(Config::default()).expect("settings that make sense");
    let module = engine.compile(&guests::counter(JamV1)).expect("a program");
    let pages = (module.memory_map().declared_bytes() / 4096) as u32;
    assert!(pages > 0);
    let steps = || vec![from_storage(b"counter"), instantiate(0), instantiate(0), destroy(0), instantiate(0)];
    let of = |pages| answers(Limits { pages, ..Limits::V1 }, steps());
    assert_eq!(of(2 * pages), [COMPILED, 0, 1, 0, 2]);
    let [compiled, first, second, ..] = of(2 * pages - 1)[..] else { panic!("five steps") };
    assert_eq!([compiled, first, second], [COMPILED, 0, INVALID_IMAGE]);
}

#[test]
fn bytes_of_code() {
    let length = guests::marked(1).len() as u32;
    let of =
        |code_bytes| answers(Limits { code_bytes, ..Limits::V1 }, vec![compile(1, b"a"), instantiate(0)]);
    assert_eq!(of(length), [COMPILED, 0]);
    assert_eq!(of(length - 1)[0], INVALID_IMAGE);
}

#[test]
fn nesting() {
    let limits = Limits { nesting: 2, ..Limits::V1 };
    let mut steps = vec![compile(1, b"a")];
    steps.extend((0..3).map(|_| instantiate(0)));
    steps.extend([prepare(0), prepare(1), prepare(2), main_of(2), destroy(0), prepare(2)]);
    let answers = answers(limits, steps);
    assert_eq!(answers[4..6], [0, 0]);
    assert!(answers[6] < 0 && answers[7] == answers[6], "{answers:?}");
    assert_eq!(answers[8..], [0, 0], "one that is destroyed is prepared no more");
}
