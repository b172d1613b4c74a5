//! Processes that are started and waited for, and blocks that go through a pipe and back: on Hatchery's scheduler, and with the feature
//! `peers` on ckb-script's. `docs/processes.md` has the commands and the figures.

#[cfg(feature = "peers")]
mod ckb;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use hatchery_engine::{Backend, Config, Engine, Module};
use hatchery_scheduler::{Limits, Modules, Program, RunMode, Scheduler, Status, Stop};

/// What is measured.
#[derive(Clone, Copy)]
enum Work {
    /// A process that does nothing is started and waited for.
    Spawn,
    /// So many bytes go to another process and come back.
    RoundTrip(u32),
}

impl Work {
    const ALL: [Self; 4] = [Self::Spawn, Self::RoundTrip(1), Self::RoundTrip(1024), Self::RoundTrip(65_536)];

    fn name(self) -> String {
        match self {
            Self::Spawn => "spawn, exit, wait".to_owned(),
            Self::RoundTrip(bytes) => format!("pipe, there and back, {bytes} bytes"),
        }
    }
}

/// What does the work so often, and the time that it takes.
type Runner = Box<dyn Fn(Work, u32) -> Result<Duration>>;

fn main() -> Result<()> {
    let mut runners: Vec<(String, Runner)> = Vec::new();
    for backend in [Backend::Interpreter, Backend::Recompiler] {
        if Backend::AVAILABLE.contains(&backend) {
            let module = module(backend)?;
            let run = move |work, count| hatchery(&module, work, count);
            runners.push((format!("Hatchery, {}", backend.name()), Box::new(run)));
        }
    }
    #[cfg(feature = "peers")]
    {
        let guest = std::env::args().nth(1).context("name the guest for RISC-V: an ELF file")?;
        let guest = std::fs::read(&guest).with_context(|| format!("cannot read {guest}"))?;
        runners.push(("ckb-script 1.2, assembler".to_owned(), ckb::runner(&guest)));
    }
    for work in Work::ALL {
        for (name, run) in &runners {
            println!("{:<36} {name:<28} {:>12.3?}", work.name(), each(run, work)?);
        }
    }
    Ok(())
}

/// The time of one: the median of nine differences between a long run and a short one.
fn each(run: &Runner, work: Work) -> Result<Duration> {
    let short = 16;
    let mut long = 32;
    while run(work, long)? < Duration::from_millis(40) && long < 1 << 20 {
        long *= 2;
    }
    let mut times = Vec::new();
    for _ in 0..9 {
        let (most, least) = (run(work, short + long)?, run(work, short)?);
        times.push(most.saturating_sub(least) / long);
    }
    times.sort_unstable();
    Ok(times[times.len() / 2])
}

/// The time that the processor has spent on this thread.
fn clock() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn module(backend: Backend) -> Result<Module> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../guests/blobs/jam-v1/process-cases.polkavm");
    let blob = std::fs::read(path).with_context(|| format!("cannot read {path}"))?;
    Ok(Engine::new(Config::default().backend(backend))?.compile(&blob)?)
}

fn hatchery(module: &Module, work: Work, count: u32) -> Result<Duration> {
    let (case, size) = match work {
        Work::Spawn => (60, 0),
        Work::RoundTrip(bytes) => (61, bytes),
    };
    let arguments: Vec<u8> =
        [case, 0].into_iter().chain(count.to_le_bytes()).chain(u32::to_le_bytes(size)).collect();
    let programs = Modules::default().with("cases", module.clone());
    let mut tree = Scheduler::new(programs, Limits::default(), &Program::whole("cases"), &arguments)?;
    let start = clock();
    let stop = tree.run(RunMode::Limit(u64::MAX))?;
    let time = clock() - start;
    ensure!(stop == Stop::Ended(Status::Exited(0)), "{stop}");
    Ok(time)
}
