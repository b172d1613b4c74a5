//! A transaction extension that finds out late that a transaction is invalid.

use crate::{
    RuntimeCall, late_failure,
    steps::{self, Step},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode};
use frame_support::pallet_prelude::TransactionSource;
use scale_info::TypeInfo;
use sp_core::crypto::AccountId32;
use sp_runtime::{
    traits::{DispatchInfoOf, DispatchOriginOf, Implication, TransactionExtension, ValidateResult},
    transaction_validity::{TransactionValidityError, ValidTransaction},
};

/// Lets everybody in, as always the same account. If there are steps in it, takes them when the transaction is about to be dispatched, and refuses it then.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, Clone, Debug, PartialEq, Eq)]
pub struct FailLate(pub Option<Vec<Step>>);

impl TransactionExtension<RuntimeCall> for FailLate {
    const IDENTIFIER: &'static str = "FailLate";
    type Implicit = ();
    type Val = ();
    type Pre = ();

    fn weight(&self, _: &RuntimeCall) -> frame_support::weights::Weight {
        frame_support::weights::Weight::zero()
    }

    fn validate(
        &self,
        _: DispatchOriginOf<RuntimeCall>,
        _: &RuntimeCall,
        _: &DispatchInfoOf<RuntimeCall>,
        _: usize,
        _: (),
        _: &impl Implication,
        _: TransactionSource,
    ) -> ValidateResult<(), RuntimeCall> {
        let account = AccountId32::new([1; 32]);
        Ok((ValidTransaction::default(), (), frame_system::RawOrigin::Signed(account).into()))
    }

    fn prepare(
        self,
        _: (),
        _: &DispatchOriginOf<RuntimeCall>,
        _: &RuntimeCall,
        _: &DispatchInfoOf<RuntimeCall>,
        _: usize,
    ) -> Result<(), TransactionValidityError> {
        let Some(steps) = self.0 else { return Ok(()) };
        for step in steps {
            steps::take(&step).map_err(|_| late_failure())?;
        }
        Err(late_failure())
    }
}
