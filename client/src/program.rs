//! A compiled program with the table that the host functions need.

use hatchery_engine::{CompileError, Engine, Module};
use hatchery_primitives::{MAX_SYSCALL_SYMBOL_LEN, SyscallSymbol};
use thiserror::Error;

/// A module, and its imports as the symbols that go to the runtime, so that a syscall finds its own by index.
#[derive(Debug)]
pub(crate) struct Program {
    module: Module,
    imports: Box<[SyscallSymbol]>,
}

impl Program {
    pub(crate) fn compile(engine: &Engine, code: &[u8]) -> Result<Self, ProgramError> {
        let module = engine.compile(code)?;
        let imports = module.imports().iter().enumerate().map(symbol_of_import).collect::<Result<_, _>>()?;
        Ok(Self { module, imports })
    }

    pub(crate) fn module(&self) -> &Module {
        &self.module
    }

    /// The symbol of the import with this index.
    pub(crate) fn import(&self, index: u32) -> Option<&SyscallSymbol> {
        self.imports.get(usize::try_from(index).ok()?)
    }

    /// The bytes of memory that this takes when all of its code has been reached.
    pub(crate) fn most_resident_bytes(&self) -> usize {
        size_of::<Self>() + self.module.most_resident_bytes() + size_of_val(&*self.imports)
    }
}

fn symbol_of_import((index, symbol): (usize, &Vec<u8>)) -> Result<SyscallSymbol, ProgramError> {
    SyscallSymbol::new(symbol).ok_or(ProgramError::SymbolTooLong { index, length: symbol.len() })
}

/// Why some bytes are not a program.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum ProgramError {
    /// The engine does not accept them.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// A symbol is too long for the buffer that syscalls are handed to the runtime in.
    #[error(
        "the symbol of import {index} has {length} bytes; a syscall's symbol has at most {MAX_SYSCALL_SYMBOL_LEN}"
    )]
    SymbolTooLong {
        /// Which import.
        index: usize,
        /// The length of its symbol in bytes.
        length: usize,
    },
}
