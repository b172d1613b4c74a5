//! How processes end, and who is told.

use processes::{pipe, sys, Error, Process, Reader, Status, WriteError};

use crate::{check, given, must, start_as, SELF};

pub fn wait_twice() -> i8 {
    let child = must(start_as(&[6, 1], &[]));
    check(child.wait() == Ok(Status::Exited(5)));
    check(child.wait() == Err(Error::NoProcess));
    check(Process::from_id(7).wait() == Err(Error::NoProcess));
    check(Process::from_id(u64::MAX).wait() == Err(Error::NoProcess));
    0
}

pub fn exit_codes() -> i8 {
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

pub fn traps() -> i8 {
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

pub fn traps_child(role: u8) -> i8 {
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

/// Process 1 ends when the root tells it to. 2 and 3 wait for it: each is told. The root, which asks later, is not.
pub fn waiters_of_one() -> i8 {
    let (reader, writer) = must(pipe());
    let first = must(start_as(&[28, 1], &[reader.give()]));
    let second = must(start_as(&[28, 2], &[]));
    let third = must(start_as(&[28, 2], &[]));
    check(writer.write(&[1]) == Ok(()));
    check(second.wait() == Ok(Status::Exited(0)) && third.wait() == Ok(Status::Exited(0)));
    check(first.wait() == Err(Error::NoProcess));
    0
}

pub fn waiters_of_one_child(role: u8, _: &[u8]) -> i8 {
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

/// The rest is how many ends are remembered.
pub fn forgotten_ends(rest: &[u8]) -> i8 {
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

/// Nobody waits for those that are still there, and they for one another: the root ends all the same.
pub fn root_ends_all() -> i8 {
    let (reader, writer) = must(pipe());
    writer.give();
    must(start_as(&[36, 1], &[reader.give()]));
    must(start_as(&[36, 2], &[]));
    -3
}

pub fn root_ends_all_child(role: u8) -> i8 {
    if role == 1 {
        let [reads] = given();
        let _ = Reader::from_descriptor(reads).read(&mut [0]);
    } else {
        let _ = Process::from_id(1).wait();
    }
    check(false);
    0
}

/// Starts so many processes, each with an end of a pipe, and waits for none.
pub fn nobody_waits(rest: &[u8]) -> i8 {
    for _ in 0..crate::bulk::number(rest, 0) {
        let (reader, writer) = must(pipe());
        must(start_as(&[38, 1], &[reader.give()]));
        check(writer.write(&[1]) == Err(WriteError { error: Error::OtherEndClosed, written: 0 }));
    }
    0
}
