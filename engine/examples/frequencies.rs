//! Counts which instructions the guests execute, and which ones one after the other: what the interpreter's first fused operations
//! were chosen by. `fusions.rs` says what to fuse next.
//!
//! `cargo run --release -p hatchery-engine --example frequencies [count]` prints the most frequent singles, pairs and triples of
//! consecutive instructions of a block, in percent of all that are executed, each guest having the same weight.

use std::collections::HashMap;

use hatchery_engine::isa::{Instruction, Shape};
use hatchery_engine::{Config, Engine, Exit, GasModel, ProgramCounter};

const CALLS: &[(&str, &str, u64)] = &[
    ("primes", "primes", 100_000),
    ("sha256", "hash_zeros", 20_000),
    ("ed25519", "verify", 0),
    ("integers", "simulate", 200),
    ("fib", "fib", 18),
    ("fib", "fib_loop", 50_000),
    ("heap", "churn", 2_000),
];

type Error = Box<dyn std::error::Error>;

/// The name, and whether its first source is what the instruction before has written.
fn describe(instruction: &Instruction, previous: Option<&Instruction>) -> String {
    let name = instruction.opcode.info().name;
    let registers = instruction.registers();
    let written = previous.and_then(|previous| previous.registers().writes);
    match (written, registers.reads) {
        (Some(d), [Some(first), _]) if d == first => format!("{name}^"),
        (Some(d), [_, Some(second)]) if d == second => format!("{name}'"),
        _ => name.into(),
    }
}

fn main() -> Result<(), Error> {
    let count = std::env::args().nth(1).map_or(Ok(40), |count| count.parse::<usize>())?;
    let engine = Engine::new(Config::default().gas_model(GasModel::Flat))?;
    let mut all: [HashMap<String, f64>; 3] = Default::default();
    for &(guest, export, argument) in CALLS {
        let path = format!("{}/../guests/blobs/jam-v1/{guest}.polkavm", env!("CARGO_MANIFEST_DIR"));
        let module = engine.compile(&std::fs::read(path)?)?;
        let mut instance = module.instantiate();
        instance.prepare(export, &[argument])?;
        instance.set_gas(1 << 40);
        let mut own: [HashMap<String, u64>; 3] = Default::default();
        let mut executed = 0u64;
        let mut window: Vec<Instruction> = Vec::new();
        let mut pc = instance.pc();
        loop {
            let decoded = module.instruction_at(pc);
            let instruction = decoded.instruction.ok_or("no instruction")?;
            window.push(instruction);
            executed += 1;
            for length in 1..=window.len().min(3) {
                let run = &window[window.len() - length..];
                let mut previous = None;
                let mut names = Vec::new();
                for instruction in run {
                    names.push(describe(instruction, previous));
                    previous = Some(instruction);
                }
                *own[length - 1].entry(names.join(" + ")).or_default() += 1;
            }
            if instruction.opcode.info().ends_block || instruction.opcode.info().shape == Shape::Imm {
                window.clear();
            }
            match instance.step()? {
                Exit::Paused => pc = instance.pc(),
                // The instance is said to be at the syscall until it goes on.
                Exit::Syscall(_) => pc = ProgramCounter(decoded.next_pc),
                Exit::Finished => break,
                exit => return Err(format!("{guest}: {exit:?}").into()),
            }
        }
        println!("{guest} {export}({argument}): {executed} instructions");
        for (all, own) in all.iter_mut().zip(&own) {
            let mut rows: Vec<_> = own.iter().collect();
            rows.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
            let percent = |times: u64| 100.0 * times as f64 / executed as f64;
            for (name, times) in rows.iter().take(10) {
                println!("    {:5.1} % {name}", percent(**times));
            }
            for (name, times) in own {
                *all.entry(name.clone()).or_default() += percent(*times) / CALLS.len() as f64;
            }
            println!();
        }
    }
    println!("all, each guest with the same weight:");
    for all in &all {
        let mut rows: Vec<_> = all.iter().collect();
        rows.sort_by(|a, b| b.1.total_cmp(a.1).then(a.0.cmp(b.0)));
        for (name, percent) in rows.iter().take(count) {
            println!("    {percent:5.2} % {name}");
        }
        println!();
    }
    Ok(())
}
