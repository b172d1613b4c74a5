//! Compiled programs.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use codec::Encode;

use crate::config::{Backend, Charge};
use crate::engine::{CompileError, Engine};
use crate::gas::{BlockCosts, Timeline};
use crate::instance::Instance;
use crate::interpreter::Regions;
use crate::isa::{Decoded, InstructionSet};
use crate::memory::{Image, MemoryMap};
use crate::program::{Code, Program, hash};
use crate::recompiler::Compiled;

/// A compiled program. Cheap to clone; clones, on whichever threads, share everything.
#[derive(Clone, Debug)]
pub struct Module {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) engine: Engine,
    pub(crate) code: Code,
    /// Where jumps may go, a bit for each byte of code.
    pub(crate) blocks: Box<[u64]>,
    pub(crate) regions: Regions,
    /// Whether both backends execute, and are compared.
    pub(crate) in_lock_step: bool,
    /// What is executed instead of `regions` if it is there.
    pub(crate) native: Option<Compiled>,
    pub(crate) image: Arc<Image>,
    code_hash: [u8; 32],
    key: OnceLock<[u8; 32]>,
    imports: Vec<Vec<u8>>,
    exports: BTreeMap<Vec<u8>, ProgramCounter>,
}

/// An offset into the code, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ProgramCounter(pub u32);

/// A basic block with its cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Block {
    /// Where it starts.
    pub pc: ProgramCounter,
    /// What entering it costs, in gas.
    pub cost: u32,
}

impl Module {
    pub(crate) fn new(engine: Engine, program: Program) -> Result<Self, CompileError> {
        let Program { memory, imports, exports, code, strict, code_hash } = program;
        let config = *engine.config();
        memory.check()?;
        let map = MemoryMap::new(memory.ro_size, memory.rw_size, memory.stack_size, memory.auxiliary_size)?;
        if map.declared_bytes() > config.memory_limit {
            return Err(CompileError::MemoryLimit {
                declared: map.declared_bytes(),
                limit: config.memory_limit,
            });
        }
        if strict && let Some(pc) = code.first_invalid() {
            return Err(CompileError::InvalidInstruction {
                pc,
                byte: code.byte(pc),
                set: code.instruction_set(),
            });
        }
        let blocks = code.block_starts();
        let regions =
            Regions::new(config.gas_model, config.charge, !config.portable_dispatch, &code, &blocks);
        let image = Arc::new(Image::new(map, &memory, config.memory_limit, config.faults_to_host));
        // Of exports with the same symbol the last counts.
        let exports = exports.into_iter().map(|export| (export.symbol, ProgramCounter(export.pc))).collect();
        let native = engine.inner.recompile(&code, &blocks)?;
        let in_lock_step = engine.config().backend == Backend::Verify;
        Ok(Self {
            inner: Arc::new(Inner {
                engine,
                code,
                blocks,
                regions,
                in_lock_step,
                native,
                image,
                code_hash,
                key: OnceLock::new(),
                imports,
                exports,
            }),
        })
    }

    /// A new instance, with the memory the program declares. Costs next to nothing: memory is shared until it is written.
    pub fn instantiate(&self) -> Instance {
        Instance::new(self.clone())
    }

    /// The engine that compiled it.
    pub fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    /// The instruction set.
    pub fn instruction_set(&self) -> InstructionSet {
        self.inner.code.instruction_set()
    }

    /// The code.
    pub fn code(&self) -> &Code {
        &self.inner.code
    }

    /// The Blake2b-256 hash of the bytes that it was compiled from: of the whole blob, as chains name code.
    pub fn code_hash(&self) -> [u8; 32] {
        self.inner.code_hash
    }

    /// What [`Snapshot`](crate::Snapshot)s of its instances name it by: a hash of everything that decides how they go on. That is the
    /// code hash, the instruction set and its encoding, initial memory, and of the engine's settings the gas model with its variant,
    /// when gas is charged, the memory limit, and whether page faults are the host's. It is the same for all backends.
    pub fn key(&self) -> [u8; 32] {
        *self.inner.key.get_or_init(|| {
            let Inner { engine, code, image, code_hash, .. } = &*self.inner;
            let config = engine.config();
            let map = &image.map;
            let [ro_data, rw_data] = image.data();
            (
                (b"hatchery module 1", code_hash, code.instruction_set().name(), config.gas_model.name()),
                (config.charge == Charge::Instruction, config.faults_to_host, config.memory_limit),
                [map.ro_data(), map.rw_data(), map.stack(), map.auxiliary()]
                    .map(|part| (part.start, part.end)),
                (map.heap_base(), map.max_heap_size(), ro_data, rw_data),
            )
                .using_encoded(hash)
        })
    }

    /// The layout of its memory.
    pub fn memory_map(&self) -> &MemoryMap {
        &self.inner.image.map
    }

    /// The symbols it calls the host by. `Exit::Syscall(n)` means the n-th.
    pub fn imports(&self) -> &[Vec<u8>] {
        &self.inner.imports
    }

    /// Where the export of this name starts; of several the last one listed.
    pub fn export(&self, symbol: &[u8]) -> Option<ProgramCounter> {
        self.inner.exports.get(symbol).copied()
    }

    /// The entry points in the order of their symbols.
    pub fn exports(&self) -> impl ExactSizeIterator<Item = (&[u8], ProgramCounter)> {
        self.inner.exports.iter().map(|(symbol, &pc)| (symbol.as_slice(), pc))
    }

    /// The instruction at `pc`.
    pub fn instruction_at(&self, pc: ProgramCounter) -> Decoded {
        self.inner.code.decode_at(pc.0)
    }

    /// The instructions in the order of the code.
    pub fn instructions(&self) -> impl Iterator<Item = Decoded> {
        let code = &self.inner.code;
        let mut next = code.next_start(0);
        core::iter::from_fn(move || {
            let decoded = code.decode_at(next?);
            next = code.next_start(decoded.next_pc);
            Some(decoded)
        })
    }

    /// The blocks that jumps can enter, with their costs, in the order of the code. Computes the costs anew.
    pub fn blocks(&self) -> impl Iterator<Item = Block> {
        let Inner { code, blocks, .. } = &*self.inner;
        let mut costs = BlockCosts::new(code.instruction_set(), self.engine().config().gas_model);
        let words = blocks.iter().copied().zip((0..).step_by(64));
        words
            .flat_map(|(mut word, first)| {
                core::iter::from_fn(move || {
                    let pc = (word != 0).then(|| first + word.trailing_zeros());
                    word &= word.wrapping_sub(1);
                    pc
                })
            })
            .map(move |pc| Block { pc: ProgramCounter(pc), cost: costs.cost_from(code, pc) })
    }

    /// How the pipeline model arrives at what executing from `pc` to the end of its block costs; none: the engine's gas model
    /// has no pipeline.
    pub fn timeline(&self, pc: ProgramCounter) -> Option<Timeline> {
        Timeline::new(&self.inner.code, self.engine().config().gas_model, pc.0)
    }

    /// Bytes of host memory that it takes at this moment. Operations are made as they are reached, so it grows, up to
    /// [`Module::most_resident_bytes`].
    pub fn resident_bytes(&self) -> usize {
        self.fixed_bytes() + self.inner.regions.resident_bytes()
    }

    /// Bytes of host memory that it takes at most, when all of its code has been reached. Takes time linear in the length of
    /// the code.
    pub fn most_resident_bytes(&self) -> usize {
        self.fixed_bytes() + self.inner.regions.most_resident_bytes(&self.inner.code)
    }

    fn fixed_bytes(&self) -> usize {
        let Inner { code, blocks, image, imports, exports, native, .. } = &*self.inner;
        // An entry of a list or map is some sixty bytes beside its symbol.
        let symbols: usize = imports.iter().chain(exports.keys()).map(|symbol| symbol.len() + 64).sum();
        let native = native.as_ref().map_or(0, Compiled::resident_bytes);
        size_of::<Inner>()
            + native
            + code.resident_bytes()
            + blocks.len() * 8
            + image.resident_bytes()
            + symbols
    }
}
