//! A runtime with blocks: frame-executive, and a pallet whose one call makes host calls by the list.
//!
//! The tests build blocks of such extrinsics on one node and execute them on another. All that a host function answers goes
//! into storage, and what a compilation costs into the block's weight, so that nodes that answer differently cannot agree on
//! a block.

#![cfg_attr(not(feature = "std"), no_std)]
#![allow(missing_docs, reason = "FRAME's macros generate public items without documentation")]

extern crate alloc;

#[cfg(feature = "std")]
include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));

mod check;
pub mod steps;

pub use check::Check;

use alloc::{borrow::Cow, vec::Vec};
use frame_support::{derive_impl, parameter_types};
use sp_api::impl_runtime_apis;
use sp_runtime::{
    ApplyExtrinsicResult, ExtrinsicInclusionMode, MultiSignature, generic,
    traits::{BlakeTwo256, Block as BlockT, IdentityLookup},
    transaction_validity::{TransactionSource, TransactionValidity, TransactionValidityError},
};
use sp_version::RuntimeVersion;

/// The header of a block.
pub type Header = generic::Header<u32, BlakeTwo256>;
/// What is checked of an extrinsic: the latter two count its weight.
pub type Extensions = (Check, frame_system::CheckWeight<Runtime>, frame_system::WeightReclaim<Runtime>);
/// An extrinsic: nobody signs it.
pub type UncheckedExtrinsic =
    generic::UncheckedExtrinsic<sp_core::crypto::AccountId32, RuntimeCall, MultiSignature, Extensions>;
/// A block.
pub type Block = generic::Block<Header, UncheckedExtrinsic>;
type Executive = frame_executive::Executive<
    Runtime,
    Block,
    frame_system::ChainContext<Runtime>,
    Runtime,
    AllPalletsWithSystem,
>;

/// The version. Nothing here depends on it.
#[sp_version::runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
    spec_name: Cow::Borrowed("hatchery-test-chain"),
    impl_name: Cow::Borrowed("hatchery-test-chain"),
    authoring_version: 1,
    spec_version: 1,
    impl_version: 1,
    apis: RUNTIME_API_VERSIONS,
    transaction_version: 1,
    system_version: 1,
};

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(
        RuntimeCall,
        RuntimeEvent,
        RuntimeError,
        RuntimeOrigin,
        RuntimeFreezeReason,
        RuntimeHoldReason,
        RuntimeSlashReason,
        RuntimeLockId,
        RuntimeTask,
        RuntimeViewFunction
    )]
    pub struct Runtime;

    #[runtime::pallet_index(0)]
    pub type System = frame_system::Pallet<Runtime>;

    #[runtime::pallet_index(1)]
    pub type Machines = crate::machines::Pallet<Runtime>;
}

parameter_types! {
    pub const Version: RuntimeVersion = VERSION;
}

#[derive_impl(frame_system::config_preludes::SolochainDefaultConfig)]
impl frame_system::Config for Runtime {
    type Block = Block;
    type AccountId = sp_core::crypto::AccountId32;
    type Lookup = IdentityLookup<Self::AccountId>;
    type Nonce = u32;
    type Hash = sp_core::H256;
    type Hashing = BlakeTwo256;
    type Version = Version;
    type AccountData = ();
}

impl machines::Config for Runtime {}

/// The pallet.
#[frame_support::pallet]
pub mod machines {
    use super::steps::{self, Step};
    use alloc::vec::Vec;
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;

    #[pallet::config]
    pub trait Config: frame_system::Config {}

    #[pallet::pallet]
    pub struct Pallet<T>(_);

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        /// Takes the steps that are stored as [`steps::INITIALIZE`], in each block.
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            steps::take_stored(steps::INITIALIZE)
        }

        /// Takes the steps that are stored as [`steps::FINALIZE`], in each block.
        fn on_finalize(_: BlockNumberFor<T>) {
            steps::take_stored(steps::FINALIZE);
        }

        /// Takes the steps that are stored as [`steps::WORK`]. The answers go into the node's own storage.
        fn offchain_worker(_: BlockNumberFor<T>) {
            let Some(work) = steps::stored(steps::WORK) else { return };
            let answers = steps::answers(&work).expect("no step of a worker fails");
            let kind = sp_core::offchain::StorageKind::PERSISTENT;
            sp_io::offchain::local_storage_set(kind, steps::ANSWERS, &answers.encode());
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Takes the steps in order and stores what each answered. The weight is what they cost.
        #[pallet::call_index(0)]
        #[pallet::weight(Weight::from_parts(10_000_000_000, 0))]
        pub fn play(_origin: OriginFor<T>, steps: Vec<Step>) -> DispatchResultWithPostInfo {
            let mut weight = Weight::from_parts(1_000, 0);
            for step in steps {
                let cost = steps::take(&step)?;
                weight = weight.saturating_add(Weight::from_parts(cost, 0));
            }
            Ok(Some(weight).into())
        }
    }
}

impl_runtime_apis! {
    impl sp_api::Core<Block> for Runtime {
        fn version() -> RuntimeVersion {
            VERSION
        }

        fn execute_block(block: <Block as BlockT>::LazyBlock) {
            Executive::execute_block(block);
        }

        fn initialize_block(header: &<Block as BlockT>::Header) -> ExtrinsicInclusionMode {
            Executive::initialize_block(header)
        }
    }

    impl sp_block_builder::BlockBuilder<Block> for Runtime {
        fn apply_extrinsic(extrinsic: <Block as BlockT>::Extrinsic) -> ApplyExtrinsicResult {
            Executive::apply_extrinsic(extrinsic)
        }

        fn finalize_block() -> <Block as BlockT>::Header {
            Executive::finalize_block()
        }

        fn inherent_extrinsics(_: sp_inherents::InherentData) -> Vec<<Block as BlockT>::Extrinsic> {
            // The author alone makes this call, and gives up what it has changed.
            steps::take_stored(steps::INHERENTS);
            Vec::new()
        }

        fn check_inherents(
            _: <Block as BlockT>::LazyBlock,
            _: sp_inherents::InherentData,
        ) -> sp_inherents::CheckInherentsResult {
            sp_inherents::CheckInherentsResult::new()
        }
    }

    impl sp_transaction_pool::runtime_api::TaggedTransactionQueue<Block> for Runtime {
        fn validate_transaction(
            source: TransactionSource,
            extrinsic: <Block as BlockT>::Extrinsic,
            hash: <Block as BlockT>::Hash,
        ) -> TransactionValidity {
            Executive::validate_transaction(source, extrinsic, hash)
        }
    }

    impl sp_offchain::OffchainWorkerApi<Block> for Runtime {
        fn offchain_worker(header: &<Block as BlockT>::Header) {
            Executive::offchain_worker(header);
        }
    }
}

impl frame_support::traits::OnRuntimeUpgrade for Runtime {}

/// What a transaction fails with that a check refuses.
pub fn failure() -> TransactionValidityError {
    sp_runtime::transaction_validity::InvalidTransaction::Custom(77).into()
}

/// An extrinsic that plays these steps. With `fails_late` it plays them while it is prepared, and is invalid then.
pub fn extrinsic(steps: Vec<steps::Step>, fails_late: bool) -> UncheckedExtrinsic {
    let check = if fails_late { Check::FailsLate(steps.clone()) } else { Check::Passes };
    checked_extrinsic(check, steps)
}

/// An extrinsic that is checked in this way and plays these steps then.
pub fn checked_extrinsic(check: Check, steps: Vec<steps::Step>) -> UncheckedExtrinsic {
    let extensions = (check, frame_system::CheckWeight::new(), frame_system::WeightReclaim::new());
    UncheckedExtrinsic::new_transaction(RuntimeCall::Machines(machines::Call::play { steps }), extensions)
}
