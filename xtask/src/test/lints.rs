//! Clippy's and rustdoc's warnings, seen while Cargo builds the dependencies for the tests.
//!
//! `cargo clippy` and `cargo doc` check all dependencies and give nothing of that to the tests, which compile them: with an empty
//! cache that was a third of the time. So Cargo builds the workspace as for the tests here, with this program in the place of the
//! compiler for our crates (`RUSTC_WORKSPACE_WRAPPER`), which lets Clippy's driver and rustdoc look at each and compiles none but
//! build scripts. So none of our crates can be a procedural macro, or be what a build script is linked with.
//!
//! Cargo names what a wrapper gives apart from what the compiler does: builds without it find nothing of this. It misses the libraries
//! and programs, so that each run looks at all of them anew.

use crate::{process, workspace};
use anyhow::{Context, Result};
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::{env, fs};

/// Set where Cargo runs this program in the place of the compiler: the folder for what rustdoc writes.
const PAGES_VARIABLE: &str = "HATCHERY_LINT_PAGES";

/// What Clippy's driver is asked for where the compiler would write code, too.
const EMIT_METADATA: &str = "--emit=dep-info,metadata";

/// Both programs are told this last.
const WARNINGS_ARE_ERRORS: [&str; 2] = ["-D", "warnings"];

/// Has `cargo build`, with these settings, let Clippy and rustdoc look at the whole workspace; warnings are errors.
pub(super) fn check(mut cargo: Command, this_program: &Path) -> Result<()> {
    let pages = workspace::target().join("lints");
    remove(&pages)?; // rustdoc adds to what an interrupted run has left, and can fail for good by it.
    cargo
        .args(["--workspace", "--all-targets", "--locked", "--keep-going"])
        .env("RUSTC_WORKSPACE_WRAPPER", this_program)
        .env(PAGES_VARIABLE, &pages);
    let end = process::pass(cargo);
    // Nobody reads them: `cargo doc` gives those to read.
    end.and(remove(&pages))
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(())
}

/// What to do in the place of the compiler, if Cargo runs this program for that.
pub(crate) fn wrapper() -> Option<ExitCode> {
    let pages = PathBuf::from(env::var_os(PAGES_VARIABLE)?);
    let mut arguments = env::args_os().skip(1);
    let compiler = PathBuf::from(arguments.next()?);
    let arguments: Vec<OsString> = arguments.collect();
    // Cargo says so for crates of a workspace that it builds as a whole.
    let is_ours = env::var_os("CARGO_PRIMARY_PACKAGE").is_some();
    let passed = look(&compiler, &arguments, &pages, is_ours).unwrap_or_else(|error| {
        crate::report(&error);
        false
    });
    Some(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Has Clippy and rustdoc look at what the compiler is asked to compile. Gives whether they found nothing.
fn look(compiler: &Path, arguments: &[OsString], pages: &Path, is_ours: bool) -> Result<bool> {
    if !is_ours {
        // A question to the compiler about itself.
        return run(Command::new(compiler).args(arguments));
    }
    let compilation = Compilation::read(arguments).with_context(|| {
        format!("Cargo compiles in a way that is not known here, so nothing was looked at: {arguments:?}")
    })?;
    let mut clippy = Command::new(beside(compiler, "clippy-driver"));
    clippy.arg(compiler).args(compilation.for_clippy());
    if !compilation.is_documented() {
        return run(&mut clippy);
    }
    let mut rustdoc = Command::new(beside(compiler, "rustdoc"));
    rustdoc
        .args(compilation.for_rustdoc())
        .arg("--out-dir")
        .arg(pages.join(&compilation.unit))
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    // At the same time, since Cargo lets programs and tests wait for all of a library here. What they say must not be mixed.
    let running = rustdoc.spawn().with_context(|| cannot_start(&rustdoc))?;
    let clippy = run(&mut clippy);
    let output = running.wait_with_output().context("rustdoc")?;
    io::stderr().write_all(&output.stderr)?;
    let documented = passed(&rustdoc, output.status);
    Ok(clippy? && documented)
}

/// A tool of the compiler's toolchain.
fn beside(compiler: &Path, tool: &str) -> PathBuf {
    let file = compiler.with_file_name(tool);
    if file.is_file() { file } else { tool.into() }
}

fn run(command: &mut Command) -> Result<bool> {
    let status = command.status().with_context(|| cannot_start(command))?;
    Ok(passed(command, status))
}

fn passed(command: &Command, status: ExitStatus) -> bool {
    if status.code().is_none() {
        // Cargo sees this program's end only, and it would have nothing to say of, say, a lack of memory.
        eprintln!("{}: {status}", command.get_program().to_string_lossy());
    }
    status.success()
}

fn cannot_start(command: &Command) -> String {
    format!("cannot start {}, which rustup's default profile has", command.get_program().to_string_lossy())
}

/// The compilation of one of our crates, as Cargo asks for it.
struct Compilation {
    arguments: Vec<OsString>,
    /// The crate's name, and what tells it from others of this name.
    unit: String,
    is_build_script: bool,
    is_program: bool,
    is_test: bool,
    is_example: bool,
}

impl Compilation {
    /// `None` if the arguments compile nothing.
    fn read(arguments: &[OsString]) -> Option<Self> {
        let text: Vec<&str> =
            arguments.iter().map(|argument| argument.to_str().unwrap_or_default()).collect();
        let after = |name: &str| {
            let place = text.iter().position(|argument| *argument == name)?;
            text.get(place + 1).copied()
        };
        let name = after("--crate-name")?;
        text.iter().find(|argument| argument.starts_with("--emit=dep-info"))?;
        let extra =
            text.iter().find_map(|argument| argument.strip_prefix("extra-filename=")).unwrap_or_default();
        let is_program = after("--crate-type") == Some("bin");
        let in_examples =
            |path: &&str| Path::new(path).components().any(|part| part.as_os_str() == "examples");
        Some(Self {
            arguments: arguments.iter().map(|argument| extern_by_metadata(argument)).collect(),
            unit: format!("{name}{extra}"),
            is_build_script: name.starts_with("build_script_"),
            is_program,
            is_test: text.contains(&"--test") || text.windows(2).any(|pair| pair == ["--cfg", "test"]),
            is_example: after("--out-dir").is_some_and(|folder| folder.ends_with("examples"))
                || is_program && text.iter().filter(|text| text.ends_with(".rs")).any(in_examples),
        })
    }

    /// As `cargo clippy` has its driver look: nothing is compiled but what Cargo runs.
    fn for_clippy(&self) -> impl Iterator<Item = &OsStr> {
        let arguments = self.arguments.iter().map(|argument| {
            if emits(argument) && !self.is_build_script { OsStr::new(EMIT_METADATA) } else { argument }
        });
        arguments.chain(WARNINGS_ARE_ERRORS.map(OsStr::new))
    }

    /// What `cargo doc` documents.
    fn is_documented(&self) -> bool {
        !(self.is_build_script || self.is_test || self.is_example)
    }

    /// As `cargo doc` runs it, but for the folder.
    fn for_rustdoc(&self) -> Vec<&OsStr> {
        let mut given = Vec::new();
        let mut arguments = self.arguments.iter();
        while let Some(argument) = arguments.next() {
            if argument == "--out-dir" || argument == "-l" {
                arguments.next(); // Ours is another; and rustdoc links nothing.
            } else if !emits(argument) {
                given.push(argument.as_os_str());
            }
        }
        if self.is_program {
            given.extend(["--document-private-items", "-Arustdoc::private-intra-doc-links"].map(OsStr::new));
        }
        given.extend(WARNINGS_ARE_ERRORS.map(OsStr::new));
        given
    }
}

fn emits(argument: &OsStr) -> bool {
    argument.to_str().is_some_and(|argument| argument.starts_with("--emit="))
}

/// An argument that names a crate (`name=file`) names one of ours, whose library is never made, by its metadata; all others as they are.
fn extern_by_metadata(argument: &OsStr) -> OsString {
    let metadata = argument.to_str().and_then(|text| {
        let (name, library) = text.split_once('=')?;
        let metadata = format!("{}.rmeta", library.strip_suffix(".rlib")?);
        (!Path::new(library).exists() && Path::new(&metadata).exists()).then(|| format!("{name}={metadata}"))
    });
    metadata.map_or_else(|| argument.to_owned(), OsString::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<OsString> {
        text.split(' ').map(OsString::from).collect()
    }

    fn read(text: &str) -> Compilation {
        Compilation::read(&words(text)).expect("a compilation")
    }

    fn joined<'a>(arguments: impl IntoIterator<Item = &'a OsStr>) -> String {
        arguments.into_iter().map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
    }

    /// Looks at a crate of this source, as Cargo would ask.
    fn look_at(source: &str) -> bool {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a b.rs");
        fs::write(&file, source).expect("a file");
        let mut arguments = words("--crate-name a --edition=2024 --crate-type lib --error-format=json");
        arguments
            .extend(words("--emit=dep-info,metadata,link -C metadata=1 -C extra-filename=-2f --out-dir"));
        arguments.extend([folder.path().into(), file.into()]);
        let pages = folder.path().join("pages");
        let passed = look(Path::new("rustc"), &arguments, &pages, true).expect("both tools");
        assert!(!folder.path().join("liba-2f.rlib").exists(), "compiled");
        assert!(!passed || folder.path().join("liba-2f.rmeta").exists(), "no metadata");
        assert!(!passed || pages.join("a-2f/a/index.html").exists(), "no documentation");
        passed
    }

    #[test]
    fn warnings_of_clippy_and_of_rustdoc_are_errors() {
        assert!(look_at("//! A crate.\npub fn a() -> u8 { 1 }"));
        assert!(!look_at("pub fn a() -> u8 { return 1; }"), "Clippy's `needless_return`");
        assert!(!look_at("pub fn a() { let x = 1; }"), "the compiler's `unused_variables`");
        assert!(!look_at("/// See [`Nowhere`].\npub fn a() {}"), "rustdoc's `broken_intra_doc_links`");
    }

    #[test]
    fn a_library_is_looked_at_and_not_compiled() {
        let library = read(
            "--crate-name a --edition=2024 a/src/lib.rs --crate-type lib --emit=dep-info,metadata,link \
             -C metadata=1 -C extra-filename=-2f --out-dir /t/debug/deps -L dependency=/t/debug/deps -l z",
        );
        assert!(library.is_documented());
        assert_eq!(library.unit, "a-2f");
        assert_eq!(
            joined(library.for_clippy()),
            "--crate-name a --edition=2024 a/src/lib.rs --crate-type lib --emit=dep-info,metadata -C metadata=1 \
             -C extra-filename=-2f --out-dir /t/debug/deps -L dependency=/t/debug/deps -l z -D warnings"
        );
        assert_eq!(
            joined(library.for_rustdoc()),
            "--crate-name a --edition=2024 a/src/lib.rs --crate-type lib -C metadata=1 -C extra-filename=-2f \
             -L dependency=/t/debug/deps -D warnings"
        );
    }

    #[test]
    fn programs_are_documented_with_all_they_have_and_tests_and_examples_are_not() {
        let with = |rest: &str| {
            read(&format!("--crate-name a --crate-type bin --emit=dep-info,link --out-dir /t/debug/{rest}"))
        };
        let program = with("deps src/main.rs");
        assert!(program.is_documented());
        assert!(joined(program.for_rustdoc()).ends_with(
            "src/main.rs --document-private-items -Arustdoc::private-intra-doc-links -D warnings"
        ));
        let others =
            ["deps a.rs --test", "deps a.rs --cfg test", "examples a.rs", "build/a/out examples/a.rs"];
        for rest in others {
            let other = with(rest);
            assert!(!other.is_documented(), "{rest}");
            assert!(joined(other.for_clippy()).contains("--emit=dep-info,metadata --out-dir"), "{rest}");
        }
    }

    #[test]
    fn a_build_script_is_compiled() {
        let script = read(
            "--crate-name build_script_build a/build.rs --crate-type bin --emit=dep-info,link --out-dir /t",
        );
        assert!(!script.is_documented());
        assert!(joined(script.for_clippy()).contains("--emit=dep-info,link"));
    }

    #[test]
    fn what_is_not_understood_is_a_question_or_an_error() {
        for question in [
            "-vV",
            "- --crate-name ___ --print=file-names --crate-type bin",
            "--crate-name=anyhow --crate-type=lib --emit=dep-info,metadata",
        ] {
            assert!(Compilation::read(&words(question)).is_none(), "{question}");
        }
        let (rustc, nowhere) = (Path::new("rustc"), Path::new("/nowhere"));
        assert!(look(rustc, &words("-vV"), nowhere, false).expect("an answer"));
        let error = look(rustc, &words("--emit=metadata"), nowhere, true).expect_err("one of ours");
        assert!(error.to_string().contains("nothing was looked at"), "{error}");
    }

    #[test]
    fn a_library_that_was_not_made_is_named_by_its_metadata() {
        let folder = tempfile::tempdir().expect("a folder");
        let named = |name: &str| OsString::from(format!("priv:x={}/a=b {name}", folder.path().display()));
        for made in ["ours.rmeta", "theirs.rmeta", "theirs.rlib"] {
            fs::write(folder.path().join(format!("a=b {made}")), "").expect("a file");
        }
        assert_eq!(extern_by_metadata(&named("ours.rlib")), named("ours.rmeta"));
        for unchanged in ["theirs.rlib", "nowhere.rlib", "ours.rmeta"] {
            assert_eq!(extern_by_metadata(&named(unchanged)), named(unchanged));
        }
    }
}
