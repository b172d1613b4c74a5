//! What `docs/processes.md` and `docs/snapshots.md` show of runtimes compiles and does what they say: the functions between the marks are
//! theirs, word for word.

use hatchery_client::VirtManager;
use hatchery_primitives::VirtManagerExt;
use sp_state_machine::BasicExternalities;
use std::error::Error;

fn blob(name: &str) -> Vec<u8> {
    let path = format!("{}/../guests/blobs/jam-v1/{name}.polkavm", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// In a block of its own, with a manager that knows nothing of those before.
fn in_a_block<R>(work: impl FnOnce() -> R) -> R {
    let mut externalities = BasicExternalities::default();
    externalities.register_extension(VirtManagerExt::new(VirtManager::default()));
    externalities.execute_with(work)
}

/// What this file has between the marks, as it is in a document.
fn shown(document: &str) -> String {
    let marked =
        include_str!("document.rs").split_once(&format!("    // {document} {{\n")).expect("a first mark").1;
    let marked = marked.split_once(&format!("    // }} {document}\n")).expect("a last mark").0;
    let lines = marked.lines().map(|line| line.strip_prefix("    ").unwrap_or(line));
    format!("```rust,ignore\n{}\n```\n", lines.collect::<Vec<_>>().join("\n"))
}

mod processes {
    use super::{Error, blob, in_a_block, shown};

    // docs/processes.md {
    use core::ops::ControlFlow;
    use hatchery_primitives::{Completion, Execution, Module, Syscall, run_to_completion};

    /// What the tree prints.
    fn count(program: &[u8], gas: i64) -> Result<Vec<u8>, Box<dyn Error>> {
        let (module, _) = Module::from_bytes(program, None)?;
        let programs: [(&[u8], &Module); 1] = [(b"process-demo", &module)];
        let tree = module.instantiate_processes(&programs)?; // an `Instance`
        let execution = tree.prepare(b"main").map_err(|(_, error)| error)?;
        let mut text = Vec::new();
        // As for any instance. The memory is that of the process that has made the syscall.
        let answer = |process: &mut Execution, syscall: Syscall<'_>| {
            let [address, length, ..] = syscall.arguments;
            text.resize(length as usize, 0);
            match process.read_memory(address as u32, &mut text) {
                Ok(()) => ControlFlow::Continue(0),
                Err(error) => ControlFlow::Break(error),
            }
        };
        match run_to_completion(execution, gas, answer) {
            Completion::Finished { .. } => Ok(text),
            Completion::Failed { error, .. } => Err(error.into()),
            Completion::Exited { value, .. } => Err(value.into()),
        }
    }
    // } docs/processes.md

    #[test]
    fn the_tree_of_the_document_prints_what_it_counts() {
        assert!(include_str!("../../docs/processes.md").contains(&shown("docs/processes.md")));
        let program = blob("process-demo");
        assert_eq!(in_a_block(|| count(&program, i64::MAX)).expect("it ends"), b"9592");
        let error = in_a_block(|| count(&program, 1000)).expect_err("that is too little gas");
        assert_eq!(error.to_string(), hatchery_primitives::ExecError::OutOfGas.to_string());
    }
}

mod snapshots {
    use super::{Error, blob, in_a_block, shown};

    // docs/snapshots.md {
    use codec::{DecodeAll, Encode};
    use hatchery_primitives::{ExecError, ExecResult, Module, SnapshotParts};

    enum Slice {
        /// To be stored until the next block: each of its `pages` under a key of its own, if it is not there already.
        Stopped(SnapshotParts),
        Finished(u64),
    }

    /// As far as the gas of a block goes.
    fn slice(code: &[u8], stored: Option<&SnapshotParts>, gas: i64) -> Result<Slice, Box<dyn Error>> {
        let (module, _) = Module::from_bytes(code, None)?;
        let result = match stored {
            None => module.instantiate()?.prepare(b"primes").map_err(|(_, error)| error)?.run(gas, 100_000),
            Some(parts) => module.restore(&parts.encode())?.resume(gas),
        };
        match result {
            ExecResult::Error { instance, error: ExecError::OutOfGas } => {
                Ok(Slice::Stopped(SnapshotParts::decode_all(&mut &instance.snapshot()?[..])?))
            }
            ExecResult::Finished { instance, .. } => Ok(Slice::Finished(instance.result()?.a0)),
            ExecResult::Error { error, .. } => Err(error.into()),
            ExecResult::Syscall { .. } => Err("it has no syscalls".into()),
        }
    }
    // } docs/snapshots.md

    #[test]
    fn slices_of_the_document_reach_the_end() {
        assert!(include_str!("../../docs/snapshots.md").contains(&shown("docs/snapshots.md")));
        let program = blob("primes");
        let (mut stored, mut blocks) = (None, 0);
        let answer = loop {
            blocks += 1;
            match in_a_block(|| slice(&program, stored.as_ref(), 300_000)).expect("a slice") {
                Slice::Stopped(parts) => stored = Some(parts),
                Slice::Finished(answer) => break answer,
            }
        };
        assert_eq!(answer, 9592);
        assert!(blocks > 2, "in {blocks} blocks");
    }
}
