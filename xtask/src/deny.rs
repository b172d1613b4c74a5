//! `cargo xtask deny`: licences, advisories and sources of all dependencies.

use crate::{process, workspace};
use anyhow::{Context, Result};
use std::process::{Command, ExitCode};

/// Runs `cargo xtask deny`.
pub(crate) fn command() -> Result<ExitCode> {
    if !installed() {
        eprintln!("cargo-deny is not installed.\nFix: cargo install cargo-deny --locked");
        return Ok(ExitCode::FAILURE);
    }
    let status = check().status().context("cannot start cargo-deny")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether cargo-deny can be run.
pub(crate) fn installed() -> bool {
    process::find("cargo-deny").is_some()
}

/// The command that checks the workspace against `deny.toml`. The advisories are a download, which a machine may
/// not be able to make: `cargo deny check advisories` asks for them.
pub(crate) fn check() -> Command {
    let mut cargo = process::cargo(None);
    cargo.current_dir(workspace::root()).args([
        "deny",
        "--workspace",
        "check",
        "licenses",
        "bans",
        "sources",
    ]);
    cargo
}
