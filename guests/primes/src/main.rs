//! Counts primes with a sieve: a computation that needs nothing from the host.
//!
//! The sieve goes through the odd numbers in windows that fit a fast cache, so that memory does not grow with the
//! limit.
#![no_std]
#![no_main]

use guest as _;
use polkavm_derive::polkavm_export;

// The window and the small primes are on the stack; the default stack is 8 KiB.
polkavm_derive::min_stack_size!(64 * 1024);

/// Odd numbers in a window; one byte each. The first window reaches to 65,536, and its primes are enough to find
/// the composites among all 32-bit numbers.
const WINDOW: usize = 32 * 1024;

/// There are 6,541 odd primes below 65,536.
const SMALL_PRIMES: usize = 6_541;

/// Counts the primes below `limit`, which may be at most 2^32; traps above.
#[polkavm_export]
fn primes(limit: u64) -> u64 {
    assert!(limit <= 1 << 32);
    if limit <= 2 {
        return 0;
    }
    let mut composite = [false; WINDOW];
    let mut small = [0; SMALL_PRIMES];
    small_primes(&mut composite, &mut small);

    let mut count = 1; // The even one.
    let mut first = 1; // The odd number that the window begins with.
    while first < limit {
        let end = first + 2 * WINDOW as u64;
        composite.fill(false);
        for &prime in &small {
            let prime = u64::from(prime);
            if prime * prime >= end {
                break;
            }
            // The first odd multiple in the window that no smaller prime has crossed out.
            let multiple = (first.div_ceil(prime) | 1).max(prime) * prime;
            let mut index = ((multiple - first) / 2) as usize;
            while index < WINDOW {
                composite[index] = true;
                index += prime as usize;
            }
        }
        let numbers = ((limit.min(end) - first).div_ceil(2)) as usize;
        count += composite[..numbers].iter().filter(|composite| !**composite).count() as u64;
        if first == 1 {
            count -= 1; // 1 is not a prime.
        }
        first = end;
    }
    count
}

/// The odd primes below 65,536, in order.
fn small_primes(composite: &mut [bool; WINDOW], primes: &mut [u16; SMALL_PRIMES]) {
    let mut found = 0;
    for index in 1..WINDOW {
        if composite[index] {
            continue;
        }
        let prime = 2 * index + 1;
        primes[found] = prime as u16;
        found += 1;
        let mut multiple = prime * prime / 2;
        while multiple < WINDOW {
            composite[multiple] = true;
            multiple += prime;
        }
    }
}
