//! `hatchery run --processes`: a tree of processes, what became of each, and its schedule as a timeline.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use hatchery_engine::{Config, Engine, InstructionSet};
use hatchery_scheduler::{
    Blobs, Deadlock, Entry, Event, Limits, Program, RunMode, Scheduler, Status as Ended, Stop, Trace,
};

use super::{entry, timeline};
use crate::args::RunArguments;
use crate::error::Error;
use crate::program::{Format, Loaded};
use crate::status::Status;
use crate::syscalls::{SyscallError, Syscalls};
use crate::text;

/// The most events of a schedule that are kept.
const MOST_EVENTS: usize = 1 << 20;

/// Runs a program as the root of a tree.
pub(super) fn run(loaded: &Loaded, arguments: &RunArguments, out: &mut dyn Write) -> Result<Status, Error> {
    if loaded.format != Format::Polkavm {
        return Err(Error::NoProcesses { format: loaded.format.description() });
    }
    let mut tree = start(loaded, arguments)?;
    tree.set_trace(Some(Trace::new(MOST_EVENTS)));
    let limit = arguments.gas.map_or(u64::MAX, i64::unsigned_abs);

    let mut stdin = io::stdin().lock();
    let mut stderr = io::stderr().lock();
    let input = arguments.stdin.then_some(&mut stdin as &mut dyn io::Read);
    let mut syscalls = Syscalls::new(input, out, &mut stderr, arguments.strict_syscalls);
    let mut time = Duration::ZERO;
    let (stop, unanswered) = loop {
        let start = Instant::now();
        let stop = tree.run(RunMode::Limit(limit));
        time += start.elapsed();
        let stop = stop?;
        let (Stop::Syscall { number, .. }, Some(instance)) = (&stop, tree.current()) else {
            break (stop, None);
        };
        match syscalls.answer(instance, *number) {
            Ok(_) => {}
            Err(SyscallError::Input(error)) => return Err(Error::Input(error)),
            Err(SyscallError::Output(error)) => return Err(Error::Output(error)),
            Err(error) => break (stop, Some(error)),
        }
    };
    syscalls.finish()?;

    let trace = tree.set_trace(None).unwrap_or_else(|| Trace::new(0));
    let mut report = match &unanswered {
        None => end(&stop),
        Some(error) => {
            format!("stopped: {error}, called by process {}\n", tree.current_id().map_or(0, |id| id.0))
        }
    };
    report += &family(&trace);
    let _ = write!(report, "gas: {} used ({})", tree.gas_used(), loaded.module.engine().config().gas());
    if arguments.gas.is_some() {
        let _ = write!(report, ", {} left", limit.saturating_sub(tree.gas_used()));
    }
    let events = text::count(trace.count(), "event");
    let _ = writeln!(report, "\ntime: {time:.1?}, {events}, schedule {}", hexadecimal(&trace.hash()));
    if let Some(path) = &arguments.trace {
        write_timeline(path, &trace)?;
        if trace.count() > MOST_EVENTS as u64 {
            let _ = writeln!(report, "note: the timeline has the first {MOST_EVENTS} events only");
        }
    }
    stderr.write_all(report.as_bytes())?;
    Ok(status(&stop, unanswered.as_ref()))
}

/// A tree about to run what the user asks for.
fn start(loaded: &Loaded, arguments: &RunArguments) -> Result<Scheduler<Blobs>, Error> {
    let mut config: Config = *loaded.module.engine().config();
    let set = loaded.module.instruction_set();
    if matches!(set, InstructionSet::Latest64Bitmask | InstructionSet::Latest64Extended) {
        config = config.latest64(set);
    }
    let root = loaded.path.file_stem().unwrap_or_default().as_encoded_bytes();
    let mut programs = Blobs::new(Engine::new(config)?).with(root, loaded.bytes.clone());
    for (name, path) in &arguments.programs {
        let bytes = crate::file::read(path)?;
        programs = programs.with(name.as_bytes(), bytes);
    }
    let bytes = match &arguments.argument_file {
        Some(path) => crate::file::read(path)?,
        None => Vec::new(),
    };
    let program = Program::whole(root);
    let is_main = arguments.export.as_deref().is_none_or(|export| export == "main");
    if is_main && arguments.pc.is_none() && arguments.arguments.is_empty() {
        return Ok(Scheduler::new(programs, Limits::default(), &program, &bytes)?);
    }
    if !bytes.is_empty() {
        return Err(Error::BytesForMain);
    }
    let mut instance = loaded.module.instantiate();
    entry::prepare(loaded, arguments, &mut instance)?;
    Ok(Scheduler::adopt(programs, Limits::default(), &program, instance)?)
}

fn status(stop: &Stop, unanswered: Option<&SyscallError>) -> Status {
    match (stop, unanswered) {
        (_, Some(SyscallError::Unknown { .. })) => Status::UnknownSyscall,
        (_, Some(_)) => Status::Trap,
        (Stop::Ended(Ended::Exited(0)), None) => Status::Success,
        (Stop::Ended(Ended::Exited(_)), None) => Status::Failure,
        (Stop::Ended(Ended::BadImage(_)), None) => Status::BadProgram,
        (Stop::Deadlock(_), None) => Status::Deadlock,
        (Stop::OutOfGas, None) => Status::OutOfGas,
        _ => Status::Trap,
    }
}

/// How the tree ended.
fn end(stop: &Stop) -> String {
    match stop {
        Stop::Ended(Ended::Exited(code)) => format!("finished: the root exited with {code}\n"),
        Stop::Ended(status) => format!("{status}\n"),
        Stop::OutOfGas => "out of gas: more is needed to go on, see --gas\n".to_owned(),
        Stop::Deadlock(Deadlock { blocked }) => {
            let lines = blocked.iter().map(|(process, activity)| format!("  process {process} {activity}\n"));
            std::iter::once("deadlock: all processes wait for one another\n".to_owned())
                .chain(lines)
                .collect()
        }
        stop => format!("{stop}\n"),
    }
}

/// What is told about a process.
struct Line {
    name: String,
    gas: u64,
    end: Option<String>,
    children: Vec<u64>,
}

/// Who started whom, what each used and how it ended, as a drawing.
fn family(trace: &Trace) -> String {
    let mut lines = BTreeMap::<u64, Line>::new();
    for (Entry { process, event, .. }, slice) in trace.slices() {
        match event {
            Event::Started { parent, program } => {
                if let Some(parent) = parent.and_then(|parent| lines.get_mut(&parent.0)) {
                    parent.children.push(process.0);
                }
                let name = text::symbol(&program.identifier);
                lines.insert(process.0, Line { name, gas: 0, end: None, children: Vec::new() });
            }
            Event::Executed { program } => {
                if let Some(line) = lines.get_mut(&process.0) {
                    line.name += &format!(" > {}", text::symbol(&program.identifier));
                }
            }
            Event::Ended { status, detail } => {
                if let Some(line) = lines.get_mut(&process.0) {
                    let detail = detail.as_ref().map_or_else(String::new, |detail| format!(" ({detail})"));
                    line.end = Some(format!("{status}{detail}"));
                }
            }
            _ => {}
        }
        if let (Some(line), Some(slice)) = (lines.get_mut(&process.0), slice) {
            line.gas += slice.end - slice.start;
        }
    }
    let mut drawing = String::new();
    draw(&lines, 0, "", "", &mut drawing);
    drawing
}

fn draw(lines: &BTreeMap<u64, Line>, process: u64, first: &str, rest: &str, drawing: &mut String) {
    let Some(Line { name, gas, end, children }) = lines.get(&process) else { return };
    let end = end.as_deref().unwrap_or("had not ended");
    let _ = writeln!(drawing, "{first}process {process} {name}: {end}, {gas} gas");
    for (at, &child) in children.iter().enumerate() {
        let (branch, below) =
            if at + 1 == children.len() { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        // Started processes have larger ids, and there are never more than a few at a time; but each can be the child of the last.
        if drawing.len() < 1 << 20 {
            draw(lines, child, &format!("{rest}{branch}"), &format!("{rest}{below}"), drawing);
        }
    }
}

fn write_timeline(path: &Path, trace: &Trace) -> Result<(), Error> {
    let json = timeline::timeline(trace);
    std::fs::write(path, json).map_err(|source| Error::Write { path: path.to_owned(), source })
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
