//! Writes its input back: `read(pointer, length) -> count` and `write(pointer, length) -> count`.
#![no_std]
#![no_main]

use guest::io;
use polkavm_derive::polkavm_export;

/// Copies the input to the output until the input ends; gives the number of bytes.
#[polkavm_export]
fn echo() -> u64 {
    let mut buffer = [0; 1024];
    let mut total = 0;
    loop {
        let bytes = io::read(&mut buffer);
        if bytes.is_empty() {
            return total;
        }
        io::write(bytes);
        total += bytes.len() as u64;
    }
}
