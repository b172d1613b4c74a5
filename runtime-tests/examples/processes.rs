//! A runtime counts primes with a tree of processes, a slice in each of several blocks: between two blocks there is nothing but the
//! snapshot's bytes.
//!
//! `cargo run -p hatchery-runtime-tests --example processes`

use hatchery_client::VirtManager;
use hatchery_primitives::{ExecError, ExecResult, Module, SnapshotParts, VirtManagerExt};
use sp_io::TestExternalities;
use std::error::Error;

const PROGRAM: &[u8] = include_bytes!("../../guests/blobs/jam-v1/process-demo.polkavm");

/// Gas of a block.
const GAS: i64 = 3_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut snapshot: Option<Vec<u8>> = None;
    for block in 1.. {
        // Each block has a manager of its own, which knows nothing of those before.
        let mut externalities = TestExternalities::default();
        externalities.register_extension(VirtManagerExt::new(VirtManager::default()));
        match externalities.execute_with(|| slice(snapshot.as_deref()))? {
            Some(bytes) => {
                let parts: SnapshotParts = codec::DecodeAll::decode_all(&mut &bytes[..])?;
                println!("block {block}: {} bytes, {} of memory pages", bytes.len(), parts.pages.len());
                snapshot = Some(bytes);
            }
            None => {
                println!("block {block}: finished");
                break;
            }
        }
    }
    Ok(())
}

/// Runs the tree as far as the gas of a block goes. Gives its state, unless it is done.
fn slice(snapshot: Option<&[u8]>) -> Result<Option<Vec<u8>>, Box<dyn Error>> {
    let (module, _) = Module::from_bytes(PROGRAM, None)?;
    let programs: [(&[u8], &Module); 1] = [(b"process-demo", &module)];
    let mut result = match snapshot {
        None => {
            let tree = module.instantiate_processes(&programs)?;
            tree.prepare(b"main").map_err(|(_, error)| error)?.run(GAS, 0)
        }
        Some(bytes) => module.restore_processes(&programs, bytes)?.resume(GAS),
    };
    loop {
        match result {
            ExecResult::Finished { .. } => return Ok(None),
            ExecResult::Error { instance, error: ExecError::OutOfGas } => {
                let info = instance.exit_info()?;
                print!("process {} runs next, ", info.process);
                return Ok(Some(instance.snapshot()?));
            }
            ExecResult::Error { error, .. } => return Err(error.into()),
            ExecResult::Syscall { mut execution, gas_left, a0, a1, .. } => {
                // The demonstration makes one syscall: `print`.
                let mut text = vec![0; usize::try_from(a1)?];
                execution.read_memory(u32::try_from(a0)?, &mut text)?;
                println!("it says: {}", String::from_utf8_lossy(&text));
                result = execution.run(gas_left, 0);
            }
        }
    }
}
