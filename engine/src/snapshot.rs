//! The state of an instance as data: to be stored, sent, and gone on with later, elsewhere, on another backend.
//!
//! See `docs/snapshots.md` for the rules and the byte form.

mod bytes;

use std::collections::BTreeMap;

use crate::exit::Status;
use crate::isa::Reg;
use crate::memory::{PAGE_SIZE, Permission, SavedMemory};

pub use bytes::SnapshotError;

/// The state of an instance. Made by [`Instance::snapshot`](crate::Instance::snapshot), turned into an instance by
/// [`Module::restore`](crate::Module::restore).
///
/// Its byte form ([`Snapshot::to_bytes`], which is also its SCALE encoding) is canonical: equal states have equal bytes, and what
/// can be decoded encodes to the same bytes again. Cloning it shares the pages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Snapshot {
    pub(crate) module: [u8; 32],
    pub(crate) regs: [u64; 13],
    pub(crate) pc: u32,
    pub(crate) is_charged: bool,
    pub(crate) status: Status,
    pub(crate) gas: i64,
    pub(crate) memory: SavedMemory,
}

impl Snapshot {
    /// The [key](crate::Module::key) of the module that it is of.
    pub const fn module(&self) -> [u8; 32] {
        self.module
    }

    /// Where the instance is.
    pub const fn status(&self) -> Status {
        self.status
    }

    /// The instruction at which it stopped, or at which it will begin.
    pub const fn pc(&self) -> u32 {
        self.pc
    }

    /// Whether the rest of the block that it goes on in is paid for.
    pub const fn is_charged(&self) -> bool {
        self.is_charged
    }

    /// A register.
    pub const fn reg(&self, reg: Reg) -> u64 {
        self.regs[reg as usize]
    }

    /// The gas that is left.
    pub const fn gas(&self) -> i64 {
        self.gas
    }

    /// End of the heap.
    pub const fn heap_top(&self) -> u32 {
        self.memory.heap_top
    }

    /// Bytes of auxiliary data.
    pub const fn auxiliary_length(&self) -> u32 {
        self.memory.auxiliary
    }

    /// The pages whose permission the host has set to something that the layout does not say for all time: their addresses, in order.
    pub fn permissions(&self) -> impl ExactSizeIterator<Item = (u32, Permission)> {
        self.memory.permissions.iter().map(|(page, &permission)| (page * PAGE_SIZE, permission))
    }

    /// The pages whose bytes it contains: their addresses, in order, and the bytes up to the last one that is not zero.
    pub fn pages(&self) -> impl ExactSizeIterator<Item = (u32, &[u8])> {
        self.memory.pages.iter().map(|(page, bytes)| (page * PAGE_SIZE, bytes.trimmed()))
    }

    /// The pages for which it is noted where their bytes were taken from: their addresses, in order, and whether they still have these
    /// bytes, so that the snapshot does not contain them.
    pub fn sources(&self) -> impl ExactSizeIterator<Item = (u32, DataRange, bool)> {
        let sources = self.memory.sources.iter();
        sources.map(|(page, source)| (page * PAGE_SIZE, source.page.range, source.is_referred_to))
    }
}

/// A part of data that is known by a hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DataRange {
    /// The hash of the data, by whichever rule the [`DataSource`] knows it.
    pub data: [u8; 32],
    /// Its first byte.
    pub offset: u64,
    /// How many bytes.
    pub length: u32,
}

/// Where data is found whose hash is known. Nobody has to trust it: the bytes of each page are compared with a hash that the snapshot
/// has.
pub trait DataSource {
    /// Fills `buffer` with the data of this hash from `offset` on.
    ///
    /// # Errors
    /// If there is no such data, or it ends before.
    fn read(&self, data: &[u8; 32], offset: u64, buffer: &mut [u8]) -> Result<(), NoSuchData>;
}

/// A [`DataSource`] does not have some data.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("there is no such data")]
pub struct NoSuchData;

/// No data.
impl DataSource for () {
    fn read(&self, _: &[u8; 32], _: u64, _: &mut [u8]) -> Result<(), NoSuchData> {
        Err(NoSuchData)
    }
}

/// Data by their hashes.
impl<T: AsRef<[u8]>> DataSource for BTreeMap<[u8; 32], T> {
    fn read(&self, data: &[u8; 32], offset: u64, buffer: &mut [u8]) -> Result<(), NoSuchData> {
        let start = usize::try_from(offset).map_err(|_| NoSuchData)?;
        let rest = self.get(data).and_then(|bytes| bytes.as_ref().get(start..)).ok_or(NoSuchData)?;
        buffer.copy_from_slice(rest.get(..buffer.len()).ok_or(NoSuchData)?);
        Ok(())
    }
}

/// Why a snapshot gives no instance.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// It is of another program, or of an engine with other settings.
    #[error(
        "the snapshot is of the module {}, this one is {}: the program, its instruction set, the gas model or the rules of memory differ",
        Hex(found),
        Hex(expected)
    )]
    ForeignModule {
        /// The key of this module.
        expected: [u8; 32],
        /// The key in the snapshot.
        found: [u8; 32],
    },
    /// No instance of the module is ever there.
    #[error("no instance of the module is ever {status:?} at pc {pc:#x} with the block {}", if *.is_charged { "paid" } else { "to be paid" })]
    Place {
        /// The instruction.
        pc: u32,
        /// What it is said to be.
        status: Status,
        /// Whether the rest of its block is said to be paid for.
        is_charged: bool,
    },
    /// A register of 32 bits has a larger value.
    #[error("{reg} is {value:#x}, which is more than 32 bits")]
    Register {
        /// Which.
        reg: Reg,
        /// Its value.
        value: u64,
    },
    /// The heap cannot end there.
    #[error("the heap cannot end at {heap_top:#010x}")]
    HeapTop {
        /// Its end.
        heap_top: u32,
    },
    /// There is not as much space for auxiliary data.
    #[error("{length} bytes of auxiliary data: the program has space for {limit}")]
    Auxiliary {
        /// Length of the data in bytes.
        length: u32,
        /// Space for it in bytes.
        limit: u32,
    },
    /// What is said of a page is never so.
    #[error("page {page:#x} (times 4096): {problem}")]
    Page {
        /// Its number.
        page: u32,
        /// What is wrong.
        problem: &'static str,
    },
    /// The data are not at hand that a page was taken from.
    #[error(
        "the page at {page_address:#010x} needs {length} bytes from byte {offset} of the data {}, which are not there",
        Hex(data)
    )]
    MissingData {
        /// Start of the page.
        page_address: u32,
        /// The hash of the data.
        data: [u8; 32],
        /// The first byte.
        offset: u64,
        /// How many bytes.
        length: u32,
    },
    /// The data at hand are not those that a page was taken from.
    #[error(
        "the page at {page_address:#010x} needs {length} bytes from byte {offset} of the data {}, and these are not those",
        Hex(data)
    )]
    OtherData {
        /// Start of the page.
        page_address: u32,
        /// The hash of the data.
        data: [u8; 32],
        /// The first byte.
        offset: u64,
        /// How many bytes.
        length: u32,
    },
}

/// The first bytes of a hash, for messages.
struct Hex<'a>(&'a [u8; 32]);

impl core::fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0[..8].iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("..")
    }
}
