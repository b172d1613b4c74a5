//! What comes of a call.

use core::fmt;

use hatchery_engine::{EngineError, MemoryError, RunError, Trap, TrapKind};

use crate::body::LoadError;
use crate::cache::CacheError;
use crate::cnode::{PathError, SlotError, SlotPath};
use crate::hash::CapHash;
use crate::image::ImageError;
use crate::stack::{Catcher, StackError};

/// What came of a call, or of going on with one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CallResult {
    /// The instance replied. The stack is empty.
    Halt {
        /// Register `a0`.
        return_value: u64,
        /// The instance as it is now.
        post_instance_hash: CapHash,
        /// What it left in slot 0.
        reflected_slot0: Option<CapHash>,
        /// Gas spent since the last result.
        gas_used: u64,
    },
    /// The instance faulted. Nothing has changed but gas meters; the stack is empty.
    Faulted {
        /// Why.
        reason: FaultReason,
        /// What it was given in slot 0.
        reflected_slot0: Option<CapHash>,
        /// Gas spent since the last result.
        gas_used: u64,
    },
    /// An instance yielded, or ran out of gas and somebody deals with that. The stack stays for
    /// [`Vm::resume`](super::Vm::resume), [`Vm::drop_paused`](super::Vm::drop_paused) or
    /// [`Vm::drop_to_catcher`](super::Vm::drop_to_catcher).
    Paused {
        /// What it yielded.
        marker: CapHash,
        /// The capability that comes with it: the one in the marker slot; for out of gas the meter, if there is one.
        payload: Option<CapHash>,
        /// Who deals with it.
        catcher: Catcher,
        /// Gas spent since the last result.
        gas_used: u64,
    },
}

impl CallResult {
    /// Gas spent since the last result.
    pub const fn gas_used(&self) -> u64 {
        match self {
            Self::Halt { gas_used, .. } | Self::Faulted { gas_used, .. } | Self::Paused { gas_used, .. } => {
                *gas_used
            }
        }
    }
}

/// What a caller finds in `a1` behind a CALL.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u64)]
pub enum CallStatus {
    /// The instance replied; `a0` is what it replied.
    Halted = 0,
    /// It trapped, or did an operation that it could not.
    Trap = 1,
    /// It jumped to, or was, no instruction.
    Panic = 2,
    /// It accessed memory that it could not.
    PageFault = 3,
    /// It ran out of gas.
    OutOfGas = 4,
    /// It yielded, and whoever dealt with that gave it up.
    Dropped = 5,
}

/// Why an instance ended without a reply.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FaultReason {
    /// The program trapped.
    Program(Trap),
    /// An operation could not be done.
    Operation {
        /// Its number.
        number: u32,
        /// Where, in the code.
        pc: u32,
        /// Why.
        error: OperationError,
    },
    /// There was not enough gas, and nobody dealt with that.
    OutOfGas,
}

impl FaultReason {
    /// What a caller would find in `a1`.
    pub const fn status(&self) -> CallStatus {
        match self {
            Self::Operation { .. } => CallStatus::Trap,
            Self::OutOfGas => CallStatus::OutOfGas,
            Self::Program(trap) => match trap.kind {
                TrapKind::Trap => CallStatus::Trap,
                TrapKind::LowAddress | TrapKind::Unmapped | TrapKind::ReadOnly => CallStatus::PageFault,
                _ => CallStatus::Panic,
            },
        }
    }
}

impl fmt::Display for FaultReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program(trap) => trap.fmt(f),
            Self::Operation { number, pc, error } => write!(f, "operation {number} at pc {pc:#x}: {error}"),
            Self::OutOfGas => f.write_str("out of gas"),
        }
    }
}

/// Why an operation cannot be done. The program is at fault, and traps.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OperationError {
    /// There is no such operation.
    #[error("there is no such operation")]
    Unknown,
    /// The embedder knows no such operation, or refuses it.
    #[error("the embedder does not do this")]
    Embedder,
    /// A register holds no path.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A slot cannot be read or written.
    #[error(transparent)]
    Slot(#[from] SlotError),
    /// A slot holds something else.
    #[error("slot {path} does not hold what it has to: {wanted}")]
    Kind {
        /// Which.
        path: SlotPath,
        /// What it has to hold.
        wanted: &'static str,
    },
    /// The call stack is full.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// An instance cannot be entered.
    #[error("the instance cannot be entered: {reason}")]
    Entry {
        /// Why.
        reason: &'static str,
    },
    /// An instance cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Nobody below deals with this marker.
    #[error("nobody catches the marker {marker}")]
    UnhandledMarker {
        /// The marker.
        marker: CapHash,
    },
    /// A slot that the image pins is taken.
    #[error("slot {slot}, which the image pins, is taken")]
    Collision {
        /// Which.
        slot: u8,
    },
    /// The bytes are no image, or one that breaks a rule.
    #[error("not an image: {reason}")]
    Image {
        /// Why.
        reason: String,
    },
    /// Memory cannot be accessed.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// An address exceeds 32 bits.
    #[error("the address {address:#x} exceeds 32 bits")]
    Address {
        /// The address.
        address: u64,
    },
    /// The data are longer than data can be.
    #[error("{length} bytes: data have at most {limit}")]
    Length {
        /// How long.
        length: u64,
        /// How long they may be.
        limit: u64,
    },
    /// The instance has no such quota in its quota slots.
    #[error("there is no quota {quota} in the quota slots")]
    NoQuota {
        /// Which.
        quota: u64,
    },
    /// The quota is used up.
    #[error("the quota {quota} has {left} bytes left, {wanted} are needed")]
    QuotaExhausted {
        /// Which.
        quota: u64,
        /// What is left of it.
        left: u64,
        /// What would be needed.
        wanted: u64,
    },
    /// The call from outside has made as much as it may.
    #[error("{limit} nodes and instances were made in this call: there cannot be more")]
    WorkingLimit {
        /// The limit.
        limit: u64,
    },
    /// There is no such file.
    #[error("there is no file {file} of this owner")]
    NoFile {
        /// Which.
        file: u64,
    },
}

impl From<ImageError> for OperationError {
    fn from(error: ImageError) -> Self {
        Self::Image { reason: error.to_string() }
    }
}

/// Why a machine did not do what it was asked. Programs are not at fault. After an error of the host (store, engine, a page of data that
/// is not here) nothing has changed but gas meters, and the stack is empty.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VmError {
    /// The stack holds a call that yielded: resume or drop it first.
    #[error("a call is paused: resume or drop it first")]
    Paused,
    /// There is nothing to be resumed or dropped.
    #[error("no call is paused")]
    NotPaused,
    /// The instance cannot be entered.
    #[error("the instance cannot be entered: {reason}")]
    Entry {
        /// Why.
        reason: &'static str,
    },
    /// The directory has not as much room as a call may take: nothing was done.
    #[error("{room} capabilities more can be worked on in the directory, {wanted} are what a call may make")]
    Room {
        /// How much room there is.
        room: u64,
        /// How much a call may take.
        wanted: u64,
    },
    /// The instance cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A capability cannot be read or kept.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The engine cannot run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The engine cannot be made.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The stack is not as it should be: a defect of the machine.
    #[error("the call stack is not as it should be: {reason}")]
    Defect {
        /// What is wrong.
        reason: &'static str,
    },
}
