//! Hashes, computed by the host. At most 64 KiB at once, unless the chain decided otherwise.

use crate::sys;

/// BLAKE2b with 128 bits.
pub fn blake2_128(data: &[u8]) -> [u8; 16] {
    let mut hash = [0; 16];
    // SAFETY: the host reads the data and writes 16 bytes.
    unsafe { sys::hash_blake2_128_v1(data.as_ptr(), data.len(), hash.as_mut_ptr()) };
    hash
}

/// BLAKE2b with 256 bits.
pub fn blake2_256(data: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    // SAFETY: the host reads the data and writes 32 bytes.
    unsafe { sys::hash_blake2_256_v1(data.as_ptr(), data.len(), hash.as_mut_ptr()) };
    hash
}

/// Keccak with 256 bits, as Ethereum has it.
pub fn keccak_256(data: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    // SAFETY: the host reads the data and writes 32 bytes.
    unsafe { sys::hash_keccak_256_v1(data.as_ptr(), data.len(), hash.as_mut_ptr()) };
    hash
}
