//! A counter kept by the host: the contract that Substrate's virtualization tests expect of a program.
//!
//! How many rounds of `increment_forever` a given amount of gas pays for is known for this machine code, so that
//! nothing is added here: other guests show other things.
#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU64, Ordering};
use guest as _;
use polkavm_derive::polkavm_export;

mod sys {
    #[polkavm_derive::polkavm_import]
    extern "C" {
        pub fn read_counter(value: *mut u8) -> u32;
        pub fn increment_counter(by: *const u8) -> u64;
        pub fn exit();
        pub fn subcall();
    }
}

/// What `read_counter` has to answer.
const READ: u32 = 1;

/// What `increment_counter` has to answer: a value that only survives if all 64 bits do.
const INCREMENTED: u64 = 2 << 56;

/// How much the next `offset` adds; it stays in the instance's memory from call to call.
static NEXT_OFFSET: AtomicU64 = AtomicU64::new(3);

/// Increments by 7 and by 1, and looks after each step that the host did.
#[polkavm_export]
fn counter() {
    let before = read();
    increment(7);
    assert_eq!(read(), before + 7);
    increment(1);
    assert_eq!(read(), before + 8);
}

/// Increments by 99.
#[polkavm_export]
fn add_99() {
    increment(99);
}

/// Panics, which is a trap.
#[polkavm_export]
fn do_panic() {
    panic!("asked to");
}

/// Asks the host to end the program. Should it go on all the same, the counter tells.
#[polkavm_export]
fn do_exit() {
    // SAFETY: the syscall takes no memory.
    unsafe { sys::exit() };
    increment(1_000);
    panic!("the host went on after `exit`");
}

/// Increments by 1 until the gas is used up.
#[polkavm_export]
fn increment_forever() {
    loop {
        increment(1);
    }
}

/// Increments by 3 the first time, and by one more each time after.
#[polkavm_export]
fn offset() {
    let by = NEXT_OFFSET.load(Ordering::Relaxed);
    increment(by);
    NEXT_OFFSET.store(by + 1, Ordering::Relaxed);
}

/// Asks the host for something that it answers by running another instance.
#[polkavm_export]
fn do_subcall() {
    // SAFETY: the syscall takes no memory.
    unsafe { sys::subcall() };
}

fn read() -> u64 {
    let mut value = [0xff; 8];
    // SAFETY: the host writes 8 bytes at the pointer.
    let answer = unsafe { sys::read_counter(value.as_mut_ptr()) };
    assert_eq!(answer, READ);
    u64::from_le_bytes(value)
}

fn increment(by: u64) {
    // SAFETY: the host reads 8 bytes at the pointer.
    let answer = unsafe { sys::increment_counter(by.to_le_bytes().as_ptr()) };
    assert_eq!(answer, INCREMENTED);
}
