//! Calls native code, and does what it leaves to the host.

use core::mem::transmute;
use core::ptr::NonNull;

use super::compile::{Compiled, Offset, Syscall, trap_of};
use super::context::{Context, Leave};
use super::sys::{Running, prepare_thread, with_handler};
use crate::exit::TrapKind;
use crate::interpreter::{Machine, RETURN_TO_HOST, Regions, Stop, stop};
use crate::isa::{GasClass, Instruction, Opcode, Shape};
use crate::memory::{Access, AnyWindow, Contents, Guarded, HostError};
use crate::pause::Pause;
use crate::program::Code;

/// Native code of an instance with a pause gets no more gas at a time, so that the flag is looked at when it comes back for more:
/// some hundred microseconds.
const ALLOWANCE: i64 = 500_000;

/// The instance that runs.
#[derive(Debug)]
pub(crate) struct Guest<'a> {
    pub(crate) code: &'a Code,
    pub(crate) blocks: &'a [u64],
    pub(crate) regions: &'a Regions,
    pub(crate) contents: &'a mut Contents,
    pub(crate) regs: &'a mut [u64; 16],
    pub(crate) gas: &'a mut i64,
    pub(crate) pause: Option<&'a Pause>,
}

/// How far [`run_to_syscall`] came.
pub(crate) enum Ran {
    /// To a syscall: the instruction, its number, and where to go on.
    ToSyscall { pc: u32, number: u32, next: Offset },
    /// To something else that native code leaves to its host.
    ToHost(Left),
    /// It has not begun.
    NotYet,
}

/// Runs from `start` to a syscall, if nothing comes between.
#[inline(always)]
pub(crate) fn run_to_syscall(
    compiled: &Compiled,
    regs: &mut [u64; 16],
    gas: &mut i64,
    pause: Option<&Pause>,
    window: &mut AnyWindow,
    start: Offset,
) -> Ran {
    let AnyWindow::Guarded(window) = window else { return Ran::NotYet };
    let had = *gas;
    let allowance = match pause {
        None => had,
        Some(pause) if !pause.is_raised() => had.min(ALLOWANCE),
        Some(_) => return Ran::NotYet,
    };
    let left = enter(compiled, window.base(), regs, allowance, start);
    *gas = had - allowance + left.gas;
    if left.reason == Leave::Syscall as u32 {
        let Syscall { pc, number, next } = compiled.syscalls[left.argument as usize];
        return Ran::ToSyscall { pc, number, next };
    }
    Ran::ToHost(Left { had, ..left })
}

/// Runs from `start` until something stops it.
pub(crate) fn run(
    compiled: &Compiled,
    guest: Guest<'_>,
    window: &mut AnyWindow,
    start: Offset,
) -> Stop<Offset> {
    match run_to_syscall(compiled, guest.regs, guest.gas, guest.pause, window, start) {
        Ran::ToSyscall { pc, number, next } => Stop::Syscall { pc, number, next },
        Ran::ToHost(left) => execution(compiled, guest, window, start).run(Some(left)),
        Ran::NotYet => execution(compiled, guest, window, start).run(None),
    }
}

/// Goes on after native code, which began at `start`, has left something to its host.
pub(crate) fn go_on(
    compiled: &Compiled,
    guest: Guest<'_>,
    window: &mut AnyWindow,
    start: Offset,
    left: Left,
) -> Stop<Offset> {
    execution(compiled, guest, window, start).run(Some(left))
}

fn execution<'a>(
    compiled: &'a Compiled,
    guest: Guest<'a>,
    window: &'a mut AnyWindow,
    start: Offset,
) -> Execution<'a> {
    let AnyWindow::Guarded(window) = window else { panic!("native code runs in guarded windows only") };
    let Guest { code, blocks, regions, contents, regs, gas, pause } = guest;
    let machine = Machine { code, blocks, regions, window, contents, regs, gas, pause };
    Execution { compiled, machine, start, refused: None }
}

/// What there is to know after native code has come back.
pub(crate) struct Left {
    reason: u32,
    pc: u32,
    argument: u64,
    /// What is left of the gas that it was given.
    gas: i64,
    /// The gas of the instance before.
    had: i64,
}

/// Calls native code.
#[inline(always)]
fn enter(compiled: &Compiled, base: NonNull<u8>, regs: &mut [u64; 16], gas: i64, at: Offset) -> Left {
    prepare_thread();
    let context = Context::of(base).as_ptr();
    let code = compiled.code.start();
    // SAFETY: native code begins with a function of this signature.
    let enter: extern "sysv64" fn(*mut u8) -> u32 = unsafe { transmute(code) };
    // SAFETY: the context lies in the window, which the caller has borrowed exclusively; it is only accessed through this pointer,
    // by this function, by native code and by the handler. Native code accesses the context, the registers, the jump table and what
    // the window lets the guest access; the handler makes it return when it is refused something else.
    unsafe {
        // Mostly these are as they were, and to look takes less time than to write.
        if (*context).regs != regs.as_mut_ptr() || (*context).running.traps != &raw const compiled.traps {
            (*context).regs = regs.as_mut_ptr();
            let refused = &raw mut (*context).argument;
            (*context).running = Running { traps: &compiled.traps, refused };
        }
        if let Some(table) = compiled.jump_table.far() {
            (*context).table = table;
        }
        (*context).gas = gas;
        (*context).argument = (code.as_ptr() as usize + at.0 as usize) as u64;
        let reason = with_handler(&raw const (*context).running, || enter(base.as_ptr()));
        let Context { argument, gas, pc, .. } = *context;
        Left { reason, pc, argument, gas, had: 0 }
    }
}

struct Execution<'a> {
    compiled: &'a Compiled,
    machine: Machine<'a, Guarded>,
    start: Offset,
    /// The access that was refused last.
    refused: Option<(Offset, u32)>,
}

/// Whether to go on, and where.
enum Next {
    At(Offset),
    Stop(Stop<Offset>),
}

impl Execution<'_> {
    /// Goes on; after native code, if it has run already, left this.
    #[cold]
    fn run(mut self, mut first: Option<Left>) -> Stop<Offset> {
        let mut at = self.start;
        let mut is_first = true;
        loop {
            let left = match first.take() {
                Some(left) => left,
                None => {
                    let had = *self.machine.gas;
                    let allowance = match self.machine.pause {
                        None => had,
                        Some(pause) => self.allowance(pause, at, is_first),
                    };
                    let base = self.machine.window.base();
                    let left = enter(self.compiled, base, self.machine.regs, allowance, at);
                    *self.machine.gas = had - allowance + left.gas;
                    Left { had, ..left }
                }
            };
            let Left { reason, pc, argument, had, .. } = left;
            let next = match Leave::ALL[reason as usize] {
                Leave::Syscall => {
                    let Syscall { pc, number, next } = self.compiled.syscalls[argument as usize];
                    return Stop::Syscall { pc, number, next };
                }
                Leave::Charge => self.charge(argument as usize, is_first.then_some(had)),
                reason => self.serve(reason, pc, argument),
            };
            match next {
                Next::At(offset) => at = offset,
                Next::Stop(stop) => return stop,
            }
            // To find that the gas given is not enough for the first block is not yet to do anything.
            is_first &=
                Leave::ALL[reason as usize] == Leave::Charge && at == self.start && *self.machine.gas == had;
        }
    }

    /// How much gas to give to native code. While the flag is up that is what the first block costs, if it is still to be paid: so
    /// it comes back at the start of the next one.
    #[cold]
    fn allowance(&self, pause: &Pause, at: Offset, is_first: bool) -> i64 {
        let gas = *self.machine.gas;
        let block = || self.compiled.blocks.binary_search_by_key(&at, |block| block.offset).ok();
        let first = match block() {
            Some(block) if at == self.start || !pause.is_raised() => self.compiled.blocks[block].cost.into(),
            _ => 0,
        };
        match pause.is_raised() {
            true if is_first => gas.min(first),
            true => 0,
            false => gas.min(first.max(ALLOWANCE)),
        }
    }

    /// Native code has found that the gas it has is not enough for a block, after deducting it. `had` is the gas at the beginning if
    /// this is the first thing that happens.
    #[cold]
    fn charge(&mut self, block: usize, had: Option<i64>) -> Next {
        let block = self.compiled.blocks[block];
        *self.machine.gas += i64::from(block.cost);
        let gas = *self.machine.gas;
        let begins_with_it = block.offset == self.start && had == Some(gas);
        let (pc, next) = (block.pc, block.offset);
        if !begins_with_it && self.machine.pause.is_some_and(Pause::is_raised) {
            return Next::Stop(Stop::Paused { pc, next });
        }
        if gas < block.cost.into() {
            return Next::Stop(Stop::OutOfGas { pc, next });
        }
        Next::At(next)
    }

    #[cold]
    fn serve(&mut self, reason: Leave, pc: u32, argument: u64) -> Next {
        match reason {
            Leave::Service => self.service(argument as u32),
            Leave::Indirect => {
                let address = argument as u32;
                if address == RETURN_TO_HOST {
                    return Next::Stop(Stop::Finished { pc });
                }
                invalid_indirect_jump(pc, address)
            }
            Leave::Nowhere => invalid_indirect_jump(pc, self.compiled.jump_table.address_of(argument)),
            Leave::Fault => {
                let at = argument - self.compiled.code.start().as_ptr() as u64;
                self.fault(Offset(at as u32))
            }
            _ => {
                let kind = trap_of(reason).unwrap_or(TrapKind::Trap);
                Next::Stop(Stop::Trap { pc: argument as u32, kind, address: None })
            }
        }
    }

    /// Executes an instruction that native code leaves to the host.
    fn service(&mut self, pc: u32) -> Next {
        let decoded = self.machine.code.decode_at(pc);
        let Some(instruction) = decoded.instruction else { return broken(pc, self.start) };
        let Some(here) = self.compiled.offset(pc, false) else { return broken(pc, self.start) };
        match instruction.opcode {
            Opcode::Memset => {
                if let Err(problem) = self.machine.memset() {
                    return Next::Stop(stop(&self.machine, pc, here, problem));
                }
            }
            Opcode::Sbrk => {
                let top = self.machine.sbrk(self.machine.regs[instruction.s1 as usize]);
                self.machine.regs[instruction.d as usize] = top;
            }
            _ => return broken(pc, here),
        }
        // What comes next, be it an instruction or a gap, has a place of its own.
        self.compiled.offset(decoded.next_pc, false).map_or_else(|| broken(pc, here), Next::At)
    }

    /// The processor has refused an access: because the page has not come into the window yet, or because the guest must not do
    /// that.
    fn fault(&mut self, at: Offset) -> Next {
        let Some(place) = self.compiled.places.around(at) else { return broken(0, self.start) };
        let decoded = self.machine.code.decode_at(place.pc);
        let Some((address, length, access)) = decoded.instruction.and_then(|i| self.access(&i)) else {
            return broken(place.pc, place.offset);
        };
        if let Err(problem) = self.machine.touch(address, length, access) {
            return Next::Stop(stop(&self.machine, place.pc, place.offset, problem));
        }
        // What has been granted stays granted while the guest runs.
        if self.refused.replace((place.offset, address)) == Some((place.offset, address)) {
            return broken(place.pc, place.offset);
        }
        Next::At(place.offset)
    }

    /// The access that an instruction makes: address, bytes, and what it wants.
    fn access(&self, i: &Instruction) -> Option<(u32, usize, Access)> {
        let access = match i.opcode.info().gas {
            GasClass::Load => Access::Read,
            GasClass::Store => Access::Write,
            _ => return None,
        };
        let base = match i.opcode.info().shape {
            Shape::DestImm | Shape::SourceImm | Shape::ImmImm => 0,
            Shape::SourceSourceImm => self.machine.regs[i.s2 as usize],
            Shape::DestSourceImm | Shape::SourceImmImm => self.machine.regs[i.s1 as usize],
            _ => return None,
        };
        let name = i.opcode.info().name;
        let length = [("8", 1), ("16", 2), ("32", 4), ("64", 8)];
        let length = length
            .into_iter()
            .find(|(bits, _)| name.ends_with(&["u", bits].concat()) || name.ends_with(&["i", bits].concat()));
        Some(((base as u32).wrapping_add(i.x as u32), length?.1, access))
    }
}

fn invalid_indirect_jump(pc: u32, address: u32) -> Next {
    Next::Stop(Stop::Trap { pc, kind: TrapKind::InvalidIndirectJump, address: Some(address) })
}

/// Native code has done what it cannot do. Better to stop than to go on with it.
#[cold]
fn broken(pc: u32, next: Offset) -> Next {
    let error = HostError { operation: "trust its own native code", code: 0 };
    Next::Stop(Stop::Host { pc, error, next })
}
