//! A vault that only a holder can open: `cargo run -p hatchery-capabilities --example vault`.

use hatchery_capabilities::{
    CacheDirectory, CallResult, Cap, DataCap, InProcessAssist, Manifest, Vm, graph::Graph,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let blob = |name: &str| {
        std::fs::read(format!("{}/../guests/blobs/jam-v1/{name}.polkavm", env!("CARGO_MANIFEST_DIR")))
    };
    let mut cache = CacheDirectory::default();
    let secret = cache.put(Cap::Data(DataCap::new(&0x5ec2_e700_u64.to_le_bytes())))?;
    let vault =
        Manifest::default().build(&blob("cap-vault")?, |_| None)?.instantiate(&mut cache, [(10, secret)])?;
    let holder = Manifest::default().build(&blob("cap-holder")?, |_| None)?;
    let fetch = holder.image.endpoint(b"fetch").ok_or("no such endpoint")?;

    // The same program twice. One holds the vault; the other knows its hash, as bytes.
    let known = cache.put(Cap::Data(DataCap::new(&vault.0)))?;
    let alice = holder.instantiate(&mut cache, [(5, vault)])?;
    let mallory = holder.instantiate(&mut cache, [(5, known)])?;
    println!("Alice and Mallory run the same program, which opens what it holds in slot 5.");
    println!("Alice holds the vault there, Mallory the hash of the vault as data.\n");
    let mut vm = Vm::new(InProcessAssist::default());
    for (name, instance) in [("Alice", alice), ("Mallory", mallory)] {
        match vm.invoke(&mut cache, instance, fetch, [0; 4], 10_000_000)? {
            CallResult::Halt { return_value, .. } => println!("{name}: the secret is {return_value:#x}"),
            CallResult::Faulted { reason, .. } => println!("{name}: {reason}"),
            CallResult::Paused { .. } => println!("{name}: paused"),
        }
    }
    println!("\nWho holds what:");
    print!("{}", Graph::of(&mut cache, [("Alice".into(), alice), ("Mallory".into(), mallory)])?.text());
    Ok(())
}
