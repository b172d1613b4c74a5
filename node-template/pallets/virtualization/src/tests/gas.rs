//! Gas is weight, and everything is paid from it.

use super::{
    instances::assert_noop_but_weight,
    script::{Output, Script},
};
use crate::{Call, CodeInfos, Config, Error, Pallet, REF_TIME_PER_GAS, Resource, WeightInfo, mock::*};
use frame_support::{
    assert_ok,
    weights::{RuntimeDbWeight, Weight},
};

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

/// An instance's record is written where a call of it ends that has changed what it stores, however many items that were.
#[test]
fn the_record_of_an_instance_is_paid_for_once_a_call() {
    in_block(|| {
        let instance = script_instance();
        let database: RuntimeDbWeight = <Test as frame_system::Config>::DbWeight::get();
        let write = database.writes(1).ref_time();
        let cost = |script: &Script| weight(&call(&BOB, &instance, "run", &script.clone().end())).ref_time();
        let costs = |steps: [Script; 4]| {
            let [none, one, two, three] = steps.map(|script| cost(&script));
            [one - none, two - one, three - two]
        };
        let set = |keys: &[u8]| keys.iter().fold(Script::new(), |script, key| script.set(&[*key], 1, 10));
        let remove = |keys: &[u8]| keys.iter().fold(Script::new(), |script, key| script.remove(&[*key]));
        // The keys differ, so each run finds nothing under its own.
        let of_sets = costs([set(b""), set(b"a"), set(b"bc"), set(b"def")]);
        let of_removals = costs([remove(b""), remove(b"0"), remove(b"12"), remove(b"345")]);
        for [first, second, third] in [of_sets, of_removals] {
            // What else the guest does the first time is little.
            assert!((first - second).abs_diff(write) < write / 10, "{first} and {second}");
            assert!(second.abs_diff(third) < write / 10, "{second} and {third}");
        }
    });
}

#[test]
fn a_program_is_compiled_once_in_a_block() {
    let mut externalities = externalities();
    let instance = externalities.execute_with(script_instance);
    let run = || weight(&call(&BOB, &instance, "run", &Script::new().end()));
    next_block(&mut externalities);
    externalities.execute_with(|| {
        // The same limit each time: who pays for a compilation that is not needed gets it back.
        let (cold, warm) = (run(), run());
        assert_eq!(cold, warm + Weights::compile(SCRIPT.len() as u32));
        assert_eq!(run(), warm);
        // And a limit that would not suffice for it does where it is not needed.
        let limited = |gas_limit| {
            let request = request(&BOB, &instance, "run", &Script::new().end());
            Pallet::<Test>::bare_call(crate::CallRequest { gas_limit, ..request })
        };
        assert_ok!(limited(warm).result);
        assert_eq!(limited(warm).gas_required, warm);
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

/// What the memory of a machine costs.
fn memory(code: &[u8]) -> Weight {
    let info = CodeInfos::<Test>::get(Pallet::<Test>::code_hash(code)).expect("it was uploaded");
    Weights::memory(info.pages)
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
        let least = Weights::call(0) + memory(SCRIPT);
        let short = least + Weights::compile(SCRIPT.len() as u32) - Weight::from_parts(1, 0);
        assert_noop_but_weight(
            || dispatch(&BOB, limited(short)),
            Error::<Test>::OutOfGas { depth: 0, resource: Resource::RefTime },
        );
        let result = dispatch(&BOB, limited(short));
        assert_eq!(weight(&result), least, "what could not be paid was not done");
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
fn what_was_not_used_before_a_trap_is_refunded() {
    in_block(|| {
        let instance = script_instance();
        let run = |script: &[u8]| weight(&call(&BOB, &instance, "run", script));
        let (trap, revert) = (run(&Script::new().trap()), run(&Script::new().revert()));
        // The guest ends the call in another branch of the same code, and a revert costs a syscall.
        assert!(trap.ref_time() > Weights::call(1).ref_time(), "{trap:?}");
        assert!(trap.ref_time() < revert.ref_time(), "{trap:?}, {revert:?}");
        let after_work = run(&Script::new().set(b"key", 1, 1).trap());
        assert!(after_work.all_gte(trap + Weights::syscall_storage_set(1, 0)), "{after_work:?}");
    });
}

#[test]
fn gas_of_a_trap_is_what_the_engine_counts() {
    let engine = hatchery_engine::Engine::new(hatchery_engine::Config::default()).unwrap();
    let module = engine.compile(TRAPS).unwrap();
    in_block(|| {
        let code_hash = upload(TRAPS);
        let instance = instantiate(code_hash, 0, &[], 0);
        for export in ["trap", "panics", "load_null", "store_read_only", "jump_null", "stack_overflow"] {
            let mut machine = module.instantiate();
            machine.prepare(export, &[]).expect("there is this export");
            machine.set_gas(i64::MAX);
            assert!(matches!(machine.run(), Ok(hatchery_engine::Exit::Trap(_))), "{export}");
            let used = (i64::MAX - machine.gas()) as u64;
            assert!(used > 0);
            let expected = Weights::call(0) + memory(TRAPS) + Weight::from_parts(used * REF_TIME_PER_GAS, 0);
            assert_eq!(weight(&call(&BOB, &instance, export, &[])), expected, "{export}");
        }
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
        // The rest is the same, up to the block of code that the gas does not suffice for.
        let difference = (much - little) / REF_TIME_PER_GAS;
        assert!(difference.abs_diff(1_000_000) < 100, "{difference}");
    });
}

#[test]
fn a_caller_gets_back_what_a_callee_that_trapped_did_not_use() {
    in_block(|| {
        let outer = script_instance();
        let inner = instantiate(Pallet::<Test>::code_hash(SCRIPT), 1, &[], 0);
        let run = |inner_script| {
            let script = Script::new().call(&inner, inner_script).end();
            let result = call(&BOB, &outer, "run", &script);
            assert_ok!(result);
            weight(&result).ref_time()
        };
        // All gas is forwarded; the caller goes on with the rest of it.
        let (trap, revert) = (run(Script::new().trap()), run(Script::new().revert()));
        assert!(trap < revert && revert < GAS.ref_time() / 2, "{trap}, {revert}");
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

/// The template is what the next measurement makes the weights of.
#[test]
fn the_weights_and_their_template_have_the_same_trait() {
    let of = |text: &'static str| {
        let (_, rest) = text.split_once("pub trait WeightInfo {").expect("there is a trait");
        rest.split_once("\n}\n").expect("it ends").0
    };
    assert_eq!(of(include_str!("../weights.rs")), of(include_str!("../../weights.hbs")));
}
