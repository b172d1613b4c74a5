//! `hatchery disasm`: the instructions of a program, block by block.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::ops::Range;

use hatchery_engine::gas::{Stages, Timeline};
use hatchery_engine::isa::{Decoded, Opcode};
use hatchery_engine::{Config, GasModel, Module, ProgramCounter};
use serde::Serialize;

use crate::args::DisasmArguments;
use crate::error::Error;
use crate::program::{Loaded, load};
use crate::status::Status;
use crate::{pipeline_chart, symbols, text};

/// The text of bytes that are no instruction.
const INVALID: &str = "invalid";

/// Runs `hatchery disasm`.
pub(crate) fn disasm(arguments: &DisasmArguments, out: &mut dyn Write) -> Result<Status, Error> {
    let loaded = load(&arguments.program, Config::default())?;
    let model = loaded.module.engine().config().gas();
    if arguments.pipeline && model == GasModel::Flat {
        return Err(Error::NoPipeline { model });
    }
    let listing = Listing::new(&loaded.module, arguments);
    if let Some(at) = arguments.at
        && listing.parts().next().is_none()
    {
        return Err(Error::NoPart { at });
    }
    let shows_costs = arguments.gas || arguments.pipeline;
    if arguments.json {
        let json = Json {
            file: loaded.name(),
            instruction_set: loaded.module.instruction_set().name(),
            gas_model: shows_costs.then(|| model.name()),
            parts: listing.parts().collect(),
            nowhere: listing.nowhere().collect(),
        };
        serde_json::to_writer_pretty(&mut *out, &json).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        let mut out = std::io::BufWriter::new(out);
        write(&loaded, &listing, shows_costs, &mut out)?;
        out.flush()?;
    }
    Ok(Status::Success)
}

#[derive(Serialize)]
struct Json {
    file: String,
    instruction_set: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    gas_model: Option<&'static str>,
    parts: Vec<Part>,
    nowhere: Vec<Nowhere>,
}

/// A piece of code that begins where a block does, or where one can only be expected.
#[derive(Serialize)]
struct Part {
    pc: u32,
    /// Whether jumps may go here.
    block: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    gas: Option<u32>,
    exports: Vec<String>,
    /// The entries of the jump table that lead here.
    jump_table: Vec<u32>,
    instructions: Vec<Line>,
    /// How the block's gas comes about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pipeline: Option<Pipeline>,
}

/// What the gas model's pipeline does with a block.
#[derive(Serialize)]
struct Pipeline {
    cycles: u32,
    instructions: Vec<StagesJson>,
    #[serde(skip)]
    timeline: Timeline,
}

/// The cycles in which an instruction reached the stages of the pipeline; one that only renames a register is only decoded.
#[derive(Serialize)]
struct StagesJson {
    pc: u32,
    decoded: u32,
    started: Option<u32>,
    executed: Option<u32>,
    retired: Option<u32>,
}

impl Pipeline {
    fn new(timeline: Timeline) -> Self {
        let stages = |stages: &Stages| StagesJson {
            pc: stages.pc,
            decoded: stages.decoded,
            started: stages.execution.map(|execution| execution.started),
            executed: stages.execution.map(|execution| execution.executed),
            retired: stages.execution.map(|execution| execution.retired),
        };
        let instructions = timeline.instructions.iter().map(stages).collect();
        Self { cycles: pipeline_chart::cycles(&timeline), instructions, timeline }
    }
}

/// An instruction.
#[derive(Serialize)]
struct Line {
    pc: u32,
    /// In hexadecimal.
    bytes: String,
    text: String,
    /// What it calls, if it is a call of the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    import: Option<String>,
}

/// A place that is named but where no instruction starts.
#[derive(Serialize)]
struct Nowhere {
    pc: u32,
    exports: Vec<String>,
    jump_table: Vec<u32>,
}

/// A program with what is to be said about places in its code.
struct Listing<'a> {
    module: &'a Module,
    /// For each block its gas.
    blocks: BTreeMap<u32, u32>,
    exports: BTreeMap<u32, Vec<String>>,
    jump_table: BTreeMap<u32, Vec<u32>>,
    with_gas: bool,
    with_pipeline: bool,
    only: Option<u32>,
}

impl<'a> Listing<'a> {
    fn new(module: &'a Module, arguments: &DisasmArguments) -> Self {
        let &DisasmArguments { gas, pipeline, at: only, .. } = arguments;
        let mut exports: BTreeMap<u32, Vec<String>> = BTreeMap::new();
        for (pc, symbol) in symbols::exports(module) {
            exports.entry(pc).or_default().push(symbol);
        }
        let mut jump_table: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        let code = module.code();
        for index in 0..code.jump_table_length() {
            if let Some(pc) = code.jump_table_entry(index) {
                jump_table.entry(pc).or_default().push(index);
            }
        }
        let blocks = module.blocks().map(|block| (block.pc.0, block.cost)).collect();
        Self { module, blocks, exports, jump_table, with_gas: gas || pipeline, with_pipeline: pipeline, only }
    }

    /// The parts in the order of the code. A part ends where the next block starts, or an export or jump table entry that is
    /// none.
    fn parts(&self) -> impl Iterator<Item = Part> {
        let parts = self.all_parts().filter(|(pc, _)| self.only.is_none_or(|only| only == *pc));
        parts.map(|(pc, lines)| self.part(pc, lines))
    }

    fn all_parts(&self) -> impl Iterator<Item = (u32, Vec<Line>)> {
        let mut instructions = self.module.instructions().peekable();
        std::iter::from_fn(move || {
            let first = instructions.next()?;
            let mut lines = vec![self.line(&first)];
            while let Some(next) = instructions.next_if(|next| !self.begins_part(next.pc)) {
                lines.push(self.line(&next));
            }
            Some((first.pc, lines))
        })
    }

    fn begins_part(&self, pc: u32) -> bool {
        self.blocks.contains_key(&pc) || self.exports.contains_key(&pc) || self.jump_table.contains_key(&pc)
    }

    /// Exports and jump table entries that lead to no instruction.
    fn nowhere(&self) -> impl Iterator<Item = Nowhere> {
        let places: BTreeSet<u32> = self.exports.keys().chain(self.jump_table.keys()).copied().collect();
        let nowhere = places.into_iter().filter(|&pc| !self.module.code().is_start(pc));
        nowhere.map(|pc| Nowhere {
            pc,
            exports: self.exports.get(&pc).cloned().unwrap_or_default(),
            jump_table: self.jump_table.get(&pc).cloned().unwrap_or_default(),
        })
    }

    fn part(&self, pc: u32, instructions: Vec<Line>) -> Part {
        let block = self.blocks.get(&pc);
        Part {
            pc,
            block: block.is_some(),
            gas: block.copied().filter(|_| self.with_gas),
            exports: self.exports.get(&pc).cloned().unwrap_or_default(),
            jump_table: self.jump_table.get(&pc).cloned().unwrap_or_default(),
            instructions,
            pipeline: block
                .filter(|_| self.with_pipeline)
                .and_then(|_| self.module.timeline(ProgramCounter(pc)))
                .map(Pipeline::new),
        }
    }

    fn line(&self, decoded: &Decoded) -> Line {
        let code = self.module.code().bytes();
        let end = code.len().min(decoded.next_pc as usize);
        let bytes = text::hexadecimal(&code[decoded.pc as usize..end]);
        let Some(instruction) = decoded.instruction else {
            return Line { pc: decoded.pc, text: INVALID.to_owned(), bytes, import: None };
        };
        let call = (instruction.opcode == Opcode::Ecalli).then_some(instruction.x as usize);
        let import = call.and_then(|number| self.module.imports().get(number));
        Line {
            pc: decoded.pc,
            bytes,
            text: instruction.to_string(),
            import: import.map(|symbol| text::symbol(symbol)),
        }
    }
}

fn write(loaded: &Loaded, listing: &Listing<'_>, gas: bool, out: &mut dyn Write) -> std::io::Result<()> {
    let module = &loaded.module;
    write!(
        out,
        "; {}: {}, {} bytes of code",
        loaded.name(),
        module.instruction_set(),
        module.code().length()
    )?;
    if gas {
        write!(out, ", gas model {}", module.engine().config().gas())?;
    }
    writeln!(out)?;
    if listing.with_pipeline {
        writeln!(out, "; {}", pipeline_chart::LEGEND)?;
    }
    let mut end = 0;
    for part in listing.parts() {
        writeln!(out)?;
        if listing.only.is_none() {
            write_gap(end..part.pc, out)?;
        }
        write_heading(&part, out)?;
        end = part.pc;
        if let Some(pipeline) = &part.pipeline {
            end = write_chart(&part, pipeline, out)?;
            continue;
        }
        for Line { pc, bytes, text, import } in &part.instructions {
            write_gap(end..*pc, out)?;
            end = pc + bytes.len() as u32 / 2;
            let remark = match import {
                _ if text == INVALID => format!("  ; bytes {bytes}"),
                Some(symbol) => format!("  ; {symbol}"),
                None => String::new(),
            };
            writeln!(out, "    {pc:>6x}  {text}{remark}")?;
        }
    }
    if listing.only.is_some() {
        return Ok(());
    }
    write_gap(end..module.code().length(), out)?;
    for place in listing.nowhere() {
        let names = names(&place.exports, &place.jump_table).join("; ");
        writeln!(out, "\n; {names}: no instruction starts at {:#x}", place.pc)?;
    }
    Ok(())
}

/// The instructions of a block, each with what the pipeline does with it. Gives where the last one ends.
///
/// A block can go on where the next part begins: an export or jump table entry is there that is no block. Then its rest is shown,
/// too, because it is paid for.
fn write_chart(part: &Part, pipeline: &Pipeline, out: &mut dyn Write) -> std::io::Result<u32> {
    const TEXT: usize = 36;
    let mut rows = pipeline_chart::rows(&pipeline.timeline);
    let mut end = part.pc;
    for Line { pc, bytes, text, .. } in &part.instructions {
        write_gap(end..*pc, out)?;
        end = pc + bytes.len() as u32 / 2;
        let row = rows.next().unwrap_or_default();
        writeln!(out, "    {pc:>6x}  {text:<TEXT$}{row}")?;
    }
    for row in rows {
        writeln!(out, "    {:>6}  {:<TEXT$}{row}", "", "(in the next part)")?;
    }
    Ok(end)
}

/// Bytes between instructions.
fn write_gap(gap: Range<u32>, out: &mut dyn Write) -> std::io::Result<()> {
    if gap.is_empty() {
        return Ok(());
    }
    writeln!(out, "; {} at {:#x} in no instruction", text::count(gap.len() as u64, "byte"), gap.start)
}

/// What leads to a place: exports, and entries of the jump table with the address that they stand for.
fn names(exports: &[String], jump_table: &[u32]) -> Vec<String> {
    let mut names: Vec<String> = exports.iter().map(|symbol| format!("export {symbol}")).collect();
    if !jump_table.is_empty() {
        let entries = jump_table.iter().map(|&index| format!("{index} ({:#x})", 2 * (u64::from(index) + 1)));
        names.push(format!("jump table entry {}", entries.collect::<Vec<_>>().join(", ")));
    }
    names
}

/// The label, and what is known about the place.
fn write_heading(part: &Part, out: &mut dyn Write) -> std::io::Result<()> {
    let mut remarks = names(&part.exports, &part.jump_table);
    if !part.block {
        remarks.push("no block: jumps cannot go here".to_owned());
    }
    if let Some(gas) = part.gas {
        remarks.push(format!("{gas} gas"));
    }
    write!(out, "@{:x}:", part.pc)?;
    match remarks.as_slice() {
        [] => writeln!(out),
        _ => writeln!(out, "  ; {}", remarks.join("; ")),
    }
}
