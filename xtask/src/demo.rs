//! `cargo xtask demo`.

use crate::progress::seconds;
use crate::setup::Toolchains;
use crate::{process, setup, workspace};
use anyhow::{Context, Result, bail};
use std::env;
use std::process::{Command, ExitCode};
use std::time::Instant;

/// Options of `cargo xtask demo`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Leave the node running at the end, and say what to try next.
    #[arg(long)]
    keep: bool,

    /// Show the boundary instead: a Wasm runtime drives a guest, and everything that crosses between it and the node is
    /// printed. Builds no node, which is quicker.
    #[arg(long, conflicts_with = "keep")]
    boundary: bool,
}

/// What builds the node and the demo. All of the workspace, since features unify over what is built together: so the
/// tests share everything with it.
const BUILD: [&str; 5] = ["build", "--workspace", "--locked", "--bins", "--examples"];

/// The demo of the boundary.
const BOUNDARY: [&str; 6] = ["run", "--locked", "--package", "hatchery-runtime-tests", "--example", "demo"];

/// Runs `cargo xtask demo`.
pub(crate) fn command(arguments: &Arguments) -> Result<ExitCode> {
    let started = Instant::now();
    let toolchains = setup::ensure()?;
    let mut demo =
        if arguments.boundary { boundary(&toolchains) } else { node(&toolchains, arguments.keep)? };
    println!("$ {}\n", process::line(&demo));
    let status = demo.status().with_context(|| format!("cannot start `{}`", process::line(&demo)))?;
    let time = seconds(started.elapsed());
    if status.success() {
        println!("\nThe demo ran to its end ({time} with setup and build).");
        Ok(ExitCode::SUCCESS)
    } else {
        eprintln!("\nThe demo FAILED ({status}, {time} with setup and build).");
        Ok(ExitCode::FAILURE)
    }
}

/// Builds the node, and gives the command that shows it.
fn node(toolchains: &Toolchains, keep: bool) -> Result<Command> {
    let mut build = process::cargo(None);
    build.current_dir(workspace::root()).args(BUILD).envs(toolchains.environment());
    println!(
        "\nBuilding the node. The first time takes a while: some 1,200 crates, and the runtime as Wasm."
    );
    println!("$ {}", process::line(&build));
    let status = build.status().context("cannot start cargo")?;
    if !status.success() {
        bail!("the node does not build ({status})");
    }
    let programs = workspace::target().join("debug");
    let mut demo =
        Command::new(programs.join("examples").join(format!("demo-node{}", env::consts::EXE_SUFFIX)));
    demo.arg("--node").arg(programs.join(format!("hatchery-node{}", env::consts::EXE_SUFFIX)));
    if keep {
        demo.arg("--keep");
    }
    Ok(demo)
}

fn boundary(toolchains: &Toolchains) -> Command {
    let mut cargo = process::cargo(None);
    cargo.current_dir(workspace::root()).args(BOUNDARY).envs(toolchains.environment());
    cargo
}
