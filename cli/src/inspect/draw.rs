//! The facts about a program as text for people.

use std::fmt::{self, Write};

use super::facts::{BlockFacts, Facts, MemoryFacts};
use crate::text::Size;

/// The text of all facts.
pub(super) fn text(facts: &Facts) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write(facts, &mut text);
    text
}

fn write(facts: &Facts, out: &mut String) -> fmt::Result {
    let Facts { file, bytes, format, instruction_set, gas_model, sections, exports, imports, .. } = facts;
    writeln!(out, "{file}: {}, {bytes} bytes, instruction set {instruction_set}", format.description())?;
    if facts.instruction_set_guessed {
        writeln!(out, "  (found by trying: version byte 2 stands for two encodings, see --isa)")?;
    }
    writeln!(out, "  code hash {} (Blake2b-256 of the file)", facts.code_hash)?;

    if !sections.is_empty() {
        writeln!(out, "\nSections")?;
        writeln!(out, "  {:>4}  {:>8}  {:>8}  contents", "id", "offset", "bytes")?;
        for section in sections {
            writeln!(
                out,
                "  {:>4}  {:>8}  {:>8}  {}",
                section.id, section.offset, section.bytes, section.name
            )?;
        }
    }

    writeln!(out, "\nExports: {}", exports.len())?;
    for export in exports {
        writeln!(out, "  {:>8}  {}", at(export.pc), export.symbol)?;
    }
    writeln!(out, "\nImports: {}", imports.len())?;
    for (number, symbol) in imports.iter().enumerate() {
        writeln!(out, "  {number:>8}  {symbol}")?;
    }

    writeln!(out, "\nMemory: {} at first", Size(facts.memory.declared_bytes))?;
    draw(&facts.memory, out)?;

    let code = &facts.code;
    writeln!(out, "\nCode")?;
    writeln!(out, "  {:>8}  bytes", code.bytes)?;
    writeln!(out, "  {:>8}  instructions, {} of them invalid", code.instructions, code.invalid_instructions)?;
    writeln!(out, "  {:>8}  entries in the jump table", code.jump_table_entries)?;

    let blocks = &facts.blocks;
    writeln!(out, "\nBlocks, with the gas model {gas_model}")?;
    writeln!(out, "  {:>8}  blocks", blocks.count)?;
    writeln!(out, "  {:>8}  gas, all blocks together", blocks.gas)?;
    for (index, block) in blocks.most_expensive.iter().enumerate() {
        let most = if index == 0 { ": the most expensive" } else { "" };
        writeln!(out, "  {:>8}  gas for {}{most}", block.gas, at(block.pc))?;
    }
    if let Some(list) = &blocks.list {
        writeln!(out, "\nAll blocks\n  {:>8}  {:>8}", "block", "gas")?;
        for BlockFacts { pc, gas } in list {
            writeln!(out, "  {:>8}  {gas:>8}", at(*pc))?;
        }
    }
    Ok(())
}

/// An offset into the code as disassembly writes labels.
fn at(pc: u32) -> String {
    format!("@{pc:x}")
}

/// The address space with its highest address on top. Addresses are where the region above them starts.
fn draw(memory: &MemoryFacts, out: &mut String) -> fmt::Result {
    const WIDTH: usize = 46;
    let line = "─".repeat(WIDTH);
    writeln!(out, "  {:>11} ┌{line}┐", format!("{:#x}", 1_u64 << 32))?;
    for (index, region) in memory.regions.iter().enumerate().rev() {
        let size = Size(region.end - region.start);
        let text = format!("{:<18}{:<16}{size:>10}", region.name, region.access);
        let remark = match region.name {
            "stack" => " sp begins at its upper end".to_owned(),
            "auxiliary data" => " as far as the host gives some".to_owned(),
            "room for the heap" => format!(" the heap begins at {:#x}", memory.heap_base),
            _ => String::new(),
        };
        writeln!(out, "  {:>11} │ {text:<44} │{remark}", "")?;
        let (left, right) = if index == 0 { ('└', '┘') } else { ('├', '┤') };
        writeln!(out, "  {:>11} {left}{line}{right}", format!("{:#010x}", region.start))?;
    }
    Ok(())
}
