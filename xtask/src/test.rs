//! `cargo xtask test`: every check, and all tests last, so that the run ends with their numbers.

mod graph;
pub(crate) mod lints;
mod summary;

use crate::bench::counts::{self, Checked};
use crate::progress::seconds;
use crate::setup::Toolchains;
use crate::{deny, guests, javascript, process, setup, workspace};
use anyhow::{Context, Result, anyhow, ensure};
use clap::ValueEnum;
use process::{Finished, tail};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};
use summary::Summary;

/// Workspaces of their own inside this one's folder.
const OTHER_WORKSPACES: [&str; 3] = ["benches/Cargo.toml", "guests/Cargo.toml", "fuzz/Cargo.toml"];

/// Where community test vectors are looked for, from the workspace's folder.
const VECTORS: &str = "../shared/vectors";

/// What a step says that has not found them.
const NO_VECTORS: &str = "community test vectors: see above";

/// Tells the tests where the vectors are.
const VECTORS_VARIABLE: &str = "HATCHERY_VECTORS";

/// Options of `cargo xtask test`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Run one step only.
    #[arg(long, value_enum)]
    step: Option<Step>,
}

/// The steps, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Step {
    /// Formatting of the workspace, the guests and the fuzz targets.
    Fmt,
    /// What the dependencies' features must not be.
    Graph,
    /// Licences and sources of the dependencies, when cargo-deny is installed.
    Deny,
    /// The guests' blobs are what their sources give.
    Guests,
    /// Clippy and documentation, warnings are errors.
    Lints,
    /// The engine's tests as it is shipped: its interpreter has another dispatcher then, which depends on what the compiler does.
    Release,
    /// The engine's tests of native code as it is on processors and kernels that have less, and where there is none.
    Fallbacks,
    /// How many instructions of the processor a fixed set of work takes, beside the committed counts, when valgrind is installed.
    Counts,
    /// All tests of the workspace.
    Tests,
}

impl Step {
    fn name(self) -> String {
        self.to_possible_value().expect("no step is hidden").get_name().to_owned()
    }
}

/// How a step ended.
enum End {
    Passed,
    /// Passed, but for something that could not run here.
    Without(String),
    Skipped(String),
    Failed(String),
}

/// Runs `cargo xtask test`.
pub(crate) fn command(arguments: &Arguments) -> Result<ExitCode> {
    let started = Instant::now();
    // Another build may put another file there, of which the system says "(deleted)" then.
    let this_program = env::current_exe().context("this program has no file")?;
    let toolchains = setup::ensure()?;
    let mut rows = vec![("setup".to_owned(), started.elapsed(), End::Passed)];
    let steps: &[Step] = arguments.step.as_ref().map_or(Step::value_variants(), std::slice::from_ref);
    let mut summary = None;
    for (index, step) in steps.iter().enumerate() {
        let name = step.name();
        println!(
            "\n=== {name} ({} of {}, {} since start)",
            index + 1,
            steps.len(),
            seconds(started.elapsed())
        );
        let step_started = Instant::now();
        let end = run(*step, &this_program, &toolchains, &mut summary).unwrap_or_else(|error| {
            crate::report(&error);
            End::Failed(error.chain().next().map(ToString::to_string).unwrap_or_default())
        });
        rows.push((name, step_started.elapsed(), end));
    }
    let failed = conclude(&rows, started.elapsed());
    // The last line is the tests' own, for people and for programs that read it.
    if let Some(summary) = summary {
        println!("{summary}");
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn run(
    step: Step,
    this_program: &Path,
    toolchains: &Toolchains,
    summary: &mut Option<Summary>,
) -> Result<End> {
    match step {
        Step::Fmt => {
            pass(cargo(&["fmt", "--all", "--check"]))?;
            for manifest in OTHER_WORKSPACES {
                pass(cargo(&["fmt", "--all", "--check", "--manifest-path", manifest]))?;
            }
            Ok(End::Passed)
        }
        Step::Graph => {
            graph::check()?;
            Ok(End::Passed)
        }
        Step::Deny if !deny::installed() => {
            println!("cargo-deny is not installed (`cargo install cargo-deny --locked`)");
            Ok(End::Skipped("cargo-deny is not installed".to_owned()))
        }
        Step::Deny => pass(deny::local_checks()),
        Step::Guests => {
            guests::check(&toolchains.guests, false)?;
            Ok(End::Passed)
        }
        Step::Lints => {
            let mut command = cargo(&["build"]);
            command.envs(toolchains.environment()).env("SKIP_WASM_BUILD", "1");
            lints::check(command, this_program)?;
            Ok(End::Passed)
        }
        Step::Release => release(),
        Step::Fallbacks => {
            let with = |flags: &str, chosen: &[&str]| {
                let mut command = cargo(&["test", "--locked", "--package=hatchery-engine"]);
                command
                    .args(chosen)
                    .env("RUSTFLAGS", flags)
                    // Other flags are another build of everything: so neither throws the other's away.
                    .env("CARGO_TARGET_DIR", workspace::target().join("fallbacks"));
                pass(command)
            };
            let reduced =
                "--cfg hatchery_base_register --cfg hatchery_high_tables --cfg hatchery_no_page_map";
            with(reduced, &["--lib"])?;
            with(reduced, &[&["--test=suite", "--"], &REACHING[..]].concat())?;
            with("--cfg hatchery_no_native_code", &["--lib"])
        }
        Step::Counts => Ok(match counts::check()? {
            Checked::Passed => End::Passed,
            Checked::Skipped(why) => {
                println!("not counted: {why}");
                End::Skipped(why)
            }
        }),
        Step::Tests => tests(toolchains, summary),
    }
}

/// The modules of the engine's tests that depend on how it was compiled: what executes programs. What reads bytes does not.
const EXECUTING: [&str; 8] = [
    "accesses::",
    "backends::",
    "differential::",
    "disturbance::",
    "execution::",
    "guests::",
    "memory::",
    "scattered::",
];

/// Those of them that see how native code reaches memory and jump tables, and what the system tells of pages.
const REACHING: [&str; 5] = ["accesses::", "backends::", "execution::", "memory::", "scattered::"];

/// Runs what executes programs with the engine as it is in a release build, the test vectors among it, and tests of the interpreter
/// also in release builds that differ in what decides about the jumps from handler to handler. They fail if the compiler makes calls
/// of them.
fn release() -> Result<End> {
    thread::scope(|scope| {
        // Most of their time is one thread's.
        let builds = scope.spawn(|| RELEASE_BUILDS.map(release_build));
        let executed = release_engine();
        println!("\n=== release, other builds");
        let mut failed = Vec::new();
        for build in builds.join().map_err(|_| anyhow!("a thread panicked"))? {
            let (line, finished) = build?;
            println!("$ {line}\n{}", finished.log);
            if !finished.status.success() {
                failed.push(format!("`{line}`: {}\n{}", finished.status, tail(&finished.log)));
            }
        }
        let end = executed?;
        ensure!(failed.is_empty(), "{}", failed.join("\n"));
        Ok(end)
    })
}

/// `cargo test` of an optimized engine, which tells the interpreter's tests that its handlers have to be threaded, where
/// `engine/build.rs` relies on the jumps. Elsewhere the portable loop executes programs.
fn optimized(profile: &str) -> Command {
    let mut command = cargo(&["test", "--locked", "--package=hatchery-engine", profile]);
    if cfg!(target_arch = "x86_64") {
        command.env("HATCHERY_EXPECT_DIRECT_THREADING", "1");
    }
    command
}

/// All that executes programs, in the profile in which only the engine is as in a release build.
fn release_engine() -> Result<End> {
    let with = |chosen: &[&str]| {
        // Always both packages, since the features of what they depend on follow from that.
        let mut command = optimized("--profile=release-engine");
        command.arg("--package=hatchery-cli").args(chosen);
        command
    };
    pass(with(&["--no-run", "--lib", "--test=suite", "--test=conformance"]))?;
    pass(with(&["--lib"]))?;
    pass(with(&[&["--test=suite", "--"], &EXECUTING[..]].concat()))?;
    let mut command = with(&["--test=conformance"]);
    let has_vectors = with_vectors(&mut command)?;
    pass(command)?;
    Ok(if has_vectors { End::Passed } else { End::Without(NO_VECTORS.to_owned()) })
}

/// Release builds: as shipped, with the handlers compiled apart from each other, with overflow checks, with less optimization, and
/// with the whole program optimized at once.
const RELEASE_BUILDS: [&[&str]; 4] = [
    &[],
    &[
        "profile.release.package.hatchery-engine.codegen-units=16",
        "profile.release.package.hatchery-engine.overflow-checks=true",
    ],
    &[
        "profile.release.package.hatchery-engine.codegen-units=4",
        "profile.release.package.hatchery-engine.opt-level=2",
    ],
    &["profile.release.lto=\"fat\""],
];

/// Runs the interpreter's tests in a release build with these settings; gives the command as well.
fn release_build(settings: &[&str]) -> Result<(String, Finished)> {
    let mut command = optimized("--release");
    for setting in settings {
        command.args(["--config", setting]);
    }
    // What tests alone need is compiled faster.
    command.args(["--config", "profile.release.package.'*'.opt-level=0", "--lib", "interpreter::"]);
    // Cargo lets no two builds into one folder at once.
    command.env("CARGO_TARGET_DIR", workspace::target().join("release-builds"));
    Ok((process::line(&command), process::capture(&mut command, None)?))
}

fn tests(toolchains: &Toolchains, summary: &mut Option<Summary>) -> Result<End> {
    let mut command = cargo(&["test", "--workspace", "--locked", "--no-fail-fast"]);
    command.envs(toolchains.environment()).stdout(Stdio::piped());
    let has_vectors = with_vectors(&mut command)?;
    let (example, binding) = (javascript::packages(), javascript::binding());
    let has_javascript = example.is_some() && binding.is_some();
    if let Some(packages) = example {
        command.env(javascript::VARIABLE, packages);
    }
    println!("$ {}", process::line(&command));
    let mut child = command.spawn().context("cannot start cargo")?;
    let mut counted = Summary::default();
    let output = BufReader::new(child.stdout.take().context("the tests have no output")?);
    for line in output.split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        counted.add(&line);
        println!("{line}");
    }
    let status = child.wait()?;
    let end = if !status.success() {
        End::Failed(format!("cargo test: {status}"))
    } else if counted.is_empty() {
        End::Failed("no test ran".to_owned())
    } else {
        let missing: Vec<&str> = [(has_javascript, "JavaScript: see above"), (has_vectors, NO_VECTORS)]
            .into_iter()
            .filter_map(|(is_there, what)| (!is_there).then_some(what))
            .collect();
        if missing.is_empty() { End::Passed } else { End::Without(missing.join("; without ")) }
    };
    *summary = Some(counted);
    Ok(end)
}

/// Tells a command where the community's vectors are, if they are there. Gives whether they are.
fn with_vectors(command: &mut Command) -> Result<bool> {
    let folder = vectors()?;
    match &folder {
        Some(folder) => {
            println!("test vectors: {}", folder.display());
            command.env(VECTORS_VARIABLE, folder);
        }
        None => println!("test vectors: none; set {VECTORS_VARIABLE} to a folder of them"),
    }
    Ok(folder.is_some())
}

/// The folder of community vectors, if there is one.
fn vectors() -> Result<Option<PathBuf>> {
    if let Some(folder) = env::var_os(VECTORS_VARIABLE).filter(|value| !value.is_empty()) {
        let folder = fs::canonicalize(&folder)
            .with_context(|| format!("{VECTORS_VARIABLE} is {}", PathBuf::from(&folder).display()))?;
        return Ok(Some(folder));
    }
    Ok(fs::canonicalize(workspace::root().join(VECTORS)).ok())
}

fn cargo(arguments: &[&str]) -> Command {
    let mut command = process::cargo(None);
    command.current_dir(workspace::root()).args(arguments);
    command
}

/// Runs a command in the open; an error when it fails.
fn pass(command: Command) -> Result<End> {
    process::pass(command)?;
    Ok(End::Passed)
}

/// Prints steps and times, and what to do about failures; tells whether there were any.
fn conclude(rows: &[(String, Duration, End)], total: Duration) -> bool {
    println!("\n=== steps");
    for (name, time, end) in rows {
        let end = match end {
            End::Passed => "ok".to_owned(),
            End::Without(what) => format!("ok, without {what}"),
            End::Skipped(why) => format!("skipped: {why}"),
            End::Failed(_) => "FAILED".to_owned(),
        };
        println!("{name:<8} {:>13}  {end}", seconds(*time));
    }
    println!("{:<8} {:>13}\n", "all", seconds(total));
    let mut failed = false;
    for (name, _, end) in rows {
        if let End::Failed(why) = end {
            failed = true;
            println!("FAILED: {name}: {why}\n  alone: cargo xtask test --step {name}");
        }
    }
    failed
}
