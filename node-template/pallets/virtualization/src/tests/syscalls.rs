//! What guests can ask for, when it works.

use super::script::{Output, Script};
use crate::{CallRequest, Code, Event, Instances, Pallet, SYSCALLS, mock::*};
use frame_support::assert_ok;

#[test]
fn the_context_is_told() {
    in_block(|| {
        let instance = script_instance();
        System::set_block_number(77);
        let request =
            CallRequest { value: 23, ..request(&BOB, &instance, "run", &Script::new().context().end()) };
        let outcome = Pallet::<Test>::bare_call(request);
        let bytes = outcome.result.unwrap();
        let mut output = Output(&bytes);
        assert_eq!(output.array::<32>(), *AsRef::<[u8; 32]>::as_ref(&BOB));
        assert_eq!(output.array::<32>(), *AsRef::<[u8; 32]>::as_ref(&instance));
        assert_eq!(output.amount(), 23);
        assert_eq!(output.amount(), u128::from(EXISTENTIAL_DEPOSIT) + 1000 + 23);
        assert_eq!(output.number(), 77);
        let gas_left = output.number();
        let gas_in_the_end = (GAS.ref_time() - outcome.gas_consumed.ref_time()) / crate::REF_TIME_PER_GAS;
        assert!(gas_in_the_end < gas_left && gas_left < GAS.ref_time() / crate::REF_TIME_PER_GAS);
        assert_eq!(output.0, b"");
    });
}

#[test]
fn a_callee_sees_the_calling_instance() {
    in_block(|| {
        let outer = script_instance();
        let inner = instantiate(Pallet::<Test>::code_hash(SCRIPT), 1, &[], 0);
        let bytes =
            output(&BOB, &outer, "run", &Script::new().call(&inner, Script::new().context().end()).end());
        let mut output = Output(&bytes);
        assert_eq!(output.answer(), 0);
        let mut returned = Output(output.returned());
        assert_eq!(returned.array::<32>(), *AsRef::<[u8; 32]>::as_ref(&outer));
        assert_eq!(returned.array::<32>(), *AsRef::<[u8; 32]>::as_ref(&inner));
    });
}

#[test]
fn items_are_set_read_replaced_and_removed() {
    in_block(|| {
        let instance = script_instance();
        let long = [7; 128];
        let script = Script::new()
            .get(b"a")
            .set(b"a", 1, 3)
            .set(&long, 2, 16 * 1024)
            .get(b"a")
            .get(&long)
            .set(b"a", 3, 0)
            .get(b"a")
            .remove(&long)
            .get(&long)
            .end();
        let bytes = output(&BOB, &instance, "run", &script);
        let mut output = Output(&bytes);
        assert_eq!(output.item(), None);
        assert_eq!(output.item(), Some(&[1; 3][..]));
        assert_eq!(output.item(), Some(&[2; 16 * 1024][..]));
        assert_eq!(output.item(), Some(&[][..]));
        assert_eq!(output.item(), None);
        assert_eq!(Pallet::<Test>::read_storage(&instance, b"a"), Ok(Some(vec![])));
        assert_eq!(Pallet::<Test>::read_storage(&instance, &long), Ok(None));
        let usage = Instances::<Test>::get(&instance).unwrap().storage;
        assert_eq!((usage.items, usage.bytes), (1, 1));
    });
}

#[test]
fn answers_tell_the_length_of_what_was_there() {
    in_block(|| {
        let instance = script_instance();
        let stack = 0xfffd_ff00;
        // The one key is whatever byte lies there; it is the same each time.
        let script = Script::new()
            .raw("storage_remove_v1", [stack, 1, 0, 0])
            .raw("storage_set_v1", [stack, 1, stack, 9])
            .raw("storage_get_v1", [stack, 1, 0, 0])
            .raw("storage_set_v1", [stack, 1, stack, 4])
            .raw("storage_remove_v1", [stack, 1, 0, 0])
            .raw("storage_remove_v1", [stack, 1, 0, 0])
            .end();
        let bytes = output(&BOB, &instance, "run", &script);
        let mut output = Output(&bytes);
        let answers: Vec<_> = (0..6).map(|_| output.answer()).collect();
        let none = Code::NotFound as i64;
        assert_eq!(answers, [none, none, 9, 9, 4, none]);
    });
}

#[test]
fn hashes_are_those_of_the_host() {
    in_block(|| {
        let instance = script_instance();
        for text in [&b""[..], b"abc", &[9; 255]] {
            let bytes = output(&BOB, &instance, "run", &Script::new().hash(text).end());
            let mut output = Output(&bytes);
            assert_eq!(output.array(), sp_io::hashing::blake2_128(text));
            assert_eq!(output.array(), sp_io::hashing::blake2_256(text));
            assert_eq!(output.array(), sp_io::hashing::keccak_256(text));
        }
    });
}

#[test]
fn transfers_keep_the_instance_alive() {
    in_block(|| {
        let instance = script_instance();
        let newcomer = sp_runtime::AccountId32::new([9; 32]);
        let script = Script::new()
            .transfer(&newcomer, u128::from(EXISTENTIAL_DEPOSIT) - 1)
            .transfer(&newcomer, u128::from(EXISTENTIAL_DEPOSIT))
            .transfer(&CHARLIE, 1000 - u128::from(EXISTENTIAL_DEPOSIT) + 1)
            .transfer(&CHARLIE, u128::MAX)
            .transfer(&CHARLIE, 1000 - u128::from(EXISTENTIAL_DEPOSIT))
            .end();
        let bytes = output(&BOB, &instance, "run", &script);
        let mut output = Output(&bytes);
        let failed = Code::TransferFailed as i64;
        let answers: Vec<_> = (0..5).map(|_| output.answer()).collect();
        assert_eq!(answers, [failed, 0, failed, failed, 0]);
        assert_eq!(Balances::free_balance(&instance), EXISTENTIAL_DEPOSIT);
        assert_eq!(Balances::free_balance(&newcomer), EXISTENTIAL_DEPOSIT);
    });
}

#[test]
fn events_are_indexed_under_their_topics() {
    in_block(|| {
        let instance = script_instance();
        System::reset_events();
        let topics = [[1; 32], [2; 32], [3; 32], [4; 32]];
        assert_ok!(call(&BOB, &instance, "run", &Script::new().event(&topics, 5, 6).event(&[], 0, 0).end()));
        let records: Vec<_> = System::events();
        let emitted = |data: &[u8]| {
            RuntimeEvent::Virtualization(Event::Emitted { instance: instance.clone(), data: data.to_vec() })
        };
        assert_eq!((&records[0].event, &records[1].event), (&emitted(&[5; 6]), &emitted(&[])));
        assert_eq!(records[0].topics, topics.map(Into::into));
        assert!(records[1].topics.is_empty());
    });
}

#[test]
fn a_guest_terminates_its_instance() {
    in_block(|| {
        let instance = script_instance();
        assert_ok!(call(&BOB, &instance, "run", &Script::new().set(b"key", 1, 1).end()));
        System::reset_events();
        assert_ok!(call(&BOB, &instance, "run", &Script::new().set(b"more", 1, 1).terminate(&CHARLIE)));
        assert_eq!(
            events(),
            [
                Event::Removed { instance: instance.clone(), beneficiary: CHARLIE, by_guest: true },
                Event::Called { instance: instance.clone(), caller: BOB },
            ]
        );
        assert!(!Instances::<Test>::contains_key(&instance));
        assert!(!System::account_exists(&instance));
        assert_eq!(Balances::free_balance(&CHARLIE), ENDOWMENT + EXISTENTIAL_DEPOSIT + 1000);
        check();
        idle(GAS);
        assert_eq!(Balances::free_balance(&BOB), ENDOWMENT);
    });
}

#[test]
fn an_instance_that_was_terminated_meanwhile_is_not_found() {
    in_block(|| {
        let outer = script_instance();
        let inner = instantiate(Pallet::<Test>::code_hash(SCRIPT), 1, &[], 40);
        let script = Script::new()
            .call(&inner, Script::new().terminate(&outer))
            .call(&inner, Script::new().end())
            .end();
        let bytes = output(&BOB, &outer, "run", &script);
        let mut output = Output(&bytes);
        assert_eq!((output.answer(), output.returned()), (0, &[][..]));
        assert_eq!(output.answer(), Code::NotFound as i64);
        assert_eq!(Balances::free_balance(&outer), 2 * EXISTENTIAL_DEPOSIT + 1000 + 40);
    });
}

#[test]
fn the_table_of_syscalls_is_the_one_that_is_answered() {
    assert!(SYSCALLS.is_sorted());
    in_block(|| {
        let instance = script_instance();
        for syscall in SYSCALLS {
            // All zeros may be refused, but the syscall is known.
            let script = Script::new().raw(syscall, [0; 4]).end();
            let outcome = Pallet::<Test>::bare_call(request(&BOB, &instance, "run", &script));
            let cause = outcome.failure.map(|failure| failure.cause);
            assert_ne!(cause, Some(crate::Cause::UnknownSyscall), "{syscall}");
        }
    });
}
