//! The `hatchery` command: runs, inspects and disassembles programs, and checks the engine against test vectors.
//!
//! | command | module |
//! |---|---|
//! | `hatchery run` | `run`, with the host calls it answers in `syscalls`, its report of traps in `run::trap`, trees of processes in `run::processes` |
//! | `hatchery inspect` | `inspect` |
//! | `hatchery disasm` | `disasm` |
//! | `hatchery conformance` | [`conformance`] |
//! | `hatchery cap` | `cap` |
//!
//! What they share: `args` (the command line), `program` (from a file to a compiled module), `symbols` (names of places
//! in the code), `status` (exit statuses) and `error`.

#![forbid(unsafe_code)]

mod args;
mod cap;
pub mod conformance;
mod disasm;
mod error;
mod file;
mod inspect;
mod number;
mod pipeline_chart;
mod program;
mod run;
mod status;
mod symbols;
mod syscalls;
mod text;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command};
use error::Error;
use status::Status;

/// Does what the command line of this process says, and gives its exit status.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let status = match execute(&arguments.command, &mut io::stdout().lock()) {
        Ok(status) => status,
        Err(error) => {
            error::show(&error);
            error.status()
        }
    };
    ExitCode::from(status as u8)
}

fn execute(command: &Command, out: &mut dyn Write) -> Result<Status, Error> {
    let status = match command {
        Command::Run(arguments) => run::run(arguments, out)?,
        Command::Inspect(arguments) => inspect::inspect(arguments, out)?,
        Command::Disasm(arguments) => disasm::disasm(arguments, out)?,
        Command::Conformance(arguments) => conformance::conformance(arguments, out)?,
        Command::Cap(arguments) => cap::cap(arguments, out)?,
    };
    out.flush()?;
    Ok(status)
}
