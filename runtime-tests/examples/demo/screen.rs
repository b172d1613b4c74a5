//! What the demo prints: a few words, then rows of calls in columns. Colours are for terminals only.

use anstream::println;
use anstyle::{AnsiColor, Style};
use std::time::Duration;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const GUEST: Style = AnsiColor::Cyan.on_default();

/// Numbers the stages and counts what was shown.
#[derive(Debug, Default)]
pub(crate) struct Screen {
    stages: u32,
}

/// One call from the runtime to the node.
pub(crate) struct Row {
    /// The host function.
    pub(crate) call: &'static str,
    /// Its arguments.
    pub(crate) arguments: String,
    /// What it gave.
    pub(crate) result: Outcome,
    /// Gas left, where the call tells.
    pub(crate) gas: Option<i64>,
    /// How long the node took.
    pub(crate) time: Duration,
}

/// What a call gave.
pub(crate) enum Outcome {
    /// Something for the runtime.
    Plain(String),
    /// The guest wants something of the runtime.
    Syscall(String),
    /// The guest is done.
    Done(String),
    /// An error.
    Refused(String),
}

impl Screen {
    /// The title and what the demo is about.
    pub(crate) fn title(&self, title: &str, text: &str) {
        println!("{BOLD}{title}{BOLD:#}\n");
        paragraph(text);
    }

    /// Begins a stage.
    pub(crate) fn stage(&mut self, title: &str, text: &str) {
        self.stages += 1;
        println!("\n{BOLD}{}. {title}{BOLD:#}\n", self.stages);
        paragraph(text);
    }

    /// The columns' names.
    pub(crate) fn header(&self) {
        println!(
            "\n  {DIM}{:<14} {:<51} {:<38} {:>9} {:>9}{DIM:#}",
            "host function", "arguments", "result", "gas left", "time"
        );
    }

    /// A fact.
    pub(crate) fn fact(&self, name: &str, value: &str) {
        println!("  {name:<32} {value}");
    }

    /// What a stage showed.
    pub(crate) fn conclusion(&self, text: &str) {
        println!("\n  {GOOD}=>{GOOD:#} {text}");
    }
}

/// Prints a call. Memory accesses are indented: they belong to the syscall above.
pub(crate) fn row(row: &Row) {
    let indent = if row.call.ends_with("_memory") { "  " } else { "" };
    let call = format!("{indent}{}", row.call);
    let (style, result) = match &row.result {
        Outcome::Plain(result) => (Style::new(), result),
        Outcome::Syscall(result) => (GUEST, result),
        Outcome::Done(result) => (GOOD, result),
        Outcome::Refused(result) => (BAD, result),
    };
    let left = row.gas.map(gas).unwrap_or_default();
    let time = duration(row.time);
    println!(
        "  {call:<14} {:<51} {style}{result:<38}{style:#} {left:>9} {DIM}{time:>9}{DIM:#}",
        row.arguments
    );
}

/// Prints text that a guest printed.
pub(crate) fn guest_prints(text: &str) {
    println!("  {GUEST}{:>13} {text}{GUEST:#}", "guest prints:");
}

/// A number with its digits in groups of three.
pub(crate) fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if number < 0 { format!("-{grouped}") } else { grouped }
}

/// An amount of gas; one that was meant to be enough for anything as its distance from the maximum.
pub(crate) fn gas(amount: i64) -> String {
    match i64::MAX - amount {
        0 => "max".into(),
        used @ 1..1_000_000 => format!("max-{}", grouped(used)),
        _ => grouped(amount),
    }
}

/// A duration in a unit that fits it.
pub(crate) fn duration(time: Duration) -> String {
    let nanoseconds = time.as_nanos() as f64;
    match nanoseconds {
        ..1e3 => format!("{nanoseconds:.0} ns"),
        ..1e6 => format!("{:.1} us", nanoseconds / 1e3),
        ..1e9 => format!("{:.1} ms", nanoseconds / 1e6),
        _ => format!("{:.2} s", nanoseconds / 1e9),
    }
}

/// Prints text in lines of at most 100 characters.
fn paragraph(text: &str) {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if line.len() + word.len() >= 100 {
            println!("  {line}");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    println!("  {line}");
}
