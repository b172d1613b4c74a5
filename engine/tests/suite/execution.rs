//! What the execution API promises, on every backend.

use crate::common::asm::{branch_imm, dsi, dss, ecalli, jump, load_imm, plain, ret, store};
use crate::common::{Assembly, engines, guest};
use hatchery_engine::isa::{Instruction, Opcode};
use hatchery_engine::program::Program;
use hatchery_engine::{
    Charge, Config, Engine, Exit, GasModel, Instance, InstructionSet, Module, Pause, Permission,
    PrepareError, ProgramCounter, Reg, RunError, Trap, TrapKind,
};

const JAM: InstructionSet = InstructionSet::JamV1;
const LOTS: i64 = 1_000_000;

fn flat() -> Config {
    Config::default().gas_model(GasModel::Flat)
}

/// Runs the test on every backend, with a prepared instance of the program.
fn on_each(config: Config, assembly: &Assembly, test: impl Fn(&str, &mut Instance)) {
    for (name, engine) in engines(config) {
        let mut instance = start(&engine, assembly);
        test(&name, &mut instance);
    }
}

fn start(engine: &Engine, assembly: &Assembly) -> Instance {
    let mut instance = engine.compile(&assembly.container()).unwrap().instantiate();
    instance.prepare("main", &[]).unwrap();
    instance.set_gas(LOTS);
    instance
}

fn trap(exit: Exit) -> Trap {
    match exit {
        Exit::Trap(trap) => trap,
        exit => panic!("expected a trap, got {exit:?}"),
    }
}

#[test]
fn a_call_gets_its_arguments_and_returns_a_result() {
    let program = Assembly::new(JAM, vec![dss(Opcode::Add64, Reg::A0, Reg::A0, Reg::T2), ret()]);
    on_each(flat(), &program, |name, instance| {
        instance.prepare("main", &[40, 1, 2, 3, 4, 5, 6, 7, 2]).unwrap();
        assert_eq!(instance.reg(Reg::A5), 5, "{name}");
        assert_eq!(instance.reg(Reg::T0), 6, "{name}");
        assert_eq!(instance.reg(Reg::SP), 0xfffe_0000, "{name}");
        assert_eq!(instance.reg(Reg::RA), 0xffff_0000, "{name}");
        assert_eq!(instance.run(), Ok(Exit::Finished), "{name}");
        assert_eq!(instance.reg(Reg::A0), 42, "{name}");
        assert_eq!(instance.gas(), LOTS - 2, "{name}");
    });
}

#[test]
fn calls_out_of_order_are_errors() {
    let program = Assembly::new(JAM, vec![ecalli(0), ret()]);
    for (name, engine) in engines(flat()) {
        let mut instance = engine.compile(&program.container()).unwrap().instantiate();
        assert_eq!(instance.run(), Err(RunError::NotPrepared), "{name}");
        let error = instance.prepare("other", &[]).unwrap_err();
        assert_eq!(error.to_string(), "the program has no export `other`");
        assert_eq!(instance.prepare("main", &[0; 10]), Err(PrepareError::TooManyArguments { count: 10 }));
        assert!(!instance.is_prepared());
        instance.prepare("main", &[]).unwrap();
        instance.set_gas(LOTS);
        assert_eq!(instance.run(), Ok(Exit::Syscall(0)), "{name}");
        assert!(instance.prepare("other", &[]).is_err());
        assert_eq!(instance.run(), Ok(Exit::Finished), "{name}: a failed prepare changes nothing");
        assert_eq!(instance.run(), Err(RunError::NotPrepared), "{name}");
    }
}

#[test]
fn a_syscall_can_be_answered_and_its_block_is_paid_once() {
    let code = vec![load_imm(Reg::A0, 7), ecalli(1), dsi(Opcode::AddImm64, Reg::A0, Reg::A0, 1), ret()];
    let program = Assembly::new(JAM, code);
    on_each(flat(), &program, |name, instance| {
        assert_eq!(instance.run(), Ok(Exit::Syscall(1)), "{name}");
        assert_eq!(instance.reg(Reg::A0), 7, "{name}");
        assert_eq!(instance.pc(), ProgramCounter(program.offsets()[1]), "{name}");
        assert_eq!(instance.gas(), LOTS - 4, "{name}");
        instance.set_reg(Reg::A0, 41);
        assert_eq!(instance.run(), Ok(Exit::Finished), "{name}");
        assert_eq!(instance.reg(Reg::A0), 42, "{name}");
        assert_eq!(instance.gas(), LOTS - 4, "{name}");
    });
}

#[test]
fn setting_the_pc_after_a_syscall_charges_the_whole_block_again() {
    let program = Assembly::new(JAM, vec![load_imm(Reg::A0, 7), ecalli(1), load_imm(Reg::A1, 1), ret()]);
    on_each(flat(), &program, |name, instance| {
        instance.run().unwrap();
        let next = ProgramCounter(program.offsets()[2]);
        instance.set_pc(next);
        instance.set_gas(3);
        assert_eq!(instance.run(), Ok(Exit::OutOfGas), "{name}");
        assert_eq!(
            (instance.gas(), instance.pc()),
            (3, next),
            "{name}: nothing is deducted, the entry is kept"
        );
        instance.set_gas(4);
        assert_eq!(instance.run(), Ok(Exit::Finished), "{name}");
        assert_eq!((instance.gas(), instance.reg(Reg::A1)), (0, 1), "{name}");
    });
}

/// Counts to three: a block of two instructions each time, then two.
fn counting() -> Assembly {
    Assembly::new(
        JAM,
        vec![
            dsi(Opcode::AddImm64, Reg::A0, Reg::A0, 1),
            branch_imm(Opcode::BranchNotEqImm, Reg::A0, 3, 0),
            load_imm(Reg::A1, 9),
            ret(),
        ],
    )
}

#[test]
fn out_of_gas_at_every_value_and_topping_up_equals_one_run() {
    on_each(flat(), &counting(), |name, instance| {
        for gas in 0..8 {
            instance.prepare("main", &[]).unwrap();
            instance.set_gas(gas);
            assert_eq!(instance.run(), Ok(Exit::OutOfGas), "{name} {gas}");
            assert_eq!(
                instance.gas(),
                gas % 2,
                "{name}: nothing is deducted for the block that does not run"
            );
            assert_eq!(instance.reg(Reg::A0), (gas / 2) as u64, "{name} {gas}");
            assert_eq!(instance.reg(Reg::A1), 0, "{name} {gas}");
            assert_eq!(instance.run(), Ok(Exit::OutOfGas), "{name}: and again");
            let left = 8 - gas / 2 * 2;
            instance.set_gas(left);
            assert_eq!(instance.run(), Ok(Exit::Finished), "{name} {gas}");
            assert_eq!((instance.gas(), instance.reg(Reg::A1)), (0, 9), "{name} {gas}");
        }
    });
}

#[test]
fn with_negative_gas_nothing_runs() {
    let program = Assembly::new(JAM, vec![ecalli(0), ret()]);
    on_each(flat(), &program, |name, instance| {
        for gas in [-1, i64::MIN] {
            instance.set_gas(gas);
            assert_eq!(instance.run(), Ok(Exit::OutOfGas), "{name}");
            assert_eq!(instance.gas(), gas, "{name}");
        }
        instance.set_gas(i64::MAX);
        assert_eq!(instance.run(), Ok(Exit::Syscall(0)), "{name}");
        assert_eq!(instance.gas(), i64::MAX - 2, "{name}");
        instance.set_gas(-1);
        assert_eq!(instance.run(), Ok(Exit::OutOfGas), "{name}: also where everything is paid");
        instance.set_gas(0);
        assert_eq!(instance.run(), Ok(Exit::Finished), "{name}");
    });
}

#[test]
fn pausing_at_every_block_equals_one_run() {
    on_each(flat(), &counting(), |name, instance| {
        let pause = Pause::new();
        instance.set_pause(Some(pause.clone()));
        pause.raise();
        let mut runs = 0;
        loop {
            runs += 1;
            match instance.run().unwrap() {
                Exit::Paused => {}
                exit => break assert_eq!(exit, Exit::Finished, "{name}"),
            }
        }
        assert_eq!(runs, 4, "{name}: four blocks");
        assert_eq!((instance.reg(Reg::A0), instance.gas()), (3, LOTS - 8), "{name}");
        pause.lower();
        instance.prepare("main", &[]).unwrap();
        assert_eq!(instance.run(), Ok(Exit::Finished), "{name}");
    });
}

#[test]
fn what_is_left_of_a_block_after_a_syscall_is_a_block_to_a_pause() {
    for rest in [vec![], vec![load_imm(Reg::A0, 1)]] {
        let mut code = vec![ecalli(0)];
        code.extend(rest);
        code.push(jump(code.len() as u32 + 1));
        let second = code.len();
        code.extend([load_imm(Reg::A1, 1), jump(second as u32 + 2), ret()]);
        let program = Assembly::new(JAM, code);
        on_each(flat(), &program, |name, instance| {
            let pause = Pause::new();
            pause.raise();
            instance.set_pause(Some(pause));
            assert_eq!(instance.run(), Ok(Exit::Syscall(0)), "{name}");
            for index in [second, second + 2] {
                assert_eq!(instance.run(), Ok(Exit::Paused), "{name}");
                assert_eq!(instance.pc(), ProgramCounter(program.offsets()[index]), "{name}");
            }
            assert_eq!(instance.run(), Ok(Exit::Finished), "{name}");
        });
    }
}

#[test]
fn traps_say_kind_place_and_address() {
    let load = |x| dsi(Opcode::LoadIndirectU64, Reg::A0, Reg::A1, x);
    let bad_address = Instruction { s1: Reg::A1, ..Instruction::plain(Opcode::JumpIndirect) };
    let cases: Vec<(Instruction, u64, TrapKind, Option<u32>)> = vec![
        (plain(Opcode::Trap), 0, TrapKind::Trap, None),
        (load(0), 0, TrapKind::LowAddress, Some(0)),
        (load(-8), 0, TrapKind::Unmapped, Some(0xffff_fff8)),
        (load(0), 0xfff9, TrapKind::LowAddress, Some(0xfff9)),
        (load(0), 0x1_0ffc, TrapKind::Unmapped, Some(0x1_1000)),
        (load(0), 0xffff_fffc, TrapKind::Unmapped, Some(0xffff_fffc)),
        (store(Opcode::StoreIndirectU8, Reg::A0, Reg::A1, 0), 0x1_0000, TrapKind::ReadOnly, Some(0x1_0000)),
        (store(Opcode::StoreIndirectU32, Reg::A0, Reg::A1, 0), 0x3_0ffe, TrapKind::Unmapped, Some(0x3_1000)),
        (bad_address, 0, TrapKind::InvalidIndirectJump, Some(0)),
        (bad_address, 3, TrapKind::InvalidIndirectJump, Some(3)),
        (bad_address, 2, TrapKind::InvalidIndirectJump, Some(2)),
        (bad_address, 6, TrapKind::InvalidIndirectJump, Some(6)),
        (jump(1), 0, TrapKind::InvalidJump, None),
        (jump(1000), 0, TrapKind::InvalidJump, None),
    ];
    for (instruction, a1, kind, address) in cases {
        let mut program = Assembly::new(JAM, vec![load_imm(Reg::T0, 5), instruction, plain(Opcode::Trap)]);
        // The first entry leads into the middle of a block, the second is missing, the third is good.
        program.jump_table = vec![1, 1000];
        on_each(flat(), &program, |name, instance| {
            instance.set_reg(Reg::A1, a1);
            let got = trap(instance.run().unwrap());
            let pc = program.offsets()[1];
            assert_eq!(got, Trap { kind, pc, address }, "{name} {instruction}");
            assert_eq!(instance.reg(Reg::T0), 5, "{name}: what ran before counts");
            assert_eq!(instance.run(), Err(RunError::NotPrepared), "{name}");
            let ran = if instruction.opcode.can_fall_through() { 3 } else { 2 };
            assert_eq!(instance.gas(), LOTS - ran, "{name} {instruction}: the block stays charged");
        });
    }
}

#[test]
fn invalid_code_traps_when_it_is_reached_in_sets_that_allow_it() {
    let mut program = Assembly::new(InstructionSet::ReviveV1, vec![load_imm(Reg::A0, 1)]);
    on_each(flat(), &program, |name, instance| {
        let end = program.offsets()[1];
        let expected = Trap { kind: TrapKind::CodeEnd, pc: end, address: None };
        assert_eq!(trap(instance.run().unwrap()), expected, "{name}");
        assert_eq!(instance.gas(), LOTS - 2, "{name}: the end counts as an instruction");
        instance.prepare_at(ProgramCounter(1), &[]).unwrap();
        let expected = Trap { kind: TrapKind::InvalidEntry, pc: 1, address: None };
        assert_eq!(trap(instance.run().unwrap()), expected, "{name}");
        assert_eq!(instance.gas(), LOTS - 2, "{name}: nothing was entered");
    });
    program.set = JAM;
    let error = Engine::new(flat()).unwrap().compile(&program.container()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "code: invalid instruction at pc 0x3 (the end of the code); every instruction of a jam-v1 program must be valid"
    );
}

#[test]
fn load_imm_and_jump_indirect_jumps_by_the_old_value() {
    let jump = Instruction {
        d: Reg::A0,
        s1: Reg::A0,
        x: 77,
        y: 2,
        ..Instruction::plain(Opcode::LoadImmAndJumpIndirect)
    };
    let mut program = Assembly::new(JAM, vec![jump, plain(Opcode::Trap), ret()]);
    program.jump_table = vec![1, 2];
    on_each(flat(), &program, |name, instance| {
        instance.set_reg(Reg::A0, 2);
        assert_eq!(instance.run(), Ok(Exit::Finished), "{name}");
        assert_eq!(instance.reg(Reg::A0), 77, "{name}");
    });
}

#[test]
fn memory_is_kept_between_calls_and_reset_on_demand() {
    let rw = 0x3_0000;
    let code = vec![
        dsi(Opcode::LoadIndirectU8, Reg::A0, Reg::A1, 0),
        dsi(Opcode::AddImm64, Reg::A2, Reg::A0, 1),
        store(Opcode::StoreIndirectU8, Reg::A2, Reg::A1, 0),
        ret(),
    ];
    let program = Assembly::new(JAM, code);
    on_each(flat(), &program, |name, instance| {
        let call = |instance: &mut Instance| {
            instance.prepare("main", &[0, rw]).unwrap();
            assert_eq!(instance.run(), Ok(Exit::Finished), "{name}");
            instance.reg(Reg::A0)
        };
        assert_eq!((call(instance), call(instance)), (0x22, 0x23), "{name}");
        instance.park();
        assert_eq!(call(instance), 0x24, "{name}: parking is not observable");
        let mut fork = instance.fork();
        assert_eq!((call(instance), call(&mut fork), call(&mut fork)), (0x25, 0x25, 0x26), "{name}");
        instance.reset();
        assert_eq!(instance.run(), Err(RunError::NotPrepared), "{name}");
        assert_eq!((call(instance), call(&mut fork)), (0x22, 0x27), "{name}");
        let mut other = instance.module().instantiate();
        other.set_gas(LOTS);
        assert_eq!(call(&mut other), 0x22, "{name}");
    });
}

#[test]
fn the_host_copies_between_instances_and_grows_heaps() {
    // A program with data, read-only from 0x10000 and read-write in a page from 0x30000.
    let program = Assembly::new(JAM, vec![dsi(Opcode::LoadIndirectU8, Reg::A0, Reg::A1, 0), ret()]);
    on_each(flat().memory_limit(5 * 4096), &program, |name, instance| {
        let mut other = instance.module().instantiate();
        let top = other.heap_top();
        assert_eq!(other.memory_mut().grow_heap(5000), Some(top + 5000), "{name}");
        assert_eq!(other.memory_mut().grow_heap(1 << 20), None, "{name}: above the limit");
        assert_eq!(other.heap_top(), top + 5000, "{name}");
        let bytes: Vec<u8> = (0..5000u32).map(|at| at as u8).collect();
        instance.memory_mut().protect(0x5_0000, 8192, Permission::ReadWrite).unwrap();
        instance.memory_mut().write(0x5_0007, &bytes).unwrap();
        // Both after they have run, when they may have windows, and before.
        for _ in 0..2 {
            other.memory_mut().copy_from(top, instance.memory(), 0x5_0007, 5000).unwrap();
            let mut copied = vec![0; 5000];
            other.memory().read(top, &mut copied).unwrap();
            assert_eq!(copied, bytes, "{name}");
            let unmapped = other.memory_mut().copy_from(top, instance.memory(), 0x5_1f00, 257);
            assert!(unmapped.is_err(), "{name}");
            let read_only = other.memory_mut().copy_from(0x1_0000, instance.memory(), 0x5_0000, 1);
            assert!(read_only.is_err(), "{name}");
            other.memory().read(top, &mut copied).unwrap();
            assert_eq!(copied, bytes, "{name}: nothing was written");
            for instance in [&mut *instance, &mut other] {
                instance.prepare("main", &[0, 0x3_0000]).unwrap();
                instance.set_gas(LOTS);
                assert_eq!(instance.run(), Ok(Exit::Finished), "{name}");
            }
        }
        let memory = instance.memory();
        assert!(memory.check(0x5_0000, 8192, Permission::ReadWrite).is_ok(), "{name}");
        assert!(memory.check(0x5_0000, 8193, Permission::Read).is_err(), "{name}");
        assert!(memory.check(0x1_0000, 1, Permission::Read).is_ok(), "{name}");
        assert!(memory.check(0x1_0000, 1, Permission::ReadWrite).is_err(), "{name}");
        assert!(memory.check(0, 1 << 33, Permission::Read).is_err(), "{name}");
        assert!(memory.check(0, u64::MAX, Permission::None).is_ok(), "{name}");
    });
}

#[test]
fn an_instance_can_be_given_less_memory_than_others() {
    let sbrk = Instruction { d: Reg::A0, s1: Reg::A1, ..Instruction::plain(Opcode::Sbrk) };
    let program = Assembly::new(InstructionSet::Latest64Bitmask, vec![sbrk, ecalli(0), ret()]);
    let config = flat().memory_limit(6 * 4096).latest64(InstructionSet::Latest64Bitmask);
    on_each(config, &program, |name, instance| {
        let base = 0x3_1000;
        let grow = |instance: &mut Instance, by: u64| {
            instance.prepare("main", &[0, by]).unwrap();
            instance.set_gas(LOTS);
            assert_eq!(instance.run(), Ok(Exit::Syscall(0)), "{name}");
            instance.reg(Reg::A0)
        };
        let declared = instance.memory_bytes();
        assert_eq!(declared, 3 * 4096, "{name}");
        instance.set_memory_limit(declared + 4096);
        assert_eq!(grow(instance, 4097), 0, "{name}");
        assert_eq!((grow(instance, 1), instance.memory_bytes()), (base + 1, declared + 4096), "{name}");
        // It keeps what it has, to the end of the page.
        instance.set_memory_limit(0);
        assert_eq!(grow(instance, 0), base + 1, "{name}");
        assert_eq!((grow(instance, 4095), grow(instance, 1)), (base + 4096, 0), "{name}");
        assert_eq!(instance.memory_bytes(), declared + 4096, "{name}");
        let fork = &mut instance.fork();
        assert_eq!(grow(fork, 1), 0, "{name}: the limit is the fork's too");
        fork.reset();
        assert_eq!((fork.memory_bytes(), grow(fork, 1)), (declared, 0), "{name}: and stays");
        fork.set_memory_limit(u64::MAX);
        assert_eq!(grow(fork, 3 * 4096 + 1), 0, "{name}: the engine's limit remains");
        assert_eq!(grow(fork, 3 * 4096), base + 3 * 4096, "{name}");
        assert_eq!(grow(instance, 1), 0, "{name}: the fork's is not its own");
    });
}

#[test]
fn sbrk_grows_the_heap_and_memset_pays_for_each_byte() {
    let sbrk = Instruction { d: Reg::A0, s1: Reg::A1, ..Instruction::plain(Opcode::Sbrk) };
    let code = vec![sbrk, ecalli(0), plain(Opcode::Memset), ret()];
    let program = Assembly::new(InstructionSet::Latest64Bitmask, code);
    on_each(
        flat().memory_limit(5 * 4096).latest64(InstructionSet::Latest64Bitmask),
        &program,
        |name, instance| {
            let base = 0x3_1000;
            assert_eq!(instance.heap_top(), base);
            for (size, top) in [(0, base), (8192, base + 8192), (1, 0), (u64::MAX, 0), (1 << 32, 0)] {
                instance.prepare("main", &[0, size]).unwrap();
                assert_eq!(instance.run(), Ok(Exit::Syscall(0)), "{name}");
                assert_eq!(instance.reg(Reg::A0), u64::from(top), "{name}: sbrk {size}");
            }
            instance.set_reg(Reg::A0, (base + 4000).into());
            instance.set_reg(Reg::A1, 0x1_ff);
            instance.set_reg(Reg::A2, 200);
            instance.set_gas(150);
            assert_eq!(instance.run(), Ok(Exit::OutOfGas), "{name}");
            assert_eq!(instance.reg(Reg::A0), u64::from(base) + 4150, "{name}");
            assert_eq!((instance.reg(Reg::A2), instance.gas()), (50, 0), "{name}");
            assert_eq!(instance.pc(), ProgramCounter(program.offsets()[2]), "{name}");
            instance.set_gas(50);
            assert_eq!(instance.run(), Ok(Exit::Finished), "{name}");
            assert_eq!((instance.reg(Reg::A2), instance.gas()), (0, 0), "{name}");
            let mut bytes = [1; 202];
            instance.memory().read(base + 3999, &mut bytes).unwrap();
            assert_eq!((bytes[0], bytes[201]), (0, 0), "{name}");
            assert_eq!(bytes[1..201], [0xff; 200], "{name}");
        },
    );
}

#[test]
fn page_faults_are_the_hosts_to_resolve_when_it_asked_for_them() {
    let code = vec![
        store(Opcode::StoreIndirectU64, Reg::A0, Reg::A1, 0),
        dsi(Opcode::LoadIndirectU64, Reg::A2, Reg::A1, 0),
        ret(),
    ];
    let program = Assembly::new(JAM, code);
    on_each(flat().faults_to_host(true), &program, |name, instance| {
        instance.set_reg(Reg::A0, 0x1234);
        instance.set_reg(Reg::A1, 0x10_0ffc);
        let mut faults = Vec::new();
        loop {
            match instance.run().unwrap() {
                Exit::PageFault(fault) => {
                    faults.push((fault.page_address, fault.address, fault.write_protected));
                    let permission =
                        if fault.write_protected { Permission::ReadWrite } else { Permission::Read };
                    instance.memory_mut().protect(fault.page_address, 4096, permission).unwrap();
                }
                exit => break assert_eq!(exit, Exit::Finished, "{name}"),
            }
        }
        let expected = [
            (0x10_0000, 0x10_0ffc, false),
            (0x10_0000, 0x10_0ffc, true),
            (0x10_1000, 0x10_1000, false),
            (0x10_1000, 0x10_1000, true),
        ];
        assert_eq!(faults, expected, "{name}");
        assert_eq!((instance.reg(Reg::A2), instance.gas()), (0x1234, LOTS - 3), "{name}: charged once");
        instance.prepare("main", &[0, 0x8000]).unwrap();
        assert_eq!(trap(instance.run().unwrap()).kind, TrapKind::LowAddress, "{name}");
    });
}

#[test]
#[cfg_attr(miri, ignore = "much code takes minutes in it")]
fn code_of_many_regions_runs_across_their_borders() {
    // Jumps forward over blocks to the end of 60 KB of code, then falls through all of it back from the start.
    let blocks = 6000;
    let mut code = vec![jump(2 * blocks + 1)];
    for _ in 0..blocks {
        code.push(dsi(Opcode::AddImm64, Reg::A0, Reg::A0, 0x1234_5678));
        code.push(plain(Opcode::Fallthrough));
    }
    code.push(branch_imm(Opcode::BranchEqImm, Reg::A0, 0, 1));
    code.push(ret());
    let program = Assembly::new(JAM, code);
    assert!(*program.offsets().last().unwrap() > 40_000);
    on_each(flat(), &program, |name, instance| {
        assert_eq!(instance.run(), Ok(Exit::Finished), "{name}");
        assert_eq!(instance.reg(Reg::A0), u64::from(blocks) * 0x1234_5678, "{name}");
        assert_eq!(instance.gas(), LOTS - 1 - 1 - 2 * i64::from(blocks) - 1 - 1, "{name}");
        let most = instance.module().most_resident_bytes();
        assert!(instance.module().resident_bytes() <= most, "{name}");
    });
}

#[test]
fn instances_are_independent_and_more_than_there_are_windows() {
    let program =
        Assembly::new(JAM, vec![store(Opcode::StoreIndirectU64, Reg::A0, Reg::A1, 0), ecalli(0), ret()]);
    for (name, engine) in engines(flat().window_limit(3)) {
        let module = engine.compile(&program.container()).unwrap();
        let mut instances: Vec<Instance> = (0..20)
            .map(|n| {
                let mut instance = module.instantiate();
                instance.set_gas(LOTS);
                instance.prepare("main", &[n, 0x3_0000 + n]).unwrap();
                assert_eq!(instance.run(), Ok(Exit::Syscall(0)), "{name}");
                instance
            })
            .collect();
        for (n, instance) in instances.iter_mut().enumerate() {
            let mut value = [0; 8];
            instance.memory().read(0x3_0000 + n as u32, &mut value).unwrap();
            assert_eq!(u64::from_le_bytes(value), n as u64, "{name}");
            assert_eq!(instance.run(), Ok(Exit::Finished), "{name}");
        }
    }
}

#[test]
fn threads_share_a_module_and_steal_each_others_windows() {
    let code = vec![
        dsi(Opcode::LoadIndirectU64, Reg::A0, Reg::A1, 0),
        dsi(Opcode::AddImm64, Reg::A0, Reg::A0, 1),
        store(Opcode::StoreIndirectU64, Reg::A0, Reg::A1, 0),
        ret(),
    ];
    let mut program = Assembly::new(JAM, code);
    program.rw_data = vec![0; 8];
    let rounds = if cfg!(miri) { 8 } else { 40u64 };
    for (name, engine) in engines(flat().window_limit(2)) {
        let module: Module = engine.compile(&program.container()).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut instances: Vec<Instance> = (0..5).map(|_| module.instantiate()).collect();
                    for round in 1..=rounds {
                        for (n, instance) in instances.iter_mut().enumerate() {
                            instance.set_gas(LOTS);
                            instance.prepare("main", &[0, 0x3_0000]).unwrap();
                            assert_eq!(instance.run(), Ok(Exit::Finished), "{name}");
                            assert_eq!(instance.reg(Reg::A0), round, "{name}");
                            match (round as usize + n) % 8 {
                                0 => instance.park(),
                                1 => *instance = instance.fork(),
                                2 => drop(instance.fork()),
                                3 => instance.memory_mut().write(0x3_0000, &round.to_le_bytes()).unwrap(),
                                4 => {
                                    let mut bytes = [0; 8];
                                    instance.memory().read(0x3_0000, &mut bytes).unwrap();
                                    assert_eq!(bytes, round.to_le_bytes(), "{name}");
                                }
                                5 => {
                                    *instance = module.instantiate();
                                    instance.memory_mut().write(0x3_0000, &round.to_le_bytes()).unwrap();
                                }
                                _ => {}
                            }
                        }
                    }
                });
            }
        });
    }
}

#[test]
fn the_counter_guest_counts() {
    for set in ["jam-v1", "revive-v1"] {
        let blob = guest(set, "counter");
        for (name, engine) in engines(Config::default()) {
            let module = engine.compile(&blob).unwrap();
            let exports: Vec<&[u8]> = module.exports().map(|(symbol, _)| symbol).collect();
            assert_eq!(
                exports,
                [
                    &b"add_99"[..],
                    b"counter",
                    b"do_exit",
                    b"do_panic",
                    b"do_subcall",
                    b"increment_forever",
                    b"offset"
                ]
            );
            let mut instance = module.instantiate();
            instance.prepare("counter", &[]).unwrap();
            instance.set_gas(i64::MAX);
            let mut counter = 7u64;
            loop {
                match instance.run().unwrap() {
                    Exit::Syscall(number) => {
                        let address = instance.reg(Reg::A0) as u32;
                        let answer = match &*module.imports()[number as usize] {
                            b"read_counter" => {
                                instance.memory_mut().write(address, &counter.to_le_bytes()).unwrap();
                                1
                            }
                            b"increment_counter" => {
                                let mut bytes = [0; 8];
                                instance.memory().read(address, &mut bytes).unwrap();
                                counter += u64::from_le_bytes(bytes);
                                2 << 56
                            }
                            other => panic!("{name}: {}", String::from_utf8_lossy(other)),
                        };
                        instance.set_reg(Reg::A0, answer);
                    }
                    exit => break assert_eq!(exit, Exit::Finished, "{name} {set}"),
                }
            }
            assert_eq!(counter, 15, "{name} {set}");
        }
    }
}

#[test]
fn stepping_equals_running() {
    on_each(flat(), &counting(), |name, instance| {
        let offsets = counting().offsets();
        let (mut steps, mut pcs) = (0, Vec::new());
        loop {
            pcs.push(instance.pc().0);
            steps += 1;
            match instance.step().unwrap() {
                Exit::Paused => {}
                exit => break assert_eq!(exit, Exit::Finished, "{name}"),
            }
        }
        assert_eq!(steps, 8, "{name}");
        let expected = [0, 1, 0, 1, 0, 1, 2, 3].map(|index: usize| offsets[index]);
        assert_eq!(pcs, expected, "{name}");
        assert_eq!((instance.gas(), instance.reg(Reg::A1)), (LOTS - 8, 9), "{name}");
        assert_eq!(instance.step(), Err(RunError::NotPrepared), "{name}");
        instance.prepare("main", &[]).unwrap();
        instance.set_gas(1);
        assert_eq!(instance.step(), Ok(Exit::OutOfGas), "{name}: the block costs two");
        assert_eq!((instance.gas(), instance.reg(Reg::A0)), (1, 0), "{name}");
        instance.set_gas(2);
        assert_eq!(instance.step(), Ok(Exit::Paused), "{name}");
        assert_eq!((instance.gas(), instance.reg(Reg::A0)), (0, 1), "{name}");
        assert_eq!(instance.step(), Ok(Exit::Paused), "{name}: this one is paid");
        assert_eq!(instance.step(), Ok(Exit::OutOfGas), "{name}");
    });
    let program = Assembly::new(JAM, vec![load_imm(Reg::A0, 1), ecalli(1), plain(Opcode::Trap)]);
    on_each(flat(), &program, |name, instance| {
        assert_eq!(instance.step(), Ok(Exit::Paused), "{name}");
        assert_eq!(instance.step(), Ok(Exit::Syscall(1)), "{name}");
        assert_eq!(trap(instance.step().unwrap()).kind, TrapKind::Trap, "{name}");
    });
}

#[test]
fn gas_by_the_instruction() {
    let config = flat().charge(Charge::Instruction);
    on_each(config, &counting(), |name, instance| {
        for gas in 0..8 {
            instance.prepare("main", &[]).unwrap();
            instance.set_gas(gas);
            assert_eq!(instance.run(), Ok(Exit::OutOfGas), "{name} {gas}");
            assert_eq!(instance.gas(), 0, "{name} {gas}: every instruction is paid alone");
            assert_eq!(instance.reg(Reg::A0), ((gas + 1) / 2).min(3) as u64, "{name} {gas}");
            instance.set_gas(8 - gas);
            assert_eq!(instance.run(), Ok(Exit::Finished), "{name} {gas}");
            assert_eq!(instance.gas(), 0, "{name} {gas}");
        }
    });
    let program = Assembly::new(JAM, vec![ecalli(1), load_imm(Reg::A0, 1), ret()]);
    on_each(config, &program, |name, instance| {
        instance.set_gas(1);
        assert_eq!(instance.run(), Ok(Exit::Syscall(1)), "{name}");
        assert_eq!(instance.gas(), 0, "{name}");
        assert_eq!(instance.run(), Ok(Exit::OutOfGas), "{name}");
        assert_eq!(instance.pc(), ProgramCounter(program.offsets()[1]), "{name}");
        instance.set_pc(ProgramCounter(program.offsets()[1]));
        instance.set_gas(5);
        assert_eq!(instance.run(), Ok(Exit::Finished), "{name}");
        assert_eq!(instance.gas(), 3, "{name}: entering in the middle of a block pays for what runs");
    });
}

#[test]
fn standard_programs_read_their_arguments() {
    // Sums the argument's first byte, its read-only and its read-write data, then writes the last heap page.
    let load = |d, base: Reg, x| dsi(Opcode::LoadIndirectU8, d, base, x);
    let code = vec![
        load(Reg::A2, Reg::A0, 0),
        load_imm(Reg::T0, 0x1_0000),
        load(Reg::A3, Reg::T0, 0),
        load_imm(Reg::T1, 0x3_0000),
        load(Reg::A4, Reg::T1, 0),
        dss(Opcode::Add64, Reg::A2, Reg::A2, Reg::A3),
        dss(Opcode::Add64, Reg::A2, Reg::A2, Reg::A4),
        store(Opcode::StoreIndirectU8, Reg::A2, Reg::T1, 0x2fff),
        ecalli(0),
        store(Opcode::StoreIndirectU8, Reg::A2, Reg::A0, 0),
    ];
    let (code, bitmask) = Assembly::new(JAM, code).code_and_bitmask();
    let mut raw = vec![0, 0, code.len() as u8];
    raw.extend(&code);
    raw.extend(&bitmask);
    let mut blob = vec![1, 0, 0, 2, 0, 0, 2, 0, 0, 0x10, 0];
    blob.extend([40, 100, 9]);
    blob.extend((raw.len() as u32).to_le_bytes());
    blob.extend(&raw);

    for (name, engine) in engines(flat()) {
        let module = engine.compile_program(Program::from_standard(&blob, JAM).unwrap()).unwrap();
        let mut instance = module.instantiate();
        let address = 0xfeff_0000u32;
        for (argument, sum) in [(2u8, 142), (5, 145)] {
            instance.prepare_standard(ProgramCounter(0), &[argument, 7, 7]).unwrap();
            assert_eq!(instance.reg(Reg::SP), 0xfefe_0000, "{name}");
            assert_eq!((instance.reg(Reg::A0), instance.reg(Reg::A1)), (address.into(), 3), "{name}");
            instance.set_gas(LOTS);
            assert_eq!(instance.run(), Ok(Exit::Syscall(0)), "{name}");
            assert_eq!(instance.reg(Reg::A2), sum, "{name}");
            let written = trap(instance.run().unwrap());
            assert_eq!((written.kind, written.address), (TrapKind::ReadOnly, Some(address)), "{name}");
        }
        instance.memory_mut().set_auxiliary(&[1; 5000]).unwrap();
        instance.memory_mut().set_auxiliary(&[2; 10]).unwrap();
        let mut bytes = [0; 12];
        instance.memory().read(address, &mut bytes).unwrap();
        assert_eq!(bytes, [2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 0, 0], "{name}: nothing of longer data is left");
        assert!(instance.memory().read(address + 4096, &mut [0]).is_err(), "{name}");
        let error = instance.prepare_standard(ProgramCounter(0), &vec![0; (1 << 24) + 1]).unwrap_err();
        assert_eq!(error.to_string(), "16777217 bytes of auxiliary data: the program has space for 16777216");
        instance.prepare_standard(ProgramCounter(0), &[]).unwrap();
        assert!(instance.memory().read(address, &mut [0]).is_err(), "{name}");
    }
    for length in 0..blob.len() {
        assert!(Program::from_standard(&blob[..length], JAM).is_err(), "{length}");
    }
    blob.push(0);
    assert!(Program::from_standard(&blob, JAM).is_err());
}

#[test]
fn arguments_of_zeros_that_a_snapshot_brought_back_are_gone_with_their_instance() {
    let code = vec![dsi(Opcode::LoadIndirectU8, Reg::A2, Reg::A0, 0), ecalli(0)];
    let blob = Assembly::new(InstructionSet::Latest64Bitmask, code).container();
    let mut program = Program::from_polkavm(&blob, InstructionSet::Latest64Bitmask).unwrap();
    program.memory.auxiliary_size = 8192;
    for (name, engine) in engines(flat().window_limit(1)) {
        let module = engine.compile_program(program.clone()).unwrap();
        let address = module.memory_map().auxiliary().start;
        let enter = |instance: &mut Instance| {
            instance.set_gas(LOTS);
            instance.prepare_at(ProgramCounter(0), &[address.into()]).unwrap();
            instance.run().unwrap()
        };
        let unmapped = |exit| {
            let trap = trap(exit);
            assert_eq!((trap.kind, trap.address), (TrapKind::Unmapped, Some(address)), "{name}");
        };
        let mut first = module.instantiate();
        first.memory_mut().set_auxiliary(&[0; 4097]).unwrap();
        let mut restored = module.restore(&first.snapshot(), &()).unwrap();
        assert_eq!(enter(&mut restored), Exit::Syscall(0), "{name}");
        restored.reset();
        unmapped(enter(&mut restored));
        let mut restored = module.restore(&first.snapshot(), &()).unwrap();
        assert_eq!(enter(&mut restored), Exit::Syscall(0), "{name}");
        drop(restored);
        unmapped(enter(&mut module.instantiate()));
    }
}

#[test]
#[cfg_attr(miri, ignore = "much code takes minutes in it")]
fn entering_the_middle_of_a_long_block_is_refused_at_once_until_it_can_be_paid() {
    let length = 4 << 20;
    let mut code = vec![JAM.byte(Opcode::MoveReg).unwrap(); length];
    code[length - 1] = JAM.byte(Opcode::Trap).unwrap();
    let blob = crate::common::container(3, [&[], &[]], [0; 3], &[], &[], &code, &vec![0xff; length / 8], &[]);
    for (name, engine) in engines(flat()) {
        let mut instance = engine.compile(&blob).unwrap().instantiate();
        let pc = ProgramCounter(length as u32 - 2);
        instance.set_pc(pc);
        assert_eq!(instance.run(), Ok(Exit::OutOfGas), "{name}");
        // Finding the block anew each time would take minutes.
        for _ in 0..1000 {
            instance.set_pc(pc);
            instance.set_gas(length as i64 - 1);
            assert_eq!(instance.run(), Ok(Exit::OutOfGas), "{name}");
        }
        instance.set_gas(length as i64);
        assert_eq!(trap(instance.run().unwrap()).pc, pc.0 + 1, "{name}");
        assert_eq!(instance.gas(), 0, "{name}: all of the block was paid");
    }
}

/// A register of 32 bits has no more, whatever wrote it: what the host reads and a snapshot has is all there is.
#[test]
fn registers_of_32_bits_hide_nothing() {
    let stack = 0xfffd_f000u32;
    let mut program = Assembly::new(
        InstructionSet::Latest32,
        vec![
            load_imm(Reg::A0, stack as i32),
            load_imm(Reg::A1, 1),
            load_imm(Reg::A2, 16),
            plain(Opcode::Memset),
            ecalli(0),
            branch_imm(Opcode::BranchEqImm, Reg::A0, (stack + 16) as i32, 8),
            load_imm(Reg::T0, 1),
            ret(),
            load_imm(Reg::T0, 2),
            ret(),
        ],
    );
    program.stack_size = 0x2000;
    on_each(flat(), &program, |name, instance| {
        assert_eq!(instance.run(), Ok(Exit::Syscall(0)), "{name}");
        assert_eq!(instance.reg(Reg::A0), u64::from(stack + 16), "{name}");
        let restored = instance.module().restore(&instance.snapshot(), &()).unwrap();
        let mut set_again = instance.fork();
        set_again.set_reg(Reg::A0, instance.reg(Reg::A0));
        for (what, mut instance) in
            [("as it was", instance.fork()), ("restored", restored), ("set again", set_again)]
        {
            assert_eq!(instance.run(), Ok(Exit::Finished), "{name}, {what}");
            assert_eq!(instance.reg(Reg::T0), 2, "{name}, {what}");
        }
        // A count of more than 31 bits that stops on the way.
        instance.prepare("main", &[]).unwrap();
        instance.set_pc(ProgramCounter(program.offsets()[3]));
        instance.set_reg(Reg::A0, (stack - 0x1000).into());
        instance.set_reg(Reg::A2, 0x8000_1000);
        instance.set_gas(LOTS);
        assert_eq!(trap(instance.run().unwrap()).address, Some(0xfffe_0000), "{name}");
        assert_eq!(instance.reg(Reg::A2), 0x7fff_f000, "{name}");
    });
}
