//! What the tests of the machine share: an assembler, and a world of capabilities with a machine.

#![allow(dead_code, reason = "each test uses its part")]
#![allow(unreachable_pub, reason = "a module of each test")]

use std::fmt::Debug;

use hatchery_capabilities::*;
use hatchery_engine::isa::{Instruction, Opcode, encode};
pub use hatchery_engine::{Backend, InstructionSet, Reg};

/// Enough for everything here.
pub const GAS: u64 = 100_000_000;
/// Read-write data of images made by [`with_memory`].
pub const DATA: u32 = 0x2_0000;
/// A mapping of those images that is not in the engine's layout.
pub const ASIDE: u32 = 0x50_0000;
/// What lies in [`DATA`] and [`ASIDE`].
pub const DATA_SLOT: u8 = 254;
pub const ASIDE_SLOT: u8 = 250;

/// What tests at every value of gas take: all that costs gas does, but not so much that there are too many values.
pub const CHEAP: Costs = Costs {
    operation: 10,
    call: 100,
    page_aside: 2,
    own_page: 3,
    slot: 8,
    node_slot: 8,
    set_image_page: 4,
    program: 17,
    program_byte: 1,
    program_page: 5,
    changed_page: 61,
    node: 7,
    minted_64_bytes: 2,
    data_64_bytes: 1,
    make_image: 200,
    make_image_byte: 1,
    ..Costs::DEFAULT
};

/// Gas for entering an image without data in a call for the first time.
pub fn program_gas(image: &Image) -> u64 {
    Costs::DEFAULT.program + Costs::DEFAULT.program_byte * image.code.len() as u64
}

/// A program being written.
#[derive(Clone, Default)]
pub struct Code {
    bytes: Vec<u8>,
    starts: Vec<u32>,
}

impl Code {
    pub fn new() -> Self {
        Self::default()
    }

    /// Where the next instruction starts.
    pub fn here(&self) -> u32 {
        self.bytes.len() as u32
    }

    pub fn emit(mut self, instruction: Instruction) -> Self {
        let at = self.here();
        self.starts.push(at);
        encode(InstructionSet::JamV1, &instruction, at, &mut self.bytes).unwrap();
        self
    }

    pub fn plain(self, opcode: Opcode) -> Self {
        self.emit(Instruction::plain(opcode))
    }

    pub fn set(self, d: Reg, value: u64) -> Self {
        self.emit(Instruction { d, x: value, ..Instruction::plain(Opcode::LoadImm64) })
    }

    pub fn add(self, d: Reg, s: Reg, value: i32) -> Self {
        self.emit(Instruction { d, s1: s, x: value as i64 as u64, ..Instruction::plain(Opcode::AddImm64) })
    }

    /// `d = a + b`
    pub fn sum(self, d: Reg, a: Reg, b: Reg) -> Self {
        self.emit(Instruction { d, s1: a, s2: b, ..Instruction::plain(Opcode::Add64) })
    }

    pub fn copy(self, d: Reg, s: Reg) -> Self {
        self.emit(Instruction { d, s1: s, ..Instruction::plain(Opcode::MoveReg) })
    }

    pub fn store(self, address: u32, s: Reg) -> Self {
        self.emit(Instruction {
            s1: s,
            x: address as i32 as i64 as u64,
            ..Instruction::plain(Opcode::StoreU64)
        })
    }

    pub fn load(self, d: Reg, address: u32) -> Self {
        self.emit(Instruction { d, x: address as i32 as i64 as u64, ..Instruction::plain(Opcode::LoadU64) })
    }

    pub fn fallthrough(self) -> Self {
        self.plain(Opcode::Fallthrough)
    }

    pub fn trap(self) -> Self {
        self.plain(Opcode::Trap)
    }

    /// An operation by number.
    pub fn ecalli(self, number: u32) -> Self {
        // Immediates are sign-extended.
        self.emit(Instruction { x: number as i32 as i64 as u64, ..Instruction::plain(Opcode::Ecalli) })
    }

    /// An operation with its first arguments.
    pub fn op(self, operation: Operation, args: &[u64]) -> Self {
        let regs = [Reg::A0, Reg::A1, Reg::A2, Reg::A3];
        let code = args.iter().zip(regs).fold(self, |code, (&arg, reg)| code.set(reg, arg));
        code.ecalli(operation.number())
    }

    pub fn reply(self) -> Self {
        self.ecalli(0)
    }

    /// Returns to whoever has called.
    pub fn ret(self) -> Self {
        self.set(Reg::RA, 0xffff_0000)
            .emit(Instruction { s1: Reg::RA, ..Instruction::plain(Opcode::JumpIndirect) })
    }

    pub fn reply_with(self, value: u64) -> Self {
        self.set(Reg::A0, value).reply()
    }

    /// With other code behind it, which has no jumps.
    pub fn then(mut self, other: Self) -> Self {
        let at = self.here();
        self.bytes.extend(other.bytes);
        self.starts.extend(other.starts.into_iter().map(|start| start + at));
        self
    }

    /// The image of this code.
    pub fn image(self) -> Image {
        // Code must not run off its end.
        let Self { bytes, starts } = self.trap();
        let mut bitmask = vec![0; bytes.len().div_ceil(8)];
        for at in starts {
            bitmask[at as usize / 8] |= 1 << (at % 8);
        }
        Image::from_code(bytes, bitmask)
    }
}

/// Gives an image two pages of data at [`DATA`] and one at [`ASIDE`], and a page of stack.
pub fn with_memory(mut image: Image) -> Image {
    let mapping = |start, size, slot: u8| Mapping { start, size, source: SlotPath::slot(slot.into()) };
    image.mappings = vec![
        mapping(DATA, 0x2000, DATA_SLOT),
        mapping(ASIDE, 0x1000, ASIDE_SLOT),
        mapping(0xfffd_f000, 0x1000, 255),
    ];
    image
}

/// A machine and what it works on.
pub struct World {
    pub cache: CacheDirectory,
    pub vm: Vm<InProcessAssist>,
    pub backend: Backend,
}

impl World {
    pub fn new(backend: Backend) -> Self {
        let vm = Vm::new(InProcessAssist::default()).backend(backend);
        Self { cache: CacheDirectory::default(), vm, backend }
    }

    /// Makes another machine of this one, which has executed nothing.
    pub fn with_machine(&mut self, change: impl FnOnce(Vm<InProcessAssist>) -> Vm<InProcessAssist>) {
        self.vm = change(Vm::new(self.vm.assist().clone()).backend(self.backend));
    }

    pub fn put(&mut self, cap: Cap) -> CapHash {
        self.cache.put(cap).unwrap()
    }

    pub fn data(&mut self, bytes: &[u8]) -> CapHash {
        self.put(Cap::Data(DataCap::new(bytes)))
    }

    pub fn image(&mut self, image: Image) -> CapHash {
        self.put(Cap::Image(image))
    }

    pub fn cnode(&mut self, size_log: u8, slots: &[(u16, CapHash)]) -> CapHash {
        let mut node = CNode::new(size_log).unwrap();
        for &(slot, cap) in slots {
            node.set(slot, Some(cap)).unwrap();
        }
        self.put(Cap::CNode(node))
    }

    /// An instance of a new image with these slots beside those of the image.
    pub fn instance(&mut self, image: Image, slots: &[(u8, CapHash)]) -> CapHash {
        Bundle { image, data: Vec::new() }.instantiate(&mut self.cache, slots.iter().copied()).unwrap()
    }

    /// A kernel capability.
    pub fn kernel(&mut self, image: KernelImage, id: u64) -> CapHash {
        self.put(Cap::Instance(image.instance(id)))
    }

    /// A meter with so much gas.
    pub fn meter(&mut self, id: u64, gas: u64) -> CapHash {
        self.vm.assist_mut().set_gas_meter(id, gas);
        self.kernel(KernelImage::Gas, id)
    }

    /// A quota of so many bytes.
    pub fn quota(&mut self, id: u64, bytes: u64) -> CapHash {
        self.vm.assist_mut().set_storage_quota(id, bytes);
        self.kernel(KernelImage::Quota, id)
    }

    /// A catcher of these markers.
    pub fn catcher(&mut self, id: u64, markers: &[CapHash]) -> CapHash {
        let catcher = self.kernel(KernelImage::YieldCatcher, id);
        for &marker in markers {
            self.vm.assist_mut().add_marker(catcher, marker);
        }
        catcher
    }

    /// Calls endpoint 0 with all the gas it may want.
    pub fn call(&mut self, instance: CapHash) -> CallResult {
        self.call_with(instance, [0; 4], GAS)
    }

    pub fn call_with(&mut self, instance: CapHash, args: [u64; 4], gas: u64) -> CallResult {
        let result = self.vm.invoke(&mut self.cache, instance, 0, args, gas).unwrap();
        self.check(&result);
        result
    }

    pub fn resume(&mut self, payload: Option<CapHash>) -> CallResult {
        let result = self.vm.resume(&mut self.cache, payload).unwrap();
        self.check(&result);
        result
    }

    /// After every end the stack is empty, and nothing is being worked on any more.
    fn check(&self, result: &CallResult) {
        if matches!(result, CallResult::Paused { .. }) {
            assert!(self.vm.call_stack().caught_by().is_some());
        } else {
            assert!(self.vm.call_stack().is_empty());
            assert_eq!(self.cache.working(), 0);
        }
    }

    /// Calls an instance that must reply, and gives its reply and what became of it.
    pub fn halts(&mut self, instance: CapHash) -> (u64, CapHash) {
        match self.call(instance) {
            CallResult::Halt { return_value, post_instance_hash, .. } => (return_value, post_instance_hash),
            other => panic!("expected a reply, got {other:?}"),
        }
    }

    /// Calls an instance that must fault, and says why it does.
    pub fn faults(&mut self, instance: CapHash) -> String {
        match self.call(instance) {
            CallResult::Faulted { reason, .. } => reason.to_string(),
            other => panic!("expected a fault, got {other:?}"),
        }
    }

    /// The slots of an instance.
    pub fn slots(&mut self, instance: CapHash) -> CNode {
        let root = self.cache.instance(instance).unwrap().root_cnode;
        self.cache.cnode(root).unwrap()
    }

    /// What a slot of an instance holds.
    pub fn slot(&mut self, instance: CapHash, slot: u16) -> Option<CapHash> {
        self.slots(instance).get(slot).and_then(CapHashOrRef::hash)
    }
}

/// Does the same on every backend; the results must be the same, too.
pub fn each_backend<T: PartialEq + Debug>(test: impl Fn(&mut World) -> T) -> T {
    let mut results = Backend::AVAILABLE.iter().map(|&backend| (backend, test(&mut World::new(backend))));
    let (_, first) = results.next().unwrap();
    for (backend, other) in results {
        assert_eq!(first, other, "{backend:?} differs from the interpreter");
    }
    first
}

/// A register that holds the path.
pub fn path(steps: &[u16]) -> u64 {
    SlotPath::new(steps).unwrap().to_register().unwrap()
}
