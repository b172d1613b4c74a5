//! A guest that is run for a while and left where it is.

use super::{
    Context, Fault, FaultReason, Frame, Meter, Role,
    abi::{YIELD, YIELDED},
    machine, refusal,
    syscalls::{Exit, Syscalls},
};
use crate::{
    BalanceOf, Cause, CodeHash, Config, InstanceInfoOf, Instances, JobFailure, JobOf, JobTarget, Pallet,
    runtime_api::StorageUsage,
};
use alloc::vec::Vec;
use core::ops::ControlFlow;
use frame_support::traits::Get as _;
use hatchery_primitives::{
    ControlError, ExecError, ExecResult, Execution, Instance, Module, Restored, Stop, Syscall,
};

/// A syscall, to be made again, or a yield, to be answered.
pub(crate) type Pending = (Vec<u8>, [u64; 6]);

/// What a slice begins with.
pub(crate) struct Slice {
    pub(crate) export: Vec<u8>,
    pub(crate) input: Vec<u8>,
    /// Where the slice before has left the machine, if there was one.
    pub(crate) snapshot: Option<Vec<u8>>,
    /// The syscall that it waits at, for gas or for this slice, if it does.
    pub(crate) pending: Option<Pending>,
}

/// Where a slice has left a job.
pub(crate) enum JobEnd {
    /// It returned this.
    Finished(Vec<u8>),
    /// Its gas is used up, or it has yielded.
    Suspended {
        /// The state of the machine.
        snapshot: Vec<u8>,
        /// The syscall for which gas is missing, or by which it yielded, if that is where it is.
        pending: Option<Pending>,
    },
}

/// As [`JobEnd`], before what an instance has come to is stored.
enum Advance<T: Config> {
    Suspended { snapshot: Vec<u8>, pending: Option<Pending> },
    Ended(Exit<T>),
}

/// A machine at the beginning of a slice.
enum Machine {
    New(Instance),
    Restored(Restored),
}

/// Runs a job until it yields, or its gas is used up. A job of an instance fails at the end of its gas.
pub(crate) fn run_job<T: Config>(
    context: &mut Context<'_, T>,
    job: &JobOf<T>,
    slice: Slice,
) -> Result<JobEnd, JobFailure> {
    let Slice { export, input, snapshot, pending } = slice;
    let guest_failed = JobFailure::Guest;
    let (instance, info, role) = match &job.target {
        JobTarget::Instance { instance, .. } => {
            // What was made at the address since the job was started is another instance.
            let info = Instances::<T>::get(instance)
                .filter(|info| Some(info.trie_id) == job.trie_id)
                .ok_or(guest_failed(Cause::InstanceNotFound))?;
            (instance, info, Role::JobOfInstance)
        }
        // No syscall of such a job looks at the record.
        JobTarget::Code(_) | JobTarget::Processes { .. } => {
            (&job.owner, no_instance::<T>(&job.owner), Role::JobOfCode)
        }
    };
    let machine = machine(context, job, snapshot.as_deref());
    // What it takes to get there is part of what every slice costs.
    context.meter = Meter::new(job.gas_per_slice, T::RefTimePerGas::get());
    let machine = machine?;
    let arguments = arguments_of(&input);
    let info_before = info.clone();
    let mut frame = Frame {
        instance: instance.clone(),
        caller: job.owner.clone(),
        info,
        value: BalanceOf::<T>::default(),
        input,
        role,
    };
    context.stack.push(instance.clone());
    let gas = context.meter.gas_left();
    let mut syscalls = Syscalls::new(context, &mut frame, gas);
    let advance = advance(&mut syscalls, machine, &export, arguments, pending)?;
    context.stack.pop();
    let end = match advance {
        Advance::Suspended { snapshot, pending } => JobEnd::Suspended { snapshot, pending },
        Advance::Ended(Exit::Returned(output)) => JobEnd::Finished(output),
        Advance::Ended(Exit::Failed(fault)) => return Err(failure(fault)),
        Advance::Ended(Exit::Terminated(beneficiary)) => {
            let deposits = Some(&mut context.deposits);
            Pallet::<T>::end_instance(&frame.instance, &frame.info, &beneficiary, deposits)
                .map_err(|_| guest_failed(Cause::BeneficiaryRefused))?;
            return Ok(JobEnd::Finished(Vec::new()));
        }
    };
    if role == Role::JobOfInstance && frame.info != info_before {
        Instances::<T>::insert(&frame.instance, &frame.info);
    }
    Ok(end)
}

/// The machine of a job, new or as a slice has left it.
fn machine<T: Config>(
    context: &mut Context<'_, T>,
    job: &JobOf<T>,
    snapshot: Option<&[u8]>,
) -> Result<Machine, JobFailure> {
    let mut modules = Vec::new();
    for code_hash in &job.codes {
        modules.push(context.load(*code_hash).map_err(failure)?);
    }
    let Some((root, others)) = modules.split_first() else {
        return Err(JobFailure::Guest(Cause::InvalidCode));
    };
    let machine = match (&job.target, snapshot) {
        (JobTarget::Processes { programs, .. }, snapshot) => {
            let identifiers = programs.iter().map(|(identifier, _)| identifier.as_slice());
            let programs: Vec<(&[u8], &Module)> = identifiers.zip(others).collect();
            match snapshot {
                None => root.instantiate_processes(&programs).map(Machine::New),
                Some(snapshot) => root.restore_processes(&programs, snapshot).map(Machine::Restored),
            }
        }
        (JobTarget::Code(_) | JobTarget::Instance { .. }, Some(snapshot)) => {
            root.restore(snapshot).map(Machine::Restored)
        }
        (JobTarget::Code(_) | JobTarget::Instance { .. }, None) => {
            root.instantiate().map(Machine::New).map_err(|_| ControlError::LimitReached)
        }
    };
    machine.map_err(|error| match error {
        ControlError::InvalidSnapshot => JobFailure::NotRestored,
        _ => JobFailure::Guest(refusal()),
    })
}

/// Runs a machine until it ends or yields, or its gas is used up.
fn advance<T: Config>(
    syscalls: &mut Syscalls<'_, '_, T>,
    machine: Machine,
    export: &[u8],
    [a0, arguments @ ..]: [u64; 6],
    pending: Option<Pending>,
) -> Result<Advance<T>, JobFailure> {
    let gas = syscalls.gas_given;
    let mut has_advanced = false;
    let mut result = match (machine, pending) {
        (Machine::New(machine), _) => {
            let prepared = machine::prepare_with_arguments(machine, export, arguments);
            prepared.map_err(JobFailure::Guest)?.run(gas, a0)
        }
        (Machine::Restored(restored), None) => restored.resume(gas),
        (Machine::Restored(Restored::Ready(execution)), Some((symbol, _))) if symbol == YIELD => {
            execution.run(gas, YIELDED)
        }
        (Machine::Restored(Restored::Ready(mut execution)), Some((symbol, arguments))) => {
            // If it cannot be made with all the gas of a slice, it never can.
            let answer = answer(syscalls, &mut execution, &symbol, arguments, gas);
            has_advanced = true;
            match answer {
                Ok((gas_left, value)) => execution.run(gas_left, value),
                Err(exit) => return Ok(Advance::Ended(exit)),
            }
        }
        (Machine::Restored(Restored::Idle(_)), Some(_)) => return Err(JobFailure::NotRestored),
    };
    loop {
        match result {
            ExecResult::Finished { instance, gas_left } => {
                syscalls.settle(gas_left);
                let a0 = instance.result().map(|result| result.a0).unwrap_or_default();
                return Ok(Advance::Ended(Exit::Returned(a0.to_le_bytes().to_vec())));
            }
            ExecResult::Error { instance, error } => {
                let (cause, gas_left) = machine::failure(&instance, error);
                has_advanced |= gas_left < syscalls.gas_given;
                syscalls.settle(gas_left);
                let stop = instance.exit_info().map(|info| info.stop);
                return match (error, stop) {
                    (ExecError::OutOfGas, _) if has_advanced && syscalls.goes_on_anywhere() => {
                        suspended(instance.snapshot(), None)
                    }
                    (_, Ok(Stop::Deadlock)) => Err(JobFailure::Deadlock),
                    (_, Ok(Stop::BadImage { .. })) => Err(JobFailure::Guest(Cause::InvalidCode)),
                    _ => Err(JobFailure::Guest(cause)),
                };
            }
            ExecResult::Syscall { mut execution, gas_left, syscall_symbol, a0, a1, a2, a3, a4, a5 } => {
                let symbol: &[u8] = syscall_symbol.as_ref();
                let arguments = [a0, a1, a2, a3, a4, a5];
                if symbol == YIELD {
                    syscalls.settle(gas_left);
                    return suspended(execution.snapshot(), Some((symbol.to_vec(), arguments)));
                }
                match answer(syscalls, &mut execution, symbol, arguments, gas_left) {
                    Ok((gas_left, value)) => result = execution.run(gas_left, value),
                    Err(Exit::Failed(fault)) if fault.is_out_of_gas() && syscalls.goes_on_anywhere() => {
                        return suspended(execution.snapshot(), Some((symbol.to_vec(), arguments)));
                    }
                    Err(exit) => return Ok(Advance::Ended(exit)),
                }
                has_advanced = true;
            }
        }
    }
}

/// The record of a job that has no instance.
fn no_instance<T: Config>(owner: &T::AccountId) -> InstanceInfoOf<T> {
    InstanceInfoOf::<T> {
        owner: owner.clone(),
        code_hash: CodeHash::zero(),
        trie_id: Default::default(),
        deposit: Default::default(),
        storage: StorageUsage::default(),
    }
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

fn suspended<T: Config>(
    snapshot: Result<Vec<u8>, ControlError>,
    pending: Option<Pending>,
) -> Result<Advance<T>, JobFailure> {
    let snapshot = snapshot.map_err(|_| JobFailure::SnapshotTooLarge)?;
    Ok(Advance::Suspended { snapshot, pending })
}

fn failure(fault: Fault) -> JobFailure {
    JobFailure::Guest(match fault.reason {
        FaultReason::Guest(failure) => failure.cause,
        FaultReason::Other(_) => Cause::InvalidCode,
    })
}
