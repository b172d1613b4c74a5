//! Plays the scenarios of the test runtime wherever they can be played, and says what must come of each.
//!
//! - [`Setup`]: a runtime (native or Wasm, compiled against Hatchery's or upstream's crate) on a node (Hatchery's or
//!   upstream's host functions and engine).
//! - [`cases`]: the scenarios with arguments and expectations, listed once. `tests/native.rs` and `tests/wasm.rs` play
//!   every case in every setup of theirs and compare the results byte for byte with upstream's.
//! - [`guests`]: the guest programs, compiled and assembled.

pub mod cases;
pub mod guests;
mod setup;

pub use cases::{Case, Comparison};
pub use setup::{Failure, Node, Runtime, STRATEGIES, Setup, Stored, bare_externalities, externalities};

use libtest_mimic::{Failed, Trial};

/// A test that plays `case` in `setup`, checks the result, and compares it with what `reference` makes of it.
pub fn trial(case: fn() -> Case, setup: Setup, reference: Setup) -> Trial {
    let name = format!("{setup}::{}", case().name);
    Trial::test(name, move || {
        let case = case();
        let result = case.play(setup)?;
        if case.comparison.expects(setup) {
            case.check(&result);
        }
        if setup == reference {
            return Ok(());
        }
        let expected = case.play(reference)?;
        let same = result == expected;
        if !same && case.comparison.holds(setup, reference) {
            let difference = difference(&case.describe(&result), &case.describe(&expected));
            return Err(Failed::from(format!("{setup} and {reference} differ {difference}")));
        }
        if same && case.comparison.denied_by_equality(setup, reference) {
            return Err(Failed::from(format!(
                "{setup} and {reference} are listed as different, but are equal"
            )));
        }
        Ok(())
    })
}

/// Where two texts differ first, with the lines around.
fn difference(ours: &str, theirs: &str) -> String {
    const AROUND: usize = 5;
    let (ours, theirs): (Vec<_>, Vec<_>) = (ours.lines().collect(), theirs.lines().collect());
    let at = ours.iter().zip(&theirs).take_while(|(ours, theirs)| ours == theirs).count();
    let excerpt = |lines: &[&str]| {
        let start = at.saturating_sub(AROUND).min(lines.len());
        let end = (at + AROUND).min(lines.len());
        lines[start..end].join("\n")
    };
    format!("in line {at}\n--- the first:\n{}\n--- the second:\n{}", excerpt(&ours), excerpt(&theirs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn difference_shows_the_first_differing_line() {
        let lines = |last: &str| (0..100).map(|line| format!("{line}\n")).collect::<String>() + last;
        let text = difference(&lines("a"), &lines("b"));
        assert!(text.starts_with("in line 100\n--- the first:\n95\n"), "{text}");
        assert!(text.ends_with("99\nb"), "{text}");
        assert!(difference("a", "a\nb").contains("in line 1\n"));
    }
}
