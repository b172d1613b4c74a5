//! Jobs of instances, and of several processes.

use super::{
    jobs::{finish, holds, keys, millis, start, starting_at},
    script::{Output, Script},
};
use crate::{
    BalanceOf, Call, Cause, Config, Error, Event, HoldReason, Instances, JobFailure, JobTarget, Jobs, Limit,
    Pallet, ProgramIdentifier, WeightInfo, items, mock::*,
};
use frame_support::{
    BoundedVec, assert_ok,
    traits::Get as _,
    weights::{Weight, WeightToFee as _},
};
use hatchery_client::{ConsensusConstants, Limits};
use polkavm_common_033::{
    program::{Instruction, InstructionSetKind, Reg, asm},
    writer::ProgramBlobBuilder,
};
use sp_io::TestExternalities;
use sp_runtime::AccountId32;

/// So much time and proof.
fn slice(millis: u64) -> Weight {
    Weight::from_parts(millis * 1_000_000_000, 512 * 1024)
}

fn of_instance(instance: &AccountId32, limit: Option<BalanceOf<Test>>) -> JobTarget<AccountId32, u64> {
    JobTarget::Instance { instance: instance.clone(), storage_deposit_limit: limit }
}

/// Runs a script as a job of Bob's, of an instance.
fn run(instance: &AccountId32, script: Vec<u8>, gas: Weight, limit: Option<u64>) -> Call<Test> {
    starting_at(of_instance(instance, limit), "run", &script, gas, 40)
}

/// What an instance has stored under a key.
fn stored(instance: &AccountId32, key: &[u8]) -> Option<Vec<u8>> {
    let trie_id = Instances::<Test>::get(instance)?.trie_id;
    items::get::<Test>(&trie_id, key).map(|item| item.value)
}

/// A job whose slices are cheap, and everything else it takes.
fn with_instances(count: u8) -> (TestExternalities, Vec<AccountId32>) {
    MaxSnapshot::set(64 * 1024);
    let mut externalities = externalities();
    let instances = externalities.execute_with(|| {
        let code_hash = upload(SCRIPT);
        (0..count).map(|salt| instantiate(code_hash, salt, &[], 1000)).collect()
    });
    (externalities, instances)
}

#[test]
fn a_job_of_an_instance_has_its_storage_and_its_account() {
    let (mut externalities, instances) = with_instances(1);
    let instance = &instances[0];
    let script = (0..30u8).fold(Script::new(), |script, key| {
        let script = script.set(&[key], key, 100);
        if key % 10 == 9 { script.yields() } else { script }
    });
    let script = script.transfer(&CHARLIE, 300).event(&[], 9, 3).finish();
    let before = externalities.execute_with(|| {
        start(&BOB, run(instance, script, slice(30), None));
        Balances::free_balance(&CHARLIE)
    });
    let seen = finish(&mut externalities);
    externalities.execute_with(|| {
        let Some(Event::JobFinished { slices: 4, output, .. }) = seen.last() else { panic!("{seen:?}") };
        assert_eq!(output.len(), 8, "it returned without an output");
        assert!(seen.contains(&Event::Emitted { instance: instance.clone(), data: vec![9; 3] }));
        for key in 0..30 {
            assert_eq!(stored(instance, &[key]), Some(vec![key; 100]));
        }
        assert_eq!(Balances::free_balance(&CHARLIE), before + 300, "out of the instance's balance");
        assert_eq!(Instances::<Test>::get(instance).map(|info| info.storage.items), Some(30));
        assert!(held(HoldReason::Storage, &BOB) > 30 * (PER_ITEM + 100 * PER_BYTE), "whose job it is pays");
        assert_eq!(held(HoldReason::Storage, &ALICE), 0);
        assert_eq!(holds(&BOB), [0, 0]);
        check();
    });
}

/// What accounts have of a token, and how much there is.
fn token_balances(token: &AccountId32) -> ([u128; 3], u128) {
    let amount = |export: &str, input: &[u8]| {
        let output = output(&ALICE, token, export, input);
        u128::from_le_bytes(output.try_into().expect("amounts have 16 bytes"))
    };
    ([ALICE, BOB, CHARLIE].map(|account| amount("balance_of", account.as_ref())), amount("total_supply", &[]))
}

/// A job is no way to stop a contract between reading and writing, have others call it, and go on with what it has read: wherever the
/// gas of a slice ends, a contract that does not yield did all or nothing.
#[test]
fn a_job_of_an_instance_is_interrupted_nowhere() {
    MaxSnapshot::set(64 * 1024);
    let transfer = |to: &AccountId32, amount: u128| -> Vec<u8> {
        [to.as_ref() as &[u8], &amount.to_le_bytes()].concat()
    };
    let (mut finished, mut failed) = (0, 0);
    // What it does takes some 4 ms.
    for micros in (100..6_000).step_by(211) {
        let mut externalities = externalities();
        let (token, job) = externalities.execute_with(|| {
            let token = instantiate(upload(TOKEN), 0, &1000u128.to_le_bytes(), 0);
            let gas = Weight::from_parts(micros * 1_000_000, 512 * 1024);
            let call = starting_at(of_instance(&token, None), "transfer", &transfer(&BOB, 600), gas, 20);
            (token, start(&ALICE, call))
        });
        next_block(&mut externalities);
        let done = externalities.execute_with(|| {
            idle(Weight::MAX);
            check();
            let done = match events().last() {
                Some(Event::JobFinished { slices: 1, .. }) => true,
                Some(Event::JobFailed {
                    failure: JobFailure::Guest(Cause::OutOfGas(_)), slices: 1, ..
                }) => false,
                other => panic!("{other:?}"),
            };
            assert_eq!(Jobs::<Test>::get(job), None);
            assert_eq!(token_balances(&token), (if done { [400, 600, 0] } else { [1000, 0, 0] }, 1000));
            // Now others call it, and more blocks come.
            let second = call(&ALICE, &token, "transfer", &transfer(&CHARLIE, 600));
            assert_eq!(second.is_err(), done, "she has it only once");
            done
        });
        next_block(&mut externalities);
        externalities.execute_with(|| {
            idle(Weight::MAX);
            assert_eq!(token_balances(&token), (if done { [400, 600, 0] } else { [400, 0, 600] }, 1000));
        });
        finished += u32::from(done);
        failed += u32::from(!done);
    }
    assert!(finished > 3 && failed > 5, "{finished} had enough gas, {failed} had not");
}

/// Where it yields others can call it, and find what it has stored up to there.
#[test]
fn others_use_an_instance_where_its_job_yields() {
    let (mut externalities, instances) = with_instances(2);
    let [yielding, callee] = &instances[..] else { panic!() };
    // In a call by an instance, and in one from outside, there is nothing to end.
    let nested = Script::new().yields().set(&[7], 7, 1).end();
    let script = Script::new().set(&[1], 1, 1).yields().get(&[2]).call(callee, nested.clone()).yields().end();
    externalities.execute_with(|| {
        assert_eq!(output(&BOB, callee, "run", &nested), 0u64.to_le_bytes());
        start(&BOB, run(yielding, script, slice(20), None));
    });
    next_block(&mut externalities);
    externalities.execute_with(|| {
        idle(Weight::MAX);
        check();
        assert_eq!(stored(yielding, &[1]), Some(vec![1]));
        assert_ok!(call(&CHARLIE, yielding, "run", &Script::new().remove(&[1]).set(&[2], 9, 3).end()));
    });
    let seen = finish(&mut externalities);
    let Some(Event::JobFinished { slices: 3, output: bytes, .. }) = seen.last() else { panic!("{seen:?}") };
    let mut output = Output(bytes);
    assert_eq!((output.answer(), output.item()), (1, Some(&[9; 3][..])));
    assert_eq!((output.answer(), output.returned()), (0, &0u64.to_le_bytes()[..]), "the callee did not wait");
    assert_eq!(output.answer(), 1);
    externalities.execute_with(|| {
        assert_eq!((stored(yielding, &[1]), stored(callee, &[7])), (None, Some(vec![7])));
        check();
    });
}

/// A call of another instance is a part of the slice, with its gas. A limit that the guest sets holds.
#[test]
fn calls_that_a_job_makes_have_the_gas_of_the_slice() {
    let (mut externalities, instances) = with_instances(2);
    let [job, callee] = &instances[..] else { panic!() };
    let script = Script::new().set(&[1], 1, 1).call(callee, Script::new().spin()).set(&[2], 2, 1).finish();
    externalities.execute_with(|| start(&BOB, run(job, script, slice(10), None)));
    let seen = finish(&mut externalities);
    let out_of_gas = JobFailure::Guest(Cause::OutOfGas(crate::Resource::RefTime));
    assert_eq!(seen, [Event::JobFailed { job: 1, slices: 1, failure: out_of_gas }]);
    externalities.execute_with(|| assert_eq!(stored(job, &[1]), None));

    let (mut externalities, instances) = with_instances(2);
    let [job, callee] = &instances[..] else { panic!() };
    let script = Script::new().call_with(callee, "run", Script::new().spin(), 0, 50_000, false).finish();
    externalities.execute_with(|| start(&BOB, run(job, script, slice(50), None)));
    let seen = finish(&mut externalities);
    assert!(matches!(seen[0], Event::CallFailed { .. }), "{seen:?}");
    let Some(Event::JobFinished { slices: 1, .. }) = seen.last() else { panic!("{seen:?}") };
}

/// A slice that meets a limit of the block is undone, and made again.
#[test]
fn a_job_of_an_instance_waits_where_a_block_has_no_machines_left() {
    let (mut externalities, instances) = with_instances(1);
    let instance = &instances[0];
    let tally = externalities.execute_with(|| instantiate(upload(TALLY), 9, &[], 0));
    let increment = |script: Script| script.call_with(&tally, "increment", Vec::new(), 0, u64::MAX, true);
    let script = increment(Script::new().set(&[1], 1, 50)).finish();
    let job = externalities.execute_with(|| start(&BOB, run(instance, script, slice(50), Some(5000))));
    next_block(&mut externalities);
    let one = ConsensusConstants::v1().limits(Limits { modules: 1, ..Limits::V1 });
    limited_manager(&mut externalities, one);
    externalities.execute_with(|| {
        let before = Jobs::<Test>::get(job).map(|job| job.target);
        idle(Weight::MAX);
        assert_eq!(events(), [Event::JobDelayed { job, slices: 1, limit: Limit::Programs }]);
        assert_eq!(
            Jobs::<Test>::get(job).map(|job| job.target),
            before,
            "nothing is held for what was undone"
        );
        assert_eq!(stored(instance, &[1]), None);
        check();
    });
    let seen = finish(&mut externalities);
    assert!(matches!(seen.last(), Some(Event::JobFinished { slices: 2, .. })), "{seen:?}");
    externalities.execute_with(|| {
        assert_eq!(output(&BOB, &tally, "value", &[]), 1u64.to_le_bytes());
        assert_eq!(stored(instance, &[1]), Some(vec![1; 50]));
    });
}

#[test]
fn what_ends_a_job_of_an_instance() {
    let failure = |seen: &[Event<Test>]| match seen.last() {
        Some(Event::JobFailed { failure, .. }) => *failure,
        other => panic!("{other:?}"),
    };
    // It is removed meanwhile.
    let (mut externalities, instances) = with_instances(1);
    let script = Script::new().yields().finish();
    externalities.execute_with(|| start(&BOB, run(&instances[0], script, slice(4), None)));
    next_block(&mut externalities);
    externalities.execute_with(|| {
        idle(Weight::MAX);
        let code_hash = Pallet::<Test>::code_hash(SCRIPT);
        assert_ok!(dispatch(&ALICE, Call::remove_instance { instance: instances[0].clone() }));
        assert_eq!(error(dispatch(&ALICE, Call::remove_code { code_hash })), Error::<Test>::CodeInUse.into());
        check();
    });
    assert_eq!(failure(&finish(&mut externalities)), JobFailure::Guest(Cause::InstanceNotFound));

    // It is removed and made again meanwhile, at the same address: that is another instance, before the first slice as well.
    for slices_before in [0, 1] {
        let (mut externalities, instances) = with_instances(1);
        let script = Script::new().yields().set(&[1], 1, 1).finish();
        let job = externalities.execute_with(|| start(&BOB, run(&instances[0], script, slice(10), None)));
        next_block(&mut externalities);
        externalities.execute_with(|| {
            if slices_before == 1 {
                idle(Weight::MAX);
                assert_eq!(events(), [Event::JobAdvanced { job, slices: 1 }]);
            }
            assert_ok!(dispatch(&ALICE, Call::remove_instance { instance: instances[0].clone() }));
            let again = instantiate(Pallet::<Test>::code_hash(SCRIPT), 0, &[], 1000);
            assert_eq!(again, instances[0]);
        });
        assert_eq!(failure(&finish(&mut externalities)), JobFailure::Guest(Cause::InstanceNotFound));
        externalities.execute_with(|| {
            assert_eq!((holds(&BOB), held(HoldReason::Storage, &BOB), keys(job)), ([0, 0], 0, 0));
            let info = Instances::<Test>::get(&instances[0]).expect("it was made again");
            assert_eq!(info.storage.items, 0);
            let references = crate::CodeInfos::<Test>::get(info.code_hash).map(|code| code.references);
            assert_eq!(references, Some(1), "the job's is given back");
        });
    }

    // It ends itself, which is no failure.
    let (mut externalities, instances) = with_instances(1);
    let script = Script::new().set(&[1], 1, 1).terminate(&CHARLIE);
    let job = externalities.execute_with(|| start(&BOB, run(&instances[0], script, slice(10), None)));
    let seen = finish(&mut externalities);
    assert!(matches!(seen[0], Event::Removed { by_guest: true, .. }), "{seen:?}");
    assert!(matches!(&seen[1], Event::JobFinished { output, .. } if output.is_empty()), "{seen:?}");
    externalities.execute_with(|| {
        assert_eq!((Instances::<Test>::get(&instances[0]), Jobs::<Test>::get(job)), (None, None));
    });

    // It yields too often.
    let (mut externalities, instances) = with_instances(1);
    let script = (0..41).fold(Script::new().set(&[1], 1, 1), |script, _| script.yields()).finish();
    externalities.execute_with(|| start(&BOB, run(&instances[0], script, slice(10), None)));
    assert_eq!(failure(&finish(&mut externalities)), JobFailure::OutOfSlices);

    // It stores more than its owner allows, in all slices together. What slices before did stays.
    let (mut externalities, instances) = with_instances(1);
    let script = (0..30u8).fold(Script::new(), |script, key| {
        let script = script.set(&[key], key, 100);
        if key % 4 == 3 { script.yields() } else { script }
    });
    let limit = 18 * (PER_ITEM + PER_BYTE * 101);
    let job = externalities
        .execute_with(|| start(&BOB, run(&instances[0], script.finish(), slice(20), Some(limit))));
    next_block(&mut externalities);
    externalities.execute_with(|| {
        idle(Weight::MAX);
        let Some(JobTarget::Instance { storage_deposit_limit: Some(left), .. }) =
            Jobs::<Test>::get(job).map(|job| job.target)
        else {
            panic!("it is over")
        };
        assert_eq!(left + held(HoldReason::Storage, &BOB), limit);
    });
    assert_eq!(failure(&finish(&mut externalities)), JobFailure::Guest(Cause::DepositLimitExceeded));
    externalities.execute_with(|| {
        // The slice that passed the limit is undone.
        assert_eq!(held(HoldReason::Storage, &BOB), limit / 18 * 16);
        assert!(stored(&instances[0], &[15]).is_some() && stored(&instances[0], &[16]).is_none());
        check();
    });

    in_block(|| {
        let call = run(&CHARLIE, Vec::new(), slice(1), None);
        assert_eq!(error(dispatch(&BOB, call)), Error::<Test>::InstanceNotFound { depth: 0 }.into());
    });
}

const DATA: u32 = 0x2_0000;

/// A program with two pages of data and a page of stack.
pub(super) fn program(imports: &[&[u8]], exports: &[(&str, &[Instruction])]) -> Vec<u8> {
    let mut builder = ProgramBlobBuilder::new(InstructionSetKind::JamV1);
    imports.iter().for_each(|symbol| {
        builder.add_import(symbol);
    });
    builder.set_rw_data(b"worker".to_vec());
    builder.set_rw_data_size(2 * 4096);
    builder.set_stack_size(4096);
    let mut code = Vec::new();
    for (name, body) in exports {
        builder.add_export_by_instruction(code.len() as u32, name.as_bytes());
        code.extend_from_slice(body);
    }
    builder.set_code(&code, &[]);
    builder.into_vec().expect("the program fits the format")
}

/// `main` starts `worker` as often as its argument says, waits for each and adds up what they exit with. `deadlock` waits for itself.
fn manager() -> Vec<u8> {
    let spawn = [
        asm::move_reg(Reg::S0, Reg::A0),
        asm::load_imm(Reg::S1, 0),
        // Block 1 is a round.
        asm::fallthrough(),
        asm::load_imm(Reg::A0, DATA),
        asm::load_imm(Reg::A1, 6),
        asm::load_imm(Reg::A2, 0),
        asm::load_imm(Reg::A3, 0),
        asm::load_imm(Reg::A4, 0),
        asm::load_imm(Reg::A5, DATA + 64),
        asm::ecalli(0),
        asm::load_u64(Reg::A0, DATA + 64),
        asm::load_imm(Reg::A1, DATA + 72),
        asm::ecalli(1),
        asm::load_u32(Reg::T0, DATA + 76),
        asm::add_64(Reg::S1, Reg::S1, Reg::T0),
        asm::add_imm_64(Reg::S0, Reg::S0, u32::MAX),
        asm::branch_not_eq_imm(Reg::S0, 0, 1),
        asm::move_reg(Reg::A0, Reg::S1),
        asm::ret(),
    ];
    let deadlock = [asm::load_imm(Reg::A0, 0), asm::load_imm(Reg::A1, DATA), asm::ecalli(1), asm::ret()];
    program(&[b"process_spawn", b"process_wait"], &[("main", &spawn), ("deadlock", &deadlock)])
}

/// Counts down for a while, writes what it has come to, and exits with 7.
fn worker() -> Vec<u8> {
    let body = [
        asm::load_imm(Reg::S0, 200_000),
        asm::fallthrough(),
        asm::add_imm_64(Reg::S0, Reg::S0, u32::MAX),
        asm::store_u64(Reg::S0, DATA),
        asm::branch_not_eq_imm(Reg::S0, 0, 1),
        asm::load_imm(Reg::A0, DATA + 32),
        // `caller_v1`: the owner of the job.
        asm::ecalli(0),
        asm::load_imm(Reg::A0, 7),
        asm::ret(),
    ];
    program(&[b"caller_v1"], &[("main", &body)])
}

fn processes(root: &[u8], programs: &[(&str, &[u8])]) -> JobTarget<AccountId32, u64> {
    let programs: Vec<(ProgramIdentifier, _)> = programs
        .iter()
        .map(|(name, code)| (bounded(name.as_bytes()), Pallet::<Test>::code_hash(code)))
        .collect();
    let programs = BoundedVec::try_from(programs).expect("these are not many");
    JobTarget::Processes { root: Pallet::<Test>::code_hash(root), programs }
}

#[test]
fn a_job_of_several_processes_adds_up_what_they_exit_with() {
    let mut results = Vec::new();
    for gas in [millis(10), millis(60)] {
        MaxSnapshot::set(64 * 1024);
        let mut externalities = externalities();
        let (manager, worker) = (manager(), worker());
        let job = externalities.execute_with(|| {
            let code_hash = upload(&worker);
            upload(&manager);
            let target = processes(&manager, &[("worker", &worker), ("other", &worker)]);
            let job = start(&BOB, starting_at(target, "main", &3u64.to_le_bytes(), gas, 60));
            let info = crate::CodeInfos::<Test>::get(code_hash);
            assert_eq!(info.map(|info| info.references), Some(2));
            let call = Call::remove_code { code_hash };
            assert_eq!(error(dispatch(&ALICE, call)), Error::<Test>::CodeInUse.into());
            job
        });
        let seen = finish(&mut externalities);
        let Some(Event::JobFinished { slices, output, .. }) = seen.last() else { panic!("{seen:?}") };
        assert_eq!(output, &21u64.to_le_bytes());
        results.push(*slices);
        externalities.execute_with(|| {
            assert_eq!((keys(job), holds(&BOB)), (0, [0, 0]));
            for code in [&manager, &worker] {
                let code_hash = Pallet::<Test>::code_hash(code);
                assert_ok!(dispatch(&ALICE, Call::remove_code { code_hash }));
            }
            check();
        });
    }
    assert!(results[0] > results[1] && results[1] >= 1 && results[0] > 2, "{results:?}");
}

#[test]
fn jobs_of_processes_that_fail() {
    let run = |export: &str, programs: &[(&str, &[u8])]| {
        MaxSnapshot::set(64 * 1024);
        let mut externalities = externalities();
        let manager = manager();
        externalities.execute_with(|| {
            upload(&manager);
            upload(&worker());
            let target = processes(&manager, programs);
            start(&BOB, starting_at(target, export, &1u64.to_le_bytes(), millis(60), 9));
        });
        finish(&mut externalities).pop()
    };
    let failure = |export: &str, programs: &[(&str, &[u8])]| match run(export, programs) {
        Some(Event::JobFailed { failure, .. }) => failure,
        other => panic!("{export}: {other:?}"),
    };
    assert_eq!(failure("deadlock", &[]), JobFailure::Deadlock);
    // What is not in the list cannot be started: no number was written, and 0 is the root itself.
    assert_eq!(failure("main", &[("another", &worker())]), JobFailure::Deadlock);
    assert_eq!(failure("absent", &[]), JobFailure::Guest(Cause::MissingExport));

    in_block(|| {
        let manager = manager();
        upload(&manager);
        let call = |target| starting_at(target, "main", &[], millis(1), 1);
        let twice = processes(&manager, &[("a", &manager), ("a", &manager)]);
        assert_eq!(error(dispatch(&BOB, call(twice))), Error::<Test>::DuplicateIdentifier.into());
        let unknown = processes(&manager, &[("a", HELLO)]);
        assert_eq!(error(dispatch(&BOB, call(unknown))), Error::<Test>::CodeNotFound.into());
    });
}

/// What is known only when a slice has begun is paid for by every slice.
#[test]
fn a_slice_pays_for_the_input_and_a_record_that_it_reads() {
    in_block(|| {
        let instance = script_instance();
        let gas = slice(1);
        let prepaid = |target: JobTarget<AccountId32, u64>| {
            start(&BOB, starting_at(target, "run", &[], gas, 1));
            let Some(Event::JobStarted { prepaid, .. }) = events().pop() else { panic!() };
            prepaid
        };
        let code_hash = Pallet::<Test>::code_hash(SCRIPT);
        let info = crate::CodeInfos::<Test>::get(code_hash).expect("it was uploaded");
        let overhead = Pallet::<Test>::slice_overhead(&[(info.length, info.pages)], 2);
        let reading = <<Test as Config>::WeightInfo as WeightInfo>::syscall_balance();
        let price = |weight| PerMicrosecond::weight_to_fee(&weight);
        assert_eq!(prepaid(JobTarget::Code(code_hash)), price(overhead + gas));
        assert_eq!(prepaid(of_instance(&instance, None)), price(overhead + reading + gas));
        let longest: u32 = <Test as Config>::MaxPayloadLen::get();
        let pages = MaxSnapshot::get() / 4096;
        let rest = <<Test as Config>::WeightInfo as WeightInfo>::job_slice(pages).proof_size();
        assert!(overhead.proof_size() >= rest + u64::from(longest), "a proof has all of the input");
    });
}

/// Gas pays for starting a process, but not for the pages that it then touches.
#[test]
fn a_tree_pays_for_the_memory_of_all_that_it_may_start() {
    in_block(|| {
        let (manager, worker) = (manager(), worker());
        upload(&manager);
        upload(&worker);
        let ref_time_per_gas: u64 = <Test as Config>::RefTimePerGas::get();
        let gas_of_process = 20_000 * ref_time_per_gas;
        for started in [0, 1, 5] {
            let gas = Weight::from_parts(started * gas_of_process, 0);
            let target = processes(&manager, &[("worker", &worker)]);
            start(&BOB, starting_at(target, "main", &3u64.to_le_bytes(), gas, 10));
            let Some(Event::JobStarted { prepaid, .. }) = events().pop() else { panic!() };
            let program = |code: &[u8]| (code.len() as u32, 3);
            // 17 may live when a slice begins, and when it ends.
            let overhead =
                Pallet::<Test>::slice_overhead(&[program(&manager), program(&worker)], 34 + started);
            assert_eq!(prepaid, 10 * PerMicrosecond::weight_to_fee(&(overhead + gas)));
            let memory = <<Test as Config>::WeightInfo as WeightInfo>::memory(3) * (33 + started);
            let alone = Pallet::<Test>::slice_overhead(&[program(&manager), program(&worker)], 1);
            assert_eq!(overhead, alone + memory);
        }
    });
}
