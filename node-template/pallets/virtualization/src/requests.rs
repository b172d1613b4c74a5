//! Calls from outside a guest: what is asked for and what came of it, for extrinsics, dry runs and other pallets.

use crate::{
    Argument, BalanceOf, Cause, CodeHash, Config, DryRunOf, Error, Failure, Pallet, WeightInfo,
    deposits::DepositMeter,
    execution::{Context, DebugMessages, Fault, FaultReason, Meter, Pricing},
    runtime_api::{Deposits, DryRun},
};
use alloc::vec::Vec;
use frame_support::{
    CloneNoBound, DebugNoBound, PartialEqNoBound,
    dispatch::{DispatchClass, DispatchErrorWithPostInfo, DispatchResultWithPostInfo, PostDispatchInfo},
    storage::{TransactionOutcome, with_storage_layer, with_transaction},
    traits::Get,
    weights::Weight,
};
use sp_runtime::{DispatchError, Saturating as _, traits::One};

/// A call of an instance.
#[derive(CloneNoBound, DebugNoBound, PartialEqNoBound)]
pub struct CallRequest<T: Config> {
    /// Who calls, transfers `value`, and from whom deposits are held.
    pub caller: T::AccountId,
    /// The instance.
    pub instance: T::AccountId,
    /// The export to call.
    pub export: Vec<u8>,
    /// Transferred to the instance before it runs.
    pub value: BalanceOf<T>,
    /// What the guest reads as its input.
    pub input: Vec<u8>,
    /// The most weight to use.
    pub gas_limit: Weight,
    /// The most to hold from the caller, at any time.
    pub storage_deposit_limit: Option<BalanceOf<T>>,
}

/// The making of an instance.
#[derive(CloneNoBound, DebugNoBound, PartialEqNoBound)]
pub struct InstantiateRequest<T: Config> {
    /// Who makes it, endows it, and from whom deposits are held.
    pub owner: T::AccountId,
    /// The program.
    pub code_hash: CodeHash,
    /// Transferred to the instance, on top of the existential deposit.
    pub value: BalanceOf<T>,
    /// Tells instances apart that are equal otherwise.
    pub salt: [u8; 32],
    /// What the export `init` reads as its input.
    pub input: Vec<u8>,
    /// The most weight to use.
    pub gas_limit: Weight,
    /// The most to hold from the owner, at any time.
    pub storage_deposit_limit: Option<BalanceOf<T>>,
}

/// What came of a call.
#[derive(CloneNoBound, DebugNoBound, PartialEqNoBound)]
pub struct Outcome<T: Config> {
    /// What the guest returned, or the error to fail with.
    pub result: Result<Vec<u8>, DispatchError>,
    /// Why and where a guest failed, if that was the error.
    pub failure: Option<Failure>,
    /// What the guest returned as it reverted; empty otherwise.
    pub reverted_with: Vec<u8>,
    /// The weight that was used.
    pub gas_consumed: Weight,
    /// The limit that the same call needs at least, and that suffices unless a guest does something else when it has less gas.
    pub gas_required: Weight,
    /// What was held and released. After a failure that is nothing, but for the most that was held before.
    pub deposits: Deposits<BalanceOf<T>>,
}

impl<T: Config> Outcome<T> {
    /// The result of an extrinsic, which costs at least `least`.
    pub(crate) fn into_post_info(self, least: Weight) -> DispatchResultWithPostInfo {
        let post_info = PostDispatchInfo::from(Some(self.gas_consumed.max(least)));
        match self.result {
            Ok(_) => Ok(post_info),
            Err(error) => Err(DispatchErrorWithPostInfo { post_info, error }),
        }
    }
}

impl<T: Config> Pallet<T> {
    /// Calls an instance. A failure leaves nothing behind but the weight that was used.
    pub fn bare_call(request: CallRequest<T>) -> Outcome<T> {
        Self::priced_call(request, Pricing::Cached, &mut None)
    }

    /// Makes an instance. A failure leaves nothing behind but the weight that was used.
    pub fn bare_instantiate(request: InstantiateRequest<T>) -> Outcome<T> {
        let InstantiateRequest { owner, code_hash, value, salt, input, gas_limit, storage_deposit_limit } =
            request;
        let mut no_debug = None;
        let mut context =
            Context::new(owner, gas_limit, storage_deposit_limit, Pricing::Cached, &mut no_debug);
        let base = T::WeightInfo::instantiate(length(&input));
        let before = context.deposits.checkpoint();
        let result = context
            .charge(base)
            .and_then(|()| bounded::<T>(&[], &input))
            .and_then(|()| with_storage_layer(|| context.instantiate(code_hash, value, &salt, input)));
        if result.is_err() {
            context.deposits.restore(before);
        }
        finish(result, context)
    }

    /// What a call in the next block would do, for [`VirtualizationApi::dry_run_call`](crate::runtime_api::runtime_decl_for_virtualization_api).
    ///
    /// The limit is at most the greatest that an extrinsic with such an export and input can have, and that without a `gas_limit`.
    /// Every program is priced as if it had to be compiled. Whatever happens is undone.
    pub fn dry_run_call(
        caller: T::AccountId,
        instance: T::AccountId,
        export: Vec<u8>,
        value: BalanceOf<T>,
        input: Vec<u8>,
        gas_limit: Option<Weight>,
        storage_deposit_limit: Option<BalanceOf<T>>,
    ) -> DryRunOf<T> {
        let most = greatest_limit::<T>(&export, &input);
        let gas_limit = gas_limit.map_or(most, |asked| asked.min(most));
        let run = || {
            // A call that is sent now is in the next block.
            let next = frame_system::Pallet::<T>::block_number().saturating_add(One::one());
            frame_system::Pallet::<T>::initialize(
                &next,
                &frame_system::Pallet::<T>::parent_hash(),
                &sp_runtime::Digest::default(),
            );
            frame_system::Pallet::<T>::reset_events();
            let mut debug = Some(DebugMessages::default());
            let request =
                CallRequest { caller, instance, export, value, input, gas_limit, storage_deposit_limit };
            let outcome = Self::priced_call(request, Pricing::Cold, &mut debug);
            let events = match outcome.result {
                Ok(_) => {
                    frame_system::Pallet::<T>::read_events_no_consensus().map(|record| record.event).collect()
                }
                Err(_) => Vec::new(),
            };
            let dry_run = DryRun {
                result: outcome.result,
                failure: outcome.failure,
                reverted_with: outcome.reverted_with,
                gas_consumed: outcome.gas_consumed,
                gas_required: outcome.gas_required,
                gas_limit,
                deposits: outcome.deposits,
                events,
                debug: debug.unwrap_or_default().into_inner(),
            };
            TransactionOutcome::Rollback(Ok::<_, DispatchError>(dry_run))
        };
        with_transaction(run).unwrap_or_else(|error| DryRun {
            result: Err(error),
            failure: None,
            reverted_with: Vec::new(),
            gas_consumed: Weight::zero(),
            gas_required: Weight::zero(),
            gas_limit,
            deposits: Deposits::default(),
            events: Vec::new(),
            debug: Vec::new(),
        })
    }

    fn priced_call(
        request: CallRequest<T>,
        pricing: Pricing,
        debug: &mut Option<DebugMessages<T>>,
    ) -> Outcome<T> {
        let CallRequest { caller, instance, export, value, input, gas_limit, storage_deposit_limit } =
            request;
        let mut context = Context::new(caller.clone(), gas_limit, storage_deposit_limit, pricing, debug);
        let base = T::WeightInfo::call(length(&input));
        let result = context
            .charge(base)
            .and_then(|()| bounded::<T>(&export, &input))
            .and_then(|()| context.call_instance(caller, instance, &export, value, input));
        finish(result, context)
    }
}

/// More bytes than an extrinsic has besides the export and the input of its call: a signature, extensions, accounts, amounts.
const ENVELOPE_BYTES: u64 = 512;

/// The greatest limit that an extrinsic can have: what the largest of the normal class may weigh, without what `CheckWeight` counts
/// besides the call, which are the extensions and, as proof size, the bytes of the extrinsic.
fn greatest_limit<T: Config>(export: &[u8], input: &[u8]) -> Weight {
    let weights = T::BlockWeights::get();
    let largest = weights.get(DispatchClass::Normal).max_extrinsic.unwrap_or(weights.max_block);
    let bytes = u64::from(length(export)).saturating_add(length(input).into()).saturating_add(ENVELOPE_BYTES);
    largest.saturating_sub(T::ExtensionsWeight::get()).saturating_sub(Weight::from_parts(0, bytes))
}

/// Refuses what is too long for an extrinsic, which dry runs and other pallets can ask for.
fn bounded<T: Config>(export: &[u8], input: &[u8]) -> Result<(), Fault> {
    if length(export) > T::MaxExportLen::get() || length(input) > T::MaxPayloadLen::get() {
        return Err(Fault::guest(Cause::InvalidArgument(Argument::Length), 0));
    }
    Ok(())
}

fn finish<T: Config>(result: Result<Vec<u8>, Fault>, context: Context<'_, T>) -> Outcome<T> {
    let (result, failure, reverted_with) = match result {
        Ok(output) => (Ok(output), None, Vec::new()),
        Err(Fault { reason: FaultReason::Guest(failure), output }) => {
            (Err(Error::<T>::from(failure).into()), Some(failure), output)
        }
        Err(Fault { reason: FaultReason::Other(error), .. }) => (Err(error), None, Vec::new()),
    };
    let Meter { consumed, peak, .. } = context.meter;
    let DepositMeter { totals: deposits, .. } = context.deposits;
    Outcome { result, failure, reverted_with, gas_consumed: consumed, gas_required: peak, deposits }
}

/// The length of bytes that were bounded by a `u32`.
pub(crate) fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}
