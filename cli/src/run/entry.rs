//! Where a run begins, and with what.

use hatchery_engine::{Instance, InstructionSet, ProgramCounter};

use crate::args::RunArguments;
use crate::error::Error;
use crate::program::{Format, Loaded};
use crate::{file, text};

/// Prepares an instance for the call that the user asks for. Gives where it begins.
pub(super) fn prepare(
    loaded: &Loaded,
    arguments: &RunArguments,
    instance: &mut Instance,
) -> Result<ProgramCounter, Error> {
    let entry = choose(loaded, arguments.export.as_deref(), arguments.pc)?;
    let set = loaded.module.instruction_set();
    if let Some(&argument) = arguments.arguments.iter().find(|&&argument| !fits(argument, set)) {
        return Err(Error::WideArgument { argument, set });
    }
    match (&arguments.argument_file, loaded.format) {
        (Some(_), Format::Polkavm | Format::Raw) => {
            return Err(Error::NoArgumentSpace { format: loaded.format.description() });
        }
        (Some(path), Format::Standard) => {
            instance.prepare_standard(entry, &file::read(path)?)?;
        }
        (None, Format::Standard) if arguments.arguments.is_empty() => {
            instance.prepare_standard(entry, &[])?;
        }
        (None, _) => instance.prepare_at(entry, &arguments.arguments)?,
    }
    Ok(entry)
}

/// Whether a register can hold an argument, as a number with or without a sign.
fn fits(argument: u64, set: InstructionSet) -> bool {
    set.is_64_bit() || u32::try_from(argument).is_ok() || i32::try_from(argument as i64).is_ok()
}

/// The place that the user names, or the obvious one: the only export, or the one called `main`.
fn choose(loaded: &Loaded, export: Option<&str>, pc: Option<u32>) -> Result<ProgramCounter, Error> {
    let module = &loaded.module;
    if let Some(pc) = pc {
        return Ok(ProgramCounter(pc));
    }
    if let Some(wanted) = export {
        let found = module.export(wanted.as_bytes());
        return found
            .ok_or_else(|| Error::UnknownExport { wanted: wanted.to_owned(), help: choices(loaded) });
    }
    if loaded.format != Format::Polkavm {
        return Ok(ProgramCounter(0));
    }
    let mut exports = module.exports();
    match (exports.next(), exports.next()) {
        (Some((_, only)), None) => Ok(only),
        _ => module.export(b"main").ok_or_else(|| Error::WhichExport { help: choices(loaded) }),
    }
}

fn choices(loaded: &Loaded) -> String {
    let symbols: Vec<String> = loaded.module.exports().map(|(symbol, _)| text::symbol(symbol)).collect();
    match symbols.as_slice() {
        [] => "the program has no exports: name a place in its code with --pc".to_owned(),
        [only] => format!("its only export is {only}"),
        _ => format!("its exports are {}", symbols.join(", ")),
    }
}
