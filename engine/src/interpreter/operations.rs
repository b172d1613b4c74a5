//! Code decoded for execution: fixed-size operations with resolved targets and the gas of their blocks.
//!
//! Code is cut at starts of basic blocks into regions of some kilobytes. The operations of a region are made when it is first
//! entered, by whichever instance comes first, and shared by all: a program that runs only a little of its code pays for
//! that little. Operations lie in the order of the code:
//!
//! ```text
//!   charge 3          the first operation of each block: its cost
//!   add_64 ..
//!   branch_eq .. -> 7 targets are indices of operations in the same region
//!   charge 1
//!   jump -> 9
//!   ...
//!   far_jump @1f40    how to go on into the next region
//!   far_jump @0204    one for each other place outside of the region that something in it jumps to
//! ```

use std::sync::OnceLock;

use super::super::isa::table::for_each_instruction;
use crate::config::Charge;
use crate::exit::TrapKind;
use crate::gas::{BlockCosts, GasModel};
use crate::isa::{Decoded, Instruction, Opcode};
use crate::program::Code;

/// Bytes of code in a region, at least; it goes on to the next start of a block.
const REGION: u32 = 4096;

/// What is not in [`Region::targets`].
const NOWHERE: u32 = u32::MAX;

macro_rules! define_operations {
    ($($id:ident $name:literal $shape:ident $ends:ident $gas:ident [$($bytes:tt)*] {$($extended:tt)*} $doc:literal;)+) => {
        /// What an operation does: an instruction, or one of a few things that are no instructions.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub(crate) enum Kind {
            $($id,)+
            /// The same with 32-bit registers.
            MulUpperSignedSigned32,
            /// The same with 32-bit registers.
            MulUpperUnsignedUnsigned32,
            /// The same with 32-bit registers.
            MulUpperSignedUnsigned32,
            /// The same with 32-bit registers.
            ReverseByte32,
            /// Enters a block: charges `x` gas or stops.
            Charge,
            /// Goes to the block at pc `x`, in another region.
            FarJump,
            /// Traps; `x` is the [`TrapKind`].
            Fail,
        }

        impl From<Opcode> for Kind {
            fn from(opcode: Opcode) -> Self {
                match opcode {
                    $(Opcode::$id => Self::$id,)+
                }
            }
        }
    };
}

for_each_instruction!(define_operations);

/// An operation. `a`, `b` and `c` are the numbers of the destination and the two source registers; `x` is the first
/// immediate (the low half of a 64-bit one), `y` the second immediate, the target (an index of an operation), or the high half.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation {
    pub(crate) kind: Kind,
    pub(crate) a: u8,
    pub(crate) b: u8,
    pub(crate) c: u8,
    pub(crate) x: u32,
    pub(crate) y: u32,
}

impl Operation {
    const fn plain(kind: Kind, x: u32) -> Self {
        Self { kind, a: 0, b: 0, c: 0, x, y: 0 }
    }

    const fn fail(kind: TrapKind) -> Self {
        Self::plain(Kind::Fail, kind as u32)
    }
}

/// A place in the operations of a module.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Position {
    pub(crate) region: u32,
    pub(crate) operation: u32,
}

/// The operations of a module.
#[derive(Debug)]
pub(crate) struct Regions {
    gas: GasModel,
    charge: Charge,
    /// Where the regions start, in order. The first is 0.
    starts: Box<[u32]>,
    regions: Box<[OnceLock<Region>]>,
}

/// The operations of a region.
#[derive(Debug)]
pub(crate) struct Region {
    pub(crate) operations: Box<[Operation]>,
    /// For each operation the pc of its instruction.
    pub(crate) pcs: Box<[u32]>,
    start: u32,
    /// For each byte of its code the operation with which a jump there goes on, or [`NOWHERE`].
    targets: Box<[u32]>,
    /// The operations that begin blocks, whether jumps may go there or not, in order.
    begins: Box<[u32]>,
}

impl Region {
    /// The operation that enters the block at `pc`, if it is a start of a block in this region.
    #[inline]
    pub(crate) fn block(&self, pc: u32) -> Option<u32> {
        let offset = pc.checked_sub(self.start)? as usize;
        self.targets.get(offset).copied().filter(|&target| target != NOWHERE)
    }

    /// Whether the operation belongs to the same instruction as the one before it.
    pub(crate) fn is_part(&self, operation: u32) -> bool {
        let at = operation as usize;
        at > 0 && self.pcs[at - 1] == self.pcs[at] && self.operations[at - 1].kind == Kind::LoadImm
    }

    /// The operation with which the host enters at the instruction start `pc`, and the gas to be charged for the block then,
    /// if the operation does not charge itself. `None` where the block cannot be entered.
    fn entry(&self, code: &Code, pc: u32) -> Option<(u32, u32)> {
        let at = self.pcs.partition_point(|&other| other < pc);
        let begin = self.begins.partition_point(|&begin| begin as usize <= at).checked_sub(1)?;
        let begin = self.begins[begin] as usize;
        if !code.is_reachable(self.pcs[begin]) {
            return None;
        }
        let charges_itself = self.operations.get(at)?.kind == Kind::Charge;
        Some((at as u32, if charges_itself { 0 } else { self.operations[begin].x }))
    }
}

impl Regions {
    /// Finds where regions start. `blocks` are the starts of blocks, a bit for each byte of code. Linear, and nothing is
    /// decoded yet.
    pub(crate) fn new(gas: GasModel, charge: Charge, code: &Code, blocks: &[u64]) -> Self {
        let mut starts = vec![0];
        let mut from = REGION;
        while let Some(start) = next_bit(blocks, from).filter(|&start| start < code.length()) {
            starts.push(start);
            from = start + REGION;
        }
        let regions = starts.iter().map(|_| OnceLock::new()).collect();
        Self { gas, charge, starts: starts.into(), regions }
    }

    /// The number of the region that `pc` lies in.
    #[inline]
    fn number(&self, pc: u32) -> usize {
        if self.starts.len() == 1 { 0 } else { self.starts.partition_point(|&start| start <= pc) - 1 }
    }

    /// The operations of a region, made now if nobody has before.
    #[inline]
    pub(crate) fn region(&self, code: &Code, blocks: &[u64], number: u32) -> &Region {
        let number = number as usize;
        self.regions[number].get_or_init(|| self.make(code, blocks, number))
    }

    /// Where to go on to enter the block at `pc`, which is a start of a block.
    pub(crate) fn block(&self, code: &Code, blocks: &[u64], pc: u32) -> Option<Position> {
        let region = self.number(pc) as u32;
        self.region(code, blocks, region).block(pc).map(|operation| Position { region, operation })
    }

    /// Where to go on when the host enters at `pc`, perhaps in the middle of a block, and the gas to be charged for the block
    /// before, if that is not done there. `None` if no instruction starts there, or its block is behind a gap.
    pub(crate) fn entry(&self, code: &Code, blocks: &[u64], pc: u32) -> Option<(Position, u32)> {
        if !code.is_start(pc) {
            return None;
        }
        let region = self.number(pc) as u32;
        let (operation, cost) = self.region(code, blocks, region).entry(code, pc)?;
        Some((Position { region, operation }, cost))
    }

    /// The pc of a position, and whether the block that starts there is still to be paid for.
    pub(crate) fn place(&self, code: &Code, blocks: &[u64], position: Position) -> (u32, bool) {
        let region = self.region(code, blocks, position.region);
        let at = position.operation as usize;
        (region.pcs[at], region.operations[at].kind == Kind::Charge)
    }

    /// The opposite of `place`.
    pub(crate) fn position(
        &self,
        code: &Code,
        blocks: &[u64],
        (pc, unpaid): (u32, bool),
    ) -> Option<Position> {
        let number = self.number(pc) as u32;
        let region = self.region(code, blocks, number);
        let first = region.pcs.partition_point(|&other| other < pc);
        let charges = region.operations.get(first)?.kind == Kind::Charge;
        let operation = first + usize::from(charges && !unpaid);
        (region.pcs.get(operation) == Some(&pc))
            .then_some(Position { region: number, operation: operation as u32 })
    }

    /// Where an instance goes on that stopped before the instruction at `pc`, of whose block the rest is paid or which begins a
    /// block that is not. `None` if none ever does.
    pub(crate) fn stop_at(&self, code: &Code, blocks: &[u64], pc: u32, charged: bool) -> Option<Position> {
        let number = self.number(pc) as u32;
        let region = self.region(code, blocks, number);
        let first = region.pcs.partition_point(|&other| other < pc);
        let charges = region.operations.get(first)?.kind == Kind::Charge;
        let begin = region.begins.partition_point(|&begin| begin as usize <= first).checked_sub(1)?;
        if !code.is_reachable(region.pcs[region.begins[begin] as usize]) || (!charged && !charges) {
            return None;
        }
        let operation = first + usize::from(charges && charged);
        let is_place =
            region.pcs.get(operation) == Some(&pc) && region.operations[operation].kind != Kind::FarJump;
        is_place.then_some(Position { region: number, operation: operation as u32 })
    }

    /// As `stop_at`, behind the system call at `pc`, with its number.
    pub(crate) fn behind_syscall(&self, code: &Code, blocks: &[u64], pc: u32) -> Option<(Position, u32)> {
        let Position { region: number, operation } = self.stop_at(code, blocks, pc, true)?;
        let call = self.region(code, blocks, number).operations[operation as usize];
        // Something follows: a system call ends no region.
        let next = Position { region: number, operation: operation + 1 };
        (call.kind == Kind::Ecalli).then_some((next, call.x))
    }

    /// Bytes of host memory that the operations made so far take.
    pub(crate) fn resident_bytes(&self) -> usize {
        let made = self.regions.iter().filter_map(OnceLock::get);
        let each = |r: &Region| {
            r.operations.len() * (size_of::<Operation>() + 4) + (r.targets.len() + r.begins.len()) * 4
        };
        made.map(each).sum::<usize>() + self.starts.len() * size_of::<OnceLock<Region>>()
    }

    /// As `resident_bytes` at most, when all regions are made.
    pub(crate) fn most_resident_bytes(&self, code: &Code) -> usize {
        let regions = self.starts.len();
        // Each region charges for its first instruction and goes on to the next region.
        let (mut operations, mut begins) = (2 * regions, regions);
        let mut next = code.next_start(0);
        while let Some(pc) = next {
            next = code.next_start(pc + 1);
            operations += match self.charge {
                Charge::Block => 1,
                Charge::Instruction => 2,
            };
            let decoded = code.decode_at(pc);
            if decoded.instruction.is_none_or(|instruction| instruction.opcode.info().ends_block) {
                // A second half, or a way out of the region; and what follows is charged for.
                operations += 2;
                begins += 1;
            }
            if !decoded.next_is_start {
                // The gap that it runs into is charged for and fails; and what follows is charged for.
                operations += 3;
                begins += 2;
            }
        }
        operations * (size_of::<Operation>() + 4)
            + (code.length() as usize + begins) * 4
            + regions * size_of::<OnceLock<Region>>()
    }

    fn make(&self, code: &Code, blocks: &[u64], number: usize) -> Region {
        let start = self.starts[number];
        let end = self.starts.get(number + 1).copied().unwrap_or(code.length());
        let mut maker = Maker {
            code,
            blocks,
            end,
            charge: self.charge,
            costs: BlockCosts::new(code.instruction_set(), self.gas),
            region: Region {
                operations: Box::default(),
                pcs: Box::default(),
                start,
                targets: vec![NOWHERE; (end - start) as usize].into(),
                begins: Box::default(),
            },
            operations: Vec::new(),
            pcs: Vec::new(),
            begins: Vec::new(),
            at_block_start: true,
        };
        maker.run();
        maker.region
    }
}

/// The first set bit at or behind `from`.
fn next_bit(words: &[u64], from: u32) -> Option<u32> {
    let first = from as usize / 64;
    let masked = words.get(first)? & (u64::MAX << (from % 64));
    let rest = words.iter().copied().enumerate().skip(first + 1);
    core::iter::once((first, masked))
        .chain(rest)
        .find(|&(_, word)| word != 0)
        .map(|(index, word)| index as u32 * 64 + word.trailing_zeros())
}

#[inline]
pub(crate) fn bit(words: &[u64], at: u32) -> bool {
    words.get(at as usize / 64).is_some_and(|word| word >> (at % 64) & 1 != 0)
}

/// Makes a region.
struct Maker<'a> {
    code: &'a Code,
    blocks: &'a [u64],
    end: u32,
    charge: Charge,
    costs: BlockCosts,
    region: Region,
    operations: Vec<Operation>,
    pcs: Vec<u32>,
    begins: Vec<u32>,
    at_block_start: bool,
}

impl Maker<'_> {
    fn run(&mut self) {
        let mut next = self.code.next_start(self.region.start);
        while let Some(pc) = next.filter(|&pc| pc < self.end) {
            let decoded = self.code.decode_at(pc);
            self.enter(pc);
            match &decoded.instruction {
                Some(instruction) => self.instruction(instruction, &decoded),
                None => {
                    self.push(pc, Operation::fail(TrapKind::InvalidInstruction));
                    self.at_block_start = true;
                }
            }
            next = if decoded.next_is_start {
                Some(decoded.next_pc)
            } else {
                self.code.next_start(decoded.next_pc)
            };
        }
        // Falling through to the next region; nothing falls through the end of the code, there is a trap there.
        self.push(self.end, Operation::plain(Kind::FarJump, self.end));
        self.resolve_targets();
        self.region.operations = core::mem::take(&mut self.operations).into();
        self.region.pcs = core::mem::take(&mut self.pcs).into();
        self.region.begins = core::mem::take(&mut self.begins).into();
    }

    fn push(&mut self, pc: u32, operation: Operation) {
        self.operations.push(operation);
        self.pcs.push(pc);
    }

    /// At the start of a block, or of each instruction, the operation that charges for it.
    fn enter(&mut self, pc: u32) {
        let at_block_start = core::mem::take(&mut self.at_block_start);
        let operation = self.operations.len() as u32;
        if at_block_start {
            self.begins.push(operation);
        }
        if at_block_start && bit(self.blocks, pc) {
            self.region.targets[(pc - self.region.start) as usize] = operation;
        }
        let cost = match self.charge {
            Charge::Block if at_block_start => self.costs.cost_from(self.code, pc),
            Charge::Block => return,
            Charge::Instruction => 1,
        };
        self.push(pc, Operation::plain(Kind::Charge, cost));
    }

    fn instruction(&mut self, i: &Instruction, decoded: &Decoded) {
        let pc = decoded.pc;
        let opcode = i.opcode;
        let mut operation = Operation {
            kind: opcode.into(),
            a: i.d as u8,
            b: i.s1 as u8,
            c: i.s2 as u8,
            x: i.x as u32,
            y: i.y as u32,
        };
        if !self.code.instruction_set().is_64_bit() {
            operation.kind = with_32_bit_registers(operation.kind);
        }
        if opcode == Opcode::LoadImm64 {
            operation.y = (i.x >> 32) as u32;
        }
        if !opcode.info().ends_block {
            self.push(pc, operation);
            if !decoded.next_is_start {
                // The trap belongs to the block: it is paid for with it.
                if self.charge == Charge::Instruction {
                    self.enter(decoded.next_pc);
                }
                self.push(decoded.next_pc, Operation::fail(self.kind_of_gap(decoded.next_pc)));
                self.at_block_start = true;
            }
            return;
        }

        self.at_block_start = true;
        let jumps = !matches!(
            opcode,
            Opcode::Trap | Opcode::Fallthrough | Opcode::JumpIndirect | Opcode::LoadImmAndJumpIndirect
        );
        if jumps {
            let conditional = opcode.can_fall_through();
            let valid = bit(self.blocks, i.target) && (!conditional || bit(self.blocks, decoded.next_pc));
            if !valid {
                if opcode == Opcode::LoadImmAndJump {
                    self.push(pc, Operation { kind: Kind::LoadImm, ..operation });
                }
                return self.push(pc, Operation::fail(TrapKind::InvalidJump));
            }
            operation.y = i.target;
        }
        self.push(pc, operation);
        if opcode == Opcode::Fallthrough && !decoded.next_is_start {
            if decoded.next_pc == self.code.length() {
                self.push(pc, Operation::fail(TrapKind::CodeEnd));
            } else {
                self.enter(decoded.next_pc);
                self.push(decoded.next_pc, Operation::fail(self.kind_of_gap(decoded.next_pc)));
                self.at_block_start = true;
            }
        }
    }

    fn kind_of_gap(&self, pc: u32) -> TrapKind {
        if pc >= self.code.length() { TrapKind::CodeEnd } else { TrapKind::InvalidInstruction }
    }

    /// Turns targets from pcs to indices of operations, with an operation more for each target outside of the region.
    fn resolve_targets(&mut self) {
        let Self { region, operations, .. } = self;
        let is_far =
            |operation: &&Operation| has_target(operation.kind) && region.block(operation.y).is_none();
        let mut far: Vec<u32> = operations.iter().filter(is_far).map(|operation| operation.y).collect();
        far.sort_unstable();
        far.dedup();
        let stubs = operations.len();
        for operation in operations.iter_mut().filter(|operation| has_target(operation.kind)) {
            let stub = || (stubs + far.partition_point(|&pc| pc < operation.y)) as u32;
            operation.y = region.block(operation.y).unwrap_or_else(stub);
        }
        for pc in far {
            self.push(self.end, Operation::plain(Kind::FarJump, pc));
        }
    }
}

/// Registers of 32 bits are kept sign-extended, so nearly all operations are the same on them.
fn with_32_bit_registers(kind: Kind) -> Kind {
    match kind {
        Kind::MulUpperSignedSigned => Kind::MulUpperSignedSigned32,
        Kind::MulUpperUnsignedUnsigned => Kind::MulUpperUnsignedUnsigned32,
        Kind::MulUpperSignedUnsigned => Kind::MulUpperSignedUnsigned32,
        Kind::ReverseByte => Kind::ReverseByte32,
        same => same,
    }
}

/// Whether `y` is a target.
fn has_target(kind: Kind) -> bool {
    macro_rules! targets {
        ($($id:ident $name:literal $shape:ident $ends:ident $gas:ident [$($bytes:tt)*] {$($extended:tt)*} $doc:literal;)+) => {
            match kind {
                $(Kind::$id => matches!(
                    crate::isa::Shape::$shape,
                    crate::isa::Shape::Offset
                        | crate::isa::Shape::DestImmOffset
                        | crate::isa::Shape::SourceImmOffset
                        | crate::isa::Shape::SourceSourceOffset
                ),)+
                Kind::MulUpperSignedSigned32
                | Kind::MulUpperUnsignedUnsigned32
                | Kind::MulUpperSignedUnsigned32
                | Kind::ReverseByte32
                | Kind::Charge
                | Kind::FarJump
                | Kind::Fail => false,
            }
        };
    }
    for_each_instruction!(targets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::InstructionSet;

    #[test]
    fn operations_are_twelve_bytes() {
        assert_eq!(size_of::<Operation>(), 12);
    }

    #[test]
    fn bits() {
        let words = [1 << 63, 0, 1 | 1 << 5];
        assert_eq!(next_bit(&words, 0), Some(63));
        assert_eq!(next_bit(&words, 63), Some(63));
        assert_eq!(next_bit(&words, 64), Some(128));
        assert_eq!(next_bit(&words, 129), Some(133));
        assert_eq!(next_bit(&words, 134), None);
        assert_eq!(next_bit(&words, 1000), None);
        assert!(bit(&words, 133));
        assert!(!bit(&words, 132));
        assert!(!bit(&words, u32::MAX));
    }

    /// Jumps with gaps between them, so that no block starts anywhere near, to as many places at the end, the last first.
    fn code_with_many_far_jumps(jumps: u32) -> Code {
        const STRIDE: u32 = 26;
        let traps = jumps * STRIDE;
        let mut code = vec![0; (traps + jumps + 1) as usize];
        let mut bitmask = vec![0u8; code.len().div_ceil(8)];
        let mut start = |pc: u32| bitmask[pc as usize / 8] |= 1 << (pc % 8);
        for n in 0..jumps {
            let pc = n * STRIDE;
            let offset = traps + jumps - n - pc;
            code[pc as usize] = InstructionSet::JamV1.byte(Opcode::Jump).unwrap();
            code[pc as usize + 1..pc as usize + 5].copy_from_slice(&offset.to_le_bytes());
            start(pc);
        }
        (traps..traps + jumps + 1).for_each(start);
        Code::new(InstructionSet::JamV1, &code, &bitmask, &[], 0).unwrap()
    }

    #[test]
    #[cfg_attr(miri, ignore = "millions of instructions are too many for it")]
    fn a_region_with_many_far_jumps_is_made_at_once() {
        let code = code_with_many_far_jumps(300_000);
        let blocks = code.block_starts();
        let regions = Regions::new(GasModel::Flat, Charge::Block, &code, &blocks);
        // In time that grows with their square this would take minutes.
        let region = regions.region(&code, &blocks, 0);
        let far = |operation: &&Operation| operation.kind == Kind::FarJump;
        assert_eq!(region.operations.iter().filter(far).count(), 300_001);
        for n in [0, 1, 299_999] {
            let jump = region.operations[2 * n + 1];
            let target = code.decode_at(26 * n as u32).instruction.unwrap().target;
            assert_eq!((jump.kind, region.operations[jump.y as usize].x), (Kind::Jump, target));
        }
    }

    /// Packs instructions of these bytes, a trap last.
    fn packed(instructions: impl Iterator<Item = Vec<u8>>) -> Code {
        let (mut code, mut starts) = (Vec::new(), Vec::new());
        for bytes in instructions.chain([vec![0]]) {
            starts.push(code.len());
            code.extend(bytes);
        }
        let mut bitmask = vec![0u8; code.len().div_ceil(8)];
        starts.into_iter().for_each(|start| bitmask[start / 8] |= 1 << (start % 8));
        Code::new(InstructionSet::ReviveV1, &code, &bitmask, &[], 0).unwrap()
    }

    #[test]
    #[cfg_attr(miri, ignore = "millions of instructions are too many for it")]
    fn no_program_takes_more_memory_than_said() {
        let jump_to_distinct_far_blocks = (0..20_000u32).map(|n| {
            let offset = (20_000 - n) * 5 + n;
            [&[40], &offset.to_le_bytes()[..]].concat()
        });
        let programs = [
            ("far jumps", packed(jump_to_distinct_far_blocks.chain((0..20_000).map(|_| vec![0])))),
            ("far jumps from gaps", code_with_many_far_jumps(1000)),
            ("invalid jumps", packed((0..20_000).map(|_| vec![80, 0x00, 1, 0]))),
            ("fallthroughs into gaps", packed((0..2000).map(|_| [&[1][..], &[0; 25]].concat()))),
            ("calls into gaps", packed((0..2000).map(|_| [&[10][..], &[0; 25]].concat()))),
            ("nothing valid", packed((0..20_000).map(|_| vec![2]))),
            ("one block", packed((0..20_000).map(|_| vec![10]))),
            ("one trap", packed([].into_iter())),
        ];
        for (name, code) in programs {
            for charge in [Charge::Block, Charge::Instruction] {
                let blocks = code.block_starts();
                let regions = Regions::new(GasModel::Flat, charge, &code, &blocks);
                for number in 0..regions.starts.len() {
                    regions.region(&code, &blocks, number as u32);
                }
                let (taken, most) = (regions.resident_bytes(), regions.most_resident_bytes(&code));
                assert!(taken <= most && most <= 2 * taken + 100, "{name} {charge:?}: {taken} of {most}");
            }
        }
    }

    #[test]
    fn where_the_host_can_enter() {
        const LOAD_IMM: u8 = 51;
        let entries = |bytes: &[u8], starts: &[u32], charge| {
            let mut bitmask = vec![0u8; bytes.len().div_ceil(8)];
            starts.iter().for_each(|start| bitmask[*start as usize / 8] |= 1 << (start % 8));
            let code = Code::new(InstructionSet::ReviveV1, bytes, &bitmask, &[], 0).unwrap();
            let blocks = code.block_starts();
            let regions = Regions::new(GasModel::Flat, charge, &code, &blocks);
            let entry = |pc| regions.entry(&code, &blocks, pc);
            (0..code.length() + 1)
                .filter_map(|pc| entry(pc).map(|(position, cost)| (pc, position.operation, cost)))
                .collect::<Vec<_>>()
        };
        let long_block = [LOAD_IMM; 10];
        let after_the_charge = [(0, 0, 0), (2, 2, 4), (5, 3, 4)];
        assert_eq!(entries(&long_block, &[0, 2, 5], Charge::Block), after_the_charge, "the end traps: four");
        let each_charges = [(0, 0, 0), (2, 2, 0), (5, 4, 0)];
        assert_eq!(entries(&long_block, &[0, 2, 5], Charge::Instruction), each_charges);
        let invalid = [(0, 0, 0), (2, 2, 0), (5, 4, 0)];
        assert_eq!(entries(&[255; 10], &[0, 2, 5], Charge::Block), invalid, "an invalid one ends a block");
        for charge in [Charge::Block, Charge::Instruction] {
            let gap = entries(&[LOAD_IMM; 60], &[0, 26, 30], charge);
            assert_eq!(gap, [(0, 0, 0)], "not behind a gap, not even later in the block there");
        }
    }
}
