//! The state of a tree as bytes, and back.
//!
//! The byte form is SCALE, versioned, and canonical: equal states have equal bytes, and bytes that are accepted encode to
//! themselves. Nothing in it depends on the backend. Everything that is decoded is checked: bytes give a tree that could have come
//! about, or an error.

use std::collections::BTreeSet;

use codec::{Decode, Encode};
use hatchery_engine::{Exit, Permission, RestoreError, Snapshot, Status as InstanceStatus};

use crate::abi::{Call, Descriptor, End, ProcessId};
use crate::limits::{LimitError, Limits};
use crate::pipe::Pipes;
use crate::scheduler::Scheduler;
use crate::source::{LoadError, Program, ProgramSource};
use crate::status::{BadImage, Fault, FaultKind, Status};
use crate::table::{Calls, Piping, Process, Slot, State};

/// The version of the byte form.
const VERSION: u8 = 1;

/// More processes and pipes than any tree has made: each has cost gas, of which there is less than 2^64, so that counting on from
/// there does not overflow.
const MOST_NUMBERS: u64 = 1 << 60;

#[derive(Encode, Decode)]
struct Tree {
    version: u8,
    limits: [u32; 5],
    used: u64,
    used_by_ended: u64,
    next_process: u64,
    next_pipe: u64,
    result: Option<EncodedStatus>,
    current: Option<u64>,
    processes: Vec<EncodedProcess>,
    pipes: Vec<EncodedPipe>,
    ended: Vec<(u64, EncodedStatus)>,
}

#[derive(Encode, Decode)]
struct EncodedProcess {
    id: u64,
    /// Its place in the table: the first that was free when it was started.
    slot: u8,
    identifier: Vec<u8>,
    offset: u64,
    length: u64,
    gas: u64,
    inherited: Vec<u64>,
    state: EncodedState,
    instance: Vec<u8>,
}

#[derive(Encode, Decode)]
enum EncodedState {
    Ready,
    Calling,
    Waiting { target: u64, status: u32 },
    Piping { descriptor: u64, buffer: u32, length: u64, done: u64, count: u32 },
}

#[derive(Encode, Decode)]
struct EncodedPipe {
    number: u64,
    owners: [Option<u64>; 2],
}

#[derive(Encode, Decode)]
enum EncodedStatus {
    Exited(i8),
    Trapped { kind: u8, pc: u32, address: Option<u32> },
    BadImage(u8),
}

/// Why bytes give no tree.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResumeError {
    /// They are not what [`Scheduler::suspend`] gives.
    #[error("the bytes are no suspended tree: {reason}")]
    Bytes {
        /// What is wrong.
        reason: String,
    },
    /// Their version is not known.
    #[error("the suspended tree has version {found}; this is version {VERSION}")]
    Version {
        /// Their version.
        found: u8,
    },
    /// The limits make no sense.
    #[error(transparent)]
    Limits(#[from] LimitError),
    /// The tree was made under other limits.
    #[error("the suspended tree has other limits than are allowed here")]
    OtherLimits,
    /// No tree is ever in such a state.
    #[error("no tree is ever in this state: {problem}")]
    State {
        /// What is wrong.
        problem: &'static str,
    },
    /// No process is ever in such a state.
    #[error("process {process} is never in this state: {problem}")]
    Process {
        /// Which process.
        process: ProcessId,
        /// What is wrong.
        problem: &'static str,
    },
    /// The source does not have a process's program.
    #[error("there is no program `{}` for process {process}, or not with these bytes", String::from_utf8_lossy(&.program.identifier))]
    NoProgram {
        /// Which process.
        process: ProcessId,
        /// Which program.
        program: Program,
    },
    /// A process's program cannot be loaded.
    #[error("the program of process {process} cannot be loaded")]
    Load {
        /// Which process.
        process: ProcessId,
        /// Why.
        #[source]
        error: LoadError,
    },
    /// A process's instance cannot be restored.
    #[error("process {process} cannot be restored")]
    Restore {
        /// Which process.
        process: ProcessId,
        /// Why.
        #[source]
        error: RestoreError,
    },
}

impl<S: ProgramSource> Scheduler<S> {
    /// Everything that decides how the tree goes on, as bytes. It can go on itself, too. The recorded schedule is not part of it.
    ///
    /// Takes time in proportion to the pages that processes have written.
    pub fn suspend(&mut self) -> Vec<u8> {
        self.suspend_with(|_, snapshot| snapshot.to_bytes())
    }

    /// As [`Scheduler::suspend`], with what `bytes_of` makes of each process's snapshot in the place of its bytes. So an embedder
    /// can keep them elsewhere, or pages apart from the rest. It is given a number, too, which no two live processes have at
    /// a time, which is less than [`Limits::processes`], and which a process keeps from beginning to end.
    pub fn suspend_with(&mut self, mut bytes_of: impl FnMut(u8, &Snapshot) -> Vec<u8>) -> Vec<u8> {
        let ids: Vec<(Slot, u64)> = self
            .table
            .in_order()
            .filter_map(|slot| self.table.get(slot).map(|process| (slot, process.id.0)))
            .collect();
        let id_of = |slot: Slot| ids.iter().find(|(known, _)| *known == slot).map_or(u64::MAX, |(_, id)| *id);
        let pipes = self.pipes.rows().iter().map(|pipe| EncodedPipe {
            number: pipe.number,
            owners: End::BOTH.map(|end| pipe.owner(end).map(id_of)),
        });
        let pipes = pipes.collect();
        let current = self.current.filter(|&slot| self.table.get(slot).is_some_and(waits_for_the_embedder));
        let mut processes = Vec::new();
        for &(slot, id) in &ids {
            let Some(process) = self.table.get_mut(slot) else { continue };
            // The meter is the tree's; what an instance was lent for its last run says nothing.
            process.instance.set_gas(0);
            processes.push(EncodedProcess {
                id,
                slot: slot.0,
                identifier: process.program.identifier.to_vec(),
                offset: process.program.offset,
                length: process.program.length,
                gas: process.gas,
                inherited: process.inherited.iter().map(|descriptor| descriptor.0).collect(),
                state: match process.next() {
                    State::Ready => EncodedState::Ready,
                    State::Calling(_) => EncodedState::Calling,
                    State::Waiting { target, status } => {
                        EncodedState::Waiting { target: id_of(target), status }
                    }
                    State::Piping(Piping { descriptor, buffer, length, done, count }) => {
                        EncodedState::Piping { descriptor: descriptor.0, buffer, length, done, count }
                    }
                },
                instance: bytes_of(slot.0, &process.instance.snapshot()),
            });
        }
        let tree = Tree {
            version: VERSION,
            limits: numbers(&self.limits),
            used: self.used,
            used_by_ended: self.used_by_ended,
            next_process: self.next,
            next_pipe: self.pipes.next(),
            result: self.result.map(EncodedStatus::from),
            current: current.map(id_of),
            processes,
            pipes,
            ended: self.ended.iter().map(|(id, status)| (id.0, status.into())).collect(),
        };
        tree.encode()
    }

    /// A tree in the state that [`Scheduler::suspend`] gave, on whichever backend the source compiles for. The limits must be those
    /// that the tree was made under. It records no schedule; to continue one, hand it over with [`Scheduler::set_trace`].
    ///
    /// # Errors
    /// If the bytes are not exactly what `suspend` gives for a tree that could have come about, or the source does not have its
    /// programs.
    pub fn resume(source: S, limits: Limits, bytes: &[u8]) -> Result<Self, ResumeError> {
        Self::resume_with(source, limits, bytes, |_, bytes| Some(bytes))
    }

    /// As [`Scheduler::resume`], of what [`Scheduler::suspend_with`] gave. `snapshot_of` gives the bytes of a process's snapshot back,
    /// or none if there are none.
    ///
    /// # Errors
    /// As [`Scheduler::resume`].
    pub fn resume_with(
        mut source: S,
        limits: Limits,
        bytes: &[u8],
        mut snapshot_of: impl FnMut(u8, Vec<u8>) -> Option<Vec<u8>>,
    ) -> Result<Self, ResumeError> {
        limits.check()?;
        if let Some(&found) = bytes.first().filter(|&&version| version != VERSION) {
            return Err(ResumeError::Version { found });
        }
        let mut rest = bytes;
        let mut tree =
            Tree::decode(&mut rest).map_err(|error| ResumeError::Bytes { reason: error.to_string() })?;
        if !rest.is_empty() {
            return Err(ResumeError::Bytes { reason: format!("{} bytes follow it", rest.len()) });
        }
        if tree.limits != numbers(&limits) {
            return Err(ResumeError::OtherLimits);
        }
        check_numbers(&tree, &limits)?;
        let mut restored = Unsourced::empty_with(limits);
        for process in &mut tree.processes {
            let bytes = core::mem::take(&mut process.instance);
            let snapshot = snapshot_of(process.slot, bytes).ok_or(ResumeError::Process {
                process: ProcessId(process.id),
                problem: "there is no snapshot of it",
            })?;
            restored.add(&mut source, process, &snapshot, tree.next_pipe)?;
        }
        let slot_of = |id: Option<u64>| id.and_then(|id| restored.table.find(ProcessId(id)));
        let ends: Vec<_> = tree.pipes.iter().map(|pipe| (pipe.number, pipe.owners.map(slot_of))).collect();
        restored.pipes = Pipes::restore(tree.next_pipe, ends.into_iter());
        restored.next = tree.next_process;
        restored.used = tree.used;
        restored.used_by_ended = tree.used_by_ended;
        restored.result = tree.result.as_ref().map(EncodedStatus::decoded).transpose()?;
        for (id, status) in &tree.ended {
            restored.ended.remember(ProcessId(*id), status.decoded()?, limits.statuses as usize);
        }
        for process in &tree.processes {
            restored.block(process)?;
        }
        restored.set_current(tree.current)?;
        Ok(restored.with_source(source))
    }
}

/// A tree that has no source of programs yet.
type Unsourced = Scheduler<()>;

impl Unsourced {
    fn empty_with(limits: Limits) -> Self {
        Self::empty((), limits)
    }

    fn with_source<S>(self, source: S) -> Scheduler<S> {
        let Scheduler {
            source: (),
            limits,
            table,
            pipes,
            ended,
            next,
            used,
            limit,
            used_by_ended,
            result,
            current,
            trace,
            heaps,
        } = self;
        Scheduler {
            source,
            limits,
            table,
            pipes,
            ended,
            next,
            used,
            limit,
            used_by_ended,
            result,
            current,
            trace,
            heaps,
        }
    }

    /// Adds a process as if it were runnable.
    fn add(
        &mut self,
        source: &mut impl ProgramSource,
        encoded: &EncodedProcess,
        snapshot: &[u8],
        next_pipe: u64,
    ) -> Result<(), ResumeError> {
        let process = ProcessId(encoded.id);
        let identifier = encoded.identifier.as_slice().into();
        let program = Program { identifier, offset: encoded.offset, length: encoded.length };
        let listing = source.find(&program.identifier);
        let part =
            listing.and_then(|listing| crate::call::part(listing.length, program.offset, program.length));
        if part != Some(program.length) || program.length == 0 {
            return Err(ResumeError::NoProgram { process, program });
        }
        let module = source.load(&program).map_err(|error| ResumeError::Load { process, error })?;
        let snapshot = Snapshot::from_bytes(snapshot, snapshot.len())
            .map_err(|error| ResumeError::Bytes { reason: error.to_string() })?;
        if snapshot.gas() != 0 {
            return Err(ResumeError::Process { process, problem: "it has gas of its own" });
        }
        let instance = module
            .restore(&snapshot, source.data())
            .map_err(|error| ResumeError::Restore { process, error })?;
        let inherited: Box<[Descriptor]> =
            encoded.inherited.iter().map(|&number| Descriptor(number)).collect();
        let known: BTreeSet<u64> = encoded.inherited.iter().copied().collect();
        let exists = |descriptor: &Descriptor| descriptor.parts().is_some_and(|(pipe, _)| pipe < next_pipe);
        if known.len() != inherited.len()
            || !inherited.iter().all(exists)
            || inherited.len() > self.limits.descriptors as usize
            || (process == ProcessId::ROOT && !inherited.is_empty())
        {
            return Err(ResumeError::Process {
                process,
                problem: "it cannot have inherited such descriptors",
            });
        }
        let gas = encoded.gas;
        let (calls, state) = (Calls::default(), State::Ready);
        let new = Process { id: process, program, instance, calls, state, inherited, waiters: 0, gas };
        match self.table.insert_at(encoded.slot.into(), new) {
            Some(_) => Ok(()),
            None => Err(ResumeError::Process { process, problem: "its place in the table is taken" }),
        }
    }

    /// Sets what a process does next, once all are there.
    fn block(&mut self, encoded: &EncodedProcess) -> Result<(), ResumeError> {
        let id = ProcessId(encoded.id);
        let wrong = |problem| ResumeError::Process { process: id, problem };
        let Some(slot) = self.table.find(id) else { return Err(wrong("it is not there")) };
        let Some(process) = self.table.get(slot) else { return Err(wrong("it is not there")) };
        let instance = &process.instance;
        if self.result.is_some() {
            // The root after its end. What its instance was stopped by does not matter any more.
            return match encoded.state {
                EncodedState::Ready => Ok(()),
                _ => Err(wrong("it has ended and cannot wait")),
            };
        }
        if !instance.is_prepared() {
            return Err(wrong("it cannot go on"));
        }
        let call = match instance.status() {
            InstanceStatus::Stopped(Exit::Syscall(number)) => {
                instance.module().imports().get(number as usize).and_then(|symbol| Call::from_symbol(symbol))
            }
            _ => None,
        };
        let accessible = |address: u32, length: u64, permission| {
            instance.memory().check(address, length, permission).is_ok()
        };
        let state = match encoded.state {
            EncodedState::Ready => State::Ready,
            EncodedState::Calling => State::Calling(call.ok_or(wrong("it has made no call"))?),
            EncodedState::Waiting { target, status } => {
                let target = self.table.find(ProcessId(target));
                let is_wait = call == Some(Call::Wait) && accessible(status, 8, Permission::ReadWrite);
                let target = target.filter(|_| is_wait).ok_or(wrong("it cannot wait like this"))?;
                if let Some(target) = self.table.get_mut(target) {
                    target.waiters |= 1 << slot.0;
                }
                State::Waiting { target, status }
            }
            EncodedState::Piping { descriptor, buffer, length, done, count } => {
                let descriptor = Descriptor(descriptor);
                let is_read = descriptor.is_to_read();
                let (calls, permission) = if is_read {
                    (Call::PipeRead, Permission::ReadWrite)
                } else {
                    (Call::PipeWrite, Permission::Read)
                };
                let is_possible = call == Some(calls)
                    && (1..=1 << 32).contains(&length)
                    && done < length
                    && !(is_read && done > 0)
                    && accessible(buffer, length, permission)
                    && accessible(count, 8, Permission::ReadWrite)
                    && self.pipes.owner(descriptor) == Some(slot)
                    && self.pipes.owner(descriptor.other_end()).is_some();
                let other_waits = descriptor
                    .parts()
                    .and_then(|(number, end)| self.pipes.find(number)?.waiting(end.other()))
                    .is_some();
                if !is_possible || other_waits {
                    return Err(wrong("it cannot be blocked at a pipe like this"));
                }
                self.set_waiting(descriptor, true);
                State::Piping(Piping { descriptor, buffer, length, done, count })
            }
        };
        self.table.set_state(slot, state);
        Ok(())
    }

    fn set_current(&mut self, id: Option<u64>) -> Result<(), ResumeError> {
        let Some(id) = id else { return Ok(()) };
        let process = ProcessId(id);
        let slot = self.table.find(process).filter(|&slot| self.table.largest_runnable() == Some(slot));
        let waits = slot.and_then(|slot| self.table.get(slot)).is_some_and(waits_for_the_embedder);
        if !waits || self.result.is_some() {
            return Err(ResumeError::Process { process, problem: "it has not called the embedder" });
        }
        self.current = slot;
        Ok(())
    }
}

/// Whether a process has stopped for the embedder, and was not made to go on elsewhere.
fn waits_for_the_embedder(process: &Process) -> bool {
    let module = process.instance.module();
    match (process.next(), process.instance.status()) {
        // A page is missing for its call.
        (State::Calling(_), _) => module.engine().config().gives_faults_to_host(),
        (State::Ready, InstanceStatus::Stopped(Exit::Syscall(number))) => {
            let symbol = module.imports().get(number as usize);
            symbol.is_none_or(|symbol| Call::from_symbol(symbol).is_none())
        }
        (State::Ready, InstanceStatus::Stopped(Exit::PageFault(_))) => true,
        _ => false,
    }
}

/// Checks what can be checked before instances are made.
fn check_numbers(tree: &Tree, limits: &Limits) -> Result<(), ResumeError> {
    let wrong = |problem| Err(ResumeError::State { problem });
    let live: BTreeSet<u64> = tree.processes.iter().map(|process| process.id).collect();
    if !tree.processes.is_sorted_by(|a, b| a.id < b.id)
        || tree.processes.first().is_none_or(|root| root.id != ProcessId::ROOT.0)
        || tree.processes.last().is_some_and(|last| last.id >= tree.next_process)
        || tree.next_process > MOST_NUMBERS
    {
        return wrong("the ids of processes do not count up from the root's");
    }
    if tree.processes.first().is_some_and(|root| root.slot != 0) {
        return wrong("the root is not in the first place of the table");
    }
    if tree.processes.len() > limits.processes as usize {
        return wrong("there are too many processes");
    }
    let gas = tree.processes.iter().try_fold(tree.used_by_ended, |sum, process| sum.checked_add(process.gas));
    if gas != Some(tree.used) {
        return wrong("the meter does not read what the processes have used");
    }
    let owners = || tree.pipes.iter().flat_map(|pipe| pipe.owners).flatten();
    if !tree.pipes.is_sorted_by(|a, b| a.number < b.number)
        || tree.pipes.last().is_some_and(|last| last.number >= tree.next_pipe)
        || tree.pipes.iter().any(|pipe| pipe.owners == [None, None])
        || tree.next_pipe > MOST_NUMBERS
    {
        return wrong("the numbers of pipes do not count up, or a pipe has no end");
    }
    if owners().count() > limits.descriptors as usize {
        return wrong("there are too many descriptors");
    }
    if owners().any(|owner| !live.contains(&owner)) {
        return wrong("somebody owns a descriptor who is not there");
    }
    let ended: BTreeSet<u64> = tree.ended.iter().map(|(id, _)| *id).collect();
    if ended.len() != tree.ended.len()
        || tree.ended.len() > limits.statuses as usize
        || ended.iter().any(|id| live.contains(id) || *id >= tree.next_process)
    {
        return wrong("processes have ended that are there, or were never");
    }
    if tree.result.is_some() && !(live.len() == 1 && tree.pipes.is_empty() && ended.is_empty()) {
        return wrong("the root has ended, and something is left");
    }
    Ok(())
}

fn numbers(limits: &Limits) -> [u32; 5] {
    let Limits { processes, descriptors, statuses, identifier_bytes, argument_bytes } = *limits;
    [processes, descriptors, statuses, identifier_bytes, argument_bytes]
}

impl From<Status> for EncodedStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Exited(code) => Self::Exited(code),
            Status::Trapped(Fault { kind, pc, address }) => {
                Self::Trapped { kind: kind.code() as u8, pc, address }
            }
            Status::BadImage(reason) => Self::BadImage(reason as u8),
        }
    }
}

impl EncodedStatus {
    fn decoded(&self) -> Result<Status, ResumeError> {
        let status = match *self {
            Self::Exited(code) => Some(Status::Exited(code)),
            Self::Trapped { kind, pc, address } => {
                FaultKind::from_code(kind.into()).map(|kind| Status::Trapped(Fault { kind, pc, address }))
            }
            Self::BadImage(reason) => BadImage::ALL.get(usize::from(reason)).copied().map(Status::BadImage),
        };
        status.ok_or(ResumeError::State { problem: "a process has ended in a way that is not known" })
    }
}
