//! The numbers of the pipeline model: what single instructions take.

use crate::isa::{GasClass, InstructionSet, Opcode, Shape};

/// Cycles from start to result of an instruction, its decode slots, and its execution units.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    pub(super) latency: u8,
    pub(super) slots: u8,
    pub(super) unit: Unit,
}

/// The execution units that an instruction holds from its start to its result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Unit {
    TwoAlus,
    /// An ALU and one of these, as for what follows.
    Load,
    Store,
    Mul,
    Div,
    /// An ALU only.
    Alu,
    None,
}

impl Unit {
    pub(super) const COUNT: usize = 7;
}

/// What the model says about an opcode.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) cost: Cost,
    /// Where the registers are in the first two bytes of the operands.
    d: u8,
    s1: u8,
    s2: u8,
    flags: u8,
    /// How many decode slots it takes more than its cost says: if its destination is none of its sources, the first one, the second
    /// one, both. A two-address machine needs a move more then.
    extra_slots: [u8; 4],
}

/// The registers that an instruction names, by their numbers. Where it names fewer the others are any.
#[derive(Clone, Copy, Debug)]
pub(super) struct Registers {
    pub(super) d: u8,
    pub(super) s1: u8,
    pub(super) s2: u8,
}

/// The rows of an instruction set, by opcode.
pub(super) type Rows = [Row; Opcode::ALL.len()];

impl Row {
    const READS_1: u8 = 1;
    const READS_2: u8 = 2;
    /// It waits for its destination, too.
    const READS_DESTINATION: u8 = 4;
    const WRITES: u8 = 8;
    const LOADS: u8 = 0x10;
    const RENAMES: u8 = 0x20;
    const BRANCHES: u8 = 0x40;

    /// The registers, from the first two bytes of the operands.
    #[inline]
    pub(super) fn registers(&self, operands: u16) -> Registers {
        // Numbers from 13 on mean the last register.
        let register = |shift: u8| (operands >> shift & 15).min(12) as u8;
        Registers { d: register(self.d), s1: register(self.s1), s2: register(self.s2) }
    }

    /// Whether it waits for the first source, the second one, the destination.
    pub(super) const fn reads(&self) -> [bool; 3] {
        [self.has(Self::READS_1), self.has(Self::READS_2), self.has(Self::READS_DESTINATION)]
    }

    /// Whether it loads, renames or branches.
    pub(super) const fn is_special(&self) -> bool {
        self.has(Self::LOADS | Self::RENAMES | Self::BRANCHES)
    }

    pub(super) const fn writes(&self) -> bool {
        self.has(Self::WRITES)
    }

    /// Its latency is that of the cache.
    pub(super) const fn loads(&self) -> bool {
        self.has(Self::LOADS)
    }

    /// It takes no entry of the buffer: its destination is from now on written by whoever writes its source.
    pub(super) const fn renames(&self) -> bool {
        self.has(Self::RENAMES)
    }

    /// How many decode slots it takes with these registers.
    #[inline]
    pub(super) fn slots(&self, Registers { d, s1, s2 }: Registers) -> u8 {
        self.cost.slots + self.extra_slots[usize::from(d == s1) + 2 * usize::from(d == s2)]
    }

    #[inline]
    const fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    const fn new(opcode: Opcode, extension: u8, cmov_reads_destination: bool) -> Self {
        use GasClass as G;
        use Unit::{Alu, Div, Load, Mul, None, Store, TwoAlus};

        let class = opcode.info().gas;
        // With registers of 64 bits, results of 32 take sign extension.
        let x = extension;
        let (latency, slots, unit) = match class {
            G::Trap => (2, 1, None),
            G::Unlikely => (40, 1, None),
            G::Host => (100, 4, Alu),
            G::Move => (0, 1, None),
            G::LoadImm => (1, 1, None),
            G::LoadImm64 => (1, 2, None),
            G::Load => (0, 1, Load),
            G::Store => (25, 1, Store),
            G::Jump => (15, 1, None),
            G::JumpIndirect => (22, 1, None),
            G::Branch => (20, 1, Alu),
            G::Simple64 => (1, 1, Alu),
            G::Simple32 => (1 + x, 1 + x, Alu),
            G::Bits => (1, 1, Alu),
            G::CountTrailing => (2, 1, TwoAlus),
            G::Shift64 => (1, 2, Alu),
            G::Shift32 => (1 + x, 2 + x, Alu),
            G::ShiftAlt64 => (1, 3, Alu),
            G::ShiftAlt32 => (2, 4, Alu),
            G::Compare => (3, 3, Alu),
            G::Cmov => (2, 2, Alu),
            G::CmovImm => (2, 3, Alu),
            G::MinMax => (3, 2, Alu),
            G::InvertedLogic => (2, 3, Alu),
            G::Xnor => (2, 2, Alu),
            G::Negate64 => (2, 3, Alu),
            G::Negate32 => (3, 4, Alu),
            G::Mul64 => (3, 1, Mul),
            G::Mul32 => (4, 2, Mul),
            G::MulUpper => (4, 4, Mul),
            G::MulUpperMixed => (6, 4, Mul),
            G::Divide => (60, 4, Div),
        };
        // Registers are the nibbles of the operands in the order in which shapes name them, but for the last shape, where the
        // destination comes behind the sources.
        let (of_shape, [d, s1, s2]) = match opcode.info().shape {
            Shape::None | Shape::Imm | Shape::Offset | Shape::ImmImm => (0, [0, 0, 0]),
            Shape::DestImm | Shape::DestImm64 | Shape::DestImmOffset => (Self::WRITES, [0, 0, 0]),
            Shape::SourceImm | Shape::SourceImmOffset | Shape::SourceImmImm => (Self::READS_1, [0, 0, 0]),
            Shape::DestSource | Shape::DestSourceImm | Shape::DestSourceImmImm => {
                (Self::WRITES | Self::READS_1, [0, 4, 0])
            }
            Shape::SourceSourceImm | Shape::SourceSourceOffset => (Self::READS_1 | Self::READS_2, [0, 0, 4]),
            Shape::DestSourceSource => (Self::WRITES | Self::READS_1 | Self::READS_2, [8, 0, 4]),
        };
        let flags = match class {
            // What a jump writes, and where it gets what it writes, does not matter any more: it ends the block.
            G::Jump => 0,
            G::JumpIndirect => of_shape & Self::READS_1,
            G::Branch => of_shape | Self::BRANCHES,
            G::Move => Self::RENAMES,
            G::Load => of_shape | Self::LOADS,
            G::Cmov | G::CmovImm if cmov_reads_destination => of_shape | Self::READS_DESTINATION,
            _ => of_shape,
        };
        let has_two_sources = of_shape & Self::READS_2 != 0;
        let extra_slots = match class {
            G::Simple64 | G::Simple32 | G::MinMax | G::Xnor | G::Mul64 | G::Mul32 => {
                [1, 0, !has_two_sources as u8, 0]
            }
            G::Shift64 | G::Shift32 => [1, 0, 1, 0],
            _ => [0; 4],
        };
        Self { cost: Cost { latency, slots, unit }, d, s1, s2, flags, extra_slots }
    }
}

/// What no instruction at all takes: it is a trap.
pub(super) const INVALID: Cost = Cost { latency: 2, slots: 1, unit: Unit::None };

/// The rows of a set.
pub(super) fn rows(set: InstructionSet, cmov_reads_destination: bool) -> &'static Rows {
    static ROWS: [Rows; 4] = [table(0, false), table(0, true), table(1, false), table(1, true)];
    &ROWS[usize::from(set.is_64_bit()) * 2 + usize::from(cmov_reads_destination)]
}

const fn table(extension: u8, cmov_reads_destination: bool) -> Rows {
    let mut rows =
        [Row { cost: INVALID, d: 0, s1: 0, s2: 0, flags: 0, extra_slots: [0; 4] }; Opcode::ALL.len()];
    let mut index = 0;
    while index < rows.len() {
        rows[index] = Row::new(Opcode::ALL[index], extension, cmov_reads_destination);
        index += 1;
    }
    rows
}
