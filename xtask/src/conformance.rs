//! `cargo xtask conformance`: `hatchery conformance`, built with optimisations.

use crate::{process, workspace};
use anyhow::{Context, Result};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Options of `cargo xtask conformance`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A folder of vectors, or one file.
    dir: PathBuf,

    /// Options of `hatchery conformance`, such as --isa jam-v1 --gas-model pipeline-l2.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    options: Vec<OsString>,
}

/// Runs `cargo xtask conformance`. Its exit status is the command's.
pub(crate) fn command(arguments: &Arguments) -> Result<ExitCode> {
    let mut cargo = process::cargo(None);
    // Where the user is, not where the workspace is, relative paths count from.
    cargo
        .args(["run", "--quiet", "--release", "--locked", "--package", "hatchery-cli", "--manifest-path"])
        .arg(Path::new(workspace::root()).join("Cargo.toml"))
        .args(["--", "conformance"])
        .arg(&arguments.dir)
        .args(&arguments.options);
    println!("$ {}", process::line(&cargo));
    let status = cargo.status().context("cannot start cargo")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
