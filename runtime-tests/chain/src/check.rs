//! A transaction extension that makes host calls while a transaction is checked.

use crate::{
    RuntimeCall, failure,
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

/// Lets everybody in, as always the same account.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// Without further checks.
    Passes,
    /// Takes steps when the transaction is validated: in the pool, and again in its block. The answers are what it provides.
    Validates(Vec<Step>),
    /// Takes steps when the transaction is about to be dispatched, and refuses it then.
    FailsLate(Vec<Step>),
}

impl TransactionExtension<RuntimeCall> for Check {
    const IDENTIFIER: &'static str = "Check";
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
        let mut valid = ValidTransaction::default();
        if let Self::Validates(steps) = self {
            let answers = steps::answers(steps).map_err(|_| failure())?;
            valid.provides.push(answers.encode());
        }
        Ok((valid, (), frame_system::RawOrigin::Signed(account).into()))
    }

    fn prepare(
        self,
        _: (),
        _: &DispatchOriginOf<RuntimeCall>,
        _: &RuntimeCall,
        _: &DispatchInfoOf<RuntimeCall>,
        _: usize,
    ) -> Result<(), TransactionValidityError> {
        let Self::FailsLate(steps) = self else { return Ok(()) };
        for step in steps {
            steps::take(&step).map_err(|_| failure())?;
        }
        Err(failure())
    }
}
