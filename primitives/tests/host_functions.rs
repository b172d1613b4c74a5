//! The host functions and the API over them, natively, over a backend that plays a script.

use hatchery_primitives::{
    CacheKey, CallResult, CompileStatus, CompiledModule, Completion, ControlError, DestroyError, ExecBuffer,
    ExecError, ExecResult, ExecStatus, Execution, ExitInfo, Instance, InstanceId, InstantiateError,
    MemoryError, Module, ModuleError, ModuleId, ModuleInfo, NO_INSTANCE, ResourceInfo, Stop, Syscall,
    SyscallHandler, SyscallSymbol, TransactionType, VirtControlBackend, VirtManagerBackend, VirtManagerExt,
    run_to_completion, run_to_completion_with_argument, virtualization, virtualization_control as control,
};
use sp_state_machine::BasicExternalities;
use std::{
    collections::VecDeque,
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex},
};

/// What the backend was asked, in order, and what it answers to the next runs.
#[derive(Default)]
struct Script {
    calls: Vec<String>,
    cached: Vec<String>,
    runs: VecDeque<Result<(ExecStatus, ExecBuffer), ExecError>>,
    compiled: u32,
}

/// Plays the script. Writes to every buffer before it fails, which a caller must never see.
#[derive(Clone, Default)]
struct Backend(Arc<Mutex<Script>>);

impl Backend {
    fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().calls)
    }

    fn will_run(&self, runs: impl IntoIterator<Item = Result<(ExecStatus, ExecBuffer), ExecError>>) {
        self.0.lock().unwrap().runs.extend(runs);
    }

    fn log(&self, call: String) {
        self.0.lock().unwrap().calls.push(call);
    }
}

impl VirtManagerBackend for Backend {
    fn compile(&mut self, program: &[u8], key: Option<CacheKey<'_>>) -> Result<ModuleId, ModuleError> {
        self.log(format!("compile {} {key:?}", program.escape_ascii()));
        if program == b"garbage" {
            return Err(ModuleError::InvalidImage);
        }
        let mut script = self.0.lock().unwrap();
        script.cached.extend(key.map(|key| format!("{key:?}")));
        script.compiled += 1;
        Ok(ModuleId::from(script.compiled - 1))
    }

    fn lookup(&mut self, key: CacheKey<'_>) -> Result<ModuleId, ModuleError> {
        self.log(format!("lookup {key:?}"));
        let mut script = self.0.lock().unwrap();
        if !script.cached.contains(&format!("{key:?}")) {
            return Err(ModuleError::NotCached);
        }
        script.compiled += 1;
        Ok(ModuleId::from(script.compiled - 1))
    }

    fn instantiate(&mut self, module_id: ModuleId) -> Result<InstanceId, InstantiateError> {
        self.log(format!("instantiate {}", u32::from(module_id)));
        if u32::from(module_id) < 1000 {
            Ok(InstanceId::from(u32::from(module_id) + 100))
        } else {
            Err(InstantiateError::InvalidModule)
        }
    }

    fn prepare(&mut self, instance_id: InstanceId, function: &[u8]) -> Result<(), ExecError> {
        self.log(format!("prepare {} {}", u32::from(instance_id), function.escape_ascii()));
        if function == b"main" { Ok(()) } else { Err(ExecError::InvalidImage) }
    }

    fn run(
        &mut self,
        instance_id: InstanceId,
        gas_left: i64,
        a0: u64,
        buffer: &mut ExecBuffer,
    ) -> Result<ExecStatus, ExecError> {
        self.log(format!("run {} gas {gas_left} a0 {a0}", u32::from(instance_id)));
        buffer.as_mut().fill(0xee);
        let (status, filled) = self.0.lock().unwrap().runs.pop_front().expect("the script has this run")?;
        *buffer = filled;
        Ok(status)
    }

    fn destroy(&mut self, instance_id: InstanceId) -> Result<(), DestroyError> {
        self.log(format!("destroy {}", u32::from(instance_id)));
        if u32::from(instance_id) < 1000 { Ok(()) } else { Err(DestroyError::InvalidInstance) }
    }

    fn read_memory(
        &mut self,
        instance_id: InstanceId,
        offset: u32,
        dest: &mut [u8],
    ) -> Result<(), MemoryError> {
        self.log(format!("read {} {offset:#x} {}", u32::from(instance_id), dest.len()));
        dest.fill(0xee);
        if offset < 0x10000 { Err(MemoryError::OutOfBounds) } else { Ok(()) }
    }

    fn write_memory(&mut self, instance_id: InstanceId, offset: u32, src: &[u8]) -> Result<(), MemoryError> {
        self.log(format!("write {} {offset:#x} {}", u32::from(instance_id), src.escape_ascii()));
        if offset < 0x10000 { Err(MemoryError::OutOfBounds) } else { Ok(()) }
    }

    fn start_transaction(&mut self, ty: TransactionType) {
        self.log(format!("start {ty:?}"));
    }

    fn commit_transaction(&mut self, ty: TransactionType) {
        self.log(format!("commit {ty:?}"));
    }

    fn rollback_transaction(&mut self, ty: TransactionType) {
        self.log(format!("rollback {ty:?}"));
    }
}

impl VirtControlBackend for Backend {
    fn exit_info(&mut self, instance_id: Option<InstanceId>) -> Result<ExitInfo, ControlError> {
        self.log(format!("exit_info {:?}", instance_id.map(u32::from)));
        match instance_id {
            Some(id) if u32::from(id) >= 1000 => Err(ControlError::InvalidInstance),
            _ => Ok(ExitInfo { stop: Stop::OutOfGas, pc: 0x0102, ..ExitInfo::default() }),
        }
    }

    fn resume(
        &mut self,
        instance_id: InstanceId,
        gas_left: i64,
        buffer: &mut ExecBuffer,
    ) -> Result<ExecStatus, ExecError> {
        self.run(instance_id, gas_left, u64::MAX, buffer)
    }

    fn result(&mut self, instance_id: InstanceId) -> Result<CallResult, ControlError> {
        self.log(format!("result {}", u32::from(instance_id)));
        if u32::from(instance_id) < 1000 {
            Ok(CallResult { a0: 1, a1: 2 })
        } else {
            Err(ControlError::InvalidState)
        }
    }

    fn prepare_with_args(
        &mut self,
        instance_id: InstanceId,
        function: &[u8],
        arguments: [u64; 5],
    ) -> Result<(), ExecError> {
        self.log(format!("prepare {} {} {arguments:?}", u32::from(instance_id), function.escape_ascii()));
        Ok(())
    }

    fn module_info(&mut self, module_id: ModuleId) -> Result<ModuleInfo, ControlError> {
        self.log(format!("module_info {}", u32::from(module_id)));
        // Longer than a caller expects.
        Ok(ModuleInfo {
            exports: vec![vec![b'e'; 100]; u32::from(module_id) as usize],
            ..ModuleInfo::default()
        })
    }

    fn reset(&mut self, instance_id: InstanceId) -> Result<(), ControlError> {
        self.log(format!("reset {}", u32::from(instance_id)));
        Ok(())
    }

    fn zero_memory(&mut self, instance_id: InstanceId, offset: u32, length: u32) -> Result<(), MemoryError> {
        self.log(format!("zero {} {offset:#x} {length}", u32::from(instance_id)));
        Ok(())
    }

    fn release_module(&mut self, module_id: ModuleId) -> Result<(), ControlError> {
        self.log(format!("release {}", u32::from(module_id)));
        Ok(())
    }

    fn limits(&mut self) -> ResourceInfo {
        self.log("limits".into());
        ResourceInfo { most_code_bytes: 7, ..ResourceInfo::default() }
    }

    fn fork(&mut self, instance_id: InstanceId) -> Result<InstanceId, ControlError> {
        self.log(format!("fork {}", u32::from(instance_id)));
        Err(ControlError::LimitReached)
    }

    fn snapshot(&mut self, instance_id: InstanceId) -> Result<Vec<u8>, ControlError> {
        self.log(format!("snapshot {}", u32::from(instance_id)));
        if u32::from(instance_id) < 1000 { Ok(vec![7; 40_000]) } else { Err(ControlError::LimitReached) }
    }

    fn restore(&mut self, module_id: ModuleId, snapshot: &[u8]) -> Result<InstanceId, ControlError> {
        self.log(format!("restore {} {}", u32::from(module_id), snapshot.escape_ascii()));
        if snapshot == b"garbage" { Err(ControlError::InvalidSnapshot) } else { Ok(InstanceId::from(9)) }
    }

    fn process_instantiate(
        &mut self,
        root: ModuleId,
        programs: &[(Vec<u8>, ModuleId)],
    ) -> Result<InstanceId, ControlError> {
        self.log(format!("process_instantiate {} {programs:?}", u32::from(root)));
        Ok(InstanceId::from(10))
    }

    fn process_restore(
        &mut self,
        root: ModuleId,
        programs: &[(Vec<u8>, ModuleId)],
        snapshot: &[u8],
    ) -> Result<InstanceId, ControlError> {
        self.log(format!(
            "process_restore {} {} {}",
            u32::from(root),
            programs.len(),
            snapshot.escape_ascii()
        ));
        Err(ControlError::InvalidSnapshot)
    }

    fn next_block(&mut self) {
        self.log("next_block".into());
    }
}

fn with_backend<R>(test: impl FnOnce(&Backend) -> R) -> R {
    let backend = Backend::default();
    let mut externalities = BasicExternalities::default();
    externalities.register_extension(VirtManagerExt::new(backend.clone()));
    externalities.execute_with(|| test(&backend))
}

fn finished(gas_left: i64) -> Result<(ExecStatus, ExecBuffer), ExecError> {
    Ok((ExecStatus::Finished, ExecBuffer { gas_left, ..ExecBuffer::default() }))
}

fn syscall(symbol: &[u8], gas_left: i64) -> Result<(ExecStatus, ExecBuffer), ExecError> {
    let syscall_symbol = SyscallSymbol::new(symbol).unwrap();
    Ok((
        ExecStatus::Syscall,
        ExecBuffer { gas_left, syscall_symbol, a0: 1, a1: 2, a2: 3, a3: 4, a4: 5, a5: 6 },
    ))
}

fn prepared(backend: &Backend) -> Execution {
    let execution =
        Module::from_bytes(b"p", None).unwrap().0.instantiate().unwrap().prepare(b"main").unwrap();
    backend.calls();
    execution
}

fn panic_message(panicking: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(panicking)).expect_err("it panics");
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).into()))
        .unwrap()
}

#[test]
fn an_identifier_is_looked_up_before_anything_is_compiled() {
    with_backend(|backend| {
        assert_eq!(Module::from_bytes(b"p", Some(b"id")).unwrap().1, CompileStatus::Compiled);
        assert_eq!(Module::from_bytes(b"garbage", Some(b"id")).unwrap().1, CompileStatus::Cached);
        assert_eq!(Module::from_bytes(b"p", None).unwrap().1, CompileStatus::Compiled);
        Module::lookup(b"id").unwrap();
        assert_eq!(Module::lookup(b"other").unwrap_err(), ModuleError::NotCached);
        assert_eq!(Module::from_bytes(b"garbage", Some(b"")).unwrap_err(), ModuleError::InvalidImage);
        assert_eq!(
            backend.calls(),
            [
                "lookup Identifier([105, 100])",
                "compile p Some(Identifier([105, 100]))",
                "lookup Identifier([105, 100])",
                "compile p None",
                "lookup Identifier([105, 100])",
                "lookup Identifier([111, 116, 104, 101, 114])",
                "lookup Identifier([])",
                "compile garbage Some(Identifier([]))",
            ]
        );
    });
}

#[test]
fn every_success_has_an_id_of_its_own() {
    with_backend(|_| {
        let compiled = |id: u32, status| Ok(CompiledModule { id: id.into(), status });
        assert_eq!(
            virtualization::compile_from_bytes(b"p", Some(b"i")),
            compiled(0, CompileStatus::Compiled)
        );
        assert_eq!(virtualization::compile_from_bytes(b"p", Some(b"i")), compiled(1, CompileStatus::Cached));
        assert_eq!(virtualization::lookup(b"i"), Ok(ModuleId::from(2)));
    });
}

#[test]
fn storage_is_read_only_for_what_is_not_cached() {
    let backend = Backend::default();
    let mut externalities = BasicExternalities::default();
    externalities.register_extension(VirtManagerExt::new(backend.clone()));
    externalities.insert(b"key".to_vec(), b"p".to_vec());
    externalities.insert(b"bad".to_vec(), b"garbage".to_vec());
    externalities.execute_with(|| {
        assert_eq!(Module::from_storage_key(b"key", b"").unwrap().1, CompileStatus::Compiled);
        assert_eq!(Module::from_storage_key(b"key", b"").unwrap().1, CompileStatus::Cached);
        assert_eq!(Module::from_storage_key(b"none", b"").unwrap_err(), ModuleError::NotFound);
        assert_eq!(Module::from_storage_key(b"bad", b"").unwrap_err(), ModuleError::InvalidImage);
        // The same key in a child trie is another key, and is not looked for in the main trie.
        assert_eq!(Module::from_storage_key(b"key", b"child").unwrap_err(), ModuleError::NotFound);
    });
    assert_eq!(
        backend.calls(),
        [
            "lookup MainTrie([107, 101, 121])",
            "compile p Some(MainTrie([107, 101, 121]))",
            "lookup MainTrie([107, 101, 121])",
            "lookup MainTrie([110, 111, 110, 101])",
            "lookup MainTrie([98, 97, 100])",
            "compile garbage Some(MainTrie([98, 97, 100]))",
            "lookup ChildTrie { child_trie: [99, 104, 105, 108, 100], storage_key: [107, 101, 121] }",
        ]
    );
}

#[test]
fn a_program_in_a_child_trie_is_found() {
    let backend = Backend::default();
    let mut externalities = BasicExternalities::default();
    externalities.register_extension(VirtManagerExt::new(backend.clone()));
    externalities.execute_with(|| {
        sp_externalities::with_externalities(|externalities| {
            let child = sp_storage::ChildInfo::new_default(b"c");
            externalities.set_child_storage(&child, b"k".to_vec(), b"p".to_vec());
        });
        assert_eq!(Module::from_storage_key(b"k", b"c").unwrap().1, CompileStatus::Compiled);
        assert_eq!(Module::from_storage_key(b"k", b"c").unwrap().1, CompileStatus::Cached);
    });
    let key = "ChildTrie { child_trie: [99], storage_key: [107] }";
    assert_eq!(
        backend.calls(),
        [format!("lookup {key}"), format!("compile p Some({key})"), format!("lookup {key}")]
    );
}

#[test]
fn dropping_a_handle_destroys_its_instance_once() {
    with_backend(|backend| {
        drop(Module::from_bytes(b"p", None).unwrap().0.instantiate().unwrap());
        assert_eq!(backend.calls(), ["compile p None", "instantiate 0", "destroy 100"]);

        let execution = prepared(backend);
        drop(execution);
        assert_eq!(backend.calls(), ["destroy 101"]);

        backend.will_run([finished(7), Err(ExecError::Trap), syscall(b"s", 5)]);
        let ExecResult::Finished { instance, gas_left: 7 } = prepared(backend).run(10, 0) else { panic!() };
        let ExecResult::Error { instance, error: ExecError::Trap } =
            instance.prepare(b"main").unwrap().run(10, 0)
        else {
            panic!()
        };
        let (instance, error) = instance.prepare(b"other").unwrap_err();
        assert_eq!(error, ExecError::InvalidImage);
        let ExecResult::Syscall { execution, .. } = instance.prepare(b"main").unwrap().run(10, 0) else {
            panic!()
        };
        assert!(!backend.calls().iter().any(|call| call.starts_with("destroy")));
        drop(execution);
        assert_eq!(backend.calls(), ["destroy 102"]);
    });
}

#[test]
fn a_handle_that_outlives_its_externalities_is_dropped_in_peace() {
    let (instance, execution) = with_backend(|backend| {
        let instance: Instance = Module::from_bytes(b"p", None).unwrap().0.instantiate().unwrap();
        (instance, prepared(backend))
    });
    drop(instance);
    BasicExternalities::default().execute_with(|| drop(execution));
}

#[test]
fn buffers_are_zero_after_an_error() {
    with_backend(|backend| {
        let mut buffer = ExecBuffer { gas_left: 1, a5: 2, ..ExecBuffer::default() };
        backend.will_run([Err(ExecError::OutOfGas), syscall(b"s", 9)]);
        let id = InstanceId::from(1);
        assert_eq!(virtualization::run(id, 0, 0, &mut buffer), Err(ExecError::OutOfGas));
        assert_eq!(buffer, ExecBuffer::default());
        assert_eq!(virtualization::run(id, 0, 0, &mut buffer), Ok(ExecStatus::Syscall));
        assert_eq!((buffer.gas_left, buffer.a5), (9, 6));

        let mut memory = [1; 4];
        assert_eq!(virtualization::read_memory(id, 0, &mut memory), Err(MemoryError::OutOfBounds));
        assert_eq!(memory, [0; 4]);
        assert_eq!(virtualization::read_memory(id, 0x10000, &mut memory), Ok(()));
        assert_eq!(memory, [0xee; 4]);
    });
}

#[test]
fn errors_arrive_as_they_are() {
    with_backend(|backend| {
        let unknown = InstanceId::from(1000);
        assert_eq!(virtualization::instantiate(ModuleId::from(1000)), Err(InstantiateError::InvalidModule));
        assert_eq!(virtualization::destroy(unknown), Err(DestroyError::InvalidInstance));
        assert_eq!(virtualization::write_memory(unknown, 0, b"x"), Err(MemoryError::OutOfBounds));
        assert_eq!(virtualization::prepare(unknown, b"x"), Err(ExecError::InvalidImage));
        assert_eq!(
            backend.calls(),
            ["instantiate 1000", "destroy 1000", "write 1000 0x0 x", "prepare 1000 x"]
        );
    });
}

#[test]
fn the_loop_answers_every_syscall() {
    with_backend(|backend| {
        backend.will_run([syscall(b"first", 90), syscall(b"second", 70), finished(60)]);
        let mut seen = Vec::new();
        let handler = |execution: &mut Execution, syscall: Syscall<'_>| {
            execution.write_memory(0x10000, b"x").unwrap();
            seen.push((syscall.symbol.to_vec(), syscall.arguments, *syscall.gas_left));
            *syscall.gas_left -= 5;
            ControlFlow::<(), _>::Continue(40 + seen.len() as u64)
        };
        let completion = run_to_completion_with_argument(prepared(backend), 100, 3, handler);
        assert!(matches!(completion, Completion::Finished { gas_left: 60, .. }), "{completion:?}");
        assert_eq!(completion.gas_left(), 60);
        let arguments = [1, 2, 3, 4, 5, 6];
        assert_eq!(seen, [(b"first".to_vec(), arguments, 90), (b"second".to_vec(), arguments, 70)]);
        assert_eq!(
            backend.calls(),
            [
                "run 100 gas 100 a0 3",
                "write 100 0x10000 x",
                "run 100 gas 85 a0 41",
                "write 100 0x10000 x",
                "run 100 gas 65 a0 42",
            ]
        );
    });
}

#[test]
fn a_handler_can_end_the_call_and_what_is_left_is_still_suspended() {
    with_backend(|backend| {
        backend.will_run([syscall(b"exit", 50), finished(1)]);
        let completion =
            run_to_completion(prepared(backend), 100, |_: &mut Execution, syscall: Syscall<'_>| {
                *syscall.gas_left -= 1;
                ControlFlow::Break(syscall.arguments[5])
            });
        let Completion::Exited { mut execution, gas_left: 49, value: 6 } = completion else {
            panic!("{completion:?}")
        };
        execution.read_memory(0x10000, &mut [0; 2]).unwrap();
        assert!(matches!(execution.run(49, 0), ExecResult::Finished { gas_left: 1, .. }));
        assert_eq!(
            backend.calls(),
            ["run 100 gas 100 a0 0", "read 100 0x10000 2", "run 100 gas 49 a0 0", "destroy 100"]
        );
    });
}

#[test]
fn a_failed_run_has_used_all_its_gas() {
    with_backend(|backend| {
        for error in [ExecError::OutOfGas, ExecError::Trap, ExecError::InvalidImage] {
            backend.will_run([syscall(b"s", 50), Err(error)]);
            let completion = run_to_completion(
                prepared(backend),
                100,
                |_: &mut Execution, _: Syscall<'_>| -> ControlFlow<(), u64> { ControlFlow::Continue(0) },
            );
            let Completion::Failed { instance, gas_left: 0, error: failure } = completion else {
                panic!("{completion:?}")
            };
            assert_eq!(failure, error);
            assert!(!backend.calls().iter().any(|call| call.starts_with("destroy")));
            instance.prepare(b"main").unwrap();
        }
    });
}

#[test]
fn a_refused_run_has_used_nothing() {
    with_backend(|backend| {
        backend.will_run([Err(ExecError::InvalidInstance)]);
        let completion = run_to_completion(
            prepared(backend),
            100,
            |_: &mut Execution, _: Syscall<'_>| -> ControlFlow<(), u64> { ControlFlow::Continue(0) },
        );
        assert!(
            matches!(completion, Completion::Failed { gas_left: 100, error: ExecError::InvalidInstance, .. }),
            "{completion:?}"
        );
    });
}

#[test]
fn a_type_can_be_a_handler() {
    struct Counter(u64);

    impl SyscallHandler for &mut Counter {
        type Exit = &'static str;

        fn syscall(&mut self, _: &mut Execution, syscall: Syscall<'_>) -> ControlFlow<&'static str, u64> {
            self.0 += 1;
            if syscall.symbol == b"stop" {
                ControlFlow::Break("stopped")
            } else {
                ControlFlow::Continue(self.0)
            }
        }
    }

    with_backend(|backend| {
        backend.will_run([syscall(b"go", 50), syscall(b"stop", 40)]);
        let mut counter = Counter(0);
        let completion = run_to_completion(prepared(backend), 100, &mut counter);
        assert!(matches!(completion, Completion::Exited { value: "stopped", gas_left: 40, .. }));
        assert_eq!(counter.0, 2);
    });
}

#[test]
fn a_missing_manager_is_named_with_the_line_that_adds_it() {
    let message = panic_message(|| {
        BasicExternalities::default().execute_with(|| drop(Module::lookup(b"id")));
    });
    assert!(
        message.contains("VirtManagerExt::new(hatchery_client::VirtManager::default())")
            && message.contains("register_extension"),
        "{message}"
    );
}

#[test]
fn the_hooks_reach_the_backend() {
    let backend = Backend::default();
    let mut extensions = sp_externalities::Extensions::from(VirtManagerExt::new(backend.clone()));
    extensions.start_transaction(TransactionType::Host);
    extensions.start_transaction(TransactionType::Runtime);
    extensions.rollback_transaction(TransactionType::Runtime);
    extensions.commit_transaction(TransactionType::Host);
    assert_eq!(backend.calls(), ["start Host", "start Runtime", "rollback Runtime", "commit Host"]);
}

#[test]
fn control_functions_reach_the_backend_with_their_arguments() {
    with_backend(|backend| {
        backend.will_run([finished(3), Err(ExecError::Trap)]);
        let mut info = [0xaa; 30];
        assert_eq!(control::exit_info(1.into(), &mut info), Ok(22));
        assert_eq!(info[..5], [4, 2, 1, 0, 0]);
        assert_eq!(info[22..], [0; 8], "what is behind is zero");
        assert_eq!(control::exit_info(NO_INSTANCE.into(), &mut []), Ok(22));
        assert_eq!(control::exit_info(1000.into(), &mut info), Err(ControlError::InvalidInstance));
        assert_eq!(info, [0; 30]);
        let mut buffer = ExecBuffer { a0: 1, ..ExecBuffer::default() };
        assert_eq!(control::resume(1.into(), 5, &mut buffer), Ok(ExecStatus::Finished));
        assert_eq!(buffer, ExecBuffer { gas_left: 3, ..ExecBuffer::default() });
        assert_eq!(control::resume(1.into(), 5, &mut buffer), Err(ExecError::Trap));
        assert_eq!(buffer, ExecBuffer::default());
        let mut result = CallResult::default();
        assert_eq!(control::result(1.into(), &mut result), Ok(()));
        assert_eq!(result, CallResult { a0: 1, a1: 2 });
        assert_eq!(control::result(1000.into(), &mut result), Err(ControlError::InvalidState));
        assert_eq!(result, CallResult::default());
        assert_eq!(control::prepare_with_args(1.into(), b"f", 1, 2, 3, 4, 5), Ok(()));
        assert_eq!(control::reset(2.into()), Ok(()));
        assert_eq!(control::zero_memory(3.into(), 0x10, 4), Ok(()));
        assert_eq!(control::release_module(4.into()), Ok(()));
        assert_eq!(control::limits(&mut info), Ok(104));
        assert_eq!(control::fork(5.into()), Err(ControlError::LimitReached));
        assert_eq!(control::snapshot(6.into(), &mut info[..3]), Ok(40_000));
        assert_eq!(info[..4], [7, 7, 7, 0]);
        assert_eq!(control::snapshot(1000.into(), &mut info), Err(ControlError::LimitReached));
        assert!(info.iter().all(|&byte| byte == 0), "output is zero on an error");
        assert_eq!(control::restore(7.into(), b"bytes"), Ok(InstanceId::from(9)));
        assert_eq!(control::restore(7.into(), b"garbage"), Err(ControlError::InvalidSnapshot));
        // A list of programs: "a" is module 1.
        let list = [4, 4, b'a', 1, 0, 0, 0];
        assert_eq!(control::process_instantiate(8.into(), &list), Ok(InstanceId::from(10)));
        assert_eq!(control::process_restore(8.into(), &list, b"b"), Err(ControlError::InvalidSnapshot));
        for bytes in [&list[..6], &[&list[..], &[0]].concat(), b""] {
            assert_eq!(control::process_instantiate(8.into(), bytes), Err(ControlError::InvalidPrograms));
            assert_eq!(control::process_restore(8.into(), bytes, b"b"), Err(ControlError::InvalidPrograms));
        }
        assert_eq!(
            backend.calls(),
            [
                "exit_info Some(1)",
                "exit_info None",
                "exit_info Some(1000)",
                "run 1 gas 5 a0 18446744073709551615",
                "run 1 gas 5 a0 18446744073709551615",
                "result 1",
                "result 1000",
                "prepare 1 f [1, 2, 3, 4, 5]",
                "reset 2",
                "zero 3 0x10 4",
                "release 4",
                "limits",
                "fork 5",
                "snapshot 6",
                "snapshot 1000",
                "restore 7 bytes",
                "restore 7 garbage",
                "process_instantiate 8 [([97], ModuleId(1))]",
                "process_restore 8 1 b",
            ]
        );
    });
}

/// What does not fit is told by its length, and nothing is written past the end.
#[test]
fn a_buffer_is_filled_as_far_as_it_goes() {
    with_backend(|_| {
        let mut all = vec![0xaa; 1000];
        let length = control::module_info(3.into(), &mut all).unwrap() as usize;
        assert_eq!(length, 32 + 40 + 1 + 3 * 102 + 1);
        for room in [0, 1, length - 1, length, length + 1] {
            let mut some = vec![0xaa; room];
            assert_eq!(control::module_info(3.into(), &mut some), Ok(length as u32));
            assert_eq!(some, all[..room]);
        }
    });
}
