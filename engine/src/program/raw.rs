//! The raw JAM program: jump table, code and bitmask, without memory, imports or exports.

use super::reader::{Reader, Section};
use super::{Code, MemoryConfig, Program, ProgramError, hash};
use crate::isa::InstructionSet;

impl Program {
    /// Decodes a raw JAM program (Gray Paper, appendix A.2, `deblob`) for the given instruction set.
    ///
    /// Its invalid instructions trap when they are reached, whatever the set.
    ///
    /// # Errors
    /// If the bytes are not such a program, with the offset and the reason.
    pub fn from_raw(bytes: &[u8], instruction_set: InstructionSet) -> Result<Self, ProgramError> {
        let code = Code::decode(instruction_set, Reader::new(bytes, 0, Section::Code))?;
        Ok(Self {
            memory: MemoryConfig::default(),
            imports: Vec::new(),
            exports: Vec::new(),
            code,
            strict: false,
            code_hash: hash(bytes),
        })
    }
}
