//! `protoc`, with which the node's network crates generate code when they are compiled.
//!
//! A program in `PATH`, or the one that `PROTOC` names, is used as it is. Otherwise the one that a crate of the
//! registry carries is copied to the user's cache, whose path stays the same when the crate's version changes: cargo
//! compiles everything behind it again when it does not.

use crate::progress::Outcome;
use crate::{process, workspace};
use anyhow::{Context, Result, anyhow};
use std::path::PathBuf;
use std::{env, fs};

/// The variable that build scripts read.
const VARIABLE: &str = "PROTOC";

/// What has to be set for build scripts; `None`: they find it by themselves.
pub(super) fn environment() -> Option<(&'static str, String)> {
    if env::var_os(VARIABLE).is_some() || process::find("protoc").is_some() {
        return None;
    }
    Some((VARIABLE, copy().ok()?.to_str()?.to_owned()))
}

/// Makes sure that there is one.
pub(super) fn ensure() -> Result<Outcome> {
    if let Some(program) = env::var_os(VARIABLE) {
        let program = PathBuf::from(program);
        if program.is_file() {
            return Ok(Outcome::AlreadyThere(format!("{}, as {VARIABLE} says", program.display())));
        }
        let fix = format!("Fix: unset {VARIABLE}, or set it to the path of protoc");
        return Err(anyhow!("{VARIABLE} is {}, which is no file", program.display()).context(fix));
    }
    if let Some(program) = process::find("protoc") {
        return Ok(Outcome::AlreadyThere(program.display().to_string()));
    }
    let copy = copy()?;
    if copy.is_file() {
        return Ok(Outcome::AlreadyThere(copy.display().to_string()));
    }
    let fix = "Fix: install the Protocol Buffers compiler (Debian: `sudo apt-get install protobuf-compiler`)";
    let original = protoc_bin_vendored::protoc_bin_path().context(fix)?;
    let folder = copy.parent().context("the cache has no folder")?;
    fs::create_dir_all(folder)?;
    // Renamed last, so that no run finds half of it.
    let half = tempfile::NamedTempFile::new_in(folder)?;
    fs::copy(&original, half.path()).with_context(|| format!("cannot copy {}", original.display()))?;
    make_executable(half.path())?;
    half.persist(&copy)?;
    Ok(Outcome::Done(format!("copied to {}", copy.display())))
}

fn copy() -> Result<PathBuf> {
    Ok(workspace::cache()?.join("protoc/bin").join(format!("protoc{}", env::consts::EXE_SUFFIX)))
}

#[cfg(unix)]
fn make_executable(file: &std::path::Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    Ok(fs::set_permissions(file, fs::Permissions::from_mode(0o755))?)
}

#[cfg(not(unix))]
fn make_executable(_file: &std::path::Path) -> Result<()> {
    Ok(())
}
