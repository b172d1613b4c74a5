//! Calls into a Wasm runtime that fail, and what they leave behind.

use hatchery_runtime_tests::{
    Failure, Node, Runtime, STRATEGIES, Setup, bare_externalities, externalities,
    guests::{self, InstructionSet::JamV1},
};
use hatchery_test_runtime::{
    Flavour,
    outcome::{Call, End, HostCall},
    scenario,
};

const HATCHERY: Setup = Setup::wasm(Flavour::Hatchery, Node::Hatchery);

fn counter() -> Call {
    Call { export: b"counter".to_vec(), gas: i64::MAX, a0: 0 }
}

/// The executor ends the call; the message says what a node builder has to do.
#[test]
fn node_without_a_manager() {
    let input = scenario::on_one_instance(guests::counter(JamV1), 0, vec![counter()]);
    let failure = HATCHERY.play_in(&mut bare_externalities(&[]), &input).unwrap_err();
    let Failure::Call { error, .. } = &failure else { panic!("{failure}") };
    assert!(error.contains("VirtManagerExt"), "{error}");
}

/// A runtime that does not use the host functions needs no manager.
#[test]
fn runtime_that_calls_nothing_needs_no_manager() {
    let input = scenario::wire(Vec::new());
    let result = HATCHERY.play_in(&mut bare_externalities(&[]), &input).expect("nothing is called");
    assert_eq!(input.decode(&result).unwrap(), []);
}

/// A panic in Wasm does not run destructors: the instance stays with the manager, which goes on. (In a node such a call is
/// rolled back, and the instance with it; a bare call of the executor has no transaction.)
#[test]
fn runtime_that_panics_in_a_syscall() {
    for strategy in STRATEGIES {
        let setup = Setup { runtime: Runtime::Wasm(Flavour::Hatchery, strategy), node: Node::Hatchery };
        let mut externalities = externalities(Node::Hatchery, &[]);
        let panic = scenario::panic_while_suspended(guests::counter(JamV1));
        let failure = setup.play_in(&mut externalities, &panic).unwrap_err().to_string();
        assert!(failure.contains("panics with an instance at a syscall: true"), "{strategy:?}: {failure}");

        let input = scenario::on_one_instance(guests::counter(JamV1), 7, vec![counter()]);
        let result = setup.play_in(&mut externalities, &input).expect("the manager still works");
        let runs = input.decode(&result).unwrap();
        assert_eq!((runs[0].end, runs[0].counter), (End::Finished, 15), "{strategy:?}");

        // The instance is there, at its syscall, until somebody destroys it.
        let input = scenario::wire(vec![
            HostCall::ReadMemory { instance: 0, address: 0, length: 0 },
            HostCall::Destroy { instance: 0 },
            HostCall::Destroy { instance: 0 },
        ]);
        let result = setup.play_in(&mut externalities, &input).expect("host functions only");
        let returned: Vec<hatchery_test_runtime::outcome::Returned> = input.decode(&result).unwrap();
        let values: Vec<_> = returned.iter().map(|returned| returned.value).collect();
        assert_eq!(values, [0, 0, -1], "{strategy:?}");
    }
}

/// What a runtime cached in one call it finds in the next on the same externalities, and not on others.
#[test]
fn cache_lives_as_long_as_the_externalities() {
    let compile = scenario::wire(vec![HostCall::CompileFromBytes {
        program: guests::marked(1),
        identifier: Some(b"a".to_vec()),
    }]);
    let lookup = scenario::wire(vec![HostCall::Lookup { identifier: b"a".to_vec() }]);
    let value = |externalities: &mut _, input: &hatchery_test_runtime::Input<_>| -> i64 {
        let result = HATCHERY.play_in(externalities, input).expect("host functions only");
        let returned: Vec<hatchery_test_runtime::outcome::Returned> = input.decode(&result).unwrap();
        returned[0].value
    };
    let mut first = externalities(Node::Hatchery, &[]);
    assert_eq!(value(&mut first, &compile), 1 << 32);
    assert_eq!(value(&mut first, &lookup), 1);
    let mut second = externalities(Node::Hatchery, &[]);
    assert_eq!(value(&mut second, &lookup), -2);
}
