//! Calls a contract from a program: uploads it, makes an instance, and sends a call.
//!
//! Run it against a node started with `--dev`: `cargo run -p hatchery-node --example call -- ws://127.0.0.1:9944`

use subxt::dynamic::{self, Value};
use subxt::ext::scale_encode::EncodeAsType;
use subxt::utils::{AccountId32, H256};
use subxt::{OnlineClient, SubstrateConfig};
use subxt_signer::sr25519::dev;

type Failure = Box<dyn std::error::Error>;

/// Time of computation in picoseconds, and size of a proof in bytes.
#[derive(EncodeAsType)]
#[encode_as_type(crate_path = "subxt::ext::scale_encode")]
struct Weight {
    ref_time: u64,
    proof_size: u64,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "ws://127.0.0.1:9944".into());
    let api = OnlineClient::<SubstrateConfig>::from_insecure_url(&url).await?;
    let bob = dev::bob();
    let limit = || Weight { ref_time: 100_000_000_000, proof_size: 1 << 20 };

    // A program is stored and found under the BLAKE2b-256 hash of its bytes. Uploading it twice fails.
    let program = include_bytes!("../../../guests/blobs/jam-v1/tally.polkavm").to_vec();
    let code_hash = H256(sp_crypto_hashing::blake2_256(&program));
    let info = dynamic::storage::<([u8; 32],), Value>("Virtualization", "CodeInfos");
    if api.at_current_block().await?.storage().try_fetch(info, (code_hash.0,)).await?.is_none() {
        submit(&api, &dynamic::transaction("Virtualization", "upload_code", (program,))).await?;
    }

    // An instance is an account. Its constructor's input is the number to start at.
    let salt: [u8; 32] = H256::random().0;
    let arguments = (code_hash.0, 0u128, salt, 7u64.to_le_bytes().to_vec(), limit(), None::<u128>);
    let events = submit(&api, &dynamic::transaction("Virtualization", "instantiate", arguments)).await?;
    let instance = events
        .iter()
        .find_map(|(name, fields)| (name == "Instantiated").then(|| account(fields, "instance")).flatten())
        .ok_or("no instance was made")?;
    println!("instance: {instance}");

    // A call by an extrinsic.
    let arguments = (instance.0, b"increment".to_vec(), 0u128, Vec::<u8>::new(), limit(), None::<u128>);
    for (name, fields) in submit(&api, &dynamic::transaction("Virtualization", "call", arguments)).await? {
        println!("event: Virtualization::{name} {fields}");
    }

    // What it stored.
    let read = dynamic::runtime_api_call::<_, Result<Option<Vec<u8>>, Value>>(
        "VirtualizationApi",
        "read_storage",
        (instance.0, b"count".to_vec()),
    );
    let stored = api.at_current_block().await?.runtime_apis().call(read).await?;
    let stored = stored.map_err(|error| error.to_string())?.ok_or("nothing is stored")?;
    println!("count: {}", u64::from_le_bytes(stored.as_slice().try_into()?));
    println!("called by {}", bob.public_key().to_account_id());
    Ok(())
}

/// Sends a call from Bob's account, waits until it is final, and gives the pallet's events.
async fn submit(
    api: &OnlineClient<SubstrateConfig>,
    call: &impl subxt::transactions::Payload,
) -> Result<Vec<(String, Value)>, Failure> {
    let progress = api.transactions().await?.sign_and_submit_then_watch_default(call, &dev::bob()).await?;
    let mut list = Vec::new();
    for event in progress.wait_for_finalized_success().await?.iter() {
        let event = event?;
        if event.pallet_name() == "Virtualization" {
            let fields = event.decode_fields_unchecked_as::<Value>()?;
            list.push((event.event_name().to_owned(), fields));
        }
    }
    Ok(list)
}

/// An account in an event.
fn account(fields: &Value, name: &str) -> Option<AccountId32> {
    let value = dynamic::At::at(dynamic::At::at(fields, name)?, 0)?;
    let bytes: Vec<u8> = (0..32).map_while(|at| Some(dynamic::At::at(value, at)?.as_u128()? as u8)).collect();
    Some(AccountId32(bytes.try_into().ok()?))
}
