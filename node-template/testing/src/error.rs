//! What can go wrong between a test and a node.

use std::path::PathBuf;
use thiserror::Error as ThisError;

/// Why a node did not do what it was asked to.
#[derive(Debug, ThisError)]
pub enum Error {
    /// The program cannot be started.
    #[error("cannot start {}: {source}", program.display())]
    Start {
        /// The node's program.
        program: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Something did not happen in time.
    #[error("after {seconds} s still not: {what}{log}")]
    TimedOut {
        /// What was waited for.
        what: String,
        /// How long.
        seconds: u64,
        /// The end of the node's log, or nothing.
        log: String,
    },
    /// The node ended by itself.
    #[error("the node has ended ({status}) while this was waited for: {what}{log}")]
    Ended {
        /// How.
        status: std::process::ExitStatus,
        /// What was waited for.
        what: String,
        /// The end of its log.
        log: String,
    },
    /// The machine has no place for the node's files, or no connection to it.
    #[error("{doing}: {source}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// What the system says.
        source: std::io::Error,
    },
    /// The client cannot reach the node, or does not understand it.
    #[error("{doing}: {message}")]
    Client {
        /// What was tried.
        doing: &'static str,
        /// What the client says.
        message: String,
    },
    /// A call's answer is not what its name promises.
    #[error("unexpected answer: {0}")]
    Answer(String),
    /// Somebody asked this process to end.
    #[error("interrupted by {0}")]
    Interrupted(&'static str),
}

impl Error {
    /// For errors of the client library, of which there is a type for each of its functions.
    pub(crate) fn client<E: std::fmt::Display>(doing: &'static str) -> impl FnOnce(E) -> Self {
        move |error| Self::Client { doing, message: error.to_string() }
    }
}
