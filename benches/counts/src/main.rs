//! Work whose instructions valgrind counts: a fixed set, of the interpreter and of what compiling and gas take. Native code of guests is
//! left out: it finds its pages by refused accesses, of which valgrind makes something else.
//!
//! The programs are those that are committed, so that no compiler but the engine's own decides.

#![forbid(unsafe_code)]

use anyhow::{Context, Result, bail, ensure};
use hatchery_engine::{Backend, Config, Engine, Exit, GasModel, Module, Reg};
use std::fs;
use std::hint::black_box;
use std::path::Path;

/// A work by its name. What it returns is prepared before counting begins; what that returns is counted.
type Counted = (&'static str, fn() -> Result<Box<dyn FnOnce() -> Result<()>>>);

const COUNTED: [Counted; 11] = [
    ("compile-lazy", || compile(Backend::Interpreter, GasModel::PIPELINE_L2)),
    ("compile-native-flat", || compile(Backend::Recompiler, GasModel::Flat)),
    ("compile-native-pipeline", || compile(Backend::Recompiler, GasModel::PIPELINE_L2)),
    ("gas-pipeline", gas),
    ("first-call", first_call),
    ("instances", instances),
    ("syscalls", || execute("syscalls", "round_trips", 5_000)),
    ("primes", || execute("primes", "primes", 100_000)),
    ("sha256", || execute("sha256", "hash_chain", 200)),
    ("fib", || execute("fib", "fib", 15)),
    ("heap", || execute("heap", "churn", 300)),
];

fn main() -> Result<()> {
    run(std::env::args().nth(1).as_deref())
}

/// Executes one, or lists them all.
fn run(name: Option<&str>) -> Result<()> {
    let Some(name) = name else {
        for (name, _) in COUNTED {
            println!("{name}");
        }
        return Ok(());
    };
    let (_, prepare) =
        COUNTED.iter().find(|(known, _)| *known == name).with_context(|| format!("there is no {name}"))?;
    let work = prepare()?;
    counted(work)
}

/// What valgrind counts: it is told this function's name.
#[inline(never)]
fn counted(work: Box<dyn FnOnce() -> Result<()>>) -> Result<()> {
    let result = work();
    // Not the last thing that happens here, or it would be a jump instead of a call.
    black_box(());
    result
}

fn blob(name: &str) -> Result<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guests/blobs/jam-v1");
    let file = folder.join(name).with_extension("polkavm");
    fs::read(&file).with_context(|| format!("cannot read {}", file.display()))
}

fn engine(backend: Backend, model: GasModel) -> Result<Engine> {
    Ok(Engine::new(Config::default().backend(backend).gas_model(model))?)
}

fn module(name: &str) -> Result<Module> {
    Ok(engine(Backend::Interpreter, GasModel::PIPELINE_L2)?.compile(&blob(name)?)?)
}

fn compile(backend: Backend, model: GasModel) -> Result<Box<dyn FnOnce() -> Result<()>>> {
    let (engine, blob) = (engine(backend, model)?, blob("ed25519")?);
    Ok(Box::new(move || {
        black_box(engine.compile(&blob)?);
        Ok(())
    }))
}

fn gas() -> Result<Box<dyn FnOnce() -> Result<()>>> {
    let module = module("ed25519")?;
    Ok(Box::new(move || {
        ensure!(module.blocks().map(|block| u64::from(block.cost)).sum::<u64>() > 0, "it costs nothing");
        Ok(())
    }))
}

/// Operations and their gas are made on the way.
fn first_call() -> Result<Box<dyn FnOnce() -> Result<()>>> {
    let module = module("ed25519")?;
    Ok(Box::new(move || {
        ensure!(call(&module, "verify", 0)? == 1, "the signature is valid");
        Ok(())
    }))
}

fn instances() -> Result<Box<dyn FnOnce() -> Result<()>>> {
    let module = module("fib")?;
    ensure!(call(&module, "fib", 1)? == 1, "fib(1)");
    Ok(Box::new(move || {
        for _ in 0..200 {
            ensure!(call(&module, "fib", 1)? == 1, "fib(1)");
        }
        Ok(())
    }))
}

fn execute(name: &str, export: &'static str, argument: u64) -> Result<Box<dyn FnOnce() -> Result<()>>> {
    let module = module(name)?;
    // Operations and their gas are made before.
    let expected = call(&module, export, argument)?;
    Ok(Box::new(move || {
        ensure!(call(&module, export, argument)? == expected, "the answer has changed");
        Ok(())
    }))
}

/// Calls an export in a new instance, answering syscalls with 1.
fn call(module: &Module, export: &str, argument: u64) -> Result<u64> {
    let mut instance = module.instantiate();
    instance.prepare(export, &[argument])?;
    instance.set_gas(i64::MAX);
    loop {
        match instance.run()? {
            Exit::Finished => return Ok(instance.reg(Reg::A0)),
            Exit::Syscall(_) => instance.set_reg(Reg::A0, 1),
            exit => bail!("{exit:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_work_can_be_counted() {
        for (name, _) in COUNTED {
            run(Some(name)).unwrap_or_else(|error| panic!("{name}: {error:#}"));
        }
        assert!(run(Some("nothing")).is_err());
    }
}
