//! In place of `threaded` in builds that do not have it.

use super::operations::Position;
use super::regions::Links;
use crate::memory::Direct;

/// Whether this build has it.
pub(crate) const DIRECT_THREADING: bool = false;

/// The handlers by kind: there are none.
#[derive(Debug)]
pub(super) struct Table;

impl Table {
    pub(super) const fn new() -> Self {
        Self
    }
}

/// Is not called.
pub(super) fn execute(
    _: &mut [u64; 16],
    memory: Direct,
    _: &Links,
    at: Position,
    gas: i64,
) -> (Position, i64) {
    debug_assert!(false, "this build has no direct threading");
    let _ = memory.into_parts();
    (at, gas)
}
