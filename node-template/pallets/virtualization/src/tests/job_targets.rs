//! Jobs of instances, and of several processes.

use super::{
    jobs::{finish, holds, keys, millis, start, starting_at},
    script::Script,
};
use crate::{
    BalanceOf, Call, Cause, Config, Error, Event, HoldReason, Instances, JobFailure, JobQueue, JobTarget,
    Jobs, Pallet, ProgramIdentifier, WeightInfo, items, mock::*,
};
use frame_support::{
    BoundedVec, assert_ok,
    traits::Get as _,
    weights::{Weight, WeightToFee as _},
};
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
    let script = (0..30u8).fold(Script::new(), |script, key| script.set(&[key], key, 100));
    let script = script.transfer(&CHARLIE, 300).event(&[], 9, 3).finish();
    let before = externalities.execute_with(|| {
        start(&BOB, run(instance, script, slice(4), None));
        Balances::free_balance(&CHARLIE)
    });
    let seen = finish(&mut externalities);
    externalities.execute_with(|| {
        let Some(Event::JobFinished { slices, output, .. }) = seen.last() else { panic!("{seen:?}") };
        assert!(*slices > 2, "{slices}");
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

/// A call that the end of a slice would cut is undone and made in the next slice, so nothing happens twice.
#[test]
fn calls_run_to_their_end_within_a_slice() {
    let (mut externalities, instances) = with_instances(2);
    let [job, callee] = &instances[..] else { panic!() };
    // Each call takes most of a slice. What it stores tells which call it was.
    let calls = 6;
    let script = (0..calls).fold(Script::new(), |script, number: u8| {
        let work = (0..20).fold(Script::new(), |script, _| script.hash(&[number; 200]));
        script.call(callee, work.set(&[number], number, 10).finish())
    });
    let script = script.finish();
    let one_call = externalities.execute_with(|| {
        let work = (0..20).fold(Script::new(), |script, _| script.hash(&[0; 200]));
        let script = Script::new().call(callee, work.set(&[99], 9, 10).finish()).end();
        weight(&call(&BOB, job, "run", &script))
    });
    // Enough for one call, whose program counts as not compiled, and not for two.
    let one_call = one_call + <<Test as Config>::WeightInfo as WeightInfo>::compile(SCRIPT.len() as u32);
    let gas = Weight::from_parts(one_call.ref_time() * 5 / 4, one_call.proof_size() * 5 / 4);
    externalities.execute_with(|| start(&BOB, run(job, script, gas, None)));
    let mut seen = Vec::new();
    let mut pending = 0;
    let slices = loop {
        next_block(&mut externalities);
        let end = externalities.execute_with(|| {
            idle(Weight::MAX);
            check();
            pending += u32::from(crate::jobs::has_pending_syscall(1));
            seen.extend(events());
            JobQueue::<Test>::get().is_empty()
        });
        if end {
            break seen.iter().filter(|event| matches!(event, Event::JobAdvanced { .. })).count() + 1;
        }
    };
    assert!(matches!(seen.last(), Some(Event::JobFinished { .. })), "{seen:?}");
    let called = Event::Called { instance: callee.clone(), caller: job.clone() };
    assert_eq!(seen.iter().filter(|event| **event == called).count(), usize::from(calls));
    assert!(!seen.iter().any(|event| matches!(event, Event::CallFailed { .. })), "{seen:?}");
    assert!(slices > 3 && pending > 1, "{slices} slices, {pending} of them ended at a call");
    externalities.execute_with(|| {
        for number in 0..calls {
            assert_eq!(stored(callee, &[number]), Some(vec![number; 10]));
        }
    });
}

/// What a whole slice does not suffice for fails, and the guest is told.
#[test]
fn a_call_that_no_slice_suffices_for_fails() {
    let (mut externalities, instances) = with_instances(2);
    let [job, callee] = &instances[..] else { panic!() };
    let script = Script::new().set(&[1], 1, 1).call(callee, Script::new().spin()).set(&[2], 2, 1).finish();
    externalities.execute_with(|| start(&BOB, run(job, script, slice(10), None)));
    let seen = finish(&mut externalities);
    let failed = seen.iter().filter(|event| matches!(event, Event::CallFailed { .. })).count();
    assert_eq!(failed, 1, "{seen:?}");
    externalities.execute_with(|| {
        assert_eq!((stored(job, &[1]), stored(job, &[2])), (Some(vec![1]), Some(vec![2])));
    });
    assert!(matches!(seen.last(), Some(Event::JobFinished { .. })), "{seen:?}");
    // One that it limits itself fails at once.
    let (mut externalities, instances) = with_instances(2);
    let [job, callee] = &instances[..] else { panic!() };
    let script = Script::new().call_with(callee, "run", Script::new().spin(), 0, 50_000, false).finish();
    externalities.execute_with(|| start(&BOB, run(job, script, slice(50), None)));
    let seen = finish(&mut externalities);
    let Some(Event::JobFinished { slices: 1, .. }) = seen.last() else { panic!("{seen:?}") };
}

#[test]
fn what_ends_a_job_of_an_instance() {
    let failure = |seen: &[Event<Test>]| match seen.last() {
        Some(Event::JobFailed { failure, .. }) => *failure,
        other => panic!("{other:?}"),
    };
    // It is removed meanwhile.
    let (mut externalities, instances) = with_instances(1);
    let script = Script::new().spin();
    externalities.execute_with(|| start(&BOB, run(&instances[0], script.clone(), slice(4), None)));
    next_block(&mut externalities);
    externalities.execute_with(|| {
        idle(Weight::MAX);
        let code_hash = Pallet::<Test>::code_hash(SCRIPT);
        assert_ok!(dispatch(&ALICE, Call::remove_instance { instance: instances[0].clone() }));
        assert_eq!(error(dispatch(&ALICE, Call::remove_code { code_hash })), Error::<Test>::CodeInUse.into());
        check();
    });
    assert_eq!(failure(&finish(&mut externalities)), JobFailure::Guest(Cause::InstanceNotFound));

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

    // It stores more than its owner allows, in all slices together. What slices before did stays.
    let (mut externalities, instances) = with_instances(1);
    let script = (0..30u8).fold(Script::new(), |script, key| script.set(&[key], key, 100)).finish();
    let limit = 20 * (PER_ITEM + PER_BYTE * 101);
    let job = externalities.execute_with(|| start(&BOB, run(&instances[0], script, slice(4), Some(limit))));
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
        let held = held(HoldReason::Storage, &BOB);
        assert!(held > 0 && held <= limit);
        assert!(stored(&instances[0], &[0]).is_some() && stored(&instances[0], &[29]).is_none());
        check();
    });

    in_block(|| {
        let call = run(&CHARLIE, Vec::new(), slice(1), None);
        assert_eq!(error(dispatch(&BOB, call)), Error::<Test>::InstanceNotFound { depth: 0 }.into());
    });
}

const DATA: u32 = 0x2_0000;

fn program(imports: &[&[u8]], exports: &[(&str, &[Instruction])]) -> Vec<u8> {
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
            // 17 may live when a slice begins.
            let overhead =
                Pallet::<Test>::slice_overhead(&[program(&manager), program(&worker)], 17 + started);
            assert_eq!(prepaid, 10 * PerMicrosecond::weight_to_fee(&(overhead + gas)));
            let memory = <<Test as Config>::WeightInfo as WeightInfo>::memory(3) * (16 + started);
            let alone = Pallet::<Test>::slice_overhead(&[program(&manager), program(&worker)], 1);
            assert_eq!(overhead, alone + memory);
        }
    });
}
