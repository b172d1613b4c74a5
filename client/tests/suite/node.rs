//! What the service of a node uses.

use crate::common::{counter, padded};
use hatchery_client::{
    ClientConfig, ConsensusConstants, HostFunctions, Limits, ModuleCache, VirtExtensionFactory, VirtManager,
};
use hatchery_primitives::{
    CacheKey, ExecBuffer, ExecError, ExecStatus, ModuleError, TransactionType, VirtControlBackend,
    VirtManagerBackend, VirtManagerExt,
};
use sc_client_api::execution_extensions::ExtensionsFactory;
use sp_externalities::{Extensions, decl_extension};
use sp_runtime::{
    OpaqueExtrinsic, generic,
    traits::{BlakeTwo256, NumberFor},
};
use sp_wasm_interface::{Function, HostFunctions as _};
use std::{any::TypeId, sync::Arc, thread::sleep, time::Duration};
use substrate_prometheus_endpoint::Registry;

type Block = generic::Block<generic::Header<u32, BlakeTwo256>, OpaqueExtrinsic>;

/// The manager for what happens on top of the block with this number.
fn manager_at(factory: &impl ExtensionsFactory<Block>, number: u32) -> VirtManagerExt {
    let mut extensions = factory.extensions_for(Default::default(), number);
    let extension = extensions.get_mut(TypeId::of::<VirtManagerExt>()).expect("the factory makes it");
    let extension = extension.downcast_mut::<VirtManagerExt>().expect("it is one");
    std::mem::replace(extension, VirtManagerExt::new(VirtManager::default()))
}

fn accepts(manager: &mut VirtManagerExt) -> bool {
    manager.compile(counter(), None) != Err(ModuleError::InvalidImage)
}

/// Constants under which nothing compiles, so that it shows which are in force.
fn closed() -> ConsensusConstants {
    ConsensusConstants::v1().limits(Limits { modules: 0, ..Limits::V1 })
}

#[test]
fn each_call_has_a_manager_of_its_own() {
    let factory = VirtExtensionFactory::new(ConsensusConstants::v1());
    let key = CacheKey::Identifier(b"key");
    let (mut first, mut second) = (manager_at(&factory, 1), manager_at(&factory, 1));
    first.compile(counter(), Some(key)).unwrap();
    assert!(first.lookup(key).is_ok());
    assert_eq!(second.lookup(key), Err(ModuleError::NotCached));
}

#[test]
fn constants_change_at_a_block_that_is_known_by_its_parent() {
    let factory = VirtExtensionFactory::new(ConsensusConstants::v1()).from_block(10, closed());
    for (parent, open) in [(0, true), (8, true), (9, false), (10, false), (u32::MAX, false)] {
        assert_eq!(accepts(&mut manager_at(&factory, parent)), open, "on top of block {parent}");
    }
    assert_eq!(factory.constants_of_block(9), ConsensusConstants::v1());
    assert_eq!(factory.constants_of_block(10), closed());
}

#[test]
fn a_schedule_may_be_given_in_any_order_and_the_last_word_counts() {
    let of_instances = |instances| ConsensusConstants::v1().limits(Limits { instances, ..Limits::V1 });
    let factory = VirtExtensionFactory::new(of_instances(1))
        .from_block(20, of_instances(3))
        .from_block(10, of_instances(2))
        .from_block(20, of_instances(4))
        .from_block(0, of_instances(5));
    for (block, instances) in [(0, 5), (9, 5), (10, 2), (19, 2), (20, 4), (u64::MAX, 4)] {
        assert_eq!(factory.constants_of_block(block), of_instances(instances), "block {block}");
    }
}

decl_extension! {
    struct One(u32);
}

decl_extension! {
    struct Two(u32);
}

/// A node's own factory.
struct Own<E>(fn(u32) -> E);

impl<E: sp_externalities::Extension> ExtensionsFactory<Block> for Own<E> {
    fn extensions_for(
        &self,
        _: <Block as sp_runtime::traits::Block>::Hash,
        number: NumberFor<Block>,
    ) -> Extensions {
        let mut extensions = Extensions::new();
        extensions.register(self.0(number));
        extensions
    }
}

#[test]
fn it_goes_along_with_factories_of_other_types() {
    let factory = VirtExtensionFactory::new(ConsensusConstants::v1())
        .and(Own(One))
        .from_block(5, closed())
        .and(Own(Two));
    let mut extensions = ExtensionsFactory::<Block>::extensions_for(&factory, Default::default(), 7);
    let one = extensions.get_mut(TypeId::of::<One>()).and_then(|one| one.downcast_mut::<One>());
    assert_eq!(one.map(|one| one.0), Some(7));
    let two = extensions.get_mut(TypeId::of::<Two>()).and_then(|two| two.downcast_mut::<Two>());
    assert_eq!(two.map(|two| two.0), Some(7));
    assert!(!accepts(&mut manager_at(&factory, 7)));

    // It is a factory like others.
    let outer = VirtExtensionFactory::new(closed()).and(factory);
    assert!(!accepts(&mut manager_at(&outer, 1)), "the outer one's constants count");
}

#[test]
fn behind_upstreams_host_functions() {
    let factory = VirtExtensionFactory::new(closed()).behind_upstream_host_functions();
    let mut extensions = ExtensionsFactory::<Block>::extensions_for(&factory, Default::default(), 0);
    assert!(!extensions.is_registered(TypeId::of::<VirtManagerExt>()));
    let upstream =
        extensions.get_mut(TypeId::of::<sp_virtualization::VirtManagerExt>()).expect("it is there");
    let upstream = upstream.downcast_mut::<sp_virtualization::VirtManagerExt>().expect("it is upstream's");
    assert_eq!(
        upstream.compile_from_bytes(counter(), None).err(),
        Some(sp_virtualization::ModuleError::InvalidImage)
    );
}

/// Gas counts once, whoever has a copy of the instance, and so do instances.
#[test]
fn metrics_of_forks_and_of_what_is_rolled_back() {
    let registry = Registry::new();
    let cache = Arc::new(ModuleCache::new(ClientConfig::default().prometheus_registry(registry.clone())));
    let mut manager = VirtManager::default().with_cache(cache);
    manager.compile(counter(), None).unwrap();
    let buffer = &mut ExecBuffer::default();
    let gas_counted = || metric(&registry, "virtualization_gas_total", None);
    let instances = || metric(&registry, "virtualization_instances", None);
    let calls = |end| metric(&registry, "virtualization_calls_total", Some(end));
    // Runs to the next stop and gives the gas that it took.
    let mut run = |manager: &mut VirtManager, id: u32| {
        let gas = 1_000_000;
        manager.run(id.into(), gas, 1, buffer).unwrap();
        (gas - buffer.gas_left) as f64
    };

    manager.instantiate(0.into()).unwrap();
    manager.prepare(0.into(), b"counter").unwrap();
    let before = run(&mut manager, 0);
    assert!(before > 0.0);
    manager.fork(0.into()).unwrap();
    assert_eq!(instances(), 2.0);
    manager.destroy(0.into()).unwrap();
    assert_eq!((gas_counted(), calls("given_up")), (before, 1.0));
    manager.destroy(1.into()).unwrap();
    assert_eq!((gas_counted(), calls("given_up")), (before, 2.0), "the fork has run nothing");

    manager.instantiate(0.into()).unwrap();
    manager.prepare(2.into(), b"counter").unwrap();
    let mut used = before + run(&mut manager, 2);
    for destroyed in [false, true] {
        manager.start_transaction(TransactionType::Host);
        used += run(&mut manager, 2);
        manager.instantiate(0.into()).unwrap();
        assert_eq!(instances(), 2.0, "a copy that is kept for a rollback is none");
        if destroyed {
            manager.destroy(2.into()).unwrap();
            assert_eq!(instances(), 1.0);
        }
        manager.rollback_transaction(TransactionType::Host);
        assert_eq!((instances(), gas_counted()), (1.0, used), "what was tried has been done");
    }
    manager.start_transaction(TransactionType::Host);
    used += run(&mut manager, 2);
    manager.destroy(2.into()).unwrap();
    manager.commit_transaction(TransactionType::Host);
    assert_eq!((instances(), gas_counted()), (0.0, used));
    assert_eq!(calls("given_up"), 5.0);
    assert_eq!(metric(&registry, "virtualization_call_seconds", None), 5.0);
}

/// A call that waits between `prepare` and `run` takes no time, nor does what ran out of gas until it is resumed.
#[test]
fn the_clock_of_a_call_starts_when_it_runs() {
    let registry = Registry::new();
    let cache = Arc::new(ModuleCache::new(ClientConfig::default().prometheus_registry(registry.clone())));
    let mut manager = VirtManager::default().with_cache(cache);
    manager.compile(&padded(1, 0), None).unwrap();
    manager.instantiate(0.into()).unwrap();
    let wait = Duration::from_millis(300);
    let buffer = &mut ExecBuffer::default();
    manager.prepare(0.into(), b"main").unwrap();
    sleep(wait);
    assert_eq!(manager.run(0.into(), 0, 0, buffer), Err(ExecError::OutOfGas));
    sleep(wait);
    assert_eq!(manager.resume(0.into(), 1_000, buffer), Ok(ExecStatus::Syscall));
    assert_eq!(manager.run(0.into(), 1_000, 0, buffer), Ok(ExecStatus::Finished));
    let families = registry.gather();
    let seconds = families.iter().find(|family| family.get_name() == "virtualization_call_seconds");
    let seconds = seconds.expect("there were calls").get_metric()[0].get_histogram();
    assert_eq!(seconds.get_sample_count(), 2);
    assert!(seconds.get_sample_sum() < wait.as_secs_f64(), "{}", seconds.get_sample_sum());
}

/// In a tuple with upstream's set the first would win; here it is always ours.
#[test]
fn the_executors_host_functions_are_ours_whatever_the_base() {
    let ours: Vec<_> =
        hatchery_primitives::HostFunctions::host_functions().into_iter().map(Function::name).collect();
    let all =
        <HostFunctions<(sp_io::SubstrateHostFunctions, sp_virtualization::HostFunctions)>>::host_functions();
    let virtualization: Vec<_> = all.iter().filter(|function| ours.contains(&function.name())).collect();
    assert_eq!(virtualization.len(), ours.len(), "each name once");
    for function in virtualization {
        let own = hatchery_primitives::HostFunctions::host_functions()
            .into_iter()
            .any(|own| std::ptr::addr_eq(own, *function));
        assert!(own, "{} is not ours", function.name());
    }
    assert_eq!(all.len(), HostFunctions::<sp_io::SubstrateHostFunctions>::host_functions().len());
}

/// A metric as the endpoint gives it; 0 if it is not there yet.
fn metric(registry: &Registry, name: &str, label: Option<&str>) -> f64 {
    let families = registry.gather();
    let Some(family) = families.iter().find(|family| family.get_name() == name) else { return 0.0 };
    let metrics = family.get_metric();
    let metric = metrics.iter().find(|metric| {
        label.is_none_or(|label| metric.get_label().iter().any(|pair| pair.get_value() == label))
    });
    metric.map_or(0.0, |metric| {
        metric.get_counter().get_value()
            + metric.get_gauge().get_value()
            + metric.get_histogram().get_sample_count() as f64
    })
}

#[test]
fn metrics_count_what_happens() {
    let registry = Registry::new();
    let cache = Arc::new(ModuleCache::new(ClientConfig::default().prometheus_registry(registry.clone())));
    let manager = || VirtManager::default().with_cache(cache.clone());
    let mut first = manager();
    first.compile(counter(), None).unwrap();
    first.compile(b"garbage", None).unwrap_err();
    first.compile(counter(), None).unwrap();
    assert_eq!(metric(&registry, "virtualization_compilations_total", Some("accepted")), 1.0);
    assert_eq!(metric(&registry, "virtualization_compilations_total", Some("refused")), 1.0);
    assert_eq!(metric(&registry, "virtualization_compile_seconds", None), 2.0);
    assert_eq!(metric(&registry, "virtualization_cache_hits_total", None), 1.0);
    assert_eq!(metric(&registry, "virtualization_cache_modules", None), 1.0);
    assert_eq!(metric(&registry, "virtualization_cache_bytes", None), cache.statistics().bytes as f64);

    for _ in 0..3 {
        first.instantiate(0.into()).unwrap();
    }
    let mut second = manager();
    second.compile(&padded(1, 0), None).unwrap();
    second.instantiate(0.into()).unwrap();
    assert_eq!(metric(&registry, "virtualization_instances", None), 4.0);

    let buffer = &mut ExecBuffer::default();
    first.prepare(0.into(), b"do_panic").unwrap();
    assert_eq!(first.run(0.into(), 1_000, 0, buffer), Err(ExecError::Trap));
    first.prepare(0.into(), b"counter").unwrap();
    assert_eq!(first.run(0.into(), 0, 0, buffer), Err(ExecError::OutOfGas));
    let gas_before = metric(&registry, "virtualization_gas_total", None);
    second.prepare(0.into(), b"main").unwrap();
    let (mut used, mut gas) = (0, 1_000);
    while second.run(0.into(), gas, 0, buffer) == Ok(ExecStatus::Syscall) {
        used += gas - buffer.gas_left;
        // The gas of the next run need not be what is left of the last.
        gas = 500;
    }
    used += gas - buffer.gas_left;
    assert!(used > 0);
    assert_eq!(metric(&registry, "virtualization_gas_total", None) - gas_before, used as f64);
    first.prepare(1.into(), b"counter").unwrap();
    first.destroy(1.into()).unwrap();
    for (end, count) in [("trapped", 1.0), ("out_of_gas", 1.0), ("finished", 1.0), ("given_up", 1.0)] {
        assert_eq!(metric(&registry, "virtualization_calls_total", Some(end)), count, "{end}");
    }
    assert_eq!(metric(&registry, "virtualization_call_seconds", None), 4.0);
    drop((first, second));
    assert_eq!(metric(&registry, "virtualization_instances", None), 0.0);
    assert_eq!(metric(&registry, "virtualization_host_failures_total", None), 0.0);

    // What a runtime leaves behind when it traps: three calls, one of them at a syscall, one never run.
    let mut third = manager();
    third.compile(&padded(1, 0), None).unwrap();
    let gas_before = metric(&registry, "virtualization_gas_total", None);
    for id in 0..2u32 {
        third.instantiate(0.into()).unwrap();
        third.prepare(id.into(), b"main").unwrap();
    }
    assert_eq!(third.run(0.into(), 1_000, 0, buffer), Ok(ExecStatus::Syscall));
    let used = (1_000 - buffer.gas_left) as f64;
    drop(third);
    assert_eq!(metric(&registry, "virtualization_calls_total", Some("given_up")), 3.0);
    assert_eq!(metric(&registry, "virtualization_gas_total", None) - gas_before, used);
    assert_eq!(metric(&registry, "virtualization_instances", None), 0.0);

    // A second cache cannot have the same names; it works all the same.
    let again = ModuleCache::new(ClientConfig::default().prometheus_registry(registry));
    assert!(VirtManager::default().with_cache(Arc::new(again)).compile(counter(), None).is_ok());
}
