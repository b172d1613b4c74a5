//! The manager behind upstream's host functions.

use hatchery_primitives as ours;
use hatchery_primitives::{CacheKey, TransactionType, VirtManagerBackend};
use sp_externalities::Extension;
use sp_virtualization as upstream;
use std::{
    any::{Any, TypeId},
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// Makes upstream's host functions work on Hatchery's engine: a node that registers
///
/// ```
/// # let mut extensions = sp_externalities::Extensions::new();
/// extensions.register(hatchery_client::UpstreamExt::default());
/// ```
///
/// instead of `sp_virtualization::VirtManagerExt::new(sc_virtualization::VirtManager::default())` has switched.
///
/// It is an extension that is found where upstream's `VirtManagerExt` is looked for. That takes a `register` that asks
/// the extension for its type id, as those of `Extensions`, `TestExternalities` and of a runtime API do.
/// `ExternalitiesExt::register_extension`, which goes by the Rust type, would hide it.
///
/// Upstream's host function for programs in storage passes the storage key without the child trie, so the same key in
/// two child tries means the same module, as on every upstream node. Hatchery's own host functions tell them apart.
pub struct UpstreamExt {
    extension: upstream::VirtManagerExt,
    hooks: Arc<Hooks>,
}

impl UpstreamExt {
    /// Puts `backend` behind upstream's host functions.
    pub fn new(backend: impl VirtManagerBackend) -> Self {
        let hooks = Arc::<Hooks>::default();
        let extension = upstream::VirtManagerExt::new(Adapter { backend, hooks: hooks.clone() });
        Self { extension, hooks }
    }
}

impl Default for UpstreamExt {
    /// With a [`VirtManager`](crate::VirtManager) as the backend.
    fn default() -> Self {
        Self::new(crate::VirtManager::default())
    }
}

impl fmt::Debug for UpstreamExt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamExt").finish_non_exhaustive()
    }
}

impl Extension for UpstreamExt {
    fn as_mut_any(&mut self) -> &mut dyn Any {
        &mut self.extension
    }

    fn type_id(&self) -> TypeId {
        TypeId::of::<upstream::VirtManagerExt>()
    }

    fn start_transaction(&mut self, ty: TransactionType) {
        self.hooks.push(Hook::Start(ty));
    }

    fn commit_transaction(&mut self, ty: TransactionType) {
        self.hooks.push(Hook::Commit(ty));
    }

    fn rollback_transaction(&mut self, ty: TransactionType) {
        self.hooks.push(Hook::Rollback(ty));
    }
}

/// The transaction hooks on their way to the backend.
///
/// The backend is locked up in upstream's extension, whose interface has no hooks. They are handed over before the next
/// call, and before that nothing can tell whether they were. A lock around the backend would cost more on each call
/// than the rest of the way; this costs one load.
#[derive(Default)]
struct Hooks {
    any: AtomicBool,
    queue: Mutex<Vec<Hook>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hook {
    Start(TransactionType),
    Commit(TransactionType),
    Rollback(TransactionType),
}

impl Hooks {
    fn push(&self, hook: Hook) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        // A transaction in which no call was made comes to nothing. Most are such, and the queue stays short.
        if let Hook::Commit(ty) | Hook::Rollback(ty) = hook
            && queue.last() == Some(&Hook::Start(ty))
        {
            queue.pop();
        } else {
            queue.push(hook);
        }
        self.any.store(!queue.is_empty(), Ordering::Release);
    }

    fn deliver(&self, backend: &mut impl VirtManagerBackend) {
        if !self.any.load(Ordering::Acquire) {
            return;
        }
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        self.any.store(false, Ordering::Release);
        for hook in queue.drain(..) {
            match hook {
                Hook::Start(ty) => backend.start_transaction(ty),
                Hook::Commit(ty) => backend.commit_transaction(ty),
                Hook::Rollback(ty) => backend.rollback_transaction(ty),
            }
        }
    }
}

/// Upstream's interface over ours.
struct Adapter<B> {
    backend: B,
    hooks: Arc<Hooks>,
}

impl<B: VirtManagerBackend> Adapter<B> {
    fn backend(&mut self) -> &mut B {
        self.hooks.deliver(&mut self.backend);
        &mut self.backend
    }
}

impl<B: VirtManagerBackend> upstream::VirtManagerBackend for Adapter<B> {
    fn compile_from_bytes(
        &mut self,
        program: &[u8],
        identifier: Option<&[u8]>,
    ) -> Result<upstream::ModuleId, upstream::ModuleError> {
        self.backend()
            .compile(program, identifier.map(CacheKey::Identifier))
            .map(module_id)
            .map_err(module_error)
    }

    fn lookup(&mut self, identifier: &[u8]) -> Result<upstream::ModuleId, upstream::ModuleError> {
        self.backend().lookup(CacheKey::Identifier(identifier)).map(module_id).map_err(module_error)
    }

    fn instantiate(
        &mut self,
        module_id: upstream::ModuleId,
    ) -> Result<upstream::InstanceId, upstream::InstantiateError> {
        let instance = self.backend().instantiate(u32::from(module_id).into());
        instance.map(|id| u32::from(id).into()).map_err(|error| match error {
            ours::InstantiateError::InvalidImage => upstream::InstantiateError::InvalidImage,
            ours::InstantiateError::InvalidModule => upstream::InstantiateError::InvalidModule,
        })
    }

    fn prepare(
        &mut self,
        instance_id: upstream::InstanceId,
        function: &[u8],
    ) -> Result<(), upstream::ExecError> {
        self.backend().prepare(our_id(instance_id), function).map_err(exec_error)
    }

    fn run(
        &mut self,
        instance_id: upstream::InstanceId,
        gas_left: i64,
        a0: u64,
    ) -> Result<(upstream::ExecStatus, upstream::ExecBuffer), upstream::ExecError> {
        let mut buffer = ours::ExecBuffer::default();
        let status =
            self.backend().run(our_id(instance_id), gas_left, a0, &mut buffer).map_err(exec_error)?;
        let status = match status {
            ours::ExecStatus::Finished => upstream::ExecStatus::Finished,
            ours::ExecStatus::Syscall => upstream::ExecStatus::Syscall,
        };
        Ok((status, exec_buffer(&buffer)))
    }

    fn destroy(&mut self, instance_id: upstream::InstanceId) -> Result<(), upstream::DestroyError> {
        self.backend().destroy(our_id(instance_id)).map_err(|error| match error {
            ours::DestroyError::InvalidInstance => upstream::DestroyError::InvalidInstance,
        })
    }

    fn read_memory(
        &mut self,
        instance_id: upstream::InstanceId,
        offset: u32,
        dest: &mut [u8],
    ) -> Result<(), upstream::MemoryError> {
        let result = self.backend().read_memory(our_id(instance_id), offset, dest).map_err(memory_error);
        if result.is_err() {
            dest.fill(0);
        }
        result
    }

    fn write_memory(
        &mut self,
        instance_id: upstream::InstanceId,
        offset: u32,
        src: &[u8],
    ) -> Result<(), upstream::MemoryError> {
        self.backend().write_memory(our_id(instance_id), offset, src).map_err(memory_error)
    }
}

fn module_id(id: ours::ModuleId) -> upstream::ModuleId {
    u32::from(id).into()
}

fn our_id(id: upstream::InstanceId) -> ours::InstanceId {
    u32::from(id).into()
}

fn exec_buffer(buffer: &ours::ExecBuffer) -> upstream::ExecBuffer {
    let ours::ExecBuffer { gas_left, ref syscall_symbol, a0, a1, a2, a3, a4, a5 } = *buffer;
    // Both have the same bound, so there is no symbol that does not fit.
    let syscall_symbol = upstream::SyscallSymbol::new(syscall_symbol.as_ref()).unwrap_or_default();
    upstream::ExecBuffer { gas_left, syscall_symbol, a0, a1, a2, a3, a4, a5 }
}

fn module_error(error: ours::ModuleError) -> upstream::ModuleError {
    match error {
        ours::ModuleError::InvalidImage => upstream::ModuleError::InvalidImage,
        ours::ModuleError::NotCached => upstream::ModuleError::NotCached,
        ours::ModuleError::NotFound => upstream::ModuleError::NotFound,
    }
}

fn exec_error(error: ours::ExecError) -> upstream::ExecError {
    match error {
        ours::ExecError::InvalidInstance => upstream::ExecError::InvalidInstance,
        ours::ExecError::InvalidImage => upstream::ExecError::InvalidImage,
        ours::ExecError::OutOfGas => upstream::ExecError::OutOfGas,
        ours::ExecError::Trap => upstream::ExecError::Trap,
    }
}

fn memory_error(error: ours::MemoryError) -> upstream::MemoryError {
    match error {
        ours::MemoryError::InvalidInstance => upstream::MemoryError::InvalidInstance,
        ours::MemoryError::OutOfBounds => upstream::MemoryError::OutOfBounds,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use TransactionType::{Host, Runtime};
    use sp_externalities::Extensions;

    /// Notes what it is told, in order.
    #[derive(Clone, Default)]
    struct Recorder(Arc<Mutex<Vec<String>>>);

    impl Recorder {
        fn note(&self, call: impl Into<String>) {
            self.0.lock().unwrap().push(call.into());
        }

        fn calls(&self) -> Vec<String> {
            std::mem::take(&mut self.0.lock().unwrap())
        }
    }

    impl VirtManagerBackend for Recorder {
        fn compile(
            &mut self,
            _: &[u8],
            key: Option<CacheKey<'_>>,
        ) -> Result<ours::ModuleId, ours::ModuleError> {
            self.note(format!("compile {key:?}"));
            Ok(7.into())
        }

        fn lookup(&mut self, key: CacheKey<'_>) -> Result<ours::ModuleId, ours::ModuleError> {
            self.note(format!("lookup {key:?}"));
            Err(ours::ModuleError::NotCached)
        }

        fn instantiate(&mut self, _: ours::ModuleId) -> Result<ours::InstanceId, ours::InstantiateError> {
            Err(ours::InstantiateError::InvalidModule)
        }

        fn prepare(&mut self, _: ours::InstanceId, _: &[u8]) -> Result<(), ours::ExecError> {
            Err(ours::ExecError::InvalidImage)
        }

        fn run(
            &mut self,
            _: ours::InstanceId,
            gas_left: i64,
            a0: u64,
            buffer: &mut ours::ExecBuffer,
        ) -> Result<ours::ExecStatus, ours::ExecError> {
            let syscall_symbol = ours::SyscallSymbol::new(&[b's'; 32]).unwrap();
            *buffer = ours::ExecBuffer { gas_left, syscall_symbol, a0, a1: 1, a2: 2, a3: 3, a4: 4, a5: 5 };
            Ok(ours::ExecStatus::Syscall)
        }

        fn destroy(&mut self, _: ours::InstanceId) -> Result<(), ours::DestroyError> {
            self.note("destroy");
            Ok(())
        }

        fn read_memory(
            &mut self,
            _: ours::InstanceId,
            _: u32,
            dest: &mut [u8],
        ) -> Result<(), ours::MemoryError> {
            dest.fill(0xee);
            Err(ours::MemoryError::OutOfBounds)
        }

        fn write_memory(&mut self, _: ours::InstanceId, _: u32, _: &[u8]) -> Result<(), ours::MemoryError> {
            Err(ours::MemoryError::InvalidInstance)
        }

        fn start_transaction(&mut self, ty: TransactionType) {
            self.note(format!("start {ty:?}"));
        }

        fn commit_transaction(&mut self, ty: TransactionType) {
            self.note(format!("commit {ty:?}"));
        }

        fn rollback_transaction(&mut self, ty: TransactionType) {
            self.note(format!("rollback {ty:?}"));
        }
    }

    fn registered() -> (Recorder, Extensions) {
        let recorder = Recorder::default();
        let mut extensions = Extensions::new();
        extensions.register(UpstreamExt::new(recorder.clone()));
        (recorder, extensions)
    }

    /// What upstream's host functions find.
    fn found(extensions: &mut Extensions) -> &mut upstream::VirtManagerExt {
        let extension =
            extensions.get_mut(TypeId::of::<upstream::VirtManagerExt>()).expect("it is registered");
        extension.downcast_mut().expect("it is upstream's extension")
    }

    #[test]
    fn upstreams_host_functions_find_it() {
        let (recorder, mut extensions) = registered();
        let backend = found(&mut extensions);
        assert_eq!(backend.compile_from_bytes(b"code", Some(b"id")), Ok(7.into()));
        assert_eq!(backend.compile_from_bytes(b"code", None), Ok(7.into()));
        assert_eq!(backend.lookup(b"id"), Err(upstream::ModuleError::NotCached));
        assert_eq!(backend.destroy(1.into()), Ok(()));
        let id = "Identifier([105, 100])";
        assert_eq!(
            recorder.calls(),
            [format!("compile Some({id})"), "compile None".into(), format!("lookup {id}"), "destroy".into()]
        );
    }

    #[test]
    fn results_arrive_as_they_are() {
        let (_, mut extensions) = registered();
        let backend = found(&mut extensions);
        assert_eq!(backend.instantiate(0.into()), Err(upstream::InstantiateError::InvalidModule));
        assert_eq!(backend.prepare(0.into(), b""), Err(upstream::ExecError::InvalidImage));
        assert_eq!(backend.write_memory(0.into(), 0, b""), Err(upstream::MemoryError::InvalidInstance));
        let mut dest = [1; 2];
        assert_eq!(backend.read_memory(0.into(), 0, &mut dest), Err(upstream::MemoryError::OutOfBounds));
        assert_eq!(dest, [0; 2], "zero after an error");
        let (status, buffer) = backend.run(0.into(), -5, 9).unwrap();
        assert_eq!(status, upstream::ExecStatus::Syscall);
        assert_eq!(buffer.syscall_symbol.as_ref(), [b's'; 32]);
        assert_eq!((buffer.gas_left, buffer.a0, buffer.a1, buffer.a5), (-5, 9, 1, 5));
    }

    #[test]
    fn hooks_come_in_order_before_the_next_call() {
        let (recorder, mut extensions) = registered();
        extensions.start_transaction(Host);
        extensions.start_transaction(Runtime);
        found(&mut extensions).destroy(0.into()).unwrap();
        extensions.rollback_transaction(Runtime);
        extensions.commit_transaction(Host);
        found(&mut extensions).destroy(0.into()).unwrap();
        found(&mut extensions).destroy(0.into()).unwrap();
        assert_eq!(
            recorder.calls(),
            [
                "start Host",
                "start Runtime",
                "destroy",
                "rollback Runtime",
                "commit Host",
                "destroy",
                "destroy"
            ]
        );
    }

    #[test]
    fn transactions_without_calls_leave_no_trace() {
        let (recorder, mut extensions) = registered();
        for _ in 0..3 {
            extensions.start_transaction(Host);
            extensions.start_transaction(Runtime);
            extensions.commit_transaction(Runtime);
            extensions.rollback_transaction(Host);
        }
        found(&mut extensions).destroy(0.into()).unwrap();
        assert_eq!(recorder.calls(), ["destroy"]);
    }

    #[test]
    fn unbalanced_hooks_are_handed_on() {
        let (recorder, mut extensions) = registered();
        extensions.commit_transaction(Host);
        extensions.start_transaction(Runtime);
        extensions.rollback_transaction(Host);
        found(&mut extensions).destroy(0.into()).unwrap();
        assert_eq!(recorder.calls(), ["commit Host", "start Runtime", "rollback Host", "destroy"]);
    }
}
