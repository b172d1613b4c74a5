//! The states a chain can start from, by name.

use crate::{AccountId, BalancesConfig, RuntimeGenesisConfig, SudoConfig, UNIT};
use alloc::vec::Vec;
use frame_support::build_struct_json_patch;
use serde_json::Value;
use sp_consensus_aura::sr25519::AuthorityId as AuraId;
use sp_consensus_grandpa::AuthorityId as GrandpaId;
use sp_genesis_builder::{DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET, PresetId};
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};

/// What each development account owns.
const ENDOWMENT: u128 = 1_000_000 * UNIT;

/// The names of the presets.
pub fn preset_names() -> Vec<PresetId> {
    [DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET].map(PresetId::from).into()
}

/// A preset as the JSON that is laid over the default configuration; `None`: there is none of that name.
pub fn preset(id: &PresetId) -> Option<Vec<u8>> {
    let validators: &[(Sr25519Keyring, Ed25519Keyring)] = match id.as_ref() {
        DEV_RUNTIME_PRESET => &[(Sr25519Keyring::Alice, Ed25519Keyring::Alice)],
        LOCAL_TESTNET_RUNTIME_PRESET => {
            &[(Sr25519Keyring::Alice, Ed25519Keyring::Alice), (Sr25519Keyring::Bob, Ed25519Keyring::Bob)]
        }
        _ => return None,
    };
    let configuration = development_accounts(validators, Sr25519Keyring::Alice.to_account_id());
    Some(serde_json::to_vec(&configuration).expect("a JSON value without maps of odd keys serializes; qed"))
}

/// The well-known development accounts own tokens; these of them validate; one may do what needs root.
///
/// Everybody knows the keys of these accounts: for development only.
fn development_accounts(validators: &[(Sr25519Keyring, Ed25519Keyring)], root: AccountId) -> Value {
    build_struct_json_patch!(RuntimeGenesisConfig {
        balances: BalancesConfig {
            balances: Sr25519Keyring::well_known().map(|key| (key.to_account_id(), ENDOWMENT)).collect(),
        },
        aura: pallet_aura::GenesisConfig {
            authorities: validators.iter().map(|(aura, _)| AuraId::from(aura.public())).collect(),
        },
        grandpa: pallet_grandpa::GenesisConfig {
            authorities: validators
                .iter()
                .map(|(_, grandpa)| (GrandpaId::from(grandpa.public()), 1))
                .collect(),
        },
        sudo: SudoConfig { key: Some(root) },
    })
}
