//! A compiled program with the table that the host functions need.

use crate::metrics::Metrics;
use hatchery_engine::{CompileError, Engine, Module, isa::Opcode, memory::PAGE_SIZE};
use hatchery_primitives::{MAX_SYSCALL_SYMBOL_LEN, MemoryInfo, ModuleInfo, Refusal, SyscallSymbol};
use sha2::{Digest, Sha256};
use std::{fmt, ops::Range, sync::Arc};
use thiserror::Error;

/// The SHA-256 of some code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CodeHash(pub(crate) [u8; 32]);

impl CodeHash {
    pub(crate) fn of(code: &[u8]) -> Self {
        Self(Sha256::digest(code).into())
    }
}

impl fmt::Debug for CodeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A module, and its imports as the symbols that go to the runtime, so that a syscall finds its own by index.
pub(crate) struct Program {
    module: Module,
    imports: Box<[SyscallSymbol]>,
    hash: CodeHash,
    code_bytes: u32,
    can_grow: bool,
    metrics: Arc<Metrics>,
}

impl Program {
    /// What `code` is, or why it is no program. That this node cannot compile it is neither: it ends the runtime's call.
    pub(crate) fn compile(
        engine: &Engine,
        hash: CodeHash,
        code: &[u8],
        metrics: &Arc<Metrics>,
    ) -> Result<Self, ProgramError> {
        let module = engine.compile(code).map_err(|error| match error {
            CompileError::Host(error) => metrics.host_failure("compile a program", &error),
            error => error,
        })?;
        let imports = module.imports().iter().enumerate().map(symbol_of_import).collect::<Result<_, _>>()?;
        let code_bytes = u32::try_from(code.len()).unwrap_or(u32::MAX);
        let can_grow = module.instruction_set().contains(Opcode::Sbrk);
        Ok(Self { module, imports, hash, code_bytes, can_grow, metrics: metrics.clone() })
    }

    /// The hash of the code it was compiled from.
    pub(crate) fn hash(&self) -> CodeHash {
        self.hash
    }

    /// How long the code is that it was compiled from.
    pub(crate) fn code_bytes(&self) -> u32 {
        self.code_bytes
    }

    /// What a runtime is told about it, where an instance may have `most_memory_bytes`.
    pub(crate) fn info(&self, most_memory_bytes: u64) -> ModuleInfo {
        let map = self.module.memory_map();
        let bytes = |range: &Range<u32>| range.end - range.start;
        let (read_only, read_write, stack) = (map.ro_data(), map.rw_data(), map.stack());
        // A heap that ends inside a page takes all of it, and the data before the heap may have begun that page.
        let in_last_page = u64::from(read_write.end - map.heap_base());
        let pages = most_memory_bytes.saturating_sub(map.declared_bytes()) / u64::from(PAGE_SIZE);
        let heap_by_limit = pages * u64::from(PAGE_SIZE) + in_last_page;
        ModuleInfo {
            code_hash: self.hash.0,
            code_bytes: self.code_bytes,
            compile_cost: self.module.code().length(),
            memory: MemoryInfo {
                read_only_start: read_only.start,
                read_only_bytes: bytes(&read_only),
                read_write_start: read_write.start,
                read_write_bytes: bytes(&read_write),
                heap_start: map.heap_base(),
                heap_most_bytes: u32::try_from(heap_by_limit).unwrap_or(u32::MAX).min(map.max_heap_size()),
                stack_end: stack.end,
                stack_bytes: bytes(&stack),
            },
            exports: self.module.exports().map(|(symbol, _)| symbol.to_vec()).collect(),
            imports: self.module.imports().to_vec(),
        }
    }

    /// The pages that an instance has at first.
    pub(crate) fn declared_pages(&self) -> u64 {
        self.module.memory_map().declared_bytes().div_ceil(PAGE_SIZE.into())
    }

    /// Whether an instance can have more pages than it has at first.
    #[inline]
    pub(crate) fn can_grow(&self) -> bool {
        self.can_grow
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
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

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program").field("hash", &self.hash).finish_non_exhaustive()
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

impl ProgramError {
    /// What a runtime is told.
    pub(crate) fn refusal(&self) -> Refusal {
        match self {
            Self::Compile(CompileError::MemoryLimit { .. }) => Refusal::MemoryBytes,
            Self::Compile(_) | Self::SymbolTooLong { .. } => Refusal::InvalidProgram,
        }
    }
}
