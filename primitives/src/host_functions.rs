//! The host functions: what a runtime imports and a node answers.

use crate::wire::{
    CompiledModule, DestroyError, ExecBuffer, ExecError, ExecStatus, InstanceId, InstantiateError,
    MemoryError, ModuleError, ModuleId, WireResult,
};
#[cfg(not(substrate_runtime))]
use crate::{
    backend::{self, CacheKey},
    wire::CompileStatus,
};
use sp_runtime_interface::{
    pass_by::{
        ConvertAndReturnAs, PassAs, PassFatPointerAndRead, PassFatPointerAndReadOption,
        PassFatPointerAndWrite, PassPointerAndWrite,
    },
    runtime_interface,
};

/// The host functions themselves.
///
/// [`Module`](crate::Module), [`Instance`](crate::Instance) and [`Execution`](crate::Execution) wrap them such that
/// handles are destroyed when dropped and calls in the wrong state do not compile; use those. In Wasm a function `f`
/// is the import `ext_virtualization_f_version_1`. Names, order, types and argument passing are wire format.
///
/// Natively the functions panic outside externalities, and in externalities without a
/// `VirtManagerExt`.
// Without the macro's tracing: its span costs each round trip a tenth of its time, also when nobody listens. The manager
// traces what it does.
#[runtime_interface(no_tracing)]
pub trait Virtualization {
    /// Compiles `program`, or finds the module that was compiled under `identifier` before.
    ///
    /// With an identifier, the module stays cached under it until the end of the block.
    ///
    /// Errors: `InvalidImage` if the bytes are not a valid program, or one that passes a limit of the chain: bytes of a program,
    /// memory of an instance, distinct programs.
    fn compile_from_bytes(
        &mut self,
        program: PassFatPointerAndRead<&[u8]>,
        identifier: PassFatPointerAndReadOption<&[u8]>,
    ) -> ConvertAndReturnAs<Result<CompiledModule, ModuleError>, WireResult<CompiledModule, ModuleError>, i64>
    {
        backend::warn_once_that_the_interface_is_unstable();
        let key = identifier.map(CacheKey::Identifier);
        if let Some(module) = backend::lookup_cached(self, key)? {
            return Ok(module);
        }
        let id = backend::registered(self).compile(program, key)?;
        Ok(CompiledModule { id, status: CompileStatus::Compiled })
    }

    /// Finds the module that was compiled under `identifier` before. Storage is not read.
    ///
    /// Errors: `NotCached`.
    fn lookup(
        &mut self,
        identifier: PassFatPointerAndRead<&[u8]>,
    ) -> ConvertAndReturnAs<Result<ModuleId, ModuleError>, WireResult<ModuleId, ModuleError>, i64> {
        backend::registered(self).lookup(CacheKey::Identifier(identifier))
    }

    /// Compiles the program at `storage_key`, or finds the module that was compiled under that key before, in which
    /// case storage is not read.
    ///
    /// An empty `child_trie` means the main trie.
    ///
    /// Errors: `NotFound` if nothing is stored there; `InvalidImage` as `compile_from_bytes`.
    fn compile_from_storage_key(
        &mut self,
        storage_key: PassFatPointerAndRead<&[u8]>,
        child_trie: PassFatPointerAndRead<&[u8]>,
    ) -> ConvertAndReturnAs<Result<CompiledModule, ModuleError>, WireResult<CompiledModule, ModuleError>, i64>
    {
        backend::warn_once_that_the_interface_is_unstable();
        let key = CacheKey::of_storage(storage_key, child_trie);
        if let Some(module) = backend::lookup_cached(self, Some(key))? {
            return Ok(module);
        }
        let program = match key {
            CacheKey::ChildTrie { child_trie, storage_key } => {
                self.child_storage(&sp_storage::ChildInfo::new_default(child_trie), storage_key)
            }
            CacheKey::MainTrie(storage_key) | CacheKey::Identifier(storage_key) => self.storage(storage_key),
        };
        let program = program.ok_or(ModuleError::NotFound)?;
        let id = backend::registered(self).compile(&program, Some(key))?;
        Ok(CompiledModule { id, status: CompileStatus::Compiled })
    }

    /// Makes an instance of a module. It is idle.
    ///
    /// Errors: `InvalidModule`; `InvalidImage` if a limit of the chain is reached: living instances, or their memory.
    fn instantiate(
        &mut self,
        module_id: PassAs<ModuleId, u32>,
    ) -> ConvertAndReturnAs<Result<InstanceId, InstantiateError>, WireResult<InstanceId, InstantiateError>, i64>
    {
        backend::registered(self).instantiate(module_id)
    }

    /// Points an idle instance at the export `function`. Nothing is executed yet.
    ///
    /// Errors: `InvalidInstance` for an unknown id, or if it is prepared or suspended; `InvalidImage` if there is no such export,
    /// or as many instances are prepared or suspended as the chain allows. It stays as it is then.
    fn prepare(
        &mut self,
        instance_id: PassAs<InstanceId, u32>,
        function: PassFatPointerAndRead<&[u8]>,
    ) -> ConvertAndReturnAs<Result<(), ExecError>, WireResult<(), ExecError>, i64> {
        backend::registered(self).prepare(instance_id, function)
    }

    /// Sets register a0 and the gas and runs to the next stop, which the status and `exec_buffer` describe.
    ///
    /// On an error, `exec_buffer` is zero.
    ///
    /// Errors: `InvalidInstance` for an unknown id, or if it is idle; nothing has happened then. After all others it is idle:
    /// `OutOfGas` if the next block costs more than there is, be that negative; `Trap`; `InvalidImage` if the guest made a syscall
    /// that its program does not import.
    fn run(
        &mut self,
        instance_id: PassAs<InstanceId, u32>,
        gas_left: i64,
        a0: u64,
        exec_buffer: PassPointerAndWrite<&mut ExecBuffer, { size_of::<ExecBuffer>() }>,
    ) -> ConvertAndReturnAs<Result<ExecStatus, ExecError>, WireResult<ExecStatus, ExecError>, i64> {
        let result = backend::registered(self).run(instance_id, gas_left, a0, exec_buffer);
        if result.is_err() {
            *exec_buffer = ExecBuffer::default();
        }
        result
    }

    /// Frees an instance, in whatever state it is.
    ///
    /// Errors: `InvalidInstance` for an unknown id.
    fn destroy(
        &mut self,
        instance_id: PassAs<InstanceId, u32>,
    ) -> ConvertAndReturnAs<Result<(), DestroyError>, WireResult<(), DestroyError>, i64> {
        backend::registered(self).destroy(instance_id)
    }

    /// Reads the memory of a prepared or suspended instance from address `offset` on.
    ///
    /// On an error, `dest` is zero.
    ///
    /// Errors: `InvalidInstance` for an unknown id, or if it is idle; `OutOfBounds` if part of the range is not readable. No bytes
    /// are anywhere.
    fn read_memory(
        &mut self,
        instance_id: PassAs<InstanceId, u32>,
        offset: u32,
        dest: PassFatPointerAndWrite<&mut [u8]>,
    ) -> ConvertAndReturnAs<Result<(), MemoryError>, WireResult<(), MemoryError>, i64> {
        let result = backend::registered(self).read_memory(instance_id, offset, dest);
        if result.is_err() {
            dest.fill(0);
        }
        result
    }

    /// Writes the memory of a prepared or suspended instance from address `offset` on: all of `src` or nothing.
    ///
    /// Errors: `InvalidInstance` for an unknown id, or if it is idle; `OutOfBounds` if part of the range is not writable. No bytes
    /// are anywhere.
    fn write_memory(
        &mut self,
        instance_id: PassAs<InstanceId, u32>,
        offset: u32,
        src: PassFatPointerAndRead<&[u8]>,
    ) -> ConvertAndReturnAs<Result<(), MemoryError>, WireResult<(), MemoryError>, i64> {
        backend::registered(self).write_memory(instance_id, offset, src)
    }
}
