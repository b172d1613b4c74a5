//! polkavm 0.37, in three ways.

use super::{Description, Engine, Gas, Instance, Module, PLENTY};
use crate::host::{self, GuestMemory, Host};
use crate::measure::Clock;
use crate::programs::Program;
use anyhow::{Context, Result, anyhow, bail};
use polkavm::{
    BackendKind, CacheModel, Config, CostModelKind, GasMeteringKind, InterruptKind, ModuleConfig,
    ProgramBlob, ProgramCounter, RawInstance, Reg, SandboxKind,
};

pub(super) fn add(engines: &mut Vec<(String, Result<Box<dyn Engine>>)>) {
    for way in [Way::Interpreter, Way::Generic, Way::Linux] {
        for gas in [Gas::Flat, Gas::Pipeline] {
            super::add(engines, PolkaVm::id(way, gas), PolkaVm::new(way, gas));
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Interpreter,
    Generic,
    Linux,
}

struct PolkaVm {
    way: Way,
    gas: Gas,
    engine: polkavm::Engine,
}

impl PolkaVm {
    fn new(way: Way, gas: Gas) -> Result<Self> {
        let mut config = Config::new();
        config.set_allow_experimental(true);
        match way {
            Way::Interpreter => config.set_backend(Some(BackendKind::Interpreter)),
            Way::Generic => {
                config.set_backend(Some(BackendKind::Compiler)).set_sandbox(Some(SandboxKind::Generic))
            }
            Way::Linux => config
                .set_backend(Some(BackendKind::Compiler))
                .set_sandbox(Some(SandboxKind::Linux))
                .set_worker_count(2),
        };
        if gas == Gas::Pipeline {
            config.set_default_cost_model(Some(CostModelKind::Full(CacheModel::L2Hit)));
        }
        let engine = polkavm::Engine::new(&config).map_err(|error| anyhow!("{error}"))?;
        Ok(Self { way, gas, engine })
    }

    fn id(way: Way, gas: Gas) -> String {
        let way = match way {
            Way::Interpreter => "interpreter",
            Way::Generic => "generic",
            Way::Linux => "linux",
        };
        let gas = if gas == Gas::Flat { "flat" } else { "pipeline" };
        format!("polkavm-{way}-{gas}")
    }

    fn module(&self, blob: &[u8]) -> Result<polkavm::Module> {
        let blob = ProgramBlob::parse(blob.to_vec().into()).map_err(|error| anyhow!("{error}"))?;
        let mut config = ModuleConfig::new();
        config.set_gas_metering(Some(GasMeteringKind::Sync));
        polkavm::Module::from_blob(&self.engine, &config, blob).map_err(|error| anyhow!("{error}"))
    }
}

impl Engine for PolkaVm {
    fn description(&self) -> Description {
        let name = match self.way {
            Way::Interpreter => "polkavm 0.37 interpreter",
            Way::Generic => "polkavm 0.37 recompiler, in-process sandbox",
            Way::Linux => "polkavm 0.37 recompiler, Linux sandbox",
        };
        // The Linux sandbox executes programs in a process of their own, whose time is not this one's.
        let clock = if self.way == Way::Linux { Clock::Wall } else { Clock::Processor };
        Description { id: Self::id(self.way, self.gas), name: name.into(), gas: self.gas, clock }
    }

    fn compile(&self, program: &Program) -> Result<Box<dyn Module>> {
        let module = self.module(&program.polkavm)?;
        let run = module.exports().find(|export| export.symbol() == "run").context("no export `run`")?;
        let run = run.program_counter();
        let mut imports = Vec::new();
        for symbol in module.imports() {
            imports.push(host::number_of(symbol.context("an import without a name")?.as_bytes())?);
        }
        Ok(Box::new(Compiled { module, run, imports }))
    }

    fn compile_polkavm(&self, blob: &[u8]) -> Option<Result<Box<dyn Module>>> {
        let compiled = |module| Compiled { module, run: ProgramCounter(0), imports: Vec::new() };
        Some(self.module(blob).map(|module| Box::new(compiled(module)) as Box<dyn Module>))
    }

    /// An instance in the Linux sandbox is a process.
    fn holds_many(&self) -> bool {
        self.way != Way::Linux
    }
}

struct Compiled {
    module: polkavm::Module,
    run: ProgramCounter,
    imports: Vec<u64>,
}

impl Module for Compiled {
    fn instantiate(&self) -> Result<Box<dyn Instance>> {
        let instance = self.module.instantiate().map_err(|error| anyhow!("{error}"))?;
        Ok(Box::new(Running {
            instance,
            run: self.run,
            imports: self.imports.clone(),
            host: Host::default(),
        }))
    }
}

struct Running {
    instance: RawInstance,
    run: ProgramCounter,
    imports: Vec<u64>,
    host: Host,
}

impl Instance for Running {
    fn call(&mut self, amount: u64) -> Result<u64> {
        let Self { instance, run, imports, host } = self;
        instance.prepare_call_untyped(*run, &[amount]);
        instance.set_gas(PLENTY as i64);
        loop {
            match instance.run().map_err(|error| anyhow!("{error}"))? {
                InterruptKind::Ecalli(import) => {
                    let number = *imports.get(import as usize).context("a syscall that is no import")?;
                    let arguments = [Reg::A0, Reg::A1, Reg::A2].map(|reg| instance.reg(reg));
                    let answer = host.answer(number, arguments, &mut Memory(instance))?;
                    instance.set_reg(Reg::A0, answer);
                }
                InterruptKind::Finished => return Ok(instance.reg(Reg::A0)),
                other => bail!("{other:?}"),
            }
        }
    }

    fn gas_used(&self) -> Option<u64> {
        Some(PLENTY - self.instance.gas() as u64)
    }

    fn reset(&mut self) -> Result<bool> {
        self.instance.reset_memory().map_err(|error| anyhow!("{error}"))?;
        Ok(true)
    }
}

struct Memory<'a>(&'a mut RawInstance);

impl GuestMemory for Memory<'_> {
    fn read(&mut self, address: u64, buffer: &mut [u8]) -> Result<()> {
        self.0.read_memory_into(address as u32, buffer).map_err(|error| anyhow!("{error}"))?;
        Ok(())
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<()> {
        self.0.write_memory(address as u32, bytes).map_err(|error| anyhow!("{error}"))
    }
}
