//! Native code and the interpreter agree at every stop: exit, registers, gas, pc, memory and snapshot, for programs with memory
//! accesses, indirect jumps, syscalls that write registers and memory, gas limits, pauses, page faults, and hosts that set permissions
//! of pages and auxiliary data, for instances that have the same window one after the other and in turns. One that is restored, from
//! the bytes of a snapshot that the other one gave, goes on as the other one does.

#![no_main]

use arbitrary::Arbitrary;
use hatchery_engine::gas::GasModel;
use hatchery_engine::isa::{Opcode, encode};
use hatchery_engine::program::{Code, MemoryConfig, Program};
use hatchery_engine::{
    Backend, Config, Engine, Exit, Instance, InstructionSet, Module, Pause, Permission, ProgramCounter, Reg,
    Snapshot,
};
use hatchery_fuzz::{Piece, RW, opcodes};
use libfuzzer_sys::fuzz_target;

/// Those whose permissions the host sets: read-write data and what is next to it, and auxiliary data.
const PAGES: [u32; 8] = [0x2f, 0x30, 0x31, 0x32, 0x33, 0x34, 0xfffe0, 0xfffe1];

const HAS_SPACE: u8 = 0x80;

#[derive(Arbitrary, Debug)]
struct Input {
    set: u8,
    model: u8,
    faults_to_host: bool,
    gas: u16,
    top_up: u8,
    entry: u8,
    /// What it has at first, and whether there is space for it.
    auxiliary: u8,
    /// What happens at each stop: the lowest bit raises the pause flag, the next one steps first.
    stops: [u8; 12],
    jump_table: [u8; 6],
    registers: [u32; 4],
    code: Vec<Piece>,
}

fuzz_target!(|input: Input| {
    let set = InstructionSet::ALL[usize::from(input.set) % InstructionSet::ALL.len()];
    let (_, model) = GasModel::NAMED[usize::from(input.model) % GasModel::NAMED.len()];
    let Some((program, starts)) = program(&input, set) else { return };
    let config =
        Config::default().gas_model(model).faults_to_host(input.faults_to_host).memory_limit(1 << 20);
    let modules = [Backend::Interpreter, Backend::Recompiler].map(|backend| {
        let engine = Engine::new(config.backend(backend).window_limit(1)).unwrap();
        engine.compile_program(program.clone()).unwrap()
    });
    let pause = Pause::new();
    let entry = starts[usize::from(input.entry) % starts.len()];
    // Without a flag to look at, both go another way.
    let flag = (input.top_up % 4 != 0).then_some(&pause);
    let map = modules[0].memory_map();
    let [stack_end, auxiliary_start] = [map.stack().end, map.auxiliary().start].map(u64::from);
    let prepare = |instance: &mut Instance| {
        let [a, b, c, d] = input.registers.map(u64::from);
        let [data, stack] = [u64::from(RW) + a % 0x3000, stack_end - c % 0x2000];
        let [first, any] = [auxiliary_start, auxiliary_start + b % 0x2000];
        let arguments = [data, b, 0x1_0000, stack, d << 24, u64::MAX, first, any];
        instance.prepare_at(ProgramCounter(entry), &arguments).unwrap();
        instance.set_gas(input.gas.into());
        instance.set_pause(flag.cloned());
    };
    let instances = || {
        modules.each_ref().map(|module| {
            let mut instance = module.instantiate();
            prepare(&mut instance);
            instance
        })
    };
    // The others, which have their turns in the same windows, have no auxiliary data at first.
    let ([mut interpreted, mut native], mut others) = (instances(), instances());
    for instance in [&mut interpreted, &mut native] {
        let _ = instance.memory_mut().set_auxiliary(&auxiliary(input.auxiliary));
    }
    for stop in 0..36u32 {
        let how = input.stops[stop as usize % 12];
        if how & 1 != 0 {
            pause.raise()
        } else {
            pause.lower()
        }
        let run = |instance: &mut Instance| {
            if how & 2 != 0 {
                match instance.step() {
                    Ok(Exit::Paused) => {}
                    exit => return exit,
                }
            }
            instance.run()
        };
        let (expected, got) = (run(&mut interpreted), run(&mut native));
        assert_eq!(got, expected);
        same(&interpreted, &native);
        if matches!(how >> 4, 8..=10) {
            assert!(interpreted.snapshot().to_bytes() == native.snapshot().to_bytes());
        }
        for instance in [&mut interpreted, &mut native] {
            match got.unwrap() {
                Exit::Syscall(number) => {
                    let number = number ^ u32::from(how) << 4;
                    let _ = instance.memory_mut().write(RW + number % 0x3000, &number.to_le_bytes());
                    instance.set_reg(Reg::ALL[number as usize % 13], u64::from(RW + number % 0x2000));
                }
                Exit::PageFault(fault) => {
                    let permission =
                        if fault.write_protected { Permission::ReadWrite } else { Permission::Read };
                    instance.memory_mut().protect(fault.page_address, 4096, permission).unwrap();
                }
                Exit::OutOfGas => instance.set_gas(instance.gas() + i64::from(input.top_up)),
                Exit::Paused => {}
                _ => {
                    if how & 4 == 0 {
                        return;
                    }
                    instance.set_pc(ProgramCounter(entry));
                }
            }
            match how >> 4 {
                0 => instance.park(),
                1 => *instance = instance.fork(),
                2 => {
                    instance.reset();
                    prepare(instance);
                }
                3 => {
                    *instance = instance.module().instantiate();
                    prepare(instance);
                }
                4..7 => {
                    let page = PAGES[(usize::from(how) + stop as usize) % PAGES.len()];
                    let permission = [Permission::None, Permission::Read, Permission::ReadWrite]
                        [usize::from(how >> 4) - 4];
                    instance.memory_mut().protect(page << 12, 4096 << (how >> 3 & 1), permission).unwrap();
                }
                7 => {
                    let _ = instance.memory_mut().set_auxiliary(&auxiliary(how));
                }
                _ => {}
            }
        }
        match how >> 4 {
            // One of them only: it is to be compared with one that goes on.
            8 => native = restored(&interpreted, &modules[1], flag),
            9 => interpreted = restored(&native, &modules[0], flag),
            10 => {
                core::mem::swap(&mut interpreted, &mut others[0]);
                core::mem::swap(&mut native, &mut others[1]);
            }
            _ => {}
        }
        same(&interpreted, &native);
        same_pages(&interpreted, &native);
    }
});

fn program(input: &Input, set: InstructionSet) -> Option<(Program, Vec<u32>)> {
    let opcodes = opcodes(set);
    let count = input.code.len();
    if count == 0 {
        return None;
    }
    let mut starts = vec![0; count + 1];
    for _ in 0..20 {
        let (mut bytes, mut next, mut blocks) = (Vec::new(), Vec::new(), vec![0]);
        for (at, piece) in input.code.iter().enumerate() {
            next.push(bytes.len() as u32);
            let mut instruction = piece.instruction(&opcodes, count);
            instruction.target = starts[instruction.target as usize];
            if at == 0 && input.auxiliary & HAS_SPACE != 0 {
                // As programs do that have arguments. Else few would get to them.
                instruction.opcode = Opcode::LoadIndirectU8;
                (instruction.s1, instruction.x) = (Reg::T0, 0);
            }
            encode(set, &instruction, starts[at], &mut bytes).ok()?;
            if instruction.opcode.info().ends_block {
                blocks.push(at + 1);
            }
        }
        next.push(bytes.len() as u32);
        if next != starts {
            starts = next;
            continue;
        }
        let mut bitmask = vec![0u8; if set.has_bitmask() { bytes.len().div_ceil(8) } else { 0 }];
        if set.has_bitmask() {
            starts[..count].iter().for_each(|at| bitmask[*at as usize / 8] |= 1 << (at % 8));
        }
        // Native code is other code if one of the entries leads to what is no block.
        blocks.retain(|&at| at < count);
        let leads_to_blocks = input.jump_table[0] < 0x80;
        let entry = |&at: &u8| match usize::from(at) {
            at if leads_to_blocks => starts[blocks[at % blocks.len()]] as u16,
            at => starts[at % count] as u16,
        };
        let jump_table: Vec<u8> = input.jump_table.iter().flat_map(|at| entry(at).to_le_bytes()).collect();
        let code = Code::new(set, &bytes, &bitmask, &jump_table, 2).ok()?;
        let memory = MemoryConfig {
            ro_data: vec![7; 100],
            ro_size: 100,
            rw_data: (0..=255).collect(),
            rw_size: 5000,
            stack_size: 8192,
            auxiliary_size: if input.auxiliary & HAS_SPACE == 0 { 0 } else { 8192 },
        };
        starts.truncate(count);
        let program = Program {
            memory,
            imports: Vec::new(),
            exports: Vec::new(),
            code_hash: [0; 32],
            code,
            strict: false,
        };
        return Some((program, starts));
    }
    None
}

/// Zeros or not, and sometimes more than there is ever space for.
fn auxiliary(what: u8) -> Vec<u8> {
    vec![what >> 3 & 1; usize::from(what & 7) * 1200]
}

fn restored(other: &Instance, module: &Module, pause: Option<&Pause>) -> Instance {
    let bytes = other.snapshot().to_bytes();
    let snapshot = Snapshot::from_bytes(&bytes, bytes.len()).unwrap();
    let mut instance = module.restore(&snapshot, &()).unwrap();
    instance.set_pause(pause.cloned());
    instance
}

fn same(a: &Instance, b: &Instance) {
    assert_eq!((a.gas(), a.pc(), a.status()), (b.gas(), b.pc(), b.status()));
    assert_eq!(Reg::ALL.map(|reg| a.reg(reg)), Reg::ALL.map(|reg| b.reg(reg)));
    assert_eq!((a.is_prepared(), a.heap_top()), (b.is_prepared(), b.heap_top()));
}

/// As their hosts see them.
fn same_pages(a: &Instance, b: &Instance) {
    let (mut x, mut y) = ([0; 4096], [0; 4096]);
    for page in PAGES.into_iter().chain([0x10, 0x35, 0xfffce, 0xfffcf, 0xfffde, 0xfffdf]) {
        let read = a.memory().read(page << 12, &mut x);
        assert_eq!(read, b.memory().read(page << 12, &mut y));
        assert!(read.is_err() || x == y, "page {page:#x}");
    }
}
