//! A tree of processes and how it runs.

use std::fmt;
use std::sync::Arc;

use hatchery_engine::{Exit, Instance, PageFault, Pause, Reg, RunError};

use crate::abi::{Call, Descriptor, ProcessId};
use crate::deadlock::{Activity, Deadlock};
use crate::ended::Ended;
use crate::limits::{LimitError, Limits};
use crate::pipe::Pipes;
use crate::source::{LoadError, Program, ProgramSource};
use crate::status::{BadImage, Status};
use crate::table::{Calls, Piping, Process, Slot, State, Table};
use crate::trace::{Event, Trace};

/// A tree of processes.
#[derive(Debug)]
pub struct Scheduler<S> {
    pub(crate) source: S,
    pub(crate) limits: Limits,
    pub(crate) table: Table,
    pub(crate) pipes: Pipes,
    pub(crate) ended: Ended,
    /// The id of the next process.
    pub(crate) next: u64,
    /// The meter: what all processes have used.
    pub(crate) used: u64,
    /// What the meter may read at most, while something runs.
    pub(crate) limit: u64,
    /// What those processes have used that are no more.
    pub(crate) used_by_ended: u64,
    /// How the root ended.
    pub(crate) result: Option<Status>,
    /// Whose call or fault has been handed to the embedder.
    pub(crate) current: Option<Slot>,
    pub(crate) trace: Option<Box<Trace>>,
    /// What heaps may grow by, if that is limited.
    pub(crate) heaps: Option<Heaps>,
}

/// What the heaps of all processes have grown by, and may grow by, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heaps {
    bytes: u64,
    limit: u64,
}

/// How far to run.
#[derive(Clone, Copy, Debug)]
pub enum RunMode<'a> {
    /// Until the meter reads this. The limit is about all that the tree has used since it was made, not about one run: a run
    /// that goes on under the same limit cannot exceed it.
    Limit(u64),
    /// As [`RunMode::Limit`], and no further than to the end of a block or of a call once the flag is up.
    Pause(&'a Pause, u64),
}

impl RunMode<'_> {
    const fn limit(self) -> u64 {
        match self {
            Self::Limit(limit) | Self::Pause(_, limit) => limit,
        }
    }
}

/// Why a run ended. After everything but [`Stop::Ended`] and [`Stop::Deadlock`] the next run goes on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stop {
    /// The root has ended, and with it all.
    Ended(Status),
    /// The limit does not allow the next block or call. Nothing of it was done or charged.
    OutOfGas,
    /// The flag is up.
    Paused,
    /// A process called the embedder. [`Scheduler::current`] is its instance, until the next run: read its registers and memory,
    /// answer in `a0`.
    Syscall {
        /// Whose call.
        process: ProcessId,
        /// The number of the syscall: an index of its module's imports.
        number: u32,
    },
    /// A process accessed a page that the embedder may provide, or passed one to a call (only with
    /// [`Config::faults_to_host`](hatchery_engine::Config::faults_to_host)). [`Scheduler::current`] is its instance. The next run
    /// tries the access or the call again, of which nothing was done or charged.
    PageFault {
        /// Whose access.
        process: ProcessId,
        /// The access.
        fault: PageFault,
    },
    /// All processes wait for one another.
    Deadlock(Deadlock),
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended(status) => status.fmt(f),
            Self::OutOfGas => f.write_str("out of gas"),
            Self::Paused => f.write_str("paused"),
            Self::Syscall { process, number } => write!(f, "syscall {number} of process {process}"),
            Self::PageFault { process, fault } => {
                write!(
                    f,
                    "page fault of process {process} at pc {:#x} (address {:#010x})",
                    fault.pc, fault.address
                )
            }
            Self::Deadlock(deadlock) => deadlock.fmt(f),
        }
    }
}

/// Why a turn is the last of a run: [`Stop`] without what has to be looked for, since every call of every process gives one or none.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Interruption {
    Ended(Status),
    OutOfGas,
    Paused,
    Syscall(ProcessId, u32),
    PageFault(ProcessId, PageFault),
    Deadlock,
}

/// Whose turn it was, and the call that it ended with.
#[derive(Clone, Copy, Default, Debug)]
struct Turn {
    process: Option<ProcessId>,
    call: Option<Call>,
}

/// What one turn was.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Iteration {
    /// Whose turn; none: nobody's, since the tree has ended or is in a deadlock.
    pub process: Option<ProcessId>,
    /// Why it cannot simply go on; none: the turn ended with a call or the end of a process other than the root.
    pub stop: Option<Stop>,
}

/// Why a tree did not run up to a stop of its own. No program is at fault; the next run goes on where this one failed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The engine's host failed, or the embedder has left an instance idle.
    #[error("process {process} cannot run")]
    Run {
        /// Which process.
        process: ProcessId,
        /// Why.
        #[source]
        error: RunError,
    },
    /// A program cannot be loaded.
    #[error("the program `{}` cannot be loaded for process {process}", String::from_utf8_lossy(&.program.identifier))]
    Load {
        /// Which process asked for it.
        process: ProcessId,
        /// Which program.
        program: Program,
        /// Why.
        #[source]
        error: LoadError,
    },
    /// Memory that a process could access when it was blocked cannot be accessed any more: the embedder has taken it.
    #[error("process {process} is blocked, and its memory at {address:#010x} is gone")]
    Memory {
        /// Which process.
        process: ProcessId,
        /// Where.
        address: u32,
    },
}

/// Why a tree cannot be started.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The limits make no sense.
    #[error(transparent)]
    Limits(#[from] LimitError),
    /// The source has no such program.
    #[error("there is no program `{}`, or not the bytes {} to {} of it", String::from_utf8_lossy(&.program.identifier), .program.offset, .program.offset.saturating_add(.program.length))]
    NoProgram {
        /// What was asked for.
        program: Program,
    },
    /// The program cannot be loaded.
    #[error("the program `{}` cannot be loaded", String::from_utf8_lossy(&.program.identifier))]
    Load {
        /// Which program.
        program: Program,
        /// Why.
        #[source]
        error: LoadError,
    },
    /// The program cannot be executed.
    #[error("the program `{}` cannot be executed: {reason}", String::from_utf8_lossy(&.program.identifier))]
    BadImage {
        /// Which program.
        program: Program,
        /// Why.
        reason: BadImage,
    },
}

/// A look at a live process, or at the root after its end.
#[derive(Clone, Copy, Debug)]
pub struct Peek<'a> {
    process: &'a Process,
    activity: Activity,
}

impl<'a> Peek<'a> {
    /// Its id.
    pub fn id(&self) -> ProcessId {
        self.process.id
    }

    /// What it executes.
    pub fn program(&self) -> &'a Program {
        &self.process.program
    }

    /// Its registers and memory.
    pub fn instance(&self) -> &'a Instance {
        &self.process.instance
    }

    /// What it does.
    pub fn activity(&self) -> Activity {
        self.activity
    }

    /// The gas that it has used.
    pub fn gas_used(&self) -> u64 {
        self.process.gas
    }

    /// The descriptors that it was started with; some may be closed or handed on.
    pub fn inherited(&self) -> &'a [Descriptor] {
        &self.process.inherited
    }
}

impl<S: ProgramSource> Scheduler<S> {
    /// A tree whose root executes `main` of a program, with `arguments` on its stack, their address in `a0` and their number in
    /// `a1`. Nothing runs yet, and nothing is charged.
    ///
    /// # Errors
    /// If the limits make no sense, or there is no such program, or it cannot be executed.
    pub fn new(
        mut source: S,
        limits: Limits,
        program: &Program,
        arguments: &[u8],
    ) -> Result<Self, StartError> {
        limits.check()?;
        let program = find(&mut source, program)?;
        let loaded = source.load(&program);
        let module = loaded.map_err(|error| StartError::Load { program: program.clone(), error })?;
        match crate::call::instance(&module, arguments) {
            Ok(instance) => Self::with_root(source, limits, program, instance),
            Err(reason) => Err(StartError::BadImage { program, reason }),
        }
    }

    /// A tree whose root is an instance that has been prepared already, at whichever export. `program` is what it was made from,
    /// to find it again when the tree is resumed.
    ///
    /// # Errors
    /// If the limits make no sense, or there is no such program.
    pub fn adopt(
        mut source: S,
        limits: Limits,
        program: &Program,
        root: Instance,
    ) -> Result<Self, StartError> {
        limits.check()?;
        let program = find(&mut source, program)?;
        Self::with_root(source, limits, program, root)
    }

    fn with_root(
        source: S,
        limits: Limits,
        program: Program,
        instance: Instance,
    ) -> Result<Self, StartError> {
        let mut tree = Self::empty(source, limits);
        tree.next = 1;
        tree.table.insert(Process {
            id: ProcessId::ROOT,
            program,
            instance,
            calls: Calls::default(),
            state: State::Ready,
            inherited: Box::default(),
            waiters: 0,
            gas: 0,
        });
        Ok(tree)
    }

    /// Runs until something stops it.
    ///
    /// # Errors
    /// If the host fails. No program is at fault, and the next run goes on.
    pub fn run(&mut self, mode: RunMode<'_>) -> Result<Stop, Error> {
        loop {
            if let Some(interruption) = self.turn(mode, &mut Turn::default()).map_err(|error| *error)? {
                return Ok(self.stop(interruption));
            }
            // An instance looks at the flag where a block ends. A program whose first block replaces the program never gets there.
            if let RunMode::Pause(pause, _) = mode
                && pause.is_raised()
            {
                return Ok(Stop::Paused);
            }
        }
    }

    /// One turn: the runnable process with the largest id runs up to its next call, and that is done.
    ///
    /// # Errors
    /// As [`Scheduler::run`].
    pub fn iterate(&mut self, mode: RunMode<'_>) -> Result<Iteration, Error> {
        loop {
            let mut turn = Turn::default();
            let interruption = self.turn(mode, &mut turn).map_err(|error| *error)?;
            if interruption.is_some() || turn.call.is_none_or(Call::yields) {
                let stop = interruption.map(|interruption| self.stop(interruption));
                return Ok(Iteration { process: turn.process, stop });
            }
        }
    }

    /// Runs a process to its next call and does that.
    #[inline]
    fn turn(&mut self, mode: RunMode<'_>, turn: &mut Turn) -> Result<Option<Interruption>, Box<Error>> {
        self.current = None;
        if let Some(status) = self.result {
            return Ok(Some(Interruption::Ended(status)));
        }
        let Some(slot) = self.table.largest_runnable() else { return Ok(Some(Interruption::Deadlock)) };
        self.limit = mode.limit();
        let Some(process) = self.table.get_mut(slot) else { return Ok(Some(Interruption::Deadlock)) };
        let id = process.id;
        turn.process = Some(id);
        if let State::Calling(_) = process.state {
            process.state = process.next();
        }
        if let State::Calling(call) = process.state {
            turn.call = Some(call);
            return self.perform(slot, call);
        }
        let Some(left) = self.limit.checked_sub(self.used) else { return Ok(Some(Interruption::OutOfGas)) };
        let left = i64::try_from(left).unwrap_or(i64::MAX);
        process.instance.set_pause(match mode {
            RunMode::Limit(_) => None,
            RunMode::Pause(pause, _) => Some(pause.clone()),
        });
        process.instance.set_gas(left);
        let exit = match &mut self.heaps {
            None => process.instance.run(),
            Some(heaps) => heaps.run(&mut process.instance),
        };
        let used = left.abs_diff(process.instance.gas());
        process.gas += used;
        self.used += used;
        let exit = exit.map_err(|error| Error::Run { process: id, error })?;
        match exit {
            Exit::Syscall(number) => {
                if let Some(call) = process.calls.of(&process.instance, number) {
                    turn.call = Some(call);
                    return self.perform(slot, call);
                }
                self.current = Some(slot);
                self.record(id, || Event::Surfaced { number });
                Ok(Some(Interruption::Syscall(id, number)))
            }
            Exit::Finished => {
                let code = process.instance.reg(Reg::A0) as i8;
                self.end(slot, Status::Exited(code), None)?;
                Ok(self.result.map(Interruption::Ended))
            }
            Exit::Trap(trap) => {
                self.end(slot, Status::Trapped(trap.into()), None)?;
                Ok(self.result.map(Interruption::Ended))
            }
            Exit::OutOfGas => Ok(Some(Interruption::OutOfGas)),
            Exit::Paused => Ok(Some(Interruption::Paused)),
            Exit::PageFault(fault) => {
                self.current = Some(slot);
                Ok(Some(Interruption::PageFault(id, fault)))
            }
        }
    }

    /// What the embedder is told.
    fn stop(&self, interruption: Interruption) -> Stop {
        match interruption {
            Interruption::Ended(status) => Stop::Ended(status),
            Interruption::OutOfGas => Stop::OutOfGas,
            Interruption::Paused => Stop::Paused,
            Interruption::Syscall(process, number) => Stop::Syscall { process, number },
            Interruption::PageFault(process, fault) => Stop::PageFault { process, fault },
            Interruption::Deadlock => Stop::Deadlock(self.deadlock()),
        }
    }

    /// Writes down what happened, if somebody wants to know.
    #[inline]
    pub(crate) fn record(&mut self, process: ProcessId, event: impl FnOnce() -> Event) {
        if let Some(trace) = &mut self.trace {
            trace.record(process, self.used, event());
        }
    }

    fn deadlock(&self) -> Deadlock {
        let live = self.table.in_order().filter_map(|slot| self.table.get(slot));
        Deadlock { blocked: live.map(|process| (process.id, self.activity_of(process))).collect() }
    }

    fn activity_of(&self, process: &Process) -> Activity {
        let id_of = |slot: Option<Slot>| {
            slot.and_then(|slot| self.table.get(slot)).map_or(ProcessId(u64::MAX), |process| process.id)
        };
        match process.state {
            State::Ready | State::Calling(_) => Activity::Runnable,
            State::Waiting { target, .. } => Activity::Waiting { process: id_of(Some(target)) },
            State::Piping(Piping { descriptor, length, done, .. }) => {
                let other = self.pipes.owner(descriptor.other_end());
                if descriptor.is_to_read() {
                    Activity::Reading { descriptor, length, writer: id_of(other) }
                } else {
                    Activity::Writing { descriptor, length, done, reader: id_of(other) }
                }
            }
        }
    }
}

impl<S> Scheduler<S> {
    pub(crate) fn empty(source: S, limits: Limits) -> Self {
        Self {
            source,
            limits,
            table: Table::new(limits.processes),
            pipes: Pipes::default(),
            ended: Ended::default(),
            next: 0,
            used: 0,
            limit: 0,
            used_by_ended: 0,
            result: None,
            current: None,
            trace: None,
            heaps: None,
        }
    }

    /// The gas that all processes have used.
    pub fn gas_used(&self) -> u64 {
        self.used
    }

    /// The gas that processes have used that are no more. With [`Peek::gas_used`] of the live ones it is what the meter reads.
    pub fn gas_used_by_ended(&self) -> u64 {
        self.used_by_ended
    }

    /// Charges for something that the embedder does for the current process. Nothing is charged where the meter would then read more
    /// than `limit`, or nobody has called.
    #[must_use = "if it is false, nothing was charged"]
    pub fn charge(&mut self, gas: u64, limit: u64) -> bool {
        let Some(slot) = self.current else { return false };
        let used = self.used.checked_add(gas).filter(|&used| used <= limit);
        if let (Some(used), Some(process)) = (used, self.table.get_mut(slot)) {
            self.used = used;
            process.gas += gas;
        }
        used.is_some()
    }

    /// Bytes that the heaps of live processes have grown by since these began, in whole pages. After its end the root has its heap
    /// still.
    pub fn heap_bytes(&self) -> u64 {
        match self.heaps {
            Some(Heaps { bytes, .. }) => bytes,
            None => self
                .table
                .in_order()
                .filter_map(|slot| self.table.get(slot))
                .map(|process| heap_bytes(&process.instance))
                .sum(),
        }
    }

    /// Sets what [`Scheduler::heap_bytes`] may be from now on; until then only the engine limits each heap. `sbrk` beyond gives 0;
    /// heaps keep what they have. It is a setting of this tree and of its forks, and no part of what `suspend` gives.
    pub fn set_heap_limit(&mut self, bytes: u64) {
        self.heaps = Some(Heaps { bytes: self.heap_bytes(), limit: bytes });
    }

    /// Takes a process out of the table.
    pub(crate) fn remove(&mut self, slot: Slot) {
        let Some(process) = self.table.remove(slot) else { return };
        self.used_by_ended += process.gas;
        self.forget_heap(&process.instance);
    }

    /// The heap of an instance is given up.
    pub(crate) fn forget_heap(&mut self, instance: &Instance) {
        if let Some(heaps) = &mut self.heaps {
            heaps.bytes -= heap_bytes(instance);
        }
    }

    /// How the root ended, if it has.
    pub fn result(&self) -> Option<Status> {
        self.result
    }

    /// The limits.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Where programs come from.
    pub fn source(&self) -> &S {
        &self.source
    }

    /// The live processes in the order of their ids.
    pub fn processes(&self) -> impl Iterator<Item = ProcessId> {
        self.table.in_order().filter_map(|slot| self.table.get(slot)).map(|process| process.id)
    }

    /// Open descriptors of all processes.
    pub fn open_descriptors(&self) -> u32 {
        self.pipes.open()
    }

    /// How many processes have ended whose end somebody may still wait for.
    pub fn remembered_ends(&self) -> usize {
        self.ended.len()
    }

    /// Whose call or fault the embedder has to deal with before the next run.
    pub fn current_id(&self) -> Option<ProcessId> {
        self.current.and_then(|slot| self.table.get(slot)).map(|process| process.id)
    }

    /// The instance of [`Scheduler::current_id`], to answer it: registers and memory. Its gas is the scheduler's affair and is set
    /// again by the next run.
    pub fn current(&mut self) -> Option<&mut Instance> {
        let slot = self.current?;
        self.table.get_mut(slot).map(|process| &mut process.instance)
    }

    /// Whose turn is next; none: the tree has ended or is in a deadlock.
    pub fn next_id(&self) -> Option<ProcessId> {
        let slot = self.table.largest_runnable().filter(|_| self.result.is_none())?;
        self.table.get(slot).map(|process| process.id)
    }

    /// Gives up the windows of all instances, for others to use. Not observable.
    pub fn park(&mut self) {
        for slot in self.table.in_order().collect::<Vec<_>>() {
            if let Some(process) = self.table.get_mut(slot) {
                process.instance.park();
            }
        }
    }

    /// Records the schedule from now on, or no longer. Gives what was recorded so far.
    ///
    /// The first event of a new tree is the start of its root, if this is called before it runs.
    pub fn set_trace(&mut self, trace: Option<Trace>) -> Option<Trace> {
        let before = core::mem::replace(&mut self.trace, trace.map(Box::new));
        let fresh = self.used == 0 && self.next == 1 && self.result.is_none();
        if let (true, Some(trace), Some(root)) = (fresh, &mut self.trace, self.table.get(Slot(0)))
            && trace.count() == 0
        {
            trace.record(ProcessId::ROOT, 0, Event::Started { parent: None, program: root.program.clone() });
        }
        before.map(|trace| *trace)
    }

    /// The schedule as far as it was recorded.
    pub fn trace(&self) -> Option<&Trace> {
        self.trace.as_deref()
    }
}

impl<S: ProgramSource> Scheduler<S> {
    /// A look at a process: one that is live, or the root after its end.
    pub fn peek(&self, id: ProcessId) -> Option<Peek<'_>> {
        let process = self.table.get(self.table.find(id)?)?;
        Some(Peek { process, activity: self.activity_of(process) })
    }

    /// The root's instance, after its end or before.
    pub fn into_root(mut self) -> Option<Instance> {
        let slot = self.table.find(ProcessId::ROOT)?;
        self.table.remove(slot).map(|process| process.instance)
    }

    /// Another tree in the same state, which shares all memory with this one until either writes it. It records no schedule.
    #[must_use]
    pub fn fork(&mut self) -> Self
    where
        S: Clone,
    {
        let mut fork = Self::empty(self.source.clone(), self.limits);
        fork.table = self.table.fork();
        fork.pipes = self.pipes.clone();
        fork.ended = self.ended.clone();
        fork.next = self.next;
        fork.used = self.used;
        fork.limit = self.limit;
        fork.used_by_ended = self.used_by_ended;
        fork.result = self.result;
        fork.current = self.current;
        fork.heaps = self.heaps;
        fork
    }
}

impl Heaps {
    /// Runs an instance, whose heap can grow as long as there is room.
    fn run(&mut self, instance: &mut Instance) -> Result<Exit, RunError> {
        let before = instance.memory_bytes();
        let room = self.limit.saturating_sub(self.bytes);
        instance.set_memory_limit(before.saturating_add(room));
        let exit = instance.run();
        self.bytes += instance.memory_bytes() - before;
        exit
    }
}

/// What an instance's heap has grown by.
fn heap_bytes(instance: &Instance) -> u64 {
    instance.memory_bytes() - instance.module().memory_map().declared_bytes()
}

/// A program of a source with the length that it has.
fn find(source: &mut impl ProgramSource, program: &Program) -> Result<Program, StartError> {
    let none = || StartError::NoProgram { program: program.clone() };
    let listing = source.find(&program.identifier).ok_or_else(none)?;
    let length = crate::call::part(listing.length, program.offset, program.length).ok_or_else(none)?;
    Ok(Program { identifier: Arc::clone(&program.identifier), offset: program.offset, length })
}
