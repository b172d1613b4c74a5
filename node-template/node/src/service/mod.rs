//! The parts of a node, and how they start.

mod dev;
mod launch;
mod network;

use crate::cli::Seal;
use crate::virtualization::{HostFunctions, Machines, VirtualizationParams};
pub(crate) use hatchery_node_runtime::OpaqueBlock as Block;
use hatchery_node_runtime::RuntimeApi;
use sc_basic_authorship::ProposerFactory;
use sc_client_api::ExecutorProvider;
use sc_consensus::{DefaultImportQueue, LongestChain};
use sc_consensus_grandpa::{GrandpaBlockImport, LinkHalf};
use sc_executor::WasmExecutor;
use sc_network::config::NetworkBackendType;
use sc_service::error::Error;
use sc_service::{ChainType, Configuration, KeystoreContainer, TFullBackend, TFullClient, TaskManager};
use sc_transaction_pool::TransactionPoolHandle;
use std::sync::Arc;

pub(crate) type Client = TFullClient<Block, RuntimeApi, WasmExecutor<HostFunctions>>;
pub(crate) type Backend = TFullBackend<Block>;
pub(crate) type Pool = TransactionPoolHandle<Block, Client>;
type Proposers = ProposerFactory<Pool, Client>;
type SelectChain = LongestChain<Backend, Block>;
type BlockImport = GrandpaBlockImport<Backend, Block, Client, SelectChain>;
type Grandpa = (BlockImport, LinkHalf<Block, Client, SelectChain>);

/// What all ways of running share, and what the subcommands need.
pub(crate) struct Parts {
    pub(crate) client: Arc<Client>,
    pub(crate) backend: Arc<Backend>,
    pub(crate) task_manager: TaskManager,
    pub(crate) keystore: KeystoreContainer,
    pub(crate) select_chain: SelectChain,
    pub(crate) import_queue: DefaultImportQueue<Block>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) machines: Machines,
    /// Finality; `None`: a development chain, whose only node finalizes what it makes.
    pub(crate) grandpa: Option<Grandpa>,
}

impl Parts {
    /// What fills blocks with extrinsics from the pool.
    fn proposers(&self, config: &Configuration) -> Proposers {
        ProposerFactory::new(
            self.task_manager.spawn_handle(),
            self.client.clone(),
            self.pool.clone(),
            config.prometheus_registry(),
            None,
        )
    }
}

/// Starts a node: a development chain on its own, any other with Aura and GRANDPA.
///
/// # Errors
/// If the database, the network or a task cannot be set up.
pub(crate) async fn start(
    config: Configuration,
    params: &VirtualizationParams,
    seal: Seal,
) -> Result<TaskManager, Error> {
    if !matches!(config.network.network_backend, NetworkBackendType::Litep2p) {
        return Err(Error::Other("this node is built with the network backend litep2p only".into()));
    }
    if is_development(&config) {
        dev::start(config, params, seal).await
    } else {
        network::start(config, params)
    }
}

/// Opens the database and builds what does not talk to other nodes yet.
///
/// # Errors
/// If this machine does not have the backend for programs, the database cannot be opened, or the runtime does not answer.
pub(crate) fn parts(config: &Configuration, params: &VirtualizationParams) -> Result<Parts, Error> {
    let machines = Machines::new(params, config.prometheus_registry()).map_err(Error::Other)?;
    let executor = sc_service::new_wasm_executor::<HostFunctions>(&config.executor);
    let (client, backend, keystore, task_manager) =
        sc_service::new_full_parts::<Block, RuntimeApi, _>(config, None, executor, Vec::new())?;
    let client = Arc::new(client);
    // From here on every call into the runtime has a manager of virtual machines: authoring, import, validation, RPC
    // and off-chain workers.
    client.execution_extensions().set_extensions_factory(machines.factory());
    let select_chain = LongestChain::new(backend.clone());
    let pool = Arc::from(
        sc_transaction_pool::Builder::new(
            task_manager.spawn_essential_handle(),
            client.clone(),
            config.role.is_authority().into(),
        )
        .with_options(config.transaction_pool.clone())
        .with_prometheus(config.prometheus_registry())
        .build(),
    );
    let (import_queue, grandpa) = if is_development(config) {
        (dev::import_queue(config, &client, &task_manager), None)
    } else {
        let (queue, grandpa) = network::import_queue(config, &client, &select_chain, &task_manager)?;
        (queue, Some(grandpa))
    };
    Ok(Parts { client, backend, task_manager, keystore, select_chain, import_queue, pool, machines, grandpa })
}

fn is_development(config: &Configuration) -> bool {
    config.chain_spec.chain_type() == ChainType::Development
}
