//! Windows, made on demand, kept for the next instance, taken from idle instances when there are too many.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

#[cfg(all(target_os = "linux", target_pointer_width = "64", not(miri)))]
use super::Reserved;
use super::{HostError, Image, Portable, Slot, Window};

/// A window of whichever kind the engine uses.
pub(crate) enum AnyWindow {
    #[cfg(all(target_os = "linux", target_pointer_width = "64", not(miri)))]
    Reserved(Box<Window<Reserved>>),
    Portable(Box<Window<Portable>>),
}

/// Evaluates an expression with the window inside of an [`AnyWindow`].
macro_rules! any_window {
    ($any:expr, $window:ident => $body:expr) => {
        match $any {
            #[cfg(all(target_os = "linux", target_pointer_width = "64", not(miri)))]
            $crate::memory::AnyWindow::Reserved($window) => $body,
            $crate::memory::AnyWindow::Portable($window) => $body,
        }
    };
}

pub(crate) use any_window;

impl fmt::Debug for AnyWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Window")
    }
}

/// What windows are made of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum WindowKind {
    /// One reservation of 4 GiB of address space each. Linux on 64-bit machines only.
    #[cfg(all(target_os = "linux", target_pointer_width = "64", not(miri)))]
    Reserved,
    /// Separately allocated pages. Everywhere.
    Portable,
}

impl WindowKind {
    /// The kinds that this platform has, the best first.
    pub const ALL: &[Self] = &[
        #[cfg(all(target_os = "linux", target_pointer_width = "64", not(miri)))]
        Self::Reserved,
        Self::Portable,
    ];

    /// The best kind that this platform has.
    pub const BEST: Self = Self::ALL[0];

    fn make(self) -> Result<AnyWindow, HostError> {
        Ok(match self {
            #[cfg(all(target_os = "linux", target_pointer_width = "64", not(miri)))]
            Self::Reserved => AnyWindow::Reserved(Box::new(Window::new()?)),
            Self::Portable => AnyWindow::Portable(Box::new(Window::new()?)),
        })
    }
}

/// The windows of an engine.
#[derive(Debug)]
pub(crate) struct Pool {
    kind: WindowKind,
    /// Windows to have at most, unless more instances are running at the same time.
    limit: usize,
    /// Counts mounts; instances note its value when they stop, so that it tells who was used last.
    clock: AtomicU64,
    /// Whether the next instance to need a window would have to take another's.
    is_exhausted: AtomicBool,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    free: Vec<AnyWindow>,
    /// The instances that have a window, or had one until recently.
    mounted: Vec<Weak<Slot>>,
    /// Windows in existence.
    count: usize,
}

impl Pool {
    pub(crate) fn new(kind: WindowKind, limit: usize) -> Self {
        Self {
            kind,
            limit,
            clock: AtomicU64::new(0),
            is_exhausted: AtomicBool::new(false),
            inner: Mutex::default(),
        }
    }

    pub(crate) fn clock(&self) -> u64 {
        self.clock.load(Ordering::Relaxed)
    }

    /// Whether instances that stop should leave their memory where the pool can take their window: without need they keep it,
    /// since that is free.
    #[inline]
    pub(crate) fn is_exhausted(&self) -> bool {
        self.is_exhausted.load(Ordering::Relaxed)
    }

    fn note_exhaustion(&self, inner: &Inner) {
        self.is_exhausted.store(inner.count >= self.limit && inner.free.is_empty(), Ordering::Relaxed);
    }

    /// A clean window for an instance of `image`: its last one, another unused one, a new one, or the one of the instance
    /// that was not used for the longest time.
    pub(crate) fn acquire(&self, image: &Arc<Image>) -> Result<AnyWindow, HostError> {
        self.clock.fetch_add(1, Ordering::Relaxed);
        let mut inner = self.lock();
        let same = inner.free.iter().rposition(|window| any_window!(window, window => window.is_for(image)));
        let free = same.or_else(|| inner.free.len().checked_sub(1)).map(|at| inner.free.swap_remove(at));
        let mut window = match free {
            Some(window) => window,
            None => {
                let idle = if inner.count >= self.limit { take_from_idle(&mut inner.mounted) } else { None };
                match idle {
                    Some(window) => window,
                    None => {
                        let window = self.kind.make()?;
                        inner.count += 1;
                        window
                    }
                }
            }
        };
        self.note_exhaustion(&inner);
        drop(inner);
        any_window!(&mut window, window => window.assign(image));
        Ok(window)
    }

    /// Notes that the instance has a window from now on.
    pub(crate) fn note_mounted(&self, slot: &Arc<Slot>) {
        self.lock().mounted.push(Arc::downgrade(slot));
    }

    /// Takes back a window that its instance has left.
    pub(crate) fn release(&self, window: Option<AnyWindow>) {
        let Some(window) = window else { return };
        let mut inner = self.lock();
        if inner.count > self.limit {
            inner.count -= 1;
        } else {
            inner.free.push(window);
        }
        self.note_exhaustion(&inner);
        // Slots of dropped instances would pile up otherwise.
        if inner.mounted.len() > 2 * inner.count {
            inner.mounted.retain(|slot| slot.strong_count() > 0);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing in the critical sections can leave the lists in a bad state.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(crate) fn windows(&self) -> (usize, usize) {
        let inner = self.lock();
        (inner.count, inner.free.len())
    }
}

/// Parks the least recently used instance that is not running, and gives its window.
fn take_from_idle(mounted: &mut Vec<Weak<Slot>>) -> Option<AnyWindow> {
    let mut slots: Vec<Arc<Slot>> = mounted.drain(..).filter_map(|slot| slot.upgrade()).collect();
    slots.sort_by_key(|slot| slot.last_used());
    let mut taken = None;
    for slot in slots {
        if taken.is_none() {
            taken = slot.park_if_idle();
            if taken.is_some() {
                continue;
            }
        }
        mounted.push(Arc::downgrade(&slot));
    }
    taken
}
