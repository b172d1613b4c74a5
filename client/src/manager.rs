//! What answers the host functions.

use crate::{
    cache::ModuleCache,
    config,
    constants::{ConsensusConstants, Limits},
    identifiers::Identifiers,
    instance::Instance,
    program::{CodeHash, Program},
    transactions::Journal,
};
use hatchery_primitives::{
    CacheKey, DestroyError, ExecBuffer, ExecError, ExecStatus, InstanceId, InstantiateError, LOG_TARGET,
    MemoryError, ModuleError, ModuleId, TransactionType, VirtManagerBackend,
};
use std::{collections::BTreeMap, fmt, sync::Arc};

/// The modules and instances of one block, or of one call into a runtime.
///
/// It tells a runtime nothing but what follows from that runtime's calls: ids count up from 0, and a module is cached
/// exactly if this manager compiled it under that key before. So each block and each call starts with a new one, which
/// costs nothing.
///
/// # Storage transactions
///
/// The externalities tell the manager of them. What the node tried and gave up, such as an extrinsic that turned out
/// invalid while a block was built, leaves no trace, since who imports the block never sees it: modules, instances, their
/// memory and the ids to come are as before. When the runtime rolls back a storage layer, the identifiers made inside
/// go; modules and instances stay, as the runtime may still hold them.
///
/// # Code that changes
///
/// A key finds the module that was compiled under it first, until the block ends, even if the program in storage was
/// overwritten meanwhile. A key that depends on the content avoids that: store a program under its hash.
///
/// # Limits
///
/// What the chain's [`ConsensusConstants`] do not allow is refused as `InvalidImage`. Nothing is left of a refused call.
///
/// # Failures of the node
///
/// Lack of memory, or a bug, is no result that a runtime could be told, since other nodes get another one. The manager
/// logs it at `error!` and ends the runtime's call by a panic, which the executor reports as a failed call.
///
/// # Tests
///
/// In a test one manager lasts as long as the externalities that it is registered in.
#[derive(Default)]
pub struct VirtManager {
    constants: ConsensusConstants,
    /// Where programs are compiled; `None` is the cache of the process.
    cache: Option<Arc<ModuleCache>>,
    state: State,
    journal: Journal,
}

/// What a runtime can observe of a manager.
#[derive(Default)]
pub(crate) struct State {
    /// By id. A module is never forgotten, as the host functions have no call for it.
    pub(crate) modules: Vec<Arc<Program>>,
    /// The code of the modules, each with the first id that it was given.
    pub(crate) codes: BTreeMap<CodeHash, ModuleId>,
    pub(crate) identifiers: Identifiers,
    pub(crate) instances: BTreeMap<InstanceId, Instance>,
    pub(crate) next_instance: u32,
    /// Of `instances`, how many are ready, and the pages that they all declare.
    pub(crate) ready: u32,
    pub(crate) pages: u64,
}

impl VirtManager {
    /// A manager that obeys these constants and compiles in the cache of the process.
    pub fn new(constants: ConsensusConstants) -> Self {
        Self { journal: Journal::new(constants.is_upstream()), constants, ..Self::default() }
    }

    /// The same manager, but it compiles in `cache`.
    #[must_use]
    pub fn with_cache(self, cache: Arc<ModuleCache>) -> Self {
        Self { cache: Some(cache), ..self }
    }

    /// The instance, if it lives.
    pub(crate) fn instance(&self, id: InstanceId) -> Option<&Instance> {
        self.state.instances.get(&id)
    }

    fn cache(&self) -> &ModuleCache {
        self.cache.as_ref().unwrap_or_else(|| config::process_wide())
    }

    /// What the key means here.
    fn key<'a>(&self, key: CacheKey<'a>) -> CacheKey<'a> {
        match key {
            CacheKey::ChildTrie { storage_key, .. } if self.constants.is_upstream() => {
                CacheKey::MainTrie(storage_key)
            }
            key => key,
        }
    }

    fn check_code(&self, code: &[u8], hash: &CodeHash) -> Result<(), Refusal> {
        let Limits { modules, code_bytes, .. } = self.constants.effective_limits();
        if code.len() as u64 > code_bytes.into() {
            return Err(Refusal::CodeBytes { bytes: code.len(), limit: code_bytes });
        }
        if self.state.codes.len() as u64 >= modules.into() && !self.state.codes.contains_key(hash) {
            return Err(Refusal::Modules { limit: modules });
        }
        Ok(())
    }

    fn check_instance(&self, program: &Program) -> Result<(), Refusal> {
        let Limits { instances, pages, .. } = self.constants.effective_limits();
        if self.state.instances.len() as u64 >= instances.into() {
            return Err(Refusal::Instances { limit: instances });
        }
        let declared = program.declared_pages();
        if self.state.pages + declared > pages.into() {
            return Err(Refusal::Pages { declared, others: self.state.pages, limit: pages });
        }
        Ok(())
    }

    fn check_nesting(&self) -> Result<(), Refusal> {
        let limit = self.constants.effective_limits().nesting;
        if self.state.ready >= limit { Err(Refusal::Nesting { limit }) } else { Ok(()) }
    }

    /// An instance that is about to change, and how many are ready.
    fn changing(&mut self, id: InstanceId) -> Option<(&mut Instance, &mut u32)> {
        let instance = self.state.instances.get_mut(&id)?;
        self.journal.before_change(id, instance);
        Some((instance, &mut self.state.ready))
    }
}

/// Which limit a call would have passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Refusal {
    #[error("the program has {bytes} bytes, the limit is {limit}")]
    CodeBytes { bytes: usize, limit: u32 },
    #[error("{limit} distinct programs are compiled, which is the limit")]
    Modules { limit: u32 },
    #[error("{limit} instances live, which is the limit")]
    Instances { limit: u32 },
    #[error("the program declares {declared} pages, other instances {others}, the limit is {limit} together")]
    Pages { declared: u64, others: u64, limit: u32 },
    #[error("{limit} instances are prepared or suspended, which is the limit")]
    Nesting { limit: u32 },
}

impl Refusal {
    fn log(self) {
        tracing::debug!(target: LOG_TARGET, "Refused: {self}");
    }
}

impl State {
    fn add_module(&mut self, program: Arc<Program>) -> ModuleId {
        let Ok(id) = u32::try_from(self.modules.len()) else {
            program.metrics().host_failure("number another module", &"2^32 of them exist");
        };
        let id = ModuleId::from(id);
        self.codes.entry(program.hash()).or_insert(id);
        self.modules.push(program);
        id
    }

    fn add_instance(&mut self, instance: Instance) -> InstanceId {
        let id = InstanceId::from(self.next_instance);
        let Some(next) = self.next_instance.checked_add(1) else {
            instance.program().metrics().host_failure("number another instance", &"2^32 of them existed");
        };
        self.next_instance = next;
        self.pages += instance.program().declared_pages();
        self.instances.insert(id, instance);
        id
    }

    /// Counts again what is counted of the instances.
    pub(crate) fn count_instances(&mut self) {
        let instances = || self.instances.values();
        self.ready = instances().map(|instance| u32::from(instance.is_ready())).sum();
        self.pages = instances().map(|instance| instance.program().declared_pages()).sum();
    }
}

impl VirtManagerBackend for VirtManager {
    fn compile(&mut self, code: &[u8], key: Option<CacheKey<'_>>) -> Result<ModuleId, ModuleError> {
        let hash = CodeHash::of(code);
        self.check_code(code, &hash).map_err(|refusal| {
            refusal.log();
            ModuleError::InvalidImage
        })?;
        let program = self.cache().compile(self.constants.engine_rules(), hash, code).map_err(|error| {
            tracing::debug!(target: LOG_TARGET, "A program of {} bytes is refused: {error}", code.len());
            ModuleError::InvalidImage
        })?;
        if let Some(key) = key {
            let key = self.key(key);
            let before = self.state.identifiers.set(key, Some(program.clone()));
            self.journal.changed(key, before);
        }
        Ok(self.state.add_module(program))
    }

    fn lookup(&mut self, key: CacheKey<'_>) -> Result<ModuleId, ModuleError> {
        let key = self.key(key);
        let program = self.state.identifiers.find(key).ok_or(ModuleError::NotCached)?.clone();
        Ok(self.state.add_module(program))
    }

    fn instantiate(&mut self, module_id: ModuleId) -> Result<InstanceId, InstantiateError> {
        let program =
            usize::try_from(u32::from(module_id)).ok().and_then(|index| self.state.modules.get(index));
        let program = program.ok_or(InstantiateError::InvalidModule)?;
        self.check_instance(program).map_err(|refusal| {
            refusal.log();
            InstantiateError::InvalidImage
        })?;
        let instance = Instance::new(program.clone());
        Ok(self.state.add_instance(instance))
    }

    fn prepare(&mut self, instance_id: InstanceId, function: &[u8]) -> Result<(), ExecError> {
        let nesting = self.check_nesting();
        let (instance, ready) = self.changing(instance_id).ok_or(ExecError::InvalidInstance)?;
        if instance.is_ready() {
            return Err(ExecError::InvalidInstance);
        }
        nesting.map_err(|refusal| {
            refusal.log();
            ExecError::InvalidImage
        })?;
        instance.prepare(function)?;
        *ready += 1;
        Ok(())
    }

    #[inline]
    fn run(
        &mut self,
        instance_id: InstanceId,
        gas_left: i64,
        a0: u64,
        buffer: &mut ExecBuffer,
    ) -> Result<ExecStatus, ExecError> {
        let (instance, ready) = self.changing(instance_id).ok_or(ExecError::InvalidInstance)?;
        if !instance.is_ready() {
            return Err(ExecError::InvalidInstance);
        }
        let result = instance.run(gas_left, a0, buffer);
        if result != Ok(ExecStatus::Syscall) {
            *ready -= 1;
        }
        result
    }

    fn destroy(&mut self, instance_id: InstanceId) -> Result<(), DestroyError> {
        let instance = self.state.instances.remove(&instance_id).ok_or(DestroyError::InvalidInstance)?;
        self.state.ready -= u32::from(instance.is_ready());
        self.state.pages -= instance.program().declared_pages();
        instance.given_up();
        self.journal.destroyed(instance_id, instance);
        Ok(())
    }

    fn read_memory(
        &mut self,
        instance_id: InstanceId,
        offset: u32,
        dest: &mut [u8],
    ) -> Result<(), MemoryError> {
        let instance = self.state.instances.get_mut(&instance_id).ok_or(MemoryError::InvalidInstance)?;
        instance.ready()?.memory().read(offset, dest).map_err(|_| MemoryError::OutOfBounds)
    }

    fn write_memory(&mut self, instance_id: InstanceId, offset: u32, src: &[u8]) -> Result<(), MemoryError> {
        let (instance, _) = self.changing(instance_id).ok_or(MemoryError::InvalidInstance)?;
        instance.ready()?.memory_mut().write(offset, src).map_err(|_| MemoryError::OutOfBounds)
    }

    fn start_transaction(&mut self, ty: TransactionType) {
        self.journal.start(ty, &self.state);
    }

    fn commit_transaction(&mut self, ty: TransactionType) {
        self.journal.commit(ty, &mut self.state);
    }

    fn rollback_transaction(&mut self, ty: TransactionType) {
        self.journal.rollback(ty, &mut self.state);
    }
}

impl fmt::Debug for VirtManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtManager")
            .field("modules", &self.state.modules.len())
            .field("instances", &self.state.instances.len())
            .finish_non_exhaustive()
    }
}
