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
//! The buffer is a ring of 32 slots; sets of slots are bits of a `u32`. Each instruction is touched when something happens to it
//! and never in between: those that can start are sorted by the units they need, results are noted in advance under the cycle
//! in which they come, and cycles in which nothing but waiting happens are skipped.

use super::costs::{Cost, Demand, Unit};

const BUFFER: u32 = 32;
/// Numbers of registers, and of none.
const REGISTERS: u32 = 16;
const DECODE_SLOTS: u8 = 4;
const STARTS_A_CYCLE: u32 = 5;
const SLACK: u32 = 3;
/// Cycles, more than any latency; as many as there are bits in a set of cycles.
const HORIZON: u32 = u128::BITS;

/// Free execution units: a nibble for each kind, so that one subtraction takes several.
mod units {
    use crate::gas::costs::Unit;

    const ALU: u32 = 0x1;
    const LOAD: u32 = 0x10;
    const STORE: u32 = 0x100;
    const MUL: u32 = 0x1000;
    const DIV: u32 = 0x1_0000;
    /// Four ALUs, four load and store units, one multiplier, one divider.
    pub(super) const ALL: u32 = 4 * (ALU + LOAD + STORE) + MUL + DIV;

    /// What instructions take.
    pub(super) const TAKEN: [u32; Unit::COUNT] = {
        let mut taken = [0; Unit::COUNT];
        taken[Unit::Alu as usize] = ALU;
        taken[Unit::TwoAlus as usize] = 2 * ALU;
        taken[Unit::Load as usize] = ALU + LOAD;
        taken[Unit::Store as usize] = ALU + STORE;
        taken[Unit::Mul as usize] = ALU + MUL;
        taken[Unit::Div as usize] = ALU + DIV;
        taken
    };

    /// In the nibbles of the kinds of which there is none among free units, or only one ALU, the highest bit. The number of the
    /// nibble is that of the instructions that need it.
    pub(super) const fn short(free: u32) -> u32 {
        // What is there carries into the highest bit.
        !(free + 0x7_7776) & 0x8_8888
    }

    /// The ALUs among free units.
    pub(super) const fn alus(free: u32) -> u32 {
        free & 0xf
    }
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

    cycle: u32,
    slots_left: u8,
    units_left: u32,
    /// The oldest entry, and number of entries. They are numbered as they come; the slot is the number modulo the size of the buffer.
    head: u32,
    entries: u32,
    /// The slots whose result has not come.
    pending: u32,

    /// Sets of slots: those that wait for no result; those decoded in this cycle, which start in the next one at the earliest;
    /// those whose result came in the last cycle; those that can retire.
    ready: u32,
    decoded: u32,
    resulted: u32,
    executed: u32,
    /// For each cycle, modulo the horizon, the slots whose result comes in it; and the cycles for which there are any.
    results: [u32; HORIZON as usize],
    cycles_with_results: [u64; 2],

    /// For each slot: entries whose results it still waits for; entries that wait for its result; what it takes.
    waits_for: [u32; BUFFER as usize],
    waited_for_by: [u32; BUFFER as usize],
    latency: [u8; BUFFER as usize],
    unit: [Unit; BUFFER as usize],
    /// For each kind of units the slots that need them, whatever else they wait for. Of empty slots it says nothing.
    needs: [u32; Unit::COUNT],
    /// For each register the number of the entry that writes it. It may have been written long ago: then that entry is not pending, or
    /// older than the oldest. So nobody has to look through this when results come.
    writer: [u32; REGISTERS as usize],
}

impl<O: Observer> Pipeline<O> {
    pub(super) const fn new(observer: O) -> Self {
        Self {
            observer,
            cycle: 0,
            slots_left: DECODE_SLOTS,
            units_left: units::ALL,
            head: BUFFER,
            entries: 0,
            pending: 0,
            ready: 0,
            decoded: 0,
            resulted: 0,
            executed: 0,
            results: [0; HORIZON as usize],
            cycles_with_results: [0; 2],
            waits_for: [0; BUFFER as usize],
            waited_for_by: [0; BUFFER as usize],
            latency: [0; BUFFER as usize],
            unit: [Unit::None; BUFFER as usize],
            needs: [0; Unit::COUNT],
            writer: [0; REGISTERS as usize],
        }
    }

    /// Feeds the next instruction of the block.
    #[inline(always)]
    pub(super) fn dispatch(&mut self, demand: Demand) {
        let Demand { cost, sources, destination, renames } = demand;
        self.wait_to_decode(cost.slots);
        if renames {
            self.writer[register(destination)] = self.writer[register(sources[0])];
            self.slots_left -= cost.slots;
            self.observer.decoded(None, self.cycle);
            return;
        }
        let writers = sources.map(|source| {
            let number = self.writer[register(source)];
            let is_here = number.wrapping_sub(self.head) < BUFFER;
            mask(is_here) & 1 << (number % BUFFER)
        });
        let waits_for = writers.into_iter().fold(0, |slots, slot| slots | slot) & self.pending;
        let number = self.enter(cost, waits_for);
        // Nobody reads what is written nowhere.
        self.writer[register(destination)] = number;
    }

    /// Ends the block, gives its cost and starts anew.
    pub(super) fn finish(&mut self) -> u32 {
        while self.entries > 0 {
            self.tick(true);
        }
        let cost = self.cycle.saturating_sub(SLACK).max(1);
        self.cycle = 0;
        self.slots_left = DECODE_SLOTS;
        debug_assert_eq!((self.units_left, self.pending), (units::ALL, 0));
        if self.head > u32::MAX / 2 {
            // A block does not have as many instructions as there are numbers left.
            self.head = BUFFER;
            self.writer = [0; REGISTERS as usize];
        }
        cost
    }

    /// Puts an instruction into the next slot, and gives its number.
    #[inline]
    fn enter(&mut self, cost: Cost, waits_for: u32) -> u32 {
        let number = self.head + self.entries;
        let slot = number % BUFFER;
        let bit = 1u32 << slot;
        let at = slot as usize;
        self.waits_for[at] = waits_for;
        self.waited_for_by[at] = 0;
        for source in bits(waits_for) {
            self.waited_for_by[source as usize] |= bit;
        }
        self.latency[at] = cost.latency;
        self.needs[self.unit[at] as usize] &= !bit;
        self.needs[cost.unit as usize] |= bit;
        self.unit[at] = cost.unit;
        self.ready |= bit & mask(waits_for == 0);
        self.decoded |= bit;
        self.pending |= bit;
        self.entries += 1;
        self.slots_left -= cost.slots;
        self.observer.decoded(Some(slot), self.cycle);
        number
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
    #[inline(never)]
    fn tick(&mut self, ending: bool) {
        self.retire();
        let nothing_else_can_start = self.start();
        let decoder_is_stuck = ending || self.entries == BUFFER;
        let nothing_retires = self.resulted == 0 && self.executed.rotate_right(self.head) & 1 == 0;
        if decoder_is_stuck && nothing_else_can_start && nothing_retires && self.decoded == 0 {
            self.skip_to_next_result();
        }
        self.deliver();
        self.decoded = 0;
        self.slots_left = DECODE_SLOTS;
        self.cycle += 1;
    }

    /// Executed entries leave at the head, in order.
    #[inline]
    fn retire(&mut self) {
        if self.executed.rotate_right(self.head) & 1 == 0 {
            return;
        }
        let count = self.executed.rotate_right(self.head).trailing_ones();
        let gone = (((1u64 << count) - 1) as u32).rotate_left(self.head);
        self.executed &= !gone;
        for position in 0..count {
            self.observer.retired((self.head + position) % BUFFER, self.cycle);
        }
        self.head += count;
        self.entries -= count;
    }

    /// Up to five entries that wait for nothing start, oldest first, if there are units for them. Gives whether no other entry can
    /// start before some result frees units or is what an entry waits for.
    #[inline]
    fn start(&mut self) -> bool {
        for _ in 0..STARTS_A_CYCLE {
            let candidates = self.candidates();
            if candidates == 0 {
                return true;
            }
            let slot = (candidates.rotate_right(self.head).trailing_zeros() + self.head) % BUFFER;
            let unit = self.unit[slot as usize];
            self.ready &= !(1 << slot);
            self.units_left -= units::TAKEN[unit as usize];
            let result = (self.cycle + u32::from(self.latency[slot as usize]) - 1) % HORIZON;
            self.results[result as usize] |= 1 << slot;
            self.cycles_with_results[result as usize / 64] |= 1 << (result % 64);
            self.observer.started(slot, self.cycle);
        }
        false
    }

    /// The entries that wait for nothing and for which there are units.
    #[inline]
    fn candidates(&self) -> u32 {
        let candidates = self.ready & !self.decoded;
        let mut short = units::short(self.units_left);
        if candidates == 0 || short == 0 {
            return candidates;
        }
        if units::alus(self.units_left) == 0 {
            return candidates & self.needs[Unit::None as usize];
        }
        let mut blocked = 0;
        while short != 0 {
            blocked |= self.needs[short.trailing_zeros() as usize / 4];
            short &= short - 1;
        }
        candidates & !blocked
    }

    /// Advances the clock to the next result, if there is going to be any.
    fn skip_to_next_result(&mut self) {
        let [low, high] = self.cycles_with_results.map(u128::from);
        let next = (high << 64 | low).rotate_right(self.cycle % HORIZON).trailing_zeros();
        // Without results there would be none for ever; then time stands still here and the caller goes on.
        self.cycle += next % HORIZON;
    }

    /// Results become visible in the last cycle of execution; the entry is done one cycle later.
    #[inline]
    fn deliver(&mut self) {
        for slot in bits(self.resulted) {
            self.observer.executed(slot, self.cycle);
        }
        self.executed |= self.resulted;
        let now = self.cycle % HORIZON;
        let results = core::mem::take(&mut self.results[now as usize]);
        self.resulted = results;
        if results == 0 {
            return;
        }
        self.cycles_with_results[now as usize / 64] &= !(1 << (now % 64));
        self.pending &= !results;
        let mut waiters = 0;
        for slot in bits(results) {
            self.units_left += units::TAKEN[self.unit[slot as usize] as usize];
            waiters |= self.waited_for_by[slot as usize];
        }
        for waiter in bits(waiters) {
            let waits_for = &mut self.waits_for[waiter as usize];
            *waits_for &= !results;
            self.ready |= mask(*waits_for == 0) & 1 << waiter;
        }
    }
}

/// The place of a register among all, which no look at their number has to confirm.
#[inline(always)]
const fn register(number: u32) -> usize {
    (number % REGISTERS) as usize
}

/// All bits, or none.
#[inline]
const fn mask(condition: bool) -> u32 {
    0u32.wrapping_sub(condition as u32)
}

/// The numbers of the set bits.
#[inline]
fn bits(mut set: u32) -> impl Iterator<Item = u32> {
    core::iter::from_fn(move || {
        let bit = (set != 0).then(|| set.trailing_zeros());
        set &= set.wrapping_sub(1);
        bit
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gas::{Cache, costs};
    use crate::isa::InstructionSet;
    use crate::program::MAX_CODE_SIZE;

    #[test]
    fn cycles_do_not_overflow() {
        let latencies = InstructionSet::ALL.into_iter().flat_map(|set| {
            [false, true]
                .into_iter()
                .flat_map(move |cmov| costs::rows(set, cmov).iter().map(|row| row.cost.latency))
        });
        let loads = [Cache::L1, Cache::L2, Cache::L3].map(Cache::load_latency);
        let longest = latencies.chain(loads).map(u32::from).max().unwrap();
        assert!(longest < HORIZON, "{longest} cycles are noted where other results are");
        // Were each byte of code an instruction, and each of them to wait for the one before it: a block still has a cost.
        assert!(MAX_CODE_SIZE.checked_mul(longest + 1).is_some());
    }
}
