//! `cargo xtask setup`: what builds Wasm runtimes, PolkaVM guests and the node, by rustup or from Debian's packages.
//!
//! Two things are needed besides a Rust toolchain for the host: `core` and `alloc` compiled for `wasm32v1-none`, and
//! the library's sources, from which guests get a `core` for PolkaVM's RISC-V target. rustup downloads both. Where it
//! cannot download, Debian's own compiler has the sources, and the Wasm library is built from them.

mod debian;
mod protoc;
mod rustup;
mod sysroot;

pub(crate) use rustup::host;

use crate::process;
use crate::progress::{Outcome, Steps};
use crate::workspace;
use anyhow::{Context, Result, anyhow};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// Options of `cargo xtask setup`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Where the cross targets come from.
    #[arg(long, value_enum, default_value_t, env = "HATCHERY_SETUP")]
    with: Source,
}

/// Where the cross targets come from.
#[derive(Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Source {
    /// rustup when it has them or can download them, else Debian's packages.
    #[default]
    Auto,
    /// rustup only.
    Rustup,
    /// Debian's packages only.
    Debian,
}

/// The toolchains that the other commands use: the result of setup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Toolchains {
    /// Builds Wasm runtimes.
    pub(crate) wasm: Compiler,
    /// All that can build guests, the preferred one first.
    pub(crate) guests: Vec<Compiler>,
}

/// A Rust toolchain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Compiler {
    /// rustup's name; none: the active toolchain.
    pub(crate) toolchain: Option<String>,
    /// `rustc -V` and the version of its LLVM: what decides which code it generates.
    pub(crate) version: String,
}

impl Compiler {
    pub(crate) fn of(toolchain: Option<&str>) -> Result<Self> {
        let verbose = process::output(process::rustc(toolchain).arg("-vV"))?;
        let rustc = verbose.lines().next().unwrap_or_default();
        let llvm = verbose.lines().find_map(|line| line.strip_prefix("LLVM version: ")).unwrap_or("unknown");
        Ok(Self { toolchain: toolchain.map(str::to_owned), version: format!("{rustc}, LLVM {llvm}") })
    }

    /// Major and minor version of rustc.
    pub(crate) fn release(&self) -> Option<(u32, u32)> {
        let mut numbers = self.version.strip_prefix("rustc ")?.split('.');
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    }
}

impl Toolchains {
    /// What build scripts read from the environment: substrate-wasm-builder's, and those that generate code with protoc.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let wasm = self.wasm.toolchain.iter().map(|name| ("WASM_BUILD_TOOLCHAIN", name.clone()));
        wasm.chain(protoc::environment()).collect()
    }
}

/// Runs `cargo xtask setup`.
pub(crate) fn command(arguments: &Arguments) -> Result<ExitCode> {
    let toolchains = run(arguments.with)?;
    println!("\nSet up. Written to {}.", description_file()?.display());
    match toolchains.environment().as_slice() {
        [] => println!("Runtimes and the node build with plain cargo commands, too."),
        variables => {
            println!("For runtimes and the node with plain cargo commands:");
            for (name, value) in variables {
                println!("    export {name}={value}");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Sets up what is missing and tells which toolchains to use.
pub(crate) fn ensure() -> Result<Toolchains> {
    let source = match std::env::var("HATCHERY_SETUP") {
        Ok(name) => Source::from_str(&name, true)
            .map_err(|_| anyhow!("HATCHERY_SETUP is `{name}`; it can be auto, rustup or debian"))?,
        Err(_) => Source::Auto,
    };
    run(source)
}

fn run(source: Source) -> Result<Toolchains> {
    if process::find("rustup").is_none() {
        let fix = "Fix: install it as https://rustup.rs describes, or from your distribution";
        return Err(anyhow!("rustup is not in PATH").context(fix));
    }
    let way = match source {
        Source::Rustup => Source::Rustup,
        Source::Debian => Source::Debian,
        Source::Auto => choose()?,
    };
    if way == Source::Rustup { rustup::setup() } else { debian::setup() }
}

/// Takes the way that is already complete; else tries what rustup can download.
fn choose() -> Result<Source> {
    if rustup::complete()? {
        return Ok(Source::Rustup);
    }
    if debian::complete() {
        return Ok(Source::Debian);
    }
    println!("Asking rustup for the Wasm target and the library's sources ...");
    match rustup::download() {
        Ok(()) => Ok(Source::Rustup),
        Err(error) if debian::possible() => {
            println!("rustup cannot download what is missing; Debian's packages have it too.");
            println!("{}", process::tail(&format!("{error:#}")));
            Ok(Source::Debian)
        }
        Err(error) => Err(error.context(rustup::FIX)),
    }
}

/// The last steps of both ways: C and C++ compilers, protoc, and proof that the Wasm target builds.
fn finish(steps: &mut Steps, toolchain: Option<&str>) -> Result<Toolchains> {
    steps.run("C and C++ compilers (for wasm-opt)", || {
        if ["cc", "c++"].iter().all(|program| process::find(program).is_some()) {
            return Ok(Outcome::AlreadyThere(String::new()));
        }
        debian::install(&["build-essential"])
            .context("Fix: install a C and a C++ compiler as `cc` and `c++`")?;
        Ok(Outcome::Done("installed build-essential".to_owned()))
    })?;
    steps.run("perl and make (for OpenSSL)", || {
        if can_build_openssl() {
            return Ok(Outcome::AlreadyThere(String::new()));
        }
        debian::install(&["perl", "make"])
            .context("Fix: install perl with its standard modules, and make")?;
        Ok(Outcome::Done("installed perl and make".to_owned()))
    })?;
    steps.run("protoc (for the node's network)", protoc::ensure)?;
    let wasm = Compiler::of(toolchain)?;
    let mut guests = vec![wasm.clone()];
    if toolchain.is_none() && debian::complete() {
        guests.push(Compiler::of(Some(debian::TOOLCHAIN))?);
    }
    if toolchain.is_some() && rustup::complete()? {
        guests.push(Compiler::of(None)?);
    }
    let toolchains = Toolchains { wasm, guests };
    let proved = description().as_ref() == Some(&toolchains) && !steps.changed();
    steps.run("trial build for wasm32v1-none", || {
        if proved {
            return Ok(Outcome::AlreadyThere("built before".to_owned()));
        }
        sysroot::trial_build(toolchain)?;
        Ok(Outcome::Done("builds".to_owned()))
    })?;
    if !proved {
        let file = description_file()?;
        fs::create_dir_all(workspace::cache()?)?;
        fs::write(&file, toml::to_string(&toolchains)?)
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(toolchains)
}

/// Whether there is what OpenSSL's sources, which the node's network compiles, are configured and built with.
fn can_build_openssl() -> bool {
    let mut perl = Command::new("perl");
    perl.args(["-MFindBin", "-MIPC::Cmd", "-MPod::Usage", "-e", "1"]);
    process::find("make").is_some() && process::find("perl").is_some() && process::output(&mut perl).is_ok()
}

/// Whether the last setup proved that this toolchain, in the version that is here, builds runtimes.
fn proved(toolchain: Option<&str>) -> bool {
    description().is_some_and(|known| Compiler::of(toolchain).is_ok_and(|compiler| compiler == known.wasm))
}

/// What the last setup found; none: nothing, or in another form.
fn description() -> Option<Toolchains> {
    toml::from_str(&fs::read_to_string(description_file().ok()?).ok()?).ok()
}

/// Where the result of setup is kept.
fn description_file() -> Result<PathBuf> {
    Ok(workspace::cache()?.join("toolchains.toml"))
}
