//! Errors: a code that is returned, and a text that can be asked for.

use core::cell::{Cell, RefCell};
use core::ffi::{CStr, c_char};
use std::any::Any;
use std::ffi::CString;
use std::panic::{AssertUnwindSafe, catch_unwind};

use hatchery_engine::memory::{HostError, MemoryError};
use hatchery_engine::program::ProgramError;
use hatchery_engine::{CompileError, EngineError, PrepareError, RunError};

use crate::constants::*;

/// Why a function failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// One of `PVM_STATUS_*`.
    pub status: Status,
    /// What, where and why.
    pub text: String,
}

impl Failure {
    pub(crate) fn new(status: Status, text: impl Into<String>) -> Self {
        Self { status, text: text.into() }
    }

    pub(crate) fn argument(text: impl Into<String>) -> Self {
        Self::new(PVM_STATUS_INVALID_ARGUMENT, text)
    }

    pub(crate) fn state(text: impl Into<String>) -> Self {
        Self::new(PVM_STATUS_INVALID_STATE, text)
    }

    /// What a panic left behind.
    pub(crate) fn panicked(panic: &(dyn Any + Send)) -> Self {
        let text = match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
            (Some(text), _) => text,
            (_, Some(text)) => text.as_str(),
            _ => "no description",
        };
        Self::new(PVM_STATUS_INTERNAL, format!("a defect of libpvm: {text}"))
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        let status = match error {
            EngineError::NoRecompiler { .. } => PVM_STATUS_UNAVAILABLE,
            _ => PVM_STATUS_INVALID_ARGUMENT,
        };
        Self::new(status, error.to_string())
    }
}

impl From<ProgramError> for Failure {
    fn from(error: ProgramError) -> Self {
        Self::new(PVM_STATUS_INVALID_PROGRAM, error.to_string())
    }
}

impl From<CompileError> for Failure {
    fn from(error: CompileError) -> Self {
        let status = match error {
            CompileError::Host(_) => PVM_STATUS_HOST,
            CompileError::MemoryLimit { .. } => PVM_STATUS_LIMIT,
            _ => PVM_STATUS_INVALID_PROGRAM,
        };
        Self::new(status, error.to_string())
    }
}

impl From<MemoryError> for Failure {
    fn from(error: MemoryError) -> Self {
        let status = match error {
            MemoryError::OutOfRange { .. } => PVM_STATUS_OUT_OF_BOUNDS,
            _ => PVM_STATUS_INVALID_ARGUMENT,
        };
        Self::new(status, error.to_string())
    }
}

impl From<PrepareError> for Failure {
    fn from(error: PrepareError) -> Self {
        let status = match error {
            PrepareError::UnknownExport { .. } => PVM_STATUS_NOT_FOUND,
            _ => PVM_STATUS_INVALID_ARGUMENT,
        };
        Self::new(status, error.to_string())
    }
}

impl From<HostError> for Failure {
    fn from(error: HostError) -> Self {
        Self::new(PVM_STATUS_HOST, error.to_string())
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let status = match error {
            RunError::NotPrepared => PVM_STATUS_INVALID_STATE,
            RunError::Host(_) => PVM_STATUS_HOST,
            RunError::Disagreement(_) => PVM_STATUS_DIFFERENCE,
            _ => PVM_STATUS_INTERNAL,
        };
        Self::new(status, error.to_string())
    }
}

thread_local! {
    static LAST: RefCell<Option<CString>> = const { RefCell::new(None) };
    /// The VM that another thread was using when this thread failed last: it could not take the text. 0 if it was something else.
    static REFUSED_BY: Cell<u64> = const { Cell::new(0) };
}

/// Does the work of a function that returns a status.
pub(crate) fn status(work: impl FnOnce() -> Result<(), Failure>) -> Status {
    match catch(work) {
        Ok(()) => PVM_STATUS_OK,
        Err(failure) => {
            remember(&failure);
            failure.status
        }
    }
}

/// Does the work of a function that returns something else, or gives what it returns on failure.
pub(crate) fn value<T>(otherwise: T, work: impl FnOnce() -> Result<T, Failure>) -> T {
    catch(work).unwrap_or_else(|failure| {
        remember(&failure);
        otherwise
    })
}

/// Turns a panic into a failure.
pub(crate) fn catch<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    // Whoever panics in the middle of a change marks what it was changing, see `vm::Vm::locked`.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(Failure::panicked(&*panic)))
}

/// Keeps the text for `pvm_last_error`.
pub(crate) fn remember(failure: &Failure) {
    if failure.status != PVM_STATUS_BUSY {
        REFUSED_BY.set(0);
    }
    let text = c_text(&failure.text);
    // A thread that is ending has no place for it any more.
    let _ = LAST.try_with(|last| *last.borrow_mut() = Some(text));
}

/// Takes note that the VM of this number is being used by another thread, which [`remember`] is told next.
pub(crate) fn note_refusal(vm: u64) {
    REFUSED_BY.set(vm);
}

/// Whether the last failure on this thread was that the VM of this number was being used by another.
pub(crate) fn has_refused(vm: u64) -> bool {
    REFUSED_BY.get() == vm
}

/// A text for C, which ends at the first zero.
pub(crate) fn c_text(text: &str) -> CString {
    CString::new(text.replace('\0', "\\0")).unwrap_or_default()
}

/// The text of the last function that failed on this thread, whatever it was called with; empty if none has. Valid until the
/// next function fails on this thread. Never null.
#[unsafe(no_mangle)]
pub extern "C" fn pvm_last_error() -> *const c_char {
    let text = LAST.try_with(|last| last.borrow().as_ref().map(|text| text.as_ptr()));
    text.ok().flatten().unwrap_or(c"".as_ptr())
}

/// What a PVM_STATUS_* means, in a few words. Valid for ever, never null.
#[unsafe(no_mangle)]
pub extern "C" fn pvm_status_text(status: Status) -> *const c_char {
    let text: &'static CStr = match status {
        PVM_STATUS_OK => c"success",
        PVM_STATUS_NULL_POINTER => c"null pointer",
        PVM_STATUS_INVALID_ARGUMENT => c"invalid argument",
        PVM_STATUS_INVALID_HANDLE => c"invalid handle",
        PVM_STATUS_BUSY => c"the VM is in use by another thread",
        PVM_STATUS_INVALID_STATE => c"not possible in this state",
        PVM_STATUS_INVALID_PROGRAM => c"invalid program",
        PVM_STATUS_OUT_OF_BOUNDS => c"memory out of bounds",
        PVM_STATUS_UNAVAILABLE => c"not available here",
        PVM_STATUS_HOST => c"the operating system refused memory",
        PVM_STATUS_LIMIT => c"limit reached",
        PVM_STATUS_INTERNAL => c"defect of libpvm",
        PVM_STATUS_BUFFER_TOO_SMALL => c"buffer too small",
        PVM_STATUS_NOT_FOUND => c"not found",
        PVM_STATUS_GUEST_PANIC => c"the program panics",
        PVM_STATUS_DIFFERENCE => c"executions differ",
        PVM_STATUS_INTERRUPTED => c"the inner machine was interrupted",
        _ => c"unknown status",
    };
    text.as_ptr()
}

/// PVM_ABI_VERSION of the library that is loaded. A program should compare it with that of the header it was built with.
#[unsafe(no_mangle)]
pub extern "C" fn pvm_abi_version() -> u32 {
    PVM_ABI_VERSION
}

/// The version of the library, such as "0.1.0". Valid for ever, never null.
#[unsafe(no_mangle)]
pub extern "C" fn pvm_version() -> *const c_char {
    const VERSION: &CStr =
        match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
            Ok(version) => version,
            Err(_) => c"",
        };
    VERSION.as_ptr()
}
