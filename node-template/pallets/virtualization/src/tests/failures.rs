//! Every way for a call to fail, each with its error, and none leaving anything.

use super::{
    dry_runs::dry_run,
    instances::assert_noop_but_weight,
    script::{Output, Script},
};
use crate::{
    Argument, Call, Cause, CodeInfos, Codes, Config, Error, Failure, HoldReason, Limit, Pallet, Resource,
    TrapKind, WeightInfo as _, mock::*,
};
use frame_support::{assert_ok, traits::Get as _, weights::Weight};
use hatchery_client::{ConsensusConstants, Limits};
use sp_runtime::{AccountId32, DispatchError};

/// What fails does something first, to see it undone.
fn doomed() -> Script {
    Script::new().set(b"key", 1, 100).transfer(&CHARLIE, 100).event(&[[1; 32]], 2, 3)
}

fn assert_fails(instance: &AccountId32, script: &[u8], error: Error<Test>) {
    assert_noop_but_weight(|| call(&BOB, instance, "run", script), error);
}

#[test]
fn a_guest_that_ends_badly() {
    in_block(|| {
        let instance = script_instance();
        assert_fails(&instance, &doomed().trap(), Error::Trapped { depth: 0, kind: TrapKind::Trap });
        assert_fails(&instance, &doomed().revert(), Error::Reverted { depth: 0 });
        assert_fails(&instance, &doomed().unknown_syscall(), Error::UnknownSyscall { depth: 0 });
        assert_fails(&instance, &doomed().spin(), Error::OutOfGas { depth: 0, resource: Resource::RefTime });
        // A script that ends too early panics.
        assert_fails(&instance, &[5, 1, 2], Error::Trapped { depth: 0, kind: TrapKind::Trap });
    });
}

#[test]
fn every_kind_of_trap() {
    in_block(|| {
        let code_hash = upload(TRAPS);
        let instance = instantiate(code_hash, 0, &[], 0);
        let cases = [
            ("trap", TrapKind::Trap, None),
            ("panics", TrapKind::Trap, None),
            ("load_null", TrapKind::LowAddress, Some(0)),
            ("store_low", TrapKind::LowAddress, None),
            ("load_unmapped", TrapKind::Unmapped, None),
            ("store_unmapped", TrapKind::Unmapped, None),
            ("stack_overflow", TrapKind::Unmapped, None),
            ("store_read_only", TrapKind::ReadOnly, None),
            ("jump_null", TrapKind::InvalidIndirectJump, Some(0)),
        ];
        for (export, kind, address) in cases {
            let outcome = Pallet::<Test>::bare_call(request(&BOB, &instance, export, &[]));
            let Some(Failure { cause: Cause::Trapped(trap), depth: 0 }) = outcome.failure else {
                panic!("{export}: {:?}", outcome.failure)
            };
            assert_eq!(trap.kind, kind, "{export}");
            assert_eq!(trap.address.is_some(), kind != TrapKind::Trap, "{export}: {trap:?}");
            assert!(address.is_none_or(|address| trap.address == Some(address)), "{export}: {trap:?}");
            assert_noop_but_weight(
                || call(&BOB, &instance, export, &[]),
                Error::<Test>::Trapped { depth: 0, kind },
            );
        }
    });
}

#[test]
fn kinds_of_traps_are_those_of_the_host_functions() {
    use hatchery_primitives::TrapKind as Told;
    let all = [
        (Told::TRAP, TrapKind::Trap),
        (Told::INVALID_INSTRUCTION, TrapKind::InvalidInstruction),
        (Told::CODE_END, TrapKind::CodeEnd),
        (Told::LOW_ADDRESS, TrapKind::LowAddress),
        (Told::UNMAPPED, TrapKind::Unmapped),
        (Told::READ_ONLY, TrapKind::ReadOnly),
        (Told::INVALID_INDIRECT_JUMP, TrapKind::InvalidIndirectJump),
        (Told::INVALID_JUMP, TrapKind::InvalidJump),
        (Told::INVALID_ENTRY, TrapKind::InvalidEntry),
        (Told(9), TrapKind::Unknown),
        (Told(255), TrapKind::Unknown),
    ];
    for (told, kind) in all {
        assert_eq!(TrapKind::from_number(told.0), kind);
    }
}

/// A limit of the node's machines is not the program's fault, and not its callers'.
#[test]
fn more_machines_than_a_block_may_have() {
    let limits = |limits| ConsensusConstants::v1().limits(limits);
    let mut externalities = externalities();
    let (outer, inner) = externalities.execute_with(|| {
        let instance = script_instance();
        (instance, instantiate(Pallet::<Test>::code_hash(SCRIPT), 1, &[], 0))
    });
    let nested = Script::new().call_unwinding(&inner, Script::new().end()).end();
    let cases = [
        (Limits { modules: 0, ..Limits::V1 }, Limit::Programs, 0),
        (Limits { code_bytes: 100, ..Limits::V1 }, Limit::CodeBytes, 0),
        (Limits { instances: 0, ..Limits::V1 }, Limit::Machines, 0),
        (Limits { instances: 1, ..Limits::V1 }, Limit::Machines, 1),
        (Limits { pages: 0, ..Limits::V1 }, Limit::Pages, 0),
        (Limits { nesting: 0, ..Limits::V1 }, Limit::Nesting, 0),
        (Limits { nesting: 1, ..Limits::V1 }, Limit::Nesting, 1),
    ];
    for (allowed, limit, depth) in cases {
        next_block(&mut externalities);
        limited_manager(&mut externalities, limits(allowed));
        externalities.execute_with(|| {
            assert_fails(&outer, &nested, Error::LimitReached { depth, limit });
            // A constructor is not taken for missing either.
            if depth == 0 {
                let constructor =
                    || dispatch(&ALICE, instantiation(Pallet::<Test>::code_hash(SCRIPT), 2, &[]));
                assert_noop_but_weight(constructor, Error::<Test>::LimitReached { depth, limit });
            }
        });
    }
    next_block(&mut externalities);
    limited_manager(&mut externalities, ConsensusConstants::v1().memory_bytes(4096));
    externalities.execute_with(|| {
        let limit = Limit::MemoryBytes;
        assert_fails(&outer, &nested, Error::LimitReached { depth: 0, limit });
        assert_noop_but_weight(
            || dispatch(&ALICE, upload_of(TALLY)),
            Error::<Test>::LimitReached { depth: 0, limit },
        );
    });
    next_block(&mut externalities);
    externalities.execute_with(|| {
        assert_ok!(call(&BOB, &outer, "run", &nested));
    });
}

#[test]
fn what_is_not_there() {
    in_block(|| {
        let instance = script_instance();
        let no_export = || call(&BOB, &instance, "no such", &[]);
        assert_noop_but_weight(no_export, Error::<Test>::MissingExport { depth: 0 });
        let no_instance = || call(&BOB, &CHARLIE, "run", &[]);
        assert_noop_but_weight(no_instance, Error::<Test>::InstanceNotFound { depth: 0 });
    });
}

#[test]
fn the_proof_may_become_too_large() {
    in_block(|| {
        let instance = script_instance();
        let base = <Test as Config>::WeightInfo::call(0);
        let limited = |proof_size| Call::call {
            instance: instance.clone(),
            export: bounded(b"run"),
            value: 0,
            input: bounded(&doomed().end()),
            gas_limit: Weight::from_parts(GAS.ref_time(), proof_size),
            storage_deposit_limit: None,
        };
        for proof_size in [0, base.proof_size(), base.proof_size() + 1000] {
            assert_noop_but_weight(
                || dispatch(&BOB, limited(proof_size)),
                Error::<Test>::OutOfGas { depth: 0, resource: Resource::ProofSize },
            );
        }
        assert_ok!(dispatch(&BOB, limited(base.proof_size() + 200_000)));
    });
}

#[test]
fn a_program_that_is_not_valid_any_more() {
    let mut externalities = externalities();
    let instance = externalities.execute_with(script_instance);
    next_block(&mut externalities);
    externalities.execute_with(|| {
        // As if a later node understood other programs.
        let code_hash = Pallet::<Test>::code_hash(SCRIPT);
        Codes::<Test>::insert(code_hash, bounded::<<Test as Config>::MaxCodeLen>(b"not a program"));
        assert_fails(&instance, &doomed().end(), Error::InvalidCode { depth: 0 });
        Codes::<Test>::remove(code_hash);
        assert_fails(&instance, &doomed().end(), Error::InvalidCode { depth: 0 });
        CodeInfos::<Test>::remove(code_hash);
        assert_fails(&instance, &doomed().end(), Error::InvalidCode { depth: 0 });
    });
}

#[test]
fn too_many_instances_in_a_row() {
    in_block(|| {
        let code_hash = upload(SCRIPT);
        let deepest = <Test as Config>::MaxCallDepth::get();
        let instances: Vec<_> = (0..=deepest).map(|salt| instantiate(code_hash, salt, &[], 0)).collect();
        let nested = |depth: u8, innermost: Vec<u8>| {
            instances[1..usize::from(depth)]
                .iter()
                .rev()
                .fold(innermost, |script, callee| Script::new().call_unwinding(callee, script).end())
        };
        assert_ok!(call(&BOB, &instances[0], "run", &nested(deepest, Script::new().set(b"key", 1, 1).end())));
        let too_deep = nested(deepest + 1, Script::new().end());
        assert_fails(&instances[0], &too_deep, Error::CallDepthExceeded { depth: deepest });
        // A dry run, in a storage layer of its own, has room for as many.
        let dry_run = |script: &[u8]| dry_run(&BOB, &instances[0], "run", script, None).result;
        assert!(dry_run(&nested(deepest, Script::new().end())).is_ok());
        assert_eq!(dry_run(&too_deep), Err(Error::<Test>::CallDepthExceeded { depth: deepest }.into()));
        // Where it fails is told, if the guests in between ask for that.
        let trapping = nested(4, Script::new().trap());
        assert_fails(&instances[0], &trapping, Error::Trapped { depth: 3, kind: TrapKind::Trap });
    });
}

#[test]
fn an_instance_that_is_being_called() {
    in_block(|| {
        let instance = script_instance();
        let again = doomed().call_unwinding(&instance, Script::new().end()).end();
        assert_fails(&instance, &again, Error::Reentered { depth: 1 });
    });
}

#[test]
fn deposits_beyond_the_limit_or_the_callers_means() {
    in_block(|| {
        let instance = script_instance();
        let limited = |limit, script: Script| Call::call {
            instance: instance.clone(),
            export: bounded(b"run"),
            value: 0,
            input: bounded(&script.end()),
            gas_limit: GAS,
            storage_deposit_limit: Some(limit),
        };
        let store = || Script::new().set(b"key", 1, 100);
        let deposit = PER_ITEM + PER_BYTE * 103;
        for limit in [0, deposit - 1] {
            let call = || dispatch(&BOB, limited(limit, store()));
            assert_noop_but_weight(call, Error::<Test>::DepositLimitExceeded { depth: 0 });
        }
        // The limit holds at any time, not only in the end.
        let and_remove = || dispatch(&BOB, limited(deposit - 1, store().remove(b"key")));
        assert_noop_but_weight(and_remove, Error::<Test>::DepositLimitExceeded { depth: 0 });
        let poor = AccountId32::new([9; 32]);
        assert_ok!(Balances::transfer_allow_death(
            RuntimeOrigin::signed(BOB),
            poor.clone(),
            deposit + EXISTENTIAL_DEPOSIT - 1
        ));
        let unaffordable = || call(&poor, &instance, "run", &store().end());
        assert_noop_but_weight(unaffordable, Error::<Test>::StorageUnaffordable { depth: 0 });
        assert_ok!(dispatch(&BOB, limited(deposit, store())));
        assert_eq!(held(HoldReason::Storage, &BOB), deposit);
    });
}

#[test]
fn value_that_the_caller_does_not_have() {
    in_block(|| {
        let instance = script_instance();
        let call = Call::call {
            instance: instance.clone(),
            export: bounded(b"run"),
            value: ENDOWMENT - EXISTENTIAL_DEPOSIT + 1,
            input: bounded(&Script::new().end()),
            gas_limit: GAS,
            storage_deposit_limit: None,
        };
        assert_noop_but_weight(|| dispatch(&BOB, call), Error::<Test>::TransferFailed { depth: 0 });
        // An instance does not have it either.
        let other = instantiate(Pallet::<Test>::code_hash(SCRIPT), 1, &[], 0);
        let script = Script::new().call_with(&other, "run", Script::new().end(), 1001, u64::MAX, true).end();
        assert_fails(&instance, &script, Error::TransferFailed { depth: 1 });
        let script = Script::new().call_with(&other, "run", Script::new().end(), 1000, u64::MAX, true).end();
        assert_ok!(self::call(&BOB, &instance, "run", &script));
    });
}

#[test]
fn arguments_that_make_no_sense() {
    in_block(|| {
        let instance = script_instance();
        // The stack ends at 0xfffe_0000: memory that can be read and written.
        let (good, unmapped) = (0xfffd_ff00, 0x1000);
        let beyond = 1 << 32 | good;
        let (payload, key, value) = (64 * 1024, 128, 16 * 1024);
        let cases: &[(&str, [u64; 4], Argument)] = &[
            ("address_v1", [unmapped, 0, 0, 0], Argument::Pointer),
            ("address_v1", [beyond, 0, 0, 0], Argument::Pointer),
            ("balance_v1", [unmapped, 0, 0, 0], Argument::Pointer),
            ("call_v1", [unmapped, 0, 0, 0], Argument::Pointer),
            ("caller_v1", [0xfffd_fff0, 0, 0, 0], Argument::Pointer),
            ("debug_print_v1", [good, payload + 1, 0, 0], Argument::Length),
            ("debug_print_v1", [unmapped, 1, 0, 0], Argument::Pointer),
            ("emit_event_v1", [good, 5, good, 0], Argument::Topics),
            ("emit_event_v1", [unmapped, 1, good, 0], Argument::Pointer),
            ("emit_event_v1", [good, 0, good, payload + 1], Argument::Length),
            ("hash_blake2_128_v1", [good, payload + 1, good, 0], Argument::Length),
            ("hash_blake2_256_v1", [unmapped, 1, good, 0], Argument::Pointer),
            ("hash_keccak_256_v1", [good, 1, unmapped, 0], Argument::Pointer),
            ("input_v1", [unmapped, 1, 0, 0], Argument::Pointer),
            ("return_value_v1", [good, payload + 1, 0, 0], Argument::Length),
            ("return_value_v1", [good, u64::MAX, 0, 0], Argument::Length),
            ("return_value_v1", [beyond, 1, 0, 0], Argument::Pointer),
            ("revert_v1", [good, payload + 1, 0, 0], Argument::Length),
            ("revert_v1", [unmapped, 1, 0, 0], Argument::Pointer),
            ("storage_get_v1", [good, 0, good, 0], Argument::Key),
            ("storage_get_v1", [good, key + 1, good, 0], Argument::Key),
            ("storage_get_v1", [unmapped, 1, good, 0], Argument::Pointer),
            ("storage_remove_v1", [good, 0, 0, 0], Argument::Key),
            ("storage_remove_v1", [good, 1 << 32 | 1, 0, 0], Argument::Key),
            ("storage_set_v1", [good, 0, good, 1], Argument::Key),
            ("storage_set_v1", [good, key + 1, good, 1], Argument::Key),
            ("storage_set_v1", [good, 1, good, value + 1], Argument::Length),
            ("storage_set_v1", [good, 1, unmapped, 1], Argument::Pointer),
            ("terminate_v1", [unmapped, 0, 0, 0], Argument::Pointer),
            ("transfer_v1", [unmapped, good, 0, 0], Argument::Pointer),
            ("transfer_v1", [good, unmapped, 0, 0], Argument::Pointer),
            ("value_v1", [unmapped, 0, 0, 0], Argument::Pointer),
        ];
        for (syscall, registers, argument) in cases {
            let script = doomed().raw(syscall, *registers).end();
            let result = call(&BOB, &instance, "run", &script);
            let expected: DispatchError =
                Error::<Test>::InvalidArgument { depth: 0, argument: *argument }.into();
            assert_eq!(error(result), expected, "{syscall} {registers:x?}");
        }
        let to_itself = doomed().terminate(&instance);
        assert_fails(&instance, &to_itself, Error::InvalidArgument { depth: 0, argument: Argument::Account });
    });
}

#[test]
fn no_bytes_at_all_may_be_anywhere() {
    in_block(|| {
        let instance = script_instance();
        let script = Script::new()
            .raw("debug_print_v1", [0, 0, 0, 0])
            .raw("emit_event_v1", [0, 0, u64::MAX, 0])
            .raw("input_v1", [0, 0, 0, 0])
            .end();
        let output = output(&BOB, &instance, "run", &script);
        let mut output = Output(&output);
        assert_eq!((output.answer(), output.answer()), (0, 0));
        assert_eq!(output.answer(), script.len() as i64);
    });
}

#[test]
fn an_instance_that_something_else_depends_on_cannot_end() {
    in_block(|| {
        let instance = script_instance();
        assert_ok!(System::inc_consumers(&instance));
        assert_fails(&instance, &doomed().terminate(&BOB), Error::BeneficiaryRefused { depth: 0 });
        let remove = || dispatch(&ALICE, Call::remove_instance { instance: instance.clone() });
        assert_noop_but_weight(remove, Error::<Test>::AccountInUse);
    });
}
