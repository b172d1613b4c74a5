//! How a call fails.

use crate::{Cause, Failure};
use alloc::vec::Vec;
use sp_runtime::DispatchError;

/// A call that failed, with what the guest returned if it reverted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) reason: FaultReason,
    pub(crate) output: Vec<u8>,
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FaultReason {
    /// A guest failed, or what it asked for did.
    Guest(Failure),
    /// No guest ran, or the runtime has no storage layers left.
    Other(DispatchError),
}

impl Fault {
    pub(crate) fn guest(cause: Cause, depth: usize) -> Self {
        let depth = u8::try_from(depth).unwrap_or(u8::MAX);
        Self { reason: FaultReason::Guest(Failure { cause, depth }), output: Vec::new() }
    }

    /// Whether gas or another part of the limit was missing.
    pub(crate) fn is_out_of_gas(&self) -> bool {
        matches!(self.reason, FaultReason::Guest(Failure { cause: Cause::OutOfGas(_), .. }))
    }

    pub(crate) fn other(error: impl Into<DispatchError>) -> Self {
        Self { reason: FaultReason::Other(error.into()), output: Vec::new() }
    }
}

impl From<DispatchError> for Fault {
    fn from(error: DispatchError) -> Self {
        Self::other(error)
    }
}
