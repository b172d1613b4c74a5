//! What looks like a trap and is not. Each export gives 1 when everything was as the instruction set has it, or else
//! the number of the first difference, from 2.

use core::arch::asm;
use core::hint::black_box;
use polkavm_derive::polkavm_export;

/// Division by zero, and the one quotient that overflows, give fixed results.
#[polkavm_export]
fn division_edges() -> u64 {
    macro_rules! run {
        ($instruction:literal, $a:expr, $b:expr) => {{
            let result: u64;
            // SAFETY: arithmetic on registers.
            unsafe {
                asm!(
                    concat!($instruction, " {result}, {a}, {b}"),
                    result = out(reg) result,
                    a = in(reg) $a,
                    b = in(reg) $b,
                )
            };
            result
        }};
    }
    const MINUS_ONE: u64 = u64::MAX;
    const LOWEST: u64 = 1 << 63;
    const LOWEST_WORD: u64 = 0xffff_ffff_8000_0000;
    first_difference(&[
        (run!("div", 7_u64, 0_u64), MINUS_ONE),
        (run!("divu", 7_u64, 0_u64), u64::MAX),
        (run!("rem", 7_u64, 0_u64), 7),
        (run!("remu", 7_u64, 0_u64), 7),
        (run!("div", LOWEST, MINUS_ONE), LOWEST),
        (run!("rem", LOWEST, MINUS_ONE), 0),
        (run!("divw", 7_u64, 0_u64), MINUS_ONE),
        (run!("divuw", 7_u64, 0_u64), MINUS_ONE),
        (run!("remw", 7_u64, 0_u64), 7),
        (run!("remuw", 0xffff_fff9_u64, 0_u64), 0xffff_ffff_ffff_fff9),
        (run!("divw", LOWEST_WORD, MINUS_ONE), LOWEST_WORD),
        (run!("remw", LOWEST_WORD, MINUS_ONE), 0),
    ])
}

/// Loads and stores need no alignment.
#[polkavm_export]
fn unaligned() -> u64 {
    let mut bytes = black_box([0_u8; 24]);
    let address = (bytes.as_mut_ptr() as u64 | 7) + 2;
    let written = 0x1122_3344_5566_7788_u64;
    let (doubleword, word, half): (u64, u64, u64);
    // SAFETY: 8 bytes from at most 9 bytes into an array of 24.
    unsafe {
        asm!(
            "sd {written}, 0({address})",
            "ld {doubleword}, 0({address})",
            "lwu {word}, 1({address})",
            "lhu {half}, 5({address})",
            written = in(reg) written,
            address = in(reg) address,
            doubleword = out(reg) doubleword,
            word = out(reg) word,
            half = out(reg) half,
        )
    };
    first_difference(&[(doubleword, written), (word, 0x4455_6677), (half, 0x2233)])
}

/// Addresses are 32 bits: the upper half of the register does not count.
#[polkavm_export]
fn high_address_bits() -> u64 {
    let value = black_box(0x0102_0304_0506_0708_u64);
    let loaded: u64;
    // SAFETY: the lower half is the address of `value`.
    unsafe {
        asm!(
            "ld {loaded}, 0({address})",
            loaded = out(reg) loaded,
            address = in(reg) (&raw const value) as u64 | 0xdead_beef_0000_0000,
        )
    };
    first_difference(&[(loaded, value)])
}

/// Ends the program from inside a call, by a jump to the address that stands for its caller.
#[polkavm_export]
fn early_finish() -> u64 {
    nested();
    guest::trap()
}

#[inline(never)]
fn nested() {
    // SAFETY: the host takes over here; nothing of this program runs on.
    unsafe { asm!("li a0, 1", "li t0, 0xffff0000", "jr t0", options(noreturn)) }
}

fn first_difference(results: &[(u64, u64)]) -> u64 {
    results
        .iter()
        .position(|(found, expected)| black_box(*found) != *expected)
        .map_or(1, |index| index as u64 + 2)
}
