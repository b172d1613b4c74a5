//! What every guest program needs: a panic handler that traps, a [`heap!`] or [`reusing_heap!`], and the syscalls that
//! several guests share in [`io`].
//!
//! A guest is a `no_std`, `no_main` binary. It marks what the host may call with `polkavm_derive::polkavm_export`
//! and declares syscalls of its own with `polkavm_derive::polkavm_import`.
#![no_std]

mod heap;
pub mod io;
mod reusing;

pub use heap::Heap;
pub use reusing::ReusingHeap;

/// Ends the program at once, as a trap.
pub fn trap() -> ! {
    // SAFETY: the instruction has no operands and does not return.
    unsafe { core::arch::asm!("unimp", options(noreturn)) }
}

/// A guest has no one to tell why it panics: it traps, and the host sees where.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    trap()
}
