//! Traces of host calls as text, as JIP-6 has them: enough to execute a program again without its host.
//!
//! ```text
//! program 0x<blob>
//! memwrite 0xfeff0000 len=2 <- 0x0102          what the host wrote before
//! start pc=0 gas=1000 r00=0xffff0000 r07=0x1   registers that are zero are left out
//!
//! ecalli=7 pc=12 gas=990 r00=0xffff0000        what the program was when it called
//! memread 0x00010000 len=1 -> 0x05             what the host read, wrote and set
//! memwrite 0x00030000 len=1 <- 0x06
//! setreg r07 <- 0x1
//! setgas <- 980
//! setheap <- 0x22000                           where the heap ends that the host let grow
//!
//! HALT pc=14 gas=970 r00=0xffff0000            or PANIC=, FAULT=, OOG
//! ```
//!
//! Other lines mean nothing. `setheap` is ours: JIP-6 has no words for what the Gray Paper 0.8's grow_heap does.

use std::fmt::Write as _;

use crate::status::Failure;

/// A trace, taken apart.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Trace {
    pub(crate) program: Option<Vec<u8>>,
    pub(crate) prelude: Vec<Bytes>,
    pub(crate) start: Point,
    pub(crate) calls: Vec<Call>,
    pub(crate) end: Option<End>,
}

/// Where a program is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Point {
    /// The line, from 1.
    pub(crate) line: u32,
    pub(crate) pc: u32,
    pub(crate) gas: u64,
    pub(crate) regs: [u64; 13],
}

/// Bytes at an address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Bytes {
    pub(crate) line: u32,
    pub(crate) address: u32,
    pub(crate) bytes: Vec<u8>,
}

/// A host call and what the host did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Call {
    pub(crate) number: u32,
    pub(crate) at: Point,
    pub(crate) reads: Vec<Bytes>,
    pub(crate) writes: Vec<Bytes>,
    pub(crate) regs: Vec<(usize, u64)>,
    pub(crate) gas: Option<u64>,
    /// Where the heap ends, with the line that says so.
    pub(crate) heap: Option<(u32, u32)>,
}

/// How an execution ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct End {
    pub(crate) kind: EndKind,
    pub(crate) at: Point,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum EndKind {
    Halt,
    Panic,
    Fault(u64),
    OutOfGas,
}

impl EndKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Halt => "HALT",
            Self::Panic => "PANIC",
            Self::Fault(_) => "FAULT",
            Self::OutOfGas => "OOG",
        }
    }
}

impl Trace {
    /// Takes a trace apart.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let mut trace = Self::default();
        let mut is_started = false;
        for (line, number) in text.lines().zip(1..) {
            let parser = Line { number, text: contents(line) };
            let (word, rest) = parser.text.split_once(' ').unwrap_or((parser.text, ""));
            let (keyword, argument) = word.split_once('=').unwrap_or((word, ""));
            match (keyword, is_started) {
                ("program", _) => trace.program = Some(parser.hex(rest.trim())?),
                ("start", false) => {
                    is_started = true;
                    trace.start = parser.point(rest)?;
                }
                ("memwrite", false) => trace.prelude.push(parser.bytes(rest, "<-")?),
                ("ecalli", true) => trace.calls.push(Call {
                    number: parser.number(argument)?,
                    at: parser.point(rest)?,
                    reads: Vec::new(),
                    writes: Vec::new(),
                    regs: Vec::new(),
                    gas: None,
                    heap: None,
                }),
                ("memread" | "memwrite" | "setreg" | "setgas" | "setheap", true) => {
                    let call =
                        trace.calls.last_mut().ok_or_else(|| parser.wrong("it belongs to no host call"))?;
                    match keyword {
                        "memread" => call.reads.push(parser.bytes(rest, "->")?),
                        "memwrite" => call.writes.push(parser.bytes(rest, "<-")?),
                        "setreg" => call.regs.push(parser.register(rest)?),
                        "setgas" => call.gas = Some(parser.assigned(rest)?),
                        _ => call.heap = Some((number, parser.assigned(rest)?)),
                    }
                }
                ("HALT" | "PANIC" | "FAULT" | "OOG", true) => {
                    let kind = match keyword {
                        "HALT" => EndKind::Halt,
                        "PANIC" => EndKind::Panic,
                        "OOG" => EndKind::OutOfGas,
                        _ => EndKind::Fault(parser.number(argument)?),
                    };
                    trace.end = Some(End { kind, at: parser.point(rest)? });
                }
                ("start", true) => return Err(parser.wrong("it starts twice")),
                (
                    "ecalli" | "memread" | "setreg" | "setgas" | "setheap" | "HALT" | "PANIC" | "FAULT"
                    | "OOG",
                    false,
                ) => {
                    return Err(parser.wrong("it comes before `start`"));
                }
                _ => {}
            }
        }
        if !is_started {
            return Err(Failure::argument("the trace has no line `start`"));
        }
        Ok(trace)
    }
}

/// A line without what a logger may have put before it.
fn contents(line: &str) -> &str {
    let line = line.trim();
    let logged = line.strip_prefix("TRACE").and_then(|rest| rest.trim_start().strip_prefix('['));
    let behind = logged.and_then(|rest| rest.split_once(']')).filter(|(logger, _)| logger.trim() == "ecalli");
    behind.map_or(line, |(_, rest)| rest.trim_start())
}

struct Line<'a> {
    number: u32,
    text: &'a str,
}

impl Line<'_> {
    fn wrong(&self, why: &str) -> Failure {
        let shown: String = self.text.chars().take(60).collect();
        Failure::argument(format!("line {} of the trace, `{shown}`: {why}", self.number))
    }

    /// A number, in decimal or with 0x in hexadecimal.
    fn number<T: TryFrom<u64>>(&self, text: &str) -> Result<T, Failure> {
        let value = match text.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).ok(),
            None => text.parse().ok(),
        };
        value
            .and_then(|value| T::try_from(value).ok())
            .ok_or_else(|| self.wrong(&format!("`{text}` is no number here")))
    }

    /// `<- 980`; some write no arrow.
    fn assigned<T: TryFrom<u64>>(&self, text: &str) -> Result<T, Failure> {
        self.number(text.trim().trim_start_matches("<-").trim())
    }

    fn hex(&self, text: &str) -> Result<Vec<u8>, Failure> {
        let digits = text.strip_prefix("0x").unwrap_or(text).as_bytes();
        let wrong = || self.wrong("these are no bytes in hexadecimal");
        let (pairs, []) = digits.as_chunks::<2>() else { return Err(wrong()) };
        let digit = |byte: u8| char::from(byte).to_digit(16).ok_or_else(wrong);
        pairs.iter().map(|&[high, low]| Ok((digit(high)? << 4 | digit(low)?) as u8)).collect()
    }

    fn point(&self, text: &str) -> Result<Point, Failure> {
        let (mut pc, mut gas, mut regs) = (None, None, [0; 13]);
        for (name, value) in text.split_whitespace().filter_map(|word| word.split_once('=')) {
            match name {
                "pc" => pc = Some(self.number(value)?),
                "gas" => gas = Some(self.number(value)?),
                _ if name.starts_with('r') => regs[self.register_index(name)?] = self.number(value)?,
                _ => {}
            }
        }
        let (Some(pc), Some(gas)) = (pc, gas) else { return Err(self.wrong("pc or gas is missing")) };
        Ok(Point { line: self.number, pc, gas, regs })
    }

    fn register_index(&self, name: &str) -> Result<usize, Failure> {
        let index = name.strip_prefix('r').and_then(|digits| digits.parse().ok()).filter(|&index| index < 13);
        index.ok_or_else(|| self.wrong(&format!("`{name}` is no register")))
    }

    /// `r07 <- 0x1`; some write the value without 0x.
    fn register(&self, text: &str) -> Result<(usize, u64), Failure> {
        let (name, value) = text.split_once("<-").ok_or_else(|| self.wrong("`<-` is missing"))?;
        let digits = value.trim().trim_start_matches("0x");
        let value = u64::from_str_radix(digits, 16).map_err(|_| self.wrong("the value is no number"))?;
        Ok((self.register_index(name.trim())?, value))
    }

    /// `0x00010000 len=1 -> 0x05`
    fn bytes(&self, text: &str, arrow: &str) -> Result<Bytes, Failure> {
        let (head, tail) =
            text.split_once(arrow).ok_or_else(|| self.wrong(&format!("`{arrow}` is missing")))?;
        let bytes = self.hex(tail.trim())?;
        let mut words = head.split_whitespace();
        let address = self.number(words.next().unwrap_or(""))?;
        let length: u64 =
            self.number(words.next().and_then(|word| word.strip_prefix("len=")).unwrap_or(""))?;
        if length != bytes.len() as u64 {
            return Err(self.wrong(&format!("it has {} bytes", bytes.len())));
        }
        Ok(Bytes { line: self.number, address, bytes })
    }
}

/// Appends `pc=.. gas=.. r..=..`, without registers that are zero.
pub(crate) fn write_point(out: &mut String, pc: u32, gas: u64, regs: &[u64; 13]) {
    // Writing to a string does not fail, here and below.
    let _ = write!(out, "pc={pc} gas={gas}");
    for (index, value) in regs.iter().enumerate().filter(|(_, value)| **value != 0) {
        let _ = write!(out, " r{index:02}={value:#x}");
    }
    out.push('\n');
}

/// Appends a line `memread` or `memwrite`.
pub(crate) fn write_bytes(out: &mut String, keyword: &str, arrow: &str, address: u32, bytes: &[u8]) {
    let _ = write!(out, "{keyword} {address:#010x} len={} {arrow} 0x", bytes.len());
    write_hex(out, bytes);
    out.push('\n');
}

/// Appends bytes in hexadecimal.
pub(crate) fn write_hex(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "somebody's node 1.0\n\
        program 0x0102\n\
        memwrite 0xfeff0000 len=2 <- 0x0a0b\n\
        start pc=5 gas=100 r00=0xffff0000 r07=0x1\n\
        \n\
        TRACE [  ecalli] ecalli=7 pc=12 gas=90 r01=0x2\n\
        memread 0x00010000 len=1 -> 0x05\n\
        memwrite 0x00030000 len=0 <- 0x\n\
        setreg r07 <- ff\n\
        setgas <- 80\n\
        setheap <- 0x23000\n\
        FAULT=65536 pc=14 gas=70 r12=0xffffffffffffffff\n";

    #[test]
    fn a_trace_is_taken_apart() {
        let trace = Trace::parse(TEXT).unwrap();
        assert_eq!(trace.program.as_deref(), Some(&[1, 2][..]));
        assert_eq!(trace.prelude, [Bytes { line: 3, address: 0xfeff_0000, bytes: vec![10, 11] }]);
        assert_eq!((trace.start.pc, trace.start.gas, trace.start.regs[7]), (5, 100, 1));
        let [call] = &trace.calls[..] else { panic!("one call") };
        assert_eq!((call.number, call.at.pc, call.at.regs[1], call.gas), (7, 12, 2, Some(80)));
        assert_eq!(call.regs, [(7, 0xff)]);
        assert_eq!(call.heap, Some((11, 0x23000)));
        assert_eq!((call.reads[0].bytes.as_slice(), call.writes[0].bytes.len()), (&[5][..], 0));
        let end = trace.end.unwrap();
        assert_eq!((end.kind, end.at.regs[12]), (EndKind::Fault(65536), u64::MAX));
    }

    #[test]
    fn what_is_wrong_says_where() {
        let error = |line: &str| Trace::parse(&format!("start pc=0 gas=0\n{line}")).unwrap_err().text;
        assert!(
            error("start pc=0 gas=0").contains("line 2 of the trace, `start pc=0 gas=0`: it starts twice")
        );
        assert!(error("setgas <- 1").contains("belongs to no host call"));
        assert!(error("HALT pc=1").contains("pc or gas is missing"));
        assert!(error("ecalli=x pc=0 gas=0").contains("`x` is no number"));
        assert!(error("ecalli=4294967296 pc=0 gas=0").contains("no number here"));
        assert!(error("ecalli=1 pc=0 gas=0 r13=0x0").contains("`r13` is no register"));
        let in_call = |line: &str| error(&format!("ecalli=1 pc=0 gas=0\n{line}"));
        assert!(in_call("memread 0x0 len=1 -> 0x").contains("it has 0 bytes"));
        assert!(in_call("memread 0x0 len=1 <- 0x00").contains("`->` is missing"));
        assert!(in_call("memwrite 0x0 len=1 <- 0x0").contains("no bytes in hexadecimal"));
        assert!(in_call("memwrite 0x100000000 len=0 <- 0x").contains("no number here"));
        assert!(in_call("setheap <- 0x100000000").contains("no number here"));
        assert!(error("setheap <- 1").contains("belongs to no host call"));
        assert!(in_call("setreg r1 <- xyz").contains("the value is no number"));
        assert!(Trace::parse("").unwrap_err().text.contains("no line `start`"));
        assert!(Trace::parse("ecalli=1 pc=0 gas=0").unwrap_err().text.contains("before `start`"));
    }
}
