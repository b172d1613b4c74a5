//! Whatever the host does with an instance between two stops, and whoever else uses the engine, an execution is the same: parking,
//! forking, pausing, stepping, and other instances that take its window cannot be observed.

use crate::common::generator::wandering;
use crate::common::{Assembly, engines};
use hatchery_engine::isa::{Instruction, Opcode};
use hatchery_engine::{
    Charge, Config, Engine, Exit, GasModel, Instance, InstructionSet, Module, Pause, Permission,
    ProgramCounter, Reg,
};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

const STOPS: usize = 40;
const RW: u32 = 0x3_0000;

/// What can be seen of an instance after a stop.
#[derive(PartialEq, Debug)]
struct Seen {
    exit: Exit,
    pc: u32,
    gas: i64,
    regs: [u64; 13],
    heap_top: u32,
}

/// The stops of an execution, and all memory after the last one.
#[derive(PartialEq, Debug)]
struct Execution {
    stops: Vec<Seen>,
    memory: [Vec<u8>; 3],
}

/// What the host does between two stops.
#[derive(Clone, Copy, Debug)]
enum Disturbance {
    Nothing,
    Park,
    /// Goes on with a fork; the original is dropped, or wrecked first.
    Fork {
        wreck: bool,
    },
    /// Goes on with the original; the fork runs and wrecks its memory.
    ForkAside,
    /// Pauses at so many blocks.
    Pause(u8),
    /// Executes so many instructions one by one.
    Step(u8),
    /// Another instance runs, writes all its memory, and goes, or stays with its window.
    Neighbour {
        stays: bool,
    },
    /// Looks at everything.
    Read,
    /// Writes to memory what is there.
    Rewrite,
}

fn disturbance() -> impl Strategy<Value = Disturbance> {
    use Disturbance as D;
    prop_oneof![
        Just(D::Nothing),
        Just(D::Park),
        any::<bool>().prop_map(|wreck| D::Fork { wreck }),
        Just(D::ForkAside),
        any::<u8>().prop_map(D::Pause),
        any::<u8>().prop_map(D::Step),
        any::<bool>().prop_map(|stays| D::Neighbour { stays }),
        Just(D::Read),
        Just(D::Rewrite),
    ]
}

/// An instance, and what disturbs it.
struct Subject {
    instance: Instance,
    pause: Pause,
    /// A program that writes all its memory, and instances of it that stay.
    neighbour: Module,
    neighbours: Vec<Instance>,
}

impl Subject {
    fn new(module: &Module, neighbour: &Module) -> Self {
        let mut instance = module.instantiate();
        let pause = Pause::new();
        instance.set_pause(Some(pause.clone()));
        Self { instance, pause, neighbour: neighbour.clone(), neighbours: Vec::new() }
    }

    /// Runs to the next stop that is not a pause.
    fn run(&mut self, disturbance: Disturbance) -> Exit {
        let (blocks, steps) = match disturbance {
            Disturbance::Pause(blocks) => (blocks, 0),
            Disturbance::Step(steps) => (0, steps),
            _ => (0, 0),
        };
        for _ in 0..steps {
            match self.instance.step().unwrap() {
                Exit::Paused => {}
                exit => return exit,
            }
        }
        self.pause.raise();
        for _ in 0..blocks {
            match self.instance.run().unwrap() {
                Exit::Paused => {}
                exit => return exit,
            }
        }
        self.pause.lower();
        self.instance.run().unwrap()
    }

    fn disturb(&mut self, disturbance: Disturbance) {
        match disturbance {
            Disturbance::Nothing | Disturbance::Pause(_) | Disturbance::Step(_) => {}
            Disturbance::Park => self.instance.park(),
            Disturbance::Fork { wreck } => {
                let mut original = core::mem::replace(&mut self.instance, self.neighbour.instantiate());
                self.instance = original.fork();
                if wreck {
                    wreck_memory(&mut original);
                }
            }
            Disturbance::ForkAside => {
                let mut fork = self.instance.fork();
                fork.set_pause(None);
                fork.set_gas(500);
                let _ = fork.run();
                wreck_memory(&mut fork);
            }
            Disturbance::Neighbour { stays } => {
                let mut neighbour = self.neighbour.instantiate();
                neighbour.prepare_at(ProgramCounter(0), &[]).unwrap();
                neighbour.set_gas(1 << 40);
                assert_eq!(neighbour.run(), Ok(Exit::Finished));
                if stays && self.neighbours.len() < 3 {
                    self.neighbours.push(neighbour);
                }
            }
            Disturbance::Read => {
                for (start, end) in parts(&self.instance) {
                    read(&self.instance, start, end);
                }
            }
            Disturbance::Rewrite => {
                for (start, end) in parts(&self.instance).into_iter().take(2) {
                    let bytes = read(&self.instance, start, end);
                    self.instance.memory_mut().write(start, &bytes).unwrap();
                }
            }
        }
    }

    /// Calls the program from its start.
    fn call(
        &mut self,
        gas: i64,
        top_up: i64,
        mut disturbances: impl Iterator<Item = Disturbance>,
    ) -> Execution {
        let mut stops = Vec::new();
        self.instance.prepare_at(ProgramCounter(0), &[1, RW.into(), 3]).unwrap();
        self.instance.set_gas(gas);
        while stops.len() < STOPS {
            let disturbance = disturbances.next().unwrap_or(Disturbance::Nothing);
            self.disturb(disturbance);
            let exit = self.run(disturbance);
            stops.push(Seen {
                exit,
                pc: self.instance.pc().0,
                gas: self.instance.gas(),
                regs: Reg::ALL.map(|reg| self.instance.reg(reg)),
                heap_top: self.instance.heap_top(),
            });
            match exit {
                Exit::Syscall(_) => self.instance.set_reg(Reg::A0, (RW + 0x20).into()),
                Exit::OutOfGas => self.instance.set_gas(self.instance.gas() + top_up),
                Exit::PageFault(fault) => {
                    let permission =
                        if fault.write_protected { Permission::ReadWrite } else { Permission::Read };
                    self.instance.memory_mut().protect(fault.page_address, 4096, permission).unwrap();
                }
                Exit::Finished | Exit::Trap(_) => break,
                Exit::Paused => panic!("a pause is not a stop"),
            }
        }
        let memory = parts(&self.instance).map(|(start, end)| read(&self.instance, start, end));
        Execution { stops, memory }
    }
}

/// Read-write data with the heap, stack, read-only data.
fn parts(instance: &Instance) -> [(u32, u32); 3] {
    let map = instance.module().memory_map();
    [
        (map.rw_data().start, map.rw_data().end.max(instance.heap_top())),
        (map.stack().start, map.stack().end),
        (map.ro_data().start, map.ro_data().end),
    ]
}

fn read(instance: &Instance, start: u32, end: u32) -> Vec<u8> {
    let mut bytes = vec![0; (end - start) as usize];
    instance.memory().read(start, &mut bytes).unwrap();
    bytes
}

fn wreck_memory(instance: &mut Instance) {
    for (start, end) in parts(instance).into_iter().take(2) {
        instance.memory_mut().write(start, &vec![0xee; (end - start) as usize]).unwrap();
    }
}

/// Fills sixteen pages from where the data of the others lies, and its stack.
fn neighbour() -> Assembly {
    let load = crate::common::asm::load_imm;
    let memset = Instruction::plain(Opcode::Memset);
    let mut program = Assembly::new(
        InstructionSet::Latest64Bitmask,
        vec![
            load(Reg::A0, RW as i32),
            load(Reg::A1, 0x5a),
            load(Reg::A2, 0x1_0000),
            memset,
            load(Reg::A0, 0xfffd_e000u32 as i32),
            load(Reg::A2, 0x2000),
            memset,
            crate::common::asm::ret(),
        ],
    );
    program.rw_size = 0x1_0000;
    program.stack_size = 0x2000;
    program
}

/// Compares executions that are disturbed with one that is not, then both with another call after a reset.
fn compare(
    config: Config,
    assembly: &Assembly,
    [gas, top_up]: [i64; 2],
    disturbances: &[Disturbance],
) -> Result<(), TestCaseError> {
    let blob = assembly.container();
    // What byte 2 of the program means is not what it means for the neighbour.
    let neighbour_of = |engine: &Engine| {
        let program = hatchery_engine::program::Program::from_polkavm(
            &neighbour().container(),
            InstructionSet::Latest64Bitmask,
        );
        engine.compile_program(program.unwrap()).unwrap()
    };
    let calm = Engine::new(config).unwrap();
    let mut calm = Subject::new(&calm.compile(&blob).unwrap(), &neighbour_of(&calm));
    let expected = [(); 2].map(|()| calm.call(gas, top_up, core::iter::empty()));
    for windows in [1, 2, 64] {
        for (name, engine) in engines(config.window_limit(windows)) {
            // It runs two instances at once and takes time to get windows that it does not find.
            if name.starts_with("Verify") && windows != 2 {
                continue;
            }
            let (module, neighbour) = (engine.compile(&blob).unwrap(), neighbour_of(&engine));
            let mut subject = Subject::new(&module, &neighbour);
            for round in ["first", "after a reset"] {
                let mut disturbances = disturbances.iter().copied().cycle();
                for expected in &expected {
                    let got = subject.call(gas, top_up, &mut disturbances);
                    prop_assert_eq!(&got, expected, "{} with {} windows, {}", name, windows, round);
                }
                // Another instance, perhaps in the same window.
                subject.instance.park();
                let mut other = Subject::new(&module, &neighbour);
                let got = other.call(gas, top_up, core::iter::empty());
                prop_assert_eq!(&got, &expected[0], "{} with {} windows, another", name, windows);
                subject.instance.reset();
            }
        }
    }
    Ok(())
}

#[test]
fn nothing_that_the_host_does_between_stops_can_be_observed() {
    use InstructionSet::*;
    let flat = Config::default().gas_model(GasModel::Flat);
    for (set, config) in [
        (JamV1, Config::default()),
        (JamV1, flat.charge(Charge::Instruction)),
        (ReviveV1, flat.faults_to_host(true)),
        (Latest64Bitmask, flat.latest64(Latest64Bitmask)),
        (Latest64Extended, flat),
        (Latest32, flat),
    ] {
        let disturbances = prop::collection::vec(disturbance(), 1..30);
        let strategy = (wandering(set, 2..60), [0..1000i64, 1..2000i64], disturbances);
        let config_of_test =
            ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() };
        let mut runner =
            TestRunner::new_with_rng(config_of_test, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
        let result = runner
            .run(&strategy, |(assembly, gas, disturbances)| compare(config, &assembly, gas, &disturbances));
        result.unwrap_or_else(|error| panic!("{set}: {error}"));
    }
}
