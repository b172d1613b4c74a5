//! What programs ask for, answered the same for every engine.

use anyhow::{Result, bail};
use sha3::{Digest, Keccak256};
use std::collections::HashMap;

/// Memory of a program, as its engine lets a host see it.
pub(crate) trait GuestMemory {
    /// Reads as many bytes as `buffer` has.
    fn read(&mut self, address: u64, buffer: &mut [u8]) -> Result<()>;

    /// Writes bytes.
    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<()>;
}

/// Names of the functions, at their numbers: those of `work::host::NAMES`.
pub(crate) const NAMES: [&str; 9] =
    ["nothing", "look", "fill", "input", "caller", "hash", "storage_get", "storage_set", "event"];

/// The number of a function by its name.
pub(crate) fn number_of(name: &[u8]) -> Result<u64> {
    match NAMES.iter().position(|known| known.as_bytes() == name) {
        Some(number) => Ok(number as u64),
        None => bail!("a program asks for `{}`, which the host does not know", String::from_utf8_lossy(name)),
    }
}

/// The host of one instance.
#[derive(Debug, Default)]
pub(crate) struct Host {
    storage: HashMap<[u8; 32], [u8; 32]>,
    /// Bytes of all events.
    noted: u64,
}

impl Host {
    /// Does what a program asks for.
    #[inline]
    pub(crate) fn answer(
        &mut self,
        number: u64,
        [a, b, c]: [u64; 3],
        memory: &mut impl GuestMemory,
    ) -> Result<u64> {
        match number {
            0 => Ok(a + 1),
            1 => {
                let mut bytes = [0; 1024];
                memory.read(a, &mut bytes)?;
                Ok(bytes[b as usize % 1024].into())
            }
            2 => {
                memory.write(a, &[b as u8; 1024])?;
                Ok(0)
            }
            _ => self.serve_contract(number, [a, b, c], memory),
        }
    }

    #[inline(never)]
    fn serve_contract(
        &mut self,
        number: u64,
        [a, b, c]: [u64; 3],
        memory: &mut impl GuestMemory,
    ) -> Result<u64> {
        match number {
            3 => {
                if a == 0 {
                    // A new run of the same program.
                    self.storage.clear();
                }
                let input = input(a);
                memory.write(b, &input)?;
                return Ok(input.len() as u64);
            }
            4 => memory.write(b, &account(a))?,
            5 => {
                let mut bytes = [0; 128];
                let Some(bytes) = bytes.get_mut(..b as usize) else { bail!("{b} bytes to hash") };
                memory.read(a, bytes)?;
                memory.write(c, &Keccak256::digest(bytes))?;
            }
            6 => {
                let Some(value) = self.storage.get(&word(a, memory)?) else { return Ok(0) };
                memory.write(b, value)?;
                return Ok(1);
            }
            7 => {
                let (key, value) = (word(a, memory)?, word(b, memory)?);
                self.storage.insert(key, value);
            }
            8 => {
                let mut bytes = [0; 128];
                let Some(bytes) = bytes.get_mut(..b as usize) else { bail!("{b} bytes in an event") };
                memory.read(a, bytes)?;
                self.noted += bytes.len() as u64;
            }
            _ => bail!("a program asks for function {number}, which the host does not know"),
        }
        Ok(0)
    }
}

fn word(address: u64, memory: &mut impl GuestMemory) -> Result<[u8; 32]> {
    let mut word = [0; 32];
    memory.read(address, &mut word)?;
    Ok(word)
}

/// The address of one of sixteen accounts.
fn account(number: u64) -> [u8; 20] {
    [number as u8 % 16 + 1; 20]
}

/// The input of a call: every fourth asks for a balance, the others transfer.
fn input(call: u64) -> Vec<u8> {
    let mut input = Vec::with_capacity(68);
    let padded = |account: [u8; 20]| [&[0; 12][..], &account].concat();
    if call % 4 == 3 {
        input.extend([0x70, 0xa0, 0x82, 0x31]);
        input.extend(padded(account(call / 4)));
    } else {
        input.extend([0xa9, 0x05, 0x9c, 0xbb]);
        input.extend(padded(account(call * 7 + 3)));
        input.extend([0; 24]);
        input.extend((call * 1009).to_be_bytes());
    }
    input
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bytes(Vec<u8>);

    impl GuestMemory for Bytes {
        fn read(&mut self, address: u64, buffer: &mut [u8]) -> Result<()> {
            buffer.copy_from_slice(&self.0[address as usize..][..buffer.len()]);
            Ok(())
        }

        fn write(&mut self, address: u64, bytes: &[u8]) -> Result<()> {
            self.0[address as usize..][..bytes.len()].copy_from_slice(bytes);
            Ok(())
        }
    }

    #[test]
    fn the_host_answers() {
        let (mut host, mut memory) = (Host::default(), Bytes(vec![0; 4096]));
        assert_eq!(host.answer(0, [41, 0, 0], &mut memory).unwrap(), 42);
        host.answer(2, [0, 0x107, 0], &mut memory).unwrap();
        assert_eq!(memory.0[1022..1026], [7, 7, 0, 0]);
        assert_eq!(host.answer(1, [1020, 2, 0], &mut memory).unwrap(), 7);
        assert_eq!(host.answer(6, [0, 2048, 0], &mut memory).unwrap(), 0, "nothing is stored");
        host.answer(7, [0, 1024, 0], &mut memory).unwrap();
        memory.0[2048] = 9;
        assert_eq!(host.answer(6, [0, 2048, 0], &mut memory).unwrap(), 1);
        assert_eq!(memory.0[2048], 0);
        assert_eq!(host.answer(3, [1, 3000, 0], &mut memory).unwrap(), 68);
        assert_eq!(host.answer(3, [3, 3000, 0], &mut memory).unwrap(), 36);
        host.answer(5, [0, 0, 100], &mut memory).unwrap();
        assert_eq!(memory.0[100..104], [0xc5, 0xd2, 0x46, 0x01], "Keccak-256 of nothing");
        assert!(host.answer(9, [0; 3], &mut memory).is_err());
        assert!(host.answer(5, [0, 129, 0], &mut memory).is_err());
    }

    #[test]
    fn names_have_numbers() {
        assert_eq!(number_of(b"event").unwrap(), 8);
        assert!(number_of(b"gas").is_err());
    }
}
