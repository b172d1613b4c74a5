//! Nodes as processes, and a client for their chain: what the node's tests and the demo are written with.
//!
//! Everything waits for conditions with generous limits and never for a time, so that slow machines are slow and not
//! wrong. A node that has not done what was waited for is reported with the end of its log.

#![forbid(unsafe_code)]

mod chain;
mod contract;
mod error;
pub mod guests;
mod job;
mod metrics;
mod node;
mod wait;
pub mod walkthrough;

pub use chain::{Account, Chain, Committed, Event, RpcFailure};
pub use contract::{CodeInfo, Contract, DryRun, InstanceInfo, Limits, Weight};
pub use error::Error;
pub use job::Job;
pub use metrics::Metrics;
pub use node::{Builder, Node};
pub use subxt;
pub use subxt_signer::sr25519::dev as accounts;
pub use wait::{LIMIT, until, within};

/// An account that the chain does not know.
///
/// # Panics
/// Never: every seed is a key of sr25519.
pub fn stranger(seed: [u8; 32]) -> subxt_signer::sr25519::Keypair {
    subxt_signer::sr25519::Keypair::from_secret_key(seed).expect("every seed is a key; qed")
}
