//! One behaviour each. Names are those of the tests in `scheduler/tests/suite/cases.rs`.

mod descriptors;
mod ends;
mod piping;
mod programs;
mod turns;

use processes::sys;

pub fn run(case: u8, role: u8, rest: &'static [u8]) -> i8 {
    match (case, role) {
        (1, 0) => piping::simple_read_write(),
        (1, _) => piping::simple_read_write_child(),
        (2, 0) => piping::both_write(),
        (2, _) => piping::both_write_child(),
        (3, 0) => descriptors::invalid_descriptors(),
        (3, _) => descriptors::invalid_descriptors_child(role, rest),
        (4, 0) => turns::wait_for_each_other(),
        (4, _) => turns::wait_for_root(),
        (5, 0) => piping::write_then_close(),
        (5, _) => piping::write_then_close_child(),
        (6, 0) => ends::wait_twice(),
        (6, _) => 5,
        (7, 0) => descriptors::inherited_descriptors(),
        (7, _) => descriptors::inherited_descriptors_child(),
        (8, 0) => descriptors::descriptors_of_others(),
        (8, _) => 0,
        (9, 0) => piping::read_until_closed(),
        (9, _) => piping::read_until_closed_child(),
        (10, _) => turns::as_many_as_there_may_be(role),
        (11, _) => descriptors::as_many_descriptors_as_there_may_be(),
        (12, _) => descriptors::close_what_is_closed(),
        (13, 0) => piping::write_to_closed(),
        (13, _) => piping::write_to_closed_child(),
        (14, 0) => turns::ids(),
        (14, _) => (processes::id() as i8).wrapping_add(100),
        (15, 0) => programs::parts_of_programs(rest),
        (15, _) => programs::parts_of_programs_child(role, rest),
        (16, _) => programs::unknown_programs(),
        (17, _) => descriptors::root_inherits_nothing(),
        (18, 0) => piping::strcat(),
        (18, 2) => piping::strcat_by_another(rest),
        (18, _) => piping::strcat_child(rest),
        (19, _) => programs::exec_chain(role, rest),
        (20, 0) => turns::gas_is_of_all(),
        (20, _) => turns::gas_is_of_all_child(rest),
        (21, 0) => ends::exit_codes(),
        (21, 1) => rest[0] as i8,
        (21, _) => {
            // SAFETY: the call takes no memory.
            unsafe { sys::process_exit(usize::from(rest[0]) | usize::from(rest[1]) << 8) };
            98
        }
        (22, 0) => ends::traps(),
        (22, _) => ends::traps_child(role),
        (23, 0) => programs::bad_images(),
        (24, 0) => piping::empty_reads_and_writes(),
        (24, _) => piping::empty_reads_and_writes_child(),
        (25, 0) => descriptors::ends_close_descriptors(rest),
        (25, _) => descriptors::ends_close_descriptors_child(role),
        (26, 0) => turns::wait_for_oneself(),
        (27, _) => turns::deadlock_ring(role, rest),
        (28, 0) => ends::waiters_of_one(),
        (28, _) => ends::waiters_of_one_child(role, rest),
        (29, 0) => programs::long_arguments(),
        (29, _) => programs::long_arguments_child(rest),
        (30, 0) => programs::bad_exec(),
        (30, _) => programs::bad_exec_child(role),
        (31, 0) => turns::order_of_turns(),
        (31, _) => turns::order_of_turns_child(role),
        (32, 0) => ends::forgotten_ends(rest),
        (32, _) => role as i8,
        (33, 0) => turns::surfaced(),
        (33, _) => turns::surfaced_child(role),
        (34, _) => turns::recursive(role),
        (35, 0) => piping::closed_while_writing(),
        (35, _) => piping::closed_while_writing_child(),
        (36, 0) => ends::root_ends_all(),
        (36, _) => ends::root_ends_all_child(role),
        (37, 0) => programs::nothing_is_read_past_a_limit(),
        (37, _) => 0,
        (38, 0) => ends::nobody_waits(rest),
        (38, _) => 1,
        _ => 97,
    }
}
