//! What the chain's constants allow: at the limit it works, one past it is refused, told why, and nothing is left.

use crate::common::{Guest, counter, on_each_backend, padded};
use hatchery_client::{Compatibility, ConsensusConstants, Limits, VirtManager};
use hatchery_primitives::{
    CacheKey, ControlError, ExecBuffer, ExecError, ExecStatus, InstanceId, InstantiateError, ModuleError,
    ModuleId, Refusal, ResourceInfo, TransactionType, Usage, VirtControlBackend, VirtManagerBackend,
};
use polkavm_common_033::program::{InstructionSetKind, Reg, asm};

const GAS: i64 = 1_000_000;

fn limited(limits: Limits) -> VirtManager {
    VirtManager::new(ConsensusConstants::v1().limits(limits))
}

fn last_refusal(manager: &mut VirtManager) -> Option<Refusal> {
    manager.exit_info(None).expect("it needs no instance").refusal
}

/// A guest that declares this many pages and grows its heap by a0 bytes, telling in a syscall where it ends.
fn declaring(pages: u32) -> Vec<u8> {
    // The other sets have no `sbrk`.
    Guest::new(InstructionSetKind::Latest64)
        .import(b"look")
        .memory_sizes(0, pages * 4096, 0)
        .export("grow", &[asm::sbrk(Reg::A0, Reg::A0), asm::ecalli(0), asm::ret()])
        .build()
}

#[test]
fn bytes_of_a_program() {
    let code = counter();
    let exactly = u32::try_from(code.len()).unwrap();
    let manager = &mut limited(Limits { code_bytes: exactly, ..Limits::V1 });
    assert_eq!(manager.compile(code, None), Ok(ModuleId::from(0)));
    let manager = &mut limited(Limits { code_bytes: exactly - 1, ..Limits::V1 });
    assert_eq!(manager.compile(code, Some(CacheKey::Identifier(b"id"))), Err(ModuleError::InvalidImage));
    assert_eq!(last_refusal(manager), Some(Refusal::CodeBytes));
    assert_eq!(manager.lookup(CacheKey::Identifier(b"id")), Err(ModuleError::NotCached));
    assert_eq!(manager.compile(&padded(1, 0), None), Ok(ModuleId::from(0)), "no id was used up");
    assert_eq!(last_refusal(manager), None);
}

#[test]
fn bytes_of_all_programs() {
    let [a, b, c] = [1, 2, 3].map(|mark| padded(mark, 1000));
    let two = u32::try_from(a.len() + b.len()).unwrap();
    let manager = &mut limited(Limits { modules_bytes: two, ..Limits::V1 });
    let key = CacheKey::Identifier(b"a");
    manager.compile(&a, Some(key)).unwrap();
    manager.compile(&b, None).unwrap();
    assert_eq!(manager.compile(&c, None), Err(ModuleError::InvalidImage));
    assert_eq!(last_refusal(manager), Some(Refusal::Modules));
    // What is known already takes no more.
    manager.compile(&a, None).unwrap();
    manager.lookup(key).unwrap();
    assert_eq!(manager.compile(&c, None), Err(ModuleError::InvalidImage));
    // What nobody has any more takes nothing, also where it is given back and taken again.
    manager.start_transaction(TransactionType::Host);
    manager.release_module(1.into()).unwrap();
    manager.compile(&c, None).unwrap();
    manager.rollback_transaction(TransactionType::Host);
    assert_eq!(manager.compile(&c, None), Err(ModuleError::InvalidImage));
    manager.release_module(1.into()).unwrap();
    manager.compile(&c, None).unwrap();
    assert_eq!(manager.compile(&b, None), Err(ModuleError::InvalidImage));
    let manager = &mut limited(Limits { modules_bytes: two - 1, ..Limits::V1 });
    manager.compile(&a, None).unwrap();
    assert_eq!(manager.compile(&b, None), Err(ModuleError::InvalidImage));
    assert_eq!(last_refusal(manager), Some(Refusal::Modules));
}

/// Otherwise programs that only instances keep would be without limit.
#[test]
fn programs_of_living_instances_count() {
    let manager = &mut limited(Limits { modules: 2, ..Limits::V1 });
    let [a, b, c] = [1, 2, 3].map(|mark| padded(mark, 0));
    let used = |manager: &mut VirtManager| {
        let ResourceInfo { modules, modules_bytes, .. } = manager.limits();
        assert_eq!(modules_bytes.used, modules.used * a.len() as u64);
        modules.used
    };
    for (index, code) in [&a, &b].into_iter().enumerate() {
        let module = manager.compile(code, None).unwrap();
        assert_eq!(manager.instantiate(module), Ok(InstanceId::from(index as u32)));
        manager.release_module(module).unwrap();
    }
    assert_eq!(used(manager), 2);
    assert_eq!(manager.compile(&c, None), Err(ModuleError::InvalidImage));
    assert_eq!(last_refusal(manager), Some(Refusal::Modules));
    // A fork keeps it as well, and so does a tree its list.
    let fork = manager.fork(0.into()).unwrap();
    manager.destroy(0.into()).unwrap();
    assert_eq!(used(manager), 2);
    let module = manager.compile(&b, None).unwrap();
    let root = manager.compile(&a, None).unwrap();
    let tree = manager.process_instantiate(root, &[(b"b".to_vec(), module)]).unwrap();
    for module in [root, module] {
        manager.release_module(module).unwrap();
    }
    manager.destroy(fork).unwrap();
    manager.destroy(1.into()).unwrap();
    assert_eq!(used(manager), 2);
    // What a rollback undoes is counted as before.
    manager.start_transaction(TransactionType::Host);
    manager.destroy(tree).unwrap();
    assert_eq!(used(manager), 0);
    let module = manager.compile(&c, None).unwrap();
    manager.instantiate(module).unwrap();
    assert_eq!(used(manager), 1);
    manager.rollback_transaction(TransactionType::Host);
    assert_eq!(used(manager), 2);
    assert_eq!(manager.compile(&c, None), Err(ModuleError::InvalidImage));
    manager.start_transaction(TransactionType::Host);
    manager.destroy(tree).unwrap();
    manager.commit_transaction(TransactionType::Host);
    assert_eq!(used(manager), 0);
    manager.compile(&c, None).unwrap();
}

#[test]
fn distinct_programs() {
    let manager = &mut limited(Limits { modules: 2, ..Limits::V1 });
    let [a, b, c] = [1, 2, 3].map(|mark| padded(mark, 0));
    let key = CacheKey::Identifier(b"a");
    manager.compile(&a, Some(key)).unwrap();
    manager.compile(&b, None).unwrap();
    assert_eq!(manager.compile(&c, None), Err(ModuleError::InvalidImage));
    assert_eq!(last_refusal(manager), Some(Refusal::Modules));
    // What is known already is no other program.
    for _ in 0..3 {
        manager.compile(&a, None).unwrap();
        manager.lookup(key).unwrap();
    }
    // An invalid program is not counted, nor told from one too many.
    assert_eq!(manager.compile(b"garbage", None), Err(ModuleError::InvalidImage));
    assert_eq!(manager.limits().modules, Usage { used: 2, limit: 2 });

    // A program counts as long as a handle or an identifier leads to it.
    assert_eq!(manager.release_module(1.into()), Ok(()));
    assert_eq!(manager.limits().modules.used, 1);
    manager.compile(&c, None).unwrap();
    for handle in [0, 2, 3, 4, 5, 6, 7] {
        assert_eq!(manager.release_module(handle.into()), Ok(()), "{handle}");
    }
    assert_eq!(manager.limits().modules.used, 2, "one has its identifier, one its handle");
    assert_eq!(manager.compile(&b, None), Err(ModuleError::InvalidImage));
    manager.compile(&c, Some(key)).unwrap();
    assert_eq!(manager.limits().modules.used, 1, "the identifier leads to another one now");
}

#[test]
fn instances() {
    let manager = &mut limited(Limits { instances: 2, ..Limits::V1 });
    manager.compile(counter(), None).unwrap();
    assert_eq!(manager.instantiate(0.into()), Ok(InstanceId::from(0)));
    assert_eq!(manager.instantiate(0.into()), Ok(InstanceId::from(1)));
    assert_eq!(manager.instantiate(0.into()), Err(InstantiateError::InvalidImage));
    assert_eq!(last_refusal(manager), Some(Refusal::Instances));
    assert_eq!(manager.fork(0.into()), Err(ControlError::LimitReached));
    assert_eq!(manager.instantiate(9.into()), Err(InstantiateError::InvalidModule));
    assert_eq!(last_refusal(manager), None, "an unknown id is no matter of limits");
    manager.prepare(0.into(), b"counter").unwrap();
    manager.destroy(0.into()).unwrap();
    assert_eq!(manager.instantiate(0.into()), Ok(InstanceId::from(2)), "no id was used up");
    assert_eq!(last_refusal(manager), None);
    assert_eq!(manager.limits().nesting.used, 0);
}

#[test]
fn pages_that_instances_declare() {
    let manager = &mut limited(Limits { pages: 10, ..Limits::V1 });
    for pages in [4, 11, 0] {
        manager.compile(&declaring(pages), None).unwrap();
    }
    assert_eq!(manager.instantiate(1.into()), Err(InstantiateError::InvalidImage));
    assert_eq!(last_refusal(manager), Some(Refusal::Pages));
    manager.instantiate(0.into()).unwrap();
    manager.instantiate(0.into()).unwrap();
    assert_eq!(manager.limits().pages, Usage { used: 8, limit: 10 });
    assert_eq!(manager.instantiate(0.into()), Err(InstantiateError::InvalidImage));
    assert_eq!(manager.fork(0.into()), Err(ControlError::LimitReached));
    assert_eq!(manager.instantiate(2.into()), Ok(InstanceId::from(2)), "this one declares none");
    manager.destroy(0.into()).unwrap();
    assert_eq!(manager.fork(1.into()), Ok(InstanceId::from(3)));
    assert_eq!(manager.limits().pages.used, 8);
}

/// Grows the heap of a new instance. Gives its new end, or 0.
fn grow(manager: &mut VirtManager, by: u64) -> u64 {
    let instance = manager.instantiate(0.into()).unwrap();
    manager.prepare(instance, b"grow").unwrap();
    let mut buffer = ExecBuffer::default();
    assert_eq!(manager.run(instance, GAS, by, &mut buffer), Ok(ExecStatus::Syscall));
    manager.destroy(instance).unwrap();
    buffer.a0
}

/// Grows the heap of an instance of [`declaring`], which is idle afterwards. Gives its new end, or 0.
fn grow_heap(manager: &mut VirtManager, id: u32, by: u64) -> u64 {
    let mut buffer = ExecBuffer::default();
    manager.prepare(id.into(), b"grow").unwrap();
    assert_eq!(manager.run(id.into(), GAS, by, &mut buffer), Ok(ExecStatus::Syscall));
    let end = buffer.a0;
    assert_eq!(manager.run(id.into(), GAS, 0, &mut buffer), Ok(ExecStatus::Finished));
    end
}

/// Otherwise as many instances as may live could have as much memory each as one may have.
#[test]
fn heaps_count_as_they_grow() {
    let page = 4096;
    on_each_backend(|backend| {
        let manager = &mut limited(Limits { pages: 10, ..Limits::V1 }).with_cache(backend);
        manager.compile(&declaring(2), None).unwrap();
        manager.compile(counter(), None).unwrap();
        let used = |manager: &mut VirtManager| manager.limits().pages.used;
        let start = 0x2_0000 + 2 * page;
        manager.instantiate(0.into()).unwrap();
        manager.instantiate(0.into()).unwrap();
        assert_eq!(grow_heap(manager, 0, 4 * page), start + 4 * page);
        assert_eq!(used(manager), 8);
        // What the others may have depends on what one has.
        assert_eq!(grow_heap(manager, 1, 2 * page + 1), 0, "one byte too many");
        assert_eq!(used(manager), 8, "nothing grew");
        assert_eq!(grow_heap(manager, 1, page + 1), start + page + 1);
        assert_eq!(manager.limits().pages, Usage { used: 10, limit: 10 });
        assert_eq!(grow_heap(manager, 1, page - 1), start + 2 * page, "to the end of the page that it has");
        assert_eq!(grow_heap(manager, 0, 1), 0);
        assert_eq!(grow_heap(manager, 0, 0), start + 4 * page, "a question is allowed");
        assert_eq!(manager.instantiate(0.into()), Err(InstantiateError::InvalidImage));
        assert_eq!(last_refusal(manager), Some(Refusal::Pages));

        // What is reset or destroyed makes room, and a fork takes as much as the original.
        manager.reset(0.into()).unwrap();
        assert_eq!(used(manager), 6);
        assert_eq!(manager.fork(1.into()), Ok(InstanceId::from(2)));
        assert_eq!(used(manager), 10);
        assert_eq!(grow_heap(manager, 2, 1), 0, "the fork has its heap");
        manager.destroy(2.into()).unwrap();
        assert_eq!(grow_heap(manager, 0, page), start + page);
        assert_eq!(used(manager), 7);
        assert_eq!(manager.fork(1.into()), Err(ControlError::LimitReached), "that would be four more");
        assert_eq!(last_refusal(manager), Some(Refusal::Pages));

        // What was out of gas and goes on is held to what there is then.
        let buffer = &mut ExecBuffer::default();
        manager.prepare(0.into(), b"grow").unwrap();
        assert_eq!(manager.run(0.into(), 0, 2 * page, buffer), Err(ExecError::OutOfGas));
        assert_eq!(grow_heap(manager, 1, 2 * page), start + 4 * page);
        assert_eq!(manager.resume(0.into(), GAS, buffer), Ok(ExecStatus::Syscall));
        assert_eq!((buffer.a0, used(manager)), (0, 9));
    });
}

/// What a snapshot brings along counts as what has grown here.
#[test]
fn a_restored_heap_counts() {
    let manager = &mut limited(Limits { pages: 10, ..Limits::V1 });
    manager.compile(&declaring(2), None).unwrap();
    manager.instantiate(0.into()).unwrap();
    assert_eq!(grow_heap(manager, 0, 4 * 4096), 0x2_6000);
    let snapshot = manager.snapshot(0.into()).unwrap();
    assert_eq!(manager.restore(0.into(), &snapshot), Err(ControlError::LimitReached), "that would be 12");
    assert_eq!(last_refusal(manager), Some(Refusal::Pages));
    assert_eq!(manager.limits().pages.used, 6);
    manager.destroy(0.into()).unwrap();
    assert_eq!(manager.restore(0.into(), &snapshot), Ok(InstanceId::from(1)));
    assert_eq!(manager.limits().pages.used, 6);
    assert_eq!(grow_heap(manager, 1, 5 * 4096), 0);
    assert_eq!(grow_heap(manager, 1, 4 * 4096), 0x2_a000);
}

/// What grew in what a node gave up is as if it had never grown.
#[test]
fn a_rollback_takes_the_heap_back() {
    let manager = &mut limited(Limits { pages: 10, ..Limits::V1 });
    manager.compile(&declaring(2), None).unwrap();
    manager.instantiate(0.into()).unwrap();
    assert_eq!(grow_heap(manager, 0, 4096), 0x2_3000);
    for destroyed in [false, true] {
        manager.start_transaction(TransactionType::Host);
        assert_eq!(grow_heap(manager, 0, 7 * 4096), 0x2_a000);
        assert_eq!(manager.limits().pages.used, 10);
        if destroyed {
            manager.destroy(0.into()).unwrap();
            assert_eq!(manager.limits().pages.used, 0);
        }
        manager.rollback_transaction(TransactionType::Host);
        assert_eq!(manager.limits().pages.used, 3);
        assert_eq!(grow_heap(manager, 0, 0), 0x2_3000);
    }
    manager.instantiate(0.into()).unwrap();
    assert_eq!(grow_heap(manager, 1, 6 * 4096), 0, "five are left");
    assert_eq!(grow_heap(manager, 1, 5 * 4096), 0x2_7000);
}

/// The page limit does not make less of what one instance may have.
#[test]
fn heaps_of_upstreams_rules_end_at_the_layout() {
    let manager = &mut VirtManager::new(ConsensusConstants::v1().compatibility(Compatibility::Upstream));
    manager.compile(&declaring(2), None).unwrap();
    let most = u64::from(manager.module_info(0.into()).unwrap().memory.heap_most_bytes);
    manager.instantiate(0.into()).unwrap();
    assert_eq!(grow_heap(manager, 0, most), 0x2_0000 + 2 * 4096 + most);
    assert_eq!(manager.limits().pages.used, 2 + most.div_ceil(4096));
    assert_eq!(grow_heap(manager, 0, 1), 0);
}

#[test]
fn memory_of_an_instance() {
    let of = |pages: u64| VirtManager::new(ConsensusConstants::v1().memory_bytes(pages * 4096));
    let manager = &mut of(3);
    assert_eq!(manager.compile(&declaring(4), None), Err(ModuleError::InvalidImage));
    assert_eq!(last_refusal(manager), Some(Refusal::MemoryBytes));
    manager.compile(&declaring(2), None).unwrap();
    let most = u64::from(manager.module_info(0.into()).unwrap().memory.heap_most_bytes);
    assert_eq!(most, 4096, "one page is left for the heap");
    assert_eq!(grow(manager, most), 0x2_0000 + 3 * 4096);
    assert_eq!(grow(manager, most + 1), 0);

    // Without a limit the layout is one.
    let manager = &mut VirtManager::new(ConsensusConstants::v1().memory_bytes(u64::MAX).limits(Limits::NONE));
    manager.compile(&declaring(2), None).unwrap();
    let most = u64::from(manager.module_info(0.into()).unwrap().memory.heap_most_bytes);
    assert_eq!(grow(manager, most), 0x2_0000 + 2 * 4096 + most);
    assert_eq!(grow(manager, most + 1), 0);
}

#[test]
fn calls_that_nest() {
    let manager = &mut limited(Limits { nesting: 2, ..Limits::V1 });
    manager.compile(counter(), None).unwrap();
    for _ in 0..4 {
        manager.instantiate(0.into()).unwrap();
    }
    let buffer = &mut ExecBuffer::default();
    manager.prepare(0.into(), b"counter").unwrap();
    assert_eq!(manager.run(0.into(), GAS, 0, buffer), Ok(ExecStatus::Syscall));
    manager.prepare(1.into(), b"counter").unwrap();
    assert_eq!(manager.limits().nesting, Usage { used: 2, limit: 2 });
    assert_eq!(manager.prepare(2.into(), b"counter"), Err(ExecError::InvalidImage));
    assert_eq!(manager.exit_info(Some(2.into())).unwrap().refusal, Some(Refusal::Nesting));
    assert_eq!(manager.prepare(2.into(), b"absent"), Err(ExecError::InvalidImage));
    assert_eq!(manager.prepare(1.into(), b"counter"), Err(ExecError::InvalidInstance), "it is ready already");
    assert_eq!(manager.fork(0.into()), Err(ControlError::LimitReached), "the fork would be suspended too");
    assert_eq!(manager.fork(2.into()), Ok(InstanceId::from(4)), "an idle one is not counted");
    // What is suspended goes on, and who ends makes room.
    assert_eq!(manager.run(1.into(), 0, 0, buffer), Err(ExecError::OutOfGas));
    assert_eq!(manager.prepare(2.into(), b"counter"), Ok(()));
    assert_eq!(manager.exit_info(Some(2.into())).unwrap().refusal, None);
    assert_eq!(manager.resume(1.into(), GAS, buffer), Err(ExecError::InvalidImage), "it would be a third");
    assert_eq!(manager.exit_info(Some(1.into())).unwrap().refusal, Some(Refusal::Nesting));
    manager.reset(2.into()).unwrap();
    assert_eq!(manager.resume(1.into(), GAS, buffer), Ok(ExecStatus::Syscall), "and goes on where it was");
    assert_eq!(manager.limits().nesting.used, 2);
    manager.destroy(0.into()).unwrap();
    assert_eq!(manager.limits().nesting.used, 1);
}

#[test]
fn what_a_node_tries_and_gives_up_does_not_count() {
    let manager = &mut limited(Limits { modules: 2, instances: 2, nesting: 1, ..Limits::V1 });
    manager.compile(counter(), Some(CacheKey::Identifier(b"counter"))).unwrap();
    manager.instantiate(0.into()).unwrap();
    let before = manager.limits();
    manager.start_transaction(TransactionType::Host);
    manager.compile(&padded(1, 0), Some(CacheKey::Identifier(b"counter"))).unwrap();
    manager.release_module(0.into()).unwrap();
    assert_eq!(manager.release_module(0.into()), Err(ControlError::InvalidModule));
    manager.instantiate(1.into()).unwrap();
    manager.prepare(0.into(), b"counter").unwrap();
    manager.instantiate(1.into()).unwrap_err();
    assert_eq!(last_refusal(manager), Some(Refusal::Instances));
    manager.rollback_transaction(TransactionType::Host);
    assert_eq!(manager.limits(), before);
    assert_eq!(last_refusal(manager), None);
    assert_eq!(manager.instantiate(0.into()), Ok(InstanceId::from(1)), "the module has its id back");
    assert_eq!(manager.release_module(0.into()), Ok(()));
    assert_eq!(manager.limits().modules.used, 1, "its identifier leads to it");
    manager.rollback_transaction(TransactionType::Host);
    assert_eq!(manager.limits().modules.used, 0);
}

#[test]
fn a_release_inside_a_committed_transaction_is_undone_with_the_one_around_it() {
    let manager = &mut VirtManager::default();
    manager.compile(counter(), None).unwrap();
    manager.start_transaction(TransactionType::Host);
    manager.compile(&padded(1, 0), None).unwrap();
    manager.start_transaction(TransactionType::Host);
    manager.release_module(0.into()).unwrap();
    manager.release_module(1.into()).unwrap();
    manager.commit_transaction(TransactionType::Host);
    assert_eq!(manager.limits().modules.used, 0);
    manager.rollback_transaction(TransactionType::Host);
    assert_eq!(manager.limits().modules.used, 1);
    assert!(manager.module_info(0.into()).is_ok());
    assert_eq!(manager.module_info(1.into()), Err(ControlError::InvalidModule));
}

#[test]
fn with_upstreams_rules_there_are_no_limits() {
    let none = Limits {
        modules: 0,
        modules_bytes: 0,
        instances: 0,
        pages: 0,
        code_bytes: 0,
        nesting: 0,
        snapshot_bytes: 0,
        processes: 0,
        descriptors: 0,
    };
    let constants =
        ConsensusConstants::v1().limits(none).memory_bytes(4096).compatibility(Compatibility::Upstream);
    let manager = &mut VirtManager::new(constants);
    manager.compile(&declaring(100_000), None).unwrap();
    manager.instantiate(0.into()).unwrap();
    manager.prepare(0.into(), b"grow").unwrap();
    let ResourceInfo {
        modules,
        modules_bytes,
        instances,
        pages,
        nesting,
        most_code_bytes,
        most_memory_bytes,
        most_snapshot_bytes,
        most_processes,
        most_descriptors,
    } = manager.limits();
    let all = u64::from(u32::MAX);
    assert_eq!(modules, Usage { used: 1, limit: all });
    assert_eq!(modules_bytes, Usage { used: declaring(100_000).len() as u64, limit: all });
    assert_eq!(instances, Usage { used: 1, limit: all });
    assert_eq!(pages, Usage { used: 100_000, limit: all });
    assert_eq!(nesting, Usage { used: 1, limit: all });
    assert_eq!((most_code_bytes, most_memory_bytes, most_snapshot_bytes), (u32::MAX, 1 << 32, u32::MAX));
    assert_eq!((most_processes, most_descriptors), (64, 1024), "as many as a tree can have at all");
}
