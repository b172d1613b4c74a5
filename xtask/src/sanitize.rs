//! `cargo xtask sanitize`: the engine's tests and libpvm's under AddressSanitizer, ThreadSanitizer and valgrind.

use crate::process::{self, pass};
use crate::progress::seconds;
use crate::setup::host;
use crate::{nightly, workspace};
use anyhow::{Context, Result, anyhow};
use clap::ValueEnum;
use std::fs;
use std::process::{Command, ExitCode};
use std::time::Instant;

const ENGINE: &str = "hatchery-engine";
const LIBRARY: &str = "hatchery-capi";

/// Modules of the tests that run under valgrind, some forty times slower than without: not `differential`, which is most of the time
/// other engines.
const UNDER_VALGRIND: [&str; 7] =
    ["--test=suite", "--", "containers::", "disturbance::", "execution::", "guests::", "memory::"];

/// Options of `cargo xtask sanitize`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Use one of them only.
    #[arg(long, value_enum)]
    with: Option<Sanitizer>,

    /// Only this part of the code. ThreadSanitizer looks at libpvm only.
    #[arg(long, value_enum)]
    part: Option<Part>,
}

/// The crates that have `unsafe` code.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Engine,
    Libpvm,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sanitizer {
    /// AddressSanitizer, by a nightly compiler.
    Address,
    /// ThreadSanitizer, by a nightly compiler that has the library's sources: libpvm on many threads.
    Thread,
    /// valgrind's memcheck, with the stable compiler.
    Valgrind,
}

/// Runs `cargo xtask sanitize`.
pub(crate) fn command(arguments: &Arguments) -> Result<ExitCode> {
    let started = Instant::now();
    let all = Sanitizer::value_variants();
    let has = |part: Part| arguments.part.is_none_or(|wanted| wanted == part);
    for sanitizer in arguments.with.as_ref().map_or(all, std::slice::from_ref) {
        match sanitizer {
            Sanitizer::Address => address(has)?,
            Sanitizer::Thread if has(Part::Libpvm) => thread()?,
            Sanitizer::Thread => {}
            Sanitizer::Valgrind => valgrind(has)?,
        }
    }
    println!("\nNo error of memory was found ({}).", seconds(started.elapsed()));
    Ok(ExitCode::SUCCESS)
}

fn address(has: impl Fn(Part) -> bool) -> Result<()> {
    println!("=== AddressSanitizer");
    nightly::ensure(&[])?;
    let host = host(Some(nightly::TOOLCHAIN))?;
    // With a target the flags are not those of build scripts and macros, which the compiler itself loads.
    if has(Part::Engine) {
        let mut command = test(ENGINE, Some(nightly::TOOLCHAIN), "address-sanitizer");
        command.args(["--lib", "--tests", "--target", &host]).env("RUSTFLAGS", "-Zsanitizer=address");
        pass(command)?;
    }
    if has(Part::Libpvm) {
        let mut command = test(LIBRARY, Some(nightly::TOOLCHAIN), "address-sanitizer");
        command.args(["--lib", "--test", "threads", "--test", "differential", "--target", &host]);
        command.env("RUSTFLAGS", "-Zsanitizer=address");
        pass(command)?;
        address_in_c(&host)?;
    }
    Ok(())
}

/// libpvm's tests in C over a shared library that AddressSanitizer watches. The compiler's runtime is linked into the programs, as
/// it has to be; they are not instrumented, but what they allocate is known to it.
fn address_in_c(host: &str) -> Result<()> {
    let folder = workspace::target().join("address-sanitizer");
    let mut library = process::cargo(Some(nightly::TOOLCHAIN));
    library
        .current_dir(workspace::root())
        .args([
            "rustc",
            "--locked",
            "--package",
            LIBRARY,
            "--lib",
            "--crate-type",
            "cdylib",
            "--target",
            host,
        ])
        .env("RUSTFLAGS", "-Zsanitizer=address")
        .env("CARGO_TARGET_DIR", &folder);
    pass(library)?;
    let prefix = folder.join("libpvm");
    let built = folder.join(host).join("debug/libpvm.so");
    for (from, to) in
        [(workspace::root().join("capi/include/pvm.h"), "include/pvm.h"), (built, "lib/libpvm.so")]
    {
        let to = prefix.join(to);
        fs::create_dir_all(to.parent().unwrap_or(&prefix))
            .with_context(|| format!("cannot make {}", to.display()))?;
        fs::copy(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
    }
    let mut sysroot = process::rustc(Some(nightly::TOOLCHAIN));
    let sysroot = process::output(sysroot.args(["--print", "sysroot"]))?;
    let runtime =
        format!("{}/lib/rustlib/{host}/lib/librustc-{}_rt.asan.a", sysroot.trim(), nightly::TOOLCHAIN);
    let flags = format!(
        "-Wl,--whole-archive {runtime} -Wl,--no-whole-archive -Wl,--export-dynamic -lm -ldl -lrt -lpthread"
    );
    let mut command = process::cargo(None);
    command
        .current_dir(workspace::root())
        .args(["test", "--locked", "--package", LIBRARY, "--no-fail-fast", "--test", "c"])
        .env("HATCHERY_LIBPVM", &prefix)
        .env("HATCHERY_CFLAGS", flags)
        // Native code of guests is refused accesses, and a test has a handler of its own for that.
        .env("ASAN_OPTIONS", "handle_segv=0:allow_user_segv_handler=1");
    pass(command)
}

fn thread() -> Result<()> {
    println!("=== ThreadSanitizer");
    nightly::ensure(&["rust-src"])?;
    let host = host(Some(nightly::TOOLCHAIN))?;
    let mut command = test(LIBRARY, Some(nightly::TOOLCHAIN), "thread-sanitizer");
    // The standard library has to be instrumented as well: what it synchronises would be taken for races.
    command.args(["--test", "threads", "-Zbuild-std", "--target", &host]);
    command.env("RUSTFLAGS", "-Zsanitizer=thread").env("TSAN_OPTIONS", "halt_on_error=1");
    pass(command)
}

fn valgrind(has: impl Fn(Part) -> bool) -> Result<()> {
    println!("=== valgrind");
    if process::find("valgrind").is_none() {
        let fix = "Fix: install the package `valgrind` of your distribution";
        return Err(anyhow!("valgrind is not in PATH").context(fix));
    }
    // Native code of guests is refused accesses, and goes on elsewhere then: the processor's state has to be exact there.
    let runner = "valgrind --vex-iropt-register-updates=allregs-at-mem-access --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect \
                  --errors-for-leak-kinds=definite,indirect";
    let variable = format!("CARGO_TARGET_{}_RUNNER", host(None)?.to_uppercase().replace('-', "_"));
    // Native code finds out by refused accesses which pages a guest wants, each of which valgrind would take for an error.
    let flags = "--cfg hatchery_no_native_code";
    if has(Part::Engine) {
        for chosen in [&["--lib"][..], &UNDER_VALGRIND] {
            let mut command = test(ENGINE, None, "valgrind");
            command.args(chosen).env(&variable, runner).env("RUSTFLAGS", flags);
            pass(command)?;
        }
    }
    if has(Part::Libpvm) {
        // Programs in C over a library with the same flags: valgrind runs them, not the test that starts them.
        let mut command = test(LIBRARY, None, "valgrind");
        command.args(["--test", "c"]).env("HATCHERY_RUNNER", runner).env("RUSTFLAGS", flags);
        pass(command)?;
    }
    Ok(())
}

/// `cargo test` of a package with a target directory of its own, so that nothing is rebuilt because of other flags.
fn test(package: &str, toolchain: Option<&str>, folder: &str) -> Command {
    let mut command = process::cargo(toolchain);
    command
        .current_dir(workspace::root())
        .args(["test", "--locked", "--package", package, "--no-fail-fast"])
        .env("CARGO_TARGET_DIR", workspace::target().join(folder));
    command
}
