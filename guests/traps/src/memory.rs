//! Loads and stores where they are not allowed.
//!
//! A program's memory begins at 0x10000 with the read-only data; after it, and on either side of every other region,
//! 64 KiB are never mapped. The read-only data of this program is far smaller than 64 KiB.

use core::arch::asm;
use core::hint::black_box;
use polkavm_derive::polkavm_export;

/// Below this address nothing is ever mapped.
const LOWEST: u64 = 0x1_0000;

/// The highest address of the stack, exclusive: above it is a guard region.
const STACK_TOP: u64 = 0xfffe_0000;

static READ_ONLY: [u64; 4] = [0x1122_3344_5566_7788; 4];

/// Loads from address 0.
#[polkavm_export]
fn load_null() -> u64 {
    load(0);
    0
}

/// Loads the last byte below the read-only data's first possible address.
#[polkavm_export]
fn load_low() -> u64 {
    load_byte(LOWEST - 1);
    0
}

/// Loads from the guard region after the read-only data.
#[polkavm_export]
fn load_unmapped() -> u64 {
    load(guard());
    0
}

/// Loads 8 bytes of which the last 4 are above the stack.
#[polkavm_export]
fn load_across_end() -> u64 {
    load(STACK_TOP - 4);
    0
}

/// Loads the highest address of all, where 8 bytes would wrap around.
#[polkavm_export]
fn load_wrapping() -> u64 {
    load(0xffff_fffc);
    0
}

/// Stores to address 8.
#[polkavm_export]
fn store_low() -> u64 {
    store(8);
    0
}

/// Stores to read-only data.
#[polkavm_export]
fn store_read_only() -> u64 {
    store(read_only());
    0
}

/// Stores to the guard region after the read-only data.
#[polkavm_export]
fn store_unmapped() -> u64 {
    store(guard());
    0
}

/// Stores 8 bytes of which the last 4 are above the stack: none may be written.
#[polkavm_export]
fn store_across_end() -> u64 {
    store(STACK_TOP - 4);
    0
}

/// Loads the 4 bytes that `store_across_end` must have left alone.
#[polkavm_export]
fn stack_end() -> u64 {
    let value: u64;
    // SAFETY: the stack's last 4 bytes are mapped.
    unsafe { asm!("lwu {value}, 0({address})", value = out(reg) value, address = in(reg) STACK_TOP - 4) };
    value
}

fn read_only() -> u64 {
    black_box(&READ_ONLY).as_ptr() as u64
}

fn guard() -> u64 {
    (read_only() | 0xffff) + 1
}

fn load(address: u64) {
    // SAFETY: ends in a trap, or reads what is there.
    unsafe { asm!("ld {value}, 0({address})", value = out(reg) _, address = in(reg) address) };
}

fn load_byte(address: u64) {
    // SAFETY: ends in a trap, or reads what is there.
    unsafe { asm!("lbu {value}, 0({address})", value = out(reg) _, address = in(reg) address) };
}

fn store(address: u64) {
    // SAFETY: ends in a trap.
    unsafe { asm!("sd {value}, 0({address})", value = in(reg) u64::MAX, address = in(reg) address) };
}
