//! For benchmark binaries.

use crate::{ClientConfig, ConsensusConstants, ModuleCache, VirtManager};
use hatchery_primitives::{AlreadyProvided, VirtManagerExt, provide_missing_extension};
use std::sync::Arc;

/// Gives the host functions a manager wherever none is registered, for the rest of the process.
///
/// The `benchmark` commands of Substrate make their own externalities, in which they register upstream's extension and no
/// other. A binary for benchmarks calls this first, and passes
/// `HostFunctions` (feature `node`) to the commands. No node may call it: there each block has to have a manager of
/// its own.
///
/// Every compilation is done, whatever `config` says about the cache: what a benchmark means to measure cold stays cold.
///
/// # Errors
/// [`AlreadyProvided`] at the second call of a process.
pub fn provide_extension(constants: ConsensusConstants, config: ClientConfig) -> Result<(), AlreadyProvided> {
    let cache = Arc::new(ModuleCache::new(config.cache_bytes(0)));
    provide_missing_extension(move || {
        VirtManagerExt::new(VirtManager::new(constants).with_cache(cache.clone()))
    })
}
