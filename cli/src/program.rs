//! From a file to a compiled program.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use hatchery_engine::program::{Program, ProgramError};
use hatchery_engine::{Config, Engine, InstructionSet, Module};
use serde::Serialize;

use crate::args::ProgramArguments;
use crate::error::Error;
use crate::file;

/// A program file and what was compiled from it.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// The file.
    pub(crate) bytes: Vec<u8>,
    /// Its format.
    pub(crate) format: Format,
    /// Whether the instruction set was found by trying, because neither the file nor the user says which it is.
    pub(crate) guessed: bool,
    /// The program.
    pub(crate) module: Module,
}

/// A format of program files.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Format {
    /// The PolkaVM container
    Polkavm,
    /// Jump table, code and bitmask
    Raw,
    /// Data, then a raw program
    Standard,
}

impl Format {
    /// What it is called.
    pub(crate) fn description(self) -> &'static str {
        match self {
            Self::Polkavm => "PolkaVM container",
            Self::Raw => "raw JAM program",
            Self::Standard => "JAM standard program",
        }
    }
}

impl Loaded {
    /// The name of the file without its folder.
    pub(crate) fn name(&self) -> String {
        self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy().into_owned()
    }

    /// The same program, compiled by another engine.
    pub(crate) fn compile_again(&self, engine: &Engine) -> Result<Module, Error> {
        let set = self.module.instruction_set();
        let (program, _) = decode(&self.path, &self.bytes, Some(self.format), Some(set))?;
        let compiled = engine.compile_program(program);
        compiled.map_err(|source| Error::Compile { path: self.path.clone(), source })
    }
}

/// Reads and compiles a program. The gas model is taken from the arguments, everything else from `config`.
pub(crate) fn load(arguments: &ProgramArguments, config: Config) -> Result<Loaded, Error> {
    let ProgramArguments { program: path, format, isa, gas_model } = arguments;
    let engine = Engine::new(config.gas_model(*gas_model))?;
    let bytes = file::read(path)?;
    let (program, format) = decode(path, &bytes, *format, *isa)?;
    let module =
        engine.compile_program(program).map_err(|source| Error::Compile { path: path.clone(), source })?;
    let guessed = isa.is_none() && is_latest64(module.instruction_set());
    Ok(Loaded { path: path.clone(), bytes, format, guessed, module })
}

fn decode(
    path: &Path,
    bytes: &[u8],
    format: Option<Format>,
    isa: Option<InstructionSet>,
) -> Result<(Program, Format), Error> {
    let refused = |source, help: Option<&str>| Error::Program {
        path: path.to_owned(),
        source,
        help: help.map(str::to_owned),
    };
    // A raw program never begins like a container: it would have jump table entries of 86 bytes. A standard program would
    // have 5 MiB of read-only data.
    let is_container = match format {
        Some(format) => format == Format::Polkavm,
        None => bytes.starts_with(b"PVM\0"),
    };
    if is_container {
        let program = container(bytes, isa).map_err(|error| refused(error, None))?;
        let container = program.code.instruction_set();
        return match isa {
            Some(wanted) if wanted != container => {
                Err(Error::OtherInstructionSet { path: path.to_owned(), container, wanted })
            }
            _ => Ok((program, Format::Polkavm)),
        };
    }
    let isa = match (isa, format) {
        (Some(isa), _) => isa,
        (None, Some(format)) => {
            return Err(Error::WhichInstructionSet { path: path.to_owned(), format: format.description() });
        }
        (None, None) => {
            let help = "a JAM program does not say what its instructions mean: name the set with --isa";
            return Err(refused(ProgramError::Magic, Some(help)));
        }
    };
    let raw = || Program::from_raw(bytes, isa).map(|program| (program, Format::Raw));
    let standard = || Program::from_standard(bytes, isa).map(|program| (program, Format::Standard));
    match format {
        Some(Format::Standard) => standard().map_err(|error| refused(error, None)),
        Some(_) => raw().map_err(|error| refused(error, None)),
        // Both say how long each of their parts is.
        None => raw().or_else(|error| {
            let help = "it is no JAM standard program either: see --format for why";
            standard().map_err(|_| refused(error, Some(help)))
        }),
    }
}

/// A container. Which Latest64 a version byte 2 means is tried if it is not said: the encoding with a bitmask checks the length
/// of each of its parts, which code without a bitmask does not satisfy by chance.
fn container(bytes: &[u8], isa: Option<InstructionSet>) -> Result<Program, ProgramError> {
    use InstructionSet::{Latest64Bitmask, Latest64Extended};
    match isa {
        Some(set) if is_latest64(set) => Program::from_polkavm(bytes, set),
        _ => Program::from_polkavm(bytes, Latest64Bitmask)
            .or_else(|error| Program::from_polkavm(bytes, Latest64Extended).map_err(|_| error)),
    }
}

fn is_latest64(set: InstructionSet) -> bool {
    matches!(set, InstructionSet::Latest64Bitmask | InstructionSet::Latest64Extended)
}
