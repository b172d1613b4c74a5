//! A flag by which another thread asks execution to stop for a while.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A shared flag that stays up until it is lowered.
///
/// While it is up, every [`Instance::run`](crate::Instance::run) executes exactly one block, or what is left of one after a
/// stop inside of it, and stops with [`Exit::Paused`](crate::Exit::Paused) if nothing else stops it. It never changes gas or
/// results.
#[derive(Clone, Default, Debug)]
pub struct Pause(Arc<AtomicBool>);

impl Pause {
    /// A flag that is down.
    pub fn new() -> Self {
        Self::default()
    }

    /// Raises the flag.
    pub fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Lowers the flag.
    pub fn lower(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    /// Whether the flag is up.
    #[inline]
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
