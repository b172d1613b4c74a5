//! A guest that is run for a while and left where it is.

use super::{
    Context, Fault, FaultReason, Frame, machine, refusal,
    syscalls::{Exit, Syscalls},
};
use crate::{BalanceOf, Cause, CodeHash, Config, InstanceInfoOf, JobFailure, runtime_api::StorageUsage};
use alloc::vec::Vec;
use core::ops::ControlFlow;
use hatchery_primitives::{ExecError, ExecResult, Execution, Instance, Module, Restored, Syscall};

/// A syscall, to be made again.
pub(crate) type Pending = (Vec<u8>, [u64; 6]);

/// Where a slice has left a job.
pub(crate) enum JobEnd {
    /// It returned this.
    Finished(Vec<u8>),
    /// Its gas is used up.
    Suspended {
        /// The state of the machine.
        snapshot: Vec<u8>,
        /// The syscall for which gas is missing, if that is where it is.
        pending: Option<Pending>,
    },
}

/// Runs a job until its gas is used up: from the beginning, or on from what `resume` gives.
pub(crate) fn run_job<T: Config>(
    context: &mut Context<'_, T>,
    owner: &T::AccountId,
    code_hash: CodeHash,
    export: &[u8],
    input: Vec<u8>,
    resume: impl FnOnce(&Module) -> Result<Option<Restored>, JobFailure>,
    pending: Option<Pending>,
) -> Result<JobEnd, JobFailure> {
    let failed = JobFailure::Guest;
    let module = context.load(code_hash).map_err(failure)?;
    let restored = resume(&module)?;
    let [a0, arguments @ ..] = arguments_of(&input);
    let mut frame = Frame {
        instance: owner.clone(),
        caller: owner.clone(),
        // No syscall of a job looks at this.
        info: InstanceInfoOf::<T> {
            owner: owner.clone(),
            code_hash,
            trie_id: Default::default(),
            deposit: Default::default(),
            storage: StorageUsage::default(),
        },
        value: BalanceOf::<T>::default(),
        input,
        is_constructor: false,
        is_job: true,
    };
    context.stack.push(owner.clone());
    let gas = context.meter.gas_left();
    let mut syscalls = Syscalls::new(context, &mut frame, gas);
    let mut has_advanced = false;
    let mut result = match (restored, pending) {
        (None, _) => {
            let machine = module.instantiate().map_err(|_| failed(refusal()))?;
            machine::prepare_with_arguments(machine, export, arguments).map_err(failed)?.run(gas, a0)
        }
        (Some(restored), None) => restored.resume(gas),
        (Some(Restored::Ready(mut execution)), Some((symbol, arguments))) => {
            match answer(&mut syscalls, &mut execution, &symbol, arguments, gas) {
                Ok((gas_left, value)) => {
                    has_advanced = true;
                    execution.run(gas_left, value)
                }
                // With all the gas of a slice it cannot be made either.
                Err(Exit::Failed(fault)) => return Err(failure(fault)),
                Err(exit) => return ended(exit),
            }
        }
        (Some(Restored::Idle(_)), Some(_)) => return Err(JobFailure::NotRestored),
    };
    loop {
        match result {
            ExecResult::Finished { instance, gas_left } => {
                syscalls.settle(gas_left);
                let a0 = instance.result().map(|result| result.a0).unwrap_or_default();
                return Ok(JobEnd::Finished(a0.to_le_bytes().to_vec()));
            }
            ExecResult::Error { instance, error } => {
                let (cause, gas_left) = machine::failure(&instance, error);
                has_advanced |= gas_left < syscalls.gas_given;
                syscalls.settle(gas_left);
                return match error {
                    ExecError::OutOfGas if has_advanced => suspended(Machine::Idle(&instance), None),
                    _ => Err(failed(cause)),
                };
            }
            ExecResult::Syscall { mut execution, gas_left, syscall_symbol, a0, a1, a2, a3, a4, a5 } => {
                let symbol: &[u8] = syscall_symbol.as_ref();
                let arguments = [a0, a1, a2, a3, a4, a5];
                match answer(&mut syscalls, &mut execution, symbol, arguments, gas_left) {
                    Ok((gas_left, value)) => result = execution.run(gas_left, value),
                    Err(Exit::Failed(Fault { reason: FaultReason::Guest(f), .. }))
                        if matches!(f.cause, Cause::OutOfGas(_)) =>
                    {
                        return suspended(Machine::Ready(&execution), Some((symbol.to_vec(), arguments)));
                    }
                    Err(exit) => return ended(exit),
                }
                has_advanced = true;
            }
        }
    }
}

enum Machine<'a> {
    Idle(&'a Instance),
    Ready(&'a Execution),
}

/// The first 48 bytes of the input as numbers: what an export that takes arguments gets.
fn arguments_of(input: &[u8]) -> [u64; 6] {
    let mut bytes = [0; 48];
    let length = input.len().min(48);
    bytes[..length].copy_from_slice(&input[..length]);
    let mut arguments = [0; 6];
    for (argument, bytes) in arguments.iter_mut().zip(bytes.chunks_exact(8)) {
        *argument = bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
    }
    arguments
}

/// Gives the gas that is left and the answer.
fn answer<T: Config>(
    syscalls: &mut Syscalls<'_, '_, T>,
    execution: &mut Execution,
    symbol: &[u8],
    arguments: [u64; 6],
    mut gas_left: i64,
) -> Result<(i64, u64), Exit<T>> {
    let syscall = Syscall { symbol, arguments, gas_left: &mut gas_left };
    match syscalls.answer(execution, syscall) {
        ControlFlow::Continue(value) => Ok((gas_left, value)),
        ControlFlow::Break(exit) => Err(exit),
    }
}

fn suspended(machine: Machine<'_>, pending: Option<Pending>) -> Result<JobEnd, JobFailure> {
    let snapshot = match machine {
        Machine::Idle(instance) => instance.snapshot(),
        Machine::Ready(execution) => execution.snapshot(),
    };
    let snapshot = snapshot.map_err(|_| JobFailure::SnapshotTooLarge)?;
    Ok(JobEnd::Suspended { snapshot, pending })
}

fn ended<T: Config>(exit: Exit<T>) -> Result<JobEnd, JobFailure> {
    match exit {
        Exit::Returned(output) => Ok(JobEnd::Finished(output)),
        Exit::Failed(fault) => Err(failure(fault)),
        // No syscall of a job gives this.
        Exit::Terminated(_) => Err(JobFailure::Guest(Cause::UnknownSyscall)),
    }
}

fn failure(fault: Fault) -> JobFailure {
    JobFailure::Guest(match fault.reason {
        FaultReason::Guest(failure) => failure.cause,
        FaultReason::Other(_) => Cause::InvalidCode,
    })
}
