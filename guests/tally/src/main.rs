//! A contract that counts in its storage, and the ways in which a call can end.
#![no_std]
#![no_main]

use polkavm_derive::polkavm_export;
use sdk::{revert, storage, Account};

sdk::heap!(16 * 1024);

const COUNT: &[u8] = b"count";
const OWNER: &[u8] = b"owner";

/// Starts at the 8 bytes of the input, or at 0 without input, and remembers who made the instance.
#[polkavm_export]
fn init() {
    let start = match sdk::input().as_slice() {
        [] => 0,
        input => u64::from_le_bytes(input.try_into().unwrap_or_else(|_| revert(b"a start has 8 bytes"))),
    };
    storage::set(COUNT, &start.to_le_bytes());
    storage::set(OWNER, &sdk::caller().0);
}

/// Counts one more, says so in an event, and returns the new count.
#[polkavm_export]
fn increment() {
    let count = count() + 1;
    storage::set(COUNT, &count.to_le_bytes());
    sdk::emit_event(&[sdk::hash::blake2_256(COUNT)], &count.to_le_bytes());
    sdk::return_value(&count.to_le_bytes());
}

/// Returns the count.
#[polkavm_export]
fn value() {
    sdk::return_value(&count().to_le_bytes());
}

/// Counts one more and panics: nothing of it stays.
#[polkavm_export]
fn increment_and_panic() {
    storage::set(COUNT, &(count() + 1).to_le_bytes());
    sdk::debug_print("about to panic");
    panic!("asked to");
}

/// Counts until the gas is used up: nothing of it stays.
#[polkavm_export]
fn increment_forever() {
    loop {
        storage::set(COUNT, &(count() + 1).to_le_bytes());
    }
}

/// Counts one more and reverts with a message: nothing of it stays.
#[polkavm_export]
fn increment_and_revert() {
    storage::set(COUNT, &(count() + 1).to_le_bytes());
    revert(b"asked to");
}

/// Ends the instance, if its maker asks, and gives its balance to the account in the input.
#[polkavm_export]
fn terminate() {
    if storage::get_array(OWNER) != Some(sdk::caller().0) {
        revert(b"only the owner");
    }
    let beneficiary =
        sdk::input().as_slice().try_into().unwrap_or_else(|_| revert(b"an account has 32 bytes"));
    sdk::terminate(&Account(beneficiary));
}

fn count() -> u64 {
    storage::get_array(COUNT).map_or(0, u64::from_le_bytes)
}
