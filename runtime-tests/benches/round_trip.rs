//! What one syscall costs a runtime: guest to node, node to runtime, and back; and what a whole call costs: compile,
//! instantiate, run, destroy. Hatchery beside upstream.
//!
//! Each measurement of syscalls is 100,000 round trips; the same call without any is measured beside it and is what to
//! subtract: `cargo bench -p hatchery-runtime-tests` prints the difference per round trip at the end.

use criterion::{BenchmarkId, Criterion, Throughput};
use hatchery_client::{ClientConfig, ModuleCache, VirtManager};
use hatchery_engine::{Engine, Exit, Reg};
use hatchery_primitives::{VirtManagerBackend, VirtManagerExt};
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

/// Names a file in which `cargo xtask bench --from-wasm` wants the summary, as a section of its results.
const SECTION: &str = "HATCHERY_BENCH_SECTION";

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
    let rows = summary();
    if let Some(file) = std::env::var_os(SECTION) {
        std::fs::write(&file, section(&rows)).expect("the file can be written");
    }
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

/// Something that was measured, by what did it: nanoseconds, sorted.
struct Row {
    id: &'static str,
    title: &'static str,
    entries: Vec<(String, Vec<f64>)>,
}

/// One round trip, one whole call, one module that is compiled already: what each takes, the setups taking turns. From a round trip the
/// call without syscalls is subtracted.
fn summary() -> [Row; 4] {
    const PLAYS: usize = 21;
    let trips = {
        let (none, all) = (input(0), input(ROUND_TRIPS));
        let per_trip = |time: Duration| time.as_nanos() as f64 / f64::from(ROUND_TRIPS);
        let mut entries: Vec<_> = SETUPS.iter().map(|setup| (setup.to_string(), Vec::new())).collect();
        let mut engine = Vec::new();
        for _ in 0..PLAYS {
            for (setup, (_, times)) in SETUPS.into_iter().zip(&mut entries) {
                let empty = play(setup, &none, 0);
                times.push(per_trip(play(setup, &all, ROUND_TRIPS).saturating_sub(empty)));
            }
            engine.push(per_trip(engine_only(ROUND_TRIPS)));
        }
        entries.push(("engine only".to_owned(), engine));
        Row { id: "round-trip", title: "syscall and back, seen from a runtime", entries }
    };
    let (mut whole, mut empty) = (Vec::new(), Vec::new());
    for (temperature, setup, _) in WHOLE_CALLS {
        whole.push((format!("{setup}, {temperature}"), Vec::new()));
        empty.push((format!("{setup}, {temperature}"), Vec::new()));
    }
    let input = whole_call();
    for _ in 0..10 * PLAYS {
        for (index, (_, setup, cold)) in WHOLE_CALLS.into_iter().enumerate() {
            whole[index].1.push(play_whole(setup, &input, cold).as_nanos() as f64);
            empty[index].1.push(play_empty(setup).as_nanos() as f64);
        }
    }
    let cached = vec![("native/hatchery-node".to_owned(), (0..10 * PLAYS).map(|_| cache_hit()).collect())];
    let mut rows = [
        trips,
        Row { id: "whole-call", title: "compile, instantiate, run, destroy", entries: whole },
        Row { id: "empty-call", title: "a call into the runtime that does nothing", entries: empty },
        Row { id: "cache-hit", title: "compile what the process has compiled before", entries: cached },
    ];
    for Row { title, entries, .. } in &mut rows {
        println!("\n{title:<56} {:>14}", "median");
        for (name, times) in entries {
            times.sort_by(f64::total_cmp);
            println!("{name:<56} {:>11.1} ns", quantile(times, 2));
        }
    }
    rows
}

/// Nanoseconds for a program that other managers of the process have compiled, in a manager that has not.
fn cache_hit() -> f64 {
    const TIMES: u32 = 100;
    let blob = guests::primes(JamV1);
    VirtManager::default().compile(&blob, None).expect("it compiles");
    let mut managers: Vec<_> = (0..TIMES).map(|_| VirtManager::default()).collect();
    let started = Instant::now();
    for manager in &mut managers {
        black_box(manager.compile(&blob, None)).expect("it compiles");
    }
    started.elapsed().as_nanos() as f64 / f64::from(TIMES)
}

/// The value below which so many quarters of sorted values are.
fn quantile(sorted: &[f64], quarters: usize) -> f64 {
    sorted[(sorted.len() - 1) * quarters / 4]
}

/// The summary as JSON, in the form that `benches/src/results.rs` describes.
fn section(rows: &[Row]) -> String {
    let rows: Vec<String> = rows
        .iter()
        .map(|Row { id, title, entries }| {
            let entries: Vec<String> = entries
                .iter()
                .map(|(name, times)| {
                    format!(
                        r#"{{"engine":"{name}","times":{{"median":{},"low":{},"high":{},"least":{},"samples":{}}}}}"#,
                        quantile(times, 2),
                        quantile(times, 1),
                        quantile(times, 3),
                        times[0],
                        times.len()
                    )
                })
                .collect();
            let entries = entries.join(",");
            format!(r#"{{"id":"{id}","title":"{title}","unit":"time","entries":[{entries}]}}"#)
        })
        .collect();
    let text = "`cargo bench -p hatchery-runtime-tests --bench round_trip`, time on the wall. A setup is the runtime (compiled to Wasm against \
                Hatchery's or upstream's primitives, or native) and the node's side: Hatchery, Hatchery behind upstream's host functions \
                (switched), or sc-virtualization 0.3 (upstream).";
    format!(
        r#"{{"id":"from-wasm","title":"The whole way, from a runtime","text":"{text}","rows":[{}]}}"#,
        rows.join(",")
    )
}

/// The time of a call into a runtime that does nothing.
fn play_empty(setup: Setup) -> Duration {
    let input = scenario::wire(Vec::new());
    let mut externalities = externalities(setup.node, &[]);
    let started = Instant::now();
    black_box(setup.play_in(&mut externalities, &input)).expect("the runtime does not trap");
    started.elapsed()
}
