//! `cargo xtask node`: builds of the node that take long and that the tests leave out, each with a proof that it works.

use crate::progress::seconds;
use crate::setup::Toolchains;
use crate::{process, setup, workspace};
use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;
use std::env;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Instant;

/// Options of `cargo xtask node`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What to build.
    #[arg(value_enum)]
    flavour: Flavour,
}

/// What to build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Flavour {
    /// The node with the hash of its runtime's metadata in the runtime, for wallets that prove what they show; finds it there.
    MetadataHash,
    /// The node with `benchmark`; lists the benchmarks.
    RuntimeBenchmarks,
    /// The runtime with the hooks for trying upgrades; tries one, and runs the pallet's tests with them.
    TryRuntime,
}

/// Runs `cargo xtask node`.
pub(crate) fn command(arguments: &Arguments) -> Result<ExitCode> {
    let started = Instant::now();
    let toolchains = setup::ensure()?;
    match arguments.flavour {
        Flavour::MetadataHash => metadata_hash(&toolchains)?,
        Flavour::RuntimeBenchmarks => runtime_benchmarks(&toolchains)?,
        Flavour::TryRuntime => try_runtime(&toolchains)?,
    }
    println!("\nok ({})", seconds(started.elapsed()));
    Ok(ExitCode::SUCCESS)
}

fn metadata_hash(toolchains: &Toolchains) -> Result<()> {
    build(toolchains, "hatchery-node", "metadata-hash")?;
    // The hash that a wallet computes is in the runtime.
    run(
        toolchains,
        &["test", "--locked", "--package", "hatchery-node-runtime", "--features", "metadata-hash"],
    )
}

fn runtime_benchmarks(toolchains: &Toolchains) -> Result<()> {
    build(toolchains, "hatchery-node", "runtime-benchmarks")?;
    let list = process::output(node().args(["benchmark", "pallet", "--chain", "dev", "--list"]))?;
    println!("{list}");
    ensure!(
        list.contains("pallet_virtualization"),
        "the benchmarks of pallet-virtualization are not among them"
    );
    // Each benchmark once, as a test.
    let package = "pallet-virtualization";
    run(toolchains, &["test", "--locked", "--package", package, "--features", "runtime-benchmarks"])
}

fn try_runtime(toolchains: &Toolchains) -> Result<()> {
    build(toolchains, "hatchery-node", "try-runtime")?;
    for package in ["hatchery-node-runtime", "pallet-virtualization"] {
        run(toolchains, &["test", "--locked", "--package", package, "--features", "try-runtime"])?;
    }
    Ok(())
}

fn build(toolchains: &Toolchains, package: &str, feature: &str) -> Result<()> {
    run(toolchains, &["build", "--locked", "--package", package, "--features", feature])
}

fn run(toolchains: &Toolchains, arguments: &[&str]) -> Result<()> {
    let mut cargo = process::cargo(None);
    cargo.current_dir(workspace::root()).args(arguments).envs(toolchains.environment());
    println!("$ {}", process::line(&cargo));
    let status = cargo.status().context("cannot start cargo")?;
    if !status.success() {
        bail!("`{}`: {status}", process::line(&cargo));
    }
    Ok(())
}

fn node() -> Command {
    Command::new(program("debug"))
}

/// The node's program, as a profile builds it.
pub(crate) fn program(profile: &str) -> PathBuf {
    workspace::target().join(profile).join(format!("hatchery-node{}", env::consts::EXE_SUFFIX))
}
