//! The byte form of a snapshot.
//!
//! ```text
//! u8          version: 1
//! Vec<u8>     the head, see below
//! Vec<(u32, Vec<u8>)>   pages: their numbers, ascending, and bytes up to the last one that is not zero
//! [u8; 32]    Blake2b-256 hash of everything before it
//! ```
//!
//! Whoever stores snapshots and writes only what has changed can take these four apart without knowing more.

use std::collections::BTreeMap;

use codec::{Decode, DecodeAll, Encode, EncodeLike, Error, Input, Output};

use super::{DataRange, Snapshot};
use crate::exit::{Exit, PageFault, Status, Trap, TrapKind};
use crate::memory::{PAGE_SIZE, PAGES, Permission, SavedMemory, SavedPage, SavedSource, SourcePage};
use crate::program::hash;

/// What the first byte says.
const VERSION: u8 = 1;

/// Why bytes are not a snapshot.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// They are more than allowed.
    #[error("{length} bytes: a snapshot may have {limit}")]
    TooLong {
        /// How many there are.
        length: usize,
        /// How many may be.
        limit: usize,
    },
    /// They are malformed, or not what was written.
    #[error("not a snapshot: {reason}")]
    Malformed {
        /// What is wrong.
        reason: String,
    },
}

impl Snapshot {
    /// The byte form.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.encode()
    }

    /// The length of the byte form.
    pub fn byte_length(&self) -> usize {
        let mut counter = Counter(0);
        self.encode_unsigned_to(&mut counter);
        counter.0 + 32
    }

    /// Decodes the byte form, of at most `limit` bytes.
    ///
    /// # Errors
    /// If there are more bytes, or they are not exactly what [`Snapshot::to_bytes`] gives.
    pub fn from_bytes(bytes: &[u8], limit: usize) -> Result<Self, SnapshotError> {
        if bytes.len() > limit {
            return Err(SnapshotError::TooLong { length: bytes.len(), limit });
        }
        Self::decode_all(&mut &*bytes).map_err(|error| {
            // The codec takes a line for each part that something is in.
            let reason = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
            SnapshotError::Malformed { reason }
        })
    }

    /// Everything but the hash.
    fn encode_unsigned_to(&self, out: &mut (impl Output + ?Sized)) {
        VERSION.encode_to(out);
        Head::from(self).encode().encode_to(out);
        let pages = &self.memory.pages;
        codec::Compact(pages.len() as u32).encode_to(out);
        for (page, bytes) in pages {
            page.encode_to(out);
            bytes.trimmed().encode_to(out);
        }
    }
}

impl Encode for Snapshot {
    fn encode_to<T: Output + ?Sized>(&self, out: &mut T) {
        let mut bytes = Vec::new();
        self.encode_unsigned_to(&mut bytes);
        let digest = hash(&bytes);
        out.write(&bytes);
        out.write(&digest);
    }
}

impl EncodeLike for Snapshot {}

impl Decode for Snapshot {
    fn decode<I: Input>(input: &mut I) -> Result<Self, Error> {
        if u8::decode(input)? != VERSION {
            return Err("its version is not 1".into());
        }
        let head = Vec::<u8>::decode(input).map_err(|error| error.chain("its head"))?;
        let head = Head::decode_all(&mut &*head).map_err(|error| error.chain("its head"))?;
        let pages = ascending(input, saved_page);
        let snapshot = head.with_pages(pages.map_err(|error| error.chain("its pages"))?)?;
        let digest = <[u8; 32]>::decode(input).map_err(|error| error.chain("its hash"))?;
        let mut bytes = Vec::new();
        snapshot.encode_unsigned_to(&mut bytes);
        if hash(&bytes) != digest {
            return Err("its hash is not that of its bytes, which were changed".into());
        }
        Ok(snapshot)
    }
}

/// The bytes of a page.
fn saved_page<I: Input>(input: &mut I) -> Result<SavedPage, Error> {
    let bytes = Vec::<u8>::decode(input)?;
    if bytes.len() > PAGE_SIZE as usize || bytes.last() == Some(&0) {
        return Err("a page has more than 4096 bytes, or zeros at its end".into());
    }
    Ok(SavedPage::new(&bytes))
}

/// Everything but the bytes of pages.
#[derive(Encode, Decode)]
struct Head {
    module: [u8; 32],
    regs: [u64; 13],
    pc: u32,
    is_charged: bool,
    status: EncodedStatus,
    gas: i64,
    heap_top: u32,
    auxiliary: u32,
    permissions: Ascending<u8>,
    sources: Ascending<EncodedSource>,
}

#[derive(Encode, Decode)]
enum EncodedStatus {
    #[codec(index = 0)]
    Idle,
    #[codec(index = 1)]
    Ready,
    #[codec(index = 2)]
    Syscall(u32),
    #[codec(index = 3)]
    OutOfGas,
    #[codec(index = 4)]
    PageFault { address: u32, write_protected: bool },
    #[codec(index = 5)]
    Trap { kind: u8, address: Option<u32> },
    #[codec(index = 6)]
    Finished,
    #[codec(index = 7)]
    Paused,
}

#[derive(Encode, Decode)]
struct EncodedSource {
    data: [u8; 32],
    offset: u64,
    length: u32,
    digest: [u8; 32],
    is_referred_to: bool,
}

/// A map whose keys are in order, as they are written.
struct Ascending<T>(BTreeMap<u32, T>);

impl<T: Encode> Encode for Ascending<T> {
    fn encode_to<O: Output + ?Sized>(&self, out: &mut O) {
        self.0.encode_to(out);
    }
}

impl<T: Decode> Decode for Ascending<T> {
    fn decode<I: Input>(input: &mut I) -> Result<Self, Error> {
        ascending(input, |input| T::decode(input)).map(Self)
    }
}

/// Pages, whose numbers ascend, with what `value` reads for each. Takes memory in proportion to the input that there is.
fn ascending<I: Input, T>(
    input: &mut I,
    mut value: impl FnMut(&mut I) -> Result<T, Error>,
) -> Result<BTreeMap<u32, T>, Error> {
    let count = codec::Compact::<u32>::decode(input)?.0;
    let mut pages = BTreeMap::new();
    for _ in 0..count {
        let page = u32::decode(input)?;
        if page >= PAGES as u32 || pages.last_key_value().is_some_and(|(&last, _)| last >= page) {
            return Err("the numbers of pages are not ascending, or too large".into());
        }
        pages.insert(page, value(input)?);
    }
    Ok(pages)
}

impl From<&Snapshot> for Head {
    fn from(snapshot: &Snapshot) -> Self {
        let Snapshot { module, regs, pc, is_charged, status, gas, memory } = snapshot;
        let permissions = memory.permissions.iter().map(|(&page, &permission)| (page, permission as u8));
        let sources = memory.sources.iter().map(|(&page, source)| {
            let SavedSource { page: SourcePage { range, digest }, is_referred_to } = *source;
            let DataRange { data, offset, length } = range;
            (page, EncodedSource { data, offset, length, digest, is_referred_to })
        });
        Self {
            module: *module,
            regs: *regs,
            pc: *pc,
            is_charged: *is_charged,
            status: (*status).into(),
            gas: *gas,
            heap_top: memory.heap_top,
            auxiliary: memory.auxiliary,
            permissions: Ascending(permissions.collect()),
            sources: Ascending(sources.collect()),
        }
    }
}

impl Head {
    fn with_pages(self, pages: BTreeMap<u32, SavedPage>) -> Result<Snapshot, Error> {
        let Self { module, regs, pc, is_charged, status, gas, heap_top, auxiliary, permissions, sources } =
            self;
        let permission = |(page, permission)| match permission {
            0 => Ok((page, Permission::None)),
            1 => Ok((page, Permission::Read)),
            2 => Ok((page, Permission::ReadWrite)),
            _ => Err(Error::from("a permission is not 0, 1 or 2")),
        };
        let source = |(page, source)| {
            let EncodedSource { data, offset, length, digest, is_referred_to } = source;
            let is_range = (1..=PAGE_SIZE).contains(&length) && offset.checked_add(length.into()).is_some();
            let range = DataRange { data, offset, length };
            let source = SavedSource { page: SourcePage { range, digest }, is_referred_to };
            is_range
                .then_some((page, source))
                .ok_or_else(|| Error::from("a page comes from no range of bytes"))
        };
        let memory = SavedMemory {
            heap_top,
            auxiliary,
            permissions: permissions.0.into_iter().map(permission).collect::<Result<_, _>>()?,
            sources: sources.0.into_iter().map(source).collect::<Result<_, _>>()?,
            pages,
        };
        Ok(Snapshot { module, regs, pc, is_charged, status: status.at(pc)?, gas, memory })
    }
}

impl From<Status> for EncodedStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Idle => Self::Idle,
            Status::Ready => Self::Ready,
            Status::Stopped(Exit::Syscall(number)) => Self::Syscall(number),
            Status::Stopped(Exit::OutOfGas) => Self::OutOfGas,
            Status::Stopped(Exit::PageFault(PageFault { address, write_protected, .. })) => {
                Self::PageFault { address, write_protected }
            }
            Status::Stopped(Exit::Trap(Trap { kind, address, .. })) => {
                Self::Trap { kind: kind as u8, address }
            }
            Status::Stopped(Exit::Finished) => Self::Finished,
            Status::Stopped(Exit::Paused) => Self::Paused,
        }
    }
}

impl EncodedStatus {
    fn at(self, pc: u32) -> Result<Status, Error> {
        let exit = match self {
            Self::Idle => return Ok(Status::Idle),
            Self::Ready => return Ok(Status::Ready),
            Self::Syscall(number) => Exit::Syscall(number),
            Self::OutOfGas => Exit::OutOfGas,
            Self::PageFault { address, write_protected } => {
                let page_address = address / PAGE_SIZE * PAGE_SIZE;
                Exit::PageFault(PageFault { page_address, address, pc, write_protected })
            }
            Self::Trap { kind, address } => {
                let kind = TrapKind::ALL.get(usize::from(kind)).ok_or("a trap is of no known kind")?;
                Exit::Trap(Trap { kind: *kind, pc, address })
            }
            Self::Finished => Exit::Finished,
            Self::Paused => Exit::Paused,
        };
        Ok(Status::Stopped(exit))
    }
}

/// Counts bytes.
struct Counter(usize);

impl Output for Counter {
    fn write(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decoded_page_takes_no_more_memory_than_twice_its_bytes() {
        for length in [0, 1, 2048, 2049, 4096] {
            let bytes = vec![1; length];
            let mut encoded = Vec::new();
            vec![(7u32, bytes.clone())].encode_to(&mut encoded);
            let pages = ascending(&mut &encoded[..], saved_page).unwrap();
            assert_eq!(pages[&7].trimmed(), bytes);
            assert_eq!(matches!(pages[&7], SavedPage::Short(_)), length <= 2048, "{length} bytes");
        }
    }
}
