//! What can go wrong before or beside the program, and how it is shown.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use hatchery_engine::program::ProgramError;
use hatchery_engine::{CompileError, EngineError, GasModel, InstructionSet, PrepareError, RunError};
use hatchery_scheduler::StartError;
use miette::{Diagnostic, GraphicalReportHandler};

use crate::cap::CapError;
use crate::file::MAX_FILE_SIZE;
use crate::status::Status;

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub(crate) enum Error {
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },

    #[error("{} has more than {} MiB, and more is not read", path.display(), MAX_FILE_SIZE >> 20)]
    TooLarge { path: PathBuf },

    #[error("{} is not a program", path.display())]
    Program {
        path: PathBuf,
        source: ProgramError,
        #[help]
        help: Option<String>,
    },

    #[error("{} does not compile", path.display())]
    Compile { path: PathBuf, source: CompileError },

    #[error("{} is a {container} program, --isa says {wanted}", path.display())]
    #[diagnostic(help("a PolkaVM container names its instruction set: leave --isa away"))]
    OtherInstructionSet { path: PathBuf, container: InstructionSet, wanted: InstructionSet },

    #[error("which instruction set has {}?", path.display())]
    #[diagnostic(help("a {format} does not say what its instructions mean: name the set with --isa"))]
    WhichInstructionSet { path: PathBuf, format: &'static str },

    #[error("libpvm cannot be configured like this: {reason}")]
    Library { reason: String },

    #[error("the engine cannot be configured like this")]
    Engine(#[from] EngineError),

    #[error("the program has no export `{wanted}`")]
    UnknownExport {
        wanted: String,
        #[help]
        help: String,
    },

    #[error("no instruction that begins a part of the code is at {at:#x}")]
    #[diagnostic(help("parts begin where blocks do, and where exports and jump table entries lead"))]
    NoPart { at: u32 },

    #[error("the gas model {model} has no pipeline")]
    #[diagnostic(help("choose another --gas-model, such as pipeline-l2, or leave --pipeline away"))]
    NoPipeline { model: GasModel },

    #[error("which export?")]
    WhichExport {
        #[help]
        help: String,
    },

    #[error("the argument {argument:#x} does not fit into a register of {set}, which has 32 bits")]
    WideArgument { argument: u64, set: InstructionSet },

    #[error("a {format} takes no --argument-file")]
    #[diagnostic(help("pass numbers with --arg; only JAM standard programs have space for bytes"))]
    NoArgumentSpace { format: &'static str },

    #[error("the program cannot be called")]
    Prepare(#[from] PrepareError),

    #[error("the host cannot run the program")]
    Run(#[from] RunError),

    #[error("a {format} cannot start processes")]
    #[diagnostic(help("calls of processes are imports, which only PolkaVM containers have"))]
    NoProcesses { format: &'static str },

    #[error("only `main` takes bytes")]
    #[diagnostic(help("leave --argument-file away, or the export and --arg"))]
    BytesForMain,

    #[error("the processes cannot be started")]
    Start(#[from] StartError),

    #[error("the host cannot run the processes")]
    Processes(#[from] hatchery_scheduler::Error),

    #[error("cannot write {}", path.display())]
    Write { path: PathBuf, source: io::Error },

    #[error(transparent)]
    #[diagnostic(transparent)]
    Cap(#[from] CapError),

    #[error("cannot read standard input")]
    Input(#[source] io::Error),

    #[error("cannot write the output")]
    Output(#[from] io::Error),
}

impl Error {
    /// The exit status that says this.
    pub(crate) fn status(&self) -> Status {
        match self {
            Self::Program { .. } | Self::Compile { .. } => Status::BadProgram,
            Self::Read { .. }
            | Self::TooLarge { .. }
            | Self::OtherInstructionSet { .. }
            | Self::WhichInstructionSet { .. }
            | Self::Engine(_)
            | Self::Library { .. }
            | Self::NoPart { .. }
            | Self::NoPipeline { .. }
            | Self::UnknownExport { .. }
            | Self::WhichExport { .. }
            | Self::WideArgument { .. }
            | Self::NoArgumentSpace { .. }
            | Self::NoProcesses { .. }
            | Self::BytesForMain
            | Self::Write { .. }
            | Self::Prepare(_) => Status::Usage,
            Self::Cap(error) => error.status(),
            Self::Start(error) => match error {
                StartError::Load { .. } | StartError::BadImage { .. } => Status::BadProgram,
                _ => Status::Usage,
            },
            Self::Processes(_) | Self::Run(_) | Self::Input(_) | Self::Output(_) => Status::Failure,
        }
    }
}

/// Shows an error on standard error: drawn on a terminal, a line each for the error, its causes and the help elsewhere.
///
/// A reader of the output that has gone away is none: it has what it wanted.
pub(crate) fn show(error: &Error) {
    if matches!(error, Error::Output(cause) if cause.kind() == io::ErrorKind::BrokenPipe) {
        return;
    }
    if io::stderr().is_terminal() {
        let mut drawing = String::new();
        if GraphicalReportHandler::new().render_report(&mut drawing, error).is_ok() {
            eprint!("{drawing}");
            return;
        }
    }
    eprint!("{}", plain(error));
}

fn plain(error: &Error) -> String {
    let mut text = format!("error: {error}\n");
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(&format!("  because: {error}\n"));
        cause = error.source();
    }
    if let Some(help) = error.help() {
        text.push_str(&format!("  help: {help}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_errors_have_their_causes_and_help() {
        let error = Error::Program {
            path: "a.polkavm".into(),
            source: ProgramError::Version { version: 9 },
            help: Some("do something".into()),
        };
        assert_eq!(
            plain(&error),
            "error: a.polkavm is not a program\n  because: version 9 at offset 4 is unknown \
             (known: 0 ReviveV1, 1 Latest32, 2 Latest64, 3 JamV1)\n  help: do something\n"
        );
    }
}
