//! Every instruction that loads or stores, at every boundary of every part of memory, with every way in which base and offset can
//! come to an address, on every backend: beside a few lines that say what memory is.

use crate::common::{Assembly, asm, engines};
use hatchery_engine::isa::{Instruction, Opcode, Shape};
use hatchery_engine::{Config, Exit, GasModel, Instance, InstructionSet, ProgramCounter, Reg, TrapKind};

const PAGE: u32 = 4096;
/// Where parts of memory begin and end, and what a guest may do there.
const PARTS: [(u32, u32, bool); 3] =
    [(0x1_0000, 0x1_1000, false), (0x3_0000, 0x3_1000, true), (0xfffd_f000, 0xfffe_0000, true)];
const VALUE: u64 = 0xf1e2_d3c4_b5a6_9788;

/// What an opcode does: bytes, whether a loaded number has a sign, whether it stores, and whether an address has a base.
#[derive(Clone, Copy, Debug)]
struct Form {
    opcode: Opcode,
    length: u32,
    is_signed: bool,
    is_store: bool,
    has_base: bool,
}

/// By the names of opcodes, which nothing else here depends on.
fn forms(set: InstructionSet) -> Vec<Form> {
    let form = |&opcode: &Opcode| {
        let info = opcode.info();
        let is_store = info.name.starts_with("store_");
        let (rest, bits) = info.name.rsplit_once(['u', 'i'])?;
        let length = bits.parse::<u32>().ok().filter(|bits| [8, 16, 32, 64].contains(bits))? / 8;
        let is_access =
            is_store || rest.strip_prefix("load_").is_some_and(|rest| rest.is_empty() || rest == "indirect_");
        let is_signed = info.name.as_bytes()[rest.len()] == b'i';
        (is_access && set.contains(opcode)).then_some(Form {
            opcode,
            length,
            is_signed: is_signed && !is_store,
            is_store,
            has_base: info.name.contains("indirect"),
        })
    };
    Opcode::ALL.iter().filter_map(form).collect()
}

impl Form {
    /// With the value in `A0` and the base, if there is one, in `A1`.
    fn instruction(self, immediate: i32) -> Instruction {
        let plain = Instruction { x: i64::from(immediate) as u64, ..Instruction::plain(self.opcode) };
        match self.opcode.info().shape {
            Shape::DestImm => Instruction { d: Reg::A0, ..plain },
            Shape::SourceImm => Instruction { s1: Reg::A0, ..plain },
            Shape::ImmImm => Instruction { y: i64::from(VALUE as i32) as u64, ..plain },
            Shape::DestSourceImm => Instruction { d: Reg::A0, s1: Reg::A1, ..plain },
            Shape::SourceSourceImm => Instruction { s1: Reg::A0, s2: Reg::A1, ..plain },
            Shape::SourceImmImm => Instruction { s1: Reg::A1, y: i64::from(VALUE as i32) as u64, ..plain },
            shape => panic!("{}: {shape:?}", self.opcode.info().name),
        }
    }

    fn stores_immediate(self) -> bool {
        matches!(self.opcode.info().shape, Shape::ImmImm | Shape::SourceImmImm)
    }

    /// What stops it at this address, if anything does.
    fn refusal(self, address: u32) -> Option<(TrapKind, u32)> {
        let is_within = |at: u32, part: &(u32, u32, bool)| (part.0..part.1).contains(&at);
        (0..self.length).find_map(|index| {
            let at = address.wrapping_add(index);
            let part = PARTS.iter().find(|part| is_within(at, part));
            let kind = match part {
                _ if at < 0x1_0000 => TrapKind::LowAddress,
                None => TrapKind::Unmapped,
                Some((.., false)) if self.is_store => TrapKind::ReadOnly,
                Some(_) => return None,
            };
            Some((kind, at))
        })
    }
}

/// What is in memory before.
fn byte_at(address: u32) -> u8 {
    match address {
        0x1_0000..0x1_0010 => 0x91,
        0x1_0010..0x1_1000 => 0,
        _ => (address.wrapping_mul(37) >> 3) as u8 | 0x80,
    }
}

fn addresses() -> Vec<u32> {
    let around = |at: u32| (-9..9i32).map(move |by| at.wrapping_add_signed(by));
    let boundaries = PARTS.iter().flat_map(|&(start, end, _)| [start, end]);
    let mut all: Vec<u32> = boundaries.chain([0, 0x1_0010, 0x8000_0000]).flat_map(around).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn fill(instance: &mut Instance) {
    for (start, end, _) in PARTS.into_iter().filter(|part| part.2) {
        let bytes: Vec<u8> = (start..end).map(byte_at).collect();
        instance.memory_mut().write(start, &bytes).unwrap();
    }
}

/// Executes the instruction at `pc`, and compares what it does with what memory is.
fn check(name: &str, instance: &mut Instance, form: Form, pc: u32, address: u32, base: u32) {
    let what = || format!("{name}: {} at {address:#x}, base {base:#x}", form.opcode.info().name);
    instance.prepare_at(ProgramCounter(pc), &[]).unwrap();
    instance.set_gas(100);
    instance.set_reg(Reg::A0, VALUE);
    // What is above 32 bits of a base does not count.
    instance.set_reg(Reg::A1, u64::from(base) | 0xabcd_0000_0000_0000);
    let is_64_bit = instance.module().instruction_set().is_64_bit();
    let exit = instance.run().unwrap();
    if let Some((kind, at)) = form.refusal(address) {
        let Exit::Trap(trap) = exit else { panic!("{}: {exit:?}", what()) };
        assert_eq!((trap.kind, trap.address, trap.pc), (kind, Some(at), pc), "{}", what());
        let unchanged = if is_64_bit { VALUE } else { VALUE & u64::from(u32::MAX) };
        assert_eq!(instance.reg(Reg::A0), unchanged, "{}", what());
    } else {
        assert_eq!(exit, Exit::Finished, "{}", what());
        let stored = if form.stores_immediate() { i64::from(VALUE as i32) as u64 } else { VALUE };
        if form.is_store {
            // Also that nothing beside it is stored.
            for at in address.wrapping_sub(9)..address.wrapping_add(form.length + 9) {
                let mut byte = [0];
                if instance.memory().read(at, &mut byte).is_ok() {
                    let index = at.wrapping_sub(address);
                    let is_stored = index < form.length;
                    let expected = if is_stored { stored.to_le_bytes()[index as usize] } else { byte_at(at) };
                    assert_eq!(byte[0], expected, "{}: {at:#x}", what());
                }
            }
            let bytes: Vec<u8> = (0..form.length).map(|index| byte_at(address + index)).collect();
            instance.memory_mut().write(address, &bytes).unwrap();
        } else {
            let bytes = (0..form.length).map(|index| u64::from(byte_at(address + index)) << (8 * index));
            let number: u64 = bytes.sum();
            let above = 64 - 8 * form.length;
            let number = if form.is_signed { ((number << above) as i64 >> above) as u64 } else { number };
            let number = if is_64_bit { number } else { number & u64::from(u32::MAX) };
            assert_eq!(instance.reg(Reg::A0), number, "{}", what());
        }
    }
}

fn at_every_boundary(set: InstructionSet) {
    let forms = forms(set);
    assert_eq!(forms.len(), if set.is_64_bit() { 30 } else { 22 }, "{forms:?}");
    let addresses = addresses();
    for form in forms {
        let offsets: &[i32] = if form.has_base { &[0, 7, -8, PAGE as i32, i32::MIN, i32::MAX] } else { &[0] };
        for &offset in offsets {
            // One instruction a base, or, without bases, one an address.
            let immediates: Vec<i32> =
                if form.has_base { vec![offset] } else { addresses.iter().map(|&at| at as i32).collect() };
            let code = immediates.iter().flat_map(|&immediate| [form.instruction(immediate), asm::ret()]);
            let assembly = Assembly { ro_data: vec![0x91; 16], ..Assembly::new(set, code.collect()) };
            let (blob, places) = (assembly.container(), assembly.offsets());
            for (name, engine) in engines(Config::default().gas_model(GasModel::Flat)) {
                let mut instance = engine.compile(&blob).unwrap().instantiate();
                fill(&mut instance);
                for (index, &address) in addresses.iter().enumerate() {
                    let base = address.wrapping_add_signed(offset.wrapping_neg());
                    let pc = if form.has_base { places[0] } else { places[2 * index] };
                    check(&name, &mut instance, form, pc, address, base);
                }
            }
        }
    }
}

#[test]
fn of_64_bits() {
    at_every_boundary(InstructionSet::JamV1);
}

#[test]
fn of_32_bits() {
    at_every_boundary(InstructionSet::Latest32);
}
