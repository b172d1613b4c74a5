//! Every engine behind the same three traits.

#[cfg(feature = "peers")]
mod ckb;
mod hatchery;
#[cfg(feature = "peers")]
mod javm;
#[expect(unsafe_code, reason = "native code is loaded from a library")]
mod native;
#[cfg(feature = "peers")]
mod polkavm;
#[cfg(feature = "peers")]
mod wasmi;
#[cfg(feature = "peers")]
mod wasmtime;

use crate::measure::Clock;
use crate::programs::Program;
use anyhow::Result;
pub(crate) use hatchery::model;
use serde::{Deserialize, Serialize};

/// More gas than any program of the benchmarks uses.
pub(crate) const PLENTY: u64 = 1 << 60;

/// How an engine makes programs pay.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Gas {
    /// One for each instruction, charged block by block before it is executed.
    Flat,
    /// A simulated pipeline whose loads hit the second-level cache, charged block by block.
    Pipeline,
    /// The engine's own counter.
    Fuel,
    /// Not at all.
    None,
}

/// What is known of an engine.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Description {
    /// A short name, unique among engines.
    pub(crate) id: String,
    /// Name and version.
    pub(crate) name: String,
    /// How programs pay.
    pub(crate) gas: Gas,
    /// Which time is measured.
    pub(crate) clock: Clock,
}

/// An engine in one configuration.
pub(crate) trait Engine {
    /// What it is.
    fn description(&self) -> Description;

    /// Makes a program ready for instances. How much is done here, and how much when an instance is made or first runs, is the
    /// engine's affair.
    fn compile(&self, program: &Program) -> Result<Box<dyn Module>>;

    /// The same for code that is a PolkaVM container and nothing else; none: the engine takes no such.
    fn compile_polkavm(&self, _blob: &[u8]) -> Option<Result<Box<dyn Module>>> {
        None
    }

    /// Whether instances can be made anew: native code has one.
    fn has_instances(&self) -> bool {
        true
    }

    /// Whether a sensible number of instances can exist at the same time.
    fn holds_many(&self) -> bool {
        self.has_instances()
    }
}

/// A program that is ready for instances.
pub(crate) trait Module {
    /// A new instance, with the memory that the program begins with.
    fn instantiate(&self) -> Result<Box<dyn Instance>>;
}

/// A program with memory of its own.
pub(crate) trait Instance {
    /// Calls the program with an amount of work. Its checksum.
    fn call(&mut self, amount: u64) -> Result<u64>;

    /// What the last call has cost, where it can be compared with other engines of the same gas model.
    fn gas_used(&self) -> Option<u64> {
        None
    }

    /// Another instance with the same memory; none: the engine cannot do this.
    fn fork(&mut self) -> Option<Box<dyn Instance>> {
        None
    }

    /// Puts the memory back to what it was in the beginning. False: the engine cannot do this.
    fn reset(&mut self) -> Result<bool> {
        Ok(false)
    }
}

/// All engines that there are, or why one is missing on this machine; perhaps made for many instances.
#[cfg_attr(not(feature = "peers"), expect(unused_variables, reason = "for peers"))]
pub(crate) fn all(many: bool) -> Vec<(String, Result<Box<dyn Engine>>)> {
    let mut engines = Vec::new();
    hatchery::add(&mut engines);
    #[cfg(feature = "peers")]
    {
        polkavm::add(&mut engines);
        javm::add(&mut engines);
        wasmtime::add(&mut engines, many);
        wasmi::add(&mut engines);
        ckb::add(&mut engines);
    }
    native::add(&mut engines);
    engines
}

/// Adds an engine, or why there is none.
fn add<E: Engine + 'static>(
    engines: &mut Vec<(String, Result<Box<dyn Engine>>)>,
    id: String,
    engine: Result<E>,
) {
    engines.push((id, engine.map(|engine| Box::new(engine) as Box<dyn Engine>)));
}
