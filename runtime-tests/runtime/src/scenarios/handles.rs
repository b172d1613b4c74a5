//! What the typed handles do when they are dropped, refused, or lost in a panic.

use super::{
    super::{raw, virtualization::ExecResult},
    driver::{counter_syscall, drive, exec_failure, instantiate},
};
use crate::outcome::{Call, ExecFailure, HostCall, Returned, Run};
use alloc::vec::Vec;

/// Gas that no guest of these tests uses up.
const PLENTY: i64 = i64::MAX;

/// Drops an idle instance, a prepared one, one that waits at a syscall and one that finished, then tries to prepare each by
/// its id. They must be the first instances of this node, so that the ids are 0 to 3.
pub fn dropped_handles(program: Vec<u8>) -> Vec<Returned> {
    drop(instantiate(&program));
    if let Ok(instance) = instantiate(&program) {
        drop(instance.prepare(b"counter"));
    }
    if let Some(execution) = instantiate(&program).ok().and_then(|idle| idle.prepare(b"counter").ok()) {
        drop(execution.run(PLENTY, 0));
    }
    if let Ok(instance) = instantiate(&program) {
        drop(drive(instance, &counter(), &mut 0, counter_syscall));
    }
    let prepare = |instance| raw::perform(&HostCall::Prepare { instance, export: b"counter".to_vec() });
    (0..4).map(prepare).collect()
}

/// Prepares `export`, which the guest lacks, and then `counter` on the instance that came back with the refusal.
pub fn refused_prepare(program: Vec<u8>, export: Vec<u8>) -> Option<(ExecFailure, Run)> {
    let (instance, error) = instantiate(&program).ok()?.prepare(&export).err()?;
    let (run, _) = drive(instance, &counter(), &mut 0, counter_syscall);
    Some((exec_failure(error), run))
}

/// Panics while an instance waits at a syscall: in Wasm the handle is not dropped.
///
/// # Panics
/// Always, which is what it is for.
pub fn panic_while_suspended(program: Vec<u8>) -> bool {
    let suspended = instantiate(&program)
        .ok()
        .and_then(|idle| idle.prepare(b"counter").ok())
        .map(|execution| execution.run(PLENTY, 0));
    let suspended = matches!(suspended, Some(ExecResult::Syscall { .. }));
    panic!("the runtime panics with an instance at a syscall: {suspended}");
}

fn counter() -> Call {
    Call { export: b"counter".to_vec(), gas: PLENTY, a0: 0 }
}
