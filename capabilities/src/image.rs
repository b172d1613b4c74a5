//! Images: programs with what a machine has to know to make instances of them.

use codec::{Decode, Encode};
use hatchery_engine::memory::{LOWEST_ADDRESS, PAGE_SIZE};
use hatchery_engine::program::{Code, MAX_CODE_SIZE, MemoryConfig, Program, ProgramError};
use hatchery_engine::{CompileError, Engine, GasModel, InstructionSet, Module};

use crate::cnode::{MAX_SIZE_LOG, ROOT_SIZE_LOG, SlotPath};
use crate::hash::{self, CapHash, Chunk};

/// The most endpoints of an image.
pub const MAX_ENDPOINTS: usize = 64;
/// The most mappings of an image.
pub const MAX_MAPPINGS: usize = 64;
/// The most gas slots and the most quota slots of an image.
pub const MAX_METER_SLOTS: usize = 8;
/// The most bytes in the name of an endpoint.
pub const MAX_NAME: usize = 32;
/// The most entries of the jump table of an image.
pub const MAX_JUMP_TABLE: usize = 1 << 20;
/// The most bytes that the mappings of an image cover: 1 GiB.
pub const MAX_MEMORY: u64 = 1 << 30;
/// End of the addresses that can be mapped.
const MEMORY_END: u64 = 0xffff_0000;
/// The most registers that a caller fills: `a0` to `a3`.
pub const MAX_ARGUMENTS: u8 = 4;

/// A program: code, where it can be entered, what lies in its memory, and what lies in the slots of its instances.
///
/// Code is of JAM's instruction set ([`InstructionSet::JamV1`]), all of it valid. Operations of the machine are `ecalli` with the numbers in
/// [`Operation`](crate::Operation).
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Image {
    /// The instruction set.
    pub instruction_set: CodeSet,
    /// What its blocks cost.
    pub gas_profile: GasProfile,
    /// Instructions.
    pub code: Vec<u8>,
    /// A bit for each byte of `code`, lowest first: whether an instruction starts there.
    pub bitmask: Vec<u8>,
    /// Where indirect jumps can go: offsets into `code`.
    pub jump_table: Vec<u32>,
    /// Where it can be entered, by number.
    pub endpoints: Vec<Endpoint>,
    /// What its memory consists of, in ascending order.
    pub mappings: Vec<Mapping>,
    /// Slots of gas meters, from which its instances spend, the first one first. If none of them holds a meter, they spend
    /// what their caller spends.
    pub gas_slots: Vec<u8>,
    /// Slots of storage quotas at whose expense its instances store.
    pub quota_slots: Vec<u8>,
    /// What lies in slots that nothing can change.
    pub pinned: Vec<SlotContent>,
    /// What lies in slots of a new instance.
    pub initial: Vec<SlotContent>,
    /// The slot of a catcher: yields whose markers are registered for it end at instances of this image.
    pub yield_marker_slot: Option<u8>,
}

/// The instruction sets that images can have. There is one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub enum CodeSet {
    /// [`InstructionSet::JamV1`].
    #[codec(index = 1)]
    JamV1,
}

/// What the blocks of an image cost: a model of [`GasModel::NAMED`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Encode, Decode)]
pub struct GasProfile(u8);

/// A place at which an instance can be called.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Endpoint {
    /// What people call it; may be empty.
    pub name: Vec<u8>,
    /// Offset into the code.
    pub entry_pc: u32,
    /// How many registers from `a0` on the caller fills, at most four.
    pub argument_registers: u8,
    /// If given, slot 0 must hold a node of `2^n` slots.
    pub argument_cnode: Option<u8>,
    /// The other registers, and what the instance has not changed so far.
    pub initial_regs: [u64; 13],
}

/// Part of an instance's memory.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Mapping {
    /// Its address.
    pub start: u32,
    /// Its length in bytes.
    pub size: u32,
    /// Where the data capability lies that it shows; zeros where that ends or if there is none. Read-only if the slot is pinned.
    pub source: SlotPath,
}

/// What lies in a slot of the root node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct SlotContent {
    /// The slot, not 0.
    pub slot: u8,
    /// What lies there.
    pub cap: CapHash,
}

/// A rule that an image breaks.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// There is too much of something.
    #[error("{what}: {count} exceed the limit of {limit}")]
    Limit {
        /// What.
        what: &'static str,
        /// How many there are.
        count: u64,
        /// How many there may be.
        limit: u64,
    },
    /// Code, bitmask or jump table do not go together.
    #[error(transparent)]
    Code(#[from] ProgramError),
    /// The code does not compile.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// No gas model has this number.
    #[error("gas profile {number} is unknown: there are {}", GasModel::NAMED.len())]
    GasProfile {
        /// The number.
        number: u8,
    },
    /// An endpoint is wrong.
    #[error("endpoint {index}: {problem}")]
    Endpoint {
        /// Its number.
        index: usize,
        /// What is wrong.
        problem: String,
    },
    /// A mapping is wrong.
    #[error("mapping {index} at {start:#010x} ({size} bytes): {problem}")]
    Mapping {
        /// Its number.
        index: usize,
        /// Its address.
        start: u32,
        /// Its length in bytes.
        size: u32,
        /// What is wrong.
        problem: &'static str,
    },
    /// A slot cannot be what it is to be.
    #[error("slot {slot} as {role}: {problem}")]
    Slot {
        /// The slot.
        slot: u8,
        /// What it is to be.
        role: &'static str,
        /// What is wrong.
        problem: &'static str,
    },
}

impl GasProfile {
    /// The profile of a model.
    ///
    /// # Errors
    /// If the model has no name, see [`GasModel::NAMED`].
    pub fn new(model: GasModel) -> Result<Self, ImageError> {
        let number = GasModel::NAMED.iter().position(|(_, named)| *named == model);
        number.map(|number| Self(number as u8)).ok_or(ImageError::GasProfile { number: u8::MAX })
    }

    /// The model.
    ///
    /// # Errors
    /// If it is unknown.
    pub fn model(self) -> Result<GasModel, ImageError> {
        let named = GasModel::NAMED.get(usize::from(self.0));
        named.map(|(_, model)| *model).ok_or(ImageError::GasProfile { number: self.0 })
    }
}

impl Default for GasProfile {
    /// [`GasModel::PIPELINE_L2`].
    fn default() -> Self {
        Self(2)
    }
}

impl Endpoint {
    /// An endpoint without a name, whose four argument registers the caller fills.
    pub const fn at(entry_pc: u32) -> Self {
        Self {
            name: Vec::new(),
            entry_pc,
            argument_registers: MAX_ARGUMENTS,
            argument_cnode: None,
            initial_regs: [0; 13],
        }
    }
}

impl Mapping {
    /// Its end.
    pub const fn end(&self) -> u64 {
        self.start as u64 + self.size as u64
    }

    /// Its pages, by number.
    pub fn pages(&self) -> core::ops::Range<u32> {
        self.start / PAGE_SIZE..(self.end() / u64::from(PAGE_SIZE)) as u32
    }
}

impl Image {
    /// An image of nothing but code, whose one endpoint is its beginning.
    pub fn from_code(code: Vec<u8>, bitmask: Vec<u8>) -> Self {
        Self {
            instruction_set: CodeSet::JamV1,
            gas_profile: GasProfile::default(),
            code,
            bitmask,
            jump_table: Vec::new(),
            endpoints: vec![Endpoint::at(0)],
            mappings: Vec::new(),
            gas_slots: Vec::new(),
            quota_slots: Vec::new(),
            pinned: Vec::new(),
            initial: Vec::new(),
            yield_marker_slot: None,
        }
    }

    /// End of its highest mapping.
    pub fn mem_size(&self) -> u32 {
        self.mappings.iter().map(|mapping| mapping.end() as u32).max().unwrap_or(0)
    }

    /// What is pinned in a slot, if anything.
    pub fn pinned(&self, slot: u16) -> Option<CapHash> {
        content(&self.pinned, slot)
    }

    /// What lies in a slot at first, if anything.
    pub fn initial(&self, slot: u16) -> Option<CapHash> {
        content(&self.initial, slot)
    }

    /// Whether its instances cannot write what a mapping shows.
    pub fn is_read_only(&self, mapping: &Mapping) -> bool {
        self.pinned(mapping.source.first()).is_some()
    }

    /// The number of the endpoint that people call so.
    pub fn endpoint(&self, name: &[u8]) -> Option<u8> {
        self.endpoints.iter().position(|endpoint| endpoint.name == name).map(|index| index as u8)
    }

    /// Checks all rules but the validity of the code, which [`Image::compile`] checks.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check(&self) -> Result<(), ImageError> {
        limit("bytes of code", self.code.len(), MAX_CODE_SIZE as usize)?;
        limit("bytes of the bitmask", self.bitmask.len(), (MAX_CODE_SIZE as usize).div_ceil(8))?;
        limit("jump table entries", self.jump_table.len(), MAX_JUMP_TABLE)?;
        limit("endpoints", self.endpoints.len(), MAX_ENDPOINTS)?;
        limit("mappings", self.mappings.len(), MAX_MAPPINGS)?;
        limit("gas slots", self.gas_slots.len(), MAX_METER_SLOTS)?;
        limit("quota slots", self.quota_slots.len(), MAX_METER_SLOTS)?;
        self.gas_profile.model()?;
        for (index, endpoint) in self.endpoints.iter().enumerate() {
            endpoint.check(self.code.len()).map_err(|problem| ImageError::Endpoint { index, problem })?;
        }
        self.check_mappings()?;
        self.check_slots()
    }

    fn check_mappings(&self) -> Result<(), ImageError> {
        let mut next = u64::from(LOWEST_ADDRESS);
        let mut total = 0;
        for (index, mapping) in self.mappings.iter().enumerate() {
            let &Mapping { start, size, source } = mapping;
            let problem = if start % PAGE_SIZE != 0 || size % PAGE_SIZE != 0 || size == 0 {
                "it is not whole pages of 4096 bytes"
            } else if start < LOWEST_ADDRESS {
                "it lies below 0x10000"
            } else if u64::from(start) < next {
                "it overlaps the one before or is out of order"
            } else if mapping.end() > MEMORY_END {
                "it exceeds the end of memory, 0xffff0000"
            } else if source.first() == 0 {
                "its source is slot 0, which changes hands at every call"
            } else {
                next = mapping.end();
                total += u64::from(size);
                continue;
            };
            return Err(ImageError::Mapping { index, start, size, problem });
        }
        limit("bytes of memory", total as usize, MAX_MEMORY as usize)
    }

    fn check_slots(&self) -> Result<(), ImageError> {
        let mut taken = [false; 1 << ROOT_SIZE_LOG];
        for (role, contents) in [("pinned", &self.pinned), ("initial", &self.initial)] {
            let mut next = 0;
            for &SlotContent { slot, .. } in contents {
                let wrong = |problem| Err(ImageError::Slot { slot, role, problem });
                if slot == 0 {
                    return wrong("slot 0 changes hands at every call");
                }
                if u16::from(slot) < next {
                    return wrong("it is out of order");
                }
                if taken[usize::from(slot)] {
                    return wrong("it is pinned, too");
                }
                taken[usize::from(slot)] = true;
                next = u16::from(slot) + 1;
            }
        }
        let named = [("a gas slot", &self.gas_slots[..]), ("a quota slot", &self.quota_slots[..])];
        for (role, slots) in named {
            for (index, &slot) in slots.iter().enumerate() {
                let wrong = |problem| Err(ImageError::Slot { slot, role, problem });
                if slot == 0 {
                    return wrong("slot 0 changes hands at every call");
                }
                if slots[..index].contains(&slot) {
                    return wrong("it is listed twice");
                }
            }
        }
        match self.yield_marker_slot {
            Some(0) => Err(ImageError::Slot {
                slot: 0,
                role: "the slot of the catcher",
                problem: "slot 0 changes hands at every call",
            }),
            _ => Ok(()),
        }
    }

    /// Compiles the code, with memory as the caller has it.
    ///
    /// # Errors
    /// If code, bitmask and jump table do not go together, or an instruction is invalid.
    pub fn compile(&self, engine: &Engine, memory: MemoryConfig) -> Result<Module, ImageError> {
        let jump_table: Vec<u8> = self.jump_table.iter().flat_map(|entry| entry.to_le_bytes()).collect();
        let code = Code::new(InstructionSet::JamV1, &self.code, &self.bitmask, &jump_table, 4)?;
        let program = Program {
            memory,
            imports: Vec::new(),
            exports: Vec::new(),
            code,
            strict: true,
            code_hash: [0; 32],
        };
        Ok(engine.compile_program(program)?)
    }

    pub(crate) fn weight(&self) -> usize {
        self.code.len() * 9 / 8 + self.jump_table.len() * 4 + 1000
    }

    pub(crate) fn tree_root(&self) -> Chunk {
        let jump_table: Vec<u8> = self.jump_table.iter().flat_map(|entry| entry.to_le_bytes()).collect();
        let jump_table =
            hash::vector(&[hash::packed(&jump_table, 17), hash::number(self.jump_table.len() as u64)], 1);
        let endpoints: Vec<Chunk> = self.endpoints.iter().map(Endpoint::tree_root).collect();
        let mappings: Vec<Chunk> = self.mappings.iter().map(Mapping::tree_root).collect();
        let contents = |slots: &[SlotContent]| {
            let roots: Vec<Chunk> =
                slots.iter().map(|s| hash::vector(&[hash::number(s.slot.into()), s.cap.0], 1)).collect();
            hash::list(&roots, ROOT_SIZE_LOG.into())
        };
        let marker = self.yield_marker_slot.map(|slot| hash::number(slot.into()));
        hash::vector(
            &[
                hash::number(self.instruction_set as u64 + 1),
                hash::number(self.gas_profile.0.into()),
                hash::bytes(&self.code, 20),
                hash::bytes(&self.bitmask, 17),
                jump_table,
                hash::list(&endpoints, 6),
                hash::list(&mappings, 6),
                hash::bytes(&self.gas_slots, 0),
                hash::bytes(&self.quota_slots, 0),
                contents(&self.pinned),
                contents(&self.initial),
                hash::union(marker.unwrap_or_default(), marker.is_some().into()),
            ],
            4,
        )
    }
}

impl Endpoint {
    fn check(&self, code: usize) -> Result<(), String> {
        if self.name.len() > MAX_NAME {
            return Err(format!("its name has {} bytes, at most {MAX_NAME} are possible", self.name.len()));
        }
        if self.entry_pc as usize >= code {
            return Err(format!("its entry {:#x} is behind the code, which has {code} bytes", self.entry_pc));
        }
        if self.argument_registers > MAX_ARGUMENTS {
            return Err(format!(
                "{} argument registers: at most {MAX_ARGUMENTS} are possible",
                self.argument_registers
            ));
        }
        match self.argument_cnode {
            Some(size_log) if size_log > MAX_SIZE_LOG => {
                Err(format!("it wants a node of 2^{size_log} slots: at most 2^16 are possible"))
            }
            _ => Ok(()),
        }
    }

    fn tree_root(&self) -> Chunk {
        let regs: Vec<u8> = self.initial_regs.iter().flat_map(|reg| reg.to_le_bytes()).collect();
        let cnode = self.argument_cnode.map(|size| hash::number(size.into()));
        hash::vector(
            &[
                hash::bytes(&self.name, 0),
                hash::number(self.entry_pc.into()),
                hash::number(self.argument_registers.into()),
                hash::union(cnode.unwrap_or_default(), cnode.is_some().into()),
                hash::packed(&regs, 2),
            ],
            3,
        )
    }
}

impl Mapping {
    fn tree_root(&self) -> Chunk {
        hash::vector(
            &[hash::number(self.start.into()), hash::number(self.size.into()), self.source.tree_root()],
            2,
        )
    }
}

fn content(slots: &[SlotContent], slot: u16) -> Option<CapHash> {
    let slot = u8::try_from(slot).ok()?;
    slots.binary_search_by_key(&slot, |content| content.slot).ok().map(|at| slots[at].cap)
}

fn limit(what: &'static str, count: usize, limit: usize) -> Result<(), ImageError> {
    if count > limit {
        return Err(ImageError::Limit { what, count: count as u64, limit: limit as u64 });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image() -> Image {
        // `trap`
        Image::from_code(vec![0], vec![1])
    }

    fn broken(change: impl FnOnce(&mut Image)) -> String {
        let mut image = image();
        change(&mut image);
        image.check().unwrap_err().to_string()
    }

    #[test]
    fn broken_rules_are_named() {
        assert_eq!(image().check(), Ok(()));
        let mapping = |start, size, slot| Mapping { start, size, source: SlotPath::slot(slot) };
        let content = |slot| SlotContent { slot, cap: CapHash::default() };
        for (change, message) in [
            (
                Box::new(|i: &mut Image| i.endpoints = vec![Endpoint::at(0); 65])
                    as Box<dyn FnOnce(&mut Image)>,
                "endpoints: 65 exceed the limit of 64",
            ),
            (
                Box::new(|i| i.endpoints[0].entry_pc = 1),
                "endpoint 0: its entry 0x1 is behind the code, which has 1 bytes",
            ),
            (
                Box::new(|i| i.endpoints[0].argument_registers = 5),
                "endpoint 0: 5 argument registers: at most 4 are possible",
            ),
            (
                Box::new(|i| i.endpoints[0].name = vec![b'a'; 33]),
                "endpoint 0: its name has 33 bytes, at most 32 are possible",
            ),
            (
                Box::new(|i| i.endpoints[0].argument_cnode = Some(17)),
                "endpoint 0: it wants a node of 2^17 slots: at most 2^16 are possible",
            ),
            (Box::new(|i| i.gas_profile = GasProfile(7)), "gas profile 7 is unknown: there are 7"),
            (Box::new(|i| i.gas_slots = vec![0]), "slot 0 as a gas slot: slot 0 changes hands at every call"),
            (Box::new(|i| i.quota_slots = vec![3, 4, 3]), "slot 3 as a quota slot: it is listed twice"),
            (Box::new(|i| i.gas_slots = (1..=9).collect()), "gas slots: 9 exceed the limit of 8"),
            (
                Box::new(|i| i.yield_marker_slot = Some(0)),
                "slot 0 as the slot of the catcher: slot 0 changes hands at every call",
            ),
            (
                Box::new(move |i| i.pinned = vec![content(0)]),
                "slot 0 as pinned: slot 0 changes hands at every call",
            ),
            (
                Box::new(move |i| i.pinned = vec![content(4), content(3)]),
                "slot 3 as pinned: it is out of order",
            ),
            (
                Box::new(move |i| i.pinned = vec![content(4), content(4)]),
                "slot 4 as pinned: it is out of order",
            ),
            (
                Box::new(move |i| {
                    i.pinned = vec![content(4)];
                    i.initial = vec![content(4)];
                }),
                "slot 4 as initial: it is pinned, too",
            ),
            (
                Box::new(move |i| i.mappings = vec![mapping(0xf000, 0x2000, 1)]),
                "mapping 0 at 0x0000f000 (8192 bytes): it lies below 0x10000",
            ),
            (
                Box::new(move |i| i.mappings = vec![mapping(0x1_0000, 0x1001, 1)]),
                "mapping 0 at 0x00010000 (4097 bytes): it is not whole pages of 4096 bytes",
            ),
            (
                Box::new(move |i| i.mappings = vec![mapping(0x1_0000, 0, 1)]),
                "mapping 0 at 0x00010000 (0 bytes): it is not whole pages of 4096 bytes",
            ),
            (
                Box::new(move |i| {
                    i.mappings = vec![mapping(0x1_0000, 0x2000, 1), mapping(0x1_1000, 0x1000, 1)];
                }),
                "mapping 1 at 0x00011000 (4096 bytes): it overlaps the one before or is out of order",
            ),
            (
                Box::new(move |i| i.mappings = vec![mapping(0xfffe_f000, 0x2000, 1)]),
                "mapping 0 at 0xfffef000 (8192 bytes): it exceeds the end of memory, 0xffff0000",
            ),
            (
                Box::new(move |i| i.mappings = vec![mapping(0x1_0000, 0x1000, 0)]),
                "mapping 0 at 0x00010000 (4096 bytes): its source is slot 0, which changes hands at every call",
            ),
            (
                Box::new(move |i| i.mappings = vec![mapping(0x1_0000, 0x8000_0000, 1)]),
                "bytes of memory: 2147483648 exceed the limit of 1073741824",
            ),
        ] {
            assert_eq!(broken(change), message);
        }
    }

    #[test]
    fn every_field_counts_for_the_hash() {
        let changes: [fn(&mut Image); 14] = [
            |i| i.gas_profile = GasProfile(0),
            |i| i.code.push(0),
            |i| i.bitmask[0] = 3,
            |i| i.jump_table.push(0),
            |i| i.endpoints[0].entry_pc = 1,
            |i| i.endpoints[0].name.push(b'x'),
            |i| i.endpoints[0].argument_cnode = Some(0),
            |i| i.endpoints[0].initial_regs[12] = 1,
            |i| i.mappings.push(Mapping { start: 0x1_0000, size: 4096, source: SlotPath::slot(1) }),
            |i| i.gas_slots.push(1),
            |i| i.quota_slots.push(1),
            |i| i.pinned.push(SlotContent { slot: 1, cap: CapHash::default() }),
            |i| i.initial.push(SlotContent { slot: 1, cap: CapHash::default() }),
            |i| i.yield_marker_slot = Some(0),
        ];
        let mut roots = vec![image().tree_root()];
        for change in changes {
            let mut image = image();
            change(&mut image);
            roots.push(image.tree_root());
        }
        roots.sort_unstable();
        roots.dedup();
        assert_eq!(roots.len(), 15);
    }

    #[test]
    fn code_that_is_not_valid_does_not_compile() {
        let engine = Engine::new(hatchery_engine::Config::default()).unwrap();
        assert!(image().compile(&engine, MemoryConfig::default()).is_ok());
        let invalid = Image::from_code(vec![255], vec![1]);
        let error = invalid.compile(&engine, MemoryConfig::default()).unwrap_err();
        assert!(error.to_string().contains("invalid instruction at pc 0x0"), "{error}");
        let unmasked = Image::from_code(vec![0; 9], vec![1]);
        assert!(unmasked.compile(&engine, MemoryConfig::default()).is_err());
    }
}
