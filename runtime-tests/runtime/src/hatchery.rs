//! The scenarios compiled against `hatchery-primitives`.

use hatchery_primitives as virtualization;

#[cfg(any(not(substrate_runtime), feature = "control"))]
mod bounds;
mod completion;
mod control;
#[path = "raw/mod.rs"]
mod raw;
#[path = "scenarios/mod.rs"]
pub mod scenarios;
