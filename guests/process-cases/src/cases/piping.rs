//! What goes through pipes, and how their ends are closed.

use processes::{pipe, sys, Error, Reader, Status, WriteError, Writer};

use crate::{check, given, must, pattern, start_as};

pub fn simple_read_write() -> i8 {
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

pub fn simple_read_write_child() -> i8 {
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

pub fn both_write() -> i8 {
    let (_from_child, child_writes) = must(pipe());
    let (child_reads, to_child) = must(pipe());
    must(start_as(&[2, 1], &[child_reads.give(), child_writes.give()]));
    let _ = to_child.write(&[1; 11]);
    check(false);
    0
}

pub fn both_write_child() -> i8 {
    let [_, writes] = given();
    let _ = Writer::from_descriptor(writes).write(&[2; 12]);
    check(false);
    0
}

pub fn write_then_close() -> i8 {
    let (reader, writer) = must(pipe());
    let child = must(start_as(&[5, 1], &[writer.give()]));
    let mut bytes = [0; 100];
    check(reader.read_exact(&mut bytes) == Ok(()));
    check((0..100).all(|at| bytes[at] == pattern(5, at)));
    check(reader.read(&mut bytes) == Err(Error::OtherEndClosed));
    check(child.wait() == Ok(Status::Exited(0)));
    0
}

pub fn write_then_close_child() -> i8 {
    let [writes] = given();
    let writer = Writer::from_descriptor(writes);
    let bytes: [u8; 100] = core::array::from_fn(|at| pattern(5, at));
    check(writer.write(&bytes) == Ok(()));
    drop(writer);
    0
}

pub fn read_until_closed() -> i8 {
    let (reader, writer) = must(pipe());
    let child = must(start_as(&[9, 1], &[reader.give()]));
    // The child is blocked in its read.
    drop(writer);
    check(child.wait() == Ok(Status::Exited(0)));
    0
}

pub fn read_until_closed_child() -> i8 {
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

pub fn write_to_closed() -> i8 {
    let (reader, writer) = must(pipe());
    let child = must(start_as(&[13, 1], &[reader.give()]));
    check(writer.write(&[1, 2, 3]) == Ok(()));
    // The child has read three bytes and closed.
    check(writer.write(&[4, 5]) == Err(WriteError { error: Error::OtherEndClosed, written: 0 }));
    check(child.wait() == Ok(Status::Exited(0)));
    0
}

pub fn write_to_closed_child() -> i8 {
    let [reads] = given();
    let reader = Reader::from_descriptor(reads);
    let mut bytes = [0; 3];
    check(reader.read_exact(&mut bytes) == Ok(()) && bytes == [1, 2, 3]);
    0
}

pub fn strcat() -> i8 {
    // By a child, and by a child of that.
    for arguments in [b"\x12\x01hello\0 \0world", b"\x12\x02hello\0 \0world"] {
        let (reader, writer) = must(pipe());
        let child = must(start_as(arguments, &[writer.give()]));
        let mut text = [0; 32];
        check(reader.read_to_end(&mut text) == Ok(11) && text.starts_with(b"hello world"));
        check(child.wait() == Ok(Status::Exited(3)));
    }
    0
}

/// Hands its descriptor and its arguments on.
pub fn strcat_by_another(rest: &[u8]) -> i8 {
    let writes: [u64; 1] = given();
    let mut arguments = [0; 32];
    arguments[..2].copy_from_slice(&[18, 1]);
    arguments[2..2 + rest.len()].copy_from_slice(rest);
    match must(start_as(&arguments[..2 + rest.len()], &writes)).wait() {
        Ok(Status::Exited(code)) => code,
        _ => 90,
    }
}

pub fn strcat_child(rest: &[u8]) -> i8 {
    let [writes] = given();
    let writer = Writer::from_descriptor(writes);
    let mut count = 0;
    for part in rest.split(|&byte| byte == 0) {
        check(writer.write(part) == Ok(()));
        count += 1;
    }
    count
}

pub fn empty_reads_and_writes() -> i8 {
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

pub fn empty_reads_and_writes_child() -> i8 {
    let [reads] = given();
    let reader = Reader::from_descriptor(reads);
    let mut bytes = [0; 4];
    check(reader.read(&mut []) == Ok(0));
    check(reader.read(&mut bytes) == Ok(1));
    1
}

pub fn closed_while_writing() -> i8 {
    let (reader, writer) = must(pipe());
    let child = must(start_as(&[35, 1], &[writer.give()]));
    let mut bytes = [0; 30];
    check(reader.read(&mut bytes) == Ok(30));
    check(reader.read(&mut bytes[..7]) == Ok(7));
    drop(reader);
    check(child.wait() == Ok(Status::Exited(37)));
    0
}

pub fn closed_while_writing_child() -> i8 {
    let [writes] = given();
    match Writer::from_descriptor(writes).write(&[1; 100]) {
        Err(WriteError { error: Error::OtherEndClosed, written }) => written as i8,
        _ => 90,
    }
}
