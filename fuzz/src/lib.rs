//! What fuzz targets share: programs in pieces that libFuzzer changes, so that each change of its bytes is one of the program.

use arbitrary::Arbitrary;
use hatchery_engine::isa::{Instruction, Opcode, Shape};
use hatchery_engine::{InstructionSet, Reg};

/// An instruction.
#[derive(Arbitrary, Debug)]
pub struct Piece {
    opcode: u8,
    /// Destination and first source.
    registers: u8,
    /// Second source, and what kind of immediate.
    more: u8,
    x: i16,
    target: u8,
}

/// The start of read-write data in programs whose read-only data fits into 64 KiB.
pub const RW: u32 = 0x3_0000;

/// The instructions of a set, for pieces to choose from.
pub fn opcodes(set: InstructionSet) -> Vec<Opcode> {
    Opcode::ALL.iter().copied().filter(|&opcode| set.contains(opcode)).collect()
}

impl Piece {
    /// The instruction in a program of `count` instructions. Its target is the index of one, or the end.
    pub fn instruction(&self, opcodes: &[Opcode], count: usize) -> Instruction {
        let reg = |nibble: u8| Reg::from_nibble(nibble);
        let x = match self.more >> 4 {
            0..3 => i32::from(self.x),
            // Small, so that pointers with offsets reach what they point to.
            3..6 => i32::from(self.x as i8),
            6..10 => RW as i32 + i32::from(self.x & 0x3fff),
            10 => 0x1_0000 + i32::from(self.x & 0x1fff),
            // The end of the stack, or, where there is space for it, the start of auxiliary data.
            11 => 0xfffe_0000u32 as i32 - i32::from(self.x % 0x2000),
            12 => i32::from(self.x) << 16,
            13 => i32::from(self.x as u8 % 16) * 2,
            14 => i32::MIN.wrapping_add(self.x.into()),
            _ => -1,
        };
        let opcode = opcodes[usize::from(self.opcode) % opcodes.len()];
        let wide = opcode.info().shape == Shape::DestImm64;
        Instruction {
            opcode,
            d: reg(self.registers),
            s1: reg(self.registers >> 4),
            s2: reg(self.more),
            x: i64::from(x) as u64 ^ if wide { u64::from(self.target) << 56 } else { 0 },
            y: i64::from(self.x) as u64,
            target: u32::from(self.target) % (count as u32 + 1),
        }
    }
}
