//! From a program to native code, in one pass.
//!
//! ```text
//!  enter                puts the guest's registers where they live and goes to where it is told
//!  leave (several)      say why, put the guest's registers away, return to the host
//!  code of the guest    sub [gas], 3          each block
//!                       jl  ->|
//!                       ...   |
//!  out of the way       mov ecx, 17 <-        each block: its index
//!                       jmp leave
//! ```

use core::cell::Cell;

use super::assembler::{Alu, Assembler, Cond, Extend, Fixup, Gpr, Mem, Scale, Shift, Size, Width};
use super::context::{self, BASE, GAS_LEFT, GUEST, Leave, SCRATCH};
use super::emit::{Emitter, Features, native};
use super::jump_table::{JumpTable, NewJumpTable};
use super::pages::CodeMemory;
use super::places::{Place, Places};
use super::sys::Traps;
use crate::exit::TrapKind;
use crate::gas::{BlockCosts, GasModel};
use crate::interpreter::{BlockNumbers, bit};
use crate::isa::{Decoded, Instruction, Opcode, Reg};
use crate::memory::HostError;
use crate::program::Code;

/// The most native code there is of a program. One that takes more (several megabytes of code) is interpreted.
const MOST_NATIVE_CODE: u32 = 1 << 28;

/// A place in native code, in bytes from its start.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub(crate) struct Offset(pub(super) u32);

/// A block: where it begins, and what it costs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    pub(super) pc: u32,
    /// Where it is charged for.
    pub(super) offset: Offset,
    pub(super) cost: u32,
}

/// A syscall: the instruction, its number, and where to go on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Syscall {
    pub(super) pc: u32,
    pub(super) number: u32,
    pub(super) next: Offset,
}

/// The native code of a program, and what one has to know of it. The lists are in the order of the code.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(super) code: CodeMemory,
    /// Where the code of the guest begins and ends.
    #[cfg(test)]
    pub(super) guest: core::ops::Range<u32>,
    /// The same for the signal handler.
    pub(super) traps: Traps,
    pub(super) places: Places,
    pub(super) blocks: Box<[Block]>,
    pub(super) syscalls: Box<[Syscall]>,
    /// Where each entry of the program's jump table leads: to the host if it is no start of a block.
    pub(super) jump_table: JumpTable,
}

impl Compiled {
    /// Compiles a program, or gives `None` if it should rather be interpreted.
    ///
    /// # Errors
    /// If the host lacks memory.
    pub(super) fn new(
        code: &Code,
        blocks: &[u64],
        gas: GasModel,
        features: Features,
    ) -> Result<Option<Self>, HostError> {
        let scratch = SCRATCH_MEMORY.take();
        let mut compiler = Compiler::new(code, blocks, gas, features, scratch);
        let result = if compiler.run() { compiler.finish().map(Some) } else { Ok(None) };
        SCRATCH_MEMORY.set(compiler.into_scratch());
        result
    }

    /// Where the guest is at an offset: the pc, and whether the block that starts there is still to be paid for.
    pub(crate) fn place(&self, offset: Offset) -> Option<(u32, bool)> {
        if let Ok(at) = self.blocks.binary_search_by_key(&offset, |block| block.offset) {
            return Some((self.blocks[at].pc, true));
        }
        let place = self.places.around(offset).filter(|place| place.offset == offset)?;
        Some((place.pc, false))
    }

    /// The opposite of `place`.
    pub(crate) fn offset(&self, pc: u32, unpaid: bool) -> Option<Offset> {
        if unpaid {
            return self.block_at(pc).map(|block| block.offset);
        }
        self.places.at_pc(pc).map(|place| place.offset)
    }

    pub(super) fn block_at(&self, pc: u32) -> Option<&Block> {
        self.blocks.binary_search_by_key(&pc, |block| block.pc).ok().map(|at| &self.blocks[at])
    }

    /// Where the host enters at `pc`, and the gas to be charged before if that is not done there. `None` where no instruction
    /// starts or its block is behind a gap.
    pub(crate) fn entry(&self, code: &Code, pc: u32) -> Option<(Offset, u32)> {
        if !code.is_start(pc) {
            return None;
        }
        let block = self.blocks.partition_point(|block| block.pc <= pc).checked_sub(1)?;
        let block = &self.blocks[block];
        if !code.is_reachable(block.pc) {
            return None;
        }
        if block.pc == pc {
            return Some((block.offset, 0));
        }
        self.offset(pc, false).map(|offset| (offset, block.cost))
    }

    /// Bytes of host memory that it takes.
    pub(crate) fn resident_bytes(&self) -> usize {
        self.code.resident_bytes()
            + self.places.resident_bytes()
            + size_of_val(&*self.blocks)
            + size_of_val(&*self.syscalls)
            + self.jump_table.resident_bytes()
    }

    /// The native code.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> &[u8] {
        // SAFETY: the code is as long as that and never changes.
        unsafe { core::slice::from_raw_parts(self.code.start().as_ptr(), self.code.len()) }
    }
}

/// A jump to the start of a block that comes later.
struct Forward {
    fixup: Fixup,
    /// The block's number.
    target: u32,
}

/// What an indirect jump does with addresses that the table has no entry for: jumps out of the way.
struct Lost {
    /// If none, there is the number of an entry in place of the address, which is too large then.
    odd_or_zero: Option<[Fixup; 2]>,
    beyond: Fixup,
    /// The instruction.
    pc: u32,
}

/// A block that is being compiled.
struct Open {
    pc: u32,
    offset: Offset,
    /// Where its cost goes.
    cost: u32,
    /// The jump for when there is not enough gas.
    refused: Fixup,
}

/// Memory for what is not needed any more when a program is compiled, kept for the next one: it takes longer to get it from the
/// system than to fill it.
#[derive(Default)]
struct Scratch {
    native: Vec<u8>,
    labels: Vec<u32>,
    forward: Vec<Forward>,
    refused: Vec<Fixup>,
    lost: Vec<Lost>,
}

/// More than this, in bytes of each kind, a thread does not keep.
const MOST_TO_KEEP: usize = 4 << 20;

thread_local! {
    static SCRATCH_MEMORY: Cell<Scratch> = Cell::default();
}

/// An empty list, perhaps in the memory of this one.
fn emptied<T>(mut list: Vec<T>) -> Vec<T> {
    list.clear();
    if list.capacity() * size_of::<T>() > MOST_TO_KEEP { Vec::new() } else { list }
}

struct Compiler<'a> {
    code: &'a Code,
    /// Where jumps may go.
    starts: &'a [u64],
    costs: BlockCosts,
    /// Instructions of the block so far.
    instructions: u32,
    emit: Emitter,
    /// `None` when it is complete.
    jump_table: Option<NewJumpTable>,
    /// Where it lies, if native code can name that.
    low_table: Option<i32>,
    numbers: BlockNumbers,
    /// For each block by its number where it is charged for; 0 if that is not known yet.
    labels: Vec<u32>,
    leave: [u32; Leave::ALL.len()],
    guest: u32,
    open: Option<Open>,
    forward: Vec<Forward>,
    refused: Vec<Fixup>,
    /// Indirect jumps that may leave the table.
    lost: Vec<Lost>,
    /// Whether an entry of the jump table leads to what is no block.
    has_dead_ends: bool,
    places: Places,
    blocks: Vec<Block>,
    syscalls: Vec<Syscall>,
}

impl<'a> Compiler<'a> {
    fn new(code: &'a Code, starts: &'a [u64], gas: GasModel, features: Features, scratch: Scratch) -> Self {
        let set = code.instruction_set();
        let Scratch { native, mut labels, forward, refused, lost } = scratch;
        let asm = Assembler::writing_to(native);
        let numbers = BlockNumbers::new(starts);
        labels.resize(numbers.count() as usize, 0);
        let jump_table = NewJumpTable::new(code.jump_table_length(), features.low_tables);
        Self {
            code,
            starts,
            costs: BlockCosts::new(set, gas),
            instructions: 0,
            emit: Emitter { asm, features, is_64_bit: set.is_64_bit() },
            low_table: jump_table.low_address(),
            jump_table: Some(jump_table),
            numbers,
            labels,
            leave: [0; Leave::ALL.len()],
            guest: 0,
            open: None,
            forward,
            refused,
            lost,
            has_dead_ends: !(0..code.jump_table_length()).all(|index| entry(code, starts, index).is_some()),
            places: Places::default(),
            blocks: Vec::new(),
            syscalls: Vec::new(),
        }
    }

    fn into_scratch(self) -> Scratch {
        Scratch {
            native: emptied(self.emit.asm.into_bytes()),
            labels: emptied(self.labels),
            forward: emptied(self.forward),
            refused: emptied(self.refused),
            lost: emptied(self.lost),
        }
    }

    /// Writes everything; false if the program should rather be interpreted.
    fn run(&mut self) -> bool {
        self.prologue();
        self.guest = self.emit.asm.position();
        let mut next = self.code.next_start(0);
        while let Some(pc) = next {
            let decoded = self.code.decode_start(pc);
            self.enter(pc);
            let is_affordable = match &decoded.instruction {
                Some(instruction) => self.instruction(instruction, &decoded),
                None => {
                    self.count(&decoded);
                    self.leave_at(Leave::InvalidInstruction, pc);
                    self.end_block()
                }
            };
            if !is_affordable || self.emit.asm.position() > MOST_NATIVE_CODE {
                return false;
            }
            next = if decoded.next_is_start {
                Some(decoded.next_pc)
            } else {
                self.code.next_start(decoded.next_pc)
            };
        }
        debug_assert!(self.open.is_none(), "code ends with the end of a block");
        true
    }

    fn prologue(&mut self) {
        let has_segment = self.emit.features.segment;
        use Gpr::{R12, R13, R14, R15, Rbp, Rbx, Rdi};
        const SAVED: [Gpr; 6] = [Rbx, Rbp, R12, R13, R14, R15];
        let place = |field: context::Field| field.place(has_segment);
        let asm = &mut self.emit.asm;
        let guest_registers = || GUEST.into_iter().zip((0..).step_by(8));

        // The first argument of the call is the base.
        SAVED.into_iter().for_each(|reg| asm.push(reg));
        if has_segment {
            // Reading it takes a cycle, writing it twenty or more.
            asm.read_segment(SCRATCH);
            asm.alu(Alu::Cmp, Size::B64, SCRATCH, Rdi);
            let is_set = asm.jcc_short(Cond::E);
            asm.write_segment(Rdi);
            asm.bind_short(is_set);
            asm.load(Width::B8, Extend::Zero, GAS_LEFT, place(context::GAS));
        } else {
            asm.mov(Size::B64, BASE, Rdi);
        }
        asm.load(Width::B8, Extend::Zero, SCRATCH, place(context::REGS));
        for (reg, at) in guest_registers() {
            asm.load(Width::B8, Extend::Zero, reg, Mem::Base(SCRATCH, at));
        }
        asm.jmp_mem(place(context::ARGUMENT));

        let mut ends = Vec::new();
        // The last one needs no jump.
        for reason in Leave::ALL.into_iter().skip(1) {
            asm.align(16);
            self.leave[reason as usize] = asm.position();
            if reason != Leave::Fault {
                asm.store(Width::B8, place(context::ARGUMENT), SCRATCH);
            }
            asm.store_imm(Width::B4, place(context::LEAVE), reason as i32);
            if reason != Leave::Fault {
                ends.push(asm.jmp());
            }
        }
        let end = asm.position();
        ends.into_iter().for_each(|fixup| asm.bind_to(fixup, end));
        // The most frequent reason does all by itself.
        for reason in [None, Some(Leave::Syscall)] {
            if let Some(reason) = reason {
                asm.align(16);
                self.leave[reason as usize] = asm.position();
                asm.store(Width::B8, place(context::ARGUMENT), SCRATCH);
            }
            if has_segment {
                asm.store(Width::B8, place(context::GAS), GAS_LEFT);
            }
            asm.load(Width::B8, Extend::Zero, SCRATCH, place(context::REGS));
            for (reg, at) in guest_registers() {
                asm.store(Width::B8, Mem::Base(SCRATCH, at), reg);
            }
            match reason {
                Some(reason) => asm.mov_imm(Gpr::Rax, reason as u64),
                None => {
                    asm.load(Width::B4, Extend::Zero, Gpr::Rax, place(context::LEAVE));
                }
            }
            SAVED.into_iter().rev().for_each(|reg| asm.pop(reg));
            asm.ret();
        }
        asm.align(16);
    }

    /// Charges at the start of a block. What comes next is code of the instruction at `pc`.
    #[inline(always)]
    fn enter(&mut self, pc: u32) {
        if self.open.is_none() {
            self.open_block(pc);
        }
        self.places.push(Place { pc, offset: Offset(self.emit.asm.position()) });
    }

    #[inline(never)]
    fn open_block(&mut self, pc: u32) {
        let has_segment = self.emit.features.segment;
        let offset = Offset(self.emit.asm.position());
        if bit(self.starts, pc) {
            let number = self.number(pc);
            self.labels[number as usize] = offset.0;
        }
        let asm = &mut self.emit.asm;
        let cost = if has_segment {
            asm.alu_long_imm(Alu::Sub, GAS_LEFT, 0)
        } else {
            asm.alu_mem_imm(Alu::Sub, context::GAS.place(false), 0)
        };
        // Processors execute a subtraction and a branch on less as one, but not with a branch on the sign.
        let refused = asm.jcc(Cond::L);
        self.open = Some(Open { pc, offset, cost, refused });
    }

    /// The number of the block that starts at `pc`, which must be a start of a block.
    fn number(&self, pc: u32) -> u32 {
        self.numbers.of(self.starts, pc)
    }

    /// Counts an instruction as part of the block.
    #[inline]
    fn count(&mut self, decoded: &Decoded) {
        self.instructions += 1;
        self.costs.add(self.code, decoded);
    }

    /// Ends the block, whose cost is known now; false if it is beyond what one instruction can charge.
    fn end_block(&mut self) -> bool {
        let Some(Open { pc, offset, cost: at, refused }) = self.open.take() else { return true };
        let cost = self.costs.finish(core::mem::take(&mut self.instructions));
        self.emit.asm.patch(at, cost);
        self.refused.push(refused);
        self.blocks.push(Block { pc, offset, cost });
        i32::try_from(cost).is_ok()
    }

    /// Goes back to the host, with this argument.
    fn leave_at(&mut self, reason: Leave, argument: u32) {
        self.emit.asm.mov_imm(SCRATCH, argument.into());
        self.emit.asm.jmp_to(self.leave[reason as usize]);
    }

    /// Runs into what is no instruction.
    fn run_into_gap(&mut self, pc: u32) {
        let reason = if pc >= self.code.length() { Leave::CodeEnd } else { Leave::InvalidInstruction };
        self.leave_at(reason, pc);
    }

    fn instruction(&mut self, i: &Instruction, decoded: &Decoded) -> bool {
        self.count(decoded);
        let start = self.emit.asm.position();
        if self.emit.instruction(i) {
            self.occupy(start);
            return self.went_on(decoded);
        }
        let pc = decoded.pc;
        match i.opcode {
            Opcode::Ecalli => {
                self.leave_at(Leave::Syscall, self.syscalls.len() as u32);
                let next = Offset(self.emit.asm.position());
                self.syscalls.push(Syscall { pc, number: i.x as u32, next });
                self.went_on(decoded)
            }
            Opcode::Memset | Opcode::Sbrk => {
                self.leave_at(Leave::Service, pc);
                self.went_on(decoded)
            }
            Opcode::Trap => {
                self.leave_at(Leave::Trap, pc);
                self.end_block()
            }
            Opcode::Fallthrough => self.fall_through(decoded),
            Opcode::JumpIndirect => {
                self.jump_indirect(i, i.x as i32, pc);
                self.end_block()
            }
            Opcode::LoadImmAndJumpIndirect => {
                self.jump_indirect(i, i.y as i32, pc);
                self.end_block()
            }
            _ => {
                self.jump(i, decoded);
                self.end_block()
            }
        }
    }

    /// After an instruction that does not end its block.
    #[inline]
    fn went_on(&mut self, decoded: &Decoded) -> bool {
        if decoded.next_is_start {
            return true;
        }
        // The trap belongs to the block: it is paid for with it.
        let pc = decoded.next_pc;
        self.count(&Decoded::invalid(pc));
        self.enter(pc);
        self.run_into_gap(pc);
        self.end_block()
    }

    /// Every instruction has a place of its own, so that a place says which instruction comes next.
    #[inline]
    fn occupy(&mut self, start: u32) {
        if self.emit.asm.position() == start {
            self.emit.asm.nop();
        }
    }

    fn fall_through(&mut self, decoded: &Decoded) -> bool {
        self.emit.asm.nop();
        let pc = decoded.next_pc;
        if decoded.next_is_start {
            return self.end_block();
        }
        if pc == self.code.length() {
            // It is itself where execution ends, and that costs nothing more.
            self.leave_at(Leave::CodeEnd, decoded.pc);
            return self.end_block();
        }
        if !self.end_block() {
            return false;
        }
        self.enter(pc);
        self.count(&Decoded::invalid(pc));
        self.run_into_gap(pc);
        self.end_block()
    }

    /// A direct jump or branch.
    fn jump(&mut self, i: &Instruction, decoded: &Decoded) {
        let conditional = i.opcode.can_fall_through();
        let valid = bit(self.starts, i.target) && (!conditional || bit(self.starts, decoded.next_pc));
        if i.opcode == Opcode::LoadImmAndJump {
            self.emit.load_imm(native(i.d), i.x);
        }
        if !valid {
            return self.leave_at(Leave::InvalidJump, decoded.pc);
        }
        let start = self.places.last().map_or(0, |place| place.offset.0);
        let condition = self.emit.branch_condition(i);
        let target = self.number(i.target);
        let known = self.labels[target as usize];
        let asm = &mut self.emit.asm;
        let fixup = match (condition, known) {
            // The next block follows; nothing lies between.
            (None, 0) if i.target == decoded.next_pc => return self.occupy(start),
            (None, 0) => asm.jmp(),
            (Some(condition), 0) => asm.jcc(condition),
            (None, known) => return asm.jmp_to(known),
            (Some(condition), known) => return asm.jcc_to(condition, known),
        };
        self.forward.push(Forward { fixup, target });
    }

    /// Jumps through the table. Addresses of code are even and above zero.
    ///
    /// Returns compute the number of the entry: two is subtracted and the rest rotated to the right, which makes it too large if the address is
    /// odd or zero, so that there is one comparison. Others compare three times, which is better for jumps that are predicted wrong, those of
    /// interpreters and `switch`: what is computed there has to be waited for.
    fn jump_indirect(&mut self, i: &Instruction, offset: i32, pc: u32) {
        // Where an entry may lead nowhere the host is told the address as it is (`JumpTable::address_of`).
        let computes_entry = i.s1 == Reg::RA && !self.has_dead_ends;
        self.emit.sum_32(native(i.s1), offset.wrapping_sub(if computes_entry { 2 } else { 0 }));
        if i.opcode == Opcode::LoadImmAndJumpIndirect {
            self.emit.load_imm(native(i.d), i.x);
        }
        let [pc_place, table_place] = [context::PC, context::TABLE].map(|field| self.emit.context(field));
        let asm = &mut self.emit.asm;
        if self.has_dead_ends {
            asm.store_imm(Width::B4, pc_place, pc as i32);
        }
        // At most 16 million. What means return to the host is beyond that.
        let entries = self.code.jump_table_length() as i32;
        let odd_or_zero = if computes_entry {
            asm.shift_imm(Shift::Ror, Size::B32, SCRATCH, 1);
            asm.alu_imm(Alu::Cmp, Size::B32, SCRATCH, entries);
            None
        } else {
            asm.test_lowest_bit(SCRATCH);
            let odd = asm.jcc(Cond::Ne);
            asm.test(Size::B32, SCRATCH, SCRATCH);
            let zero = asm.jcc(Cond::E);
            asm.alu_imm(Alu::Cmp, Size::B32, SCRATCH, (entries + 1) * 2);
            Some([odd, zero])
        };
        let beyond = asm.jcc(Cond::Ae);
        self.lost.push(Lost { odd_or_zero, beyond, pc });
        // The first entry is that of address 2.
        let (scale, shift, first) = if computes_entry { (Scale::Eight, 3, 0) } else { (Scale::Four, 2, -8) };
        match self.low_table {
            Some(table) => asm.jmp_mem(Mem::Times(scale, SCRATCH, table + first)),
            None => {
                asm.shift_imm(Shift::Shl, Size::B32, SCRATCH, shift);
                asm.alu_mem(Alu::Add, Size::B64, SCRATCH, table_place);
                asm.jmp_mem(Mem::Base(SCRATCH, first));
            }
        }
    }

    fn finish(&mut self) -> Result<Compiled, HostError> {
        self.places.shrink();
        let guest_end = self.emit.asm.position();
        for Forward { fixup, target } in self.forward.drain(..) {
            let target = self.labels[target as usize];
            debug_assert!(target != 0, "every start of a block is reached by walking over the code");
            let target = if target == 0 { self.leave[Leave::InvalidJump as usize] } else { target };
            self.emit.asm.bind_to(fixup, target);
        }
        for index in 0..self.refused.len() {
            let here = self.emit.asm.position();
            self.emit.asm.bind_to(self.refused[index], here);
            self.leave_at(Leave::Charge, index as u32);
        }
        for Lost { odd_or_zero, beyond, pc } in self.lost.drain(..) {
            let place = self.emit.context(context::PC);
            let asm = &mut self.emit.asm;
            let here = asm.position();
            asm.bind_to(beyond, here);
            match odd_or_zero {
                Some(fixups) => fixups.into_iter().for_each(|fixup| asm.bind_to(fixup, here)),
                None => {
                    asm.shift_imm(Shift::Rol, Size::B32, SCRATCH, 1);
                    asm.lea(Size::B32, SCRATCH, Mem::Base(SCRATCH, 2));
                }
            }
            asm.store_imm(Width::B4, place, pc as i32);
            asm.jmp_to(self.leave[Leave::Indirect as usize]);
        }
        self.emit.asm.align(64);
        let code = CodeMemory::new(self.emit.asm.bytes())?;
        let start = code.start().as_ptr() as u64;
        let nowhere = self.leave[Leave::Nowhere as usize];
        let jump_table = self.jump_table.take().unwrap_or_else(|| NewJumpTable::new(0, false));
        let entries = (0..self.code.jump_table_length()).map(|index| {
            let label =
                entry(self.code, self.starts, index).map_or(0, |pc| self.labels[self.number(pc) as usize]);
            debug_assert!(label != 0 || self.has_dead_ends, "every block has been compiled");
            start + u64::from(if label == 0 { nowhere } else { label })
        });
        let jump_table = jump_table.filled(entries)?;
        let absolute = |offset: u32| start as usize + offset as usize;
        let traps = Traps {
            start: absolute(self.guest),
            end: absolute(guest_end),
            exit: absolute(self.leave[Leave::Fault as usize]),
        };
        Ok(Compiled {
            code,
            #[cfg(test)]
            guest: self.guest..guest_end,
            traps,
            places: core::mem::take(&mut self.places),
            blocks: core::mem::take(&mut self.blocks).into(),
            syscalls: core::mem::take(&mut self.syscalls).into(),
            jump_table,
        })
    }
}

/// The block that an entry of the jump table leads to.
fn entry(code: &Code, starts: &[u64], index: u32) -> Option<u32> {
    code.jump_table_entry(index).filter(|&pc| bit(starts, pc))
}

/// What a reason for leaving means as a trap, if it is one.
pub(super) const fn trap_of(reason: Leave) -> Option<TrapKind> {
    match reason {
        Leave::Trap => Some(TrapKind::Trap),
        Leave::InvalidInstruction => Some(TrapKind::InvalidInstruction),
        Leave::CodeEnd => Some(TrapKind::CodeEnd),
        Leave::InvalidJump => Some(TrapKind::InvalidJump),
        _ => None,
    }
}
