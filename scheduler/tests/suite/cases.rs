//! One behaviour each, on every backend and in every way of running that must make no difference. What the guests check is in
//! `guests/process-cases/src/cases`; here is what only the embedder sees.

use crate::common::{
    PLENTY, answer, blob, blobs, engine, exits, in_every_way, seen, straight, tree, tree_of,
};
use hatchery_engine::Reg;
use hatchery_scheduler::{
    Activity, BadImage, Call, Deadlock, Descriptor, Event, FaultKind, Limits, LoadError, Modules, ProcessId,
    Program, RunMode, Scheduler, StartError, Status, Stop,
};

/// What is blocked where in a deadlock.
fn deadlock(stop: &Stop) -> &Deadlock {
    match stop {
        Stop::Deadlock(deadlock) => deadlock,
        stop => panic!("{stop}"),
    }
}

on_every_backend! {
    fn simple_read_write(backend) { exits(backend, &[1, 0], 0); }

    fn both_write(backend) {
        let seen = in_every_way(backend, &[2, 0]);
        let writing = |descriptor, length, reader| Activity::Writing {
            descriptor: Descriptor(descriptor), length, done: 0, reader: ProcessId(reader)
        };
        assert_eq!(
            deadlock(&seen.stop).blocked,
            [(ProcessId(0), writing(5, 11, 1)), (ProcessId(1), writing(3, 12, 0))]
        );
        assert_eq!(
            seen.stop.to_string(),
            "deadlock: process 0 writes descriptor 5 (0 of 11 bytes taken), whose other end 4 process 1 has; \
             process 1 writes descriptor 3 (0 of 12 bytes taken), whose other end 2 process 0 has"
        );
    }

    fn invalid_descriptors(backend) { exits(backend, &[3, 0], 0); }

    fn wait_for_each_other(backend) {
        let seen = in_every_way(backend, &[4, 0]);
        assert_eq!(
            seen.stop.to_string(),
            "deadlock: process 0 waits for the end of process 1; process 1 waits for the end of process 0"
        );
    }

    fn write_then_close(backend) { exits(backend, &[5, 0], 0); }
    fn wait_twice(backend) { exits(backend, &[6, 0], 0); }
    fn inherited_descriptors(backend) { exits(backend, &[7, 0], 0); }
    fn descriptors_of_others(backend) { exits(backend, &[8, 0], 0); }
    fn read_until_closed(backend) { exits(backend, &[9, 0], 0); }
    fn as_many_as_there_may_be(backend) { exits(backend, &[10, 0], 0); }

    fn the_limit_of_processes_is_the_embedders(backend) {
        for processes in [1, 2, 3, 40, 64] {
            let limits = Limits { processes, ..Limits::default() };
            let mut tree = tree_of(blobs(engine(backend)), limits, &[10, 0]);
            assert_eq!(crate::common::run(&mut tree, PLENTY), Stop::Ended(Status::Exited(0)), "{processes}");
        }
    }

    fn as_many_descriptors_as_there_may_be(backend) { exits(backend, &[11, 0], 0); }

    fn the_limit_of_descriptors_is_the_embedders(backend) {
        let made = 520;
        for (descriptors, pipes) in [(0, 0), (1, 0), (2, 1), (3, 1), (4, 2), (65, 32), (1024, 512)] {
            let limits = Limits { descriptors, ..Limits::default() };
            let mut script = crate::common::script::Script::new(1);
            (0..made).fold(script.role(0), |steps, _| steps.pipe());
            let mut tree = tree_of(blobs(engine(backend)), limits, &script.arguments());
            assert_eq!(crate::common::run(&mut tree, PLENTY), Stop::Ended(Status::Exited(0)));
            let results: Vec<u64> = tree.trace().unwrap().entries().iter().filter_map(|entry| match entry.event {
                Event::Returned { call: Call::PipeCreate, value } => Some(value),
                _ => None,
            }).collect();
            let expected: Vec<u64> = (0..made).map(|at| if at < pipes { 0 } else { 9 }).collect();
            assert_eq!(results, expected, "{descriptors} descriptors");
        }
    }

    fn the_limits_of_identifiers_and_arguments_are_the_embedders(backend) {
        let mut script = crate::common::script::Script::new(2);
        script.role(0).spawn(1, &[]).ret(0);
        let arguments = script.arguments();
        // The child gets as many bytes as the root.
        let length = arguments.len() as u32;
        for (identifier_bytes, argument_bytes, code) in [
            (5, length, 0), (4, length, 1), (0, length, 1), (5, length - 1, 4), (5, 0, 4), (4, 0, 1),
        ] {
            let limits = Limits { identifier_bytes, argument_bytes, ..Limits::default() };
            let mut tree = tree_of(blobs(engine(backend)), limits, &arguments);
            assert_eq!(crate::common::run(&mut tree, PLENTY), Stop::Ended(Status::Exited(0)));
            let entries = tree.trace().unwrap().entries();
            let spawned = entries.iter().find_map(|entry| match entry.event {
                Event::Returned { call: Call::Spawn, value } => Some(value),
                _ => None,
            });
            assert_eq!(spawned, Some(code), "{identifier_bytes}, {argument_bytes}");
        }
    }

    fn close_what_is_closed(backend) { exits(backend, &[12, 0], 0); }
    fn write_to_closed(backend) { exits(backend, &[13, 0], 0); }
    fn ids(backend) { exits(backend, &[14, 0], 0); }

    fn parts_of_programs(backend) {
        let length = blob("process-cases").len().to_le_bytes();
        exits(backend, &[&[15, 0], &length[..]].concat(), 0);
    }

    /// The same where all that is a program was compiled before, and nothing else.
    fn parts_that_were_compiled_before(backend) {
        let cases = blob("process-cases");
        let module = engine(backend).compile(&cases).unwrap();
        let length = cases.len() as u64;
        let whole = Program::whole("cases");
        let part = Program { identifier: (*b"padded").into(), offset: 5, length };
        let programs = Modules::default()
            .with_part(&whole, length, module.clone()).unwrap()
            .with_part(&part, length + 8, module.clone()).unwrap();
        assert_eq!(programs.iter().map(|(identifier, _)| identifier).collect::<Vec<_>>(), [&b"cases"[..], b"padded"]);
        let arguments = [&[15, 0], &length.to_le_bytes()[..]].concat();
        let mut tree = tree_of(programs.clone(), Limits::default(), &arguments);
        assert_eq!(crate::common::run(&mut tree, 1_000_000), Stop::Ended(Status::Exited(0)), "compiling is paid for");
        let resumed = Scheduler::resume(programs.clone(), Limits::default(), &tree.suspend()).unwrap();
        assert_eq!(resumed.result(), Some(Status::Exited(0)));

        // There is no such part; another number of bytes makes other bytes of them.
        assert!(matches!(programs.clone().with_part(&part, length + 4, module.clone()), Err(LoadError::NoPart)));
        let other = programs.with_part(&part, length + 9, module.clone()).unwrap().with("cases", module);
        let mut tree = tree_of(other, Limits::default(), &[&[15, 2], &length.to_le_bytes()[..]].concat());
        assert_eq!(crate::common::run(&mut tree, PLENTY), Stop::Ended(Status::BadImage(BadImage::Program)));
    }

    fn unknown_programs(backend) { exits(backend, &[16, 0], 0); }
    fn root_inherits_nothing(backend) { exits(backend, &[17, 0], 0); }
    fn strcat(backend) { exits(backend, &[18, 0], 0); }
    fn exec_chain(backend) { exits(backend, &[19, 0], 0); }
    fn gas_is_of_all(backend) { exits(backend, &[20, 0], 0); }
    fn exit_codes(backend) { exits(backend, &[21, 0], -7); }
    fn traps(backend) { exits(backend, &[22, 0], 0); }
    fn bad_images(backend) { exits(backend, &[23, 0], 0); }
    fn empty_reads_and_writes(backend) { exits(backend, &[24, 0], 0); }

    fn ends_close_descriptors(backend) {
        for how in 1..=5 {
            exits(backend, &[25, 0, how], 0);
        }
    }

    fn wait_for_oneself(backend) {
        let seen = in_every_way(backend, &[26, 0]);
        assert_eq!(seen.stop.to_string(), "deadlock: process 0 waits for the end of process 0");
    }

    fn deadlocks_of_two_to_seventeen(backend) {
        for processes in 2..=17 {
            let seen = straight(backend, &[27, 0, processes]);
            let expected: Vec<_> = (0..u64::from(processes)).map(|id| {
                let next = (id + 1) % u64::from(processes);
                (ProcessId(id), Activity::Waiting { process: ProcessId(next) })
            }).collect();
            assert_eq!(deadlock(&seen.stop).blocked, expected);
        }
        in_every_way(backend, &[27, 0, 17]);
    }

    fn waiters_of_one(backend) { exits(backend, &[28, 0], 0); }
    fn long_arguments(backend) { exits(backend, &[29, 0], 0); }
    fn bad_exec(backend) { exits(backend, &[30, 0], 0); }

    fn the_root_can_fail_like_any_other(backend) {
        let fault = |seen: &crate::common::Seen| match seen.stop {
            Stop::Ended(Status::Trapped(fault)) => fault.kind,
            ref stop => panic!("{stop}"),
        };
        assert_eq!(fault(&in_every_way(backend, &[22, 17])), FaultKind::Argument);
        assert!(matches!(fault(&in_every_way(backend, &[22, 1])), FaultKind::Trap(_)));
        for (role, reason) in [(1, BadImage::Program), (2, BadImage::NoEntry), (3, BadImage::Arguments)] {
            let seen = in_every_way(backend, &[30, role]);
            assert_eq!(seen.stop, Stop::Ended(Status::BadImage(reason)));
        }
    }

    fn order_of_turns(backend) {
        let mut tree = tree(backend, &[31, 0]);
        let mut order = Vec::new();
        loop {
            match tree.run(RunMode::Limit(PLENTY)).unwrap() {
                Stop::Syscall { process, number } => {
                    assert_eq!(tree.current_id(), Some(process));
                    order.push((process.0, answer(&mut tree, number)));
                }
                stop => break assert_eq!(stop, Stop::Ended(Status::Exited(0))),
            }
        }
        assert_eq!(order, [
            (0, 100), (1, 11), (0, 101), (2, 12), (0, 102), (3, 13),
            (0, 200), (1, 21), (0, 201), (2, 22), (0, 202), (3, 23),
        ]);
    }

    fn forgotten_ends(backend) {
        for statuses in [0, 1, 2, 100, 200] {
            let limits = Limits { statuses, ..Limits::default() };
            let mut tree = tree_of(blobs(engine(backend)), limits, &[32, 0, statuses as u8]);
            assert_eq!(crate::common::run(&mut tree, PLENTY), Stop::Ended(Status::Exited(0)));
        }
    }

    fn surfaced(backend) { exits(backend, &[33, 0], 0); }
    fn recursive(backend) { exits(backend, &[34, 0], 8); }
    fn closed_while_writing(backend) { exits(backend, &[35, 0], 0); }

    fn root_ends_all(backend) {
        exits(backend, &[36, 0], -3);
        let mut tree = tree(backend, &[36, 0]);
        crate::common::run(&mut tree, PLENTY);
        assert_eq!(tree.processes().collect::<Vec<_>>(), [ProcessId::ROOT]);
        assert_eq!((tree.open_descriptors(), tree.remembered_ends()), (0, 0));
        // It stays ended, and can still be looked at.
        assert_eq!(tree.run(RunMode::Limit(0)).unwrap(), Stop::Ended(Status::Exited(-3)));
        assert_eq!(tree.iterate(RunMode::Limit(0)).unwrap().process, None);
        let code = tree.peek(ProcessId::ROOT).unwrap().instance().reg(Reg::A0);
        assert_eq!(code as i8, -3);
        assert_eq!(tree.into_root().unwrap().reg(Reg::A0), code);
    }

    fn a_deadlock_is_for_ever(backend) {
        let mut tree = tree(backend, &[4, 0]);
        let first = tree.run(RunMode::Limit(PLENTY)).unwrap();
        let gas = tree.gas_used();
        assert_eq!(tree.run(RunMode::Limit(PLENTY)).unwrap(), first);
        assert_eq!((tree.gas_used(), tree.result()), (gas, None));
    }

    fn the_embedder_can_charge(backend) {
        let mut tree = tree(backend, &[33, 0]);
        assert!(!tree.charge(1, PLENTY), "nobody has called");
        let Stop::Syscall { .. } = tree.run(RunMode::Limit(100_000)).unwrap() else { panic!() };
        let (used, left) = (tree.gas_used(), 100_000 - tree.gas_used());
        assert!(!tree.charge(left + 1, 100_000) && !tree.charge(u64::MAX, u64::MAX) && !tree.charge(0, used - 1));
        assert_eq!(tree.gas_used(), used);
        // Whether it was suspended in between makes no difference.
        let resumed = Scheduler::resume(blobs(engine(backend)), Limits::default(), &tree.suspend());
        let mut resumed = resumed.unwrap();
        for tree in [&mut tree, &mut resumed] {
            assert!(tree.charge(left, 100_000));
            assert_eq!(tree.gas_used(), 100_000);
        }
        assert!(resumed.suspend() == tree.suspend());
        tree.current().unwrap().set_reg(Reg::A0, 50);
        assert_eq!(tree.run(RunMode::Limit(100_000)).unwrap(), Stop::OutOfGas);
        assert_eq!(crate::common::run(&mut tree, PLENTY), Stop::Ended(Status::Exited(0)));
        let stop = Stop::Ended(Status::Exited(0));
        assert_eq!(seen(&tree, stop).gas, straight(backend, &[33, 0]).gas + left);
    }

    fn a_look_at_a_process(backend) {
        let mut tree = tree(backend, &[31, 0]);
        let mut looked = false;
        while tree.result().is_none() {
            let stop = tree.iterate(RunMode::Limit(PLENTY)).unwrap().stop;
            if let Some(peek) = tree.peek(ProcessId(2))
                && let Activity::Reading { descriptor, length, writer } = peek.activity()
            {
                assert_eq!((descriptor, length, writer), (Descriptor(4), 1, ProcessId(0)));
                assert_eq!((peek.id(), peek.inherited()), (ProcessId(2), &[Descriptor(4)][..]));
                assert_eq!((&*peek.program().identifier, peek.program().offset), (&b"cases"[..], 0));
                // The arguments are on top of its stack.
                let top = peek.instance().module().memory_map().stack().end;
                let mut arguments = [0; 16];
                peek.instance().memory().read(top - 16, &mut arguments).unwrap();
                assert_eq!(arguments[..3], [31, 2, 0]);
                looked = true;
            }
            if let Some(Stop::Syscall { number, .. }) = stop {
                answer(&mut tree, number);
            }
        }
        assert!(looked);
        assert!(tree.peek(ProcessId(2)).is_none() && tree.peek(ProcessId(99)).is_none());
    }
}

#[test]
fn trees_that_cannot_start() {
    let backend = hatchery_engine::Backend::Interpreter;
    let start = |program: &Program, arguments: &[u8], limits| {
        Scheduler::new(blobs(engine(backend)), limits, program, arguments).map(drop).unwrap_err()
    };
    let default = Limits::default();
    let message = start(&Program::whole("nothing"), b"", default).to_string();
    assert_eq!(message, "there is no program `nothing`, or not the bytes 0 to 0 of it");
    let part = Program { identifier: (*b"cases").into(), offset: 1 << 40, length: 7 };
    assert!(matches!(start(&part, b"", default), StartError::NoProgram { .. }));
    assert!(matches!(start(&Program::whole("garbage"), b"", default), StartError::Load { .. }));
    let message = start(&Program::whole("no-main"), b"", default).to_string();
    assert_eq!(message, "the program `no-main` cannot be executed: the program does not export `main`");
    let long = vec![0; 1 << 20];
    let error = start(&Program::whole("cases"), &long, default);
    assert!(matches!(error, StartError::BadImage { reason: BadImage::Arguments, .. }));
    let limits = Limits { processes: 65, ..default };
    assert!(matches!(start(&Program::whole("cases"), b"", limits), StartError::Limits(_)));
}
