//! A development chain, as a process over RPC.

mod common;

use codec::DecodeAll;
use common::{Result, dev};
use hatchery_node_runtime::{AccountId, RuntimeEvent};
use hatchery_node_testing::subxt::dynamic::Value;
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

/// Who is answered sees the first block, and what is signed for it, and for a time only, is valid: the pool knows it by then.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_answers_takes_extrinsics() -> Result {
    let node = dev().start()?;
    let chain = Chain::of(&node).await?;
    assert_eq!(chain.best().await?, 1);
    chain.submit(&accounts::alice(), "System", "remark", (vec![1u8],)).await?.success()?;
    assert_eq!(chain.best().await?, 2);
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
async fn dry_runs_and_traces_tell_what_a_call_does() -> Result {
    let node = dev().start()?;
    let chain = Chain::of(&node).await?;
    a_dry_run_tells_what_the_call_then_does(&chain).await?;
    a_trace_says_where_a_guest_trapped_and_what_it_asked_for(&chain).await?;
    a_runtime_that_does_not_answer_is_an_error(&chain).await
}

async fn a_dry_run_tells_what_the_call_then_does(chain: &Chain) -> Result {
    const VALUE: u128 = 1_000_000_000_000;
    let user = accounts::bob();
    let account = user.public_key().to_account_id();
    let (code, _) = Contract::upload(chain, &user, guests::SCRIPT).await?;
    let (contract, _) = Contract::instantiate(chain, &user, code, [0; 32], &[]).await?;
    // Sets an item of ten bytes, emits three bytes, prints two and returns the item.
    let script = [
        &[1, 1, b'k', 7][..],
        &10u32.to_le_bytes(),
        &[6, 0, 9],
        &3u32.to_le_bytes(),
        &[11, 2, b'h', b'i'],
        &[3, 1, b'k', 0],
    ]
    .concat();
    let call = |change: Json| {
        let mut call = json!({
            "origin": account.to_string(),
            "instance": contract.address.to_string(),
            "export": "run",
            "input": format!("0x{}", hex::encode(&script)),
            "value": format!("{VALUE:#x}"),
        });
        call.as_object_mut().expect("an object").extend(change.as_object().cloned().unwrap_or_default());
        json!([call])
    };
    let dry_run = async |change: Json| chain.request::<Json>("virtualization_dryRun", call(change)).await;

    let answer = dry_run(json!({})).await?;
    assert_eq!(answer["success"], json!(true), "{answer}");
    assert_eq!((&answer["error"], &answer["failure"]), (&Json::Null, &Json::Null), "{answer}");
    assert_eq!(answer["output"], json!(format!("0x010a000000{}", "07".repeat(10))), "{answer}");
    let printed = json!([{"instance": contract.address.to_string(), "message": "hi"}]);
    assert_eq!(answer["debug"], printed, "{answer}");
    let deposit = |name: &str| -> u128 {
        let amount = answer["deposits"][name].as_str().and_then(|amount| amount.parse().ok());
        amount.unwrap_or_else(|| panic!("`{name}` is no decimal number in a string: {answer}"))
    };
    let held = deposit("held");
    assert!(held > 0, "{answer}");
    assert_eq!((deposit("peak"), deposit("released"), deposit("releasedToOthers")), (held, 0, 0), "{answer}");
    let weight = |name: &str| -> Weight {
        let part =
            |part: &str| answer[name][part].as_u64().unwrap_or_else(|| panic!("no `{name}`: {answer}"));
        Weight { ref_time: part("ref_time"), proof_size: part("proof_size") }
    };
    let [consumed, required, limit] = ["gasConsumed", "gasRequired", "gasLimit"].map(weight);
    for [less, more] in [
        [consumed.ref_time, required.ref_time],
        [required.ref_time, limit.ref_time],
        [consumed.proof_size, required.proof_size],
        [required.proof_size, limit.proof_size],
    ] {
        assert!(0 < less && less <= more, "{answer}");
    }
    let events: Vec<RuntimeEvent> = answer["events"]
        .as_array()
        .expect("events are a list")
        .iter()
        .map(|event| {
            let digits = event.as_str().and_then(|event| event.strip_prefix("0x")).expect("hexadecimal");
            RuntimeEvent::decode_all(&mut hex::decode(digits).expect("digits").as_slice()).expect("an event")
        })
        .collect();
    let address = AccountId::from(contract.address.0);
    let emitted = pallet_virtualization::Event::Emitted { instance: address.clone(), data: vec![9; 3] };
    assert!(events.contains(&RuntimeEvent::Virtualization(emitted)), "{events:?}");
    assert!(
        events.iter().any(|event| matches!(event,
            RuntimeEvent::Balances(pallet_balances::Event::Transfer { to, amount: VALUE, .. }) if *to == address)),
        "{events:?}"
    );

    // However an amount is written, it is the same.
    for value in [json!(VALUE as u64), json!(VALUE.to_string())] {
        assert_eq!(dry_run(json!({"value": value})).await?, answer, "{value}");
    }
    let trace: Json = chain.request("virtualization_trace", call(json!({}))).await?;
    for (field, value) in answer.as_object().expect("an object") {
        assert_eq!(&trace[field], value, "{field}");
    }

    // What it tells to be enough is enough, and less of a deposit is not.
    let limits = json!({"storageDepositLimit": held.to_string(), "gasLimit": answer["gasRequired"]});
    let enough = dry_run(limits).await?;
    assert_eq!((&enough["success"], &enough["gasLimit"]), (&json!(true), &answer["gasRequired"]), "{enough}");
    for limit in [json!((held - 1) as u64), json!(format!("{:#x}", held - 1))] {
        let refused = dry_run(json!({"storageDepositLimit": limit})).await?;
        assert_eq!(refused["failure"]["cause"], json!("DepositLimitExceeded"), "{refused}");
    }
    let before = chain.account(&account).await?;
    let arguments = (contract.address.0, b"run".to_vec(), VALUE, script.clone(), required, Some(held));
    let called = chain.submit(&user, "Virtualization", "call", arguments).await?.success()?;
    assert_eq!(called.event("Virtualization", "Emitted")?.bytes("data").as_deref(), Some(&[9; 3][..]));
    let after = chain.account(&account).await?;
    assert_eq!(after.reserved - before.reserved, held);
    assert_eq!(before.free - after.free, held + VALUE + called.fee);
    Ok(())
}

async fn a_trace_says_where_a_guest_trapped_and_what_it_asked_for(chain: &Chain) -> Result {
    let user = accounts::alice();
    let origin = user.public_key().to_account_id().to_string();
    let deploy = async |code: &[u8]| -> Result<String> {
        let (code, _) = Contract::upload(chain, &user, code).await?;
        let (contract, _) = Contract::instantiate(chain, &user, code, [0; 32], &[]).await?;
        Ok(contract.address.to_string())
    };
    let (tally, traps) = (deploy(guests::TALLY).await?, deploy(guests::TRAPS).await?);
    let named = deploy(guests::TRAPS_WITH_NAMES).await?;
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
    assert_eq!(trap["frames"], Json::Null, "{trap}");
    assert_eq!(call["syscalls"], json!([]));

    // With it, it is the function.
    let call = trace(&named, "load_low").await?;
    let trap = &call["trap"];
    let function = trap["frames"][0]["function"].as_str().unwrap_or_default();
    assert!(function.contains("::memory::load_low"), "{trap}");
    assert_eq!(trap["symbol"], json!(function), "{trap}");
    assert_eq!(trap["address"], json!(0xffff), "{trap}");

    let call = trace(&tally, "increment_and_panic").await?;
    assert_eq!(call["trap"]["address"], Json::Null, "a panic accesses no memory: {call}");
    let syscalls = call["syscalls"].as_array().map(Vec::as_slice).unwrap_or_default();
    let symbols: Vec<&str> = syscalls.iter().filter_map(|syscall| syscall["symbol"].as_str()).collect();
    assert_eq!(symbols, ["storage_get_v1", "storage_set_v1", "debug_print_v1"]);
    Ok(())
}

/// The chain can do nothing any more after this.
async fn a_runtime_that_does_not_answer_is_an_error(chain: &Chain) -> Result {
    let root = accounts::alice();
    let account = root.public_key().to_account_id();
    let no_code = Value::named_variant("set_code_without_checks", [("code", Value::from_bytes([0; 8]))]);
    let call = Value::unnamed_variant("System", [no_code]);
    let before = chain.best().await?;
    chain.send(&root, chain.next_nonce(&account).await?, "Sudo", "sudo", (call,)).await?;
    until("the chain has lost its runtime", async || Ok((chain.best().await? > before).then_some(())))
        .await?;
    let user = account.to_string();
    let call = json!([{"origin": user, "instance": user, "export": "increment"}]);
    for method in ["virtualization_dryRun", "virtualization_trace"] {
        let refusal = chain.refusal(method, call.clone()).await?;
        assert_eq!(refusal.code, 8002, "{}", refusal.message);
        assert!(refusal.message.contains("the runtime did not answer"), "{}", refusal.message);
    }
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
        (json!([1]), "invalid type: integer `1`, expected `call`, an object"),
        (json!([{"origin": user, "instance": user}]), "missing field `export`"),
        (call(json!({"origin": 5})), "`origin`: invalid type"),
        (call(json!({"instance": "5Grwva"})), "`instance`: "),
        (call(json!({"export": null})), "`export`: invalid type"),
        (call(json!({"value": "0x1000000000000000000000000000000000"})), "`value`: "),
        (call(json!({"value": 1e40})), "`value`: "),
        (call(json!({"value": -1})), "`value`: -1 is no whole number of at most 128 bits"),
        (call(json!({"value": "ff"})), "`value`: "),
        (call(json!({"input": "abc"})), "`input`: bytes begin with `0x`"),
        (call(json!({"input": "0xabc"})), "`input`: invalid hexadecimal"),
        (call(json!({"gasLimit": 5})), "`gasLimit`: invalid type"),
        (call(json!({"storageDepositLimit": true})), "`storageDepositLimit`: true is no whole number"),
        (call(json!({"gas": 1})), "unknown field `gas`"),
        (json!([call(json!({}))[0], "0x77"]), "`at`: invalid length"),
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
