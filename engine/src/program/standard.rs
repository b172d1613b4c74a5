//! The JAM standard program (SPI): sizes, data, then a raw program.

use super::reader::{Reader, Section};
use super::{Code, MemoryConfig, Program, ProgramError, hash};
use crate::isa::InstructionSet;
use crate::memory::PAGE_SIZE;

/// Space for the arguments of a standard program, in bytes (the Gray Paper's Z_I).
pub const ARGUMENTS_SIZE: u32 = 1 << 24;

impl Program {
    /// Decodes a JAM standard program (Gray Paper, appendix A.7) for the given instruction set.
    ///
    /// Its heap begins behind as many pages of zeros as it asks for; there is space for [`ARGUMENTS_SIZE`] bytes of arguments,
    /// see [`Instance::prepare_standard`](crate::Instance::prepare_standard). Its invalid instructions trap when they are
    /// reached.
    ///
    /// # Errors
    /// If the bytes are not such a program, with the offset and the reason.
    pub fn from_standard(bytes: &[u8], instruction_set: InstructionSet) -> Result<Self, ProgramError> {
        let mut r = Reader::new(bytes, 0, Section::Header);
        let ro_size = r.fixed(3)?;
        let rw_length = r.fixed(3)?;
        let heap_pages = r.fixed(2)?;
        let stack_size = r.fixed(3)?;
        r.section = Section::ReadOnlyData;
        let ro_data = r.take(ro_size as usize)?.to_vec();
        r.section = Section::ReadWriteData;
        let rw_data = r.take(rw_length as usize)?.to_vec();
        r.section = Section::Code;
        let length = r.fixed(4)? as usize;
        let base = r.offset();
        let code = Reader::new(r.take(length)?, base, Section::Code);
        if r.remaining() != 0 {
            return Err(ProgramError::SectionLength {
                section: Section::Code,
                declared: length,
                actual: length + r.remaining(),
            });
        }
        let code = Code::decode(instruction_set, code)?;
        // At most 16 MiB and 256 MiB.
        let rw_size = rw_length.next_multiple_of(PAGE_SIZE) + heap_pages * PAGE_SIZE;
        let auxiliary_size = ARGUMENTS_SIZE;
        let memory = MemoryConfig { ro_data, ro_size, rw_data, rw_size, stack_size, auxiliary_size };
        let code_hash = hash(bytes);
        Ok(Self { memory, imports: Vec::new(), exports: Vec::new(), code, strict: false, code_hash })
    }
}
