//! A guest can do to each page what the layout and its host say, and finds there what was last written: whoever had the window
//! before, whatever of him was left in it, and on whatever the guest runs. Compared with a model that has neither windows nor images.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::common::{Assembly, asm, engines};
use hatchery_engine::isa::{Instruction, Opcode};
use hatchery_engine::memory::{LOWEST_ADDRESS, MemoryMap, PAGE_SIZE};
use hatchery_engine::program::{MemoryConfig, Program};
use hatchery_engine::{
    Config, Engine, Exit, GasModel, Instance, InstructionSet, Module, Permission, ProgramCounter, Reg,
    TrapKind,
};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

/// Pages that only the host can map.
const HOST: u32 = 0x80_0000;
const HOST_PAGES: u32 = 6;
/// Many of them.
const FAR: u32 = 0x90_0000;
const FAR_PAGES: u32 = 70;
/// How far heaps grow here, behind the end of the data.
const HEAP: u32 = 4 * PAGE_SIZE;
const GAS: i64 = 1 << 40;

/// What an instance's memory should be, page by page.
#[derive(Clone)]
struct Model {
    map: MemoryMap,
    config: MemoryConfig,
    heap_top: u32,
    auxiliary: u32,
    set: BTreeMap<u32, Permission>,
    /// Pages whose bytes are not the initial ones.
    bytes: BTreeMap<u32, Vec<u8>>,
}

impl Model {
    fn new(map: MemoryMap, config: &MemoryConfig) -> Self {
        let (set, bytes) = (BTreeMap::new(), BTreeMap::new());
        Self { map, config: config.clone(), heap_top: map.heap_base(), auxiliary: 0, set, bytes }
    }

    fn permission(&self, page: u32) -> Permission {
        let address = page * PAGE_SIZE;
        let paged = |bytes: u32| bytes.next_multiple_of(PAGE_SIZE);
        let auxiliary = self.map.auxiliary().start;
        if let Some(&permission) = self.set.get(&page) {
            permission
        } else if (self.map.rw_data().start..paged(self.heap_top)).contains(&address)
            || self.map.stack().contains(&address)
        {
            Permission::ReadWrite
        } else if self.map.ro_data().contains(&address)
            || (auxiliary..auxiliary + paged(self.auxiliary)).contains(&address)
        {
            Permission::Read
        } else {
            Permission::None
        }
    }

    fn page(&mut self, page: u32) -> &mut Vec<u8> {
        let Self { map, config, bytes, .. } = self;
        bytes.entry(page).or_insert_with(|| {
            let parts = [(map.ro_data(), &config.ro_data), (map.rw_data(), &config.rw_data)];
            let byte = |address: u32| {
                let part = parts.iter().find(|(range, _)| range.contains(&address));
                part.and_then(|(range, data)| data.get((address - range.start) as usize)).copied()
            };
            (page * PAGE_SIZE..(page + 1) * PAGE_SIZE).map(|address| byte(address).unwrap_or(0)).collect()
        })
    }

    fn read(&mut self, address: u32, length: u32) -> Vec<u8> {
        let byte = |address: u32| self.page(address / PAGE_SIZE)[(address % PAGE_SIZE) as usize];
        (address..address + length).map(byte).collect()
    }

    fn write(&mut self, address: u32, bytes: &[u8]) {
        for (address, &byte) in (address..).zip(bytes) {
            self.page(address / PAGE_SIZE)[(address % PAGE_SIZE) as usize] = byte;
        }
    }

    /// The first address of the range that does not allow this.
    fn denied(&self, address: u32, length: u32, wanted: Permission) -> Option<(u32, Permission)> {
        let pages = address / PAGE_SIZE..=(address + length - 1) / PAGE_SIZE;
        let denied = |page: u32| (address.max(page * PAGE_SIZE), self.permission(page));
        pages.map(denied).find(|&(_, permission)| permission < wanted)
    }

    fn protect(&mut self, page: u32, permission: Permission) {
        if permission == Permission::None || self.permission(page) == Permission::None {
            self.page(page).fill(0);
        }
        self.set.insert(page, permission);
    }

    fn set_auxiliary(&mut self, data: &[u8]) {
        let reach = self.auxiliary.max(data.len() as u32).next_multiple_of(PAGE_SIZE);
        self.auxiliary = data.len() as u32;
        let mut bytes = data.to_vec();
        bytes.resize(reach as usize, 0);
        self.write(self.map.auxiliary().start, &bytes);
    }
}

/// What a guest does, each followed by a syscall.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Access {
    LoadU8,
    LoadU64,
    StoreU8,
    StoreU64,
}

impl Access {
    const ALL: [Self; 4] = [Self::LoadU8, Self::LoadU64, Self::StoreU8, Self::StoreU64];

    fn instruction(self) -> Instruction {
        let opcode = match self {
            Self::LoadU8 => Opcode::LoadIndirectU8,
            Self::LoadU64 => Opcode::LoadIndirectU64,
            Self::StoreU8 => Opcode::StoreIndirectU8,
            Self::StoreU64 => Opcode::StoreIndirectU64,
        };
        let plain = Instruction::plain(opcode);
        match self.wanted() {
            Permission::ReadWrite => Instruction { s1: Reg::A0, s2: Reg::A1, ..plain },
            _ => Instruction { d: Reg::A0, s1: Reg::A1, ..plain },
        }
    }

    fn wanted(self) -> Permission {
        if matches!(self, Self::LoadU8 | Self::LoadU64) { Permission::Read } else { Permission::ReadWrite }
    }

    fn length(self) -> u32 {
        if matches!(self, Self::LoadU8 | Self::StoreU8) { 1 } else { 8 }
    }
}

/// What happens to an instance. Places are numbers in the list of addresses.
#[derive(Clone, Debug)]
enum Action {
    /// The guest accesses memory, and is stepped or runs.
    Guest(Access, Index, u64, bool),
    /// The guest fills memory, if it may.
    Fill(Index, u32, u8),
    HostWrite(Index, u32, u8),
    HostZero(Index, u32),
    Protect(Index, u32, Permission),
    /// The same pages each time, as hosts do that map memory into each of their instances.
    ProtectUsual(Permission),
    /// More pages than are copied when an instance is mounted.
    ProtectMany(Permission),
    Auxiliary(u32, u8),
    Grow(u32),
    Park,
    Reset,
    /// Another takes its place: a fork, what its snapshot says, a new one of either program.
    Fork,
    Restore,
    New(bool),
    /// What it has is compared.
    Compare,
}

fn permission() -> impl Strategy<Value = Permission> {
    select(vec![Permission::None, Permission::Read, Permission::ReadWrite, Permission::ReadWrite])
}

fn action() -> impl Strategy<Value = Action> {
    use Action as A;
    let place = any::<Index>;
    prop_oneof![
        12 => (select(Access::ALL.to_vec()), place(), any::<u64>(), any::<bool>())
            .prop_map(|(access, place, value, stepped)| A::Guest(access, place, value, stepped)),
        1 => (place(), 1..9000u32, any::<u8>()).prop_map(|(place, length, value)| A::Fill(place, length, value)),
        3 => (place(), 1..5000u32, any::<u8>())
            .prop_map(|(place, length, value)| A::HostWrite(place, length, value)),
        1 => (place(), 1..5000u32).prop_map(|(place, length)| A::HostZero(place, length)),
        5 => (place(), 1..3u32, permission())
            .prop_map(|(place, pages, permission)| A::Protect(place, pages, permission)),
        5 => permission().prop_map(A::ProtectUsual),
        1 => permission().prop_map(A::ProtectMany),
        // Zeros are as what is not there.
        2 => (0..=2 * PAGE_SIZE, select(vec![0, 0, 1, 255])).prop_map(|(length, value)| A::Auxiliary(length, value)),
        1 => (0..2 * PAGE_SIZE).prop_map(A::Grow),
        2 => Just(A::Park),
        2 => Just(A::Reset),
        2 => Just(A::Fork),
        2 => Just(A::Restore),
        3 => any::<bool>().prop_map(A::New),
        1 => Just(A::Compare),
    ]
}

/// The accesses, then the filling, each followed by a syscall.
fn assembly() -> Assembly {
    let accesses = Access::ALL.into_iter().map(Access::instruction);
    let code = accesses.chain([Instruction::plain(Opcode::Memset)]).flat_map(|i| [i, asm::ecalli(0)]);
    Assembly::new(InstructionSet::Latest64Bitmask, code.collect())
}

/// Where they begin.
static ENTRIES: LazyLock<Vec<u32>> = LazyLock::new(|| assembly().offsets().into_iter().step_by(2).collect());

/// The program, with this in its data.
fn program(value: u8) -> Program {
    let blob = assembly().container();
    let mut program = Program::from_polkavm(&blob, InstructionSet::Latest64Bitmask).unwrap();
    program.memory = MemoryConfig {
        ro_data: vec![value; 5000],
        ro_size: 2 * PAGE_SIZE,
        rw_data: vec![!value; 5000],
        rw_size: 3 * PAGE_SIZE,
        stack_size: 2 * PAGE_SIZE,
        auxiliary_size: 2 * PAGE_SIZE,
    };
    program
}

struct Subject {
    instance: Instance,
    model: Model,
}

impl Subject {
    fn new(module: &Module, config: &MemoryConfig) -> Self {
        Self { instance: module.instantiate(), model: Model::new(*module.memory_map(), config) }
    }

    /// First bytes of pages that anything can happen to, and of some beside them.
    fn pages(&self) -> Vec<u32> {
        let map = &self.model.map;
        let whole = |start: u32, end: u32| (start - PAGE_SIZE..=end).step_by(PAGE_SIZE as usize);
        let parts = [
            (map.ro_data().start, map.ro_data().end),
            (map.rw_data().start, map.rw_data().end + HEAP),
            (map.stack().start, map.stack().end),
            (map.auxiliary().start, map.auxiliary().end),
            (HOST, HOST + HOST_PAGES * PAGE_SIZE),
        ];
        let far = whole(FAR, FAR + FAR_PAGES * PAGE_SIZE).step_by(23);
        parts.into_iter().flat_map(|(start, end)| whole(start, end)).chain(far).collect()
    }

    fn address(&self, place: Index) -> u32 {
        const OFFSETS: [u32; 6] = [0, 1, 7, 0x800, 4090, 4095];
        let pages = self.pages();
        let place = place.index(pages.len() * OFFSETS.len());
        pages[place / OFFSETS.len()] + OFFSETS[place % OFFSETS.len()]
    }

    fn enter(&mut self, pc: u32, registers: [u64; 3], stepped: bool) -> Exit {
        for (reg, value) in [Reg::A0, Reg::A1, Reg::A2].into_iter().zip(registers) {
            self.instance.set_reg(reg, value);
        }
        self.instance.set_pc(ProgramCounter(pc));
        self.instance.set_gas(GAS);
        loop {
            let exit = if stepped { self.instance.step() } else { self.instance.run() };
            match exit.unwrap() {
                Exit::Paused => {}
                exit => return exit,
            }
        }
    }

    fn access(
        &mut self,
        access: Access,
        address: u32,
        value: u64,
        stepped: bool,
    ) -> Result<(), TestCaseError> {
        let pc = ENTRIES[access as usize];
        let exit = self.enter(pc, [value, address.into(), 0], stepped);
        let what = format!("{access:?} at {address:#x}");
        let wanted = access.wanted();
        if let Some((denied, permission)) = self.model.denied(address, access.length(), wanted) {
            let kind = match permission {
                _ if denied < LOWEST_ADDRESS => TrapKind::LowAddress,
                Permission::Read => TrapKind::ReadOnly,
                _ => TrapKind::Unmapped,
            };
            let got = match exit {
                Exit::Trap(trap) => (trap.kind, trap.address),
                Exit::PageFault(fault) if fault.write_protected => (TrapKind::ReadOnly, Some(fault.address)),
                Exit::PageFault(fault) => (TrapKind::Unmapped, Some(fault.address)),
                exit => return Err(TestCaseError::fail(format!("{what} ends with {exit:?}, not {kind:?}"))),
            };
            prop_assert_eq!(got, (kind, Some(denied)), "{}", what);
            return Ok(());
        }
        prop_assert_eq!(exit, Exit::Syscall(0), "{}", what);
        let length = access.length() as usize;
        if wanted == Permission::ReadWrite {
            self.model.write(address, &value.to_le_bytes()[..length]);
        } else {
            let mut expected = [0; 8];
            expected[..length].copy_from_slice(&self.model.read(address, length as u32));
            prop_assert_eq!(self.instance.reg(Reg::A0), u64::from_le_bytes(expected), "{}", what);
        }
        Ok(())
    }

    fn act(&mut self, action: &Action, programs: &[(Module, MemoryConfig); 2]) -> Result<(), TestCaseError> {
        let Self { instance, model } = self;
        match *action {
            Action::Guest(access, place, value, stepped) => {
                let address = self.address(place);
                self.access(access, address, value, stepped)?;
            }
            Action::Fill(place, length, value) => {
                let address = self.address(place);
                if self.model.denied(address, length, Permission::ReadWrite).is_none() {
                    let registers = [address.into(), value.into(), length.into()];
                    let exit = self.enter(ENTRIES[Access::ALL.len()], registers, false);
                    prop_assert_eq!(exit, Exit::Syscall(0), "filling {} bytes at {:#x}", length, address);
                    self.model.write(address, &vec![value; length as usize]);
                }
            }
            Action::HostWrite(place, length, value) => {
                let address = self.address(place);
                let bytes = vec![value; length as usize];
                let is_denied = self.model.denied(address, length, Permission::ReadWrite).is_some();
                let result = self.instance.memory_mut().write(address, &bytes);
                prop_assert_eq!(result.is_err(), is_denied, "the host writes {} at {:#x}", length, address);
                if !is_denied {
                    self.model.write(address, &bytes);
                }
            }
            Action::HostZero(place, length) => {
                let address = self.address(place);
                let is_denied = self.model.denied(address, length, Permission::ReadWrite).is_some();
                let result = self.instance.memory_mut().zero(address, length);
                prop_assert_eq!(result.is_err(), is_denied, "the host zeroes {} at {:#x}", length, address);
                if !is_denied {
                    self.model.write(address, &vec![0; length as usize]);
                }
            }
            Action::Protect(place, pages, permission) => {
                let start = self.address(place) / PAGE_SIZE;
                let (address, length) = (start * PAGE_SIZE, u64::from(pages * PAGE_SIZE));
                if self.instance.memory_mut().protect(address, length, permission).is_ok() {
                    (start..start + pages).for_each(|page| self.model.protect(page, permission));
                } else {
                    prop_assert!(address < LOWEST_ADDRESS, "{:#x} could not be protected", address);
                }
            }
            Action::ProtectUsual(permission) | Action::ProtectMany(permission) => {
                let is_many = matches!(action, Action::ProtectMany(_));
                let (start, pages) = if is_many { (FAR, FAR_PAGES) } else { (HOST, HOST_PAGES) };
                instance.memory_mut().protect(start, u64::from(pages * PAGE_SIZE), permission).unwrap();
                let first = start / PAGE_SIZE;
                (first..first + pages).for_each(|page| model.protect(page, permission));
            }
            Action::Auxiliary(length, value) => {
                let data = vec![value; length as usize];
                instance.memory_mut().set_auxiliary(&data).unwrap();
                model.set_auxiliary(&data);
            }
            Action::Grow(size) if model.heap_top + size <= model.map.heap_base() + HEAP => {
                model.heap_top += size;
                prop_assert_eq!(instance.memory_mut().grow_heap(size.into()), Some(model.heap_top));
            }
            Action::Grow(_) => {}
            Action::Park => instance.park(),
            Action::Reset => {
                instance.reset();
                *model = Model::new(model.map, &model.config);
            }
            Action::Fork => *instance = instance.fork(),
            Action::Restore => {
                *instance = instance.module().restore(&instance.snapshot(), &()).unwrap();
            }
            Action::New(first) => {
                let (module, config) = &programs[usize::from(first)];
                *self = Self::new(module, config);
            }
            Action::Compare => self.compare()?,
        }
        Ok(())
    }

    /// All that host and guest can read, and whether they can write.
    fn compare(&mut self) -> Result<(), TestCaseError> {
        for address in self.pages() {
            let mut bytes = vec![0; PAGE_SIZE as usize];
            let is_readable = self.model.denied(address, 1, Permission::Read).is_none();
            let result = self.instance.memory().read(address, &mut bytes);
            prop_assert_eq!(result.is_ok(), is_readable, "the host reads {:#x}", address);
            if is_readable {
                let expected = self.model.read(address, PAGE_SIZE);
                prop_assert!(bytes == expected, "the host reads {:#x}", address);
                let in_place = self.instance.memory_mut().page(address).unwrap() == expected;
                prop_assert!(in_place, "the host reads {:#x} in place", address);
            }
            for offset in [0, 1, 7, 0x800, 4090, 4095] {
                self.access(Access::LoadU8, address + offset, 0, false)?;
            }
            let value = self.model.read(address, 1)[0];
            self.access(Access::StoreU8, address, value.into(), false)?;
        }
        Ok(())
    }
}

/// Does all of this to instances of one engine, and compares after each access, and in the end.
fn compare(name: &str, engine: &Engine, actions: &[(Index, Action)]) -> Result<(), TestCaseError> {
    let programs = [0x11, 0x12].map(|value| {
        let program = program(value);
        let memory = program.memory.clone();
        (engine.compile_program(program).unwrap(), memory)
    });
    let mut subjects: Vec<_> =
        [0, 0, 1].map(|which| &programs[which]).map(|(module, config)| Subject::new(module, config)).into();
    let said = |at: usize| {
        move |error: TestCaseError| match error {
            TestCaseError::Fail(reason) => TestCaseError::fail(format!("{name}, action {at}: {reason}")),
            error => error,
        }
    };
    for (at, (who, action)) in actions.iter().enumerate() {
        let who = who.index(subjects.len());
        subjects[who].act(action, &programs).map_err(said(at))?;
    }
    subjects.iter_mut().try_for_each(|subject| subject.compare().map_err(said(actions.len())))
}

#[test]
fn a_guest_can_do_to_memory_what_layout_and_host_say() {
    let config = Config::default().gas_model(GasModel::Flat).latest64(InstructionSet::Latest64Bitmask);
    // The second is for valgrind.
    let cases = if cfg!(miri) {
        1
    } else if cfg!(hatchery_no_native_code) {
        10
    } else {
        100
    };
    for faults_to_host in [false, true] {
        let settings = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let mut runner = TestRunner::new_with_rng(settings, rng);
        let actions = prop::collection::vec((any::<Index>(), action()), 1..80);
        let result = runner.run(&actions, |actions| {
            for windows in [1, 64] {
                for (name, engine) in engines(config.faults_to_host(faults_to_host).window_limit(windows)) {
                    // It runs two instances at once, each access anew.
                    if name.starts_with("Verify") && windows == 1 {
                        continue;
                    }
                    compare(&format!("{name}, {windows} windows"), &engine, &actions)?;
                }
            }
            Ok(())
        });
        result.unwrap_or_else(|error| panic!("faults to the host: {faults_to_host}: {error}"));
    }
}
