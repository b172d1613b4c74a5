//! Suspended trees: what is not a state that a tree can be in gives an error, and never a tree.

mod common;

use common::script::three_processes;
use common::{PLENTY, answer, blobs, engine, run, tree, tree_of};
use hatchery_engine::{Backend, DataRange, Pause, RestoreError};
use hatchery_scheduler::{Limits, ProcessId, ResumeError, RunMode, Scheduler, Status, Stop};

fn resume(bytes: &[u8]) -> Result<Scheduler<hatchery_scheduler::Blobs>, ResumeError> {
    Scheduler::resume(blobs(engine(Backend::Interpreter)), Limits::default(), bytes)
}

/// A tree with a process that waits, one that reads, one that is about to run, an end that was not asked for, an open pipe.
fn rich() -> Vec<u8> {
    let mut tree = tree(Backend::Interpreter, &[31, 0]);
    for _ in 0..6 {
        if let Stop::Syscall { number, .. } = tree.run(RunMode::Limit(PLENTY)).unwrap() {
            answer(&mut tree, number);
        }
    }
    tree.suspend()
}

on_every_backend! {
    fn equal_states_have_equal_bytes(backend) {
        let states = |backend, park: bool, case: &[u8]| {
            let mut tree = tree(backend, case);
            let mut states = Vec::new();
            loop {
                let stop = tree.iterate(RunMode::Limit(PLENTY)).unwrap().stop;
                if park {
                    tree.park();
                }
                states.push(tree.suspend());
                match stop {
                    Some(Stop::Syscall { number, .. }) => drop(answer(&mut tree, number)),
                    Some(_) => break states,
                    None => {}
                }
            }
        };
        // Ends of all kinds, deadlocks, other programs.
        for case in [&[31, 0][..], &[1, 0], &[2, 0], &[19, 0], &[22, 0], &[23, 0], &[25, 0, 5], &[27, 0, 5], &[35, 0], &[40, 0]] {
            let expected = states(Backend::Interpreter, false, case);
            assert!(expected.len() > 4, "{case:?}");
            assert!(states(backend, false, case) == expected, "{case:?}");
            assert!(states(backend, true, case) == expected, "{case:?}");
        }
    }

    /// Each block is executed by another backend than the one before it, in a tree that was made from bytes.
    fn suspended_after_every_block(backend) {
        let arguments = three_processes();
        let pause = Pause::new();
        pause.raise();
        let mut states = Vec::new();
        let mut calm = tree(Backend::Interpreter, &arguments);
        let expected = loop {
            match calm.run(RunMode::Pause(&pause, PLENTY)).unwrap() {
                Stop::Paused => states.push(calm.suspend()),
                stop => break common::seen(&calm, stop),
            }
        };
        assert!(states.len() > 500, "{} pauses", states.len());
        let sources = [backend, Backend::Interpreter, backend].map(|backend| blobs(engine(backend)));
        let mut moved = tree(backend, &arguments);
        let mut pauses = 0;
        let stop = loop {
            match moved.run(RunMode::Pause(&pause, PLENTY)).unwrap() {
                Stop::Paused => {
                    let bytes = moved.suspend();
                    assert!(states.get(pauses) == Some(&bytes), "after {pauses} pauses");
                    pauses += 1;
                    let source = sources[pauses % sources.len()].clone();
                    let mut resumed = Scheduler::resume(source, Limits::default(), &bytes).unwrap();
                    resumed.set_trace(moved.set_trace(None));
                    moved = resumed;
                }
                stop => break stop,
            }
        };
        assert_eq!((common::seen(&moved, stop), pauses), (expected, states.len()));
    }

    /// As a limit cuts it: within calls too.
    fn suspended_at_many_limits(backend) {
        let arguments = three_processes();
        let whole = common::straight(backend, &arguments);
        let every = whole.gas as usize / if backend == Backend::Verify { 29 } else { 293 };
        let source = blobs(engine(backend));
        let (mut calm, mut moved) = (tree(Backend::Interpreter, &arguments), tree(backend, &arguments));
        for limit in (0..whole.gas).step_by(every) {
            assert_eq!(calm.run(RunMode::Limit(limit)).unwrap(), Stop::OutOfGas);
            assert_eq!(moved.run(RunMode::Limit(limit)).unwrap(), Stop::OutOfGas);
            let bytes = moved.suspend();
            assert!(calm.suspend() == bytes, "{limit}");
            let mut resumed = Scheduler::resume(source.clone(), Limits::default(), &bytes).unwrap();
            resumed.set_trace(moved.set_trace(None));
            moved = resumed;
        }
        let stop = run(&mut moved, whole.gas);
        assert_eq!(common::seen(&moved, stop), whole);
    }

    fn a_tree_that_has_ended_stays_so(backend) {
        let mut ended = tree(backend, &[36, 0]);
        assert_eq!(run(&mut ended, PLENTY), Stop::Ended(Status::Exited(-3)));
        let mut resumed = resume(&ended.suspend()).unwrap();
        assert_eq!(resumed.result(), Some(Status::Exited(-3)));
        assert_eq!(run(&mut resumed, 0), Stop::Ended(Status::Exited(-3)));
        assert_eq!(resumed.gas_used(), ended.gas_used());
    }
}

#[test]
fn truncated_or_longer_bytes_are_refused() {
    let bytes = rich();
    assert!(resume(&bytes).is_ok());
    for length in 0..bytes.len().min(400) {
        assert!(resume(&bytes[..length]).is_err(), "{length} bytes");
    }
    assert!(resume(&bytes[..bytes.len() - 1]).is_err());
    let longer = [&bytes[..], &[0]].concat();
    let error = resume(&longer).map(drop).unwrap_err();
    assert_eq!(error.to_string(), "the bytes are no suspended tree: 1 bytes follow it");
    let mut newer = bytes;
    newer[0] = 2;
    assert_eq!(resume(&newer).map(drop).unwrap_err(), ResumeError::Version { found: 2 });
}

/// Whatever is changed: an error, or another tree that encodes to exactly these bytes and runs without a panic.
#[test]
fn changed_bytes_are_refused_or_another_state() {
    let bytes = rich();
    let (mut refused, mut other) = (0, 0);
    for at in (0..bytes.len().min(2000)).chain((2000..bytes.len()).step_by(97)) {
        for change in [1, 0x80, 0xff] {
            let mut changed = bytes.clone();
            changed[at] ^= change;
            match resume(&changed) {
                Err(_) => refused += 1,
                Ok(mut tree) => {
                    other += 1;
                    assert!(tree.suspend() == changed, "byte {at} ^ {change}");
                    let limit = tree.gas_used().saturating_add(200_000);
                    for _ in 0..20 {
                        match tree.run(RunMode::Limit(limit)) {
                            Ok(Stop::Syscall { .. }) => {}
                            _ => break,
                        }
                    }
                }
            }
        }
    }
    assert!(refused > 500 && other > 30, "{refused}, {other}");
}

#[test]
fn other_limits_and_other_programs_are_refused() {
    let bytes = rich();
    let limits = Limits { processes: 18, ..Limits::default() };
    let resumed = Scheduler::resume(blobs(engine(Backend::Interpreter)), limits, &bytes);
    assert_eq!(resumed.map(drop).unwrap_err(), ResumeError::OtherLimits);

    let none = hatchery_scheduler::Blobs::new(engine(Backend::Interpreter));
    let error = Scheduler::resume(none, Limits::default(), &bytes).map(drop).unwrap_err();
    assert_eq!(error.to_string(), "there is no program `cases` for process 0, or not with these bytes");

    // Bytes of the same length that are another program.
    let mut blob = common::blob("process-cases");
    let last = blob.len() - 100;
    blob[last] ^= 1;
    let programs = hatchery_scheduler::Blobs::new(engine(Backend::Interpreter)).with("cases", blob);
    let error = Scheduler::resume(programs, Limits::default(), &bytes).map(drop).unwrap_err();
    assert!(
        matches!(error, ResumeError::Restore { process: ProcessId::ROOT, .. } | ResumeError::Load { .. }),
        "{error}"
    );
}

/// What counts up would overflow, at once or after a few calls.
#[test]
fn numbers_that_no_tree_gets_to_are_refused() {
    let bytes = rich();
    // Behind the version, the limits and the meter.
    let (process, pipe) = (1 + 5 * 4 + 2 * 8, 1 + 5 * 4 + 3 * 8);
    let with = |at: usize, number: u64| {
        let mut bytes = bytes.clone();
        assert!((1..20).contains(&bytes[at]) && bytes[at + 1..at + 8] == [0; 7]);
        bytes[at..at + 8].copy_from_slice(&number.to_le_bytes());
        resume(&bytes).map(drop)
    };
    for at in [process, pipe] {
        for number in [u64::MAX, u64::MAX - 1, u64::MAX / 2 - 2, (1 << 60) + 1] {
            assert!(matches!(with(at, number), Err(ResumeError::State { .. })), "{number}");
        }
        assert_eq!(with(at, 1 << 60), Ok(()));
    }
}

/// Pages that the embedder has written, and has told where their bytes come from, are suspended as references.
#[test]
fn data_of_the_embedder_is_found_again() {
    let data: Vec<u8> = (0..4096).map(|at| (at % 250) as u8 + 1).collect();
    let hash = [7; 32];
    let range = DataRange { data: hash, offset: 0, length: 4096 };
    let mut tree = tree(Backend::Interpreter, &[33, 0]);
    let Ok(Stop::Syscall { .. }) = tree.run(RunMode::Limit(PLENTY)) else { panic!() };
    let instance = tree.current().unwrap();
    let page = instance.module().memory_map().stack().start;
    instance.memory_mut().write(page, &data).unwrap();
    let whole = tree.suspend();
    tree.current().unwrap().memory_mut().record_source(page, range).unwrap();
    let bytes = tree.suspend();
    assert!(bytes.len() + 3900 < whole.len(), "{} and {} bytes", bytes.len(), whole.len());

    let error = resume(&bytes).map(drop).unwrap_err();
    let missing = |error: &ResumeError| matches!(error, ResumeError::Restore { error: RestoreError::MissingData { data, .. }, .. } if *data == hash);
    assert!(missing(&error), "{error}");
    let source = blobs(engine(Backend::Interpreter)).with_data(hash, data.clone());
    let mut resumed = Scheduler::resume(source, Limits::default(), &bytes).unwrap();
    let mut found = vec![0; 4096];
    resumed.current().unwrap().memory().read(page, &mut found).unwrap();
    assert!(found == data && resumed.suspend() == bytes);
}

/// A call that gas has interrupted is still to be made.
#[test]
fn a_call_without_gas_is_made_after_resuming() {
    let mut straight = tree(Backend::Interpreter, &[14, 0]);
    let expected = run(&mut straight, PLENTY);
    // A spawn costs so much that this limit lies within one.
    let mut cut = tree_of(blobs(engine(Backend::Interpreter)), Limits::default(), &[14, 0]);
    assert_eq!(run(&mut cut, 100_000), Stop::OutOfGas);
    let bytes = cut.suspend();
    let mut resumed = resume(&bytes).unwrap();
    assert_eq!(run(&mut resumed, 100_000), Stop::OutOfGas);
    assert!(resumed.suspend() == bytes);
    resumed.set_trace(cut.set_trace(None));
    assert_eq!(run(&mut resumed, PLENTY), expected);
    assert_eq!(resumed.gas_used(), straight.gas_used());
    assert_eq!(resumed.trace().unwrap().hash(), straight.trace().unwrap().hash());
}
