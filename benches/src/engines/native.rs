//! No engine: the same sources, compiled for this machine, called in this process.

use super::{Description, Engine, Gas, Instance, Module};
use crate::host::{GuestMemory, Host};
use crate::measure::Clock;
use crate::programs::{Program, native_library};
use anyhow::{Context, Result};
use libloading::{Library, Symbol};
use std::cell::RefCell;
use std::rc::Rc;

/// A function of the host, as the library calls it.
type Function = extern "C" fn(u64, u64, u64, u64) -> u64;

/// A work, as the library has it.
type Work = unsafe extern "C" fn(u64) -> u64;

pub(super) fn add(engines: &mut Vec<(String, Result<Box<dyn Engine>>)>) {
    super::add(engines, "native".into(), Native::new());
}

struct Native {
    library: Rc<Library>,
}

impl Native {
    fn new() -> Result<Self> {
        let path = native_library()?;
        // SAFETY: it is our own library, which does nothing when it is loaded.
        let library = unsafe { Library::new(&path) }.with_context(|| path.display().to_string())?;
        // SAFETY: the type is that of the function in `guests/native`.
        unsafe {
            let set_host: Symbol<'_, unsafe extern "C" fn(Function)> = library.get(b"set_host")?;
            set_host(answer);
        }
        Ok(Self { library: Rc::new(library) })
    }
}

impl Engine for Native {
    fn description(&self) -> Description {
        Description { id: "native".into(), name: "native".into(), gas: Gas::None, clock: Clock::Processor }
    }

    fn compile(&self, program: &Program) -> Result<Box<dyn Module>> {
        // SAFETY: the types are those of the functions in `guests/native`.
        let work = unsafe { *self.library.get::<Work>(program.name.as_bytes())? };
        Ok(Box::new(Loaded { library: Rc::clone(&self.library), work }))
    }

    fn has_instances(&self) -> bool {
        false
    }
}

struct Loaded {
    library: Rc<Library>,
    work: Work,
}

impl Module for Loaded {
    fn instantiate(&self) -> Result<Box<dyn Instance>> {
        Ok(Box::new(Running { _library: Rc::clone(&self.library), work: self.work }))
    }
}

struct Running {
    _library: Rc<Library>,
    work: Work,
}

impl Instance for Running {
    fn call(&mut self, amount: u64) -> Result<u64> {
        // SAFETY: the library is loaded, and this is its only thread.
        Ok(unsafe { (self.work)(amount) })
    }
}

thread_local! {
    static HOST: RefCell<Host> = RefCell::new(Host::default());
}

extern "C" fn answer(number: u64, a: u64, b: u64, c: u64) -> u64 {
    HOST.with_borrow_mut(|host| host.answer(number, [a, b, c], &mut Own))
        // A panic would have to cross the library. The checksum will be wrong.
        .unwrap_or(u64::MAX)
}

/// The memory of this process.
struct Own;

impl GuestMemory for Own {
    fn read(&mut self, address: u64, buffer: &mut [u8]) -> Result<()> {
        // SAFETY: `work` gives pointers to as many bytes as its host reads.
        unsafe { (address as *const u8).copy_to_nonoverlapping(buffer.as_mut_ptr(), buffer.len()) };
        Ok(())
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<()> {
        // SAFETY: `work` gives pointers to as many bytes as its host writes.
        unsafe { bytes.as_ptr().copy_to_nonoverlapping(address as *mut u8, bytes.len()) };
        Ok(())
    }
}
