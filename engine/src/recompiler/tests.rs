//! What the recompiler asks of the system, and what it makes of small programs.

mod refusals;
mod signals;

use iced_x86::{Decoder, DecoderOptions, Formatter, IntelFormatter};

use super::Recompiler;
use super::compile::Compiled;
use super::emit::Features;
use crate::isa::{Instruction, InstructionSet, Opcode, Reg, encode};
use crate::program::{Code, Program};
use crate::{Backend, Config, Engine, Exit, GasModel, Instance, Module, ProgramCounter};

const RW: u32 = 0x3_0000;

/// A program of these instructions, whose targets are indices of instructions.
fn code(set: InstructionSet, instructions: &[Instruction], jump_table: &[u8]) -> Code {
    let mut starts = vec![0; instructions.len() + 1];
    loop {
        let mut bytes = Vec::new();
        let mut next = Vec::new();
        for (at, instruction) in instructions.iter().enumerate() {
            next.push(bytes.len() as u32);
            let target = starts[instruction.target as usize];
            encode(set, &Instruction { target, ..*instruction }, starts[at], &mut bytes).unwrap();
        }
        next.push(bytes.len() as u32);
        if next == starts {
            let mut bitmask = vec![0u8; bytes.len().div_ceil(8)];
            starts[..instructions.len()].iter().for_each(|at| bitmask[*at as usize / 8] |= 1 << (at % 8));
            return Code::new(set, &bytes, &bitmask, jump_table, 1).unwrap();
        }
        starts = next;
    }
}

fn module(instructions: &[Instruction]) -> Module {
    let config = Config::default().gas_model(GasModel::Flat).backend(Backend::Recompiler);
    Engine::new(config).unwrap().compile_program(program(instructions, 1 << 20)).unwrap()
}

fn program(instructions: &[Instruction], rw_size: u32) -> Program {
    let code = code(InstructionSet::JamV1, instructions, &[]);
    let memory = crate::program::MemoryConfig { rw_size, ro_size: 1, ..Default::default() };
    Program { memory, imports: Vec::new(), exports: Vec::new(), code_hash: [0; 32], code, strict: true }
}

fn i(opcode: Opcode, d: Reg, s1: Reg, s2: Reg, x: i32, target: u32) -> Instruction {
    Instruction { opcode, d, s1, s2, x: i64::from(x) as u64, y: 77, target }
}

/// Counts in memory and calls its host each time.
fn counter() -> Module {
    use Opcode::*;
    use Reg::*;
    module(&[
        i(LoadIndirectU64, A0, A1, A1, 0, 0),
        i(AddImm64, A0, A0, A0, 1, 0),
        i(StoreIndirectU64, A0, A0, A1, 0, 0),
        i(Ecalli, A0, A0, A0, 0, 0),
        i(Jump, A0, A0, A0, 0, 0),
    ])
}

fn prepare(module: &Module, address: u32) -> Instance {
    let mut instance = module.instantiate();
    instance.prepare_at(ProgramCounter(0), &[0, address.into()]).unwrap();
    instance.set_gas(1 << 40);
    instance
}

fn count(instance: &mut Instance) -> u64 {
    assert_eq!(instance.run(), Ok(Exit::Syscall(0)));
    instance.reg(Reg::A0)
}

/// Where the program itself has no memory, and its host gives it some each time.
#[test]
fn pages_of_the_host_stay_open_for_the_next_instance_with_the_same() {
    use crate::memory::refusals::{calls, refuse};
    use crate::{Permission, TrapKind};
    const WRITABLE: u32 = 0x80_0000;
    const READABLE: u32 = 0x90_0000;
    let module = counter();
    let run = |permissions: [Permission; 2], value: u8| {
        let mut instance = prepare(&module, WRITABLE);
        let mut memory = instance.memory_mut();
        for (address, permission) in [WRITABLE, READABLE].into_iter().zip(permissions) {
            memory.protect(address, 4096, Permission::ReadWrite).unwrap();
            memory.write(address, &[value]).unwrap();
            memory.protect(address, 4096, permission).unwrap();
        }
        refuse(0..0);
        let exits = [WRITABLE, READABLE].map(|address| {
            instance.set_pc(ProgramCounter(0));
            instance.set_reg(Reg::A1, address.into());
            match instance.run().unwrap() {
                Exit::Trap(trap) => Err(trap.kind),
                Exit::Syscall(0) => Ok(instance.reg(Reg::A0)),
                exit => panic!("{exit:?}"),
            }
        });
        drop(instance);
        (exits, calls())
    };
    let usual = [Permission::ReadWrite, Permission::Read];
    let results = |value| [Ok(value), Err(TrapKind::ReadOnly)];
    let (exits, calls_at_first) = run(usual, 7);
    assert_eq!((exits, calls_at_first > 0), (results(8), true));
    assert_eq!(run(usual, 7), (results(8), 0));
    assert_eq!(run(usual, 7), (results(8), 0));
    // Other bytes, other permissions, none.
    assert_eq!(run(usual, 9).0, results(10));
    assert_eq!(run([Permission::Read, Permission::ReadWrite], 7).0, [Err(TrapKind::ReadOnly), Ok(8)]);
    assert_eq!(run(usual, 7).0, results(8));
    assert_eq!(run([Permission::None; 2], 7).0, [Err(TrapKind::Unmapped); 2]);
    assert_eq!(run([Permission::None, Permission::ReadWrite], 7).0, [Err(TrapKind::Unmapped), Ok(8)]);
    // A reset takes them away, too.
    let mut instance = prepare(&module, WRITABLE);
    instance.memory_mut().protect(WRITABLE, 4096, Permission::ReadWrite).unwrap();
    assert_eq!(count(&mut instance), 1);
    instance.reset();
    instance.prepare_at(ProgramCounter(0), &[0, WRITABLE.into()]).unwrap();
    let exit = instance.run().unwrap();
    assert!(matches!(exit, Exit::Trap(trap) if trap.kind == TrapKind::Unmapped), "{exit:?}");
}

#[test]
fn no_memory_is_writable_and_executable() {
    let module = counter();
    count(&mut prepare(&module, RW));
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    assert!(maps.lines().all(|line| !line.contains("rwx")), "{maps}");
    let native = module.inner.native.as_ref().unwrap();
    let start = native.code.start().as_ptr() as usize;
    // What lies next to it with the same permissions, of another test perhaps, is in the same line.
    let contains = |line: &&str| {
        let (from, to) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
        let [from, to] = [from, to].map(|address| usize::from_str_radix(address, 16).unwrap());
        (from..to).contains(&start)
    };
    let line = maps.lines().find(contains).unwrap();
    assert!(line.contains(" r-xp "), "{line}");
}

#[test]
fn an_instance_goes_on_in_a_forked_process() {
    let module = counter();
    let mut instance = prepare(&module, RW);
    assert_eq!([count(&mut instance), count(&mut instance)], [1, 2]);
    // SAFETY: the child only runs the instance and one more, and exits without returning. The allocator works after a fork.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let mut other = prepare(&module, RW + 0x8_0000);
        let fine = std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| {
            count(&mut instance) == 3 && count(&mut other) == 1 && count(&mut instance) == 4
        }));
        // SAFETY: as above.
        unsafe { libc::_exit(i32::from(!matches!(fine, Ok(true)))) };
    }
    let mut status = -1;
    // SAFETY: waits for the child made above.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    assert_eq!(status, 0, "the child counted");
    assert_eq!(count(&mut instance), 3, "what the child did is not seen");
}

fn signal_stack() -> libc::stack_t {
    // SAFETY: an all-zero value is valid, and the system fills it in.
    unsafe {
        let mut present: libc::stack_t = core::mem::zeroed();
        assert_eq!(libc::sigaltstack(core::ptr::null(), &mut present), 0);
        present
    }
}

#[test]
fn threads_without_a_signal_stack_get_one() {
    let module = counter();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let before = signal_stack();
            assert_eq!(before.ss_flags & libc::SS_DISABLE, 0, "Rust's threads have one");
            assert_eq!(count(&mut prepare(&module, RW)), 1);
            assert_eq!(signal_stack().ss_sp, before.ss_sp, "which is left alone");
        });
        scope.spawn(|| {
            let none = libc::stack_t { ss_sp: core::ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 };
            // SAFETY: nothing runs on the stack that is given up.
            assert_eq!(unsafe { libc::sigaltstack(&none, core::ptr::null_mut()) }, 0);
            let mut instance = prepare(&module, RW);
            assert_eq!(count(&mut instance), 1);
            assert_eq!(signal_stack().ss_flags & libc::SS_DISABLE, 0);
            assert!(signal_stack().ss_size >= 0x8000);
            assert_eq!(count(&mut prepare(&module, RW + 0x8_0000)), 1);
        });
    });
}

#[test]
fn threads_that_block_all_signals_are_told_of_refused_accesses() {
    let module = counter();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // SAFETY: an all-zero value is a valid `sigset_t`, which the system fills.
            unsafe {
                let mut all: libc::sigset_t = core::mem::zeroed();
                assert_eq!(libc::sigfillset(&mut all), 0);
                assert_eq!(libc::pthread_sigmask(libc::SIG_SETMASK, &all, core::ptr::null_mut()), 0);
            }
            assert_eq!(count(&mut prepare(&module, RW)), 1);
            assert_eq!(count(&mut prepare(&module, RW + 0x8_0000)), 1);
        });
    });
}

#[test]
fn native_code_says_where_it_is() {
    use Opcode::*;
    use Reg::*;
    let code = code(
        InstructionSet::ReviveV1,
        &[
            i(Fallthrough, A0, A0, A0, 0, 0),
            i(MoveReg, A0, A0, A0, 0, 0),
            i(Ecalli, A0, A0, A0, 0, 0),
            i(MoveReg, A1, A1, A1, 0, 0),
            i(BranchEq, A0, A0, A0, 0, 1),
            i(Jump, A0, A0, A0, 0, 6),
            i(LoadImm, A0, A0, A0, 0, 0),
        ],
        &[],
    );
    let blocks = code.block_starts();
    let features = Recompiler::new().unwrap().features;
    let compiled = Compiled::new(&code, &blocks, GasModel::Flat, features).unwrap().unwrap();
    let mut places = Vec::new();
    for (pc, unpaid) in (0..=code.length()).flat_map(|pc| [(pc, true), (pc, false)]) {
        if let Some(offset) = compiled.offset(pc, unpaid) {
            assert_eq!(compiled.place(offset), Some((pc, unpaid)));
            places.push(offset);
        }
    }
    // Seven instructions and the end of the code, at which four blocks begin.
    assert_eq!(places.len(), 8 + 4);
    assert!(places.is_sorted() && places.windows(2).all(|pair| pair[0] != pair[1]), "{places:?}");
}

/// The native code of a program without what is the same for all.
fn disassembly(code: &Code, compiled: &Compiled) -> String {
    let mut formatter = IntelFormatter::new();
    let options = formatter.options_mut();
    options.set_hex_prefix("0x");
    options.set_hex_suffix("");
    options.set_branch_leading_zeros(false);
    options.set_space_after_operand_separator(true);
    let start = compiled.guest.start as usize;
    // Where the jump table lies is up to the system.
    let table = compiled.jump_table.start() as usize;
    let [table, before] = [table, table - 8].map(|address| format!("0x{address:X}"));
    let mut text = String::new();
    let bytes = compiled.bytes();
    let mut decoder = Decoder::with_ip(64, &bytes[start..], start as u64, DecoderOptions::NONE);
    while decoder.can_decode() {
        let instruction = decoder.decode();
        if instruction.mnemonic() == iced_x86::Mnemonic::Int3 {
            break;
        }
        let at = super::Offset(instruction.ip() as u32);
        match compiled.place(at) {
            Some((pc, true)) => text += &format!("@{pc:x}: block\n"),
            Some((pc, false)) => {
                let shown = code.decode_at(pc).instruction.map_or("no instruction".into(), |i| i.to_string());
                text += &format!("@{pc:x}: {shown}\n");
            }
            None => {}
        }
        if instruction.ip() == compiled.guest.end.into() {
            text += "out of the way\n";
        }
        let mut line = String::new();
        formatter.format(&instruction, &mut line);
        text += &format!(
            "    {:4x}  {}\n",
            instruction.ip(),
            line.replace(&table, "table").replace(&before, "table-8")
        );
    }
    text
}

/// Compares with files in `golden`, or writes them if `HATCHERY_BLESS` is set.
#[test]
fn native_code_of_small_programs_is_as_recorded() {
    use Opcode::*;
    use Reg::*;
    let memory = [
        i(LoadIndirectU64, A0, SP, A0, 8, 0),
        i(LoadIndirectI8, A0, RA, A0, 0, 0),
        i(LoadU32, T0, A0, A0, RW as i32, 0),
        i(LoadI16, T0, A0, A0, 0xfffd_f000u32 as i32, 0),
        i(StoreIndirectU8, A1, A1, S0, -1, 0),
        i(StoreIndirectU16, S1, S1, T2, 0x1234, 0),
        i(StoreImmIndirectU32, A0, T1, A0, 4, 0),
        i(StoreImmU64, A0, A0, A0, RW as i32, 0),
        i(Trap, A0, A0, A0, 0, 0),
    ];
    let repeat =
        [i(AddImm64, A0, A0, A0, -1, 0), i(BranchNotEqImm, A0, A0, A0, 0, 0), i(Trap, A0, A0, A0, 0, 0)];
    let calls = [
        i(Ecalli, A0, A0, A0, 3, 0),
        i(LoadImmAndJump, RA, RA, RA, 2, 3),
        i(Trap, A0, A0, A0, 0, 0),
        i(LoadImmAndJumpIndirect, RA, RA, RA, 4, 0),
        i(JumpIndirect, RA, RA, RA, 0, 0),
        i(JumpIndirect, T0, T0, T0, 0, 0),
        i(BranchLessSigned, A0, A0, A1, 0, 2),
        i(Fallthrough, A0, A0, A0, 0, 0),
        i(Jump, A0, A0, A0, 0, 9),
        i(Unlikely, A0, A0, A0, 0, 0),
        i(Trap, A0, A0, A0, 0, 0),
    ];
    let best = Features { lzcnt: true, tzcnt: true, segment: true, low_tables: true };
    let base_register = Features { segment: false, ..best };
    let high_tables = Features { low_tables: false, ..best };
    let programs: [(&str, &[Instruction], Features); 8] = [
        ("loop", &repeat, best),
        ("memory", &memory, best),
        ("memory_by_base_register", &memory, base_register),
        (
            "arithmetic",
            &[
                i(Add64, A0, A1, A2, 0, 0),
                i(Add32, A0, A0, A1, 0, 0),
                i(Sub64, A0, A1, A0, 0, 0),
                i(MulUpperSignedUnsigned, A0, T0, T1, 0, 0),
                i(MulUpperUnsignedUnsigned, T1, A0, T0, 0, 0),
                i(DivSigned64, A0, A1, A2, 0, 0),
                i(RemUnsigned32, T0, T0, T1, 0, 0),
                i(ShiftLogicalLeft64, A0, A1, A0, 0, 0),
                i(RotateRightImm32, A0, A1, A0, 7, 0),
                i(SetLessThanUnsigned, A0, A0, A1, 0, 0),
                i(Maximum, A0, A1, A0, 0, 0),
                i(CmovIfZeroImm, A0, A1, A0, 5, 0),
                i(LoadImm64, A0, A0, A0, 5, 0),
                i(Trap, A0, A0, A0, 0, 0),
            ],
            best,
        ),
        ("calls", &calls, best),
        ("calls_by_high_table", &calls, high_tables),
        ("calls_with_dead_ends", &calls, best),
        ("gap", &[i(Ecalli, A0, A0, A0, 0, 0)], best),
    ];
    for (name, instructions, features) in programs {
        let table = if name == "calls_with_dead_ends" { [2, 9] } else { [6, 7] };
        let code = code(InstructionSet::JamV1, instructions, &table);
        let blocks = code.block_starts();
        let compiled = Compiled::new(&code, &blocks, GasModel::PIPELINE_L2, features).unwrap().unwrap();
        let text = disassembly(&code, &compiled);
        let path = format!("{}/src/recompiler/golden/{name}.txt", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("HATCHERY_BLESS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(text == expected, "{path} is not\n{text}\n(HATCHERY_BLESS=1 writes it)");
    }
}

/// Whether the table lies at a low address or not, every address leads where it should.
#[test]
fn indirect_jumps_lead_to_the_same_places_by_either_table() {
    use Opcode::{JumpIndirect, LoadImmAndJumpIndirect};
    // Returns are other code, and what sets a register may set the one by which it goes.
    for (opcode, reg, set_to_zero) in [
        (JumpIndirect, Reg::A0, Reg::A0),
        (JumpIndirect, Reg::RA, Reg::RA),
        (LoadImmAndJumpIndirect, Reg::RA, Reg::RA),
        (LoadImmAndJumpIndirect, Reg::RA, Reg::A0),
        (LoadImmAndJumpIndirect, Reg::A0, Reg::RA),
    ] {
        let check_indirect_jumps = |offset, table: &dyn Fn([u8; 4]) -> Vec<u8>| {
            check_indirect_jumps(opcode, reg, set_to_zero, offset, table);
        };
        for offset in [0, 1, 2, 3, 0x7fff_ffff, -1, i32::MIN, i32::MIN + 1] {
            // Starts of blocks, the middle of one, the end of the code, behind it, and the jump itself.
            check_indirect_jumps(offset, &|[jump, trap, set, last]| {
                vec![trap, set, last, last + 1, 200, jump, 0]
            });
            // Native code says where it is only if it leads nowhere.
            check_indirect_jumps(offset, &|[jump, trap, set, _]| vec![trap, set, jump, 0]);
        }
        check_indirect_jumps(0, &|_| vec![]);
        // The length in a byte or more, the most for a low address, too many for one.
        for length in [64, 127, 128, 1000, 1 << 19, (1 << 19) + 1] {
            check_indirect_jumps(0, &|[jump, trap, set, _]| {
                let mut table = vec![trap; length];
                (table[1], table[length - 1]) = (set, jump);
                table
            });
        }
    }
}

/// Jumps to a register and an offset, with a table that is made of where these are: the jump, a trap, an instruction that sets a
/// register, and one behind it. The jump itself sets a register to zero if it sets one.
fn check_indirect_jumps(
    opcode: Opcode,
    reg: Reg,
    set_to_zero: Reg,
    offset: i32,
    table: &dyn Fn([u8; 4]) -> Vec<u8>,
) {
    use crate::TrapKind;
    use crate::interpreter::{RETURN_TO_HOST, Stop};
    use Opcode::*;
    use Reg::*;
    let sets = opcode == LoadImmAndJumpIndirect;
    let (x, y) = if sets { (0, offset) } else { (offset, 0) };
    let instruction = Instruction { y: i64::from(y) as u64, ..i(opcode, set_to_zero, reg, reg, x, 0) };
    let instructions = [
        i(Trap, A0, A0, A0, 0, 0),
        instruction,
        i(Trap, A0, A0, A0, 0, 0),
        i(LoadImm, A1, A0, A0, 7, 0),
        i(Trap, A0, A0, A0, 0, 0),
    ];
    let last = code(InstructionSet::JamV1, &instructions, &[]).length() as u8 - 1;
    let (jump, trap, set) = (1, last - 4, last - 3);
    let table = table([jump, trap, set, last]);
    let code = code(InstructionSet::JamV1, &instructions, &table);
    let engine = Engine::new(Config::default().gas_model(GasModel::Flat)).unwrap();
    let module = engine.compile_program(Program { code, ..program(&instructions, 4096) }).unwrap();
    let inner = &module.inner;
    let pool = crate::memory::Pool::new(crate::memory::WindowKind::BEST, true, 1);
    let slot = std::sync::Arc::new(crate::memory::Slot::new());
    let mut window = pool.acquire(&slot, &inner.image).unwrap();
    let mut contents = crate::memory::Contents::new(std::sync::Arc::clone(&inner.image));
    let compiled = [true, false, true].map(|low_tables| {
        let features = Features { low_tables, ..Recompiler::new().unwrap().features };
        Compiled::new(&inner.code, &inner.blocks, GasModel::Flat, features).unwrap().unwrap()
    });
    let is_low = !table.is_empty() && table.len() <= 1 << 19;
    assert_eq!(compiled[0].jump_table.far().is_none(), is_low || table.is_empty());
    assert_eq!(compiled[1].jump_table.far().is_none(), table.is_empty());
    let leads_to = |address: u32| {
        let entry = if address % 2 == 1 { None } else { (address / 2).checked_sub(1) };
        match entry.and_then(|index| table.get(index as usize).copied()) {
            _ if address == RETURN_TO_HOST => (jump, "finished", None),
            Some(pc) if pc == jump => (jump, "goes round", None),
            Some(pc) if pc == trap || pc == 0 => (pc, "trap", None),
            Some(pc) if pc == set => (last, "trap", None),
            _ => (jump, "nowhere", Some(address)),
        }
    };
    let end = table.len() as u32 * 2;
    let extremes = [0x7fff_fffe, 0x8000_0000, 0x8000_0004, RETURN_TO_HOST - 2, RETURN_TO_HOST, u32::MAX];
    for address in (0..20).chain(end.saturating_sub(1)..end + 4).chain(extremes) {
        // Only the low half counts.
        for upper in [0, 0xdead_beef << 32, u64::MAX << 32] {
            for compiled in &compiled {
                let mut regs = [0; 16];
                regs[set_to_zero as usize] = 1;
                regs[reg as usize] = upper | u64::from(address.wrapping_sub(offset as u32));
                let guest = super::Guest {
                    code: &inner.code,
                    blocks: &inner.blocks,
                    regions: &inner.regions,
                    contents: &mut contents,
                    regs: &mut regs,
                    gas: &mut 10,
                    pause: None,
                };
                let start = compiled.offset(jump.into(), true).unwrap();
                let stop = super::run(compiled, guest, &mut window, start);
                let stopped = match stop {
                    Stop::Finished { pc } => (pc, "finished", None),
                    Stop::OutOfGas { pc, .. } => (pc, "goes round", None),
                    Stop::Trap { pc, kind: TrapKind::Trap, address } => (pc, "trap", address),
                    Stop::Trap { pc, kind: TrapKind::InvalidIndirectJump, address } => {
                        (pc, "nowhere", address)
                    }
                    _ => panic!("{stop:?}"),
                };
                let mut expected = leads_to(address);
                if sets && set_to_zero == reg && expected.1 == "goes round" {
                    // The second time the register is zero.
                    expected = leads_to(offset as u32);
                }
                let expected = (u32::from(expected.0), expected.1, expected.2);
                assert_eq!(
                    stopped,
                    expected,
                    "{opcode:?} {reg:?}, offset {offset}, {} entries, address {address:#x}",
                    table.len()
                );
                assert_eq!(regs[A1 as usize] == 7, expected == (last.into(), "trap", None));
                assert!(!sets || regs[set_to_zero as usize] == 0);
            }
        }
    }
}

/// Processors without them get other code, which this one can execute too.
#[test]
fn counting_zeros_needs_no_special_instructions() {
    use Opcode::*;
    use Reg::*;
    let instructions = [
        i(CountLeadingZeroBits64, A2, A0, A0, 0, 0),
        i(CountLeadingZeroBits32, A3, A0, A0, 0, 0),
        i(CountTrailingZeroBits64, A4, A0, A0, 0, 0),
        i(CountTrailingZeroBits32, A5, A0, A0, 0, 0),
        i(Trap, A0, A0, A0, 0, 0),
    ];
    let module = module(&instructions);
    let inner = &module.inner;
    let features = Features { lzcnt: false, tzcnt: false, segment: false, low_tables: false };
    let compiled = Compiled::new(&inner.code, &inner.blocks, GasModel::Flat, features).unwrap().unwrap();
    let pool = crate::memory::Pool::new(crate::memory::WindowKind::BEST, true, 1);
    let slot = std::sync::Arc::new(crate::memory::Slot::new());
    let mut window = pool.acquire(&slot, &inner.image).unwrap();
    let mut contents = crate::memory::Contents::new(std::sync::Arc::clone(&inner.image));
    for value in [0, 1, 0xffff_ffff, 1 << 31, 1 << 32, 1 << 63, u64::MAX, 0x00f0_0000_0000_0000] {
        let mut regs = [0; 16];
        regs[A0 as usize] = value;
        let guest = super::Guest {
            code: &inner.code,
            blocks: &inner.blocks,
            regions: &inner.regions,
            contents: &mut contents,
            regs: &mut regs,
            gas: &mut 100,
            pause: None,
        };
        let start = compiled.offset(0, true).unwrap();
        let stop = super::run(&compiled, guest, &mut window, start);
        assert!(matches!(stop, crate::interpreter::Stop::Trap { .. }), "{stop:?}");
        let low = value as u32;
        let expected =
            [value.leading_zeros(), low.leading_zeros(), value.trailing_zeros(), low.trailing_zeros()];
        assert_eq!([A2, A3, A4, A5].map(|reg| regs[reg as usize] as u32), expected, "{value:#x}");
    }
}
