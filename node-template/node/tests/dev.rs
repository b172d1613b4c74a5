//! A development chain, as a process over RPC.

mod common;

use common::{Result, dev};
use hatchery_node_testing::subxt::utils::AccountId32;
use hatchery_node_testing::walkthrough::{self, Silent};
use hatchery_node_testing::{
    Chain, CodeInfo, Contract, InstanceInfo, Limits, Weight, accounts, guests, stranger, until,
};
use serde_json::{Value as Json, json};

/// Calls of the test for leaks.
const CALLS: u64 = 1_000;

/// Calls that are sent before blocks are made of them.
const BATCH: u64 = 250;

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
        // The pool keeps no more than 409 whose predecessors it has not seen.
        for _ in 0..calls / BATCH {
            let first = chain.nonce(&account).await?;
            for nonce in first..first + BATCH {
                // Two in three do what they should, one traps.
                let export = if nonce % 3 == 0 { "increment_and_panic" } else { "increment" };
                contract.send(&chain, &user, nonce, export, &[], limits).await?;
            }
            until("all calls are in blocks", async || {
                if chain.nonce(&account).await? < first + BATCH {
                    // Refused while the pool has not noticed that there is anything for a block.
                    let _ = chain.request::<Json>("engine_createBlock", json!([false, true])).await;
                    return Ok(None);
                }
                // What is sent before the pool has looked at the last block can wait for ever for its predecessors, which are there.
                let pending: Vec<String> = chain.request("author_pendingExtrinsics", json!([])).await?;
                Ok(pending.is_empty().then_some(()))
            })
            .await?;
        }
        Ok(())
    };

    // What is allocated once and for all is there after the first calls.
    rounds(CALLS / 2).await?;
    let (blocks_before, memory_before) = (chain.best().await?, node.resident_bytes()?);
    rounds(CALLS).await?;
    let blocks = chain.best().await? - blocks_before;
    let grown = node.resident_bytes()?.saturating_sub(memory_before);

    let metrics = node.metrics()?;
    let calls = metrics.sum("virtualization_calls_total").unwrap_or_default();
    assert!(calls >= CALLS as f64, "{calls} calls were counted, and {CALLS} were made");
    assert_eq!(metrics.sum("virtualization_instances"), Some(0.0), "instances were left over");
    assert_eq!(metrics.sum("virtualization_host_failures_total"), Some(0.0));
    assert_eq!(metrics.sum("virtualization_cache_modules"), Some(1.0), "one program was used");
    assert!(blocks <= 40, "{CALLS} calls took {blocks} blocks: they were to be many a block");
    // A machine that leaked would cost at least two pages: of its stack, and what describes it.
    println!("{CALLS} calls in {blocks} blocks; memory grew by {grown} bytes");
    assert!(grown < CALLS * 8192, "memory grew by {grown} bytes in {CALLS} calls");
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
    assert_eq!(refusal.code, -32601);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_into_a_block_is_in_the_next_ones() -> Result {
    let node = dev().start()?;
    let chain = Chain::of(&node).await?;
    let user = accounts::alice();
    let (code, _) = Contract::upload(&chain, &user, guests::TALLY).await?;
    let owner = AccountId32(user.public_key().0);
    let mut info = CodeInfo { owner, references: 0, length: guests::TALLY.len() as u32 };
    assert_eq!(Contract::code_info(&chain, code).await?, Some(info.clone()));
    let (contract, _) = Contract::instantiate(&chain, &user, code, [0; 32], &[]).await?;
    info.references = 1;
    assert_eq!(Contract::code_info(&chain, code).await?, Some(info));
    assert_eq!(contract.info(&chain).await?, Some(InstanceInfo { owner, code_hash: code }));
    let nobody = Contract { address: owner, code_hash: code };
    assert_eq!(nobody.info(&chain).await?, None);
    assert_eq!(Contract::code_info(&chain, [1; 32].into()).await?, None);

    // Each really takes half of what a block has for extrinsics, and all are there before the first is in a block.
    let gas = Weight { ref_time: 350_000_000_000, proof_size: 1 << 40 };
    let account = user.public_key().to_account_id();
    let (before, first) = (chain.best().await?, chain.next_nonce(&account).await?);
    for nonce in first..first + 5 {
        let limits = Limits { gas, ..Limits::default() };
        contract.send(&chain, &user, nonce, "increment_forever", &[], limits).await?;
    }
    until("nothing waits any more", async || Ok((chain.nonce(&account).await? == first + 5).then_some(())))
        .await?;
    let blocks = chain.best().await? - before;
    assert!(blocks >= 3, "all were in {blocks} blocks");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_says_where_a_guest_trapped_and_what_it_asked_for() -> Result {
    let node = dev().start()?;
    let chain = Chain::of(&node).await?;
    let user = accounts::alice();
    let origin = user.public_key().to_account_id().to_string();
    let deploy = async |code: &[u8]| -> Result<String> {
        let (code, _) = Contract::upload(&chain, &user, code).await?;
        let (contract, _) = Contract::instantiate(&chain, &user, code, [0; 32], &[]).await?;
        Ok(contract.address.to_string())
    };
    let (tally, traps) = (deploy(guests::TALLY).await?, deploy(guests::TRAPS).await?);
    let trace = async |instance: &str, export: &str| -> Result<Json> {
        let call = json!([{"origin": origin, "instance": instance, "export": export}]);
        let trace: Json = chain.request("virtualization_trace", call.clone()).await?;
        assert_eq!(trace["calls"].as_array().map(Vec::len), Some(1), "one call was made: {trace}");
        assert_eq!(trace["calls"][0]["end"], json!("trapped"), "{trace}");
        assert_eq!((&trace["omittedSyscalls"], &trace["omittedCalls"]), (&json!(0), &json!(0)));
        let dry_run: Json = chain.request("virtualization_dryRun", call).await?;
        for field in ["error", "failure", "gasConsumed", "debug"] {
            assert_eq!(trace[field], dry_run[field], "{field}");
        }
        Ok(trace["calls"][0].clone())
    };

    // Without debug information a symbol is the nearest export before.
    let call = trace(&traps, "load_null").await?;
    let trap = &call["trap"];
    assert!(trap["symbol"].as_str().is_some_and(|symbol| symbol.starts_with("load_null")), "{trap}");
    assert_eq!(trap["address"], json!(0), "{trap}");
    assert!(trap["pc"].is_u64() && trap["kind"].is_string(), "{trap}");
    assert_eq!(call["syscalls"], json!([]));

    let call = trace(&tally, "increment_and_panic").await?;
    assert_eq!(call["trap"]["address"], Json::Null, "a panic accesses no memory: {call}");
    let syscalls = call["syscalls"].as_array().map(Vec::as_slice).unwrap_or_default();
    let symbols: Vec<&str> = syscalls.iter().filter_map(|syscall| syscall["symbol"].as_str()).collect();
    assert_eq!(symbols, ["storage_get_v1", "storage_set_v1", "debug_print_v1"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_whose_state_is_gone_is_said_to_have_none() -> Result {
    // A node keeps the states of 256 finalized blocks unless it is told otherwise.
    let node = dev().argument("--state-pruning=16").start()?;
    let chain = Chain::of(&node).await?;
    until("the genesis block is out of reach", async || {
        chain.request::<Json>("engine_createBlock", json!([true, true])).await?;
        Ok((chain.best().await? >= 24).then_some(()))
    })
    .await?;
    let genesis = chain.block_hash(0).await?.expect("every chain has it");
    let user = accounts::alice().public_key().to_account_id().to_string();
    let call = json!({"origin": user, "instance": user, "export": "increment"});
    let refusal = chain.refusal("virtualization_dryRun", json!([call, format!("{genesis:?}")])).await?;
    assert_eq!(refusal.code, 8001, "{}", refusal.message);
    assert!(refusal.message.contains("no state"), "{}", refusal.message);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_extrinsics_and_parameters_get_clear_errors() -> Result {
    let node = dev().start()?;
    let chain = Chain::of(&node).await?;
    let user = accounts::alice().public_key().to_account_id().to_string();

    // Extrinsics: no bytes, no extrinsic, and a call of a pallet that does not exist.
    for (bytes, code, expected) in [
        ("0x", 1040, "could not decode"),
        ("0x00", 1002, "bad input data"),
        ("0x0c04ff00", 1002, "bad input data"),
        ("not hex", -32602, "hex"),
    ] {
        let refusal = chain.refusal("author_submitExtrinsic", json!([bytes])).await?;
        assert_eq!(refusal.code, code, "`{bytes}` is refused with: {}", refusal.message);
        let message = refusal.message.to_lowercase();
        assert!(message.contains(expected), "`{bytes}` is refused with: {}", refusal.message);
    }

    // Extrinsics that are not, or no longer, what their signer signed.
    let signer = accounts::bob();
    let sign = async |nonce| chain.signed(&signer, nonce, "System", "remark", (vec![1u8],)).await;
    let good = sign(0).await?;
    let last = good.chars().next_back().expect("it has digits");
    let forged = format!("{}{}", &good[..good.len() - 1], if last == '0' { '1' } else { '0' });
    let refusal = chain.refusal("author_submitExtrinsic", json!([forged])).await?;
    assert_eq!(
        (refusal.code, refusal.message.contains("bad signature")),
        (1010, true),
        "{}",
        refusal.message
    );
    chain.request::<Json>("author_submitExtrinsic", json!([good])).await?;
    until("the remark is in a block", async || {
        Ok((chain.nonce(&signer.public_key().to_account_id()).await? == 1).then_some(()))
    })
    .await?;
    for again in [good, sign(0).await?] {
        let refusal = chain.refusal("author_submitExtrinsic", json!([again])).await?;
        assert!(
            refusal.message.contains("outdated") || refusal.message.contains("banned"),
            "{}",
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
    assert_eq!(refusal.code, 8001);

    // An account that is no instance: the runtime's own answer.
    let answer: Json = chain.request("virtualization_dryRun", call(json!({}))).await?;
    assert_eq!(answer["success"], json!(false));
    assert_eq!(answer["failure"]["cause"], json!("InstanceNotFound"), "{answer}");

    // The node goes on.
    let committed = chain.submit(&accounts::bob(), "System", "remark", (vec![2u8],)).await?;
    assert_eq!(committed.error, None);
    Ok(())
}
