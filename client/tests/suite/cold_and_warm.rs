//! Whether the process has compiled a program before changes no answer.

use crate::common::{counter, counter_revive, padded};
use hatchery_client::{Backend, ClientConfig, ConsensusConstants, Limits, ModuleCache, VirtManager};
use hatchery_primitives::{CacheKey, ExecBuffer, TransactionType, VirtControlBackend, VirtManagerBackend};
use proptest::{collection, prelude::*, test_runner::RngSeed};
use std::sync::{Arc, LazyLock};

#[derive(Clone, Debug)]
enum Call {
    Compile(usize, Option<u8>),
    Lookup(u8),
    /// The program that is stored under a key, in the main trie or a child trie.
    Stored(usize, u8, bool),
    Instantiate(u32),
    Prepare(u32, usize),
    Run(u32, i64),
    Release(u32),
    Fork(u32),
    /// Of an instance for a module.
    Restore(u32, u32),
    Info(u32),
    Refusal,
    Resume(u32, i64),
    Result(u32),
    Stop(u32),
    PrepareWith(u32, usize),
    Reset(u32),
    Destroy(u32),
    Read(u32, u32),
    Write(u32, u32),
    Zero(u32, u32),
    Start(TransactionType),
    Commit(TransactionType),
    Rollback(TransactionType),
}

fn call() -> impl Strategy<Value = Call> {
    let ty = || prop_oneof![Just(TransactionType::Host), Just(TransactionType::Runtime)];
    prop_oneof![
        5 => (0..6usize, proptest::option::of(0..3u8)).prop_map(|(code, key)| Call::Compile(code, key)),
        2 => (0..3u8).prop_map(Call::Lookup),
        4 => (0..6u32).prop_map(Call::Instantiate),
        4 => (0..4u32, 0..3usize).prop_map(|(id, export)| Call::Prepare(id, export)),
        6 => (0..4u32, prop_oneof![Just(0), Just(100), Just(1_000_000)]).prop_map(|(id, gas)| Call::Run(id, gas)),
        1 => (0..6u32).prop_map(Call::Release),
        1 => (0..4u32).prop_map(Call::Fork),
        1 => (0..4u32, 0..6u32).prop_map(|(id, module)| Call::Restore(id, module)),
        1 => (0..6u32).prop_map(Call::Info),
        1 => Just(Call::Refusal),
        2 => (0..6usize, 0..3u8, any::<bool>()).prop_map(|(code, key, child)| Call::Stored(code, key, child)),
        2 => (0..4u32, prop_oneof![Just(-1), Just(0), Just(1_000_000)]).prop_map(|(id, gas)| Call::Resume(id, gas)),
        1 => (0..4u32).prop_map(Call::Result),
        2 => (0..4u32).prop_map(Call::Stop),
        2 => (0..4u32, 0..3usize).prop_map(|(id, export)| Call::PrepareWith(id, export)),
        1 => (0..4u32).prop_map(Call::Reset),
        1 => (0..4u32).prop_map(Call::Destroy),
        2 => (0..4u32, address()).prop_map(|(id, address)| Call::Read(id, address)),
        2 => (0..4u32, address()).prop_map(|(id, address)| Call::Write(id, address)),
        1 => (0..4u32, address()).prop_map(|(id, address)| Call::Zero(id, address)),
        1 => ty().prop_map(Call::Start),
        1 => ty().prop_map(Call::Commit),
        1 => ty().prop_map(Call::Rollback),
    ]
}

/// Where the counter has its data and its stack, and where nothing is.
fn address() -> impl Strategy<Value = u32> {
    prop_oneof![0x1_0000..0x1_0008u32, 0x2_fffe..0x3_0008u32, 0xfffd_fff0..0xfffe_0001u32, Just(0)]
}

/// Makes the call, and gives all that a runtime sees of it.
fn seen(manager: &mut VirtManager, call: &Call) -> String {
    static CODES: LazyLock<[Vec<u8>; 6]> = LazyLock::new(|| {
        let large = padded(3, 10_000);
        [
            counter().to_vec(),
            counter_revive().to_vec(),
            padded(1, 0),
            padded(2, 5),
            large,
            b"garbage".to_vec(),
        ]
    });
    let mut buffer = ExecBuffer::default();
    let exports: [&[u8]; 3] = [b"counter", b"main", b"increment_forever"];
    match call {
        Call::Compile(code, key) => {
            let key = key.as_ref().map(std::slice::from_ref).map(CacheKey::Identifier);
            format!("{:?}", manager.compile(&CODES[*code], key))
        }
        Call::Lookup(key) => format!("{:?}", manager.lookup(CacheKey::Identifier(std::slice::from_ref(key)))),
        Call::Instantiate(module) => format!("{:?}", manager.instantiate((*module).into())),
        Call::Stored(code, key, child) => {
            let storage_key = std::slice::from_ref(key);
            let key = CacheKey::of_storage(storage_key, if *child { b"child" } else { b"" });
            // As the host function does it.
            match manager.lookup(key) {
                Ok(id) => format!("cached {id:?}"),
                Err(_) => format!("{:?}", manager.compile(&CODES[*code], Some(key))),
            }
        }
        Call::Prepare(id, export) => format!("{:?}", manager.prepare((*id).into(), exports[*export])),
        Call::PrepareWith(id, export) => {
            format!("{:?}", manager.prepare_with_args((*id).into(), exports[*export], [5, 4, 3, 2, 1]))
        }
        Call::Resume(id, gas) => {
            let status = manager.resume((*id).into(), *gas, &mut buffer);
            format!("{status:?} {:?}", status.is_ok().then_some(buffer))
        }
        Call::Result(id) => format!("{:?}", manager.result((*id).into())),
        Call::Stop(id) => format!("{:?}", manager.exit_info(Some((*id).into()))),
        Call::Reset(id) => format!("{:?}", manager.reset((*id).into())),
        Call::Destroy(id) => format!("{:?}", manager.destroy((*id).into())),
        Call::Read(id, address) => {
            let mut bytes = [0; 4];
            let result = manager.read_memory((*id).into(), *address, &mut bytes);
            format!("{result:?} {:?}", result.is_ok().then_some(bytes))
        }
        Call::Write(id, address) => {
            format!("{:?}", manager.write_memory((*id).into(), *address, &address.to_le_bytes()))
        }
        Call::Zero(id, address) => format!("{:?}", manager.zero_memory((*id).into(), *address, 3)),
        Call::Run(id, gas) => {
            let status = manager.run((*id).into(), *gas, 1, &mut buffer);
            format!("{status:?} {:?}", status.is_ok().then_some(buffer))
        }
        Call::Release(module) => format!("{:?}", manager.release_module((*module).into())),
        Call::Fork(id) => format!("{:?}", manager.fork((*id).into())),
        Call::Restore(id, module) => match manager.snapshot((*id).into()) {
            Ok(bytes) => format!("{bytes:?} {:?}", manager.restore((*module).into(), &bytes)),
            Err(error) => format!("{error:?}"),
        },
        Call::Info(module) => format!("{:?}", manager.module_info((*module).into())),
        Call::Refusal => format!("{:?} {:?}", manager.exit_info(None), manager.limits()),
        Call::Start(ty) => format!("{:?}", manager.start_transaction(*ty)),
        Call::Commit(ty) => format!("{:?}", manager.commit_transaction(*ty)),
        Call::Rollback(ty) => format!("{:?}", manager.rollback_transaction(*ty)),
    }
}

fn cache(bytes: usize) -> Arc<ModuleCache> {
    cache_on(Backend::Interpreter, bytes)
}

fn cache_on(backend: Backend, bytes: usize) -> Arc<ModuleCache> {
    Arc::new(ModuleCache::new(ClientConfig::default().backend(backend).cache_bytes(bytes)))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(11),
        ..ProptestConfig::default()
    })]

    /// The same calls on a process that knows nothing, one that knows all, one that forgets most, one that keeps nothing, and on
    /// each backend.
    #[test]
    fn no_answer_depends_on_what_the_process_knows(calls in collection::vec(call(), 1..100)) {
        // Few enough that the limits are reached too.
        let limits = Limits { modules: 4, instances: 3, nesting: 2, ..Limits::V1 };
        let play = |cache: &Arc<ModuleCache>| -> Vec<String> {
            let mut manager =
                VirtManager::new(ConsensusConstants::v1().limits(limits)).with_cache(cache.clone());
            calls.iter().map(|call| seen(&mut manager, call)).collect()
        };
        let cache_of_all = cache(usize::MAX);
        let cold = play(&cache_of_all);
        let warm = play(&cache_of_all);
        let forgetful = play(&cache(1));
        let none = play(&cache(0));
        for &backend in Backend::AVAILABLE {
            let other = play(&cache_on(backend, usize::MAX));
            for (at, call) in calls.iter().enumerate() {
                prop_assert_eq!(&other[at], &cold[at], "{}, call {}: {:?}", backend.name(), at, call);
            }
        }
        for (at, call) in calls.iter().enumerate() {
            prop_assert_eq!(&warm[at], &cold[at], "call {}: {:?}", at, call);
            prop_assert_eq!(&forgetful[at], &cold[at], "call {}: {:?}", at, call);
            prop_assert_eq!(&none[at], &cold[at], "call {}: {:?}", at, call);
        }
    }
}

/// Code alone does not name a module: under other rules it is another one.
#[test]
fn modules_of_different_rules_do_not_meet_in_the_cache() {
    let cache = cache(usize::MAX);
    let gas_used = |constants: ConsensusConstants| {
        let mut manager = VirtManager::new(constants).with_cache(cache.clone());
        let module = manager.compile(counter(), None).unwrap();
        let instance = manager.instantiate(module).unwrap();
        manager.prepare(instance, b"counter").unwrap();
        let mut buffer = ExecBuffer::default();
        manager.run(instance, 1_000_000, 0, &mut buffer).unwrap();
        1_000_000 - buffer.gas_left
    };
    let v1 = ConsensusConstants::v1();
    let flat = v1.gas_model(hatchery_client::GasModel::Flat);
    let (pipeline, by_instruction) = (gas_used(v1), gas_used(flat));
    assert_ne!(pipeline, by_instruction);
    assert_eq!(cache.statistics().compiled, 2);
    assert_eq!((gas_used(v1), gas_used(flat)), (pipeline, by_instruction));
    // Limits are the manager's affair, so they share the module.
    assert_eq!(gas_used(v1.limits(Limits { instances: 1, ..Limits::V1 })), pipeline);
    assert_eq!((cache.statistics().compiled, cache.statistics().modules), (2, 2));
}
