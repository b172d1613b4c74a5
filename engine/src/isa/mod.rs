//! Instruction sets: opcodes, operand shapes, decoding, encoding and disassembly, all from one table (`table.rs`).
//!
//! A program is bytes plus a bitmask that marks where instructions start. The byte at a start is the opcode, the bytes
//! up to the next start are its operands. What an opcode byte means depends on the [`InstructionSet`].

pub(crate) mod table;

mod decode;
mod disassemble;
mod encode;
mod register;

pub use decode::{Decoded, decode_operands};
pub use encode::{EncodeError, encode};
pub use register::Reg;

use table::for_each_instruction;

/// Which opcodes exist and which bytes stand for them.
///
/// A PolkaVM container names its set in its version byte; the raw JAM formats do not, so their caller does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum InstructionSet {
    /// The set of smart contracts (`pallet-revive`), version byte 0 of a PolkaVM container.
    ReviveV1 = 0,
    /// The set of JAM as in the Gray Paper 0.8 draft, version byte 3 of a PolkaVM container.
    JamV1 = 1,
    /// The set of a machine with 32-bit registers, version byte 1 of a PolkaVM container.
    Latest32 = 2,
    /// Every instruction, in the encoding with a bitmask: version byte 2 of containers linked by polkavm-linker up to
    /// 0.35.
    Latest64Bitmask = 3,
    /// The set of the Gray Paper 0.7: as `Latest64Bitmask` without `memset` and `unlikely`. No container names it.
    GrayPaper07 = 4,
    /// Every instruction, in the encoding without a bitmask: version byte 2 of containers linked by polkavm-linker from 0.37
    /// on.
    Latest64Extended = 5,
}

/// The sets with a bitmask come first.
const BITMASK_SETS: usize = 5;

/// In the extended encoding this byte says that the next one belongs to the opcode, whose number is the sum of both.
pub(crate) const EXTENDED_PREFIX: u8 = 255;

impl InstructionSet {
    /// All instruction sets.
    pub const ALL: [Self; 6] = [
        Self::ReviveV1,
        Self::JamV1,
        Self::Latest32,
        Self::Latest64Bitmask,
        Self::GrayPaper07,
        Self::Latest64Extended,
    ];

    /// The name used on command lines and in documents, such as `jam-v1`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReviveV1 => "revive-v1",
            Self::JamV1 => "jam-v1",
            Self::Latest32 => "latest32",
            Self::Latest64Bitmask => "latest64-bitmask",
            Self::GrayPaper07 => "gray-paper-0.7",
            Self::Latest64Extended => "latest64-extended",
        }
    }

    /// Whether registers have 64 bits, not 32.
    pub const fn is_64_bit(self) -> bool {
        !matches!(self, Self::Latest32)
    }

    /// Whether code comes with a bitmask that says where instructions start. Otherwise the opcode says how long an
    /// instruction is.
    pub const fn has_bitmask(self) -> bool {
        (self as usize) < BITMASK_SETS
    }

    /// Whether this set has the instruction.
    pub const fn contains(self, opcode: Opcode) -> bool {
        self.byte(opcode).is_some() || !self.has_bitmask()
    }

    /// The instruction that an opcode of one byte stands for, or `None` if there is none. In the extended encoding several
    /// opcodes stand for the same instruction.
    #[inline]
    pub const fn opcode(self, byte: u8) -> Option<Opcode> {
        if self.has_bitmask() {
            return BYTE_TO_OPCODE[self as usize][byte as usize];
        }
        match EXTENDED[byte as usize] {
            Some((opcode, _)) if byte != EXTENDED_PREFIX => Some(opcode),
            _ => None,
        }
    }

    /// What each byte says as an opcode, in sets with a bitmask.
    #[inline]
    pub(crate) fn controls(self) -> Option<&'static [Control; 256]> {
        CONTROLS.get(self as usize)
    }

    /// The one byte that stands for `opcode`, or `None` if there is none, or not one alone.
    pub const fn byte(self, opcode: Opcode) -> Option<u8> {
        if self.has_bitmask() {
            return opcode.info().bytes[self as usize];
        }
        match opcode.info().extended {
            [(_, number)] if *number < EXTENDED_PREFIX as u16 => Some(*number as u8),
            _ => None,
        }
    }
}

impl core::fmt::Display for InstructionSet {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

/// The operands of an instruction and the roles of its registers.
///
/// The layouts are those of the Gray Paper, appendix A.5; register nibbles above 12 mean A5, immediates shorter than
/// four bytes are sign-extended, offsets count from the instruction itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// No operands.
    None,
    /// One immediate.
    Imm,
    /// One offset.
    Offset,
    /// Two immediates.
    ImmImm,
    /// A destination register and an immediate.
    DestImm,
    /// A source register and an immediate.
    SourceImm,
    /// A destination register and a 64-bit immediate.
    DestImm64,
    /// A destination register, an immediate and an offset.
    DestImmOffset,
    /// A source register, an immediate and an offset.
    SourceImmOffset,
    /// A source register (the base of an address) and two immediates.
    SourceImmImm,
    /// A destination and a source register.
    DestSource,
    /// A destination register, a source register and an immediate.
    DestSourceImm,
    /// Two source registers and an immediate: a value and the base of the address it goes to.
    SourceSourceImm,
    /// Two source registers and an offset.
    SourceSourceOffset,
    /// A destination register, a source register and two immediates.
    DestSourceImmImm,
    /// Two source registers and a destination register.
    DestSourceSource,
}

/// How an instruction counts in the pipeline gas model; the numbers are in [`crate::gas`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each is named after its instructions, the numbers are in one table")]
pub enum GasClass {
    Trap,
    Unlikely,
    Host,
    Move,
    LoadImm,
    LoadImm64,
    Load,
    Store,
    Jump,
    JumpIndirect,
    Branch,
    Simple64,
    Simple32,
    Bits,
    CountTrailing,
    Shift64,
    Shift32,
    ShiftAlt64,
    ShiftAlt32,
    Compare,
    Cmov,
    CmovImm,
    MinMax,
    InvertedLogic,
    Xnor,
    Negate64,
    Negate32,
    Mul64,
    Mul32,
    MulUpper,
    MulUpperMixed,
    Divide,
}

/// What the table says about an instruction.
#[derive(Clone, Copy, Debug)]
pub struct OpcodeInfo {
    /// The name in assembly text.
    pub name: &'static str,
    /// The operands.
    pub shape: Shape,
    /// Whether the instruction ends its basic block.
    pub ends_block: bool,
    /// The class in the pipeline gas model.
    pub gas: GasClass,
    /// One line of documentation.
    pub doc: &'static str,
    bytes: [Option<u8>; BITMASK_SETS],
    /// Operand lengths and opcodes in the extended encoding, by length.
    extended: &'static [(u8, u16)],
}

macro_rules! optional_byte {
    (_) => {
        None
    };
    ($byte:literal) => {
        Some($byte)
    };
}

macro_rules! ends_block {
    (ends) => {
        true
    };
    (goes_on) => {
        false
    };
}

macro_rules! define_opcodes {
    ($($id:ident $name:literal $shape:ident $ends:ident $gas:ident [$revive:tt $jam:tt $latest32:tt $latest64:tt $gp07:tt]
        {$($length:literal: $number:literal),+} $doc:literal;)+) => {
        /// An instruction of any set.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        pub enum Opcode {
            $(#[doc = $doc] $id,)+
        }

        impl Opcode {
            /// All instructions, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$id,)+];

            const INFO: &[OpcodeInfo] = &[$(OpcodeInfo {
                name: $name,
                shape: Shape::$shape,
                ends_block: ends_block!($ends),
                gas: GasClass::$gas,
                doc: $doc,
                bytes: [
                    optional_byte!($revive),
                    optional_byte!($jam),
                    optional_byte!($latest32),
                    optional_byte!($latest64),
                    optional_byte!($gp07),
                ],
                extended: &[$(($length, $number)),+],
            },)+];
        }
    };
}

for_each_instruction!(define_opcodes);

impl Opcode {
    /// What the table says about this instruction.
    #[inline]
    pub const fn info(self) -> &'static OpcodeInfo {
        &Self::INFO[self as usize]
    }

    /// Whether execution can go on with the instruction that follows in memory.
    pub const fn can_fall_through(self) -> bool {
        !matches!(
            self,
            Self::Trap
                | Self::Jump
                | Self::JumpIndirect
                | Self::LoadImmAndJump
                | Self::LoadImmAndJumpIndirect
        )
    }
}

/// For each set and byte the instruction, made from the table at compile time.
static BYTE_TO_OPCODE: [[Option<Opcode>; 256]; BITMASK_SETS] = {
    let mut table = [[None; 256]; BITMASK_SETS];
    let mut row = 0;
    while row < Opcode::ALL.len() {
        let opcode = Opcode::ALL[row];
        let mut set = 0;
        while set < BITMASK_SETS {
            if let Some(byte) = opcode.info().bytes[set] {
                assert!(table[set][byte as usize].is_none(), "one byte stands for two instructions");
                table[set][byte as usize] = Some(opcode);
            }
            set += 1;
        }
        row += 1;
    }
    table
};

/// What the byte of an opcode says to whom walks over code without decoding it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Control(u8);

impl Control {
    const VALID: u8 = 1;
    const ENDS_BLOCK: u8 = 2;
    const FALLS_THROUGH: u8 = 4;

    /// Of an instruction, or of none that the set knows.
    pub(crate) const fn of(opcode: Option<Opcode>) -> Self {
        let Some(opcode) = opcode else { return Self(0) };
        let ends_block = if opcode.info().ends_block { Self::ENDS_BLOCK } else { 0 };
        let falls_through = if opcode.can_fall_through() { Self::FALLS_THROUGH } else { 0 };
        Self(Self::VALID | ends_block | falls_through)
    }

    /// Whether the set knows the instruction.
    #[inline(always)]
    pub(crate) const fn is_valid(self) -> bool {
        self.0 & Self::VALID != 0
    }

    /// Whether it is an instruction that ends its block.
    #[inline(always)]
    pub(crate) const fn ends_block(self) -> bool {
        self.0 & Self::ENDS_BLOCK != 0
    }

    /// Whether it is an instruction behind which execution can go on with the one that follows in memory.
    #[inline(always)]
    pub(crate) const fn can_fall_through(self) -> bool {
        self.0 & Self::FALLS_THROUGH != 0
    }
}

/// The same for each set and byte: a walk over code looks at two hundred and fifty-six bytes of tables, which stay in the cache.
static CONTROLS: [[Control; 256]; BITMASK_SETS] = {
    let mut controls = [[Control::of(None); 256]; BITMASK_SETS];
    let mut set = 0;
    while set < BITMASK_SETS {
        let mut byte = 0;
        while byte < 256 {
            controls[set][byte] = Control::of(BYTE_TO_OPCODE[set][byte]);
            byte += 1;
        }
        set += 1;
    }
    controls
};

/// For each opcode of the extended encoding the instruction and the length of its operands.
pub(crate) static EXTENDED: [Option<(Opcode, u8)>; 512] = {
    let mut table = [None; 512];
    let mut row = 0;
    while row < Opcode::ALL.len() {
        let opcode = Opcode::ALL[row];
        let pairs = opcode.info().extended;
        let mut pair = 0;
        while pair < pairs.len() {
            let (length, number) = pairs[pair];
            assert!(table[number as usize].is_none(), "one opcode stands for two instructions");
            let prefix = (number >= EXTENDED_PREFIX as u16) as u8;
            assert!(prefix + length <= 24, "what follows is as near as in the other encodings");
            table[number as usize] = Some((opcode, length));
            pair += 1;
        }
        row += 1;
    }
    table
};

/// A decoded instruction. Fields that its [`Shape`] does not have are zero (registers: RA).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Instruction {
    /// What it does.
    pub opcode: Opcode,
    /// Destination register.
    pub d: Reg,
    /// First or only source register.
    pub s1: Reg,
    /// Second source register.
    pub s2: Reg,
    /// First immediate, sign-extended.
    pub x: u64,
    /// Second immediate, sign-extended.
    pub y: u64,
    /// Absolute target of the offset (it wraps at 32 bits, as the offset does).
    pub target: u32,
}

impl Instruction {
    /// An instruction without operands.
    pub const fn plain(opcode: Opcode) -> Self {
        Self { opcode, d: Reg::RA, s1: Reg::RA, s2: Reg::RA, x: 0, y: 0, target: 0 }
    }

    /// The registers it reads and the register it writes, by the roles of its shape.
    ///
    /// `memset` and `ecalli`, whose registers are fixed by convention, name none.
    pub const fn registers(&self) -> Registers {
        let (d, s1, s2) = (Some(self.d), Some(self.s1), Some(self.s2));
        let (writes, reads) = match self.opcode.info().shape {
            Shape::None | Shape::Imm | Shape::Offset | Shape::ImmImm => (None, [None, None]),
            Shape::DestImm | Shape::DestImm64 | Shape::DestImmOffset => (d, [None, None]),
            Shape::SourceImm | Shape::SourceImmOffset | Shape::SourceImmImm => (None, [s1, None]),
            Shape::DestSource | Shape::DestSourceImm | Shape::DestSourceImmImm => (d, [s1, None]),
            Shape::SourceSourceImm | Shape::SourceSourceOffset => (None, [s1, s2]),
            Shape::DestSourceSource => (d, [s1, s2]),
        };
        Registers { writes, reads }
    }
}

/// The registers that an instruction names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Registers {
    /// The destination.
    pub writes: Option<Reg>,
    /// The sources.
    pub reads: [Option<Reg>; 2],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_have_as_many_instructions_as_their_definition_says() {
        let count = |set: InstructionSet| Opcode::ALL.iter().filter(|&&opcode| set.contains(opcode)).count();
        assert_eq!(count(InstructionSet::ReviveV1), 138);
        assert_eq!(count(InstructionSet::JamV1), 139);
        assert_eq!(count(InstructionSet::Latest64Bitmask), 141);
        assert_eq!(count(InstructionSet::GrayPaper07), 139);
        assert_eq!(count(InstructionSet::Latest32), 106);
        assert_eq!(count(InstructionSet::Latest64Extended), 141);
        let (one, two) = EXTENDED.split_at(255);
        let count = |part: &[Option<_>]| part.iter().flatten().count();
        assert_eq!((count(one), count(two)), (240, 61));
    }

    #[test]
    fn bytes_and_opcodes_are_inverse() {
        for set in InstructionSet::ALL.into_iter().filter(|set| set.has_bitmask()) {
            for byte in 0..=255 {
                if let Some(opcode) = set.opcode(byte) {
                    assert_eq!(set.byte(opcode), Some(byte), "{set} {byte}");
                }
            }
        }
    }

    #[test]
    fn controls_say_what_opcodes_say() {
        for set in InstructionSet::ALL {
            let Some(controls) = set.controls() else {
                assert!(!set.has_bitmask(), "{set}");
                continue;
            };
            for (byte, control) in (0..=255).zip(controls) {
                let opcode = set.opcode(byte);
                assert_eq!(control.is_valid(), opcode.is_some(), "{set} {byte}");
                assert_eq!(control.ends_block(), opcode.is_some_and(|opcode| opcode.info().ends_block));
                assert_eq!(control.can_fall_through(), opcode.is_some_and(Opcode::can_fall_through));
            }
        }
    }

    #[test]
    fn jam_has_its_bit_instructions_one_lower_and_unlikely_at_two() {
        assert_eq!(InstructionSet::JamV1.opcode(2), Some(Opcode::Unlikely));
        assert_eq!(InstructionSet::JamV1.opcode(3), None);
        assert_eq!(InstructionSet::JamV1.opcode(101), Some(Opcode::CountSetBits64));
        assert_eq!(InstructionSet::JamV1.opcode(110), Some(Opcode::ReverseByte));
        assert_eq!(InstructionSet::JamV1.opcode(111), None);
        assert_eq!(InstructionSet::ReviveV1.opcode(111), Some(Opcode::ReverseByte));
        assert_eq!(InstructionSet::GrayPaper07.opcode(2), None);
        assert_eq!(InstructionSet::GrayPaper07.opcode(101), Some(Opcode::Sbrk));
    }

    #[test]
    fn names_are_the_identifiers_in_snake_case() {
        for opcode in Opcode::ALL {
            let name = opcode.info().name;
            assert_eq!(name.replace('_', ""), format!("{opcode:?}").to_lowercase());
            assert_eq!(name, name.to_lowercase());
        }
    }
}
