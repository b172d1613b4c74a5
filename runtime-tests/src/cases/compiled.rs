//! The compiled guests, in both instruction sets.

use super::{Case, call, cases, ends, guests, symbols};
use crate::guests::InstructionSet::{self, JamV1, ReviveV1};
use hatchery_test_runtime::{
    outcome::{Call, End, ExecFailure, Run},
    scenario,
};

cases! {
    hello_jam_v1 = hello(JamV1);
    hello_revive_v1 = hello(ReviveV1);
    hello_three_times_jam_v1 = hello_three_times(JamV1);
    hello_three_times_revive_v1 = hello_three_times(ReviveV1);
    echo_jam_v1 = echo(JamV1);
    echo_revive_v1 = echo(ReviveV1);
    primes_jam_v1 = primes(JamV1);
    primes_revive_v1 = primes(ReviveV1);
    syscalls_jam_v1 = syscalls(JamV1);
    syscalls_revive_v1 = syscalls(ReviveV1);
    hundred_thousand_tight_round_trips = Case::new(
        scenario::round_trips(guests::syscalls(JamV1), b"round_trips".to_vec(), 100_000),
        |count| assert_eq!(count, 100_000),
    );
    spin_jam_v1 = spin(JamV1);
    spin_revive_v1 = spin(ReviveV1);
    counter_revive_v1 = Case::new(
        scenario::on_one_instance(guests::counter(ReviveV1), 7, vec![call(b"counter"), call(b"offset")]),
        |runs| assert_eq!(ends(&runs), [(End::Finished, 15), (End::Finished, 18)]),
    );
    traps_jam_v1 = traps(JamV1);
    traps_revive_v1 = traps(ReviveV1);
    legal_jam_v1 = legal(JamV1);
    legal_revive_v1 = legal(ReviveV1);
}

fn hello(set: InstructionSet) -> Case {
    Case::new(scenario::console(guests::hello(set), call(b"hello"), Vec::new()), |console| {
        assert_eq!(console.run.end, End::Finished);
        assert_eq!(text(&console.output), "Hello from a child machine!\n");
    })
}

fn hello_three_times(set: InstructionSet) -> Case {
    let input = scenario::console(guests::hello(set), Call { a0: 3, ..call(b"hello_times") }, Vec::new());
    Case::new(input, |console| {
        assert_eq!(console.run.end, End::Finished);
        let expected = "Hello number 1 of 3\nHello number 2 of 3\nHello number 3 of 3\n";
        assert_eq!(text(&console.output), expected);
    })
}

fn echo(set: InstructionSet) -> Case {
    let input: Vec<u8> = (0..5000_u32).map(|at| (at * at % 251) as u8).collect();
    Case::new(scenario::console(guests::echo(set), call(b"echo"), input.clone()), move |console| {
        assert_eq!(console.run.end, End::Finished);
        assert!(console.output == input, "the output is not the input");
        assert!(symbols(&console.run).iter().filter(|symbol| **symbol == "read").count() > 5);
    })
}

/// The interface does not tell what an export returned; that the work was the same shows in the gas.
fn primes(set: InstructionSet) -> Case {
    let below = |limit| Call { a0: limit, gas: 1 << 40, ..call(b"primes") };
    let input = scenario::on_one_instance(
        guests::primes(set),
        0,
        vec![below(0), below(100_000), below(200_000), below((1 << 32) + 1), below(100_000)],
    );
    Case::new(input, |runs| {
        let trap = (End::Failed(ExecFailure::Trap), 0);
        let finished = (End::Finished, 0);
        assert_eq!(ends(&runs), [finished, finished, finished, trap, finished]);
        let left = |run: &Run| run.gas_left.expect("it finished");
        assert!(left(&runs[0]) > left(&runs[1]) && left(&runs[1]) > left(&runs[2]), "{runs:?}");
        assert_eq!(left(&runs[1]), left(&runs[4]), "the same work costs the same");
    })
}

fn syscalls(set: InstructionSet) -> Case {
    let input = scenario::console(guests::syscalls(set), Call { a0: 20, ..call(b"round_trips") }, Vec::new());
    Case::new(input, |console| {
        assert_eq!(console.run.end, End::Finished);
        assert_eq!(symbols(&console.run), ["nothing"; 20]);
    })
}

fn spin(set: InstructionSet) -> Case {
    let input =
        scenario::on_one_instance(guests::syscalls(set), 0, vec![Call { gas: 100_000, ..call(b"spin") }]);
    Case::new(input, |runs| {
        assert_eq!(ends(&runs), [(End::Failed(ExecFailure::OutOfGas), 0)]);
    })
}

/// Each export on an instance of its own.
fn traps(set: InstructionSet) -> Case {
    const TRAPS: [&[u8]; 17] = [
        b"trap",
        b"panics",
        b"jump_null",
        b"jump_misaligned",
        b"jump_outside",
        b"jump_highest",
        b"return_nowhere",
        b"stack_overflow",
        b"load_null",
        b"load_low",
        b"load_unmapped",
        b"load_across_end",
        b"load_wrapping",
        b"store_low",
        b"store_read_only",
        b"store_unmapped",
        b"store_across_end",
    ];
    let input = scenario::on_new_instances(guests::traps(set), 0, TRAPS.map(call).to_vec());
    Case::new(input, |runs| {
        for (run, export) in runs.iter().zip(TRAPS) {
            assert_eq!(run.end, End::Failed(ExecFailure::Trap), "{}", text(export));
        }
        assert_eq!(runs.len(), TRAPS.len());
    })
}

fn legal(set: InstructionSet) -> Case {
    const LEGAL: [&[u8]; 5] =
        [b"division_edges", b"unaligned", b"high_address_bits", b"early_finish", b"stack_end"];
    let input = scenario::on_new_instances(guests::traps(set), 0, LEGAL.map(call).to_vec());
    Case::new(input, |runs| assert_eq!(ends(&runs), [(End::Finished, 0); 5]))
}

fn text(bytes: &[u8]) -> &str {
    core::str::from_utf8(bytes).expect("the guests print UTF-8")
}
