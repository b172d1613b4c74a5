//! Capability nodes: numbered slots that hold capabilities, and paths through them.

use core::fmt;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use codec::{Decode, Encode, Input, Output};

use crate::cap::CapHashOrRef;
use crate::hash::{self, CapHash, Chunk};
use crate::working::{self, CapRef};

/// Slots of the largest node: 2^16.
pub const MAX_SIZE_LOG: u8 = 16;
/// Slots of an instance's root node: 2^8, so that a byte names one.
pub const ROOT_SIZE_LOG: u8 = 8;
/// The longest path, in steps.
pub const MAX_PATH: usize = 8;

/// A node of `2^size_log` slots, most of them empty.
///
/// It is a value: copies go their own ways. Slots can hold capabilities that are being worked on; they are replaced by their
/// hashes when the node is settled.
#[derive(Clone, PartialEq, Eq)]
pub struct CNode {
    size_log: u8,
    slots: BTreeMap<u16, CapHashOrRef>,
}

/// Why a slot cannot be reached or changed. Nothing was done.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SlotError {
    /// There are no larger nodes than those of 2^16 slots.
    #[error("a node of 2^{size_log} slots: at most 2^16 are possible")]
    Size {
        /// Logarithm of the number of slots.
        size_log: u8,
    },
    /// The node is smaller.
    #[error("slot {path} is not in its node, which has {slots} slots")]
    OutOfRange {
        /// Where.
        path: SlotPath,
        /// How many slots there are.
        slots: u32,
    },
    /// A step of the path leads through what is no node.
    #[error("step {step} of the path {path} does not lead to a node")]
    NotANode {
        /// The path.
        path: SlotPath,
        /// Which of its steps, from 0.
        step: usize,
    },
    /// The slot is pinned by the image, or below one that is.
    #[error("slot {path} is pinned")]
    Pinned {
        /// Where.
        path: SlotPath,
    },
    /// The slot is empty.
    #[error("slot {path} is empty")]
    Empty {
        /// Where.
        path: SlotPath,
    },
    /// A node cannot be put into itself.
    #[error("{to} lies in what {from} holds: it cannot be moved there")]
    IntoItself {
        /// What is to be moved.
        from: SlotPath,
        /// Where to.
        to: SlotPath,
    },
}

impl CNode {
    /// A node of `2^size_log` empty slots.
    ///
    /// # Errors
    /// If that is more than 2^16.
    pub fn new(size_log: u8) -> Result<Self, SlotError> {
        if size_log > MAX_SIZE_LOG {
            return Err(SlotError::Size { size_log });
        }
        Ok(Self { size_log, slots: BTreeMap::new() })
    }

    /// An empty root node, of 256 slots.
    pub const fn root() -> Self {
        Self { size_log: ROOT_SIZE_LOG, slots: BTreeMap::new() }
    }

    /// The node of one empty slot, which instances have that can hold nothing.
    pub const fn nothing() -> Self {
        Self { size_log: 0, slots: BTreeMap::new() }
    }

    /// The hash of [`CNode::nothing`].
    pub fn nothing_hash() -> CapHash {
        static HASH: LazyLock<CapHash> =
            LazyLock::new(|| CapHash(hash::union(CNode::nothing().tree_root(), 3)));
        *HASH
    }

    /// Logarithm of the number of slots.
    pub const fn size_log(&self) -> u8 {
        self.size_log
    }

    /// How many slots there are.
    pub const fn size(&self) -> u32 {
        1 << self.size_log
    }

    /// How many slots are not empty.
    pub fn filled(&self) -> usize {
        self.slots.len()
    }

    /// What a slot holds.
    pub fn get(&self, slot: u16) -> Option<&CapHashOrRef> {
        self.slots.get(&slot)
    }

    /// What a slot holds, to be changed.
    pub fn get_mut(&mut self, slot: u16) -> Option<&mut CapHashOrRef> {
        self.slots.get_mut(&slot)
    }

    /// Puts a capability into a slot, or empties it, and gives what it held.
    ///
    /// # Errors
    /// If there is no such slot.
    pub fn set(
        &mut self,
        slot: u16,
        cap: Option<impl Into<CapHashOrRef>>,
    ) -> Result<Option<CapHashOrRef>, SlotError> {
        if u32::from(slot) >= self.size() {
            return Err(SlotError::OutOfRange { path: SlotPath::slot(slot), slots: self.size() });
        }
        Ok(match cap {
            Some(cap) => self.slots.insert(slot, cap.into()),
            None => self.slots.remove(&slot),
        })
    }

    /// Empties a slot and gives what it held.
    pub fn take(&mut self, slot: u16) -> Option<CapHashOrRef> {
        self.slots.remove(&slot)
    }

    /// The slots that are not empty, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (u16, &CapHashOrRef)> {
        self.slots.iter().map(|(&slot, cap)| (slot, cap))
    }

    /// The capabilities that are being worked on.
    pub(crate) fn working(&self) -> impl Iterator<Item = &CapRef> {
        self.slots.values().filter_map(CapHashOrRef::working)
    }

    pub(crate) fn replace(&mut self, mut by: impl FnMut(&CapRef) -> Option<CapHash>) {
        for cap in self.slots.values_mut() {
            if let CapHashOrRef::Ref(working) = cap
                && let Some(hash) = by(working)
            {
                *cap = hash.into();
            }
        }
    }

    pub(crate) fn into_working(mut self) -> impl Iterator<Item = CapRef> {
        core::mem::take(&mut self.slots).into_values().filter_map(|cap| match cap {
            CapHashOrRef::Ref(working) => Some(working),
            CapHashOrRef::Hash(_) => None,
        })
    }

    /// The root of its tree, whose depth is 16 whatever its size. Slots that are being worked on count as zero: settle first.
    pub(crate) fn tree_root(&self) -> Chunk {
        let leaves = self
            .slots
            .iter()
            .map(|(&slot, cap)| (u32::from(slot), cap.hash().map_or([0; 32], |hash| hash.0)));
        let slots = hash::sparse(leaves, MAX_SIZE_LOG.into());
        hash::vector(&[hash::number(self.size_log.into()), slots], 1)
    }
}

impl Drop for CNode {
    fn drop(&mut self) {
        // Nodes in nodes in nodes: without recursion, because guests choose how deep.
        if self.slots.values().any(|cap| cap.working().is_some()) {
            working::drop_all(core::mem::take(&mut self.slots).into_values().filter_map(|cap| match cap {
                CapHashOrRef::Ref(working) => Some(working),
                CapHashOrRef::Hash(_) => None,
            }));
        }
    }
}

impl fmt::Debug for CNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "2^{} ", self.size_log)?;
        f.debug_map().entries(&self.slots).finish()
    }
}

impl Encode for CNode {
    fn encode_to<T: Output + ?Sized>(&self, dest: &mut T) {
        self.size_log.encode_to(dest);
        let slots: Vec<(u16, CapHash)> =
            self.slots.iter().filter_map(|(&slot, cap)| Some((slot, cap.hash()?))).collect();
        slots.encode_to(dest);
    }
}

impl Decode for CNode {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        let mut node = Self::new(u8::decode(input)?).map_err(|_| "a node has at most 2^16 slots")?;
        let mut next = 0;
        for (slot, hash) in Vec::<(u16, CapHash)>::decode(input)? {
            if u32::from(slot) < next {
                return Err("the slots of a node are not in ascending order".into());
            }
            next = u32::from(slot) + 1;
            node.set(slot, Some(hash)).map_err(|_| "a slot exceeds the size of its node")?;
        }
        Ok(node)
    }
}

/// Where a capability lies: a slot of an instance's root node, then of the node in it, and so on, at most eight steps.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotPath {
    steps: [u16; MAX_PATH],
    length: u8,
}

/// What is no path.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PathError {
    /// Paths have at least one step and at most eight.
    #[error("a path has 1 to 8 steps, not {steps}")]
    Length {
        /// How many there are.
        steps: usize,
    },
    /// The first step is a slot of a root node.
    #[error("the first step {slot} is no slot of a root node, which has 256")]
    Root {
        /// The step.
        slot: u16,
    },
    /// The register holds no path.
    #[error("{register:#x} is no path: {reason}")]
    Register {
        /// The register.
        register: u64,
        /// Why.
        reason: &'static str,
    },
    /// The text is none.
    #[error("`{text}` is no path: write slots with slashes between them, such as 5/2")]
    Text {
        /// The text.
        text: String,
    },
}

/// A byte of a register that says that a step of two bytes follows.
const WIDE_STEP: u8 = 0xff;

impl SlotPath {
    /// The path of one step.
    pub const fn slot(slot: u16) -> Self {
        Self { steps: [slot, 0, 0, 0, 0, 0, 0, 0], length: 1 }
    }

    /// The path with these steps.
    ///
    /// # Errors
    /// If there are none or more than eight, or the first is no slot of a root node.
    pub fn new(steps: &[u16]) -> Result<Self, PathError> {
        let Some((&first, _)) = steps.split_first().filter(|_| steps.len() <= MAX_PATH) else {
            return Err(PathError::Length { steps: steps.len() });
        };
        if first >= 1 << ROOT_SIZE_LOG {
            return Err(PathError::Root { slot: first });
        }
        let mut path = Self { steps: [0; MAX_PATH], length: steps.len() as u8 };
        path.steps[..steps.len()].copy_from_slice(steps);
        Ok(path)
    }

    /// What a register means. Its lowest byte is a slot of the root node. The bytes above are further steps: zero is the end, 1 to
    /// 0xfe the slot below that number, and 0xff says that the next two bytes are the slot, which is at least 0xfe. So a slot
    /// of the root node is just its number.
    ///
    /// # Errors
    /// If there is something behind the end, or a wide step is cut off or smaller than it has to be.
    pub fn from_register(register: u64) -> Result<Self, PathError> {
        let bad = |reason| PathError::Register { register, reason };
        let bytes = register.to_le_bytes();
        let mut path = Self::slot(bytes[0].into());
        let mut at = 1;
        while at < bytes.len() && bytes[at] != 0 {
            let step = if bytes[at] == WIDE_STEP {
                let Some(wide) = bytes.get(at + 1..at + 3) else {
                    return Err(bad("its last step is cut off"));
                };
                at += 3;
                let step = u16::from_le_bytes([wide[0], wide[1]]);
                if step < u16::from(WIDE_STEP) - 1 {
                    return Err(bad("a step takes more bytes than it needs"));
                }
                step
            } else {
                at += 1;
                u16::from(bytes[at - 1]) - 1
            };
            path.steps[usize::from(path.length)] = step;
            path.length += 1;
        }
        if bytes[at.min(8)..].iter().any(|&byte| byte != 0) {
            return Err(bad("there is something behind its end"));
        }
        Ok(path)
    }

    /// The register that means this path; none if it does not fit.
    pub fn to_register(self) -> Option<u64> {
        let mut bytes = vec![self.steps[0] as u8];
        for &step in &self.steps()[1..] {
            match u8::try_from(u32::from(step) + 1).ok().filter(|&byte| byte < WIDE_STEP) {
                Some(byte) => bytes.push(byte),
                None => {
                    bytes.push(WIDE_STEP);
                    bytes.extend(step.to_le_bytes());
                }
            }
        }
        let mut register = [0; 8];
        register.get_mut(..bytes.len())?.copy_from_slice(&bytes);
        Some(u64::from_le_bytes(register))
    }

    /// Its steps, at least one.
    pub fn steps(&self) -> &[u16] {
        &self.steps[..usize::from(self.length)]
    }

    /// Its first step.
    pub const fn first(&self) -> u16 {
        self.steps[0]
    }

    /// Whether `self` lies in what `other` leads to.
    pub fn is_below(&self, other: &Self) -> bool {
        self.length > other.length && self.steps().starts_with(other.steps())
    }

    pub(crate) fn tree_root(&self) -> Chunk {
        let bytes: Vec<u8> = self.steps().iter().flat_map(|step| step.to_le_bytes()).collect();
        let mut chunk = [0; 32];
        chunk[..bytes.len()].copy_from_slice(&bytes);
        // A list of at most eight numbers of two bytes, which are half a leaf, under its length.
        hash::vector(&[chunk, hash::number(self.length.into())], 1)
    }
}

impl fmt::Display for SlotPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.steps[0])?;
        self.steps()[1..].iter().try_for_each(|step| write!(f, "/{step}"))
    }
}

impl fmt::Debug for SlotPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl core::str::FromStr for SlotPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let steps: Result<Vec<u16>, _> = text.split('/').map(str::parse).collect();
        Self::new(&steps.map_err(|_| PathError::Text { text: text.to_owned() })?)
    }
}

impl Encode for SlotPath {
    fn encode_to<T: Output + ?Sized>(&self, dest: &mut T) {
        self.steps().to_vec().encode_to(dest);
    }
}

impl Decode for SlotPath {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        Self::new(&Vec::<u16>::decode(input)?).map_err(|_| "not a path of slots".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_end_at_2_to_16() {
        assert_eq!(CNode::new(16).unwrap().size(), 65_536);
        assert_eq!(CNode::new(17), Err(SlotError::Size { size_log: 17 }));
        let mut one = CNode::nothing();
        assert!(one.set(0, Some(CapHash([1; 32]))).is_ok());
        let error = one.set(1, Some(CapHash([1; 32]))).unwrap_err();
        assert_eq!(error.to_string(), "slot 1 is not in its node, which has 1 slots");
        let mut largest = CNode::new(16).unwrap();
        assert!(largest.set(u16::MAX, Some(CapHash([1; 32]))).is_ok());
    }

    #[test]
    fn nodes_of_different_sizes_with_the_same_slots_differ() {
        let roots: Vec<Chunk> = (0..=16).map(|size| CNode::new(size).unwrap().tree_root()).collect();
        for (at, root) in roots.iter().enumerate() {
            assert!(!roots[..at].contains(root), "{at}");
        }
    }

    #[test]
    fn a_node_is_read_back_and_nothing_else_is() {
        let mut node = CNode::new(4).unwrap();
        node.set(3, Some(CapHash([3; 32]))).unwrap();
        node.set(15, Some(CapHash([15; 32]))).unwrap();
        let bytes = node.encode();
        assert_eq!(CNode::decode(&mut &bytes[..]).unwrap(), node);
        let wrong = |size_log: u8, slots: &[(u16, CapHash)]| {
            CNode::decode(&mut &(size_log, slots.to_vec()).encode()[..]).unwrap_err().to_string()
        };
        let cap = CapHash([1; 32]);
        assert!(wrong(17, &[]).contains("at most 2^16"));
        assert!(wrong(4, &[(16, cap)]).contains("exceeds the size"));
        assert!(wrong(4, &[(3, cap), (3, cap)]).contains("ascending"));
        assert!(wrong(4, &[(3, cap), (2, cap)]).contains("ascending"));
    }

    #[test]
    fn registers_are_paths() {
        let path = |steps: &[u16]| SlotPath::new(steps).unwrap();
        assert_eq!(SlotPath::from_register(0), Ok(path(&[0])));
        assert_eq!(SlotPath::from_register(255), Ok(path(&[255])));
        assert_eq!(SlotPath::from_register(0x0105), Ok(path(&[5, 0])));
        assert_eq!(SlotPath::from_register(0xfe05), Ok(path(&[5, 0xfd])));
        assert_eq!(SlotPath::from_register(0x00fe_ff05), Ok(path(&[5, 0xfe])));
        assert_eq!(SlotPath::from_register(0xffff_ff05), Ok(path(&[5, 0xffff])));
        assert_eq!(SlotPath::from_register(0x0101_0101_0101_0101), Ok(path(&[1, 0, 0, 0, 0, 0, 0, 0])));
        for register in
            [0x0001_0005, 0x00fd_ff05, 0xff00_0000_0000_0005, 0xff01_0101_0101_0105, 0x01ff_0101_0101_0105]
        {
            assert!(SlotPath::from_register(register).is_err(), "{register:#x}");
        }
    }

    #[test]
    fn paths_and_registers_go_together() {
        for steps in [&[7][..], &[7, 0], &[7, 0xfd], &[7, 0xfe, 0xffff], &[0, 1, 2, 3, 4, 5, 6, 7]] {
            let path = SlotPath::new(steps).unwrap();
            assert_eq!(SlotPath::from_register(path.to_register().unwrap()), Ok(path));
            assert_eq!(path.to_string().parse(), Ok(path));
        }
        assert_eq!(SlotPath::new(&[1, 500, 500, 500]).unwrap().to_register(), None);
    }

    #[test]
    fn what_is_no_path_is_refused() {
        assert_eq!(SlotPath::new(&[]), Err(PathError::Length { steps: 0 }));
        assert_eq!(SlotPath::new(&[0; 9]), Err(PathError::Length { steps: 9 }));
        assert_eq!(SlotPath::new(&[256]), Err(PathError::Root { slot: 256 }));
        assert!("5//2".parse::<SlotPath>().is_err());
        assert!("".parse::<SlotPath>().is_err());
    }
}
