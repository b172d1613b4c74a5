//! One slice of a job.

use super::{
    Config, JobFailure, JobId, JobOf, MAX_JOB_OUTPUT, Progress, StoredState,
    state::{self, PendingCall},
    trie_id,
};
use crate::{
    CodeInfos, WeightInfo,
    execution::{Context, JobEnd, Pricing, run_job},
    runtime_api::Cause,
};
use codec::{DecodeAll as _, Encode as _};
use frame_support::{storage::with_storage_layer, weights::Weight};
use hatchery_primitives::{Restored, SnapshotParts};

/// Runs a slice, in a storage layer of its own. Gives what came of it and the weight that the guest used.
pub(super) fn run<T: Config>(id: JobId, job: &JobOf<T>) -> (Result<Progress, JobFailure>, Weight) {
    let length = CodeInfos::<T>::get(job.code_hash).map_or(0, |code| code.length);
    let compilation = T::WeightInfo::compile(length);
    let mut no_debug = None;
    let mut context = Context::<T>::new(
        job.owner.clone(),
        compilation.saturating_add(job.gas_per_slice),
        None,
        Pricing::Cold,
        &mut no_debug,
    );
    let result = with_storage_layer(|| advance(id, job, &mut context).map_err(SliceError::Job));
    let result = result.map_err(|error| match error {
        SliceError::Job(failure) => failure,
        SliceError::NoLayer => JobFailure::Guest(Cause::CallDepthExceeded),
    });
    // Compilation is part of what every slice costs.
    (result, context.meter.consumed.saturating_sub(compilation))
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
    let before = state::load(&trie_id);
    let input = state::input(&trie_id);
    let export = state::export(&trie_id);
    let (parts, pending) = match before {
        Some(StoredState { parts, pending }) => (Some(parts), pending),
        None => (None, None),
    };
    let resume = |module: &hatchery_primitives::Module| -> Result<Option<Restored>, JobFailure> {
        let Some(parts) = &parts else { return Ok(None) };
        module.restore(&parts.encode()).map(Some).map_err(|_| JobFailure::NotRestored)
    };
    let pending = pending.map(|PendingCall { symbol, arguments }| (symbol, arguments));
    match run_job(context, &job.owner, job.code_hash, &export, input, resume, pending)? {
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
