//! What is played, and what must come of it.

mod calls;
mod compiled;
mod gas;
mod memory;
mod modules;
mod wire;

use crate::{
    guests,
    setup::{Failure, Runtime, Setup, Stored},
};
use codec::Decode;
use core::fmt;
use hatchery_test_runtime::{
    Input,
    outcome::{Call, End, Run},
};

/// All cases.
pub fn all() -> impl Iterator<Item = fn() -> Case> {
    [calls::CASES, compiled::CASES, gas::CASES, memory::CASES, modules::CASES, wire::CASES]
        .into_iter()
        .flatten()
        .copied()
}

/// A scenario with its arguments, the storage it finds, and what must come of it.
pub struct Case {
    /// The case's name, unique among all.
    pub name: &'static str,
    /// Whether upstream gives the same.
    pub comparison: Comparison,
    storage: Vec<Stored>,
    played: Box<dyn Played>,
}

/// A scenario with its arguments and the expectation, whatever the type of its result.
trait Played {
    fn play(&self, setup: Setup, storage: &[Stored]) -> Result<Vec<u8>, Failure>;
    fn check(&self, result: &[u8]);
    fn describe(&self, result: &[u8]) -> String;
}

impl<R: Decode + fmt::Debug, F: Fn(R)> Played for (Input<R>, F) {
    fn play(&self, setup: Setup, storage: &[Stored]) -> Result<Vec<u8>, Failure> {
        setup.play(&self.0, storage)
    }

    fn check(&self, result: &[u8]) {
        (self.1)(self.0.decode(result).expect("a result of this scenario"));
    }

    fn describe(&self, result: &[u8]) -> String {
        format!("{:#?}", self.0.decode(result).expect("a result of this scenario"))
    }
}

/// How a result compares with upstream's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Byte for byte the same.
    Equal,
    /// The same in Wasm; called natively, upstream differs, for this reason.
    EqualInWasm(&'static str),
    /// Hatchery's host functions are different on purpose, for this reason.
    OtherHostFunctions(&'static str),
    /// Hatchery's manager is different on purpose, for this reason.
    OtherManager(&'static str),
}

impl Comparison {
    /// Whether the two setups must give the same result.
    pub fn holds(self, first: Setup, second: Setup) -> bool {
        let native = first.runtime == Runtime::Native || second.runtime == Runtime::Native;
        match self {
            Self::Equal => true,
            Self::EqualInWasm(_) => !native || first.node == second.node,
            Self::OtherHostFunctions(_) => {
                first.node.has_our_host_functions() == second.node.has_our_host_functions()
            }
            Self::OtherManager(_) => first.node.has_our_manager() == second.node.has_our_manager(),
        }
    }

    /// Whether equal results show that the difference is no longer there.
    pub fn denied_by_equality(self, first: Setup, second: Setup) -> bool {
        matches!(self, Self::OtherHostFunctions(_) | Self::OtherManager(_)) && !self.holds(first, second)
    }

    /// Whether the expectation, which is Hatchery's, applies to this setup.
    pub fn expects(self, setup: Setup) -> bool {
        match self {
            Self::Equal => true,
            Self::EqualInWasm(_) => setup.runtime != Runtime::Native || setup.node.has_our_host_functions(),
            Self::OtherHostFunctions(_) => setup.node.has_our_host_functions(),
            Self::OtherManager(_) => setup.node.has_our_manager(),
        }
    }
}

impl Case {
    fn new<R: Decode + fmt::Debug + 'static>(input: Input<R>, check: impl Fn(R) + 'static) -> Self {
        let played = Box::new((input, check));
        Self { name: "", comparison: Comparison::Equal, storage: Vec::new(), played }
    }

    fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    fn compared(self, comparison: Comparison) -> Self {
        Self { comparison, ..self }
    }

    fn stored(mut self, key: &[u8], value: Vec<u8>) -> Self {
        self.storage.push(Stored { child_trie: Vec::new(), key: key.to_vec(), value });
        self
    }

    fn stored_in_child(mut self, child_trie: &[u8], key: &[u8], value: Vec<u8>) -> Self {
        self.storage.push(Stored { child_trie: child_trie.to_vec(), key: key.to_vec(), value });
        self
    }

    /// Plays the case. Gives the encoded result.
    ///
    /// # Errors
    /// If the runtime trapped, or there is no Wasm of it.
    pub fn play(&self, setup: Setup) -> Result<Vec<u8>, Failure> {
        self.played.play(setup, &self.storage)
    }

    /// Checks a result.
    ///
    /// # Panics
    /// If it is not what must come of the case.
    pub fn check(&self, result: &[u8]) {
        self.played.check(result);
    }

    /// A result in words.
    pub fn describe(&self, result: &[u8]) -> String {
        self.played.describe(result)
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Makes a function of each case, and a list of the functions.
macro_rules! cases {
    ($( $(#[$attribute:meta])* $name:ident = $case:expr; )*) => {
        pub(super) const CASES: &[fn() -> Case] = &[$( $name ),*];

        $( $(#[$attribute])* fn $name() -> Case { $case.named(stringify!($name)) } )*
    };
}

use cases;

/// Gas that no guest of these tests uses up.
const PLENTY: i64 = i64::MAX;

/// A call with plenty of gas and 0 in a0.
fn call(export: &[u8]) -> Call {
    Call { export: export.to_vec(), gas: PLENTY, a0: 0 }
}

/// How the calls ended and what the counter was then.
fn ends(runs: &[Run]) -> Vec<(End, u64)> {
    runs.iter().map(|run| (run.end, run.counter)).collect()
}

/// The symbols of a call's syscalls.
fn symbols(run: &Run) -> Vec<&str> {
    run.syscalls
        .iter()
        .map(|syscall| core::str::from_utf8(&syscall.symbol).expect("these symbols are ASCII"))
        .collect()
}
