//! The functions of the library behind safe types, for programs in Rust that prove it: everything here goes through the same
//! functions and the same checks as from C.

use core::ffi::CStr;
use core::ptr::{NonNull, null_mut};

use crate::config::{Config, pvm_config_init};
use crate::constants::*;
use crate::lifecycle::*;
use crate::module::*;
use crate::ram::*;
use crate::registers::*;
use crate::run::*;
use crate::status::{Failure, pvm_last_error};
use crate::vm::Vm as RawVm;

/// A program.
#[derive(Debug)]
pub struct Program(NonNull<Module>);

/// A VM.
#[derive(Debug)]
pub struct Machine(NonNull<RawVm>);

/// A status as a result, with the text behind it.
fn checked(status: Status) -> Result<(), Failure> {
    if status == PVM_STATUS_OK { Ok(()) } else { Err(last_failure(status)) }
}

fn last_failure(status: Status) -> Failure {
    // SAFETY: the text ends with a zero and is valid until the next failure on this thread.
    let text = unsafe { CStr::from_ptr(pvm_last_error()) };
    Failure { status, text: text.to_string_lossy().into_owned() }
}

/// The settings of a profile, one of `PVM_PROFILE_*`.
///
/// # Errors
/// If there is no such profile.
pub fn configuration(profile: u32) -> Result<Config, Failure> {
    let mut config = core::mem::MaybeUninit::uninit();
    // SAFETY: there is space for a configuration.
    checked(unsafe { pvm_config_init(config.as_mut_ptr(), size_of::<Config>(), profile) })?;
    // SAFETY: it was filled.
    Ok(unsafe { config.assume_init() })
}

impl Program {
    /// As `pvm_module_from_raw`.
    ///
    /// # Errors
    /// As that.
    pub fn from_raw(config: &Config, blob: &[u8]) -> Result<Self, Failure> {
        Self::made(|out| {
            // SAFETY: all pointers are those of values that live longer than the call, here and below.
            unsafe { pvm_module_from_raw(config, blob.as_ptr(), blob.len(), out) }
        })
    }

    /// As `pvm_module_from_standard`.
    ///
    /// # Errors
    /// As that.
    pub fn from_standard(config: &Config, blob: &[u8]) -> Result<Self, Failure> {
        // SAFETY: as above.
        Self::made(|out| unsafe { pvm_module_from_standard(config, blob.as_ptr(), blob.len(), out) })
    }

    /// As `pvm_module_from_polkavm`.
    ///
    /// # Errors
    /// As that.
    pub fn from_polkavm(config: &Config, blob: &[u8]) -> Result<Self, Failure> {
        // SAFETY: as above.
        Self::made(|out| unsafe { pvm_module_from_polkavm(config, blob.as_ptr(), blob.len(), out) })
    }

    fn made(make: impl FnOnce(*mut *mut Module) -> Status) -> Result<Self, Failure> {
        let mut handle = null_mut();
        checked(make(&mut handle))?;
        NonNull::new(handle).map(Self).ok_or_else(|| last_failure(PVM_STATUS_INTERNAL))
    }

    /// As `pvm_module_find_export`.
    ///
    /// # Errors
    /// If there is no such export.
    pub fn export(&self, name: &str) -> Result<u32, Failure> {
        let mut pc = 0;
        // SAFETY: as above; the handle lives as long as this.
        let status =
            unsafe { pvm_module_find_export(self.0.as_ptr(), name.as_ptr().cast(), name.len(), &mut pc) };
        checked(status).map(|()| pc)
    }

    /// As `pvm_module_blocks`.
    pub fn blocks(&self) -> Vec<Block> {
        // SAFETY: as above.
        let count = unsafe { pvm_module_blocks(self.0.as_ptr(), null_mut(), 0) };
        let mut blocks = vec![Block { pc: 0, cost: 0 }; count];
        // SAFETY: as above.
        unsafe { pvm_module_blocks(self.0.as_ptr(), blocks.as_mut_ptr(), blocks.len()) };
        blocks
    }

    /// As `pvm_instantiate`.
    ///
    /// # Errors
    /// As that.
    pub fn instantiate(&self) -> Result<Machine, Failure> {
        let mut handle = null_mut();
        // SAFETY: as above.
        checked(unsafe { pvm_instantiate(self.0.as_ptr(), &mut handle) })?;
        NonNull::new(handle).map(Machine).ok_or_else(|| last_failure(PVM_STATUS_INTERNAL))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // SAFETY: the handle is released once.
        unsafe { pvm_module_release(self.0.as_ptr()) };
    }
}

impl Machine {
    /// As `pvm_resume`.
    ///
    /// # Errors
    /// Where that gives `PVM_RESULT_ERROR`.
    pub fn resume(&mut self) -> Result<ExecutionResult, Failure> {
        // SAFETY: the handle lives as long as this, here and below.
        match unsafe { pvm_resume(self.0.as_ptr()) } {
            PVM_RESULT_ERROR => Err(last_failure(PVM_STATUS_INVALID_STATE)),
            result => Ok(result),
        }
    }

    /// As `pvm_prepare`.
    ///
    /// # Errors
    /// As that.
    pub fn prepare(&mut self, pc: u32, arguments: &[u64]) -> Result<(), Failure> {
        // SAFETY: the arguments are readable.
        checked(unsafe { pvm_prepare(self.0.as_ptr(), pc, arguments.as_ptr(), arguments.len()) })
    }

    /// As `pvm_get_exit`.
    ///
    /// # Errors
    /// As that.
    pub fn exit(&mut self) -> Result<ExitInfo, Failure> {
        let mut exit = core::mem::MaybeUninit::uninit();
        // SAFETY: there is space for it.
        checked(unsafe { pvm_get_exit(self.0.as_ptr(), exit.as_mut_ptr()) })?;
        // SAFETY: it was filled.
        Ok(unsafe { exit.assume_init() })
    }

    /// As `pvm_set_pc`.
    ///
    /// # Errors
    /// As that.
    pub fn set_pc(&mut self, pc: u32) -> Result<(), Failure> {
        // SAFETY: as above.
        checked(unsafe { pvm_set_pc(self.0.as_ptr(), pc) })
    }

    /// As `pvm_get_gas`.
    pub fn gas(&mut self) -> u64 {
        // SAFETY: as above.
        unsafe { pvm_get_gas(self.0.as_ptr()) }
    }

    /// As `pvm_set_gas`.
    ///
    /// # Errors
    /// As that.
    pub fn set_gas(&mut self, gas: u64) -> Result<(), Failure> {
        // SAFETY: as above.
        checked(unsafe { pvm_set_gas(self.0.as_ptr(), gas) })
    }

    /// As `pvm_get_register`, of which there are 13.
    pub fn register(&mut self, index: u8) -> u64 {
        // SAFETY: as above.
        unsafe { pvm_get_register(self.0.as_ptr(), index.into()) }
    }

    /// As `pvm_set_register`.
    ///
    /// # Errors
    /// As that.
    pub fn set_register(&mut self, index: u8, value: u64) -> Result<(), Failure> {
        // SAFETY: as above.
        checked(unsafe { pvm_set_register(self.0.as_ptr(), index.into(), value) })
    }

    /// As `pvm_read_memory`.
    ///
    /// # Errors
    /// As that.
    pub fn read(&mut self, address: u32, buffer: &mut [u8]) -> Result<(), Failure> {
        // SAFETY: as above; the buffer is writable.
        checked(unsafe { pvm_read_memory(self.0.as_ptr(), address, buffer.as_mut_ptr(), buffer.len()) })
    }

    /// As `pvm_write_memory`.
    ///
    /// # Errors
    /// As that.
    pub fn write(&mut self, address: u32, data: &[u8]) -> Result<(), Failure> {
        // SAFETY: as above; the data are readable.
        checked(unsafe { pvm_write_memory(self.0.as_ptr(), address, data.as_ptr(), data.len()) })
    }

    /// As `pvm_initialize_memory`.
    ///
    /// # Errors
    /// As that.
    pub fn initialize(&mut self, address: u32, data: &[u8]) -> Result<(), Failure> {
        // SAFETY: as above; the data are readable.
        checked(unsafe { pvm_initialize_memory(self.0.as_ptr(), address, data.as_ptr(), data.len()) })
    }

    /// As `pvm_map`, with one of `PVM_PERMISSION_*`.
    ///
    /// # Errors
    /// As that.
    pub fn map(&mut self, address: u32, length: u64, permission: u32) -> Result<(), Failure> {
        // SAFETY: as above.
        checked(unsafe { pvm_map(self.0.as_ptr(), address, length, permission) })
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // SAFETY: the handle is destroyed once.
        unsafe { pvm_destroy(self.0.as_ptr()) };
    }
}
