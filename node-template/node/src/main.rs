//! The node template: a Substrate node with Hatchery's host functions, so that its runtime can run child machines.

#![forbid(unsafe_code)]
#![expect(clippy::result_large_err, reason = "the errors are Substrate's, and none is returned often")]

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod chain_spec;
mod cli;
mod command;
mod rpc;
mod service;
mod virtualization;

fn main() -> sc_cli::Result<()> {
    command::run()
}
