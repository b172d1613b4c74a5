//! The node's side of Hatchery.
//!
//! A [`VirtManager`] answers the virtualization host functions for one block or one call. It is registered in the
//! externalities, wrapped in the extension that the host functions look for:
//!
//! ```
//! use hatchery_client::VirtManager;
//! use hatchery_primitives::VirtManagerExt;
//! use sp_externalities::Extensions;
//!
//! // What an `ExtensionsFactory` returns; an extension lasts as long as the call or block it is made for.
//! let mut extensions = Extensions::new();
//! extensions.register(VirtManagerExt::new(VirtManager::default()));
//! ```
//!
//! A node whose runtimes use upstream's `sp-virtualization` host functions registers `UpstreamExt` instead
//! (feature `sp-virtualization`).
//!
//! Making a manager costs nothing. The engine and the compiled modules are shared by all managers of the process
//! ([`ModuleCache`]), which no runtime can observe: what it is told about cached modules concerns its own block
//! only.

#![forbid(unsafe_code)]

mod cache;
mod config;
mod identifiers;
mod manager;
mod program;
mod transactions;
#[cfg(feature = "sp-virtualization")]
mod upstream;

pub use cache::{CacheStatistics, ModuleCache};
pub use config::{AlreadyInstalled, ClientConfig};
pub use hatchery_engine::Backend;
pub use manager::VirtManager;
#[cfg(feature = "sp-virtualization")]
pub use upstream::UpstreamExt;
