//! What it costs the host to read a kilobyte of a program's memory, one syscall each.

use crate::{Numbers, host};
use alloc::vec::Vec;

/// Shows the host a kilobyte `count` times. The sum of its answers: the byte that it was to look at, each time another.
#[must_use]
pub fn run(count: u64) -> u64 {
    let kilobyte: Vec<u8> = Numbers::new(7).take(1024).map(|number| number as u8).collect();
    (0..count).map(|number| host::look(&kilobyte, number % 1024)).sum()
}
