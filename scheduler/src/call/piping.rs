//! Pipes: bytes go from one process's memory to another's when both are there.

use hatchery_engine::Permission;

use super::{Bill, Halt, Outcome};
use crate::abi::{Code, Descriptor, End};
use crate::cost;
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
        let mut piping = match self.begin(slot, End::Read, bill)? {
            Ok(piping) => piping,
            Err(code) => return Ok(code.into()),
        };
        let Some((writer, mut written)) = self.met(piping.descriptor.other_end()) else {
            return Ok(self.block(slot, piping));
        };
        let bytes = piping.length.min(written.length - written.done);
        self.add(bill, cost::copy(bytes))?;
        self.transfer(writer, written.buffer.wrapping_add(written.done as u32), slot, piping.buffer, bytes)?;
        self.settle(slot, bill);
        written.done += bytes;
        if written.done == written.length {
            self.finish(writer, written, Code::Success)?;
        } else {
            self.table.set_state(writer, State::Piping(written));
        }
        piping.done = bytes;
        self.write(slot, piping.count, &piping.done.to_le_bytes())?;
        Ok(Code::Success.into())
    }

    pub(super) fn pipe_write(&mut self, slot: Slot, bill: &mut Bill) -> Result<Outcome, Halt> {
        let mut piping = match self.begin(slot, End::Write, bill)? {
            Ok(piping) => piping,
            Err(code) => return Ok(code.into()),
        };
        let Some((reader, mut read)) = self.met(piping.descriptor.other_end()) else {
            return Ok(self.block(slot, piping));
        };
        let bytes = piping.length.min(read.length);
        self.add(bill, cost::copy(bytes))?;
        self.transfer(slot, piping.buffer, reader, read.buffer, bytes)?;
        self.settle(slot, bill);
        read.done = bytes;
        self.finish(reader, read, Code::Success)?;
        piping.done = bytes;
        if piping.done < piping.length {
            return Ok(self.block(slot, piping));
        }
        self.write(slot, piping.count, &piping.done.to_le_bytes())?;
        Ok(Code::Success.into())
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

    /// What reading and writing have in common: looks at the arguments. Gives the code that the call returns if there is nothing
    /// more to do.
    #[inline]
    fn begin(&mut self, slot: Slot, end: End, bill: &mut Bill) -> Result<Result<Piping, Code>, Halt> {
        self.add(bill, cost::CALL)?;
        let [descriptor, buffer, count] = self.arguments(slot);
        let (descriptor, buffer, count) = (Descriptor(descriptor), buffer as u32, count as u32);
        self.check(slot, count, 8, Permission::ReadWrite)?;
        let length = self.read_u64(slot, count)?;
        let is_closed = match self.pipes.owned(descriptor, slot) {
            Some((pipe, is)) if is == end => pipe.owner(end.other()).is_none(),
            _ => return Ok(Err(Code::InvalidDescriptor)),
        };
        if is_closed {
            self.write(slot, count, &[0; 8])?;
            return Ok(Err(Code::OtherEndClosed));
        }
        if length == 0 {
            return Ok(Err(Code::Success));
        }
        if length > 1 << 32 {
            return Err(Halt::Fault(buffer));
        }
        self.add(bill, cost::pages(buffer, length))?;
        let permission = match end {
            End::Read => Permission::ReadWrite,
            End::Write => Permission::Read,
        };
        self.check(slot, buffer, length, permission)?;
        Ok(Ok(Piping { descriptor, buffer, length, done: 0, count }))
    }

    /// Who is blocked at an end of a pipe, and with what.
    fn met(&mut self, descriptor: Descriptor) -> Option<(Slot, Piping)> {
        let (number, end) = descriptor.parts()?;
        let slot = self.pipes.find(number)?.waiting(end)?;
        match self.table.get(slot)?.state {
            State::Piping(piping) => Some((slot, piping)),
            _ => None,
        }
    }

    /// Makes the caller wait at its end of a pipe.
    fn block(&mut self, slot: Slot, piping: Piping) -> Outcome {
        self.set_waiting(piping.descriptor, true);
        self.table.set_state(slot, State::Piping(piping));
        Outcome::Blocked
    }

    /// Ends a read or write that was blocked.
    fn finish(&mut self, slot: Slot, piping: Piping, code: Code) -> Result<(), Box<Error>> {
        self.set_waiting(piping.descriptor, false);
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
