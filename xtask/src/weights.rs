//! `cargo xtask weights`: measures the weights of `pallet-virtualization` and writes them into its sources.
//!
//! Validators choose what executes guests, so each benchmark counts as dear as with the dearest of what they may choose.

use crate::progress::seconds;
use crate::setup::Toolchains;
use crate::{node, process, setup, workspace};
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

/// The folder of the pallet.
const PALLET: &str = "node-template/pallets/virtualization";

/// What a validator may execute guests with.
const BACKENDS: &[&str] = if cfg!(all(target_arch = "x86_64", target_os = "linux")) {
    &["interpreter", "recompiler"]
} else {
    &["interpreter"]
};

/// What each benchmark begins with in what the template gives.
const MARK: &str = "    // Least time: ";

/// Options of `cargo xtask weights`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Values of each component.
    #[arg(long, default_value_t = 50)]
    steps: u32,

    /// Measurements of each value.
    #[arg(long, default_value_t = 20)]
    repeat: u32,

    /// Write to this file instead of the pallet's sources, for example for the weights of a chain of one's own.
    #[arg(long)]
    output: Option<std::path::PathBuf>,
}

/// What was measured with one backend.
struct Measured {
    backend: &'static str,
    /// The source that the template gives.
    source: String,
    /// Nanoseconds of all measurements of a benchmark together.
    times: BTreeMap<String, u128>,
}

/// A benchmark in the results, as far as it matters here.
#[derive(Deserialize)]
struct Batch {
    benchmark: Vec<u8>,
    time_results: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    extrinsic_time: u128,
}

/// Runs `cargo xtask weights`.
pub(crate) fn command(arguments: &Arguments) -> Result<ExitCode> {
    let started = Instant::now();
    let toolchains = setup::ensure()?;
    build(&toolchains)?;
    let files = tempfile::tempdir().context("no temporary folder")?;
    let measured = BACKENDS
        .iter()
        .map(|backend| measure(backend, arguments, files.path()))
        .collect::<Result<Vec<_>>>()?;
    let output =
        arguments.output.clone().unwrap_or_else(|| workspace::root().join(PALLET).join("src/weights.rs"));
    fs::write(&output, dearest(&measured)?).with_context(|| format!("cannot write {}", output.display()))?;
    process::pass(rustfmt(&output))?;
    println!("\n{} is written ({})", output.display(), seconds(started.elapsed()));
    Ok(ExitCode::SUCCESS)
}

/// Builds the node as validators run it, with its benchmarks.
fn build(toolchains: &Toolchains) -> Result<()> {
    let mut cargo = process::cargo(None);
    cargo
        .current_dir(workspace::root())
        .args(["build", "--locked", "--release", "--package", "hatchery-node"])
        .args(["--features", "runtime-benchmarks"])
        .envs(toolchains.environment());
    process::pass(cargo)
}

fn measure(backend: &'static str, arguments: &Arguments, files: &Path) -> Result<Measured> {
    let (source, times) = (files.join(format!("{backend}.rs")), files.join(format!("{backend}.json")));
    let mut benchmark = Command::new(node::program("release"));
    benchmark
        .args(["benchmark", "pallet", "--chain=dev", "--pallet=pallet_virtualization", "--extrinsic=*"])
        .args([format!("--steps={}", arguments.steps), format!("--repeat={}", arguments.repeat)])
        .args(["--quiet", "--virt-backend", backend])
        .arg("--template")
        .arg(workspace::root().join(PALLET).join("weights.hbs"))
        .arg("--output")
        .arg(&source)
        .arg("--json-file")
        .arg(&times);
    println!();
    process::pass(benchmark)?;
    let read =
        |file: &Path| fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()));
    let batches: Vec<Batch> = serde_json::from_str(&read(&times)?).context("in the results")?;
    Ok(Measured { backend, source: read(&source)?, times: batches.iter().map(Batch::time).collect() })
}

/// The source, with each benchmark as it was measured with the backend that took the longest.
fn dearest(measured: &[Measured]) -> Result<String> {
    let sources: Vec<Vec<&str>> = measured.iter().map(|measured| sections(&measured.source)).collect();
    let first = sources.first().context("nothing was measured")?;
    ensure!(sources.iter().all(|source| source.len() == first.len()), "the backends have other benchmarks");
    let mut dearest = String::new();
    for (index, section) in first.iter().enumerate() {
        let Some(name) = function(section) else {
            dearest.push_str(section);
            continue;
        };
        let mut choice = (&measured[0], *section);
        for (other, source) in measured.iter().zip(&sources) {
            ensure!(
                function(source[index]) == Some(name),
                "{name} was not measured with the {}",
                other.backend
            );
            if other.times.get(name) > choice.0.times.get(name) {
                choice = (other, source[index]);
            }
        }
        let mark = format!("    // {}, at least: ", choice.0.backend);
        dearest.push_str(&choice.1.replacen(MARK, &mark, 1));
    }
    Ok(dearest)
}

/// The parts of a source: each function with its comment, and what is around them.
fn sections(source: &str) -> Vec<&str> {
    let mut sections = Vec::new();
    let mut start = 0;
    let mut at = 0;
    for line in source.split_inclusive('\n') {
        if (line.starts_with(MARK) || line.starts_with('}')) && at > start {
            sections.push(&source[start..at]);
            start = at;
        }
        at += line.len();
    }
    sections.push(&source[start..]);
    sections
}

/// The name of the function in a section that has one.
fn function(section: &str) -> Option<&str> {
    let (_, definition) = section.strip_prefix(MARK)?.split_once("fn ")?;
    definition.split('(').next().map(str::trim)
}

fn rustfmt(file: &Path) -> Command {
    let mut command = Command::new("rustfmt");
    command.args(["--edition", "2024"]).arg("--config-path").arg(workspace::root()).arg(file);
    command
}

impl Batch {
    fn time(&self) -> (String, u128) {
        let name = String::from_utf8_lossy(&self.benchmark).into_owned();
        (name, self.time_results.iter().map(|run| run.extrinsic_time).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the template gives, in short.
    fn source(first: u32, second: u32) -> String {
        format!(
            "//! Head.\n\nimpl A {{\n{MARK}1 ns.\n    fn first(a: u32) -> u32 {{\n        {first}\n    }}\n\n{MARK}2 ns.\n    \
             fn second() -> u32 {{\n        {second}\n    }}\n\n}}\n\nimpl B {{\n{MARK}1 ns.\n    fn first(a: u32) -> u32 {{\n        \
             {first}0\n    }}\n}}\n"
        )
    }

    fn measured(backend: &'static str, source: String, first: u128, second: u128) -> Measured {
        let times = [("first".to_owned(), first), ("second".to_owned(), second)].into();
        Measured { backend, source, times }
    }

    #[test]
    fn each_function_is_of_the_backend_that_took_the_longest() {
        let merged =
            dearest(&[measured("one", source(1, 2), 10, 20), measured("two", source(3, 4), 11, 19)]).unwrap();
        assert_eq!(
            merged,
            source(3, 2)
                .replace(&format!("{MARK}1"), "    // two, at least: 1")
                .replace(&format!("{MARK}2"), "    // one, at least: 2")
        );
        let alone = dearest(&[measured("one", source(1, 2), 10, 20)]).unwrap();
        assert_eq!(alone, source(1, 2).replace(MARK, "    // one, at least: "));
    }

    #[test]
    fn other_benchmarks_are_no_match() {
        let other = source(1, 2).replace("fn second", "fn third");
        assert!(dearest(&[measured("one", source(1, 2), 1, 1), measured("two", other, 1, 1)]).is_err());
        assert!(dearest(&[]).is_err());
    }
}
