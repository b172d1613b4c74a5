//! The portable interpreter.
//!
//! `operations` turns a region of code into compact operations, once for all instances of a module; `execute` runs them.

mod execute;
mod operations;

pub(crate) use execute::{Machine, RETURN_TO_HOST, Stop, execute};
pub(crate) use operations::{Position, Regions, bit};
