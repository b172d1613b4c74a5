//! Random operations and images: the machine never panics, leaves nothing behind, keeps what is pinned, and does the same on every
//! backend, also if paused calls are stored and gone on with elsewhere; random bytes are a capability in one form, or an error.

#![no_main]

use arbitrary::Arbitrary;
use codec::Encode;
use hatchery_capabilities::*;
use hatchery_engine::isa::{Instruction, Opcode, encode};
use hatchery_engine::{Backend, InstructionSet, Reg};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input {
    bytes: Vec<u8>,
    programs: [Program; 3],
    gas: u32,
    top_ups: [u32; 6],
    pinned: u8,
    pins_data: bool,
}

#[derive(Arbitrary, Debug)]
struct Program {
    steps: Vec<Step>,
    mappings: [bool; 6],
    has_data: bool,
    is_large: bool,
    gas_slots: Option<u8>,
    catcher: Option<u8>,
    traps: bool,
}

#[derive(Arbitrary, Debug)]
enum Step {
    Operation(u8, [u8; 4]),
    /// One of [`USEFUL`].
    Useful(u8),
    /// Writes a byte into some memory.
    Store(u8, u8),
    /// Reads some memory, and branches nowhere.
    Load(u8),
}

/// Most of the gas that a call is given.
const GAS: u32 = 200_000;
const ARGUMENTS: [Reg; 4] = [Reg::A0, Reg::A1, Reg::A2, Reg::A3];
/// Where mappings begin and how many pages they have.
const PLACES: [(u32, u32); 6] =
    [(0x1_0000, 4), (0x2_0000, 3), (0x3_0000, 3), (0x50_0000, 4), (0x60_0000, 3), (0xfffd_f000, 1)];
/// No path.
const NONE: u64 = u64::MAX;

/// What lies in slots: data and marker 2, a node 3, an empty root node 4, another instance 5, another image 6, a catcher 7, the bytes of
/// an image 8, three pages of data 10, a quota 11, a meter 12. Mappings show 14, 15, 10 and what is below 3; 9 and 13 are free.
const USEFUL: [(Operation, [u64; 4]); 24] = [
    (Operation::MakeImage, [8, NONE, NONE, 9]),
    (Operation::MakeImage, [8, NONE, 4, 9]),
    (Operation::MakeImage, [8, 4, NONE, 9]),
    (Operation::DeriveSpawn, [9, 4, 13, 0]),
    (Operation::DeriveSpawn, [6, 4, 13, 0]),
    (Operation::Call, [13, 0, 1, 2]),
    (Operation::Call, [5, 0, 1, 2]),
    (Operation::SetImage, [6, 0, 0, 0]),
    (Operation::SetImage, [9, 0, 0, 0]),
    (Operation::MintData, [0x2_0000, 5000, 1, 15]),
    (Operation::MintData, [0x50_0000, 8, 1, 14]),
    (Operation::MintData, [0x2_0000, 4096, 1, 0]),
    (Operation::ReadData, [10, 0x2_0008, 4096, 0]),
    (Operation::ReadData, [2, 0x50_0000, 8, 0]),
    (Operation::Save, [10, 1, 0, 0]),
    (Operation::Open, [1, 14, 0, 0]),
    (Operation::Copy, [10, 14, 0, 0]),
    (Operation::Move, [14, 15, 0, 0]),
    (Operation::Drop, [14, 0, 0, 0]),
    (Operation::Copy, [2, 0x303, 0, 0]),
    (Operation::MintCNode, [13, 2, 0, 0]),
    (Operation::Move, [15, 0x20d, 0, 0]),
    (Operation::Yield, [2, 0, 0, 0]),
    (Operation::Yield, [13, 0, 0, 0]),
];

/// A program being written.
#[derive(Default)]
struct Code {
    bytes: Vec<u8>,
    starts: Vec<usize>,
}

impl Code {
    fn emit(&mut self, instruction: Instruction) {
        let at = self.bytes.len();
        self.starts.push(at);
        encode(InstructionSet::JamV1, &instruction, at as u32, &mut self.bytes).unwrap();
    }

    fn operation(&mut self, number: u32, arguments: [u64; 4]) {
        for (d, x) in ARGUMENTS.into_iter().zip(arguments) {
            self.emit(Instruction { d, x, ..Instruction::plain(Opcode::LoadImm64) });
        }
        self.emit(Instruction { x: number.into(), ..Instruction::plain(Opcode::Ecalli) });
    }

    fn image(mut self) -> Image {
        self.emit(Instruction::plain(Opcode::Trap));
        let mut bitmask = vec![0; self.bytes.len().div_ceil(8)];
        for at in self.starts {
            bitmask[at / 8] |= 1 << (at % 8);
        }
        Image::from_code(self.bytes, bitmask)
    }
}

/// An address in some mapping, or behind it.
fn address(number: u8) -> u64 {
    let (start, pages) = PLACES[usize::from(number) % PLACES.len()];
    let offset = u32::from(number) / 6 * 512;
    u64::from(start + offset % (pages * 4096 + 8))
}

/// A slot, a path of two steps, an address, a length, or none.
fn argument(argument: u8) -> u64 {
    match argument {
        0..=15 => argument.into(),
        16..=200 => u64::from(argument % 16) | (1 + u64::from(argument / 16)) << 8,
        201..=249 => address((argument - 201) * 5),
        250 => 8,
        251 => 4096,
        252 => 5000,
        _ => NONE,
    }
}

impl Program {
    fn image(&self, pinned: SlotContent, data: CapHash) -> Image {
        let mut code = Code::default();
        for step in self.steps.iter().take(40) {
            match step {
                Step::Operation(number, arguments) => {
                    code.operation(u32::from(number % 32), arguments.map(argument));
                }
                Step::Useful(number) => {
                    let (operation, arguments) = USEFUL[usize::from(*number) % USEFUL.len()];
                    code.operation(operation.number(), arguments);
                }
                // Addresses are sign-extended.
                Step::Store(at, value) => {
                    code.emit(Instruction {
                        d: Reg::S0,
                        x: (*value).into(),
                        ..Instruction::plain(Opcode::LoadImm64)
                    });
                    let x = address(*at) as u32 as i32 as i64 as u64;
                    code.emit(Instruction { s1: Reg::S0, x, ..Instruction::plain(Opcode::StoreU8) });
                }
                Step::Load(at) => {
                    let x = address(*at) as u32 as i32 as i64 as u64;
                    code.emit(Instruction { d: Reg::S1, x, ..Instruction::plain(Opcode::LoadU64) });
                }
            }
        }
        if !self.traps {
            code.emit(Instruction::plain(Opcode::Ecalli));
        }
        let mut image = code.image();
        let below = SlotPath::new(&[3, 2]).unwrap();
        let sources = [SlotPath::slot(pinned.slot.into()), SlotPath::slot(14), SlotPath::slot(15)];
        let sources = sources.into_iter().chain([SlotPath::slot(10), below, SlotPath::slot(13)]);
        let mappings = PLACES.into_iter().zip(sources).zip(self.mappings).filter(|(_, is_there)| *is_there);
        image.mappings = mappings
            .map(|(((start, pages), source), _)| Mapping { start, size: pages * 4096, source })
            .collect();
        // What is large must not take long because of that.
        if let Some(last) = image.mappings.last_mut().filter(|last| self.is_large && last.start < 0x10_0000) {
            last.size = 0x20_0000;
        }
        if self.has_data && pinned.slot != 14 {
            image.initial = vec![SlotContent { slot: 14, cap: data }];
        }
        image.gas_slots =
            self.gas_slots.map(|slot| slot % 16).into_iter().filter(|&slot| slot != 0).collect();
        image.quota_slots = vec![11];
        image.yield_marker_slot = self.catcher.map(|slot| 1 + slot % 15);
        image.pinned = vec![pinned];
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

/// All that costs gas does, but not too much, and what a call may make is little.
fn machine(assist: InProcessAssist, backend: Backend) -> Vm<InProcessAssist> {
    let costs = Costs {
        operation: 10,
        call: 100,
        page_aside: 2,
        own_page: 20,
        slot: 3,
        program: 100,
        program_byte: 1,
        program_page: 10,
        changed_page: 1000,
        node: 20,
        node_slot: 3,
        minted_64_bytes: 4,
        set_image_page: 2,
        make_image: 200,
        make_image_byte: 1,
        ..Costs::DEFAULT
    };
    Vm::with_max_depth(assist, 5).backend(backend).costs(costs).working_limit(30)
}

/// `moves`: paused calls go on in another machine, on the next backend.
fn run(input: &Input, backend: Backend, moves: bool) -> Vec<CallResult> {
    let mut cache = CacheDirectory::default();
    let mut assist = InProcessAssist::default();
    assist.set_gas_meter(1, u64::from(input.gas % GAS) * 3);
    assist.set_storage_quota(1, 20_000);
    let [gas, quota, catcher] = [KernelImage::Gas, KernelImage::Quota, KernelImage::YieldCatcher]
        .map(|image| cache.put(Cap::Instance(image.instance(1))).unwrap());
    let data = cache.put(Cap::Data(DataCap::new(b"data"))).unwrap();
    let pages = cache.put(Cap::Data(DataCap::new(&[[7; 4096], [0; 4096], [9; 4096]].concat()))).unwrap();
    let mut node = CNode::new(4).unwrap();
    node.set(1, Some(data)).unwrap();
    node.set(2, Some(pages)).unwrap();
    let node = cache.put(Cap::CNode(node)).unwrap();
    let empty = cache.put(Cap::CNode(CNode::root())).unwrap();
    // An image that a program makes: it writes memory, calls nobody, and replies.
    let mut code = Code::default();
    code.emit(Instruction { s1: Reg::A0, x: 0x2_0010, ..Instruction::plain(Opcode::StoreU8) });
    code.operation(Operation::Copy.number(), [14, 0, 0, 0]);
    code.emit(Instruction::plain(Opcode::Ecalli));
    let mut made = code.image();
    made.mappings = vec![Mapping { start: 0x2_0000, size: 0x3000, source: SlotPath::slot(14) }];
    let mut other = made.clone();
    let made = cache.put(Cap::Data(DataCap::new(&made.encode()))).unwrap();
    other.initial = vec![SlotContent { slot: 14, cap: pages }];
    let mut other = cache.put(Cap::Image(other)).unwrap();
    let kept = [gas, quota, catcher, data, node, empty];
    assist.add_marker(catcher, data);
    assist.add_marker(catcher, KernelImage::OogMarker.hash());
    assist.catch(KernelImage::OogMarker.hash());
    let mut below = data;
    let pinned = SlotContent { slot: 1 + input.pinned % 10, cap: if input.pins_data { pages } else { node } };
    for program in &input.programs {
        let bundle = Bundle { image: program.image(pinned, pages), data: Vec::new() };
        let Ok(image) = bundle.publish(&mut cache) else { return Vec::new() };
        let slots = [
            (2, data),
            (3, node),
            (4, empty),
            (5, below),
            (6, other),
            (7, catcher),
            (8, made),
            (10, pages),
            (11, quota),
            (12, gas),
        ];
        let slots = slots.into_iter().filter(|&(slot, _)| slot != pinned.slot);
        let Ok(instance) = bundle.instantiate(&mut cache, slots) else { return Vec::new() };
        (below, other) = (instance, image);
    }
    let before = cache.resident_bytes();

    let mut vm = machine(assist, backend);
    let mut results = Vec::new();
    let mut result = match vm.invoke(&mut cache, below, 0, [2, 3, 4, 5], (input.gas % GAS).into()) {
        // Data that are longer than the mapping that shows them.
        Err(VmError::Load(_)) => return results,
        result => result.unwrap(),
    };
    let mut top_ups = input.top_ups.iter();
    loop {
        results.push(result.clone());
        if !matches!(result, CallResult::Paused { .. }) {
            break;
        }
        let Some(more) = top_ups.next().map(|more| more % (GAS / 4)) else {
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
            let next = backends[(more as usize + backend as usize) % backends.len()];
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
    let Some(CallResult::Halt { post_instance_hash, reflected_slot0, .. }) = results.last() else {
        // What was suspended may go on anywhere.
        if !moves {
            cache.commit(Vec::new()).unwrap();
            assert_eq!(cache.resident_bytes(), before, "what was given up is still here");
        }
        return results;
    };
    // Everything that it leads to is there.
    let roots = [Some(*post_instance_hash), *reflected_slot0];
    cache.collect(roots.into_iter().flatten().chain(vm.assist().files())).unwrap();
    let instance = cache.instance(*post_instance_hash).unwrap();
    let slots = cache.cnode(instance.root_cnode).unwrap();
    let is_own_image = cache.get(instance.image_hash).is_ok_and(|image| match &*image {
        Cap::Image(image) => image.pinned(pinned.slot.into()) == Some(pinned.cap),
        _ => false,
    });
    if is_own_image {
        assert_eq!(slots.get(pinned.slot.into()), Some(&pinned.cap.into()));
    }
    results
}
