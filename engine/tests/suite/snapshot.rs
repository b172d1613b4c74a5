//! Snapshots: an execution that is cut anywhere, stored as bytes and gone on with on another backend is the same execution; equal
//! states have equal bytes.

use crate::common::generator::wandering;
use crate::common::snapshots::{RW, calling, instances, restore, seen};
use crate::common::{Assembly, asm, check, engines};
use hatchery_engine::isa::{Instruction, Opcode};
use hatchery_engine::{
    Charge, Config, Engine, Exit, GasModel, Instance, InstructionSet, Module, Pause, Permission,
    ProgramCounter, Reg, Status,
};
use proptest::prelude::*;
use proptest::sample::Index;

/// What happens to an instance next.
#[derive(Clone, Copy, Debug)]
enum Action {
    Run,
    /// Runs one block.
    Block,
    Step,
}

/// What of it is not the same on the instances that are compared: nothing of it can be seen.
#[derive(Clone, Copy, Debug)]
enum Disturbance {
    Nothing,
    Park,
    Fork,
    /// Goes on with what a snapshot of another instance gives.
    Restore,
}

fn actions() -> impl Strategy<Value = Vec<(Action, u32, [Disturbance; 8])>> {
    let action = prop_oneof![2 => Just(Action::Run), 2 => Just(Action::Block), 1 => Just(Action::Step)];
    let disturbance = prop_oneof![
        Just(Disturbance::Nothing),
        Just(Disturbance::Park),
        Just(Disturbance::Fork),
        Just(Disturbance::Restore),
        Just(Disturbance::Restore),
    ];
    prop::collection::vec((action, any::<u32>(), prop::array::uniform8(disturbance)), 1..40)
}

fn configs() -> Vec<(InstructionSet, Config)> {
    use InstructionSet::*;
    let flat = Config::default().gas_model(GasModel::Flat);
    vec![
        (JamV1, Config::default()),
        (JamV1, flat.charge(Charge::Instruction).faults_to_host(true)),
        (ReviveV1, flat.faults_to_host(true)),
        (Latest64Bitmask, flat.latest64(Latest64Bitmask).memory_limit(9 * 4096)),
        (Latest64Extended, flat.faults_to_host(true)),
        (Latest32, flat),
    ]
}

/// An instance, and what can pause it.
struct Subject {
    instance: Instance,
    module: Module,
    pause: Pause,
}

impl Subject {
    fn new(engine: &Engine, blob: &[u8]) -> Self {
        let module = engine.compile(blob).unwrap();
        Self { instance: module.instantiate(), module, pause: Pause::new() }
    }

    fn act(&mut self, action: Action) -> Exit {
        self.instance.set_pause(Some(self.pause.clone()));
        match action {
            Action::Run => self.pause.lower(),
            Action::Block => self.pause.raise(),
            Action::Step => return self.instance.step().unwrap(),
        }
        self.instance.run().unwrap()
    }

    /// Answers a stop as a host may; false if that was the end.
    fn answer(&mut self, exit: Exit, number: u32) -> bool {
        let instance = &mut self.instance;
        match exit {
            Exit::Syscall(_) => {
                let registers = [Reg::A0, Reg::A3, Reg::S1, Reg::T2, Reg::SP];
                instance.set_reg(registers[number as usize % 5], u64::from(RW + number % 0x2000));
                // The bytes that are there, sometimes.
                let _ = instance.memory_mut().write(RW + number % 0x3000, &(number / 16 * 16).to_le_bytes());
                let _ = instance.memory_mut().zero(RW + number % 0x2000, number % 4096);
                if number.is_multiple_of(7) {
                    instance.set_gas(-1);
                }
            }
            Exit::OutOfGas => instance.set_gas(instance.gas().max(0) + i64::from(number % 50)),
            Exit::PageFault(fault) => {
                let permission = match number % 3 {
                    0 => Permission::None,
                    _ if fault.write_protected => Permission::ReadWrite,
                    _ => Permission::Read,
                };
                instance.memory_mut().protect(fault.page_address, 4096, permission).unwrap();
            }
            Exit::Paused => {}
            Exit::Finished | Exit::Trap(_) => return false,
        }
        true
    }

    fn disturb(&mut self, disturbance: Disturbance, bytes: &[u8]) {
        match disturbance {
            Disturbance::Nothing => {}
            Disturbance::Park => self.instance.park(),
            Disturbance::Fork => self.instance = self.instance.fork(),
            Disturbance::Restore => self.instance = restore(&self.module, bytes),
        }
    }
}

#[test]
fn an_execution_that_is_cut_anywhere_goes_on_as_if_it_was_not() {
    for (set, config) in configs() {
        let strategy = (wandering(set, 2..60), any::<Index>(), 0..1000i64, actions());
        check(60, &strategy, |(assembly, entry, gas, actions)| {
            let blob = assembly.container();
            let offsets = assembly.offsets();
            let mut subjects: Vec<_> = engines(config)
                .into_iter()
                .map(|(name, engine)| (name, Subject::new(&engine, &blob)))
                .collect();
            for pc in [0, offsets[entry.index(assembly.code.len())]] {
                for (_, subject) in &mut subjects {
                    let arguments = [1, RW.into(), 3, 0xfffd_ffe0, 5, u64::MAX];
                    subject.instance.prepare_at(ProgramCounter(pc), &arguments).unwrap();
                    subject.instance.set_gas(gas);
                }
                for &(action, number, disturbances) in &actions {
                    // The first one is never disturbed: it is the execution that is not cut.
                    let (_, calm) = &subjects[0];
                    let bytes = calm.instance.snapshot().to_bytes();
                    let mut exits = Vec::new();
                    for (index, (name, subject)) in subjects.iter_mut().enumerate() {
                        let own = subject.instance.snapshot().to_bytes();
                        prop_assert!(own == bytes, "{} has another snapshot before {:?}", name, action);
                        if index > 0 {
                            subject.disturb(disturbances[index], &bytes);
                            let own = subject.instance.snapshot().to_bytes();
                            prop_assert!(
                                own == bytes,
                                "{} has another after {:?}",
                                name,
                                disturbances[index]
                            );
                        }
                        exits.push(subject.act(action));
                        prop_assert_eq!(exits[0], exits[index], "{}", name);
                    }
                    let mut goes_on = true;
                    for (_, subject) in &mut subjects {
                        goes_on = subject.answer(exits[0], number);
                    }
                    if !goes_on {
                        break;
                    }
                }
                let expected = seen(&subjects[0].1.instance);
                for (name, subject) in &subjects {
                    prop_assert_eq!(&seen(&subject.instance), &expected, "{}", name);
                }
            }
            Ok(())
        });
    }
}

#[test]
fn an_execution_is_cut_at_every_gas_value() {
    for (set, config) in configs() {
        check(10, &wandering(set, 2..7), |assembly| {
            let blob = assembly.container();
            let mut subjects: Vec<_> =
                engines(config).into_iter().map(|(_, engine)| Subject::new(&engine, &blob)).collect();
            let begin = |subject: &mut Subject, gas| {
                subject.instance.reset();
                subject.instance.prepare_at(ProgramCounter(0), &[1, RW.into(), 3]).unwrap();
                subject.instance.set_gas(gas);
            };
            begin(&mut subjects[0], 200);
            let whole = subjects[0].act(Action::Run);
            let expected = seen(&subjects[0].instance);
            for gas in 0..200 {
                let taker = gas as usize % subjects.len();
                begin(&mut subjects[taker], gas);
                let mut exit = subjects[taker].act(Action::Run);
                let bytes = subjects[taker].instance.snapshot().to_bytes();
                for (index, subject) in subjects.iter_mut().enumerate() {
                    subject.instance = restore(&subject.module, &bytes);
                    if index == 0 && exit == Exit::OutOfGas {
                        let left = 200 - gas + subject.instance.gas();
                        subject.instance.set_gas(left);
                        exit = subject.act(Action::Run);
                        prop_assert_eq!(exit, whole);
                        prop_assert_eq!(&seen(&subject.instance), &expected, "with {} gas first", gas);
                    }
                }
            }
            Ok(())
        });
    }
}

/// Bytes that no assembler writes, so that blocks end in gaps and instructions are invalid.
#[test]
fn programs_of_random_bytes_are_cut_too() {
    let byte = prop_oneof![
        any::<u8>(),
        prop::sample::select(vec![0u8, 1, 2, 3, 10, 40, 50, 51, 80, 81, 101, 131, 180])
    ];
    let strategy = (
        prop::collection::vec((byte, prop::bool::weighted(0.4)), 1..200),
        any::<Index>(),
        0..200i64,
        actions(),
    );
    for (set, config) in configs().into_iter().filter(|(set, _)| *set != InstructionSet::JamV1) {
        check(200, &strategy, |(bytes, entry, gas, actions)| {
            let code: Vec<u8> = bytes.iter().map(|(byte, _)| *byte).collect();
            let mut bitmask = vec![0u8; code.len().div_ceil(8)];
            for (at, _) in bytes.iter().enumerate().filter(|&(at, (_, start))| at == 0 || *start) {
                bitmask[at / 8] |= 1 << (at % 8);
            }
            if !set.has_bitmask() {
                bitmask.clear();
            }
            let sizes = [64, 64, 4096];
            let version = crate::common::version(set);
            let blob =
                crate::common::container(version, [&[1], &[2]], sizes, &[], &[], &code, &bitmask, &[0, 3, 9]);
            let mut subjects: Vec<_> =
                engines(config).into_iter().map(|(_, engine)| Subject::new(&engine, &blob)).collect();
            for pc in [0, entry.index(code.len()) as u32, code.len() as u32] {
                for subject in &mut subjects {
                    subject.instance.set_pc(ProgramCounter(pc));
                    subject.instance.set_gas(gas);
                }
                for &(action, number, disturbances) in &actions {
                    let bytes = subjects[0].instance.snapshot().to_bytes();
                    let mut exits = Vec::new();
                    for (index, subject) in subjects.iter_mut().enumerate() {
                        prop_assert!(subject.instance.snapshot().to_bytes() == bytes);
                        if index > 0 {
                            subject.disturb(disturbances[index], &bytes);
                        }
                        exits.push(subject.act(action));
                        prop_assert_eq!(exits[0], exits[index]);
                    }
                    let mut goes_on = true;
                    for subject in &mut subjects {
                        goes_on = subject.answer(exits[0], number);
                    }
                    if !goes_on {
                        break;
                    }
                }
            }
            Ok(())
        });
    }
}

#[test]
fn equal_states_have_equal_snapshots_however_they_came_about() {
    let config = Config::default().faults_to_host(true);
    for (name, mut instance) in instances(&calling(), config) {
        let fresh = instance.snapshot();
        assert_eq!((fresh.pages().len(), fresh.permissions().len(), fresh.status()), (0, 0, Status::Idle));

        let first = u32::from_le_bytes([0x22; 4]);
        instance.prepare("main", &[first.into()]).unwrap();
        let ready = instance.snapshot();
        assert_eq!((ready.status(), ready.is_charged()), (Status::Ready, false));
        instance.set_gas(1000);
        assert_eq!(instance.run(), Ok(Exit::Syscall(1)));
        let called = instance.snapshot();
        assert_eq!(called.pages().len(), 0, "{name}: it has written what was there");
        assert_eq!((called.status(), called.is_charged()), (Status::Stopped(Exit::Syscall(1)), true));

        // Memory changes and changes back, read-only data included, mounted and parked.
        for parked in [false, true] {
            if parked {
                instance.park();
            }
            let mut memory = instance.memory_mut();
            memory.write(RW + 5000, &[1, 2, 3]).unwrap();
            memory.protect(0x1_0000, 4096, Permission::ReadWrite).unwrap();
            memory.write(0x1_0000, &[7; 4]).unwrap();
            let changed = instance.snapshot();
            assert_eq!(
                changed.pages().map(|(address, _)| address).collect::<Vec<_>>(),
                [0x1_0000, RW + 0x1000]
            );
            assert_eq!(changed.permissions().collect::<Vec<_>>(), [(0x1_0000, Permission::ReadWrite)]);
            let mut memory = instance.memory_mut();
            memory.zero(RW + 4096, 4096).unwrap();
            memory.write(0x1_0000, &[0x11; 4]).unwrap();
            memory.protect(0x1_0000, 4096, Permission::Read).unwrap();
            assert_eq!(instance.snapshot(), called, "{name}");
        }

        // A page that is not mapped has no bytes, what was mapped anew has zeros.
        let mut memory = instance.memory_mut();
        memory.write(RW + 0x2000, &[9]).unwrap();
        memory.protect(RW + 0x2000, 4096, Permission::None).unwrap();
        memory.protect(RW, 4096, Permission::None).unwrap();
        memory.protect(RW, 4096, Permission::ReadWrite).unwrap();
        let remapped = instance.snapshot();
        assert_eq!(remapped.permissions().collect::<Vec<_>>(), [(RW + 0x2000, Permission::None)]);
        assert_eq!(remapped.pages().collect::<Vec<_>>(), [(RW, &[][..])]);
        let again = restore(instance.module(), &remapped.to_bytes());
        assert_eq!(seen(&again), seen(&instance), "{name}");

        instance.reset();
        instance.set_gas(0);
        assert_eq!(instance.snapshot(), fresh, "{name}");
    }
}

#[test]
fn where_the_heap_can_grow_to_a_permission_is_part_of_the_state() {
    let sbrk = Instruction { d: Reg::A0, s1: Reg::A0, ..Instruction::plain(Opcode::Sbrk) };
    let program = Assembly::new(InstructionSet::Latest64Extended, vec![sbrk, asm::ret()]);
    for (name, mut instance) in instances(&program, Config::default()) {
        let heap = RW + 0x1000;
        instance.memory_mut().protect(heap, 4096, Permission::None).unwrap();
        instance.memory_mut().protect(heap + 4096, 4096, Permission::ReadWrite).unwrap();
        // Nothing is ever mapped there anyway.
        instance.memory_mut().protect(0x2_0000, 4096, Permission::None).unwrap();
        let snapshot = instance.snapshot();
        let set = snapshot.permissions().collect::<Vec<_>>();
        assert_eq!(set, [(heap, Permission::None), (heap + 4096, Permission::ReadWrite)]);
        for mut instance in [instance.fork(), restore(instance.module(), &snapshot.to_bytes())] {
            instance.prepare("main", &[0x3000]).unwrap();
            instance.set_gas(1000);
            assert_eq!(instance.run(), Ok(Exit::Finished));
            let grown = instance.snapshot();
            assert_eq!(grown.heap_top(), heap + 0x3000, "{name}");
            // The second page is as the layout says from now on.
            let set = grown.permissions().collect::<Vec<_>>();
            assert_eq!(set, [(heap, Permission::None)], "{name}");
            assert!(instance.memory().read(heap, &mut [0]).is_err());
            restore(instance.module(), &grown.to_bytes());
        }
    }
}
