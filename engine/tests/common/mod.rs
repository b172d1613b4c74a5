//! What the tests share: the list of configurations that every test runs on, a small assembler, guests.

pub(crate) mod assembly;
pub(crate) mod generator;
pub(crate) mod snapshots;
pub(crate) mod upstream;

use hatchery_engine::memory::WindowKind;
use hatchery_engine::{Backend, Config, Engine};
use proptest::prelude::{ProptestConfig, Strategy, TestCaseError};
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

pub(crate) use assembly::{Assembly, asm, container, version};

/// An engine for each backend, dispatcher of the interpreter and kind of window that this machine has, with a name for messages.
pub(crate) fn engines(config: Config) -> Vec<(String, Engine)> {
    let mut engines = Vec::new();
    if Config::HAS_DIRECT_THREADING {
        let config = config.backend(Backend::Interpreter).portable_dispatch(true);
        engines.push(("Interpreter, portable dispatch".into(), Engine::new(config).unwrap()));
    }
    for &backend in Backend::AVAILABLE {
        for &kind in WindowKind::ALL.iter().filter(|&&kind| backend.runs_in(kind)) {
            let engine = Engine::new(config.backend(backend).window_kind(kind)).unwrap();
            engines.push((format!("{backend:?} in {kind:?} windows"), engine));
        }
    }
    engines
}

/// A committed guest program.
pub(crate) fn guest(set: &str, name: &str) -> Vec<u8> {
    let path = format!("{}/../guests/blobs/{set}/{name}.polkavm", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Tests a property with so many cases, the same ones each time.
pub(crate) fn check<S: Strategy>(
    cases: u32,
    strategy: &S,
    test: impl Fn(S::Value) -> Result<(), TestCaseError>,
) {
    let config =
        ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 20_000, ..Default::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    if let Err(error) = runner.run(strategy, test) {
        panic!("{error}");
    }
}
