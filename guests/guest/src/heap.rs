//! A heap in a static array: the instruction sets that guests are linked for have no way to ask for more memory.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr;

/// Gives a guest a global allocator with `SIZE` bytes. Memory comes back only from the newest allocation, which is
/// enough for programs that run an export and end.
#[macro_export]
macro_rules! heap {
    ($size:expr) => {
        #[global_allocator]
        static HEAP: $crate::Heap<{ $size }> = $crate::Heap::new();
    };
}

/// The state behind [`heap!`]: an array that is handed out from the front.
#[repr(C, align(16))]
pub struct Heap<const SIZE: usize> {
    bytes: UnsafeCell<[u8; SIZE]>,
    used: UnsafeCell<usize>,
}

// SAFETY: a guest is one thread, and no method is entered while another runs.
unsafe impl<const SIZE: usize> Sync for Heap<SIZE> {}

impl<const SIZE: usize> Heap<SIZE> {
    /// An unused heap; it takes no space in the program, being all zeros.
    #[allow(clippy::new_without_default, reason = "only `heap!` makes one, in a static")]
    pub const fn new() -> Self {
        Self { bytes: UnsafeCell::new([0; SIZE]), used: UnsafeCell::new(0) }
    }

    fn start(&self) -> *mut u8 {
        self.bytes.get().cast()
    }

    fn used(&self) -> usize {
        // SAFETY: one thread, see `Sync`.
        unsafe { *self.used.get() }
    }

    fn set_used(&self, used: usize) {
        // SAFETY: one thread, see `Sync`.
        unsafe { *self.used.get() = used };
    }

    /// Where an allocation begins, counted from the start of the heap.
    fn offset(&self, pointer: *mut u8) -> usize {
        pointer as usize - self.start() as usize
    }
}

// SAFETY: every allocation is aligned, inside the array, and beyond all live ones.
unsafe impl<const SIZE: usize> GlobalAlloc for Heap<SIZE> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let start = self.start() as usize;
        let free = start + self.used();
        let Some(aligned) = free.checked_next_multiple_of(layout.align()) else { return ptr::null_mut() };
        let offset = aligned - start;
        match offset.checked_add(layout.size()) {
            Some(end) if end <= SIZE => {
                self.set_used(end);
                // SAFETY: `offset` is at most SIZE.
                unsafe { self.start().add(offset) }
            }
            _ => ptr::null_mut(),
        }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        let offset = self.offset(pointer);
        if offset + layout.size() == self.used() {
            self.set_used(offset);
        }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let offset = self.offset(pointer);
        if offset + layout.size() == self.used() {
            if size > SIZE - offset {
                return ptr::null_mut();
            }
            self.set_used(offset + size);
            return pointer;
        }
        // SAFETY: `size` is not zero and does not overflow when aligned, as the caller promises.
        let layout_after = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        // SAFETY: the layout is not of size zero.
        let moved = unsafe { self.alloc(layout_after) };
        if !moved.is_null() {
            // SAFETY: both are live and do not overlap; the smaller size is inside both.
            unsafe { ptr::copy_nonoverlapping(pointer, moved, layout.size().min(size)) };
        }
        moved
    }
}
