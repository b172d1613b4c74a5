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
    Trapped(Trap),
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
    /// The node's machines may not have more of something in this block.
    LimitReached(Limit),
}

/// Why and where a guest trapped.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Trap {
    /// Why.
    pub kind: TrapKind,
    /// The instruction: an offset into the program's code in bytes.
    pub pc: u32,
    /// The address that it accessed or jumped to, where there is one.
    pub address: Option<u32>,
}

/// Why a guest trapped.
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
pub enum TrapKind {
    /// A `trap` instruction: what compilers make of panics and aborts.
    Trap,
    /// The bytes are no instruction.
    InvalidInstruction,
    /// Execution ran off the end of the code.
    CodeEnd,
    /// An access below 0x10000, where nothing is ever mapped: mostly a null pointer.
    LowAddress,
    /// An access to memory that is not mapped.
    Unmapped,
    /// A write to read-only memory.
    ReadOnly,
    /// A jump through an address that names no jump target.
    InvalidIndirectJump,
    /// A jump or branch to what is no start of a block.
    InvalidJump,
    /// Execution was started where no instruction starts.
    InvalidEntry,
    /// A reason that this runtime does not know.
    Unknown,
}

impl TrapKind {
    /// The reason with this number among those of the host functions.
    pub fn from_number(number: u8) -> Self {
        match number {
            0 => Self::Trap,
            1 => Self::InvalidInstruction,
            2 => Self::CodeEnd,
            3 => Self::LowAddress,
            4 => Self::Unmapped,
            5 => Self::ReadOnly,
            6 => Self::InvalidIndirectJump,
            7 => Self::InvalidJump,
            8 => Self::InvalidEntry,
            _ => Self::Unknown,
        }
    }
}

/// What the machines of a block may have only so much of. The chain's consensus constants say how much.
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
pub enum Limit {
    /// Bytes of a program.
    CodeBytes,
    /// Distinct programs that were compiled in this block, or their bytes.
    Programs,
    /// Memory of a machine.
    MemoryBytes,
    /// Living machines.
    Machines,
    /// Memory of all living machines.
    Pages,
    /// Machines that wait for one another.
    Nesting,
    /// Bytes of a snapshot.
    SnapshotBytes,
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
