//! The live processes, and which of them are runnable.

use hatchery_engine::{Exit, Instance, Status};

use crate::abi::{Call, Descriptor, ProcessId};
use crate::source::Program;

/// Where a process is in the table, as long as it lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Slot(pub(crate) u8);

/// The most slots there can be: one bit of a word for each.
pub(crate) const MOST_SLOTS: usize = 64;

/// A live process.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) id: ProcessId,
    pub(crate) program: Program,
    pub(crate) instance: Instance,
    pub(crate) calls: Calls,
    pub(crate) state: State,
    /// What it was started with; some may be closed or given away since.
    pub(crate) inherited: Box<[Descriptor]>,
    /// Who waits for its end, a bit for each slot.
    pub(crate) waiters: u64,
    /// What it has used.
    pub(crate) gas: u64,
}

impl Process {
    /// What it does next. If its embedder has made it go on elsewhere, since memory was missing for a call, that call is not made any
    /// more.
    pub(crate) fn next(&self) -> State {
        match (self.state, self.instance.status()) {
            (State::Calling(_), Status::Stopped(Exit::Syscall(_))) => self.state,
            (State::Calling(_), _) => State::Ready,
            (state, _) => state,
        }
    }
}

/// Which imports of a process's program are which calls, as far as somebody has asked: comparing names takes longer than some calls.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Calls {
    /// By the number of the import: 0 nobody has asked, 1 it is the embedder's, otherwise two more than the call's number.
    known: [u8; 32],
}

impl Calls {
    /// The call that an instance of this program has made with a syscall; none: it is the embedder's.
    #[inline]
    pub(crate) fn of(&mut self, instance: &Instance, number: u32) -> Option<Call> {
        match self.known.get(number as usize) {
            None | Some(0) => self.look_up(instance, number),
            Some(known) => Call::ALL.get(usize::from(*known).wrapping_sub(2)).copied(),
        }
    }

    #[cold]
    fn look_up(&mut self, instance: &Instance, number: u32) -> Option<Call> {
        let symbol = instance.module().imports().get(number as usize);
        let call = symbol.and_then(|symbol| Call::from_symbol(symbol));
        if let Some(known) = self.known.get_mut(number as usize) {
            *known = call.map_or(1, |call| call as u8 + 2);
        }
        call
    }
}

/// What a process does next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    /// It executes.
    Ready,
    /// It has made a call that is not done yet, since gas or the host fell short. Runnable.
    Calling(Call),
    /// It waits for the end of a process, whose status goes to this address.
    Waiting { target: Slot, status: u32 },
    /// It is blocked at an end of a pipe.
    Piping(Piping),
}

/// A read or write that has begun.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Piping {
    pub(crate) descriptor: Descriptor,
    pub(crate) buffer: u32,
    /// Bytes of the buffer; not zero.
    pub(crate) length: u64,
    /// Bytes that the other end has taken; 0 for a read, which ends with the first bytes.
    pub(crate) done: u64,
    /// Where the number of bytes goes.
    pub(crate) count: u32,
}

impl State {
    pub(crate) const fn is_runnable(self) -> bool {
        matches!(self, Self::Ready | Self::Calling(_))
    }
}

/// The live processes. Slots are stable; ranks are the order of ids, so that the runnable process with the largest id is the
/// highest bit of a word.
#[derive(Debug)]
pub(crate) struct Table {
    slots: Vec<Option<Process>>,
    /// By rank.
    order: [u8; MOST_SLOTS],
    /// By slot.
    ranks: [u8; MOST_SLOTS],
    live: u8,
    /// A bit for each rank.
    runnable: u64,
    limit: usize,
}

impl Table {
    /// No processes, and place for so many: at most [`MOST_SLOTS`].
    pub(crate) fn new(limit: u32) -> Self {
        let limit = (limit as usize).min(MOST_SLOTS);
        Self {
            slots: Vec::new(),
            order: [0; MOST_SLOTS],
            ranks: [0; MOST_SLOTS],
            live: 0,
            runnable: 0,
            limit,
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        usize::from(self.live) >= self.limit
    }

    /// Adds a process, whose id is larger than all others, in the first free slot; none: there is no place.
    pub(crate) fn insert(&mut self, process: Process) -> Option<Slot> {
        let free = self.slots.iter().position(Option::is_none).unwrap_or(self.slots.len());
        self.insert_at(free, process)
    }

    /// As `insert`, in a slot that is free.
    pub(crate) fn insert_at(&mut self, at: usize, process: Process) -> Option<Slot> {
        if self.is_full() || at >= self.limit || self.slots.get(at).is_some_and(Option::is_some) {
            return None;
        }
        if at >= self.slots.len() {
            self.slots.resize_with(at + 1, || None);
        }
        let is_runnable = process.state.is_runnable();
        self.slots[at] = Some(process);
        let (slot, rank) = (at as u8, self.live);
        self.order[usize::from(rank)] = slot;
        self.ranks[at] = rank;
        self.live += 1;
        self.set_runnable(Slot(slot), is_runnable);
        Some(Slot(slot))
    }

    /// Takes a process out.
    pub(crate) fn remove(&mut self, slot: Slot) -> Option<Process> {
        let process = self.slots.get_mut(usize::from(slot.0))?.take()?;
        let rank = self.ranks[usize::from(slot.0)];
        self.order.copy_within(usize::from(rank) + 1..usize::from(self.live), rank.into());
        self.live -= 1;
        for rank in rank..self.live {
            self.ranks[usize::from(self.order[usize::from(rank)])] = rank;
        }
        let below = (1 << rank) - 1;
        self.runnable = (self.runnable & below) | (self.runnable >> 1 & !below);
        Some(process)
    }

    /// The runnable process with the largest id.
    #[inline]
    pub(crate) fn largest_runnable(&self) -> Option<Slot> {
        let rank = self.runnable.checked_ilog2()?;
        Some(Slot(self.order[rank as usize]))
    }

    #[inline]
    pub(crate) fn get(&self, slot: Slot) -> Option<&Process> {
        self.slots.get(usize::from(slot.0))?.as_ref()
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, slot: Slot) -> Option<&mut Process> {
        self.slots.get_mut(usize::from(slot.0))?.as_mut()
    }

    /// Two processes, if there are and they are not the same.
    pub(crate) fn two_mut(&mut self, a: Slot, b: Slot) -> Option<[&mut Process; 2]> {
        let [a, b] = self.slots.get_disjoint_mut([usize::from(a.0), usize::from(b.0)]).ok()?;
        Some([a.as_mut()?, b.as_mut()?])
    }

    /// Sets what a process does next.
    #[inline(always)]
    pub(crate) fn set_state(&mut self, slot: Slot, state: State) {
        if let Some(process) = self.get_mut(slot) {
            process.state = state;
            self.set_runnable(slot, state.is_runnable());
        }
    }

    #[inline]
    fn set_runnable(&mut self, slot: Slot, is_runnable: bool) {
        let bit = 1 << self.ranks[usize::from(slot.0)];
        self.runnable = if is_runnable { self.runnable | bit } else { self.runnable & !bit };
    }

    /// The slot of a process.
    pub(crate) fn find(&self, id: ProcessId) -> Option<Slot> {
        let live = &self.order[..usize::from(self.live)];
        let id_of = |slot: u8| self.get(Slot(slot)).map_or(ProcessId(u64::MAX), |process| process.id);
        let rank = live.binary_search_by_key(&id, |&slot| id_of(slot)).ok()?;
        Some(Slot(live[rank]))
    }

    /// The same processes, which share all memory with these until either writes it.
    pub(crate) fn fork(&mut self) -> Self {
        let fork = |process: &mut Process| Process {
            id: process.id,
            program: process.program.clone(),
            instance: process.instance.fork(),
            calls: process.calls,
            state: process.state,
            inherited: process.inherited.clone(),
            waiters: process.waiters,
            gas: process.gas,
        };
        let slots = self.slots.iter_mut().map(|slot| slot.as_mut().map(fork)).collect();
        Self { slots, ..*self }
    }

    /// The slots in the order of the ids.
    pub(crate) fn in_order(&self) -> impl ExactSizeIterator<Item = Slot> {
        self.order[..usize::from(self.live)].iter().map(|&slot| Slot(slot))
    }
}
