//! Text out, bytes in and out: three syscalls that several guests use.

mod sys {
    #[polkavm_derive::polkavm_import]
    extern "C" {
        pub fn print(text: *const u8, length: usize);
        pub fn read(buffer: *mut u8, length: usize) -> u64;
        pub fn write(bytes: *const u8, length: usize) -> u64;
    }
}

/// Shows a line of UTF-8 text: `print(pointer, length)`, whose result is not looked at.
pub fn print(text: &str) {
    // SAFETY: the host reads `length` bytes at the pointer, which are the text's.
    unsafe { sys::print(text.as_ptr(), text.len()) }
}

/// Takes the next bytes of the input: `read(pointer, length) -> count`. The host writes at most `length` bytes and
/// tells how many; 0 is the end of the input.
///
/// Traps when the host claims to have written more than the buffer holds.
pub fn read(buffer: &mut [u8]) -> &[u8] {
    // SAFETY: the host writes at most `length` bytes at the pointer, which are the buffer's.
    let count = unsafe { sys::read(buffer.as_mut_ptr(), buffer.len()) };
    match usize::try_from(count).ok().and_then(|count| buffer.get(..count)) {
        Some(bytes) => bytes,
        None => crate::trap(),
    }
}

/// Appends all bytes to the output: `write(pointer, length) -> count`, again until all are taken.
///
/// Traps when the host takes none, or claims to have taken more than there were.
pub fn write(mut bytes: &[u8]) {
    while !bytes.is_empty() {
        // SAFETY: the host reads at most `length` bytes at the pointer, which are the slice's.
        let count = unsafe { sys::write(bytes.as_ptr(), bytes.len()) };
        match usize::try_from(count).ok().filter(|count| *count > 0).and_then(|count| bytes.get(count..)) {
            Some(rest) => bytes = rest,
            None => crate::trap(),
        }
    }
}
