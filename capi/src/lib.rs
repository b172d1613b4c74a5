//! libpvm: the PVM as a C library, for those who implement JAM in Go, Python, TypeScript, Java or C.
//!
//! The functions are those of `include/pvm.h`, which is made from this crate and says everything about them; how to use them is
//! in `docs/libpvm.md`. `cargo xtask capi` builds and installs the library.
//!
//! | module | what |
//! |---|---|
//! | [`constants`] | numbers of the interface |
//! | [`status`] | errors: what is returned, and the text behind it |
//! | [`config`] | profiles, backends, limits |
//! | [`module`] | programs |
//! | [`lifecycle`] | making and destroying VMs |
//! | [`run`] | executing, host calls |
//! | [`registers`] | registers, gas, pc, exits |
//! | [`ram`] | memory |
//! | [`trace`] | watching an execution |
//! | [`record`] | recording host calls |
//! | [`replay`] | executing a recording again |
//! | [`inner`] | inner machines |
//! | [`snapshot`] | the state of a VM as bytes |
//! | [`safe`] | the functions behind safe types, for programs in Rust that prove the library |
//!
//! Every function checks its pointers, lengths and states, catches panics, and gives a code. A handle is a counted reference
//! to a [`vm::Vm`], whose state is behind a lock that nobody waits for: who comes second is told so. The lock is free while a
//! callback runs, so that callbacks can use the VM that called them.

#![expect(
    clippy::missing_safety_doc,
    reason = "what callers have to keep is the same for all functions and stands at the top of the header"
)]

pub mod config;
pub mod constants;
pub mod inner;
mod jip6;
mod layout;
pub mod lifecycle;
pub mod module;
mod pointer;
pub mod ram;
pub mod record;
pub mod registers;
pub mod replay;
pub mod run;
pub mod safe;
pub mod snapshot;
pub mod status;
pub mod trace;
pub mod vm;
