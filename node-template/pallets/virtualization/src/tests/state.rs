//! What `try_state` finds wrong: each thing that it promises, broken by hand.

use super::{
    jobs::{start, starting_at},
    script::Script,
};
use crate::{
    CodeHash, CodeInfos, Codes, HoldReason, Instances, JobCount, JobId, JobOf, JobQueue, JobTarget, Jobs,
    Pallet, RemovalQueue, Removals, StorageDeposits, mock::*,
};
use frame_support::{assert_ok, traits::fungible::MutateHold as _, weights::Weight};
use sp_runtime::TryRuntimeError;

/// The job of the first instance in the state that is broken. The other one is of the program.
const JOB: JobId = 1;
const OTHER_JOB: JobId = 2;

/// A state with a program, two instances that store something, one whose storage waits to be cleared, and two jobs; then what `break_it`
/// makes of it. Gives the complaint.
fn complaint(break_it: impl FnOnce(&sp_runtime::AccountId32)) -> &'static str {
    externalities().execute_with(|| {
        let code_hash = upload(SCRIPT);
        let [first, second, removed] = [0, 1, 2].map(|salt| instantiate(code_hash, salt, &[], 1000));
        for instance in [&first, &second, &removed] {
            assert_ok!(call(&BOB, instance, "run", &Script::new().set(b"key", 1, 9).end()));
        }
        assert_ok!(dispatch(&ALICE, crate::Call::remove_instance { instance: removed }));
        let of_instance = JobTarget::Instance { instance: first.clone(), storage_deposit_limit: None };
        for (target, number) in [(of_instance, JOB), (JobTarget::Code(code_hash), OTHER_JOB)] {
            let job = starting_at(target, "run", &Script::new().end(), Weight::from_parts(1_000_000, 0), 2);
            assert_eq!(start(&BOB, job), number);
        }
        check();
        break_it(&first);
        match Pallet::<Test>::do_try_state() {
            Err(TryRuntimeError::Other(complaint)) => complaint,
            other => panic!("the state is broken, and try_state says {other:?}"),
        }
    })
}

fn info(instance: &sp_runtime::AccountId32) -> crate::InstanceInfoOf<Test> {
    Instances::<Test>::get(instance).expect("it was made")
}

#[test]
fn a_program_without_a_record() {
    let complaint = complaint(|instance| CodeInfos::<Test>::remove(info(instance).code_hash));
    assert_eq!(complaint, "there are programs without a record, or records without a program");
}

#[test]
fn another_program_under_the_hash() {
    let complaint =
        complaint(|instance| Codes::<Test>::insert(info(instance).code_hash, bounded::<_>(TALLY)));
    assert_eq!(complaint, "a program is stored under another hash");
}

#[test]
fn a_wrong_length() {
    let complaint = complaint(|instance| {
        CodeInfos::<Test>::mutate(info(instance).code_hash, |info| info.as_mut().unwrap().length += 1);
    });
    assert_eq!(complaint, "the length of a program is recorded wrongly");
}

#[test]
fn a_wrong_reference_count() {
    let complaint = complaint(|instance| {
        CodeInfos::<Test>::mutate(info(instance).code_hash, |info| info.as_mut().unwrap().references += 1);
    });
    assert_eq!(complaint, "the reference count of a program is not the number of its instances and jobs");
}

#[test]
fn two_instances_with_one_child_trie() {
    let complaint = complaint(|instance| {
        let trie_id = info(instance).trie_id;
        Instances::<Test>::translate_values(|mut other: crate::InstanceInfoOf<Test>| {
            other.trie_id = trie_id;
            Some(other)
        });
    });
    assert_eq!(complaint, "two instances share a child trie");
}

#[test]
fn an_account_that_can_be_reaped() {
    let complaint = complaint(System::dec_consumers);
    assert_eq!(complaint, "an instance's account can be reaped");
}

#[test]
fn a_wrong_use_of_storage() {
    let complaint = complaint(|instance| {
        Instances::<Test>::mutate(instance, |info| info.as_mut().unwrap().storage.bytes += 1);
    });
    assert_eq!(complaint, "the use of storage is recorded wrongly");
}

#[test]
fn a_deposit_that_is_not_the_sum_of_its_items() {
    let complaint = complaint(|instance| StorageDeposits::<Test>::insert(info(instance).trie_id, BOB, 1));
    assert_eq!(complaint, "the deposit of an account for an instance is not the sum of its items'");
}

#[test]
fn a_deposit_without_an_item() {
    let complaint = complaint(|instance| StorageDeposits::<Test>::insert(info(instance).trie_id, CHARLIE, 1));
    assert_eq!(complaint, "an account has a deposit for an instance and no item, or an item and no deposit");
}

#[test]
fn a_deposit_for_a_child_trie_that_nobody_has() {
    let complaint = complaint(|_| StorageDeposits::<Test>::insert([7; 32], BOB, 1));
    assert_eq!(complaint, "there is a deposit for a child trie that nobody has");
}

#[test]
fn a_hole_in_the_queue() {
    let complaint = complaint(|_| RemovalQueue::<Test>::mutate(|queue| queue.next += 1));
    assert_eq!(complaint, "a removal is missing in the queue");
}

#[test]
fn a_removal_outside_the_queue() {
    let complaint = complaint(|_| Removals::<Test>::insert(7, [7; 32]));
    assert_eq!(complaint, "a removal is outside the queue");
}

#[test]
fn a_removal_of_a_living_instance() {
    let complaint = complaint(|instance| {
        let queue = RemovalQueue::<Test>::get();
        Removals::<Test>::insert(queue.first, info(instance).trie_id);
    });
    assert_eq!(complaint, "the storage of an instance is about to be cleared");
}

#[test]
fn a_hold_that_was_taken_away() {
    let complaint = complaint(|_| {
        let reason = HoldReason::Storage.into();
        assert_ok!(Balances::release(&reason, &BOB, 1, frame_support::traits::tokens::Precision::Exact));
    });
    assert_eq!(complaint, "a hold differs from the sum of the deposits that it is for");
}

#[test]
fn a_hold_without_a_deposit() {
    let complaint = complaint(|_| {
        assert_ok!(Balances::hold(&HoldReason::Code.into(), &CHARLIE, 5));
    });
    assert_eq!(complaint, "something is held from an account that made no deposit");
}

/// The complaint about a job that is changed so.
fn complaint_of_job(break_it: impl FnOnce(&mut JobOf<Test>)) -> &'static str {
    complaint(|_| Jobs::<Test>::mutate_extant(JOB, break_it))
}

#[test]
fn a_job_that_would_have_two_turns() {
    let complaint = complaint(|_| JobQueue::<Test>::mutate(|queue| queue.force_push(JOB)));
    assert_eq!(complaint, "a job is in the queue twice");
}

#[test]
fn a_job_that_never_has_its_turn() {
    let complaint = complaint(|_| JobQueue::<Test>::mutate(|queue| queue.retain(|job| *job != JOB)));
    assert_eq!(complaint, "a job is not in the queue, or the queue has one that is not there");
}

#[test]
fn a_turn_of_a_job_that_is_not_there() {
    let complaint = complaint(|_| JobQueue::<Test>::mutate(|queue| queue.force_push(OTHER_JOB + 1)));
    assert_eq!(complaint, "a job is not in the queue, or the queue has one that is not there");
}

#[test]
fn a_job_whose_number_the_next_one_gets() {
    let complaint = complaint(|_| JobCount::<Test>::put(OTHER_JOB - 1));
    assert_eq!(complaint, "a job has a number that none has yet");
}

#[test]
fn a_job_without_slices_left() {
    let complaint = complaint_of_job(|job| job.slices = job.max_slices);
    assert_eq!(complaint, "a job goes on that has had all its slices");
}

#[test]
fn a_job_that_does_not_know_its_instance() {
    let expected = "a job of an instance does not know which one it was, or another job does";
    assert_eq!(complaint_of_job(|job| job.trie_id = None), expected);
    let complaint = complaint(|_| {
        Jobs::<Test>::mutate_extant(OTHER_JOB, |job| job.trie_id = Some([7; 32]));
    });
    assert_eq!(complaint, expected);
}

#[test]
fn a_job_whose_program_is_not_there() {
    let complaint = complaint_of_job(|job| job.codes.force_push(CodeHash::zero()));
    assert_eq!(complaint, "an instance or a job has no program");
}

#[test]
fn a_job_whose_program_can_be_removed() {
    let complaint = complaint_of_job(|job| job.codes = Default::default());
    assert_eq!(complaint, "the reference count of a program is not the number of its instances and jobs");
}

#[test]
fn a_job_for_which_something_else_is_held() {
    let expected = "a hold differs from the sum of the deposits that it is for";
    assert_eq!(complaint_of_job(|job| job.deposit += 1), expected);
    assert_eq!(complaint_of_job(|job| job.prepaid -= 1), expected);
}
