//! Memory that comes and goes: a map of byte strings that are inserted, grown and removed.

use crate::{Numbers, mix};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// Keys in use at most.
const KEYS: u64 = 512;

/// Makes `changes` changes.
#[must_use]
pub fn run(changes: u64) -> u64 {
    let mut strings: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    for number in Numbers::new(6).take(changes as usize) {
        let key = number % KEYS;
        match (number >> 32) % 4 {
            0 => drop(strings.remove(&key)),
            1 => drop(strings.insert(key, alloc::vec![number as u8; (number >> 48) as usize % 256])),
            _ => {
                let string = strings.entry(key).or_default();
                if string.len() < 512 {
                    string.extend_from_slice(&number.to_le_bytes());
                }
            }
        }
    }
    strings.iter().fold(0, |checksum, (key, string)| {
        string.iter().fold(mix(checksum, *key), |checksum, byte| mix(checksum, u64::from(*byte)))
    })
}
