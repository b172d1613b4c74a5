//! A store on disk: parity-db.

use std::fmt;
use std::path::{Path, PathBuf};

use parity_db::{BTreeIterator, ColumnOptions, CompressionType, Db, Options};

use super::{BlobStore, Change, Record, StoreError};
use crate::hash::CapHash;

/// Capabilities: from hash to hash and bytes. The hash is there twice because the database does not list keys.
const BLOBS: u8 = 0;
/// Records by name, in order.
const RECORDS: u8 = 1;
const HASH: usize = 32;

/// Keeps everything in a folder.
///
/// Commits are written by a thread of the database: a process that is killed loses the last of them, as a whole, unless
/// [`BlobStore::sync`] returned after them.
pub struct ParityStore {
    path: PathBuf,
    /// None only while it is being reopened, or after that failed.
    db: Option<Db>,
}

impl ParityStore {
    /// Opens the store in this folder, or makes it.
    ///
    /// # Errors
    /// If the folder cannot be written, is in use, or holds something else.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref().to_owned();
        let db = Some(open(&path)?);
        Ok(Self { path, db })
    }

    fn db(&self) -> Result<&Db, StoreError> {
        self.db.as_ref().ok_or_else(|| StoreError {
            operation: "be used",
            reason: "it could not be opened again after it was written".into(),
        })
    }
}

fn open(path: &Path) -> Result<Db, StoreError> {
    let mut options = Options::with_columns(path, 2);
    options.columns[usize::from(BLOBS)] =
        ColumnOptions { uniform: true, compression: CompressionType::Lz4, ..ColumnOptions::default() };
    options.columns[usize::from(RECORDS)] = ColumnOptions { btree_index: true, ..ColumnOptions::default() };
    Db::open_or_create(&options).map_err(failed("open"))
}

fn failed(operation: &'static str) -> impl Fn(parity_db::Error) -> StoreError {
    move |error| StoreError { operation, reason: error.to_string() }
}

impl BlobStore for ParityStore {
    fn blob(&self, hash: CapHash) -> Result<Option<Vec<u8>>, StoreError> {
        let value = self.db()?.get(BLOBS, &hash.0).map_err(failed("read a capability"))?;
        Ok(value.and_then(|value| Some(value.get(HASH..)?.to_vec())))
    }

    fn record(&self, name: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.db()?.get(RECORDS, name).map_err(failed("read a record"))
    }

    fn records(&self) -> Result<Vec<Record>, StoreError> {
        let all = |mut records: BTreeIterator<'_>| {
            records.seek_to_first()?;
            let mut all = Vec::new();
            while let Some(record) = records.next()? {
                all.push(record);
            }
            Ok(all)
        };
        self.db()?.iter(RECORDS).and_then(all).map_err(failed("list the records"))
    }

    fn hashes(&mut self) -> Result<Vec<CapHash>, StoreError> {
        // What was committed just now is not listed before it is in its place.
        self.sync()?;
        let mut hashes = Vec::new();
        let add = |state: parity_db::ValueIterState| {
            if let Some(hash) = state.value.get(..HASH).and_then(|hash| hash.try_into().ok()) {
                hashes.push(CapHash(hash));
            }
            true
        };
        self.db()?.iter_column_while(BLOBS, add).map_err(failed("list the capabilities"))?;
        hashes.sort_unstable();
        hashes.dedup();
        Ok(hashes)
    }

    fn commit(&mut self, changes: Vec<Change>) -> Result<(), StoreError> {
        let changes = changes.into_iter().map(|change| match change {
            Change::Put { hash, bytes } => (BLOBS, hash.0.to_vec(), Some([&hash.0[..], &bytes].concat())),
            Change::Remove { hash } => (BLOBS, hash.0.to_vec(), None),
            Change::Record { name, value } => (RECORDS, name, value),
        });
        self.db()?.commit(changes).map_err(failed("be written"))
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        // The database writes everything when it is closed, and has no other way to wait for that.
        self.db = None;
        self.db = Some(open(&self.path)?);
        Ok(())
    }
}

impl fmt::Debug for ParityStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParityStore").field("path", &self.path).finish_non_exhaustive()
    }
}
