//! What the embedder gives to a machine: meters, quotas, markers and files.

use std::collections::BTreeMap;

use codec::{Decode, DecodeAll, Encode};
use hatchery_engine::{Instance, MemoryError, Reg};

use crate::cache::{CacheDirectory, CacheError};
use crate::hash::CapHash;

/// What a machine asks of who embeds it.
///
/// All of it must be a function of the calls made, for two machines to agree.
pub trait KernelAssist {
    /// How much gas is left in a meter; 0 if there is none.
    fn gas_meter(&self, meter: u64) -> u64;

    /// Sets a meter and gives what was left in it.
    fn set_gas_meter(&mut self, meter: u64, gas: u64) -> u64;

    /// How many bytes may still be stored at the expense of a quota; 0 if there is none.
    fn storage_quota(&self, quota: u64) -> u64;

    /// Sets a quota and gives what was left of it.
    fn set_storage_quota(&mut self, quota: u64, bytes: u64) -> u64;

    /// Whether yields with this marker are registered for this catcher. Both are hashes of capabilities.
    fn catches(&self, catcher: CapHash, marker: CapHash) -> bool;

    /// Registers a marker for a catcher.
    fn add_marker(&mut self, catcher: CapHash, marker: CapHash);

    /// The opposite of [`KernelAssist::add_marker`].
    fn remove_marker(&mut self, catcher: CapHash, marker: CapHash);

    /// Whether the embedder itself deals with yields of this marker that nobody on the stack catches.
    fn embedder_catches(&self, marker: CapHash) -> bool {
        let _ = marker;
        false
    }

    /// The data of a file that an instance with the chain `owner` has saved; none if there is no such file.
    fn open_file(&mut self, owner: CapHash, file: u64) -> Option<CapHash>;

    /// Makes a file of data for instances with the chain `owner` and gives its number. The quota has been charged.
    fn save_file(&mut self, owner: CapHash, data: CapHash) -> u64;

    /// An operation that the machine does not know: 27 and up. [`Embedded::Trap`] unless the embedder answers it.
    fn ecall(&mut self, call: &mut EmbedderCall<'_>) -> Embedded {
        let _ = call;
        Embedded::Trap
    }

    /// The capabilities that this names: what must not be collected as garbage.
    fn roots(&self) -> Vec<CapHash> {
        Vec::new()
    }

    /// A point to which [`KernelAssist::roll_back`] can return.
    fn checkpoint(&mut self) -> u64;

    /// Undoes all changes since a checkpoint, but for those of gas meters: gas that was spent is gone.
    fn roll_back(&mut self, checkpoint: u64);

    /// No checkpoint will be returned to.
    fn forget_checkpoints(&mut self);
}

/// What the embedder did about an operation of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Embedded {
    /// The program goes on.
    Done,
    /// There was not enough gas ([`EmbedderCall::charge`]), and nothing was done. It is asked for again when there is more.
    OutOfGas,
    /// The program traps.
    Trap,
}

/// An operation that the machine leaves to the embedder.
#[derive(Debug)]
pub struct EmbedderCall<'a> {
    /// Its number.
    pub number: u32,
    /// What the calling instance is an instance of.
    pub chain: CapHash,
    pub(crate) machine: &'a mut Instance,
}

impl EmbedderCall<'_> {
    /// A register of the caller.
    pub fn reg(&self, reg: Reg) -> u64 {
        self.machine.reg(reg)
    }

    /// Sets a register of the caller. Results are in `a0`.
    pub fn set_reg(&mut self, reg: Reg, value: u64) {
        self.machine.set_reg(reg, value);
    }

    /// Reads the caller's memory.
    ///
    /// # Errors
    /// If some byte is not mapped.
    pub fn read(&self, address: u32, into: &mut [u8]) -> Result<(), MemoryError> {
        self.machine.memory().read(address, into)
    }

    /// Writes the caller's memory.
    ///
    /// # Errors
    /// If some byte is not mapped or read-only; nothing is written then.
    pub fn write(&mut self, address: u32, bytes: &[u8]) -> Result<(), MemoryError> {
        self.machine.memory_mut().write(address, bytes)
    }

    /// Takes gas from the caller; false, and nothing is taken, if it has less.
    #[must_use]
    pub fn charge(&mut self, gas: u64) -> bool {
        let left = i64::try_from(gas)
            .ok()
            .and_then(|gas| self.machine.gas().checked_sub(gas))
            .filter(|&left| left >= 0);
        if let Some(left) = left {
            self.machine.set_gas(left);
        }
        left.is_some()
    }
}

/// Meters, quotas, markers and files in memory, as plain data that can be kept and loaded.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct InProcessAssist {
    meters: BTreeMap<u64, u64>,
    quotas: BTreeMap<u64, u64>,
    /// Markers by catcher.
    markers: BTreeMap<CapHash, Vec<CapHash>>,
    /// What the embedder catches.
    own_markers: Vec<CapHash>,
    files: BTreeMap<(CapHash, u64), CapHash>,
    next_file: BTreeMap<CapHash, u64>,
    /// How to undo what was done, the latest last.
    journal: Vec<Undo>,
    /// Whether there is a checkpoint to return to.
    is_journaling: bool,
}

/// What undoes a change.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
enum Undo {
    Quota { quota: u64, was: Option<u64> },
    Markers { catcher: CapHash, were: Option<Vec<CapHash>> },
    File { owner: CapHash, next_was: Option<u64> },
}

/// The record of a store that keeps them.
const RECORD: &[u8] = b"assist";

impl InProcessAssist {
    /// What the store of a directory has kept; nothing if it has not.
    ///
    /// # Errors
    /// If the store cannot be read, or its record is damaged.
    pub fn load(cache: &CacheDirectory) -> Result<Self, CacheError> {
        let Some(bytes) = cache.record(RECORD)? else { return Ok(Self::default()) };
        let damaged = |_| CacheError::Record { name: String::from_utf8_lossy(RECORD).into_owned() };
        Self::decode_all(&mut &bytes[..]).map_err(damaged)
    }

    /// The record to give to [`CacheDirectory::commit`], so that capabilities and what lies outside of them are kept by one
    /// change.
    pub fn record(&self) -> (Vec<u8>, Option<Vec<u8>>) {
        (RECORD.to_vec(), Some(self.encode()))
    }

    /// Makes the embedder catch yields with this marker that nobody else catches.
    pub fn catch(&mut self, marker: CapHash) {
        if !self.own_markers.contains(&marker) {
            self.own_markers.push(marker);
        }
    }

    /// All meters with what is left in them.
    pub fn gas_meters(&self) -> impl Iterator<Item = (u64, u64)> {
        self.meters.iter().map(|(&meter, &gas)| (meter, gas))
    }

    /// All quotas with what is left of them.
    pub fn storage_quotas(&self) -> impl Iterator<Item = (u64, u64)> {
        self.quotas.iter().map(|(&quota, &bytes)| (quota, bytes))
    }

    /// The data of all files: what must not be collected as garbage.
    pub fn files(&self) -> impl Iterator<Item = CapHash> {
        self.files.values().copied()
    }

    fn note_markers(&mut self, catcher: CapHash) {
        let were = self.markers.get(&catcher).cloned();
        self.note(Undo::Markers { catcher, were });
    }

    fn note(&mut self, undo: Undo) {
        if self.is_journaling {
            self.journal.push(undo);
        }
    }
}

impl KernelAssist for InProcessAssist {
    fn gas_meter(&self, meter: u64) -> u64 {
        self.meters.get(&meter).copied().unwrap_or(0)
    }

    fn set_gas_meter(&mut self, meter: u64, gas: u64) -> u64 {
        self.meters.insert(meter, gas).unwrap_or(0)
    }

    fn storage_quota(&self, quota: u64) -> u64 {
        self.quotas.get(&quota).copied().unwrap_or(0)
    }

    fn set_storage_quota(&mut self, quota: u64, bytes: u64) -> u64 {
        let was = self.quotas.insert(quota, bytes);
        self.note(Undo::Quota { quota, was });
        was.unwrap_or(0)
    }

    fn catches(&self, catcher: CapHash, marker: CapHash) -> bool {
        self.markers.get(&catcher).is_some_and(|markers| markers.contains(&marker))
    }

    fn add_marker(&mut self, catcher: CapHash, marker: CapHash) {
        self.note_markers(catcher);
        let markers = self.markers.entry(catcher).or_default();
        if !markers.contains(&marker) {
            markers.push(marker);
        }
    }

    fn remove_marker(&mut self, catcher: CapHash, marker: CapHash) {
        self.note_markers(catcher);
        if let Some(markers) = self.markers.get_mut(&catcher) {
            markers.retain(|other| *other != marker);
        }
    }

    fn embedder_catches(&self, marker: CapHash) -> bool {
        self.own_markers.contains(&marker)
    }

    fn open_file(&mut self, owner: CapHash, file: u64) -> Option<CapHash> {
        self.files.get(&(owner, file)).copied()
    }

    fn save_file(&mut self, owner: CapHash, data: CapHash) -> u64 {
        let file = self.next_file.get(&owner).copied().unwrap_or(1);
        let next_was = self.next_file.insert(owner, file + 1);
        self.files.insert((owner, file), data);
        self.note(Undo::File { owner, next_was });
        file
    }

    fn roots(&self) -> Vec<CapHash> {
        self.files().collect()
    }

    fn checkpoint(&mut self) -> u64 {
        self.is_journaling = true;
        self.journal.len() as u64
    }

    fn roll_back(&mut self, checkpoint: u64) {
        while self.journal.len() as u64 > checkpoint
            && let Some(undo) = self.journal.pop()
        {
            match undo {
                Undo::Quota { quota, was } => restore(&mut self.quotas, quota, was),
                Undo::Markers { catcher, were } => restore(&mut self.markers, catcher, were),
                Undo::File { owner, next_was } => {
                    self.files.remove(&(owner, next_was.unwrap_or(1)));
                    restore(&mut self.next_file, owner, next_was);
                }
            }
        }
    }

    fn forget_checkpoints(&mut self) {
        self.journal.clear();
        self.is_journaling = false;
    }
}

fn restore<Key: Ord, Value>(map: &mut BTreeMap<Key, Value>, key: Key, was: Option<Value>) {
    match was {
        Some(value) => map.insert(key, value),
        None => map.remove(&key),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_but_gas_is_rolled_back() {
        let [a, b] = [CapHash([1; 32]), CapHash([2; 32])];
        let mut assist = InProcessAssist::default();
        assist.set_storage_quota(1, 100);
        assist.add_marker(a, b);
        let file = assist.save_file(a, b);
        let before = assist.clone();
        let checkpoint = assist.checkpoint();
        assert_eq!(assist.set_storage_quota(1, 50), 100);
        assist.set_storage_quota(2, 50);
        assist.remove_marker(a, b);
        assist.add_marker(b, a);
        assert_eq!([assist.save_file(a, a), assist.save_file(b, a)], [2, 1]);
        assert_eq!(assist.set_gas_meter(3, 7), 0);
        assist.roll_back(checkpoint);
        assist.forget_checkpoints();
        assert_eq!(assist.gas_meter(3), 7);
        assist.meters.clear();
        assert_eq!(assist, before);
        assert_eq!(
            (assist.open_file(a, file), assist.open_file(b, file)),
            (Some(b), None),
            "files have owners"
        );
    }

    #[test]
    fn it_is_written_and_read() {
        let mut assist = InProcessAssist::default();
        assist.set_storage_quota(1, 100);
        assist.catch(CapHash([1; 32]));
        assert_eq!(InProcessAssist::decode(&mut &assist.encode()[..]), Ok(assist));
    }
}
