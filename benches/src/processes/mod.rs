//! Schedulers of processes. They execute the program `processes`, whose argument says what to do.

#[cfg(feature = "ckb-script")]
mod ckb;
mod hatchery;

use crate::programs::Processes;
use anyhow::Result;
use hatchery_engine::Backend;

/// What the processes do.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Work {
    /// A process that does nothing is started and waited for.
    Spawn,
    /// So many bytes go to another process and come back.
    Pipe(u32),
    /// A byte goes around 17 processes.
    Ring,
    /// The same where memory is scarce, and each process writes to so many pages before it passes the byte on.
    Park(u32),
}

impl Work {
    /// The argument of the first process, which does it so many times.
    fn argument(self, times: u64) -> String {
        let (name, size) = match self {
            Self::Spawn => ("spawn", 0),
            Self::Pipe(bytes) => ("pipe", bytes),
            Self::Ring => ("ring", 0),
            Self::Park(pages) => ("ring", pages),
        };
        format!("{name} 0 {times} {size}")
    }
}

/// A scheduler with the program.
pub(crate) trait Scheduler {
    /// Makes a tree of processes and runs it until work is done so many times.
    fn run(&self, work: Work, times: u64) -> Result<()>;
}

/// All schedulers that there are, by the names that they have in results, or why one is missing on this machine.
pub(crate) fn all(program: &Processes) -> Vec<(&'static str, Result<Box<dyn Scheduler>>)> {
    let hatchery = |backend| {
        hatchery::Hatchery::new(backend, &program.polkavm)
            .map(|scheduler| Box::new(scheduler) as Box<dyn Scheduler>)
    };
    vec![
        ("hatchery-interpreter-pipeline", hatchery(Backend::Interpreter)),
        ("hatchery-recompiler-pipeline", hatchery(Backend::Recompiler)),
        #[cfg(feature = "ckb-script")]
        ("ckb-script 1.2, assembler", Ok(Box::new(ckb::Ckb::new(&program.riscv)))),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_say_what_to_do() {
        assert_eq!(Work::Spawn.argument(7), "spawn 0 7 0");
        assert_eq!(Work::Pipe(1024).argument(1), "pipe 0 1 1024");
        assert_eq!(Work::Ring.argument(3), "ring 0 3 0");
        assert_eq!(Work::Park(16).argument(3), "ring 0 3 16");
    }
}
