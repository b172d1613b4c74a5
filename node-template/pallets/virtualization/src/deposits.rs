//! Holds for what is stored.

use crate::{BalanceOf, Cause, Config, HoldReason, LOG_TARGET, Pallet, runtime_api::Deposits};
use frame_support::traits::{Get, fungible::hold::Mutate as _, tokens::Precision};
use sp_runtime::{SaturatedConversion, Saturating, traits::Zero};

/// What a call may hold from the account that sent it, and has held.
pub(crate) struct DepositMeter<T: Config> {
    payer: T::AccountId,
    limit: Option<BalanceOf<T>>,
    pub(crate) totals: Deposits<BalanceOf<T>>,
}

impl<T: Config> DepositMeter<T> {
    pub(crate) fn new(payer: T::AccountId, limit: Option<BalanceOf<T>>) -> Self {
        Self { payer, limit, totals: Deposits::default() }
    }

    /// The account that pays.
    pub(crate) fn payer(&self) -> &T::AccountId {
        &self.payer
    }

    /// Takes a deposit from the account that pays.
    ///
    /// # Errors
    /// [`Cause::DepositLimitExceeded`], [`Cause::DepositUnaffordable`].
    pub(crate) fn hold(&mut self, reason: HoldReason, amount: BalanceOf<T>) -> Result<(), Cause> {
        let held = self.totals.held.saturating_add(amount);
        let net = held.saturating_sub(self.totals.released);
        if self.limit.is_some_and(|limit| net > limit) {
            return Err(Cause::DepositLimitExceeded);
        }
        hold::<T>(reason, &self.payer, amount).map_err(|_| Cause::DepositUnaffordable)?;
        self.totals.held = held;
        self.totals.peak = self.totals.peak.max(net);
        Ok(())
    }

    /// Gives a deposit back to the account that it is held from.
    pub(crate) fn release(&mut self, reason: HoldReason, holder: &T::AccountId, amount: BalanceOf<T>) {
        release::<T>(reason, holder, amount);
        let total = if *holder == self.payer {
            &mut self.totals.released
        } else {
            &mut self.totals.released_to_others
        };
        *total = total.saturating_add(amount);
    }

    /// The totals, to go back to if what follows is undone.
    pub(crate) fn checkpoint(&self) -> Deposits<BalanceOf<T>> {
        self.totals
    }

    /// Forgets what happened since the checkpoint, except for how much was held at most.
    pub(crate) fn restore(&mut self, checkpoint: Deposits<BalanceOf<T>>) {
        self.totals = Deposits { peak: self.totals.peak, ..checkpoint };
    }
}

/// The deposit for one thing of `bytes` bytes.
pub(crate) fn deposit_for<T: Config>(bytes: u64) -> BalanceOf<T> {
    let bytes: BalanceOf<T> = bytes.saturated_into();
    T::DepositPerItem::get().saturating_add(T::DepositPerByte::get().saturating_mul(bytes))
}

pub(crate) fn hold<T: Config>(
    reason: HoldReason,
    who: &T::AccountId,
    amount: BalanceOf<T>,
) -> sp_runtime::DispatchResult {
    T::Currency::hold(&reason.into(), who, amount)
}

/// Releases a hold. Nothing but this pallet can reduce its holds, unless the chain's governance does; then what is
/// left is released.
pub(crate) fn release<T: Config>(reason: HoldReason, who: &T::AccountId, amount: BalanceOf<T>) {
    let missing = match T::Currency::release(&reason.into(), who, amount, Precision::BestEffort) {
        Ok(released) => amount.saturating_sub(released),
        Err(_) => amount,
    };
    if !missing.is_zero() {
        log::error!(
            target: LOG_TARGET,
            "{missing:?} of the {amount:?} held from {who:?} as {reason:?} is not there any more",
        );
    }
}

impl<T: Config> Pallet<T> {
    /// What is held for a program of `bytes` bytes.
    pub fn code_deposit(bytes: u32) -> BalanceOf<T> {
        deposit_for::<T>(bytes.into())
    }
}
