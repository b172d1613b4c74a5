//! What a runtime can know of a snapshot's bytes.

use alloc::vec::Vec;
use codec::{Decode, Encode};

/// A snapshot taken apart, so that a runtime can store its pages each under its own key and write only those that have changed.
///
/// Encoding it gives the bytes again. Whether they are a snapshot is for `restore` to say: this only knows where parts end.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SnapshotParts {
    /// The version of the form: from 1 of a single instance, from 129 of a tree of processes.
    pub version: u8,
    /// Registers, gas and all else that is small: some 160 bytes, for each process.
    pub head: Vec<u8>,
    /// The pages of memory that are not as in the program: their numbers, ascending, and their bytes up to the last one that is
    /// not zero, at most 4096. In a tree the number of a page has the place of its process above the 20 bits that name the page, and
    /// a process keeps its place from beginning to end.
    pub pages: Vec<(u32, Vec<u8>)>,
    /// A hash of all of the above.
    pub digest: [u8; 32],
}

#[cfg(test)]
mod tests {
    use super::*;
    use codec::DecodeAll;

    #[test]
    fn parts_are_pinned() {
        let parts = SnapshotParts {
            version: 1,
            head: [2, 3].into(),
            pages: [(0x30, [4].into()), (0x0102_0304, Vec::new())].into(),
            digest: [5; 32],
        };
        let mut bytes = Vec::from([1, 8, 2, 3, 8, 0x30, 0, 0, 0, 4, 4, 4, 3, 2, 1, 0]);
        bytes.extend([5; 32]);
        assert_eq!(parts.encode(), bytes);
        assert_eq!(SnapshotParts::decode_all(&mut &bytes[..]), Ok(parts));
    }
}
