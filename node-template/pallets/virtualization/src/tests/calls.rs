//! Calls, and calls within calls.

use super::script::{Output, Script};
use crate::{
    Call, CallRequest, Cause, Code, Config, Event, Failure, Instances, JobTarget, Pallet, Trap, TrapKind,
    mock::*,
};
use frame_support::{assert_noop, assert_ok, traits::Get as _, weights::Weight};
use sp_runtime::{AccountId32, DispatchError, traits::Dispatchable as _};

#[test]
fn every_call_has_to_be_signed() {
    in_block(|| {
        let instance = script_instance();
        let code_hash = Pallet::<Test>::code_hash(SCRIPT);
        let job = Call::start_job {
            target: JobTarget::Code(code_hash),
            export: bounded(b"run"),
            input: bounded(&[]),
            gas_per_slice: Weight::zero(),
            max_slices: 1,
        };
        let calls = [
            upload_of(TALLY),
            Call::remove_code { code_hash },
            instantiation(code_hash, 1, &[]),
            calling(&instance, "nothing", &[]),
            Call::remove_instance { instance },
            job,
            Call::cancel_job { job: 1 },
        ];
        for call in calls {
            for origin in [RuntimeOrigin::none(), RuntimeOrigin::root()] {
                let result = RuntimeCall::Virtualization(call.clone()).dispatch(origin);
                assert_noop!(result.map_err(|error| error.error), DispatchError::BadOrigin);
            }
        }
    });
}

#[test]
fn a_call_changes_storage_and_says_so() {
    in_block(|| {
        let code_hash = upload(TALLY);
        let instance = instantiate(code_hash, 0, &[], 0);
        System::reset_events();
        assert_ok!(call(&BOB, &instance, "increment", &[]));
        assert_eq!(
            events(),
            [
                Event::Emitted { instance: instance.clone(), data: 1_u64.to_le_bytes().to_vec() },
                Event::Called { instance: instance.clone(), caller: BOB },
            ]
        );
        assert_ok!(call(&BOB, &instance, "increment", &[]));
        assert_eq!(output(&BOB, &instance, "value", &[]), 2_u64.to_le_bytes());
    });
}

#[test]
fn an_export_that_just_returns_puts_out_nothing() {
    in_block(|| {
        let instance = script_instance();
        assert_eq!(output(&BOB, &instance, "nothing", b"ignored"), b"");
        assert_eq!(output(&BOB, &instance, "run", &Script::new().context().finish()), b"");
    });
}

#[test]
fn memory_does_not_last() {
    in_block(|| {
        let instance = script_instance();
        let run = || output(&BOB, &instance, "run", &Script::new().get(b"key").end());
        assert_eq!(run(), run());
        assert_ok!(call(&BOB, &instance, "run", &Script::new().set(b"key", 7, 3).end()));
        assert_eq!(Output(&run()).item(), Some(&[7; 3][..]));
    });
}

#[test]
fn value_comes_before_the_guest_runs_and_goes_back_if_it_fails() {
    in_block(|| {
        let instance = script_instance();
        let with_value = |input: Vec<u8>| Call::call {
            instance: instance.clone(),
            export: bounded(b"run"),
            value: 55,
            input: bounded(&input),
            gas_limit: GAS,
            storage_deposit_limit: None,
        };
        let before = Balances::free_balance(&instance);
        assert!(dispatch(&BOB, with_value(Script::new().trap())).is_err());
        assert_eq!(Balances::free_balance(&instance), before);
        let send_on =
            Script::new().transfer(&CHARLIE, u128::from(before) + 55 - u128::from(EXISTENTIAL_DEPOSIT));
        assert_ok!(dispatch(&BOB, with_value(send_on.end())));
        assert_eq!(Balances::free_balance(&instance), EXISTENTIAL_DEPOSIT);
        assert_eq!(Balances::free_balance(&BOB), ENDOWMENT - 55);
    });
}

#[test]
fn an_instance_calls_another_and_reads_what_it_returns() {
    in_block(|| {
        let outer = script_instance();
        let tally = upload(TALLY);
        let tally = instantiate(tally, 0, &[], 0);
        let twice = Script::new()
            .call_with(&tally, "increment", vec![], 3, u64::MAX, false)
            .call_with(&tally, "value", vec![], 0, u64::MAX, false)
            .end();
        let output = output(&BOB, &outer, "run", &twice);
        let mut output = Output(&output);
        for _ in 0..2 {
            assert_eq!(output.answer(), 0);
            assert_eq!(output.returned(), 1_u64.to_le_bytes());
        }
        assert_eq!(Balances::free_balance(&tally), EXISTENTIAL_DEPOSIT + 3);
        assert!(events().contains(&Event::Called { instance: tally, caller: outer }));
    });
}

#[test]
fn a_callee_that_fails_is_undone_and_the_caller_goes_on() {
    in_block(|| {
        let outer = script_instance();
        let inner = instantiate(Pallet::<Test>::code_hash(SCRIPT), 1, &[], 100);
        let doomed = || Script::new().set(b"inner", 1, 5).transfer(&CHARLIE, 50);
        let unknown = CHARLIE;
        // Why and where a callee traps is what a call from outside is told.
        let outcome = Pallet::<Test>::bare_call(request(&BOB, &inner, "run", &doomed().trap()));
        let trapped = outcome.failure.unwrap().cause;
        assert!(matches!(trapped, Cause::Trapped(Trap { kind: TrapKind::Trap, address: None, .. })));
        let cases = [
            (doomed().trap(), "run", &inner, Code::Trapped, trapped),
            (doomed().revert(), "run", &inner, Code::Reverted, Cause::Reverted),
            (doomed().spin(), "run", &inner, Code::OutOfGas, Cause::OutOfGas(crate::Resource::RefTime)),
            (doomed().unknown_syscall(), "run", &inner, Code::Invalid, Cause::UnknownSyscall),
            (vec![], "no such", &inner, Code::MissingExport, Cause::MissingExport),
            (vec![], "run", &unknown, Code::NotFound, Cause::InstanceNotFound),
            (vec![], "run", &outer, Code::Reentered, Cause::Reentered),
        ];
        for (script, export, callee, code, cause) in cases {
            System::reset_events();
            let script = Script::new()
                .set(b"outer", 2, 1)
                .call_with(callee, export, script, 1, 1_000_000, false)
                .set(b"after", 3, 1)
                .end();
            let output = output(&BOB, &outer, "run", &script);
            let mut output = Output(&output);
            assert_eq!(output.answer(), code as i64);
            // A callee that reverts says why; here it puts out the answer of its transfer.
            let returned: &[u8] = if cause == Cause::Reverted { &[0; 8] } else { &[] };
            assert_eq!(output.returned(), returned);
            let failed = Event::CallFailed {
                instance: callee.clone(),
                caller: outer.clone(),
                failure: Failure { cause, depth: 1 },
            };
            assert_eq!(events(), [failed, Event::Called { instance: outer.clone(), caller: BOB }]);
            assert_eq!(Balances::free_balance(&inner), EXISTENTIAL_DEPOSIT + 100);
            assert_eq!(Instances::<Test>::get(&inner).unwrap().storage.items, 0);
            check();
        }
        assert_eq!(Balances::free_balance(&CHARLIE), ENDOWMENT);
        assert_eq!(Instances::<Test>::get(&outer).unwrap().storage.items, 2);
    });
}

#[test]
fn a_caller_goes_on_where_a_deposit_or_a_transfer_failed() {
    in_block(|| {
        let outer = script_instance();
        let inner = instantiate(Pallet::<Test>::code_hash(SCRIPT), 1, &[], 0);
        // As much as the caller itself stores afterwards.
        let deposit = PER_ITEM + PER_BYTE * (5 + 1);
        let poor = AccountId32::new([9; 32]);
        let funds = EXISTENTIAL_DEPOSIT + deposit;
        assert_ok!(Balances::transfer_allow_death(RuntimeOrigin::signed(BOB), poor.clone(), funds));
        let run = |origin: &AccountId32, storage_deposit_limit, value| {
            System::reset_events();
            let doomed = Script::new().set(b"inner", 1, 100).end();
            let script = Script::new().call_with(&inner, "run", doomed, value, u64::MAX, false);
            let script = script.set(b"after", 3, 1).end();
            let request = CallRequest { storage_deposit_limit, ..request(origin, &outer, "run", &script) };
            let bytes = Pallet::<Test>::bare_call(request).result.expect("the caller goes on");
            let mut output = Output(&bytes);
            let answer = output.answer();
            assert_eq!(output.returned(), &[] as &[u8]);
            let seen = events();
            let items = |instance| Instances::<Test>::get(instance).map(|info| info.storage.items);
            assert_eq!((items(&outer), items(&inner)), (Some(1), Some(0)));
            check();
            assert_ok!(call(&BOB, &outer, "run", &Script::new().remove(b"after").end()));
            (answer, seen)
        };
        let cases = [
            (&BOB, Some(deposit), 0, Code::DepositFailed, Cause::DepositLimitExceeded),
            (&poor, None, 0, Code::DepositFailed, Cause::DepositUnaffordable),
            (&BOB, None, 1001, Code::TransferFailed, Cause::TransferFailed),
        ];
        for (origin, limit, value, code, cause) in cases {
            let (answer, seen) = run(origin, limit, value);
            assert_eq!(answer, code as i64, "{cause:?}");
            let failure = Failure { cause, depth: 1 };
            let failed = Event::CallFailed { instance: inner.clone(), caller: outer.clone(), failure };
            assert_eq!(seen, [failed, Event::Called { instance: outer.clone(), caller: origin.clone() }]);
        }
        // An amount that nobody can have is refused before there is a call.
        let (answer, seen) = run(&BOB, None, u128::MAX);
        assert_eq!(answer, Code::TransferFailed as i64);
        assert_eq!(seen, [Event::Called { instance: outer.clone(), caller: BOB }]);
    });
}

#[test]
fn a_caller_goes_on_where_there_would_be_too_many_in_a_row() {
    in_block(|| {
        let code_hash = upload(SCRIPT);
        let deepest = <Test as Config>::MaxCallDepth::get();
        let instances: Vec<_> = (0..=deepest).map(|salt| instantiate(code_hash, salt, &[], 0)).collect();
        let (last, others) = instances.split_last().expect("there are some");
        System::reset_events();
        let innermost = Script::new().call(last, Script::new().end()).set(b"after", 3, 1).end();
        let script = others[1..]
            .iter()
            .rev()
            .fold(innermost, |script, callee| Script::new().call(callee, script).end());
        let bytes = output(&BOB, &instances[0], "run", &script);
        let mut bytes = &bytes[..];
        for _ in 1..deepest {
            let mut output = Output(bytes);
            assert_eq!(output.answer(), 0);
            bytes = output.returned();
        }
        let mut output = Output(bytes);
        assert_eq!((output.answer(), output.returned()), (Code::CallDepthExceeded as i64, &[][..]));
        let caller = others.last().expect("there are some");
        let failure = Failure { cause: Cause::CallDepthExceeded, depth: deepest };
        let failed = Event::CallFailed { instance: last.clone(), caller: caller.clone(), failure };
        assert_eq!(events().first(), Some(&failed));
        assert_eq!(Instances::<Test>::get(caller).map(|info| info.storage.items), Some(1));
    });
}

#[test]
fn an_instance_that_has_returned_can_be_called_again() {
    in_block(|| {
        let outer = script_instance();
        let inner = instantiate(Pallet::<Test>::code_hash(SCRIPT), 1, &[], 100);
        let empty = || Script::new().end();
        // Twice in a row is not reentrancy; back to the caller is.
        let script =
            Script::new().call(&inner, empty()).call(&inner, Script::new().call(&outer, empty()).end()).end();
        let output = output(&BOB, &outer, "run", &script);
        let mut output = Output(&output);
        assert_eq!((output.answer(), output.returned()), (0, &[][..]));
        assert_eq!(output.answer(), 0);
        assert_eq!(Output(output.returned()).answer(), Code::Reentered as i64);
    });
}

#[test]
fn a_token_moves_between_accounts() {
    in_block(|| {
        let code_hash = upload(TOKEN);
        let token = instantiate(code_hash, 0, &1000_u128.to_le_bytes(), 0);
        let transfer = |to: &AccountId32, amount: u128| {
            let mut input = AsRef::<[u8]>::as_ref(to).to_vec();
            input.extend(amount.to_le_bytes());
            input
        };
        let balance = |who: &AccountId32| {
            let bytes = output(&BOB, &token, "balance_of", who.as_ref());
            u128::from_le_bytes(bytes.try_into().unwrap())
        };
        assert_ok!(call(&ALICE, &token, "transfer", &transfer(&BOB, 400)));
        assert_ok!(call(&BOB, &token, "transfer", &transfer(&CHARLIE, 150)));
        assert_ok!(call(&BOB, &token, "transfer", &transfer(&BOB, 250)));
        assert!(call(&BOB, &token, "transfer", &transfer(&ALICE, 251)).is_err());
        assert_eq!([&ALICE, &BOB, &CHARLIE].map(balance), [600, 250, 150]);
        assert_eq!(output(&BOB, &token, "total_supply", &[]), 1000_u128.to_le_bytes());
    });
}
