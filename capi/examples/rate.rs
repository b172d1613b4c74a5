//! The baseline of `bench/`: the engine itself, without the C functions. `cargo run --release -p hatchery-capi --example rate`.

use std::time::Instant;

use hatchery_engine::program::Program;
use hatchery_engine::{
    Backend, Config, Engine, Exit, GasModel, Instance, InstructionSet, ProgramCounter, Reg,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/programs");
    for &backend in Backend::AVAILABLE.iter().filter(|&&backend| backend != Backend::Verify) {
        let config = Config::default().gas_model(GasModel::Flat).backend(backend).faults_to_host(true);
        let engine = Engine::new(config)?;
        let set = InstructionSet::GrayPaper07;
        let spin = Program::from_raw(&std::fs::read(format!("{folder}/spin.pvm"))?, set)?;
        let mut instance = engine.compile_program(spin)?.instantiate();
        let rounds = if backend == Backend::Recompiler { 200_000_000 } else { 20_000_000 };
        let spun =
            best(&mut instance, rounds, |instance| while !matches!(instance.run(), Ok(Exit::Finished)) {});
        let gas = i64::MAX - instance.gas();

        let calls = Program::from_standard(&std::fs::read(format!("{folder}/calls.jam"))?, set)?;
        let mut instance = engine.compile_program(calls)?.instantiate();
        let count = 1_000_000;
        let called = best(&mut instance, count, |instance| {
            while matches!(instance.run(), Ok(Exit::Syscall(_))) {
                instance.set_reg(Reg::A0, instance.reg(Reg::A0) + 7);
            }
        });
        println!(
            "Rust {}: {:.2} Ggas/s, host call {:.1} ns",
            backend.name(),
            gas as f64 / spun * 1e-9,
            called / count as f64 * 1e9
        );
    }
    Ok(())
}

/// The least of three times, in seconds.
fn best(instance: &mut Instance, argument: u64, work: impl Fn(&mut Instance)) -> f64 {
    let times = (0..3).map(|_| {
        // Nine arguments at most fit: this is one.
        let _ = instance.prepare_at(ProgramCounter(0), &[argument]);
        instance.set_gas(i64::MAX);
        let start = Instant::now();
        work(instance);
        start.elapsed().as_secs_f64()
    });
    times.fold(f64::INFINITY, f64::min)
}
