//! Every case as Wasm in `sc-executor`: a runtime compiled against either crate on a node with either host functions and
//! engine, with equal results. That is the promise that one can take the other's place.

use hatchery_runtime_tests::{Node, Runtime, STRATEGIES, Setup, cases, trial};
use hatchery_test_runtime::Flavour;
use libtest_mimic::Arguments;

fn main() {
    let reference = Setup::wasm(Flavour::Upstream, Node::Upstream);
    let mut setups = vec![
        Setup::wasm(Flavour::Upstream, Node::Hatchery),
        Setup::wasm(Flavour::Upstream, Node::Switched),
        Setup::wasm(Flavour::Hatchery, Node::Upstream),
        Setup::wasm(Flavour::Hatchery, Node::Compatible),
        reference,
    ];
    // Hatchery on Hatchery, as each kind of Wasm instance that a node can be told to make.
    setups.extend(
        STRATEGIES.map(|strategy| Setup {
            runtime: Runtime::Wasm(Flavour::Hatchery, strategy),
            node: Node::Hatchery,
        }),
    );
    let trials =
        setups.into_iter().flat_map(|setup| cases::all().map(move |case| trial(case, setup, reference)));
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit();
}
