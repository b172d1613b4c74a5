//! Calls of Hatchery's scheduler: see `docs/processes.md`.

use crate::{Text, must};

mod calls {
    #[polkavm_derive::polkavm_import]
    unsafe extern "C" {
        pub fn process_spawn(
            identifier: *const u8,
            identifier_length: usize,
            offset: usize,
            length: usize,
            parameters: *const u64,
            id: *mut u64,
        ) -> usize;
        pub fn process_wait(id: u64, status: *mut u64) -> usize;
        pub fn process_exit(code: usize);
        pub fn process_inherited_fds(descriptors: *mut u64, count: *mut u64) -> usize;
        pub fn pipe_create(descriptors: *mut u64) -> usize;
        pub fn pipe_read(descriptor: u64, buffer: *mut u8, length: *mut u64) -> usize;
        pub fn pipe_write(descriptor: u64, bytes: *const u8, length: *mut u64) -> usize;
    }
}

/// What this program is called by its scheduler.
const IDENTIFIER: &[u8] = b"processes";

polkavm_derive::min_stack_size!(65536);

#[polkavm_derive::polkavm_export]
extern "C" fn main(arguments: usize, length: usize) -> i64 {
    // SAFETY: the scheduler has put so many bytes above the stack, which stay there.
    crate::start(unsafe { core::slice::from_raw_parts(arguments as *const u8, length) });
    0
}

pub fn exit(code: i8) -> ! {
    // SAFETY: the call takes no memory.
    unsafe { calls::process_exit(code as usize) };
    loop {}
}

pub fn spawn(text: &Text, descriptors: &[u64]) -> u64 {
    let parameters = [
        text.bytes.as_ptr() as u64,
        text.length as u64,
        descriptors.as_ptr() as u64,
        descriptors.len() as u64,
    ];
    let mut id = 0;
    let (identifier, length) = (IDENTIFIER.as_ptr(), IDENTIFIER.len());
    // SAFETY: the scheduler reads the identifier, the parameters and what they point to, and writes the id.
    let code = unsafe { calls::process_spawn(identifier, length, 0, 0, parameters.as_ptr(), &mut id) };
    must(code == 0);
    id
}

pub fn wait(id: u64) {
    let mut status = u64::MAX;
    // SAFETY: the scheduler writes the status.
    must(unsafe { calls::process_wait(id, &mut status) } == 0);
    must(status == 0);
}

pub fn pipe() -> [u64; 2] {
    let mut ends = [0; 2];
    // SAFETY: the scheduler writes 16 bytes.
    must(unsafe { calls::pipe_create(ends.as_mut_ptr()) } == 0);
    ends
}

pub fn read(descriptor: u64, block: &mut [u8]) {
    let mut length = block.len() as u64;
    // SAFETY: the scheduler writes the block and how many bytes there were.
    must(unsafe { calls::pipe_read(descriptor, block.as_mut_ptr(), &mut length) } == 0);
    must(length == block.len() as u64);
}

pub fn write(descriptor: u64, block: &[u8]) {
    let mut length = block.len() as u64;
    // SAFETY: the scheduler reads the block and writes how many bytes there were.
    must(unsafe { calls::pipe_write(descriptor, block.as_ptr(), &mut length) } == 0);
    must(length == block.len() as u64);
}

pub fn inherited() -> [u64; 2] {
    let (mut ends, mut count) = ([0; 2], 2);
    // SAFETY: the scheduler writes at most two descriptors, and how many there are.
    must(unsafe { calls::process_inherited_fds(ends.as_mut_ptr(), &mut count) } == 0);
    must(count == 2);
    ends
}

/// 256 pages, with zeros at first.
pub fn pages() -> *mut u8 {
    static mut PAGES: [u8; 1 << 20] = [0; 1 << 20];
    (&raw mut PAGES).cast()
}
