//! Running other programs: captured or passed through, with or without a time limit.

use anyhow::{Context, Result, bail};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, IsTerminal, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{ChildStderr, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};

/// How often a running program is looked at.
const POLL: Duration = Duration::from_millis(20);

/// Lines of a failed program's output that an error repeats.
const ERROR_LINES: usize = 25;

/// What a captured run gave.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    /// Standard error, then standard output: what an error message repeats the end of.
    pub(crate) log: String,
}

/// `cargo` of a rustup toolchain, or of the active one, free of what an enclosing cargo has set.
pub(crate) fn cargo(toolchain: Option<&str>) -> Command {
    rust_tool("cargo", toolchain)
}

/// `rustc` of a rustup toolchain, or of the active one.
pub(crate) fn rustc(toolchain: Option<&str>) -> Command {
    rust_tool("rustc", toolchain)
}

/// A program of a toolchain. With a name it runs through `rustup run`, which works for linked toolchains too.
fn rust_tool(tool: &str, toolchain: Option<&str>) -> Command {
    let mut command = match toolchain {
        Some(name) => {
            let mut command = Command::new("rustup");
            command.args(["run", name, tool]);
            command.env_remove("RUSTUP_TOOLCHAIN");
            command
        }
        None => Command::new(tool),
    };
    // `cargo xtask` is itself run by a cargo, whose settings for its own build are not those of the next one.
    for (variable, _) in env::vars_os() {
        let inherited = variable.to_str().is_some_and(|name| {
            matches!(name, "CARGO" | "RUSTC" | "RUSTDOC" | "CARGO_ENCODED_RUSTFLAGS" | "RUST_RECURSION_COUNT")
                || name.starts_with("CARGO_PKG_")
                || name.starts_with("CARGO_MANIFEST_")
                || name.starts_with("CARGO_BIN_")
        });
        if inherited {
            command.env_remove(variable);
        }
    }
    command
}

/// Runs to the end, keeping the output. A non-zero exit is not an error here.
pub(crate) fn capture(command: &mut Command, limit: Option<Duration>) -> Result<Finished> {
    let stdout = tempfile::tempfile().context("no temporary file")?;
    let stderr = tempfile::tempfile().context("no temporary file")?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(stdout.try_clone()?)
        .stderr(stderr.try_clone()?)
        .spawn()
        .with_context(|| format!("cannot start `{}`", line(command)))?;
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if limit.is_some_and(|limit| started.elapsed() > limit) {
            child.kill()?;
            child.wait()?;
            bail!("`{}` had not finished after {} s", line(command), started.elapsed().as_secs());
        }
        thread::sleep(POLL);
    };
    let stdout = contents(stdout)?;
    let log = contents(stderr)? + &stdout;
    Ok(Finished { status, stdout, log })
}

/// Runs to the end and gives standard output without surrounding space; a non-zero exit is an error that repeats
/// the end of what the program said.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    output_within(command, None)
}

/// As [`output`], stopped with an error after `limit`.
pub(crate) fn output_within(command: &mut Command, limit: impl Into<Option<Duration>>) -> Result<String> {
    let finished = capture(command, limit.into())?;
    if !finished.status.success() {
        bail!("`{}` failed ({}):\n{}", line(command), finished.status, tail(&finished.log));
    }
    Ok(finished.stdout.trim().to_owned())
}

/// Runs a command in the open; an error when it fails. Where nobody watches, the error repeats the end of what was said, since a log
/// is often cut at its start.
pub(crate) fn pass(mut command: Command) -> Result<()> {
    println!("$ {}", line(&command));
    if !std::io::stderr().is_terminal() {
        command.stderr(Stdio::piped());
    }
    let mut child = command.spawn().with_context(|| format!("cannot start `{}`", line(&command)))?;
    let said = child.stderr.take().map(echo).transpose()?.unwrap_or_default();
    let status = child.wait()?;
    if !status.success() {
        bail!("`{}`: {status}{}{}", line(&command), if said.is_empty() { "" } else { "\n" }, tail(&said));
    }
    Ok(())
}

/// Passes a program's standard error on as it comes and keeps it.
fn echo(stderr: ChildStderr) -> Result<String> {
    let mut kept = String::new();
    for line in BufReader::new(stderr).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        eprintln!("{line}");
        kept.push_str(&line);
        kept.push('\n');
    }
    Ok(kept)
}

/// The command as one would type it, for messages.
pub(crate) fn line(command: &Command) -> String {
    let word = |text: &OsStr| {
        let text = text.to_string_lossy();
        let plain = text.chars().all(|c| c.is_alphanumeric() || "-_=+./:,@^".contains(c)) && !text.is_empty();
        if plain { text.into_owned() } else { format!("'{text}'") }
    };
    std::iter::once(command.get_program()).chain(command.get_args()).map(word).collect::<Vec<_>>().join(" ")
}

/// The last lines of a program's output, indented.
pub(crate) fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(ERROR_LINES)..].iter().map(|line| format!("  | {line}\n")).collect()
}

/// The file of a program in `PATH`.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(program)).find(|file| is_program(file))
}

#[cfg(unix)]
fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(file: &Path) -> bool {
    file.is_file()
}

fn contents(mut file: std::fs::File) -> Result<String> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
