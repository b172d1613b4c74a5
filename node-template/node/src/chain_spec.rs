//! The chains that this node knows by name.

use hatchery_node_runtime::wasm_binary;
use sc_service::{ChainType, Properties};
use std::path::PathBuf;

/// How a chain starts, and how its nodes find each other.
pub(crate) type ChainSpec = sc_service::GenericChainSpec;

/// Protocol names and folders of these chains begin with it.
const PROTOCOL: &str = "hatchery";

/// `dev`: one node that seals a block for each extrinsic. `local`, or nothing: Alice and Bob validate. Anything else is
/// the path of a specification.
///
/// # Errors
/// If the node was built without a runtime, or the file is no specification.
pub(crate) fn load(id: &str) -> Result<ChainSpec, String> {
    match id {
        "dev" => named(
            "Development",
            "hatchery_dev",
            ChainType::Development,
            sp_genesis_builder::DEV_RUNTIME_PRESET,
        ),
        "" | "local" => named(
            "Local",
            "hatchery_local",
            ChainType::Local,
            sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET,
        ),
        path => ChainSpec::from_json_file(PathBuf::from(path)).map_err(|error| {
            format!("`{path}` is neither `dev` nor `local` nor a chain specification: {error}")
        }),
    }
}

fn named(name: &str, id: &str, kind: ChainType, preset: &str) -> Result<ChainSpec, String> {
    let code = wasm_binary().map_err(|error| error.to_string())?;
    Ok(ChainSpec::builder(code, None)
        .with_name(name)
        .with_id(id)
        .with_chain_type(kind)
        .with_protocol_id(PROTOCOL)
        .with_properties(properties())
        .with_genesis_config_preset_name(preset)
        .build())
}

/// What wallets need to show amounts and addresses.
fn properties() -> Properties {
    let mut properties = Properties::new();
    properties.insert("tokenSymbol".into(), "HATCH".into());
    properties.insert("tokenDecimals".into(), 12.into());
    properties.insert("ss58Format".into(), 42.into());
    properties
}
