//! Many processes, much data, random trees; limits at every value of the meter.

use crate::common::script::{Script, three_processes};
use crate::common::{
    Disturbance, PLENTY, blob, blobs, disturbed, engine, exits, holds, modules, run, seen, straight, tree,
    tree_of, tree_of_module,
};
use hatchery_engine::{Backend, Config, Engine};
use hatchery_scheduler::{Limits, ProcessId, RunMode, Status, Stop, Trace, cost};
use proptest::prelude::*;

fn with_numbers(case: u8, numbers: &[u32]) -> Vec<u8> {
    let mut arguments = vec![case, 0];
    numbers.iter().for_each(|number| arguments.extend(number.to_le_bytes()));
    arguments
}

/// Cases of the guest, with gas, number of events and hash of the schedule: a conversation, programs that replace themselves, bad
/// images, who waits for one, seventeen processes.
const PINNED: &[(&[u8], u64, u64, &str)] = &[
    (&[1, 0], 16_508_739, 90, "e02eb1e757fa9140ab6f14087f529551ca28a93ae7b14faeb8fa93785b9d4f7a"),
    (&[19, 0], 839_909_704, 311, "3b4bb6ad678b27e4618eddbe3d904f8289e1bee60a28b5620e697c8ae099cc07"),
    (&[23, 0], 16_613_512, 22, "d310005e1d6154536fb22e96464c86f2b08ac5427f8da32456b51dbb4a9f4b03"),
    (&[28, 0], 49_407_761, 27, "a8e47a747c76cdc53ba85a00cf16db700ed5bf01af2433319b832873fab716cf"),
    (&[40, 0], 280_004_411, 185, "29c941a6c607512c6173561872c8ad10ff9358a92b57d7f8533599d2a669b494"),
];

on_every_backend! {
    fn seventeen(backend) { exits(backend, &[40, 0], 0); }

    fn every_process_has_a_memory_of_its_own(backend) {
        assert_eq!(straight(backend, &[43, 0]).stop, Stop::Ended(Status::Exited(0)));
    }

    fn streams_in_chunks_of_any_size(backend) {
        let sizes = [1, 3, 100, 4095, 4096, 4097, 65_535, 65_536];
        for writes in sizes {
            for reads in sizes {
                let total = 70_000.min(300 * writes.min(reads));
                let arguments = with_numbers(41, &[total, writes, reads]);
                assert_eq!(straight(backend, &arguments).stop, Stop::Ended(Status::Exited(0)), "{writes}, {reads}");
            }
        }
        assert_eq!(straight(backend, &with_numbers(41, &[0, 1, 1])).stop, Stop::Ended(Status::Exited(0)));
        exits(backend, &with_numbers(41, &[10_000, 777, 4096]), 0);
    }

    fn blocks_of_every_size(backend) {
        let powers = (7..=16).flat_map(|power| [(1 << power) - 1, 1 << power, (1 << power) + 1]);
        for bytes in (1..=67).chain(powers) {
            let stop = straight(backend, &with_numbers(44, &[bytes])).stop;
            assert_eq!(stop, Stop::Ended(Status::Exited(0)), "{bytes}");
        }
        exits(backend, &with_numbers(44, &[65_536]), 0);
    }

    fn what_bytes_cost(backend) {
        let gas = |bytes| straight(backend, &with_numbers(44, &[bytes])).gas;
        assert_eq!(gas(5120) - gas(4097), 1280 - 1025);
        assert_eq!(gas(4096) - gas(1024), (4096 - 1024) / 4);
        assert_eq!((gas(4) - gas(1), gas(5) - gas(4)), (0, 1));
        // One page more on either side.
        assert_eq!(gas(4097) - gas(4096), 1 + 2 * cost::PAGE);
    }

    fn ten_thousand_processes_one_after_the_other(backend) {
        let count = if backend == Backend::Verify { 500 } else { 10_000 };
        let mut tree = tree_of(modules(&engine(backend)), Limits::default(), &with_numbers(42, &[count]));
        tree.set_trace(None);
        let mut most = 0;
        let stop = loop {
            match tree.iterate(RunMode::Limit(PLENTY)).unwrap().stop {
                None => most = most.max(tree.processes().count()),
                Some(stop) => break stop,
            }
        };
        assert_eq!(stop, Stop::Ended(Status::Exited(0)));
        assert_eq!((tree.remembered_ends(), tree.open_descriptors(), tree.processes().count()), (0, 0, 1));
        assert!(most <= 2, "{most} processes at once");
    }

    /// Of what nobody asks for only so much is kept as the limits say.
    fn ten_thousand_processes_that_nobody_waits_for(backend) {
        let count = if backend == Backend::Verify { 500 } else { 10_000 };
        let mut tree = tree_of(modules(&engine(backend)), Limits::default(), &with_numbers(38, &[count]));
        tree.set_trace(None);
        let (mut ended, mut sizes) = (0, Vec::new());
        let stop = loop {
            if let Some(stop) = tree.iterate(RunMode::Limit(PLENTY)).unwrap().stop {
                break stop;
            }
            assert!(tree.processes().count() <= 2 && tree.open_descriptors() <= 2);
            assert!(tree.remembered_ends() <= 256);
            let last = tree.processes().last().unwrap().0;
            if last > ended {
                ended = last;
                if ended > 400 && ended.is_multiple_of(97) {
                    sizes.push(tree.suspend().len());
                }
            }
        };
        assert_eq!(stop, Stop::Ended(Status::Exited(0)));
        assert_eq!(ended, u64::from(count));
        assert!(sizes.iter().all(|size| *size == sizes[0]), "{sizes:?}");
    }

    fn a_ring_that_is_parked_again_and_again(backend) {
        let arguments = with_numbers(46, &[20, 8]);
        let seen = exits(backend, &arguments, 0);
        for windows in [1, 2, 16] {
            let config = Config::default().backend(backend).window_limit(windows);
            let mut tree = tree_of(blobs(Engine::new(config).unwrap()), Limits::default(), &arguments);
            let stop = run(&mut tree, PLENTY);
            assert_eq!(crate::common::seen(&tree, stop), seen, "{windows} windows");
        }
    }

    fn programs_that_replace_themselves_for_ever_end_with_the_gas(backend) {
        let mut tree = tree_of(modules(&engine(backend)), Limits::default(), &[45, 0]);
        let limit = 1_000_000;
        assert_eq!(run(&mut tree, limit), Stop::OutOfGas);
        assert!(tree.gas_used() <= limit && limit - tree.gas_used() < 21_000);
        let count = tree.trace().unwrap().count();
        assert!((30..=50).contains(&count), "{count}");
        assert_eq!(tree.processes().count(), 1);
    }

    /// The limit at every value that the meter can have.
    fn the_limit_at_every_value(backend) {
        let module = engine(backend).compile(&blob("process-cases")).unwrap();
        let arguments = three_processes();
        let mut whole = tree_of_module(&module, &arguments);
        let stop = run(&mut whole, PLENTY);
        let expected = seen(&whole, stop);
        assert_eq!(expected.stop, Stop::Ended(Status::Exited(3)));
        assert!(expected.gas < 100_000, "{}", expected.gas);
        let mut last = 0;
        let mut crawling = tree_of_module(&module, &arguments);
        for limit in 0..expected.gas {
            // One tree goes on and on with a little more.
            assert_eq!(run(&mut crawling, limit), Stop::OutOfGas, "{limit}");
            let used = crawling.gas_used();
            assert!(last <= used && used <= limit, "{used} of {limit}, {last} before");
            // Others meet only this one limit. Where the meter did not move, nothing else did.
            if used > last || limit < 10 {
                let mut once = tree_of_module(&module, &arguments);
                assert_eq!(run(&mut once, limit), Stop::OutOfGas);
                assert_eq!(once.gas_used(), used, "{limit}");
                let stop = run(&mut once, expected.gas);
                assert_eq!(seen(&once, stop), expected, "{limit}");
            }
            last = used;
        }
        let stop = run(&mut crawling, expected.gas);
        assert_eq!(seen(&crawling, stop), expected);
    }

    /// They end as they should, cost the same on every backend, and what must make no difference makes none.
    fn random_trees(backend) {
        let cases = if backend == Backend::Verify { 64 } else { 256 };
        let disturbances = prop::collection::vec((0..40_u16, Disturbance::any()), 1..24);
        holds(cases, &(dag(), disturbances), |(script, disturbances)| {
            let arguments = script.arguments();
            let expected = straight(Backend::Interpreter, &arguments);
            prop_assert_eq!(&expected.stop, &Stop::Ended(Status::Exited(0)));
            prop_assert_eq!(&straight(backend, &arguments), &expected);
            prop_assert_eq!(&disturbed(backend, &arguments, &disturbances), &expected);
            Ok(())
        });
    }

    /// What trees cost and how they go is consensus: a change of a number here is a change of the rules, or of the guest.
    fn known_schedules_are_pinned(backend) {
        let schedules = PINNED.iter().map(|(case, ..)| {
            let seen = straight(backend, case);
            let hash: String = seen.schedule.iter().map(|byte| format!("{byte:02x}")).collect();
            (seen.gas, seen.entries, hash)
        });
        let pinned = PINNED.iter().map(|&(_, gas, entries, hash)| (gas, entries, hash.to_owned()));
        assert_eq!(schedules.collect::<Vec<_>>(), pinned.collect::<Vec<_>>());
    }

    fn a_schedule_can_be_checked_against_another(backend) {
        let mut tree = tree(backend, &[1, 0]);
        run(&mut tree, PLENTY);
        let recorded = tree.set_trace(None).unwrap();
        assert_eq!(recorded.count() as usize, recorded.entries().len());

        let again = |arguments: &[u8]| {
            let mut tree = crate::common::tree(backend, arguments);
            tree.set_trace(Some(Trace::replay(&recorded)));
            run(&mut tree, PLENTY);
            tree.set_trace(None).unwrap()
        };
        let same = again(&[1, 0]);
        assert_eq!((same.divergence(), same.hash()), (None, recorded.hash()));
        let other = again(&[5, 0]);
        let divergence = other.divergence().unwrap();
        assert_eq!(divergence.expected.as_ref(), recorded.entries().get(divergence.index as usize));
        assert_ne!(divergence.expected.as_ref(), Some(&divergence.got));
        assert_ne!(other.hash(), recorded.hash());

        // Of a schedule of which only the first entries were kept nothing is known behind them.
        let mut short = crate::common::tree(backend, &[1, 0]);
        short.set_trace(Some(Trace::new(10)));
        run(&mut short, PLENTY);
        let short = short.set_trace(None).unwrap();
        let mut again = crate::common::tree(backend, &[1, 0]);
        again.set_trace(Some(Trace::replay(&short)));
        run(&mut again, PLENTY);
        assert_eq!(again.trace().unwrap().divergence(), None);
        assert_eq!(short.hash(), recorded.hash());
    }

    /// The events say what each process used.
    fn a_schedule_accounts_for_all_gas(backend) {
        for case in [&[31, 0][..], &[23, 0], &[19, 0], &[25, 0, 5], &[34, 0], &[1, 0]] {
            let mut tree = tree(backend, case);
            run(&mut tree, PLENTY);
            let mut used = std::collections::BTreeMap::new();
            for (entry, slice) in tree.trace().unwrap().slices() {
                *used.entry(entry.process).or_insert(0) += slice.map_or(0, |slice| slice.end - slice.start);
            }
            let root = used.remove(&ProcessId::ROOT).unwrap();
            assert_eq!(root, tree.peek(ProcessId::ROOT).unwrap().gas_used(), "{case:?}");
            assert_eq!(used.values().sum::<u64>(), tree.gas_used_by_ended(), "{case:?}");
        }
    }
}

/// A tree of processes of which each writes to some of those that are started later than itself, or reads from earlier ones. The
/// root makes all pipes and hands their ends down the tree.
fn dag() -> impl Strategy<Value = Script> {
    (4..=17usize).prop_flat_map(|processes| {
        let parents: Vec<_> = (1..processes).map(|child| 0..child).collect();
        let edges = prop::collection::vec((0..processes, 0..processes, 1..=1024u16, 1..6usize), 1..=32);
        (Just(processes), parents, edges)
            .prop_map(|(processes, parents, edges)| script_of(processes, &parents, &edges))
    })
}

fn script_of(processes: usize, parents: &[usize], edges: &[(usize, usize, u16, usize)]) -> Script {
    let mut edges: Vec<_> = edges
        .iter()
        .filter(|(a, b, ..)| a != b)
        .map(|&(a, b, bytes, blocks)| (a.min(b), a.max(b), bytes, blocks))
        .collect();
    // In this order, which is the same everywhere, nobody waits in a circle: of the first edge that is left both sides are
    // there.
    edges.sort_unstable();
    let children: Vec<Vec<usize>> = (0..processes)
        .map(|process| (1..processes).filter(|&child| parents[child - 1] == process).collect())
        .collect();
    let mut script = Script::new(processes);
    (0..edges.len()).fold(script.role(0), |steps, _| steps.pipe());
    // What each process has, in the order of its list: (edge, whether it is the end to write to).
    let mut held: Vec<Vec<(usize, bool)>> = vec![Vec::new(); processes];
    held[0] = (0..edges.len()).flat_map(|edge| [(edge, false), (edge, true)]).collect();
    for process in 0..processes {
        for &child in &children[process] {
            let below = |end: usize| {
                let mut at = end;
                while at != child && at != 0 {
                    at = parents[at - 1];
                }
                at == child
            };
            let handed: Vec<u8> = (0..held[process].len() as u8)
                .filter(|&at| {
                    let (edge, writes) = held[process][usize::from(at)];
                    below(if writes { edges[edge].0 } else { edges[edge].1 })
                })
                .collect();
            held[child] = handed.iter().map(|&at| held[process][usize::from(at)]).collect();
            script.role(process).spawn(child as u8, &handed);
        }
        for writes in [false, true] {
            for (edge, &(from, to, bytes, blocks)) in edges.iter().enumerate() {
                let own = if writes { from } else { to };
                let at = held[process].iter().position(|&end| end == (edge, writes));
                if let Some(at) = at.filter(|_| own == process) {
                    let steps = script.role(process);
                    if writes {
                        (0..blocks).fold(steps, |steps, _| steps.write_checked(at as u8, bytes));
                    } else {
                        steps.read_checked(at as u8, bytes * blocks as u16);
                    }
                }
            }
        }
        (0..children[process].len())
            .fold(script.role(process), |steps, child| steps.wait_checked(child as u8))
            .ret(0);
    }
    script
}
