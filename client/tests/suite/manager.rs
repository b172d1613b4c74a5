//! The manager by itself: ids, keys, states and errors.

use crate::common::{Guest, Layout, counter, padded};
use hatchery_client::VirtManager;
use hatchery_primitives::{
    CacheKey, DestroyError, ExecBuffer, ExecError, ExecStatus, InstanceId, InstantiateError, MemoryError,
    ModuleError, ModuleId, VirtManagerBackend,
};
use polkavm_common_033::program::{Reg, asm};

const GAS: i64 = 1_000_000;

/// Runs with the gas, and gives what `run` returned with the buffer it filled.
fn run(
    manager: &mut VirtManager,
    id: InstanceId,
    gas: i64,
    a0: u64,
) -> (Result<ExecStatus, ExecError>, ExecBuffer) {
    let mut buffer = ExecBuffer::default();
    (manager.run(id, gas, a0, &mut buffer), buffer)
}

/// An instance of the code, prepared to run `export`.
fn prepared(manager: &mut VirtManager, code: &[u8], export: &[u8]) -> InstanceId {
    let module = manager.compile(code, None).unwrap();
    let instance = manager.instantiate(module).unwrap();
    manager.prepare(instance, export).unwrap();
    instance
}

/// A guest that makes two syscalls with all argument registers set, between which a0 has to be answered.
fn two_syscalls() -> Vec<u8> {
    Guest::jam()
        .import(b"first")
        .import(b"second")
        .memory(Layout { read_only: 0, read_write: 4096, stack: 4096 })
        .export(
            "main",
            &[
                asm::load_imm(Reg::A1, 11),
                asm::load_imm(Reg::A2, 12),
                asm::load_imm(Reg::A3, 13),
                asm::load_imm(Reg::A4, 14),
                asm::load_imm(Reg::A5, -1i32 as u32),
                asm::ecalli(0),
                asm::move_reg(Reg::A1, Reg::A0),
                asm::ecalli(1),
                asm::ret(),
            ],
        )
        .export("store", &[asm::store_u8(Reg::A0, 0x2_0000), asm::ecalli(0), asm::ret()])
        .export("load", &[asm::load_u8(Reg::A0, 0x2_0000), asm::ecalli(0), asm::ret()])
        .export("trap", &[asm::trap()])
        .export("loop", &[asm::ecalli(0), asm::fallthrough(), asm::ecalli(0), asm::ret()])
        .build()
}

#[test]
fn ids_count_up_from_0_and_are_not_given_twice() {
    let manager = &mut VirtManager::default();
    let key = Some(CacheKey::Identifier(b"id"));
    assert_eq!(manager.compile(counter(), key), Ok(ModuleId::from(0)));
    assert_eq!(manager.compile(b"garbage", None), Err(ModuleError::InvalidImage));
    assert_eq!(manager.compile(counter(), None), Ok(ModuleId::from(1)));
    assert_eq!(manager.lookup(CacheKey::Identifier(b"other")), Err(ModuleError::NotCached));
    assert_eq!(manager.lookup(CacheKey::Identifier(b"id")), Ok(ModuleId::from(2)));
    assert_eq!(manager.instantiate(ModuleId::from(2)), Ok(InstanceId::from(0)));
    assert_eq!(manager.instantiate(ModuleId::from(3)), Err(InstantiateError::InvalidModule));
    assert_eq!(manager.instantiate(ModuleId::from(u32::MAX)), Err(InstantiateError::InvalidModule));
    assert_eq!(manager.instantiate(ModuleId::from(0)), Ok(InstanceId::from(1)));
    assert_eq!(manager.destroy(InstanceId::from(1)), Ok(()));
    assert_eq!(manager.destroy(InstanceId::from(1)), Err(DestroyError::InvalidInstance));
    assert_eq!(manager.instantiate(ModuleId::from(0)), Ok(InstanceId::from(2)));
}

#[test]
fn identifiers_and_keys_of_the_main_trie_are_one_namespace_and_child_tries_are_others() {
    let manager = &mut VirtManager::default();
    let child = |child_trie: &'static [u8], storage_key: &'static [u8]| CacheKey::ChildTrie {
        child_trie,
        storage_key,
    };
    let mut find = |key| manager.lookup(key).is_ok();
    assert!(!find(CacheKey::Identifier(b"a")));

    manager.compile(&padded(1, 0), Some(CacheKey::Identifier(b"a"))).unwrap();
    let mut find = |key| manager.lookup(key).is_ok();
    assert!(find(CacheKey::Identifier(b"a")) && find(CacheKey::MainTrie(b"a")));
    assert!(!find(child(b"a", b"a")) && !find(child(b"", b"a")) && !find(child(b"a", b"")));

    manager.compile(&padded(2, 0), Some(CacheKey::MainTrie(b"b"))).unwrap();
    manager.compile(&padded(3, 0), Some(child(b"x", b"yz"))).unwrap();
    let mut find = |key| manager.lookup(key).is_ok();
    assert!(find(CacheKey::Identifier(b"b")) && find(CacheKey::MainTrie(b"b")));
    assert!(find(child(b"x", b"yz")));
    // The name of the trie and the key in it do not run into each other.
    assert!(
        !find(child(b"xy", b"z")) && !find(CacheKey::MainTrie(b"xyz")) && !find(CacheKey::MainTrie(b"yz"))
    );
}

#[test]
fn a_key_finds_the_module_that_was_compiled_last_under_it() {
    let manager = &mut VirtManager::default();
    let mut mark_under_key = |mark| {
        manager.compile(&padded(mark, 0), Some(CacheKey::Identifier(b"id"))).unwrap();
        let module = manager.lookup(CacheKey::Identifier(b"id")).unwrap();
        let instance = manager.instantiate(module).unwrap();
        manager.prepare(instance, b"main").unwrap();
        run(manager, instance, GAS, 0).1.a1
    };
    assert_eq!(mark_under_key(1), 1);
    assert_eq!(mark_under_key(2), 2);
}

#[test]
fn a_syscall_hands_over_symbol_arguments_and_gas() {
    let manager = &mut VirtManager::default();
    let instance = prepared(manager, &two_syscalls(), b"main");
    let (status, first) = run(manager, instance, GAS, 10);
    assert_eq!(status, Ok(ExecStatus::Syscall));
    assert_eq!(first.syscall_symbol.as_ref(), b"first");
    assert_eq!([first.a0, first.a1, first.a2, first.a3, first.a4, first.a5], [10, 11, 12, 13, 14, u64::MAX]);
    assert!((0..GAS).contains(&first.gas_left));

    // The answer is in a0, which the guest moves to a1. The block is paid, so the gas that is given stays.
    let (status, second) = run(manager, instance, 77, 0xdead_beef_dead_beef);
    assert_eq!(status, Ok(ExecStatus::Syscall));
    assert_eq!(second.syscall_symbol.as_ref(), b"second");
    assert_eq!([second.a0, second.a1, second.a2], [0xdead_beef_dead_beef, 0xdead_beef_dead_beef, 12]);
    assert_eq!(second.gas_left, 77);

    let (status, end) = run(manager, instance, 70, 0);
    assert_eq!(status, Ok(ExecStatus::Finished));
    assert_eq!(end, ExecBuffer { gas_left: 70, ..ExecBuffer::default() });
}

#[test]
fn only_a_ready_instance_runs_and_only_an_idle_one_is_prepared() {
    let manager = &mut VirtManager::default();
    let module = manager.compile(&two_syscalls(), None).unwrap();
    let instance = manager.instantiate(module).unwrap();
    assert_eq!(run(manager, instance, GAS, 0).0, Err(ExecError::InvalidInstance));
    assert_eq!(manager.prepare(instance, b"none"), Err(ExecError::InvalidImage));
    assert_eq!(run(manager, instance, GAS, 0).0, Err(ExecError::InvalidInstance));

    assert_eq!(manager.prepare(instance, b"main"), Ok(()));
    // Prepared, then suspended: in both cases ready, and what is prepared stays so.
    assert_eq!(manager.prepare(instance, b"trap"), Err(ExecError::InvalidInstance));
    assert_eq!(run(manager, instance, GAS, 0).0, Ok(ExecStatus::Syscall));
    assert_eq!(manager.prepare(instance, b"trap"), Err(ExecError::InvalidInstance));
    assert_eq!(run(manager, instance, GAS, 0).0, Ok(ExecStatus::Syscall));
    assert_eq!(run(manager, instance, GAS, 0).0, Ok(ExecStatus::Finished));
    assert_eq!(run(manager, instance, GAS, 0).0, Err(ExecError::InvalidInstance));
    assert_eq!(manager.prepare(instance, b"main"), Ok(()));
}

#[test]
fn after_a_trap_or_without_gas_an_instance_is_idle_and_its_memory_stays() {
    let manager = &mut VirtManager::default();
    let module = manager.compile(&two_syscalls(), None).unwrap();
    let instance = manager.instantiate(module).unwrap();
    manager.prepare(instance, b"store").unwrap();
    assert_eq!(run(manager, instance, GAS, 0x5a).0, Ok(ExecStatus::Syscall));
    assert_eq!(run(manager, instance, GAS, 0).0, Ok(ExecStatus::Finished));

    manager.prepare(instance, b"trap").unwrap();
    assert_eq!(run(manager, instance, GAS, 0).0, Err(ExecError::Trap));
    assert_eq!(run(manager, instance, GAS, 0).0, Err(ExecError::InvalidInstance));

    for gas in [0, -1, i64::MIN] {
        manager.prepare(instance, b"trap").unwrap();
        assert_eq!(run(manager, instance, gas, 0).0, Err(ExecError::OutOfGas), "{gas}");
        // To go on is the engine's affair; these host functions do not offer it.
        assert_eq!(run(manager, instance, GAS, 0).0, Err(ExecError::InvalidInstance), "{gas}");
    }

    manager.prepare(instance, b"load").unwrap();
    let (status, buffer) = run(manager, instance, GAS, 0);
    assert_eq!((status, buffer.a0), (Ok(ExecStatus::Syscall), 0x5a));
}

#[test]
fn each_instance_has_memory_of_its_own() {
    let manager = &mut VirtManager::default();
    let module = manager.compile(&two_syscalls(), None).unwrap();
    let [one, other] = [(); 2].map(|()| manager.instantiate(module).unwrap());
    manager.prepare(one, b"store").unwrap();
    run(manager, one, GAS, 0x5a).0.unwrap();
    manager.prepare(other, b"load").unwrap();
    assert_eq!(run(manager, other, GAS, 0).1.a0, 7, "the first byte of the read-write data is 7");
}

#[test]
fn a_resumed_run_pays_for_the_blocks_it_enters() {
    let manager = &mut VirtManager::default();
    let instance = prepared(manager, &two_syscalls(), b"loop");
    assert_eq!(run(manager, instance, GAS, 0).0, Ok(ExecStatus::Syscall));
    assert_eq!(run(manager, instance, 0, 0).0, Err(ExecError::OutOfGas));
}

#[test]
fn memory_is_accessible_while_ready() {
    let manager = &mut VirtManager::default();
    let module = manager.compile(&two_syscalls(), None).unwrap();
    let instance = manager.instantiate(module).unwrap();
    let address = 0x2_0000;
    let byte = &mut [0];
    for access in [0, 1] {
        assert_eq!(
            manager.read_memory(instance, address, &mut byte[..access]),
            Err(MemoryError::InvalidInstance)
        );
        assert_eq!(
            manager.write_memory(instance, address, &byte[..access]),
            Err(MemoryError::InvalidInstance)
        );
    }
    manager.prepare(instance, b"load").unwrap();
    assert_eq!(manager.write_memory(instance, address, &[0x77]), Ok(()));
    let (status, buffer) = run(manager, instance, GAS, 0);
    assert_eq!((status, buffer.a0), (Ok(ExecStatus::Syscall), 0x77));
    assert_eq!(manager.write_memory(instance, address + 4095, &[1]), Ok(()));
    assert_eq!(manager.write_memory(instance, address + 4095, &[2, 2]), Err(MemoryError::OutOfBounds));
    assert_eq!(manager.read_memory(instance, address + 4095, byte), Ok(()));
    assert_eq!(byte, &[1], "a write that fails writes nothing");
    assert_eq!(manager.read_memory(instance, address + 4095, &mut [0; 2]), Err(MemoryError::OutOfBounds));
    assert_eq!(run(manager, instance, GAS, 0).0, Ok(ExecStatus::Finished));
    assert_eq!(manager.read_memory(instance, address, byte), Err(MemoryError::InvalidInstance));
    assert_eq!(manager.write_memory(instance, address, byte), Err(MemoryError::InvalidInstance));
}

#[test]
fn unknown_and_destroyed_instances_are_refused() {
    let manager = &mut VirtManager::default();
    let destroyed = prepared(manager, counter(), b"counter");
    manager.destroy(destroyed).unwrap();
    for id in [destroyed, InstanceId::from(1), InstanceId::from(u32::MAX)] {
        assert_eq!(manager.prepare(id, b"counter"), Err(ExecError::InvalidInstance));
        assert_eq!(run(manager, id, GAS, 0).0, Err(ExecError::InvalidInstance));
        assert_eq!(manager.read_memory(id, 0x2_0000, &mut []), Err(MemoryError::InvalidInstance));
        assert_eq!(manager.write_memory(id, 0x2_0000, &[]), Err(MemoryError::InvalidInstance));
        assert_eq!(manager.destroy(id), Err(DestroyError::InvalidInstance));
    }
}

#[test]
fn symbols_have_up_to_32_bytes() {
    let manager = &mut VirtManager::default();
    let importing =
        |symbol: &[u8]| Guest::jam().import(symbol).export("main", &[asm::ecalli(0), asm::ret()]).build();
    for length in [0, 1, 32] {
        let symbol = vec![b's'; length];
        let instance = prepared(manager, &importing(&symbol), b"main");
        let (status, buffer) = run(manager, instance, GAS, 0);
        assert_eq!((status, buffer.syscall_symbol.as_ref()), (Ok(ExecStatus::Syscall), &symbol[..]));
    }
    assert_eq!(manager.compile(&importing(&[b's'; 33]), None), Err(ModuleError::InvalidImage));
}

#[test]
fn a_syscall_without_an_import_is_an_invalid_image_and_the_instance_idle() {
    let manager = &mut VirtManager::default();
    for index in [1, 2, 1024, u32::MAX] {
        let code = Guest::jam().import(b"one").export("main", &[asm::ecalli(index), asm::ret()]).build();
        let instance = prepared(manager, &code, b"main");
        assert_eq!(run(manager, instance, GAS, 0).0, Err(ExecError::InvalidImage), "{index}");
        assert_eq!(run(manager, instance, GAS, 0).0, Err(ExecError::InvalidInstance), "{index}");
        assert_eq!(manager.prepare(instance, b"main"), Ok(()), "{index}");
    }
}

#[test]
fn an_instance_can_be_destroyed_at_a_syscall_and_outlives_the_module_cache() {
    let cache = std::sync::Arc::new(hatchery_client::ModuleCache::new(Default::default()));
    let manager = &mut VirtManager::default().with_cache(cache.clone());
    let instance = prepared(manager, &two_syscalls(), b"main");
    drop(cache);
    assert_eq!(run(manager, instance, GAS, 0).0, Ok(ExecStatus::Syscall));
    assert_eq!(manager.destroy(instance), Ok(()));
}

#[test]
fn a_manager_can_move_between_threads_while_a_guest_is_suspended() {
    let mut manager = VirtManager::default();
    let instance = prepared(&mut manager, &two_syscalls(), b"main");
    assert_eq!(run(&mut manager, instance, GAS, 0).0, Ok(ExecStatus::Syscall));
    let status = std::thread::spawn(move || run(&mut manager, instance, GAS, 0).0).join().unwrap();
    assert_eq!(status, Ok(ExecStatus::Syscall));
}
