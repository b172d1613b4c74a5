//! Storage of removed instances is cleared in later blocks.

use super::script::Script;
use crate::{
    Call, Config, Event, HoldReason, Instances, RemovalQueue, Removals, StorageDeposits, WeightInfo,
    items::child_trie, mock::*,
};
use frame_support::{assert_ok, weights::Weight};

/// Items of a child trie.
fn items(trie_id: &crate::TrieId) -> usize {
    let (trie, mut last, mut count) = (child_trie(trie_id), Vec::new(), 0);
    while let Some(key) = sp_io::default_child_storage::next_key(trie.storage_key(), &last) {
        (last, count) = (key, count + 1);
    }
    count
}

#[test]
fn it_takes_as_many_blocks_as_the_weight_asks_for() {
    let mut externalities = externalities();
    let (instance, trie_id) = externalities.execute_with(|| {
        let instance = script_instance();
        for (account, keys) in [(&ALICE, b"abc"), (&BOB, b"def"), (&CHARLIE, b"ghi")] {
            let script = keys.iter().fold(Script::new(), |script, key| script.set(&[*key], 1, 10));
            assert_ok!(call(account, &instance, "run", &script.end()));
        }
        let trie_id = Instances::<Test>::get(&instance).unwrap().trie_id;
        assert_eq!(items(&trie_id), 9);
        (instance, trie_id)
    });
    next_block(&mut externalities);
    externalities.execute_with(|| {
        assert_ok!(dispatch(&ALICE, Call::remove_instance { instance }));
        assert_eq!(items(&trie_id), 9);
        check();
    });

    // Enough for two items a block, and then for one deposit.
    type Weights = <Test as Config>::WeightInfo;
    let idle_weight = Weights::clear_nothing() + Weights::clear_trie() + Weights::clear_item() * 3;
    let mut left = vec![];
    for _ in 0..10 {
        next_block(&mut externalities);
        externalities.execute_with(|| {
            let used = idle(idle_weight);
            assert!(used.all_lte(idle_weight), "{used:?} of {idle_weight:?}");
            check();
            left.push((items(&trie_id), StorageDeposits::<Test>::iter().count()));
        });
    }
    assert_eq!(left[..3], [(6, 3), (3, 3), (0, 3)]);
    assert!(left[3..].is_sorted_by(|before, after| before.1 >= after.1), "{left:?}");
    // With more than enough everything ends.
    next_block(&mut externalities);
    externalities.execute_with(|| {
        idle(GAS);
        assert_eq!(Removals::<Test>::iter().count(), 0);
        assert_eq!(StorageDeposits::<Test>::iter().count(), 0);
        assert_eq!([&ALICE, &BOB, &CHARLIE].map(|account| held(HoldReason::Storage, account)), [0; 3]);
        check();
        System::reset_events();
        idle(GAS);
        assert_eq!(events(), []);
    });
}

#[test]
fn nothing_is_done_without_weight() {
    in_block(|| {
        let instance = script_instance();
        assert_ok!(dispatch(&ALICE, Call::remove_instance { instance }));
        assert_eq!(idle(Weight::zero()), Weight::zero());
        assert_eq!(Removals::<Test>::iter().count(), 1);
    });
}

#[test]
fn an_idle_block_spends_no_more_than_it_should() {
    in_block(|| {
        let code_hash = upload(SCRIPT);
        let script = (0..100).fold(Script::new(), |script, key| script.set(&[key], 1, 1)).end();
        for salt in 0..60 {
            let instance = instantiate(code_hash, salt, &[], 0);
            assert_ok!(call(&BOB, &instance, "run", &script));
            assert_ok!(dispatch(&ALICE, Call::remove_instance { instance }));
        }
        // Looking for jobs comes on top of it.
        let most = <Test as Config>::IdleWeight::get() + crate::Pallet::<Test>::idle_jobs_weight();
        let used = idle(Weight::MAX);
        assert!(used.all_lte(most) && used != Weight::zero(), "{used:?} of {most:?}");
        let queue = RemovalQueue::<Test>::get();
        assert!(queue.first < queue.next, "all was cleared at once: {queue:?}");
    });
}

#[test]
fn instances_are_cleared_in_the_order_of_their_removal() {
    in_block(|| {
        let code_hash = upload(SCRIPT);
        let mut tries = vec![];
        for salt in 0..3 {
            let instance = instantiate(code_hash, salt, &[], 0);
            assert_ok!(call(&BOB, &instance, "run", &Script::new().set(b"key", 1, 1).end()));
            tries.push(Instances::<Test>::get(&instance).unwrap().trie_id);
            assert_ok!(dispatch(&ALICE, Call::remove_instance { instance }));
        }
        System::reset_events();
        idle(GAS);
        let cleared: Vec<_> = tries.into_iter().map(|trie_id| Event::StorageCleared { trie_id }).collect();
        assert_eq!(events(), cleared);
        assert_eq!(RemovalQueue::<Test>::get(), crate::RemovalRange { first: 3, next: 3 });
    });
}
