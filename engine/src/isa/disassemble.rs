//! Assembly text of an [`Instruction`].

use core::fmt;

use super::{Instruction, Shape};

impl fmt::Display for Instruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { opcode, d, s1, s2, x, y, target } = *self;
        let info = opcode.info();
        let name = info.name;
        let (x, y) = (Signed(x), Signed(y));
        match info.shape {
            Shape::None => write!(f, "{name}"),
            Shape::Imm => write!(f, "{name} {x}"),
            Shape::Offset => write!(f, "{name} @{target:x}"),
            Shape::ImmImm => write!(f, "{name} {x}, {y}"),
            Shape::DestImm | Shape::DestImm64 => write!(f, "{name} {d}, {x}"),
            Shape::SourceImm => write!(f, "{name} {s1}, {x}"),
            Shape::DestImmOffset => write!(f, "{name} {d}, {x}, @{target:x}"),
            Shape::SourceImmOffset => write!(f, "{name} {s1}, {x}, @{target:x}"),
            Shape::SourceImmImm => write!(f, "{name} {s1}, {x}, {y}"),
            Shape::DestSource => write!(f, "{name} {d}, {s1}"),
            Shape::DestSourceImm => write!(f, "{name} {d}, {s1}, {x}"),
            Shape::SourceSourceImm => write!(f, "{name} {s1}, {s2}, {x}"),
            Shape::SourceSourceOffset => write!(f, "{name} {s1}, {s2}, @{target:x}"),
            Shape::DestSourceImmImm => write!(f, "{name} {d}, {s1}, {x}, {y}"),
            Shape::DestSourceSource => write!(f, "{name} {d}, {s1}, {s2}"),
        }
    }
}

/// An immediate: small ones in decimal, others in hexadecimal.
struct Signed(u64);

impl fmt::Display for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.0 as i64;
        match (value < 0, value.unsigned_abs()) {
            (false, small @ 0..0x1_0000) => write!(f, "{small}"),
            (true, small @ 0..0x1_0000) => write!(f, "-{small}"),
            (false, large) => write!(f, "{large:#x}"),
            (true, large) => write!(f, "-{large:#x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::isa::{Instruction, Opcode, Reg};

    #[test]
    fn text() {
        let i = Instruction {
            d: Reg::A0,
            s1: Reg::A1,
            s2: Reg::SP,
            x: 7,
            y: -3i64 as u64,
            target: 0x1f,
            opcode: Opcode::Trap,
        };
        let text = |opcode| Instruction { opcode, ..i }.to_string();
        assert_eq!(text(Opcode::Trap), "trap");
        assert_eq!(text(Opcode::Add64), "add_64 a0, a1, sp");
        assert_eq!(text(Opcode::StoreImmIndirectU8), "store_imm_indirect_u8 a1, 7, -3");
        assert_eq!(text(Opcode::BranchEqImm), "branch_eq_imm a1, 7, @1f");
        assert_eq!(text(Opcode::LoadImmAndJumpIndirect), "load_imm_and_jump_indirect a0, a1, 7, -3");
        let large = Instruction { x: 0x12_3456, ..i };
        assert_eq!(Instruction { opcode: Opcode::LoadImm, ..large }.to_string(), "load_imm a0, 0x123456");
    }
}
