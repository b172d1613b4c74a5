//! Operations that the machine does not know: the embedder answers them.

use crate::common::*;
use hatchery_capabilities::*;
use hatchery_engine::MemoryError;

/// What operation 40 costs beside what every operation does.
const PRICE: u64 = 500;

/// Answers two operations: 40 adds up the bytes at `a0`, `a1` many, and writes the sum behind them; 41 says who asks.
#[derive(Debug, Default)]
struct Adder {
    kept: InProcessAssist,
    answered: u32,
    asked_by: Vec<CapHash>,
}

impl KernelAssist for Adder {
    fn gas_meter(&self, meter: u64) -> u64 {
        self.kept.gas_meter(meter)
    }

    fn set_gas_meter(&mut self, meter: u64, gas: u64) -> u64 {
        self.kept.set_gas_meter(meter, gas)
    }

    fn storage_quota(&self, quota: u64) -> u64 {
        self.kept.storage_quota(quota)
    }

    fn set_storage_quota(&mut self, quota: u64, bytes: u64) -> u64 {
        self.kept.set_storage_quota(quota, bytes)
    }

    fn catches(&self, catcher: CapHash, marker: CapHash) -> bool {
        self.kept.catches(catcher, marker)
    }

    fn add_marker(&mut self, catcher: CapHash, marker: CapHash) {
        self.kept.add_marker(catcher, marker);
    }

    fn remove_marker(&mut self, catcher: CapHash, marker: CapHash) {
        self.kept.remove_marker(catcher, marker);
    }

    fn embedder_catches(&self, marker: CapHash) -> bool {
        marker == KernelImage::OogMarker.hash()
    }

    fn open_file(&mut self, owner: CapHash, file: u64) -> Option<CapHash> {
        self.kept.open_file(owner, file)
    }

    fn save_file(&mut self, owner: CapHash, data: CapHash) -> u64 {
        self.kept.save_file(owner, data)
    }

    fn ecall(&mut self, call: &mut EmbedderCall<'_>) -> Embedded {
        match call.number {
            40 => {
                if !call.charge(PRICE) {
                    return Embedded::OutOfGas;
                }
                self.answered += 1;
                match add(call) {
                    Ok(()) => Embedded::Done,
                    Err(_) => Embedded::Trap,
                }
            }
            41 => {
                self.asked_by.push(call.chain);
                Embedded::Done
            }
            _ => Embedded::Trap,
        }
    }

    fn checkpoint(&mut self) -> u64 {
        self.kept.checkpoint()
    }

    fn roll_back(&mut self, checkpoint: u64) {
        self.kept.roll_back(checkpoint);
    }

    fn forget_checkpoints(&mut self) {
        self.kept.forget_checkpoints();
    }
}

fn add(call: &mut EmbedderCall<'_>) -> Result<(), MemoryError> {
    let (address, length) = (call.reg(Reg::A0) as u32, call.reg(Reg::A1) as usize);
    let mut bytes = vec![0; length];
    call.read(address, &mut bytes)?;
    let sum: u64 = bytes.iter().copied().map(u64::from).sum();
    call.write(address + length as u32, &sum.to_le_bytes())?;
    call.set_reg(Reg::A0, sum);
    Ok(())
}

/// A machine with the adder, and a directory with an instance of this image.
fn embedded(backend: Backend, image: Image) -> (Vm<Adder>, CacheDirectory, CapHash) {
    let mut cache = CacheDirectory::default();
    let instance = Bundle { image, data: Vec::new() }.instantiate(&mut cache, []).unwrap();
    (Vm::new(Adder::default()).backend(backend).costs(CHEAP), cache, instance)
}

fn adding() -> Code {
    Code::new()
        .set(Reg::S0, 0x0102_0304)
        .store(DATA, Reg::S0)
        .set(Reg::A0, DATA.into())
        .set(Reg::A1, 8)
        .ecalli(40)
        .load(Reg::S0, DATA + 8)
        .sum(Reg::A0, Reg::A0, Reg::S0)
        .reply()
}

#[test]
fn the_embedder_reads_and_writes_memory_and_registers() {
    for &backend in Backend::AVAILABLE {
        let (mut vm, mut cache, instance) = embedded(backend, with_memory(adding().image()));
        let result = vm.invoke(&mut cache, instance, 0, [0; 4], GAS).unwrap();
        assert!(matches!(result, CallResult::Halt { return_value: 20, .. }), "{backend:?}: {result:?}");
        assert!(result.gas_used() > PRICE, "{backend:?}");

        let (mut vm, mut cache, instance) = embedded(backend, Code::new().ecalli(41).reply().image());
        vm.invoke(&mut cache, instance, 0, [0; 4], GAS).unwrap();
        assert_eq!(vm.assist().asked_by, [cache.instance(instance).unwrap().image_hash_chain]);

        // What it cannot do, and what it does not know, traps.
        let unmapped = Code::new().set(Reg::A0, 0x9_0000).set(Reg::A1, 8).ecalli(40).reply();
        for (code, number) in [(unmapped, 40), (Code::new().ecalli(42).reply(), 42)] {
            let (mut vm, mut cache, instance) = embedded(backend, code.image());
            let CallResult::Faulted { reason: FaultReason::Operation { number: found, error, .. }, .. } =
                vm.invoke(&mut cache, instance, 0, [0; 4], GAS).unwrap()
            else {
                panic!("{backend:?}")
            };
            assert_eq!((found, error), (number, OperationError::Embedder));
        }
    }
}

#[test]
fn what_it_charges_can_be_topped_up_as_all_gas_can() {
    for &backend in Backend::AVAILABLE {
        let (mut vm, mut cache, instance) = embedded(backend, with_memory(adding().image()));
        let plenty = vm.invoke(&mut cache, instance, 0, [0; 4], GAS).unwrap();
        let CallResult::Halt { post_instance_hash: expected, gas_used: all, .. } = plenty else {
            panic!("{plenty:?}")
        };
        for gas in 0..=all {
            vm.assist_mut().answered = 0;
            let mut result = vm.invoke(&mut cache, instance, 0, [0; 4], gas).unwrap();
            let mut used = result.gas_used();
            while let CallResult::Paused { marker, payload: None, .. } = result {
                assert_eq!(marker, KernelImage::OogMarker.hash());
                // Also from bytes: the operation that waits is part of the state.
                let suspended = vm.suspend(&mut cache).unwrap().to_bytes();
                let suspended = SuspendedCall::from_bytes(&suspended, 1 << 20).unwrap();
                vm.drop_paused().unwrap();
                vm.restore(&mut cache, &suspended).unwrap();
                vm.add_gas(150);
                result = vm.resume(&mut cache, None).unwrap();
                used += result.gas_used();
            }
            let CallResult::Halt { post_instance_hash, return_value: 20, .. } = result else {
                panic!("{backend:?}, {gas} gas: {result:?}")
            };
            assert_eq!((post_instance_hash, used), (expected, all), "{backend:?}, {gas} gas");
            assert_eq!(vm.assist().answered, 1, "{backend:?}, {gas} gas: it was done once");
        }
    }
}
