//! Programs: uploaded, counted, removed.

use crate::{
    Cause, CodeHash, CodeInfoOf, CodeInfos, Codes, Config, Error, Event, HoldReason, Pallet,
    deposits::{hold, release},
    execution::refusal,
    requests::length,
};
use frame_support::{BoundedVec, ensure, traits::Get as _};
use hatchery_primitives::{MemoryInfo, Module};
use sp_runtime::{DispatchError, DispatchResult};

/// What a PolkaVM container begins with. A byte that says which instructions it is made of comes next.
const MAGIC: &[u8] = b"PVM\0";

/// JamV1. The weights of guests hold for its instructions: those of other sets, such as `memset` and `sbrk`, do work that does not
/// depend on their gas.
const JAM_V1: u8 = 3;

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
        let has_other_instructions =
            code.starts_with(MAGIC) && code.get(MAGIC.len()).is_some_and(|version| *version != JAM_V1);
        ensure!(!has_other_instructions, Error::<T>::OtherInstructions);
        // Without its hash as identifier: the first use is to find nothing, and to pay for what is compiled lazily.
        let (module, _) = Module::from_bytes(&code, None).map_err(|_| match refusal() {
            Cause::LimitReached(limit) => Error::<T>::LimitReached { depth: 0, limit },
            _ => Error::<T>::InvalidProgram,
        })?;
        let pages = module.info().map(|info| pages(&info.memory)).map_err(|_| Error::<T>::InvalidProgram)?;
        ensure!(pages <= T::MaxProgramPages::get(), Error::<T>::TooMuchMemory);
        let length = length(&code);
        let deposit = Self::code_deposit(length);
        hold::<T>(HoldReason::Code, &owner, deposit).map_err(|_| Error::<T>::DepositUnaffordable)?;
        Codes::<T>::insert(code_hash, code);
        CodeInfos::<T>::insert(
            code_hash,
            CodeInfoOf::<T> { owner: owner.clone(), deposit, references: 0, length, pages },
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

/// How many pages of 4096 bytes a machine has.
fn pages(memory: &MemoryInfo) -> u32 {
    const PAGE: u64 = 4096;
    let bytes = [memory.read_only_bytes, memory.read_write_bytes, memory.stack_bytes];
    let bytes: u64 = bytes.into_iter().map(u64::from).sum();
    u32::try_from(bytes.div_ceil(PAGE)).unwrap_or(u32::MAX)
}
