//! Calls into guests: one, several, nested, side by side.

use super::{
    super::virtualization::{ExecResult, Execution, Instance, Module},
    driver::{counter_syscall, drive, exec_failure, instantiate, instantiate_failure, module_failure},
};
use crate::outcome::{Call, End, Run, Syscall};
use alloc::{vec, vec::Vec};

/// Gas that no guest of these tests uses up.
const PLENTY: i64 = i64::MAX;

/// Makes the calls one after the other on one instance, which keeps its memory between them.
///
/// The counter starts at `counter` and goes on from call to call. Stops early when a call leaves no instance.
pub fn on_one_instance(program: Vec<u8>, mut counter: u64, calls: Vec<Call>) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut instance = match instantiate(&program) {
        Ok(instance) => instance,
        Err(end) => return vec![not_run(end, counter)],
    };
    for call in &calls {
        let (run, rest) = drive(instance, call, &mut counter, counter_syscall);
        runs.push(run);
        match rest {
            Some(idle) => instance = idle,
            None => break,
        }
    }
    runs
}

/// Makes each call on an instance of its own, all of one module. The counter goes on from call to call.
pub fn on_new_instances(program: Vec<u8>, mut counter: u64, calls: Vec<Call>) -> Vec<Run> {
    let module = match Module::from_bytes(&program, None) {
        Ok((module, _)) => module,
        Err(error) => return vec![not_run(End::NotCompiled(module_failure(error)), counter)],
    };
    let run = |call: &Call| match module.instantiate() {
        Ok(instance) => drive(instance, call, &mut counter, counter_syscall).0,
        Err(error) => not_run(End::NotInstantiated(instantiate_failure(error)), counter),
    };
    calls.iter().map(run).collect()
}

/// Gas that one call uses under each of the limits; `None` where it does not finish.
pub fn gas_used(program: Vec<u8>, export: Vec<u8>, limits: Vec<i64>) -> Vec<Option<i64>> {
    let used = |gas: i64| {
        let call = Call { export: export.clone(), gas, a0: 0 };
        let (run, _) = drive(instantiate(&program).ok()?, &call, &mut 0, counter_syscall);
        (run.end == End::Finished).then_some(gas - run.gas_left?)
    };
    limits.into_iter().map(used).collect()
}

/// Gas that a call uses, the call with exactly that, and the call with 1 less. `None` if it does not finish.
pub fn least_gas(program: Vec<u8>, export: Vec<u8>) -> Option<(i64, Run, Run)> {
    let with = |gas| {
        let call = Call { export: export.clone(), gas, a0: 0 };
        Some(drive(instantiate(&program).ok()?, &call, &mut 0, counter_syscall).0)
    };
    let used = PLENTY - with(PLENTY)?.gas_left?;
    Some((used, with(used)?, with(used - 1)?))
}

/// Calls `do_subcall`, answers its `subcall` by the same in a new instance, and so on to `depth`, where `counter` is
/// called. Each level has a counter of its own. Gives the outermost call first.
pub fn nested(program: Vec<u8>, depth: u32) -> Vec<Run> {
    fn level(program: &[u8], depth: u32, inner: &mut Vec<Run>) -> Run {
        let export: &[u8] = if depth == 0 { b"counter" } else { b"do_subcall" };
        let call = Call { export: export.to_vec(), gas: PLENTY, a0: 0 };
        let instance = match instantiate(program) {
            Ok(instance) => instance,
            Err(end) => return not_run(end, 0),
        };
        let handler = |execution: &mut Execution, syscall: &Syscall, counter: &mut u64| {
            if syscall.symbol != b"subcall" || depth == 0 {
                return counter_syscall(execution, syscall, counter);
            }
            let run = level(program, depth - 1, inner);
            inner.push(run);
            Ok(0)
        };
        drive(instance, &call, &mut 0, handler).0
    }

    let mut runs = Vec::new();
    let outermost = level(&program, depth, &mut runs);
    runs.push(outermost);
    runs.reverse();
    runs
}

/// Runs `counter` on two instances of one module in turn, a syscall each, from two different counters.
pub fn interleaved(program: Vec<u8>, counters: (u64, u64)) -> Vec<Run> {
    /// One of the two calls.
    struct Side {
        execution: Option<Execution>,
        register: u64,
        gas: i64,
        run: Run,
    }

    impl Side {
        fn new(module: &Module, counter: u64) -> Self {
            let prepared = module.instantiate().ok().and_then(|idle| idle.prepare(b"counter").ok());
            Self { execution: prepared, register: 0, gas: PLENTY, run: not_run(End::UnknownSyscall, counter) }
        }

        /// Goes on until the next syscall has been answered.
        fn advance(&mut self) {
            let Some(execution) = self.execution.take() else { return };
            match execution.run(self.gas, self.register) {
                ExecResult::Finished { gas_left, .. } => {
                    (self.run.end, self.run.gas_left) = (End::Finished, Some(gas_left));
                }
                ExecResult::Error { error, .. } => self.run.end = End::Failed(exec_failure(error)),
                ExecResult::Syscall { mut execution, gas_left, syscall_symbol, a0, a1, a2, a3, a4, a5 } => {
                    let symbol = syscall_symbol.as_ref().to_vec();
                    let syscall = Syscall { symbol, gas_left, arguments: [a0, a1, a2, a3, a4, a5] };
                    match counter_syscall(&mut execution, &syscall, &mut self.run.counter) {
                        Ok(result) => {
                            (self.gas, self.register) = (gas_left, result);
                            self.execution = Some(execution);
                        }
                        Err(end) => self.run.end = end,
                    }
                    self.run.syscalls.push(syscall);
                }
            }
        }
    }

    let module = match Module::from_bytes(&program, None) {
        Ok((module, _)) => module,
        Err(error) => return vec![not_run(End::NotCompiled(module_failure(error)), 0)],
    };
    let mut sides = [Side::new(&module, counters.0), Side::new(&module, counters.1)];
    while sides.iter().any(|side| side.execution.is_some()) {
        sides.iter_mut().for_each(Side::advance);
    }
    sides.map(|side| side.run).into()
}

/// Calls `export` with the largest a0 and answers `count` syscalls with 2^57 in a0 and nothing else, then stops. Gives how
/// many there were.
///
/// With a `count` of 0 it does all but run, which is what to subtract from a measurement.
pub fn round_trips(program: Vec<u8>, export: Vec<u8>, count: u32) -> u32 {
    let Some(mut execution) = prepare(&program, &export) else { return 0 };
    let mut gas = PLENTY;
    let mut register = u64::MAX;
    for done in 0..count {
        match execution.run(gas, register) {
            ExecResult::Syscall { execution: suspended, gas_left, .. } => {
                (execution, gas, register) = (suspended, gas_left, 1 << 57);
            }
            ExecResult::Finished { .. } | ExecResult::Error { .. } => return done,
        }
    }
    count
}

/// Makes `count` instances, calls `export` on each when it is made and once more when all are there. Gives how many could be
/// made, how the request after the last one ended, and the sum of the counters.
pub fn many_instances(program: Vec<u8>, export: Vec<u8>, count: u32) -> (u32, End, u64) {
    let call = Call { export, gas: PLENTY, a0: 0 };
    let module = match Module::from_bytes(&program, None) {
        Ok((module, _)) => module,
        Err(error) => return (0, End::NotCompiled(module_failure(error)), 0),
    };
    let mut sum = 0;
    let mut instances = Vec::new();
    let mut end = End::Finished;
    for _ in 0..count {
        match module.instantiate() {
            Ok(instance) => instances.extend(drive(instance, &call, &mut sum, counter_syscall).1),
            Err(error) => {
                end = End::NotInstantiated(instantiate_failure(error));
                break;
            }
        }
    }
    let made = instances.len() as u32;
    for instance in instances {
        drive(instance, &call, &mut sum, counter_syscall);
    }
    (made, end, sum)
}

fn prepare(program: &[u8], export: &[u8]) -> Option<Execution> {
    instantiate(program).ok().and_then(|instance: Instance| instance.prepare(export).ok())
}

fn not_run(end: End, counter: u64) -> Run {
    Run { end, gas_left: None, counter, syscalls: Vec::new() }
}
