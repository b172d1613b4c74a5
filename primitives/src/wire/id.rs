//! Handles of modules and instances.

use num_enum::{IntoPrimitive, TryFromPrimitive};

/// The handle of a compiled module.
///
/// Ids count up from 0 in the order of the calls, so every node gives the same ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleId(u32);

/// The handle of an instance.
///
/// Ids count up from 0 in the order of the calls, so every node gives the same ones; a destroyed instance's id is not
/// given again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceId(u32);

impl From<u32> for ModuleId {
    fn from(id: u32) -> Self {
        Self(id)
    }
}

impl From<ModuleId> for u32 {
    fn from(id: ModuleId) -> Self {
        id.0
    }
}

impl From<u32> for InstanceId {
    fn from(id: u32) -> Self {
        Self(id)
    }
}

impl From<InstanceId> for u32 {
    fn from(id: InstanceId) -> Self {
        id.0
    }
}

/// What the compile functions return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompiledModule {
    /// The handle of the module, always a new one.
    pub id: ModuleId,
    /// Whether the module was made by this call.
    pub status: CompileStatus,
}

/// Whether a module was at hand or had to be made, so that a runtime can charge for the work.
///
/// It is a function of the calls in this block and of chain state, never of what a node happens to have in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoPrimitive, TryFromPrimitive)]
#[repr(u8)]
pub enum CompileStatus {
    /// A module was cached under the identifier or storage key; nothing was compiled and no storage was read.
    Cached = 0,
    /// The program was compiled, after it was read from storage if a storage key was given.
    Compiled = 1,
}
