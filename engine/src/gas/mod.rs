//! Gas models: what a basic block costs.
//!
//! A *basic block* is a run of instructions that is entered at its first instruction and left at its last: it starts where
//! jumps may go (or at the beginning of the code) and ends with the first instruction that can jump or stop. An `ecalli`
//! does not end a block. A block is charged in full when it is entered, before its first instruction.
//!
//! Costs are computed from the code alone, block by block, in time linear in the number of instructions.

mod costs;
mod pipeline;
mod timeline;

use crate::isa::{Decoded, InstructionSet};
use crate::program::{Code, Outline};

use costs::Model;
use pipeline::Pipeline;

pub use timeline::{Execution, Stages, Timeline};

/// What the instructions of a block cost.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum GasModel {
    /// One gas for each instruction.
    Flat,
    /// A simulation of an out-of-order processor executing the block (Gray Paper 0.8 draft, appendix A.9 and A.10).
    Pipeline {
        /// Where loads find their data.
        cache: Cache,
        /// Which published version of the model.
        variant: Variant,
    },
}

impl GasModel {
    /// The model of sc-virtualization 0.3: loads hit the second-level cache, costs as polkavm 0.33's interpreter.
    pub const PIPELINE_L2: Self = Self::Pipeline { cache: Cache::L2, variant: Variant::V033 };

    /// All models by the names used on command lines and in documents.
    pub const NAMED: [(&'static str, Self); 7] = {
        use {Cache::*, Variant::*};
        [
            ("flat", Self::Flat),
            ("pipeline-l1", Self::Pipeline { cache: L1, variant: V033 }),
            ("pipeline-l2", Self::Pipeline { cache: L2, variant: V033 }),
            ("pipeline-l3", Self::Pipeline { cache: L3, variant: V033 }),
            ("pipeline-l1-v037", Self::Pipeline { cache: L1, variant: V037 }),
            ("pipeline-l2-v037", Self::Pipeline { cache: L2, variant: V037 }),
            ("pipeline-l3-v037", Self::Pipeline { cache: L3, variant: V037 }),
        ]
    };

    /// The name used on command lines and in documents, such as `pipeline-l2`.
    pub fn name(self) -> &'static str {
        Self::NAMED.iter().find(|(_, model)| *model == self).map_or("", |(name, _)| name)
    }
}

impl core::fmt::Display for GasModel {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

/// Which cache the pipeline model assumes that loads hit; it decides their latency.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Cache {
    /// Four cycles.
    L1,
    /// Twenty-five cycles.
    L2,
    /// Thirty-seven cycles.
    L3,
}

impl Cache {
    pub(crate) const fn load_latency(self) -> u8 {
        match self {
            Self::L1 => 4,
            Self::L2 => 25,
            Self::L3 => 37,
        }
    }
}

/// Published versions of the pipeline model, which differ in details.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Variant {
    /// As polkavm 0.33's interpreter, which sc-virtualization 0.3 uses: a conditional move does not wait for its
    /// destination, and in instruction sets without `unlikely` a branch next to or to a byte 255 is cheap.
    V033,
    /// As polkavm 0.37: a conditional move waits for its destination, 255 is a byte like any other.
    V037,
}

/// Computes costs of blocks, one after the other, without allocating.
#[derive(Debug)]
pub struct BlockCosts {
    simulation: Option<Simulation>,
}

/// The pipeline with what it is fed.
#[derive(Debug)]
struct Simulation {
    model: Model,
    pipeline: Pipeline,
}

impl BlockCosts {
    /// For programs of `set` under `model`.
    pub fn new(set: InstructionSet, model: GasModel) -> Self {
        let simulation = match model {
            GasModel::Flat => None,
            GasModel::Pipeline { cache, variant } => {
                Some(Simulation { model: Model::new(set, cache, variant), pipeline: Pipeline::new(()) })
            }
        };
        Self { simulation }
    }

    /// Cost in gas of executing from `pc` to the end of its block, at least 1.
    ///
    /// Running off the end of the code or into bytes that are no instruction counts as a trap, which ends the block.
    pub fn cost_from(&mut self, code: &Code, pc: u32) -> u32 {
        let Some(simulation) = &mut self.simulation else {
            let mut count = 0;
            for_block(code, pc, |_, _| count += 1);
            return count;
        };
        for_block(code, pc, |pc, outline| {
            simulation.pipeline.dispatch(simulation.model.demand(code, pc, outline));
        });
        simulation.pipeline.finish()
    }

    /// Adds an instruction to a block, for those who walk over the code themselves.
    #[inline]
    #[cfg_attr(
        not(all(target_os = "linux", target_arch = "x86_64", not(any(miri, hatchery_no_native_code)))),
        expect(dead_code, reason = "the recompiler's")
    )]
    pub(crate) fn add(&mut self, code: &Code, decoded: &Decoded) {
        if let Some(simulation) = &mut self.simulation {
            simulation.pipeline.dispatch(simulation.model.demand_of_decoded(code, decoded));
        }
    }

    /// The cost of the block, of so many instructions, that were added.
    #[inline]
    #[cfg_attr(
        not(all(target_os = "linux", target_arch = "x86_64", not(any(miri, hatchery_no_native_code)))),
        expect(dead_code, reason = "the recompiler's")
    )]
    pub(crate) fn finish(&mut self, count: u32) -> u32 {
        self.simulation.as_mut().map_or(count, |simulation| simulation.pipeline.finish())
    }
}

/// Goes through the instructions from `pc` to the end of their block.
#[inline]
fn for_block(code: &Code, pc: u32, mut each: impl FnMut(u32, Outline)) {
    let mut at = pc;
    let mut outline = code.outline_at(at);
    loop {
        each(at, outline);
        if outline.opcode.is_none_or(|opcode| opcode.info().ends_block) {
            return;
        }
        at = outline.next_pc;
        outline = if outline.next_is_start { code.outline_of_start(at) } else { Outline::invalid(at) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_has_a_name() {
        for (name, model) in GasModel::NAMED {
            assert_eq!(model.to_string(), name);
        }
        assert_eq!(GasModel::PIPELINE_L2.name(), "pipeline-l2");
    }
}
