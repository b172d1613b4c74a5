//! The subcommands, as processes.

mod common;

use common::{Result, Run, dev, output, path, run};
use hatchery_node_testing::{Chain, accounts};

#[tokio::test(flavor = "multi_thread")]
async fn blocks_are_exported_imported_reverted_and_purged() -> Result {
    // A chain with a few blocks, stopped in good order.
    let files = tempfile::tempdir().expect("a temporary folder");
    let base = files.path().to_owned();
    let node = dev().start_in(files)?;
    let chain = Chain::of(&node).await?;
    for byte in 0..3u8 {
        chain.submit(&accounts::alice(), "System", "remark", (vec![byte],)).await?.success()?;
    }
    let best = chain.best().await?;
    let root = chain.state_root(best).await?;
    drop(chain);
    let (status, files) = node.stop()?;
    assert!(status.success(), "the node ended with {status}");

    let blocks = base.join("blocks.bin");
    output(&["export-blocks", "--dev", "--base-path", path(&base), path(&blocks)]);
    let info = output(&["chain-info", "--dev", "--base-path", path(&base)]);
    assert!(info.contains(&format!("{best}")), "the database's best block is not {best}: {info}");

    // Another node executes them and comes to the same state.
    let copy = tempfile::tempdir().expect("a temporary folder");
    output(&["import-blocks", "--dev", "--base-path", path(copy.path()), path(&blocks)]);
    output(&["check-block", "--dev", "--base-path", path(copy.path()), "1"]);
    let node = dev().argument("--seal=manual").start_in(copy)?;
    let chain = Chain::of(&node).await?;
    assert_eq!(chain.state_root(best).await?, root);
    drop(chain);
    drop(node);

    output(&["purge-chain", "--dev", "--base-path", path(&base), "-y"]);
    let info = output(&["chain-info", "--dev", "--base-path", path(&base)]);
    assert!(!info.contains(&format!("{root:?}")), "the chain is still there: {info}");
    drop(files);
    Ok(())
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
