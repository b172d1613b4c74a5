//! The command line.

use crate::virtualization::VirtualizationParams;
use clap::Parser;
use sc_cli::{KeySubcommand, RunCmd};
use std::str::FromStr;
use std::time::Duration;

/// A Substrate node whose runtime runs child machines.
#[derive(Debug, Parser)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) subcommand: Option<Subcommand>,

    #[command(flatten)]
    pub(crate) virtualization: VirtualizationParams,

    /// When a development chain gets a block, after an empty one with which it starts: `instant`, for each extrinsic; `manual`,
    /// only when `engine_createBlock` is called; or a time in milliseconds.
    #[arg(long, default_value = "instant", value_name = "WHEN")]
    pub(crate) seal: Seal,

    #[command(flatten)]
    pub(crate) run: RunCmd,
}

/// What the node does besides running.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Subcommand {
    /// Generate, inspect and insert keys.
    #[command(subcommand)]
    Key(KeySubcommand),

    /// Write a chain's specification.
    ExportChainSpec(sc_cli::ExportChainSpecCmd),

    /// Verify a block again.
    CheckBlock(sc_cli::CheckBlockCmd),

    /// Write blocks to a file.
    ExportBlocks(sc_cli::ExportBlocksCmd),

    /// Write the state at a block as a chain specification.
    ExportState(sc_cli::ExportStateCmd),

    /// Read blocks from a file and execute them.
    ImportBlocks(sc_cli::ImportBlocksCmd),

    /// Remove a chain's database.
    PurgeChain(sc_cli::PurgeChainCmd),

    /// Go back some blocks.
    Revert(sc_cli::RevertCmd),

    /// What the database knows about its chain.
    ChainInfo(sc_cli::ChainInfoCmd),

    /// Measure weights and this machine.
    #[cfg(feature = "runtime-benchmarks")]
    #[command(subcommand)]
    Benchmark(Box<frame_benchmarking_cli::BenchmarkCmd>),
}

/// When a development chain gets a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seal {
    /// For each extrinsic, or for all that come while a block is made.
    Instant,
    /// When `engine_createBlock` is called. It works with the others, too.
    Manual,
    /// Again and again after this time, also without extrinsics.
    Every(Duration),
}

impl FromStr for Seal {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "instant" => Ok(Self::Instant),
            "manual" => Ok(Self::Manual),
            time => match time.parse() {
                Ok(0) | Err(_) => {
                    Err("it can be instant, manual, or a number of milliseconds above 0".into())
                }
                Ok(milliseconds) => Ok(Self::Every(Duration::from_millis(milliseconds))),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn times_of_sealing() {
        assert_eq!("instant".parse(), Ok(Seal::Instant));
        assert_eq!("manual".parse(), Ok(Seal::Manual));
        assert_eq!("250".parse(), Ok(Seal::Every(Duration::from_millis(250))));
        for wrong in ["0", "-1", "often", "", "1.5"] {
            assert!(wrong.parse::<Seal>().is_err(), "`{wrong}` is accepted");
        }
    }
}
