//! What answers the host functions.

use crate::{
    cache::ModuleCache,
    config,
    constants::{ConsensusConstants, Limits},
    identifiers::Identifiers,
    instance::Instance,
    processes::{MOST_IDENTIFIER_BYTES, Programs},
    program::{CodeHash, Program},
    transactions::Journal,
};
use hatchery_primitives::{
    CacheKey, CallResult, ControlError, DestroyError, ExecBuffer, ExecError, ExecStatus, ExitInfo,
    InstanceId, InstantiateError, LOG_TARGET, MemoryError, ModuleError, ModuleId, ModuleInfo, NO_INSTANCE,
    Refusal, ResourceInfo, TransactionType, Usage, VirtControlBackend, VirtManagerBackend,
};
use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt,
    sync::Arc,
};

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
    /// By id. Of a released one only the place is left.
    pub(crate) modules: Vec<Option<Arc<Program>>>,
    pub(crate) codes: Codes,
    pub(crate) identifiers: Identifiers,
    instances: BTreeMap<InstanceId, Instance>,
    pub(crate) next_instance: u32,
    /// Of `instances`, how many are ready, the machines that they can have, and the pages that they all have, heaps included.
    pub(crate) ready: u32,
    pub(crate) machines: u64,
    pub(crate) pages: u64,
    /// Why the last request for a module or an instance was refused, if its answer does not say so itself.
    pub(crate) refusal: Option<Refusal>,
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
        let Limits { modules, modules_bytes, code_bytes, .. } = self.constants.effective_limits();
        let (count, bytes) = (self.state.codes.count() as u64, code.len() as u64);
        if bytes > code_bytes.into() {
            return Err(Refusal::CodeBytes);
        }
        let is_past = count >= modules.into() || self.state.codes.bytes + bytes > modules_bytes.into();
        if is_past && !self.state.codes.contains(hash) {
            return Err(Refusal::Modules);
        }
        Ok(())
    }

    /// Whether there is room for so many machines that have so many pages.
    fn check_room(&self, more_machines: u64, more_pages: u64) -> Result<(), Refusal> {
        let limit = self.constants.effective_limits().instances;
        if self.state.machines + more_machines > limit.into() {
            return Err(Refusal::Instances);
        }
        self.check_pages(more_pages)
    }

    fn check_pages(&self, pages: u64) -> Result<(), Refusal> {
        if pages > self.spare_pages() { Err(Refusal::Pages) } else { Ok(()) }
    }

    /// How many more pages instances may have.
    fn spare_pages(&self) -> u64 {
        u64::from(self.constants.effective_limits().pages).saturating_sub(self.state.pages)
    }

    fn check_instance(&self, program: &Program) -> Result<(), Refusal> {
        self.check_room(1, program.declared_pages())
    }

    fn check_tree(&self, programs: &Programs) -> Result<(), Refusal> {
        self.check_room(programs.most_machines(), programs.most_declared_pages())
    }

    /// The programs of a tree of processes.
    fn programs(
        &mut self,
        root: ModuleId,
        programs: &[(Vec<u8>, ModuleId)],
    ) -> Result<Arc<Programs>, ControlError> {
        let root = self.module(root).ok_or(ControlError::InvalidModule)?.clone();
        if programs.len() as u64 > self.constants.effective_limits().modules.into() {
            return self.answered(Err(Refusal::Modules)).map_err(|_| ControlError::LimitReached);
        }
        let mut listed = BTreeMap::new();
        for (identifier, module) in programs {
            let program = self.module(*module).ok_or(ControlError::InvalidModule)?.clone();
            if identifier.len() > MOST_IDENTIFIER_BYTES as usize
                || listed.insert(identifier.clone(), program).is_some()
            {
                return Err(ControlError::InvalidPrograms);
            }
        }
        Ok(Programs::new(root, listed, self.constants.process_limits()))
    }

    fn check_nesting(&self) -> Result<(), Refusal> {
        let limit = self.constants.effective_limits().nesting;
        if self.state.ready >= limit { Err(Refusal::Nesting) } else { Ok(()) }
    }

    fn module(&self, id: ModuleId) -> Option<&Arc<Program>> {
        self.state.modules.get(usize::try_from(u32::from(id)).ok()?)?.as_ref()
    }

    /// Notes how a request for a module or an instance was answered.
    fn answered<T>(&mut self, result: Result<T, Refusal>) -> Result<T, Refusal> {
        self.state.refusal = result.as_ref().err().copied();
        if let Some(refusal) = self.state.refusal {
            tracing::debug!(
                target: LOG_TARGET,
                "Refused: {refusal:?}. {} distinct programs; {} instances, {} of them ready, with {} pages",
                self.state.codes.count(),
                self.state.instances.len(),
                self.state.ready,
                self.state.pages,
            );
        }
        result
    }

    fn try_compile(&mut self, code: &[u8], key: Option<CacheKey<'_>>) -> Result<ModuleId, Refusal> {
        let hash = CodeHash::of(code);
        self.check_code(code, &hash)?;
        let program = self.cache().compile(self.constants.engine_rules(), hash, code).map_err(|error| {
            tracing::debug!(target: LOG_TARGET, "A program of {} bytes is refused: {error}", code.len());
            error.refusal()
        })?;
        if let Some(key) = key {
            let key = self.key(key);
            let before = self.state.set_identifier(key, Some(program.clone()));
            self.journal.changed(key, before);
        }
        Ok(self.state.add_module(program))
    }

    fn prepare_with(
        &mut self,
        id: InstanceId,
        function: &[u8],
        arguments: [u64; 5],
    ) -> Result<(), ExecError> {
        let nesting = self.check_nesting();
        let Changing { instance, ready, pages } = self.changing(id).ok_or(ExecError::InvalidInstance)?;
        if instance.is_ready() {
            return Err(ExecError::InvalidInstance);
        }
        let before = instance.pages();
        let result = nesting.and_then(|()| instance.prepare(function, arguments));
        // Of a tree that had stopped, all processes but the root are gone now.
        *pages = pages.saturating_sub(before) + instance.pages();
        tracing::trace!(target: LOG_TARGET, ?id, function = %function.escape_ascii(), ?result, "prepare");
        instance.refusal = result.err();
        *ready += u32::from(result.is_ok());
        result.map_err(|_| ExecError::InvalidImage)
    }

    fn try_restore(&mut self, program: Arc<Program>, snapshot: &[u8]) -> Result<InstanceId, Refusal> {
        // Limits come first: what is past them is not worth looking at.
        self.check_instance(&program)?;
        let most_bytes = self.constants.effective_limits().snapshot_bytes;
        let mut instance = Instance::restored(program, snapshot, most_bytes, self.spare_pages())?;
        self.check_pages(instance.pages())?;
        if instance.is_ready() {
            self.check_nesting()?;
        }
        instance.revive();
        Ok(self.state.add_instance(instance))
    }

    fn try_restore_tree(&mut self, programs: Arc<Programs>, snapshot: &[u8]) -> Result<InstanceId, Refusal> {
        self.check_tree(&programs)?;
        let most_bytes = self.constants.effective_limits().snapshot_bytes;
        let mut instance = Instance::restored_tree(programs, snapshot, most_bytes, self.spare_pages())?;
        self.check_pages(instance.pages())?;
        if instance.is_ready() {
            self.check_nesting()?;
        }
        instance.revive();
        Ok(self.state.add_instance(instance))
    }

    /// An instance that is about to change.
    fn changing(&mut self, id: InstanceId) -> Option<Changing<'_>> {
        let State { instances, ready, pages, .. } = &mut self.state;
        let instance = instances.get_mut(&id)?;
        self.journal.before_change(id, instance);
        Some(Changing { instance, ready, pages })
    }
}

/// An instance that is about to change, and what is counted of all instances.
struct Changing<'a> {
    instance: &'a mut Instance,
    ready: &'a mut u32,
    pages: &'a mut u64,
}

/// How many handles, identifiers and living instances each distinct program has.
#[derive(Default)]
pub(crate) struct Codes {
    uses: BTreeMap<CodeHash, u64>,
    /// Of all these programs.
    bytes: u64,
}

impl Codes {
    /// How many distinct programs there are.
    fn count(&self) -> usize {
        self.uses.len()
    }

    fn contains(&self, hash: &CodeHash) -> bool {
        self.uses.contains_key(hash)
    }

    fn add(&mut self, program: &Program) {
        let uses = self.uses.entry(program.hash()).or_default();
        if *uses == 0 {
            self.bytes += u64::from(program.code_bytes());
        }
        *uses += 1;
    }

    fn remove(&mut self, program: &Program) {
        if let Entry::Occupied(mut uses) = self.uses.entry(program.hash()) {
            *uses.get_mut() -= 1;
            if *uses.get() == 0 {
                uses.remove();
                self.bytes -= u64::from(program.code_bytes());
            }
        }
    }
}

impl State {
    fn add_module(&mut self, program: Arc<Program>) -> ModuleId {
        let Ok(id) = u32::try_from(self.modules.len()) else {
            program.metrics().host_failure("number another module", &"2^32 of them exist");
        };
        self.codes.add(&program);
        self.modules.push(Some(program));
        ModuleId::from(id)
    }

    /// Takes the module of an id away.
    fn take_module(&mut self, index: usize) -> Option<Arc<Program>> {
        let program = self.modules.get_mut(index)?.take()?;
        self.codes.remove(&program);
        Some(program)
    }

    /// Gives a module that was taken away its id back.
    pub(crate) fn give_back_module(&mut self, index: usize, program: Arc<Program>) {
        if let Some(place) = self.modules.get_mut(index) {
            self.codes.add(&program);
            *place = Some(program);
        }
    }

    /// Forgets the modules from this index on.
    pub(crate) fn truncate_modules(&mut self, count: usize) {
        for program in self.modules.drain(count.min(self.modules.len())..).flatten() {
            self.codes.remove(&program);
        }
    }

    /// Keeps the module under the key, or nothing. Gives what was kept under it before.
    pub(crate) fn set_identifier(
        &mut self,
        key: CacheKey<'_>,
        program: Option<Arc<Program>>,
    ) -> Option<Arc<Program>> {
        if let Some(program) = &program {
            self.codes.add(program);
        }
        let before = self.identifiers.set(key, program);
        if let Some(before) = &before {
            self.codes.remove(before);
        }
        before
    }

    /// Forgets all identifiers.
    pub(crate) fn clear_identifiers(&mut self) {
        for program in std::mem::take(&mut self.identifiers).programs() {
            self.codes.remove(program);
        }
    }

    fn add_instance(&mut self, instance: Instance) -> InstanceId {
        let id = self.next_instance;
        if id == NO_INSTANCE {
            instance.program().metrics().host_failure("number another instance", &"2^32 - 1 of them existed");
        }
        self.next_instance += 1;
        self.machines += instance.most_machines();
        self.pages += instance.pages();
        self.ready += u32::from(instance.is_ready());
        let id = InstanceId::from(id);
        self.put_instance(id, instance);
        id
    }

    /// Lets an instance live under an id, in place of the one that does. The caller counts its machines and pages.
    fn put_instance(&mut self, id: InstanceId, instance: Instance) {
        // First, so that programs of both are not given up in between.
        for program in instance.programs() {
            self.codes.add(program);
        }
        if let Some(before) = self.instances.insert(id, instance) {
            self.give_up_programs(&before);
        }
    }

    /// Takes an instance away. The caller counts its machines and pages.
    fn take_instance(&mut self, id: InstanceId) -> Option<Instance> {
        let instance = self.instances.remove(&id)?;
        self.give_up_programs(&instance);
        Some(instance)
    }

    fn give_up_programs(&mut self, instance: &Instance) {
        for program in instance.programs() {
            self.codes.remove(program);
        }
    }

    /// Forgets the instances from this id on, and puts others back as they were.
    pub(crate) fn undo_instances(&mut self, next: InstanceId, before: BTreeMap<InstanceId, Instance>) {
        for instance in self.instances.split_off(&next).values() {
            self.give_up_programs(instance);
        }
        for (id, mut instance) in before {
            instance.revive();
            self.put_instance(id, instance);
        }
        self.next_instance = next.into();
        self.count_instances();
    }

    /// Counts again what is counted of the instances.
    fn count_instances(&mut self) {
        let instances = || self.instances.values();
        self.ready = instances().map(|instance| u32::from(instance.is_ready())).sum();
        self.machines = instances().map(Instance::most_machines).sum();
        self.pages = instances().map(Instance::pages).sum();
    }
}

impl VirtManagerBackend for VirtManager {
    fn compile(&mut self, code: &[u8], key: Option<CacheKey<'_>>) -> Result<ModuleId, ModuleError> {
        let result = self.try_compile(code, key);
        tracing::trace!(target: LOG_TARGET, bytes = code.len(), ?key, ?result, "compile");
        self.answered(result).map_err(|_| ModuleError::InvalidImage)
    }

    fn lookup(&mut self, key: CacheKey<'_>) -> Result<ModuleId, ModuleError> {
        // No answer to this has a cause beyond itself.
        self.state.refusal = None;
        let key = self.key(key);
        let program = self.state.identifiers.find(key).ok_or(ModuleError::NotCached)?.clone();
        Ok(self.state.add_module(program))
    }

    fn instantiate(&mut self, module_id: ModuleId) -> Result<InstanceId, InstantiateError> {
        self.state.refusal = None;
        let program = self.module(module_id).ok_or(InstantiateError::InvalidModule)?.clone();
        let result = self.check_instance(&program).map(|()| self.state.add_instance(Instance::new(program)));
        tracing::trace!(target: LOG_TARGET, ?module_id, ?result, "instantiate");
        self.answered(result).map_err(|_| InstantiateError::InvalidImage)
    }

    fn prepare(&mut self, instance_id: InstanceId, function: &[u8]) -> Result<(), ExecError> {
        self.prepare_with(instance_id, function, [0; 5])
    }

    #[inline]
    fn run(
        &mut self,
        instance_id: InstanceId,
        gas_left: i64,
        a0: u64,
        buffer: &mut ExecBuffer,
    ) -> Result<ExecStatus, ExecError> {
        let spare = self.spare_pages();
        let Changing { instance, ready, pages } =
            self.changing(instance_id).ok_or(ExecError::InvalidInstance)?;
        if !instance.is_ready() {
            return Err(ExecError::InvalidInstance);
        }
        let result = instance.growing(spare, pages, |instance| instance.run(gas_left, a0, buffer));
        if result != Ok(ExecStatus::Syscall) {
            *ready -= 1;
        }
        result
    }

    fn destroy(&mut self, instance_id: InstanceId) -> Result<(), DestroyError> {
        let mut instance = self.state.take_instance(instance_id).ok_or(DestroyError::InvalidInstance)?;
        self.state.ready -= u32::from(instance.is_ready());
        self.state.machines -= instance.most_machines();
        self.state.pages = self.state.pages.saturating_sub(instance.pages());
        tracing::trace!(target: LOG_TARGET, ?instance_id, "destroy");
        instance.retire();
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
        let Changing { instance, .. } = self.changing(instance_id).ok_or(MemoryError::InvalidInstance)?;
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

impl VirtControlBackend for VirtManager {
    fn exit_info(&mut self, instance_id: Option<InstanceId>) -> Result<ExitInfo, ControlError> {
        match instance_id {
            None => Ok(ExitInfo { refusal: self.state.refusal, ..ExitInfo::default() }),
            Some(id) => {
                let instance = self.state.instances.get(&id).ok_or(ControlError::InvalidInstance)?;
                Ok(instance.exit_info())
            }
        }
    }

    fn resume(
        &mut self,
        instance_id: InstanceId,
        gas_left: i64,
        buffer: &mut ExecBuffer,
    ) -> Result<ExecStatus, ExecError> {
        let (nesting, spare) = (self.check_nesting(), self.spare_pages());
        let Changing { instance, ready, pages } =
            self.changing(instance_id).ok_or(ExecError::InvalidInstance)?;
        if instance.is_out_of_gas() {
            instance.refusal = nesting.err();
            nesting.map_err(|_| ExecError::InvalidImage)?;
            *ready += 1;
        } else if !instance.is_ready() {
            return Err(ExecError::InvalidInstance);
        }
        let result = instance.growing(spare, pages, |instance| instance.resume(gas_left, buffer));
        if result != Ok(ExecStatus::Syscall) {
            *ready -= 1;
        }
        result
    }

    fn result(&mut self, instance_id: InstanceId) -> Result<CallResult, ControlError> {
        self.state.instances.get(&instance_id).ok_or(ControlError::InvalidInstance)?.result()
    }

    fn prepare_with_args(
        &mut self,
        instance_id: InstanceId,
        function: &[u8],
        arguments: [u64; 5],
    ) -> Result<(), ExecError> {
        self.prepare_with(instance_id, function, arguments)
    }

    fn module_info(&mut self, module_id: ModuleId) -> Result<ModuleInfo, ControlError> {
        let program = self.module(module_id).ok_or(ControlError::InvalidModule)?;
        Ok(program.info(self.constants.effective_memory_bytes()))
    }

    fn reset(&mut self, instance_id: InstanceId) -> Result<(), ControlError> {
        let Changing { instance, ready, pages } =
            self.changing(instance_id).ok_or(ControlError::InvalidInstance)?;
        *ready -= u32::from(instance.is_ready());
        *pages = pages.saturating_sub(instance.pages());
        instance.reset();
        *pages += instance.pages();
        Ok(())
    }

    fn zero_memory(&mut self, instance_id: InstanceId, offset: u32, length: u32) -> Result<(), MemoryError> {
        let Changing { instance, .. } = self.changing(instance_id).ok_or(MemoryError::InvalidInstance)?;
        instance.ready()?.memory_mut().zero(offset, length).map_err(|_| MemoryError::OutOfBounds)
    }

    fn release_module(&mut self, module_id: ModuleId) -> Result<(), ControlError> {
        let index = usize::try_from(u32::from(module_id)).map_err(|_| ControlError::InvalidModule)?;
        let program = self.state.take_module(index).ok_or(ControlError::InvalidModule)?;
        self.journal.released(index, program);
        Ok(())
    }

    fn limits(&mut self) -> ResourceInfo {
        let Limits { modules, modules_bytes, instances, pages, code_bytes, nesting, snapshot_bytes, .. } =
            self.constants.effective_limits();
        let processes = self.constants.process_limits();
        let state = &self.state;
        let usage = |used, limit: u32| Usage { used, limit: limit.into() };
        ResourceInfo {
            modules: usage(state.codes.count() as u64, modules),
            modules_bytes: usage(state.codes.bytes, modules_bytes),
            instances: usage(state.machines, instances),
            pages: usage(state.pages, pages),
            nesting: usage(state.ready.into(), nesting),
            most_code_bytes: code_bytes,
            most_memory_bytes: self.constants.effective_memory_bytes(),
            most_snapshot_bytes: snapshot_bytes,
            most_processes: processes.processes,
            most_descriptors: processes.descriptors,
        }
    }

    fn fork(&mut self, instance_id: InstanceId) -> Result<InstanceId, ControlError> {
        self.state.refusal = None;
        let instance = self.state.instances.get(&instance_id).ok_or(ControlError::InvalidInstance)?;
        let nesting = if instance.is_ready() { self.check_nesting() } else { Ok(()) };
        let allowed = nesting.and_then(|()| self.check_room(instance.most_machines(), instance.pages()));
        self.answered(allowed).map_err(|_| ControlError::LimitReached)?;
        // Nobody can tell that the original now shares its memory, so this is no change of it.
        let instance = self.state.instances.get_mut(&instance_id).ok_or(ControlError::InvalidInstance)?;
        let fork = instance.fork();
        Ok(self.state.add_instance(fork))
    }

    fn snapshot(&mut self, instance_id: InstanceId) -> Result<Vec<u8>, ControlError> {
        self.state.refusal = None;
        let limit = self.constants.effective_limits().snapshot_bytes;
        let instance = self.state.instances.get_mut(&instance_id).ok_or(ControlError::InvalidInstance)?;
        let snapshot = instance.snapshot(limit);
        tracing::trace!(target: LOG_TARGET, ?instance_id, bytes = ?snapshot.as_ref().map(Vec::len), "snapshot");
        self.answered(snapshot).map_err(|_| ControlError::LimitReached)
    }

    fn restore(&mut self, module_id: ModuleId, snapshot: &[u8]) -> Result<InstanceId, ControlError> {
        self.state.refusal = None;
        let program = self.module(module_id).ok_or(ControlError::InvalidModule)?.clone();
        let result = self.try_restore(program, snapshot);
        tracing::trace!(target: LOG_TARGET, ?module_id, bytes = snapshot.len(), ?result, "restore");
        self.answered(result).map_err(not_restored)
    }

    fn process_instantiate(
        &mut self,
        root: ModuleId,
        programs: &[(Vec<u8>, ModuleId)],
    ) -> Result<InstanceId, ControlError> {
        self.state.refusal = None;
        let programs = self.programs(root, programs)?;
        let allowed = self.check_tree(&programs);
        let result = allowed.map(|()| self.state.add_instance(Instance::tree(programs)));
        tracing::trace!(target: LOG_TARGET, ?root, ?result, "process_instantiate");
        self.answered(result).map_err(|_| ControlError::LimitReached)
    }

    fn process_restore(
        &mut self,
        root: ModuleId,
        programs: &[(Vec<u8>, ModuleId)],
        snapshot: &[u8],
    ) -> Result<InstanceId, ControlError> {
        self.state.refusal = None;
        let programs = self.programs(root, programs)?;
        let result = self.try_restore_tree(programs, snapshot);
        tracing::trace!(target: LOG_TARGET, ?root, bytes = snapshot.len(), ?result, "process_restore");
        self.answered(result).map_err(not_restored)
    }

    fn next_block(&mut self) {
        self.state = State::default();
        self.journal = Journal::new(self.constants.is_upstream());
    }
}

fn not_restored(refusal: Refusal) -> ControlError {
    match refusal {
        Refusal::InvalidSnapshot => ControlError::InvalidSnapshot,
        _ => ControlError::LimitReached,
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
