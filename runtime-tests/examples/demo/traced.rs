//! Hatchery's manager with a window in it: every call of the runtime is done and shown.

use crate::screen::{self, Outcome, Row, gas, grouped};
use hatchery_client::VirtManager;
use hatchery_primitives::{
    CacheKey, CallResult, ControlError, DestroyError, ExecBuffer, ExecError, ExecStatus, ExitInfo,
    InstanceId, InstantiateError, MemoryError, ModuleError, ModuleId, ModuleInfo, ResourceInfo,
    TransactionType, VirtControlBackend, VirtManagerBackend,
};
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

/// The manager, and what has been counted.
pub(crate) struct Traced {
    manager: VirtManager,
    totals: Arc<Totals>,
    /// Instances that are prepared and have not run: their a0 is an argument, later it is an answer.
    prepared: BTreeSet<u32>,
}

/// Counts of the whole demo.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    /// Calls of the runtime.
    pub(crate) calls: AtomicU64,
    /// Syscalls of guests.
    pub(crate) syscalls: AtomicU64,
}

impl Traced {
    pub(crate) fn new(totals: Arc<Totals>) -> Self {
        Self { manager: VirtManager::default(), totals, prepared: BTreeSet::new() }
    }

    /// Does a call of the manager and shows it.
    fn show<T, E: core::fmt::Debug>(
        &mut self,
        call: &'static str,
        arguments: String,
        work: impl FnOnce(&mut VirtManager) -> Result<T, E>,
        describe: impl FnOnce(&T) -> (Outcome, Option<i64>),
    ) -> Result<T, E> {
        self.totals.calls.fetch_add(1, Ordering::Relaxed);
        let started = Instant::now();
        let result = work(&mut self.manager);
        let time = started.elapsed();
        let (outcome, gas) = match &result {
            Ok(value) => describe(value),
            Err(error) => (Outcome::Refused(format!("error: {error:?}")), None),
        };
        screen::row(&Row { call, arguments, result: outcome, gas, time });
        result
    }
}

impl VirtManagerBackend for Traced {
    fn compile(&mut self, program: &[u8], key: Option<CacheKey<'_>>) -> Result<ModuleId, ModuleError> {
        let arguments = format!("{} bytes of program{}", grouped(program.len() as i64), under(key));
        self.show(
            "compile",
            arguments,
            |manager| manager.compile(program, key),
            |id| (Outcome::Plain(format!("module {}, compiled", u32::from(*id))), None),
        )
    }

    fn lookup(&mut self, key: CacheKey<'_>) -> Result<ModuleId, ModuleError> {
        self.show(
            "lookup",
            under(Some(key)).trim_start().to_owned(),
            |manager| manager.lookup(key),
            |id| (Outcome::Plain(format!("module {}, cached", u32::from(*id))), None),
        )
    }

    fn instantiate(&mut self, module_id: ModuleId) -> Result<InstanceId, InstantiateError> {
        self.show(
            "instantiate",
            format!("module {}", u32::from(module_id)),
            |manager| manager.instantiate(module_id),
            |id| (Outcome::Plain(format!("instance {}", u32::from(*id))), None),
        )
    }

    fn prepare(&mut self, instance_id: InstanceId, function: &[u8]) -> Result<(), ExecError> {
        let instance = u32::from(instance_id);
        self.prepared.insert(instance);
        self.show(
            "prepare",
            format!("instance {instance}, export {}", function.escape_ascii()),
            |manager| manager.prepare(instance_id, function),
            |()| (Outcome::Plain("ready".into()), None),
        )
    }

    fn run(
        &mut self,
        instance_id: InstanceId,
        gas_left: i64,
        a0: u64,
        buffer: &mut ExecBuffer,
    ) -> Result<ExecStatus, ExecError> {
        let instance = u32::from(instance_id);
        let arguments = if self.prepared.remove(&instance) {
            format!("instance {instance}, {} gas, a0 = {}", gas(gas_left), number(a0))
        } else {
            format!("instance {instance}, answer {}", number(a0))
        };
        let totals = self.totals.clone();
        self.show(
            "run",
            arguments,
            |manager| manager.run(instance_id, gas_left, a0, buffer).map(|status| (status, describe(buffer))),
            |(status, (syscall, gas))| match status {
                ExecStatus::Finished => (Outcome::Done("finished".into()), Some(*gas)),
                ExecStatus::Syscall => {
                    totals.syscalls.fetch_add(1, Ordering::Relaxed);
                    (Outcome::Syscall(format!("syscall {syscall}")), Some(*gas))
                }
            },
        )
        .map(|(status, _)| status)
    }

    fn destroy(&mut self, instance_id: InstanceId) -> Result<(), DestroyError> {
        self.show(
            "destroy",
            format!("instance {}", u32::from(instance_id)),
            |manager| manager.destroy(instance_id),
            |()| (Outcome::Plain("freed".into()), None),
        )
    }

    fn read_memory(
        &mut self,
        instance_id: InstanceId,
        offset: u32,
        dest: &mut [u8],
    ) -> Result<(), MemoryError> {
        let arguments = format!("{} bytes at {offset:#010x}", dest.len());
        self.show(
            "read_memory",
            arguments,
            |manager| manager.read_memory(instance_id, offset, dest).map(|()| content(dest)),
            |content| (Outcome::Plain(content.clone()), None),
        )
        .map(drop)
    }

    fn write_memory(&mut self, instance_id: InstanceId, offset: u32, src: &[u8]) -> Result<(), MemoryError> {
        let arguments = format!("{} bytes at {offset:#010x}: {}", src.len(), content(src));
        self.show(
            "write_memory",
            arguments,
            |manager| manager.write_memory(instance_id, offset, src),
            |()| (Outcome::Plain("written".into()), None),
        )
    }

    fn start_transaction(&mut self, kind: TransactionType) {
        self.manager.start_transaction(kind);
    }

    fn commit_transaction(&mut self, kind: TransactionType) {
        self.manager.commit_transaction(kind);
    }

    fn rollback_transaction(&mut self, kind: TransactionType) {
        self.manager.rollback_transaction(kind);
    }
}

/// The scenarios of the demo call none of these.
impl VirtControlBackend for Traced {
    fn exit_info(&mut self, instance_id: Option<InstanceId>) -> Result<ExitInfo, ControlError> {
        self.manager.exit_info(instance_id)
    }

    fn resume(
        &mut self,
        instance_id: InstanceId,
        gas_left: i64,
        buffer: &mut ExecBuffer,
    ) -> Result<ExecStatus, ExecError> {
        self.manager.resume(instance_id, gas_left, buffer)
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
        self.manager.prepare_with_args(instance_id, function, arguments)
    }

    fn module_info(&mut self, module_id: ModuleId) -> Result<ModuleInfo, ControlError> {
        self.manager.module_info(module_id)
    }

    fn reset(&mut self, instance_id: InstanceId) -> Result<(), ControlError> {
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
        self.manager.fork(instance_id)
    }

    fn snapshot(&mut self, instance_id: InstanceId) -> Result<Vec<u8>, ControlError> {
        self.manager.snapshot(instance_id)
    }

    fn restore(&mut self, module_id: ModuleId, snapshot: &[u8]) -> Result<InstanceId, ControlError> {
        self.manager.restore(module_id, snapshot)
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
        self.manager.process_restore(root, programs, snapshot)
    }

    fn next_block(&mut self) {
        self.manager.next_block();
    }
}

fn under(key: Option<CacheKey<'_>>) -> String {
    match key {
        None => String::new(),
        Some(CacheKey::Identifier(key)) => format!(" under identifier \"{}\"", key.escape_ascii()),
        Some(CacheKey::MainTrie(key)) => format!(" under storage key \"{}\"", key.escape_ascii()),
        Some(CacheKey::ChildTrie { child_trie, storage_key }) => format!(
            " under key \"{}\" of child trie \"{}\"",
            storage_key.escape_ascii(),
            child_trie.escape_ascii()
        ),
    }
}

/// The syscall in a buffer as a function call, and the gas left.
fn describe(buffer: &ExecBuffer) -> (String, i64) {
    let symbol = String::from_utf8_lossy(buffer.syscall_symbol.as_ref()).into_owned();
    let ExecBuffer { a0, a1, a2, a3, a4, a5, .. } = buffer;
    // How many of the registers are arguments is between the guest and the runtime.
    let count = match symbol.as_str() {
        "nothing" | "exit" | "subcall" => 0,
        "read_counter" | "increment_counter" => 1,
        "print" | "read" | "write" => 2,
        _ => 6,
    };
    let arguments: Vec<_> =
        [a0, a1, a2, a3, a4, a5].into_iter().take(count).map(|argument| number(*argument)).collect();
    (format!("{symbol}({})", arguments.join(", ")), buffer.gas_left)
}

/// A register: small numbers as such, addresses and bit patterns in hexadecimal.
fn number(value: u64) -> String {
    if value < 10_000 { value.to_string() } else { format!("{value:#x}") }
}

/// Bytes: as text if they are text, or in hexadecimal; the first few.
fn content(bytes: &[u8]) -> String {
    const SHOWN: usize = 32;
    let text = bytes.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
    if text && !bytes.is_empty() {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN)]).into_owned();
        return format!("\"{shown}\"{}", if bytes.len() > SHOWN { ".." } else { "" });
    }
    let hexadecimal: Vec<_> = bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{}{}", hexadecimal.join(" "), if bytes.len() > 8 { " .." } else { "" })
}
