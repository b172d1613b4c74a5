//! BENCHMARKS.md.

use super::charts;
use crate::engines::{Description, Gas};
use crate::goals::{End, GOALS};
use crate::measure::Clock;
use crate::results::{About, Outcome, Results, Row, Section, number};
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// What is said about goals that were missed, by the goals' names.
pub(crate) type Notes = BTreeMap<String, String>;

/// How gas is told behind an engine's name.
pub(crate) fn gas_suffix(gas: Gas) -> &'static str {
    match gas {
        Gas::Flat => ", flat gas",
        Gas::Pipeline => ", pipeline gas",
        Gas::Fuel => ", fuel",
        Gas::None => "",
    }
}

/// What numbers mean.
pub(crate) fn legend(about: &About) -> String {
    format!(
        "Medians of {} samples of at least {} ms each, the engines taking turns; +- is half the distance of the quartiles.\n\
         Processor time of the thread, but for polkavm's Linux sandbox, which executes programs in another process: time on the wall.",
        about.samples, about.sample_milliseconds
    )
}

/// The document.
pub(crate) fn text(results: &Results, notes: &Notes) -> Result<String> {
    let About { processor, processors, system, load, commit, date, command, compilers, remark, .. } =
        &results.about;
    let mut text = String::from(
        "# Benchmarks\n\n<!-- Written by `cargo xtask bench --record` from benches/results/results.json. Do not edit. -->\n\n",
    );
    writeln!(text, "| | |\n|---|---|")?;
    writeln!(text, "| processor | {processor}, {processors} logical |")?;
    writeln!(
        text,
        "| system | {system}, load {:.1} when the run began and {:.1} when it ended |",
        load[0], load[1]
    )?;
    writeln!(text, "| commit | `{commit}` |")?;
    writeln!(text, "| date | {date} |")?;
    writeln!(text, "| command | `{command}` |")?;
    writeln!(text, "| compiler of the engines | {} |", compilers[0])?;
    writeln!(text, "| compiler of the programs | {} |", compilers[1])?;
    if let Some(remark) = remark {
        writeln!(text, "| remark | {remark} |")?;
    }
    writeln!(text, "\n{}", legend(&results.about))?;
    text.push_str(
        "\nTimes of different engines were measured in the same minutes and can be compared; on other machines ratios tell more than \
         times. All engines check gas or fuel synchronously; native code does not. Programs are in `benches/guests`, what is done with \
         them in `benches/src/rows`. They are compiled from the same Rust sources with the same settings for PolkaVM (JamV1, \
         polkavm-linker 0.37), WebAssembly, RV64IMC_B and this machine, for which vector instructions and those for SHA-256 are left aside in \
         the libraries that have code for them.\n\n",
    );
    goals(&mut text, results, notes)?;
    for section in &results.sections {
        self::section(&mut text, results, section)?;
    }
    text.push_str(
        "\n## Again\n\nOn x86-64 Linux, with what `cargo xtask setup` installs:\n\n```sh\ncargo xtask bench                # all of it, about ten minutes after building\n\
         cargo xtask bench --quick        # two minutes, less exact\ncargo xtask bench --filter prime # some rows\n\
         cargo xtask bench --record       # also writes this file, benches/results and the charts\n\
         cargo xtask bench --check        # instruction counts against benches/counts.toml, as `cargo xtask test` does; needs valgrind\n```\n\n\
         Wall time is noisy, so what guards against regressions is the last: how many instructions the processor executes for a fixed set \
         of work, counted by callgrind.\n",
    );
    Ok(text)
}

fn goals(text: &mut String, results: &Results, notes: &Notes) -> Result<()> {
    text.push_str("## What we aim at\n\nWith pipeline gas. Reached and missed is what both quartiles are on that side of.\n\n| | engine | at most | measured | |\n|---|---|---|---|---|\n");
    let mut missed = BTreeSet::new();
    for verdict in GOALS.iter().map(|goal| goal.judge(results)) {
        let end = match verdict.end {
            End::Reached => "reached",
            End::Missed => "**missed**",
            End::Close => "too close to tell",
            End::NotMeasured => "",
        };
        let (what, engine, limit, found) = (verdict.what, verdict.engine, &verdict.limit, &verdict.found);
        writeln!(text, "| {what} | {engine} | {limit} | {found} | {end} |")?;
        if verdict.end == End::Missed {
            missed.insert(verdict.id);
        }
    }
    if !missed.is_empty() {
        text.push_str("\nWhy what is missed is missed:\n\n");
        for id in &missed {
            let why = notes.get(id).map_or("not yet known.", String::as_str);
            writeln!(text, "- `{id}`: {why}")?;
        }
    }
    text.push('\n');
    Ok(())
}

fn section(text: &mut String, results: &Results, section: &Section) -> Result<()> {
    writeln!(text, "## {}\n\n{}\n", section.title, section.text)?;
    if section.rows.is_empty() {
        return Ok(());
    }
    writeln!(text, "![{}](benches/results/{})\n", section.title, charts::file(section))?;
    // Engines down, rows across, as many as fit a page.
    for rows in section.rows.chunks(5) {
        table(text, results, rows)?;
    }
    let missing = missing(results, section);
    if !missing.is_empty() {
        text.push_str("Not there:\n\n");
        for (why, where_) in missing {
            writeln!(text, "- {}: {why}", where_.into_iter().collect::<Vec<_>>().join("; "))?;
        }
        text.push('\n');
    }
    Ok(())
}

fn table(text: &mut String, results: &Results, rows: &[Row]) -> Result<()> {
    let mut engines: Vec<&str> = Vec::new();
    for entry in rows.iter().flat_map(|row| &row.entries) {
        if !engines.contains(&entry.engine.as_str()) {
            engines.push(&entry.engine);
        }
    }
    text.push('|');
    for row in rows {
        write!(text, " | {}", row.title)?;
    }
    text.push_str(" |\n|---");
    text.push_str(&"|---:".repeat(rows.len()));
    text.push_str("|\n");
    for engine in engines {
        write!(text, "| {}", name(results, engine))?;
        for row in rows {
            let entry = row.entries.iter().find(|entry| entry.engine == engine);
            let cell = match entry.map(|entry| &entry.outcome) {
                Some(Outcome::Times(times)) => {
                    format!("{} ±{:.0}%", number(times.median, row.unit), 100.0 * times.spread())
                }
                Some(Outcome::Bytes(bytes)) => number(*bytes, row.unit),
                Some(Outcome::Missing(_)) => "-".into(),
                None => String::new(),
            };
            write!(text, " | {cell}")?;
        }
        text.push_str(" |\n");
    }
    text.push('\n');
    Ok(())
}

/// Why numbers are missing, and which.
fn missing<'a>(results: &Results, section: &'a Section) -> BTreeMap<&'a str, BTreeSet<String>> {
    let mut missing: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for row in &section.rows {
        for entry in &row.entries {
            if let Outcome::Missing(why) = &entry.outcome {
                missing.entry(why).or_default().insert(format!(
                    "{} in `{}`",
                    name(results, &entry.engine),
                    row.id
                ));
            }
        }
    }
    missing
}

/// An engine's name for a table.
fn name(results: &Results, id: &str) -> String {
    let Some(Description { name, gas, clock, .. }) = results.engine(id) else { return id.into() };
    let wall = if *clock == Clock::Wall { " (wall)" } else { "" };
    let name = format!("{name}{}{wall}", gas_suffix(*gas));
    if id.starts_with("hatchery") { format!("**{name}**") } else { name }
}
