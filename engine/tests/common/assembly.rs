//! A small assembler, which puts programs into PolkaVM containers.

use hatchery_engine::InstructionSet;
use hatchery_engine::isa::{Instruction, Opcode, Shape, encode};

/// A program to be put into a PolkaVM container.
#[derive(Clone, Debug)]
pub(crate) struct Assembly {
    pub(crate) set: InstructionSet,
    pub(crate) ro_data: Vec<u8>,
    pub(crate) rw_data: Vec<u8>,
    pub(crate) rw_size: u32,
    pub(crate) stack_size: u32,
    pub(crate) imports: Vec<&'static str>,
    /// Names and indices of instructions.
    pub(crate) exports: Vec<(&'static str, usize)>,
    /// Targets are indices of instructions; past the end they count bytes behind the code.
    pub(crate) code: Vec<Instruction>,
    /// Indices of instructions.
    pub(crate) jump_table: Vec<u32>,
}

impl Assembly {
    /// A program of these instructions with an export `main` at the first, and a page each of data and stack.
    pub(crate) fn new(set: InstructionSet, code: Vec<Instruction>) -> Self {
        Self {
            set,
            ro_data: vec![0x11; 16],
            rw_data: vec![0x22; 16],
            rw_size: 4096,
            stack_size: 4096,
            imports: vec!["first", "second"],
            exports: vec![("main", 0)],
            code,
            jump_table: Vec::new(),
        }
    }

    /// Where each instruction starts, and behind them the length of the code.
    pub(crate) fn offsets(&self) -> Vec<u32> {
        self.offsets_if_any().expect("the instructions can be encoded, and the lengths of offsets settle")
    }

    /// The same, or nothing if an instruction cannot be encoded or no lengths of offsets fit all of them.
    pub(crate) fn offsets_if_any(&self) -> Option<Vec<u32>> {
        let mut offsets = vec![0; self.code.len() + 1];
        for _ in 0..50 {
            let mut next = vec![0];
            let mut bytes = Vec::new();
            for (index, instruction) in self.code.iter().enumerate() {
                let placed = Instruction { target: resolve(instruction.target, &offsets), ..*instruction };
                encode(self.set, &placed, offsets[index], &mut bytes).ok()?;
                next.push(bytes.len() as u32);
            }
            if next == offsets {
                return Some(offsets);
            }
            offsets = next;
        }
        None
    }

    /// Code and bitmask.
    pub(crate) fn code_and_bitmask(&self) -> (Vec<u8>, Vec<u8>) {
        let offsets = self.offsets();
        let mut code = Vec::new();
        let mut bitmask = vec![0u8; (offsets[self.code.len()] as usize).div_ceil(8)];
        for (index, instruction) in self.code.iter().enumerate() {
            let at = offsets[index];
            bitmask[at as usize / 8] |= 1 << (at % 8);
            let placed = Instruction { target: resolve(instruction.target, &offsets), ..*instruction };
            encode(self.set, &placed, at, &mut code).unwrap();
        }
        if !self.set.has_bitmask() {
            bitmask.clear();
        }
        (code, bitmask)
    }

    /// The PolkaVM container.
    pub(crate) fn container(&self) -> Vec<u8> {
        let (code, bitmask) = self.code_and_bitmask();
        let offsets = self.offsets();
        let jump_table: Vec<u32> = self.jump_table.iter().map(|&index| resolve(index, &offsets)).collect();
        let exports: Vec<(&str, u32)> =
            self.exports.iter().map(|&(name, index)| (name, resolve(index as u32, &offsets))).collect();
        container(
            version(self.set),
            [&self.ro_data, &self.rw_data],
            [self.ro_data.len() as u32, self.rw_size, self.stack_size],
            &self.imports,
            &exports,
            &code,
            &bitmask,
            &jump_table,
        )
    }
}

fn resolve(target: u32, offsets: &[u32]) -> u32 {
    let last = offsets.len() - 1;
    offsets.get(target as usize).copied().unwrap_or_else(|| offsets[last] + (target - last as u32))
}

/// The version byte of containers for this set.
pub(crate) fn version(set: InstructionSet) -> u8 {
    match set {
        InstructionSet::ReviveV1 => 0,
        InstructionSet::Latest32 => 1,
        InstructionSet::Latest64Bitmask | InstructionSet::Latest64Extended => 2,
        InstructionSet::JamV1 => 3,
        InstructionSet::GrayPaper07 => panic!("no container names this set"),
    }
}

/// Puts a PolkaVM container together. Without a bitmask it is one in the extended encoding.
#[expect(clippy::too_many_arguments, reason = "the format has as many parts")]
pub(crate) fn container(
    version: u8,
    data: [&[u8]; 2],
    sizes: [u32; 3],
    imports: &[&str],
    exports: &[(&str, u32)],
    code: &[u8],
    bitmask: &[u8],
    jump_table: &[u32],
) -> Vec<u8> {
    let mut memory = Vec::new();
    sizes.into_iter().for_each(|size| varint(&mut memory, size));
    let mut import_section = Vec::new();
    varint(&mut import_section, imports.len() as u32);
    let mut end = 0u32;
    for import in imports {
        import_section.extend(end.to_le_bytes());
        end += import.len() as u32;
    }
    imports.iter().for_each(|import| import_section.extend(import.bytes()));
    let mut export_section = Vec::new();
    varint(&mut export_section, exports.len() as u32);
    for (name, pc) in exports {
        varint(&mut export_section, *pc);
        varint(&mut export_section, name.len() as u32);
        export_section.extend(name.bytes());
    }
    let mut code_section = Vec::new();
    varint(&mut code_section, jump_table.len() as u32);
    code_section.push(4);
    if !bitmask.is_empty() {
        varint(&mut code_section, code.len() as u32);
    }
    jump_table.iter().for_each(|pc| code_section.extend(pc.to_le_bytes()));
    code_section.extend(code);
    code_section.extend(bitmask);

    let sections = [
        (1, &memory[..]),
        (2, data[0]),
        (3, data[1]),
        (4, &import_section),
        (5, &export_section),
        (6, &code_section),
    ];
    let mut blob = b"PVM\0".to_vec();
    blob.push(version);
    blob.extend([0; 8]);
    for (id, contents) in sections {
        blob.push(id);
        varint(&mut blob, contents.len() as u32);
        blob.extend(contents);
    }
    blob.push(0);
    let length = blob.len() as u64;
    blob[5..13].copy_from_slice(&length.to_le_bytes());
    blob
}

fn varint(bytes: &mut Vec<u8>, value: u32) {
    let [b0, b1, b2, b3] = value.to_le_bytes();
    match value {
        0..0x80 => bytes.push(b0),
        0x80..0x4000 => bytes.extend([0x80 | b1, b0]),
        0x4000..0x20_0000 => bytes.extend([0xc0 | b2, b0, b1]),
        0x20_0000..0x1000_0000 => bytes.extend([0xe0 | b3, b0, b1, b2]),
        _ => bytes.extend([0xf0, b0, b1, b2, b3]),
    }
}

/// Instructions by shape, for readable test programs. Targets are indices of instructions.
pub(crate) mod asm {
    use hatchery_engine::Reg;

    use super::{Instruction, Opcode, Shape};

    pub(crate) fn plain(opcode: Opcode) -> Instruction {
        assert_eq!(opcode.info().shape, Shape::None);
        Instruction::plain(opcode)
    }

    pub(crate) fn dsi(opcode: Opcode, d: Reg, s1: Reg, x: i32) -> Instruction {
        Instruction { d, s1, x: i64::from(x) as u64, ..Instruction::plain(opcode) }
    }

    pub(crate) fn dss(opcode: Opcode, d: Reg, s1: Reg, s2: Reg) -> Instruction {
        Instruction { d, s1, s2, ..Instruction::plain(opcode) }
    }

    pub(crate) fn load_imm(d: Reg, x: i32) -> Instruction {
        Instruction { d, x: i64::from(x) as u64, ..Instruction::plain(Opcode::LoadImm) }
    }

    /// `[s2 + x] = s1`
    pub(crate) fn store(opcode: Opcode, s1: Reg, s2: Reg, x: i32) -> Instruction {
        Instruction { s1, s2, x: i64::from(x) as u64, ..Instruction::plain(opcode) }
    }

    pub(crate) fn ecalli(number: i32) -> Instruction {
        Instruction { x: i64::from(number) as u64, ..Instruction::plain(Opcode::Ecalli) }
    }

    pub(crate) fn jump(target: u32) -> Instruction {
        Instruction { target, ..Instruction::plain(Opcode::Jump) }
    }

    pub(crate) fn branch_imm(opcode: Opcode, s1: Reg, x: i32, target: u32) -> Instruction {
        Instruction { s1, x: i64::from(x) as u64, target, ..Instruction::plain(opcode) }
    }

    /// Returns to the caller, or to the host.
    pub(crate) fn ret() -> Instruction {
        Instruction { s1: Reg::RA, ..Instruction::plain(Opcode::JumpIndirect) }
    }
}
