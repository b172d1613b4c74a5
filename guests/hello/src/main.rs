//! Prints through a syscall: `print(pointer, length)`.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::format;
use guest::io;
use polkavm_derive::polkavm_export;

guest::heap!(4096);

/// Prints one line.
#[polkavm_export]
fn hello() {
    io::print("Hello from a child machine!");
}

/// Prints a numbered line `times` times; the lines are made on the heap.
#[polkavm_export]
fn hello_times(times: u64) {
    for number in 1..=times {
        io::print(&format!("Hello number {number} of {times}"));
    }
}
