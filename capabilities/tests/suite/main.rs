//! All tests of the crate that need no process of their own, in one program: each program is optimized and linked by itself.

#[path = "../common/mod.rs"]
mod common;

mod calls;
mod confinement;
mod costs;
mod embedder;
mod golden;
mod manifest;
mod missing;
mod operations;
mod properties;
mod seed;
mod store;
mod suspended;
mod undone;
