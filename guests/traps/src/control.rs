//! Traps of control flow: trap instructions, jumps to nowhere, a stack without end.

use core::arch::asm;
use core::hint::black_box;
use polkavm_derive::polkavm_export;

/// Executes the trap instruction.
#[polkavm_export]
fn trap() {
    guest::trap()
}

/// Panics, which ends in the trap instruction.
#[polkavm_export]
fn panics() {
    let empty: &[u64] = black_box(&[]);
    black_box(empty[black_box(3)]);
}

/// Jumps to address 0, where no code can ever be reached.
#[polkavm_export]
fn jump_null() -> u64 {
    jump(0)
}

/// Jumps to address 1: addresses of code are even.
#[polkavm_export]
fn jump_misaligned() -> u64 {
    jump(1)
}

/// Jumps to the first even address past all that code has names for.
#[polkavm_export]
fn jump_outside() -> u64 {
    jump(0x1000_0000)
}

/// Jumps to the last even address.
#[polkavm_export]
fn jump_highest() -> u64 {
    jump(0xffff_fffe)
}

/// Returns to an invalid address.
#[polkavm_export]
fn return_nowhere() -> u64 {
    // SAFETY: ends in a trap.
    unsafe { asm!("li ra, 0x20000000", "ret", options(noreturn)) }
}

/// Calls itself until the stack is used up; gives the depth, if it ever ends.
#[polkavm_export]
fn stack_overflow() -> u64 {
    deeper(0)
}

#[inline(never)]
fn deeper(depth: u64) -> u64 {
    let frame = black_box([depth; 16]);
    if black_box(depth) == u64::MAX {
        return depth;
    }
    // What is used after the call keeps the frame alive during it.
    deeper(depth + 1).wrapping_add(black_box(frame)[15])
}

fn jump(address: u64) -> u64 {
    // SAFETY: ends in a trap.
    unsafe { asm!("jr {address}", address = in(reg) address, options(noreturn)) }
}
