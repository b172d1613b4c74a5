//! Where an instance leaves its memory while it does not run, so that the pool can park it from another thread.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_utils::Backoff;
use crossbeam_utils::atomic::AtomicCell;

use super::AddressSpace;

/// Holds the memory of an instance. Whoever takes it out has it to himself until he puts it back: the instance, which keeps it
/// while it runs and, as long as there are windows enough, also in between; or the pool while it parks it. No lock is held
/// while a guest runs.
pub(crate) struct Slot {
    space: AtomicCell<Option<Box<AddressSpace>>>,
    last_used: AtomicU64,
}

impl Slot {
    /// An empty slot: the instance has its memory.
    pub(crate) fn new() -> Self {
        const { assert!(AtomicCell::<Option<Box<AddressSpace>>>::is_lock_free()) };
        Self { space: AtomicCell::new(None), last_used: AtomicU64::new(0) }
    }

    /// Takes the memory out. Waits while the pool parks the instance, which takes microseconds.
    #[inline]
    pub(crate) fn take(&self) -> Box<AddressSpace> {
        match self.space.take() {
            Some(space) => space,
            None => self.wait(),
        }
    }

    #[cold]
    fn wait(&self) -> Box<AddressSpace> {
        let backoff = Backoff::new();
        loop {
            if let Some(space) = self.space.take() {
                return space;
            }
            backoff.snooze();
        }
    }

    /// Puts the memory back.
    #[inline]
    pub(crate) fn put(&self, space: Box<AddressSpace>) {
        self.space.store(Some(space));
    }

    pub(crate) fn last_used(&self) -> u64 {
        self.last_used.load(Ordering::Relaxed)
    }

    pub(crate) fn note_used(&self, clock: u64) {
        self.last_used.store(clock, Ordering::Relaxed);
    }

    /// Takes the memory out unless somebody is using it.
    pub(crate) fn take_if_idle(&self) -> Option<Box<AddressSpace>> {
        self.space.take()
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Slot")
    }
}
