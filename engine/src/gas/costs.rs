//! The numbers of the pipeline model: what single instructions take.

use super::{Cache, Variant};
use crate::isa::{Decoded, GasClass, InstructionSet, Opcode, Shape};
use crate::program::{Code, Outline};

/// The model for an instruction set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Model {
    rows: &'static Rows,
    load_latency: u8,
    /// Opcode bytes that make a branch cheap when it leads to or falls through to them.
    cheap_bytes: [Option<u8>; 2],
}

/// What the model says about an instruction. Registers are numbers below 16; [`Demand::NOTHING`] is never written,
/// [`Demand::NOWHERE`] never read.
///
/// Numbers have four bytes, as what fits two registers of the processor compilers put together there only to take it apart again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Demand {
    pub(super) cost: Cost,
    /// What it waits for.
    pub(super) sources: [u32; 3],
    pub(super) destination: u32,
    /// It takes no entry of the buffer: its destination is from now on written by whoever writes its source, the first one.
    pub(super) renames: bool,
}

impl Demand {
    /// A source for instructions that wait for fewer than three.
    pub(super) const NOTHING: u32 = 15;
    /// The destination of instructions without one.
    pub(super) const NOWHERE: u32 = 14;
}

impl Model {
    pub(super) fn new(set: InstructionSet, cache: Cache, variant: Variant) -> Self {
        // polkavm up to 0.35 uses 255 for "no such opcode" when it peeks.
        let unlikely = match variant {
            Variant::V033 => Some(set.byte(Opcode::Unlikely).unwrap_or(255)),
            Variant::V037 => set.byte(Opcode::Unlikely),
        };
        Self {
            rows: rows(set, variant == Variant::V037),
            load_latency: cache.load_latency(),
            cheap_bytes: [set.byte(Opcode::Trap), unlikely],
        }
    }

    /// What it says about the instruction at `pc`.
    #[inline]
    pub(super) fn demand(&self, code: &Code, pc: u32, outline: Outline) -> Demand {
        let Some(opcode) = outline.opcode else { return INVALID };
        let row = &self.rows[opcode as usize];
        // Numbers from 13 on mean the last register.
        let register = |shift: u8| u32::from(outline.operands >> shift & 15).min(12);
        let branch = || {
            let target = code.decode_at(pc).instruction.map_or(outline.next_pc, |branch| branch.target);
            (code, [outline.next_pc, target])
        };
        self.demand_of(row, [row.d, row.s1, row.s2].map(register), branch)
    }

    /// What it says about a decoded instruction.
    #[inline]
    pub(super) fn demand_of_decoded(&self, code: &Code, decoded: &Decoded) -> Demand {
        let Some(i) = &decoded.instruction else { return INVALID };
        let row = &self.rows[i.opcode as usize];
        self.demand_of(row, [i.d, i.s1, i.s2].map(|register| register as u32), || {
            (code, [decoded.next_pc, i.target])
        })
    }

    /// `ways` are those of a branch.
    #[inline]
    fn demand_of<'a>(
        &self,
        row: &Row,
        [d, s1, s2]: [u32; 3],
        ways: impl FnOnce() -> (&'a Code, [u32; 2]),
    ) -> Demand {
        let mut cost = row.cost;
        cost.slots += row.extra_slots[usize::from(d == s1) + 2 * usize::from(d == s2)];
        if row.has(Row::LOADS) {
            cost.latency = self.load_latency;
        } else if row.has(Row::BRANCHES) && self.is_cheap(ways()) {
            cost.latency = 1;
        }
        let [no_s1, no_s2, no_d] = row.without.map(u32::from);
        Demand {
            cost,
            sources: [s1 | no_s1, s2 | no_s2, d | no_d],
            destination: if row.has(Row::WRITES) { d } else { Demand::NOWHERE },
            renames: row.has(Row::RENAMES),
        }
    }

    /// Whether the branch is cheap: a trap or `unlikely` (seen by its byte) or the end of the code on one of its ways.
    fn is_cheap(&self, (code, ways): (&Code, [u32; 2])) -> bool {
        ways.into_iter().any(|pc| code.byte(pc).is_none_or(|byte| self.cheap_bytes.contains(&Some(byte))))
    }
}

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

/// What the model says about an opcode. Of a power of two of bytes, so that a row is found by a shift.
#[derive(Clone, Copy, Debug)]
#[repr(align(16))]
pub(super) struct Row {
    pub(super) cost: Cost,
    /// Where the registers are in the first two bytes of the operands.
    d: u8,
    s1: u8,
    s2: u8,
    flags: u8,
    /// [`Demand::NOTHING`] where it does not wait for its first source, its second one, its destination; else zero.
    without: [u8; 3],
    /// How many decode slots it takes more than its cost says: if its destination is none of its sources, the first one, the second
    /// one, both. A two-address machine needs a move more then.
    extra_slots: [u8; 4],
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
            G::Move => of_shape | Self::RENAMES,
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
        let mut without = [Demand::NOTHING as u8; 3];
        let reads = [Self::READS_1, Self::READS_2, Self::READS_DESTINATION];
        let mut index = 0;
        while index < reads.len() {
            if flags & reads[index] != 0 {
                without[index] = 0;
            }
            index += 1;
        }
        Self { cost: Cost { latency, slots, unit }, d, s1, s2, flags, without, extra_slots }
    }
}

/// What no instruction at all takes: it is a trap.
const INVALID: Demand = Demand {
    cost: Cost { latency: 2, slots: 1, unit: Unit::None },
    sources: [Demand::NOTHING; 3],
    destination: Demand::NOWHERE,
    renames: false,
};

/// The rows of a set.
pub(super) fn rows(set: InstructionSet, cmov_reads_destination: bool) -> &'static Rows {
    static ROWS: [Rows; 4] = [table(0, false), table(0, true), table(1, false), table(1, true)];
    &ROWS[usize::from(set.is_64_bit()) * 2 + usize::from(cmov_reads_destination)]
}

const fn table(extension: u8, cmov_reads_destination: bool) -> Rows {
    let mut rows = [Row::new(Opcode::ALL[0], extension, cmov_reads_destination); Opcode::ALL.len()];
    let mut index = 0;
    while index < rows.len() {
        rows[index] = Row::new(Opcode::ALL[index], extension, cmov_reads_destination);
        index += 1;
    }
    rows
}
