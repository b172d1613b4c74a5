//! Names of places in the code: the export before it and, if the program has debug information, its functions.

use std::fmt::Write;

use hatchery_engine::Module;
use hatchery_engine::program::{DebugInfo, Frame};

use crate::program::Loaded;
use crate::text;

/// Where the names of a program's places come from.
#[derive(Debug)]
pub(crate) struct Symbols<'a> {
    exports: Vec<(u32, String)>,
    debug_info: Option<DebugInfo<'a>>,
}

impl<'a> Symbols<'a> {
    /// The names of a program's places.
    pub(crate) fn new(loaded: &'a Loaded) -> Self {
        Self { exports: exports(&loaded.module), debug_info: DebugInfo::from_container(&loaded.bytes) }
    }

    /// The nearest export at or before `pc` and how far behind it `pc` lies: `main + 0x12`.
    pub(crate) fn export_before(&self, pc: u32) -> Option<String> {
        let (at, name) = self.exports.iter().rev().find(|(at, _)| *at <= pc)?;
        let mut text = format!("`{name}`");
        if pc > *at {
            // Writing to a string does not fail.
            let _ = write!(text, " + {:#x}", pc - at);
        }
        Some(text)
    }

    /// The functions that the instruction at `pc` belongs to: innermost first, the others are what it was inlined into.
    pub(crate) fn functions(&self, pc: u32) -> Vec<Frame<'a>> {
        self.debug_info.as_ref().map(|info| info.frames_at(pc)).unwrap_or_default()
    }
}

/// Exports in the order of the code.
pub(crate) fn exports(module: &Module) -> Vec<(u32, String)> {
    let mut exports: Vec<_> = module.exports().map(|(symbol, pc)| (pc.0, text::symbol(symbol))).collect();
    exports.sort();
    exports
}
