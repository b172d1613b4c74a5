//! Runs handlers, and does what they leave to be done.
//!
//! Handlers know nothing of pcs, permissions, pauses or regions. When there is something that they do not do, they leave at the
//! operation in question, and what happens then is decided here.

use super::handlers::{Cpu, Flow, Memory};
use super::operations::{Kind, Position};
use super::regions::Regions;
use super::{portable, threaded};
use crate::exit::TrapKind;
use crate::isa::{InstructionSet, Reg};
use crate::memory::{
    Access, Backing, Contents, Denied, Direct, Fault, HostError, LOWEST_ADDRESS, PAGE_SIZE, Permission,
    Window,
};
use crate::pause::Pause;
use crate::program::Code;

/// Jumping here returns to the host.
pub(crate) const RETURN_TO_HOST: u32 = 0xffff_0000;

/// Handlers of an instance with a pause get no more gas at a time, so that the flag is looked at when they come back for more: some
/// hundred microseconds.
const ALLOWANCE: i64 = 500_000;

/// What is worked on.
pub(crate) struct Machine<'a, B> {
    pub(crate) code: &'a Code,
    pub(crate) blocks: &'a [u64],
    pub(crate) regions: &'a Regions,
    pub(crate) window: &'a mut Window<B>,
    pub(crate) contents: &'a mut Contents,
    /// The registers; the last three are never used.
    pub(crate) regs: &'a mut [u64; 16],
    pub(crate) gas: &'a mut i64,
    pub(crate) pause: Option<&'a Pause>,
}

/// Why execution ended. `pc` is where it stopped, the place where it goes on: of the operations here, of the native code where
/// that runs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stop<Place = Position> {
    Finished { pc: u32 },
    Syscall { pc: u32, number: u32, next: Place },
    OutOfGas { pc: u32, next: Place },
    Trap { pc: u32, kind: TrapKind, address: Option<u32> },
    PageFault { pc: u32, denied: Denied, next: Place },
    Paused { pc: u32, next: Place },
    Host { pc: u32, error: HostError, next: Place },
}

/// How an operation ended that did not just work.
pub(crate) enum Problem {
    Trap(TrapKind, Option<u32>),
    PageFault(Denied),
    Host(HostError),
    /// `memset` ran out of gas.
    OutOfGas,
}

impl<B: Backing> Machine<'_, B> {
    /// Executes from `start` until something stops it.
    pub(crate) fn execute(mut self, start: Position) -> Stop {
        if self.pause.is_some() {
            return self.go_on(start, None);
        }
        let had = *self.gas;
        let (at, gas) = self.run(start, had);
        *self.gas = gas;
        self.go_on(start, Some((at, had)))
    }

    /// Executes from `start`, without looking for a pause. If handlers leave for a syscall: its pc, its number, and where to go on. If
    /// not, where they left, and how much gas there was before.
    #[inline]
    pub(crate) fn run_to_syscall(mut self, start: Position) -> Result<(u32, u32, Position), (Position, i64)> {
        let had = *self.gas;
        let (at, gas) = self.run(start, had);
        *self.gas = gas;
        if at.kind == Kind::Ecalli { Ok((at.y, at.x, at.next())) } else { Err((at, had)) }
    }

    /// Lets handlers run, and gives where they left and how much gas is left.
    #[inline]
    fn run(&mut self, at: Position, gas: i64) -> (Position, i64) {
        let links = self.regions.links();
        if self.regions.threaded()
            && let Some(memory) = self.window.direct()
        {
            return threaded::execute(self.regs, memory, links, at, gas);
        }
        portable::execute(&mut Cpu { regs: self.regs, memory: &mut *self.window, links }, at, gas)
    }

    /// Goes on from `start`; after handlers ran, if they did, with that much gas, and left.
    #[cold]
    pub(crate) fn go_on(mut self, start: Position, ran: Option<(Position, i64)>) -> Stop {
        // The gas at the beginning, until something else than handlers has used some.
        let mut had = Some(*self.gas);
        let mut at = match ran {
            Some((at, gas)) => {
                had = Some(gas);
                at
            }
            None => self.run_for_a_while(start, true),
        };
        loop {
            let mut is_first = false;
            if at.kind.alone() == Kind::Charge {
                let begins_with_it = at == start && had == Some(*self.gas);
                is_first = begins_with_it;
                if !begins_with_it && self.pause.is_some_and(Pause::is_raised) {
                    return Stop::Paused { pc: self.pc(at), next: at };
                }
                if *self.gas < at.x.into() {
                    return Stop::OutOfGas { pc: self.pc(at), next: at };
                }
            } else {
                had = None;
                match self.serve(at) {
                    Ok(next) => at = next,
                    Err(stop) => return stop,
                }
            }
            at = self.run_for_a_while(at, is_first);
        }
    }

    /// Lets handlers run with as much gas as they may have before the flag is looked at. While it is up, that is what the first block
    /// costs, if it is still to be paid, and nothing more: so they come back at the start of the next one.
    fn run_for_a_while(&mut self, at: Position, is_first: bool) -> Position {
        let gas = *self.gas;
        let first = if at.kind.alone() == Kind::Charge { i64::from(at.x) } else { 0 };
        let allowance = match self.pause {
            None => gas,
            Some(pause) if !pause.is_raised() => gas.min(first.max(ALLOWANCE)),
            Some(_) if is_first => gas.min(first),
            Some(_) => 0,
        };
        let (at, left) = self.run(at, allowance);
        *self.gas = gas - allowance + left;
        at
    }

    /// Executes one instruction, and what has to be paid before.
    #[cold]
    pub(crate) fn step(mut self, start: Position) -> Stop {
        let mut at = match self.follow(start) {
            Ok(at) => at,
            Err(stop) => return stop,
        };
        if at.kind.alone() == Kind::Charge {
            let left = *self.gas - i64::from(at.x);
            if left < 0 {
                return Stop::OutOfGas { pc: self.pc(at), next: at };
            }
            *self.gas = left;
            at = at.next();
        }
        let next = self.serve(at).and_then(|next| {
            let next = self.follow(next)?;
            let Self { code, blocks, regions, .. } = self;
            let is_rest = next.kind == Kind::Fail && next == at.next() && regions.is_part(code, blocks, next);
            if is_rest { self.serve(next) } else { Ok(next) }
        });
        next.map_or_else(|stop| stop, |next| Stop::Paused { pc: self.pc(next), next })
    }

    /// Goes into another region if that is all that is to be done here.
    fn follow(&mut self, mut at: Position) -> Result<Position, Stop> {
        if at.kind == Kind::Stub {
            at = at.next();
        }
        if at.kind == Kind::FarJump { self.serve(at) } else { Ok(at) }
    }

    /// Does an operation that handlers have left, or any other, and gives where to go on.
    fn serve(&mut self, at: Position) -> Result<Position, Stop> {
        let problem = match at.kind.alone() {
            Kind::FarJump => {
                return self.regions.block(self.code, self.blocks, at.y).ok_or_else(|| invalid_entry(at.y));
            }
            Kind::Ecalli => return Err(Stop::Syscall { pc: at.y, number: at.x, next: at.next() }),
            Kind::Trap => Problem::Trap(TrapKind::Trap, None),
            Kind::Fail => Problem::Trap(failure(at.x), None),
            Kind::Memset => match self.memset() {
                Ok(()) => return Ok(at.next()),
                Err(problem) => problem,
            },
            Kind::Sbrk => {
                let top = self.sbrk(self.regs[usize::from(at.b)]);
                self.regs[usize::from(at.a)] = top;
                return Ok(at.next());
            }
            Kind::JumpIndirect => {
                let address = (self.regs[usize::from(at.b)] as u32).wrapping_add(at.x);
                return self.jump_indirect(at, address);
            }
            Kind::LoadImmAndJumpIndirect => {
                let address = (self.regs[usize::from(at.b)] as u32).wrapping_add(at.y);
                self.regs[usize::from(at.a)] = at.immediate();
                return self.jump_indirect(at, address);
            }
            _ => {
                let links = self.regions.links();
                let mut problem = None;
                let Self { window, contents, regs, .. } = self;
                let memory = Touching { window, contents, problem: &mut problem };
                match portable::single(&mut Cpu { regs, memory, links }, at) {
                    Flow::Next(next) | Flow::Enter(next) => return Ok(next),
                    Flow::Leave(_) => problem.unwrap_or(Problem::Trap(TrapKind::Trap, None)),
                }
            }
        };
        Err(stop(self, self.pc(at), at, problem))
    }

    /// Jumps through the jump table, and takes note of where that leads.
    fn jump_indirect(&self, at: Position, address: u32) -> Result<Position, Stop> {
        let pc = self.pc(at);
        if address == RETURN_TO_HOST {
            return Err(Stop::Finished { pc });
        }
        // Addresses of code are even and count jump table entries from two.
        let entry = (address != 0 && address.is_multiple_of(2)).then(|| address / 2 - 1);
        let target = entry.and_then(|entry| {
            let target = self.code.jump_table_entry(entry)?;
            let target = self.regions.block(self.code, self.blocks, target)?;
            self.regions.links().jumps.get(entry as usize)?.lead_to(target);
            Some(target)
        });
        let problem = || Problem::Trap(TrapKind::InvalidIndirectJump, Some(address));
        target.ok_or_else(|| stop(self, pc, at, problem()))
    }

    fn pc(&self, at: Position) -> u32 {
        self.regions.pc(self.code, self.blocks, at)
    }
}

impl Memory for Direct {
    #[inline(always)]
    fn load<const N: usize>(&mut self, address: u32) -> Option<[u8; N]> {
        Self::load(*self, address)
    }

    #[inline(always)]
    fn store<const N: usize>(&mut self, address: u32, value: [u8; N]) -> Option<()> {
        Self::store(*self, address, value)
    }
}

impl<B: Backing> Memory for &mut Window<B> {
    #[inline(always)]
    fn load<const N: usize>(&mut self, address: u32) -> Option<[u8; N]> {
        Window::load(self, address)
    }

    #[inline(always)]
    fn store<const N: usize>(&mut self, address: u32, value: [u8; N]) -> Option<()> {
        Window::store(self, address, value).then_some(())
    }
}

/// Memory in which accesses make themselves possible, or say what is wrong with them.
struct Touching<'a, B> {
    window: &'a mut Window<B>,
    contents: &'a Contents,
    problem: &'a mut Option<Problem>,
}

impl<B: Backing> Touching<'_, B> {
    fn touch(&mut self, address: u32, length: usize, access: Access) -> Option<()> {
        match touch(self.window, self.contents, address, length, access) {
            Ok(()) => Some(()),
            Err(problem) => {
                *self.problem = Some(problem);
                None
            }
        }
    }
}

impl<B: Backing> Memory for Touching<'_, B> {
    fn load<const N: usize>(&mut self, address: u32) -> Option<[u8; N]> {
        self.touch(address, N, Access::Read)?;
        let mut bytes = [0; N];
        self.window.read_touched(address, &mut bytes);
        Some(bytes)
    }

    fn store<const N: usize>(&mut self, address: u32, value: [u8; N]) -> Option<()> {
        self.touch(address, N, Access::Write)?;
        self.window.write_touched(address, &value);
        Some(())
    }
}

/// Makes an access possible, or says what is wrong with it.
fn touch<B: Backing>(
    window: &mut Window<B>,
    contents: &Contents,
    address: u32,
    length: usize,
    access: Access,
) -> Result<(), Problem> {
    let denied = match window.touch(contents, address, length, access) {
        Ok(()) => return Ok(()),
        Err(Fault::Host(error)) => return Err(Problem::Host(error)),
        Err(Fault::Denied(denied)) => denied,
    };
    let wraps = u64::from(address) + length as u64 > 1 << 32;
    let kind = match denied.permission {
        _ if denied.address < LOWEST_ADDRESS => TrapKind::LowAddress,
        _ if contents.faults_to_host() && !wraps => return Err(Problem::PageFault(denied)),
        Permission::None => TrapKind::Unmapped,
        Permission::Read | Permission::ReadWrite => TrapKind::ReadOnly,
    };
    Err(Problem::Trap(kind, Some(denied.address)))
}

/// What a [`Kind::Fail`] says.
fn failure(number: u32) -> TrapKind {
    [TrapKind::InvalidInstruction, TrapKind::CodeEnd, TrapKind::InvalidJump]
        .into_iter()
        .find(|&kind| kind as u32 == number)
        .unwrap_or(TrapKind::Trap)
}

/// Targets are checked when operations are made, so this is not reached; if it were, trapping is safe.
#[cold]
fn invalid_entry(pc: u32) -> Stop {
    debug_assert!(false, "no block at {pc:#x}");
    Stop::Trap { pc, kind: TrapKind::InvalidEntry, address: None }
}

#[cold]
pub(crate) fn stop<B, Place>(_: &Machine<'_, B>, pc: u32, next: Place, problem: Problem) -> Stop<Place> {
    match problem {
        Problem::Trap(kind, address) => Stop::Trap { pc, kind, address },
        Problem::PageFault(denied) => Stop::PageFault { pc, denied, next },
        Problem::Host(error) => Stop::Host { pc, error, next },
        Problem::OutOfGas => Stop::OutOfGas { pc, next },
    }
}

impl<B: Backing> Machine<'_, B> {
    /// Makes an access possible, or says what is wrong with it.
    pub(crate) fn touch(&mut self, address: u32, length: usize, access: Access) -> Result<(), Problem> {
        touch(self.window, self.contents, address, length, access)
    }

    /// Grows the heap. In the extended encoding as polkavm does since 0.37, otherwise as 0.33: what a size of more than 32 bits
    /// means, and whether an address in the upper half is sign-extended.
    pub(crate) fn sbrk(&mut self, size: u64) -> u64 {
        let extended = self.code.instruction_set() == InstructionSet::Latest64Extended;
        let size = u32::try_from(size).ok().or(extended.then_some(0));
        let top = size.and_then(|size| self.contents.sbrk(size.into())).unwrap_or(0);
        if extended { i64::from(top as i32) as u64 } else { self.in_register(top) }
    }

    /// As registers hold a value of 32 bits: zero-extended, or, as all do that are of 32 bits themselves, sign-extended.
    fn in_register(&self, value: u32) -> u64 {
        if self.code.instruction_set().is_64_bit() { value.into() } else { i64::from(value as i32) as u64 }
    }

    /// Fills memory, one gas a byte, page by page; stops at itself with its progress in the registers.
    ///
    /// The interpreter of polkavm 0.33 leaves bits above the 32 of a register, by which comparisons then differ.
    pub(crate) fn memset(&mut self) -> Result<(), Problem> {
        let (destination, value, count) =
            (Reg::A0 as usize, self.regs[Reg::A1 as usize] as u8, Reg::A2 as usize);
        let is_64_bit = self.code.instruction_set().is_64_bit();
        if self.code.instruction_set() == InstructionSet::Latest64Extended {
            // polkavm takes only the low half of the count since 0.37.
            self.regs[count] &= u64::from(u32::MAX);
        }
        loop {
            let at = self.regs[destination] as u32;
            let left = if is_64_bit { self.regs[count] } else { u64::from(self.regs[count] as u32) };
            self.regs[destination] = self.in_register(at);
            if left == 0 {
                return Ok(());
            }
            let in_page = u64::from(PAGE_SIZE - at % PAGE_SIZE);
            let affordable = (*self.gas).try_into().unwrap_or(0);
            let length = left.min(in_page).min(affordable);
            if length == 0 {
                return Err(Problem::OutOfGas);
            }
            self.touch(at, length as usize, Access::Write)?;
            self.window.fill_touched(at, length as usize, value);
            *self.gas -= length as i64;
            self.regs[destination] = self.in_register(at.wrapping_add(length as u32));
            let left = left - length;
            self.regs[count] = if is_64_bit { left } else { self.in_register(left as u32) };
        }
    }
}
