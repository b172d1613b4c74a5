//! A development chain, as a process over RPC.

mod common;

use common::{Result, dev};
use hatchery_node_testing::walkthrough::{self, Silent};
use hatchery_node_testing::{Chain, Contract, Limits, Weight, accounts, guests, stranger, until};
use serde_json::{Value as Json, json};

/// Calls of the test for leaks.
const CALLS: u64 = 1_000;

#[tokio::test(flavor = "multi_thread")]
async fn what_the_demo_shows_is_true() -> Result {
    let node = dev().start()?;
    let chain = Chain::of(&node).await?;
    let summary = walkthrough::walk(&node, &chain, &mut Silent).await?;
    assert!(summary.checks >= 20, "the walk checks less than it did: {}", summary.checks);
    let (status, _files) = node.stop()?;
    assert!(status.success(), "the node ended with {status}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_calls_leave_no_machine_and_no_memory_behind() -> Result {
    let node = dev().argument("--seal=manual").argument("--pool-limit=4096").start()?;
    let chain = Chain::of(&node).await?;
    until("the first block is there", async || Ok((chain.best().await? >= 1).then_some(()))).await?;

    // Manual blocks: what is sent waits until a block is asked for.
    let user = accounts::alice();
    let seal = async || chain.request::<Json>("engine_createBlock", json!([true, true])).await;
    let sealing = async || -> Result {
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            seal().await?;
        }
    };
    let deploying = async {
        let (code, _) = Contract::upload(&chain, &user, guests::TALLY).await?;
        Contract::instantiate(&chain, &user, code, [0; 32], &[]).await
    };
    let (contract, _) = tokio::select! {
        Err(error) = sealing() => return Err(error),
        deployed = deploying => deployed?,
    };

    let limits =
        Limits { gas: Weight { ref_time: 20_000_000_000, proof_size: 1 << 20 }, ..Limits::default() };
    let rounds = async |calls: u64| -> Result {
        let account = user.public_key().to_account_id();
        let first = chain.next_nonce(&account).await?;
        for nonce in first..first + calls {
            // Two in three do what they should, one traps.
            let export = if nonce % 3 == 0 { "increment_and_panic" } else { "increment" };
            contract.send(&chain, &user, nonce, export, &[], limits).await?;
        }
        until("all calls are in blocks", async || {
            seal().await?;
            let pending: Vec<String> = chain.request("author_pendingExtrinsics", json!([])).await?;
            Ok(pending.is_empty().then_some(()))
        })
        .await?;
        Ok(())
    };

    // What is allocated once and for all is there after the first calls.
    rounds(CALLS / 5).await?;
    let (blocks_before, memory_before) = (chain.best().await?, node.resident_bytes()?);
    rounds(CALLS).await?;
    let blocks = chain.best().await? - blocks_before;
    let grown = node.resident_bytes()?.saturating_sub(memory_before);

    let metrics = node.metrics()?;
    let calls = metrics.sum("virtualization_calls_total").unwrap_or_default();
    assert!(calls >= CALLS as f64, "{calls} calls were counted, and {CALLS} were made");
    assert_eq!(metrics.sum("virtualization_instances"), Some(0.0), "instances were left over");
    assert_eq!(metrics.sum("virtualization_host_failures_total"), Some(0.0));
    assert!(metrics.sum("virtualization_cache_modules") <= Some(1.0), "one program was used");
    assert!(blocks <= 60, "{CALLS} calls took {blocks} blocks: they were to be many a block");
    // A machine that leaked would cost at least its pages: a stack of 64 KiB.
    assert!(grown < CALLS * 64 * 1024, "memory grew by {grown} bytes in {CALLS} calls");
    let count = walkthrough::count(&chain, &contract).await?;
    assert!(count >= CALLS * 2 / 3, "the contract counted to {count}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_serves_others_answers_dry_runs_and_no_traces() -> Result {
    let node = dev().argument("--rpc-methods=safe").start()?;
    let chain = Chain::of(&node).await?;
    let user = accounts::alice().public_key().to_account_id().to_string();
    let call = json!([{"origin": user, "instance": user, "export": "increment"}]);
    let answer: Json = chain.request("virtualization_dryRun", call.clone()).await?;
    assert_eq!(answer["success"], json!(false), "{answer}");
    let refusal = chain.refusal("virtualization_trace", call).await?;
    assert!(refusal.message.contains("unsafe"), "a trace is refused with: {}", refusal.message);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_extrinsics_and_parameters_get_clear_errors() -> Result {
    let node = dev().start()?;
    let chain = Chain::of(&node).await?;
    let user = accounts::alice().public_key().to_account_id().to_string();

    // Extrinsics: no bytes, no extrinsic, and a call of a pallet that does not exist.
    for (bytes, expected) in
        [("0x", "decode"), ("0x00", "decode"), ("0x0c04ff00", "decode"), ("not hex", "hex")]
    {
        let refusal = chain.refusal("author_submitExtrinsic", json!([bytes])).await?;
        let message = refusal.message.to_lowercase();
        assert!(
            message.contains(expected) || message.contains("invalid"),
            "`{bytes}` is refused with: {}",
            refusal.message
        );
    }

    // An extrinsic whose signer has nothing to pay the fee with.
    let poor = stranger([9; 32]);
    let error = chain.submit(&poor, "System", "remark", (vec![1u8],)).await.unwrap_err().to_string();
    assert!(error.contains("fee") || error.contains("pay"), "who cannot pay is told: {error}");

    // Parameters of the node's own methods.
    let call = |change: Json| {
        let mut call = json!({"origin": user, "instance": user, "export": "increment"});
        call.as_object_mut().expect("an object").extend(change.as_object().cloned().unwrap_or_default());
        json!([call])
    };
    for (params, expected) in [
        (json!([]), "no more params"),
        (json!([1]), "invalid type"),
        (json!([{"origin": user, "instance": user}]), "missing field `export`"),
        (call(json!({"instance": "5Grwva"})), "invalid"),
        (call(json!({"gasLimit": 5})), "invalid type"),
        (call(json!({"value": "0x1000000000000000000000000000000000"})), "128 bits"),
        (call(json!({"input": "abc"})), "begin with `0x`"),
        (call(json!({"input": "0xabc"})), "invalid hexadecimal"),
        (call(json!({"gas": 1})), "unknown field `gas`"),
    ] {
        for method in ["virtualization_dryRun", "virtualization_trace"] {
            let refusal = chain.refusal(method, params.clone()).await?;
            assert_eq!(refusal.code, -32602, "{method} {params}: {}", refusal.message);
            assert!(
                refusal.message.to_lowercase().contains(&expected.to_lowercase()),
                "{method} {params} is refused with: {}",
                refusal.message
            );
        }
    }
    let nowhere = format!("0x{}", "77".repeat(32));
    let mut params = call(json!({}));
    params.as_array_mut().expect("an array").push(json!(nowhere));
    let refusal = chain.refusal("virtualization_dryRun", params).await?;
    assert!(refusal.message.contains("no block"), "an unknown block: {}", refusal.message);

    // An account that is no instance: the runtime's own answer.
    let answer: Json = chain.request("virtualization_dryRun", call(json!({}))).await?;
    assert_eq!(answer["success"], json!(false));
    assert_eq!(answer["failure"]["cause"], json!("InstanceNotFound"), "{answer}");

    // The node goes on.
    let committed = chain.submit(&accounts::bob(), "System", "remark", (vec![2u8],)).await?;
    assert_eq!(committed.error, None);
    Ok(())
}
