//! Numbered steps with their times: a spinner on a terminal, plain lines elsewhere.

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// What a step found or did, in a few words.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Nothing was to be done.
    AlreadyThere(String),
    /// Something was done.
    Done(String),
}

/// A sequence of steps whose number is known.
#[derive(Debug)]
pub(crate) struct Steps {
    number: usize,
    total: usize,
    changed: bool,
}

impl Steps {
    pub(crate) fn new(total: usize) -> Self {
        Self { number: 0, total, changed: false }
    }

    /// Whether any step so far did something.
    pub(crate) fn changed(&self) -> bool {
        self.changed
    }

    /// Runs the next step, showing its name, what came of it and how long it took.
    pub(crate) fn run(&mut self, name: &str, step: impl FnOnce() -> Result<Outcome>) -> Result<()> {
        self.number += 1;
        let head = format!("[{}/{}] {name} ...", self.number, self.total);
        let started = Instant::now();
        let spinner = std::io::stdout().is_terminal().then(|| spinner(&head));
        if spinner.is_none() {
            print!("{head} ");
            std::io::stdout().flush()?;
        }
        let outcome = step();
        let text = match &outcome {
            Ok(Outcome::AlreadyThere(what)) if what.is_empty() => "already there".to_owned(),
            Ok(Outcome::AlreadyThere(what)) => format!("already there: {what}"),
            Ok(Outcome::Done(what)) => what.clone(),
            Err(_) => "FAILED".to_owned(),
        };
        let time = seconds(started.elapsed());
        match spinner {
            Some(spinner) => {
                spinner.finish_and_clear();
                println!("{head} {text} ({time})");
            }
            None => println!("{text} ({time})"),
        }
        self.changed |= matches!(outcome, Ok(Outcome::Done(_)));
        outcome.map(drop).with_context(|| format!("step {}/{}, {name}", self.number, self.total))
    }
}

/// A time for people: `0.4 s`, `12.0 s`, `3 min 07 s`.
pub(crate) fn seconds(time: Duration) -> String {
    match time.as_secs() {
        0..120 => format!("{:.1} s", time.as_secs_f64()),
        whole => format!("{} min {:02} s", whole / 60, whole % 60),
    }
}

fn spinner(head: &str) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(head.to_owned());
    bar.set_style(
        ProgressStyle::with_template("{msg} {spinner} {elapsed}").expect("the template is well-formed"),
    );
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        assert_eq!(seconds(Duration::from_millis(44)), "0.0 s");
        assert_eq!(seconds(Duration::from_millis(12_340)), "12.3 s");
        assert_eq!(seconds(Duration::from_secs(187)), "3 min 07 s");
    }

    #[test]
    fn a_step_that_fails_is_named() {
        let mut steps = Steps::new(2);
        steps.run("first", || Ok(Outcome::AlreadyThere(String::new()))).unwrap();
        assert!(!steps.changed());
        let error = steps.run("second", || anyhow::bail!("no disk")).unwrap_err();
        assert_eq!(format!("{error:#}"), "step 2/2, second: no disk");
    }
}
