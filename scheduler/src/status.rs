//! How processes end.

use core::fmt;

use hatchery_engine::{Trap, TrapKind};

/// How a process ended.
///
/// [`Call::Wait`](crate::Call::Wait) writes it as two numbers of 32 bits, little-endian: the kind and the code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// It returned from its entry point, or called [`Call::Exit`](crate::Call::Exit): kind 0, the code is the low eight bits
    /// of what it gave, with their sign.
    Exited(i8),
    /// It did something that ends a program: kind 1.
    Trapped(Fault),
    /// What it was to execute cannot be: kind 2.
    BadImage(BadImage),
}

/// What a process did that ended it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// What.
    pub kind: FaultKind,
    /// The instruction.
    pub pc: u32,
    /// The address that it accessed, jumped to or passed, where there is one.
    pub address: Option<u32>,
}

/// The kind of a fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FaultKind {
    /// A trap of the engine: the code is the trap's number.
    Trap(TrapKind),
    /// It passed memory that it cannot access to a call: the code is 255.
    Argument,
}

/// Why a program cannot be executed. The numbers are the codes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum BadImage {
    /// The bytes are no program.
    Program = 0,
    /// The program does not export `main`.
    NoEntry = 1,
    /// The arguments do not fit the program's stack.
    Arguments = 2,
}

impl Status {
    /// What `process_wait` writes.
    pub const fn parts(self) -> (u32, i32) {
        match self {
            Self::Exited(code) => (0, code as i32),
            Self::Trapped(fault) => (1, fault.kind.code()),
            Self::BadImage(reason) => (2, reason as i32),
        }
    }

    pub(crate) fn to_bytes(self) -> [u8; 8] {
        let (kind, code) = self.parts();
        let mut bytes = [0; 8];
        bytes[..4].copy_from_slice(&kind.to_le_bytes());
        bytes[4..].copy_from_slice(&code.to_le_bytes());
        bytes
    }
}

impl FaultKind {
    const ARGUMENT: i32 = 255;

    /// The number that a waiting process is told.
    pub const fn code(self) -> i32 {
        match self {
            Self::Trap(kind) => kind as i32,
            Self::Argument => Self::ARGUMENT,
        }
    }

    /// The kind with this number.
    pub(crate) fn from_code(code: i32) -> Option<Self> {
        match code {
            Self::ARGUMENT => Some(Self::Argument),
            _ => usize::try_from(code).ok().and_then(|code| TrapKind::ALL.get(code)).copied().map(Self::Trap),
        }
    }
}

impl BadImage {
    /// All reasons, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Program, Self::NoEntry, Self::Arguments];
}

impl From<Trap> for Fault {
    fn from(trap: Trap) -> Self {
        Self { kind: FaultKind::Trap(trap.kind), pc: trap.pc, address: trap.address }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "exit {code}"),
            Self::Trapped(fault) => write!(f, "trap: {fault}"),
            Self::BadImage(reason) => write!(f, "bad image: {reason}"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            FaultKind::Trap(kind) => kind.description(),
            FaultKind::Argument => "a call was given memory that the process cannot access",
        };
        write!(f, "{what} at pc {:#x}", self.pc)?;
        self.address.map_or(Ok(()), |address| write!(f, " (address {address:#010x})"))
    }
}

impl fmt::Display for BadImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Program => "the bytes are no program",
            Self::NoEntry => "the program does not export `main`",
            Self::Arguments => "the arguments do not fit the program's stack",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_waiting_process_is_told() {
        let trapped = |kind| Status::Trapped(Fault { kind, pc: 7, address: Some(16) });
        assert_eq!(Status::Exited(-1).to_bytes(), [0, 0, 0, 0, 255, 255, 255, 255]);
        assert_eq!(trapped(FaultKind::Trap(TrapKind::ReadOnly)).to_bytes(), [1, 0, 0, 0, 5, 0, 0, 0]);
        assert_eq!(trapped(FaultKind::Argument).to_bytes(), [1, 0, 0, 0, 255, 0, 0, 0]);
        assert_eq!(Status::BadImage(BadImage::Arguments).to_bytes(), [2, 0, 0, 0, 2, 0, 0, 0]);
        assert_eq!(BadImage::ALL.map(|reason| reason as u8), [0, 1, 2]);
    }

    #[test]
    fn kinds_of_faults_come_back_from_their_codes() {
        for code in 0..=255 {
            match FaultKind::from_code(code) {
                Some(kind) => assert_eq!(kind.code(), code),
                None => assert!((9..255).contains(&code), "{code}"),
            }
        }
        assert_eq!((FaultKind::from_code(-1), FaultKind::from_code(256)), (None, None));
    }

    #[test]
    fn ends_in_words() {
        let fault = Fault { kind: FaultKind::Argument, pc: 7, address: Some(16) };
        assert_eq!(
            Status::Trapped(fault).to_string(),
            "trap: a call was given memory that the process cannot access at pc 0x7 (address 0x00000010)"
        );
        assert_eq!(Status::Exited(3).to_string(), "exit 3");
        assert_eq!(
            Status::BadImage(BadImage::NoEntry).to_string(),
            "bad image: the program does not export `main`"
        );
    }
}
