//! The node's side: what answers the host functions, and how it is found.

use crate::{
    LOG_TARGET,
    wire::{
        CallResult, CompileStatus, CompiledModule, ControlError, DestroyError, ExecBuffer, ExecError,
        ExecStatus, ExitInfo, InstanceId, InstantiateError, MemoryError, ModuleError, ModuleId, ModuleInfo,
        ResourceInfo,
    },
};
use core::fmt;
use sp_externalities::{Externalities, ExternalitiesExt as _};
use std::{
    any::{Any, TypeId},
    sync::{Once, OnceLock},
};

pub use sp_externalities::TransactionType;

/// What does the work behind the host functions.
///
/// Everything that a method returns is observed by a runtime, so it must be a function of the calls made and of
/// nothing else: ids, cache answers and gas are the same on every node.
pub trait VirtManagerBackend: Send + 'static {
    /// Compiles `program` and gives the module a new id. With a key, later [`lookup`](Self::lookup)s find the module.
    ///
    /// # Errors
    /// [`ModuleError::InvalidImage`] if it is not a valid program or passes a limit.
    fn compile(&mut self, program: &[u8], key: Option<CacheKey<'_>>) -> Result<ModuleId, ModuleError>;

    /// Gives the module that was compiled under `key` another new id.
    ///
    /// # Errors
    /// [`ModuleError::NotCached`].
    fn lookup(&mut self, key: CacheKey<'_>) -> Result<ModuleId, ModuleError>;

    /// Makes an idle instance of a module.
    ///
    /// # Errors
    /// [`InstantiateError::InvalidModule`] for an unknown id, [`InstantiateError::InvalidImage`] if that would pass a limit.
    fn instantiate(&mut self, module_id: ModuleId) -> Result<InstanceId, InstantiateError>;

    /// Makes an idle instance ready to run the export `function`.
    ///
    /// # Errors
    /// [`ExecError::InvalidInstance`] for an unknown id or an instance that is ready already,
    /// [`ExecError::InvalidImage`] if there is no such export or too many instances are ready; the instance stays idle.
    fn prepare(&mut self, instance_id: InstanceId, function: &[u8]) -> Result<(), ExecError>;

    /// Sets a0 and the gas of a ready instance and runs it to the next stop. At a syscall it stays ready; whatever else
    /// happens, it is idle afterwards.
    ///
    /// `buffer` may hold anything when this is called. All of it has to be written before `Ok`; on an error it does not
    /// count.
    ///
    /// # Errors
    /// [`ExecError::InvalidInstance`] for an unknown id or an idle instance, [`ExecError::InvalidImage`] for a syscall
    /// that the program does not import, [`ExecError::OutOfGas`], [`ExecError::Trap`].
    fn run(
        &mut self,
        instance_id: InstanceId,
        gas_left: i64,
        a0: u64,
        buffer: &mut ExecBuffer,
    ) -> Result<ExecStatus, ExecError>;

    /// Frees an instance.
    ///
    /// # Errors
    /// [`DestroyError::InvalidInstance`] for an unknown id.
    fn destroy(&mut self, instance_id: InstanceId) -> Result<(), DestroyError>;

    /// Reads the memory of a ready instance. What is written to `dest` counts on `Ok` only.
    ///
    /// # Errors
    /// [`MemoryError::InvalidInstance`] for an unknown id or an idle instance, [`MemoryError::OutOfBounds`].
    fn read_memory(
        &mut self,
        instance_id: InstanceId,
        offset: u32,
        dest: &mut [u8],
    ) -> Result<(), MemoryError>;

    /// Writes the memory of a ready instance: all of `src` or nothing.
    ///
    /// # Errors
    /// [`MemoryError::InvalidInstance`] for an unknown id or an idle instance, [`MemoryError::OutOfBounds`].
    fn write_memory(&mut self, instance_id: InstanceId, offset: u32, src: &[u8]) -> Result<(), MemoryError>;

    /// A storage transaction begins.
    ///
    /// These three calls can be unbalanced: `sp-api` opens transactions that it does not close, and a runtime that
    /// traps closes its own without a call.
    fn start_transaction(&mut self, _type: TransactionType) {}

    /// The innermost storage transaction ends and what happened in it stays.
    fn commit_transaction(&mut self, _type: TransactionType) {}

    /// The innermost storage transaction ends and what happened in it is undone.
    fn rollback_transaction(&mut self, _type: TransactionType) {}
}

/// What does the work behind the second set of host functions.
///
/// As in [`VirtManagerBackend`], everything that a method returns is a function of the calls made.
pub trait VirtControlBackend: VirtManagerBackend {
    /// Where and why an instance stopped. Of no instance: why the last request for a module or an instance was answered
    /// `InvalidImage` or `LimitReached`, if it was.
    ///
    /// # Errors
    /// [`ControlError::InvalidInstance`].
    fn exit_info(&mut self, instance_id: Option<InstanceId>) -> Result<ExitInfo, ControlError>;

    /// Goes on with an instance that is ready, or that ran out of gas, with its registers as they are. Otherwise as
    /// [`run`](VirtManagerBackend::run).
    ///
    /// # Errors
    /// As `run`; [`ExecError::InvalidImage`], and the instance stays as it is, if that would pass a limit.
    fn resume(
        &mut self,
        instance_id: InstanceId,
        gas_left: i64,
        buffer: &mut ExecBuffer,
    ) -> Result<ExecStatus, ExecError>;

    /// The registers a0 and a1 of an instance that finished.
    ///
    /// # Errors
    /// [`ControlError::InvalidInstance`], [`ControlError::InvalidState`].
    fn result(&mut self, instance_id: InstanceId) -> Result<CallResult, ControlError>;

    /// As [`prepare`](VirtManagerBackend::prepare), with arguments in a1 to a5.
    ///
    /// # Errors
    /// As `prepare`.
    fn prepare_with_args(
        &mut self,
        instance_id: InstanceId,
        function: &[u8],
        arguments: [u64; 5],
    ) -> Result<(), ExecError>;

    /// What a module is.
    ///
    /// # Errors
    /// [`ControlError::InvalidModule`].
    fn module_info(&mut self, module_id: ModuleId) -> Result<ModuleInfo, ControlError>;

    /// Puts an instance's memory back to what it was at first; it is idle then.
    ///
    /// # Errors
    /// [`ControlError::InvalidInstance`].
    fn reset(&mut self, instance_id: InstanceId) -> Result<(), ControlError>;

    /// Writes zeros to the memory of a ready instance: all of `length` or nothing.
    ///
    /// # Errors
    /// As [`write_memory`](VirtManagerBackend::write_memory).
    fn zero_memory(&mut self, instance_id: InstanceId, offset: u32, length: u32) -> Result<(), MemoryError>;

    /// Forgets a module's id.
    ///
    /// # Errors
    /// [`ControlError::InvalidModule`].
    fn release_module(&mut self, module_id: ModuleId) -> Result<(), ControlError>;

    /// What may be used and what is.
    fn limits(&mut self) -> ResourceInfo;

    /// Makes another instance in the same state.
    ///
    /// # Errors
    /// [`ControlError::InvalidInstance`], [`ControlError::LimitReached`].
    fn fork(&mut self, instance_id: InstanceId) -> Result<InstanceId, ControlError>;

    /// The state of an instance as bytes. It stays as it is.
    ///
    /// # Errors
    /// [`ControlError::InvalidInstance`], [`ControlError::LimitReached`].
    fn snapshot(&mut self, instance_id: InstanceId) -> Result<Vec<u8>, ControlError>;

    /// Makes an instance of a module in the state that [`snapshot`](Self::snapshot) gave.
    ///
    /// # Errors
    /// [`ControlError::InvalidModule`], [`ControlError::LimitReached`], [`ControlError::InvalidSnapshot`].
    fn restore(&mut self, module_id: ModuleId, snapshot: &[u8]) -> Result<InstanceId, ControlError>;

    /// Makes an instance that is a tree of processes. The list says what they can start, and under which identifiers.
    ///
    /// # Errors
    /// [`ControlError::InvalidModule`], [`ControlError::InvalidPrograms`], [`ControlError::LimitReached`].
    fn process_instantiate(
        &mut self,
        root: ModuleId,
        programs: &[(Vec<u8>, ModuleId)],
    ) -> Result<InstanceId, ControlError>;

    /// Makes a tree of processes in the state that [`snapshot`](Self::snapshot) gave of one with the same programs.
    ///
    /// # Errors
    /// As [`process_instantiate`](Self::process_instantiate), and [`ControlError::InvalidSnapshot`].
    fn process_restore(
        &mut self,
        root: ModuleId,
        programs: &[(Vec<u8>, ModuleId)],
        snapshot: &[u8],
    ) -> Result<InstanceId, ControlError>;

    /// Forgets everything, as between two blocks. No host function does this; it is for tests, whose externalities
    /// last longer than a block.
    fn next_block(&mut self);
}

/// What a module is cached under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CacheKey<'a> {
    /// An identifier that the runtime chose.
    Identifier(&'a [u8]),
    /// A storage key in the main trie.
    MainTrie(&'a [u8]),
    /// A storage key in a default child trie.
    ChildTrie {
        /// The name of the child trie.
        child_trie: &'a [u8],
        /// The key in it.
        storage_key: &'a [u8],
    },
}

impl<'a> CacheKey<'a> {
    /// The key of a program in storage, where an empty `child_trie` means the main trie.
    pub fn of_storage(storage_key: &'a [u8], child_trie: &'a [u8]) -> Self {
        if child_trie.is_empty() {
            Self::MainTrie(storage_key)
        } else {
            Self::ChildTrie { child_trie, storage_key }
        }
    }
}

sp_externalities::decl_extension! {
    /// The externalities extension through which the host functions find their [`VirtControlBackend`].
    pub struct VirtManagerExt(Box<dyn VirtControlBackend>);

    impl VirtManagerExt {
        fn start_transaction(&mut self, ty: TransactionType) {
            self.0.start_transaction(ty);
        }

        fn commit_transaction(&mut self, ty: TransactionType) {
            self.0.commit_transaction(ty);
        }

        fn rollback_transaction(&mut self, ty: TransactionType) {
            self.0.rollback_transaction(ty);
        }
    }
}

impl VirtManagerExt {
    /// Makes an extension of a backend.
    pub fn new(backend: impl VirtControlBackend) -> Self {
        Self(Box::new(backend))
    }
}

impl fmt::Debug for VirtManagerExt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtManagerExt").finish_non_exhaustive()
    }
}

/// Makes the host functions register a manager themselves where there is none, instead of ending the call.
///
/// This is for benchmark binaries only, whose command line makes the externalities and knows no other extensions than
/// its own. A node gives each block a manager; here one lasts for one call into the runtime.
///
/// # Errors
/// [`AlreadyProvided`] at the second call of a process.
pub fn provide_missing_extension(
    constructor: impl Fn() -> VirtManagerExt + Send + Sync + 'static,
) -> Result<(), AlreadyProvided> {
    CONSTRUCTOR.set(Box::new(constructor)).map_err(|_| AlreadyProvided)
}

/// [`provide_missing_extension`] was called before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the extension of the virtualization host functions is provided already")]
pub struct AlreadyProvided;

static CONSTRUCTOR: OnceLock<Box<dyn Fn() -> VirtManagerExt + Send + Sync>> = OnceLock::new();

/// The backend that is registered in these externalities.
///
/// # Panics
/// If there is none. The executor turns that into a failed call with this message.
#[inline]
pub(crate) fn registered<'a>(
    externalities: &'a mut &mut dyn Externalities,
) -> &'a mut dyn VirtControlBackend {
    let id = TypeId::of::<VirtManagerExt>();
    // Asked twice, because a borrow that is returned from one branch lasts through the other.
    if CONSTRUCTOR.get().is_some() && externalities.extension_by_type_id(id).is_none() {
        register_missing(*externalities);
    }
    match externalities.extension_by_type_id(id).and_then(<dyn Any>::downcast_mut::<VirtManagerExt>) {
        Some(extension) => extension.0.as_mut(),
        None => panic!("{MISSING_EXTENSION}"),
    }
}

#[cold]
fn register_missing(externalities: &mut dyn Externalities) {
    let Some(constructor) = CONSTRUCTOR.get() else { return };
    let id = TypeId::of::<VirtManagerExt>();
    if let Err(error) = externalities.register_extension_with_type_id(id, Box::new(constructor())) {
        log::error!(target: LOG_TARGET, "The extension cannot be registered: {error:?}");
    }
}

/// Whether this thread is inside externalities that have a backend.
pub(crate) fn is_registered() -> bool {
    sp_externalities::with_externalities(|mut externalities| {
        externalities.extension::<VirtManagerExt>().is_some()
    })
    .unwrap_or(false)
}

const MISSING_EXTENSION: &str = "the virtualization host functions need a manager (VirtManagerExt), and none is registered in \
    these externalities. In the service of a node, add `client.execution_extensions().set_extensions_factory(\
    hatchery_client::VirtExtensionFactory::new(hatchery_client::ConsensusConstants::v1()));`; in a test, add \
    `externalities.register_extension(hatchery_primitives::VirtManagerExt::new(hatchery_client::VirtManager::default()));`. \
    While a genesis state is built there is no manager: store programs then, and compile them later.";

/// The module that is cached under `key`.
pub(crate) fn lookup_cached(
    externalities: &mut &mut dyn Externalities,
    key: Option<CacheKey<'_>>,
) -> Result<Option<CompiledModule>, ModuleError> {
    let Some(key) = key else { return Ok(None) };
    match registered(externalities).lookup(key) {
        Ok(id) => Ok(Some(CompiledModule { id, status: CompileStatus::Cached })),
        Err(ModuleError::NotCached) => Ok(None),
        Err(error) => Err(error),
    }
}

pub(crate) fn warn_once_that_the_interface_is_unstable() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::warn!(
            target: LOG_TARGET,
            "This runtime uses the virtualization host functions. They are not part of any stable runtime interface and \
             not available on Polkadot; a later node may not offer them.",
        );
    });
}
