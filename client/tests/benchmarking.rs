//! What a benchmark binary does. It changes the process, so this is the only test of its own.

mod common;

use common::counter;
use hatchery_client::{ClientConfig, ConsensusConstants, VirtManager, benchmarking};
use hatchery_primitives::{AlreadyProvided, CompileStatus, Module, VirtManagerExt};
use sp_io::TestExternalities;
use std::panic::{AssertUnwindSafe, catch_unwind};
use substrate_prometheus_endpoint::Registry;

fn compilations(registry: &Registry) -> f64 {
    let families = registry.gather();
    let family = families.iter().find(|family| family.get_name() == "virtualization_compilations_total");
    family
        .map_or(0.0, |family| family.get_metric().iter().map(|metric| metric.get_counter().get_value()).sum())
}

#[test]
fn a_missing_extension_is_provided_and_compilations_stay_cold() {
    let compile = |externalities: &mut TestExternalities| {
        externalities.execute_with(|| {
            let (module, status) = Module::from_bytes(counter(), Some(b"id")).unwrap();
            assert!(module.instantiate().unwrap().prepare(b"counter").is_ok());
            // Within one call it is the same manager.
            assert_eq!(Module::from_bytes(counter(), Some(b"id")).unwrap().1, CompileStatus::Cached);
            status
        })
    };
    // Nobody but a benchmark binary gets a manager unasked.
    let panic = catch_unwind(AssertUnwindSafe(|| compile(&mut TestExternalities::default()))).unwrap_err();
    let message =
        panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    let message = message.expect("panics have messages");
    for named in ["set_extensions_factory", "VirtExtensionFactory::new", "register_extension", "genesis"] {
        assert!(message.contains(named), "{message}");
    }

    let registry = Registry::new();
    let config = ClientConfig::default().prometheus_registry(registry.clone());
    assert_eq!(benchmarking::provide_extension(ConsensusConstants::v1(), config), Ok(()));
    let mut externalities = TestExternalities::default();
    for expected in 1..=3 {
        assert_eq!(compile(&mut externalities), CompileStatus::Compiled);
        assert_eq!(compilations(&registry), f64::from(expected), "each one is done");
    }

    // A manager that is there is not replaced.
    let mut externalities = TestExternalities::default();
    externalities.register_extension(VirtManagerExt::new(VirtManager::default()));
    assert_eq!(compile(&mut externalities), CompileStatus::Compiled);
    assert_eq!(compilations(&registry), 3.0);

    let again = benchmarking::provide_extension(ConsensusConstants::v1(), ClientConfig::default());
    assert_eq!(again, Err(AlreadyProvided));
}
