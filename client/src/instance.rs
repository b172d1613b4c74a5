//! One instance of a program.

use crate::{
    metrics::{CallEnd, Event},
    program::Program,
    transactions::Serial,
};
use hatchery_engine::{Exit, Instance as Machine, Reg, Trap};
use hatchery_primitives::{ExecBuffer, ExecError, ExecStatus, LOG_TARGET, MemoryError};
use std::{sync::Arc, time::Instant};

/// An instance, idle or ready: prepared, or suspended at a syscall.
pub(crate) struct Instance {
    machine: Machine,
    program: Arc<Program>,
    is_ready: bool,
    /// For debuggers: the trap that ended the last call.
    trap: Option<Trap>,
    /// The Host transaction for which it is kept as it was before, as far as necessary.
    pub(crate) noted_in: Serial,
    /// For the metrics: when the current call began to run, if that is measured, and the gas that it used.
    call_start: Option<Instant>,
    call_gas: u64,
}

impl Instance {
    pub(crate) fn new(program: Arc<Program>) -> Self {
        program.metrics().count(Event::InstanceMade);
        let machine = program.module().instantiate();
        Self { machine, program, is_ready: false, trap: None, noted_in: 0, call_start: None, call_gas: 0 }
    }

    /// The same instance a second time. They share memory until either writes it.
    pub(crate) fn fork(&mut self) -> Self {
        self.program.metrics().count(Event::InstanceMade);
        Self { machine: self.machine.fork(), program: self.program.clone(), ..*self }
    }

    pub(crate) fn program(&self) -> &Program {
        &self.program
    }

    /// The trap that ended its last call, if one did.
    pub(crate) fn trap(&self) -> Option<Trap> {
        self.trap
    }

    /// Whether it is prepared or suspended at a syscall.
    pub(crate) fn is_ready(&self) -> bool {
        self.is_ready
    }

    /// Makes an idle instance ready.
    pub(crate) fn prepare(&mut self, function: &[u8]) -> Result<(), ExecError> {
        let Some(entry) = self.program.module().export(function) else {
            tracing::debug!(target: LOG_TARGET, "The program has no export \"{}\"", function.escape_ascii());
            return Err(ExecError::InvalidImage);
        };
        if let Err(error) = self.machine.prepare_at(entry, &[]) {
            self.program.metrics().host_failure("prepare an export", &error);
        }
        self.is_ready = true;
        self.trap = None;
        self.call_gas = 0;
        self.call_start = self.program.metrics().now();
        Ok(())
    }

    /// Runs a ready instance.
    #[inline]
    pub(crate) fn run(
        &mut self,
        gas_left: i64,
        a0: u64,
        buffer: &mut ExecBuffer,
    ) -> Result<ExecStatus, ExecError> {
        let machine = &mut self.machine;
        machine.set_reg(Reg::A0, a0);
        machine.set_gas(gas_left);
        let exit = match machine.run() {
            Ok(exit) => exit,
            Err(error) => self.program.metrics().host_failure("run a program", &error),
        };
        self.call_gas = self.call_gas.wrapping_add_signed(gas_left.wrapping_sub(machine.gas()));
        if let Exit::Syscall(index) = exit
            && let Some(symbol) = self.program.import(index)
        {
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
        match exit {
            Exit::Finished => {
                buffer.gas_left = self.machine.gas();
                self.end_call(CallEnd::Finished);
                Ok(ExecStatus::Finished)
            }
            Exit::Syscall(index) => {
                tracing::debug!(target: LOG_TARGET, "The program made syscall {index}, which it does not import");
                self.end_call(CallEnd::InvalidSyscall);
                Err(ExecError::InvalidImage)
            }
            Exit::OutOfGas => {
                self.end_call(CallEnd::OutOfGas);
                Err(ExecError::OutOfGas)
            }
            Exit::Trap(trap) => {
                tracing::debug!(target: LOG_TARGET, "The program trapped: {trap}");
                self.trap = Some(trap);
                self.end_call(CallEnd::Trapped);
                Err(ExecError::Trap)
            }
            other => {
                let error = format_args!("{other:?} was not asked for");
                self.program.metrics().host_failure("run a program", &error)
            }
        }
    }

    fn end_call(&mut self, end: CallEnd) {
        self.is_ready = false;
        self.count_call(end);
    }

    fn count_call(&self, end: CallEnd) {
        let gas = self.call_gas;
        tracing::trace!(target: LOG_TARGET, gas, "A call ended: {end:?}");
        self.program.metrics().count_since(self.call_start, Event::Called { gas, end });
    }

    /// Counts a call that the runtime gave up, if there is one.
    pub(crate) fn given_up(&self) {
        if self.is_ready {
            self.count_call(CallEnd::GivenUp);
        }
    }

    /// The machine, if its memory is accessible now.
    pub(crate) fn ready(&mut self) -> Result<&mut Machine, MemoryError> {
        if self.is_ready { Ok(&mut self.machine) } else { Err(MemoryError::InvalidInstance) }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.program.metrics().count(Event::InstanceGone);
    }
}
