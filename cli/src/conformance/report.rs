//! What a run over many vectors shows: a progress bar on a terminal, each failure, and the numbers at the end.

use std::io::{self, Write};
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};

use super::{Failure, name};

/// Counts results and shows them.
pub(super) struct Report<'a> {
    out: &'a mut dyn Write,
    /// Draws on standard error, and only if that is a terminal.
    bar: ProgressBar,
    passed: u64,
    failed: u64,
}

impl<'a> Report<'a> {
    /// A report of this many files, which goes to `out`.
    pub(super) fn new(files: usize, out: &'a mut dyn Write) -> Self {
        let bar = ProgressBar::new(files as u64);
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} {wide_msg}") {
            bar.set_style(style);
        }
        Self { out, bar, passed: 0, failed: 0 }
    }

    /// Says which file is next.
    pub(super) fn start(&self, file: &Path) {
        self.bar.set_message(name(file));
    }

    /// Says that a file was left out.
    pub(super) fn skipped(&mut self, file: &Path, why: &str) -> io::Result<()> {
        self.bar.inc(1);
        let Self { out, bar, .. } = self;
        bar.suspend(|| writeln!(out, "skipped {}: {why}", file.display()))
    }

    /// Says how a file ended.
    pub(super) fn done(&mut self, file: &Path, result: Result<(), Failure>) -> io::Result<()> {
        self.bar.inc(1);
        match result {
            Ok(()) => {
                self.passed += 1;
                Ok(())
            }
            Err(failure) => {
                self.failed += 1;
                let Self { out, bar, .. } = self;
                bar.suspend(|| out.write_all(difference(file, &failure).as_bytes()))
            }
        }
    }

    /// The last line. Gives whether all is well: something passed, nothing failed.
    pub(super) fn finish(self) -> io::Result<bool> {
        self.bar.finish_and_clear();
        if self.passed + self.failed == 0 {
            writeln!(self.out, "no vector was found")?;
        }
        writeln!(self.out, "{} passed, {} failed", self.passed, self.failed)?;
        Ok(self.passed > 0 && self.failed == 0)
    }
}

fn difference(file: &Path, failure: &Failure) -> String {
    let Failure { step, field, expected, actual } = failure;
    let step = step.map(|step| format!("step {step}: ")).unwrap_or_default();
    format!(
        "FAILED {} ({})\n  {step}{field}\n    - expected: {expected}\n    + actual:   {actual}\n",
        name(file),
        file.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_shows_the_step_and_both_values() {
        let failure =
            Failure { step: Some(3), field: "gas".into(), expected: "5".into(), actual: "6".into() };
        let text = difference(Path::new("a/case.json"), &failure);
        assert_eq!(text, "FAILED case (a/case.json)\n  step 3: gas\n    - expected: 5\n    + actual:   6\n");
    }

    #[test]
    fn without_any_vector_nothing_is_well() {
        let mut out = Vec::new();
        assert!(!Report::new(0, &mut out).finish().unwrap());
        assert_eq!(String::from_utf8(out).unwrap(), "no vector was found\n0 passed, 0 failed\n");
    }
}
