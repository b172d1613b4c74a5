//! The operations of a module: fixed-size operations with resolved targets and the gas of their blocks.
//!
//! Code is cut into regions of some kilobytes, where a block ends: only a block that is longer makes a longer region. The operations
//! of a region are made when it is first entered, by whichever instance comes first, and shared by all: a program that runs only a
//! little of its code pays for that little. Operations lie in the order of the code:
//!
//! ```text
//!   charge 3          the first operation of each block: its cost
//!   add_64 ..
//!   branch_eq .. +3   targets are distances to operations of the same region
//!   charge 1
//!   jump +7
//!   ...
//!   stub              what leads into the next region looks like a block
//!   far_jump @1f40
//!   stub              and so does what leads to each other place outside of the region
//!   far_jump @0204
//! ```

use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, Ordering};

use super::make::make;
use super::operations::{Kind, Operation, Operations, Position};
use super::threaded::{DIRECT_THREADING, Table};
use crate::config::Charge;
use crate::gas::GasModel;
use crate::isa::Opcode;
use crate::program::Code;

/// Bytes of code in a region, at least; it goes on to the next start of a block that jumps can enter, if that is not too far.
const REGION: u32 = 4096;

/// How far is too far: then it ends with the next block, behind which nothing is entered but by the host.
const TOO_FAR: u32 = 4096;

/// The operations of a module.
#[derive(Debug)]
pub(crate) struct Regions {
    gas: GasModel,
    charge: Charge,
    /// Where the regions start, in order. The first is 0. There are fewer than 2^16, since code is limited.
    starts: Box<[u32]>,
    regions: Box<[OnceLock<Region>]>,
    links: Links,
    /// Whether handlers are threaded.
    threaded: bool,
}

/// The operations of a region.
#[derive(Debug)]
pub(super) struct Region {
    pub(super) operations: Operations,
    /// For each operation the pc of its instruction.
    pub(super) pcs: Box<[u32]>,
    /// The operations that begin blocks, whether jumps may go there or not, in order.
    pub(super) begins: Box<[u32]>,
}

/// What handlers share: the handlers, and where jumps lead to that cannot be resolved when operations are made.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Links {
    pub(super) table: Table,
    numbers: BlockNumbers,
    /// For each block that jumps can enter, in the order of the code, its first operation; null: it has not been made.
    pub(super) blocks: Box<[Link]>,
    /// For each entry of the jump table the first operation of the block it leads to; null: it has not been used, or does not
    /// lead to a block.
    pub(super) jumps: Box<[Link]>,
}

/// A pointer to an operation, or null.
#[derive(Debug)]
#[repr(transparent)]
pub(super) struct Link(AtomicPtr<Operation>);

impl Link {
    #[inline(always)]
    pub(super) fn target(&self) -> Option<Position> {
        // Acquire: whoever finds a pointer finds the operations, too, that were made before.
        Position::from_pointer(self.0.load(Ordering::Acquire))
    }

    pub(super) fn lead_to(&self, position: Position) {
        self.0.store(position.pointer(), Ordering::Release);
    }

    /// Links that lead nowhere. The system makes them when they are first used.
    fn none(count: usize) -> Box<[Self]> {
        // SAFETY: null pointers are zero.
        unsafe { Box::new_zeroed_slice(count).assume_init() }
    }
}

impl Links {
    /// Counts the blocks, which is linear in the length of the code, and quick.
    fn new(code: &Code, blocks: &[u64]) -> Self {
        let numbers = BlockNumbers::new(blocks);
        let jumps = Link::none(code.jump_table_length() as usize);
        Self { table: Table::new(), blocks: Link::none(numbers.count() as usize), numbers, jumps }
    }

    /// The number of the block that starts at `pc`, which must be a start of a block.
    pub(super) fn number(&self, blocks: &[u64], pc: u32) -> u32 {
        self.numbers.of(blocks, pc)
    }

    /// Where an indirect jump to `address` leads if somebody has jumped there before: addresses of code are even and count jump
    /// table entries from two. All others, rotated, exceed the table.
    #[inline(always)]
    pub(super) fn indirect(&self, address: u32) -> Option<Position> {
        self.jumps.get(address.wrapping_sub(2).rotate_right(1) as usize)?.target()
    }

    /// Of no program.
    #[cfg(test)]
    pub(super) fn none_at_all() -> Self {
        let [blocks, jumps] = [(); 2].map(|()| Link::none(0));
        Self { table: Table::new(), numbers: BlockNumbers::new(&[]), blocks, jumps }
    }

    fn resident_bytes(&self) -> usize {
        self.numbers.resident_bytes() + (self.blocks.len() + self.jumps.len()) * size_of::<Link>()
    }
}

impl Region {
    /// Whether the operation belongs to the same instruction as the one before it.
    fn is_part(&self, operation: u32) -> bool {
        let at = operation as usize;
        at > 0 && self.pcs[at - 1] == self.pcs[at] && self.operations[at - 1].kind.alone() == Kind::LoadImm
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
    /// decoded yet. Handlers are threaded if that is possible and wanted.
    pub(crate) fn new(gas: GasModel, charge: Charge, threaded: bool, code: &Code, blocks: &[u64]) -> Self {
        let mut starts = vec![0];
        let (mut from, mut block) = (REGION, 0);
        while from < code.length() {
            if block < from {
                block = next_bit(blocks, from).unwrap_or(code.length()).min(code.length());
            }
            let start = if block - from > TOO_FAR { code.end_of_block(from..block) } else { block };
            if start < code.length() {
                starts.push(start);
            }
            from = start.saturating_add(REGION);
        }
        let regions = starts.iter().map(|_| OnceLock::new()).collect();
        let links = Links::new(code, blocks);
        let threaded = threaded && DIRECT_THREADING;
        Self { gas, charge, starts: starts.into(), regions, links, threaded }
    }

    #[inline(always)]
    pub(super) const fn links(&self) -> &Links {
        &self.links
    }

    /// Whether handlers are threaded.
    #[inline(always)]
    pub(super) const fn threaded(&self) -> bool {
        self.threaded
    }

    /// The number of the region that `pc` lies in.
    #[inline]
    fn number(&self, pc: u32) -> usize {
        if self.starts.len() == 1 { 0 } else { self.starts.partition_point(|&start| start <= pc) - 1 }
    }

    /// The operations of a region, made now if nobody has before.
    fn region(&self, code: &Code, blocks: &[u64], number: usize) -> &Region {
        self.regions[number].get_or_init(|| {
            let start = self.starts[number];
            let end = self.starts.get(number + 1).copied().unwrap_or(code.length());
            make(code, blocks, &self.links, number as u16, start..end, self.charge, self.gas)
        })
    }

    /// The region that a position lies in, and the number that the operation has there.
    fn around(&self, code: &Code, blocks: &[u64], position: Position) -> (&Region, u32) {
        let region = self.region(code, blocks, position.region.into());
        (region, region.operations.number(position))
    }

    /// The pc of a position.
    pub(super) fn pc(&self, code: &Code, blocks: &[u64], position: Position) -> u32 {
        let (region, number) = self.around(code, blocks, position);
        region.pcs[number as usize]
    }

    /// Whether the operation belongs to the same instruction as the one before it.
    pub(super) fn is_part(&self, code: &Code, blocks: &[u64], position: Position) -> bool {
        let (region, number) = self.around(code, blocks, position);
        region.is_part(number)
    }

    /// Where to go on to enter the block at `pc`; `None` if none starts there.
    pub(super) fn block(&self, code: &Code, blocks: &[u64], pc: u32) -> Option<Position> {
        if !bit(blocks, pc) {
            return None;
        }
        let link = self.links.blocks.get(self.links.number(blocks, pc) as usize)?;
        link.target().or_else(|| {
            self.region(code, blocks, self.number(pc));
            link.target()
        })
    }

    /// Where to go on when the host enters at `pc`, perhaps in the middle of a block, and the gas to be charged for the block
    /// before, if that is not done there. `None` if no instruction starts there, or its block is behind a gap.
    pub(crate) fn entry(&self, code: &Code, blocks: &[u64], pc: u32) -> Option<(Position, u32)> {
        if !code.is_start(pc) {
            return None;
        }
        let region = self.region(code, blocks, self.number(pc));
        let (operation, cost) = region.entry(code, pc)?;
        Some((region.operations.position(operation)?, cost))
    }

    /// The pc of a position, and whether the block that starts there is still to be paid for.
    pub(crate) fn place(&self, code: &Code, blocks: &[u64], position: Position) -> (u32, bool) {
        (self.pc(code, blocks, position), position.kind == Kind::Charge)
    }

    /// The opposite of `place`.
    pub(crate) fn position(
        &self,
        code: &Code,
        blocks: &[u64],
        (pc, unpaid): (u32, bool),
    ) -> Option<Position> {
        let region = self.region(code, blocks, self.number(pc));
        let first = region.pcs.partition_point(|&other| other < pc);
        let charges = region.operations.get(first)?.kind == Kind::Charge;
        let operation = first + usize::from(charges && !unpaid);
        if region.pcs.get(operation) != Some(&pc) {
            return None;
        }
        region.operations.position(operation as u32)
    }

    /// Where an instance goes on that stopped before the instruction at `pc`, of whose block the rest is paid or which begins a
    /// block that is not. `None` if none ever does.
    pub(crate) fn stop_at(&self, code: &Code, blocks: &[u64], pc: u32, charged: bool) -> Option<Position> {
        let region = self.region(code, blocks, self.number(pc));
        let first = region.pcs.partition_point(|&other| other < pc);
        let charges = region.operations.get(first)?.kind == Kind::Charge;
        let begin = region.begins.partition_point(|&begin| begin as usize <= first).checked_sub(1)?;
        if !code.is_reachable(region.pcs[region.begins[begin] as usize]) || (!charged && !charges) {
            return None;
        }
        let operation = first + usize::from(charges && charged);
        let is_place = region.pcs.get(operation) == Some(&pc)
            && !matches!(region.operations[operation].kind, Kind::Stub | Kind::FarJump);
        if is_place { region.operations.position(operation as u32) } else { None }
    }

    /// As `stop_at`, behind the system call at `pc`, with its number.
    pub(crate) fn behind_syscall(&self, code: &Code, blocks: &[u64], pc: u32) -> Option<(Position, u32)> {
        let call = self.stop_at(code, blocks, pc, true)?;
        // Something follows: a system call ends no region.
        (call.kind == Kind::Ecalli).then(|| (call.next(), call.x))
    }

    /// The kinds of all operations made so far.
    #[cfg(test)]
    pub(super) fn kinds(&self) -> Vec<Kind> {
        let made = self.regions.iter().filter_map(OnceLock::get);
        made.flat_map(|region| region.operations.iter().map(|operation| operation.kind)).collect()
    }

    /// Bytes of host memory that the operations made so far take.
    pub(crate) fn resident_bytes(&self) -> usize {
        let made = self.regions.iter().filter_map(OnceLock::get);
        let each = |r: &Region| r.operations.len() * (size_of::<Operation>() + 4) + r.begins.len() * 4;
        made.map(each).sum::<usize>() + self.fixed_bytes()
    }

    fn fixed_bytes(&self) -> usize {
        self.starts.len() * (4 + size_of::<OnceLock<Region>>()) + self.links.resident_bytes()
    }

    /// As `resident_bytes` at most, when all regions are made.
    pub(crate) fn most_resident_bytes(&self, code: &Code) -> usize {
        let regions = self.starts.len();
        // Each region charges for its first instruction and goes on to the next region.
        let (mut operations, mut begins) = (3 * regions, regions);
        let mut next = code.next_start(0);
        while let Some(pc) = next {
            next = code.next_start(pc + 1);
            operations += match self.charge {
                Charge::Block => 1,
                Charge::Instruction => 2,
            };
            let decoded = code.decode_at(pc);
            let opcode = decoded.instruction.map(|instruction| instruction.opcode);
            if opcode.is_none_or(|opcode| opcode.info().ends_block) {
                // A second half, or a way out of the region; and what follows is charged for.
                operations += if opcode.is_some() { 3 } else { 1 };
                begins += 1;
            }
            if !decoded.next_is_start && opcode.is_some_and(Opcode::can_fall_through) {
                // The gap that it runs into is charged for and fails; and what follows is charged for.
                operations += 3;
                begins += 2;
            }
        }
        operations * (size_of::<Operation>() + 4) + begins * 4 + self.fixed_bytes()
    }
}

/// The numbers of the blocks that jumps can enter, in the order of the code.
#[derive(Debug)]
pub(crate) struct BlockNumbers {
    /// How many blocks there are in front of each 64 bytes of code.
    before: Box<[u32]>,
    count: u32,
}

impl BlockNumbers {
    /// `blocks` are the starts of blocks, a bit for each byte of code.
    pub(crate) fn new(blocks: &[u64]) -> Self {
        let mut count = 0;
        let before = blocks.iter().map(|word| {
            let before = count;
            count += word.count_ones();
            before
        });
        Self { before: before.collect(), count }
    }

    /// How many there are.
    pub(crate) const fn count(&self) -> u32 {
        self.count
    }

    /// The number of the block that starts at `pc`, which must be a start of a block.
    #[inline]
    pub(crate) fn of(&self, blocks: &[u64], pc: u32) -> u32 {
        let word = pc as usize / 64;
        self.before[word] + (blocks[word] & ((1 << (pc % 64)) - 1)).count_ones()
    }

    fn resident_bytes(&self) -> usize {
        self.before.len() * 4
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::InstructionSet;

    #[test]
    fn blocks_are_numbered_in_the_order_of_the_code() {
        let words = [1 | 1 << 63, 0, 1 << 5, u64::MAX];
        let numbers = BlockNumbers::new(&words);
        let starts: Vec<u32> = (0..256).filter(|&pc| bit(&words, pc)).collect();
        assert_eq!(numbers.count() as usize, starts.len());
        for (number, &pc) in (0..).zip(&starts) {
            assert_eq!(numbers.of(&words, pc), number, "{pc}");
        }
        assert_eq!(BlockNumbers::new(&[]).count(), 0);
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

    fn regions(charge: Charge, code: &Code, blocks: &[u64]) -> Regions {
        Regions::new(GasModel::Flat, charge, true, code, blocks)
    }

    #[test]
    fn a_region_ends_where_nothing_runs_on() {
        // Jumps with gaps behind them, and instructions that are none: no block starts anywhere that jumps could enter.
        let jumps = code_with_many_far_jumps(20_000);
        let nothing_valid = packed((0..100_000).map(|_| vec![255]));
        for (name, code) in [("jumps", jumps), ("nothing valid", nothing_valid)] {
            let blocks = code.block_starts();
            let regions = regions(Charge::Block, &code, &blocks);
            let ends = regions.starts.iter().skip(1).copied().chain([code.length()]);
            for (&start, end) in regions.starts.iter().zip(ends) {
                assert!(end - start <= 2 * REGION + TOO_FAR, "{name}: {start}..{end}");
            }
            let mut pcs = core::iter::successors(code.next_start(0), |pc| code.next_start(pc + 1));
            let made = |regions: &Regions| regions.regions.iter().filter_map(OnceLock::get).count();
            assert_eq!(made(&regions), 0, "{name}");
            assert!(regions.entry(&code, &blocks, 0).is_some(), "{name}");
            assert_eq!(made(&regions), 1, "{name}");
            assert!(
                pcs.all(|pc| {
                    let entry = regions.entry(&code, &blocks, pc);
                    entry.is_some_and(|(position, cost)| {
                        cost == 0 && regions.place(&code, &blocks, position) == (pc, true)
                    }) == code.is_reachable(pc)
                }),
                "{name}"
            );
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "millions of instructions are too many for it")]
    fn a_long_block_is_one_region() {
        let code = packed((0..100_000).map(|_| vec![51]));
        let blocks = code.block_starts();
        assert_eq!(*regions(Charge::Block, &code, &blocks).starts, [0]);
    }

    #[test]
    fn jumps_lead_to_other_regions() {
        const JUMPS: u32 = 1000;
        let code = code_with_many_far_jumps(JUMPS);
        let blocks = code.block_starts();
        let regions = regions(Charge::Block, &code, &blocks);
        for n in [0, 1, JUMPS - 1] {
            let entry = regions.position(&code, &blocks, (26 * n, true)).unwrap();
            let target = code.decode_at(26 * n).instruction.unwrap().target;
            let jump = entry.next();
            assert_eq!(jump.kind, Kind::Jump);
            assert_eq!(jump.target().kind, Kind::Stub);
            let far = jump.target().next();
            assert_eq!((far.kind, far.y), (Kind::FarJump, target));
            // Jumping there makes the other region and leads to the start of a block in it.
            let link = &regions.links.blocks[far.x as usize];
            let block = regions.block(&code, &blocks, target).unwrap();
            assert_eq!(link.target(), Some(block));
            assert_eq!(regions.place(&code, &blocks, block), (target, true));
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
                let regions = regions(charge, &code, &blocks);
                for number in 0..regions.starts.len() {
                    regions.region(&code, &blocks, number);
                }
                let (taken, most) = (regions.resident_bytes(), regions.most_resident_bytes(&code));
                assert!(taken <= most && most <= 2 * taken + 150, "{name} {charge:?}: {taken} of {most}");
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
            let regions = regions(charge, &code, &blocks);
            let number = |position| regions.around(&code, &blocks, position).1;
            (0..code.length() + 1)
                .filter_map(|pc| {
                    let (position, cost) = regions.entry(&code, &blocks, pc)?;
                    assert_eq!(regions.pc(&code, &blocks, position), pc);
                    let place = regions.place(&code, &blocks, position);
                    assert_eq!(regions.position(&code, &blocks, place), Some(position));
                    Some((pc, number(position), cost))
                })
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
