//! The runtime of the node template: accounts and fees, Aura and GRANDPA, and contracts that run in child machines.
//!
//! To start a chain of your own from it: change [`VERSION`]'s names, the constants below, the presets in
//! `genesis.rs`, and add pallets to [`Runtime`] and their settings to `configs.rs`.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![recursion_limit = "256"]
#![expect(
    missing_docs,
    reason = "FRAME's macros and substrate-wasm-builder write public items without documentation"
)]

extern crate alloc;

mod apis;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarks;
mod configs;
pub mod genesis;
mod opaque;

pub use apis::RuntimeApi;
pub use opaque::{Block as OpaqueBlock, SessionKeys};

use alloc::borrow::Cow;
use alloc::vec::Vec;
use sp_runtime::traits::{BlakeTwo256, IdentifyAccount, Verify};
use sp_runtime::{MultiAddress, MultiSignature, generic};
use sp_version::RuntimeVersion;

/// This crate compiled to Wasm: what a chain stores as its code.
#[cfg(feature = "std")]
#[expect(dead_code, unreachable_pub, reason = "substrate-wasm-builder writes it")]
mod wasm {
    include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));
}

/// The runtime as Wasm, compressed.
///
/// # Errors
/// [`WasmMissing`] if the node was built with `SKIP_WASM_BUILD`, as it is for clippy and documentation.
#[cfg(feature = "std")]
pub fn wasm_binary() -> Result<&'static [u8], WasmMissing> {
    wasm::WASM_BINARY.ok_or(WasmMissing)
}

/// The node has no runtime in it.
#[cfg(feature = "std")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WasmMissing;

#[cfg(feature = "std")]
impl core::fmt::Display for WasmMissing {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(
            "this node was built without a runtime, because SKIP_WASM_BUILD was set; build it again without that",
        )
    }
}

#[cfg(feature = "std")]
impl core::error::Error for WasmMissing {}

/// Signatures of extrinsics: sr25519, ed25519 or ECDSA.
pub type Signature = MultiSignature;
/// An account: the public key of its signatures, or the hash of one.
pub type AccountId = <<Signature as Verify>::Signer as IdentifyAccount>::AccountId;
/// An amount of the chain's token, in its smallest unit.
pub type Balance = u128;
/// How many extrinsics an account has signed.
pub type Nonce = u32;
/// The hash of a block, a state or a program.
pub type Hash = sp_core::H256;
/// The number of a block.
pub type BlockNumber = u32;
/// How extrinsics name accounts.
pub type Address = MultiAddress<AccountId, ()>;
/// A block's header.
pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
/// A block whose extrinsics are known to this runtime.
pub type Block = generic::Block<Header, UncheckedExtrinsic>;
/// An extrinsic as it is sent.
pub type UncheckedExtrinsic = generic::UncheckedExtrinsic<Address, RuntimeCall, Signature, TxExtension>;
/// What is signed.
pub type SignedPayload = generic::SignedPayload<RuntimeCall, TxExtension>;

/// What every signed extrinsic carries besides its call, in this order.
pub type TxExtension = (
    frame_system::AuthorizeCall<Runtime>,
    frame_system::CheckNonZeroSender<Runtime>,
    frame_system::CheckSpecVersion<Runtime>,
    frame_system::CheckTxVersion<Runtime>,
    frame_system::CheckGenesis<Runtime>,
    frame_system::CheckEra<Runtime>,
    frame_system::CheckNonce<Runtime>,
    frame_system::CheckWeight<Runtime>,
    pallet_transaction_payment::ChargeTransactionPayment<Runtime>,
    frame_metadata_hash_extension::CheckMetadataHash<Runtime>,
    frame_system::WeightReclaim<Runtime>,
);

/// Storage migrations of this version, in the order in which they run.
pub type Migrations = ();

/// Executes blocks.
pub type Executive = frame_executive::Executive<
    Runtime,
    Block,
    frame_system::ChainContext<Runtime>,
    Runtime,
    AllPalletsWithSystem,
    Migrations,
>;

/// The time between two blocks, in milliseconds. It cannot change on a running chain.
pub const SLOT_MILLISECONDS: u64 = 3_000;
/// Blocks in a minute.
pub const MINUTES: BlockNumber = (60_000 / SLOT_MILLISECONDS) as BlockNumber;
/// Blocks in an hour.
pub const HOURS: BlockNumber = MINUTES * 60;
/// Blocks in a day.
pub const DAYS: BlockNumber = HOURS * 24;

/// How many blocks back an extrinsic can name the block from which on it is valid.
pub const BLOCK_HASH_COUNT: BlockNumber = 2_400;

/// One token.
pub const UNIT: Balance = 1_000_000_000_000;
/// A thousandth of a token.
pub const MILLI_UNIT: Balance = UNIT / 1_000;
/// A millionth of a token.
pub const MICRO_UNIT: Balance = UNIT / 1_000_000;
/// Below this balance an account does not exist.
pub const EXISTENTIAL_DEPOSIT: Balance = MILLI_UNIT;

/// Which runtime this is. `spec_version` grows with each change of what blocks do, `transaction_version` with each
/// change of how a call or [`TxExtension`] is encoded.
#[sp_version::runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
    spec_name: Cow::Borrowed("hatchery-node"),
    impl_name: Cow::Borrowed("hatchery-node"),
    authoring_version: 1,
    spec_version: 1,
    impl_version: 1,
    apis: apis::RUNTIME_API_VERSIONS,
    transaction_version: 1,
    system_version: 1,
};

#[frame_support::runtime]
mod runtime {
    /// The runtime: its pallets and their indices, which are part of the encoding of calls.
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
    pub type System = frame_system;

    #[runtime::pallet_index(1)]
    pub type Timestamp = pallet_timestamp;

    #[runtime::pallet_index(2)]
    pub type Aura = pallet_aura;

    #[runtime::pallet_index(3)]
    pub type Grandpa = pallet_grandpa;

    #[runtime::pallet_index(4)]
    pub type Balances = pallet_balances;

    #[runtime::pallet_index(5)]
    pub type TransactionPayment = pallet_transaction_payment;

    #[runtime::pallet_index(6)]
    pub type Sudo = pallet_sudo;

    #[runtime::pallet_index(7)]
    pub type Virtualization = pallet_virtualization;
}
