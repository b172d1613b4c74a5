//! The second set of host functions at the bounds of what they take, and of what a chain allows, below the typed API.

use super::control::tour::DEMONSTRATION;
use alloc::{format, vec, vec::Vec};
use codec::{Decode, Encode};
use hatchery_primitives::{
    CallResult, ExecBuffer, ExecStatus, ExitInfo, InstanceId, ModuleId, NO_INSTANCE, virtualization,
    virtualization_control as raw,
};

const GAS: i64 = 1_000_000;

/// What the counter wants to be answered when it has incremented.
const INCREMENTED: u64 = 2 << 56;

/// The lines that were told so far.
struct Told(Vec<Vec<u8>>);

/// Visits all of them.
pub(super) fn visit(program: &[u8]) -> Vec<Vec<u8>> {
    let mut told = Told(Vec::new());
    match virtualization::compile_from_bytes(program, None) {
        Ok(module) => {
            told.gas(module.id);
            told.states(module.id);
            told.nesting(module.id);
            told.snapshots(module.id);
        }
        Err(error) => told.say("compile", &error),
    }
    told.processes();
    told.0
}

impl Told {
    fn say(&mut self, what: &str, told: &impl core::fmt::Debug) {
        self.0.push(format!("{what}: {told:?}").into_bytes());
    }

    /// What a call told, and why it was refused if it was.
    fn say_why(&mut self, what: &str, told: &impl core::fmt::Debug) {
        self.say(what, told);
        self.say(what, &exit_info(NO_INSTANCE.into()).and_then(|info| info.refusal));
    }

    /// An instance of a module; `None` is told.
    fn instance(&mut self, module: ModuleId) -> Option<InstanceId> {
        let made = virtualization::instantiate(module);
        if made.is_err() {
            self.say_why("instantiate", &made);
        }
        made.ok()
    }

    /// Tells what going on with so much gas comes to, with the whole buffer.
    fn resume(&mut self, what: &str, instance: InstanceId, gas: i64) {
        let mut buffer = ExecBuffer { a0: 7, a5: 7, ..ExecBuffer::default() };
        let result = raw::resume(instance, gas, &mut buffer);
        self.say(what, &(result, buffer.as_ref()));
        self.say(what, &exit_info(instance));
    }

    fn gas(&mut self, module: ModuleId) {
        for gas in [0, -1, i64::MIN, 1, i64::MAX] {
            let Some(instance) = self.instance(module) else { return };
            self.say("prepare", &virtualization::prepare(instance, b"counter"));
            self.resume(&format!("resume with {gas}"), instance, gas);
            // Not even the greatest gas is more than it was before.
            self.resume(&format!("resume with {gas}, then with more"), instance, i64::MAX);
            self.say("destroy", &virtualization::destroy(instance));
        }
    }

    fn states(&mut self, module: ModuleId) {
        let Some(instance) = self.instance(module) else { return };
        self.all("idle", instance);
        self.say("prepare", &virtualization::prepare(instance, b"add_99"));
        self.all("prepared", instance);
        let mut buffer = ExecBuffer::default();
        self.say("run", &virtualization::run(instance, GAS, 1, &mut buffer));
        self.all("suspended", instance);
        self.say("run", &virtualization::run(instance, GAS, INCREMENTED, &mut buffer));
        self.all("finished", instance);
        self.say("destroy", &virtualization::destroy(instance));
        self.all("destroyed", instance);
    }

    /// What the functions tell that depend on the state and do not change it.
    fn all(&mut self, state: &str, instance: InstanceId) {
        let mut result = CallResult { a0: 7, a1: 7 };
        let told = raw::result(instance, &mut result);
        self.say(&format!("result, {state}"), &(told, result));
        self.say(&format!("zero_memory, {state}"), &raw::zero_memory(instance, 0x2_0000, 0));
        if !matches!(state, "idle" | "finished") {
            let prepared = raw::prepare_with_args(instance, b"counter", 1, 2, 3, 4, 5);
            self.say(&format!("prepare_with_args, {state}"), &prepared);
        }
        let prepared = raw::prepare_with_args(instance, b"no such export", 1, 2, 3, 4, 5);
        self.say(&format!("prepare_with_args, unknown export, {state}"), &prepared);
        if !matches!(state, "prepared" | "suspended") {
            self.resume(&format!("resume, {state}"), instance, GAS);
        }
        let fork = raw::fork(instance);
        self.say(&format!("fork, {state}"), &fork);
        if let Ok(fork) = fork {
            self.say("destroy", &virtualization::destroy(fork));
        }
    }

    /// Two instances wait, and others want to.
    fn nesting(&mut self, module: ModuleId) {
        let instances: Vec<_> = (0..4).filter_map(|_| self.instance(module)).collect();
        let [first, second, third, starved] = instances[..] else { return };
        self.say("prepare", &virtualization::prepare(starved, b"counter"));
        self.resume("starved", starved, 0);
        for instance in [first, second] {
            self.say("prepare", &virtualization::prepare(instance, b"counter"));
        }
        let snapshot = snapshot(first);
        for attempt in ["nesting", "nesting with room"] {
            let say = |what: &str| format!("{attempt}: {what}");
            self.say(&say("prepare_with_args"), &raw::prepare_with_args(third, b"counter", 0, 0, 0, 0, 0));
            self.say(&say("why"), &exit_info(third));
            if attempt == "nesting" {
                self.resume(&say("resume"), starved, GAS);
            }
            let fork = raw::fork(second);
            self.say_why(&say("fork"), &fork);
            let restored = raw::restore(module, &snapshot);
            self.say_why(&say("restore"), &restored);
            for made in [fork, restored].into_iter().flatten() {
                self.say("destroy", &virtualization::destroy(made));
            }
            self.say("destroy", &virtualization::destroy(first));
        }
        for instance in [second, third, starved] {
            self.say("destroy", &virtualization::destroy(instance));
        }
    }

    fn snapshots(&mut self, module: ModuleId) {
        let Some(instance) = self.instance(module) else { return };
        self.say_why("snapshot", &raw::snapshot(instance, &mut []));
        let mut dest = vec![0xaa; 40];
        let told = raw::snapshot(instance, &mut dest);
        self.say("snapshot", &(told, dest));
        for length in [0, 100, 101, 5000] {
            self.say_why(&format!("restore {length} bytes"), &raw::restore(module, &vec![1; length]));
        }
        self.say("destroy", &virtualization::destroy(instance));
    }

    /// A tree of four processes and the pipes between them.
    fn processes(&mut self) {
        let Ok(module) = virtualization::compile_from_bytes(DEMONSTRATION, None) else {
            return self.say("processes", &"refused");
        };
        let list = vec![(b"process-demo".to_vec(), u32::from(module.id))].encode();
        let tree = raw::process_instantiate(module.id, &list);
        self.say_why("processes", &tree.map(drop));
        let Ok(tree) = tree else { return };
        self.say("processes", &virtualization::prepare(tree, b"main"));
        let mut buffer = ExecBuffer::default();
        let mut result = virtualization::run(tree, i64::MAX, 0, &mut buffer);
        for _ in 0..100 {
            if result != Ok(ExecStatus::Syscall) {
                break;
            }
            self.say("processes say", &buffer);
            result = virtualization::run(tree, buffer.gas_left, 0, &mut buffer);
        }
        let mut code = CallResult::default();
        self.say("processes end", &(result, buffer.gas_left, raw::result(tree, &mut code), code));
        self.say("processes end", &exit_info(tree));
        self.say_why("snapshot of processes", &raw::snapshot(tree, &mut []));
        self.say("destroy", &virtualization::destroy(tree));
    }
}

fn exit_info(instance: InstanceId) -> Option<ExitInfo> {
    let mut bytes = vec![0; 200];
    let length = usize::try_from(raw::exit_info(instance, &mut bytes).ok()?).ok()?;
    ExitInfo::decode(&mut bytes.get(..length)?).ok()
}

fn snapshot(instance: InstanceId) -> Vec<u8> {
    let length = raw::snapshot(instance, &mut []).unwrap_or(0);
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    let _ = raw::snapshot(instance, &mut bytes);
    bytes
}
