//! `cargo xtask fuzz`: libFuzzer on the targets in `fuzz/`, under AddressSanitizer.

use crate::process::{self, pass};
use crate::progress::seconds;
use crate::{nightly, workspace};
use anyhow::{Context, Result, anyhow, bail};
use std::fs;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Options of `cargo xtask fuzz`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The targets to run, one after the other. Default: all.
    targets: Vec<String>,

    /// How long to run each of them.
    #[arg(long, value_name = "MINUTES", default_value_t = 10)]
    minutes: u64,
}

/// Runs `cargo xtask fuzz`.
pub(crate) fn command(arguments: &Arguments) -> Result<ExitCode> {
    let started = Instant::now();
    let known = targets()?;
    if let Some(unknown) = arguments.targets.iter().find(|target| !known.contains(target)) {
        bail!("there is no fuzz target `{unknown}`: there are {}", known.join(", "));
    }
    nightly::ensure(&[])?;
    if process::find("cargo-fuzz").is_none() {
        let fix = "Fix: cargo install cargo-fuzz --locked";
        return Err(anyhow!("cargo-fuzz is not installed").context(fix));
    }
    let chosen = if arguments.targets.is_empty() { &known } else { &arguments.targets };
    for target in chosen {
        println!("\n=== {target}, {} min", arguments.minutes);
        run(target, Duration::from_secs(60 * arguments.minutes))?;
    }
    println!("\nNo finding in {} ({}).", chosen.join(", "), seconds(started.elapsed()));
    Ok(ExitCode::SUCCESS)
}

/// The names of the targets, from their files.
fn targets() -> Result<Vec<String>> {
    let folder = workspace::root().join("fuzz/targets");
    let mut targets = Vec::new();
    for file in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = file?.path();
        targets.extend(path.file_stem().and_then(|name| name.to_str()).map(str::to_owned));
    }
    targets.sort();
    Ok(targets)
}

/// Runs a target from what earlier runs have found of interest, beginning with the guests.
fn run(target: &str, time: Duration) -> Result<()> {
    let corpus = workspace::target().join("fuzz-corpus").join(target);
    fs::create_dir_all(&corpus).with_context(|| format!("cannot make {}", corpus.display()))?;
    let mut command = process::cargo(Some(nightly::TOOLCHAIN));
    command
        .current_dir(workspace::root())
        .args(["fuzz", "run", target])
        .arg(&corpus)
        .arg(workspace::root().join("guests/blobs/jam-v1"))
        .env("CARGO_TARGET_DIR", workspace::target().join("fuzz"))
        .arg("--")
        .arg(format!("-max_total_time={}", time.as_secs()))
        // An input that takes long is a finding, too.
        .args(["-timeout=20", "-rss_limit_mb=4096", "-print_final_stats=1"]);
    pass(command)
}
