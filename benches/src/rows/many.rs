//! Many instances at the same time: what memory each takes.

use super::Run;
use crate::report::table;
use crate::results::{Entry, Outcome, Row, Unit};
use anyhow::{Context, Result, bail};
use std::process::Command;
use std::{env, fs};

/// How many.
const INSTANCES: usize = 10_000;

/// Fewer are made if they take more than this together.
const MOST: u64 = 2 << 30;

/// The hidden argument by which this program runs itself for one engine.
pub(crate) const ARGUMENT: &str = "--many";

pub(super) fn row(run: &Run) -> Row {
    let engines = run.engines.iter().filter(|(_, engine)| engine.has_instances());
    let entries = engines
        .map(|(description, engine)| {
            let outcome = if engine.holds_many() {
                match in_a_process(&description.id) {
                    Ok(bytes) => Outcome::Bytes(bytes),
                    Err(error) => Outcome::Missing(format!("{error:#}")),
                }
            } else {
                Outcome::Missing("each instance is a process".into())
            };
            Entry { engine: description.id.clone(), outcome }
        })
        .collect();
    let title = "resident memory of each of 10,000 instances".into();
    let row = Row { id: "many".into(), title, unit: Unit::Bytes, entries };
    table::progress(&row);
    row
}

fn in_a_process(id: &str) -> Result<f64> {
    let output = Command::new(env::current_exe()?).args([ARGUMENT, id]).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("{}", errors.lines().last().map_or_else(|| output.status.to_string(), str::to_owned));
    }
    text.trim().parse().with_context(|| format!("no number: {text}"))
}

/// Makes the instances and tells how many bytes each takes.
pub(crate) fn measure(run: &Run, id: &str) -> Result<f64> {
    let engine = run.engine(id).with_context(|| format!("there is no engine {id}"))?;
    let module = engine.compile(&run.program("image")?)?;
    // What comes with the first is not to be counted.
    module.instantiate()?.call(0)?;
    let before = resident_bytes()?;
    let mut instances = Vec::with_capacity(INSTANCES);
    for made in 0..INSTANCES {
        let instance = module.instantiate().and_then(|mut instance| {
            instance.call(made as u64)?;
            Ok(instance)
        });
        instances.push(instance.with_context(|| format!("after {made} instances"))?);
        if made % 64 == 0 && resident_bytes()? > before + MOST {
            break;
        }
    }
    let bytes = resident_bytes()?.saturating_sub(before);
    Ok(bytes as f64 / instances.len() as f64)
}

/// Physical memory of this process.
fn resident_bytes() -> Result<u64> {
    let text = fs::read_to_string("/proc/self/statm")?;
    let pages: u64 = text.split(' ').nth(1).context("/proc/self/statm has no second field")?.parse()?;
    Ok(pages * rustix::param::page_size() as u64)
}
