//! The baseline of `bench/`: the engine itself, without the C functions. `cargo run --release -p hatchery-capi --example rate`.

use std::time::Instant;

use hatchery_engine::program::Program;
use hatchery_engine::{
    Backend, Config, Engine, Exit, GasModel, Instance, InstructionSet, ProgramCounter, Reg,
};

/// Guests, their exports, and an argument for each backend.
const GUESTS: &str = include_str!("../bench/guests.txt");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/programs");
    for &backend in Backend::AVAILABLE.iter().filter(|&&backend| backend != Backend::Verify) {
        let config = Config::default().gas_model(GasModel::Flat).backend(backend).faults_to_host(true);
        let engine = Engine::new(config)?;
        let set = InstructionSet::GrayPaper07;
        let is_native = backend == Backend::Recompiler;
        let spin = Program::from_raw(&std::fs::read(format!("{folder}/spin.pvm"))?, set)?;
        let mut spin = engine.compile_program(spin)?.instantiate();
        let spun = rate(&mut spin, ProgramCounter(0), if is_native { 200_000_000 } else { 20_000_000 });
        println!("Rust {} loop {spun:.3} Ggas/s", backend.name());
        for line in GUESTS.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [guest, export, interpreted, native] = words[..] else { return Err(line.into()) };
            let argument = if is_native { native } else { interpreted }.parse()?;
            let blob = std::fs::read(format!("{folder}/../../../guests/blobs/jam-v1/{guest}.polkavm"))?;
            let module = engine.compile(&blob)?;
            let pc = module.export(export.as_bytes()).ok_or_else(|| format!("there is no `{export}`"))?;
            println!(
                "Rust {} {guest} {:.3} Ggas/s",
                backend.name(),
                rate(&mut module.instantiate(), pc, argument)
            );
        }
        let calls = Program::from_standard(&std::fs::read(format!("{folder}/calls.jam"))?, set)?;
        let mut instance = engine.compile_program(calls)?.instantiate();
        let count = 1_000_000;
        let called = best(&mut instance, ProgramCounter(0), count, |instance| {
            while matches!(instance.run(), Ok(Exit::Syscall(_))) {
                instance.set_reg(Reg::A0, instance.reg(Reg::A0) + 7);
            }
        });
        println!("Rust {} call-by-return {:.1} ns", backend.name(), called / count as f64 * 1e9);
    }
    Ok(())
}

/// Gas a second, in billions, of a program that makes no host call.
fn rate(instance: &mut Instance, pc: ProgramCounter, argument: u64) -> f64 {
    let seconds =
        best(instance, pc, argument, |instance| while !matches!(instance.run(), Ok(Exit::Finished)) {});
    (i64::MAX - instance.gas()) as f64 / seconds * 1e-9
}

/// The least of three times or more, half a second of them, in seconds.
fn best(instance: &mut Instance, pc: ProgramCounter, argument: u64, work: impl Fn(&mut Instance)) -> f64 {
    let (mut least, mut all, mut runs) = (f64::INFINITY, 0.0, 0);
    while runs < 3 || all < 0.5 {
        instance.reset();
        // Nine arguments at most fit: this is one.
        let _ = instance.prepare_at(pc, &[argument]);
        instance.set_gas(i64::MAX);
        let start = Instant::now();
        work(instance);
        let time = start.elapsed().as_secs_f64();
        (least, all, runs) = (least.min(time), all + time, runs + 1);
    }
    least
}
