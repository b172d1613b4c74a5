//! Threads through the C functions, for ThreadSanitizer, which sees Rust only: VMs of one module, each on a thread of its own; and one
//! VM on all of them, which must be refused without a race.

use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::thread;

use pvm::constants::*;
use pvm::lifecycle::*;
use pvm::module::*;
use pvm::ram::*;
use pvm::registers::*;
use pvm::run::*;
use pvm::safe;

/// ecalli 7; add_imm_64 a0, a0, 1; jump_ind ra, 0
const BLOB: [u8; 11] = [0, 0, 7, 10, 7, 149, 0x77, 1, 50, 0, 0x25];

const THREADS: usize = 4;

#[test]
fn vms_of_one_module_on_many_threads() {
    for backend in [PVM_BACKEND_INTERPRETER, PVM_BACKEND_RECOMPILER] {
        if pvm::config::pvm_backend_available(backend) == 0 {
            continue;
        }
        let mut config = safe::configuration(PVM_PROFILE_GRAY_PAPER_0_8).unwrap();
        config.backend = backend;
        // Fewer windows than VMs: they take them from each other.
        config.window_limit = 2;
        let mut handle = null_mut();
        // SAFETY: all pointers are good, here and below.
        let made = unsafe { pvm_module_from_raw(&config, BLOB.as_ptr(), BLOB.len(), &mut handle) };
        assert_eq!(made, PVM_STATUS_OK);
        let shared = AtomicPtr::new(handle);
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for round in 0..30 {
                        let mut vm = null_mut();
                        // SAFETY: the module lives as long as the threads, and the VM as long as this round.
                        unsafe {
                            let module = shared.load(Ordering::Relaxed);
                            assert_eq!(pvm_module_retain(module), PVM_STATUS_OK);
                            assert_eq!(pvm_instantiate(module, &mut vm), PVM_STATUS_OK);
                            pvm_module_release(module);
                            assert_eq!(pvm_set_gas(vm, 1_000_000), PVM_STATUS_OK);
                            assert_eq!(pvm_prepare(vm, 0, null(), 0), PVM_STATUS_OK);
                            assert_eq!(pvm_resume(vm), PVM_RESULT_HOST_CALL);
                            assert_eq!(pvm_map(vm, 0x5_0000, 4096, PVM_PERMISSION_READ_WRITE), PVM_STATUS_OK);
                            assert_eq!(pvm_write_ram_bytes_32(vm, 0x5_0000, round), 0);
                            assert_eq!(pvm_set_register(vm, 7, round.into()), PVM_STATUS_OK);
                            assert_eq!(pvm_resume(vm), PVM_RESULT_OK);
                            assert_eq!(pvm_get_register(vm, 7), u64::from(round) + 1);
                            assert_eq!(pvm_read_ram_bytes_32(vm, 0x5_0000, null_mut()), round);
                            pvm_destroy(vm);
                        }
                    }
                });
            }
        });
        // SAFETY: the last reference.
        unsafe { pvm_module_release(shared.into_inner()) };
    }
}

#[test]
fn one_vm_on_many_threads_is_refused_without_harm() {
    let config = safe::configuration(PVM_PROFILE_GRAY_PAPER_0_8).unwrap();
    let (mut module, mut vm) = (null_mut(), null_mut());
    // SAFETY: all pointers are good.
    unsafe {
        assert_eq!(pvm_module_from_raw(&config, BLOB.as_ptr(), BLOB.len(), &mut module), PVM_STATUS_OK);
        assert_eq!(pvm_instantiate(module, &mut vm), PVM_STATUS_OK);
        assert_eq!(pvm_set_interruptible(vm, 1), PVM_STATUS_OK);
    }
    let (shared, executed) = (AtomicPtr::new(vm), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let vm = shared.load(Ordering::Relaxed);
                for _ in 0..300 {
                    let mut registers = [0; 13];
                    // SAFETY: the VM lives as long as the threads.
                    unsafe {
                        let status = pvm_read_registers(vm, registers.as_mut_ptr());
                        assert!([PVM_STATUS_OK, PVM_STATUS_BUSY].contains(&status), "{status}");
                        pvm_set_gas(vm, 1_000_000);
                        let result = pvm_execute(vm, 0, 0);
                        assert!(
                            [PVM_RESULT_HOST_CALL, PVM_RESULT_ERROR, PVM_RESULT_PAUSED, PVM_RESULT_OOG]
                                .contains(&result),
                            "{result}"
                        );
                        executed.fetch_add(usize::from(result == PVM_RESULT_HOST_CALL), Ordering::Relaxed);
                        pvm_interrupt(vm);
                        pvm_error(vm);
                    }
                }
            });
        }
    });
    assert!(executed.into_inner() > 0, "it was never executed");
    // SAFETY: nobody uses them any more.
    unsafe {
        pvm_destroy(shared.into_inner());
        pvm_module_release(module);
    }
}
