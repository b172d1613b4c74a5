//! A chain, seen through one of its nodes.

use crate::{Error, Node, until, within};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use std::sync::Arc;
use subxt::backend::LegacyBackend;
use subxt::config::DefaultExtrinsicParamsBuilder;
use subxt::dynamic::Value;
use subxt::error::{BackendError, DispatchError, ExtrinsicError, RpcError};
use subxt::ext::scale_decode::DecodeAsType;
use subxt::ext::scale_encode::EncodeAsFields;
use subxt::ext::scale_value::{Composite, ValueDef};
use subxt::rpcs::RpcClient;
use subxt::rpcs::client::{RpcParams, rpc_params};
use subxt::utils::{AccountId32, H256};
use subxt::{OnlineClient, SubstrateConfig, dynamic};
use subxt_signer::sr25519::Keypair;

/// The client for one node's view of its chain.
#[derive(Clone, Debug)]
pub struct Chain {
    rpc: RpcClient,
    api: OnlineClient<SubstrateConfig>,
}

/// What an account owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
pub struct Account {
    /// What it can spend.
    pub free: u128,
    /// What is held from it, for deposits.
    pub reserved: u128,
}

/// What `System.Account` has of an account, as far as it matters here.
#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct AccountState {
    nonce: u32,
    data: Account,
}

/// An extrinsic that is in a finalized block.
#[derive(Clone, Debug)]
pub struct Committed {
    /// The block's hash.
    pub block: H256,
    /// Its events, in their order.
    pub events: Vec<Event>,
    /// Why it failed, with the fields of the pallet's error; `None`: it did not.
    pub error: Option<String>,
    /// What its sender paid, in the smallest unit.
    pub fee: u128,
    /// The weight that it used: picoseconds.
    pub ref_time: u64,
}

/// An event.
#[derive(Clone, Debug)]
pub struct Event {
    /// The pallet whose event it is.
    pub pallet: String,
    /// Its name.
    pub name: String,
    /// Its fields.
    pub fields: Value,
}

/// A call by RPC that the node refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RpcFailure {
    /// JSON-RPC's number for it.
    pub code: i32,
    /// What the node says, with the data of the error behind it.
    pub message: String,
}

impl Chain {
    /// Connects to a node.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn of(node: &Node) -> Result<Self, Error> {
        Self::connect(&node.url()).await
    }

    /// Connects to the node that serves RPC at `url`.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        within("the connection to the node", async {
            let rpc = RpcClient::from_insecure_url(url).await.map_err(Error::client("cannot connect"))?;
            // Not what follows the head of the chain: with a node that is still synchronizing, it can wait for ever for the first block.
            let backend = LegacyBackend::builder().build(rpc.clone());
            let api = OnlineClient::from_backend(Arc::new(backend))
                .await
                .map_err(Error::client("cannot learn what chain this is"))?;
            Ok(Self { rpc, api })
        })
        .await
    }

    /// The library's own client.
    pub fn api(&self) -> &OnlineClient<SubstrateConfig> {
        &self.api
    }

    /// Calls a method with a JSON array of parameters.
    ///
    /// # Errors
    /// If the node refuses, or answers with something else.
    pub async fn request<T: DeserializeOwned>(&self, method: &str, params: Json) -> Result<T, Error> {
        let params = parameters(params)?;
        self.rpc.request(method, params).await.map_err(Error::client("the RPC call failed"))
    }

    /// Calls a method that has to refuse.
    ///
    /// # Errors
    /// If the node does not refuse, or is not there.
    pub async fn refusal(&self, method: &str, params: Json) -> Result<RpcFailure, Error> {
        let list = parameters(params.clone())?;
        match self.rpc.request::<Json>(method, list).await {
            Ok(answer) => {
                Err(Error::Answer(format!("{method} {params} was to be refused and gave {answer}")))
            }
            Err(subxt::rpcs::Error::User(error)) => {
                let data = error.data.map(|data| format!(": {data}")).unwrap_or_default();
                Ok(RpcFailure { code: error.code, message: error.message + &data })
            }
            Err(other) => Err(Error::client("the RPC call failed otherwise")(other)),
        }
    }

    /// Signs a call, sends it, and waits until it is in a finalized block, whether it failed there or not.
    ///
    /// # Errors
    /// If the node refuses it, or it does not get into a block in time.
    pub async fn submit(
        &self,
        signer: &Keypair,
        pallet: &str,
        call: &str,
        arguments: impl EncodeAsFields,
    ) -> Result<Committed, Error> {
        within(&format!("{pallet}.{call} in a finalized block"), self.commit(signer, pallet, call, arguments))
            .await
    }

    async fn commit(
        &self,
        signer: &Keypair,
        pallet: &str,
        call: &str,
        arguments: impl EncodeAsFields,
    ) -> Result<Committed, Error> {
        let payload = dynamic::transaction(pallet, call, arguments);
        let mut transactions =
            self.api.transactions().await.map_err(Error::client("cannot prepare an extrinsic"))?;
        let block = transactions
            .sign_and_submit_then_watch_default(&payload, signer)
            .await
            .map_err(refused)?
            .wait_for_finalized()
            .await
            .map_err(Error::client("the extrinsic was not finalized"))?;
        let events =
            block.fetch_events().await.map_err(Error::client("cannot read the extrinsic's events"))?;
        let at = block.at().await.map_err(Error::client("cannot read the extrinsic's block"))?;
        let mut committed =
            Committed { block: block.block_hash(), events: Vec::new(), error: None, fee: 0, ref_time: 0 };
        for event in events.iter() {
            let event = event.map_err(Error::client("cannot read an event"))?;
            if event.pallet_name() == "System" && event.event_name() == "ExtrinsicFailed" {
                let error = DispatchError::decode_from(event.field_bytes(), at.metadata())
                    .map_err(Error::client("cannot read why the extrinsic failed"))?;
                committed.error = Some(describe(&error));
            }
            let event = Event {
                pallet: event.pallet_name().to_owned(),
                name: event.event_name().to_owned(),
                fields: event
                    .decode_fields_unchecked_as()
                    .map_err(Error::client("cannot read an event's fields"))?,
            };
            match (event.pallet.as_str(), event.name.as_str()) {
                ("TransactionPayment", "TransactionFeePaid") => {
                    committed.fee = event.number("actual_fee").unwrap_or_default();
                }
                ("System", "ExtrinsicSuccess" | "ExtrinsicFailed") => {
                    let time = dynamic::At::at(&event.fields, "dispatch_info")
                        .and_then(|info| dynamic::At::at(info, "weight"))
                        .and_then(|weight| dynamic::At::at(weight, "ref_time"))
                        .and_then(Value::as_u128);
                    committed.ref_time = time.and_then(|time| u64::try_from(time).ok()).unwrap_or_default();
                }
                _ => {}
            }
            committed.events.push(event);
        }
        Ok(committed)
    }

    /// Signs a call with this nonce and sends it, without waiting.
    ///
    /// # Errors
    /// If the node refuses it.
    pub async fn send(
        &self,
        signer: &Keypair,
        nonce: u64,
        pallet: &str,
        call: &str,
        arguments: impl EncodeAsFields,
    ) -> Result<(), Error> {
        let extrinsic = self.signed(signer, nonce, pallet, call, arguments).await?;
        self.request::<H256>("author_submitExtrinsic", serde_json::json!([extrinsic])).await?;
        Ok(())
    }

    /// An extrinsic with this nonce that is valid for ever, as hexadecimal digits. It is not sent.
    ///
    /// # Errors
    /// If the chain has no such call.
    pub async fn signed(
        &self,
        signer: &Keypair,
        nonce: u64,
        pallet: &str,
        call: &str,
        arguments: impl EncodeAsFields,
    ) -> Result<String, Error> {
        let payload = dynamic::transaction(pallet, call, arguments);
        let mut transactions =
            self.api.transactions().await.map_err(Error::client("cannot prepare an extrinsic"))?;
        let params = DefaultExtrinsicParamsBuilder::new().nonce(nonce).immortal().build();
        let signed = transactions
            .create_signed(&payload, signer, params)
            .await
            .map_err(Error::client("cannot sign the extrinsic"))?;
        Ok(format!("0x{}", hex::encode(signed.encoded())))
    }

    /// The events of a block, in their order, those of hooks included.
    ///
    /// # Errors
    /// If the node does not answer, or does not know the block.
    pub async fn events_of(&self, block: H256) -> Result<Vec<Event>, Error> {
        let at = self.api.at_block(block).await.map_err(Error::client("cannot look at a block"))?;
        let events = at.events().fetch().await.map_err(Error::client("cannot read a block's events"))?;
        let mut seen = Vec::new();
        for event in events.iter() {
            let event = event.map_err(Error::client("cannot read an event"))?;
            seen.push(Event {
                pallet: event.pallet_name().to_owned(),
                name: event.event_name().to_owned(),
                fields: event
                    .decode_fields_unchecked_as()
                    .map_err(Error::client("cannot read an event's fields"))?,
            });
        }
        Ok(seen)
    }

    /// The nonce of an account's next extrinsic, those that wait in the pool counted.
    ///
    /// # Errors
    /// If the node does not answer.
    pub async fn next_nonce(&self, account: &AccountId32) -> Result<u64, Error> {
        self.request("system_accountNextIndex", serde_json::json!([account.to_string()])).await
    }

    /// The nonce that an account has at the best block: those that wait in the pool are not counted, whose lists can miss some while a
    /// block is imported.
    ///
    /// # Errors
    /// If the node does not answer.
    pub async fn nonce(&self, account: &AccountId32) -> Result<u64, Error> {
        let best: H256 = self.request("chain_getBlockHash", Json::Array(Vec::new())).await?;
        Ok(self.state_of(account, best).await?.map_or(0, |state| state.nonce.into()))
    }

    /// What an account owns at the last finalized block.
    ///
    /// # Errors
    /// If the node does not answer.
    pub async fn account(&self, account: &AccountId32) -> Result<Account, Error> {
        let finalized: H256 = self.request("chain_getFinalizedHead", Json::Array(Vec::new())).await?;
        let state = self.state_of(account, finalized).await?;
        Ok(state.map_or(Account { free: 0, reserved: 0 }, |state| state.data))
    }

    /// What a block's state has of an account, if there is one.
    async fn state_of(&self, account: &AccountId32, block: H256) -> Result<Option<AccountState>, Error> {
        let at = self.api.at_block(block).await.map_err(Error::client("cannot read the state"))?;
        let address = dynamic::storage::<([u8; 32],), AccountState>("System", "Account");
        let state = at
            .storage()
            .try_fetch(address, (account.0,))
            .await
            .map_err(Error::client("cannot read an account"))?;
        state.map(|state| state.decode()).transpose().map_err(Error::client("cannot decode an account"))
    }

    /// The number of the last finalized block.
    ///
    /// # Errors
    /// If the node does not answer.
    pub async fn finalized(&self) -> Result<u64, Error> {
        let hash: H256 = self.request("chain_getFinalizedHead", Json::Array(Vec::new())).await?;
        Ok(self.header(Some(hash)).await?.number)
    }

    /// The number of the best block.
    ///
    /// # Errors
    /// If the node does not answer.
    pub async fn best(&self) -> Result<u64, Error> {
        Ok(self.header(None).await?.number)
    }

    /// The hash of the block with this number, if the node has it.
    ///
    /// # Errors
    /// If the node does not answer.
    pub async fn block_hash(&self, number: u64) -> Result<Option<H256>, Error> {
        self.request("chain_getBlockHash", serde_json::json!([number])).await
    }

    /// The number of the block with this hash.
    ///
    /// # Errors
    /// If the node does not answer, or does not know it.
    pub async fn number_of(&self, block: H256) -> Result<u64, Error> {
        Ok(self.header(Some(block)).await?.number)
    }

    /// The state root that the block with this number has in the chain of this node.
    ///
    /// # Errors
    /// If the node does not answer, or has no such block.
    pub async fn state_root(&self, number: u64) -> Result<H256, Error> {
        let hash = self.block_hash(number).await?;
        let hash = hash.ok_or_else(|| Error::Answer(format!("the node has no block {number}")))?;
        Ok(self.header(Some(hash)).await?.state_root)
    }

    /// Waits until the block with this number is finalized.
    ///
    /// # Errors
    /// If it is not in time, or the node does not answer.
    pub async fn wait_finalized(&self, number: u64) -> Result<(), Error> {
        until(&format!("block {number} is finalized"), async || {
            Ok((self.finalized().await? >= number).then_some(()))
        })
        .await
    }

    /// How many nodes this one is connected to.
    ///
    /// # Errors
    /// If the node does not answer.
    pub async fn peers(&self) -> Result<u64, Error> {
        let health: Json = self.request("system_health", Json::Array(Vec::new())).await?;
        health["peers"].as_u64().ok_or_else(|| Error::Answer(format!("system_health gave {health}")))
    }

    /// Where other nodes on this machine reach it.
    ///
    /// # Errors
    /// If it listens nowhere.
    pub async fn network_address(&self) -> Result<String, Error> {
        let addresses: Vec<String> =
            self.request("system_localListenAddresses", Json::Array(Vec::new())).await?;
        let address = addresses
            .iter()
            .find(|address| address.starts_with("/ip4/127.0.0.1/tcp/") && !address.contains("/ws"));
        let unusable = || Error::Answer(format!("none of the node's addresses can be used: {addresses:?}"));
        let address = address.ok_or_else(unusable)?;
        if address.contains("/p2p/") {
            return Ok(address.clone());
        }
        let peer: String = self.request("system_localPeerId", Json::Array(Vec::new())).await?;
        Ok(format!("{address}/p2p/{peer}"))
    }

    async fn header(&self, hash: Option<H256>) -> Result<Header, Error> {
        let header: Json = self.request("chain_getHeader", serde_json::json!([hash])).await?;
        let unexpected = || Error::Answer(format!("chain_getHeader gave {header}"));
        let number =
            header["number"].as_str().and_then(|hex| hex.strip_prefix("0x")).ok_or_else(unexpected)?;
        Ok(Header {
            number: u64::from_str_radix(number, 16).map_err(|_| unexpected())?,
            state_root: serde_json::from_value(header["stateRoot"].clone()).map_err(|_| unexpected())?,
        })
    }
}

impl Committed {
    /// The first event of this name.
    ///
    /// # Errors
    /// If there is none.
    pub fn event(&self, pallet: &str, name: &str) -> Result<&Event, Error> {
        self.events.iter().find(|event| event.pallet == pallet && event.name == name).ok_or_else(|| {
            let names: Vec<String> =
                self.events.iter().map(|event| format!("{}::{}", event.pallet, event.name)).collect();
            let why = self.error.as_ref().map(|error| format!(" ({error})")).unwrap_or_default();
            Error::Answer(format!("no event {pallet}::{name} among {}{why}", names.join(", ")))
        })
    }

    /// This, if it did not fail.
    ///
    /// # Errors
    /// If it failed, why.
    pub fn success(self) -> Result<Self, Error> {
        match &self.error {
            None => Ok(self),
            Some(error) => Err(Error::Answer(format!("the extrinsic failed: {error}"))),
        }
    }
}

impl Event {
    /// A field that is a number.
    pub fn number(&self, field: &str) -> Option<u128> {
        dynamic::At::at(&self.fields, field).and_then(Value::as_u128)
    }

    /// A field that is bytes, or a newtype of some: an account, a hash, a message.
    pub fn bytes(&self, field: &str) -> Option<Vec<u8>> {
        bytes_in(dynamic::At::at(&self.fields, field)?)
    }
}

/// For example `Virtualization::Trapped { depth: 0 }`.
impl std::fmt::Display for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}::{} {}", self.pallet, self.name, readable(&self.fields))
    }
}

struct Header {
    number: u64,
    state_root: H256,
}

fn parameters(params: Json) -> Result<RpcParams, Error> {
    let Json::Array(params) = params else {
        return Err(Error::Answer(format!("parameters are an array, and not {params}")));
    };
    let mut list = rpc_params![];
    for param in params {
        list.push(param).map_err(Error::client("cannot write the parameters"))?;
    }
    Ok(list)
}

/// Why an extrinsic was not taken: with the data of the node's answer, in which it says what is wrong.
fn refused(error: ExtrinsicError) -> Error {
    let data = match &error {
        ExtrinsicError::ErrorSubmittingTransaction(BackendError::Rpc(RpcError::ClientError(
            subxt::rpcs::Error::User(answer),
        ))) => answer.data.as_ref().map(|data| format!(": {data}")),
        _ => None,
    };
    Error::Client {
        doing: "the extrinsic was refused",
        message: format!("{error}{}", data.unwrap_or_default()),
    }
}

/// A pallet's error with its fields, or what else the error is.
fn describe(error: &DispatchError) -> String {
    match error {
        DispatchError::Module(module) => match module.as_root_error::<Value>() {
            Ok(value) => format!("{module}, as {}", readable(&value)),
            Err(_) => module.to_string(),
        },
        other => other.to_string(),
    }
}

/// A value as one writes it, with bytes in hexadecimal.
fn readable(value: &Value) -> String {
    if let Some(bytes) = bytes_in(value).filter(|bytes| !bytes.is_empty()) {
        return format!("0x{}", hex::encode(bytes));
    }
    let list = |composite: &Composite<()>| match composite {
        Composite::Named(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(name, value)| format!("{name}: {}", readable(value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Composite::Unnamed(values) => {
            format!("({})", values.iter().map(readable).collect::<Vec<_>>().join(", "))
        }
    };
    match &value.value {
        ValueDef::Composite(composite) => list(composite),
        ValueDef::Variant(variant) if variant.values.is_empty() => variant.name.clone(),
        ValueDef::Variant(variant) => format!("{} {}", variant.name, list(&variant.values)),
        _ => value.to_string(),
    }
}

/// The bytes in a value, through whatever newtypes there are around them.
fn bytes_in(value: &Value) -> Option<Vec<u8>> {
    let ValueDef::Composite(composite) = &value.value else { return None };
    let numbers: Option<Vec<u8>> =
        composite.values().map(|value| value.as_u128().and_then(|byte| u8::try_from(byte).ok())).collect();
    match (numbers, composite.values().next()) {
        (Some(bytes), _) => Some(bytes),
        (None, Some(inner)) if composite.len() == 1 => bytes_in(inner),
        _ => None,
    }
}
