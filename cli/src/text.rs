//! Small pieces of text that several commands print.

use std::fmt;

/// A symbol, which can be any bytes, in a form that is safe to print.
pub(crate) fn symbol(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(char::is_control) => text.to_owned(),
        _ => bytes.escape_ascii().to_string(),
    }
}

/// Bytes as digits of base 16.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A number of bytes in the largest unit that keeps it readable.
pub(crate) struct Size(pub(crate) u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        let text = match units.into_iter().find(|(unit, _)| self.0 >= *unit) {
            None => format!("{} B", self.0),
            Some((unit, name)) if self.0.is_multiple_of(unit) => format!("{} {name}", self.0 / unit),
            Some((unit, name)) => format!("{:.1} {name}", self.0 as f64 / unit as f64),
        };
        f.pad(&text)
    }
}

/// A number of things: `1 block`, `2 blocks`.
pub(crate) fn count(number: u64, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// Things a second, with a unit that keeps it readable.
pub(crate) fn rate(number: u64, seconds: f64, thing: &str) -> String {
    let rate = number as f64 / seconds;
    let units = [(1e9, "billion "), (1e6, "million "), (1e3, "thousand ")];
    let (unit, name) = units.into_iter().find(|(unit, _)| rate >= *unit).unwrap_or((1.0, ""));
    format!("{:.1} {name}{thing} a second", rate / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_cannot_reach_the_terminal() {
        assert_eq!(symbol(b"main"), "main");
        assert_eq!(symbol("größe".as_bytes()), "größe");
        assert_eq!(symbol(b"a\x1b[2Jb"), "a\\x1b[2Jb");
        assert_eq!(symbol(&[0xff, b'a']), "\\xffa");
        assert_eq!(symbol("\u{9b}".as_bytes()), "\\xc2\\x9b");
    }

    #[test]
    fn sizes_and_rates_have_units() {
        assert_eq!(Size(1023).to_string(), "1023 B");
        assert_eq!(Size(4096).to_string(), "4 KiB");
        assert_eq!(Size(4100).to_string(), "4.0 KiB");
        assert_eq!(format!("{:>8}", Size(3 << 20)), "   3 MiB");
        assert_eq!(Size(1 << 32).to_string(), "4 GiB");
        assert_eq!(rate(3_000_000, 2.0, "gas"), "1.5 million gas a second");
        assert_eq!(rate(10, 1.0, "gas"), "10.0 gas a second");
        assert_eq!(count(1, "block"), "1 block");
        assert_eq!(count(0, "block"), "0 blocks");
    }
}
