//! Generated programs and the guests, executed here and by polkavm's interpreter (0.33, which sc-virtualization 0.3 uses, and 0.37),
//! must agree in exits, registers, memory, gas and pc, and in the costs of all blocks.
//!
//! Where polkavm contradicts itself the tests stay away: a block that follows an invalid instruction is charged twice by it
//! when its host enters it a second time, and `fallthrough` into a gap behaves differently the second time.
//!
//! Where the versions contradict each other, the engine does as 0.33 in the sets that 0.33 has: 0.37 allows jumps to what follows
//! an invalid instruction or a gap also in the encoding with a bitmask, and it takes only the low half of `memset`'s count.

use crate::common::generator::wandering;
use crate::common::upstream::{Answer, Comparison, Journey, Oracle};
use crate::common::{Assembly, container, engines, guest};
use hatchery_engine::isa::{Instruction, Opcode};
use hatchery_engine::{Engine, GasModel, InstructionSet, Reg};
use proptest::prelude::*;

const GAS: i64 = 5_000;
/// Stops of a program are compared up to this many.
const STOPS: usize = 12;
/// The folders of the guests that every version can execute.
const GUEST_SETS: [&str; 3] = ["jam-v1", "revive-v1", "latest32"];

fn comparison(oracle: Oracle, model: GasModel) -> Comparison {
    Comparison::new(oracle, model, false, engines(oracle.config(model)))
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

fn answers() -> impl Strategy<Value = [Answer; 4]> {
    let value = prop_oneof![any::<u32>(), 0x3_0000..0x3_2010u32];
    let answer = (any::<u8>(), value, any::<Option<u16>>());
    prop::array::uniform4(answer.prop_map(|(reg, value, at)| Answer { reg, value, at }))
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
                code.push(crate::common::asm::ret());
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

fn check<S: Strategy>(cases: u32, strategy: &S, test: impl Fn(S::Value) -> Result<(), String>) {
    crate::common::check(cases, strategy, |value| test(value).map_err(TestCaseError::fail));
}

#[test]
fn valid_programs() {
    for oracle in Oracle::ALL {
        for set in oracle.sets() {
            for model in [GasModel::Flat, oracle.pipeline()] {
                let comparison = comparison(oracle, model);
                check(200, &(program(set), 0..GAS), |(assembly, gas)| {
                    comparison.compare(&assembly.container(), &Journey::from(0, gas, STOPS))
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
                let comparison = comparison(oracle, model);
                check(300, &long_block(set), |assembly| comparison.compare_costs(&assembly.container()));
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
                let comparison = comparison(oracle, model);
                let strategy = (wandering(set, blocks.clone()), 0..1000i64, 1..9000i64, answers());
                check(15, &strategy, |(assembly, gas, top_up, answers)| {
                    let journey = Journey { pc: 0, gas, top_up, calls: 3, stops: 60, answers };
                    comparison.compare(&assembly.container(), &journey)
                });
            }
        }
    }
}

/// The host maps pages only when they are missing, and some of them read-only at first.
#[test]
fn page_faults() {
    for oracle in Oracle::ALL {
        for set in oracle.sets() {
            let model = oracle.pipeline();
            let engines = engines(oracle.config(model).faults_to_host(true));
            let comparison = Comparison::new(oracle, model, true, engines);
            let strategy = (wandering(set, 2..60), 0..1000i64, 1..900i64, answers());
            check(40, &strategy, |(mut assembly, gas, top_up, answers)| {
                // Which pages `sbrk` makes there is the host's affair then.
                for instruction in assembly.code.iter_mut().filter(|one| one.opcode == Opcode::Sbrk) {
                    *instruction = Instruction::plain(Opcode::Fallthrough);
                }
                let journey = Journey { pc: 0, gas, top_up, calls: 2, stops: 60, answers };
                comparison.compare(&assembly.container(), &journey)
            });
        }
    }
}

#[test]
fn entries_in_the_middle_of_blocks() {
    for oracle in Oracle::ALL {
        for set in oracle.sets() {
            let comparison = comparison(oracle, oracle.pipeline());
            let strategy = (program(set), any::<prop::sample::Index>(), 0..200i64);
            check(150, &strategy, |(assembly, index, gas)| {
                let offsets = assembly.offsets();
                let pc = offsets[index.index(assembly.code.len())];
                comparison.compare(&assembly.container(), &Journey::from(pc, gas, STOPS))
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
        let comparison = comparison(oracle, oracle.pipeline());
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
                let version = crate::common::version(set);
                let blob =
                    container(version, [&[], &[]], [0, 64, 4096], &[], &[], &code, &bitmask, &[0, 3, 9]);
                // Enough for a while, but not for loops through a gap, where polkavm contradicts itself.
                comparison.compare(&blob, &Journey::from(0, 60, STOPS))
            });
        }
    }
}

/// Every export of every guest, with arguments that mean nothing to most, for a while.
#[test]
fn guests_do_the_same() {
    for oracle in Oracle::ALL {
        for model in [GasModel::Flat, oracle.pipeline()] {
            let engine = Engine::new(oracle.config(model)).unwrap();
            let comparison = comparison(oracle, model);
            for (set, name) in guests(oracle) {
                let blob = guest(set, &name);
                for (symbol, pc) in engine.compile(&blob).unwrap().exports() {
                    let journey = Journey { top_up: 50_000, calls: 2, ..Journey::from(pc.0, 100_000, STOPS) };
                    comparison
                        .compare(&blob, &journey)
                        .unwrap_or_else(|error| panic!("{name} {}: {error}", symbol.escape_ascii()));
                }
            }
        }
    }
}

#[test]
fn blocks_of_the_guests_cost_the_same() {
    for oracle in Oracle::ALL {
        for model in [GasModel::Flat].into_iter().chain(oracle.pipelines()) {
            let engine = Engine::new(oracle.config(model)).unwrap();
            let comparison = comparison(oracle, model);
            for (set, name) in guests(oracle) {
                let blob = guest(set, &name);
                let module = engine.compile(&blob).unwrap();
                assert!(module.blocks().count() > 1, "{name}");
                comparison.compare_costs(&blob).unwrap_or_else(|error| panic!("{name}: {error}"));
                for block in module.blocks() {
                    let timeline = module.timeline(block.pc).map(|timeline| timeline.cost);
                    assert_eq!(timeline, (model != GasModel::Flat).then_some(block.cost), "{name} {block:?}");
                }
            }
        }
    }
}

/// Folders and names of all guests that a version can execute.
fn guests(oracle: Oracle) -> Vec<(&'static str, String)> {
    let blobs = format!("{}/../guests/blobs", env!("CARGO_MANIFEST_DIR"));
    let mut guests = Vec::new();
    let latest64 = match oracle {
        Oracle::V033 => "latest64-bitmask",
        Oracle::V037 => "latest64-extended",
    };
    for set in GUEST_SETS.into_iter().chain([latest64]) {
        for entry in std::fs::read_dir(format!("{blobs}/{set}")).unwrap() {
            let file = entry.unwrap().file_name().into_string().unwrap();
            guests.extend(file.strip_suffix(".polkavm").map(|name| (set, name.to_owned())));
        }
    }
    guests.sort();
    guests
}
