//! What the tests share: the installed library, and programs compiled against it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// The folder of this package.
pub(crate) fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where libpvm is installed: `HATCHERY_LIBPVM`, or a folder that `cargo xtask capi` has installed it to for this test.
pub(crate) fn installed() -> &'static Path {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        if let Some(prefix) = std::env::var_os("HATCHERY_LIBPVM").filter(|prefix| !prefix.is_empty()) {
            return PathBuf::from(prefix);
        }
        // One folder for all tests: Cargo sees to it that the library is built once, and one of them at a time installs it.
        let prefix = scratch("libpvm");
        let lock = std::fs::File::create(prefix.with_extension("lock")).unwrap();
        lock.lock().unwrap();
        let mut xtask = Command::new(env!("CARGO"));
        xtask.args([
            "run",
            "--quiet",
            "--locked",
            "--package",
            "xtask",
            "--",
            "capi",
            "--profile",
            "dev",
            "--prefix",
        ]);
        xtask.arg(&prefix).current_dir(package().parent().unwrap());
        for variable in ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME", "CARGO_PKG_VERSION"] {
            xtask.env_remove(variable);
        }
        succeed(&mut xtask);
        prefix
    })
}

/// The shared library.
pub(crate) fn shared_library() -> PathBuf {
    installed().join("lib").join(format!("libpvm{}", std::env::consts::DLL_SUFFIX))
}

/// A folder for what tests make.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Whether there is a program of this name; if not, says so.
pub(crate) fn is_there(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("skipped: there is no `{program}`");
    }
    found
}

/// Runs a command that must succeed, and gives its standard output.
pub(crate) fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}\n{}", output.status, text(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A command that runs a program, by the runner in `HATCHERY_RUNNER` if there is one, such as valgrind.
pub(crate) fn run(program: &Path) -> Command {
    match std::env::var("HATCHERY_RUNNER").ok().filter(|runner| !runner.is_empty()) {
        None => Command::new(program),
        Some(runner) => {
            let mut words = runner.split_whitespace();
            let mut command = Command::new(words.next().unwrap());
            command.args(words).arg(program);
            command
        }
    }
}

/// All that a command said.
pub(crate) fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Compiles a program of one file against the installed library.
pub(crate) fn compile(source: &Path, extra: &[&str]) -> PathBuf {
    let prefix = installed();
    let name = source.file_stem().unwrap().to_str().unwrap();
    let program = scratch("programs").join(name);
    let mut cc = Command::new("cc");
    cc.args(["-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-pthread"])
        .arg(source)
        .arg("-I")
        .arg(prefix.join("include"))
        .arg("-I")
        .arg(package().join("tests/c"))
        .args(extra)
        .arg("-L")
        .arg(prefix.join("lib"))
        .arg(format!("-Wl,-rpath,{}", prefix.join("lib").display()))
        .args(["-lpvm", "-o"])
        .arg(&program);
    if let Some(flags) = std::env::var_os("HATCHERY_CFLAGS") {
        cc.args(flags.to_str().unwrap().split_whitespace());
    }
    succeed(&mut cc);
    program
}
