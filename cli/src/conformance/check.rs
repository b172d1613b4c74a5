//! Takes the steps of a vector and compares.

use std::collections::BTreeMap;
use std::fmt::Debug;

use hatchery_engine::memory::PAGE_SIZE;
use hatchery_engine::{Backend, Config, EngineError, GasModel, InstructionSet, Permission, Reg};

use super::schema::{Assert, BlockCost, Case, CaseError, Chunk, Status, Step};
use super::subject::{Maker, Stop, Subject};

/// Runs vectors on an engine.
#[derive(Debug)]
pub struct Checker {
    maker: Maker,
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
        Ok(Self { maker: Maker::engine(config, set)? })
    }

    /// Runs vectors through the functions of libpvm.
    ///
    /// # Errors
    /// If the library does not know one of these settings.
    pub fn via_capi(model: GasModel, backend: Backend, set: InstructionSet) -> Result<Self, String> {
        Ok(Self { maker: Maker::library(model, backend, set)? })
    }

    /// Whether the engine does what a vector expects.
    ///
    /// # Errors
    /// If it does not: the first difference.
    pub fn check(&self, case: &Case) -> Result<(), Failure> {
        let (subject, costs) =
            self.maker.make(&case.program).map_err(|error| Failure::new("program", "a program", &error))?;
        check_block_costs(&costs, case)?;

        let mut run = Run { subject, stop: None };
        let impossible = |error: String| Failure::new("initial state", "one that is possible", &error);
        run.subject.set_gas(case.initial_gas).map_err(impossible)?;
        run.subject.set_pc(case.initial_pc).map_err(impossible)?;
        for (index, step) in case.steps.iter().enumerate() {
            run.take(step).map_err(|failure| Failure {
                step: case.first_listed.and_then(|first| index.checked_sub(first)),
                ..failure
            })?;
        }
        Ok(())
    }
}

fn check_block_costs(found: &[BlockCost], case: &Case) -> Result<(), Failure> {
    if case.block_costs.is_empty() {
        // Nothing else is checked then, so that it must be true that there are none.
        let unlisted = case.steps.is_empty().then(|| found.first()).flatten();
        return unlisted.map_or(Ok(()), |block| {
            let found = format!("{} at {}", block.cost, block.pc);
            Err(Failure::new("costs of blocks", "none, and no steps", &found))
        });
    }
    let costs: BTreeMap<u32, u32> = found.iter().map(|block| (block.pc, block.cost)).collect();
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
    subject: Subject,
    /// Why the last run stopped.
    stop: Option<Stop>,
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
                let done = self.subject.set_reg(Reg::new(*reg).ok_or_else(unknown)?, *value);
                done.map_err(|error| Failure::new("set-reg", "a register", &error))
            }
            Step::Run {} => {
                let stop = self.subject.run();
                self.stop = Some(stop.map_err(|error| Failure::new("run", "a run", &error))?);
                Ok(())
            }
            Step::Assert(expected) => self.compare(expected),
        }
    }

    fn protect(&mut self, address: u32, length: u64, permission: Permission) -> Result<(), Failure> {
        let done = self.subject.protect(address, length, permission);
        done.map_err(|error| Failure::new("map", "pages", &error))
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
        if self.subject.write(address, bytes).is_ok() {
            return Ok(());
        }
        let inaccessible = |error: String| Failure::new("write", "accessible memory", &error);
        self.subject.read(address, &mut [0]).map_err(inaccessible)?;
        let page = address / PAGE_SIZE * PAGE_SIZE;
        self.protect(page, PAGE_SIZE.into(), Permission::ReadWrite)?;
        self.subject.write(address, bytes).map_err(inaccessible)?;
        self.protect(page, PAGE_SIZE.into(), Permission::Read)
    }

    /// Compares field by field in the order in which a difference tells most.
    fn compare(&mut self, expected: &Assert) -> Result<(), Failure> {
        let stop = self.stop.clone();
        let stop = stop.ok_or_else(|| Failure::new("assert", "a run before it", "there was none"))?;
        let Some(status) = status_of(&stop) else {
            return Err(Failure::new("status", &expected.status.to_string(), &format!("{stop:?}")));
        };
        if status != expected.status {
            let actual = match stop {
                Stop::Panic(why) => format!("{status}: {why}"),
                _ => status.to_string(),
            };
            return Err(Failure::new("status", &expected.status.to_string(), &actual));
        }
        match (stop, expected.hostcall, expected.page_fault_address) {
            (Stop::Ecalli(number), Some(expected), _) => compare(|| "hostcall".into(), &expected, &number)?,
            (Stop::PageFault(page), _, Some(expected)) => {
                compare(|| "page-fault-address".into(), &expected, &page)?;
            }
            _ => {}
        }
        compare(|| "gas".into(), &expected.gas, &self.subject.gas())?;
        let pc = self.subject.pc().map_err(|error| Failure::new("pc", "one", &error))?;
        compare(|| "pc".into(), &expected.pc, &pc)?;
        for (reg, value) in Reg::ALL.into_iter().zip(expected.regs) {
            let actual = self.subject.reg(reg);
            let show = |value: u64| format!("{value} ({value:#x})");
            if actual != value {
                let field = format!("register {reg} (number {})", reg as u8);
                return Err(Failure::new(&field, &show(value), &show(actual)));
            }
        }
        expected.memory.iter().try_for_each(|chunk| self.compare_memory(chunk))
    }

    fn compare_memory(&mut self, chunk: &Chunk) -> Result<(), Failure> {
        let mut bytes = vec![0; chunk.contents.len()];
        let read = self.subject.read(chunk.address, &mut bytes);
        read.map_err(|error| Failure::new("memory", "accessible memory", &error))?;
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

fn status_of(stop: &Stop) -> Option<Status> {
    match stop {
        Stop::Halt => Some(Status::Halt),
        Stop::Panic(_) => Some(Status::Panic),
        Stop::Ecalli(_) => Some(Status::Ecalli),
        Stop::OutOfGas => Some(Status::OutOfGas),
        Stop::PageFault(_) => Some(Status::PageFault),
        Stop::Other(_) => None,
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
