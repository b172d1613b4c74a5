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
    VirtExtensionFactory::new(constants())
}

/// What holds from the first block on. The pallet relies on these limits: `docs/pallet.md` says what for.
pub(crate) fn constants() -> ConsensusConstants {
    ConsensusConstants::v1().limits(Limits {
        modules: MOST_PROGRAMS,
        modules_bytes: MOST_PROGRAM_BYTES,
        snapshot_bytes: MOST_SNAPSHOT_BYTES,
        ..Limits::V1
    })
}

/// More programs than a block has time to use. Otherwise somebody could use up what is allowed, and the calls of all others would fail.
const MOST_PROGRAMS: u32 = 8192;

/// More bytes of programs than a block has time to compile, for the same reason.
const MOST_PROGRAM_BYTES: u32 = 64 << 20;

/// As much as may be stored of a job: more is not put together in vain.
const MOST_SNAPSHOT_BYTES: u32 = 256 * 1024;

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
    ///
    /// # Errors
    /// If this machine does not have the backend.
    pub(crate) fn new(params: &VirtualizationParams, registry: Option<&Registry>) -> Result<Self, String> {
        let settings = ClientConfig::default()
            .backend(params.virt_backend)
            .cache_bytes(params.virt_cache_size.saturating_mul(1 << 20))
            .prometheus_registry(registry.cloned());
        // Otherwise it would come out in the first block that has a program.
        settings.check().map_err(|error| {
            format!("--virt-backend {} cannot be used on this machine: {error}", params.virt_backend.name())
        })?;
        Ok(Self { rules: rules(), cache: Arc::new(ModuleCache::new(settings)) })
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
    use sp_core::Get;

    #[derive(Debug, Parser)]
    struct OnlyThese {
        #[command(flatten)]
        params: VirtualizationParams,
    }

    type Pallet = <Runtime as pallet_virtualization::Config>::WeightInfo;

    /// Picoseconds.
    fn block() -> u64 {
        <Runtime as frame_system::Config>::BlockWeights::get().max_block.ref_time()
    }

    #[test]
    fn no_block_has_time_for_more_programs_than_it_may_have() {
        let jobs = <Runtime as pallet_virtualization::Config>::JobsWeight::get().ref_time();
        let reference = <Runtime as frame_system::Config>::DbWeight::get().reads_writes(1, 1);
        let by_calls = Pallet::syscall_call(0) + Pallet::compile(0) + Pallet::memory(0);
        let by_jobs = Pallet::compile(0) + reference;
        // One upload at a time.
        let programs = block() / by_calls.ref_time() + jobs / by_jobs.ref_time() + 1;
        assert!(programs < u64::from(MOST_PROGRAMS), "{programs} programs");
    }

    #[test]
    fn no_block_has_time_for_more_bytes_of_programs_than_it_may_have() {
        let longest = <Runtime as pallet_virtualization::Config>::MaxCodeLen::get();
        let all = (Pallet::compile(longest) - Pallet::compile(0)).ref_time();
        let bytes = block() / (all / u64::from(longest)) + u64::from(longest);
        assert!(bytes < u64::from(MOST_PROGRAM_BYTES), "{bytes} bytes");
    }

    #[test]
    fn snapshots_are_as_long_as_jobs_may_store() {
        assert_eq!(MOST_SNAPSHOT_BYTES, <Runtime as pallet_virtualization::Config>::MaxJobSnapshotLen::get());
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
