//! Programs: uploaded and removed.

use crate::{
    Call, CodeInfos, Codes, Config, Error, Event, HoldReason, Pallet, WeightInfo as _, mock::*,
    tests::programs,
};
use frame_support::{assert_noop, assert_ok, traits::Get as _, weights::Weight};
use sp_runtime::DispatchError;

#[test]
fn an_upload_is_kept_and_paid_for() {
    in_block(|| {
        let code_hash = upload(TALLY);
        assert_eq!(code_hash, sp_io::hashing::blake2_256(TALLY).into());
        let deposit = PER_ITEM + PER_BYTE * TALLY.len() as u64;
        assert_eq!(held(HoldReason::Code, &ALICE), deposit);
        let info = CodeInfos::<Test>::get(code_hash).expect("it is known");
        assert_eq!((info.owner, info.deposit, info.references), (ALICE, deposit, 0));
        assert_eq!(info.length, TALLY.len() as u32);
        assert_eq!(Codes::<Test>::get(code_hash).expect("it is stored").as_slice(), TALLY);
        assert_eq!(events(), [Event::CodeUploaded { code_hash, owner: ALICE, deposit }]);
    });
}

#[test]
fn a_program_is_uploaded_once() {
    in_block(|| {
        upload(TALLY);
        for account in [&ALICE, &BOB] {
            assert_noop!(dispatch(account, upload_of(TALLY)), Error::<Test>::CodeExists);
        }
    });
}

#[test]
fn what_is_not_a_program_is_refused() {
    in_block(|| {
        let half = &TALLY[..TALLY.len() / 2];
        for code in [&[][..], b"not a program", half] {
            assert_noop!(dispatch(&ALICE, upload_of(code)), Error::<Test>::InvalidProgram);
        }
    });
}

#[test]
fn only_programs_of_the_instruction_set_that_is_measured_are_taken() {
    in_block(|| {
        let other: &[u8] = include_bytes!("../../../../../guests/blobs/revive-v1/hello.polkavm");
        assert_noop!(dispatch(&ALICE, upload_of(other)), Error::<Test>::OtherInstructions);
        assert_ok!(dispatch(&ALICE, upload_of(HELLO)));
    });
}

#[test]
fn a_program_has_as_much_memory_as_is_allowed_and_no_more() {
    in_block(|| {
        let most = <Test as Config>::MaxProgramPages::get();
        // One page is the stack.
        assert_ok!(dispatch(&ALICE, upload_of(&programs::touching(most - 1))));
        assert_noop!(dispatch(&ALICE, upload_of(&programs::touching(most))), Error::<Test>::TooMuchMemory);
    });
}

#[test]
fn a_program_has_as_many_symbols_as_is_allowed_and_no_more() {
    let (exports, imports) = (crate::MAX_EXPORTS, crate::MAX_IMPORTS);
    in_block(|| {
        assert_ok!(dispatch(&ALICE, upload_of(&programs::symbols(4096, exports, imports))));
        for (exports, imports) in [(exports + 1, imports), (exports, imports + 1), (20_000, 0)] {
            let code = programs::symbols(4096, exports, imports);
            assert_noop!(dispatch(&ALICE, upload_of(&code)), Error::<Test>::TooManySymbols);
        }
    });
}

/// An upload is none of the programs that a block uses, whether it succeeds or not.
#[test]
fn uploads_take_nothing_of_what_a_block_may_have() {
    in_block(|| {
        let programs = || hatchery_primitives::limits().expect("the node tells").modules.used;
        upload(TALLY);
        assert_noop!(dispatch(&ALICE, upload_of(&programs::touching(2000))), Error::<Test>::TooMuchMemory);
        let poor = sp_runtime::AccountId32::new([9; 32]);
        assert_noop!(dispatch(&poor, upload_of(HELLO)), Error::<Test>::DepositUnaffordable);
        assert_eq!(programs(), 0);
        instantiate(upload(TOKEN), 0, &1000u128.to_le_bytes(), 0);
        assert_eq!(programs(), 1);
    });
}

#[test]
fn the_first_use_after_an_upload_pays_for_the_compilation() {
    in_block(|| {
        let code_hash = upload(TALLY);
        let cost = |salt| weight(&dispatch(&ALICE, instantiation(code_hash, salt, &[])));
        let (first, second) = (cost(0), cost(1));
        assert_eq!(first, second + <Test as Config>::WeightInfo::compile(TALLY.len() as u32));
    });
}

#[test]
fn a_machine_pays_for_its_memory() {
    in_block(|| {
        let cost = |pages| {
            let code_hash = upload(&programs::touching(pages));
            let instance = instantiate(code_hash, 0, &[], 0);
            let none = weight(&call(&BOB, &instance, "none", &[]));
            let all = weight(&call(&BOB, &instance, "main", &[]));
            assert!(all.all_gt(none - Weight::from_parts(0, 1)));
            none
        };
        let price = <Test as Config>::WeightInfo::memory;
        assert_eq!(cost(500) - cost(10), price(501) - price(11));
    });
}

#[test]
fn an_upload_that_cannot_be_paid_for_fails() {
    in_block(|| {
        let deposit = Pallet::<Test>::code_deposit(TALLY.len() as u32);
        let poor = sp_runtime::AccountId32::new([9; 32]);
        let give = |amount| {
            assert_ok!(Balances::transfer_allow_death(RuntimeOrigin::signed(BOB), poor.clone(), amount));
        };
        give(deposit + EXISTENTIAL_DEPOSIT - 1);
        assert_noop!(dispatch(&poor, upload_of(TALLY)), Error::<Test>::DepositUnaffordable);
        give(1);
        assert_ok!(dispatch(&poor, upload_of(TALLY)));
    });
}

#[test]
fn an_upload_without_signature_fails() {
    in_block(|| {
        assert_noop!(
            Virtualization::upload_code(RuntimeOrigin::root(), bounded(TALLY)),
            DispatchError::BadOrigin
        );
        assert_noop!(
            Virtualization::remove_code(RuntimeOrigin::none(), Default::default()),
            DispatchError::BadOrigin
        );
    });
}

#[test]
fn who_uploaded_a_program_removes_it_and_gets_the_deposit() {
    in_block(|| {
        let code_hash = upload(TALLY);
        let deposit = held(HoldReason::Code, &ALICE);
        let remove = || Call::remove_code { code_hash };
        assert_noop!(dispatch(&BOB, remove()), Error::<Test>::NotCodeOwner);
        assert_ok!(dispatch(&ALICE, remove()));
        assert_eq!(held(HoldReason::Code, &ALICE), 0);
        assert_eq!(Balances::free_balance(&ALICE), ENDOWMENT);
        assert_eq!(Codes::<Test>::iter().count() + CodeInfos::<Test>::iter().count(), 0);
        assert_eq!(events().last(), Some(&Event::CodeRemoved { code_hash, owner: ALICE, deposit }));
        assert_noop!(dispatch(&ALICE, remove()), Error::<Test>::CodeNotFound);
        // And it can come back.
        assert_eq!(upload(TALLY), code_hash);
    });
}

#[test]
fn a_program_with_instances_stays() {
    in_block(|| {
        let code_hash = upload(TALLY);
        let instances = [0, 1].map(|salt| instantiate(code_hash, salt, &[], 0));
        assert_eq!(CodeInfos::<Test>::get(code_hash).unwrap().references, 2);
        for instance in instances {
            assert_noop!(dispatch(&ALICE, Call::remove_code { code_hash }), Error::<Test>::CodeInUse);
            assert_ok!(dispatch(&ALICE, Call::remove_instance { instance }));
        }
        assert_ok!(dispatch(&ALICE, Call::remove_code { code_hash }));
    });
}
