//! Items that last from call to call. A key has 1 to 128 bytes, a value up to 16 KiB, unless the chain decided otherwise.
//!
//! Who calls pays a deposit for what is stored, and gets it back when the item goes. If that is not possible the call fails.

use crate::{error, fetch, sys, trap};
use alloc::vec::Vec;

/// The item under a key.
pub fn get(key: &[u8]) -> Option<Vec<u8>> {
    // SAFETY: the host reads the key and writes at most `capacity` bytes at the pointer, a buffer of that size.
    fetch(|buffer, capacity| unsafe { sys::storage_get_v1(key.as_ptr(), key.len(), buffer, capacity) }).ok()
}

/// The item under a key, if it has exactly `N` bytes. Costs one syscall instead of the two of [`get`].
///
/// Traps if it has another length.
pub fn get_array<const N: usize>(key: &[u8]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    // SAFETY: the host reads the key and writes at most `N` bytes at the pointer.
    let answer = unsafe { sys::storage_get_v1(key.as_ptr(), key.len(), bytes.as_mut_ptr(), N) };
    match error::length(answer) {
        Ok(length) if length == N => Some(bytes),
        Ok(_) => trap(),
        Err(_) => None,
    }
}

/// Stores an item. Gives whether there was one.
pub fn set(key: &[u8], value: &[u8]) -> bool {
    // SAFETY: the host reads the key and the value.
    error::length(unsafe { sys::storage_set_v1(key.as_ptr(), key.len(), value.as_ptr(), value.len()) })
        .is_ok()
}

/// Removes an item. Gives whether there was one.
pub fn remove(key: &[u8]) -> bool {
    // SAFETY: the host reads the key.
    error::length(unsafe { sys::storage_remove_v1(key.as_ptr(), key.len()) }).is_ok()
}
