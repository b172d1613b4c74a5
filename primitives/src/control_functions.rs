//! The second set of host functions: what the first one lacks.

use crate::wire::{
    CallResult, ControlError, ExecBuffer, ExecError, ExecStatus, InstanceId, MemoryError, ModuleId,
    WireResult,
};
#[cfg(not(substrate_runtime))]
use crate::{backend, wire::NO_INSTANCE};
#[cfg(not(substrate_runtime))]
use alloc::vec::Vec;
#[cfg(not(substrate_runtime))]
use codec::{DecodeAll, Encode};
use sp_runtime_interface::{
    pass_by::{
        ConvertAndReturnAs, PassAs, PassFatPointerAndRead, PassFatPointerAndWrite, PassPointerAndWrite,
    },
    runtime_interface,
};

/// The host functions behind the feature `control`.
///
/// In Wasm a function `f` is the import `ext_virtualization_control_f_version_1`. A runtime imports what it calls, and a
/// node that does not know an import refuses the whole runtime: nodes are upgraded first, and upstream's nodes have none
/// of these.
///
/// Where a result has no fixed size, `dest` is filled as far as it goes, its rest is zero, and the full length is
/// returned. On an error all output is zero.
///
/// Natively the functions panic outside externalities, and in externalities without a
/// `VirtManagerExt`.
#[runtime_interface(no_tracing)]
pub trait VirtualizationControl {
    /// Tells where and why an instance stopped, as an [`ExitInfo`](crate::wire::ExitInfo).
    ///
    /// Of [`NO_INSTANCE`](crate::wire::NO_INSTANCE): why the last request for a module or an instance was answered
    /// `InvalidImage` or `LimitReached`, if it was.
    ///
    /// Errors: `InvalidInstance`.
    fn exit_info(
        &mut self,
        instance_id: PassAs<InstanceId, u32>,
        dest: PassFatPointerAndWrite<&mut [u8]>,
    ) -> ConvertAndReturnAs<Result<u32, ControlError>, WireResult<u32, ControlError>, i64> {
        dest.fill(0);
        let instance_id = (u32::from(instance_id) != NO_INSTANCE).then_some(instance_id);
        let info = backend::registered(self).exit_info(instance_id)?;
        Ok(fill(dest, &info.encode()))
    }

    /// Goes on where an instance stopped, with `gas_left` gas and all registers as they are: after it ran out of gas, or in
    /// the place of `run` where it is prepared or suspended.
    ///
    /// Errors: as `run`. `InvalidInstance` if it has nothing to go on with; `InvalidImage`, and it stays as it is, if
    /// too many instances are prepared or suspended.
    fn resume(
        &mut self,
        instance_id: PassAs<InstanceId, u32>,
        gas_left: i64,
        exec_buffer: PassPointerAndWrite<&mut ExecBuffer, { size_of::<ExecBuffer>() }>,
    ) -> ConvertAndReturnAs<Result<ExecStatus, ExecError>, WireResult<ExecStatus, ExecError>, i64> {
        let result = backend::registered(self).resume(instance_id, gas_left, exec_buffer);
        if result.is_err() {
            *exec_buffer = ExecBuffer::default();
        }
        result
    }

    /// The registers a0 and a1 as a finished call left them.
    ///
    /// Errors: `InvalidInstance`; `InvalidState` unless the instance finished and nothing happened to it since.
    fn result(
        &mut self,
        instance_id: PassAs<InstanceId, u32>,
        dest: PassPointerAndWrite<&mut CallResult, { size_of::<CallResult>() }>,
    ) -> ConvertAndReturnAs<Result<(), ControlError>, WireResult<(), ControlError>, i64> {
        *dest = CallResult::default();
        *dest = backend::registered(self).result(instance_id)?;
        Ok(())
    }

    /// As `prepare`, with arguments in a1 to a5. The first `run` sets a0.
    ///
    /// Errors: as `prepare`.
    fn prepare_with_args(
        &mut self,
        instance_id: PassAs<InstanceId, u32>,
        function: PassFatPointerAndRead<&[u8]>,
        a1: u64,
        a2: u64,
        a3: u64,
        a4: u64,
        a5: u64,
    ) -> ConvertAndReturnAs<Result<(), ExecError>, WireResult<(), ExecError>, i64> {
        backend::registered(self).prepare_with_args(instance_id, function, [a1, a2, a3, a4, a5])
    }

    /// Tells what a module is, as a [`ModuleInfo`](crate::wire::ModuleInfo).
    ///
    /// Errors: `InvalidModule`.
    fn module_info(
        &mut self,
        module_id: PassAs<ModuleId, u32>,
        dest: PassFatPointerAndWrite<&mut [u8]>,
    ) -> ConvertAndReturnAs<Result<u32, ControlError>, WireResult<u32, ControlError>, i64> {
        dest.fill(0);
        let info = backend::registered(self).module_info(module_id)?;
        Ok(fill(dest, &info.encode()))
    }

    /// Puts the memory of an instance back to what it was when it was made, in whatever state it is. It is idle then.
    ///
    /// Errors: `InvalidInstance`.
    fn reset(
        &mut self,
        instance_id: PassAs<InstanceId, u32>,
    ) -> ConvertAndReturnAs<Result<(), ControlError>, WireResult<(), ControlError>, i64> {
        backend::registered(self).reset(instance_id)
    }

    /// Writes zeros to the memory of a prepared or suspended instance: all of `length` or nothing.
    ///
    /// Errors: as `write_memory`.
    fn zero_memory(
        &mut self,
        instance_id: PassAs<InstanceId, u32>,
        offset: u32,
        length: u32,
    ) -> ConvertAndReturnAs<Result<(), MemoryError>, WireResult<(), MemoryError>, i64> {
        backend::registered(self).zero_memory(instance_id, offset, length)
    }

    /// Gives a module's id up. Instances of it live on, and so does what is cached under an identifier.
    ///
    /// Errors: `InvalidModule`.
    fn release_module(
        &mut self,
        module_id: PassAs<ModuleId, u32>,
    ) -> ConvertAndReturnAs<Result<(), ControlError>, WireResult<(), ControlError>, i64> {
        backend::registered(self).release_module(module_id)
    }

    /// Tells what may be used and what is, as a [`ResourceInfo`](crate::wire::ResourceInfo).
    ///
    /// Errors: none.
    fn limits(
        &mut self,
        dest: PassFatPointerAndWrite<&mut [u8]>,
    ) -> ConvertAndReturnAs<Result<u32, ControlError>, WireResult<u32, ControlError>, i64> {
        dest.fill(0);
        let info = backend::registered(self).limits();
        Ok(fill(dest, &info.encode()))
    }

    /// Makes another instance in the same state, whatever that is. They share memory until either writes it.
    ///
    /// Errors: `InvalidInstance`, `LimitReached`.
    fn fork(
        &mut self,
        instance_id: PassAs<InstanceId, u32>,
    ) -> ConvertAndReturnAs<Result<InstanceId, ControlError>, WireResult<InstanceId, ControlError>, i64> {
        backend::registered(self).fork(instance_id)
    }

    /// Tells the state of an instance, whatever that is, as bytes that depend on nothing else. It stays as it is.
    ///
    /// [`SnapshotParts`](crate::wire::SnapshotParts) takes them apart.
    ///
    /// Errors: `InvalidInstance`; `LimitReached` if there are more bytes than the chain allows.
    fn snapshot(
        &mut self,
        instance_id: PassAs<InstanceId, u32>,
        dest: PassFatPointerAndWrite<&mut [u8]>,
    ) -> ConvertAndReturnAs<Result<u32, ControlError>, WireResult<u32, ControlError>, i64> {
        dest.fill(0);
        let bytes = backend::registered(self).snapshot(instance_id)?;
        Ok(fill(dest, &bytes))
    }

    /// Makes an instance of a module in the state that `snapshot` told, on this node or another.
    ///
    /// Errors: `InvalidModule`; `LimitReached`, as for `fork`, or if there are more bytes than the chain allows;
    /// `InvalidSnapshot` if they are not exactly what `snapshot` tells of some instance of this module under the same gas and
    /// memory rules.
    fn restore(
        &mut self,
        module_id: PassAs<ModuleId, u32>,
        snapshot: PassFatPointerAndRead<&[u8]>,
    ) -> ConvertAndReturnAs<Result<InstanceId, ControlError>, WireResult<InstanceId, ControlError>, i64> {
        backend::registered(self).restore(module_id, snapshot)
    }

    /// Makes an instance that is a tree of processes. Its root is of the module `root`. `programs` is SCALE, a vector of
    /// identifiers with ids of modules: what processes can start, and nothing else.
    ///
    /// To all other functions the tree is one instance. `prepare` is about the root; memory and registers are those of the
    /// process that has made the syscall; `exit_info` tells its id; all processes share the gas.
    ///
    /// Errors: `InvalidModule`; `InvalidPrograms`; `LimitReached`, where a tree counts as many instances as it may have processes,
    /// and the pages that they could declare.
    fn process_instantiate(
        &mut self,
        root: PassAs<ModuleId, u32>,
        programs: PassFatPointerAndRead<&[u8]>,
    ) -> ConvertAndReturnAs<Result<InstanceId, ControlError>, WireResult<InstanceId, ControlError>, i64> {
        let programs = program_list(programs)?;
        backend::registered(self).process_instantiate(root, &programs)
    }

    /// Makes a tree of processes in the state that `snapshot` told of one with the same programs, under the same identifiers.
    ///
    /// Errors: as `process_instantiate`, and as `restore`.
    fn process_restore(
        &mut self,
        root: PassAs<ModuleId, u32>,
        programs: PassFatPointerAndRead<&[u8]>,
        snapshot: PassFatPointerAndRead<&[u8]>,
    ) -> ConvertAndReturnAs<Result<InstanceId, ControlError>, WireResult<InstanceId, ControlError>, i64> {
        let programs = program_list(programs)?;
        backend::registered(self).process_restore(root, &programs, snapshot)
    }
}

/// A list of programs as it was passed.
#[cfg(not(substrate_runtime))]
fn program_list(bytes: &[u8]) -> Result<Vec<(Vec<u8>, ModuleId)>, ControlError> {
    let programs: Vec<(Vec<u8>, u32)> =
        DecodeAll::decode_all(&mut &bytes[..]).map_err(|_| ControlError::InvalidPrograms)?;
    Ok(programs.into_iter().map(|(identifier, module)| (identifier, ModuleId::from(module))).collect())
}

/// Puts as much of `bytes` into `dest` as there is room for. Gives how many there are.
#[cfg(not(substrate_runtime))]
fn fill(dest: &mut [u8], bytes: &[u8]) -> u32 {
    let length = dest.len().min(bytes.len());
    dest[..length].copy_from_slice(&bytes[..length]);
    // A module's information is shorter than the module, and a snapshot has a limit of 32 bits.
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}
