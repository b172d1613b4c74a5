//! For the service of a node.

use crate::{cache::ModuleCache, constants::ConsensusConstants, manager::VirtManager};
use hatchery_primitives::VirtManagerExt;
use sc_client_api::execution_extensions::ExtensionsFactory;
use sp_externalities::Extensions;
use sp_runtime::{
    SaturatedConversion,
    traits::{Block, NumberFor},
};
use std::{fmt, sync::Arc};

/// The host functions of a node's executor: those of `Base`, and Hatchery's in front of any that have the same names.
///
/// ```ignore
/// let executor = sc_service::new_wasm_executor::<hatchery_client::HostFunctions>(&config.executor);
/// ```
///
/// In a tuple with upstream's set, the first of the two would win without a word; here Hatchery's always do.
pub type HostFunctions<Base = sp_io::SubstrateHostFunctions> =
    sp_wasm_interface::ExtendedHostFunctions<Base, hatchery_primitives::HostFunctions>;

/// Gives each block, and each call into a runtime, a [`VirtManager`] of its own.
///
/// One line in the service of a node, after the client has been made:
///
/// ```
/// use hatchery_client::{ConsensusConstants, VirtExtensionFactory};
/// # use sc_client_api::execution_extensions::ExecutionExtensions;
/// # fn service<Block: sp_runtime::traits::Block>(extensions: &ExecutionExtensions<Block>) {
/// // `client.execution_extensions()`, of the trait `sc_client_api::ExecutorProvider`
/// extensions.set_extensions_factory(VirtExtensionFactory::new(ConsensusConstants::v1()));
/// # }
/// ```
///
/// A node has one factory. Another one that it needs, of whatever type, goes along with [`and`](Self::and).
#[derive(Clone)]
pub struct VirtExtensionFactory<Other = ()> {
    /// From which block on which constants are in force, in the order of the blocks. The first entry is for block 0.
    schedule: Vec<(u64, ConsensusConstants)>,
    cache: Option<Arc<ModuleCache>>,
    #[cfg(feature = "sp-virtualization")]
    behind_upstream: bool,
    other: Other,
}

impl VirtExtensionFactory {
    /// A factory for a chain with these constants.
    pub fn new(constants: ConsensusConstants) -> Self {
        Self {
            schedule: vec![(0, constants)],
            cache: None,
            #[cfg(feature = "sp-virtualization")]
            behind_upstream: false,
            other: (),
        }
    }
}

impl<Other> VirtExtensionFactory<Other> {
    /// Changes the constants from block `number` on: that block is the first that is built and executed with them. Earlier
    /// blocks keep theirs, so that the chain can be synced from its genesis.
    ///
    /// As any change of the rules, it has to reach all nodes before that block does. Calls by RPC obey the constants of the
    /// block that would come next.
    #[must_use]
    pub fn from_block(mut self, number: u64, constants: ConsensusConstants) -> Self {
        let at = self.schedule.partition_point(|(from, _)| *from < number);
        match self.schedule.get_mut(at) {
            Some(entry) if entry.0 == number => entry.1 = constants,
            _ => self.schedule.insert(at, (number, constants)),
        }
        self
    }

    /// Compiles in `cache` instead of the cache of the process.
    #[must_use]
    pub fn with_cache(self, cache: Arc<ModuleCache>) -> Self {
        Self { cache: Some(cache), ..self }
    }

    /// Puts the managers behind upstream's host functions, as [`UpstreamExt`](crate::UpstreamExt) does, for a node that keeps
    /// `sp_virtualization::HostFunctions` in its executor.
    #[cfg(feature = "sp-virtualization")]
    #[must_use]
    pub fn behind_upstream_host_functions(self) -> Self {
        Self { behind_upstream: true, ..self }
    }

    /// Adds the extensions of another factory. Where both have one of the same type, this factory's is taken.
    pub fn and<Another>(self, another: Another) -> VirtExtensionFactory<(Other, Another)> {
        VirtExtensionFactory {
            schedule: self.schedule,
            cache: self.cache,
            #[cfg(feature = "sp-virtualization")]
            behind_upstream: self.behind_upstream,
            other: (self.other, another),
        }
    }

    /// The constants that block `number` is built and executed with.
    pub fn constants_of_block(&self, number: u64) -> ConsensusConstants {
        let after = self.schedule.partition_point(|(from, _)| *from <= number);
        // Block 0 has an entry, so there always is one before.
        after
            .checked_sub(1)
            .and_then(|last| self.schedule.get(last))
            .map_or_else(ConsensusConstants::default, |(_, constants)| *constants)
    }

    fn manager(&self, number: u64) -> VirtManager {
        let manager = VirtManager::new(self.constants_of_block(number));
        match &self.cache {
            Some(cache) => manager.with_cache(cache.clone()),
            None => manager,
        }
    }

    fn register(&self, number: u64, extensions: &mut Extensions) {
        let manager = self.manager(number);
        #[cfg(feature = "sp-virtualization")]
        if self.behind_upstream {
            extensions.register(crate::UpstreamExt::new(manager));
            return;
        }
        extensions.register(VirtManagerExt::new(manager));
    }
}

impl<B: Block, Other: OtherFactories<B>> ExtensionsFactory<B> for VirtExtensionFactory<Other> {
    /// The extensions for what happens on top of a block, which is how clients call this: to execute block n, with the
    /// number of its parent.
    fn extensions_for(&self, hash: B::Hash, number: NumberFor<B>) -> Extensions {
        let mut extensions = self.other.extensions_for(hash, number);
        self.register(number.saturated_into::<u64>().saturating_add(1), &mut extensions);
        extensions
    }
}

impl<Other> fmt::Debug for VirtExtensionFactory<Other> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtExtensionFactory").field("schedule", &self.schedule).finish_non_exhaustive()
    }
}

/// Factories of any types, in pairs of pairs.
pub trait OtherFactories<B: Block>: Send + Sync {
    /// What all of them make.
    fn extensions_for(&self, hash: B::Hash, number: NumberFor<B>) -> Extensions;
}

impl<B: Block> OtherFactories<B> for () {
    fn extensions_for(&self, _: B::Hash, _: NumberFor<B>) -> Extensions {
        Extensions::new()
    }
}

impl<B: Block, First: OtherFactories<B>, Second: ExtensionsFactory<B>> OtherFactories<B> for (First, Second) {
    fn extensions_for(&self, hash: B::Hash, number: NumberFor<B>) -> Extensions {
        let mut extensions = self.0.extensions_for(hash, number);
        extensions.merge(self.1.extensions_for(hash, number));
        extensions
    }
}
