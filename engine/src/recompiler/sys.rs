//! What the recompiler asks the operating system for: the signal that says that an access was refused (and see [`super::pages`]).
//!
//! The handler is the process's own: it looks whether the thread is executing native code of ours and whether the instruction
//! that was refused lies in it; then it makes the thread go on at that code's exit. Everything else it hands to the handler that
//! was there before, so that others (wasmtime, the Rust runtime's stack overflow check) do not notice it, whoever came first.

use core::cell::Cell;
use core::ffi::{c_int, c_void};
use core::ptr::{NonNull, null, null_mut};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, Ordering};

use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};

use crate::memory::HostError;

/// Whether jump tables shall be in [`LowMemory`](super::pages::LowMemory) where there is any.
pub(super) const WANTS_LOW_MEMORY: bool = !cfg!(hatchery_high_tables);

/// Whether the processor and the system let programs set the base of the segment `gs`. Nothing else uses that segment on Linux.
pub(super) fn has_segment_base() -> bool {
    /// `HWCAP2_FSGSBASE`
    const SEGMENT_BASE: u64 = 1 << 1;
    // SAFETY: reads a number that the system passed to the process.
    let capabilities = unsafe { libc::getauxval(libc::AT_HWCAP2) };
    capabilities & SEGMENT_BASE != 0 && !cfg!(hatchery_base_register)
}

/// Native code whose accesses can be refused.
#[derive(Debug)]
pub(super) struct Traps {
    /// Where accesses of the guest lie: from here up to there.
    pub(super) start: usize,
    pub(super) end: usize,
    /// Where to go on after one was refused.
    pub(super) exit: usize,
}

/// Native code that is executed, and where to say which access was refused.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Running {
    pub(super) traps: *const Traps,
    pub(super) refused: *mut u64,
}

thread_local! {
    /// What this thread is executing.
    static RUNNING: Cell<*const Running> = const { Cell::new(null()) };
    static IS_PREPARED: Cell<bool> = const { Cell::new(false) };
    static SIGNAL_STACK: SignalStack = SignalStack::new();
}

/// Calls native code. When it is refused an access the place of the instruction is written to where `running` says, and it goes on at
/// its exit.
///
/// # Safety
/// What `running` and the pointers in it point to must be there until it returns.
#[inline]
pub(super) unsafe fn with_handler<T>(running: *const Running, call: impl FnOnce() -> T) -> T {
    RUNNING.set(running);
    let result = call();
    RUNNING.set(null());
    result
}

/// Makes sure that this thread can be told of refused accesses.
#[inline]
pub(super) fn prepare_thread() {
    if !IS_PREPARED.get() {
        IS_PREPARED.set(true);
        unblock_refusals();
        // A thread that is ending needs no stack for signals any more.
        let _ = SIGNAL_STACK.try_with(|_| {});
    }
}

/// Lets this thread have the signal that says that an access was refused. A thread that blocks it, as some hosts let their workers
/// block all signals, would be ended by the system at the first one.
fn unblock_refusals() {
    // SAFETY: an all-zero value is a valid `sigset_t`, which is emptied and filled by the functions for it. Signals that are sent to
    // the process have other numbers.
    unsafe {
        let mut refusals: libc::sigset_t = core::mem::zeroed();
        libc::sigemptyset(&mut refusals);
        libc::sigaddset(&mut refusals, libc::SIGSEGV);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &refusals, null_mut());
    }
}

/// A stack for signal handlers, for threads that have none. Ours would do without, since guests do not move the stack pointer,
/// but handlers that come after it may be told of a stack overflow.
struct SignalStack(Option<NonNull<c_void>>);

const SIGNAL_STACK_SIZE: usize = 0x1_0000;

impl SignalStack {
    fn new() -> Self {
        // SAFETY: an all-zero value is a valid `stack_t`, and the system fills it in.
        let present = unsafe {
            let mut present: libc::stack_t = core::mem::zeroed();
            libc::sigaltstack(null(), &mut present) != 0 || present.ss_flags & libc::SS_DISABLE == 0
        };
        if present {
            return Self(None);
        }
        // SAFETY: a new mapping at an address of the system's choice touches nothing that exists. Its lowest page stays
        // inaccessible, so that an overflow does not go unnoticed.
        let stack = unsafe {
            let Ok(start) =
                mmap_anonymous(null_mut(), SIGNAL_STACK_SIZE + 4096, ProtFlags::empty(), MapFlags::PRIVATE)
            else {
                return Self(None);
            };
            let usable = start.byte_add(4096);
            let stack = libc::stack_t { ss_sp: usable, ss_flags: 0, ss_size: SIGNAL_STACK_SIZE };
            if mprotect(usable, SIGNAL_STACK_SIZE, MprotectFlags::READ | MprotectFlags::WRITE).is_err()
                || libc::sigaltstack(&stack, null_mut()) != 0
            {
                let _ = munmap(start, SIGNAL_STACK_SIZE + 4096);
                return Self(None);
            }
            start
        };
        Self(NonNull::new(stack))
    }
}

impl Drop for SignalStack {
    fn drop(&mut self) {
        let Some(start) = self.0 else { return };
        // SAFETY: the mapping was made by `new`; it goes only if it is still this thread's signal stack and given up here, or if
        // the thread has another one by now.
        unsafe {
            let mut present: libc::stack_t = core::mem::zeroed();
            if libc::sigaltstack(null(), &mut present) != 0 {
                return;
            }
            if present.ss_sp == start.as_ptr().byte_add(4096) {
                let none = libc::stack_t { ss_sp: null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 };
                if libc::sigaltstack(&none, null_mut()) != 0 {
                    return;
                }
            }
            let _ = munmap(start.as_ptr(), SIGNAL_STACK_SIZE + 4096);
        }
    }
}

/// What the process did about refused accesses before ours was installed: a `sigaction` that is never freed. It is known before ours is
/// installed, as another thread's access can be refused, and handed on, at once.
pub(super) static BEFORE: AtomicPtr<libc::sigaction> = AtomicPtr::new(null_mut());

/// Installs the handler, once in the life of the process.
pub(super) fn install_handler() -> Result<(), HostError> {
    static INSTALLED: OnceLock<Result<(), HostError>> = OnceLock::new();
    *INSTALLED.get_or_init(|| {
        // SAFETY: an all-zero value is a valid `sigaction`; the handler has the signature that SA_SIGINFO asks for.
        let installed = unsafe {
            let mut ours: libc::sigaction = core::mem::zeroed();
            ours.sa_sigaction = handle as *const () as usize;
            ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
            libc::sigemptyset(&mut ours.sa_mask);
            exchange_action(null()).and_then(|before| {
                BEFORE.store(Box::into_raw(Box::new(before)), Ordering::Release);
                exchange_action(&ours)
            })
        };
        // Somebody may have installed another one in between.
        installed.map(|before| BEFORE.store(Box::into_raw(Box::new(before)), Ordering::Release))
    })
}

/// Sets what is to be done about refused accesses, or nothing, and gives what was to be done before.
///
/// # Safety
/// `action` is null or points to a valid action.
unsafe fn exchange_action(action: *const libc::sigaction) -> Result<libc::sigaction, HostError> {
    // SAFETY: an all-zero value is a valid `sigaction`, and the system fills it in.
    unsafe {
        let mut before: libc::sigaction = core::mem::zeroed();
        if libc::sigaction(libc::SIGSEGV, action, &mut before) != 0 {
            let code = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
            return Err(HostError { operation: "install a signal handler", code });
        }
        Ok(before)
    }
}

/// Whether somebody has sent the signal, so that no access was refused.
///
/// # Safety
/// `info` is what the system gave to the handler.
unsafe fn was_sent(info: *const libc::siginfo_t) -> bool {
    // SAFETY: the caller's.
    unsafe { (*info).si_code <= 0 }
}

unsafe extern "C" fn handle(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let running = RUNNING.get();
    // SAFETY: the system gave us this.
    if !running.is_null() && !unsafe { was_sent(info) } {
        // SAFETY: the pointers are those of values that live while native code runs on this thread. The context is that of the
        // interrupted instruction, which the system gives to handlers with SA_SIGINFO.
        unsafe {
            let registers = &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs;
            let at = registers[libc::REG_RIP as usize] as usize;
            let Running { traps, refused } = *running;
            let Traps { start, end, exit } = *traps;
            if (start..end).contains(&at) {
                *refused = at as u64;
                registers[libc::REG_RIP as usize] = exit as i64;
                return;
            }
        }
    }
    hand_on(signal, info, context);
}

/// Does what would have been done if our handler were not there.
#[cold]
fn hand_on(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: null, or points to a value that is never freed or changed.
    let before = unsafe { BEFORE.load(Ordering::Acquire).as_ref() };
    let action = before.map_or(libc::SIG_DFL, |before| before.sa_sigaction);
    // SAFETY: the system gave us this.
    let was_sent = unsafe { was_sent(info) };
    if action == libc::SIG_IGN && was_sent {
        return;
    }
    let Some(before) = before.filter(|_| action != libc::SIG_DFL && action != libc::SIG_IGN) else {
        // SAFETY: an all-zero value is a valid `sigaction`. The instruction, when it is tried again, ends the process as it would have
        // without us; where there is none, as somebody has sent the signal, it is sent again.
        unsafe {
            let mut default: libc::sigaction = core::mem::zeroed();
            default.sa_sigaction = libc::SIG_DFL;
            libc::sigaction(signal, &default, null_mut());
            if was_sent {
                libc::raise(signal);
            }
        }
        return;
    };
    // SAFETY: the other handler gets what the system gave us, in the form that its flags ask for, with the signals blocked that it
    // wants to be blocked.
    unsafe {
        let mut blocked = before.sa_mask;
        if before.sa_flags & libc::SA_NODEFER == 0 {
            libc::sigaddset(&mut blocked, signal);
        }
        let mut was_blocked: libc::sigset_t = core::mem::zeroed();
        libc::pthread_sigmask(libc::SIG_BLOCK, &blocked, &mut was_blocked);
        if before.sa_flags & libc::SA_SIGINFO != 0 {
            type Handler = unsafe extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);
            core::mem::transmute::<usize, Handler>(action)(signal, info, context);
        } else {
            core::mem::transmute::<usize, unsafe extern "C" fn(c_int)>(action)(signal);
        }
        libc::pthread_sigmask(libc::SIG_SETMASK, &was_blocked, null_mut());
    }
}
