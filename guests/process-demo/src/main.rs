//! Counts the primes below a number with several processes: `main` starts workers, gives each a part by its arguments and reads
//! its count from a pipe. Without arguments it is 100,000 with four workers; the first byte of the arguments, a digit, is
//! another number of workers.
#![no_std]
#![no_main]

use guest::io::print;
use processes::{inherited, pipe, Command, Process, Reader, Status, Writer};

processes::main!(start);

const LIMIT: u32 = 100_000;
const MOST_WORKERS: usize = 9;

fn start(arguments: &'static [u8]) -> i8 {
    match arguments {
        [] => share(4),
        [digit @ b'1'..=b'9'] => share(usize::from(digit - b'0')),
        [b'w', from @ .., t0, t1, t2, t3] => match from.try_into() {
            Ok(from) => work(u32::from_le_bytes(from), u32::from_le_bytes([*t0, *t1, *t2, *t3])),
            Err(_) => 2,
        },
        _ => 2,
    }
}

/// Starts the workers and adds up what they find.
fn share(workers: usize) -> i8 {
    let mut started: [Option<(Process, Reader)>; MOST_WORKERS] = [const { None }; MOST_WORKERS];
    let part = LIMIT / workers as u32;
    for (at, place) in started[..workers].iter_mut().enumerate() {
        let from = at as u32 * part;
        let to = if at + 1 == workers { LIMIT } else { from + part };
        let mut arguments = [b'w'; 9];
        arguments[1..5].copy_from_slice(&from.to_le_bytes());
        arguments[5..].copy_from_slice(&to.to_le_bytes());
        let Ok((reader, writer)) = pipe() else { return 3 };
        let descriptors = [writer.give()];
        match Command::new(b"process-demo").arguments(&arguments).descriptors(&descriptors).spawn() {
            Ok(process) => *place = Some((process, reader)),
            Err(_) => return 3,
        }
    }
    let mut total = 0;
    for (process, reader) in started.into_iter().flatten() {
        let mut count = [0; 4];
        if reader.read_exact(&mut count).is_err() || process.wait() != Ok(Status::Exited(0)) {
            return 4;
        }
        total += u32::from_le_bytes(count);
    }
    print_number(total);
    0
}

/// Counts the primes of a range by trial division and writes the count.
fn work(from: u32, to: u32) -> i8 {
    let count = (from..to).filter(|&number| is_prime(number)).count() as u32;
    let mut descriptors = [0; 1];
    if inherited(&mut descriptors) != 1 {
        return 5;
    }
    match Writer::from_descriptor(descriptors[0]).write(&count.to_le_bytes()) {
        Ok(()) => 0,
        Err(_) => 6,
    }
}

fn is_prime(number: u32) -> bool {
    number >= 2
        && (2..)
            .take_while(|divisor| divisor * divisor <= number)
            .all(|divisor| !number.is_multiple_of(divisor))
}

fn print_number(mut number: u32) {
    let mut digits = [0; 10];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    if let Ok(text) = core::str::from_utf8(&digits[at..]) {
        print(text);
    }
}
