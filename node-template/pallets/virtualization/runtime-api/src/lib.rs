//! The runtime API of `pallet-virtualization`, and the types that it shares with the pallet.
//!
//! A node, a wallet or a test asks a runtime through [`VirtualizationApi`] what a call would do and what is stored. None of
//! these functions changes the chain.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![allow(
    clippy::too_many_arguments,
    reason = "a dry run takes what the call takes, and the macro adds the place where it is executed"
)]

extern crate alloc;

mod cause;

pub use cause::{Argument, Cause, Failure, Limit, Resource, Trap, TrapKind};

use alloc::vec::Vec;
use codec::{Codec, Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::weights::Weight;
use scale_info::TypeInfo;
use sp_runtime::{DispatchError, traits::MaybeDisplay};

/// A program is stored and found under the BLAKE2b-256 hash of its bytes.
pub type CodeHash = sp_core::H256;

/// The name of a child trie: unique for each instance that ever existed, so that an instance made again at the same
/// address does not see what its predecessor stored.
pub type TrieId = [u8; 32];

/// What is known about an uploaded program.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct CodeInfo<AccountId, Balance> {
    /// The account that uploaded it, from which the deposit is held, and which may remove it.
    pub owner: AccountId,
    /// What is held from the owner.
    pub deposit: Balance,
    /// How many instances there are of it. It can be removed when there is none.
    pub references: u32,
    /// Its length in bytes.
    pub length: u32,
    /// The memory that a machine has of it: data and stack, in pages of 4096 bytes.
    pub pages: u32,
}

/// What is known about an instance.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct InstanceInfo<AccountId, Balance> {
    /// The account that made it, from which `deposit` is held, and which may remove it.
    pub owner: AccountId,
    /// Its program.
    pub code_hash: CodeHash,
    /// The child trie with its storage.
    pub trie_id: TrieId,
    /// What is held from the owner for the instance itself.
    pub deposit: Balance,
    /// What its storage takes, apart from the instance itself.
    pub storage: StorageUsage<Balance>,
}

/// How much an instance stores, and what is held for it from all accounts together.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct StorageUsage<Balance> {
    /// Number of items.
    pub items: u32,
    /// Bytes of their keys and values.
    pub bytes: u64,
    /// Sum of their deposits.
    pub deposit: Balance,
}

/// What a call did with deposits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Deposits<Balance> {
    /// Taken from the caller. A `storage_deposit_limit` of `peak` is enough.
    pub held: Balance,
    /// Given back to the caller.
    pub released: Balance,
    /// Given back to other accounts.
    pub released_to_others: Balance,
    /// The most that `held` exceeded `released` by at any time.
    pub peak: Balance,
}

/// What a call would do.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct DryRun<AccountId, Balance, Event> {
    /// What the guest returned, or the error that the extrinsic would fail with.
    pub result: Result<Vec<u8>, DispatchError>,
    /// Why and where it failed, if a guest was to blame.
    pub failure: Option<Failure>,
    /// What the guest returned as it reverted; empty otherwise.
    pub reverted_with: Vec<u8>,
    /// The weight that was used, with every program compiled anew, once. The extrinsic uses as much or less.
    pub gas_consumed: Weight,
    /// The `gas_limit` to call with: at times more is needed than is used in the end. It is enough for the same steps; a guest that takes
    /// others when it has less gas, or gives a callee a share of it, may need more, which a dry run with this limit shows.
    pub gas_required: Weight,
    /// The limit that this dry run had: what was asked for, or the greatest that an extrinsic can have if that is less.
    pub gas_limit: Weight,
    /// What would be held and released.
    pub deposits: Deposits<Balance>,
    /// The events that would be deposited, in their order.
    pub events: Vec<Event>,
    /// The debug messages of the guests, with the instances that wrote them. Only the first 256 KiB are kept.
    pub debug: Vec<(AccountId, Vec<u8>)>,
}

/// Why an instance's storage was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum ReadStorageError {
    /// There is no such instance.
    InstanceNotFound,
    /// The key is longer than any that an instance can use.
    KeyTooLong,
}

sp_api::decl_runtime_apis! {
    /// What a call would do, and what is stored.
    pub trait VirtualizationApi<AccountId, Balance, Event>
    where
        AccountId: Codec + MaybeDisplay,
        Balance: Codec,
        Event: Codec,
    {
        /// Runs a call of the export `export` of `instance` as if `origin` had sent it now, and undoes it.
        ///
        /// It runs with at most the greatest `gas_limit` that an extrinsic can have; without a `gas_limit`, with that. Every
        /// program is priced as if nobody had used it in the block before.
        fn dry_run_call(
            origin: AccountId,
            instance: AccountId,
            export: Vec<u8>,
            value: Balance,
            input: Vec<u8>,
            gas_limit: Option<Weight>,
            storage_deposit_limit: Option<Balance>,
        ) -> DryRun<AccountId, Balance, Event>;

        /// What is known about a program, if it was uploaded.
        fn code_info(code_hash: CodeHash) -> Option<CodeInfo<AccountId, Balance>>;

        /// What is known about an instance, if there is one at this address.
        fn instance_info(instance: AccountId) -> Option<InstanceInfo<AccountId, Balance>>;

        /// What an instance stored under a key.
        fn read_storage(instance: AccountId, key: Vec<u8>) -> Result<Option<Vec<u8>>, ReadStorageError>;
    }
}
