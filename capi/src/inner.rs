//! Inner machines: the Gray Paper's host calls machine, peek, poke, pages, invoke and expunge.
//!
//! Their programs and operands are in the memory and registers of the outer machine; bytes go from one memory to the other
//! without a detour. What they cost is the embedder's to charge.

use hatchery_engine::memory::{LOWEST_ADDRESS, PAGE_SIZE};
use hatchery_engine::program::{MAX_CODE_SIZE, MAX_JUMP_TABLE_ENTRIES, Program};
use hatchery_engine::{Exit, Instance, Pause, Permission, ProgramCounter, Reg};

use crate::constants::*;
use crate::pointer::Place;
use crate::registers::show_registers;
use crate::status::Failure;
use crate::vm::{self, State, Vm};

/// Host call machine: registers 7 to 9 are the program's address and length and the initial pc.
pub const PVM_INNER_MACHINE: u32 = 0;
/// Host call peek: registers 7 to 10 are n, the outer destination, the inner source, the length.
pub const PVM_INNER_PEEK: u32 = 1;
/// Host call poke: registers 7 to 10 are n, the outer source, the inner destination, the length.
pub const PVM_INNER_POKE: u32 = 2;
/// Host call pages: registers 7 to 10 are n, the first page, how many, and what to make of them.
pub const PVM_INNER_PAGES: u32 = 3;
/// Host call invoke: registers 7 and 8 are n and the address of gas and registers.
pub const PVM_INNER_INVOKE: u32 = 4;
/// Host call expunge: register 7 is n.
pub const PVM_INNER_EXPUNGE: u32 = 5;

/// Pages of the address space.
const PAGES: u64 = 1 << 20;
/// The first page that can be mapped.
const FIRST_PAGE: u64 = (LOWEST_ADDRESS / PAGE_SIZE) as u64;
/// The longest program: a jump table of four bytes an entry, code, a bit for each byte of it, and two numbers and a byte before.
const LONGEST_PROGRAM: u64 =
    5 + 1 + 5 + 4 * MAX_JUMP_TABLE_ENTRIES as u64 + MAX_CODE_SIZE as u64 + (MAX_CODE_SIZE as u64).div_ceil(8);
/// Gas and registers in memory: 14 numbers of 64 bits.
const INVOCATION: usize = 8 + 8 * PVM_REGISTER_COUNT;

/// The inner machines of a VM, by their numbers.
#[derive(Default)]
pub(crate) struct InnerMachines(Vec<Option<Inner>>);

struct Inner {
    instance: Instance,
    /// Where the next invocation begins, unless it goes on where the last one stopped.
    begins_at: Option<u32>,
    /// What expunging it gives.
    pc: u64,
    /// How many pages `pages` has mapped.
    page_count: u32,
    /// Gas and registers of the invocation that was interrupted, as they were given.
    interrupted: Option<[u8; INVOCATION]>,
}

/// What a host call comes to.
enum Outcome {
    /// What registers 7 and 8 become; the latter stays if there is nothing.
    Registers(u64, Option<u64>),
    /// The machine that made the call panics.
    Panic,
}

use Outcome::{Panic, Registers};

impl InnerMachines {
    fn get(&mut self, n: u64) -> Option<&mut Inner> {
        self.0.get_mut(usize::try_from(n).ok()?)?.as_mut()
    }

    /// As many in the same states, for a copy of the VM.
    pub(crate) fn fork(&mut self) -> Self {
        Self(self.0.iter_mut().map(|place| place.as_mut().map(Inner::fork)).collect())
    }

    pub(crate) fn count(&self) -> usize {
        self.0.iter().flatten().count()
    }

    fn page_count(&self) -> u64 {
        self.0.iter().flatten().map(|inner| u64::from(inner.page_count)).sum()
    }
}

impl State {
    /// The number of the current Gray Paper, or its low half if the configuration wants that.
    fn constant(&self, number: u64) -> u64 {
        match self.settings.config.error_constants {
            PVM_CONSTANTS_32 => number & u64::from(u32::MAX),
            _ => number,
        }
    }

    fn simple(&self, number: u64) -> Outcome {
        Registers(self.constant(number), None)
    }

    /// Whether the program can do this to a range of its memory; an empty one it can always.
    fn allows(&mut self, address: u64, length: u64, permission: Permission) -> Result<bool, Failure> {
        if length == 0 {
            return Ok(true);
        }
        let Ok(start) = u32::try_from(address) else { return Ok(false) };
        Ok(self.instance()?.memory().check(start, length, permission).is_ok())
    }

    fn inner_machine(&mut self, address: u64, length: u64, pc: u64) -> Result<Outcome, Failure> {
        if !self.allows(address, length, Permission::Read)? {
            return Ok(Panic);
        }
        let limit = self.settings.config.inner_machine_limit as usize;
        let free = self.inner.0.iter().position(Option::is_none).unwrap_or(self.inner.0.len());
        // Before anything is taken from memory: how long it says that its program is, is the guest's choice.
        if free >= limit || length > LONGEST_PROGRAM {
            return Ok(self.simple(PVM_HUH));
        }
        let mut blob = vec![0; length as usize];
        self.instance()?.memory().read(address as u32, &mut blob)?;
        self.note_read(address as u32, &blob);
        let Ok(program) = Program::from_raw(&blob, self.settings.instruction_set) else {
            return Ok(self.simple(PVM_HUH));
        };
        let instance = self.settings.engine()?.compile_program(program)?.instantiate();
        // A pc that is no offset into any code panics, as one in the middle of an instruction does.
        let begins_at = Some(u32::try_from(pc).unwrap_or(u32::MAX));
        let inner = Some(Inner { instance, begins_at, pc, page_count: 0, interrupted: None });
        match self.inner.0.get_mut(free) {
            Some(place) => *place = inner,
            None => self.inner.0.push(inner),
        }
        Ok(Registers(free as u64, None))
    }

    fn inner_peek(&mut self, n: u64, to: u64, from: u64, length: u64) -> Result<Outcome, Failure> {
        if !self.allows(to, length, Permission::ReadWrite)? {
            return Ok(Panic);
        }
        let (outcome, has_copied) = self.copy(n, length, |outer, inner, length| {
            let Ok(from) = u32::try_from(from) else { return false };
            outer.memory_mut().copy_from(to as u32, inner.memory(), from, length).is_ok()
        })?;
        if has_copied {
            self.note_write_of(to as u32, length as usize)?;
        }
        Ok(outcome)
    }

    fn inner_poke(&mut self, n: u64, from: u64, to: u64, length: u64) -> Result<Outcome, Failure> {
        if !self.allows(from, length, Permission::Read)? {
            return Ok(Panic);
        }
        let (outcome, has_copied) = self.copy(n, length, |outer, inner, length| {
            let Ok(to) = u32::try_from(to) else { return false };
            inner.memory_mut().copy_from(to, outer.memory(), from as u32, length).is_ok()
        })?;
        if has_copied {
            self.note_read_of(from as u32, length as usize)?;
        }
        Ok(outcome)
    }

    /// Copies between the outer machine's memory, which has been checked, and an inner one's. Gives what comes of it, and whether bytes
    /// were copied.
    fn copy(
        &mut self,
        n: u64,
        length: u64,
        copy: impl FnOnce(&mut Instance, &mut Instance, u32) -> bool,
    ) -> Result<(Outcome, bool), Failure> {
        let mut machines = core::mem::take(&mut self.inner);
        let result = self.instance().map(|outer| match machines.get(n) {
            None => (PVM_WHO, false),
            Some(_) if length == 0 => (0, false),
            // What does not fit 32 bits was refused, but for ranges of the whole address space, which never are accessible.
            Some(inner) => match copy(outer, &mut inner.instance, length as u32) {
                true => (0, true),
                false => (PVM_OOB, false),
            },
        });
        self.inner = machines;
        result.map(|(number, has_copied)| (self.simple(number), has_copied))
    }

    fn inner_pages(&mut self, n: u64, first: u64, count: u64, kind: u64) -> Result<Outcome, Failure> {
        let others = self.inner.page_count();
        let limit = u64::from(self.settings.config.inner_page_limit);
        let number = match self.inner.get(n) {
            None => PVM_WHO,
            Some(_) if kind > 4 || first < FIRST_PAGE || first.saturating_add(count) >= PAGES => PVM_HUH,
            Some(inner) => inner.pages(first as u32, count as u32, kind, limit - others.min(limit))?,
        };
        Ok(self.simple(number))
    }

    fn inner_invoke(&mut self, n: u64, address: u64) -> Result<Outcome, Failure> {
        if !self.allows(address, INVOCATION as u64, Permission::ReadWrite)? {
            return Ok(Panic);
        }
        let address = address as u32;
        let mut bytes = [0; INVOCATION];
        self.instance()?.memory().read(address, &mut bytes)?;
        let pause = self.pause.clone();
        let Some(inner) = self.inner.get(n) else { return Ok(self.simple(PVM_WHO)) };
        let given = bytes;
        let (code, argument) = inner.invoke(&mut bytes, pause)?;
        self.instance()?.memory_mut().write(address, &bytes)?;
        self.note_read(address, &given);
        self.note_write(address, &bytes);
        Ok(Registers(code.into(), argument))
    }

    fn inner_expunge(&mut self, n: u64) -> Outcome {
        let taken = usize::try_from(n).ok().and_then(|n| self.inner.0.get_mut(n)).and_then(Option::take);
        match taken {
            None => self.simple(PVM_WHO),
            Some(inner) => Registers(inner.pc, None),
        }
    }
}

impl Inner {
    fn fork(&mut self) -> Self {
        let mut instance = self.instance.fork();
        instance.set_pause(None);
        Self { instance, ..*self }
    }

    /// Maps, unmaps and protects pages; the range has been checked.
    fn pages(&mut self, first: u32, count: u32, kind: u64, room: u64) -> Result<u64, Failure> {
        let address = |page: u32| page * PAGE_SIZE;
        let is_mapped =
            |inner: &Self, page| inner.instance.memory().check(address(page), 1, Permission::Read).is_ok();
        let mapped = (first..first + count).filter(|&page| is_mapped(self, page)).count() as u32;
        if kind > 2 && mapped < count {
            return Ok(PVM_HUH);
        }
        if kind != 0 && u64::from(count - mapped) > room {
            let text = format!("{count} pages for an inner machine: inner_page_limit has room for {room}");
            return Err(Failure::new(PVM_STATUS_LIMIT, text));
        }
        let length = u64::from(count) * u64::from(PAGE_SIZE);
        let permission = match kind {
            0 => Permission::None,
            1 | 3 => Permission::Read,
            _ => Permission::ReadWrite,
        };
        let mut memory = self.instance.memory_mut();
        if count > 0 {
            if kind <= 2 {
                memory.protect(address(first), length, Permission::None)?;
            }
            memory.protect(address(first), length, permission)?;
        }
        self.page_count = if kind == 0 {
            self.page_count.saturating_sub(mapped)
        } else {
            self.page_count + (count - mapped)
        };
        Ok(0)
    }

    /// Runs with the gas and the registers in these bytes, and puts there what is left of them. Gives the exit code, and the number
    /// of the host call or the address of the fault.
    ///
    /// If it was interrupted it goes on with what it was given first.
    fn invoke(
        &mut self,
        bytes: &mut [u8; INVOCATION],
        pause: Option<Pause>,
    ) -> Result<(u8, Option<u64>), Failure> {
        let goes_on = self.interrupted.take();
        *bytes = goes_on.unwrap_or(*bytes);
        let as_given = *bytes;
        let (numbers, _) = bytes.as_chunks_mut::<8>();
        let given = u64::from_le_bytes(numbers[0]);
        // More gas than the engine counts cannot be used up.
        let gas = i64::try_from(given).unwrap_or(i64::MAX);
        let instance = &mut self.instance;
        if goes_on.is_none() {
            instance.set_gas(gas);
            for (reg, number) in Reg::ALL.into_iter().zip(&numbers[1..]) {
                instance.set_reg(reg, u64::from_le_bytes(*number));
            }
            if let Some(pc) = self.begins_at.take() {
                instance.set_pc(ProgramCounter(pc));
            }
        }
        instance.set_pause(pause.clone());
        let ran = instance.run();
        if !matches!(ran, Ok(exit) if exit != Exit::Paused) {
            // Whatever kept it from a result, the next invocation goes on.
            self.interrupted = Some(as_given);
        }
        let exit = ran?;
        let pc = instance.pc().0;
        let (code, argument, next) = match exit {
            Exit::Finished => (PVM_STATE_HALT, None, 0),
            Exit::Trap(_) => (PVM_STATE_PANIC, None, 0),
            Exit::PageFault(fault) => (PVM_STATE_FAULT, Some(fault.page_address.into()), pc),
            Exit::Syscall(number) => {
                let next = instance.module().instruction_at(ProgramCounter(pc)).next_pc;
                // The immediate of ecalli is sign-extended, as all immediates are, which the engine cuts off.
                (PVM_STATE_HOST, Some(i64::from(number.cast_signed()) as u64), next)
            }
            Exit::OutOfGas => (PVM_STATE_OOG, None, pc),
            Exit::Paused => {
                if let Some(pause) = pause {
                    pause.lower();
                }
                let text = "the inner machine was interrupted: invoke it again, and it goes on";
                return Err(Failure::new(PVM_STATUS_INTERRUPTED, text));
            }
        };
        if matches!(exit, Exit::Finished | Exit::Trap(_)) {
            self.begins_at = Some(0);
        }
        self.pc = next.into();
        let used = gas - instance.gas();
        numbers[0] = given.saturating_sub(u64::try_from(used).unwrap_or(0)).to_le_bytes();
        for (reg, number) in Reg::ALL.into_iter().zip(&mut numbers[1..]) {
            *number = instance.reg(reg).to_le_bytes();
        }
        Ok((code, argument))
    }
}

/// Answers a host call on behalf of an inner machine, and puts what it comes to where `result` points.
///
/// # Safety
/// As for [`Vm::of`]; pointers must be null, misaligned or places for numbers.
unsafe fn answer(
    vm: *mut Vm,
    result: *mut u64,
    result2: Option<*mut u64>,
    call: impl FnOnce(&mut State) -> Result<Outcome, Failure>,
) -> Status {
    // SAFETY: as the caller says.
    unsafe {
        vm::status(vm, |state| {
            let result = Place::new(result, "the place for the result")?;
            let result2 = match result2 {
                Some(place) => Place::optional(place, "the place for the second result")?,
                None => None,
            };
            match call(state)? {
                Panic => Err(panics()),
                Registers(first, second) => {
                    result.put(first);
                    if let Some((place, second)) = result2.zip(second) {
                        place.put(second);
                    }
                    Ok(())
                }
            }
        })
    }
}

fn panics() -> Failure {
    let text = "the program panics: operands of its host call are in memory that it cannot access";
    Failure::new(PVM_STATUS_GUEST_PANIC, text)
}

/// Answers the host call `operation`, one of PVM_INNER_*, from the registers of the VM, as the Gray Paper has it, and sets register 7,
/// and 8 after invoke. Fails with PVM_STATUS_GUEST_PANIC, and changes nothing, where the program panics, and with
/// PVM_STATUS_INTERRUPTED as pvm_inner_invoke does. For use in a host callback, which knows which numbers these host calls have.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_inner_call(vm: *mut Vm, operation: u32) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            let [a, b, c, d] = [Reg::A0, Reg::A1, Reg::A2, Reg::A3].map(|reg| state.reg(reg));
            let outcome = match operation {
                PVM_INNER_MACHINE => state.inner_machine(a, b, c)?,
                PVM_INNER_PEEK => state.inner_peek(a, b, c, d)?,
                PVM_INNER_POKE => state.inner_poke(a, b, c, d)?,
                PVM_INNER_PAGES => state.inner_pages(a, b, c, d)?,
                PVM_INNER_INVOKE => state.inner_invoke(a, b)?,
                PVM_INNER_EXPUNGE => state.inner_expunge(a),
                other => return Err(Failure::argument(format!("{other} is no PVM_INNER_*"))),
            };
            let Registers(first, second) = outcome else { return Err(panics()) };
            state.set_reg(Reg::A0, first);
            if let Some(second) = second {
                state.set_reg(Reg::A1, second);
            }
            show_registers(vm, state);
            Ok(())
        })
    }
}

/// Makes an inner machine of the raw JAM program in the memory of the VM, which begins at `pc`. *result becomes its number, the
/// lowest that is free, or PVM_HUH if the bytes are no program, as more than some 100 MiB never are, or inner_machine_limit is reached. Its memory is empty. Fails with
/// PVM_STATUS_GUEST_PANIC if the program's bytes cannot be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_inner_machine(
    vm: *mut Vm,
    address: u64,
    length: u64,
    pc: u64,
    result: *mut u64,
) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe { answer(vm, result, None, |state| state.inner_machine(address, length, pc)) }
}

/// Copies from the memory of inner machine `n` at `source` to that of the VM at `destination`. *result becomes 0, PVM_WHO if there is
/// no such machine, PVM_OOB if its memory cannot be read. Fails with PVM_STATUS_GUEST_PANIC if that of the VM cannot be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_inner_peek(
    vm: *mut Vm,
    n: u64,
    destination: u64,
    source: u64,
    length: u64,
    result: *mut u64,
) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe { answer(vm, result, None, |state| state.inner_peek(n, destination, source, length)) }
}

/// Copies from the memory of the VM at `source` to that of inner machine `n` at `destination`. *result becomes 0, PVM_WHO if there is
/// no such machine, PVM_OOB if its memory cannot be written. Fails with PVM_STATUS_GUEST_PANIC if that of the VM cannot be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_inner_poke(
    vm: *mut Vm,
    n: u64,
    source: u64,
    destination: u64,
    length: u64,
    result: *mut u64,
) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe { answer(vm, result, None, |state| state.inner_poke(n, source, destination, length)) }
}

/// Makes something of `count` pages of inner machine `n` from number `first` on (an address divided by 4096): 0 unmaps them, 1 maps
/// them to be read, 2 to be read and written, both with zero bytes; 3 and 4 do the same and keep their bytes. *result becomes 0,
/// PVM_WHO if there is no such machine, PVM_HUH if the pages are not between 16 and 2^20 - 2, `kind` is above 4, or pages that are to keep
/// their bytes are not mapped. Fails with PVM_STATUS_LIMIT at inner_page_limit.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_inner_pages(
    vm: *mut Vm,
    n: u64,
    first: u64,
    count: u64,
    kind: u64,
    result: *mut u64,
) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe { answer(vm, result, None, |state| state.inner_pages(n, first, count, kind)) }
}

/// Executes inner machine `n` with the gas and the 13 registers that are in the memory of the VM at `address`, 14 numbers of 64
/// bits, and puts there what they are afterwards. *result becomes one of the first five PVM_STATE_*, and *result2, which can be
/// null, the number of the host call, sign-extended from 32 bits, or the address of the faulted page; or *result becomes PVM_WHO if there is no such
/// machine. Fails with PVM_STATUS_GUEST_PANIC if those 112 bytes cannot be written.
///
/// After a host call, a fault or out of gas the next invocation goes on, in a block that has been paid for.
///
/// pvm_interrupt stops it, too, at the end of a block, if the VM is interruptible: this fails with PVM_STATUS_INTERRUPTED then and
/// changes nothing that the program sees. The same call, as soon as the embedder wants, goes on with the gas and the registers that
/// it was given first. A host callback returns PVM_HOST_TERMINATE meanwhile: the execution returns PVM_RESULT_HOST_CALL, and
/// pvm_resume goes on after the host call was answered. After PVM_STATUS_HOST, too, the same call goes on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_inner_invoke(
    vm: *mut Vm,
    n: u64,
    address: u64,
    result: *mut u64,
    result2: *mut u64,
) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe { answer(vm, result, Some(result2), |state| state.inner_invoke(n, address)) }
}

/// Destroys inner machine `n`. *result becomes its pc, or PVM_WHO if there is no such machine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_inner_expunge(vm: *mut Vm, n: u64, result: *mut u64) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe { answer(vm, result, None, |state| Ok(state.inner_expunge(n))) }
}
