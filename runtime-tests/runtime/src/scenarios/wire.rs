//! Host functions in any order, below the typed API.

use super::super::raw;
use crate::outcome::{HostCall, Returned};
use alloc::vec::Vec;

/// Makes the calls in order. Ids count up from 0, so a script can name what it has not seen yet.
pub fn wire(calls: Vec<HostCall>) -> Vec<Returned> {
    calls.iter().map(raw::perform).collect()
}
