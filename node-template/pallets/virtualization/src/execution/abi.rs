//! The contract with guests: names and numbers that never change once a chain uses them.
//!
//! A syscall whose meaning changes gets a new name with the next version at its end; the old one stays.

use crate::Cause;

/// The syscalls that a guest can import.
///
/// Arguments are in a0 to a5, the answer is in a0. The table in `docs/pallet.md` has the rest.
pub const SYSCALLS: [&str; 22] = [
    "address_v1",
    "balance_v1",
    "block_number_v1",
    "call_v1",
    "caller_v1",
    "debug_print_v1",
    "emit_event_v1",
    "gas_left_v1",
    "hash_blake2_128_v1",
    "hash_blake2_256_v1",
    "hash_keccak_256_v1",
    "input_v1",
    "return_value_v1",
    "returned_v1",
    "revert_v1",
    "storage_get_v1",
    "storage_remove_v1",
    "storage_set_v1",
    "terminate_v1",
    "transfer_v1",
    "value_v1",
    "yield_v1",
];

/// Ends the slice of a job. It is the only place where a job of an instance can be between two slices.
pub(super) const YIELD: &[u8] = b"yield_v1";

/// What [`YIELD`] answers when the job has its next slice.
pub(super) const YIELDED: u64 = 1;

/// What a syscall answers instead of a length or 0 when it did not do what it was asked for: a small negative number, as
/// an `i64` in a0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i64)]
pub enum Code {
    /// There is no item under this key, or no instance at this address.
    NotFound = -1,
    /// The sender does not have the amount, or the receiver would end below the existential deposit.
    TransferFailed = -2,
    /// The callee reverted. What it returned can be read.
    Reverted = -3,
    /// The callee trapped.
    Trapped = -4,
    /// The gas that was forwarded did not suffice.
    OutOfGas = -5,
    /// Too many instances would call one another.
    CallDepthExceeded = -6,
    /// The callee is being called already.
    Reentered = -7,
    /// The callee's program has no such export.
    MissingExport = -8,
    /// A deposit for what the callee stored could not be held.
    DepositFailed = -9,
    /// The callee cannot be compiled or run, or used a syscall as no program should.
    Invalid = -10,
}

impl Code {
    /// The number in a0.
    pub fn to_register(self) -> u64 {
        (self as i64).cast_unsigned()
    }
}

impl From<Cause> for Code {
    fn from(cause: Cause) -> Self {
        match cause {
            Cause::Trapped(_) => Self::Trapped,
            Cause::OutOfGas(_) => Self::OutOfGas,
            Cause::Reverted => Self::Reverted,
            Cause::InstanceNotFound => Self::NotFound,
            Cause::MissingExport => Self::MissingExport,
            Cause::CallDepthExceeded => Self::CallDepthExceeded,
            Cause::Reentered => Self::Reentered,
            Cause::DepositLimitExceeded | Cause::DepositUnaffordable => Self::DepositFailed,
            Cause::TransferFailed => Self::TransferFailed,
            Cause::InvalidCode
            | Cause::UnknownSyscall
            | Cause::InvalidArgument(_)
            | Cause::TerminatedInConstructor
            | Cause::BeneficiaryRefused
            | Cause::LimitReached(_) => Self::Invalid,
        }
    }
}

/// What `call_v1` is given: a pointer to this, eight little-endian 64-bit numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CallArguments {
    /// Pointer to the account of the callee.
    pub(crate) account: u64,
    /// Pointer to the name of the export.
    pub(crate) export: u64,
    /// Its length.
    pub(crate) export_length: u64,
    /// Pointer to the 16 bytes of the value to transfer; 0 for none.
    pub(crate) value: u64,
    /// Pointer to the input.
    pub(crate) input: u64,
    /// Its length.
    pub(crate) input_length: u64,
    /// The most gas that the callee may use.
    pub(crate) gas: u64,
    /// [`UNWIND`] or 0.
    pub(crate) flags: u64,
}

impl CallArguments {
    pub(crate) const BYTES: usize = 64;

    pub(crate) fn read(bytes: &[u8; Self::BYTES]) -> Self {
        let mut numbers = [0; 8];
        for (number, bytes) in numbers.iter_mut().zip(bytes.chunks_exact(8)) {
            *number = bytes.iter().rev().fold(0, |number, byte| (number << 8) | u64::from(*byte));
        }
        let [account, export, export_length, value, input, input_length, gas, flags] = numbers;
        Self { account, export, export_length, value, input, input_length, gas, flags }
    }
}

/// Flag of `call_v1`: a failure of the callee is a failure of the caller, for the same reason.
pub(crate) const UNWIND: u64 = 1;

/// The most topics of an event.
pub(crate) const MAX_TOPICS: u64 = 4;
