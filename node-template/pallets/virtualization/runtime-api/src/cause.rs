//! Why a call failed.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::PalletError;
use scale_info::TypeInfo;

/// A failed call of an instance.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Failure {
    /// Why it failed.
    pub cause: Cause,
    /// Where: 0 is the instance that the extrinsic called, 1 one that it called, and so on.
    pub depth: u8,
}

/// Why a call of an instance failed.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Cause {
    /// The guest panicked, executed an invalid instruction or touched memory that it may not.
    Trapped,
    /// The limit was reached.
    OutOfGas(Resource),
    /// The guest ended the call itself and asked for everything to be undone.
    Reverted,
    /// There is no instance at this address.
    InstanceNotFound,
    /// The program of the instance cannot be compiled or instantiated.
    InvalidCode,
    /// The program has no such export.
    MissingExport,
    /// More instances would call one another than may.
    CallDepthExceeded,
    /// The instance is being called already, further out.
    Reentered,
    /// More would be held from the caller than the limit that it set.
    DepositLimitExceeded,
    /// The caller does not have what is to be held.
    DepositUnaffordable,
    /// A transfer of value failed: the sender does not have it, or the receiver would end below the existential deposit.
    TransferFailed,
    /// The guest made a syscall that does not exist.
    UnknownSyscall,
    /// The guest gave a syscall something that it cannot take.
    InvalidArgument(Argument),
    /// The guest terminated its instance while the instance was being made.
    TerminatedInConstructor,
    /// The guest terminated its instance in favour of an account that cannot take its balance.
    BeneficiaryRefused,
}

/// A part of the weight.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    PalletError,
)]
pub enum Resource {
    /// Time.
    RefTime,
    /// Size of the proof.
    ProofSize,
}

/// What was wrong with an argument of a syscall.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    PalletError,
)]
pub enum Argument {
    /// It points to memory that the guest cannot read, or cannot write.
    Pointer,
    /// A key is empty or too long.
    Key,
    /// A value or message is too long.
    Length,
    /// It is not an account.
    Account,
    /// There are too many topics.
    Topics,
    /// A flag is not known.
    Flags,
}
