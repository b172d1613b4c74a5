//! What a node needs to know of blocks: extrinsics are bytes to it, so that it follows a chain through upgrades.

use crate::{Aura, Grandpa, Header};
use alloc::vec::Vec;
use sp_runtime::{OpaqueExtrinsic, generic, impl_opaque_keys};

/// A block whose extrinsics are bytes.
pub type Block = generic::Block<Header, OpaqueExtrinsic>;

impl_opaque_keys! {
    /// The keys of a validator.
    pub struct SessionKeys {
        /// Authors blocks.
        pub aura: Aura,
        /// Finalizes them.
        pub grandpa: Grandpa,
    }
}
