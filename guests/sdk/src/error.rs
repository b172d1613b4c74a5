//! Answers that say no.

/// Why a syscall did not do what it was asked for. As an answer, a small negative number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i64)]
pub enum Error {
    /// There is no item under this key, or no instance at this address.
    NotFound = -1,
    /// The sender does not have the amount, or the receiver would end below the existential deposit.
    TransferFailed = -2,
    /// The callee reverted.
    Reverted = -3,
    /// The callee trapped.
    Trapped = -4,
    /// The gas that the callee was given did not suffice.
    OutOfGas = -5,
    /// Too many instances would call one another.
    CallDepthExceeded = -6,
    /// The callee is being called already.
    Reentered = -7,
    /// The callee's program has no such export.
    MissingExport = -8,
    /// A deposit for what the callee stored could not be held.
    DepositFailed = -9,
    /// The callee cannot be compiled, or used a syscall as no program should.
    Invalid = -10,
}

/// An answer as the length that it is, or as an error.
pub(crate) fn length(answer: u64) -> Result<usize, Error> {
    let error = match answer as i64 {
        0.. => return Ok(answer as usize),
        -1 => Error::NotFound,
        -2 => Error::TransferFailed,
        -3 => Error::Reverted,
        -4 => Error::Trapped,
        -5 => Error::OutOfGas,
        -6 => Error::CallDepthExceeded,
        -7 => Error::Reentered,
        -8 => Error::MissingExport,
        -9 => Error::DepositFailed,
        _ => Error::Invalid,
    };
    Err(error)
}
