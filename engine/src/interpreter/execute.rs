//! The loop that executes operations.

use super::operations::{Kind, Position, Regions, bit};
use crate::exit::TrapKind;
use crate::isa::{InstructionSet, Reg};
use crate::memory::{
    Access, Backing, Contents, Denied, Fault, HostError, LOWEST_ADDRESS, PAGE_SIZE, Permission, Window,
};
use crate::pause::Pause;
use crate::program::Code;

/// Jumping here returns to the host.
pub(crate) const RETURN_TO_HOST: u32 = 0xffff_0000;

/// What the loop works on.
pub(crate) struct Machine<'a, B> {
    pub(crate) code: &'a Code,
    pub(crate) blocks: &'a [u64],
    pub(crate) regions: &'a Regions,
    pub(crate) window: &'a mut Window<B>,
    pub(crate) contents: &'a mut Contents,
    /// The registers; the last three are never used, so that a masked number needs no bounds check.
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

/// Executes from `position` until something stops it, or, with `STEP`, one instruction.
pub(crate) fn execute<B: Backing, const STEP: bool>(mut m: Machine<'_, B>, mut position: Position) -> Stop {
    let start = position;
    let mut is_first_charge = true;
    let mut stepped = None;
    'region: loop {
        let region = m.regions.region(m.code, m.blocks, position.region);
        let operations = &*region.operations;
        let mut at = position.operation;
        loop {
            let op = operations[at as usize];
            let here = |operation| Position { region: position.region, operation };
            if STEP {
                match (stepped, op.kind) {
                    // These belong to what comes after or before them.
                    (_, Kind::FarJump) | (None, Kind::Charge) => {}
                    (Some(previous), Kind::Fail)
                        if previous == (position.region, at.wrapping_sub(1)) && region.is_part(at) => {}
                    (Some(_), _) => return Stop::Paused { pc: region.pcs[at as usize], next: here(at) },
                    (None, _) => stepped = Some((position.region, at)),
                }
            }

            // Reading and writing registers, immediates as 64 bits.
            macro_rules! s1 {
                () => {
                    m.regs[usize::from(op.b & 15)]
                };
            }
            macro_rules! s2 {
                () => {
                    m.regs[usize::from(op.c & 15)]
                };
            }
            macro_rules! set {
                ($value:expr) => {
                    m.regs[usize::from(op.a & 15)] = $value
                };
            }
            macro_rules! set32 {
                ($value:expr) => {
                    m.regs[usize::from(op.a & 15)] = i64::from($value as i32) as u64
                };
            }
            let x = i64::from(op.x as i32) as u64;

            // The address `base + x`, of which the low 32 bits count.
            let address = |base: u64| (base as u32).wrapping_add(op.x);
            macro_rules! try_op {
                ($work:expr) => {
                    match $work {
                        Ok(value) => value,
                        Err(problem) => return stop(&m, region.pcs[at as usize], here(at), problem),
                    }
                };
            }
            macro_rules! load {
                ($type:ty, $base:expr, $as:ty) => {{
                    let bytes = try_op!(m.load(address($base)));
                    set!(<$type>::from_le_bytes(bytes) as $as as u64)
                }};
            }
            macro_rules! store {
                ($type:ty, $base:expr, $value:expr) => {{
                    let value = $value as $type;
                    try_op!(m.store(address($base), value.to_le_bytes()))
                }};
            }
            macro_rules! branch {
                ($condition:expr) => {
                    if $condition {
                        at = op.y;
                        continue;
                    }
                };
            }
            macro_rules! jump_indirect {
                ($address:expr) => {{
                    let address: u32 = $address;
                    if address == RETURN_TO_HOST {
                        return Stop::Finished { pc: region.pcs[at as usize] };
                    }
                    let Some(pc) = m.jump_target(address) else {
                        let problem = Problem::Trap(TrapKind::InvalidIndirectJump, Some(address));
                        return stop(&m, region.pcs[at as usize], here(at), problem);
                    };
                    if let Some(target) = region.block(pc) {
                        at = target;
                        continue;
                    }
                    match m.regions.block(m.code, m.blocks, pc) {
                        Some(target) => position = target,
                        None => return invalid_entry(pc),
                    }
                    continue 'region;
                }};
            }

            match op.kind {
                Kind::Charge => {
                    let begins_with_it = is_first_charge && here(at) == start;
                    is_first_charge = false;
                    if !begins_with_it && m.pause.is_some_and(Pause::is_raised) {
                        return Stop::Paused { pc: region.pcs[at as usize], next: here(at) };
                    }
                    let left = *m.gas - i64::from(op.x);
                    if left < 0 {
                        return Stop::OutOfGas { pc: region.pcs[at as usize], next: here(at) };
                    }
                    *m.gas = left;
                }
                Kind::FarJump => {
                    match m.regions.block(m.code, m.blocks, op.x) {
                        Some(target) => position = target,
                        None => return invalid_entry(op.x),
                    }
                    continue 'region;
                }
                Kind::Fail => {
                    let problem = Problem::Trap(failure(op.x), None);
                    return stop(&m, region.pcs[at as usize], here(at), problem);
                }
                Kind::Trap => {
                    let problem = Problem::Trap(TrapKind::Trap, None);
                    return stop(&m, region.pcs[at as usize], here(at), problem);
                }
                Kind::Ecalli => {
                    return Stop::Syscall { pc: region.pcs[at as usize], number: op.x, next: here(at + 1) };
                }
                Kind::Fallthrough | Kind::Unlikely => {}
                Kind::Memset => try_op!(m.memset()),
                Kind::Sbrk => {
                    let top = m.sbrk(s1!());
                    set!(top);
                }

                Kind::LoadImm => set!(x),
                Kind::LoadImm64 => set!(u64::from(op.x) | u64::from(op.y) << 32),
                Kind::MoveReg => set!(s1!()),

                Kind::Jump => {
                    at = op.y;
                    continue;
                }
                Kind::LoadImmAndJump => {
                    set!(x);
                    at = op.y;
                    continue;
                }
                Kind::JumpIndirect => jump_indirect!(address(s1!())),
                Kind::LoadImmAndJumpIndirect => {
                    let target = (s1!() as u32).wrapping_add(op.y);
                    set!(x);
                    jump_indirect!(target)
                }

                Kind::BranchEq => branch!(s1!() == s2!()),
                Kind::BranchNotEq => branch!(s1!() != s2!()),
                Kind::BranchLessUnsigned => branch!(s1!() < s2!()),
                Kind::BranchLessSigned => branch!((s1!() as i64) < (s2!() as i64)),
                Kind::BranchGreaterOrEqualUnsigned => branch!(s1!() >= s2!()),
                Kind::BranchGreaterOrEqualSigned => branch!(s1!() as i64 >= s2!() as i64),
                Kind::BranchEqImm => branch!(s1!() == x),
                Kind::BranchNotEqImm => branch!(s1!() != x),
                Kind::BranchLessUnsignedImm => branch!(s1!() < x),
                Kind::BranchLessSignedImm => branch!((s1!() as i64) < (x as i64)),
                Kind::BranchLessOrEqualUnsignedImm => branch!(s1!() <= x),
                Kind::BranchLessOrEqualSignedImm => branch!(s1!() as i64 <= x as i64),
                Kind::BranchGreaterOrEqualUnsignedImm => branch!(s1!() >= x),
                Kind::BranchGreaterOrEqualSignedImm => branch!(s1!() as i64 >= x as i64),
                Kind::BranchGreaterUnsignedImm => branch!(s1!() > x),
                Kind::BranchGreaterSignedImm => branch!(s1!() as i64 > x as i64),

                Kind::LoadU8 => load!(u8, 0, u64),
                Kind::LoadI8 => load!(i8, 0, i64),
                Kind::LoadU16 => load!(u16, 0, u64),
                Kind::LoadI16 => load!(i16, 0, i64),
                Kind::LoadU32 => load!(u32, 0, u64),
                Kind::LoadI32 => load!(i32, 0, i64),
                Kind::LoadU64 => load!(u64, 0, u64),
                Kind::LoadIndirectU8 => load!(u8, s1!(), u64),
                Kind::LoadIndirectI8 => load!(i8, s1!(), i64),
                Kind::LoadIndirectU16 => load!(u16, s1!(), u64),
                Kind::LoadIndirectI16 => load!(i16, s1!(), i64),
                Kind::LoadIndirectU32 => load!(u32, s1!(), u64),
                Kind::LoadIndirectI32 => load!(i32, s1!(), i64),
                Kind::LoadIndirectU64 => load!(u64, s1!(), u64),

                Kind::StoreU8 => store!(u8, 0, s1!()),
                Kind::StoreU16 => store!(u16, 0, s1!()),
                Kind::StoreU32 => store!(u32, 0, s1!()),
                Kind::StoreU64 => store!(u64, 0, s1!()),
                Kind::StoreIndirectU8 => store!(u8, s2!(), s1!()),
                Kind::StoreIndirectU16 => store!(u16, s2!(), s1!()),
                Kind::StoreIndirectU32 => store!(u32, s2!(), s1!()),
                Kind::StoreIndirectU64 => store!(u64, s2!(), s1!()),
                Kind::StoreImmU8 => store!(u8, 0, op.y),
                Kind::StoreImmU16 => store!(u16, 0, op.y),
                Kind::StoreImmU32 => store!(u32, 0, op.y),
                Kind::StoreImmU64 => store!(u64, 0, op.y as i32),
                Kind::StoreImmIndirectU8 => store!(u8, s1!(), op.y),
                Kind::StoreImmIndirectU16 => store!(u16, s1!(), op.y),
                Kind::StoreImmIndirectU32 => store!(u32, s1!(), op.y),
                Kind::StoreImmIndirectU64 => store!(u64, s1!(), op.y as i32),

                Kind::Add64 => set!(s1!().wrapping_add(s2!())),
                Kind::Add32 => set32!(s1!().wrapping_add(s2!())),
                Kind::AddImm64 => set!(s1!().wrapping_add(x)),
                Kind::AddImm32 => set32!(s1!().wrapping_add(x)),
                Kind::Sub64 => set!(s1!().wrapping_sub(s2!())),
                Kind::Sub32 => set32!(s1!().wrapping_sub(s2!())),
                Kind::NegateAndAddImm64 => set!(x.wrapping_sub(s1!())),
                Kind::NegateAndAddImm32 => set32!(x.wrapping_sub(s1!())),
                Kind::Mul64 => set!(s1!().wrapping_mul(s2!())),
                Kind::Mul32 => set32!(s1!().wrapping_mul(s2!())),
                Kind::MulImm64 => set!(s1!().wrapping_mul(x)),
                Kind::MulImm32 => set32!(s1!().wrapping_mul(x)),
                Kind::MulUpperSignedSigned => {
                    set!(((i128::from(s1!() as i64) * i128::from(s2!() as i64)) >> 64) as u64);
                }
                Kind::MulUpperUnsignedUnsigned => {
                    set!(((u128::from(s1!()) * u128::from(s2!())) >> 64) as u64);
                }
                Kind::MulUpperSignedUnsigned => {
                    set!((i128::from(s1!() as i64).wrapping_mul(i128::from(s2!())) >> 64) as u64);
                }
                Kind::MulUpperSignedSigned32 => {
                    set32!((i64::from(s1!() as i32) * i64::from(s2!() as i32)) >> 32);
                }
                Kind::MulUpperUnsignedUnsigned32 => {
                    set32!((u64::from(s1!() as u32) * u64::from(s2!() as u32)) >> 32);
                }
                Kind::MulUpperSignedUnsigned32 => {
                    set32!((i64::from(s1!() as i32) * i64::from(s2!() as u32)) >> 32);
                }
                Kind::DivUnsigned64 => set!(s1!().checked_div(s2!()).unwrap_or(u64::MAX)),
                Kind::DivUnsigned32 => set32!((s1!() as u32).checked_div(s2!() as u32).unwrap_or(u32::MAX)),
                Kind::DivSigned64 => set!(divide(s1!() as i64, s2!() as i64) as u64),
                Kind::DivSigned32 => set32!(divide(i64::from(s1!() as i32), i64::from(s2!() as i32))),
                Kind::RemUnsigned64 => set!(s1!().checked_rem(s2!()).unwrap_or(s1!())),
                Kind::RemUnsigned32 => {
                    set32!((s1!() as u32).checked_rem(s2!() as u32).unwrap_or(s1!() as u32));
                }
                Kind::RemSigned64 => set!(remainder(s1!() as i64, s2!() as i64) as u64),
                Kind::RemSigned32 => set32!(remainder(i64::from(s1!() as i32), i64::from(s2!() as i32))),

                Kind::And => set!(s1!() & s2!()),
                Kind::Or => set!(s1!() | s2!()),
                Kind::Xor => set!(s1!() ^ s2!()),
                Kind::AndImm => set!(s1!() & x),
                Kind::OrImm => set!(s1!() | x),
                Kind::XorImm => set!(s1!() ^ x),
                Kind::AndInverted => set!(s1!() & !s2!()),
                Kind::OrInverted => set!(s1!() | !s2!()),
                Kind::Xnor => set!(!(s1!() ^ s2!())),

                Kind::ShiftLogicalLeft64 => set!(s1!() << (s2!() & 63)),
                Kind::ShiftLogicalLeft32 => set32!((s1!() as u32) << (s2!() & 31)),
                Kind::ShiftLogicalLeftImm64 => set!(s1!() << (x & 63)),
                Kind::ShiftLogicalLeftImm32 => set32!((s1!() as u32) << (x & 31)),
                Kind::ShiftLogicalLeftImmAlt64 => set!(x << (s1!() & 63)),
                Kind::ShiftLogicalLeftImmAlt32 => set32!((x as u32) << (s1!() & 31)),
                Kind::ShiftLogicalRight64 => set!(s1!() >> (s2!() & 63)),
                Kind::ShiftLogicalRight32 => set32!((s1!() as u32) >> (s2!() & 31)),
                Kind::ShiftLogicalRightImm64 => set!(s1!() >> (x & 63)),
                Kind::ShiftLogicalRightImm32 => set32!((s1!() as u32) >> (x & 31)),
                Kind::ShiftLogicalRightImmAlt64 => set!(x >> (s1!() & 63)),
                Kind::ShiftLogicalRightImmAlt32 => set32!((x as u32) >> (s1!() & 31)),
                Kind::ShiftArithmeticRight64 => set!((s1!() as i64 >> (s2!() & 63)) as u64),
                Kind::ShiftArithmeticRight32 => set32!(s1!() as i32 >> (s2!() & 31)),
                Kind::ShiftArithmeticRightImm64 => set!((s1!() as i64 >> (x & 63)) as u64),
                Kind::ShiftArithmeticRightImm32 => set32!(s1!() as i32 >> (x & 31)),
                Kind::ShiftArithmeticRightImmAlt64 => set!((x as i64 >> (s1!() & 63)) as u64),
                Kind::ShiftArithmeticRightImmAlt32 => set32!(x as i32 >> (s1!() & 31)),
                Kind::RotateLeft64 => set!(s1!().rotate_left(s2!() as u32)),
                Kind::RotateLeft32 => set32!((s1!() as u32).rotate_left(s2!() as u32)),
                Kind::RotateRight64 => set!(s1!().rotate_right(s2!() as u32)),
                Kind::RotateRight32 => set32!((s1!() as u32).rotate_right(s2!() as u32)),
                Kind::RotateRightImm64 => set!(s1!().rotate_right(x as u32)),
                Kind::RotateRightImm32 => set32!((s1!() as u32).rotate_right(x as u32)),
                Kind::RotateRightImmAlt64 => set!(x.rotate_right(s1!() as u32)),
                Kind::RotateRightImmAlt32 => set32!((x as u32).rotate_right(s1!() as u32)),

                Kind::SetLessThanUnsigned => set!(u64::from(s1!() < s2!())),
                Kind::SetLessThanSigned => set!(u64::from((s1!() as i64) < (s2!() as i64))),
                Kind::SetLessThanUnsignedImm => set!(u64::from(s1!() < x)),
                Kind::SetLessThanSignedImm => set!(u64::from((s1!() as i64) < (x as i64))),
                Kind::SetGreaterThanUnsignedImm => set!(u64::from(s1!() > x)),
                Kind::SetGreaterThanSignedImm => set!(u64::from(s1!() as i64 > x as i64)),
                Kind::Maximum => set!((s1!() as i64).max(s2!() as i64) as u64),
                Kind::MaximumUnsigned => set!(s1!().max(s2!())),
                Kind::Minimum => set!((s1!() as i64).min(s2!() as i64) as u64),
                Kind::MinimumUnsigned => set!(s1!().min(s2!())),
                Kind::CmovIfZero => {
                    if s2!() == 0 {
                        set!(s1!());
                    }
                }
                Kind::CmovIfNotZero => {
                    if s2!() != 0 {
                        set!(s1!());
                    }
                }
                Kind::CmovIfZeroImm => {
                    if s1!() == 0 {
                        set!(x);
                    }
                }
                Kind::CmovIfNotZeroImm => {
                    if s1!() != 0 {
                        set!(x);
                    }
                }

                Kind::CountSetBits64 => set!(u64::from(s1!().count_ones())),
                Kind::CountSetBits32 => set!(u64::from((s1!() as u32).count_ones())),
                Kind::CountLeadingZeroBits64 => set!(u64::from(s1!().leading_zeros())),
                Kind::CountLeadingZeroBits32 => set!(u64::from((s1!() as u32).leading_zeros())),
                Kind::CountTrailingZeroBits64 => set!(u64::from(s1!().trailing_zeros())),
                Kind::CountTrailingZeroBits32 => set!(u64::from((s1!() as u32).trailing_zeros())),
                Kind::SignExtend8 => set!(i64::from(s1!() as i8) as u64),
                Kind::SignExtend16 => set!(i64::from(s1!() as i16) as u64),
                Kind::ZeroExtend16 => set!(u64::from(s1!() as u16)),
                Kind::ReverseByte => set!(s1!().swap_bytes()),
                Kind::ReverseByte32 => set32!((s1!() as u32).swap_bytes()),
            }
            at += 1;
        }
    }
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

/// Division of RISC-V: by zero gives all ones, the one overflow wraps.
fn divide(a: i64, b: i64) -> i64 {
    if b == 0 { -1 } else { a.wrapping_div(b) }
}

/// Remainder of RISC-V: by zero gives the dividend, the one overflow gives zero.
fn remainder(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { a.wrapping_rem(b) }
}

impl<B: Backing> Machine<'_, B> {
    #[inline]
    fn load<const N: usize>(&mut self, address: u32) -> Result<[u8; N], Problem> {
        match self.window.load(address) {
            Some(bytes) => Ok(bytes),
            None => self.load_slow(address),
        }
    }

    #[cold]
    fn load_slow<const N: usize>(&mut self, address: u32) -> Result<[u8; N], Problem> {
        self.touch(address, N, Access::Read)?;
        let mut bytes = [0; N];
        self.window.read_touched(address, &mut bytes);
        Ok(bytes)
    }

    #[inline]
    fn store<const N: usize>(&mut self, address: u32, value: [u8; N]) -> Result<(), Problem> {
        if self.window.store(address, value) { Ok(()) } else { self.store_slow(address, value) }
    }

    #[cold]
    fn store_slow<const N: usize>(&mut self, address: u32, value: [u8; N]) -> Result<(), Problem> {
        self.touch(address, N, Access::Write)?;
        self.window.write_touched(address, &value);
        Ok(())
    }

    /// Makes an access possible, or says what is wrong with it.
    pub(crate) fn touch(&mut self, address: u32, length: usize, access: Access) -> Result<(), Problem> {
        let fault = match self.window.touch(self.contents, address, length, access) {
            Ok(()) => return Ok(()),
            Err(fault) => fault,
        };
        let denied = match fault {
            Fault::Host(error) => return Err(Problem::Host(error)),
            Fault::Denied(denied) => denied,
        };
        let wraps = u64::from(address) + length as u64 > 1 << 32;
        let kind = match denied.permission {
            _ if denied.address < LOWEST_ADDRESS => TrapKind::LowAddress,
            _ if self.contents.faults_to_host() && !wraps => return Err(Problem::PageFault(denied)),
            Permission::None => TrapKind::Unmapped,
            Permission::Read | Permission::ReadWrite => TrapKind::ReadOnly,
        };
        Err(Problem::Trap(kind, Some(denied.address)))
    }

    /// Where an indirect jump to `address` leads: addresses of code are even and count jump table entries from two.
    #[inline]
    fn jump_target(&self, address: u32) -> Option<u32> {
        if address == 0 || !address.is_multiple_of(2) {
            return None;
        }
        self.code.jump_table_entry(address / 2 - 1).filter(|&pc| bit(self.blocks, pc))
    }

    /// Grows the heap. In the extended encoding as polkavm does since 0.37, otherwise as 0.33: what a size of more than 32 bits
    /// means, and whether an address in the upper half is sign-extended.
    pub(crate) fn sbrk(&mut self, size: u64) -> u64 {
        let extended = self.code.instruction_set() == InstructionSet::Latest64Extended;
        let size = u32::try_from(size).ok().or(extended.then_some(0));
        let top = size.and_then(|size| self.contents.sbrk(size.into())).unwrap_or(0);
        if extended { i64::from(top as i32) as u64 } else { top.into() }
    }

    /// Fills memory, one gas a byte, page by page; stops at itself with its progress in the registers.
    pub(crate) fn memset(&mut self) -> Result<(), Problem> {
        let (destination, value, count) =
            (Reg::A0 as usize, self.regs[Reg::A1 as usize] as u8, Reg::A2 as usize);
        if self.code.instruction_set() == InstructionSet::Latest64Extended {
            // polkavm takes only the low half of the count since 0.37.
            self.regs[count] &= u64::from(u32::MAX);
        }
        loop {
            let at = self.regs[destination] as u32;
            let left = self.regs[count];
            self.regs[destination] = at.into();
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
            self.regs[destination] = at.wrapping_add(length as u32).into();
            self.regs[count] = left - length;
        }
    }
}
