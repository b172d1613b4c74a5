//! The recompiler: programs become native code of x86-64, in one pass over their code.
//!
//! - [`assembler`] writes single instructions of the processor;
//! - [`emit`] says what an instruction of the guest becomes;
//! - [`compile`] walks over a program, charges for blocks and resolves jumps;
//! - [`jump_table`] says where indirect jumps lead;
//! - [`places`] remembers where the native code of an instruction lies;
//! - [`context`] is what native code and the host tell each other;
//! - [`mod@run`] calls native code and does what it leaves to the host;
//! - [`sys`] asks the operating system for executable memory and hears of refused accesses.
//!
//! `docs/engine.md` has the whole picture.

mod assembler;
mod compile;
mod context;
mod emit;
mod jump_table;
mod pages;
mod places;
mod run;
mod sys;
#[cfg(test)]
mod tests;

pub(crate) use compile::{Compiled, Offset};
pub(crate) use run::{Guest, Left, Ran, go_on, run, run_to_syscall};

use crate::gas::GasModel;
use crate::memory::HostError;
use crate::program::Code;
use emit::Features;

/// Makes native code.
#[derive(Debug)]
pub(crate) struct Recompiler {
    features: Features,
}

impl Recompiler {
    /// A recompiler for this machine, or why there is none.
    pub(crate) fn new() -> Result<Self, &'static str> {
        if !Features::are_sufficient() {
            return Err("the processor has no popcnt instruction");
        }
        // Some systems forbid this to all or some processes.
        pages::CodeMemory::new(&[0xc3]).map_err(|error| error.operation)?;
        // It stays there, so nothing may fail behind it. What is found out behind it may be refused an access.
        sys::install_handler().map_err(|error| error.operation)?;
        let features = Features::detect();
        Ok(Self { features })
    }

    /// The native code of a program, or `None` if it should rather be interpreted. `blocks` are the starts of blocks.
    pub(crate) fn compile(
        &self,
        code: &Code,
        blocks: &[u64],
        gas: GasModel,
    ) -> Result<Option<Compiled>, HostError> {
        Compiled::new(code, blocks, gas, self.features)
    }
}
