//! What instances store: items in a child trie, each with its deposit.

use crate::{
    BalanceOf, Cause, Config, HoldReason, InstanceInfoOf, Instances, Pallet, StorageDeposits, TrieId,
    deposits::{DepositMeter, deposit_for},
    requests::length,
    runtime_api::ReadStorageError,
};
use alloc::vec::Vec;
use codec::{Decode, Encode};
use frame_support::{Blake2_128Concat, StorageHasher, storage::child, traits::Get};
use sp_core::storage::ChildInfo;
use sp_runtime::{Saturating, traits::Zero};

/// An item as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Item<AccountId, Balance> {
    /// From whom the deposit is held.
    pub(crate) depositor: AccountId,
    /// How much is held.
    pub(crate) deposit: Balance,
    /// What the guest stored.
    pub(crate) value: Vec<u8>,
}

pub(crate) type ItemOf<T> = Item<<T as frame_system::Config>::AccountId, BalanceOf<T>>;

/// The child trie of an instance.
pub(crate) fn child_trie(trie_id: &TrieId) -> ChildInfo {
    ChildInfo::new_default(trie_id)
}

/// The key of an item in its child trie. The hash in front keeps the trie flat whatever keys a guest chooses.
pub(crate) fn trie_key(key: &[u8]) -> Vec<u8> {
    Blake2_128Concat::hash(key)
}

pub(crate) fn get<T: Config>(trie_id: &TrieId, key: &[u8]) -> Option<ItemOf<T>> {
    child::get(&child_trie(trie_id), &trie_key(key))
}

/// Stores an item. Gives the length of the value that was there before.
///
/// An item has one depositor. If it comes to cost more, that is who pays for this call: its former depositor gets
/// everything back. If not, the depositor stays and gets the difference.
///
/// # Errors
/// The deposit cannot be held.
pub(crate) fn set<T: Config>(
    deposits: &mut DepositMeter<T>,
    info: &mut InstanceInfoOf<T>,
    key: &[u8],
    value: Vec<u8>,
) -> Result<Option<u32>, Cause> {
    let (trie, trie_key) = (child_trie(&info.trie_id), trie_key(key));
    let before: Option<ItemOf<T>> = child::get(&trie, &trie_key);
    let (old_length, new_length) = (before.as_ref().map(|item| length(&item.value)), length(&value));
    let deposit = deposit_for::<T>(key.len() as u64 + u64::from(new_length));
    let depositor = match before {
        Some(Item { depositor, deposit: old, .. }) if deposit <= old => {
            release_item(deposits, info, &depositor, old.saturating_sub(deposit));
            depositor
        }
        before => {
            if let Some(Item { depositor, deposit, .. }) = before {
                release_item(deposits, info, &depositor, deposit);
            }
            hold_item(deposits, info, deposit)?;
            deposits.payer().clone()
        }
    };
    if old_length.is_none() {
        info.storage.items = info.storage.items.saturating_add(1);
        info.storage.bytes = info.storage.bytes.saturating_add(key.len() as u64);
    }
    info.storage.bytes =
        info.storage.bytes.saturating_sub(old_length.unwrap_or(0).into()).saturating_add(new_length.into());
    child::put(&trie, &trie_key, &Item { depositor, deposit, value });
    Ok(old_length)
}

/// Removes an item. Gives the length of its value.
pub(crate) fn remove<T: Config>(
    deposits: &mut DepositMeter<T>,
    info: &mut InstanceInfoOf<T>,
    key: &[u8],
) -> Option<u32> {
    let (trie, trie_key) = (child_trie(&info.trie_id), trie_key(key));
    let Item { depositor, deposit, value }: ItemOf<T> = child::get(&trie, &trie_key)?;
    release_item(deposits, info, &depositor, deposit);
    info.storage.items = info.storage.items.saturating_sub(1);
    info.storage.bytes = info.storage.bytes.saturating_sub(key.len() as u64 + value.len() as u64);
    child::kill(&trie, &trie_key);
    Some(length(&value))
}

fn hold_item<T: Config>(
    deposits: &mut DepositMeter<T>,
    info: &mut InstanceInfoOf<T>,
    amount: BalanceOf<T>,
) -> Result<(), Cause> {
    if amount.is_zero() {
        return Ok(());
    }
    deposits.hold(HoldReason::Storage, amount)?;
    StorageDeposits::<T>::mutate(info.trie_id, deposits.payer(), |held| {
        *held = Some(held.unwrap_or_default().saturating_add(amount));
    });
    info.storage.deposit = info.storage.deposit.saturating_add(amount);
    Ok(())
}

fn release_item<T: Config>(
    deposits: &mut DepositMeter<T>,
    info: &mut InstanceInfoOf<T>,
    depositor: &T::AccountId,
    amount: BalanceOf<T>,
) {
    if amount.is_zero() {
        return;
    }
    deposits.release(HoldReason::Storage, depositor, amount);
    StorageDeposits::<T>::mutate_exists(info.trie_id, depositor, |held| {
        *held = Some(held.unwrap_or_default().saturating_sub(amount)).filter(|held| !held.is_zero());
    });
    info.storage.deposit = info.storage.deposit.saturating_sub(amount);
}

impl<T: Config> Pallet<T> {
    /// What an instance stored under a key.
    ///
    /// # Errors
    /// There is no such instance, or no instance can have such a key.
    pub fn read_storage(instance: &T::AccountId, key: &[u8]) -> Result<Option<Vec<u8>>, ReadStorageError> {
        if key.len() as u64 > u64::from(T::MaxKeyLen::get()) {
            return Err(ReadStorageError::KeyTooLong);
        }
        let info = Instances::<T>::get(instance).ok_or(ReadStorageError::InstanceNotFound)?;
        Ok(get::<T>(&info.trie_id, key).map(|item| item.value))
    }
}
