//! Clippy's and rustdoc's warnings, seen while Cargo builds the dependencies for the tests.
//!
//! `cargo clippy` and `cargo doc` check all dependencies and give nothing of that to the tests, which compile them: with an empty
//! cache that was a third of the time. So Cargo builds the workspace as for the tests here, with this program in the place of the
//! compiler for our crates (`RUSTC_WORKSPACE_WRAPPER`), which lets Clippy's driver and rustdoc look at each and compiles none.
//! Cargo names what a wrapper gives apart from what the compiler does, so that builds without it find nothing of this.

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
const METADATA: &str = "--emit=dep-info,metadata";

/// Has Clippy and rustdoc look at the whole workspace, warnings are errors.
pub(super) fn check(mut cargo: Command) -> Result<()> {
    let pages = workspace::target().join("lints");
    remove(&pages)?; // rustdoc adds to what an interrupted run has left, and can fail for good by it.
    cargo
        .args(["build", "--workspace", "--all-targets", "--locked", "--keep-going"])
        .env("RUSTC_WORKSPACE_WRAPPER", env::current_exe().context("this program has no file")?)
        .env(PAGES_VARIABLE, &pages);
    let end = process::pass(cargo);
    // Nobody reads them: `cargo doc` gives those to read.
    remove(&pages)?;
    end
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
    let compiler = arguments.next()?;
    let arguments: Vec<OsString> = arguments.collect();
    Some(look(&compiler, &arguments, &pages).unwrap_or_else(|error| {
        crate::report(&error);
        ExitCode::FAILURE
    }))
}

fn look(compiler: &OsStr, arguments: &[OsString], pages: &Path) -> Result<ExitCode> {
    let Some(compilation) = Compilation::read(arguments) else {
        // Cargo asks the compiler about itself.
        return run(Command::new(compiler).args(arguments)).map(code);
    };
    let mut clippy = Command::new("clippy-driver");
    clippy.arg(compiler).args(compilation.for_clippy()).args(["-D", "warnings"]);
    if !compilation.is_documented() {
        return run(&mut clippy).map(code);
    }
    let mut rustdoc = Command::new("rustdoc");
    rustdoc
        .args(compilation.for_rustdoc())
        .arg("--out-dir")
        .arg(pages.join(&compilation.unit))
        .args(["-D", "warnings"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    // Beside each other, since Cargo lets programs and tests wait for all of a library here. What they say must not be mixed.
    let rustdoc = rustdoc.spawn().with_context(|| missing(&rustdoc))?;
    let clippy = run(&mut clippy)?;
    let rustdoc = rustdoc.wait_with_output().context("rustdoc")?;
    if !clippy.success() {
        return Ok(code(clippy)); // rustdoc says a part of the same.
    }
    io::stderr().write_all(&rustdoc.stderr)?;
    Ok(code(rustdoc.status))
}

/// The compilation of one of our crates, as Cargo asks for it.
struct Compilation {
    arguments: Vec<OsString>,
    /// The crate's name, and what tells it from others of this name.
    unit: String,
    /// A build script, which Cargo is going to run.
    runs: bool,
    program: bool,
    test: bool,
    example: bool,
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
        Some(Self {
            arguments: arguments.iter().map(|argument| metadata_of(argument)).collect(),
            unit: format!("{name}{extra}"),
            runs: name.starts_with("build_script_"),
            program: after("--crate-type") == Some("bin"),
            test: text.contains(&"--test") || text.windows(2).any(|pair| pair == ["--cfg", "test"]),
            example: after("--out-dir").is_some_and(|folder| folder.ends_with("examples")),
        })
    }

    /// As `cargo clippy` has its driver look: nothing is compiled but what Cargo runs.
    fn for_clippy(&self) -> impl Iterator<Item = &OsStr> {
        self.arguments.iter().map(|argument| {
            let emits = argument.to_str().is_some_and(|argument| argument.starts_with("--emit="));
            if emits && !self.runs { OsStr::new(METADATA) } else { argument }
        })
    }

    /// What `cargo doc` documents.
    fn is_documented(&self) -> bool {
        !(self.runs || self.test || self.example)
    }

    fn for_rustdoc(&self) -> Vec<&OsStr> {
        let mut given = Vec::new();
        let mut arguments = self.arguments.iter();
        while let Some(argument) = arguments.next() {
            if argument == "--out-dir" {
                arguments.next();
            } else if !argument.to_str().is_some_and(|argument| argument.starts_with("--emit=")) {
                given.push(argument.as_os_str());
            }
        }
        if self.program {
            given.push(OsStr::new("--document-private-items"));
        }
        given
    }
}

/// The argument that names a crate, of ours if its library was never made, by its metadata.
fn metadata_of(argument: &OsStr) -> OsString {
    let metadata = argument.to_str().and_then(|text| {
        let (_, file) = text.split_once('=')?;
        let metadata = Path::new(file).with_extension("rmeta");
        (file.ends_with(".rlib") && !Path::new(file).exists() && metadata.exists())
            .then(|| text.replace(file, &metadata.to_string_lossy()))
    });
    metadata.map_or_else(|| argument.to_owned(), OsString::from)
}

fn run(command: &mut Command) -> Result<ExitStatus> {
    command.status().with_context(|| missing(command))
}

fn missing(command: &Command) -> String {
    format!("cannot start {}, which rustup's default profile has", command.get_program().to_string_lossy())
}

fn code(status: ExitStatus) -> ExitCode {
    if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Compilation> {
        Compilation::read(&text.split(' ').map(OsString::from).collect::<Vec<_>>())
    }

    fn joined<'a>(arguments: impl IntoIterator<Item = &'a OsStr>) -> String {
        arguments.into_iter().map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_library_is_looked_at_and_not_compiled() {
        let library = "--crate-name a --edition=2024 a/src/lib.rs --crate-type lib --emit=dep-info,metadata,link \
            -C metadata=1 -C extra-filename=-2f --out-dir /t/debug/deps -L dependency=/t/debug/deps";
        let library = read(library).expect("a compilation");
        assert!(library.is_documented());
        assert_eq!(library.unit, "a-2f");
        let clippy = joined(library.for_clippy());
        assert!(
            clippy.contains("--emit=dep-info,metadata -C") && clippy.contains("--out-dir /t"),
            "{clippy}"
        );
        assert_eq!(
            joined(library.for_rustdoc()),
            "--crate-name a --edition=2024 a/src/lib.rs --crate-type lib -C metadata=1 -C extra-filename=-2f \
             -L dependency=/t/debug/deps"
        );
    }

    #[test]
    fn programs_are_documented_with_all_they_have_and_tests_and_examples_are_not() {
        let with = |rest: &str| {
            let text = format!("--crate-name a a.rs --crate-type bin --emit=dep-info,link --out-dir {rest}");
            read(&text).expect("a compilation")
        };
        assert!(joined(with("/t/debug/deps").for_rustdoc()).ends_with("--document-private-items"));
        assert!(with("/t/debug/deps").is_documented());
        for rest in ["/t/debug/deps --test", "/t/debug/deps --cfg test", "/t/debug/examples"] {
            assert!(!with(rest).is_documented(), "{rest}");
        }
    }

    #[test]
    fn a_build_script_is_compiled() {
        let script =
            "--crate-name build_script_build a/build.rs --crate-type bin --emit=dep-info,link --out-dir /t";
        let script = read(script).expect("a compilation");
        assert!(!script.is_documented());
        assert!(joined(script.for_clippy()).contains("--emit=dep-info,link"));
    }

    #[test]
    fn questions_to_the_compiler_are_no_compilation() {
        assert!(read("-vV").is_none());
        assert!(read("- --crate-name ___ --print=file-names --crate-type bin").is_none());
    }

    #[test]
    fn a_library_that_was_not_made_is_named_by_its_metadata() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        for made in ["ours.rmeta", "theirs.rmeta", "theirs.rlib"] {
            fs::write(path(made), "").expect("a file");
        }
        let argument = |name: &str| metadata_of(format!("priv:x={}", path(name).display()).as_ref());
        let named = |name: &str| OsString::from(format!("priv:x={}", path(name).display()));
        assert_eq!(argument("ours.rlib"), named("ours.rmeta"));
        assert_eq!(argument("ours.rmeta"), named("ours.rmeta"));
        assert_eq!(argument("theirs.rlib"), named("theirs.rlib"));
        assert_eq!(argument("nowhere.rlib"), named("nowhere.rlib"));
    }
}
