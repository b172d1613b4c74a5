//! The API of a runtime over the second set of host functions.

use crate::{
    control_functions::virtualization_control,
    forwarder::{ExecResult, Execution, Handle, Instance, Module, exec_result},
    wire::{
        CallResult, ControlError, ExecBuffer, ExecError, ExitInfo, InstanceId, MemoryError, ModuleInfo,
        NO_INSTANCE, Refusal, ResourceInfo, Stop,
    },
};
use alloc::{vec, vec::Vec};
use codec::{Decode, Encode};

/// Enough for all that has a fixed size, and for the information on most modules, so that one call suffices.
const FIRST_ATTEMPT: usize = 1024;

/// Enough for a snapshot with a few pages.
const FIRST_ATTEMPT_AT_SNAPSHOT: usize = 32 * 1024;

/// Methods that need host functions beyond upstream's: feature `control`.
impl Module {
    /// What the program is and what it needs. It takes time and space in proportion to the names of the program's exports and
    /// imports, which can be nearly as long as the program.
    ///
    /// Of what a later node tells in a form that is not known here, each part is empty or zero.
    ///
    /// # Errors
    /// [`ControlError::InvalidModule`] if the module was released by its id.
    pub fn info(&self) -> Result<ModuleInfo, ControlError> {
        fetch(|dest| virtualization_control::module_info(self.id(), dest))
    }

    /// Gives the module up, so that it no longer counts against the limit of distinct modules, unless it is cached under an
    /// identifier. Instances of it live on.
    ///
    /// # Errors
    /// [`ControlError::InvalidModule`] if it was released by its id before.
    pub fn release(self) -> Result<(), ControlError> {
        virtualization_control::release_module(self.id())
    }

    /// An instance that is a tree of processes, whose root is of this module and which can start `programs`, by their
    /// identifiers, and nothing else. `docs/processes.md` has the rules.
    ///
    /// # Errors
    /// [`ControlError::InvalidPrograms`] if an identifier is there twice or has more than 64 bytes,
    /// [`ControlError::LimitReached`], [`ControlError::InvalidModule`] if a module was released by its id.
    pub fn instantiate_processes(&self, programs: &[(&[u8], &Self)]) -> Result<Instance, ControlError> {
        let programs = program_list(programs);
        virtualization_control::process_instantiate(self.id(), &programs).map(|id| Instance(Handle::new(id)))
    }

    /// A tree of processes in the state that a snapshot tells of, where `programs` are the same.
    ///
    /// # Errors
    /// As [`Module::instantiate_processes`] and [`Module::restore`].
    pub fn restore_processes(
        &self,
        programs: &[(&[u8], &Self)],
        snapshot: &[u8],
    ) -> Result<Restored, ControlError> {
        let programs = program_list(programs);
        restored(virtualization_control::process_restore(self.id(), &programs, snapshot)?)
    }

    /// An instance in the state that a snapshot tells of, which was taken in this block or another one, here or elsewhere.
    ///
    /// # Errors
    /// [`ControlError::InvalidSnapshot`] if the bytes are not a snapshot of this module, [`ControlError::LimitReached`],
    /// [`ControlError::InvalidModule`] if the module was released by its id.
    pub fn restore(&self, snapshot: &[u8]) -> Result<Restored, ControlError> {
        restored(virtualization_control::restore(self.id(), snapshot)?)
    }
}

/// What a snapshot gives.
#[derive(Debug)]
pub enum Restored {
    /// It ended or never began, or ran out of gas.
    Idle(Instance),
    /// It is prepared, or suspended at a syscall.
    Ready(Execution),
}

impl Restored {
    /// Goes on where it was, with its registers as they are.
    ///
    /// Fails with [`ExecError::InvalidInstance`] if it has nothing to go on with, and with [`ExecError::InvalidImage`] if too
    /// many instances are prepared or suspended.
    pub fn resume(self, gas_left: i64) -> ExecResult<Instance, Execution> {
        match self {
            Self::Idle(instance) => instance.resume(gas_left),
            Self::Ready(execution) => execution.resume(gas_left),
        }
    }

    /// Where and why it stopped, and the gas that was left.
    ///
    /// # Errors
    /// [`ControlError::InvalidInstance`] if the instance was destroyed by its id.
    pub fn exit_info(&self) -> Result<ExitInfo, ControlError> {
        match self {
            Self::Idle(instance) => instance.exit_info(),
            Self::Ready(execution) => execution.exit_info(),
        }
    }
}

/// Methods that need host functions beyond upstream's: feature `control`.
impl Instance {
    /// As [`Instance::prepare`], with arguments for the export in a1 to a5. The first [`Execution::run`] sets a0.
    ///
    /// # Errors
    /// As [`Instance::prepare`].
    pub fn prepare_with_arguments(
        self,
        function: &[u8],
        arguments: [u64; 5],
    ) -> Result<Execution, (Self, ExecError)> {
        let [a1, a2, a3, a4, a5] = arguments;
        match virtualization_control::prepare_with_args(self.0.id(), function, a1, a2, a3, a4, a5) {
            Ok(()) => Ok(Execution(self.0)),
            Err(error) => Err((self, error)),
        }
    }

    /// What the last call returned in a0 and a1.
    ///
    /// # Errors
    /// [`ControlError::InvalidState`] unless it finished and nothing happened to the instance since,
    /// [`ControlError::InvalidInstance`] if the instance was destroyed by its id.
    pub fn result(&self) -> Result<CallResult, ControlError> {
        let mut result = CallResult::default();
        virtualization_control::result(self.0.id(), &mut result)?;
        Ok(result)
    }

    /// Where and why it stopped, and the gas that was left. What a later node tells in a form that is not known here is as of an
    /// instance that is new.
    ///
    /// # Errors
    /// [`ControlError::InvalidInstance`] if the instance was destroyed by its id.
    pub fn exit_info(&self) -> Result<ExitInfo, ControlError> {
        exit_info(self.0.id())
    }

    /// Goes on with a call that ran out of gas, where it did.
    ///
    /// Fails with [`ExecError::InvalidInstance`] after anything else, and with [`ExecError::InvalidImage`] if too many
    /// instances are prepared or suspended.
    pub fn resume(self, gas_left: i64) -> ExecResult<Self, Execution> {
        resume(self.0, gas_left)
    }

    /// Puts its memory back to what it was at first.
    ///
    /// # Errors
    /// [`ControlError::InvalidInstance`] if the instance was destroyed by its id.
    pub fn reset(&mut self) -> Result<(), ControlError> {
        virtualization_control::reset(self.0.id())
    }

    /// Another instance in the same state. They share memory until either writes it.
    ///
    /// It takes time in proportion to the pages that the guest has written, and counts against the limits as a new instance does.
    ///
    /// # Errors
    /// [`ControlError::LimitReached`], [`ControlError::InvalidInstance`] if the instance was destroyed by its id.
    pub fn fork(&self) -> Result<Self, ControlError> {
        virtualization_control::fork(self.0.id()).map(|id| Self(Handle::new(id)))
    }

    /// Its state as bytes, for [`Module::restore`]. They depend on the state and on nothing else.
    ///
    /// # Errors
    /// [`ControlError::LimitReached`] if there are more than the chain allows.
    pub fn snapshot(&self) -> Result<Vec<u8>, ControlError> {
        snapshot(self.0.id())
    }
}

/// Methods that need host functions beyond upstream's: feature `control`.
impl Execution {
    /// As [`Execution::run`], errors included, with the guest's registers as they are: no answer to a syscall, no argument for an
    /// export.
    pub fn resume(self, gas_left: i64) -> ExecResult<Instance, Self> {
        resume(self.0, gas_left)
    }

    /// Where and why it stopped, and the gas that was left. What a later node tells in a form that is not known here is as of an
    /// instance that is new.
    ///
    /// # Errors
    /// [`ControlError::InvalidInstance`] if the instance was destroyed by its id.
    pub fn exit_info(&self) -> Result<ExitInfo, ControlError> {
        exit_info(self.0.id())
    }

    /// Writes zeros to the guest's memory from address `offset` on.
    ///
    /// # Errors
    /// [`MemoryError::OutOfBounds`] if part of the range is not writable, [`MemoryError::InvalidInstance`] if the instance was
    /// destroyed by its id; nothing is written then.
    pub fn zero_memory(&mut self, offset: u32, length: u32) -> Result<(), MemoryError> {
        virtualization_control::zero_memory(self.0.id(), offset, length)
    }

    /// Gives the call up and puts the memory back to what it was at first.
    ///
    /// # Errors
    /// Gives the execution back, with [`ControlError::InvalidInstance`] if it was destroyed by its id.
    pub fn reset(self) -> Result<Instance, (Self, ControlError)> {
        match virtualization_control::reset(self.0.id()) {
            Ok(()) => Ok(Instance(self.0)),
            Err(error) => Err((self, error)),
        }
    }

    /// Another call in the same state. They share memory until either writes it.
    ///
    /// It takes time in proportion to the pages that the guest has written, and counts against the limits as a new instance that is
    /// prepared does.
    ///
    /// # Errors
    /// [`ControlError::LimitReached`], [`ControlError::InvalidInstance`] if the instance was destroyed by its id.
    pub fn fork(&self) -> Result<Self, ControlError> {
        virtualization_control::fork(self.0.id()).map(|id| Self(Handle::new(id)))
    }

    /// Its state as bytes, for [`Module::restore`]. They depend on the state and on nothing else.
    ///
    /// # Errors
    /// [`ControlError::LimitReached`] if there are more than the chain allows.
    pub fn snapshot(&self) -> Result<Vec<u8>, ControlError> {
        snapshot(self.0.id())
    }
}

/// What this block, or this call into the runtime, may use, and what it uses. What a later node tells in a form that is not known
/// here is zero.
///
/// # Errors
/// None that a node of this version gives.
pub fn limits() -> Result<ResourceInfo, ControlError> {
    fetch(virtualization_control::limits)
}

/// Why the last request for a module, an instance or a snapshot was answered `InvalidImage`, `LimitReached` or `InvalidSnapshot`.
/// Nothing if there was none or it got another answer, be that an error which says all there is (`NotCached`, `NotFound`,
/// `InvalidModule`, `InvalidInstance`).
///
/// Requests are those of [`Module::from_bytes`], [`Module::lookup`], [`Module::from_storage_key`], [`Module::instantiate`],
/// [`Module::restore`], `fork` and `snapshot`.
///
/// # Errors
/// None that a node of this version gives.
pub fn last_refusal() -> Result<Option<Refusal>, ControlError> {
    exit_info(NO_INSTANCE.into()).map(|info| info.refusal)
}

fn restored(id: InstanceId) -> Result<Restored, ControlError> {
    let handle = Handle::new(id);
    Ok(match exit_info(id)?.stop {
        Stop::Ready | Stop::Syscall { .. } => Restored::Ready(Execution(handle)),
        _ => Restored::Idle(Instance(handle)),
    })
}

/// How a list of programs is passed.
fn program_list(programs: &[(&[u8], &Module)]) -> Vec<u8> {
    let pairs = programs.iter().map(|(identifier, module)| (*identifier, u32::from(module.id())));
    pairs.collect::<Vec<(&[u8], u32)>>().encode()
}

fn exit_info(id: InstanceId) -> Result<ExitInfo, ControlError> {
    fetch(|dest| virtualization_control::exit_info(id, dest))
}

fn resume(handle: Handle, gas_left: i64) -> ExecResult<Instance, Execution> {
    let mut buffer = ExecBuffer::empty();
    let result = virtualization_control::resume(handle.id(), gas_left, &mut buffer);
    exec_result(handle, result, buffer)
}

fn snapshot(id: InstanceId) -> Result<Vec<u8>, ControlError> {
    fetch_bytes(FIRST_ATTEMPT_AT_SNAPSHOT, |dest| virtualization_control::snapshot(id, dest))
}

/// Calls a function that tells how much it has to say, with a buffer that is large enough.
fn fetch_bytes(
    first_attempt: usize,
    mut call: impl FnMut(&mut [u8]) -> Result<u32, ControlError>,
) -> Result<Vec<u8>, ControlError> {
    let mut buffer: Vec<u8> = vec![0; first_attempt];
    let mut length = call(&mut buffer)? as usize;
    if length > buffer.len() {
        buffer = vec![0; length];
        length = call(&mut buffer)? as usize;
    }
    buffer.truncate(length);
    Ok(buffer)
}

/// As `fetch_bytes`, decoded.
fn fetch<T: Decode + Default>(
    call: impl FnMut(&mut [u8]) -> Result<u32, ControlError>,
) -> Result<T, ControlError> {
    let buffer = fetch_bytes(FIRST_ATTEMPT, call)?;
    // What a later node says in a form that is not known here is as good as nothing.
    Ok(T::decode(&mut &buffer[..]).unwrap_or_default())
}
