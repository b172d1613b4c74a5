//! `cargo xtask guests`: builds every guest program for every instruction set, and keeps `guests/blobs` true.

mod build;
mod manifest;

use crate::progress::{Outcome, Steps};
use crate::setup::{self, Compiler};
use crate::workspace;
use anyhow::{Context, Result, anyhow, bail};
use build::InstructionSet;
use manifest::{Blob, Guest, Manifest};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const FIX: &str = "Fix: run `cargo xtask guests` and commit what it changes in guests/blobs";

/// Options of `cargo xtask guests`.
#[derive(clap::Args, Default)]
pub(crate) struct Arguments {
    /// Change nothing: fail where the sources, the manifest and the blobs do not belong together. Where the toolchain
    /// is one of the manifest's, the guests are rebuilt and compared byte for byte.
    #[arg(long)]
    check: bool,
    /// With --check: fail when the toolchain is not one of the manifest's, instead of leaving the bytes unchecked.
    #[arg(long, requires = "check")]
    strict: bool,
    /// rustup's name of the toolchain to build with, instead of one that the manifest names.
    #[arg(long)]
    toolchain: Option<String>,
}

/// Runs `cargo xtask guests`.
pub(crate) fn command(arguments: &Arguments) -> Result<ExitCode> {
    let compilers = match &arguments.toolchain {
        Some(name) => vec![Compiler::of(Some(name))?],
        None => setup::ensure()?.guests,
    };
    println!();
    if arguments.check { check(&compilers, arguments.strict) } else { rebuild(&compilers) }?;
    Ok(ExitCode::SUCCESS)
}

/// Checks that `guests/blobs` belongs to the sources, as `cargo xtask guests --check` does.
pub(crate) fn check(compilers: &[Compiler], strict: bool) -> Result<()> {
    let names = names()?;
    let manifest = Manifest::read(&blobs_folder()).context(FIX)?;
    manifest.check_files(&blobs_folder(), &names).context(FIX)?;
    for name in &names {
        let source = build::source_hash(name)?;
        let recorded = &manifest.guests[name].source;
        if &source != recorded {
            return Err(anyhow!(
                "the sources of guest `{name}` have changed since its blobs were built\n  \
                 sha256 of the sources {source}\n  in the manifest       {recorded}"
            )
            .context(FIX));
        }
    }
    let known = compilers.iter().find(|compiler| manifest.toolchains.contains(&compiler.version));
    let Some(compiler) = known else {
        let here = compilers.iter().map(|compiler| compiler.version.as_str()).collect::<Vec<_>>().join("; ");
        let there = manifest.toolchains.join("; ");
        if strict {
            bail!(
                "the guests were built with another compiler\n  here:            {here}\n  in the manifest: {there}"
            );
        }
        println!(
            "{} guests: sources and blobs are those of the manifest. Not rebuilt: the compiler here is not one that\n\
             is known to give the same bytes (here: {here}; in the manifest: {there}).",
            names.len()
        );
        return Ok(());
    };
    let built = build_all(&names, compiler)?;
    let different = differences(&manifest, &built);
    if !different.is_empty() {
        return Err(anyhow!("a rebuild gives other bytes than guests/blobs:\n  {}", different.join("\n  "))
            .context(FIX));
    }
    println!(
        "{} guests: {} blobs are what the sources give.",
        names.len(),
        built.len() * InstructionSet::ALL.len()
    );
    Ok(())
}

/// Rebuilds all blobs and writes the manifest.
fn rebuild(compilers: &[Compiler]) -> Result<()> {
    let names = names()?;
    let folder = blobs_folder();
    let before = Manifest::read(&folder).ok();
    let compiler = compilers
        .iter()
        .find(|compiler| {
            before.as_ref().is_some_and(|manifest| manifest.toolchains.contains(&compiler.version))
        })
        .or(compilers.first())
        .context("setup named no compiler for guests")?;
    let built = build_all(&names, compiler)?;
    let mut after = Manifest {
        linker: build::linker_version()?,
        toolchains: vec![compiler.version.clone()],
        guests: built.iter().map(|(name, guest)| (name.clone(), guest.record.clone())).collect(),
    };
    // Another compiler that gives the same bytes joins the list; one that does not replaces it.
    if let Some(before) =
        before.filter(|before| before.linker == after.linker && before.guests == after.guests)
    {
        after.toolchains.extend(before.toolchains);
        after.toolchains.sort();
        after.toolchains.dedup();
    }
    for (name, guest) in &built {
        for (set, bytes) in &guest.blobs {
            let file = folder.join(manifest::blob_file(set, name));
            fs::create_dir_all(file.parent().expect("a blob's file has a folder"))?;
            write_if_changed(&file, bytes)?;
        }
    }
    after.write(&folder)?;
    after.remove_strays(&folder)?;
    println!("{} guests written to {}", names.len(), folder.display());
    Ok(())
}

/// A guest as just built.
struct Built {
    record: Guest,
    blobs: BTreeMap<InstructionSet, Vec<u8>>,
}

fn build_all(names: &[String], compiler: &Compiler) -> Result<BTreeMap<String, Built>> {
    println!("Guests with {}", compiler.version);
    let mut steps = Steps::new(1 + names.len());
    let mut folder = PathBuf::new();
    steps.run(&format!("compile {} guests", names.len()), || {
        folder = build::compile(names, compiler)?;
        Ok(Outcome::Done("compiled".to_owned()))
    })?;
    let mut built = BTreeMap::new();
    for name in names {
        steps.run(&format!("link {name}"), || {
            let mut blobs = BTreeMap::new();
            for set in InstructionSet::ALL {
                blobs.insert(set, build::link(&folder.join(name), set)?);
            }
            let sizes: Vec<String> =
                blobs.iter().map(|(set, bytes)| format!("{} {} bytes", set.folder(), bytes.len())).collect();
            let record = Guest {
                source: build::source_hash(name)?,
                blobs: blobs.iter().map(|(set, bytes)| (set.folder().to_owned(), Blob::of(bytes))).collect(),
            };
            built.insert(name.clone(), Built { record, blobs });
            Ok(Outcome::Done(sizes.join(", ")))
        })?;
    }
    Ok(built)
}

fn differences(manifest: &Manifest, built: &BTreeMap<String, Built>) -> Vec<String> {
    let mut different = Vec::new();
    for (name, guest) in built {
        for (set, blob) in &guest.record.blobs {
            let recorded = &manifest.guests[name].blobs[set];
            if recorded != blob {
                different.push(format!(
                    "{set}/{name}: {} bytes, sha256 {}; rebuilt: {} bytes, sha256 {}",
                    recorded.bytes, recorded.sha256, blob.bytes, blob.sha256
                ));
            }
        }
    }
    different
}

/// The guests: the members of the guests' workspace, without the support crate.
fn names() -> Result<Vec<String>> {
    let file = build::folder().join("Cargo.toml");
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let workspace: toml::Table = toml::from_str(&text).with_context(|| format!("in {}", file.display()))?;
    let members = workspace
        .get("workspace")
        .and_then(|table| table.get("members"))
        .and_then(toml::Value::as_array)
        .with_context(|| format!("{} has no workspace.members", file.display()))?;
    let mut names: Vec<String> = members
        .iter()
        .filter_map(toml::Value::as_str)
        .filter(|name| *name != build::SUPPORT)
        .map(str::to_owned)
        .collect();
    names.sort();
    Ok(names)
}

fn blobs_folder() -> PathBuf {
    workspace::root().join("guests/blobs")
}

fn write_if_changed(file: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(file).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display()))
}
