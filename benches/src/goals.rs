//! What we aim at, and whether a run reached it.

use crate::results::{Results, Unit, number};

/// A number that a row is to have for an engine of ours.
pub(crate) struct Goal {
    row: &'static str,
    engine: &'static str,
    what: &'static str,
    limit: Limit,
}

enum Limit {
    /// Nanoseconds, or bytes.
    At(f64, Unit),
    /// A part of what another engine takes in the same run, which does not depend on the machine.
    PartOf(f64, &'static str),
}

use Limit::{At, PartOf};

const INTERPRETER: &str = "hatchery-interpreter-pipeline";
const RECOMPILER: &str = "hatchery-recompiler-pipeline";
const THEIR_INTERPRETER: &str = "polkavm-interpreter-pipeline";
const IN_PROCESS: &str = "polkavm-generic-pipeline";
const SANDBOX: &str = "polkavm-linux-pipeline";
const CRANELIFT: &str = "wasmtime-cranelift";

const fn goal(row: &'static str, engine: &'static str, what: &'static str, limit: Limit) -> Goal {
    Goal { row, engine, what, limit }
}

/// All goals. Times are for one processor of a virtual machine (AMD EPYC, Zen 5); parts are what those times are of what was measured
/// for the peers there. An emulated machine takes the place of the emulator those times are of, whose program cannot be had.
pub(crate) const GOALS: [Goal; 33] = [
    goal("emulate", INTERPRETER, "emulator", PartOf(0.337, THEIR_INTERPRETER)),
    goal("emulate", INTERPRETER, "emulator", PartOf(0.693, "wasmi")),
    goal("emulate", INTERPRETER, "emulator", PartOf(0.406, "ckb-asm")),
    goal("emulate", RECOMPILER, "emulator", PartOf(0.92, SANDBOX)),
    goal("emulate", RECOMPILER, "emulator", PartOf(0.77, IN_PROCESS)),
    goal("emulate", RECOMPILER, "emulator", PartOf(0.566, CRANELIFT)),
    goal("primes", INTERPRETER, "primes", PartOf(0.336, THEIR_INTERPRETER)),
    goal("primes", INTERPRETER, "primes", PartOf(0.8, "wasmi")),
    goal("primes", INTERPRETER, "primes", PartOf(0.682, "ckb-asm")),
    goal("primes", RECOMPILER, "primes", PartOf(0.935, SANDBOX)),
    goal("primes", RECOMPILER, "primes", PartOf(0.8, IN_PROCESS)),
    goal("primes", RECOMPILER, "primes", PartOf(0.793, CRANELIFT)),
    goal("ed25519", INTERPRETER, "verify Ed25519", At(750_000.0, Unit::Time)),
    goal("ed25519", INTERPRETER, "verify Ed25519", PartOf(0.357, THEIR_INTERPRETER)),
    goal("ed25519", INTERPRETER, "verify Ed25519", PartOf(0.773, "wasmi")),
    goal("ed25519", INTERPRETER, "verify Ed25519", PartOf(0.85, "ckb-asm")),
    goal("ed25519", RECOMPILER, "verify Ed25519", At(62_000.0, Unit::Time)),
    goal("ed25519", RECOMPILER, "verify Ed25519", PartOf(0.90, SANDBOX)),
    goal("ed25519", RECOMPILER, "verify Ed25519", PartOf(0.747, IN_PROCESS)),
    goal("ed25519", RECOMPILER, "verify Ed25519", PartOf(0.775, CRANELIFT)),
    goal("syscalls", INTERPRETER, "syscall and back", At(10.0, Unit::Time)),
    goal("syscalls", RECOMPILER, "syscall and back", At(8.0, Unit::Time)),
    goal("instance-tiny", INTERPRETER, "instantiate, call, drop", At(1_000.0, Unit::Time)),
    goal("instance-tiny", RECOMPILER, "instantiate, call, drop", At(3_000.0, Unit::Time)),
    goal("process-spawn", INTERPRETER, "spawn, exit, wait", At(10_000.0, Unit::Time)),
    goal("process-spawn", RECOMPILER, "spawn, exit, wait", At(10_000.0, Unit::Time)),
    goal("process-pipe-1", INTERPRETER, "1 byte through a pipe, and back", At(300.0, Unit::Time)),
    goal("process-pipe-1", RECOMPILER, "1 byte through a pipe, and back", At(300.0, Unit::Time)),
    // What the interpreter does before it begins, and what it puts off until a block is first reached.
    goal("compile-1-mib", INTERPRETER, "compile one instruction, without its gas", At(30.0, Unit::Time)),
    goal("gas-ed25519", "hatchery", "gas of one instruction", At(30.0, Unit::Time)),
    goal("compile-1-mib", RECOMPILER, "compile one instruction", At(40.0, Unit::Time)),
    goal("round-trip", "hatchery-wasm/hatchery-node", "syscall and back, from Wasm", At(90.0, Unit::Time)),
    goal("many", RECOMPILER, "memory of an instance with one dirty page", At(8192.0, Unit::Bytes)),
];

/// Whether a goal was reached.
pub(crate) struct Verdict {
    /// The goal's name in `notes.json`.
    pub(crate) id: String,
    pub(crate) what: &'static str,
    pub(crate) engine: &'static str,
    /// The limit, in words.
    pub(crate) limit: String,
    /// What was measured, in words.
    pub(crate) found: String,
    pub(crate) end: End,
}

/// What came of a goal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    Reached,
    Missed,
    /// Some samples are below the limit and some above.
    Close,
    /// There are no samples.
    NotMeasured,
}

impl Goal {
    /// Judges a run.
    pub(crate) fn judge(&self, results: &Results) -> Verdict {
        let measured = |engine| {
            let outcome = results.outcome(self.row, engine)?;
            Some((outcome.value()?, outcome.spread()))
        };
        let (limit, most, other, unit) = match self.limit {
            At(most, unit) => (number(most, unit), most, Some((1.0, 0.0)), Some(unit)),
            PartOf(most, engine) => {
                let name = results.engine(engine).map_or(engine, |engine| &engine.name);
                (format!("{most:.2} of {name}"), most, measured(engine), None)
            }
        };
        let (found, end) = match measured(self.engine).zip(other) {
            None => ("not measured".into(), End::NotMeasured),
            Some(((value, spread), (other, other_spread))) => {
                let value = value / other;
                let text = unit.map_or_else(|| format!("{value:.2}"), |unit| number(value, unit));
                // From one quartile to the other, of both.
                let spread = spread + other_spread;
                let end = if value * (1.0 + spread) <= most {
                    End::Reached
                } else if value * (1.0 - spread) > most {
                    End::Missed
                } else {
                    End::Close
                };
                (text, end)
            }
        };
        let side = match self.engine {
            "hatchery" => "both",
            engine if engine.contains("interpreter") => "interpreter",
            _ => "recompiler",
        };
        let engine = if self.engine.starts_with("hatchery-wasm") { "from Wasm" } else { side };
        Verdict { id: format!("{}-{side}", self.row), what: self.what, engine, limit, found, end }
    }
}
