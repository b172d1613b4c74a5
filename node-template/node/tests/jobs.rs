//! A job goes on after the node has restarted, and comes to the same wherever the chain, or its state, is taken.

mod common;

use common::{Result, dev, output, path};
use hatchery_node_testing::{Chain, Contract, Error, Event, Job, Weight, accounts, guests, subxt, within};
use serde_json::{Value as Json, json};
use subxt::utils::H256;

const LIMIT: u64 = 1_000_000;
const PRIMES_BELOW_LIMIT: u64 = 78_498;
const MOST_SLICES: u32 = 60;

/// Makes a block, and tells what it has done for the job.
async fn next_slice(chain: &Chain, job: &Job) -> Result<(H256, Event)> {
    within("a block", async {
        let made: Json = chain.request("engine_createBlock", json!([true, true])).await?;
        let block = serde_json::from_value(made["hash"].clone())
            .map_err(|error| Error::Answer(format!("{made} has no hash: {error}")))?;
        let event = job.slice_in(chain, block).await?;
        Ok((block, event.ok_or_else(|| Error::Answer(format!("the job had no slice in {block:?}")))?))
    })
    .await
}

/// Makes blocks until the job has ended. Gives the last one, what it has done, and how many there were.
async fn finish(chain: &Chain, job: &Job) -> Result<(H256, Event, u32)> {
    for blocks in 1..=MOST_SLICES {
        let (block, event) = next_slice(chain, job).await?;
        if event.name != "JobAdvanced" {
            return Ok((block, event, blocks));
        }
    }
    Err(Error::Answer(format!("the job has not ended after {MOST_SLICES} blocks")))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_survives_a_restart_and_is_the_same_for_who_takes_the_chain_or_its_state() -> Result {
    let files = tempfile::tempdir().expect("a temporary folder");
    let base = files.path().to_owned();
    let node = dev().start_in(files)?;
    let chain = Chain::of(&node).await?;
    let (code_hash, _) = Contract::upload(&chain, &accounts::alice(), guests::PRIMES).await?;
    let gas = Weight { ref_time: 15_000_000_000, proof_size: 0 };
    let input = LIMIT.to_le_bytes();
    let job = Job::start(&chain, &accounts::alice(), code_hash, b"primes", &input, gas, MOST_SLICES).await?;
    let (_, event) = next_slice(&chain, &job).await?;
    assert_eq!(event.name, "JobAdvanced", "{event}");

    // In mid-job the power fails, without a goodbye.
    drop(chain);
    let files = node.kill()?;
    let state = output(&["export-state", "--dev", "--base-path", path(&base)]);
    let node = dev().start_in(files)?;
    let chain = Chain::of(&node).await?;
    let (block, finished, blocks) = finish(&chain, &job).await?;
    assert_eq!(finished.name, "JobFinished", "{finished}");
    assert_eq!(finished.bytes("output").as_deref(), Some(&PRIMES_BELOW_LIMIT.to_le_bytes()[..]));
    assert!(blocks > 1, "nothing was left to do after the restart");
    let best = chain.best().await?;
    assert_eq!(chain.block_hash(best).await?, Some(block));
    let root = chain.state_root(best).await?;
    drop(chain);
    let (status, files) = node.stop()?;
    assert!(status.success(), "the node ended with {status}");

    // A node that only imports the blocks executes all slices without a restart, and comes to the same result and state.
    let exported = base.join("blocks.bin");
    output(&["export-blocks", "--dev", "--base-path", path(&base), path(&exported)]);
    let copy = tempfile::tempdir().expect("a temporary folder");
    output(&["import-blocks", "--dev", "--base-path", path(copy.path()), path(&exported)]);
    let node = dev().argument("--seal=manual").start_in(copy)?;
    let chain = Chain::of(&node).await?;
    assert_eq!(chain.block_hash(best).await?, Some(block), "the hash of a block has its state's root");
    assert_eq!(chain.state_root(best).await?, root);
    let there = job.slice_in(&chain, block).await?.expect("the last slice is there, too");
    assert_eq!(there.to_string(), finished.to_string());
    drop((chain, node));

    // A chain that begins with the state in mid-job goes on with the job.
    let spec = base.join("state.json");
    std::fs::write(&spec, state).expect("the folder can be written");
    let node = dev().argument("--seal=manual").argument(&format!("--chain={}", path(&spec))).start()?;
    let chain = Chain::of(&node).await?;
    let (_, there, again) = finish(&chain, &job).await?;
    assert_eq!((there.to_string(), again), (finished.to_string(), blocks));
    drop(files);
    Ok(())
}
