//! Child virtual machines for a Substrate runtime: the host functions and the API a runtime calls them through.
//!
//! Runtime code compiles a PolkaVM program into a [`Module`], makes an [`Instance`] of it, prepares one of its exports
//! and runs the resulting [`Execution`]. The guest's syscalls come back to the runtime one by one, which answers them
//! and reads and writes the guest's memory meanwhile. [`run_to_completion`] is that loop; a pallet supplies a
//! [`SyscallHandler`].
//!
//! # A handler
//!
//! The guest of this example keeps numbers in the pallet's storage, by two syscalls that pass pointers:
//!
//! ```no_run
//! use core::ops::ControlFlow;
//! use hatchery_primitives::{
//!     CompileStatus, Completion, Execution, Module, Syscall, SyscallHandler, run_to_completion,
//! };
//! # use std::collections::BTreeMap;
//! # type Storage = BTreeMap<u64, u64>;
//!
//! /// What a guest may do: `get(key, pointer) -> found` and `set(key, value)`.
//! struct Numbers<'a> {
//!     storage: &'a mut Storage,
//! }
//!
//! /// Why a handler ends a call. The extrinsic fails with it.
//! enum Abort {
//!     /// The guest called something that is not there.
//!     UnknownSyscall,
//!     /// The guest passed a pointer to memory that it does not have.
//!     BadPointer,
//!     /// The gas does not pay for what the guest asked for.
//!     OutOfGas,
//! }
//!
//! impl SyscallHandler for Numbers<'_> {
//!     type Exit = Abort;
//!
//!     fn syscall(&mut self, guest: &mut Execution, syscall: Syscall<'_>) -> ControlFlow<Abort, u64> {
//!         // What the runtime does for the guest costs too: here, before it is done.
//!         const PRICE: i64 = 10_000;
//!         if *syscall.gas_left < PRICE {
//!             return ControlFlow::Break(Abort::OutOfGas);
//!         }
//!         *syscall.gas_left -= PRICE;
//!
//!         let [key, argument, ..] = syscall.arguments;
//!         match syscall.symbol {
//!             b"get" => match self.storage.get(&key) {
//!                 // The address space has 32 bits; what the guest passes has 64.
//!                 Some(value) => match guest.write_memory(argument as u32, &value.to_le_bytes()) {
//!                     Ok(()) => ControlFlow::Continue(1),
//!                     Err(_) => ControlFlow::Break(Abort::BadPointer),
//!                 },
//!                 None => ControlFlow::Continue(0),
//!             },
//!             b"set" => {
//!                 self.storage.insert(key, argument);
//!                 ControlFlow::Continue(0)
//!             }
//!             _ => ControlFlow::Break(Abort::UnknownSyscall),
//!         }
//!     }
//! }
//!
//! /// Calls `main` of the program whose code is stored under its hash. Gives the gas that is left, or why it failed.
//! fn call(code_hash: [u8; 32], gas: i64, storage: &mut Storage) -> Result<i64, &'static str> {
//!     let (module, status) = Module::from_storage_key(&code_hash, b"").map_err(|_| "no such program")?;
//!     let gas = match status {
//!         // The same on each node that executes this block, so it can be charged for.
//!         CompileStatus::Compiled => gas - 1_000_000,
//!         CompileStatus::Cached => gas,
//!     };
//!     let instance = module.instantiate().map_err(|_| "too many instances")?;
//!     let execution = instance.prepare(b"main").map_err(|_| "the program has no export `main`")?;
//!     match run_to_completion(execution, gas, Numbers { storage }) {
//!         Completion::Finished { gas_left, .. } => Ok(gas_left),
//!         // Dropping the suspended call frees its instance.
//!         Completion::Exited { value: Abort::OutOfGas, .. } => Err("out of gas"),
//!         Completion::Exited { value: Abort::BadPointer, .. } => Err("the guest passed a bad pointer"),
//!         Completion::Exited { value: Abort::UnknownSyscall, .. } => Err("no such syscall"),
//!         Completion::Failed { .. } => Err("the guest trapped or ran out of gas"),
//!     }
//! }
//! # let _ = call;
//! ```
//!
//! - **Guest memory** is accessible while a call is prepared or at a syscall, through the [`Execution`].
//! - **Gas** is the guest's: a unit is about a cycle of the machine that polkavm's cost model simulates. What it weighs is for
//!   the chain to measure. After a failure none is left.
//! - **Identifiers** are best derived from the content, such as the program's hash: a module that was compiled under one
//!   in this block is found again whatever the bytes are.
//! - **An error means** what the function's documentation lists; nothing else happened. Output buffers are zero then.
//! - **Limits** of the chain (programs, instances, memory, depth) show as `InvalidImage`.
//!
//! # Limits are shared by a block
//!
//! All extrinsics of a block share one manager. Instances go when their handles are dropped, but a [`Module`] stays until the block
//! ends, and so does what is cached under an identifier. Of distinct programs there may be 1,024 in a block (`ConsensusConstants::v1`);
//! from then on each further one is `InvalidImage`, whoever asks, while those that are known go on to work. Whoever may
//! compile programs of their own could bring that about for others. A pallet prevents it by at least one of these:
//!
//! - **Price.** Charge weight for [`CompileStatus::Compiled`] that does not fit a block 1,024 times, however small the program. Since a
//!   compilation can fail after its work was done, charge before, and refund for [`CompileStatus::Cached`].
//! - **Cap.** Count the programs that a block has compiled, in a storage value that is killed in `on_initialize`, or by `limits()` of the
//!   feature `control`, and fail calls that need a new one while there is room left for those that must not fail.
//! - **Release.** With the feature `control`, `Module::release` gives a module up, and its program no longer counts if no other
//!   handle and no identifier leads to it. So this is for programs that are compiled by [`Module::from_bytes`] without an identifier,
//!   used once and released: what has an identifier or comes from a storage key is there to be found again.
//!
//! A program that is refused by the limit is not invalid. Do not punish its owner or remove it: `last_refusal()` of the feature
//! `control` tells the two apart; without it, try again in another block.
//!
//! # What the first set of host functions lacks
//!
//! With the feature `control` there are, in addition: the return value of a call, arguments beyond the first, why and where
//! a guest stopped with the gas that was left, going on after out of gas, `fork`, `snapshot` and `restore`, `reset`, `zero_memory`, what a module
//! exports and imports, giving a module up (`Module::release`), the limits and which of them refused something. Upstream's nodes do not have these host
//! functions and refuse a runtime that imports them; nodes are upgraded first.
//!
//! # Compatibility
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

extern crate alloc;

#[cfg(feature = "control")]
mod control;
#[cfg(any(not(substrate_runtime), feature = "control"))]
#[expect(
    clippy::too_many_arguments,
    reason = "`prepare_with_args` has five for registers, and the macro adds one"
)]
mod control_functions;
mod forwarder;
mod handler;
mod host_functions;
pub mod wire;

#[cfg(not(substrate_runtime))]
mod backend;

#[cfg(not(substrate_runtime))]
pub use backend::{
    AlreadyProvided, CacheKey, TransactionType, VirtControlBackend, VirtManagerBackend, VirtManagerExt,
    provide_missing_extension,
};
#[cfg(feature = "control")]
pub use control::{Restored, last_refusal, limits};
#[cfg(any(not(substrate_runtime), feature = "control"))]
pub use control_functions::virtualization_control;
pub use forwarder::{ExecResult, Execution, Instance, Module};
pub use handler::{Completion, Syscall, SyscallHandler, run_to_completion, run_to_completion_with_argument};
pub use host_functions::virtualization;
/// The host functions of this crate, both sets, for the executor's tuple:
/// `(sp_io::SubstrateHostFunctions, hatchery_primitives::HostFunctions)`.
///
/// Each call needs a [`VirtManagerExt`] in the externalities and panics without one, which the executor reports as
/// a failed call.
#[cfg(not(substrate_runtime))]
pub type HostFunctions = (virtualization::HostFunctions, virtualization_control::HostFunctions);
pub use wire::{
    CallResult, CompileStatus, CompiledModule, ControlError, DestroyError, ExecBuffer, ExecError, ExecStatus,
    ExitInfo, InstanceId, InstantiateError, MAX_SYSCALL_SYMBOL_LEN, MemoryError, MemoryInfo, ModuleError,
    ModuleId, ModuleInfo, NO_INSTANCE, Refusal, ResourceInfo, SnapshotParts, Stop, SyscallSymbol, TrapKind,
    Usage,
};

/// The target of every log line about virtualization.
pub const LOG_TARGET: &str = "virtualization";
