//! What the scenarios take and give: plain SCALE data that both sides of the boundary know.
//!
//! Every result is encoded, so two nodes agree on a scenario exactly when the bytes are equal.

use alloc::vec::Vec;
use codec::{Decode, Encode};
use core::fmt;

/// Why a program did not become a module.
#[derive(Encode, Decode, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModuleFailure {
    /// The bytes are not a program that the node accepts.
    InvalidImage,
    /// Nothing is cached under the identifier.
    NotCached,
    /// Nothing is stored at the key.
    NotFound,
}

/// Why a module did not become an instance.
#[derive(Encode, Decode, Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstantiateFailure {
    /// The program cannot be instantiated.
    InvalidImage,
    /// No module has this id.
    InvalidModule,
}

/// Why an instance could not be prepared, or stopped before it finished.
#[derive(Encode, Decode, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExecFailure {
    /// No instance has this id, or it is in the wrong state.
    InvalidInstance,
    /// There is no such export, or the program made a syscall that it does not import.
    InvalidImage,
    /// The gas did not suffice for the next block.
    OutOfGas,
    /// The program trapped.
    Trap,
}

/// Why guest memory could not be accessed.
#[derive(Encode, Decode, Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryFailure {
    /// No instance has this id, or it is idle.
    InvalidInstance,
    /// The range is not inside memory that may be accessed this way.
    OutOfBounds,
}

/// How one call into a guest ended.
#[derive(Encode, Decode, Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The export returned.
    Finished,
    /// The syscall handler stopped the guest.
    Exited,
    /// The program did not compile.
    NotCompiled(ModuleFailure),
    /// The module did not instantiate.
    NotInstantiated(InstantiateFailure),
    /// The export could not be prepared.
    NotPrepared(ExecFailure),
    /// The guest failed.
    Failed(ExecFailure),
    /// The handler could not access the memory that the guest pointed to.
    BadPointer(MemoryFailure),
    /// The guest made a syscall that the handler does not know.
    UnknownSyscall,
}

/// One syscall as the runtime saw it.
#[derive(Encode, Decode, Clone, PartialEq, Eq)]
pub struct Syscall {
    /// The symbol that the guest imports.
    pub symbol: Vec<u8>,
    /// Gas that was left when the guest made the syscall.
    pub gas_left: i64,
    /// Registers a0 to a5.
    pub arguments: [u64; 6],
}

/// On one line, with the symbol as text.
impl fmt::Debug for Syscall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { symbol, gas_left, arguments } = self;
        write!(f, "{}({arguments:x?}) with {gas_left} gas left", symbol.escape_ascii())
    }
}

/// One call into a guest.
#[derive(Encode, Decode, Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// How it ended.
    pub end: End,
    /// Gas that was left; `None` where the interface does not tell (every failure).
    pub gas_left: Option<i64>,
    /// The counter that `read_counter` and `increment_counter` work on, after the call.
    pub counter: u64,
    /// Every syscall, in order.
    pub syscalls: Vec<Syscall>,
}

/// A call of a guest that prints, reads and writes.
#[derive(Encode, Decode, Clone, Debug, PartialEq, Eq)]
pub struct Console {
    /// The call.
    pub run: Run,
    /// What the guest printed and wrote.
    pub output: Vec<u8>,
}

/// One call to make.
#[derive(Encode, Decode, Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The export's symbol.
    pub export: Vec<u8>,
    /// Gas to start with.
    pub gas: i64,
    /// Register a0 at the start.
    pub a0: u64,
}

/// A look at guest memory, or a change to it.
#[derive(Encode, Decode, Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read `length` bytes at `address`.
    Read {
        /// Guest address.
        address: u32,
        /// Bytes.
        length: u32,
    },
    /// Write `bytes` at `address`.
    Write {
        /// Guest address.
        address: u32,
        /// What to write.
        bytes: Vec<u8>,
    },
}

/// What an [`Access`] did.
#[derive(Encode, Decode, Clone, Debug, PartialEq, Eq)]
pub struct Accessed {
    /// Whether it was allowed.
    pub result: Result<(), MemoryFailure>,
    /// The caller's buffer afterwards (empty for a write). It held 0xaa before.
    pub buffer: Vec<u8>,
}

/// One request for a module.
#[derive(Encode, Decode, Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Compile these bytes and remember them under the identifier, if there is one.
    FromBytes {
        /// The program.
        program: Vec<u8>,
        /// What to remember it by.
        identifier: Option<Vec<u8>>,
    },
    /// Ask for the module that is remembered under the identifier.
    Lookup {
        /// The identifier.
        identifier: Vec<u8>,
    },
    /// Compile what is stored at the key.
    FromStorageKey {
        /// The key.
        key: Vec<u8>,
        /// The child trie; empty for the main trie.
        child_trie: Vec<u8>,
    },
    /// Store bytes in the main trie, as a runtime that deploys code does.
    Store {
        /// The key.
        key: Vec<u8>,
        /// What to store.
        value: Vec<u8>,
    },
    /// Store bytes in a child trie.
    StoreInChild {
        /// The child trie.
        child_trie: Vec<u8>,
        /// The key.
        key: Vec<u8>,
        /// What to store.
        value: Vec<u8>,
    },
    /// Open or close a storage layer.
    Transaction(Transaction),
}

/// The storage layers of a runtime, as a pallet's `#[transactional]` opens and closes them.
#[derive(Encode, Decode, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transaction {
    /// Opens one.
    Start,
    /// Closes the innermost and keeps what happened in it.
    Commit,
    /// Closes the innermost and undoes what happened in it.
    Rollback,
}

/// What a [`Request`] gave.
#[derive(Encode, Decode, Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A module that the node had already compiled.
    Cached(Run),
    /// A module that was compiled for this request.
    Compiled(Run),
    /// A module from `lookup`, which does not tell.
    Found(Run),
    /// No module.
    Refused(ModuleFailure),
    /// It is done: bytes are stored, a layer is opened or closed.
    Done,
}

/// One of the nine host functions with its arguments, called below the types that keep their order; or a transaction
/// between them.
#[derive(Encode, Decode, Clone, Debug, PartialEq, Eq)]
pub enum HostCall {
    /// `compile_from_bytes`
    CompileFromBytes {
        /// The program.
        program: Vec<u8>,
        /// What to remember it by.
        identifier: Option<Vec<u8>>,
    },
    /// `lookup`
    Lookup {
        /// The identifier.
        identifier: Vec<u8>,
    },
    /// `compile_from_storage_key`
    CompileFromStorageKey {
        /// The key.
        key: Vec<u8>,
        /// The child trie; empty for the main trie.
        child_trie: Vec<u8>,
    },
    /// `instantiate`
    Instantiate {
        /// Module id.
        module: u32,
    },
    /// `prepare`
    Prepare {
        /// Instance id.
        instance: u32,
        /// The export's symbol.
        export: Vec<u8>,
    },
    /// `run`
    Run {
        /// Instance id.
        instance: u32,
        /// Gas to run with.
        gas: i64,
        /// Register a0.
        a0: u64,
    },
    /// `destroy`
    Destroy {
        /// Instance id.
        instance: u32,
    },
    /// `read_memory`
    ReadMemory {
        /// Instance id.
        instance: u32,
        /// Guest address.
        address: u32,
        /// Bytes.
        length: u32,
    },
    /// `write_memory`
    WriteMemory {
        /// Instance id.
        instance: u32,
        /// Guest address.
        address: u32,
        /// What to write.
        bytes: Vec<u8>,
    },
    /// Opens or closes a storage layer. Returns 0.
    Transaction(Transaction),
}

/// What a [`HostCall`] returned, as it is on the wire.
#[derive(Encode, Decode, Clone, Debug, PartialEq, Eq)]
pub struct Returned {
    /// The returned number: a result from 0 up, or a negative error.
    pub value: i64,
    /// The output buffer of `run` (96 bytes) and `read_memory`, filled with 0xaa before the call. Empty for the rest.
    pub buffer: Vec<u8>,
}
