//! What answers the host functions.

use crate::{
    cache::ModuleCache,
    config,
    identifiers::Identifiers,
    program::Program,
    transactions::{Journal, Serial},
};
use hatchery_engine::{Exit, Instance as Machine, Reg};
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
/// # Tests
///
/// In a test one manager lasts as long as the externalities that it is registered in.
#[derive(Default)]
pub struct VirtManager {
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
    pub(crate) identifiers: Identifiers,
    pub(crate) instances: BTreeMap<InstanceId, Instance>,
    pub(crate) next_instance: u32,
}

impl VirtManager {
    /// A manager that compiles in `cache` instead of the cache of the process.
    pub fn new(cache: Arc<ModuleCache>) -> Self {
        Self { cache: Some(cache), ..Self::default() }
    }

    /// An instance that is about to change.
    fn changing(&mut self, id: InstanceId) -> Option<&mut Instance> {
        let instance = self.state.instances.get_mut(&id)?;
        self.journal.before_change(id, instance);
        Some(instance)
    }
}

impl State {
    fn add_module(&mut self, program: Arc<Program>) -> ModuleId {
        let Ok(id) = u32::try_from(self.modules.len()) else {
            host_failure("number another module", &"2^32 of them exist");
        };
        self.modules.push(program);
        ModuleId::from(id)
    }

    fn add_instance(&mut self, instance: Instance) -> InstanceId {
        let id = InstanceId::from(self.next_instance);
        let Some(next) = self.next_instance.checked_add(1) else {
            host_failure("number another instance", &"2^32 of them existed");
        };
        self.next_instance = next;
        self.instances.insert(id, instance);
        id
    }
}

impl VirtManagerBackend for VirtManager {
    fn compile(&mut self, code: &[u8], key: Option<CacheKey<'_>>) -> Result<ModuleId, ModuleError> {
        let cache = self.cache.as_ref().unwrap_or_else(|| config::process_wide());
        let program = cache.compile(code).map_err(|error| {
            log::debug!(target: LOG_TARGET, "A program of {} bytes is refused: {error}", code.len());
            ModuleError::InvalidImage
        })?;
        if let Some(key) = key {
            let before = self.state.identifiers.set(key, Some(program.clone()));
            self.journal.changed(key, before);
        }
        Ok(self.state.add_module(program))
    }

    fn lookup(&mut self, key: CacheKey<'_>) -> Result<ModuleId, ModuleError> {
        let program = self.state.identifiers.find(key).ok_or(ModuleError::NotCached)?.clone();
        Ok(self.state.add_module(program))
    }

    fn instantiate(&mut self, module_id: ModuleId) -> Result<InstanceId, InstantiateError> {
        let program =
            usize::try_from(u32::from(module_id)).ok().and_then(|index| self.state.modules.get(index));
        let instance = Instance::new(program.ok_or(InstantiateError::InvalidModule)?.clone());
        Ok(self.state.add_instance(instance))
    }

    fn prepare(&mut self, instance_id: InstanceId, function: &[u8]) -> Result<(), ExecError> {
        self.changing(instance_id).ok_or(ExecError::InvalidInstance)?.prepare(function)
    }

    fn run(
        &mut self,
        instance_id: InstanceId,
        gas_left: i64,
        a0: u64,
        buffer: &mut ExecBuffer,
    ) -> Result<ExecStatus, ExecError> {
        self.changing(instance_id).ok_or(ExecError::InvalidInstance)?.run(gas_left, a0, buffer)
    }

    fn destroy(&mut self, instance_id: InstanceId) -> Result<(), DestroyError> {
        let instance = self.state.instances.remove(&instance_id).ok_or(DestroyError::InvalidInstance)?;
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
        let instance = self.changing(instance_id).ok_or(MemoryError::InvalidInstance)?;
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

/// An instance, idle or ready: prepared, or suspended at a syscall.
pub(crate) struct Instance {
    machine: Machine,
    program: Arc<Program>,
    is_ready: bool,
    /// The Host transaction for which it is kept as it was before, as far as necessary.
    pub(crate) noted_in: Serial,
}

impl Instance {
    fn new(program: Arc<Program>) -> Self {
        Self { machine: program.module().instantiate(), program, is_ready: false, noted_in: 0 }
    }

    /// The same instance a second time. They share memory until either writes it.
    pub(crate) fn fork(&mut self) -> Self {
        Self { machine: self.machine.fork(), program: self.program.clone(), ..*self }
    }

    fn prepare(&mut self, function: &[u8]) -> Result<(), ExecError> {
        if self.is_ready {
            return Err(ExecError::InvalidInstance);
        }
        let Some(entry) = self.program.module().export(function) else {
            log::debug!(target: LOG_TARGET, "The program has no export \"{}\"", function.escape_ascii());
            return Err(ExecError::InvalidImage);
        };
        if let Err(error) = self.machine.prepare_at(entry, &[]) {
            host_failure("prepare an export", &error);
        }
        self.is_ready = true;
        Ok(())
    }

    fn run(&mut self, gas_left: i64, a0: u64, buffer: &mut ExecBuffer) -> Result<ExecStatus, ExecError> {
        if !self.is_ready {
            return Err(ExecError::InvalidInstance);
        }
        let machine = &mut self.machine;
        machine.set_reg(Reg::A0, a0);
        machine.set_gas(gas_left);
        let exit = match machine.run() {
            Ok(exit) => exit,
            Err(error) => host_failure("run a program", &error),
        };
        if let Exit::Syscall(index) = exit
            && let Some(symbol) = self.program.import(index)
        {
            *buffer = ExecBuffer {
                gas_left: machine.gas(),
                syscall_symbol: *symbol,
                a0: machine.reg(Reg::A0),
                a1: machine.reg(Reg::A1),
                a2: machine.reg(Reg::A2),
                a3: machine.reg(Reg::A3),
                a4: machine.reg(Reg::A4),
                a5: machine.reg(Reg::A5),
            };
            return Ok(ExecStatus::Syscall);
        }
        // To these host functions whatever does not wait for an answer is over, even what the engine could go on with.
        self.is_ready = false;
        match exit {
            Exit::Finished => {
                buffer.gas_left = machine.gas();
                Ok(ExecStatus::Finished)
            }
            Exit::Syscall(index) => {
                log::debug!(target: LOG_TARGET, "The program made syscall {index}, which it does not import");
                Err(ExecError::InvalidImage)
            }
            Exit::OutOfGas => Err(ExecError::OutOfGas),
            Exit::Trap(trap) => {
                log::debug!(target: LOG_TARGET, "The program trapped: {trap}");
                Err(ExecError::Trap)
            }
            other => host_failure("run a program", &format_args!("{other:?} was not asked for")),
        }
    }

    /// The machine, if its memory is accessible now.
    fn ready(&mut self) -> Result<&mut Machine, MemoryError> {
        if self.is_ready { Ok(&mut self.machine) } else { Err(MemoryError::InvalidInstance) }
    }
}

/// Ends the runtime's call. The executor reports the panic as a failed call, which no other node can take for a result.
pub(crate) fn host_failure(task: &str, error: &dyn fmt::Display) -> ! {
    log::error!(target: LOG_TARGET, "This node failed to {task}: {error}");
    panic!("this node failed to {task}: {error}");
}
