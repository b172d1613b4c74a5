//! Starting processes and replacing programs.

use std::sync::Arc;

use hatchery_engine::{Instance, Module, Permission, Reg};

use super::{Bill, Halt, Outcome};
use crate::abi::{Code, Descriptor, ProcessId};
use crate::cost;
use crate::scheduler::{Error, Scheduler};
use crate::source::{Listing, LoadError, Program, ProgramSource};
use crate::status::{BadImage, Status};
use crate::table::{Calls, Process, Slot, State};
use crate::trace::Event;

/// The export that processes begin with.
const ENTRY: &[u8] = b"main";

/// Optional arguments of `process_spawn`: four numbers of 64 bits, little-endian.
#[derive(Default)]
struct Parameters {
    arguments: u64,
    arguments_length: u64,
    descriptors: u64,
    descriptor_count: u64,
}

/// A program that can or cannot be executed.
type Image = Result<Instance, (BadImage, Option<Arc<str>>)>;

impl<S: ProgramSource> Scheduler<S> {
    pub(super) fn spawn(&mut self, slot: Slot, bill: &mut Bill) -> Result<Outcome, Halt> {
        self.add(bill, cost::CALL)?;
        let [identifier, identifier_length, offset, length, parameters, id_address] = self.arguments(slot);
        let parameters = self.parameters(slot, parameters as u32)?;
        let id_address = id_address as u32;
        self.check(slot, id_address, 8, Permission::ReadWrite)?;
        let named = self.named(slot, bill, identifier as u32, identifier_length, offset, length)?;
        let (program, listing) = match named {
            Ok(named) => named,
            Err(code) => return Ok(code.into()),
        };
        if parameters.arguments_length > self.limits.argument_bytes.into() {
            return Ok(Code::TooLong.into());
        }
        let Some(descriptors) = self.handed_on(slot, bill, &parameters)? else {
            return Ok(Code::InvalidDescriptor.into());
        };
        if self.table.is_full() {
            return Ok(Code::TooManyProcesses.into());
        }
        self.add(bill, cost::SPAWN)?;
        let (address, length) = (parameters.arguments as u32, parameters.arguments_length);
        let image = self.image(slot, bill, &program, listing, address, length)?;

        let Some(parent) = self.table.get(slot).map(|process| process.id) else { return Ok(Outcome::Gone) };
        self.settle(slot, bill);
        let child = ProcessId(self.next);
        self.next += 1;
        self.write(slot, id_address, &child.0.to_le_bytes())?;
        self.record(child, || Event::Started { parent: Some(parent), program: program.clone() });
        match image {
            Ok(instance) => {
                let inserted = self.table.insert(Process {
                    id: child,
                    program,
                    instance,
                    calls: Calls::default(),
                    state: State::Ready,
                    inherited: descriptors.clone(),
                    waiters: 0,
                    gas: 0,
                });
                if let Some(child) = inserted {
                    descriptors.iter().for_each(|&descriptor| self.pipes.give(descriptor, child));
                }
            }
            Err((reason, detail)) => {
                let status = Status::BadImage(reason);
                self.record(child, || Event::Ended { status, detail });
                self.remember(child, status);
                for &descriptor in &descriptors {
                    self.close(descriptor)?;
                }
            }
        }
        Ok(Code::Success.into())
    }

    pub(super) fn exec(&mut self, slot: Slot, bill: &mut Bill) -> Result<Outcome, Halt> {
        self.add(bill, cost::CALL)?;
        let [identifier, identifier_length, offset, length, arguments, arguments_length] =
            self.arguments(slot);
        let named = self.named(slot, bill, identifier as u32, identifier_length, offset, length)?;
        let (program, listing) = match named {
            Ok(named) => named,
            Err(code) => return Ok(code.into()),
        };
        if arguments_length > self.limits.argument_bytes.into() {
            return Ok(Code::TooLong.into());
        }
        self.add(bill, cost::EXEC)?;
        let image = self.image(slot, bill, &program, listing, arguments as u32, arguments_length)?;

        self.settle(slot, bill);
        let Some(process) = self.table.get(slot) else { return Ok(Outcome::Gone) };
        let id = process.id;
        self.record(id, || Event::Executed { program: program.clone() });
        match image {
            Ok(instance) => {
                if let Some(process) = self.table.get_mut(slot) {
                    let before = core::mem::replace(&mut process.instance, instance);
                    process.program = program;
                    process.calls = Calls::default();
                    self.forget_heap(&before);
                }
                self.table.set_state(slot, State::Ready);
            }
            // What is left of the root is an instance of what it was before.
            Err((reason, detail)) => self.end(slot, Status::BadImage(reason), detail)?,
        }
        Ok(Outcome::Gone)
    }

    /// What the fifth argument of `process_spawn` points to, unless it is null.
    fn parameters(&self, slot: Slot, address: u32) -> Result<Parameters, Halt> {
        if address == 0 {
            return Ok(Parameters::default());
        }
        let mut bytes = [0; 32];
        self.read(slot, address, &mut bytes)?;
        let number = |at: usize| u64::from_le_bytes(core::array::from_fn(|byte| bytes[8 * at + byte]));
        Ok(Parameters {
            arguments: number(0),
            arguments_length: number(1),
            descriptors: number(2),
            descriptor_count: number(3),
        })
    }

    /// The program that the first four arguments name, with its real length; or the code that the call returns.
    fn named(
        &mut self,
        slot: Slot,
        bill: &mut Bill,
        identifier: u32,
        identifier_length: u64,
        offset: u64,
        length: u64,
    ) -> Result<Result<(Program, Listing), Code>, Halt> {
        if identifier_length > self.limits.identifier_bytes.into() {
            return Ok(Err(Code::NoProgram));
        }
        self.add(bill, cost::copy(identifier_length))?;
        let mut bytes = [0; 1024];
        let bytes = &mut bytes[..(identifier_length as usize).min(1024)];
        self.read(slot, identifier, bytes)?;
        let Some(listing) = self.source.find(bytes) else { return Ok(Err(Code::NoProgram)) };
        let Some(length) = part(listing.length, offset, length) else { return Ok(Err(Code::OutOfRange)) };
        Ok(Ok((Program { identifier: Arc::from(&*bytes), offset, length }, listing)))
    }

    /// The descriptors that a child is to have; none: the caller does not own them all, or lists one twice.
    fn handed_on(
        &mut self,
        slot: Slot,
        bill: &mut Bill,
        parameters: &Parameters,
    ) -> Result<Option<Box<[Descriptor]>>, Halt> {
        let count = parameters.descriptor_count;
        if count > self.limits.descriptors.into() {
            return Ok(None);
        }
        if count == 0 {
            return Ok(Some(Box::default()));
        }
        self.add(bill, cost::DESCRIPTOR * count)?;
        let mut bytes = vec![0; count as usize * 8];
        self.read(slot, parameters.descriptors as u32, &mut bytes)?;
        let numbers = bytes.chunks_exact(8).map(|number| number.try_into().map_or(0, u64::from_le_bytes));
        let descriptors: Box<[Descriptor]> = numbers.map(Descriptor).collect();
        let mut sorted = descriptors.clone();
        sorted.sort_unstable();
        let is_twice = sorted.windows(2).any(|pair| pair[0] == pair[1]);
        let are_owned = descriptors.iter().all(|&descriptor| self.pipes.owner(descriptor) == Some(slot));
        Ok((are_owned && !is_twice).then_some(descriptors))
    }

    /// Loads a program and prepares it with arguments from the caller's memory.
    fn image(
        &mut self,
        slot: Slot,
        bill: &mut Bill,
        program: &Program,
        listing: Listing,
        arguments: u32,
        arguments_length: u64,
    ) -> Result<Image, Halt> {
        self.add(bill, cost::copy(arguments_length))?;
        if !listing.is_compiled {
            self.add(bill, program.length.saturating_mul(cost::COMPILE_BYTE))?;
        }
        let mut bytes = vec![0; arguments_length as usize];
        self.read(slot, arguments, &mut bytes)?;
        let module = match self.source.load(program) {
            Ok(module) => module,
            Err(error @ (LoadError::Bad(_) | LoadError::NoPart)) => {
                return Ok(Err((BadImage::Program, Some(error.to_string().into()))));
            }
            Err(error) => {
                let process = self.table.get(slot).map_or(ProcessId::ROOT, |process| process.id);
                return Err(Box::new(Error::Load { process, program: program.clone(), error }).into());
            }
        };
        Ok(instance(&module, &bytes).map_err(|reason| (reason, None)))
    }
}

/// The length of a part of so many bytes, where 0 means the rest; none: there is no such part.
pub(crate) fn part(bytes: u64, offset: u64, length: u64) -> Option<u64> {
    let rest = bytes.checked_sub(offset).filter(|&rest| rest > 0)?;
    match length {
        0 => Some(rest),
        length if length <= rest => Some(length),
        _ => None,
    }
}

/// An instance about to execute `main`, with arguments at the top of its stack, their address in `a0` and their number in
/// `a1`.
pub(crate) fn instance(module: &Module, arguments: &[u8]) -> Result<Instance, BadImage> {
    let entry = module.export(ENTRY).ok_or(BadImage::NoEntry)?;
    let stack = module.memory_map().stack();
    let space = u32::try_from(arguments.len()).ok().and_then(|length| length.checked_next_multiple_of(16));
    let space = space.filter(|&space| space <= stack.end - stack.start).ok_or(BadImage::Arguments)?;
    let address = stack.end - space;
    let mut instance = module.instantiate();
    let registers = [address.into(), arguments.len() as u64];
    instance.prepare_at(entry, &registers).map_err(|_| BadImage::NoEntry)?;
    instance.set_reg(Reg::SP, address.into());
    instance.memory_mut().write(address, arguments).map_err(|_| BadImage::Arguments)?;
    Ok(instance)
}

#[cfg(test)]
mod tests {
    use super::part;

    #[test]
    fn parts_of_bytes() {
        assert_eq!(part(10, 0, 0), Some(10));
        assert_eq!(part(10, 9, 0), Some(1));
        assert_eq!(part(10, 9, 1), Some(1));
        assert_eq!(part(10, 0, 10), Some(10));
        assert_eq!(
            (part(10, 10, 0), part(10, 0, 11), part(10, 9, 2), part(10, 11, 1)),
            (None, None, None, None)
        );
        assert_eq!((part(0, 0, 0), part(u64::MAX, 1, u64::MAX)), (None, None));
    }
}
