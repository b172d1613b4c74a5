//! Random programs against simple models: slots, and gas.

use std::collections::BTreeMap;

use crate::common::*;
use hatchery_capabilities::*;
use proptest::prelude::*;

/// A capability as the model knows it.
#[derive(Clone, PartialEq, Debug)]
enum Model {
    Data(CapHash),
    Node { size_log: u8, slots: BTreeMap<u16, Model> },
}

/// An operation on slots, by paths.
#[derive(Clone, Debug)]
enum Step {
    Copy(Vec<u16>, Vec<u16>),
    Move(Vec<u16>, Vec<u16>),
    Drop(Vec<u16>),
    Swap(Vec<u16>, Vec<u16>),
    Mint(Vec<u16>, u8),
}

/// The slot that is pinned.
const PINNED: u16 = 4;

impl Model {
    fn empty(size_log: u8) -> Self {
        Self::Node { size_log, slots: BTreeMap::new() }
    }

    /// The node and slot at a path, if the path leads there.
    fn place(&mut self, path: &[u16]) -> Option<(&mut BTreeMap<u16, Model>, u16)> {
        let Self::Node { size_log, slots } = self else { return None };
        let (&slot, rest) = path.split_first()?;
        if u32::from(slot) >= 1 << *size_log {
            return None;
        }
        if rest.is_empty() { Some((slots, slot)) } else { slots.get_mut(&slot)?.place(rest) }
    }

    fn get(&mut self, path: &[u16]) -> Option<Option<Model>> {
        let (slots, slot) = self.place(path)?;
        Some(slots.get(&slot).cloned())
    }

    fn set(&mut self, path: &[u16], value: Option<Model>) -> Option<()> {
        if path[0] == PINNED {
            return None;
        }
        let (slots, slot) = self.place(path)?;
        match value {
            Some(value) => slots.insert(slot, value),
            None => slots.remove(&slot),
        };
        Some(())
    }

    /// Does a step; none if it must trap.
    fn apply(&mut self, step: &Step) -> Option<()> {
        let below = |a: &[u16], b: &[u16]| a.len() > b.len() && a.starts_with(b);
        match step {
            Step::Copy(from, to) => {
                let value = self.get(from)??;
                (from[0] != PINNED).then_some(())?;
                self.set(to, Some(value))
            }
            Step::Move(from, to) => {
                let value = self.get(from)??;
                if from[0] == PINNED || below(to, from) {
                    return None;
                }
                // Whether the destination exists is decided before the source goes.
                self.get(to)?;
                (to[0] != PINNED).then_some(())?;
                self.set(from, None)?;
                self.set(to, Some(value))
            }
            Step::Drop(path) => self.set(path, None),
            Step::Swap(a, b) => {
                if below(a, b) || below(b, a) {
                    return None;
                }
                let (in_a, in_b) = (self.get(a)?, self.get(b)?);
                self.set(a, in_b)?;
                self.set(b, in_a)
            }
            Step::Mint(path, size_log) => {
                (*size_log <= 16).then_some(())?;
                self.set(path, Some(Self::empty(*size_log)))
            }
        }
    }

    fn hash(&self) -> CapHash {
        match self {
            Self::Data(hash) => *hash,
            Self::Node { size_log, slots } => {
                let mut node = CNode::new(*size_log).unwrap();
                for (&slot, value) in slots {
                    node.set(slot, Some(value.hash())).unwrap();
                }
                Cap::CNode(node).hash().unwrap()
            }
        }
    }
}

impl Step {
    fn code(&self, code: Code) -> Code {
        match self {
            Self::Copy(a, b) => code.op(Operation::Copy, &[path(a), path(b)]),
            Self::Move(a, b) => code.op(Operation::Move, &[path(a), path(b)]),
            Self::Drop(a) => code.op(Operation::Drop, &[path(a)]),
            Self::Swap(a, b) => code.op(Operation::Swap, &[path(a), path(b)]),
            Self::Mint(a, size_log) => code.op(Operation::MintCNode, &[path(a), (*size_log).into()]),
        }
    }
}

fn some_path() -> impl Strategy<Value = Vec<u16>> {
    let step = prop_oneof![8 => 0u16..6, 1 => Just(255u16)];
    proptest::collection::vec(step, 1..4)
}

fn some_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (some_path(), some_path()).prop_map(|(a, b)| Step::Copy(a, b)),
        3 => (some_path(), some_path()).prop_map(|(a, b)| Step::Move(a, b)),
        1 => some_path().prop_map(Step::Drop),
        2 => (some_path(), some_path()).prop_map(|(a, b)| Step::Swap(a, b)),
        3 => (some_path(), prop_oneof![8 => 1u8..4, 1 => 0u8..18]).prop_map(|(a, size_log)| Step::Mint(a, size_log)),
    ]
}

/// Steps of which most do something: those that the model refuses are left out, but for the last.
fn some_steps() -> impl Strategy<Value = (Vec<Step>, Option<Step>)> {
    (proptest::collection::vec(some_step(), 1..60), proptest::option::of(some_step()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// The machine does with slots what the model does, and traps where that refuses. So no sequence of operations writes a
    /// pinned slot, or reaches what was not granted: the model cannot.
    #[test]
    fn slots_are_as_in_the_model((steps, last) in some_steps()) {
        let bytes: [&[u8]; 3] = [b"a", b"b", b"pinned"];
        let [a, b, pinned] = bytes.map(|bytes| Cap::Data(DataCap::new(bytes)).hash().unwrap());
        let mut pins = Model::empty(2);
        pins.place(&[1]).unwrap().0.insert(1, Model::Data(pinned));
        let mut model = Model::empty(8);
        for (slot, value) in [(1, Model::Data(a)), (2, Model::Data(b)), (5, Model::empty(2)), (PINNED, pins)] {
            model.place(&[slot]).unwrap().0.insert(slot, value);
        }
        let mut code = Code::new();
        for step in &steps {
            let mut next = model.clone();
            if next.apply(step).is_some() {
                model = next;
                code = step.code(code);
            }
        }
        let mut must_trap = false;
        if let Some(last) = &last {
            must_trap = model.apply(last).is_none();
            code = last.code(code);
        }
        // Slot 0 goes to the embedder.
        let zero = model.get(&[0]).unwrap().map(|value| value.hash());
        model.place(&[0]).unwrap().0.remove(&0);
        each_backend(|world| {
            for bytes in bytes {
                world.data(bytes);
            }
            let pins = world.cnode(2, &[(1, pinned)]);
            let node = world.cnode(2, &[]);
            let image = code.clone().reply().image();
            let image = Image { pinned: vec![SlotContent { slot: PINNED as u8, cap: pins }], ..image };
            let instance = world.instance(image, &[(1, a), (2, b), (5, node)]);
            let result = world.call(instance);
            match &result {
                CallResult::Halt { post_instance_hash, reflected_slot0, .. } => {
                    assert!(!must_trap, "{last:?} was done");
                    assert_eq!(*reflected_slot0, zero);
                    let root = world.cache.instance(*post_instance_hash).unwrap().root_cnode;
                    assert_eq!(root, model.hash(), "{:?}", world.slots(*post_instance_hash));
                }
                other => assert!(must_trap, "{other:?}"),
            }
            result
        });
    }
}

/// An instance that calls others in turn, in a tree.
#[derive(Clone, Debug)]
struct Node {
    /// Gas in its meter, if it has one.
    meter: Option<u32>,
    traps: bool,
    catches: bool,
    work: u8,
    callees: Vec<Node>,
}

fn some_tree() -> impl Strategy<Value = Node> {
    let leaf = (proptest::option::weighted(0.4, 0u32..4000), any::<bool>(), any::<bool>(), 0u8..20)
        .prop_map(|(meter, traps, catches, work)| Node { meter, traps, catches, work, callees: Vec::new() });
    leaf.prop_recursive(4, 20, 3, |inner| {
        (
            proptest::option::weighted(0.3, 0u32..20_000),
            proptest::bool::weighted(0.2),
            any::<bool>(),
            0u8..20,
            proptest::collection::vec(inner, 1..4),
        )
            .prop_map(|(meter, traps, catches, work, callees)| Node {
                meter,
                traps,
                catches,
                work,
                callees,
            })
    })
}

impl Node {
    fn build(&self, world: &mut World, meters: &mut u64, catcher: CapHash) -> CapHash {
        let mut slots = Vec::new();
        let mut code = Code::new();
        for _ in 0..self.work {
            code = code.fallthrough();
        }
        for (number, callee) in self.callees.iter().enumerate() {
            let slot = 20 + number as u8;
            slots.push((slot, callee.build(world, meters, catcher)));
            code = code.op(Operation::Call, &[slot.into(), 0]);
        }
        let code = if self.traps { code } else { code.reply_with(1) };
        let mut image = code.image();
        if let Some(gas) = self.meter {
            *meters += 1;
            slots.push((10, world.meter(*meters, gas.into())));
            image.gas_slots = vec![10];
        }
        if self.catches {
            slots.push((9, catcher));
            image.yield_marker_slot = Some(9);
        }
        world.instance(image, &slots)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// What a call says it used is what meters and the call's gas have less, whoever faults, pauses, or is topped up.
    #[test]
    fn gas_is_conserved(tree in some_tree(), gas in 0u64..30_000, top_ups in proptest::collection::vec(0u64..3000, 0..6)) {
        each_backend(|world| {
            world.with_machine(|vm| vm.costs(CHEAP));
            let catcher = world.catcher(1, &[KernelImage::OogMarker.hash()]);
            let mut meters = 0;
            let instance = tree.build(world, &mut meters, catcher);
            let left = |world: &World| -> u64 {
                world.vm.gas() + (1..=meters).map(|meter| world.vm.assist().gas_meter(meter)).sum::<u64>()
            };
            let mut given = gas + (1..=meters).map(|meter| world.vm.assist().gas_meter(meter)).sum::<u64>();
            let mut used = 0;
            let mut results = Vec::new();
            let mut result = world.call_with(instance, [0; 4], gas);
            let mut top_ups = top_ups.iter();
            loop {
                used += result.gas_used();
                assert_eq!(given - left(world), used, "after {result:?}");
                results.push(result.clone());
                let CallResult::Paused { payload, .. } = result else { break };
                let Some(&more) = top_ups.next() else {
                    world.vm.drop_paused().unwrap();
                    assert_eq!(given - left(world), used);
                    break;
                };
                given += more;
                match payload {
                    None => world.vm.add_gas(more),
                    Some(meter) => {
                        let (_, id) = world.cache.instance(meter).unwrap().kernel().unwrap();
                        let gas = world.vm.assist().gas_meter(id);
                        world.vm.assist_mut().set_gas_meter(id, gas + more);
                    }
                }
                result = world.resume(None);
            }
            results
        });
    }

    /// Any bytes are a capability or an error, and a capability has one form.
    #[test]
    fn capabilities_have_one_form(bytes in proptest::collection::vec(any::<u8>(), 0..300), kind in 0u8..6) {
        let bytes = [&[kind][..], &bytes].concat();
        if let Ok(cap) = Cap::from_bytes(&bytes) {
            prop_assert_eq!(cap.to_bytes().unwrap(), bytes);
        }
    }
}
