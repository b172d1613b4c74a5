//! What is stored of a job: each page of its memory under its own key, so that only those that change are written.

use super::{Config, most_pages};
use crate::{TrieId, items::child_trie};
use alloc::{collections::BTreeMap, vec::Vec};
use codec::{Decode, Encode};
use frame_support::{storage::child, traits::Get};
use hatchery_primitives::SnapshotParts;
use sp_core::storage::ChildInfo;

const EXPORT: &[u8] = b"export";
const INPUT: &[u8] = b"input";
const STATE: &[u8] = b"state";

/// What is not pages.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
struct Head {
    version: u8,
    head: Vec<u8>,
    digest: [u8; 32],
    /// The numbers of the pages.
    pages: Vec<u32>,
    pending: Option<PendingCall>,
}

/// A syscall for which the gas of a slice did not suffice, to be made again in the next; or the one by which the job has yielded.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct PendingCall {
    pub(super) symbol: Vec<u8>,
    pub(super) arguments: [u64; 6],
}

/// A job between two slices.
#[derive(Debug)]
pub(super) struct StoredState {
    pub(super) parts: SnapshotParts,
    pub(super) pending: Option<PendingCall>,
}

/// Stores what a job begins with.
pub(super) fn begin(trie_id: &TrieId, export: &[u8], input: &[u8]) {
    let trie = child_trie(trie_id);
    child::put_raw(&trie, EXPORT, export);
    child::put_raw(&trie, INPUT, input);
}

pub(super) fn export(trie_id: &TrieId) -> Vec<u8> {
    child::get_raw(&child_trie(trie_id), EXPORT).unwrap_or_default()
}

pub(super) fn input(trie_id: &TrieId) -> Vec<u8> {
    child::get_raw(&child_trie(trie_id), INPUT).unwrap_or_default()
}

/// The state of a job that has had a slice.
pub(super) fn load(trie_id: &TrieId) -> Option<StoredState> {
    let trie = child_trie(trie_id);
    let Head { version, head, digest, pages, pending } = child::get(&trie, STATE)?;
    let page = |page| (page, child::get_raw(&trie, &page_key(page)).unwrap_or_default());
    let parts = SnapshotParts { version, head, pages: pages.into_iter().map(page).collect(), digest };
    Some(StoredState { parts, pending })
}

/// Stores the state of a job, where it differs from what is stored. Gives whether it may be so large.
pub(super) fn store<T: Config>(
    trie_id: &TrieId,
    before: Option<&SnapshotParts>,
    parts: SnapshotParts,
    pending: Option<PendingCall>,
) -> bool {
    let is_small = parts.pages.len() <= most_pages::<T>() as usize
        && parts.encoded_size() <= T::MaxJobSnapshotLen::get() as usize;
    if !is_small {
        return false;
    }
    let trie = child_trie(trie_id);
    let mut stored: BTreeMap<u32, &[u8]> = before
        .map(|before| before.pages.iter().map(|(page, bytes)| (*page, bytes.as_slice())).collect())
        .unwrap_or_default();
    for (page, bytes) in &parts.pages {
        if stored.remove(page) != Some(bytes) {
            child::put_raw(&trie, &page_key(*page), bytes);
        }
    }
    for page in stored.into_keys() {
        child::kill(&trie, &page_key(page));
    }
    let SnapshotParts { version, head, pages, digest } = parts;
    let pages = pages.into_iter().map(|(page, _)| page).collect();
    child::put(&trie, STATE, &Head { version, head, digest, pages, pending });
    true
}

/// Removes everything.
pub(super) fn clear(trie_id: &TrieId) {
    let trie = child_trie(trie_id);
    for page in pages(&trie) {
        child::kill(&trie, &page_key(page));
    }
    for key in [EXPORT, INPUT, STATE] {
        child::kill(&trie, key);
    }
}

fn pages(trie: &ChildInfo) -> Vec<u32> {
    child::get::<Head>(trie, STATE).map(|head| head.pages).unwrap_or_default()
}

/// The key of a page in a child trie.
pub(crate) fn page_key(page: u32) -> [u8; 5] {
    let [a, b, c, d] = page.to_be_bytes();
    [b'p', a, b, c, d]
}
