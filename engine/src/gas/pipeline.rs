//! The pipeline gas model: a simulation of an out-of-order processor running one block.
//!
//! ```text
//!            4 slots a cycle              at most 5 starts a cycle,          in order
//!            (a full buffer waits)        oldest first, units permitting
//!  decode ---------------------> waiting -------------------> executing ---> executed ---> retired
//!                \___________________ reorder buffer, 32 entries ______________________/
//! ```
//!
//! An instruction waits for the entries that will write its sources. `move_reg` only renames a register and takes no
//! entry. The cost of the block is the number of cycles until the buffer is empty, less three, at least one.
//!
//! The buffer is a ring of 32 slots; sets of slots are bits of a `u32`. Cycles in which nothing but waiting happens are
//! skipped, so that the time taken depends on the number of instructions, not on their latencies.

use crate::gas::{Cache, Variant};
use crate::isa::{Decoded, GasClass, Instruction, InstructionSet, Opcode, Reg};
use crate::program::Code;

const BUFFER: u32 = 32;
const DECODE_SLOTS: u8 = 4;
const STARTS_A_CYCLE: u32 = 5;
const SLACK: u32 = 3;
/// No entry is going to write the register.
const NOBODY: u8 = 0xff;

/// Execution units, one nibble for each kind, so that one subtraction takes several.
mod unit {
    pub(super) const ALU: u32 = 0x1;
    pub(super) const LOAD: u32 = 0x10;
    pub(super) const STORE: u32 = 0x100;
    pub(super) const MUL: u32 = 0x1000;
    pub(super) const DIV: u32 = 0x1_0000;
    /// Four ALUs, four load and store units, one multiplier, one divider.
    pub(super) const ALL: u32 = 4 * (ALU + LOAD + STORE) + MUL + DIV;
    /// A bit above each nibble's count, set while the count is not negative.
    pub(super) const GUARD: u32 = 0x8_8888;
}

/// What an instruction takes.
#[derive(Clone, Copy)]
struct Cost {
    /// Cycles from start to result.
    latency: u8,
    /// Decode slots.
    slots: u8,
    /// Execution units.
    units: u32,
}

/// Learns what happens to the instructions of a block, cycle by cycle. `()` takes no notice.
pub(super) trait Observer {
    /// An instruction was decoded and entered this slot of the buffer; none: it only renamed a register.
    fn decoded(&mut self, _slot: Option<u32>, _cycle: u32) {}
    /// It started to execute.
    fn started(&mut self, _slot: u32, _cycle: u32) {}
    /// Its result was written: it no longer executes.
    fn executed(&mut self, _slot: u32, _cycle: u32) {}
    /// It left the buffer.
    fn retired(&mut self, _slot: u32, _cycle: u32) {}
}

impl Observer for () {}

/// The state of the simulation.
#[derive(Debug)]
pub(super) struct Pipeline<O = ()> {
    pub(super) observer: O,
    load_latency: u8,
    cmov_reads_destination: bool,
    /// 1 if registers have 64 bits: 32-bit results take sign extension then.
    extension: u8,
    /// Opcode bytes that make a branch cheap when it leads to or falls through to them.
    cheap_bytes: [Option<u8>; 2],

    cycle: u32,
    slots_left: u8,
    units_left: u32,
    /// Slot of the oldest entry, and number of entries.
    head: u32,
    entries: u32,

    /// Sets of slots.
    decoding: u32,
    ready: u32,
    executing: u32,
    executed: u32,

    /// For each slot: entries whose results it still waits for; entries that wait for its result.
    waits_for: [u32; BUFFER as usize],
    waited_for_by: [u32; BUFFER as usize],
    /// For each slot: the cycle in whose course its result is there, its latency, its units, the registers it writes.
    result_at: [u32; BUFFER as usize],
    latency: [u8; BUFFER as usize],
    units: [u32; BUFFER as usize],
    writes: [u16; BUFFER as usize],
    /// For each register the slot that is going to write it.
    writer: [u8; 16],
}

impl<O: Observer> Pipeline<O> {
    pub(super) fn new(set: InstructionSet, cache: Cache, variant: Variant, observer: O) -> Self {
        // polkavm up to 0.35 uses 255 for "no such opcode" when it peeks.
        let unlikely = match variant {
            Variant::V033 => Some(set.byte(Opcode::Unlikely).unwrap_or(255)),
            Variant::V037 => set.byte(Opcode::Unlikely),
        };
        Self {
            observer,
            load_latency: cache.load_latency(),
            cmov_reads_destination: variant == Variant::V037,
            extension: u8::from(set.is_64_bit()),
            cheap_bytes: [set.byte(Opcode::Trap), unlikely],
            cycle: 0,
            slots_left: DECODE_SLOTS,
            units_left: unit::ALL | unit::GUARD,
            head: 0,
            entries: 0,
            decoding: 0,
            ready: 0,
            executing: 0,
            executed: 0,
            waits_for: [0; BUFFER as usize],
            waited_for_by: [0; BUFFER as usize],
            result_at: [0; BUFFER as usize],
            latency: [0; BUFFER as usize],
            units: [0; BUFFER as usize],
            writes: [0; BUFFER as usize],
            writer: [NOBODY; 16],
        }
    }

    /// Feeds the next instruction of the block.
    #[inline]
    pub(super) fn dispatch(&mut self, code: &Code, decoded: &Decoded) {
        let Some(instruction) = &decoded.instruction else {
            return self.enter(None, [None, None, None], Cost { latency: 2, slots: 1, units: 0 });
        };
        let registers = instruction.registers();
        let [s1, s2] = registers.reads;
        let class = instruction.opcode.info().gas;
        match class {
            GasClass::Move => self.rename(instruction.d, instruction.s1),
            GasClass::Branch => {
                let latency = if self.is_cheap(code, decoded.next_pc, instruction.target) { 1 } else { 20 };
                self.enter(None, [s1, s2, None], Cost { latency, slots: 1, units: unit::ALU });
            }
            // What a jump reads and writes does not matter any more: it ends the block.
            GasClass::Jump | GasClass::JumpIndirect => {
                let base = if class == GasClass::JumpIndirect { s1 } else { None };
                self.enter(None, [base, None, None], self.cost(class, instruction));
            }
            GasClass::Cmov | GasClass::CmovImm => {
                let destination = if self.cmov_reads_destination { registers.writes } else { None };
                self.enter(registers.writes, [s1, s2, destination], self.cost(class, instruction));
            }
            _ => self.enter(registers.writes, [s1, s2, None], self.cost(class, instruction)),
        }
    }

    /// Ends the block, gives its cost and starts anew.
    pub(super) fn finish(&mut self) -> u32 {
        while self.entries > 0 {
            self.tick(true);
        }
        let cost = self.cycle.saturating_sub(SLACK).max(1);
        self.cycle = 0;
        self.slots_left = DECODE_SLOTS;
        self.head = 0;
        self.writer = [NOBODY; 16];
        debug_assert_eq!(self.units_left, unit::ALL | unit::GUARD);
        cost
    }

    /// Whether the branch is cheap: a trap or `unlikely` (seen by its byte) or the end of the code on one of its ways.
    fn is_cheap(&self, code: &Code, next_pc: u32, target: u32) -> bool {
        [next_pc, target]
            .into_iter()
            .any(|pc| code.byte(pc).is_none_or(|byte| self.cheap_bytes.contains(&Some(byte))))
    }

    /// The numbers of the model.
    fn cost(&self, class: GasClass, i: &Instruction) -> Cost {
        use GasClass as G;
        let cost = |latency, slots, units| Cost { latency, slots, units };
        // A two-address machine needs a move more when the destination is none of the sources.
        let [s1, s2] = i.registers().reads;
        let fresh = u8::from(Some(i.d) != s1 && Some(i.d) != s2);
        let fresh_first = u8::from(Some(i.d) != s1);
        let extension = self.extension;
        match class {
            G::Trap => cost(2, 1, 0),
            G::Unlikely => cost(40, 1, 0),
            G::Host => cost(100, 4, unit::ALU),
            G::Move => cost(0, 1, 0),
            G::LoadImm => cost(1, 1, 0),
            G::LoadImm64 => cost(1, 2, 0),
            G::Load => cost(self.load_latency, 1, unit::ALU + unit::LOAD),
            G::Store => cost(25, 1, unit::ALU + unit::STORE),
            G::Jump => cost(15, 1, 0),
            G::JumpIndirect => cost(22, 1, 0),
            G::Branch => cost(20, 1, unit::ALU),
            G::Simple64 => cost(1, 1 + fresh, unit::ALU),
            G::Simple32 => cost(1 + extension, 1 + extension + fresh, unit::ALU),
            G::Bits => cost(1, 1, unit::ALU),
            G::CountTrailing => cost(2, 1, 2 * unit::ALU),
            G::Shift64 => cost(1, 2 + fresh_first, unit::ALU),
            G::Shift32 => cost(1 + extension, 2 + extension + fresh_first, unit::ALU),
            G::ShiftAlt64 => cost(1, 3, unit::ALU),
            G::ShiftAlt32 => cost(2, 4, unit::ALU),
            G::Compare => cost(3, 3, unit::ALU),
            G::Cmov => cost(2, 2, unit::ALU),
            G::CmovImm => cost(2, 3, unit::ALU),
            G::MinMax => cost(3, 2 + fresh, unit::ALU),
            G::InvertedLogic => cost(2, 3, unit::ALU),
            G::Xnor => cost(2, 2 + fresh, unit::ALU),
            G::Negate64 => cost(2, 3, unit::ALU),
            G::Negate32 => cost(3, 4, unit::ALU),
            G::Mul64 => cost(3, 1 + fresh, unit::ALU + unit::MUL),
            G::Mul32 => cost(4, 2 + fresh, unit::ALU + unit::MUL),
            G::MulUpper => cost(4, 4, unit::ALU + unit::MUL),
            G::MulUpperMixed => cost(6, 4, unit::ALU + unit::MUL),
            G::Divide => cost(60, 4, unit::ALU + unit::DIV),
        }
    }

    /// `move_reg`: the destination is from now on written by whoever writes the source.
    fn rename(&mut self, d: Reg, s: Reg) {
        self.wait_to_decode(1);
        let bit = 1 << d as u16;
        let (old, new) = (self.writer[d as usize], self.writer[s as usize]);
        if old != NOBODY {
            self.writes[usize::from(old)] &= !bit;
        }
        if new != NOBODY {
            self.writes[usize::from(new)] |= bit;
        }
        self.writer[d as usize] = new;
        self.slots_left -= 1;
        self.observer.decoded(None, self.cycle);
    }

    fn enter(&mut self, d: Option<Reg>, sources: [Option<Reg>; 3], cost: Cost) {
        self.wait_to_decode(cost.slots);
        let slot = (self.head + self.entries) % BUFFER;
        let bit = 1u32 << slot;
        let mut waits_for = 0;
        for source in sources.into_iter().flatten() {
            let writer = self.writer[source as usize];
            if writer != NOBODY {
                waits_for |= 1 << writer;
                self.waited_for_by[usize::from(writer)] |= bit;
            }
        }
        let slot = slot as usize;
        self.waits_for[slot] = waits_for;
        self.waited_for_by[slot] = 0;
        self.latency[slot] = cost.latency;
        self.units[slot] = cost.units;
        self.writes[slot] = 0;
        if let Some(d) = d {
            let old = self.writer[d as usize];
            if old != NOBODY {
                self.writes[usize::from(old)] &= !(1 << d as u16);
            }
            self.writes[slot] = 1 << d as u16;
            self.writer[d as usize] = slot as u8;
        }
        self.decoding |= bit;
        self.entries += 1;
        self.slots_left -= cost.slots;
        self.observer.decoded(Some(slot as u32), self.cycle);
    }

    /// Lets time pass until `slots` decode slots and an entry are free.
    #[inline]
    fn wait_to_decode(&mut self, slots: u8) {
        if self.slots_left < slots || self.entries == BUFFER {
            self.tick(false);
            while self.entries == BUFFER {
                self.tick(false);
            }
        }
    }

    /// One cycle, and with it those that follow in which nothing would happen. Nothing more is decoded when `ending`.
    fn tick(&mut self, ending: bool) {
        self.retire();
        let units_or_entries_are_short = self.start();
        let decoder_is_stuck = ending || self.entries == BUFFER;
        let head_is_done = self.executed >> self.head & 1 != 0;
        if decoder_is_stuck
            && units_or_entries_are_short
            && self.decoding == 0
            && self.executing != 0
            && !head_is_done
        {
            self.skip_to_next_result();
        }
        self.execute();
        self.move_decoded_to_waiting();
        self.slots_left = DECODE_SLOTS;
        self.cycle += 1;
    }

    /// Executed entries leave at the head, in order.
    fn retire(&mut self) {
        let count = self.executed.rotate_right(self.head).trailing_ones();
        if count > 0 {
            let gone = (((1u64 << count) - 1) as u32).rotate_left(self.head);
            self.executed &= !gone;
            for position in 0..count {
                self.observer.retired((self.head + position) % BUFFER, self.cycle);
            }
            self.head = (self.head + count) % BUFFER;
            self.entries -= count;
        }
    }

    /// Up to five waiting entries without open dependencies start, oldest first, if there are units for them. Gives whether
    /// no other entry can start before some result frees units or fulfils a dependency.
    fn start(&mut self) -> bool {
        let mut candidates = self.ready.rotate_right(self.head);
        let mut started = 0;
        while candidates != 0 && started < STARTS_A_CYCLE {
            let position = candidates.trailing_zeros();
            candidates &= candidates - 1;
            let slot = (position + self.head) % BUFFER;
            let left = self.units_left - self.units[slot as usize];
            if left & unit::GUARD == unit::GUARD {
                self.units_left = left;
                self.ready &= !(1 << slot);
                self.executing |= 1 << slot;
                self.result_at[slot as usize] = self.cycle + u32::from(self.latency[slot as usize]) - 1;
                self.observer.started(slot, self.cycle);
                started += 1;
            }
        }
        started < STARTS_A_CYCLE
    }

    /// Advances the clock to just before the next result or the next completion.
    fn skip_to_next_result(&mut self) {
        let mut next = u32::MAX;
        let mut set = self.executing;
        while set != 0 {
            let slot = set.trailing_zeros() as usize;
            set &= set - 1;
            // An entry whose result came in the last cycle completes in this one.
            next = next.min(self.result_at[slot].max(self.cycle));
        }
        self.cycle = next;
    }

    /// Results become visible in the last cycle of execution; the entry is done one cycle later.
    fn execute(&mut self) {
        let mut set = self.executing;
        while set != 0 {
            let slot = set.trailing_zeros();
            set &= set - 1;
            let at = slot as usize;
            if self.result_at[at] == self.cycle {
                self.units_left += self.units[at];
                for reg in bits(u32::from(self.writes[at])) {
                    self.writer[reg as usize] = NOBODY;
                }
                self.writes[at] = 0;
                for waiter in bits(self.waited_for_by[at]) {
                    let waits_for = &mut self.waits_for[waiter as usize];
                    *waits_for &= !(1 << slot);
                    if *waits_for == 0 && self.decoding >> waiter & 1 == 0 {
                        self.ready |= 1 << waiter;
                    }
                }
                self.waited_for_by[at] = 0;
            } else if self.result_at[at] < self.cycle {
                self.executing &= !(1 << slot);
                self.executed |= 1 << slot;
                self.observer.executed(slot, self.cycle);
            }
        }
    }

    fn move_decoded_to_waiting(&mut self) {
        for slot in bits(self.decoding) {
            if self.waits_for[slot as usize] == 0 {
                self.ready |= 1 << slot;
            }
        }
        self.decoding = 0;
    }
}

/// The numbers of the set bits.
fn bits(mut set: u32) -> impl Iterator<Item = u32> {
    core::iter::from_fn(move || {
        let bit = (set != 0).then(|| set.trailing_zeros());
        set &= set.wrapping_sub(1);
        bit
    })
}
