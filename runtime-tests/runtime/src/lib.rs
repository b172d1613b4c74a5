//! A Substrate runtime without blocks: each export plays one scenario with child instances.
//!
//! The crate is built twice. As Wasm it is what a node executes: the scenarios call host functions. Natively the same
//! scenarios run inside externalities, and the crate carries the Wasm of each flavour ([`Flavour`]) to tests, example and
//! benchmark. [`SCENARIOS`] lists them once for both.

#![cfg_attr(substrate_runtime, no_std)]
#![expect(clippy::duplicate_mod, reason = "the same scenarios against two crates is what this is about")]

extern crate alloc;

#[cfg(any(not(substrate_runtime), not(feature = "upstream")))]
pub mod hatchery;
pub mod outcome;
#[cfg(any(not(substrate_runtime), feature = "upstream"))]
pub mod upstream;

#[cfg(not(substrate_runtime))]
mod native;

#[cfg(not(substrate_runtime))]
pub use native::{Flavour, Input, Scenario};

use alloc::vec::Vec;
use outcome::{Access, Accessed, Answer, Call, Console, End, ExecFailure, HostCall, Request, Returned, Run};

#[cfg(all(substrate_runtime, not(feature = "upstream")))]
use hatchery::scenarios as flavour;
#[cfg(all(substrate_runtime, feature = "upstream"))]
use upstream::scenarios as flavour;

/// Makes of each scenario an export of the Wasm, an entry of `SCENARIOS` and a function of `scenario`.
macro_rules! scenarios {
    ($( $(#[$doc:meta])* fn $name:ident($( $argument:ident: $kind:ty ),*) -> $result:ty; )*) => {
        #[cfg(substrate_runtime)]
        sp_core::wasm_export_functions! {
            $( fn $name($( $argument: $kind ),*) -> $result { flavour::$name($( $argument ),*) } )*
        }

        /// Every scenario, by name.
        #[cfg(not(substrate_runtime))]
        pub const SCENARIOS: &[Scenario] = &[
            $( Scenario {
                name: stringify!($name),
                hatchery: |input| {
                    let ($( $argument, )*): ($( $kind, )*) = native::decode(input);
                    codec::Encode::encode(&hatchery::scenarios::$name($( $argument ),*))
                },
                upstream: |input| {
                    let ($( $argument, )*): ($( $kind, )*) = native::decode(input);
                    codec::Encode::encode(&upstream::scenarios::$name($( $argument ),*))
                },
            }, )*
        ];

        /// The scenarios with their arguments, to be played anywhere.
        #[cfg(not(substrate_runtime))]
        pub mod scenario {
            use super::*;

            $(
                $(#[$doc])*
                pub fn $name($( $argument: $kind ),*) -> Input<$result> {
                    Input::new(stringify!($name), codec::Encode::encode(&($( $argument, )*)))
                }
            )*
        }
    };
}

scenarios! {
    /// Makes the calls on one instance; the counter starts at `counter`.
    fn on_one_instance(program: Vec<u8>, counter: u64, calls: Vec<Call>) -> Vec<Run>;
    /// Makes each call on an instance of its own.
    fn on_new_instances(program: Vec<u8>, counter: u64, calls: Vec<Call>) -> Vec<Run>;
    /// Gas that a call uses under each of the limits.
    fn gas_used(program: Vec<u8>, export: Vec<u8>, limits: Vec<i64>) -> Vec<Option<i64>>;
    /// Gas that a call uses, the call with exactly that, and the call with 1 less.
    fn least_gas(program: Vec<u8>, export: Vec<u8>) -> Option<(i64, Run, Run)>;
    /// Instances inside the syscalls of others, `depth` levels down.
    fn nested(program: Vec<u8>, depth: u32) -> Vec<Run>;
    /// Two instances, a syscall each in turn.
    fn interleaved(program: Vec<u8>, counters: (u64, u64)) -> Vec<Run>;
    /// Syscalls answered as fast as possible.
    fn round_trips(program: Vec<u8>, export: Vec<u8>, count: u32) -> u32;
    /// The crate's own loop: how the call ended, the gas left, and the counter.
    fn completed(program: Vec<u8>, export: Vec<u8>, gas: i64) -> Option<(End, i64, u64)>;
    /// A guest that prints, reads and writes.
    fn console(program: Vec<u8>, call: Call, input: Vec<u8>) -> Console;
    /// Memory of a prepared instance.
    fn memory_at_entry(program: Vec<u8>, export: Vec<u8>, accesses: Vec<Access>) -> Option<Vec<Accessed>>;
    /// Memory of an instance at its first syscall.
    fn memory_at_syscall(program: Vec<u8>, export: Vec<u8>, accesses: Vec<Access>) -> Option<Vec<Accessed>>;
    /// Modules from bytes, identifiers and storage.
    fn modules(requests: Vec<Request>, export: Vec<u8>) -> Vec<Answer>;
    /// Host functions in any order, below the typed API.
    fn wire(calls: Vec<HostCall>) -> Vec<Returned>;
    /// Handles dropped in every state.
    fn dropped_handles(program: Vec<u8>) -> Vec<Returned>;
    /// An export that is not there, then one that is.
    fn refused_prepare(program: Vec<u8>, export: Vec<u8>) -> Option<(ExecFailure, Run)>;
    /// A megabyte to the guest and back, in one transfer each way; what came back.
    fn transfer(program: Vec<u8>, export: Vec<u8>, address: u32, bytes: Vec<u8>) -> Option<Vec<u8>>;
    /// As many instances alive at once, each called before and after the others were made: how many there were, and what the
    /// one after the last gave.
    fn many_instances(program: Vec<u8>, export: Vec<u8>, count: u32) -> (u32, End, u64);
    /// The second set of host functions, all of them; empty where the flavour has none.
    fn control(program: Vec<u8>) -> Vec<Vec<u8>>;
    /// The second set of host functions at the ends of gas, in wrong states and at limits, a line each; empty where the flavour has none.
    fn control_bounds(program: Vec<u8>) -> Vec<Vec<u8>>;
    /// A runtime that panics while a guest waits.
    fn panic_while_suspended(program: Vec<u8>) -> bool;
}
