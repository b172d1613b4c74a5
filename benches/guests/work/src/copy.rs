//! Moving memory: copies of blocks of many lengths, to places that are aligned and that are not.

use crate::{Numbers, mix};
use alloc::vec::Vec;

/// Bytes that are copied within.
const SIZE: usize = 128 * 1024;

/// The longest block.
const LONGEST: u64 = 8 * 1024;

/// Copies `count` blocks.
#[must_use]
pub fn run(count: u64) -> u64 {
    let mut bytes: Vec<u8> = Numbers::new(3).take(SIZE).map(|number| number as u8).collect();
    for number in Numbers::new(4).take(count as usize) {
        // In 64 bits, also where addresses have 32.
        let length = number % LONGEST;
        let room = SIZE as u64 - length;
        let (from, to) = ((number >> 16) % room, (number >> 40) % room);
        let (length, from, to) = (length as usize, from as usize, to as usize);
        bytes.copy_within(from..from + length, to);
    }
    bytes.chunks_exact(8).fold(0, |checksum, eight| mix(checksum, crate::first_eight(eight)))
}
