//! `guests/blobs/manifest.toml`: what the committed blobs were made of.

use super::InstructionSet;
use crate::setup::Compiler;
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const FILE: &str = "manifest.toml";

const HEAD: &str = "# Written by `cargo xtask guests`. All hashes are SHA-256.\n\n";

/// What the blobs in a folder were made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    /// Name and version of the linker.
    pub(super) linker: String,
    /// The same of that for the extended encoding of Latest64.
    #[serde(default)]
    pub(super) linker_of_latest64_extended: String,
    /// By name.
    pub(super) guests: BTreeMap<String, Guest>,
}

/// A guest program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Guest {
    /// Hash of its sources and settings.
    pub(super) source: String,
    /// Compilers that have given exactly these bytes: `rustc -V` and the version of LLVM.
    pub(super) toolchains: Vec<String>,
    /// By the folder of the instruction set.
    #[serde(flatten)]
    pub(super) blobs: BTreeMap<String, Blob>,
}

/// A linked program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Blob {
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

impl Blob {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.len() as u64, sha256: hexadecimal(&Sha256::digest(bytes)) }
    }
}

impl Guest {
    /// Whether this is the same program: the toolchains that give it do not count.
    pub(super) fn same(&self, other: &Self) -> bool {
        self.source == other.source && self.blobs == other.blobs
    }

    /// Adds the toolchains of another record of the same program.
    pub(super) fn join(&mut self, other: &Self) {
        self.toolchains.extend(other.toolchains.iter().cloned());
        self.toolchains.sort();
        self.toolchains.dedup();
    }

    /// Whether a compiler is known to give these bytes.
    pub(super) fn built_by(&self, compiler: &Compiler) -> bool {
        self.toolchains.contains(&compiler.version)
    }
}

impl Manifest {
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let file = folder.join(FILE);
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        toml::from_str(&text).with_context(|| format!("in {}", file.display()))
    }

    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let text = HEAD.to_owned() + &toml::to_string_pretty(self)?;
        super::write_if_changed(&folder.join(FILE), text.as_bytes())
    }

    /// Checks that the manifest is about these guests, and that the files are those that it describes.
    pub(super) fn check_files(&self, folder: &Path, names: &[String]) -> Result<()> {
        let recorded: Vec<&String> = self.guests.keys().collect();
        if recorded != names.iter().collect::<Vec<_>>() {
            bail!("the manifest is about {recorded:?}; the guests are {names:?}");
        }
        for (name, guest) in &self.guests {
            let sets: BTreeSet<&str> = guest.blobs.keys().map(String::as_str).collect();
            if sets != InstructionSet::of(name).map(InstructionSet::folder).collect() {
                bail!("the manifest has {name} for {sets:?}");
            }
            for set in InstructionSet::of(name) {
                let file = blob_file(&set, name);
                let bytes = fs::read(folder.join(&file))
                    .with_context(|| format!("cannot read {}", file.display()))?;
                let (recorded, found) = (&guest.blobs[set.folder()], Blob::of(&bytes));
                if *recorded != found {
                    bail!(
                        "{} has {} bytes and sha256 {}; in the manifest {} and {}",
                        file.display(),
                        found.bytes,
                        found.sha256,
                        recorded.bytes,
                        recorded.sha256
                    );
                }
            }
        }
        let strays = self.strays(folder)?;
        if !strays.is_empty() {
            bail!("blobs of no guest: {strays:?}");
        }
        Ok(())
    }

    /// Removes blobs of guests that are no more.
    pub(super) fn remove_strays(&self, folder: &Path) -> Result<()> {
        for file in self.strays(folder)? {
            fs::remove_file(folder.join(file))?;
        }
        Ok(())
    }

    fn strays(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        let mut strays = Vec::new();
        for set in InstructionSet::ALL {
            let Ok(entries) = fs::read_dir(folder.join(set.folder())) else { continue };
            for entry in entries {
                let file = Path::new(set.folder()).join(entry?.file_name());
                let is_of = |name: &String| {
                    InstructionSet::of(name).any(|of| of == set) && blob_file(&set, name) == file
                };
                if !self.guests.keys().any(is_of) {
                    strays.push(file);
                }
            }
        }
        strays.sort();
        Ok(strays)
    }
}

/// Where a blob is, from the folder of blobs.
pub(super) fn blob_file(set: &InstructionSet, name: &str) -> PathBuf {
    Path::new(set.folder()).join(format!("{name}.polkavm"))
}

/// Bytes as hexadecimal digits.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(folder: &Path) -> Manifest {
        let mut blobs = BTreeMap::new();
        for set in InstructionSet::of("one") {
            let bytes = set.folder().as_bytes();
            fs::create_dir_all(folder.join(set.folder())).unwrap();
            fs::write(folder.join(blob_file(&set, "one")), bytes).unwrap();
            blobs.insert(set.folder().to_owned(), Blob::of(bytes));
        }
        let guest = Guest { source: "00".to_owned(), toolchains: vec!["rustc 1".to_owned()], blobs };
        Manifest {
            linker: "polkavm-linker 0.35.0".to_owned(),
            linker_of_latest64_extended: "polkavm-linker 0.37.0".to_owned(),
            guests: BTreeMap::from([("one".to_owned(), guest)]),
        }
    }

    #[test]
    fn written_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let manifest = sample(folder.path());
        manifest.write(folder.path()).unwrap();
        assert_eq!(Manifest::read(folder.path()).unwrap(), manifest);
        manifest.check_files(folder.path(), &["one".to_owned()]).unwrap();
    }

    #[test]
    fn another_compiler_joins_the_same_program_only() {
        let folder = tempfile::tempdir().unwrap();
        let mut one = sample(folder.path()).guests.remove("one").unwrap();
        let mut again = one.clone();
        again.toolchains = vec!["rustc 0".to_owned(), "rustc 1".to_owned()];
        assert!(one.same(&again));
        one.join(&again);
        assert_eq!(one.toolchains, ["rustc 0", "rustc 1"]);

        again.source.push('1');
        assert!(!one.same(&again));
    }

    #[test]
    fn a_changed_missing_or_foreign_blob_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let manifest = sample(folder.path());
        let names = ["one".to_owned()];
        let error = |manifest: &Manifest, names: &[String]| {
            format!("{:#}", manifest.check_files(folder.path(), names).unwrap_err())
        };

        assert!(error(&manifest, &["one".to_owned(), "two".to_owned()]).contains("two"));

        fs::write(folder.path().join("jam-v1/two.polkavm"), "").unwrap();
        assert!(error(&manifest, &names).contains("jam-v1/two.polkavm"));
        manifest.remove_strays(folder.path()).unwrap();
        manifest.check_files(folder.path(), &names).unwrap();

        fs::write(folder.path().join("revive-v1/one.polkavm"), "other").unwrap();
        assert!(error(&manifest, &names).contains("revive-v1/one.polkavm has 5 bytes"));

        fs::remove_file(folder.path().join("jam-v1/one.polkavm")).unwrap();
        assert!(error(&manifest, &names).contains("jam-v1/one.polkavm"));
    }
}
