//! What the tests share: the list of configurations that every test runs on.

#![allow(dead_code, reason = "each test binary uses its part of this")]

use hatchery_engine::memory::WindowKind;
use hatchery_engine::{Backend, Config, Engine};

/// An engine for each backend and kind of window that this machine has, with a name for messages.
pub(crate) fn engines(config: Config) -> Vec<(String, Engine)> {
    let mut engines = Vec::new();
    for &backend in Backend::AVAILABLE {
        for &kind in WindowKind::ALL {
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
