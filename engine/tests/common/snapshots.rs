//! What the tests of snapshots share.

use hatchery_engine::isa::Opcode;
use hatchery_engine::{Config, Engine, Instance, InstructionSet, Module, Reg, Snapshot, Status};

use super::{Assembly, asm, engines};

pub(crate) const RW: u32 = 0x3_0000;
pub(crate) const LIMIT: usize = 1 << 20;

/// Everything that can be seen of an instance without a snapshot.
#[derive(PartialEq, Debug)]
pub(crate) struct Seen {
    pc: u32,
    gas: i64,
    regs: [u64; 13],
    heap_top: u32,
    status: Status,
    pages: Vec<Option<Vec<u8>>>,
}

pub(crate) fn seen(instance: &Instance) -> Seen {
    let pages = (0x10..0x12).chain(0x2f..0x3c).chain(0xfffdc..0xfffe1).chain([0, 0xf, 0x1_0000, 0xf_ffff]);
    let read = |page: u32| {
        let mut bytes = vec![0; 4096];
        instance.memory().read(page * 4096, &mut bytes).is_ok().then_some(bytes)
    };
    Seen {
        pc: instance.pc().0,
        gas: instance.gas(),
        regs: Reg::ALL.map(|reg| instance.reg(reg)),
        heap_top: instance.heap_top(),
        status: instance.status(),
        pages: pages.map(read).collect(),
    }
}

pub(crate) fn restore(module: &Module, bytes: &[u8]) -> Instance {
    let snapshot = Snapshot::from_bytes(bytes, LIMIT).unwrap();
    assert_eq!(snapshot.to_bytes(), bytes);
    assert_eq!(snapshot.byte_length(), bytes.len());
    module.restore(&snapshot, &()).unwrap_or_else(|error| panic!("{error}: {snapshot:?}"))
}

/// A program that calls the host forever, and writes a word to its data.
pub(crate) fn calling() -> Assembly {
    let mut program = Assembly::new(
        InstructionSet::Latest64Extended,
        vec![
            asm::load_imm(Reg::A1, RW as i32),
            asm::store(Opcode::StoreIndirectU32, Reg::A0, Reg::A1, 0),
            asm::ecalli(1),
            asm::jump(0),
        ],
    );
    program.rw_size = 0x3000;
    program
}

pub(crate) fn instances(assembly: &Assembly, config: Config) -> Vec<(String, Instance)> {
    let blob = assembly.container();
    let instance = |engine: Engine| engine.compile(&blob).unwrap().instantiate();
    engines(config).into_iter().map(|(name, engine)| (name, instance(engine))).collect()
}
