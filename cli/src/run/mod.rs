//! `hatchery run`: runs an export, answers its calls, and says how it ended.

mod entry;
mod trap;

use std::io::{self, Write};
use std::time::{Duration, Instant};

use hatchery_engine::isa::Opcode;
use hatchery_engine::{Config, Exit, GasModel, Instance, Module, ProgramCounter, Reg};

use crate::args::RunArguments;
use crate::error::Error;
use crate::program::{Loaded, load};
use crate::status::Status;
use crate::symbols::Symbols;
use crate::syscalls::{SyscallError, Syscalls};
use crate::text;

/// Gas for a program whose gas is not limited.
const UNLIMITED: i64 = i64::MAX;

/// Runs `hatchery run`. The program's output goes to `out`, all else to standard error.
pub(crate) fn run(arguments: &RunArguments, out: &mut dyn Write) -> Result<Status, Error> {
    let mut config = Config::default().backend(arguments.backend.backend);
    if let Some(bytes) = arguments.memory_limit {
        config = config.memory_limit(bytes);
    }
    let loaded = load(&arguments.program, config)?;
    let mut instance = loaded.module.instantiate();
    let entry = entry::prepare(&loaded, arguments, &mut instance)?;
    let gas = arguments.gas.unwrap_or(UNLIMITED);
    instance.set_gas(gas);

    let mut stdin = io::stdin().lock();
    let mut stderr = io::stderr().lock();
    let input = arguments.stdin.then_some(&mut stdin as &mut dyn io::Read);
    let syscalls = Syscalls::new(input, out, &mut stderr, arguments.strict_syscalls);
    let (end, time) = execute(&mut instance, syscalls)?;

    let used = gas - instance.gas();
    let mut report = end.describe(&loaded, &instance);
    let model = loaded.module.engine().config().gas();
    report += &format!("gas: {used} used ({model})");
    if arguments.gas.is_some() {
        report += &format!(", {} left", instance.gas());
    }
    report += &format!("\n{}\n", speed(&end, used, time, &loaded.module, entry));
    stderr.write_all(report.as_bytes())?;
    Ok(end.status())
}

/// How a run ended.
enum End {
    Finished,
    OutOfGas,
    Trapped(trap::Cause),
    UnknownSyscall(SyscallError),
}

/// Runs to the end. Gives also the time that the program took, without that of its host.
fn execute(instance: &mut Instance, mut syscalls: Syscalls<'_>) -> Result<(End, Duration), Error> {
    let mut time = Duration::ZERO;
    let end = loop {
        let start = Instant::now();
        let exit = instance.run();
        time += start.elapsed();
        match exit? {
            Exit::Finished => break End::Finished,
            Exit::OutOfGas => break End::OutOfGas,
            Exit::Trap(trap) => break End::Trapped(trap::Cause::Trap(trap)),
            // Only with settings that are not used here.
            Exit::PageFault(fault) => break End::Trapped(trap::Cause::PageFault(fault)),
            Exit::Paused => {}
            Exit::Syscall(number) => match syscalls.answer(instance, number) {
                Ok(()) => {}
                Err(error @ SyscallError::Buffer { .. }) => break End::Trapped(trap::Cause::Syscall(error)),
                Err(error @ SyscallError::Unknown { .. }) => break End::UnknownSyscall(error),
                Err(SyscallError::Input(error)) => return Err(Error::Input(error)),
                Err(SyscallError::Output(error)) => return Err(Error::Output(error)),
            },
        }
    };
    syscalls.finish()?;
    Ok((end, time))
}

impl End {
    fn status(&self) -> Status {
        match self {
            Self::Finished => Status::Success,
            Self::OutOfGas => Status::OutOfGas,
            Self::Trapped(_) => Status::Trap,
            Self::UnknownSyscall(_) => Status::UnknownSyscall,
        }
    }

    /// Lines that say what happened and where.
    fn describe(&self, loaded: &Loaded, instance: &Instance) -> String {
        let place = || trap::place(&Symbols::new(loaded), instance);
        match self {
            Self::Finished => {
                let [a0, a1] = [Reg::A0, Reg::A1].map(|reg| instance.reg(reg));
                format!("finished: a0 = {a0} ({a0:#x}), a1 = {a1} ({a1:#x})\n")
            }
            Self::OutOfGas => format!("out of gas: more is needed to go on, see --gas\n{}", place()),
            Self::Trapped(cause) => format!("trap: {cause}\n{}{}", place(), trap::registers(instance)),
            Self::UnknownSyscall(error) => {
                format!("stopped: {error} (--strict-syscalls)\n{}{}", place(), trap::registers(instance))
            }
        }
    }
}

/// The time, and what was done in it: instructions if their number is known, otherwise gas.
fn speed(end: &End, gas: i64, time: Duration, module: &Module, entry: ProgramCounter) -> String {
    let gas = gas.unsigned_abs();
    let is_counted = counts_instructions(end, module, entry);
    let mut line = format!("time: {time:.1?}");
    if is_counted {
        line += &format!(", {}", text::count(gas, "instruction"));
    }
    if !time.is_zero() && gas > 0 {
        let unit = if is_counted { "instructions" } else { "gas" };
        line += &format!(", {}", text::rate(gas, time.as_secs_f64(), unit));
    }
    line
}

/// Whether the gas used is the number of instructions executed. It is if every instruction costs 1, which is not so of `memset`,
/// and every block that was paid for was executed whole: from its start, and not ended by a trap.
fn counts_instructions(end: &End, module: &Module, entry: ProgramCounter) -> bool {
    module.engine().config().gas() == GasModel::Flat
        && matches!(end, End::Finished)
        && module.blocks().any(|block| block.pc == entry)
        && !module.instructions().any(|i| i.instruction.is_some_and(|i| i.opcode == Opcode::Memset))
}
