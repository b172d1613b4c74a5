//! A node as a process of its own.

use crate::{Error, LIMIT, Metrics};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How often the log and the process are looked at.
const PAUSE: Duration = Duration::from_millis(50);

/// Lines of the log that an error repeats.
const ERROR_LINES: usize = 40;

/// How to start a node.
#[derive(Clone, Debug)]
pub struct Builder {
    program: PathBuf,
    arguments: Vec<String>,
}

impl Builder {
    /// The node's program, with ports that the system chooses and nothing that asks the outside world.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        let arguments = [
            "--rpc-port=0",
            "--prometheus-port=0",
            "--listen-addr=/ip4/127.0.0.1/tcp/0",
            "--no-mdns",
            "--no-telemetry",
        ];
        Self { program: program.into(), arguments: arguments.map(str::to_owned).into() }
    }

    /// A development chain.
    #[must_use]
    pub fn dev(self) -> Self {
        self.argument("--dev")
    }

    /// The local network, of which Alice and Bob are the validators. `role` is for example `--alice`.
    #[must_use]
    pub fn local(self, role: &str) -> Self {
        // A validator has to be told that it may make a key for the network.
        self.argument("--chain=local").argument("--unsafe-force-node-key-generation").argument(role)
    }

    /// Connects to this node first.
    #[must_use]
    pub fn bootnode(self, address: &str) -> Self {
        self.argument(&format!("--bootnodes={address}"))
    }

    /// One more argument.
    #[must_use]
    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Starts the node with files in a folder that goes when the node does.
    ///
    /// # Errors
    /// If the program cannot be started, ends, or does not serve RPC in time.
    pub fn start(self) -> Result<Node, Error> {
        let folder = tempfile::Builder::new()
            .prefix("hatchery-node-")
            .tempdir()
            .map_err(|source| Error::Io { doing: "no folder for the node's files", source })?;
        self.start_in(folder)
    }

    /// Starts the node with files in `folder`, which may be that of a node before.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_in(self, folder: TempDir) -> Result<Node, Error> {
        let log = folder.path().join("node.log");
        let file = File::create(&log)
            .map_err(|source| Error::Io { doing: "cannot write the node's log", source })?;
        let process = Command::new(&self.program)
            .args(&self.arguments)
            .arg("--base-path")
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            .spawn()
            .map_err(|source| Error::Start { program: self.program, source })?;
        let mut node = Node { process: Some(process), log, folder: Some(folder), rpc: None, metrics: None };
        node.rpc = Some(node.address("the node serves RPC", "Running JSON-RPC server: addr=")?);
        node.metrics = Some(node.address("the node serves metrics", "Prometheus exporter started at ")?);
        Ok(node)
    }
}

/// A running node. It is killed, and its files are removed, when this is dropped.
#[derive(Debug)]
pub struct Node {
    /// `None` once it was left to itself.
    process: Option<Child>,
    log: PathBuf,
    folder: Option<TempDir>,
    rpc: Option<SocketAddr>,
    metrics: Option<SocketAddr>,
}

impl Node {
    /// Where it serves RPC: `ws://127.0.0.1:…`.
    pub fn url(&self) -> String {
        format!("ws://{}", self.rpc.expect("`start_in` gives out no node without it; qed"))
    }

    /// The number of its process.
    pub fn process_id(&self) -> u32 {
        self.process().id()
    }

    /// Where its log is written.
    pub fn log_file(&self) -> &Path {
        &self.log
    }

    /// Its log so far.
    pub fn log(&self) -> String {
        std::fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// Its metrics now.
    ///
    /// # Errors
    /// If the endpoint does not answer.
    pub fn metrics(&self) -> Result<Metrics, Error> {
        Metrics::fetch(self.metrics.expect("`start_in` gives out no node without it; qed"))
    }

    /// Memory that it has in use, in bytes: its resident set.
    ///
    /// # Errors
    /// If the system does not tell.
    pub fn resident_bytes(&self) -> Result<u64, Error> {
        let io = |source| Error::Io { doing: "cannot read the node's memory use", source };
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process_id())).map_err(io)?;
        let kibibytes = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse::<u64>().ok())
            .ok_or_else(|| Error::Answer("/proc/PID/status has no VmRSS".into()))?;
        Ok(kibibytes * 1024)
    }

    /// Kills it as a power failure would, and gives its files, with which it can start again.
    ///
    /// # Errors
    /// If the process cannot be ended.
    pub fn kill(mut self) -> Result<TempDir, Error> {
        let io = |source| Error::Io { doing: "cannot end the node", source };
        self.process_mut().kill().map_err(io)?;
        self.process_mut().wait().map_err(io)?;
        self.folder.take().ok_or_else(|| Error::Answer("the node has no folder".into()))
    }

    /// Leaves it running, with its files. Gives the number of its process.
    pub fn leave(mut self) -> u32 {
        let id = self.process_id();
        self.process = None;
        if let Some(folder) = self.folder.take() {
            // Keeping is all that the path was for.
            let _ = folder.keep();
        }
        id
    }

    /// Asks it to end, as Ctrl-C does, and waits until it has. Gives how it ended, and its files.
    ///
    /// # Errors
    /// If it does not end in time.
    pub fn stop(mut self) -> Result<(ExitStatus, TempDir), Error> {
        let io = |source| Error::Io { doing: "cannot end the node", source };
        let id = Pid::from_child(self.process());
        kill_process(id, Signal::INT).map_err(|error| io(error.into()))?;
        let started = Instant::now();
        while started.elapsed() < LIMIT {
            if let Some(status) = self.process_mut().try_wait().map_err(io)? {
                let folder =
                    self.folder.take().ok_or_else(|| Error::Answer("the node has no folder".into()))?;
                return Ok((status, folder));
            }
            thread::sleep(PAUSE);
        }
        Err(self.timed_out("the node ends when it is asked to"))
    }

    /// Waits until a line of the log contains `text`, and gives the line.
    ///
    /// # Errors
    /// If the node ends, or no line does in time.
    pub fn wait_for_log(&mut self, what: &str, text: &str) -> Result<String, Error> {
        let started = Instant::now();
        loop {
            let log = self.log();
            // Of a line that is still being written, an address can lack its last digits.
            let mut lines = log.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
            if let Some(line) = lines.find(|line| line.contains(text)) {
                return Ok(line.to_owned());
            }
            let ended = self
                .process_mut()
                .try_wait()
                .map_err(|source| Error::Io { doing: "cannot look at the node", source })?;
            if let Some(status) = ended {
                return Err(Error::Ended { status, what: what.to_owned(), log: self.log_end() });
            }
            if started.elapsed() > LIMIT {
                return Err(self.timed_out(what));
            }
            thread::sleep(PAUSE);
        }
    }

    /// The last lines of its log, to show with an error.
    pub fn log_end(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        let last = &lines[lines.len().saturating_sub(ERROR_LINES)..];
        last.iter().fold(String::new(), |text, line| text + "\n  | " + line)
    }

    fn process(&self) -> &Child {
        self.process.as_ref().expect("only `leave` takes it, and the node with it; qed")
    }

    fn process_mut(&mut self) -> &mut Child {
        self.process.as_mut().expect("only `leave` takes it, and the node with it; qed")
    }

    /// An address that the log has behind `text`.
    fn address(&mut self, what: &str, text: &str) -> Result<SocketAddr, Error> {
        let line = self.wait_for_log(what, text)?;
        let rest = line.split(text).nth(1).unwrap_or_default();
        let word = rest.split([',', ' ']).next().unwrap_or_default();
        word.parse()
            .map_err(|_| Error::Answer(format!("`{word}` is no address in this line of the log: {line}")))
    }

    fn timed_out(&self, what: &str) -> Error {
        Error::TimedOut { what: what.to_owned(), seconds: LIMIT.as_secs(), log: self.log_end() }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("the node's log ends so:{}", self.log_end());
        }
        if let Some(mut process) = self.process.take() {
            // It may have ended already; then there is nothing to end.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
