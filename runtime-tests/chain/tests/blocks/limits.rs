//! Each limit, at its bound and one past it, as a runtime in Wasm sees it: in a block that importers execute too.

use crate::node::push;
use crate::{COMPILED, INVALID_IMAGE, agree, at_genesis, compile, from_storage, instantiate, main_of};
use hatchery_client::{ConsensusConstants, Limits, VirtExtensionFactory};
use hatchery_engine::{Config, Engine};
use hatchery_runtime_tests::guests::{self, InstructionSet::JamV1};
use hatchery_test_chain::{extrinsic, steps::Step};

/// The answers of a block with these steps in a chain with these limits.
fn answers(limits: Limits, steps: Vec<Step>) -> Vec<i64> {
    let factory = VirtExtensionFactory::new(ConsensusConstants::v1().limits(limits));
    let mut author = at_genesis(factory.clone());
    let built = author.build(|builder| push(builder, extrinsic(steps, false)).expect("valid"));
    agree(&mut author, &built, &factory)
}

fn prepare(instance: u32) -> Step {
    Step::Prepare { instance, export: b"main".to_vec() }
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
