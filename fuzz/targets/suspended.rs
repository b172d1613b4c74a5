//! Suspended trees, as a runtime hands them to `process_restore`: whatever is done to the bytes of the tree and of its processes'
//! snapshots, they give an error, or a tree with exactly these bytes, which goes on in the same way in native code and in the
//! interpreter.

#![no_main]

#[path = "../common/edit.rs"]
mod edit;
#[path = "../common/trees.rs"]
mod trees;

use arbitrary::Arbitrary;
use edit::Edit;
use hatchery_scheduler::{Limits, Modules, Program, RunMode, Scheduler, Stop};
use libfuzzer_sys::fuzz_target;
use trees::{MODULES, answer, arguments};

#[derive(Arbitrary, Debug)]
struct Input {
    /// What each role does.
    roles: Vec<Vec<u8>>,
    /// How many turns there are before it is suspended.
    turns: u8,
    /// How much gas the last one has.
    gas: u16,
    /// How the bytes of the tree are changed.
    edits: Vec<Edit>,
    /// How those of its processes are.
    process_edits: Vec<(u8, Edit)>,
    /// How far it goes on.
    rest: u16,
}

/// The gas of a run.
const LIMIT: u64 = 3_000_000;
/// What heaps may take together: a chain's limit, in small.
const HEAPS: u64 = 1 << 20;

fuzz_target!(|input: Input| {
    let program = Program::whole("cases");
    let tree = Scheduler::new(MODULES[1].clone(), Limits::default(), &program, &arguments(&input.roles));
    let Ok(mut tree) = tree else { return };
    for _ in 0..input.turns {
        match tree.iterate(RunMode::Limit(LIMIT)).unwrap().stop {
            None => {}
            Some(Stop::Syscall { .. }) => answer(&mut tree),
            Some(_) => break,
        }
    }
    let _ = tree.run(RunMode::Limit((tree.gas_used() + u64::from(input.gas)).min(LIMIT))).unwrap();

    // What was taken can be gone on with.
    let (bytes, mut snapshots) = apart(&mut tree);
    same_future(&bytes, &snapshots, input.rest).unwrap();

    let mut changed = bytes;
    input.edits.iter().for_each(|edit| edit.apply(&mut changed));
    for (place, snapshot) in (0..).zip(&mut snapshots) {
        let edits = input.process_edits.iter().filter(|(which, _)| which % 4 == place).map(|(_, edit)| edit);
        *snapshot = edit::with_right_hash(core::mem::take(snapshot), edits);
    }
    let _ = same_future(&changed, &snapshots, input.rest);
});

/// The state of a tree, in which there is a number in place of each snapshot, and the snapshots.
fn apart(tree: &mut Scheduler<Modules>) -> (Vec<u8>, Vec<Vec<u8>>) {
    let mut snapshots = Vec::new();
    let bytes = tree.suspend_with(|_, snapshot| {
        snapshots.push(snapshot.to_bytes());
        vec![snapshots.len() as u8 - 1]
    });
    (bytes, snapshots)
}

/// Whether it can be resumed is the same on both backends; if so, it is the same again, and so is what follows.
fn same_future(bytes: &[u8], snapshots: &[Vec<u8>], rest: u16) -> Result<(), ()> {
    let mut taken = Vec::new();
    let trees = [0, 1].map(|backend| {
        taken.clear();
        Scheduler::resume_with(MODULES[backend].clone(), Limits::default(), bytes, |_, number| {
            let [number] = number[..] else { return None };
            taken.push(number);
            snapshots.get(usize::from(number)).cloned()
        })
    });
    assert_eq!(trees[0].as_ref().err(), trees[1].as_ref().err());
    let [Ok(mut interpreted), Ok(mut native)] = trees else { return Err(()) };
    // An edit can make two processes have the same snapshot, or another order of them.
    let expected: Vec<&Vec<u8>> = taken.iter().map(|&number| &snapshots[usize::from(number)]).collect();
    let mut numbers = taken.iter();
    let mut again = Vec::new();
    let head = interpreted.suspend_with(|_, snapshot| {
        again.push(snapshot.to_bytes());
        numbers.next().map_or_else(Vec::new, |&number| vec![number])
    });
    assert!(head == bytes && again.iter().eq(expected));
    assert_eq!(interpreted.suspend(), native.suspend());

    for tree in [&mut interpreted, &mut native] {
        tree.set_heap_limit(HEAPS);
    }
    let limit = interpreted.gas_used().saturating_add(8 * u64::from(rest));
    for _ in 0..8 {
        let stops = [interpreted.run(RunMode::Limit(limit)), native.run(RunMode::Limit(limit))];
        assert_eq!(stops[0], stops[1]);
        assert_eq!(interpreted.gas_used(), native.gas_used());
        let states = [&mut interpreted, &mut native].map(Scheduler::suspend);
        assert_eq!(states[0], states[1]);
        let live: u64 = native.processes().map(|id| native.peek(id).unwrap().gas_used()).sum();
        assert_eq!(live + native.gas_used_by_ended(), native.gas_used());
        match &stops[0] {
            Ok(Stop::Syscall { .. }) => [&mut interpreted, &mut native].into_iter().for_each(answer),
            _ => break,
        }
    }
    Ok(())
}
