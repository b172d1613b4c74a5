//! The programs of the examples are what this assembles. `HATCHERY_BLESS=1` writes them.

use std::path::Path;

use hatchery_engine::isa::{Instruction, Opcode, encode};
use hatchery_engine::{InstructionSet, Reg};

/// Instructions that both Gray Papers encode in the same way, with labels for targets.
struct Assembler {
    instructions: Vec<(Instruction, Option<&'static str>)>,
    labels: Vec<(&'static str, usize)>,
}

impl Assembler {
    fn new() -> Self {
        Self { instructions: Vec::new(), labels: Vec::new() }
    }

    /// A place to jump to, which is the start of a block.
    fn label(&mut self, name: &'static str) {
        if self.instructions.last().is_some_and(|(before, _)| !before.opcode.info().ends_block) {
            self.add(Opcode::Fallthrough, |_| ());
        }
        self.labels.push((name, self.instructions.len()));
    }

    fn add(&mut self, opcode: Opcode, set: impl FnOnce(&mut Instruction)) {
        let mut instruction = Instruction::plain(opcode);
        set(&mut instruction);
        self.instructions.push((instruction, None));
    }

    fn jump(&mut self, opcode: Opcode, target: &'static str, set: impl FnOnce(&mut Instruction)) {
        self.add(opcode, set);
        self.instructions.last_mut().unwrap().1 = Some(target);
    }

    fn load(&mut self, d: Reg, value: u64) {
        self.add(Opcode::LoadImm, |i| (i.d, i.x) = (d, value as i32 as u64));
    }

    fn add_imm(&mut self, d: Reg, s1: Reg, value: i64) {
        self.add(Opcode::AddImm64, |i| (i.d, i.s1, i.x) = (d, s1, value as u64));
    }

    fn call(&mut self, number: u64) {
        self.add(Opcode::Ecalli, |i| i.x = number);
    }

    fn ret(&mut self) {
        self.add(Opcode::JumpIndirect, |i| i.s1 = Reg::RA);
    }

    /// Jump table (empty), code and bitmask in one blob.
    fn raw(mut self) -> Vec<u8> {
        let assemble = |instructions: &[(Instruction, Option<&str>)]| {
            let mut code = Vec::new();
            let mut starts = Vec::new();
            for (instruction, _) in instructions {
                starts.push(code.len());
                encode(InstructionSet::JamV1, instruction, code.len() as u32, &mut code).unwrap();
            }
            (code, starts)
        };
        // Offsets get longer when targets are known, until nothing changes.
        let (mut code, mut starts) = assemble(&self.instructions);
        loop {
            for (instruction, label) in &mut self.instructions {
                if let Some(label) = label {
                    let (_, at) = self.labels.iter().find(|(name, _)| name == label).unwrap();
                    instruction.target = starts[*at] as u32;
                }
            }
            let before = core::mem::take(&mut code);
            (code, starts) = assemble(&self.instructions);
            if before == code {
                break;
            }
        }
        let mut older = Vec::new();
        for (instruction, _) in &self.instructions {
            let at = older.len() as u32;
            encode(InstructionSet::GrayPaper07, instruction, at, &mut older).unwrap();
        }
        assert_eq!(code, older, "both Gray Papers have the same bytes for these instructions");
        let mut bitmask = vec![0; code.len().div_ceil(8)];
        for at in starts {
            bitmask[at / 8] |= 1 << (at % 8);
        }
        assert!(code.len() < 0x80, "the length takes one byte");
        [&[0, 0, code.len() as u8][..], &code, &bitmask].concat()
    }

    /// A JAM standard program with these data, a page of heap and a page of stack.
    fn standard(self, ro: &[u8], rw: &[u8]) -> Vec<u8> {
        let size = |length: usize| (length as u32).to_le_bytes();
        let code = self.raw();
        [
            &size(ro.len())[..3],
            &size(rw.len())[..3],
            &[1, 0],
            &size(4096)[..3],
            ro,
            rw,
            &size(code.len()),
            &code,
        ]
        .concat()
    }
}

const RO: u64 = 0x1_0000;
const RW: u64 = 0x3_0000;

/// Adds its arguments, bytes, up; logs a message by host call 100 (level, target, its length, message, its length); gives the sum
/// as eight bytes.
fn service() -> Vec<u8> {
    use Reg::*;
    let message = b"summed up";
    let mut a = Assembler::new();
    a.load(T0, 0);
    a.label("next");
    a.jump(Opcode::BranchEqImm, "done", |i| (i.s1, i.x) = (A1, 0));
    a.add(Opcode::LoadIndirectU8, |i| (i.d, i.s1) = (T1, A0));
    a.add(Opcode::Add64, |i| (i.d, i.s1, i.s2) = (T0, T0, T1));
    a.add_imm(A0, A0, 1);
    a.add_imm(A1, A1, -1);
    a.jump(Opcode::Jump, "next", |_| ());
    a.label("done");
    a.add(Opcode::StoreU64, |i| (i.s1, i.x) = (T0, RW));
    a.load(A0, 2);
    a.load(A1, 0);
    a.load(A2, 0);
    a.load(A3, RO);
    a.load(A4, message.len() as u64);
    a.call(100);
    a.load(A0, RW);
    a.load(A1, 8);
    a.ret();
    a.standard(message, &[0; 8])
}

/// Counts from a0 down to 0, one host call 7 at a time, and gives the sum of the answers.
fn calls() -> Vec<u8> {
    use Reg::*;
    let mut a = Assembler::new();
    a.add_imm(S0, A0, 0);
    a.load(S1, 0);
    a.label("next");
    a.jump(Opcode::BranchEqImm, "done", |i| (i.s1, i.x) = (S0, 0));
    a.add_imm(A0, S0, 0);
    a.call(7);
    a.add(Opcode::Add64, |i| (i.d, i.s1, i.s2) = (S1, S1, A0));
    a.add_imm(S0, S0, -1);
    a.jump(Opcode::Jump, "next", |_| ());
    a.label("done");
    a.add_imm(A0, S1, 0);
    a.ret();
    a.standard(&[], &[0; 8])
}

/// Adds up the bytes at the starts of a1 pages from a0 on, none of which is mapped at first.
fn pages() -> Vec<u8> {
    use Reg::*;
    let mut a = Assembler::new();
    a.load(T0, 0);
    a.label("next");
    a.jump(Opcode::BranchEqImm, "done", |i| (i.s1, i.x) = (A1, 0));
    a.add(Opcode::LoadIndirectU8, |i| (i.d, i.s1) = (T1, A0));
    a.add(Opcode::Add64, |i| (i.d, i.s1, i.s2) = (T0, T0, T1));
    a.add_imm(A0, A0, 4096);
    a.add_imm(A1, A1, -1);
    a.jump(Opcode::Jump, "next", |_| ());
    a.label("done");
    a.add_imm(A0, T0, 0);
    a.ret();
    a.raw()
}

/// For inner machines: doubles a0, asks host call 3 for something to add, and stores the sum at a1.
fn inner() -> Vec<u8> {
    use Reg::*;
    let mut a = Assembler::new();
    a.add(Opcode::Add64, |i| (i.d, i.s1, i.s2) = (T0, A0, A0));
    a.call(3);
    a.add(Opcode::Add64, |i| (i.d, i.s1, i.s2) = (T0, T0, A0));
    a.add(Opcode::StoreIndirectU64, |i| (i.s1, i.s2) = (T0, A1));
    a.ret();
    a.raw()
}

/// Runs its loop a0 times: five instructions each.
fn spin() -> Vec<u8> {
    use Reg::*;
    let mut a = Assembler::new();
    a.load(T0, 0);
    a.label("next");
    a.add_imm(T0, T0, 3);
    a.add(Opcode::Xor, |i| (i.d, i.s1, i.s2) = (T1, T0, A0));
    a.add(Opcode::Add64, |i| (i.d, i.s1, i.s2) = (T2, T2, T1));
    a.add_imm(A0, A0, -1);
    a.jump(Opcode::BranchNotEqImm, "next", |i| (i.s1, i.x) = (A0, 0));
    a.add_imm(A0, T2, 0);
    a.ret();
    a.raw()
}

#[test]
fn the_programs_are_up_to_date() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/programs");
    for (name, program) in [
        ("service.jam", service()),
        ("calls.jam", calls()),
        ("pages.pvm", pages()),
        ("inner.pvm", inner()),
        ("spin.pvm", spin()),
    ] {
        let file = folder.join(name);
        if std::env::var_os("HATCHERY_BLESS").is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&file, &program).unwrap();
        }
        assert!(std::fs::read(&file).unwrap_or_default() == program, "{name}: HATCHERY_BLESS=1 writes it");
    }
}
