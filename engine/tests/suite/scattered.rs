//! Guests that write a page here and a page there. A window gives them more and more pages at a time, most of which nobody touches,
//! and that must not show.

use std::collections::BTreeMap;

use crate::common::{Assembly, asm, engines};
use hatchery_engine::isa::Opcode;
use hatchery_engine::memory::PAGE_SIZE;
use hatchery_engine::{Config, Engine, Exit, Instance, InstructionSet, Module, Permission, Reg};
use proptest::prelude::*;

/// Where the data begins.
const RW: u32 = 0x3_0000;
/// Bytes of data, the first of which are given.
const SIZE: u32 = 1 << 25;
const GIVEN: u32 = 20 * PAGE_SIZE;

/// Stores the number of a page at its start, in `a2` pages from `a0` on at a distance of `a1`. `given` is what its data is made of.
fn module(engine: &Engine, given: u8) -> Module {
    let mut program = Assembly::new(
        InstructionSet::JamV1,
        vec![
            asm::store(Opcode::StoreIndirectU64, Reg::A0, Reg::A0, 0),
            asm::dss(Opcode::Add64, Reg::A0, Reg::A0, Reg::A1),
            asm::dsi(Opcode::AddImm64, Reg::A2, Reg::A2, -1),
            asm::branch_imm(Opcode::BranchNotEqImm, Reg::A2, 0, 0),
            asm::ecalli(0),
            asm::jump(0),
        ],
    );
    program.rw_size = SIZE;
    program.rw_data = vec![given; GIVEN as usize];
    engine.compile(&program.container()).unwrap()
}

/// Stores at a distance of some pages, from a page on, as far as there is memory.
#[derive(Clone, Copy, Debug)]
struct Stores {
    /// Address of a page.
    first: u32,
    /// A multiple of the page size.
    distance: u32,
    count: u32,
}

/// What the host does after them.
#[derive(Clone, Debug)]
enum Host {
    Park,
    /// Goes on with a fork, and parks what it was made of.
    Fork,
    /// Goes on with what the bytes of a snapshot give.
    Restore,
    Reset,
    /// Forgets what is in a page.
    Zero(u32),
    Write(u32),
    /// Takes a page from the guest, with what is in it, and gives it back.
    Protect(u32),
    /// Another instance has the window in between, of this program or of another one.
    Neighbour(Stores, bool),
}

/// The address of a page, often of one whose bytes are given or not far behind.
fn page() -> impl Strategy<Value = u32> {
    let pages = prop_oneof![0..2 * GIVEN / PAGE_SIZE, 0..SIZE / PAGE_SIZE];
    pages.prop_map(|page| RW + page * PAGE_SIZE)
}

fn stores() -> impl Strategy<Value = Stores> {
    (page(), 1..40u32, 1..300u32).prop_map(|(first, pages, count)| Stores {
        first,
        distance: pages * PAGE_SIZE,
        count,
    })
}

fn host() -> impl Strategy<Value = Host> {
    prop_oneof![
        Just(Host::Park),
        Just(Host::Fork),
        Just(Host::Restore),
        Just(Host::Reset),
        page().prop_map(Host::Zero),
        page().prop_map(Host::Write),
        page().prop_map(Host::Protect),
        (stores(), any::<bool>()).prop_map(|(stores, is_other)| Host::Neighbour(stores, is_other)),
    ]
}

/// The bytes of a page at first.
fn initial(address: u32) -> &'static [u8; PAGE_SIZE as usize] {
    if address - RW < GIVEN { &[7; PAGE_SIZE as usize] } else { &[0; PAGE_SIZE as usize] }
}

/// Lets the guest store, and says which addresses it has reached.
fn store(instance: &mut Instance, Stores { first, distance, count }: Stores) -> Vec<u32> {
    let count = count.min((RW + SIZE - first).div_ceil(distance));
    instance.prepare("main", &[first.into(), distance.into(), count.into()]).unwrap();
    instance.set_gas(1 << 40);
    let exit = instance.run().unwrap();
    assert!(matches!(exit, Exit::Syscall(_)), "{exit:?}");
    (0..count).map(|index| first + index * distance).collect()
}

/// An instance, and the pages that are not as at first.
struct Subject {
    instance: Instance,
    other: Module,
    changed: BTreeMap<u32, Vec<u8>>,
}

impl Subject {
    fn new((module, other): &(Module, Module)) -> Self {
        Self { instance: module.instantiate(), other: other.clone(), changed: BTreeMap::new() }
    }

    fn page(&mut self, address: u32) -> &mut Vec<u8> {
        self.changed.entry(address).or_insert_with(|| initial(address).to_vec())
    }

    fn store(&mut self, stores: Stores) {
        for address in store(&mut self.instance, stores) {
            self.page(address)[..8].copy_from_slice(&u64::from(address).to_le_bytes());
        }
    }

    fn host(&mut self, host: &Host) {
        match *host {
            Host::Park => self.instance.park(),
            Host::Fork => {
                let [mut first, second] = [(); 2].map(|()| self.instance.fork());
                assert!(
                    first.snapshot() == second.snapshot()
                        && first.changed_pages() == self.instance.changed_pages()
                );
                core::mem::replace(&mut self.instance, second).park();
            }
            Host::Restore => {
                let snapshot = self.instance.snapshot();
                self.instance = self.instance.module().clone().restore(&snapshot, &()).unwrap();
            }
            Host::Reset => {
                self.instance.reset();
                self.changed.clear();
            }
            Host::Zero(address) => {
                self.instance.memory_mut().zero(address, PAGE_SIZE).unwrap();
                self.page(address).fill(0);
            }
            Host::Write(address) => {
                self.instance.memory_mut().write(address + 100, b"host").unwrap();
                self.page(address)[100..104].copy_from_slice(b"host");
            }
            Host::Protect(address) => {
                for permission in [Permission::None, Permission::Read, Permission::ReadWrite] {
                    self.instance.memory_mut().protect(address, PAGE_SIZE.into(), permission).unwrap();
                }
                self.page(address).fill(0);
            }
            Host::Neighbour(stores, is_other) => {
                self.instance.park();
                let own = self.instance.module();
                let mut neighbour = if is_other { &self.other } else { own }.instantiate();
                store(&mut neighbour, stores);
            }
        }
    }

    fn check(&mut self, name: &str) {
        let pages = self.instance.changed_pages();
        let is_told = |address: &u32| pages.binary_search(&(address / PAGE_SIZE)).is_ok();
        for (address, page) in &self.changed {
            assert!(
                page == initial(*address) || is_told(address),
                "{name}: {address:#x} is not told as changed"
            );
        }
        let mut bytes = vec![0; SIZE as usize];
        self.instance.memory().read(RW, &mut bytes).unwrap();
        for (index, page) in bytes.chunks_exact(PAGE_SIZE as usize).enumerate() {
            let address = RW + index as u32 * PAGE_SIZE;
            let is_right = match self.changed.get(&address) {
                Some(changed) => page == changed,
                None => page == initial(address),
            };
            assert!(is_right, "{name}: the page at {address:#x} has {:02x?}", &page[..16]);
        }
    }
}

#[test]
fn pages_that_nobody_touched_do_not_show() {
    let config = Config::default().window_limit(1);
    let modules: Vec<(String, (Module, Module))> = engines(config)
        .into_iter()
        .map(|(name, engine)| (name, (module(&engine, 7), module(&engine, 9))))
        .collect();
    let steps = prop::collection::vec((stores(), prop::collection::vec(host(), 0..4)), 1..8);
    crate::common::check(8, &steps, |steps| {
        let mut subjects: Vec<(&str, Subject)> =
            modules.iter().map(|(name, modules)| (name.as_str(), Subject::new(modules))).collect();
        for (stores, host) in &steps {
            let mut snapshots = Vec::new();
            for (name, subject) in &mut subjects {
                subject.store(*stores);
                host.iter().for_each(|host| subject.host(host));
                snapshots.push((*name, subject.instance.snapshot().to_bytes()));
            }
            let (first, bytes) = &snapshots[0];
            for (name, other) in &snapshots {
                prop_assert!(other == bytes, "the snapshots of {name} and {first} differ after {host:?}");
            }
        }
        subjects.iter_mut().for_each(|(name, subject)| subject.check(name));
        Ok(())
    });
}

/// Such a page is zero in the window, and not in the image.
#[test]
fn a_data_page_that_was_forgotten_and_not_touched_is_zero_in_a_snapshot_and_as_at_first_for_the_next_instance()
 {
    for (name, engine) in engines(Config::default().window_limit(1)) {
        let modules = (module(&engine, 7), module(&engine, 9));
        let page = RW + PAGE_SIZE;
        let around = Stores { first: RW, distance: 2 * PAGE_SIZE, count: 40 };
        let mut first = Subject::new(&modules);
        first.host(&Host::Protect(page));
        first.store(around);
        // To look at its memory would be to touch it.
        let snapshot = first.instance.snapshot();
        first.instance = modules.0.restore(&snapshot, &()).unwrap();
        let mut second = Subject::new(&modules);
        second.store(around);
        second.check(&name);
        first.check(&name);
    }
}
