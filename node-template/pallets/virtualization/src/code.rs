//! Programs: uploaded, counted, removed.

use crate::{
    Cause, CodeHash, CodeInfoOf, CodeInfos, Codes, Config, Error, Event, HoldReason, Pallet,
    deposits::{hold, release},
    execution::refusal,
    requests::length,
};
use frame_support::{BoundedVec, ensure};
use hatchery_primitives::Module;
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
    /// The hash that a program is stored under.
    pub fn code_hash(code: &[u8]) -> CodeHash {
        sp_io::hashing::blake2_256(code).into()
    }

    pub(crate) fn do_upload_code(
        owner: T::AccountId,
        code: BoundedVec<u8, T::MaxCodeLen>,
    ) -> Result<CodeHash, DispatchError> {
        let code_hash = Self::code_hash(&code);
        ensure!(!CodeInfos::<T>::contains_key(code_hash), Error::<T>::CodeExists);
        Module::from_bytes(&code, Some(code_hash.as_bytes())).map_err(|_| match refusal() {
            Cause::LimitReached(limit) => Error::<T>::LimitReached { depth: 0, limit },
            _ => Error::<T>::InvalidProgram,
        })?;
        let length = length(&code);
        let deposit = Self::code_deposit(length);
        hold::<T>(HoldReason::Code, &owner, deposit).map_err(|_| Error::<T>::DepositUnaffordable)?;
        Codes::<T>::insert(code_hash, code);
        CodeInfos::<T>::insert(
            code_hash,
            CodeInfoOf::<T> { owner: owner.clone(), deposit, references: 0, length },
        );
        Self::deposit_event(Event::CodeUploaded { code_hash, owner, deposit });
        Ok(code_hash)
    }

    pub(crate) fn do_remove_code(owner: &T::AccountId, code_hash: CodeHash) -> DispatchResult {
        let info = CodeInfos::<T>::get(code_hash).ok_or(Error::<T>::CodeNotFound)?;
        ensure!(info.owner == *owner, Error::<T>::NotCodeOwner);
        ensure!(info.references == 0, Error::<T>::CodeInUse);
        release::<T>(HoldReason::Code, &info.owner, info.deposit);
        CodeInfos::<T>::remove(code_hash);
        Codes::<T>::remove(code_hash);
        Self::deposit_event(Event::CodeRemoved { code_hash, owner: info.owner, deposit: info.deposit });
        Ok(())
    }

    /// Counts one more instance of a program.
    pub(crate) fn add_reference(code_hash: CodeHash) -> DispatchResult {
        CodeInfos::<T>::mutate(code_hash, |info| {
            let info = info.as_mut().ok_or(Error::<T>::CodeNotFound)?;
            info.references = info.references.checked_add(1).ok_or(sp_runtime::ArithmeticError::Overflow)?;
            Ok(())
        })
    }

    /// Counts one instance of a program less.
    pub(crate) fn remove_reference(code_hash: CodeHash) {
        CodeInfos::<T>::mutate_extant(code_hash, |info| info.references = info.references.saturating_sub(1));
    }
}
