//! The community's vectors for JamV1: stepped cases with block costs.
//!
//! They are not part of this repository. Set `HATCHERY_VECTORS` to the folder that holds `jam-v1` to run them.

mod common;

use std::path::{Path, PathBuf};

use hatchery_engine::gas::GasModel;
use hatchery_engine::program::Program;
use hatchery_engine::{Config, Engine, Exit, Instance, InstructionSet, Permission, ProgramCounter, Reg};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Case {
    name: String,
    initial_pc: u32,
    initial_gas: i64,
    program: Vec<u8>,
    steps: Vec<Step>,
    block_gas_costs: Vec<BlockCost>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Step {
    #[serde(rename_all = "kebab-case")]
    Map {
        address: u32,
        length: u64,
        is_writable: bool,
    },
    Write {
        address: u32,
        contents: Vec<u8>,
    },
    SetReg {
        reg: u8,
        value: u64,
    },
    Run {},
    Assert(Assert),
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Assert {
    status: String,
    gas: i64,
    pc: u32,
    regs: [u64; 13],
    memory: Vec<Chunk>,
    hostcall: Option<u32>,
    page_fault_address: Option<u32>,
}

#[derive(Deserialize)]
struct Chunk {
    address: u32,
    contents: Vec<u8>,
}

#[derive(Deserialize)]
struct BlockCost {
    pc: u32,
    cost: u32,
}

#[test]
fn jam_v1() {
    let Some(folder) = std::env::var_os("HATCHERY_VECTORS") else {
        eprintln!("HATCHERY_VECTORS is not set: nothing to do");
        return;
    };
    let files = cases(&PathBuf::from(folder).join("jam-v1"));
    assert!(!files.is_empty(), "no vectors found");
    let config = Config::default().gas_model(GasModel::PIPELINE_L2).faults_to_host(true);
    let mut failures = Vec::new();
    for (backend, engine) in common::engines(config) {
        for file in &files {
            let case: Case = serde_json::from_slice(&std::fs::read(file).unwrap())
                .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            if let Err(problem) = run(&engine, &case) {
                failures.push(format!("{} ({backend}): {problem}", case.name));
            }
        }
    }
    assert!(failures.is_empty(), "{} of {} cases:\n{}", failures.len(), files.len(), failures.join("\n"));
    println!("{} cases passed", files.len());
}

fn cases(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    files
}

fn run(engine: &Engine, case: &Case) -> Result<(), String> {
    let program =
        Program::from_raw(&case.program, InstructionSet::JamV1).map_err(|error| error.to_string())?;
    let module = engine.compile_program(program).map_err(|error| error.to_string())?;
    for expected in &case.block_gas_costs {
        let block = module.blocks().find(|block| block.pc.0 == expected.pc);
        expect("block cost", block.map(|block| block.cost), Some(expected.cost))?;
    }

    let mut instance = module.instantiate();
    instance.set_gas(case.initial_gas);
    instance.set_pc(ProgramCounter(case.initial_pc));
    let mut exit = None;
    for step in &case.steps {
        match step {
            Step::Map { address, length, is_writable } => {
                let permission = if *is_writable { Permission::ReadWrite } else { Permission::Read };
                protect(&mut instance, *address, *length, permission)?;
            }
            Step::Write { address, contents } => {
                // Vectors write to read-only pages too: they are made writable for the moment.
                let read_only = instance.memory_mut().write(*address, &[0]).is_err();
                let (page, length) = (address / 4096 * 4096, (address % 4096) as usize + contents.len());
                let length = length.next_multiple_of(4096) as u64;
                if read_only {
                    protect(&mut instance, page, length, Permission::ReadWrite)?;
                }
                instance.memory_mut().write(*address, contents).map_err(|error| error.to_string())?;
                if read_only {
                    protect(&mut instance, page, length, Permission::Read)?;
                }
            }
            Step::SetReg { reg, value } => {
                instance.set_reg(Reg::new(*reg).ok_or("no such register")?, *value);
            }
            Step::Run {} => exit = Some(instance.run().map_err(|error| error.to_string())?),
            Step::Assert(expected) => check(&instance, exit, expected)?,
        }
    }
    Ok(())
}

fn protect(instance: &mut Instance, address: u32, length: u64, permission: Permission) -> Result<(), String> {
    instance.memory_mut().protect(address, length, permission).map_err(|error| error.to_string())
}

fn check(instance: &Instance, exit: Option<Exit>, expected: &Assert) -> Result<(), String> {
    let status = match exit.ok_or("an assertion before the first run")? {
        Exit::Finished => "halt",
        Exit::Trap(_) => "panic",
        Exit::Syscall(number) => {
            expect("hostcall", Some(number), expected.hostcall)?;
            "ecalli"
        }
        Exit::OutOfGas => "out-of-gas",
        Exit::PageFault(fault) => {
            expect("page-fault-address", Some(fault.page_address), expected.page_fault_address)?;
            "page-fault"
        }
        Exit::Paused => "paused",
    };
    expect("status", status, expected.status.as_str())?;
    expect("gas", instance.gas(), expected.gas)?;
    if status != "halt" {
        expect("pc", instance.pc().0, expected.pc)?;
    }
    for (reg, value) in Reg::ALL.into_iter().zip(expected.regs) {
        expect(reg.name(), instance.reg(reg), value)?;
    }
    for chunk in &expected.memory {
        let mut bytes = vec![0; chunk.contents.len()];
        instance.memory().read(chunk.address, &mut bytes).map_err(|error| error.to_string())?;
        expect("memory", &bytes, &chunk.contents)?;
    }
    Ok(())
}

fn expect<T: PartialEq + std::fmt::Debug>(what: &str, got: T, expected: T) -> Result<(), String> {
    if got == expected { Ok(()) } else { Err(format!("{what} is {got:?}, should be {expected:?}")) }
}
