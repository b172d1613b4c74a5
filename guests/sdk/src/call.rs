//! Calls of other instances.

use crate::{error::length, fetch, sys, trap, Account, Error};
use alloc::vec::Vec;

/// A call in preparation.
///
/// An instance that is being called, this one included, cannot be called again until it has returned. What the callee does
/// is undone if it fails; the caller is told and goes on, unless it asked for [`Call::unwind`].
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    account: &'a Account,
    export: &'a [u8],
    input: &'a [u8],
    value: u128,
    gas: u64,
    flags: u64,
}

/// A call that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Why.
    pub error: Error,
    /// What the callee returned, if it reverted.
    pub output: Vec<u8>,
}

/// Flag of [`Call::unwind`].
const UNWIND: u64 = 1;

impl<'a> Call<'a> {
    /// A call of an export, with all gas, no value and no input.
    pub fn new(account: &'a Account, export: &'a str) -> Self {
        Self { account, export: export.as_bytes(), input: &[], value: 0, gas: u64::MAX, flags: 0 }
    }

    /// What the callee reads as its input.
    pub fn input(self, input: &'a [u8]) -> Self {
        Self { input, ..self }
    }

    /// The amount to transfer to the callee first.
    pub fn value(self, value: u128) -> Self {
        Self { value, ..self }
    }

    /// The most gas that the callee may use. What it did not use comes back, also from one that traps.
    pub fn gas(self, gas: u64) -> Self {
        Self { gas, ..self }
    }

    /// Makes a failure of the callee a failure of this instance too, for the same reason.
    pub fn unwind(self) -> Self {
        Self { flags: self.flags | UNWIND, ..self }
    }

    /// Calls, and gives what the callee returned.
    ///
    /// # Errors
    /// Why the callee failed, or could not be called.
    pub fn invoke(self) -> Result<Vec<u8>, Failure> {
        let value = self.value.to_le_bytes();
        let value = if self.value == 0 { 0 } else { value.as_ptr() as u64 };
        let arguments = [
            self.account.0.as_ptr() as u64,
            self.export.as_ptr() as u64,
            self.export.len() as u64,
            value,
            self.input.as_ptr() as u64,
            self.input.len() as u64,
            self.gas,
            self.flags,
        ];
        // SAFETY: the host reads the eight numbers and what they point to.
        match length(unsafe { sys::call_v1(arguments.as_ptr()) }) {
            Ok(_) => Ok(returned()),
            Err(error @ Error::Reverted) => Err(Failure { error, output: returned() }),
            Err(error) => Err(Failure { error, output: Vec::new() }),
        }
    }
}

fn returned() -> Vec<u8> {
    // SAFETY: the host writes at most `capacity` bytes at the pointer, which is a buffer of that size.
    match fetch(|buffer, capacity| unsafe { sys::returned_v1(buffer, capacity) }) {
        Ok(returned) => returned,
        Err(_) => trap(),
    }
}
