//! A computation that its host does not trust with more gas than a meter holds.
#![no_std]
#![no_main]

use guest as _;
use polkavm_derive::polkavm_export;

/// The longest way to 1 by halving and by `3 n + 1` of all numbers up to a limit: no one knows how long it takes.
#[polkavm_export]
fn longest(limit: u64) -> u64 {
    let mut longest = 0;
    for start in 1..=limit {
        let mut number = start;
        let mut steps = 0;
        while number != 1 {
            number = if number % 2 == 0 { number / 2 } else { 3 * number + 1 };
            steps += 1;
        }
        longest = core::cmp::max(longest, steps);
    }
    longest
}
