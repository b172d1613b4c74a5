//! Syscalls for their own sake: round trips, and every argument register.
#![no_std]
#![no_main]

use guest as _;
use polkavm_derive::polkavm_export;

mod sys {
    #[polkavm_derive::polkavm_import]
    extern "C" {
        pub fn nothing() -> u64;
        pub fn six(a0: u64, a1: u64, a2: u64, a3: u64, a4: u64, a5: u64) -> u64;
    }
}

/// Calls `nothing` as often as asked; gives the sum of the answers, wrapping.
#[polkavm_export]
fn round_trips(count: u64) -> u64 {
    let mut sum = 0_u64;
    for _ in 0..count {
        // SAFETY: the syscall takes no memory.
        sum = sum.wrapping_add(unsafe { sys::nothing() });
    }
    sum
}

/// Calls `six` with its own six arguments turned by one register, and gives its answer.
#[polkavm_export]
fn six_arguments(a0: u64, a1: u64, a2: u64, a3: u64, a4: u64, a5: u64) -> u64 {
    // SAFETY: the syscall takes no memory.
    unsafe { sys::six(a1, a2, a3, a4, a5, a0) }
}

/// Works without end and without syscalls, until the gas is used up or the host pauses it.
#[polkavm_export]
fn spin() {
    let mut value = 1_u64;
    loop {
        value = core::hint::black_box(value.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    }
}
