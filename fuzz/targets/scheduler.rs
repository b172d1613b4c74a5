//! A tree of processes that do what the input says is the same tree whatever is done to it on the way: stopped by limits, parked,
//! forked, suspended and resumed on another backend. And whatever it does, its schedule, gas and end are those of the straight run.

#![no_main]

#[path = "../common/trees.rs"]
mod trees;

use arbitrary::Arbitrary;
use hatchery_scheduler::{Limits, Program, RunMode, Scheduler, Stop, Trace};
use libfuzzer_sys::fuzz_target;
use trees::{MODULES, answer, arguments};

#[derive(Arbitrary, Debug)]
struct Input {
    /// What each role does: operations of the guest's `script.rs`.
    roles: Vec<Vec<u8>>,
    /// What is done to the disturbed tree, one after the other.
    disturbances: [u8; 8],
}

/// The gas of a run.
const LIMIT: u64 = 3_000_000;
/// The most turns of a disturbed run in which it is disturbed.
const DISTURBED: usize = 200;

fuzz_target!(|input: Input| {
    let arguments = arguments(&input.roles);
    let start = |backend: usize| {
        let program = Program::whole("cases");
        let mut tree =
            Scheduler::new(MODULES[backend].clone(), Limits::default(), &program, &arguments).ok()?;
        tree.set_trace(Some(Trace::new(0)));
        Some(tree)
    };
    let (Some(mut calm), Some(mut wild)) = (start(0), start(1)) else { return };
    let expected = loop {
        match calm.run(RunMode::Limit(LIMIT)).unwrap() {
            Stop::Syscall { .. } => answer(&mut calm),
            stop => break stop,
        }
    };

    let mut limit = 0;
    let mut got = None;
    for turn in 0..DISTURBED {
        let disturbance = input.disturbances[turn % 8];
        let stop = if disturbance & 1 == 0 {
            wild.iterate(RunMode::Limit(LIMIT)).unwrap().stop
        } else {
            limit = (limit.max(wild.gas_used()) + u64::from(disturbance) * 37).min(LIMIT);
            Some(wild.run(RunMode::Limit(limit)).unwrap())
        };
        if disturbance & 2 != 0 {
            wild.park();
        }
        if disturbance & 4 != 0 {
            let fork = wild.fork();
            let trace = wild.set_trace(None);
            let _ = wild.iterate(RunMode::Limit(LIMIT)).unwrap();
            wild = fork;
            wild.set_trace(trace);
        }
        if disturbance & 8 != 0 {
            let bytes = wild.suspend();
            let modules = MODULES[turn % 2].clone();
            let mut resumed = Scheduler::resume(modules, Limits::default(), &bytes).unwrap();
            assert_eq!(resumed.suspend(), bytes);
            resumed.set_trace(wild.set_trace(None));
            wild = resumed;
        }
        match stop {
            None => {}
            Some(Stop::Syscall { .. }) => answer(&mut wild),
            Some(Stop::OutOfGas) if limit < LIMIT => {}
            Some(stop) => {
                got = Some(stop);
                break;
            }
        }
    }
    let got = got.unwrap_or_else(|| {
        loop {
            match wild.run(RunMode::Limit(LIMIT)).unwrap() {
                Stop::Syscall { .. } => answer(&mut wild),
                stop => break stop,
            }
        }
    });
    assert_eq!(got, expected);
    assert_eq!(wild.gas_used(), calm.gas_used());
    assert_eq!(wild.trace().map(Trace::hash), calm.trace().map(Trace::hash));
    for tree in [&calm, &wild] {
        let live: u64 = tree.processes().map(|id| tree.peek(id).unwrap().gas_used()).sum();
        assert_eq!(live + tree.gas_used_by_ended(), tree.gas_used());
    }
    if !matches!(got, Stop::OutOfGas) {
        assert_eq!(wild.suspend(), calm.suspend());
    }
});
