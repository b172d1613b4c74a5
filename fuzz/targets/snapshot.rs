//! Snapshots: any bytes with the right hash give an error, or a snapshot with exactly these bytes; if that can be restored it gives
//! the same snapshot again, and goes on in the same way in native code and in the interpreter.

#![no_main]

#[path = "../common/edit.rs"]
mod edit;

use std::sync::OnceLock;

use arbitrary::Arbitrary;
use edit::Edit;
use hatchery_engine::{Backend, Config, Engine, Exit, GasModel, Module, Permission, Reg, Snapshot};
use libfuzzer_sys::fuzz_target;

const LIMIT: usize = 1 << 20;
const DATA: [u8; 32] = [7; 32];
const RW: u32 = 0x3_0000;

#[derive(Arbitrary, Debug)]
struct Input {
    program: u8,
    faults_to_host: bool,
    /// How far a program runs before its snapshot is taken.
    gas: u16,
    steps: u8,
    stops: u8,
    /// What its host does then: a page, what for, and bytes.
    host: Vec<(u8, u8, Vec<u8>)>,
    /// How its bytes are changed.
    edits: Vec<Edit>,
    /// How much gas it has to go on with.
    rest: u16,
}

fuzz_target!(|input: Input| {
    let [interpreted, native] = modules(&input);
    let snapshot = taken(&input, native);
    let bytes = snapshot.to_bytes();
    assert_eq!(snapshot.byte_length(), bytes.len());
    assert_eq!(Snapshot::from_bytes(&bytes, LIMIT).as_ref(), Ok(&snapshot));
    let sources = snapshot.sources().any(|(_, _, is_referred_to)| is_referred_to);
    let restored = same_future(&snapshot, interpreted, native, &input);
    assert!(restored.is_ok() || sources, "what was taken can be restored");

    let changed = edit::with_right_hash(bytes, &input.edits);
    if let Ok(snapshot) = Snapshot::from_bytes(&changed, LIMIT) {
        assert_eq!(snapshot.to_bytes(), changed);
        let _ = same_future(&snapshot, interpreted, native, &input);
    }
});

/// A program in the interpreter and in native code.
fn modules(input: &Input) -> [&'static Module; 2] {
    static MODULES: OnceLock<Vec<[Module; 2]>> = OnceLock::new();
    let modules = MODULES.get_or_init(|| {
        let guests: [&[u8]; 4] = [
            include_bytes!("../../guests/blobs/jam-v1/heap.polkavm"),
            include_bytes!("../../guests/blobs/jam-v1/echo.polkavm"),
            include_bytes!("../../guests/blobs/jam-v1/traps.polkavm"),
            include_bytes!("../../guests/blobs/jam-v1/syscalls.polkavm"),
        ];
        let mut modules = Vec::new();
        for faults_to_host in [false, true] {
            for guest in guests {
                modules.push([Backend::Interpreter, Backend::Recompiler].map(|backend| {
                    let config = Config::default()
                        .backend(backend)
                        .gas_model(GasModel::Flat)
                        .faults_to_host(faults_to_host)
                        .memory_limit(4 << 20)
                        .window_limit(2);
                    Engine::new(config).unwrap().compile(guest).unwrap()
                }));
            }
        }
        modules
    });
    modules[usize::from(input.program) % 4 + if input.faults_to_host { 4 } else { 0 }].each_ref()
}

/// A snapshot of a program that has run for a while.
fn taken(input: &Input, module: &Module) -> Snapshot {
    let mut instance = module.instantiate();
    let exports: Vec<Vec<u8>> = module.exports().map(|(symbol, _)| symbol.to_vec()).collect();
    let export = &exports[usize::from(input.stops) % exports.len()];
    if input.stops != 255 {
        instance.prepare(export, &[u64::from(input.gas), u64::from(RW)]).unwrap();
    }
    instance.set_gas(input.gas.into());
    for _ in 0..input.stops % 8 {
        if instance.is_prepared() && !matches!(instance.run(), Ok(Exit::Syscall(_))) {
            break;
        }
    }
    for _ in 0..input.steps {
        let _ = instance.step();
    }
    for (page, what, bytes) in input.host.iter().take(16) {
        let address = RW + u32::from(page % 8) * 4096;
        let bytes = &bytes[..bytes.len().min(4096)];
        let mut memory = instance.memory_mut();
        let _ = match what % 6 {
            0 => memory.write(address, bytes),
            1 => memory.protect(address, 4096, Permission::None),
            2 => memory.protect(address, 4096, Permission::Read),
            3 => memory.protect(address, 4096, Permission::ReadWrite),
            4 => memory.zero(address, 4096),
            _ => memory.record_source(
                address,
                hatchery_engine::DataRange { data: DATA, offset: 1, length: bytes.len() as u32 },
            ),
        };
    }
    instance.snapshot()
}

/// Whether it can be restored is the same for both; if so, it is the same again, and so is what follows.
fn same_future(snapshot: &Snapshot, interpreted: &Module, native: &Module, input: &Input) -> Result<(), ()> {
    let instances = [interpreted, native].map(|module| module.restore(snapshot, &AnyData(snapshot)));
    assert_eq!(instances[0].as_ref().err(), instances[1].as_ref().err());
    let [Ok(mut interpreted), Ok(mut native)] = instances else { return Err(()) };
    assert_eq!((&interpreted.snapshot(), &native.snapshot()), (snapshot, snapshot));
    for instance in [&mut interpreted, &mut native] {
        instance.set_gas(input.rest.into());
    }
    for stop in 0..8u32 {
        if !interpreted.is_prepared() {
            break;
        }
        let exits = [interpreted.run(), native.run()];
        assert_eq!(exits[0], exits[1]);
        assert_eq!(interpreted.snapshot(), native.snapshot());
        for instance in [&mut interpreted, &mut native] {
            match exits[0] {
                Ok(Exit::Syscall(_)) => instance.set_reg(Reg::A0, (RW + stop).into()),
                Ok(Exit::PageFault(fault)) => {
                    let permission = Permission::ReadWrite;
                    instance.memory_mut().protect(fault.page_address, 4096, permission).unwrap();
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// Has the bytes that the instance had which the snapshot is of: none, since they cannot be known from it, or zeros.
struct AnyData<'a>(&'a Snapshot);

impl hatchery_engine::DataSource for AnyData<'_> {
    fn read(&self, _: &[u8; 32], _: u64, buffer: &mut [u8]) -> Result<(), hatchery_engine::NoSuchData> {
        assert!(buffer.len() <= 4096 && self.0.sources().len() > 0);
        buffer.fill(0);
        Ok(())
    }
}
