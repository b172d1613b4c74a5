//! The packages of the JavaScript example and of libpvm's binding, for their tests.

use crate::{process, workspace};
use anyhow::Result;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// The example's folder, from the workspace's.
const EXAMPLE: &str = "node-template/javascript";

/// The folder of libpvm's binding.
const BINDING: &str = "capi/node";

/// Long enough for a slow line.
const LIMIT: Duration = Duration::from_secs(300);

/// The oldest release of Node.js that the packages run on.
const OLDEST: u64 = 20;

/// Tells the test where the packages are.
pub(crate) const VARIABLE: &str = "HATCHERY_NODE_MODULES";

/// Installs the packages where there are Node.js and npm. `None`: there are not, or the registry cannot be reached; the
/// test says then that it did not run.
pub(crate) fn packages() -> Option<PathBuf> {
    packages_of(EXAMPLE)
}

/// As [`packages`], for libpvm's binding, whose test finds them where they are.
pub(crate) fn binding() -> Option<PathBuf> {
    packages_of(BINDING)
}

fn packages_of(folder: &str) -> Option<PathBuf> {
    match install(folder) {
        Ok(folder) => {
            println!("JavaScript packages: {}", folder.display());
            Some(folder)
        }
        Err(error) => {
            println!("JavaScript packages: none, so {folder} is not tested: {error:#}");
            None
        }
    }
}

fn install(folder: &str) -> Result<PathBuf> {
    for program in ["node", "npm"] {
        if process::find(program).is_none() {
            anyhow::bail!("there is no {program}");
        }
    }
    let version = process::output(Command::new("node").arg("--version"))?;
    let major = version.trim_start_matches('v').split('.').next().and_then(|number| number.parse().ok());
    if major.is_none_or(|major: u64| major < OLDEST) {
        anyhow::bail!("node is {version}, and {OLDEST} or later is needed");
    }
    let folder = workspace::root().join(folder);
    let packages = folder.join("node_modules");
    let installed = packages.join(".package-lock.json");
    let newer = || {
        Some(
            installed.metadata().ok()?.modified().ok()?
                >= folder.join("package-lock.json").metadata().ok()?.modified().ok()?,
        )
    };
    if newer() != Some(true) {
        let mut npm = Command::new("npm");
        npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(&folder);
        process::output_within(&mut npm, LIMIT)?;
    }
    Ok(packages)
}
