//! Every operation, fused or not, in long loops on a small stack.
//!
//! In release builds this is what guards direct threading (`threaded.rs`): a handler that called the next one instead of jumping
//! there would use up the stack. `cargo xtask test` runs it in release builds of several kinds.

use super::fusion::chained;
use super::kinds::for_each_kind;
use super::operations::{Kind, Operation, Position};
use super::regions::Links;
use super::{DIRECT_THREADING, handlers, portable};
use crate::isa::{GasClass, Instruction, InstructionSet, Opcode, Reg, Shape, encode};
use crate::program::{Code, Program};
use crate::{Backend, Config, Engine, Exit, GasModel, Instance, ProgramCounter};

/// Where loads load from and stores store to.
const READ_ONLY: u32 = 0x1_0000;
const READ_WRITE: u32 = 0x3_0000;

/// The first source of what does not follow on what was written, the second source, and the counter of the loop.
const FIRST: Reg = Reg::S1;
const SECOND: Reg = Reg::T0;
const COUNTER: Reg = Reg::T1;
/// What the parts of a fused operation write, in turn.
const WRITTEN: [Reg; 4] = [Reg::A2, Reg::A3, Reg::A4, Reg::A5];

const REGISTERS: [(Reg, u64); 2] = [(FIRST, 5), (SECOND, 3)];

macro_rules! define_parts {
    (
        instructions { $($instruction:ident)+ }
        others { $($(#[$doc:meta])+ $other:ident)+ }
        fused { $($fused:ident = $shorter:ident ($last_how:ident $last:ident) [$first:ident $(($how:ident $then:ident))+];)* }
    ) => {
        /// For each fused operation the shorter one that it makes longer, and its parts, with whether they are chained to the one
        /// before.
        const FUSED: &[(Kind, Kind, &[(Opcode, bool)])] = &[
            $((Kind::$fused, Kind::$shorter, &[(Opcode::$first, false), $((Opcode::$then, chained!($how))),+])),*
        ];
    };
}

for_each_kind!(define_parts);

/// Memory of which every byte is the same.
struct Constant;

impl handlers::Memory for Constant {
    fn load<const N: usize>(&mut self, _: u32) -> Option<[u8; N]> {
        Some([0x11; N])
    }

    fn store<const N: usize>(&mut self, _: u32, _: [u8; N]) -> Option<()> {
        Some(())
    }
}

/// A program in which instructions name others by their index.
#[derive(Default)]
struct Builder {
    instructions: Vec<Instruction>,
    /// Indices of instructions.
    jump_table: Vec<usize>,
}

impl Builder {
    /// Adds a run of instructions that is a block of its own, or blocks, and goes on behind it.
    fn add(&mut self, parts: &[(Opcode, bool)]) {
        let behind = self.instructions.len() + parts.len();
        let mut regs = [0; 16];
        REGISTERS.into_iter().for_each(|(reg, value)| regs[reg as usize] = value);
        let mut previous = None;
        for (&(opcode, chained), written) in parts.iter().zip(WRITTEN) {
            let info = opcode.info();
            let s1 = if chained { previous.expect("there is a part before") } else { FIRST };
            let mut i = Instruction { d: written, s1, s2: SECOND, x: 7, y: 9, ..Instruction::plain(opcode) };
            i.target = behind as u32;
            let base = match info.shape {
                Shape::SourceSourceImm => regs[SECOND as usize],
                Shape::DestImm | Shape::SourceImm | Shape::ImmImm if opcode != Opcode::JumpIndirect => 0,
                _ => regs[s1 as usize],
            };
            let offset = |address: u32| i64::from(address.wrapping_sub(base as u32) as i32) as u64;
            match info.gas {
                GasClass::Load => i.x = offset(READ_ONLY),
                GasClass::Store => i.x = offset(READ_WRITE),
                GasClass::JumpIndirect => {
                    self.jump_table.push(behind);
                    let address = offset(self.jump_table.len() as u32 * 2);
                    if opcode == Opcode::JumpIndirect { i.x = address } else { i.y = address }
                }
                _ => {}
            }
            self.instructions.push(i);
            // What the next part finds: registers of 64 bits only, which fused operations are about.
            if !info.ends_block {
                let alone = operation(&i);
                let at = Position::from_pointer((&raw const alone).cast_mut()).expect("it is not null");
                let links = Links::none_at_all();
                portable::single(&mut handlers::Cpu { regs: &mut regs, memory: Constant, links: &links }, at);
            }
            previous = Some(written);
        }
        if !parts.last().is_some_and(|(opcode, _)| opcode.info().ends_block) {
            // What comes next is no part of it. Nothing is fused with this one.
            let next = self.instructions.len() as u32 + 1;
            let end = Instruction::plain(Opcode::BranchGreaterOrEqualSignedImm);
            self.instructions.push(Instruction { s1: FIRST, target: next, ..end });
        }
    }

    /// The code, which does all this as often as the counter says.
    fn code(mut self, set: InstructionSet) -> Code {
        self.instructions.push(Instruction {
            d: COUNTER,
            s1: COUNTER,
            x: u64::MAX,
            ..Instruction::plain(if set.is_64_bit() { Opcode::AddImm64 } else { Opcode::AddImm32 })
        });
        self.instructions.push(Instruction { s1: COUNTER, ..Instruction::plain(Opcode::BranchNotEqImm) });
        self.instructions.push(Instruction { s1: Reg::RA, ..Instruction::plain(Opcode::JumpIndirect) });
        let mut offsets = vec![0; self.instructions.len() + 1];
        loop {
            let (mut next, mut bytes) = (vec![0], Vec::new());
            for (i, &pc) in self.instructions.iter().zip(&offsets) {
                let placed = Instruction { target: offsets[i.target as usize], ..*i };
                encode(set, &placed, pc, &mut bytes).unwrap();
                next.push(bytes.len() as u32);
            }
            if next != offsets {
                offsets = next;
                continue;
            }
            let mut bitmask = vec![0; bytes.len().div_ceil(8)];
            offsets[..self.instructions.len()]
                .iter()
                .for_each(|pc| bitmask[*pc as usize / 8] |= 1 << (pc % 8));
            let jump_table: Vec<u8> =
                self.jump_table.iter().flat_map(|&index| offsets[index].to_le_bytes()).collect();
            return Code::new(set, &bytes, &bitmask, &jump_table, 4).unwrap();
        }
    }
}

fn operation(i: &Instruction) -> Operation {
    let (a, b, c) = (i.d as u8, i.s1 as u8, i.s2 as u8);
    Operation { kind: i.opcode.into(), region: 0, a, b, c, x: i.x as u32, y: i.y as u32 }
}

/// All single operations that a set has and that do not stop.
fn singles(set: InstructionSet) -> impl Iterator<Item = Opcode> {
    Opcode::ALL.iter().copied().filter(move |&opcode| {
        set.contains(opcode)
            && !matches!(opcode, Opcode::Trap | Opcode::Ecalli | Opcode::Memset | Opcode::Sbrk)
    })
}

fn instance(code: &Code, portable: bool, rounds: u64) -> Instance {
    let mut program = Program::from_raw(&[0, 0, 1, 0, 1], code.instruction_set()).unwrap();
    program.code = code.clone();
    program.memory.ro_size = 4096;
    program.memory.ro_data = vec![0x11; 4096];
    program.memory.rw_size = 4096;
    let config = Config::default().gas_model(GasModel::Flat).backend(Backend::Interpreter);
    let engine = Engine::new(config.portable_dispatch(portable)).unwrap();
    let mut instance = engine.compile_program(program).unwrap().instantiate();
    instance.prepare_at(ProgramCounter(0), &[]).unwrap();
    REGISTERS.into_iter().for_each(|(reg, value)| instance.set_reg(reg, value));
    instance.set_reg(COUNTER, rounds);
    instance.set_gas(1 << 50);
    instance
}

/// Runs it to its end, on a stack that would not do if handlers called each other.
fn run_on_a_small_stack(mut instance: Instance) -> Instance {
    let thread = std::thread::Builder::new().stack_size(256 << 10);
    let running = thread.spawn(move || {
        assert_eq!(instance.run(), Ok(Exit::Finished));
        instance
    });
    running.unwrap().join().unwrap()
}

fn seen(instance: &Instance) -> (Vec<u64>, i64, Vec<u8>) {
    let mut memory = vec![0; 64];
    instance.memory().read(READ_WRITE, &mut memory).unwrap();
    (Reg::ALL.map(|reg| instance.reg(reg)).to_vec(), instance.gas(), memory)
}

#[test]
fn direct_threading_is_there_where_it_is_expected() {
    let expected = std::env::var_os("HATCHERY_EXPECT_DIRECT_THREADING").is_some();
    assert!(DIRECT_THREADING || !expected, "this build has no direct threading");
}

#[test]
fn every_operation_in_long_loops_on_a_small_stack() {
    for set in [InstructionSet::JamV1, InstructionSet::ReviveV1, InstructionSet::Latest32] {
        let mut builder = Builder::default();
        singles(set).for_each(|opcode| builder.add(&[(opcode, false)]));
        if set == InstructionSet::JamV1 {
            // All of them take minutes in Miri, which has no other handlers for them than for their parts.
            let step = if cfg!(miri) { 20 } else { 1 };
            FUSED.iter().step_by(step).for_each(|(_, _, parts)| builder.add(parts));
        }
        let code = builder.code(set);

        // Few rounds, instruction by instruction: nothing is fused then.
        let mut stepped = instance(&code, true, 2);
        while stepped.step() != Ok(Exit::Finished) {
            assert!(stepped.is_prepared(), "{set}: {:?}", stepped.module().instruction_at(stepped.pc()));
        }
        for portable in [true, false] {
            let run = run_on_a_small_stack(instance(&code, portable, 2));
            assert_eq!(seen(&run), seen(&stepped), "{set}, portable: {portable}");
        }

        if cfg!(miri) {
            continue;
        }
        // A handler that calls the next leaves at least sixteen bytes on the stack each time.
        let runs = [true, false].map(|portable| run_on_a_small_stack(instance(&code, portable, 20_000)));
        assert_eq!(seen(&runs[0]), seen(&runs[1]), "{set}");

        let inner = &runs[0].module().inner;
        let made = inner.regions.kinds();
        let missing = |kind: Kind| !made.contains(&kind);
        if set == InstructionSet::JamV1 {
            let fused = FUSED.iter().map(|&(kind, ..)| kind);
            assert_eq!(fused.filter(|&kind| missing(kind)).collect::<Vec<_>>(), Vec::new());
            assert!(!missing(Kind::FarJump), "the loop is in one region");
        }
        if set == InstructionSet::Latest32 {
            let halves = [
                Kind::MulUpperSignedSigned32,
                Kind::MulUpperUnsignedUnsigned32,
                Kind::MulUpperSignedUnsigned32,
                Kind::ReverseByte32,
            ];
            assert_eq!(halves.into_iter().filter(|&kind| missing(kind)).collect::<Vec<_>>(), Vec::new());
        }
    }
}

#[test]
fn fused_operations_make_shorter_ones_longer() {
    let parts = |kind: Kind| {
        let fused = FUSED.iter().find(|(other, ..)| *other == kind);
        fused.map(|(.., parts)| parts.to_vec())
    };
    for &(kind, shorter, all) in FUSED {
        let (_, front) = all.split_last().unwrap();
        assert!((2..=4).contains(&all.len()), "{kind:?}");
        match parts(shorter) {
            Some(known) => assert_eq!(known, front, "{kind:?}"),
            None => assert_eq!((shorter, front.len()), (Kind::from(front[0].0), 1), "{kind:?}"),
        }
        assert_eq!(kind.alone(), Kind::from(all[0].0));
    }
}
