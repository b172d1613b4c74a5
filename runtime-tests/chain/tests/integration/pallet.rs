//! A pallet's tests, as far as Hatchery has to do with them. `docs/integration.md` shows what is new in them.

use frame_support::assert_ok;
use hatchery_client::{VirtManager, VirtManagerExt};
use hatchery_test_chain::{
    Machines, RuntimeGenesisConfig, RuntimeOrigin, System,
    steps::{ANSWERS, COLD, Step},
};
use sp_io::TestExternalities;
use sp_runtime::BuildStorage;

/// What the tests run in.
fn new_test_ext() -> TestExternalities {
    let storage = RuntimeGenesisConfig::default().build_storage().expect("it is empty");
    let mut ext = TestExternalities::new(storage);
    ext.register_extension(VirtManagerExt::new(VirtManager::default()));
    ext
}

#[test]
fn the_pallet_runs_a_guest() {
    new_test_ext().execute_with(|| {
        System::set_block_number(1);
        let code = hatchery_runtime_tests::guests::marked(1);
        let steps = vec![
            Step::Compile { code, identifier: b"id".to_vec() },
            Step::Instantiate { module: 0 },
            Step::Call { instance: 0, export: b"main".to_vec() },
        ];
        assert_ok!(Machines::play(RuntimeOrigin::root(), steps));
        let answers: Vec<i64> = frame_support::storage::unhashed::get(ANSWERS).expect("three answers");
        assert_eq!(answers[..2], [1 << 32, 0]);
        assert!(answers[2] > 0, "the gas that it used");
    });
}

#[test]
fn one_block_after_the_other() {
    let mut ext = new_test_ext();
    for _ in 0..2 {
        ext.execute_with(|| {
            let code = hatchery_runtime_tests::guests::marked(1);
            let steps = vec![Step::Compile { code, identifier: b"id".to_vec() }];
            let cost = Machines::play(RuntimeOrigin::root(), steps).expect("it compiles").actual_weight;
            assert!(cost.is_some_and(|weight| weight.ref_time() >= COLD), "{cost:?}");
        });
        hatchery_client::testing::next_block(&mut ext.extensions);
    }
}
