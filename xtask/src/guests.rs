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
    /// Change nothing: fail where the sources, the manifest and the blobs do not belong together. Guests for which the
    /// manifest names the compiler that is here are rebuilt and compared byte for byte.
    #[arg(long)]
    check: bool,
    /// With --check: fail when a guest cannot be compared byte for byte, because no compiler that the manifest names
    /// for it is here.
    #[arg(long, requires = "check")]
    strict: bool,
    /// Change no blob: rebuild with --toolchain, and add it to the manifest for the guests that come out the same.
    #[arg(long, requires = "toolchain", conflicts_with = "check")]
    confirm: bool,
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
    if arguments.check {
        check(&compilers, arguments.strict)?;
    } else if arguments.confirm {
        confirm(&compilers[0])?;
    } else {
        rebuild(&compilers)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Checks that `guests/blobs` belongs to the sources, as `cargo xtask guests --check` does.
pub(crate) fn check(compilers: &[Compiler], strict: bool) -> Result<()> {
    let manifest = consistent_manifest()?;
    let compiler = best(compilers, &manifest)?;
    let (known, unknown): (Vec<&String>, Vec<&String>) =
        manifest.guests.keys().partition(|name| manifest.guests[*name].built_by(compiler));
    if !known.is_empty() {
        let known: Vec<String> = known.into_iter().cloned().collect();
        let built = build_all(&known, compiler)?;
        let different = differences(&manifest, &built);
        if !different.is_empty() {
            let list = different.join("\n  ");
            return Err(anyhow!("a rebuild gives other bytes than guests/blobs:\n  {list}").context(FIX));
        }
        println!("Rebuilt {} guests: the bytes are those of guests/blobs.", known.len());
    }
    for name in &unknown {
        println!(
            "Guest {name}: sources and blobs belong together. Not rebuilt: its bytes come from another compiler"
        );
        println!("    here:            {}", compiler.version);
        println!(
            "    in the manifest: {}",
            manifest.guests[*name].toolchains.join("\n                     ")
        );
    }
    if strict && !unknown.is_empty() {
        bail!("{} guests could not be compared byte for byte: {unknown:?}", unknown.len());
    }
    Ok(())
}

/// Rebuilds all blobs and writes the manifest.
fn rebuild(compilers: &[Compiler]) -> Result<()> {
    let names = names()?;
    let folder = blobs_folder();
    let before = Manifest::read(&folder).ok();
    let compiler = match &before {
        Some(manifest) => best(compilers, manifest)?,
        None => compilers.first().context("setup named no compiler for guests")?,
    };
    build::update_lock(compiler)?;
    let built = build_all(&names, compiler)?;
    let mut after = Manifest {
        linker: build::linker_version(build::LINKER_VERSION)?,
        linker_of_latest64_extended: build::linker_version(build::EXTENDED_LINKER_VERSION)?,
        guests: built.iter().map(|(name, guest)| (name.clone(), guest.record.clone())).collect(),
    };
    for (name, guest) in &mut after.guests {
        // Other compilers that gave the same program stay on the list.
        if let Some(old) =
            before.as_ref().and_then(|before| before.guests.get(name)).filter(|old| old.same(guest))
        {
            guest.join(old);
        }
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

/// Adds a compiler to the manifest's list for every guest of which it gives the same bytes.
fn confirm(compiler: &Compiler) -> Result<()> {
    let mut manifest = consistent_manifest()?;
    let names: Vec<String> = manifest.guests.keys().cloned().collect();
    let built = build_all(&names, compiler)?;
    for (name, guest) in &mut manifest.guests {
        let record = &built[name].record;
        if guest.same(record) {
            guest.join(record);
            println!("{name}: the same bytes");
        } else {
            println!("{name}: other bytes");
        }
    }
    manifest.write(&blobs_folder())
}

/// The manifest, when it is about these guests, these sources and these blobs.
fn consistent_manifest() -> Result<Manifest> {
    let names = names()?;
    let manifest = Manifest::read(&blobs_folder()).context(FIX)?;
    manifest.check_files(&blobs_folder(), &names).context(FIX)?;
    for (name, guest) in &manifest.guests {
        let source = build::source_hash(name)?;
        if source != guest.source {
            return Err(anyhow!(
                "the sources of guest `{name}` have changed since its blobs were built\n  \
                 sha256 of the sources {source}\n  in the manifest       {}",
                guest.source
            )
            .context(FIX));
        }
    }
    Ok(manifest)
}

/// The compiler that the manifest names for most guests; the preferred one of equals.
fn best<'a>(compilers: &'a [Compiler], manifest: &Manifest) -> Result<&'a Compiler> {
    let known =
        |compiler: &Compiler| manifest.guests.values().filter(|guest| guest.built_by(compiler)).count();
    compilers
        .iter()
        .rev()
        .max_by_key(|compiler| known(compiler))
        .context("setup named no compiler for guests")
}

/// A guest as just built.
struct Built {
    record: Guest,
    blobs: BTreeMap<InstructionSet, Vec<u8>>,
}

fn build_all(names: &[String], compiler: &Compiler) -> Result<BTreeMap<String, Built>> {
    println!("Guests with {}", compiler.version);
    let mut steps = Steps::new(1 + names.len());
    steps.run(&format!("compile {} guests", names.len()), || {
        build::compile(names, compiler)?;
        Ok(Outcome::Done("compiled".to_owned()))
    })?;
    let mut built = BTreeMap::new();
    for name in names {
        steps.run(&format!("link {name}"), || {
            let mut blobs = BTreeMap::new();
            for set in InstructionSet::of(name) {
                blobs.insert(set, build::link(&build::elf(name, set), set)?);
            }
            let sizes: Vec<String> =
                blobs.iter().map(|(set, bytes)| format!("{} {} bytes", set.folder(), bytes.len())).collect();
            let record = Guest {
                source: build::source_hash(name)?,
                toolchains: vec![compiler.version.clone()],
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

/// The guests: the members of the guests' workspace, without the support crates.
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
        .filter(|name| !build::SUPPORT.contains(name))
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
