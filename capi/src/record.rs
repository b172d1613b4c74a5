//! Recording what a host does.
//!
//! What the format cannot say spoils a recording, so that none that can be read is wrong: nothing but registers, gas and bytes of memory
//! may change, and only at host calls; the heap may grow there, for which the format has a line of ours.

use core::ffi::c_char;
use core::ops::Range;
use std::fmt::Write as _;

use hatchery_engine::{Reg, Status as InstanceStatus};

use crate::constants::*;
use crate::jip6;
use crate::pointer::{self, Place};
use crate::registers;
use crate::status::Failure;
use crate::vm::{self, State, Stop, Vm};

/// What has been recorded.
pub(crate) struct Recorder {
    text: String,
    limit: usize,
    phase: Phase,
    /// What the host has done to memory since the last stop.
    actions: Actions,
    /// Why the recording cannot be used.
    problem: Option<&'static str>,
}

/// Where the execution is that is being recorded.
#[derive(Clone, Copy)]
enum Phase {
    /// It has not begun: memory is written for it.
    Before,
    /// The program is running.
    Executing,
    /// At a host call: what the host does now is recorded.
    Call(Seen),
    /// Between two instructions, where the host can look and must not touch.
    Still(Seen),
    /// Whatever the host does now is its own business.
    Ended,
}

/// What a host can change, but for memory.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Seen {
    regs: [u64; PVM_REGISTER_COUNT],
    gas: u64,
    pc: u32,
    status: InstanceStatus,
}

/// What a host does to memory.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    Read,
    Write,
}

#[derive(Default)]
struct Actions {
    reads: Vec<(u32, Vec<u8>)>,
    writes: Vec<(u32, Vec<u8>)>,
    /// Where the heap ends, if it has grown.
    heap: Option<u32>,
    size: usize,
}

const TOO_LONG: &str = "it is longer than its limit";
const MIDDLE: &str = "it was started in the middle of an execution, where the format cannot begin";
const ENDED: &str = "the execution went on after its end, which the format cannot say";
const ELSEWHERE: &str = "the execution went on elsewhere, which the format cannot say";
const BETWEEN: &str = "registers, gas, memory or the heap were changed between two instructions, not at a host call, which the format cannot say";
const FAILED: &str = "an execution failed in the middle";

/// Why recordings are spoiled from outside.
pub(crate) const PAGES_CHANGED: &str =
    "pages were mapped, protected or unmapped during the execution, which the format cannot say";
pub(crate) const READ_ONLY_WRITTEN: &str =
    "the host wrote memory that the program can only read during the execution, which the format cannot say";
pub(crate) const WAS_RESET: &str = "the VM was reset during the execution, which the format cannot say";
pub(crate) const WAS_RESTORED: &str = "the VM was restored from a snapshot, which the format cannot say";
pub(crate) const WAS_REPLAYED: &str = "the VM has executed a recording meanwhile";

impl Actions {
    const fn cost(length: usize) -> usize {
        length.saturating_mul(2).saturating_add(64)
    }

    /// The parts of what is read that the host has not written itself since the last stop: the others are no news.
    fn unwritten(&self, address: u32, length: usize) -> Vec<Range<u64>> {
        let mut parts = vec![range(address, length)];
        for (start, bytes) in &self.writes {
            let written = range(*start, bytes.len());
            parts = parts.into_iter().flat_map(|part| without(&part, &written)).collect();
        }
        parts
    }

    /// Forgets what was written there, which is lost.
    fn forget(&mut self, lost: &Range<u64>) {
        let writes = core::mem::take(&mut self.writes);
        self.size = 0;
        for (address, bytes) in writes {
            for part in without(&range(address, bytes.len()), lost) {
                self.add_write(part.start as u32, slice(address, &bytes, &part));
            }
        }
    }

    fn add_write(&mut self, address: u32, bytes: &[u8]) {
        self.size += Self::cost(bytes.len());
        self.writes.push((address, bytes.to_vec()));
    }

    fn add_read(&mut self, address: u32, bytes: &[u8]) {
        for part in self.unwritten(address, bytes.len()) {
            let bytes = slice(address, bytes, &part);
            self.size += Self::cost(bytes.len());
            self.reads.push((part.start as u32, bytes.to_vec()));
        }
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

fn range(address: u32, length: usize) -> Range<u64> {
    u64::from(address)..u64::from(address) + length as u64
}

/// What is left of a range, in at most two parts.
fn without(whole: &Range<u64>, part: &Range<u64>) -> impl Iterator<Item = Range<u64>> + use<> {
    let before = whole.start..whole.end.min(part.start);
    let behind = whole.start.max(part.end)..whole.end;
    [before, behind].into_iter().filter(|left| !left.is_empty())
}

/// A part of the bytes that begin at an address.
fn slice<'a>(address: u32, bytes: &'a [u8], part: &Range<u64>) -> &'a [u8] {
    let offset = |at: u64| (at - u64::from(address)) as usize;
    &bytes[offset(part.start)..offset(part.end)]
}

impl Recorder {
    fn new(program: &[u8], limit: usize) -> Self {
        let mut recorder = Self {
            text: "program 0x".to_owned(),
            limit,
            phase: Phase::Before,
            actions: Actions::default(),
            problem: None,
        };
        if program.len().saturating_mul(2) > limit {
            recorder.spoil(TOO_LONG);
        } else {
            jip6::write_hex(&mut recorder.text, program);
        }
        recorder.text.push('\n');
        recorder
    }

    /// Makes the recording unusable. What comes first is the reason.
    fn spoil(&mut self, problem: &'static str) {
        self.problem.get_or_insert(problem);
        self.actions = Actions::default();
        self.text = String::new();
    }

    /// Whether this is to be recorded, which spoils the recording where it cannot be.
    fn admits(&mut self, action: Action, length: usize) -> bool {
        if length == 0 || self.problem.is_some() {
            return false;
        }
        match (self.phase, action) {
            (Phase::Call(_), _) | (Phase::Before, Action::Write) => {}
            (Phase::Executing | Phase::Still(_), Action::Write) => {
                self.spoil(BETWEEN);
                return false;
            }
            // What is read elsewhere tells nothing about the execution.
            (Phase::Before | Phase::Executing | Phase::Still(_), Action::Read) | (Phase::Ended, _) => {
                return false;
            }
        }
        let fits = self.actions.size.saturating_add(Actions::cost(length)) <= self.limit;
        if !fits {
            self.spoil(TOO_LONG);
        }
        fits
    }

    fn note(&mut self, action: Action, address: u32, bytes: &[u8]) {
        if !self.admits(action, bytes.len()) {
            return;
        }
        match action {
            Action::Write => self.actions.add_write(address, bytes),
            Action::Read => self.actions.add_read(address, bytes),
        }
        if self.actions.size > self.limit {
            self.spoil(TOO_LONG);
        }
    }

    /// What the host has done, as text, with what it has made of registers and gas.
    fn actions(&self, now: &Seen) -> String {
        let mut text = String::new();
        for (address, bytes) in Actions::sorted(&self.actions.reads) {
            jip6::write_bytes(&mut text, "memread", "->", *address, bytes);
        }
        for (address, bytes) in Actions::sorted(&self.actions.writes) {
            jip6::write_bytes(&mut text, "memwrite", "<-", *address, bytes);
        }
        if let Some(end) = self.actions.heap {
            // Writing to a string does not fail, here and below.
            let _ = writeln!(text, "setheap <- {end:#x}");
        }
        if let Phase::Call(before) = &self.phase {
            for (index, (before, after)) in before.regs.iter().zip(&now.regs).enumerate() {
                if before != after {
                    let _ = writeln!(text, "setreg r{index:02} <- {after:#x}");
                }
            }
            if before.gas != now.gas {
                let _ = writeln!(text, "setgas <- {}", now.gas);
            }
        }
        text
    }

    fn write_actions(&mut self, now: &Seen) {
        let actions = self.actions(now);
        self.text.push_str(&actions);
        self.actions = Actions::default();
        if self.text.len() > self.limit {
            self.spoil(TOO_LONG);
        }
    }

    fn write_point(&mut self, what: &str, now: &Seen) {
        self.text.push_str(what);
        jip6::write_point(&mut self.text, now.pc, now.gas, &now.regs);
        if self.text.len() > self.limit {
            self.spoil(TOO_LONG);
        }
    }

    /// The execution begins or goes on.
    fn resumed(&mut self, now: &Seen) {
        match self.phase {
            Phase::Before if now.status == InstanceStatus::Ready => {
                self.write_actions(now);
                self.write_point("start ", now);
            }
            Phase::Before => self.spoil(MIDDLE),
            Phase::Call(seen) if (seen.pc, seen.status) == (now.pc, now.status) => self.write_actions(now),
            Phase::Call(_) => self.spoil(ELSEWHERE),
            Phase::Still(seen) => self.expect_unchanged(&seen, now),
            Phase::Executing => self.spoil(FAILED),
            Phase::Ended => self.spoil(ENDED),
        }
        self.phase = Phase::Executing;
    }

    fn expect_unchanged(&mut self, seen: &Seen, now: &Seen) {
        if (seen.pc, seen.status) != (now.pc, now.status) {
            self.spoil(ELSEWHERE);
        } else if seen != now {
            self.spoil(BETWEEN);
        }
    }

    /// The execution has stopped.
    fn stopped(&mut self, stop: Stop, now: Seen) {
        let end = match stop {
            Stop::Host(number) => {
                self.write_point(&format!("\necalli={number} "), &now);
                self.phase = Phase::Call(now);
                return;
            }
            Stop::Ready | Stop::Paused => {
                self.phase = Phase::Still(now);
                return;
            }
            Stop::Halt => "\nHALT ".to_owned(),
            Stop::Panic(trap) => format!("\nPANIC={} ", trap.map_or(0, |trap| trap.kind as u8)),
            Stop::Fault(fault) => format!("\nFAULT={} ", fault.page_address),
            Stop::OutOfGas => "\nOOG ".to_owned(),
        };
        // A host that refuses a call may have done something before.
        if matches!(self.phase, Phase::Call(seen) if seen.pc != now.pc) {
            self.spoil(ELSEWHERE);
        }
        self.write_actions(&now);
        self.write_point(&end, &now);
        self.phase = Phase::Ended;
    }
}

impl State {
    fn seen(&mut self) -> Option<Seen> {
        let (regs, gas) = (Reg::ALL.map(|reg| self.reg(reg)), registers::gas_left(self));
        let instance = self.instance().ok()?;
        Some(Seen { regs, gas, pc: instance.pc().0, status: instance.status() })
    }

    /// Takes note of what the host reads.
    #[inline]
    pub(crate) fn note_read(&mut self, address: u32, bytes: &[u8]) {
        if let Some(recorder) = &mut self.recorder {
            recorder.note(Action::Read, address, bytes);
        }
    }

    /// Takes note of what the host writes.
    #[inline]
    pub(crate) fn note_write(&mut self, address: u32, bytes: &[u8]) {
        if let Some(recorder) = &mut self.recorder {
            recorder.note(Action::Write, address, bytes);
        }
    }

    /// As [`State::note_read`], of bytes that are taken from memory, if they are wanted.
    pub(crate) fn note_read_of(&mut self, address: u32, length: usize) -> Result<(), Failure> {
        self.note_range(Action::Read, address, length)
    }

    /// As [`State::note_write`], of bytes that are in memory now.
    pub(crate) fn note_write_of(&mut self, address: u32, length: usize) -> Result<(), Failure> {
        self.note_range(Action::Write, address, length)
    }

    fn note_range(&mut self, action: Action, address: u32, length: usize) -> Result<(), Failure> {
        // Nothing is reserved for what is too long to be recorded.
        if !self.recorder.as_mut().is_some_and(|recorder| recorder.admits(action, length)) {
            return Ok(());
        }
        let mut bytes = vec![0; length];
        self.instance()?.memory().read(address, &mut bytes)?;
        if let Some(recorder) = &mut self.recorder {
            recorder.note(action, address, &bytes);
        }
        Ok(())
    }

    /// Takes note that the arguments of the program were set: what was there before is gone.
    pub(crate) fn note_arguments(&mut self, address: u32, end: u32, arguments: &[u8]) {
        let Some(recorder) = &mut self.recorder else { return };
        match recorder.phase {
            Phase::Before => {
                recorder.actions.forget(&(address.into()..end.into()));
                recorder.note(Action::Write, address, arguments);
            }
            Phase::Call(_) | Phase::Still(_) | Phase::Executing => recorder.spoil(ELSEWHERE),
            Phase::Ended => {}
        }
    }

    /// Takes note of a change that cannot be recorded, unless the execution has not begun or has ended.
    #[inline]
    pub(crate) fn spoil_execution(&mut self, problem: &'static str) {
        if let Some(recorder) = &mut self.recorder
            && matches!(recorder.phase, Phase::Executing | Phase::Call(_) | Phase::Still(_))
        {
            recorder.spoil(problem);
        }
    }

    /// Takes note that the host has let the heap grow, which ends there now.
    #[inline]
    pub(crate) fn note_heap(&mut self, end: u32) {
        if let Some(recorder) = &mut self.recorder {
            match recorder.phase {
                Phase::Call(_) => recorder.actions.heap = Some(end),
                Phase::Executing | Phase::Still(_) => recorder.spoil(BETWEEN),
                // Before, it is part of the layout, as are pages.
                Phase::Before | Phase::Ended => {}
            }
        }
    }

    /// Takes note that pages were unmapped, whose bytes are lost.
    pub(crate) fn note_unmapped(&mut self, address: u32, length: u64) {
        self.spoil_execution(PAGES_CHANGED);
        if let Some(recorder) = &mut self.recorder
            && matches!(recorder.phase, Phase::Before)
        {
            recorder.actions.forget(&(address.into()..u64::from(address) + length));
        }
    }

    /// Takes note that memory is as the program declares it again.
    pub(crate) fn note_reset(&mut self) {
        self.spoil_execution(WAS_RESET);
        if let Some(recorder) = &mut self.recorder
            && matches!(recorder.phase, Phase::Before)
        {
            recorder.actions = Actions::default();
        }
    }

    /// Takes note that this is another VM now, as it were.
    pub(crate) fn spoil_recording(&mut self, problem: &'static str) {
        if let Some(recorder) = &mut self.recorder
            && !matches!(recorder.phase, Phase::Ended)
        {
            recorder.spoil(problem);
        }
    }

    /// Takes note that the execution begins or goes on.
    #[inline]
    pub(crate) fn record_resumption(&mut self) {
        if self.recorder.is_some() {
            self.record(|recorder, now| recorder.resumed(&now));
        }
    }

    /// Takes note that a callback is about to be told of what comes next: it must not change anything.
    #[inline]
    pub(crate) fn record_announcement(&mut self) {
        if self.recorder.is_some() {
            self.record(|recorder, now| match recorder.phase {
                Phase::Executing => recorder.phase = Phase::Still(now),
                _ => recorder.spoil(MIDDLE),
            });
        }
    }

    /// Takes note that what was announced is executed.
    #[inline]
    pub(crate) fn record_announced(&mut self) {
        if self.recorder.is_some() {
            self.record(|recorder, now| match recorder.phase {
                Phase::Still(seen) => {
                    recorder.expect_unchanged(&seen, &now);
                    recorder.phase = Phase::Executing;
                }
                // It was started by the callback.
                _ => recorder.spoil(MIDDLE),
            });
        }
    }

    /// Takes note of a stop.
    #[inline]
    pub(crate) fn record_stop(&mut self) {
        if self.recorder.is_some() {
            let stop = self.stop;
            self.record(|recorder, now| match recorder.phase {
                Phase::Before => recorder.spoil(MIDDLE),
                _ => recorder.stopped(stop, now),
            });
        }
    }

    #[cold]
    fn record(&mut self, work: impl FnOnce(&mut Recorder, Seen)) {
        let Some(now) = self.seen() else { return };
        if let Some(recorder) = self.recorder.as_mut().filter(|recorder| recorder.problem.is_none()) {
            work(recorder, now);
        }
    }

    /// The recording up to now.
    fn recording(&mut self) -> Result<String, Failure> {
        let nothing = || Failure::state("nothing is being recorded");
        let recorder = self.recorder.as_ref().ok_or_else(nothing)?;
        if let Some(problem) = recorder.problem {
            return Err(Failure::state(format!("the recording cannot be used: {problem}")));
        }
        if !matches!(recorder.phase, Phase::Call(_)) {
            return Ok(recorder.text.clone());
        }
        let now = self.seen();
        let recorder = self.recorder.as_ref().ok_or_else(nothing)?;
        let actions = now.map_or_else(String::new, |now| recorder.actions(&now));
        Ok(format!("{}{actions}", recorder.text))
    }
}

/// Records host calls from the next execution on as text, as JIP-6 has them: the program, what pvm_prepare_standard and
/// pvm_write_memory and its kin put into memory before, registers and gas at each host call, what the host read, wrote and set, be it
/// by pvm_inner_call and its kin, and the end. At most `limit` bytes. What was recorded before is lost. What is done before this is
/// called is no part of it, nor are pages that are mapped and a heap that is made to grow until the execution begins: pvm_replay needs
/// a VM that is like this one.
///
/// The format knows bytes of memory, registers and gas, at host calls, and one thing more that is this library's own: a line `setheap <-
/// ADDRESS` where the heap was made to grow (the Gray Paper 0.8's grow_heap), which others will not understand. pvm_record_read
/// fails, and says why, if between the beginning and the end of the execution pages were mapped, protected or unmapped, memory that
/// the program can only read was written, or the VM was reset, restored or given another pc; if anything was changed elsewhere than
/// at a host call, as at a pause or in a trace callback; if the execution went on after a fault or out of gas; or if it had begun
/// before.
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
