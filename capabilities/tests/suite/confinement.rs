//! Whatever programs do, they hold only what they were given or have made.
//!
//! Random operations, all of them, in a tree of instances. What one may use and not copy stays in its pinned slot; what lies in the
//! directory and was given to nobody is never held by anybody, not even by who knows its hash.

use crate::common::*;
use codec::Encode;
use hatchery_capabilities::*;
use proptest::prelude::*;

/// The slot in which images pin the instance that cannot be copied.
const PINNED: u8 = 4;

/// An operation with its arguments.
#[derive(Clone, Debug)]
struct Step {
    operation: Operation,
    arguments: [u64; 4],
}

fn some_argument() -> impl Strategy<Value = u64> {
    prop_oneof![
        8 => 0u64..16,
        3 => (1u16..16, 0u16..4).prop_map(|(slot, inner)| path(&[slot, inner])),
        1 => Just(u64::from(DATA)),
        1 => Just(u64::MAX),
    ]
}

fn some_steps() -> impl Strategy<Value = Vec<Step>> {
    // What is behind a reply is not executed.
    let operations: Vec<Operation> =
        Operation::ALL.into_iter().filter(|operation| *operation != Operation::Reply).collect();
    let step = (proptest::sample::select(operations), proptest::array::uniform4(some_argument()));
    let step = step.prop_map(|(operation, arguments)| Step { operation, arguments });
    // Some that do something in the setting, or would if they were not refused: random arguments seldom make an image.
    let telling =
        proptest::sample::select(useful_steps().into_iter().chain(refused_steps()).collect::<Vec<_>>());
    proptest::collection::vec(prop_oneof![2 => step, 1 => telling], 1..40)
}

fn step(operation: Operation, arguments: [u64; 4]) -> Step {
    Step { operation, arguments }
}

/// In this order, each of them is done in the setting.
fn useful_steps() -> Vec<Step> {
    vec![
        step(Operation::Copy, [3, 7, 0, 0]),
        step(Operation::Move, [7, 0, 0, 0]),
        step(Operation::MintCNode, [13, 2, 0, 0]),
        step(Operation::Swap, [13, path(&[3, 1]), 0, 0]),
        step(Operation::Drop, [13, 0, 0, 0]),
        step(Operation::MakeImage, [2, u64::MAX, u64::MAX, 13]),
        step(Operation::DeriveSpawn, [13, 9, 14, 0]),
        step(Operation::Call, [14, 0, 0, 0]),
        step(Operation::Call, [PINNED.into(), 0, 0, 0]),
        step(Operation::TypeOf, [14, 15, 0, 0]),
        step(Operation::SameType, [14, 15, 0, 0]),
        step(Operation::ReadData, [10, DATA.into(), 4, 0]),
        step(Operation::MintData, [DATA.into(), 4, 2, 7]),
        step(Operation::Save, [7, 2, 0, 0]),
        step(Operation::Open, [1, 7, 0, 0]),
    ]
}

/// Each of them would give somebody what they must not have.
fn refused_steps() -> Vec<Step> {
    vec![
        step(Operation::MakeImage, [8, u64::MAX, u64::MAX, 13]),
        step(Operation::Copy, [PINNED.into(), 7, 0, 0]),
        step(Operation::Open, [9, 7, 0, 0]),
    ]
}

/// What the test has put into the directory.
struct Setting {
    /// Granted to nobody: a gas meter.
    secret: CapHash,
    /// Pinned in every instance: an instance that replies.
    pinned: CapHash,
    /// What every instance has beside it.
    slots: Vec<(u8, CapHash)>,
    /// The images that pin it.
    images: Vec<CapHash>,
}

impl Setting {
    fn new(world: &mut World) -> Self {
        let secret = world.meter(99, GAS);
        let pinned = world.instance(Code::new().reply_with(7).image(), &[]);
        let quota = world.quota(2, 1 << 24);
        let data = world.data(b"data");
        let made = Code::new().reply_with(77).image();
        let made = world.data(&made.encode());
        // Bytes that name what their holder does not have.
        let forged = Image {
            pinned: vec![SlotContent { slot: 9, cap: secret }],
            ..Code::new().reply_with(78).image()
        };
        let forged = world.data(&forged.encode());
        let node = world.cnode(2, &[(1, data)]);
        let root = world.cnode(8, &[(9, data)]);
        let other = world.instance(Code::new().op(Operation::Move, &[0, 9]).reply().image(), &[]);
        let image = world.image(with_memory(Code::new().reply_with(5).image()));
        let slots = vec![
            (1, quota),
            (2, made),
            (3, node),
            (6, image),
            (8, forged),
            (9, root),
            (10, data),
            (11, other),
            (12, root),
        ];
        Self { secret, pinned, slots, images: Vec::new() }
    }

    /// An instance that does these steps, but for those that would trap, and calls `below` by slot 5.
    fn instance(&mut self, world: &mut World, steps: &[Step], below: Option<CapHash>) -> (CapHash, usize) {
        let slots: Vec<(u8, CapHash)> =
            self.slots.iter().copied().chain(below.map(|below| (5, below))).collect();
        let mut code = Code::new();
        let mut instance = self.with_code(world, code.clone(), &slots);
        let mut done = 0;
        for Step { operation, arguments } in steps {
            let next = code.clone().op(*operation, arguments);
            let candidate = self.with_code(world, next.clone(), &slots);
            let result = world.call(candidate);
            if let CallResult::Halt { post_instance_hash, reflected_slot0, .. } = result {
                self.check(world, [Some(post_instance_hash), reflected_slot0]);
                (code, instance) = (next, candidate);
                done += 1;
            }
        }
        (instance, done)
    }

    fn with_code(&mut self, world: &mut World, code: Code, slots: &[(u8, CapHash)]) -> CapHash {
        let pinned = vec![SlotContent { slot: PINNED, cap: self.pinned }];
        let image = Image { pinned, quota_slots: vec![1], ..with_memory(code.reply().image()) };
        self.images.push(Cap::Image(image.clone()).hash().unwrap());
        world.instance(image, slots)
    }

    /// Nobody whom `roots` lead to holds what they must not.
    fn check(&self, world: &mut World, roots: [Option<CapHash>; 2]) {
        let mut pending: Vec<CapHash> = roots.into_iter().flatten().collect();
        let mut seen = std::collections::BTreeSet::new();
        while let Some(hash) = pending.pop() {
            assert_ne!(hash, self.secret, "somebody holds what was given to nobody");
            if hash == self.pinned || !seen.insert(hash) {
                continue;
            }
            match &*world.cache.get(hash).unwrap() {
                Cap::Instance(instance) if instance.kernel().is_some() => {}
                Cap::Instance(instance) => {
                    pending.push(instance.image_hash);
                    let Cap::Image(image) = &*world.cache.get(instance.image_hash).unwrap() else { panic!() };
                    let slots = world.cache.cnode(instance.root_cnode).unwrap();
                    for SlotContent { slot, cap } in &image.pinned {
                        assert_eq!(slots.get((*slot).into()), Some(&(*cap).into()), "slot {slot} is pinned");
                    }
                    for (slot, cap) in slots.iter() {
                        let cap = cap.hash().unwrap();
                        let is_in_place = image.pinned(slot) == Some(self.pinned);
                        assert!(cap != self.pinned || is_in_place, "slot {slot} holds what cannot be copied");
                        pending.push(cap);
                    }
                }
                Cap::CNode(node) => {
                    for (slot, cap) in node.iter() {
                        let cap = cap.hash().unwrap();
                        assert_ne!(cap, self.pinned, "slot {slot} of a node holds what cannot be copied");
                        pending.push(cap);
                    }
                }
                Cap::Image(image) => {
                    for content in image.pinned.iter().chain(&image.initial) {
                        assert!(
                            content.cap != self.pinned || self.images.contains(&hash),
                            "somebody has made an image of what cannot be copied"
                        );
                        pending.push(content.cap);
                    }
                }
                Cap::Data(_) | Cap::Type(_) => {}
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn nobody_holds_what_was_not_given(callee in some_steps(), caller in some_steps()) {
        each_backend(|world| {
            let mut setting = Setting::new(world);
            let (below, _) = setting.instance(world, &callee, None);
            setting.instance(world, &caller, Some(below))
        });
    }
}

/// What [`Setting::check`] finds: it can fail.
#[test]
fn what_must_not_be_held_is_noticed() {
    let holds = |steal: fn(&Setting) -> (u8, CapHash)| {
        let found = std::panic::catch_unwind(|| {
            let mut world = World::new(Backend::Interpreter);
            let setting = Setting::new(&mut world);
            let thief = world.instance(Code::new().reply().image(), &[steal(&setting)]);
            let (_, after) = world.halts(thief);
            setting.check(&mut world, [Some(after), None]);
        });
        found.is_err()
    };
    assert!(holds(|setting| (5, setting.secret)));
    assert!(holds(|setting| (5, setting.pinned)));
    assert!(!holds(|setting| setting.slots[0]));
}

/// Enough of the random steps do something.
#[test]
fn steps_of_every_kind_are_done() {
    let mut world = World::new(Backend::Interpreter);
    let mut setting = Setting::new(&mut world);
    let useful = useful_steps();
    assert_eq!(setting.instance(&mut world, &useful, None).1, useful.len());
    assert_eq!(setting.instance(&mut world, &refused_steps(), None).1, 0);
}
