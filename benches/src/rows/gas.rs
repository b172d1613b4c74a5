//! The gas model alone: what all blocks of a program cost, from the bytes of its code.

use super::Run;
use crate::engines::Gas;
use crate::measure::{Clock, Contestant};
use crate::results::{Row, Section};
use anyhow::{Result, anyhow};
use hatchery_engine::{Config, Engine, Module};
use polkavm_common::program::ProgramBlob;
use std::hint::black_box;

pub(super) fn section(run: &Run) -> Result<Section> {
    let mut rows = Vec::new();
    if run.wants("gas-ed25519") {
        rows.push(row(run)?);
    }
    Ok(Section {
        id: "gas".into(),
        title: "The pipeline gas model alone".into(),
        text: "The peers' own code: for polkavm the simulator that its backends feed while they go through a program, with its vector \
               instructions, for javm the function that it exports for this. Each begins with decoding. javm's model is another, and \
               polkavm's simulator goes on across ends of blocks that are no starts of others, so sums are not compared here; the gas of whole runs \
               is, see the programs."
            .into(),
        rows,
    })
}

fn row(run: &Run) -> Result<Row> {
    let program = run.program("ed25519")?;
    let config = Config::default().gas_model(crate::engines::model(Gas::Pipeline));
    let module = Engine::new(config)?.compile(&program.polkavm)?;
    let blob = ProgramBlob::parse(program.polkavm.clone().into()).map_err(|error| anyhow!("{error}"))?;
    let instructions = module.instructions().count() as f64;

    let ours = module.clone();
    let mut contestants: Vec<(&str, Contestant<'_>)> = vec![
        ("hatchery", repeated(move || ours.blocks().map(|block| u64::from(block.cost)).sum())),
        ("polkavm-common 0.37", repeated(move || polkavm_costs(&blob))),
    ];
    contestants.extend(javm(&module));
    let title = format!("one of {instructions} instructions of `ed25519`");
    let contestants = contestants.into_iter().map(|(name, contestant)| (name.to_owned(), Ok(contestant)));
    Ok(run.compete("gas-ed25519", title, instructions, contestants.collect()))
}

fn repeated<'a>(mut once: impl FnMut() -> u64 + 'a) -> Contestant<'a> {
    Contestant {
        clock: Clock::Processor,
        repeat: Box::new(move |times| {
            for _ in 0..times {
                black_box(once());
            }
            Ok(())
        }),
    }
}

#[cfg(feature = "peers")]
fn javm(module: &Module) -> Option<(&'static str, Contestant<'static>)> {
    let code = module.code().bytes().to_vec();
    let bitmask: Vec<u8> = (0..code.len() as u32).map(|pc| module.code().is_start(pc).into()).collect();
    let costs = move || javm::gas_cost::compute_block_gas_costs(&code, &bitmask).iter().sum();
    Some(("javm 0.4", repeated(costs)))
}

#[cfg(not(feature = "peers"))]
fn javm(_: &Module) -> Option<(&'static str, Contestant<'static>)> {
    None
}

/// Sum of the costs of all blocks by polkavm's simulator.
fn polkavm_costs(blob: &ProgramBlob) -> u64 {
    use polkavm_common::simulator::{CacheModel, Simulator};
    use polkavm_common::utils::{B64, GasVisitorT};

    let mut simulator = Simulator::<B64, ()>::new(blob.code(), blob.isa(), CacheModel::L2Hit, ());
    let mut instructions = blob.instructions();
    let mut sum = 0;
    while instructions.visit_parsing(&mut simulator).is_some() {
        sum += u64::from(simulator.take_block_cost().unwrap_or(0));
    }
    sum
}
