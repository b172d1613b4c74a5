//! Who runs when, how many there can be, and who waits for whom in vain.

use processes::{pipe, Error, Process, Reader, Status, Writer};

use crate::{check, given, must, note, start_as};

/// Each starts the next, until there are too many.
pub fn as_many_as_there_may_be(depth: u8) -> i8 {
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

pub fn ids() -> i8 {
    check(processes::id() == 0);
    for expected in 1..5 {
        let child = must(start_as(&[14, 1], &[]));
        check(child.id() == expected);
        check(child.wait() == Ok(Status::Exited(100 + expected as i8)));
    }
    0
}

pub fn gas_is_of_all() -> i8 {
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

pub fn gas_is_of_all_child(rest: &[u8]) -> i8 {
    let mut before = [0; 8];
    before.copy_from_slice(rest);
    check(processes::gas() >= u64::from_le_bytes(before) + 20_000);
    0
}

/// The largest id first: children run as soon as they are started, and of those that one wakes the largest.
pub fn order_of_turns() -> i8 {
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

pub fn order_of_turns_child(role: u8) -> i8 {
    let [reads] = given();
    note(10 + usize::from(role));
    check(Reader::from_descriptor(reads).read(&mut [0]) == Ok(1));
    note(20 + usize::from(role));
    role as i8
}

pub fn surfaced() -> i8 {
    check(note(5) == 50);
    let child = must(start_as(&[33, 1], &[]));
    check(child.wait() == Ok(Status::Exited(70)));
    check(note(6) == 60);
    0
}

pub fn surfaced_child(role: u8) -> i8 {
    check(role == 1);
    note(7) as i8
}

/// Each starts the next and gives on what it gave; who cannot gives the reason.
pub fn recursive(role: u8) -> i8 {
    match start_as(&[34, role.wrapping_add(1)], &[]) {
        Ok(child) => match child.wait() {
            Ok(Status::Exited(code)) => code,
            _ => 90,
        },
        Err(Error::TooManyProcesses) => 8,
        Err(_) => 91,
    }
}

pub fn wait_for_each_other() -> i8 {
    let child = must(start_as(&[4, 1], &[]));
    let _ = child.wait();
    check(false);
    0
}

pub fn wait_for_root() -> i8 {
    let _ = Process::from_id(0).wait();
    check(false);
    0
}

pub fn wait_for_oneself() -> i8 {
    let _ = Process::from_id(0).wait();
    check(false);
    0
}

/// The rest is the number of processes. Each starts the next and waits for it; the last waits for the root.
pub fn deadlock_ring(role: u8, rest: &[u8]) -> i8 {
    let process =
        if role + 1 < rest[0] { must(start_as(&[27, role + 1, rest[0]], &[])) } else { Process::from_id(0) };
    let _ = process.wait();
    check(false);
    0
}
