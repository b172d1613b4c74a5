//! The operations of the capability machine (`hatchery-capabilities`) as Rust functions.
//!
//! An operation that cannot be done ends the instance with a trap, so that none of them returns an error.
#![no_std]

mod sys;

/// A slot of this instance, or of a node in one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slot(u64);

/// Why a callee did not reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// It trapped, or did an operation that it could not.
    Trap,
    /// It jumped to, or was, no instruction.
    Panic,
    /// It accessed memory that it could not.
    PageFault,
    /// It ran out of gas.
    OutOfGas,
    /// It yielded, and whoever dealt with that gave it up.
    Dropped,
}

/// The slot that changes hands at calls: the caller's goes to the callee, and back with the reply.
pub const HAND: Slot = Slot(0);

impl Slot {
    /// A slot of this instance.
    pub const fn new(slot: u8) -> Self {
        Self(slot as u64)
    }

    /// A slot below 254 of the node in this slot. At most seven of these are possible.
    pub const fn below(self, slot: u8) -> Self {
        let bits = 64 - self.0.leading_zeros();
        let used = if bits <= 8 { 8 } else { bits.next_multiple_of(8) };
        assert!(slot < 0xfe && used < 64, "no such path");
        Self(self.0 | (slot as u64 + 1) << used)
    }

    /// Copies what it holds to another slot.
    pub fn copy_to(self, to: Self) {
        // SAFETY: the operation touches no memory.
        unsafe { sys::cap_copy(self.0, to.0) }
    }

    /// Moves what it holds to another slot.
    pub fn move_to(self, to: Self) {
        // SAFETY: the operation touches no memory.
        unsafe { sys::cap_move(self.0, to.0) }
    }

    /// Empties it.
    pub fn clear(self) {
        // SAFETY: the operation touches no memory.
        unsafe { sys::cap_drop(self.0) }
    }

    /// Exchanges what it and another one hold.
    pub fn swap(self, other: Self) {
        // SAFETY: the operation touches no memory.
        unsafe { sys::cap_swap(self.0, other.0) }
    }

    /// Puts an empty node of `2^size_log` slots into it.
    pub fn mint_cnode(self, size_log: u8) {
        // SAFETY: the operation touches no memory.
        unsafe { sys::cap_mint_cnode(self.0, size_log.into()) }
    }

    /// Stops until somebody has dealt with the marker that it holds. Whether there is something in [`HAND`] then.
    pub fn yield_marker(self) -> bool {
        // SAFETY: the operation touches no memory.
        unsafe { sys::cap_yield(self.0) != 0 }
    }

    /// Makes an instance of the image that it holds, whose slots are the node in `prepared`, which goes away.
    pub fn spawn(self, prepared: Self, to: Self) {
        // SAFETY: the operation touches no memory.
        unsafe { sys::cap_derive_spawn(self.0, prepared.0, to.0) }
    }

    /// Whether it and the other hold instances, or types, of the same type.
    pub fn is_same_type(self, other: Self) -> bool {
        // SAFETY: the operation touches no memory.
        unsafe { sys::cap_same_type(self.0, other.0) != 0 }
    }

    /// Puts the type of the instance that it holds into another slot.
    pub fn type_to(self, to: Self) {
        // SAFETY: the operation touches no memory.
        unsafe { sys::cap_type_of(self.0, to.0) }
    }

    /// Reads the data that it holds, as far as they go, and gives how many bytes that were: data are whole pages.
    pub fn read(self, buffer: &mut [u8]) -> usize {
        // SAFETY: the machine writes at most as many bytes as the buffer has.
        unsafe { sys::cap_read_data(self.0, buffer.as_mut_ptr() as u64, buffer.len() as u64) as usize }
    }

    /// Makes data of these bytes at the expense of a quota.
    pub fn mint_data(self, bytes: &[u8], quota: u64) {
        // SAFETY: the machine reads these bytes.
        unsafe { sys::cap_mint_data(bytes.as_ptr() as u64, bytes.len() as u64, quota, self.0) }
    }

    /// Puts the data of a file into it.
    pub fn open(self, file: u64) {
        // SAFETY: the operation touches no memory.
        unsafe { sys::cap_open(file, self.0) }
    }

    /// Makes a file of the data that it holds, at the expense of a quota, and gives its number.
    pub fn save(self, quota: u64) -> u64 {
        // SAFETY: the operation touches no memory.
        unsafe { sys::cap_save(self.0, quota) }
    }

    /// Calls an endpoint of the instance that it holds and gives its reply.
    pub fn call(self, endpoint: u8, arguments: [u64; 4]) -> Result<u64, Fault> {
        let [a, b, c, d] = arguments;
        // SAFETY: the callee has memory of its own.
        let (value, status) = unsafe { sys::cap_call(self.0, endpoint.into(), a, b, c, d) };
        match status {
            0 => Ok(value),
            1 => Err(Fault::Trap),
            2 => Err(Fault::Panic),
            3 => Err(Fault::PageFault),
            4 => Err(Fault::OutOfGas),
            _ => Err(Fault::Dropped),
        }
    }
}
