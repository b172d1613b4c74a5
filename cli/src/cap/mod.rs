//! `hatchery cap`: capabilities in a store on disk, by name.

mod error;
mod paused;
mod slots;
mod state;

use std::fs;
use std::io::Write;

use hatchery_capabilities::graph::Graph;
use hatchery_capabilities::{CallResult, Cap, DataCap, InProcessAssist, KernelAssist, Manifest, Vm};

use crate::args::{
    CapArguments, CapCommand, InspectCapArguments, InvokeArguments, PublishArguments, ResumeArguments,
};
use crate::error::Error;
use crate::status::Status;

pub(crate) use error::CapError;
pub(crate) use slots::SlotArgument;

use paused::Paused;
use state::State;

/// Does what `hatchery cap` says.
pub(crate) fn cap(arguments: &CapArguments, out: &mut dyn Write) -> Result<Status, Error> {
    let mut state = State::open(&arguments.store)?;
    let status = match &arguments.command {
        CapCommand::Publish(arguments) => publish(&mut state, arguments, out)?,
        CapCommand::Invoke(arguments) => invoke(&mut state, arguments, out)?,
        CapCommand::Resume(arguments) => resume(&mut state, arguments, out)?,
        CapCommand::Inspect(arguments) => inspect(&mut state, arguments, out)?,
        CapCommand::Collect => collect(&mut state, out)?,
    };
    Ok(status)
}

fn publish(state: &mut State, arguments: &PublishArguments, out: &mut dyn Write) -> Result<Status, Error> {
    let path = &arguments.file;
    let bytes = crate::file::read(path)?;
    let hash = if arguments.data {
        state.cache.put(Cap::Data(DataCap::new(&bytes))).map_err(CapError::from)?
    } else {
        let manifest = match &arguments.manifest {
            None => Manifest::default(),
            Some(path) => {
                let text =
                    fs::read_to_string(path).map_err(|source| Error::Read { path: path.clone(), source })?;
                Manifest::parse(&text).map_err(CapError::from)?
            }
        };
        let names = state.names().clone();
        let bundle = manifest.build(&bytes, |name| names.get(name).copied()).map_err(CapError::from)?;
        let image = bundle.publish(&mut state.cache).map_err(CapError::from)?;
        writeln!(out, "image {image}")?;
        for (number, endpoint) in bundle.image.endpoints.iter().enumerate() {
            let name = String::from_utf8_lossy(&endpoint.name);
            writeln!(out, "  endpoint {number}: {name}, {} arguments", endpoint.argument_registers)?;
        }
        let slots: Result<Vec<_>, CapError> = arguments.slots.iter().map(|slot| slot.make(state)).collect();
        bundle.instantiate(&mut state.cache, slots?).map_err(CapError::from)?
    };
    let kind = state.cache.get(hash).map_err(CapError::from)?.kind();
    state.name(&arguments.name, hash);
    state.commit()?;
    writeln!(out, "{kind} {hash} is `{}`", arguments.name)?;
    Ok(Status::Success)
}

fn invoke(state: &mut State, arguments: &InvokeArguments, out: &mut dyn Write) -> Result<Status, Error> {
    if state.paused()?.is_some() {
        return Err(CapError::Paused.into());
    }
    let instance = state.resolve(&arguments.instance)?;
    let endpoint = state.endpoint(instance, &arguments.endpoint)?;
    let mut args = [0; 4];
    if arguments.arguments.len() > args.len() {
        return Err(CapError::Arguments { count: arguments.arguments.len() }.into());
    }
    args[..arguments.arguments.len()].copy_from_slice(&arguments.arguments);
    let hand = arguments.hand.as_deref().map(|name| state.resolve(name)).transpose()?;
    for marker in &arguments.catch {
        state.catch(marker)?;
    }
    let mut vm = Vm::new(state.assist.clone()).backend(state.backend);
    let result = vm.invoke_with(&mut state.cache, instance, endpoint, args, arguments.gas, hand);
    let result = result.map_err(CapError::from)?;
    ended(state, &arguments.instance, 0, &result, vm, out)
}

fn resume(state: &mut State, arguments: &ResumeArguments, out: &mut dyn Write) -> Result<Status, Error> {
    let paused = state.paused()?.ok_or(CapError::NotPaused)?;
    let mut vm = Paused::machine(&mut state.cache, state.assist.clone(), state.backend)?;
    if arguments.drop {
        vm.drop_paused().map_err(CapError::from)?;
        state.assist = vm.assist().clone();
        state.set_paused(Paused::none());
        state.commit()?;
        writeln!(out, "dropped: `{}` is as it was", paused.name)?;
        return Ok(Status::Success);
    }
    let hand = match (&arguments.hand, &arguments.number) {
        (Some(name), _) => Some(state.resolve(name)?),
        (None, Some(number)) => {
            let data = Cap::Data(DataCap::new(&number.to_le_bytes()));
            Some(state.cache.put(data).map_err(CapError::from)?)
        }
        (None, None) => None,
    };
    vm.add_gas(arguments.gas);
    for &(meter, gas) in &arguments.meters {
        let left = vm.assist().gas_meter(meter);
        vm.assist_mut().set_gas_meter(meter, left.saturating_add(gas));
    }
    let result = vm.resume(&mut state.cache, hand).map_err(CapError::from)?;
    ended(state, &paused.name, paused.resumed + 1, &result, vm, out)
}

/// Says what came of a call, and keeps it.
fn ended(
    state: &mut State,
    name: &str,
    resumed: u32,
    result: &CallResult,
    mut vm: Vm<InProcessAssist>,
    out: &mut dyn Write,
) -> Result<Status, Error> {
    let status = match result {
        CallResult::Halt { return_value, post_instance_hash, reflected_slot0, gas_used } => {
            writeln!(out, "reply {return_value} ({return_value:#x}), gas {gas_used}")?;
            if let Some(hash) = reflected_slot0 {
                writeln!(out, "in its hand {hash}")?;
            }
            writeln!(out, "`{name}` is now {post_instance_hash}")?;
            state.name(name, *post_instance_hash);
            Status::Success
        }
        CallResult::Faulted { reason, gas_used, .. } => {
            writeln!(out, "fault: {reason}, gas {gas_used}\n`{name}` is as it was")?;
            Status::Trap
        }
        CallResult::Paused { marker, payload, catcher, gas_used } => {
            let what = state.describe(*marker);
            writeln!(out, "paused: yielded {what} to {catcher:?}, gas {gas_used}")?;
            if let Some(payload) = payload {
                writeln!(out, "with {}", state.describe(*payload))?;
            }
            writeln!(out, "go on with `hatchery cap resume`")?;
            Status::OutOfGas
        }
    };
    let paused = Paused::after(result, name, resumed, &mut vm, &mut state.cache)?;
    state.set_paused(paused);
    state.assist = vm.assist().clone();
    state.commit()?;
    Ok(status)
}

fn collect(state: &mut State, out: &mut dyn Write) -> Result<Status, Error> {
    let removed = state.collect()?;
    state.commit()?;
    writeln!(out, "removed {removed} capabilities that nothing leads to")?;
    Ok(Status::Success)
}

fn inspect(state: &mut State, arguments: &InspectCapArguments, out: &mut dyn Write) -> Result<Status, Error> {
    let roots = match &arguments.name {
        Some(name) => vec![(name.clone(), state.resolve(name)?)],
        None => state.names().clone().into_iter().collect(),
    };
    let graph = Graph::of(&mut state.cache, roots).map_err(CapError::from)?;
    for (path, drawing) in [(&arguments.dot, graph.dot()), (&arguments.svg, graph.svg())] {
        if let Some(path) = path {
            fs::write(path, drawing)?;
        }
    }
    write!(out, "{}", graph.text())?;
    for (meter, gas) in state.assist.gas_meters() {
        writeln!(out, "gas meter {meter}: {gas}")?;
    }
    if let Some(paused) = state.paused()? {
        writeln!(out, "paused: a call of `{}`, resumed {} times", paused.name, paused.resumed)?;
    }
    Ok(Status::Success)
}
