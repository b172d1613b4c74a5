//! The RPC methods that this node has besides Substrate's own.

mod virtualization;

use crate::service::{Block, Client, Pool};
use crate::virtualization::Machines;
use futures::channel::mpsc;
use jsonrpsee::RpcModule;
use pallet_transaction_payment_rpc::{TransactionPayment, TransactionPaymentApiServer};
use sc_consensus_manual_seal::EngineCommand;
use sc_consensus_manual_seal::rpc::{ManualSeal, ManualSealApiServer};
use sp_core::H256;
use sp_core::traits::SpawnNamed;
use std::sync::Arc;
use substrate_frame_rpc_system::{System, SystemApiServer};
use virtualization::{Virtualization, VirtualizationApiServer};

/// Makes the methods, once for the server and once for calls from within the node.
pub(crate) type Builder = Box<dyn Fn(Arc<dyn SpawnNamed>) -> Result<RpcModule<()>, sc_service::Error>>;

/// `system_*` (nonces and dry runs), `payment_*` and `virtualization_*`; with a channel for commands also `engine_*`, by
/// which a development chain gets blocks.
pub(crate) fn builder(
    client: Arc<Client>,
    pool: Arc<Pool>,
    machines: Machines,
    commands: Option<mpsc::Sender<EngineCommand<H256>>>,
) -> Builder {
    Box::new(move |_| {
        module(&client, &pool, &machines, commands.clone())
            .map_err(|error| sc_service::Error::Application(Box::new(error)))
    })
}

fn module(
    client: &Arc<Client>,
    pool: &Arc<Pool>,
    machines: &Machines,
    commands: Option<mpsc::Sender<EngineCommand<H256>>>,
) -> Result<RpcModule<()>, jsonrpsee::core::RegisterMethodError> {
    let mut module = RpcModule::new(());
    module.merge(System::new(client.clone(), pool.clone()).into_rpc())?;
    module.merge(TransactionPayment::<_, Block>::new(client.clone()).into_rpc())?;
    module.merge(Virtualization::new(client.clone(), machines.clone()).into_rpc())?;
    if let Some(commands) = commands {
        module.merge(ManualSeal::new(commands).into_rpc())?;
    }
    Ok(module)
}
