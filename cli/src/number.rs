//! Numbers on the command line: decimal or hexadecimal.

/// Why a text is no number.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum NumberError {
    #[error("not a number: decimal digits, or 0x and hexadecimal digits, with _ between them at will")]
    NotANumber,
    #[error("more than 64 bits")]
    TooLarge,
    #[error("at most {} is possible", i64::MAX)]
    TooMuchGas,
    #[error("more than 32 bits")]
    NotAnOffset,
}

/// A number of 64 bits. A negative decimal one stands for its two's complement.
pub(crate) fn register_value(text: &str) -> Result<u64, NumberError> {
    match text.strip_prefix('-') {
        None => unsigned(text),
        Some(digits) => {
            let magnitude = unsigned(digits)?;
            if magnitude > 1 << 63 {
                return Err(NumberError::TooLarge);
            }
            Ok(magnitude.wrapping_neg())
        }
    }
}

/// A number from 0 to 2^64 - 1.
pub(crate) fn unsigned(text: &str) -> Result<u64, NumberError> {
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None => (text, 10),
    };
    let is_grouped = !digits.starts_with('_') && !digits.ends_with('_');
    let digits: String = digits.chars().filter(|&c| c != '_').collect();
    if digits.is_empty() || !is_grouped || !digits.chars().all(|c| c.is_digit(radix)) {
        return Err(NumberError::NotANumber);
    }
    u64::from_str_radix(&digits, radix).map_err(|_| NumberError::TooLarge)
}

/// An amount of gas, which the engine counts in 63 bits.
pub(crate) fn gas(text: &str) -> Result<i64, NumberError> {
    unsigned(text)?.try_into().map_err(|_| NumberError::TooMuchGas)
}

/// An offset into the code.
pub(crate) fn code_offset(text: &str) -> Result<u32, NumberError> {
    unsigned(text)?.try_into().map_err(|_| NumberError::NotAnOffset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_decimal_or_hexadecimal() {
        assert_eq!(unsigned("0"), Ok(0));
        assert_eq!(unsigned("1_000_000"), Ok(1_000_000));
        assert_eq!(unsigned("0xfF"), Ok(255));
        assert_eq!(unsigned("0XffffFFFF_ffffffff"), Ok(u64::MAX));
        assert_eq!(unsigned("18446744073709551615"), Ok(u64::MAX));
        assert_eq!(register_value("-1"), Ok(u64::MAX));
        assert_eq!(register_value("-0x8000000000000000"), Ok(1 << 63));
        assert_eq!(gas("9223372036854775807"), Ok(i64::MAX));
        assert_eq!(code_offset("0xffffffff"), Ok(u32::MAX));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "0x", "x", "12a", "0xg", "_1", "1_", "+1", " 1", "1.5", "--1", "0x-1", "١"] {
            assert_eq!(unsigned(text), Err(NumberError::NotANumber), "{text:?}");
        }
        for text in ["-", "--1", "-0x"] {
            assert_eq!(register_value(text), Err(NumberError::NotANumber), "{text:?}");
        }
        assert_eq!(unsigned("-1"), Err(NumberError::NotANumber));
        assert_eq!(unsigned("18446744073709551616"), Err(NumberError::TooLarge));
        assert_eq!(register_value("-9223372036854775809"), Err(NumberError::TooLarge));
        assert_eq!(gas("9223372036854775808"), Err(NumberError::TooMuchGas));
        assert_eq!(code_offset("0x100000000"), Err(NumberError::NotAnOffset));
    }
}
