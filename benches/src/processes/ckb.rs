//! ckb-script's scheduler: the program is the lock of a transaction's only input, and the first cell that the transaction depends on.

use super::{Scheduler, Work};
use anyhow::{Result, anyhow, ensure};
use ckb_chain_spec::consensus::{Consensus, ConsensusBuilder};
use ckb_script::types::{DebugPrinter, Machine, RunMode};
use ckb_script::{TransactionScriptsVerifier, TxVerifyEnv};
use ckb_traits::{CellDataProvider, ExtensionProvider, HeaderProvider};
use ckb_types::bytes::Bytes;
use ckb_types::core::cell::{CellMeta, CellMetaBuilder, ResolvedTransaction};
use ckb_types::core::hardfork::HardForks;
use ckb_types::core::{Capacity, EpochNumberWithFraction, HeaderView, ScriptHashType, TransactionBuilder};
use ckb_types::packed::{Byte32, CellInput, CellOutput, OutPoint, Script};
use ckb_types::prelude::*;
use std::sync::Arc;

/// Cells have their data with them; nothing else is asked for.
#[derive(Clone)]
struct Nothing;

impl CellDataProvider for Nothing {
    fn get_cell_data(&self, _: &OutPoint) -> Option<Bytes> {
        None
    }

    fn get_cell_data_hash(&self, _: &OutPoint) -> Option<Byte32> {
        None
    }
}

impl HeaderProvider for Nothing {
    fn get_header(&self, _: &Byte32) -> Option<HeaderView> {
        None
    }
}

impl ExtensionProvider for Nothing {
    fn get_block_extension(&self, _: &Byte32) -> Option<ckb_types::packed::Bytes> {
        None
    }
}

pub(super) struct Ckb {
    transaction: Arc<ResolvedTransaction>,
    consensus: Arc<Consensus>,
}

impl Ckb {
    pub(super) fn new(program: &[u8]) -> Self {
        // With the rules that have `spawn`, from the first epoch on.
        let consensus = ConsensusBuilder::default().hardfork_switch(HardForks::new_dev()).build();
        Self { transaction: Arc::new(transaction(program)), consensus: Arc::new(consensus) }
    }
}

impl Scheduler for Ckb {
    fn run(&self, work: Work, times: u64) -> Result<()> {
        let header = HeaderView::new_advanced_builder().epoch(EpochNumberWithFraction::new(1, 0, 1)).build();
        let verifier = TransactionScriptsVerifier::<_, DebugPrinter, Machine>::new(
            Arc::clone(&self.transaction),
            Nothing,
            Arc::clone(&self.consensus),
            Arc::new(TxVerifyEnv::new_commit(&header)),
        );
        let (_, group) = verifier.groups().next().ok_or_else(|| anyhow!("the transaction has no script"))?;
        let mut scheduler = verifier.create_scheduler(group)?;
        scheduler.set_root_vm_args(vec![Bytes::from(work.argument(times))]);
        let end = scheduler.run(RunMode::LimitCycles(u64::MAX)).map_err(|error| anyhow!("{error}"))?;
        ensure!(end.exit_code == 0, "the program exited with {}", end.exit_code);
        Ok(())
    }
}

fn transaction(program: &[u8]) -> ResolvedTransaction {
    let cell = |output: CellOutput, data: Bytes| -> CellMeta {
        CellMetaBuilder::from_cell_output(output, data).build()
    };
    let data = Bytes::copy_from_slice(program);
    let program = cell(CellOutput::new_builder().capacity(Capacity::zero()).build(), data);
    let lock = Script::new_builder()
        .hash_type(ScriptHashType::Data2)
        .code_hash(program.mem_cell_data_hash.clone().unwrap_or_default())
        .build();
    let input = CellOutput::new_builder().capacity(Capacity::zero()).lock(lock).build();
    ResolvedTransaction {
        transaction: TransactionBuilder::default().input(CellInput::new(OutPoint::null(), 0)).build(),
        resolved_cell_deps: vec![program],
        resolved_inputs: vec![cell(input, Bytes::new())],
        resolved_dep_groups: vec![],
    }
}
