//! wasmtime 48 with fuel: Cranelift, and Winch, with pooled instances.

use super::{Description, Engine, Gas, Instance, Module, PLENTY};
use crate::host::{self, GuestMemory, Host};
use crate::measure::Clock;
use crate::programs::Program;
use anyhow::{Context, Result, anyhow};
use wasmtime::{
    Caller, Config, InstanceAllocationStrategy, InstancePre, Linker, Memory, PoolingAllocationConfig, Store,
    Strategy, TypedFunc,
};

pub(super) fn add(engines: &mut Vec<(String, Result<Box<dyn Engine>>)>, many: bool) {
    // Each takes four gigabytes of addresses, of which there are enough for 30,000 in all.
    let pool = if many { 10_100 } else { 100 };
    super::add(engines, "wasmtime-cranelift".into(), Wasmtime::new(false, pool));
    super::add(engines, "wasmtime-winch".into(), Wasmtime::new(true, pool));
}

struct Wasmtime {
    winch: bool,
    engine: wasmtime::Engine,
}

impl Wasmtime {
    fn new(winch: bool, instances: u32) -> Result<Self> {
        let mut pool = PoolingAllocationConfig::default();
        pool.total_core_instances(instances)
            .total_memories(instances)
            .total_tables(instances)
            .max_memory_size(16 << 20);
        let mut config = Config::new();
        config
            .strategy(if winch { Strategy::Winch } else { Strategy::Cranelift })
            .consume_fuel(true)
            .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        Ok(Self { winch, engine: wasmtime::Engine::new(&config).map_err(|error| anyhow!("{error:#}"))? })
    }
}

impl Engine for Wasmtime {
    fn description(&self) -> Description {
        let (id, way) =
            if self.winch { ("wasmtime-winch", "Winch") } else { ("wasmtime-cranelift", "Cranelift") };
        let name = format!("wasmtime 48 {way}");
        Description { id: id.into(), name, gas: Gas::Fuel, clock: Clock::Processor }
    }

    fn compile(&self, program: &Program) -> Result<Box<dyn Module>> {
        let compile = || -> wasmtime::Result<InstancePre<State>> {
            let module = wasmtime::Module::new(&self.engine, &program.wasm)?;
            let mut linker = Linker::new(&self.engine);
            for (number, name) in host::NAMES.into_iter().enumerate() {
                let answer = move |mut caller: Caller<'_, State>, a: i64, b: i64, c: i64| {
                    let memory = caller.data().memory;
                    let memory = memory.ok_or_else(|| wasmtime::Error::msg("the program has no memory"))?;
                    let (bytes, state) = memory.data_and_store_mut(&mut caller);
                    let arguments = [a as u64, b as u64, c as u64];
                    let answer = state.host.answer(number as u64, arguments, &mut Linear(bytes));
                    answer
                        .map(|answer| answer as i64)
                        .map_err(|error| wasmtime::Error::msg(error.to_string()))
                };
                linker.func_wrap("host", name, answer)?;
            }
            linker.instantiate_pre(&module)
        };
        Ok(Box::new(Compiled(compile().map_err(|error| anyhow!("{error:#}"))?)))
    }
}

struct State {
    host: Host,
    memory: Option<Memory>,
}

struct Compiled(InstancePre<State>);

impl Module for Compiled {
    fn instantiate(&self) -> Result<Box<dyn Instance>> {
        let instantiate = || -> wasmtime::Result<Running> {
            let mut store =
                Store::new(self.0.module().engine(), State { host: Host::default(), memory: None });
            store.set_fuel(PLENTY)?;
            let instance = self.0.instantiate(&mut store)?;
            let memory = instance.get_memory(&mut store, "memory");
            store.data_mut().memory = memory;
            let run = instance.get_typed_func(&mut store, "run")?;
            Ok(Running { store, run })
        };
        Ok(Box::new(instantiate().map_err(|error| anyhow!("{error:#}"))?))
    }
}

struct Running {
    store: Store<State>,
    run: TypedFunc<i64, i64>,
}

impl Instance for Running {
    fn call(&mut self, amount: u64) -> Result<u64> {
        let Self { store, run } = self;
        let answer = store.set_fuel(PLENTY).and_then(|()| run.call(store, amount as i64));
        answer.map(|answer| answer as u64).map_err(|error| anyhow!("{error:#}"))
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
