//! Dry runs, and what else the runtime API offers.

use super::script::{Output, Script};
use crate::{
    Argument, Call, Config, DryRunOf, Error, Event, Pallet, WeightInfo,
    mock::*,
    runtime_api::{Deposits, ReadStorageError},
};
use frame_support::{assert_ok, dispatch::DispatchClass, traits::Get as _, weights::Weight};
use frame_system::limits::BlockWeights;
use sp_runtime::AccountId32;

type Weights = <Test as Config>::WeightInfo;

pub(super) fn dry_run(
    origin: &AccountId32,
    instance: &AccountId32,
    export: &str,
    input: &[u8],
    gas: Option<Weight>,
) -> DryRunOf<Test> {
    let root = sp_io::storage::root(sp_runtime::StateVersion::V1);
    let dry_run = Pallet::<Test>::dry_run_call(
        origin.clone(),
        instance.clone(),
        export.as_bytes().to_vec(),
        0,
        input.to_vec(),
        gas,
        None,
    );
    assert_eq!(root, sp_io::storage::root(sp_runtime::StateVersion::V1), "a dry run changed something");
    dry_run
}

#[test]
fn a_dry_run_tells_everything_and_changes_nothing() {
    in_block(|| {
        let code_hash = upload(TALLY);
        let instance = instantiate(code_hash, 0, &[], 0);
        let dry_run = dry_run(&BOB, &instance, "increment", &[], Some(GAS));
        assert_eq!(dry_run.result, Ok(1_u64.to_le_bytes().to_vec()));
        assert_eq!(dry_run.failure, None);
        assert_eq!(dry_run.deposits, Deposits::default());
        assert_eq!(dry_run.gas_limit, GAS);
        let expected = [
            Event::Emitted { instance: instance.clone(), data: 1_u64.to_le_bytes().to_vec() },
            Event::Called { instance: instance.clone(), caller: BOB },
        ];
        assert_eq!(dry_run.events, expected.map(RuntimeEvent::Virtualization));
        assert_eq!(output(&BOB, &instance, "value", &[]), 0_u64.to_le_bytes());
    });
}

#[test]
fn a_dry_run_is_in_the_next_block() {
    in_block(|| {
        let instance = script_instance();
        for number in [0, 1, 41] {
            System::set_block_number(number);
            let script = Script::new().context().event(&[], 1, 1).end();
            let dry_run = dry_run(&BOB, &instance, "run", &script, None);
            let output = dry_run.result.unwrap();
            assert_eq!(Output(&output[96..]).number(), number + 1);
            // A block without a number before it has events as well.
            assert_eq!(dry_run.events.len(), 2);
            assert_eq!(System::block_number(), number);
        }
    });
}

#[test]
fn a_dry_run_that_fails_says_why_and_what_was_printed() {
    in_block(|| {
        let code_hash = upload(TALLY);
        let instance = instantiate(code_hash, 0, &[], 0);
        let trapped = dry_run(&BOB, &instance, "increment_and_panic", &[], Some(GAS));
        let kind = crate::TrapKind::Trap;
        assert_eq!(trapped.result, Err(Error::<Test>::Trapped { depth: 0, kind }.into()));
        let failure = trapped.failure.unwrap();
        assert!(
            matches!(failure.cause, crate::Cause::Trapped(trap) if trap.kind == kind && trap.pc > 0),
            "{failure:?}"
        );
        assert_eq!(failure.depth, 0);
        assert_eq!(trapped.debug, [(instance.clone(), b"about to panic".to_vec())]);
        assert_eq!(trapped.events, []);
        let reverted = dry_run(&BOB, &instance, "increment_and_revert", &[], Some(GAS));
        assert_eq!(reverted.reverted_with, b"asked to");
        let missing = dry_run(&BOB, &CHARLIE, "run", &[], None);
        assert_eq!(missing.result, Err(Error::<Test>::InstanceNotFound { depth: 0 }.into()));
    });
}

#[test]
fn a_dry_run_takes_no_more_than_an_extrinsic_could() {
    in_block(|| {
        let instance = script_instance();
        let refused = Err(Error::<Test>::InvalidArgument { depth: 0, argument: Argument::Length }.into());
        let longest = [Script::new().end(), vec![0; 64 * 1024 - 1]].concat();
        assert_eq!(dry_run(&BOB, &instance, "run", &longest, None).result, Ok(vec![]));
        let longer = [longest, vec![0]].concat();
        assert_eq!(dry_run(&BOB, &instance, "run", &longer, None).result, refused);
        assert_eq!(dry_run(&BOB, &instance, &"x".repeat(65), &[], None).result, refused);
    });
}

#[test]
fn a_dry_run_is_priced_as_if_nobody_had_used_its_programs_before() {
    let mut externalities = externalities();
    let (outer, inner) = externalities.execute_with(|| {
        let tally = upload(TALLY);
        (script_instance(), instantiate(tally, 0, &[], 0))
    });
    next_block(&mut externalities);
    let call_inner = Script::new().call_with(&inner, "value", vec![], 0, u64::MAX, false);
    let twice = call_inner.call_with(&inner, "value", vec![], 0, u64::MAX, false).end();
    externalities.execute_with(|| {
        let cold = dry_run(&BOB, &outer, "run", &twice, Some(GAS)).gas_consumed;
        let first = weight(&call(&BOB, &outer, "run", &twice));
        let second = weight(&call(&BOB, &outer, "run", &twice));
        let (outer_code, inner_code) =
            (Weights::compile(SCRIPT.len() as u32), Weights::compile(TALLY.len() as u32));
        assert_eq!(cold, first, "the callee's program is called twice and compiled once");
        assert_eq!(first, second + inner_code + outer_code);
        assert_eq!(dry_run(&BOB, &outer, "run", &twice, Some(GAS)).gas_consumed, cold);
    });
}

#[test]
fn a_dry_run_pays_again_for_what_was_compiled_in_a_call_that_failed() {
    let mut externalities = externalities();
    let (outer, inner) = externalities.execute_with(|| {
        let tally = upload(TALLY);
        (script_instance(), instantiate(tally, 0, &[], 0))
    });
    next_block(&mut externalities);
    let fails = Script::new().call_with(&inner, "increment_and_panic", vec![], 0, u64::MAX, false);
    let script = fails.call_with(&inner, "value", vec![], 0, u64::MAX, false).end();
    externalities.execute_with(|| {
        let cold = dry_run(&BOB, &outer, "run", &script, Some(GAS)).gas_consumed;
        let first = weight(&call(&BOB, &outer, "run", &script));
        assert_eq!(cold, first);
        let compiled = first - weight(&call(&BOB, &outer, "run", &script));
        let twice = Weights::compile(TALLY.len() as u32);
        // In the second call as well, the first of the two finds what the second of the first call left.
        assert_eq!(compiled, Weights::compile(SCRIPT.len() as u32) + twice + twice);
    });
}

#[test]
fn a_dry_run_tells_the_deposit_of_an_instance_that_terminates() {
    in_block(|| {
        let instance = script_instance();
        let deposit = Pallet::<Test>::instance_deposit();
        let script = Script::new().terminate(&CHARLIE);
        let deposits = |origin| dry_run(origin, &instance, "run", &script, None).deposits;
        assert_eq!(deposits(&BOB), Deposits { released_to_others: deposit, ..Default::default() });
        assert_eq!(deposits(&ALICE), Deposits { released: deposit, ..Default::default() });
    });
}

#[test]
fn what_a_dry_run_requires_is_exactly_enough() {
    let mut externalities = externalities();
    let instance = externalities.execute_with(script_instance);
    let scripts = [
        Script::new().end(),
        Script::new().set(b"key", 1, 1000).get(b"key").end(),
        // What is refunded at the end has to be there before.
        Script::new().get(b"other").end(),
        Script::new().remove(b"other").finish(),
    ];
    for script in scripts {
        next_block(&mut externalities);
        externalities.execute_with(|| {
            let dry_run = dry_run(&BOB, &instance, "run", &script, None);
            assert!(dry_run.gas_required.all_gte(dry_run.gas_consumed));
            let limited = |gas_limit, deposit_limit| Call::call {
                instance: instance.clone(),
                export: bounded(b"run"),
                value: 0,
                input: bounded(&script),
                gas_limit,
                storage_deposit_limit: Some(deposit_limit),
            };
            let (required, deposit) = (dry_run.gas_required, dry_run.deposits.peak);
            for short in [Weight::from_parts(1, 0), Weight::from_parts(0, 1)] {
                let result = dispatch(&BOB, limited(required - short, deposit));
                assert!(result.is_err(), "{script:?} needs less than {required:?}");
            }
            let result = dispatch(&BOB, limited(required, deposit));
            assert_ok!(result);
            assert_eq!(weight(&result), dry_run.gas_consumed);
        });
    }
}

#[test]
fn a_dry_run_uses_no_more_than_the_largest_extrinsic() {
    in_block(|| {
        let instance = script_instance();
        let weights: BlockWeights = <Test as frame_system::Config>::BlockWeights::get();
        let largest =
            weights.get(DispatchClass::Normal).max_extrinsic.expect("the test runtime limits extrinsics");
        let most = largest - ExtensionsWeight::get();
        for input in [0, 5000] {
            // The bytes of an extrinsic count as proof.
            let bytes = Weight::from_parts(0, "nothing".len() as u64 + input + 512);
            for asked in [None, Some(Weight::MAX), Some(most)] {
                let input = vec![0; input as usize];
                assert_eq!(dry_run(&BOB, &instance, "nothing", &input, asked).gas_limit, most - bytes);
            }
        }
        let little = Weight::from_parts(1_000_000, 1000);
        let dry_run = dry_run(&BOB, &instance, "nothing", &[], Some(little));
        assert_eq!(dry_run.gas_limit, little);
        assert!(dry_run.result.is_err());
    });
}

#[test]
fn debug_messages_are_kept_up_to_a_limit() {
    in_block(|| {
        let instance = script_instance();
        let script = (0..100)
            .fold(Script::new().print(b"first"), |script, _| {
                script.raw("debug_print_v1", [0xfffd_f000, 4096, 0, 0])
            })
            .end();
        let DryRunOf::<Test> { debug: messages, gas_consumed, .. } =
            dry_run(&BOB, &instance, "run", &script, None);
        assert_eq!(messages[0], (instance.clone(), b"first".to_vec()));
        // As many of 4096 bytes, and what a message takes besides, as fit into 256 KiB with the first.
        assert_eq!(messages.len(), 1 + (256 * 1024 - 5 - 64) / (4096 + 64));
        // A block keeps none, and a call in it costs the same but for the compilation, which a dry run always counts.
        let cost = weight(&call(&BOB, &instance, "run", &script));
        assert_eq!(gas_consumed, cost + Weights::compile(SCRIPT.len() as u32));
    });
}

#[test]
fn storage_is_read_from_outside() {
    in_block(|| {
        let instance = script_instance();
        assert_ok!(call(&BOB, &instance, "run", &Script::new().set(b"key", 4, 2).end()));
        assert_eq!(Pallet::<Test>::read_storage(&instance, b"key"), Ok(Some(vec![4, 4])));
        assert_eq!(Pallet::<Test>::read_storage(&instance, b"other"), Ok(None));
        assert_eq!(Pallet::<Test>::read_storage(&BOB, b"key"), Err(ReadStorageError::InstanceNotFound));
        assert_eq!(Pallet::<Test>::read_storage(&instance, &[1; 129]), Err(ReadStorageError::KeyTooLong));
    });
}
