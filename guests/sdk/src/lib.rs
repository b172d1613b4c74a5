//! What a contract for `pallet-virtualization` asks its chain for: one function for each syscall, with Rust's types.
//!
//! A contract is a `no_std`, `no_main` binary with a heap. Its exports take no arguments and return nothing: they read
//! [`input`] and end with [`return_value`]. Memory does not last from call to call; [`storage`] does. The export `init`
//! runs once, when the instance is made.
//!
//! ```ignore
//! #![no_std]
//! #![no_main]
//!
//! sdk::heap!(16 * 1024);
//!
//! #[polkavm_derive::polkavm_export]
//! fn greet() {
//!     let mut greeting = b"Hello, ".to_vec();
//!     greeting.extend(sdk::input());
//!     sdk::return_value(&greeting);
//! }
//! ```
//!
//! Panicking is a trap: everything is undone. [`revert`] undoes everything too, and tells the caller why. Either costs the gas
//! that was used before; the rest is refunded.
//!
//! The names of the syscalls end with a version. This crate uses the newest version of each; a contract that was compiled
//! with an older crate goes on with the older ones.
#![no_std]

extern crate alloc;

mod call;
mod context;
mod error;
mod event;
pub mod hash;
mod output;
pub mod storage;
pub mod sys;

pub use call::{Call, Failure};
pub use context::{address, balance, block_number, caller, gas_left, transfer, value, yield_now};
pub use error::Error;
pub use event::{debug_print, emit_event};
pub use guest::{heap, reusing_heap, trap, Heap, ReusingHeap};
pub use output::{input, return_value, revert, terminate};

/// An account on the chain: somebody's, or an instance's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account(pub [u8; 32]);

/// Fetches bytes whose number is not known: `fetch(pointer, capacity)` writes as many as fit and tells how many there are.
pub(crate) fn fetch(fetch: impl Fn(*mut u8, usize) -> u64) -> Result<alloc::vec::Vec<u8>, Error> {
    let length = error::length(fetch(core::ptr::null_mut(), 0))?;
    let mut bytes = alloc::vec![0; length];
    if length > 0 {
        let again = error::length(fetch(bytes.as_mut_ptr(), length))?;
        if again != length {
            trap();
        }
    }
    Ok(bytes)
}
