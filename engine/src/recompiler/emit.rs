//! The native code of instructions that go on with the next one.
//!
//! Whatever can be refused by the processor comes first in the code of its instruction, before any guest register changes:
//! so the state at a refused access is that before the instruction, and it can be tried again.

use super::assembler::{Alu, Assembler, Cond, Extend, Gpr, Mem, Scan, Shift, Size, Unary, Width};
use super::context::{BASE, Field, GUEST, SCRATCH, SPILL};
use super::pages::CodeMemory;
use super::sys::{Running, Traps, with_handler};
use crate::isa::{Instruction, Opcode, Reg};

use Size::{B32, B64};

/// What this processor has beyond the common minimum.
#[derive(Clone, Copy, Debug)]
pub(super) struct Features {
    pub(super) lzcnt: bool,
    pub(super) tzcnt: bool,
    /// Whether programs may set the base of the segment `gs`, which this system otherwise leaves alone. Guest memory is addressed
    /// through it then: that adds, truncates to 32 bits and rebases in one instruction. The register that would hold the base
    /// holds the gas.
    pub(super) segment: bool,
    /// Whether tables of indirect jumps shall lie at addresses below 2 GiB, where the system has any.
    pub(super) low_tables: bool,
}

impl Features {
    /// Whether the processor has what every one since 2008 has.
    pub(super) fn are_sufficient() -> bool {
        std::is_x86_feature_detected!("popcnt")
    }

    /// Of this processor and system. To be called when the handler is installed, and once: it tries what they say that they have.
    pub(super) fn detect() -> Self {
        let lzcnt = std::is_x86_feature_detected!("lzcnt");
        let tzcnt = std::is_x86_feature_detected!("bmi1");
        let segment = super::sys::has_segment_base() && segment_works();
        Self { lzcnt, tzcnt, segment, low_tables: super::sys::WANTS_LOW_MEMORY }
    }
}

/// Writes code of single instructions.
#[derive(Debug)]
pub(super) struct Emitter {
    pub(super) asm: Assembler,
    pub(super) features: Features,
    /// Whether guest registers have 64 bits. Those of 32 bits are kept sign-extended.
    pub(super) is_64_bit: bool,
}

/// Loads through the segment once: emulators (valgrind) may say that they have it and not honour it.
fn segment_works() -> bool {
    const NUMBER: u64 = 0x1234_5678_9abc_def0;
    let mut asm = Assembler::default();
    asm.read_segment(Gpr::Rdx);
    asm.write_segment(Gpr::Rdi);
    asm.load(Width::B8, Extend::Zero, Gpr::Rax, Mem::Segment(None, 0));
    asm.write_segment(Gpr::Rdx);
    asm.ret();
    let refused = asm.position();
    asm.write_segment(Gpr::Rdx);
    asm.alu(Alu::Xor, B32, Gpr::Rax, Gpr::Rax);
    asm.ret();
    let Ok(code) = CodeMemory::new(asm.bytes()) else { return false };
    let start = code.start().as_ptr() as usize;
    let mut fault = 0;
    let traps = Traps { start, end: start + refused as usize, exit: start + refused as usize };
    // SAFETY: the code above is a function of this signature. It loads from the number, or from address zero, which is refused.
    unsafe {
        let load: extern "sysv64" fn(*const u64) -> u64 = core::mem::transmute(code.start());
        with_handler(&Running { traps: &traps, refused: &mut fault }, || load(&NUMBER)) == NUMBER
    }
}

pub(super) const fn native(reg: Reg) -> Gpr {
    GUEST[reg as usize]
}

/// Multiplications whose upper half is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Signs {
    Both,
    Neither,
    First,
}

impl Emitter {
    /// Appends the code of an instruction that neither ends its block nor leaves native code; false if it is no such
    /// instruction.
    #[inline(always)]
    pub(super) fn instruction(&mut self, i: &Instruction) -> bool {
        let (d, s1, s2) = (native(i.d), native(i.s1), native(i.s2));
        // All immediates but that of `load_imm64` are sign-extended from 32 bits.
        let (x, y) = (i.x as i32, i.y as i32);
        use {Extend::*, Opcode as O, Width::*};
        match i.opcode {
            O::Unlikely => {}
            O::LoadImm | O::LoadImm64 => self.load_imm(d, i.x),
            O::MoveReg => self.mov(B64, d, s1),

            O::LoadU8 => self.load(B1, Zero, d, None, x),
            O::LoadI8 => self.load(B1, Sign, d, None, x),
            O::LoadU16 => self.load(B2, Zero, d, None, x),
            O::LoadI16 => self.load(B2, Sign, d, None, x),
            O::LoadU32 => self.load(B4, Zero, d, None, x),
            O::LoadI32 => self.load(B4, Sign, d, None, x),
            O::LoadU64 => self.load(B8, Zero, d, None, x),
            O::LoadIndirectU8 => self.load(B1, Zero, d, Some(s1), x),
            O::LoadIndirectI8 => self.load(B1, Sign, d, Some(s1), x),
            O::LoadIndirectU16 => self.load(B2, Zero, d, Some(s1), x),
            O::LoadIndirectI16 => self.load(B2, Sign, d, Some(s1), x),
            O::LoadIndirectU32 => self.load(B4, Zero, d, Some(s1), x),
            O::LoadIndirectI32 => self.load(B4, Sign, d, Some(s1), x),
            O::LoadIndirectU64 => self.load(B8, Zero, d, Some(s1), x),

            O::StoreU8 => self.store(B1, s1, None, x),
            O::StoreU16 => self.store(B2, s1, None, x),
            O::StoreU32 => self.store(B4, s1, None, x),
            O::StoreU64 => self.store(B8, s1, None, x),
            O::StoreIndirectU8 => self.store(B1, s1, Some(s2), x),
            O::StoreIndirectU16 => self.store(B2, s1, Some(s2), x),
            O::StoreIndirectU32 => self.store(B4, s1, Some(s2), x),
            O::StoreIndirectU64 => self.store(B8, s1, Some(s2), x),
            O::StoreImmU8 => self.store_imm(B1, None, x, y),
            O::StoreImmU16 => self.store_imm(B2, None, x, y),
            O::StoreImmU32 => self.store_imm(B4, None, x, y),
            O::StoreImmU64 => self.store_imm(B8, None, x, y),
            O::StoreImmIndirectU8 => self.store_imm(B1, Some(s1), x, y),
            O::StoreImmIndirectU16 => self.store_imm(B2, Some(s1), x, y),
            O::StoreImmIndirectU32 => self.store_imm(B4, Some(s1), x, y),
            O::StoreImmIndirectU64 => self.store_imm(B8, Some(s1), x, y),

            O::Add64 => self.add(B64, d, s1, s2),
            O::Add32 => self.add(B32, d, s1, s2),
            O::AddImm64 => self.add_imm(B64, d, s1, x),
            O::AddImm32 => self.add_imm(B32, d, s1, x),
            O::Sub64 => self.sub(B64, d, s1, s2),
            O::Sub32 => self.sub(B32, d, s1, s2),
            O::NegateAndAddImm64 => self.negate_and_add_imm(B64, d, s1, x),
            O::NegateAndAddImm32 => self.negate_and_add_imm(B32, d, s1, x),
            O::Mul64 => self.mul(B64, d, s1, s2),
            O::Mul32 => self.mul(B32, d, s1, s2),
            O::MulImm64 => self.asm.mul_imm(B64, d, s1, x),
            O::MulImm32 => {
                self.asm.mul_imm(B32, d, s1, x);
                self.asm.sign_extend_32(d, d);
            }
            O::MulUpperSignedSigned => self.mul_upper(Signs::Both, d, s1, s2),
            O::MulUpperUnsignedUnsigned => self.mul_upper(Signs::Neither, d, s1, s2),
            O::MulUpperSignedUnsigned => self.mul_upper(Signs::First, d, s1, s2),
            O::DivUnsigned64 => self.divide(B64, Unary::Div, false, d, s1, s2),
            O::DivUnsigned32 => self.divide(B32, Unary::Div, false, d, s1, s2),
            O::DivSigned64 => self.divide(B64, Unary::Idiv, false, d, s1, s2),
            O::DivSigned32 => self.divide(B32, Unary::Idiv, false, d, s1, s2),
            O::RemUnsigned64 => self.divide(B64, Unary::Div, true, d, s1, s2),
            O::RemUnsigned32 => self.divide(B32, Unary::Div, true, d, s1, s2),
            O::RemSigned64 => self.divide(B64, Unary::Idiv, true, d, s1, s2),
            O::RemSigned32 => self.divide(B32, Unary::Idiv, true, d, s1, s2),

            O::And => self.logic(Alu::And, d, s1, s2),
            O::Or => self.logic(Alu::Or, d, s1, s2),
            O::Xor => self.logic(Alu::Xor, d, s1, s2),
            O::AndImm => self.logic_imm(Alu::And, d, s1, x),
            O::OrImm => self.logic_imm(Alu::Or, d, s1, x),
            O::XorImm if x == -1 => {
                self.mov(B64, d, s1);
                self.asm.unary(Unary::Not, B64, d);
            }
            O::XorImm => self.logic_imm(Alu::Xor, d, s1, x),
            O::AndInverted => self.inverted_logic(Alu::And, d, s1, s2),
            O::OrInverted => self.inverted_logic(Alu::Or, d, s1, s2),
            O::Xnor => {
                self.logic(Alu::Xor, d, s1, s2);
                self.asm.unary(Unary::Not, B64, d);
            }

            O::ShiftLogicalLeft64 => self.shift(Shift::Shl, B64, d, s1, s2),
            O::ShiftLogicalLeft32 => self.shift(Shift::Shl, B32, d, s1, s2),
            O::ShiftLogicalRight64 => self.shift(Shift::Shr, B64, d, s1, s2),
            O::ShiftLogicalRight32 => self.shift(Shift::Shr, B32, d, s1, s2),
            O::ShiftArithmeticRight64 => self.shift(Shift::Sar, B64, d, s1, s2),
            O::ShiftArithmeticRight32 => self.shift(Shift::Sar, B32, d, s1, s2),
            O::RotateLeft64 => self.shift(Shift::Rol, B64, d, s1, s2),
            O::RotateLeft32 => self.shift(Shift::Rol, B32, d, s1, s2),
            O::RotateRight64 => self.shift(Shift::Ror, B64, d, s1, s2),
            O::RotateRight32 => self.shift(Shift::Ror, B32, d, s1, s2),
            O::ShiftLogicalLeftImm64 => self.shift_imm(Shift::Shl, B64, d, s1, x),
            O::ShiftLogicalLeftImm32 => self.shift_imm(Shift::Shl, B32, d, s1, x),
            O::ShiftLogicalRightImm64 => self.shift_imm(Shift::Shr, B64, d, s1, x),
            O::ShiftLogicalRightImm32 => self.shift_imm(Shift::Shr, B32, d, s1, x),
            O::ShiftArithmeticRightImm64 => self.shift_imm(Shift::Sar, B64, d, s1, x),
            O::ShiftArithmeticRightImm32 => self.shift_imm(Shift::Sar, B32, d, s1, x),
            O::RotateRightImm64 => self.shift_imm(Shift::Ror, B64, d, s1, x),
            O::RotateRightImm32 => self.shift_imm(Shift::Ror, B32, d, s1, x),
            O::ShiftLogicalLeftImmAlt64 => self.shift_of_imm(Shift::Shl, B64, d, i.x, s1),
            O::ShiftLogicalLeftImmAlt32 => self.shift_of_imm(Shift::Shl, B32, d, i.x, s1),
            O::ShiftLogicalRightImmAlt64 => self.shift_of_imm(Shift::Shr, B64, d, i.x, s1),
            O::ShiftLogicalRightImmAlt32 => self.shift_of_imm(Shift::Shr, B32, d, i.x, s1),
            O::ShiftArithmeticRightImmAlt64 => self.shift_of_imm(Shift::Sar, B64, d, i.x, s1),
            O::ShiftArithmeticRightImmAlt32 => self.shift_of_imm(Shift::Sar, B32, d, i.x, s1),
            O::RotateRightImmAlt64 => self.shift_of_imm(Shift::Ror, B64, d, i.x, s1),
            O::RotateRightImmAlt32 => self.shift_of_imm(Shift::Ror, B32, d, i.x, s1),

            O::SetLessThanUnsigned => self.compare(Cond::B, d, s1, s2),
            O::SetLessThanSigned => self.compare(Cond::L, d, s1, s2),
            O::SetLessThanUnsignedImm => self.compare_imm(Cond::B, d, s1, x),
            O::SetLessThanSignedImm => self.compare_imm(Cond::L, d, s1, x),
            O::SetGreaterThanUnsignedImm => self.compare_imm(Cond::A, d, s1, x),
            O::SetGreaterThanSignedImm => self.compare_imm(Cond::G, d, s1, x),
            O::Maximum => self.select(Cond::L, d, s1, s2),
            O::MaximumUnsigned => self.select(Cond::B, d, s1, s2),
            O::Minimum => self.select(Cond::G, d, s1, s2),
            O::MinimumUnsigned => self.select(Cond::A, d, s1, s2),
            O::CmovIfZero => self.cmov(Cond::E, d, s1, s2),
            O::CmovIfNotZero => self.cmov(Cond::Ne, d, s1, s2),
            O::CmovIfZeroImm => {
                self.asm.mov_imm(SCRATCH, i.x);
                self.cmov(Cond::E, d, SCRATCH, s1);
            }
            O::CmovIfNotZeroImm => {
                self.asm.mov_imm(SCRATCH, i.x);
                self.cmov(Cond::Ne, d, SCRATCH, s1);
            }

            O::CountSetBits64 => self.asm.scan(Scan::Popcnt, B64, d, s1),
            O::CountSetBits32 => self.asm.scan(Scan::Popcnt, B32, d, s1),
            O::CountLeadingZeroBits64 => self.count_leading_zeros(B64, d, s1),
            O::CountLeadingZeroBits32 => self.count_leading_zeros(B32, d, s1),
            O::CountTrailingZeroBits64 => self.count_trailing_zeros(B64, d, s1),
            O::CountTrailingZeroBits32 => self.count_trailing_zeros(B32, d, s1),
            O::SignExtend8 => self.asm.extend_8(Sign, d, s1),
            O::SignExtend16 => self.asm.extend_16(Sign, d, s1),
            O::ZeroExtend16 => self.asm.extend_16(Zero, d, s1),
            O::ReverseByte => self.reverse_bytes(d, s1),

            O::Trap
            | O::Fallthrough
            | O::Memset
            | O::Ecalli
            | O::Sbrk
            | O::Jump
            | O::JumpIndirect
            | O::LoadImmAndJump
            | O::LoadImmAndJumpIndirect
            | O::BranchEqImm
            | O::BranchNotEqImm
            | O::BranchLessUnsignedImm
            | O::BranchLessOrEqualUnsignedImm
            | O::BranchGreaterOrEqualUnsignedImm
            | O::BranchGreaterUnsignedImm
            | O::BranchLessSignedImm
            | O::BranchLessOrEqualSignedImm
            | O::BranchGreaterOrEqualSignedImm
            | O::BranchGreaterSignedImm
            | O::BranchEq
            | O::BranchNotEq
            | O::BranchLessUnsigned
            | O::BranchLessSigned
            | O::BranchGreaterOrEqualUnsigned
            | O::BranchGreaterOrEqualSigned => return false,
        }
        true
    }

    /// Compares for a branch, and says on which condition it jumps; `None` if it is no branch.
    #[inline]
    pub(super) fn branch_condition(&mut self, i: &Instruction) -> Option<Cond> {
        use Opcode as O;
        let condition = match i.opcode {
            O::BranchEqImm | O::BranchEq => Cond::E,
            O::BranchNotEqImm | O::BranchNotEq => Cond::Ne,
            O::BranchLessUnsignedImm | O::BranchLessUnsigned => Cond::B,
            O::BranchLessOrEqualUnsignedImm => Cond::Be,
            O::BranchGreaterOrEqualUnsignedImm | O::BranchGreaterOrEqualUnsigned => Cond::Ae,
            O::BranchGreaterUnsignedImm => Cond::A,
            O::BranchLessSignedImm | O::BranchLessSigned => Cond::L,
            O::BranchLessOrEqualSignedImm => Cond::Le,
            O::BranchGreaterOrEqualSignedImm | O::BranchGreaterOrEqualSigned => Cond::Ge,
            O::BranchGreaterSignedImm => Cond::G,
            _ => return None,
        };
        match i.opcode {
            O::BranchEq
            | O::BranchNotEq
            | O::BranchLessUnsigned
            | O::BranchLessSigned
            | O::BranchGreaterOrEqualUnsigned
            | O::BranchGreaterOrEqualSigned => self.asm.alu(Alu::Cmp, B64, native(i.s1), native(i.s2)),
            _ => self.cmp_imm(native(i.s1), i.x as i32),
        }
        Some(condition)
    }

    pub(super) fn load_imm(&mut self, d: Gpr, value: u64) {
        if value == 0 {
            self.asm.alu(Alu::Xor, B32, d, d);
        } else {
            self.asm.mov_imm(d, value);
        }
    }

    /// The low half of `base + offset` in the scratch register.
    #[inline]
    pub(super) fn sum_32(&mut self, base: Gpr, offset: i32) {
        if offset == 0 {
            self.asm.mov(B32, SCRATCH, base);
        } else {
            self.asm.lea(B32, SCRATCH, Mem::Base(base, offset));
        }
    }

    /// A place in the context.
    #[inline]
    pub(super) const fn context(&self, field: Field) -> Mem {
        field.place(self.features.segment)
    }

    /// Guest memory at `base + offset`, of which the low 32 bits count, without the segment.
    #[inline]
    fn memory(&mut self, base: Option<Gpr>, offset: i32) -> Mem {
        match base {
            None if offset >= 0 => return Mem::Base(BASE, offset),
            None => self.asm.mov_imm(SCRATCH, (offset as u32).into()),
            Some(base) => self.sum_32(base, offset),
        }
        Mem::Sum(BASE, SCRATCH)
    }

    // With the segment what is known of an access is known when this is compiled: its encoding is put together from constants.

    #[inline(always)]
    fn load(&mut self, width: Width, extend: Extend, d: Gpr, base: Option<Gpr>, offset: i32) {
        if self.features.segment {
            self.asm.load(width, extend, d, Mem::Segment(base, offset));
        } else {
            self.load_without_segment(width, extend, d, base, offset);
        }
    }

    #[inline(always)]
    fn store(&mut self, width: Width, s: Gpr, base: Option<Gpr>, offset: i32) {
        if self.features.segment {
            self.asm.store(width, Mem::Segment(base, offset), s);
        } else {
            self.store_without_segment(width, s, base, offset);
        }
    }

    #[inline]
    fn store_imm(&mut self, width: Width, base: Option<Gpr>, offset: i32, value: i32) {
        let mem = if self.features.segment { Mem::Segment(base, offset) } else { self.memory(base, offset) };
        self.asm.store_imm(width, mem, value);
    }

    #[inline(never)]
    fn load_without_segment(&mut self, width: Width, extend: Extend, d: Gpr, base: Option<Gpr>, offset: i32) {
        let mem = self.memory(base, offset);
        self.asm.load(width, extend, d, mem);
    }

    #[inline(never)]
    fn store_without_segment(&mut self, width: Width, s: Gpr, base: Option<Gpr>, offset: i32) {
        let mem = self.memory(base, offset);
        self.asm.store(width, mem, s);
    }

    #[inline]
    fn mov(&mut self, size: Size, d: Gpr, s: Gpr) {
        if d != s || size == B32 {
            self.asm.mov(size, d, s);
        }
    }

    /// Sign-extends a result of 32 bits.
    #[inline]
    fn finish(&mut self, size: Size, d: Gpr) {
        if size == B32 {
            self.asm.sign_extend_32(d, d);
        }
    }

    fn add(&mut self, size: Size, d: Gpr, s1: Gpr, s2: Gpr) {
        if d == s1 {
            self.asm.alu(Alu::Add, size, d, s2);
        } else if d == s2 {
            self.asm.alu(Alu::Add, size, d, s1);
        } else {
            self.asm.lea(size, d, Mem::Sum(s1, s2));
        }
        self.finish(size, d);
    }

    fn add_imm(&mut self, size: Size, d: Gpr, s: Gpr, imm: i32) {
        if d == s {
            self.asm.alu_imm(Alu::Add, size, d, imm);
        } else {
            self.asm.lea(size, d, Mem::Base(s, imm));
        }
        self.finish(size, d);
    }

    fn sub(&mut self, size: Size, d: Gpr, s1: Gpr, s2: Gpr) {
        if d == s2 && d != s1 {
            self.asm.unary(Unary::Neg, size, d);
            self.asm.alu(Alu::Add, size, d, s1);
        } else {
            if d != s1 {
                self.asm.mov(size, d, s1);
            }
            self.asm.alu(Alu::Sub, size, d, s2);
        }
        self.finish(size, d);
    }

    fn negate_and_add_imm(&mut self, size: Size, d: Gpr, s: Gpr, imm: i32) {
        if d == s {
            self.asm.unary(Unary::Neg, size, d);
            if imm != 0 {
                self.asm.alu_imm(Alu::Add, size, d, imm);
            }
        } else {
            self.load_imm(d, i64::from(imm) as u64);
            self.asm.alu(Alu::Sub, size, d, s);
        }
        self.finish(size, d);
    }

    fn mul(&mut self, size: Size, d: Gpr, s1: Gpr, s2: Gpr) {
        if d == s2 {
            self.asm.mul(size, d, s1);
        } else {
            if d != s1 {
                self.asm.mov(size, d, s1);
            }
            self.asm.mul(size, d, s2);
        }
        self.finish(size, d);
    }

    /// The upper half of a product. It is always made in `rdx`, with one of the factors in `rax`; both keep what the guest has there
    /// unless they are the destination.
    fn mul_upper(&mut self, signs: Signs, d: Gpr, s1: Gpr, s2: Gpr) {
        let (size, top, word) = if self.is_64_bit { (B64, 63, Width::B8) } else { (B32, 31, Width::B4) };
        let spill = SPILL.map(|field| self.context(field));
        if signs == Signs::First {
            // As unsigned numbers they give too much, by the second if the first is negative.
            self.asm.mov(size, SCRATCH, s1);
            self.asm.shift_imm(Shift::Sar, size, SCRATCH, top);
            self.asm.alu(Alu::And, size, SCRATCH, s2);
            self.asm.store(word, spill[2], SCRATCH);
        }
        if d != Gpr::Rax {
            self.asm.store(Width::B8, spill[0], Gpr::Rax);
        }
        if d != Gpr::Rdx {
            self.asm.mov(B64, SCRATCH, Gpr::Rdx);
        }
        let factor = if s2 == Gpr::Rax { s1 } else { s2 };
        if s1 != Gpr::Rax && s2 != Gpr::Rax {
            self.asm.mov(size, Gpr::Rax, s1);
        }
        self.asm.unary(if signs == Signs::Both { Unary::Imul } else { Unary::Mul }, size, factor);
        if signs == Signs::First {
            self.asm.alu_mem(Alu::Sub, size, Gpr::Rdx, spill[2]);
        }
        self.finish(size, Gpr::Rdx);
        if d != Gpr::Rdx {
            self.asm.mov(B64, d, Gpr::Rdx);
            self.asm.mov(B64, Gpr::Rdx, SCRATCH);
        }
        if d != Gpr::Rax {
            self.asm.load(Width::B8, Extend::Zero, Gpr::Rax, spill[0]);
        }
    }

    /// Quotient or remainder, with the results of RISC-V where the processor would raise an exception.
    fn divide(&mut self, size: Size, op: Unary, remainder: bool, d: Gpr, s1: Gpr, s2: Gpr) {
        self.asm.mov(size, SCRATCH, s2);
        self.asm.test(size, SCRATCH, SCRATCH);
        let by_zero = self.asm.jcc_short(Cond::E);
        let by_minus_one = (op == Unary::Idiv).then(|| {
            self.asm.alu_imm(Alu::Cmp, size, SCRATCH, -1);
            self.asm.jcc_short(Cond::E)
        });

        let spill = SPILL.map(|field| self.context(field));
        if d != Gpr::Rax {
            self.asm.store(Width::B8, spill[0], Gpr::Rax);
        }
        if d != Gpr::Rdx {
            self.asm.store(Width::B8, spill[1], Gpr::Rdx);
        }
        self.mov(B64, Gpr::Rax, s1);
        if op == Unary::Idiv {
            self.asm.sign_extend_rax(size);
        } else {
            self.asm.alu(Alu::Xor, B32, Gpr::Rdx, Gpr::Rdx);
        }
        self.asm.unary(op, size, SCRATCH);
        self.asm.mov(B64, SCRATCH, if remainder { Gpr::Rdx } else { Gpr::Rax });
        if d != Gpr::Rax {
            self.asm.load(Width::B8, Extend::Zero, Gpr::Rax, spill[0]);
        }
        if d != Gpr::Rdx {
            self.asm.load(Width::B8, Extend::Zero, Gpr::Rdx, spill[1]);
        }
        self.take_scratch(size, d);
        let done = self.asm.jmp_short();

        let also_done = by_minus_one.map(|at| {
            self.asm.bind_short(at);
            if remainder {
                self.load_imm(d, 0);
            } else {
                self.asm.mov(size, SCRATCH, s1);
                self.asm.unary(Unary::Neg, size, SCRATCH);
                self.take_scratch(size, d);
            }
            self.asm.jmp_short()
        });

        self.asm.bind_short(by_zero);
        if remainder {
            self.asm.mov(B64, SCRATCH, s1);
            self.take_scratch(size, d);
        } else {
            self.load_imm(d, u64::MAX);
        }
        self.asm.bind_short(done);
        also_done.into_iter().for_each(|at| self.asm.bind_short(at));
    }

    fn take_scratch(&mut self, size: Size, d: Gpr) {
        match size {
            B32 => self.asm.sign_extend_32(d, SCRATCH),
            B64 => self.asm.mov(B64, d, SCRATCH),
        }
    }

    fn logic(&mut self, op: Alu, d: Gpr, s1: Gpr, s2: Gpr) {
        if d == s2 {
            self.asm.alu(op, B64, d, s1);
        } else {
            self.mov(B64, d, s1);
            self.asm.alu(op, B64, d, s2);
        }
    }

    fn logic_imm(&mut self, op: Alu, d: Gpr, s: Gpr, imm: i32) {
        self.mov(B64, d, s);
        self.asm.alu_imm(op, B64, d, imm);
    }

    fn inverted_logic(&mut self, op: Alu, d: Gpr, s1: Gpr, s2: Gpr) {
        self.asm.mov(B64, SCRATCH, s2);
        self.asm.unary(Unary::Not, B64, SCRATCH);
        self.mov(B64, d, s1);
        self.asm.alu(op, B64, d, SCRATCH);
    }

    /// The processor takes the count modulo the size, as the guest does.
    fn shift(&mut self, op: Shift, size: Size, d: Gpr, s1: Gpr, s2: Gpr) {
        self.asm.mov(B32, SCRATCH, s2);
        if d != s1 {
            self.asm.mov(size, d, s1);
        }
        self.asm.shift(op, size, d);
        self.finish(size, d);
    }

    fn shift_imm(&mut self, op: Shift, size: Size, d: Gpr, s: Gpr, count: i32) {
        let bits = if size == B64 { 63 } else { 31 };
        if d != s {
            self.asm.mov(size, d, s);
        }
        self.asm.shift_imm(op, size, d, count as u8 & bits);
        self.finish(size, d);
    }

    fn shift_of_imm(&mut self, op: Shift, size: Size, d: Gpr, value: u64, count: Gpr) {
        self.asm.mov(B32, SCRATCH, count);
        self.asm.mov_imm(d, value);
        self.asm.shift(op, size, d);
        self.finish(size, d);
    }

    fn cmp_imm(&mut self, s: Gpr, imm: i32) {
        if imm == 0 {
            self.asm.test(B64, s, s);
        } else {
            self.asm.alu_imm(Alu::Cmp, B64, s, imm);
        }
    }

    fn compare(&mut self, condition: Cond, d: Gpr, s1: Gpr, s2: Gpr) {
        let is_source = d == s1 || d == s2;
        self.set_by(condition, d, is_source, |asm| asm.alu(Alu::Cmp, B64, s1, s2));
    }

    fn compare_imm(&mut self, condition: Cond, d: Gpr, s: Gpr, imm: i32) {
        let is_source = d == s;
        if imm == 0 {
            self.set_by(condition, d, is_source, |asm| asm.test(B64, s, s));
        } else {
            self.set_by(condition, d, is_source, |asm| asm.alu_imm(Alu::Cmp, B64, s, imm));
        }
    }

    /// Whether the condition holds after the comparison. Only the low byte of a register can be set to that: it has to be zero before, so
    /// that nothing waits for what else was in it.
    fn set_by(&mut self, condition: Cond, d: Gpr, is_source: bool, compare: impl FnOnce(&mut Assembler)) {
        if is_source {
            compare(&mut self.asm);
            // Leaves the flags alone.
            self.asm.mov_imm(d, 0);
        } else {
            self.asm.alu(Alu::Xor, B32, d, d);
            compare(&mut self.asm);
        }
        self.asm.set(condition, d);
    }

    /// `s2` if the condition holds for `s1` and `s2`, which does not depend on which of them is the other, else `s1`.
    fn select(&mut self, condition: Cond, d: Gpr, s1: Gpr, s2: Gpr) {
        let other = if d == s2 { s1 } else { s2 };
        if d != s2 {
            self.mov(B64, d, s1);
        }
        self.asm.alu(Alu::Cmp, B64, d, other);
        self.asm.cmov(condition, B64, d, other);
    }

    /// `d = s` if the register compares with zero like that.
    fn cmov(&mut self, condition: Cond, d: Gpr, s: Gpr, with_zero: Gpr) {
        self.asm.test(B64, with_zero, with_zero);
        self.asm.cmov(condition, B64, d, s);
    }

    fn count_leading_zeros(&mut self, size: Size, d: Gpr, s: Gpr) {
        if self.features.lzcnt {
            return self.asm.scan(Scan::Lzcnt, size, d, s);
        }
        let top = if size == B64 { 63 } else { 31 };
        self.asm.scan(Scan::Bsr, size, SCRATCH, s);
        let found = self.asm.jcc_short(Cond::Ne);
        self.asm.mov_imm(SCRATCH, 2 * top + 1);
        self.asm.bind_short(found);
        self.asm.alu_imm(Alu::Xor, B32, SCRATCH, top as i32);
        self.asm.mov(B32, d, SCRATCH);
    }

    fn count_trailing_zeros(&mut self, size: Size, d: Gpr, s: Gpr) {
        if self.features.tzcnt {
            return self.asm.scan(Scan::Tzcnt, size, d, s);
        }
        self.asm.scan(Scan::Bsf, size, SCRATCH, s);
        let found = self.asm.jcc_short(Cond::Ne);
        self.asm.mov_imm(SCRATCH, if size == B64 { 64 } else { 32 });
        self.asm.bind_short(found);
        self.asm.mov(B32, d, SCRATCH);
    }

    fn reverse_bytes(&mut self, d: Gpr, s: Gpr) {
        let size = if self.is_64_bit { B64 } else { B32 };
        if d != s {
            self.asm.mov(size, d, s);
        }
        self.asm.swap_bytes(size, d);
        self.finish(size, d);
    }
}
