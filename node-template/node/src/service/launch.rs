//! What every node starts before it takes part in consensus: network, off-chain workers, RPC.

use super::{Backend, Block, Client, Error, Parts, Pool, SelectChain};
use crate::rpc;
use crate::virtualization::BlockHash;
use futures::FutureExt;
use futures::channel::mpsc;
use sc_client_api::Backend as _;
use sc_consensus_manual_seal::EngineCommand;
use sc_network::config::FullNetworkConfiguration;
use sc_network::service::traits::NetworkService;
use sc_network::{Litep2pNetworkBackend, NetworkBackend, NotificationMetrics};
use sc_network_sync::SyncingService;
use sc_service::{BuildNetworkParams, Configuration, SpawnTasksParams, TaskManager, WarpSyncConfig};
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_keystore::KeystorePtr;
use std::sync::Arc;
use substrate_prometheus_endpoint::Registry;

/// How a node talks to others. Consensus adds to it what it needs.
pub(super) struct Networking {
    pub(super) config: FullNetworkConfiguration<Block, BlockHash, Litep2pNetworkBackend>,
    pub(super) metrics: NotificationMetrics,
    /// How to prove finality to those who skip blocks, if the chain can.
    pub(super) warp_sync: Option<WarpSyncConfig<Block>>,
}

/// A node that talks to others and answers RPC, and does not take part in consensus yet.
pub(super) struct Node {
    pub(super) task_manager: TaskManager,
    pub(super) client: Arc<Client>,
    pub(super) pool: Arc<Pool>,
    pub(super) keystore: KeystorePtr,
    pub(super) select_chain: SelectChain,
    pub(super) network: Arc<dyn NetworkService>,
    pub(super) sync: Arc<SyncingService<Block>>,
    pub(super) registry: Option<Registry>,
}

impl Networking {
    pub(super) fn new(config: &Configuration) -> Self {
        let registry = config.prometheus_registry();
        Self {
            config: FullNetworkConfiguration::new(&config.network, registry.cloned()),
            metrics:
                <Litep2pNetworkBackend as NetworkBackend<Block, BlockHash>>::register_notification_metrics(
                    registry,
                ),
            warp_sync: None,
        }
    }
}

impl Node {
    /// Starts one. With a channel for commands, blocks can be asked for by RPC.
    ///
    /// # Errors
    /// If the network or a task cannot be set up.
    pub(super) fn launch(
        config: Configuration,
        parts: Parts,
        networking: Networking,
        commands: Option<mpsc::Sender<EngineCommand<BlockHash>>>,
    ) -> Result<Self, Error> {
        let Parts {
            client,
            backend,
            mut task_manager,
            keystore,
            select_chain,
            import_queue,
            pool,
            machines,
            grandpa: _,
        } = parts;
        let keystore = keystore.keystore();
        let (network, system_rpc_tx, tx_handler_controller, sync, _) =
            sc_service::build_network(BuildNetworkParams {
                config: &config,
                net_config: networking.config,
                client: client.clone(),
                transaction_pool: pool.clone(),
                spawn_handle: task_manager.spawn_handle(),
                spawn_essential_handle: task_manager.spawn_essential_handle(),
                import_queue,
                block_announce_validator_builder: None,
                warp_sync_config: networking.warp_sync,
                block_relay: None,
                metrics: networking.metrics,
                gap_sync_body_policy: None,
            })?;
        let registry = config.prometheus_registry().cloned();
        if config.offchain_worker.enabled {
            let is_validator = config.role.is_authority();
            start_offchain_workers(
                is_validator,
                &task_manager,
                &client,
                &backend,
                &keystore,
                &pool,
                &network,
            )?;
        }
        let _rpc = sc_service::spawn_tasks(SpawnTasksParams {
            rpc_builder: rpc::builder(client.clone(), pool.clone(), machines, commands),
            config,
            client: client.clone(),
            backend,
            task_manager: &mut task_manager,
            keystore: keystore.clone(),
            transaction_pool: pool.clone(),
            network: network.clone(),
            system_rpc_tx,
            tx_handler_controller,
            sync_service: sync.clone(),
            telemetry: None,
            tracing_execute_block: None,
        })?;
        Ok(Self { task_manager, client, pool, keystore, select_chain, network, sync, registry })
    }
}

/// Runs the runtime's off-chain workers.
fn start_offchain_workers(
    is_validator: bool,
    tasks: &TaskManager,
    client: &Arc<Client>,
    backend: &Arc<Backend>,
    keystore: &KeystorePtr,
    pool: &Arc<Pool>,
    network: &Arc<dyn NetworkService>,
) -> Result<(), Error> {
    let workers = sc_offchain::OffchainWorkers::new(sc_offchain::OffchainWorkerOptions {
        runtime_api_provider: client.clone(),
        is_validator,
        keystore: Some(keystore.clone()),
        offchain_db: backend.offchain_storage(),
        transaction_pool: Some(OffchainTransactionPoolFactory::new(pool.clone())),
        network_provider: Arc::new(network.clone()),
        enable_http_requests: true,
        custom_extensions: |_| Vec::new(),
    })?;
    tasks.spawn_handle().spawn(
        "offchain-workers-runner",
        "offchain-worker",
        workers.run(client.clone(), tasks.spawn_handle()).boxed(),
    );
    Ok(())
}
