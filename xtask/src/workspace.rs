//! Where things are: the workspace, and the user's cache.

use anyhow::{Context, Result};
use std::env;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The folder of the root `Cargo.toml`.
///
/// As Cargo says when it runs this program: several clones that share a target directory also share the program.
pub(crate) fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let xtask = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        Path::new(&xtask).parent().expect("xtask is a folder of the workspace").to_path_buf()
    })
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
