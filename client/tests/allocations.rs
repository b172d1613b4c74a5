//! A round trip allocates nothing on our side.

use hatchery_client::{UpstreamExt, VirtManager};
use hatchery_primitives::{
    ExecBuffer, ExecStatus, Module, VirtManagerBackend, VirtManagerExt, virtualization,
};
use sp_io::TestExternalities;

const ROUND_TRIPS: u32 = 1_000;
const GAS: i64 = 1_000_000_000;

/// A guest whose export makes as many syscalls as a0 says.
const GUEST: &[u8] = include_bytes!("../../guests/blobs/jam-v1/syscalls.polkavm");
const EXPORT: &[u8] = b"round_trips";
const FOR_EVER: u64 = u64::MAX;
const ANSWER: u64 = 1 << 57;

/// How often memory is allocated.
fn allocations(work: impl FnOnce()) -> u64 {
    allocation_counter::measure(work).count_total
}

#[test]
fn the_manager_allocates_nothing() {
    let mut manager = VirtManager::default();
    let module = manager.compile(GUEST, None).unwrap();
    let instance = manager.instantiate(module).unwrap();
    manager.prepare(instance, EXPORT).unwrap();
    manager.run(instance, GAS, FOR_EVER, &mut ExecBuffer::default()).unwrap();
    let mut round_trips = || {
        for _ in 0..ROUND_TRIPS {
            let buffer = &mut ExecBuffer::default();
            assert_eq!(manager.run(instance, GAS, ANSWER, buffer), Ok(ExecStatus::Syscall));
        }
    };
    round_trips();
    assert_eq!(allocations(round_trips), 0);
}

#[test]
fn the_host_function_allocates_nothing() {
    let mut externalities = TestExternalities::default();
    externalities.register_extension(VirtManagerExt::new(VirtManager::default()));
    externalities.execute_with(|| {
        let (module, _) = Module::from_bytes(GUEST, None).unwrap();
        let execution = module.instantiate().unwrap().prepare(EXPORT).unwrap();
        virtualization::run(0.into(), GAS, FOR_EVER, &mut ExecBuffer::default()).unwrap();
        let round_trips = || {
            for _ in 0..ROUND_TRIPS {
                let buffer = &mut ExecBuffer::default();
                assert_eq!(virtualization::run(0.into(), GAS, ANSWER, buffer), Ok(ExecStatus::Syscall));
            }
        };
        round_trips();
        assert_eq!(allocations(round_trips), 0);
        drop(execution);
    });
}

/// Behind upstream's interface too, also after a transaction, whose hooks wait in a queue.
#[test]
fn behind_upstreams_host_functions_nothing_is_allocated() {
    let mut externalities = TestExternalities::default();
    externalities.register_extension(UpstreamExt::default());
    externalities.execute_with(|| {
        let (module, _) = sp_virtualization::Module::from_bytes(GUEST, None).unwrap();
        let mut execution = module.instantiate().unwrap().prepare(EXPORT).ok();
        let mut answer = FOR_EVER;
        let mut round_trips = || {
            for _ in 0..ROUND_TRIPS {
                let ready = execution.take().expect("the guest never ends");
                match ready.run(GAS, std::mem::replace(&mut answer, ANSWER)) {
                    sp_virtualization::ExecResult::Syscall { execution: suspended, .. } => {
                        execution = Some(suspended);
                    }
                    _ => panic!("the guest never ends"),
                }
            }
        };
        sp_io::storage::start_transaction();
        sp_io::storage::commit_transaction();
        round_trips();
        // Upstream's own host function is traced, which may allocate once in a thread, and has by now.
        assert_eq!(allocations(round_trips), 0);
    });
}
