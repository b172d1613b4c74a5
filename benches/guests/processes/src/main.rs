//! Processes that start others and wait for them, or send blocks through pipes. Their argument is a text of four parts: what to do, the
//! number of the process in it, how often, and a size. A process that finds something wrong ends with the line, or its last digits.
//!
//! The same for both schedulers, but for how they are called.
#![no_std]
#![no_main]

#[cfg_attr(target_env = "polkavm", path = "hatchery.rs")]
#[cfg_attr(not(target_env = "polkavm"), path = "ckb.rs")]
mod scheduler;

use scheduler::{exit, inherited, pages, pipe, read, spawn, wait, write};

/// Bytes of the largest block.
const BLOCK: usize = 1 << 16;
/// Bytes of a page.
const PAGE: usize = 4096;
/// The processes of a ring that the first one starts.
const OTHERS: usize = 16;

static mut BUFFER: [u8; BLOCK] = [0; BLOCK];

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    exit(99)
}

/// What a process does.
fn start(text: &[u8]) {
    let mut parts = text.split(|byte| *byte == b' ');
    let work = parts.next().unwrap_or_default();
    let [process, rounds, size] = core::array::from_fn(|_| number(parts.next().unwrap_or_default()));
    let arguments = Arguments { work, rounds, size };
    match (work, process) {
        (b"spawn", 0) => {
            for _ in 0..rounds {
                wait(spawn(&arguments.of(1), &[]));
            }
        }
        (b"spawn", _) => {}
        (b"pipe", 0) => sends(&arguments),
        (b"pipe", _) => echoes(&arguments),
        (b"ring", 0) => leads(&arguments),
        (b"ring", _) => passes_on(&arguments),
        _ => exit(98),
    }
}

struct Arguments<'a> {
    work: &'a [u8],
    rounds: usize,
    size: usize,
}

impl Arguments<'_> {
    /// The same for another process.
    fn of(&self, process: usize) -> Text {
        let mut text = Text { bytes: [0; 64], length: 0 };
        text.push(self.work);
        for number in [process, self.rounds, self.size] {
            text.push(b" ");
            text.push_number(number);
        }
        text
    }
}

/// A text, behind which there is a zero.
pub struct Text {
    bytes: [u8; 64],
    length: usize,
}

impl Text {
    fn push(&mut self, text: &[u8]) {
        let end = self.length + text.len();
        self.bytes[self.length..end].copy_from_slice(text);
        self.length = end;
    }

    fn push_number(&mut self, number: usize) {
        if number >= 10 {
            self.push_number(number / 10);
        }
        self.push(&[b'0' + (number % 10) as u8]);
    }
}

fn number(text: &[u8]) -> usize {
    text.iter().fold(0, |number, digit| 10 * number + usize::from(digit - b'0'))
}

/// Ends the process with the line unless this holds.
#[track_caller]
pub fn must(holds: bool) {
    if !holds {
        exit((core::panic::Location::caller().line() % 90 + 1) as i8);
    }
}

/// So many bytes of the buffer.
fn block(size: usize) -> &'static mut [u8] {
    // SAFETY: a process is one thread, which has one block at a time.
    let buffer: &'static mut [u8; BLOCK] = unsafe { &mut *&raw mut BUFFER };
    &mut buffer[..size]
}

/// A block to another process, and the same block back.
fn sends(arguments: &Arguments<'_>) {
    let ([from_other, writes], [reads, to_other]) = (pipe(), pipe());
    let other = spawn(&arguments.of(1), &[reads, writes]);
    let block = block(arguments.size);
    for round in 0..arguments.rounds {
        block[0] = round as u8;
        write(to_other, block);
        read(from_other, block);
        must(block[0] == (round as u8).wrapping_add(1));
    }
    wait(other);
}

fn echoes(arguments: &Arguments<'_>) {
    let [reads, writes] = inherited();
    let block = block(arguments.size);
    for _ in 0..arguments.rounds {
        read(reads, block);
        block[0] = block[0].wrapping_add(1);
        write(writes, block);
    }
}

/// A byte around a ring of processes, each of which writes to so many pages before it passes it on.
fn leads(arguments: &Arguments<'_>) {
    let [mut before, to_first] = pipe();
    let mut others = [0; OTHERS];
    for (at, other) in others.iter_mut().enumerate() {
        let [reads, writes] = pipe();
        *other = spawn(&arguments.of(at + 1), &[before, writes]);
        before = reads;
    }
    let byte = block(1);
    for round in 0..arguments.rounds {
        dirty(arguments.size, round);
        byte[0] = round as u8;
        write(to_first, byte);
        read(before, byte);
        must(byte[0] == (round as u8).wrapping_add(OTHERS as u8));
    }
    others.into_iter().for_each(wait);
}

fn passes_on(arguments: &Arguments<'_>) {
    let [reads, writes] = inherited();
    let byte = block(1);
    for round in 0..arguments.rounds {
        read(reads, byte);
        dirty(arguments.size, round);
        byte[0] = byte[0].wrapping_add(1);
        write(writes, byte);
    }
}

/// Writes a byte of each of so many pages, which have what was written last.
fn dirty(count: usize, round: usize) {
    let start = pages();
    for page in 0..count {
        // SAFETY: there are 256 pages, and more are never asked for; nobody else has them.
        let byte = unsafe { &mut *start.add(page % 256 * PAGE) };
        must(*byte == round as u8);
        *byte = (round as u8).wrapping_add(1);
    }
}
