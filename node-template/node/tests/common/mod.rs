//! What all tests of the node as a process begin with.

#![allow(dead_code, reason = "each test crate uses a part of this module")]

use hatchery_node_testing::Builder;

/// Tests end with the first error, which says what it is about.
pub(crate) type Result<T = ()> = std::result::Result<T, hatchery_node_testing::Error>;

/// The node's program.
pub(crate) const NODE: &str = env!("CARGO_BIN_EXE_hatchery-node");

/// A node of a development chain.
pub(crate) fn dev() -> Builder {
    Builder::new(NODE).dev()
}
