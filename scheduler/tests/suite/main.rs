//! All tests of the crate that need no process of their own, in one program: each program is optimized and linked by itself.

#[path = "../common/mod.rs"]
#[macro_use]
mod common;

mod cases;
mod defects;
mod document;
mod faults;
mod suspended;
mod trees;
