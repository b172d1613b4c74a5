//! What one syscall costs a runtime: guest to node, node to runtime, and back; and what a whole call costs: compile,
//! instantiate, run, destroy. Hatchery beside upstream.
//!
//! Each measurement of syscalls is 100,000 round trips; the same call without any is measured beside it and is what to
//! subtract: `cargo bench -p hatchery-runtime-tests` prints the difference per round trip at the end.

use criterion::{BenchmarkId, Criterion, Throughput};
use hatchery_client::{ClientConfig, ModuleCache, VirtManager};
use hatchery_engine::{Engine, Exit, Reg};
use hatchery_primitives::VirtManagerExt;
use hatchery_runtime_tests::{
    Node, Setup, bare_externalities, externalities,
    guests::{self, InstructionSet::JamV1},
};
use hatchery_test_runtime::{
    Flavour, Input,
    outcome::{Call, End, Run},
    scenario,
};
use sp_io::TestExternalities;
use std::{
    hint::black_box,
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

const ROUND_TRIPS: u32 = 100_000;

const SETUPS: [Setup; 6] = [
    Setup::native(Node::Hatchery),
    Setup::native(Node::Switched),
    Setup::native(Node::Upstream),
    Setup::wasm(Flavour::Hatchery, Node::Hatchery),
    Setup::wasm(Flavour::Upstream, Node::Switched),
    Setup::wasm(Flavour::Upstream, Node::Upstream),
];

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    round_trips(&mut criterion);
    whole_calls(&mut criterion);
    criterion.final_summary();
    summary();
}

fn input(count: u32) -> Input<u32> {
    scenario::round_trips(guests::syscalls(JamV1), b"round_trips".to_vec(), count)
}

fn round_trips(criterion: &mut Criterion) {
    for count in [0, ROUND_TRIPS] {
        let name = if count == 0 { "call without syscalls" } else { "100,000 round trips" };
        let mut group = criterion.benchmark_group(name);
        if count > 0 {
            group.throughput(Throughput::Elements(u64::from(count)));
        }
        let input = input(count);
        for setup in SETUPS {
            group.bench_function(BenchmarkId::from_parameter(setup), |bencher| {
                bencher.iter_custom(|times| (0..times).map(|_| play(setup, &input, count)).sum());
            });
        }
        if count > 0 {
            group.bench_function("engine only", |bencher| {
                bencher.iter_custom(|times| (0..times).map(|_| engine_only(count)).sum());
            });
        }
        group.finish();
    }
}

/// The same guest, without host functions around the engine.
fn engine_only(count: u32) -> Duration {
    let engine = Engine::new(Default::default()).expect("the default settings make sense");
    let module = engine.compile(&guests::syscalls(JamV1)).expect("it compiles");
    let mut instance = module.instantiate();
    instance.prepare("round_trips", &[u64::MAX]).expect("it has the export");
    instance.set_gas(i64::MAX);
    let started = Instant::now();
    for _ in 0..count {
        let exit = instance.run().expect("it is prepared");
        assert!(matches!(black_box(exit), Exit::Syscall(_)));
        instance.set_reg(Reg::A0, 1 << 57);
    }
    started.elapsed()
}

/// Compile, instantiate, run to the end with five syscalls, destroy.
fn whole_call() -> Input<Vec<Run>> {
    let call = Call { export: b"counter".to_vec(), gas: i64::MAX, a0: 0 };
    scenario::on_one_instance(guests::counter(JamV1), 0, vec![call])
}

/// Where a whole call is made: with the process's compiled modules, or with none.
const WHOLE_CALLS: [(&str, Setup, bool); 6] = [
    ("warm", Setup::native(Node::Hatchery), false),
    ("cold", Setup::native(Node::Hatchery), true),
    ("each compiles", Setup::native(Node::Upstream), false),
    ("warm", Setup::wasm(Flavour::Hatchery, Node::Hatchery), false),
    ("cold", Setup::wasm(Flavour::Hatchery, Node::Hatchery), true),
    ("each compiles", Setup::wasm(Flavour::Upstream, Node::Upstream), false),
];

fn whole_calls(criterion: &mut Criterion) {
    let input = whole_call();
    let mut group = criterion.benchmark_group("compile, instantiate, run, destroy");
    for (temperature, setup, cold) in WHOLE_CALLS {
        group.bench_function(BenchmarkId::new(setup.to_string(), temperature), |bencher| {
            bencher.iter_custom(|times| (0..times).map(|_| play_whole(setup, &input, cold)).sum());
        });
    }
    group.finish();
}

fn play_whole(setup: Setup, input: &Input<Vec<Run>>, cold: bool) -> Duration {
    let mut externalities = if cold { without_cache() } else { externalities(setup.node, &[]) };
    let started = Instant::now();
    let result = black_box(setup.play_in(&mut externalities, input)).expect("the runtime does not trap");
    let time = started.elapsed();
    assert_eq!(input.decode(&result).expect("runs")[0].end, End::Finished, "{setup}");
    time
}

/// Externalities whose manager compiles each time. The engine is there already, as it is in a node.
fn without_cache() -> TestExternalities {
    static NOTHING_KEPT: LazyLock<Arc<ModuleCache>> =
        LazyLock::new(|| Arc::new(ModuleCache::new(ClientConfig::default().cache_bytes(0))));
    let mut externalities = bare_externalities(&[]);
    let manager = VirtManager::default().with_cache(NOTHING_KEPT.clone());
    externalities.register_extension(VirtManagerExt::new(manager));
    externalities
}

/// The time of one play. Making the externalities is not part of it.
fn play(setup: Setup, input: &Input<u32>, count: u32) -> Duration {
    let mut externalities = externalities(setup.node, &[]);
    let started = Instant::now();
    let result = black_box(setup.play_in(&mut externalities, input)).expect("the runtime does not trap");
    let time = started.elapsed();
    assert_eq!(input.decode(&result), Ok(count), "{setup}");
    time
}

/// Nanoseconds a round trip, and microseconds a whole call: medians, the call without syscalls subtracted, the setups taking turns.
fn summary() {
    const PLAYS: usize = 21;
    let (empty, full) = (input(0), input(ROUND_TRIPS));
    let mut times = SETUPS.map(|_| (Vec::new(), Vec::new()));
    for _ in 0..PLAYS {
        for (setup, times) in SETUPS.into_iter().zip(&mut times) {
            times.0.push(play(setup, &empty, 0));
            times.1.push(play(setup, &full, ROUND_TRIPS));
        }
    }
    println!("\n{:<32} {:>14}", "one round trip", "median");
    for (setup, (empty, full)) in SETUPS.into_iter().zip(&mut times) {
        let trips = median(full).saturating_sub(median(empty));
        println!("{:<32} {:>11.1} ns", setup.to_string(), trips.as_nanos() as f64 / f64::from(ROUND_TRIPS));
    }
    let mut engine: Vec<_> = (0..PLAYS).map(|_| engine_only(ROUND_TRIPS)).collect();
    let trips = median(&mut engine);
    println!("{:<32} {:>11.1} ns", "engine only", trips.as_nanos() as f64 / f64::from(ROUND_TRIPS));

    let input = whole_call();
    let mut times = WHOLE_CALLS.map(|_| Vec::new());
    let mut empty = WHOLE_CALLS.map(|_| Vec::new());
    for _ in 0..10 * PLAYS {
        for ((_, setup, cold), (times, empty)) in
            WHOLE_CALLS.into_iter().zip(times.iter_mut().zip(&mut empty))
        {
            times.push(play_whole(setup, &input, cold));
            empty.push(play_empty(setup));
        }
    }
    println!("\n{:<48} {:>14} {:>24}", "compile, instantiate, run, destroy", "median", "an empty call");
    for ((temperature, setup, _), (times, empty)) in
        WHOLE_CALLS.into_iter().zip(times.iter_mut().zip(&mut empty))
    {
        let [whole, empty] = [times, empty].map(|times| median(times).as_nanos() as f64 / 1e3);
        println!("{:<48} {whole:>11.1} us {empty:>21.1} us", format!("{setup}, {temperature}"));
    }
}

/// The time of a call into a runtime that does nothing.
fn play_empty(setup: Setup) -> Duration {
    let input = scenario::wire(Vec::new());
    let mut externalities = externalities(setup.node, &[]);
    let started = Instant::now();
    black_box(setup.play_in(&mut externalities, &input)).expect("the runtime does not trap");
    started.elapsed()
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}
