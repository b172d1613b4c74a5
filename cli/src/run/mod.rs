//! `hatchery run`: runs an export, answers its calls, and says how it ended.

mod count;
mod entry;
mod processes;
mod timeline;
mod trap;

use std::io::{self, Write};
use std::time::{Duration, Instant};

use hatchery_engine::{Config, Exit, Instance, Reg};

use crate::args::RunArguments;
use crate::error::Error;
use crate::program::{Loaded, load};
use crate::status::Status;
use crate::symbols::Symbols;
use crate::syscalls::{SyscallError, Syscalls};
use crate::text;

use count::Counter;

/// Gas for a program whose gas is not limited.
const UNLIMITED: i64 = i64::MAX;

/// Runs `hatchery run`. The program's output goes to `out`, all else to standard error.
pub(crate) fn run(arguments: &RunArguments, out: &mut dyn Write) -> Result<Status, Error> {
    let mut config = Config::default().backend(arguments.backend.backend).charge(arguments.charge);
    if let Some(bytes) = arguments.memory_limit {
        config = config.memory_limit(bytes);
    }
    let loaded = load(&arguments.program, config)?;
    if arguments.processes {
        return processes::run(&loaded, arguments, out);
    }
    let mut instance = loaded.module.instantiate();
    let entry = entry::prepare(&loaded, arguments, &mut instance)?;
    let gas = arguments.gas.unwrap_or(UNLIMITED);
    instance.set_gas(gas);
    let config = *loaded.module.engine().config();
    let counter = match arguments.no_count {
        true => None,
        false => Some(Counter::new(&loaded, arguments, config, entry)?),
    };

    let mut stdin = io::stdin().lock();
    let mut stderr = io::stderr().lock();
    let input = arguments.stdin.then_some(&mut stdin as &mut dyn io::Read);
    let syscalls = Syscalls::new(input, out, &mut stderr, arguments.strict_syscalls);
    let (end, time, instructions) = execute(&mut instance, syscalls, counter)?;

    let used = gas - instance.gas();
    let mut report = end.describe(&loaded, &instance);
    let model = loaded.module.engine().config().gas();
    report += &format!("gas: {used} used ({model})");
    if arguments.gas.is_some() {
        report += &format!(", {} left", instance.gas());
    }
    report += &format!("\n{}\n", speed(used, instructions, time));
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

/// Runs to the end. Gives also the time that the program took, without that of its host, and how many instructions it executed,
/// if they could be counted.
fn execute(
    instance: &mut Instance,
    mut syscalls: Syscalls<'_>,
    mut counter: Option<Counter>,
) -> Result<(End, Duration, Option<u64>), Error> {
    let mut time = Duration::ZERO;
    let (end, exit) = loop {
        let start = Instant::now();
        let exit = instance.run();
        time += start.elapsed();
        let exit = exit?;
        if !counter.as_mut().map_or(Ok(true), |counter| counter.follow(exit))? {
            counter = None;
        }
        let end = match exit {
            Exit::Finished => End::Finished,
            Exit::OutOfGas => End::OutOfGas,
            Exit::Trap(trap) => End::Trapped(trap::Cause::Trap(trap)),
            // Only with settings that are not used here.
            Exit::PageFault(fault) => End::Trapped(trap::Cause::PageFault(fault)),
            Exit::Paused => continue,
            Exit::Syscall(number) => match syscalls.answer(instance, number) {
                Ok(written) => {
                    counter = counter.and_then(|counter| counter.mirror(instance, written));
                    continue;
                }
                Err(error @ SyscallError::Buffer { .. }) => End::Trapped(trap::Cause::Syscall(error)),
                Err(error @ SyscallError::Unknown { .. }) => End::UnknownSyscall(error),
                Err(SyscallError::Input(error)) => return Err(Error::Input(error)),
                Err(SyscallError::Output(error)) => return Err(Error::Output(error)),
            },
        };
        break (end, exit);
    };
    syscalls.finish()?;
    Ok((end, time, counter.map(|counter| counter.instructions(exit))))
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
fn speed(gas: i64, instructions: Option<u64>, time: Duration) -> String {
    let mut line = format!("time: {time:.1?}");
    if let Some(instructions) = instructions {
        line += &format!(", {}", text::count(instructions, "instruction"));
    }
    let (number, unit) = instructions.map_or((gas.unsigned_abs(), "gas"), |number| (number, "instructions"));
    if !time.is_zero() && number > 0 {
        line += &format!(", {}", text::rate(number, time.as_secs_f64(), unit));
    }
    line
}
