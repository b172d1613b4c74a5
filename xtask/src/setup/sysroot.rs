//! What a toolchain's sysroot has, and small builds that prove it.

use crate::process;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The target of Wasm runtimes.
pub(crate) const WASM_TARGET: &str = "wasm32v1-none";

/// The three crates that a `no_std` program with `alloc` links.
pub(crate) const LIBRARIES: [&str; 3] = ["core", "alloc", "compiler_builtins"];

/// The sysroot of a toolchain (rustup's name; none: the active one).
pub(crate) fn path(toolchain: Option<&str>) -> Result<PathBuf> {
    Ok(PathBuf::from(process::output(process::rustc(toolchain).args(["--print", "sysroot"]))?))
}

/// The folder of the Wasm target's libraries.
pub(crate) fn wasm_libraries(sysroot: &Path) -> PathBuf {
    sysroot.join("lib/rustlib").join(WASM_TARGET).join("lib")
}

/// Whether `core`, `alloc` and `compiler_builtins` are there for the Wasm target.
pub(crate) fn has_wasm(sysroot: &Path) -> bool {
    let Ok(folder) = fs::read_dir(wasm_libraries(sysroot)) else { return false };
    let names: Vec<String> =
        folder.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    LIBRARIES.iter().all(|library| names.iter().any(|name| is_library(name, library)))
}

/// Whether the library's sources are there.
pub(crate) fn has_sources(sysroot: &Path) -> bool {
    sysroot.join("lib/rustlib/src/rust/library/core/src/lib.rs").is_file()
}

/// The file of the linker `rust-lld`, which both targets name.
pub(crate) fn linker(sysroot: &Path, host: &str) -> PathBuf {
    sysroot.join("lib/rustlib").join(host).join("bin/rust-lld")
}

/// Whether a file name is that of a compiled library: `libcore-0123.rlib` for `core`.
pub(crate) fn is_library(file: &str, library: &str) -> bool {
    file.strip_prefix("lib")
        .and_then(|rest| rest.strip_prefix(library))
        .is_some_and(|rest| rest.starts_with('-') && rest.ends_with(".rlib"))
}

/// Builds a small `no_std` module with `alloc`, with link-time optimization as runtimes are built, and without, as
/// substrate-wasm-builder looks whether the target is there.
pub(crate) fn trial_build(toolchain: Option<&str>) -> Result<()> {
    let project = Project::new()?;
    let folder = wasm_libraries(&path(toolchain)?);
    for link_time in [true, false] {
        process::output(project.build(toolchain, link_time).env("RUSTFLAGS", ""))
            .with_context(|| format!("Fix: remove {} and run setup again", folder.display()))
            .with_context(|| format!("{WASM_TARGET} is there but does not build"))?;
    }
    Ok(())
}

/// A package in a temporary folder that links `core` and `alloc`.
pub(crate) struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    pub(crate) fn new() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("hatchery-setup-").tempdir()?;
        fs::create_dir(folder.path().join("src"))?;
        fs::write(
            folder.path().join("Cargo.toml"),
            "[package]\nname = \"trial\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
             [lib]\ncrate-type = [\"cdylib\"]\n[profile.release]\npanic = \"abort\"\n[workspace]\n",
        )?;
        fs::write(folder.path().join("src/lib.rs"), include_str!("trial.rs.in"))?;
        Ok(Self { folder })
    }

    /// The command that builds it for the Wasm target, with or without link-time optimization.
    pub(crate) fn build(&self, toolchain: Option<&str>, link_time: bool) -> Command {
        let mut command = process::cargo(toolchain);
        command
            .args(["build", "--release", "--target", WASM_TARGET])
            .current_dir(self.folder.path())
            .env("CARGO_PROFILE_RELEASE_LTO", if link_time { "thin" } else { "false" })
            .env("CARGO_TARGET_DIR", self.folder.path().join("target"));
        command
    }

    /// Where the compiled dependencies are.
    pub(crate) fn compiled(&self) -> PathBuf {
        self.folder.path().join("target").join(WASM_TARGET).join("release/deps")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn library_file_names() {
        assert!(is_library("libcore-1a2b.rlib", "core"));
        assert!(is_library("libcompiler_builtins-77.rlib", "compiler_builtins"));
        assert!(!is_library("libcore-1a2b.rmeta", "core"));
        assert!(!is_library("libcoreish-1.rlib", "core"));
        assert!(!is_library("libcore.rlib", "core"));
    }

    #[test]
    fn an_empty_sysroot_has_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!has_wasm(folder.path()));
        assert!(!has_sources(folder.path()));
        fs::create_dir_all(wasm_libraries(folder.path())).unwrap();
        for library in LIBRARIES {
            assert!(!has_wasm(folder.path()), "{library} is still missing");
            fs::write(wasm_libraries(folder.path()).join(format!("lib{library}-1.rlib")), "").unwrap();
        }
        assert!(has_wasm(folder.path()));
    }
}
