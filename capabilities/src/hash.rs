//! Hashes: of capabilities (SSZ hash tree roots with SHA-256), of chains of images and of the kernel's own images (Blake2b-256).

use core::fmt;
use core::str::FromStr;

use codec::{Decode, Encode};
use ethereum_hashing::{ZERO_HASHES, hash32_concat};
use tree_hash::{Hash256, MerkleHasher};

use crate::cap::PAGE;

/// The hash by which a capability is known: the SSZ hash tree root of a [`Cap`](crate::Cap).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode)]
pub struct CapHash(pub [u8; 32]);

/// A text is not a hash.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a hash is 64 hexadecimal digits")]
pub struct NotAHash;

/// The chain that an instance begins with, whose image has the hash `image`.
pub fn genesis_chain(image: CapHash) -> CapHash {
    blake2b(&image.0)
}

/// The chain of an instance after `image` replaced the image before it (SET_IMAGE), or of an instance that one with the chain
/// `previous` has made from `image` (DERIVE_SPAWN).
pub fn extended_chain(previous: CapHash, image: CapHash) -> CapHash {
    let mut pair = [0; 64];
    pair[..32].copy_from_slice(&previous.0);
    pair[32..].copy_from_slice(&image.0);
    blake2b(&pair)
}

pub(crate) fn blake2b(bytes: &[u8]) -> CapHash {
    let hash = blake2b_simd::Params::new().hash_length(32).hash(bytes);
    let mut array = [0; 32];
    array.copy_from_slice(hash.as_bytes());
    CapHash(array)
}

/// A node or leaf of a hash tree.
pub(crate) type Chunk = [u8; 32];

/// A number as a leaf.
pub(crate) fn number(value: u64) -> Chunk {
    let mut chunk = [0; 32];
    chunk[..8].copy_from_slice(&value.to_le_bytes());
    chunk
}

/// The root of a vector of at most `2^depth` leaves, the missing ones zero.
pub(crate) fn vector(leaves: &[Chunk], depth: u32) -> Chunk {
    if depth == 0 {
        return leaves.first().copied().unwrap_or_default();
    }
    let mut hasher = MerkleHasher::with_leaves(1 << depth);
    for leaf in leaves {
        // Callers have checked how many there are.
        let _ = hasher.write(leaf);
    }
    hasher.finish().unwrap_or_default().0
}

/// The root of a list of at most `2^depth` elements with these roots.
pub(crate) fn list(elements: &[Chunk], depth: u32) -> Chunk {
    tree_hash::mix_in_length(&Hash256::from(vector(elements, depth)), elements.len()).0
}

/// The root of a list of at most `2^depth` times 32 bytes.
pub(crate) fn bytes(bytes: &[u8], depth: u32) -> Chunk {
    tree_hash::mix_in_length(&Hash256::from(packed(bytes, depth)), bytes.len()).0
}

/// The root of a page: of 128 times 32 bytes, as [`packed`] with a depth of 7, several times as fast.
pub(crate) fn page(bytes: &[u8; PAGE]) -> Chunk {
    let mut nodes = [0; PAGE / 2];
    join(bytes, &mut nodes);
    // Each level takes the place of the one below.
    let mut length = nodes.len();
    while length > 32 {
        for at in (0..length).step_by(64) {
            let mut parent = [0; 32];
            join(&nodes[at..at + 64], &mut parent);
            nodes[at / 2..at / 2 + 32].copy_from_slice(&parent);
        }
        length /= 2;
    }
    let mut root = [0; 32];
    root.copy_from_slice(&nodes[..32]);
    root
}

/// SHA-256 of each 64 bytes of `pairs`.
fn join(pairs: &[u8], parents: &mut [u8]) {
    /// What SHA-256 begins with.
    const INITIAL: [u32; 8] = [
        0x6a09_e667,
        0xbb67_ae85,
        0x3c6e_f372,
        0xa54f_f53a,
        0x510e_527f,
        0x9b05_688c,
        0x1f83_d9ab,
        0x5be0_cd19,
    ];
    /// What it puts behind 64 bytes: a bit, and their number.
    const PADDING: [u8; 64] = {
        let mut padding = [0; 64];
        padding[0] = 0x80;
        padding[62] = 2;
        padding
    };
    for (pair, parent) in pairs.chunks_exact(64).zip(parents.chunks_exact_mut(32)) {
        let mut block = [0; 64];
        block.copy_from_slice(pair);
        let mut state = INITIAL;
        sha2::compress256(&mut state, &[block.into(), PADDING.into()]);
        for (bytes, word) in parent.chunks_exact_mut(4).zip(state) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
    }
}

/// The root of `2^depth` times 32 bytes, the missing ones zero.
pub(crate) fn packed(bytes: &[u8], depth: u32) -> Chunk {
    let mut hasher = MerkleHasher::with_leaves(1 << depth);
    let _ = hasher.write(bytes);
    hasher.finish().unwrap_or_default().0
}

/// The root of a union whose value is of the kind `selector` and has this root.
pub(crate) fn union(root: Chunk, selector: u8) -> Chunk {
    tree_hash::mix_in_selector(&Hash256::from(root), selector).unwrap_or_default().0
}

/// The root of a vector of `2^depth` leaves, of which these, in ascending order, are not zero.
pub(crate) fn sparse(leaves: impl Iterator<Item = (u32, Chunk)>, depth: u32) -> Chunk {
    let mut level: Vec<(u32, Chunk)> = leaves.collect();
    for height in 0..depth as usize {
        let mut next: Vec<(u32, Chunk)> = Vec::with_capacity(level.len().div_ceil(2));
        let mut nodes = level.iter().copied().peekable();
        while let Some((index, node)) = nodes.next() {
            let parent = if index % 2 == 1 {
                hash32_concat(&ZERO_HASHES[height], &node)
            } else {
                let right = nodes.next_if(|(other, _)| *other == index + 1);
                hash32_concat(&node, right.as_ref().map_or(&ZERO_HASHES[height][..], |(_, node)| node))
            };
            next.push((index / 2, parent));
        }
        level = next;
    }
    level.first().map_or_else(
        || {
            let mut zero = [0; 32];
            zero.copy_from_slice(&ZERO_HASHES[depth as usize]);
            zero
        },
        |(_, root)| *root,
    )
}

impl fmt::Display for CapHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = hex::encode(self.0);
        // A precision shortens it, as for text.
        f.write_str(&digits[..f.precision().map_or(64, |most| most.min(64))])
    }
}

impl fmt::Debug for CapHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:.8}")
    }
}

impl FromStr for CapHash {
    type Err = NotAHash;

    fn from_str(digits: &str) -> Result<Self, NotAHash> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| NotAHash)?;
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sparse_and_dense_trees_have_the_same_root() {
        for filled in [vec![], vec![0], vec![1], vec![0, 1], vec![3, 4, 15], (0..16).collect::<Vec<u32>>()] {
            let mut dense = [[0; 32]; 16];
            for &index in &filled {
                dense[index as usize] = number(u64::from(index) + 1);
            }
            let leaves = filled.iter().map(|&index| (index, dense[index as usize]));
            assert_eq!(sparse(leaves, 4), vector(&dense, 4), "{filled:?}");
        }
    }

    #[test]
    fn pages_hash_as_the_library_says() {
        let bytes = core::array::from_fn(|at| ((at * at) >> 3) as u8);
        assert_eq!(page(&bytes), packed(&bytes, 7));
        assert_eq!(page(&[0; PAGE]), ZERO_HASHES[7]);
    }

    #[test]
    fn hashes_are_written_and_read() {
        let hash = blake2b(b"kernel:gas");
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert_eq!(format!("{hash:.6}").len(), 6);
        assert_eq!("12".parse::<CapHash>(), Err(NotAHash));
        assert_eq!(format!("{}zz", &hash.to_string()[2..]).parse::<CapHash>(), Err(NotAHash));
    }

    #[test]
    fn a_chain_is_not_the_hash_of_its_image() {
        let [a, b] = [blake2b(b"a"), blake2b(b"b")];
        assert_ne!(genesis_chain(a), a);
        assert_ne!(extended_chain(a, b), extended_chain(b, a));
    }
}
