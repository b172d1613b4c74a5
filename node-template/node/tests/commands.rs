//! The subcommands, as processes.

mod common;

use common::{NODE, Result, Run, dev, output, path, run};
use hatchery_node_testing::{Builder, Chain, accounts, until};
use serde_json::{Value as Json, json};
use std::path::Path;

/// What `chain-info` says about the database of a chain in a folder.
fn info(chain: &str, base: &Path) -> Json {
    let info = output(&["chain-info", "--chain", chain, "--base-path", path(base)]);
    serde_json::from_str(&info).unwrap_or_else(|error| panic!("chain-info is no JSON: {error}: {info}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_are_exported_imported_reverted_and_purged() -> Result {
    // A chain with a few blocks, the last of which is not final, stopped in good order.
    let files = tempfile::tempdir().expect("a temporary folder");
    let base = files.path().to_owned();
    let node = dev().start_in(files)?;
    let chain = Chain::of(&node).await?;
    for byte in 0..3u8 {
        chain.submit(&accounts::alice(), "System", "remark", (vec![byte],)).await?.success()?;
    }
    chain.request::<Json>("engine_createBlock", json!([true, false])).await?;
    let best = chain.best().await?;
    let (hash, parent) = (chain.block_hash(best).await?, chain.block_hash(best - 1).await?);
    let root = chain.state_root(best).await?;
    drop(chain);
    let (status, files) = node.stop()?;
    assert!(status.success(), "the node ended with {status}");

    let blocks = base.join("blocks.bin");
    output(&["export-blocks", "--dev", "--base-path", path(&base), path(&blocks)]);
    let known = info("dev", &base);
    assert_eq!((&known["best_number"], &known["best_hash"]), (&json!(best), &json!(hash)), "{known}");
    assert_eq!(known["finalized_number"], json!(best - 1), "{known}");

    // Another node executes them and comes to the same state.
    let copy = tempfile::tempdir().expect("a temporary folder");
    output(&["import-blocks", "--dev", "--base-path", path(copy.path()), path(&blocks)]);
    output(&["check-block", "--dev", "--base-path", path(copy.path()), "1"]);
    let node = dev().argument("--seal=manual").start_in(copy)?;
    let chain = Chain::of(&node).await?;
    assert_eq!(chain.state_root(best).await?, root);
    drop(chain);
    drop(node);

    // What is final stays, however many blocks are to go.
    for blocks in ["1", "2"] {
        output(&["revert", "--dev", "--base-path", path(&base), blocks]);
        let left = info("dev", &base);
        assert_eq!((&left["best_number"], &left["best_hash"]), (&json!(best - 1), &json!(parent)), "{left}");
    }

    output(&["purge-chain", "--dev", "--base-path", path(&base), "-y"]);
    let nothing = info("dev", &base);
    assert_eq!(nothing["best_number"], json!(0), "the chain is still there: {nothing}");
    drop(files);
    Ok(())
}

/// A network of one's own as `docs/node.md` describes it: another validator than those that the specification had.
#[tokio::test(flavor = "multi_thread")]
async fn a_validator_with_keys_of_its_own_authors_finalizes_and_goes_back() -> Result {
    let files = tempfile::tempdir().expect("a temporary folder");
    let base = files.path().to_owned();
    let inspect = |scheme| {
        let key = output(&["key", "inspect", "--scheme", scheme, "--output-type", "json", "//Charlie"]);
        let key: Json = serde_json::from_str(&key).expect("a key is JSON");
        key["ss58PublicKey"].clone()
    };
    let spec = output(&["export-chain-spec", "--chain", "local"]);
    let mut spec: Json = serde_json::from_str(&spec).expect("a specification is JSON");
    spec["id"] = json!("own");
    let genesis = &mut spec["genesis"]["runtimeGenesis"]["patch"];
    assert_eq!(genesis["aura"]["authorities"].as_array().map(Vec::len), Some(2));
    assert_eq!(genesis["grandpa"]["authorities"].as_array().map(Vec::len), Some(2));
    genesis["aura"]["authorities"] = json!([inspect("sr25519")]);
    genesis["grandpa"]["authorities"] = json!([[inspect("ed25519"), 1]]);
    let [plain, chain] = ["own.json", "own-raw.json"].map(|name| base.join(name));
    std::fs::write(&plain, spec.to_string()).expect("the specification can be written");
    output(&["export-chain-spec", "--chain", path(&plain), "--raw", "--output", path(&chain)]);
    let of_chain = ["--chain", path(&chain), "--base-path", path(&base)];
    let peer = run(&[&["key", "generate-node-key"][..], &of_chain].concat());
    assert!(peer.status.success(), "{}", peer.stderr);
    for (kind, scheme) in [("aura", "sr25519"), ("gran", "ed25519")] {
        let key = ["key", "insert", "--key-type", kind, "--scheme", scheme, "--suri", "//Charlie"];
        output(&[&key[..], &of_chain].concat());
    }

    // Nobody votes, so no block is final.
    let validator = || Builder::new(NODE).argument("--chain").argument(path(&chain)).argument("--validator");
    let node = validator().argument("--no-grandpa").start_in(files)?;
    let client = Chain::of(&node).await?;
    let identity: String = client.request("system_localPeerId", json!([])).await?;
    assert!(peer.stderr.contains(&identity), "{identity} is not the key that was made: {}", peer.stderr);
    until("there are blocks", async || Ok((client.best().await? >= 2).then_some(()))).await?;
    drop(client);
    let (status, files) = node.stop()?;
    assert!(status.success(), "the node ended with {status}");
    let before = info(path(&chain), &base);
    assert_eq!(before["finalized_number"], json!(0), "{before}");
    let best = before["best_number"].as_u64().expect("a number");
    output(&[&["revert"][..], &of_chain, &["1"]].concat());
    let after = info(path(&chain), &base);
    assert_eq!(after["best_number"], json!(best - 1), "{after}");

    // With votes, what is there and what is added becomes final.
    let node = validator().start_in(files)?;
    Chain::of(&node).await?.wait_finalized(best).await
}

#[test]
fn specifications_keys_and_errors() {
    for (chain, name) in [("dev", "Development"), ("local", "Local")] {
        let spec = output(&["export-chain-spec", "--chain", chain]);
        let spec: serde_json::Value = serde_json::from_str(&spec).expect("a specification is JSON");
        assert_eq!(spec["name"], name);
        assert_eq!(spec["properties"]["tokenSymbol"], "HATCH");
    }
    let raw = output(&["export-chain-spec", "--chain", "local", "--raw"]);
    let raw: serde_json::Value = serde_json::from_str(&raw).expect("a raw specification is JSON");
    assert!(raw["genesis"]["raw"]["top"]["0x3a636f6465"].is_string(), "the genesis state has no `:code`");

    let key = output(&["key", "inspect", "//Alice"]);
    assert!(key.contains("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"), "{key}");

    for (arguments, expected) in [
        (&["--dev", "--virt-backend", "abacus"][..], "interpreter"),
        (&["--dev", "--seal", "often"], "milliseconds"),
        (&["--dev", "--virt-cache-size", "much"], "invalid"),
        (&["--chain", "/no/such/file.json"], "neither `dev` nor `local`"),
    ] {
        let Run { status, stderr, .. } = run(arguments);
        assert!(!status.success(), "{arguments:?} is accepted");
        assert!(stderr.contains(expected), "{arguments:?}: `{expected}` is not in:\n{stderr}");
    }
}
