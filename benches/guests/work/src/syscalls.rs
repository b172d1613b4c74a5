//! What leaving a program for its host, and coming back, costs.

use crate::host;

/// Makes `count` syscalls. The sum of the answers, each of which is one more than what was given.
#[must_use]
pub fn run(count: u64) -> u64 {
    let mut sum = 0;
    for number in 0..count {
        sum += host::nothing(number);
    }
    sum
}
