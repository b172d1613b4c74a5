//! `cargo xtask`: everything a developer or CI runs.
#![forbid(unsafe_code)]

mod bench;
mod capi;
mod conformance;
mod demo;
mod deny;
mod fuzz;
mod guests;
mod javascript;
mod miri;
mod nightly;
mod node;
mod process;
mod progress;
mod sanitize;
mod setup;
mod test;
mod weights;
mod workspace;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Everything a developer or CI runs on this repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what builds Wasm runtimes and PolkaVM guests; does nothing where all is there.
    Setup(setup::Arguments),
    /// Run the demo: a node starts a chain, on which a contract is uploaded, called, and made to fail.
    Demo(demo::Arguments),
    /// Run every check and all tests, as CI does.
    Test(test::Arguments),
    /// Rebuild the guest programs and their manifest, or check that they are up to date.
    Guests(guests::Arguments),
    /// Build the node in a way that the tests leave out, and check that it works.
    Node(node::Arguments),
    /// Measure the weights of the pallet with a release build of the node, and write them into its sources.
    Weights(weights::Arguments),
    /// Check licences, advisories and sources of all dependencies with cargo-deny.
    Deny,
    /// Build libpvm, the C library, and install it.
    Capi(capi::Arguments),
    /// Measure Hatchery beside its peers, or compare instruction counts with the committed ones.
    Bench(bench::Arguments),
    /// Run test vectors, see `hatchery conformance`.
    Conformance(conformance::Arguments),
    /// Run the engine's and libpvm's tests under AddressSanitizer, ThreadSanitizer and valgrind.
    Sanitize(sanitize::Arguments),
    /// Run the engine's tests in Miri.
    Miri,
    /// Run the fuzz targets.
    Fuzz(fuzz::Arguments),
}

fn main() -> ExitCode {
    if let Some(code) = test::lints::wrapper() {
        return code;
    }
    let outcome = match Arguments::parse().command {
        Command::Setup(arguments) => setup::command(&arguments),
        Command::Demo(arguments) => demo::command(&arguments),
        Command::Test(arguments) => test::command(&arguments),
        Command::Guests(arguments) => guests::command(&arguments),
        Command::Node(arguments) => node::command(&arguments),
        Command::Weights(arguments) => weights::command(&arguments),
        Command::Deny => deny::command(),
        Command::Capi(arguments) => capi::command(&arguments),
        Command::Bench(arguments) => bench::command(&arguments),
        Command::Conformance(arguments) => conformance::command(&arguments),
        Command::Sanitize(arguments) => sanitize::command(&arguments),
        Command::Miri => miri::command(),
        Command::Fuzz(arguments) => fuzz::command(&arguments),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}

/// Prints what failed and why, and last what mends it: the contexts that begin with "Fix:".
fn report(error: &anyhow::Error) {
    let (fixes, causes): (Vec<String>, Vec<String>) =
        error.chain().map(ToString::to_string).partition(|text| text.starts_with("Fix:"));
    eprintln!("\nerror: {}", causes.join(": ").trim_end());
    for fix in fixes {
        eprintln!("{fix}");
    }
}
