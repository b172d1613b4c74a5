//! Why execution stopped.

use core::fmt;

/// What ended a call of [`Instance::run`](crate::Instance::run).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// The entry point returned.
    Finished,
    /// The program called the host: `ecalli` with this number, which is the index of an import if the program has a list
    /// of them. `run` goes on behind it.
    Syscall(u32),
    /// There is not enough gas for the next block. Nothing was deducted; after `set_gas`, `run` goes on.
    OutOfGas,
    /// The program did something that ends it.
    Trap(Trap),
    /// The program accessed a page that its host has not mapped or has protected (only with
    /// [`Config::faults_to_host`](crate::Config::faults_to_host)). `run` tries the access again.
    PageFault(PageFault),
    /// The [`Pause`](crate::Pause) flag is up. `run` goes on as if nothing had happened.
    Paused,
}

/// Where an instance is between two calls of [`Instance::run`](crate::Instance::run).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// It was never prepared, or was reset.
    Idle,
    /// It is prepared and will begin at its pc.
    Ready,
    /// It ran, and this stopped it.
    Stopped(Exit),
}

/// A trap: where and why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trap {
    /// Why.
    pub kind: TrapKind,
    /// The instruction that trapped.
    pub pc: u32,
    /// The address it accessed or jumped to, where there is one.
    pub address: Option<u32>,
}

/// Why a program trapped. The numbers are stable.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
#[non_exhaustive]
pub enum TrapKind {
    /// A `trap` instruction: what compilers make of `unimp`, `unreachable` and aborts.
    Trap = 0,
    /// The bytes are no instruction of the program's instruction set.
    InvalidInstruction = 1,
    /// Execution ran off the end of the code.
    CodeEnd = 2,
    /// An access below 0x10000 (64 KiB), where nothing is ever mapped: mostly a null pointer.
    LowAddress = 3,
    /// An access to memory that is not mapped.
    Unmapped = 4,
    /// A write to read-only memory.
    ReadOnly = 5,
    /// A jump through an address that names no entry of the jump table, or an entry that is no start of a block.
    InvalidIndirectJump = 6,
    /// A direct jump or branch whose target, or whose continuation, is no start of a block.
    InvalidJump = 7,
    /// Execution was started at a pc where no instruction starts.
    InvalidEntry = 8,
}

impl TrapKind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 9] = [
        Self::Trap,
        Self::InvalidInstruction,
        Self::CodeEnd,
        Self::LowAddress,
        Self::Unmapped,
        Self::ReadOnly,
        Self::InvalidIndirectJump,
        Self::InvalidJump,
        Self::InvalidEntry,
    ];

    /// Whether traps of this kind have an address.
    pub const fn has_address(self) -> bool {
        matches!(self, Self::LowAddress | Self::Unmapped | Self::ReadOnly | Self::InvalidIndirectJump)
    }

    /// What happened, in words.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Trap => "trap instruction",
            Self::InvalidInstruction => "invalid instruction",
            Self::CodeEnd => "execution ran off the end of the code",
            Self::LowAddress => "memory access below 0x10000",
            Self::Unmapped => "access to unmapped memory",
            Self::ReadOnly => "write to read-only memory",
            Self::InvalidIndirectJump => "indirect jump to an address without a jump target",
            Self::InvalidJump => "jump to what is no start of a block",
            Self::InvalidEntry => "entered where no instruction starts",
        }
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at pc {:#x}", self.kind.description(), self.pc)?;
        self.address.map_or(Ok(()), |address| write!(f, " (address {address:#010x})"))
    }
}

/// An access that the host can make possible.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PageFault {
    /// Start of the page in question.
    pub page_address: u32,
    /// The first byte of the access that lies in this page.
    pub address: u32,
    /// The instruction.
    pub pc: u32,
    /// Whether the page is there but read-only.
    pub write_protected: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traps_say_what_where_and_at_which_address() {
        let trap = Trap { kind: TrapKind::ReadOnly, pc: 0x12, address: Some(0x10000) };
        assert_eq!(trap.to_string(), "write to read-only memory at pc 0x12 (address 0x00010000)");
        let trap = Trap { kind: TrapKind::Trap, pc: 7, address: None };
        assert_eq!(trap.to_string(), "trap instruction at pc 0x7");
    }

    #[test]
    fn kinds_have_stable_numbers() {
        for (number, kind) in TrapKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, number);
        }
    }
}
