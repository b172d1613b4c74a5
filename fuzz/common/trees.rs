//! Trees of processes that do what bytes say.

use std::sync::LazyLock;

use hatchery_engine::{Backend, Config, Engine, Module, Reg};
use hatchery_scheduler::{Modules, Scheduler};

/// The program of all processes, in the interpreter and in native code.
pub static MODULES: LazyLock<Vec<Modules>> = LazyLock::new(|| {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../guests/blobs/jam-v1/process-cases.polkavm");
    let blob = std::fs::read(path).unwrap();
    let compile = |backend| -> Module {
        Engine::new(Config::default().backend(backend).window_limit(4)).unwrap().compile(&blob).unwrap()
    };
    [Backend::Interpreter, Backend::Recompiler]
        .map(|backend| Modules::default().with("cases", compile(backend)))
        .into()
});

/// Answers a syscall.
pub fn answer(tree: &mut Scheduler<Modules>) {
    if let Some(instance) = tree.current() {
        let answer = instance.reg(Reg::A0).wrapping_mul(3);
        instance.set_reg(Reg::A0, answer);
    }
}

/// The arguments of the root, whose roles do this: operations of the guest's `script.rs`.
pub fn arguments(roles: &[Vec<u8>]) -> Vec<u8> {
    let roles = &roles[..roles.len().min(6)];
    let mut bytes = vec![100, 0, roles.len() as u8];
    for code in roles {
        let code = &code[..code.len().min(500)];
        bytes.extend((code.len() as u16).to_le_bytes());
        bytes.extend(code);
    }
    bytes
}
