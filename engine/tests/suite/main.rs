//! All tests of the crate that need no process of their own, in one program: each program is optimized and linked by itself.

#[path = "../common/mod.rs"]
mod common;

mod accesses;
mod backends;
mod containers;
mod debug_info;
mod differential;
mod disturbance;
mod execution;
mod guests;
mod memory;
mod scattered;
mod snapshot;
mod snapshot_bytes;
