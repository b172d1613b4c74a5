//! The scenarios compiled against `hatchery-primitives`.

use hatchery_primitives as virtualization;

mod completion;
#[path = "raw/mod.rs"]
mod raw;
#[path = "scenarios/mod.rs"]
pub mod scenarios;
