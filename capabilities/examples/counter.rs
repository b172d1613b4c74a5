//! A service that counts: `cargo run -p hatchery-capabilities --example counter`.

use hatchery_capabilities::{CacheDirectory, CallResult, InProcessAssist, Manifest, Vm, graph::Graph};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let blob =
        std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../guests/blobs/jam-v1/cap-counter.polkavm"))?;
    let mut cache = CacheDirectory::default();
    let bundle = Manifest::default().build(&blob, |_| None)?;
    let first = bundle.instantiate(&mut cache, [])?;
    let endpoint = |name: &str| bundle.image.endpoint(name.as_bytes()).ok_or("no such endpoint");
    let [add, panics] = [endpoint("add")?, endpoint("add_and_panic")?];
    println!("A counter was published: {first:.8}. Instances never change: each call makes another.\n");

    let mut vm = Vm::new(InProcessAssist::default());
    let mut counter = first;
    for by in [5, 10, 27] {
        match vm.invoke(&mut cache, counter, add, [by, 0, 0, 0], 10_000_000)? {
            CallResult::Halt { return_value, post_instance_hash, gas_used, .. } => {
                println!(
                    "add({by:2}) = {return_value:2}: {counter:.8} -> {post_instance_hash:.8}, {gas_used} gas"
                );
                counter = post_instance_hash;
            }
            other => println!("add({by}): {other:?}"),
        }
    }
    if let CallResult::Faulted { reason, .. } =
        vm.invoke(&mut cache, counter, panics, [1000, 0, 0, 0], 10_000_000)?
    {
        println!("add_and_panic(1000): {reason}; the counter is still {counter:.8}");
    }
    if let CallResult::Halt { return_value, .. } =
        vm.invoke(&mut cache, first, add, [1, 0, 0, 0], 10_000_000)?
    {
        println!("add( 1) = {return_value:2} on the first one, {first:.8}, which is still there\n");
    }
    print!("{}", Graph::of(&mut cache, [("first".into(), first), ("last".into(), counter)])?.text());
    Ok(())
}
