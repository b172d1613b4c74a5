//! Hatchery.

use super::{Description, Engine, Gas, Instance, Module, PLENTY};
use crate::host::{self, GuestMemory, Host};
use crate::measure::Clock;
use crate::programs::Program;
use anyhow::{Context, Result, anyhow, bail};
use hatchery_engine::gas::{Cache, Variant};
use hatchery_engine::{Backend, Config, Exit, GasModel, MemoryMut, ProgramCounter, Reg};

pub(super) fn add(engines: &mut Vec<(String, Result<Box<dyn Engine>>)>) {
    for backend in [Backend::Interpreter, Backend::Recompiler] {
        for gas in [Gas::Flat, Gas::Pipeline] {
            let engine = Hatchery::new(backend, gas);
            super::add(engines, Hatchery::id(backend, gas), engine);
        }
    }
}

/// The model of a gas.
pub(crate) fn model(gas: Gas) -> GasModel {
    match gas {
        // As polkavm 0.37, with which the gas of each call is compared.
        Gas::Pipeline => GasModel::Pipeline { cache: Cache::L2, variant: Variant::V037 },
        _ => GasModel::Flat,
    }
}

struct Hatchery {
    backend: Backend,
    gas: Gas,
    engine: hatchery_engine::Engine,
}

impl Hatchery {
    fn new(backend: Backend, gas: Gas) -> Result<Self> {
        let config = Config::default().backend(backend).gas_model(model(gas));
        Ok(Self { backend, gas, engine: hatchery_engine::Engine::new(config)? })
    }

    fn id(backend: Backend, gas: Gas) -> String {
        let gas = if gas == Gas::Flat { "flat" } else { "pipeline" };
        format!("hatchery-{}-{gas}", backend.name())
    }
}

impl Engine for Hatchery {
    fn description(&self) -> Description {
        Description {
            id: Self::id(self.backend, self.gas),
            name: format!("Hatchery {}", self.backend.name()),
            gas: self.gas,
            clock: Clock::Processor,
        }
    }

    fn compile(&self, program: &Program) -> Result<Box<dyn Module>> {
        let module = self.engine.compile(&program.polkavm)?;
        let run = module.export(b"run").context("the program has no export `run`")?;
        let imports = module.imports().iter().map(|symbol| host::number_of(symbol)).collect::<Result<_>>()?;
        Ok(Box::new(Compiled { module, run, imports }))
    }

    fn compile_polkavm(&self, blob: &[u8]) -> Option<Result<Box<dyn Module>>> {
        let compiled = self.engine.compile(blob).map_err(anyhow::Error::from).map(|module| {
            let run = module.export(b"run").unwrap_or(ProgramCounter(0));
            Box::new(Compiled { module, run, imports: Vec::new() }) as Box<dyn Module>
        });
        Some(compiled)
    }
}

struct Compiled {
    module: hatchery_engine::Module,
    run: ProgramCounter,
    /// The number of the host's function that each import means.
    imports: Vec<u64>,
}

impl Module for Compiled {
    fn instantiate(&self) -> Result<Box<dyn Instance>> {
        Ok(Box::new(Running {
            instance: self.module.instantiate(),
            run: self.run,
            imports: self.imports.clone(),
            host: Host::default(),
        }))
    }
}

struct Running {
    instance: hatchery_engine::Instance,
    run: ProgramCounter,
    imports: Vec<u64>,
    host: Host,
}

impl Instance for Running {
    fn call(&mut self, amount: u64) -> Result<u64> {
        let Self { instance, run, imports, host } = self;
        instance.prepare_at(*run, &[amount])?;
        instance.set_gas(PLENTY as i64);
        loop {
            match instance.run()? {
                Exit::Syscall(import) => {
                    let number = *imports.get(import as usize).context("a syscall that is no import")?;
                    let arguments = [Reg::A0, Reg::A1, Reg::A2].map(|reg| instance.reg(reg));
                    let answer = host.answer(number, arguments, &mut Memory(instance.memory_mut()))?;
                    instance.set_reg(Reg::A0, answer);
                }
                Exit::Finished => return Ok(instance.reg(Reg::A0)),
                exit => bail!("{exit:?}"),
            }
        }
    }

    fn gas_used(&self) -> Option<u64> {
        Some(PLENTY - self.instance.gas() as u64)
    }

    fn fork(&mut self) -> Option<Box<dyn Instance>> {
        let instance = self.instance.fork();
        Some(Box::new(Self { instance, run: self.run, imports: self.imports.clone(), host: Host::default() }))
    }

    fn reset(&mut self) -> Result<bool> {
        self.instance.reset();
        Ok(true)
    }
}

struct Memory<'a>(MemoryMut<'a>);

impl GuestMemory for Memory<'_> {
    fn read(&mut self, address: u64, buffer: &mut [u8]) -> Result<()> {
        self.0.read(address as u32, buffer).map_err(|error| anyhow!(error))
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<()> {
        self.0.write(address as u32, bytes).map_err(|error| anyhow!(error))
    }
}
