//! `cargo xtask deny`: licences, advisories and sources of all dependencies.

use crate::{process, workspace};
use anyhow::{Context, Result};
use std::process::{Command, ExitCode};

/// What can be checked without a network. Advisories are a database that cargo-deny downloads.
const LOCAL: [&str; 3] = ["licenses", "bans", "sources"];

/// Runs `cargo xtask deny`: everything, advisories too.
pub(crate) fn command() -> Result<ExitCode> {
    if !installed() {
        eprintln!("cargo-deny is not installed.\nFix: cargo install cargo-deny --locked");
        return Ok(ExitCode::FAILURE);
    }
    let status = cargo_deny(&[]).status().context("cannot start cargo-deny")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether cargo-deny can be run.
pub(crate) fn installed() -> bool {
    process::find("cargo-deny").is_some()
}

/// The command that checks what needs no network, without the long list of crates that are there in two versions.
pub(crate) fn local_checks() -> Command {
    let mut arguments = vec!["--allow", "duplicate"];
    arguments.extend(LOCAL);
    cargo_deny(&arguments)
}

fn cargo_deny(arguments: &[&str]) -> Command {
    let mut cargo = process::cargo(None);
    cargo
        .current_dir(workspace::root())
        .args(["deny", "--workspace", "--locked", "check", "--hide-inclusion-graph"])
        .args(arguments);
    cargo
}
