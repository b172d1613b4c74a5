//! One instance of a program.

use crate::{
    metrics::{CallEnd, Event},
    program::Program,
    transactions::Serial,
};
use hatchery_engine::{
    Exit, Instance as Machine, Reg, Snapshot, SnapshotError, Status, Trap, memory::PAGE_SIZE,
};
use hatchery_primitives::{
    CallResult, ControlError, ExecBuffer, ExecError, ExecStatus, ExitInfo, LOG_TARGET, MemoryError, Refusal,
    TrapKind,
};
use std::{sync::Arc, time::Instant};

/// An instance, idle or ready: prepared, or suspended at a syscall.
pub(crate) struct Instance {
    machine: Machine,
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
}

impl Instance {
    pub(crate) fn new(program: Arc<Program>) -> Self {
        program.metrics().count(Event::InstanceMade);
        let machine = program.module().instantiate();
        Self {
            machine,
            program,
            stop: Stop::Idle,
            refusal: None,
            noted_in: 0,
            call_start: None,
            call_gas: 0,
            is_alive: true,
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
        Self {
            machine: self.machine.fork(),
            program: self.program.clone(),
            call_start: None,
            call_gas: 0,
            is_alive: false,
            ..*self
        }
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

    /// The pages of memory that it has, heap included.
    pub(crate) fn pages(&self) -> u64 {
        self.machine.memory_bytes().div_ceil(PAGE_SIZE.into())
    }

    /// Lets the heap grow by as many pages in the next run. Gives the pages that it has now.
    #[cold]
    fn let_grow(&mut self, pages: u64) -> u64 {
        let now = self.pages();
        self.machine.set_memory_limit(now.saturating_add(pages).saturating_mul(PAGE_SIZE.into()));
        now
    }

    /// Runs with `run`, in which the heap can grow by as many pages. Adds those that it has grown by to `total`.
    #[inline]
    pub(crate) fn growing<T>(&mut self, pages: u64, total: &mut u64, run: impl FnOnce(&mut Self) -> T) -> T {
        if !self.program.can_grow() {
            return run(self);
        }
        let before = self.let_grow(pages);
        let result = run(self);
        *total += self.pages() - before;
        result
    }

    /// Its state as bytes, if they are no more than this.
    pub(crate) fn snapshot(&self, most_bytes: u32) -> Result<Vec<u8>, Refusal> {
        let snapshot = self.machine.snapshot();
        if snapshot.byte_length() as u64 > most_bytes.into() {
            return Err(Refusal::SnapshotBytes);
        }
        Ok(snapshot.to_bytes())
    }

    /// An instance of which `snapshot` gave these bytes, if they are no more than this. No runtime has it yet.
    pub(crate) fn restored(program: Arc<Program>, bytes: &[u8], most_bytes: u32) -> Result<Self, Refusal> {
        let invalid = |error: &dyn std::error::Error| {
            tracing::debug!(target: LOG_TARGET, "A snapshot is refused: {error}");
            Refusal::InvalidSnapshot
        };
        let limit = usize::try_from(most_bytes).unwrap_or(usize::MAX);
        let snapshot = Snapshot::from_bytes(bytes, limit).map_err(|error| match error {
            SnapshotError::TooLong { .. } => Refusal::SnapshotBytes,
            error => invalid(&error),
        })?;
        let machine = program.module().restore(&snapshot, &()).map_err(|error| invalid(&error))?;
        let stop = match machine.status() {
            Status::Idle => Stop::Idle,
            Status::Ready => Stop::Prepared,
            Status::Stopped(Exit::Finished) => Stop::Finished,
            Status::Stopped(Exit::Syscall(import)) if program.import(import).is_some() => {
                Stop::Syscall(import)
            }
            Status::Stopped(Exit::Syscall(number)) => Stop::InvalidSyscall(number),
            Status::Stopped(Exit::Trap(trap)) => Stop::Trap(trap),
            // Another embedder can have paused it: here as well it goes on when it is told to.
            Status::Stopped(Exit::OutOfGas | Exit::Paused | Exit::PageFault(_)) => Stop::OutOfGas,
        };
        Ok(Self {
            machine,
            program,
            stop,
            refusal: None,
            noted_in: 0,
            call_start: None,
            call_gas: 0,
            is_alive: false,
        })
    }

    pub(crate) fn program(&self) -> &Arc<Program> {
        &self.program
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
        if let Err(error) = self.machine.prepare_at(entry, &[0, a1, a2, a3, a4, a5]) {
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
        self.machine.set_reg(Reg::A0, a0);
        self.resume(gas_left, buffer)
    }

    /// Runs an instance that is ready or out of gas, with the registers as they are.
    #[inline]
    pub(crate) fn resume(&mut self, gas_left: i64, buffer: &mut ExecBuffer) -> Result<ExecStatus, ExecError> {
        if !matches!(self.stop, Stop::Syscall(_)) {
            self.call_start = self.program.metrics().now();
        }
        let machine = &mut self.machine;
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
            *buffer = ExecBuffer {
                gas_left: machine.gas(),
                syscall_symbol: *symbol,
                a0: machine.reg(Reg::A0),
                a1: machine.reg(Reg::A1),
                a2: machine.reg(Reg::A2),
                a3: machine.reg(Reg::A3),
                a4: machine.reg(Reg::A4),
                a5: machine.reg(Reg::A5),
            };
            return Ok(ExecStatus::Syscall);
        }
        self.ended(exit, buffer)
    }

    /// To these host functions whatever does not wait for an answer is over, even what the engine could go on with.
    #[cold]
    fn ended(&mut self, exit: Exit, buffer: &mut ExecBuffer) -> Result<ExecStatus, ExecError> {
        let (stop, end, result) = match exit {
            Exit::Finished => {
                *buffer = ExecBuffer { gas_left: self.machine.gas(), ..ExecBuffer::default() };
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
        if self.is_ready() { Ok(&mut self.machine) } else { Err(MemoryError::InvalidInstance) }
    }

    /// Back to how it was made.
    pub(crate) fn reset(&mut self) {
        self.given_up();
        self.machine.reset();
        self.stop = Stop::Idle;
        self.refusal = None;
    }

    /// What the call that finished returned.
    pub(crate) fn result(&self) -> Result<CallResult, ControlError> {
        if self.stop != Stop::Finished {
            return Err(ControlError::InvalidState);
        }
        Ok(CallResult { a0: self.machine.reg(Reg::A0), a1: self.machine.reg(Reg::A1) })
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
        };
        // Gas is given with each run, so before the first one there is none.
        let has_run = !matches!(self.stop, Stop::Idle | Stop::Prepared);
        ExitInfo {
            stop,
            pc: self.machine.pc().0,
            gas_left: if has_run { self.machine.gas() } else { 0 },
            process: 0,
            refusal: self.refusal,
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.retire();
    }
}
