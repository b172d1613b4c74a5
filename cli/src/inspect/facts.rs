//! The facts about a program that `inspect` shows, as text or as JSON.

use std::ops::Range;

use hatchery_engine::isa::Decoded;
use hatchery_engine::memory::{LOWEST_ADDRESS, MemoryMap};
use hatchery_engine::program::{Program, Section};
use hatchery_engine::{Block, InstructionSet, Module};
use serde::Serialize;

use crate::program::{Format, Loaded};
use crate::symbols;
use crate::text;

/// How many of the most expensive blocks are named.
const MOST_EXPENSIVE: usize = 5;

/// Everything that is shown. Field names are those of the JSON.
#[derive(Debug, Serialize)]
pub(super) struct Facts {
    pub(super) file: String,
    pub(super) bytes: usize,
    /// The Blake2b-256 hash of the file, in hexadecimal.
    pub(super) code_hash: String,
    pub(super) format: Format,
    pub(super) instruction_set: &'static str,
    /// Whether the set was found by trying.
    pub(super) instruction_set_guessed: bool,
    pub(super) gas_model: &'static str,
    /// Empty for JAM programs, which have none.
    pub(super) sections: Vec<SectionFacts>,
    pub(super) exports: Vec<Place>,
    /// In the order of their numbers.
    pub(super) imports: Vec<String>,
    pub(super) memory: MemoryFacts,
    pub(super) code: CodeFacts,
    pub(super) blocks: BlocksFacts,
}

#[derive(Debug, Serialize)]
pub(super) struct SectionFacts {
    pub(super) id: u8,
    pub(super) name: String,
    /// Where its contents begin in the file.
    pub(super) offset: usize,
    pub(super) bytes: usize,
}

/// A name for an offset into the code.
#[derive(Debug, Serialize)]
pub(super) struct Place {
    pub(super) pc: u32,
    pub(super) symbol: String,
}

#[derive(Debug, Serialize)]
pub(super) struct MemoryFacts {
    /// Bytes that are accessible at first, in whole pages.
    pub(super) declared_bytes: u64,
    pub(super) heap_base: u32,
    pub(super) max_heap_bytes: u32,
    /// The whole address space, from its start to its end.
    pub(super) regions: Vec<Region>,
}

/// A part of the address space.
#[derive(Debug, Serialize)]
pub(super) struct Region {
    pub(super) name: &'static str,
    pub(super) access: &'static str,
    pub(super) start: u64,
    pub(super) end: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct CodeFacts {
    pub(super) bytes: u32,
    pub(super) instructions: u64,
    /// How many of them are invalid: they trap when they are reached.
    pub(super) invalid_instructions: u64,
    pub(super) jump_table_entries: u32,
}

#[derive(Debug, Serialize)]
pub(super) struct BlocksFacts {
    pub(super) count: u64,
    /// Gas of all blocks together.
    pub(super) gas: u64,
    pub(super) most_expensive: Vec<BlockFacts>,
    /// All of them, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) list: Option<Vec<BlockFacts>>,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct BlockFacts {
    pub(super) pc: u32,
    pub(super) gas: u32,
}

impl Facts {
    /// The facts about a program, with the list of blocks if `list_blocks` is set.
    pub(super) fn new(loaded: &Loaded, list_blocks: bool) -> Self {
        let module = &loaded.module;
        let exports = symbols::exports(module).into_iter().map(|(pc, symbol)| Place { pc, symbol });
        Self {
            file: loaded.name(),
            bytes: loaded.bytes.len(),
            code_hash: text::hexadecimal(&module.code_hash()),
            format: loaded.format,
            instruction_set: module.instruction_set().name(),
            instruction_set_guessed: loaded.guessed,
            gas_model: module.engine().config().gas().name(),
            sections: sections(loaded),
            exports: exports.collect(),
            imports: module.imports().iter().map(|symbol| text::symbol(symbol)).collect(),
            memory: memory(module.memory_map()),
            code: code(module),
            blocks: blocks(module.blocks(), list_blocks),
        }
    }
}

fn sections(loaded: &Loaded) -> Vec<SectionFacts> {
    // A container that has been compiled has sections; a raw program has none.
    let spans = Program::sections(&loaded.bytes).unwrap_or_default();
    let facts = spans.into_iter().map(|span| SectionFacts {
        id: span.id,
        name: section_name(span.id, span.section, loaded.module.instruction_set()),
        offset: span.range.start,
        bytes: span.range.len(),
    });
    facts.collect()
}

fn section_name(id: u8, section: Section, set: InstructionSet) -> String {
    let name = match (id, section) {
        (_, Section::Code) if set.has_bitmask() => "jump table, code and bitmask",
        (_, Section::Code) => "jump table and code",
        (128, _) => "debug strings",
        (129, _) => "line programs",
        (130, _) => "ranges of line programs",
        (131, _) => "metadata hash",
        _ => return section.to_string(),
    };
    name.to_owned()
}

fn memory(map: &MemoryMap) -> MemoryFacts {
    let heap_end = u64::from(map.heap_base()) + u64::from(map.max_heap_size());
    let wide = |range: Range<u32>| u64::from(range.start)..u64::from(range.end);
    let (ro, rw, stack) = (wide(map.ro_data()), wide(map.rw_data()), wide(map.stack()));
    let auxiliary = wide(map.auxiliary());
    let top = 0xffff_0000;
    let parts = [
        ("never accessible", "none", 0..LOWEST_ADDRESS.into()),
        ("read-only data", "read", ro.clone()),
        ("guard", "none", ro.end..rw.start),
        ("read-write data", "read-write", rw.clone()),
        ("room for the heap", "none until sbrk", rw.end..heap_end.max(rw.end)),
        ("guard", "none", heap_end.max(rw.end)..stack.start),
        ("stack", "read-write", stack.clone()),
        ("guard", "none", stack.end..auxiliary.start),
        ("auxiliary data", "read", auxiliary.clone()),
        ("guard", "none", auxiliary.end..top),
        ("never accessible", "none", top..1 << 32),
    ];
    let regions = parts.into_iter().filter(|(_, _, range)| !range.is_empty());
    let regions =
        regions.map(|(name, access, range)| Region { name, access, start: range.start, end: range.end });
    MemoryFacts {
        declared_bytes: map.declared_bytes(),
        heap_base: map.heap_base(),
        max_heap_bytes: map.max_heap_size(),
        regions: regions.collect(),
    }
}

fn code(module: &Module) -> CodeFacts {
    let is_invalid = |decoded: &Decoded| decoded.instruction.is_none();
    CodeFacts {
        bytes: module.code().length(),
        instructions: module.instructions().count() as u64,
        invalid_instructions: module.instructions().filter(is_invalid).count() as u64,
        jump_table_entries: module.code().jump_table_length(),
    }
}

fn blocks(blocks: impl Iterator<Item = Block>, list: bool) -> BlocksFacts {
    let all: Vec<BlockFacts> = blocks.map(|block| BlockFacts { pc: block.pc.0, gas: block.cost }).collect();
    let mut most_expensive = all.clone();
    // Of equally expensive ones the first in the code.
    most_expensive.sort_by_key(|block| (std::cmp::Reverse(block.gas), block.pc));
    most_expensive.truncate(MOST_EXPENSIVE);
    BlocksFacts {
        count: all.len() as u64,
        gas: all.iter().map(|block| u64::from(block.gas)).sum(),
        most_expensive,
        list: list.then_some(all),
    }
}

#[cfg(test)]
mod tests {
    use hatchery_engine::memory::PAGE_SIZE;

    use super::*;

    /// Regions of a program that declares these sizes.
    fn regions(ro: u32, rw: u32, stack: u32, auxiliary: u32) -> Vec<Region> {
        memory(&MemoryMap::new(ro, rw, stack, auxiliary).unwrap()).regions
    }

    #[test]
    fn regions_cover_the_address_space_without_gap() {
        let largest = 0xfffe_0000 - 0x3_0000;
        for sizes in [
            (0, 0, 0, 0),
            (1, 1, 1, 1),
            (0x1_0000, 0x1_2345, 0x3000, 1 << 24),
            (0, 0, largest, 0),
            (0, largest, 0, 0),
        ] {
            let regions = regions(sizes.0, sizes.1, sizes.2, sizes.3);
            let mut at = 0;
            for region in &regions {
                assert_eq!(region.start, at, "{sizes:?} {regions:?}");
                assert!(region.end > region.start && region.start.is_multiple_of(PAGE_SIZE.into()));
                at = region.end;
            }
            assert_eq!(at, 1 << 32, "{sizes:?}");
        }
    }

    #[test]
    fn the_first_of_the_most_expensive_blocks_come_first() {
        let block = |pc, cost| Block { pc: hatchery_engine::ProgramCounter(pc), cost };
        let all = (0..7).map(|pc| block(pc, if pc == 6 { 9 } else { 5 }));
        let facts = blocks(all, false);
        let pcs: Vec<u32> = facts.most_expensive.iter().map(|block| block.pc).collect();
        assert_eq!((facts.count, facts.gas, pcs), (7, 39, vec![6, 0, 1, 2, 3]));
        assert!(facts.list.is_none());
    }
}
