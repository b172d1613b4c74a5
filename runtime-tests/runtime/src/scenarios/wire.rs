//! Host functions in any order, below the typed API.

use super::{super::raw, modules::transact};
use crate::outcome::{HostCall, Returned};
use alloc::vec::Vec;

/// Makes the calls in order. Ids count up from 0, so a script can name what it has not seen yet.
pub fn wire(calls: Vec<HostCall>) -> Vec<Returned> {
    let perform = |call: &HostCall| match call {
        HostCall::Transaction(transaction) => {
            transact(*transaction);
            Returned { value: 0, buffer: Vec::new() }
        }
        call => raw::perform(call),
    };
    calls.iter().map(perform).collect()
}
