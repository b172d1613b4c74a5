//! A runtime for the tests.

use crate as pallet_virtualization;
use crate::{CodeHash, Config, Pallet};
use frame_support::{
    BoundedVec, derive_impl,
    dispatch::{DispatchResultWithPostInfo, GetDispatchInfo as _},
    traits::{ConstU64, Hooks as _, fungible::InspectHold as _},
    weights::{Weight, constants::RocksDbWeight},
};
use hatchery_client::{ConsensusConstants, VirtManager};
use hatchery_primitives::VirtManagerExt;
use sp_io::TestExternalities;
use sp_runtime::{
    AccountId32, BuildStorage as _, DispatchError,
    traits::{Dispatchable as _, IdentityLookup},
};

frame_support::construct_runtime!(
    pub enum Test {
        System: frame_system,
        Balances: pallet_balances,
        Virtualization: pallet_virtualization,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Self>;
    type AccountId = AccountId32;
    type Lookup = IdentityLookup<AccountId32>;
    type AccountData = pallet_balances::AccountData<u64>;
    // As in the weights that the tests have.
    type DbWeight = RocksDbWeight;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type AccountStore = System;
    type ExistentialDeposit = ConstU64<EXISTENTIAL_DEPOSIT>;
}

#[derive_impl(pallet_virtualization::config_preludes::TestDefaultConfig)]
impl Config for Test {
    type Currency = Balances;
    type DepositPerItem = ConstU64<PER_ITEM>;
    type DepositPerByte = ConstU64<PER_BYTE>;
    type JobPrice = PerMicrosecond;
    type MaxJobSnapshotLen = MaxSnapshot;
    type JobsWeight = JobsShare;
    type ExtensionsWeight = ExtensionsWeight;
}

frame_support::parameter_types! {
    pub const ExtensionsWeight: Weight = Weight::from_parts(300_000_000, 10_000);
}

frame_support::parameter_types! {
    pub static MaxSnapshot: u32 = 256 * 1024;
    pub static JobsShare: Weight = Weight::from_parts(250_000_000_000, 4 * 1024 * 1024);
}

/// A microsecond costs one.
#[derive(Debug)]
pub struct PerMicrosecond;

impl frame_support::weights::WeightToFee for PerMicrosecond {
    type Balance = u64;

    fn weight_to_fee(weight: &Weight) -> u64 {
        weight.ref_time() / 1_000_000
    }
}

pub(crate) const EXISTENTIAL_DEPOSIT: u64 = 10;
pub(crate) const PER_ITEM: u64 = 100;
pub(crate) const PER_BYTE: u64 = 2;

pub(crate) const ALICE: AccountId32 = AccountId32::new([1; 32]);
pub(crate) const BOB: AccountId32 = AccountId32::new([2; 32]);
pub(crate) const CHARLIE: AccountId32 = AccountId32::new([3; 32]);

/// What each of the three starts with.
pub(crate) const ENDOWMENT: u64 = 10_000_000;

/// Enough for all that the tests do, except to spin.
pub(crate) const GAS: Weight = Weight::from_parts(400_000_000_000, 4 * 1024 * 1024);

/// The guest that does what its input says.
pub(crate) const SCRIPT: &[u8] = include_bytes!("../../../../guests/blobs/jam-v1/script.polkavm");

/// A contract that counts.
pub(crate) const TALLY: &[u8] = include_bytes!("../../../../guests/blobs/jam-v1/tally.polkavm");

/// A contract with a token.
pub(crate) const TOKEN: &[u8] = include_bytes!("../../../../guests/blobs/jam-v1/token.polkavm");

/// A program with an export for every way to trap.
pub(crate) const TRAPS: &[u8] = include_bytes!("../../../../guests/blobs/jam-v1/traps.polkavm");

/// A program that is not a contract.
pub(crate) const HELLO: &[u8] = include_bytes!("../../../../guests/blobs/jam-v1/hello.polkavm");

/// The state before the first block's transactions.
pub(crate) fn externalities() -> TestExternalities {
    let genesis = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: [ALICE, BOB, CHARLIE].map(|account| (account, ENDOWMENT)).to_vec(),
            ..Default::default()
        },
        ..Default::default()
    };
    let mut externalities = TestExternalities::from(genesis.build_storage().expect("the genesis is valid"));
    new_manager(&mut externalities);
    externalities.execute_with(|| System::set_block_number(1));
    externalities
}

/// Gives the externalities a new manager, as every block has one.
pub(crate) fn new_manager(externalities: &mut TestExternalities) {
    externalities.register_extension(VirtManagerExt::new(VirtManager::default()));
}

/// Gives the externalities a new manager that allows less.
pub(crate) fn limited_manager(externalities: &mut TestExternalities, constants: ConsensusConstants) {
    externalities.register_extension(VirtManagerExt::new(VirtManager::new(constants)));
}

/// Commits the block and begins the next.
pub(crate) fn next_block(externalities: &mut TestExternalities) {
    externalities.commit_all().expect("no storage layer is open");
    new_manager(externalities);
    externalities.execute_with(|| {
        System::reset_events();
        System::set_block_number(System::block_number() + 1);
    });
}

/// Runs a test in one block and checks afterwards that everything stored belongs together.
pub(crate) fn in_block(test: impl FnOnce()) {
    externalities().execute_with(|| {
        test();
        check();
    });
}

/// Checks that everything stored belongs together.
pub(crate) fn check() {
    Pallet::<Test>::do_try_state().expect("the state is consistent");
}

/// Dispatches a call as an extrinsic does.
pub(crate) fn dispatch(
    origin: &AccountId32,
    call: pallet_virtualization::Call<Test>,
) -> DispatchResultWithPostInfo {
    let call = RuntimeCall::Virtualization(call);
    let declared = call.get_dispatch_info().call_weight;
    let result = call.dispatch(RuntimeOrigin::signed(origin.clone()));
    let post_info = match &result {
        Ok(post_info) => post_info,
        Err(error) => &error.post_info,
    };
    let actual = post_info.actual_weight.unwrap_or(declared);
    assert!(actual.all_lte(declared), "{actual:?} was used and {declared:?} declared");
    result
}

/// What a dispatch failed with.
pub(crate) fn error(result: DispatchResultWithPostInfo) -> DispatchError {
    result.expect_err("the dispatch fails").error
}

/// The weight that a dispatch used.
pub(crate) fn weight(result: &DispatchResultWithPostInfo) -> Weight {
    match result {
        Ok(post_info) => post_info.actual_weight,
        Err(error) => error.post_info.actual_weight,
    }
    .expect("the dispatch says what it used")
}

/// Uploads a program, which is Alice's.
pub(crate) fn upload(code: &[u8]) -> CodeHash {
    dispatch(&ALICE, upload_of(code)).expect("the upload succeeds");
    Pallet::<Test>::code_hash(code)
}

pub(crate) fn upload_of(code: &[u8]) -> pallet_virtualization::Call<Test> {
    pallet_virtualization::Call::upload_code { code: bounded(code) }
}

pub(crate) fn instantiation(
    code_hash: CodeHash,
    salt: u8,
    input: &[u8],
) -> pallet_virtualization::Call<Test> {
    pallet_virtualization::Call::instantiate {
        code_hash,
        value: 0,
        salt: [salt; 32],
        input: bounded(input),
        gas_limit: GAS,
        storage_deposit_limit: None,
    }
}

/// Makes an instance, which is Alice's and has `value` above the existential deposit.
pub(crate) fn instantiate(code_hash: CodeHash, salt: u8, input: &[u8], value: u64) -> AccountId32 {
    let mut call = instantiation(code_hash, salt, input);
    if let pallet_virtualization::Call::instantiate { value: endowment, .. } = &mut call {
        *endowment = value;
    }
    dispatch(&ALICE, call).expect("the instantiation succeeds");
    Pallet::<Test>::instance_address(&ALICE, code_hash, input, &[salt; 32])
}

/// Uploads the script guest and makes an instance of it with value 1000.
pub(crate) fn script_instance() -> AccountId32 {
    let code_hash = upload(SCRIPT);
    instantiate(code_hash, 0, &[], 1000)
}

pub(crate) fn calling(
    instance: &AccountId32,
    export: &str,
    input: &[u8],
) -> pallet_virtualization::Call<Test> {
    pallet_virtualization::Call::call {
        instance: instance.clone(),
        export: bounded(export.as_bytes()),
        value: 0,
        input: bounded(input),
        gas_limit: GAS,
        storage_deposit_limit: None,
    }
}

/// Calls an export.
pub(crate) fn call(
    origin: &AccountId32,
    instance: &AccountId32,
    export: &str,
    input: &[u8],
) -> DispatchResultWithPostInfo {
    dispatch(origin, calling(instance, export, input))
}

/// What a call returns, by the same way as an extrinsic goes.
pub(crate) fn output(origin: &AccountId32, instance: &AccountId32, export: &str, input: &[u8]) -> Vec<u8> {
    let outcome = Pallet::<Test>::bare_call(request(origin, instance, export, input));
    outcome.result.expect("the call succeeds")
}

pub(crate) fn request(
    origin: &AccountId32,
    instance: &AccountId32,
    export: &str,
    input: &[u8],
) -> crate::CallRequest<Test> {
    crate::CallRequest {
        caller: origin.clone(),
        instance: instance.clone(),
        export: export.as_bytes().to_vec(),
        value: 0,
        input: input.to_vec(),
        gas_limit: GAS,
        storage_deposit_limit: None,
    }
}

pub(crate) fn held(reason: crate::HoldReason, account: &AccountId32) -> u64 {
    Balances::balance_on_hold(&reason.into(), account)
}

/// This pallet's events, in their order.
pub(crate) fn events() -> Vec<crate::Event<Test>> {
    System::read_events_no_consensus()
        .filter_map(|record| match record.event {
            RuntimeEvent::Virtualization(event) => Some(event),
            _ => None,
        })
        .collect()
}

/// Has removed storage cleared with this much weight.
pub(crate) fn idle(weight: Weight) -> Weight {
    Virtualization::on_idle(System::block_number(), weight)
}

pub(crate) fn bounded<S: frame_support::traits::Get<u32>>(bytes: &[u8]) -> BoundedVec<u8, S> {
    bytes.to_vec().try_into().unwrap_or_else(|_| panic!("the tests' bytes are not too many"))
}
