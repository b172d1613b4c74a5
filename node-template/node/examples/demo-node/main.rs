//! The template's node runs a contract, and what happens on its chain is shown step by step.
//!
//! Started by `cargo xtask demo`, which says where the node's program is.

mod screen;

use anstream::println;
use clap::Parser;
use hatchery_node_testing::{Builder, Chain, Error, Node, walkthrough};
use screen::Screen;
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// Shows a contract on a development chain.
#[derive(Debug, Parser)]
struct Arguments {
    /// The node's program.
    #[arg(long)]
    node: PathBuf,

    /// Leave the node running, and say what to try next.
    #[arg(long)]
    keep: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Whoever ends the demo ends its node and its files: dropping what runs does that.
    let outcome = tokio::select! {
        outcome = run(&arguments) => outcome,
        error = ended() => Err(error),
    };
    match outcome {
        Ok(text) => {
            println!("\ndemo: ok - {text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("\ndemo: FAILED - {error}");
            ExitCode::FAILURE
        }
    }
}

/// Comes back when somebody asks this process to end.
async fn ended() -> Error {
    let signals = signal(SignalKind::terminate()).and_then(|one| Ok((one, signal(SignalKind::interrupt())?)));
    let (mut terminate, mut interrupt) = match signals {
        Ok(signals) => signals,
        Err(source) => return Error::Io { doing: "cannot wait for signals", source },
    };
    tokio::select! {
        _ = terminate.recv() => Error::Interrupted("SIGTERM"),
        _ = interrupt.recv() => Error::Interrupted("SIGINT"),
    }
}

async fn run(arguments: &Arguments) -> Result<String, Error> {
    let mut screen = Screen::default();
    screen.heading("Start a node with a chain of its own");
    let node = Builder::new(&arguments.node).dev().start()?;
    screen.line("process", &node.process_id().to_string());
    screen.line("RPC", &node.url());
    screen.line("log", &node.log_file().display().to_string());
    let outcome = show(&node, &mut screen).await;
    let summary = match outcome {
        Ok(summary) => summary,
        Err(error) => {
            println!("\nThe node's log ends so:{}", node.log_end());
            return Err(error);
        }
    };
    let totals = format!(
        "{} claims checked, {} extrinsics for {} of fees",
        summary.checks,
        summary.extrinsics,
        walkthrough::tokens(summary.fees)
    );
    if arguments.keep {
        screen.next_steps(&node, &summary);
        let process = node.leave();
        return Ok(format!("{totals}; the node goes on as process {process}"));
    }
    screen.heading("Stop the node");
    let (status, _files) = node.stop()?;
    screen.line("exit", &status.to_string());
    if !status.success() {
        return Err(Error::Answer(format!("the node ended with {status}")));
    }
    Ok(totals)
}

async fn show(node: &Node, screen: &mut Screen) -> Result<walkthrough::Summary, Error> {
    let chain = Chain::of(node).await?;
    walkthrough::walk(node, &chain, screen).await
}
