//! A program that is disturbed at every stop (parked, forked, paused, moved to another kind of window, stepped) does the same as
//! one that is not.

#![no_main]

use arbitrary::Arbitrary;
use hatchery_engine::gas::GasModel;
use hatchery_engine::memory::WindowKind;
use hatchery_engine::program::{Code, MemoryConfig, Program};
use hatchery_engine::{
    Config, Engine, Exit, Instance, InstructionSet, Pause, Permission, ProgramCounter, Reg,
};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input {
    set: u8,
    model: u8,
    faults_to_host: bool,
    gas: u16,
    entry: u8,
    /// What is done to the disturbed instance at each stop.
    disturbances: [u8; 8],
    jump_table: [u8; 8],
    /// Bytes of code; the lowest bit of the second says whether an instruction starts there.
    code: Vec<(u8, u8)>,
}

const STOPS: usize = 24;

fuzz_target!(|input: Input| {
    let set = InstructionSet::ALL[usize::from(input.set) % InstructionSet::ALL.len()];
    let (_, model) = GasModel::NAMED[usize::from(input.model) % GasModel::NAMED.len()];
    let Some(program) = program(&input, set) else { return };
    let config =
        Config::default().gas_model(model).faults_to_host(input.faults_to_host).memory_limit(1 << 20);

    let calm = Engine::new(config.window_kind(WindowKind::Portable)).unwrap();
    let Ok(module) = calm.compile_program(program.clone()) else { return };
    let mut calm = module.instantiate();
    // One window for all, so that forks and the instance itself take it from each other.
    let wild = Engine::new(config.window_limit(1)).unwrap();
    let mut wild = wild.compile_program(program).unwrap().instantiate();
    let pause = Pause::new();
    wild.set_pause(Some(pause.clone()));

    for instance in [&mut calm, &mut wild] {
        instance
            .prepare_at(ProgramCounter(input.entry.into()), &[1, 0x3_0000, 64, 0xfffd_f000, 2, u64::MAX])
            .unwrap();
        instance.set_gas(input.gas.into());
    }
    let mut forks = Vec::new();
    for stop in 0..STOPS {
        let expected = calm.run().unwrap();
        let disturbance = input.disturbances[stop % 8];
        let mut steps = if disturbance & 8 != 0 { 5 } else { 0 };
        if disturbance & 1 != 0 {
            pause.raise()
        } else {
            pause.lower()
        }
        let got = loop {
            let exit = if steps > 0 { wild.step() } else { wild.run() }.unwrap();
            steps -= i32::from(steps > 0);
            if exit != Exit::Paused {
                break exit;
            }
            if disturbance & 2 != 0 {
                wild.park();
            }
            if disturbance & 4 != 0 && forks.len() < 4 {
                let mut fork = wild.fork();
                fork.set_pause(None);
                // It goes its own way and must not be noticed.
                let _ = fork.run();
                forks.push(fork);
            }
        };
        assert_eq!(expected, got);
        same(&calm, &wild);
        match got {
            Exit::Syscall(number) => {
                for instance in [&mut calm, &mut wild] {
                    let _ = instance.memory_mut().write(0x3_0000 + (number & 0x1fff), &number.to_le_bytes());
                    instance.set_reg(Reg::A0, u64::from(number) << 3);
                }
            }
            Exit::PageFault(fault) => {
                for instance in [&mut calm, &mut wild] {
                    let permission =
                        if fault.write_protected { Permission::ReadWrite } else { Permission::Read };
                    instance.memory_mut().protect(fault.page_address, 4096, permission).unwrap();
                }
            }
            Exit::OutOfGas if stop < 3 => {
                for instance in [&mut calm, &mut wild] {
                    instance.set_gas(instance.gas() + 200);
                }
            }
            _ => break,
        }
    }
    if input.disturbances[0] & 16 != 0 {
        for instance in [&mut calm, &mut wild] {
            instance.reset();
        }
        same(&calm, &wild);
    }
});

fn program(input: &Input, set: InstructionSet) -> Option<Program> {
    let code: Vec<u8> = input.code.iter().map(|(byte, _)| *byte).collect();
    let mut bitmask = vec![0u8; if set.has_bitmask() { code.len().div_ceil(8) } else { 0 }];
    if set.has_bitmask() {
        for (at, _) in input.code.iter().enumerate().filter(|&(at, (_, start))| at == 0 || start & 1 != 0) {
            bitmask[at / 8] |= 1 << (at % 8);
        }
    }
    let code = Code::new(set, &code, &bitmask, &input.jump_table, 1).ok()?;
    let memory = MemoryConfig {
        ro_data: vec![7; 100],
        ro_size: 100,
        rw_data: (0..=255).collect(),
        rw_size: 5000,
        stack_size: 4096,
        auxiliary_size: 0,
    };
    Some(Program { memory, imports: Vec::new(), exports: Vec::new(), code, strict: false, code_hash: [0; 32] })
}

fn same(a: &Instance, b: &Instance) {
    assert_eq!((a.gas(), a.pc(), a.is_prepared()), (b.gas(), b.pc(), b.is_prepared()));
    assert_eq!(Reg::ALL.map(|reg| a.reg(reg)), Reg::ALL.map(|reg| b.reg(reg)));
    assert_eq!(a.heap_top(), b.heap_top());
    for page in [0x1_0000, 0x3_0000, 0x3_1000, 0x3_2000, 0xfffd_f000] {
        let (mut x, mut y) = ([0; 4096], [0; 4096]);
        assert_eq!(a.memory().read(page, &mut x), b.memory().read(page, &mut y));
        assert_eq!(x, y, "{page:#x}");
    }
}
