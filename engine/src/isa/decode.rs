//! From operand bytes to [`Instruction`]s.

use super::{Instruction, Opcode, Reg, Shape};

/// An instruction with its place in the code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Decoded {
    /// The instruction, or `None` if there is none here that the set knows: executing it traps.
    pub instruction: Option<Instruction>,
    /// Where it starts.
    pub pc: u32,
    /// Where its bytes end. The next instruction starts here if and only if `next_is_start`.
    pub next_pc: u32,
    /// Whether an instruction starts at `next_pc`. Otherwise running on into it traps.
    pub next_is_start: bool,
}

impl Decoded {
    /// What is no instruction, at `pc`.
    pub(crate) const fn invalid(pc: u32) -> Self {
        Self { instruction: None, pc, next_pc: pc.saturating_add(1), next_is_start: false }
    }
}

/// Decodes the operands of `opcode` at `pc`.
///
/// `bytes` are the sixteen bytes behind the opcode, zero beyond the end of the code; `skip` is the number of bytes up to
/// the next instruction (0 to 24). Total: every input gives an instruction. The rules are those of the Gray Paper,
/// appendix A.5: lengths of immediates come from `skip`, bytes are read even where they belong to the next instruction.
#[inline(always)]
pub fn decode_operands(opcode: Opcode, pc: u32, bytes: [u8; 16], skip: u32) -> Instruction {
    let layout = &LAYOUTS[opcode as usize];
    if !layout.is_simple {
        return operands_by_shape(opcode, pc, bytes, skip).of(opcode);
    }
    let [b0, b1, b2, b3, b4, ..] = bytes;
    let word = u64::from_le_bytes([b0, b1, b2, b3, b4, 0, 0, 0]);
    let register = |shift: u8| Reg::from_nibble((u32::from(word as u16) >> shift) as u8);
    let unused = 32 - 8 * skip.saturating_sub(layout.before.into()).min(layout.longest.into());
    let four = u64::from((word >> (8 * layout.before)) as u32);
    let value = ((four << 32 << unused) as i64 >> 32 >> unused) as u64;
    let (x, target) = if layout.is_target { (0, pc.wrapping_add(value as u32)) } else { (value, 0) };
    let (d, s1, s2) = (register(layout.d), register(layout.s1), register(layout.s2));
    Instruction { opcode, d, s1, s2, x, y: 0, target }
}

/// Where the operands of an instruction are, so that most are decoded without asking for the shape: a jump that no processor
/// predicts.
#[derive(Clone, Copy)]
struct Layout {
    /// At which bit of the first two bytes registers are named; [`Layout::ABSENT`] if there is no such register.
    d: u8,
    s1: u8,
    s2: u8,
    /// Bytes before the immediate or offset, and how long it is at most.
    before: u8,
    longest: u8,
    is_target: bool,
    /// There is at most one immediate, of at most four bytes: all of the above holds.
    is_simple: bool,
}

impl Layout {
    /// Behind the two bytes, where zeros come from.
    const ABSENT: u8 = 16;

    const fn of(shape: Shape) -> Self {
        const NO: u8 = Layout::ABSENT;
        let ([d, s1, s2], before, longest, is_simple) = match shape {
            Shape::None => ([NO; 3], 0, 0, true),
            Shape::Imm | Shape::Offset => ([NO; 3], 0, 4, true),
            Shape::DestImm => ([0, NO, NO], 1, 4, true),
            Shape::SourceImm => ([NO, 0, NO], 1, 4, true),
            Shape::DestSource => ([0, 4, NO], 1, 0, true),
            Shape::DestSourceImm => ([0, 4, NO], 1, 4, true),
            Shape::SourceSourceImm | Shape::SourceSourceOffset => ([NO, 0, 4], 1, 4, true),
            Shape::DestSourceSource => ([8, 0, 4], 2, 0, true),
            Shape::ImmImm
            | Shape::DestImm64
            | Shape::DestImmOffset
            | Shape::SourceImmOffset
            | Shape::SourceImmImm
            | Shape::DestSourceImmImm => ([NO; 3], 0, 0, false),
        };
        let is_target = matches!(shape, Shape::Offset | Shape::SourceSourceOffset);
        Self { d, s1, s2, before, longest, is_target, is_simple }
    }
}

/// The layouts by opcode.
const LAYOUTS: [Layout; Opcode::ALL.len()] = {
    let mut layouts = [Layout::of(Shape::None); Opcode::ALL.len()];
    let mut index = 0;
    while index < layouts.len() {
        layouts[index] = Layout::of(Opcode::ALL[index].info().shape);
        index += 1;
    }
    layouts
};

/// An instruction without its opcode. Not an [`Instruction`]: a compiler that finds one where another shall be copies it as a whole,
/// from memory into which it has just been written part by part, and for that the processor waits.
struct Operands {
    d: Reg,
    s1: Reg,
    s2: Reg,
    x: u64,
    y: u64,
    target: u32,
}

impl Operands {
    #[inline(always)]
    const fn of(self, opcode: Opcode) -> Instruction {
        let Self { d, s1, s2, x, y, target } = self;
        Instruction { opcode, d, s1, s2, x, y, target }
    }
}

/// Decodes the operands of any opcode, by its shape.
#[inline(never)]
fn operands_by_shape(opcode: Opcode, pc: u32, bytes: [u8; 16], skip: u32) -> Operands {
    let mut i = Operands { d: Reg::RA, s1: Reg::RA, s2: Reg::RA, x: 0, y: 0, target: 0 };
    let first = bytes[0];
    let low = Reg::from_nibble(first);
    let high = Reg::from_nibble(first >> 4);
    let offset = |length: u32, at: u32| pc.wrapping_add(immediate(bytes, at, length) as u32);
    match opcode.info().shape {
        Shape::None => {}
        Shape::Imm => i.x = immediate(bytes, 0, skip.min(4)),
        Shape::Offset => i.target = offset(skip.min(4), 0),
        Shape::ImmImm => {
            let length = u32::from(first & 7).min(4);
            i.x = immediate(bytes, 1, length);
            i.y = immediate(bytes, 1 + length, rest(skip, length + 1));
        }
        Shape::DestImm => {
            i.d = low;
            i.x = immediate(bytes, 1, rest(skip, 1));
        }
        Shape::SourceImm => {
            i.s1 = low;
            i.x = immediate(bytes, 1, rest(skip, 1));
        }
        Shape::DestImm64 => {
            i.d = low;
            i.x = immediate(bytes, 1, 8);
        }
        Shape::DestImmOffset | Shape::SourceImmOffset | Shape::SourceImmImm => {
            let length = u32::from(first >> 4 & 7).min(4);
            if opcode.info().shape as u8 == Shape::DestImmOffset as u8 {
                i.d = low;
            } else {
                i.s1 = low;
            }
            i.x = immediate(bytes, 1, length);
            let second = rest(skip, length + 1);
            if opcode.info().shape as u8 == Shape::SourceImmImm as u8 {
                i.y = immediate(bytes, 1 + length, second);
            } else {
                i.target = offset(second, 1 + length);
            }
        }
        Shape::DestSource => {
            i.d = low;
            i.s1 = high;
        }
        Shape::DestSourceImm => {
            i.d = low;
            i.s1 = high;
            i.x = immediate(bytes, 1, rest(skip, 1));
        }
        Shape::SourceSourceImm => {
            i.s1 = low;
            i.s2 = high;
            i.x = immediate(bytes, 1, rest(skip, 1));
        }
        Shape::SourceSourceOffset => {
            i.s1 = low;
            i.s2 = high;
            i.target = offset(rest(skip, 1), 1);
        }
        Shape::DestSourceImmImm => {
            let length = u32::from(bytes[1] & 7).min(4);
            i.d = low;
            i.s1 = high;
            i.x = immediate(bytes, 2, length);
            i.y = immediate(bytes, 2 + length, rest(skip, length + 2));
        }
        Shape::DestSourceSource => {
            i.s1 = low;
            i.s2 = high;
            i.d = Reg::from_nibble(bytes[1]);
        }
    }
    i
}

/// Bytes left for the last immediate, at most four.
const fn rest(skip: u32, used: u32) -> u32 {
    let rest = skip.saturating_sub(used);
    if rest > 4 { 4 } else { rest }
}

/// `length` bytes (0 to 8) at `at`, little-endian, sign-extended.
#[inline]
fn immediate(bytes: [u8; 16], at: u32, length: u32) -> u64 {
    if length == 0 {
        return 0;
    }
    let raw = (u128::from_le_bytes(bytes) >> (at * 8)) as u64;
    let shift = 64 - length * 8;
    ((raw << shift) as i64 >> shift) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(opcode: Opcode, operands: &[u8]) -> Instruction {
        let mut bytes = [0xee; 16];
        bytes[..operands.len()].copy_from_slice(operands);
        decode_operands(opcode, 1000, bytes, operands.len() as u32)
    }

    #[test]
    fn both_ways_to_decode_give_the_same() {
        let mut state = 1u64;
        for &opcode in Opcode::ALL {
            for round in 0..200 {
                let mut bytes = [0; 16];
                for byte in &mut bytes {
                    state =
                        state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    *byte = (state >> 56) as u8;
                }
                let (pc, skip) = (state as u32, round % 25);
                let expected = operands_by_shape(opcode, pc, bytes, skip).of(opcode);
                assert_eq!(
                    decode_operands(opcode, pc, bytes, skip),
                    expected,
                    "{bytes:?}, {skip} bytes at {pc}"
                );
            }
        }
    }

    #[test]
    fn immediates_are_sign_extended_from_their_length() {
        assert_eq!(decode(Opcode::Ecalli, &[]).x, 0);
        assert_eq!(decode(Opcode::Ecalli, &[0x7f]).x, 0x7f);
        assert_eq!(decode(Opcode::Ecalli, &[0x80]).x, 0x80u8 as i8 as u64);
        assert_eq!(decode(Opcode::Ecalli, &[0, 0x80]).x, i16::MIN as u64);
        assert_eq!(decode(Opcode::Ecalli, &[0, 0, 0x80]).x, 0xffff_ffff_ff80_0000);
        assert_eq!(decode(Opcode::Ecalli, &[0, 0, 0, 0x80]).x, i32::MIN as u64);
        assert_eq!(decode(Opcode::Ecalli, &[1, 0, 0, 0, 9, 9]).x, 1, "at most four bytes count");
    }

    #[test]
    fn register_roles() {
        let i = decode(Opcode::Add64, &[0x87, 9]);
        assert_eq!((i.d, i.s1, i.s2), (Reg::A2, Reg::A0, Reg::A1));
        let i = decode(Opcode::StoreIndirectU64, &[0x87, 0xf8]);
        assert_eq!((i.s1, i.s2, i.x), (Reg::A0, Reg::A1, -8i64 as u64));
        let i = decode(Opcode::MoveReg, &[0x87]);
        assert_eq!((i.d, i.s1), (Reg::A0, Reg::A1));
        let i = decode(Opcode::MoveReg, &[0xfd]);
        assert_eq!((i.d, i.s1), (Reg::A5, Reg::A5), "nibbles above 12 are A5");
        assert_eq!(
            decode(Opcode::Add64, &[0x00, 0xf3]).d,
            Reg::T1,
            "only the low nibble of the third register counts"
        );
    }

    #[test]
    fn two_immediates_share_the_operand_bytes() {
        let i = decode(Opcode::StoreImmU32, &[0x02, 0x34, 0x12, 0xff]);
        assert_eq!((i.x, i.y), (0x1234, u64::MAX));
        let i = decode(Opcode::StoreImmIndirectU8, &[0x17, 0x10]);
        assert_eq!((i.s1, i.x, i.y), (Reg::A0, 0x10, 0));
        let i = decode(Opcode::LoadImmAndJumpIndirect, &[0x87, 0x01, 5, 6]);
        assert_eq!((i.d, i.s1, i.x, i.y), (Reg::A0, Reg::A1, 5, 6));
        let i = decode(Opcode::BranchEqImm, &[0x17, 3, 0xf0]);
        assert_eq!((i.s1, i.x, i.target), (Reg::A0, 3, 984));
        let i = decode(Opcode::LoadImmAndJump, &[0x10, 3, 0x10]);
        assert_eq!((i.d, i.x, i.target), (Reg::RA, 3, 1016));
    }

    #[test]
    fn lengths_above_four_mean_four() {
        let i = decode(Opcode::StoreImmU8, &[0x07, 1, 2, 3, 4, 5]);
        assert_eq!((i.x, i.y), (0x0403_0201, 5));
        let i = decode(Opcode::LoadImm64, &[0x07, 1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!((i.d, i.x), (Reg::A0, 0x0807_0605_0403_0201));
    }

    #[test]
    fn every_opcode_decodes_from_any_bytes() {
        for &opcode in Opcode::ALL {
            for skip in 0..=24 {
                for fill in [0x00, 0x77, 0xff] {
                    let i = decode_operands(opcode, u32::MAX, [fill; 16], skip);
                    assert_eq!(i.opcode, opcode);
                }
            }
        }
    }
}
