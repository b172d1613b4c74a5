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
        if setup != reference && case.comparison.holds(setup, reference) {
            let expected = case.play(reference)?;
            if result != expected {
                let (result, expected) = (case.describe(&result), case.describe(&expected));
                return Err(Failed::from(format!(
                    "different results\n{setup} gives {result}\n{reference} gives {expected}"
                )));
            }
        }
        Ok(())
    })
}
