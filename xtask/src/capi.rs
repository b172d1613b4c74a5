//! `cargo xtask capi`: builds libpvm and installs it.

use crate::{process, workspace};
use anyhow::{Context, Result, bail};
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX, OS};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The package and the name of its library.
const PACKAGE: &str = "hatchery-capi";
const LIBRARY: &str = "pvm";

/// The number in the name that programs ask the dynamic linker for: `PVM_ABI_VERSION` of the header.
const ABI: &str = "1";

/// What a program that links the static library needs besides.
const SYSTEM_LIBRARIES: &str =
    if cfg!(target_os = "macos") { "-lSystem -lc -lm" } else { "-lgcc_s -lutil -lrt -lpthread -lm -ldl -lc" };

/// Options of `cargo xtask capi`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Where to install: `include/pvm.h`, `lib/libpvm.so`, `lib/libpvm.a` and `lib/pkgconfig/pvm.pc` go there.
    #[arg(long, value_name = "DIR")]
    prefix: PathBuf,

    /// Cargo's profile. `dev` is for tests of the library itself.
    #[arg(long, value_name = "NAME", default_value = "release")]
    profile: String,

    /// Cargo's target triple, where the library is for another machine or for a sanitizer.
    #[arg(long, value_name = "TRIPLE")]
    target: Option<String>,
}

/// Runs `cargo xtask capi`.
pub(crate) fn command(arguments: &Arguments) -> Result<ExitCode> {
    let installed = install(arguments)?;
    println!("libpvm is in {}", installed.display());
    println!(
        "  compile with  cc program.c $(PKG_CONFIG_PATH={0}/lib/pkgconfig pkg-config --cflags --libs pvm)",
        installed.display()
    );
    println!("  run with      LD_LIBRARY_PATH={}/lib", installed.display());
    Ok(ExitCode::SUCCESS)
}

fn install(arguments: &Arguments) -> Result<PathBuf> {
    let built = build(arguments)?;
    let prefix = std::path::absolute(&arguments.prefix)?;
    let (include, lib) = (prefix.join("include"), prefix.join("lib"));
    for folder in [&include, &lib.join("pkgconfig")] {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    put(&workspace::root().join("capi/include/pvm.h"), &include.join("pvm.h"))?;
    put(&built.join("libpvm.a"), &lib.join("libpvm.a"))?;

    let plain = format!("{DLL_PREFIX}{LIBRARY}{DLL_SUFFIX}");
    match linked_name(OS) {
        Some(linked) => {
            let full = numbered(OS, &format!("{ABI}.{}", minor_and_patch()?));
            put(&built.join(&plain), &lib.join(&full))?;
            link(&full, &lib.join(&linked))?;
            link(&linked, &lib.join(&plain))?;
        }
        None => put(&built.join(&plain), &lib.join(&plain))?,
    }

    let description = package_config(&prefix);
    let file = lib.join("pkgconfig/pvm.pc");
    fs::write(&file, description).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(prefix)
}

/// Builds both kinds of library and gives the folder they are in.
fn build(arguments: &Arguments) -> Result<PathBuf> {
    let Arguments { profile, target, .. } = arguments;
    let mut cargo = process::cargo(None);
    cargo.current_dir(workspace::root()).args(["rustc", "--locked", "--package", PACKAGE, "--lib"]);
    cargo.args(["--crate-type", "cdylib,staticlib", "--profile", profile]);
    if let Some(target) = target {
        cargo.args(["--target", target]);
    }
    if let Some(linked) = linked_name(OS) {
        // Otherwise programs would look for it under another name, on macOS in the folder where it was built.
        let option = if OS == "macos" { "-install_name,@rpath/" } else { "-soname," };
        cargo.args(["--", "-C", &format!("link-arg=-Wl,{option}{linked}")]);
    }
    process::pass(cargo)?;
    let folder = if profile == "dev" { "debug" } else { profile };
    Ok(workspace::target().join(target.as_deref().unwrap_or_default()).join(folder))
}

/// The name that programs ask the dynamic linker for, where names have numbers.
fn linked_name(os: &str) -> Option<String> {
    ["linux", "macos"].contains(&os).then(|| numbered(os, ABI))
}

/// The library's name with a number.
fn numbered(os: &str, number: &str) -> String {
    if os == "macos" {
        format!("{DLL_PREFIX}{LIBRARY}.{number}.dylib")
    } else {
        format!("{DLL_PREFIX}{LIBRARY}.so.{number}")
    }
}

/// The second and third number of the version, which this program has too.
fn minor_and_patch() -> Result<String> {
    match env!("CARGO_PKG_VERSION").split('.').collect::<Vec<_>>()[..] {
        [_, minor, patch] => Ok(format!("{minor}.{patch}")),
        _ => bail!("the version {} has not three numbers", env!("CARGO_PKG_VERSION")),
    }
}

fn package_config(prefix: &Path) -> String {
    format!(
        "prefix={}\n\
         includedir=${{prefix}}/include\n\
         libdir=${{prefix}}/lib\n\
         \n\
         Name: libpvm\n\
         Description: The PVM of JAM: interpreter and recompiler\n\
         Version: {}\n\
         Libs: -L${{libdir}} -lpvm\n\
         Libs.private: {SYSTEM_LIBRARIES}\n\
         Cflags: -I${{includedir}}\n",
        prefix.display(),
        env!("CARGO_PKG_VERSION")
    )
}

/// Copies a file. The old one goes first: a program that has it loaded keeps it.
fn put(from: &Path, to: &Path) -> Result<()> {
    let _ = fs::remove_file(to);
    fs::copy(from, to).with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    Ok(())
}

#[cfg(unix)]
fn link(to: &str, file: &Path) -> Result<()> {
    let _ = fs::remove_file(file);
    std::os::unix::fs::symlink(to, file).with_context(|| format!("cannot link {}", file.display()))
}

#[cfg(not(unix))]
fn link(_: &str, file: &Path) -> Result<()> {
    bail!("there are no links to make {} with", file.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_in_the_name_is_the_headers() {
        let header = fs::read_to_string(workspace::root().join("capi/include/pvm.h")).unwrap();
        assert!(header.contains(&format!("#define PVM_ABI_VERSION {ABI}\n")));
    }

    #[test]
    fn names_are_those_of_the_system() {
        assert_eq!(linked_name("linux").as_deref(), Some("libpvm.so.1"));
        assert_eq!(linked_name("macos").as_deref(), Some("libpvm.1.dylib"));
        assert_eq!(linked_name("windows"), None);
        assert_eq!(numbered("macos", "1.2.3"), "libpvm.1.2.3.dylib");
    }

    #[test]
    fn pkg_config_gets_what_it_needs() {
        let text = package_config(Path::new("/opt/pvm"));
        for line in ["prefix=/opt/pvm", "Libs: -L${libdir} -lpvm", "Cflags: -I${includedir}"] {
            assert!(text.lines().any(|there| there == line), "{line} is not in\n{text}");
        }
    }
}
