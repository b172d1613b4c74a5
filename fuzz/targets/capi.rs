//! Random sequences of calls of libpvm's functions, with hostile arguments: nothing may crash, leak or hang. Handles are alive or null or
//! of the wrong kind, lengths are true: what no C library can check is kept. A recording that can be read can be replayed.

#![no_main]

use arbitrary::Arbitrary;
use core::ffi::{c_int, c_void};
use core::ptr::{null, null_mut};
use libfuzzer_sys::fuzz_target;
use pvm::config::*;
use pvm::constants::*;
use pvm::inner::*;
use pvm::lifecycle::*;
use pvm::module::*;
use pvm::ram::*;
use pvm::record::*;
use pvm::registers::*;
use pvm::replay::*;
use pvm::run::*;
use pvm::snapshot::*;
use pvm::status::*;
use pvm::trace::*;
use pvm::vm::Vm;

#[derive(Arbitrary, Debug)]
struct Input {
    profile: u8,
    backend: bool,
    code: Vec<u8>,
    bitmask: Vec<u8>,
    jump_table: Vec<u32>,
    program: Vec<u8>,
    kind: u8,
    calls: Vec<Call>,
}

/// A call: which, on which VM, with which numbers.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Call {
    which: u8,
    vm: u8,
    a: u32,
    b: u64,
    c: u64,
    d: u16,
}

/// What a call gives is of no interest.
fn discard<T>(_: T) {}

const MOST_VMS: usize = 6;
const MOST_CALLS: usize = 64;
/// How many kinds of calls there are.
const KINDS: u8 = 46;
/// Where most of what is interesting happens.
const NEAR: u32 = 0x2_0000;

impl Call {
    /// Any number, or an address where something is.
    fn address(&self) -> u32 {
        if self.d & 0x100 == 0 { self.a } else { NEAR + self.a % 0x2000 }
    }
}

unsafe extern "C" fn host(vm: *mut Vm, number: c_int) -> i32 {
    unsafe {
        // What a callback may do, and what it may not.
        pvm_set_register(vm, number & 15, 1);
        pvm_resume(vm);
        let gas = pvm_get_gas(vm);
        pvm_set_gas(vm, gas / 2);
        pvm_read_ram_bytes_32(vm, 0x2_0000, null_mut());
        pvm_inner_call(vm, number as u32 % 8);
    }
    number % 4
}

unsafe extern "C" fn traced(vm: *mut Vm, event: *const TraceEvent, _: *mut c_void) -> c_int {
    unsafe {
        pvm_set_register(vm, 3, (*event).gas);
        c_int::from((*event).pc == 3)
    }
}

/// ecalli 7; load_ind_u8 a0, a1, 0; store_ind_u8 a0, a1, 1; ecalli 0x80; jump 0: what hosts do is seen by this.
const CALLING: [u8; 11] = [10, 7, 124, 0x87, 120, 0x87, 1, 10, 0x80, 40, 0xf7];
const CALLING_BITS: [u8; 2] = [0x95, 0x02];

/// A VM that was recorded from its beginning, with what has changed its pages before the execution.
struct Recorded {
    vm: *mut Vm,
    module: *mut Module,
    layout: Vec<Call>,
    has_begun: bool,
}

/// A VM to be recorded, or to execute a recording; null if there is no module.
unsafe fn fresh(module: *mut Module) -> *mut Vm {
    unsafe {
        let mut vm = null_mut();
        if pvm_instantiate(module, &mut vm) == PVM_STATUS_OK {
            pvm_map(vm, NEAR, 0x2000, PVM_PERMISSION_READ_WRITE);
            pvm_set_register(vm, 8, NEAR.into());
            pvm_set_gas(vm, 10_000);
            pvm_set_pc(vm, 0);
        }
        vm
    }
}

/// What changes pages and the heap, which are no part of a recording.
unsafe fn lay_out(vm: *mut Vm, call: Call) {
    let Call { which, b, c, d, .. } = call;
    let a = call.address();
    unsafe {
        match which % KINDS {
            23 => discard(pvm_reset(vm)),
            8 => discard(pvm_map(vm, a & !0xfff, c % (1 << 20), u32::from(d) % 4)),
            9 => discard(pvm_protect(vm, a, c % (1 << 20), u32::from(d) % 4)),
            10 => discard(pvm_unmap(vm, a & !0xfff, c % (1 << 20))),
            17 => discard(pvm_set_heap_pointer(vm, a)),
            _ => discard(pvm_grow_heap(vm, b, null_mut())),
        }
    }
}

/// Whether a recording has got as far as the beginning of the execution.
fn has_begun(text: &[u8]) -> bool {
    text.split(|&byte| byte == b'\n').any(|line| line.starts_with(b"start "))
}

/// Executes a recording again, on a new VM, which must come to the same.
unsafe fn replay(Recorded { module, layout, .. }: &Recorded, text: &[u8]) {
    unsafe {
        let again = fresh(*module);
        for &call in layout {
            lay_out(again, call);
        }
        let status = pvm_replay(again, text.as_ptr().cast(), text.len(), null_mut());
        assert!(
            [PVM_STATUS_OK, PVM_STATUS_HOST].contains(&status),
            "{:?}\n{}",
            core::ffi::CStr::from_ptr(pvm_last_error()),
            String::from_utf8_lossy(text)
        );
        pvm_destroy(again);
    }
}

fuzz_target!(|input: Input| unsafe {
    let mut config = core::mem::MaybeUninit::uninit();
    if pvm_config_init(config.as_mut_ptr(), size_of::<Config>(), u32::from(input.profile) % 4)
        != PVM_STATUS_OK
    {
        return;
    }
    let mut config = config.assume_init();
    config.backend = u32::from(input.backend);
    config.memory_limit = 1 << 24;
    config.window_limit = 2;
    config.inner_page_limit = 64;
    config.inner_machine_limit = 4;

    let mut module = null_mut();
    let (blob, length) = (input.program.as_ptr(), input.program.len());
    match input.kind % 4 {
        0 => pvm_module_from_raw(&config, blob, length, &mut module),
        1 => pvm_module_from_standard(&config, blob, length, &mut module),
        2 => pvm_module_from_polkavm(&config, blob, length, &mut module),
        _ => pvm_module_from_parts(
            &config,
            input.code.as_ptr(),
            input.code.len(),
            input.bitmask.as_ptr(),
            input.bitmask.len(),
            input.jump_table.as_ptr(),
            input.jump_table.len(),
            &mut module,
        ),
    };
    let mut calling = null_mut();
    let (code, bits) = (&CALLING, &CALLING_BITS);
    let (code, bits) = ((code.as_ptr(), code.len()), (bits.as_ptr(), bits.len()));
    let made = pvm_module_from_parts(&config, code.0, code.1, bits.0, bits.1, null(), 0, &mut calling);
    assert_eq!(made, PVM_STATUS_OK);
    let mut vms: Vec<*mut Vm> = vec![null_mut(), module.cast()];
    let created = pvm_create_with_config(
        &config,
        0,
        input.code.as_ptr(),
        input.code.len(),
        null(),
        input.bitmask.as_ptr(),
        input.bitmask.len(),
        input.jump_table.as_ptr(),
        input.jump_table.len(),
        1000,
    );
    vms.push(created);
    let mut made = null_mut();
    pvm_instantiate(module, &mut made);
    vms.push(made);

    let mut recorded: Vec<Recorded> = Vec::new();
    let mut buffer = vec![0u8; 1 << 16];
    for call in input.calls.iter().take(MOST_CALLS) {
        let vm = vms[usize::from(call.vm) % vms.len()];
        for recorded in &mut recorded {
            recorded.has_begun |= pvm_get_machine_state(recorded.vm) != PVM_STATE_READY;
        }
        let Call { b, c, d, .. } = *call;
        let a = call.address();
        let small = usize::from(d) % buffer.len();
        let data = buffer.as_mut_ptr();
        match call.which % KINDS {
            0 => discard(pvm_execute(vm, a, c as u32 & 1)),
            1 => discard(pvm_resume(vm)),
            2 => discard(pvm_resume_child(vm)),
            3 => discard(pvm_step(vm)),
            4 => discard(pvm_set_gas(vm, b % 100_000)),
            5 => discard(pvm_set_register(vm, a as c_int, b)),
            6 => discard(pvm_get_register(vm, a as c_int)),
            7 => discard(pvm_set_pc(vm, a)),
            8 | 9 | 10 | 17 | 18 | 23 => {
                if let Some(recorded) =
                    recorded.iter_mut().find(|recorded| recorded.vm == vm && !recorded.has_begun)
                {
                    recorded.layout.push(*call);
                }
                lay_out(vm, *call);
            }
            11 => discard(pvm_read_memory(vm, a, data, small)),
            12 => discard(pvm_write_memory(vm, a, data, small)),
            13 => discard(pvm_initialize_memory(vm, a, data, small)),
            14 => discard(pvm_zero_memory(vm, a, c as u32 % (1 << 24))),
            15 => discard(pvm_write_ram_bytes(vm, a, data, small as u32)),
            16 => discard(pvm_read_ram_bytes(vm, a, data, small as u32, null_mut())),
            19 => discard(pvm_set_memory_bounds(
                vm,
                a,
                a.wrapping_add(4096),
                0x1_0000,
                0x1_0000 + u32::from(d),
                0,
                0,
                c as u32,
                (c as u32).wrapping_add(1),
            )),
            20 => discard(pvm_set_host_callback(vm, if b & 1 == 0 { Some(host) } else { None })),
            21 => discard(pvm_prepare(vm, a, data.cast_const().cast(), small % 12)),
            22 => discard(pvm_prepare_standard(vm, a, data, small)),
            24 => discard(pvm_park(vm)),
            25 => {
                let mut fork = null_mut();
                if vms.len() < MOST_VMS && pvm_fork(vm, &mut fork) == PVM_STATUS_OK {
                    vms.push(fork);
                }
            }
            26 => {
                let mut length = 0;
                if pvm_snapshot(vm, data, buffer.len(), &mut length) == PVM_STATUS_OK {
                    let other = vms[usize::from(d) % vms.len()];
                    pvm_restore_into(other, buffer.as_ptr(), length);
                    // Anything that was changed is noticed.
                    let at = b as usize % length;
                    buffer[at] ^= (c as u8) | 1;
                    assert_ne!(pvm_restore_into(vm, buffer.as_ptr(), length), PVM_STATUS_OK);
                }
            }
            27 => discard(pvm_restore_into(vm, data, small)),
            28 if b & 1 == 0 => {
                pvm_record_start(vm, small);
                recorded.retain(|recorded| recorded.vm != vm);
            }
            28 if vms.len() < MOST_VMS => {
                let module = if b & 2 == 0 { module } else { calling };
                let vm = fresh(module);
                if !vm.is_null() {
                    pvm_record_start(vm, buffer.len() - 1);
                    recorded.push(Recorded { vm, module, layout: Vec::new(), has_begun: false });
                    vms.push(vm);
                }
            }
            28 => {}
            29 => {
                let mut length = 0;
                if pvm_record_read(vm, data.cast(), buffer.len(), &mut length) == PVM_STATUS_OK {
                    match recorded.iter().find(|recorded| recorded.vm == vm) {
                        Some(recorded) if has_begun(&buffer[..length]) => {
                            replay(recorded, &buffer[..length]);
                        }
                        _ => discard(pvm_replay(vm, buffer.as_ptr().cast(), length, null_mut())),
                    }
                }
            }
            30 => discard(pvm_replay(vm, data.cast_const().cast(), small, null_mut())),
            31 => discard(pvm_set_trace_callback(vm, u32::from(d) % 4, Some(traced), null_mut())),
            32 => discard(pvm_set_trace_callback(vm, 0, None, null_mut())),
            33 => {
                let mut result = 0;
                pvm_write_memory(vm, a, input.program.as_ptr(), input.program.len());
                pvm_inner_machine(vm, a.into(), input.program.len() as u64, b, &mut result);
            }
            34 => discard(pvm_inner_peek(vm, b % 5, a.into(), c, d.into(), &mut 0)),
            35 => discard(pvm_inner_poke(vm, b % 5, a.into(), c, d.into(), &mut 0)),
            36 => discard(pvm_inner_pages(vm, b % 5, c, u64::from(d) % 80, u64::from(a) % 6, &mut 0)),
            37 => {
                pvm_write_ram_bytes_64(vm, a, 10_000);
                pvm_inner_invoke(vm, b % 5, a.into(), &mut 0, null_mut());
            }
            38 => discard(pvm_inner_expunge(vm, b, &mut 0)),
            39 => {
                let mut exit = core::mem::MaybeUninit::uninit();
                pvm_get_exit(vm, exit.as_mut_ptr());
                pvm_describe(vm, data.cast(), small, null_mut());
            }
            40 => {
                pvm_set_interruptible(vm, a as c_int & 1);
                pvm_interrupt(vm);
            }
            41 => discard(pvm_module_disassemble(module, a, data.cast(), small, null_mut(), null_mut())),
            43 => {
                let (mut bytes, mut length) = (null(), 0);
                if pvm_borrow_memory(vm, a, &mut bytes, &mut length) == PVM_STATUS_OK {
                    let borrowed = core::slice::from_raw_parts(bytes, length).to_vec();
                    assert_eq!(length, 4096 - a as usize % 4096);
                    assert_eq!(pvm_read_memory(vm, a, data, length), PVM_STATUS_OK);
                    assert_eq!(borrowed, buffer[..length]);
                }
            }
            44 => {
                let access = |address, is_write| Access { address, is_write, data, length: small };
                let accesses = [access(a, 1), access(b as u32, 0), access(c as u32, u32::from(d) & 1)];
                pvm_access_memory(vm, accesses.as_ptr(), small % 4);
            }
            42 => discard(pvm_module_blocks(module, data.cast(), small / 8)),
            _ => {
                pvm_get_registers(vm);
                pvm_error(vm);
                pvm_is_terminated(vm);
                pvm_check_memory(vm, a, b, u32::from(d) % 4);
            }
        }
        // Whatever happens, it is no defect of the library.
        let text = core::ffi::CStr::from_ptr(pvm_last_error());
        assert!(!text.to_bytes().starts_with(b"a defect"), "{text:?}");
    }
    for recorded in &recorded {
        let mut length = 0;
        let read = pvm_record_read(recorded.vm, buffer.as_mut_ptr().cast(), buffer.len(), &mut length);
        if read == PVM_STATUS_OK && has_begun(&buffer[..length]) {
            replay(recorded, &buffer[..length]);
        }
    }
    for vm in vms.into_iter().skip(2) {
        pvm_destroy(vm);
    }
    pvm_module_release(module);
    pvm_module_release(calling);
});
