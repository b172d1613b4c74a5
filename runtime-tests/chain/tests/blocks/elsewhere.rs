//! Machines outside of extrinsics: in the hooks of a block, while its author makes inherents, while the pool validates transactions, and
//! in off-chain workers.

use super::*;
use codec::{Decode as _, Encode as _};
use hatchery_test_chain::{Check, UncheckedExtrinsic, checked_extrinsic, steps};
use node::Node;
use sp_core::offchain::{OffchainDbExt, testing::TestOffchainExt};
use sp_offchain::OffchainWorkerApi as _;
use sp_runtime::transaction_validity::{TransactionSource, TransactionValidity};
use sp_transaction_pool::runtime_api::TaggedTransactionQueue as _;

/// Finds out which ids, modules and identifiers there are, and leaves a suspended instance of the counter and an identifier.
fn probe() -> Vec<Step> {
    vec![
        lookup(b"two"),
        compile(2, b"two"),
        instantiate(0),
        main_of(0),
        from_storage(b"counter"),
        instantiate(1),
        Step::Prepare { instance: 1, export: b"counter".to_vec() },
        Step::Run { instance: 1 },
    ]
}

/// What a probe answers where there is nothing yet, with the gas of the call.
fn fresh(gas: i64) -> [i64; 8] {
    [NOT_CACHED, COMPILED, 0, gas, COMPILED + 1, 1, 0, 1]
}

/// The gas of the call in a probe, as a block has it.
fn gas_of_a_call() -> i64 {
    let mut author = at_genesis(factory());
    let built = author.build(|builder| push(builder, extrinsic(probe(), false)).expect("a valid one"));
    let answers = agree(&mut author, &built, &factory());
    let gas = answers[3];
    assert!(gas > 0, "the call has run");
    assert_eq!(answers, fresh(gas));
    gas
}

fn validate(node: &Full, extrinsic: UncheckedExtrinsic) -> Result<TransactionValidity, sp_api::ApiError> {
    node.runtime_api().validate_transaction(node.hash(), TransactionSource::External, extrinsic, node.hash())
}

/// What the steps answer that the pool takes to validate a transaction.
fn validated(node: &Full, steps: Vec<Step>) -> Vec<i64> {
    let valid = validate(node, checked_extrinsic(Check::Validates(steps), Vec::new()))
        .expect("it does not trap")
        .expect("it is valid");
    let [tag] = &valid.provides[..] else { panic!("one tag: {valid:?}") };
    Vec::decode(&mut &tag[..]).expect("the answers are the tag")
}

#[test]
fn each_validation_begins_with_nothing() {
    let gas = gas_of_a_call();
    let mut author = at_genesis(factory());
    assert_eq!(validated(&author, probe()), fresh(gas));
    // What fails and what traps while it is validated leaves nothing behind either.
    let refused = checked_extrinsic(Check::Validates([probe(), vec![Step::Fail]].concat()), Vec::new());
    assert!(validate(&author, refused).expect("it does not trap").is_err());
    let layers = vec![Step::Layer(Layer::Start), compile(3, b"three"), Step::Panic];
    let trapping = checked_extrinsic(Check::Validates([probe(), layers].concat()), Vec::new());
    let error = validate(&author, trapping).unwrap_err().to_string();
    assert!(error.contains("the list says so"), "{error}");
    assert_eq!(validated(&author, probe()), fresh(gas));

    // While a block is open the pool goes on validating, and neither sees the other.
    let validating = checked_extrinsic(Check::Validates(probe()), probe());
    let mut during = Vec::new();
    let node = author.fork(factory());
    let built = author.build(|builder| {
        push(builder, extrinsic(probe(), false)).expect("a valid one");
        during.push(validated(&node, probe()));
        push(builder, validating).expect("a valid one");
        during.push(validated(&node, probe()));
    });
    assert_eq!(during, [fresh(gas), fresh(gas)]);
    let answers = agree(&mut author, &built, &factory());
    assert_eq!(answers[..8], fresh(gas));
    // The second extrinsic is validated in the block once more, with the manager that it is dispatched with: it has found three modules
    // there, and made two instances.
    assert_eq!((answers[8], answers[10]), (5, 4));
    // After the block the pool begins with nothing again.
    assert_eq!(validated(&author, probe()), fresh(gas));
}

/// With the constants of the block that would come next.
#[test]
fn validation_obeys_the_constants_of_the_next_block() {
    let limited = ConsensusConstants::v1().limits(Limits { modules: 1, ..Limits::V1 });
    let factory = || factory().from_block(2, limited);
    let mut author = at_genesis(factory());
    let steps = || vec![compile(2, b"two"), compile(3, b"three")];
    assert_eq!(validated(&author, steps()), [COMPILED, COMPILED + 1]);
    let built = author.build(|builder| push(builder, extrinsic(steps(), false)).expect("a valid one"));
    assert_eq!(agree(&mut author, &built, &factory()), [COMPILED, COMPILED + 1]);
    assert_eq!(validated(&author, steps()), [COMPILED, INVALID_IMAGE]);
}

#[test]
fn an_off_chain_worker_has_machines_of_its_own() {
    let gas = gas_of_a_call();
    let state = [stored().to_vec(), vec![(steps::WORK, probe().encode())]].concat();
    let mut node = Node::new(&state, shared_executor());
    node.execution_extensions().set_extensions_factory(factory());
    let work = |node: &Full| {
        let (storage, kept) = TestOffchainExt::new();
        let mut api = node.runtime_api();
        api.register_extension(OffchainDbExt::new(storage));
        api.offchain_worker(node.hash(), &node.next_header()).expect("it does not trap");
        let kept = kept.read();
        let answers = kept.persistent_storage.get(steps::ANSWERS).expect("the worker has kept its answers");
        Vec::<i64>::decode(&mut &answers[..]).expect("they are numbers")
    };
    assert_eq!(work(&node), fresh(gas));
    assert_eq!(work(&node), fresh(gas), "nothing is left of the first");
    let built = node.build(|builder| {
        push(builder, extrinsic(probe(), false)).expect("a valid one");
    });
    assert_eq!(agree(&mut node, &built, &factory()), fresh(gas), "nor in a block");
    assert_eq!(work(&node), fresh(gas));
}

/// The calls of a block builder, as they come: one before there is a manager, one that it gives up, extrinsics in transactions, and one
/// that is in none.
#[test]
fn hooks_and_inherents_share_what_a_block_keeps() {
    let gas = gas_of_a_call();
    let hooks = [
        (steps::INITIALIZE, vec![compile(2, b"two"), instantiate(0), prepare(0), Step::Run { instance: 0 }]),
        // Nothing of this is in the block, be it only the ids that were given away.
        (
            steps::INHERENTS,
            vec![compile(3, b"three"), instantiate(1), main_of(0), Step::Destroy { instance: 0 }],
        ),
        (steps::FINALIZE, vec![lookup(b"two"), lookup(b"three"), instantiate(0), main_of(0)]),
    ];
    let stored = hooks.map(|(key, steps)| (key, steps.encode()));
    let mut author = Node::new(&[&self::stored()[..], &stored].concat(), shared_executor());
    author.execution_extensions().set_extensions_factory(factory());
    for is_tried in [false, true, false] {
        let built = author.build(|builder| {
            builder.create_inherents(Default::default()).expect("there are none");
            if is_tried {
                let trying = || vec![compile(4, b"four"), instantiate(1), Step::Run { instance: 0 }];
                let trapping = extrinsic([trying(), vec![Step::Panic]].concat(), false);
                push(builder, trapping).expect_err("it traps");
                push(builder, extrinsic(trying(), true)).expect_err("it is invalid");
            }
            // The instance that has waited since the block began goes on to its end.
            let going_on = vec![lookup(b"three"), Step::Run { instance: 0 }, main_of(0), instantiate(0)];
            push(builder, extrinsic(going_on, false)).expect("valid");
            push(builder, extrinsic(vec![compile(5, b"five"), Step::Fail], false))
                .expect("a failed one is valid");
        });
        let answers = agree(&mut author, &built, &factory());
        assert_eq!(answers[..4], [COMPILED, 0, 0, 1], "when it begins");
        assert_eq!(answers[4..8], [NOT_CACHED, 0, gas, 1], "in between");
        // The failed dispatch has compiled module 1.
        assert_eq!(answers[8..], [2, NOT_CACHED, 2, gas], "when it ends");
    }
}
