//! The command line.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use hatchery_engine::{Backend, Charge, GasModel, InstructionSet};

use crate::cap::SlotArgument;
use crate::program::Format;
use crate::{number, status};

/// Runs, inspects and disassembles PolkaVM and JAM programs, and checks the engine against test vectors.
#[derive(Parser, Debug)]
#[command(name = "hatchery", version, after_help = status::HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    Run(RunArguments),
    Inspect(InspectArguments),
    Disasm(DisasmArguments),
    Conformance(ConformanceArguments),
    Cap(CapArguments),
}

/// Run an export of a program
///
/// The program's `print(pointer, length)` and `write(pointer, length)` go to standard output, `read(pointer, length)` reads
/// standard input if --stdin is given. Everything else (result, gas, time, traps) goes to standard error.
#[derive(Args, Debug)]
#[command(after_help = status::HELP, allow_negative_numbers = true)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    pub(crate) program: ProgramArguments,

    /// The export to run. Default: the only one, or `main`; JAM programs, which have none, start at the beginning of their
    /// code.
    #[arg(conflicts_with = "pc")]
    pub(crate) export: Option<String>,

    /// Start at this offset into the code instead of at an export.
    #[arg(long, value_name = "OFFSET", value_parser = number::code_offset)]
    pub(crate) pc: Option<u32>,

    /// An argument, up to nine: in a0 to a5 and t0 to t2. Decimal or 0x, and may be negative.
    #[arg(
        long = "arg",
        value_name = "N",
        value_parser = number::register_value,
        // What begins with `-0x` is no option either.
        allow_hyphen_values = true
    )]
    pub(crate) arguments: Vec<u64>,

    /// The arguments of a JAM standard program, or of a process: the bytes of this file, whose address is in a0 and whose number
    /// in a1.
    #[arg(long, value_name = "FILE", conflicts_with = "arguments")]
    pub(crate) argument_file: Option<PathBuf>,

    /// The gas it may use. Default: as much as it takes.
    #[arg(long, value_name = "N", value_parser = number::gas)]
    pub(crate) gas: Option<i64>,

    /// The most bytes of memory it may have, in whole pages.
    #[arg(long, value_name = "BYTES", value_parser = number::unsigned)]
    pub(crate) memory_limit: Option<u64>,

    #[command(flatten)]
    pub(crate) backend: BackendArgument,

    /// When gas is charged: for a whole block in advance, or for each instruction, which only the flat model has.
    #[arg(long, value_name = "WHEN", value_parser = charge(), default_value = "block")]
    pub(crate) charge: Charge,

    /// Do not count instructions. To count them the program is run a second time beside the one that is timed.
    #[arg(long)]
    pub(crate) no_count: bool,

    /// Let the program read standard input. Without this its input is empty.
    #[arg(long)]
    pub(crate) stdin: bool,

    /// Fail when the program calls the host by a symbol that is not known, instead of answering 0.
    #[arg(long)]
    pub(crate) strict_syscalls: bool,

    /// Let the program start processes. Then it is the root of a tree, which is printed at the end; other programs know it by the
    /// name of its file without the ending.
    #[arg(long)]
    pub(crate) processes: bool,

    /// A program that processes can start, and the name that they know it by. Any number of them.
    #[arg(long = "program", value_name = "NAME=FILE", value_parser = named_file, requires = "processes")]
    pub(crate) programs: Vec<(String, PathBuf)>,

    /// Write the schedule of the processes to this file, as a timeline for Perfetto or Chrome's trace viewer.
    #[arg(long, value_name = "FILE", requires = "processes")]
    pub(crate) trace: Option<PathBuf>,
}

/// Show what a program consists of
///
/// Sections, exports, imports, memory map, code, blocks and their gas.
#[derive(Args, Debug)]
pub(crate) struct InspectArguments {
    #[command(flatten)]
    pub(crate) program: ProgramArguments,

    /// List all blocks with their gas.
    #[arg(long)]
    pub(crate) blocks: bool,

    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Show the instructions of a program
///
/// One block after the other. A label `@1f:` is where a block starts to which jumps may go, at offset 0x1f of the code.
#[derive(Args, Debug)]
pub(crate) struct DisasmArguments {
    #[command(flatten)]
    pub(crate) program: ProgramArguments,

    /// Show what each block costs.
    #[arg(long)]
    pub(crate) gas: bool,

    /// Show, cycle by cycle, how the pipeline model arrives at what each block costs.
    #[arg(long)]
    pub(crate) pipeline: bool,

    /// Only the part of the code that begins at this offset.
    #[arg(long, value_name = "OFFSET", value_parser = number::code_offset)]
    pub(crate) at: Option<u32>,

    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Check the engine against test vectors
///
/// Runs every JSON file in a folder and its subfolders: one-shot cases (`initial-*`, `expected-*`), stepped ones (`steps`)
/// and block costs alone (`program`, `block-gas-costs`). The last line says how many passed and failed; the exit status is 1
/// if one failed or there was none.
#[derive(Args, Debug)]
pub(crate) struct ConformanceArguments {
    /// A folder of vectors, or one file.
    pub(crate) dir: PathBuf,

    /// The instruction set of the programs.
    #[arg(long, value_name = "SET", value_parser = instruction_set(), default_value = InstructionSet::JamV1.name())]
    pub(crate) isa: InstructionSet,

    /// What blocks cost. `-v037` is how polkavm 0.37 has it; `flat` is the same everywhere, so `flat-v037` means it too.
    #[arg(long, value_name = "MODEL", value_parser = gas_model(), default_value = GasModel::PIPELINE_L2.name())]
    pub(crate) gas_model: GasModel,

    #[command(flatten)]
    pub(crate) backend: BackendArgument,

    /// Go through the functions of libpvm, the C library.
    #[arg(long)]
    pub(crate) via_capi: bool,

    /// Only vectors whose name contains this.
    #[arg(long, value_name = "TEXT")]
    pub(crate) filter: Option<String>,
}

/// Work with capabilities: publish, invoke, resume and inspect
///
/// Capabilities are in a store on disk, by hash and, for people, by name. Calling an instance makes a new one, which has the name
/// then.
#[derive(Args, Debug)]
pub(crate) struct CapArguments {
    /// The folder of the store. It is made if it is not there.
    #[arg(long, value_name = "DIR", default_value = "capabilities.db")]
    pub(crate) store: PathBuf,

    #[command(subcommand)]
    pub(crate) command: CapCommand,
}

#[derive(Subcommand, Debug)]
pub(crate) enum CapCommand {
    Publish(PublishArguments),
    Invoke(InvokeArguments),
    Resume(ResumeArguments),
    Inspect(InspectCapArguments),
    /// Remove what no name, no file and no paused call leads to
    Collect,
}

/// Make an image of a program, and an instance of it
#[derive(Args, Debug)]
pub(crate) struct PublishArguments {
    /// A PolkaVM container of JAM's instruction set or, with --data, any file.
    pub(crate) file: PathBuf,

    /// What to call it.
    #[arg(long)]
    pub(crate) name: String,

    /// What the program does not say about its image, in TOML or JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest: Option<PathBuf>,

    /// What lies in a slot of the instance: SLOT=NAME, SLOT=HASH, SLOT=gas:METER:GAS, SLOT=quota:QUOTA:BYTES, or
    /// SLOT=catcher:ID:MARKER,.. where the marker `oog` means out of gas.
    #[arg(long = "slot", value_name = "SLOT=CAP")]
    pub(crate) slots: Vec<SlotArgument>,

    /// Publish the bytes of the file as data.
    #[arg(long, conflicts_with_all = ["manifest", "slots"])]
    pub(crate) data: bool,
}

/// Call an endpoint of an instance
#[derive(Args, Debug)]
#[command(allow_negative_numbers = true)]
pub(crate) struct InvokeArguments {
    /// The name or the hash of the instance.
    pub(crate) instance: String,

    /// The name or the number of the endpoint.
    pub(crate) endpoint: String,

    /// An argument, up to four.
    #[arg(long = "arg", value_name = "N", value_parser = number::register_value, allow_hyphen_values = true)]
    pub(crate) arguments: Vec<u64>,

    /// The gas it may use, unless its gas slots hold meters.
    #[arg(long, value_name = "N", value_parser = number::unsigned, default_value = "100000000")]
    pub(crate) gas: u64,

    /// What to put into its slot 0, by name or hash.
    #[arg(long, value_name = "CAP")]
    pub(crate) hand: Option<String>,

    /// Pause at yields of this marker that no instance catches: a name, a hash, or `oog` for out of gas.
    #[arg(long, value_name = "MARKER")]
    pub(crate) catch: Vec<String>,
}

/// Go on with the paused call
#[derive(Args, Debug)]
pub(crate) struct ResumeArguments {
    /// What to put into slot 0 of who yielded, by name or hash.
    #[arg(long, value_name = "CAP")]
    pub(crate) hand: Option<String>,

    /// Put data with this number in its first eight bytes into slot 0 of who yielded.
    #[arg(long, value_name = "N", value_parser = number::unsigned, conflicts_with = "hand")]
    pub(crate) number: Option<u64>,

    /// Gas to add to that of the call.
    #[arg(long, value_name = "N", value_parser = number::unsigned, default_value = "0")]
    pub(crate) gas: u64,

    /// Gas to add to a meter.
    #[arg(long = "meter", value_name = "METER:GAS", value_parser = meter)]
    pub(crate) meters: Vec<(u64, u64)>,

    /// Give the call up instead.
    #[arg(long, conflicts_with_all = ["hand", "number", "gas", "meters"])]
    pub(crate) drop: bool,
}

/// Show who holds what
#[derive(Args, Debug)]
pub(crate) struct InspectCapArguments {
    /// Only what is reached from this name or hash.
    pub(crate) name: Option<String>,

    /// Write the graph for Graphviz, too.
    #[arg(long, value_name = "FILE")]
    pub(crate) dot: Option<PathBuf>,

    /// Write a drawing of the graph, too.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
}

fn meter(text: &str) -> Result<(u64, u64), String> {
    let parts = text.split_once(':').and_then(|(meter, gas)| Some((meter.parse().ok()?, gas.parse().ok()?)));
    parts.ok_or_else(|| "write METER:GAS, such as 1:50000".to_owned())
}

/// A program and how to read it.
#[derive(Args, Debug)]
pub(crate) struct ProgramArguments {
    /// A PolkaVM container or, with --isa, a JAM program.
    pub(crate) program: PathBuf,

    /// The format of the file: a PolkaVM container, a raw JAM program (jump table, code, bitmask) or a JAM standard program
    /// (with data). Found out when this is missing.
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,

    /// The instruction set. A container names its own, but for the two encodings of Latest64, which are told apart by
    /// trying when this is missing.
    #[arg(long, value_name = "SET", value_parser = instruction_set())]
    pub(crate) isa: Option<InstructionSet>,

    /// What blocks cost. `-v037` is how polkavm 0.37 has it; `flat` is the same everywhere, so `flat-v037` means it too.
    #[arg(long, value_name = "MODEL", value_parser = gas_model(), default_value = GasModel::PIPELINE_L2.name())]
    pub(crate) gas_model: GasModel,
}

#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct BackendArgument {
    /// What executes the program: `auto` is the recompiler where there is one. Makes no difference but speed.
    #[arg(long, value_name = "BACKEND", value_parser = backend(), default_value = Backend::Auto.name())]
    pub(crate) backend: Backend,
}

fn named_file(argument: &str) -> Result<(String, PathBuf), String> {
    let (name, file) = argument.split_once('=').ok_or("a name, `=`, and a file are expected")?;
    Ok((name.to_owned(), file.into()))
}

fn instruction_set() -> impl TypedValueParser<Value = InstructionSet> {
    named(InstructionSet::ALL.map(|set| (set.name(), set)).to_vec())
}

fn gas_model() -> impl TypedValueParser<Value = GasModel> {
    let names = GasModel::NAMED.into_iter().map(|(name, model)| {
        let name = PossibleValue::new(name);
        // It has no pipeline, so all variants of it are the same.
        if model == GasModel::Flat { name.alias(FLAT_V037) } else { name }
    });
    PossibleValuesParser::new(names).try_map(|name| {
        let known = GasModel::NAMED.iter().find(|(known, _)| *known == name).map(|(_, model)| *model);
        known.or((name == FLAT_V037).then_some(GasModel::Flat)).ok_or("no such value")
    })
}

/// Another name of [`GasModel::Flat`].
const FLAT_V037: &str = "flat-v037";

fn charge() -> impl TypedValueParser<Value = Charge> {
    named(vec![("block", Charge::Block), ("instruction", Charge::Instruction)])
}

fn backend() -> impl TypedValueParser<Value = Backend> {
    let available = [&[Backend::Auto], Backend::AVAILABLE].concat();
    named(available.into_iter().map(|backend| (backend.name(), backend)).collect())
}

/// One of these values, by its name.
fn named<T: Copy + Send + Sync + 'static>(
    values: Vec<(&'static str, T)>,
) -> impl TypedValueParser<Value = T> {
    let names = PossibleValuesParser::new(values.iter().map(|(name, _)| *name));
    names.try_map(move |name| {
        values.iter().find(|(known, _)| *known == name).map(|(_, value)| *value).ok_or("no such value")
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_set_and_model_of_the_engine_can_be_named() {
        for set in InstructionSet::ALL {
            for (model, value) in GasModel::NAMED.into_iter().chain([(FLAT_V037, GasModel::Flat)]) {
                let line = ["hatchery", "conformance", ".", "--isa", set.name(), "--gas-model", model];
                let Command::Conformance(arguments) = Arguments::parse_from(line).command else {
                    panic!("another command")
                };
                assert_eq!((arguments.isa, arguments.gas_model), (set, value));
            }
        }
    }
}
