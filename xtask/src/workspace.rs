//! Where things are: the workspace, and the user's cache.

use anyhow::{Context, Result};
use std::env;
use std::path::{Path, PathBuf};

/// The folder of the root `Cargo.toml`.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the workspace")
}

/// Hatchery's folder in the user's cache: `$XDG_CACHE_HOME/hatchery` or `~/.cache/hatchery`.
pub(crate) fn cache() -> Result<PathBuf> {
    let base = match env::var_os("XDG_CACHE_HOME").filter(|value| !value.is_empty()) {
        Some(base) => PathBuf::from(base),
        None => env::home_dir()
            .filter(|home| !home.as_os_str().is_empty())
            .context("neither XDG_CACHE_HOME nor HOME is set: there is no place for the cache")?
            .join(".cache"),
    };
    Ok(base.join("hatchery"))
}

/// Cargo's target directory: `CARGO_TARGET_DIR` when set, else `target` in the workspace.
pub(crate) fn target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR").filter(|value| !value.is_empty()) {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}
