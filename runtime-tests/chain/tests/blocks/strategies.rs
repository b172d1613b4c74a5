//! Blocks in every kind of Wasm instance that a node can be told to make.

use crate::node::{push, shared_executors};
use crate::{
    COMPILED, NOT_CACHED, agree, at_genesis_on, compile, factory, from_storage, instantiate, lookup, main_of,
};
use hatchery_runtime_tests::STRATEGIES;
use hatchery_test_chain::{
    extrinsic,
    steps::{Layer, Step},
};
use sp_runtime::traits::Block as _;

/// What fails while a block is built, what fails in it, and what uses the same identifiers and keys afterwards.
#[test]
fn each_kind_of_instance_makes_the_same_blocks() {
    let outcomes = STRATEGIES.iter().zip(shared_executors()).map(|(strategy, executor)| {
        let mut author = at_genesis_on(executor.clone(), factory());
        let mut outcome = Vec::new();
        for _ in 0..2 {
            let steps = || vec![from_storage(b"one"), compile(2, b"two"), instantiate(0), main_of(0)];
            let built = author.build(|builder| {
                let layers = [Step::Layer(Layer::Start), compile(3, b"three"), Step::Panic];
                let error = push(builder, extrinsic([steps(), layers.to_vec()].concat(), false)).unwrap_err();
                assert!(error.contains("the list says so"), "{strategy:?}: {error}");
                push(builder, extrinsic(steps(), true)).unwrap_err();
                push(builder, extrinsic(vec![compile(4, b"four"), Step::Fail], false))
                    .expect("it is part of the block");
                push(builder, extrinsic([steps(), vec![lookup(b"three"), lookup(b"four")]].concat(), false))
                    .expect("valid");
            });
            let answers = agree(&mut author, &built, &factory());
            // The program of the failed dispatch keeps its id, 0, and can be instantiated.
            assert_eq!(answers[..3], [COMPILED + 1, COMPILED + 2, 0], "{strategy:?}");
            assert_eq!(answers[answers.len() - 2..], [NOT_CACHED, NOT_CACHED], "{strategy:?}");
            outcome.push((answers, built.block.hash(), author.weight_after(&built), built.proof));
        }
        outcome
    });
    let outcomes: Vec<_> = outcomes.collect();
    for (strategy, outcome) in STRATEGIES.iter().zip(&outcomes) {
        assert_eq!(outcome, &outcomes[0], "{strategy:?}");
    }
}
