//! `benchmark`: weights, blocks, extrinsics, storage and the machine.

use crate::service::{self, Block, Client};
use crate::virtualization::{HostFunctions, VirtualizationParams, constants};
use codec::Encode;
use frame_benchmarking_cli::{
    BenchmarkCmd, ExtrinsicBuilder, ExtrinsicFactory, SUBSTRATE_REFERENCE_HARDWARE,
};
use hatchery_client::ClientConfig;
use hatchery_client::benchmarking::provide_extension;
use hatchery_node_runtime::{
    EXISTENTIAL_DEPOSIT, Runtime, RuntimeCall, Signature, SignedPayload, TxExtension, UncheckedExtrinsic,
    VERSION,
};
use sc_client_api::UsageProvider;
use sc_service::Configuration;
use sp_core::{H256, Pair};
use sp_inherents::{InherentData, InherentDataProvider};
use sp_keyring::Sr25519Keyring;
use sp_runtime::generic::Era;
use sp_runtime::traits::HashingFor;
use sp_runtime::{OpaqueExtrinsic, SaturatedConversion};
use std::sync::Arc;
use std::time::Duration;

/// Runs a benchmark.
pub(crate) fn run(
    command: &BenchmarkCmd,
    config: Configuration,
    params: &VirtualizationParams,
) -> sc_cli::Result<()> {
    match command {
        BenchmarkCmd::Pallet(command) => {
            // The library makes the externalities itself and knows only upstream's extension.
            provide_extension(constants(), ClientConfig::default().backend(params.backend()))
                .map_err(|error| sc_cli::Error::Input(error.to_string()))?;
            command.run_with_spec::<HashingFor<Block>, HostFunctions>(Some(config.chain_spec))
        }
        BenchmarkCmd::Block(command) => command.run(service::parts(&config, params)?.client),
        BenchmarkCmd::Storage(command) => {
            let service::Parts { client, backend, .. } = service::parts(&config, params)?;
            let (database, storage) = (backend.expose_db(), backend.expose_storage());
            let cache = backend.expose_shared_trie_cache();
            command.run(config, client, database, storage, cache)
        }
        BenchmarkCmd::Overhead(command) => {
            let client = service::parts(&config, params)?.client;
            let builder = Remark { client: client.clone() };
            let name = config.chain_spec.name().to_owned();
            command.run(name, client, inherents()?, Vec::new(), &builder, false)
        }
        BenchmarkCmd::Extrinsic(command) => {
            let client = service::parts(&config, params)?.client;
            let extrinsics = ExtrinsicFactory(vec![
                Box::new(Remark { client: client.clone() }),
                Box::new(Transfer { client: client.clone() }),
            ]);
            command.run(client, inherents()?, Vec::new(), &extrinsics)
        }
        BenchmarkCmd::Machine(command) => command.run(&config, SUBSTRATE_REFERENCE_HARDWARE.clone()),
    }
}

/// A block at the time 0, whose slot is 0 as that of a block without a digest.
fn inherents() -> sc_cli::Result<InherentData> {
    let mut data = InherentData::new();
    let timestamp = sp_timestamp::InherentDataProvider::new(Duration::ZERO.into());
    futures::executor::block_on(timestamp.provide_inherent_data(&mut data))
        .map_err(|error| sc_cli::Error::Input(format!("the time cannot be put into a block: {error:?}")))?;
    Ok(data)
}

/// `System::remark`.
struct Remark {
    client: Arc<Client>,
}

impl ExtrinsicBuilder for Remark {
    fn pallet(&self) -> &str {
        "system"
    }

    fn extrinsic(&self) -> &str {
        "remark"
    }

    fn build(&self, nonce: u32) -> Result<OpaqueExtrinsic, &'static str> {
        let call = frame_system::Call::<Runtime>::remark { remark: Vec::new() };
        signed(&self.client, call.into(), nonce)
    }
}

/// `Balances::transfer_keep_alive`.
struct Transfer {
    client: Arc<Client>,
}

impl ExtrinsicBuilder for Transfer {
    fn pallet(&self) -> &str {
        "balances"
    }

    fn extrinsic(&self) -> &str {
        "transfer_keep_alive"
    }

    fn build(&self, nonce: u32) -> Result<OpaqueExtrinsic, &'static str> {
        let dest = Sr25519Keyring::Alice.to_account_id().into();
        let call = pallet_balances::Call::<Runtime>::transfer_keep_alive { dest, value: EXISTENTIAL_DEPOSIT };
        signed(&self.client, call.into(), nonce)
    }
}

/// Bob signs a call.
fn signed(client: &Client, call: RuntimeCall, nonce: u32) -> Result<OpaqueExtrinsic, &'static str> {
    let chain = client.usage_info().chain;
    let genesis: H256 = chain.genesis_hash;
    let period =
        hatchery_node_runtime::BLOCK_HASH_COUNT.checked_next_power_of_two().map_or(2, |count| count / 2);
    let extension: TxExtension = (
        frame_system::AuthorizeCall::new(),
        frame_system::CheckNonZeroSender::new(),
        frame_system::CheckSpecVersion::new(),
        frame_system::CheckTxVersion::new(),
        frame_system::CheckGenesis::new(),
        frame_system::CheckEra::from(Era::mortal(period.into(), chain.best_number.saturated_into())),
        frame_system::CheckNonce::from(nonce),
        frame_system::CheckWeight::new(),
        pallet_transaction_payment::ChargeTransactionPayment::from(0),
        frame_metadata_hash_extension::CheckMetadataHash::new(false),
        frame_system::WeightReclaim::new(),
    );
    let implied = (
        (),
        (),
        VERSION.spec_version,
        VERSION.transaction_version,
        genesis,
        chain.best_hash,
        (),
        (),
        (),
        None,
        (),
    );
    let bob = Sr25519Keyring::Bob;
    let payload = SignedPayload::from_raw(call.clone(), extension.clone(), implied);
    let signature = payload.using_encoded(|bytes| bob.pair().sign(bytes));
    let extrinsic = UncheckedExtrinsic::new_signed(
        call,
        bob.to_account_id().into(),
        Signature::Sr25519(signature),
        extension,
    );
    OpaqueExtrinsic::try_from_encoded_extrinsic(&extrinsic.encode())
        .map_err(|_| "the extrinsic cannot be encoded")
}
