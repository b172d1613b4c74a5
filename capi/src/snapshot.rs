//! The state of a VM as bytes.

use hatchery_engine::isa::Opcode;
use hatchery_engine::{Instance, Module as EngineModule, ProgramCounter, Snapshot, Trap, TrapKind};

use crate::constants::*;
use crate::inner::InnerMachines;
use crate::module::Module;
use crate::pointer::{self, Place};
use crate::record;
use crate::registers::show_registers;
use crate::status::{self, Failure};
use crate::vm::{self, State, Stop, Vm};

/// Writes the state of the VM, registers, gas, pc, memory and where it stopped, to `buffer`. *length becomes the number of bytes; if
/// `capacity` is less this fails with PVM_STATUS_BUFFER_TOO_SMALL, so that capacity 0 asks for it.
///
/// The bytes are canonical: equal states have equal bytes, whatever the backend. Callbacks, recordings and the service index are no part
/// of it. Legal at every stop, but not with inner machines, which it cannot contain: then this fails with
/// PVM_STATUS_INVALID_STATE, and pvm_fork is what copies them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_snapshot(
    vm: *mut Vm,
    buffer: *mut u8,
    capacity: usize,
    length: *mut usize,
) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            let length = Place::new(length, "the place for the length")?;
            let buffer = pointer::slice_mut(buffer, capacity, "the buffer")?;
            let count = state.inner.count();
            if count > 0 {
                let text = format!(
                    "a snapshot cannot contain inner machines: there are {count} of them to be expunged first"
                );
                return Err(Failure::state(text));
            }
            let bytes = state.instance()?.snapshot().to_bytes();
            length.put(bytes.len());
            let too_small = || {
                Failure::new(PVM_STATUS_BUFFER_TOO_SMALL, format!("the snapshot has {} bytes", bytes.len()))
            };
            buffer.get_mut(..bytes.len()).ok_or_else(too_small)?.copy_from_slice(&bytes);
            Ok(())
        })
    }
}

/// Makes a VM in the state that pvm_snapshot has written, of the same program under the same configuration but for the backend. Fails
/// with PVM_STATUS_INVALID_ARGUMENT if the bytes are no snapshot or of another module. *out as in pvm_instantiate.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_restore(
    module: *const Module,
    bytes: *const u8,
    length: usize,
    out: *mut *mut Vm,
) -> Status {
    // SAFETY: as the header asks of callers.
    status::status(|| unsafe {
        let module = Module::of(module)?;
        let out = Place::new(out, "the place for the VM")?;
        let bytes = pointer::slice(bytes, length, "the snapshot")?;
        let (instance, stop) = restored(&module.engine, bytes)?;
        let mut state = State::of_instance(module.settings, module.source.clone(), instance);
        state.restored(stop);
        out.put(Vm::hand_out(state));
        Ok(())
    })
}

/// As pvm_restore, into a VM of the same program, which keeps its callbacks and user data. Its inner machines are destroyed: they
/// belong to the state that is given up. On failure it stays as it is. For VMs of pvm_create, which have no module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_restore_into(vm: *mut Vm, bytes: *const u8, length: usize) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            let bytes = pointer::slice(bytes, length, "the snapshot")?;
            let module = state.instance()?.module().clone();
            let (mut instance, stop) = restored(&module, bytes)?;
            instance.set_pause(state.pause.clone());
            state.replace_instance(instance);
            state.inner = InnerMachines::default();
            state.spoil_recording(record::WAS_RESTORED);
            state.restored(stop);
            show_registers(vm, state);
            Ok(())
        })
    }
}

/// An instance, and where it is.
fn restored(module: &EngineModule, bytes: &[u8]) -> Result<(Instance, Stop), Failure> {
    let wrong = |error: &dyn ToString| Failure::argument(error.to_string());
    let snapshot = Snapshot::from_bytes(bytes, usize::MAX).map_err(|error| wrong(&error))?;
    let instance = module.restore(&snapshot, &()).map_err(|error| wrong(&error))?;
    let mut stop = Stop::of_status(snapshot.status());
    // A host call that trapped was refused by the host.
    if let Stop::Panic(Some(Trap { kind: TrapKind::Trap, pc, .. })) = stop
        && let Some(instruction) = module.instruction_at(ProgramCounter(pc)).instruction
        && instruction.opcode == Opcode::Ecalli
    {
        stop = Stop::Panic(None);
    }
    Ok((instance, stop))
}

impl State {
    fn restored(&mut self, stop: Stop) {
        self.stop = stop;
        self.is_ended = false;
        self.is_initializing = stop == Stop::Ready;
        self.result_code = None;
    }
}
