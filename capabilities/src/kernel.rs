//! Images that exist without code: what the machine itself knows instances of.

use std::sync::LazyLock;

use crate::cap::InstanceCap;
use crate::cnode::CNode;
use crate::hash::{CapHash, blake2b};

/// An image that the machine knows without its being published. Its hash is the Blake2b-256 hash of its label, so that no image
/// with code can have it: guests cannot make instances of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum KernelImage {
    /// The table of gas meters.
    GasMeter,
    /// The table of storage quotas.
    StorageQuota,
    /// Catches the yields whose markers are registered for it.
    YieldCatcher,
    /// A gas meter: who has it in a gas slot spends from it.
    Gas,
    /// A storage quota: who has it in a quota slot may store at its expense.
    Quota,
    /// Sets gas meters.
    SetGasMeter,
    /// Sets storage quotas.
    SetStorageQuota,
    /// Makes meters.
    MintGas,
    /// Makes quotas.
    MintQuota,
    /// Makes catchers.
    CreateYieldCatcher,
    /// The marker of the yield of who ran out of gas.
    OogMarker,
    /// The marker of the yield of who ran out of quota.
    StorageExhaustedMarker,
    /// A stored file.
    File,
    /// Opens files.
    HostOpen,
    /// Saves files.
    HostSave,
}

impl KernelImage {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::GasMeter,
        Self::StorageQuota,
        Self::YieldCatcher,
        Self::Gas,
        Self::Quota,
        Self::SetGasMeter,
        Self::SetStorageQuota,
        Self::MintGas,
        Self::MintQuota,
        Self::CreateYieldCatcher,
        Self::OogMarker,
        Self::StorageExhaustedMarker,
        Self::File,
        Self::HostOpen,
        Self::HostSave,
    ];

    /// What is hashed.
    pub const fn label(self) -> &'static str {
        match self {
            Self::GasMeter => "kernel:gasmeter",
            Self::StorageQuota => "kernel:storagequota",
            Self::YieldCatcher => "kernel:yieldcatcher",
            Self::Gas => "kernel:gas",
            Self::Quota => "kernel:quota",
            Self::SetGasMeter => "kernel:set_gas_meter",
            Self::SetStorageQuota => "kernel:set_storage_quota",
            Self::MintGas => "kernel:mint_gas",
            Self::MintQuota => "kernel:mint_quota",
            Self::CreateYieldCatcher => "kernel:create_yield_catcher",
            Self::OogMarker => "kernel:oog_marker",
            Self::StorageExhaustedMarker => "kernel:storage_exhausted_marker",
            Self::File => "kernel:file",
            Self::HostOpen => "kernel:host_open",
            Self::HostSave => "kernel:host_save",
        }
    }

    /// The hash that stands for it.
    pub fn hash(self) -> CapHash {
        static HASHES: LazyLock<[CapHash; 15]> =
            LazyLock::new(|| KernelImage::ALL.map(|image| blake2b(image.label().as_bytes())));
        HASHES[self as usize]
    }

    /// The one with this hash, if any.
    pub fn recognize(hash: CapHash) -> Option<Self> {
        Self::ALL.into_iter().find(|image| image.hash() == hash)
    }

    /// The instance of this image that means the `id`-th thing of its kind: a meter, a quota, a catcher.
    pub fn instance(self, id: u64) -> InstanceCap {
        let hash = self.hash();
        let mut regs = [0; 13];
        regs[ID_REGISTER] = id;
        InstanceCap {
            image_hash_chain: hash,
            image_hash: hash,
            root_cnode: CNode::nothing_hash(),
            rw_overlays: Vec::new(),
            mem_size: 0,
            regs,
            pc: 0,
            gas_remaining: 0,
        }
    }
}

/// The register of a kernel instance that says which one it is.
const ID_REGISTER: usize = 7;

impl InstanceCap {
    /// What this is an instance of, and which one, if the machine knows it without code.
    pub fn kernel(&self) -> Option<(KernelImage, u64)> {
        (self.image_hash_chain == self.image_hash).then_some(())?;
        KernelImage::recognize(self.image_hash).map(|image| (image, self.regs[ID_REGISTER]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_recognized_and_differ() {
        let mut labels: Vec<_> = KernelImage::ALL.iter().map(|image| image.label()).collect();
        labels.sort_unstable();
        labels.dedup();
        assert_eq!(labels.len(), KernelImage::ALL.len());
        for image in KernelImage::ALL {
            assert_eq!(KernelImage::recognize(image.hash()), Some(image));
            assert_eq!(image.instance(7).kernel(), Some((image, 7)));
        }
        assert_eq!(KernelImage::recognize(CapHash::default()), None);
    }
}
