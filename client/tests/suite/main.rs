//! The tests that can share a process. It is one program, since a program of Substrate's crates takes seconds to link.

#[path = "../common/mod.rs"]
mod common;

mod cold_and_warm;
mod control;
mod differential;
mod limits;
mod manager;
mod node;
mod processes;
mod snapshots;
mod trace;
mod transactions;
mod upstream;
