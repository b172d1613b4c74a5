//! A development chain: one node, which makes a block when it is asked for one and finalizes it at once.

use super::launch::{Networking, Node};
use super::{Block, Client, Error, Parts, Proposers, parts};
use crate::cli::Seal;
use crate::virtualization::{BlockHash, VirtualizationParams};
use futures::channel::{mpsc, oneshot};
use futures::stream::{self, BoxStream, Stream, StreamExt};
use sc_client_api::BlockchainEvents;
use sc_consensus::DefaultImportQueue;
use sc_consensus_manual_seal::consensus::aura::AuraConsensusDataProvider;
use sc_consensus_manual_seal::consensus::timestamp::SlotTimestampProvider;
use sc_consensus_manual_seal::{EngineCommand, ManualSealParams, SealBlockParams};
use sc_service::{Configuration, TaskManager};
use sc_transaction_pool_api::{ChainEvent, MaintainedTransactionPool, TransactionPool};
use sp_inherents::{CreateInherentDataProviders, InherentData, InherentDataProvider, InherentIdentifier};
use std::sync::Arc;
use std::time::Duration;

type Command = EngineCommand<BlockHash>;

/// How many extrinsics that wait for a block are noticed at once.
const BATCH: usize = 4096;

/// How long a block waits for the pool to take out what the block before has used.
const SETTLING: Duration = Duration::from_secs(1);

/// How many blocks can be asked for by RPC before the first of them is made.
const PENDING_COMMANDS: usize = 1024;

/// Imports blocks that nobody has signed.
pub(super) fn import_queue(
    config: &Configuration,
    client: &Arc<Client>,
    tasks: &TaskManager,
) -> DefaultImportQueue<Block> {
    sc_consensus_manual_seal::import_queue(
        Box::new(client.clone()),
        &tasks.spawn_essential_handle(),
        config.prometheus_registry(),
    )
}

/// Starts the node.
pub(super) async fn start(
    config: Configuration,
    params: &VirtualizationParams,
    seal: Seal,
) -> Result<TaskManager, Error> {
    let parts = parts(&config, params)?;
    // Aura's runtime refuses two blocks in one slot: here each block is a slot later than the one before, whatever the
    // time is.
    let clock = SlotTimestampProvider::new_aura::<Block, _>(parts.client.clone());
    let clock = Clock(Arc::new(clock.map_err(application)?));
    let digests = AuraConsensusDataProvider::new(parts.client.clone());
    let mut env = parts.proposers(&config);
    make_first_block(&parts, &mut env, &digests, &clock).await?;

    let networking = Networking::new(&config);
    let (commands, requested) = mpsc::channel(PENDING_COMMANDS);
    let Node { task_manager, client, pool, select_chain, .. } =
        Node::launch(config, parts, networking, Some(commands))?;
    let authorship = sc_consensus_manual_seal::run_manual_seal(ManualSealParams {
        block_import: client.clone(),
        env,
        client: client.clone(),
        commands_stream: stream::select(requested, occasions(seal, &client, &pool)),
        pool,
        select_chain,
        consensus_data_provider: Some(Box::new(digests)),
        create_inherent_data_providers: clock,
    });
    task_manager.spawn_essential_handle().spawn_blocking("seal", Some("block-authoring"), authorship);
    Ok(task_manager)
}

/// Makes an empty block, which gives the pool a state to validate extrinsics against.
///
/// To be called before the node answers: who asks for the best block signs for it, and the pool has to know it then.
async fn make_first_block(
    parts: &Parts,
    env: &mut Proposers,
    digests: &AuraConsensusDataProvider<Block>,
    clock: &Clock,
) -> Result<(), Error> {
    let (sender, made) = oneshot::channel();
    sc_consensus_manual_seal::seal_block(SealBlockParams {
        create_empty: true,
        finalize: true,
        parent_hash: None,
        sender: Some(sender),
        pool: parts.pool.clone(),
        client: parts.client.clone(),
        env,
        select_chain: &parts.select_chain,
        consensus_data_provider: Some(digests),
        block_import: &mut parts.client.clone(),
        create_inherent_data_providers: clock,
    })
    .await;
    let hash = made.await.map_err(application)?.map_err(application)?.hash;
    // What tells the pool of blocks runs with the node, not yet.
    parts.pool.maintain(ChainEvent::NewBestBlock { hash, tree_route: None }).await;
    parts.pool.maintain(ChainEvent::Finalized { hash, tree_route: [].into() }).await;
    Ok(())
}

fn application(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Application(Box::new(error))
}

/// When blocks are made that nobody asked for by RPC.
fn occasions(seal: Seal, client: &Arc<Client>, pool: &Arc<super::Pool>) -> BoxStream<'static, Command> {
    match seal {
        Seal::Instant => stream::select(arrivals(pool), leftovers(client, pool)).boxed(),
        Seal::Manual => stream::pending().boxed(),
        Seal::Every(time) => stream::unfold((), move |()| async move {
            futures_timer::Delay::new(time).await;
            Some((block(true), ()))
        })
        .boxed(),
    }
}

/// A block for extrinsics that have come.
fn arrivals(pool: &Arc<super::Pool>) -> impl Stream<Item = Command> + Send + use<> {
    let (pool, waiting) = (pool.clone(), pool.clone());
    // The pool drops who falls too far behind, as one can while a block is made: then from the beginning.
    stream::repeat_with(move || pool.import_notification_stream()).flat_map(move |new| {
        let missed = (waiting.status().ready > 0).then(|| block(false));
        stream::iter(missed).chain(new.ready_chunks(BATCH).map(|_| block(false)))
    })
}

/// Another block for what did not fit into the one before.
fn leftovers(client: &Arc<Client>, pool: &Arc<super::Pool>) -> impl Stream<Item = Command> + Send + use<> {
    let pool = pool.clone();
    client.import_notification_stream().filter_map(move |imported| {
        let pool = pool.clone();
        async move {
            let mut ready = pool.ready_at_with_timeout(imported.hash, SETTLING).await;
            ready.next().map(|_| block(false))
        }
    })
}

fn block(create_empty: bool) -> Command {
    EngineCommand::SealNewBlock { create_empty, finalize: true, parent_hash: None, sender: None }
}

/// The time of the next block; one for all blocks.
#[derive(Clone)]
struct Clock(Arc<SlotTimestampProvider>);

#[async_trait::async_trait]
impl CreateInherentDataProviders<Block, ()> for Clock {
    type InherentDataProviders = Self;

    async fn create_inherent_data_providers(
        &self,
        _parent: BlockHash,
        (): (),
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(self.clone())
    }
}

#[async_trait::async_trait]
impl InherentDataProvider for Clock {
    async fn provide_inherent_data(&self, data: &mut InherentData) -> Result<(), sp_inherents::Error> {
        self.0.provide_inherent_data(data).await
    }

    async fn try_handle_error(
        &self,
        identifier: &InherentIdentifier,
        error: &[u8],
    ) -> Option<Result<(), sp_inherents::Error>> {
        self.0.try_handle_error(identifier, error).await
    }
}
