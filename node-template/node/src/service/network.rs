//! A chain of several nodes: Aura authors, GRANDPA finalizes.

use super::launch::{Networking, Node};
use super::{Block, BlockImport, Client, Error, Grandpa, Proposers, SelectChain, parts};
use crate::virtualization::VirtualizationParams;
use sc_client_api::BlockBackend;
use sc_consensus::DefaultImportQueue;
use sc_consensus_aura::{ImportQueueParams, SlotProportion, StartAuraParams};
use sc_consensus_grandpa::{GrandpaParams, SharedVoterState};
use sc_network::Litep2pNetworkBackend;
use sc_service::{Configuration, TaskManager, WarpSyncConfig};
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
    let mut parts = parts(&config, params)?;
    let grandpa = parts.grandpa.take();
    let (block_import, link) = grandpa.ok_or_else(|| Error::Other("this chain has no GRANDPA".into()))?;
    let genesis = parts
        .client
        .block_hash(0)?
        .ok_or_else(|| Error::Other("the database has no genesis block".into()))?;
    let protocol = sc_consensus_grandpa::protocol_standard_name(&genesis, &config.chain_spec);
    let mut networking = Networking::new(&config);
    let (notifications, notification_service) =
        sc_consensus_grandpa::grandpa_peers_set_config::<Block, Litep2pNetworkBackend>(
            protocol.clone(),
            networking.metrics.clone(),
            networking.config.peer_store_handle(),
        );
    networking.config.add_notification_protocol(notifications);
    let proofs = sc_consensus_grandpa::warp_proof::NetworkProvider::new(
        parts.backend.clone(),
        link.shared_authority_set().clone(),
        Vec::new(),
    );
    networking.warp_sync = Some(WarpSyncConfig::WithProvider(Arc::new(proofs)));

    let role = config.role;
    let name = config.network.node_name.clone();
    let force_authoring = config.force_authoring;
    let enable_grandpa = !config.disable_grandpa;
    let proposers = role.is_authority().then(|| parts.proposers(&config));
    let node = Node::launch(config, parts, networking, None)?;
    if let Some(proposers) = proposers {
        start_aura(&node, proposers, block_import, force_authoring)?;
    }
    if enable_grandpa {
        let config = sc_consensus_grandpa::Config {
            gossip_duration: GOSSIP,
            justification_generation_period: JUSTIFICATION_PERIOD,
            name: Some(name),
            observer_enabled: false,
            // Who does not vote needs no keys.
            keystore: role.is_authority().then(|| node.keystore.clone()),
            local_role: role,
            telemetry: None,
            protocol_name: protocol,
        };
        let voter = sc_consensus_grandpa::run_grandpa_voter(GrandpaParams {
            config,
            link,
            network: node.network,
            sync: Arc::new(node.sync),
            notification_service,
            voting_rule: sc_consensus_grandpa::VotingRulesBuilder::default().build(),
            prometheus_registry: node.registry,
            shared_voter_state: SharedVoterState::empty(),
            telemetry: None,
            offchain_tx_pool_factory: OffchainTransactionPoolFactory::new(node.pool),
        })?;
        node.task_manager.spawn_essential_handle().spawn_blocking("grandpa-voter", None, voter);
    }
    Ok(node.task_manager)
}

/// Makes blocks in the slots of this node's keys.
fn start_aura(
    node: &Node,
    proposers: Proposers,
    block_import: BlockImport,
    force_authoring: bool,
) -> Result<(), Error> {
    let slot_duration = sc_consensus_aura::slot_duration(&*node.client)?;
    let aura =
        sc_consensus_aura::start_aura::<AuthorityPair, _, _, _, _, _, _, _, _, _, _>(StartAuraParams {
            slot_duration,
            proposer_factory: proposers,
            client: node.client.clone(),
            select_chain: node.select_chain.clone(),
            block_import,
            create_inherent_data_providers: move |_, ()| async move {
                let timestamp = TimestampInherent::from_system_time();
                Ok((SlotInherent::from_timestamp_and_slot_duration(*timestamp, slot_duration), timestamp))
            },
            force_authoring,
            backoff_authoring_blocks: Option::<()>::None,
            keystore: node.keystore.clone(),
            sync_oracle: node.sync.clone(),
            justification_sync_link: node.sync.clone(),
            block_proposal_slot_portion: SlotProportion::new(2.0 / 3.0),
            max_block_proposal_slot_portion: None,
            telemetry: None,
            compatibility_mode: Default::default(),
        })?;
    node.task_manager.spawn_essential_handle().spawn_blocking("aura", Some("block-authoring"), aura);
    Ok(())
}
