//! Tables on a terminal.

use crate::results::{Outcome, Results, Row, number};
use std::io::{IsTerminal, Write, stderr};
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether rows are told as they are measured.
static QUIET: AtomicBool = AtomicBool::new(false);

/// Tells nothing from here on.
pub(crate) fn be_quiet() {
    QUIET.store(true, Ordering::Relaxed);
}

/// Tells that a row has been measured.
pub(crate) fn progress(row: &Row) {
    if QUIET.load(Ordering::Relaxed) {
        return;
    }
    let end = if stderr().is_terminal() { "\x1b[K\r" } else { "\n" };
    let values = row.entries.iter().filter(|entry| entry.outcome.value().is_some()).count();
    eprint!("measured: {} ({values} of {}){end}", row.title, row.entries.len());
    // Whoever has closed standard error does not want to know.
    let _ = stderr().flush();
}

/// Prints all rows, the engines of each below it.
pub(crate) fn print(results: &Results) {
    for section in &results.sections {
        println!("\n=== {}", section.title);
        for row in &section.rows {
            println!("\n{} [{}]", row.title, row.id);
            for entry in &row.entries {
                let name = results.engine(&entry.engine).map_or_else(
                    || entry.engine.clone(),
                    |engine| format!("{}{}", engine.name, super::document::gas_suffix(engine.gas)),
                );
                let text = match &entry.outcome {
                    Outcome::Times(times) => {
                        format!("{:>10}  +-{:>5.1} %", number(times.median, row.unit), 100.0 * times.spread())
                    }
                    Outcome::Bytes(bytes) => format!("{:>10}", number(*bytes, row.unit)),
                    Outcome::Missing(why) => format!("{:>10}  {why}", "-"),
                };
                println!("  {name:<52} {text}");
            }
        }
    }
    println!("\n{}", super::document::legend(&results.about));
}
