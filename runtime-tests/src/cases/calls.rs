//! Calls: results, syscalls, failures, and what instances share.

use super::{Case, Comparison, PLENTY, call, cases, ends, guests, symbols};
use crate::guests::InstructionSet::JamV1;
use hatchery_test_runtime::{
    outcome::{Call, End, ExecFailure, InstantiateFailure, ModuleFailure},
    scenario,
};

const TRAP: End = End::Failed(ExecFailure::Trap);

cases! {
    counter_starts_at_0 = Case::new(
        scenario::on_one_instance(guests::counter(JamV1), 0, vec![call(b"counter")]),
        |runs| {
            assert_eq!(ends(&runs), [(End::Finished, 8)]);
            let expected =
                ["read_counter", "increment_counter", "read_counter", "increment_counter", "read_counter"];
            assert_eq!(symbols(&runs[0]), expected);
        },
    );

    counter_starts_at_7 = Case::new(
        scenario::on_one_instance(guests::counter(JamV1), 7, vec![call(b"counter")]),
        |runs| assert_eq!(ends(&runs), [(End::Finished, 15)]),
    );

    two_calls_on_one_instance = Case::new(
        scenario::on_one_instance(guests::counter(JamV1), 7, vec![call(b"counter"), call(b"counter")]),
        |runs| {
            assert_eq!(ends(&runs), [(End::Finished, 15), (End::Finished, 23)]);
            assert_eq!(runs[0].gas_left, runs[1].gas_left, "the second call costs what the first costs");
        },
    );

    every_export_on_one_instance = Case::new(
        scenario::on_one_instance(
            guests::counter(JamV1),
            1,
            [&b"add_99"[..], b"offset", b"do_panic", b"counter", b"offset", b"do_exit", b"counter"]
                .map(call)
                .to_vec(),
        ),
        |runs| {
            let expected = [
                (End::Finished, 100),
                (End::Finished, 103),
                (TRAP, 103),
                (End::Finished, 111),
                (End::Finished, 115),
                // The handler ended this call at a syscall, so that there is no idle instance to go on with.
                (End::Exited, 115),
            ];
            assert_eq!(ends(&runs), expected);
        },
    );

    panic_is_a_trap = Case::new(
        scenario::on_one_instance(guests::counter(JamV1), 0, vec![call(b"do_panic")]),
        |runs| {
            assert_eq!(ends(&runs), [(TRAP, 0)]);
            assert_eq!(symbols(&runs[0]), [""; 0]);
        },
    );

    exit_ends_the_call = Case::new(
        scenario::on_one_instance(guests::counter(JamV1), 0, vec![call(b"do_exit")]),
        |runs| {
            assert_eq!(ends(&runs), [(End::Exited, 0)]);
            assert_eq!(symbols(&runs[0]), ["exit"]);
        },
    );

    memory_is_kept_between_calls = Case::new(
        scenario::on_one_instance(guests::counter(JamV1), 0, vec![call(b"offset"); 3]),
        |runs| assert_eq!(ends(&runs), [(End::Finished, 3), (End::Finished, 7), (End::Finished, 12)]),
    );

    memory_is_reset_for_a_new_instance = Case::new(
        scenario::on_new_instances(guests::counter(JamV1), 0, vec![call(b"offset"); 3]),
        |runs| assert_eq!(ends(&runs), [(End::Finished, 3), (End::Finished, 6), (End::Finished, 9)]),
    );

    instance_in_a_syscall_of_another = Case::new(scenario::nested(guests::counter(JamV1), 1), |runs| {
        assert_eq!(ends(&runs), [(End::Finished, 0), (End::Finished, 8)]);
        assert_eq!(symbols(&runs[0]), ["subcall"]);
    });

    instances_twelve_deep = Case::new(scenario::nested(guests::counter(JamV1), 12), |runs| {
        assert_eq!(runs.len(), 13);
        assert!(runs[..12].iter().all(|run| (run.end, run.counter) == (End::Finished, 0)), "{runs:?}");
        assert_eq!((runs[12].end, runs[12].counter), (End::Finished, 8));
        assert!(runs[..12].windows(2).all(|pair| pair[0] == pair[1]), "every level costs the same: {runs:?}");
    });

    instances_three_deep = Case::new(scenario::nested(guests::counter(JamV1), 3), |runs| {
        let expected = [(End::Finished, 0), (End::Finished, 0), (End::Finished, 0), (End::Finished, 8)];
        assert_eq!(ends(&runs), expected);
        for run in &runs[..3] {
            assert_eq!(symbols(run), ["subcall"]);
        }
    });

    /// Each keeps its memory while a thousand others run.
    a_thousand_live_instances = Case::new(
        scenario::many_instances(guests::counter(JamV1), b"offset".to_vec(), 1_000),
        |outcome| assert_eq!(outcome, (1_000, End::Finished, 1_000 * (3 + 4))),
    );

    more_instances_than_the_limit = Case::new(
        scenario::many_instances(guests::counter(JamV1), b"offset".to_vec(), 1_100),
        |outcome| {
            let refused = End::NotInstantiated(InstantiateFailure::InvalidImage);
            assert_eq!(outcome, (1_024, refused, 1_024 * (3 + 4)));
        },
    )
    .compared(Comparison::OtherManager("upstream has no limits"));

    two_instances_in_turn = Case::new(scenario::interleaved(guests::counter(JamV1), (0, 100)), |runs| {
        assert_eq!(ends(&runs), [(End::Finished, 8), (End::Finished, 108)]);
        assert_eq!(runs[0].gas_left, runs[1].gas_left);
        assert_eq!(symbols(&runs[0]), symbols(&runs[1]));
    });

    /// a0 is the argument, every other register of the syscall is 0 at the start; an answer changes a0 only.
    registers_at_the_start_and_after_a_syscall = Case::new(
        scenario::on_one_instance(
            guests::registers(),
            0,
            vec![Call { export: b"main".to_vec(), gas: PLENTY, a0: 0x1234_5678_9abc_def0 }],
        ),
        |runs| {
            assert_eq!(ends(&runs), [(End::Finished, 0)]);
            let seen: Vec<_> = runs[0].syscalls.iter().map(|syscall| syscall.arguments).collect();
            // `look` is answered with the complement of a0.
            let expected = [[0x1234_5678_9abc_def0, 0, 0, 0, 0, 0], [!0x1234_5678_9abc_def0, 0, 0, 0, 0, 0]];
            assert_eq!(seen, expected);
        },
    );

    every_way_to_trap = Case::new(
        scenario::on_one_instance(
            guests::trapping(),
            0,
            [
                &b"instruction"[..],
                b"load_from_0",
                b"load_from_the_top",
                b"load_across_the_end",
                b"load_around_the_top",
                b"store_to_read_only",
                b"store_to_the_guard",
                b"store_below_the_stack",
                b"jump_to_0",
                b"jump_to_an_odd_address",
                b"jump_past_the_table",
            ]
            .map(call)
            .to_vec(),
        ),
        |runs| assert_eq!(ends(&runs), [(TRAP, 0); 11]),
    );

    division_by_zero_is_defined = Case::new(
        scenario::on_one_instance(
            guests::trapping(),
            0,
            [&b"divide_by_zero"[..], b"remainder_of_zero"]
                .map(|export| Call { a0: 1234, ..call(export) })
                .to_vec(),
        ),
        |runs| {
            assert_eq!(ends(&runs), [(End::Finished, 0); 2]);
            assert_eq!(runs[0].syscalls[0].arguments[0], u64::MAX);
            assert_eq!(runs[1].syscalls[0].arguments[0], 1234);
        },
    );

    unknown_exports_leave_the_instance_idle = Case::new(
        scenario::on_one_instance(
            guests::counter(JamV1),
            0,
            [&b"counte"[..], b"counter\0", b"", &[0xff; 1000], b"counter"].map(call).to_vec(),
        ),
        |runs| {
            let refused = (End::NotPrepared(ExecFailure::InvalidImage), 0);
            assert_eq!(ends(&runs), [refused, refused, refused, refused, (End::Finished, 8)]);
        },
    );

    refused_prepare_gives_the_instance_back = Case::new(
        scenario::refused_prepare(guests::counter(JamV1), b"absent".to_vec()),
        |outcome| {
            let (failure, run) = outcome.expect("`absent` is refused");
            assert_eq!(failure, ExecFailure::InvalidImage);
            assert_eq!((run.end, run.counter), (End::Finished, 8));
        },
    );

    syscall_beyond_the_imports = Case::new(
        scenario::on_one_instance(guests::importing(&[b"look"], 1), 0, vec![call(b"main"), call(b"return")]),
        |runs| {
            let refused = (End::Failed(ExecFailure::InvalidImage), 0);
            assert_eq!(ends(&runs), [refused, (End::Finished, 0)]);
        },
    );

    symbol_of_32_bytes = Case::new(
        scenario::on_one_instance(guests::importing(&[b"look", &[b'x'; 32]], 1), 0, vec![call(b"main")]),
        |runs| {
            assert_eq!(ends(&runs), [(End::UnknownSyscall, 0)]);
            assert_eq!(runs[0].syscalls[0].symbol, [b'x'; 32]);
        },
    );

    symbol_of_33_bytes = Case::new(
        scenario::on_one_instance(guests::importing(&[b"look", &[b'x'; 33]], 0), 0, vec![call(b"main")]),
        |runs| assert_eq!(ends(&runs), [(End::NotCompiled(ModuleFailure::InvalidImage), 0)]),
    );

    symbols_are_any_bytes = Case::new(
        scenario::on_one_instance(guests::importing(&[b"", &[0xff, 0, 0xfe]], 1), 0, vec![call(b"main")]),
        |runs| {
            assert_eq!(ends(&runs), [(End::UnknownSyscall, 0)]);
            assert_eq!(runs[0].syscalls[0].symbol, [0xff, 0, 0xfe]);
        },
    );

    empty_symbol = Case::new(
        scenario::on_one_instance(guests::importing(&[b"", b"look"], 0), 0, vec![call(b"main")]),
        |runs| {
            assert_eq!(ends(&runs), [(End::UnknownSyscall, 0)]);
            assert_eq!(runs[0].syscalls[0].symbol, b"");
        },
    );

    completed_by_the_offered_loop = completed(b"counter", PLENTY, |end, gas_left, counter| {
        assert_eq!((end, counter), (End::Finished, 15));
        assert!((1..PLENTY).contains(&gas_left), "{gas_left}");
    });

    exited_from_the_offered_loop = completed(b"do_exit", 10_000, |end, gas_left, counter| {
        assert_eq!((end, counter), (End::Exited, 7));
        assert!((1..10_000).contains(&gas_left), "{gas_left}");
    });

    trapped_in_the_offered_loop =
        completed(b"do_panic", 10_000, |end, gas_left, counter| assert_eq!((end, gas_left, counter), (TRAP, 0, 7)));

    out_of_gas_in_the_offered_loop = completed(b"increment_forever", 10_000, |end, gas_left, counter| {
        assert_eq!((end, gas_left), (End::Failed(ExecFailure::OutOfGas), 0));
        assert!(counter > 10, "{counter}");
    });

    round_trips_of_a_short_call = Case::new(
        scenario::round_trips(guests::importing(&[b"look"], 0), b"main".to_vec(), 100_000),
        |count| assert_eq!(count, 1, "the guest makes one syscall and returns"),
    );

    hundred_thousand_round_trips = Case::new(
        scenario::round_trips(guests::counter(JamV1), b"increment_forever".to_vec(), 100_000),
        |count| assert_eq!(count, 100_000),
    );

    dropped_handles_free_their_instances = Case::new(
        scenario::dropped_handles(guests::counter(JamV1)),
        |answers| {
            let values: Vec<_> = answers.iter().map(|answer| answer.value).collect();
            assert_eq!(values, [-1; 4], "no such instance");
        },
    );
}

fn completed(export: &[u8], gas: i64, check: fn(End, i64, u64)) -> Case {
    Case::new(scenario::completed(guests::counter(JamV1), export.to_vec(), gas), move |outcome| {
        let (end, gas_left, counter) = outcome.expect("the guest has this export");
        check(end, gas_left, counter);
    })
}
