//! SHA-256 by RustCrypto's `sha2`: 32-bit rotations, shifts and additions.
#![no_std]
#![no_main]

// The panic handler.
use guest as _;
use polkavm_derive::polkavm_export;
use sha2::{Digest, Sha256};

/// Hashes `count` zero bytes; gives the first eight bytes of the digest, the first as the lowest.
#[polkavm_export]
fn hash_zeros(count: u64) -> u64 {
    let zeros = [0; 256];
    let mut hash = Sha256::new();
    let mut left = count;
    while left > 0 {
        let part = left.min(zeros.len() as u64);
        hash.update(&zeros[..part as usize]);
        left -= part;
    }
    first_word(&hash.finalize())
}

/// Hashes 32 zero bytes, then the digest, and so on: `rounds` digests; gives the first eight bytes of the last one,
/// 0 for no rounds.
#[polkavm_export]
fn hash_chain(rounds: u64) -> u64 {
    let mut digest = [0; 32];
    for _ in 0..rounds {
        digest = Sha256::digest(digest).into();
    }
    first_word(&digest)
}

fn first_word(digest: &[u8]) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&digest[..8]);
    u64::from_le_bytes(word)
}
