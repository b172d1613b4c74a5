//! Programs, compiled once and shared by any number of VMs on any number of threads.

use core::ffi::c_char;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hatchery_engine::program::Program;
use hatchery_engine::{InstructionSet, Module as EngineModule, ProgramCounter};

use crate::config::{Config, Settings};
use crate::constants::*;
use crate::pointer::{self, Place};
use crate::status::{Failure, status, value};

/// A compiled program. It never changes, so that any number of threads can use it at the same time.
#[repr(C)] // The tag comes first.
#[derive(Debug)]
pub struct Module {
    tag: AtomicU64,
    pub(crate) engine: EngineModule,
    pub(crate) settings: Settings,
    /// What it was compiled from, for recordings.
    pub(crate) source: Arc<[u8]>,
}

/// Tells a module from other memory.
const TAG: u64 = 0x656c_7564_6f6d_7670;

/// What a program consists of. Addresses and sizes in bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ModuleInfo {
    /// One of PVM_ISA_*.
    pub instruction_set: u32,
    /// Bytes of code.
    pub code_length: u32,
    /// Entries of the jump table.
    pub jump_table_length: u32,
    /// Entry points with a name.
    pub export_count: u32,
    /// Host calls with a name.
    pub import_count: u32,
    /// Start of the read-only data.
    pub ro_address: u32,
    /// Its size.
    pub ro_size: u32,
    /// Start of the read-write data.
    pub rw_address: u32,
    /// Its size.
    pub rw_size: u32,
    /// Where the heap begins.
    pub heap_base: u32,
    /// The lowest address of the stack.
    pub stack_address: u32,
    /// Its size. The stack pointer begins at its end.
    pub stack_size: u32,
    /// Start of the space for arguments.
    pub arguments_address: u32,
    /// Its size.
    pub arguments_size: u32,
    /// The Blake2b-256 hash of what it was compiled from.
    pub code_hash: [u8; 32],
}

/// A basic block.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Block {
    /// Where it starts in the code.
    pub pc: u32,
    /// What entering it costs, in gas.
    pub cost: u32,
}

impl Module {
    pub(crate) fn compile(
        settings: Settings,
        program: Program,
        source: impl Into<Arc<[u8]>>,
    ) -> Result<Arc<Self>, Failure> {
        let engine = settings.engine()?.compile_program(program)?;
        Ok(Arc::new(Self { tag: AtomicU64::new(TAG), engine, settings, source: source.into() }))
    }

    /// The module of a handle.
    ///
    /// # Safety
    /// If the pointer is neither null nor misaligned it must be one that this library gave, and that is still alive.
    pub(crate) unsafe fn of<'a>(handle: *const Self) -> Result<&'a Self, Failure> {
        pointer::check(handle, "the module")?;
        // SAFETY: not null and aligned; whatever this library gave has eight bytes at its beginning that say what it is.
        let tag = unsafe { (*handle.cast::<AtomicU64>()).load(Ordering::Relaxed) };
        if tag != TAG {
            return Err(Failure::new(PVM_STATUS_INVALID_HANDLE, "the module is none, or has been released"));
        }
        // SAFETY: it is a module, which lives as long as its caller holds it.
        Ok(unsafe { &*handle })
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        self.tag.store(0, Ordering::Relaxed);
    }
}

/// Puts a program together from its parts, as `pvm_create` gets them.
///
/// # Safety
/// Pointers that are neither null nor misaligned must be readable as far as their lengths say.
pub(crate) unsafe fn from_parts(
    set: InstructionSet,
    code: (*const u8, usize),
    bitmask: (*const u8, usize),
    jump_table: (*const u32, usize),
) -> Result<(Program, Arc<[u8]>), Failure> {
    // SAFETY: as the caller says.
    let (code, bitmask, jump_table) = unsafe {
        (
            pointer::slice(code.0, code.1, "the code")?,
            pointer::slice(bitmask.0, bitmask.1, "the bitmask")?,
            pointer::slice(jump_table.0, jump_table.1, "the jump table")?,
        )
    };
    let packed = packed_bitmask(code.len(), bitmask)?;
    // In one blob it has a hash, by which snapshots know it.
    let mut blob = Vec::with_capacity(code.len() + packed.len() + jump_table.len() * 4 + 16);
    put_number(&mut blob, jump_table.len())?;
    // Entries take as few bytes as they can, as everybody writes them, so that the hash is everybody's.
    let highest = jump_table.iter().copied().max().unwrap_or(0);
    let entry_size =
        if jump_table.is_empty() { 0 } else { 4 - (highest.max(1).leading_zeros() / 8) as usize };
    blob.push(entry_size as u8);
    put_number(&mut blob, code.len())?;
    blob.extend(jump_table.iter().flat_map(|entry| entry.to_le_bytes().into_iter().take(entry_size)));
    blob.extend_from_slice(code);
    blob.extend(packed);
    Ok((Program::from_raw(&blob, set)?, blob.into()))
}

/// Appends a number as the format of programs has it: the leading one bits of the first byte count those that follow.
fn put_number(blob: &mut Vec<u8>, number: usize) -> Result<(), Failure> {
    let number = u32::try_from(number).map_err(|_| {
        Failure::argument(format!("{number} bytes or entries: a program has at most 32 MiB of code"))
    })?;
    let bytes = number.to_le_bytes();
    let extra = match number {
        0..0x80 => 0,
        0x80..0x4000 => 1,
        0x4000..0x20_0000 => 2,
        0x20_0000..0x1000_0000 => 3,
        _ => 4,
    };
    let ones = !(0xff_u8.checked_shr(extra).unwrap_or(0));
    blob.push(ones | if extra < 4 { bytes[extra as usize] } else { 0 });
    blob.extend_from_slice(&bytes[..extra as usize]);
    Ok(())
}

/// A bitmask of one bit for each byte of code, from that or from one byte for each.
fn packed_bitmask(code: usize, bitmask: &[u8]) -> Result<Vec<u8>, Failure> {
    let packed = code.div_ceil(8);
    if bitmask.len() == packed {
        return Ok(bitmask.to_vec());
    }
    if bitmask.len() != code {
        return Err(Failure::argument(format!(
            "the bitmask has {} bytes: code of {code} bytes takes {packed} with a bit for each, or {code} with a byte for each",
            bitmask.len()
        )));
    }
    if let Some(at) = bitmask.iter().position(|&byte| byte > 1) {
        return Err(Failure::argument(format!("byte {at} of the bitmask is {}, not 0 or 1", bitmask[at])));
    }
    let byte = |bits: &[u8]| bits.iter().enumerate().fold(0, |byte, (at, bit)| byte | bit << at);
    Ok(bitmask.chunks(8).map(byte).collect())
}

/// Hands a module out.
///
/// # Safety
/// `out` must be null, misaligned or a place for a pointer.
unsafe fn give(
    out: *mut *mut Module,
    make: impl FnOnce() -> Result<Arc<Module>, Failure>,
) -> Result<(), Failure> {
    let out = Place::new(out, "the place for the module")?;
    let module = make()?;
    // SAFETY: as the caller says.
    unsafe { out.put(Arc::into_raw(module).cast_mut()) };
    Ok(())
}

/// Compiles code with its bitmask and jump table. The bitmask says where instructions start: either one bit for each byte of code,
/// the lowest bit of a byte first, or one byte, 0 or 1, for each; its length tells which. Memory is empty: see pvm_map.
///
/// *out becomes a handle that has to be released by pvm_module_release; it is unchanged if this fails. All bytes are copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_module_from_parts(
    config: *const Config,
    code: *const u8,
    code_length: usize,
    bitmask: *const u8,
    bitmask_length: usize,
    jump_table: *const u32,
    jump_table_length: usize,
    out: *mut *mut Module,
) -> Status {
    status(|| {
        // SAFETY: as the header asks of callers.
        unsafe {
            let settings = Config::read(config)?;
            give(out, || {
                let (program, source) = from_parts(
                    settings.instruction_set,
                    (code, code_length),
                    (bitmask, bitmask_length),
                    (jump_table, jump_table_length),
                )?;
                Module::compile(settings, program, source)
            })
        }
    })
}

/// Compiles a raw JAM program: jump table, code and packed bitmask in one blob (Gray Paper, appendix A.2, deblob). Memory is
/// empty: see pvm_map. *out as in pvm_module_from_parts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_module_from_raw(
    config: *const Config,
    blob: *const u8,
    length: usize,
    out: *mut *mut Module,
) -> Status {
    // SAFETY: as the header asks of callers.
    status(|| unsafe {
        let settings = Config::read(config)?;
        let blob = pointer::slice(blob, length, "the program")?;
        give(out, || Module::compile(settings, Program::from_raw(blob, settings.instruction_set)?, blob))
    })
}

/// Compiles a JAM standard program (SPI; Gray Paper, appendix A.7): read-only and read-write data, heap and stack, and a raw
/// program. Give its VMs arguments by pvm_prepare_standard. *out as in pvm_module_from_parts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_module_from_standard(
    config: *const Config,
    blob: *const u8,
    length: usize,
    out: *mut *mut Module,
) -> Status {
    // SAFETY: as the header asks of callers.
    status(|| unsafe {
        let settings = Config::read(config)?;
        let blob = pointer::slice(blob, length, "the program")?;
        give(out, || Module::compile(settings, Program::from_standard(blob, settings.instruction_set)?, blob))
    })
}

/// Compiles a PolkaVM blob, which names its instruction set, its exports and its imports. *out as in pvm_module_from_parts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_module_from_polkavm(
    config: *const Config,
    blob: *const u8,
    length: usize,
    out: *mut *mut Module,
) -> Status {
    // SAFETY: as the header asks of callers.
    status(|| unsafe {
        let settings = Config::read(config)?;
        let blob = pointer::slice(blob, length, "the program")?;
        give(out, || Module::compile(settings, Program::from_polkavm(blob, settings.latest64)?, blob))
    })
}

/// Makes the same handle count once more: it has to be released once more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_module_retain(module: *mut Module) -> Status {
    // SAFETY: as the header asks of callers; a module is always in an `Arc`.
    status(|| unsafe {
        Module::of(module)?;
        Arc::increment_strong_count(module.cast_const());
        Ok(())
    })
}

/// Releases a module. VMs made of it stay usable. Null does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_module_release(module: *mut Module) {
    // SAFETY: as the header asks of callers; a module is always in an `Arc`.
    let _ = status(|| unsafe {
        if !module.is_null() {
            Module::of(module)?;
            drop(Arc::from_raw(module.cast_const()));
        }
        Ok(())
    });
}

/// What a program consists of.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_module_info(module: *const Module, info: *mut ModuleInfo) -> Status {
    // SAFETY: as the header asks of callers.
    status(|| unsafe {
        let engine = &Module::of(module)?.engine;
        let info = Place::new(info, "the place for the information")?;
        let map = engine.memory_map();
        let size = |range: core::ops::Range<u32>| range.end - range.start;
        info.put(ModuleInfo {
            instruction_set: engine.instruction_set() as u32,
            code_length: engine.code().length(),
            jump_table_length: engine.code().jump_table_length(),
            export_count: engine.exports().len() as u32,
            import_count: engine.imports().len() as u32,
            ro_address: map.ro_data().start,
            ro_size: size(map.ro_data()),
            rw_address: map.rw_data().start,
            rw_size: size(map.rw_data()),
            heap_base: map.heap_base(),
            stack_address: map.stack().start,
            stack_size: size(map.stack()),
            arguments_address: map.auxiliary().start,
            arguments_size: size(map.auxiliary()),
            code_hash: engine.code_hash(),
        });
        Ok(())
    })
}

/// The export with this number, in the order of their names: name, its length, where it starts. The name is any bytes, not zero-
/// terminated, and valid as long as the module. Each of the last three can be null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_module_export(
    module: *const Module,
    index: u32,
    name: *mut *const c_char,
    name_length: *mut usize,
    pc: *mut u32,
) -> Status {
    // SAFETY: as the header asks of callers.
    status(|| unsafe {
        let module = Module::of(module)?;
        let found = module.engine.exports().nth(index as usize);
        let (symbol, start) = found.ok_or_else(|| {
            Failure::new(PVM_STATUS_NOT_FOUND, format!("the program has no export number {index}"))
        })?;
        put_name(symbol, name, name_length)?;
        if let Some(pc) = Place::optional(pc, "the place for the pc")? {
            pc.put(start.0);
        }
        Ok(())
    })
}

/// Where the export of this name starts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_module_find_export(
    module: *const Module,
    name: *const c_char,
    name_length: usize,
    pc: *mut u32,
) -> Status {
    // SAFETY: as the header asks of callers.
    status(|| unsafe {
        let module = Module::of(module)?;
        let symbol = pointer::text(name, name_length, "the name")?;
        let pc = Place::new(pc, "the place for the pc")?;
        let start = module.engine.export(symbol).ok_or_else(|| {
            let name = String::from_utf8_lossy(symbol);
            Failure::new(PVM_STATUS_NOT_FOUND, format!("the program has no export `{name}`"))
        })?;
        pc.put(start.0);
        Ok(())
    })
}

/// The name by which the program makes host call `index`, as in pvm_module_export.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_module_import(
    module: *const Module,
    index: u32,
    name: *mut *const c_char,
    name_length: *mut usize,
) -> Status {
    // SAFETY: as the header asks of callers.
    status(|| unsafe {
        let module = Module::of(module)?;
        let symbol = module.engine.imports().get(index as usize).ok_or_else(|| {
            Failure::new(PVM_STATUS_NOT_FOUND, format!("the program has no import number {index}"))
        })?;
        put_name(symbol, name, name_length)
    })
}

/// # Safety
/// Pointers must be null, misaligned or places for results.
unsafe fn put_name(symbol: &[u8], name: *mut *const c_char, name_length: *mut usize) -> Result<(), Failure> {
    let name = Place::optional(name, "the place for the name")?;
    let length = Place::optional(name_length, "the place for the name's length")?;
    // SAFETY: as the caller says.
    unsafe {
        if let Some(name) = name {
            name.put(symbol.as_ptr().cast());
        }
        if let Some(length) = length {
            length.put(symbol.len());
        }
    }
    Ok(())
}

/// The blocks that jumps can enter, in the order of the code, with what entering each costs. Fills `blocks` as far as `capacity`
/// goes and gives how many there are; call it with capacity 0 to learn that. Computes the costs anew each time; takes time linear
/// in the length of the code. 0 also on failure: then pvm_last_error says why.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_module_blocks(
    module: *const Module,
    blocks: *mut Block,
    capacity: usize,
) -> usize {
    // SAFETY: as the header asks of callers.
    value(0, || unsafe {
        let module = Module::of(module)?;
        let blocks = pointer::slice_mut(blocks, capacity, "the place for blocks")?;
        let mut count = 0;
        for block in module.engine.blocks() {
            if let Some(place) = blocks.get_mut(count) {
                *place = Block { pc: block.pc.0, cost: block.cost };
            }
            count += 1;
        }
        Ok(count)
    })
}

impl pointer::Plain for Block {}

/// Writes the text of the instruction at `pc`, such as "add_imm_64 a0, a0, 1", and a zero behind it, and gives where the next
/// instruction starts. `text_length`, if not null, becomes the length of the text without the zero; if `capacity` is less than
/// that plus one this fails with PVM_STATUS_BUFFER_TOO_SMALL. What is no instruction is called "invalid"; running it panics.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvm_module_disassemble(
    module: *const Module,
    pc: u32,
    text: *mut c_char,
    capacity: usize,
    text_length: *mut usize,
    next_pc: *mut u32,
) -> Status {
    // SAFETY: as the header asks of callers.
    status(|| unsafe {
        let module = Module::of(module)?;
        let length = Place::optional(text_length, "the place for the length")?;
        let next = Place::optional(next_pc, "the place for the next pc")?;
        let buffer = pointer::slice_mut(text.cast::<u8>(), capacity, "the place for the text")?;
        let (line, after) = instruction_text(&module.engine, pc);
        if let Some(length) = length {
            length.put(line.len());
        }
        if let Some(next) = next {
            next.put(after);
        }
        put_text(&line, buffer)
    })
}

/// Text and end of an instruction.
pub(crate) fn instruction_text(module: &EngineModule, pc: u32) -> (String, u32) {
    let decoded = module.instruction_at(ProgramCounter(pc));
    let text =
        decoded.instruction.map_or_else(|| "invalid".to_owned(), |instruction| instruction.to_string());
    (text, decoded.next_pc)
}

/// Writes a text with a zero behind it, or nothing if there is no space.
pub(crate) fn put_text(text: &str, buffer: &mut [u8]) -> Result<(), Failure> {
    let too_small =
        || Failure::new(PVM_STATUS_BUFFER_TOO_SMALL, format!("the text takes {} bytes", text.len() + 1));
    let space = buffer.get_mut(..text.len() + 1).ok_or_else(too_small)?;
    space[..text.len()].copy_from_slice(text.as_bytes());
    space[text.len()] = 0;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_each_length() {
        let put = |number: u32| {
            let mut blob = Vec::new();
            put_number(&mut blob, number as usize).unwrap();
            blob
        };
        assert_eq!(put(0x7f), [0x7f]);
        assert_eq!(put(0x80), [0x80, 0x80]);
        assert_eq!(put(0x3fff), [0xbf, 0xff]);
        assert_eq!(put(0x1_0302), [0xc1, 0x02, 0x03]);
        assert_eq!(put(0x103_0201), [0xe1, 1, 2, 3]);
        assert_eq!(put(u32::MAX), [0xf0, 0xff, 0xff, 0xff, 0xff]);
    }

    #[test]
    fn both_forms_of_a_bitmask() {
        assert_eq!(packed_bitmask(9, &[0b1000_0001, 1]).unwrap(), [0b1000_0001, 1]);
        assert_eq!(packed_bitmask(9, &[1, 0, 0, 0, 0, 0, 0, 1, 1]).unwrap(), [0b1000_0001, 1]);
        assert_eq!(packed_bitmask(1, &[1]).unwrap(), [1]);
        assert_eq!(packed_bitmask(0, &[]).unwrap(), [0; 0]);
        assert!(packed_bitmask(9, &[1, 0, 0, 0, 0, 0, 0, 2, 1]).unwrap_err().text.contains("byte 7"));
        assert!(packed_bitmask(9, &[1, 0, 0]).unwrap_err().text.contains("takes 2 with a bit for each"));
    }
}
