//! `cargo xtask bench --check`: how many instructions the processor executes for a fixed set of work, counted by valgrind's callgrind
//! and compared with `benches/counts.toml`. Unlike time this does not depend on what else the machine does.

use super::cargo;
use crate::setup::Compiler;
use crate::{process, workspace};
use anyhow::{Context, Result, anyhow, bail, ensure};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const FIX: &str = "Fix: make it cheaper, or run `cargo xtask bench --check --update` and say in the commit why it costs more";

const HEAD: &str = "# Written by `cargo xtask bench --check --update`: instructions of the processor, counted by callgrind.\n\n";

/// What the processor must have, as libraries have other code for those without.
const NEEDED: &str = "AVX2";

/// Leaves aside what else not every processor has: an EPYC and a Xeon count the same then, within a thirtieth of a percent.
const PORTABLE: &str =
    "glibc.cpu.hwcaps=-AVX,-AVX2,-AVX512F,-AVX512VL,-AVX512BW,-ERMS,-FSRM,-BMI1,-BMI2,-LZCNT,-MOVBE,-POPCNT";

/// How much more than committed is too much, in percent: addresses and the order of allocations are not the same in every run.
const TOLERANCE: f64 = 2.0;

/// Counts, and the compiler whose code was counted.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Counts {
    compiler: String,
    instructions: BTreeMap<String, u64>,
}

/// What came of a check.
pub(crate) enum Checked {
    /// The counts are as they should be.
    Passed,
    /// There is nothing to count or to compare with, for this reason.
    Skipped(String),
}

/// Runs `cargo xtask bench --check`.
pub(super) fn command(update: bool) -> Result<ExitCode> {
    if !update {
        if let Checked::Skipped(why) = check()? {
            println!("not checked: {why}");
        }
        return Ok(ExitCode::SUCCESS);
    }
    if process::find("valgrind").is_none() {
        let fix = "Fix: install the package `valgrind` of your distribution";
        return Err(anyhow!("valgrind is not in PATH").context(fix));
    }
    ensure!(has_needed(), "this processor has no {NEEDED}, without which the counts are others");
    let counts = count()?;
    for (name, instructions) in &counts.instructions {
        println!("{name:<24} {instructions:>14}");
    }
    fs::write(file(), HEAD.to_owned() + &toml::to_string_pretty(&counts)?)?;
    println!("written to {}", file().display());
    Ok(ExitCode::SUCCESS)
}

/// Compares counts with the committed ones.
///
/// # Errors
/// If something takes more instructions than are committed, or cannot be counted.
pub(crate) fn check() -> Result<Checked> {
    if process::find("valgrind").is_none() {
        return Ok(Checked::Skipped("valgrind is not installed".to_owned()));
    }
    let text = fs::read_to_string(file()).with_context(|| format!("cannot read {}", file().display()))?;
    let before: Counts = toml::from_str(&text).with_context(|| format!("in {}", file().display()))?;
    let compiler = Compiler::of(None)?.version;
    if compiler != before.compiler {
        return Ok(Checked::Skipped(format!("the counts are of {}, here is {compiler}", before.compiler)));
    }
    if !has_needed() {
        return Ok(Checked::Skipped(format!("this processor has no {NEEDED}")));
    }
    let after = count()?;
    let more = compare(&before, &after);
    if !more.is_empty() {
        return Err(
            anyhow!("more instructions than in benches/counts.toml: {}", more.join(", ")).context(FIX)
        );
    }
    Ok(Checked::Passed)
}

/// Prints all counts beside those before. Those that are too many, or of which one is missing.
fn compare(before: &Counts, after: &Counts) -> Vec<String> {
    let mut more = Vec::new();
    let names: std::collections::BTreeSet<&String> =
        before.instructions.keys().chain(after.instructions.keys()).collect();
    for name in names {
        match (before.instructions.get(name), after.instructions.get(name)) {
            (Some(&before), Some(&after)) => {
                let change = 100.0 * (after as f64 / before as f64 - 1.0);
                println!("{name:<24} {before:>14} {after:>14} {change:>+8.2} %");
                if change > TOLERANCE {
                    more.push(format!("{name} ({change:+.1} %)"));
                }
            }
            (None, _) => more.push(format!("{name} (not in the file)")),
            (_, None) => more.push(format!("{name} (in the file only)")),
        }
    }
    more
}

/// Builds what is counted and counts.
fn count() -> Result<Counts> {
    let package = ["build", "--release", "--locked", "--package", "hatchery-counts"];
    process::pass(cargo(&package))?;
    let program = workspace::target().join("release/hatchery-counts");
    let mut instructions = BTreeMap::new();
    for name in process::output(&mut Command::new(&program))?.lines() {
        instructions.insert(name.to_owned(), count_one(&program, name)?);
    }
    Ok(Counts { compiler: Compiler::of(None)?.version, instructions })
}

/// Whether this processor has what it must have.
#[cfg(target_arch = "x86_64")]
fn has_needed() -> bool {
    std::is_x86_feature_detected!("avx2")
}

#[cfg(not(target_arch = "x86_64"))]
fn has_needed() -> bool {
    false
}

fn count_one(program: &Path, name: &str) -> Result<u64> {
    let mut command = Command::new("valgrind");
    command
        // The C library chooses its functions by the processor; those that every x86-64 has are the same everywhere.
        .env("GLIBC_TUNABLES", PORTABLE)
        .args([
            "--tool=callgrind",
            "--callgrind-out-file=/dev/null",
            "--toggle-collect=hatchery_counts::counted*",
        ])
        .arg(program)
        .arg(name);
    let finished = process::capture(&mut command, None)?;
    if !finished.status.success() {
        bail!(
            "`{}` failed ({}):\n{}",
            process::line(&command),
            finished.status,
            process::tail(&finished.log)
        );
    }
    match collected(&finished.log) {
        Some(count) if count > 0 => Ok(count),
        _ => bail!("valgrind counted nothing for {name}:\n{}", process::tail(&finished.log)),
    }
}

/// The number in valgrind's line `==1234== Collected : 5678`.
fn collected(log: &str) -> Option<u64> {
    let line = log.lines().find_map(|line| line.split_once("Collected :"))?;
    line.1.split_whitespace().next()?.parse().ok()
}

fn file() -> PathBuf {
    workspace::root().join("benches/counts.toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_found() {
        assert_eq!(
            collected("==7== \n==7== Events    : Ir\n==7== Collected : 123456\n==7== \n"),
            Some(123_456)
        );
        assert_eq!(collected("==7== Collected : many"), None);
        assert_eq!(collected("error"), None);
    }

    #[test]
    fn more_is_told_and_less_is_not() {
        let counts = |list: &[(&str, u64)]| Counts {
            compiler: String::new(),
            instructions: list.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(),
        };
        let before = counts(&[("a", 1000), ("b", 1000), ("c", 1000), ("gone", 1)]);
        let after = counts(&[("a", 1019), ("b", 1021), ("c", 500), ("new", 1)]);
        assert_eq!(
            compare(&before, &after),
            ["b (+2.1 %)", "gone (in the file only)", "new (not in the file)"]
        );
        assert_eq!(compare(&before, &before), [""; 0]);
    }
}
