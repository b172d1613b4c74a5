//! The one `i64` in which a host function returns its result.

use super::{CompiledModule, ExecStatus, InstanceId, ModuleId};

/// A result on its way through the boundary.
///
/// It converts from and into the `Result` that both sides work with, into an `i64` on the node's side, and from an
/// `i64` on the runtime's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireResult<T, E>(pub Result<T, E>);

/// A success that fits into the numbers from 0 to [`i64::MAX`].
pub trait WireValue: Sized {
    /// The number that stands for this value; never negative.
    fn to_wire(self) -> i64;

    /// The value that `number`, which is not negative, stands for, if it stands for one.
    fn from_wire(number: i64) -> Option<Self>;
}

/// An error that has a small negative number.
pub trait WireError: Sized {
    /// The number of this error; always negative.
    fn to_wire(self) -> i64;

    /// The error that `number`, which is negative, stands for, if it stands for one.
    fn from_wire(number: i64) -> Option<Self>;
}

/// The number stands for no value of the type that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not in the encoding that the virtualization host functions return this type in")]
pub struct InvalidEncoding(pub i64);

impl<T, E> From<Result<T, E>> for WireResult<T, E> {
    fn from(result: Result<T, E>) -> Self {
        Self(result)
    }
}

impl<T, E> From<WireResult<T, E>> for Result<T, E> {
    fn from(result: WireResult<T, E>) -> Self {
        result.0
    }
}

impl<T: WireValue, E: WireError> From<WireResult<T, E>> for i64 {
    fn from(result: WireResult<T, E>) -> Self {
        match result.0 {
            Ok(value) => value.to_wire(),
            Err(error) => error.to_wire(),
        }
    }
}

impl<T: WireValue, E: WireError> TryFrom<i64> for WireResult<T, E> {
    type Error = InvalidEncoding;

    fn try_from(number: i64) -> Result<Self, InvalidEncoding> {
        let decoded = if number < 0 { E::from_wire(number).map(Err) } else { T::from_wire(number).map(Ok) };
        decoded.map(Self).ok_or(InvalidEncoding(number))
    }
}

impl WireValue for () {
    fn to_wire(self) -> i64 {
        0
    }

    fn from_wire(number: i64) -> Option<Self> {
        (number == 0).then_some(())
    }
}

/// Values that are a `u32` on the wire.
macro_rules! wire_value_as_u32 {
    ($($value:ty),+) => {$(
        impl WireValue for $value {
            fn to_wire(self) -> i64 {
                i64::from(u32::from(self))
            }

            fn from_wire(number: i64) -> Option<Self> {
                u32::try_from(number).ok()?.try_into().ok()
            }
        }
    )+};
}

wire_value_as_u32!(u32, ModuleId, InstanceId, ExecStatus);

impl WireValue for CompiledModule {
    fn to_wire(self) -> i64 {
        (i64::from(u8::from(self.status)) << 32) | self.id.to_wire()
    }

    fn from_wire(number: i64) -> Option<Self> {
        let id = ModuleId::from_wire(number & i64::from(u32::MAX))?;
        let status = u8::try_from(number >> 32).ok()?.try_into().ok()?;
        Some(Self { id, status })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{CompileStatus, DestroyError, ExecError, InstantiateError, MemoryError, ModuleError};
    use core::fmt::Debug;

    /// Both directions of one number.
    fn pin<T: WireValue + Clone + Debug + PartialEq, E: WireError + Clone + Debug + PartialEq>(
        result: Result<T, E>,
        number: i64,
    ) {
        assert_eq!(i64::from(WireResult(result.clone())), number, "{result:?}");
        assert_eq!(WireResult::<T, E>::try_from(number), Ok(WireResult(result)), "{number}");
    }

    fn refuse<T: WireValue + Debug + PartialEq, E: WireError + Debug + PartialEq>(numbers: &[i64]) {
        for &number in numbers {
            assert_eq!(WireResult::<T, E>::try_from(number), Err(InvalidEncoding(number)), "{number:#x}");
        }
    }

    #[test]
    fn errors_are_small_negative_numbers() {
        pin::<CompiledModule, _>(Err(ModuleError::InvalidImage), -1);
        pin::<CompiledModule, _>(Err(ModuleError::NotCached), -2);
        pin::<CompiledModule, _>(Err(ModuleError::NotFound), -3);
        pin::<InstanceId, _>(Err(InstantiateError::InvalidImage), -1);
        pin::<InstanceId, _>(Err(InstantiateError::InvalidModule), -2);
        pin::<ExecStatus, _>(Err(ExecError::InvalidInstance), -1);
        pin::<ExecStatus, _>(Err(ExecError::InvalidImage), -2);
        pin::<ExecStatus, _>(Err(ExecError::OutOfGas), -3);
        pin::<ExecStatus, _>(Err(ExecError::Trap), -4);
        pin::<(), _>(Err(MemoryError::InvalidInstance), -1);
        pin::<(), _>(Err(MemoryError::OutOfBounds), -2);
        pin::<(), _>(Err(DestroyError::InvalidInstance), -1);
    }

    #[test]
    fn successes_are_not_negative() {
        pin::<_, DestroyError>(Ok(()), 0);
        pin::<_, ExecError>(Ok(ExecStatus::Finished), 0);
        pin::<_, ExecError>(Ok(ExecStatus::Syscall), 1);
        pin::<_, ModuleError>(Ok(ModuleId::from(0)), 0);
        pin::<_, ModuleError>(Ok(ModuleId::from(u32::MAX)), 0xffff_ffff);
        pin::<_, InstantiateError>(Ok(InstanceId::from(7)), 7);
        pin::<_, InstantiateError>(Ok(InstanceId::from(u32::MAX)), 0xffff_ffff);
    }

    #[test]
    fn a_compiled_module_packs_its_status_above_its_id() {
        let compiled = |id: u32, status| Ok(CompiledModule { id: id.into(), status });
        pin::<_, ModuleError>(compiled(0, CompileStatus::Cached), 0);
        pin::<_, ModuleError>(compiled(5, CompileStatus::Cached), 5);
        pin::<_, ModuleError>(compiled(5, CompileStatus::Compiled), 0x1_0000_0005);
        pin::<_, ModuleError>(compiled(u32::MAX, CompileStatus::Cached), 0xffff_ffff);
        pin::<_, ModuleError>(compiled(u32::MAX, CompileStatus::Compiled), 0x1_ffff_ffff);
    }

    #[test]
    fn numbers_outside_the_encoding_are_refused() {
        let far = [i64::MIN, i64::MIN + 1, -0x1_0000_0001, -0x1_0000_0000, i64::MAX];
        refuse::<(), DestroyError>(&[-2, -3, 1, 0x1_0000_0000]);
        refuse::<(), DestroyError>(&far);
        refuse::<(), MemoryError>(&[-3, 1]);
        refuse::<(), MemoryError>(&far);
        refuse::<ExecStatus, ExecError>(&[-5, 2, 0x1_0000_0000, 0x1_0000_0001]);
        refuse::<ExecStatus, ExecError>(&far);
        refuse::<InstanceId, InstantiateError>(&[-3, 0x1_0000_0000]);
        refuse::<InstanceId, InstantiateError>(&far);
        refuse::<ModuleId, ModuleError>(&[-4, 0x1_0000_0000]);
        refuse::<ModuleId, ModuleError>(&far);
        // An unknown status, and each bit above the status.
        refuse::<CompiledModule, ModuleError>(&[-4, 0x2_0000_0000, 0xff_0000_0005]);
        for bit in 40..63 {
            refuse::<CompiledModule, ModuleError>(&[1 << bit, (1 << bit) | 0x1_0000_0005]);
        }
        refuse::<CompiledModule, ModuleError>(&far);
    }

    #[test]
    fn the_refusal_names_the_number() {
        let refusal = WireResult::<(), DestroyError>::try_from(-9).unwrap_err();
        assert!(refusal.to_string().starts_with("-9 is not in the encoding"), "{refusal}");
    }
}
