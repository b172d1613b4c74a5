//! wasmi 2, with fuel, translating everything at once.

use super::{Description, Engine, Gas, Instance, Module, PLENTY};
use crate::host::{self, GuestMemory, Host};
use crate::measure::Clock;
use crate::programs::Program;
use anyhow::{Context, Result};
use wasmi::{Caller, Config, Linker, Memory, Store, TypedFunc};

pub(super) fn add(engines: &mut Vec<(String, Result<Box<dyn Engine>>)>) {
    let mut config = Config::default();
    config.consume_fuel(true);
    super::add(engines, "wasmi".into(), Ok(Wasmi { engine: wasmi::Engine::new(&config) }));
}

struct Wasmi {
    engine: wasmi::Engine,
}

impl Engine for Wasmi {
    fn description(&self) -> Description {
        Description { id: "wasmi".into(), name: "wasmi 2.0".into(), gas: Gas::Fuel, clock: Clock::Processor }
    }

    fn compile(&self, program: &Program) -> Result<Box<dyn Module>> {
        let module = wasmi::Module::new(&self.engine, &program.wasm[..])?;
        let mut linker = Linker::new(&self.engine);
        for (number, name) in host::NAMES.into_iter().enumerate() {
            let answer = move |mut caller: Caller<'_, State>, a: i64, b: i64, c: i64| {
                let memory = caller.data().memory;
                let memory = memory.ok_or_else(|| wasmi::Error::new("the program has no memory"))?;
                let (bytes, state) = memory.data_and_store_mut(&mut caller);
                let arguments = [a as u64, b as u64, c as u64];
                let answer = state.host.answer(number as u64, arguments, &mut Linear(bytes));
                answer.map(|answer| answer as i64).map_err(|error| wasmi::Error::new(error.to_string()))
            };
            linker.func_wrap("host", name, answer)?;
        }
        Ok(Box::new(Compiled { module, linker }))
    }
}

struct State {
    host: Host,
    memory: Option<Memory>,
}

struct Compiled {
    module: wasmi::Module,
    linker: Linker<State>,
}

impl Module for Compiled {
    fn instantiate(&self) -> Result<Box<dyn Instance>> {
        let mut store = Store::new(self.module.engine(), State { host: Host::default(), memory: None });
        store.set_fuel(PLENTY)?;
        let instance = self.linker.instantiate_and_start(&mut store, &self.module)?;
        store.data_mut().memory = Some(instance.get_memory(&store, "memory").context("no memory")?);
        let run = instance.get_typed_func(&store, "run")?;
        Ok(Box::new(Running { store, run }))
    }
}

struct Running {
    store: Store<State>,
    run: TypedFunc<i64, i64>,
}

impl Instance for Running {
    fn call(&mut self, amount: u64) -> Result<u64> {
        self.store.set_fuel(PLENTY)?;
        Ok(self.run.call(&mut self.store, amount as i64)? as u64)
    }
}

struct Linear<'a>(&'a mut [u8]);

impl GuestMemory for Linear<'_> {
    fn read(&mut self, address: u64, buffer: &mut [u8]) -> Result<()> {
        let from = self.0.get(address as usize..).and_then(|bytes| bytes.get(..buffer.len()));
        buffer.copy_from_slice(from.context("no such memory")?);
        Ok(())
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<()> {
        let to = self.0.get_mut(address as usize..).and_then(|memory| memory.get_mut(..bytes.len()));
        to.context("no such memory")?.copy_from_slice(bytes);
        Ok(())
    }
}
