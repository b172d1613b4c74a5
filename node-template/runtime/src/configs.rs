//! The settings of the pallets.

use crate::{
    AccountId, Aura, BLOCK_HASH_COUNT, Balance, Balances, Block, EXISTENTIAL_DEPOSIT, Hash, MICRO_UNIT,
    MILLI_UNIT, Nonce, PalletInfo, Runtime, RuntimeCall, RuntimeEvent, RuntimeFreezeReason,
    RuntimeHoldReason, RuntimeOrigin, RuntimeTask, SLOT_MILLISECONDS, System, TxExtension, VERSION,
};
use alloc::vec::Vec;
use frame_support::traits::{ConstBool, ConstU8, ConstU32, ConstU64, ConstU128, VariantCountOf};
use frame_support::weights::constants::{ParityDbWeight, WEIGHT_REF_TIME_PER_SECOND};
use frame_support::weights::{ConstantMultiplier, IdentityFee, Weight};
use frame_support::{derive_impl, parameter_types};
use frame_system::limits::{BlockLength, BlockWeights};
use pallet_transaction_payment::{FungibleAdapter, Multiplier, TargetedFeeAdjustment};
use sp_consensus_aura::sr25519::AuthorityId as AuraId;
use sp_runtime::generic::Era;
use sp_runtime::traits::{Bounded, TransactionExtension as _};
use sp_runtime::{FixedPointNumber, Perbill, Perquintill};
use sp_version::RuntimeVersion;

/// How much of a block is for ordinary extrinsics; the rest is for operational ones and for hooks.
const NORMAL_DISPATCH_RATIO: Perbill = Perbill::from_percent(75);

/// One second of computation in a slot of three: an author has two thirds of its slot, and importers a margin.
/// A chain without a relay chain needs no limit to the size of proofs.
const MAXIMUM_BLOCK_WEIGHT: Weight = Weight::from_parts(WEIGHT_REF_TIME_PER_SECOND, u64::MAX);

parameter_types! {
    pub const Version: RuntimeVersion = VERSION;
    pub Weights: BlockWeights =
        BlockWeights::with_sensible_defaults(MAXIMUM_BLOCK_WEIGHT, NORMAL_DISPATCH_RATIO);
    pub Length: BlockLength = BlockLength::builder()
        .max_length(5 * 1024 * 1024)
        .modify_max_length_for_class(frame_support::dispatch::DispatchClass::Normal, |length| {
            *length = NORMAL_DISPATCH_RATIO * *length;
        })
        .build();
}

#[derive_impl(frame_system::config_preludes::SolochainDefaultConfig)]
impl frame_system::Config for Runtime {
    type Block = Block;
    type BlockWeights = Weights;
    type BlockLength = Length;
    type AccountId = AccountId;
    type Nonce = Nonce;
    type Hash = Hash;
    type DbWeight = ParityDbWeight;
    type Version = Version;
    type AccountData = pallet_balances::AccountData<Balance>;
    type BlockHashCount = ConstU32<BLOCK_HASH_COUNT>;
    // Substrate's own number for chains without a registered one.
    type SS58Prefix = frame_support::traits::ConstU16<42>;
    type MaxConsumers = ConstU32<16>;
}

impl pallet_aura::Config for Runtime {
    type AuthorityId = AuraId;
    type DisabledValidators = ();
    type MaxAuthorities = ConstU32<32>;
    type AllowMultipleBlocksPerSlot = ConstBool<false>;
    type SlotDuration = ConstU64<SLOT_MILLISECONDS>;
}

impl pallet_grandpa::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = ();
    type MaxAuthorities = ConstU32<32>;
    type MaxNominators = ConstU32<0>;
    type MaxSetIdSessionEntries = ConstU64<0>;
    type KeyOwnerProof = sp_core::Void;
    type EquivocationReportSystem = ();
}

impl pallet_timestamp::Config for Runtime {
    type Moment = u64;
    type OnTimestampSet = Aura;
    type MinimumPeriod = ConstU64<{ SLOT_MILLISECONDS / 2 }>;
    type WeightInfo = pallet_timestamp::weights::SubstrateWeight<Self>;
}

impl pallet_balances::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeHoldReason = RuntimeHoldReason;
    type RuntimeFreezeReason = RuntimeFreezeReason;
    type Balance = Balance;
    type DustRemoval = ();
    type ExistentialDeposit = ConstU128<EXISTENTIAL_DEPOSIT>;
    type AccountStore = System;
    type ReserveIdentifier = [u8; 8];
    type FreezeIdentifier = RuntimeFreezeReason;
    type MaxLocks = ConstU32<50>;
    type MaxReserves = ();
    type MaxFreezes = VariantCountOf<RuntimeFreezeReason>;
    type WeightInfo = pallet_balances::weights::SubstrateWeight<Self>;
    type DoneSlashHandler = ();
}

parameter_types! {
    /// Fees rise while blocks are fuller than this and fall while they are emptier.
    pub const TargetBlockFullness: Perquintill = Perquintill::from_percent(25);
    pub AdjustmentVariable: Multiplier = Multiplier::saturating_from_rational(1, 100_000);
    pub MinimumMultiplier: Multiplier = Multiplier::saturating_from_rational(1, 10);
    pub MaximumMultiplier: Multiplier = Bounded::max_value();
}

impl pallet_transaction_payment::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    // Fees are burnt; a chain with a treasury or with rewards for authors names who gets them here.
    type OnChargeTransaction = FungibleAdapter<Balances, ()>;
    // A second of computation costs one token.
    type WeightToFee = IdentityFee<Balance>;
    type LengthToFee = ConstantMultiplier<Balance, ConstU128<{ MICRO_UNIT / 10 }>>;
    type FeeMultiplierUpdate = TargetedFeeAdjustment<
        Self,
        TargetBlockFullness,
        AdjustmentVariable,
        MinimumMultiplier,
        MaximumMultiplier,
    >;
    type OperationalFeeMultiplier = ConstU8<5>;
    type WeightInfo = pallet_transaction_payment::weights::SubstrateWeight<Self>;
}

impl pallet_sudo::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type WeightInfo = pallet_sudo::weights::SubstrateWeight<Self>;
}

parameter_types! {
    /// Clearing the storage of removed instances takes at most a twentieth of a block.
    pub IdleWeight: Weight = Perbill::from_percent(5) * MAXIMUM_BLOCK_WEIGHT;
    /// Jobs take at most a tenth of a block: they run after the author's deadline.
    pub JobsWeight: Weight = Perbill::from_percent(10) * MAXIMUM_BLOCK_WEIGHT;
    pub ExtensionsWeight: Weight = extensions_weight();
}

/// What the extensions of an extrinsic weigh. It is the same for every call and every sender, but for mortal extrinsics, which weigh more
/// than others.
fn extensions_weight() -> Weight {
    let extensions: TxExtension = (
        frame_system::AuthorizeCall::new(),
        frame_system::CheckNonZeroSender::new(),
        frame_system::CheckSpecVersion::new(),
        frame_system::CheckTxVersion::new(),
        frame_system::CheckGenesis::new(),
        frame_system::CheckEra::from(Era::mortal(u64::from(BLOCK_HASH_COUNT), 0)),
        frame_system::CheckNonce::from(0),
        frame_system::CheckWeight::new(),
        pallet_transaction_payment::ChargeTransactionPayment::from(0),
        frame_metadata_hash_extension::CheckMetadataHash::new(true),
        frame_system::WeightReclaim::new(),
    );
    extensions.weight(&RuntimeCall::System(frame_system::Call::remark { remark: Vec::new() }))
}

impl pallet_virtualization::Config for Runtime {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    // Storing a program of 10 KB takes about half a token, an item of 100 bytes six thousandths.
    type DepositPerItem = ConstU128<{ MILLI_UNIT }>;
    type DepositPerByte = ConstU128<{ 50 * MICRO_UNIT }>;
    type RefTimePerGas = ConstU64<{ pallet_virtualization::REF_TIME_PER_GAS }>;
    type MaxCallDepth = ConstU8<10>;
    type MaxCodeLen = ConstU32<{ 256 * 1024 }>;
    type MaxProgramPages = ConstU32<1024>;
    type MaxExportLen = ConstU32<64>;
    type MaxKeyLen = ConstU32<128>;
    type MaxValueLen = ConstU32<{ 16 * 1024 }>;
    type MaxPayloadLen = ConstU32<{ 64 * 1024 }>;
    type IdleWeight = IdleWeight;
    type MaxJobs = ConstU32<64>;
    type MaxJobSnapshotLen = ConstU32<{ 256 * 1024 }>;
    type JobsWeight = JobsWeight;
    type ExtensionsWeight = ExtensionsWeight;
    // As a second of computation costs elsewhere.
    type JobPrice = IdentityFee<Balance>;
    type WeightInfo = pallet_virtualization::weights::SubstrateWeight<Runtime>;
}
