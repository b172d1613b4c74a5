//! Any bytes are a program or an error, in every format and set; what is a program can be compiled, inspected and costed.

#![no_main]

use hatchery_engine::gas::GasModel;
use hatchery_engine::program::Program;
use hatchery_engine::{Config, Engine, InstructionSet};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&choice, bytes)) = data.split_first() else { return };
    let set = InstructionSet::ALL[usize::from(choice >> 2) % InstructionSet::ALL.len()];
    let program = match choice & 3 {
        0 => Program::from_polkavm(bytes, InstructionSet::Latest64Bitmask),
        1 => Program::from_polkavm(bytes, InstructionSet::Latest64Extended),
        2 => Program::from_raw(bytes, set),
        _ => Program::from_standard(bytes, set),
    };
    let Ok(program) = program else { return };
    let (_, model) = GasModel::NAMED[usize::from(choice >> 5) % GasModel::NAMED.len()];
    let engine = Engine::new(Config::default().gas_model(model)).unwrap();
    let Ok(module) = engine.compile_program(program) else { return };
    let mut text = 0;
    for decoded in module.instructions() {
        assert!(decoded.pc < decoded.next_pc && decoded.next_pc <= module.code().length());
        text += decoded.instruction.map_or(0, |instruction| instruction.to_string().len());
    }
    for block in module.blocks() {
        assert!(block.cost >= 1 && module.code().is_start(block.pc.0));
    }
    let export = module.exports().next().map(|(symbol, pc)| (symbol.to_vec(), pc));
    assert!(export.is_none_or(|(symbol, pc)| module.export(&symbol) == Some(pc)));
    assert!(text < usize::MAX && module.resident_bytes() > 0);
});
