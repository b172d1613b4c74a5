//! Compares the interpreters: this one, with each dispatcher it has, and those of polkavm 0.33 and 0.37. All with synchronous gas
//! and the pipeline model, all on the same guests, taking turns.
//!
//! `cargo run --release -p hatchery-engine --example interpreters [filter] [rounds]` prints milliseconds of processor time of the
//! thread: the lower quartile of the rounds, and in parentheses how many times as long as the first column.
//!
//! With `only ENGINE FILTER` it runs one engine on the guests that match, once: for callgrind and perf. With `cold` it measures what a
//! first call costs: compiling, instantiating, and a call that returns at once or that verifies a signature.

use hatchery_engine::program::{Code, Program};
use hatchery_engine::{Backend, Config, Engine, Exit, GasModel, Instance, ProgramCounter, Reg};

type Error = Box<dyn std::error::Error>;

const CALLS: &[(&str, &str, u64)] = &[
    ("primes", "primes", 1_000_000),
    ("sha256", "hash_zeros", 200_000),
    ("ed25519", "verify", 0),
    ("integers", "simulate", 2_000),
    ("fib", "fib", 22),
    ("fib", "fib_loop", 1_000_000),
    ("heap", "churn", 20_000),
    ("syscalls", "round_trips", 200_000),
];

const GAS: i64 = 1 << 50;

/// Executes calls of a guest and gives their results.
trait Guest {
    fn call(&mut self, argument: u64) -> Result<u64, Error>;
}

struct Ours {
    instance: Instance,
    export: &'static str,
}

impl Ours {
    fn new(blob: &[u8], export: &'static str, portable: bool) -> Result<Self, Error> {
        let config = Config::default().gas_model(GasModel::PIPELINE_L2).portable_dispatch(portable);
        let config = config.backend(Backend::Interpreter);
        Ok(Self { instance: Engine::new(config)?.compile(blob)?.instantiate(), export })
    }
}

impl Guest for Ours {
    fn call(&mut self, argument: u64) -> Result<u64, Error> {
        self.instance.prepare(self.export, &[argument])?;
        self.instance.set_gas(GAS);
        loop {
            match self.instance.run()? {
                Exit::Finished => return Ok(self.instance.reg(Reg::A0)),
                Exit::Syscall(number) => self.instance.set_reg(Reg::A0, number.into()),
                exit => return Err(format!("{exit:?}").into()),
            }
        }
    }
}

macro_rules! polkavm {
    ($name:ident, $polkavm:ident) => {
        struct $name {
            instance: $polkavm::RawInstance,
            entry: $polkavm::ProgramCounter,
        }

        impl $name {
            fn new(blob: &[u8], export: &str) -> Result<Self, Error> {
                let mut config = $polkavm::Config::new();
                config.set_backend(Some($polkavm::BackendKind::Interpreter));
                let model = $polkavm::CostModelKind::Full($polkavm::CacheModel::L2Hit);
                config.set_default_cost_model(Some(model));
                config.set_allow_experimental(true);
                let engine = $polkavm::Engine::new(&config).map_err(|error| error.to_string())?;
                let mut config = $polkavm::ModuleConfig::new();
                config.set_gas_metering(Some($polkavm::GasMeteringKind::Sync));
                let module = $polkavm::Module::new(&engine, &config, blob.to_vec().into())
                    .map_err(|error| error.to_string())?;
                let entry = module.exports().find(|found| found.symbol().as_bytes() == export.as_bytes());
                let entry = entry.ok_or("no such export")?.program_counter();
                let instance = module.instantiate().map_err(|error| error.to_string())?;
                Ok(Self { instance, entry })
            }
        }

        impl Guest for $name {
            fn call(&mut self, argument: u64) -> Result<u64, Error> {
                self.instance.prepare_call_untyped(self.entry, &[argument]);
                self.instance.set_gas(GAS);
                loop {
                    match self.instance.run().map_err(|error| error.to_string())? {
                        $polkavm::InterruptKind::Finished => {
                            return Ok(self.instance.reg($polkavm::Reg::A0));
                        }
                        $polkavm::InterruptKind::Ecalli(number) => {
                            self.instance.set_reg($polkavm::Reg::A0, number.into());
                        }
                        exit => return Err(format!("{exit:?}").into()),
                    }
                }
            }
        }
    };
}

polkavm!(V033, polkavm_033);
polkavm!(V037, polkavm_037);

/// Processor time of this thread in milliseconds; elsewhere just time.
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
fn now() -> f64 {
    static BEGIN: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    BEGIN.elapsed().as_secs_f64() * 1e3
}

/// Processor time of this thread in milliseconds.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn now() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the clock is written to a place of ours.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

fn guest(engine: &str, blob: &[u8], export: &'static str) -> Result<Box<dyn Guest>, Error> {
    Ok(match engine {
        "threaded" => Box::new(Ours::new(blob, export, false)?),
        "portable" => Box::new(Ours::new(blob, export, true)?),
        "polkavm-0.33" => Box::new(V033::new(blob, export)?),
        "polkavm-0.37" => Box::new(V037::new(blob, export)?),
        _ => return Err(format!("no engine `{engine}`").into()),
    })
}

/// The lower quartile of what some work says it takes, in microseconds. It is given in milliseconds.
fn microseconds(mut work: impl FnMut() -> Result<f64, Error>) -> Result<f64, Error> {
    let mut times = Vec::new();
    for _ in 0..31 {
        times.push(work()? * 1e3);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 4])
}

/// First calls.
fn cold() -> Result<(), Error> {
    let path = format!("{}/../guests/blobs/jam-v1/ed25519.polkavm", env!("CARGO_MANIFEST_DIR"));
    let blob = std::fs::read(path)?;
    println!("verify a signature, {} bytes of blob, compiling included:", blob.len());
    for engine in ["threaded", "portable", "polkavm-0.33", "polkavm-0.37"] {
        let time = microseconds(|| {
            let begin = now();
            guest(engine, &blob, "verify")?.call(0)?;
            Ok(now() - begin)
        })?;
        println!("    {engine:<14}{time:>10.1} us");
    }
    // A function that returns at once, and behind it the same code over and over.
    let engine = Engine::new(Config::default().backend(Backend::Interpreter))?;
    let part = engine.compile(&blob)?;
    let set = part.instruction_set();
    println!("return at once, of a program with so many bytes of code:");
    for length in [1 << 10, 1 << 16, 1 << 20, 1 << 22, 1 << 25] {
        let mut bytes = vec![50, 0];
        while bytes.len() < length {
            bytes.extend_from_slice(part.code().bytes());
        }
        bytes.truncate(length);
        let mut bitmask = vec![0u8; length.div_ceil(8)];
        for pc in 0..length {
            let from = (pc + part.code().bytes().len() - 2) % part.code().bytes().len();
            let starts = if pc < 2 { pc == 0 } else { part.code().is_start(from as u32) };
            bitmask[pc / 8] |= u8::from(starts) << (pc % 8);
        }
        let mut program = Program::from_raw(&[0, 0, 1, 0, 1], set)?;
        program.code = Code::new(set, &bytes, &bitmask, &[], 0)?;
        program.memory.rw_size = 4096;
        let mut first_instruction = f64::MAX;
        let all = microseconds(|| {
            let program = program.clone();
            let begin = now();
            let mut instance = engine.compile_program(program)?.instantiate();
            instance.prepare_at(ProgramCounter(0), &[])?;
            instance.set_gas(1000);
            let compiled = now();
            let exit = instance.run()?;
            let end = now();
            first_instruction = first_instruction.min((end - compiled) * 1e3);
            if exit == Exit::Finished { Ok(end - begin) } else { Err(format!("{exit:?}").into()) }
        })?;
        println!("    {length:>10}{all:>10.1} us, of which the call {first_instruction:.1} us");
    }
    Ok(())
}

fn main() -> Result<(), Error> {
    if std::env::args().nth(1).is_some_and(|first| first == "cold") {
        return cold();
    }
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut engines = vec!["threaded", "portable", "polkavm-0.33", "polkavm-0.37"];
    if !Config::HAS_DIRECT_THREADING {
        engines.remove(0);
    }
    let only = arguments.first().is_some_and(|first| first == "only");
    if only {
        let wanted = arguments.get(1).ok_or("which engine?")?.clone();
        engines.retain(|engine| *engine == wanted);
        arguments.drain(..2);
    }
    let filter = arguments.first().cloned().unwrap_or_default();
    let rounds = arguments.get(1).map_or(Ok(if only { 1 } else { 15 }), |rounds| rounds.parse::<usize>())?;
    println!("{:<24}{}", "", engines.iter().map(|name| format!("{name:>18}")).collect::<String>());
    for &(name, export, argument) in CALLS {
        let title = format!("{export}({argument})");
        if !title.contains(&filter) && !name.contains(&filter) {
            continue;
        }
        let path = format!("{}/../guests/blobs/jam-v1/{name}.polkavm", env!("CARGO_MANIFEST_DIR"));
        let blob = std::fs::read(path)?;
        let mut guests = Vec::new();
        for engine in &engines {
            guests.push(guest(engine, &blob, export)?);
        }
        let mut times = vec![Vec::new(); guests.len()];
        let mut results = Vec::new();
        for _ in 0..rounds {
            for (guest, times) in guests.iter_mut().zip(&mut times) {
                let begin = now();
                results.push(guest.call(argument)?);
                times.push(now() - begin);
            }
        }
        if results.iter().any(|result| *result != results[0]) {
            return Err(format!("{title}: results differ: {results:?}").into());
        }
        let mut line = format!("{title:<24}");
        let mut first = None;
        for times in &mut times {
            times.sort_by(f64::total_cmp);
            let time = times[times.len() / 4];
            let first = *first.get_or_insert(time);
            line += &format!("{time:>10.3} ({:>4.2})", time / first);
        }
        println!("{line}");
    }
    Ok(())
}
