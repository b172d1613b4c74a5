//! Does what its arguments say: for tests that make their trees at random. `scheduler/tests/common/script.rs` writes them.
//!
//! The arguments are a number of programs, one byte, and each program behind its length of two bytes. A process executes the
//! program of its role. It has a list of descriptors, at first those that it was started with, and a list of children.

use processes::{inherited, sys, Command, Process, Status};

use crate::bulk::buffer;
use crate::{check, note, pattern, SELF};

/// The most descriptors and children that a process keeps account of.
const MOST: usize = 64;

struct Script<'a> {
    arguments: &'a [u8],
    code: &'a [u8],
    /// Descriptors, and how many bytes have gone through each.
    ends: [(u64, usize); MOST],
    end_count: usize,
    children: [u64; MOST],
    child_count: usize,
}

pub fn run(role: u8, arguments: &'static [u8]) -> i8 {
    let Some(code) = program(arguments, role) else { return 96 };
    let mut process =
        Script { arguments, code, ends: [(0, 0); MOST], end_count: 0, children: [0; MOST], child_count: 0 };
    let mut descriptors = [0; MOST];
    for &descriptor in descriptors_of(&mut descriptors) {
        process.keep(descriptor);
    }
    while !process.code.is_empty() {
        if let Some(code) = process.step() {
            return code;
        }
    }
    0
}

fn descriptors_of(all: &mut [u64; MOST]) -> &[u64] {
    let count = inherited(all);
    &all[..count.min(MOST)]
}

fn program(arguments: &[u8], role: u8) -> Option<&[u8]> {
    let (&count, mut rest) = arguments.split_first()?;
    for at in 0..count {
        let length = usize::from(u16::from_le_bytes([*rest.first()?, *rest.get(1)?]));
        let program = rest.get(2..2 + length)?;
        if at == role {
            return Some(program);
        }
        rest = &rest[2 + length..];
    }
    None
}

impl Script<'_> {
    fn byte(&mut self) -> u8 {
        let Some((&byte, rest)) = self.code.split_first() else { return 0 };
        self.code = rest;
        byte
    }

    fn wide(&mut self) -> usize {
        usize::from(u16::from_le_bytes([self.byte(), self.byte()]))
    }

    fn keep(&mut self, descriptor: u64) {
        if self.end_count < MOST {
            self.ends[self.end_count] = (descriptor, 0);
            self.end_count += 1;
        }
    }

    /// The descriptor at a place of the list; one that nobody has where there is none.
    fn end(&self, at: u8) -> u64 {
        self.ends[..self.end_count].get(usize::from(at)).map_or(1, |end| end.0)
    }

    fn step(&mut self) -> Option<i8> {
        match self.byte() {
            0 => return Some(self.byte() as i8),
            1 => self.spawn(),
            2 => {
                let mut ends = [0; 2];
                // SAFETY: the array has 16 bytes.
                if unsafe { sys::pipe_create(ends.as_mut_ptr()) } == 0 {
                    self.keep(ends[0]);
                    self.keep(ends[1]);
                }
            }
            3 => {
                let (at, length) = (self.byte(), self.wide());
                let mut count = length as u64;
                // SAFETY: the buffer has more bytes than any length of two bytes.
                unsafe { sys::pipe_read(self.end(at) as usize, buffer().as_mut_ptr(), &mut count) };
                check(count <= length as u64);
            }
            4 => {
                let (at, length) = (self.byte(), self.wide());
                let mut count = length as u64;
                // SAFETY: as above.
                unsafe { sys::pipe_write(self.end(at) as usize, buffer().as_ptr(), &mut count) };
                check(count <= length as u64);
            }
            5 => {
                let at = self.byte();
                // SAFETY: the call takes no memory.
                unsafe { sys::pipe_close(self.end(at) as usize) };
            }
            6 => {
                let at = self.byte();
                let child = self.children[..self.child_count].get(usize::from(at));
                let _ = Process::from_id(child.copied().unwrap_or(at.into())).wait();
            }
            7 => {
                let role = self.byte();
                Command::new(SELF).arguments(self.arguments_for(role)).exec();
            }
            8 => guest::trap(),
            9 => {
                for at in 0..self.wide() {
                    core::hint::black_box(at);
                }
            }
            10 => {
                let value = self.byte();
                note(value.into());
            }
            11 => {
                // SAFETY: not sound; it ends this process.
                unsafe { sys::pipe_create(core::hint::black_box(16_usize) as *mut u64) };
            }
            12 => self.read_pattern(),
            13 => self.write_pattern(),
            14 => processes::exit(self.byte() as i8),
            15 => {
                let at = self.byte();
                let child = self.children[..self.child_count].get(usize::from(at));
                check(child.map(|&child| Process::from_id(child).wait()) == Some(Ok(Status::Exited(0))));
            }
            16 => {
                note(processes::gas() as usize);
            }
            17 => {
                let _ = Command::new(b"garbage").spawn();
            }
            _ => {}
        }
        None
    }

    fn arguments_for(&self, role: u8) -> &'static [u8] {
        let bytes = buffer();
        bytes[0] = 100;
        bytes[1] = role;
        bytes[2..2 + self.arguments.len()].copy_from_slice(self.arguments);
        &bytes[..2 + self.arguments.len()]
    }

    fn spawn(&mut self) {
        let (role, count) = (self.byte(), usize::from(self.byte()) % (MOST + 1));
        let mut handed_on = [0; MOST];
        for place in &mut handed_on[..count] {
            let at = self.byte();
            *place = self.end(at);
        }
        let command = Command::new(SELF).arguments(self.arguments_for(role));
        if let Ok(child) = command.descriptors(&handed_on[..count]).spawn() {
            if self.child_count < MOST {
                self.children[self.child_count] = child.id();
                self.child_count += 1;
            }
        }
    }

    /// Reads exactly so many bytes, which must be the next of the pipe's pattern.
    fn read_pattern(&mut self) {
        let (at, length) = (usize::from(self.byte()), self.wide());
        let (descriptor, start) = self.ends[at];
        let mut done = 0;
        while done < length {
            let mut count = (length - done) as u64;
            let bytes = buffer();
            // SAFETY: the buffer has more bytes than any length of two bytes.
            let code = unsafe { sys::pipe_read(descriptor as usize, bytes.as_mut_ptr(), &mut count) };
            check(code == 0 && count > 0);
            let count = count as usize;
            check((0..count).all(|at| bytes[at] == pattern(descriptor / 2, start + done + at)));
            done += count;
        }
        check(done == length);
        self.ends[at].1 += length;
    }

    /// Writes the next so many bytes of the pipe's pattern.
    fn write_pattern(&mut self) {
        let (at, length) = (usize::from(self.byte()), self.wide());
        let (descriptor, start) = self.ends[at];
        let bytes = &mut buffer()[..length];
        bytes.iter_mut().enumerate().for_each(|(at, byte)| *byte = pattern(descriptor / 2, start + at));
        let mut count = length as u64;
        // SAFETY: the slice has so many bytes.
        let code = unsafe { sys::pipe_write(descriptor as usize, bytes.as_ptr(), &mut count) };
        check(code == 0 && count == length as u64);
        self.ends[at].1 += length;
    }
}
