//! The node's side of Hatchery.
//!
//! A [`VirtManager`] answers the virtualization host functions for one block or one call. In a node,
//! `VirtExtensionFactory` (feature `node`) makes one for each:
//!
//! ```ignore
//! let executor = sc_service::new_wasm_executor::<hatchery_client::HostFunctions>(&config.executor);
//! // .. and when the client has been made of it:
//! client.execution_extensions().set_extensions_factory(VirtExtensionFactory::new(ConsensusConstants::v1()));
//! ```
//!
//! In a test it is registered by hand, wrapped in the extension that the host functions look for:
//!
//! ```
//! use hatchery_client::VirtManager;
//! use hatchery_primitives::VirtManagerExt;
//! use sp_externalities::Extensions;
//!
//! // `TestExternalities` has `register_extension`.
//! let mut extensions = Extensions::new();
//! extensions.register(VirtManagerExt::new(VirtManager::default()));
//! ```
//!
//! A node whose runtimes use upstream's `sp-virtualization` host functions registers `UpstreamExt` instead
//! (feature `sp-virtualization`).
//!
//! # Who decides what
//!
//! - The chain: [`ConsensusConstants`], everything that a runtime can observe.
//! - The node: [`ClientConfig`], what executes programs, how much memory the compiled ones may take, and where metrics go.
//!
//! Making a manager costs nothing. The engine and the compiled modules are shared by all managers of the process
//! ([`ModuleCache`]), which no runtime can observe: what it is told about cached modules concerns its own block
//! only.
//!
//! Logs and traces have the target `virtualization`.

#![forbid(unsafe_code)]

pub mod benchmarking;
mod cache;
mod config;
mod constants;
mod identifiers;
mod instance;
mod manager;
mod metrics;
#[cfg(feature = "node")]
mod node;
mod processes;
mod program;
pub mod testing;
mod trace;
mod transactions;
#[cfg(feature = "sp-virtualization")]
mod upstream;

pub use cache::{CacheStatistics, ModuleCache};
pub use config::{ClientConfig, InstallError};
pub use constants::{Compatibility, ConsensusConstants, Limits};
pub use hatchery_engine::{Backend, EngineError, GasModel, Trap, TrapKind};
pub use hatchery_primitives::VirtManagerExt;
pub use manager::VirtManager;
#[cfg(feature = "node")]
pub use node::{HostFunctions, OtherFactories, VirtExtensionFactory};
pub use trace::{Trace, TraceLog, TracedCall, TracedEnd, TracedFrame, TracedSyscall, Tracer};
#[cfg(feature = "sp-virtualization")]
pub use upstream::UpstreamExt;
