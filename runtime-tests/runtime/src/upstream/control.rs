//! Upstream has no second set of host functions.

use alloc::vec::Vec;

/// Does nothing.
pub fn control(_program: Vec<u8>) -> Vec<Vec<u8>> {
    Vec::new()
}

/// Does nothing.
pub fn control_bounds(_program: Vec<u8>) -> Vec<Vec<u8>> {
    Vec::new()
}
