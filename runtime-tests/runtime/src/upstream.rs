//! The scenarios compiled against upstream's `sp-virtualization`: the same source, another crate.

use sp_virtualization as virtualization;

mod completion;
mod control;
#[path = "raw/mod.rs"]
mod raw;
#[path = "scenarios/mod.rs"]
pub mod scenarios;
