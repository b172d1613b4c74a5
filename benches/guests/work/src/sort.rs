//! Comparisons and branches that cannot be predicted: sorting.

use crate::{Numbers, mix};
use alloc::vec::Vec;

/// Sorts `count` numbers of 32 bits.
#[must_use]
pub fn run(count: u64) -> u64 {
    let mut numbers: Vec<u32> =
        Numbers::new(count).take(count as usize).map(|number| number as u32).collect();
    numbers.sort_unstable();
    numbers.iter().fold(0, |checksum, number| mix(checksum, u64::from(*number)))
}
