//! A runtime for the tests.

use crate as pallet_virtualization;
use crate::{BalanceOf, CallRequest, CodeHash, Config, InstantiateRequest, Outcome};
use frame_support::{
    BoundedVec, derive_impl, parameter_types,
    traits::{ConstU64, fungible::InspectHold as _},
    weights::Weight,
};
use hatchery_client::VirtManager;
use hatchery_primitives::VirtManagerExt;
use sp_runtime::{AccountId32, BuildStorage as _, traits::IdentityLookup};

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
}

parameter_types! {
    pub const ExistentialDeposit: u64 = 10;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type AccountStore = System;
    type ExistentialDeposit = ExistentialDeposit;
}

#[derive_impl(pallet_virtualization::config_preludes::TestDefaultConfig)]
impl Config for Test {
    type Currency = Balances;
    type DepositPerItem = ConstU64<100>;
    type DepositPerByte = ConstU64<1>;
}
