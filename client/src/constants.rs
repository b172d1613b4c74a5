//! What a chain decides: everything about virtualization that its runtimes can observe.

use crate::processes::MOST_IDENTIFIER_BYTES;
use hatchery_engine::{Charge, Config, GasModel, InstructionSet};
use sha2::{Digest, Sha256};
use std::fmt;

/// The consensus constants: the rules that all nodes of a chain have to share.
///
/// They are chosen by the chain, at genesis or from a block number on, never by a flag or the environment of a node. To
/// change a single one changes what blocks mean: do it as `VirtExtensionFactory::from_block` does, so that blocks from
/// before keep their meaning.
///
/// The sets that this crate names, such as [`v1`](Self::v1), never change. A later version of this crate may add others.
///
/// ```
/// use hatchery_client::{Compatibility, ConsensusConstants, Limits};
///
/// let ours = ConsensusConstants::v1().limits(Limits { instances: 64, ..Limits::V1 });
/// assert_ne!(ours.fingerprint(), ConsensusConstants::v1().fingerprint());
///
/// // For a network on which some nodes run sc-virtualization 0.3.
/// let mixed = ConsensusConstants::v1().compatibility(Compatibility::Upstream);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConsensusConstants {
    gas_model: GasModel,
    memory_bytes: u64,
    limits: Limits,
    compatibility: Compatibility,
}

/// Whose rules apply where those of sc-virtualization 0.3 are not sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Compatibility {
    /// The author and the importers of a block always agree, and no runtime takes more than its share:
    ///
    /// - a storage key in a child trie belongs to that child trie;
    /// - identifiers that were cached inside a storage layer go when the layer is rolled back;
    /// - [`Limits`] apply.
    #[default]
    Sound,
    /// As sc-virtualization 0.3, for a network that mixes both kinds of node: the child trie is no part of the key,
    /// cached identifiers stay when a storage layer is rolled back, and there are no limits.
    ///
    /// What a node tries and gives up while it builds a block leaves no trace either way.
    Upstream,
}

/// How much one block, or one call into a runtime, can have.
///
/// Past a limit the host functions answer `InvalidImage`, as if the program could not be used, because the enums on the
/// wire are closed; [`exit_info`](hatchery_primitives::VirtControlBackend::exit_info) tells the cause. What exists goes on working. Ids
/// are not limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Distinct programs that have a handle, an identifier or a living instance. Finding one again, under a key or by compiling the same
    /// bytes, is free.
    pub modules: u32,
    /// Bytes of all these programs together. What is kept of a compiled program is at most in proportion to them.
    pub modules_bytes: u32,
    /// Instances that live at the same time.
    pub instances: u32,
    /// Pages of 4096 bytes that all living instances have together: read-only and read-write data and stack as their programs
    /// declare them, and heaps as far as they have grown, whether anything was written there or not. What is shared by forks
    /// counts for each. An instance that would pass the limit is not made; a heap that would pass it does not grow: `sbrk`
    /// gives 0, as it does beyond [`ConsensusConstants::memory_bytes`].
    pub pages: u32,
    /// Bytes of a program, as they are handed to the host functions.
    pub code_bytes: u32,
    /// Instances that are prepared or wait for the answer to a syscall at the same time: how deep calls can nest.
    pub nesting: u32,
    /// Bytes of a snapshot, taken or restored.
    pub snapshot_bytes: u32,
    /// Processes of a tree that live at a time: 1 to 64; what is beyond counts as the nearest.
    pub processes: u32,
    /// Descriptors that are open in a tree at a time: at most 1024.
    pub descriptors: u32,
}

impl Limits {
    /// The limits of [`ConsensusConstants::v1`].
    pub const V1: Self = Self {
        modules: 1024,
        modules_bytes: 64 << 20,
        instances: 1024,
        pages: 1 << 18,
        code_bytes: 16 << 20,
        nesting: 256,
        snapshot_bytes: 16 << 20,
        processes: 17,
        descriptors: 64,
    };

    /// As good as no limits, or the farthest that there can be.
    pub const NONE: Self = Self {
        modules: u32::MAX,
        modules_bytes: u32::MAX,
        instances: u32::MAX,
        pages: u32::MAX,
        code_bytes: u32::MAX,
        nesting: u32::MAX,
        snapshot_bytes: u32::MAX,
        processes: 64,
        descriptors: 1024,
    };
}

impl Default for ConsensusConstants {
    /// [`ConsensusConstants::v1`].
    fn default() -> Self {
        Self::v1()
    }
}

impl ConsensusConstants {
    /// The first set: the gas of sc-virtualization 0.3 to the unit, at most 256 MiB of memory for an instance,
    /// [`Limits::V1`], [`Compatibility::Sound`].
    pub const fn v1() -> Self {
        Self {
            gas_model: GasModel::PIPELINE_L2,
            memory_bytes: 256 << 20,
            limits: Limits::V1,
            compatibility: Compatibility::Sound,
        }
    }

    /// The same with another gas model.
    #[must_use]
    pub const fn gas_model(mut self, model: GasModel) -> Self {
        self.gas_model = model;
        self
    }

    /// The same with other limits.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The same with another maximum for the memory of an instance, in bytes: data, stack and heap in whole pages. A
    /// program that declares more is invalid, `sbrk` beyond it gives 0. At least a page of 4096 bytes, at most 4 GiB,
    /// which is no limit.
    #[must_use]
    pub const fn memory_bytes(mut self, bytes: u64) -> Self {
        const PAGE: u64 = 4096;
        const ALL: u64 = 1 << 32;
        self.memory_bytes = if bytes < PAGE {
            PAGE
        } else if bytes > ALL {
            ALL
        } else {
            bytes
        };
        self
    }

    /// The same with other [`Compatibility`]. With [`Compatibility::Upstream`] neither [`Limits`] nor the maximum of memory
    /// apply.
    #[must_use]
    pub const fn compatibility(mut self, compatibility: Compatibility) -> Self {
        self.compatibility = compatibility;
        self
    }

    /// SHA-256 of all constants. Two nodes with different ones cannot follow the same chain, so it is worth logging.
    pub fn fingerprint(&self) -> [u8; 32] {
        Sha256::digest(self.to_string()).into()
    }

    /// The limits that apply.
    pub(crate) const fn effective_limits(&self) -> Limits {
        match self.compatibility {
            Compatibility::Sound => self.limits,
            Compatibility::Upstream => Limits::NONE,
        }
    }

    /// The limits of a tree of processes.
    pub(crate) fn process_limits(&self) -> hatchery_scheduler::Limits {
        let Limits { processes, descriptors, .. } = self.effective_limits();
        hatchery_scheduler::Limits {
            processes: processes.clamp(1, 64),
            descriptors: descriptors.min(1024),
            statuses: 256,
            identifier_bytes: MOST_IDENTIFIER_BYTES,
            argument_bytes: 64 * 1024,
        }
    }

    pub(crate) const fn is_upstream(&self) -> bool {
        matches!(self.compatibility, Compatibility::Upstream)
    }

    /// The most bytes of memory that an instance can have.
    pub(crate) const fn effective_memory_bytes(&self) -> u64 {
        match self.compatibility {
            Compatibility::Sound => self.memory_bytes,
            Compatibility::Upstream => 1 << 32,
        }
    }

    /// The part of an engine's configuration that programs can observe.
    pub(crate) const fn engine_rules(&self) -> EngineRules {
        EngineRules { gas_model: self.gas_model, memory_bytes: self.effective_memory_bytes() }
    }
}

/// One line that has every constant in effect, in a form that does not change.
impl fmt::Display for ConsensusConstants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let EngineRules { gas_model, memory_bytes } = self.engine_rules();
        let Limits { modules, modules_bytes, instances, pages, code_bytes, nesting, snapshot_bytes, .. } =
            self.effective_limits();
        let hatchery_scheduler::Limits { processes, descriptors, statuses, identifier_bytes, argument_bytes } =
            self.process_limits();
        let compatibility = match self.compatibility {
            Compatibility::Sound => "sound",
            Compatibility::Upstream => "upstream",
        };
        write!(
            f,
            "gas={} charge=block latest64=bitmask memory_bytes={memory_bytes} modules={modules} \
             modules_bytes={modules_bytes} instances={instances} pages={pages} code_bytes={code_bytes} nesting={nesting} \
             snapshot_bytes={snapshot_bytes} processes={processes} descriptors={descriptors} \
             statuses={statuses} identifier_bytes={identifier_bytes} argument_bytes={argument_bytes} \
             compatibility={compatibility}",
            gas_model.name(),
        )
    }
}

/// What an engine is told by the constants. Two programs are the same module exactly if their code and this are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct EngineRules {
    gas_model: GasModel,
    memory_bytes: u64,
}

impl EngineRules {
    /// Version byte 2 means the encoding with a bitmask, as to polkavm 0.33, which sc-virtualization 0.3 runs.
    pub(crate) fn config(self) -> Config {
        Config::default()
            .gas_model(self.gas_model)
            .charge(Charge::Block)
            .latest64(InstructionSet::Latest64Bitmask)
            .memory_limit(self.memory_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(constants: ConsensusConstants) -> String {
        constants.fingerprint().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// If this fails, a chain that uses the set would split. Make a new set instead.
    #[test]
    fn the_named_sets_never_change() {
        assert_eq!(
            ConsensusConstants::v1().to_string(),
            "gas=pipeline-l2 charge=block latest64=bitmask memory_bytes=268435456 modules=1024 \
             modules_bytes=67108864 instances=1024 pages=262144 code_bytes=16777216 nesting=256 snapshot_bytes=16777216 processes=17 descriptors=64 \
             statuses=256 identifier_bytes=64 argument_bytes=65536 compatibility=sound"
        );
        assert_eq!(ConsensusConstants::default(), ConsensusConstants::v1());
        let upstream = ConsensusConstants::v1().compatibility(Compatibility::Upstream);
        assert_eq!(
            upstream.to_string(),
            "gas=pipeline-l2 charge=block latest64=bitmask memory_bytes=4294967296 modules=4294967295 \
             modules_bytes=4294967295 instances=4294967295 pages=4294967295 code_bytes=4294967295 nesting=4294967295 \
             snapshot_bytes=4294967295 processes=64 descriptors=1024 statuses=256 identifier_bytes=64 \
             argument_bytes=65536 compatibility=upstream"
        );
        assert_eq!(
            fingerprint(ConsensusConstants::v1()),
            "60ebd8edc9ba704fdb11c6ffaf58c6a37e5b4ba8a9f031da22b64f5e5ada7a4e"
        );
        assert_eq!(fingerprint(upstream), "eff6d0132ce21bc4a2665c320712a931574c495c17a1bb253219ef693c883a2b");
    }

    #[test]
    fn each_constant_counts() {
        let v1 = ConsensusConstants::v1();
        let others = [
            v1.gas_model(GasModel::Flat),
            v1.memory_bytes(4096),
            v1.compatibility(Compatibility::Upstream),
            v1.limits(Limits { modules: 1, ..Limits::V1 }),
            v1.limits(Limits { modules_bytes: 1, ..Limits::V1 }),
            v1.limits(Limits { instances: 1, ..Limits::V1 }),
            v1.limits(Limits { pages: 1, ..Limits::V1 }),
            v1.limits(Limits { code_bytes: 1, ..Limits::V1 }),
            v1.limits(Limits { nesting: 1, ..Limits::V1 }),
            v1.limits(Limits { snapshot_bytes: 1, ..Limits::V1 }),
            v1.limits(Limits { processes: 1, ..Limits::V1 }),
            v1.limits(Limits { descriptors: 1, ..Limits::V1 }),
        ];
        let mut fingerprints: Vec<_> =
            others.iter().chain([&v1]).map(ConsensusConstants::fingerprint).collect();
        fingerprints.sort_unstable();
        fingerprints.dedup();
        assert_eq!(fingerprints.len(), others.len() + 1);
    }

    #[test]
    fn memory_stays_between_a_page_and_the_address_space() {
        let memory = |bytes| ConsensusConstants::v1().memory_bytes(bytes).memory_bytes;
        assert_eq!((memory(0), memory(4096), memory(u64::MAX)), (4096, 4096, 1 << 32));
    }
}
