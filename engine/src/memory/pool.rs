//! Windows, made on demand, kept for the next instance, taken from idle instances when there are too many.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[cfg(all(target_os = "linux", target_arch = "x86_64", not(any(miri, hatchery_no_native_code))))]
use super::Guarded;
#[cfg(all(target_os = "linux", target_pointer_width = "64", not(miri)))]
use super::Reserved;
use super::{AddressSpace, HostError, Image, Portable, Slot, Window};

/// A window of whichever kind the engine uses.
pub(crate) enum AnyWindow {
    #[cfg(all(target_os = "linux", target_arch = "x86_64", not(any(miri, hatchery_no_native_code))))]
    Guarded(Box<Window<Guarded>>),
    #[cfg(all(target_os = "linux", target_pointer_width = "64", not(miri)))]
    Reserved(Box<Window<Reserved>>),
    Portable(Box<Window<Portable>>),
}

/// Evaluates an expression with the window inside of an [`AnyWindow`].
macro_rules! any_window {
    ($any:expr, $window:ident => $body:expr) => {
        match $any {
            #[cfg(all(target_os = "linux", target_arch = "x86_64", not(any(miri, hatchery_no_native_code))))]
            $crate::memory::AnyWindow::Guarded($window) => $body,
            #[cfg(all(target_os = "linux", target_pointer_width = "64", not(miri)))]
            $crate::memory::AnyWindow::Reserved($window) => $body,
            $crate::memory::AnyWindow::Portable($window) => $body,
        }
    };
}

pub(crate) use any_window;

impl AnyWindow {
    /// Whether native code must not run in it any more, see [`Window::is_leaky`].
    #[inline]
    pub(crate) fn is_leaky(&self) -> bool {
        any_window!(self, window => window.is_leaky())
    }
}

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

    /// A window; one that the processor guards if that is wanted and this kind can be guarded.
    fn make(self, guarded: bool) -> Result<AnyWindow, HostError> {
        Ok(match (self, guarded) {
            #[cfg(all(target_os = "linux", target_arch = "x86_64", not(any(miri, hatchery_no_native_code))))]
            (Self::Reserved, true) => AnyWindow::Guarded(Box::new(Window::new()?)),
            #[cfg(all(target_os = "linux", target_pointer_width = "64", not(miri)))]
            (Self::Reserved, _) => AnyWindow::Reserved(Box::new(Window::new()?)),
            (Self::Portable, _) => AnyWindow::Portable(Box::new(Window::new()?)),
        })
    }
}

/// The windows of an engine.
#[derive(Debug)]
pub(crate) struct Pool {
    kind: WindowKind,
    /// Whether native code runs in them.
    guarded: bool,
    /// Windows to have at most, unless more instances are running at the same time.
    limit: usize,
    /// Counts mounts; instances note its value when they stop, so that it tells who was used last.
    clock: AtomicU64,
    /// Whether more than half of the windows are in use.
    is_scarce: AtomicBool,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    free: Vec<AnyWindow>,
    /// The instances that have a window.
    mounted: Vec<Arc<Slot>>,
    /// Windows in existence.
    count: usize,
}

impl Pool {
    pub(crate) fn new(kind: WindowKind, guarded: bool, limit: usize) -> Self {
        Self {
            kind,
            guarded,
            limit,
            clock: AtomicU64::new(0),
            is_scarce: AtomicBool::new(false),
            inner: Mutex::default(),
        }
    }

    pub(crate) fn clock(&self) -> u64 {
        self.clock.load(Ordering::Relaxed)
    }

    /// Whether instances that stop should leave their memory where the pool can take their window. The first ones keep it,
    /// since that is free. They may never run again: so that they do not leave all others to share one window, it is only the
    /// first half.
    #[inline]
    pub(crate) fn is_scarce(&self) -> bool {
        self.is_scarce.load(Ordering::Relaxed)
    }

    fn note_scarcity(&self, inner: &Inner) {
        self.is_scarce.store(inner.count - inner.free.len() > self.limit / 2, Ordering::Relaxed);
    }

    /// A clean window for the instance with this slot and image: one last used for that image, another unused one, a new one,
    /// or the one of the instance that was not used for the longest time.
    pub(crate) fn acquire(&self, slot: &Arc<Slot>, image: &Arc<Image>) -> Result<AnyWindow, HostError> {
        loop {
            let mut window = self.take(slot, image)?;
            any_window!(&mut window, window => window.assign(image));
            if !window.is_leaky() {
                return Ok(window);
            }
            // One less: at last there is none left but new ones.
            self.release(slot, Some(window));
        }
    }

    /// Any window.
    fn take(&self, slot: &Arc<Slot>, image: &Arc<Image>) -> Result<AnyWindow, HostError> {
        self.clock.fetch_add(1, Ordering::Relaxed);
        let mut inner = self.lock();
        let mut found = inner.take_free(image);
        if found.is_none()
            && inner.count >= self.limit
            && let Some((idle, mut space)) = inner.take_idle()
        {
            // Takes time in proportion to the pages written: others need not wait for that.
            drop(inner);
            found = space.park();
            idle.put(space);
            inner = self.lock();
        }
        let window = match found {
            Some(window) => window,
            None => {
                let window = self.kind.make(self.guarded)?;
                inner.count += 1;
                window
            }
        };
        inner.mounted.push(Arc::clone(slot));
        self.note_scarcity(&inner);
        Ok(window)
    }

    /// Takes back the window, if any, that the instance with this slot has left.
    pub(crate) fn release(&self, slot: &Arc<Slot>, window: Option<AnyWindow>) {
        let Some(window) = window else { return };
        let mut inner = self.lock();
        inner.mounted.retain(|other| !Arc::ptr_eq(other, slot));
        if inner.count > self.limit || window.is_leaky() {
            inner.count -= 1;
        } else {
            inner.free.push(window);
        }
        self.note_scarcity(&inner);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing in the critical sections can leave the lists in a bad state.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Windows in existence, and how many of them are free.
    #[cfg(test)]
    pub(crate) fn windows(&self) -> (usize, usize) {
        let inner = self.lock();
        (inner.count, inner.free.len())
    }
}

impl Inner {
    /// A free window, last used for this image if there is one.
    fn take_free(&mut self, image: &Arc<Image>) -> Option<AnyWindow> {
        let same = self.free.iter().rposition(|window| any_window!(window, window => window.is_for(image)));
        let at = same.or_else(|| self.free.len().checked_sub(1))?;
        Some(self.free.swap_remove(at))
    }

    /// The memory of the least recently used instance that has a window and is not running.
    fn take_idle(&mut self) -> Option<(Arc<Slot>, Box<AddressSpace>)> {
        // Each is read once: the others run on meanwhile, and a sort panics when its keys change.
        self.mounted.sort_by_cached_key(|slot| slot.last_used());
        let taken = self.mounted.iter().enumerate().find_map(|(at, slot)| Some((at, slot.take_if_idle()?)));
        let (at, space) = taken?;
        Some((self.mounted.remove(at), space))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::{Inner, WindowKind};
    use crate::memory::Slot;
    use crate::program::Program;
    use crate::{Config, Engine, Exit, Instance, InstructionSet, ProgramCounter};

    const RW: u32 = 0x3_0000;

    /// An engine and instances of `ecalli 0` in a loop, with a page of memory each.
    fn instances(count: usize, windows: usize, kind: WindowKind) -> (Engine, Vec<Instance>) {
        // Jump table, code and bitmask of `ecalli 0`, `jump` to the start.
        let mut program = Program::from_raw(&[0, 0, 3, 10, 40, 0xff, 3], InstructionSet::JamV1).unwrap();
        program.memory.ro_size = 4096;
        program.memory.rw_size = 4096;
        let engine = Engine::new(Config::default().window_limit(windows).window_kind(kind)).unwrap();
        let module = engine.compile_program(program).unwrap();
        let mut instances: Vec<_> = (0..count).map(|_| module.instantiate()).collect();
        for instance in &mut instances {
            instance.set_pc(ProgramCounter(0));
            instance.set_gas(1 << 40);
        }
        (engine, instances)
    }

    fn run(instance: &mut Instance) {
        assert_eq!(instance.run(), Ok(Exit::Syscall(0)));
    }

    #[test]
    fn instances_whose_host_touches_their_memory_can_lose_their_windows_too() {
        for &kind in WindowKind::ALL {
            let (engine, mut instances) = instances(20, 3, kind);
            for instance in &mut instances {
                run(instance);
                instance.memory_mut().write(RW, &[1]).unwrap();
            }
            assert_eq!(engine.inner.pool.windows(), (3, 0), "{kind:?}");
            for instance in &mut instances {
                let fork = instance.fork();
                instance.reset();
                instance.set_pc(ProgramCounter(0));
                run(instance);
                drop(fork);
            }
            assert_eq!(engine.inner.pool.windows(), (3, 0), "{kind:?}");
        }
    }

    #[test]
    fn instances_that_do_not_run_any_more_do_not_keep_all_windows_from_those_that_do() {
        for &kind in WindowKind::ALL {
            let (engine, mut instances) = instances(10, 4, kind);
            instances.iter_mut().for_each(run);
            let before = engine.inner.pool.clock();
            for _ in 0..10 {
                instances[8..].iter_mut().for_each(run);
            }
            assert_eq!(engine.inner.pool.clock(), before, "{kind:?}: the two that run have a window each");
        }
    }

    /// Slots that are empty, as those of running instances are, and stamped by other threads while the least recently used is
    /// looked for.
    #[test]
    fn instances_that_stop_meanwhile_do_not_disturb_the_search_for_an_idle_one() {
        let slots: Vec<_> = (0..64).map(|_| Arc::new(Slot::new())).collect();
        let mut inner = Inner { mounted: slots.clone(), ..Inner::default() };
        thread::scope(|scope| {
            let stamps = scope.spawn(|| {
                let mut clock = 1_u64;
                for _ in 0..if cfg!(miri) { 20 } else { 20_000 } {
                    for slot in &slots {
                        clock = clock.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17);
                        slot.note_used(clock);
                    }
                }
            });
            while !stamps.is_finished() {
                assert!(inner.take_idle().is_none());
            }
        });
        assert_eq!(inner.mounted.len(), 64);
    }

    #[test]
    fn parking_and_running_again_leaves_nothing_behind() {
        for &kind in WindowKind::ALL {
            let (engine, mut instances) = instances(5, 4, kind);
            for _ in 0..100 {
                for instance in &mut instances {
                    run(instance);
                    instance.park();
                    instance.park();
                }
            }
            let pool = &engine.inner.pool;
            assert_eq!((pool.windows(), pool.lock().mounted.len()), ((1, 1), 0), "{kind:?}");
            instances.iter_mut().for_each(run);
            assert_eq!((pool.windows(), pool.lock().mounted.len()), ((4, 0), 4), "{kind:?}");
            drop(instances);
            assert_eq!((pool.windows(), pool.lock().mounted.len()), ((4, 4), 0), "{kind:?}");
        }
    }
}
