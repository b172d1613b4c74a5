//! What the engines execute: programs of `guests/` that `cargo xtask bench` has built, and code that is generated from them.

use anyhow::{Context, Result, anyhow, bail};
use polkavm_common::program::{Instruction, InstructionSetKind, ProgramBlob};
use polkavm_common::writer::ProgramBlobBuilder;
use polkavm_linker::{Config, TargetInstructionSet, program_from_elf};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::{env, fs};

/// Where the programs are: the target directory of their workspace.
pub(crate) const VARIABLE: &str = "HATCHERY_BENCH_PROGRAMS";

/// A program in the form of each machine.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// The module of `work` that it is made of.
    pub(crate) name: String,
    /// A PolkaVM container with the instruction set JamV1.
    pub(crate) polkavm: Vec<u8>,
    /// A WebAssembly module.
    #[cfg_attr(not(feature = "peers"), expect(dead_code, reason = "for peers"))]
    pub(crate) wasm: Vec<u8>,
    /// An ELF file for RV64IMC_B.
    #[cfg_attr(not(feature = "peers"), expect(dead_code, reason = "for peers"))]
    pub(crate) riscv: Vec<u8>,
}

impl Program {
    /// The program of a module of `work`.
    pub(crate) fn load(name: &str) -> Result<Self> {
        Ok(Self {
            name: name.into(),
            polkavm: polkavm(name)?,
            wasm: file("wasm32-unknown-unknown", &format!("{name}.wasm"))?,
            riscv: file(RISCV, name)?,
        })
    }
}

/// The program `processes`, for schedulers of them.
#[derive(Clone, Debug)]
pub(crate) struct Processes {
    /// A PolkaVM container with the instruction set JamV1.
    pub(crate) polkavm: Vec<u8>,
    /// An ELF file for RV64IMC_B.
    #[cfg_attr(not(feature = "ckb-script"), expect(dead_code, reason = "for peers"))]
    pub(crate) riscv: Vec<u8>,
}

impl Processes {
    pub(crate) fn load() -> Result<Self> {
        Ok(Self { polkavm: polkavm("processes")?, riscv: file(RISCV, "processes")? })
    }
}

const RISCV: &str = "riscv64imac-unknown-none-elf";

/// A program linked for PolkaVM.
fn polkavm(name: &str) -> Result<Vec<u8>> {
    link(&file("riscv64emac-unknown-none-polkavm", name)?).with_context(|| name.to_owned())
}

fn file(target: &str, file: &str) -> Result<Vec<u8>> {
    let path = folder()?.join(target).join("release").join(file);
    fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// The library with all work as native code.
pub(crate) fn native_library() -> Result<PathBuf> {
    Ok(folder()?.join("release").join("libnative.so"))
}

fn folder() -> Result<&'static Path> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOLDER.get_or_init(|| env::var_os(VARIABLE).map(PathBuf::from)).as_deref().with_context(|| {
        format!("{VARIABLE} is not set; `cargo xtask bench` builds the programs and sets it")
    })
}

fn link(elf: &[u8]) -> Result<Vec<u8>> {
    let mut config = Config::default();
    config.set_strip(true);
    config.set_optimize(true);
    program_from_elf(config, TargetInstructionSet::JamV1, elf).map_err(|error| anyhow!("{error}"))
}

/// Code of about `bytes` bytes: the blocks of real programs, again and again, with the jumps among them. Every copy is reached by
/// jumps within it, and the first block is the export `run`.
///
/// The blob, and how many instructions it has.
pub(crate) fn generate(blobs: &[Vec<u8>], bytes: usize) -> Result<(Vec<u8>, u64)> {
    let mut code: Vec<Instruction> = Vec::new();
    let mut blocks = 0;
    let mut size = 0;
    'copies: loop {
        let before = code.len();
        for blob in blobs {
            let copied = blocks_of(blob)?;
            let first = blocks;
            let start = code.len();
            let mut count = 0;
            // Some blocks are long: they are cut, too.
            'blob: for block in &copied {
                count += 1;
                for (instruction, length) in block {
                    code.push(*instruction);
                    size += length;
                    if size >= bytes {
                        break 'blob;
                    }
                }
            }
            // Targets count blocks from the program's first. Of a program that was cut, blocks that are not there are others.
            for target in code[start..].iter_mut().filter_map(target_of) {
                *target = first + *target % count;
            }
            blocks += count;
            if size >= bytes {
                break 'copies;
            }
        }
        if code.len() == before {
            bail!("there are no instructions to copy");
        }
    }
    // The last block may have been one that goes on with the next.
    code.push(Instruction::trap);
    let instructions = code.len() as u64;
    let mut builder = ProgramBlobBuilder::new(InstructionSetKind::JamV1);
    builder.set_code(&code, &[]);
    builder.add_export_by_basic_block(0, b"run");
    let blob = builder.into_vec().map_err(|error| anyhow!("{error}"))?;
    Ok((blob, instructions))
}

/// The blocks of a program: instructions with their lengths in bytes. Targets of jumps are numbers of blocks.
fn blocks_of(blob: &[u8]) -> Result<Vec<Vec<(Instruction, usize)>>> {
    let blob = ProgramBlob::parse(blob.to_vec().into()).map_err(|error| anyhow!("{error}"))?;
    let mut blocks = vec![Vec::new()];
    let mut numbers = HashMap::from([(0, 0)]);
    for parsed in blob.instructions() {
        let length = (parsed.next_offset.0 - parsed.offset.0) as usize;
        blocks.last_mut().context("no block")?.push((parsed.kind, length));
        if parsed.kind.opcode().starts_new_basic_block() {
            numbers.insert(parsed.next_offset.0, blocks.len() as u32);
            blocks.push(Vec::new());
        }
    }
    blocks.retain(|instructions| !instructions.is_empty());
    for (instruction, _) in blocks.iter_mut().flatten() {
        // Calls of the host would need imports, and constants that are addresses of code mean nothing here.
        if let Instruction::ecalli(_) = instruction {
            *instruction = Instruction::unlikely;
        }
        if let Some(target) = target_of(instruction) {
            *target =
                *numbers.get(target).with_context(|| format!("a jump to {target}, where no block is"))?;
        }
    }
    Ok(blocks)
}

/// Where an instruction jumps to, if that is written in it.
fn target_of(instruction: &mut Instruction) -> Option<&mut u32> {
    use Instruction as I;
    match instruction {
        I::jump(target)
        | I::load_imm_and_jump(_, _, target)
        | I::branch_eq(_, _, target)
        | I::branch_eq_imm(_, _, target)
        | I::branch_not_eq(_, _, target)
        | I::branch_not_eq_imm(_, _, target)
        | I::branch_less_unsigned(_, _, target)
        | I::branch_less_unsigned_imm(_, _, target)
        | I::branch_less_signed(_, _, target)
        | I::branch_less_signed_imm(_, _, target)
        | I::branch_less_or_equal_unsigned_imm(_, _, target)
        | I::branch_less_or_equal_signed_imm(_, _, target)
        | I::branch_greater_or_equal_unsigned(_, _, target)
        | I::branch_greater_or_equal_unsigned_imm(_, _, target)
        | I::branch_greater_or_equal_signed(_, _, target)
        | I::branch_greater_or_equal_signed_imm(_, _, target)
        | I::branch_greater_unsigned_imm(_, _, target)
        | I::branch_greater_signed_imm(_, _, target) => Some(target),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hatchery_engine::{Config, Engine};

    fn blob(name: &str) -> Vec<u8> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../guests/blobs/jam-v1");
        fs::read(folder.join(name)).expect("the guests are committed")
    }

    #[test]
    fn generated_code_has_the_size_and_compiles() {
        let blobs = [blob("ed25519.polkavm"), blob("heap.polkavm")];
        let engine = Engine::new(Config::default()).unwrap();
        for size in [1_000, 64_000, 300_000] {
            let (generated, instructions) = generate(&blobs, size).unwrap();
            let module = engine.compile(&generated).unwrap();
            let length = module.code().length() as usize;
            assert!((size * 9 / 10..size * 11 / 10 + 400).contains(&length), "{length} for {size}");
            assert_eq!(module.instructions().count() as u64, instructions);
            assert!(module.export(b"run").is_some());
        }
    }

    #[test]
    fn code_cannot_be_made_of_nothing() {
        assert!(generate(&[b"PVM".to_vec()], 1000).is_err());
        assert!(generate(&[], 1000).is_err());
    }
}
