//! Calls the instance in slot 5, whatever that is.
#![no_std]
#![no_main]

use cap_sdk::{Slot, HAND};
use guest as _;
use polkavm_derive::polkavm_export;

const HELD: Slot = Slot::new(5);

/// Opens the vault in slot 5 and replies with the first eight bytes of the data in it.
#[polkavm_export]
fn fetch() -> u64 {
    let mut bytes = [0; 8];
    if HELD.call(0, [0; 4]).is_ok() {
        HAND.read(&mut bytes);
    }
    u64::from_le_bytes(bytes)
}

/// Calls endpoint 0 of slot 5 with an argument and replies with its reply, or with 1,000,000 and more for its fault.
#[polkavm_export]
fn run(argument: u64) -> u64 {
    match HELD.call(0, [argument, 0, 0, 0]) {
        Ok(value) => value,
        Err(fault) => 1_000_000 + fault as u64,
    }
}
