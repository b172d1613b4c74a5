//! What `VirtualizationControl` returns.
//!
//! Results of variable length are SCALE. The host functions return how long one is and fill the caller's buffer as far as it
//! goes; a later node may append to it, and who reads it takes the beginning.

use super::WireError;
use alloc::vec::Vec;
use codec::{Decode, Encode};
use core::fmt;
use num_enum::{IntoPrimitive, TryFromPrimitive};
use thiserror::Error;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Why a function of `VirtualizationControl` did nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoPrimitive, TryFromPrimitive, Error)]
#[repr(i32)]
pub enum ControlError {
    /// No instance has this id.
    #[error("no instance has this id")]
    InvalidInstance = -1,
    /// No module has this id; it may have been released.
    #[error("no module has this id")]
    InvalidModule = -2,
    /// The instance is not in the state that the function needs.
    #[error("the instance is not in the state that this needs")]
    InvalidState = -3,
    /// A limit of the chain is reached. [`ExitInfo::refusal`] of [`NO_INSTANCE`] says which.
    #[error("a limit of the chain is reached")]
    LimitReached = -4,
    /// The bytes are not a snapshot of an instance of this module.
    #[error("the bytes are not a snapshot of an instance of this module")]
    InvalidSnapshot = -5,
    /// The list of programs cannot be decoded, or has an identifier twice, or one of more than 64 bytes.
    #[error(
        "the list of programs has an identifier twice, or one of more than 64 bytes, or cannot be decoded"
    )]
    InvalidPrograms = -6,
}

impl WireError for ControlError {
    fn to_wire(self) -> i64 {
        i32::from(self).into()
    }

    fn from_wire(number: i64) -> Option<Self> {
        i32::try_from(number).ok()?.try_into().ok()
    }
}

/// The id that no instance has: `exit_info` of it tells why the last request for a module or an instance was refused.
pub const NO_INSTANCE: u32 = u32::MAX;

/// The state of an instance, and how it came into it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct ExitInfo {
    /// Where it stopped last, or that it did not run yet.
    pub stop: Stop,
    /// The instruction that it stopped at, or that it will begin with: an offset into its code in bytes.
    pub pc: u32,
    /// The gas that was left at the stop; after a trap too.
    pub gas_left: i64,
    /// The process that the stop is of, in an instance that is a tree of processes; otherwise 0.
    pub process: u64,
    /// Why the last attempt to prepare or resume it was refused, if it was. Of [`NO_INSTANCE`]: why the last request
    /// for a module, an instance or a snapshot was answered `InvalidImage`, `LimitReached` or `InvalidSnapshot`; nothing if it got
    /// another answer.
    pub refusal: Option<Refusal>,
}

/// Why an instance does not run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub enum Stop {
    /// It is new, or was reset.
    #[default]
    #[codec(index = 0)]
    Idle,
    /// It is prepared.
    #[codec(index = 1)]
    Ready,
    /// It made a syscall and waits for the answer.
    #[codec(index = 2)]
    Syscall {
        /// The index among the program's imports.
        import: u32,
    },
    /// The export returned.
    #[codec(index = 3)]
    Finished,
    /// The gas did not suffice for the next block. `resume` goes on there.
    #[codec(index = 4)]
    OutOfGas,
    /// The guest trapped.
    #[codec(index = 5)]
    Trap {
        /// Why.
        kind: TrapKind,
        /// The address that it accessed or jumped to, where there is one.
        address: Option<u32>,
    },
    /// It made a syscall that it does not import.
    #[codec(index = 6)]
    InvalidSyscall {
        /// The number of the syscall.
        import: u32,
    },
    /// All processes of the tree wait for one another.
    #[codec(index = 7)]
    Deadlock,
    /// The root of the tree replaced its program by something that cannot be executed.
    #[codec(index = 8)]
    BadImage {
        /// Why, as `process_wait` tells it.
        reason: u8,
    },
}

/// Why a guest trapped. Numbers that are not listed here come from a later node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct TrapKind(pub u8);

impl TrapKind {
    /// A `trap` instruction: what compilers make of `unimp`, `unreachable` and aborts.
    pub const TRAP: Self = Self(0);
    /// The bytes are no instruction of the program's instruction set.
    pub const INVALID_INSTRUCTION: Self = Self(1);
    /// Execution ran off the end of the code.
    pub const CODE_END: Self = Self(2);
    /// An access below 0x10000, where nothing is ever mapped: mostly a null pointer.
    pub const LOW_ADDRESS: Self = Self(3);
    /// An access to memory that is not mapped.
    pub const UNMAPPED: Self = Self(4);
    /// A write to read-only memory.
    pub const READ_ONLY: Self = Self(5);
    /// A jump through an address that names no entry of the jump table.
    pub const INVALID_INDIRECT_JUMP: Self = Self(6);
    /// A direct jump or branch to what is no start of a block.
    pub const INVALID_JUMP: Self = Self(7);
    /// Execution was started where no instruction starts.
    pub const INVALID_ENTRY: Self = Self(8);
    /// A process passed memory that it cannot access to one of the calls that are about processes and pipes.
    pub const CALL_ARGUMENT: Self = Self(255);

    /// What happened, in words.
    pub const fn description(self) -> &'static str {
        match self {
            Self::TRAP => "trap instruction",
            Self::INVALID_INSTRUCTION => "invalid instruction",
            Self::CODE_END => "execution ran off the end of the code",
            Self::LOW_ADDRESS => "memory access below 0x10000",
            Self::UNMAPPED => "access to unmapped memory",
            Self::READ_ONLY => "write to read-only memory",
            Self::INVALID_INDIRECT_JUMP => "indirect jump to an address without a jump target",
            Self::INVALID_JUMP => "jump to what is no start of a block",
            Self::INVALID_ENTRY => "entered where no instruction starts",
            Self::CALL_ARGUMENT => "a call was given memory that the process cannot access",
            _ => "a reason that this version does not know",
        }
    }
}

impl fmt::Debug for TrapKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0, self.description())
    }
}

impl fmt::Display for TrapKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.description())
    }
}

/// Why a request was refused: the cause behind an `InvalidImage` or a [`ControlError`] on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub enum Refusal {
    /// The bytes are no valid program.
    #[codec(index = 0)]
    InvalidProgram,
    /// The program has more bytes than a program may have.
    #[codec(index = 1)]
    CodeBytes,
    /// As many distinct programs as allowed are compiled, or they have as many bytes together as allowed.
    #[codec(index = 2)]
    Modules,
    /// The program declares more memory than an instance may have.
    #[codec(index = 3)]
    MemoryBytes,
    /// As many instances as allowed live.
    #[codec(index = 4)]
    Instances,
    /// The instances that live have as many pages of memory as allowed, heaps included.
    #[codec(index = 5)]
    Pages,
    /// As many instances as allowed are prepared or suspended.
    #[codec(index = 6)]
    Nesting,
    /// The program has no such export.
    #[codec(index = 7)]
    UnknownExport,
    /// The snapshot has more bytes than a snapshot may have.
    #[codec(index = 8)]
    SnapshotBytes,
    /// The bytes are not a snapshot of an instance of this module.
    #[codec(index = 9)]
    InvalidSnapshot,
}

/// What a finished call left in the guest's registers: its return value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct CallResult {
    /// Register a0.
    pub a0: u64,
    /// Register a1.
    pub a1: u64,
}

impl AsRef<[u8]> for CallResult {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl AsMut<[u8]> for CallResult {
    fn as_mut(&mut self) -> &mut [u8] {
        self.as_mut_bytes()
    }
}

/// What a program is and what it needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct ModuleInfo {
    /// SHA-256 of the bytes that were compiled.
    pub code_hash: [u8; 32],
    /// How many bytes those are.
    pub code_bytes: u32,
    /// What compiling it costs: the bytes of its instructions, to which the time is proportional.
    pub compile_cost: u32,
    /// Its memory.
    pub memory: MemoryInfo,
    /// The symbols of its exports, sorted.
    pub exports: Vec<Vec<u8>>,
    /// The symbols of its imports by index.
    pub imports: Vec<Vec<u8>>,
}

/// The memory of a program. Sizes are bytes, addresses are the guest's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct MemoryInfo {
    /// Where read-only data begins.
    pub read_only_start: u32,
    /// The size of the read-only data, in whole pages.
    pub read_only_bytes: u32,
    /// Where read-write data begins.
    pub read_write_start: u32,
    /// The size of the read-write data, in whole pages.
    pub read_write_bytes: u32,
    /// Where the heap begins: the end of the read-write data, not rounded.
    pub heap_start: u32,
    /// How far the heap can grow before it reaches the stack or the most memory that an instance may have. What is left of
    /// [`ResourceInfo::pages`] can be less.
    pub heap_most_bytes: u32,
    /// The first address behind the stack, which grows downwards.
    pub stack_end: u32,
    /// The size of the stack, in whole pages.
    pub stack_bytes: u32,
}

/// What this block, or this call into the runtime, may have of each resource, and what it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct ResourceInfo {
    /// Distinct compiled programs.
    pub modules: Usage,
    /// Living instances.
    pub instances: Usage,
    /// Pages of 4096 bytes that they have, heaps included. Where `sbrk` would pass the limit, it gives 0.
    pub pages: Usage,
    /// Instances that are prepared or suspended.
    pub nesting: Usage,
    /// The most bytes a program may have.
    pub most_code_bytes: u32,
    /// The most bytes of memory an instance may have, its heap included.
    pub most_memory_bytes: u64,
    /// The most bytes a snapshot may have.
    pub most_snapshot_bytes: u32,
    /// How many processes of a tree may live at a time.
    pub most_processes: u32,
    /// How many descriptors all processes of a tree may have open at a time.
    pub most_descriptors: u32,
    /// The bytes of code of the distinct compiled programs. What is added later comes behind: runtimes that do not know it read what is
    /// in front of it.
    pub modules_bytes: Usage,
}

/// Of some resource, what there is and the most that there may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Usage {
    /// What there is.
    pub used: u64,
    /// The most that there may be.
    pub limit: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{InstanceId, WireResult};
    use core::fmt::Debug;

    /// Both directions, and that more bytes behind do not matter.
    fn pin<T: Encode + Decode + Debug + PartialEq>(value: &T, bytes: &[u8]) {
        assert_eq!(value.encode(), bytes, "{value:?}");
        let longer = [bytes, &[0xff; 3]].concat();
        assert_eq!(&T::decode(&mut &longer[..]).unwrap(), value);
    }

    #[test]
    fn errors_are_small_negative_numbers() {
        let all = [
            (ControlError::InvalidInstance, -1),
            (ControlError::InvalidModule, -2),
            (ControlError::InvalidState, -3),
            (ControlError::LimitReached, -4),
            (ControlError::InvalidSnapshot, -5),
            (ControlError::InvalidPrograms, -6),
        ];
        for (error, number) in all {
            assert_eq!(i64::from(WireResult::<(), _>(Err(error))), number);
            assert_eq!(WireResult::<(), _>::try_from(number), Ok(WireResult(Err(error))));
        }
        for number in [-7, i64::MIN, -0x1_0000_0001] {
            assert!(WireResult::<InstanceId, ControlError>::try_from(number).is_err(), "{number}");
        }
    }

    #[test]
    fn a_length_is_a_number() {
        assert_eq!(i64::from(WireResult::<u32, ControlError>(Ok(23))), 23);
        assert_eq!(WireResult::<u32, ControlError>::try_from(23), Ok(WireResult(Ok(23))));
        assert!(WireResult::<u32, ControlError>::try_from(1 << 32).is_err());
    }

    #[test]
    fn an_exit_is_pinned() {
        pin(&ExitInfo::default(), &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        let trap = ExitInfo {
            stop: Stop::Trap { kind: TrapKind::READ_ONLY, address: Some(0x0001_0203) },
            pc: 0x0405_0607,
            gas_left: -2,
            process: 9,
            refusal: Some(Refusal::UnknownExport),
        };
        let mut bytes = vec![5, 5, 1, 3, 2, 1, 0, 7, 6, 5, 4, 0xfe];
        bytes.extend([0xff; 7]);
        bytes.extend([9, 0, 0, 0, 0, 0, 0, 0, 1, 7]);
        pin(&trap, &bytes);
    }

    #[test]
    fn stops_and_refusals_are_pinned() {
        pin(&Stop::Idle, &[0]);
        pin(&Stop::Ready, &[1]);
        pin(&Stop::Syscall { import: 0x0102 }, &[2, 2, 1, 0, 0]);
        pin(&Stop::Finished, &[3]);
        pin(&Stop::OutOfGas, &[4]);
        pin(&Stop::Trap { kind: TrapKind(8), address: None }, &[5, 8, 0]);
        pin(&Stop::InvalidSyscall { import: 3 }, &[6, 3, 0, 0, 0]);
        pin(&Stop::Deadlock, &[7]);
        pin(&Stop::BadImage { reason: 2 }, &[8, 2]);
        let refusals = [
            Refusal::InvalidProgram,
            Refusal::CodeBytes,
            Refusal::Modules,
            Refusal::MemoryBytes,
            Refusal::Instances,
            Refusal::Pages,
            Refusal::Nesting,
            Refusal::UnknownExport,
            Refusal::SnapshotBytes,
            Refusal::InvalidSnapshot,
        ];
        for (number, refusal) in refusals.iter().enumerate() {
            pin(refusal, &[number as u8]);
        }
    }

    #[test]
    fn a_module_is_pinned() {
        let info = ModuleInfo {
            code_hash: [0xab; 32],
            code_bytes: 1,
            compile_cost: 2,
            memory: MemoryInfo {
                read_only_start: 3,
                read_only_bytes: 4,
                read_write_start: 5,
                read_write_bytes: 6,
                heap_start: 7,
                heap_most_bytes: 8,
                stack_end: 9,
                stack_bytes: 10,
            },
            exports: vec![b"ab".to_vec(), Vec::new()],
            imports: vec![b"c".to_vec()],
        };
        let mut bytes = vec![0xab; 32];
        for number in 1..=10u8 {
            bytes.extend([number, 0, 0, 0]);
        }
        bytes.extend([8, 8, b'a', b'b', 0, 4, 4, b'c']);
        pin(&info, &bytes);
    }

    #[test]
    fn resources_are_pinned() {
        let usage = |used| Usage { used, limit: used + 1 };
        let info = ResourceInfo {
            modules: usage(1),
            instances: usage(3),
            pages: usage(5),
            nesting: usage(7),
            most_code_bytes: 9,
            most_memory_bytes: 10,
            most_snapshot_bytes: 11,
            most_processes: 12,
            most_descriptors: 13,
            modules_bytes: usage(14),
        };
        let mut bytes = Vec::new();
        for number in 1..=8u8 {
            bytes.extend([number, 0, 0, 0, 0, 0, 0, 0]);
        }
        bytes.extend([9, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0, 11, 0, 0, 0, 12, 0, 0, 0, 13, 0, 0, 0]);
        bytes.extend([14, 0, 0, 0, 0, 0, 0, 0, 15, 0, 0, 0, 0, 0, 0, 0]);
        pin(&info, &bytes);
    }

    #[test]
    fn a_result_is_two_registers() {
        let result = CallResult { a0: 0x0807_0605_0403_0201, a1: 9 };
        assert_eq!(result.as_ref(), [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 0, 0, 0, 0, 0]);
    }
}
