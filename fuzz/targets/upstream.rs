//! The engine and polkavm's interpreters agree at every stop of a program: exit, registers, gas and pc, in memory afterwards, and in
//! the costs of all blocks. The host writes registers and memory at syscalls, tops gas up, and grants pages that are missing. Native code and the interpreter also
//! agree in why and at which address a program traps, which polkavm does not say.
//!
//! Programs have valid instructions only, and no gaps: there polkavm contradicts itself. Of `memset` and `sbrk` each version has
//! an idea of its own about the high half of registers, so they are left out of the sets in which the engine does as the other one.

#![no_main]

use arbitrary::Arbitrary;
use common::assembly::Assembly;
use common::upstream::{Answer, Comparison, Journey, Oracle};
use hatchery_engine::isa::Opcode;
use hatchery_engine::{Backend, Engine, GasModel, InstructionSet};
use hatchery_fuzz::{Piece, RW, opcodes};
use libfuzzer_sys::fuzz_target;
use std::cell::OnceCell;

#[path = "../../engine/tests/common"]
#[allow(dead_code, reason = "the engine's tests use the rest")]
mod common {
    pub(crate) mod assembly;
    pub(crate) mod upstream;
}

#[derive(Arbitrary, Debug)]
struct Input {
    oracle: u8,
    set: u8,
    model: u8,
    faults_to_host: bool,
    gas: u16,
    top_up: u8,
    entry: u8,
    calls: u8,
    answers: [(u8, u32, Option<u16>); 4],
    jump_table: [u8; 6],
    code: Vec<Piece>,
}

const STOPS: usize = 24;

thread_local! {
    static COMPARISONS: OnceCell<Vec<Comparison>> = const { OnceCell::new() };
}

fuzz_target!(|input: Input| {
    let count = input.code.len();
    if count == 0 {
        return;
    }
    let choice = usize::from(input.oracle) % Oracle::ALL.len();
    let oracle = Oracle::ALL[choice];
    let set = oracle.sets()[usize::from(input.set) % 4];
    let mut opcodes = opcodes(set);
    if set == InstructionSet::Latest32 || oracle == Oracle::V037 && set.has_bitmask() {
        opcodes.retain(|opcode| !matches!(opcode, Opcode::Memset | Opcode::Sbrk));
    }
    if input.faults_to_host {
        // Which pages it makes there is the host's affair then.
        opcodes.retain(|&opcode| opcode != Opcode::Sbrk);
    }
    let code = input.code.iter().map(|piece| piece.instruction(&opcodes, count));
    let mut assembly = Assembly::new(set, code.collect());
    assembly.jump_table = input.jump_table.map(|entry| u32::from(entry) % count as u32).to_vec();
    assembly.ro_data = vec![7; 100];
    assembly.rw_data = (0..=255).collect();
    assembly.rw_size = 5000;
    assembly.stack_size = 8192;
    let Some(offsets) = assembly.offsets_if_any() else { return };
    let journey = Journey {
        pc: offsets[usize::from(input.entry) % count],
        gas: input.gas.into(),
        top_up: input.top_up.into(),
        calls: 1 + usize::from(input.calls % 3),
        stops: STOPS,
        // Often an address, so that what follows finds memory there.
        answers: input.answers.map(|(reg, value, at)| {
            let value = if reg & 0x80 == 0 { RW + value % 0x3000 } else { value };
            Answer { reg: reg & 0x7f, value, at }
        }),
    };
    COMPARISONS.with(|comparisons| {
        let comparisons = comparisons.get_or_init(comparisons_of_all);
        let faults = usize::from(input.faults_to_host);
        let comparison = &comparisons[(choice * MODELS + usize::from(input.model) % MODELS) * 2 + faults];
        comparison.compare(&assembly.container(), &journey).unwrap_or_else(|error| panic!("{set}: {error}"));
    });
});

/// Gas models of an oracle.
const MODELS: usize = 4;

fn comparisons_of_all() -> Vec<Comparison> {
    let one = |oracle: Oracle, model: GasModel, faults_to_host: bool| {
        let engines = [Backend::Interpreter, Backend::Recompiler].map(|backend| {
            let config = oracle.config(model).faults_to_host(faults_to_host).backend(backend).window_limit(1);
            (format!("{backend:?}"), Engine::new(config).unwrap())
        });
        Comparison::new(oracle, model, faults_to_host, engines.into())
    };
    Oracle::ALL
        .into_iter()
        .flat_map(|oracle| {
            let models = [GasModel::Flat].into_iter().chain(oracle.pipelines());
            models.flat_map(move |model| [false, true].map(|faults| one(oracle, model, faults)))
        })
        .collect()
}
