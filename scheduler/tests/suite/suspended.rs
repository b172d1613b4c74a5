//! Suspended trees: what is not a state that a tree can be in gives an error, and never a tree.

use std::cell::Cell;
use std::collections::BTreeMap;

use crate::common::script::three_processes;
use crate::common::{PLENTY, answer, blobs, engine, holds, programs, run, tree, tree_of};
use hatchery_engine::{Backend, DataRange, Pause, RestoreError};
use hatchery_scheduler::{Limits, ProcessId, ResumeError, RunMode, Scheduler, Status, Stop};
use proptest::prelude::*;
use proptest::sample::Index;

/// One change of bytes.
#[derive(Clone, Debug)]
enum Edit {
    Set(Index, u8),
    /// Another number nearby, or a flag that is changed.
    Flip(Index, u32),
    Remove(Index, usize),
    Insert(Index, Vec<u8>),
    /// Bytes from one place once more at another.
    Repeat(Index, Index, usize),
}

impl Edit {
    fn any() -> impl Strategy<Value = Self> {
        prop_oneof![
            4 => (any::<Index>(), any::<u8>()).prop_map(|(at, value)| Self::Set(at, value)),
            12 => (any::<Index>(), 0..8_u32).prop_map(|(at, bit)| Self::Flip(at, bit)),
            1 => (any::<Index>(), 0..20_usize).prop_map(|(at, length)| Self::Remove(at, length)),
            1 => (any::<Index>(), any::<Vec<u8>>()).prop_map(|(at, new)| Self::Insert(at, new)),
            1 => (any::<Index>(), any::<Index>(), 0..200_usize).prop_map(|(from, to, length)| Self::Repeat(from, to, length)),
        ]
    }

    fn apply(&self, bytes: &mut Vec<u8>) {
        let length = bytes.len();
        match self {
            _ if length == 0 => {}
            Self::Set(at, value) => bytes[at.index(length)] = *value,
            Self::Flip(at, bit) => bytes[at.index(length)] ^= 1 << bit,
            Self::Remove(at, count) => {
                let at = at.index(length);
                bytes.drain(at..(at + count).min(length));
            }
            Self::Insert(at, new) => {
                let at = at.index(length + 1);
                bytes.splice(at..at, new.iter().copied());
            }
            Self::Repeat(from, to, count) => {
                let (from, to) = (from.index(length), to.index(length));
                let copy = bytes[from..(from + count).min(length)].to_vec();
                bytes.splice(to..to, copy);
            }
        }
    }
}

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
                stop => break crate::common::seen(&calm, stop),
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
        assert_eq!((crate::common::seen(&moved, stop), pauses), (expected, states.len()));
    }

    /// As a limit cuts it: within calls too.
    fn suspended_at_many_limits(backend) {
        let arguments = three_processes();
        let whole = crate::common::straight(backend, &arguments);
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
        assert_eq!(crate::common::seen(&moved, stop), whole);
    }

    /// Whatever is done to the bytes of a tree and of its processes' snapshots, with hashes put right: an error, or a tree that gives the
    /// same bytes each time, and goes on as in the interpreter.
    fn changed_states_are_refused_or_go_on_everywhere(backend) {
        let cases: [&[u8]; 5] = [&[31, 0], &[1, 0], &[28, 0], &[19, 0], &three_processes()];
        let edits = || prop::collection::vec(Edit::any(), 0..3);
        let inputs = (0..cases.len(), 0..90_usize, edits(), edits(), 0..17_usize);
        let [refused, gone_on] = [Cell::new(0), Cell::new(0)];
        holds(if backend == Backend::Verify { 1000 } else { 4000 }, &inputs, |(case, turns, edits, process_edits, process)| {
            let mut tree = tree(backend, cases[case]);
            for _ in 0..turns {
                match tree.iterate(RunMode::Limit(PLENTY)).unwrap().stop {
                    None => {}
                    Some(Stop::Syscall { number, .. }) => drop(answer(&mut tree, number)),
                    Some(_) => break,
                }
            }
            // Snapshots are named by numbers, so that most changes are of what is of the tree.
            let mut snapshots = Vec::new();
            let mut bytes = tree.suspend_with(|_, snapshot| {
                snapshots.push(snapshot.to_bytes());
                vec![snapshots.len() as u8 - 1]
            });
            let before = (bytes.clone(), snapshots.clone());
            edits.iter().for_each(|edit| edit.apply(&mut bytes));
            let process = process % snapshots.len();
            let snapshot = &mut snapshots[process];
            snapshot.truncate(snapshot.len() - 32);
            process_edits.iter().for_each(|edit| edit.apply(snapshot));
            let hash = blake2b_simd::Params::new().hash_length(32).hash(snapshot);
            snapshot.extend(hash.as_bytes());

            let mut numbers = BTreeMap::new();
            let resumed = [Backend::Interpreter, backend].map(|backend| {
                Scheduler::resume_with(programs(backend), Limits::default(), &bytes, |place, number| {
                    let [number] = number[..] else { return None };
                    numbers.insert(place, number);
                    snapshots.get(usize::from(number)).cloned()
                })
            });
            prop_assert_eq!(resumed[0].as_ref().err(), resumed[1].as_ref().err());
            let [Ok(mut calm), Ok(mut other)] = resumed else {
                refused.set(refused.get() + 1);
                return Ok(());
            };
            gone_on.set(gone_on.get() + usize::from((&bytes, &snapshots) != (&before.0, &before.1)));
            // There is one way to write each state.
            let encoded = calm.suspend_with(|place, snapshot| {
                assert!(snapshot.to_bytes() == snapshots[usize::from(numbers[&place])], "other bytes of a snapshot");
                vec![numbers[&place]]
            });
            prop_assert!(encoded == bytes);
            let state = calm.suspend();
            prop_assert!(other.suspend() == state);
            let again = Scheduler::resume(programs(backend), Limits::default(), &state);
            prop_assert!(again.unwrap().suspend() == state);
            let limit = calm.gas_used().saturating_add(300_000);
            for _ in 0..10 {
                let stops = [calm.run(RunMode::Limit(limit)), other.run(RunMode::Limit(limit))];
                prop_assert!(stops[0].is_ok(), "{:?}", stops[0]);
                prop_assert_eq!(&stops[0], &stops[1]);
                prop_assert_eq!(calm.gas_used(), other.gas_used());
                prop_assert!(calm.suspend() == other.suspend());
                if !matches!(stops[0], Ok(Stop::Syscall { .. })) {
                    break;
                }
            }
            Ok(())
        });
        let counts = [refused.get(), gone_on.get()];
        assert!(counts.iter().all(|&count| count > 50), "refused, changed and gone on: {counts:?}");
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
    let mut blob = crate::common::blob("process-cases");
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
