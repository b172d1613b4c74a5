//! What vectors are run on: the engine itself, or the engine behind libpvm's functions.

use hatchery_engine::program::Program;
use hatchery_engine::{
    Backend, Config, Engine, EngineError, Exit, GasModel, Instance, InstructionSet, Permission,
    ProgramCounter, Reg,
};
use pvm::constants::*;
use pvm::safe;

use super::schema::BlockCost;

/// What makes subjects of programs.
#[derive(Debug)]
pub(super) enum Maker {
    Engine(Engine, InstructionSet),
    Library(pvm::config::Config),
}

/// A program to be executed.
pub(super) enum Subject {
    Engine(Box<Instance>),
    Library(safe::Machine),
}

/// Why it stopped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Stop {
    Halt,
    /// Why.
    Panic(String),
    Ecalli(u32),
    OutOfGas,
    /// The start of the page.
    PageFault(u32),
    /// Something that no vector expects.
    Other(String),
}

impl Maker {
    pub(super) fn engine(config: Config, set: InstructionSet) -> Result<Self, EngineError> {
        Ok(Self::Engine(Engine::new(config.faults_to_host(true))?, set))
    }

    /// The library with the same settings.
    pub(super) fn library(model: GasModel, backend: Backend, set: InstructionSet) -> Result<Self, String> {
        let mut config = safe::configuration(PVM_PROFILE_GRAY_PAPER_0_8).map_err(|failure| failure.text)?;
        config.instruction_set = set as u32;
        let model_number = GasModel::NAMED.iter().position(|(_, named)| *named == model);
        config.gas_model = model_number.ok_or("the library does not know this gas model")? as u32;
        config.backend = match backend {
            Backend::Auto => PVM_BACKEND_AUTO,
            Backend::Interpreter => PVM_BACKEND_INTERPRETER,
            Backend::Recompiler => PVM_BACKEND_RECOMPILER,
            Backend::Verify => PVM_BACKEND_VERIFY,
            other => return Err(format!("the library does not know the backend {}", other.name())),
        };
        Ok(Self::Library(config))
    }

    /// A subject that executes a raw program, and the costs of the program's blocks.
    pub(super) fn make(&self, program: &[u8]) -> Result<(Subject, Vec<BlockCost>), String> {
        match self {
            Self::Engine(engine, set) => {
                let program = Program::from_raw(program, *set).map_err(|error| error.to_string())?;
                let module = engine.compile_program(program).map_err(|error| error.to_string())?;
                let costs = module.blocks().map(|block| BlockCost { pc: block.pc.0, cost: block.cost });
                Ok((Subject::Engine(Box::new(module.instantiate())), costs.collect()))
            }
            Self::Library(config) => {
                let program = safe::Program::from_raw(config, program).map_err(|failure| failure.text)?;
                let costs = program.blocks().into_iter();
                let costs = costs.map(|block| BlockCost { pc: block.pc, cost: block.cost }).collect();
                let machine = program.instantiate().map_err(|failure| failure.text)?;
                Ok((Subject::Library(machine), costs))
            }
        }
    }
}

impl Subject {
    pub(super) fn set_gas(&mut self, gas: i64) -> Result<(), String> {
        match self {
            Self::Engine(instance) => instance.set_gas(gas),
            Self::Library(machine) => {
                let gas = u64::try_from(gas).map_err(|_| format!("the library knows no gas of {gas}"))?;
                machine.set_gas(gas).map_err(|failure| failure.text)?;
            }
        }
        Ok(())
    }

    pub(super) fn set_pc(&mut self, pc: u32) -> Result<(), String> {
        match self {
            Self::Engine(instance) => {
                instance.set_pc(ProgramCounter(pc));
                Ok(())
            }
            Self::Library(machine) => machine.set_pc(pc).map_err(|failure| failure.text),
        }
    }

    pub(super) fn set_reg(&mut self, reg: Reg, value: u64) -> Result<(), String> {
        match self {
            Self::Engine(instance) => {
                instance.set_reg(reg, value);
                Ok(())
            }
            Self::Library(machine) => machine.set_register(reg as u8, value).map_err(|failure| failure.text),
        }
    }

    pub(super) fn run(&mut self) -> Result<Stop, String> {
        match self {
            Self::Engine(instance) => Ok(match instance.run().map_err(|error| error.to_string())? {
                Exit::Finished => Stop::Halt,
                Exit::Trap(trap) => Stop::Panic(trap.to_string()),
                Exit::Syscall(number) => Stop::Ecalli(number),
                Exit::OutOfGas => Stop::OutOfGas,
                Exit::PageFault(fault) => Stop::PageFault(fault.page_address),
                Exit::Paused => Stop::Other("paused".into()),
            }),
            Self::Library(machine) => {
                let result = machine.resume().map_err(|failure| failure.text)?;
                let exit = machine.exit().map_err(|failure| failure.text)?;
                Ok(match result {
                    PVM_RESULT_OK => Stop::Halt,
                    PVM_RESULT_PANIC => Stop::Panic(format!("reason {} at pc {:#x}", exit.trap, exit.pc)),
                    PVM_RESULT_HOST_CALL => Stop::Ecalli(exit.host_call),
                    PVM_RESULT_OOG => Stop::OutOfGas,
                    PVM_RESULT_FAULT => Stop::PageFault(exit.page_address),
                    other => Stop::Other(format!("result {other}")),
                })
            }
        }
    }

    pub(super) fn protect(
        &mut self,
        address: u32,
        length: u64,
        permission: Permission,
    ) -> Result<(), String> {
        match self {
            Self::Engine(instance) => {
                let done = instance.memory_mut().protect(address, length, permission);
                done.map_err(|error| error.to_string())
            }
            Self::Library(machine) => {
                machine.map(address, length, permission as u32).map_err(|failure| failure.text)
            }
        }
    }

    pub(super) fn write(&mut self, address: u32, bytes: &[u8]) -> Result<(), String> {
        match self {
            Self::Engine(instance) => {
                instance.memory_mut().write(address, bytes).map_err(|error| error.to_string())
            }
            Self::Library(machine) => machine.write(address, bytes).map_err(|failure| failure.text),
        }
    }

    pub(super) fn read(&mut self, address: u32, buffer: &mut [u8]) -> Result<(), String> {
        match self {
            Self::Engine(instance) => {
                instance.memory().read(address, buffer).map_err(|error| error.to_string())
            }
            Self::Library(machine) => machine.read(address, buffer).map_err(|failure| failure.text),
        }
    }

    pub(super) fn gas(&mut self) -> i64 {
        match self {
            Self::Engine(instance) => instance.gas(),
            Self::Library(machine) => i64::try_from(machine.gas()).unwrap_or(i64::MAX),
        }
    }

    pub(super) fn pc(&mut self) -> Result<u32, String> {
        match self {
            Self::Engine(instance) => Ok(instance.pc().0),
            Self::Library(machine) => machine.exit().map(|exit| exit.pc).map_err(|failure| failure.text),
        }
    }

    pub(super) fn reg(&mut self, reg: Reg) -> u64 {
        match self {
            Self::Engine(instance) => instance.reg(reg),
            Self::Library(machine) => machine.register(reg as u8),
        }
    }
}
