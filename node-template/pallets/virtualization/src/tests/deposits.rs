//! Who has what held, and gets it back.

use super::script::Script;
use crate::{HoldReason, Instances, InstantiateRequest, Pallet, StorageDeposits, mock::*};
use frame_support::assert_ok;
use sp_runtime::AccountId32;

fn stored() -> [u64; 3] {
    [&ALICE, &BOB, &CHARLIE].map(|account| held(HoldReason::Storage, account))
}

fn run(origin: &AccountId32, instance: &AccountId32, script: Script) {
    assert_ok!(call(origin, instance, "run", &script.end()));
    check();
}

/// The deposit of an item with a key of one byte.
fn item(length: u64) -> u64 {
    PER_ITEM + PER_BYTE * (1 + length)
}

#[test]
fn who_calls_pays_and_gets_it_back_whoever_removes() {
    in_block(|| {
        let instance = script_instance();
        run(&ALICE, &instance, Script::new().set(b"a", 1, 10));
        run(&BOB, &instance, Script::new().set(b"b", 1, 20).set(b"c", 1, 30));
        assert_eq!(stored(), [item(10), item(20) + item(30), 0]);
        let usage = Instances::<Test>::get(&instance).unwrap().storage;
        assert_eq!((usage.items, usage.bytes, usage.deposit), (3, 63, item(10) + item(20) + item(30)));
        run(&CHARLIE, &instance, Script::new().remove(b"b").remove(b"a"));
        assert_eq!(stored(), [0, item(30), 0]);
        run(&CHARLIE, &instance, Script::new().remove(b"c").remove(b"c"));
        assert_eq!(stored(), [0, 0, 0]);
        assert_eq!(StorageDeposits::<Test>::iter().count(), 0);
    });
}

#[test]
fn an_item_that_grows_is_paid_for_by_who_made_it_grow() {
    in_block(|| {
        let instance = script_instance();
        run(&ALICE, &instance, Script::new().set(b"a", 1, 10));
        // As long or shorter: the depositor stays and gets the difference.
        run(&BOB, &instance, Script::new().set(b"a", 2, 10));
        assert_eq!(stored(), [item(10), 0, 0]);
        run(&BOB, &instance, Script::new().set(b"a", 2, 4));
        assert_eq!(stored(), [item(4), 0, 0]);
        // Longer: all of it is the caller's.
        run(&BOB, &instance, Script::new().set(b"a", 2, 5));
        assert_eq!(stored(), [0, item(5), 0]);
        run(&BOB, &instance, Script::new().set(b"a", 2, 500));
        assert_eq!(stored(), [0, item(500), 0]);
    });
}

#[test]
fn who_sent_the_extrinsic_pays_for_what_callees_store() {
    in_block(|| {
        let outer = script_instance();
        let inner = instantiate(Pallet::<Test>::code_hash(SCRIPT), 1, &[], 0);
        let nested = Script::new().set(b"i", 1, 9).end();
        run(&BOB, &outer, Script::new().set(b"o", 1, 3).call(&inner, nested));
        assert_eq!(stored(), [0, item(3) + item(9), 0]);
        // Not for what is undone.
        let undone = Script::new().set(b"x", 1, 9).remove(b"i").trap();
        let script = Script::new().call_with(&inner, "run", undone, 0, 1_000_000, false);
        run(&BOB, &outer, script);
        assert_eq!(stored(), [0, item(3) + item(9), 0]);
    });
}

#[test]
fn a_call_tells_what_it_held_and_released() {
    in_block(|| {
        let instance = script_instance();
        run(&ALICE, &instance, Script::new().set(b"a", 1, 10));
        run(&BOB, &instance, Script::new().set(b"b", 1, 20));
        let script = Script::new().set(b"c", 1, 30).remove(b"a").remove(b"b").set(b"d", 1, 5).end();
        let deposits = Pallet::<Test>::bare_call(request(&BOB, &instance, "run", &script)).deposits;
        assert_eq!(deposits.held, item(30) + item(5));
        assert_eq!(deposits.released, item(20));
        assert_eq!(deposits.released_to_others, item(10));
        assert_eq!(deposits.peak, item(30));
    });
}

#[test]
fn what_callees_held_and_lost_again_does_not_count_but_for_the_peak() {
    in_block(|| {
        let outer = script_instance();
        let inner = instantiate(Pallet::<Test>::code_hash(SCRIPT), 1, &[], 0);
        let undone = Script::new().set(b"x", 1, 400).revert();
        let script = Script::new().call(&inner, undone).set(b"a", 1, 1).end();
        let outcome = Pallet::<Test>::bare_call(request(&BOB, &outer, "run", &script));
        assert_eq!(outcome.deposits.held, item(1));
        assert_eq!(outcome.deposits.peak, item(400));
        assert_eq!(stored(), [0, item(1), 0]);
    });
}

#[test]
fn an_item_keeps_the_deposit_that_was_taken_for_it() {
    // A chain changes its prices: what was taken before is what is given back.
    in_block(|| {
        let instance = script_instance();
        run(&BOB, &instance, Script::new().set(b"a", 1, 10));
        let trie_id = Instances::<Test>::get(&instance).unwrap().trie_id;
        let (trie, key) = (crate::items::child_trie(&trie_id), crate::items::trie_key(b"a"));
        let mut cheap = crate::items::get::<Test>(&trie_id, b"a").unwrap();
        cheap.deposit = 40;
        frame_support::storage::child::put(&trie, &key, &cheap);
        StorageDeposits::<Test>::insert(trie_id, &BOB, 40);
        Instances::<Test>::mutate(&instance, |info| info.as_mut().unwrap().storage.deposit = 40);
        crate::deposits::release::<Test>(HoldReason::Storage, &BOB, item(10) - 40);
        check();
        run(&CHARLIE, &instance, Script::new().remove(b"a"));
        assert_eq!(Balances::free_balance(&BOB), ENDOWMENT);
    });
}

/// What came of making an instance tells of no deposits that were undone.
#[test]
fn a_constructor_that_fails_holds_nothing() {
    in_block(|| {
        let code_hash = upload(SCRIPT);
        let request = |input: Vec<u8>| InstantiateRequest::<Test> {
            owner: BOB,
            code_hash,
            value: 0,
            salt: [0; 32],
            input,
            gas_limit: GAS,
            storage_deposit_limit: None,
        };
        let script = Script::new().set(b"a", 1, 10);
        let all = Pallet::<Test>::instance_deposit() + item(10);
        let failed = Pallet::<Test>::bare_instantiate(request(script.clone().trap()));
        assert!(failed.result.is_err());
        assert_eq!((failed.deposits.held, failed.deposits.peak), (0, all));
        assert_eq!(held(HoldReason::Instance, &BOB), 0);
        let made = Pallet::<Test>::bare_instantiate(request(script.end()));
        assert_eq!((made.deposits.held, made.deposits.peak), (all, all));
        assert_eq!(held(HoldReason::Instance, &BOB) + held(HoldReason::Storage, &BOB), all);
    });
}
