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

    /// Keeps the module under the key; one that was kept under it before is no longer.
    pub(crate) fn insert(&mut self, key: CacheKey<'_>, program: Arc<Program>) {
        let (namespace, key) = match key {
            CacheKey::Identifier(key) | CacheKey::MainTrie(key) => (&mut self.main, key),
            CacheKey::ChildTrie { child_trie, storage_key } => {
                (self.child_tries.entry(child_trie.into()).or_default(), storage_key)
            }
        };
        namespace.insert(key.into(), program);
    }
}
