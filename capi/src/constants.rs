//! The numbers of the interface. Types are plain integers: whatever C passes is valid, and checked.

/// What a function that can fail returns: one of PVM_STATUS_*. Zero is success.
pub type Status = i32;
/// Why an execution returned: one of PVM_RESULT_*.
pub type ExecutionResult = i32;
/// What a host callback wants: one of PVM_HOST_*.
pub type HostResult = i32;

/// The version of this interface. It changes when a program that was built against an older header no longer works.
pub const PVM_ABI_VERSION: u32 = 1;

/// Registers of a VM.
pub const PVM_REGISTER_COUNT: usize = 13;
/// Bytes in a page (the Gray Paper's Z_P).
pub const PVM_PAGE_SIZE: u32 = 4096;
/// Where a program that returns to its caller ends: the initial value of register 0 in a JAM standard program.
pub const PVM_RETURN_ADDRESS: u32 = 0xffff_0000;

/// All is well.
pub const PVM_STATUS_OK: Status = 0;
/// A pointer is null that must not be.
pub const PVM_STATUS_NULL_POINTER: Status = 1;
/// An argument makes no sense: a length, a number, a misaligned pointer. Nothing was done.
pub const PVM_STATUS_INVALID_ARGUMENT: Status = 2;
/// A handle is not what it should be, for example a module where a VM is wanted, or has been destroyed.
pub const PVM_STATUS_INVALID_HANDLE: Status = 3;
/// Another thread is using the VM at this moment. Nothing was done.
pub const PVM_STATUS_BUSY: Status = 4;
/// The VM is in a state in which this cannot be done, for example resuming what has ended. Nothing was done.
pub const PVM_STATUS_INVALID_STATE: Status = 5;
/// The bytes are no program, or one that cannot be had with this configuration. The text says where and why.
pub const PVM_STATUS_INVALID_PROGRAM: Status = 6;
/// Memory is not mapped, or may not be written. Nothing was done.
pub const PVM_STATUS_OUT_OF_BOUNDS: Status = 7;
/// This machine or this build cannot do it, for example the recompiler on another processor.
pub const PVM_STATUS_UNAVAILABLE: Status = 8;
/// The operating system refused memory. No program is at fault; what was being done can be tried again.
pub const PVM_STATUS_HOST: Status = 9;
/// A limit of the configuration is reached. Nothing was done.
pub const PVM_STATUS_LIMIT: Status = 10;
/// A defect of this library, which the text describes. The handle can only be destroyed.
pub const PVM_STATUS_INTERNAL: Status = 11;
/// The caller's buffer is too small. The needed length was given; the buffer is unchanged.
pub const PVM_STATUS_BUFFER_TOO_SMALL: Status = 12;
/// There is nothing of this name or number.
pub const PVM_STATUS_NOT_FOUND: Status = 13;
/// The Gray Paper says that the program that made this host call panics.
pub const PVM_STATUS_GUEST_PANIC: Status = 14;
/// Two executions that should be the same are not: a replay, or two backends. The text has the first difference.
pub const PVM_STATUS_DIFFERENCE: Status = 15;
/// An inner machine was interrupted. The same call goes on.
pub const PVM_STATUS_INTERRUPTED: Status = 16;

/// The program halted.
pub const PVM_RESULT_OK: ExecutionResult = 0;
/// Gas is short for what comes next. Nothing of it was executed or deducted; more gas and pvm_resume go on.
pub const PVM_RESULT_OOG: ExecutionResult = 1;
/// The program panicked.
pub const PVM_RESULT_PANIC: ExecutionResult = 2;
/// The program made a host call that no callback has answered, or whose callback said PVM_HOST_TERMINATE. pvm_resume goes on
/// behind it.
pub const PVM_RESULT_HOST_CALL: ExecutionResult = 3;
/// Nothing was executed, or not up to a stop of the program: pvm_error says why, or, if a callback has destroyed the VM,
/// pvm_last_error.
pub const PVM_RESULT_ERROR: ExecutionResult = 4;
/// The program accessed a page that is not mapped, or wrote one that is read-only. After it has been mapped pvm_resume tries the
/// access again.
pub const PVM_RESULT_FAULT: ExecutionResult = 5;
/// pvm_interrupt stopped it, or a trace callback, or pvm_step has made its step. pvm_resume goes on.
pub const PVM_RESULT_PAUSED: ExecutionResult = 6;

/// Go on behind the host call.
pub const PVM_HOST_CONTINUE: HostResult = 0;
/// End the execution: it returns PVM_RESULT_HOST_CALL.
pub const PVM_HOST_TERMINATE: HostResult = 1;
/// End the execution as a panic of the program: it returns PVM_RESULT_PANIC.
pub const PVM_HOST_ERROR: HostResult = 2;

/// Machine state: halted.
pub const PVM_STATE_HALT: u8 = 0;
/// Machine state: panicked.
pub const PVM_STATE_PANIC: u8 = 1;
/// Machine state: at a page fault.
pub const PVM_STATE_FAULT: u8 = 2;
/// Machine state: at a host call.
pub const PVM_STATE_HOST: u8 = 3;
/// Machine state: out of gas.
pub const PVM_STATE_OOG: u8 = 4;
/// Machine state: nothing has been executed yet.
pub const PVM_STATE_READY: u8 = 5;
/// Machine state: paused between two instructions.
pub const PVM_STATE_PAUSED: u8 = 6;
/// Machine state: none, the handle is not usable.
pub const PVM_STATE_INVALID: u8 = 255;

/// Work digest: success.
pub const PVM_WORKDIGEST_OK: i32 = 0;
/// Work digest: out of gas.
pub const PVM_WORKDIGEST_OOG: i32 = 1;
/// Work digest: panic.
pub const PVM_WORKDIGEST_PANIC: i32 = 2;
/// Work digest: bad exports, which the embedder finds out.
pub const PVM_WORKDIGEST_BAD_EXPORT: i32 = 3;
/// Work digest: oversized, which the embedder finds out.
pub const PVM_WORKDIGEST_OVERSIZE: i32 = 4;
/// Work digest: no code, which the embedder finds out.
pub const PVM_WORKDIGEST_BAD: i32 = 5;
/// Work digest: code too large, which the embedder finds out.
pub const PVM_WORKDIGEST_BIG: i32 = 6;

/// Result of a host call: there is no such thing. These are the numbers of the current Gray Paper, 2^64 - k.
pub const PVM_NONE: u64 = 0xffff_ffff_ffff_ffff;
/// Result of a host call: an unknown name.
pub const PVM_WHAT: u64 = 0xffff_ffff_ffff_fffe;
/// Result of a host call: an inner machine's memory is not accessible.
pub const PVM_OOB: u64 = 0xffff_ffff_ffff_fffd;
/// Result of a host call: an unknown index.
pub const PVM_WHO: u64 = 0xffff_ffff_ffff_fffc;
/// Result of a host call: storage or resource is full.
pub const PVM_FULL: u64 = 0xffff_ffff_ffff_fffb;
/// Result of a host call: core index unknown.
pub const PVM_CORE: u64 = 0xffff_ffff_ffff_fffa;
/// Result of a host call: insufficient funds.
pub const PVM_CASH: u64 = 0xffff_ffff_ffff_fff9;
/// Result of a host call: gas limit too low.
pub const PVM_LOW: u64 = 0xffff_ffff_ffff_fff8;
/// Result of a host call: already solicited, cannot be forgotten, or invalid.
pub const PVM_HUH: u64 = 0xffff_ffff_ffff_fff7;

/// Error constants as in the current Gray Paper: 2^64 - k.
pub const PVM_CONSTANTS_GRAY_PAPER: u32 = 0;
/// Error constants of 32 bits, 2^32 - k, as in old headers for C.
pub const PVM_CONSTANTS_32: u32 = 1;

/// Gray Paper 0.7 to the letter: its instruction set, one gas charged before each instruction. Always interpreted.
pub const PVM_PROFILE_GRAY_PAPER_0_7: u32 = 1;
/// Gray Paper 0.7 as its test vectors have it: its instruction set, one gas for each instruction, charged for a basic block when it
/// is entered.
pub const PVM_PROFILE_GRAY_PAPER_0_7_BLOCK: u32 = 2;
/// Gray Paper 0.8: its instruction set (JamV1), the gas of its pipeline model, charged for a basic block when it is entered.
pub const PVM_PROFILE_GRAY_PAPER_0_8: u32 = 3;

/// Instruction set: PolkaVM's ReviveV1.
pub const PVM_ISA_REVIVE_V1: u32 = 0;
/// Instruction set: JamV1, the Gray Paper 0.8's.
pub const PVM_ISA_JAM_V1: u32 = 1;
/// Instruction set: PolkaVM's Latest32, with registers of 32 bits.
pub const PVM_ISA_LATEST32: u32 = 2;
/// Instruction set: PolkaVM's Latest64 in the encoding with a bitmask.
pub const PVM_ISA_LATEST64_BITMASK: u32 = 3;
/// Instruction set: the Gray Paper 0.7's.
pub const PVM_ISA_GRAY_PAPER_0_7: u32 = 4;
/// Instruction set: PolkaVM's Latest64 in the encoding without a bitmask.
pub const PVM_ISA_LATEST64_EXTENDED: u32 = 5;

/// Gas: one for each instruction.
pub const PVM_GAS_FLAT: u32 = 0;
/// Gas: the pipeline model, loads hit the first-level cache.
pub const PVM_GAS_PIPELINE_L1: u32 = 1;
/// Gas: the pipeline model, loads hit the second-level cache. The Gray Paper 0.8's.
pub const PVM_GAS_PIPELINE_L2: u32 = 2;
/// Gas: the pipeline model, loads hit the third-level cache.
pub const PVM_GAS_PIPELINE_L3: u32 = 3;
/// Gas: as PVM_GAS_PIPELINE_L1, in the variant of polkavm 0.37.
pub const PVM_GAS_PIPELINE_L1_V037: u32 = 4;
/// Gas: as PVM_GAS_PIPELINE_L2, in the variant of polkavm 0.37.
pub const PVM_GAS_PIPELINE_L2_V037: u32 = 5;
/// Gas: as PVM_GAS_PIPELINE_L3, in the variant of polkavm 0.37.
pub const PVM_GAS_PIPELINE_L3_V037: u32 = 6;

/// Gas is charged for a basic block, in full, when it is entered.
pub const PVM_CHARGE_BLOCK: u32 = 0;
/// Gas is charged before each instruction. With PVM_GAS_FLAT only; always interpreted.
pub const PVM_CHARGE_INSTRUCTION: u32 = 1;

/// The portable interpreter. Installs no signal handler.
pub const PVM_BACKEND_INTERPRETER: u32 = 0;
/// Native code, on x86-64 with Linux. The first engine that uses it installs a handler for SIGSEGV, which passes on every signal
/// that is not its own.
pub const PVM_BACKEND_RECOMPILER: u32 = 1;
/// Both in lock-step: an execution that differs returns PVM_RESULT_ERROR. Slow; for those who look for defects.
pub const PVM_BACKEND_VERIFY: u32 = 2;
/// Whatever this machine does best; may be the recompiler.
pub const PVM_BACKEND_AUTO: u32 = 3;

/// A page is not mapped.
pub const PVM_PERMISSION_NONE: u32 = 0;
/// A page can be read.
pub const PVM_PERMISSION_READ: u32 = 1;
/// A page can be read and written.
pub const PVM_PERMISSION_READ_WRITE: u32 = 2;
