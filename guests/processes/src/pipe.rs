//! Pipes. Nothing is kept in a pipe: bytes move when both sides are there.

use core::mem::ManuallyDrop;

use crate::error::check;
use crate::{sys, Error, WriteError};

/// The end of a pipe to read from. Closed when it goes out of scope.
#[derive(Debug, PartialEq, Eq)]
pub struct Reader(u64);

/// The end of a pipe to write to. Closed when it goes out of scope.
#[derive(Debug, PartialEq, Eq)]
pub struct Writer(u64);

/// Makes a pipe.
///
/// # Errors
/// [`Error::TooManyDescriptors`].
pub fn pipe() -> Result<(Reader, Writer), Error> {
    let mut descriptors = [0; 2];
    // SAFETY: the scheduler writes 16 bytes, which the array has.
    check(unsafe { sys::pipe_create(descriptors.as_mut_ptr()) })?;
    Ok((Reader(descriptors[0]), Writer(descriptors[1])))
}

/// Writes as many of the descriptors that this process was started with as fit, and gives how many there are. Some may have
/// been closed or handed on since.
pub fn inherited(descriptors: &mut [u64]) -> usize {
    let mut count = descriptors.len() as u64;
    // SAFETY: the scheduler writes at most `count` numbers, which the slice has, and the count.
    match check(unsafe { sys::process_inherited_fds(descriptors.as_mut_ptr(), &mut count) }) {
        Ok(()) => count as usize,
        Err(_) => 0,
    }
}

impl Reader {
    /// Takes over a descriptor that this process owns.
    pub fn from_descriptor(descriptor: u64) -> Self {
        Self(descriptor)
    }

    /// Its descriptor.
    pub fn descriptor(&self) -> u64 {
        self.0
    }

    /// Its descriptor, to be handed on: it is not closed by this process any more.
    pub fn give(self) -> u64 {
        ManuallyDrop::new(self).0
    }

    /// Waits for bytes and gives how many there were, at least one unless the buffer is empty.
    ///
    /// # Errors
    /// [`Error::OtherEndClosed`] at the end.
    pub fn read(&self, buffer: &mut [u8]) -> Result<usize, Error> {
        let mut length = buffer.len() as u64;
        // SAFETY: the scheduler writes at most `length` bytes, which the buffer has, and the length.
        check(unsafe { sys::pipe_read(self.0 as usize, buffer.as_mut_ptr(), &mut length) })?;
        Ok(length as usize)
    }

    /// Reads until the buffer is full.
    ///
    /// # Errors
    /// [`Error::OtherEndClosed`] if that is before; what was read is in the buffer.
    pub fn read_exact(&self, buffer: &mut [u8]) -> Result<(), Error> {
        let mut done = 0;
        while done < buffer.len() {
            done += self.read(&mut buffer[done..])?;
        }
        Ok(())
    }

    /// Reads until the buffer is full or the other end is closed, and gives how many bytes there were.
    ///
    /// # Errors
    /// Those that are not the end.
    pub fn read_to_end(&self, buffer: &mut [u8]) -> Result<usize, Error> {
        let mut done = 0;
        while done < buffer.len() {
            match self.read(&mut buffer[done..]) {
                Ok(count) => done += count,
                Err(Error::OtherEndClosed) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }
}

impl Writer {
    /// Takes over a descriptor that this process owns.
    pub fn from_descriptor(descriptor: u64) -> Self {
        Self(descriptor)
    }

    /// Its descriptor.
    pub fn descriptor(&self) -> u64 {
        self.0
    }

    /// Its descriptor, to be handed on: it is not closed by this process any more.
    pub fn give(self) -> u64 {
        ManuallyDrop::new(self).0
    }

    /// Waits until all bytes are taken.
    ///
    /// # Errors
    /// [`Error::OtherEndClosed`] if the other end is closed before, with the number of bytes that were taken.
    pub fn write(&self, bytes: &[u8]) -> Result<(), WriteError> {
        let mut length = bytes.len() as u64;
        // SAFETY: the scheduler reads at most `length` bytes, which the slice has, and writes the length.
        let code = unsafe { sys::pipe_write(self.0 as usize, bytes.as_ptr(), &mut length) };
        check(code).map_err(|error| {
            let written = if error == Error::OtherEndClosed { length as usize } else { 0 };
            WriteError { error, written }
        })
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // SAFETY: the call takes no memory.
        unsafe { sys::pipe_close(self.0 as usize) };
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // SAFETY: the call takes no memory.
        unsafe { sys::pipe_close(self.0 as usize) };
    }
}
