//! The host functions as imports of the Wasm module.

use super::UNTOUCHED;
use alloc::{vec, vec::Vec};

/// The buffers of one call. They live in the linear memory, which is where the host looks for them.
#[derive(Default)]
pub(super) struct Memory {
    buffers: Vec<Vec<u8>>,
}

impl Memory {
    /// Places bytes for the host to read.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> u64 {
        self.place(bytes.to_vec())
    }

    /// Places a buffer for the host to fill.
    pub(super) fn output(&mut self, length: u32) -> u64 {
        self.place(vec![UNTOUCHED; length as usize])
    }

    /// The buffer placed at `fat_pointer`.
    pub(super) fn read(&self, fat_pointer: u64) -> Vec<u8> {
        let address = fat_pointer as u32;
        // The host wrote to it behind the compiler's back.
        let buffers = core::hint::black_box(&self.buffers);
        buffers.iter().find(|buffer| buffer.as_ptr() as u32 == address).cloned().unwrap_or_default()
    }

    fn place(&mut self, mut bytes: Vec<u8>) -> u64 {
        // Through the mutable pointer, since the host may write.
        let fat_pointer = (bytes.len() as u64) << 32 | u64::from(bytes.as_mut_ptr() as u32);
        self.buffers.push(bytes);
        fat_pointer
    }
}

/// Declares the imports and a method of [`Memory`] for each.
macro_rules! host_functions {
    ($( $name:ident($( $argument:ident: $kind:ty ),*); )*) => {
        mod import {
            #[link(wasm_import_module = "env")]
            unsafe extern "C" {
                $( pub(super) fn $name($( $argument: $kind ),*) -> i64; )*
            }
        }

        impl Memory {
            $(
                fn $name(&mut self, $( $argument: $kind ),*) -> i64 {
                    // SAFETY: every address among the arguments is that of a buffer which `self` owns and which
                    // nothing else refers to during the call; the host keeps to the given lengths.
                    unsafe { import::$name($( $argument ),*) }
                }
            )*
        }
    };
}

pub(super) use host_functions;
