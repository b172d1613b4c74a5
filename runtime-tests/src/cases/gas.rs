//! Gas: what is charged, and where it ends.

use super::{Case, PLENTY, call, cases, ends, guests};
use crate::guests::InstructionSet::JamV1;
use hatchery_test_runtime::{
    outcome::{Call, End, ExecFailure, Run},
    scenario,
};

const OUT_OF_GAS: End = End::Failed(ExecFailure::OutOfGas);

cases! {
    /// The loop costs the same every time, and stops exactly when the rest does not pay for another turn.
    endless_loop_runs_out = Case::new(
        scenario::on_one_instance(
            guests::counter(JamV1),
            0,
            vec![Call { gas: 100_000, ..call(b"increment_forever") }],
        ),
        |runs| {
            let Run { end, gas_left, counter, syscalls } = &runs[0];
            assert_eq!((*end, *gas_left), (OUT_OF_GAS, None));
            assert_eq!(*counter, syscalls.len() as u64);
            assert!(syscalls.len() > 100, "{} turns", syscalls.len());
            let costs: Vec<_> =
                syscalls.windows(2).map(|pair| pair[0].gas_left - pair[1].gas_left).collect();
            assert!(costs[0] > 0);
            assert!(costs.iter().all(|cost| *cost == costs[0]), "{costs:?}");
            let rest = syscalls[syscalls.len() - 1].gas_left;
            assert!((0..costs[0]).contains(&rest), "{rest} is left, a turn costs {}", costs[0]);
        },
    );

    /// Out of gas, a trap and a refusal all leave an instance that works.
    usable_after_running_out = Case::new(
        scenario::on_one_instance(
            guests::counter(JamV1),
            0,
            vec![
                Call { gas: 1, ..call(b"counter") },
                Call { gas: 1_000, ..call(b"increment_forever") },
                call(b"counter"),
            ],
        ),
        |runs| {
            let turns = runs[1].counter;
            assert_eq!(ends(&runs), [(OUT_OF_GAS, 0), (OUT_OF_GAS, turns), (End::Finished, turns + 8)]);
        },
    );

    no_gas_runs_nothing = Case::new(
        scenario::on_one_instance(
            guests::registers(),
            0,
            [0, -1, i64::MIN, PLENTY].map(|gas| Call { gas, ..call(b"main") }).to_vec(),
        ),
        |runs| {
            assert_eq!(ends(&runs), [(OUT_OF_GAS, 0), (OUT_OF_GAS, 0), (OUT_OF_GAS, 0), (End::Finished, 0)]);
            assert!(runs[..3].iter().all(|run| run.syscalls.is_empty()), "{runs:?}");
        },
    );

    equal_gas_for_different_limits = Case::new(
        scenario::gas_used(
            guests::counter(JamV1),
            b"counter".to_vec(),
            vec![i64::MAX, i64::MAX / 2, 1 << 32, 1_000_000],
        ),
        |used| {
            assert!(used[0].is_some_and(|gas| gas > 0), "{used:?}");
            assert!(used.iter().all(|gas| *gas == used[0]), "{used:?}");
        },
    );

    least_gas_is_what_is_used = Case::new(
        scenario::least_gas(guests::counter(JamV1), b"counter".to_vec()),
        |outcome| {
            let (used, enough, too_little) = outcome.expect("the guest finishes with plenty of gas");
            assert!(used > 0);
            assert_eq!((enough.end, enough.gas_left), (End::Finished, Some(0)));
            assert_eq!(too_little.end, OUT_OF_GAS, "with {} gas", used - 1);
        },
    );

    gas_of_a_trap_is_not_told = Case::new(
        scenario::on_one_instance(guests::counter(JamV1), 0, vec![Call { gas: 1_000, ..call(b"do_panic") }]),
        |runs| assert_eq!(runs[0].gas_left, None),
    );
}
