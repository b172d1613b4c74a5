//! The node's side: what answers the host functions, and how it is found.

use crate::{
    LOG_TARGET,
    wire::{
        CompileStatus, CompiledModule, DestroyError, ExecBuffer, ExecError, ExecStatus, InstanceId,
        InstantiateError, MemoryError, ModuleError, ModuleId,
    },
};
use core::fmt;
use sp_externalities::{Externalities, ExternalitiesExt as _};
use std::sync::Once;

pub use sp_externalities::TransactionType;

/// What does the work behind the host functions.
///
/// Everything that a method returns is observed by a runtime, so it must be a function of the calls made and of
/// nothing else: ids, cache answers and gas are the same on every node.
pub trait VirtManagerBackend: Send + 'static {
    /// Compiles `program` and gives the module a new id. With a key, later [`lookup`](Self::lookup)s find the module.
    ///
    /// # Errors
    /// [`ModuleError::InvalidImage`].
    fn compile(&mut self, program: &[u8], key: Option<CacheKey<'_>>) -> Result<ModuleId, ModuleError>;

    /// Gives the module that was compiled under `key` another new id.
    ///
    /// # Errors
    /// [`ModuleError::NotCached`].
    fn lookup(&mut self, key: CacheKey<'_>) -> Result<ModuleId, ModuleError>;

    /// Makes an idle instance of a module.
    ///
    /// # Errors
    /// [`InstantiateError::InvalidModule`] for an unknown id, [`InstantiateError::InvalidImage`].
    fn instantiate(&mut self, module_id: ModuleId) -> Result<InstanceId, InstantiateError>;

    /// Makes an idle instance ready to run the export `function`.
    ///
    /// # Errors
    /// [`ExecError::InvalidInstance`] for an unknown id or an instance that is ready already,
    /// [`ExecError::InvalidImage`] if there is no such export; the instance stays idle.
    fn prepare(&mut self, instance_id: InstanceId, function: &[u8]) -> Result<(), ExecError>;

    /// Sets a0 and the gas of a ready instance and runs it to the next stop. At a syscall it stays ready; whatever else
    /// happens, it is idle afterwards.
    ///
    /// `buffer` is zero when this is called. What is written to it counts on `Ok` only.
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
    /// The externalities extension through which the host functions find their [`VirtManagerBackend`].
    pub struct VirtManagerExt(Box<dyn VirtManagerBackend>);

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
    pub fn new(backend: impl VirtManagerBackend) -> Self {
        Self(Box::new(backend))
    }
}

impl fmt::Debug for VirtManagerExt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtManagerExt").finish_non_exhaustive()
    }
}

/// The backend that is registered in these externalities.
///
/// # Panics
/// If there is none. The executor turns that into a failed call with this message.
pub(crate) fn registered<'a>(
    externalities: &'a mut &mut dyn Externalities,
) -> &'a mut dyn VirtManagerBackend {
    match externalities.extension::<VirtManagerExt>() {
        Some(extension) => extension.0.as_mut(),
        None => panic!("{MISSING_EXTENSION}"),
    }
}

/// Whether this thread is inside externalities that have a backend.
pub(crate) fn is_registered() -> bool {
    sp_externalities::with_externalities(|mut externalities| {
        externalities.extension::<VirtManagerExt>().is_some()
    })
    .unwrap_or(false)
}

const MISSING_EXTENSION: &str = "the virtualization host functions need a manager, and none is registered in these \
    externalities. Add `extensions.register(hatchery_primitives::VirtManagerExt::new(hatchery_client::VirtManager::default()))` \
    to the `ExtensionsFactory` of the node (in a test, `register_extension` of the externalities takes the same argument).";

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
