//! Native code against the interpreter: every stop of generated programs, whatever stops them, and at every gas value.

use crate::common::generator::wandering;
use crate::common::{Assembly, asm, check, container, engines};
use hatchery_engine::isa::Opcode;
use hatchery_engine::{
    Backend, Config, Engine, Exit, GasModel, Instance, InstructionSet, MemoryError, Pause, Permission,
    ProgramCounter, Reg, RunError,
};
use proptest::prelude::*;
use proptest::sample::Index;

const RW: u32 = 0x3_0000;
const STACK_END: u32 = 0xfffe_0000;

/// Instances of the same program in the interpreter and in native code.
struct Pair {
    interpreted: Instance,
    native: Instance,
}

impl Pair {
    /// Nothing where there is no recompiler.
    fn new(config: Config, blob: &[u8]) -> Option<Self> {
        if !Backend::AVAILABLE.contains(&Backend::Recompiler) {
            return None;
        }
        let instance = |backend| {
            let engine = Engine::new(config.backend(backend)).unwrap();
            engine.compile(blob).unwrap().instantiate()
        };
        Some(Self { interpreted: instance(Backend::Interpreter), native: instance(Backend::Recompiler) })
    }

    fn both(&mut self) -> [&mut Instance; 2] {
        [&mut self.interpreted, &mut self.native]
    }

    fn begin(&mut self, pc: u32, gas: i64, pause: &Pause) {
        for instance in self.both() {
            instance.set_pause(Some(pause.clone()));
            instance.prepare_at(ProgramCounter(pc), &[1, RW.into(), 3, 0xfffd_ffe0, 5, u64::MAX]).unwrap();
            instance.set_gas(gas);
        }
    }

    /// Runs both, or executes an instruction in both, and compares everything but memory.
    fn go(&mut self, step: bool) -> Result<Exit, TestCaseError> {
        let [expected, got] = self.both().map(|instance| if step { instance.step() } else { instance.run() });
        prop_assert_eq!(&got, &expected);
        let seen = |instance: &Instance| {
            let regs = Reg::ALL.map(|reg| instance.reg(reg));
            (instance.pc().0, instance.gas(), instance.heap_top(), instance.is_prepared(), regs)
        };
        prop_assert_eq!(seen(&self.native), seen(&self.interpreted), "after {:?}", got);
        Ok(got.unwrap())
    }

    /// Compares everything that can be read.
    fn compare_memory(&self) -> Result<(), TestCaseError> {
        let pages =
            (0x10..0x12).chain(0x2f..0x3c).chain(0xfffdc..0xfffe1).chain([0, 0xf, 0x1_0000, 0xf_ffff]);
        for page in pages {
            let read = |instance: &Instance| {
                let mut bytes = vec![0; 4096];
                let result: Result<(), MemoryError> = instance.memory().read(page * 4096, &mut bytes);
                (result, bytes)
            };
            prop_assert_eq!(read(&self.native), read(&self.interpreted), "page {:#x}", page);
        }
        Ok(())
    }

    /// Does in both what a host may do after a stop; false if that was the end.
    fn answer(&mut self, exit: Exit, number: u32, top_up: i64) -> bool {
        for instance in self.both() {
            match exit {
                Exit::Syscall(_) => {
                    let registers = [Reg::A0, Reg::A3, Reg::S1, Reg::T2, Reg::SP];
                    instance.set_reg(registers[number as usize % 5], u64::from(RW + number % 0x2000));
                    let _ = instance.memory_mut().write(RW + number % 0x3000, &number.to_le_bytes());
                    let _ = instance.memory_mut().zero(STACK_END - number % 0x2000, number % 64);
                }
                Exit::OutOfGas => instance.set_gas(instance.gas() + top_up),
                Exit::PageFault(fault) => {
                    let permission =
                        if fault.write_protected { Permission::ReadWrite } else { Permission::Read };
                    instance.memory_mut().protect(fault.page_address, 4096, permission).unwrap();
                }
                Exit::Paused => {}
                _ => return false,
            }
        }
        true
    }
}

fn configs() -> Vec<(InstructionSet, Config)> {
    use InstructionSet::*;
    let flat = Config::default().gas_model(GasModel::Flat);
    vec![
        (JamV1, Config::default()),
        (ReviveV1, flat.faults_to_host(true)),
        (Latest64Bitmask, flat.latest64(Latest64Bitmask).memory_limit(9 * 4096)),
        (Latest64Extended, flat.faults_to_host(true)),
        (Latest32, flat),
    ]
}

#[test]
fn every_stop_is_the_same() {
    for (set, config) in configs() {
        let strategy = (
            wandering(set, 2..80),
            any::<Index>(),
            0..2000i64,
            1..900i64,
            prop::collection::vec((any::<u32>(), any::<bool>(), 0..4u8), 1..40),
        );
        check(150, &strategy, |(assembly, entry, gas, top_up, answers)| {
            let Some(mut pair) = Pair::new(config, &assembly.container()) else { return Ok(()) };
            let offsets = assembly.offsets();
            for pc in [0, offsets[entry.index(assembly.code.len())]] {
                let pause = Pause::new();
                pair.begin(pc, gas, &pause);
                let mut ended = false;
                for &(number, raised, steps) in &answers {
                    if raised {
                        pause.raise();
                    } else {
                        pause.lower();
                    }
                    // A few instructions one by one now and then.
                    let mut exit = Exit::Paused;
                    for _ in 0..steps {
                        exit = pair.go(true)?;
                        if exit != Exit::Paused {
                            break;
                        }
                    }
                    if exit == Exit::Paused {
                        exit = pair.go(false)?;
                    }
                    if !pair.answer(exit, number, top_up) {
                        ended = true;
                        break;
                    }
                }
                pair.compare_memory()?;
                if !ended {
                    // Set anew in the middle of whatever it was doing.
                    pair.both().into_iter().for_each(|instance| instance.set_pc(ProgramCounter(pc)));
                    pair.go(false)?;
                }
            }
            pair.both().into_iter().for_each(Instance::reset);
            pair.compare_memory()
        });
    }
}

#[test]
fn every_block_is_paused_at() {
    for (set, config) in configs() {
        check(60, &(wandering(set, 2..40), 0..2000i64), |(assembly, gas)| {
            let Some(mut pair) = Pair::new(config, &assembly.container()) else { return Ok(()) };
            let pause = Pause::new();
            pause.raise();
            pair.begin(0, gas, &pause);
            for number in 0..300 {
                let exit = pair.go(false)?;
                if !pair.answer(exit, number, 100) {
                    break;
                }
            }
            pair.compare_memory()
        });
    }
}

#[test]
fn every_gas_value_ends_at_the_same_place() {
    for (set, config) in configs() {
        check(25, &wandering(set, 2..7), |assembly| {
            let blob = assembly.container();
            let Some(mut pair) = Pair::new(config, &blob) else { return Ok(()) };
            let pause = Pause::new();
            for gas in (0..130).chain((130..2000).step_by(61)) {
                pair.begin(0, gas, &pause);
                for number in 0..6 {
                    let exit = pair.go(false)?;
                    // Topping up by one arrives at every value of the rest, too.
                    if !pair.answer(exit, number, 1) {
                        break;
                    }
                }
                pair.compare_memory()?;
                pair.both().into_iter().for_each(Instance::reset);
            }
            Ok(())
        });
    }
}

/// Programs whose every stop can be gone through: loops, calls of the host, `memset`, jumps of every kind, memory.
fn small_programs() -> Vec<Assembly> {
    use InstructionSet::*;
    use asm::*;
    let loops = |set| {
        let add = if set == Latest32 { Opcode::AddImm32 } else { Opcode::AddImm64 };
        Assembly::new(
            set,
            vec![
                load_imm(Reg::A0, 12),
                load_imm(Reg::A1, RW as i32),
                plain(Opcode::Fallthrough),
                // Two blocks a round, of which the first takes memory.
                store(Opcode::StoreIndirectU32, Reg::A0, Reg::A1, 0),
                dsi(Opcode::LoadIndirectU8, Reg::A2, Reg::A1, 1),
                plain(Opcode::Fallthrough),
                dsi(add, Reg::A0, Reg::A0, -1),
                dsi(add, Reg::A1, Reg::A1, 512),
                branch_imm(Opcode::BranchNotEqImm, Reg::A0, 0, 3),
                ret(),
            ],
        )
    };
    let calls = |set| {
        let mut assembly = Assembly::new(
            set,
            vec![
                load_imm(Reg::A5, 4),
                ecalli(0),
                // Entries of the jump table, from 1 on, by two bytes each.
                dsi(Opcode::JumpIndirect, Reg::RA, Reg::A5, 0),
                load_imm(Reg::A5, 6),
                ecalli(1),
                ecalli(2),
                dsi(Opcode::JumpIndirect, Reg::RA, Reg::A5, 0),
                load_imm(Reg::A1, RW as i32 + 8192),
                store(Opcode::StoreIndirectU8, Reg::A0, Reg::A1, 0),
                jump(0),
            ],
        );
        assembly.jump_table = vec![0, 3, 7];
        assembly.rw_size = 8192;
        assembly
    };
    let fills = |set| {
        Assembly::new(
            set,
            vec![
                load_imm(Reg::A0, RW as i32 + 4000),
                load_imm(Reg::A1, 7),
                load_imm(Reg::A2, 25),
                plain(Opcode::Memset),
                load_imm(Reg::A2, 3),
                plain(Opcode::Memset),
                // Out of what is mapped.
                load_imm(Reg::A2, 9000),
                plain(Opcode::Memset),
                ret(),
            ],
        )
    };
    let sets = [ReviveV1, JamV1, Latest64Bitmask, Latest64Extended, Latest32];
    let fills = sets.into_iter().filter(|set| set.contains(Opcode::Memset)).map(fills);
    sets.into_iter().flat_map(|set| [loops(set), calls(set)]).chain(fills).collect()
}

/// With each gas value up to more than it takes: once, and by topping up by one.
#[test]
fn every_gas_value_of_small_programs() {
    for assembly in small_programs() {
        let blob = assembly.container();
        for model in [GasModel::Flat, GasModel::PIPELINE_L2] {
            let latest64 = if assembly.set.has_bitmask() {
                InstructionSet::Latest64Bitmask
            } else {
                InstructionSet::Latest64Extended
            };
            let engines = engines(Config::default().gas_model(model).latest64(latest64));
            let mut instances: Vec<(String, Instance)> = engines
                .into_iter()
                .map(|(name, engine)| (name, engine.compile(&blob).unwrap().instantiate()))
                .collect();
            let plenty = 1 << 20;
            let all = stops(&mut instances, plenty, 0);
            let used = plenty - all.last().expect("it stops").gas;
            assert!((10..3000).contains(&used), "{used}");
            let mut ended = 0;
            for gas in 0..=used + 1 {
                let once = stops(&mut instances, gas, 0);
                if once.last().map(|stop| stop.exit) != Some(Ok(Exit::OutOfGas)) {
                    ended += 1;
                }
                // What gas does not end goes on as if it had not run out.
                let topped = stops(&mut instances, gas, 1);
                let (last, all_last) = (topped.last().unwrap(), all.last().unwrap());
                assert_eq!(
                    (last.exit, last.pc, last.regs),
                    (all_last.exit, all_last.pc, all_last.regs),
                    "{gas}"
                );
            }
            // `memset` looks whether there is gas for a byte before it finds that it cannot write it.
            let last_pc = all.last().map_or(0, |stop| stop.pc);
            let (_, first) = &instances[0];
            let last = first.module().instruction_at(ProgramCounter(last_pc)).instruction;
            let expected = if last.is_some_and(|last| last.opcode == Opcode::Memset) { 1 } else { 2 };
            assert_eq!(
                ended, expected,
                "{} {model}: gas values up to {used} + 1 that are enough",
                assembly.set
            );
        }
    }
}

#[derive(PartialEq, Debug)]
struct Stopped {
    exit: Result<Exit, RunError>,
    pc: u32,
    gas: i64,
    regs: [u64; 13],
}

/// The stops of the first instance, which are those of the others, too, as is memory afterwards.
fn stops(instances: &mut [(String, Instance)], gas: i64, top_up: i64) -> Vec<Stopped> {
    let mut first: Option<(Vec<Stopped>, Vec<u8>)> = None;
    for (name, instance) in instances {
        instance.reset();
        instance.prepare_at(ProgramCounter(0), &[1, RW.into(), 3]).unwrap();
        instance.set_gas(gas);
        let mut stops = Vec::new();
        let mut syscalls = 0;
        loop {
            let exit = instance.run();
            let regs = Reg::ALL.map(|reg| instance.reg(reg));
            stops.push(Stopped { exit, pc: instance.pc().0, gas: instance.gas(), regs });
            match exit {
                Ok(Exit::Syscall(number)) if syscalls < 6 => {
                    syscalls += 1;
                    instance.set_reg(Reg::A0, u64::from(number) + syscalls);
                    instance.memory_mut().write(RW + number * 3, &[syscalls as u8; 3]).unwrap();
                }
                Ok(Exit::OutOfGas) if top_up > 0 => instance.set_gas(instance.gas() + top_up),
                _ => break,
            }
        }
        let mut memory = vec![0; 4096];
        instance.memory().read(RW, &mut memory).unwrap();
        let (first_stops, first_memory) = first.get_or_insert_with(|| (Vec::new(), memory.clone()));
        if first_stops.is_empty() {
            *first_stops = stops;
        } else {
            assert_eq!(stops, *first_stops, "{name}, gas {gas}");
        }
        assert!(memory == *first_memory, "memory: {name}, gas {gas}");
    }
    first.map(|(stops, _)| stops).unwrap_or_default()
}

/// Bytes that no assembler writes: invalid instructions, gaps, jumps into the middle of anything.
#[test]
fn programs_of_random_bytes() {
    let byte = prop_oneof![
        any::<u8>(),
        prop::sample::select(vec![0u8, 1, 2, 3, 10, 40, 50, 51, 80, 81, 101, 131, 180])
    ];
    let strategy =
        (prop::collection::vec((byte, prop::bool::weighted(0.4)), 1..200), any::<Index>(), 0..200i64);
    for (set, config) in configs().into_iter().filter(|(set, _)| *set != InstructionSet::JamV1) {
        check(400, &strategy, |(bytes, entry, gas)| {
            let code: Vec<u8> = bytes.iter().map(|(byte, _)| *byte).collect();
            let mut bitmask = vec![0u8; code.len().div_ceil(8)];
            for (at, _) in bytes.iter().enumerate().filter(|&(at, (_, start))| at == 0 || *start) {
                bitmask[at / 8] |= 1 << (at % 8);
            }
            if !set.has_bitmask() {
                bitmask.clear();
            }
            let blob = container(
                crate::common::version(set),
                [&[1], &[2]],
                [64, 64, 4096],
                &[],
                &[],
                &code,
                &bitmask,
                &[0, 3, 9],
            );
            let Some(mut pair) = Pair::new(config, &blob) else { return Ok(()) };
            for pc in [0, entry.index(code.len()) as u32] {
                let pause = Pause::new();
                pair.begin(pc, gas, &pause);
                for number in 0..20 {
                    let exit = pair.go(number % 3 == 2)?;
                    if !pair.answer(exit, number, 20) {
                        break;
                    }
                }
                pair.compare_memory()?;
            }
            Ok(())
        });
    }
}

/// All values that decide something, in every pair of registers, through every instruction that computes.
#[test]
fn arithmetic_on_values_that_matter() {
    use hatchery_engine::isa::{GasClass, Instruction, Opcode, Shape};
    const VALUES: [u64; 14] = [
        0,
        1,
        2,
        31,
        32,
        63,
        64,
        0x7fff_ffff,
        0x8000_0000,
        0xffff_ffff,
        i64::MAX as u64,
        i64::MIN as u64,
        u64::MAX,
        0x0123_4567_89ab_cdef,
    ];
    // Registers that are special to the processor's multiplication and shifts, and one that is not.
    const REGS: [Reg; 4] = [Reg::T0, Reg::T1, Reg::RA, Reg::A5];
    for set in [InstructionSet::Latest64Bitmask, InstructionSet::Latest32] {
        let config = Config::default().gas_model(GasModel::Flat).latest64(InstructionSet::Latest64Bitmask);
        for &opcode in Opcode::ALL.iter().filter(|&&opcode| set.contains(opcode)) {
            let info = opcode.info();
            let computes =
                matches!(info.shape, Shape::DestSource | Shape::DestSourceImm | Shape::DestSourceSource);
            if !computes || matches!(info.gas, GasClass::Load | GasClass::Host) {
                continue;
            }
            let with_imm = info.shape == Shape::DestSourceImm;
            let imms: &[i32] =
                if with_imm { &[0, 1, -1, 31, 33, 127, -129, i32::MIN, i32::MAX] } else { &[0] };
            let mut code = Vec::new();
            for d in REGS {
                for s1 in REGS {
                    for &s2 in if info.shape == Shape::DestSourceSource { &REGS[..] } else { &REGS[..1] } {
                        for &x in imms {
                            let x = i64::from(x) as u64;
                            code.push(Instruction { d, s1, s2, x, ..Instruction::plain(opcode) });
                            code.push(asm::ecalli(0));
                        }
                    }
                }
            }
            code.push(Instruction::plain(Opcode::Trap));
            let calls = code.len() / 2;
            let Some(mut pair) = Pair::new(config, &Assembly::new(set, code).container()) else { return };
            pair.begin(0, 1 << 40, &Pause::new());
            for number in 0..calls {
                for instance in pair.both() {
                    for (index, reg) in REGS.into_iter().enumerate() {
                        instance.set_reg(reg, VALUES[(number + index * (number / 14 + index)) % 14]);
                    }
                }
                let exit = pair.go(false);
                assert!(matches!(exit, Ok(Exit::Syscall(0))), "{set} {opcode:?}: {exit:?}");
            }
        }
    }
}

#[test]
fn a_disagreement_says_what_and_where() {
    use hatchery_engine::{Difference, Disagreement};
    let error =
        RunError::from(Disagreement { pc: 0x12, block: 3, difference: Difference::Register(Reg::A0, 1, 2) });
    assert_eq!(
        error.to_string(),
        "native code and the interpreter disagree in or after the block at pc 0x12, after 3 blocks of this run: a0 is 0x1 and 0x2"
    );
}
