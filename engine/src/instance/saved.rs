//! The state of an instance as data, and back.

use super::{Instance, State};
use crate::exit::{Exit, Status};
use crate::isa::{Opcode, Reg};
use crate::memory::{AddressSpace, PAGE_SIZE};
use crate::module::{self, Module};
use crate::snapshot::{DataSource, RestoreError, Snapshot};

impl Instance {
    /// Everything that decides how it goes on, as plain data: what is the same however it came about, on whichever backend. It
    /// stays as it is.
    ///
    /// Takes time in proportion to the pages that differ from the program's image, and to those that the window it runs in holds for
    /// writing, but for the first time of a module, which hashes its image.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            module: self.module.key(),
            regs: Reg::ALL.map(|reg| self.reg(reg)),
            pc: self.pc,
            is_charged: self.place().is_some_and(|(_, unpaid)| !unpaid),
            status: self.status,
            gas: self.gas,
            memory: self.with_space(AddressSpace::saved),
        }
    }
}

impl Module {
    /// An instance in the state that a snapshot tells. Pages that the snapshot refers to are read from `source`, which is `&()` where
    /// nothing was recorded.
    ///
    /// # Errors
    /// If it is a snapshot of another module, or no instance of this one has ever such a state, or `source` has other data.
    pub fn restore(&self, snapshot: &Snapshot, source: &dyn DataSource) -> Result<Instance, RestoreError> {
        let Snapshot { module, regs, pc, is_charged, status, gas, memory } = snapshot;
        if *module != self.key() {
            return Err(RestoreError::ForeignModule { expected: self.key(), found: *module });
        }
        let state = self.state_of(*status, *pc, *is_charged).ok_or(RestoreError::Place {
            pc: *pc,
            status: *status,
            is_charged: *is_charged,
        })?;
        let mut instance = self.instantiate();
        for (reg, &value) in Reg::ALL.into_iter().zip(regs) {
            instance.set_reg(reg, value);
            if instance.reg(reg) != value {
                return Err(RestoreError::Register { reg, value });
            }
        }
        let space = AddressSpace::restored(self.inner.image.clone(), memory, source)?;
        instance.held = Some(Box::new(space));
        instance.gas = *gas;
        instance.pc = *pc;
        instance.state = state;
        instance.status = *status;
        Ok(instance)
    }

    /// What an instance does next that is there; none if none is ever there.
    fn state_of(&self, status: Status, pc: u32, is_charged: bool) -> Option<State> {
        let module::Inner { code, blocks, regions, image, .. } = &*self.inner;
        let goes_on = || regions.stop_at(code, blocks, pc, is_charged).map(State::At);
        let Status::Stopped(exit) = status else {
            let (state, is_possible) = match status {
                Status::Idle => (State::Idle, pc == 0),
                _ => (State::Entry, true),
            };
            return (is_possible && !is_charged).then_some(state);
        };
        match exit {
            Exit::Finished => {
                let returns =
                    |opcode| matches!(opcode, Opcode::JumpIndirect | Opcode::LoadImmAndJumpIndirect);
                let is_return = code.is_start(pc)
                    && code.decode_at(pc).instruction.is_some_and(|instruction| returns(instruction.opcode));
                (is_return && !is_charged).then_some(State::Idle)
            }
            Exit::Trap(trap) => {
                let is_trap = trap.pc == pc && trap.address.is_some() == trap.kind.has_address();
                (is_trap && !is_charged).then_some(State::Idle)
            }
            Exit::Syscall(number) => {
                let (next, called) = regions.behind_syscall(code, blocks, pc)?;
                let is_paid = !regions.place(code, blocks, next).1;
                (called == number && is_paid == is_charged).then_some(State::At(next))
            }
            Exit::PageFault(fault) => {
                let is_fault = image.faults_to_host
                    && is_charged
                    && fault.pc == pc
                    && fault.page_address == fault.address / PAGE_SIZE * PAGE_SIZE;
                goes_on().filter(|_| is_fault)
            }
            Exit::Paused => goes_on(),
            Exit::OutOfGas => goes_on().or_else(|| {
                // In the middle of a block that is to be paid for as a whole.
                let entry = regions.entry(code, blocks, pc).filter(|_| !is_charged);
                entry.map(|_| State::Entry)
            }),
        }
    }
}
