//! One instance of a program.

use crate::{
    metrics::{CallEnd, Event},
    processes::{Programs, Stopped, Tree},
    program::Program,
    transactions::Serial,
};
use codec::DecodeAll as _;
use hatchery_engine::{
    Exit, Instance as Machine, Module, Reg, Snapshot, SnapshotError, Status, Trap, memory::PAGE_SIZE,
};
use hatchery_primitives::{
    CallResult, ControlError, ExecBuffer, ExecError, ExecStatus, ExitInfo, LOG_TARGET, MemoryError, Refusal,
    SnapshotParts, SyscallSymbol, TrapKind,
};
use hatchery_scheduler::{BadImage, Fault, FaultKind, Status as ProcessEnd};
use std::{sync::Arc, time::Instant};

/// An instance, idle or ready: prepared, or suspended at a syscall.
pub(crate) struct Instance {
    guest: Guest,
    /// Of a tree of processes, the root's.
    program: Arc<Program>,
    stop: Stop,
    /// Why the last attempt to prepare or resume it was refused.
    pub(crate) refusal: Option<Refusal>,
    /// The Host transaction for which it is kept as it was before, as far as necessary.
    pub(crate) noted_in: Serial,
    /// For the metrics: when the current call began to run, if that is measured, and the gas that it used here.
    call_start: Option<Instant>,
    call_gas: u64,
    /// For the metrics: whether a runtime has it. Otherwise it is kept for the case of a rollback.
    is_alive: bool,
}

/// What an instance runs.
enum Guest {
    One(Machine),
    Tree(Box<Tree>),
}

/// Where an instance is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    Idle,
    Prepared,
    Syscall(u32),
    Finished,
    OutOfGas,
    Trap(Trap),
    InvalidSyscall(u32),
    /// A process gave a call memory that it cannot access, and was the root.
    CallArgument(Option<u32>),
    Deadlock,
    BadImage(BadImage),
}

impl Instance {
    pub(crate) fn new(program: Arc<Program>) -> Self {
        let machine = program.module().instantiate();
        let mut instance = Self::with_guest(Guest::One(machine), program, Stop::Idle);
        instance.revive();
        instance
    }

    /// A tree of processes.
    pub(crate) fn tree(programs: Arc<Programs>) -> Self {
        let program = programs.root().clone();
        let mut instance = Self::with_guest(Guest::Tree(Box::new(Tree::new(programs))), program, Stop::Idle);
        instance.revive();
        instance
    }

    /// No runtime has it yet.
    fn with_guest(guest: Guest, program: Arc<Program>, stop: Stop) -> Self {
        Self {
            guest,
            program,
            stop,
            refusal: None,
            noted_in: 0,
            call_start: None,
            call_gas: 0,
            is_alive: false,
        }
    }

    /// The same instance a second time. They share memory until either writes it.
    pub(crate) fn fork(&mut self) -> Self {
        let mut fork = self.copy();
        fork.revive();
        fork
    }

    /// The same instance, to be kept. What it has done is counted of the original.
    pub(crate) fn copy(&mut self) -> Self {
        let guest = match &mut self.guest {
            Guest::One(machine) => Guest::One(machine.fork()),
            Guest::Tree(tree) => Guest::Tree(Box::new(tree.fork())),
        };
        Self { guest, program: self.program.clone(), call_start: None, call_gas: 0, is_alive: false, ..*self }
    }

    /// From now on a runtime has it.
    pub(crate) fn revive(&mut self) {
        self.is_alive = true;
        self.program.metrics().count(Event::InstanceMade);
        // What is left of its call counts as a call of its own.
        self.call_start = self.program.metrics().now();
    }

    /// From now on no runtime has it. A call that was going on is given up.
    pub(crate) fn retire(&mut self) {
        if std::mem::take(&mut self.is_alive) {
            self.given_up();
            self.program.metrics().count(Event::InstanceGone);
        }
    }

    /// The programs that it keeps.
    pub(crate) fn programs(&self) -> impl Iterator<Item = &Arc<Program>> {
        let tree = match &self.guest {
            Guest::One(_) => None,
            Guest::Tree(tree) => Some(tree.programs().all()),
        };
        std::iter::once(&self.program).chain(tree.into_iter().flatten())
    }

    /// How many machines it can have at a time.
    pub(crate) fn most_machines(&self) -> u64 {
        match &self.guest {
            Guest::One(_) => 1,
            Guest::Tree(tree) => tree.programs().most_machines(),
        }
    }

    /// The pages of memory that it has, heaps included. A tree has the data and stacks of all processes that it may come to.
    pub(crate) fn pages(&self) -> u64 {
        match &self.guest {
            Guest::One(machine) => pages(machine.memory_bytes()),
            Guest::Tree(tree) => tree.programs().most_declared_pages() + pages(tree.heap_bytes()),
        }
    }

    /// Whether it can have more pages than it has at first.
    #[inline]
    fn can_grow(&self) -> bool {
        match &self.guest {
            Guest::One(_) => self.program.can_grow(),
            Guest::Tree(tree) => tree.programs().can_grow(),
        }
    }

    /// Lets heaps grow by as many pages in the next run. Gives the pages that it has now.
    #[cold]
    fn let_grow(&mut self, pages: u64) -> u64 {
        let now = self.pages();
        let room = pages.saturating_mul(PAGE_SIZE.into());
        match &mut self.guest {
            Guest::One(machine) => machine.set_memory_limit(machine.memory_bytes().saturating_add(room)),
            Guest::Tree(tree) => tree.set_heap_limit(tree.heap_bytes().saturating_add(room)),
        }
        now
    }

    /// Runs with `run`, in which heaps can grow by as many pages. Adds those that they have grown by to `total`.
    #[inline]
    pub(crate) fn growing<T>(&mut self, pages: u64, total: &mut u64, run: impl FnOnce(&mut Self) -> T) -> T {
        if !self.can_grow() {
            return run(self);
        }
        let before = self.let_grow(pages);
        let result = run(self);
        // The heaps of processes that have ended are gone.
        *total = total.saturating_sub(before) + self.pages();
        result
    }

    /// Its state as bytes, if they are no more than this.
    pub(crate) fn snapshot(&mut self, most_bytes: u32) -> Result<Vec<u8>, Refusal> {
        let machine = match &mut self.guest {
            Guest::One(machine) => machine,
            Guest::Tree(tree) => return tree.snapshot(most_bytes),
        };
        let snapshot = machine.snapshot();
        if snapshot.byte_length() as u64 > most_bytes.into() {
            return Err(Refusal::SnapshotBytes);
        }
        Ok(snapshot.to_bytes())
    }

    /// An instance of which `snapshot` gave these bytes, if they are no more than this and have no more pages. No runtime has it yet.
    pub(crate) fn restored(
        program: Arc<Program>,
        bytes: &[u8],
        most_bytes: u32,
        most_pages: u64,
    ) -> Result<Self, Refusal> {
        let invalid = |error: &dyn std::error::Error| invalid_snapshot(error);
        let limit = usize::try_from(most_bytes).unwrap_or(usize::MAX);
        let snapshot = Snapshot::from_bytes(bytes, limit).map_err(|error| match error {
            SnapshotError::TooLong { .. } => Refusal::SnapshotBytes,
            error => invalid(&error),
        })?;
        if !is_of_a_guest_alone(&snapshot) {
            return Err(invalid_snapshot(&"a host has set permissions or sources of pages"));
        }
        // Before they are made. Pages that have bytes are among those that are counted afterwards.
        if snapshot.pages().len() as u64 > most_pages {
            return Err(Refusal::Pages);
        }
        let machine = program.module().restore(&snapshot, &()).map_err(|error| invalid(&error))?;
        let stop = Stop::of(machine.status(), machine.module());
        Ok(Self::with_guest(Guest::One(machine), program, stop))
    }

    /// The tree of processes of which `snapshot` gave these bytes, if they are no more than this and have no more pages. No runtime has
    /// it yet.
    pub(crate) fn restored_tree(
        programs: Arc<Programs>,
        bytes: &[u8],
        most_bytes: u32,
        most_pages: u64,
    ) -> Result<Self, Refusal> {
        if bytes.len() as u64 > most_bytes.into() {
            return Err(Refusal::SnapshotBytes);
        }
        let program = programs.root().clone();
        let parts = SnapshotParts::decode_all(&mut &bytes[..]).map_err(|error| invalid_snapshot(&error))?;
        // As of a single instance. Each of its processes alone could have as many as an instance may.
        if parts.pages.len() as u64 > most_pages {
            return Err(Refusal::Pages);
        }
        let tree = Tree::restored(programs, parts).map_err(|error| invalid_snapshot(&error))?;
        let stop = Stop::of_tree(&tree.stopped(), &tree);
        Ok(Self::with_guest(Guest::Tree(Box::new(tree)), program, stop))
    }

    pub(crate) fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// What the process executes that the last stop is of.
    pub(crate) fn stopped_program(&self) -> &Arc<Program> {
        match &self.guest {
            Guest::One(_) => &self.program,
            Guest::Tree(tree) => tree.stopped_program(),
        }
    }

    /// The trap that ended its last call, if one did.
    pub(crate) fn trap(&self) -> Option<Trap> {
        match self.stop {
            Stop::Trap(trap) => Some(trap),
            _ => None,
        }
    }

    /// Whether it is prepared or suspended at a syscall.
    #[inline]
    pub(crate) fn is_ready(&self) -> bool {
        matches!(self.stop, Stop::Prepared | Stop::Syscall(_))
    }

    /// Whether it could go on with more gas, although to the first set of host functions it is idle.
    pub(crate) fn is_out_of_gas(&self) -> bool {
        self.stop == Stop::OutOfGas
    }

    /// Makes an instance that is not ready ready, with arguments in a1 to a5.
    pub(crate) fn prepare(&mut self, function: &[u8], arguments: [u64; 5]) -> Result<(), Refusal> {
        let Some(entry) = self.program.module().export(function) else {
            tracing::debug!(target: LOG_TARGET, "The program has no export \"{}\"", function.escape_ascii());
            return Err(Refusal::UnknownExport);
        };
        let [a1, a2, a3, a4, a5] = arguments;
        let machine = match &mut self.guest {
            Guest::One(machine) => machine,
            Guest::Tree(tree) => tree.root_to_prepare(),
        };
        if let Err(error) = machine.prepare_at(entry, &[0, a1, a2, a3, a4, a5]) {
            self.program.metrics().host_failure("prepare an export", &error);
        }
        self.stop = Stop::Prepared;
        self.call_gas = 0;
        self.call_start = None;
        Ok(())
    }

    /// Runs a ready instance, with `a0` in that register.
    #[inline]
    pub(crate) fn run(
        &mut self,
        gas_left: i64,
        a0: u64,
        buffer: &mut ExecBuffer,
    ) -> Result<ExecStatus, ExecError> {
        let machine = match &mut self.guest {
            Guest::One(machine) => Some(machine),
            Guest::Tree(tree) => tree.current(),
        };
        if let Some(machine) = machine {
            machine.set_reg(Reg::A0, a0);
        }
        self.resume(gas_left, buffer)
    }

    /// Runs an instance that is ready or out of gas, with the registers as they are.
    #[inline]
    pub(crate) fn resume(&mut self, gas_left: i64, buffer: &mut ExecBuffer) -> Result<ExecStatus, ExecError> {
        if !matches!(self.stop, Stop::Syscall(_)) {
            self.call_start = self.program.metrics().now();
        }
        let Guest::One(machine) = &mut self.guest else { return self.resume_tree(gas_left, buffer) };
        machine.set_gas(gas_left);
        let exit = match machine.run() {
            Ok(exit) => exit,
            Err(error) => self.program.metrics().host_failure("run a program", &error),
        };
        self.call_gas = self.call_gas.wrapping_add_signed(gas_left.wrapping_sub(machine.gas()));
        if let Exit::Syscall(import) = exit
            && let Some(symbol) = self.program.import(import)
        {
            self.stop = Stop::Syscall(import);
            *buffer = syscall(machine, machine.gas(), *symbol);
            return Ok(ExecStatus::Syscall);
        }
        self.ended(exit, buffer)
    }

    /// As `resume`, of a tree of processes.
    fn resume_tree(&mut self, gas_left: i64, buffer: &mut ExecBuffer) -> Result<ExecStatus, ExecError> {
        let Guest::Tree(tree) = &mut self.guest else { return Err(ExecError::InvalidInstance) };
        let stopped = match tree.run(gas_left) {
            Ok(stopped) => stopped,
            Err(error) => self.program.metrics().host_failure("run a tree of processes", &error),
        };
        self.stop = Stop::of_tree(&stopped, tree);
        self.call_gas = self.call_gas.wrapping_add_signed(gas_left.wrapping_sub(tree.gas_left()));
        let (end, result) = match self.stop {
            Stop::Syscall(import) => {
                let (_, machine) = tree.stopped_process();
                let symbol = symbol(machine.module(), import).unwrap_or_default();
                *buffer = syscall(machine, tree.gas_left(), symbol);
                return Ok(ExecStatus::Syscall);
            }
            Stop::Finished => {
                *buffer = ExecBuffer { gas_left: tree.gas_left(), ..ExecBuffer::default() };
                (CallEnd::Finished, Ok(ExecStatus::Finished))
            }
            Stop::OutOfGas => (CallEnd::OutOfGas, Err(ExecError::OutOfGas)),
            Stop::InvalidSyscall(_) => (CallEnd::InvalidSyscall, Err(ExecError::InvalidImage)),
            Stop::BadImage(_) => (CallEnd::Trapped, Err(ExecError::InvalidImage)),
            Stop::Trap(_) | Stop::CallArgument(_) | Stop::Deadlock | Stop::Idle | Stop::Prepared => {
                (CallEnd::Trapped, Err(ExecError::Trap))
            }
        };
        tracing::debug!(target: LOG_TARGET, "A tree of processes stopped: {stopped:?}");
        self.count_call(end);
        result
    }

    /// To these host functions whatever does not wait for an answer is over, even what the engine could go on with.
    #[cold]
    fn ended(&mut self, exit: Exit, buffer: &mut ExecBuffer) -> Result<ExecStatus, ExecError> {
        let (stop, end, result) = match exit {
            Exit::Finished => {
                *buffer = ExecBuffer { gas_left: self.gas_left(), ..ExecBuffer::default() };
                (Stop::Finished, CallEnd::Finished, Ok(ExecStatus::Finished))
            }
            Exit::Syscall(number) => {
                tracing::debug!(target: LOG_TARGET, "The program made syscall {number}, which it does not import");
                (Stop::InvalidSyscall(number), CallEnd::InvalidSyscall, Err(ExecError::InvalidImage))
            }
            Exit::OutOfGas => (Stop::OutOfGas, CallEnd::OutOfGas, Err(ExecError::OutOfGas)),
            Exit::Trap(trap) => {
                tracing::debug!(target: LOG_TARGET, "The program trapped: {trap}");
                (Stop::Trap(trap), CallEnd::Trapped, Err(ExecError::Trap))
            }
            other => {
                let error = format_args!("{other:?} was not asked for");
                self.program.metrics().host_failure("run a program", &error)
            }
        };
        self.stop = stop;
        self.count_call(end);
        result
    }

    fn count_call(&mut self, end: CallEnd) {
        // What is resumed is counted as another call.
        let gas = std::mem::take(&mut self.call_gas);
        tracing::trace!(target: LOG_TARGET, gas, "A call ended: {end:?}");
        self.program.metrics().count_since(self.call_start, Event::Called { gas, end });
    }

    /// Counts a call that the runtime gave up, if there is one.
    fn given_up(&mut self) {
        if self.is_ready() {
            self.count_call(CallEnd::GivenUp);
        }
    }

    /// The machine, if its memory is accessible now.
    #[inline]
    pub(crate) fn ready(&mut self) -> Result<&mut Machine, MemoryError> {
        if !self.is_ready() {
            return Err(MemoryError::InvalidInstance);
        }
        match &mut self.guest {
            Guest::One(machine) => Ok(machine),
            Guest::Tree(tree) => tree.current().ok_or(MemoryError::InvalidInstance),
        }
    }

    /// Back to how it was made.
    pub(crate) fn reset(&mut self) {
        self.given_up();
        match &mut self.guest {
            Guest::One(machine) => machine.reset(),
            Guest::Tree(tree) => tree.reset(),
        }
        self.stop = Stop::Idle;
        self.refusal = None;
    }

    /// What the call that finished returned.
    pub(crate) fn result(&self) -> Result<CallResult, ControlError> {
        if self.stop != Stop::Finished {
            return Err(ControlError::InvalidState);
        }
        let (_, machine) = self.stopped_process();
        Ok(CallResult { a0: machine.reg(Reg::A0), a1: machine.reg(Reg::A1) })
    }

    /// The process that the last stop is of, 0 unless there are several, and its machine.
    fn stopped_process(&self) -> (u64, &Machine) {
        match &self.guest {
            Guest::One(machine) => (0, machine),
            Guest::Tree(tree) => tree.stopped_process(),
        }
    }

    fn gas_left(&self) -> i64 {
        match &self.guest {
            Guest::One(machine) => machine.gas(),
            Guest::Tree(tree) => tree.gas_left(),
        }
    }

    pub(crate) fn exit_info(&self) -> ExitInfo {
        use hatchery_primitives::Stop as Told;
        let stop = match self.stop {
            Stop::Idle => Told::Idle,
            Stop::Prepared => Told::Ready,
            Stop::Syscall(import) => Told::Syscall { import },
            Stop::Finished => Told::Finished,
            Stop::OutOfGas => Told::OutOfGas,
            Stop::Trap(Trap { kind, address, .. }) => Told::Trap { kind: TrapKind(kind as u8), address },
            Stop::InvalidSyscall(import) => Told::InvalidSyscall { import },
            Stop::CallArgument(address) => Told::Trap { kind: TrapKind::CALL_ARGUMENT, address },
            Stop::Deadlock => Told::Deadlock,
            Stop::BadImage(reason) => Told::BadImage { reason: reason as u8 },
        };
        let (process, machine) = self.stopped_process();
        // Gas is given with each run, so before the first one there is none.
        let has_run = !matches!(self.stop, Stop::Idle | Stop::Prepared);
        ExitInfo {
            stop,
            pc: machine.pc().0,
            gas_left: if has_run { self.gas_left() } else { 0 },
            process,
            refusal: self.refusal,
        }
    }
}

impl Stop {
    /// Where a machine is.
    fn of(status: Status, module: &Module) -> Self {
        match status {
            Status::Idle => Self::Idle,
            Status::Ready => Self::Prepared,
            Status::Stopped(Exit::Finished) => Self::Finished,
            Status::Stopped(Exit::Syscall(number)) => Self::at_syscall(number, module),
            Status::Stopped(Exit::Trap(trap)) => Self::Trap(trap),
            // Another embedder can have paused it: here as well it goes on when it is told to.
            Status::Stopped(Exit::OutOfGas | Exit::Paused | Exit::PageFault(_)) => Self::OutOfGas,
        }
    }

    /// Where a tree of processes is.
    fn of_tree(stopped: &Stopped, tree: &Tree) -> Self {
        match stopped {
            Stopped::Root(status) => Self::of(*status, tree.stopped_process().1.module()),
            Stopped::Syscall(number) => Self::at_syscall(*number, tree.stopped_process().1.module()),
            Stopped::OutOfGas => Self::OutOfGas,
            Stopped::Deadlock => Self::Deadlock,
            // An exit code is no failure here: what it means is between the guest and the runtime.
            Stopped::Ended(ProcessEnd::Exited(_)) => Self::Finished,
            Stopped::Ended(ProcessEnd::Trapped(Fault { kind: FaultKind::Trap(kind), pc, address })) => {
                Self::Trap(Trap { kind: *kind, pc: *pc, address: *address })
            }
            Stopped::Ended(ProcessEnd::Trapped(Fault { kind: FaultKind::Argument, address, .. })) => {
                Self::CallArgument(*address)
            }
            Stopped::Ended(ProcessEnd::BadImage(reason)) => Self::BadImage(*reason),
        }
    }

    fn at_syscall(number: u32, module: &Module) -> Self {
        if symbol(module, number).is_some() { Self::Syscall(number) } else { Self::InvalidSyscall(number) }
    }
}

fn invalid_snapshot(why: &dyn std::fmt::Display) -> Refusal {
    tracing::debug!(target: LOG_TARGET, "A snapshot is refused: {why}");
    Refusal::InvalidSnapshot
}

/// Whether an instance comes to this without its host setting permissions of pages or noting where their bytes are from, neither of
/// which is ever done here. A page that has a permission of its own is memory that nobody counts.
pub(crate) fn is_of_a_guest_alone(snapshot: &Snapshot) -> bool {
    snapshot.permissions().next().is_none() && snapshot.sources().next().is_none()
}

/// Bytes of memory in pages.
fn pages(bytes: u64) -> u64 {
    bytes.div_ceil(PAGE_SIZE.into())
}

/// The symbol of a module's import.
fn symbol(module: &Module, import: u32) -> Option<SyscallSymbol> {
    SyscallSymbol::new(module.imports().get(usize::try_from(import).ok()?)?)
}

/// What a runtime is told of a syscall.
#[inline]
fn syscall(machine: &Machine, gas_left: i64, syscall_symbol: SyscallSymbol) -> ExecBuffer {
    ExecBuffer {
        gas_left,
        syscall_symbol,
        a0: machine.reg(Reg::A0),
        a1: machine.reg(Reg::A1),
        a2: machine.reg(Reg::A2),
        a3: machine.reg(Reg::A3),
        a4: machine.reg(Reg::A4),
        a5: machine.reg(Reg::A5),
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.retire();
    }
}
