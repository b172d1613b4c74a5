//! What a dry run says can be sent.

use codec::Encode as _;
use frame_support::dispatch::GetDispatchInfo;
use frame_support::weights::Weight;
use hatchery_node_runtime::{
    AccountId, Address, Runtime, RuntimeCall, Signature, TxExtension, UncheckedExtrinsic, Virtualization,
};
use sp_io::TestExternalities;
use sp_runtime::generic::Era;
use sp_runtime::transaction_validity::{InvalidTransaction, TransactionValidityError};

/// The longest extrinsic that there is of a call with this limit.
fn extrinsic(input: &[u8], gas_limit: Weight, era: Era) -> UncheckedExtrinsic {
    let sender = AccountId::new([1; 32]);
    let call = RuntimeCall::Virtualization(pallet_virtualization::Call::call {
        instance: AccountId::new([2; 32]),
        export: b"run".to_vec().try_into().expect("it is short"),
        value: u128::MAX,
        input: input.to_vec().try_into().expect("it is no longer than inputs are"),
        gas_limit,
        storage_deposit_limit: Some(u128::MAX),
    });
    let extensions: TxExtension = (
        frame_system::AuthorizeCall::new(),
        frame_system::CheckNonZeroSender::new(),
        frame_system::CheckSpecVersion::new(),
        frame_system::CheckTxVersion::new(),
        frame_system::CheckGenesis::new(),
        frame_system::CheckEra::from(era),
        frame_system::CheckNonce::from(u32::MAX),
        frame_system::CheckWeight::new(),
        pallet_transaction_payment::ChargeTransactionPayment::from(u128::MAX),
        frame_metadata_hash_extension::CheckMetadataHash::new(true),
        frame_system::WeightReclaim::new(),
    );
    let signature = Signature::Ecdsa(sp_core::ecdsa::Signature::from_raw([3; 65]));
    UncheckedExtrinsic::new_signed(call, Address::Id(sender), signature, extensions)
}

/// What `CheckWeight` says of an extrinsic in an empty block.
fn check(extrinsic: &UncheckedExtrinsic) -> Result<(), TransactionValidityError> {
    let (info, length) = (extrinsic.get_dispatch_info(), extrinsic.encoded_size());
    let (_, next_length) = frame_system::CheckWeight::<Runtime>::do_validate(&info, length)?;
    frame_system::CheckWeight::<Runtime>::do_prepare(&info, length, next_length)
}

#[test]
fn the_limit_of_a_dry_run_can_be_sent() {
    for input in [vec![], vec![7; 64 * 1024]] {
        let dry_run = TestExternalities::default().execute_with(|| {
            let [origin, instance] = [[1; 32], [2; 32]].map(AccountId::new);
            Virtualization::dry_run_call(origin, instance, b"run".to_vec(), 0, input.clone(), None, None)
        });
        let sent =
            |limit, era| TestExternalities::default().execute_with(|| check(&extrinsic(&input, limit, era)));
        let mortal = Era::mortal(64, 1);
        assert_eq!(sent(dry_run.gas_limit, Era::Immortal), Ok(()));
        assert_eq!(sent(dry_run.gas_limit, mortal), Ok(()));
        // It is the greatest: of time exactly, and of proof up to the bytes that this extrinsic does without.
        let too_much = Err(InvalidTransaction::ExhaustsResources.into());
        assert_eq!(sent(dry_run.gas_limit + Weight::from_parts(1, 0), mortal), too_much);
        assert_eq!(sent(dry_run.gas_limit + Weight::from_parts(0, 512), mortal), too_much);
    }
}
