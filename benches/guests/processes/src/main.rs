//! A program for ckb-script's scheduler: starts processes and waits for them, or sends a block through a pipe and back. Its arguments are
//! what to do, how often, and how many bytes.
#![no_std]
#![no_main]

use core::arch::{asm, global_asm};
use core::ffi::CStr;

// The stack pointer is at the number of arguments, behind which are their addresses.
global_asm!(".global _start", "_start:", "mv a0, sp", "call start", "li a7, 93", "ecall");

const SPAWN: usize = 2601;
const WAIT: usize = 2602;
const PIPE: usize = 2604;
const WRITE: usize = 2605;
const READ: usize = 2606;
const INHERITED: usize = 2607;

/// Where programs are: the data of the first cell that the transaction depends on.
const CELL_DEP: usize = 3;

static mut BUFFER: [u8; 1 << 16] = [0; 1 << 16];

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        call(93, [99, 0, 0, 0, 0]);
    }
}

fn call(number: usize, arguments: [usize; 5]) -> usize {
    let [a0, a1, a2, a3, a4] = arguments;
    let code;
    // SAFETY: the scheduler writes only where the arguments say, which are addresses of what the callers own.
    unsafe {
        asm!("ecall", inlateout("a0") a0 => code, in("a1") a1, in("a2") a2, in("a3") a3, in("a4") a4, in("a7") number);
    }
    code
}

/// Ends the process with the line unless a call succeeded.
#[track_caller]
fn must(holds: bool) {
    if !holds {
        let line = core::panic::Location::caller().line();
        call(93, [line as usize % 100 + 1, 0, 0, 0, 0]);
    }
}

fn spawn(arguments: &[&CStr], descriptors: &[u64]) -> u64 {
    let mut id = 0_u64;
    let mut pointers = [0_usize; 4];
    arguments.iter().zip(&mut pointers).for_each(|(argument, pointer)| *pointer = argument.as_ptr() as usize);
    // Ends with a zero.
    let mut list = [0_u64; 4];
    list[..descriptors.len()].copy_from_slice(descriptors);
    let parameters =
        [arguments.len() as u64, pointers.as_ptr() as u64, &raw mut id as u64, list.as_ptr() as u64];
    must(call(SPAWN, [0, CELL_DEP, 0, 0, parameters.as_ptr() as usize]) == 0);
    id
}

fn wait(id: u64) {
    let mut code = 77_u8;
    must(call(WAIT, [id as usize, &raw mut code as usize, 0, 0, 0]) == 0);
    // SAFETY: the scheduler has written it.
    must(unsafe { (&raw const code).read_volatile() } == 0);
}

fn pipe() -> [u64; 2] {
    let mut ends = [0_u64; 2];
    must(call(PIPE, [ends.as_mut_ptr() as usize, 0, 0, 0, 0]) == 0);
    ends
}

fn transfer(number: usize, descriptor: u64, size: usize) {
    let mut length = size as u64;
    let buffer = &raw mut BUFFER as usize;
    must(call(number, [descriptor as usize, buffer, &raw mut length as usize, 0, 0]) == 0);
    // SAFETY: the scheduler has written it.
    must(unsafe { (&raw const length).read_volatile() } == size as u64);
}

fn number(text: &CStr) -> usize {
    text.to_bytes().iter().fold(0, |number, digit| 10 * number + usize::from(digit - b'0'))
}

/// # Safety
/// `stack` points to the number of arguments and their addresses.
#[unsafe(no_mangle)]
unsafe extern "C" fn start(stack: *const usize) -> usize {
    // SAFETY: as said above; arguments end with a zero.
    let (count, argument) = unsafe {
        let argument = |at: usize| CStr::from_ptr(*stack.add(1 + at) as *const _);
        (*stack, argument)
    };
    must(count > 0);
    match argument(0).to_bytes() {
        b"spawn" => {
            for _ in 0..number(argument(1)) {
                wait(spawn(&[c"nothing"], &[]));
            }
        }
        b"pipe" => {
            let (rounds, size) = (number(argument(1)), number(argument(2)));
            let (back, there) = (pipe(), pipe());
            let child = spawn(&[c"echo", argument(1), argument(2)], &[there[0], back[1]]);
            for _ in 0..rounds {
                transfer(WRITE, there[1], size);
                transfer(READ, back[0], size);
            }
            wait(child);
        }
        b"echo" => {
            let (rounds, size) = (number(argument(1)), number(argument(2)));
            let (mut ends, mut length) = ([0_u64; 2], 2_u64);
            let list = ends.as_mut_ptr() as usize;
            must(call(INHERITED, [list, &raw mut length as usize, 0, 0, 0]) == 0 && ends[0] != 0);
            for _ in 0..rounds {
                transfer(READ, ends[0], size);
                transfer(WRITE, ends[1], size);
            }
        }
        _ => {}
    }
    0
}
