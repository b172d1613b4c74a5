//! Takes the steps of a vector and compares.

use std::collections::BTreeMap;
use std::fmt::Debug;

use hatchery_engine::memory::PAGE_SIZE;
use hatchery_engine::program::Program;
use hatchery_engine::{
    Config, Engine, EngineError, Exit, Instance, InstructionSet, Module, Permission, ProgramCounter, Reg,
};

use super::schema::{Assert, Case, CaseError, Chunk, Status, Step};

/// Runs vectors on an engine.
#[derive(Debug)]
pub struct Checker {
    engine: Engine,
    set: InstructionSet,
}

/// Where an engine and a vector first disagree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The step, counted from 0 in the vector's list, if it has one.
    pub step: Option<usize>,
    /// What is wrong, for example a register.
    pub field: String,
    /// What it should be.
    pub expected: String,
    /// What it is.
    pub actual: String,
}

impl From<CaseError> for Failure {
    fn from(error: CaseError) -> Self {
        Self::new("file", "a vector", &error.to_string())
    }
}

impl Failure {
    fn new(field: &str, expected: &str, actual: &str) -> Self {
        Self { step: None, field: field.to_owned(), expected: expected.to_owned(), actual: actual.to_owned() }
    }
}

impl Checker {
    /// Runs vectors for programs of `set` on an engine with these settings, which stops at page faults.
    ///
    /// # Errors
    /// If the settings make no sense.
    pub fn new(config: Config, set: InstructionSet) -> Result<Self, EngineError> {
        Ok(Self { engine: Engine::new(config.faults_to_host(true))?, set })
    }

    /// Whether the engine does what a vector expects.
    ///
    /// # Errors
    /// If it does not: the first difference.
    pub fn check(&self, case: &Case) -> Result<(), Failure> {
        let refused = |error: &dyn ToString| Failure::new("program", "a program", &error.to_string());
        let program = Program::from_raw(&case.program, self.set).map_err(|error| refused(&error))?;
        let module = self.engine.compile_program(program).map_err(|error| refused(&error))?;
        check_block_costs(&module, case)?;

        let mut run = Run { instance: module.instantiate(), exit: None };
        run.instance.set_gas(case.initial_gas);
        run.instance.set_pc(ProgramCounter(case.initial_pc));
        for (index, step) in case.steps.iter().enumerate() {
            run.take(step).map_err(|failure| Failure {
                step: case.first_listed.and_then(|first| index.checked_sub(first)),
                ..failure
            })?;
        }
        Ok(())
    }
}

fn check_block_costs(module: &Module, case: &Case) -> Result<(), Failure> {
    if case.block_costs.is_empty() {
        // Nothing else is checked then, so that it must be true that there are none.
        let unlisted = case.steps.is_empty().then(|| module.blocks().next()).flatten();
        return unlisted.map_or(Ok(()), |block| {
            let found = format!("{} at {}", block.cost, block.pc.0);
            Err(Failure::new("costs of blocks", "none, and no steps", &found))
        });
    }
    let costs: BTreeMap<u32, u32> = module.blocks().map(|block| (block.pc.0, block.cost)).collect();
    for block in &case.block_costs {
        let field = || format!("cost of the block at {}", block.pc);
        let Some(&cost) = costs.get(&block.pc) else {
            return Err(Failure::new(&field(), &block.cost.to_string(), "there is no such block"));
        };
        compare(field, &block.cost, &cost)?;
    }
    Ok(())
}

struct Run {
    instance: Instance,
    /// Why the last run stopped.
    exit: Option<Exit>,
}

impl Run {
    fn take(&mut self, step: &Step) -> Result<(), Failure> {
        match step {
            Step::Map { address, length, is_writable } => {
                let permission = if *is_writable { Permission::ReadWrite } else { Permission::Read };
                self.protect(*address, *length, permission)
            }
            Step::Write(chunk) => self.write(chunk),
            Step::SetReg { reg, value } => {
                let unknown = || Failure::new("set-reg", "a register from 0 to 12", &reg.to_string());
                self.instance.set_reg(Reg::new(*reg).ok_or_else(unknown)?, *value);
                Ok(())
            }
            Step::Run {} => {
                let exit = self.instance.run();
                self.exit = Some(exit.map_err(|error| Failure::new("run", "a run", &error.to_string()))?);
                Ok(())
            }
            Step::Assert(expected) => self.compare(expected),
        }
    }

    fn protect(&mut self, address: u32, length: u64, permission: Permission) -> Result<(), Failure> {
        let done = self.instance.memory_mut().protect(address, length, permission);
        done.map_err(|error| Failure::new("map", "pages", &error.to_string()))
    }

    /// Writes page by page, since a vector may write where its program may not.
    fn write(&mut self, chunk: &Chunk) -> Result<(), Failure> {
        let mut address = chunk.address;
        let mut rest = chunk.contents.as_slice();
        while !rest.is_empty() {
            let room = (PAGE_SIZE - address % PAGE_SIZE) as usize;
            let (part, behind) = rest.split_at(room.min(rest.len()));
            self.write_in_page(address, part)?;
            rest = behind;
            let next = address.checked_add(part.len() as u32);
            address = match next {
                Some(next) => next,
                None if rest.is_empty() => break,
                None => {
                    return Err(Failure::new("write", "accessible memory", "the end of the address space"));
                }
            };
        }
        Ok(())
    }

    fn write_in_page(&mut self, address: u32, bytes: &[u8]) -> Result<(), Failure> {
        let mut memory = self.instance.memory_mut();
        if memory.write(address, bytes).is_ok() {
            return Ok(());
        }
        let inaccessible =
            |error: &dyn ToString| Failure::new("write", "accessible memory", &error.to_string());
        memory.read(address, &mut [0]).map_err(|error| inaccessible(&error))?;
        let page = address / PAGE_SIZE * PAGE_SIZE;
        self.protect(page, PAGE_SIZE.into(), Permission::ReadWrite)?;
        self.instance.memory_mut().write(address, bytes).map_err(|error| inaccessible(&error))?;
        self.protect(page, PAGE_SIZE.into(), Permission::Read)
    }

    /// Compares field by field in the order in which a difference tells most.
    fn compare(&self, expected: &Assert) -> Result<(), Failure> {
        let exit = self.exit.ok_or_else(|| Failure::new("assert", "a run before it", "there was none"))?;
        let Some(status) = status_of(exit) else {
            return Err(Failure::new("status", &expected.status.to_string(), &format!("{exit:?}")));
        };
        if status != expected.status {
            let actual = match exit {
                Exit::Trap(trap) => format!("{status}: {trap}"),
                _ => status.to_string(),
            };
            return Err(Failure::new("status", &expected.status.to_string(), &actual));
        }
        match (exit, expected.hostcall, expected.page_fault_address) {
            (Exit::Syscall(number), Some(expected), _) => compare(|| "hostcall".into(), &expected, &number)?,
            (Exit::PageFault(fault), _, Some(expected)) => {
                compare(|| "page-fault-address".into(), &expected, &fault.page_address)?;
            }
            _ => {}
        }
        compare(|| "gas".into(), &expected.gas, &self.instance.gas())?;
        compare(|| "pc".into(), &expected.pc, &self.instance.pc().0)?;
        for (reg, value) in Reg::ALL.into_iter().zip(expected.regs) {
            let actual = self.instance.reg(reg);
            let show = |value: u64| format!("{value} ({value:#x})");
            if actual != value {
                let field = format!("register {reg} (number {})", reg as u8);
                return Err(Failure::new(&field, &show(value), &show(actual)));
            }
        }
        expected.memory.iter().try_for_each(|chunk| self.compare_memory(chunk))
    }

    fn compare_memory(&self, chunk: &Chunk) -> Result<(), Failure> {
        let mut bytes = vec![0; chunk.contents.len()];
        let read = self.instance.memory().read(chunk.address, &mut bytes);
        read.map_err(|error| Failure::new("memory", "accessible memory", &error.to_string()))?;
        let differs = chunk.contents.iter().zip(&bytes).position(|(expected, actual)| expected != actual);
        match differs {
            None => Ok(()),
            Some(at) => {
                let address = u64::from(chunk.address) + at as u64;
                compare(|| format!("memory at {address:#010x}"), &chunk.contents[at], &bytes[at])
            }
        }
    }
}

fn status_of(exit: Exit) -> Option<Status> {
    match exit {
        Exit::Finished => Some(Status::Halt),
        Exit::Trap(_) => Some(Status::Panic),
        Exit::Syscall(_) => Some(Status::Ecalli),
        Exit::OutOfGas => Some(Status::OutOfGas),
        Exit::PageFault(_) => Some(Status::PageFault),
        Exit::Paused => None,
    }
}

fn compare<T: PartialEq + Debug>(
    field: impl Fn() -> String,
    expected: &T,
    actual: &T,
) -> Result<(), Failure> {
    if expected == actual {
        return Ok(());
    }
    Err(Failure::new(&field(), &format!("{expected:?}"), &format!("{actual:?}")))
}
