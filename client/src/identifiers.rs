//! The modules of one manager by the keys they were compiled under.

use crate::program::Program;
use hatchery_primitives::CacheKey;
use std::{collections::BTreeMap, sync::Arc};

/// Whether a key is found here is told to the runtime, so it depends on the calls made and on nothing else.
///
/// Identifiers and keys of the main trie are one namespace, as upstream documents. A key in a child trie belongs
/// to that child trie.
#[derive(Debug, Default)]
pub(crate) struct Identifiers {
    main: Namespace,
    child_tries: BTreeMap<Box<[u8]>, Namespace>,
}

type Namespace = BTreeMap<Box<[u8]>, Arc<Program>>;

impl Identifiers {
    pub(crate) fn find(&self, key: CacheKey<'_>) -> Option<&Arc<Program>> {
        match key {
            CacheKey::Identifier(key) | CacheKey::MainTrie(key) => self.main.get(key),
            CacheKey::ChildTrie { child_trie, storage_key } => {
                self.child_tries.get(child_trie)?.get(storage_key)
            }
        }
    }

    /// Keeps the module under the key, or nothing. Gives what was kept under it before.
    pub(crate) fn set(&mut self, key: CacheKey<'_>, program: Option<Arc<Program>>) -> Option<Arc<Program>> {
        let (namespace, key) = match key {
            CacheKey::Identifier(key) | CacheKey::MainTrie(key) => (&mut self.main, key),
            CacheKey::ChildTrie { child_trie, storage_key } => {
                (self.child_tries.entry(child_trie.into()).or_default(), storage_key)
            }
        };
        match program {
            Some(program) => namespace.insert(key.into(), program),
            None => namespace.remove(key),
        }
    }
}

impl Identifiers {
    /// The modules, once for each key.
    pub(crate) fn programs(&self) -> impl Iterator<Item = &Arc<Program>> {
        self.main.values().chain(self.child_tries.values().flat_map(BTreeMap::values))
    }
}

/// A [`CacheKey`] that outlives the call it came with.
pub(crate) struct OwnedKey {
    child_trie: Option<Box<[u8]>>,
    key: Box<[u8]>,
}

impl From<CacheKey<'_>> for OwnedKey {
    fn from(key: CacheKey<'_>) -> Self {
        match key {
            CacheKey::Identifier(key) | CacheKey::MainTrie(key) => Self { child_trie: None, key: key.into() },
            CacheKey::ChildTrie { child_trie, storage_key } => {
                Self { child_trie: Some(child_trie.into()), key: storage_key.into() }
            }
        }
    }
}

impl OwnedKey {
    /// The same key, in the sense of [`Identifiers`].
    pub(crate) fn borrowed(&self) -> CacheKey<'_> {
        match &self.child_trie {
            None => CacheKey::Identifier(&self.key),
            Some(child_trie) => CacheKey::ChildTrie { child_trie, storage_key: &self.key },
        }
    }
}
