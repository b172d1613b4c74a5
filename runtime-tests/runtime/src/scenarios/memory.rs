//! Host access to guest memory.

use super::{
    super::virtualization::{ExecResult, Execution},
    driver::{instantiate, memory_failure},
};
use crate::outcome::{Access, Accessed};
use alloc::{vec, vec::Vec};

/// Gas that no guest of these tests uses up.
const PLENTY: i64 = i64::MAX;

/// What a buffer holds before it is read into.
const UNTOUCHED: u8 = 0xaa;

/// Accesses the memory of an instance that is prepared and has not run. `None` if it cannot be prepared.
pub fn memory_at_entry(program: Vec<u8>, export: Vec<u8>, accesses: Vec<Access>) -> Option<Vec<Accessed>> {
    let mut execution = instantiate(&program).ok()?.prepare(&export).ok()?;
    Some(perform(&mut execution, &accesses))
}

/// Accesses the memory of an instance that waits at its first syscall. `None` if it does not get there.
pub fn memory_at_syscall(program: Vec<u8>, export: Vec<u8>, accesses: Vec<Access>) -> Option<Vec<Accessed>> {
    let execution = instantiate(&program).ok()?.prepare(&export).ok()?;
    match execution.run(PLENTY, 0) {
        ExecResult::Syscall { mut execution, .. } => Some(perform(&mut execution, &accesses)),
        ExecResult::Finished { .. } | ExecResult::Error { .. } => None,
    }
}

/// Writes the bytes into the memory of a prepared instance, each way in one call, and reads them back.
pub fn transfer(program: Vec<u8>, export: Vec<u8>, address: u32, bytes: Vec<u8>) -> Option<Vec<u8>> {
    let mut execution = instantiate(&program).ok()?.prepare(&export).ok()?;
    execution.write_memory(address, &bytes).ok()?;
    let mut back = vec![UNTOUCHED; bytes.len()];
    execution.read_memory(address, &mut back).ok()?;
    Some(back)
}

fn perform(execution: &mut Execution, accesses: &[Access]) -> Vec<Accessed> {
    let access = |access: &Access| match access {
        Access::Read { address, length } => {
            let mut buffer = vec![UNTOUCHED; *length as usize];
            let result = execution.read_memory(*address, &mut buffer).map_err(memory_failure);
            Accessed { result, buffer }
        }
        Access::Write { address, bytes } => {
            let result = execution.write_memory(*address, bytes).map_err(memory_failure);
            Accessed { result, buffer: Vec::new() }
        }
    };
    accesses.iter().map(access).collect()
}
