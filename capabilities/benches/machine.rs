//! What calls, yields, settling, operations and stores take: `cargo bench -p hatchery-capabilities`.

#[path = "../tests/common/mod.rs"]
mod common;

use std::hint::black_box;
use std::time::{Duration, Instant};

use codec::Encode;
use common::*;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use hatchery_capabilities::*;
use hatchery_engine::isa::{Instruction, Opcode};

const MANY: u64 = i64::MAX as u64;

fn backends() -> impl Iterator<Item = Backend> {
    [Backend::Interpreter, Backend::Recompiler]
        .into_iter()
        .filter(|backend| Backend::AVAILABLE.contains(backend))
}

/// Does `body` `count` times.
fn repeated(count: u64, body: impl FnOnce(Code) -> Code) -> Code {
    let code = Code::new().set(Reg::S1, count).fallthrough();
    let start = code.here();
    let code = body(code).add(Reg::S1, Reg::S1, -1);
    let again =
        Instruction { s1: Reg::S1, x: 0, target: start, ..Instruction::plain(Opcode::BranchNotEqImm) };
    code.emit(again).reply()
}

fn timed(criterion: &mut Criterion, name: &str, count: u64, prepare: impl Fn(&mut World) -> CapHash) {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(count)).sample_size(20);
    if name.starts_with("work") {
        // There is much of it, and none of it varies much.
        group
            .sample_size(10)
            .warm_up_time(Duration::from_millis(200))
            .measurement_time(Duration::from_millis(500));
    }
    for backend in backends() {
        let mut world = World::new(backend);
        let instance = prepare(&mut world);
        group.bench_function(backend.name(), |bench| {
            bench.iter(|| {
                let result = world.vm.invoke(&mut world.cache, instance, 0, [0; 4], MANY).unwrap();
                assert!(matches!(result, CallResult::Halt { .. }), "{result:?}");
            });
        });
    }
}

fn calls(criterion: &mut Criterion) {
    const CALLS: u64 = 10_000;
    let caller = |callee: fn() -> Image| {
        move |world: &mut World| {
            let callee = world.instance(callee(), &[]);
            let code = repeated(CALLS, |code| code.op(Operation::Call, &[5, 0]));
            world.instance(code.image(), &[(5, callee)])
        }
    };
    timed(criterion, "call and return", CALLS, caller(|| Code::new().reply().image()));
    timed(
        criterion,
        "call and return of a callee that writes a page",
        CALLS,
        caller(|| {
            let code = Code::new().load(Reg::A0, DATA).add(Reg::A0, Reg::A0, 1).store(DATA, Reg::A0).reply();
            let mut image = with_memory(code.image());
            // Where the engine would put it: two parts.
            image.mappings.remove(1);
            image
        }),
    );
}

fn operations(criterion: &mut Criterion) {
    timed(criterion, "1,000,000 operations", 1_000_000, |world| {
        let data = world.data(b"data");
        let four = |code: Code| {
            code.op(Operation::Copy, &[2, 7])
                .op(Operation::Swap, &[7, 8])
                .op(Operation::Move, &[8, 9])
                .op(Operation::Drop, &[9])
        };
        world.instance(repeated(250_000, four).image(), &[(2, data)])
    });
}

fn yields(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("yield and resume");
    for backend in backends() {
        let mut world = World::new(backend);
        let marker = world.data(b"marker");
        world.vm.assist_mut().catch(marker);
        let code = repeated(u32::MAX.into(), |code| code.op(Operation::Yield, &[3]));
        let instance = world.instance(code.image(), &[(3, marker)]);
        world.vm.invoke(&mut world.cache, instance, 0, [0; 4], MANY).unwrap();
        group.bench_function(backend.name(), |bench| {
            bench.iter(|| black_box(world.vm.resume(&mut world.cache, None).unwrap()));
        });
        world.vm.drop_paused().unwrap();
    }
}

fn settle(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("invoke and settle");
    for pages in [0u64, 16, 256] {
        let mut world = World::new(Backend::Interpreter);
        let code = Code::new().set(Reg::S0, DATA.into());
        let code = (0..pages).fold(code, |code, page| code.store(DATA + page as u32 * 4096, Reg::S0));
        let mut image = code.reply().image();
        image.mappings = vec![Mapping { start: DATA, size: 256 * 4096, source: SlotPath::slot(254) }];
        let instance = world.instance(image, &[]);
        group.bench_function(format!("{pages} pages written"), |bench| {
            bench.iter(|| world.vm.invoke(&mut world.cache, instance, 0, [0; 4], MANY).unwrap());
        });
    }
}

/// What nodes and instances that were made take to be given their hashes.
fn settle_nodes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("settle");
    group.throughput(Throughput::Elements(1000)).sample_size(10);
    let mut number = 0u64;
    for filled in [1u16, 16, 256] {
        group.bench_function(format!("1000 nodes of {filled} slots"), |bench| {
            let prepare = || {
                let cache = CacheDirectory::default();
                let nodes: Vec<CapHashOrRef> = (0..1000)
                    .map(|_| {
                        number += 1;
                        let mut node = CNode::new(8).unwrap();
                        for slot in 0..filled {
                            let mut hash = CapHash([slot as u8; 32]);
                            hash.0[..8].copy_from_slice(&number.to_le_bytes());
                            node.set(slot, Some(hash)).unwrap();
                        }
                        cache.work_on(node).unwrap().into()
                    })
                    .collect();
                (cache, nodes)
            };
            let hash = |(cache, nodes): &mut (CacheDirectory, Vec<CapHashOrRef>)| {
                for node in nodes {
                    black_box(cache.settle(node)).ok();
                }
            };
            bench.iter_batched_ref(prepare, hash, BatchSize::PerIteration);
        });
    }
}

/// An image that replies at once, and has so many times two instructions behind that.
fn instructions(steps: u64, number: u64) -> Image {
    let code = (0..steps).fold(Code::new(), |code, step| {
        let code = code.sum(Reg::A1, Reg::A0, Reg::A1);
        if step % 8 == 0 { code.fallthrough() } else { code.add(Reg::A1, Reg::A2, 5) }
    });
    Code::new().set(Reg::A0, number).reply().then(code).image()
}

/// What it takes to enter images for the first time, and instances that have written pages.
fn enter(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("enter for the first time");
    group.sample_size(10);
    for backend in backends() {
        let (mut world, mut number) = (World::new(backend), 0);
        for steps in [0u64, 20_000] {
            let mut once = || {
                number += 1;
                let instance = world.instance(instructions(steps, number), &[]);
                let start = Instant::now();
                world.vm.invoke(&mut world.cache, instance, 0, [0; 4], MANY).unwrap();
                start.elapsed()
            };
            let name = format!("{} with {steps} times two instructions", backend.name());
            group.bench_function(name, |bench| bench.iter_custom(|times| (0..times).map(|_| once()).sum()));
        }
    }
    drop(group);
    let mut group = criterion.benchmark_group("enter with pages that were written");
    for pages in [0u64, 256] {
        let mut world = World::new(Backend::Interpreter);
        let code = (0..pages)
            .fold(Code::new().set(Reg::S0, 7), |code, page| code.store(DATA + page as u32 * 4096, Reg::S0));
        let end = code.clone().reply().here();
        let mut image = code.reply().reply().image();
        image.mappings = vec![Mapping { start: DATA, size: 256 * 4096, source: SlotPath::slot(254) }];
        image.endpoints.push(Endpoint { entry_pc: end, ..image.endpoints[0].clone() });
        let instance = world.instance(image, &[]);
        let (_, instance) = world.halts(instance);
        group.bench_function(format!("{pages}"), |bench| {
            bench.iter(|| world.vm.invoke(&mut world.cache, instance, 1, [0; 4], MANY).unwrap());
        });
    }
    let mut world = World::new(Backend::Interpreter);
    let mut image = Code::new().reply().image();
    image.mappings = vec![Mapping { start: ASIDE, size: 1024 * 4096, source: SlotPath::slot(254) }];
    let instance = world.instance(image, &[]);
    group.bench_function("1024 aside", |bench| {
        bench.iter(|| world.vm.invoke(&mut world.cache, instance, 0, [0; 4], MANY).unwrap());
    });
}

/// Work that costs gas by its amount: so much of it, and none.
fn work(criterion: &mut Criterion) {
    let mapped = |code: Code, start: u32, pages: u32, source: SlotPath| {
        let mut image = code.image();
        if pages > 0 {
            image.mappings = vec![Mapping { start, size: pages * 4096, source }];
        }
        image
    };
    let source = SlotPath::slot(14);
    for pages in [0u32, 256] {
        let name = |what: &str| format!("work: 100 times {pages} pages {what}");
        let calling = |callee: fn(&mut World, Image) -> CapHash, start: u32, code: fn(u32) -> Code| {
            move |world: &mut World| {
                let callee = callee(world, mapped(code(pages), start, pages, source));
                world
                    .instance(repeated(100, |code| code.op(Operation::Call, &[5, 0])).image(), &[(5, callee)])
            }
        };
        let plain = |world: &mut World, image| world.instance(image, &[]);
        let shown = |world: &mut World, image: Image| {
            let data = world.data(&vec![7; image.mem_size().saturating_sub(ASIDE) as usize]);
            world.instance(image, &[(14, data)])
        };
        timed(criterion, &name("aside"), 100, calling(plain, ASIDE, |_| Code::new().reply()));
        timed(criterion, &name("aside, with data"), 100, calling(shown, ASIDE, |_| Code::new().reply()));
        let written = |pages: u32| {
            (0..pages)
                .fold(Code::new().set(Reg::S0, 7), |code, page| code.store(DATA + page * 4096, Reg::S0))
                .reply()
        };
        timed(criterion, &name("of its own"), 100, calling(plain, DATA, written));
        timed(
            criterion,
            &name("written and emptied"),
            100,
            calling(plain, DATA, |pages| {
                [7, 0]
                    .iter()
                    .fold(Code::new(), |code, &value| {
                        let code = code.set(Reg::S0, value);
                        (0..pages).fold(code, |code, page| code.store(DATA + page * 4096, Reg::S0))
                    })
                    .reply()
            }),
        );
        timed(criterion, &name("of a source that is replaced"), 1, |world| {
            let data = world.data(&vec![0; pages as usize * 409_600]);
            let code = Code::new().op(Operation::Copy, &[2, 14]).reply();
            world.instance(mapped(code, DATA, 25_600, source), &[(2, data)])
        });
        timed(criterion, &name("to be written by SET_IMAGE"), 100, |world| {
            let code = repeated(100, |code| code.op(Operation::SetImage, &[2]));
            let image =
                |slot: u8| Image { gas_slots: vec![slot], ..mapped(code.clone(), DATA, pages, source) };
            let other = world.image(image(8));
            world.instance(image(9), &[(2, other)])
        });
    }
    for mappings in [1u32, 64] {
        let name = format!("work: 100 calls, {mappings} mappings of sources in eight nodes");
        timed(criterion, &name, 100, |world| {
            let mut image = Code::new().reply().image();
            let source = SlotPath::new(&[14, 1, 1, 1, 1, 1, 1, 1]).unwrap();
            let mapping = |number| Mapping { start: ASIDE + number * 8192, size: 4096, source };
            image.mappings = (0..mappings).map(mapping).collect();
            let data = world.data(b"data");
            let node = (0..7).fold(data, |inner, _| world.cnode(2, &[(1, inner)]));
            let callee = world.instance(image, &[(14, node)]);
            world.instance(repeated(100, |code| code.op(Operation::Call, &[5, 0])).image(), &[(5, callee)])
        });
    }
    for steps in [0u64, 20_000] {
        timed(criterion, &format!("work: MAKE_IMAGE, {steps} times two instructions"), 1, |world| {
            let data = world.data(&instructions(steps, 0).encode());
            let code = Code::new().op(Operation::MakeImage, &[2, u64::MAX, u64::MAX, 5]).reply();
            world.instance(code.image(), &[(2, data)])
        });
    }
    for (name, operation, args) in [
        ("TYPE_OF", Operation::TypeOf, [2, 5, 0, 0]),
        ("SAME_TYPE", Operation::SameType, [2, 2, 0, 0]),
        ("READ_DATA of 256 pages", Operation::ReadData, [3, DATA.into(), 1 << 20, 0]),
        ("MINT_DATA of 256 pages", Operation::MintData, [DATA.into(), 1 << 20, 7, 5]),
        ("COPY into the root", Operation::Copy, [3, 5, 0, 0]),
        ("COPY below seven nodes", Operation::Copy, [3, path(&[4, 1, 1, 1, 1, 1, 1, 1]), 0, 0]),
    ] {
        timed(criterion, &format!("work: 100 times {name}"), 100, |world| {
            let quota = world.quota(7, MANY);
            let data = world.data(&vec![1; 1 << 20]);
            let node = (0..7).fold(data, |inner, _| world.cnode(2, &[(1, inner)]));
            let image = mapped(repeated(100, |code| code.op(operation, &args)), DATA, 256, source);
            world.instance(
                Image { quota_slots: vec![6], ..image },
                &[(2, quota), (3, data), (4, node), (6, quota)],
            )
        });
    }
    let mut group = criterion.benchmark_group("work: enter for the first time");
    group.sample_size(10);
    for pages in [0u32, 1024] {
        let (mut world, mut number) = (World::new(Backend::Interpreter), 0);
        let data = world.data(&vec![7; pages as usize * 4096]);
        let mut once = || {
            number += 1;
            let mut image = mapped(Code::new().set(Reg::A0, number).reply(), DATA, 1024, source);
            image.initial = vec![SlotContent { slot: 14, cap: data }];
            let instance = world.instance(image, &[]);
            let start = Instant::now();
            world.vm.invoke(&mut world.cache, instance, 0, [0; 4], MANY).unwrap();
            start.elapsed()
        };
        group.bench_function(format!("{pages} pages"), |bench| {
            bench.iter_custom(|times| (0..times).map(|_| once()).sum());
        });
    }
}

fn stores(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("put and commit");
    group.throughput(Throughput::Elements(1000)).sample_size(10);
    let mut number = 0u64;
    let mut fill = |cache: &mut CacheDirectory| {
        for _ in 0..1000 {
            number += 1;
            cache.put(Cap::Data(DataCap::new(&number.to_le_bytes()))).unwrap();
        }
        cache.commit(Vec::new()).unwrap();
    };
    group.bench_function("1000 pages in memory", |bench| {
        bench.iter_batched_ref(CacheDirectory::default, &mut fill, BatchSize::PerIteration);
    });
    let folder = tempfile::tempdir().unwrap();
    let mut cache = CacheDirectory::new(ParityStore::open(folder.path()).unwrap()).memory_limit(1 << 20);
    group.bench_function("1000 pages on disk", |bench| bench.iter(|| fill(&mut cache)));
}

criterion_group!(benches, calls, operations, yields, settle, settle_nodes, enter, work, stores);
criterion_main!(benches);
