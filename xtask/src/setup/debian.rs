//! The way with Debian's packages: Debian's own compiler, linked into rustup, and a Wasm library built from the
//! sources that it ships.

use super::sysroot::{self, LIBRARIES, WASM_TARGET};
use super::{Toolchains, finish, proved, rustup};
use crate::process;
use crate::progress::{Outcome, Steps};
use anyhow::{Context, Result, anyhow, bail};
use std::fs;
use std::path::Path;
use std::process::Command;

/// rustup's name for Debian's compiler.
pub(super) const TOOLCHAIN: &str = "debian";

/// Debian's compiler for building browsers is the newest of a stable release; updates come as security updates.
const PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld-19"];

/// The oldest compiler that the workspace builds with: its `rust-version`.
const OLDEST: &str = env!("CARGO_PKG_RUST_VERSION");

/// The compiler of the package rustc-web.
const RUSTC: &str = "/usr/bin/rustc";

/// The linker of the package lld-19.
const LINKER: &str = "/usr/bin/lld-19";

/// Whether this is a machine with Debian's package manager.
pub(super) fn possible() -> bool {
    process::find("apt-get").is_some()
}

/// Whether everything is there.
pub(super) fn complete() -> bool {
    linked()
        && sysroot::path(Some(TOOLCHAIN)).is_ok_and(|sysroot| {
            sysroot::has_wasm(&sysroot)
                && sysroot::has_sources(&sysroot)
                && rustup::host(Some(TOOLCHAIN)).is_ok_and(|host| sysroot::linker(&sysroot, &host).exists())
        })
}

pub(super) fn setup() -> Result<Toolchains> {
    if !possible() {
        return Err(anyhow!("this machine has no apt-get").context(rustup::FIX));
    }
    println!("Cross targets of Debian's compiler");
    let mut steps = Steps::new(8);
    steps.run("Debian packages", || {
        if PACKAGES.into_iter().all(installed) && new_enough()? {
            return Ok(Outcome::AlreadyThere(PACKAGES.join(" ")));
        }
        install(&PACKAGES)?;
        if !new_enough()? {
            let fix = "Fix: let apt use Debian's security updates (bookworm-security), and run setup again";
            let version = process::output(Command::new(RUSTC).arg("-V"))?;
            return Err(anyhow!("Debian's compiler is {version}; {OLDEST} is needed").context(fix));
        }
        Ok(Outcome::Done(format!("installed {}", PACKAGES.join(" "))))
    })?;
    steps.run(&format!("rustup toolchain `{TOOLCHAIN}`"), || {
        if linked() {
            return Ok(Outcome::AlreadyThere(String::new()));
        }
        process::output(Command::new("rustup").args(["toolchain", "link", TOOLCHAIN, "/usr"]))?;
        Ok(Outcome::Done("linked to /usr".to_owned()))
    })?;
    let sysroot = sysroot::path(Some(TOOLCHAIN))?;
    steps.run("linker (rust-lld)", || {
        let link = sysroot::linker(&sysroot, &rustup::host(Some(TOOLCHAIN))?);
        if link.exists() {
            return Ok(Outcome::AlreadyThere(String::new()));
        }
        let folder = link.parent().context("the linker has a folder")?;
        as_root("mkdir", &["-p".as_ref(), folder.as_os_str()])?;
        as_root("ln", &["-sf".as_ref(), LINKER.as_ref(), link.as_os_str()])?;
        Ok(Outcome::Done(format!("{} -> {LINKER}", link.display())))
    })?;
    steps.run(&format!("{WASM_TARGET} library"), || {
        // One that an earlier version of the compiler built is of no use.
        if sysroot::has_wasm(&sysroot)
            && (proved(Some(TOOLCHAIN)) || sysroot::trial_build(Some(TOOLCHAIN)).is_ok())
        {
            return Ok(Outcome::AlreadyThere(String::new()));
        }
        build_wasm_library(&sysroot)?;
        Ok(Outcome::Done("built from the sources".to_owned()))
    })?;
    finish(&mut steps, Some(TOOLCHAIN))
}

/// Installs packages; on a machine without apt-get the error says so.
pub(super) fn install(packages: &[&str]) -> Result<()> {
    if !possible() {
        bail!("this machine has no apt-get");
    }
    // An update that fails for one of several sources still brings the others; what counts is the installation.
    let update = as_root("apt-get", &["update".as_ref()]);
    let mut arguments = vec!["install", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300"];
    arguments.extend(packages);
    let arguments: Vec<_> = arguments.into_iter().map(AsRef::as_ref).collect();
    let Err(error) = as_root("apt-get", &arguments) else { return Ok(()) };
    let error = match update {
        Err(update) => error.context(format!("the package lists could not be updated either: {update:#}")),
        Ok(()) => error,
    };
    Err(error.context(format!(
        "Fix: `sudo apt-get install {}` by hand; the packages are in Debian 12 (bookworm)",
        packages.join(" ")
    )))
}

/// Whether a package is installed.
fn installed(package: &str) -> bool {
    process::output(Command::new("dpkg-query").args(["-W", "-f=${db:Status-Status}", package]))
        .is_ok_and(|status| status == "installed")
}

/// Whether the compiler is one that the workspace builds with.
fn new_enough() -> Result<bool> {
    let release = process::output(Command::new(RUSTC).arg("-vV"))?;
    let release = release.lines().find_map(|line| line.strip_prefix("release: ")).unwrap_or_default();
    Ok(numbers(release) >= numbers(OLDEST))
}

/// The numbers of a version, without what follows a dash.
fn numbers(version: &str) -> Vec<u64> {
    let version = version.split('-').next().unwrap_or_default();
    version.split('.').map(|number| number.parse().unwrap_or(0)).collect()
}

fn linked() -> bool {
    process::output(Command::new("rustup").args(["toolchain", "list"]))
        .is_ok_and(|list| list.lines().any(|line| line.split_whitespace().next() == Some(TOOLCHAIN)))
}

/// Builds `core`, `alloc` and `compiler_builtins` for Wasm and puts them where `rustup target add` would.
fn build_wasm_library(sysroot: &Path) -> Result<()> {
    if !sysroot::has_sources(sysroot) {
        let fix = "Fix: `sudo apt-get install --reinstall rust-web-src`";
        return Err(anyhow!("no library sources in {}", sysroot.display()).context(fix));
    }
    let project = sysroot::Project::new()?;
    // Runtimes are built with link-time optimization, which needs the bitcode of every library. Without it for this
    // build, the libraries have machine code as well, for programs that do not optimize at link time.
    process::output(
        project
            .build(Some(TOOLCHAIN), false)
            .args(["-Z", "build-std=core,alloc"])
            .env("RUSTC_BOOTSTRAP", "1")
            .env("RUSTFLAGS", "-Cembed-bitcode=yes"),
    )
    .context("the library does not build")?;
    let libraries = sysroot::wasm_libraries(sysroot);
    let mut files = Vec::new();
    for library in LIBRARIES {
        let file = fs::read_dir(project.compiled())?
            .flatten()
            .find(|entry| sysroot::is_library(&entry.file_name().to_string_lossy(), library))
            .with_context(|| format!("the build gave no library {library}"))?;
        files.push(file.path());
    }
    if libraries.exists() {
        as_root("rm", &["-r".as_ref(), libraries.as_os_str()])?;
    }
    as_root("mkdir", &["-p".as_ref(), libraries.as_os_str()])?;
    let mut arguments: Vec<_> = ["-m", "644", "-t"].into_iter().map(AsRef::as_ref).collect();
    arguments.push(libraries.as_os_str());
    arguments.extend(files.iter().map(|file| file.as_os_str()));
    as_root("install", &arguments)
}

/// Runs a command as root: directly when we are, else with sudo, which is announced.
fn as_root(program: &str, arguments: &[&std::ffi::OsStr]) -> Result<()> {
    let root = process::output(Command::new("id").arg("-u"))? == "0";
    let mut command = if root {
        Command::new(program)
    } else if process::find("sudo").is_some() {
        let mut command = Command::new("sudo");
        command.arg(program);
        command
    } else {
        let fix = "Fix: run `cargo xtask setup` once as root";
        return Err(anyhow!("`{program}` has to run as root, and there is no sudo").context(fix));
    };
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    if !root {
        eprintln!("\nwith root's rights: {}", process::line(&command));
    }
    process::output(&mut command)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_their_numbers() {
        assert!(numbers("1.96.0") > numbers("1.95"));
        assert!(numbers("1.100.0-nightly") > numbers("1.95.2"));
        assert!(numbers("1.85.0") < numbers(OLDEST));
    }
}
