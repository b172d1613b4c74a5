//! An export for every way to trap, and exports for what looks like a trap and is not.
//!
//! Accesses and jumps are written as single machine instructions, so that the compiler can neither remove them nor
//! put a check before them. An export that should trap and does not, returns 0.
#![no_std]
#![no_main]

mod control;
mod legal;
mod memory;
