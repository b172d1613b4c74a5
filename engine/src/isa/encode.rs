//! From [`Instruction`]s to bytes: for assemblers of tests, tools and generators.

use super::{Instruction, InstructionSet, Shape};

/// Why an instruction cannot be encoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EncodeError {
    /// The instruction set lacks the instruction.
    #[error("{set} has no instruction {opcode}")]
    NotInSet {
        /// The set.
        set: InstructionSet,
        /// The name of the instruction.
        opcode: &'static str,
    },
    /// An immediate does not fit 32 bits, sign-extended.
    #[error("{opcode}: the immediate {value:#x} does not fit 32 bits")]
    Immediate {
        /// The name of the instruction.
        opcode: &'static str,
        /// The immediate.
        value: u64,
    },
}

/// Appends the bytes of `instruction`, placed at `pc`, to `code`. Immediates take as few bytes as they can.
///
/// # Errors
/// If the set lacks the instruction or an immediate is too wide; `code` is unchanged then.
pub fn encode(
    set: InstructionSet,
    instruction: &Instruction,
    pc: u32,
    code: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let Instruction { opcode, d, s1, s2, x, y, target } = *instruction;
    let info = opcode.info();
    let byte = set.byte(opcode).ok_or(EncodeError::NotInSet { set, opcode: info.name })?;
    let imm = |value: u64| Immediate::new(value).ok_or(EncodeError::Immediate { opcode: info.name, value });
    let offset = Immediate::of(target.wrapping_sub(pc) as i32);
    let pair = |low: super::Reg, high: super::Reg| low as u8 | (high as u8) << 4;
    let with_length = |low: u8, length: u8| low | length << 4;

    let mut operands = Operands::default();
    match info.shape {
        Shape::None => {}
        Shape::Imm => operands.imm(imm(x)?),
        Shape::Offset => operands.imm(offset),
        Shape::ImmImm => {
            let first = imm(x)?;
            operands.byte(first.length);
            operands.imm(first);
            operands.imm(imm(y)?);
        }
        Shape::DestImm => {
            operands.byte(d as u8);
            operands.imm(imm(x)?);
        }
        Shape::SourceImm => {
            operands.byte(s1 as u8);
            operands.imm(imm(x)?);
        }
        Shape::DestImm64 => {
            operands.byte(d as u8);
            x.to_le_bytes().into_iter().for_each(|b| operands.byte(b));
        }
        Shape::DestImmOffset => {
            let first = imm(x)?;
            operands.byte(with_length(d as u8, first.length));
            operands.imm(first);
            operands.imm(offset);
        }
        Shape::SourceImmOffset => {
            let first = imm(x)?;
            operands.byte(with_length(s1 as u8, first.length));
            operands.imm(first);
            operands.imm(offset);
        }
        Shape::SourceImmImm => {
            let first = imm(x)?;
            operands.byte(with_length(s1 as u8, first.length));
            operands.imm(first);
            operands.imm(imm(y)?);
        }
        Shape::DestSource => operands.byte(pair(d, s1)),
        Shape::DestSourceImm => {
            operands.byte(pair(d, s1));
            operands.imm(imm(x)?);
        }
        Shape::SourceSourceImm => {
            operands.byte(pair(s1, s2));
            operands.imm(imm(x)?);
        }
        Shape::SourceSourceOffset => {
            operands.byte(pair(s1, s2));
            operands.imm(offset);
        }
        Shape::DestSourceImmImm => {
            let first = imm(x)?;
            operands.byte(pair(d, s1));
            operands.byte(first.length);
            operands.imm(first);
            operands.imm(imm(y)?);
        }
        Shape::DestSourceSource => {
            operands.byte(pair(s1, s2));
            operands.byte(d as u8);
        }
    }
    code.push(byte);
    code.extend_from_slice(&operands.bytes[..operands.length]);
    Ok(())
}

/// The longest operands: a register, eight bytes of immediate.
#[derive(Default)]
struct Operands {
    bytes: [u8; 16],
    length: usize,
}

impl Operands {
    fn byte(&mut self, byte: u8) {
        self.bytes[self.length] = byte;
        self.length += 1;
    }

    fn imm(&mut self, imm: Immediate) {
        imm.bytes[..usize::from(imm.length)].iter().for_each(|&b| self.byte(b));
    }
}

#[derive(Clone, Copy)]
struct Immediate {
    bytes: [u8; 4],
    length: u8,
}

impl Immediate {
    fn new(value: u64) -> Option<Self> {
        i32::try_from(value as i64).ok().map(Self::of)
    }

    fn of(value: i32) -> Self {
        let significant = 33 - if value < 0 { (!value).leading_zeros() } else { value.leading_zeros() };
        let length = if value == 0 { 0 } else { significant.div_ceil(8) as u8 };
        Self { bytes: value.to_le_bytes(), length }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::{Opcode, Reg, decode_operands};

    #[test]
    fn what_is_encoded_decodes_to_itself() {
        let values =
            [0, 1, -1, 127, 128, -128, -129, 32767, 32768, -32769, 0x7f_ffff, -0x80_0001, i32::MAX, i32::MIN];
        for set in InstructionSet::ALL {
            for &opcode in Opcode::ALL.iter().filter(|&&opcode| set.byte(opcode).is_some()) {
                for (n, &value) in values.iter().enumerate() {
                    let other = values[values.len() - 1 - n];
                    let mut wanted = Instruction {
                        opcode,
                        d: Reg::ALL[n % 13],
                        s1: Reg::ALL[(n + 5) % 13],
                        s2: Reg::ALL[(n + 11) % 13],
                        x: i64::from(value) as u64,
                        y: i64::from(other) as u64,
                        target: 5000u32.wrapping_add(other as u32),
                    };
                    forget_what_the_shape_lacks(&mut wanted);
                    let mut code = Vec::new();
                    encode(set, &wanted, 5000, &mut code).unwrap();
                    let mut bytes = [0xff; 16];
                    bytes[..code.len() - 1].copy_from_slice(&code[1..]);
                    assert_eq!(set.opcode(code[0]), Some(opcode));
                    assert_eq!(
                        decode_operands(opcode, 5000, bytes, code.len() as u32 - 1),
                        wanted,
                        "{set} {opcode:?}"
                    );
                }
            }
        }
    }

    fn forget_what_the_shape_lacks(i: &mut Instruction) {
        let blank = Instruction::plain(i.opcode);
        let regs = i.registers();
        (i.d, i.s1, i.s2) = (
            regs.writes.unwrap_or(blank.d),
            regs.reads[0].unwrap_or(blank.s1),
            regs.reads[1].unwrap_or(blank.s2),
        );
        use Shape as S;
        let shape = i.opcode.info().shape;
        if matches!(shape, S::None | S::Offset | S::DestSource | S::SourceSourceOffset | S::DestSourceSource)
        {
            i.x = 0;
        }
        if !matches!(shape, S::ImmImm | S::SourceImmImm | S::DestSourceImmImm) {
            i.y = 0;
        }
        if !matches!(shape, S::Offset | S::DestImmOffset | S::SourceImmOffset | S::SourceSourceOffset) {
            i.target = 0;
        }
    }

    #[test]
    fn refusals_name_the_instruction() {
        let mut code = Vec::new();
        let error =
            encode(InstructionSet::JamV1, &Instruction::plain(Opcode::Sbrk), 0, &mut code).unwrap_err();
        assert_eq!(error.to_string(), "jam-v1 has no instruction sbrk");
        let wide = Instruction { x: 1 << 40, ..Instruction::plain(Opcode::LoadImm) };
        let error = encode(InstructionSet::JamV1, &wide, 0, &mut code).unwrap_err();
        assert_eq!(error.to_string(), "load_imm: the immediate 0x10000000000 does not fit 32 bits");
        assert!(code.is_empty());
    }
}
