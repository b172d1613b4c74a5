//! Instances: made and removed.

use super::script::{Output, Script};
use crate::{Call, CodeHash, Error, Event, HoldReason, InstanceInfoOf, Instances, Pallet, mock::*};
use codec::{Encode as _, MaxEncodedLen as _};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{AccountId32, DispatchError};

#[test]
fn an_instance_is_an_account_with_a_record() {
    in_block(|| {
        let code_hash = upload(TALLY);
        let instance = instantiate(code_hash, 7, &5_u64.to_le_bytes(), 33);
        let deposit = PER_ITEM + PER_BYTE * InstanceInfoOf::<Test>::max_encoded_len() as u64;
        let info = Instances::<Test>::get(&instance).expect("it is known");
        assert_eq!((&info.owner, info.code_hash, info.deposit), (&ALICE, code_hash, deposit));
        assert_eq!(held(HoldReason::Instance, &ALICE), deposit);
        assert_eq!(Balances::free_balance(&instance), EXISTENTIAL_DEPOSIT + 33);
        // The constructor stored the count and the owner.
        let bytes = (5 + 8) + (5 + 32);
        assert_eq!((info.storage.items, info.storage.bytes), (2, bytes));
        assert_eq!(held(HoldReason::Storage, &ALICE), 2 * PER_ITEM + PER_BYTE * bytes);
        assert_eq!(
            events().last(),
            Some(&Event::Instantiated { instance: instance.clone(), owner: ALICE, code_hash })
        );
        assert_eq!(output(&BOB, &instance, "value", &[]), 5_u64.to_le_bytes());
    });
}

#[test]
fn the_address_is_a_hash_of_its_five_parts() {
    let (owner, code_hash) = (AccountId32::new([1; 32]), CodeHash::repeat_byte(2));
    let (input, salt) = (b"input", [3; 32]);
    let mut preimage = b"hatchery/instance/1".to_vec();
    preimage.extend([1; 32]);
    preimage.extend([2; 32]);
    preimage.extend(sp_io::hashing::blake2_256(input));
    preimage.extend([3; 32]);
    let address = Pallet::<Test>::instance_address(&owner, code_hash, input, &salt);
    assert_eq!(address, AccountId32::new(sp_io::hashing::blake2_256(&preimage)));
    for other in [
        Pallet::<Test>::instance_address(&BOB, code_hash, input, &salt),
        Pallet::<Test>::instance_address(&owner, CodeHash::zero(), input, &salt),
        Pallet::<Test>::instance_address(&owner, code_hash, b"", &salt),
        Pallet::<Test>::instance_address(&owner, code_hash, input, &[0; 32]),
    ] {
        assert_ne!(address, other);
    }
}

#[test]
fn the_same_instance_is_not_made_twice() {
    in_block(|| {
        let code_hash = upload(TALLY);
        instantiate(code_hash, 0, &[], 0);
        assert_noop_but_weight(
            || dispatch(&ALICE, instantiation(code_hash, 0, &[])),
            Error::<Test>::InstanceExists,
        );
        assert_ok!(dispatch(&BOB, instantiation(code_hash, 0, &[])));
        assert_ok!(dispatch(&ALICE, instantiation(code_hash, 1, &[])));
        assert_ok!(dispatch(&ALICE, instantiation(code_hash, 0, &[0; 8])));
    });
}

#[test]
fn an_instance_needs_a_program() {
    in_block(|| {
        let call = instantiation(CodeHash::zero(), 0, &[]);
        assert_noop_but_weight(|| dispatch(&ALICE, call), Error::<Test>::CodeNotFound);
    });
}

#[test]
fn an_instance_needs_an_owner_who_can_pay() {
    in_block(|| {
        let code_hash = upload(TALLY);
        let poor = AccountId32::new([9; 32]);
        let deposits = held_for_a_tally();
        let give = |amount| {
            assert_ok!(Balances::transfer_allow_death(RuntimeOrigin::signed(BOB), poor.clone(), amount));
        };
        give(2 * EXISTENTIAL_DEPOSIT - 1);
        let call = || instantiation(code_hash, 0, &[]);
        assert_noop_but_weight(|| dispatch(&poor, call()), Error::<Test>::TransferFailed { depth: 0 });
        give(deposits);
        assert_noop_but_weight(|| dispatch(&poor, call()), Error::<Test>::StorageUnaffordable { depth: 0 });
        give(1);
        assert_ok!(dispatch(&poor, call()));
        assert_eq!(Balances::free_balance(&poor), EXISTENTIAL_DEPOSIT);
    });
}

#[test]
fn the_deposit_limit_counts_the_instance_and_what_its_constructor_stores() {
    in_block(|| {
        let code_hash = upload(TALLY);
        let deposits = held_for_a_tally();
        let call = |limit| Call::instantiate {
            code_hash,
            value: 0,
            salt: [0; 32],
            input: bounded(&[]),
            gas_limit: GAS,
            storage_deposit_limit: Some(limit),
        };
        for limit in [0, Pallet::<Test>::instance_deposit() - 1, deposits - 1] {
            assert_noop_but_weight(
                || dispatch(&BOB, call(limit)),
                Error::<Test>::DepositLimitExceeded { depth: 0 },
            );
        }
        assert_ok!(dispatch(&BOB, call(deposits)));
    });
}

#[test]
fn an_address_that_something_else_depends_on_cannot_become_an_instance() {
    in_block(|| {
        let code_hash = upload(TALLY);
        let address = Pallet::<Test>::instance_address(&ALICE, code_hash, &[], &[0; 32]);
        assert_ok!(Balances::transfer_allow_death(RuntimeOrigin::signed(BOB), address.clone(), 500));
        while System::inc_consumers(&address).is_ok() {}
        let call = instantiation(code_hash, 0, &[]);
        assert_noop_but_weight(|| dispatch(&ALICE, call), Error::<Test>::AccountInUse);
    });
}

#[test]
fn an_address_may_have_been_sent_funds_before() {
    in_block(|| {
        let code_hash = upload(TALLY);
        let address = Pallet::<Test>::instance_address(&ALICE, code_hash, &[], &[0; 32]);
        assert_ok!(Balances::transfer_allow_death(RuntimeOrigin::signed(BOB), address.clone(), 500));
        assert_eq!(instantiate(code_hash, 0, &[], 1), address);
        assert_eq!(Balances::free_balance(&address), 500 + EXISTENTIAL_DEPOSIT + 1);
    });
}

#[test]
fn nothing_stays_of_a_constructor_that_fails() {
    in_block(|| {
        let code_hash = upload(SCRIPT);
        let trapping = Script::new().set(b"key", 1, 10).trap();
        let failures = [
            (trapping, Error::<Test>::Trapped { depth: 0, kind: crate::TrapKind::Trap }),
            (Script::new().revert(), Error::<Test>::Reverted { depth: 0 }),
            (Script::new().spin(), Error::<Test>::OutOfGas { depth: 0, resource: crate::Resource::RefTime }),
            (Script::new().terminate(&BOB), Error::<Test>::TerminatedInConstructor { depth: 0 }),
        ];
        for (input, error) in failures {
            assert_noop_but_weight(|| dispatch(&ALICE, instantiation(code_hash, 0, &input)), error);
        }
        assert_eq!(Instances::<Test>::iter().count(), 0);
    });
}

#[test]
fn a_program_without_constructor_takes_no_input() {
    in_block(|| {
        let code_hash = upload(HELLO);
        assert_noop_but_weight(
            || dispatch(&ALICE, instantiation(code_hash, 0, b"input")),
            Error::<Test>::MissingExport { depth: 0 },
        );
        let instance = instantiate(code_hash, 0, &[], 0);
        // It has an export, and asks for something that a contract cannot.
        assert_noop_but_weight(
            || call(&BOB, &instance, "hello", &[]),
            Error::<Test>::UnknownSyscall { depth: 0 },
        );
    });
}

#[test]
fn who_made_an_instance_removes_it_and_gets_its_balance() {
    in_block(|| {
        let code_hash = upload(TALLY);
        let instance = instantiate(code_hash, 0, &[], 77);
        let remove = || Call::remove_instance { instance: instance.clone() };
        assert_noop!(dispatch(&BOB, remove()), Error::<Test>::NotInstanceOwner);
        assert_noop!(
            Virtualization::remove_instance(RuntimeOrigin::root(), instance.clone()),
            DispatchError::BadOrigin
        );
        assert_ok!(dispatch(&ALICE, remove()));
        assert!(!System::account_exists(&instance));
        assert_eq!(held(HoldReason::Instance, &ALICE), 0);
        let expected = Event::Removed { instance: instance.clone(), beneficiary: ALICE, by_guest: false };
        assert_eq!(events().last(), Some(&expected));
        assert_noop!(dispatch(&ALICE, remove()), Error::<Test>::InstanceNotFound { depth: 0 });
        assert_noop_but_weight(
            || call(&BOB, &instance, "value", &[]),
            Error::<Test>::InstanceNotFound { depth: 0 },
        );
        // Storage is cleared, and paid back, when there is time.
        assert!(held(HoldReason::Storage, &ALICE) > 0);
        idle(GAS);
        assert_eq!(held(HoldReason::Storage, &ALICE), 0);
        assert_ok!(dispatch(&ALICE, Call::remove_code { code_hash }));
        assert_eq!(Balances::free_balance(&ALICE), ENDOWMENT);
    });
}

#[test]
fn an_instance_made_again_does_not_see_what_its_predecessor_stored() {
    in_block(|| {
        let code_hash = upload(SCRIPT);
        let instance = instantiate(code_hash, 0, &[], 0);
        assert_ok!(call(&ALICE, &instance, "run", &Script::new().set(b"key", 1, 10).end()));
        let before = Instances::<Test>::get(&instance).unwrap();
        assert_ok!(dispatch(&ALICE, Call::remove_instance { instance: instance.clone() }));
        assert_eq!(instantiate(code_hash, 0, &[], 0), instance);
        let after = Instances::<Test>::get(&instance).unwrap();
        assert_ne!(before.trie_id, after.trie_id);
        let found = output(&ALICE, &instance, "run", &Script::new().get(b"key").end());
        assert_eq!(Output(&found).item(), None);
        idle(GAS);
        check();
    });
}

/// What is held from who makes a tally.
fn held_for_a_tally() -> u64 {
    Pallet::<Test>::instance_deposit() + 2 * PER_ITEM + PER_BYTE * ((5 + 8) + (5 + 32))
}

/// The dispatch fails with this error and changes nothing.
pub(super) fn assert_noop_but_weight(
    dispatch: impl FnOnce() -> frame_support::dispatch::DispatchResultWithPostInfo,
    expected: impl Into<DispatchError>,
) {
    let before = sp_io::storage::root(sp_runtime::StateVersion::V1);
    assert_eq!(error(dispatch()), expected.into());
    assert_eq!(before, sp_io::storage::root(sp_runtime::StateVersion::V1), "the failed call left something");
}

#[test]
fn records_are_as_long_as_what_is_held_for() {
    let longest = InstanceInfoOf::<Test> {
        owner: ALICE,
        code_hash: CodeHash::zero(),
        trie_id: [0; 32],
        deposit: u64::MAX,
        storage: crate::runtime_api::StorageUsage { items: u32::MAX, bytes: u64::MAX, deposit: u64::MAX },
    };
    assert_eq!(longest.encoded_size(), InstanceInfoOf::<Test>::max_encoded_len());
}
