//! Signals that somebody has sent while native code ran are not taken for accesses that were refused.

use core::mem::zeroed;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use super::{Exit, Instance, Opcode, RW, Reg, i, module, prepare};
use crate::recompiler::sys::BEFORE;

static SENT: AtomicU32 = AtomicU32::new(0);

extern "C" fn note_sent(_: core::ffi::c_int) {
    SENT.fetch_add(1, Ordering::Relaxed);
}

/// Adds three to a number in memory so many times, then calls its host.
fn adding(rounds: u64) -> Instance {
    use Opcode::*;
    use Reg::*;
    let module = module(&[
        i(LoadIndirectU64, A2, A1, A1, 0, 0),
        i(AddImm64, A2, A2, A2, 3, 0),
        i(StoreIndirectU64, A2, A2, A1, 0, 0),
        i(AddImm64, A0, A0, A0, -1, 0),
        i(BranchNotEq, A0, A0, A3, 0, 0),
        i(Ecalli, A0, A0, A0, 0, 0),
        i(Trap, A0, A0, A0, 0, 0),
    ]);
    let mut instance = prepare(&module, RW);
    instance.set_reg(A0, rounds);
    instance
}

/// In a process of its own, since it changes what comes after the engine's handler.
#[test]
fn a_signal_that_was_sent_is_handed_on_and_the_guest_goes_on() {
    // SAFETY: the child only runs guests and a thread, and exits without returning. The allocator works after a fork.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let fine = std::panic::catch_unwind(counts_right_while_signals_are_sent);
        // SAFETY: as above.
        unsafe { libc::_exit(i32::from(!matches!(fine, Ok(true)))) };
    }
    let mut status = -1;
    // SAFETY: waits for the child made above.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    assert_eq!(status, 0, "the guest counted, and the handler before ours got every signal");
}

fn counts_right_while_signals_are_sent() -> bool {
    const ROUNDS: u64 = 200_000;
    let mut instance = adding(ROUNDS);
    let gas = instance.gas();
    assert_eq!(instance.run(), Ok(Exit::Syscall(0)));
    let cost = gas - instance.gas();
    // SAFETY: an all-zero value is a valid `sigaction`; it is never freed. This process has no other use of it.
    unsafe {
        let mut action: libc::sigaction = zeroed();
        action.sa_sigaction = note_sent as *const () as usize;
        BEFORE.store(Box::into_raw(Box::new(action)), Ordering::Release);
    }
    // SAFETY: has no conditions.
    let this = unsafe { libc::pthread_self() } as usize;
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_done.load(Ordering::Relaxed) {
                // SAFETY: the thread waits for this one.
                unsafe { libc::pthread_kill(this as libc::pthread_t, libc::SIGSEGV) };
                thread::sleep(Duration::from_micros(50));
            }
        });
        let mut is_right = true;
        let mut runs = 1;
        while is_right && SENT.load(Ordering::Relaxed) < 50 {
            instance.set_pc(crate::ProgramCounter(0));
            instance.set_reg(Reg::A0, ROUNDS);
            let gas = instance.gas();
            is_right = instance.run() == Ok(Exit::Syscall(0));
            runs += 1;
            is_right &= instance.reg(Reg::A2) == 3 * ROUNDS * runs;
            is_right &= gas - instance.gas() == cost;
        }
        is_done.store(true, Ordering::Relaxed);
        is_right
    })
}
