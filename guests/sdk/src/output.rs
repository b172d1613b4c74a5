//! Input, and the ways to end a call.

use crate::{fetch, sys, trap, Account};
use alloc::vec::Vec;

/// The input of this call.
pub fn input() -> Vec<u8> {
    // SAFETY: the host writes at most `capacity` bytes at the pointer, which is a buffer of that size.
    match fetch(|buffer, capacity| unsafe { sys::input_v1(buffer, capacity) }) {
        Ok(input) => input,
        Err(_) => trap(),
    }
}

/// Ends the call successfully with this output.
pub fn return_value(output: &[u8]) -> ! {
    // SAFETY: the host reads `length` bytes at the pointer, which are the output's.
    unsafe { sys::return_value_v1(output.as_ptr(), output.len()) };
    trap()
}

/// Ends the call as a failure: everything it did is undone, the rest of the gas is kept, and a calling instance can read
/// this output.
pub fn revert(output: &[u8]) -> ! {
    // SAFETY: the host reads `length` bytes at the pointer, which are the output's.
    unsafe { sys::revert_v1(output.as_ptr(), output.len()) };
    trap()
}

/// Ends the call successfully, and the instance with it. Its balance goes to the beneficiary, the deposits for its storage to
/// the accounts that made them.
pub fn terminate(beneficiary: &Account) -> ! {
    // SAFETY: the host reads 32 bytes at the pointer, which are the account's.
    unsafe { sys::terminate_v1(beneficiary.0.as_ptr()) };
    trap()
}
