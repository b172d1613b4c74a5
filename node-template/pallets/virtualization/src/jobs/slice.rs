//! One slice of a job.

use super::{
    Config, JobFailure, JobId, JobOf, JobTarget, MAX_JOB_OUTPUT, Progress, StoredState,
    state::{self, PendingCall},
    trie_id,
};
use crate::{
    execution::{Context, JobEnd, Pricing, Slice, run_job},
    runtime_api::Cause,
};
use codec::{DecodeAll as _, Encode as _};
use frame_support::{storage::with_storage_layer, weights::Weight};
use hatchery_primitives::SnapshotParts;
use sp_runtime::Saturating as _;

/// Runs a slice, in a storage layer of its own. Gives what came of it and the weight that the guest used.
pub(super) fn run<T: Config>(id: JobId, job: &mut JobOf<T>) -> (Result<Progress, JobFailure>, Weight) {
    let deposit_limit = match &job.target {
        JobTarget::Instance { storage_deposit_limit, .. } => *storage_deposit_limit,
        JobTarget::Code(_) | JobTarget::Processes { .. } => None,
    };
    let mut no_debug = None;
    // The guest's own limit is set when it begins.
    let mut context =
        Context::<T>::new(job.owner.clone(), Weight::MAX, deposit_limit, Pricing::Cold, &mut no_debug);
    let result = with_storage_layer(|| advance(id, job, &mut context).map_err(SliceError::Job));
    let result = result.map_err(|error| match error {
        SliceError::Job(failure) => failure,
        SliceError::NoLayer => JobFailure::Guest(Cause::CallDepthExceeded),
    });
    if result.is_ok()
        && let JobTarget::Instance { storage_deposit_limit: Some(limit), .. } = &mut job.target
    {
        let totals = context.deposits.totals;
        *limit = limit.saturating_add(totals.released).saturating_sub(totals.held);
    }
    (result, context.meter.consumed)
}

/// Why nothing of a slice stays.
enum SliceError {
    Job(JobFailure),
    NoLayer,
}

impl From<sp_runtime::DispatchError> for SliceError {
    fn from(_: sp_runtime::DispatchError) -> Self {
        Self::NoLayer
    }
}

fn advance<T: Config>(
    id: JobId,
    job: &JobOf<T>,
    context: &mut Context<'_, T>,
) -> Result<Progress, JobFailure> {
    let trie_id = trie_id(id);
    let (parts, pending) = match state::load(&trie_id) {
        Some(StoredState { parts, pending }) => (Some(parts), pending),
        None => (None, None),
    };
    let slice = Slice {
        export: state::export(&trie_id),
        input: state::input(&trie_id),
        snapshot: parts.as_ref().map(SnapshotParts::encode),
        pending: pending.map(|PendingCall { symbol, arguments }| (symbol, arguments)),
    };
    match run_job(context, job, slice)? {
        JobEnd::Finished(output) if output.len() > MAX_JOB_OUTPUT => Err(JobFailure::OutputTooLong),
        JobEnd::Finished(output) => Ok(Progress::Finished(output)),
        JobEnd::Suspended { snapshot, pending } => {
            let now =
                SnapshotParts::decode_all(&mut &snapshot[..]).map_err(|_| JobFailure::SnapshotTooLarge)?;
            let pending = pending.map(|(symbol, arguments)| PendingCall { symbol, arguments });
            if state::store::<T>(&trie_id, parts.as_ref(), now, pending) {
                Ok(Progress::Suspended)
            } else {
                Err(JobFailure::SnapshotTooLarge)
            }
        }
    }
}
