//! Who, where, when, and how much.

use crate::{error::length, sys, Account, Error};

/// Who called this instance: an account or another instance.
pub fn caller() -> Account {
    let mut account = [0; 32];
    // SAFETY: the host writes 32 bytes at the pointer.
    unsafe { sys::caller_v1(account.as_mut_ptr()) };
    Account(account)
}

/// The account of this instance.
pub fn address() -> Account {
    let mut account = [0; 32];
    // SAFETY: the host writes 32 bytes at the pointer.
    unsafe { sys::address_v1(account.as_mut_ptr()) };
    Account(account)
}

/// The amount that was transferred to this instance with this call.
pub fn value() -> u128 {
    let mut amount = [0; 16];
    // SAFETY: the host writes 16 bytes at the pointer.
    unsafe { sys::value_v1(amount.as_mut_ptr()) };
    u128::from_le_bytes(amount)
}

/// What this instance has, the existential deposit included.
pub fn balance() -> u128 {
    let mut amount = [0; 16];
    // SAFETY: the host writes 16 bytes at the pointer.
    unsafe { sys::balance_v1(amount.as_mut_ptr()) };
    u128::from_le_bytes(amount)
}

/// The number of the block.
pub fn block_number() -> u64 {
    // SAFETY: the syscall takes no memory.
    unsafe { sys::block_number_v1() }
}

/// The gas that is left.
pub fn gas_left() -> u64 {
    // SAFETY: the syscall takes no memory.
    unsafe { sys::gas_left_v1() }
}

/// Ends the slice of a job, which goes on here in the next; gives whether it did. In a call that is no slice of a job it does nothing.
///
/// Until the next slice others can call the instance: what it has stored must be fit for that, and what was read before may be
/// different afterwards. Nothing else interrupts an instance.
pub fn yield_now() -> bool {
    // SAFETY: the syscall takes no memory.
    unsafe { sys::yield_v1() == 1 }
}

/// Transfers an amount from this instance, which keeps at least the existential deposit. No code runs at the receiver.
///
/// # Errors
/// [`Error::TransferFailed`].
pub fn transfer(to: &Account, amount: u128) -> Result<(), Error> {
    // SAFETY: the host reads 32 bytes at the first pointer and 16 at the second.
    length(unsafe { sys::transfer_v1(to.0.as_ptr(), amount.to_le_bytes().as_ptr()) }).map(|_| ())
}
