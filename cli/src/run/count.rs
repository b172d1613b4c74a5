//! Counts the instructions that a program executes.
//!
//! Gas says how many they are only where each costs one. So the program is run a second time beside the first, under the flat
//! model, from stop to stop: it gets the same answers from its host and does the same.

use hatchery_engine::isa::Opcode;
use hatchery_engine::{Charge, Config, Engine, Exit, GasModel, Instance, Module, ProgramCounter, Reg};

use crate::args::RunArguments;
use crate::error::Error;
use crate::program::Loaded;
use crate::run::entry;
use crate::syscalls::Written;

/// Gas for a run that gas does not end.
const PLENTY: i64 = i64::MAX;

/// The second run.
pub(super) struct Counter {
    instance: Instance,
}

impl Counter {
    /// Of the same program, prepared in the same way; none if instructions cannot be counted like this: the program begins in
    /// the middle of a block, which is charged whole, or has a `memset`, which costs more than one.
    pub(super) fn new(
        loaded: &Loaded,
        arguments: &RunArguments,
        config: Config,
        start: ProgramCounter,
    ) -> Result<Option<Self>, Error> {
        if !is_countable(&loaded.module, start) {
            return Ok(None);
        }
        let engine = Engine::new(config.gas_model(GasModel::Flat).charge(Charge::Block))?;
        let mut instance = loaded.compile_again(&engine)?.instantiate();
        entry::prepare(loaded, arguments, &mut instance)?;
        instance.set_gas(PLENTY);
        Ok(Some(Self { instance }))
    }

    /// Runs to where the first run has stopped. Gives whether it stopped for the same reason.
    pub(super) fn follow(&mut self, exit: Exit) -> Result<bool, Error> {
        Ok(self.instance.run()? == exit)
    }

    /// Does what the host did to the first run, which is to answer in a0 and perhaps to write memory.
    pub(super) fn mirror(mut self, first: &Instance, written: Option<Written>) -> Option<Self> {
        self.instance.set_reg(Reg::A0, first.reg(Reg::A0));
        if let Some(Written { address, length }) = written {
            let mut bytes = vec![0; length];
            first.memory().read(address, &mut bytes).ok()?;
            self.instance.memory_mut().write(address, &bytes).ok()?;
        }
        Some(self)
    }

    /// How many instructions it has executed, the one that it stopped at included.
    pub(super) fn instructions(&self) -> u64 {
        let paid = (PLENTY - self.instance.gas()).unsigned_abs();
        paid - left_in_block(self.instance.module(), self.instance.pc())
    }
}

/// How many instructions follow in the same block.
fn left_in_block(module: &Module, pc: ProgramCounter) -> u64 {
    let mut left = 0;
    let mut at = pc;
    while let decoded = module.instruction_at(at)
        && decoded.instruction.is_some_and(|instruction| !instruction.opcode.info().ends_block)
    {
        left += 1;
        at = ProgramCounter(decoded.next_pc);
    }
    left
}

fn is_countable(module: &Module, start: ProgramCounter) -> bool {
    module.blocks().any(|block| block.pc == start)
        && !module.instructions().any(|i| i.instruction.is_some_and(|i| i.opcode == Opcode::Memset))
}
