//! Hatchery's scheduler, with pipeline gas.

use super::{Scheduler, Work};
use crate::engines::{Gas, model};
use anyhow::{Result, ensure};
use hatchery_engine::{Backend, Config, Engine, Module};
use hatchery_scheduler::{Limits, Modules, RunMode, Status, Stop};

/// What processes call their program.
const IDENTIFIER: &str = "processes";

pub(super) struct Hatchery {
    module: Module,
    /// The same of an engine in which only one process at a time has memory that it can run in.
    scarce: Module,
}

impl Hatchery {
    pub(super) fn new(backend: Backend, program: &[u8]) -> Result<Self> {
        let config = Config::default().backend(backend).gas_model(model(Gas::Pipeline));
        let scarce = Engine::new(config.window_limit(1))?.compile(program)?;
        Ok(Self { module: Engine::new(config)?.compile(program)?, scarce })
    }
}

impl Scheduler for Hatchery {
    fn run(&self, work: Work, times: u64) -> Result<()> {
        let module = if matches!(work, Work::Park(_)) { &self.scarce } else { &self.module };
        let programs = Modules::default().with(IDENTIFIER, module.clone());
        let program = hatchery_scheduler::Program::whole(IDENTIFIER);
        let argument = work.argument(times);
        let mut tree =
            hatchery_scheduler::Scheduler::new(programs, Limits::default(), &program, argument.as_bytes())?;
        let stop = tree.run(RunMode::Limit(u64::MAX))?;
        ensure!(stop == Stop::Ended(Status::Exited(0)), "{stop}");
        Ok(())
    }
}
