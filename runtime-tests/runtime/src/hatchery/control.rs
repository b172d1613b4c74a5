//! The second set of host functions, each called at least once in every way that it can end.

use alloc::vec::Vec;

/// Calls all of them on instances of the counter guest, and gives what each told, encoded. Of another program, only why it was
/// refused.
#[cfg(any(not(substrate_runtime), feature = "control"))]
pub fn control(program: Vec<u8>) -> Vec<Vec<u8>> {
    tour::take(&program).unwrap_or_else(|| Vec::from([alloc::format!("{:?}", last_refusal()).into_bytes()]))
}

/// Does nothing, so that this flavour imports none of them.
#[cfg(all(substrate_runtime, not(feature = "control")))]
pub fn control(_program: Vec<u8>) -> Vec<Vec<u8>> {
    Vec::new()
}

/// Calls them at the bounds of what they take and of what the chain allows, on instances of the counter guest.
#[cfg(any(not(substrate_runtime), feature = "control"))]
pub fn control_bounds(program: Vec<u8>) -> Vec<Vec<u8>> {
    super::bounds::visit(&program)
}

/// Does nothing, so that this flavour imports none of them.
#[cfg(all(substrate_runtime, not(feature = "control")))]
pub fn control_bounds(_program: Vec<u8>) -> Vec<Vec<u8>> {
    Vec::new()
}

#[cfg(any(not(substrate_runtime), feature = "control"))]
use hatchery_primitives::last_refusal;

#[cfg(any(not(substrate_runtime), feature = "control"))]
pub(super) mod tour {
    use alloc::{format, vec, vec::Vec};
    use codec::Encode;
    use hatchery_primitives::{
        CallResult, ControlError, ExecBuffer, ExecError, ExecResult, ExitInfo, Instance, Module, NO_INSTANCE,
        last_refusal, limits, virtualization, virtualization_control as raw,
    };

    const GAS: i64 = 1_000_000;

    /// `None` if a step that has to succeed does not.
    pub(super) fn take(program: &[u8]) -> Option<Vec<Vec<u8>>> {
        let mut told = Vec::new();
        let (module, _) = Module::from_bytes(program, None).ok()?;
        told.push(module.info().ok()?.encode());
        told.push(limits().ok()?.encode());
        // A trap, with the gas that was left.
        let trapped = failed(module.instantiate().ok()?.prepare(b"do_panic").ok()?.run(GAS, 0))?;
        told.push(info(&trapped)?.encode());
        told.push(words(&trapped.result()));
        // Out of gas, resumed to the first syscall, forked there, and both ended.
        let mut starved = failed(trapped.prepare(b"counter").ok()?.run(0, 0))?;
        told.push(info(&starved)?.encode());
        let starved_fork = starved.fork().ok()?;
        starved.reset().ok()?;
        told.push(info(&starved)?.encode());
        let ExecResult::Syscall { mut execution, gas_left, .. } = starved_fork.resume(GAS) else {
            return None;
        };
        told.push(gas_left.encode());
        told.push(execution.exit_info().ok()?.encode());
        let twin = execution.fork().ok()?;
        told.push(limits().ok()?.encode());
        let memory = module.info().ok()?.memory;
        let stack = memory.stack_end - 8;
        execution.write_memory(stack, &[7; 8]).ok()?;
        execution.zero_memory(stack + 2, 3).ok()?;
        let mut bytes = [0xaa; 8];
        execution.read_memory(stack, &mut bytes).ok()?;
        told.push(bytes.to_vec());
        told.push(words(&execution.zero_memory(memory.stack_end - 1, 2)));
        drop(twin);
        let idle = execution.reset().ok()?;
        // Arguments.
        let execution = idle.prepare_with_arguments(b"add_99", [1, 2, 3, 4, 5]).ok()?;
        if let ExecResult::Syscall { a0, a1, a2, a3, a4, a5, .. } = execution.resume(GAS) {
            told.push((a0, a1, a2, a3, a4, a5).encode());
        }
        // Refusals.
        let _ = Module::from_bytes(b"garbage", None);
        told.push(format!("{:?}", last_refusal()).into_bytes());
        module.release().ok()?;
        told.push(words(&raw::release_module(0.into())));
        // Errors leave nothing in the output.
        let mut dest = vec![0xaa; 40];
        told.push(words(&raw::exit_info(1000.into(), &mut dest)));
        told.push(dest);
        let mut dest = vec![0xaa; 40];
        told.push(words(&raw::module_info(1000.into(), &mut dest)));
        told.push(dest);
        let mut buffer = ExecBuffer { a0: 1, ..ExecBuffer::default() };
        told.push(words(&raw::resume(1000.into(), GAS, &mut buffer)));
        told.push(buffer.as_ref().to_vec());
        let mut result = CallResult { a0: 1, a1: 1 };
        told.push(words(&raw::result(1000.into(), &mut result)));
        told.push(result.as_ref().to_vec());
        // Buffers that are too short and too long.
        for room in [0, 5, 22, 30] {
            let mut dest = vec![0xaa; room];
            told.push(words(&raw::exit_info(NO_INSTANCE.into(), &mut dest)));
            told.push(dest);
        }
        told.push(words(&raw::prepare_with_args(1000.into(), b"counter", 0, 0, 0, 0, 0)));
        told.push(words(&raw::reset(1000.into())));
        told.push(words(&raw::zero_memory(1000.into(), 0, 0)));
        told.push(words(&raw::fork(1000.into())));
        told.extend(snapshots(program)?);
        told.extend(processes()?);
        Some(told)
    }

    /// Counts primes with four processes.
    pub(in super::super) const DEMONSTRATION: &[u8] =
        include_bytes!("../../../../guests/blobs/jam-v1/process-demo.polkavm");

    /// A tree of processes, in slices, each of which restores what the one before has left.
    fn processes() -> Option<Vec<Vec<u8>>> {
        let mut told = Vec::new();
        let (module, _) = Module::from_bytes(DEMONSTRATION, None).ok()?;
        let programs: [(&[u8], &Module); 1] = [(b"process-demo", &module)];
        let tree = module.instantiate_processes(&programs).ok()?;
        told.push(limits().ok()?.encode());
        told.push(tree.snapshot().ok()?);
        let mut result = tree.prepare(b"main").ok()?.run(2 * GAS, 0);
        loop {
            match result {
                ExecResult::Error { instance, error: ExecError::OutOfGas } => {
                    told.push(info(&instance)?.encode());
                    let snapshot = instance.snapshot().ok()?;
                    drop(instance);
                    result = module.restore_processes(&programs, &snapshot).ok()?.resume(2 * GAS);
                    told.push(snapshot);
                }
                ExecResult::Syscall { mut execution, gas_left, syscall_symbol, a0, a1, .. } => {
                    let mut text = vec![0; usize::try_from(a1).ok()?];
                    execution.read_memory(u32::try_from(a0).ok()?, &mut text).ok()?;
                    told.push(
                        (gas_left, syscall_symbol.as_ref(), text, execution.exit_info().ok()?).encode(),
                    );
                    told.push(execution.fork().ok()?.snapshot().ok()?);
                    result = execution.run(gas_left, 0);
                }
                ExecResult::Finished { instance, gas_left } => {
                    told.push((gas_left, instance.result().ok()?.a0, info(&instance)?).encode());
                    break;
                }
                ExecResult::Error { .. } => return None,
            }
        }
        // What is no list, and no snapshot of one.
        let id = virtualization::compile_from_bytes(DEMONSTRATION, None).ok()?.id;
        let snapshot = told[1].clone();
        let other: [(&[u8], &Module); 1] = [(b"other", &module)];
        told.push(words(&module.restore_processes(&other, &snapshot).map(drop)));
        told.push(words(&module.restore(&snapshot).map(drop)));
        let named = |name: &[u8], module: u32| (name.to_vec(), module);
        let twice = vec![named(b"a", id.into()), named(b"a", id.into())].encode();
        let unknown = vec![named(b"a", 1000)].encode();
        for list in [&b""[..], &[0, 0], &twice, &unknown] {
            told.push(words(&raw::process_instantiate(id, list)));
            told.push(words(&raw::process_restore(id, list, &snapshot)));
        }
        told.push(words(&raw::process_instantiate(1000.into(), &[0])));
        Some(told)
    }

    /// Snapshots, with what is told of them and of what they give.
    fn snapshots(program: &[u8]) -> Option<Vec<Vec<u8>>> {
        let mut told = Vec::new();
        let (module, _) = Module::from_bytes(program, None).ok()?;
        // At each state: idle, prepared, out of gas, suspended, finished, trapped.
        let instance = module.instantiate().ok()?;
        told.push(instance.snapshot().ok()?);
        let execution = instance.prepare(b"counter").ok()?;
        told.push(execution.snapshot().ok()?);
        let starved = failed(execution.run(0, 7))?;
        told.push(starved.snapshot().ok()?);
        let ExecResult::Syscall { execution, .. } = starved.resume(GAS) else { return None };
        told.push(execution.snapshot().ok()?);
        let trapped = failed(module.instantiate().ok()?.prepare(b"do_panic").ok()?.run(GAS, 0))?;
        told.push(trapped.snapshot().ok()?);
        drop((execution, trapped));
        for at in 0..told.len() {
            let restored = module.restore(&told[at]).ok()?;
            told.push(restored.exit_info().ok()?.encode());
            match restored.resume(GAS) {
                ExecResult::Syscall { mut execution, gas_left, a0, a1, .. } => {
                    told.push((gas_left, a0, a1, execution.exit_info().ok()?).encode());
                    // Memory is there, too.
                    let stack = module.info().ok()?.memory.stack_end - 64;
                    let mut bytes = vec![0xaa; 64];
                    execution.read_memory(stack, &mut bytes).ok()?;
                    told.push(bytes);
                    told.push(execution.snapshot().ok()?);
                }
                ExecResult::Finished { instance, gas_left } => {
                    told.push((gas_left, info(&instance)?).encode());
                }
                ExecResult::Error { error, .. } => told.push(words(&error)),
            }
        }
        // What is not one.
        let id = virtualization::compile_from_bytes(program, None).ok()?.id;
        let mut bytes = told[3].clone();
        bytes[40] ^= 1;
        told.push(words(&raw::restore(id, &bytes)));
        told.push(words(&last_refusal()));
        told.push(words(&raw::restore(1000.into(), &told[3])));
        for room in [0, 5, told[0].len() + 3] {
            let instance = virtualization::instantiate(id).ok()?;
            let mut dest = vec![0xaa; room];
            told.push(words(&raw::snapshot(instance, &mut dest)));
            told.push(dest);
        }
        let mut dest = vec![0xaa; 40];
        told.push(words(&raw::snapshot(1000.into(), &mut dest)));
        told.push(dest);
        Some(told)
    }

    fn failed(result: ExecResult<Instance, hatchery_primitives::Execution>) -> Option<Instance> {
        match result {
            ExecResult::Error { instance, .. } => Some(instance),
            ExecResult::Finished { .. } | ExecResult::Syscall { .. } => None,
        }
    }

    fn info(instance: &Instance) -> Option<ExitInfo> {
        let info: Result<ExitInfo, ControlError> = instance.exit_info();
        info.ok()
    }

    fn words(result: &impl core::fmt::Debug) -> Vec<u8> {
        format!("{result:?}").into_bytes()
    }
}
