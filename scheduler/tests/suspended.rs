//! Suspended trees: what is not a state that a tree can be in gives an error, and never a tree.

mod common;

use common::{PLENTY, answer, blobs, engine, run, tree, tree_of};
use hatchery_engine::Backend;
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
        let states = |backend, park: bool| {
            let mut tree = tree(backend, &[31, 0]);
            let mut states = Vec::new();
            while tree.result().is_none() {
                let stop = tree.iterate(RunMode::Limit(PLENTY)).unwrap().stop;
                if park {
                    tree.park();
                }
                states.push(tree.suspend());
                if let Some(Stop::Syscall { number, .. }) = stop {
                    answer(&mut tree, number);
                }
            }
            states
        };
        let expected = states(Backend::Interpreter, false);
        assert!(expected.len() > 20);
        assert!(states(backend, false) == expected);
        assert!(states(backend, true) == expected);
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
