//! A service that suspends for input and is resumed: `cargo run -p hatchery-capabilities --example listener`.

use hatchery_capabilities::{CacheDirectory, CallResult, Cap, DataCap, InProcessAssist, Manifest, Vm};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let blob =
        std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../guests/blobs/jam-v1/cap-listener.polkavm"))?;
    let mut cache = CacheDirectory::default();
    let marker = cache.put(Cap::Data(DataCap::new(b"input wanted")))?;
    let bundle = Manifest::default().build(&blob, |_| None)?;
    let listener = bundle.instantiate(&mut cache, [(3, marker)])?;
    let mut assist = InProcessAssist::default();
    assist.catch(marker);
    let mut vm = Vm::new(assist);
    println!(
        "The listener yields the marker in its slot 3 whenever it wants a number; we deal with that marker.\n"
    );
    let mut inputs = [30, 10, 2].into_iter();
    let mut result = vm.invoke(&mut cache, listener, 0, [0; 4], 10_000_000)?;
    loop {
        match result {
            CallResult::Paused { gas_used, .. } => {
                let frame = vm.call_stack().instance(0).ok_or("the stack is empty")?;
                println!("paused at pc {:#x} after {gas_used} gas", frame.pc());
                let input = inputs.next();
                println!("  resumed with {input:?}");
                let hand =
                    input.map(|n: u64| cache.put(Cap::Data(DataCap::new(&n.to_le_bytes())))).transpose()?;
                result = vm.resume(&mut cache, hand)?;
            }
            CallResult::Halt { return_value, gas_used, .. } => {
                println!("replied {return_value} after {gas_used} gas");
                break;
            }
            CallResult::Faulted { reason, .. } => return Err(reason.to_string().into()),
        }
    }
    Ok(())
}
