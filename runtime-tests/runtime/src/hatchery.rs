//! The scenarios compiled against `hatchery-primitives`.

use sp_virtualization as virtualization;

#[path = "raw/mod.rs"]
mod raw;
#[path = "scenarios/mod.rs"]
pub mod scenarios;
