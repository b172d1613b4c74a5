//! The API of a runtime: handles that know their state and free themselves.

use crate::{
    host_functions::virtualization,
    wire::{
        CompileStatus, CompiledModule, ExecBuffer, ExecError, ExecStatus, InstanceId, InstantiateError,
        MemoryError, ModuleError, ModuleId, SyscallSymbol,
    },
};

/// A compiled program.
#[derive(Debug)]
pub struct Module(ModuleId);

impl Module {
    /// Compiles the program in `bytes`.
    ///
    /// With an identifier, a module that was compiled under it in this block is taken instead, whatever `bytes` are,
    /// and a new one is kept under it. An identifier that depends on the content (a hash of the program) cannot find the
    /// wrong one. [`CompileStatus`] tells which of the two happened, so that both can be charged for.
    ///
    /// # Errors
    /// [`ModuleError::InvalidImage`] if the bytes are not a valid program, or one that passes a limit of the chain: bytes of a
    /// program, memory of an instance, distinct programs.
    pub fn from_bytes(bytes: &[u8], identifier: Option<&[u8]>) -> Result<(Self, CompileStatus), ModuleError> {
        let CompiledModule { id, status } = virtualization::compile_from_bytes(bytes, identifier)?;
        Ok((Self(id), status))
    }

    /// Finds a module that was compiled under `identifier` in this block. Reads no storage and compiles nothing.
    ///
    /// # Errors
    /// [`ModuleError::NotCached`] if there is none.
    pub fn lookup(identifier: &[u8]) -> Result<Self, ModuleError> {
        virtualization::lookup(identifier).map(Self)
    }

    /// Compiles the program that is stored at `storage_key`; an empty `child_trie` means the main trie.
    ///
    /// The key is the identifier as well: a module that was compiled under it in this block is taken without reading
    /// storage, even if the stored program was overwritten since.
    ///
    /// # Errors
    /// [`ModuleError::NotFound`] if nothing is stored there, [`ModuleError::InvalidImage`] as for
    /// [`from_bytes`](Self::from_bytes).
    pub fn from_storage_key(
        storage_key: &[u8],
        child_trie: &[u8],
    ) -> Result<(Self, CompileStatus), ModuleError> {
        let CompiledModule { id, status } =
            virtualization::compile_from_storage_key(storage_key, child_trie)?;
        Ok((Self(id), status))
    }

    #[cfg(feature = "control")]
    pub(crate) fn id(&self) -> ModuleId {
        self.0
    }

    /// Makes an instance with fresh memory.
    ///
    /// # Errors
    /// [`InstantiateError::InvalidImage`] if as many instances live as the chain allows, or their memory would be more;
    /// [`InstantiateError::InvalidModule`] if the module was released by its id.
    pub fn instantiate(&self) -> Result<Instance, InstantiateError> {
        virtualization::instantiate(self.0).map(|id| Instance(Handle(id)))
    }
}

/// An idle instance. Its memory lasts from call to call; dropping it frees it.
#[derive(Debug)]
pub struct Instance(pub(crate) Handle);

impl Instance {
    /// Prepares a call of the export `function`. Nothing is executed yet.
    ///
    /// # Errors
    /// Gives the instance back, with [`ExecError::InvalidImage`] if the program has no such export or as many instances are
    /// prepared or suspended as the chain allows, with [`ExecError::InvalidInstance`] if it was destroyed by its id.
    pub fn prepare(self, function: &[u8]) -> Result<Execution, (Self, ExecError)> {
        match virtualization::prepare(self.0.id(), function) {
            Ok(()) => Ok(Execution(self.0)),
            Err(error) => Err((self, error)),
        }
    }
}

/// A call that is prepared, or suspended at a syscall. Dropping it frees the instance.
#[derive(Debug)]
pub struct Execution(pub(crate) Handle);

impl Execution {
    /// Runs to the next stop with `gas_left` gas.
    ///
    /// `a0` becomes the guest's register of that name: the argument of the export at first, then the answer to
    /// the syscall it is suspended at.
    ///
    /// The errors that [`ExecResult::Error`] can have: [`ExecError::OutOfGas`], [`ExecError::Trap`], [`ExecError::InvalidImage`] if
    /// the guest made a syscall that its program does not import, [`ExecError::InvalidInstance`] if the instance was destroyed by
    /// its id.
    // Where the caller uses little of the result, little of it is made.
    #[inline]
    pub fn run(self, gas_left: i64, a0: u64) -> ExecResult<Instance, Self> {
        let mut buffer = ExecBuffer::empty();
        let result = virtualization::run(self.0.id(), gas_left, a0, &mut buffer);
        exec_result(self.0, result, buffer)
    }

    /// Reads the guest's memory from address `offset` on.
    ///
    /// # Errors
    /// [`MemoryError::OutOfBounds`] if part of the range is not readable, [`MemoryError::InvalidInstance`] if the instance was
    /// destroyed by its id; `dest` is zero then.
    pub fn read_memory(&mut self, offset: u32, dest: &mut [u8]) -> Result<(), MemoryError> {
        virtualization::read_memory(self.0.id(), offset, dest)
    }

    /// Writes the guest's memory from address `offset` on.
    ///
    /// # Errors
    /// [`MemoryError::OutOfBounds`] if part of the range is not writable, [`MemoryError::InvalidInstance`] if the instance was
    /// destroyed by its id; nothing is written then.
    pub fn write_memory(&mut self, offset: u32, src: &[u8]) -> Result<(), MemoryError> {
        virtualization::write_memory(self.0.id(), offset, src)
    }
}

/// What a run of this instance came to.
#[inline]
pub(crate) fn exec_result(
    handle: Handle,
    result: Result<ExecStatus, ExecError>,
    buffer: ExecBuffer,
) -> ExecResult<Instance, Execution> {
    match result {
        Ok(ExecStatus::Finished) => {
            ExecResult::Finished { instance: Instance(handle), gas_left: buffer.gas_left }
        }
        Ok(ExecStatus::Syscall) => {
            let ExecBuffer { gas_left, syscall_symbol, a0, a1, a2, a3, a4, a5 } = buffer;
            let execution = Execution(handle);
            ExecResult::Syscall { execution, gas_left, syscall_symbol, a0, a1, a2, a3, a4, a5 }
        }
        Err(error) => ExecResult::Error { instance: Instance(handle), error },
    }
}

/// Where a run stopped. `V` is the idle [`Instance`], `I` the suspended [`Execution`].
#[derive(Debug, PartialEq, Eq)]
pub enum ExecResult<V, I> {
    /// The export returned.
    Finished {
        /// The instance, ready to be prepared again.
        instance: V,
        /// The gas left.
        gas_left: i64,
    },
    /// The guest made a syscall. Answer it with the next [`Execution::run`].
    Syscall {
        /// The suspended call, through which the guest's memory is accessible.
        execution: I,
        /// The gas left.
        gas_left: i64,
        /// The name of the syscall.
        syscall_symbol: SyscallSymbol,
        /// The first argument.
        a0: u64,
        /// The second argument.
        a1: u64,
        /// The third argument.
        a2: u64,
        /// The fourth argument.
        a3: u64,
        /// The fifth argument.
        a4: u64,
        /// The sixth argument.
        a5: u64,
    },
    /// The run failed.
    Error {
        /// The instance, ready to be prepared again. Its memory is as the guest left it.
        instance: V,
        /// Why it failed.
        error: ExecError,
    },
}

/// An instance's id, which is destroyed exactly once: when this is dropped.
#[derive(Debug)]
pub(crate) struct Handle(InstanceId);

impl Handle {
    #[cfg(feature = "control")]
    pub(crate) fn new(id: InstanceId) -> Self {
        Self(id)
    }

    #[inline]
    pub(crate) fn id(&self) -> InstanceId {
        self.0
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // A native test may drop a handle after its externalities, and with them the instance, are gone.
        #[cfg(not(substrate_runtime))]
        if !crate::backend::is_registered() {
            return;
        }
        // The one error says that there is nothing to destroy.
        let _ = virtualization::destroy(self.0);
    }
}
