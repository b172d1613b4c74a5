//! Takes a program through four machines: runs a part, stores the instance as bytes, goes on elsewhere on another backend.
//!
//! ```text
//! cargo run -p hatchery-engine --example snapshot
//! ```

use std::error::Error;

use hatchery_engine::{Backend, Config, Engine, Exit, Reg, Snapshot};

fn main() -> Result<(), Box<dyn Error>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../guests/blobs/jam-v1/primes.polkavm");
    let blob = std::fs::read(path)?;
    let slice = 2_000_000;

    // At once.
    let mut whole = Engine::new(Config::default())?.compile(&blob)?.instantiate();
    whole.prepare("primes", &[100_000])?;
    whole.set_gas(i64::MAX);
    assert_eq!(whole.run()?, Exit::Finished);
    let gas = i64::MAX - whole.gas();
    println!("at once: {} primes below 100,000 for {gas} gas", whole.reg(Reg::A0));

    // In slices, each by an engine of its own that knows nothing but the program and the bytes.
    let mut bytes = {
        let mut instance = Engine::new(Config::default())?.compile(&blob)?.instantiate();
        instance.prepare("primes", &[100_000])?;
        instance.snapshot().to_bytes()
    };
    let mut used = 0;
    for backend in Backend::AVAILABLE.iter().cycle() {
        let module = Engine::new(Config::default().backend(*backend))?.compile(&blob)?;
        // No more than this is taken from anybody, whatever it says it is.
        let snapshot = Snapshot::from_bytes(&bytes, 1 << 20)?;
        let mut instance = module.restore(&snapshot, &())?;
        // What was left is too little for the next block, so it is not lost.
        let given = instance.gas() + slice;
        instance.set_gas(given);
        let exit = instance.run()?;
        used += given - instance.gas();
        let snapshot = instance.snapshot();
        bytes = snapshot.to_bytes();
        println!(
            "{:>11}: {exit:?} at pc {}, {} pages written, {} bytes",
            backend.name(),
            snapshot.pc(),
            snapshot.pages().len(),
            bytes.len(),
        );
        if exit == Exit::Finished {
            assert_eq!(instance.reg(Reg::A0), whole.reg(Reg::A0));
            break;
        }
    }
    println!("in slices: {used} gas");
    assert_eq!(used, gas);
    Ok(())
}
