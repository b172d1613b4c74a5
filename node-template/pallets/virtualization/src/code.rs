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

/// The most exports that a program may have. An upload looks at all of them, which takes as much time for each as hundreds of bytes of
/// code.
pub const MAX_EXPORTS: u32 = 256;

/// The most imports that a program may have.
pub const MAX_IMPORTS: u32 = 64;

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
        // Before it is compiled, as each takes time.
        let Symbols { imports, exports } = symbols(&code).ok_or(Error::<T>::InvalidProgram)?;
        ensure!(imports <= MAX_IMPORTS && exports <= MAX_EXPORTS, Error::<T>::TooManySymbols);
        // Without its hash as identifier: the first use is to find nothing, and to pay for what is compiled lazily.
        let (module, _) = Module::from_bytes(&code, None).map_err(|_| match refusal() {
            Cause::LimitReached(limit) => Error::<T>::LimitReached { depth: 0, limit },
            _ => Error::<T>::InvalidProgram,
        })?;
        let info = module.info();
        // Whatever comes of it, this is not one of the programs that the block uses.
        module.release().map_err(|_| Error::<T>::InvalidProgram)?;
        let pages = info.map(|info| pages(&info.memory)).map_err(|_| Error::<T>::InvalidProgram)?;
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

/// How many symbols a program says that it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Symbols {
    imports: u32,
    exports: u32,
}

/// Reads no more of a container than how its sections begin. None if that does not add up. Whether the rest does is found out when it is
/// compiled.
fn symbols(code: &[u8]) -> Option<Symbols> {
    const VERSION_AND_LENGTH: usize = 9;
    // Sections come in the order of their numbers, and those of symbols before the code.
    const IMPORTS: u8 = 4;
    const EXPORTS: u8 = 5;
    let mut rest = code.strip_prefix(MAGIC)?.get(VERSION_AND_LENGTH..)?;
    let mut symbols = Symbols::default();
    loop {
        let (section, behind) = rest.split_first()?;
        if !(1..=EXPORTS).contains(section) {
            return Some(symbols);
        }
        let (length, behind) = varint(behind)?;
        let (contents, behind) = behind.split_at_checked(length as usize)?;
        // A section without contents has no symbols either.
        let count = || if contents.is_empty() { Some(0) } else { varint(contents).map(|(count, _)| count) };
        match *section {
            IMPORTS => symbols.imports = symbols.imports.saturating_add(count()?),
            EXPORTS => symbols.exports = symbols.exports.saturating_add(count()?),
            _ => {}
        }
        rest = behind;
    }
}

/// A number as the container has them, and what comes behind it: as many ones as the first byte begins with say how many bytes follow,
/// lowest first; the rest of the first byte is the top. None if it takes more than 32 bits.
fn varint(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let more = first.leading_ones();
    if more > 4 {
        return None;
    }
    let (low, rest) = rest.split_at_checked(more as usize)?;
    let top = u64::from(*first) & (0x7f >> more);
    let number = low.iter().rev().fold(top, |number, byte| number << 8 | u64::from(*byte));
    Some((u32::try_from(number).ok()?, rest))
}

/// How many pages of 4096 bytes a machine has.
fn pages(memory: &MemoryInfo) -> u32 {
    const PAGE: u64 = 4096;
    let bytes = [memory.read_only_bytes, memory.read_write_bytes, memory.stack_bytes];
    let bytes: u64 = bytes.into_iter().map(u64::from).sum();
    u32::try_from(bytes.div_ceil(PAGE)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mock::{HELLO, SCRIPT, TALLY, TOKEN, TRAPS, in_block};
    use alloc::vec::Vec;

    #[test]
    fn symbols_are_counted_as_they_are_compiled() {
        in_block(|| {
            let programs = [HELLO, SCRIPT, TALLY, TOKEN, TRAPS].map(<[u8]>::to_vec);
            let many = [(0, 0), (1, 64), (127, 0), (128, 1), (256, 64), (20_000, 300)]
                .map(|(exports, imports)| crate::tests::programs::symbols(4096, exports, imports));
            for code in programs.into_iter().chain(many) {
                let (module, _) = Module::from_bytes(&code, None).expect("it is valid");
                let info = module.info().expect("it was just compiled");
                let counted = symbols(&code).expect("it is valid");
                assert_eq!(counted.exports as usize, info.exports.len());
                assert_eq!(counted.imports as usize, info.imports.len());
            }
        });
    }

    #[test]
    fn no_container_has_more_symbols_than_it_says() {
        let container = |sections: &[u8]| -> Vec<u8> { [b"PVM\0\x03length..", sections].concat() };
        let count = |sections: &[u8]| symbols(&container(sections)).map(|symbols| symbols.exports);
        assert_eq!(count(&[6]), Some(0));
        assert_eq!(count(&[5, 1, 9, 6]), Some(9));
        assert_eq!(count(&[5, 0, 6]), Some(0));
        assert_eq!(count(&[1, 2, 0, 0, 5, 0x80, 2, 0x81, 0x02, 0]), Some(0x102), "longer forms");
        assert_eq!(count(&[5, 1, 9, 5, 1, 9, 0]), Some(18), "a section that comes twice is refused later");
        // Where the count is in a form that is read as something else, or is not there.
        assert_eq!(count(&[5, 5, 0xf1, 0, 0, 0, 0, 6]), None);
        assert_eq!(count(&[5, 5, 0xf0, 0xff, 0xff, 0xff, 0xff, 6]), Some(u32::MAX));
        assert_eq!(count(&[5, 1, 0x80, 6]), None);
        for truncated in [&[][..], &[5], &[5, 9, 1], &[5, 0xc0, 1]] {
            assert_eq!(count(truncated), None);
        }
        assert_eq!(symbols(b"PVM"), None);
        assert_eq!(symbols(b"PVM\0\x03"), None);
    }
}
