//! Registers, gas, pc, and what the last execution came to.

use core::ffi::{c_char, c_int};

use hatchery_engine::{ProgramCounter, Reg};

use crate::constants::*;
use crate::lifecycle;
use crate::pointer::{self, Place};
use crate::status::{self, Failure};
use crate::vm::{self, State, Stop, Vm};

/// What the last execution came to.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExitInfo {
    /// One of PVM_RESULT_*; PVM_RESULT_ERROR if nothing has been executed.
    pub result: ExecutionResult,
    /// One of PVM_STATE_*.
    pub machine_state: u32,
    /// The number of the host call, if it is at one, as pvm_get_host_call gives it.
    pub host_call: u32,
    /// The instruction at which it stopped.
    pub pc: u32,
    /// The gas that is left.
    pub gas: u64,
    /// 1 if there is an address that could not be accessed or jumped to.
    pub has_address: u32,
    /// That address; the first byte of the access that lies in a page that does not allow it.
    pub address: u32,
    /// The start of the page to map, if it is at a page fault.
    pub page_address: u32,
    /// 1 if the page is mapped but must not be written, if it is at a page fault.
    pub is_write_protected: u32,
    /// Why it panicked: one of PVM_TRAP_*; PVM_TRAP_NONE if it did not.
    pub trap: u32,
    /// 1 if pvm_resume can go on.
    pub can_resume: u32,
}

/// It did not panic.
pub const PVM_TRAP_NONE: u32 = 0xffff_ffff;
/// A trap instruction.
pub const PVM_TRAP_TRAP: u32 = 0;
/// No instruction of the instruction set.
pub const PVM_TRAP_INVALID_INSTRUCTION: u32 = 1;
/// Execution ran off the end of the code.
pub const PVM_TRAP_CODE_END: u32 = 2;
/// An access below 0x10000.
pub const PVM_TRAP_LOW_ADDRESS: u32 = 3;
/// An access to memory that is not mapped.
pub const PVM_TRAP_UNMAPPED: u32 = 4;
/// A write to read-only memory.
pub const PVM_TRAP_READ_ONLY: u32 = 5;
/// An indirect jump through an address without a jump target.
pub const PVM_TRAP_INVALID_INDIRECT_JUMP: u32 = 6;
/// A jump to what is no start of a block.
pub const PVM_TRAP_INVALID_JUMP: u32 = 7;
/// The execution was started where no instruction starts.
pub const PVM_TRAP_INVALID_ENTRY: u32 = 8;
/// A host callback said PVM_HOST_ERROR.
pub const PVM_TRAP_HOST: u32 = 100;

fn register(index: c_int) -> Result<Reg, Failure> {
    let number = u8::try_from(index).ok();
    number
        .and_then(Reg::new)
        .ok_or_else(|| Failure::argument(format!("register {index}: they are numbered from 0 to 12")))
}

/// A register; 0 on failure. Registers of 32 bits are zero-extended.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_get_register(vm: *mut Vm, index: c_int) -> u64 {
    // SAFETY: as the header asks of callers.
    unsafe { vm::value(vm, 0, |state| Ok(state.reg(register(index)?))) }
}

/// Sets a register. Of registers of 32 bits only the low half of the value counts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_set_register(vm: *mut Vm, index: c_int, value: u64) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            let reg = register(index)?;
            state.set_reg(reg, value);
            show_registers(vm, state);
            Ok(())
        })
    }
}

/// A pointer to the 13 registers, to be read, as they are at each stop and after each function that sets them; null on failure.
/// Valid until the VM is destroyed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_get_registers(vm: *mut Vm) -> *const u64 {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::value(vm, core::ptr::null(), |state| {
            state.registers_are_shown = true;
            show_registers(vm, state);
            Ok((*vm).registers.get().cast::<u64>().cast_const())
        })
    }
}

/// Brings the copy of the registers that C has a pointer to up to date.
///
/// # Safety
/// The handle must be that of the VM whose state this is, which is locked.
#[inline]
pub(crate) unsafe fn show_registers(vm: *const Vm, state: &State) {
    if state.registers_are_shown {
        // SAFETY: the copy is written under the lock only, and C is told when.
        unsafe { (*vm).registers.get().write(Reg::ALL.map(|reg| state.reg(reg))) };
    }
}

/// Copies the 13 registers to where `registers` points.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_read_registers(vm: *mut Vm, registers: *mut u64) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            let into = pointer::slice_mut(registers, PVM_REGISTER_COUNT, "the place for the registers")?;
            into.copy_from_slice(&Reg::ALL.map(|reg| state.reg(reg)));
            Ok(())
        })
    }
}

/// Sets the 13 registers to what `registers` points to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_write_registers(vm: *mut Vm, registers: *const u64) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            let from = pointer::slice(registers, PVM_REGISTER_COUNT, "the registers")?;
            for (reg, &value) in Reg::ALL.into_iter().zip(from) {
                state.set_reg(reg, value);
            }
            show_registers(vm, state);
            Ok(())
        })
    }
}

/// The gas that is left; 0 on failure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_get_gas(vm: *mut Vm) -> u64 {
    // SAFETY: as the header asks of callers.
    unsafe { vm::value(vm, 0, |state| Ok(gas_left(state))) }
}

/// Sets the gas that is left, at most 2^63 - 1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_set_gas(vm: *mut Vm, gas: u64) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            state.set_gas(lifecycle::checked_gas(gas)?);
            Ok(())
        })
    }
}

/// What is left of the gas, which is never below zero: what is missing is not charged.
pub(crate) fn gas_left(state: &State) -> u64 {
    u64::try_from(state.gas()).unwrap_or(0)
}

/// The instruction at which it stopped, or where pvm_resume will begin; 0 on failure. After a host call it is that of the host
/// call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_get_pc(vm: *mut Vm) -> u32 {
    // SAFETY: as the header asks of callers.
    unsafe { vm::value(vm, 0, State::pc) }
}

/// Makes pvm_resume begin at `pc`, with registers and memory as they are. Where gas is charged by the block, the block that it lies
/// in is charged in full then. Where no instruction starts, executing panics.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_set_pc(vm: *mut Vm, pc: u32) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            state.instance()?.set_pc(ProgramCounter(pc));
            state.is_ended = false;
            Ok(())
        })
    }
}

/// Why the last execution stopped: one of PVM_STATE_*, of which the first five are the Gray Paper's. PVM_STATE_INVALID on failure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_get_machine_state(vm: *mut Vm) -> u8 {
    // SAFETY: as the header asks of callers.
    unsafe { vm::value(vm, PVM_STATE_INVALID, |state| Ok(state.stop.machine_state())) }
}

/// The work-digest code of the last execution, one of PVM_WORKDIGEST_*, unless pvm_set_result_code has set another: OK if it
/// halted, OOG if it ran out of gas, PANIC if it panicked or faulted. OK if nothing has been executed; -1 on failure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_get_result_code(vm: *mut Vm) -> c_int {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::value(vm, -1, |state| {
            Ok(state.result_code.unwrap_or(match state.stop {
                Stop::OutOfGas => PVM_WORKDIGEST_OOG,
                Stop::Panic(_) | Stop::Fault(_) => PVM_WORKDIGEST_PANIC,
                Stop::Ready | Stop::Halt | Stop::Host(_) | Stop::Paused => PVM_WORKDIGEST_OK,
            }))
        })
    }
}

/// Sets what pvm_get_result_code gives, until the next pvm_execute: the codes beyond PANIC are found out by the embedder.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_set_result_code(vm: *mut Vm, code: c_int) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            state.result_code = Some(code);
            Ok(())
        })
    }
}

/// 1 if the last execution has ended: halted, panicked, faulted, out of gas, or terminated by a callback. 0 if not, and at a host
/// call or pause; 1 on failure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_is_terminated(vm: *mut Vm) -> c_int {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::value(vm, 1, |state| {
            let goes_on = matches!(state.stop, Stop::Ready | Stop::Host(_) | Stop::Paused);
            Ok(c_int::from(state.is_ended || !goes_on))
        })
    }
}

/// The number of the host call at which it is; 0 if it is at none. These are the low 32 bits of what ecalli has, which the Gray Paper
/// sign-extends to 64: (uint64_t)(int32_t)pvm_get_host_call(vm) is its number. None of its host calls has one that this changes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_get_host_call(vm: *mut Vm) -> u32 {
    // SAFETY: as the header asks of callers.
    unsafe { vm::value(vm, 0, |state| Ok(if let Stop::Host(number) = state.stop { number } else { 0 })) }
}

/// The address of the page to map if it is at a page fault, as the Gray Paper's FAULT has it; 0 otherwise. pvm_get_exit has the
/// address itself.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_get_fault_address(vm: *mut Vm) -> u32 {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::value(vm, 0, |state| Ok(if let Stop::Fault(fault) = state.stop { fault.page_address } else { 0 }))
    }
}

/// What the last execution came to, all at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_get_exit(vm: *mut Vm, exit: *mut ExitInfo) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            let exit = Place::new(exit, "the place for the exit")?;
            let stop = state.stop;
            let (trap, address) = match stop {
                Stop::Panic(Some(trap)) => (trap.kind as u32, trap.address),
                Stop::Panic(None) => (PVM_TRAP_HOST, None),
                Stop::Fault(fault) => (PVM_TRAP_NONE, Some(fault.address)),
                _ => (PVM_TRAP_NONE, None),
            };
            let fault = if let Stop::Fault(fault) = stop { Some(fault) } else { None };
            exit.put(ExitInfo {
                result: stop.result(),
                machine_state: stop.machine_state().into(),
                host_call: if let Stop::Host(number) = stop { number } else { 0 },
                pc: state.pc()?,
                gas: gas_left(state),
                has_address: address.is_some().into(),
                address: address.unwrap_or(0),
                page_address: fault.map_or(0, |fault| fault.page_address),
                is_write_protected: fault.is_some_and(|fault| fault.write_protected).into(),
                trap,
                can_resume: state.can_resume()?.into(),
            });
            Ok(())
        })
    }
}

/// The name of a register, such as "a0"; null if there is none of this number. Valid for ever.
#[unsafe(no_mangle)]
pub extern "C" fn pvm_register_name(index: c_int) -> *const c_char {
    const NAMES: [&core::ffi::CStr; PVM_REGISTER_COUNT] =
        [c"ra", c"sp", c"t0", c"t1", c"t2", c"s0", c"s1", c"a0", c"a1", c"a2", c"a3", c"a4", c"a5"];
    status::value(core::ptr::null(), || Ok(NAMES[register(index)? as usize].as_ptr()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::ffi::CStr;

    #[test]
    fn names_are_the_engines() {
        for (index, reg) in Reg::ALL.into_iter().enumerate() {
            // SAFETY: the name is valid for ever and ends with a zero.
            let name = unsafe { CStr::from_ptr(pvm_register_name(index as c_int)) };
            assert_eq!(name.to_str(), Ok(reg.name()));
        }
        assert!(pvm_register_name(13).is_null());
        assert!(pvm_register_name(-1).is_null());
    }
}
