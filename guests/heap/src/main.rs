//! Builds and drops collections: many small allocations that come back in another order, and some that grow.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use polkavm_derive::polkavm_export;

guest::reusing_heap!(512 * 1024);

/// Keys of the map are below this, so that many rounds find an entry to replace or to remove.
const KEYS: u64 = 256;

/// Lists have fewer numbers than this.
const NUMBERS: u64 = 64;

/// Changes a map of lists `rounds` times: a pseudo-random key gets a new list of up to 63 numbers, loses its list, or gets
/// one more number, which may move the list. Gives a checksum of the map at the end.
#[polkavm_export]
fn churn(rounds: u64) -> u64 {
    let mut map: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    let mut random = 0x9e37_79b9_7f4a_7c15;
    for round in 0..rounds {
        let number = next(&mut random);
        let key = number % KEYS;
        match number >> 8 & 3 {
            0 => drop(map.remove(&key)),
            1 => {
                let list = map.entry(key).or_default();
                if list.len() < NUMBERS as usize {
                    list.push(round);
                }
            }
            _ => {
                let count = (number >> 10) % NUMBERS;
                map.insert(key, (0..count).map(|index| index ^ number).collect());
            }
        }
    }
    checksum(&map)
}

/// Xorshift with shifts 13, 7 and 17.
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// FNV-1a over keys, lengths and numbers, 64 bits at a time.
fn checksum(map: &BTreeMap<u64, Vec<u64>>) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325;
    let mut add = |number: u64| hash = (hash ^ number).wrapping_mul(0x100_0000_01b3);
    for (key, list) in map {
        add(*key);
        add(list.len() as u64);
        list.iter().for_each(|number| add(*number));
    }
    hash
}
