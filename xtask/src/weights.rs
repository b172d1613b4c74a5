//! `cargo xtask weights`: measures the weights of `pallet-virtualization` and writes them into its sources.
//!
//! Validators choose what executes guests, so each number is the greatest that was measured with any of what they may choose.

use crate::progress::seconds;
use crate::setup::Toolchains;
use crate::{node, process, setup, workspace};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

/// The folder of the pallet.
const PALLET: &str = "node-template/pallets/virtualization";

/// What a validator may execute guests with.
const BACKENDS: &[&str] = if cfg!(all(target_arch = "x86_64", target_os = "linux")) {
    &["interpreter", "recompiler"]
} else {
    &["interpreter"]
};

/// What each benchmark begins with in what the template gives.
const MARK: &str = "    // Least time: ";

/// Options of `cargo xtask weights`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Values of each component.
    #[arg(long, default_value_t = 50)]
    steps: u32,

    /// Measurements of each value.
    #[arg(long, default_value_t = 20)]
    repeat: u32,

    /// Write to this file instead of the pallet's sources, for example to compare. It is this repository's node that is measured.
    #[arg(long)]
    output: Option<std::path::PathBuf>,

    /// Measure with the node that was built the last time.
    #[arg(long)]
    built: bool,
}

/// What was measured with one backend.
struct Measured {
    backend: &'static str,
    /// The source that the template gives.
    source: String,
}

/// Runs `cargo xtask weights`.
pub(crate) fn command(arguments: &Arguments) -> Result<ExitCode> {
    let started = Instant::now();
    let toolchains = setup::ensure()?;
    if !arguments.built {
        build(&toolchains)?;
    }
    let files = tempfile::tempdir().context("no temporary folder")?;
    let measured = BACKENDS
        .iter()
        .map(|backend| measure(backend, arguments, files.path()))
        .collect::<Result<Vec<_>>>()?;
    let output =
        arguments.output.clone().unwrap_or_else(|| workspace::root().join(PALLET).join("src/weights.rs"));
    fs::write(&output, dearest(&measured)?).with_context(|| format!("cannot write {}", output.display()))?;
    process::pass(rustfmt(&output))?;
    println!("\n{} is written ({})", output.display(), seconds(started.elapsed()));
    Ok(ExitCode::SUCCESS)
}

/// Builds the node as validators run it, with its benchmarks.
fn build(toolchains: &Toolchains) -> Result<()> {
    let mut cargo = process::cargo(None);
    cargo
        .current_dir(workspace::root())
        .args(["build", "--locked", "--release", "--package", "hatchery-node"])
        .args(["--features", "runtime-benchmarks"])
        .envs(toolchains.environment());
    process::pass(cargo)
}

fn measure(backend: &'static str, arguments: &Arguments, files: &Path) -> Result<Measured> {
    let source = files.join(format!("{backend}.rs"));
    let mut benchmark = Command::new(node::program("release"));
    benchmark
        .args(["benchmark", "pallet", "--chain=dev", "--pallet=pallet_virtualization", "--extrinsic=*"])
        .args([format!("--steps={}", arguments.steps), format!("--repeat={}", arguments.repeat)])
        .args(["--quiet", "--virt-backend", backend])
        .arg("--template")
        .arg(workspace::root().join(PALLET).join("weights.hbs"))
        .arg("--output")
        .arg(&source);
    println!();
    process::pass(benchmark)?;
    let source = fs::read_to_string(&source).with_context(|| format!("cannot read {}", source.display()))?;
    Ok(Measured { backend, source })
}

/// The source, with the greatest number that any backend has at each place: no backend takes longer than that, whatever the
/// components are.
fn dearest(measured: &[Measured]) -> Result<String> {
    let sources: Vec<Vec<&str>> = measured.iter().map(|measured| sections(&measured.source)).collect();
    let first = sources.first().context("nothing was measured")?;
    ensure!(sources.iter().all(|source| source.len() == first.len()), "the backends have other benchmarks");
    let mut dearest = String::new();
    for (index, section) in first.iter().enumerate() {
        let Some(name) = function(section) else {
            dearest.push_str(section);
            continue;
        };
        let mut lines: Vec<Line> = Vec::new();
        let mut times = Vec::new();
        for (one, source) in measured.iter().zip(&sources) {
            let section = source[index];
            ensure!(function(section) == Some(name), "{name} was not measured with the {}", one.backend);
            let (time, function) = section.split_once('\n').context("a section has no function")?;
            times.push(format!("{} ({})", time.trim_start_matches(MARK).trim_end_matches('.'), one.backend));
            merge(&mut lines, function);
        }
        dearest.push_str(&format!("    // At least: {}.\n", times.join(", ")));
        lines.iter().for_each(|line| dearest.push_str(&line.text()));
    }
    Ok(dearest)
}

/// A line of a function, and the numbers in it.
struct Line {
    /// What is around the numbers.
    around: Vec<String>,
    numbers: Vec<u128>,
}

/// Raises the numbers of a function's lines to those of the same function as another backend has it.
fn merge(lines: &mut Vec<Line>, other: &str) {
    let other = other.split_inclusive('\n').map(Line::of);
    if lines.is_empty() {
        lines.extend(other);
        return;
    }
    for (at, line) in other.enumerate() {
        if at == 0 {
            // A component that one of them does not depend on has an underscore there.
            let (ours, theirs) = (&mut lines[0].around, &line.around);
            let parameters = theirs.concat();
            for parameter in
                parameters.split([',', '(']).map(str::trim).filter(|parameter| parameter.contains(':'))
            {
                let unused = format!("_{parameter}");
                ours.iter_mut().for_each(|text| *text = text.replace(&unused, parameter));
            }
        } else if let Some(same) = lines.iter_mut().find(|ours| ours.is_same_as(&line)) {
            for (number, other) in same.numbers.iter_mut().zip(line.numbers) {
                *number = other.max(*number);
            }
        } else {
            // Before the brace, if there is one.
            let end =
                lines.iter().rposition(|line| line.around.concat().trim() == "}").unwrap_or(lines.len());
            lines.insert(end, line);
        }
    }
}

impl Line {
    fn of(text: &str) -> Self {
        let mut line = Self { around: vec![String::new()], numbers: Vec::new() };
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let in_word = line.around.last().is_some_and(|text| text.ends_with(char::is_alphanumeric));
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(rest.len());
            let digits = rest[..digits].trim_end_matches('_');
            match digits.replace('_', "").parse() {
                Ok(number) if first.is_ascii_digit() && !in_word => {
                    line.numbers.push(number);
                    line.around.push(String::new());
                    rest = &rest[digits.len()..];
                }
                _ => {
                    line.around.last_mut().expect("it has one from the start; qed").push(first);
                    rest = &rest[first.len_utf8()..];
                }
            }
        }
        line
    }

    /// Whether it is about the same. Time and proof for a component have lines of their own that differ in which number is zero;
    /// those of the function itself have one for both.
    fn is_same_as(&self, other: &Self) -> bool {
        let is_of_component = || self.around.iter().any(|text| text.contains("saturating_mul"));
        let zeros = |line: &Self| line.numbers.iter().map(|number| *number == 0).collect::<Vec<_>>();
        self.around == other.around && (!is_of_component() || zeros(self) == zeros(other))
    }

    fn text(&self) -> String {
        let numbers = self.numbers.iter().map(|number| underscored(*number)).chain([String::new()]);
        self.around.iter().zip(numbers).map(|(text, number)| text.clone() + &number).collect()
    }
}

/// For example 1_234_567.
fn underscored(number: u128) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('_');
        }
        text.push(digit);
    }
    text
}

/// The parts of a source: each function with its comment, and what is around them.
fn sections(source: &str) -> Vec<&str> {
    let mut sections = Vec::new();
    let mut start = 0;
    let mut at = 0;
    for line in source.split_inclusive('\n') {
        if (line.starts_with(MARK) || line.starts_with('}')) && at > start {
            sections.push(&source[start..at]);
            start = at;
        }
        at += line.len();
    }
    sections.push(&source[start..]);
    sections
}

/// The name of the function in a section that has one.
fn function(section: &str) -> Option<&str> {
    let (_, definition) = section.strip_prefix(MARK)?.split_once("fn ")?;
    definition.split('(').next().map(str::trim)
}

fn rustfmt(file: &Path) -> Command {
    let mut command = Command::new("rustfmt");
    command.args(["--edition", "2024"]).arg("--config-path").arg(workspace::root()).arg(file);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the template gives, in short.
    fn source(functions: &[&str]) -> String {
        let functions: String =
            functions.iter().map(|function| format!("{MARK}{} ns.\n{function}\n", function.len())).collect();
        format!("//! Head.\n\nimpl A {{\n{functions}}}\n\nimpl B {{\n{functions}}}\n")
    }

    const ONE: &str = "    fn first(a: u32, _b: u32, ) -> Weight {\n        Weight::from_parts(1_234_567, 8)\n            \
                       .saturating_add(Weight::from_parts(10, 0).saturating_mul(a.into()))\n            \
                       .saturating_add(T::DbWeight::get().reads((3_u64).saturating_mul(a.into())))\n    }\n";

    const TWO: &str = "    fn first(_a: u32, b: u32, ) -> Weight {\n        Weight::from_parts(234_567, 1_009)\n            \
                       .saturating_add(Weight::from_parts(2_000, 0).saturating_mul(b.into()))\n            \
                       .saturating_add(Weight::from_parts(0, 7).saturating_mul(a.into()))\n            \
                       .saturating_add(T::DbWeight::get().reads((4_u64).saturating_mul(a.into())))\n    }\n";

    #[test]
    fn each_number_is_the_greatest_of_all_backends() {
        let measured = |backend, source| Measured { backend, source };
        let merged = dearest(&[measured("one", source(&[ONE])), measured("two", source(&[TWO]))]).unwrap();
        let expected = "    fn first(a: u32, b: u32, ) -> Weight {\n        Weight::from_parts(1_234_567, 1_009)\n            \
                        .saturating_add(Weight::from_parts(10, 0).saturating_mul(a.into()))\n            \
                        .saturating_add(T::DbWeight::get().reads((4_u64).saturating_mul(a.into())))\n            \
                        .saturating_add(Weight::from_parts(2_000, 0).saturating_mul(b.into()))\n            \
                        .saturating_add(Weight::from_parts(0, 7).saturating_mul(a.into()))\n    }\n";
        let mark = format!("    // At least: {} ns (one), {} ns (two).", ONE.len(), TWO.len());
        let old = format!("{MARK}{} ns.", expected.len());
        assert_eq!(merged, source(&[expected]).replace(&old, &mark));
        let alone = dearest(&[measured("one", source(&[ONE, TWO]))]).unwrap();
        assert!(alone.contains(ONE) && alone.contains(TWO), "{alone}");
    }

    #[test]
    fn other_benchmarks_are_no_match() {
        let other = ONE.replace("fn first", "fn third");
        let measured = |backend, source| Measured { backend, source };
        assert!(dearest(&[measured("one", source(&[ONE])), measured("two", source(&[&other]))]).is_err());
        assert!(dearest(&[measured("one", source(&[ONE])), measured("two", source(&[ONE, TWO]))]).is_err());
        assert!(dearest(&[]).is_err());
    }
}
