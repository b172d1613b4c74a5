//! Child virtual machines for a Substrate runtime: the host functions and the API a runtime calls them through.
//!
//! Runtime code compiles a PolkaVM program into a [`Module`], makes an [`Instance`] of it, prepares one of its exports
//! and runs the resulting [`Execution`]. The guest's syscalls come back to the runtime one by one, which answers them
//! and reads and writes the guest's memory meanwhile. [`run_to_completion`] is that loop; a pallet supplies a
//! [`SyscallHandler`]:
//!
//! ```no_run
//! use core::ops::ControlFlow;
//! use hatchery_primitives::{run_to_completion, Completion, Execution, Module, Syscall};
//!
//! # fn example(program: &[u8]) -> Option<()> {
//! let (module, _status) = Module::from_bytes(program, Some(b"hash of the program")).ok()?;
//! let execution = module.instantiate().ok()?.prepare(b"main").ok()?;
//! let completion = run_to_completion(
//!     execution,
//!     1_000_000,
//!     |execution: &mut Execution, syscall: Syscall<'_>| match syscall.symbol {
//!         b"now" => ControlFlow::Continue(42),
//!         b"exit" => ControlFlow::Break(syscall.arguments[0]),
//!         _ => ControlFlow::Break(u64::MAX),
//!     },
//! );
//! match completion {
//!     Completion::Finished { instance, gas_left } => { /* `instance` can be prepared again */ }
//!     Completion::Exited { execution, gas_left, value } => { /* dropping `execution` frees the instance */ }
//!     Completion::Failed { instance, gas_left, error } => { /* `instance` can be prepared again */ }
//! }
//! # None }
//! ```
//!
//! The names and the encoding of everything that crosses the boundary are those of `sp-virtualization` 0.4, so a
//! runtime built against either crate runs on a node built with the other. [`wire`] has the numbers.
//!
//! # The two sides
//!
//! The same crate is compiled into the runtime and into the node. `--cfg substrate_runtime`, which
//! `substrate-wasm-builder` sets, selects the runtime's side. On the node's side the crate has, in addition,
//! `HostFunctions` for the executor and the `VirtManagerBackend` behind them, which is registered as an
//! externalities extension, `VirtManagerExt`. There the runtime-side API works as well, inside
//! externalities, which is how native tests use it.
//!
//! # Stability
//!
//! Upstream has not declared these host functions stable: they are not available on Polkadot, and a version of them
//! may disappear. Chains that use them must control which software their nodes run.

#![cfg_attr(substrate_runtime, no_std)]
#![forbid(unsafe_code)]

mod forwarder;
mod handler;
mod host_functions;
pub mod wire;

#[cfg(not(substrate_runtime))]
mod backend;

#[cfg(not(substrate_runtime))]
pub use backend::{
    AlreadyProvided, CacheKey, TransactionType, VirtManagerBackend, VirtManagerExt, provide_missing_extension,
};
pub use forwarder::{ExecResult, Execution, Instance, Module};
pub use handler::{Completion, Syscall, SyscallHandler, run_to_completion, run_to_completion_with_argument};
pub use host_functions::virtualization;
/// The host functions of this crate, for the executor's tuple:
/// `(sp_io::SubstrateHostFunctions, hatchery_primitives::HostFunctions)`.
///
/// Each call needs a [`VirtManagerExt`] in the externalities and panics without one, which the executor reports as
/// a failed call.
#[cfg(not(substrate_runtime))]
#[doc(no_inline)]
pub use host_functions::virtualization::HostFunctions;
pub use wire::{
    CompileStatus, CompiledModule, DestroyError, ExecBuffer, ExecError, ExecStatus, InstanceId,
    InstantiateError, MAX_SYSCALL_SYMBOL_LEN, MemoryError, ModuleError, ModuleId, SyscallSymbol,
};

/// The target of every log line about virtualization.
pub const LOG_TARGET: &str = "virtualization";
