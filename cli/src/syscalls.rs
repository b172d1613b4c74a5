//! The host's side of the calls that guests make: text and bytes out, bytes in.
//!
//! | symbol | what |
//! |---|---|
//! | `print(pointer, length)` | a line of text to the output; answers 0 |
//! | `write(pointer, length) -> count` | bytes to the output; answers how many were taken, perhaps not all |
//! | `read(pointer, length) -> count` | bytes of the input; answers how many there were, 0 at its end |
//!
//! Of pointers the low 32 bits count, as in memory accesses. All other symbols are unknown: the call is told, and answered
//! with 0 unless that is forbidden.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use hatchery_engine::{Instance, MemoryError, Reg};

use crate::text;

/// The most bytes moved at once, so that no guest decides how much memory the host takes.
const MOST_AT_ONCE: u64 = 64 * 1024;
/// How many calls of an unknown symbol are told one by one.
const TOLD: u64 = 3;

/// Answers a program's calls.
pub(crate) struct Syscalls<'a> {
    input: Option<&'a mut dyn Read>,
    output: &'a mut dyn Write,
    notes: &'a mut dyn Write,
    strict: bool,
    /// How often symbols were called that are not known.
    unknown: BTreeMap<String, u64>,
}

/// A part of memory that an answer wrote.
pub(crate) struct Written {
    pub(crate) address: u32,
    pub(crate) length: usize,
}

/// Why a call was not answered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SyscallError {
    /// The program's fault.
    #[error("the syscall {call} has a bad buffer: {problem}")]
    Buffer { call: String, problem: BufferProblem },
    /// Nobody's fault.
    #[error("the syscall {call} is not known")]
    Unknown { call: String },
    /// The host cannot read its input.
    #[error("cannot read standard input")]
    Input(#[source] io::Error),
    /// The host cannot write its output.
    #[error("cannot write the output")]
    Output(#[from] io::Error),
}

/// What is wrong with a buffer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BufferProblem {
    #[error(transparent)]
    Memory(#[from] MemoryError),
    #[error("it exceeds the address space")]
    TooLong,
}

impl<'a> Syscalls<'a> {
    /// Reads from `input`, which is empty if there is none, and tells what is not known to `notes`. `strict` makes unknown
    /// symbols errors.
    pub(crate) fn new(
        input: Option<&'a mut dyn Read>,
        output: &'a mut dyn Write,
        notes: &'a mut dyn Write,
        strict: bool,
    ) -> Self {
        Self { input, output, notes, strict, unknown: BTreeMap::new() }
    }

    /// Answers the call that an instance has stopped at: in a0, and in a part of its memory if there is something to write.
    pub(crate) fn answer(
        &mut self,
        instance: &mut Instance,
        number: u32,
    ) -> Result<Option<Written>, SyscallError> {
        let symbol = symbol(instance, number);
        let pointer = instance.reg(Reg::A0) as u32;
        let answer = match symbol.as_str() {
            "print" => self.print(&Buffer::of(instance, &symbol), instance)?,
            "write" => self.write(&Buffer::of(instance, &symbol), instance)?,
            "read" => self.read(&Buffer::of(instance, &symbol), instance)?,
            _ => self.unknown(&symbol, instance)?,
        };
        instance.set_reg(Reg::A0, answer);
        let has_written = symbol == "read" && answer > 0;
        Ok(has_written.then_some(Written { address: pointer, length: answer as usize }))
    }

    /// Flushes the output, and tells how often unknown symbols were called where not every call has been told.
    pub(crate) fn finish(self) -> io::Result<()> {
        self.output.flush()?;
        for (symbol, calls) in self.unknown.iter().filter(|(_, calls)| **calls > TOLD) {
            writeln!(self.notes, "note: unknown syscall `{symbol}`: answered with 0, {calls} times in all")?;
        }
        Ok(())
    }

    fn print(&mut self, buffer: &Buffer, instance: &Instance) -> Result<u64, SyscallError> {
        let mut done = 0;
        while done < buffer.length {
            let part = buffer.bytes_from(done, instance)?;
            self.output.write_all(&part)?;
            done += part.len() as u64;
        }
        self.output.write_all(b"\n")?;
        Ok(0)
    }

    fn write(&mut self, buffer: &Buffer, instance: &Instance) -> Result<u64, SyscallError> {
        let bytes = buffer.bytes_from(0, instance)?;
        self.output.write_all(&bytes)?;
        Ok(bytes.len() as u64)
    }

    fn read(&mut self, buffer: &Buffer, instance: &mut Instance) -> Result<u64, SyscallError> {
        let Some(input) = &mut self.input else { return Ok(0) };
        // Who is asked for input should have seen the output so far.
        self.output.flush()?;
        let mut bytes = vec![0; buffer.length.min(MOST_AT_ONCE) as usize];
        let count = loop {
            match input.read(&mut bytes) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result.map_err(SyscallError::Input)?,
            }
        };
        let written = instance.memory_mut().write(buffer.pointer, &bytes[..count]);
        written.map_err(|error| buffer.blame(error.into()))?;
        Ok(count as u64)
    }

    fn unknown(&mut self, symbol: &str, instance: &Instance) -> Result<u64, SyscallError> {
        let call = call(symbol, instance, &Reg::ARGUMENTS[..6]);
        if self.strict {
            return Err(SyscallError::Unknown { call });
        }
        let calls = self.unknown.entry(symbol.to_owned()).or_default();
        *calls += 1;
        if *calls <= TOLD {
            self.output.flush()?;
            let rest = if *calls == TOLD { "; further calls are only counted" } else { "" };
            writeln!(self.notes, "note: unknown syscall {call}: answered with 0{rest}")?;
        }
        Ok(0)
    }
}

/// The two arguments that name a part of memory.
struct Buffer {
    pointer: u32,
    length: u64,
    call: String,
}

impl Buffer {
    fn of(instance: &Instance, symbol: &str) -> Self {
        let (pointer, length) = (instance.reg(Reg::A0) as u32, instance.reg(Reg::A1));
        Self { pointer, length, call: call(symbol, instance, &[Reg::A0, Reg::A1]) }
    }

    /// As many of its bytes from `start` on as are moved at once.
    fn bytes_from(&self, start: u64, instance: &Instance) -> Result<Vec<u8>, SyscallError> {
        let address = u32::try_from(u64::from(self.pointer) + start);
        let address = address.map_err(|_| self.blame(BufferProblem::TooLong))?;
        let mut bytes = vec![0; (self.length - start).min(MOST_AT_ONCE) as usize];
        match instance.memory().read(address, &mut bytes) {
            Ok(()) => Ok(bytes),
            Err(error) => Err(self.blame(error.into())),
        }
    }

    fn blame(&self, problem: BufferProblem) -> SyscallError {
        SyscallError::Buffer { call: self.call.clone(), problem }
    }
}

/// The symbol of an import or, where the program has none, the number of the call.
fn symbol(instance: &Instance, number: u32) -> String {
    match instance.module().imports().get(number as usize) {
        Some(symbol) => text::symbol(symbol),
        None => format!("#{number}"),
    }
}

fn call(symbol: &str, instance: &Instance, arguments: &[Reg]) -> String {
    let arguments: Vec<String> =
        arguments.iter().map(|&reg| format!("{reg} = {:#x}", instance.reg(reg))).collect();
    format!("`{symbol}` ({})", arguments.join(", "))
}
