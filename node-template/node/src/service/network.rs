//! A chain of several nodes: Aura authors, GRANDPA finalizes.

use super::{Block, Client, Error, Grandpa, Parts, SelectChain, parts};
use crate::rpc;
use crate::virtualization::{BlockHash, VirtualizationParams};
use sc_client_api::BlockBackend;
use sc_consensus::DefaultImportQueue;
use sc_consensus_aura::{ImportQueueParams, SlotProportion, StartAuraParams};
use sc_consensus_grandpa::{GrandpaParams, SharedVoterState};
use sc_network::{Litep2pNetworkBackend, NetworkBackend, config::FullNetworkConfiguration};
use sc_service::{Configuration, SpawnTasksParams, TaskManager, WarpSyncConfig};
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_consensus_aura::inherents::InherentDataProvider as SlotInherent;
use sp_consensus_aura::sr25519::AuthorityPair;
use sp_timestamp::InherentDataProvider as TimestampInherent;
use std::sync::Arc;
use std::time::Duration;

/// After at most so many blocks a proof of finality is stored and given to others.
const JUSTIFICATION_PERIOD: u32 = 512;

/// How often votes are repeated.
const GOSSIP: Duration = Duration::from_millis(333);

/// What checks and imports the blocks of other nodes.
pub(super) fn import_queue(
    config: &Configuration,
    client: &Arc<Client>,
    select_chain: &SelectChain,
    tasks: &TaskManager,
) -> Result<(DefaultImportQueue<Block>, Grandpa), Error> {
    let (block_import, link) = sc_consensus_grandpa::block_import(
        client.clone(),
        JUSTIFICATION_PERIOD,
        client,
        select_chain.clone(),
        None,
    )?;
    let slots = client.clone();
    let queue = sc_consensus_aura::import_queue::<AuthorityPair, _, _, _, _, _>(ImportQueueParams {
        block_import: block_import.clone(),
        justification_import: Some(Box::new(block_import.clone())),
        client: client.clone(),
        create_inherent_data_providers: move |parent, ()| {
            let slots = slots.clone();
            async move {
                let duration = sc_consensus_aura::standalone::slot_duration_at(&*slots, parent)?;
                let timestamp = TimestampInherent::from_system_time();
                Ok((SlotInherent::from_timestamp_and_slot_duration(*timestamp, duration), timestamp))
            }
        },
        spawner: &tasks.spawn_essential_handle(),
        registry: config.prometheus_registry(),
        check_for_equivocation: Default::default(),
        telemetry: None,
        compatibility_mode: Default::default(),
    })?;
    Ok((queue, (block_import, link)))
}

/// Starts the node.
pub(super) fn start(config: Configuration, params: &VirtualizationParams) -> Result<TaskManager, Error> {
    let Parts {
        client,
        backend,
        mut task_manager,
        keystore,
        select_chain,
        import_queue,
        pool,
        machines,
        grandpa,
    } = parts(&config, params)?;
    let (block_import, link) = grandpa.ok_or_else(|| Error::Other("this chain has no GRANDPA".into()))?;

    let mut net_config = FullNetworkConfiguration::<Block, BlockHash, Litep2pNetworkBackend>::new(
        &config.network,
        config.prometheus_registry().cloned(),
    );
    let metrics = <Litep2pNetworkBackend as NetworkBackend<Block, BlockHash>>::register_notification_metrics(
        config.prometheus_registry(),
    );
    let genesis =
        client.block_hash(0)?.ok_or_else(|| Error::Other("the database has no genesis block".into()))?;
    let protocol = sc_consensus_grandpa::protocol_standard_name(&genesis, &config.chain_spec);
    let (notifications, notification_service) =
        sc_consensus_grandpa::grandpa_peers_set_config::<Block, Litep2pNetworkBackend>(
            protocol.clone(),
            metrics.clone(),
            net_config.peer_store_handle(),
        );
    net_config.add_notification_protocol(notifications);
    let warp_sync = sc_consensus_grandpa::warp_proof::NetworkProvider::new(
        backend.clone(),
        link.shared_authority_set().clone(),
        Vec::new(),
    );
    let (network, system_rpc_tx, tx_handler_controller, sync_service, _) =
        sc_service::build_network(sc_service::BuildNetworkParams {
            config: &config,
            net_config,
            client: client.clone(),
            transaction_pool: pool.clone(),
            spawn_handle: task_manager.spawn_handle(),
            spawn_essential_handle: task_manager.spawn_essential_handle(),
            import_queue,
            block_announce_validator_builder: None,
            warp_sync_config: Some(WarpSyncConfig::WithProvider(Arc::new(warp_sync))),
            block_relay: None,
            metrics,
            gap_sync_body_policy: None,
        })?;
    super::start_offchain_workers(&config, &task_manager, &client, &backend, &keystore, &pool, &network)?;

    let role = config.role;
    let name = config.network.node_name.clone();
    let force_authoring = config.force_authoring;
    let enable_grandpa = !config.disable_grandpa;
    let registry = config.prometheus_registry().cloned();
    let _rpc = sc_service::spawn_tasks(SpawnTasksParams {
        rpc_builder: rpc::builder(client.clone(), pool.clone(), machines, None),
        config,
        client: client.clone(),
        backend,
        task_manager: &mut task_manager,
        keystore: keystore.keystore(),
        transaction_pool: pool.clone(),
        network: network.clone(),
        system_rpc_tx,
        tx_handler_controller,
        sync_service: sync_service.clone(),
        telemetry: None,
        tracing_execute_block: None,
    })?;

    if role.is_authority() {
        let slot_duration = sc_consensus_aura::slot_duration(&*client)?;
        let aura =
            sc_consensus_aura::start_aura::<AuthorityPair, _, _, _, _, _, _, _, _, _, _>(StartAuraParams {
                slot_duration,
                proposer_factory: sc_basic_authorship::ProposerFactory::new(
                    task_manager.spawn_handle(),
                    client.clone(),
                    pool.clone(),
                    registry.as_ref(),
                    None,
                ),
                client,
                select_chain,
                block_import,
                create_inherent_data_providers: move |_, ()| async move {
                    let timestamp = TimestampInherent::from_system_time();
                    Ok((SlotInherent::from_timestamp_and_slot_duration(*timestamp, slot_duration), timestamp))
                },
                force_authoring,
                backoff_authoring_blocks: Option::<()>::None,
                keystore: keystore.keystore(),
                sync_oracle: sync_service.clone(),
                justification_sync_link: sync_service.clone(),
                block_proposal_slot_portion: SlotProportion::new(2.0 / 3.0),
                max_block_proposal_slot_portion: None,
                telemetry: None,
                compatibility_mode: Default::default(),
            })?;
        task_manager.spawn_essential_handle().spawn_blocking("aura", Some("block-authoring"), aura);
    }

    if enable_grandpa {
        let config = sc_consensus_grandpa::Config {
            gossip_duration: GOSSIP,
            justification_generation_period: JUSTIFICATION_PERIOD,
            name: Some(name),
            observer_enabled: false,
            // Who does not vote needs no keys.
            keystore: role.is_authority().then(|| keystore.keystore()),
            local_role: role,
            telemetry: None,
            protocol_name: protocol,
        };
        let voter = sc_consensus_grandpa::run_grandpa_voter(GrandpaParams {
            config,
            link,
            network,
            sync: Arc::new(sync_service),
            notification_service,
            voting_rule: sc_consensus_grandpa::VotingRulesBuilder::default().build(),
            prometheus_registry: registry,
            shared_voter_state: SharedVoterState::empty(),
            telemetry: None,
            offchain_tx_pool_factory: OffchainTransactionPoolFactory::new(pool),
        })?;
        task_manager.spawn_essential_handle().spawn_blocking("grandpa-voter", None, voter);
    }
    Ok(task_manager)
}
