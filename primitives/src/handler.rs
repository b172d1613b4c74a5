//! The loop that runs a call to its end.

use crate::{ExecError, ExecResult, Execution, Instance};
use core::ops::ControlFlow;

/// A syscall that waits for an answer.
#[derive(Debug)]
pub struct Syscall<'a> {
    /// The name that the guest imports it by.
    pub symbol: &'a [u8],
    /// The guest's registers a0 to a5.
    pub arguments: [u64; 6],
    /// The gas left. The call goes on with what the handler leaves here, so this is where a handler charges for
    /// its own work.
    pub gas_left: &'a mut i64,
}

/// What answers the syscalls of a guest.
///
/// Closures are handlers too. Rust needs the types of their parameters spelled out:
/// `|execution: &mut Execution, syscall: Syscall<'_>| ..`.
pub trait SyscallHandler {
    /// What the handler ends a call with.
    type Exit;

    /// Answers a syscall, or ends the call. `execution` gives access to the guest's memory.
    ///
    /// `Continue(value)` puts the value into the guest's register a0 and goes on.
    fn syscall(&mut self, execution: &mut Execution, syscall: Syscall<'_>) -> ControlFlow<Self::Exit, u64>;
}

impl<F, E> SyscallHandler for F
where
    F: FnMut(&mut Execution, Syscall<'_>) -> ControlFlow<E, u64>,
{
    type Exit = E;

    fn syscall(&mut self, execution: &mut Execution, syscall: Syscall<'_>) -> ControlFlow<E, u64> {
        self(execution, syscall)
    }
}

/// How a call ended. Whatever happened, the instance comes back.
#[derive(Debug)]
#[must_use = "the guest may have failed"]
pub enum Completion<E> {
    /// The export returned.
    Finished {
        /// The instance, ready to be prepared again.
        instance: Instance,
        /// The gas left.
        gas_left: i64,
    },
    /// The handler ended the call.
    Exited {
        /// The call, still suspended at that syscall: its memory can be read, and running it goes on after the syscall.
        /// To be rid of it, drop it; the host functions know no other way out of a suspended call.
        execution: Execution,
        /// The gas left, as the handler left it.
        gas_left: i64,
        /// What the handler ended the call with.
        value: E,
    },
    /// The run failed.
    Failed {
        /// The instance, ready to be prepared again. Its memory is as the guest left it.
        instance: Instance,
        /// The gas left: none. The host functions do not tell what a failed run used, so all of it counts as used;
        /// otherwise a guest that traps in time would work for free. Only if the run was refused
        /// ([`ExecError::InvalidInstance`]) and nothing was executed, it is what the run was given.
        gas_left: i64,
        /// Why it failed.
        error: ExecError,
    },
}

impl<E> Completion<E> {
    /// The gas left.
    pub fn gas_left(&self) -> i64 {
        match self {
            Self::Finished { gas_left, .. }
            | Self::Exited { gas_left, .. }
            | Self::Failed { gas_left, .. } => *gas_left,
        }
    }
}

/// Runs a prepared call with `gas` gas to its end and lets `handler` answer the syscalls.
///
/// An execution that is suspended at a syscall goes on with the answer 0.
pub fn run_to_completion<H: SyscallHandler>(
    execution: Execution,
    gas: i64,
    handler: H,
) -> Completion<H::Exit> {
    run_to_completion_with_argument(execution, gas, 0, handler)
}

/// As [`run_to_completion`], with `a0` as the argument of the export, or as the answer to the syscall that the
/// execution is suspended at.
pub fn run_to_completion_with_argument<H: SyscallHandler>(
    mut execution: Execution,
    gas: i64,
    mut a0: u64,
    mut handler: H,
) -> Completion<H::Exit> {
    let mut gas_given = gas;
    loop {
        match execution.run(gas_given, a0) {
            ExecResult::Finished { instance, gas_left } => {
                return Completion::Finished { instance, gas_left };
            }
            ExecResult::Error { instance, error } => {
                let gas_left = if error == ExecError::InvalidInstance { gas_given } else { 0 };
                return Completion::Failed { instance, gas_left, error };
            }
            ExecResult::Syscall {
                execution: mut suspended,
                mut gas_left,
                syscall_symbol,
                a0: first,
                a1,
                a2,
                a3,
                a4,
                a5,
            } => {
                let syscall = Syscall {
                    symbol: syscall_symbol.as_ref(),
                    arguments: [first, a1, a2, a3, a4, a5],
                    gas_left: &mut gas_left,
                };
                match handler.syscall(&mut suspended, syscall) {
                    ControlFlow::Continue(answer) => {
                        (execution, gas_given, a0) = (suspended, gas_left, answer);
                    }
                    ControlFlow::Break(value) => {
                        return Completion::Exited { execution: suspended, gas_left, value };
                    }
                }
            }
        }
    }
}
