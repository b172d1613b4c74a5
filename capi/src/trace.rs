//! Watching an execution: instruction by instruction, block by block, or by its stops.

use core::ffi::{c_char, c_int, c_void};
use std::io::Write as _;

use hatchery_engine::{Exit, Pause, Reg, RunError};

use crate::constants::*;
use crate::module::instruction_text;
use crate::pointer::{self, Place};
use crate::registers;
use crate::status::c_text;
use crate::vm::{self, State, Stop, Vm};

/// Is given a line of text without an end of line, valid until it returns, and the pointer of pvm_set_log_callback. It can use the
/// VM as a host callback can.
pub type LogCallback = Option<unsafe extern "C" fn(vm: *mut Vm, text: *const c_char, user_data: *mut c_void)>;

/// Is called before an instruction or block is executed, with what is about to happen, valid until it returns, and the pointer of
/// pvm_set_trace_callback. It can use the VM as a host callback can. If it returns anything but 0 the execution returns
/// PVM_RESULT_PAUSED before that instruction or block.
pub type TraceCallback =
    Option<unsafe extern "C" fn(vm: *mut Vm, event: *const TraceEvent, user_data: *mut c_void) -> c_int>;

/// What is about to be executed.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TraceEvent {
    /// PVM_TRACE_INSTRUCTION or PVM_TRACE_BLOCK.
    pub unit: u32,
    /// Where the instruction or block starts, or goes on after a host call.
    pub pc: u32,
    /// The gas before it is charged, as far as it has to be.
    pub gas: u64,
    /// The registers.
    pub registers: [u64; PVM_REGISTER_COUNT],
}

/// Nothing is traced.
pub const PVM_TRACE_NONE: u32 = 0;
/// Every instruction is traced. The execution is interpreted.
pub const PVM_TRACE_INSTRUCTION: u32 = 1;
/// Every basic block is traced, and what is left of one after a host call or page fault; where gas is charged by the instruction, every
/// instruction.
pub const PVM_TRACE_BLOCK: u32 = 2;

/// Where lines of text go.
#[derive(Clone, Copy, Default)]
pub(crate) struct Voice {
    callback: LogCallback,
    user_data: Option<*mut c_void>,
}

impl Voice {
    /// Says a line. The VM must not be locked.
    ///
    /// # Safety
    /// The handle must be that of a VM that is alive.
    #[cold]
    pub(crate) unsafe fn say(self, vm: *mut Vm, line: &str) {
        match self.callback {
            // A standard error that is closed loses the line: it is no reason to end the host, as `eprintln` does.
            None => drop(writeln!(std::io::stderr(), "pvm: {line}")),
            Some(callback) => {
                let text = c_text(line);
                let user_data = self.user_data.unwrap_or(core::ptr::null_mut());
                // SAFETY: the user has given this function for this.
                unsafe { callback(vm, text.as_ptr(), user_data) };
            }
        }
    }
}

/// What is watched.
#[derive(Clone, Copy, Default)]
pub(crate) struct Watch {
    pub(crate) voice: Voice,
    pub(crate) is_logging: bool,
    /// Every instruction as a line of text.
    is_tracing: bool,
    unit: u32,
    callback: TraceCallback,
    user_data: Option<*mut c_void>,
}

impl Watch {
    /// What is traced: the finer of what is said in text and what a callback wants.
    #[inline]
    pub(crate) fn unit(&self) -> u32 {
        if self.is_tracing { PVM_TRACE_INSTRUCTION } else { self.unit }
    }
}

/// Something that is about to be executed, and who wants to know.
pub(crate) struct Announcement {
    watch: Watch,
    event: TraceEvent,
    line: Option<String>,
}

impl Announcement {
    pub(crate) fn new(state: &mut State) -> Result<Self, crate::status::Failure> {
        let watch = state.watch;
        let pc = state.next_pc()?;
        let instance = state.instance()?;
        let line = watch.is_tracing.then(|| instruction_text(instance.module(), pc).0);
        let event = TraceEvent {
            unit: watch.unit(),
            pc,
            gas: registers::gas_left(state),
            registers: Reg::ALL.map(|reg| state.reg(reg)),
        };
        let line = line.map(|text| {
            let registers: String = Reg::ALL
                .iter()
                .zip(event.registers)
                .map(|(reg, value)| format!(" {reg}={value:#x}"))
                .collect();
            format!("pc={pc:#x} gas={} {text} |{registers}", event.gas)
        });
        Ok(Self { watch, event, line })
    }

    /// Tells who wants to know; gives whether to go on.
    ///
    /// # Safety
    /// As for [`Voice::say`].
    pub(crate) unsafe fn make(self, vm: *mut Vm) -> bool {
        if let Some(line) = self.line {
            // SAFETY: as the caller says.
            unsafe { self.watch.voice.say(vm, &line) };
        }
        match self.watch.callback {
            Some(callback) if self.watch.unit != PVM_TRACE_NONE => {
                let user_data = self.watch.user_data.unwrap_or(core::ptr::null_mut());
                // SAFETY: the user has given this function for this.
                unsafe { callback(vm, &self.event, user_data) == 0 }
            }
            _ => true,
        }
    }
}

impl State {
    /// Executes one instruction or block.
    pub(crate) fn run_unit(&mut self, unit: u32) -> Result<Result<Exit, RunError>, crate::status::Failure> {
        let pause = self.pause.clone();
        let instance = self.instance()?;
        if unit == PVM_TRACE_INSTRUCTION {
            return Ok(instance.step());
        }
        let always = Pause::new();
        always.raise();
        instance.set_pause(Some(always));
        let exit = instance.run();
        instance.set_pause(pause);
        Ok(exit)
    }

    /// The line that says why it stopped.
    pub(crate) fn stop_line(&mut self) -> String {
        let gas = registers::gas_left(self);
        let pc = self.pc().unwrap_or(0);
        let what = match self.stop {
            Stop::Ready => "not started".to_owned(),
            Stop::Halt => "halted".to_owned(),
            Stop::Panic(Some(trap)) => format!("panicked: {trap}"),
            Stop::Panic(None) => "panicked: the host wants it".to_owned(),
            Stop::Fault(fault) => format!("faulted at {:#010x}", fault.address),
            Stop::Host(number) => format!("host call {number}"),
            Stop::OutOfGas => "out of gas".to_owned(),
            Stop::Paused => "paused".to_owned(),
        };
        format!("{what} pc={pc:#x} gas={gas}")
    }
}

/// Whether every stop and every host call is said in a line of text: not 0 if so. Lines go to standard error, or to the callback of
/// pvm_set_log_callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_set_logging(vm: *mut Vm, enable: c_int) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            state.watch.is_logging = enable != 0;
            Ok(())
        })
    }
}

/// Whether every instruction is said in a line of text before it is executed: not 0 if so. Lines go where those of pvm_set_logging
/// go. Slow.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_set_tracing(vm: *mut Vm, enable: c_int) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            state.watch.is_tracing = enable != 0;
            Ok(())
        })
    }
}

/// Sets where lines of text go; null: standard error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_set_log_callback(
    vm: *mut Vm,
    callback: LogCallback,
    user_data: *mut c_void,
) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            state.watch.voice = Voice { callback, user_data: Some(user_data) };
            Ok(())
        })
    }
}

/// Sets what is called before each instruction or block, one of PVM_TRACE_*; null or PVM_TRACE_NONE: nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_set_trace_callback(
    vm: *mut Vm,
    unit: u32,
    callback: TraceCallback,
    user_data: *mut c_void,
) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            if unit > PVM_TRACE_BLOCK {
                return Err(crate::status::Failure::argument(format!("{unit} is no PVM_TRACE_*")));
            }
            state.watch.unit = if callback.is_some() { unit } else { PVM_TRACE_NONE };
            state.watch.callback = callback;
            state.watch.user_data = Some(user_data);
            Ok(())
        })
    }
}

/// Writes the line that pvm_set_logging would say of the last stop, such as "host call 7 pc=0x2 gas=95", and a zero behind it.
/// `text_length` as in pvm_module_disassemble.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_describe(
    vm: *mut Vm,
    text: *mut c_char,
    capacity: usize,
    text_length: *mut usize,
) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            let length = Place::optional(text_length, "the place for the length")?;
            let buffer = pointer::slice_mut(text.cast::<u8>(), capacity, "the place for the text")?;
            let line = state.stop_line();
            if let Some(length) = length {
                length.put(line.len());
            }
            crate::module::put_text(&line, buffer)
        })
    }
}
