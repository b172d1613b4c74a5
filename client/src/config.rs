//! What the embedder decides: the node's own affairs, which no runtime observes.

use crate::cache::ModuleCache;
use hatchery_engine::Backend;
use std::sync::{Arc, OnceLock};
use thiserror::Error;

/// The settings of a node. They change how fast it is, never what a runtime is told.
///
/// Nothing here is read from the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientConfig {
    /// What executes programs. Default: the best that the machine has. All give the same results and gas.
    pub backend: Backend,
    /// How many bytes of compiled modules are kept for later blocks, over all managers of the process. Default: 256 MiB. With 0 nothing is
    /// kept and every compilation is done, which is what benchmarks measure.
    ///
    /// Modules that a manager uses are alive anyway and not limited by this.
    pub cache_bytes: usize,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self { backend: Backend::Auto, cache_bytes: 256 * 1024 * 1024 }
    }
}

impl ClientConfig {
    /// Makes these the settings of the process: of each [`VirtManager::default()`](crate::VirtManager).
    ///
    /// Call it when the node starts.
    ///
    /// # Errors
    /// [`AlreadyInstalled`] if settings were installed before, or a manager has already worked with the default ones.
    pub fn install(self) -> Result<(), AlreadyInstalled> {
        PROCESS_WIDE.set(Arc::new(ModuleCache::new(self))).map_err(|_| AlreadyInstalled)
    }
}

/// The settings of the process are in use already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "the virtualization client is in use already; install its settings once, before anything is compiled"
)]
pub struct AlreadyInstalled;

static PROCESS_WIDE: OnceLock<Arc<ModuleCache>> = OnceLock::new();

/// The cache of the process, with default settings if none were installed.
pub(crate) fn process_wide() -> &'static Arc<ModuleCache> {
    PROCESS_WIDE.get_or_init(|| Arc::new(ModuleCache::new(ClientConfig::default())))
}
