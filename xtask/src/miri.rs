//! `cargo xtask miri`: the engine's unit tests and small integration tests in Miri, on the portable twin of the memory.

use crate::process::{self, pass};
use crate::progress::seconds;
use crate::{nightly, workspace};
use anyhow::Result;
use std::process::ExitCode;
use std::time::Instant;

/// Runs `cargo xtask miri`.
pub(crate) fn command() -> Result<ExitCode> {
    let started = Instant::now();
    nightly::ensure(&["miri", "rust-src"])?;
    for chosen in [&["--lib"][..], &["--test=suite", "--", "execution::", "memory::"]] {
        let mut command = process::cargo(Some(nightly::TOOLCHAIN));
        command
            .current_dir(workspace::root())
            .args(["miri", "test", "--locked", "--package", "hatchery-engine", "--no-fail-fast"])
            .args(chosen)
            .env("CARGO_TARGET_DIR", workspace::target().join("miri"))
            // Tests read the committed guests. Integers are never made pointers, so the strict rules can be held.
            .env("MIRIFLAGS", "-Zmiri-disable-isolation -Zmiri-strict-provenance");
        pass(command)?;
    }
    println!("\nMiri found no undefined behaviour ({}).", seconds(started.elapsed()));
    Ok(ExitCode::SUCCESS)
}
