//! The nine host functions as they are on the wire: by name, with plain integers for arguments and result.
//!
//! The typed API cannot express a wrong order of calls, an unknown id or a handle used after its end. A faulty or
//! malicious runtime can, so these scenarios go below it.

#[cfg(substrate_runtime)]
#[path = "imports.rs"]
mod host;
#[cfg(not(substrate_runtime))]
#[path = "registry.rs"]
mod host;

use crate::outcome::{HostCall, Returned};
use alloc::vec::Vec;
use host::Memory;

/// Bytes of the buffer that `run` fills: gas left, symbol and its length, a0 to a5.
const EXEC_BUFFER_LENGTH: u32 = 96;

/// What output buffers hold before the call.
const UNTOUCHED: u8 = 0xaa;

// Slices and buffers of any length pass as their address (low half) and length (high half) in 64 bits.
host::host_functions! {
    ext_virtualization_compile_from_bytes_version_1(program: u64, identifier: u64);
    ext_virtualization_lookup_version_1(identifier: u64);
    ext_virtualization_compile_from_storage_key_version_1(key: u64, child_trie: u64);
    ext_virtualization_instantiate_version_1(module: u32);
    ext_virtualization_prepare_version_1(instance: u32, export: u64);
    ext_virtualization_run_version_1(instance: u32, gas: i64, a0: u64, buffer: u32);
    ext_virtualization_destroy_version_1(instance: u32);
    ext_virtualization_read_memory_version_1(instance: u32, address: u32, destination: u64);
    ext_virtualization_write_memory_version_1(instance: u32, address: u32, source: u64);
}

/// Calls one host function.
pub(super) fn perform(call: &HostCall) -> Returned {
    let mut memory = Memory::default();
    let mut output = None;
    let value = match call {
        HostCall::CompileFromBytes { program, identifier } => {
            let program = memory.bytes(program);
            let identifier = identifier.as_deref().map_or(0, |identifier| memory.bytes(identifier));
            memory.ext_virtualization_compile_from_bytes_version_1(program, identifier)
        }
        HostCall::Lookup { identifier } => {
            let identifier = memory.bytes(identifier);
            memory.ext_virtualization_lookup_version_1(identifier)
        }
        HostCall::CompileFromStorageKey { key, child_trie } => {
            let (key, child_trie) = (memory.bytes(key), memory.bytes(child_trie));
            memory.ext_virtualization_compile_from_storage_key_version_1(key, child_trie)
        }
        HostCall::Instantiate { module } => memory.ext_virtualization_instantiate_version_1(*module),
        HostCall::Prepare { instance, export } => {
            let export = memory.bytes(export);
            memory.ext_virtualization_prepare_version_1(*instance, export)
        }
        HostCall::Run { instance, gas, a0 } => {
            let buffer = memory.output(EXEC_BUFFER_LENGTH);
            output = Some(buffer);
            memory.ext_virtualization_run_version_1(*instance, *gas, *a0, buffer as u32)
        }
        HostCall::Destroy { instance } => memory.ext_virtualization_destroy_version_1(*instance),
        HostCall::ReadMemory { instance, address, length } => {
            let buffer = memory.output(*length);
            output = Some(buffer);
            memory.ext_virtualization_read_memory_version_1(*instance, *address, buffer)
        }
        HostCall::WriteMemory { instance, address, bytes } => {
            let bytes = memory.bytes(bytes);
            memory.ext_virtualization_write_memory_version_1(*instance, *address, bytes)
        }
        HostCall::Transaction(_) => unreachable!("`wire` does these itself"),
    };
    Returned { value, buffer: output.map_or_else(Vec::new, |output| memory.read(output)) }
}
