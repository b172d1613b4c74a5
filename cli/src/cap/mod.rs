//! `hatchery cap`: capabilities in a store on disk, by name.

mod error;
mod paused;
mod slots;
mod state;

use std::fs;
use std::io::Write;

use hatchery_capabilities::graph::Graph;
use hatchery_capabilities::{CallResult, Cap, DataCap, Manifest};

use crate::args::{
    CapArguments, CapCommand, InspectCapArguments, InvokeArguments, PublishArguments, ResumeArguments,
};
use crate::error::Error;
use crate::status::Status;

pub(crate) use error::CapError;
pub(crate) use slots::SlotArgument;

use paused::{Call, Paused, Step};
use state::State;

/// Does what `hatchery cap` says.
pub(crate) fn cap(arguments: &CapArguments, out: &mut dyn Write) -> Result<Status, Error> {
    let mut state = State::open(&arguments.store)?;
    let status = match &arguments.command {
        CapCommand::Publish(arguments) => publish(&mut state, arguments, out)?,
        CapCommand::Invoke(arguments) => invoke(&mut state, arguments, out)?,
        CapCommand::Resume(arguments) => resume(&mut state, arguments, out)?,
        CapCommand::Inspect(arguments) => inspect(&mut state, arguments, out)?,
    };
    Ok(status)
}

fn publish(state: &mut State, arguments: &PublishArguments, out: &mut dyn Write) -> Result<Status, Error> {
    let path = &arguments.file;
    let bytes = fs::read(path).map_err(|source| Error::Read { path: path.clone(), source })?;
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
    let call = Call { name: arguments.instance.clone(), instance, endpoint, args, gas: arguments.gas, hand };
    let paused = Paused::new(call, &state.assist);
    go_on(state, paused, out)
}

fn resume(state: &mut State, arguments: &ResumeArguments, out: &mut dyn Write) -> Result<Status, Error> {
    let mut paused = state.paused()?.ok_or(CapError::NotPaused)?;
    if arguments.drop {
        state.assist = paused.give_up(&mut state.cache, state.backend)?;
        state.set_paused(None);
        state.commit()?;
        writeln!(out, "dropped: `{}` is as it was", paused.call.name)?;
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
    paused.steps.push(Step { hand, gas: arguments.gas, meters: arguments.meters.clone() });
    go_on(state, paused, out)
}

/// Runs a call from its beginning to where nothing is known to follow.
fn go_on(state: &mut State, paused: Paused, out: &mut dyn Write) -> Result<Status, Error> {
    let (result, assist) = paused.run(&mut state.cache, state.backend)?;
    let status = match &result {
        CallResult::Halt { return_value, post_instance_hash, reflected_slot0, gas_used } => {
            writeln!(out, "reply {return_value} ({return_value:#x}), gas {gas_used}")?;
            if let Some(hash) = reflected_slot0 {
                writeln!(out, "in its hand {hash}")?;
            }
            writeln!(out, "`{}` is now {post_instance_hash}", paused.call.name)?;
            state.name(&paused.call.name, *post_instance_hash);
            Status::Success
        }
        CallResult::Faulted { reason, gas_used, .. } => {
            writeln!(out, "fault: {reason}, gas {gas_used}\n`{}` is as it was", paused.call.name)?;
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
    if matches!(result, CallResult::Paused { .. }) {
        state.set_paused(Some(paused));
    } else {
        state.assist = assist;
        state.set_paused(None);
    }
    state.commit()?;
    Ok(status)
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
        writeln!(out, "paused: a call of `{}`, resumed {} times", paused.call.name, paused.steps.len())?;
    }
    Ok(Status::Success)
}
