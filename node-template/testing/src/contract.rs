//! Programs, instances and calls of `pallet-virtualization`.

use crate::{Chain, Committed, Error};
use subxt::dynamic::{self, Value};
use subxt::ext::scale_decode::DecodeAsType;
use subxt::ext::scale_encode::EncodeAsType;
use subxt::utils::{AccountId32, H256};
use subxt_signer::sr25519::Keypair;

const PALLET: &str = "Virtualization";

/// Time of computation, and size of a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EncodeAsType, DecodeAsType)]
#[encode_as_type(crate_path = "subxt::ext::scale_encode")]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
pub struct Weight {
    /// Picoseconds.
    pub ref_time: u64,
    /// Bytes.
    pub proof_size: u64,
}

/// What a call may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Weight, for everything that the call does.
    pub gas: Weight,
    /// The most to hold from the caller for storage; `None`: whatever it takes.
    pub storage_deposit: Option<u128>,
}

impl Default for Limits {
    /// A quarter of a second.
    fn default() -> Self {
        Self { gas: Weight { ref_time: 250_000_000_000, proof_size: 1 << 20 }, storage_deposit: None }
    }
}

/// An instance of a program on a chain.
#[derive(Clone, Debug)]
pub struct Contract {
    /// Its account.
    pub address: AccountId32,
    /// Its program.
    pub code_hash: H256,
}

/// What a chain knows about a program.
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
pub struct CodeInfo {
    /// Who uploaded it.
    pub owner: AccountId32,
    /// How many instances and jobs there are of it.
    pub references: u32,
    /// Bytes.
    pub length: u32,
}

/// What a chain knows about an instance.
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
pub struct InstanceInfo {
    /// Who made it.
    pub owner: AccountId32,
    /// Its program.
    pub code_hash: H256,
}

/// What a call would do.
#[derive(Clone, Debug, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
pub struct DryRun {
    /// What the guest returned, or the error.
    pub result: Result<Vec<u8>, Value>,
    /// The weight that was used.
    pub gas_consumed: Weight,
    /// The limit to call with.
    pub gas_required: Weight,
}

impl Contract {
    /// Uploads a program. Gives its hash, and the extrinsic.
    ///
    /// # Errors
    /// If the extrinsic is not finalized or fails.
    pub async fn upload(chain: &Chain, owner: &Keypair, code: &[u8]) -> Result<(H256, Committed), Error> {
        let committed = chain.submit(owner, PALLET, "upload_code", (code.to_vec(),)).await?.success()?;
        let hash = committed.event(PALLET, "CodeUploaded")?.bytes("code_hash");
        let hash = hash.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let hash = hash.ok_or_else(|| Error::Answer("CodeUploaded has no code_hash".into()))?;
        Ok((H256(hash), committed))
    }

    /// Makes an instance of a program.
    ///
    /// # Errors
    /// If the extrinsic is not finalized or fails.
    pub async fn instantiate(
        chain: &Chain,
        owner: &Keypair,
        code_hash: H256,
        salt: [u8; 32],
        input: &[u8],
    ) -> Result<(Self, Committed), Error> {
        let Limits { gas, storage_deposit } = Limits::default();
        let arguments = (code_hash.0, 0u128, salt, input.to_vec(), gas, storage_deposit);
        let committed = chain.submit(owner, PALLET, "instantiate", arguments).await?.success()?;
        let address = committed.event(PALLET, "Instantiated")?.bytes("instance");
        let address = address.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let address = address.ok_or_else(|| Error::Answer("Instantiated has no instance".into()))?;
        Ok((Self { address: AccountId32(address), code_hash }, committed))
    }

    /// Calls an export by an extrinsic, which may fail.
    ///
    /// # Errors
    /// If the extrinsic is not finalized.
    pub async fn call(
        &self,
        chain: &Chain,
        caller: &Keypair,
        export: &str,
        input: &[u8],
        limits: Limits,
    ) -> Result<Committed, Error> {
        chain.submit(caller, PALLET, "call", self.arguments(export, input, limits)).await
    }

    /// Sends a call with this nonce, without waiting.
    ///
    /// # Errors
    /// If the node refuses it.
    pub async fn send(
        &self,
        chain: &Chain,
        caller: &Keypair,
        nonce: u64,
        export: &str,
        input: &[u8],
        limits: Limits,
    ) -> Result<(), Error> {
        chain.send(caller, nonce, PALLET, "call", self.arguments(export, input, limits)).await
    }

    /// What a call would do now.
    ///
    /// # Errors
    /// If the node does not answer.
    pub async fn dry_run(
        &self,
        chain: &Chain,
        caller: &Keypair,
        export: &str,
        input: &[u8],
    ) -> Result<DryRun, Error> {
        let at = chain.api().at_current_block().await.map_err(Error::client("cannot read the state"))?;
        let arguments = (
            caller.public_key().0,
            self.address.0,
            export.as_bytes().to_vec(),
            0u128,
            input.to_vec(),
            None::<Weight>,
            None::<u128>,
        );
        let payload = dynamic::runtime_api_call::<_, DryRun>("VirtualizationApi", "dry_run_call", arguments);
        at.runtime_apis().call(payload).await.map_err(Error::client("the dry run failed"))
    }

    /// What the chain knows about a program, at the last finalized block.
    ///
    /// # Errors
    /// If the node does not answer.
    pub async fn code_info(chain: &Chain, code_hash: H256) -> Result<Option<CodeInfo>, Error> {
        let at = chain.api().at_current_block().await.map_err(Error::client("cannot read the state"))?;
        let payload = dynamic::runtime_api_call("VirtualizationApi", "code_info", (code_hash.0,));
        at.runtime_apis().call(payload).await.map_err(Error::client("cannot read about a program"))
    }

    /// What the chain knows about the instance, at the last finalized block.
    ///
    /// # Errors
    /// If the node does not answer.
    pub async fn info(&self, chain: &Chain) -> Result<Option<InstanceInfo>, Error> {
        let at = chain.api().at_current_block().await.map_err(Error::client("cannot read the state"))?;
        let payload = dynamic::runtime_api_call("VirtualizationApi", "instance_info", (self.address.0,));
        at.runtime_apis().call(payload).await.map_err(Error::client("cannot read about an instance"))
    }

    /// What the instance stored under a key, at the last finalized block.
    ///
    /// # Errors
    /// If the node does not answer, or there is no such instance.
    pub async fn storage(&self, chain: &Chain, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let at = chain.api().at_current_block().await.map_err(Error::client("cannot read the state"))?;
        let payload = dynamic::runtime_api_call::<_, Result<Option<Vec<u8>>, Value>>(
            "VirtualizationApi",
            "read_storage",
            (self.address.0, key.to_vec()),
        );
        at.runtime_apis()
            .call(payload)
            .await
            .map_err(Error::client("cannot read storage"))?
            .map_err(|error| Error::Answer(format!("the storage cannot be read: {error}")))
    }

    fn arguments(
        &self,
        export: &str,
        input: &[u8],
        Limits { gas, storage_deposit }: Limits,
    ) -> ([u8; 32], Vec<u8>, u128, Vec<u8>, Weight, Option<u128>) {
        (self.address.0, export.as_bytes().to_vec(), 0, input.to_vec(), gas, storage_deposit)
    }
}
