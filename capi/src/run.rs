//! Executing.

use std::sync::atomic::Ordering;

use core::ffi::c_int;

use hatchery_engine::{Exit, Pause, ProgramCounter};

use crate::constants::*;
use crate::pointer;
use crate::registers::show_registers;
use crate::status::{self, Failure};
use crate::trace::{Announcement, PVM_TRACE_NONE, Voice};
use crate::vm::{self, Executing, HostCallback, State, Stop, Vm};

/// Executes from `entry_point`, an offset into the code, with registers and memory as they are, until something stops it that no
/// callback answers. Gives one of PVM_RESULT_*.
///
/// Host calls are answered by the callback. If there is none, or is_child is not 0, as for a machine whose host calls are its
/// parent's to answer, the execution returns PVM_RESULT_HOST_CALL. After that, and after PVM_RESULT_OOG, PVM_RESULT_FAULT and
/// PVM_RESULT_PAUSED, pvm_resume goes on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_execute(vm: *mut Vm, entry_point: u32, is_child: u32) -> ExecutionResult {
    // SAFETY: as the header asks of callers.
    unsafe {
        drive(vm, is_child == 0, |state| {
            state.instance()?.set_pc(ProgramCounter(entry_point));
            state.result_code = None;
            state.is_ended = false;
            state.record_resumption();
            Ok(())
        })
    }
}

/// Goes on where the last execution stopped, or begins at the pc that pvm_prepare, pvm_prepare_standard or pvm_set_pc has set. As
/// pvm_execute, with the callback if there is one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_resume(vm: *mut Vm) -> ExecutionResult {
    // SAFETY: as the header asks of callers.
    unsafe { drive(vm, true, resume) }
}

/// As pvm_resume, but returns at host calls even if there is a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_resume_child(vm: *mut Vm) -> ExecutionResult {
    // SAFETY: as the header asks of callers.
    unsafe { drive(vm, false, resume) }
}

fn resume(state: &mut State) -> Result<(), Failure> {
    if !state.can_resume()? {
        return Err(Failure::state(match state.stop {
            Stop::Panic(_) => "the program has panicked: it cannot go on",
            Stop::Halt => "the program has halted: it cannot go on",
            _ => "there is nothing to go on with: call pvm_execute, pvm_prepare or pvm_set_pc first",
        }));
    }
    state.is_ended = false;
    state.record_resumption();
    Ok(())
}

/// Executes one instruction, under the same rules of gas: where blocks are charged, entering one charges all of it. Gives
/// PVM_RESULT_PAUSED if nothing else stopped it; pvm_get_pc is then the next instruction. Callbacks are not called.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_step(vm: *mut Vm) -> ExecutionResult {
    // SAFETY: as the header asks of callers.
    let result = status::catch(|| unsafe {
        let executing = Vm::hold(vm)?.begin_execution()?;
        executing.0.locked(|state| {
            resume(state)?;
            let exit = state.instance()?.step()?;
            state.stopped(vm, exit);
            Ok(state.stop.result())
        })
    });
    report(result)
}

/// Makes the execution of this VM, on whichever thread, return PVM_RESULT_PAUSED at the end of the block that it is executing, or the
/// next execution after one block. The VM must have been made interruptible and must not be destroyed meanwhile. For other
/// threads and signal handlers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_interrupt(vm: *mut Vm) -> Status {
    // SAFETY: as the header asks of callers.
    match unsafe { Vm::find(vm) } {
        Ok(vm) => {
            vm.pause.raise();
            PVM_STATUS_OK
        }
        // Nothing is said, which would allocate.
        Err(status) => status,
    }
}

/// Whether pvm_interrupt has an effect: not 0 if so. At first it has none, since looking for it takes some time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_set_interruptible(vm: *mut Vm, enable: c_int) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            let pause = &(*vm).pause;
            pause.lower();
            state.pause = (enable != 0).then(|| pause.clone());
            let pause = state.pause.clone();
            state.instance()?.set_pause(pause);
            Ok(())
        })
    }
}

/// Prepares a call: the pc, the stack pointer at the top of the stack, the return address such that returning halts, up to nine
/// arguments in registers 7 to 12 and 2 to 4, all others zero. Memory stays as it is. pvm_resume executes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_prepare(vm: *mut Vm, pc: u32, arguments: *const u64, count: usize) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            let arguments = pointer::slice(arguments, count, "the arguments")?;
            state.instance()?.prepare_at(ProgramCounter(pc), arguments)?;
            state.prepared(vm);
            Ok(())
        })
    }
}

/// Prepares a JAM standard program as the Gray Paper's Y does: as pvm_prepare, with the arguments in memory, their address in
/// register 7 and their length in register 8. Memory stays as it is otherwise. Its entry points are 0 (is_authorized, refine)
/// and 5 (accumulate). pvm_resume executes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_prepare_standard(
    vm: *mut Vm,
    pc: u32,
    arguments: *const u8,
    length: usize,
) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            let arguments = pointer::slice(arguments, length, "the arguments")?;
            state.instance()?.prepare_standard(ProgramCounter(pc), arguments)?;
            let space = state.instance()?.module().memory_map().auxiliary();
            state.note_arguments(space.start, space.end, arguments);
            state.prepared(vm);
            Ok(())
        })
    }
}

impl State {
    /// Whether there is something to go on with.
    pub(crate) fn can_resume(&mut self) -> Result<bool, Failure> {
        Ok(self.instance()?.is_prepared())
    }

    /// Lets the program panic at its host call.
    pub(crate) fn refuse_host_call(&mut self) -> Result<(), Failure> {
        self.instance()?.abort();
        self.stop = Stop::Panic(None);
        self.is_ended = true;
        Ok(())
    }

    /// Takes note that there is something new to execute.
    ///
    /// # Safety
    /// As for [`show_registers`].
    unsafe fn prepared(&mut self, vm: *const Vm) {
        self.stop = Stop::Ready;
        self.is_ended = false;
        self.result_code = None;
        // SAFETY: as the caller says.
        unsafe { show_registers(vm, self) };
    }

    /// Takes note of why the program stopped.
    ///
    /// # Safety
    /// As for [`show_registers`].
    #[inline]
    unsafe fn stopped(&mut self, vm: *const Vm, exit: Exit) {
        self.note_exit(exit);
        self.record_stop();
        // SAFETY: as the caller says.
        unsafe { show_registers(vm, self) };
    }
}

/// What to do next, while the VM is not locked.
enum Next {
    Return(ExecutionResult),
    Answer(unsafe extern "C" fn(vm: *mut Vm, func_id: c_int) -> HostResult, u32),
    Announce(Box<Announcement>),
}

/// What came of a part of an execution: what to do next, and what to say before.
struct Part {
    next: Next,
    said: Option<(Voice, String)>,
}

/// Executes, and has host calls answered, until something stops it.
///
/// # Safety
/// As for [`Vm::of`].
unsafe fn drive(
    vm: *mut Vm,
    with_callback: bool,
    begin: impl FnOnce(&mut State) -> Result<(), Failure>,
) -> ExecutionResult {
    // SAFETY: as the caller says.
    let result = status::catch(|| unsafe {
        let executing = Vm::hold(vm)?.begin_execution()?;
        Execution { executing, vm, with_callback }.drive(begin)
    });
    report(result)
}

struct Execution {
    executing: Executing,
    vm: *mut Vm,
    with_callback: bool,
}

impl Execution {
    /// # Safety
    /// The handle must be that of the VM that is held.
    unsafe fn drive(
        &self,
        begin: impl FnOnce(&mut State) -> Result<(), Failure>,
    ) -> Result<ExecutionResult, Failure> {
        let vm = self.vm;
        let held = &self.executing.0;
        let mut part = held.locked(|state| {
            begin(state)?;
            // SAFETY: this is the state of that VM, here and below.
            unsafe { self.advance(state) }
        })?;
        loop {
            if let Some((voice, line)) = part.said {
                // SAFETY: the VM is alive and not locked.
                unsafe { voice.say(vm, &line) };
                self.is_alive()?;
            }
            part = match part.next {
                Next::Return(result) => return Ok(result),
                Next::Answer(callback, number) => {
                    // SAFETY: the user has given this function, the VM is alive and not locked.
                    let answer = unsafe { callback(vm, number as c_int) };
                    self.is_alive()?;
                    // SAFETY: as above.
                    held.locked(|state| unsafe { self.after_answer(state, answer) })?
                }
                Next::Announce(announcement) => {
                    // SAFETY: the VM is alive and not locked.
                    let goes_on = unsafe { announcement.make(vm) };
                    self.is_alive()?;
                    // SAFETY: as above.
                    held.locked(|state| unsafe { self.after_announcement(state, goes_on) })?
                }
            };
        }
    }

    /// A callback may have destroyed the VM.
    fn is_alive(&self) -> Result<(), Failure> {
        if self.executing.0.is_destroyed.load(Ordering::Acquire) {
            return Err(Failure::state("a callback has destroyed the VM"));
        }
        Ok(())
    }

    /// Runs up to the next stop, or to what has to be announced first.
    ///
    /// # Safety
    /// As for [`show_registers`].
    #[inline]
    unsafe fn advance(&self, state: &mut State) -> Result<Part, Failure> {
        if state.watch.unit() != PVM_TRACE_NONE {
            state.record_announcement();
            return Ok(Part { next: Next::Announce(Box::new(Announcement::new(state)?)), said: None });
        }
        let exit = state.instance()?.run()?;
        // SAFETY: as the caller says.
        unsafe { self.stopped(state, exit) }
    }

    /// Executes what was announced.
    ///
    /// # Safety
    /// As for [`show_registers`].
    unsafe fn after_announcement(&self, state: &mut State, goes_on: bool) -> Result<Part, Failure> {
        state.record_announced();
        if !goes_on {
            // SAFETY: as the caller says.
            return unsafe { self.stopped(state, Exit::Paused) };
        }
        // The callback may have switched tracing off, or to something else.
        let unit = state.watch.unit();
        let exit = if unit == PVM_TRACE_NONE { state.instance()?.run()? } else { state.run_unit(unit)?? };
        let is_interrupted = state.pause.as_ref().is_some_and(Pause::is_raised);
        if exit == Exit::Paused && unit != PVM_TRACE_NONE && !is_interrupted {
            // SAFETY: as the caller says.
            unsafe { show_registers(self.vm, state) };
            // SAFETY: as the caller says.
            return unsafe { self.advance(state) };
        }
        // SAFETY: as the caller says.
        unsafe { self.stopped(state, exit) }
    }

    /// Takes note of a stop.
    ///
    /// # Safety
    /// As for [`show_registers`].
    #[inline]
    unsafe fn stopped(&self, state: &mut State, exit: Exit) -> Result<Part, Failure> {
        // SAFETY: as the caller says.
        unsafe { state.stopped(self.vm, exit) };
        if exit == Exit::Paused {
            self.executing.0.pause.lower();
        }
        let said = if state.watch.is_logging { Some((state.watch.voice, state.stop_line())) } else { None };
        let next = match (exit, state.callback) {
            (Exit::Syscall(number), Some(callback)) if self.with_callback => Next::Answer(callback, number),
            _ => Next::Return(state.stop.result()),
        };
        Ok(Part { next, said })
    }

    /// Goes on as the callback wants.
    ///
    /// # Safety
    /// As for [`show_registers`].
    unsafe fn after_answer(&self, state: &mut State, answer: HostResult) -> Result<Part, Failure> {
        match answer {
            PVM_HOST_CONTINUE => {
                state.record_resumption();
                // SAFETY: as the caller says.
                return unsafe { self.advance(state) };
            }
            PVM_HOST_TERMINATE => {}
            PVM_HOST_ERROR => {
                state.refuse_host_call()?;
                state.record_stop();
            }
            other => {
                let text = format!("the host callback returned {other}, which is no PVM_HOST_*");
                return Err(Failure::argument(text));
            }
        }
        state.is_ended = true;
        Ok(Part { next: Next::Return(state.stop.result()), said: None })
    }
}

fn report(result: Result<ExecutionResult, Failure>) -> ExecutionResult {
    result.unwrap_or_else(|failure| {
        status::remember(&failure);
        PVM_RESULT_ERROR
    })
}

// The callback's type is what the header shows; it is the one above behind an option.
const _: fn(unsafe extern "C" fn(*mut Vm, c_int) -> HostResult) -> HostCallback = Some;
