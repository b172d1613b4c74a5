//! A work as a program: `program!` defines what its machine wants of one.
//!
//! - PolkaVM: an export `run`, a number in and a number out.
//! - WebAssembly: the same.
//! - RISC-V, for ckb-vm: an entry that calls the work with the number in `a0` and then exits with the answer there.
#![no_std]

#[cfg(target_env = "polkavm")]
#[doc(hidden)]
pub use polkavm_derive;
#[doc(hidden)]
pub use work;

/// Makes a program of a module of `work`.
#[macro_export]
macro_rules! program {
    ($work:ident) => {
        #[cfg(not(target_os = "linux"))]
        mod program {
            #[global_allocator]
            static HEAP: $crate::work::heap::Heap = $crate::work::heap::Heap::new();

            #[cfg(target_env = "polkavm")]
            $crate::polkavm_derive::min_stack_size!(65536);

            #[cfg(target_env = "polkavm")]
            #[$crate::polkavm_derive::polkavm_export]
            extern "C" fn run(amount: u64) -> u64 {
                $crate::work::$work::run(amount)
            }

            #[cfg(not(target_env = "polkavm"))]
            #[unsafe(no_mangle)]
            extern "C" fn run(amount: u64) -> u64 {
                $crate::work::$work::run(amount)
            }

            #[cfg(all(target_arch = "riscv64", not(target_env = "polkavm")))]
            core::arch::global_asm!(".global _start", "_start:", "call run", "li a7, 93", "ecall",);

            #[panic_handler]
            fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
                #[cfg(target_arch = "riscv64")]
                // SAFETY: the instruction has no operands and does not return.
                unsafe {
                    core::arch::asm!("unimp", options(noreturn))
                }
                #[cfg(target_arch = "wasm32")]
                core::arch::wasm32::unreachable()
            }
        }

        /// Programs are for other machines: this one has them in the library `native`.
        #[cfg(target_os = "linux")]
        fn main() {}
    };
}
