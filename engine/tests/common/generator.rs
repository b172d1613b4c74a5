//! Random programs that go on for a while: blocks that lead to each other in every way there is, and whose instructions mostly
//! find memory where they access it.

use hatchery_engine::isa::{GasClass, Instruction, Opcode, Shape};
use hatchery_engine::{InstructionSet, Reg};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::Assembly;

/// Registers with values that nothing depends on.
const VALUES: [Reg; 6] = [Reg::A2, Reg::A3, Reg::A4, Reg::A5, Reg::T0, Reg::T1];
/// The register that addresses are put into.
const ADDRESS: Reg = Reg::S1;

/// Memory of these programs: a page of read-only data, read-write data that ends inside of its third page, two pages of stack.
const RO: i32 = 0x1_0000;
const RW: i32 = 0x3_0000;
const RW_SIZE: i32 = 0x2010;
const STACK_SIZE: i32 = 0x2000;
const STACK_END: i32 = 0xfffe_0000u32 as i32;

/// A block: its body, and how it ends, with targets that number blocks.
type Block = (Vec<Instruction>, Vec<Instruction>);

/// Programs of about as many blocks, all of which are in the jump table.
pub(crate) fn wandering(
    set: InstructionSet,
    blocks: core::ops::Range<usize>,
) -> impl Strategy<Value = Assembly> {
    let body = prop::collection::vec(statement(set), 0..4).prop_map(|statements| statements.concat());
    prop::collection::vec((body, ending(set)), blocks).prop_map(move |blocks| assemble(set, blocks))
}

fn assemble(set: InstructionSet, blocks: Vec<Block>) -> Assembly {
    let mut starts = Vec::new();
    let mut code = Vec::new();
    for (body, ending) in &blocks {
        starts.push(code.len() as u32);
        code.extend(body.iter().chain(ending));
    }
    starts.push(code.len() as u32);
    code.push(super::asm::ret());
    let has_target = |shape| {
        use Shape as S;
        matches!(shape, S::Offset | S::DestImmOffset | S::SourceImmOffset | S::SourceSourceOffset)
    };
    for instruction in code.iter_mut().filter(|i| has_target(i.opcode.info().shape)) {
        instruction.target = starts[instruction.target as usize % starts.len()];
    }
    // Entries of the jump table are reached by indirect jumps: `ADDRESS` holds the number of a block.
    for at in 1..code.len() {
        let is_indirect = matches!(code[at].opcode, Opcode::JumpIndirect | Opcode::LoadImmAndJumpIndirect);
        if is_indirect && code[at].s1 == ADDRESS {
            code[at - 1].x = (code[at - 1].x as usize % starts.len() + 1) as u64 * 2;
        }
    }
    let mut assembly = Assembly::new(set, code);
    assembly.jump_table = starts;
    assembly.ro_data = (0..=255).collect();
    assembly.rw_data = (0..5000u32).map(|n| (n * 7) as u8).collect();
    assembly.rw_size = RW_SIZE as u32;
    assembly.stack_size = STACK_SIZE as u32;
    assembly
}

/// Addresses that are mostly mapped: anywhere in a part of memory or around a border of pages.
fn address() -> impl Strategy<Value = i32> {
    prop_oneof![
        6 => RW..RW + 0x2ff8,
        3 => (1..3i32, -9..9i32).prop_map(|(page, offset)| RW + page * 0x1000 + offset),
        3 => (1..STACK_SIZE).prop_map(|below| STACK_END - below),
        2 => RO..RO + 0xff8,
        // The heap, if it has grown.
        1 => (3..8i32, -9..9i32).prop_map(|(page, offset)| RW + page * 0x1000 + offset),
    ]
}

/// Instructions of the set that these programs use as they are.
fn opcodes(set: InstructionSet, wanted: fn(Opcode) -> bool) -> impl Strategy<Value = Opcode> {
    let known = Opcode::ALL.iter().copied().filter(|&opcode| set.contains(opcode) && wanted(opcode));
    select(known.collect::<Vec<_>>())
}

fn computes(opcode: Opcode) -> bool {
    use Shape as S;
    let info = opcode.info();
    matches!(info.shape, S::DestSource | S::DestSourceImm | S::DestSourceSource | S::DestImm | S::DestImm64)
        && !matches!(info.gas, GasClass::Load | GasClass::Host)
}

fn accesses_memory(opcode: Opcode) -> bool {
    matches!(opcode.info().gas, GasClass::Load | GasClass::Store)
}

fn statement(set: InstructionSet) -> impl Strategy<Value = Vec<Instruction>> {
    let value = || select(VALUES.to_vec());
    let compute = (opcodes(set, computes), value(), value(), value(), any::<i32>()).prop_map(
        |(opcode, d, s1, s2, x)| vec![Instruction { opcode, d, s1, s2, x: wide(x), y: 0, target: 0 }],
    );
    let access = (opcodes(set, accesses_memory), value(), value(), address(), -9..9i32, any::<i32>())
        .prop_map(|(opcode, d, s1, address, offset, y)| access(opcode, d, s1, address, offset, y));
    let call = (0..3i32).prop_map(|number| vec![super::asm::ecalli(number)]);
    let grow = (prop_oneof![0..0x1800i32, Just(-1)], value()).prop_map(move |(size, d)| {
        let sbrk = Instruction { d, s1: Reg::T2, ..Instruction::plain(Opcode::Sbrk) };
        if set.contains(Opcode::Sbrk) { vec![super::asm::load_imm(Reg::T2, size), sbrk] } else { vec![] }
    });
    let fill = (address(), any::<i32>(), prop_oneof![0..40i32, 0..9000i32]).prop_map(
        move |(address, byte, count)| {
            let load = super::asm::load_imm;
            let memset = Instruction::plain(Opcode::Memset);
            if set.contains(Opcode::Memset) {
                vec![load(Reg::A0, address), load(Reg::A1, byte), load(Reg::A2, count), memset]
            } else {
                vec![]
            }
        },
    );
    prop_oneof![6 => compute, 8 => access, 2 => call, 1 => grow, 1 => fill]
}

fn access(opcode: Opcode, d: Reg, s1: Reg, address: i32, offset: i32, y: i32) -> Vec<Instruction> {
    let base = super::asm::load_imm(ADDRESS, address.wrapping_sub(offset));
    let x = wide(offset);
    let plain = Instruction { y: wide(y), ..Instruction::plain(opcode) };
    match opcode.info().shape {
        Shape::DestImm => vec![Instruction { d, x: wide(address), ..plain }],
        Shape::SourceImm => vec![Instruction { s1, x: wide(address), ..plain }],
        Shape::ImmImm => vec![Instruction { x: wide(address), ..plain }],
        Shape::DestSourceImm => vec![base, Instruction { d, s1: ADDRESS, x, ..plain }],
        Shape::SourceSourceImm => vec![base, Instruction { s1, s2: ADDRESS, x, ..plain }],
        Shape::SourceImmImm => vec![base, Instruction { s1: ADDRESS, x, ..plain }],
        shape => panic!("{opcode:?} has the shape {shape:?}"),
    }
}

fn ending(set: InstructionSet) -> impl Strategy<Value = Vec<Instruction>> {
    let branch = opcodes(set, |opcode| opcode.info().gas == GasClass::Branch);
    let value = || select(VALUES.to_vec());
    let branch =
        (branch, value(), value(), any::<Index>(), -3..3i32).prop_map(|(opcode, s1, s2, block, x)| {
            vec![Instruction { opcode, d: Reg::RA, s1, s2, x: wide(x), y: 0, target: number(block) }]
        });
    let go = (select(vec![Opcode::Jump, Opcode::LoadImmAndJump, Opcode::Fallthrough]), any::<Index>())
        .prop_map(|(opcode, block)| {
            vec![Instruction { d: Reg::T1, x: 5, target: number(block), ..Instruction::plain(opcode) }]
        });
    let indirect = (select(vec![Opcode::JumpIndirect, Opcode::LoadImmAndJumpIndirect]), any::<Index>())
        .prop_map(|(opcode, block)| {
            let to = super::asm::load_imm(ADDRESS, (number(block) & 0xffff) as i32);
            vec![to, Instruction { d: Reg::T1, s1: ADDRESS, ..Instruction::plain(opcode) }]
        });
    let end = select(vec![super::asm::ret(), Instruction::plain(Opcode::Trap)]).prop_map(|end| vec![end]);
    prop_oneof![8 => branch, 6 => go, 4 => indirect, 1 => end]
}

fn number(block: Index) -> u32 {
    block.index(1 << 20) as u32
}

fn wide(x: i32) -> u64 {
    i64::from(x) as u64
}
