//! Child machines on a chain.
//!
//! Anyone uploads a program and makes instances of it. An instance is an account with storage of its own, in a child trie.
//! A call runs an export of its program in a fresh machine; what lasts from call to call is the storage. The guest asks
//! for everything else by syscalls: its input, its storage, transfers, events, calls of other instances.
//!
//! `docs/pallet.md` has the whole contract between guest and pallet: the table of syscalls, the address rule, deposits, and
//! how gas and weight are converted. In short:
//!
//! - **Weight.** `gas_limit` covers everything that a call does. What it did not use is refunded. One gas is
//!   [`Config::RefTimePerGas`] picoseconds.
//! - **Deposits.** What is stored is paid for by a hold on the account that caused it, and every item remembers which and how
//!   much, so that exactly that is released when the item goes.
//! - **Failure.** A call that fails undoes all that it did, down to the cache of compiled programs. The error of the
//!   extrinsic says why and at which depth.
//! - **Nodes.** What a failed run tells (the kind of a trap, the gas that was left) comes from Hatchery's own host functions, so
//!   a runtime with this pallet runs on nodes that have them, and not on those with upstream's set alone.
//! - **No reentrancy.** An instance that is being called cannot be called again before it has returned. A job of it is over, or has said
//!   `yield_v1`, whenever others can call it.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod code;
mod deposits;
mod execution;
mod instances;
mod items;
mod jobs;
mod removals;
mod requests;
#[cfg(any(test, feature = "try-runtime"))]
mod try_state;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use code::{MAX_EXPORTS, MAX_IMPORTS};
pub use execution::{Code, SYSCALLS};
pub use jobs::{
    JOB_SYSCALLS, Job, JobFailure, JobId, JobOf, JobPrograms, JobTarget, JobTargetOf, MAX_JOB_OUTPUT,
    MAX_JOB_PROGRAMS, ProgramIdentifier,
};
pub use pallet::*;
pub use pallet_virtualization_runtime_api as runtime_api;
pub use requests::{CallRequest, InstantiateRequest, Outcome};
pub use runtime_api::{Argument, Cause, CodeHash, Failure, Limit, Resource, Trap, TrapKind, TrieId};
pub use weights::WeightInfo;

use frame_support::traits::fungible;

/// The target of this pallet's log lines.
pub const LOG_TARGET: &str = "runtime::virtualization";

/// Picoseconds of weight for one gas, by measurement of the interpreter, which is the slowest backend that a validator may
/// use: see `docs/pallet.md`.
pub const REF_TIME_PER_GAS: u64 = 10_000;

/// Picoseconds of weight for each byte of an event that a guest emits, on top of the time that this takes: events stay in memory
/// until the block ends, so there must not be more of them than 10 MB in 1.5 s, the part of a block that extrinsics have by
/// default.
pub const REF_TIME_PER_EVENT_BYTE: u64 = 150_000;

/// Amounts of the native token.
pub type BalanceOf<T> =
    <<T as Config>::Currency as fungible::Inspect<<T as frame_system::Config>::AccountId>>::Balance;

/// [`runtime_api::CodeInfo`] of a runtime.
pub type CodeInfoOf<T> = runtime_api::CodeInfo<<T as frame_system::Config>::AccountId, BalanceOf<T>>;

/// [`runtime_api::InstanceInfo`] of a runtime.
pub type InstanceInfoOf<T> = runtime_api::InstanceInfo<<T as frame_system::Config>::AccountId, BalanceOf<T>>;

/// What the runtime API's `dry_run_call` gives in a runtime.
pub type DryRunOf<T> = runtime_api::DryRun<
    <T as frame_system::Config>::AccountId,
    BalanceOf<T>,
    <T as frame_system::Config>::RuntimeEvent,
>;

#[allow(
    missing_debug_implementations,
    unused_qualifications,
    reason = "what the macro makes of the storage items, and the attributes of its parts"
)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::vec::Vec;
    use frame_support::{
        dispatch::DispatchResultWithPostInfo,
        pallet_prelude::*,
        traits::fungible::{Mutate, hold},
    };
    use frame_system::pallet_prelude::*;
    use sp_core::H256;

    /// What a runtime decides.
    #[pallet::config(with_default)]
    pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
        /// The native token, in which value is transferred and deposits are held.
        #[pallet::no_default]
        type Currency: Mutate<Self::AccountId>
            + hold::Mutate<Self::AccountId, Reason = Self::RuntimeHoldReason>;

        /// The runtime's reasons for holds, of which this pallet's are a part.
        #[pallet::no_default_bounds]
        type RuntimeHoldReason: From<HoldReason>;

        /// What is held for each thing that is stored: a program, an instance, an item of an instance.
        #[pallet::constant]
        #[pallet::no_default]
        type DepositPerItem: Get<BalanceOf<Self>>;

        /// What is held for each byte that is stored: of a program, of the record of an instance, of the key and value
        /// of an item.
        #[pallet::constant]
        #[pallet::no_default]
        type DepositPerByte: Get<BalanceOf<Self>>;

        /// Picoseconds of weight for one gas. It has to suffice on the slowest backend that a validator may use.
        #[pallet::constant]
        type RefTimePerGas: Get<u64>;

        /// How many instances may call one another, the first included. At most 255; each takes a storage layer, and
        /// counts towards the live instances that the node allows.
        #[pallet::constant]
        type MaxCallDepth: Get<u8>;

        /// The longest program, in bytes.
        #[pallet::constant]
        type MaxCodeLen: Get<u32>;

        /// The most memory that a program may have, data and stack, in pages of 4096 bytes. Every machine pays for all of them, and up
        /// to 1024 the price holds: nodes keep as many from machine to machine.
        #[pallet::constant]
        type MaxProgramPages: Get<u32>;

        /// The longest name of an export, in bytes.
        #[pallet::constant]
        type MaxExportLen: Get<u32>;

        /// The longest key of an item, in bytes.
        #[pallet::constant]
        type MaxKeyLen: Get<u32>;

        /// The longest value of an item, in bytes.
        #[pallet::constant]
        type MaxValueLen: Get<u32>;

        /// The longest input, return value, event and debug message, in bytes.
        #[pallet::constant]
        type MaxPayloadLen: Get<u32>;

        /// The most weight that a block spends on clearing the storage of removed instances when it is idle.
        #[pallet::constant]
        type IdleWeight: Get<Weight>;

        /// How many jobs there may be at a time.
        #[pallet::constant]
        type MaxJobs: Get<u32>;

        /// The most bytes that may be stored of the memory of a job, and with them as many pages of 4096 bytes.
        #[pallet::constant]
        type MaxJobSnapshotLen: Get<u32>;

        /// The most weight that a block spends on jobs when it is idle.
        #[pallet::constant]
        type JobsWeight: Get<Weight>;

        /// The most that the transaction extensions of an extrinsic weigh. That comes on top of the weight of its call, so dry runs, which
        /// take as much as an extrinsic can, leave it out.
        #[pallet::constant]
        type ExtensionsWeight: Get<Weight>;

        /// What weight costs, for slices of jobs.
        #[pallet::no_default]
        type JobPrice: frame_support::weights::WeightToFee<Balance = BalanceOf<Self>>;

        /// Measured weights.
        type WeightInfo: WeightInfo;
    }

    /// Defaults for [`Config`].
    pub mod config_preludes {
        use super::*;
        use frame_support::{
            derive_impl, parameter_types,
            traits::{ConstU8, ConstU32, ConstU64},
        };

        parameter_types! {
            /// 50 ms, 256 KiB of proof.
            pub const IdleWeight: Weight = Weight::from_parts(50_000_000_000, 256 * 1024);
            /// 250 ms, 4 MiB of proof.
            pub const JobsWeight: Weight = Weight::from_parts(250_000_000_000, 4 * 1024 * 1024);
        }

        /// Everything that does not depend on the runtime's token: the limits that the template uses, and weights measured
        /// on the template's reference machine.
        #[derive(Debug)]
        pub struct TestDefaultConfig;

        #[derive_impl(frame_system::config_preludes::TestDefaultConfig, no_aggregated_types)]
        impl frame_system::DefaultConfig for TestDefaultConfig {}

        #[frame_support::register_default_impl(TestDefaultConfig)]
        impl DefaultConfig for TestDefaultConfig {
            #[inject_runtime_type]
            type RuntimeHoldReason = ();
            type RefTimePerGas = ConstU64<REF_TIME_PER_GAS>;
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
            type ExtensionsWeight = ();
            type WeightInfo = ();
        }
    }

    /// Child machines on a chain.
    #[pallet::pallet]
    pub struct Pallet<T>(_);

    /// Why this pallet holds something.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// For a program that the account uploaded.
        Code,
        /// For an instance that the account made.
        Instance,
        /// For what instances stored when the account called them.
        Storage,
        /// For what may be stored of a job.
        Job,
        /// For slices of a job that are still to come.
        JobSlices,
    }

    /// The programs.
    #[pallet::storage]
    pub type Codes<T: Config> = StorageMap<_, Identity, CodeHash, BoundedVec<u8, T::MaxCodeLen>, OptionQuery>;

    /// Who uploaded a program, what is held for it, and how many instances and jobs it has.
    #[pallet::storage]
    pub type CodeInfos<T: Config> = StorageMap<_, Identity, CodeHash, CodeInfoOf<T>, OptionQuery>;

    /// The instances, by their account.
    #[pallet::storage]
    pub type Instances<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, InstanceInfoOf<T>, OptionQuery>;

    /// What is held from an account for the items in a child trie. An entry outlives its instance until the items are
    /// cleared.
    #[pallet::storage]
    pub type StorageDeposits<T: Config> =
        StorageDoubleMap<_, Identity, TrieId, Blake2_128Concat, T::AccountId, BalanceOf<T>, OptionQuery>;

    /// How many instances were ever made, which makes child tries unique.
    #[pallet::storage]
    pub type InstanceCount<T: Config> = StorageValue<_, u64, ValueQuery>;

    /// Child tries of removed instances that are not yet cleared, in the order of their removal.
    #[pallet::storage]
    pub type Removals<T: Config> = StorageMap<_, Twox64Concat, u64, TrieId, OptionQuery>;

    /// The keys of [`Removals`] that are in use.
    #[pallet::storage]
    pub type RemovalQueue<T: Config> = StorageValue<_, RemovalRange, ValueQuery>;

    /// The jobs.
    #[pallet::storage]
    pub type Jobs<T: Config> = StorageMap<_, Twox64Concat, JobId, JobOf<T>, OptionQuery>;

    /// The jobs in the order in which they get their next slice.
    #[pallet::storage]
    pub type JobQueue<T: Config> = StorageValue<_, BoundedVec<JobId, T::MaxJobs>, ValueQuery>;

    /// How many jobs were ever started.
    #[pallet::storage]
    pub type JobCount<T: Config> = StorageValue<_, JobId, ValueQuery>;

    /// A range of consecutive numbers.
    #[derive(
        Clone,
        Copy,
        Debug,
        Default,
        PartialEq,
        Eq,
        Encode,
        Decode,
        DecodeWithMemTracking,
        MaxEncodedLen,
        TypeInfo,
    )]
    pub struct RemovalRange {
        /// The first number in it.
        pub first: u64,
        /// The first number behind it.
        pub next: u64,
    }

    /// What happened.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A program was uploaded.
        CodeUploaded {
            /// Its hash.
            code_hash: CodeHash,
            /// Who uploaded it.
            owner: T::AccountId,
            /// Held from the owner.
            deposit: BalanceOf<T>,
        },
        /// A program was removed.
        CodeRemoved {
            /// Its hash.
            code_hash: CodeHash,
            /// Who had uploaded it.
            owner: T::AccountId,
            /// Released to the owner.
            deposit: BalanceOf<T>,
        },
        /// An instance was made.
        Instantiated {
            /// Its account.
            instance: T::AccountId,
            /// Who made it.
            owner: T::AccountId,
            /// Its program.
            code_hash: CodeHash,
        },
        /// A call of an instance succeeded.
        Called {
            /// The instance.
            instance: T::AccountId,
            /// Who called it: an account or another instance.
            caller: T::AccountId,
        },
        /// A call of one instance by another failed and was undone, and the caller went on. When the first call of an
        /// extrinsic fails, there is no event of this pallet: the error in `System::ExtrinsicFailed` has the cause.
        CallFailed {
            /// The instance.
            instance: T::AccountId,
            /// The instance that called it.
            caller: T::AccountId,
            /// Why and where it failed.
            failure: Failure,
        },
        /// A guest emitted an event. It is indexed under its topics.
        Emitted {
            /// The instance.
            instance: T::AccountId,
            /// What the guest has to say.
            data: Vec<u8>,
        },
        /// An instance is gone. Its storage is cleared in later blocks, and the deposits for it are released then.
        Removed {
            /// The instance.
            instance: T::AccountId,
            /// Who got its balance.
            beneficiary: T::AccountId,
            /// Whether the guest terminated it, and not its owner.
            by_guest: bool,
        },
        /// The storage of a removed instance is cleared and all deposits for it are released.
        StorageCleared {
            /// The child trie that it had.
            trie_id: TrieId,
        },
        /// A job was started.
        JobStarted {
            /// Its number.
            job: JobId,
            /// Who started it.
            owner: T::AccountId,
            /// Its program, or that of its root.
            code_hash: CodeHash,
            /// Held from the owner until it ends.
            deposit: BalanceOf<T>,
            /// Held from the owner for its slices.
            prepaid: BalanceOf<T>,
        },
        /// A job had a slice and goes on.
        JobAdvanced {
            /// The job.
            job: JobId,
            /// How many slices it has had.
            slices: u32,
        },
        /// A slice of a job came to nothing, since machines had as much of something as a block may have. It is made again in a later
        /// block.
        JobDelayed {
            /// The job.
            job: JobId,
            /// How many slices it has had, this one included.
            slices: u32,
            /// Of what.
            limit: Limit,
        },
        /// A job ended. What was not used is released.
        JobFinished {
            /// The job.
            job: JobId,
            /// How many slices it had.
            slices: u32,
            /// What it returned.
            output: Vec<u8>,
        },
        /// A job ended without a result. What was not used is released.
        JobFailed {
            /// The job.
            job: JobId,
            /// How many slices it had.
            slices: u32,
            /// Why.
            failure: JobFailure,
        },
        /// A job was cancelled by its owner. What was not used is released.
        JobCancelled {
            /// The job.
            job: JobId,
            /// How many slices it had.
            slices: u32,
        },
    }

    /// Why a call of this pallet failed.
    ///
    /// Where a guest was running, `depth` says where: 0 is the instance that the extrinsic called, 1 one that it called,
    /// and so on. A failure further in ends the whole extrinsic only if the guests ask for that; otherwise they are told
    /// and go on.
    #[pallet::error]
    pub enum Error<T> {
        /// The bytes are not a program that can be compiled.
        InvalidProgram,
        /// The program is for another instruction set than JamV1, the only one for which the weights hold.
        OtherInstructions,
        /// The program has more memory than programs may have.
        TooMuchMemory,
        /// The program has more than [`MAX_EXPORTS`] exports or [`MAX_IMPORTS`] imports.
        TooManySymbols,
        /// The program is uploaded already.
        CodeExists,
        /// There is no program with this hash.
        CodeNotFound,
        /// The program has instances or jobs.
        CodeInUse,
        /// Only the account that uploaded a program removes it.
        NotCodeOwner,
        /// There is an instance at the address: this account made one of this program with this input and salt before.
        InstanceExists,
        /// Only the account that made an instance removes it.
        NotInstanceOwner,
        /// The account cannot become an instance, or cannot end as one: something else depends on it.
        AccountInUse,
        /// The account does not have what is to be held for a program.
        DepositUnaffordable,
        /// There is no instance at this address.
        InstanceNotFound {
            /// Where.
            depth: u8,
        },
        /// The guest panicked, executed an invalid instruction or touched memory that it may not.
        Trapped {
            /// Where.
            depth: u8,
            /// Why. A dry run of the same call tells the instruction, too, for which an error has no room.
            kind: TrapKind,
        },
        /// The gas limit was reached.
        OutOfGas {
            /// Where.
            depth: u8,
            /// Which part of the limit.
            resource: Resource,
        },
        /// The guest ended the call itself and asked for everything to be undone.
        Reverted {
            /// Where.
            depth: u8,
        },
        /// The program of the instance cannot be compiled or instantiated.
        InvalidCode {
            /// Where.
            depth: u8,
        },
        /// The program has no such export.
        MissingExport {
            /// Where.
            depth: u8,
        },
        /// More instances would call one another than may.
        CallDepthExceeded {
            /// Where.
            depth: u8,
        },
        /// The instance is being called already, further out.
        Reentered {
            /// Where.
            depth: u8,
        },
        /// More would be held from the caller than the limit that it set.
        DepositLimitExceeded {
            /// Where.
            depth: u8,
        },
        /// The caller does not have what is to be held for an instance or for what it stores.
        StorageUnaffordable {
            /// Where.
            depth: u8,
        },
        /// A transfer of value failed.
        TransferFailed {
            /// Where.
            depth: u8,
        },
        /// The guest made a syscall that does not exist.
        UnknownSyscall {
            /// Where.
            depth: u8,
        },
        /// The guest gave a syscall something that it cannot take.
        InvalidArgument {
            /// Where.
            depth: u8,
            /// What is wrong with it.
            argument: Argument,
        },
        /// The guest terminated its instance while the instance was being made.
        TerminatedInConstructor {
            /// Where.
            depth: u8,
        },
        /// The guest terminated its instance in favour of an account that cannot take its balance.
        BeneficiaryRefused {
            /// Where.
            depth: u8,
        },
        /// The machines of this block may not have more of something. The same call may succeed in another block.
        LimitReached {
            /// Where.
            depth: u8,
            /// Of what.
            limit: Limit,
        },
        /// There are as many jobs as there may be.
        TooManyJobs,
        /// A job without a slice never begins.
        NoSlices,
        /// A slice weighs more than a block spends on jobs.
        SliceTooHeavy,
        /// The account does not have what the slices cost.
        SlicesUnaffordable,
        /// There is no such job: it may have ended.
        JobNotFound,
        /// Only who started a job cancels it.
        NotJobOwner,
        /// Two programs of a job have the same identifier.
        DuplicateIdentifier,
    }

    impl<T: Config> From<Failure> for Error<T> {
        fn from(Failure { cause, depth }: Failure) -> Self {
            match cause {
                Cause::Trapped(Trap { kind, .. }) => Self::Trapped { depth, kind },
                Cause::OutOfGas(resource) => Self::OutOfGas { depth, resource },
                Cause::Reverted => Self::Reverted { depth },
                Cause::InstanceNotFound => Self::InstanceNotFound { depth },
                Cause::InvalidCode => Self::InvalidCode { depth },
                Cause::MissingExport => Self::MissingExport { depth },
                Cause::CallDepthExceeded => Self::CallDepthExceeded { depth },
                Cause::Reentered => Self::Reentered { depth },
                Cause::DepositLimitExceeded => Self::DepositLimitExceeded { depth },
                Cause::DepositUnaffordable => Self::StorageUnaffordable { depth },
                Cause::TransferFailed => Self::TransferFailed { depth },
                Cause::UnknownSyscall => Self::UnknownSyscall { depth },
                Cause::InvalidArgument(argument) => Self::InvalidArgument { depth, argument },
                Cause::TerminatedInConstructor => Self::TerminatedInConstructor { depth },
                Cause::BeneficiaryRefused => Self::BeneficiaryRefused { depth },
                Cause::LimitReached(limit) => Self::LimitReached { depth, limit },
            }
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_idle(_now: BlockNumberFor<T>, remaining: Weight) -> Weight {
            let cleared = Self::clear_removed(remaining.min(T::IdleWeight::get()));
            let left = remaining.saturating_sub(cleared);
            cleared.saturating_add(Self::run_jobs(left.min(T::JobsWeight::get())))
        }

        fn integrity_test() {
            assert!(T::RefTimePerGas::get() > 0, "a gas that takes no time would make guests run for free");
            assert!(T::MaxCallDepth::get() > 0, "without a depth nothing can be called");
            let step = Self::least_clearing();
            assert!(step.all_lte(T::IdleWeight::get()), "no storage would ever be cleared: {step:?}");
            let overhead = Self::slice_overhead(&[(0, 0)], 1);
            let least = Self::idle_jobs_weight().saturating_add(overhead.max(Self::cancel_job_weight()));
            assert!(least.all_lte(T::JobsWeight::get()), "no slice of a job would ever fit: {least:?}");
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_now: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Uploads a program, so that instances of it can be made. It is compiled once to see that it is one.
        ///
        /// A deposit for it is held from the caller until it is removed.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::upload_code(code.len() as u32))]
        pub fn upload_code(origin: OriginFor<T>, code: BoundedVec<u8, T::MaxCodeLen>) -> DispatchResult {
            let owner = ensure_signed(origin)?;
            Self::do_upload_code(owner, code)?;
            Ok(())
        }

        /// Removes a program that has no instances and no jobs. Only who uploaded it can do that, and gets the deposit back.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::remove_code())]
        pub fn remove_code(origin: OriginFor<T>, code_hash: H256) -> DispatchResult {
            let owner = ensure_signed(origin)?;
            Self::do_remove_code(&owner, code_hash)
        }

        /// Makes an instance of a program and calls its export `init`. A program without that export can be instantiated
        /// with empty input.
        ///
        /// The account of the instance gets `value` and, so that it exists, the existential deposit from the caller. Its
        /// address is the BLAKE2b-256 hash of `"hatchery/instance/1"`, the caller, the code hash, the BLAKE2b-256 hash of the
        /// input, and the salt.
        ///
        /// Everything that this does is paid from `gas_limit`; what is left of it is refunded. At most
        /// `storage_deposit_limit` is held from the caller, at any time.
        #[pallet::call_index(2)]
        #[pallet::weight(gas_limit.max(T::WeightInfo::instantiate(input.len() as u32)))]
        pub fn instantiate(
            origin: OriginFor<T>,
            code_hash: H256,
            #[pallet::compact] value: BalanceOf<T>,
            salt: [u8; 32],
            input: BoundedVec<u8, T::MaxPayloadLen>,
            gas_limit: Weight,
            storage_deposit_limit: Option<BalanceOf<T>>,
        ) -> DispatchResultWithPostInfo {
            let owner = ensure_signed(origin)?;
            let input = input.into_inner();
            let least = T::WeightInfo::instantiate(input.len() as u32);
            Self::bare_instantiate(InstantiateRequest {
                owner,
                code_hash,
                value,
                salt,
                input,
                gas_limit,
                storage_deposit_limit,
            })
            .into_post_info(least)
        }

        /// Calls an export of an instance, with `value` transferred to it first.
        ///
        /// Everything that this does is paid from `gas_limit`; what is left of it is refunded. At most
        /// `storage_deposit_limit` is held from the caller, at any time.
        #[pallet::call_index(3)]
        #[pallet::weight(gas_limit.max(T::WeightInfo::call(input.len() as u32)))]
        pub fn call(
            origin: OriginFor<T>,
            instance: T::AccountId,
            export: BoundedVec<u8, T::MaxExportLen>,
            #[pallet::compact] value: BalanceOf<T>,
            input: BoundedVec<u8, T::MaxPayloadLen>,
            gas_limit: Weight,
            storage_deposit_limit: Option<BalanceOf<T>>,
        ) -> DispatchResultWithPostInfo {
            let caller = ensure_signed(origin)?;
            let input = input.into_inner();
            let least = T::WeightInfo::call(input.len() as u32);
            Self::bare_call(CallRequest {
                caller,
                instance,
                export: export.into_inner(),
                value,
                input,
                gas_limit,
                storage_deposit_limit,
            })
            .into_post_info(least)
        }

        /// Removes an instance. Only who made it can do that, and gets its balance.
        ///
        /// Its storage is cleared in later blocks; the deposits for it are released then, to the accounts that they are
        /// held from.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::remove_instance())]
        pub fn remove_instance(origin: OriginFor<T>, instance: T::AccountId) -> DispatchResult {
            let owner = ensure_signed(origin)?;
            Self::do_remove_instance(&owner, &instance)
        }

        /// Starts a job: a call of an export of a program or an instance, or of a tree of processes, that may take longer than a block.
        /// It runs in slices of `gas_per_slice`, one a block at most, when blocks are idle.
        ///
        /// A deposit for what may be stored of it, and the price of `max_slices` slices, are held from the caller until it ends.
        /// What it did not use is released then; a job that has not ended by then fails.
        #[pallet::call_index(5)]
        #[pallet::weight(Pallet::<T>::start_job_weight(target, input.len() as u32))]
        pub fn start_job(
            origin: OriginFor<T>,
            target: JobTargetOf<T>,
            export: BoundedVec<u8, T::MaxExportLen>,
            input: BoundedVec<u8, T::MaxPayloadLen>,
            gas_per_slice: Weight,
            max_slices: u32,
        ) -> DispatchResult {
            let owner = ensure_signed(origin)?;
            Self::do_start_job(owner, target, &export, &input, gas_per_slice, max_slices)?;
            Ok(())
        }

        /// Ends a job. Only who started it can do that, and gets back what is held for it but for the slices that it had.
        #[pallet::call_index(6)]
        #[pallet::weight(Pallet::<T>::cancel_job_weight())]
        pub fn cancel_job(origin: OriginFor<T>, job: JobId) -> DispatchResult {
            let owner = ensure_signed(origin)?;
            Self::do_cancel_job(&owner, job)
        }
    }
}
