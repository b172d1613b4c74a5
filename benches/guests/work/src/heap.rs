//! Memory for programs that allocate, the same on every machine: an array that is handed out from the front in powers of two, and what
//! comes back is kept in a list for each power.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr;

/// The smallest allocation is `1 << SMALLEST` bytes, enough for the link that a free one holds.
const SMALLEST: u32 = 4;

/// Sizes that are told apart.
const CLASSES: usize = 28;

/// Bytes that there are.
const SIZE: usize = 1536 * 1024;

/// A global allocator.
#[derive(Debug)]
#[repr(C, align(16))]
pub struct Heap {
    bytes: UnsafeCell<[u8; SIZE]>,
    state: UnsafeCell<State>,
}

#[derive(Debug)]
struct State {
    used: usize,
    /// The first free allocation of each size; each holds a pointer to the next.
    free: [*mut u8; CLASSES],
}

// SAFETY: a program is one thread; of the native library only one thread makes use.
unsafe impl Sync for Heap {}

impl Heap {
    /// An unused heap; it takes no space in a program, being all zeros.
    #[expect(clippy::new_without_default, reason = "there is one, in a static")]
    #[must_use]
    pub const fn new() -> Self {
        let state = State { used: 0, free: [ptr::null_mut(); CLASSES] };
        Self { bytes: UnsafeCell::new([0; SIZE]), state: UnsafeCell::new(state) }
    }
}

/// The power of two that an allocation takes, which is its alignment too.
fn power(layout: Layout) -> u32 {
    let bytes = layout.size().max(layout.align()).max(1 << SMALLEST);
    usize::BITS - (bytes - 1).leading_zeros()
}

// SAFETY: an allocation is inside the array, and either beyond all others or one that was freed; its address is a
// multiple of the alignment, because only multiples of it are taken and both come from the same power of two.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let power = power(layout);
        // SAFETY: one thread, see `Sync`.
        let state = unsafe { &mut *self.state.get() };
        let Some(free) = state.free.get_mut((power - SMALLEST) as usize) else { return ptr::null_mut() };
        if !free.is_null() {
            let pointer = *free;
            // SAFETY: a free allocation holds the pointer to the next, and is aligned for one.
            *free = unsafe { pointer.cast::<*mut u8>().read() };
            return pointer;
        }
        let start = self.bytes.get() as usize;
        let Some(aligned) = (start + state.used).checked_next_multiple_of(1 << power) else {
            return ptr::null_mut();
        };
        let offset = aligned - start;
        match offset.checked_add(1 << power) {
            Some(end) if end <= SIZE => {
                state.used = end;
                // SAFETY: `offset` is at most SIZE.
                unsafe { self.bytes.get().cast::<u8>().add(offset) }
            }
            _ => ptr::null_mut(),
        }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: one thread, see `Sync`.
        let state = unsafe { &mut *self.state.get() };
        let free = &mut state.free[(power(layout) - SMALLEST) as usize];
        // SAFETY: an allocation has space for a pointer, and nobody uses it any more.
        unsafe { pointer.cast::<*mut u8>().write(*free) };
        *free = pointer;
    }
}
