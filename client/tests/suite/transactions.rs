//! What is left of a manager after storage transactions.

use crate::common::{Guest, counter, on_each_backend};
use hatchery_client::VirtManager;
use hatchery_primitives::{
    CacheKey, CompileStatus, DestroyError, ExecBuffer, ExecError, ExecStatus, InstanceId, InstantiateError,
    MemoryError, Module, ModuleError, ModuleId,
    TransactionType::{self, Host, Runtime},
    VirtControlBackend, VirtManagerBackend, VirtManagerExt,
};
use polkavm_common_033::program::{Reg, asm};
use proptest::{prelude::*, test_runner::RngSeed};
use sp_io::TestExternalities;

const GAS: i64 = 1_000_000;
const KEY: CacheKey<'static> = CacheKey::Identifier(b"key");

/// A guest whose export `count` adds a0 to a number in memory and makes a syscall with the sum, twice.
fn summing() -> Vec<u8> {
    let add = [
        asm::load_u64(Reg::A1, 0x2_0000),
        asm::add_64(Reg::A0, Reg::A0, Reg::A1),
        asm::store_u64(Reg::A0, 0x2_0000),
        asm::ecalli(0),
    ];
    Guest::jam()
        .import(b"sum")
        .memory_sizes(0, 4096, 4096)
        .export("count", &[&add[..], &add[..], &[asm::ret()]].concat())
        .export("trap", &[asm::trap()])
        .build()
}

fn run(manager: &mut VirtManager, id: u32, a0: u64) -> (Result<ExecStatus, ExecError>, u64) {
    let mut buffer = ExecBuffer::default();
    (manager.run(id.into(), GAS, a0, &mut buffer), buffer.a0)
}

/// A manager with an instance of [`summing`], instance 0, which is suspended with the sum 5.
fn suspended() -> VirtManager {
    suspended_in(VirtManager::default())
}

fn suspended_in(mut manager: VirtManager) -> VirtManager {
    manager.compile(&summing(), None).unwrap();
    manager.instantiate(0.into()).unwrap();
    manager.prepare(0.into(), b"count").unwrap();
    assert_eq!(run(&mut manager, 0, 5), (Ok(ExecStatus::Syscall), 5));
    manager
}

#[test]
fn after_a_host_rollback_it_is_as_if_nothing_had_been_tried() {
    let manager = &mut suspended();
    manager.start_transaction(Host);
    assert_eq!(manager.compile(counter(), Some(KEY)), Ok(ModuleId::from(1)));
    assert_eq!(manager.lookup(KEY), Ok(ModuleId::from(2)));
    assert_eq!(manager.instantiate(2.into()), Ok(InstanceId::from(1)));
    assert_eq!(run(manager, 0, 10), (Ok(ExecStatus::Syscall), 15));
    manager.rollback_transaction(Host);

    assert_eq!(manager.lookup(KEY), Err(ModuleError::NotCached));
    assert_eq!(manager.instantiate(1.into()), Err(InstantiateError::InvalidModule));
    assert_eq!(manager.destroy(1.into()), Err(DestroyError::InvalidInstance));
    assert_eq!(run(manager, 0, 100), (Ok(ExecStatus::Syscall), 105), "it is back at the first syscall");
    assert_eq!(manager.compile(counter(), None), Ok(ModuleId::from(1)));
    assert_eq!(manager.instantiate(1.into()), Ok(InstanceId::from(1)));
}

#[test]
fn after_a_host_commit_everything_stays() {
    let manager = &mut suspended();
    manager.start_transaction(Host);
    manager.compile(counter(), Some(KEY)).unwrap();
    manager.instantiate(1.into()).unwrap();
    run(manager, 0, 10).0.unwrap();
    manager.commit_transaction(Host);
    assert_eq!(manager.lookup(KEY), Ok(ModuleId::from(2)));
    assert_eq!(manager.prepare(1.into(), b"counter"), Ok(()));
    assert_eq!(run(manager, 0, 0).0, Ok(ExecStatus::Finished));
}

#[test]
fn a_destroyed_instance_comes_back() {
    let manager = &mut suspended();
    manager.start_transaction(Host);
    manager.destroy(0.into()).unwrap();
    assert_eq!(run(manager, 0, 0).0, Err(ExecError::InvalidInstance));
    manager.rollback_transaction(Host);
    assert_eq!(run(manager, 0, 10), (Ok(ExecStatus::Syscall), 15));

    // Also as it was before what happened to it inside.
    let manager = &mut suspended();
    manager.start_transaction(Host);
    run(manager, 0, 10).0.unwrap();
    manager.destroy(0.into()).unwrap();
    manager.rollback_transaction(Host);
    assert_eq!(run(manager, 0, 100), (Ok(ExecStatus::Syscall), 105));
}

#[test]
fn every_kind_of_change_is_undone() {
    let address = 0x2_0000;
    let changes: [fn(&mut VirtManager); 9] = [
        |manager| manager.zero_memory(0.into(), 0x2_0000, 8).unwrap(),
        |manager| manager.reset(0.into()).unwrap(),
        |manager| {
            let resumed = manager.resume(0.into(), GAS, &mut ExecBuffer::default());
            assert_eq!(resumed, Ok(ExecStatus::Syscall));
        },
        |manager| {
            let fork = manager.fork(0.into()).unwrap();
            manager.write_memory(fork, 0x2_0000, &[0xff; 8]).unwrap();
            manager.destroy(0.into()).unwrap();
        },
        |manager| {
            run(manager, 0, 1).0.unwrap();
            run(manager, 0, 1).0.unwrap();
            manager.prepare_with_args(0.into(), b"count", [9; 5]).unwrap();
            run(manager, 0, 1).0.unwrap();
        },
        |manager| manager.write_memory(0.into(), 0x2_0000, &[0xff; 8]).unwrap(),
        |manager| {
            assert_eq!(manager.run(0.into(), 0, 0, &mut ExecBuffer::default()), Ok(ExecStatus::Syscall));
        },
        |manager| {
            run(manager, 0, 1).0.unwrap();
            run(manager, 0, 1).0.unwrap();
            manager.prepare(0.into(), b"trap").unwrap();
            assert_eq!(run(manager, 0, 1).0, Err(ExecError::Trap));
        },
        |manager| {
            run(manager, 0, 1).0.unwrap();
            run(manager, 0, 1).0.unwrap();
            manager.prepare(0.into(), b"count").unwrap();
            assert_eq!(manager.run(0.into(), 0, 0, &mut ExecBuffer::default()), Err(ExecError::OutOfGas));
        },
    ];
    on_each_backend(|cache| {
        for change in changes {
            let manager = &mut suspended_in(VirtManager::default().with_cache(cache.clone()));
            manager.start_transaction(Host);
            change(manager);
            manager.rollback_transaction(Host);
            let mut sum = [0; 8];
            manager.read_memory(0.into(), address, &mut sum).unwrap();
            assert_eq!(u64::from_le_bytes(sum), 5);
            assert_eq!(run(manager, 0, 10), (Ok(ExecStatus::Syscall), 15));
            assert_eq!(run(manager, 0, 0).0, Ok(ExecStatus::Finished));
            assert_eq!(manager.read_memory(0.into(), address, &mut sum), Err(MemoryError::InvalidInstance));
            assert_eq!(manager.instantiate(0.into()), Ok(InstanceId::from(1)), "ids are as before");
        }
    });
}

/// Of an instance that is idle, or out of gas.
#[test]
fn changes_of_what_does_not_wait_are_undone() {
    let out_of_gas = || {
        let mut manager = suspended();
        run(&mut manager, 0, 1).0.unwrap();
        run(&mut manager, 0, 1).0.unwrap();
        manager.prepare_with_args(0.into(), b"count", [1, 2, 3, 4, 5]).unwrap();
        assert_eq!(manager.run(0.into(), 0, 0, &mut ExecBuffer::default()), Err(ExecError::OutOfGas));
        manager
    };
    let changes: [fn(&mut VirtManager); 4] = [
        |manager| {
            let resumed = manager.resume(0.into(), GAS, &mut ExecBuffer::default());
            assert_eq!(resumed, Ok(ExecStatus::Syscall));
        },
        |manager| manager.prepare_with_args(0.into(), b"trap", [0; 5]).unwrap(),
        |manager| manager.reset(0.into()).unwrap(),
        |manager| {
            assert_eq!(manager.prepare(0.into(), b"absent"), Err(ExecError::InvalidImage));
        },
    ];
    for change in changes {
        let (manager, untouched) = (&mut out_of_gas(), &mut out_of_gas());
        manager.start_transaction(Host);
        change(manager);
        manager.rollback_transaction(Host);
        assert_eq!(manager.exit_info(Some(0.into())), untouched.exit_info(Some(0.into())));
        assert_eq!(manager.limits(), untouched.limits());
        for manager in [manager, untouched] {
            let buffer = &mut ExecBuffer::default();
            assert_eq!(manager.resume(0.into(), GAS, buffer), Ok(ExecStatus::Syscall));
            // Its own a0, and what the two calls before have summed up; a1 was loaded before the syscall.
            assert_eq!([buffer.a0, buffer.a2, buffer.a5], [6, 2, 5]);
        }
    }
}

#[test]
fn host_transactions_nest() {
    // The inner one is committed, the outer one rolled back, and the other way around.
    for (inner_first, committed_inside) in [(true, false), (false, true)] {
        let manager = &mut suspended();
        manager.start_transaction(Host);
        if inner_first {
            manager.compile(counter(), Some(KEY)).unwrap();
            manager.write_memory(0.into(), 0x2_0000, &[1]).unwrap();
        }
        manager.start_transaction(Host);
        manager.compile(counter(), Some(CacheKey::MainTrie(b"inner"))).unwrap();
        manager.write_memory(0.into(), 0x2_0000, &[2]).unwrap();
        if committed_inside {
            manager.commit_transaction(Host);
            manager.rollback_transaction(Host);
        } else {
            manager.rollback_transaction(Host);
            let mut byte = [0];
            manager.read_memory(0.into(), 0x2_0000, &mut byte).unwrap();
            assert_eq!(byte, [1], "as it was when the inner one began");
            assert_eq!(manager.lookup(CacheKey::MainTrie(b"inner")), Err(ModuleError::NotCached));
            assert!(manager.lookup(KEY).is_ok());
            manager.rollback_transaction(Host);
        }
        assert_eq!(manager.lookup(KEY), Err(ModuleError::NotCached));
        assert_eq!(manager.lookup(CacheKey::MainTrie(b"inner")), Err(ModuleError::NotCached));
        assert_eq!(run(manager, 0, 10), (Ok(ExecStatus::Syscall), 15));
    }
}

#[test]
fn after_a_runtime_rollback_only_identifiers_are_gone() {
    let manager = &mut suspended();
    manager.compile(&summing(), Some(KEY)).unwrap();
    let inside = CacheKey::ChildTrie { child_trie: b"child", storage_key: b"inside" };
    manager.start_transaction(Runtime);
    assert_eq!(manager.compile(counter(), Some(inside)), Ok(ModuleId::from(2)));
    assert_eq!(manager.compile(counter(), Some(KEY)), Ok(ModuleId::from(3)));
    assert_eq!(manager.instantiate(2.into()), Ok(InstanceId::from(1)));
    run(manager, 0, 10).0.unwrap();
    manager.rollback_transaction(Runtime);

    assert_eq!(manager.lookup(inside), Err(ModuleError::NotCached));
    assert_eq!(manager.lookup(KEY), Ok(ModuleId::from(4)));
    let of_key = manager.instantiate(4.into()).unwrap();
    assert_eq!(of_key, InstanceId::from(2));
    assert_eq!(manager.prepare(of_key, b"count"), Ok(()), "the key has the module from before");
    assert_eq!(manager.prepare(1.into(), b"counter"), Ok(()), "what was made inside can be used");
    assert_eq!(run(manager, 0, 0).0, Ok(ExecStatus::Finished), "and what was run inside has run");
}

#[test]
fn what_a_runtime_transaction_commits_is_undone_with_the_one_around_it() {
    for outer in [Host, Runtime] {
        let manager = &mut VirtManager::default();
        manager.start_transaction(outer);
        manager.start_transaction(Runtime);
        manager.compile(counter(), Some(KEY)).unwrap();
        manager.commit_transaction(Runtime);
        assert!(manager.lookup(KEY).is_ok());
        manager.rollback_transaction(outer);
        assert_eq!(manager.lookup(KEY), Err(ModuleError::NotCached), "{outer:?}");
    }
}

#[test]
fn a_commit_without_a_start_does_nothing() {
    for ty in [Host, Runtime] {
        let manager = &mut suspended();
        manager.compile(counter(), Some(KEY)).unwrap();
        manager.commit_transaction(ty);
        assert!(manager.lookup(KEY).is_ok());
        assert_eq!(run(manager, 0, 10), (Ok(ExecStatus::Syscall), 15));
    }
}

#[test]
fn a_rollback_without_a_start_leads_back_to_the_registration() {
    let manager = &mut suspended();
    manager.compile(counter(), Some(KEY)).unwrap();
    manager.rollback_transaction(Runtime);
    assert_eq!(manager.lookup(KEY), Err(ModuleError::NotCached));
    assert_eq!(run(manager, 0, 10), (Ok(ExecStatus::Syscall), 15));

    manager.compile(counter(), Some(KEY)).unwrap();
    manager.rollback_transaction(Host);
    assert_eq!(manager.lookup(KEY), Err(ModuleError::NotCached));
    assert_eq!(run(manager, 0, 0).0, Err(ExecError::InvalidInstance));
    assert_eq!(manager.compile(counter(), None), Ok(ModuleId::from(0)));
    assert_eq!(manager.instantiate(0.into()), Ok(InstanceId::from(0)));
}

#[test]
fn a_host_end_rolls_back_the_runtime_layers_that_a_trap_left_open() {
    let (open, committed) = (CacheKey::Identifier(b"open"), CacheKey::Identifier(b"committed"));
    for started in [true, false] {
        let manager = &mut VirtManager::default();
        if started {
            manager.start_transaction(Host);
        }
        manager.compile(counter(), Some(KEY)).unwrap();
        manager.start_transaction(Runtime);
        manager.compile(counter(), Some(open)).unwrap();
        manager.start_transaction(Runtime);
        manager.compile(counter(), Some(committed)).unwrap();
        manager.commit_transaction(Runtime);
        manager.start_transaction(Runtime);
        manager.commit_transaction(Host);
        assert_eq!(manager.lookup(open), Err(ModuleError::NotCached));
        assert_eq!(manager.lookup(committed), Err(ModuleError::NotCached));
        assert_eq!(manager.lookup(KEY), Ok(ModuleId::from(3)));
        // Nothing is open any more.
        manager.compile(counter(), Some(open)).unwrap();
        manager.commit_transaction(Runtime);
        assert!(manager.lookup(open).is_ok());
    }
}

/// A runtime may open as many layers as it pays for, and work in them. If each step took as long as there are layers, this
/// would take hours.
#[test]
fn many_layers_cost_what_they_are() {
    let manager = &mut suspended();
    manager.start_transaction(Host);
    for _ in 0..200_000 {
        manager.start_transaction(Runtime);
    }
    for _ in 0..200_000 {
        let instance = manager.instantiate(0.into()).unwrap();
        manager.destroy(instance).unwrap();
    }
    for _ in 0..200_000 {
        manager.rollback_transaction(Runtime);
    }
    manager.rollback_transaction(Host);
    assert_eq!(manager.instantiate(0.into()), Ok(InstanceId::from(1)));
}

/// The hooks as the storage functions of a runtime cause them.
#[test]
fn a_storage_layer_of_the_runtime_takes_identifiers_with_it() {
    let mut externalities = TestExternalities::default();
    externalities.register_extension(VirtManagerExt::new(VirtManager::default()));
    externalities.execute_with(|| {
        sp_io::storage::start_transaction();
        sp_io::storage::set(b"code", counter());
        let (module, status) = Module::from_storage_key(b"code", b"").unwrap();
        assert_eq!(status, CompileStatus::Compiled);
        sp_io::storage::rollback_transaction();
        assert_eq!(Module::from_storage_key(b"code", b"").unwrap_err(), ModuleError::NotFound);
        assert!(module.instantiate().unwrap().prepare(b"counter").is_ok());

        sp_io::storage::start_transaction();
        sp_io::storage::set(b"code", counter());
        Module::from_storage_key(b"code", b"").unwrap();
        sp_io::storage::commit_transaction();
        assert_eq!(Module::from_storage_key(b"code", b"").unwrap().1, CompileStatus::Cached);
    });
}

/// The same over upstream's host functions.
#[test]
fn behind_upstreams_host_functions_too() {
    let mut externalities = TestExternalities::default();
    externalities.register_extension(hatchery_client::UpstreamExt::default());
    externalities.execute_with(|| {
        sp_io::storage::start_transaction();
        assert!(sp_virtualization::Module::from_bytes(counter(), Some(b"id")).is_ok());
        sp_io::storage::rollback_transaction();
        assert_eq!(
            sp_virtualization::Module::lookup(b"id").err(),
            Some(sp_virtualization::ModuleError::NotCached)
        );
    });
}

#[derive(Clone, Debug)]
enum Step {
    Start(TransactionType),
    Commit(TransactionType),
    Rollback(TransactionType),
    Call(Call),
}

#[derive(Clone, Debug)]
enum Call {
    Compile(u8),
    Lookup(u8),
    Instantiate(u8),
    Prepare(u8),
    Run(u8, u8),
    Write(u8, u8),
    Destroy(u8),
    Fork(u8),
    Reset(u8),
    Resume(u8),
    Zero(u8),
    PrepareWith(u8),
    Release(u8),
    Info(u8),
    /// A Runtime transaction's end or beginning, where it is part of what a runtime did.
    Hook(Hook),
}

#[derive(Clone, Debug)]
enum Hook {
    Start,
    Commit,
    Rollback,
}

fn step() -> impl Strategy<Value = Step> {
    let ty = prop_oneof![Just(Host), Just(Runtime)];
    let instance = 0..4u8;
    prop_oneof![
        2 => ty.clone().prop_map(Step::Start),
        2 => ty.clone().prop_map(Step::Commit),
        2 => ty.prop_map(Step::Rollback),
        20 => prop_oneof![
            (0..4u8).prop_map(Call::Compile),
            (0..4u8).prop_map(Call::Lookup),
            (0..6u8).prop_map(Call::Instantiate),
            instance.clone().prop_map(Call::Prepare),
            (instance.clone(), 0..9u8).prop_map(|(id, a0)| Call::Run(id, a0)),
            (instance.clone(), 0..9u8).prop_map(|(id, byte)| Call::Write(id, byte)),
            instance.clone().prop_map(Call::Destroy),
            instance.clone().prop_map(Call::Fork),
            instance.clone().prop_map(Call::Reset),
            instance.clone().prop_map(Call::Resume),
            instance.clone().prop_map(Call::Zero),
            instance.clone().prop_map(Call::PrepareWith),
            (0..6u8).prop_map(Call::Release),
            instance.prop_map(Call::Info),
        ].prop_map(Step::Call),
    ]
}

/// Makes a call and gives all that a runtime sees of it.
fn observe(manager: &mut VirtManager, code: &[u8], call: &Call) -> String {
    let key = |number: &u8| match number {
        0 => CacheKey::Identifier(b"0"),
        1 => CacheKey::MainTrie(b"1"),
        2 => CacheKey::ChildTrie { child_trie: b"c", storage_key: b"0" },
        _ => CacheKey::ChildTrie { child_trie: b"d", storage_key: b"0" },
    };
    let id = |id: &u8| InstanceId::from(u32::from(*id));
    match call {
        Call::Compile(number) => format!("{:?}", manager.compile(code, Some(key(number)))),
        Call::Lookup(number) => format!("{:?}", manager.lookup(key(number))),
        Call::Instantiate(module) => format!("{:?}", manager.instantiate(u32::from(*module).into())),
        Call::Prepare(instance) => format!("{:?}", manager.prepare(id(instance), b"count")),
        Call::Run(instance, a0) => format!("{:?}", run(manager, u32::from(*instance), u64::from(*a0))),
        Call::Write(instance, byte) => {
            format!("{:?}", manager.write_memory(id(instance), 0x2_0000, &[*byte]))
        }
        Call::Destroy(instance) => format!("{:?}", manager.destroy(id(instance))),
        Call::Fork(instance) => format!("{:?}", manager.fork(id(instance))),
        Call::Reset(instance) => format!("{:?}", manager.reset(id(instance))),
        Call::Resume(instance) => {
            let mut buffer = ExecBuffer::default();
            let status = manager.resume(id(instance), GAS, &mut buffer);
            format!("{status:?} {:?}", status.is_ok().then_some(buffer))
        }
        Call::Zero(instance) => format!("{:?}", manager.zero_memory(id(instance), 0x2_0001, 3)),
        Call::PrepareWith(instance) => {
            format!("{:?}", manager.prepare_with_args(id(instance), b"count", [7, 6, 5, 4, 3]))
        }
        Call::Release(module) => format!("{:?}", manager.release_module(u32::from(*module).into())),
        Call::Info(instance) => {
            let instance = id(instance);
            let (info, refusal) = (manager.exit_info(Some(instance)), manager.exit_info(None));
            format!("{info:?} {refusal:?} {:?} {:?}", manager.result(instance), manager.limits())
        }
        Call::Hook(Hook::Start) => format!("{:?}", manager.start_transaction(Runtime)),
        Call::Hook(Hook::Commit) => format!("{:?}", manager.commit_transaction(Runtime)),
        Call::Hook(Hook::Rollback) => format!("{:?}", manager.rollback_transaction(Runtime)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        rng_seed: RngSeed::Fixed(0),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Host transactions that were rolled back have left no trace: a manager that plays only what was not undone
    /// answers every call alike.
    #[test]
    fn who_imports_the_block_sees_the_same(steps in proptest::collection::vec(step(), 1..80)) {
        let code = summing();
        let author = &mut VirtManager::default();
        // What is part of the block so far, and where in it the open transactions began.
        let mut block: Vec<Call> = Vec::new();
        let mut open: Vec<(TransactionType, usize)> = Vec::new();
        for call in [Call::Compile(0), Call::Instantiate(0), Call::Instantiate(0), Call::Prepare(0), Call::Run(0, 1)] {
            observe(author, &code, &call);
            block.push(call);
        }
        for step in steps {
            match step {
                Step::Start(ty) => {
                    author.start_transaction(ty);
                    open.push((ty, block.len()));
                    if ty == Runtime {
                        block.push(Call::Hook(Hook::Start));
                    }
                }
                Step::Commit(Runtime) | Step::Rollback(Runtime) if open.last().is_none_or(|(ty, _)| *ty == Host) => {}
                Step::Commit(Runtime) => {
                    author.commit_transaction(Runtime);
                    open.pop();
                    block.push(Call::Hook(Hook::Commit));
                }
                Step::Rollback(Runtime) => {
                    author.rollback_transaction(Runtime);
                    open.pop();
                    block.push(Call::Hook(Hook::Rollback));
                }
                Step::Commit(Host) | Step::Rollback(Host) if open.iter().all(|(ty, _)| *ty == Runtime) => {}
                Step::Commit(Host) => {
                    author.commit_transaction(Host);
                    while let Some((Runtime, _)) = open.pop() {
                        block.push(Call::Hook(Hook::Rollback));
                    }
                }
                Step::Rollback(Host) => {
                    author.rollback_transaction(Host);
                    while let Some((ty, start)) = open.pop() {
                        if ty == Host {
                            block.truncate(start);
                            break;
                        }
                    }
                }
                Step::Call(call) => {
                    observe(author, &code, &call);
                    block.push(call);
                }
            }
        }
        let importer = &mut VirtManager::default();
        for call in &block {
            observe(importer, &code, call);
        }
        let questions = (0..8).map(Call::Info)
            .chain((0..4).map(Call::Lookup))
            .chain((0..8).map(Call::Resume))
            .chain((0..8).map(|id| Call::Run(id, 1)))
            .chain((0..8).map(|id| Call::Write(id, 1)))
            .chain((0..8).map(Call::Instantiate))
            .chain((0..8).map(Call::Fork))
            .chain((0..8).map(Call::Prepare))
            .chain((0..8).map(Call::Release))
            .chain((0..8).map(|id| Call::Run(id, 1)))
            .chain([Call::Compile(0)]);
        for question in questions {
            prop_assert_eq!(
                observe(author, &code, &question),
                observe(importer, &code, &question),
                "{:?} after {:?}", question, block
            );
        }
    }
}
