//! A service that counts: what it remembers lies in its memory and is part of what it becomes with each call.
#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU64, Ordering};
use guest as _;
use polkavm_derive::polkavm_export;

static COUNT: AtomicU64 = AtomicU64::new(0);

/// Adds to the count and replies with it.
#[polkavm_export]
fn add(by: u64) -> u64 {
    let count = COUNT.load(Ordering::Relaxed) + by;
    COUNT.store(count, Ordering::Relaxed);
    count
}

/// Replies with the count.
#[polkavm_export]
fn count() -> u64 {
    COUNT.load(Ordering::Relaxed)
}

/// Adds to the count and panics: the count stays as it was.
#[polkavm_export]
fn add_and_panic(by: u64) -> u64 {
    add(by);
    panic!("asked to");
}
