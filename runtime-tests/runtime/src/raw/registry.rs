//! The host functions as a node's executor sees them: looked up by name, called with Wasm values and a linear memory.

use super::{super::virtualization, UNTOUCHED};
use alloc::{format, string::String, vec, vec::Vec};
use sp_wasm_interface::{FunctionContext, HostFunctions, IntoValue, Pointer, Value, WordSize};

/// A linear memory, just large enough for the buffers of one call.
#[derive(Default)]
pub(super) struct Memory {
    content: Vec<u8>,
}

/// The first buffer's address. Not 0, which stands for "no identifier".
const START: usize = 16;

impl Memory {
    /// Places bytes for the host to read.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> u64 {
        self.content.resize(self.content.len().max(START), 0);
        let address = self.content.len();
        self.content.extend_from_slice(bytes);
        (bytes.len() as u64) << 32 | address as u64
    }

    /// Places a buffer for the host to fill.
    pub(super) fn output(&mut self, length: u32) -> u64 {
        self.bytes(&vec![UNTOUCHED; length as usize])
    }

    /// The buffer placed at `fat_pointer`.
    pub(super) fn read(&self, fat_pointer: u64) -> Vec<u8> {
        let (address, length) = (fat_pointer as u32 as usize, (fat_pointer >> 32) as usize);
        self.content[address..address + length].to_vec()
    }

    /// Calls the host function `name`.
    ///
    /// # Panics
    /// If there is no such function, if it does not take these arguments, or if it fails in the way that would trap
    /// a Wasm runtime.
    pub(super) fn call(&mut self, name: &str, arguments: &[Value]) -> i64 {
        let functions = virtualization::HostFunctions::host_functions();
        let function = functions
            .into_iter()
            .find(|function| function.name() == name)
            .unwrap_or_else(|| panic!("the node has no host function {name}"));
        match function.execute(self, &mut arguments.iter().copied()) {
            Ok(Some(Value::I64(value))) => value,
            Ok(other) => panic!("{name} returned {other:?}, not an i64"),
            Err(error) => panic!("{name} failed: {error}"),
        }
    }

    fn range(&mut self, address: Pointer<u8>, length: usize) -> Result<&mut [u8], String> {
        let start = u32::from(address) as usize;
        let size = self.content.len();
        self.content
            .get_mut(start..start.saturating_add(length))
            .ok_or_else(|| format!("{length} bytes at {start} are outside the memory of {size} bytes"))
    }
}

impl FunctionContext for Memory {
    fn read_memory_into(
        &mut self,
        address: Pointer<u8>,
        destination: &mut [u8],
    ) -> sp_wasm_interface::Result<()> {
        destination.copy_from_slice(self.range(address, destination.len())?);
        Ok(())
    }

    fn write_memory(&mut self, address: Pointer<u8>, data: &[u8]) -> sp_wasm_interface::Result<()> {
        self.range(address, data.len())?.copy_from_slice(data);
        Ok(())
    }

    fn allocate_memory(&mut self, _: WordSize) -> sp_wasm_interface::Result<Pointer<u8>> {
        Err("a virtualization host function allocated in the runtime's heap".into())
    }

    fn deallocate_memory(&mut self, _: Pointer<u8>) -> sp_wasm_interface::Result<()> {
        Err("a virtualization host function freed in the runtime's heap".into())
    }

    fn register_panic_error_message(&mut self, _: &str) {}
}

/// Turns an argument into a Wasm value.
pub(super) fn value(argument: impl IntoValue) -> Value {
    argument.into_value()
}

/// Makes a method of [`Memory`] for each host function.
macro_rules! host_functions {
    ($( $name:ident($( $argument:ident: $kind:ty ),*); )*) => {
        impl Memory {
            $(
                fn $name(&mut self, $( $argument: $kind ),*) -> i64 {
                    self.call(stringify!($name), &[$( host::value($argument) ),*])
                }
            )*
        }
    };
}

pub(super) use host_functions;
