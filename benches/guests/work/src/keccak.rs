//! Arithmetic of 64 bits on more than fits the registers: Keccak-256 by RustCrypto's `sha3`.

use crate::first_eight;
use sha3::{Digest, Keccak256};

/// Hashes `kilobytes` times 1024 bytes, which are the last digest again and again.
#[must_use]
pub fn run(kilobytes: u64) -> u64 {
    let mut digest = [0x5a; 32];
    for _ in 0..kilobytes {
        let mut hash = Keccak256::new();
        for _ in 0..32 {
            hash.update(digest);
        }
        digest = hash.finalize().into();
    }
    first_eight(&digest)
}
