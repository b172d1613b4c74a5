//! Child machines in this node: what the chain decides about them, and what the operator does.

use crate::service::Block;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use hatchery_client::{
    Backend, ClientConfig, ConsensusConstants, Limits, ModuleCache, VirtExtensionFactory, VirtManager,
};
use sp_runtime::traits::{Block as BlockT, NumberFor};
use std::fmt;
use std::sync::Arc;
use substrate_prometheus_endpoint::Registry;

/// What runtimes can import: Substrate's functions and Hatchery's.
pub(crate) type HostFunctions = hatchery_client::HostFunctions;

/// What runtimes of the chains that this node is for can observe of machines: gas, limits, memory. A chain that changes it
/// does so from some block on: `.from_block(number, constants)`.
fn rules() -> VirtExtensionFactory {
    VirtExtensionFactory::new(
        ConsensusConstants::v1().limits(Limits { modules: MOST_PROGRAMS, ..Limits::V1 }),
    )
}

/// More programs than a block has time to use. Otherwise somebody could use up what is allowed, and the calls of all others would fail.
const MOST_PROGRAMS: u32 = 8192;

/// The operator's settings: they change how fast the node is, never what a runtime is told.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct VirtualizationParams {
    /// What executes guest programs: `auto` is the recompiler where there is one. All give the same results and the same gas.
    #[arg(long, default_value = Backend::Auto.name(), value_name = "BACKEND", value_parser = backend_parser(), global = true)]
    virt_backend: Backend,

    /// How many MiB of compiled programs are kept for later blocks.
    #[arg(long, default_value_t = 256, value_name = "MIB", global = true)]
    virt_cache_size: usize,
}

#[cfg(feature = "runtime-benchmarks")]
impl VirtualizationParams {
    /// What executes guest programs.
    pub(crate) fn backend(&self) -> Backend {
        self.virt_backend
    }
}

/// By the names that the engine has for those that this machine can use.
fn backend_parser() -> impl TypedValueParser<Value = Backend> {
    PossibleValuesParser::new(backends().map(Backend::name)).map(|name| {
        backends().find(|backend| backend.name() == name).expect("the parser knows no other names; qed")
    })
}

fn backends() -> impl Iterator<Item = Backend> {
    std::iter::once(Backend::Auto).chain(Backend::AVAILABLE.iter().copied())
}

/// The machines of this node. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Machines {
    rules: VirtExtensionFactory,
    cache: Arc<ModuleCache>,
}

impl Machines {
    /// As the operator wants them, counted in this registry.
    pub(crate) fn new(params: &VirtualizationParams, registry: Option<&Registry>) -> Self {
        let settings = ClientConfig::default()
            .backend(params.virt_backend)
            .cache_bytes(params.virt_cache_size.saturating_mul(1 << 20))
            .prometheus_registry(registry.cloned());
        Self { rules: rules(), cache: Arc::new(ModuleCache::new(settings)) }
    }

    /// What gives each block, and each call into a runtime, a manager of its own.
    pub(crate) fn factory(&self) -> VirtExtensionFactory {
        self.rules.clone().with_cache(self.cache.clone())
    }

    /// A manager as a call on top of block `number` has one.
    pub(crate) fn manager_on(&self, number: NumberFor<Block>) -> VirtManager {
        let constants = self.rules.constants_of_block(u64::from(number).saturating_add(1));
        VirtManager::new(constants).with_cache(self.cache.clone())
    }
}

impl fmt::Debug for Machines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Machines").field("rules", &self.rules).finish_non_exhaustive()
    }
}

/// The hash that names a block.
pub(crate) type BlockHash = <Block as BlockT>::Hash;

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use hatchery_node_runtime::Runtime;
    use pallet_virtualization::WeightInfo;

    #[derive(Debug, Parser)]
    struct OnlyThese {
        #[command(flatten)]
        params: VirtualizationParams,
    }

    #[test]
    fn no_block_has_time_for_more_programs_than_it_may_have() {
        type Weights = <Runtime as pallet_virtualization::Config>::WeightInfo;
        let most = <Runtime as frame_system::Config>::BlockWeights::get().max_block.ref_time();
        let first_use = Weights::syscall_call(0) + Weights::compile(0) + Weights::memory(0);
        for least in [first_use, Weights::upload_code(0)] {
            let programs = most / least.ref_time();
            assert!(programs < u64::from(MOST_PROGRAMS), "{programs} programs");
        }
    }

    #[test]
    fn backends_have_the_engines_names() {
        let parsed = OnlyThese::try_parse_from(["node", "--virt-backend", "interpreter"]).unwrap();
        assert_eq!(parsed.params.virt_backend, Backend::Interpreter);
        let parsed = OnlyThese::try_parse_from(["node"]).unwrap();
        assert_eq!(parsed.params.virt_backend, Backend::Auto);
        let error = OnlyThese::try_parse_from(["node", "--virt-backend", "abacus"]).unwrap_err().to_string();
        assert!(error.contains("interpreter"), "the error names no backend: {error}");
    }
}
