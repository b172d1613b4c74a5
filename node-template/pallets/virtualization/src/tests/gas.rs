//! Gas is weight, and everything is paid from it.

use super::{
    instances::assert_noop_but_weight,
    script::{Output, Script},
};
use crate::{Call, Config, Error, Pallet, REF_TIME_PER_GAS, Resource, WeightInfo, mock::*};
use frame_support::{assert_ok, weights::Weight};

type Weights = <Test as Config>::WeightInfo;

#[test]
fn what_is_not_used_is_refunded() {
    in_block(|| {
        let instance = script_instance();
        let run = |gas_limit| {
            let input = Script::new().set(b"key", 1, 1).remove(b"key").end();
            weight(&dispatch(
                &BOB,
                Call::call {
                    instance: instance.clone(),
                    export: bounded(b"run"),
                    value: 0,
                    input: bounded(&input),
                    gas_limit,
                    storage_deposit_limit: None,
                },
            ))
        };
        let used = run(GAS);
        assert!(used.all_lt(GAS));
        assert_eq!(run(GAS + GAS), used);
        assert!(used.all_gte(Weights::call(0) + Weights::syscall_storage_set(1, 0)));
    });
}

#[test]
fn a_program_is_compiled_once_in_a_block() {
    let mut externalities = externalities();
    let instance = externalities.execute_with(script_instance);
    let run = || weight(&call(&BOB, &instance, "run", &Script::new().end()));
    next_block(&mut externalities);
    externalities.execute_with(|| {
        let (cold, warm) = (run(), run());
        assert_eq!(cold, warm + Weights::compile(SCRIPT.len() as u32));
        assert_eq!(run(), warm);
    });
    next_block(&mut externalities);
    externalities.execute_with(|| assert!(run().all_gt(Weights::compile(SCRIPT.len() as u32))));
}

#[test]
fn a_failed_call_undoes_the_compilation_too() {
    let mut externalities = externalities();
    let instance = externalities.execute_with(script_instance);
    let compile = Weights::compile(SCRIPT.len() as u32);
    next_block(&mut externalities);
    externalities.execute_with(|| {
        let trap = || weight(&call(&BOB, &instance, "run", &Script::new().revert()));
        let (first, second) = (trap(), trap());
        assert_eq!(first, second, "the program was cached by a call that failed");
        assert!(first.all_gt(compile));
        assert_ok!(call(&BOB, &instance, "run", &Script::new().end()));
        assert_eq!(trap() + compile, first);
    });
}

#[test]
fn a_failed_callee_undoes_its_compilation_too() {
    let mut externalities = externalities();
    let (outer, inner) = externalities.execute_with(|| {
        let tally = upload(TALLY);
        (script_instance(), instantiate(tally, 0, &[], 0))
    });
    let compile = Weights::compile(TALLY.len() as u32);
    next_block(&mut externalities);
    externalities.execute_with(|| {
        let call_inner = |export| Script::new().call_with(&inner, export, vec![], 0, u64::MAX, false).end();
        let run = |export| weight(&call(&BOB, &outer, "run", &call_inner(export)));
        assert_ok!(call(&BOB, &outer, "run", &Script::new().end()));
        let (first, second) = (run("increment_and_revert"), run("increment_and_revert"));
        assert_eq!(first, second);
        assert_ok!(call(&BOB, &inner, "value", &[]));
        assert_eq!(run("increment_and_revert") + compile, first);
    });
}

#[test]
fn compilation_is_paid_before_the_program_is_read() {
    let mut externalities = externalities();
    let instance = externalities.execute_with(script_instance);
    next_block(&mut externalities);
    externalities.execute_with(|| {
        let limited = |gas_limit| Call::call {
            instance: instance.clone(),
            export: bounded(b"nothing"),
            value: 0,
            input: bounded(&[]),
            gas_limit,
            storage_deposit_limit: None,
        };
        let short = Weights::call(0) + Weights::compile(SCRIPT.len() as u32) - Weight::from_parts(1, 0);
        assert_noop_but_weight(
            || dispatch(&BOB, limited(short)),
            Error::<Test>::OutOfGas { depth: 0, resource: Resource::RefTime },
        );
        let result = dispatch(&BOB, limited(short));
        assert_eq!(weight(&result), Weights::call(0), "what could not be paid was not done");
    });
}

#[test]
fn a_limit_below_the_least_costs_the_least() {
    in_block(|| {
        let instance = script_instance();
        let call = Call::call {
            instance,
            export: bounded(b"nothing"),
            value: 0,
            input: bounded(&[1; 100]),
            gas_limit: Weight::zero(),
            storage_deposit_limit: None,
        };
        let result = dispatch(&BOB, call);
        assert_eq!(weight(&result), Weights::call(100));
        assert_eq!(error(result), Error::<Test>::OutOfGas { depth: 0, resource: Resource::RefTime }.into());
    });
}

#[test]
fn a_trap_uses_all_gas_and_a_revert_only_its_own() {
    in_block(|| {
        let instance = script_instance();
        let trap = weight(&call(&BOB, &instance, "run", &Script::new().trap()));
        assert!(GAS.ref_time() - trap.ref_time() < REF_TIME_PER_GAS, "{trap:?}");
        let revert = weight(&call(&BOB, &instance, "run", &Script::new().revert()));
        assert!(revert.ref_time() < GAS.ref_time() / 2, "{revert:?}");
    });
}

#[test]
fn a_callee_uses_no_more_than_it_is_given() {
    in_block(|| {
        let outer = script_instance();
        let inner = instantiate(Pallet::<Test>::code_hash(SCRIPT), 1, &[], 0);
        let run = |gas| {
            let script = Script::new().call_with(&inner, "run", Script::new().spin(), 0, gas, false).end();
            let result = call(&BOB, &outer, "run", &script);
            assert_ok!(result);
            weight(&result).ref_time()
        };
        let (little, much) = (run(1_000_000), run(2_000_000));
        // The rest is the same, up to the end of the block of code in which the gas runs out.
        assert_eq!(much - little, 1_000_000 * REF_TIME_PER_GAS);
    });
}

#[test]
fn all_gas_to_a_callee_that_traps_leaves_the_caller_none() {
    in_block(|| {
        let outer = script_instance();
        let inner = instantiate(Pallet::<Test>::code_hash(SCRIPT), 1, &[], 0);
        let script = Script::new().call(&inner, Script::new().trap()).end();
        assert_noop_but_weight(
            || call(&BOB, &outer, "run", &script),
            Error::<Test>::OutOfGas { depth: 0, resource: Resource::RefTime },
        );
        let script = Script::new().call(&inner, Script::new().revert()).end();
        assert_ok!(call(&BOB, &outer, "run", &script));
    });
}

#[test]
fn the_bytes_of_events_are_paid_for() {
    in_block(|| {
        let instance = script_instance();
        let run = |length| {
            weight(&call(&BOB, &instance, "run", &Script::new().event(&[], 1, length).end())).ref_time()
        };
        assert!(run(2000) - run(1000) >= 1000 * crate::REF_TIME_PER_EVENT_BYTE);
        let topic = |count: usize| Script::new().event(&vec![[7; 32]; count], 1, 0).end();
        let cost = |count| weight(&call(&BOB, &instance, "run", &topic(count))).ref_time();
        assert!(cost(4) - cost(0) >= 4 * 32 * crate::REF_TIME_PER_EVENT_BYTE);
    });
}

#[test]
fn gas_is_the_same_however_often_it_is_looked_at() {
    in_block(|| {
        let instance = script_instance();
        let bytes = output(&BOB, &instance, "run", &Script::new().context().context().context().end());
        let mut output = Output(&bytes);
        let mut left = || {
            output.take(32 + 32 + 16 + 16 + 8);
            output.number()
        };
        let (first, second, third) = (left(), left(), left());
        assert!(first > second && second > third);
        let syscalls = Weights::syscall_context() * 5 + Weights::syscall_balance();
        for (before, after) in [(first, second), (second, third)] {
            assert!((before - after) * REF_TIME_PER_GAS >= syscalls.ref_time());
        }
    });
}

#[test]
fn the_conversion_is_no_less_than_the_measurement() {
    let measured = Weights::gas(1000).ref_time() - Weights::gas(0).ref_time();
    assert!(measured <= 1_000_000 * REF_TIME_PER_GAS, "1,000,000 gas took {measured} ps");
}
