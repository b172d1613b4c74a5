//! Runtimes and nodes, and playing a scenario on them.

use core::fmt;
use hatchery_test_runtime::{Flavour, Input};
use sc_executor::{WasmExecutionMethod, WasmExecutor, WasmtimeInstantiationStrategy};
use sp_core::traits::{CallContext, CodeExecutor, RuntimeCode, WrappedRuntimeCode};
use sp_io::{SubstrateHostFunctions, TestExternalities};
use std::sync::LazyLock;

/// Whose host functions and engine a node has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    /// `hatchery_primitives::HostFunctions` over `hatchery_client::VirtManager`.
    Hatchery,
    /// As [`Hatchery`](Self::Hatchery), with the rules of upstream: a node of a network that mixes both kinds.
    Compatible,
    /// `sp_virtualization::HostFunctions` over `hatchery_client::UpstreamExt`: a node that has switched engines.
    Switched,
    /// `sp_virtualization::HostFunctions` over `sc_virtualization::VirtManager`.
    Upstream,
}

impl Node {
    /// Whether the host functions are Hatchery's, which know child tries and clear buffers on errors, by Hatchery's rules.
    pub fn has_our_host_functions(self) -> bool {
        self == Self::Hatchery
    }

    /// Whether the manager is Hatchery's, by Hatchery's rules: it follows storage transactions and has limits.
    pub fn has_our_manager(self) -> bool {
        matches!(self, Self::Hatchery | Self::Switched)
    }
}

/// How the runtime is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runtime {
    /// Compiled into this process, against the crate of the node.
    Native,
    /// As Wasm, compiled against either crate.
    Wasm(Flavour, WasmtimeInstantiationStrategy),
}

/// A runtime on a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setup {
    /// The runtime.
    pub runtime: Runtime,
    /// The node.
    pub node: Node,
}

/// A value in storage before the scenario starts.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The child trie; empty for the main trie.
    pub child_trie: Vec<u8>,
    /// The key.
    pub key: Vec<u8>,
    /// The value.
    pub value: Vec<u8>,
}

/// Why a scenario gave no result.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// There is no Wasm to execute.
    #[error(
        "the {0:?} flavour of the test runtime was not built as Wasm, because SKIP_WASM_BUILD was set; \
         build again without it (`cargo xtask setup` installs what that needs)"
    )]
    NoWasm(Flavour),
    /// The call into the Wasm runtime failed.
    #[error("the call of `{scenario}` failed: {error}")]
    Call {
        /// The export that was called.
        scenario: &'static str,
        /// What the executor says.
        error: String,
    },
}

impl Setup {
    /// The native runtime on a node.
    pub const fn native(node: Node) -> Self {
        Self { runtime: Runtime::Native, node }
    }

    /// A Wasm runtime on a node, executed as nodes do by default.
    pub const fn wasm(flavour: Flavour, node: Node) -> Self {
        Self { runtime: Runtime::Wasm(flavour, WasmtimeInstantiationStrategy::PoolingCopyOnWrite), node }
    }

    /// Plays a scenario in new externalities.
    ///
    /// # Errors
    /// If the runtime is Wasm and missing, or if it trapped.
    pub fn play<R: codec::Decode>(self, input: &Input<R>, storage: &[Stored]) -> Result<Vec<u8>, Failure> {
        self.play_in(&mut externalities(self.node, storage), input)
    }

    /// Plays a scenario in these externalities, which must be of this setup's node.
    ///
    /// # Errors
    /// If the runtime is Wasm and missing, or if it trapped.
    pub fn play_in<R: codec::Decode>(
        self,
        externalities: &mut TestExternalities,
        input: &Input<R>,
    ) -> Result<Vec<u8>, Failure> {
        match (self.runtime, self.node) {
            (Runtime::Native, Node::Hatchery | Node::Compatible) => {
                Ok(externalities.execute_with(|| input.play(Flavour::Hatchery)))
            }
            (Runtime::Native, Node::Switched | Node::Upstream) => {
                Ok(externalities.execute_with(|| input.play(Flavour::Upstream)))
            }
            (Runtime::Wasm(flavour, strategy), Node::Hatchery | Node::Compatible) => {
                call(&HATCHERY[index(strategy)], flavour, externalities, input)
            }
            (Runtime::Wasm(flavour, strategy), Node::Switched | Node::Upstream) => {
                call(&UPSTREAM[index(strategy)], flavour, externalities, input)
            }
        }
    }
}

/// For example `hatchery-wasm/upstream-node`.
impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let node = match self.node {
            Node::Hatchery => "hatchery-node",
            Node::Compatible => "compatible-node",
            Node::Switched => "switched-node",
            Node::Upstream => "upstream-node",
        };
        match self.runtime {
            Runtime::Native => write!(f, "native/{node}"),
            Runtime::Wasm(flavour, strategy) => {
                let flavour = match flavour {
                    Flavour::Hatchery => "hatchery-wasm",
                    Flavour::Upstream => "upstream-wasm",
                    Flavour::Control => "control-wasm",
                };
                write!(f, "{flavour}/{node}")?;
                match strategy {
                    WasmtimeInstantiationStrategy::PoolingCopyOnWrite => Ok(()),
                    other => write!(f, "/{other:?}"),
                }
            }
        }
    }
}

/// Externalities with a node's manager and this storage.
pub fn externalities(node: Node, storage: &[Stored]) -> TestExternalities {
    let mut externalities = bare_externalities(storage);
    match node {
        Node::Hatchery => externalities.register_extension(hatchery_primitives::VirtManagerExt::new(
            hatchery_client::VirtManager::default(),
        )),
        Node::Compatible => externalities.register_extension(hatchery_primitives::VirtManagerExt::new(
            hatchery_client::VirtManager::new(
                hatchery_client::ConsensusConstants::v1()
                    .compatibility(hatchery_client::Compatibility::Upstream),
            ),
        )),
        Node::Switched => externalities.register_extension(hatchery_client::UpstreamExt::default()),
        Node::Upstream => externalities.register_extension(sp_virtualization::VirtManagerExt::new(
            sc_virtualization::VirtManager::default(),
        )),
    };
    externalities
}

/// Externalities without any manager.
pub fn bare_externalities(storage: &[Stored]) -> TestExternalities {
    let mut externalities = TestExternalities::default();
    for Stored { child_trie, key, value } in storage {
        if child_trie.is_empty() {
            externalities.insert(key.clone(), value.clone());
        } else {
            let child = sp_storage::ChildInfo::new_default(child_trie);
            externalities.insert_child(child, key.clone(), value.clone());
        }
    }
    externalities
}

type HatcheryExecutor = WasmExecutor<(SubstrateHostFunctions, hatchery_primitives::HostFunctions)>;
type UpstreamExecutor = WasmExecutor<(SubstrateHostFunctions, sp_virtualization::HostFunctions)>;

/// Every strategy. An executor compiles each flavour once.
pub const STRATEGIES: [WasmtimeInstantiationStrategy; 4] = [
    WasmtimeInstantiationStrategy::PoolingCopyOnWrite,
    WasmtimeInstantiationStrategy::RecreateInstanceCopyOnWrite,
    WasmtimeInstantiationStrategy::Pooling,
    WasmtimeInstantiationStrategy::RecreateInstance,
];

static HATCHERY: LazyLock<[HatcheryExecutor; 4]> = LazyLock::new(|| STRATEGIES.map(executor));
static UPSTREAM: LazyLock<[UpstreamExecutor; 4]> = LazyLock::new(|| STRATEGIES.map(executor));

fn index(strategy: WasmtimeInstantiationStrategy) -> usize {
    STRATEGIES.iter().position(|other| *other == strategy).expect("STRATEGIES has all four; qed")
}

fn executor<H: sc_executor::HostFunctions>(
    instantiation_strategy: WasmtimeInstantiationStrategy,
) -> WasmExecutor<H> {
    WasmExecutor::builder()
        .with_execution_method(WasmExecutionMethod::Compiled { instantiation_strategy })
        .with_max_runtime_instances(8)
        .build()
}

fn call<H: sc_executor::HostFunctions, R: codec::Decode>(
    executor: &WasmExecutor<H>,
    flavour: Flavour,
    externalities: &mut TestExternalities,
    input: &Input<R>,
) -> Result<Vec<u8>, Failure> {
    let wasm = flavour.wasm().ok_or(Failure::NoWasm(flavour))?;
    let fetcher = WrappedRuntimeCode(wasm.into());
    let code = RuntimeCode { code_fetcher: &fetcher, heap_pages: None, hash: format!("{flavour:?}").into() };
    let context = CallContext::Onchain { import: false };
    let (result, _) =
        executor.call(&mut externalities.ext(), &code, input.scenario(), input.arguments(), context);
    result.map_err(|error| Failure::Call { scenario: input.scenario(), error: error.to_string() })
}
