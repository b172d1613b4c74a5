//! Pipes: bytes go from one process's memory to another's when both are there.

use hatchery_engine::Permission;

use super::{Bill, Halt, Outcome};
use crate::abi::{Code, Descriptor, End};
use crate::cost;
use crate::pipe::Place;
use crate::scheduler::{Error, Scheduler};
use crate::source::ProgramSource;
use crate::table::{Piping, Slot, State};

impl<S: ProgramSource> Scheduler<S> {
    pub(super) fn pipe_create(&mut self, slot: Slot, bill: &mut Bill) -> Result<Outcome, Halt> {
        self.add(bill, cost::CALL)?;
        let [address] = self.arguments(slot);
        let address = address as u32;
        self.check(slot, address, 16, Permission::ReadWrite)?;
        if self.pipes.open() + 2 > self.limits.descriptors {
            return Ok(Code::TooManyDescriptors.into());
        }
        let mut bytes = [0; 16];
        let [read, write] = self.pipes.create(slot);
        bytes[..8].copy_from_slice(&read.0.to_le_bytes());
        bytes[8..].copy_from_slice(&write.0.to_le_bytes());
        self.write(slot, address, &bytes)?;
        Ok(Code::Success.into())
    }

    pub(super) fn pipe_read(&mut self, slot: Slot, bill: &mut Bill) -> Result<Outcome, Halt> {
        self.pipe(slot, End::Read, bill)
    }

    pub(super) fn pipe_write(&mut self, slot: Slot, bill: &mut Bill) -> Result<Outcome, Halt> {
        self.pipe(slot, End::Write, bill)
    }

    pub(super) fn pipe_close(&mut self, slot: Slot, bill: &mut Bill) -> Result<Outcome, Halt> {
        self.add(bill, cost::CALL)?;
        let [descriptor] = self.arguments(slot);
        let descriptor = Descriptor(descriptor);
        if self.pipes.owned(descriptor, slot).is_none() {
            return Ok(Code::InvalidDescriptor.into());
        }
        self.settle(slot, bill);
        self.close(descriptor)?;
        Ok(Code::Success.into())
    }

    pub(super) fn inherited_descriptors(&mut self, slot: Slot, bill: &mut Bill) -> Result<Outcome, Halt> {
        self.add(bill, cost::CALL)?;
        let [buffer, count] = self.arguments(slot);
        let (buffer, count) = (buffer as u32, count as u32);
        self.check(slot, count, 8, Permission::ReadWrite)?;
        let capacity = self.read_u64(slot, count)?;
        let inherited = self.table.get(slot).map_or(&[][..], |process| &process.inherited);
        let real = inherited.len();
        let listed = real.min(usize::try_from(capacity).unwrap_or(usize::MAX));
        self.add(bill, cost::DESCRIPTOR * listed as u64)?;
        let bytes: Vec<u8> =
            inherited[..listed].iter().flat_map(|descriptor| descriptor.0.to_le_bytes()).collect();
        self.check(slot, buffer, bytes.len() as u64, Permission::ReadWrite)?;
        self.write(slot, buffer, &bytes)?;
        self.write(slot, count, &(real as u64).to_le_bytes())?;
        Ok(Code::Success.into())
    }

    /// Reads or writes.
    // Inlined into both. Where bytes can be had at once they are accessed where they lie: a read and a write that meet take some 130 ns,
    // what the guests do included.
    #[inline(always)]
    fn pipe(&mut self, slot: Slot, end: End, bill: &mut Bill) -> Result<Outcome, Halt> {
        self.add(bill, cost::CALL)?;
        let [descriptor, buffer, count] = self.arguments(slot);
        let (descriptor, buffer, count) = (Descriptor(descriptor), buffer as u32, count as u32);
        let length = self.number_to_change(slot, count)?;
        let Some((place, owners)) = self.pipes.place_of(descriptor, end) else {
            return Ok(Code::InvalidDescriptor.into());
        };
        if owners[end as usize] != Some(slot) {
            return Ok(Code::InvalidDescriptor.into());
        }
        if owners[end.other() as usize].is_none() {
            self.write(slot, count, &[0; 8])?;
            return Ok(Code::OtherEndClosed.into());
        }
        if length == 0 {
            return Ok(Code::Success.into());
        }
        if length > 1 << 32 {
            return Err(Halt::Fault(buffer));
        }
        self.add(bill, cost::pages(buffer, length))?;
        let mut own = Piping { descriptor, buffer, length, done: 0, count };
        if let Some(other) = self.pipes.at(place).waiting(end.other())
            && let Some(State::Piping(waiting)) = self.table.get(other).map(|process| process.state)
        {
            own.done = self.meet(end, place, (slot, own), (other, waiting), bill)?;
            if end == End::Read || own.done == length {
                self.write(slot, count, &own.done.to_le_bytes())?;
                return Ok(Code::Success.into());
            }
        } else if !self.is_at_hand(slot, buffer, length, end) {
            self.check(slot, buffer, length, end.permission())?;
        }
        self.pipes.at(place).set_waiting(end, true);
        self.table.set_state(slot, State::Piping(own));
        Ok(Outcome::Blocked)
    }

    /// Moves bytes between the caller and who is blocked at the other end, and wakes that one if there is nothing more that it waits for.
    /// Gives how many bytes.
    #[inline(always)]
    fn meet(
        &mut self,
        end: End,
        place: Place,
        (slot, own): (Slot, Piping),
        (other, mut waiting): (Slot, Piping),
        bill: &mut Bill,
    ) -> Result<u64, Halt> {
        let bytes = own.length.min(waiting.length - waiting.done);
        let address = waiting.buffer.wrapping_add(waiting.done as u32);
        // All of the caller's buffer has to be accessible, whatever goes through.
        let size = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        let (all, part) = (size(own.length), size(bytes));
        let are_moved = self.can_add(bill, cost::copy(bytes))
            && self.table.two_mut(slot, other).is_some_and(|[caller, peer]| {
                let (caller, peer) = (&mut caller.instance, &mut peer.instance);
                match end {
                    End::Read => {
                        let from = peer.memory().at_once(address, part);
                        copied(from, caller.memory_mut().at_once(own.buffer, all))
                    }
                    End::Write => {
                        let from = caller.memory().at_once(own.buffer, all);
                        copied(from, peer.memory_mut().at_once(address, part))
                    }
                }
            });
        if !are_moved {
            self.check(slot, own.buffer, own.length, end.permission())?;
        }
        self.add(bill, cost::copy(bytes))?;
        if !are_moved {
            match end {
                End::Read => self.transfer(other, address, slot, own.buffer, bytes)?,
                End::Write => self.transfer(slot, own.buffer, other, address, bytes)?,
            }
        }
        self.settle(slot, bill);
        waiting.done += bytes;
        if end == End::Write || waiting.done == waiting.length {
            self.pipes.at(place).set_waiting(end.other(), false);
            self.finish(other, waiting, Code::Success)?;
        } else {
            self.table.set_state(other, State::Piping(waiting));
        }
        Ok(bytes)
    }

    /// Whether a buffer can be had at once, by which the process can access it as the end of a pipe wants. If not, nothing is known.
    #[inline(always)]
    fn is_at_hand(&mut self, slot: Slot, buffer: u32, length: u64, end: End) -> bool {
        let Ok(length) = usize::try_from(length) else { return false };
        self.table.get_mut(slot).is_some_and(|process| match end {
            End::Read => process.instance.memory_mut().at_once(buffer, length).is_some(),
            End::Write => process.instance.memory().at_once(buffer, length).is_some(),
        })
    }

    /// A number of eight bytes that the call is to change.
    #[inline(always)]
    fn number_to_change(&mut self, slot: Slot, address: u32) -> Result<u64, Halt> {
        if let Some(process) = self.table.get_mut(slot)
            && let Some(bytes) = process.instance.memory_mut().at_once(address, 8)
            && let Ok(bytes) = (&*bytes).try_into()
        {
            return Ok(u64::from_le_bytes(bytes));
        }
        self.check(slot, address, 8, Permission::ReadWrite)?;
        self.read_u64(slot, address)
    }

    /// Ends a read or write that was blocked.
    #[inline(always)]
    fn finish(&mut self, slot: Slot, piping: Piping, code: Code) -> Result<(), Box<Error>> {
        self.write(slot, piping.count, &piping.done.to_le_bytes())?;
        self.wake(slot, code);
        Ok(())
    }

    /// Closes a descriptor, which ends the call of whoever is blocked at the other end.
    pub(super) fn close(&mut self, descriptor: Descriptor) -> Result<(), Box<Error>> {
        if let Some(blocked) = self.pipes.close(descriptor)
            && let Some(process) = self.table.get(blocked)
            && let State::Piping(piping) = process.state
        {
            self.finish(blocked, piping, Code::OtherEndClosed)?;
        }
        Ok(())
    }

    /// Copies bytes from the memory of one process to that of another. Both buffers have been checked.
    #[cold]
    fn transfer(
        &mut self,
        from: Slot,
        source: u32,
        to: Slot,
        target: u32,
        bytes: u64,
    ) -> Result<(), Box<Error>> {
        let Some([from, to]) = self.table.two_mut(from, to) else { return Ok(()) };
        // No buffer is that long: the first 64 KiB belong to nobody.
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        to.instance.memory_mut().copy_from(target, from.instance.memory(), source, bytes).map_err(|_| {
            Box::new(match from.instance.memory().check(source, bytes.into(), Permission::Read) {
                Ok(()) => Error::Memory { process: to.id, address: target },
                Err(_) => Error::Memory { process: from.id, address: source },
            })
        })
    }
}

impl<S> Scheduler<S> {
    /// Notes whether the owner of a descriptor is blocked at it.
    pub(crate) fn set_waiting(&mut self, descriptor: Descriptor, waiting: bool) {
        if let Some((number, end)) = descriptor.parts()
            && let Some(pipe) = self.pipes.find(number)
        {
            pipe.set_waiting(end, waiting);
        }
    }
}

impl End {
    /// What a process must be able to do to the memory that it passes.
    const fn permission(self) -> Permission {
        match self {
            Self::Read => Permission::ReadWrite,
            Self::Write => Permission::Read,
        }
    }
}

/// Copies as many bytes as there are in both places, if both are there.
#[inline(always)]
fn copied(from: Option<&[u8]>, to: Option<&mut [u8]>) -> bool {
    let (Some(from), Some(to)) = (from, to) else { return false };
    let bytes = from.len().min(to.len());
    to[..bytes].copy_from_slice(&from[..bytes]);
    true
}
