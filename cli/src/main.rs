//! The `hatchery` command. Everything is in the library, `hatchery_cli`.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    hatchery_cli::main()
}
