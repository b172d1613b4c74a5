//! Loops over bytes: the sieve of Eratosthenes in windows that fit a fast cache.

use crate::mix;
use alloc::vec;
use alloc::vec::Vec;

/// Odd numbers in a window, one byte each.
const WINDOW: usize = 32 * 1024;

/// The number of primes below `limit`, which is at most 2^32, mixed with the largest prime of each window.
#[must_use]
pub fn run(limit: u64) -> u64 {
    let mut composite = vec![false; WINDOW];
    let mut small: Vec<u32> = Vec::new();
    // The first window reaches far enough for the square roots of all others.
    for index in 1..WINDOW {
        if !composite[index] {
            let prime = 2 * index + 1;
            small.push(prime as u32);
            cross_out(&mut composite, prime * prime / 2, prime);
        }
    }
    let mut count = 1 + small.iter().filter(|prime| u64::from(**prime) < limit).count() as u64;
    let mut checksum = 0;
    let mut first = 2 * WINDOW as u64 + 1;
    while first < limit {
        let numbers = (limit - first).div_ceil(2).min(WINDOW as u64) as usize;
        let window = &mut composite[..numbers];
        window.fill(false);
        let end = first + 2 * numbers as u64;
        for prime in small.iter().map(|prime| u64::from(*prime)).take_while(|prime| prime * prime < end) {
            let multiple = (first.div_ceil(prime) | 1).max(prime) * prime;
            cross_out(window, (multiple - first) as usize / 2, prime as usize);
        }
        count += window.iter().filter(|composite| !**composite).count() as u64;
        let last = window.iter().rposition(|composite| !composite).unwrap_or(0);
        checksum = mix(checksum, first + 2 * last as u64);
        first += 2 * WINDOW as u64;
    }
    mix(checksum, count)
}

fn cross_out(composite: &mut [bool], mut index: usize, step: usize) {
    while index < composite.len() {
        composite[index] = true;
        index += step;
    }
}
