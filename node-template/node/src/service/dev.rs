//! A development chain: one node, which makes a block when it is asked for one and finalizes it at once.

use super::launch::{Networking, Node};
use super::{Block, Client, Error, parts};
use crate::cli::Seal;
use crate::virtualization::{BlockHash, VirtualizationParams};
use futures::channel::mpsc;
use futures::stream::{self, BoxStream, Stream, StreamExt};
use sc_client_api::BlockchainEvents;
use sc_consensus::DefaultImportQueue;
use sc_consensus_manual_seal::consensus::aura::AuraConsensusDataProvider;
use sc_consensus_manual_seal::consensus::timestamp::SlotTimestampProvider;
use sc_consensus_manual_seal::{EngineCommand, ManualSealParams};
use sc_service::{Configuration, TaskManager};
use sc_transaction_pool_api::TransactionPool;
use sp_inherents::{InherentData, InherentDataProvider, InherentIdentifier};
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
    let networking = Networking::new(&config);
    let (commands, requested) = mpsc::channel(PENDING_COMMANDS);
    let node = Node::launch(config, parts, networking, Some(commands))?;

    // Aura's runtime refuses two blocks in one slot: here each block is a slot later than the one before, whatever the
    // time is.
    let clock = SlotTimestampProvider::new_aura::<Block, _>(node.client.clone());
    let clock = Clock(Arc::new(clock.map_err(|error| Error::Application(Box::new(error)))?));
    let env = node.proposer();
    let Node { task_manager, client, pool, select_chain, .. } = node;
    let authorship = sc_consensus_manual_seal::run_manual_seal(ManualSealParams {
        block_import: client.clone(),
        env,
        client: client.clone(),
        commands_stream: stream::select(requested, occasions(seal, &client, &pool)),
        pool,
        select_chain,
        consensus_data_provider: Some(Box::new(AuraConsensusDataProvider::new(client))),
        create_inherent_data_providers: move |_, ()| {
            let clock = clock.clone();
            async move { Ok(clock) }
        },
    });
    task_manager.spawn_essential_handle().spawn_blocking("seal", Some("block-authoring"), authorship);
    Ok(task_manager)
}

/// When blocks are made that nobody asked for by RPC.
fn occasions(seal: Seal, client: &Arc<Client>, pool: &Arc<super::Pool>) -> BoxStream<'static, Command> {
    match seal {
        // The first block, which is empty, gives the pool a state to validate extrinsics against.
        Seal::Instant => {
            let arrivals = pool.import_notification_stream().ready_chunks(BATCH).map(|_| block(false));
            stream::once(async { block(true) })
                .chain(stream::select(arrivals, leftovers(client, pool)))
                .boxed()
        }
        Seal::Manual => stream::once(async { block(true) }).boxed(),
        Seal::Every(time) => stream::unfold((), move |()| async move {
            futures_timer::Delay::new(time).await;
            Some((block(true), ()))
        })
        .boxed(),
    }
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
