//! Generated programs and the guests, executed here and by polkavm's interpreter (0.33, which sc-virtualization 0.3 uses, and 0.37),
//! must agree in exits, registers, memory, gas and pc, and in the costs of all blocks.
//!
//! Where polkavm contradicts itself the tests stay away: a block that follows an invalid instruction is charged twice by it
//! when its host enters it a second time, and `fallthrough` into a gap behaves differently the second time.
//!
//! Where the versions contradict each other, the engine does as 0.33 in the sets that 0.33 has: 0.37 allows jumps to what follows
//! an invalid instruction or a gap also in the encoding with a bitmask, and it takes only the low half of `memset`'s count.

mod common;

use common::generator::wandering;
use common::{Assembly, container, engines, guest};
use hatchery_engine::gas::{Cache, Variant};
use hatchery_engine::isa::{Instruction, Opcode};
use hatchery_engine::{Config, Engine, Exit, GasModel, InstructionSet, Module, ProgramCounter, Reg};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

const GAS: i64 = 5_000;
/// Stops of a program are compared up to this many.
const STOPS: usize = 12;
/// The folders of the guests.
const GUEST_SETS: [&str; 3] = ["jam-v1", "revive-v1", "latest32"];

/// How a program is executed.
#[derive(Clone, Copy, Debug)]
struct Journey {
    /// Where each call begins.
    pc: u32,
    /// Gas at the beginning of each call.
    gas: i64,
    /// Gas that is added when it runs out; none ends the call.
    top_up: i64,
    /// How often it is called, with memory as the call before left it.
    calls: usize,
    /// Stops of a call, at most.
    stops: usize,
}

impl Journey {
    fn from(pc: u32, gas: i64) -> Self {
        Self { pc, gas, top_up: 0, calls: 1, stops: STOPS }
    }
}

/// Everything that can be seen of an execution after a stop.
#[derive(PartialEq, Debug)]
struct Seen {
    exit: &'static str,
    number: Option<u32>,
    pc: Option<u32>,
    gas: i64,
    regs: [u64; 13],
}

/// An execution: the stops, and read-write data with the heap and stack after the last one.
#[derive(PartialEq, Debug)]
struct Execution {
    stops: Vec<Seen>,
    memory: [Vec<u8>; 2],
}

fn ours(engine: &Engine, blob: &[u8], journey: Journey) -> Option<Execution> {
    let module = engine.compile(blob).ok()?;
    let mut instance = module.instantiate();
    let mut stops = Vec::new();
    for _ in 0..journey.calls {
        let arguments = [1, 0x3_0010, 3, 0xfffd_ffe0, 5, u64::MAX];
        instance.prepare_at(ProgramCounter(journey.pc), &arguments).unwrap();
        instance.set_gas(journey.gas);
        for _ in 0..journey.stops {
            let exit = instance.run().unwrap();
            let (exit, number, pc) = match exit {
                Exit::Finished => ("finished", None, None),
                Exit::Syscall(number) => ("syscall", Some(number), Some(instance.pc().0)),
                Exit::OutOfGas => ("out of gas", None, Some(instance.pc().0)),
                Exit::Trap(trap) => ("trap", None, Some(trap.pc)),
                exit => panic!("{exit:?}"),
            };
            let regs = Reg::ALL.map(|reg| instance.reg(reg));
            stops.push(Seen { exit, number, pc, gas: instance.gas(), regs });
            match exit {
                "syscall" => instance.set_reg(Reg::A0, 0x3_0020),
                "out of gas" if journey.top_up > 0 => instance.set_gas(instance.gas() + journey.top_up),
                _ => break,
            }
        }
    }
    let read = |start: u32, end: u32| {
        let mut bytes = vec![0; (end - start) as usize];
        instance.memory().read(start, &mut bytes).unwrap();
        bytes
    };
    let map = module.memory_map();
    let rw_end = map.rw_data().end.max(instance.heap_top());
    Some(Execution {
        stops,
        memory: [read(map.rw_data().start, rw_end), read(map.stack().start, map.stack().end)],
    })
}

/// The same with a version of polkavm.
macro_rules! oracle {
    ($name:ident, $polkavm:ident) => {
        mod $name {
            use $polkavm as polkavm;

            use super::{Cache, Execution, GasModel, Journey, Seen};

            pub(super) fn engine(model: GasModel) -> polkavm::Engine {
                let mut config = polkavm::Config::new();
                config.set_backend(Some(polkavm::BackendKind::Interpreter));
                let cost_model = match model {
                    GasModel::Flat => polkavm::CostModelKind::Simple(polkavm::CostModel::naive_ref()),
                    GasModel::Pipeline { cache, .. } => polkavm::CostModelKind::Full(match cache {
                        Cache::L1 => polkavm::CacheModel::L1Hit,
                        Cache::L2 => polkavm::CacheModel::L2Hit,
                        Cache::L3 => polkavm::CacheModel::L3Hit,
                    }),
                };
                config.set_default_cost_model(Some(cost_model));
                config.set_allow_experimental(true);
                polkavm::Engine::new(&config).unwrap()
            }

            pub(super) fn module(engine: &polkavm::Engine, blob: &[u8]) -> Option<polkavm::Module> {
                let mut config = polkavm::ModuleConfig::new();
                config.set_gas_metering(Some(polkavm::GasMeteringKind::Sync));
                polkavm::Module::new(engine, &config, blob.to_vec().into()).ok()
            }

            pub(super) fn execution(
                engine: &polkavm::Engine,
                blob: &[u8],
                journey: Journey,
            ) -> Option<Execution> {
                let module = module(engine, blob)?;
                let mut instance = module.instantiate().unwrap();
                let mut stops = Vec::new();
                for _ in 0..journey.calls {
                    let arguments = [1, 0x3_0010, 3, 0xfffd_ffe0, 5, u64::MAX];
                    instance.prepare_call_untyped(polkavm::ProgramCounter(journey.pc), &arguments);
                    instance.set_gas(journey.gas);
                    for _ in 0..journey.stops {
                        let (exit, number) = match instance.run().unwrap() {
                            polkavm::InterruptKind::Finished => ("finished", None),
                            polkavm::InterruptKind::Ecalli(number) => ("syscall", Some(number)),
                            polkavm::InterruptKind::NotEnoughGas => ("out of gas", None),
                            polkavm::InterruptKind::Trap => ("trap", None),
                            other => panic!("{other:?}"),
                        };
                        let pc = match exit {
                            "finished" => None,
                            // Out of gas on entry leaves only the next pc.
                            _ => instance
                                .program_counter()
                                .or_else(|| instance.next_program_counter())
                                .map(|pc| pc.0),
                        };
                        let regs = polkavm::Reg::ALL.map(|reg| instance.reg(reg));
                        stops.push(Seen { exit, number, pc, gas: instance.gas(), regs });
                        match exit {
                            "syscall" => instance.set_reg(polkavm::Reg::A0, 0x3_0020),
                            "out of gas" if journey.top_up > 0 => {
                                instance.set_gas(instance.gas() + journey.top_up);
                            }
                            _ => break,
                        }
                    }
                }
                let map = module.memory_map();
                let rw_end =
                    (map.rw_data_address() + map.rw_data_size()).max(map.heap_base() + instance.heap_size());
                let parts =
                    [(map.rw_data_address(), rw_end), (map.stack_address_low(), map.stack_address_high())];
                let memory = parts.map(|(start, end)| instance.read_memory(start, end - start).unwrap());
                Some(Execution { stops, memory })
            }
        }
    };
}

oracle!(v033, polkavm_033);
oracle!(v037, polkavm_037);

/// A version of polkavm, the sets that it has, and the variant of the gas model that is its own.
#[derive(Clone, Copy, Debug)]
enum Oracle {
    V033,
    V037,
}

impl Oracle {
    const ALL: [Self; 2] = [Self::V033, Self::V037];

    fn sets(self) -> [InstructionSet; 4] {
        use InstructionSet::*;
        match self {
            Self::V033 => [ReviveV1, JamV1, Latest32, Latest64Bitmask],
            Self::V037 => [ReviveV1, JamV1, Latest32, Latest64Extended],
        }
    }

    fn pipeline(self) -> GasModel {
        self.pipeline_with(Cache::L2)
    }

    fn pipelines(self) -> [GasModel; 3] {
        [Cache::L1, Cache::L2, Cache::L3].map(|cache| self.pipeline_with(cache))
    }

    fn pipeline_with(self, cache: Cache) -> GasModel {
        let variant = match self {
            Self::V033 => Variant::V033,
            Self::V037 => Variant::V037,
        };
        GasModel::Pipeline { cache, variant }
    }

    fn config(self, model: GasModel) -> Config {
        let latest64 = self.sets()[3];
        Config::default().gas_model(model).latest64(latest64)
    }

    fn execution(self, model: GasModel, blob: &[u8], journey: Journey) -> Option<Execution> {
        match self {
            Self::V033 => v033::execution(&v033::engine(model), blob, journey),
            Self::V037 => v037::execution(&v037::engine(model), blob, journey),
        }
    }

    /// Costs of the blocks that start at these places.
    fn costs(self, model: GasModel, blob: &[u8], pcs: &[u32]) -> Option<Vec<Option<i64>>> {
        match self {
            Self::V033 => {
                let module = v033::module(&v033::engine(model), blob)?;
                Some(
                    pcs.iter()
                        .map(|&pc| module.calculate_gas_cost_for(polkavm_033::ProgramCounter(pc)))
                        .collect(),
                )
            }
            Self::V037 => {
                let module = v037::module(&v037::engine(model), blob)?;
                Some(
                    pcs.iter()
                        .map(|&pc| module.calculate_gas_cost_for(polkavm_037::ProgramCounter(pc)))
                        .collect(),
                )
            }
        }
    }

    /// Compares acceptance, executions on every backend, and the costs of all blocks.
    fn compare(
        self,
        set: InstructionSet,
        blob: &[u8],
        journey: Journey,
        model: GasModel,
    ) -> Result<(), TestCaseError> {
        let expected = self.execution(model, blob, journey);
        for (name, engine) in engines(self.config(model)) {
            let got = ours(&engine, blob, journey);
            prop_assert_eq!(&got, &expected, "{} {} {} {:?}", name, set, model, self);
            if let Ok(module) = engine.compile(blob) {
                self.compare_costs(&module, blob, model)?;
            }
        }
        Ok(())
    }

    /// Compares the costs of all blocks.
    fn compare_costs(self, module: &Module, blob: &[u8], model: GasModel) -> Result<(), TestCaseError> {
        let (pcs, costs): (Vec<u32>, Vec<_>) =
            module.blocks().map(|block| (block.pc.0, Some(i64::from(block.cost)))).unzip();
        let theirs = self.costs(model, blob, &pcs);
        let set = module.instruction_set();
        prop_assert_eq!(Some(costs), theirs, "costs of blocks {:?} {} {} {:?}", pcs, set, model, self);
        Ok(())
    }
}

/// Immediates that matter: small, limits, addresses in and around the parts of memory.
fn immediate() -> impl Strategy<Value = i32> {
    prop_oneof![
        -4..40i32,
        prop::sample::select(vec![i32::MIN, i32::MAX, 0x7f, 0x80, -0x80, -0x81, 0x7fff, 0x8000, 0xff_ffff]),
        0x1_0000..0x1_0020i32,
        0x2_fff8..0x3_1008i32,
        any::<i32>(),
    ]
}

fn instruction(set: InstructionSet, count: usize) -> impl Strategy<Value = Instruction> {
    let opcodes: Vec<Opcode> = Opcode::ALL.iter().copied().filter(|&opcode| set.contains(opcode)).collect();
    let reg = || prop::sample::select(Reg::ALL.to_vec());
    // Some programs jump behind their end.
    let target = 0..count as u32 + 2;
    (prop::sample::select(opcodes), reg(), reg(), reg(), immediate(), immediate(), target).prop_map(
        |(opcode, d, s1, s2, x, y, target)| {
            let x = if opcode == Opcode::Ecalli { x.rem_euclid(3) } else { x };
            let wide = if opcode == Opcode::LoadImm64 { i64::from(x) << 20 | i64::from(y) } else { x.into() };
            Instruction { opcode, d, s1, s2, x: wide as u64, y: i64::from(y) as u64, target }
        },
    )
}

fn program(set: InstructionSet) -> impl Strategy<Value = Assembly> {
    (2..40usize)
        .prop_flat_map(move |count| {
            let code = prop::collection::vec(instruction(set, count), count);
            let jump_table = prop::collection::vec(0..count as u32, 0..6);
            (code, jump_table, any::<bool>())
        })
        .prop_map(move |(mut code, jump_table, returns)| {
            if returns {
                code.push(common::asm::ret());
            }
            code.push(Instruction::plain(Opcode::Trap));
            let mut assembly = Assembly::new(set, code);
            assembly.jump_table = jump_table;
            assembly.rw_data = (0..200).collect();
            assembly
        })
}

/// A block that fills the reorder buffer: many instructions that go on, of a few kinds, so that they wait for each other's results
/// and for the same units.
fn long_block(set: InstructionSet) -> impl Strategy<Value = Assembly> {
    let (enders, others): (Vec<Opcode>, Vec<Opcode>) = Opcode::ALL
        .iter()
        .copied()
        .filter(|&opcode| set.contains(opcode))
        .partition(|opcode| opcode.info().ends_block);
    let kinds = prop::collection::vec(prop::sample::select(others), 1..12);
    let reg = || prop::sample::select(Reg::ALL.to_vec());
    let regs = prop::collection::vec(reg(), 1..8);
    let choices = prop::collection::vec(any::<[prop::sample::Index; 4]>(), 1..160);
    (kinds, regs, choices, prop::sample::select(enders), reg(), reg(), 0..3u32).prop_map(
        move |(kinds, regs, choices, ender, s1, s2, target)| {
            let mut code: Vec<Instruction> = choices
                .iter()
                .map(|[kind, d, s1, s2]| {
                    let opcode = *kind.get(&kinds);
                    let [d, s1, s2] = [d, s1, s2].map(|index| *index.get(&regs));
                    Instruction { d, s1, s2, ..Instruction::plain(opcode) }
                })
                .collect();
            let target = [0, code.len() as u32, code.len() as u32 + 1][target as usize];
            code.push(Instruction { d: s2, s1, s2, target, ..Instruction::plain(ender) });
            code.push(Instruction::plain(Opcode::Trap));
            Assembly::new(set, code)
        },
    )
}

fn check<S: Strategy>(cases: u32, strategy: &S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config =
        ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 20_000, ..Default::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    if let Err(error) = runner.run(strategy, test) {
        panic!("{error}");
    }
}

#[test]
fn valid_programs() {
    for oracle in Oracle::ALL {
        for set in oracle.sets() {
            for model in [GasModel::Flat, oracle.pipeline()] {
                check(200, &(program(set), 0..GAS), |(assembly, gas)| {
                    oracle.compare(set, &assembly.container(), Journey::from(0, gas), model)
                });
            }
        }
    }
}

#[test]
fn long_blocks_cost_the_same() {
    for oracle in Oracle::ALL {
        for set in oracle.sets() {
            for model in oracle.pipelines() {
                let engine = Engine::new(oracle.config(model)).unwrap();
                check(300, &long_block(set), |assembly| {
                    let blob = assembly.container();
                    let module = engine.compile(&blob).unwrap();
                    oracle.compare_costs(&module, &blob, model)
                });
            }
        }
    }
}

#[test]
fn programs_that_go_on_for_a_while() {
    for oracle in Oracle::ALL {
        for set in oracle.sets() {
            // Several regions of operations, of which each has 4 KiB of code or more.
            let blocks = if set.has_bitmask() { 2..400 } else { 2..60 };
            for model in [GasModel::Flat, oracle.pipeline()] {
                let strategy = (wandering(set, blocks.clone()), 0..1000i64, 1..9000i64);
                check(15, &strategy, |(assembly, gas, top_up)| {
                    let journey = Journey { pc: 0, gas, top_up, calls: 3, stops: 60 };
                    oracle.compare(set, &assembly.container(), journey, model)
                });
            }
        }
    }
}

#[test]
fn entries_in_the_middle_of_blocks() {
    for oracle in Oracle::ALL {
        for set in oracle.sets() {
            let strategy = (program(set), any::<prop::sample::Index>(), 0..200i64);
            check(150, &strategy, |(assembly, index, gas)| {
                let offsets = assembly.offsets();
                let pc = offsets[index.index(assembly.code.len())];
                oracle.compare(set, &assembly.container(), Journey::from(pc, gas), oracle.pipeline())
            });
        }
    }
}

#[test]
fn bytes_that_are_hardly_programs() {
    let bytes =
        prop_oneof![any::<u8>(), prop::sample::select(vec![0u8, 1, 2, 10, 40, 51, 81, 100, 131, 170, 200])];
    let strategy = prop::collection::vec((bytes, prop::bool::weighted(0.4)), 1..120);
    for oracle in Oracle::ALL {
        // What may follow an invalid instruction differs between the versions.
        let sets =
            oracle.sets().into_iter().filter(|set| matches!(oracle, Oracle::V033) || !set.has_bitmask());
        for set in sets {
            check(500, &strategy, |bytes| {
                let mut code: Vec<u8> = bytes.iter().map(|(byte, _)| *byte).collect();
                let mut bitmask = vec![0u8; code.len().div_ceil(8)];
                for (at, _) in bytes.iter().enumerate().filter(|&(at, (_, start))| at == 0 || *start) {
                    bitmask[at / 8] |= 1 << (at % 8);
                }
                if !set.has_bitmask() {
                    bitmask.clear();
                    // Over the border of a macro block.
                    code = code.repeat(1 + code.len() % 20);
                }
                let version = common::version(set);
                let blob =
                    container(version, [&[], &[]], [0, 64, 4096], &[], &[], &code, &bitmask, &[0, 3, 9]);
                // Enough for a while, but not for loops through a gap, where polkavm contradicts itself.
                oracle.compare(set, &blob, Journey::from(0, 60), oracle.pipeline())
            });
        }
    }
}

/// Every export of every guest, with arguments that mean nothing to most, for a while.
#[test]
fn guests_do_the_same() {
    for oracle in Oracle::ALL {
        for set in GUEST_SETS {
            for name in guests(set) {
                let blob = guest(set, &name);
                for model in [GasModel::Flat, oracle.pipeline()] {
                    let module = Engine::new(oracle.config(model)).unwrap().compile(&blob).unwrap();
                    for (symbol, pc) in module.exports() {
                        let journey =
                            Journey { pc: pc.0, gas: 100_000, top_up: 50_000, calls: 2, stops: STOPS };
                        oracle
                            .compare(module.instruction_set(), &blob, journey, model)
                            .unwrap_or_else(|error| panic!("{name} {}: {error}", symbol.escape_ascii()));
                    }
                }
            }
        }
    }
}

#[test]
fn blocks_of_the_guests_cost_the_same() {
    for oracle in Oracle::ALL {
        for set in GUEST_SETS {
            for name in guests(set) {
                let blob = guest(set, &name);
                for model in [GasModel::Flat].into_iter().chain(oracle.pipelines()) {
                    let module = Engine::new(oracle.config(model)).unwrap().compile(&blob).unwrap();
                    assert!(module.blocks().count() > 1, "{name}");
                    oracle.compare_costs(&module, &blob, model).unwrap_or_else(|e| panic!("{name}: {e}"));
                    for block in module.blocks() {
                        let timeline = module.timeline(block.pc).map(|timeline| timeline.cost);
                        assert_eq!(
                            timeline,
                            (model != GasModel::Flat).then_some(block.cost),
                            "{name} {block:?}"
                        );
                    }
                }
            }
        }
    }
}

fn guests(set: &str) -> Vec<String> {
    let folder = format!("{}/../guests/blobs/{set}", env!("CARGO_MANIFEST_DIR"));
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .filter_map(|entry| {
            entry.unwrap().file_name().into_string().ok()?.strip_suffix(".polkavm").map(str::to_owned)
        })
        .collect();
    names.sort();
    names
}
