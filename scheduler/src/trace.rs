//! The schedule as it was: who ran, what it used, what it called, and what came of it.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use crate::abi::{Call, ProcessId};
use crate::source::Program;
use crate::status::Status;

/// One thing that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// To or by whom.
    pub process: ProcessId,
    /// What the meter read afterwards: the gas that all processes have used until then.
    pub gas: u64,
    /// What.
    pub event: Event,
}

/// What can happen to a process.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// It came into being.
    Started {
        /// Who started it; the root was started by nobody.
        parent: Option<ProcessId>,
        /// What it executes.
        program: Program,
    },
    /// It made a call, which is done.
    Returned {
        /// The call.
        call: Call,
        /// What it returned in `a0`.
        value: u64,
    },
    /// It made a call that has to wait for another process.
    Blocked {
        /// The call.
        call: Call,
    },
    /// What it was blocked at is done.
    Woken {
        /// What the call returned in `a0`.
        value: u64,
    },
    /// It replaced its program.
    Executed {
        /// By this one.
        program: Program,
    },
    /// It called the embedder.
    Surfaced {
        /// The number of the syscall, an index of its program's imports.
        number: u32,
    },
    /// It ended.
    Ended {
        /// How.
        status: Status,
        /// More about it, for people; not part of the hash.
        detail: Option<Arc<str>>,
    },
}

/// A record of the schedule, with a hash over all of it.
///
/// Equal schedules have equal hashes: whatever the backend, and however often a run was cut by limits, pauses or suspensions.
#[derive(Clone, Debug)]
pub struct Trace {
    entries: Vec<Entry>,
    keep: usize,
    count: u64,
    hash: blake2b_simd::State,
    expected: Option<Expected>,
    divergence: Option<Divergence>,
}

/// What a schedule is compared with.
#[derive(Clone, Debug)]
struct Expected {
    entries: Vec<Entry>,
    /// Whether there were no others behind them.
    is_whole: bool,
}

/// Where a schedule is not as the one that it was compared with.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("entry {index} of the schedule is {got:?}, was {expected:?}")]
pub struct Divergence {
    /// Which entry, from 0.
    pub index: u64,
    /// What was there; none: the schedule was over.
    pub expected: Option<Entry>,
    /// What is there now.
    pub got: Entry,
}

impl Trace {
    /// Keeps the first `keep` entries, and the hash of all.
    pub fn new(keep: usize) -> Self {
        let hash = blake2b_simd::Params::new().hash_length(32).to_state();
        Self { entries: Vec::new(), keep, count: 0, hash, expected: None, divergence: None }
    }

    /// Keeps nothing, and compares every entry with those that a recorded schedule has kept. Whether the schedule went on as
    /// long, and what was not kept, is in the count and the hash.
    pub fn replay(expected: &Self) -> Self {
        let is_whole = expected.count == expected.entries.len() as u64;
        let entries = expected.entries.clone();
        Self { expected: Some(Expected { entries, is_whole }), ..Self::new(0) }
    }

    /// The entries that were kept.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entries that were kept, and what the meter read when the process began to run that each is of, and when it stopped. None: it
    /// did not run, but another did something to it, whose own entry follows.
    pub fn slices(&self) -> impl Iterator<Item = (&Entry, Option<Range<u64>>)> {
        let mut fresh = BTreeSet::new();
        let mut last = 0;
        self.entries.iter().map(move |entry| {
            let was_fresh = fresh.remove(&entry.process);
            let has_run = match entry.event {
                Event::Started { parent, .. } => {
                    fresh.insert(entry.process);
                    parent.is_none()
                }
                Event::Woken { .. } => false,
                // Whoever starts what cannot be executed pays for it.
                Event::Ended { status: Status::BadImage(_), .. } => !was_fresh,
                _ => true,
            };
            let slice = has_run.then_some(last..entry.gas);
            if has_run {
                last = entry.gas;
            }
            (entry, slice)
        })
    }

    /// How many entries there were, kept or not.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The Blake2b-256 hash of all entries.
    pub fn hash(&self) -> [u8; 32] {
        let mut hash = [0; 32];
        hash.copy_from_slice(self.hash.finalize().as_bytes());
        hash
    }

    /// The first entry that was not as expected; none, too, if nothing was expected.
    pub fn divergence(&self) -> Option<&Divergence> {
        self.divergence.as_ref()
    }

    pub(crate) fn record(&mut self, process: ProcessId, gas: u64, event: Event) {
        let entry = Entry { process, gas, event };
        self.digest(&entry);
        if let Some(expected) = &self.expected
            && self.divergence.is_none()
        {
            let known = usize::try_from(self.count).ok().and_then(|index| expected.entries.get(index));
            if known != Some(&entry) && (known.is_some() || expected.is_whole) {
                let (index, expected, got) = (self.count, known.cloned(), entry.clone());
                self.divergence = Some(Divergence { index, expected, got });
            }
        }
        self.count += 1;
        if self.entries.len() < self.keep {
            self.entries.push(entry);
        }
    }

    /// Of each entry the process, the gas, a byte that tells events apart, and what the event has; numbers little-endian,
    /// identifiers behind their lengths.
    fn digest(&mut self, entry: &Entry) {
        let mut bytes = [0; 64];
        let mut at = 0;
        let mut put = |part: &[u8]| {
            bytes[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        };
        put(&entry.process.0.to_le_bytes());
        put(&entry.gas.to_le_bytes());
        let mut identifier: &[u8] = &[];
        let put_program = |put: &mut dyn FnMut(&[u8]), program: &Program| {
            put(&program.offset.to_le_bytes());
            put(&program.length.to_le_bytes());
            put(&(program.identifier.len() as u64).to_le_bytes());
        };
        match &entry.event {
            Event::Started { parent, program } => {
                put(&[0]);
                put(&parent.map_or(u64::MAX, |parent| parent.0).to_le_bytes());
                put_program(&mut put, program);
                identifier = &program.identifier;
            }
            Event::Returned { call, value } => {
                put(&[1, *call as u8]);
                put(&value.to_le_bytes());
            }
            Event::Blocked { call } => put(&[2, *call as u8]),
            Event::Woken { value } => {
                put(&[3]);
                put(&value.to_le_bytes());
            }
            Event::Executed { program } => {
                put(&[4]);
                put_program(&mut put, program);
                identifier = &program.identifier;
            }
            Event::Surfaced { number } => {
                put(&[5]);
                put(&number.to_le_bytes());
            }
            Event::Ended { status, .. } => {
                put(&[6]);
                put(&status.to_bytes());
                if let Status::Trapped(fault) = status {
                    put(&fault.pc.to_le_bytes());
                    put(&fault.address.map_or(u64::MAX, u64::from).to_le_bytes());
                }
            }
        }
        self.hash.update(&bytes[..at]);
        self.hash.update(identifier);
    }
}
