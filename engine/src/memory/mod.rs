//! Guest memory: layout, contents, permissions, and the two forms an instance's memory takes.
//!
//! ```text
//!  0x0000_0000  never accessible, any access traps
//!  0x0001_0000  read-only data
//!               64 KiB guard (at least)
//!               read-write data, then the heap, which grows upwards
//!               |
//!               64 KiB guard (at least)
//!               |
//!               the stack, which grows downwards
//!  0xfffe_0000  64 KiB guard (lower where there is auxiliary data)
//!               auxiliary data, which the host gives and the program can only read
//!  0xffff_0000  end; the address 0xffff_0000 stands for "return to the host"
//! ```
//!
//! All instances of a module share one immutable *image*. What an instance changes belongs to it, page by page. Its
//! memory is in one of two forms:
//!
//! - *Parked*: a sparse map of the pages that differ from the image. Costs nothing but those pages.
//! - *Mounted*: in a *window*, contiguous memory on which code runs. A table with a byte for each page says what may be
//!   done to it without further ado: a page comes into the window when it is first touched, and is noted as dirty when it is
//!   first written, both in the slow path of an access. So mounting costs nothing, parking and resetting cost in proportion
//!   to the pages written, and no guest store pays for bookkeeping beyond the permission check it needs anyway.
//!
//! Windows come from a pool; when it is exhausted an instance that is not running is parked, the least recently used first.
//! None of this can be observed by a guest or through gas.

mod direct;
mod image;
mod map;
#[cfg_attr(
    not(all(target_os = "linux", target_arch = "x86_64", not(any(miri, hatchery_no_native_code)))),
    expect(dead_code, reason = "only guarded windows make such sets")
)]
mod page_set;
mod pool;
mod saved;
mod slot;
mod space;
mod sys;
mod window;
mod zeros;

pub use map::{MemoryMap, MemoryMapError};
pub use space::MemoryError;

pub(crate) use direct::Direct;
pub(crate) use image::Image;
pub(crate) use map::Extent;
pub(crate) use page_set::PageSet;
pub use pool::WindowKind;
pub(crate) use pool::{AnyWindow, Pool, any_window};
pub(crate) use saved::{SavedMemory, SavedPage, SavedSource, SourcePage};
pub(crate) use slot::Slot;
pub(crate) use space::{Access, AddressSpace, Contents, Denied, Fault};
#[cfg(all(target_os = "linux", target_pointer_width = "64", not(miri)))]
pub(crate) use sys::Reserved;
#[cfg(all(test, target_os = "linux", target_arch = "x86_64", not(any(miri, hatchery_no_native_code))))]
pub(crate) use sys::refusals;
pub(crate) use sys::{Backing, Portable};
#[cfg(all(target_os = "linux", target_arch = "x86_64", not(any(miri, hatchery_no_native_code))))]
pub(crate) use sys::{CONTEXT_SIZE, Guarded};
pub(crate) use window::Window;
pub(crate) use zeros::{is_same, is_zero, trimmed};

/// Bytes in a page.
pub const PAGE_SIZE: u32 = 4096;
/// Pages in the address space.
pub(crate) const PAGES: usize = 1 << 20;
/// Below this address nothing is ever mapped.
pub const LOWEST_ADDRESS: u32 = 0x1_0000;

/// One page of guest memory.
pub(crate) type Page = [u8; PAGE_SIZE as usize];

/// What a guest may do to a page.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Permission {
    /// Nothing: the page is not mapped.
    None = 0,
    /// Read.
    Read = 1,
    /// Read and write.
    ReadWrite = 2,
}

/// The host could not provide memory. Never the guest's fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the host could not {operation}: operating system error {code}")]
pub struct HostError {
    /// What was tried.
    pub operation: &'static str,
    /// The operating system's error number.
    pub code: i32,
}

/// The pages that `length` bytes at `address` lie in, or `None` if they exceed the address space.
pub(crate) fn pages_of(address: u32, length: usize) -> Option<core::ops::Range<u32>> {
    let end = u64::from(address).checked_add(length as u64)?;
    if end > 1 << 32 {
        return None;
    }
    let first = address / PAGE_SIZE;
    if length == 0 {
        return Some(first..first);
    }
    Some(first..((end - 1) >> 12) as u32 + 1)
}

/// Splits `length` bytes at `address`, which lie in the address space, at page boundaries: page, offset in it, and the range
/// of the whole that lies there.
pub(crate) fn by_page(
    address: u32,
    length: usize,
) -> impl Iterator<Item = (u32, usize, core::ops::Range<usize>)> {
    let mut done = 0;
    core::iter::from_fn(move || {
        if done == length {
            return None;
        }
        let at = address as usize + done;
        let offset = at % PAGE_SIZE as usize;
        let part = (PAGE_SIZE as usize - offset).min(length - done);
        let range = done..done + part;
        done += part;
        Some(((at >> 12) as u32, offset, range))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_pages() {
        assert_eq!(pages_of(0, 0), Some(0..0));
        assert_eq!(pages_of(4095, 1), Some(0..1));
        assert_eq!(pages_of(4095, 2), Some(0..2));
        assert_eq!(pages_of(u32::MAX, 1), Some(0xf_ffff..0x10_0000));
        assert_eq!(pages_of(u32::MAX, 2), None);
        assert_eq!(pages_of(2, usize::MAX), None);
        assert_eq!(
            by_page(4094, 4100).collect::<Vec<_>>(),
            [(0, 4094, 0..2), (1, 0, 2..4098), (2, 0, 4098..4100)]
        );
        assert_eq!(by_page(4096, 0).count(), 0);
        assert_eq!(by_page(u32::MAX, 1).collect::<Vec<_>>(), [(0xf_ffff, 4095, 0..1)]);
    }
}
