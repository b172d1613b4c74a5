//! From a guest's sources to its blobs: cargo for PolkaVM's RISC-V target, then polkavm-linker.
//!
//! The bytes are a function of the sources, the compiler and the linker: paths are remapped, and what the caller's
//! environment says about builds is left out.

use super::manifest::hexadecimal;
use crate::setup::Compiler;
use crate::{process, workspace};
use anyhow::{Context, Result, anyhow};
use polkavm_linker::{
    Config, TARGET_JSON_32_BIT_NEW, TARGET_JSON_64_BIT_NEW, TargetInstructionSet, program_from_elf,
};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The support crates, which are not guests.
pub(super) const SUPPORT: [&str; 4] = ["cap-sdk", "guest", "processes", "sdk"];

/// The guests that are also built for registers of 32 bits: those that compute with wider numbers, with rotations, with much
/// memory, with divisions, and with calls.
const IN_32_BITS: [&str; 5] = ["fib", "heap", "integers", "primes", "sha256"];

/// The guests that are also linked for Latest64, in both of its encodings.
const IN_LATEST64: [&str; 2] = ["fib", "sha256"];

/// The guests that are also there with names of functions and lines of sources.
const WITH_LINES: [&str; 1] = ["traps"];

/// A target of the compiler, as polkavm-linker describes it to rustc 1.91 and later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    /// Registers of 64 bits.
    Riscv64,
    /// Registers of 32 bits.
    Riscv32,
    /// Registers of 64 bits, with debug information.
    Riscv64WithLines,
}

impl Target {
    const ALL: [Self; 3] = [Self::Riscv64, Self::Riscv32, Self::Riscv64WithLines];

    fn name(self) -> &'static str {
        match self {
            Self::Riscv64 | Self::Riscv64WithLines => "riscv64emac-unknown-none-polkavm",
            Self::Riscv32 => "riscv32emac-unknown-none-polkavm",
        }
    }

    fn json(self) -> &'static str {
        match self {
            Self::Riscv64 | Self::Riscv64WithLines => TARGET_JSON_64_BIT_NEW,
            Self::Riscv32 => TARGET_JSON_32_BIT_NEW,
        }
    }

    /// [`Self::json`] as a compiler wants it: from 1.96 on, rustc takes the ABI of registers of 32 bits only under both of its
    /// names.
    fn json_for(self, compiler: &Compiler) -> String {
        match self {
            Self::Riscv32 if compiler.release() >= Some((1, 96)) => {
                self.json().replacen('{', "{\n  \"abi\": \"ilp32e\",", 1)
            }
            _ => self.json().to_owned(),
        }
    }

    fn has(self, guest: &str) -> bool {
        match self {
            Self::Riscv64 => true,
            Self::Riscv32 => IN_32_BITS.contains(&guest),
            Self::Riscv64WithLines => WITH_LINES.contains(&guest),
        }
    }

    /// Arguments of cargo besides [`CARGO`].
    fn cargo(self) -> &'static [&'static str] {
        match self {
            Self::Riscv64 | Self::Riscv32 => &[],
            Self::Riscv64WithLines => &["--config=profile.release.debug=\"line-tables-only\""],
        }
    }

    /// Cargo's target directory: one for each profile.
    fn folder(self) -> PathBuf {
        let folder = workspace::target().join("guests");
        if self == Self::Riscv64WithLines { folder.join("with-lines") } else { folder }
    }
}

/// The arguments of cargo that decide what is built.
const CARGO: [&str; 6] =
    ["build", "--release", "--locked", "-Zbuild-std=core,alloc", "-Zjson-target-spec", "--color=never"];

/// How the linker is configured; part of what a source hash covers.
const LINKER: &str = "strip, optimize";

/// An instruction set that guests are linked for, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum InstructionSet {
    /// Substrate's PolkaVM runtimes and JAM services.
    JamV1,
    /// Contracts of pallet-revive.
    ReviveV1,
    /// Programs of 32 bits.
    Latest32,
    /// The encoding of polkavm-linker up to 0.35.
    Latest64Bitmask,
    /// The encoding of polkavm-linker from 0.37 on.
    Latest64Extended,
    /// Not stripped.
    JamV1WithLines,
}

impl InstructionSet {
    pub(super) const ALL: [Self; 6] = [
        Self::JamV1,
        Self::ReviveV1,
        Self::Latest32,
        Self::Latest64Bitmask,
        Self::Latest64Extended,
        Self::JamV1WithLines,
    ];

    /// The sets that a guest is linked for.
    pub(super) fn of(guest: &str) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |set| {
            let is_latest64 = matches!(set, Self::Latest64Bitmask | Self::Latest64Extended);
            set.target().has(guest) && (!is_latest64 || IN_LATEST64.contains(&guest))
        })
    }

    /// Its folder in `guests/blobs`, and its name in the manifest.
    pub(super) fn folder(self) -> &'static str {
        match self {
            Self::JamV1 => "jam-v1",
            Self::ReviveV1 => "revive-v1",
            Self::Latest32 => "latest32",
            Self::Latest64Bitmask => "latest64-bitmask",
            Self::Latest64Extended => "latest64-extended",
            Self::JamV1WithLines => "jam-v1-with-lines",
        }
    }

    fn target(self) -> Target {
        match self {
            Self::Latest32 => Target::Riscv32,
            Self::JamV1WithLines => Target::Riscv64WithLines,
            _ => Target::Riscv64,
        }
    }

    fn for_linker(self) -> TargetInstructionSet {
        match self {
            Self::JamV1 | Self::JamV1WithLines => TargetInstructionSet::JamV1,
            Self::ReviveV1 => TargetInstructionSet::ReviveV1,
            // The registers of the ELF file say of how many bits.
            Self::Latest32 | Self::Latest64Bitmask | Self::Latest64Extended => TargetInstructionSet::Latest,
        }
    }
}

/// The guests' workspace.
pub(super) fn folder() -> PathBuf {
    workspace::root().join("guests")
}

/// Brings the guests' lock file up to date with their manifests, changing nothing that need not change.
pub(super) fn update_lock(compiler: &Compiler) -> Result<()> {
    let mut command = process::cargo(compiler.toolchain.as_deref());
    process::output(command.current_dir(folder()).args(["update", "--workspace", "--quiet"])).map(drop)
}

/// Where [`compile`] leaves the ELF file of a guest for an instruction set.
pub(super) fn elf(name: &str, set: InstructionSet) -> PathBuf {
    set.target().folder().join(set.target().name()).join("release").join(name)
}

/// Compiles guests, with the lock file as it is, for each target that they are built for.
pub(super) fn compile(names: &[String], compiler: &Compiler) -> Result<()> {
    for target in Target::ALL {
        let names: Vec<&String> = names.iter().filter(|name| target.has(name)).collect();
        if !names.is_empty() {
            compile_for(target, &names, compiler)?;
        }
    }
    Ok(())
}

fn compile_for(target: Target, names: &[&String], compiler: &Compiler) -> Result<()> {
    let target_folder = target.folder();
    fs::create_dir_all(&target_folder)?;
    let target_file = target_folder.join(format!("{}.json", target.name()));
    let json = target.json_for(compiler);
    if fs::read_to_string(&target_file).ok().as_ref() != Some(&json) {
        fs::write(&target_file, json)?;
    }
    let mut command = process::cargo(compiler.toolchain.as_deref());
    for (variable, _) in env::vars_os() {
        let decides = variable.to_str().is_some_and(|name| {
            matches!(name, "RUSTFLAGS" | "CARGO_INCREMENTAL")
                || name.starts_with("CARGO_PROFILE_")
                || name.starts_with("CARGO_BUILD_")
        });
        if decides {
            command.env_remove(variable);
        }
    }
    command
        .current_dir(folder())
        .args(CARGO)
        .args(target.cargo())
        .arg("--target")
        .arg(&target_file)
        .env("CARGO_TARGET_DIR", &target_folder)
        .env("CARGO_ENCODED_RUSTFLAGS", flags(compiler)?)
        // Building the library for a target of one's own is open to stable compilers only this way.
        .env("RUSTC_BOOTSTRAP", "1");
    for name in names {
        command.args(["--package", name]);
    }
    process::output(&mut command)?;
    Ok(())
}

/// Links an ELF file for an instruction set.
pub(super) fn link(elf: &Path, set: InstructionSet) -> Result<Vec<u8>> {
    let bytes = fs::read(elf).with_context(|| format!("cannot read {}", elf.display()))?;
    let linked = if set == InstructionSet::Latest64Extended {
        let mut config = polkavm_linker_037::Config::default();
        config.set_strip(true);
        config.set_optimize(true);
        polkavm_linker_037::program_from_elf(config, polkavm_linker_037::TargetInstructionSet::Latest, &bytes)
            .map_err(|error| error.to_string())
    } else {
        let mut config = Config::default();
        config.set_strip(set != InstructionSet::JamV1WithLines);
        config.set_optimize(true);
        program_from_elf(config, set.for_linker(), &bytes).map_err(|error| error.to_string())
    };
    linked.map_err(|error| anyhow!("{} does not link for {}: {error}", elf.display(), set.folder()))
}

/// A hash of everything of ours that a guest is made of: its files, the support crates', the workspace's manifest and
/// lock file, and the settings above.
pub(super) fn source_hash(name: &str) -> Result<String> {
    let mut files = vec![PathBuf::from("Cargo.toml"), PathBuf::from("Cargo.lock")];
    for package in SUPPORT.into_iter().chain([name]) {
        collect(&folder(), Path::new(package), &mut files)?;
    }
    files.sort();
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    for file in files {
        part(file.to_string_lossy().as_bytes());
        part(&fs::read(folder().join(&file)).with_context(|| format!("cannot read {}", file.display()))?);
    }
    for target in Target::ALL.into_iter().filter(|target| target.has(name)) {
        part(target.json().as_bytes());
        target.cargo().iter().for_each(|argument| part(argument.as_bytes()));
    }
    part(CARGO.join(" ").as_bytes());
    part(LINKER.as_bytes());
    part(linker_version(LINKER_VERSION)?.as_bytes());
    if IN_LATEST64.contains(&name) {
        part(linker_version(EXTENDED_LINKER_VERSION)?.as_bytes());
    }
    Ok(hexadecimal(&hash.finalize()))
}

/// The linker of all sets but one.
pub(super) const LINKER_VERSION: &str = "0.35";
/// The linker of Latest64 in the extended encoding.
pub(super) const EXTENDED_LINKER_VERSION: &str = "0.37";

/// A linker's name and full version, from the workspace's lock file.
pub(super) fn linker_version(wanted: &str) -> Result<String> {
    let file = workspace::root().join("Cargo.lock");
    let lock: toml::Table =
        toml::from_str(&fs::read_to_string(&file)?).with_context(|| format!("in {}", file.display()))?;
    let packages =
        lock.get("package").and_then(toml::Value::as_array).context("Cargo.lock has no packages")?;
    let text = |package: &toml::Value, key| package.get(key).and_then(toml::Value::as_str).map(str::to_owned);
    packages
        .iter()
        .filter(|package| text(package, "name").as_deref() == Some("polkavm-linker"))
        .filter_map(|package| text(package, "version"))
        .find(|version| version.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('.')))
        .map(|version| format!("polkavm-linker {version}"))
        .with_context(|| format!("Cargo.lock has no polkavm-linker {wanted}"))
}

/// Compiler flags that keep this machine's paths out of the programs.
fn flags(compiler: &Compiler) -> Result<String> {
    let sysroot =
        process::output(process::rustc(compiler.toolchain.as_deref()).args(["--print", "sysroot"]))?;
    let cargo_home = match env::var_os("CARGO_HOME") {
        Some(home) => PathBuf::from(home),
        None => env::home_dir().context("neither CARGO_HOME nor HOME is set")?.join(".cargo"),
    };
    let mapped = [
        (folder().display().to_string(), "/guests"),
        (cargo_home.display().to_string(), "/cargo"),
        (format!("{sysroot}/lib/rustlib/src/rust"), "/rust"),
    ];
    Ok(mapped.map(|(from, to)| format!("--remap-path-prefix={from}={to}")).join("\u{1f}"))
}

/// All files below a folder, as paths from `root`.
fn collect(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries =
        fs::read_dir(root.join(folder)).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            collect(root, &path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_linkers_are_in_the_lock_file() {
        for wanted in [LINKER_VERSION, EXTENDED_LINKER_VERSION] {
            let version = linker_version(wanted).unwrap();
            assert!(version.starts_with(&format!("polkavm-linker {wanted}.")), "{version}");
        }
        assert!(linker_version("0.3").is_err());
    }

    #[test]
    fn later_compilers_get_the_abi_of_32_bits_twice() {
        let compiler = |version: &str| Compiler { toolchain: None, version: version.to_owned() };
        let old = compiler("rustc 1.95.0 (59807616e 2026-04-14), LLVM 22.1.2");
        let new = compiler("rustc 1.96.0 (ac68faa20 2026-05-25) (built from a source tarball), LLVM 22.1.8");
        for target in Target::ALL {
            assert_eq!(target.json_for(&old), target.json());
        }
        assert_eq!(Target::Riscv64.json_for(&new), Target::Riscv64.json());
        assert!(Target::Riscv32.json_for(&new).starts_with("{\n  \"abi\": \"ilp32e\",\n"));
    }

    #[test]
    fn guests_have_different_sources() {
        let counter = source_hash("counter").unwrap();
        assert_eq!(counter.len(), 64);
        assert_eq!(counter, source_hash("counter").unwrap());
        assert_ne!(counter, source_hash("hello").unwrap());
        assert!(source_hash("no such guest").is_err());
    }
}
