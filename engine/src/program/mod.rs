//! Program formats: from bytes to a [`Program`].
//!
//! Three containers are known: the PolkaVM blob ([`Program::from_polkavm`]), the JAM standard program
//! ([`Program::from_standard`]) and the raw JAM triple of jump table, code and bitmask ([`Program::from_raw`]). Decoding is
//! total: any byte string gives a program or an error that says which section is wrong, where and why. It takes time linear in
//! the length of the input.

mod code;
mod debug;
mod polkavm;
mod raw;
mod reader;
mod sections;
mod standard;

pub(crate) use code::Outline;
pub use code::{Code, CodeError};
pub use debug::{DebugInfo, Frame};
pub use reader::Section;
pub use sections::SectionSpan;
pub use standard::ARGUMENTS_SIZE;

/// The largest code of a program in bytes (32 MiB, as polkavm).
pub const MAX_CODE_SIZE: u32 = 32 * 1024 * 1024;
/// The largest number of entries of a jump table (as polkavm).
pub const MAX_JUMP_TABLE_ENTRIES: u32 = 16 * 1024 * 1024;
/// The largest number of imports of a program (as polkavm).
pub const MAX_IMPORTS: u32 = 1024;

/// A program taken apart, not yet compiled.
#[derive(Clone, Debug)]
pub struct Program {
    /// Sizes and contents of its memory.
    pub memory: MemoryConfig,
    /// The symbols it calls the host by, in the order of their numbers.
    pub imports: Vec<Vec<u8>>,
    /// Where it can be entered. Symbols can repeat: the last one counts.
    pub exports: Vec<Export>,
    /// Code, bitmask and jump table.
    pub code: Code,
    /// Whether every instruction must be valid for the program to compile (JamV1 containers) or an invalid one traps
    /// when it is reached (all others).
    pub strict: bool,
    /// The Blake2b-256 hash of the bytes that it was decoded from.
    pub code_hash: [u8; 32],
}

/// The Blake2b-256 hash of these bytes.
pub(crate) fn hash(bytes: &[u8]) -> [u8; 32] {
    let hash = blake2b_simd::Params::new().hash_length(32).hash(bytes);
    let mut array = [0; 32];
    array.copy_from_slice(hash.as_bytes());
    array
}

/// An entry point.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Export {
    /// Its name, any bytes.
    pub symbol: Vec<u8>,
    /// Where it starts in the code.
    pub pc: u32,
}

/// What memory a program declares, in bytes.
#[derive(Clone, Default, Debug)]
pub struct MemoryConfig {
    /// Contents of the read-only section; what is missing up to its size is zero.
    pub ro_data: Vec<u8>,
    /// Size of the read-only section.
    pub ro_size: u32,
    /// Contents of the read-write section; what is missing up to its size is zero.
    pub rw_data: Vec<u8>,
    /// Size of the read-write section.
    pub rw_size: u32,
    /// Size of the stack.
    pub stack_size: u32,
    /// Space for data that its host gives it to read.
    pub auxiliary_size: u32,
}

impl MemoryConfig {
    /// Checks that no section has more contents than its size.
    pub(crate) fn check(&self) -> Result<(), ProgramError> {
        for (section, data, declared) in [
            (Section::ReadOnlyData, &self.ro_data, self.ro_size),
            (Section::ReadWriteData, &self.rw_data, self.rw_size),
        ] {
            if data.len() > declared as usize {
                return Err(ProgramError::DataSize { section, declared, actual: data.len() });
            }
        }
        Ok(())
    }
}

/// Why bytes are not a program. Offsets count from the start of the bytes.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProgramError {
    /// The bytes do not begin with `PVM\0`.
    #[error("not a PolkaVM program: it does not begin with the bytes `PVM\\0`")]
    Magic,
    /// The version byte names no known instruction set.
    #[error("version {version} at offset 4 is unknown (known: 0 ReviveV1, 1 Latest32, 2 Latest64, 3 JamV1)")]
    Version {
        /// The byte.
        version: u8,
    },
    /// The length in the header is not the length of the bytes.
    #[error("the header says {declared} bytes, there are {actual}")]
    Length {
        /// What the header says.
        declared: u64,
        /// How many bytes there are.
        actual: u64,
    },
    /// The bytes end inside something.
    #[error("{section}: the bytes end at offset {offset}, {missing} more are needed")]
    Truncated {
        /// Where.
        section: Section,
        /// Offset of what cannot be read.
        offset: usize,
        /// How many bytes are missing.
        missing: usize,
    },
    /// A number of variable length takes more than 32 bits.
    #[error("{section}: the number at offset {offset} takes more than 32 bits")]
    Varint {
        /// Where.
        section: Section,
        /// Offset of the number.
        offset: usize,
    },
    /// A section with an unknown number that must not be skipped, or one out of order.
    #[error("the section {id} at offset {offset} is unknown or out of order")]
    UnexpectedSection {
        /// The number.
        id: u8,
        /// Its offset.
        offset: usize,
    },
    /// A section has more bytes than its contents take.
    #[error("{section}: it says {declared} bytes, its contents take {actual}")]
    SectionLength {
        /// Which.
        section: Section,
        /// What its header says.
        declared: usize,
        /// What its contents take.
        actual: usize,
    },
    /// The contents of a data section exceed the size it declares.
    #[error("{section}: {actual} bytes of contents exceed the declared size of {declared}")]
    DataSize {
        /// Which.
        section: Section,
        /// The declared size.
        declared: u32,
        /// The size of the contents.
        actual: usize,
    },
    /// A count or size is above its limit.
    #[error("{section}: {value} exceeds the limit of {limit}")]
    Limit {
        /// Where.
        section: Section,
        /// The count or size.
        value: u64,
        /// The limit.
        limit: u64,
    },
    /// The symbol of an import lies outside of the symbol table.
    #[error("import {index}: its symbol is not inside the symbol table of {size} bytes")]
    ImportSymbol {
        /// Number of the import.
        index: u32,
        /// Size of the symbol table in bytes.
        size: usize,
    },
    /// The program has no code section.
    #[error("the program has no code")]
    NoCode,
    /// The code section is wrong.
    #[error(transparent)]
    Code(#[from] CodeError),
}
