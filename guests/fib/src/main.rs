//! Fibonacci numbers: by calls, which use the stack and indirect jumps, and by a loop of a few instructions.
#![no_std]
#![no_main]

// The panic handler.
use guest as _;
use polkavm_derive::polkavm_export;

/// The Fibonacci number at `n`, of which 0 and 1 are the first, modulo 2^64; by 2 * fib(n + 1) - 1 calls.
#[polkavm_export]
fn fib(n: u64) -> u64 {
    recursive(n)
}

// Kept as calls: an optimizer would turn one of the two into a loop.
#[inline(never)]
fn recursive(n: u64) -> u64 {
    if n < 2 {
        return n;
    }
    let before = core::hint::black_box(recursive(n - 2));
    core::hint::black_box(recursive(n - 1)).wrapping_add(before)
}

/// The same number, by `n` additions.
#[polkavm_export]
fn fib_loop(n: u64) -> u64 {
    let (mut this, mut next) = (0u64, 1u64);
    for _ in 0..n {
        (this, next) = (next, this.wrapping_add(next));
    }
    this
}
