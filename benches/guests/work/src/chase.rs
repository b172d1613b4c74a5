//! Loads that depend on each other, all over half a megabyte: a walk through a cycle in random order.

use crate::{Numbers, mix};
use alloc::vec::Vec;

/// Places, of four bytes each.
const PLACES: u32 = 128 * 1024;

/// Walks `steps` steps.
#[must_use]
pub fn run(steps: u64) -> u64 {
    let mut next: Vec<u32> = (0..PLACES).collect();
    let mut numbers = Numbers::new(5);
    // Sattolo's shuffle: one cycle through all places.
    for last in (1..next.len()).rev() {
        let other = (numbers.next().unwrap_or_default() % last as u64) as usize;
        next.swap(last, other);
    }
    let mut place = 0;
    let mut checksum = 0u64;
    for _ in 0..steps {
        place = next[place as usize];
        checksum = checksum.wrapping_add(u64::from(place));
    }
    mix(checksum, u64::from(place))
}
