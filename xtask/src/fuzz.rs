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
    /// The targets to run, one after the other. Default: those of the engine.
    targets: Vec<String>,

    /// How long to run each of them. Default: ten minutes, or ten for all together when none is named.
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(1..))]
    minutes: Option<u32>,
}

/// The targets that run when none is named: what executes programs, and what reads them.
const ENGINE: [&str; 5] = ["decode", "execute", "recompile", "snapshot", "upstream"];

/// The targets that need a feature of their name.
const WITH_FEATURE: [&str; 5] = ["capabilities", "capi", "scheduler", "suspended", "upstream"];

const TEN_MINUTES: Duration = Duration::from_secs(600);

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
    let (chosen, default) = match arguments.targets.as_slice() {
        [] => (ENGINE.map(str::to_owned).to_vec(), TEN_MINUTES / ENGINE.len() as u32),
        named => (named.to_vec(), TEN_MINUTES),
    };
    let time = arguments.minutes.map_or(default, |minutes| Duration::from_secs(60) * minutes);
    // One that fails does not keep the others from running.
    let mut failed = Vec::new();
    for target in &chosen {
        println!("\n=== {target}, {}", seconds(time));
        if let Err(error) = run(target, time) {
            crate::report(&error);
            failed.push(target.as_str());
        }
    }
    if !failed.is_empty() {
        bail!("{} of {} fuzz targets failed: {}", failed.len(), chosen.len(), failed.join(", "));
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
    // A feature of the same name stands for dependencies that only this target has.
    let feature = WITH_FEATURE.contains(&target).then_some(target);
    let mut command = process::cargo(Some(nightly::TOOLCHAIN));
    command
        .current_dir(workspace::root())
        .args(["fuzz", "run"])
        .args(feature.map(|feature| format!("--features={feature}")))
        .arg(target)
        .arg(&corpus)
        .arg(workspace::root().join("guests/blobs/jam-v1"))
        .env("CARGO_TARGET_DIR", workspace::target().join("fuzz"))
        .arg("--")
        .arg(format!("-max_total_time={}", time.as_secs()))
        // An input that takes long is a finding, too.
        .args(["-timeout=20", "-rss_limit_mb=4096", "-print_final_stats=1"]);
    pass(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_those_of_the_manifest() {
        let manifest = fs::read_to_string(workspace::root().join("fuzz/Cargo.toml")).unwrap();
        let manifest: toml::Table = toml::from_str(&manifest).unwrap();
        let features: Vec<&String> = manifest["features"].as_table().unwrap().keys().collect();
        assert_eq!(features, WITH_FEATURE);
    }

    #[test]
    fn targets_of_the_engine_are_there() {
        let known = targets().unwrap();
        assert!(ENGINE.iter().all(|target| known.iter().any(|known| known == target)), "{known:?}");
    }
}
