//! The tracer: it answers as the manager does, and writes down what guests do.

use crate::common::{Guest, Layout};
use hatchery_client::{
    ConsensusConstants, Limits, Trace, TracedCall, TracedEnd, TracedFrame, Tracer, VirtManager,
};
use hatchery_primitives::{
    CacheKey, ExecBuffer, ExecError, ExecStatus, InstanceId,
    TransactionType::{Host, Runtime},
    VirtControlBackend, VirtManagerBackend,
};
use polkavm_common_033::program::{Reg, asm};

const GAS: i64 = 1_000_000;

fn guest() -> Vec<u8> {
    Guest::jam()
        .import(b"ask")
        .memory(Layout { read_only: 0, read_write: 4096, stack: 4096 })
        .export(
            "asks",
            &[asm::load_imm(Reg::A1, 7), asm::ecalli(0), asm::fallthrough(), asm::ecalli(0), asm::ret()],
        )
        .export("traps", &[asm::load_imm(Reg::A0, 1), asm::trap()])
        .export("unknown", &[asm::ecalli(9), asm::ret()])
        .export("spins", &[asm::ecalli(0), asm::fallthrough(), asm::ecalli(0), asm::ret()])
        .build()
}

fn prepared(tracer: &mut Tracer, export: &[u8]) -> InstanceId {
    let module = tracer.compile(&guest(), None).unwrap();
    let instance = tracer.instantiate(module).unwrap();
    tracer.prepare(instance, export).unwrap();
    instance
}

fn run(tracer: &mut Tracer, id: InstanceId, gas: i64, a0: u64) -> (Result<ExecStatus, ExecError>, i64) {
    let mut buffer = ExecBuffer::default();
    let result = tracer.run(id, gas, a0, &mut buffer);
    (result, buffer.gas_left)
}

/// Plays a run with two syscalls, one inside the other's, a trap and a call that is given up.
fn play(syscalls: usize) -> Trace {
    let mut tracer = Tracer::new(VirtManager::default(), syscalls);
    let outer = prepared(&mut tracer, b"asks");
    let (status, gas) = run(&mut tracer, outer, GAS, 5);
    assert_eq!(status, Ok(ExecStatus::Syscall));

    let inner = prepared(&mut tracer, b"traps");
    assert_eq!(run(&mut tracer, inner, GAS, 0).0, Err(ExecError::Trap));
    let short = prepared(&mut tracer, b"spins");
    assert_eq!(run(&mut tracer, short, 0, 0).0, Err(ExecError::OutOfGas));
    let given_up = prepared(&mut tracer, b"spins");
    assert_eq!(run(&mut tracer, given_up, GAS, 0).0, Ok(ExecStatus::Syscall));
    tracer.destroy(given_up).unwrap();

    let (status, gas) = run(&mut tracer, outer, gas, 11);
    assert_eq!(status, Ok(ExecStatus::Syscall));
    assert_eq!(run(&mut tracer, outer, gas, 12).0, Ok(ExecStatus::Finished));
    tracer.trace().take()
}

#[test]
fn calls_are_written_down_with_their_syscalls_and_ends() {
    let Trace { calls, omitted, omitted_calls } = play(10);
    assert_eq!((omitted, omitted_calls), (0, 0));
    let names: Vec<_> = calls.iter().map(|call| (call.depth, call.export.as_slice())).collect();
    assert_eq!(names, [(0, b"asks".as_slice()), (1, b"traps"), (1, b"spins"), (1, b"spins")]);

    let [outer, trapped, short, given_up] = &calls[..] else { panic!("four calls") };
    assert_eq!(outer.end, Some(TracedEnd::Finished));
    assert!(outer.gas_used > 0);
    let [first, second] = &outer.syscalls[..] else { panic!("two syscalls") };
    assert_eq!((first.symbol.as_slice(), first.answer), (b"ask".as_slice(), Some(11)));
    assert_eq!(first.arguments, [5, 7, 0, 0, 0, 0]);
    assert_eq!((second.arguments[0], second.answer), (11, Some(12)));
    assert!(second.gas_left < first.gas_left);

    let Some(TracedEnd::Trapped { trap, symbol: Some((name, offset)), frames }) = &trapped.end else {
        panic!("it trapped and has a symbol: {trapped:?}")
    };
    assert_eq!(frames, &[], "the program has no debug information");
    assert!(trapped.gas_used > 0 && trapped.gas_used < GAS as u64, "{trapped:?}");
    assert_eq!(name, b"traps");
    assert!(*offset > 0, "the trap is behind the load");
    assert_eq!(trap.kind, hatchery_client::TrapKind::Trap);

    assert_eq!(short.end, Some(TracedEnd::OutOfGas));
    assert_eq!((given_up.end.as_ref(), given_up.syscalls.len()), (None, 1));
    assert_eq!(given_up.syscalls[0].answer, None);
}

/// The program with debug information: for all of its code a function, and one that is inlined into it.
fn described(mut program: Vec<u8>) -> Vec<u8> {
    // Offsets: 0 nothing, 1 `tests`, 7 `outer`, 13 `inner`, 19 `a.rs`.
    let strings = b"\0\x05tests\x05outer\x05inner\x04a.rs";
    let lines = [
        1, // The version; behind it the program. Number 0 is the outer frame: `tests::outer`, `a.rs`, line 3.
        1, 0, 5, 1, 6, 7, 7, 19, 8, 3, //
        1, 1, 6, 13, // Number 1: `inner`, of unknown place.
        10, 2, 15, 0x7f, 0, // Two frames, for 127 bytes.
    ];
    let ranges: Vec<u8> = [0_u32, 0x7f, 1].iter().flat_map(|word| word.to_le_bytes()).collect();
    assert_eq!(program.pop(), Some(0), "the end marker");
    for (id, contents) in [(128, &strings[..]), (129, &lines), (130, &ranges)] {
        program.extend([id, u8::try_from(contents.len()).unwrap()]);
        program.extend(contents);
    }
    program.push(0);
    let length = program.len() as u64;
    program[5..13].copy_from_slice(&length.to_le_bytes());
    program
}

#[test]
fn a_trap_is_found_in_the_debug_information() {
    let mut tracer = Tracer::new(VirtManager::default(), 10);
    let module = tracer.compile(&described(guest()), Some(CacheKey::Identifier(b"key"))).unwrap();
    // A program that is found again is described, too.
    let found = tracer.lookup(CacheKey::Identifier(b"key")).unwrap();
    assert_ne!(found, module);
    let instance = tracer.instantiate(found).unwrap();
    tracer.prepare(instance, b"traps").unwrap();
    assert_eq!(run(&mut tracer, instance, GAS, 0).0, Err(ExecError::Trap));
    let trace = tracer.trace().take();
    let Some(TracedEnd::Trapped { frames, .. }) = &trace.calls[0].end else { panic!("{trace:?}") };
    let inner = TracedFrame { function: "inner".into(), place: None };
    let outer = TracedFrame { function: "tests::outer".into(), place: Some("a.rs:3".into()) };
    assert_eq!(frames, &[inner, outer]);
}

#[test]
fn what_does_not_fit_is_counted() {
    let Trace { calls, omitted, .. } = play(1);
    assert_eq!(calls.iter().map(|call| call.syscalls.len()).sum::<usize>(), 1);
    assert_eq!(omitted, 2);
    assert_eq!(
        calls[0].syscalls[0].answer,
        Some(11),
        "the answer belongs to the syscall that was written down"
    );
}

#[test]
fn a_taken_trace_is_empty_afterwards() {
    let mut tracer = Tracer::new(VirtManager::default(), 10);
    let log = tracer.trace();
    let id = prepared(&mut tracer, b"traps");
    assert_eq!(run(&mut tracer, id, GAS, 0).0, Err(ExecError::Trap));
    assert_eq!(log.take().calls.len(), 1);
    assert_eq!(log.take(), Trace::default());
}

/// A refusal is no part of a call that has ended, nor the end of one that goes on.
#[test]
fn what_is_refused_is_not_written_down() {
    let constants = ConsensusConstants::v1().limits(Limits { nesting: 1, ..Limits::V1 });
    // The same calls with refusals in between and without.
    let [with, without] = [true, false].map(|with_refusals| {
        let mut tracer = Tracer::new(VirtManager::new(constants), 10);
        let buffer = &mut ExecBuffer::default();
        let mut refused = |tracer: &mut Tracer, id, error| {
            if with_refusals {
                assert_eq!(tracer.resume(id, GAS, buffer), Err(error));
            }
        };
        let id = prepared(&mut tracer, b"spins");
        assert_eq!(run(&mut tracer, id, 0, 0).0, Err(ExecError::OutOfGas));
        // Another call takes the one place there is.
        let other = prepared(&mut tracer, b"traps");
        refused(&mut tracer, id, ExecError::InvalidImage);
        assert_eq!(run(&mut tracer, other, GAS, 0).0, Err(ExecError::Trap));
        refused(&mut tracer, other, ExecError::InvalidInstance);
        assert_eq!(tracer.resume(id, GAS, &mut ExecBuffer::default()), Ok(ExecStatus::Syscall));
        assert_eq!(run(&mut tracer, id, GAS, 1).0, Ok(ExecStatus::Syscall));
        assert_eq!(run(&mut tracer, id, GAS, 1).0, Ok(ExecStatus::Finished));
        refused(&mut tracer, id, ExecError::InvalidInstance);
        if with_refusals {
            assert_eq!(run(&mut tracer, id, GAS, 1).0, Err(ExecError::InvalidInstance));
        }
        let unknown = prepared(&mut tracer, b"unknown");
        assert_eq!(run(&mut tracer, unknown, GAS, 1).0, Err(ExecError::InvalidImage));
        refused(&mut tracer, unknown, ExecError::InvalidInstance);
        tracer.trace().take()
    });
    assert_eq!(with, without);
    assert_eq!(with.calls[0].end, Some(TracedEnd::Finished));
    assert_eq!(with.calls[2].end, Some(TracedEnd::InvalidSyscall));
}

#[test]
fn a_fork_goes_on_with_the_call_of_the_original() {
    let mut tracer = Tracer::new(VirtManager::default(), 10);
    let id = prepared(&mut tracer, b"asks");
    let (_, gas) = run(&mut tracer, id, GAS, 5);
    let suspended = tracer.fork(id).unwrap();
    assert_eq!(run(&mut tracer, suspended, gas, 11).0, Ok(ExecStatus::Syscall));
    assert_eq!(run(&mut tracer, suspended, gas, 12).0, Ok(ExecStatus::Finished));
    let ended = tracer.fork(suspended).unwrap();
    assert_eq!(run(&mut tracer, id, 0, 13).0, Err(ExecError::OutOfGas));
    let out_of_gas = tracer.fork(id).unwrap();
    tracer.prepare(ended, b"traps").unwrap();
    assert_eq!(tracer.resume(out_of_gas, GAS, &mut ExecBuffer::default()), Ok(ExecStatus::Syscall));

    let trace = tracer.trace().take();
    let [original, suspended, out_of_gas, next] = &trace.calls[..] else { panic!("{trace:#?}") };
    assert_eq!((original.syscalls.len(), original.end.as_ref()), (1, Some(&TracedEnd::OutOfGas)));
    assert_eq!(original.syscalls[0].answer, Some(13), "the fork was given another one");
    assert_eq!((suspended.export.as_slice(), suspended.depth), (b"asks".as_slice(), 1));
    assert_eq!((suspended.syscalls.len(), suspended.end.as_ref()), (1, Some(&TracedEnd::Finished)));
    assert!(suspended.gas_used > 0);
    assert_eq!((suspended.syscalls[0].arguments[0], suspended.syscalls[0].answer), (11, Some(12)));
    assert_eq!((out_of_gas.syscalls.len(), out_of_gas.end.as_ref()), (1, None));
    assert_eq!(out_of_gas.syscalls[0].arguments[0], 13);
    assert_eq!((next.export.as_slice(), next.depth), (b"traps".as_slice(), 0), "a fork of what has ended");
}

#[test]
fn a_restored_instance_goes_on_with_a_call_of_no_name() {
    let mut tracer = Tracer::new(VirtManager::default(), 10);
    let id = prepared(&mut tracer, b"asks");
    assert_eq!(run(&mut tracer, id, GAS, 5).0, Ok(ExecStatus::Syscall));
    let snapshot = tracer.snapshot(id).unwrap();
    tracer.trace().take();
    let restored = tracer.restore(0.into(), &snapshot).unwrap();
    assert_eq!(run(&mut tracer, restored, GAS, 6).0, Ok(ExecStatus::Syscall));
    let trace = tracer.trace().take();
    let [call] = &trace.calls[..] else { panic!("{trace:?}") };
    assert_eq!((call.export.as_slice(), call.depth, call.syscalls.len()), (&b""[..], 1, 1));
    assert_eq!(call.syscalls[0].arguments[0], 6);
}

#[test]
fn what_was_rolled_back_is_not_going_on() {
    let mut tracer = Tracer::new(VirtManager::default(), 10);
    tracer.start_transaction(Host);
    let kept = prepared(&mut tracer, b"asks");
    let (_, gas) = run(&mut tracer, kept, GAS, 5);
    tracer.start_transaction(Runtime);
    tracer.start_transaction(Host);
    prepared(&mut tracer, b"spins");
    assert_eq!(run(&mut tracer, kept, gas, 6).0, Ok(ExecStatus::Syscall));
    assert_eq!(run(&mut tracer, kept, gas, 7).0, Ok(ExecStatus::Finished));
    tracer.prepare(kept, b"traps").unwrap();
    tracer.rollback_transaction(Host);
    tracer.rollback_transaction(Runtime);

    // It is at its first syscall again.
    assert_eq!(run(&mut tracer, kept, gas, 8).0, Ok(ExecStatus::Syscall));
    let next = prepared(&mut tracer, b"traps");
    assert_eq!(run(&mut tracer, next, GAS, 0).0, Err(ExecError::Trap));
    tracer.commit_transaction(Host);
    tracer.rollback_transaction(Host);
    prepared(&mut tracer, b"spins");

    let calls = tracer.trace().take().calls;
    let seen: Vec<_> = calls.iter().map(|call| (call.export.as_slice(), call.depth)).collect();
    let (asks, spins, traps) = (b"asks".as_slice(), b"spins".as_slice(), b"traps".as_slice());
    assert_eq!(seen, [(asks, 0), (spins, 1), (traps, 1), (traps, 1), (spins, 0)]);
    let answers: Vec<_> = calls[0].syscalls.iter().map(|syscall| syscall.answer).collect();
    assert_eq!(answers, [Some(6), Some(7), None], "the second time the first has been answered");
    assert_eq!(calls[0].end, None, "it went on");
}

#[test]
fn calls_that_do_not_fit_are_counted() {
    let long = "x".repeat(1 << 20);
    let code = Guest::jam().import(b"ask").export(&long, &[asm::ecalli(0), asm::trap()]).build();
    let mut tracer = Tracer::new(VirtManager::default(), 1_000);
    let module = tracer.compile(&code, None).unwrap();
    let id = tracer.instantiate(module).unwrap();
    for _ in 0..10 {
        tracer.prepare(id, long.as_bytes()).unwrap();
        assert_eq!(run(&mut tracer, id, GAS, 0).0, Ok(ExecStatus::Syscall));
        assert_eq!(run(&mut tracer, id, GAS, 0).0, Err(ExecError::Trap));
    }
    let trace = tracer.trace().take();
    let names = |call: &TracedCall| match &call.end {
        Some(TracedEnd::Trapped { symbol: Some((name, _)), .. }) => call.export.len() + name.len(),
        _ => call.export.len(),
    };
    assert!(trace.calls.iter().map(names).sum::<usize>() <= 4 << 20);
    assert_eq!((trace.calls.len() as u64 + trace.omitted_calls, trace.omitted), (10, trace.omitted_calls));
    assert!((1..10).contains(&trace.omitted_calls), "{}", trace.omitted_calls);
}

#[test]
fn a_call_goes_on_after_the_trace_was_taken() {
    let mut tracer = Tracer::new(VirtManager::default(), 10);
    let first = prepared(&mut tracer, b"asks");
    let (_, gas) = run(&mut tracer, first, GAS, 5);
    assert_eq!(tracer.trace().take().calls.len(), 1);
    let second = prepared(&mut tracer, b"spins");
    assert_eq!(run(&mut tracer, first, gas, 6).0, Ok(ExecStatus::Syscall));
    assert_eq!(run(&mut tracer, second, GAS, 7).0, Ok(ExecStatus::Syscall));
    let trace = tracer.trace().take();
    let [call] = &trace.calls[..] else { panic!("{trace:?}") };
    assert_eq!((call.export.as_slice(), call.syscalls.len()), (b"spins".as_slice(), 1));
    assert_eq!(call.syscalls[0].arguments[0], 7, "not the other one's");
}
