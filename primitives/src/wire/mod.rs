//! What crosses the boundary between a runtime and its node, number by number.
//!
//! This is a wire format: runtimes and nodes are built apart and upgraded apart. A value here may never change its
//! meaning, and the enums are closed, since a runtime panics on a value it does not know. The format is that of
//! `sp-virtualization` 0.4.0, version 1 of each function.
//!
//! | | |
//! |---|---|
//! | results | one `i64`: a success is not negative, an error is one of the small negative numbers of its enum |
//! | nothing | 0 |
//! | [`ModuleId`], [`InstanceId`] | the id, a `u32` |
//! | [`ExecStatus`] | its number |
//! | [`CompiledModule`] | the id in bits 0-31, the [`CompileStatus`] in bits 32-39, the other bits zero |
//! | gas | an `i64` |
//! | syscall | an [`ExecBuffer`] of 96 bytes |
//!
//! Decoding accepts exactly the values of this table.

mod buffer;
mod control;
mod error;
mod id;
mod result;
mod snapshot;

pub use buffer::{ExecBuffer, ExecStatus, MAX_SYSCALL_SYMBOL_LEN, SyscallSymbol};
pub use control::{
    CallResult, ControlError, ExitInfo, MemoryInfo, ModuleInfo, NO_INSTANCE, Refusal, ResourceInfo, Stop,
    TrapKind, Usage,
};
pub use error::{DestroyError, ExecError, InstantiateError, MemoryError, ModuleError};
pub use id::{CompileStatus, CompiledModule, InstanceId, ModuleId};
pub use result::{InvalidEncoding, WireError, WireResult, WireValue};
pub use snapshot::SnapshotParts;
