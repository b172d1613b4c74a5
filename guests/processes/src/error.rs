//! Codes that say no.

/// Why a call did not do what it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// No program has this identifier.
    NoProgram,
    /// The program's bytes do not have this part.
    OutOfRange,
    /// There are more bytes of arguments than a process can be given.
    TooLong,
    /// There is no process to wait for.
    NoProcess,
    /// The descriptor is not this process's, is listed twice, or is the wrong end of its pipe.
    InvalidDescriptor,
    /// The other end of the pipe is closed.
    OtherEndClosed,
    /// There are as many processes as there may be.
    TooManyProcesses,
    /// There are as many descriptors as there may be.
    TooManyDescriptors,
    /// A code that this crate does not know.
    Unknown(usize),
}

/// A write that ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteError {
    /// Why.
    pub error: Error,
    /// How many bytes were taken before.
    pub written: usize,
}

/// A code as success or as an error.
pub(crate) fn check(code: usize) -> Result<(), Error> {
    Err(match code {
        0 => return Ok(()),
        1 => Error::NoProgram,
        3 => Error::OutOfRange,
        4 => Error::TooLong,
        5 => Error::NoProcess,
        6 => Error::InvalidDescriptor,
        7 => Error::OtherEndClosed,
        8 => Error::TooManyProcesses,
        9 => Error::TooManyDescriptors,
        code => Error::Unknown(code),
    })
}
