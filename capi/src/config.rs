//! How programs are executed: profiles, backends, limits.

use core::mem::{offset_of, size_of};
use std::sync::{Mutex, PoisonError};

use hatchery_engine::memory::WindowKind;
use hatchery_engine::{Backend, Charge, Config as EngineConfig, Engine, GasModel, InstructionSet};

use crate::constants::*;
use crate::pointer::{self, Place};
use crate::status::{Failure, status};

/// How programs are executed. Fill it by pvm_config_init, then change what should be different. Where a function takes a pointer
/// to one, null stands for PVM_PROFILE_GRAY_PAPER_0_7.
///
/// Everything but backend and window_limit decides what programs can observe, and must be the same wherever results are
/// compared.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// Bytes of this struct, which pvm_config_init sets. Later versions of the library may have more fields at the end.
    pub struct_size: u32,
    /// One of PVM_ISA_*: of raw JAM programs and JAM standard programs. PolkaVM blobs name their own.
    pub instruction_set: u32,
    /// One of PVM_GAS_*.
    pub gas_model: u32,
    /// One of PVM_CHARGE_*.
    pub charge: u32,
    /// One of PVM_BACKEND_*. Not observable but by time. pvm_config_init chooses the interpreter.
    pub backend: u32,
    /// One of PVM_CONSTANTS_*: what functions that give results of host calls, and pvm_write_ram_bytes and its kin, give.
    pub error_constants: u32,
    /// PVM_ISA_LATEST64_BITMASK or PVM_ISA_LATEST64_EXTENDED: what version byte 2 of a PolkaVM blob means, which the blob does
    /// not say. The first up to polkavm-linker 0.35, the second from 0.37 on.
    pub latest64: u32,
    /// The most VMs that keep a window of 4 GiB of address space between executions, which saves time. All VMs with equal
    /// configurations share them.
    pub window_limit: u32,
    /// The most bytes of memory that a program may have, in whole pages: data, stack and heap together. A program that declares
    /// more is refused, its heap grows no further.
    pub memory_limit: u64,
    /// The most inner machines of a VM.
    pub inner_machine_limit: u32,
    /// The most pages that all inner machines of a VM may have together.
    pub inner_page_limit: u32,
}

/// The struct as it was in the first version of the interface.
const FIRST_SIZE: usize = offset_of!(Config, inner_page_limit) + size_of::<u32>();

impl Config {
    /// The settings of a profile.
    pub(crate) fn of_profile(profile: u32) -> Result<Self, Failure> {
        let (instruction_set, gas_model, charge, inner_machine_limit) = match profile {
            PVM_PROFILE_GRAY_PAPER_0_7 => {
                (PVM_ISA_GRAY_PAPER_0_7, PVM_GAS_FLAT, PVM_CHARGE_INSTRUCTION, 1024)
            }
            PVM_PROFILE_GRAY_PAPER_0_7_BLOCK => {
                (PVM_ISA_GRAY_PAPER_0_7, PVM_GAS_FLAT, PVM_CHARGE_BLOCK, 1024)
            }
            PVM_PROFILE_GRAY_PAPER_0_8 => (PVM_ISA_JAM_V1, PVM_GAS_PIPELINE_L2, PVM_CHARGE_BLOCK, 63),
            other => return Err(Failure::argument(format!("profile {other} is unknown"))),
        };
        Ok(Self {
            struct_size: size_of::<Self>() as u32,
            instruction_set,
            gas_model,
            charge,
            backend: PVM_BACKEND_INTERPRETER,
            error_constants: PVM_CONSTANTS_GRAY_PAPER,
            latest64: PVM_ISA_LATEST64_EXTENDED,
            window_limit: 64,
            memory_limit: 1 << 32,
            inner_machine_limit,
            inner_page_limit: 1 << 20,
        })
    }

    /// What a caller's struct says, or the default if there is none.
    ///
    /// # Safety
    /// If the pointer is neither null nor misaligned, as many bytes as its first field says must be readable there.
    pub(crate) unsafe fn read(config: *const Self) -> Result<Settings, Failure> {
        if config.is_null() {
            return Self::of_profile(PVM_PROFILE_GRAY_PAPER_0_7)?.settings();
        }
        pointer::check(config, "the configuration")?;
        // SAFETY: not null and aligned; the rest is the caller's to keep.
        let size = unsafe { (*config).struct_size } as usize;
        if size < FIRST_SIZE {
            return Err(Failure::argument(format!(
                "the configuration says that it has {size} bytes, not {FIRST_SIZE}: call pvm_config_init first"
            )));
        }
        // SAFETY: as above; the struct is at least as long as this one.
        unsafe { *config }.settings()
    }

    fn settings(self) -> Result<Settings, Failure> {
        let unknown = |what: &str, number: u32| Failure::argument(format!("{what} {number} is unknown"));
        let instruction_set = instruction_set(self.instruction_set)?;
        let (_, gas_model) = *GasModel::NAMED
            .get(self.gas_model as usize)
            .ok_or_else(|| unknown("gas model", self.gas_model))?;
        let charge = match self.charge {
            PVM_CHARGE_BLOCK => Charge::Block,
            PVM_CHARGE_INSTRUCTION => Charge::Instruction,
            other => return Err(unknown("way to charge gas", other)),
        };
        if self.error_constants > PVM_CONSTANTS_32 {
            return Err(unknown("kind of error constants", self.error_constants));
        }
        let latest64 = crate::config::instruction_set(self.latest64)?;
        let engine = EngineConfig::default()
            .gas_model(gas_model)
            .charge(charge)
            .backend(backend(self.backend)?)
            .latest64(latest64)
            .memory_limit(self.memory_limit)
            .window_limit(self.window_limit as usize)
            .faults_to_host(true);
        Ok(Settings { config: self, engine, instruction_set, latest64 })
    }
}

/// A configuration that has been understood.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) config: Config,
    engine: EngineConfig,
    pub(crate) instruction_set: InstructionSet,
    /// What version byte 2 of a PolkaVM blob means.
    pub(crate) latest64: InstructionSet,
}

impl Settings {
    /// The engine with these settings: one for all who ask, so that they share its windows.
    pub(crate) fn engine(&self) -> Result<Engine, Failure> {
        let mut engines = ENGINES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = engines.iter().position(|engine| *engine.config() == self.engine) {
            // The last one used is the last one to go.
            let engine = engines.remove(at);
            engines.push(engine.clone());
            return Ok(engine);
        }
        let engine = Engine::new(self.engine)?;
        if engines.len() == MOST_ENGINES {
            engines.remove(0);
        }
        engines.push(engine.clone());
        Ok(engine)
    }
}

/// Engines to be shared, the last one used last.
static ENGINES: Mutex<Vec<Engine>> = Mutex::new(Vec::new());

/// Programs and VMs keep their engine, so that dropping one here costs nothing but its windows.
const MOST_ENGINES: usize = 8;

fn instruction_set(number: u32) -> Result<InstructionSet, Failure> {
    let found = InstructionSet::ALL.into_iter().find(|&set| set as u32 == number);
    found.ok_or_else(|| Failure::argument(format!("instruction set {number} is unknown")))
}

fn backend(number: u32) -> Result<Backend, Failure> {
    match number {
        PVM_BACKEND_INTERPRETER => Ok(Backend::Interpreter),
        PVM_BACKEND_RECOMPILER => Ok(Backend::Recompiler),
        PVM_BACKEND_VERIFY => Ok(Backend::Verify),
        PVM_BACKEND_AUTO => Ok(Backend::Auto),
        other => Err(Failure::argument(format!("backend {other} is unknown"))),
    }
}

/// Fills a configuration with the settings of a profile, one of PVM_PROFILE_*: the interpreter, no limits that a program would
/// notice. struct_size is sizeof(pvm_config_t) of the caller; of a newer library only that much is filled.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_config_init(config: *mut Config, struct_size: usize, profile: u32) -> Status {
    status(|| {
        pointer::check(config, "the configuration")?;
        if struct_size < FIRST_SIZE {
            return Err(Failure::argument(format!(
                "the configuration has {struct_size} bytes, not {FIRST_SIZE}"
            )));
        }
        let settings = Config::of_profile(profile)?;
        // SAFETY: there is space for as much as the first version had, which is all there is.
        unsafe { Place::new(config, "the configuration")?.put(settings) };
        Ok(())
    })
}

/// Whether this machine has a backend, one of PVM_BACKEND_*: 1 or 0.
#[unsafe(no_mangle)]
pub extern "C" fn pvm_backend_available(number: u32) -> i32 {
    let available = match backend(number) {
        Ok(Backend::Auto) => true,
        Ok(backend) => Backend::AVAILABLE.contains(&backend) && backend.runs_in(WindowKind::BEST),
        Err(_) => false,
    };
    i32::from(available)
}

/// Gives back what the library keeps for VMs to come: windows of address space and bookkeeping. What is in use stays. Never
/// necessary.
#[unsafe(no_mangle)]
pub extern "C" fn pvm_release_caches() {
    let engines = core::mem::take(&mut *ENGINES.lock().unwrap_or_else(PoisonError::into_inner));
    let _ = status(|| {
        drop(engines);
        Ok(())
    });
}
