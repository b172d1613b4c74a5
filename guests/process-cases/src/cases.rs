//! One behaviour each. Names are those of the tests in `scheduler/tests/cases.rs`.

use processes::{inherited, pipe, sys, Command, Error, Process, Reader, Status, WriteError, Writer};

use crate::{check, given, must, note, pattern, start_as, SELF};

pub fn run(case: u8, role: u8, rest: &'static [u8]) -> i8 {
    match (case, role) {
        (1, 0) => simple_read_write(),
        (1, _) => simple_read_write_child(),
        (2, 0) => both_write(),
        (2, _) => both_write_child(),
        (3, 0) => invalid_descriptors(),
        (3, _) => invalid_descriptors_child(role, rest),
        (4, 0) => wait_for_each_other(),
        (4, _) => wait_for_root(),
        (5, 0) => write_then_close(),
        (5, _) => write_then_close_child(),
        (6, 0) => wait_twice(),
        (6, _) => 5,
        (7, 0) => inherited_descriptors(),
        (7, _) => inherited_descriptors_child(),
        (8, 0) => descriptors_of_others(),
        (8, _) => 0,
        (9, 0) => read_until_closed(),
        (9, _) => read_until_closed_child(),
        (10, _) => as_many_as_there_may_be(role),
        (11, _) => as_many_descriptors_as_there_may_be(),
        (12, _) => close_what_is_closed(),
        (13, 0) => write_to_closed(),
        (13, _) => write_to_closed_child(),
        (14, 0) => ids(),
        (14, _) => (processes::id() as i8).wrapping_add(100),
        (15, 0) => parts_of_programs(rest),
        (16, _) => unknown_programs(),
        (17, _) => root_inherits_nothing(),
        (18, 0) => strcat(),
        (18, _) => strcat_child(rest),
        (19, _) => exec_chain(role, rest),
        (20, 0) => gas_is_of_all(),
        (20, _) => gas_is_of_all_child(rest),
        (21, 0) => exit_codes(),
        (21, 1) => rest[0] as i8,
        (21, _) => {
            // SAFETY: the call takes no memory.
            unsafe { sys::process_exit(usize::from(rest[0]) | usize::from(rest[1]) << 8) };
            98
        }
        (22, 0) => traps(),
        (22, _) => traps_child(role),
        (23, 0) => bad_images(),
        (24, 0) => empty_reads_and_writes(),
        (24, _) => empty_reads_and_writes_child(),
        (25, 0) => ends_close_descriptors(rest),
        (25, _) => ends_close_descriptors_child(role),
        (26, 0) => wait_for_oneself(),
        (27, _) => deadlock_ring(role, rest),
        (28, 0) => waiters_of_one(),
        (28, _) => waiters_of_one_child(role, rest),
        (29, 0) => long_arguments(),
        (29, _) => long_arguments_child(rest),
        (30, 0) => bad_exec(),
        (30, _) => bad_exec_child(role),
        (31, 0) => order_of_turns(),
        (31, _) => order_of_turns_child(role),
        (32, 0) => forgotten_ends(rest),
        (32, _) => role as i8,
        (33, 0) => surfaced(),
        (33, _) => surfaced_child(role),
        (34, _) => recursive(role),
        (35, 0) => closed_while_writing(),
        (35, _) => closed_while_writing_child(),
        (36, 0) => root_ends_all(),
        (36, _) => root_ends_all_child(role),
        (37, 0) => nothing_is_read_past_a_limit(),
        (37, _) => 0,
        (38, 0) => nobody_waits(rest),
        (38, _) => 1,
        _ => 97,
    }
}

fn simple_read_write() -> i8 {
    let (from_child, child_writes) = must(pipe());
    let (child_reads, to_child) = must(pipe());
    let child = must(start_as(&[1, 1], &[child_reads.give(), child_writes.give()]));
    for block in 0..7 {
        let bytes: [u8; 11] = core::array::from_fn(|at| pattern(1, block * 11 + at));
        check(to_child.write(&bytes) == Ok(()));
    }
    for block in 0..7 {
        let mut bytes = [0; 11];
        check(from_child.read_exact(&mut bytes) == Ok(()));
        check((0..11).all(|at| bytes[at] == pattern(2, block * 11 + at)));
    }
    check(child.wait() == Ok(Status::Exited(0)));
    0
}

fn simple_read_write_child() -> i8 {
    let [reads, writes] = given();
    let (reader, writer) = (Reader::from_descriptor(reads), Writer::from_descriptor(writes));
    for block in 0..11 {
        let mut bytes = [0; 7];
        check(reader.read_exact(&mut bytes) == Ok(()));
        check((0..7).all(|at| bytes[at] == pattern(1, block * 7 + at)));
    }
    for block in 0..11 {
        let bytes: [u8; 7] = core::array::from_fn(|at| pattern(2, block * 7 + at));
        check(writer.write(&bytes) == Ok(()));
    }
    0
}

fn both_write() -> i8 {
    let (_from_child, child_writes) = must(pipe());
    let (child_reads, to_child) = must(pipe());
    must(start_as(&[2, 1], &[child_reads.give(), child_writes.give()]));
    let _ = to_child.write(&[1; 11]);
    check(false);
    0
}

fn both_write_child() -> i8 {
    let [_, writes] = given();
    let _ = Writer::from_descriptor(writes).write(&[2; 12]);
    check(false);
    0
}

fn invalid_descriptors() -> i8 {
    let mut byte = [0];
    for unknown in [0, 1, 2, 3, 0xff, u64::MAX] {
        let (reader, writer) = (Reader::from_descriptor(unknown), Writer::from_descriptor(unknown));
        check(reader.read(&mut byte) == Err(Error::InvalidDescriptor));
        check(writer.write(&byte) == Err(WriteError { error: Error::InvalidDescriptor, written: 0 }));
        reader.give();
        writer.give();
    }
    let (reader, writer) = must(pipe());
    let (as_reader, as_writer) =
        (Reader::from_descriptor(writer.descriptor()), Writer::from_descriptor(reader.descriptor()));
    check(as_reader.read(&mut byte) == Err(Error::InvalidDescriptor));
    check(as_writer.write(&byte) == Err(WriteError { error: Error::InvalidDescriptor, written: 0 }));
    as_reader.give();
    as_writer.give();

    // The child knows its number, and does not have it.
    let number = (writer.descriptor() as u8).to_le_bytes();
    let child = must(start_as(&[3, 2, number[0]], &[]));
    check(child.wait() == Ok(Status::Exited(0)));

    // What was handed on is gone.
    let given_away = reader.give();
    let child = must(start_as(&[3, 1], &[given_away]));
    check(child.wait() == Ok(Status::Exited(0)));
    let reader = Reader::from_descriptor(given_away);
    check(reader.read(&mut byte) == Err(Error::InvalidDescriptor));
    reader.give();
    // The child has closed its end by ending.
    check(writer.write(&byte) == Err(WriteError { error: Error::OtherEndClosed, written: 0 }));

    let (reader, writer) = must(pipe());
    drop(writer);
    check(reader.read(&mut byte) == Err(Error::OtherEndClosed));
    check(reader.read(&mut byte) == Err(Error::OtherEndClosed));
    0
}

fn invalid_descriptors_child(role: u8, rest: &[u8]) -> i8 {
    if role == 2 {
        let writer = Writer::from_descriptor(rest[0].into());
        check(writer.write(&[1]) == Err(WriteError { error: Error::InvalidDescriptor, written: 0 }));
        writer.give();
        return 0;
    }
    let [reads] = given();
    check(reads.is_multiple_of(2));
    0
}

fn wait_for_each_other() -> i8 {
    let child = must(start_as(&[4, 1], &[]));
    let _ = child.wait();
    check(false);
    0
}

fn wait_for_root() -> i8 {
    let _ = Process::from_id(0).wait();
    check(false);
    0
}

fn write_then_close() -> i8 {
    let (reader, writer) = must(pipe());
    let child = must(start_as(&[5, 1], &[writer.give()]));
    let mut bytes = [0; 100];
    check(reader.read_exact(&mut bytes) == Ok(()));
    check((0..100).all(|at| bytes[at] == pattern(5, at)));
    check(reader.read(&mut bytes) == Err(Error::OtherEndClosed));
    check(child.wait() == Ok(Status::Exited(0)));
    0
}

fn write_then_close_child() -> i8 {
    let [writes] = given();
    let writer = Writer::from_descriptor(writes);
    let bytes: [u8; 100] = core::array::from_fn(|at| pattern(5, at));
    check(writer.write(&bytes) == Ok(()));
    drop(writer);
    0
}

fn wait_twice() -> i8 {
    let child = must(start_as(&[6, 1], &[]));
    check(child.wait() == Ok(Status::Exited(5)));
    check(child.wait() == Err(Error::NoProcess));
    check(Process::from_id(7).wait() == Err(Error::NoProcess));
    check(Process::from_id(u64::MAX).wait() == Err(Error::NoProcess));
    0
}

fn inherited_descriptors() -> i8 {
    let mut descriptors = [0; 10];
    for pair in 0..5 {
        let (reader, writer) = must(pipe());
        (descriptors[2 * pair], descriptors[2 * pair + 1]) = (reader.give(), writer.give());
    }
    let child = must(start_as(&[7, 1], &descriptors));
    check(child.wait() == Ok(Status::Exited(0)));
    0
}

fn inherited_descriptors_child() -> i8 {
    let mut none = [];
    check(inherited(&mut none) == 10);
    let mut one = [0; 1];
    check(inherited(&mut one) == 10 && one == [2]);
    let all: [u64; 10] = given();
    check(all == core::array::from_fn(|at| at as u64 + 2));
    let mut more = [77; 12];
    check(inherited(&mut more) == 10 && more[9] == 11 && more[10..] == [77, 77]);
    // What is closed stays on the list: it is what the process was started with.
    drop(Reader::from_descriptor(2));
    check(given::<10>() == all);
    0
}

fn descriptors_of_others() -> i8 {
    check(start_as(&[8, 1], &[2, 3]) == Err(Error::InvalidDescriptor));
    let (reader, writer) = must(pipe());
    let ends = [reader.give(), writer.give()];
    check(start_as(&[8, 1], &[ends[0], ends[0]]) == Err(Error::InvalidDescriptor));
    check(start_as(&[8, 1], &[ends[0], 99]) == Err(Error::InvalidDescriptor));
    check(start_as(&[8, 1], &[u64::MAX; 65]) == Err(Error::InvalidDescriptor));
    // None of that took them away.
    let child = must(start_as(&[8, 1], &ends));
    check(start_as(&[8, 1], &ends) == Err(Error::InvalidDescriptor));
    check(child.id() == 1 && child.wait() == Ok(Status::Exited(0)));
    0
}

fn read_until_closed() -> i8 {
    let (reader, writer) = must(pipe());
    let child = must(start_as(&[9, 1], &[reader.give()]));
    // The child is blocked in its read.
    drop(writer);
    check(child.wait() == Ok(Status::Exited(0)));
    0
}

fn read_until_closed_child() -> i8 {
    let [reads] = given();
    let mut length = 8;
    let mut bytes = [9; 8];
    // SAFETY: the buffer has eight bytes.
    let code = unsafe { sys::pipe_read(reads as usize, bytes.as_mut_ptr(), &mut length) };
    check(code == 7 && length == 0 && bytes == [9; 8]);
    length = 8;
    // SAFETY: the buffer has eight bytes.
    let code = unsafe { sys::pipe_read(reads as usize, bytes.as_mut_ptr(), &mut length) };
    check(code == 7 && length == 0);
    0
}

/// Each starts the next, until there are too many.
fn as_many_as_there_may_be(depth: u8) -> i8 {
    match start_as(&[10, depth + 1], &[]) {
        Ok(child) => {
            check(child.wait() == Ok(Status::Exited(depth as i8 + 1)));
            // There is place again, but for one only.
            depth as i8
        }
        Err(error) => {
            check(error == Error::TooManyProcesses);
            check(usize::from(depth) + 1 == note(10));
            depth as i8
        }
    }
}

fn as_many_descriptors_as_there_may_be() -> i8 {
    let mut ends = [0; 64];
    for pair in 0..32 {
        let (reader, writer) = must(pipe());
        (ends[2 * pair], ends[2 * pair + 1]) = (reader.give(), writer.give());
    }
    check(pipe() == Err(Error::TooManyDescriptors));
    // One end is not enough for a pipe.
    drop(Reader::from_descriptor(ends[0]));
    check(pipe() == Err(Error::TooManyDescriptors));
    drop(Writer::from_descriptor(ends[1]));
    let (reader, writer) = must(pipe());
    check((reader.descriptor(), writer.descriptor()) == (66, 67));
    check(pipe() == Err(Error::TooManyDescriptors));
    0
}

fn close_what_is_closed() -> i8 {
    // SAFETY: the call takes no memory.
    let close = |descriptor: u64| unsafe { sys::pipe_close(descriptor as usize) };
    for unknown in [0, 1, 2, 3, 4, u64::MAX] {
        check(close(unknown) == 6);
    }
    let (reader, writer) = must(pipe());
    let (reader, writer) = (reader.give(), writer.give());
    check(close(reader) == 0 && close(reader) == 6);
    check(close(writer) == 0 && close(writer) == 6);
    0
}

fn write_to_closed() -> i8 {
    let (reader, writer) = must(pipe());
    let child = must(start_as(&[13, 1], &[reader.give()]));
    check(writer.write(&[1, 2, 3]) == Ok(()));
    // The child has read three bytes and closed.
    check(writer.write(&[4, 5]) == Err(WriteError { error: Error::OtherEndClosed, written: 0 }));
    check(child.wait() == Ok(Status::Exited(0)));
    0
}

fn write_to_closed_child() -> i8 {
    let [reads] = given();
    let reader = Reader::from_descriptor(reads);
    let mut bytes = [0; 3];
    check(reader.read_exact(&mut bytes) == Ok(()) && bytes == [1, 2, 3]);
    0
}

fn ids() -> i8 {
    check(processes::id() == 0);
    for expected in 1..5 {
        let child = must(start_as(&[14, 1], &[]));
        check(child.id() == expected);
        check(child.wait() == Ok(Status::Exited(100 + expected as i8)));
    }
    0
}

/// The rest is the length of the program, which is not known here.
fn parts_of_programs(rest: &[u8]) -> i8 {
    let length = rest.iter().rev().fold(0, |length, &byte| length << 8 | usize::from(byte));
    let part = |offset, length| Command::new(SELF).part(offset, length).arguments(&[14, 1]).spawn();
    for (offset, length) in [
        (length, 0),
        (length, 1),
        (length + 1, 0),
        (usize::MAX, 0),
        (0, length + 1),
        (length - 1, 2),
        (1, length),
        (1, usize::MAX),
        (usize::MAX, usize::MAX),
    ] {
        check(part(offset, length) == Err(Error::OutOfRange));
    }
    check(must(part(0, length)).wait() == Ok(Status::Exited(101)));
    check(must(part(0, 0)).wait() == Ok(Status::Exited(102)));
    // There are such bytes; they are no program.
    check(must(part(1, 0)).wait() == Ok(Status::BadImage(0)));
    check(must(part(length - 1, 1)).wait() == Ok(Status::BadImage(0)));
    // The same program in the middle of other bytes.
    let inside = Command::new(b"padded").part(5, length).arguments(&[14, 1]);
    check(must(inside.spawn()).wait() == Ok(Status::Exited(105)));
    0
}

fn unknown_programs() -> i8 {
    let long = [b'x'; 65];
    for identifier in [&b"nothing"[..], b"", b"case", b"casesx", &long, &long[..64]] {
        check(Command::new(identifier).spawn() == Err(Error::NoProgram));
        check(Command::new(identifier).exec() == Error::NoProgram);
    }
    check(Command::new(SELF).part(usize::MAX, 0).exec() == Error::OutOfRange);
    0
}

fn root_inherits_nothing() -> i8 {
    let mut descriptors = [7; 2];
    check(inherited(&mut descriptors) == 0 && descriptors == [7, 7]);
    0
}

fn strcat() -> i8 {
    let (reader, writer) = must(pipe());
    let child = must(start_as(b"\x12\x01hello\0 \0world", &[writer.give()]));
    let mut text = [0; 32];
    check(reader.read_to_end(&mut text) == Ok(11) && text.starts_with(b"hello world"));
    check(child.wait() == Ok(Status::Exited(3)));
    0
}

fn strcat_child(rest: &[u8]) -> i8 {
    let [writes] = given();
    let writer = Writer::from_descriptor(writes);
    let mut count = 0;
    for part in rest.split(|&byte| byte == 0) {
        check(writer.write(part) == Ok(()));
        count += 1;
    }
    count
}

/// A process replaces itself again and again: role 0 starts it, the others count down in their arguments.
fn exec_chain(role: u8, rest: &[u8]) -> i8 {
    if role == 0 {
        let (reader, writer) = must(pipe());
        let child = must(start_as(&[19, 1, 50], &[writer.give()]));
        for left in (0..50).rev() {
            let mut byte = [0];
            check(reader.read_exact(&mut byte) == Ok(()) && byte == [left]);
        }
        check(child.wait() == Ok(Status::Exited(42)));
        return 0;
    }
    // Descriptors, their list, the id: all stay. Memory does not.
    let [writes] = given();
    let writer = Writer::from_descriptor(writes);
    check(processes::id() == 1 && crate::bulk::is_untouched());
    match rest[0] {
        0 => 42,
        left => {
            check(writer.write(&[left - 1]) == Ok(()));
            writer.give();
            let error = Command::new(SELF).arguments(&[19, 1, left - 1]).exec();
            check(error == Error::NoProgram);
            0
        }
    }
}

fn gas_is_of_all() -> i8 {
    let before = processes::gas();
    let mut arguments = [20; 10];
    arguments[1] = 1;
    arguments[2..].copy_from_slice(&before.to_le_bytes());
    check(must(start_as(&arguments, &[])).wait() == Ok(Status::Exited(0)));
    let after = processes::gas();
    check(processes::gas() > after);
    check(after > before + 20_000);
    0
}

fn gas_is_of_all_child(rest: &[u8]) -> i8 {
    let mut before = [0; 8];
    before.copy_from_slice(rest);
    check(processes::gas() >= u64::from_le_bytes(before) + 20_000);
    0
}

fn exit_codes() -> i8 {
    for code in [0, 1, 42, 127, 128, 200, 255] {
        let returned = must(start_as(&[21, 1, code], &[]));
        check(returned.wait() == Ok(Status::Exited(code as i8)));
        for high in [0, 1, 255] {
            let called = must(start_as(&[21, 2, code, high], &[]));
            check(called.wait() == Ok(Status::Exited(code as i8)));
        }
    }
    -7
}

fn traps() -> i8 {
    // Roles are one more than the kinds of traps; 17 and on pass bad memory to a call.
    for (role, kind) in [(1, 0), (4, 3), (5, 4), (6, 5), (7, 6)] {
        check(must(start_as(&[22, role], &[])).wait() == Ok(Status::Trapped(kind)));
    }
    for role in 17..=36 {
        let child = must(start_as(&[22, role], &[]));
        let status = child.wait();
        check(status == Ok(Status::Trapped(255)));
    }
    0
}

fn traps_child(role: u8) -> i8 {
    let (reader, writer) = must(pipe());
    let (reads, writes) = (reader.descriptor() as usize, writer.descriptor() as usize);
    let nowhere = core::hint::black_box(0x7000_0000_usize);
    let (bad, bad_numbers) = (nowhere as *mut u8, nowhere as *mut u64);
    let read_only = SELF.as_ptr() as *mut u8;
    let mut number = 8_u64;
    let mut long = u64::MAX;
    let mut over = (1_u64 << 32) - 4096;
    let mut here = [0_u8; 8];
    let inside = here.as_mut_ptr();
    let self_length = SELF.len();
    let parameters = |at: usize, value: u64| -> [u64; 4] {
        let mut parameters = [0; 4];
        parameters[at] = value;
        parameters[at + 1] = 1;
        parameters
    };
    // SAFETY: none of these is sound memory, which is what is tried: whoever comes back here says so.
    let value: usize = unsafe {
        match role {
            1 => guest::trap(),
            4 => (core::hint::black_box(8_usize) as *const u8).read_volatile().into(),
            5 => bad.read_volatile().into(),
            6 => {
                read_only.write_volatile(0);
                0
            }
            7 => core::mem::transmute::<usize, fn() -> usize>(core::hint::black_box(0x1000_0000))(),
            17 => sys::pipe_create(bad_numbers),
            18 => sys::pipe_create(read_only.cast()),
            19 => sys::pipe_read(reads, bad, &mut number),
            20 => sys::pipe_read(reads, inside, bad_numbers),
            21 => sys::pipe_read(reads, read_only, &mut number),
            22 => sys::pipe_read(reads, inside, &mut long),
            23 => sys::pipe_write(writes, bad, &mut number),
            24 => sys::pipe_write(writes, inside, bad_numbers),
            25 => sys::pipe_write(writes, inside, &mut over),
            26 => sys::process_wait(0, bad_numbers),
            27 => sys::process_inherited_fds(inside.cast(), bad_numbers),
            28 => sys::process_spawn(bad, self_length, 0, 0, core::ptr::null(), &mut number),
            29 => sys::process_spawn(read_only, self_length, 0, 0, bad_numbers, &mut number),
            30 => sys::process_spawn(read_only, self_length, 0, 0, core::ptr::null(), bad_numbers),
            31 => {
                let parameters = parameters(0, nowhere as u64);
                sys::process_spawn(read_only, self_length, 0, 0, parameters.as_ptr(), &mut number)
            }
            32 => {
                let parameters = parameters(2, nowhere as u64);
                sys::process_spawn(read_only, self_length, 0, 0, parameters.as_ptr(), &mut number)
            }
            33 => sys::process_exec(bad, self_length, 0, 0, inside, 0),
            34 => sys::process_exec(read_only, self_length, 0, 0, bad, 1),
            // Before anything else is looked at.
            35 => sys::pipe_read(9999, inside, bad_numbers),
            36 => sys::process_wait(9999, read_only.cast()),
            _ => 0,
        }
    };
    // A linker drops loads that nobody uses.
    core::hint::black_box(value);
    90
}

fn bad_images() -> i8 {
    let status = |identifier: &'static [u8]| must(Command::new(identifier).spawn()).wait();
    check(status(b"garbage") == Ok(Status::BadImage(0)));
    check(status(b"truncated") == Ok(Status::BadImage(0)));
    check(status(b"no-main") == Ok(Status::BadImage(1)));
    // Its descriptors are closed, since it has ended.
    let (reader, writer) = must(pipe());
    let child = must(Command::new(b"garbage").descriptors(&[writer.give()]).spawn());
    check(reader.read(&mut [0]) == Err(Error::OtherEndClosed));
    check(child.wait() == Ok(Status::BadImage(0)));
    check(child.wait() == Err(Error::NoProcess));
    0
}

fn empty_reads_and_writes() -> i8 {
    let (reader, writer) = must(pipe());
    // Nobody is at the other end; nothing is to be moved; so nobody waits.
    check(reader.read(&mut []) == Ok(0));
    check(writer.write(&[]) == Ok(()));
    let child = must(start_as(&[24, 1], &[reader.give()]));
    // The child is blocked, and no empty write wakes it.
    check(writer.write(&[]) == Ok(()));
    check(writer.write(&[1]) == Ok(()));
    check(writer.write(&[]) == Err(WriteError { error: Error::OtherEndClosed, written: 0 }));
    check(child.wait() == Ok(Status::Exited(1)));
    0
}

fn empty_reads_and_writes_child() -> i8 {
    let [reads] = given();
    let reader = Reader::from_descriptor(reads);
    let mut bytes = [0; 4];
    check(reader.read(&mut []) == Ok(0));
    check(reader.read(&mut bytes) == Ok(1));
    1
}

/// However a process ends, its descriptors are closed: the first byte of the rest says how, see the child's roles.
fn ends_close_descriptors(rest: &[u8]) -> i8 {
    let how = rest[0];
    let (reader, writer) = must(pipe());
    let (to_child, from_parent) = (writer, reader.give());
    let (reader, child_writes) = must(pipe());
    let child = must(start_as(&[25, how], &[from_parent, child_writes.give()]));
    // It has not ended yet: it waits for a byte.
    check(to_child.write(&[how]) == Ok(()));
    check(reader.read(&mut [0; 4]) == Err(Error::OtherEndClosed));
    check(to_child.write(&[0]) == Err(WriteError { error: Error::OtherEndClosed, written: 0 }));
    let expected = match how {
        1 => Status::Exited(1),
        2 => Status::Exited(2),
        3 => Status::Trapped(0),
        4 => Status::Trapped(255),
        _ => Status::BadImage(0),
    };
    check(child.wait() == Ok(expected));
    0
}

fn ends_close_descriptors_child(how: u8) -> i8 {
    let [reads, _] = given();
    let reader = Reader::from_descriptor(reads);
    check(reader.read(&mut [0; 4]) == Ok(1));
    reader.give();
    match how {
        1 => 1,
        2 => processes::exit(2),
        3 => guest::trap(),
        4 => {
            // SAFETY: not sound: that is tried.
            unsafe { sys::pipe_create(core::hint::black_box(8_usize) as *mut u64) };
            90
        }
        _ => {
            Command::new(b"garbage").exec();
            90
        }
    }
}

fn wait_for_oneself() -> i8 {
    let _ = Process::from_id(0).wait();
    check(false);
    0
}

/// The rest is the number of processes. Each starts the next and waits for it; the last waits for the root.
fn deadlock_ring(role: u8, rest: &[u8]) -> i8 {
    let process =
        if role + 1 < rest[0] { must(start_as(&[27, role + 1, rest[0]], &[])) } else { Process::from_id(0) };
    let _ = process.wait();
    check(false);
    0
}

/// Process 1 ends when the root tells it to. 2 and 3 wait for it: each is told. The root, which asks later, is not.
fn waiters_of_one() -> i8 {
    let (reader, writer) = must(pipe());
    let first = must(start_as(&[28, 1], &[reader.give()]));
    let second = must(start_as(&[28, 2], &[]));
    let third = must(start_as(&[28, 2], &[]));
    check(writer.write(&[1]) == Ok(()));
    check(second.wait() == Ok(Status::Exited(0)) && third.wait() == Ok(Status::Exited(0)));
    check(first.wait() == Err(Error::NoProcess));
    0
}

fn waiters_of_one_child(role: u8, _: &[u8]) -> i8 {
    if role == 1 {
        let [reads] = given();
        check(Reader::from_descriptor(reads).read(&mut [0]) == Ok(1));
        return 11;
    }
    check(Process::from_id(1).wait() == Ok(Status::Exited(11)));
    // Who was told once is not told again.
    check(Process::from_id(1).wait() == Err(Error::NoProcess));
    0
}

fn long_arguments() -> i8 {
    let arguments = crate::bulk::buffer();
    arguments[0] = 29;
    arguments[1] = 1;
    for length in [2, 3, 17, 4096, 16 * 1024] {
        arguments[2..length].iter_mut().enumerate().for_each(|(at, byte)| *byte = pattern(29, at));
        check(must(start_as(&arguments[..length], &[])).wait() == Ok(Status::Exited(0)));
    }
    // As many as there may be do not fit this program's stack; one more may not be.
    check(must(start_as(&arguments[..64 * 1024], &[])).wait() == Ok(Status::BadImage(2)));
    check(start_as(&arguments[..64 * 1024 + 1], &[]) == Err(Error::TooLong));
    check(Command::new(SELF).arguments(&arguments[..64 * 1024 + 1]).exec() == Error::TooLong);
    0
}

fn long_arguments_child(rest: &[u8]) -> i8 {
    check(rest.iter().enumerate().all(|(at, &byte)| byte == pattern(29, at)));
    0
}

fn bad_exec() -> i8 {
    for (role, expected) in [(1, 0), (2, 1), (3, 2)] {
        check(must(start_as(&[30, role], &[])).wait() == Ok(Status::BadImage(expected)));
    }
    0
}

fn bad_exec_child(role: u8) -> i8 {
    let command = match role {
        1 => Command::new(b"garbage"),
        2 => Command::new(b"no-main"),
        _ => Command::new(SELF).arguments(&crate::bulk::buffer()[..64 * 1024]),
    };
    command.exec();
    90
}

/// The largest id first: children run as soon as they are started, and of those that one wakes the largest.
fn order_of_turns() -> i8 {
    let mut writers = [0; 3];
    for (at, writer) in writers.iter_mut().enumerate() {
        let (reader, writes) = must(pipe());
        note(100 + at);
        must(start_as(&[31, at as u8 + 1], &[reader.give()]));
        *writer = writes.give();
    }
    for (at, &writes) in writers.iter().enumerate() {
        note(200 + at);
        check(Writer::from_descriptor(writes).write(&[0]) == Ok(()));
    }
    for id in 1..4 {
        check(Process::from_id(id).wait() == Ok(Status::Exited(id as i8)));
    }
    0
}

fn order_of_turns_child(role: u8) -> i8 {
    let [reads] = given();
    note(10 + usize::from(role));
    check(Reader::from_descriptor(reads).read(&mut [0]) == Ok(1));
    note(20 + usize::from(role));
    role as i8
}

/// The rest is how many ends are remembered.
fn forgotten_ends(rest: &[u8]) -> i8 {
    let kept = u64::from(rest[0]);
    let extra = 5;
    for _ in 0..kept + extra {
        must(start_as(&[32, 3], &[]));
    }
    for id in 1..=kept + extra {
        let expected = if id <= extra { Err(Error::NoProcess) } else { Ok(Status::Exited(3)) };
        check(Process::from_id(id).wait() == expected);
    }
    0
}

fn surfaced() -> i8 {
    check(note(5) == 50);
    let child = must(start_as(&[33, 1], &[]));
    check(child.wait() == Ok(Status::Exited(70)));
    check(note(6) == 60);
    0
}

fn surfaced_child(role: u8) -> i8 {
    check(role == 1);
    note(7) as i8
}

/// Each starts the next and gives on what it gave; who cannot gives the reason.
fn recursive(role: u8) -> i8 {
    match start_as(&[34, role.wrapping_add(1)], &[]) {
        Ok(child) => match child.wait() {
            Ok(Status::Exited(code)) => code,
            _ => 90,
        },
        Err(Error::TooManyProcesses) => 8,
        Err(_) => 91,
    }
}

fn closed_while_writing() -> i8 {
    let (reader, writer) = must(pipe());
    let child = must(start_as(&[35, 1], &[writer.give()]));
    let mut bytes = [0; 30];
    check(reader.read(&mut bytes) == Ok(30));
    check(reader.read(&mut bytes[..7]) == Ok(7));
    drop(reader);
    check(child.wait() == Ok(Status::Exited(37)));
    0
}

fn closed_while_writing_child() -> i8 {
    let [writes] = given();
    match Writer::from_descriptor(writes).write(&[1; 100]) {
        Err(WriteError { error: Error::OtherEndClosed, written }) => written as i8,
        _ => 90,
    }
}

/// Nobody waits for those that are still there, and they for one another: the root ends all the same.
fn root_ends_all() -> i8 {
    let (reader, writer) = must(pipe());
    writer.give();
    must(start_as(&[36, 1], &[reader.give()]));
    must(start_as(&[36, 2], &[]));
    -3
}

fn root_ends_all_child(role: u8) -> i8 {
    if role == 1 {
        let [reads] = given();
        let _ = Reader::from_descriptor(reads).read(&mut [0]);
    } else {
        let _ = Process::from_id(1).wait();
    }
    check(false);
    0
}

/// More than a limit is refused before any of it is read: there is no such memory.
fn nothing_is_read_past_a_limit() -> i8 {
    let nowhere = core::hint::black_box(0x7000_0000_usize);
    let mut id = 77;
    let mut spawn = |identifier: *const u8, identifier_length, parameters: &[u64; 4]| {
        // SAFETY: not sound, where it is out of bounds; it is not to be read.
        unsafe { sys::process_spawn(identifier, identifier_length, 0, 0, parameters.as_ptr(), &mut id) }
    };
    let none = [0; 4];
    for count in [65, 1 << 19, 1 << 32, u64::MAX] {
        check(spawn(SELF.as_ptr(), SELF.len(), &[0, 0, nowhere as u64, count]) == 6);
    }
    for length in [64 * 1024 + 1, 1 << 32, u64::MAX] {
        check(spawn(SELF.as_ptr(), SELF.len(), &[nowhere as u64, length, 0, 0]) == 4);
    }
    for length in [65, 1 << 32, usize::MAX] {
        check(spawn(nowhere as *const u8, length, &none) == 1);
    }
    check(id == 77);
    // SAFETY: as above.
    let exec =
        |length| unsafe { sys::process_exec(SELF.as_ptr(), SELF.len(), 0, 0, nowhere as *const u8, length) };
    check(exec(64 * 1024 + 1) == 4 && exec(usize::MAX) == 4);
    0
}

/// Starts so many processes, each with an end of a pipe, and waits for none.
fn nobody_waits(rest: &[u8]) -> i8 {
    for _ in 0..crate::bulk::number(rest, 0) {
        let (reader, writer) = must(pipe());
        must(start_as(&[38, 1], &[reader.give()]));
        check(writer.write(&[1]) == Err(WriteError { error: Error::OtherEndClosed, written: 0 }));
    }
    0
}
