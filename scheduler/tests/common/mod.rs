//! What the tests share: trees of the guest `process-cases`, run in every way.

#![allow(dead_code, reason = "each test file uses a part")]

pub(crate) mod script;

use std::sync::{Mutex, PoisonError};

use hatchery_engine::{Backend, Config, Engine, Module, Pause, Reg};
use hatchery_scheduler::{
    Blobs, Event, Limits, Modules, Program, ProgramSource, RunMode, Scheduler, Status, Stop, Trace, cost,
};
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};

/// Tests that get a backend, once for each backend that there is.
#[macro_export]
macro_rules! on_every_backend {
    ($($(#[$meta:meta])* fn $name:ident($backend:ident) $body:block)*) => {
        $(fn $name($backend: hatchery_engine::Backend) $body)*

        on_every_backend!(interpreter Interpreter: $($(#[$meta])* $name)*);
        on_every_backend!(recompiler Recompiler: $($(#[$meta])* $name)*);
        on_every_backend!(verify Verify: $($(#[$meta])* $name)*);
    };
    ($module:ident $backend:ident: $($(#[$meta:meta])* $name:ident)*) => {
        mod $module {
            $(
                $(#[$meta])*
                #[test]
                fn $name() {
                    let backend = hatchery_engine::Backend::$backend;
                    if hatchery_engine::Backend::AVAILABLE.contains(&backend) {
                        super::$name(backend);
                    }
                }
            )*
        }
    };
}

/// No tree here uses that much.
pub(crate) const PLENTY: u64 = 1 << 50;

/// A guest's blob.
pub(crate) fn blob(name: &str) -> Vec<u8> {
    let path = format!("{}/../guests/blobs/jam-v1/{name}.polkavm", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub(crate) fn engine(backend: Backend) -> Engine {
    Engine::new(Config::default().backend(backend)).unwrap()
}

/// The programs that the cases ask for.
pub(crate) fn blobs(engine: Engine) -> Blobs {
    let cases = blob("process-cases");
    let padded = [b"12345", &cases[..], b"678"].concat();
    Blobs::new(engine)
        .with("garbage", *b"this is no program")
        .with("truncated", &cases[..cases.len() - 7])
        .with("no-main", blob("fib"))
        .with("padded", padded)
        .with("cases", cases)
}

/// The same, compiled once for all tests of a file.
pub(crate) fn programs(backend: Backend) -> Blobs {
    static PROGRAMS: Mutex<Vec<(Backend, Blobs)>> = Mutex::new(Vec::new());
    let mut all = PROGRAMS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, programs)) = all.iter().find(|(known, _)| *known == backend) {
        return programs.clone();
    }
    let mut programs = blobs(engine(backend));
    let length = programs.find(b"cases").expect("it is listed").length;
    programs.load(&Program { length, ..Program::whole("cases") }).expect("it compiles");
    all.push((backend, programs.clone()));
    programs
}

/// The same program where compiling is paid for.
pub(crate) fn modules(engine: &Engine) -> Modules {
    Modules::default().with("cases", engine.compile(&blob("process-cases")).unwrap())
}

/// A tree whose root has these arguments, with its schedule recorded.
pub(crate) fn tree(backend: Backend, arguments: &[u8]) -> Scheduler<Blobs> {
    tree_of(programs(backend), Limits::default(), arguments)
}

pub(crate) fn tree_of<S: ProgramSource>(source: S, limits: Limits, arguments: &[u8]) -> Scheduler<S> {
    let mut tree = Scheduler::new(source, limits, &Program::whole("cases"), arguments).unwrap();
    tree.set_trace(Some(Trace::new(100_000)));
    tree
}

/// A tree of the same module, again and again.
pub(crate) fn tree_of_module(module: &Module, arguments: &[u8]) -> Scheduler<Modules> {
    tree_of(Modules::default().with("cases", module.clone()), Limits::default(), arguments)
}

/// What can be seen of a tree that has ended or is stuck.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Seen {
    pub(crate) stop: Stop,
    pub(crate) gas: u64,
    /// Of that, what was not for compiling, if that was paid for.
    pub(crate) executed: u64,
    pub(crate) entries: u64,
    pub(crate) schedule: [u8; 32],
}

pub(crate) fn seen<S: ProgramSource>(tree: &Scheduler<S>, stop: Stop) -> Seen {
    let live: u64 = tree.processes().map(|id| tree.peek(id).unwrap().gas_used()).sum();
    assert_eq!(live + tree.gas_used_by_ended(), tree.gas_used(), "the sum of the parts is the whole");
    let trace = tree.trace().expect("a recorded schedule");
    let compiled = trace.entries().iter().filter_map(|entry| match &entry.event {
        Event::Started { parent: Some(_), program } | Event::Executed { program } => Some(program.length),
        _ => None,
    });
    let executed = tree.gas_used().saturating_sub(compiled.sum::<u64>() * cost::COMPILE_BYTE);
    Seen { stop, gas: tree.gas_used(), executed, entries: trace.count(), schedule: trace.hash() }
}

/// Answers a syscall that surfaced: `note(10)` asks for the limit of processes, `note(n)` for ten times n.
pub(crate) fn answer<S: ProgramSource>(tree: &mut Scheduler<S>, number: u32) -> u64 {
    let processes = tree.limits().processes;
    let instance = tree.current().expect("the process that called");
    let symbol = instance.module().imports()[number as usize].clone();
    let value = instance.reg(Reg::A0);
    match symbol.as_slice() {
        b"note" => {
            let answer = if value == 10 { processes.into() } else { value.wrapping_mul(10) };
            instance.set_reg(Reg::A0, answer);
        }
        b"failed" => {
            let entries = tree.trace().map(|trace| trace.entries().to_vec()).unwrap_or_default();
            let last = &entries[entries.len().saturating_sub(12)..];
            panic!("line {value} of a guest's file: process {:?}; last:\n{last:#?}", tree.current_id());
        }
        symbol => panic!("unknown symbol {}", String::from_utf8_lossy(symbol)),
    }
    value
}

/// Runs to the end under one limit.
pub(crate) fn run<S: ProgramSource>(tree: &mut Scheduler<S>, limit: u64) -> Stop {
    loop {
        match tree.run(RunMode::Limit(limit)).unwrap() {
            Stop::Syscall { number, .. } => drop(answer(tree, number)),
            stop => return stop,
        }
    }
}

/// Runs a case to its end in one go.
pub(crate) fn straight(backend: Backend, arguments: &[u8]) -> Seen {
    let mut tree = tree(backend, arguments);
    let stop = run(&mut tree, PLENTY);
    seen(&tree, stop)
}

/// Runs a case in every way that must make no difference. Gives what was seen.
pub(crate) fn in_every_way(backend: Backend, arguments: &[u8]) -> Seen {
    let expected = straight(backend, arguments);
    for way in [parked, cut, paused, suspended, forked] {
        way(backend, arguments, &expected);
    }
    expected
}

/// Checks that a property holds of so many random values, the same ones each time. `PROPTEST_CASES` sets another number,
/// `PROPTEST_RNG_SEED` begins elsewhere; what fails is told with the seed, and made as small as possible.
pub(crate) fn holds<V: Strategy>(
    cases: u32,
    values: &V,
    property: impl Fn(V::Value) -> Result<(), TestCaseError>,
) {
    let mut config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    let seed = match config.rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => 7,
    };
    config.rng_seed = RngSeed::Fixed(seed);
    let result = TestRunner::new(config).run(values, property);
    result.unwrap_or_else(|error| panic!("with PROPTEST_RNG_SEED={seed}: {error}"));
}

/// What can be done to a tree between two turns, and must not be noticed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Disturbance {
    Park,
    /// A copy goes on in its place.
    Fork,
    /// It goes on in another place, on this one of the backends.
    Suspend(usize),
    /// It runs into a limit so much further on.
    Limit(u16),
    /// It runs for a block.
    Pause,
}

impl Disturbance {
    pub(crate) fn any() -> impl Strategy<Value = Self> {
        prop_oneof![
            Just(Self::Park),
            Just(Self::Fork),
            (0..Backend::AVAILABLE.len()).prop_map(Self::Suspend),
            any::<u16>().prop_map(Self::Limit),
            Just(Self::Pause),
        ]
    }
}

/// Runs a case to its end, disturbed each time after so many turns.
pub(crate) fn disturbed(backend: Backend, arguments: &[u8], disturbances: &[(u16, Disturbance)]) -> Seen {
    let mut tree = tree(backend, arguments);
    let pause = Pause::new();
    pause.raise();
    for &(turns, disturbance) in disturbances {
        for _ in 0..turns {
            let stop = tree.iterate(RunMode::Limit(PLENTY)).unwrap().stop;
            if let Some(stop) = stop.and_then(|stop| answered(&mut tree, stop)) {
                return seen(&tree, stop);
            }
        }
        let stop = match disturbance {
            Disturbance::Park => {
                tree.park();
                None
            }
            Disturbance::Fork => {
                let trace = tree.set_trace(None);
                let mut fork = tree.fork();
                let _ = tree.iterate(RunMode::Limit(PLENTY)).unwrap();
                fork.set_trace(trace);
                tree = fork;
                None
            }
            Disturbance::Suspend(backend) => {
                let programs = programs(Backend::AVAILABLE[backend]);
                let mut resumed = Scheduler::resume(programs, Limits::default(), &tree.suspend()).unwrap();
                resumed.set_trace(tree.set_trace(None));
                tree = resumed;
                None
            }
            Disturbance::Limit(gas) => {
                let limit = tree.gas_used() + u64::from(gas);
                Some(tree.run(RunMode::Limit(limit)).unwrap())
            }
            Disturbance::Pause => Some(tree.run(RunMode::Pause(&pause, PLENTY)).unwrap()),
        };
        match stop.and_then(|stop| answered(&mut tree, stop)) {
            None | Some(Stop::OutOfGas | Stop::Paused) => {}
            Some(stop) => return seen(&tree, stop),
        }
    }
    let stop = run(&mut tree, PLENTY);
    seen(&tree, stop)
}

/// Answers a syscall; gives any other stop back.
fn answered<S: ProgramSource>(tree: &mut Scheduler<S>, stop: Stop) -> Option<Stop> {
    if let Stop::Syscall { number, .. } = stop {
        answer(tree, number);
        return None;
    }
    Some(stop)
}

/// One window for all processes, parked after each turn.
fn parked(backend: Backend, arguments: &[u8], expected: &Seen) {
    let one = Config::default().backend(backend).window_limit(1);
    let mut parked = tree_of(blobs(Engine::new(one).unwrap()), Limits::default(), arguments);
    let stop = loop {
        let iteration = parked.iterate(RunMode::Limit(PLENTY)).unwrap();
        parked.park();
        match iteration.stop {
            Some(Stop::Syscall { number, .. }) => drop(answer(&mut parked, number)),
            Some(stop) => break stop,
            None => {}
        }
    };
    assert_eq!(&seen(&parked, stop), expected, "parked");
}

/// Under a limit that is raised a little, again and again.
fn cut(backend: Backend, arguments: &[u8], expected: &Seen) {
    let mut cut = tree(backend, arguments);
    let mut limit = 0;
    let stop = loop {
        match run(&mut cut, limit) {
            Stop::OutOfGas => {
                assert!(cut.gas_used() <= limit, "more than the limit");
                limit += 1 + expected.gas / 701;
            }
            stop => break stop,
        }
    };
    assert_eq!(&seen(&cut, stop), expected, "cut");
}

/// Paused after every block, if that does not take too long.
fn paused(backend: Backend, arguments: &[u8], expected: &Seen) {
    if expected.executed >= if backend == Backend::Verify { 1_000_000 } else { 10_000_000 } {
        return;
    }
    let mut paused = tree(backend, arguments);
    let pause = Pause::new();
    pause.raise();
    let mut pauses = 0;
    let stop = loop {
        match paused.run(RunMode::Pause(&pause, PLENTY)).unwrap() {
            Stop::Paused => pauses += 1,
            Stop::Syscall { number, .. } => drop(answer(&mut paused, number)),
            stop => break stop,
        }
    };
    assert_eq!(&seen(&paused, stop), expected, "paused");
    assert!(pauses > 0);
}

/// Copies that go on in place of the original.
fn forked(backend: Backend, arguments: &[u8], expected: &Seen) {
    let mut forked = tree(backend, arguments);
    let stop = loop {
        let iteration = forked.iterate(RunMode::Limit(PLENTY)).unwrap();
        if let Some(Stop::Syscall { number, .. }) = iteration.stop {
            answer(&mut forked, number);
        } else if let Some(stop) = iteration.stop {
            break stop;
        }
        let trace = forked.set_trace(None);
        let mut fork = forked.fork();
        // The original goes its own way, and must not be noticed.
        let _ = forked.iterate(RunMode::Limit(PLENTY)).unwrap();
        fork.set_trace(trace);
        forked = fork;
    };
    assert_eq!(&seen(&forked, stop), expected, "forked");
}

/// Suspends a tree at stops of all kinds, and goes on with what was suspended, each time on the next backend.
fn suspended(backend: Backend, arguments: &[u8], expected: &Seen) {
    let backends = Backend::AVAILABLE;
    let sources: Vec<Blobs> = backends.iter().map(|&backend| programs(backend)).collect();
    let mut suspended = tree(backend, arguments);
    // Every stop of short cases, some of long ones.
    let steps = (expected.entries / 300).max(1);
    let mut limit = 0;
    for turn in 0.. {
        let stop = if turn % 3 == 0 {
            // At whatever this limit stops, calls that are not done included.
            limit = limit.max(suspended.gas_used()) + 1 + expected.gas / 997;
            Some(suspended.run(RunMode::Limit(limit)).unwrap())
        } else {
            let mut turns = (0..=steps).map(|_| suspended.iterate(RunMode::Limit(PLENTY)).unwrap().stop);
            turns.find_map(|stop| stop)
        };
        let is_over = matches!(stop, Some(Stop::Ended(_) | Stop::Deadlock(_)));
        let bytes = suspended.suspend();
        let source = sources[turn % sources.len()].clone();
        let mut resumed = Scheduler::resume(source, Limits::default(), &bytes).unwrap();
        assert_eq!(resumed.suspend(), bytes, "the bytes of what was made from them");
        let expects_answer = suspended.current_id();
        assert_eq!(resumed.current_id(), expects_answer);
        resumed.set_trace(suspended.set_trace(None));
        suspended = resumed;
        if let Some(Stop::Syscall { number, .. }) = stop {
            answer(&mut suspended, number);
        }
        if let Some(stop) = stop.filter(|_| is_over) {
            // It stays what it is.
            let again = suspended.run(RunMode::Limit(PLENTY)).unwrap();
            assert_eq!(again, stop);
            assert_eq!(&seen(&suspended, stop), expected, "suspended");
            return;
        }
    }
}

/// That a case ends with this exit code, in whichever way it is run.
#[track_caller]
pub(crate) fn exits(backend: Backend, arguments: &[u8], code: i8) -> Seen {
    let seen = in_every_way(backend, arguments);
    assert_eq!(seen.stop, Stop::Ended(Status::Exited(code)));
    seen
}
