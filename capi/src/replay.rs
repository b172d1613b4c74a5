//! Executing a recording again.

use core::ffi::c_char;

use hatchery_engine::{ProgramCounter, Reg};

use crate::constants::*;
use crate::jip6::{Bytes, Call, EndKind, Point, Trace};
use crate::pointer::{self, Place};
use crate::ram;
use crate::record;
use crate::registers;
use crate::status::Failure;
use crate::vm::{self, State, Stop, Vm};

/// Executes a recording again on a VM of the same program, newly made, with the pages mapped that the recording needs and the program
/// does not declare: sets registers, gas and pc, answers host calls as the recording says, lets the heap grow where it did, and
/// compares registers, gas, pc and what the host read at each of them, and the end. A PANIC that has the pc, the registers and the
/// gas of the last host call is one that its host wanted, as by PVM_HOST_ERROR. Callbacks are not called.
///
/// Fails with PVM_STATUS_DIFFERENCE at the first difference, and with PVM_STATUS_INVALID_ARGUMENT if the text is no recording; the text of
/// the error says what and where, and *line, which can be null, becomes the number of the line. The pc at HALT and PANIC is not
/// compared, since implementations differ there, nor is the program if the recording has none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_replay(
    vm: *mut Vm,
    text: *const c_char,
    length: usize,
    line: *mut u32,
) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            let line = Place::optional(line, "the place for the line")?;
            let bytes = pointer::text(text, length, "the recording")?;
            let text = core::str::from_utf8(bytes)
                .map_err(|error| Failure::argument(format!("the recording is no text: {error}")))?;
            let trace = Trace::parse(text)?;
            let result = replay(state, &trace);
            registers::show_registers(vm, state);
            result.map_err(|Difference { at, failure }| {
                if let Some(line) = line {
                    line.put(at);
                }
                failure
            })
        })
    }
}

/// Where a replay failed, and why.
struct Difference {
    at: u32,
    failure: Failure,
}

fn differs(
    at: u32,
    what: &str,
    actual: impl core::fmt::Display,
    recorded: impl core::fmt::Display,
) -> Difference {
    let text = format!("line {at} of the trace: {what} is {actual}, the trace says {recorded}");
    Difference { at, failure: Failure::new(PVM_STATUS_DIFFERENCE, text) }
}

fn replay(state: &mut State, trace: &Trace) -> Result<(), Difference> {
    if trace.program.as_ref().is_some_and(|program| **program != *state.source) {
        return Err(differs(1, "the program", "another", "that one"));
    }
    state.spoil_recording(record::WAS_REPLAYED);
    let start = trace.start;
    let failed = |at: u32| move |failure: Failure| Difference { at, failure };
    for write in &trace.prelude {
        write_before_start(state, write).map_err(failed(write.line))?;
    }
    let gas = crate::lifecycle::checked_gas(start.gas).map_err(failed(start.line))?;
    let instance = state.instance().map_err(failed(start.line))?;
    for (reg, value) in Reg::ALL.into_iter().zip(start.regs) {
        instance.set_reg(reg, value);
    }
    instance.set_gas(gas);
    instance.set_pc(ProgramCounter(start.pc));
    state.is_ended = false;

    for call in &trace.calls {
        run(state, call.at.line)?;
        let expected = format!("host call {}", call.number);
        if state.stop != Stop::Host(call.number) {
            return Err(differs(call.at.line, "the next stop", state.stop_line(), expected));
        }
        compare(state, &call.at, true)?;
        answer(state, call)?;
    }
    let Some(end) = trace.end else { return Ok(()) };
    if end.kind == EndKind::Panic
        && let Some(call) = trace.calls.last()
        && call.at.pc == end.at.pc
        && compare(state, &end.at, true).is_ok()
    {
        // A program does not panic at its host call: the host has refused it.
        return state.refuse_host_call().map_err(failed(end.at.line));
    }
    run(state, end.at.line)?;
    let is_same = match end.kind {
        EndKind::Halt => state.stop == Stop::Halt,
        EndKind::Panic => matches!(state.stop, Stop::Panic(_)),
        EndKind::OutOfGas => state.stop == Stop::OutOfGas,
        EndKind::Fault(address) => {
            matches!(state.stop, Stop::Fault(fault) if u64::from(fault.page_address) == address)
        }
    };
    if !is_same {
        return Err(differs(end.at.line, "the end", state.stop_line(), end.kind.name()));
    }
    compare(state, &end.at, !matches!(end.kind, EndKind::Halt | EndKind::Panic))
}

/// Everything goes to where it is, but arguments to where nothing is before.
fn write_before_start(state: &mut State, write: &Bytes) -> Result<(), Failure> {
    let instance = state.instance()?;
    let written = ram::initialize(instance, write.address, &write.bytes);
    let space = instance.module().memory_map().auxiliary();
    if written.is_err() && write.address == space.start && space.start < space.end {
        return Ok(instance.memory_mut().set_auxiliary(&write.bytes)?);
    }
    written
}

fn run(state: &mut State, line: u32) -> Result<(), Difference> {
    let failed = |failure| Difference { at: line, failure };
    let pause = state.pause.clone();
    let instance = state.instance().map_err(failed)?;
    // Interrupts would be differences.
    instance.set_pause(None);
    let exit = instance.run();
    instance.set_pause(pause);
    state.note_exit(exit.map_err(|error| failed(error.into()))?);
    Ok(())
}

fn compare(state: &mut State, recorded: &Point, with_pc: bool) -> Result<(), Difference> {
    let pc = state.instance().map_or(0, |instance| instance.pc().0);
    if with_pc && pc != recorded.pc {
        return Err(differs(recorded.line, "pc", pc, recorded.pc));
    }
    let gas = registers::gas_left(state);
    if gas != recorded.gas {
        return Err(differs(recorded.line, "gas", gas, recorded.gas));
    }
    for (index, (reg, recorded_value)) in Reg::ALL.into_iter().zip(recorded.regs).enumerate() {
        let value = state.reg(reg);
        if value != recorded_value {
            let name = format!("register r{index:02} ({reg})");
            return Err(differs(recorded.line, &name, format!("{value:#x}"), format!("{recorded_value:#x}")));
        }
    }
    Ok(())
}

fn answer(state: &mut State, call: &Call) -> Result<(), Difference> {
    // First: the host may have looked at the new memory, and written it.
    if let Some((line, end)) = call.heap {
        let instance = state.instance().map_err(|failure| Difference { at: line, failure })?;
        let top = instance.heap_top();
        let size = end.checked_sub(top);
        if size.and_then(|size| instance.memory_mut().grow_heap(size.into())).is_none() {
            let recorded = format!("{end:#x}, to where it cannot grow here");
            return Err(differs(line, "the end of the heap", format!("{top:#x}"), recorded));
        }
    }
    for read in &call.reads {
        let failed = |failure| Difference { at: read.line, failure };
        let mut bytes = vec![0; read.bytes.len()];
        let instance = state.instance().map_err(failed)?;
        if instance.memory().read(read.address, &mut bytes).is_err() {
            return Err(differs(read.line, "memory", "not mapped", "that the host read it"));
        }
        if let Some(at) = bytes.iter().zip(&read.bytes).position(|(actual, recorded)| actual != recorded) {
            let name = format!("memory at {:#010x}", u64::from(read.address) + at as u64);
            let show = |byte: u8| format!("{byte:#04x}");
            return Err(differs(read.line, &name, show(bytes[at]), show(read.bytes[at])));
        }
    }
    for write in &call.writes {
        let failed = |failure| Difference { at: write.line, failure };
        let instance = state.instance().map_err(failed)?;
        if instance.memory_mut().write(write.address, &write.bytes).is_err() {
            return Err(differs(write.line, "memory", "not writable", "that the host wrote it"));
        }
    }
    for &(index, value) in &call.regs {
        state.set_reg(Reg::ALL[index], value);
    }
    if let Some(gas) = call.gas {
        state.set_gas(
            crate::lifecycle::checked_gas(gas).map_err(|failure| Difference { at: call.at.line, failure })?,
        );
    }
    Ok(())
}
