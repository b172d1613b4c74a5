//! What the tests share: the list of configurations that every test runs on, a small assembler, guests.

#![allow(dead_code, reason = "each test binary uses its part of this")]

pub(crate) mod assembly;
pub(crate) mod generator;
pub(crate) mod snapshots;
pub(crate) mod upstream;

use hatchery_engine::memory::WindowKind;
use hatchery_engine::{Backend, Config, Engine};

#[allow(unused_imports, reason = "each test binary uses its part of this")]
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
