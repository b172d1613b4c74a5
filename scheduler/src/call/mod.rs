//! What calls do.
//!
//! A call looks at everything it needs, adds up what it costs, and stops where the limit does not allow that: then nothing has
//! happened and it is made again later. Only when all is paid does it change something.

mod end;
mod piping;
mod program;

use hatchery_engine::memory::LOWEST_ADDRESS;
use hatchery_engine::{Instance, MemoryError, PageFault, Permission, Reg};

use crate::abi::{Call, Code, ProcessId};
use crate::cost;
use crate::scheduler::{Error, Interruption, Scheduler};
use crate::source::ProgramSource;
use crate::status::{Fault, FaultKind, Status};
use crate::table::{Process, Slot, State};
use crate::trace::Event;

pub(crate) use program::{instance, part};

/// What became of a call that was done.
pub(crate) enum Outcome {
    /// It returns this in `a0`.
    Return(u64),
    /// The caller has to wait, and is said to.
    Blocked,
    /// There is nobody to return to.
    Gone,
}

impl From<Code> for Outcome {
    fn from(code: Code) -> Self {
        Self::Return(code as u64)
    }
}

/// Why a call was not done.
pub(crate) enum Halt {
    /// The limit does not allow it.
    OutOfGas,
    /// The caller passed memory that it cannot access.
    Fault(u32),
    /// The caller passed memory that the embedder may provide.
    PageFault(Box<PageFault>),
    /// The host failed.
    Host(Box<Error>),
}

impl From<Box<Error>> for Halt {
    fn from(error: Box<Error>) -> Self {
        Self::Host(error)
    }
}

/// What a call costs so far and is not charged yet.
#[derive(Default)]
pub(crate) struct Bill(u64);

impl<S: ProgramSource> Scheduler<S> {
    /// Does the call that a process has stopped at.
    #[inline]
    pub(crate) fn perform(&mut self, slot: Slot, call: Call) -> Result<Option<Interruption>, Box<Error>> {
        let mut bill = Bill::default();
        let done = match call {
            Call::Spawn => self.spawn(slot, &mut bill),
            Call::Wait => self.wait(slot, &mut bill),
            Call::Id => self.id(slot, &mut bill),
            Call::Exit => self.exit(slot, &mut bill),
            Call::PipeCreate => self.pipe_create(slot, &mut bill),
            Call::PipeRead => self.pipe_read(slot, &mut bill),
            Call::PipeWrite => self.pipe_write(slot, &mut bill),
            Call::PipeClose => self.pipe_close(slot, &mut bill),
            Call::InheritedDescriptors => self.inherited_descriptors(slot, &mut bill),
            Call::Exec => self.exec(slot, &mut bill),
            Call::Gas => self.gas(&mut bill),
        };
        let outcome = match done {
            Ok(outcome) => outcome,
            Err(Halt::OutOfGas) => {
                self.table.set_state(slot, State::Calling(call));
                return Ok(Some(Interruption::OutOfGas));
            }
            Err(Halt::Host(error)) => {
                self.table.set_state(slot, State::Calling(call));
                return Err(error);
            }
            Err(Halt::PageFault(fault)) => {
                let id = self.table.get(slot).map_or(ProcessId::ROOT, |process| process.id);
                self.table.set_state(slot, State::Calling(call));
                self.current = Some(slot);
                return Ok(Some(Interruption::PageFault(id, *fault)));
            }
            Err(Halt::Fault(address)) => {
                self.settle(slot, &mut bill);
                let pc = self.table.get(slot).map_or(0, |process| process.instance.pc().0);
                let fault = Fault { kind: FaultKind::Argument, pc, address: Some(address) };
                self.end(slot, Status::Trapped(fault), None)?;
                Outcome::Gone
            }
        };
        self.settle(slot, &mut bill);
        match outcome {
            Outcome::Return(value) => {
                let Some(process) = self.table.get_mut(slot) else { return Ok(None) };
                process.instance.set_reg(Reg::A0, value);
                let id = process.id;
                if process.state != State::Ready {
                    self.table.set_state(slot, State::Ready);
                }
                self.record(id, || Event::Returned { call, value });
                Ok(None)
            }
            Outcome::Blocked => {
                if let Some(process) = self.table.get(slot) {
                    let id = process.id;
                    self.record(id, || Event::Blocked { call });
                }
                Ok(None)
            }
            Outcome::Gone => Ok(self.result.map(Interruption::Ended)),
        }
    }

    /// Adds to what a call costs, if the limit allows it.
    #[inline]
    fn add(&self, bill: &mut Bill, gas: u64) -> Result<(), Halt> {
        if !self.can_add(bill, gas) {
            return Err(Halt::OutOfGas);
        }
        bill.0 = bill.0.saturating_add(gas);
        Ok(())
    }

    /// Whether the limit allows a call to cost so much more.
    #[inline]
    fn can_add(&self, bill: &Bill, gas: u64) -> bool {
        let total = bill.0.saturating_add(gas);
        self.used.checked_add(total).is_some_and(|used| used <= self.limit)
    }

    /// Charges what a call costs so far, which the limit allows.
    #[inline]
    fn settle(&mut self, slot: Slot, bill: &mut Bill) {
        let gas = core::mem::take(&mut bill.0);
        if gas > 0
            && let Some(process) = self.table.get_mut(slot)
        {
            process.gas += gas;
            self.used += gas;
        }
    }

    fn id(&self, slot: Slot, bill: &mut Bill) -> Result<Outcome, Halt> {
        self.add(bill, cost::QUERY)?;
        Ok(Outcome::Return(self.table.get(slot).map_or(0, |process| process.id.0)))
    }

    fn gas(&self, bill: &mut Bill) -> Result<Outcome, Halt> {
        self.add(bill, cost::QUERY)?;
        Ok(Outcome::Return(self.used + bill.0))
    }

    /// The arguments of a call.
    #[inline]
    fn arguments<const N: usize>(&self, slot: Slot) -> [u64; N] {
        match self.table.get(slot) {
            Some(process) => core::array::from_fn(|at| process.instance.reg(Reg::ARGUMENTS[at])),
            None => [0; N],
        }
    }

    /// Reads memory that a process has passed.
    #[inline]
    fn read(&self, slot: Slot, address: u32, into: &mut [u8]) -> Result<(), Halt> {
        match self.table.get(slot) {
            Some(Process { instance, .. }) => {
                instance.memory().read(address, into).map_err(|error| refused(instance, &error))
            }
            None => Ok(()),
        }
    }

    fn read_u64(&self, slot: Slot, address: u32) -> Result<u64, Halt> {
        let mut bytes = [0; 8];
        self.read(slot, address, &mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// Whether memory that a process has passed is what the call needs.
    #[inline]
    fn check(&self, slot: Slot, address: u32, length: u64, permission: Permission) -> Result<(), Halt> {
        match self.table.get(slot) {
            Some(Process { instance, .. }) => instance
                .memory()
                .check(address, length, permission)
                .map_err(|error| refused(instance, &error)),
            None => Ok(()),
        }
    }

    /// Writes memory that was checked when the process made its call.
    #[inline(always)]
    fn write(&mut self, slot: Slot, address: u32, bytes: &[u8]) -> Result<(), Box<Error>> {
        if let Some(process) = self.table.get_mut(slot)
            && let Some(own) = process.instance.memory_mut().at_once(address, bytes.len())
        {
            own.copy_from_slice(bytes);
            return Ok(());
        }
        self.write_anywhere(slot, address, bytes)
    }

    /// As `write`, where the bytes cannot be had at once.
    #[cold]
    fn write_anywhere(&mut self, slot: Slot, address: u32, bytes: &[u8]) -> Result<(), Box<Error>> {
        let Some(process) = self.table.get_mut(slot) else { return Ok(()) };
        let gone = |_: MemoryError| Box::new(Error::Memory { process: process.id, address });
        process.instance.memory_mut().write(address, bytes).map_err(gone)
    }

    /// Ends the waiting of a process.
    #[inline]
    fn wake(&mut self, slot: Slot, code: Code) {
        self.table.set_state(slot, State::Ready);
        if let Some(process) = self.table.get_mut(slot) {
            process.instance.set_reg(Reg::A0, code as u64);
            let id = process.id;
            self.record(id, || Event::Woken { value: code as u64 });
        }
    }
}

/// Why a call is not done whose memory the caller cannot access: as if the caller had accessed it.
#[cold]
fn refused(instance: &Instance, error: &MemoryError) -> Halt {
    let MemoryError::OutOfRange { address, length, page_address, .. } = *error else { return Halt::Fault(0) };
    let wraps = u64::from(address).saturating_add(length) > 1 << 32;
    if wraps || page_address < LOWEST_ADDRESS || !instance.module().engine().config().gives_faults_to_host() {
        return Halt::Fault(address);
    }
    Halt::PageFault(Box::new(PageFault {
        page_address,
        address: address.max(page_address),
        pc: instance.pc().0,
        write_protected: instance.memory().check(page_address, 1, Permission::Read).is_ok(),
    }))
}
