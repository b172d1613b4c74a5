//! What needs a nightly compiler: sanitizers, Miri, fuzzing.

use crate::process;
use anyhow::{Context, Result};
use std::process::Command;

/// rustup's name of the toolchain.
pub(crate) const TOOLCHAIN: &str = "nightly";

/// Installs the toolchain with these components if anything of it is missing.
pub(crate) fn ensure(components: &[&str]) -> Result<()> {
    let fix = || {
        let components: String = components.iter().map(|name| format!(" --component {name}")).collect();
        format!("Fix: with a network, `rustup toolchain install {TOOLCHAIN} --profile minimal{components}`")
    };
    if !installed(components) {
        println!("Installing the {TOOLCHAIN} toolchain {}", components.join(", "));
        let mut rustup = Command::new("rustup");
        rustup.args(["toolchain", "install", TOOLCHAIN, "--profile", "minimal"]);
        for component in components {
            rustup.args(["--component", component]);
        }
        process::output(&mut rustup).with_context(fix)?;
    }
    Ok(())
}

fn installed(components: &[&str]) -> bool {
    let list = ["component", "list", "--installed", "--toolchain", TOOLCHAIN];
    let Ok(installed) = process::output(Command::new("rustup").args(list)) else { return false };
    // Components for one host are listed with its name behind theirs.
    components.iter().all(|wanted| installed.lines().any(|line| line.starts_with(wanted)))
}
