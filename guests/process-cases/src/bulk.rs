//! Many processes, much data.

use core::cell::UnsafeCell;

use processes::{pipe, Command, Error, Process, Reader, Status, Writer};

use crate::{check, given, must, pattern, start_as, SELF};

/// Bytes of the buffer: more than any argument or chunk.
const SIZE: usize = 1024 * 1024;
/// Bytes of it that each process fills with its own.
const OWN: usize = 128 * 1024;

#[repr(align(4096))]
struct Shared<T>(UnsafeCell<T>);

// SAFETY: a guest is one thread.
unsafe impl<T> Sync for Shared<T> {}

static BUFFER: Shared<[u8; SIZE]> = Shared(UnsafeCell::new([0; SIZE]));
static TOUCHED: Shared<bool> = Shared(UnsafeCell::new(false));

/// The buffer of this process. No case asks for it while it still uses what it got before.
pub fn buffer() -> &'static mut [u8; SIZE] {
    // SAFETY: one thread, and one user at a time.
    unsafe { &mut *BUFFER.0.get() }
}

/// Whether this is the first time that somebody asks.
pub fn is_untouched() -> bool {
    // SAFETY: one thread.
    unsafe { !TOUCHED.0.get().replace(true) }
}

pub fn run(case: u8, role: u8, rest: &'static [u8]) -> i8 {
    match (case, role) {
        (40, 0) => seventeen(),
        (40, _) => seventeen_child(role),
        (41, 0) => stream(rest),
        (41, _) => stream_child(rest),
        (42, 0) => many(rest),
        (42, _) => role as i8,
        (43, 0) => memory(),
        (43, _) => memory_child(role),
        (44, 0) => block(rest),
        (44, _) => block_child(rest),
        (45, _) => match Command::new(SELF).arguments(&[45, role.wrapping_add(1)]).exec() {
            Error::NoProgram => 1,
            _ => 2,
        },
        (46, _) => ring(46, role, rest),
        _ => 97,
    }
}

/// The n-th number of 32 bits.
pub fn number(rest: &[u8], at: usize) -> usize {
    let mut bytes = [0; 4];
    match rest.get(4 * at..4 * at + 4) {
        Some(part) => bytes.copy_from_slice(part),
        None => check(false),
    }
    u32::from_le_bytes(bytes) as usize
}

/// Sixteen children live at the same time; there is no place for another.
fn seventeen() -> i8 {
    let mut children = [None; 16];
    let mut writers = [0; 16];
    for (at, (child, writes)) in children.iter_mut().zip(&mut writers).enumerate() {
        let (reader, writer) = must(pipe());
        *child = Some(must(start_as(&[40, at as u8 + 1], &[reader.give()])));
        *writes = writer.give();
    }
    for _ in 0..3 {
        check(start_as(&[40, 17], &[]) == Err(Error::TooManyProcesses));
    }
    for (at, &writes) in writers.iter().enumerate() {
        check(Writer::from_descriptor(writes).write(&[at as u8; 3]) == Ok(()));
    }
    for (at, child) in children.into_iter().enumerate() {
        let status = child.map(Process::wait);
        check(status == Some(Ok(Status::Exited(at as i8))));
    }
    // There is place again.
    check(must(start_as(&[42, 17], &[])).wait() == Ok(Status::Exited(17)));
    0
}

fn seventeen_child(role: u8) -> i8 {
    let [reads] = given();
    let mut bytes = [0; 3];
    check(Reader::from_descriptor(reads).read_exact(&mut bytes) == Ok(()));
    check(bytes == [role - 1; 3]);
    bytes[0] as i8
}

/// So many bytes, written and read in chunks of these sizes. The rest: bytes, chunks of the writer, chunks of the reader.
fn stream(rest: &[u8]) -> i8 {
    let (total, chunk) = (number(rest, 0), number(rest, 1));
    let mut arguments = [0; 14];
    arguments[..2].copy_from_slice(&[41, 1]);
    arguments[2..].copy_from_slice(rest);
    let (reader, writer) = must(pipe());
    let child = must(start_as(&arguments, &[reader.give()]));
    let bytes = buffer();
    let mut done = 0;
    while done < total {
        let part = chunk.min(total - done);
        bytes[..part].iter_mut().enumerate().for_each(|(at, byte)| *byte = pattern(41, done + at));
        check(writer.write(&bytes[..part]) == Ok(()));
        done += part;
    }
    drop(writer);
    check(child.wait() == Ok(Status::Exited(0)));
    0
}

fn stream_child(rest: &[u8]) -> i8 {
    let (total, chunk) = (number(rest, 0), number(rest, 2));
    let [reads] = given();
    let reader = Reader::from_descriptor(reads);
    let mut done = 0;
    loop {
        let bytes = &mut buffer()[..chunk + 1];
        bytes[chunk] = 0xaa;
        match reader.read(&mut bytes[..chunk]) {
            Ok(count) => {
                check(count > 0 && count <= chunk && bytes[chunk] == 0xaa);
                check((0..count).all(|at| bytes[at] == pattern(41, done + at)));
                done += count;
            }
            Err(error) => {
                check(error == Error::OtherEndClosed && done == total);
                return 0;
            }
        }
    }
}

/// So many processes, one after the other.
fn many(rest: &[u8]) -> i8 {
    for at in 0..number(rest, 0) {
        let child = must(start_as(&[42, 1 + (at % 100) as u8], &[]));
        check(child.id() == at as u64 + 1);
        check(child.wait() == Ok(Status::Exited(1 + (at % 100) as i8)));
    }
    0
}

/// Each process has a memory of its own.
fn memory() -> i8 {
    let mut started = [None; 16];
    let mut writers = [0; 16];
    for (at, (child, writes)) in started.iter_mut().zip(&mut writers).enumerate() {
        let (reader, writer) = must(pipe());
        *child = Some(must(start_as(&[43, at as u8 + 1], &[reader.give()])));
        *writes = writer.give();
    }
    check(buffer()[..OWN].iter().all(|&byte| byte == 0));
    for &writes in &writers {
        drop(Writer::from_descriptor(writes));
    }
    for child in started.into_iter().flatten() {
        check(child.wait() == Ok(Status::Exited(0)));
    }
    0
}

fn memory_child(role: u8) -> i8 {
    let [reads] = given();
    check(buffer()[..OWN].iter().all(|&byte| byte == 0));
    buffer()[..OWN].iter_mut().enumerate().for_each(|(at, byte)| *byte = pattern(role.into(), at));
    check(Reader::from_descriptor(reads).read(&mut [0]) == Err(Error::OtherEndClosed));
    check(buffer()[..OWN].iter().enumerate().all(|(at, &byte)| byte == pattern(role.into(), at)));
    0
}

/// One block of so many bytes in one transfer.
fn block(rest: &[u8]) -> i8 {
    let mut arguments = [44, 1, 0, 0, 0, 0];
    arguments[2..].copy_from_slice(rest);
    let (reader, writer) = must(pipe());
    let child = must(start_as(&arguments, &[reader.give()]));
    check(writer.write(&buffer()[..number(rest, 0)]) == Ok(()));
    check(child.wait() == Ok(Status::Exited(0)));
    0
}

fn block_child(rest: &[u8]) -> i8 {
    let [reads] = given();
    let length = number(rest, 0);
    check(Reader::from_descriptor(reads).read(&mut buffer()[..length]) == Ok(length));
    0
}

/// Seventeen processes in a ring pass a byte on so many times; each writes so many pages before it does. The rest: rounds,
/// pages.
pub fn ring(case: u8, role: u8, rest: &[u8]) -> i8 {
    let (rounds, pages) = (number(rest, 0), number(rest, 1));
    if role > 0 {
        let [reads, writes] = given();
        return pass_on(&Reader::from_descriptor(reads), &Writer::from_descriptor(writes), rounds, pages);
    }
    let mut arguments = [0; 10];
    arguments[0] = case;
    arguments[2..].copy_from_slice(rest);
    let mut children = [None; 16];
    let (first, to_first) = must(pipe());
    let mut before = first;
    for (at, child) in children.iter_mut().enumerate() {
        let (reader, writer) = must(pipe());
        arguments[1] = at as u8 + 1;
        *child = Some(must(start_as(&arguments, &[before.give(), writer.give()])));
        before = reader;
    }
    for round in 0..rounds {
        dirty(pages, round);
        check(to_first.write(&[round as u8]) == Ok(()));
        let mut byte = [0];
        check(before.read(&mut byte) == Ok(1) && byte == [(round as u8).wrapping_add(16)]);
    }
    for child in children.into_iter().flatten() {
        check(child.wait() == Ok(Status::Exited(0)));
    }
    0
}

fn pass_on(reader: &Reader, writer: &Writer, rounds: usize, pages: usize) -> i8 {
    for round in 0..rounds {
        let mut byte = [0];
        check(reader.read(&mut byte) == Ok(1));
        dirty(pages, round);
        check(writer.write(&[byte[0].wrapping_add(1)]) == Ok(()));
    }
    0
}

/// Writes a byte of each of so many pages, which have what was written last.
pub fn dirty(pages: usize, round: usize) {
    for page in 0..pages {
        let byte = &mut buffer()[page * 4096 % SIZE];
        check(*byte == round as u8);
        *byte = (round as u8).wrapping_add(1);
    }
}
