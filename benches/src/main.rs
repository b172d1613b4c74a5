//! Measures Hatchery beside its peers. `cargo xtask bench` builds what this needs and runs it.

mod engines;
mod goals;
mod host;
mod machine;
mod measure;
mod processes;
mod programs;
mod report;
mod results;
mod rows;

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};
use measure::Plan;
use results::{About, Results, Section};
use rows::Run;
use std::path::{Path, PathBuf};
use std::{fs, process::ExitCode};

/// Measures Hatchery beside its peers.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Task>,
    /// Only rows whose names contain this.
    #[arg(long)]
    filter: Option<String>,
    /// Fewer and shorter samples.
    #[arg(long)]
    quick: bool,
    /// Print the results as JSON instead of tables.
    #[arg(long)]
    json: bool,
    /// Write the results, charts and BENCHMARKS.md where they are committed.
    #[arg(long, conflicts_with = "filter")]
    record: bool,
    /// What is to be known about this run, for example about the machine.
    #[arg(long)]
    remark: Option<String>,
    /// The command as it was typed.
    #[arg(long, default_value = "hatchery-benches")]
    command_line: String,
    /// The compiler of the programs.
    #[arg(long, default_value = "unknown")]
    programs_compiler: String,
    /// Where to leave the results as JSON in any case.
    #[arg(long)]
    save: Option<PathBuf>,
    /// A file with results of another benchmark to add: a section as JSON.
    #[arg(long)]
    add: Vec<PathBuf>,
    /// Prints how many bytes each of many instances of an engine takes.
    #[arg(long, hide = true)]
    many: Option<String>,
}

#[derive(Subcommand)]
enum Task {
    /// Write charts and BENCHMARKS.md anew, from the results that are committed.
    Render,
    /// Print the description of PolkaVM's target for rustc that the linker here wants.
    Target,
    /// Write a program as it is linked for PolkaVM, for the command `hatchery` to look at.
    Blob {
        /// Which.
        name: String,
        /// Where to.
        file: PathBuf,
    },
}

fn main() -> ExitCode {
    let outcome = run(&Arguments::parse());
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    match &arguments.command {
        Some(Task::Render) => return report::render(&recorded()?),
        Some(Task::Target) => {
            println!("{}", polkavm_linker::TARGET_JSON_64_BIT_NEW);
            return Ok(());
        }
        Some(Task::Blob { name, file }) => {
            let program = programs::Program::load(name)?;
            return fs::write(file, program.polkavm).with_context(|| file.display().to_string());
        }
        None => {}
    }
    let plan = if arguments.quick { Plan::QUICK } else { Plan::FULL };
    let run = Run::new(plan, arguments.filter.clone(), arguments.many.as_deref());
    if let Some(id) = &arguments.many {
        println!("{}", rows::many::measure(&run, id)?);
        return Ok(());
    }
    if arguments.json {
        report::table::be_quiet();
    }
    for (engine, why) in run.missing() {
        eprintln!("without {engine}: {why}");
    }
    let results = measure(&run, arguments)?;
    if let Some(file) = &arguments.save {
        fs::write(file, serde_json::to_string_pretty(&results)?)
            .with_context(|| file.display().to_string())?;
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&results)?);
    } else {
        report::table::print(&results);
    }
    if arguments.record {
        report::record(&results)?;
    }
    Ok(())
}

fn measure(run: &Run, arguments: &Arguments) -> Result<Results> {
    let load = machine::load();
    let mut sections = rows::measure(run)?;
    for file in &arguments.add {
        let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
        sections.push(serde_json::from_str::<Section>(&text).with_context(|| file.display().to_string())?);
    }
    ensure!(!sections.is_empty(), "no row has a name with `{}`", arguments.filter.as_deref().unwrap_or(""));
    let about = About {
        processor: machine::processor(),
        processors: std::thread::available_parallelism().map_or(1, usize::from),
        system: machine::system(),
        load: [load, machine::load()],
        commit: machine::commit(),
        date: machine::date(),
        command: arguments.command_line.clone(),
        compilers: [machine::compiler(), arguments.programs_compiler.clone()],
        samples: run.plan.rounds,
        sample_milliseconds: run.plan.sample.as_millis() as u64,
        remark: arguments.remark.clone(),
    };
    Ok(Results { about, engines: run.descriptions(), sections })
}

/// The results that are committed.
fn recorded() -> Result<Results> {
    let file = results_folder().join(report::RESULTS);
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("in {}", file.display()))
}

/// Where results are committed.
fn results_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("results")
}
