//! Which programs can be started, with which arguments, and what replaces them.

use processes::{pipe, sys, Command, Error, Status, Writer};

use crate::{check, given, must, pattern, start_as, SELF};

/// The rest is the length of the program, which is not known here.
pub fn parts_of_programs(rest: &[u8]) -> i8 {
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
    // A process becomes such a part.
    let mut arguments = [15; 10];
    arguments[2..].copy_from_slice(&rest[..8]);
    for (role, expected) in [(1, Status::Exited(106)), (2, Status::BadImage(0)), (3, Status::Exited(3))] {
        arguments[1] = role;
        check(must(start_as(&arguments, &[])).wait() == Ok(expected));
    }
    0
}

pub fn parts_of_programs_child(role: u8, rest: &[u8]) -> i8 {
    let length = rest.iter().rev().fold(0, |length, &byte| length << 8 | usize::from(byte));
    let part = |offset, length| Command::new(b"padded").part(offset, length).arguments(&[14, 1]).exec();
    let error = match role {
        1 => part(5, length),
        2 => part(4, length),
        _ => part(9, length),
    };
    check(error == Error::OutOfRange);
    role as i8
}

pub fn unknown_programs() -> i8 {
    let long = [b'x'; 65];
    for identifier in [&b"nothing"[..], b"", b"case", b"casesx", &long, &long[..64]] {
        check(Command::new(identifier).spawn() == Err(Error::NoProgram));
        check(Command::new(identifier).exec() == Error::NoProgram);
    }
    check(Command::new(SELF).part(usize::MAX, 0).exec() == Error::OutOfRange);
    0
}

/// A process replaces itself again and again: role 0 starts it, the others count down in their arguments.
pub fn exec_chain(role: u8, rest: &[u8]) -> i8 {
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

pub fn bad_images() -> i8 {
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

pub fn long_arguments() -> i8 {
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

pub fn long_arguments_child(rest: &[u8]) -> i8 {
    check(rest.iter().enumerate().all(|(at, &byte)| byte == pattern(29, at)));
    0
}

pub fn bad_exec() -> i8 {
    for (role, expected) in [(1, 0), (2, 1), (3, 2)] {
        check(must(start_as(&[30, role], &[])).wait() == Ok(Status::BadImage(expected)));
    }
    0
}

pub fn bad_exec_child(role: u8) -> i8 {
    let command = match role {
        1 => Command::new(b"garbage"),
        2 => Command::new(b"no-main"),
        _ => Command::new(SELF).arguments(&crate::bulk::buffer()[..64 * 1024]),
    };
    command.exec();
    90
}

/// More than a limit is refused before any of it is read: there is no such memory.
pub fn nothing_is_read_past_a_limit() -> i8 {
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
