//! What it costs the host to write a kilobyte of a program's memory, one syscall each.

use crate::{host, mix};

/// Has the host fill a kilobyte `count` times. A checksum of the bytes that it was last filled with and of one of each time.
#[must_use]
pub fn run(count: u64) -> u64 {
    let mut kilobyte = alloc::vec![0u8; 1024];
    let mut checksum = 0;
    for number in 0..count {
        host::fill(&mut kilobyte, number);
        checksum = mix(checksum, u64::from(kilobyte[number as usize % 1024]));
    }
    kilobyte.iter().fold(checksum, |checksum, byte| mix(checksum, u64::from(*byte)))
}
