//! The PolkaVM container: `PVM\0`, a version byte, the length, then sections in ascending order.

use super::reader::{Reader, Section};
use super::{Code, Export, MAX_IMPORTS, MemoryConfig, Program, ProgramError, hash};
use crate::isa::InstructionSet;

pub(super) const MAGIC: &[u8; 4] = b"PVM\0";
/// Bytes of the version and the length, which follow.
pub(super) const VERSION_AND_LENGTH: usize = 1 + 8;

/// Numbers of the sections, in the order in which they must come.
pub(super) mod id {
    pub(in crate::program) const END: u8 = 0;
    pub(in crate::program) const MEMORY_CONFIG: u8 = 1;
    pub(in crate::program) const RO_DATA: u8 = 2;
    pub(in crate::program) const RW_DATA: u8 = 3;
    pub(in crate::program) const IMPORTS: u8 = 4;
    pub(in crate::program) const EXPORTS: u8 = 5;
    pub(in crate::program) const CODE_AND_JUMP_TABLE: u8 = 6;
    /// Sections with this bit may be skipped by who does not know them (debug information, metadata hash).
    pub(in crate::program) const OPTIONAL: u8 = 0x80;
}

impl Program {
    /// Decodes a PolkaVM container. `latest64` is what version byte 2 means, of which the format cannot tell:
    /// [`InstructionSet::Latest64Bitmask`] up to polkavm-linker 0.35, [`InstructionSet::Latest64Extended`] from 0.37 on.
    ///
    /// What polkavm 0.33 accepts is accepted and means the same, malformed parts that it ignores included: the list of
    /// exports ends silently at its first malformed entry, bytes behind the end marker do not count.
    ///
    /// # Errors
    /// If the bytes are not such a container, with the section, the offset and the reason. Imports whose symbol lies
    /// outside of the symbol table are errors too.
    pub fn from_polkavm(bytes: &[u8], latest64: InstructionSet) -> Result<Self, ProgramError> {
        if !bytes.starts_with(MAGIC) {
            return Err(ProgramError::Magic);
        }
        let mut r = Reader::new(bytes, 0, Section::Header);
        r.take(MAGIC.len())?;
        let version = r.byte()?;
        let (instruction_set, strict) = match version {
            0 => (InstructionSet::ReviveV1, false),
            1 => (InstructionSet::Latest32, false),
            2 => (latest64, false),
            3 => (InstructionSet::JamV1, true),
            _ => return Err(ProgramError::Version { version }),
        };
        let mut length = [0; 8];
        length.copy_from_slice(r.take(8)?);
        let declared = u64::from_le_bytes(length);
        if declared != bytes.len() as u64 {
            return Err(ProgramError::Length { declared, actual: bytes.len() as u64 });
        }

        let mut next = r.byte()?;
        let mut memory = MemoryConfig::default();
        if let Some(mut s) = section(&mut r, &mut next, id::MEMORY_CONFIG, Section::MemoryConfig)? {
            memory.ro_size = s.varint()?;
            memory.rw_size = s.varint()?;
            memory.stack_size = s.varint()?;
            if s.remaining() != 0 {
                return Err(ProgramError::SectionLength {
                    section: s.section,
                    declared: s.bytes.len(),
                    actual: s.position,
                });
            }
        }
        if let Some(s) = section(&mut r, &mut next, id::RO_DATA, Section::ReadOnlyData)? {
            memory.ro_data = s.bytes.to_vec();
        }
        if let Some(s) = section(&mut r, &mut next, id::RW_DATA, Section::ReadWriteData)? {
            memory.rw_data = s.bytes.to_vec();
        }
        memory.check()?;
        let imports = match section(&mut r, &mut next, id::IMPORTS, Section::Imports)? {
            Some(s) => imports(s)?,
            None => Vec::new(),
        };
        let exports = match section(&mut r, &mut next, id::EXPORTS, Section::Exports)? {
            Some(s) => exports(s),
            None => Vec::new(),
        };
        let code = section(&mut r, &mut next, id::CODE_AND_JUMP_TABLE, Section::Code)?
            .filter(|s| !s.bytes.is_empty())
            .ok_or(ProgramError::NoCode)?;
        let code = Code::decode(instruction_set, code)?;
        while next & id::OPTIONAL != 0 {
            let expected = next;
            section(&mut r, &mut next, expected, Section::Optional)?;
        }
        if next != id::END {
            return Err(ProgramError::UnexpectedSection { id: next, offset: r.offset() - 1 });
        }
        Ok(Self { memory, imports, exports, code, strict, code_hash: hash(bytes) })
    }
}

/// The section `wanted` if it is the next one, leaving the number of the section behind it in `next`.
fn section<'a>(
    r: &mut Reader<'a>,
    next: &mut u8,
    wanted: u8,
    section: Section,
) -> Result<Option<Reader<'a>>, ProgramError> {
    if *next != wanted {
        return Ok(None);
    }
    r.section = section;
    let length = r.varint()? as usize;
    let base = r.offset();
    let contents = r.take(length)?;
    r.section = Section::Header;
    *next = r.byte()?;
    Ok(Some(Reader::new(contents, base, section)))
}

/// A count, as many offsets into the symbol table, the symbol table. A symbol ends where the next one starts.
fn imports(mut s: Reader<'_>) -> Result<Vec<Vec<u8>>, ProgramError> {
    let count = s.varint()?;
    if count > MAX_IMPORTS {
        return Err(ProgramError::Limit {
            section: s.section,
            value: count.into(),
            limit: MAX_IMPORTS.into(),
        });
    }
    let offsets: Vec<usize> = s
        .take(count as usize * 4)?
        .chunks_exact(4)
        .map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]) as usize)
        .collect();
    let symbols = s.take(s.remaining())?;
    (0..count)
        .map(|index| {
            let start = offsets[index as usize];
            let end = offsets.get(index as usize + 1).copied().unwrap_or(symbols.len());
            let symbol = symbols.get(start..end);
            symbol.map(<[u8]>::to_vec).ok_or(ProgramError::ImportSymbol { index, size: symbols.len() })
        })
        .collect()
}

/// A count, then for each export its pc, the length of its symbol and the symbol.
fn exports(mut s: Reader<'_>) -> Vec<Export> {
    let mut exports = Vec::new();
    let Ok(count) = s.varint() else { return exports };
    for _ in 0..count {
        let mut entry = || -> Result<Export, ProgramError> {
            let pc = s.varint()?;
            let length = s.varint()? as usize;
            Ok(Export { pc, symbol: s.take(length)?.to_vec() })
        };
        match entry() {
            Ok(export) => exports.push(export),
            Err(_) => break,
        }
    }
    exports
}
