//! What each operation does: one type for each kind, of the same name, that both dispatchers use.

use super::bits;
use super::operations::Position;
use super::regions::{Link, Links};

/// What handlers work on.
pub(super) struct Cpu<'a, M> {
    /// The registers; the last three are never used.
    pub(super) regs: &'a mut [u64; 16],
    pub(super) memory: M,
    pub(super) links: &'a Links,
}

/// Guest memory as handlers see it.
pub(super) trait Memory {
    /// Loads, unless somebody has to look at it first.
    fn load<const N: usize>(&mut self, address: u32) -> Option<[u8; N]>;

    /// Stores; `None` if somebody has to look at it first.
    fn store<const N: usize>(&mut self, address: u32, value: [u8; N]) -> Option<()>;
}

/// What comes after an operation.
pub(super) enum Flow {
    /// The operation here.
    Next(Position),
    /// The block whose charge is here, if there is enough gas for it.
    Enter(Position),
    /// The operation here cannot be done by handlers, or not yet, and has done nothing.
    Leave(Position),
}

/// What an operation does. `s1` is what is in the register `b`.
pub(super) trait Handler {
    fn run<M: Memory>(cpu: &mut Cpu<'_, M>, at: Position, s1: u64) -> Flow;
}

/// What is computed for, or loaded into, the register `a`; `None` if somebody has to look at it first.
pub(super) trait Value {
    fn value<M: Memory>(cpu: &mut Cpu<'_, M>, at: Position, s1: u64) -> Option<u64>;
}

impl<V: Value> Handler for V {
    #[inline(always)]
    fn run<M: Memory>(cpu: &mut Cpu<'_, M>, at: Position, s1: u64) -> Flow {
        match V::value(cpu, at, s1) {
            Some(value) => {
                cpu.set(at.a, value);
                Flow::Next(at.next())
            }
            None => Flow::Leave(at),
        }
    }
}

/// One operation and then the one behind it.
pub(super) struct Then<A, B>(A, B);

impl<A: Handler, B: Handler> Handler for Then<A, B> {
    #[inline(always)]
    fn run<M: Memory>(cpu: &mut Cpu<'_, M>, at: Position, s1: u64) -> Flow {
        match A::run(cpu, at, s1) {
            Flow::Next(next) => run::<B, M>(cpu, next),
            other => other,
        }
    }
}

/// One operation and then the one behind it, whose first source is what the first one writes.
pub(super) struct Chain<A, B>(A, B);

impl<A: Value, B: Handler> Handler for Chain<A, B> {
    #[inline(always)]
    fn run<M: Memory>(cpu: &mut Cpu<'_, M>, at: Position, s1: u64) -> Flow {
        match A::value(cpu, at, s1) {
            Some(value) => {
                cpu.set(at.a, value);
                B::run(cpu, at.next(), value)
            }
            None => Flow::Leave(at),
        }
    }
}

/// The handler that is made of these.
macro_rules! fused {
    ($last:ident) => {
        $crate::interpreter::handlers::$last
    };
    ($first:ident ($how:ident $next:ident) $($rest:tt)*) => {
        $crate::interpreter::handlers::$how<
            $crate::interpreter::handlers::$first,
            $crate::interpreter::handlers::fused!($next $($rest)*),
        >
    };
}

pub(super) use fused;

/// Does the operation at a place.
#[inline(always)]
pub(super) fn run<H: Handler, M: Memory>(cpu: &mut Cpu<'_, M>, at: Position) -> Flow {
    let s1 = cpu.reg(at.b);
    H::run(cpu, at, s1)
}

impl<M: Memory> Cpu<'_, M> {
    #[inline(always)]
    fn reg(&self, number: u8) -> u64 {
        debug_assert!(number < 13);
        // SAFETY: operations are made from instructions, whose registers have numbers below 13.
        unsafe { *self.regs.get_unchecked(usize::from(number)) }
    }

    #[inline(always)]
    fn set(&mut self, number: u8, value: u64) {
        debug_assert!(number < 13);
        // SAFETY: as above.
        unsafe { *self.regs.get_unchecked_mut(usize::from(number)) = value };
    }
}

/// Sign-extends the low half.
#[inline(always)]
const fn extend(value: u32) -> u64 {
    value as i32 as u64
}

/// The second operand of an operation that computes: another register, or the immediate.
macro_rules! operand {
    (reg $cpu:ident $at:ident) => {
        $cpu.reg($at.c)
    };
    (imm $cpu:ident $at:ident) => {
        $at.immediate()
    };
}

/// Operations that compute a value from the first source and another operand.
macro_rules! values {
    ($($name:ident($a:ident $(, $b:ident: $from:ident)?) = $value:expr;)+) => {$(
        pub(super) struct $name;

        impl Value for $name {
            #[inline(always)]
            fn value<M: Memory>(cpu: &mut Cpu<'_, M>, at: Position, $a: u64) -> Option<u64> {
                let _ = (&cpu, at);
                $(let $b = operand!($from cpu at);)?
                Some($value)
            }
        }
    )+};
}

values! {
    MoveReg(a) = a;
    CountSetBits64(a) = bits::set_bits(a);
    CountSetBits32(a) = bits::set_bits(u64::from(a as u32));
    CountLeadingZeroBits64(a) = u64::from(a.leading_zeros());
    CountLeadingZeroBits32(a) = u64::from((a as u32).leading_zeros());
    CountTrailingZeroBits64(a) = u64::from(a.trailing_zeros());
    CountTrailingZeroBits32(a) = u64::from((a as u32).trailing_zeros());
    SignExtend8(a) = a as i8 as u64;
    SignExtend16(a) = a as i16 as u64;
    ZeroExtend16(a) = u64::from(a as u16);
    ReverseByte(a) = a.swap_bytes();
    ReverseByte32(a) = extend((a as u32).swap_bytes());

    Add64(a, b: reg) = a.wrapping_add(b);
    Add32(a, b: reg) = extend(a.wrapping_add(b) as u32);
    AddImm64(a, x: imm) = a.wrapping_add(x);
    AddImm32(a, x: imm) = extend(a.wrapping_add(x) as u32);
    Sub64(a, b: reg) = a.wrapping_sub(b);
    Sub32(a, b: reg) = extend(a.wrapping_sub(b) as u32);
    NegateAndAddImm64(a, x: imm) = x.wrapping_sub(a);
    NegateAndAddImm32(a, x: imm) = extend(x.wrapping_sub(a) as u32);
    Mul64(a, b: reg) = a.wrapping_mul(b);
    Mul32(a, b: reg) = extend(a.wrapping_mul(b) as u32);
    MulImm64(a, x: imm) = a.wrapping_mul(x);
    MulImm32(a, x: imm) = extend(a.wrapping_mul(x) as u32);
    MulUpperSignedSigned(a, b: reg) = ((i128::from(a as i64) * i128::from(b as i64)) >> 64) as u64;
    MulUpperUnsignedUnsigned(a, b: reg) = ((u128::from(a) * u128::from(b)) >> 64) as u64;
    MulUpperSignedUnsigned(a, b: reg) = (i128::from(a as i64).wrapping_mul(i128::from(b)) >> 64) as u64;
    MulUpperSignedSigned32(a, b: reg) = extend(((i64::from(a as i32) * i64::from(b as i32)) >> 32) as u32);
    MulUpperUnsignedUnsigned32(a, b: reg) = extend(((u64::from(a as u32) * u64::from(b as u32)) >> 32) as u32);
    MulUpperSignedUnsigned32(a, b: reg) = extend(((i64::from(a as i32) * i64::from(b as u32)) >> 32) as u32);
    DivUnsigned64(a, b: reg) = a.checked_div(b).unwrap_or(u64::MAX);
    DivUnsigned32(a, b: reg) = extend((a as u32).checked_div(b as u32).unwrap_or(u32::MAX));
    DivSigned64(a, b: reg) = divide(a as i64, b as i64) as u64;
    DivSigned32(a, b: reg) = extend(divide(i64::from(a as i32), i64::from(b as i32)) as u32);
    RemUnsigned64(a, b: reg) = a.checked_rem(b).unwrap_or(a);
    RemUnsigned32(a, b: reg) = extend((a as u32).checked_rem(b as u32).unwrap_or(a as u32));
    RemSigned64(a, b: reg) = remainder(a as i64, b as i64) as u64;
    RemSigned32(a, b: reg) = extend(remainder(i64::from(a as i32), i64::from(b as i32)) as u32);

    And(a, b: reg) = a & b;
    Or(a, b: reg) = a | b;
    Xor(a, b: reg) = a ^ b;
    AndImm(a, x: imm) = a & x;
    OrImm(a, x: imm) = a | x;
    XorImm(a, x: imm) = a ^ x;
    AndInverted(a, b: reg) = a & !b;
    OrInverted(a, b: reg) = a | !b;
    Xnor(a, b: reg) = !(a ^ b);

    ShiftLogicalLeft64(a, b: reg) = a << (b & 63);
    ShiftLogicalLeft32(a, b: reg) = extend((a as u32) << (b & 31));
    ShiftLogicalLeftImm64(a, x: imm) = a << (x & 63);
    ShiftLogicalLeftImm32(a, x: imm) = extend((a as u32) << (x & 31));
    ShiftLogicalLeftImmAlt64(a, x: imm) = x << (a & 63);
    ShiftLogicalLeftImmAlt32(a, x: imm) = extend((x as u32) << (a & 31));
    ShiftLogicalRight64(a, b: reg) = a >> (b & 63);
    ShiftLogicalRight32(a, b: reg) = extend((a as u32) >> (b & 31));
    ShiftLogicalRightImm64(a, x: imm) = a >> (x & 63);
    ShiftLogicalRightImm32(a, x: imm) = extend((a as u32) >> (x & 31));
    ShiftLogicalRightImmAlt64(a, x: imm) = x >> (a & 63);
    ShiftLogicalRightImmAlt32(a, x: imm) = extend((x as u32) >> (a & 31));
    ShiftArithmeticRight64(a, b: reg) = (a as i64 >> (b & 63)) as u64;
    ShiftArithmeticRight32(a, b: reg) = extend((a as i32 >> (b & 31)) as u32);
    ShiftArithmeticRightImm64(a, x: imm) = (a as i64 >> (x & 63)) as u64;
    ShiftArithmeticRightImm32(a, x: imm) = extend((a as i32 >> (x & 31)) as u32);
    ShiftArithmeticRightImmAlt64(a, x: imm) = (x as i64 >> (a & 63)) as u64;
    ShiftArithmeticRightImmAlt32(a, x: imm) = extend((x as i32 >> (a & 31)) as u32);
    RotateLeft64(a, b: reg) = a.rotate_left(b as u32);
    RotateLeft32(a, b: reg) = extend((a as u32).rotate_left(b as u32));
    RotateRight64(a, b: reg) = a.rotate_right(b as u32);
    RotateRight32(a, b: reg) = extend((a as u32).rotate_right(b as u32));
    RotateRightImm64(a, x: imm) = a.rotate_right(x as u32);
    RotateRightImm32(a, x: imm) = extend((a as u32).rotate_right(x as u32));
    RotateRightImmAlt64(a, x: imm) = x.rotate_right(a as u32);
    RotateRightImmAlt32(a, x: imm) = extend((x as u32).rotate_right(a as u32));

    SetLessThanUnsigned(a, b: reg) = u64::from(a < b);
    SetLessThanSigned(a, b: reg) = u64::from((a as i64) < (b as i64));
    SetLessThanUnsignedImm(a, x: imm) = u64::from(a < x);
    SetLessThanSignedImm(a, x: imm) = u64::from((a as i64) < (x as i64));
    SetGreaterThanUnsignedImm(a, x: imm) = u64::from(a > x);
    SetGreaterThanSignedImm(a, x: imm) = u64::from(a as i64 > x as i64);
    Maximum(a, b: reg) = (a as i64).max(b as i64) as u64;
    MaximumUnsigned(a, b: reg) = a.max(b);
    Minimum(a, b: reg) = (a as i64).min(b as i64) as u64;
    MinimumUnsigned(a, b: reg) = a.min(b);
}

/// Division of RISC-V: by zero gives all ones, the one overflow wraps.
#[inline(always)]
const fn divide(a: i64, b: i64) -> i64 {
    if b == 0 { -1 } else { a.wrapping_div(b) }
}

/// Remainder of RISC-V: by zero gives the dividend, the one overflow gives zero.
#[inline(always)]
const fn remainder(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { a.wrapping_rem(b) }
}

/// Operations that put something into the register `a`, by what they need of the machine.
macro_rules! with_machine {
    ($($name:ident($cpu:ident, $at:ident, $s1:ident) = $value:expr;)+) => {$(
        pub(super) struct $name;

        impl Value for $name {
            #[inline(always)]
            fn value<M: Memory>($cpu: &mut Cpu<'_, M>, $at: Position, $s1: u64) -> Option<u64> {
                let _ = (&$cpu, $s1);
                Some($value)
            }
        }
    )+};
}

with_machine! {
    LoadImm(cpu, at, s1) = at.immediate();
    LoadImm64(cpu, at, s1) = u64::from(at.x) | u64::from(at.y) << 32;
    CmovIfZero(cpu, at, s1) = if cpu.reg(at.c) == 0 { s1 } else { cpu.reg(at.a) };
    CmovIfNotZero(cpu, at, s1) = if cpu.reg(at.c) != 0 { s1 } else { cpu.reg(at.a) };
    CmovIfZeroImm(cpu, at, s1) = if s1 == 0 { at.immediate() } else { cpu.reg(at.a) };
    CmovIfNotZeroImm(cpu, at, s1) = if s1 != 0 { at.immediate() } else { cpu.reg(at.a) };
}

/// The address that is a register, plus `x`; addresses have 32 bits.
#[inline(always)]
fn address(base: u64, at: Position) -> u32 {
    (base as u32).wrapping_add(at.x)
}

/// Loads, absolute and relative, of a type that is extended as another.
macro_rules! loads {
    ($($absolute:ident $indirect:ident $type:ident as $extended:ident;)+) => {$(
        pub(super) struct $absolute;

        impl Value for $absolute {
            #[inline(always)]
            fn value<M: Memory>(cpu: &mut Cpu<'_, M>, at: Position, _: u64) -> Option<u64> {
                cpu.memory.load(at.x).map(|bytes| $type::from_le_bytes(bytes) as $extended as u64)
            }
        }

        pub(super) struct $indirect;

        impl Value for $indirect {
            #[inline(always)]
            fn value<M: Memory>(cpu: &mut Cpu<'_, M>, at: Position, s1: u64) -> Option<u64> {
                let bytes = cpu.memory.load(address(s1, at))?;
                Some($type::from_le_bytes(bytes) as $extended as u64)
            }
        }
    )+};
}

loads! {
    LoadU8 LoadIndirectU8 u8 as u64;
    LoadI8 LoadIndirectI8 i8 as i64;
    LoadU16 LoadIndirectU16 u16 as u64;
    LoadI16 LoadIndirectI16 i16 as i64;
    LoadU32 LoadIndirectU32 u32 as u64;
    LoadI32 LoadIndirectI32 i32 as i64;
    LoadU64 LoadIndirectU64 u64 as u64;
}

/// Stores: of the first source, absolute, or relative to the second one; of an immediate, absolute, or relative to the first source.
macro_rules! stores {
    ($($type:ident $register:ident $indirect:ident $immediate:ident $immediate_indirect:ident;)+) => {$(
        stores!($type $register(cpu, at, s1) at.x, s1);
        stores!($type $indirect(cpu, at, s1) address(cpu.reg(at.c), at), s1);
        stores!($type $immediate(cpu, at, s1) at.x, extend(at.y));
        stores!($type $immediate_indirect(cpu, at, s1) address(s1, at), extend(at.y));
    )+};
    ($type:ident $name:ident($cpu:ident, $at:ident, $s1:ident) $address:expr, $value:expr) => {
        pub(super) struct $name;

        impl Handler for $name {
            #[inline(always)]
            fn run<M: Memory>($cpu: &mut Cpu<'_, M>, $at: Position, $s1: u64) -> Flow {
                let _ = $s1;
                let (address, value) = ($address, $value as $type);
                match $cpu.memory.store(address, value.to_le_bytes()) {
                    Some(()) => Flow::Next($at.next()),
                    None => Flow::Leave($at),
                }
            }
        }
    };
}

stores! {
    u8 StoreU8 StoreIndirectU8 StoreImmU8 StoreImmIndirectU8;
    u16 StoreU16 StoreIndirectU16 StoreImmU16 StoreImmIndirectU16;
    u32 StoreU32 StoreIndirectU32 StoreImmU32 StoreImmIndirectU32;
    u64 StoreU64 StoreIndirectU64 StoreImmU64 StoreImmIndirectU64;
}

/// Branches, on the first source and another operand.
macro_rules! branches {
    ($($name:ident($a:ident, $b:ident: $from:ident) if $condition:expr;)+) => {$(
        pub(super) struct $name;

        impl Handler for $name {
            #[inline(always)]
            fn run<M: Memory>(cpu: &mut Cpu<'_, M>, at: Position, $a: u64) -> Flow {
                let _ = &cpu;
                let $b = operand!($from cpu at);
                Flow::Enter(if $condition { at.target() } else { at.next() })
            }
        }
    )+};
}

branches! {
    BranchEq(a, b: reg) if a == b;
    BranchNotEq(a, b: reg) if a != b;
    BranchLessUnsigned(a, b: reg) if a < b;
    BranchLessSigned(a, b: reg) if (a as i64) < (b as i64);
    BranchGreaterOrEqualUnsigned(a, b: reg) if a >= b;
    BranchGreaterOrEqualSigned(a, b: reg) if a as i64 >= b as i64;
    BranchEqImm(a, x: imm) if a == x;
    BranchNotEqImm(a, x: imm) if a != x;
    BranchLessUnsignedImm(a, x: imm) if a < x;
    BranchLessSignedImm(a, x: imm) if (a as i64) < (x as i64);
    BranchLessOrEqualUnsignedImm(a, x: imm) if a <= x;
    BranchLessOrEqualSignedImm(a, x: imm) if a as i64 <= x as i64;
    BranchGreaterOrEqualUnsignedImm(a, x: imm) if a >= x;
    BranchGreaterOrEqualSignedImm(a, x: imm) if a as i64 >= x as i64;
    BranchGreaterUnsignedImm(a, x: imm) if a > x;
    BranchGreaterSignedImm(a, x: imm) if a as i64 > x as i64;
}

/// Everything else.
macro_rules! flows {
    ($($name:ident($cpu:ident, $at:ident, $s1:ident) $flow:block)+) => {$(
        pub(super) struct $name;

        impl Handler for $name {
            #[inline(always)]
            fn run<M: Memory>($cpu: &mut Cpu<'_, M>, $at: Position, $s1: u64) -> Flow {
                let _ = (&$cpu, $s1);
                $flow
            }
        }
    )+};
}

flows! {
    Charge(cpu, at, s1) { Flow::Enter(at) }
    Stub(cpu, at, s1) { Flow::Next(at.next()) }
    Unlikely(cpu, at, s1) { Flow::Next(at.next()) }
    Fallthrough(cpu, at, s1) { Flow::Enter(at.next()) }
    Jump(cpu, at, s1) { Flow::Enter(at.target()) }
    LoadImmAndJump(cpu, at, s1) {
        cpu.set(at.a, at.immediate());
        Flow::Enter(at.target())
    }
    JumpIndirect(cpu, at, s1) {
        cpu.links.indirect(address(s1, at)).map_or(Flow::Leave(at), Flow::Enter)
    }
    LoadImmAndJumpIndirect(cpu, at, s1) {
        match cpu.links.indirect((s1 as u32).wrapping_add(at.y)) {
            Some(target) => {
                cpu.set(at.a, at.immediate());
                Flow::Enter(target)
            }
            None => Flow::Leave(at),
        }
    }
    FarJump(cpu, at, s1) {
        let link = cpu.links.blocks.get(at.x as usize).and_then(Link::target);
        link.map_or(Flow::Leave(at), Flow::Enter)
    }
    Trap(cpu, at, s1) { Flow::Leave(at) }
    Fail(cpu, at, s1) { Flow::Leave(at) }
    Ecalli(cpu, at, s1) { Flow::Leave(at) }
    Memset(cpu, at, s1) { Flow::Leave(at) }
    Sbrk(cpu, at, s1) { Flow::Leave(at) }
}
