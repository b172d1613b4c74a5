//! Where a run begins.

use hatchery_engine::ProgramCounter;

use crate::error::Error;
use crate::program::{Format, Loaded};
use crate::text;

/// The place that the user names, or the obvious one: the only export, or the one called `main`.
pub(super) fn choose(
    loaded: &Loaded,
    export: Option<&str>,
    pc: Option<u32>,
) -> Result<ProgramCounter, Error> {
    let module = &loaded.module;
    if let Some(pc) = pc {
        return Ok(ProgramCounter(pc));
    }
    if let Some(wanted) = export {
        let found = module.export(wanted.as_bytes());
        return found
            .ok_or_else(|| Error::UnknownExport { wanted: wanted.to_owned(), help: choices(loaded) });
    }
    if loaded.format == Format::Raw {
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
