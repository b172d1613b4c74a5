//! The portable interpreter.
//!
//! `operations` turns a region of code into compact operations, once for all instances of a module; `execute` runs them.

mod execute;
mod operations;

/// What the recompiler shares.
#[cfg(all(target_os = "linux", target_arch = "x86_64", not(any(miri, hatchery_no_native_code))))]
pub(crate) use execute::stop;
pub(crate) use execute::{Machine, RETURN_TO_HOST, Stop, execute};
pub(crate) use operations::{Position, Regions, bit};
