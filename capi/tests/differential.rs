//! Guests and random programs through the C functions and through the engine's own: exits, registers, memory, gas, pc at every stop.

use core::cell::Cell;
use core::ops::Range;

use hatchery_engine::isa::{Instruction, Opcode, encode};
use hatchery_engine::program::Program;
use hatchery_engine::{
    Backend, Charge, Config, Engine, Exit, GasModel, Instance, InstructionSet, Permission, ProgramCounter,
    Reg,
};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use pvm::constants::*;
use pvm::safe;

/// Guest, export, arguments, gas. What calls its host is answered by the number of the call.
const RUNS: [(&str, &str, &[u64], u64); 12] = [
    ("fib", "fib", &[12], 1_000_000),
    ("fib", "fib_loop", &[1000], 1_000_000),
    ("fib", "fib_loop", &[1000], 300),
    ("primes", "primes", &[5000], 1_000_000),
    ("integers", "simulate", &[20], 10_000_000),
    ("sha256", "hash_zeros", &[100], 10_000_000),
    ("heap", "churn", &[30], 10_000_000),
    ("syscalls", "round_trips", &[50], 1_000_000),
    ("syscalls", "six_arguments", &[1, 2, 3, 4, 5, 6], 1_000_000),
    ("traps", "load_null", &[], 1_000_000),
    ("traps", "store_read_only", &[], 1_000_000),
    ("traps", "jump_outside", &[], 1_000_000),
];

#[test]
fn guests_do_the_same_through_c() {
    for (guest, export, arguments, gas) in RUNS {
        let file = format!("{}/../guests/blobs/jam-v1/{guest}.polkavm", env!("CARGO_MANIFEST_DIR"));
        let blob = std::fs::read(file).unwrap();
        for (number, backend) in
            [(PVM_BACKEND_INTERPRETER, Backend::Interpreter), (PVM_BACKEND_RECOMPILER, Backend::Recompiler)]
        {
            if pvm::config::pvm_backend_available(number) == 0 {
                continue;
            }
            for (model_number, (name, model)) in GasModel::NAMED.into_iter().enumerate().take(3) {
                let engine =
                    Engine::new(Config::default().gas_model(model).backend(backend).faults_to_host(true))
                        .unwrap();
                let mut instance = engine.compile(&blob).unwrap().instantiate();
                instance.prepare(export, arguments).unwrap();
                instance.set_gas(gas as i64);

                let mut config = safe::configuration(PVM_PROFILE_GRAY_PAPER_0_8).unwrap();
                config.backend = number;
                config.gas_model = model_number as u32;
                let program = safe::Program::from_polkavm(&config, &blob).unwrap();
                let mut machine = program.instantiate().unwrap();
                machine.prepare(program.export(export).unwrap(), arguments).unwrap();
                machine.set_gas(gas).unwrap();
                same(&format!("{guest} {export} {name} {backend:?}"), &mut instance, &mut machine);
            }
        }
    }
}

fn same(name: &str, instance: &mut Instance, machine: &mut safe::Machine) {
    let map = *instance.module().memory_map();
    let ranges = [map.ro_data(), map.rw_data(), map.stack()];
    same_stops(name, instance, machine, &ranges, |exit, instance, machine| {
        let Exit::Syscall(number) = exit else { return false };
        instance.set_reg(Reg::A0, number.into());
        machine.set_register(Reg::A0 as u8, number.into()).unwrap();
        true
    });
}

/// Executes both up to the end, or until `host` does not want to go on, which does the same to both.
fn same_stops(
    name: &str,
    instance: &mut Instance,
    machine: &mut safe::Machine,
    ranges: &[Range<u32>],
    mut host: impl FnMut(Exit, &mut Instance, &mut safe::Machine) -> bool,
) {
    for stop in 0.. {
        assert!(stop < 1000, "{name} does not end");
        let (exit, result) = (instance.run().unwrap(), machine.resume().unwrap());
        let info = machine.exit().unwrap();
        let place = format!("{name}, stop {stop}: {exit:?} and {info:?}");
        let expected = match exit {
            Exit::Finished => PVM_RESULT_OK,
            Exit::Syscall(_) => PVM_RESULT_HOST_CALL,
            Exit::OutOfGas => PVM_RESULT_OOG,
            Exit::Trap(_) => PVM_RESULT_PANIC,
            Exit::PageFault(_) => PVM_RESULT_FAULT,
            Exit::Paused => PVM_RESULT_PAUSED,
        };
        assert_eq!((result, info.result), (expected, expected), "{place}");
        assert_eq!((instance.pc().0, instance.gas() as u64), (info.pc, info.gas), "{place}");
        for reg in Reg::ALL {
            assert_eq!(instance.reg(reg), machine.register(reg as u8), "{place}: {reg}");
        }
        for range in ranges {
            let mut bytes = [vec![0; range.len()], vec![0; range.len()]];
            let read = [
                instance.memory().read(range.start, &mut bytes[0]).is_ok(),
                machine.read(range.start, &mut bytes[1]).is_ok(),
            ];
            assert!(read[0] == read[1] && bytes[0] == bytes[1], "{place}: memory at {range:x?}");
        }
        match exit {
            Exit::Syscall(number) => assert_eq!(info.host_call, number, "{place}"),
            Exit::PageFault(fault) => {
                let found = (info.page_address, info.address, info.is_write_protected);
                assert_eq!(
                    found,
                    (fault.page_address, fault.address, fault.write_protected.into()),
                    "{place}"
                );
            }
            Exit::Trap(trap) => return assert_eq!(info.trap, trap.kind as u32, "{place}"),
            Exit::Finished => return,
            Exit::OutOfGas | Exit::Paused => {}
        }
        if !host(exit, instance, machine) {
            return;
        }
    }
}

/// How raw programs are executed: by the profiles, with every backend that there is.
fn profiles() -> Vec<(String, pvm::config::Config, InstructionSet, Engine)> {
    let profiles = [
        (PVM_PROFILE_GRAY_PAPER_0_7, InstructionSet::GrayPaper07, GasModel::Flat, Charge::Instruction),
        (PVM_PROFILE_GRAY_PAPER_0_7_BLOCK, InstructionSet::GrayPaper07, GasModel::Flat, Charge::Block),
        (PVM_PROFILE_GRAY_PAPER_0_8, InstructionSet::JamV1, GasModel::NAMED[2].1, Charge::Block),
    ];
    let backends =
        [(PVM_BACKEND_INTERPRETER, Backend::Interpreter), (PVM_BACKEND_RECOMPILER, Backend::Recompiler)];
    let mut all = Vec::new();
    for (profile, set, model, charge) in profiles {
        for (number, backend) in backends {
            if pvm::config::pvm_backend_available(number) == 0 {
                continue;
            }
            let settings =
                Config::default().gas_model(model).charge(charge).backend(backend).faults_to_host(true);
            let mut config = safe::configuration(profile).unwrap();
            config.backend = number;
            let name = format!("profile {profile}, {backend:?}");
            all.push((name, config, set, Engine::new(settings).unwrap()));
        }
    }
    all
}

/// Both ways to execute a raw program, prepared at 0.
fn both(
    config: &pvm::config::Config,
    set: InstructionSet,
    engine: &Engine,
    blob: &[u8],
    arguments: &[u64],
    gas: u64,
) -> (Instance, safe::Machine) {
    let program = Program::from_raw(blob, set).unwrap();
    let mut instance = engine.compile_program(program).unwrap().instantiate();
    instance.prepare_at(ProgramCounter(0), arguments).unwrap();
    instance.set_gas(gas as i64);
    let mut machine = safe::Program::from_raw(config, blob).unwrap().instantiate().unwrap();
    machine.prepare(0, arguments).unwrap();
    machine.set_gas(gas).unwrap();
    (instance, machine)
}

#[test]
fn faults_are_answered_the_same_through_c() {
    let file = format!("{}/examples/programs/pages.pvm", env!("CARGO_MANIFEST_DIR"));
    let blob = std::fs::read(file).unwrap();
    for (name, config, set, engine) in profiles() {
        let (mut instance, mut machine) = both(&config, set, &engine, &blob, &[0x10_0000, 5], 1000);
        let mut faults = 0;
        same_stops(&name, &mut instance, &mut machine, &[], |exit, instance, machine| {
            let Exit::PageFault(fault) = exit else { return false };
            faults += 1;
            let bytes = [faults, 77];
            // A page that the program can only read has bytes that its host has put there before.
            for permission in [Permission::ReadWrite, Permission::Read] {
                instance.memory_mut().protect(fault.page_address, 4096, permission).unwrap();
                machine.map(fault.page_address, 4096, permission as u32).unwrap();
                if permission == Permission::ReadWrite {
                    instance.memory_mut().write(fault.page_address, &bytes).unwrap();
                    machine.write(fault.page_address, &bytes).unwrap();
                }
            }
            true
        });
        assert_eq!((faults, machine.register(Reg::A0 as u8)), (5, 1 + 2 + 3 + 4 + 5), "{name}");
    }
}

/// The pages that random programs and their hosts are mostly about.
const PAGES: Range<u32> = 0x2_0000..0x2_4000;

/// What a host does at a stop.
#[derive(Clone, Copy, Debug)]
enum Deed {
    SetRegister(u8, u64),
    Write(u32, u64),
    Map(u32, u8),
    SetGas(u16),
}

fn address() -> impl Strategy<Value = u32> {
    prop_oneof![8 => PAGES, 1 => any::<u32>()]
}

fn deed() -> impl Strategy<Value = Deed> {
    let page = || (PAGES.start / 4096..PAGES.end / 4096).prop_map(|page| page * 4096);
    prop_oneof![
        (0..13_u8, any::<u64>()).prop_map(|(reg, value)| Deed::SetRegister(reg, value)),
        (0..13_u8, address()).prop_map(|(reg, value)| Deed::SetRegister(reg, value.into())),
        (address(), any::<u64>()).prop_map(|(address, bytes)| Deed::Write(address, bytes)),
        (page(), 0..3_u8).prop_map(|(page, permission)| Deed::Map(page, permission)),
        any::<u16>().prop_map(Deed::SetGas),
    ]
}

impl Deed {
    fn act(self, instance: &mut Instance, machine: &mut safe::Machine) {
        match self {
            Self::SetRegister(reg, value) => {
                instance.set_reg(Reg::ALL[usize::from(reg)], value);
                machine.set_register(reg, value).unwrap();
            }
            Self::Write(address, bytes) => {
                let bytes = bytes.to_le_bytes();
                let written = instance.memory_mut().write(address, &bytes).is_ok();
                assert_eq!(machine.write(address, &bytes).is_ok(), written, "{self:x?}");
            }
            Self::Map(page, number) => {
                let permission =
                    [Permission::None, Permission::Read, Permission::ReadWrite][usize::from(number)];
                instance.memory_mut().protect(page, 4096, permission).unwrap();
                machine.map(page, 4096, number.into()).unwrap();
            }
            Self::SetGas(gas) => {
                instance.set_gas(gas.into());
                machine.set_gas(gas.into()).unwrap();
            }
        }
    }
}

/// Instructions that both Gray Papers encode in the same way. Targets are numbers of instructions.
fn instruction() -> impl Strategy<Value = Instruction> {
    let reg = || (0..13_u8).prop_map(|index| Reg::ALL[usize::from(index)]);
    let made = |opcode: Opcode| {
        move |(d, s1, s2, x, target): (Reg, Reg, Reg, i32, u32)| {
            let mut instruction = Instruction::plain(opcode);
            (instruction.d, instruction.s1, instruction.s2) = (d, s1, s2);
            (instruction.x, instruction.target) = (i64::from(x) as u64, target);
            instruction
        }
    };
    let with =
        |opcode: Opcode, x: BoxedStrategy<i32>| (reg(), reg(), reg(), x, 0..24_u32).prop_map(made(opcode));
    let small = || (-20..20_i32).boxed();
    prop_oneof![
        4 => with(Opcode::LoadImm, address().prop_map(u32::cast_signed).boxed()),
        2 => with(Opcode::LoadIndirectU64, small()),
        2 => with(Opcode::LoadIndirectU8, small()),
        2 => with(Opcode::StoreIndirectU64, small()),
        2 => with(Opcode::AddImm64, any::<i32>().boxed()),
        2 => with(Opcode::Xor, small()),
        3 => with(Opcode::Ecalli, small()),
        1 => with(Opcode::Fallthrough, small()),
        1 => with(Opcode::BranchNotEqImm, small()),
        1 => with(Opcode::Jump, small()),
        1 => with(Opcode::JumpIndirect, small()),
    ]
}

/// A raw program of these instructions, with targets as well as they can be met.
fn raw(instructions: &[Instruction]) -> Vec<u8> {
    let mut starts = vec![0; instructions.len()];
    let mut code = Vec::new();
    // Offsets get longer when targets are known; whatever comes of it is a program.
    for _ in 0..4 {
        code.clear();
        let mut found = Vec::new();
        for instruction in instructions {
            found.push(code.len() as u32);
            let mut instruction = *instruction;
            instruction.target = starts[instruction.target as usize % starts.len()];
            encode(InstructionSet::JamV1, &instruction, code.len() as u32, &mut code).unwrap();
        }
        starts = found;
    }
    let mut bitmask = vec![0; code.len().div_ceil(8)];
    for at in starts {
        bitmask[at as usize / 8] |= 1 << (at % 8);
    }
    // The first two bits say that a byte follows: 14 bits of length.
    let length = [0x80 | (code.len() >> 8) as u8, code.len() as u8];
    [&[0, 0], &length[..], &code, &bitmask].concat()
}

#[test]
fn random_programs_and_hosts_do_the_same_through_c() {
    let profiles = profiles();
    let strategy = (
        proptest::collection::vec(instruction(), 1..24),
        proptest::collection::vec(deed(), 1..40),
        1..200_u64,
    );
    let settings = ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = TestRunner::new_with_rng(settings, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let (faults, calls) = (Cell::new(0), Cell::new(0));
    let result = runner.run(&strategy, |(instructions, deeds, gas)| {
        let blob = raw(&instructions);
        for (name, config, set, engine) in &profiles {
            let arguments = [PAGES.start.into(), (PAGES.end - 4).into(), 7];
            let (mut instance, mut machine) = both(config, *set, engine, &blob, &arguments, gas);
            let pages: Vec<_> = PAGES.step_by(4096).map(|page| page..page + 4096).collect();
            let mut deeds = deeds.iter();
            same_stops(name, &mut instance, &mut machine, &pages, |exit, instance, machine| {
                faults.set(faults.get() + usize::from(matches!(exit, Exit::PageFault(_))));
                calls.set(calls.get() + usize::from(matches!(exit, Exit::Syscall(_))));
                if let Exit::PageFault(fault) = exit
                    && PAGES.contains(&fault.page_address)
                {
                    Deed::Map(fault.page_address, 1 + u8::from(fault.write_protected)).act(instance, machine);
                }
                // The last deed is followed by one more execution.
                let Some(deed) = deeds.next() else { return false };
                deed.act(instance, machine);
                true
            });
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    assert!(faults.get() > 1000 && calls.get() > 1000, "{faults:?} faults, {calls:?} host calls");
}

/// The numbers of the interface are the engine's.
#[test]
fn numbers_of_sets_and_models_are_the_engines() {
    let sets = [
        PVM_ISA_REVIVE_V1,
        PVM_ISA_JAM_V1,
        PVM_ISA_LATEST32,
        PVM_ISA_LATEST64_BITMASK,
        PVM_ISA_GRAY_PAPER_0_7,
        PVM_ISA_LATEST64_EXTENDED,
    ];
    assert_eq!(sets, InstructionSet::ALL.map(|set| set as u32));
    let models = [
        ("flat", PVM_GAS_FLAT),
        ("pipeline-l1", PVM_GAS_PIPELINE_L1),
        ("pipeline-l2", PVM_GAS_PIPELINE_L2),
        ("pipeline-l3", PVM_GAS_PIPELINE_L3),
        ("pipeline-l1-v037", PVM_GAS_PIPELINE_L1_V037),
        ("pipeline-l2-v037", PVM_GAS_PIPELINE_L2_V037),
        ("pipeline-l3-v037", PVM_GAS_PIPELINE_L3_V037),
    ];
    for (number, (name, _)) in GasModel::NAMED.into_iter().enumerate() {
        assert_eq!(models[number], (name, number as u32));
    }
}
