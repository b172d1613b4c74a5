//! The loop that the crate itself offers, instead of the driver's.

use super::{super::completion::complete, driver::instantiate};
use crate::outcome::End;
use alloc::vec::Vec;

/// Runs an export of the counter guest by the crate's own loop: how it ended, the gas left, and the counter, which starts at
/// 7. `None` if it cannot be prepared.
pub fn completed(program: Vec<u8>, export: Vec<u8>, gas: i64) -> Option<(End, i64, u64)> {
    let execution = instantiate(&program).ok()?.prepare(&export).ok()?;
    let mut counter = 7;
    let (end, gas_left) = complete(execution, gas, &mut counter);
    Some((end, gas_left, counter))
}
