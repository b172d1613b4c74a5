//! Jobs: computations that last longer than a block.
//!
//! A job is a call that may take longer than a block: of a program, which has nothing but its input; of a tree of processes; or of an
//! instance, with its storage and its account. It runs in slices, when blocks are idle, and between two slices its snapshot is
//! stored. A slice ends where its gas does; but that of an instance only where the guest says so (`yield_v1`), since others use the
//! instance meanwhile. `docs/pallet.md` has the rules.

mod slice;
mod state;

use crate::{
    BalanceOf, CodeHash, CodeInfos, Config, Error, Event, HoldReason, Instances, JobCount, JobQueue, Jobs,
    Pallet, TrieId, WeightInfo,
    deposits::{deposit_for, hold, release},
    requests::length,
    runtime_api::{Cause, Limit},
};
use alloc::{collections::BTreeSet, vec::Vec};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
    BoundedVec, ensure,
    traits::{
        ConstU32, Get,
        fungible::hold::Mutate as _,
        tokens::{Fortitude, Precision},
    },
    weights::{Weight, WeightMeter, WeightToFee as _},
};
use hatchery_primitives::limits;
use scale_info::TypeInfo;
use sp_runtime::{DispatchError, DispatchResult, Saturating as _, traits::Zero as _};
use state::StoredState;

/// The number of a job. No two jobs of a chain have the same.
pub type JobId = u64;

/// The syscalls of a job without an instance; those that touch an instance, its storage or its balance are not among them.
pub const JOB_SYSCALLS: [&str; 11] = [
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
    "yield_v1",
];

/// The longest result of a job, in bytes: it goes into an event.
pub const MAX_JOB_OUTPUT: usize = 1024;

/// The most programs that the processes of a job can start.
pub const MAX_JOB_PROGRAMS: u32 = 16;

/// What starting a process, or replacing its program, costs a guest at least (`docs/processes.md`).
const GAS_OF_PROCESS: u64 = 20_000;

/// How many processes of a tree a chain can allow to live at a time.
const MOST_PROCESSES: u32 = 64;

/// The name of a program among those that the processes of a job can start: any 64 bytes at most.
pub type ProgramIdentifier = BoundedVec<u8, ConstU32<64>>;

/// What a job runs.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum JobTarget<AccountId, Balance> {
    /// A program, which has nothing but its input.
    #[codec(index = 0)]
    Code(CodeHash),
    /// An instance, with its storage and its account. The owner of the job is who calls it, and pays for what it stores. If a slice
    /// has not enough gas to come to the end of the call, or to where the guest yields, it is undone and the job fails.
    #[codec(index = 1)]
    Instance {
        /// The instance.
        instance: AccountId,
        /// The most that may be held from the owner for items, at any time, on top of the job's own deposit; while the job
        /// runs, what is left of that. None: no limit.
        storage_deposit_limit: Option<Balance>,
    },
    /// A tree of processes, which have nothing but their input and one another.
    #[codec(index = 2)]
    Processes {
        /// The program of the root.
        root: CodeHash,
        /// The programs that processes can start, and their identifiers, which have to differ.
        programs: BoundedVec<(ProgramIdentifier, CodeHash), ConstU32<MAX_JOB_PROGRAMS>>,
    },
}

/// The programs of a job.
pub type JobPrograms = BoundedVec<CodeHash, ConstU32<{ MAX_JOB_PROGRAMS + 1 }>>;

/// A [`JobTarget`] of a runtime.
pub type JobTargetOf<T> = JobTarget<<T as frame_system::Config>::AccountId, BalanceOf<T>>;

/// A job, without what is in its child trie.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Job<AccountId, Balance> {
    /// Who started it and pays for it.
    pub owner: AccountId,
    /// What it runs.
    pub target: JobTarget<AccountId, Balance>,
    /// The child trie that its instance had when the job was started; none if it has no instance. An instance that was made again at
    /// the same address has another, and is not what the job was started for.
    pub trie_id: Option<TrieId>,
    /// Its programs, the first one the root's. They cannot be removed while it lasts.
    pub codes: JobPrograms,
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
    /// The guest failed as a call fails. Out of gas: a slice does not suffice for its next step, or, of an instance, for the way to
    /// where it yields.
    Guest(Cause),
    /// It has had as many slices as were paid for.
    OutOfSlices,
    /// Its memory has come to differ from its program's in more than may be stored.
    SnapshotTooLarge,
    /// What it returned is longer than 1,024 bytes.
    OutputTooLong,
    /// Its snapshot is of other rules than the chain has now.
    NotRestored,
    /// All its processes wait for one another.
    Deadlock,
    /// A slice has come to weigh more than a block spends on jobs.
    SliceTooHeavy,
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
        target: JobTargetOf<T>,
        export: &[u8],
        input: &[u8],
        gas_per_slice: Weight,
        max_slices: u32,
    ) -> Result<JobId, DispatchError> {
        ensure!(max_slices > 0, Error::<T>::NoSlices);
        let (codes, instance_trie_id) = Self::needs_of(&target)?;
        let slice_weight = Self::overhead_of(&target, &codes, gas_per_slice)?.saturating_add(gas_per_slice);
        ensure!(slice_weight.all_lte(Self::heaviest_slice()), Error::<T>::SliceTooHeavy);
        let slice_price = T::JobPrice::weight_to_fee(&slice_weight);
        let prepaid = slice_price.saturating_mul(max_slices.into());
        let deposit = Self::job_deposit(length(export).saturating_add(length(input)));
        hold::<T>(HoldReason::Job, &owner, deposit).map_err(|_| Error::<T>::DepositUnaffordable)?;
        hold::<T>(HoldReason::JobSlices, &owner, prepaid).map_err(|_| Error::<T>::SlicesUnaffordable)?;
        for code_hash in &codes {
            Self::add_reference(*code_hash)?;
        }
        let code_hash = codes[0];
        let id = JobCount::<T>::mutate(|count| {
            *count = count.saturating_add(1);
            *count
        });
        JobQueue::<T>::try_append(id).map_err(|()| Error::<T>::TooManyJobs)?;
        state::begin(&trie_id(id), export, input);
        let job = Job {
            owner: owner.clone(),
            target,
            trie_id: instance_trie_id,
            codes,
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
        if meter.try_consume(Self::queue_weight()).is_err() {
            return Weight::zero();
        }
        let mut queue = JobQueue::<T>::get();
        // For the job that is read and then has to wait.
        if queue.is_empty() || meter.try_consume(Self::head_weight()).is_err() {
            return meter.consumed();
        }
        for _ in 0..queue.len() {
            let id = queue[0];
            let Some(mut job) = Jobs::<T>::get(id) else {
                queue.remove(0);
                continue;
            };
            let weight_of = |job: &JobOf<T>, gas: Weight| {
                // Its programs are there as long as it is.
                let overhead = Self::overhead_of(&job.target, &job.codes, gas).unwrap_or(Weight::zero());
                overhead.saturating_add(gas)
            };
            let heaviest = weight_of(&job, job.gas_per_slice);
            if !meter.can_consume(heaviest) {
                // Those behind it wait for it, so that a heavy one has its turn; but not for one that never has, because slices have come
                // to weigh more, or blocks to have less for them, since it was started.
                let is_to_wait = heaviest.all_lte(Self::heaviest_slice());
                if is_to_wait || meter.try_consume(Self::cancel_job_weight()).is_err() {
                    break;
                }
                queue.remove(0);
                Self::fail_job(id, &job, JobFailure::SliceTooHeavy);
                continue;
            }
            queue.remove(0);
            let (result, gas) = slice::run::<T>(id, &mut job);
            let weight = weight_of(&job, gas);
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
                Err(JobFailure::Guest(Cause::LimitReached(limit)))
                    if is_of_block(limit) && job.slices < job.max_slices =>
                {
                    Self::deposit_event(Event::JobDelayed { job: id, slices: job.slices, limit });
                    Jobs::<T>::insert(id, job);
                    let _ = queue.try_push(id);
                }
                Err(failure) => Self::fail_job(id, &job, failure),
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

    /// What a slice weighs besides the gas of its guest, for programs of these lengths and pages. It is priced as if nothing was
    /// known: the programs are compiled, so many machines of the largest are made, which touch all their memory, or which are looked at
    /// for what has changed in it, an input of the greatest length and all pages that may be stored are read, the pages are written, and
    /// the job ends.
    pub fn slice_overhead(programs: &[(u32, u32)], machines: u64) -> Weight {
        let most_pages_of_program = programs.iter().map(|(_, pages)| *pages).max().unwrap_or(0);
        let memory = T::WeightInfo::memory(most_pages_of_program).saturating_mul(machines);
        // `job_slice` is measured with an empty input; that of a job is in a child trie, as items are.
        let input = T::WeightInfo::syscall_storage_get(T::MaxPayloadLen::get())
            .saturating_sub(T::WeightInfo::syscall_storage_get(0));
        let slice = T::WeightInfo::job_slice(most_pages::<T>()).saturating_add(memory).saturating_add(input);
        programs.iter().fold(slice, |sum, (length, _)| {
            let reference = T::DbWeight::get().reads_writes(1, 1);
            sum.saturating_add(T::WeightInfo::compile(*length)).saturating_add(reference)
        })
    }

    /// [`Self::slice_overhead`] of a job whose guest uses so much.
    fn overhead_of(target: &JobTargetOf<T>, codes: &[CodeHash], gas: Weight) -> Result<Weight, Error<T>> {
        let program = |code_hash: &CodeHash| {
            let info = CodeInfos::<T>::get(code_hash).ok_or(Error::<T>::CodeNotFound)?;
            Ok((info.length, info.pages))
        };
        let programs = codes.iter().map(program).collect::<Result<Vec<_>, Error<T>>>()?;
        let machines = match target {
            JobTarget::Code(_) | JobTarget::Instance { .. } => 2,
            // Those that live when the slice begins, those that are started in it, and, at its end, those that are looked at.
            JobTarget::Processes { .. } => {
                let living = limits().map_or(MOST_PROCESSES, |limits| limits.most_processes);
                2 * u64::from(living) + gas.ref_time() / T::RefTimePerGas::get().max(1) / GAS_OF_PROCESS
            }
        };
        Ok(Self::slice_overhead(&programs, machines).saturating_add(Self::record_weight(target)))
    }

    /// What it weighs to read the record of a job's instance, if it has one: measured is the reading of what an account has. Writing it
    /// is paid for by the guest.
    fn record_weight(target: &JobTargetOf<T>) -> Weight {
        match target {
            JobTarget::Instance { .. } => T::WeightInfo::syscall_balance(),
            JobTarget::Code(_) | JobTarget::Processes { .. } => Weight::zero(),
        }
    }

    /// What a job needs for as long as it lasts: its programs, the first one the root's, and the child trie of its instance.
    fn needs_of(target: &JobTargetOf<T>) -> Result<(JobPrograms, Option<TrieId>), Error<T>> {
        let mut codes = BoundedVec::new();
        let mut trie_id = None;
        match target {
            JobTarget::Code(code_hash) => codes.force_push(*code_hash),
            JobTarget::Instance { instance, .. } => {
                let info = Instances::<T>::get(instance).ok_or(Error::<T>::InstanceNotFound { depth: 0 })?;
                codes.force_push(info.code_hash);
                trie_id = Some(info.trie_id);
            }
            JobTarget::Processes { root, programs } => {
                let identifiers: BTreeSet<_> = programs.iter().map(|(identifier, _)| identifier).collect();
                ensure!(identifiers.len() == programs.len(), Error::<T>::DuplicateIdentifier);
                codes.force_push(*root);
                programs.iter().for_each(|(_, code_hash)| codes.force_push(*code_hash));
            }
        }
        Ok((codes, trie_id))
    }

    /// What it weighs to look for jobs, and at the one that is first.
    pub(crate) fn idle_jobs_weight() -> Weight {
        Self::queue_weight().saturating_add(Self::head_weight())
    }

    fn queue_weight() -> Weight {
        T::WeightInfo::clear_nothing().saturating_add(T::DbWeight::get().writes(1))
    }

    /// A job, and the records of its programs.
    fn head_weight() -> Weight {
        T::WeightInfo::clear_nothing().saturating_mul(u64::from(MAX_JOB_PROGRAMS) + 2)
    }

    /// The most that a slice can weigh in a block that has nothing else.
    fn heaviest_slice() -> Weight {
        T::JobsWeight::get().saturating_sub(Self::idle_jobs_weight())
    }

    /// What starting a job weighs.
    pub(crate) fn start_job_weight(target: &JobTargetOf<T>, input_length: u32) -> Weight {
        let others = match target {
            JobTarget::Code(_) | JobTarget::Instance { .. } => 0,
            JobTarget::Processes { programs, .. } => programs.len() as u64,
        };
        let reference = T::DbWeight::get().reads_writes(2, 1).saturating_mul(others);
        T::WeightInfo::start_job(input_length)
            .saturating_add(reference)
            .saturating_add(Self::record_weight(target))
    }

    /// What cancelling a job weighs at most.
    pub(crate) fn cancel_job_weight() -> Weight {
        let references = T::DbWeight::get().reads_writes(1, 1).saturating_mul(MAX_JOB_PROGRAMS.into());
        T::WeightInfo::cancel_job(most_pages::<T>()).saturating_add(references)
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

    /// Ends a job that is not in the queue without a result.
    fn fail_job(id: JobId, job: &JobOf<T>, failure: JobFailure) {
        Self::end_job(id, job);
        Self::deposit_event(Event::JobFailed { job: id, slices: job.slices, failure });
    }

    /// Forgets a job that is not in the queue, and gives back what is held for it.
    fn end_job(id: JobId, job: &JobOf<T>) {
        state::clear(&trie_id(id));
        release::<T>(HoldReason::Job, &job.owner, job.deposit);
        if !job.prepaid.is_zero() {
            release::<T>(HoldReason::JobSlices, &job.owner, job.prepaid);
        }
        for code_hash in &job.codes {
            Self::remove_reference(*code_hash);
        }
        Jobs::<T>::remove(id);
    }
}

/// Whether others in a block may have used up what is limited, so that the next block has it again.
fn is_of_block(limit: Limit) -> bool {
    match limit {
        Limit::Programs | Limit::Machines | Limit::Pages | Limit::Nesting => true,
        Limit::CodeBytes | Limit::MemoryBytes | Limit::SnapshotBytes => false,
    }
}

/// Bytes of a page of memory.
pub(crate) const PAGE: u32 = 4096;

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
