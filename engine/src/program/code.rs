//! Code with its bitmask and jump table, and the questions that both the compiler and the tools ask it.

use core::ops::Range;

use super::reader::{Reader, Section};
use super::{MAX_CODE_SIZE, MAX_JUMP_TABLE_ENTRIES, ProgramError};
use crate::isa::{Control, Decoded, EXTENDED, EXTENDED_PREFIX, InstructionSet, Opcode, decode_operands};

/// The most operand bytes an instruction can have (Gray Paper, appendix A.3).
const MAX_SKIP: u32 = 24;
/// In the extended encoding instructions do not cross multiples of this, and a block starts at each (polkavm's macro blocks).
const MACRO_BLOCK: u32 = 1024;
/// Zero bytes behind the code, so that operands can be read without looking where it ends.
const PADDING: usize = 32;

/// Code, the bitmask of its instruction starts, and the jump table.
#[derive(Clone, Debug)]
pub struct Code {
    set: InstructionSet,
    bytes: Box<[u8]>,
    length: u32,
    /// A bit for each byte of code, and eight bytes of padding.
    starts: Box<[u8]>,
    jump_table: Box<[u8]>,
    jump_table_entry_size: u8,
}

/// An instruction without the values of its immediates.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outline {
    /// None: there is none that the set knows.
    pub(crate) opcode: Option<Opcode>,
    /// The first two bytes of its operands: they name its registers.
    pub(crate) operands: u16,
    /// Where its bytes end, and whether an instruction starts there.
    pub(crate) next_pc: u32,
    pub(crate) next_is_start: bool,
}

impl Outline {
    /// Of what is no instruction.
    pub(crate) const fn invalid(pc: u32) -> Self {
        Self { opcode: None, operands: 0, next_pc: pc.saturating_add(1), next_is_start: false }
    }
}

/// What is wrong with a code section. Offsets count from the start of the program's bytes.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodeError {
    /// Jump table entries have more than four bytes.
    #[error("jump table: entries of {size} bytes at offset {offset} (at most 4)")]
    EntrySize {
        /// The size.
        size: u8,
        /// Where it is said.
        offset: usize,
    },
    /// The bitmask has not one bit for each byte of code.
    #[error("code: the bitmask has {actual} bytes, code of {code} bytes takes {expected}")]
    BitmaskLength {
        /// Bytes of bitmask there are.
        actual: usize,
        /// Bytes of bitmask there should be.
        expected: usize,
        /// Bytes of code.
        code: u32,
    },
    /// Bits of the bitmask behind the end of the code are set.
    #[error("code: bits of the bitmask's last byte (offset {offset}) behind the end of the code are set")]
    BitmaskPadding {
        /// Offset of the byte.
        offset: usize,
    },
}

impl Code {
    /// Puts code together from its parts, as an assembler does. The bitmask must be empty if the set has none.
    ///
    /// # Errors
    /// If a part is longer than its limit, `jump_table_entry_size` is above 4, or the bitmask does not fit the code.
    pub fn new(
        set: InstructionSet,
        code: &[u8],
        bitmask: &[u8],
        jump_table: &[u8],
        jump_table_entry_size: u8,
    ) -> Result<Self, ProgramError> {
        Self::checked(set, code, bitmask, 0, jump_table, jump_table_entry_size)
    }

    /// Count of jump table entries, their size, length of the code (if there is a bitmask), jump table, code, bitmask.
    pub(super) fn decode(set: InstructionSet, mut r: Reader<'_>) -> Result<Self, ProgramError> {
        r.section = Section::JumpTable;
        let entries = r.varint()?;
        limit(Section::JumpTable, entries, MAX_JUMP_TABLE_ENTRIES)?;
        let offset = r.offset();
        let entry_size = r.byte()?;
        r.section = Section::Code;
        let length = if set.has_bitmask() { Some(r.varint()?) } else { None };
        limit(Section::Code, length.unwrap_or(0), MAX_CODE_SIZE)?;
        if entry_size > 4 {
            return Err(CodeError::EntrySize { size: entry_size, offset }.into());
        }
        r.section = Section::JumpTable;
        let jump_table = r.take(entries as usize * usize::from(entry_size))?;
        r.section = Section::Code;
        let code = r.take(length.map_or(r.remaining(), |length| length as usize))?;
        let offset = r.offset();
        let bitmask = r.take(r.remaining())?;
        Self::checked(set, code, bitmask, offset, jump_table, entry_size)
    }

    fn checked(
        set: InstructionSet,
        code: &[u8],
        bitmask: &[u8],
        bitmask_offset: usize,
        jump_table: &[u8],
        jump_table_entry_size: u8,
    ) -> Result<Self, ProgramError> {
        let length = u32::try_from(code.len()).unwrap_or(u32::MAX);
        limit(Section::Code, length, MAX_CODE_SIZE)?;
        if jump_table_entry_size > 4 {
            return Err(CodeError::EntrySize { size: jump_table_entry_size, offset: 0 }.into());
        }
        let entries = jump_table.len().checked_div(jump_table_entry_size.into()).unwrap_or(0);
        let entries = u32::try_from(entries).unwrap_or(u32::MAX);
        limit(Section::JumpTable, entries, MAX_JUMP_TABLE_ENTRIES)?;
        let expected = if set.has_bitmask() { code.len().div_ceil(8) } else { 0 };
        if bitmask.len() != expected {
            return Err(CodeError::BitmaskLength { actual: bitmask.len(), expected, code: length }.into());
        }
        if let Some(last) = bitmask.last()
            && !code.len().is_multiple_of(8)
            && last >> (code.len() % 8) != 0
        {
            return Err(CodeError::BitmaskPadding { offset: bitmask_offset + expected - 1 }.into());
        }
        let mut bytes = vec![0; code.len() + PADDING].into_boxed_slice();
        bytes[..code.len()].copy_from_slice(code);
        let mut starts = vec![0; code.len() / 8 + 1 + 8].into_boxed_slice();
        starts[..bitmask.len()].copy_from_slice(bitmask);
        let mut code =
            Self { set, bytes, length, starts, jump_table: jump_table.into(), jump_table_entry_size };
        if !set.has_bitmask() {
            code.find_starts();
        }
        Ok(code)
    }

    /// Fills the bitmask of code that came without one: lengths follow from opcodes alone.
    fn find_starts(&mut self) {
        let mut pc = 0;
        while pc < self.length {
            self.starts[pc as usize / 8] |= 1 << (pc % 8);
            pc = self.decode_extended(pc).next_pc;
        }
    }

    /// The instruction set.
    pub const fn instruction_set(&self) -> InstructionSet {
        self.set
    }

    /// The bytes of the code.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length as usize]
    }

    /// Length of the code in bytes.
    pub const fn length(&self) -> u32 {
        self.length
    }

    /// Bytes of host memory that the code takes.
    pub(crate) const fn resident_bytes(&self) -> usize {
        self.bytes.len() + self.starts.len() + self.jump_table.len()
    }

    /// The byte at `pc`, or `None` behind the end.
    #[inline]
    pub fn byte(&self, pc: u32) -> Option<u8> {
        self.bytes().get(pc as usize).copied()
    }

    /// Whether the bitmask marks the start of an instruction at `pc`.
    #[inline]
    pub fn is_start(&self, pc: u32) -> bool {
        pc < self.length && self.starts[pc as usize / 8] >> (pc % 8) & 1 != 0
    }

    /// The first instruction start at or behind `pc`.
    #[inline]
    pub fn next_start(&self, pc: u32) -> Option<u32> {
        if pc >= self.length {
            return None;
        }
        let mut index = pc as usize / 8;
        let mut word = self.starts_at(index)? & (u64::MAX << (pc % 8));
        while word == 0 {
            index += 8;
            word = self.starts_at(index)?;
        }
        Some(index as u32 * 8 + word.trailing_zeros())
    }

    /// The bits of 64 bytes of code, eight of them to a byte, from byte `index` of the bitmask on; none behind its end.
    #[inline]
    fn starts_at(&self, index: usize) -> Option<u64> {
        let mut word = [0; 8];
        word.copy_from_slice(self.starts.get(index..index + 8)?);
        Some(u64::from_le_bytes(word))
    }

    /// Number of entries of the jump table.
    pub fn jump_table_length(&self) -> u32 {
        match usize::from(self.jump_table_entry_size) {
            0 => 0,
            size => (self.jump_table.len() / size) as u32,
        }
    }

    /// The pc in entry `index` of the jump table, or `None` behind its end.
    #[inline]
    pub fn jump_table_entry(&self, index: u32) -> Option<u32> {
        let size = usize::from(self.jump_table_entry_size);
        let start = (index as usize).checked_mul(size)?;
        let entry = self.jump_table.get(start..)?.get(..size).filter(|entry| !entry.is_empty())?;
        let mut bytes = [0; 4];
        bytes[..size].copy_from_slice(entry);
        Some(u32::from_le_bytes(bytes))
    }

    /// Bytes from the opcode at `pc` to the next instruction, at most 24, and whether one starts there.
    #[inline]
    fn skip(&self, pc: u32) -> (u32, bool) {
        let from = pc + 1;
        let index = from as usize / 8;
        let mut word = [0; 4];
        word.copy_from_slice(&self.starts[index..index + 4]);
        // Twenty-five bits are needed, and there are as many, whatever the shift.
        let bits = u32::from_le_bytes(word) >> (from % 8);
        // The bit at the limit is a start that the instruction reaches, the one behind it is not.
        let is_start = bits & ((1 << (MAX_SKIP + 1)) - 1) != 0;
        let skip = (bits | 1 << MAX_SKIP).trailing_zeros();
        (skip.min(self.length - from), is_start)
    }

    /// What [`Code::decode_at`] gives, without the values of immediates.
    #[inline]
    pub(crate) fn outline_at(&self, pc: u32) -> Outline {
        if self.is_start(pc) { self.outline_of_start(pc) } else { Outline::invalid(pc) }
    }

    /// The same where an instruction starts at `pc`.
    #[inline]
    pub(crate) fn outline_of_start(&self, pc: u32) -> Outline {
        if !self.set.has_bitmask() {
            let (found, next_pc) = self.extended_at(pc);
            let operands = found.map_or(0, |(_, start, _)| self.two_bytes(start));
            let opcode = found.map(|(opcode, ..)| opcode);
            return Outline { opcode, operands, next_pc, next_is_start: next_pc < self.length };
        }
        let mut bytes = [0; 3];
        bytes.copy_from_slice(&self.bytes[pc as usize..pc as usize + 3]);
        let [byte, low, high] = bytes;
        let (skip, next_is_start) = self.skip(pc);
        let operands = u16::from_le_bytes([low, high]);
        Outline { opcode: self.set.opcode(byte), operands, next_pc: pc + 1 + skip, next_is_start }
    }

    #[inline]
    fn two_bytes(&self, pc: u32) -> u16 {
        let mut bytes = [0; 2];
        bytes.copy_from_slice(&self.bytes[pc as usize..pc as usize + 2]);
        u16::from_le_bytes(bytes)
    }

    /// Decodes the instruction at `pc`.
    ///
    /// Where no instruction starts, or behind the end, there is an invalid one of one byte: running into it traps.
    #[inline]
    pub fn decode_at(&self, pc: u32) -> Decoded {
        if !self.is_start(pc) {
            return Decoded::invalid(pc);
        }
        self.decode_start(pc)
    }

    /// The same where an instruction starts at `pc`.
    #[inline(always)]
    pub(crate) fn decode_start(&self, pc: u32) -> Decoded {
        if !self.set.has_bitmask() {
            return self.decode_extended(pc);
        }
        let (skip, next_is_start) = self.skip(pc);
        let (next_pc, operands) = (pc + 1 + skip, self.operands(pc + 1));
        match self.set.opcode(self.bytes[pc as usize]) {
            Some(opcode) => {
                let instruction = Some(decode_operands(opcode, pc, operands, skip));
                Decoded { instruction, pc, next_pc, next_is_start }
            }
            None => Decoded { instruction: None, pc, next_pc, next_is_start },
        }
    }

    /// Sixteen bytes at `pc`, zero behind the end.
    #[inline]
    fn operands(&self, pc: u32) -> [u8; 16] {
        let mut operands = [0; 16];
        operands.copy_from_slice(&self.bytes[pc as usize..pc as usize + 16]);
        operands
    }

    fn decode_extended(&self, pc: u32) -> Decoded {
        let (found, next_pc) = self.extended_at(pc);
        let instruction = found
            .map(|(opcode, start, length)| decode_operands(opcode, pc, self.operands(start), length.into()));
        Decoded { instruction, pc, next_pc, next_is_start: next_pc < self.length }
    }

    /// The instruction at `pc`, where one starts, in the extended encoding: its opcode, where its operands start and how many
    /// bytes they have, which the opcode says; and where it ends. The last one before a multiple of 1024 or the end of the code
    /// must end there or before and must end a block; otherwise it is invalid, up to there.
    fn extended_at(&self, pc: u32) -> (Option<(Opcode, u32, u8)>, u32) {
        let [first, second, ..] = self.operands(pc);
        let prefix = u32::from(first == EXTENDED_PREFIX);
        let number = usize::from(first) + if prefix == 1 { usize::from(second) } else { 0 };
        let found = EXTENDED[number];
        let length = 1 + prefix + found.map_or(0, |(_, operands)| u32::from(operands));
        let border = ((pc / MACRO_BLOCK + 1) * MACRO_BLOCK).min(self.length);
        let end = pc + length;
        let fits = end < border || end == border && found.is_none_or(|(opcode, _)| opcode.info().ends_block);
        let next_pc = end.min(border);
        let found = found.filter(|_| fits).map(|(opcode, length)| (opcode, pc + 1 + prefix, length));
        (found, next_pc)
    }

    /// Where jumps may go: the starts of basic blocks, as a bit for each byte of code.
    ///
    /// A block starts at an instruction that is the first of the program (at 0) or follows a valid instruction that ends a
    /// block, at most 24 bytes of operands away. In the extended encoding one also follows an invalid instruction, and every
    /// multiple of 1024 is a start. Linear in the length of the code.
    pub(crate) fn block_starts(&self) -> Box<[u64]> {
        let Some(controls) = self.set.controls() else {
            let leads = |control: Control, pc: u32| {
                control.ends_block() || !control.is_valid() || pc.is_multiple_of(MACRO_BLOCK)
            };
            return self.block_starts_by(|pc| self.control_extended(pc), leads);
        };
        self.block_starts_by(
            |pc| controls[usize::from(self.bytes[pc as usize])],
            |control, _| control.ends_block(),
        )
    }

    /// `leads`: whether a block starts at the place if what comes before it, near enough, is this.
    #[inline(always)]
    fn block_starts_by(
        &self,
        control: impl Fn(u32) -> Control,
        leads: impl Fn(Control, u32) -> bool,
    ) -> Box<[u64]> {
        let mut blocks = vec![0; self.length as usize / 64 + 1].into_boxed_slice();
        // The instruction before, and how far operands reach from there.
        let (mut before, mut reach) = (Control::of(None), None);
        for (block, (first, mut bits)) in blocks.iter_mut().zip(self.words_of_starts(0)) {
            let mut found = 0;
            while bits != 0 {
                let at = bits.trailing_zeros();
                bits &= bits - 1;
                let pc = first + at;
                let starts_block = reach.map_or(pc == 0, |reach| pc <= reach && leads(before, pc));
                found |= u64::from(starts_block) << at;
                (before, reach) = (control(pc), Some(pc + 1 + MAX_SKIP));
            }
            *block = found;
        }
        blocks
    }

    /// Where in this range the first instruction lies that nothing runs into from the one before; the end of the range if there is none.
    pub(crate) fn end_of_block(&self, range: Range<u32>) -> u32 {
        match self.set.controls() {
            Some(controls) => {
                self.end_of_block_by(range, |pc| controls[usize::from(self.bytes[pc as usize])])
            }
            None => self.end_of_block_by(range, |pc| self.control_extended(pc)),
        }
    }

    #[inline(always)]
    fn end_of_block_by(&self, range: Range<u32>, control: impl Fn(u32) -> Control) -> u32 {
        // Whether the last instruction ended its block, and how far its operands reach.
        let mut last = None;
        for (first, mut bits) in self.words_of_starts(range.start) {
            while bits != 0 {
                let pc = first + bits.trailing_zeros();
                bits &= bits - 1;
                if pc >= range.end {
                    return range.end;
                }
                if last.is_some_and(|(ended, reach)| ended || pc > reach) {
                    return pc;
                }
                let control = control(pc);
                last = Some((control.ends_block() || !control.is_valid(), pc + 1 + MAX_SKIP));
            }
        }
        range.end
    }

    /// What the instruction that starts at `pc` does, in the extended encoding.
    fn control_extended(&self, pc: u32) -> Control {
        Control::of(self.extended_at(pc).0.map(|(opcode, ..)| opcode))
    }

    /// The bitmask from `pc` on, 64 bytes of code at a time, each with where they begin.
    #[inline(always)]
    fn words_of_starts(&self, pc: u32) -> impl Iterator<Item = (u32, u64)> {
        let index = pc as usize / 64;
        let words = self.starts.get(index * 8..).unwrap_or_default().chunks_exact(8);
        let mut mask = u64::MAX << (pc % 64);
        words.zip((index as u32 * 64..).step_by(64)).map(move |(bytes, first)| {
            let mut word = [0; 8];
            word.copy_from_slice(bytes);
            (first, u64::from_le_bytes(word) & core::mem::replace(&mut mask, u64::MAX))
        })
    }

    /// Whether the host can enter the block that begins at the instruction start `pc`: unless it is at 0, another instruction
    /// must start at most 24 bytes of operands before it.
    pub(crate) fn is_reachable(&self, pc: u32) -> bool {
        pc == 0 || (pc.saturating_sub(MAX_SKIP + 1)..pc).any(|previous| self.is_start(previous))
    }

    /// The first invalid instruction met when walking from 0 over the program, as whole-module validation does.
    ///
    /// The walk ends at a gap of more than 24 bytes behind an instruction that execution does not pass: what lies behind
    /// such a gap is validated when it is reached (the rule of polkavm).
    pub(crate) fn first_invalid(&self) -> Option<u32> {
        match self.set.controls() {
            Some(controls) => self.first_invalid_by(|pc| controls[usize::from(self.bytes[pc as usize])]),
            None => self.first_invalid_by(|pc| self.control_extended(pc)),
        }
    }

    #[inline(always)]
    fn first_invalid_by(&self, control: impl Fn(u32) -> Control) -> Option<u32> {
        if !self.is_start(0) {
            return Some(0);
        }
        // Whether execution passes the last instruction, and how far its operands reach.
        let (mut passes, mut reach) = (true, 0);
        let ran_into = |passes: bool, reach: u32| passes.then(|| reach.min(self.length));
        for (first, mut bits) in self.words_of_starts(0) {
            while bits != 0 {
                let pc = first + bits.trailing_zeros();
                bits &= bits - 1;
                if pc > reach {
                    return ran_into(passes, reach);
                }
                let control = control(pc);
                if !control.is_valid() {
                    return Some(pc);
                }
                (passes, reach) = (control.can_fall_through(), pc + 1 + MAX_SKIP);
            }
        }
        ran_into(passes, reach)
    }
}

fn limit(section: Section, value: u32, limit: u32) -> Result<(), ProgramError> {
    if value > limit {
        return Err(ProgramError::Limit { section, value: value.into(), limit: limit.into() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const JAM: InstructionSet = InstructionSet::JamV1;
    const TRAP: u8 = 0;
    const LOAD_IMM: u8 = 51;

    /// Code of `length` bytes `fill` with instructions starting at `starts`.
    fn code(length: usize, fill: u8, starts: &[usize]) -> Code {
        let mut bitmask = vec![0; length.div_ceil(8)];
        for start in starts {
            bitmask[start / 8] |= 1 << (start % 8);
        }
        Code::new(JAM, &vec![fill; length], &bitmask, &[], 0).unwrap()
    }

    fn blocks(code: &Code) -> Vec<u32> {
        let bits = code.block_starts();
        (0..code.length()).filter(|&pc| bits[pc as usize / 64] >> (pc % 64) & 1 != 0).collect()
    }

    #[test]
    fn starts_and_skips() {
        let c = code(130, TRAP, &[0, 1, 25, 50, 76, 101, 129]);
        assert_eq!(c.next_start(2), Some(25));
        assert_eq!(c.next_start(129), Some(129));
        assert_eq!(c.next_start(130), None);
        let next = |pc| {
            let d = c.decode_at(pc);
            (d.next_pc, d.next_is_start)
        };
        assert_eq!(next(0), (1, true));
        assert_eq!(next(1), (25, true));
        assert_eq!(next(25), (50, true), "24 bytes of operands are allowed");
        assert_eq!(next(50), (75, false), "25 are not");
        assert_eq!(next(101), (126, false));
        assert_eq!(next(129), (130, false), "the end of the code is no start");
        assert_eq!(c.decode_at(2).instruction, None);
        assert_eq!(c.decode_at(130).instruction, None);
        assert_eq!(c.decode_at(u32::MAX).instruction, None);
    }

    #[test]
    fn a_gap_of_25_bytes_ends_what_can_be_jumped_to() {
        assert_eq!(blocks(&code(26, TRAP, &[0, 25])), [0, 25]);
        assert_eq!(blocks(&code(27, TRAP, &[0, 26])), [0]);
        assert_eq!(blocks(&code(2, TRAP, &[1])), [0; 0], "nothing before it");
        assert_eq!(blocks(&code(2, LOAD_IMM, &[0, 1])), [0], "the middle of a block");
        assert_eq!(blocks(&code(2, 255, &[0, 1])), [0], "behind an invalid instruction");
        assert_eq!(
            blocks(&code(200, TRAP, &[0, 20, 40, 60, 63, 64, 65, 89, 128])),
            [0, 20, 40, 60, 63, 64, 65, 89]
        );
    }

    #[test]
    fn what_can_be_entered_begins_or_is_preceded_within_24_bytes_of_operands() {
        let c = code(80, LOAD_IMM, &[0, 25, 51, 60]);
        assert_eq!([0, 25, 51, 60].map(|pc| c.is_reachable(pc)), [true, true, false, true]);
        assert!(!code(10, LOAD_IMM, &[5]).is_reachable(5), "nothing before it");
    }

    #[test]
    fn validation_walks_until_a_gap_that_is_not_passed() {
        assert_eq!(code(2, TRAP, &[0, 1]).first_invalid(), None);
        assert_eq!(code(2, TRAP, &[1]).first_invalid(), Some(0));
        assert_eq!(code(2, LOAD_IMM, &[0]).first_invalid(), Some(2), "runs off the end");
        assert_eq!(code(40, LOAD_IMM, &[0, 30]).first_invalid(), Some(25), "runs into a gap");
        assert_eq!(code(40, TRAP, &[0, 30]).first_invalid(), None, "does not");
        assert_eq!(code(3, 255, &[0]).first_invalid(), Some(0));
        assert_eq!(code(0, TRAP, &[]).first_invalid(), Some(0));
    }

    /// What walking over the code finds, by decoding one instruction after the other.
    struct Walked {
        blocks: Vec<u32>,
        first_invalid: Option<u32>,
    }

    fn walked(c: &Code) -> Walked {
        let extended = !c.instruction_set().has_bitmask();
        let starts: Vec<u32> = (0..c.length()).filter(|&pc| c.is_start(pc)).collect();
        let ends = |d: &Decoded| d.instruction.is_some_and(|i| i.opcode.info().ends_block);
        let mut before = None;
        let begins = |&pc: &u32| {
            let is_led_to = before.replace(c.decode_at(pc)).is_some_and(|d: Decoded| {
                let goes_on_here = d.next_is_start && d.next_pc == pc;
                goes_on_here && (ends(&d) || extended && (d.instruction.is_none() || pc % MACRO_BLOCK == 0))
            });
            pc == 0 || is_led_to
        };
        let blocks = starts.iter().copied().filter(begins).collect();
        let mut first_invalid = Some(0);
        let mut at = c.decode_at(0);
        while let Some(i) = at.instruction {
            if !at.next_is_start {
                first_invalid = i.opcode.can_fall_through().then_some(at.next_pc);
                break;
            }
            first_invalid = Some(at.next_pc);
            at = c.decode_at(at.next_pc);
        }
        Walked { blocks, first_invalid }
    }

    /// The same as [`Code::end_of_block`].
    fn walked_to_the_end(c: &Code, range: Range<u32>) -> u32 {
        let mut next = c.next_start(range.start);
        while let Some(pc) = next.filter(|pc| range.contains(pc)) {
            let d = c.decode_at(pc);
            next = c.next_start(d.next_pc);
            if !d.next_is_start || d.instruction.is_none_or(|i| i.opcode.info().ends_block) {
                break;
            }
        }
        next.map_or(range.end, |next| next.min(range.end))
    }

    #[test]
    fn walks_without_decoding_find_what_those_with_it_find() {
        let mut state = 1u64;
        let mut random = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let (mut long_walks, mut long_blocks) = (0, 0);
        for round in 0..if cfg!(miri) { 12 } else { 600 } {
            let set = InstructionSet::ALL[round % InstructionSet::ALL.len()];
            let length = 1 + random(if round % 5 == 0 { 2200 } else { 200 }) as usize;
            // Few of their instructions end a block or are none, or many.
            let kinds = Opcode::ALL.iter().filter_map(|&opcode| set.byte(opcode)).collect::<Vec<_>>();
            let (strange, apart) = ([0, 5, 100][random(3) as usize], [4, 12, 40][random(3) as usize]);
            let code: Vec<u8> = (0..length)
                .map(|_| match random(200) < strange {
                    true => random(256) as u8,
                    false => kinds[random(kinds.len() as u64) as usize],
                })
                .collect();
            let mut bitmask = vec![0; if set.has_bitmask() { length.div_ceil(8) } else { 0 }];
            let mut at = random(8) as usize / 7;
            while at < length && set.has_bitmask() {
                bitmask[at / 8] |= 1 << (at % 8);
                at += 1 + random(apart) as usize;
            }
            let c = Code::new(set, &code, &bitmask, &[], 0).unwrap();
            let expected = walked(&c);
            assert_eq!(blocks(&c), expected.blocks, "{set}: {c:?}");
            assert_eq!(c.first_invalid(), expected.first_invalid, "{set}: {c:?}");
            long_walks += u32::from(expected.first_invalid.is_none_or(|pc| pc > 64));
            for _ in 0..20 {
                let end = random(length as u64 + 1) as u32;
                let start = random(u64::from(end) + 1) as u32;
                let found = c.end_of_block(start..end);
                assert_eq!(found, walked_to_the_end(&c, start..end), "{set}, {start}..{end}: {c:?}");
                long_blocks += u32::from(found > start + 64);
            }
        }
        assert!(
            cfg!(miri) || long_walks > 100 && long_blocks > 100,
            "{long_walks} long walks, {long_blocks} long blocks"
        );
    }

    #[test]
    fn jump_tables_of_each_entry_size() {
        for size in 1..=4u8 {
            let table: Vec<u8> = (0..3 * size).map(|n| n + 1).collect();
            let c = Code::new(JAM, &[0], &[1], &table, size).unwrap();
            assert_eq!(c.jump_table_length(), 3);
            let expected = (0..size).rev().fold(0, |value, n| value << 8 | u32::from(size + n + 1));
            assert_eq!(c.jump_table_entry(1), Some(expected));
            assert_eq!(c.jump_table_entry(3), None);
            // Their bytes, or what is behind them, lie where offsets of 32 bits overcontrol.
            for at in [1 << 30, 1 << 31, u64::from(u32::MAX)].map(|at| (at / u64::from(size)) as u32) {
                assert_eq!(
                    [at - 1, at, at.saturating_add(1)].map(|index| c.jump_table_entry(index)),
                    [None; 3]
                );
            }
            assert_eq!(c.jump_table_entry(u32::MAX), None);
        }
        let c = Code::new(JAM, &[0], &[1], &[], 0).unwrap();
        assert_eq!((c.jump_table_length(), c.jump_table_entry(0)), (0, None));
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let error = |code: &[u8], bitmask: &[u8], size| {
            Code::new(JAM, code, bitmask, &[], size).unwrap_err().to_string()
        };
        assert_eq!(error(&[0], &[1], 5), "jump table: entries of 5 bytes at offset 0 (at most 4)");
        assert_eq!(error(&[0], &[], 0), "code: the bitmask has 0 bytes, code of 1 bytes takes 1");
        assert_eq!(
            error(&[0], &[3], 0),
            "code: bits of the bitmask's last byte (offset 0) behind the end of the code are set"
        );
    }

    #[test]
    #[cfg_attr(miri, ignore = "it takes a hundred megabytes, byte by byte")]
    fn limits_can_be_reached_and_not_exceeded() {
        let code = vec![0; MAX_CODE_SIZE as usize + 1];
        let bitmask = vec![0; MAX_CODE_SIZE as usize / 8];
        let table = vec![0; MAX_JUMP_TABLE_ENTRIES as usize + 1];
        let longest = Code::new(JAM, &code[1..], &bitmask, &table[1..], 1).unwrap();
        assert_eq!(longest.length(), MAX_CODE_SIZE);
        assert_eq!(longest.jump_table_length(), MAX_JUMP_TABLE_ENTRIES);
        let error = |code, bitmask, table| Code::new(JAM, code, bitmask, table, 1).unwrap_err().to_string();
        assert_eq!(error(&code, &[], &[]), "code: 33554433 exceeds the limit of 33554432");
        assert_eq!(error(&[0], &[1], &table), "jump table: 16777217 exceeds the limit of 16777216");
    }
}
