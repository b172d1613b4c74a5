//! What the engines execute: `benches/guests` for PolkaVM, WebAssembly, RISC-V and this machine.

use crate::progress::{Outcome, Steps};
use crate::setup::Compiler;
use crate::{process, workspace};
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// How many steps [`build`] takes.
pub(super) const STEPS: usize = 4;

/// The name of PolkaVM's target, which the harness describes as its linker wants it.
const POLKAVM: &str = "riscv64emac-unknown-none-polkavm";

/// Builds all programs. The folder that they are in.
pub(super) fn build(steps: &mut Steps, compiler: &Compiler, harness: &Path) -> Result<PathBuf> {
    let folder = workspace::target().join("bench-programs");
    fs::create_dir_all(&folder)?;
    steps.run("compile the programs for PolkaVM", || {
        let file = folder.join(format!("{POLKAVM}.json"));
        let description = process::output(Command::new(harness).arg("target"))?;
        if fs::read_to_string(&file).ok().as_deref() != Some(description.as_str()) {
            fs::write(&file, description)?;
        }
        let mut command = cross(compiler, &folder, &["programs", "processes"], &[]);
        command.arg("-Zjson-target-spec").arg("--target").arg(file);
        compile(command)
    })?;
    steps.run("compile the programs for WebAssembly", || {
        // The stack is as large as that of the other machines.
        let flags = ["-Clink-arg=--no-entry", "-Clink-arg=--export=run", "-Clink-arg=-zstack-size=65536"];
        let mut command = cross(compiler, &folder, &["programs"], &flags);
        command.args(["--target", "wasm32-unknown-unknown"]);
        compile(command)
    })?;
    steps.run("compile the programs for RISC-V", || {
        // What ckb-vm executes; atomic instructions are of no use to a single thread.
        let flags = ["-Ctarget-feature=+zba,+zbb,+zbc,+zbs,-a"];
        let mut command = cross(compiler, &folder, &["programs", "processes"], &flags);
        command.args(["--target", "riscv64imac-unknown-none-elf"]);
        compile(command)
    })?;
    steps.run("compile the programs for this machine", || {
        // The same multiplications as everywhere, not the vector instructions that only this machine has.
        let mut command = cargo(compiler, &folder, &["--cfg=curve25519_dalek_backend=\"serial\""]);
        command.args(["--package", "native"]);
        compile(command)
    })?;
    Ok(folder)
}

fn compile(mut command: Command) -> Result<Outcome> {
    process::output(&mut command)?;
    Ok(Outcome::Done("compiled".to_owned()))
}

/// `cargo build` of packages for another machine, library and all.
fn cross(compiler: &Compiler, folder: &Path, packages: &[&str], flags: &[&str]) -> Command {
    let mut command = cargo(compiler, folder, flags);
    command
        .args(packages.iter().flat_map(|package| ["--package", package]))
        .arg("-Zbuild-std=core,alloc")
        // Building the library is open to stable compilers only this way.
        .env("RUSTC_BOOTSTRAP", "1");
    command
}

/// `cargo build` without what the caller's environment says about builds.
fn cargo(compiler: &Compiler, folder: &Path, flags: &[&str]) -> Command {
    let mut command = process::cargo(compiler.toolchain.as_deref());
    for (variable, _) in env::vars_os() {
        let decides = variable.to_str().is_some_and(|name| {
            matches!(name, "RUSTFLAGS" | "CARGO_INCREMENTAL")
                || name.starts_with("CARGO_PROFILE_")
                || name.starts_with("CARGO_BUILD_")
        });
        if decides {
            command.env_remove(variable);
        }
    }
    command
        .current_dir(workspace::root().join("benches/guests"))
        .args(["build", "--release", "--locked", "--color=never"])
        .env("CARGO_TARGET_DIR", folder)
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
    command
}
