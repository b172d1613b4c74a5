//! The calls as they are: pointers, numbers, and a code in a0. `docs/processes.md` describes each.

#[polkavm_derive::polkavm_import]
extern "C" {
    /// Starts a process. `parameters` is null or points to four numbers; the new process's id goes to `id`.
    pub fn process_spawn(
        identifier: *const u8,
        identifier_length: usize,
        offset: usize,
        length: usize,
        parameters: *const u64,
        id: *mut u64,
    ) -> usize;
    /// Waits for the end of a process. Its kind and code, two numbers of 32 bits, go to `status`.
    pub fn process_wait(id: usize, status: *mut u64) -> usize;
    /// The id of this process.
    pub fn process_id() -> usize;
    /// Ends this process. Does not return.
    pub fn process_exit(code: usize) -> usize;
    /// Makes a pipe. The descriptors of its ends, to read and to write, go to `descriptors`.
    pub fn pipe_create(descriptors: *mut u64) -> usize;
    /// Takes at most `*length` bytes out of a pipe. How many there were goes to `*length`.
    pub fn pipe_read(descriptor: usize, buffer: *mut u8, length: *mut u64) -> usize;
    /// Puts `*length` bytes into a pipe. How many were taken goes to `*length`.
    pub fn pipe_write(descriptor: usize, bytes: *const u8, length: *mut u64) -> usize;
    /// Closes an end of a pipe.
    pub fn pipe_close(descriptor: usize) -> usize;
    /// The descriptors that this process was started with: at most `*count` of them; how many there are goes to `*count`.
    pub fn process_inherited_fds(descriptors: *mut u64, count: *mut u64) -> usize;
    /// Replaces the program of this process. Returns only on failure.
    pub fn process_exec(
        identifier: *const u8,
        identifier_length: usize,
        offset: usize,
        length: usize,
        arguments: *const u8,
        arguments_length: usize,
    ) -> usize;
    /// The gas that all processes together have used.
    pub fn process_gas() -> usize;
}
