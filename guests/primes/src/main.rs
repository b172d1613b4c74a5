//! Counts primes with a sieve: a computation that needs nothing from the host.
//!
//! The sieve goes through the odd numbers in windows that fit a fast cache, so that memory does not grow with the
//! limit.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::vec;
use alloc::vec::Vec;
use polkavm_derive::polkavm_export;

/// Odd numbers in a window, one byte each. The first window reaches to 65,536, and its primes are enough to find the
/// composites among all 32-bit numbers.
const WINDOW: usize = 32 * 1024;

// The window, and the 6,541 odd primes below 65,536 in two bytes each.
guest::heap!(64 * 1024);

/// Counts the primes below `limit`, which may be at most 2^32; traps above.
#[polkavm_export]
fn primes(limit: u64) -> u64 {
    assert!(limit <= 1 << 32);
    if limit <= 2 {
        return 0;
    }
    let mut composite = vec![false; WINDOW.min(limit as usize / 2)];
    let small = first_window(&mut composite);
    let mut count = 1 + small.len() as u64; // With the even one.
    let mut first = 2 * WINDOW as u64 + 1; // The odd number that the window begins with.
    while first < limit {
        count += window(&mut composite, first, limit, &small);
        first += 2 * WINDOW as u64;
    }
    count
}

/// The odd primes in the window that begins with 1.
fn first_window(composite: &mut [bool]) -> Vec<u16> {
    let mut primes = Vec::new();
    for index in 1..composite.len() {
        if !composite[index] {
            let prime = 2 * index + 1;
            primes.push(prime as u16);
            cross_out(composite, prime * prime / 2, prime);
        }
    }
    primes
}

/// Counts the primes below `limit` in the window that begins with the odd number `first`.
fn window(composite: &mut [bool], first: u64, limit: u64, small: &[u16]) -> u64 {
    let numbers = (limit - first).div_ceil(2).min(WINDOW as u64) as usize;
    let composite = &mut composite[..numbers];
    composite.fill(false);
    let end = first + 2 * numbers as u64;
    for prime in small.iter().map(|prime| u64::from(*prime)) {
        if prime * prime >= end {
            break;
        }
        // The first odd multiple in the window that no smaller prime has crossed out.
        let multiple = (first.div_ceil(prime) | 1).max(prime) * prime;
        cross_out(composite, (multiple - first) as usize / 2, prime as usize);
    }
    composite.iter().filter(|composite| !**composite).count() as u64
}

fn cross_out(composite: &mut [bool], mut index: usize, step: usize) {
    while index < composite.len() {
        composite[index] = true;
        index += step;
    }
}
