//! What the features of the runtime promise. `cargo xtask node` runs this with each of them.

use codec::Decode;
use frame_metadata::{RuntimeMetadata, RuntimeMetadataPrefixed};
use hatchery_node_runtime::{Runtime, VERSION, wasm_binary};
use merkleized_metadata::{ExtraInfo, generate_metadata_digest};
use sp_core::Get;

/// The hash that a wallet computes from the runtime's metadata and puts under its signature.
fn metadata_hash() -> [u8; 32] {
    let metadata = Runtime::metadata_at_version(15).expect("the runtime has metadata of version 15");
    let RuntimeMetadataPrefixed(_, metadata) =
        RuntimeMetadataPrefixed::decode(&mut &metadata[..]).expect("the metadata can be decoded");
    assert!(matches!(metadata, RuntimeMetadata::V15(_)));
    let extra = ExtraInfo {
        spec_version: VERSION.spec_version,
        spec_name: VERSION.spec_name.to_string(),
        base58_prefix: <Runtime as frame_system::Config>::SS58Prefix::get(),
        decimals: 12,
        token_symbol: "HATCH".into(),
    };
    generate_metadata_digest(&metadata, extra).expect("the metadata has a digest").hash()
}

#[test]
fn the_runtime_has_the_hash_of_its_metadata_if_it_is_built_so() {
    let code = wasm_binary().expect("the runtime was built as Wasm");
    let code =
        sp_maybe_compressed_blob::decompress(code, usize::MAX).expect("the runtime can be decompressed");
    let hash = metadata_hash();
    let is_there = code.windows(hash.len()).any(|bytes| bytes == hash);
    assert_eq!(is_there, cfg!(feature = "metadata-hash"));
}

#[cfg(feature = "try-runtime")]
#[test]
fn an_upgrade_can_be_tried_on_the_first_state() {
    use frame_try_runtime::UpgradeCheckSelect;
    use frame_try_runtime::runtime_decl_for_try_runtime::TryRuntime;
    use sp_genesis_builder::runtime_decl_for_genesis_builder::GenesisBuilder;
    use sp_runtime::BuildStorage;

    let patch = Runtime::get_preset(&Some(sp_genesis_builder::DEV_RUNTIME_PRESET.into()));
    let patch =
        serde_json::from_slice(&patch.expect("there is a preset for development")).expect("it is JSON");
    let mut configuration = serde_json::to_value(hatchery_node_runtime::RuntimeGenesisConfig::default())
        .expect("the default configuration is JSON");
    lay_over(&mut configuration, patch);
    let configuration: hatchery_node_runtime::RuntimeGenesisConfig =
        serde_json::from_value(configuration).expect("with the preset it is a configuration too");
    let mut state =
        sp_io::TestExternalities::from(configuration.build_storage().expect("a state can be made of it"));
    state.execute_with(|| {
        let (used, most) = <Runtime as TryRuntime<hatchery_node_runtime::Block>>::on_runtime_upgrade(
            UpgradeCheckSelect::All,
        );
        assert!(used.all_lte(most), "an upgrade takes {used} of {most}");
    });
    // A state that breaks a promise is found out.
    state.execute_with(|| {
        pallet_virtualization::Removals::<Runtime>::insert(7, [7; 32]);
        let tried = std::panic::catch_unwind(|| {
            <Runtime as TryRuntime<hatchery_node_runtime::Block>>::on_runtime_upgrade(UpgradeCheckSelect::All)
        });
        let complaint = tried.expect_err("nobody noticed that a removal is outside the queue");
        let complaint = complaint.downcast_ref::<String>().expect("a panic with a message");
        // Which one is in the log.
        assert!(complaint.contains("Detected errors while executing `try_state` checks"), "{complaint}");
    });
}

#[cfg(feature = "try-runtime")]
fn lay_over(below: &mut serde_json::Value, above: serde_json::Value) {
    match (below, above) {
        (serde_json::Value::Object(below), serde_json::Value::Object(above)) => {
            for (key, value) in above {
                lay_over(below.entry(key).or_insert(serde_json::Value::Null), value);
            }
        }
        (below, above) => *below = above,
    }
}
