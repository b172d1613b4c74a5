//! Recording what a host does, and executing a recording again.

use core::ffi::c_char;
use std::fmt::Write as _;

use hatchery_engine::{ProgramCounter, Reg};

use crate::constants::*;
use crate::jip6::{self, Bytes, Call, EndKind, Point, Trace};
use crate::pointer::{self, Place};
use crate::ram;
use crate::registers;
use crate::status::Failure;
use crate::vm::{self, State, Stop, Vm};

/// What has been recorded.
pub(crate) struct Recorder {
    text: String,
    limit: usize,
    is_started: bool,
    /// What the host has done since the last stop.
    actions: Actions,
    /// Registers and gas at the last host call, if it is at one.
    at_call: Option<([u64; PVM_REGISTER_COUNT], u64)>,
    end: Option<String>,
    /// Why the recording cannot be used.
    problem: Option<&'static str>,
}

#[derive(Default)]
struct Actions {
    reads: Vec<(u32, Vec<u8>)>,
    writes: Vec<(u32, Vec<u8>)>,
    size: usize,
}

impl Actions {
    fn note(
        list: &mut Vec<(u32, Vec<u8>)>,
        size: &mut usize,
        limit: usize,
        address: u32,
        bytes: &[u8],
    ) -> bool {
        *size += bytes.len() * 2 + 64;
        let fits = *size <= limit;
        if fits {
            list.push((address, bytes.to_vec()));
        }
        fits
    }

    /// In the order of addresses, but as it was done where that matters.
    fn sorted(list: &[(u32, Vec<u8>)]) -> Vec<&(u32, Vec<u8>)> {
        let mut sorted: Vec<_> = list.iter().collect();
        sorted.sort_by_key(|(address, _)| *address);
        let end = |(address, bytes): &(u32, Vec<u8>)| u64::from(*address) + bytes.len() as u64;
        let overlaps = sorted.windows(2).any(|pair| end(pair[0]) > u64::from(pair[1].0));
        if overlaps { list.iter().collect() } else { sorted }
    }
}

const TOO_LONG: &str = "it is longer than its limit";

impl Recorder {
    fn new(program: &[u8], limit: usize) -> Self {
        let mut text = "program 0x".to_owned();
        let problem = if program.len() * 2 > limit { Some(TOO_LONG) } else { None };
        if problem.is_none() {
            jip6::write_hex(&mut text, program);
        }
        text.push('\n');
        Self {
            text,
            limit,
            is_started: false,
            actions: Actions::default(),
            at_call: None,
            end: None,
            problem,
        }
    }

    fn note_read(&mut self, address: u32, bytes: &[u8]) {
        // What is read before the start or after the end tells nothing about the execution.
        if self.at_call.is_some() {
            let Actions { reads, size, .. } = &mut self.actions;
            if !Actions::note(reads, size, self.limit, address, bytes) {
                self.problem = Some(TOO_LONG);
            }
        }
    }

    fn note_write(&mut self, address: u32, bytes: &[u8]) {
        let Actions { writes, size, .. } = &mut self.actions;
        if !Actions::note(writes, size, self.limit, address, bytes) {
            self.problem = Some(TOO_LONG);
        }
    }

    /// What the host has done, as text.
    fn actions(&self, regs: &[u64; PVM_REGISTER_COUNT], gas: u64) -> String {
        let mut text = String::new();
        for (address, bytes) in Actions::sorted(&self.actions.reads) {
            jip6::write_bytes(&mut text, "memread", "->", *address, bytes);
        }
        for (address, bytes) in Actions::sorted(&self.actions.writes) {
            jip6::write_bytes(&mut text, "memwrite", "<-", *address, bytes);
        }
        if let Some((before, gas_before)) = &self.at_call {
            for (index, (before, after)) in before.iter().zip(regs).enumerate() {
                if before != after {
                    // Writing to a string does not fail, here and below.
                    let _ = writeln!(text, "setreg r{index:02} <- {after:#x}");
                }
            }
            if *gas_before != gas {
                let _ = writeln!(text, "setgas <- {gas}");
            }
        }
        text
    }
}

impl State {
    fn recorded_registers(&self) -> [u64; PVM_REGISTER_COUNT] {
        Reg::ALL.map(|reg| self.reg(reg))
    }

    /// Takes note of what the host reads.
    #[inline]
    pub(crate) fn note_read(&mut self, address: u32, bytes: &[u8]) {
        if let Some(recorder) = &mut self.recorder {
            recorder.note_read(address, bytes);
        }
    }

    /// Takes note of what the host writes.
    #[inline]
    pub(crate) fn note_write(&mut self, address: u32, bytes: &[u8]) {
        if let Some(recorder) = &mut self.recorder {
            recorder.note_write(address, bytes);
        }
    }

    /// Takes note that the execution begins or goes on.
    #[inline]
    pub(crate) fn record_resumption(&mut self, is_at_new_pc: bool) {
        if self.recorder.is_some() {
            self.record_resumption_now(is_at_new_pc);
        }
    }

    #[cold]
    fn record_resumption_now(&mut self, is_at_new_pc: bool) {
        let (regs, gas) = (self.recorded_registers(), registers::gas_left(self));
        let pc = self.instance().map_or(0, |instance| instance.pc().0);
        let stop = self.stop;
        let Some(recorder) = &mut self.recorder else { return };
        let actions = recorder.actions(&regs, gas);
        recorder.text.push_str(&actions);
        if !recorder.is_started {
            recorder.is_started = true;
            recorder.text.push_str("start ");
            jip6::write_point(&mut recorder.text, pc, gas, &regs);
        } else if is_at_new_pc || recorder.end.is_some() {
            recorder.problem = Some("the execution went on where the format cannot say it");
        } else if stop == Stop::Paused && !recorder.actions.writes.is_empty() {
            recorder.problem = Some("memory was written at a pause, which the format cannot say");
        }
        recorder.actions = Actions::default();
        recorder.at_call = None;
        if recorder.text.len() > recorder.limit {
            recorder.problem = Some(TOO_LONG);
        }
    }

    /// Takes note of a stop.
    #[inline]
    pub(crate) fn record_stop(&mut self) {
        if self.recorder.is_some() {
            self.record_stop_now();
        }
    }

    #[cold]
    fn record_stop_now(&mut self) {
        let (regs, gas) = (self.recorded_registers(), registers::gas_left(self));
        let pc = self.instance().map_or(0, |instance| instance.pc().0);
        let stop = self.stop;
        let Some(recorder) = &mut self.recorder else { return };
        let end = match stop {
            Stop::Host(number) => {
                let _ = write!(recorder.text, "\necalli={number} ");
                jip6::write_point(&mut recorder.text, pc, gas, &regs);
                recorder.at_call = Some((regs, gas));
                return;
            }
            Stop::Ready | Stop::Paused => return,
            Stop::Halt => "HALT ".to_owned(),
            Stop::Panic(trap) => format!("PANIC={} ", trap.map_or(0, |trap| trap.kind as u8)),
            Stop::Fault(fault) => format!("FAULT={} ", fault.page_address),
            Stop::OutOfGas => "OOG ".to_owned(),
        };
        let mut line = format!("\n{end}");
        jip6::write_point(&mut line, pc, gas, &regs);
        recorder.end = Some(line);
    }

    /// The recording up to now.
    fn recording(&self) -> Result<String, Failure> {
        let recorder = self.recorder.as_ref().ok_or_else(|| Failure::state("nothing is being recorded"))?;
        if let Some(problem) = recorder.problem {
            return Err(Failure::state(format!("the recording cannot be used: {problem}")));
        }
        let actions = recorder.actions(&self.recorded_registers(), registers::gas_left(self));
        let end = recorder.end.as_deref().unwrap_or("");
        Ok(format!("{}{}{end}", recorder.text, if recorder.is_started { &actions } else { "" }))
    }
}

/// Records host calls from the next execution on as text, as JIP-6 has them: the program, what pvm_prepare_standard and
/// pvm_write_memory and its kin put into memory before, registers and gas at each host call, what the host read, wrote and set. At
/// most `limit` bytes. What was recorded before is lost.
///
/// The format knows nothing of pages that are mapped, nor of going on after a fault or out of gas: pvm_record_read fails then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_record_start(vm: *mut Vm, limit: usize) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            state.recorder = Some(Box::new(Recorder::new(&state.source, limit)));
            Ok(())
        })
    }
}

/// Stops recording and forgets what was recorded.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_record_stop(vm: *mut Vm) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            state.recorder = None;
            Ok(())
        })
    }
}

/// Writes what has been recorded, and a zero behind it. *length becomes the length without the zero; if `capacity` is less than that
/// plus one this fails with PVM_STATUS_BUFFER_TOO_SMALL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_record_read(
    vm: *mut Vm,
    text: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            let length = Place::new(length, "the place for the length")?;
            let buffer = pointer::slice_mut(text.cast::<u8>(), capacity, "the place for the text")?;
            let recording = state.recording()?;
            length.put(recording.len());
            crate::module::put_text(&recording, buffer)
        })
    }
}

/// Executes a recording again on a VM of the same program, newly made, with the pages mapped that the recording needs and the program
/// does not declare: sets registers, gas and pc, answers host calls as the recording says, and compares registers, gas, pc and
/// what the host read at each of them, and the end. Callbacks are not called.
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

/// Arguments go to where the program cannot write, everything else to where it is.
fn write_before_start(state: &mut State, write: &Bytes) -> Result<(), Failure> {
    let instance = state.instance()?;
    let space = instance.module().memory_map().auxiliary();
    if write.address == space.start && space.start < space.end {
        return Ok(instance.memory_mut().set_auxiliary(&write.bytes)?);
    }
    ram::initialize(instance, write.address, &write.bytes)
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
