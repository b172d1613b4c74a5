//! Tests over a mock runtime.

mod calls;
mod code;
mod deposits;
mod dry_runs;
mod failures;
mod gas;
mod instances;
mod jobs;
mod properties;
mod removals;
mod script;
mod syscalls;
