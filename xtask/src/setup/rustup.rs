//! The way with rustup: a target and a component of the active toolchain.

use super::sysroot::{self, WASM_TARGET};
use super::{Toolchains, finish};
use crate::process;
use crate::progress::{Outcome, Steps};
use anyhow::{Context, Result, anyhow, bail};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// What to do when rustup cannot download.
pub(super) const FIX: &str = "Fix: with a network, run `rustup target add wasm32v1-none` and \
    `rustup component add rust-src`; on Debian 12, `cargo xtask setup --with debian`";

/// For both downloads, about 20 MB: long enough for a slow line, short enough for a machine without one.
const LIMIT: Duration = Duration::from_secs(120);

/// Whether the active toolchain has everything.
pub(super) fn complete() -> Result<bool> {
    let sysroot = sysroot::path(None).context("the active Rust toolchain does not run")?;
    Ok(sysroot::has_wasm(&sysroot) && sysroot::has_sources(&sysroot))
}

/// Downloads what is missing, or finds out that it cannot be.
pub(super) fn download() -> Result<()> {
    add_target()?;
    add_sources()?;
    Ok(())
}

pub(super) fn setup() -> Result<Toolchains> {
    let mut steps = Steps::new(5);
    let toolchain = process::output(Command::new("rustup").args(["show", "active-toolchain"]))?;
    let toolchain = toolchain.split_whitespace().next().unwrap_or("active").to_owned();
    println!("Cross targets of the rustup toolchain {toolchain}");
    steps.run(&format!("{WASM_TARGET} target"), || add_target().context(FIX))?;
    steps.run("library sources (rust-src)", || add_sources().context(FIX))?;
    steps.run("linker (rust-lld)", || {
        let linker = sysroot::linker(&sysroot::path(None)?, &host(None)?);
        if !linker.is_file() {
            let fix = format!("Fix: `rustup toolchain install {toolchain} --force`");
            return Err(anyhow!("{} is missing", linker.display()).context(fix));
        }
        Ok(Outcome::AlreadyThere(String::new()))
    })?;
    finish(&mut steps, None)
}

/// The host triple of a toolchain.
pub(crate) fn host(toolchain: Option<&str>) -> Result<String> {
    let version = process::output(process::rustc(toolchain).arg("-vV"))?;
    version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .with_context(|| format!("`rustc -vV` names no host:\n{version}"))
}

fn add_target() -> Result<Outcome> {
    add(&["target", "add", WASM_TARGET], sysroot::has_wasm)
}

fn add_sources() -> Result<Outcome> {
    add(&["component", "add", "rust-src"], sysroot::has_sources)
}

/// Runs rustup where a sysroot has not yet what it is about, and looks whether it has it then.
fn add(arguments: &[&str], has: fn(&Path) -> bool) -> Result<Outcome> {
    let sysroot = sysroot::path(None)?;
    if has(&sysroot) {
        return Ok(Outcome::AlreadyThere(String::new()));
    }
    rustup(arguments)?;
    if !has(&sysroot) {
        bail!("after `rustup {}` it is still not in {}", arguments.join(" "), sysroot.display());
    }
    Ok(Outcome::Done("downloaded".to_owned()))
}

fn rustup(arguments: &[&str]) -> Result<()> {
    process::output_within(Command::new("rustup").args(arguments).env("RUSTUP_MAX_RETRIES", "1"), LIMIT)?;
    Ok(())
}
