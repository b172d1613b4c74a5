//! Memory.

use core::ffi::c_int;

use hatchery_engine::memory::PAGE_SIZE;
use hatchery_engine::{Instance, Permission};

use crate::constants::*;
use crate::pointer::{self, Place};
use crate::record;
use crate::status::{self, Failure};
use crate::vm::{self, State, Vm};

/// Copies `length` bytes of memory at `address` to `buffer`: all or, on failure, none. Everything that the program can read is
/// readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_read_memory(
    vm: *mut Vm,
    address: u32,
    buffer: *mut u8,
    length: usize,
) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            let buffer = pointer::slice_mut(buffer, length, "the buffer")?;
            state.instance()?.memory().read(address, buffer)?;
            state.note_read(address, buffer);
            Ok(())
        })
    }
}

/// Copies `length` bytes from `data` to memory at `address`: all or, on failure, none. Everything that the program can write is
/// writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_write_memory(
    vm: *mut Vm,
    address: u32,
    data: *const u8,
    length: usize,
) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            let data = pointer::slice(data, length, "the data")?;
            state.instance()?.memory_mut().write(address, data)?;
            state.note_write(address, data);
            Ok(())
        })
    }
}

/// Gives a pointer to the byte of memory at `address` where it lies, and how many can be read from there on: up to the end of its page,
/// 4096 bytes at most. It is valid until the next call of a function that is given this VM. It is for reading.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_borrow_memory(
    vm: *mut Vm,
    address: u32,
    data: *mut *const u8,
    length: *mut usize,
) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            let data = Place::new(data, "the pointer")?;
            let length = Place::new(length, "the length")?;
            let mut memory = state.instance()?.memory_mut();
            let bytes = memory.page(address)?;
            data.put(bytes.as_ptr());
            length.put(bytes.len());
            let length = bytes.len();
            state.note_read_of(address, length)
        })
    }
}

/// A part of memory to be read or written by pvm_access_memory.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Access {
    /// Where it begins.
    pub address: u32,
    /// 0: it is copied to `data`. Not 0: `data` is copied to it.
    pub is_write: u32,
    /// The caller's bytes.
    pub data: *mut u8,
    /// How many.
    pub length: usize,
}

/// Reads and writes `count` parts of memory, one after the other, as pvm_read_memory and pvm_write_memory: all or, on failure, none. For
/// languages in which a call is dear.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_access_memory(vm: *mut Vm, accesses: *const Access, count: usize) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            let accesses = pointer::slice(accesses, count, "the accesses")?;
            for &Access { address, is_write, data, length } in accesses {
                pointer::slice(data.cast_const(), length, "the data of an access")?;
                let wanted = if is_write == 0 { Permission::Read } else { Permission::ReadWrite };
                state.instance()?.memory().check(address, length as u64, wanted)?;
            }
            for &Access { address, is_write, data, length } in accesses {
                if is_write == 0 {
                    let buffer = pointer::slice_mut(data, length, "the buffer")?;
                    state.instance()?.memory().read(address, buffer)?;
                    state.note_read(address, buffer);
                } else {
                    let data = pointer::slice(data.cast_const(), length, "the data")?;
                    state.instance()?.memory_mut().write(address, data)?;
                    state.note_write(address, data);
                }
            }
            Ok(())
        })
    }
}

/// Zeroes `length` bytes of memory at `address`: all or, on failure, none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_zero_memory(vm: *mut Vm, address: u32, length: u32) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            state.instance()?.memory_mut().zero(address, length)?;
            state.note_write_of(address, length as usize)
        })
    }
}

/// As pvm_write_memory, but everything that is mapped is writable: for initial contents of what the program can only read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_initialize_memory(
    vm: *mut Vm,
    address: u32,
    data: *const u8,
    length: usize,
) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            let data = pointer::slice(data, length, "the data")?;
            let instance = state.instance()?;
            let is_writable = instance.memory().check(address, length as u64, Permission::ReadWrite).is_ok();
            initialize(instance, address, data)?;
            if !is_writable {
                state.spoil_execution(record::READ_ONLY_WRITTEN);
            }
            state.note_write(address, data);
            Ok(())
        })
    }
}

/// Writes memory whatever the program may do to it, all or nothing.
pub(crate) fn initialize(instance: &mut Instance, address: u32, data: &[u8]) -> Result<(), Failure> {
    if instance.memory_mut().write(address, data).is_ok() {
        return Ok(());
    }
    // Some page cannot be written: what cannot be read either is not there at all.
    instance.memory().check(address, data.len() as u64, Permission::Read)?;
    let mut rest = data;
    let mut at = address;
    while !rest.is_empty() {
        let room = (PAGE_SIZE - at % PAGE_SIZE) as usize;
        let (part, behind) = rest.split_at(room.min(rest.len()));
        let mut memory = instance.memory_mut();
        if memory.write(at, part).is_err() {
            let page = at / PAGE_SIZE * PAGE_SIZE;
            memory.protect(page, PAGE_SIZE.into(), Permission::ReadWrite)?;
            let written = memory.write(at, part);
            memory.protect(page, PAGE_SIZE.into(), Permission::Read)?;
            written?;
        }
        rest = behind;
        at = at.wrapping_add(part.len() as u32);
    }
    Ok(())
}

/// Whether all of a range can be accessed by the program, one of PVM_PERMISSION_*: what host calls of the Gray Paper check before they do
/// anything. Fails with PVM_STATUS_OUT_OF_BOUNDS if not. Of length 0 every range can.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_check_memory(vm: *mut Vm, address: u32, length: u64, number: u32) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            let permission = permission(number)?;
            Ok(state.instance()?.memory().check(address, length, permission)?)
        })
    }
}

fn permission(number: u32) -> Result<Permission, Failure> {
    match number {
        PVM_PERMISSION_NONE => Ok(Permission::None),
        PVM_PERMISSION_READ => Ok(Permission::Read),
        PVM_PERMISSION_READ_WRITE => Ok(Permission::ReadWrite),
        other => Err(Failure::argument(format!("permission {other} is unknown"))),
    }
}

/// Maps whole pages, one of PVM_PERMISSION_*: `address` and `length` are multiples of 4096 bytes, `address` is 0x10000 at the lowest.
/// Pages that were not mapped are zero; pages that were keep their bytes; PVM_PERMISSION_NONE unmaps, as pvm_unmap.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_map(vm: *mut Vm, address: u32, length: u64, number: u32) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            let permission = permission(number)?;
            protect(state, address, length, permission)
        })
    }
}

/// Changes what the program may do to whole pages, all of which are mapped. As pvm_map otherwise.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_protect(vm: *mut Vm, address: u32, length: u64, number: u32) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            let permission = permission(number)?;
            state.instance()?.memory().check(address, length, Permission::Read)?;
            protect(state, address, length, permission)
        })
    }
}

/// Unmaps whole pages, whose bytes are lost.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_unmap(vm: *mut Vm, address: u32, length: u64) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe { vm::status(vm, |state| protect(state, address, length, Permission::None)) }
}

fn protect(state: &mut State, address: u32, length: u64, permission: Permission) -> Result<(), Failure> {
    state.instance()?.memory_mut().protect(address, length, permission)?;
    match permission {
        Permission::None => state.note_unmapped(address, length),
        Permission::Read | Permission::ReadWrite => state.spoil_execution(record::PAGES_CHANGED),
    }
    Ok(())
}

/// The end of the heap, in bytes; 0 on failure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_get_heap_pointer(vm: *mut Vm) -> u32 {
    // SAFETY: as the header asks of callers.
    unsafe { vm::value(vm, 0, |state| Ok(state.instance()?.heap_top())) }
}

/// Sets the end of the heap, behind which the program's sbrk goes on: memory from the end of the read-write data up to there, rounded
/// up to whole pages, becomes readable and writable. The heap cannot shrink; memory_limit and the stack limit it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_set_heap_pointer(vm: *mut Vm, pointer: u32) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            let instance = state.instance()?;
            let top = instance.heap_top();
            let size = pointer.checked_sub(top).ok_or_else(|| {
                Failure::argument(format!("the heap ends at {top:#x}: it cannot shrink to {pointer:#x}"))
            })?;
            grow(state, size.into()).map(drop)
        })
    }
}

/// Grows the heap by so many bytes, as the Gray Paper 0.8's grow_heap needs it, and gives its new end. `end` can be null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_grow_heap(vm: *mut Vm, size: u64, end: *mut u32) -> Status {
    // SAFETY: as the header asks of callers.
    unsafe {
        vm::status(vm, |state| {
            let end = Place::optional(end, "the place for the end of the heap")?;
            let top = grow(state, size)?;
            if let Some(end) = end {
                end.put(top);
            }
            Ok(())
        })
    }
}

fn grow(state: &mut State, size: u64) -> Result<u32, Failure> {
    let top = state.instance()?.memory_mut().grow_heap(size).ok_or_else(|| {
        Failure::new(
            PVM_STATUS_LIMIT,
            format!("the heap cannot grow by {size} bytes: there is no space, or memory_limit"),
        )
    })?;
    if size > 0 {
        state.note_heap(top);
    }
    Ok(top)
}

/// What went out of bounds, as `pvm_write_ram_bytes` and its kin say it.
const OUT_OF_BOUNDS: c_int = -3;

fn out_of_bounds(state: &State) -> u64 {
    match state.settings.config.error_constants {
        PVM_CONSTANTS_32 => PVM_OOB & u64::from(u32::MAX),
        _ => PVM_OOB,
    }
}

/// Writes memory as `pvm_write_ram_bytes` does; gives what it returns.
///
/// # Safety
/// As for [`Vm::of`].
unsafe fn write_ram(vm: *mut Vm, address: u32, data: &[u8]) -> u64 {
    // SAFETY: as the caller says.
    unsafe {
        vm::value(vm, PVM_WHAT, |state| {
            let is_initializing = state.is_initializing;
            let instance = state.instance()?;
            let written = if is_initializing {
                initialize(instance, address, data)
            } else {
                instance.memory_mut().write(address, data).map_err(Failure::from)
            };
            if written.is_err() {
                return Ok(out_of_bounds(state));
            }
            state.note_write(address, data);
            Ok(0)
        })
    }
}

/// Reads memory as `pvm_read_ram_bytes` does; gives what it returns, and writes the error code.
///
/// # Safety
/// As for [`Vm::of`]; `error_code` must be null, misaligned, or a place for a number.
unsafe fn read_ram(vm: *mut Vm, address: u32, buffer: &mut [u8], error_code: *mut c_int) -> u64 {
    // SAFETY: as the caller says.
    unsafe {
        let result = vm::value(vm, PVM_WHAT, |state| {
            let read = state.instance()?.memory().read(address, buffer);
            if read.is_err() {
                return Ok(out_of_bounds(state));
            }
            state.note_read(address, buffer);
            Ok(0)
        });
        let code = match result {
            0 => 0,
            PVM_WHAT => -2,
            _ => OUT_OF_BOUNDS,
        };
        put_error(error_code, code);
        result
    }
}

/// # Safety
/// `error_code` must be null, misaligned, or a place for a number.
unsafe fn put_error(error_code: *mut c_int, code: c_int) {
    if let Ok(Some(place)) = Place::optional(error_code, "the place for the error code") {
        // SAFETY: as the caller says.
        unsafe { place.put(code) };
    }
}

/// Reads a number.
///
/// # Safety
/// As for [`read_ram`].
unsafe fn read_number<const N: usize>(vm: *mut Vm, address: u32, error_code: *mut c_int) -> [u8; N] {
    let mut bytes = [0; N];
    // SAFETY: as the caller says.
    unsafe { read_ram(vm, address, &mut bytes, error_code) };
    bytes
}

/// Writes a byte. Gives 0, or PVM_OOB if that is not mapped or, after the first execution, not writable for the program; PVM_WHAT if
/// the VM is unusable: then pvm_last_error says why.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_write_ram_bytes_8(vm: *mut Vm, address: u32, data: u8) -> u64 {
    // SAFETY: as the header asks of callers.
    unsafe { write_ram(vm, address, &data.to_le_bytes()) }
}

/// Writes two bytes, little-endian, at any address. As pvm_write_ram_bytes_8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_write_ram_bytes_16(vm: *mut Vm, address: u32, data: u16) -> u64 {
    // SAFETY: as the header asks of callers.
    unsafe { write_ram(vm, address, &data.to_le_bytes()) }
}

/// Writes four bytes, little-endian, at any address. As pvm_write_ram_bytes_8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_write_ram_bytes_32(vm: *mut Vm, address: u32, data: u32) -> u64 {
    // SAFETY: as the header asks of callers.
    unsafe { write_ram(vm, address, &data.to_le_bytes()) }
}

/// Writes eight bytes, little-endian, at any address. As pvm_write_ram_bytes_8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_write_ram_bytes_64(vm: *mut Vm, address: u32, data: u64) -> u64 {
    // SAFETY: as the header asks of callers.
    unsafe { write_ram(vm, address, &data.to_le_bytes()) }
}

/// Writes bytes: all or, on failure, none. As pvm_write_ram_bytes_8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_write_ram_bytes(vm: *mut Vm, address: u32, data: *const u8, length: u32) -> u64 {
    // SAFETY: as the header asks of callers.
    unsafe {
        match pointer::slice(data, length as usize, "the data") {
            Ok(data) => write_ram(vm, address, data),
            Err(failure) => {
                status::remember(&failure);
                PVM_WHAT
            }
        }
    }
}

/// Reads a byte; 0 on failure. *error_code becomes 0, or -3 if that is not mapped, or -2 if the VM is unusable; it can be null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_read_ram_bytes_8(vm: *mut Vm, address: u32, error_code: *mut c_int) -> u8 {
    // SAFETY: as the header asks of callers.
    u8::from_le_bytes(unsafe { read_number(vm, address, error_code) })
}

/// Reads two bytes, little-endian, at any address. As pvm_read_ram_bytes_8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_read_ram_bytes_16(vm: *mut Vm, address: u32, error_code: *mut c_int) -> u16 {
    // SAFETY: as the header asks of callers.
    u16::from_le_bytes(unsafe { read_number(vm, address, error_code) })
}

/// Reads four bytes, little-endian, at any address. As pvm_read_ram_bytes_8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_read_ram_bytes_32(vm: *mut Vm, address: u32, error_code: *mut c_int) -> u32 {
    // SAFETY: as the header asks of callers.
    u32::from_le_bytes(unsafe { read_number(vm, address, error_code) })
}

/// Reads eight bytes, little-endian, at any address. As pvm_read_ram_bytes_8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_read_ram_bytes_64(vm: *mut Vm, address: u32, error_code: *mut c_int) -> u64 {
    // SAFETY: as the header asks of callers.
    u64::from_le_bytes(unsafe { read_number(vm, address, error_code) })
}

/// Reads bytes: all or, on failure, none. Gives 0, PVM_OOB or PVM_WHAT; *error_code as in pvm_read_ram_bytes_8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_read_ram_bytes(
    vm: *mut Vm,
    address: u32,
    buffer: *mut u8,
    length: u32,
    error_code: *mut c_int,
) -> u64 {
    // SAFETY: as the header asks of callers.
    unsafe {
        match pointer::slice_mut(buffer, length as usize, "the buffer") {
            Ok(buffer) => read_ram(vm, address, buffer, error_code),
            Err(failure) => {
                status::remember(&failure);
                put_error(error_code, -2);
                PVM_WHAT
            }
        }
    }
}
