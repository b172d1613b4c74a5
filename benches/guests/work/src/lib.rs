//! The work that the benchmarks compare engines by.
//!
//! Each module has a function `run` that takes an amount of work and gives a checksum of all that it has computed, a function
//! of the amount alone: that is how the benchmarks know that all engines did the same. Nothing is kept from one call to the next,
//! and no floating-point numbers are used, which PolkaVM does not have.
#![no_std]

extern crate alloc;

pub mod allocate;
pub mod chase;
pub mod contract;
pub mod copy;
pub mod dirty;
pub mod ed25519;
pub mod empty;
pub mod emulate;
pub mod fib;
pub mod heap;
pub mod host;
pub mod host_reads;
pub mod host_writes;
pub mod image;
pub mod keccak;
pub mod matrix;
pub mod primes;
pub mod scatter;
pub mod secp256k1;
pub mod sha256;
pub mod sort;
pub mod syscalls;

/// Mixes a value into a checksum, so that order counts.
#[must_use]
pub fn mix(checksum: u64, value: u64) -> u64 {
    (checksum.rotate_left(5) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Numbers without a pattern, the same on every machine: xorshift.
#[derive(Clone, Debug)]
pub struct Numbers(u64);

impl Numbers {
    /// Different numbers for each seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed ^ 0x2545_f491_4f6c_dd1d)
    }
}

impl Iterator for Numbers {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        Some(self.0)
    }
}

/// The first eight bytes of a digest.
#[must_use]
pub fn first_eight(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}
