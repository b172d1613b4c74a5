//! Who has which descriptors, and how many there can be.

use processes::{inherited, pipe, sys, Command, Error, Reader, Status, WriteError, Writer};

use crate::{check, given, must, start_as};

pub fn invalid_descriptors() -> i8 {
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

pub fn invalid_descriptors_child(role: u8, rest: &[u8]) -> i8 {
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

pub fn inherited_descriptors() -> i8 {
    let mut descriptors = [0; 10];
    for pair in 0..5 {
        let (reader, writer) = must(pipe());
        (descriptors[2 * pair], descriptors[2 * pair + 1]) = (reader.give(), writer.give());
    }
    let child = must(start_as(&[7, 1], &descriptors));
    check(child.wait() == Ok(Status::Exited(0)));
    0
}

pub fn inherited_descriptors_child() -> i8 {
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

pub fn descriptors_of_others() -> i8 {
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

pub fn as_many_descriptors_as_there_may_be() -> i8 {
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

pub fn close_what_is_closed() -> i8 {
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

pub fn root_inherits_nothing() -> i8 {
    let mut descriptors = [7; 2];
    check(inherited(&mut descriptors) == 0 && descriptors == [7, 7]);
    0
}

/// However a process ends, its descriptors are closed: the first byte of the rest says how, see the child's roles.
pub fn ends_close_descriptors(rest: &[u8]) -> i8 {
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

pub fn ends_close_descriptors_child(how: u8) -> i8 {
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
