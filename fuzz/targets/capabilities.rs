//! Random operations and images: the machine never panics, leaves nothing behind, keeps what is pinned, and does the same on every
//! backend, also if paused calls are stored and gone on with elsewhere; random bytes are a capability in one form, or an error.

#![no_main]

use arbitrary::Arbitrary;
use hatchery_capabilities::*;
use hatchery_engine::Backend;
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input {
    bytes: Vec<u8>,
    programs: [Program; 3],
    gas: u16,
    top_ups: [u16; 6],
    pinned: u8,
}

#[derive(Arbitrary, Debug)]
struct Program {
    operations: Vec<(u8, [u8; 4])>,
    gas_slots: Option<u8>,
    catcher: Option<u8>,
    traps: bool,
}

/// The registers that operations take their arguments from.
const ARGUMENTS: [u8; 4] = [7, 8, 9, 10];

impl Program {
    fn image(&self) -> Image {
        let (mut code, mut starts) = (Vec::new(), Vec::new());
        for (operation, arguments) in self.operations.iter().take(40) {
            for (register, argument) in ARGUMENTS.into_iter().zip(arguments) {
                starts.push(code.len());
                // load_imm64: a slot, a path of two steps, or an address.
                let value = match argument {
                    0..=15 => u64::from(*argument),
                    16..=200 => u64::from(argument % 16) | (1 + u64::from(argument / 16)) << 8,
                    _ => 0x2_0000 + u64::from(*argument) * 16,
                };
                code.extend([20, register]);
                code.extend(value.to_le_bytes());
            }
            starts.push(code.len());
            code.extend([10, operation % 32]);
        }
        starts.push(code.len());
        if !self.traps {
            code.extend([10, 0]);
            starts.push(code.len());
        }
        code.push(0);
        let mut bitmask = vec![0; code.len().div_ceil(8)];
        for at in starts {
            bitmask[at / 8] |= 1 << (at % 8);
        }
        let mut image = Image::from_code(code, bitmask);
        image.mappings = vec![Mapping { start: 0x2_0000, size: 0x1000, source: SlotPath::slot(14) }];
        image.gas_slots =
            self.gas_slots.map(|slot| slot % 16).into_iter().filter(|&slot| slot != 0).collect();
        image.quota_slots = vec![11];
        image.yield_marker_slot = self.catcher.map(|slot| 1 + slot % 15);
        image
    }
}

fuzz_target!(|input: Input| {
    if let Ok(cap) = Cap::from_bytes(&input.bytes) {
        assert_eq!(cap.to_bytes().unwrap(), input.bytes);
        let mut cache = CacheDirectory::default();
        let _ = cache.put(cap);
    }
    if let Ok(call) = SuspendedCall::from_bytes(&input.bytes, 1 << 16) {
        assert_eq!(call.to_bytes(), input.bytes);
    }
    let interpreted = run(&input, Backend::Interpreter, false);
    for &backend in Backend::AVAILABLE {
        assert_eq!(run(&input, backend, true), interpreted, "{backend:?}");
    }
});

/// All that costs gas does, and what a call may make is little.
fn machine(assist: InProcessAssist, backend: Backend) -> Vm<InProcessAssist> {
    let costs = Costs { program: 100, program_byte: 1, changed_page: 1000, node: 20, ..Costs::DEFAULT };
    Vm::with_max_depth(assist, 5).backend(backend).costs(costs).working_limit(30)
}

/// `moves`: paused calls go on in another machine, on the next backend.
fn run(input: &Input, backend: Backend, moves: bool) -> Vec<CallResult> {
    let mut cache = CacheDirectory::default();
    let mut assist = InProcessAssist::default();
    assist.set_gas_meter(1, u64::from(input.gas) * 3);
    assist.set_storage_quota(1, 20_000);
    let [gas, quota, catcher] = [KernelImage::Gas, KernelImage::Quota, KernelImage::YieldCatcher]
        .map(|image| cache.put(Cap::Instance(image.instance(1))).unwrap());
    let data = cache.put(Cap::Data(DataCap::new(b"data"))).unwrap();
    let mut node = CNode::new(4).unwrap();
    node.set(1, Some(data)).unwrap();
    let node = cache.put(Cap::CNode(node)).unwrap();
    let empty = cache.put(Cap::CNode(CNode::root())).unwrap();
    let kept = [gas, quota, catcher, data, node, empty];
    assist.add_marker(catcher, data);
    assist.add_marker(catcher, KernelImage::OogMarker.hash());
    assist.catch(KernelImage::OogMarker.hash());
    let mut below = data;
    let mut pinned = (1, node);
    for program in &input.programs {
        let mut image = program.image();
        pinned = (1 + input.pinned % 10, node);
        image.pinned = vec![SlotContent { slot: pinned.0, cap: pinned.1 }];
        let bundle = Bundle { image, data: Vec::new() };
        let Ok(image) = bundle.publish(&mut cache) else { return Vec::new() };
        let slots =
            [(2, data), (3, node), (4, empty), (5, below), (6, image), (7, catcher), (11, quota), (12, gas)];
        let slots = slots.into_iter().filter(|&(slot, _)| slot != pinned.0);
        let Ok(instance) = bundle.instantiate(&mut cache, slots) else { return Vec::new() };
        below = instance;
    }

    let mut vm = machine(assist, backend);
    let mut results = Vec::new();
    let mut result = vm.invoke(&mut cache, below, 0, [2, 3, 4, 5], input.gas.into()).unwrap();
    let mut top_ups = input.top_ups.iter();
    loop {
        results.push(result.clone());
        if !matches!(result, CallResult::Paused { .. }) {
            break;
        }
        let Some(&more) = top_ups.next() else {
            vm.drop_paused().unwrap();
            break;
        };
        if moves {
            assert!(cache.collect(kept).is_err(), "it has not been asked what it needs");
            vm.collect(&mut cache, kept).unwrap();
            let suspended = vm.suspend(&mut cache).unwrap();
            vm.collect(&mut cache, kept).unwrap();
            let bytes = suspended.to_bytes();
            assert_eq!(SuspendedCall::from_bytes(&bytes, usize::MAX), Ok(suspended.clone()));
            let backends = Backend::AVAILABLE;
            let next = backends[(usize::from(more) + backend as usize) % backends.len()];
            vm = machine(vm.assist().clone(), next);
            cache.collect(suspended.roots().chain(vm.roots()).chain(kept)).unwrap();
            vm.restore(&mut cache, &suspended).unwrap();
            assert_eq!(vm.suspend(&mut cache).unwrap().to_bytes(), bytes);
        }
        if more % 7 == 0 {
            match vm.drop_to_catcher(&mut cache).unwrap() {
                Some(next) => result = next,
                None => break,
            }
            continue;
        }
        vm.add_gas(more.into());
        let left = vm.assist().gas_meter(1);
        vm.assist_mut().set_gas_meter(1, left + u64::from(more));
        result = vm.resume(&mut cache, (more % 2 == 0).then_some(data)).unwrap();
    }
    assert!(vm.call_stack().is_empty());
    assert_eq!(cache.working(), 0);
    if let Some(CallResult::Halt { post_instance_hash, .. }) = results.last() {
        let instance = cache.instance(*post_instance_hash).unwrap();
        let slots = cache.cnode(instance.root_cnode).unwrap();
        let is_own_image = cache.get(instance.image_hash).is_ok_and(|image| match &*image {
            Cap::Image(image) => image.pinned(pinned.0.into()) == Some(pinned.1),
            _ => false,
        });
        if is_own_image {
            assert_eq!(slots.get(pinned.0.into()), Some(&pinned.1.into()));
        }
    }
    results
}
