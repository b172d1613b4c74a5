//! What is left of a node without a database and a network: a state, an executor, and the extensions of a call.

use hatchery_client::HostFunctions;
use hatchery_test_chain::{Block, Header, RuntimeApi, UncheckedExtrinsic, WASM_BINARY, steps};
use sc_block_builder::{BlockBuilder, BlockBuilderBuilder};
use sc_client_api::execution_extensions::{ExecutionExtensions, ExtensionsFactory};
use sc_executor::{RuntimeVersionOf, WasmExecutionMethod, WasmExecutor, WasmtimeInstantiationStrategy};
use sp_api::{
    ApiError, ApiExt, ApiRef, CallApiAt, CallApiAtParams, ConstructRuntimeApi, Core, ProofRecorder,
    ProvideRuntimeApi, StorageProof,
};
use sp_core::{
    H256,
    traits::{CallContext, FetchRuntimeCode, RuntimeCode, WrappedRuntimeCode},
};
use sp_externalities::Extensions;
use sp_runtime::{
    BuildStorage,
    traits::{BlakeTwo256, Block as _, Header as _},
};
use sp_state_machine::{
    Backend, InMemoryBackend, MemoryDB, StateMachine, TrieBackend, TrieBackendBuilder,
    backend::AsTrieBackend, create_proof_check_backend,
};
use sp_version::RuntimeVersion;
use std::sync::{Arc, LazyLock};

/// A state that can be had more than once.
pub(crate) trait State:
    Backend<BlakeTwo256> + AsTrieBackend<BlakeTwo256> + Send + Sync + 'static
{
    fn again(&self) -> Self;
}

impl State for InMemoryBackend<BlakeTwo256> {
    fn again(&self) -> Self {
        self.clone()
    }
}

/// What an importer has that knows the proof only.
type ProvenState = TrieBackend<MemoryDB<BlakeTwo256>, BlakeTwo256>;

impl State for ProvenState {
    fn again(&self) -> Self {
        TrieBackendBuilder::new(self.backend_storage().clone(), *self.root()).build()
    }
}

/// A node that stands at one block.
pub(crate) struct Node<S> {
    state: S,
    hash: H256,
    number: u32,
    executor: Executor,
    extensions: ExecutionExtensions<Block>,
}

/// What executes runtimes. Nodes can share one, and with it the compiled runtime.
#[derive(Clone)]
pub(crate) enum Executor {
    /// With Hatchery's host functions.
    Hatchery(WasmExecutor<HostFunctions>),
    /// With upstream's.
    Upstream(WasmExecutor<UpstreamHostFunctions>),
}

type UpstreamHostFunctions = (sp_io::SubstrateHostFunctions, sp_virtualization::HostFunctions);

impl From<WasmExecutor<HostFunctions>> for Executor {
    fn from(executor: WasmExecutor<HostFunctions>) -> Self {
        Self::Hatchery(executor)
    }
}

/// A block with what its author knows of it.
pub(crate) struct Built {
    pub(crate) block: Block,
    pub(crate) proof: StorageProof,
    changes: sp_api::StorageChanges<Block>,
}

/// The executor of the nodes that are not given one.
pub(crate) fn shared_executor() -> Executor {
    static EXECUTOR: LazyLock<Executor> =
        LazyLock::new(|| executor(WasmtimeInstantiationStrategy::PoolingCopyOnWrite));
    EXECUTOR.clone()
}

/// The executor of nodes that have switched engines below the host functions that they had.
pub(crate) fn shared_executor_of_upstream() -> Executor {
    static EXECUTOR: LazyLock<Executor> = LazyLock::new(|| {
        Executor::Upstream(wasm_executor(WasmtimeInstantiationStrategy::PoolingCopyOnWrite))
    });
    EXECUTOR.clone()
}

/// An executor for each way of making Wasm instances, which compiles the runtime once.
pub(crate) fn shared_executors() -> &'static [Executor] {
    static EXECUTORS: LazyLock<[Executor; 4]> =
        LazyLock::new(|| hatchery_runtime_tests::STRATEGIES.map(executor));
    EXECUTORS.as_slice()
}

/// An executor that makes Wasm instances in this way.
pub(crate) fn executor(instantiation_strategy: WasmtimeInstantiationStrategy) -> Executor {
    Executor::Hatchery(wasm_executor(instantiation_strategy))
}

fn wasm_executor<H: sc_executor::HostFunctions>(
    instantiation_strategy: WasmtimeInstantiationStrategy,
) -> WasmExecutor<H> {
    WasmExecutor::builder()
        .with_execution_method(WasmExecutionMethod::Compiled { instantiation_strategy })
        .with_max_runtime_instances(4)
        .build()
}

fn wasm() -> &'static [u8] {
    WASM_BINARY.expect("the chain's runtime was built without SKIP_WASM_BUILD")
}

fn with_code<R>(use_it: impl FnOnce(&RuntimeCode<'_>) -> R) -> R {
    let fetcher = WrappedRuntimeCode(wasm().into());
    assert!(fetcher.fetch_runtime_code().is_some());
    use_it(&RuntimeCode { code_fetcher: &fetcher, heap_pages: None, hash: b"chain".to_vec() })
}

/// A node with the whole state.
pub(crate) type Full = Node<InMemoryBackend<BlakeTwo256>>;

impl Full {
    /// A node at the genesis, in which `stored` is stored. It has no extensions yet.
    pub(crate) fn new(stored: &[(&[u8], Vec<u8>)], executor: impl Into<Executor>) -> Self {
        let executor = executor.into();
        let mut storage = hatchery_test_chain::RuntimeGenesisConfig::default()
            .build_storage()
            .expect("the genesis of nothing");
        storage.top.extend(stored.iter().map(|(key, value)| (key.to_vec(), value.clone())));
        let state = InMemoryBackend::from((storage, sp_core::storage::StateVersion::V1));
        let genesis =
            Header::new(0, Default::default(), *state.root(), Default::default(), Default::default());
        let extensions = extensions((), &executor);
        Self { state, hash: genesis.hash(), number: 0, executor, extensions }
    }

    /// Goes on to the block that it has built.
    pub(crate) fn advance(&mut self, built: &Built) {
        let header = built.block.header();
        self.state
            .apply_transaction(built.changes.transaction_storage_root, built.changes.transaction.clone());
        assert_eq!(self.state.root(), header.state_root());
        (self.hash, self.number) = (header.hash(), *header.number());
    }

    /// An importer that stands where this node does, and knows of its state what the proof of a block has.
    pub(crate) fn importer(
        &self,
        proof: &StorageProof,
        factory: impl ExtensionsFactory<Block> + 'static,
    ) -> Node<ProvenState> {
        let state =
            create_proof_check_backend(*self.state.root(), proof.clone()).expect("the proof has the root");
        let extensions = extensions(factory, &self.executor);
        Node { state, hash: self.hash, number: self.number, executor: self.executor.clone(), extensions }
    }

    /// A node with the whole state, where this one stands.
    pub(crate) fn fork(&self, factory: impl ExtensionsFactory<Block> + 'static) -> Self {
        let extensions = extensions(factory, &self.executor);
        let executor = self.executor.clone();
        Self { state: self.state.clone(), hash: self.hash, number: self.number, executor, extensions }
    }

    /// The weight that a block's extrinsics have used.
    pub(crate) fn weight_after(&self, built: &Built) -> u64 {
        let mut after = self.fork(());
        after.advance(built);
        let key = frame_system_key(b"BlockWeight");
        let bytes = after.state.storage(&key).expect("the state is whole").expect("a block has a weight");
        let weights: frame_support::dispatch::PerDispatchClass<frame_support::weights::Weight> =
            codec::Decode::decode(&mut &bytes[..]).expect("it is what frame-system stores");
        weights.total().ref_time()
    }

    /// The answers that are in the state.
    pub(crate) fn answers(&self) -> Vec<i64> {
        answers(&self.state)
    }
}

impl<S: State> Node<S> {
    /// Builds a block: `author` pushes extrinsics.
    pub(crate) fn build(&self, author: impl FnOnce(&mut BlockBuilder<'_, Block, Self>)) -> Built {
        let recorder = ProofRecorder::<Block>::default();
        let mut builder = BlockBuilderBuilder::new(self)
            .on_parent_block(self.hash)
            .with_parent_block_number(self.number)
            .with_proof_recorder(recorder.clone())
            .build()
            .expect("a block can be begun");
        author(&mut builder);
        let (block, changes) = builder.build().expect("a block can be finished").into_inner();
        Built { proof: recorder.drain_storage_proof(), block, changes }
    }

    /// Where extensions come from.
    pub(crate) fn execution_extensions(&self) -> &ExecutionExtensions<Block> {
        &self.extensions
    }

    /// The block it stands at.
    pub(crate) fn hash(&self) -> H256 {
        self.hash
    }

    /// The header that a block begins with.
    pub(crate) fn next_header(&self) -> Header {
        Header::new(self.number + 1, Default::default(), Default::default(), self.hash, Default::default())
    }

    /// Executes a block as an importer does. Gives what it has read of the state.
    pub(crate) fn import_recording(&self, block: &Block) -> Result<StorageProof, ApiError> {
        let recorder = ProofRecorder::<Block>::default();
        let mut api = self.runtime_api();
        api.record_proof_with_recorder(recorder.clone());
        api.execute_block(self.hash, block.clone().into())?;
        Ok(recorder.drain_storage_proof())
    }

    /// Executes a block as an importer does.
    pub(crate) fn import(&self, block: &Block) -> Result<(), ApiError> {
        self.runtime_api().execute_block(self.hash, block.clone().into())
    }
}

/// Where frame-system stores a value.
fn frame_system_key(item: &[u8]) -> Vec<u8> {
    [sp_io::hashing::twox_128(b"System"), sp_io::hashing::twox_128(item)].concat()
}

fn answers<S: State>(state: &S) -> Vec<i64> {
    let bytes = state.storage(steps::ANSWERS).expect("the state is whole").unwrap_or_default();
    codec::Decode::decode(&mut &bytes[..]).unwrap_or_default()
}

fn extensions(
    factory: impl ExtensionsFactory<Block> + 'static,
    executor: &Executor,
) -> ExecutionExtensions<Block> {
    let factory: Option<Box<dyn ExtensionsFactory<Block>>> = Some(Box::new(factory));
    match executor.clone() {
        Executor::Hatchery(executor) => ExecutionExtensions::new(factory, Arc::new(executor)),
        Executor::Upstream(executor) => ExecutionExtensions::new(factory, Arc::new(executor)),
    }
}

impl<S: State> ProvideRuntimeApi<Block> for Node<S> {
    type Api = <RuntimeApi as ConstructRuntimeApi<Block, Self>>::RuntimeApi;

    fn runtime_api(&self) -> ApiRef<'_, Self::Api> {
        RuntimeApi::construct_runtime_api(self)
    }
}

impl<S: State> CallApiAt<Block> for Node<S> {
    type StateBackend = S;

    fn call_api_at(&self, params: CallApiAtParams<'_, Block>) -> Result<Vec<u8>, ApiError> {
        let changes = &mut *params.overlayed_changes.borrow_mut();
        let extensions = &mut *params.extensions.borrow_mut();
        let state = self.state.as_trie_backend();
        with_code(|code| {
            macro_rules! execute {
                ($backend:expr) => {
                    match &self.executor {
                        Executor::Hatchery(executor) => execute!($backend, executor),
                        Executor::Upstream(executor) => execute!($backend, executor),
                    }
                };
                ($backend:expr, $executor:expr) => {
                    StateMachine::new(
                        $backend,
                        changes,
                        $executor,
                        params.function,
                        &params.arguments,
                        extensions,
                        code,
                        params.call_context,
                    )
                    .set_parent_hash(params.at)
                    .execute()
                };
            }
            let result = match params.recorder {
                Some(recorder) => {
                    let backend = TrieBackendBuilder::wrap(state).with_recorder(recorder.clone()).build();
                    execute!(&backend)
                }
                None => execute!(state),
            };
            result.map_err(|error| ApiError::Application(error.to_string().into()))
        })
    }

    fn runtime_version_at(&self, _: H256, _: CallContext) -> Result<RuntimeVersion, ApiError> {
        let mut externalities = sp_state_machine::BasicExternalities::default();
        with_code(|code| match &self.executor {
            Executor::Hatchery(executor) => executor.runtime_version(&mut externalities, code),
            Executor::Upstream(executor) => executor.runtime_version(&mut externalities, code),
        })
        .map_err(|error| ApiError::Application(Box::new(error)))
    }

    fn state_at(&self, at: H256) -> Result<S, ApiError> {
        assert_eq!(at, self.hash, "the node stands at one block");
        Ok(self.state.again())
    }

    fn initialize_extensions(&self, at: H256, extensions: &mut Extensions) -> Result<(), ApiError> {
        assert_eq!(at, self.hash, "the node stands at one block");
        extensions.merge(self.extensions.extensions(at, self.number));
        Ok(())
    }
}

/// Pushes an extrinsic, and tells why it was not taken.
pub(crate) fn push<S: State>(
    builder: &mut BlockBuilder<'_, Block, Node<S>>,
    extrinsic: UncheckedExtrinsic,
) -> Result<(), String> {
    builder.push(extrinsic).map_err(|error| error.to_string())
}
