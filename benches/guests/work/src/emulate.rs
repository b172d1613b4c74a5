//! A program that executes programs: a loop over the instructions of a small machine, with a jump for each that cannot be predicted well.

use crate::mix;

/// An instruction of a machine with eight registers. It has the same length for all.
#[derive(Clone, Copy)]
enum Instruction {
    /// A register is set to a number.
    Set(u8, u64),
    /// A register becomes a copy of another.
    Copy(u8, u8),
    /// A register is added to another.
    Add(u8, u8),
    /// A register is multiplied by a number.
    Multiply(u8, u64),
    /// A number is added to a register.
    Increase(u8, u64),
    /// A register is halved.
    Halve(u8),
    /// The larger of two registers.
    Maximum(u8, u8),
    /// Goes on elsewhere if the register is even.
    IfEven(u8, u8),
    /// Goes on elsewhere if the register is not one.
    UnlessOne(u8, u8),
    /// Goes on elsewhere if one register is less than another.
    IfLess(u8, u8, u8),
    /// Goes on elsewhere.
    Jump(u8),
    /// Ends the program.
    Stop,
}

/// For each number up to a limit: how many steps Collatz's sequence takes to one. Sum of all, and the most.
fn program(limit: u64) -> [Instruction; 18] {
    use Instruction::*;
    const NUMBER: u8 = 0;
    const VALUE: u8 = 1;
    const STEPS: u8 = 2;
    const SUM: u8 = 3;
    const MOST: u8 = 4;
    const LIMIT: u8 = 5;
    [
        Set(LIMIT, limit),
        Set(NUMBER, 1),
        Set(SUM, 0),
        Set(MOST, 0),
        Set(STEPS, 0),        // 4: the next number
        Copy(VALUE, NUMBER),  // 5
        Jump(12),             // 6
        IfEven(VALUE, 10),    // 7: the next value
        Multiply(VALUE, 3),   // 8
        Increase(VALUE, 1),   // 9: odd values become even ones, which are halved with the next step
        Halve(VALUE),         // 10
        Increase(STEPS, 1),   // 11
        UnlessOne(VALUE, 7),  // 12
        Add(SUM, STEPS),      // 13
        Maximum(MOST, STEPS), // 14
        Increase(NUMBER, 1),  // 15
        IfLess(NUMBER, LIMIT, 4),
        Stop,
    ]
}

/// Executes the program for the numbers below `limit`, at least for one.
#[must_use]
pub fn run(limit: u64) -> u64 {
    let registers = execute(&core::hint::black_box(program(limit)));
    registers.iter().fold(0, |checksum, register| mix(checksum, *register))
}

fn execute(program: &[Instruction]) -> [u64; 8] {
    let mut registers = [0u64; 8];
    let mut next = 0;
    let index = |register: u8| usize::from(register & 7);
    loop {
        let instruction = program[next];
        next += 1;
        match instruction {
            Instruction::Set(to, value) => registers[index(to)] = value,
            Instruction::Copy(to, from) => registers[index(to)] = registers[index(from)],
            Instruction::Add(to, from) => {
                registers[index(to)] = registers[index(to)].wrapping_add(registers[index(from)]);
            }
            Instruction::Multiply(to, by) => registers[index(to)] = registers[index(to)].wrapping_mul(by),
            Instruction::Increase(to, by) => registers[index(to)] = registers[index(to)].wrapping_add(by),
            Instruction::Halve(to) => registers[index(to)] /= 2,
            Instruction::Maximum(to, from) => {
                registers[index(to)] = registers[index(to)].max(registers[index(from)]);
            }
            Instruction::IfEven(what, place) if registers[index(what)].is_multiple_of(2) => {
                next = place.into()
            }
            Instruction::UnlessOne(what, place) if registers[index(what)] != 1 => next = place.into(),
            Instruction::IfLess(a, b, place) if registers[index(a)] < registers[index(b)] => {
                next = place.into()
            }
            Instruction::Jump(place) => next = place.into(),
            Instruction::Stop => return registers,
            Instruction::IfEven(..) | Instruction::UnlessOne(..) | Instruction::IfLess(..) => {}
        }
    }
}
