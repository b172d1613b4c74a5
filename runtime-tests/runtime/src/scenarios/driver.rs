//! The loop that a pallet has around a guest, and the syscalls of the counter guest.

use super::super::virtualization::{
    ExecError, ExecResult, Execution, Instance, InstantiateError, MemoryError, Module, ModuleError,
};
use crate::outcome::{
    Call, End, ExecFailure, InstantiateFailure, MemoryFailure, ModuleFailure, Run, Syscall,
};
use alloc::vec::Vec;

/// What `read_counter` returns in a0.
const READ_COUNTER_RESULT: u64 = 1;

/// What `increment_counter` returns in a0: wider than 32 bits, to show that 64 pass.
const INCREMENT_COUNTER_RESULT: u64 = 2 << 56;

/// A module and an instance of it, or why there is none.
pub(super) fn instantiate(program: &[u8]) -> Result<Instance, End> {
    let (module, _) =
        Module::from_bytes(program, None).map_err(|error| End::NotCompiled(module_failure(error)))?;
    module.instantiate().map_err(|error| End::NotInstantiated(instantiate_failure(error)))
}

/// Calls an export and answers its syscalls with `handler` until it ends. Gives the instance back if there still is one.
pub(super) fn drive(
    instance: Instance,
    call: &Call,
    counter: &mut u64,
    mut handler: impl FnMut(&mut Execution, &Syscall, &mut u64) -> Result<u64, End>,
) -> (Run, Option<Instance>) {
    let mut syscalls = Vec::new();
    let (end, gas_left, instance) = match instance.prepare(&call.export) {
        Ok(execution) => drive_prepared(execution, call, |execution, syscall| {
            let answer = handler(execution, &syscall, counter);
            syscalls.push(syscall);
            answer
        }),
        Err((instance, error)) => (End::NotPrepared(exec_failure(error)), None, Some(instance)),
    };
    (Run { end, gas_left, counter: *counter, syscalls }, instance)
}

fn drive_prepared(
    mut execution: Execution,
    call: &Call,
    mut handler: impl FnMut(&mut Execution, Syscall) -> Result<u64, End>,
) -> (End, Option<i64>, Option<Instance>) {
    let (mut gas, mut register) = (call.gas, call.a0);
    loop {
        match execution.run(gas, register) {
            ExecResult::Finished { instance, gas_left } => {
                return (End::Finished, Some(gas_left), Some(instance));
            }
            ExecResult::Error { instance, error } => {
                return (End::Failed(exec_failure(error)), None, Some(instance));
            }
            ExecResult::Syscall {
                execution: suspended,
                gas_left,
                syscall_symbol,
                a0,
                a1,
                a2,
                a3,
                a4,
                a5,
            } => {
                execution = suspended;
                let symbol = syscall_symbol.as_ref().to_vec();
                let syscall = Syscall { symbol, gas_left, arguments: [a0, a1, a2, a3, a4, a5] };
                match handler(&mut execution, syscall) {
                    Ok(result) => (gas, register) = (gas_left, result),
                    Err(end) => return (end, Some(gas_left), None),
                }
            }
        }
    }
}

/// Answers the counter guest and the assembled guests.
pub(super) fn counter_syscall(
    execution: &mut Execution,
    syscall: &Syscall,
    counter: &mut u64,
) -> Result<u64, End> {
    counter_answer(execution, &syscall.symbol, syscall.arguments[0], counter)
}

/// As [`counter_syscall`], of what it needs to know.
pub(in super::super) fn counter_answer(
    execution: &mut Execution,
    symbol: &[u8],
    a0: u64,
    counter: &mut u64,
) -> Result<u64, End> {
    // The guest passes a pointer; its address space has 32 bits.
    let address = a0 as u32;
    match symbol {
        b"read_counter" => {
            execution
                .write_memory(address, &counter.to_le_bytes())
                .map_err(|error| End::BadPointer(memory_failure(error)))?;
            Ok(READ_COUNTER_RESULT)
        }
        b"increment_counter" => {
            let mut increment = [0; 8];
            execution
                .read_memory(address, &mut increment)
                .map_err(|error| End::BadPointer(memory_failure(error)))?;
            *counter = counter.wrapping_add(u64::from_le_bytes(increment));
            Ok(INCREMENT_COUNTER_RESULT)
        }
        b"exit" => Err(End::Exited),
        // Of the assembled guests, which only want to be looked at.
        b"look" => Ok(!a0),
        _ => Err(End::UnknownSyscall),
    }
}

/// The failure as data.
pub(super) fn module_failure(error: ModuleError) -> ModuleFailure {
    match error {
        ModuleError::InvalidImage => ModuleFailure::InvalidImage,
        ModuleError::NotCached => ModuleFailure::NotCached,
        ModuleError::NotFound => ModuleFailure::NotFound,
    }
}

/// The failure as data.
pub(super) fn instantiate_failure(error: InstantiateError) -> InstantiateFailure {
    match error {
        InstantiateError::InvalidImage => InstantiateFailure::InvalidImage,
        InstantiateError::InvalidModule => InstantiateFailure::InvalidModule,
    }
}

/// The failure as data.
pub(in super::super) fn exec_failure(error: ExecError) -> ExecFailure {
    match error {
        ExecError::InvalidInstance => ExecFailure::InvalidInstance,
        ExecError::InvalidImage => ExecFailure::InvalidImage,
        ExecError::OutOfGas => ExecFailure::OutOfGas,
        ExecError::Trap => ExecFailure::Trap,
    }
}

/// The failure as data.
pub(super) fn memory_failure(error: MemoryError) -> MemoryFailure {
    match error {
        MemoryError::InvalidInstance => MemoryFailure::InvalidInstance,
        MemoryError::OutOfBounds => MemoryFailure::OutOfBounds,
    }
}
