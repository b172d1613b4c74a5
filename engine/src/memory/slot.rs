//! Where an instance leaves its memory while it does not run, so that the pool can park it from another thread.

use core::{fmt, ptr};
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use super::AddressSpace;

/// Holds the memory of an instance. Whoever takes it out has it to himself until he puts it back: the instance, which keeps it
/// while it runs and, as long as there are windows enough, also in between; or the pool while it parks it. No lock is held
/// while a guest runs.
pub(crate) struct Slot {
    /// From `Box::into_raw`; null: the slot is empty.
    space: AtomicPtr<AddressSpace>,
    last_used: AtomicU64,
}

impl Slot {
    /// An empty slot: the instance has its memory.
    pub(crate) const fn new() -> Self {
        Self { space: AtomicPtr::new(ptr::null_mut()), last_used: AtomicU64::new(0) }
    }

    /// Takes the memory out. Waits while the pool parks the instance, which takes microseconds.
    #[inline]
    pub(crate) fn take(&self) -> Box<AddressSpace> {
        match self.take_if_idle() {
            Some(space) => space,
            None => self.wait(),
        }
    }

    #[cold]
    fn wait(&self) -> Box<AddressSpace> {
        loop {
            std::thread::yield_now();
            if let Some(space) = self.take_if_idle() {
                return space;
            }
        }
    }

    /// Puts the memory back.
    #[inline]
    pub(crate) fn put(&self, space: Box<AddressSpace>) {
        drop(owned(self.space.swap(Box::into_raw(space), Ordering::AcqRel)));
    }

    pub(crate) fn last_used(&self) -> u64 {
        self.last_used.load(Ordering::Relaxed)
    }

    pub(crate) fn note_used(&self, clock: u64) {
        self.last_used.store(clock, Ordering::Relaxed);
    }

    /// Takes the memory out unless somebody is using it.
    #[inline]
    pub(crate) fn take_if_idle(&self) -> Option<Box<AddressSpace>> {
        owned(self.space.swap(ptr::null_mut(), Ordering::AcqRel))
    }
}

/// What was in a slot.
#[inline]
fn owned(space: *mut AddressSpace) -> Option<Box<AddressSpace>> {
    // SAFETY: a pointer that is not null was made by `Box::into_raw` in `put`; the swap that gave it to us took it away from
    // everybody else.
    (!space.is_null()).then(|| unsafe { Box::from_raw(space) })
}

impl Drop for Slot {
    fn drop(&mut self) {
        drop(self.take_if_idle());
    }
}

// An address space can be sent to other threads, which `AtomicPtr` does not ask for.
const _: () = {
    const fn sendable<T: Send>() {}
    sendable::<AddressSpace>();
};

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Slot")
    }
}
