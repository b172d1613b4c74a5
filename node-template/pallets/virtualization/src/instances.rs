//! Instances: how they come to be and how they end.

use crate::{
    BalanceOf, CodeHash, Config, Error, Event, HoldReason, InstanceCount, InstanceInfoOf, Instances, Pallet,
    TrieId,
    deposits::{DepositMeter, deposit_for, release},
    execution::Fault,
    runtime_api::StorageUsage,
};
use codec::{DecodeAll as _, Encode as _, MaxEncodedLen as _};
use frame_support::{
    ensure,
    traits::{
        fungible::{Inspect as _, Mutate as _},
        tokens::Preservation,
    },
};
use sp_runtime::{
    DispatchResult, Saturating as _,
    traits::{TrailingZeroInput, Zero as _},
};

impl<T: Config> Pallet<T> {
    /// The address of the instance that `owner` makes of a program with this input and salt.
    ///
    /// It depends on nothing else, so it is known beforehand and can be sent funds, and whoever knows the five parts can
    /// see for himself what runs there.
    pub fn instance_address(
        owner: &T::AccountId,
        code_hash: CodeHash,
        input: &[u8],
        salt: &[u8; 32],
    ) -> T::AccountId {
        let parts = (b"hatchery/instance/1", owner, code_hash, sp_io::hashing::blake2_256(input), salt);
        let hash = sp_io::hashing::blake2_256(&parts.encode());
        codec::Decode::decode(&mut TrailingZeroInput::new(&hash))
            .expect("an account can be decoded from any bytes that do not end; qed")
    }

    /// What is held for an instance without items.
    pub fn instance_deposit() -> BalanceOf<T> {
        deposit_for::<T>(InstanceInfoOf::<T>::max_encoded_len() as u64)
    }

    /// Makes an instance that has not run yet.
    pub(crate) fn create_instance(
        deposits: &mut DepositMeter<T>,
        code_hash: CodeHash,
        value: BalanceOf<T>,
        input: &[u8],
        salt: &[u8; 32],
    ) -> Result<(T::AccountId, InstanceInfoOf<T>), Fault> {
        let owner = deposits.payer().clone();
        let instance = Self::instance_address(&owner, code_hash, input, salt);
        ensure!(!Instances::<T>::contains_key(&instance), Fault::other(Error::<T>::InstanceExists));
        Self::add_reference(code_hash)?;
        let endowment = T::Currency::minimum_balance().saturating_add(value);
        T::Currency::transfer(&owner, &instance, endowment, Preservation::Preserve)
            .map_err(|_| Fault::other(Error::<T>::TransferFailed { depth: 0 }))?;
        // Nothing but its end may take the account away under the instance.
        frame_system::Pallet::<T>::inc_consumers(&instance)
            .map_err(|_| Fault::other(Error::<T>::AccountInUse))?;
        let deposit = Self::instance_deposit();
        deposits.hold(HoldReason::Instance, deposit).map_err(|cause| Fault::guest(cause, 0))?;
        let info = InstanceInfoOf::<T> {
            owner,
            code_hash,
            trie_id: new_trie_id::<T>(&instance),
            deposit,
            storage: StorageUsage::default(),
        };
        Instances::<T>::insert(&instance, &info);
        Ok((instance, info))
    }

    pub(crate) fn do_remove_instance(owner: &T::AccountId, instance: &T::AccountId) -> DispatchResult {
        let info = Instances::<T>::get(instance).ok_or(Error::<T>::InstanceNotFound { depth: 0 })?;
        ensure!(info.owner == *owner, Error::<T>::NotInstanceOwner);
        Self::end_instance(instance, &info, owner, None)
    }

    /// Ends an instance that is not running. Its whole balance goes to the beneficiary. With the meter of a call, its guest has ended
    /// it.
    pub(crate) fn end_instance(
        instance: &T::AccountId,
        info: &InstanceInfoOf<T>,
        beneficiary: &T::AccountId,
        deposits: Option<&mut DepositMeter<T>>,
    ) -> DispatchResult {
        let by_guest = deposits.is_some();
        match deposits {
            Some(deposits) => deposits.release(HoldReason::Instance, &info.owner, info.deposit),
            None => release::<T>(HoldReason::Instance, &info.owner, info.deposit),
        }
        Self::remove_reference(info.code_hash);
        Self::queue_removal(info);
        Instances::<T>::remove(instance);
        frame_system::Pallet::<T>::dec_consumers(instance);
        let balance = T::Currency::balance(instance);
        if !balance.is_zero() {
            T::Currency::transfer(instance, beneficiary, balance, Preservation::Expendable)
                .map_err(|_| Error::<T>::AccountInUse)?;
        }
        Self::deposit_event(Event::Removed {
            instance: instance.clone(),
            beneficiary: beneficiary.clone(),
            by_guest,
        });
        Ok(())
    }
}

/// The name of a child trie that no instance had before.
fn new_trie_id<T: Config>(instance: &T::AccountId) -> TrieId {
    let count = InstanceCount::<T>::mutate(|count| {
        *count = count.saturating_add(1);
        *count
    });
    sp_io::hashing::blake2_256(&(b"hatchery/trie/1", instance, count).encode())
}

/// An account of the bytes that a guest gave.
pub(crate) fn decode_account<T: Config>(bytes: &[u8]) -> Option<T::AccountId> {
    T::AccountId::decode_all(&mut &*bytes).ok()
}
