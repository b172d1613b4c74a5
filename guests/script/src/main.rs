//! Does what its input says: a script of operations, each a number and its operands. For tests, which can so make a
//! contract do anything, and for benchmarks.
//!
//! | number | operation | operands | adds to the output |
//! |---|---|---|---|
//! | 0 | end with the output | | |
//! | 1 | set an item | key, fill byte, `u32` length | |
//! | 2 | remove an item | key | |
//! | 3 | get an item | key | found (1 byte), `u32` length, value |
//! | 4 | transfer | account, amount | answer |
//! | 5 | call | account, value, `u64` gas, unwind (1 byte), export, `u32` length and input | answer, `u32` length, what was returned |
//! | 6 | emit an event | topic count (1 byte), topics, fill byte, `u32` length | |
//! | 7 | trap | | |
//! | 8 | spin | | |
//! | 9 | revert with the output | | |
//! | 10 | terminate | account | |
//! | 11 | print | text | |
//! | 12 | tell the context | | caller, address, value, balance, block number, gas left |
//! | 13 | hash | text | the three hashes |
//! | 14 | syscall number n of `sys`, in alphabetical order | n (1 byte), four `u64` registers | answer |
//! | 15 | a syscall that does not exist | | |
//! | 16 | return from the export, as at the end of the script | | |
//!
//! A key, an export and a text are a byte with the length, and the bytes. Answers have 8 bytes, 0 for success.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::vec;
use alloc::vec::Vec;
use polkavm_derive::polkavm_export;
use sdk::{storage, sys, Account, Call};

sdk::reusing_heap!(512 * 1024);

mod unknown {
    #[polkavm_derive::polkavm_import]
    extern "C" {
        pub fn no_such_syscall() -> u64;
    }
}

/// Runs a script as the constructor.
#[polkavm_export]
fn init() {
    run();
}

/// Runs a script.
#[polkavm_export]
fn run() {
    let input = sdk::input();
    let mut script = Script { rest: &input, output: Vec::new() };
    while !script.rest.is_empty() && script.step() {}
}

/// Makes syscalls forever. Each hands over a buffer of 128 KiB as its first argument, and whoever answers reads and writes it.
#[polkavm_export]
fn serve() {
    let mut buffer = vec![0x5a_u8; 128 * 1024];
    loop {
        // SAFETY: the buffer is as long as the length says.
        unsafe { sys::input_v1(buffer.as_mut_ptr(), buffer.len()) };
    }
}

/// Returns without having done anything.
#[polkavm_export]
fn nothing() {}

struct Script<'a> {
    rest: &'a [u8],
    output: Vec<u8>,
}

impl<'a> Script<'a> {
    /// Does the next operation. Gives whether to go on.
    fn step(&mut self) -> bool {
        match self.byte() {
            0 => sdk::return_value(&self.output),
            1 => {
                let key = self.text();
                let value = self.filled();
                storage::set(key, &value);
            }
            2 => drop(storage::remove(self.text())),
            3 => {
                let value = storage::get(self.text());
                self.output.push(value.is_some().into());
                self.append(&value.unwrap_or_default());
            }
            4 => {
                let (account, amount) = (self.account(), self.amount());
                let answer = sdk::transfer(&account, amount).map_or_else(|error| error as i64, |()| 0);
                self.output.extend(answer.to_le_bytes());
            }
            5 => self.call(),
            6 => {
                let count = self.byte();
                let topics: Vec<[u8; 32]> = (0..count).map(|_| self.array()).collect();
                let data = self.filled();
                sdk::emit_event(&topics, &data);
            }
            7 => sdk::trap(),
            8 => loop {
                core::hint::black_box(());
            },
            9 => sdk::revert(&self.output),
            10 => sdk::terminate(&self.account()),
            11 => {
                let text = self.text();
                // SAFETY: the pointer and the length are the text's, which need not be UTF-8 here.
                unsafe { sys::debug_print_v1(text.as_ptr(), text.len()) };
            }
            12 => {
                self.output.extend(sdk::caller().0);
                self.output.extend(sdk::address().0);
                self.output.extend(sdk::value().to_le_bytes());
                self.output.extend(sdk::balance().to_le_bytes());
                self.output.extend(sdk::block_number().to_le_bytes());
                self.output.extend(sdk::gas_left().to_le_bytes());
            }
            13 => {
                let text = self.text();
                self.output.extend(sdk::hash::blake2_128(text));
                self.output.extend(sdk::hash::blake2_256(text));
                self.output.extend(sdk::hash::keccak_256(text));
            }
            14 => {
                let number = self.byte();
                let registers = [(); 4].map(|()| u64::from_le_bytes(self.array()));
                self.output.extend(raw(number, registers).to_le_bytes());
            }
            15 => {
                // SAFETY: the syscall takes no memory.
                unsafe { unknown::no_such_syscall() };
            }
            _ => return false,
        }
        true
    }

    fn call(&mut self) {
        let (account, value, gas) = (self.account(), self.amount(), u64::from_le_bytes(self.array()));
        let unwinds = self.byte() != 0;
        let export = core::str::from_utf8(self.text()).unwrap_or_else(|_| sdk::trap());
        let length = u32::from_le_bytes(self.array());
        let input = self.take(length as usize);
        let mut call = Call::new(&account, export).input(input).value(value).gas(gas);
        if unwinds {
            call = call.unwind();
        }
        let (answer, returned) = match call.invoke() {
            Ok(returned) => (0, returned),
            Err(failure) => (failure.error as i64, failure.output),
        };
        self.output.extend(answer.to_le_bytes());
        self.append(&returned);
    }

    fn append(&mut self, bytes: &[u8]) {
        self.output.extend((bytes.len() as u32).to_le_bytes());
        self.output.extend(bytes);
    }

    fn take(&mut self, length: usize) -> &'a [u8] {
        let Some((taken, rest)) = self.rest.split_at_checked(length) else { sdk::trap() };
        self.rest = rest;
        taken
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        self.take(N).try_into().unwrap_or_else(|_| sdk::trap())
    }

    fn byte(&mut self) -> u8 {
        self.array::<1>()[0]
    }

    fn text(&mut self) -> &'a [u8] {
        let length = self.byte();
        self.take(length.into())
    }

    fn account(&mut self) -> Account {
        Account(self.array())
    }

    fn amount(&mut self) -> u128 {
        u128::from_le_bytes(self.array())
    }

    fn filled(&mut self) -> Vec<u8> {
        let fill = self.byte();
        vec![fill; u32::from_le_bytes(self.array()) as usize]
    }
}

/// A syscall with registers that need not make sense.
fn raw(number: u8, [a0, a1, a2, a3]: [u64; 4]) -> u64 {
    let (p0, p2) = (a0 as *mut u8, a2 as *mut u8);
    let (n1, n3) = (a1 as usize, a3 as usize);
    // SAFETY: the scripts of tests name memory that this program does not use, or that it must not be able to touch.
    unsafe {
        match number {
            0 => sys::address_v1(p0),
            1 => sys::balance_v1(p0),
            2 => sys::block_number_v1(),
            3 => sys::call_v1(a0 as *const u64),
            4 => sys::caller_v1(p0),
            5 => sys::debug_print_v1(p0, n1),
            6 => sys::emit_event_v1(p0, n1, p2, n3),
            7 => sys::gas_left_v1(),
            8 => sys::hash_blake2_128_v1(p0, n1, p2),
            9 => sys::hash_blake2_256_v1(p0, n1, p2),
            10 => sys::hash_keccak_256_v1(p0, n1, p2),
            11 => sys::input_v1(p0, n1),
            12 => sys::return_value_v1(p0, n1),
            13 => sys::returned_v1(p0, n1),
            14 => sys::revert_v1(p0, n1),
            15 => sys::storage_get_v1(p0, n1, p2, n3),
            16 => sys::storage_remove_v1(p0, n1),
            17 => sys::storage_set_v1(p0, n1, p2, n3),
            18 => sys::terminate_v1(p0),
            19 => sys::transfer_v1(p0, a1 as *const u8),
            20 => sys::value_v1(p0),
            21 => sys::yield_v1(),
            _ => sdk::trap(),
        }
    }
}
