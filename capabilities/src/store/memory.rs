//! A store in memory.

use std::collections::BTreeMap;

use super::{BlobStore, Change, Record, StoreError};
use crate::hash::CapHash;

/// Keeps everything in memory.
#[derive(Clone, Default, Debug)]
pub struct MemoryStore {
    blobs: BTreeMap<CapHash, Vec<u8>>,
    records: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl BlobStore for MemoryStore {
    fn blob(&self, hash: CapHash) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.blobs.get(&hash).cloned())
    }

    fn record(&self, name: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.records.get(name).cloned())
    }

    fn records(&self) -> Result<Vec<Record>, StoreError> {
        Ok(self.records.clone().into_iter().collect())
    }

    fn hashes(&mut self) -> Result<Vec<CapHash>, StoreError> {
        Ok(self.blobs.keys().copied().collect())
    }

    fn commit(&mut self, changes: Vec<Change>) -> Result<(), StoreError> {
        for change in changes {
            match change {
                Change::Put { hash, bytes } => {
                    self.blobs.insert(hash, bytes);
                }
                Change::Remove { hash } => {
                    self.blobs.remove(&hash);
                }
                Change::Record { name, value: Some(value) } => {
                    self.records.insert(name, value);
                }
                Change::Record { name, value: None } => {
                    self.records.remove(&name);
                }
            }
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}
