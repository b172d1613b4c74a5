//! Jobs: in slices, in idle blocks, paid for, cancelled, failed, and never more of a block than they may have.

use super::script::Script;
use crate::{
    Call, Cause, CodeHash, CodeInfos, Config, Error, Event, HoldReason, JobCount, JobFailure, JobId,
    JobQueue, JobTarget, JobTargetOf, Jobs, Limit, Pallet, Resource, Trap, TrapKind, items::child_trie,
    jobs::trie_id, mock::*,
};
use frame_support::{
    assert_noop, assert_ok,
    dispatch::DispatchResultWithPostInfo,
    traits::{Get as _, fungible::Inspect},
    weights::{Weight, WeightToFee as _},
};
use hatchery_client::{ConsensusConstants, Limits};
use sp_core::storage::ChildInfo;
use sp_io::TestExternalities;
use sp_runtime::AccountId32;

/// Milliseconds of guest time.
pub(super) fn millis(millis: u64) -> Weight {
    Weight::from_parts(millis * 1_000_000_000, 0)
}

/// What a slice of `primes` weighs besides its gas.
fn overhead() -> Weight {
    let info = CodeInfos::<Test>::iter_values().find(|info| info.length == PRIMES.len() as u32);
    let pages = info.expect("it was uploaded").pages;
    assert!(pages > 1, "a machine of it has data and a stack");
    // One that runs, and one that is looked at.
    Pallet::<Test>::slice_overhead(&[(PRIMES.len() as u32, pages)], 2)
}

fn starting(code_hash: CodeHash, export: &str, input: &[u8], gas: Weight, slices: u32) -> Call<Test> {
    starting_at(JobTarget::Code(code_hash), export, input, gas, slices)
}

pub(super) fn starting_at(
    target: JobTargetOf<Test>,
    export: &str,
    input: &[u8],
    gas: Weight,
    slices: u32,
) -> Call<Test> {
    Call::start_job {
        target,
        export: bounded(export.as_bytes()),
        input: bounded(input),
        gas_per_slice: gas,
        max_slices: slices,
    }
}

pub(super) fn start(owner: &AccountId32, call: Call<Test>) -> JobId {
    assert_ok!(dispatch(owner, call));
    JobCount::<Test>::get()
}

fn cancel(owner: &AccountId32, job: JobId) -> DispatchResultWithPostInfo {
    dispatch(owner, Call::cancel_job { job })
}

pub(super) fn holds(owner: &AccountId32) -> [u64; 2] {
    [HoldReason::Job, HoldReason::JobSlices].map(|reason| held(reason, owner))
}

/// The keys in the child trie of a job.
pub(super) fn keys(job: JobId) -> usize {
    let (trie, mut last, mut count) = (child_trie(&trie_id(job)), Vec::new(), 0);
    while let Some(key) = sp_io::default_child_storage::next_key(trie.storage_key(), &last) {
        (last, count) = (key, count + 1);
    }
    count
}

/// Idle blocks until there is no job any more; the events of jobs in them.
pub(super) fn finish(externalities: &mut TestExternalities) -> Vec<Event<Test>> {
    let mut seen = Vec::new();
    for _ in 0..400 {
        next_block(externalities);
        let is_over = externalities.execute_with(|| {
            let used = idle(Weight::MAX);
            let most = <Test as Config>::JobsWeight::get() + <Test as Config>::IdleWeight::get();
            assert!(used.all_lte(most), "{used:?} of {most:?}");
            check();
            seen.extend(events());
            JobQueue::<Test>::get().is_empty()
        });
        if is_over {
            return seen;
        }
    }
    panic!("the jobs do not end: {seen:?}");
}

const PRIMES: &[u8] = include_bytes!("../../../../../guests/blobs/jam-v1/primes.polkavm");
const LIMIT: u64 = 1_000_000;
const PRIMES_BELOW_LIMIT: u64 = 78_498;

#[test]
fn a_job_computes_primes_over_several_blocks() {
    let mut externalities = externalities();
    let (job, before) = externalities.execute_with(|| {
        let code_hash = upload(PRIMES);
        let before = Balances::free_balance(&BOB);
        let job = start(&BOB, starting(code_hash, "primes", &LIMIT.to_le_bytes(), millis(10), 40));
        let deposit = Pallet::<Test>::job_deposit(6 + 8);
        let weight = overhead() + millis(10);
        let prepaid = 40 * PerMicrosecond::weight_to_fee(&weight);
        assert_eq!(holds(&BOB), [deposit, prepaid]);
        assert_eq!(
            events().last(),
            Some(&Event::JobStarted { job, owner: BOB, code_hash, deposit, prepaid })
        );
        assert_eq!(error(dispatch(&ALICE, Call::remove_code { code_hash })), Error::<Test>::CodeInUse.into());
        (job, before)
    });
    let seen = finish(&mut externalities);
    let slices = seen.len() as u32;
    assert!((4..40).contains(&slices), "{seen:?}");
    for (at, event) in seen.iter().enumerate() {
        let number = at as u32 + 1;
        let expected = if number < slices {
            Event::JobAdvanced { job, slices: number }
        } else {
            Event::JobFinished { job, slices, output: PRIMES_BELOW_LIMIT.to_le_bytes().to_vec() }
        };
        assert_eq!(event, &expected);
    }
    externalities.execute_with(|| {
        assert_eq!(holds(&BOB), [0, 0]);
        assert_eq!((keys(job), Jobs::<Test>::get(job)), (0, None));
        // What it has had is paid for, at no more than its price, and for each slice what it overheads.
        let paid = before - Balances::free_balance(&BOB);
        let overhead = overhead();
        let [least, most] =
            [overhead, overhead + millis(10)].map(|weight| PerMicrosecond::weight_to_fee(&weight));
        let slices = u64::from(slices);
        assert!((slices * least..=slices * most).contains(&paid), "{paid} for {slices} slices");
        assert_eq!(<Balances as Inspect<_>>::total_balance(&BOB), ENDOWMENT - paid);
    });
}

/// However it is cut, a job gives the same and uses the same gas; syscalls that a slice has no gas for are made in the next.
#[test]
fn a_job_does_not_notice_where_it_is_cut() {
    // So that many slices are affordable.
    MaxSnapshot::set(64 * 1024);
    let script = (0..60).fold(Script::new(), |script, n| {
        if n % 3 == 0 { script.hash(b"some text") } else { script.print(&[b'x'; 200]) }
    });
    // What it puts out is more than a job may return, so it just returns.
    let script = script.finish();
    let mut results = Vec::new();
    for gas in core::iter::once(100_000_000)
        .chain((250_000..700_000).step_by(30_001).collect::<Vec<u64>>().into_iter().rev())
    {
        let mut externalities = externalities();
        let job = externalities.execute_with(|| {
            let code_hash = upload(SCRIPT);
            start(&BOB, starting(code_hash, "run", &script, Weight::from_parts(gas * 1000, 0), 60))
        });
        let mut pending = 0;
        let seen = loop {
            next_block(&mut externalities);
            let seen = externalities.execute_with(|| {
                idle(Weight::MAX);
                check();
                pending += u32::from(crate::jobs::has_pending_syscall(job));
                events()
            });
            if !matches!(seen[..], [Event::JobAdvanced { .. }]) {
                break seen;
            }
        };
        let [Event::JobFinished { slices, output, .. }] = &seen[..] else { panic!("{seen:?}") };
        results.push((*slices, pending, output.clone()));
    }
    assert!(results.iter().all(|(.., output)| *output == results[0].2), "{results:?}");
    assert_eq!((results[0].0, results[0].1), (1, 0));
    let last = results.len() - 1;
    assert!(results.is_sorted_by_key(|result| result.0) && results[last].0 > 3, "{results:?}");
    assert!(results[1..].iter().any(|result| result.1 > 0), "no slice ended at a syscall: {results:?}");
}

#[test]
fn a_job_that_is_cancelled_is_paid_for_as_far_as_it_got() {
    let mut externalities = externalities();
    let job = externalities.execute_with(|| {
        let code_hash = upload(PRIMES);
        start(&BOB, starting(code_hash, "primes", &LIMIT.to_le_bytes(), millis(10), 40))
    });
    next_block(&mut externalities);
    externalities.execute_with(|| {
        idle(Weight::MAX);
        assert_eq!(events(), [Event::JobAdvanced { job, slices: 1 }]);
        assert!(keys(job) > 3);
        let [deposit, left] = holds(&BOB);
        assert_noop!(cancel(&ALICE, job).map_err(|error| error.error), Error::<Test>::NotJobOwner);
        let free = Balances::free_balance(&BOB);
        assert_ok!(cancel(&BOB, job));
        assert_eq!(Balances::free_balance(&BOB), free + deposit + left);
        assert_eq!(events().last(), Some(&Event::JobCancelled { job, slices: 1 }));
        assert_eq!(holds(&BOB), [0, 0]);
        assert_eq!((keys(job), Jobs::<Test>::get(job)), (0, None));
        assert_noop!(cancel(&BOB, job).map_err(|error| error.error), Error::<Test>::JobNotFound);
        check();
        System::reset_events();
        idle(Weight::MAX);
        assert_eq!(events(), []);
    });
}

#[test]
fn what_ends_a_job_badly() {
    use JobFailure::*;
    let run = |code: &[u8], export: &str, input: &[u8], gas: Weight, slices: u32| {
        let mut externalities = externalities();
        let job = externalities.execute_with(|| {
            let code_hash = upload(code);
            start(&BOB, starting(code_hash, export, input, gas, slices))
        });
        let seen = finish(&mut externalities);
        externalities.execute_with(|| {
            assert_eq!((holds(&BOB), keys(job)), ([0, 0], 0));
        });
        match seen.last() {
            Some(Event::JobFailed { failure, .. }) => *failure,
            other => panic!("{other:?}"),
        }
    };
    let script = |input: Vec<u8>| run(SCRIPT, "run", &input, millis(10), 3);
    let trap = |failure| matches!(failure, Guest(Cause::Trapped(Trap { kind: TrapKind::Trap, .. })));
    assert!(trap(script(Script::new().trap())));
    assert_eq!(script(Script::new().revert()), Guest(Cause::Reverted));
    assert_eq!(script(Script::new().unknown_syscall()), Guest(Cause::UnknownSyscall));
    assert_eq!(script(Script::new().spin()), OutOfSlices);
    // Nothing of an instance: it has none.
    for operation in [
        Script::new().set(b"key", 1, 1),
        Script::new().get(b"key"),
        Script::new().remove(b"key"),
        Script::new().transfer(&ALICE, 1),
        Script::new().event(&[], 1, 1),
        Script::new().call(&ALICE, Vec::new()),
    ] {
        assert_eq!(script(operation.end()), Guest(Cause::UnknownSyscall));
    }
    assert_eq!(script(Script::new().terminate(&ALICE)), Guest(Cause::UnknownSyscall));
    assert_eq!(run(PRIMES, "absent", &[], millis(10), 3), Guest(Cause::MissingExport));
    // Less than a block of code takes.
    let too_little = Guest(Cause::OutOfGas(Resource::RefTime));
    assert_eq!(run(PRIMES, "primes", &LIMIT.to_le_bytes(), Weight::from_parts(10_000, 0), 3), too_little);
    assert!(trap(run(PRIMES, "primes", &u64::MAX.to_le_bytes(), millis(1), 3)));
    let long = (0..40).fold(Script::new(), |script, _| script.hash(b"text")).end();
    assert_eq!(script(long), OutputTooLong);
    MaxSnapshot::set(8192);
    assert_eq!(run(PRIMES, "primes", &LIMIT.to_le_bytes(), millis(10), 30), SnapshotTooLarge);
}

#[test]
fn jobs_that_cannot_begin() {
    MaxSnapshot::set(4096);
    in_block(|| {
        let code_hash = upload(PRIMES);
        let refused = |call: Call<Test>| {
            let before = (holds(&BOB), JobCount::<Test>::get());
            let error = frame_support::storage::with_storage_layer(|| {
                dispatch(&BOB, call).map_err(|error| error.error)
            });
            assert_eq!((holds(&BOB), JobCount::<Test>::get()), before);
            error.unwrap_err()
        };
        let call = |slices, gas| starting(code_hash, "primes", &[], gas, slices);
        assert_eq!(refused(call(0, millis(1))), Error::<Test>::NoSlices.into());
        assert_eq!(refused(call(1, millis(10_000))), Error::<Test>::SliceTooHeavy.into());
        let proof = Weight::from_parts(0, u64::MAX);
        assert_eq!(refused(call(1, proof)), Error::<Test>::SliceTooHeavy.into());
        assert_eq!(refused(call(u32::MAX, millis(1))), Error::<Test>::SlicesUnaffordable.into());
        let unknown = starting(CodeHash::zero(), "primes", &[], millis(1), 1);
        assert_eq!(refused(unknown), Error::<Test>::CodeNotFound.into());
        // The heaviest that may be.
        let idle = Pallet::<Test>::idle_jobs_weight();
        let overhead = overhead();
        let most = <Test as Config>::JobsWeight::get() - idle - overhead;
        assert_eq!(refused(call(1, most + Weight::from_parts(1, 0))), Error::<Test>::SliceTooHeavy.into());
        assert_ok!(dispatch(&BOB, call(1, most)));
        for _ in 1..<Test as Config>::MaxJobs::get() {
            assert_ok!(dispatch(&BOB, call(1, millis(1))));
        }
        assert_eq!(refused(call(1, millis(1))), Error::<Test>::TooManyJobs.into());
    });
}

#[test]
fn jobs_take_turns_and_no_more_than_their_share() {
    MaxSnapshot::set(128 * 1024);
    let mut externalities = externalities();
    let jobs: Vec<JobId> = externalities.execute_with(|| {
        let code_hash = upload(PRIMES);
        (0..5)
            .map(|_| start(&BOB, starting(code_hash, "primes", &LIMIT.to_le_bytes(), millis(5), 20)))
            .collect()
    });
    let slice = externalities.execute_with(overhead) + millis(5);
    let nothing = externalities.execute_with(Pallet::<Test>::idle_jobs_weight);
    let mut block = |limit: Weight| -> Vec<JobId> {
        next_block(&mut externalities);
        externalities.execute_with(|| {
            let used = Pallet::<Test>::run_jobs(limit);
            assert!(used.all_lte(limit), "{used:?} of {limit:?}");
            check();
            let had_slices: Vec<JobId> = events()
                .into_iter()
                .map(|event| match event {
                    Event::JobAdvanced { job, .. } => job,
                    other => panic!("{other:?}"),
                })
                .collect();
            // Who waits was read as well.
            assert!(had_slices.len() == 5 || nothing.all_lte(used) || limit.any_lt(nothing), "{used:?}");
            had_slices
        })
    };
    let none: [JobId; 0] = [];
    assert_eq!(block(Weight::zero()), none);
    assert_eq!(block(nothing), none);
    assert_eq!(block(nothing + slice - Weight::from_parts(1, 0)), none);
    assert_eq!(block(nothing + slice), jobs[..1]);
    assert_eq!(block(nothing + slice * 2), jobs[1..3]);
    assert_eq!(block(nothing + slice * 3), [jobs[3], jobs[4], jobs[0]]);
    assert_eq!(
        block(nothing + slice * 10),
        [jobs[1], jobs[2], jobs[3], jobs[4], jobs[0]],
        "one slice a block"
    );
}

/// What a slice does not change is not written again.
#[test]
fn only_pages_that_change_are_written() {
    let mut externalities = externalities();
    let job = externalities.execute_with(|| {
        let code_hash = upload(PRIMES);
        start(&BOB, starting(code_hash, "primes", &LIMIT.to_le_bytes(), millis(5), 20))
    });
    for _ in 0..3 {
        next_block(&mut externalities);
        externalities.execute_with(|| idle(Weight::MAX));
    }
    let all = externalities.execute_with(|| keys(job));
    // The list of small primes is complete after the first window.
    next_block(&mut externalities);
    externalities.execute_with(|| idle(Weight::MAX));
    let name = child_trie(&trie_id(job)).into_prefixed_storage_key();
    let written: usize = externalities
        .overlayed_changes()
        .children()
        .filter(|(_, info)| ChildInfo::clone(info).into_prefixed_storage_key() == name)
        .map(|(changes, _)| changes.count())
        .sum();
    assert!(written > 0 && written < all, "{written} of {all} keys");
}

/// A job that could never have its turn does not stop those behind it.
#[test]
fn a_job_that_has_come_to_be_too_heavy_ends() {
    MaxSnapshot::set(64 * 1024);
    let mut externalities = externalities();
    let [heavy, light] = externalities.execute_with(|| {
        let code_hash = upload(PRIMES);
        [90, 10].map(|gas| start(&BOB, starting(code_hash, "primes", &LIMIT.to_le_bytes(), millis(gas), 40)))
    });
    let nothing = externalities.execute_with(Pallet::<Test>::idle_jobs_weight);
    let slice_of_light = externalities.execute_with(overhead) + millis(10);
    next_block(&mut externalities);
    externalities.execute_with(|| {
        // It waits where a block happens to have less left.
        idle(nothing + slice_of_light);
        assert_eq!(events(), []);
        // Another version of the runtime spends less on jobs.
        JobsShare::set(nothing + slice_of_light);
        let free = Balances::free_balance(&BOB);
        let job = Jobs::<Test>::get(heavy).expect("it waits");
        // Without room for clearing away what it has, it waits for that.
        assert!(Pallet::<Test>::run_jobs(nothing).all_lte(nothing));
        assert_eq!(events(), []);
        let limit = JobsShare::get() + Pallet::<Test>::cancel_job_weight();
        let used = Pallet::<Test>::run_jobs(limit);
        assert!(used.all_lte(limit) && Pallet::<Test>::cancel_job_weight().all_lte(used), "{used:?}");
        assert_eq!(
            events(),
            [
                Event::JobFailed { job: heavy, slices: 0, failure: JobFailure::SliceTooHeavy },
                Event::JobAdvanced { job: light, slices: 1 },
            ]
        );
        assert_eq!(Balances::free_balance(&BOB), free + job.deposit + job.prepaid);
        assert_eq!((keys(heavy), Jobs::<Test>::get(heavy)), (0, None));
        check();
    });
    assert!(matches!(finish(&mut externalities).last(), Some(Event::JobFinished { .. })));
}

/// That others in a block have used up what there is does not end a job.
#[test]
fn a_job_waits_where_a_block_has_no_machines_left() {
    MaxSnapshot::set(64 * 1024);
    let none = || ConsensusConstants::v1().limits(Limits { modules: 0, ..Limits::V1 });
    let mut externalities = externalities();
    let [job, last] = externalities.execute_with(|| {
        let code_hash = upload(PRIMES);
        [40, 1].map(|slices| {
            start(&BOB, starting(code_hash, "primes", &LIMIT.to_le_bytes(), millis(10), slices))
        })
    });
    next_block(&mut externalities);
    limited_manager(&mut externalities, none());
    externalities.execute_with(|| {
        let [_, before] = holds(&BOB);
        idle(Weight::MAX);
        let limit = Limit::Programs;
        let failure = JobFailure::Guest(Cause::LimitReached(limit));
        assert_eq!(
            events(),
            [Event::JobDelayed { job, slices: 1, limit }, Event::JobFailed { job: last, slices: 1, failure },]
        );
        // It is paid for as a slice whose guest has used nothing.
        let price = PerMicrosecond::weight_to_fee(&(overhead() + millis(10)));
        let paid = PerMicrosecond::weight_to_fee(&overhead());
        let [_, after] = holds(&BOB);
        assert_eq!(before - after, paid + price);
        check();
    });
    let seen = finish(&mut externalities);
    let Some(Event::JobFinished { output, .. }) = seen.last() else { panic!("{seen:?}") };
    assert_eq!(output, &PRIMES_BELOW_LIMIT.to_le_bytes());
    assert_eq!(seen.first(), Some(&Event::JobAdvanced { job, slices: 2 }));
}

/// A yield ends a slice before its gas does.
#[test]
fn a_job_of_a_program_may_yield() {
    MaxSnapshot::set(64 * 1024);
    let mut externalities = externalities();
    externalities.execute_with(|| {
        let code_hash = upload(SCRIPT);
        let script = Script::new().yields().yields().end();
        start(&BOB, starting(code_hash, "run", &script, millis(10), 3));
    });
    let seen = finish(&mut externalities);
    let [Event::JobAdvanced { .. }, Event::JobAdvanced { .. }, Event::JobFinished { output, slices: 3, .. }] =
        &seen[..]
    else {
        panic!("{seen:?}")
    };
    assert_eq!(output, &[1u64.to_le_bytes(); 2].concat());
}
