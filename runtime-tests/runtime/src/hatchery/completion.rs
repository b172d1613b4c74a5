//! The loop that `hatchery-primitives` offers, with a handler as a pallet would write it.

use super::scenarios::driver::{counter_answer, exec_failure};
use crate::outcome::End;
use core::ops::ControlFlow;
use hatchery_primitives::{Completion, Execution, Syscall, SyscallHandler, run_to_completion};

struct Counter<'a>(&'a mut u64);

impl SyscallHandler for Counter<'_> {
    type Exit = End;

    fn syscall(&mut self, execution: &mut Execution, syscall: Syscall<'_>) -> ControlFlow<End, u64> {
        match counter_answer(execution, syscall.symbol, syscall.arguments[0], self.0) {
            Ok(answer) => ControlFlow::Continue(answer),
            Err(end) => ControlFlow::Break(end),
        }
    }
}

/// Runs a prepared call to its end. Gives how it ended and the gas that is left.
pub(super) fn complete(execution: Execution, gas: i64, counter: &mut u64) -> (End, i64) {
    let completion = run_to_completion(execution, gas, Counter(counter));
    let gas_left = completion.gas_left();
    let end = match completion {
        Completion::Finished { .. } => End::Finished,
        Completion::Exited { value, .. } => value,
        Completion::Failed { error, .. } => End::Failed(exec_failure(error)),
    };
    (end, gas_left)
}
