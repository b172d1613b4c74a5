//! What goes wrong in the scheduler that this one is modelled on, and must not here: a test for each defect, which fails where the
//! defect is.
//!
//! | defect there | test |
//! |---|---|
//! | what was charged and not yet booked is lost by a suspension | `suspensions_lose_no_gas` |
//! | a limit that is met inside of a call leads to a deadlock that is none, and is charged twice | `a_limit_inside_of_a_call_is_no_deadlock` |
//! | the limit starts again after each pause | `pauses_do_not_renew_the_limit` |
//! | bytes are moved before they are paid, and not paid where the writer never runs again | `bytes_are_paid_before_they_move`, `bytes_are_paid_whoever_never_runs_again` |
//! | an end can be told twice | `waiters_of_one` in `cases.rs` |
//! | lists are read without a limit, before they are paid | `nothing_is_read_past_a_limit` |
//! | documents that name another order | `order_of_turns` in `cases.rs` |
//! | documents in which pipes keep bytes | `nothing_is_kept_in_a_pipe` |
//! | memory grows with the processes that were ever started | `ten_thousand_…` in `trees.rs` |
//! | the host panics | `suspended.rs`, the fuzz target `scheduler` |
//! | a bad pointer, a trap, a bad image ends all processes | `traps`, `bad_images`, `bad_exec` in `cases.rs` |
//! | parking costs gas, and depends on who is parked | `parking_costs_nothing` |
//! | a deadlock does not say who waits for whom | `both_write`, `deadlocks_…` |
//! | a state has no byte form, or none that is checked | `suspended.rs` |
//! | limits are the host's, or nobody's | `the_limit_of_…`, `the_limits_of_…` in `cases.rs`, `numbers_that_no_tree_gets_to_are_refused` |
//! | runs cannot be compared but by their ends | `a_schedule_can_be_checked_against_another` in `trees.rs` |
//! | 0 bytes mean the end, or nothing at all | `closed_ends_in_every_state`, `empty_reads_and_writes` in `cases.rs` |

use crate::common::script::Script;
use crate::common::{PLENTY, answer, blobs, engine, exits, run, seen, straight, tree, tree_of};
use hatchery_engine::{Backend, Config, Engine, Pause, Reg};
use hatchery_scheduler::{
    Activity, Blobs, Call, Event, Limits, ProcessId, RunMode, Scheduler, Status, Stop, cost,
};
use polkavm_common_033::program::Reg::{A0, A1, A2, A3, A4, A5};
use polkavm_common_033::program::{InstructionSetKind, asm};
use polkavm_common_033::writer::ProgramBlobBuilder;

const OK: Stop = Stop::Ended(Status::Exited(0));

/// Process 1 writes so many bytes, of which the root takes so many.
fn partly_taken(written: u16, taken: u16) -> Vec<u8> {
    let mut script = Script::new(2);
    script.role(0).pipe().spawn(1, &[1]).read(0, taken).ret(0);
    script.role(1).write(0, written).ret(0);
    script.arguments()
}

/// Runs turn by turn until this holds.
fn run_until(tree: &mut Scheduler<Blobs>, mut holds: impl FnMut(&Scheduler<Blobs>) -> bool) {
    while !holds(tree) {
        let stop = tree.iterate(RunMode::Limit(PLENTY)).unwrap().stop;
        assert_eq!(stop, None, "before it held");
    }
}

/// Whether a process is blocked at a pipe.
fn is_piping<S: hatchery_scheduler::ProgramSource>(tree: &Scheduler<S>, process: u64) -> bool {
    let activity = tree.peek(ProcessId(process)).map(|peek| peek.activity());
    matches!(activity, Some(Activity::Reading { .. } | Activity::Writing { .. }))
}

/// What a process's blocked call wrote as the number of bytes that went through.
fn count_of<S: hatchery_scheduler::ProgramSource>(tree: &Scheduler<S>, process: u64) -> u64 {
    let peek = tree.peek(ProcessId(process)).unwrap();
    let mut count = [0; 8];
    let address = peek.instance().reg(Reg::A2) as u32;
    peek.instance().memory().read(address, &mut count).unwrap();
    u64::from_le_bytes(count)
}

on_every_backend! {
    fn suspensions_lose_no_gas(backend) {
        for case in [&[1, 0][..], &[19, 0], &[35, 0], &[36, 0]] {
            let (mut calm, mut moved) = (tree(backend, case), tree(backend, case));
            loop {
                let stop = calm.iterate(RunMode::Limit(PLENTY)).unwrap();
                assert_eq!(moved.iterate(RunMode::Limit(PLENTY)).unwrap(), stop);
                let bytes = moved.suspend();
                moved = Scheduler::resume(blobs(engine(backend)), Limits::default(), &bytes).unwrap();
                let used = |tree: &Scheduler<Blobs>| -> Vec<(ProcessId, u64)> {
                    tree.processes().map(|id| (id, tree.peek(id).unwrap().gas_used())).collect()
                };
                assert_eq!(used(&moved), used(&calm));
                assert_eq!(moved.gas_used(), calm.gas_used());
                if stop.stop.is_some() {
                    break;
                }
            }
        }
    }

    fn a_limit_inside_of_a_call_is_no_deadlock(backend) {
        // The child reads, the root is about to write: when it has made its call, nobody is ready.
        let mut script = Script::new(2);
        script.role(0).pipe().spawn(1, &[0]).write_checked(1, 400).wait_checked(0).ret(0);
        script.role(1).read_checked(0, 400).ret(0);
        let whole = straight(backend, &script.arguments());
        assert_eq!(whole.stop, OK);
        let mut tree = tree(backend, &script.arguments());
        run_until(&mut tree, |tree| is_piping(tree, 1));
        let before = tree.gas_used();
        let mut interrupted = 0;
        // What is slow, and not what the test is about, takes every seventh.
        let every = if backend == Backend::Verify { 7 } else { 1 };
        for limit in (before..whole.gas).step_by(every) {
            let trace = tree.set_trace(None);
            let mut fork = tree.fork();
            tree.set_trace(trace.clone());
            fork.set_trace(trace);
            for _ in 0..3 {
                assert_eq!(fork.run(RunMode::Limit(limit)).unwrap(), Stop::OutOfGas, "{limit}");
            }
            interrupted += every * usize::from(fork.gas_used() < limit);
            let stop = fork.run(RunMode::Limit(whole.gas)).unwrap();
            assert_eq!(seen(&fork, stop), whole, "{limit}");
        }
        assert!(interrupted as u64 > cost::CALL, "no limit fell inside of a call");
    }

    fn pauses_do_not_renew_the_limit(backend) {
        let whole = straight(backend, &[1, 0]);
        let pause = Pause::new();
        pause.raise();
        for limit in [1, whole.gas / 2, whole.gas - 1] {
            let mut tree = tree(backend, &[1, 0]);
            let mut pauses = 0;
            loop {
                match tree.run(RunMode::Pause(&pause, limit)).unwrap() {
                    Stop::Paused => pauses += 1,
                    stop => break assert_eq!(stop, Stop::OutOfGas),
                }
            }
            assert!(tree.gas_used() <= limit && (pauses > 10 || limit == 1), "{limit}, {pauses} pauses");
            let stop = run(&mut tree, whole.gas);
            assert_eq!(seen(&tree, stop), whole);
        }
    }

    /// Another thread raises the flag, whenever it likes.
    fn pauses_at_any_time(backend) {
        let expected = straight(backend, &[1, 0]);
        let pause = Pause::new();
        let is_over = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
                    pause.raise();
                    std::thread::sleep(std::time::Duration::from_micros(50));
                }
            });
            for _ in 0..20 {
                let mut tree = tree(backend, &[1, 0]);
                let stop = loop {
                    match tree.run(RunMode::Pause(&pause, PLENTY)).unwrap() {
                        Stop::Paused => pause.lower(),
                        stop => break stop,
                    }
                };
                assert_eq!(seen(&tree, stop), expected);
            }
            is_over.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    }

    /// A program whose first block replaces the program, for ever, never gets to the end of a block.
    fn a_pause_is_noticed_between_calls(backend) {
        let mut blob = ProgramBlobBuilder::new(InstructionSetKind::JamV1);
        blob.set_ro_data_size(4096);
        blob.set_ro_data(b"cases".to_vec());
        blob.set_stack_size(4096);
        blob.add_import(b"process_exec");
        blob.add_export_by_instruction(0, b"main");
        let mut code = vec![asm::load_imm(A0, 0x1_0000), asm::load_imm(A1, 5)];
        code.extend([A2, A3, A4, A5].map(|reg| asm::load_imm(reg, 0)));
        code.extend([asm::ecalli(0), asm::ret()]);
        blob.set_code(&code, &[]);
        let module = engine(backend).compile(&blob.into_vec().unwrap()).unwrap();
        let mut tree = crate::common::tree_of_module(&module, &[]);
        let pause = Pause::new();
        pause.raise();
        let limit = 100 * cost::EXEC;
        for calls in 1..50 {
            assert_eq!(tree.run(RunMode::Pause(&pause, limit)).unwrap(), Stop::Paused);
            assert_eq!(tree.trace().unwrap().count(), 1 + calls);
        }
        pause.lower();
        assert_eq!(tree.run(RunMode::Pause(&pause, limit)).unwrap(), Stop::OutOfGas);
    }

    fn bytes_are_paid_before_they_move(backend) {
        let arguments = partly_taken(1000, 400);
        let whole = straight(backend, &arguments);
        let mut tree = tree(backend, &arguments);
        run_until(&mut tree, |tree| is_piping(tree, 1));
        let done = |tree: &Scheduler<Blobs>| match tree.peek(ProcessId(1)).unwrap().activity() {
            Activity::Writing { done, length: 1000, .. } => done,
            activity => panic!("{activity:?}"),
        };
        // The least limit under which the root's read is made.
        let mut probe = tree.fork();
        let mut least = probe.gas_used();
        while done(&probe) == 0 {
            least += 1;
            assert_eq!(probe.run(RunMode::Limit(least)).unwrap(), Stop::OutOfGas);
        }
        assert_eq!((done(&probe), probe.gas_used()), (400, least));
        for missing in [1, 2, cost::copy(400), cost::copy(400) + cost::PAGE, cost::copy(400) + cost::PAGE + cost::CALL] {
            let mut fork = tree.fork();
            assert_eq!(fork.run(RunMode::Limit(least - missing)).unwrap(), Stop::OutOfGas);
            assert_eq!(done(&fork), 0, "{missing}");
            assert_eq!(fork.gas_used(), least - cost::copy(400) - cost::PAGE - cost::CALL, "{missing}");
        }
        let stop = run(&mut tree, PLENTY);
        assert_eq!((stop, tree.gas_used()), (whole.stop, whole.gas));
    }

    fn bytes_are_paid_whoever_never_runs_again(backend) {
        let gas = |taken| {
            let seen = straight(backend, &partly_taken(4000, taken));
            assert_eq!(seen.stop, OK);
            seen.gas
        };
        // The writer is still blocked when the root ends.
        assert_eq!(gas(3000) - gas(1000), cost::copy(2000));
    }

    fn nothing_is_read_past_a_limit(backend) {
        exits(backend, &[37, 0], 0);
        let mut tree = tree(backend, &[37, 0]);
        assert_eq!(run(&mut tree, PLENTY), OK);
        let refused: Vec<u64> = tree.trace().unwrap().slices().filter_map(|(entry, slice)| {
            let slice = slice?;
            matches!(entry.event, Event::Returned { call: Call::Spawn | Call::Exec, value: 1.. }).then_some(slice.end - slice.start)
        }).collect();
        assert_eq!(refused.len(), 12);
        assert!(refused.iter().all(|&gas| gas < cost::CALL + 1000), "{refused:?}");
    }

    /// A writer that ends has written all, or nobody gets the rest.
    fn nothing_is_kept_in_a_pipe(backend) {
        let mut script = Script::new(2);
        script.role(0).pipe().spawn(1, &[1]).read(0, 3).read(0, 100).read(0, 100).wait(0).ret(0);
        script.role(1).write(0, 10).ret(0);
        let mut tree = tree(backend, &script.arguments());
        assert_eq!(run(&mut tree, PLENTY), OK);
        let reads: Vec<u64> = tree.trace().unwrap().entries().iter().filter_map(|entry| match entry.event {
            Event::Returned { call: Call::PipeRead, value } if entry.process == ProcessId::ROOT => Some(value),
            Event::Woken { value } if entry.process == ProcessId::ROOT => Some(value),
            _ => None,
        }).collect();
        // Three bytes, seven bytes, and then the other end is closed.
        assert_eq!(reads, [0, 0, 7]);
        // The writer goes on once all is taken, and is blocked until then.
        let writer: Vec<_> = tree.trace().unwrap().entries().iter().filter(|entry| entry.process == ProcessId(1)).map(|entry| entry.event.clone()).collect();
        assert!(matches!(writer[2..], [Event::Blocked { call: Call::PipeWrite }, Event::Woken { value: 0 }, Event::Ended { .. }]), "{writer:?}");
    }

    fn parking_costs_nothing(backend) {
        let numbers: Vec<u8> = [6_u32, 4].into_iter().flat_map(u32::to_le_bytes).collect();
        let arguments = [&[46, 0], &numbers[..]].concat();
        let expected = straight(backend, &arguments);
        assert_eq!(expected.stop, OK);
        for windows in [1, 4, 17] {
            let engine = Engine::new(Config::default().backend(backend).window_limit(windows)).unwrap();
            let mut tree = tree_of(blobs(engine), Limits::default(), &arguments);
            let stop = run(&mut tree, PLENTY);
            assert_eq!(seen(&tree, stop), expected, "{windows} windows");
        }
    }

    /// One side of a pipe is closed in every way, while the other is in every state.
    fn closed_ends_in_every_state(backend) {
        for is_reader in [true, false] {
            for how in 0..5 {
                for state in [Before::InNoCall, Before::Blocked, Before::PartlyDone, Before::BlockedElsewhere] {
                    if is_reader && state == Before::PartlyDone {
                        continue;
                    }
                    closed(backend, is_reader, how, state);
                }
            }
        }
    }

    /// Pipes around a ring, whose processes all read, all write, or by turns.
    fn deadlocks_at_pipes(backend) {
        for processes in [2, 3, 4, 8, 16, 17] {
            for reads in [0_u32, u32::MAX, 0b0101_0101_0101_0101_0101] {
                let is_reader = |process: usize| reads & 1 << process != 0;
                let seen = straight(backend, &ring(processes, is_reader));
                if reads != 0 && reads != u32::MAX {
                    // A reader follows a writer: they meet, end, and so end what the others wait for.
                    assert_eq!(seen.stop, OK);
                    continue;
                }
                let Stop::Deadlock(deadlock) = &seen.stop else { panic!("{}", seen.stop) };
                assert_eq!(deadlock.blocked.len(), processes);
                for (at, (process, activity)) in deadlock.blocked.iter().enumerate() {
                    assert_eq!(process.0, at as u64);
                    let next = ProcessId(((at + 1) % processes) as u64);
                    let last = ProcessId(((at + processes - 1) % processes) as u64);
                    match *activity {
                        Activity::Reading { writer, .. } => assert!(is_reader(at) && writer == last),
                        Activity::Writing { reader, done: 0, .. } => assert!(!is_reader(at) && reader == next),
                        ref other => panic!("{other:?}"),
                    }
                }
                assert!(seen.stop.to_string().starts_with("deadlock: process 0 "));
            }
        }
    }
}

/// What the process is at, whose other end is closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Before {
    /// It calls only afterwards.
    InNoCall,
    /// It is blocked at the pipe; nothing has gone through.
    Blocked,
    /// It is blocked in a write, a part of which was taken.
    PartlyDone,
    /// It is blocked at another pipe, and calls afterwards.
    BlockedElsewhere,
}

fn closed(backend: Backend, is_reader: bool, how: usize, state: Before) {
    let context = || format!("reader {is_reader}, how {how}, {state:?}");
    let (own, other) = if is_reader { (0, 1) } else { (1, 0) };
    let mut script = Script::new(3);
    // Ends 0 and 1 are of the pipe, 2 and 3 of another that tells the victim to go on.
    let root = script.role(0).pipe().pipe();
    let closes_first = state == Before::InNoCall;
    let root = if closes_first { root.spawn(2, &[other]) } else { root.spawn(1, &[own, 2]) };
    let root = if closes_first { root.spawn(1, &[own, 2]) } else { root.spawn(2, &[other]) };
    let root = if state == Before::BlockedElsewhere { root.write(3, 1) } else { root };
    root.wait(0).wait(1).ret(0);
    let victim = script.role(1);
    let victim = if state == Before::BlockedElsewhere { victim.read(1, 1) } else { victim };
    if is_reader { victim.read(0, 9).read(0, 9) } else { victim.write(0, 9).write(0, 9) }.ret(0);
    let closer = script.role(2);
    let closer = if state == Before::PartlyDone { closer.read(0, 4) } else { closer };
    match how {
        0 => closer.close(0).ret(0),
        1 => closer.ret(1),
        2 => closer.exit(2),
        3 => closer.trap(),
        _ => closer.bad_memory(),
    };
    let victim = if closes_first { 2 } else { 1 };
    let expected = straight(backend, &script.arguments());
    assert_eq!(expected.stop, OK, "{}", context());

    let mut tree = tree(backend, &script.arguments());
    let mut count = None;
    let stop = loop {
        let was_blocked = is_piping(&tree, victim);
        let stop = tree.iterate(RunMode::Limit(PLENTY)).unwrap().stop;
        if was_blocked
            && tree.peek(ProcessId(victim)).is_some_and(|peek| peek.activity() == Activity::Runnable)
        {
            count = Some(count_of(&tree, victim));
        }
        match stop {
            Some(Stop::Syscall { number, .. }) => drop(answer(&mut tree, number)),
            Some(stop) => break stop,
            None => {}
        }
    };
    assert_eq!(seen(&tree, stop), expected);
    let call = if is_reader { Call::PipeRead } else { Call::PipeWrite };
    let entries = tree.trace().unwrap().entries().iter().filter(|entry| entry.process == ProcessId(victim));
    let mut codes: Vec<(bool, u64)> = Vec::new();
    for entry in entries {
        match entry.event {
            Event::Returned { call: called, value } if called == call => codes.push((false, value)),
            Event::Woken { value } => codes.push((true, value)),
            _ => {}
        }
    }
    let (expected, through): (&[(bool, u64)], _) = match state {
        Before::InNoCall => (&[(false, 7), (false, 7)], None),
        Before::Blocked => (&[(true, 7), (false, 7)], Some(0)),
        Before::PartlyDone => (&[(true, 7), (false, 7)], Some(4)),
        Before::BlockedElsewhere => (&[(true, 0), (false, 7), (false, 7)], Some(1)),
    };
    assert_eq!((&codes[..], count), (expected, through), "{}", context());
    assert_eq!(tree.processes().count(), 1);
}

/// The arguments of processes of which each reads from the one before it or writes to the one behind it.
fn ring(processes: usize, is_reader: impl Fn(usize) -> bool) -> Vec<u8> {
    let mut script = Script::new(processes);
    // Pipe p goes from process p to the next. The root's list: 2 p to read from, 2 p + 1 to write to.
    let mut root = script.role(0);
    for _ in 0..processes {
        root = root.pipe();
    }
    for process in 1..processes {
        root = root.spawn(process as u8, &[2 * (process as u8 - 1), 2 * process as u8 + 1]);
    }
    let (reads, writes) = (2 * (processes as u8 - 1), 1);
    if is_reader(0) { root.read(reads, 5) } else { root.write(writes, 5) }.ret(0);
    for process in 1..processes {
        let role = script.role(process);
        if is_reader(process) { role.read(0, 5) } else { role.write(1, 5) }.ret(0);
    }
    script.arguments()
}
