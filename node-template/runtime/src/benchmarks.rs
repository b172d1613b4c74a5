//! What `benchmark pallet` finds.

use crate::{AllPalletsWithSystem, Balances, Runtime, Sudo, Timestamp, Virtualization};
use alloc::string::String;
use alloc::vec::Vec;
use frame_benchmarking::{BenchmarkBatch, BenchmarkConfig, BenchmarkList, baseline, define_benchmarks};
use frame_support::traits::{StorageInfo, StorageInfoTrait, WhitelistedStorageKeys};
use frame_system_benchmarking::Pallet as SystemBench;
use frame_system_benchmarking::extensions::Pallet as SystemExtensionsBench;

define_benchmarks!(
    [frame_benchmarking, baseline::Pallet::<Runtime>]
    [frame_system, SystemBench::<Runtime>]
    [frame_system_extensions, SystemExtensionsBench::<Runtime>]
    [pallet_balances, Balances]
    [pallet_timestamp, Timestamp]
    [pallet_sudo, Sudo]
    [pallet_virtualization, Virtualization]
);

impl frame_system_benchmarking::Config for Runtime {}
impl baseline::Config for Runtime {}

/// The names of the benchmarks, and of the storage that they touch.
pub(crate) fn metadata(extra: bool) -> (Vec<BenchmarkList>, Vec<StorageInfo>) {
    let mut list = Vec::new();
    list_benchmarks!(list, extra);
    (list, AllPalletsWithSystem::storage_info())
}

/// What was measured, or why nothing was.
pub(crate) type Measured = Result<Vec<BenchmarkBatch>, String>;

/// Runs a benchmark.
pub(crate) fn run(config: &BenchmarkConfig) -> Measured {
    let whitelist = AllPalletsWithSystem::whitelisted_storage_keys();
    let mut batches = Vec::new();
    let params = (config, &whitelist);
    add_benchmarks!(params, batches);
    Ok(batches)
}
