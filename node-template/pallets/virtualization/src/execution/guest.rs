//! A guest's memory, as the arguments of its syscalls describe it.

use crate::Argument;
use alloc::{vec, vec::Vec};
use hatchery_primitives::Execution;

/// Reads `length` bytes, of which there may be at most `most`.
///
/// # Errors
/// `too_long` if there are more, [`Argument::Pointer`] if the guest could not read them itself.
pub(crate) fn read(
    execution: &mut Execution,
    pointer: u64,
    length: u64,
    most: u32,
    too_long: Argument,
) -> Result<Vec<u8>, Argument> {
    let length = u32::try_from(length).ok().filter(|length| *length <= most).ok_or(too_long)?;
    let mut bytes = vec![0; length as usize];
    read_exact(execution, pointer, &mut bytes)?;
    Ok(bytes)
}

/// Fills `bytes`.
///
/// # Errors
/// [`Argument::Pointer`] if the guest could not read them itself.
pub(crate) fn read_exact(execution: &mut Execution, pointer: u64, bytes: &mut [u8]) -> Result<(), Argument> {
    if bytes.is_empty() {
        return Ok(());
    }
    execution.read_memory(address(pointer)?, bytes).map_err(|_| Argument::Pointer)
}

/// Writes bytes.
///
/// # Errors
/// [`Argument::Pointer`] if the guest could not write them itself.
pub(crate) fn write(execution: &mut Execution, pointer: u64, bytes: &[u8]) -> Result<(), Argument> {
    if bytes.is_empty() {
        return Ok(());
    }
    execution.write_memory(address(pointer)?, bytes).map_err(|_| Argument::Pointer)
}

/// Writes as many of the bytes as there is room for. Gives how many there are.
///
/// # Errors
/// [`Argument::Pointer`] if the guest could not write them itself.
pub(crate) fn write_some(
    execution: &mut Execution,
    pointer: u64,
    capacity: u64,
    bytes: &[u8],
) -> Result<u64, Argument> {
    let room = usize::try_from(capacity).unwrap_or(usize::MAX);
    write(execution, pointer, &bytes[..bytes.len().min(room)])?;
    Ok(bytes.len() as u64)
}

fn address(pointer: u64) -> Result<u32, Argument> {
    u32::try_from(pointer).map_err(|_| Argument::Pointer)
}
