//! Where capabilities are kept: bytes by hash, and named records.

mod memory;
#[cfg(feature = "parity-db")]
mod parity;

pub use memory::MemoryStore;
#[cfg(feature = "parity-db")]
pub use parity::ParityStore;

use crate::hash::CapHash;

/// Keeps bytes by the hash of the capability that they are, and small records by name.
///
/// What one [`BlobStore::commit`] says happens as a whole or, if the process ends before it is on disk, not at all.
pub trait BlobStore: Send + core::fmt::Debug {
    /// The bytes of a capability, if they are here.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn blob(&self, hash: CapHash) -> Result<Option<Vec<u8>>, StoreError>;

    /// The record of this name, if there is one.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn record(&self, name: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// All records, in the order of their names.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn records(&self) -> Result<Vec<Record>, StoreError>;

    /// The hashes of all capabilities, in ascending order.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn hashes(&mut self) -> Result<Vec<CapHash>, StoreError>;

    /// Does all of these changes. Reads see them at once.
    ///
    /// # Errors
    /// If the store cannot be written; then nothing was done.
    fn commit(&mut self, changes: Vec<Change>) -> Result<(), StoreError>;

    /// Returns when everything committed is where it survives the end of the process.
    ///
    /// # Errors
    /// If the store cannot be written.
    fn sync(&mut self) -> Result<(), StoreError>;
}

/// A record: its name and what it says.
pub type Record = (Vec<u8>, Vec<u8>);

/// A change of a store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// Keep a capability.
    Put {
        /// Its hash.
        hash: CapHash,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// Keep it no longer.
    Remove {
        /// Its hash.
        hash: CapHash,
    },
    /// Set or remove a record.
    Record {
        /// Its name.
        name: Vec<u8>,
        /// What it says; none removes it.
        value: Option<Vec<u8>>,
    },
}

/// A store does not work. Guests are not at fault.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the store cannot {operation}: {reason}")]
pub struct StoreError {
    /// What was tried.
    pub operation: &'static str,
    /// Why it failed.
    pub reason: String,
}
