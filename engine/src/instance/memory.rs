//! The memory of an instance, as its host sees it.

use super::Instance;
use crate::memory::{MemoryError, Permission};
use crate::snapshot::DataRange;

/// The memory of an instance, for reading.
#[derive(Clone, Copy, Debug)]
pub struct Memory<'a> {
    pub(super) instance: &'a Instance,
}

impl<'a> Memory<'a> {
    /// Reads as many bytes as `buffer` has. Everything that the program can read is readable.
    ///
    /// # Errors
    /// If some byte is not mapped; `buffer` is unchanged then.
    #[inline]
    pub fn read(&self, address: u32, buffer: &mut [u8]) -> Result<(), MemoryError> {
        if let Some(bytes) = self.at_once(address, buffer.len()) {
            buffer.copy_from_slice(bytes);
            return Ok(());
        }
        self.instance.with_space(|space| space.read(address, buffer))
    }

    /// The bytes where they lie, if they can be had at once: they lie in one page, which the program has accessed since it was mounted.
    /// `None` says nothing about them: [`Memory::read`] does.
    #[inline]
    pub fn at_once(self, address: u32, length: usize) -> Option<&'a [u8]> {
        self.instance.held.as_ref()?.loadable(address, length)
    }

    /// Whether the program can access all of `length` bytes in this way. No byte is accessed: it takes time in proportion to the
    /// pages.
    ///
    /// # Errors
    /// If it cannot; the error names the first page that it cannot access.
    #[inline]
    pub fn check(&self, address: u32, length: u64, permission: Permission) -> Result<(), MemoryError> {
        self.instance.with_space(|space| space.check_permission(address, length, permission))
    }
}

/// The memory of an instance, for reading and writing.
#[derive(Debug)]
pub struct MemoryMut<'a> {
    pub(super) instance: &'a mut Instance,
}

impl MemoryMut<'_> {
    /// Reads as many bytes as `buffer` has.
    ///
    /// # Errors
    /// If some byte is not mapped; `buffer` is unchanged then.
    pub fn read(&self, address: u32, buffer: &mut [u8]) -> Result<(), MemoryError> {
        Memory { instance: self.instance }.read(address, buffer)
    }

    /// The bytes from `address` to the end of its page, where they lie: for a host that wants to read without copying.
    ///
    /// # Errors
    /// If the page is not mapped.
    pub fn page(&mut self, address: u32) -> Result<&[u8], MemoryError> {
        let Instance { held, slot, .. } = &mut *self.instance;
        // What lies in the slot could be taken from there.
        held.get_or_insert_with(|| slot.take()).page(address)
    }

    /// Writes `bytes`. Everything that the program can write is writable.
    ///
    /// # Errors
    /// If some byte is not mapped or read-only; nothing is written then.
    #[inline]
    pub fn write(&mut self, address: u32, bytes: &[u8]) -> Result<(), MemoryError> {
        if let Some(own) = self.at_once(address, bytes.len()) {
            own.copy_from_slice(bytes);
            return Ok(());
        }
        self.instance.with_space_mut(|space| space.write(address, bytes))
    }

    /// The bytes where they lie, to be read and written, if they can be had at once: they lie in one page, which the program, or its
    /// host, has written since it was mounted. `None` says nothing about them: [`MemoryMut::write`] does.
    #[inline]
    pub fn at_once(&mut self, address: u32, length: usize) -> Option<&mut [u8]> {
        self.instance.held.as_mut()?.storable(address, length)
    }

    /// Writes `length` bytes of zero.
    ///
    /// # Errors
    /// If some byte is not mapped or read-only; nothing is written then.
    pub fn zero(&mut self, address: u32, length: u32) -> Result<(), MemoryError> {
        self.instance.with_space_mut(|space| space.zero(address, length))
    }

    /// Sets the auxiliary data of the program, which it can read and not write, at the start of
    /// [`MemoryMap::auxiliary`](crate::memory::MemoryMap::auxiliary). What there was before is gone.
    ///
    /// # Errors
    /// If it is longer than the space for it; nothing changes then.
    pub fn set_auxiliary(&mut self, data: &[u8]) -> Result<(), MemoryError> {
        self.instance.with_space_mut(|space| space.set_auxiliary(data))
    }

    /// Copies `length` bytes from the memory of another instance, without a detour.
    ///
    /// # Errors
    /// If some byte there cannot be read, or here cannot be written; nothing is written then.
    #[inline]
    pub fn copy_from(
        &mut self,
        address: u32,
        other: Memory<'_>,
        from: u32,
        length: u32,
    ) -> Result<(), MemoryError> {
        other.instance.with_space(|other| {
            self.instance.with_space_mut(|space| space.copy_from(address, other, from, length))
        })
    }

    /// Grows the heap by `size` bytes, as `sbrk` does, and gives its new end, not rounded; `None` if the layout or the memory limit
    /// forbid it.
    pub fn grow_heap(&mut self, size: u64) -> Option<u32> {
        self.instance.with_space_mut(|space| space.contents.sbrk(size))
    }

    /// Sets what the program may do to whole pages. Pages that were not mapped become zero; pages that are not mapped any more
    /// lose their bytes.
    ///
    /// # Errors
    /// If the range is not whole pages between 0x10000 and the end of memory; nothing changes then.
    pub fn protect(&mut self, address: u32, length: u64, permission: Permission) -> Result<(), MemoryError> {
        self.instance.with_space_mut(|space| space.protect(address, length, permission))
    }

    /// Takes note that the pages from `address` on have the bytes of `range`, zeros behind: a
    /// [`Snapshot`](crate::Snapshot) refers to those that still have them, and does not contain them. What was noted of these pages
    /// before is forgotten; what is noted is part of the instance's state until it is reset.
    ///
    /// # Errors
    /// If `address` is no page, some byte is not mapped, or the range ends behind what 64 bits can number; nothing changes then.
    pub fn record_source(&mut self, address: u32, range: DataRange) -> Result<(), MemoryError> {
        self.instance.with_space_mut(|space| space.record_source(address, range))
    }
}
