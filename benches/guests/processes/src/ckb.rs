//! Calls of ckb-script's scheduler, by their numbers there.

use crate::{Text, must};
use core::arch::{asm, global_asm};
use core::ffi::CStr;

// The stack pointer is at the number of arguments, behind which are their addresses.
global_asm!(".global _start", "_start:", "mv a0, sp", "call begin", "li a0, 0", "li a7, 93", "ecall");

const EXIT: usize = 93;
const SPAWN: usize = 2601;
const WAIT: usize = 2602;
const PIPE: usize = 2604;
const WRITE: usize = 2605;
const READ: usize = 2606;
const INHERITED: usize = 2607;

/// Where programs are: the data of the first cell that the transaction depends on.
const CELL_DEP: usize = 3;

/// # Safety
/// `stack` points to the number of arguments and their addresses; they end with zeros.
#[unsafe(no_mangle)]
unsafe extern "C" fn begin(stack: *const usize) {
    // SAFETY: as said above.
    let text = unsafe {
        must(*stack == 1);
        CStr::from_ptr(*stack.add(1) as *const _)
    };
    crate::start(text.to_bytes());
}

#[inline]
fn call(number: usize, arguments: [usize; 5]) -> usize {
    let [a0, a1, a2, a3, a4] = arguments;
    let code;
    // SAFETY: the scheduler writes only where the arguments say, which are addresses of what the callers own.
    unsafe {
        asm!("ecall", inlateout("a0") a0 => code, in("a1") a1, in("a2") a2, in("a3") a3, in("a4") a4, in("a7") number);
    }
    code
}

pub fn exit(code: i8) -> ! {
    loop {
        call(EXIT, [code as usize, 0, 0, 0, 0]);
    }
}

pub fn spawn(text: &Text, descriptors: &[u64]) -> u64 {
    let mut id = 0_u64;
    let text = text.bytes.as_ptr();
    // Ends with a zero.
    let mut list = [0_u64; 4];
    list[..descriptors.len()].copy_from_slice(descriptors);
    let parameters = [1, &raw const text as u64, &raw mut id as u64, list.as_ptr() as u64];
    must(call(SPAWN, [0, CELL_DEP, 0, 0, parameters.as_ptr() as usize]) == 0);
    id
}

pub fn wait(id: u64) {
    let mut code = 77_u8;
    must(call(WAIT, [id as usize, &raw mut code as usize, 0, 0, 0]) == 0);
    must(code == 0);
}

pub fn pipe() -> [u64; 2] {
    let mut ends = [0_u64; 2];
    must(call(PIPE, [ends.as_mut_ptr() as usize, 0, 0, 0, 0]) == 0);
    ends
}

pub fn read(descriptor: u64, block: &mut [u8]) {
    transfer(READ, descriptor, block.as_mut_ptr() as usize, block.len());
}

pub fn write(descriptor: u64, block: &[u8]) {
    transfer(WRITE, descriptor, block.as_ptr() as usize, block.len());
}

#[inline]
fn transfer(number: usize, descriptor: u64, block: usize, size: usize) {
    let mut length = size as u64;
    must(call(number, [descriptor as usize, block, &raw mut length as usize, 0, 0]) == 0);
    must(length == size as u64);
}

pub fn inherited() -> [u64; 2] {
    let (mut ends, mut count) = ([0_u64; 2], 2_u64);
    must(call(INHERITED, [ends.as_mut_ptr() as usize, &raw mut count as usize, 0, 0, 0]) == 0);
    must(count == 2);
    ends
}

/// 256 pages, with zeros at first: memory from 2 MiB on, between the program and the stack, which is loaded for nobody.
pub fn pages() -> *mut u8 {
    core::ptr::without_provenance_mut(2 << 20)
}
