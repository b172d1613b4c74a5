//! The system refuses to protect or to empty memory, at any time: nothing panics, no guest gets at what it may not, and when the
//! system does what it is asked for again everything goes on as if nothing had happened.

use core::ops::Range;

use super::{RW, i, program};
use crate::isa::Opcode;
use crate::memory::refusals::{calls, refuse};
use crate::{
    Backend, Config, Engine, Exit, GasModel, Instance, Module, Permission, ProgramCounter, Reg, RunError,
};

const PAGE: u32 = 4096;
/// More pages than a window keeps for its next instance.
const PAGES: u32 = 1300;

/// An engine with two windows, and a program that counts in memory and calls its host each time.
fn counter() -> (Engine, Module) {
    use Opcode::{AddImm64, Ecalli, Jump, LoadIndirectU64, StoreIndirectU64};
    use Reg::{A0, A1};
    let instructions = [
        i(LoadIndirectU64, A0, A1, A1, 0, 0),
        i(AddImm64, A0, A0, A0, 1, 0),
        i(StoreIndirectU64, A0, A0, A1, 0, 0),
        i(Ecalli, A0, A0, A0, 0, 0),
        i(Jump, A0, A0, A0, 0, 0),
    ];
    let config = Config::default().gas_model(GasModel::Flat).backend(Backend::Recompiler).window_limit(2);
    let engine = Engine::new(config).unwrap();
    let module = engine.compile_program(program(&instructions, PAGES * PAGE)).unwrap();
    (engine, module)
}

/// What has happened, and how often it took more than one attempt.
#[derive(Default)]
struct Story {
    exits: Vec<(Exit, u64)>,
    failures: u32,
}

impl Story {
    /// Counts in a page of an instance. After some attempts the system gives in.
    fn count(&mut self, instance: &mut Instance, page: u32) {
        if !instance.is_prepared() {
            instance.set_pc(ProgramCounter(0));
        }
        instance.set_gas(1 << 40);
        instance.set_reg(Reg::A1, (RW + page * PAGE).into());
        for attempt in 0.. {
            match instance.run() {
                Ok(exit) => return self.exits.push((exit, instance.reg(Reg::A0))),
                Err(RunError::Host(_)) => {}
                Err(error) => panic!("{error}"),
            }
            self.failures += 1;
            match attempt {
                3 => refuse(0..0),
                10.. => panic!("it does not go on although nothing is refused"),
                _ => {}
            }
        }
    }
}

/// All that changes what a window allows.
fn story(refused: Range<u32>) -> Story {
    let (engine, module) = counter();
    let mut story = Story::default();
    refuse(refused);

    let mut first = module.instantiate();
    (0..6).for_each(|page| story.count(&mut first, page * 3));
    first.memory_mut().protect(RW + 3 * PAGE, (2 * PAGE).into(), Permission::None).unwrap();
    first.memory_mut().protect(RW + 6 * PAGE, PAGE.into(), Permission::Read).unwrap();
    [0, 3, 4, 5, 6, 9].into_iter().for_each(|page| story.count(&mut first, page));
    first.memory_mut().protect(RW + 3 * PAGE, PAGE.into(), Permission::ReadWrite).unwrap();
    first.memory_mut().protect(RW + 6 * PAGE, PAGE.into(), Permission::ReadWrite).unwrap();
    [3, 6].into_iter().for_each(|page| story.count(&mut first, page));

    // With own pages of its own, in a window that has been used.
    let mut second = first.fork();
    first.park();
    [0, 3, 6, 20].into_iter().for_each(|page| story.count(&mut second, page));
    second.memory_mut().protect(RW, (8 * PAGE).into(), Permission::Read).unwrap();
    [0, 20].into_iter().for_each(|page| story.count(&mut second, page));
    drop(second);

    // More instances than windows.
    let mut others: Vec<_> = (0..3).map(|_| module.instantiate()).collect();
    for round in 0..2 {
        for (page, other) in others.iter_mut().enumerate() {
            story.count(other, page as u32 + round);
        }
    }
    drop(others);

    // More pages than a window keeps; then nothing of them is left.
    let mut large = module.instantiate();
    (0..PAGES).step_by(2).for_each(|page| story.count(&mut large, page));
    large.reset();
    (0..PAGES).step_by(32).for_each(|page| story.count(&mut large, page));
    drop(large);

    // Another program in the same windows.
    let second_module =
        engine.compile_program(program(&[i(Opcode::Trap, Reg::A0, Reg::A0, Reg::A0, 0, 0)], PAGE)).unwrap();
    let mut foreign: Vec<_> = (0..2).map(|_| second_module.instantiate()).collect();
    foreign.iter_mut().for_each(|instance| story.count(instance, 0));
    drop(foreign);
    [0, 3, 6, 9, 12].into_iter().for_each(|page| story.count(&mut first, page));

    drop(first);
    let (windows, free) = engine.inner.pool.windows();
    assert!(windows == free && windows <= 2, "{windows} windows, {free} of them free");
    story
}

#[test]
fn what_the_system_refuses_has_no_consequences() {
    let expected = story(0..0);
    let calls = calls();
    assert!(calls > 100, "{calls}");
    assert_eq!(expected.failures, 0);
    let mut failures = 0;
    for first in 0..calls {
        for last in [first + 1, u32::MAX] {
            let got = story(first..last);
            assert_eq!(got.exits, expected.exits, "calls {first} to {last} refused");
            failures += got.failures;
        }
    }
    assert!(failures > calls, "{failures}");
    refuse(0..0);
}
