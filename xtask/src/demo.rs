//! `cargo xtask demo`.

use crate::progress::seconds;
use crate::{process, setup, workspace};
use anyhow::{Context, Result};
use std::process::ExitCode;
use std::time::Instant;

/// How the demo is run, from the workspace's folder. The profile is the tests', so that both share their builds.
const DEMO: [&str; 5] = ["run", "--package", "hatchery-runtime-tests", "--example", "demo"];

/// Runs `cargo xtask demo`.
pub(crate) fn command() -> Result<ExitCode> {
    let started = Instant::now();
    let toolchains = setup::ensure()?;
    let mut cargo = process::cargo(None);
    cargo.current_dir(workspace::root()).args(DEMO).envs(toolchains.environment());
    println!("\nBuilding and running the demo: {}\n", process::line(&cargo));
    let status = cargo.status().context("cannot start cargo")?;
    let time = seconds(started.elapsed());
    if status.success() {
        println!("\nThe demo ran to its end ({time} with setup and build).");
        Ok(ExitCode::SUCCESS)
    } else {
        eprintln!("\nThe demo FAILED ({status}, {time} with setup and build).");
        Ok(ExitCode::FAILURE)
    }
}
