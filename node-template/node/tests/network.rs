//! Several nodes with real networking: Aura and GRANDPA.

mod common;

use common::{NODE, Result};
use hatchery_node_testing::walkthrough::count;
use hatchery_node_testing::{Builder, Chain, Contract, Limits, Node, Weight, accounts, guests, until};

/// Calls that wait while a validator is to author some: more than fit into the blocks in which it does.
const CALLS: u64 = 24;

const INTERPRETER: &str = "--virt-backend=interpreter";

/// What executes native code, where the engine can make any.
const RECOMPILER: &str = if HAS_RECOMPILER { "--virt-backend=recompiler" } else { INTERPRETER };

/// What executes everything twice and compares.
const VERIFY: &str = if HAS_RECOMPILER { "--virt-backend=verify" } else { INTERPRETER };

const HAS_RECOMPILER: bool = cfg!(all(target_arch = "x86_64", target_os = "linux"));

/// The two validators of the local chain, connected: one with the interpreter, one with the recompiler.
async fn validators() -> Result<(Node, Chain, Node, Chain)> {
    let alice = Builder::new(NODE).local("--alice").argument(INTERPRETER).start()?;
    let alice_chain = Chain::of(&alice).await?;
    let bootnode = alice_chain.network_address().await?;
    let bob = Builder::new(NODE).local("--bob").bootnode(&bootnode).argument(RECOMPILER).start()?;
    let bob_chain = Chain::of(&bob).await?;
    until("the validators are connected", async || {
        Ok((alice_chain.peers().await? >= 1 && bob_chain.peers().await? >= 1).then_some(()))
    })
    .await?;
    Ok((alice, alice_chain, bob, bob_chain))
}

#[tokio::test(flavor = "multi_thread")]
async fn validators_finalize_calls_and_who_comes_later_reaches_the_same_state() -> Result {
    let (alice, alice_chain, _bob, bob_chain) = validators().await?;

    // Calls that succeed, trap and run out of gas, sent to both.
    let user = accounts::charlie();
    let (code, _) = Contract::upload(&alice_chain, &user, guests::TALLY).await?;
    let (contract, _) = Contract::instantiate(&bob_chain, &user, code, [1; 32], &[]).await?;
    let call = contract.call(&bob_chain, &user, "increment", &[], Limits::default()).await?.success()?;
    let trapped = contract.call(&alice_chain, &user, "increment_and_panic", &[], Limits::default()).await?;
    assert!(trapped.error.as_deref().unwrap_or_default().contains("Trapped"), "{:?}", trapped.error);
    let gas = Weight { ref_time: 20_000_000_000, proof_size: 1 << 20 };
    let limits = Limits { gas, ..Limits::default() };
    let spent = contract.call(&bob_chain, &user, "increment_forever", &[], limits).await?;
    assert!(spent.error.as_deref().unwrap_or_default().contains("OutOfGas"), "{:?}", spent.error);
    let call_block = alice_chain.number_of(call.block).await?;
    let last = alice_chain.number_of(spent.block).await?;
    assert!(last > call_block);

    // Both have the same blocks, and with them the same state roots and fees, and the calls' are finalized.
    bob_chain.wait_finalized(last).await?;
    for number in 1..=last {
        assert_eq!(
            alice_chain.block_hash(number).await?,
            bob_chain.block_hash(number).await?,
            "the validators differ in block {number}"
        );
    }

    // A third node executes all of it again, with both backends in lock-step.
    let bootnode = alice_chain.network_address().await?;
    let third = Builder::new(NODE)
        .local("--name=third")
        .bootnode(&bootnode)
        .argument(VERIFY)
        .argument("--sync=full")
        .start()?;
    let third_chain = Chain::of(&third).await?;
    third_chain.wait_finalized(last).await?;
    assert_eq!(third_chain.state_root(last).await?, alice_chain.state_root(last).await?);
    assert_eq!(count(&third_chain, &contract).await?, 1);
    let metrics = third.metrics()?;
    assert!(
        metrics.sum("virtualization_calls_total") >= Some(3.0),
        "the third node has the state without having executed the calls"
    );
    assert_eq!(metrics.sum("virtualization_host_failures_total"), Some(0.0), "the backends differ");
    drop(alice);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_validator_that_is_killed_while_it_authors_calls_comes_back_and_finality_goes_on() -> Result {
    let (alice, alice_chain, bob, bob_chain) = validators().await?;
    let user = accounts::dave();
    let (code, _) = Contract::upload(&alice_chain, &user, guests::TALLY).await?;
    let (contract, made) = Contract::instantiate(&alice_chain, &user, code, [2; 32], &[]).await?;
    bob_chain.wait_finalized(alice_chain.number_of(made.block).await?).await?;

    // Bob is killed in the midst of calls that he authors: every other one counts, of the others two fit into a block. The pool gets more
    // of them until he has authored some, however long he takes for a block.
    let account = user.public_key().to_account_id();
    let constructed = |bob: &Node| -> Result<(f64, f64)> {
        let metrics = bob.metrics()?;
        let of = |name| metrics.sum(name).unwrap_or_default();
        Ok((
            of("substrate_proposer_block_constructed_count"),
            of("substrate_proposer_number_of_transactions"),
        ))
    };
    let first = bob_chain.next_nonce(&account).await?;
    let forever =
        Limits { gas: Weight { ref_time: 300_000_000_000, proof_size: 1 << 40 }, ..Limits::default() };
    let (before, _) = constructed(&bob)?;
    let mut sent = 0;
    until("Bob has authored a block of calls", async || {
        let included = bob_chain.nonce(&account).await? - first;
        while sent < included + CALLS {
            let nonce = first + sent;
            contract.send(&bob_chain, &user, nonce, "increment", &[], Limits::default()).await?;
            contract.send(&bob_chain, &user, nonce + 1, "increment_forever", &[], forever).await?;
            sent += 2;
        }
        // One extrinsic of each block is the time.
        let (blocks, extrinsics) = constructed(&bob)?;
        Ok((blocks > before && extrinsics > 1.0 && included > 0).then_some(()))
    })
    .await?;
    until("Alice has all calls, too", async || {
        Ok((alice_chain.next_nonce(&account).await? == first + sent).then_some(()))
    })
    .await?;
    let included = bob_chain.nonce(&account).await?;
    assert!(included < first + sent, "all calls were in blocks before Bob was killed");
    let files = bob.kill()?;
    let stopped_at = alice_chain.finalized().await?;

    // With one of two validators nothing is final any more; with both again, everything is.
    let bootnode = alice_chain.network_address().await?;
    let bob = Builder::new(NODE).local("--bob").bootnode(&bootnode).argument(RECOMPILER).start_in(files)?;
    let bob_chain = Chain::of(&bob).await?;
    let goal = stopped_at + 4;
    alice_chain.wait_finalized(goal).await?;
    bob_chain.wait_finalized(goal).await?;
    assert_eq!(alice_chain.block_hash(goal).await?, bob_chain.block_hash(goal).await?);

    // No call is lost, and none counted twice.
    for chain in [&alice_chain, &bob_chain] {
        until("all calls are in blocks", async || {
            Ok((chain.nonce(&account).await? == first + sent).then_some(()))
        })
        .await?;
        chain.wait_finalized(chain.best().await?).await?;
        assert_eq!(count(chain, &contract).await?, sent / 2);
    }

    // Bob takes calls again.
    let call = contract.call(&bob_chain, &user, "increment", &[], Limits::default()).await?.success()?;
    let number = bob_chain.number_of(call.block).await?;
    alice_chain.wait_finalized(number).await?;
    assert_eq!(alice_chain.state_root(number).await?, bob_chain.state_root(number).await?);
    assert_eq!(count(&alice_chain, &contract).await?, sent / 2 + 1);
    drop(alice);
    Ok(())
}
