//! Arithmetic of 32 bits: SHA-256 by RustCrypto's `sha2`, without the processor's instructions for it.

use crate::first_eight;
use sha2::{Digest, Sha256};

/// Hashes `kilobytes` times 1024 bytes, which are the last digest again and again.
#[must_use]
pub fn run(kilobytes: u64) -> u64 {
    let mut digest = [0x5a; 32];
    for _ in 0..kilobytes {
        let mut hash = Sha256::new();
        for _ in 0..32 {
            hash.update(digest);
        }
        digest = hash.finalize().into();
    }
    first_eight(&digest)
}
