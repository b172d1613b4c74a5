//! Starting processes, replacing programs, waiting.

use crate::error::check;
use crate::{sys, Error};

/// A program to execute, in preparation.
#[derive(Clone, Copy, Debug)]
pub struct Command<'a> {
    identifier: &'a [u8],
    offset: usize,
    length: usize,
    arguments: &'a [u8],
    descriptors: &'a [u64],
}

impl<'a> Command<'a> {
    /// The program with this identifier, without arguments or descriptors.
    pub fn new(identifier: &'a [u8]) -> Self {
        Self { identifier, offset: 0, length: 0, arguments: &[], descriptors: &[] }
    }

    /// Only this part of the bytes with that identifier; a length of 0 means the rest.
    pub fn part(self, offset: usize, length: usize) -> Self {
        Self { offset, length, ..self }
    }

    /// What its `main` gets.
    pub fn arguments(self, arguments: &'a [u8]) -> Self {
        Self { arguments, ..self }
    }

    /// The descriptors that it takes over from this process. Only for [`Command::spawn`].
    pub fn descriptors(self, descriptors: &'a [u64]) -> Self {
        Self { descriptors, ..self }
    }

    /// Starts a process. It runs at once; this call returns when it, and all that it starts, are blocked or have ended.
    ///
    /// # Errors
    /// If there is no such program, the arguments are too long, a descriptor is not this process's, or there are too many
    /// processes. A program that cannot be executed is no error: the new process has ended, and waiting for it tells so.
    pub fn spawn(self) -> Result<Process, Error> {
        let parameters = [
            self.arguments.as_ptr() as u64,
            self.arguments.len() as u64,
            self.descriptors.as_ptr() as u64,
            self.descriptors.len() as u64,
        ];
        let mut id = 0;
        // SAFETY: the scheduler reads the identifier, the parameters and what they point to, and writes the id.
        check(unsafe {
            sys::process_spawn(
                self.identifier.as_ptr(),
                self.identifier.len(),
                self.offset,
                self.length,
                parameters.as_ptr(),
                &mut id,
            )
        })?;
        Ok(Process(id))
    }

    /// Replaces the program of this process, which keeps its id and its descriptors. Returns only the reason why not.
    pub fn exec(self) -> Error {
        // SAFETY: the scheduler reads the identifier and the arguments.
        let code = unsafe {
            sys::process_exec(
                self.identifier.as_ptr(),
                self.identifier.len(),
                self.offset,
                self.length,
                self.arguments.as_ptr(),
                self.arguments.len(),
            )
        };
        check(code).err().unwrap_or(Error::Unknown(code))
    }
}

/// A process that was started, by this one or another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process(u64);

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// With this code.
    Exited(i8),
    /// By a trap: the number of its kind, 255 for memory that it passed to a call and cannot access.
    Trapped(u8),
    /// Its program cannot be executed: 0 no program, 1 no `main`, 2 its arguments do not fit its stack.
    BadImage(u8),
}

impl Process {
    /// The process with this id, whoever started it.
    pub fn from_id(id: u64) -> Self {
        Self(id)
    }

    /// Its id.
    pub fn id(self) -> u64 {
        self.0
    }

    /// Waits for its end. Only the first who asks after its end is told.
    ///
    /// # Errors
    /// [`Error::NoProcess`] if there is no such process, or somebody was told already.
    pub fn wait(self) -> Result<Status, Error> {
        let mut status = 0;
        // SAFETY: the scheduler writes eight bytes, which the number has.
        check(unsafe { sys::process_wait(self.0 as usize, &mut status) })?;
        let code = (status >> 32) as u8;
        Ok(match status as u32 {
            0 => Status::Exited(code as i8),
            1 => Status::Trapped(code),
            _ => Status::BadImage(code),
        })
    }
}
