//! The errors of the host functions, with their numbers.

use super::WireError;
use num_enum::{IntoPrimitive, TryFromPrimitive};
use thiserror::Error;

/// Why there is no module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoPrimitive, TryFromPrimitive, Error)]
#[repr(i32)]
pub enum ModuleError {
    /// The bytes are not a program that the engine accepts: malformed, too large, or with an import whose symbol is
    /// longer than [`MAX_SYSCALL_SYMBOL_LEN`](crate::MAX_SYSCALL_SYMBOL_LEN). Or a limit of the chain is reached: bytes of a
    /// program, memory of an instance, distinct programs.
    #[error("the bytes are not a valid program")]
    InvalidImage = -1,
    /// No module was compiled under this identifier before.
    #[error("no module is cached under this identifier; compile it first")]
    NotCached = -2,
    /// There is nothing in storage under this key.
    #[error("there is no program in storage under this key")]
    NotFound = -3,
}

/// Why there is no instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoPrimitive, TryFromPrimitive, Error)]
#[repr(i32)]
pub enum InstantiateError {
    /// A limit of the chain is reached: living instances, or the memory of all of them.
    #[error("the program cannot be instantiated")]
    InvalidImage = -1,
    /// No module has this id.
    #[error("no module has this id")]
    InvalidModule = -2,
}

/// Why an instance cannot be prepared or did not run to its next stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoPrimitive, TryFromPrimitive, Error)]
#[repr(i32)]
pub enum ExecError {
    /// No instance has this id, or the call does not fit its state: `run` of an idle instance, `prepare` of one that
    /// is prepared or suspended.
    #[error("no instance with this id is in the state that the call needs")]
    InvalidInstance = -1,
    /// The program has no such export, or it executed a syscall that it does not import. Or, of `prepare` and `resume`, as many
    /// instances are prepared or suspended as the chain allows.
    #[error("the program has no such export or import")]
    InvalidImage = -2,
    /// The next block costs more than the gas that was left. The instance is idle.
    #[error("the gas did not suffice")]
    OutOfGas = -3,
    /// The guest trapped: it panicked, executed an invalid instruction or touched memory that it may not. The
    /// instance is idle.
    #[error("the guest trapped")]
    Trap = -4,
}

/// Why memory was not read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoPrimitive, TryFromPrimitive, Error)]
#[repr(i32)]
pub enum MemoryError {
    /// No instance has this id, or it is idle: memory is accessible while prepared and at a syscall.
    #[error("no prepared or suspended instance has this id")]
    InvalidInstance = -1,
    /// Part of the range does not exist or does not allow the access. Nothing was read or written.
    #[error("part of the memory range is not accessible")]
    OutOfBounds = -2,
}

/// Why an instance was not destroyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoPrimitive, TryFromPrimitive, Error)]
#[repr(i32)]
pub enum DestroyError {
    /// No instance has this id; it may have been destroyed before.
    #[error("no instance has this id")]
    InvalidInstance = -1,
}

/// An error's number on the wire is its discriminant.
macro_rules! wire_error {
    ($($error:ty),+) => {$(
        impl WireError for $error {
            fn to_wire(self) -> i64 {
                i32::from(self).into()
            }

            fn from_wire(number: i64) -> Option<Self> {
                i32::try_from(number).ok()?.try_into().ok()
            }
        }
    )+};
}

wire_error!(ModuleError, InstantiateError, ExecError, MemoryError, DestroyError);
