//! Counts the instructions that a program executes.
//!
//! Gas says how many they are only where each costs one. So the program is run a second time beside the first, from stop to stop:
//! it gets the same answers from its host and does the same. Under the flat model its gas is the number. Where that would not
//! be so it is stopped after each block instead, and what is in the blocks is added up.

use std::collections::HashMap;

use hatchery_engine::isa::Opcode;
use hatchery_engine::{
    Charge, Config, Engine, Exit, GasModel, Instance, Module, Pause, ProgramCounter, Reg, TrapKind,
};

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
    blocks: Option<Blocks>,
}

/// Of a run that stops after each block.
struct Blocks {
    /// When gas is charged for each instruction it stops after each.
    charge: Charge,
    /// Whether what follows has been counted: a call of the host does not end a block.
    is_counted: bool,
    count: u64,
    /// Numbers of instructions from a place to the end of its block.
    lengths: HashMap<ProgramCounter, u64>,
}

impl Counter {
    /// Of the same program, prepared in the same way.
    pub(super) fn new(
        loaded: &Loaded,
        arguments: &RunArguments,
        config: Config,
        start: ProgramCounter,
    ) -> Result<Self, Error> {
        let is_flat = arguments.gas.is_none() && is_countable(&loaded.module, start);
        let (config, gas, blocks) = if is_flat {
            (config.gas_model(GasModel::Flat).charge(Charge::Block), PLENTY, None)
        } else {
            let charge = arguments.charge;
            let blocks = Blocks { charge, is_counted: false, count: 0, lengths: HashMap::new() };
            (config, arguments.gas.unwrap_or(PLENTY), Some(blocks))
        };
        let mut instance = loaded.compile_again(&Engine::new(config)?)?.instantiate();
        entry::prepare(loaded, arguments, &mut instance)?;
        instance.set_gas(gas);
        if blocks.is_some() {
            let pause = Pause::new();
            pause.raise();
            instance.set_pause(Some(pause));
        }
        Ok(Self { instance, blocks })
    }

    /// Runs to where the first run has stopped. Gives whether it stopped for the same reason.
    pub(super) fn follow(&mut self, exit: Exit) -> Result<bool, Error> {
        let Some(blocks) = &mut self.blocks else { return Ok(self.instance.run()? == exit) };
        loop {
            if !blocks.is_counted {
                blocks.add(self.instance.module(), self.instance.pc());
            }
            let own = self.instance.run()?;
            blocks.is_counted = own != Exit::Paused;
            if own != Exit::Paused || exit == Exit::Paused {
                return Ok(own == exit);
            }
        }
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

    /// How many instructions it has executed, the one that it stopped at included if it was executed.
    pub(super) fn instructions(&self, exit: Exit) -> u64 {
        let (module, pc) = (self.instance.module(), self.instance.pc());
        match &self.blocks {
            None => (PLENTY - self.instance.gas()).unsigned_abs() - left_in_block(module, pc),
            Some(Blocks { charge, count, .. }) => {
                let left = if *charge == Charge::Block { left_in_block(module, pc) } else { 0 };
                count - left - u64::from(!is_executed(exit))
            }
        }
    }
}

impl Blocks {
    /// What is executed next, if nothing comes between.
    fn add(&mut self, module: &Module, pc: ProgramCounter) {
        self.count += match self.charge {
            Charge::Block => *self.lengths.entry(pc).or_insert_with(|| 1 + left_in_block(module, pc)),
            Charge::Instruction => 1,
        };
    }
}

/// Whether the instruction that it stopped at was executed: gas was not short for it, and it is one.
fn is_executed(exit: Exit) -> bool {
    match exit {
        Exit::OutOfGas => false,
        Exit::Trap(trap) => trap.kind != TrapKind::InvalidEntry,
        _ => true,
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

/// Whether gas is the number of instructions under the flat model: the program does not begin in the middle of a block, which is
/// charged whole, and has no `memset`, which costs more than one.
fn is_countable(module: &Module, start: ProgramCounter) -> bool {
    module.blocks().any(|block| block.pc == start)
        && !module.instructions().any(|i| i.instruction.is_some_and(|i| i.opcode == Opcode::Memset))
}
