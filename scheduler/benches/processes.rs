//! What processes cost in time: starting, parking, pipes. `cargo bench -p hatchery-scheduler --bench processes`.
//!
//! Each figure is of one operation: the guest does it thousands of times in a run, and what a run costs without it is little.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use hatchery_engine::{Backend, Config, Engine, Module, Reg};
use hatchery_scheduler::{Limits, Modules, Program, RunMode, Scheduler, Status, Stop};

const BACKENDS: [Backend; 2] = [Backend::Interpreter, Backend::Recompiler];
const PLENTY: u64 = u64::MAX;

fn module(backend: Backend) -> Option<Module> {
    if !Backend::AVAILABLE.contains(&backend) {
        return None;
    }
    let path = format!("{}/../guests/blobs/jam-v1/process-cases.polkavm", env!("CARGO_MANIFEST_DIR"));
    let blob = std::fs::read(path).expect("guests are committed");
    let engine = Engine::new(Config::default().backend(backend)).expect("the settings make sense");
    Some(engine.compile(&blob).expect("guests compile"))
}

fn tree(module: &Module, case: u8, numbers: &[u32]) -> Scheduler<Modules> {
    let mut arguments = vec![case, 0];
    numbers.iter().for_each(|number| arguments.extend(number.to_le_bytes()));
    let programs = Modules::default().with("cases", module.clone());
    Scheduler::new(programs, Limits::default(), &Program::whole("cases"), &arguments).expect("it can start")
}

/// The time that a case takes in all.
fn time(module: &Module, case: u8, numbers: &[u32]) -> Duration {
    let mut tree = tree(module, case, numbers);
    let start = Instant::now();
    let stop = tree.run(RunMode::Limit(PLENTY)).expect("the host does not fail");
    let time = start.elapsed();
    assert_eq!(stop, Stop::Ended(Status::Exited(0)));
    black_box(tree);
    time
}

fn spawn_and_wait(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("spawn, exit, wait");
    for backend in BACKENDS {
        let Some(module) = module(backend) else { continue };
        group.bench_function(backend.name(), |bencher| {
            bencher.iter_custom(|count| time(&module, 60, &[count as u32]));
        });
    }
    group.finish();
}

/// A block through a pipe to another process, and the same block back.
fn round_trips(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("pipe, there and back");
    for backend in BACKENDS {
        let Some(module) = module(backend) else { continue };
        for bytes in [1, 1024, 65_536] {
            group.bench_function(BenchmarkId::new(backend.name(), bytes), |bencher| {
                bencher.iter_custom(|count| time(&module, 61, &[count as u32, bytes]));
            });
        }
    }
    group.finish();
}

/// A byte around a ring of seventeen processes.
fn ring(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("around 17 processes");
    for backend in BACKENDS {
        let Some(module) = module(backend) else { continue };
        group.bench_function(backend.name(), |bencher| {
            bencher.iter_custom(|count| time(&module, 62, &[count as u32, 0]));
        });
    }
    group.finish();
}

/// From one call of the embedder to the next, with and without parking in between, with so many pages written.
fn parking(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("surfaced call");
    for backend in BACKENDS {
        let Some(module) = module(backend) else { continue };
        for pages in [0, 16, 256] {
            for parks in [false, true] {
                let name = format!("{}{}", backend.name(), if parks { ", parked" } else { "" });
                group.bench_function(BenchmarkId::new(name, pages), |bencher| {
                    bencher.iter_custom(|count| {
                        let mut tree = tree(&module, 63, &[count as u32 + 1, pages]);
                        let first = tree.run(RunMode::Limit(PLENTY)).expect("the host does not fail");
                        assert!(matches!(first, Stop::Syscall { .. }));
                        let start = Instant::now();
                        for _ in 0..count {
                            if parks {
                                tree.park();
                            }
                            tree.current().expect("it has called").set_reg(Reg::A0, 0);
                            let stop = tree.run(RunMode::Limit(PLENTY));
                            assert!(matches!(stop, Ok(Stop::Syscall { .. })));
                        }
                        start.elapsed()
                    });
                });
            }
        }
    }
    group.finish();
}

fn suspend_and_resume(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("17 processes");
    for backend in BACKENDS {
        let Some(module) = module(backend) else { continue };
        let mut tree = tree(&module, 46, &[1000, 4]);
        for _ in 0..500 {
            assert_eq!(tree.iterate(RunMode::Limit(PLENTY)).expect("the host does not fail").stop, None);
        }
        group.bench_function(BenchmarkId::new("suspend", backend.name()), |bencher| {
            bencher.iter(|| black_box(tree.suspend()));
        });
        let bytes = tree.suspend();
        let programs = tree.source().clone();
        group.bench_function(BenchmarkId::new("resume", backend.name()), |bencher| {
            bencher.iter(|| Scheduler::resume(programs.clone(), Limits::default(), black_box(&bytes)));
        });
    }
    group.finish();
}

criterion_group!(benches, spawn_and_wait, round_trips, ring, parking, suspend_and_resume);
criterion_main!(benches);
