//! Where indirect jumps of the guest lead: a native address for each entry of the program's jump table.
//!
//! The entry of a guest address, which is even and above zero, lies at four times that address, less one entry. If the table lies below
//! 2 GiB native code names it in the jump itself (`jmp [rcx*4+table-8]`, or `jmp [rcx*8+table]` where it has computed the entry's number), so
//! that nothing but a load lies between the address and the target. Such memory is scarce, one GiB for all of a process. Where there is none left the table lies anywhere, and
//! native code adds its place first.

use super::pages::LowMemory;
use crate::memory::HostError;

/// A larger table does not lie at a low address: there must be some left for other programs.
const MOST_LOW_BYTES: usize = 4 << 20;

/// Bytes of an entry.
const ENTRY: usize = size_of::<u64>();

/// A table that is being filled.
#[derive(Debug)]
pub(super) struct NewJumpTable(Memory);

/// Where indirect jumps lead.
#[derive(Debug)]
pub(super) struct JumpTable(Memory);

#[derive(Debug)]
enum Memory {
    Low(LowMemory),
    Anywhere(Box<[u64]>),
}

impl NewJumpTable {
    /// One with this many entries, at a low address if `low` and the system has one.
    pub(super) fn new(entries: u32, low: bool) -> Self {
        let entries = entries as usize;
        let low = low && entries != 0 && entries * ENTRY <= MOST_LOW_BYTES;
        match low.then(|| LowMemory::new(entries * ENTRY)).flatten() {
            Some(memory) => Self(Memory::Low(memory)),
            None => Self(Memory::Anywhere(Box::default())),
        }
    }

    /// Where it lies, if it is a low address.
    pub(super) fn low_address(&self) -> Option<i32> {
        match &self.0 {
            Memory::Low(memory) => i32::try_from(memory.start().as_ptr() as usize).ok(),
            Memory::Anywhere(_) => None,
        }
    }

    /// With these entries.
    ///
    /// # Errors
    /// If the system refuses to make it read-only.
    pub(super) fn filled(self, entries: impl Iterator<Item = u64>) -> Result<JumpTable, HostError> {
        let memory = match self.0 {
            Memory::Low(mut memory) => {
                let bytes = memory.bytes_mut().chunks_exact_mut(ENTRY);
                bytes.zip(entries).for_each(|(bytes, entry)| bytes.copy_from_slice(&entry.to_le_bytes()));
                Memory::Low(memory.read_only()?)
            }
            Memory::Anywhere(_) => Memory::Anywhere(entries.collect()),
        };
        Ok(JumpTable(memory))
    }
}

impl JumpTable {
    /// Where it lies, if native code has to be told.
    #[inline]
    pub(super) fn far(&self) -> Option<*const u64> {
        match &self.0 {
            Memory::Low(_) => None,
            Memory::Anywhere(entries) if entries.is_empty() => None,
            Memory::Anywhere(entries) => Some(entries.as_ptr()),
        }
    }

    /// Where it lies.
    #[cfg(test)]
    pub(super) fn start(&self) -> *const u64 {
        match &self.0 {
            Memory::Low(memory) => memory.start().as_ptr().cast(),
            Memory::Anywhere(entries) => entries.as_ptr(),
        }
    }

    /// The guest address that native code had when it found that the entry leads nowhere, from what it says then.
    pub(super) fn address_of(&self, argument: u64) -> u32 {
        match &self.0 {
            Memory::Low(_) => argument as u32,
            // It says where the entry would be if there were one for address 0.
            Memory::Anywhere(entries) => (argument.wrapping_sub(entries.as_ptr() as u64) / 4) as u32,
        }
    }

    /// Bytes of host memory that it takes.
    pub(super) fn resident_bytes(&self) -> usize {
        match &self.0 {
            Memory::Low(memory) => memory.resident_bytes(),
            Memory::Anywhere(entries) => size_of_val(&**entries),
        }
    }
}
