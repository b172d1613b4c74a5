//! The second set of host functions over the real manager, through the wrappers that a runtime uses.

use crate::common::{Guest, Layout, counter, on_each_backend};
use hatchery_client::VirtManager;
use hatchery_engine::TrapKind as EngineTrapKind;
use hatchery_primitives::{
    CallResult, CompileStatus, ControlError, ExecError, ExecResult, Execution, ExitInfo, Instance,
    InstanceId, MemoryError, Module, ModuleError, ModuleId, NO_INSTANCE, Refusal, Stop, TrapKind,
    VirtManagerExt, last_refusal, limits, virtualization, virtualization_control as control,
};
use polkavm_common_033::program::{Reg, asm};
use sha2::{Digest, Sha256};
use sp_io::TestExternalities;

const GAS: i64 = 1_000_000;
const LAYOUT: Layout = Layout { read_only: 0, read_write: 4096, stack: 4096 };

/// Exports of a few instructions each, with known ends.
fn guest() -> Vec<u8> {
    Guest::jam()
        .import(b"first")
        .import(b"second")
        .memory(LAYOUT)
        .export("arguments", &[asm::ecalli(0), asm::ret()])
        .export("two", &[asm::ecalli(0), asm::load_imm(Reg::A1, 9), asm::ecalli(1), asm::ret()])
        .export("store", &[asm::store_u8(Reg::A0, 0x2_0000), asm::ret()])
        .export("load", &[asm::load_u8(Reg::A0, 0x2_0000), asm::ret()])
        .export(
            "add",
            &[
                asm::add_64(Reg::A0, Reg::A0, Reg::A1),
                asm::fallthrough(),
                asm::add_64(Reg::A0, Reg::A0, Reg::A1),
                asm::ret(),
            ],
        )
        .export("trap", &[asm::trap()])
        .export("null", &[asm::load_u8(Reg::A0, 0x10), asm::ret()])
        .export("unknown", &[asm::ecalli(7), asm::ret()])
        .build()
}

/// Runs a test with a manager of each backend that this machine has.
fn with_manager(test: impl Fn()) {
    on_each_backend(|cache| {
        let mut externalities = TestExternalities::default();
        externalities.register_extension(VirtManagerExt::new(VirtManager::default().with_cache(cache)));
        externalities.execute_with(&test);
    });
}

fn instance() -> Instance {
    Module::from_bytes(&guest(), None).unwrap().0.instantiate().unwrap()
}

fn prepared(export: &[u8]) -> Execution {
    instance().prepare(export).unwrap()
}

fn finished(result: ExecResult<Instance, Execution>) -> Instance {
    match result {
        ExecResult::Finished { instance, .. } => instance,
        other => panic!("{other:?}"),
    }
}

fn suspended(result: ExecResult<Instance, Execution>) -> Execution {
    match result {
        ExecResult::Syscall { execution, .. } => execution,
        other => panic!("{other:?}"),
    }
}

fn failed(result: ExecResult<Instance, Execution>, with: ExecError) -> Instance {
    match result {
        ExecResult::Error { instance, error } if error == with => instance,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_exit_says_where_and_why() {
    with_manager(|| {
        let instance = instance();
        assert_eq!(instance.exit_info(), Ok(ExitInfo::default()));
        let execution = instance.prepare(b"two").unwrap();
        let info = execution.exit_info().unwrap();
        assert_eq!((info.stop, info.gas_left), (Stop::Ready, 0));
        let start = info.pc;

        let execution = suspended(execution.run(GAS, 0));
        let info = execution.exit_info().unwrap();
        assert_eq!((info.stop, info.pc), (Stop::Syscall { import: 0 }, start));
        let paid = info.gas_left;
        assert!((1..GAS).contains(&paid));
        let execution = suspended(execution.run(77, 0));
        let info = execution.exit_info().unwrap();
        assert_eq!((info.stop, info.gas_left), (Stop::Syscall { import: 1 }, 77), "the block is paid");
        let instance = finished(execution.run(50, 0));
        assert_eq!(instance.exit_info().unwrap().stop, Stop::Finished);

        let instance = failed(instance.prepare(b"trap").unwrap().run(GAS, 0), ExecError::Trap);
        let info = instance.exit_info().unwrap();
        assert_eq!(info.stop, Stop::Trap { kind: TrapKind::TRAP, address: None });
        assert!((1..GAS).contains(&info.gas_left), "what the first set does not tell: {}", info.gas_left);

        let instance = failed(instance.prepare(b"null").unwrap().run(GAS, 0), ExecError::Trap);
        let info = instance.exit_info().unwrap();
        assert_eq!(info.stop, Stop::Trap { kind: TrapKind::LOW_ADDRESS, address: Some(0x10) });
        assert!(info.pc > start);

        let instance = failed(instance.prepare(b"unknown").unwrap().run(GAS, 0), ExecError::InvalidImage);
        assert_eq!(instance.exit_info().unwrap().stop, Stop::InvalidSyscall { import: 7 });

        let instance = failed(instance.prepare(b"add").unwrap().run(0, 0), ExecError::OutOfGas);
        let info = instance.exit_info().unwrap();
        assert_eq!((info.stop, info.gas_left), (Stop::OutOfGas, 0));
        let instance = failed(instance.prepare(b"add").unwrap().run(-5, 0), ExecError::OutOfGas);
        assert_eq!(instance.exit_info().unwrap().gas_left, -5);

        let (instance, _) = instance.prepare(b"absent").unwrap_err();
        let info = instance.exit_info().unwrap();
        assert_eq!((info.stop, info.refusal), (Stop::OutOfGas, Some(Refusal::UnknownExport)));
    });
}

/// The numbers are the engine's.
#[test]
fn traps_have_the_numbers_of_the_engine() {
    let kinds = [
        (EngineTrapKind::Trap, TrapKind::TRAP),
        (EngineTrapKind::InvalidInstruction, TrapKind::INVALID_INSTRUCTION),
        (EngineTrapKind::CodeEnd, TrapKind::CODE_END),
        (EngineTrapKind::LowAddress, TrapKind::LOW_ADDRESS),
        (EngineTrapKind::Unmapped, TrapKind::UNMAPPED),
        (EngineTrapKind::ReadOnly, TrapKind::READ_ONLY),
        (EngineTrapKind::InvalidIndirectJump, TrapKind::INVALID_INDIRECT_JUMP),
        (EngineTrapKind::InvalidJump, TrapKind::INVALID_JUMP),
        (EngineTrapKind::InvalidEntry, TrapKind::INVALID_ENTRY),
    ];
    for (engines, told) in kinds {
        assert_eq!((engines as u8, engines.description()), (told.0, told.description()));
    }
}

#[test]
fn out_of_gas_can_be_resumed_where_it_was() {
    with_manager(|| {
        // Two blocks, of which the first is paid for: with all the gas at once, and in two parts.
        let add = |gas: i64| {
            let execution = instance().prepare_with_arguments(b"add", [5, 0, 0, 0, 0]).unwrap();
            execution.run(gas, 1)
        };
        let at_once = finished(add(GAS));
        assert_eq!(at_once.result(), Ok(CallResult { a0: 11, a1: 5 }));
        let used = GAS - at_once.exit_info().unwrap().gas_left;
        for first_part in 0..used {
            let stopped = failed(add(first_part), ExecError::OutOfGas);
            assert_eq!(stopped.result(), Err(ControlError::InvalidState));
            let left = stopped.exit_info().unwrap().gas_left;
            let ended = finished(stopped.resume(left + used - first_part));
            assert_eq!(ended.result(), Ok(CallResult { a0: 11, a1: 5 }), "after {first_part} gas");
            assert_eq!(ended.exit_info().unwrap().gas_left, 0, "after {first_part} gas");
        }
    });
}

#[test]
fn only_what_can_go_on_is_resumed() {
    with_manager(|| {
        let fresh = failed(instance().resume(GAS), ExecError::InvalidInstance);
        let ended = finished(fresh.prepare(b"load").unwrap().run(GAS, 0));
        let ended = failed(ended.resume(GAS), ExecError::InvalidInstance);
        let trapped = failed(ended.prepare(b"trap").unwrap().run(GAS, 0), ExecError::Trap);
        let trapped = failed(trapped.resume(GAS), ExecError::InvalidInstance);
        let unknown = failed(trapped.prepare(b"unknown").unwrap().run(GAS, 0), ExecError::InvalidImage);
        let unknown = failed(unknown.resume(GAS), ExecError::InvalidInstance);
        // Where the first set answers InvalidInstance, a0 aside `resume` does what `run` does.
        let execution = unknown.prepare(b"arguments").unwrap();
        match execution.resume(GAS) {
            ExecResult::Syscall { execution, a0, .. } => {
                assert_eq!(a0, 0);
                let ended = finished(execution.resume(GAS));
                assert_eq!(ended.result().unwrap().a0, 0, "the guest's own a0 stays");
            }
            other => panic!("{other:?}"),
        }
        // After `prepare` there is nothing to resume of the call before.
        let stopped = failed(prepared(b"add").run(0, 0), ExecError::OutOfGas);
        let execution = stopped.prepare(b"load").unwrap();
        assert_eq!(finished(execution.resume(GAS)).result().unwrap().a0, 7);
    });
}

#[test]
fn arguments_fill_a1_to_a5_and_run_sets_a0() {
    with_manager(|| {
        let execution = instance().prepare_with_arguments(b"arguments", [1, 2, 3, 4, u64::MAX]).unwrap();
        let ExecResult::Syscall { a0, a1, a2, a3, a4, a5, .. } = execution.run(GAS, 10) else { panic!() };
        assert_eq!([a0, a1, a2, a3, a4, a5], [10, 1, 2, 3, 4, u64::MAX]);
        let (instance, error) = instance().prepare_with_arguments(b"absent", [0; 5]).unwrap_err();
        assert_eq!(error, ExecError::InvalidImage);
        // The next call does not see them.
        let ExecResult::Syscall { a1, a5, .. } = instance.prepare(b"arguments").unwrap().run(GAS, 0) else {
            panic!()
        };
        assert_eq!((a1, a5), (0, 0));
    });
}

#[test]
fn a_module_tells_what_it_is() {
    with_manager(|| {
        let code = guest();
        let (module, _) = Module::from_bytes(&code, None).unwrap();
        let info = module.info().unwrap();
        assert_eq!(info.code_hash, <[u8; 32]>::from(Sha256::digest(&code)));
        assert_eq!(info.code_bytes as usize, code.len());
        assert!((10..info.code_bytes).contains(&info.compile_cost), "{}", info.compile_cost);
        assert_eq!(info.imports, [b"first".to_vec(), b"second".to_vec()]);
        let exports: [&[u8]; 8] =
            [b"add", b"arguments", b"load", b"null", b"store", b"trap", b"two", b"unknown"];
        assert_eq!(info.exports, exports);
        let memory = info.memory;
        assert_eq!((memory.read_only_start, memory.read_only_bytes), (0x1_0000, 0));
        assert_eq!((memory.read_write_start, memory.read_write_bytes), (0x2_0000, 4096));
        assert_eq!(memory.heap_start, 0x2_1000);
        assert_eq!(memory.heap_most_bytes, (256 << 20) - 8192);
        assert_eq!((memory.stack_end, memory.stack_bytes), (0xfffe_0000, 4096));
    });
}

/// More symbols than the first attempt has room for.
#[test]
fn long_information_is_fetched_whole() {
    with_manager(|| {
        let symbols: Vec<_> = (0..200).map(|number| format!("export_number_{number:03}")).collect();
        let many =
            symbols.iter().fold(Guest::jam(), |guest, symbol| guest.export(symbol, &[asm::ret()])).build();
        let (module, _) = Module::from_bytes(&many, None).unwrap();
        let exports: Vec<_> = symbols.iter().map(|symbol| symbol.as_bytes().to_vec()).collect();
        assert_eq!(module.info().unwrap().exports, exports);
    });
}

#[test]
fn a_released_module_is_gone_and_its_instances_are_not() {
    with_manager(|| {
        let code = guest();
        let (module, _) = Module::from_bytes(&code, Some(b"id")).unwrap();
        let instance = module.instantiate().unwrap();
        assert_eq!(module.release(), Ok(()));
        assert_eq!(
            virtualization::instantiate(0.into()).unwrap_err(),
            hatchery_primitives::InstantiateError::InvalidModule
        );
        assert_eq!(control::release_module(0.into()), Err(ControlError::InvalidModule));
        assert_eq!(control::module_info(0.into(), &mut []), Err(ControlError::InvalidModule));
        assert!(instance.prepare(b"load").is_ok());
        assert_eq!(Module::from_bytes(&code, Some(b"id")).unwrap().1, CompileStatus::Cached);
    });
}

#[test]
fn reset_gives_the_first_memory_back() {
    with_manager(|| {
        let store = |instance: Instance| finished(instance.prepare(b"store").unwrap().run(GAS, 0x5a));
        let load = |instance: Instance| {
            let instance = finished(instance.prepare(b"load").unwrap().run(GAS, 0));
            (instance.result().unwrap().a0, instance)
        };
        let (value, mut instance) = load(store(instance()));
        assert_eq!(value, 0x5a);
        assert_eq!(instance.reset(), Ok(()));
        assert_eq!(instance.exit_info().unwrap().stop, Stop::Idle);
        assert_eq!(instance.result(), Err(ControlError::InvalidState));
        let (value, instance) = load(instance);
        assert_eq!(value, 7);
        // From a syscall too.
        let mut execution = suspended(store(instance).prepare(b"two").unwrap().run(GAS, 0));
        execution.write_memory(0x2_0000, &[1]).unwrap();
        let instance = execution.reset().unwrap();
        assert_eq!(load(instance).0, 7);
        assert_eq!(limits().unwrap().nesting.used, 0);
    });
}

#[test]
fn zeroing_is_all_or_nothing() {
    with_manager(|| {
        let mut execution = prepared(b"load");
        execution.write_memory(0x2_0000, &[1, 2, 3, 4]).unwrap();
        execution.write_memory(0x2_0ffe, &[5, 6]).unwrap();
        assert_eq!(execution.zero_memory(0x2_0001, 2), Ok(()));
        assert_eq!(execution.zero_memory(0x2_0ffe, 3), Err(MemoryError::OutOfBounds));
        assert_eq!(execution.zero_memory(0x1_0000, 1), Err(MemoryError::OutOfBounds));
        assert_eq!(execution.zero_memory(u32::MAX, u32::MAX), Err(MemoryError::OutOfBounds));
        assert_eq!(execution.zero_memory(0, 0), Ok(()), "zero bytes are anywhere");
        let mut bytes = [0; 4];
        execution.read_memory(0x2_0000, &mut bytes).unwrap();
        assert_eq!(bytes, [1, 0, 0, 4]);
        execution.read_memory(0x2_0ffe, &mut bytes[..2]).unwrap();
        assert_eq!(bytes[..2], [5, 6]);
        assert_eq!(control::zero_memory(9.into(), 0x2_0000, 1), Err(MemoryError::InvalidInstance));
        drop(execution);
        let _idle = instance();
        assert_eq!(control::zero_memory(1.into(), 0x2_0000, 1), Err(MemoryError::InvalidInstance));
    });
}

#[test]
fn a_fork_goes_its_own_way_from_any_state() {
    with_manager(|| {
        // Idle, with memory of its own.
        let original = finished(prepared(b"store").run(GAS, 0x11));
        let fork = original.fork().unwrap();
        let store = |instance: Instance, value| finished(instance.prepare(b"store").unwrap().run(GAS, value));
        let load = |instance: Instance| {
            finished(instance.prepare(b"load").unwrap().run(GAS, 0)).result().unwrap().a0
        };
        let (original, fork) = (store(original, 0x22), fork);
        assert_eq!((load(original), load(fork)), (0x22, 0x11));

        // Finished: the result is there.
        let ended = finished(prepared(b"load").run(GAS, 0));
        assert_eq!(ended.fork().unwrap().result(), ended.result());

        // Prepared, and suspended.
        let prepared = prepared(b"arguments");
        let twin = prepared.fork().unwrap();
        let [one, other] = [prepared, twin].map(|execution| suspended(execution.run(GAS, 3)));
        let third = other.fork().unwrap();
        let ends = [(one, 1), (other, 2), (third, 3)]
            .map(|(execution, answer)| finished(execution.run(GAS, answer)).result().unwrap().a0);
        assert_eq!(ends, [1, 2, 3]);

        // Out of gas.
        let execution = instance().prepare_with_arguments(b"add", [5, 0, 0, 0, 0]).unwrap();
        let stopped = failed(execution.run(0, 1), ExecError::OutOfGas);
        let fork = stopped.fork().unwrap();
        assert_eq!(fork.exit_info(), stopped.exit_info());
        assert_eq!(finished(fork.resume(GAS)).result().unwrap().a0, 11);

        // Dropping a fork frees it and nothing else.
        let before = limits().unwrap().instances.used;
        drop(stopped.fork().unwrap());
        assert_eq!(limits().unwrap().instances.used, before);
        assert_eq!(finished(stopped.resume(GAS)).result().unwrap().a0, 11);
    });
}

#[test]
fn the_cause_of_a_refusal_is_told_until_the_next_request() {
    with_manager(|| {
        assert_eq!(last_refusal(), Ok(None));
        assert_eq!(Module::from_bytes(b"garbage", None).unwrap_err(), ModuleError::InvalidImage);
        assert_eq!(last_refusal(), Ok(Some(Refusal::InvalidProgram)));
        // Each of these is a request too, and its answer says all there is.
        let refused = || Module::from_bytes(b"garbage", None).unwrap_err();
        let _cached = Module::from_bytes(counter(), Some(b"counter")).unwrap();
        let answers: [(&str, fn()); 7] = [
            ("cached", || {
                let (_, status) = Module::from_bytes(b"anything", Some(b"counter")).unwrap();
                assert_eq!(status, CompileStatus::Cached);
            }),
            ("found", || assert!(Module::lookup(b"counter").is_ok())),
            ("not cached", || assert_eq!(Module::lookup(b"id").unwrap_err(), ModuleError::NotCached)),
            ("not found", || {
                assert_eq!(Module::from_storage_key(b"key", b"").unwrap_err(), ModuleError::NotFound);
            }),
            ("invalid module", || {
                assert!(virtualization::instantiate(99.into()).is_err());
            }),
            ("made", || drop(instance())),
            ("invalid instance", || {
                assert_eq!(control::fork(99.into()), Err(ControlError::InvalidInstance));
            }),
        ];
        for (name, request) in answers {
            assert_eq!(refused(), ModuleError::InvalidImage);
            assert_eq!(last_refusal(), Ok(Some(Refusal::InvalidProgram)));
            request();
            assert_eq!(last_refusal(), Ok(None), "{name}");
        }
        let long = Guest::jam().import(&[b's'; 33]).export("main", &[asm::ret()]).build();
        assert_eq!(Module::from_bytes(&long, None).unwrap_err(), ModuleError::InvalidImage);
        assert_eq!(last_refusal(), Ok(Some(Refusal::InvalidProgram)));
        assert!(Module::from_bytes(counter(), None).is_ok());
        assert_eq!(last_refusal(), Ok(None));
    });
}

#[test]
fn unknown_and_destroyed_instances_are_refused() {
    with_manager(|| {
        drop(instance());
        for id in [0, 1, NO_INSTANCE - 1] {
            let id = InstanceId::from(id);
            let (buffer, bytes) = (&mut Default::default(), &mut [0xaa; 4]);
            assert_eq!(control::exit_info(id, bytes), Err(ControlError::InvalidInstance));
            assert_eq!(*bytes, [0; 4], "output is zero on an error");
            assert_eq!(control::resume(id, GAS, buffer), Err(ExecError::InvalidInstance));
            assert_eq!(control::result(id, &mut CallResult::default()), Err(ControlError::InvalidInstance));
            let prepared = control::prepare_with_args(id, b"load", 0, 0, 0, 0, 0);
            assert_eq!(prepared, Err(ExecError::InvalidInstance));
            assert_eq!(control::reset(id), Err(ControlError::InvalidInstance));
            assert_eq!(control::zero_memory(id, 0x2_0000, 0), Err(MemoryError::InvalidInstance));
            assert_eq!(control::fork(id), Err(ControlError::InvalidInstance));
            bytes.fill(0xaa);
            assert_eq!(control::snapshot(id, bytes), Err(ControlError::InvalidInstance));
            assert_eq!(*bytes, [0; 4], "output is zero on an error");
        }
        for id in [1, u32::MAX] {
            assert_eq!(control::module_info(ModuleId::from(id), &mut []), Err(ControlError::InvalidModule));
            assert_eq!(control::release_module(ModuleId::from(id)), Err(ControlError::InvalidModule));
            assert_eq!(control::restore(ModuleId::from(id), &[]), Err(ControlError::InvalidModule));
        }
    });
}

/// The caller's buffer is filled as far as it goes, the rest is zero, and the length is that of the whole.
#[test]
fn buffers_of_any_length() {
    with_manager(|| {
        let _instance = instance();
        let mut whole = [0xaa; 64];
        let length = control::exit_info(0.into(), &mut whole).unwrap() as usize;
        assert_eq!(length, 22);
        assert_eq!(whole[length..], [0; 42]);
        for room in [0, 1, length - 1, length] {
            let mut part = vec![0xaa; room];
            assert_eq!(control::exit_info(0.into(), &mut part), Ok(length as u32));
            assert_eq!(part, whole[..room]);
        }
        let mut all = vec![0xaa; 4096];
        let length = control::module_info(0.into(), &mut all).unwrap() as usize;
        let mut part = vec![0xaa; length - 1];
        assert_eq!(control::module_info(0.into(), &mut part), Ok(length as u32));
        assert_eq!(part, all[..length - 1]);
        assert_eq!(control::limits(&mut part[..7]), Ok(104));
    });
}

#[test]
fn a_test_can_go_on_to_the_next_block() {
    let mut externalities = TestExternalities::default();
    externalities.register_extension(VirtManagerExt::new(VirtManager::default()));
    let mut block = || {
        let status = externalities.execute_with(|| {
            let (_, status) = Module::from_bytes(&guest(), Some(b"id")).unwrap();
            assert_eq!(virtualization::instantiate(0.into()), Ok(InstanceId::from(0)));
            status
        });
        hatchery_client::testing::next_block(&mut externalities.extensions);
        status
    };
    assert_eq!([block(), block()], [CompileStatus::Compiled; 2]);
}

#[test]
#[should_panic(expected = "in the place of an UpstreamExt register a new one")]
fn the_next_block_of_an_upstream_extension_is_another_extension() {
    let mut externalities = TestExternalities::default();
    let block = |externalities: &mut TestExternalities| {
        externalities.register_extension(hatchery_client::UpstreamExt::default());
        externalities.execute_with(|| {
            let (_, status) = sp_virtualization::Module::from_bytes(&guest(), Some(b"id")).unwrap();
            assert_eq!(status, sp_virtualization::CompileStatus::Compiled);
        });
    };
    block(&mut externalities);
    block(&mut externalities);
    hatchery_client::testing::next_block(&mut externalities.extensions);
}

/// Gas is a signed number and may be any: nothing overflows, and what is not there is not paid with.
#[test]
fn any_gas_resumes() {
    with_manager(|| {
        let stopped = || {
            let execution = instance().prepare_with_arguments(b"add", [5, 0, 0, 0, 0]).unwrap();
            let at_once = finished(execution.run(GAS, 1));
            let used = GAS - at_once.exit_info().unwrap().gas_left;
            let execution = instance().prepare_with_arguments(b"add", [5, 0, 0, 0, 0]).unwrap();
            // Enough for the first block, one too little for the second.
            (failed(execution.run(used - 1, 1), ExecError::OutOfGas), used)
        };
        let (mut stopped, used) = stopped();
        let left = stopped.exit_info().unwrap().gas_left;
        let pc = stopped.exit_info().unwrap().pc;
        // Of the whole, what is left is one too little.
        for gas in [0, -1, i64::MIN, left] {
            stopped = failed(stopped.resume(gas), ExecError::OutOfGas);
            let info = stopped.exit_info().unwrap();
            assert_eq!((info.stop, info.gas_left, info.pc), (Stop::OutOfGas, gas, pc));
        }
        let second_block = left + 1;
        let ended = finished(stopped.fork().unwrap().resume(second_block));
        assert_eq!((ended.result().unwrap().a0, ended.exit_info().unwrap().gas_left), (11, 0));
        let ended = finished(stopped.resume(i64::MAX));
        assert_eq!(ended.result().unwrap().a0, 11);
        assert_eq!(ended.exit_info().unwrap().gas_left, i64::MAX - second_block);
        assert!(second_block <= used);

        // Where `run` could be called: the block is paid for, but with less than nothing nothing runs.
        let suspended = || suspended(prepared(b"arguments").run(GAS, 0));
        let stopped = failed(suspended().resume(-1), ExecError::OutOfGas);
        assert_eq!(stopped.exit_info().unwrap().gas_left, -1);
        assert_eq!(finished(stopped.resume(0)).exit_info().unwrap().gas_left, 0);
        let stopped = failed(suspended().resume(i64::MIN), ExecError::OutOfGas);
        assert_eq!(finished(stopped.resume(i64::MAX)).exit_info().unwrap().gas_left, i64::MAX);
        assert_eq!(finished(suspended().resume(0)).exit_info().unwrap().gas_left, 0);

        // And before anything has run.
        for gas in [0, -1, i64::MIN] {
            let stopped = failed(prepared(b"load").resume(gas), ExecError::OutOfGas);
            assert_eq!(stopped.exit_info().unwrap().gas_left, gas);
            assert_eq!(finished(stopped.resume(GAS)).result().unwrap().a0, 7);
        }
    });
}

/// The second set over a manager that counts: the gas of a call is what it used, whatever it was given and wherever it stopped.
#[test]
fn places_and_gas_are_the_same_on_each_backend() {
    let seen = std::cell::RefCell::new(Vec::new());
    with_manager(|| {
        let mut stops = Vec::new();
        for export in [&b"arguments"[..], b"two", b"store", b"load", b"add", b"trap", b"null", b"unknown"] {
            for gas in [0, 1, 3, 10, 30, 100, GAS] {
                let mut result = prepared(export).run(gas, 1);
                loop {
                    match result {
                        ExecResult::Syscall { execution, gas_left, .. } => {
                            stops.push(execution.exit_info().unwrap());
                            result = execution.resume(gas_left);
                        }
                        ExecResult::Finished { instance, .. } | ExecResult::Error { instance, .. } => {
                            stops.push(instance.exit_info().unwrap());
                            break;
                        }
                    }
                }
            }
        }
        seen.borrow_mut().push(stops);
    });
    let seen = seen.into_inner();
    assert!(seen.iter().all(|stops| *stops == seen[0]), "{seen:#?}");
}
