//! `cargo xtask sanitize`: the engine's tests under AddressSanitizer and under valgrind.

use crate::process::{self, pass};
use crate::progress::seconds;
use crate::setup::host;
use crate::{nightly, workspace};
use anyhow::{Result, anyhow};
use clap::ValueEnum;
use std::process::{Command, ExitCode};
use std::time::Instant;

/// The crate that has `unsafe` code.
const PACKAGE: &str = "hatchery-engine";

/// What runs under valgrind, some forty times slower than without: not `differential`, which is most of the time other engines.
const UNDER_VALGRIND: [&str; 9] =
    ["--lib", "--test", "containers", "--test", "disturbance", "--test", "execution", "--test", "guests"];

/// Options of `cargo xtask sanitize`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Use one of them only.
    #[arg(long, value_enum)]
    with: Option<Sanitizer>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sanitizer {
    /// AddressSanitizer, by a nightly compiler.
    Address,
    /// valgrind's memcheck, with the stable compiler.
    Valgrind,
}

/// Runs `cargo xtask sanitize`.
pub(crate) fn command(arguments: &Arguments) -> Result<ExitCode> {
    let started = Instant::now();
    let all = Sanitizer::value_variants();
    for sanitizer in arguments.with.as_ref().map_or(all, std::slice::from_ref) {
        match sanitizer {
            Sanitizer::Address => address()?,
            Sanitizer::Valgrind => valgrind()?,
        }
    }
    println!("\nNo error of memory was found ({}).", seconds(started.elapsed()));
    Ok(ExitCode::SUCCESS)
}

fn address() -> Result<()> {
    println!("=== AddressSanitizer");
    nightly::ensure(&[])?;
    let host = host(Some(nightly::TOOLCHAIN))?;
    let mut command = test(Some(nightly::TOOLCHAIN), "address-sanitizer");
    // With a target the flags are not those of build scripts and macros, which the compiler itself loads.
    command.args(["--lib", "--tests", "--target", &host]).env("RUSTFLAGS", "-Zsanitizer=address");
    pass(command)
}

fn valgrind() -> Result<()> {
    println!("=== valgrind");
    if process::find("valgrind").is_none() {
        let fix = "Fix: install the package `valgrind` of your distribution";
        return Err(anyhow!("valgrind is not in PATH").context(fix));
    }
    // Native code of guests is refused accesses, and goes on elsewhere then: the processor's state has to be exact there.
    let runner = "valgrind --vex-iropt-register-updates=allregs-at-mem-access --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect \
                  --errors-for-leak-kinds=definite,indirect";
    let variable = format!("CARGO_TARGET_{}_RUNNER", host(None)?.to_uppercase().replace('-', "_"));
    let mut command = test(None, "valgrind");
    // Native code finds out by refused accesses which pages a guest wants, each of which valgrind would take for an error.
    let flags = "--cfg hatchery_no_native_code";
    command.args(UNDER_VALGRIND).env(variable, runner).env("RUSTFLAGS", flags);
    pass(command)
}

/// `cargo test` of the engine with a target directory of its own, so that nothing is rebuilt because of other flags.
fn test(toolchain: Option<&str>, folder: &str) -> Command {
    let mut command = process::cargo(toolchain);
    command
        .current_dir(workspace::root())
        .args(["test", "--locked", "--package", PACKAGE, "--no-fail-fast"])
        .env("CARGO_TARGET_DIR", workspace::target().join(folder));
    command
}
