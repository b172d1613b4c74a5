//! What the embedder decides: the node's own affairs, which no runtime observes.

use crate::{cache::ModuleCache, metrics::Metrics};
use hatchery_engine::{Backend, Config, Engine, EngineError};
use std::sync::{Arc, OnceLock};
#[cfg(feature = "node")]
use substrate_prometheus_endpoint::Registry;
use thiserror::Error;

/// The settings of a node. They change how fast it is and what it tells its operators, never what a runtime is told.
///
/// Nothing here is read from the environment.
///
/// ```
/// use hatchery_client::{Backend, ClientConfig};
///
/// let config = ClientConfig::default().backend(Backend::Interpreter).cache_bytes(64 << 20);
/// # drop(config);
/// ```
#[derive(Clone, Debug)]
pub struct ClientConfig {
    pub(crate) backend: Backend,
    pub(crate) cache_bytes: usize,
    #[cfg(feature = "node")]
    pub(crate) prometheus_registry: Option<Registry>,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            backend: Backend::Auto,
            cache_bytes: 256 << 20,
            #[cfg(feature = "node")]
            prometheus_registry: None,
        }
    }
}

impl ClientConfig {
    /// What executes programs. Default: [`Backend::Auto`], the recompiler where the machine allows it. All give the same results and
    /// gas.
    ///
    /// [`check`](Self::check) and [`install`](Self::install) tell whether this machine has it.
    #[must_use]
    pub fn backend(mut self, backend: Backend) -> Self {
        self.backend = backend;
        self
    }

    /// How many bytes of compiled modules are kept for later blocks, over all managers of the process. Default: 256 MiB.
    /// With 0 nothing is kept and every compilation is done, which is what benchmarks measure.
    ///
    /// Modules that a manager uses are alive anyway and not limited by this.
    #[must_use]
    pub fn cache_bytes(mut self, bytes: usize) -> Self {
        self.cache_bytes = bytes;
        self
    }

    /// Where to count compilations, cache hits, instances, calls, gas and failures of the node. Default: nowhere.
    ///
    /// The names begin with `virtualization_`. `config.prometheus_registry().cloned()` of a service's configuration fits.
    #[cfg(feature = "node")]
    #[must_use]
    pub fn prometheus_registry(mut self, registry: impl Into<Option<Registry>>) -> Self {
        self.prometheus_registry = registry.into();
        self
    }

    /// Makes these the settings of the process: of each [`VirtManager`](crate::VirtManager) that is not given a cache of
    /// its own.
    ///
    /// Call it when the node starts.
    ///
    /// # Errors
    /// [`InstallError::AlreadyInstalled`] if settings were installed before, or a manager has already worked with the default
    /// ones; [`InstallError::Engine`] as [`check`](Self::check).
    pub fn install(self) -> Result<(), InstallError> {
        self.check()?;
        PROCESS_WIDE.set(Arc::new(ModuleCache::new(self))).map_err(|_| InstallError::AlreadyInstalled)
    }

    /// Whether this machine has the backend. Otherwise the first compilation of a [`ModuleCache`] with these settings ends the
    /// runtime's call.
    ///
    /// # Errors
    /// Why it has not.
    pub fn check(&self) -> Result<(), EngineError> {
        Engine::new(Config::default().backend(self.backend)).map(drop)
    }

    pub(crate) fn metrics(&self) -> Metrics {
        #[cfg(feature = "node")]
        return self.prometheus_registry.as_ref().map(Metrics::in_registry).unwrap_or_default();
        #[cfg(not(feature = "node"))]
        Metrics::default()
    }
}

/// Why settings were not installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InstallError {
    /// The settings of the process are in use already.
    #[error(
        "the virtualization client is in use already; install its settings once, before anything is compiled"
    )]
    AlreadyInstalled,
    /// This machine does not have the backend.
    #[error("the backend cannot be used on this machine: {0}")]
    Engine(#[from] EngineError),
}

static PROCESS_WIDE: OnceLock<Arc<ModuleCache>> = OnceLock::new();

/// The cache of the process, with default settings if none were installed.
pub(crate) fn process_wide() -> &'static Arc<ModuleCache> {
    PROCESS_WIDE.get_or_init(|| Arc::new(ModuleCache::new(ClientConfig::default())))
}
