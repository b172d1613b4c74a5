//! Blocks: what an author's manager and an importer's say must be the same, whatever the author tried meanwhile.
//!
//! The hooks come as they come in a node: from sp-api, from sc-block-builder and from a runtime that traps. The importer
//! executes each block from the author's storage proof, so that a byte that only one of the two reads is found.

mod elsewhere;
mod limits;
mod node;
mod strategies;

use hatchery_client::{
    ClientConfig, Compatibility, ConsensusConstants, Limits, ModuleCache, VirtExtensionFactory,
};
use hatchery_runtime_tests::guests::{self, InstructionSet::JamV1};
use hatchery_test_chain::{
    extrinsic,
    steps::{Layer, Step},
};
use node::{Built, Full, push, shared_executor, shared_executor_of_upstream};
use sc_block_builder::BlockBuilderApi as _;
use sp_api::{ApiExt as _, Core as _, ProvideRuntimeApi as _};
use sp_runtime::traits::{Block as _, Header as _};
use std::sync::Arc;

const COMPILED: i64 = 1 << 32;
const NOT_CACHED: i64 = -2;
const INVALID_IMAGE: i64 = -1;

fn factory() -> VirtExtensionFactory {
    VirtExtensionFactory::new(ConsensusConstants::v1())
}

/// A factory with compiled modules of its own, of which there are none yet.
fn cold(factory: VirtExtensionFactory) -> VirtExtensionFactory {
    factory.with_cache(Arc::new(ModuleCache::new(ClientConfig::default())))
}

fn stored() -> [(&'static [u8], Vec<u8>); 2] {
    [(b"one", guests::marked(1)), (b"counter", guests::counter(JamV1))]
}

fn from_storage(key: &[u8]) -> Step {
    Step::CompileStored { key: key.to_vec() }
}

fn compile(mark: u32, identifier: &[u8]) -> Step {
    Step::Compile { code: guests::marked(mark), identifier: identifier.to_vec() }
}

fn lookup(identifier: &[u8]) -> Step {
    Step::Lookup { identifier: identifier.to_vec() }
}

fn instantiate(module: u32) -> Step {
    Step::Instantiate { module }
}

fn main_of(instance: u32) -> Step {
    Step::Call { instance, export: b"main".to_vec() }
}

fn prepare(instance: u32) -> Step {
    Step::Prepare { instance, export: b"main".to_vec() }
}

fn at_genesis(factory: VirtExtensionFactory) -> Full {
    at_genesis_on(shared_executor(), factory)
}

fn at_genesis_on(executor: node::Executor, factory: VirtExtensionFactory) -> Full {
    let node = Full::new(&stored(), executor);
    node.execution_extensions().set_extensions_factory(factory);
    node
}

/// Imports the block on a node that has compiled the programs before, on one that has not, and on one that knows of the state
/// what the proof has. None reads more or less of the state than what the proof has. Then the author goes on to the block. Gives
/// the answers of this block.
fn agree(author: &mut Full, built: &Built, factory: &VirtExtensionFactory) -> Vec<i64> {
    let before = author.answers().len();
    let warm = author.fork(factory.clone()).import(&built.block);
    assert!(warm.is_ok(), "a warm importer refuses the block: {}", warm.unwrap_err());
    let proven = author.importer(&built.proof, cold(factory.clone())).import(&built.block);
    assert!(proven.is_ok(), "an importer with the proof refuses the block: {}", proven.unwrap_err());
    let cold = author.fork(cold(factory.clone())).import_recording(&built.block);
    assert!(cold.is_ok(), "a cold importer refuses the block: {}", cold.unwrap_err());
    let (read, proven) = (cold.expect("checked above").into_nodes(), built.proof.clone().into_nodes());
    assert!(read == proven, "{} nodes are read, {} proven", read.len(), proven.len());
    author.advance(built);
    author.answers().split_off(before)
}

#[test]
fn an_extrinsic_that_traps_leaves_nothing_behind() {
    let mut author = at_genesis(factory());
    let steps = || vec![from_storage(b"one"), compile(2, b"two"), instantiate(0), main_of(0)];
    let built = author.build(|builder| {
        builder.create_inherents(Default::default()).expect("there are none");
        // There is an instance in every state.
        let states = vec![instantiate(0), prepare(1), instantiate(0), prepare(2), Step::Run { instance: 2 }];
        let layer = vec![Step::Layer(Layer::Start), compile(3, b"three"), Step::Panic];
        let error = push(builder, extrinsic([steps(), states, layer].concat(), false)).unwrap_err();
        assert!(error.contains("the list says so"), "{error}");
        push(builder, extrinsic([steps(), vec![lookup(b"three")]].concat(), false)).expect("a valid one");
    });
    assert_eq!(built.block.extrinsics().len(), 1);
    let answers = agree(&mut author, &built, &factory());
    assert_eq!(answers[..3], [COMPILED, COMPILED + 1, 0], "the same ids as if nothing had been tried");
    assert!(answers[3] > 0, "the gas of a call: {}", answers[3]);
    assert_eq!(answers[4], NOT_CACHED);
}

/// What was prepared or suspended before is so again after what traps.
#[test]
fn what_waits_goes_on_after_an_extrinsic_that_traps() {
    let mut author = at_genesis(factory());
    let built = author.build(|builder| {
        let waiting = vec![
            compile(2, b"two"),
            instantiate(0),
            prepare(0),
            instantiate(0),
            prepare(1),
            Step::Run { instance: 1 },
        ];
        push(builder, extrinsic(waiting, false)).expect("a valid one");
        let trapping = vec![
            Step::Run { instance: 0 },
            Step::Run { instance: 1 },
            prepare(1),
            Step::Destroy { instance: 0 },
            Step::Panic,
        ];
        push(builder, extrinsic(trapping, false)).unwrap_err();
        let going_on = vec![
            Step::Run { instance: 0 },
            Step::Run { instance: 0 },
            Step::Run { instance: 1 },
            Step::Run { instance: 1 },
        ];
        push(builder, extrinsic(going_on, false)).expect("a valid one");
    });
    let answers = agree(&mut author, &built, &factory());
    let (finished, syscall) = (0, 1);
    assert_eq!(answers, [COMPILED, 0, 0, 1, 0, syscall, syscall, finished, finished, -1]);
}

/// A node that has switched engines below upstream's host functions builds the same blocks, whatever is tried meanwhile.
#[test]
fn behind_upstreams_host_functions_the_blocks_are_the_same() {
    let switched = || factory().behind_upstream_host_functions();
    let blocks = [(shared_executor(), factory()), (shared_executor_of_upstream(), switched())].map(
        |(executor, factory)| {
            let mut author = at_genesis_on(executor, factory.clone());
            let steps = || vec![from_storage(b"one"), compile(2, b"two"), instantiate(0), main_of(0)];
            let built = author.build(|builder| {
                builder.create_inherents(Default::default()).expect("there are none");
                let waiting = vec![instantiate(0), prepare(1), Step::Run { instance: 1 }];
                let layers = vec![Step::Layer(Layer::Start), compile(3, b"three"), Step::Panic];
                let trapping = [steps(), waiting, layers].concat();
                assert!(push(builder, extrinsic(trapping, false)).unwrap_err().contains("the list says so"));
                assert!(push(builder, extrinsic(steps(), true)).unwrap_err().contains("77"));
                push(builder, extrinsic(vec![compile(4, b"four"), Step::Fail], false)).expect("it is valid");
                let after = [steps(), vec![lookup(b"three"), lookup(b"four")]].concat();
                push(builder, extrinsic(after, false)).expect("a valid one");
            });
            let answers = agree(&mut author, &built, &factory);
            assert_eq!(answers[..3], [COMPILED + 1, COMPILED + 2, 0]);
            assert_eq!(answers[answers.len() - 2..], [NOT_CACHED, NOT_CACHED]);
            built
        },
    );
    assert_eq!(blocks[0].block, blocks[1].block);
    assert_eq!(blocks[0].proof, blocks[1].proof);
}

#[test]
fn an_extrinsic_that_turns_out_invalid_late_leaves_nothing_behind() {
    let mut author = at_genesis(factory());
    let steps = || vec![from_storage(b"one"), instantiate(0), main_of(0), compile(2, b"two")];
    let built = author.build(|builder| {
        push(builder, extrinsic(vec![from_storage(b"counter"), instantiate(0)], false)).expect("a valid one");
        for _ in 0..3 {
            let error = push(builder, extrinsic(steps(), true)).unwrap_err();
            assert!(error.contains("77"), "{error}");
        }
        let again = [steps(), vec![lookup(b"one"), instantiate(1)]].concat();
        push(builder, extrinsic(again, false)).expect("a valid one");
    });
    let answers = agree(&mut author, &built, &factory());
    // The second extrinsic's instance of the counter has no export `main`.
    assert_eq!(answers, [COMPILED, 0, COMPILED + 1, 1, -2, COMPILED + 2, 3, 2]);
}

/// A dispatch that fails is part of the block, but its storage layer is rolled back.
#[test]
fn a_failed_dispatch_keeps_its_ids_and_not_its_identifiers() {
    for (compatibility, found) in [(Compatibility::Sound, NOT_CACHED), (Compatibility::Upstream, 1)] {
        let factory = VirtExtensionFactory::new(ConsensusConstants::v1().compatibility(compatibility));
        let mut author = at_genesis(factory.clone());
        let built = author.build(|builder| {
            let failing = vec![compile(2, b"two"), instantiate(0), Step::Fail];
            push(builder, extrinsic(failing, false)).expect("a failed dispatch is valid");
            push(builder, extrinsic(vec![lookup(b"two"), main_of(0), instantiate(0)], false)).expect("valid");
        });
        assert_eq!(built.block.extrinsics().len(), 2);
        let answers = agree(&mut author, &built, &factory);
        assert_eq!((answers[0], answers[2]), (found, 1), "{compatibility:?}");
        assert!(answers[1] > 0, "the instance of the failed dispatch runs: {}", answers[1]);
    }
}

#[test]
fn a_block_begins_with_nothing_cached() {
    let mut author = at_genesis(factory());
    for _ in 0..2 {
        let built = author.build(|builder| {
            for _ in 0..2 {
                push(builder, extrinsic(vec![from_storage(b"one"), instantiate(0)], false)).expect("valid");
            }
        });
        assert_eq!(agree(&mut author, &built, &factory()), [COMPILED, 0, 1, 1]);
    }
}

/// What a compilation costs is in the block's weight, so the answers `Cached` and `Compiled` are in the state root too.
#[test]
fn cold_and_warm_are_in_the_weight() {
    let author = at_genesis(factory());
    let root_after = |steps: Vec<Step>| {
        let built = author.build(|builder| push(builder, extrinsic(steps, false)).expect("valid"));
        author.fork(factory()).import(&built.block).expect("an importer agrees");
        author.weight_after(&built)
    };
    let (once, twice) =
        (root_after(vec![compile(2, b"a")]), root_after(vec![compile(2, b"a"), compile(2, b"a")]));
    assert_eq!(twice - once, hatchery_test_chain::steps::WARM);
    let other = root_after(vec![compile(2, b"a"), compile(2, b"b")]);
    assert_eq!(other - once, hatchery_test_chain::steps::COLD);
}

/// Constants change at block 3, and the chain can be synced from its genesis.
#[test]
fn constants_change_at_a_block() {
    const CHANGE: u64 = 3;
    let changed = || ConsensusConstants::v1().limits(Limits { modules: 1, ..Limits::V1 });
    let factory = || factory().from_block(CHANGE, changed());
    let genesis = at_genesis(factory());
    let mut author = genesis.fork(factory());
    let mut blocks = Vec::new();
    for number in 1..=5u64 {
        let built = author.build(|builder| {
            push(builder, extrinsic(vec![from_storage(b"one"), from_storage(b"counter")], false))
                .expect("valid");
        });
        let answers = agree(&mut author, &built, &factory());
        let second = if number < CHANGE { COMPILED + 1 } else { INVALID_IMAGE };
        assert_eq!(answers, [COMPILED, second], "block {number}");
        blocks.push(built);
    }
    let sync = |factory: VirtExtensionFactory| -> Result<(), u32> {
        let mut node = genesis.fork(factory);
        for built in &blocks {
            node.import(&built.block).map_err(|_| *built.block.header().number())?;
            node.advance(built);
        }
        Ok(())
    };
    assert_eq!(sync(factory()), Ok(()));
    assert_eq!(sync(cold(factory())), Ok(()));
    assert_eq!(sync(VirtExtensionFactory::new(ConsensusConstants::v1())), Err(3), "rules never changed");
    assert_eq!(sync(VirtExtensionFactory::new(changed())), Err(1), "rules changed for the past too");
    assert_eq!(sync(self::factory().from_block(CHANGE + 1, changed())), Err(3), "a block too late");
}

/// Calls of the runtime API that are no blocks: each has a manager of its own, also when one of them traps.
#[test]
fn calls_by_rpc_share_nothing() {
    let node = at_genesis(factory());
    let call = |steps: Vec<Step>| {
        let api = node.runtime_api();
        let header = node.next_header();
        api.initialize_block(node.hash(), &header).expect("a block can be begun");
        let result = api.apply_extrinsic(node.hash(), extrinsic(steps, false));
        result.map(|applied| applied.expect("valid")).map_err(|error| error.to_string())
    };
    assert!(call(vec![compile(1, b"a"), lookup(b"a")]).expect("it does not trap").is_ok());
    assert!(call(vec![compile(1, b"a"), Step::Panic]).unwrap_err().contains("the list says so"));
    assert!(call(vec![lookup(b"a"), Step::Fail]).expect("it does not trap").is_err());
}

/// One API object, as a block builder has, whose calls trap with storage layers open, in every nesting of transactions.
#[test]
fn a_call_that_traps_inside_open_layers_closes_them() {
    let node = at_genesis(factory());
    let traps = || {
        let layers = [
            Step::Layer(Layer::Start),
            compile(1, b"a"),
            Step::Layer(Layer::Start),
            instantiate(0),
            Step::Panic,
        ];
        extrinsic(layers.to_vec(), false)
    };
    let observe = || extrinsic(vec![lookup(b"a"), compile(1, b"a"), instantiate(0), main_of(0)], false);
    // Without anything tried before.
    let expected = {
        let api = node.runtime_api();
        api.initialize_block(node.hash(), &node.next_header()).unwrap();
        api.apply_extrinsic(node.hash(), observe()).unwrap().unwrap().unwrap();
        api.finalize_block(node.hash()).unwrap()
    };
    for outer_transaction in [false, true] {
        let api = node.runtime_api();
        api.initialize_block(node.hash(), &node.next_header()).unwrap();
        for _ in 0..2 {
            let result = if outer_transaction {
                api.execute_in_transaction(|api| {
                    sp_api::TransactionOutcome::Rollback(api.apply_extrinsic(node.hash(), traps()))
                })
            } else {
                api.apply_extrinsic(node.hash(), traps())
            };
            assert!(result.is_err());
        }
        api.apply_extrinsic(node.hash(), observe()).unwrap().unwrap().unwrap();
        // sp-api wraps this one in no transaction any more, once `execute_in_transaction` was used.
        let header = api.finalize_block(node.hash()).unwrap();
        assert_eq!(header, expected, "outer transaction: {outer_transaction}");
    }
}

mod random {
    //! Blocks of random extrinsics, of which some trap, fail late, or fail in dispatch.

    use super::*;
    use proptest::{collection, prelude::*, sample, test_runner::RngSeed};

    fn step() -> impl Strategy<Value = Step> {
        let key = || sample::select(vec![&b"a"[..], b"b", b"one"]);
        prop_oneof![
            3 => (1u32..4, key()).prop_map(|(mark, key)| compile(mark, key)),
            2 => sample::select(vec![&b"one"[..], b"counter", b"absent", b"a"]).prop_map(from_storage),
            2 => key().prop_map(lookup),
            1 => (key(), 4u32..6).prop_map(|(key, mark)| Step::Store { key: key.to_vec(), value: guests::marked(mark) }),
            3 => (0u32..6).prop_map(instantiate),
            3 => (0u32..4).prop_map(main_of),
            2 => (0u32..4).prop_map(prepare),
            2 => (0u32..4).prop_map(|instance| Step::Run { instance }),
            1 => (0u32..4).prop_map(|instance| Step::Destroy { instance }),
            2 => sample::select(vec![Layer::Start, Layer::Commit, Layer::Rollback]).prop_map(Step::Layer),
            1 => Just(Step::Panic),
            1 => Just(Step::Fail),
        ]
    }

    /// FRAME closes no layers that a call leaves open, and there is none to close: both end the call.
    fn balanced(steps: Vec<Step>) -> Vec<Step> {
        let mut open = 0;
        let mut balanced: Vec<_> = steps
            .into_iter()
            .filter(|step| match step {
                Step::Layer(Layer::Start) => {
                    open += 1;
                    true
                }
                Step::Layer(_) if open == 0 => false,
                Step::Layer(_) => {
                    open -= 1;
                    true
                }
                // It would leave the layers open in a call that is committed.
                Step::Fail => open == 0,
                _ => true,
            })
            .collect();
        balanced.extend(std::iter::repeat_n(Step::Layer(Layer::Rollback), open));
        balanced
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 24,
            failure_persistence: None,
            rng_seed: RngSeed::Fixed(4),
            ..ProptestConfig::default()
        })]

        #[test]
        fn blocks_are_agreed_on(
            extrinsics in collection::vec((collection::vec(step(), 1..10).prop_map(balanced), proptest::bool::weighted(0.2)), 1..8),
        ) {
            let switched = factory().behind_upstream_host_functions();
            let mut authors = [
                (at_genesis(factory()), factory()),
                (at_genesis_on(shared_executor_of_upstream(), switched.clone()), switched),
            ];
            for part in extrinsics.chunks(4) {
                let built = authors.each_mut().map(|(author, factory)| {
                  let built = author.build(|builder| {
                    for (steps, fails_late) in part {
                        let taken = push(builder, extrinsic(steps.clone(), *fails_late));
                        // What ends it first decides.
                        let end = steps.iter().find(|step| matches!(step, Step::Panic | Step::Fail));
                        let invalid = *fails_late || end == Some(&Step::Panic);
                        assert_eq!(taken.is_err(), invalid, "{steps:?}: {taken:?}");
                    }
                });
                  agree(author, &built, factory);
                  built
                });
                prop_assert_eq!(&built[0].block, &built[1].block, "behind upstream's host functions");
            }
        }
    }
}
