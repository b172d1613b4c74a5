//! The entry point of this crate.

use std::sync::Arc;

use crate::config::{Backend, Charge, Config};
use crate::gas::GasModel;
use crate::isa::InstructionSet;
use crate::memory::{HostError, MemoryMapError, Pool};
use crate::module::Module;
use crate::program::{Code, Program, ProgramError};
use crate::recompiler::{Compiled, Recompiler};

/// Compiles programs and lends memory to their instances. Cheap to clone; clones are the same engine.
#[derive(Clone, Debug)]
pub struct Engine {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) pool: Pool,
    /// What makes native code, if that is executed.
    recompiler: Option<Recompiler>,
}

/// Why an engine cannot be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// A page is the least memory there is.
    #[error("the memory limit of {limit} bytes is less than a page of 4096 bytes")]
    MemoryLimit {
        /// The limit.
        limit: u64,
    },
    /// Instructions have costs of their own in the flat model only.
    #[error("gas cannot be charged by the instruction under the model {model}: only under flat")]
    ChargeByInstruction {
        /// The model.
        model: GasModel,
    },
    /// Version byte 2 of a container can mean two sets only.
    #[error("version byte 2 cannot mean {set}: it is latest64-bitmask or latest64-extended")]
    Latest64 {
        /// The set that was asked for.
        set: InstructionSet,
    },
    /// This machine cannot execute native code of programs.
    #[error("the recompiler is not available: {reason}")]
    NoRecompiler {
        /// Why.
        reason: &'static str,
    },
    /// Without a window nothing can run.
    #[error("the limit of windows is zero: no instance could run")]
    NoWindows,
}

/// Why a program cannot be compiled. The program is at fault.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// The bytes are not a program.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// The memory it declares does not fit the address space.
    #[error(transparent)]
    Memory(#[from] MemoryMapError),
    /// The memory it declares exceeds the engine's limit.
    #[error("memory: the program declares {declared} bytes, the limit is {limit}")]
    MemoryLimit {
        /// Bytes it declares, in whole pages.
        declared: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The host cannot make native code. The program is not at fault.
    #[error(transparent)]
    Host(#[from] HostError),
    /// An instruction is invalid, in a format in which all must be valid.
    #[error(
        "code: invalid instruction at pc {pc:#x} ({}); every instruction of a {set} program must be valid",
        byte.map_or("the end of the code".into(), |byte| format!("byte {byte:#04x}"))
    )]
    InvalidInstruction {
        /// Where.
        pc: u32,
        /// The byte there; none behind the end of the code, into which the program runs.
        byte: Option<u8>,
        /// The instruction set.
        set: InstructionSet,
    },
}

impl Engine {
    /// An engine with these settings.
    ///
    /// # Errors
    /// If the settings make no sense.
    pub fn new(config: Config) -> Result<Self, EngineError> {
        if config.memory_limit < crate::memory::PAGE_SIZE.into() {
            return Err(EngineError::MemoryLimit { limit: config.memory_limit });
        }
        if !matches!(config.latest64, InstructionSet::Latest64Bitmask | InstructionSet::Latest64Extended) {
            return Err(EngineError::Latest64 { set: config.latest64 });
        }
        if config.charge == Charge::Instruction && config.gas_model != GasModel::Flat {
            return Err(EngineError::ChargeByInstruction { model: config.gas_model });
        }
        if config.window_limit == 0 {
            return Err(EngineError::NoWindows);
        }
        crate::interpreter::detect();
        let recompiler = recompiler(&config)?;
        let pool = Pool::new(config.window_kind, recompiler.is_some(), config.window_limit);
        Ok(Self { inner: Arc::new(Inner { config, pool, recompiler }) })
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// Compiles a PolkaVM container. Its version byte names the instruction set; what 2 means [`Config::latest64`] says.
    ///
    /// Takes time linear in the length of the code. Operations and their gas are made when they are first reached.
    ///
    /// # Errors
    /// If the bytes are no such program, with the place and the reason.
    pub fn compile(&self, blob: &[u8]) -> Result<Module, CompileError> {
        self.compile_program(Program::from_polkavm(blob, self.inner.config.latest64)?)
    }

    /// Compiles a program that has been taken apart, for example by [`Program::from_raw`].
    ///
    /// # Errors
    /// If its memory does not fit or, where all must be valid, an instruction is invalid.
    pub fn compile_program(&self, program: Program) -> Result<Module, CompileError> {
        Module::new(self.clone(), program)
    }
}

/// What makes native code, if these settings want it.
fn recompiler(config: &Config) -> Result<Option<Recompiler>, EngineError> {
    match config.backend {
        Backend::Interpreter => Ok(None),
        // What executes nothing is not made: it installs a signal handler.
        Backend::Auto
            if config.charge == Charge::Block && Backend::Recompiler.runs_in(config.window_kind) =>
        {
            Ok(Recompiler::new().ok())
        }
        Backend::Auto => Ok(None),
        Backend::Recompiler | Backend::Verify => {
            if !config.backend.runs_in(config.window_kind) {
                return Err(EngineError::NoRecompiler { reason: "portable windows have no guard pages" });
            }
            Recompiler::new().map(Some).map_err(|reason| EngineError::NoRecompiler { reason })
        }
    }
}

impl Inner {
    /// Native code of a program, if it is to be executed. Gas for single instructions is left to the interpreter.
    pub(crate) fn recompile(&self, code: &Code, blocks: &[u64]) -> Result<Option<Compiled>, HostError> {
        match &self.recompiler {
            Some(recompiler) if self.config.charge == Charge::Block => {
                match recompiler.compile(code, blocks, self.config.gas_model) {
                    // Nobody has asked for native code.
                    Err(_) if self.config.backend == Backend::Auto => Ok(None),
                    result => result,
                }
            }
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_without_sense_are_refused() {
        assert_eq!(
            Engine::new(Config::default().memory_limit(4095)).unwrap_err(),
            EngineError::MemoryLimit { limit: 4095 }
        );
        assert_eq!(Engine::new(Config::default().window_limit(0)).unwrap_err(), EngineError::NoWindows);
        let message = |config| Engine::new(config).unwrap_err().to_string();
        assert_eq!(
            message(Config::default().charge(Charge::Instruction)),
            "gas cannot be charged by the instruction under the model pipeline-l2: only under flat"
        );
        assert_eq!(
            message(Config::default().latest64(InstructionSet::JamV1)),
            "version byte 2 cannot mean jam-v1: it is latest64-bitmask or latest64-extended"
        );
        let portable = Config::default().window_kind(crate::memory::WindowKind::Portable);
        assert_eq!(
            message(portable.backend(Backend::Recompiler)),
            "the recompiler is not available: portable windows have no guard pages"
        );
        assert!(Engine::new(portable.backend(Backend::Auto)).is_ok());
        assert!(Engine::new(Config::default().memory_limit(4096).window_limit(1)).is_ok());
    }

    #[test]
    fn auto_is_the_recompiler_where_it_is_available_and_the_interpreter_elsewhere() {
        use crate::{Exit, InstructionSet};

        let program = Program::from_raw(&[0, 0, 2, 10, 0, 3], InstructionSet::JamV1).unwrap();
        let auto = Engine::new(Config::default().backend(Backend::Auto)).unwrap();
        let module = auto.compile_program(program).unwrap();
        let mut instance = module.instantiate();
        instance.set_pc(crate::ProgramCounter(0));
        instance.set_gas(1000);
        assert_eq!(instance.run(), Ok(Exit::Syscall(0)));
        let is_absent = cfg!(any(miri, hatchery_no_native_code))
            || !cfg!(all(target_os = "linux", target_arch = "x86_64"));
        assert_eq!(module.inner.native.is_none(), is_absent);
        for backend in [Backend::Recompiler, Backend::Verify] {
            let asked = Engine::new(Config::default().backend(backend)).map(|_| ());
            let said = asked.map_err(|error| error.to_string());
            let missing = "the recompiler is not available: it makes code for x86-64 on Linux".to_owned();
            assert_eq!(said, if is_absent { Err(missing) } else { Ok(()) });
        }
    }

    #[test]
    fn idle_instances_lose_their_windows_to_those_that_run() {
        use crate::memory::WindowKind;
        use crate::{Exit, InstructionSet};

        // Jump table, code and bitmask of `ecalli 0`, `trap`.
        let program = Program::from_raw(&[0, 0, 2, 10, 0, 3], InstructionSet::JamV1).unwrap();
        for &kind in WindowKind::ALL {
            let engine = Engine::new(Config::default().window_limit(3).window_kind(kind)).unwrap();
            let module = engine.compile_program(program.clone()).unwrap();
            let mut instances: Vec<_> = (0..20).map(|_| module.instantiate()).collect();
            assert_eq!(engine.inner.pool.windows(), (0, 0), "an instance that does not run has none");
            for _ in 0..3 {
                for instance in &mut instances {
                    instance.set_pc(crate::ProgramCounter(0));
                    instance.set_gas(1000);
                    assert_eq!(instance.run(), Ok(Exit::Syscall(0)));
                }
            }
            assert_eq!(engine.inner.pool.windows(), (3, 0));
            drop(instances);
            assert_eq!(engine.inner.pool.windows(), (3, 3));
        }
    }
}
