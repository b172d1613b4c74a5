//! A plug-in that runs out of its meter and is topped up: `cargo run -p hatchery-capabilities --example plugin`.

use hatchery_capabilities::{
    CacheDirectory, CallResult, Cap, InProcessAssist, KernelAssist, KernelImage, Manifest, Vm,
};

const METER: u64 = 1;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let blob = |name: &str| {
        std::fs::read(format!("{}/../guests/blobs/jam-v1/{name}.polkavm", env!("CARGO_MANIFEST_DIR")))
    };
    let mut cache = CacheDirectory::default();
    let mut assist = InProcessAssist::default();
    let meter = cache.put(Cap::Instance(KernelImage::Gas.instance(METER)))?;
    let catcher = cache.put(Cap::Instance(KernelImage::YieldCatcher.instance(1)))?;
    assist.set_gas_meter(METER, 10_000);

    let metered = Manifest::parse("gas_slots = [2]")?;
    let plugin = metered.build(&blob("cap-plugin")?, |_| None)?.instantiate(&mut cache, [(2, meter)])?;
    let hosting = Manifest::parse("yield_marker_slot = 9")?.build(&blob("cap-holder")?, |_| None)?;
    let host = hosting.instantiate(&mut cache, [(5, plugin), (9, catcher)])?;
    let run = hosting.image.endpoint(b"run").ok_or("no such endpoint")?;
    let mut vm = Vm::new(assist);

    println!(
        "A host calls a plug-in, which spends from meter {METER}: 10000 gas. Nobody catches that it runs out:"
    );
    if let CallResult::Halt { return_value, gas_used, .. } =
        vm.invoke(&mut cache, host, run, [100, 0, 0, 0], 10_000_000)?
    {
        println!(
            "  the host goes on and replies {return_value}: the plug-in was out of gas; {gas_used} gas in all\n"
        );
    }
    println!("Now the host's catcher in slot 9 has the marker of out of gas:");
    vm.assist_mut().add_marker(catcher, KernelImage::OogMarker.hash());
    vm.assist_mut().set_gas_meter(METER, 10_000);
    let mut result = vm.invoke(&mut cache, host, run, [100, 0, 0, 0], 10_000_000)?;
    while let CallResult::Paused { payload, catcher, gas_used, .. } = result {
        let named =
            payload.map(|hash| cache.instance(hash)).transpose()?.and_then(|instance| instance.kernel());
        println!("  paused after {gas_used} gas for {catcher:?}: the empty meter is {named:?}; 40000 more");
        let left = vm.assist().gas_meter(METER);
        vm.assist_mut().set_gas_meter(METER, left + 40_000);
        result = vm.resume(&mut cache, None)?;
    }
    match result {
        CallResult::Halt { return_value, .. } => println!("  the host replies {return_value} steps"),
        other => println!("  {other:?}"),
    }
    println!("  left in the meter: {}, of the host's own gas: {}", vm.assist().gas_meter(METER), vm.gas());
    Ok(())
}
