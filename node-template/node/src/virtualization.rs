//! The node's own settings of the virtual machines: they change how fast it is, never what a runtime is told.

use clap::ValueEnum;
use hatchery_client::{Backend, ClientConfig};
use sc_client_api::execution_extensions::ExtensionsFactory;
use sp_externalities::Extensions;
use substrate_prometheus_endpoint::Registry;

/// Settings of the virtual machines.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct VirtualizationParams {
    /// What executes guest programs. All give the same results and the same gas.
    #[arg(long, value_enum, default_value_t, value_name = "BACKEND", global = true)]
    virt_backend: VirtBackend,

    /// How many MiB of compiled programs are kept for later blocks.
    #[arg(long, default_value_t = 256, value_name = "MIB", global = true)]
    virt_cache_size: usize,
}

/// What executes guest programs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum VirtBackend {
    /// The best that this machine has.
    #[default]
    Auto,
    /// Decodes programs and interprets them, on any machine.
    Interpreter,
}

impl From<VirtBackend> for Backend {
    fn from(backend: VirtBackend) -> Self {
        match backend {
            VirtBackend::Auto => Self::Auto,
            VirtBackend::Interpreter => Self::Interpreter,
        }
    }
}

/// Makes these the settings of the process. Called once, before anything is compiled.
pub(crate) fn install(params: &VirtualizationParams) {
    let mut config = ClientConfig::default();
    config.backend = params.virt_backend.into();
    config.cache_bytes = params.virt_cache_size.saturating_mul(1024 * 1024);
    config.install().expect("nothing was compiled before the command line was read; qed");
}

pub(crate) type HostFunctions = (sp_io::SubstrateHostFunctions, hatchery_primitives::HostFunctions);

struct Factory;

impl ExtensionsFactory<crate::service::Block> for Factory {
    fn extensions_for(&self, _: sp_core::H256, _: u32) -> Extensions {
        let mut e = Extensions::new();
        e.register(hatchery_primitives::VirtManagerExt::new(hatchery_client::VirtManager::default()));
        e
    }
}

pub(crate) fn extensions(
    _: Option<&Registry>,
) -> Result<impl ExtensionsFactory<crate::service::Block>, sc_service::Error> {
    Ok(Factory)
}
