//! Capabilities: the five kinds, their hashes and their bytes.

use core::fmt;
use std::sync::{Arc, OnceLock};

use codec::{Decode, DecodeAll, Encode, Input, Output};
use hatchery_engine::memory::PAGE_SIZE;

use crate::cnode::CNode;
use crate::hash::{self, CapHash, Chunk};
use crate::image::Image;
use crate::working::CapRef;

/// Bytes of a page.
pub(crate) const PAGE: usize = PAGE_SIZE as usize;
/// The most pages of a data capability or an instance, as the address space has.
const PAGES_LOG: u32 = 20;

/// A capability: what a slot can hold. It is immutable and known by its hash.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub enum Cap {
    /// A program with memory, registers and slots of its own. To hold it is to be allowed to call it.
    #[codec(index = 0)]
    Instance(InstanceCap),
    /// A program. To hold it is to be allowed to make instances.
    #[codec(index = 1)]
    Image(Image),
    /// Bytes.
    #[codec(index = 2)]
    Data(DataCap),
    /// Slots.
    #[codec(index = 3)]
    CNode(CNode),
    /// What an instance is an instance of. It identifies and allows nothing.
    #[codec(index = 4)]
    Type(TypeCap),
}

/// The kinds of capabilities, by their numbers in hashes and bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Kind {
    /// A program with memory, registers and slots.
    Instance = 0,
    /// A program.
    Image = 1,
    /// Bytes.
    Data = 2,
    /// Slots.
    CNode = 3,
    /// An identity.
    Type = 4,
}

/// An instance that is not being executed.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct InstanceCap {
    /// Which images it is and was an instance of, see [`genesis_chain`](crate::genesis_chain).
    pub image_hash_chain: CapHash,
    /// Its image.
    pub image_hash: CapHash,
    /// Its slots: a node of 256.
    pub root_cnode: CapHash,
    /// The pages of its memory that are not as its mappings say, in ascending order.
    pub rw_overlays: Vec<Overlay>,
    /// End of its highest mapping.
    pub mem_size: u32,
    /// Registers. Zero means: as the endpoint says.
    pub regs: [u64; 13],
    /// Where it stopped; zero if it was never executed.
    pub pc: u64,
    /// Of no meaning here, and zero in what this machine makes: gas is in meters, which cannot be copied.
    pub gas_remaining: u64,
}

/// A page of an instance's memory.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Overlay {
    /// Its address.
    pub start: u32,
    /// Its bytes.
    pub bytes: Arc<Page>,
}

/// A page: 4096 bytes, which do not change, and the root of their tree once it was wanted.
#[derive(Clone)]
pub struct Page {
    bytes: [u8; PAGE],
    root: OnceLock<Chunk>,
}

/// Bytes, in whole pages.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct DataCap {
    /// The pages.
    pub pages: Vec<PageSlot>,
}

/// A page of a [`DataCap`].
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub enum PageSlot {
    /// Its bytes are here.
    Loaded(Arc<Page>),
    /// Only the root of its tree is known. The hash of the capability is the same.
    Missing([u8; 32]),
}

/// What an instance is an instance of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct TypeCap {
    /// The chain of images.
    pub image_hash_chain: CapHash,
}

/// What a slot holds: a capability by its hash, or one that is being worked on.
#[derive(Clone, PartialEq, Eq)]
pub enum CapHashOrRef {
    /// The capability with this hash.
    Hash(CapHash),
    /// A capability without a hash so far.
    Ref(CapRef),
}

/// Bytes are no capability.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CapDecodeError {
    /// Their structure is wrong.
    #[error("not a capability: {reason}")]
    Structure {
        /// Why.
        reason: String,
    },
    /// It is an instance whose parts do not go together.
    #[error("not an instance: {reason}")]
    Instance {
        /// Why.
        reason: &'static str,
    },
    /// It is data that do not fit the address space.
    #[error("data of {pages} pages: at most 2^20 are possible")]
    Data {
        /// How many pages.
        pages: usize,
    },
    /// It is an image that breaks a rule.
    #[error(transparent)]
    Image(#[from] crate::image::ImageError),
}

/// A slot of a node to be hashed or written has no hash: it is being worked on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("slot {slot} holds what is being worked on: settle it first")]
pub struct Unsettled {
    /// Which slot.
    pub slot: u16,
}

impl Cap {
    /// Which kind it is.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Instance(_) => Kind::Instance,
            Self::Image(_) => Kind::Image,
            Self::Data(_) => Kind::Data,
            Self::CNode(_) => Kind::CNode,
            Self::Type(_) => Kind::Type,
        }
    }

    /// Its hash: the SSZ hash tree root of the union of the kinds, with SHA-256.
    ///
    /// # Errors
    /// If it is a node with a slot that has no hash.
    pub fn hash(&self) -> Result<CapHash, Unsettled> {
        self.check_settled()?;
        let root = match self {
            Self::Instance(instance) => instance.tree_root(),
            Self::Image(image) => image.tree_root(),
            Self::Data(data) => data.tree_root(),
            Self::CNode(node) => node.tree_root(),
            Self::Type(it) => it.image_hash_chain.0,
        };
        Ok(CapHash(hash::union(root, self.kind() as u8)))
    }

    /// Its bytes, by which stores keep it (SCALE).
    ///
    /// # Errors
    /// If it is a node with a slot that has no hash.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Unsettled> {
        self.check_settled()?;
        Ok(self.encode())
    }

    /// The opposite of [`Cap::to_bytes`].
    ///
    /// # Errors
    /// If the bytes are anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CapDecodeError> {
        let cap = Self::decode_all(&mut &bytes[..])
            .map_err(|error| CapDecodeError::Structure { reason: error.to_string() })?;
        cap.check()?;
        Ok(cap)
    }

    /// The capabilities that it names, with what they have to be.
    pub fn references(&self) -> Vec<(CapHash, Option<Kind>)> {
        match self {
            Self::Instance(instance) => {
                let mut references = vec![(instance.root_cnode, Some(Kind::CNode))];
                if instance.kernel().is_none() {
                    references.push((instance.image_hash, Some(Kind::Image)));
                }
                references
            }
            Self::Image(image) => {
                image.pinned.iter().chain(&image.initial).map(|slot| (slot.cap, None)).collect()
            }
            Self::CNode(node) => node.iter().filter_map(|(_, cap)| Some((cap.hash()?, None))).collect(),
            Self::Data(_) | Self::Type(_) => Vec::new(),
        }
    }

    /// The node it is, if it is one.
    pub(crate) const fn as_cnode(&self) -> Option<&CNode> {
        match self {
            Self::CNode(node) => Some(node),
            _ => None,
        }
    }

    /// Checks the rules of its kind that types do not keep.
    pub(crate) fn check(&self) -> Result<(), CapDecodeError> {
        match self {
            Self::Image(image) => Ok(image.check()?),
            Self::Instance(instance) => instance.check(),
            Self::Data(data) => data.check(),
            Self::CNode(_) | Self::Type(_) => Ok(()),
        }
    }

    /// How many bytes it takes, roughly.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Instance(instance) => 300 + instance.rw_overlays.len() * (PAGE + 32),
            Self::Image(image) => image.weight(),
            Self::Data(data) => 32 + data.pages.len() * (PAGE + 32),
            Self::CNode(node) => 64 + node.filled() * 64,
            Self::Type(_) => 64,
        }
    }

    fn check_settled(&self) -> Result<(), Unsettled> {
        let Self::CNode(node) = self else { return Ok(()) };
        match node.iter().find(|(_, cap)| cap.hash().is_none()) {
            Some((slot, _)) => Err(Unsettled { slot }),
            None => Ok(()),
        }
    }
}

impl InstanceCap {
    /// An instance as it is before it has ever been called, with the slots `root_cnode`.
    pub fn new(image: CapHash, root_cnode: CapHash, mem_size: u32) -> Self {
        Self {
            image_hash_chain: hash::genesis_chain(image),
            image_hash: image,
            root_cnode,
            rw_overlays: Vec::new(),
            mem_size,
            regs: [0; 13],
            pc: 0,
            gas_remaining: 0,
        }
    }

    /// Whether it was made by one with the chain `ancestor`, or was it before its image was replaced: one step only.
    pub fn is_derived_from(&self, ancestor: CapHash) -> bool {
        self.image_hash_chain == hash::extended_chain(ancestor, self.image_hash)
    }

    fn check(&self) -> Result<(), CapDecodeError> {
        let mut next = 0u64;
        for overlay in &self.rw_overlays {
            if overlay.start % PAGE_SIZE != 0 {
                return Err(CapDecodeError::Instance {
                    reason: "an overlay does not begin where a page does",
                });
            }
            if u64::from(overlay.start) < next {
                return Err(CapDecodeError::Instance { reason: "its overlays are not in ascending order" });
            }
            next = u64::from(overlay.start) + u64::from(PAGE_SIZE);
        }
        Ok(())
    }

    fn tree_root(&self) -> Chunk {
        let overlays: Vec<Chunk> = self.rw_overlays.iter().map(Overlay::tree_root).collect();
        let regs: Vec<u8> = self.regs.iter().flat_map(|reg| reg.to_le_bytes()).collect();
        hash::vector(
            &[
                self.image_hash_chain.0,
                self.image_hash.0,
                self.root_cnode.0,
                hash::list(&overlays, PAGES_LOG),
                hash::number(self.mem_size.into()),
                hash::packed(&regs, 2),
                hash::number(self.pc),
                hash::number(self.gas_remaining),
            ],
            3,
        )
    }
}

impl Overlay {
    fn tree_root(&self) -> Chunk {
        hash::vector(&[hash::number(self.start.into()), self.bytes.tree_root()], 1)
    }
}

impl Page {
    /// A page of these bytes.
    pub const fn new(bytes: [u8; PAGE]) -> Self {
        Self { bytes, root: OnceLock::new() }
    }

    /// Its bytes.
    pub const fn bytes(&self) -> &[u8; PAGE] {
        &self.bytes
    }

    /// The root of its tree: of 128 times 32 bytes. It is computed once.
    pub fn tree_root(&self) -> [u8; 32] {
        *self.root.get_or_init(|| hash::page(&self.bytes))
    }
}

impl DataCap {
    /// These bytes, padded with zeros to whole pages.
    pub fn new(bytes: &[u8]) -> Self {
        let page = |part: &[u8]| {
            let mut page = [0; PAGE];
            page[..part.len()].copy_from_slice(part);
            PageSlot::Loaded(Arc::new(Page::new(page)))
        };
        Self { pages: bytes.chunks(PAGE).map(page).collect() }
    }

    /// More pages than their tree has leaves would not all count for the hash.
    fn check(&self) -> Result<(), CapDecodeError> {
        match self.pages.len() {
            pages if pages > 1 << PAGES_LOG => Err(CapDecodeError::Data { pages }),
            _ => Ok(()),
        }
    }

    /// Its length in bytes, a multiple of 4096.
    pub fn length(&self) -> u64 {
        self.pages.len() as u64 * PAGE as u64
    }

    /// A page; none if it lies behind the end.
    ///
    /// # Errors
    /// With the root of its tree if its bytes are not here.
    pub fn page(&self, number: usize) -> Result<Option<&Arc<Page>>, [u8; 32]> {
        match self.pages.get(number) {
            None => Ok(None),
            Some(PageSlot::Loaded(page)) => Ok(Some(page)),
            Some(PageSlot::Missing(root)) => Err(*root),
        }
    }

    /// The number of the first page that is not here.
    pub(crate) fn missing_page(&self) -> Option<usize> {
        self.pages.iter().position(|page| matches!(page, PageSlot::Missing(_)))
    }

    /// These data with the pages that they lack and others have, which have the same hash; none if there are no such pages.
    pub(crate) fn completed(&self, others: &Self) -> Option<Self> {
        let lacks = |(own, other): (&PageSlot, &PageSlot)| {
            matches!((own, other), (PageSlot::Missing(_), PageSlot::Loaded(_)))
        };
        self.pages.iter().zip(&others.pages).any(lacks).then(|| {
            let page =
                |(own, other): (&PageSlot, &PageSlot)| if lacks((own, other)) { other } else { own }.clone();
            Self { pages: self.pages.iter().zip(&others.pages).map(page).collect() }
        })
    }

    /// The first `length` bytes, or fewer if there are no more.
    ///
    /// # Errors
    /// With the root of its tree if a page among them is not here.
    pub fn prefix(&self, length: u64) -> Result<Vec<u8>, [u8; 32]> {
        let length = length.min(self.length()) as usize;
        let mut bytes = Vec::with_capacity(length.next_multiple_of(PAGE));
        for number in 0..length.div_ceil(PAGE) {
            bytes.extend_from_slice(self.page(number)?.map_or(&[], |page| &page.bytes[..]));
        }
        bytes.truncate(length);
        Ok(bytes)
    }

    fn tree_root(&self) -> Chunk {
        let pages: Vec<Chunk> = self
            .pages
            .iter()
            .map(|page| match page {
                PageSlot::Loaded(page) => page.tree_root(),
                PageSlot::Missing(root) => *root,
            })
            .collect();
        hash::list(&pages, PAGES_LOG)
    }
}

impl CapHashOrRef {
    /// The hash, if it has one.
    pub const fn hash(&self) -> Option<CapHash> {
        match self {
            Self::Hash(hash) => Some(*hash),
            Self::Ref(_) => None,
        }
    }

    /// What is being worked on, if it is.
    pub const fn working(&self) -> Option<&CapRef> {
        match self {
            Self::Hash(_) => None,
            Self::Ref(working) => Some(working),
        }
    }
}

impl From<CapHash> for CapHashOrRef {
    fn from(hash: CapHash) -> Self {
        Self::Hash(hash)
    }
}

impl From<CapRef> for CapHashOrRef {
    fn from(working: CapRef) -> Self {
        Self::Ref(working)
    }
}

impl fmt::Debug for CapHashOrRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hash(hash) => write!(f, "{hash:?}"),
            Self::Ref(working) => write!(f, "{working:?}"),
        }
    }
}

impl Kind {
    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Image => "image",
            Self::Data => "data",
            Self::CNode => "cnode",
            Self::Type => "type",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl PageSlot {
    /// Whether it is a page of these bytes.
    pub(crate) fn is(&self, bytes: &[u8; PAGE]) -> bool {
        match self {
            Self::Loaded(page) => page.bytes == *bytes,
            Self::Missing(root) => hash::page(bytes) == *root,
        }
    }
}

impl PartialEq for Page {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Page {}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let used = self.bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        write!(f, "page of {used} bytes")
    }
}

impl Encode for Page {
    fn encode_to<T: Output + ?Sized>(&self, dest: &mut T) {
        dest.write(&self.bytes);
    }
}

impl Decode for Page {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        let mut page = [0; PAGE];
        input.read(&mut page)?;
        Ok(Self::new(page))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_page_hashes_as_its_bytes() {
        let data = DataCap::new(&[7; 10_000]);
        let mut pruned = data.clone();
        let root = data.page(1).unwrap().unwrap().tree_root();
        pruned.pages[1] = PageSlot::Missing(root);
        assert_eq!(Cap::Data(pruned.clone()).hash(), Cap::Data(data.clone()).hash());
        assert_eq!(pruned.prefix(4096).unwrap(), [7; 4096]);
        assert_eq!(pruned.prefix(4097), Err(root));
        assert_eq!(data.prefix(u64::MAX).unwrap().len(), 3 * 4096);
        assert_eq!(&data.prefix(10_001).unwrap()[9_999..], [7, 0]);
    }

    #[test]
    fn the_same_content_as_another_kind_has_another_hash() {
        let hash = |cap: Cap| cap.hash().unwrap();
        let nothing = hash(Cap::Data(DataCap::default()));
        let of_type = hash(Cap::Type(TypeCap { image_hash_chain: CapHash(DataCap::default().tree_root()) }));
        assert_ne!(nothing, of_type);
        assert_ne!(hash(Cap::CNode(CNode::root())), hash(Cap::CNode(CNode::nothing())));
        assert_ne!(hash(Cap::Data(DataCap::new(&[0]))), nothing, "a page of zeros is a page");
        assert_ne!(hash(Cap::Data(DataCap::new(&[0; 4097]))), hash(Cap::Data(DataCap::new(&[0]))));
        assert_eq!(CNode::nothing_hash(), hash(Cap::CNode(CNode::nothing())));
    }

    #[test]
    fn every_field_of_an_instance_counts() {
        let instance = InstanceCap::new(CapHash([1; 32]), CapHash([2; 32]), 4096);
        let changes: [fn(&mut InstanceCap); 9] = [
            |i| i.image_hash_chain.0[0] ^= 1,
            |i| i.image_hash.0[31] ^= 1,
            |i| i.root_cnode.0[5] ^= 1,
            |i| i.rw_overlays.push(Overlay { start: 0, bytes: Arc::new(Page::new([0; PAGE])) }),
            |i| i.rw_overlays.push(Overlay { start: 4096, bytes: Arc::new(Page::new([0; PAGE])) }),
            |i| i.mem_size += 1,
            |i| i.regs[12] = 1,
            |i| i.pc = 1,
            |i| i.gas_remaining = 1,
        ];
        let mut hashes = vec![Cap::Instance(instance.clone()).hash().unwrap()];
        for change in changes {
            let mut changed = instance.clone();
            change(&mut changed);
            hashes.push(Cap::Instance(changed).hash().unwrap());
        }
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), 10);
    }

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let mut instance = InstanceCap::new(CapHash([1; 32]), CapHash([2; 32]), 4096);
        let page = |start| Overlay { start, bytes: Arc::new(Page::new([9; PAGE])) };
        instance.rw_overlays = vec![page(0x1_0000), page(0x2_0000)];
        for cap in [
            Cap::Instance(instance.clone()),
            Cap::Data(DataCap::new(&[1, 2, 3])),
            Cap::CNode(CNode::root()),
            Cap::Type(TypeCap { image_hash_chain: CapHash([4; 32]) }),
        ] {
            let bytes = cap.to_bytes().unwrap();
            assert_eq!(Cap::from_bytes(&bytes).unwrap(), cap);
            assert!(Cap::from_bytes(&bytes[..bytes.len() - 1]).is_err());
            assert!(Cap::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
        }
        assert!(Cap::from_bytes(&[5]).is_err());
        assert!(Cap::from_bytes(&[]).is_err());
        for overlays in [vec![page(1)], vec![page(0x2_0000), page(0x1_0000)], vec![page(0), page(0)]] {
            let bytes =
                Cap::Instance(InstanceCap { rw_overlays: overlays, ..instance.clone() }).to_bytes().unwrap();
            assert!(matches!(Cap::from_bytes(&bytes), Err(CapDecodeError::Instance { .. })));
        }
    }
}
