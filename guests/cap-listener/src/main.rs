//! A service that stops until it is given input: it yields the marker in slot 3 and finds data in its hand when it goes on.
#![no_std]
#![no_main]

use cap_sdk::{Slot, HAND};
use guest as _;
use polkavm_derive::polkavm_export;

const MARKER: Slot = Slot::new(3);

/// Adds up the numbers that it is given, one with each input, until it is given nothing, and replies with the sum.
#[polkavm_export]
fn sum() -> u64 {
    let mut sum = 0;
    while MARKER.yield_marker() {
        let mut number = [0; 8];
        HAND.read(&mut number);
        HAND.clear();
        sum += u64::from_le_bytes(number);
    }
    sum
}
