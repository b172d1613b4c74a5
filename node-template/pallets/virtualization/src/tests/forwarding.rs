//! A guest that says itself what `call_v1` is given: the gas, as a share of what it has, and the flags.

use super::{dry_runs::dry_run, instances::assert_noop_but_weight, job_targets::program, script::Script};
use crate::{Argument, Call, Error, Resource, mock::*};
use frame_support::{assert_ok, weights::Weight};
use polkavm_common_033::program::{Reg, asm};
use sp_runtime::AccountId32;

/// Where the guest has its input.
const DATA: u32 = 0x2_0000;

/// A program whose export `main` makes the call that its input describes, but with half of the gas that it has left.
fn sharing() -> Vec<u8> {
    let body = [
        asm::load_imm(Reg::A0, DATA),
        asm::load_imm(Reg::A1, 2 * 4096),
        asm::ecalli(0),
        asm::ecalli(1),
        asm::shift_logical_right_imm_64(Reg::A0, Reg::A0, 1),
        asm::store_u64(Reg::A0, DATA + 48),
        asm::load_imm(Reg::A0, DATA),
        asm::ecalli(2),
        asm::ret(),
    ];
    program(&[b"input_v1", b"gas_left_v1", b"call_v1"], &[("main", &body)])
}

/// The input of [`sharing`] for a call of the export `run`.
fn describing(callee: &AccountId32, script: &[u8], flags: u64) -> Vec<u8> {
    let account = u64::from(DATA) + 64;
    let (export, export_length, no_value) = (account + 32, 3, 0);
    let (input, input_length) = (export + export_length, script.len() as u64);
    let numbers = [account, export, export_length, no_value, input, input_length, 0, flags];
    let numbers: Vec<u8> = numbers.into_iter().flat_map(u64::to_le_bytes).collect();
    [&numbers, callee.as_ref() as &[u8], b"run", script].concat()
}

const UNWIND: u64 = 1;

/// What the documentation says of `gas_required`: where it does not suffice, and how to find what does.
#[test]
fn a_callee_with_a_share_has_less_under_the_limit_that_a_dry_run_tells() {
    let mut externalities = externalities();
    let (outer, inner) =
        externalities.execute_with(|| (instantiate(upload(&sharing()), 0, &[], 0), script_instance()));
    next_block(&mut externalities);
    let script = (0..100).fold(Script::new(), |script, _| script.hash(b"some text")).finish();
    let input = describing(&inner, &script, UNWIND);
    externalities.execute_with(|| {
        let first = dry_run(&BOB, &outer, "main", &input, None);
        assert_eq!(first.result, Ok(vec![]));
        let required = first.gas_required;
        let limited = |gas_limit| {
            let (instance, export, input) = (outer.clone(), bounded(b"main"), bounded(&input));
            let storage_deposit_limit = None;
            dispatch(&BOB, Call::call { instance, export, value: 0, input, gas_limit, storage_deposit_limit })
        };
        // Half of what is left at the call is not enough for what half of a greater limit has been spent on.
        let out_of_gas = || Error::<Test>::OutOfGas { depth: 1, resource: Resource::RefTime };
        assert_noop_but_weight(|| limited(required), out_of_gas());
        // A dry run with that limit says so, too.
        let suffices = |ref_time| {
            let limit = Weight::from_parts(ref_time, required.proof_size());
            let dry_run = dry_run(&BOB, &outer, "main", &input, Some(limit));
            assert!(dry_run.result == Ok(vec![]) || dry_run.result == Err(out_of_gas().into()));
            dry_run.result.is_ok()
        };
        assert!(!suffices(required.ref_time()));
        let (mut short, mut enough) = (required.ref_time(), first.gas_limit.ref_time());
        while enough - short > 1 {
            let middle = short.midpoint(enough);
            if suffices(middle) {
                enough = middle;
            } else {
                short = middle;
            }
        }
        let limit = |ref_time| Weight::from_parts(ref_time, required.proof_size());
        assert_noop_but_weight(|| limited(limit(short)), out_of_gas());
        let result = limited(limit(enough));
        assert_ok!(result);
        assert_eq!(weight(&result), first.gas_consumed, "more is needed, and no more is used");
    });
}

#[test]
fn flags_that_no_call_has() {
    in_block(|| {
        let (outer, inner) = (instantiate(upload(&sharing()), 0, &[], 0), script_instance());
        let run = |flags| call(&BOB, &outer, "main", &describing(&inner, &Script::new().finish(), flags));
        for flags in [2, UNWIND | 2, 1 << 63] {
            let expected = Error::<Test>::InvalidArgument { depth: 0, argument: Argument::Flags };
            assert_noop_but_weight(|| run(flags), expected);
        }
        for flags in [0, UNWIND] {
            assert_ok!(run(flags));
        }
    });
}
