//! Tests over a mock runtime.

mod calls;
mod code;
mod deposits;
mod dry_runs;
mod failures;
mod forwarding;
mod gas;
mod instances;
mod job_targets;
mod jobs;
#[cfg(not(feature = "runtime-benchmarks"))]
#[path = "../benchmarking/programs.rs"]
#[allow(dead_code, reason = "the benchmarks use all of it")]
pub(crate) mod programs;
mod properties;
mod removals;
mod script;
mod state;
mod syscalls;

#[cfg(feature = "runtime-benchmarks")]
pub(crate) use crate::benchmarking::programs;
