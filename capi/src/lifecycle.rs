//! Making VMs and destroying them.

use core::ffi::{c_char, c_void};

use crate::config::Config;
use crate::constants::*;
use crate::inner::InnerMachines;
use crate::layout::layout;
use crate::module::{self, Module};
use crate::pointer::{self, Place};
use crate::registers::show_registers;
use crate::status::{self, Failure};
use crate::vm::{self, Blueprint, HostCallback, State, Stop, Vm};

/// Makes a VM of code with its bitmask and jump table under PVM_PROFILE_GRAY_PAPER_0_7, in the interpreter. As
/// pvm_create_with_config, without a configuration.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_create(
    service_index: u32,
    code: *const u8,
    code_length: usize,
    initial_regs: *const u64,
    bitmask: *const u8,
    bitmask_length: usize,
    jump_table: *const u32,
    jump_table_length: usize,
    initial_gas: u64,
) -> *mut Vm {
    // SAFETY: as the header asks of callers.
    unsafe {
        pvm_create_with_config(
            core::ptr::null(),
            service_index,
            code,
            code_length,
            initial_regs,
            bitmask,
            bitmask_length,
            jump_table,
            jump_table_length,
            initial_gas,
        )
    }
}

/// Makes a VM of code with its bitmask and jump table; both forms of a bitmask are accepted, see pvm_module_from_parts.
///
/// initial_regs are 13 registers, or null for zeros. Gas is at most 2^63 - 1. Memory is empty: see pvm_set_memory_bounds and
/// pvm_map. Until the first execution pvm_write_ram_bytes and its kin can write all memory that is mapped, from then on what the
/// program can write.
///
/// Gives a handle that has to be destroyed by pvm_destroy, or null: then pvm_last_error says why. All bytes are copied. The code is
/// compiled when the VM is first used; of many VMs with the same code, make a module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_create_with_config(
    config: *const Config,
    service_index: u32,
    code: *const u8,
    code_length: usize,
    initial_regs: *const u64,
    bitmask: *const u8,
    bitmask_length: usize,
    jump_table: *const u32,
    jump_table_length: usize,
    initial_gas: u64,
) -> *mut Vm {
    // SAFETY: as the header asks of callers.
    status::value(core::ptr::null_mut(), || unsafe {
        let settings = Config::read(config)?;
        settings.engine()?;
        let gas = checked_gas(initial_gas)?;
        let mut regs = [0; PVM_REGISTER_COUNT];
        if !initial_regs.is_null() {
            regs.copy_from_slice(pointer::slice(initial_regs, PVM_REGISTER_COUNT, "the registers")?);
        }
        let (program, source) = module::from_parts(
            settings.instruction_set,
            (code, code_length),
            (bitmask, bitmask_length),
            (jump_table, jump_table_length),
        )?;
        let mut state =
            State::of_blueprint(settings, source, Blueprint { program, regs, gas, regions: Vec::new() });
        state.service_index = service_index;
        Ok(Vm::hand_out(state))
    })
}

/// Gas as the engine counts it.
pub(crate) fn checked_gas(gas: u64) -> Result<i64, Failure> {
    i64::try_from(gas).map_err(|_| Failure::argument(format!("{gas} gas: at most 2^63 - 1 is possible")))
}

/// Makes a VM of a module: registers zero, no gas, memory as the program declares it. Costs next to nothing, memory is shared until
/// it is written. *out becomes a handle that has to be destroyed by pvm_destroy; it is unchanged if this fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_instantiate(module: *const Module, out: *mut *mut Vm) -> Status {
    // SAFETY: as the header asks of callers.
    status::status(|| unsafe {
        let module = Module::of(module)?;
        let out = Place::new(out, "the place for the VM")?;
        let instance = module.engine.instantiate();
        out.put(Vm::hand_out(State::of_instance(module.settings, module.source.clone(), instance)));
        Ok(())
    })
}

/// Makes another VM in the same state, inner machines included, which shares all memory with the first until either writes it.
/// Callbacks and user data are the same; recordings and traces are not taken over. *out as in pvm_instantiate.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_fork(vm: *mut Vm, out: *mut *mut Vm) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            let out = Place::new(out, "the place for the VM")?;
            let mut instance = state.instance()?.fork();
            instance.set_pause(None);
            let mut fork = State::of_instance(state.settings, state.source.clone(), instance);
            fork.inner = state.inner.fork();
            fork.stop = state.stop;
            fork.is_ended = state.is_ended;
            fork.is_initializing = state.is_initializing;
            fork.callback = state.callback;
            fork.user_data = state.user_data;
            fork.service_index = state.service_index;
            fork.result_code = state.result_code;
            fork.copy_regions(state);
            out.put(Vm::hand_out(fork));
            Ok(())
        })
    }
}

/// Destroys a VM and all that belongs to it: inner machines, recordings, pointers it has given. Null does nothing. Called by a
/// callback of this VM, it ends the execution, which returns PVM_RESULT_ERROR; the callback must not use the VM any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_destroy(vm: *mut Vm) {
    if vm.is_null() {
        return;
    }
    // SAFETY: as the header asks of callers.
    let _ = status::status(|| unsafe { Vm::destroy(vm) });
}

/// Puts memory back to what it was after pvm_instantiate or pvm_set_memory_bounds, registers to zero and the pc to 0. Inner
/// machines are destroyed; gas, callbacks and user data stay. Takes time in proportion to the pages written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_reset(vm: *mut Vm) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            state.reset()?;
            state.note_reset();
            state.inner = InnerMachines::default();
            state.stop = Stop::Ready;
            state.is_ended = false;
            state.is_initializing = true;
            state.result_code = None;
            show_registers(vm, state);
            Ok(())
        })
    }
}

/// Lets other VMs have the window of address space that this one runs in, until it runs again. Not observable. For VMs that will
/// not run for a while.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_park(vm: *mut Vm) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            state.instance()?.park();
            Ok(())
        })
    }
}

/// Maps the four regions of a JAM program, each from its first address up to its end, in bytes, widened to whole pages; a region
/// whose end is its start is empty. rw and stack can be written, ro and output only be read by the program, whose arguments go to
/// output. All bytes are zero. The heap begins at the end of rw.
///
/// The order is ro, rw, stack, and rw begins at least 64 KiB behind the end of ro, rounded up to 64 KiB, as in JAM standard programs.
/// To be called before anything else is done with a VM of pvm_create; later it fails with PVM_STATUS_INVALID_STATE. What this
/// function cannot express, pvm_map can.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_set_memory_bounds(
    vm: *mut Vm,
    rw_addr: u32,
    rw_end: u32,
    ro_addr: u32,
    ro_end: u32,
    output_addr: u32,
    output_end: u32,
    stack_addr: u32,
    stack_end: u32,
) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            let (memory, regions) = layout(
                (rw_addr, rw_end),
                (ro_addr, ro_end),
                (output_addr, output_end),
                (stack_addr, stack_end),
            )?;
            let blueprint = state.blueprint().ok_or_else(|| {
                Failure::state("pvm_set_memory_bounds comes directly after pvm_create: the VM has been used")
            })?;
            let before = blueprint.clone();
            blueprint.program.memory = memory;
            blueprint.regions = regions;
            // So that what does not fit is known now.
            let built = state.instance().map(drop);
            if built.is_err()
                && let Some(blueprint) = state.blueprint()
            {
                *blueprint = before;
            }
            built
        })
    }
}

/// Sets what host calls are answered by; null: pvm_execute returns at each.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_set_host_callback(vm: *mut Vm, callback: HostCallback) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            state.callback = callback;
            Ok(())
        })
    }
}

/// Keeps a pointer for the callbacks, which the library does not follow.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_set_user_data(vm: *mut Vm, user_data: *mut c_void) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            state.user_data = user_data;
            Ok(())
        })
    }
}

/// The pointer of pvm_set_user_data; null at first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_get_user_data(vm: *mut Vm) -> *mut c_void {
    // SAFETY: as the header asks of callers.
    unsafe { vm::value(vm, core::ptr::null_mut(), |state| Ok(state.user_data)) }
}

/// The service index that the VM was created with, 0 for those of a module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_get_service_index(vm: *mut Vm) -> u32 {
    // SAFETY: as the header asks of callers.
    unsafe { vm::value(vm, 0, |state| Ok(state.service_index)) }
}

/// The text of the last function that failed with this VM; empty if none has. Valid until the next function fails with it. If that was
/// on this thread, and because another was using the VM, or if the VM itself is unusable: as pvm_last_error. Never null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_error(vm: *mut Vm) -> *const c_char {
    // SAFETY: as the header asks of callers.
    let text = unsafe { Vm::of(vm) }.and_then(Vm::error);
    text.unwrap_or_else(|failure| {
        status::remember(&failure);
        status::pvm_last_error()
    })
}
