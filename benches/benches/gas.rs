//! The gas simulation alone: the cost of every block of the guest `ed25519`, as an engine needs it before it can run all of it.
//!
//! What is measured is the peers' own code: for polkavm the simulator that its backends feed while they go through a program,
//! for javm the function that it exports for this. Each begins with decoding.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hatchery_engine::{Config, Engine, GasModel};

/// Sum of the costs of all blocks by polkavm's simulator.
macro_rules! polkavm_costs {
    ($name:ident, $polkavm:ident) => {
        fn $name(blob: &$polkavm::program::ProgramBlob) -> u64 {
            use $polkavm::simulator::{CacheModel, Simulator};
            use $polkavm::utils::{B64, GasVisitorT};

            let mut simulator = Simulator::<B64, ()>::new(blob.code(), blob.isa(), CacheModel::L2Hit, ());
            let mut instructions = blob.instructions();
            let mut sum = 0;
            while instructions.visit_parsing(&mut simulator).is_some() {
                sum += u64::from(simulator.take_block_cost().unwrap_or(0));
            }
            sum
        }
    };
}

polkavm_costs!(polkavm_033, polkavm_common_033);
polkavm_costs!(polkavm_037, polkavm_common_037);

fn gas(c: &mut Criterion) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../guests/blobs/jam-v1/ed25519.polkavm");
    let bytes = std::fs::read(path).expect("the guests are committed");
    let engine = |model| Engine::new(Config::default().gas_model(model)).expect("the settings make sense");
    let module = engine(GasModel::PIPELINE_L2).compile(&bytes).expect("a guest compiles");
    let instructions = module.instructions().count() as u64;
    let blob_033 = polkavm_common_033::program::ProgramBlob::parse(bytes.clone().into()).expect("a program");
    let blob_037 = polkavm_common_037::program::ProgramBlob::parse(bytes.into()).expect("a program");
    let bitmask: Vec<u8> =
        (0..module.code().length()).map(|pc| u8::from(module.code().is_start(pc))).collect();

    let hatchery = || module.blocks().map(|block| u64::from(block.cost)).sum::<u64>();
    let javm =
        || javm::gas_cost::compute_block_gas_costs(module.code().bytes(), &bitmask).iter().sum::<u64>();
    println!("{instructions} instructions in {} blocks", module.blocks().count());
    println!(
        "gas of all blocks: hatchery {}, polkavm 0.33 {}, polkavm 0.37 {}, javm 0.4 {}",
        hatchery(),
        polkavm_033(&blob_033),
        polkavm_037(&blob_037),
        javm()
    );

    let mut group = c.benchmark_group("gas of all blocks of ed25519");
    group.throughput(Throughput::Elements(instructions));
    group.bench_function("hatchery", |b| b.iter(|| black_box(hatchery())));
    group.bench_function("polkavm 0.33", |b| b.iter(|| black_box(polkavm_033(&blob_033))));
    group.bench_function("polkavm 0.37", |b| b.iter(|| black_box(polkavm_037(&blob_037))));
    group.bench_function("javm 0.4", |b| b.iter(|| black_box(javm())));
    group.finish();
}

criterion_group!(benches, gas);
criterion_main!(benches);
