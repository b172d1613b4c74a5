//! From [`Instruction`]s to bytes: for assemblers of tests, tools and generators.

use super::{EXTENDED_PREFIX, Instruction, InstructionSet, Reg, Shape};

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
    let info = instruction.opcode.info();
    let missing = EncodeError::NotInSet { set, opcode: info.name };
    let mut operands = Operands::new(instruction, pc)?;
    if set.has_bitmask() {
        code.push(set.byte(instruction.opcode).ok_or(missing)?);
        operands.append(code);
        return Ok(());
    }
    let needed = operands.length();
    let fitting = info.extended.iter().find(|(length, _)| usize::from(*length) >= needed);
    let &(length, number) = fitting.ok_or(missing)?;
    match number.checked_sub(EXTENDED_PREFIX.into()) {
        None => code.push(number as u8),
        Some(second) => code.extend([EXTENDED_PREFIX, second as u8]),
    }
    // The last immediate takes what the opcode has beyond need, as far as an immediate goes; the rest means nothing.
    let end = code.len() + usize::from(length);
    operands.widen(usize::from(length) - needed);
    operands.append(code);
    code.resize(end, 0);
    Ok(())
}

/// Bytes of operands, of which the last immediate can be longer than it has to.
#[derive(Default)]
struct Operands {
    fixed: Vec<u8>,
    last: Option<Immediate>,
}

impl Operands {
    fn new(instruction: &Instruction, pc: u32) -> Result<Self, EncodeError> {
        let Instruction { opcode, d, s1, s2, x, y, target } = *instruction;
        let imm = |value: u64| {
            Immediate::new(value).ok_or(EncodeError::Immediate { opcode: opcode.info().name, value })
        };
        let offset = Immediate::of(target.wrapping_sub(pc) as i32);
        let pair = |low: Reg, high: Reg| low as u8 | (high as u8) << 4;

        let mut operands = Self::default();
        let fixed = &mut operands.fixed;
        operands.last = match opcode.info().shape {
            Shape::None => None,
            Shape::Imm => Some(imm(x)?),
            Shape::Offset => Some(offset),
            Shape::ImmImm => {
                let first = imm(x)?;
                fixed.push(first.length);
                fixed.extend(first.bytes());
                Some(imm(y)?)
            }
            Shape::DestImm => {
                fixed.push(d as u8);
                Some(imm(x)?)
            }
            Shape::SourceImm => {
                fixed.push(s1 as u8);
                Some(imm(x)?)
            }
            Shape::DestImm64 => {
                fixed.push(d as u8);
                fixed.extend(x.to_le_bytes());
                None
            }
            shape @ (Shape::DestImmOffset | Shape::SourceImmOffset | Shape::SourceImmImm) => {
                let first = imm(x)?;
                let reg = if shape == Shape::DestImmOffset { d } else { s1 };
                fixed.push(reg as u8 | first.length << 4);
                fixed.extend(first.bytes());
                Some(if shape == Shape::SourceImmImm { imm(y)? } else { offset })
            }
            Shape::DestSource => {
                fixed.push(pair(d, s1));
                None
            }
            Shape::DestSourceImm => {
                fixed.push(pair(d, s1));
                Some(imm(x)?)
            }
            Shape::SourceSourceImm => {
                fixed.push(pair(s1, s2));
                Some(imm(x)?)
            }
            Shape::SourceSourceOffset => {
                fixed.push(pair(s1, s2));
                Some(offset)
            }
            Shape::DestSourceImmImm => {
                let first = imm(x)?;
                fixed.extend([pair(d, s1), first.length]);
                fixed.extend(first.bytes());
                Some(imm(y)?)
            }
            Shape::DestSourceSource => {
                fixed.extend([pair(s1, s2), d as u8]);
                None
            }
        };
        Ok(operands)
    }

    fn length(&self) -> usize {
        self.fixed.len() + self.last.as_ref().map_or(0, |last| usize::from(last.length))
    }

    fn widen(&mut self, by: usize) {
        if let Some(last) = &mut self.last {
            last.length = (usize::from(last.length) + by).min(4) as u8;
        }
    }

    fn append(&self, code: &mut Vec<u8>) {
        code.extend(&self.fixed);
        code.extend(self.last.iter().flat_map(|last| last.bytes().iter().copied()));
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

    fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::{EXTENDED, Opcode, decode_operands};

    #[test]
    #[cfg_attr(miri, ignore = "millions of instructions are too many for it")]
    fn what_is_encoded_decodes_to_itself() {
        let values =
            [0, 1, -1, 127, 128, -128, -129, 32767, 32768, -32769, 0x7f_ffff, -0x80_0001, i32::MAX, i32::MIN];
        for set in InstructionSet::ALL {
            for &opcode in Opcode::ALL.iter().filter(|&&opcode| set.contains(opcode)) {
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
                    let (found, operands) = match (set.has_bitmask(), code[0]) {
                        (true, byte) => (set.opcode(byte), &code[1..]),
                        (false, EXTENDED_PREFIX) => {
                            (EXTENDED[255 + usize::from(code[1])].map(|e| e.0), &code[2..])
                        }
                        (false, byte) => (EXTENDED[usize::from(byte)].map(|e| e.0), &code[1..]),
                    };
                    let mut bytes = [0xff; 16];
                    bytes[..operands.len()].copy_from_slice(operands);
                    assert_eq!(found, Some(opcode));
                    let decoded = decode_operands(opcode, 5000, bytes, operands.len() as u32);
                    assert_eq!(decoded, wanted, "{set} {opcode:?}");
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
