//! How long one gas takes on the interpreter, by what it is spent on, and how long compiling takes for each byte.
//!
//! `cargo bench -p pallet-virtualization --bench gas` prints picoseconds per gas; the greatest is the least that the
//! runtime's `RefTimePerGas` may be.

#[allow(dead_code, reason = "what only the benchmarks use")]
#[path = "../src/benchmarking/programs.rs"]
mod programs;

extern crate alloc;

use hatchery_engine::{Backend, Config, Engine, Exit};
use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;

const GAS: i64 = 3_000_000;
const ROUNDS: usize = 15;

/// Guests with work to do: the guest, an export, its argument.
const GUESTS: [(&str, &[u8], &str, u64); 7] = [
    ("primes", include_bytes!("../../../../guests/blobs/jam-v1/primes.polkavm"), "primes", 1 << 32),
    ("fib", include_bytes!("../../../../guests/blobs/jam-v1/fib.polkavm"), "fib", 60),
    ("fib (loop)", include_bytes!("../../../../guests/blobs/jam-v1/fib.polkavm"), "fib_loop", u64::MAX),
    ("heap", include_bytes!("../../../../guests/blobs/jam-v1/heap.polkavm"), "churn", u64::MAX),
    ("integers", include_bytes!("../../../../guests/blobs/jam-v1/integers.polkavm"), "simulate", u64::MAX),
    ("sha256", include_bytes!("../../../../guests/blobs/jam-v1/sha256.polkavm"), "hash_chain", u64::MAX),
    ("syscalls (spin)", include_bytes!("../../../../guests/blobs/jam-v1/syscalls.polkavm"), "spin", 0),
];

fn main() {
    let config = Config::default().backend(Backend::Interpreter);
    let engine = Engine::new(config).expect("the interpreter is there");
    println!("picoseconds per gas, median of {ROUNDS}:");
    let mut greatest = 0;
    for name in programs::KERNELS {
        greatest = greatest.max(report(&engine, name, &programs::kernel(name), name, 0));
    }
    for (name, blob, export, argument) in GUESTS {
        greatest = greatest.max(report(&engine, name, blob, export, argument));
    }
    println!("{greatest:>8}  greatest");
    println!("compile, instantiate and pass once through all code, microseconds and nanoseconds per byte:");
    for bytes in [1024, 16 * 1024, 64 * 1024, 256 * 1024] {
        let blob = programs::blocks(bytes);
        let time = median(|| {
            let start = processor_time();
            let module = engine.compile(&blob).expect("the program is valid");
            let mut instance = module.instantiate();
            instance.prepare("main", &[]).expect("there is this export");
            instance.set_gas(i64::MAX);
            assert!(matches!(instance.run(), Ok(Exit::Finished)));
            processor_time() - start
        });
        println!(
            "{:>8}  {:>8} bytes, {:.1} ns per byte",
            time / 1000,
            blob.len(),
            time as f64 / blob.len() as f64
        );
    }
}

fn report(engine: &Engine, name: &str, blob: &[u8], export: &str, argument: u64) -> u64 {
    let module = engine.compile(blob).expect("the program is valid");
    let time = median(|| {
        let mut instance = module.instantiate();
        instance.prepare(export, &[argument]).expect("there is this export");
        // The first entry into a block is part of compiling.
        instance.set_gas(GAS / 10);
        let _ = black_box(instance.run());
        instance.set_gas(GAS);
        let start = processor_time();
        let exit = instance.run();
        let time = processor_time() - start;
        assert!(matches!(exit, Ok(Exit::OutOfGas)), "{name} ended: {exit:?}");
        time
    });
    let picoseconds = time * 1000 / GAS.unsigned_abs();
    println!("{picoseconds:>8}  {name}");
    picoseconds
}

/// Nanoseconds that this thread has worked: what else the machine does counts less than by the clock on the wall.
fn processor_time() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()
}

fn median(mut round: impl FnMut() -> u64) -> u64 {
    let mut times: Vec<u64> = (0..ROUNDS).map(|_| round()).collect();
    times.sort_unstable();
    times[ROUNDS / 2]
}
