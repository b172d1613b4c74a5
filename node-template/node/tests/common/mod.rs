//! What all tests of the node as a process begin with.

#![allow(dead_code, reason = "each test crate uses a part of this module")]

use hatchery_node_testing::{Builder, LIMIT};
use std::{
    fs::File,
    io::{Read, Seek},
    path::Path,
    process::{Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Tests end with the first error, which says what it is about.
pub(crate) type Result<T = ()> = std::result::Result<T, hatchery_node_testing::Error>;

/// The node's program.
pub(crate) const NODE: &str = env!("CARGO_BIN_EXE_hatchery-node");

/// A node of a development chain.
pub(crate) fn dev() -> Builder {
    Builder::new(NODE).dev()
}

/// What a subcommand of the node came to.
pub(crate) struct Run {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a subcommand of the node, and ends it if it takes too long.
pub(crate) fn run(arguments: &[&str]) -> Run {
    // Not pipes, which have to be read while it runs.
    let [mut stdout, mut stderr] = [(); 2].map(|()| tempfile::tempfile().expect("a temporary file"));
    let to = |file: &File| Stdio::from(file.try_clone().expect("a second handle of a file"));
    let mut process = Command::new(NODE)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(to(&stdout))
        .stderr(to(&stderr))
        .spawn()
        .expect("the node's program starts");
    let started = Instant::now();
    let status = loop {
        if let Some(status) = process.try_wait().expect("the system knows its processes") {
            break status;
        }
        if started.elapsed() > LIMIT {
            process.kill().expect("a process can be killed");
            break process.wait().expect("the system knows its processes");
        }
        thread::sleep(Duration::from_millis(20));
    };
    let text = |file: &mut File| {
        let mut bytes = Vec::new();
        file.rewind().and_then(|()| file.read_to_end(&mut bytes)).expect("temporary files can be read");
        String::from_utf8_lossy(&bytes).into_owned()
    };
    Run { status, stdout: text(&mut stdout), stderr: text(&mut stderr) }
}

/// What a subcommand prints, if it succeeds.
pub(crate) fn output(arguments: &[&str]) -> String {
    let Run { status, stdout, stderr } = run(arguments);
    assert!(status.success(), "{arguments:?}: {status}\n{stderr}");
    stdout
}

pub(crate) fn path(path: &Path) -> &str {
    path.to_str().expect("temporary paths are UTF-8")
}
