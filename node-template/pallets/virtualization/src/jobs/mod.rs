//! Jobs: computations that last longer than a block.
//!
//! A job is a call of a program that needs nothing but its input: no instance, no storage, no value. It runs in slices, when blocks are
//! idle, and between two slices its snapshot is stored. `docs/pallet.md` has the rules.

mod slice;
mod state;

use crate::{
    BalanceOf, CodeHash, CodeInfos, Config, Error, Event, HoldReason, JobCount, JobQueue, Jobs, Pallet,
    TrieId, WeightInfo,
    deposits::{deposit_for, hold, release},
    requests::length,
    runtime_api::Cause,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
    ensure,
    traits::{
        Get,
        fungible::hold::Mutate as _,
        tokens::{Fortitude, Precision},
    },
    weights::{Weight, WeightMeter, WeightToFee as _},
};
use scale_info::TypeInfo;
use sp_runtime::{DispatchError, DispatchResult, Saturating as _, traits::Zero as _};
use state::StoredState;

/// The number of a job. No two jobs of a chain have the same.
pub type JobId = u64;

/// The syscalls that a job can make; those that touch an instance, its storage or its balance are not among them.
pub const JOB_SYSCALLS: [&str; 10] = [
    "block_number_v1",
    "caller_v1",
    "debug_print_v1",
    "gas_left_v1",
    "hash_blake2_128_v1",
    "hash_blake2_256_v1",
    "hash_keccak_256_v1",
    "input_v1",
    "return_value_v1",
    "revert_v1",
];

/// The longest result of a job, in bytes: it goes into an event.
pub const MAX_JOB_OUTPUT: usize = 1024;

/// A job, without what is in its child trie.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Job<AccountId, Balance> {
    /// Who started it and pays for it.
    pub owner: AccountId,
    /// Its program.
    pub code_hash: CodeHash,
    /// What the guest may use in a slice.
    pub gas_per_slice: Weight,
    /// How many slices it has had.
    pub slices: u32,
    /// How many it may have.
    pub max_slices: u32,
    /// What a slice costs at most.
    pub slice_price: Balance,
    /// Held from the owner for the slices to come.
    pub prepaid: Balance,
    /// Held from the owner for what is stored.
    pub deposit: Balance,
}

/// A [`Job`] of a runtime.
pub type JobOf<T> = Job<<T as frame_system::Config>::AccountId, BalanceOf<T>>;

/// Why a job ended without a result.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum JobFailure {
    /// The guest failed as a call fails. Out of gas: a slice does not suffice for its next step.
    Guest(Cause),
    /// It has had as many slices as were paid for.
    OutOfSlices,
    /// Its memory has come to differ from its program's in more than may be stored.
    SnapshotTooLarge,
    /// What it returned is longer than 1,024 bytes.
    OutputTooLong,
    /// Its snapshot is of other rules than the chain has now.
    NotRestored,
}

/// What a slice came to.
enum Progress {
    /// The job goes on.
    Suspended,
    /// It ended with this output.
    Finished(Vec<u8>),
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_start_job(
        owner: T::AccountId,
        code_hash: CodeHash,
        export: &[u8],
        input: &[u8],
        gas_per_slice: Weight,
        max_slices: u32,
    ) -> Result<JobId, DispatchError> {
        ensure!(max_slices > 0, Error::<T>::NoSlices);
        let code = CodeInfos::<T>::get(code_hash).ok_or(Error::<T>::CodeNotFound)?;
        let slice_weight = Self::slice_overhead(code.length).saturating_add(gas_per_slice);
        let most = T::JobsWeight::get().saturating_sub(Self::idle_jobs_weight());
        ensure!(slice_weight.all_lte(most), Error::<T>::SliceTooHeavy);
        let slice_price = T::JobPrice::weight_to_fee(&slice_weight);
        let prepaid = slice_price.saturating_mul(max_slices.into());
        let deposit = Self::job_deposit(length(export).saturating_add(length(input)));
        hold::<T>(HoldReason::Job, &owner, deposit).map_err(|_| Error::<T>::DepositUnaffordable)?;
        hold::<T>(HoldReason::JobSlices, &owner, prepaid).map_err(|_| Error::<T>::SlicesUnaffordable)?;
        Self::add_reference(code_hash)?;
        let id = JobCount::<T>::mutate(|count| {
            *count = count.saturating_add(1);
            *count
        });
        JobQueue::<T>::try_append(id).map_err(|()| Error::<T>::TooManyJobs)?;
        state::begin(&trie_id(id), export, input);
        let job = Job {
            owner: owner.clone(),
            code_hash,
            gas_per_slice,
            slices: 0,
            max_slices,
            slice_price,
            prepaid,
            deposit,
        };
        Jobs::<T>::insert(id, job);
        Self::deposit_event(Event::JobStarted { job: id, owner, code_hash, deposit, prepaid });
        Ok(id)
    }

    pub(crate) fn do_cancel_job(owner: &T::AccountId, id: JobId) -> DispatchResult {
        let job = Jobs::<T>::get(id).ok_or(Error::<T>::JobNotFound)?;
        ensure!(job.owner == *owner, Error::<T>::NotJobOwner);
        JobQueue::<T>::mutate(|queue| queue.retain(|other| *other != id));
        Self::end_job(id, &job);
        Self::deposit_event(Event::JobCancelled { job: id, slices: job.slices });
        Ok(())
    }

    /// Gives jobs a slice each, the one that has waited the longest first, and gives the weight that this took, at most `limit`. No
    /// job has two slices in a block.
    pub fn run_jobs(limit: Weight) -> Weight {
        let mut meter = WeightMeter::with_limit(limit);
        if meter.try_consume(Self::idle_jobs_weight()).is_err() {
            return Weight::zero();
        }
        let mut queue = JobQueue::<T>::get();
        if queue.is_empty() {
            return meter.consumed();
        }
        for _ in 0..queue.len() {
            let id = queue[0];
            let Some(mut job) = Jobs::<T>::get(id) else {
                queue.remove(0);
                continue;
            };
            let code_length = CodeInfos::<T>::get(job.code_hash).map_or(0, |code| code.length);
            let overhead = Self::slice_overhead(code_length);
            // Those behind it wait for it, so that a heavy one has its turn.
            if !meter.can_consume(overhead.saturating_add(job.gas_per_slice)) {
                break;
            }
            queue.remove(0);
            let (result, gas) = slice::run::<T>(id, &job);
            let weight = overhead.saturating_add(gas);
            meter.consume(weight);
            Self::pay_for_slice(&mut job, weight);
            let result = match result {
                Ok(Progress::Suspended) if job.slices == job.max_slices => Err(JobFailure::OutOfSlices),
                result => result,
            };
            match result {
                Ok(Progress::Suspended) => {
                    Self::deposit_event(Event::JobAdvanced { job: id, slices: job.slices });
                    Jobs::<T>::insert(id, job);
                    // One was taken out before.
                    let _ = queue.try_push(id);
                }
                Ok(Progress::Finished(output)) => {
                    Self::end_job(id, &job);
                    Self::deposit_event(Event::JobFinished { job: id, slices: job.slices, output });
                }
                Err(failure) => {
                    Self::end_job(id, &job);
                    Self::deposit_event(Event::JobFailed { job: id, slices: job.slices, failure });
                }
            }
        }
        JobQueue::<T>::put(queue);
        meter.consumed()
    }

    /// What is held for a job with so many bytes of input and name of its export, whatever it comes to store.
    pub fn job_deposit(bytes: u32) -> BalanceOf<T> {
        let record = JobOf::<T>::max_encoded_len() as u64;
        deposit_for::<T>(u64::from(T::MaxJobSnapshotLen::get()) + record + u64::from(bytes))
    }

    /// What a slice weighs besides the gas of its guest. It is priced as if nothing was known: the program is compiled, all pages that
    /// there may be are read and written, and the job ends.
    pub fn slice_overhead(code_length: u32) -> Weight {
        type W<T> = <T as Config>::WeightInfo;
        // An item of an instance takes more than a page: it has a deposit.
        let pages = u64::from(most_pages::<T>());
        let page = W::<T>::syscall_storage_get(PAGE)
            .saturating_add(W::<T>::syscall_storage_set(PAGE, PAGE))
            .saturating_add(W::<T>::clear_item());
        // A snapshot is hashed as it is taken and as it is restored, by a faster hash than the dearest.
        let hashes = W::<T>::syscall_hash(T::MaxJobSnapshotLen::get()).saturating_mul(2);
        W::<T>::compile(code_length)
            .saturating_add(W::<T>::call(T::MaxPayloadLen::get()))
            .saturating_add(W::<T>::syscall_storage_get(T::MaxPayloadLen::get()))
            .saturating_add(page.saturating_mul(pages))
            .saturating_add(hashes)
            .saturating_add(W::<T>::clear_trie())
            .saturating_add(W::<T>::remove_instance())
    }

    /// What it weighs to look for jobs.
    pub(crate) fn idle_jobs_weight() -> Weight {
        T::WeightInfo::clear_nothing().saturating_add(T::DbWeight::get().writes(1))
    }

    /// What cancelling a job weighs at most.
    pub(crate) fn cancel_job_weight() -> Weight {
        T::WeightInfo::remove_instance()
            .saturating_add(T::WeightInfo::clear_trie())
            .saturating_add(T::WeightInfo::clear_item().saturating_mul(u64::from(most_pages::<T>()) + 4))
    }

    fn pay_for_slice(job: &mut JobOf<T>, weight: Weight) {
        job.slices = job.slices.saturating_add(1);
        let price = T::JobPrice::weight_to_fee(&weight).min(job.slice_price).min(job.prepaid);
        let reason = HoldReason::JobSlices.into();
        let burnt =
            T::Currency::burn_held(&reason, &job.owner, price, Precision::BestEffort, Fortitude::Force);
        if burnt != Ok(price) {
            log::error!(target: crate::LOG_TARGET, "{price:?} for a slice of a job: {burnt:?} was there");
        }
        job.prepaid = job.prepaid.saturating_sub(price);
    }

    /// Forgets a job that is not in the queue, and gives back what is held for it.
    fn end_job(id: JobId, job: &JobOf<T>) {
        state::clear(&trie_id(id));
        release::<T>(HoldReason::Job, &job.owner, job.deposit);
        if !job.prepaid.is_zero() {
            release::<T>(HoldReason::JobSlices, &job.owner, job.prepaid);
        }
        Self::remove_reference(job.code_hash);
        Jobs::<T>::remove(id);
    }
}

/// Bytes of a page of memory.
const PAGE: u32 = 4096;

/// How many pages of a job's memory may differ from its program's.
fn most_pages<T: Config>() -> u32 {
    T::MaxJobSnapshotLen::get() / PAGE
}

/// Whether a job waits for gas to make a syscall.
#[cfg(test)]
pub(crate) fn has_pending_syscall(id: JobId) -> bool {
    state::load(&trie_id(id)).is_some_and(|state| state.pending.is_some())
}

/// The name of the child trie of a job.
pub(crate) fn trie_id(id: JobId) -> TrieId {
    sp_io::hashing::blake2_256(&(b"hatchery/job/1", id).encode())
}
