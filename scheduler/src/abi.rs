//! What guests see: the calls by which a process deals with others, and the codes that they return.
//!
//! `docs/processes.md` has the arguments of each call.

use core::fmt;

/// A call of a process. In the guest it is an import with the symbol [`Call::symbol`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Call {
    /// Starts a process.
    Spawn = 0,
    /// Waits for the end of a process.
    Wait = 1,
    /// The caller's id.
    Id = 2,
    /// Ends the caller.
    Exit = 3,
    /// Makes a pipe.
    PipeCreate = 4,
    /// Takes bytes out of a pipe.
    PipeRead = 5,
    /// Puts bytes into a pipe.
    PipeWrite = 6,
    /// Gives an end of a pipe up.
    PipeClose = 7,
    /// The descriptors that the caller was started with.
    InheritedDescriptors = 8,
    /// Replaces the caller's program.
    Exec = 9,
    /// The gas that all processes together have used.
    Gas = 10,
}

impl Call {
    /// All calls, in the order of their numbers.
    pub const ALL: [Self; 11] = [
        Self::Spawn,
        Self::Wait,
        Self::Id,
        Self::Exit,
        Self::PipeCreate,
        Self::PipeRead,
        Self::PipeWrite,
        Self::PipeClose,
        Self::InheritedDescriptors,
        Self::Exec,
        Self::Gas,
    ];

    /// The symbol that guests import it by.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Spawn => "process_spawn",
            Self::Wait => "process_wait",
            Self::Id => "process_id",
            Self::Exit => "process_exit",
            Self::PipeCreate => "pipe_create",
            Self::PipeRead => "pipe_read",
            Self::PipeWrite => "pipe_write",
            Self::PipeClose => "pipe_close",
            Self::InheritedDescriptors => "process_inherited_fds",
            Self::Exec => "process_exec",
            Self::Gas => "process_gas",
        }
    }

    /// The call with this symbol; none: the symbol is the embedder's.
    pub const fn from_symbol(symbol: &[u8]) -> Option<Self> {
        match symbol {
            b"process_spawn" => Some(Self::Spawn),
            b"process_wait" => Some(Self::Wait),
            b"process_id" => Some(Self::Id),
            b"process_exit" => Some(Self::Exit),
            b"pipe_create" => Some(Self::PipeCreate),
            b"pipe_read" => Some(Self::PipeRead),
            b"pipe_write" => Some(Self::PipeWrite),
            b"pipe_close" => Some(Self::PipeClose),
            b"process_inherited_fds" => Some(Self::InheritedDescriptors),
            b"process_exec" => Some(Self::Exec),
            b"process_gas" => Some(Self::Gas),
            _ => None,
        }
    }

    /// Whether the scheduler chooses anew after it. All calls but the two that only ask.
    pub const fn yields(self) -> bool {
        !matches!(self, Self::Id | Self::Gas)
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.symbol())
    }
}

/// What a call returns in `a0`. The numbers are those of ckb-script.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Code {
    /// It is done.
    Success = 0,
    /// No program has this identifier.
    NoProgram = 1,
    /// There is nothing of the kind. No call returns it: the number is kept free.
    NoItem = 2,
    /// The program's bytes do not have this part.
    OutOfRange = 3,
    /// There are more bytes of arguments than a process can be given.
    TooLong = 4,
    /// There is no process to wait for.
    NoProcess = 5,
    /// The descriptor is not the caller's, is listed twice, or is the wrong end of its pipe.
    InvalidDescriptor = 6,
    /// The other end of the pipe is closed.
    OtherEndClosed = 7,
    /// There are as many processes as there may be.
    TooManyProcesses = 8,
    /// There are as many descriptors as there may be.
    TooManyDescriptors = 9,
}

impl Code {
    /// All codes, in the order of their numbers.
    pub const ALL: [Self; 10] = [
        Self::Success,
        Self::NoProgram,
        Self::NoItem,
        Self::OutOfRange,
        Self::TooLong,
        Self::NoProcess,
        Self::InvalidDescriptor,
        Self::OtherEndClosed,
        Self::TooManyProcesses,
        Self::TooManyDescriptors,
    ];

    /// What it says, in words.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::NoProgram => "no such program",
            Self::NoItem => "no such item",
            Self::OutOfRange => "not a part of the program's bytes",
            Self::TooLong => "too many bytes of arguments",
            Self::NoProcess => "no such process",
            Self::InvalidDescriptor => "invalid descriptor",
            Self::OtherEndClosed => "other end closed",
            Self::TooManyProcesses => "too many processes",
            Self::TooManyDescriptors => "too many descriptors",
        }
    }
}

/// A process's number. The root's is 0, the others count up from 1 in the order in which they are started; none is used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ProcessId(pub u64);

impl ProcessId {
    /// The first process. Its end is the end of all.
    pub const ROOT: Self = Self(0);
}

impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An end of a pipe. The k-th pipe has the descriptors 2 + 2k, to read from, and 3 + 2k, to write to; none is used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Descriptor(pub u64);

/// Which end of a pipe.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum End {
    Read = 0,
    Write = 1,
}

impl End {
    pub(crate) const BOTH: [Self; 2] = [Self::Read, Self::Write];

    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Read => Self::Write,
            Self::Write => Self::Read,
        }
    }
}

impl Descriptor {
    /// The descriptor of the first pipe's end to read from.
    pub const FIRST: Self = Self(2);

    pub(crate) const fn new(pipe: u64, end: End) -> Self {
        Self(Self::FIRST.0 + 2 * pipe + end as u64)
    }

    /// The pipe's number and the end; none: no pipe has such a descriptor.
    pub(crate) const fn parts(self) -> Option<(u64, End)> {
        match self.0.checked_sub(Self::FIRST.0) {
            Some(number) => Some((number / 2, if number % 2 == 0 { End::Read } else { End::Write })),
            None => None,
        }
    }

    /// The other end of the pipe.
    #[must_use]
    pub const fn other_end(self) -> Self {
        Self(self.0 ^ 1)
    }

    /// Whether it is an end to read from.
    pub const fn is_to_read(self) -> bool {
        self.0.is_multiple_of(2)
    }
}

impl fmt::Display for Descriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_symbols_are_pinned() {
        let symbols = [
            "process_spawn",
            "process_wait",
            "process_id",
            "process_exit",
            "pipe_create",
            "pipe_read",
            "pipe_write",
            "pipe_close",
            "process_inherited_fds",
            "process_exec",
            "process_gas",
        ];
        for (number, (call, symbol)) in Call::ALL.into_iter().zip(symbols).enumerate() {
            assert_eq!(
                (call as usize, call.symbol(), Call::from_symbol(symbol.as_bytes())),
                (number, symbol, Some(call))
            );
        }
        assert_eq!(Call::from_symbol(b"process_spawn_"), None);
        assert_eq!(Code::ALL.map(|code| code as u8), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }

    #[test]
    fn descriptors_and_pipes_belong_together() {
        assert_eq!((Descriptor(0).parts(), Descriptor(1).parts()), (None, None));
        assert_eq!(Descriptor(2).parts(), Some((0, End::Read)));
        assert_eq!(Descriptor(5).parts(), Some((1, End::Write)));
        for number in 2..100 {
            let descriptor = Descriptor(number);
            let (pipe, end) = descriptor.parts().unwrap();
            assert_eq!(Descriptor::new(pipe, end), descriptor);
            assert_eq!(Descriptor::new(pipe, end.other()), descriptor.other_end());
            assert_eq!(descriptor.is_to_read(), end == End::Read);
        }
    }
}
