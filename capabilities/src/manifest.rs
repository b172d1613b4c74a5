//! Images from PolkaVM blobs: what a blob does not say, a manifest in TOML or JSON does.

use std::collections::BTreeMap;

use hatchery_engine::memory::{LOWEST_ADDRESS, MemoryMap, MemoryMapError, PAGE_SIZE};
use hatchery_engine::program::{Program, ProgramError};
use hatchery_engine::{GasModel, InstructionSet, Reg};
use serde::Deserialize;

use crate::cache::{CacheDirectory, CacheError};
use crate::cap::{Cap, DataCap, InstanceCap};
use crate::cnode::{CNode, SlotPath};
use crate::hash::CapHash;
use crate::image::{
    CodeSet, Endpoint, GasProfile, Image, ImageError, MAX_ARGUMENTS, MAX_JUMP_TABLE, Mapping, SlotContent,
};
use crate::operation::FIRST_EMBEDDER_OPERATION;

/// Slots that images made from blobs use for memory.
const READ_ONLY_SLOT: u8 = 253;
const READ_WRITE_SLOT: u8 = 254;
const STACK_SLOT: u8 = 255;
/// Where a program returns to.
const RETURN_TO_HOST: u64 = 0xffff_0000;

/// What a blob does not say about an image. Everything has a default.
///
/// ```toml
/// gas_profile = "pipeline-l2"
/// gas_slots = [2]
/// quota_slots = [3]
/// yield_marker_slot = 4
///
/// [[endpoints]]           # in the order of their numbers; without any, all exports in the order of their names
/// export = "increment"
/// arguments = 1
///
/// [pinned]                # slot = "hash", or a name that whoever builds the image knows
/// 5 = "greeting"
///
/// [initial]
/// 6 = "1b0c…"
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Manifest {
    /// The name of a gas model.
    pub gas_profile: Option<String>,
    /// The endpoints in the order of their numbers.
    pub endpoints: Vec<EndpointManifest>,
    /// Slots of gas meters.
    pub gas_slots: Vec<u8>,
    /// Slots of storage quotas.
    pub quota_slots: Vec<u8>,
    /// The slot of a catcher.
    pub yield_marker_slot: Option<u8>,
    /// What is pinned in slots, by hash or name.
    pub pinned: BTreeMap<String, String>,
    /// What lies in slots at first, by hash or name.
    pub initial: BTreeMap<String, String>,
}

/// An endpoint of a manifest.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointManifest {
    /// The export it enters at.
    pub export: String,
    /// How many registers the caller fills. Default: four.
    #[serde(default = "four")]
    pub arguments: u8,
    /// If given, slot 0 must hold a node of `2^n` slots.
    #[serde(default)]
    pub argument_cnode: Option<u8>,
}

fn four() -> u8 {
    MAX_ARGUMENTS
}

/// An image and what it names that is made with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bundle {
    /// The image.
    pub image: Image,
    /// Data that lies in its memory.
    pub data: Vec<DataCap>,
}

/// Why blob and manifest make no image.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The text is no manifest.
    #[error("not a manifest: {reason}")]
    Text {
        /// Where and why.
        reason: String,
    },
    /// The blob is no program.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// The memory of the program does not fit.
    #[error(transparent)]
    Memory(#[from] MemoryMapError),
    /// Images have code of JAM.
    #[error("the blob is of the instruction set {found}: images have {}", InstructionSet::JamV1)]
    InstructionSet {
        /// What it is.
        found: InstructionSet,
    },
    /// The blob has imports without numbers.
    #[error(
        "the blob calls `{symbol}` as number {index}, which means another operation: declare it with `#[polkavm_import(index = ..)]`"
    )]
    Import {
        /// The symbol.
        symbol: String,
        /// The number.
        index: usize,
    },
    /// An endpoint names no export.
    #[error("endpoint {index}: the blob has no export `{export}`")]
    Export {
        /// The number of the endpoint.
        index: usize,
        /// The name.
        export: String,
    },
    /// There is no such gas model.
    #[error("there is no gas profile `{name}`")]
    GasProfile {
        /// The name.
        name: String,
    },
    /// The key of a table is no slot.
    #[error("{table}: `{key}` is no slot: slots are 1 to 255")]
    Slot {
        /// The table.
        table: &'static str,
        /// The key.
        key: String,
    },
    /// A value is neither a hash nor a known name.
    #[error("{table}: slot {slot}: `{value}` is neither a hash nor a name that is known here")]
    Unknown {
        /// The table.
        table: &'static str,
        /// The slot.
        slot: u8,
        /// The value.
        value: String,
    },
    /// The slot is needed for memory.
    #[error("slot {slot} is needed for the memory of the program")]
    Taken {
        /// The slot.
        slot: u8,
    },
    /// The result breaks a rule.
    #[error(transparent)]
    Image(#[from] ImageError),
}

impl Manifest {
    /// Reads TOML or, if it begins with a brace, JSON.
    ///
    /// # Errors
    /// If it is neither, or has fields that manifests have not.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let result = if text.trim_start().starts_with('{') {
            serde_json::from_str(text).map_err(|error| error.to_string())
        } else {
            toml::from_str(text).map_err(|error| error.to_string())
        };
        result.map_err(|reason| ManifestError::Text { reason })
    }

    /// Makes an image of a PolkaVM blob. `known` gives the capabilities that the manifest names.
    ///
    /// Its memory is laid out as the blob's: read-only data is pinned in slot 253, what read-write data are at first lies in slot 254,
    /// the stack's source is slot 255, which is empty. Endpoints begin with the stack pointer at the top of the stack and
    /// return to the machine, which ends them like REPLY.
    ///
    /// # Errors
    /// The first thing that does not fit.
    pub fn build(
        &self,
        blob: &[u8],
        known: impl Fn(&str) -> Option<CapHash>,
    ) -> Result<Bundle, ManifestError> {
        let program = Program::from_polkavm(blob, InstructionSet::Latest64Extended)?;
        if program.code.instruction_set() != InstructionSet::JamV1 {
            return Err(ManifestError::InstructionSet { found: program.code.instruction_set() });
        }
        self.check_imports(&program)?;
        let memory = &program.memory;
        let map = MemoryMap::new(memory.ro_size, memory.rw_size, memory.stack_size, 0)?;
        let mut image = Image {
            instruction_set: CodeSet::JamV1,
            gas_profile: self.gas_profile()?,
            code: program.code.bytes().to_vec(),
            bitmask: bitmask(&program),
            jump_table: (0..program.code.jump_table_length().min(MAX_JUMP_TABLE as u32 + 1))
                .filter_map(|entry| program.code.jump_table_entry(entry))
                .collect(),
            endpoints: self.endpoints(&program, map.stack().end)?,
            mappings: Vec::new(),
            gas_slots: self.gas_slots.clone(),
            quota_slots: self.quota_slots.clone(),
            pinned: contents("pinned", &self.pinned, &known)?,
            initial: contents("initial", &self.initial, &known)?,
            yield_marker_slot: self.yield_marker_slot,
        };
        let mut data = Vec::new();
        let parts = [
            (map.ro_data(), READ_ONLY_SLOT, Some(&memory.ro_data)),
            (map.rw_data(), READ_WRITE_SLOT, Some(&memory.rw_data)),
            (map.stack(), STACK_SLOT, None),
        ];
        for (range, slot, bytes) in parts {
            if range.is_empty() {
                continue;
            }
            let size = range.end - range.start;
            debug_assert!(range.start >= LOWEST_ADDRESS && size % PAGE_SIZE == 0);
            image.mappings.push(Mapping { start: range.start, size, source: SlotPath::slot(slot.into()) });
            let used = |contents: &[SlotContent]| contents.iter().any(|content| content.slot == slot);
            if used(&image.pinned) || used(&image.initial) {
                return Err(ManifestError::Taken { slot });
            }
            // Read-only data without bytes are zeros that cannot be written: they need a capability, too.
            let Some(bytes) = bytes.filter(|bytes| slot == READ_ONLY_SLOT || !bytes.is_empty()) else {
                continue;
            };
            let cap = DataCap::new(bytes);
            let content = SlotContent { slot, cap: Cap::Data(cap.clone()).hash().unwrap_or_default() };
            if slot == READ_ONLY_SLOT { &mut image.pinned } else { &mut image.initial }.push(content);
            data.push(cap);
        }
        image.check()?;
        Ok(Bundle { image, data })
    }

    fn gas_profile(&self) -> Result<GasProfile, ManifestError> {
        let Some(name) = &self.gas_profile else { return Ok(GasProfile::default()) };
        let named = GasModel::NAMED.iter().find(|(other, _)| other == name);
        let (_, model) = named.ok_or_else(|| ManifestError::GasProfile { name: name.clone() })?;
        Ok(GasProfile::new(*model)?)
    }

    fn endpoints(&self, program: &Program, stack_end: u32) -> Result<Vec<Endpoint>, ManifestError> {
        let mut initial_regs = [0; 13];
        initial_regs[Reg::RA as usize] = RETURN_TO_HOST;
        initial_regs[Reg::SP as usize] = stack_end.into();
        let exports: BTreeMap<&[u8], u32> =
            program.exports.iter().map(|export| (export.symbol.as_slice(), export.pc)).collect();
        let endpoint = |name: &[u8], entry_pc, argument_registers, argument_cnode| Endpoint {
            name: name.to_vec(),
            entry_pc,
            argument_registers,
            argument_cnode,
            initial_regs,
        };
        if self.endpoints.is_empty() {
            return Ok(exports.iter().map(|(name, &pc)| endpoint(name, pc, MAX_ARGUMENTS, None)).collect());
        }
        let find = |(index, wanted): (usize, &EndpointManifest)| {
            let name = wanted.export.as_bytes();
            let pc = exports.get(name).copied();
            let pc = pc.ok_or_else(|| ManifestError::Export { index, export: wanted.export.clone() })?;
            Ok(endpoint(name, pc, wanted.arguments, wanted.argument_cnode))
        };
        self.endpoints.iter().enumerate().map(find).collect()
    }

    /// Imports must have the numbers of operations: then `ecalli` in the code has them, too.
    fn check_imports(&self, program: &Program) -> Result<(), ManifestError> {
        for (index, symbol) in program.imports.iter().enumerate() {
            if !symbol.is_empty() {
                let symbol = String::from_utf8_lossy(symbol).into_owned();
                let fits = match crate::operation::number_of(&symbol) {
                    Some(number) => number as usize == index,
                    None => index >= FIRST_EMBEDDER_OPERATION as usize,
                };
                if !fits {
                    return Err(ManifestError::Import { symbol, index });
                }
            }
        }
        Ok(())
    }
}

impl Bundle {
    /// Keeps image and data in a directory and gives the hash of the image.
    ///
    /// # Errors
    /// If something else that the image names is not there.
    pub fn publish(&self, cache: &mut CacheDirectory) -> Result<CapHash, CacheError> {
        for data in &self.data {
            cache.put(Cap::Data(data.clone()))?;
        }
        cache.put(Cap::Image(self.image.clone()))
    }

    /// As [`Bundle::publish`], and a new instance of the image, whose slots are those of the image and these. Gives the
    /// hash of the instance.
    ///
    /// # Errors
    /// As there, and if a slot is pinned.
    pub fn instantiate(
        &self,
        cache: &mut CacheDirectory,
        slots: impl IntoIterator<Item = (u8, CapHash)>,
    ) -> Result<CapHash, CacheError> {
        let image = self.publish(cache)?;
        let root = self.image.new_root(slots)?;
        let root = cache.put(Cap::CNode(root))?;
        cache.put(Cap::Instance(InstanceCap::new(image, root, self.image.mem_size())))
    }
}

impl Image {
    /// The slots of a new instance with these beside its own. They win over initial ones.
    ///
    /// # Errors
    /// If one of them is pinned.
    pub fn new_root(
        &self,
        slots: impl IntoIterator<Item = (u8, CapHash)>,
    ) -> Result<CNode, crate::cnode::SlotError> {
        let mut root = CNode::root();
        for (slot, cap) in slots {
            if self.pinned(slot.into()).is_some() {
                return Err(crate::cnode::SlotError::Pinned { path: SlotPath::slot(slot.into()) });
            }
            root.set(slot.into(), Some(cap))?;
        }
        for content in &self.pinned {
            root.set(content.slot.into(), Some(content.cap))?;
        }
        for content in &self.initial {
            if root.get(content.slot.into()).is_none() {
                root.set(content.slot.into(), Some(content.cap))?;
            }
        }
        Ok(root)
    }
}

fn bitmask(program: &Program) -> Vec<u8> {
    let length = program.code.length();
    let mut bitmask = vec![0; length.div_ceil(8) as usize];
    for pc in (0..length).filter(|&pc| program.code.is_start(pc)) {
        bitmask[pc as usize / 8] |= 1 << (pc % 8);
    }
    bitmask
}

fn contents(
    table: &'static str,
    slots: &BTreeMap<String, String>,
    known: &impl Fn(&str) -> Option<CapHash>,
) -> Result<Vec<SlotContent>, ManifestError> {
    let content = |(key, value): (&String, &String)| {
        let slot = key.parse().ok().filter(|&slot| slot != 0);
        let slot = slot.ok_or_else(|| ManifestError::Slot { table, key: key.clone() })?;
        let cap = value.parse().ok().or_else(|| known(value));
        let cap = cap.ok_or_else(|| ManifestError::Unknown { table, slot, value: value.clone() })?;
        Ok(SlotContent { slot, cap })
    };
    let mut contents: Vec<SlotContent> = slots.iter().map(content).collect::<Result<_, ManifestError>>()?;
    contents.sort_by_key(|content| content.slot);
    Ok(contents)
}
