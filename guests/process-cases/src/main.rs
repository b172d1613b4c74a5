//! Trees of processes that check what their scheduler does. The first byte of the arguments names a case, the second a role in
//! it: 0 is who sets it up. What goes wrong is told by `failed(line)`, a syscall that surfaces, and ends with exit code 99.
//!
//! | cases | file |
//! |---|---|
//! | 1 to 39 | `cases`, one behaviour each |
//! | 40 to 59 | `bulk`: many processes, much data |
//! | 60 to 79 | `speed`: loops to be timed |
//! | 100 | `script`: does what the rest of the arguments says |
#![no_std]
#![no_main]

mod bulk;
mod cases;
mod script;
mod speed;

use processes::{Command, Error, Process};

processes::main!(start);

// Arguments are put on the stack.
polkavm_derive::min_stack_size!(32 * 1024);

/// What this program is called by its scheduler.
pub const SELF: &[u8] = b"cases";

mod sys {
    #[polkavm_derive::polkavm_import]
    extern "C" {
        pub fn failed(line: usize);
        pub fn note(value: usize) -> usize;
    }
}

fn start(arguments: &'static [u8]) -> i8 {
    let [case, role, rest @ ..] = arguments else { return 98 };
    match case {
        1..=39 => cases::run(*case, *role, rest),
        40..=59 => bulk::run(*case, *role, rest),
        60..=79 => speed::run(*case, *role, rest),
        100 => script::run(*role, rest),
        _ => 97,
    }
}

/// Ends the process, telling where, unless this holds.
#[track_caller]
pub fn check(holds: bool) {
    if !holds {
        let line = core::panic::Location::caller().line();
        // SAFETY: the call takes no memory.
        unsafe { sys::failed(line as usize) };
        processes::exit(99);
    }
}

/// Tells the embedder a number, and gives its answer.
pub fn note(value: usize) -> usize {
    // SAFETY: the call takes no memory.
    unsafe { sys::note(value) }
}

/// Starts another process of this program.
pub fn start_as(arguments: &[u8], descriptors: &[u64]) -> Result<Process, Error> {
    Command::new(SELF).arguments(arguments).descriptors(descriptors).spawn()
}

/// The value, which there must be.
#[track_caller]
pub fn must<T, E>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(_) => {
            check(false);
            processes::exit(99)
        }
    }
}

/// So many of the descriptors that this process was started with, which must be all.
#[track_caller]
pub fn given<const N: usize>() -> [u64; N] {
    let mut descriptors = [0; N];
    check(processes::inherited(&mut descriptors) == N);
    descriptors
}

/// The byte at a place of a stream.
pub fn pattern(stream: u64, at: usize) -> u8 {
    (stream as u8).wrapping_mul(31).wrapping_add((at as u8).wrapping_mul(7)).wrapping_add((at >> 8) as u8)
}
