//! Calls native code, and does what it leaves to the host.

use core::mem::transmute;
use core::ptr::NonNull;

use super::compile::{Compiled, Offset, trap_of};
use super::context::{Context, Leave};
use super::sys::{prepare_thread, with_handler};
use crate::exit::TrapKind;
use crate::interpreter::{Machine, RETURN_TO_HOST, Regions, Stop, stop};
use crate::isa::{GasClass, Instruction, Opcode, Shape};
use crate::memory::{Access, AnyWindow, Contents, Guarded, HostError, Window};
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

/// Runs from `start` until something stops it.
#[inline]
pub(crate) fn run(
    compiled: &Compiled,
    guest: Guest<'_>,
    window: &mut AnyWindow,
    start: Offset,
) -> Stop<Offset> {
    let AnyWindow::Guarded(window) = window else { panic!("native code runs in guarded windows only") };
    let had = *guest.gas;
    let allowance = match guest.pause {
        None => had,
        Some(pause) if !pause.is_raised() => had.min(ALLOWANCE),
        Some(_) => return go_on(compiled, guest, window, start, None),
    };
    let left = enter(compiled, window.base(), guest.regs, allowance, start);
    *guest.gas = had - allowance + left.gas;
    if left.reason == Leave::Syscall as u32 {
        return compiled.syscall(left.argument);
    }
    go_on(compiled, guest, window, start, Some((had, left)))
}

/// What there is to know after native code has come back.
struct Left {
    reason: u32,
    pc: u32,
    argument: u64,
    gas: i64,
}

/// Calls native code.
#[inline]
fn enter(compiled: &Compiled, base: NonNull<u8>, regs: &mut [u64; 16], gas: i64, at: Offset) -> Left {
    prepare_thread();
    let context = Context::of(base).as_ptr();
    let code = compiled.code.start();
    // SAFETY: native code begins with a function of this signature.
    let enter: extern "sysv64" fn(*mut u8) = unsafe { transmute(code) };
    // SAFETY: the context lies in the window, which the caller has borrowed exclusively; it is only accessed through this pointer,
    // by this function, by native code and by the handler. Native code accesses the context, the registers, the jump table and what
    // the window lets the guest access; the handler makes it return when it is refused something else.
    unsafe {
        (*context).table = compiled.jump_table.start();
        (*context).regs = regs.as_mut_ptr();
        (*context).gas = gas;
        (*context).argument = (code.as_ptr() as usize + at.0 as usize) as u64;
        with_handler(&compiled.traps, &raw mut (*context).argument, || enter(base.as_ptr()));
        // One by one, as they were written: the processor makes a longer read wait until shorter writes are through.
        let reason = (&raw const (*context).leave).read_volatile();
        let pc = (&raw const (*context).pc).read_volatile();
        let Context { argument, gas, .. } = *context;
        Left { reason, pc, argument, gas }
    }
}

impl Compiled {
    #[inline]
    fn syscall(&self, index: u64) -> Stop<Offset> {
        let syscall = &self.syscalls[index as usize];
        Stop::Syscall { pc: syscall.pc, number: syscall.number, next: syscall.next }
    }
}

/// Does what native code has left to the host, if it has run already, and goes on. With that comes the gas there was before.
#[cold]
fn go_on(
    compiled: &Compiled,
    guest: Guest<'_>,
    window: &mut Window<Guarded>,
    start: Offset,
    first: Option<(i64, Left)>,
) -> Stop<Offset> {
    let Guest { code, blocks, regions, contents, regs, gas, pause } = guest;
    let machine = Machine { code, blocks, regions, window, contents, regs, gas, pause };
    Execution { compiled, machine, start, refused: None }.run(first)
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
    fn run(mut self, mut first: Option<(i64, Left)>) -> Stop<Offset> {
        let mut at = self.start;
        let mut is_first = true;
        loop {
            let (had, left) = match first.take() {
                Some((had, left)) => (had, left),
                None => {
                    let had = *self.machine.gas;
                    let allowance = match self.machine.pause {
                        None => had,
                        Some(pause) => self.allowance(pause, at, is_first),
                    };
                    let base = self.machine.window.base();
                    let left = enter(self.compiled, base, self.machine.regs, allowance, at);
                    *self.machine.gas = had - allowance + left.gas;
                    (had, left)
                }
            };
            let Left { reason, pc, argument, .. } = left;
            let next = match Leave::ALL[reason as usize] {
                Leave::Syscall => return self.compiled.syscall(argument),
                Leave::Charge => self.charge(argument as usize, is_first.then_some(had)),
                reason => self.serve(reason, pc, argument),
            };
            match next {
                Next::At(offset) => at = offset,
                Next::Stop(stop) => return stop,
            }
            is_first = false;
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
