//! A capability machine.

#![forbid(unsafe_code)]

mod assist;
mod body;
mod cache;
mod cap;
mod claims;
mod cnode;
pub mod graph;
mod hash;
mod image;
mod kernel;
mod manifest;
mod operation;
mod program;
mod slots;
mod stack;
mod store;
mod vm;
mod working;

pub use assist::{Embedded, EmbedderCall, InProcessAssist, KernelAssist};
pub use body::LoadError;
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
pub use program::ProgramLoadError;
pub use stack::{CallStack, Catcher, DEFAULT_MAX_DEPTH, Entry, StackError, Status};
#[cfg(feature = "parity-db")]
pub use store::ParityStore;
pub use store::{BlobStore, Change, MemoryStore, Record, StoreError};
pub use vm::{
    CallResult, CallStatus, Costs, DEFAULT_WORKING_LIMIT, FaultReason, InstanceEntry, MAX_MINT,
    OperationError, SuspendedCall, SuspendedCallError, Vm, VmError,
};
pub use working::CapRef;
