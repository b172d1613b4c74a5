//! `cargo xtask bench`: Hatchery beside its peers, and instruction counts against committed ones.

pub(crate) mod counts;
mod programs;

use crate::progress::{Outcome, Steps};
use crate::setup::{self, Compiler, Toolchains};
use crate::{process, workspace};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

/// The benchmarks are a workspace of their own.
const MANIFEST: &str = "benches/Cargo.toml";

/// Tells the harness where the programs are.
const PROGRAMS: &str = "HATCHERY_BENCH_PROGRAMS";

/// Tells the benchmark of the way from Wasm where to leave its results.
const SECTION: &str = "HATCHERY_BENCH_SECTION";

/// Options of `cargo xtask bench`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Measure only rows whose names contain this.
    #[arg(long)]
    filter: Option<String>,
    /// Take fewer and shorter samples.
    #[arg(long)]
    quick: bool,
    /// Print the results as JSON instead of tables.
    #[arg(long)]
    json: bool,
    /// Write BENCHMARKS.md, benches/results and the charts.
    #[arg(long, conflicts_with = "filter")]
    record: bool,
    /// Something to be known about this run, for those who read what is recorded.
    #[arg(long)]
    remark: Option<String>,
    /// Measure the way from a Wasm runtime too, which takes many minutes to build.
    #[arg(long)]
    from_wasm: bool,
    /// Leave the other engines out, which take minutes to build.
    #[arg(long)]
    without_peers: bool,
    /// Write BENCHMARKS.md and the charts anew from the results that are recorded. Nothing is measured.
    #[arg(long, exclusive = true)]
    render: bool,
    /// Compare instruction counts with the committed ones, and fail where there are more. Needs valgrind.
    #[arg(long)]
    check: bool,
    /// With --check: commit these counts to the file instead.
    #[arg(long, requires = "check")]
    update: bool,
}

/// Runs `cargo xtask bench`.
pub(crate) fn command(arguments: &Arguments) -> Result<ExitCode> {
    if arguments.check {
        return counts::command(arguments.update);
    }
    if arguments.render {
        let harness = build(&mut Steps::new(1), false)?;
        let mut command = Command::new(harness);
        command.arg("render");
        process::pass(command)?;
        return Ok(ExitCode::SUCCESS);
    }
    // What JSON is printed with goes to standard output alone.
    let toolchains = setup::ensure()?;
    let compiler = toolchains.guests.first().context("setup named no compiler for guests")?;
    println!("\nBenchmarks");
    let mut steps = Steps::new(1 + programs::STEPS);
    let harness = build(&mut steps, !arguments.without_peers)?;
    let folder = programs::build(&mut steps, compiler, &harness)?;
    let section = arguments.from_wasm.then(|| from_wasm(&toolchains)).transpose()?;
    process::pass(measure(&harness, &folder, compiler, section.as_deref(), arguments))?;
    Ok(ExitCode::SUCCESS)
}

/// Builds the harness. Its file.
fn build(steps: &mut Steps, with_peers: bool) -> Result<PathBuf> {
    let name = if with_peers { "compile the harness and all engines" } else { "compile the harness" };
    steps.run(name, || {
        let mut command = cargo(&["build", "--release", "--locked", "--package", "hatchery-benches"]);
        if with_peers {
            command.args(["--features", "peers"]);
        }
        process::output(&mut command)?;
        Ok(Outcome::Done("compiled".to_owned()))
    })?;
    Ok(workspace::target().join("release/hatchery-benches"))
}

fn measure(
    harness: &Path,
    programs: &Path,
    compiler: &Compiler,
    section: Option<&Path>,
    arguments: &Arguments,
) -> Command {
    let mut typed = Command::new("cargo");
    typed.arg("xtask").args(env::args_os().skip(1));
    let mut command = Command::new(harness);
    command
        .env(PROGRAMS, programs)
        .arg("--save")
        .arg(workspace::target().join("bench-results.json"))
        .arg("--command-line")
        .arg(process::line(&typed))
        .arg("--programs-compiler")
        .arg(&compiler.version);
    let flags = [(arguments.quick, "--quick"), (arguments.json, "--json"), (arguments.record, "--record")];
    command.args(flags.into_iter().filter(|(wanted, _)| *wanted).map(|(_, flag)| flag));
    for (option, value) in [("--filter", &arguments.filter), ("--remark", &arguments.remark)] {
        if let Some(value) = value {
            command.arg(option).arg(value);
        }
    }
    if let Some(section) = section {
        command.arg("--add").arg(section);
    }
    command
}

/// Runs the benchmark of the way from a Wasm runtime to a guest and back. The file of its results.
fn from_wasm(toolchains: &Toolchains) -> Result<PathBuf> {
    let file = workspace::target().join("round-trip.json");
    let mut command = process::cargo(None);
    command
        .current_dir(workspace::root())
        .args(["bench", "--locked", "--package", "hatchery-runtime-tests", "--bench", "round_trip"])
        // Its own measurements by criterion take longer and say the same.
        .args(["--", "--test"])
        .envs(toolchains.environment())
        .env(SECTION, &file);
    if file.exists() {
        fs::remove_file(&file)?;
    }
    process::pass(command)?;
    Ok(file)
}

/// `cargo` in the benchmarks' workspace, with the target directory of this one.
fn cargo(arguments: &[&str]) -> Command {
    let mut command = process::cargo(None);
    command
        .current_dir(workspace::root())
        .args(arguments)
        .args(["--manifest-path", MANIFEST])
        .env("CARGO_TARGET_DIR", workspace::target());
    command
}
