//! The scenarios compiled against `hatchery-primitives`.

use hatchery_primitives as virtualization;

#[path = "raw/mod.rs"]
mod raw;
#[path = "scenarios/mod.rs"]
pub mod scenarios;
