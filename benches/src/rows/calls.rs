//! What leaving and entering a program costs.

use super::Run;
use crate::results::Section;
use anyhow::{Result, ensure};

/// Round trips of one call.
const TRIPS: u64 = 1000;

pub(super) fn section(run: &Run) -> Result<Section> {
    let mut rows = Vec::new();
    if run.wants("empty") {
        let program = run.program("empty")?;
        rows.push(run.row("empty", "call a program that does nothing", 1.0, |engine| {
            let mut instance = engine.compile(&program)?.instantiate()?;
            Ok(Some(Box::new(move |times| {
                for number in 0..times {
                    ensure!(instance.call(number)? == number, "the answer is wrong");
                }
                Ok(())
            })))
        }));
    }
    // The sums of 1 to 1000; of the bytes that were looked at; a checksum of those written.
    let trips: [(&str, &str, Option<u64>); 3] = [
        ("syscalls", "syscall and back", Some(TRIPS * (TRIPS + 1) / 2)),
        ("host_reads", "syscall that reads 1 KiB", None),
        ("host_writes", "syscall that writes 1 KiB", None),
    ];
    for (name, title, answer) in trips {
        if !run.wants(name) {
            continue;
        }
        let program = run.program(name)?;
        let mut agreed = answer;
        rows.push(run.row(name, title, TRIPS as f64, |engine| {
            let mut instance = engine.compile(&program)?.instantiate()?;
            let found = instance.call(TRIPS)?;
            let agreed = *agreed.get_or_insert(found);
            ensure!(found == agreed, "the checksum is {found:#x}, with the engines before it {agreed:#x}");
            Ok(Some(Box::new(move |times| {
                for _ in 0..times {
                    std::hint::black_box(instance.call(TRIPS)?);
                }
                Ok(())
            })))
        }));
    }
    Ok(Section {
        id: "calls".into(),
        title: "Between program and host".into(),
        text: "In an instance that has been called before. A syscall takes three numbers and gives one back; the host finds out which it \
               is, and reads or writes memory, by what its engine offers for that."
            .into(),
        rows,
    })
}
