//! Guests that print, read and write.

use super::{
    super::virtualization::Execution,
    driver::{drive, instantiate, memory_failure},
};
use crate::outcome::{Call, Console, End, Run, Syscall};
use alloc::{vec, vec::Vec};

/// Bytes that one `read` gives at most: few, so that guests have to ask again.
const READ_AT_MOST: usize = 700;

/// Bytes that one syscall may point to; a guest could name 2^64.
const LONGEST: u64 = 1 << 16;

/// Calls an export whose guest may use the syscalls `print`, `read` and `write` of the guests' support crate, and `nothing` and
/// `six`, which are answered with 7 and with a number made of all six arguments.
pub fn console(program: Vec<u8>, call: Call, input: Vec<u8>) -> Console {
    let mut rest = input.as_slice();
    let mut output = Vec::new();
    let handler = |execution: &mut Execution, syscall: &Syscall, _: &mut u64| {
        let [pointer, length, ..] = syscall.arguments;
        match syscall.symbol.as_slice() {
            b"print" => {
                output.extend(read(execution, pointer, length)?);
                output.push(b'\n');
                Ok(0)
            }
            b"write" => {
                output.extend(read(execution, pointer, length)?);
                Ok(length)
            }
            b"read" => {
                let count = rest.len().min(length.min(LONGEST) as usize).min(READ_AT_MOST);
                let (bytes, left) = rest.split_at(count);
                execution
                    .write_memory(pointer as u32, bytes)
                    .map_err(|error| End::BadPointer(memory_failure(error)))?;
                rest = left;
                Ok(count as u64)
            }
            b"nothing" => Ok(7),
            b"six" => Ok(syscall.arguments.iter().fold(0, |sum, argument| sum * 10 + argument)),
            _ => Err(End::UnknownSyscall),
        }
    };
    let run = match instantiate(&program) {
        Ok(instance) => drive(instance, &call, &mut 0, handler).0,
        Err(end) => Run { end, gas_left: None, counter: 0, syscalls: Vec::new() },
    };
    Console { run, output }
}

fn read(execution: &mut Execution, pointer: u64, length: u64) -> Result<Vec<u8>, End> {
    let mut bytes = vec![0; length.min(LONGEST) as usize];
    execution
        .read_memory(pointer as u32, &mut bytes)
        .map_err(|error| End::BadPointer(memory_failure(error)))?;
    Ok(bytes)
}
