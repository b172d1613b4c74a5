//! Every case natively, on Hatchery's and on upstream's host functions and engine, with equal results.

use hatchery_runtime_tests::{Node, Setup, cases, trial};
use libtest_mimic::Arguments;

fn main() {
    let reference = Setup::native(Node::Upstream);
    let setups = [Setup::native(Node::Hatchery), Setup::native(Node::Switched), reference];
    let trials =
        setups.into_iter().flat_map(|setup| cases::all().map(move |case| trial(case, setup, reference)));
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit();
}
