//! The scenarios: ordinary functions over the runtime-side API, the same on both sides of the boundary.
//!
//! Arguments and results are SCALE data ([`crate::outcome`]); nothing here panics on what a node answers, so that two
//! nodes can be compared on every answer.

mod calls;
mod completion;
mod console;
pub(super) mod driver;
mod handles;
mod memory;
mod modules;
mod wire;

pub use super::control::{control, control_bounds};
pub use calls::{
    gas_used, interleaved, least_gas, many_instances, nested, on_new_instances, on_one_instance, round_trips,
};
pub use completion::completed;
pub use console::console;
pub use handles::{dropped_handles, panic_while_suspended, refused_prepare};
pub use memory::{memory_at_entry, memory_at_syscall, transfer};
pub use modules::modules;
pub use wire::wire;
