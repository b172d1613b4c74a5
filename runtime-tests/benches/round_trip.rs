//! What one syscall costs a runtime: guest to node, node to runtime, and back. Hatchery beside upstream.
//!
//! Each measurement is 100,000 round trips; the same call without any is measured beside it and is what to subtract:
//! `cargo bench -p hatchery-runtime-tests` prints the difference per round trip at the end.

use criterion::{BenchmarkId, Criterion, Throughput};
use hatchery_runtime_tests::{
    Node, Setup, externalities,
    guests::{self, InstructionSet::JamV1},
};
use hatchery_test_runtime::{Flavour, Input, scenario};
use std::{
    hint::black_box,
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
        group.finish();
    }
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

/// Nanoseconds a round trip: medians, the call without syscalls subtracted, the setups taking turns.
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
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}
