//! A capability machine.

#![forbid(unsafe_code)]

mod cache;
mod cap;
mod cnode;
mod hash;
mod image;
mod kernel;
mod manifest;
mod operation;
mod store;
mod working;

pub use cache::{CacheDirectory, CacheError};
pub use cap::{
    Cap, CapDecodeError, CapHashOrRef, DataCap, InstanceCap, Kind, Overlay, Page, PageSlot, TypeCap,
    Unsettled,
};
pub use cnode::{CNode, MAX_PATH, MAX_SIZE_LOG, PathError, ROOT_SIZE_LOG, SlotError, SlotPath};
pub use hash::{CapHash, NotAHash, extended_chain, genesis_chain};
pub use image::{
    CodeSet, Endpoint, GasProfile, Image, ImageError, MAX_ARGUMENTS, MAX_ENDPOINTS, MAX_JUMP_TABLE,
    MAX_MAPPINGS, MAX_MEMORY, MAX_METER_SLOTS, MAX_NAME, Mapping, SlotContent,
};
pub use kernel::KernelImage;
pub use manifest::{Bundle, EndpointManifest, Manifest, ManifestError};
pub use operation::{FIRST_EMBEDDER_OPERATION, Operation};
#[cfg(feature = "parity-db")]
pub use store::ParityStore;
pub use store::{BlobStore, Change, MemoryStore, Record, StoreError};
pub use working::CapRef;
