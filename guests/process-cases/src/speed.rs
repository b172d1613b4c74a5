//! Loops to be timed. The rest of the arguments: how often, then a size.

use processes::{inherited, pipe, sys, Command, Reader, Status, Writer};

use crate::bulk::{buffer, dirty, number, ring};
use crate::{check, given, must, note, start_as, SELF};

pub fn run(case: u8, role: u8, rest: &'static [u8]) -> i8 {
    match (case, role) {
        (60, 0) => spawn_and_wait(rest),
        (60, _) => 0,
        (61, 0) => round_trips(rest),
        (61, _) => round_trips_child(rest),
        (62, _) => ring(62, role, rest),
        (63, _) => stops(rest),
        (64, _) => ids(rest),
        (65, _) => pipes(rest),
        (66, 0) => lists(rest),
        (66, _) => lists_child(rest),
        (67, _) => execs(rest),
        (68, _) => waits_for_nobody(rest),
        (69, 0) => spawns(rest),
        (69, _) => spawns_child(rest),
        (70, _) => closes_nothing(rest),
        (71, 0) => remembers(rest),
        (71, _) => 0,
        _ => 97,
    }
}

fn spawn_and_wait(rest: &[u8]) -> i8 {
    for _ in 0..number(rest, 0) {
        check(must(start_as(&[60, 1], &[])).wait() == Ok(Status::Exited(0)));
    }
    0
}

/// A block there and back.
fn round_trips(rest: &[u8]) -> i8 {
    let (count, size) = (number(rest, 0), number(rest, 1));
    let mut arguments = [61, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    arguments[2..].copy_from_slice(rest);
    let (from_child, writes) = must(pipe());
    let (reads, to_child) = must(pipe());
    let child = must(start_as(&arguments, &[reads.give(), writes.give()]));
    let bytes = &mut buffer()[..size];
    for _ in 0..count {
        check(to_child.write(bytes) == Ok(()));
        check(from_child.read(bytes) == Ok(size));
    }
    check(child.wait() == Ok(Status::Exited(0)));
    0
}

fn round_trips_child(rest: &[u8]) -> i8 {
    let (count, size) = (number(rest, 0), number(rest, 1));
    let [reads, writes] = given();
    let (reader, writer) = (Reader::from_descriptor(reads), Writer::from_descriptor(writes));
    let bytes = &mut buffer()[..size];
    for _ in 0..count {
        check(reader.read(bytes) == Ok(size));
        check(writer.write(bytes) == Ok(()));
    }
    0
}

/// Writes so many pages, then calls the embedder so often.
fn stops(rest: &[u8]) -> i8 {
    dirty(number(rest, 1), 0);
    for at in 0..number(rest, 0) {
        note(at);
    }
    0
}

fn ids(rest: &[u8]) -> i8 {
    for _ in 0..number(rest, 0) {
        check(processes::id() == 0);
    }
    0
}

fn pipes(rest: &[u8]) -> i8 {
    for _ in 0..number(rest, 0) {
        drop(must(pipe()));
    }
    0
}

/// A child with so many descriptors, an even number, lists them that often.
fn lists(rest: &[u8]) -> i8 {
    let mut ends = [0; 64];
    let count = number(rest, 1);
    for pair in 0..count / 2 {
        let (reader, writer) = must(pipe());
        (ends[2 * pair], ends[2 * pair + 1]) = (reader.give(), writer.give());
    }
    let mut arguments = [66, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    arguments[2..].copy_from_slice(rest);
    check(must(start_as(&arguments, &ends[..count])).wait() == Ok(Status::Exited(0)));
    0
}

fn lists_child(rest: &[u8]) -> i8 {
    let mut ends = [0; 64];
    for _ in 0..number(rest, 0) {
        check(inherited(&mut ends) == number(rest, 1));
    }
    0
}

/// Replaces itself that often, with arguments of that length, at least ten bytes.
fn execs(rest: &[u8]) -> i8 {
    let left = number(rest, 0);
    if left == 0 {
        return 0;
    }
    let length = number(rest, 1).max(10);
    let arguments = &mut buffer()[..length];
    arguments[..2].copy_from_slice(&[67, 0]);
    arguments[2..6].copy_from_slice(&(left as u32 - 1).to_le_bytes());
    arguments[6..10].copy_from_slice(&rest[4..8]);
    Command::new(SELF).arguments(arguments).exec();
    90
}

fn waits_for_nobody(rest: &[u8]) -> i8 {
    for _ in 0..number(rest, 0) {
        // SAFETY: the number has eight bytes.
        check(unsafe { sys::process_wait(usize::MAX, &mut 0) } == 5);
    }
    0
}

/// Starts that many processes, one after the other, with arguments of so many bytes; each writes so many pages.
fn spawns(rest: &[u8]) -> i8 {
    let length = number(rest, 1).max(14);
    buffer()[..2].copy_from_slice(&[69, 1]);
    buffer()[2..14].copy_from_slice(rest);
    for _ in 0..number(rest, 0) {
        check(must(start_as(&buffer()[..length], &[])).wait() == Ok(Status::Exited(0)));
    }
    0
}

fn spawns_child(rest: &[u8]) -> i8 {
    dirty(number(rest, 2), 0);
    0
}

fn closes_nothing(rest: &[u8]) -> i8 {
    for _ in 0..number(rest, 0) {
        // SAFETY: the call takes no memory.
        check(unsafe { sys::pipe_close(0) } == 6);
    }
    0
}

/// As `spawn_and_wait`, where the ends of so many others are remembered.
fn remembers(rest: &[u8]) -> i8 {
    for _ in 0..number(rest, 1) {
        must(start_as(&[71, 1], &[]));
    }
    for _ in 0..number(rest, 0) {
        check(must(start_as(&[71, 1], &[])).wait() == Ok(Status::Exited(0)));
    }
    0
}
