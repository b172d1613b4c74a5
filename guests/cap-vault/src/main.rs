//! A vault: it has a capability in slot 10 and gives a copy of it to whoever calls it. To call it one must hold it; nothing else
//! opens it.
#![no_std]
#![no_main]

use cap_sdk::{Slot, HAND};
use core::sync::atomic::{AtomicU64, Ordering};
use guest as _;
use polkavm_derive::polkavm_export;

const SECRET: Slot = Slot::new(10);

static OPENED: AtomicU64 = AtomicU64::new(0);

/// Puts a copy of what is in the vault into the caller's hand and replies how often that was done.
#[polkavm_export]
fn open() -> u64 {
    SECRET.copy_to(HAND);
    let opened = OPENED.load(Ordering::Relaxed) + 1;
    OPENED.store(opened, Ordering::Relaxed);
    opened
}

/// Puts what the caller has in its hand into the vault.
#[polkavm_export]
fn put() {
    HAND.move_to(SECRET);
}
