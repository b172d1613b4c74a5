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
        let is_native = backend == Backend::Recompiler;
        let spin = Program::from_raw(&std::fs::read(format!("{folder}/spin.pvm"))?, set)?;
        let mut spin = engine.compile_program(spin)?.instantiate();
        let spun = rate(&mut spin, ProgramCounter(0), if is_native { 200_000_000 } else { 20_000_000 });
        let blob = std::fs::read(format!("{folder}/../../../guests/blobs/jam-v1/primes.polkavm"))?;
        let primes = engine.compile(&blob)?;
        let pc = primes.export(b"primes").ok_or("there is no `primes`")?;
        let found = rate(&mut primes.instantiate(), pc, if is_native { 20_000_000 } else { 2_000_000 });

        let calls = Program::from_standard(&std::fs::read(format!("{folder}/calls.jam"))?, set)?;
        let mut instance = engine.compile_program(calls)?.instantiate();
        let count = 1_000_000;
        let called = best(&mut instance, ProgramCounter(0), count, |instance| {
            while matches!(instance.run(), Ok(Exit::Syscall(_))) {
                instance.set_reg(Reg::A0, instance.reg(Reg::A0) + 7);
            }
        });
        println!(
            "Rust {}: loop {spun:.2}, primes {found:.2} Ggas/s, host call {:.1} ns",
            backend.name(),
            called / count as f64 * 1e9
        );
    }
    Ok(())
}

/// Gas a second, in billions, of a program that makes no host call.
fn rate(instance: &mut Instance, pc: ProgramCounter, argument: u64) -> f64 {
    let seconds =
        best(instance, pc, argument, |instance| while !matches!(instance.run(), Ok(Exit::Finished)) {});
    (i64::MAX - instance.gas()) as f64 / seconds * 1e-9
}

/// The least of three times, in seconds.
fn best(instance: &mut Instance, pc: ProgramCounter, argument: u64, work: impl Fn(&mut Instance)) -> f64 {
    let times = (0..3).map(|_| {
        instance.reset();
        // Nine arguments at most fit: this is one.
        let _ = instance.prepare_at(pc, &[argument]);
        instance.set_gas(i64::MAX);
        let start = Instant::now();
        work(instance);
        start.elapsed().as_secs_f64()
    });
    times.fold(f64::INFINITY, f64::min)
}
