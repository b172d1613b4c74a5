//! What a node writes down: everything under one target, causes at `debug`, calls at `trace`, and nothing of a guest louder than that.

mod common;

use common::{counter, counter_revive};
use hatchery_client::{ConsensusConstants, Limits, VirtManager};
use hatchery_primitives::{ExecBuffer, ExecStatus, LOG_TARGET, VirtControlBackend, VirtManagerBackend};
use sp_tracing::{capture_test_logs, tracing::Level};

const GAS: i64 = 1_000_000;

/// Compiles, makes instances, calls, fails in several ways.
fn tour() {
    let constants = ConsensusConstants::v1().limits(Limits { modules: 1, ..Limits::V1 });
    let mut manager = VirtManager::new(constants);
    manager.compile(b"no program", None).unwrap_err();
    let module = manager.compile(counter(), None).unwrap();
    manager.compile(counter_revive(), None).unwrap_err();
    let instance = manager.instantiate(module).unwrap();
    manager.prepare(instance, b"no such export").unwrap_err();
    let mut buffer = ExecBuffer::default();
    manager.prepare(instance, b"do_panic").unwrap();
    manager.run(instance, GAS, 0, &mut buffer).unwrap_err();
    manager.prepare(instance, b"counter").unwrap();
    assert_eq!(manager.run(instance, GAS, 0, &mut buffer), Ok(ExecStatus::Syscall));
    manager.run(instance, 0, 0, &mut buffer).unwrap_err();
    let snapshot = manager.snapshot(instance).unwrap();
    manager.restore(module, &snapshot[1..]).unwrap_err();
    manager.destroy(instance).unwrap();
}

/// The lines of a log without the time, and whether each is under the one target.
fn lines(level: Level) -> Vec<String> {
    let log = capture_test_logs!(level, { tour() }).get_logs();
    log.lines().map(str::to_owned).collect()
}

fn count(lines: &[String], text: &str) -> usize {
    lines.iter().filter(|line| line.contains(text)).count()
}

#[test]
fn causes_are_told_at_debug_and_calls_at_trace() {
    let debug = lines(Level::DEBUG);
    for cause in [
        "A program of 10 bytes is refused: ",
        "Refused: InvalidProgram. 0 distinct programs; 0 instances, 0 of them ready, with 0 pages",
        "Refused: Modules. 1 distinct programs",
        "The program has no export \"no such export\"",
        "The program trapped: ",
        "A snapshot is refused: ",
    ] {
        assert_eq!(count(&debug, cause), 1, "{cause}: {debug:#?}");
    }
    let trace = lines(Level::TRACE);
    for (call, times) in [
        (": compile ", 3),
        (": instantiate ", 1),
        (": prepare ", 3),
        (": A call ended: Trapped", 1),
        (": A call ended: OutOfGas", 1),
        (": snapshot ", 1),
        (": restore ", 1),
        (": destroy ", 1),
    ] {
        assert_eq!(count(&debug, call), 0, "{call}: {debug:#?}");
        assert_eq!(count(&trace, call), times, "{call}: {trace:#?}");
    }
    // One filter, `-l virtualization=trace`, shows all of it and nothing else.
    let target = format!(" {LOG_TARGET}: ");
    assert_eq!(count(&trace, &target), trace.len(), "{trace:#?}");
}

#[test]
fn no_guest_can_fill_a_node_s_log() {
    assert_eq!(lines(Level::INFO), [""; 0]);
}
