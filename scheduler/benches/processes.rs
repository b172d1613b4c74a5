//! What processes cost in time: starting, parking, pipes. `cargo bench -p hatchery-scheduler --bench processes`.
//!
//! Each figure is of one operation: the guest does it thousands of times in a run, and what a run costs without it is little. It is the
//! time of the processor, so that what else a machine does matters little.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hatchery_engine::program::Program as Blob;
use hatchery_engine::{Backend, Config, Engine, Exit, InstructionSet, Module, ProgramCounter, Reg};
use hatchery_scheduler::{Limits, Modules, Program, RunMode, Scheduler, Status, Stop};

const BACKENDS: [Backend; 2] = [Backend::Interpreter, Backend::Recompiler];
const PLENTY: u64 = u64::MAX;

/// The time that the processor has spent on this thread.
#[cfg(unix)]
fn clock() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The time of day, where there is no other.
#[cfg(not(unix))]
fn clock() -> Duration {
    std::time::SystemTime::UNIX_EPOCH.elapsed().expect("it is later than 1970")
}

fn blob() -> Vec<u8> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../guests/blobs/jam-v1/process-cases.polkavm");
    std::fs::read(path).expect("guests are committed")
}

fn module(backend: Backend) -> Option<Module> {
    if !Backend::AVAILABLE.contains(&backend) {
        return None;
    }
    let engine = Engine::new(Config::default().backend(backend)).expect("the settings make sense");
    Some(engine.compile(&blob()).expect("guests compile"))
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
    let start = clock();
    let stop = tree.run(RunMode::Limit(PLENTY)).expect("the host does not fail");
    let time = clock() - start;
    assert_eq!(stop, Stop::Ended(Status::Exited(0)));
    black_box(tree);
    time
}

/// What [`hatchery_scheduler::cost`] is made of: a loop of one call each, with the instructions around it.
fn calls(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("call");
    for backend in BACKENDS {
        let Some(module) = module(backend) else { continue };
        for (name, case, numbers) in [
            ("process_id", 64, &[][..]),
            ("process_wait for nobody", 68, &[]),
            ("pipe_close of nothing", 70, &[]),
            ("pipe_create and two pipe_close", 65, &[]),
            ("process_inherited_fds, none", 66, &[0]),
            ("process_inherited_fds, 64", 66, &[64]),
            ("process_exec", 67, &[10]),
            ("process_exec, 16 KiB of arguments", 67, &[16 * 1024]),
        ] {
            group.bench_function(BenchmarkId::new(name, backend.name()), |bencher| {
                bencher.iter_custom(|count| time(&module, case, &[&[count as u32], numbers].concat()));
            });
        }
    }
    group.finish();
}

fn spawn_and_wait(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("spawn, exit, wait");
    for backend in BACKENDS {
        let Some(module) = module(backend) else { continue };
        for (name, case, numbers) in [
            ("alone", 60, &[][..]),
            ("16 KiB of arguments", 69, &[16 * 1024, 0]),
            ("16 pages written", 69, &[14, 16]),
            ("256 pages written", 69, &[14, 256]),
            ("255 other ends remembered", 71, &[255]),
        ] {
            group.bench_function(BenchmarkId::new(name, backend.name()), |bencher| {
                bencher.iter_custom(|count| time(&module, case, &[&[count as u32], numbers].concat()));
            });
        }
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
                        let start = clock();
                        for _ in 0..count {
                            if parks {
                                tree.park();
                            }
                            tree.current().expect("it has called").set_reg(Reg::A0, 0);
                            let stop = tree.run(RunMode::Limit(PLENTY));
                            assert!(matches!(stop, Ok(Stop::Syscall { .. })));
                        }
                        clock() - start
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
            bencher.iter_custom(|count| {
                let start = clock();
                (0..count).for_each(|_| drop(black_box(tree.suspend())));
                clock() - start
            });
        });
        let bytes = tree.suspend();
        let programs = tree.source().clone();
        group.bench_function(BenchmarkId::new("resume", backend.name()), |bencher| {
            bencher.iter_custom(|count| {
                let start = clock();
                for _ in 0..count {
                    let resumed = Scheduler::resume(programs.clone(), Limits::default(), black_box(&bytes));
                    assert!(resumed.is_ok());
                }
                clock() - start
            });
        });
    }
    group.finish();
}

/// A byte of a program, for who has to compile it: up to its first execution, as part of compiling is put off until then.
fn compiling(criterion: &mut Criterion) {
    // No jump table; 100,000 instructions, each a block of its own, which is as much to compile as there can be in so many bytes; a
    // bit for each. The last one traps.
    let mut raw = vec![0, 1, 0xc1, 0xa0, 0x86];
    raw.extend([1; 99_999]);
    raw.push(0);
    raw.extend([0xff; 12_500]);
    let mut group = criterion.benchmark_group("compile");
    for backend in BACKENDS {
        let Some(ordinary) = module(backend) else { continue };
        let engine = ordinary.engine().clone();
        let blob = blob();
        group.throughput(Throughput::Bytes(blob.len() as u64));
        group.bench_function(BenchmarkId::new("a guest", backend.name()), |bencher| {
            bencher.iter_custom(|count| {
                let start = clock();
                for _ in 0..count {
                    let module = engine.compile(&blob).expect("guests compile");
                    assert!(black_box(module.blocks().count()) > 100);
                }
                clock() - start
            });
        });
        group.throughput(Throughput::Bytes(raw.len() as u64));
        group.bench_function(BenchmarkId::new("blocks of one byte", backend.name()), |bencher| {
            bencher.iter_custom(|count| {
                let start = clock();
                for _ in 0..count {
                    let program = Blob::from_raw(&raw, InstructionSet::JamV1).expect("it is a program");
                    let module = engine.compile_program(program).expect("it compiles");
                    let mut instance = module.instantiate();
                    instance.prepare_at(ProgramCounter(0), &[]).expect("it has no arguments");
                    instance.set_gas(i64::MAX);
                    assert!(matches!(instance.run(), Ok(Exit::Trap(_))));
                }
                clock() - start
            });
        });
    }
    group.finish();
}

criterion_group!(benches, compiling, calls, spawn_and_wait, round_trips, ring, parking, suspend_and_resume);
criterion_main!(benches);
