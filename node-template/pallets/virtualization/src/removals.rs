//! Storage of removed instances, cleared when there is time for it.

use crate::{
    BalanceOf, Config, Event, HoldReason, InstanceInfoOf, Pallet, RemovalQueue, Removals, StorageDeposits,
    TrieId, WeightInfo, deposits::release, items::child_trie,
};
use alloc::vec::Vec;
use frame_support::{
    storage::child,
    weights::{Weight, WeightMeter},
};

impl<T: Config> Pallet<T> {
    /// Has the storage of an instance cleared later.
    pub(crate) fn queue_removal(info: &InstanceInfoOf<T>) {
        RemovalQueue::<T>::mutate(|queue| {
            Removals::<T>::insert(queue.next, info.trie_id);
            queue.next = queue.next.saturating_add(1);
        });
    }

    /// With less weight than this in a block, what is left of a removed instance might never be less.
    pub(crate) fn least_clearing() -> Weight {
        T::WeightInfo::clear_nothing()
            .saturating_add(T::WeightInfo::clear_trie())
            .saturating_add(T::WeightInfo::clear_item())
            .saturating_add(T::WeightInfo::clear_deposit())
    }

    /// Clears storage of removed instances, the longest removed first, and gives the weight that this took, at most
    /// `limit`.
    ///
    /// First the items of a child trie go, then its deposits are released.
    pub fn clear_removed(limit: Weight) -> Weight {
        let mut meter = WeightMeter::with_limit(limit);
        if meter.try_consume(T::WeightInfo::clear_nothing()).is_err() {
            return Weight::zero();
        }
        let mut queue = RemovalQueue::<T>::get();
        let first = queue.first;
        while queue.first < queue.next {
            if meter.try_consume(T::WeightInfo::clear_trie()).is_err() {
                break;
            }
            if let Some(trie_id) = Removals::<T>::get(queue.first) {
                if !clear_items::<T>(&trie_id, &mut meter) || !release_deposits::<T>(&trie_id, &mut meter) {
                    break;
                }
                Removals::<T>::remove(queue.first);
                Self::deposit_event(Event::StorageCleared { trie_id });
            }
            queue.first += 1;
        }
        if queue.first != first {
            RemovalQueue::<T>::put(queue);
        }
        meter.consumed()
    }
}

/// Clears items as long as the weight lasts. Gives whether none is left.
fn clear_items<T: Config>(trie_id: &TrieId, meter: &mut WeightMeter) -> bool {
    // Going on behind the last key passes over what is cleared already but not yet gone from the overlay.
    let mut last = Vec::new();
    loop {
        if meter.try_consume(T::WeightInfo::clear_item()).is_err() {
            return false;
        }
        match clear_next_item(trie_id, &last) {
            Some(key) => last = key,
            None => return true,
        }
    }
}

/// Clears the item behind a key, and gives its own.
pub(crate) fn clear_next_item(trie_id: &TrieId, last: &[u8]) -> Option<Vec<u8>> {
    let trie = child_trie(trie_id);
    let key = sp_io::default_child_storage::next_key(trie.storage_key(), last)?;
    child::kill(&trie, &key);
    Some(key)
}

/// Releases deposits as long as the weight lasts. Gives whether none is left.
fn release_deposits<T: Config>(trie_id: &TrieId, meter: &mut WeightMeter) -> bool {
    let mut deposits = StorageDeposits::<T>::drain_prefix(trie_id);
    loop {
        if meter.try_consume(T::WeightInfo::clear_deposit()).is_err() {
            return false;
        }
        if !release_next_deposit::<T>(&mut deposits) {
            return true;
        }
    }
}

/// Releases the next deposit, if there is one.
pub(crate) fn release_next_deposit<T: Config>(
    deposits: &mut impl Iterator<Item = (T::AccountId, BalanceOf<T>)>,
) -> bool {
    let Some((depositor, amount)) = deposits.next() else { return false };
    release::<T>(HoldReason::Storage, &depositor, amount);
    true
}
