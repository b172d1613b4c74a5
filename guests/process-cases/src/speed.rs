//! Loops to be timed. The rest of the arguments: how often, then a size.

use processes::{pipe, Reader, Status, Writer};

use crate::bulk::{buffer, dirty, number, ring};
use crate::{check, given, must, note, start_as};

pub fn run(case: u8, role: u8, rest: &'static [u8]) -> i8 {
    match (case, role) {
        (60, 0) => spawn_and_wait(rest),
        (60, _) => 0,
        (61, 0) => round_trips(rest),
        (61, _) => round_trips_child(rest),
        (62, _) => ring(62, role, rest),
        (63, _) => stops(rest),
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
