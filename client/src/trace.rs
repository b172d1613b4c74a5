//! Watching what guests do, for debuggers.

use crate::{VirtManager, instance::Instance, program::CodeHash};
use hatchery_engine::{
    Module, Trap,
    program::{DebugInfo, Frame},
};
use hatchery_primitives::{
    CacheKey, CallResult, ControlError, DestroyError, ExecBuffer, ExecError, ExecStatus, ExitInfo,
    InstanceId, InstantiateError, MemoryError, ModuleError, ModuleId, ModuleInfo, ResourceInfo, Stop,
    TransactionType, VirtControlBackend, VirtManagerBackend,
};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

/// A [`VirtManager`] that writes down every call of an export and every syscall.
///
/// It answers a runtime exactly as the manager does. A call that the manager refuses is not written down. What the node tried
/// and rolled back is: it was done. It is registered in the manager's stead, for one call into a runtime:
///
/// ```
/// use hatchery_client::{Tracer, VirtManager};
/// use hatchery_primitives::VirtManagerExt;
/// use sp_externalities::Extensions;
///
/// let tracer = Tracer::new(VirtManager::default(), 1_000);
/// let trace = tracer.trace();
/// let mut extensions = Extensions::new();
/// extensions.register(VirtManagerExt::new(tracer));
/// // … a call into the runtime with these extensions …
/// for call in trace.take().calls {
///     println!("{} ended: {:?}", call.export.escape_ascii(), call.end);
/// }
/// ```
pub struct Tracer {
    manager: VirtManager,
    log: TraceLog,
    /// How many more syscalls are written down.
    room: usize,
    /// How many more bytes calls and the names in them may take.
    room_for_calls: usize,
    /// The last call of each instance.
    open: BTreeMap<InstanceId, Open>,
    /// As it was when each open Host transaction began, the innermost last.
    before: Vec<BTreeMap<InstanceId, Open>>,
    /// The programs that have debug information. Compiled ones do not keep it.
    described: BTreeMap<CodeHash, Vec<u8>>,
    /// How many more bytes of such programs are kept.
    room_for_programs: usize,
}

/// Bytes of calls, with the names of exports and functions, that a trace has at most. Names are up to guests.
const MOST_BYTES_OF_CALLS: usize = 4 << 20;

/// Bytes of programs that are kept for their debug information.
const MOST_BYTES_OF_PROGRAMS: usize = 64 << 20;

/// What a [`Tracer`] has written down so far. It outlives the tracer, which goes with its externalities.
#[derive(Clone, Debug, Default)]
pub struct TraceLog(Arc<Mutex<Log>>);

#[derive(Debug, Default)]
struct Log {
    trace: Trace,
    /// How many calls were taken before, so that nobody writes into another one's.
    taken: usize,
}

/// What guests did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// The calls of exports, in the order in which they began.
    pub calls: Vec<TracedCall>,
    /// How many syscalls were made and not written down, because there was no room for more.
    pub omitted: u64,
    /// How many calls of exports began and were not written down, because there was no room for more: a trace has at most
    /// 4 MiB of them, with their names.
    pub omitted_calls: u64,
}

/// A call of an export, or what a fork or a restored instance makes of the call that the original was in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracedCall {
    /// How many calls were going on when it began.
    pub depth: usize,
    /// The export. Empty for what was restored from a snapshot, which does not tell.
    pub export: Vec<u8>,
    /// The syscalls that the guest made, in their order.
    pub syscalls: Vec<TracedSyscall>,
    /// Gas that it used: what the guest itself did, without what the runtime charges for syscalls.
    pub gas_used: u64,
    /// How it ended; `None`: it goes on, or the runtime gave it up, or the node rolled it back.
    pub end: Option<TracedEnd>,
}

/// A syscall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracedSyscall {
    /// Its symbol.
    pub symbol: Vec<u8>,
    /// The guest's registers a0 to a5.
    pub arguments: [u64; 6],
    /// What the guest got in a0; `None`: it did not go on.
    pub answer: Option<u64>,
    /// Gas left as the guest made it.
    pub gas_left: i64,
    /// Which process made it, in an instance that is a tree of processes; otherwise 0.
    pub process: u64,
}

/// How a call of an export ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TracedEnd {
    /// The export returned.
    Finished,
    /// There was not enough gas for the next block.
    OutOfGas,
    /// The guest did something that ended it.
    Trapped {
        /// What, and where.
        trap: Trap,
        /// The nearest export before, and how many bytes of code lie between; `None`: there is none.
        symbol: Option<(Vec<u8>, u32)>,
        /// By the program's debug information, the function that it happened in and those that this is inlined into,
        /// innermost first. Empty if there is none, or no room for it.
        frames: Vec<TracedFrame>,
    },
    /// It made a syscall that the program does not import.
    InvalidSyscall,
    /// The root of a tree of processes gave a call memory that it cannot access.
    CallArgument {
        /// The address that it gave.
        address: Option<u32>,
    },
    /// All processes of a tree wait for one another.
    Deadlock,
    /// The root of a tree of processes replaced its program by something that cannot be executed.
    BadImage,
}

/// A function, as a program's debug information has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracedFrame {
    /// Its name, with what it is in.
    pub function: String,
    /// The place in its source, `file.rs:3:1`, as far as that is known.
    pub place: Option<String>,
}

#[derive(Clone)]
struct Open {
    /// The number of the call; `None`: it was not written down.
    call: Option<usize>,
    /// The index of the syscall that waits for its answer, if it was written down.
    waiting: Option<usize>,
    /// Whether it has ended, although it may go on if it ran out of gas.
    has_ended: bool,
}

impl Tracer {
    /// Watches this manager and writes down at most `syscalls` syscalls.
    pub fn new(manager: VirtManager, syscalls: usize) -> Self {
        Self {
            manager,
            log: TraceLog::default(),
            room: syscalls,
            room_for_calls: MOST_BYTES_OF_CALLS,
            open: BTreeMap::new(),
            before: Vec::new(),
            described: BTreeMap::new(),
            room_for_programs: MOST_BYTES_OF_PROGRAMS,
        }
    }

    /// What will have been written down.
    pub fn trace(&self) -> TraceLog {
        self.log.clone()
    }

    fn begin(&mut self, id: InstanceId, function: &[u8]) {
        let depth = self.open.values().filter(|open| !open.has_ended).count();
        let has_room = self.takes_room(size_of::<TracedCall>() + function.len());
        let call = self.log.with(|log| {
            if !has_room {
                log.trace.omitted_calls += 1;
                return None;
            }
            log.trace.calls.push(TracedCall {
                depth,
                export: function.to_vec(),
                syscalls: Vec::new(),
                gas_used: 0,
                end: None,
            });
            Some(log.taken + log.trace.calls.len() - 1)
        });
        self.open.insert(id, Open { call, waiting: None, has_ended: false });
    }

    /// A fork goes on with the call that the original is in.
    fn begin_fork(&mut self, original: InstanceId, id: InstanceId) {
        let Some(Open { call, has_ended, .. }) = self.open.get(&original).cloned() else { return };
        let known = self.log.with(|log| log.call(call).map(|call| (call.export.clone(), call.end.clone())));
        let Some((export, end)) = known else {
            self.open.insert(id, Open { call: None, waiting: None, has_ended });
            return;
        };
        if has_ended && end != Some(TracedEnd::OutOfGas) {
            return;
        }
        self.begin(id, &export);
        let Some(open) = self.open.get_mut(&id) else { return };
        open.has_ended = has_ended;
        self.log.with(|log| {
            if let Some(call) = log.call(open.call) {
                call.end = end;
            }
        });
    }

    /// What a snapshot was taken of goes on. It does not tell which export that was.
    fn begin_restored(&mut self, id: InstanceId) {
        let Some(instance) = self.manager.instance(id) else { return };
        let (is_ready, is_out_of_gas) = (instance.is_ready(), instance.is_out_of_gas());
        if !is_ready && !is_out_of_gas {
            return;
        }
        self.begin(id, b"");
        let Some(open) = self.open.get_mut(&id) else { return };
        open.has_ended = is_out_of_gas;
        self.log.with(|log| {
            if let Some(call) = log.call(open.call) {
                call.end = is_out_of_gas.then_some(TracedEnd::OutOfGas);
            }
        });
    }

    /// Whether there is room for as many bytes of calls, which are taken then.
    fn takes_room(&mut self, bytes: usize) -> bool {
        let rest = self.room_for_calls.checked_sub(bytes);
        self.room_for_calls = rest.unwrap_or(self.room_for_calls);
        rest.is_some()
    }

    /// How a call ended that failed, with as many names as there is room for.
    fn failed(&mut self, id: InstanceId) -> Option<TracedEnd> {
        let instance = self.manager.instance(id)?;
        let (trap, program) = match (instance.trap(), instance.exit_info().stop) {
            (Some(trap), _) => (trap, instance.stopped_program()),
            (None, Stop::Trap { address, .. }) => return Some(TracedEnd::CallArgument { address }),
            (None, Stop::InvalidSyscall { .. }) => return Some(TracedEnd::InvalidSyscall),
            (None, Stop::Deadlock) => return Some(TracedEnd::Deadlock),
            (None, Stop::BadImage { .. }) => return Some(TracedEnd::BadImage),
            (None, _) => return None,
        };
        let mut symbol = symbol(program.module(), trap.pc);
        let debug_info = self.described.get(&program.hash());
        let mut frames = debug_info.map_or_else(Vec::new, |bytes| frames(bytes, trap.pc));
        if !self.takes_room(symbol.as_ref().map_or(0, |(name, _)| name.len())) {
            symbol = None;
        }
        let names = |frame: &TracedFrame| frame.function.len() + frame.place.as_ref().map_or(0, String::len);
        let bytes = frames.iter().map(|frame| size_of::<TracedFrame>() + names(frame)).sum();
        if !self.takes_room(bytes) {
            frames = Vec::new();
        }
        Some(TracedEnd::Trapped { trap, symbol, frames })
    }

    /// Writes down how a run went on, and what the guest was given before, if that is known.
    fn note(
        &mut self,
        id: InstanceId,
        a0: Option<u64>,
        gas: i64,
        result: Result<ExecStatus, ExecError>,
        buffer: &ExecBuffer,
    ) {
        let info = self.manager.instance(id).map(Instance::exit_info).unwrap_or_default();
        let was_refused = match result {
            Err(ExecError::InvalidInstance) => true,
            // The guest did this only if it made a syscall that does not exist, or became a program that is none. Otherwise it is
            // a limit, and nothing was run.
            Err(ExecError::InvalidImage) => {
                !matches!(info.stop, Stop::InvalidSyscall { .. } | Stop::BadImage { .. })
            }
            _ => false,
        };
        if was_refused || !self.open.contains_key(&id) {
            return;
        }
        let gas_left = match result {
            Ok(_) => buffer.gas_left,
            Err(_) => info.gas_left,
        };
        let end = match result {
            Ok(ExecStatus::Syscall) => None,
            Ok(ExecStatus::Finished) => Some(TracedEnd::Finished),
            Err(ExecError::OutOfGas) => Some(TracedEnd::OutOfGas),
            Err(_) => self.failed(id),
        };
        let Some(Open { call, waiting, has_ended }) = self.open.get_mut(&id) else { return };
        let has_room = self.room > 0 && call.is_some();
        self.log.with(|log| {
            if result == Ok(ExecStatus::Syscall) && !has_room {
                log.trace.omitted += 1;
            }
            let Some(call) = log.call(*call) else { return };
            let waiting_syscall = waiting.take().and_then(|index| call.syscalls.get_mut(index));
            // What was rolled back may have answered it before.
            if let Some(syscall) = waiting_syscall.filter(|syscall| syscall.answer.is_none()) {
                syscall.answer = a0;
            }
            call.gas_used = call.gas_used.saturating_add_signed(gas.saturating_sub(gas_left));
            if result == Ok(ExecStatus::Syscall) && has_room {
                self.room -= 1;
                *waiting = Some(call.syscalls.len());
                call.syscalls.push(TracedSyscall {
                    symbol: buffer.syscall_symbol.as_ref().to_vec(),
                    arguments: [buffer.a0, buffer.a1, buffer.a2, buffer.a3, buffer.a4, buffer.a5],
                    answer: None,
                    gas_left: buffer.gas_left,
                    process: info.process,
                });
            }
            call.end = end;
        });
        *has_ended = result != Ok(ExecStatus::Syscall);
    }
}

impl TraceLog {
    /// What was written down so far; the log is empty then.
    pub fn take(&self) -> Trace {
        self.with(|log| {
            log.taken += log.trace.calls.len();
            std::mem::take(&mut log.trace)
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut Log) -> T) -> T {
        // Nothing here panics while it is locked, and a trace is of use even if something did.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Log {
    /// The call with this number, unless it was taken.
    fn call(&mut self, number: Option<usize>) -> Option<&mut TracedCall> {
        self.trace.calls.get_mut(number?.checked_sub(self.taken)?)
    }
}

/// The export with the highest address not above `pc`, and how far behind it `pc` is.
fn symbol(module: &Module, pc: u32) -> Option<(Vec<u8>, u32)> {
    let before = module.exports().filter(|(_, at)| at.0 <= pc);
    before.max_by_key(|(_, at)| at.0).map(|(name, at)| (name.to_vec(), pc - at.0))
}

/// The functions that the instruction at `pc` belongs to, innermost first.
fn frames(program: &[u8], pc: u32) -> Vec<TracedFrame> {
    let frames = DebugInfo::from_container(program).map(|info| info.frames_at(pc)).unwrap_or_default();
    let traced = |frame: &Frame<'_>| TracedFrame { function: frame.name(), place: frame.place() };
    frames.iter().map(traced).collect()
}

impl VirtManagerBackend for Tracer {
    fn compile(&mut self, program: &[u8], key: Option<CacheKey<'_>>) -> Result<ModuleId, ModuleError> {
        let id = self.manager.compile(program, key)?;
        let hash = CodeHash::of(program);
        if !self.described.contains_key(&hash)
            && let Some(rest) = self.room_for_programs.checked_sub(program.len())
            && DebugInfo::from_container(program).is_some()
        {
            self.room_for_programs = rest;
            self.described.insert(hash, program.to_vec());
        }
        Ok(id)
    }

    fn lookup(&mut self, key: CacheKey<'_>) -> Result<ModuleId, ModuleError> {
        self.manager.lookup(key)
    }

    fn instantiate(&mut self, module_id: ModuleId) -> Result<InstanceId, InstantiateError> {
        self.manager.instantiate(module_id)
    }

    fn prepare(&mut self, instance_id: InstanceId, function: &[u8]) -> Result<(), ExecError> {
        self.manager.prepare(instance_id, function)?;
        self.begin(instance_id, function);
        Ok(())
    }

    fn run(
        &mut self,
        instance_id: InstanceId,
        gas_left: i64,
        a0: u64,
        buffer: &mut ExecBuffer,
    ) -> Result<ExecStatus, ExecError> {
        let result = self.manager.run(instance_id, gas_left, a0, buffer);
        self.note(instance_id, Some(a0), gas_left, result, buffer);
        result
    }

    fn destroy(&mut self, instance_id: InstanceId) -> Result<(), DestroyError> {
        self.open.remove(&instance_id);
        self.manager.destroy(instance_id)
    }

    fn read_memory(
        &mut self,
        instance_id: InstanceId,
        offset: u32,
        dest: &mut [u8],
    ) -> Result<(), MemoryError> {
        self.manager.read_memory(instance_id, offset, dest)
    }

    fn write_memory(&mut self, instance_id: InstanceId, offset: u32, src: &[u8]) -> Result<(), MemoryError> {
        self.manager.write_memory(instance_id, offset, src)
    }

    fn start_transaction(&mut self, kind: TransactionType) {
        if kind.is_host() {
            self.before.push(self.open.clone());
        }
        self.manager.start_transaction(kind);
    }

    fn commit_transaction(&mut self, kind: TransactionType) {
        if kind.is_host() {
            self.before.pop();
        }
        self.manager.commit_transaction(kind);
    }

    fn rollback_transaction(&mut self, kind: TransactionType) {
        if kind.is_host() {
            // The manager's instances are as they were then: without a start, there are none.
            self.open = self.before.pop().unwrap_or_default();
        }
        self.manager.rollback_transaction(kind);
    }
}

impl VirtControlBackend for Tracer {
    fn exit_info(&mut self, instance_id: Option<InstanceId>) -> Result<ExitInfo, ControlError> {
        self.manager.exit_info(instance_id)
    }

    fn resume(
        &mut self,
        instance_id: InstanceId,
        gas_left: i64,
        buffer: &mut ExecBuffer,
    ) -> Result<ExecStatus, ExecError> {
        let result = self.manager.resume(instance_id, gas_left, buffer);
        self.note(instance_id, None, gas_left, result, buffer);
        result
    }

    fn result(&mut self, instance_id: InstanceId) -> Result<CallResult, ControlError> {
        self.manager.result(instance_id)
    }

    fn prepare_with_args(
        &mut self,
        instance_id: InstanceId,
        function: &[u8],
        arguments: [u64; 5],
    ) -> Result<(), ExecError> {
        self.manager.prepare_with_args(instance_id, function, arguments)?;
        self.begin(instance_id, function);
        Ok(())
    }

    fn module_info(&mut self, module_id: ModuleId) -> Result<ModuleInfo, ControlError> {
        self.manager.module_info(module_id)
    }

    fn reset(&mut self, instance_id: InstanceId) -> Result<(), ControlError> {
        self.open.remove(&instance_id);
        self.manager.reset(instance_id)
    }

    fn zero_memory(&mut self, instance_id: InstanceId, offset: u32, length: u32) -> Result<(), MemoryError> {
        self.manager.zero_memory(instance_id, offset, length)
    }

    fn release_module(&mut self, module_id: ModuleId) -> Result<(), ControlError> {
        self.manager.release_module(module_id)
    }

    fn limits(&mut self) -> ResourceInfo {
        self.manager.limits()
    }

    fn fork(&mut self, instance_id: InstanceId) -> Result<InstanceId, ControlError> {
        let fork = self.manager.fork(instance_id)?;
        self.begin_fork(instance_id, fork);
        Ok(fork)
    }

    fn snapshot(&mut self, instance_id: InstanceId) -> Result<Vec<u8>, ControlError> {
        self.manager.snapshot(instance_id)
    }

    fn restore(&mut self, module_id: ModuleId, snapshot: &[u8]) -> Result<InstanceId, ControlError> {
        let id = self.manager.restore(module_id, snapshot)?;
        self.begin_restored(id);
        Ok(id)
    }

    fn process_instantiate(
        &mut self,
        root: ModuleId,
        programs: &[(Vec<u8>, ModuleId)],
    ) -> Result<InstanceId, ControlError> {
        self.manager.process_instantiate(root, programs)
    }

    fn process_restore(
        &mut self,
        root: ModuleId,
        programs: &[(Vec<u8>, ModuleId)],
        snapshot: &[u8],
    ) -> Result<InstanceId, ControlError> {
        let id = self.manager.process_restore(root, programs, snapshot)?;
        self.begin_restored(id);
        Ok(id)
    }

    fn next_block(&mut self) {
        self.open.clear();
        self.before.clear();
        self.manager.next_block();
    }
}

impl fmt::Debug for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracer").field("room", &self.room).finish_non_exhaustive()
    }
}
