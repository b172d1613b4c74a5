//! What a process asks its scheduler for: one type for each kind of thing, with calls that return when they are done.
//!
//! A process begins with `main`, which gets the bytes that it was started with and gives its exit code:
//!
//! ```ignore
//! #![no_std]
//! #![no_main]
//!
//! use processes::{pipe, Command, Status};
//!
//! processes::main!(start);
//!
//! fn start(arguments: &'static [u8]) -> i8 {
//!     if arguments == b"child" {
//!         let mut descriptors = [0; 1];
//!         processes::inherited(&mut descriptors);
//!         let writer = processes::Writer::from_descriptor(descriptors[0]);
//!         return writer.write(b"hello").map_or(1, |()| 0);
//!     }
//!     let Ok((reader, writer)) = pipe() else { return 1 };
//!     let child = Command::new(b"greet").arguments(b"child").descriptors(&[writer.give()]).spawn();
//!     let mut greeting = [0; 5];
//!     let is_read = reader.read_exact(&mut greeting) == Ok(()) && &greeting == b"hello";
//!     let has_ended = child.and_then(|child| child.wait()) == Ok(Status::Exited(0));
//!     i8::from(!(is_read && has_ended))
//! }
//! ```
//!
//! The rules, such as who runs when, are in `docs/processes.md`.
#![no_std]

mod command;
mod error;
mod pipe;
pub mod sys;

pub use command::{Command, Process, Status};
pub use error::{Error, WriteError};
pub use pipe::{inherited, pipe, Reader, Writer};

/// Makes a function the entry point of a process: it gets the bytes that the process was started with and gives its exit
/// code.
#[macro_export]
macro_rules! main {
    ($start:path) => {
        #[polkavm_derive::polkavm_export]
        extern "C" fn main(arguments: usize, length: usize) -> i64 {
            let start: fn(&'static [u8]) -> i8 = $start;
            // SAFETY: the scheduler has put so many bytes above the stack of this process, which is not reused.
            let arguments = unsafe { core::slice::from_raw_parts(arguments as *const u8, length) };
            i64::from(start(arguments))
        }
    };
}

/// The id of this process. The root's is 0.
pub fn id() -> u64 {
    // SAFETY: the call takes no memory.
    unsafe { sys::process_id() as u64 }
}

/// The gas that all processes together have used so far.
pub fn gas() -> u64 {
    // SAFETY: the call takes no memory.
    unsafe { sys::process_gas() as u64 }
}

/// Ends this process.
pub fn exit(code: i8) -> ! {
    // SAFETY: the call takes no memory.
    unsafe { sys::process_exit(code as isize as usize) };
    guest::trap()
}
