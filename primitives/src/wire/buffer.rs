//! What `run` hands back beside its status.

use core::fmt;
use num_enum::{IntoPrimitive, TryFromPrimitive};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The most bytes a syscall's symbol can have. A program that imports a longer one is invalid.
pub const MAX_SYSCALL_SYMBOL_LEN: usize = 32;

/// Why `run` came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoPrimitive, TryFromPrimitive)]
#[repr(u32)]
pub enum ExecStatus {
    /// The export returned. The instance is idle.
    Finished = 0,
    /// The guest made a syscall, which the [`ExecBuffer`] describes. The next `run` answers it.
    Syscall = 1,
}

/// The part of `run`'s result that is written into the caller's memory.
///
/// On an error all of it is zero. Of a finished execution only the gas is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct ExecBuffer {
    /// The gas left.
    pub gas_left: i64,
    /// The symbol of the syscall.
    pub syscall_symbol: SyscallSymbol,
    /// The guest's register a0 at the syscall.
    pub a0: u64,
    /// The guest's register a1 at the syscall.
    pub a1: u64,
    /// The guest's register a2 at the syscall.
    pub a2: u64,
    /// The guest's register a3 at the syscall.
    pub a3: u64,
    /// The guest's register a4 at the syscall.
    pub a4: u64,
    /// The guest's register a5 at the syscall.
    pub a5: u64,
}

impl ExecBuffer {
    /// All zero, as the default, for the host to write into.
    ///
    /// Of zeros that the compiler knows of it makes a call of `memset`, which in Wasm is a loop of four bytes a turn and took a tenth of
    /// a round trip. These are stored word by word.
    #[inline]
    pub(crate) fn empty() -> Self {
        zerocopy::transmute!([core::hint::black_box(0_u64); 12])
    }
}

impl AsRef<[u8]> for ExecBuffer {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl AsMut<[u8]> for ExecBuffer {
    fn as_mut(&mut self) -> &mut [u8] {
        self.as_mut_bytes()
    }
}

/// The name of a syscall: the symbol that the guest imports it by, at most [`MAX_SYSCALL_SYMBOL_LEN`] bytes.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct SyscallSymbol {
    bytes: [u8; MAX_SYSCALL_SYMBOL_LEN],
    len: u64,
}

impl SyscallSymbol {
    /// The symbol with these bytes, or `None` if there are more than [`MAX_SYSCALL_SYMBOL_LEN`].
    pub fn new(symbol: &[u8]) -> Option<Self> {
        let mut bytes = [0; MAX_SYSCALL_SYMBOL_LEN];
        bytes.get_mut(..symbol.len())?.copy_from_slice(symbol);
        Some(Self { bytes, len: symbol.len() as u64 })
    }
}

impl AsRef<[u8]> for SyscallSymbol {
    /// The bytes of the symbol. A length above the maximum, which only a faulty node can write, counts as the maximum.
    fn as_ref(&self) -> &[u8] {
        let len = usize::try_from(self.len).unwrap_or(usize::MAX).min(MAX_SYSCALL_SYMBOL_LEN);
        &self.bytes[..len]
    }
}

impl PartialEq for SyscallSymbol {
    fn eq(&self, other: &Self) -> bool {
        self.as_ref() == other.as_ref()
    }
}

impl Eq for SyscallSymbol {}

impl fmt::Debug for SyscallSymbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SyscallSymbol(\"{self}\")")
    }
}

impl fmt::Display for SyscallSymbol {
    /// Bytes that are not printable ASCII are escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().escape_ascii().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::mem::{align_of, offset_of, size_of};

    #[test]
    fn the_layout_of_the_buffer_is_fixed() {
        assert_eq!(size_of::<ExecBuffer>(), 96);
        assert_eq!(align_of::<ExecBuffer>(), 8);
        assert_eq!(offset_of!(ExecBuffer, gas_left), 0);
        assert_eq!(offset_of!(ExecBuffer, syscall_symbol), 8);
        assert_eq!(offset_of!(ExecBuffer, a0), 48);
        assert_eq!(offset_of!(ExecBuffer, a1), 56);
        assert_eq!(offset_of!(ExecBuffer, a2), 64);
        assert_eq!(offset_of!(ExecBuffer, a3), 72);
        assert_eq!(offset_of!(ExecBuffer, a4), 80);
        assert_eq!(offset_of!(ExecBuffer, a5), 88);
        assert_eq!(size_of::<SyscallSymbol>(), 40);
        assert_eq!(offset_of!(SyscallSymbol, bytes), 0);
        assert_eq!(offset_of!(SyscallSymbol, len), 32);
    }

    #[test]
    fn the_bytes_of_the_buffer_are_fixed() {
        let mut buffer = ExecBuffer {
            gas_left: -2,
            syscall_symbol: SyscallSymbol::new(b"read").unwrap(),
            a0: 0x0102_0304_0506_0708,
            a1: 1,
            a2: 2,
            a3: 3,
            a4: 4,
            a5: u64::MAX,
        };
        let mut expected = Vec::new();
        expected.extend_from_slice(&[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
        expected.extend_from_slice(b"read\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
        expected.extend_from_slice(&[4, 0, 0, 0, 0, 0, 0, 0]);
        expected.extend_from_slice(&[8, 7, 6, 5, 4, 3, 2, 1]);
        for register in [1, 2, 3, 4] {
            expected.extend_from_slice(&[register, 0, 0, 0, 0, 0, 0, 0]);
        }
        expected.extend_from_slice(&[0xff; 8]);
        assert_eq!(buffer.as_ref(), expected);
        assert_eq!(buffer.as_mut(), expected);
        assert_eq!(ExecBuffer::default().as_ref(), [0; 96]);
        assert_eq!(ExecBuffer::empty().as_ref(), [0; 96]);
    }

    #[test]
    fn a_symbol_has_at_most_32_bytes() {
        assert_eq!(SyscallSymbol::new(b"").unwrap().as_ref(), b"");
        assert_eq!(SyscallSymbol::new(&[b'x'; 32]).unwrap().as_ref(), [b'x'; 32]);
        assert_eq!(SyscallSymbol::new(&[b'x'; 33]), None);
    }

    #[test]
    fn a_length_beyond_the_symbol_does_not_panic() {
        for len in [33, u64::from(u32::MAX), u64::MAX] {
            let mut bytes = [b'x'; 40];
            bytes[32..].copy_from_slice(&len.to_le_bytes());
            let symbol = SyscallSymbol::read_from_bytes(&bytes).unwrap();
            assert_eq!(symbol.as_ref(), [b'x'; 32], "{len}");
            assert_eq!(symbol, SyscallSymbol::new(&[b'x'; 32]).unwrap(), "{len}");
        }
    }

    #[test]
    fn a_symbol_is_shown_as_text() {
        let symbol = SyscallSymbol::new(b"read\xff").unwrap();
        assert_eq!(format!("{symbol}"), r"read\xff");
        assert_eq!(format!("{symbol:?}"), r#"SyscallSymbol("read\xff")"#);
    }
}
