//! The loop that `sp-virtualization` has for its tests.

use super::scenarios::driver::{counter_answer, exec_failure};
use crate::outcome::End;
use sp_virtualization::{
    Execution,
    tests::{RunResult, run_loop},
};

/// Runs a prepared call to its end. Gives how it ended and the gas that is left.
pub(super) fn complete(execution: Execution, mut gas: i64, counter: &mut u64) -> (End, i64) {
    let mut exit = End::Exited;
    let result = run_loop(execution, &mut gas, |execution, symbol, a0, _, _, _, _, _| {
        counter_answer(execution, symbol, a0, counter).map_err(|end| exit = end)
    });
    match result {
        RunResult::Ok(_) => (End::Finished, gas),
        RunResult::Exit => (exit, gas),
        // After a trap this loop leaves the gas of the last syscall; nobody knows what is left of it.
        RunResult::Err(error) => (End::Failed(exec_failure(error)), 0),
    }
}
