//! What instances cost.

use super::{Run, many};
use crate::results::Section;
use anyhow::{Context, Result, ensure};

/// The pages that `scatter` writes to, and the sum of what it writes.
const PAGES: u64 = 160;
const SUM: u64 = 12_800;

pub(super) fn section(run: &Run) -> Result<Section> {
    let mut rows = Vec::new();
    let programs = [
        ("empty", "instance-tiny", "instantiate, call, drop: a program of a few bytes", 7, 7),
        ("image", "instance-1-mib", "instantiate, call, drop: a program with 1 MiB of data", 500_000, 7),
        ("scatter", "scatter", "instantiate, write to 160 pages far apart, drop", PAGES, SUM),
    ];
    for (program, id, title, argument, answer) in programs {
        if !run.wants(id) {
            continue;
        }
        let program = run.program(program)?;
        rows.push(run.row(id, title, 1.0, |engine| {
            if !engine.has_instances() {
                return Ok(None);
            }
            let module = engine.compile(&program)?;
            Ok(Some(Box::new(move |times| {
                for _ in 0..times {
                    ensure!(module.instantiate()?.call(argument)? == answer, "the answer is wrong");
                }
                Ok(())
            })))
        }));
    }
    if run.wants("reset") {
        let program = run.program("dirty")?;
        let title = "write to 16 pages, and put memory back to what it was";
        rows.push(run.row("reset", title, 1.0, |engine| {
            if !engine.has_instances() {
                return Ok(None);
            }
            let module = engine.compile(&program)?;
            let mut instance = module.instantiate()?;
            ensure!(instance.call(16)? == 120, "the answer is wrong");
            let resets = instance.reset()?;
            Ok(Some(Box::new(move |times| {
                for _ in 0..times {
                    if !resets {
                        instance = module.instantiate()?;
                    }
                    ensure!(instance.call(16)? == 120, "a page is not as it was");
                    if resets {
                        instance.reset()?;
                    }
                }
                Ok(())
            })))
        }));
    }
    if run.wants("fork") {
        let program = run.program("scatter")?;
        let title = "write to 160 pages far apart, fork, drop the fork";
        rows.push(run.row("fork", title, 1.0, |engine| {
            if !engine.has_instances() {
                return Ok(None);
            }
            let mut instance = engine.compile(&program)?.instantiate()?;
            if instance.fork().is_none() {
                return Ok(None);
            }
            ensure!(instance.call(PAGES)? == SUM, "the answer is wrong");
            Ok(Some(Box::new(move |times| {
                for _ in 0..times {
                    ensure!(instance.call(PAGES)? == SUM, "the answer is wrong");
                    drop(instance.fork().context("there is no fork")?);
                }
                Ok(())
            })))
        }));
    }
    if run.wants("many") {
        rows.push(many::row(run));
    }
    Ok(Section {
        id: "instances".into(),
        title: "Instances".into(),
        text: "Of a compiled program. javm's recompiler compiles for each instance; ckb-vm loads the ELF file. Where an engine cannot put \
               memory back, a new instance takes the place of the old. Only Hatchery forks. Memory of 10,000 instances (or as many as fit 2 GiB) of the program with 1 MiB of data, each of which has been called once and has changed one byte, is \
               measured in a process of its own, as what that process has more of physical memory than before, in equal parts."
            .into(),
        rows,
    })
}
