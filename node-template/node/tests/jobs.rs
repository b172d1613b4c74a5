//! A job goes on after the node has restarted, and comes to the same wherever the chain is executed.

mod common;

use common::{NODE, Result, dev};
use hatchery_node_testing::{Chain, Contract, Event, Job, Weight, accounts, guests, subxt};
use std::path::Path;
use std::process::Command;
use subxt::utils::H256;

const LIMIT: u64 = 1_000_000;
const PRIMES_BELOW_LIMIT: u64 = 78_498;

/// Runs a subcommand of the node.
fn run(arguments: &[&str]) {
    let output = Command::new(NODE).args(arguments).output().expect("the node's program starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {}\n{stderr}", output.status);
}

fn path(path: &Path) -> &str {
    path.to_str().expect("temporary paths are UTF-8")
}

/// Makes a block, and tells what it has done for the job.
async fn next_slice(chain: &Chain, job: &Job) -> Result<(H256, Event)> {
    let remark = chain.submit(&accounts::alice(), "System", "remark", (b"tick".to_vec(),)).await?;
    let block = remark.success()?.block;
    let event = job.slice_in(chain, block).await?.expect("a job has a slice in each block that is idle");
    Ok((block, event))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_survives_a_restart_and_is_the_same_for_who_imports_the_chain() -> Result {
    let files = tempfile::tempdir().expect("a temporary folder");
    let base = files.path().to_owned();
    let node = dev().start_in(files)?;
    let chain = Chain::of(&node).await?;
    let (code_hash, _) = Contract::upload(&chain, &accounts::alice(), guests::PRIMES).await?;
    let gas = Weight { ref_time: 15_000_000_000, proof_size: 0 };
    let input = LIMIT.to_le_bytes();
    let job = Job::start(&chain, &accounts::alice(), code_hash, b"primes", &input, gas, 60).await?;
    let (_, event) = next_slice(&chain, &job).await?;
    assert_eq!(event.name, "JobAdvanced", "{event}");

    // In mid-job the power fails, without a goodbye; what is not on the disk is lost, but no finalized block.
    drop(chain);
    let files = node.kill()?;
    let node = dev().start_in(files)?;
    let chain = Chain::of(&node).await?;
    let mut slices = 0;
    let (block, finished) = loop {
        let (block, event) = next_slice(&chain, &job).await?;
        slices += 1;
        if event.name != "JobAdvanced" || slices > 60 {
            break (block, event);
        }
    };
    assert_eq!(finished.name, "JobFinished", "{finished}");
    assert_eq!(finished.bytes("output").as_deref(), Some(&PRIMES_BELOW_LIMIT.to_le_bytes()[..]));
    assert!(slices > 1, "nothing was left to do after the restart");
    let best = chain.best().await?;
    assert_eq!(chain.block_hash(best).await?, Some(block));
    let root = chain.state_root(best).await?;
    drop(chain);
    let (status, files) = node.stop()?;
    assert!(status.success(), "the node ended with {status}");

    // A node that only imports the blocks executes all slices without a restart, and comes to the same result and state.
    let blocks = base.join("blocks.bin");
    run(&["export-blocks", "--dev", "--base-path", path(&base), path(&blocks)]);
    let copy = tempfile::tempdir().expect("a temporary folder");
    run(&["import-blocks", "--dev", "--base-path", path(copy.path()), path(&blocks)]);
    let node = dev().argument("--seal=manual").start_in(copy)?;
    let chain = Chain::of(&node).await?;
    assert_eq!(chain.block_hash(best).await?, Some(block), "the hash of a block has its state's root");
    assert_eq!(chain.state_root(best).await?, root);
    let there = job.slice_in(&chain, block).await?.expect("the last slice is there, too");
    assert_eq!(there.to_string(), finished.to_string());
    drop(files);
    Ok(())
}
