//! Jobs, which run when blocks are idle.

use crate::{Chain, Committed, Error, Event, Weight};
use subxt::dynamic::Value;
use subxt::utils::H256;
use subxt_signer::sr25519::Keypair;

const PALLET: &str = "Virtualization";

/// A job that was started.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its number.
    pub id: u128,
    /// Held for it when it was started.
    pub held: u128,
    /// The extrinsic that started it.
    pub started: Committed,
}

impl Job {
    /// Starts a job of a program.
    ///
    /// # Errors
    /// If the extrinsic is not finalized or fails.
    pub async fn start(
        chain: &Chain,
        owner: &Keypair,
        code_hash: H256,
        export: &[u8],
        input: &[u8],
        gas_per_slice: Weight,
        max_slices: u32,
    ) -> Result<Self, Error> {
        let target = Value::unnamed_variant("Code", [Value::from_bytes(code_hash.0)]);
        let arguments = (target, export.to_vec(), input.to_vec(), gas_per_slice, max_slices);
        let started = chain.submit(owner, PALLET, "start_job", arguments).await?.success()?;
        let event = started.event(PALLET, "JobStarted")?;
        let number = |field: &str| {
            event.number(field).ok_or_else(|| Error::Answer(format!("JobStarted has no {field}")))
        };
        let (id, held) = (number("job")?, number("deposit")? + number("prepaid")?);
        Ok(Self { id, held, started })
    }

    /// What a block has done for it, if it had a slice there: `JobAdvanced`, `JobDelayed`, `JobFinished` or `JobFailed`.
    ///
    /// # Errors
    /// If the node does not answer, or does not know the block.
    pub async fn slice_in(&self, chain: &Chain, block: H256) -> Result<Option<Event>, Error> {
        let mut events = chain.events_of(block).await?;
        events.retain(|event| {
            event.pallet == PALLET
                && event.name.starts_with("Job")
                && event.name != "JobStarted"
                && event.number("job") == Some(self.id)
        });
        Ok(events.pop())
    }
}
