//! How processes end, and how others learn of it.

use std::sync::Arc;

use hatchery_engine::Permission;

use super::{Bill, Halt, Outcome};
use crate::abi::{Code, Descriptor, ProcessId};
use crate::cost;
use crate::scheduler::{Error, Scheduler};
use crate::source::ProgramSource;
use crate::status::Status;
use crate::table::{Slot, State};
use crate::trace::Event;

impl<S: ProgramSource> Scheduler<S> {
    pub(super) fn exit(&mut self, slot: Slot, bill: &mut Bill) -> Result<Outcome, Halt> {
        self.add(bill, cost::CALL)?;
        let [code] = self.arguments(slot);
        self.settle(slot, bill);
        self.end(slot, Status::Exited(code as i8), None)?;
        Ok(Outcome::Gone)
    }

    pub(super) fn wait(&mut self, slot: Slot, bill: &mut Bill) -> Result<Outcome, Halt> {
        self.add(bill, cost::CALL)?;
        let [target, address] = self.arguments(slot);
        let (target, address) = (ProcessId(target), address as u32);
        self.check(slot, address, 8, Permission::ReadWrite)?;
        if let Some(status) = self.ended.take(target) {
            self.write(slot, address, &status.to_bytes())?;
            return Ok(Code::Success.into());
        }
        let Some(target) = self.table.find(target) else { return Ok(Code::NoProcess.into()) };
        if let Some(process) = self.table.get_mut(target) {
            process.waiters |= 1 << slot.0;
        }
        self.table.set_state(slot, State::Waiting { target, status: address });
        Ok(Outcome::Blocked)
    }

    /// Ends a process: tells those who wait for it, or remembers its end; closes its descriptors. The end of the root is the end
    /// of all.
    pub(crate) fn end(
        &mut self,
        slot: Slot,
        status: Status,
        detail: Option<Arc<str>>,
    ) -> Result<(), Box<Error>> {
        let Some(process) = self.table.get(slot) else { return Ok(()) };
        let (id, waiters) = (process.id, process.waiters);
        self.record(id, || Event::Ended { status, detail });
        if id == ProcessId::ROOT {
            self.result = Some(status);
            for other in self.table.in_order().skip(1).collect::<Vec<_>>() {
                self.remove(other);
            }
            for descriptor in self.pipes.all() {
                self.pipes.close(descriptor);
            }
            self.ended.clear();
            // It waits for nothing any more, whatever it was about to do.
            if let Some(root) = self.table.get_mut(slot) {
                root.state = State::Ready;
            }
            return Ok(());
        }
        // In the order of ids, which is not that of slots.
        let woken: Vec<Slot> = self.table.in_order().filter(|waiter| waiters & 1 << waiter.0 != 0).collect();
        for waiter in woken {
            if let Some(process) = self.table.get(waiter)
                && let State::Waiting { status: address, .. } = process.state
            {
                self.write(waiter, address, &status.to_bytes())?;
                self.wake(waiter, Code::Success);
            }
        }
        if waiters == 0 {
            self.remember(id, status);
        }
        let descriptors: Vec<Descriptor> = self.pipes.of(slot).collect();
        for descriptor in descriptors {
            self.close(descriptor)?;
        }
        self.remove(slot);
        Ok(())
    }

    /// Keeps the end of a process for who waits later.
    pub(super) fn remember(&mut self, id: ProcessId, status: Status) {
        self.ended.remember(id, status, self.limits.statuses as usize);
    }
}
