//! What each subcommand does.

use crate::chain_spec;
use crate::cli::{Cli, Subcommand};
use crate::service::{self, Backend, Client, Parts};
use hatchery_node_runtime::BlockNumber;
use sc_cli::SubstrateCli;
use sc_service::ChainSpec;
use std::sync::Arc;

/// Takes finality back by so many blocks.
type RevertGrandpa = Box<dyn FnOnce(Arc<Client>, Arc<Backend>, BlockNumber) -> sc_cli::Result<()>>;

impl SubstrateCli for Cli {
    fn impl_name() -> String {
        "Hatchery node".into()
    }

    fn impl_version() -> String {
        env!("CARGO_PKG_VERSION").into()
    }

    fn description() -> String {
        env!("CARGO_PKG_DESCRIPTION").into()
    }

    fn author() -> String {
        "the developers of Hatchery".into()
    }

    // Substrate names it when the node panics.
    fn support_url() -> String {
        "the issues of the repository that this node was built from".into()
    }

    fn copyright_start_year() -> i32 {
        2026
    }

    fn load_spec(&self, id: &str) -> Result<Box<dyn ChainSpec>, String> {
        Ok(Box::new(chain_spec::load(id)?))
    }
}

/// Parses the command line and does what it says.
pub(crate) fn run() -> sc_cli::Result<()> {
    let cli = Cli::from_args();
    let params = &cli.virtualization;
    match &cli.subcommand {
        None => {
            let seal = cli.seal;
            cli.create_runner(&cli.run)?.run_node_until_exit(|config| async move {
                service::start(config, params, seal).await.map_err(Into::into)
            })
        }
        Some(Subcommand::Key(command)) => command.run(&cli),
        Some(Subcommand::ExportChainSpec(command)) => command.run(cli.load_spec(&command.chain)?),
        Some(Subcommand::CheckBlock(command)) => cli.create_runner(command)?.async_run(|config| {
            let Parts { client, import_queue, task_manager, .. } = service::parts(&config, params)?;
            Ok((command.run(client, import_queue), task_manager))
        }),
        Some(Subcommand::ExportBlocks(command)) => cli.create_runner(command)?.async_run(|config| {
            let Parts { client, task_manager, .. } = service::parts(&config, params)?;
            Ok((command.run(client, config.database), task_manager))
        }),
        Some(Subcommand::ExportState(command)) => cli.create_runner(command)?.async_run(|config| {
            let Parts { client, task_manager, .. } = service::parts(&config, params)?;
            Ok((command.run(client, config.chain_spec), task_manager))
        }),
        Some(Subcommand::ImportBlocks(command)) => cli.create_runner(command)?.async_run(|config| {
            let Parts { client, import_queue, task_manager, .. } = service::parts(&config, params)?;
            Ok((command.run(client, import_queue), task_manager))
        }),
        Some(Subcommand::PurgeChain(command)) => {
            cli.create_runner(command)?.sync_run(|config| command.run(config.database))
        }
        Some(Subcommand::Revert(command)) => cli.create_runner(command)?.async_run(|config| {
            let Parts { client, backend, grandpa, task_manager, .. } = service::parts(&config, params)?;
            // A development chain has no finality gadget whose state had to go back, too.
            let revert_grandpa = grandpa.map(|_| -> RevertGrandpa {
                Box::new(|client, _, blocks| Ok(sc_consensus_grandpa::revert(client, blocks)?))
            });
            Ok((command.run(client, backend, revert_grandpa), task_manager))
        }),
        Some(Subcommand::ChainInfo(command)) => {
            cli.create_runner(command)?.sync_run(|config| command.run::<service::Block>(&config))
        }
        #[cfg(feature = "runtime-benchmarks")]
        Some(Subcommand::Benchmark(command)) => cli
            .create_runner(&**command)?
            .sync_run(|config| crate::benchmarking::run(command, config, params)),
    }
}
