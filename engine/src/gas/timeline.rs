//! What the pipeline model does with each instruction of a block, cycle by cycle: why a block costs what it costs.

use super::costs::Model;
use super::pipeline::{Observer, Pipeline};
use super::{GasModel, for_block};
use crate::program::Code;

/// The simulation of a block, see [`Module::timeline`](crate::Module::timeline).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Timeline {
    /// The instructions in the order of the code.
    pub instructions: Vec<Stages>,
    /// What the block costs, in gas: the cycles until the last instruction has retired, less three, at least one.
    pub cost: u32,
}

/// The cycles, counted from zero, in which an instruction reached the stages of the pipeline.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stages {
    /// Where it is in the code.
    pub pc: u32,
    /// Decoded. From the next cycle on it waits for its sources and for free units.
    pub decoded: u32,
    /// What follows decoding; none: it only renamed a register and was done with that.
    pub execution: Option<Execution>,
}

/// The later stages of an instruction.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Execution {
    /// Began to execute.
    pub started: u32,
    /// Was done: its result was there one cycle earlier.
    pub executed: u32,
    /// Left the reorder buffer, in the order of the code.
    pub retired: u32,
}

impl Timeline {
    /// Of the block from `pc` to its end; none: the model has no pipeline.
    pub(crate) fn new(code: &Code, model: GasModel, pc: u32) -> Option<Self> {
        let GasModel::Pipeline { cache, variant } = model else { return None };
        let model = Model::new(code.instruction_set(), cache, variant);
        let mut pipeline = Pipeline::new(Recorder::default());
        for_block(code, pc, |pc, outline| {
            pipeline.observer.pc = pc;
            pipeline.dispatch(model.demand(code, pc, outline));
        });
        let cost = pipeline.finish();
        Some(Self { instructions: pipeline.observer.instructions, cost })
    }
}

/// Notes what happens.
#[derive(Default)]
struct Recorder {
    instructions: Vec<Stages>,
    /// Of the instruction that is decoded next.
    pc: u32,
    /// For each slot of the buffer the number of the instruction in it.
    in_slot: [usize; 32],
}

impl Recorder {
    fn execution(&mut self, slot: u32) -> &mut Execution {
        let stages = &mut self.instructions[self.in_slot[slot as usize]];
        stages.execution.get_or_insert_default()
    }
}

impl Observer for Recorder {
    fn decoded(&mut self, slot: Option<u32>, cycle: u32) {
        if let Some(slot) = slot {
            self.in_slot[slot as usize] = self.instructions.len();
        }
        self.instructions.push(Stages { pc: self.pc, decoded: cycle, execution: None });
    }

    fn started(&mut self, slot: u32, cycle: u32) {
        self.execution(slot).started = cycle;
    }

    fn executed(&mut self, slot: u32, cycle: u32) {
        self.execution(slot).executed = cycle;
    }

    fn retired(&mut self, slot: u32, cycle: u32) {
        self.execution(slot).retired = cycle;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::InstructionSet;
    use crate::program::Program;

    fn timeline(code: &[u8], bitmask: &[u8]) -> Timeline {
        // No jump table, code, bitmask.
        let blob = [&[0, 0, code.len() as u8], code, bitmask].concat();
        let program = Program::from_raw(&blob, InstructionSet::JamV1).unwrap();
        Timeline::new(&program.code, GasModel::PIPELINE_L2, 0).unwrap()
    }

    /// A load of 25 cycles, a move that renames, an addition that waits for the load, and the trap behind it.
    #[test]
    fn stages_follow_the_rules_of_the_model() {
        // load_u64 a0 = [0x10000]; move_reg a1 = a0; add_64 a2 = a1 + a0; trap
        let timeline = timeline(&[58, 7, 0, 0, 1, 100, 0x78, 200, 0x87, 9, 0], &[0b1010_0001, 0b0000_0100]);
        let [load, rename, add, ..] = timeline.instructions.as_slice() else { panic!("{timeline:?}") };
        assert_eq!((load.pc, rename.pc, add.pc), (0, 5, 7));
        assert_eq!((load.decoded, rename.decoded, add.decoded), (0, 0, 0));
        assert_eq!(rename.execution, None);
        assert_eq!(load.execution, Some(Execution { started: 1, executed: 26, retired: 27 }));
        // The result is visible at the end of cycle 25, so the addition starts in the next one.
        assert_eq!(add.execution.unwrap().started, 26);
        let last = timeline.instructions.last().unwrap().execution.unwrap().retired;
        assert_eq!(timeline.cost, last + 1 - 3);
    }

    #[test]
    fn the_flat_model_has_no_pipeline() {
        let program = Program::from_raw(&[0, 0, 1, 0, 1], InstructionSet::JamV1).unwrap();
        assert_eq!(Timeline::new(&program.code, GasModel::Flat, 0), None);
    }
}
