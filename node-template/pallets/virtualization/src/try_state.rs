//! What holds between what is stored, always.

use crate::{
    BalanceOf, CodeInfos, Codes, Config, HoldReason, Instances, JobCount, JobQueue, JobTarget, Jobs, Pallet,
    RemovalQueue, Removals, StorageDeposits, TrieId,
    items::{ItemOf, child_trie},
    requests::length,
    runtime_api::StorageUsage,
};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use codec::Encode as _;
use frame_support::{ensure, storage::child, traits::fungible::InspectHold as _};
use sp_runtime::{Saturating as _, TryRuntimeError, traits::Zero as _};

/// Deposits by depositor; accounts are ordered by their encoding.
type Sums<T> = BTreeMap<Vec<u8>, (<T as frame_system::Config>::AccountId, BalanceOf<T>)>;

impl<T: Config> Pallet<T> {
    /// Checks that programs, instances, items, deposits and holds belong together.
    pub(crate) fn do_try_state() -> Result<(), TryRuntimeError> {
        let mut held = Holds::<T>::default();
        check_code::<T>(&mut held)?;
        check_jobs::<T>(&mut held)?;
        let tries = check_instances::<T>(&mut held)?;
        check_removals::<T>(&tries)?;
        for (_, depositor, amount) in StorageDeposits::<T>::iter() {
            ensure!(!amount.is_zero(), "an entry of StorageDeposits is zero");
            add::<T>(&mut held.storage, &depositor, amount);
        }
        held.check()
    }
}

/// What should be held from whom, by reason.
struct Holds<T: Config> {
    code: Sums<T>,
    instance: Sums<T>,
    storage: Sums<T>,
    job: Sums<T>,
    job_slices: Sums<T>,
}

impl<T: Config> Default for Holds<T> {
    fn default() -> Self {
        let none = Sums::<T>::new;
        Self { code: none(), instance: none(), storage: none(), job: none(), job_slices: none() }
    }
}

impl<T: Config> Holds<T> {
    /// Compares with the holds of every account that there is.
    fn check(&self) -> Result<(), TryRuntimeError> {
        let reasons = [
            (HoldReason::Code, &self.code),
            (HoldReason::Instance, &self.instance),
            (HoldReason::Storage, &self.storage),
            (HoldReason::Job, &self.job),
            (HoldReason::JobSlices, &self.job_slices),
        ];
        for (reason, sums) in reasons {
            for (account, sum) in sums.values() {
                ensure!(
                    T::Currency::balance_on_hold(&reason.into(), account) == *sum,
                    "a hold differs from the sum of the deposits that it is for"
                );
            }
            for account in frame_system::Account::<T>::iter_keys() {
                let hold = T::Currency::balance_on_hold(&reason.into(), &account);
                ensure!(
                    hold.is_zero() || sums.contains_key(&account.encode()),
                    "something is held from an account that made no deposit"
                );
            }
        }
        Ok(())
    }
}

fn check_code<T: Config>(held: &mut Holds<T>) -> Result<(), TryRuntimeError> {
    let mut references = BTreeMap::<_, u32>::new();
    for (_, info) in Instances::<T>::iter() {
        *references.entry(info.code_hash).or_default() += 1;
    }
    for code_hash in Jobs::<T>::iter_values().flat_map(|job| job.codes) {
        *references.entry(code_hash).or_default() += 1;
    }
    ensure!(
        Codes::<T>::iter_keys().count() == CodeInfos::<T>::iter_keys().count(),
        "there are programs without a record, or records without a program"
    );
    for (code_hash, info) in CodeInfos::<T>::iter() {
        let code = Codes::<T>::get(code_hash).ok_or("a record of code has no program")?;
        ensure!(Pallet::<T>::code_hash(&code) == code_hash, "a program is stored under another hash");
        ensure!(length(&code) == info.length, "the length of a program is recorded wrongly");
        ensure!(
            references.remove(&code_hash).unwrap_or(0) == info.references,
            "the reference count of a program is not the number of its instances and jobs"
        );
        add::<T>(&mut held.code, &info.owner, info.deposit);
    }
    ensure!(references.is_empty(), "an instance or a job has no program");
    Ok(())
}

fn check_jobs<T: Config>(held: &mut Holds<T>) -> Result<(), TryRuntimeError> {
    let queue = JobQueue::<T>::get();
    let mut queued: Vec<_> = queue.iter().copied().collect();
    queued.sort_unstable();
    queued.dedup();
    ensure!(queued.len() == queue.len(), "a job is in the queue twice");
    let mut jobs: Vec<_> = Jobs::<T>::iter_keys().collect();
    jobs.sort_unstable();
    ensure!(jobs == queued, "a job is not in the queue, or the queue has one that is not there");
    ensure!(jobs.iter().all(|id| *id <= JobCount::<T>::get()), "a job has a number that none has yet");
    for job in Jobs::<T>::iter_values() {
        ensure!(job.slices < job.max_slices, "a job goes on that has had all its slices");
        ensure!(
            job.trie_id.is_some() == matches!(job.target, JobTarget::Instance { .. }),
            "a job of an instance does not know which one it was, or another job does"
        );
        add::<T>(&mut held.job, &job.owner, job.deposit);
        add::<T>(&mut held.job_slices, &job.owner, job.prepaid);
    }
    Ok(())
}

/// Gives the child tries of the instances.
fn check_instances<T: Config>(held: &mut Holds<T>) -> Result<BTreeSet<TrieId>, TryRuntimeError> {
    let mut tries = BTreeSet::new();
    for (instance, info) in Instances::<T>::iter() {
        ensure!(frame_system::Pallet::<T>::account_exists(&instance), "an instance has no account");
        ensure!(frame_system::Pallet::<T>::consumers(&instance) > 0, "an instance's account can be reaped");
        ensure!(tries.insert(info.trie_id), "two instances share a child trie");
        let (usage, deposits) = items_of::<T>(&info.trie_id)?;
        ensure!(usage == info.storage, "the use of storage is recorded wrongly");
        ensure!(
            deposits.len() == StorageDeposits::<T>::iter_prefix(info.trie_id).count(),
            "an account has a deposit for an instance and no item, or an item and no deposit"
        );
        for (depositor, sum) in deposits.values() {
            ensure!(
                StorageDeposits::<T>::get(info.trie_id, depositor) == Some(*sum),
                "the deposit of an account for an instance is not the sum of its items'"
            );
        }
        add::<T>(&mut held.instance, &info.owner, info.deposit);
    }
    Ok(tries)
}

fn check_removals<T: Config>(tries: &BTreeSet<TrieId>) -> Result<(), TryRuntimeError> {
    let queue = RemovalQueue::<T>::get();
    ensure!(queue.first <= queue.next, "the queue of removals ends before it begins");
    ensure!(
        Removals::<T>::iter_keys().all(|number| (queue.first..queue.next).contains(&number)),
        "a removal is outside the queue"
    );
    let mut removed = BTreeSet::new();
    for number in queue.first..queue.next {
        let trie_id = Removals::<T>::get(number).ok_or("a removal is missing in the queue")?;
        ensure!(removed.insert(trie_id), "the same storage is to be cleared twice");
    }
    ensure!(tries.is_disjoint(&removed), "the storage of an instance is about to be cleared");
    ensure!(
        StorageDeposits::<T>::iter()
            .all(|(trie_id, ..)| tries.contains(&trie_id) || removed.contains(&trie_id)),
        "there is a deposit for a child trie that nobody has"
    );
    Ok(())
}

/// What a child trie holds.
fn items_of<T: Config>(trie_id: &TrieId) -> Result<(StorageUsage<BalanceOf<T>>, Sums<T>), TryRuntimeError> {
    let trie = child_trie(trie_id);
    let (mut usage, mut deposits) = (StorageUsage::<BalanceOf<T>>::default(), Sums::<T>::new());
    let mut last = Vec::new();
    while let Some(key) = sp_io::default_child_storage::next_key(trie.storage_key(), &last) {
        let item: ItemOf<T> = child::get(&trie, &key).ok_or("an item cannot be decoded")?;
        // The key that the guest chose is behind a hash of 16 bytes.
        let guest_key = key.get(16..).ok_or("a key in a child trie is too short")?;
        ensure!(crate::items::trie_key(guest_key) == key, "a key in a child trie has the wrong hash");
        usage.items += 1;
        usage.bytes += guest_key.len() as u64 + item.value.len() as u64;
        usage.deposit = usage.deposit.saturating_add(item.deposit);
        if !item.deposit.is_zero() {
            add::<T>(&mut deposits, &item.depositor, item.deposit);
        }
        last = key;
    }
    Ok((usage, deposits))
}

fn add<T: Config>(sums: &mut Sums<T>, account: &T::AccountId, amount: BalanceOf<T>) {
    let (_, sum) = sums.entry(account.encode()).or_insert_with(|| (account.clone(), BalanceOf::<T>::zero()));
    *sum = sum.saturating_add(amount);
}
