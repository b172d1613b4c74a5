//! Debug information in PolkaVM containers: which function and source line an instruction comes from.
//!
//! Three optional sections hold it. *Ranges* say for which part of the code which *line program* counts. A line program
//! describes the code from the beginning of its range on: it changes a stack of up to 16 frames (a function and the
//! functions inlined into it, outermost first), and says how many bytes of code the stack then holds for. Names are offsets
//! into the *strings*.

use std::fmt;

use super::Program;
use super::reader::{Reader, Section};

/// Numbers of the sections.
const STRINGS: u8 = 128;
const LINE_PROGRAMS: u8 = 129;
const RANGES: u8 = 130;

/// The only version of line programs there is.
const VERSION: u8 = 1;
/// Frames of a stack; deeper ones are not described.
const FRAMES: usize = 16;
/// Bytes of a range: first and last offset into the code, offset into the line programs.
const RANGE: usize = 12;

/// The debug information of a program. It is not validated: what makes no sense counts as missing when it is asked for.
#[derive(Clone, Debug)]
pub struct DebugInfo<'a> {
    strings: &'a [u8],
    programs: &'a [u8],
    ranges: &'a [u8],
}

/// A function, and the line in it. Names are any bytes; displayed, what could harm a terminal is escaped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame<'a> {
    /// What the function is in; empty if that is not known.
    pub namespace: &'a [u8],
    /// Its name; empty if it has none.
    pub function: &'a [u8],
    /// The source file; empty if it is not known.
    pub path: &'a [u8],
    /// The line in it, from 1 on; 0 if it is not known.
    pub line: u32,
    /// The column in the line, from 1 on; 0 if it is not known.
    pub column: u32,
}

impl Frame<'_> {
    /// The function with what it is in, `namespace::function`, for people to read.
    pub fn name(&self) -> String {
        match (self.namespace, self.function) {
            (_, []) => "a function without a name".to_owned(),
            ([], function) => printable(function),
            (namespace, function) => format!("{}::{}", printable(namespace), printable(function)),
        }
    }

    /// Where it is in the sources, `file.rs:3:1`, as far as that is known.
    pub fn place(&self) -> Option<String> {
        let path = printable(self.path);
        match (self.path, self.line, self.column) {
            ([], ..) => None,
            (_, 0, _) => Some(path),
            (_, line, 0) => Some(format!("{path}:{line}")),
            (_, line, column) => Some(format!("{path}:{line}:{column}")),
        }
    }
}

/// The name, and the place in parentheses if it is known: `namespace::function (file.rs:3:1)`.
impl fmt::Display for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())?;
        match self.place() {
            Some(place) => write!(f, " ({place})"),
            None => Ok(()),
        }
    }
}

impl<'a> DebugInfo<'a> {
    /// The debug information of a container, if it has some that can be read.
    pub fn from_container(bytes: &'a [u8]) -> Option<Self> {
        let sections = Program::sections(bytes).ok()?;
        let contents = |id| sections.iter().find(|section| section.id == id).map(|s| &bytes[s.range.clone()]);
        let programs = contents(LINE_PROGRAMS).filter(|programs| programs.first() == Some(&VERSION))?;
        Some(Self { strings: contents(STRINGS)?, programs, ranges: contents(RANGES)? })
    }

    /// The frames of the instruction at `pc`, innermost first. Information that makes no sense counts as none.
    pub fn frames_at(&self, pc: u32) -> Vec<Frame<'a>> {
        self.stack_at(pc).unwrap_or_default()
    }

    fn stack_at(&self, pc: u32) -> Option<Vec<Frame<'a>>> {
        let (start, offset) = self.range_of(pc)?;
        let mut line_program = LineProgram {
            rest: self.programs.get(offset as usize..)?,
            stack: [RawFrame::default(); FRAMES],
            depth: 0,
            selected: 0,
        };
        let mut at = u64::from(start);
        loop {
            let (length, depth) = line_program.next_region()?;
            at += u64::from(length);
            if u64::from(pc) < at {
                let frames = &line_program.stack[..FRAMES.min(depth as usize)];
                return frames.iter().rev().map(|raw| self.frame(raw)).collect();
            }
        }
    }

    /// Start of the range that `pc` lies in, and the offset of its line program.
    fn range_of(&self, pc: u32) -> Option<(u32, u32)> {
        let word = |range: &[u8], at: usize| {
            u32::from_le_bytes([range[at], range[at + 1], range[at + 2], range[at + 3]])
        };
        let mut ranges = self.ranges.chunks_exact(RANGE).map(|r| (word(r, 0), word(r, 4), word(r, 8)));
        ranges.find(|(start, end, _)| (*start..*end).contains(&pc)).map(|(start, _, offset)| (start, offset))
    }

    fn frame(&self, raw: &RawFrame) -> Option<Frame<'a>> {
        Some(Frame {
            namespace: self.string(raw.namespace)?,
            function: self.string(raw.function)?,
            path: self.string(raw.path)?,
            line: raw.line,
            column: raw.column,
        })
    }

    /// A length, then as many bytes. What offset 0 names is empty.
    fn string(&self, offset: u32) -> Option<&'a [u8]> {
        let mut rest = self.strings.get(offset as usize..)?;
        let length = varint(&mut rest)?;
        rest.get(..length as usize)
    }
}

#[derive(Clone, Copy, Default, Debug)]
struct RawFrame {
    namespace: u32,
    function: u32,
    path: u32,
    line: u32,
    column: u32,
}

struct LineProgram<'a> {
    rest: &'a [u8],
    stack: [RawFrame; FRAMES],
    depth: u32,
    /// The frame that instructions change; changes of frames that are too deep have no effect.
    selected: u32,
}

impl LineProgram<'_> {
    /// Executes up to the next region: how many bytes of code it covers, and how many frames of the stack count for it.
    /// `None` at the end, or if the program makes no sense.
    fn next_region(&mut self) -> Option<(u32, u32)> {
        loop {
            let depth = self.depth;
            let (&operation, rest) = self.rest.split_first()?;
            self.rest = rest;
            match operation {
                1 => self.selected = self.number()?,
                2..=4 => {} // What the frame is: entry, call or line.
                5 => self.set(|frame| &mut frame.namespace)?,
                6 => self.set(|frame| &mut frame.function)?,
                7 => self.set(|frame| &mut frame.path)?,
                8 => self.set(|frame| &mut frame.line)?,
                9 => self.set(|frame| &mut frame.column)?,
                10 => self.depth = self.number()?,
                11 => self.add_to_line(1),
                12 => {
                    let lines = self.number()?;
                    self.add_to_line(lines);
                }
                13 => {
                    let lines = self.number()?;
                    self.add_to_line(lines.wrapping_neg());
                }
                14 | 16 | 18 => return Some((1, self.change_depth(operation, depth))),
                15 | 17 | 19 => {
                    let length = self.number()?;
                    return Some((length, self.change_depth(operation, depth)));
                }
                _ => return None,
            }
        }
    }

    /// The region has the depth before the change.
    fn change_depth(&mut self, operation: u8, depth: u32) -> u32 {
        self.depth = match operation {
            16 | 17 => depth.saturating_add(1),
            18 | 19 => depth.saturating_sub(1),
            _ => depth,
        };
        depth
    }

    fn set(&mut self, field: impl Fn(&mut RawFrame) -> &mut u32) -> Option<()> {
        let value = self.number()?;
        if let Some(frame) = self.stack.get_mut(self.selected as usize) {
            *field(frame) = value;
        }
        Some(())
    }

    fn add_to_line(&mut self, lines: u32) {
        if let Some(frame) = self.stack.get_mut(self.selected as usize) {
            frame.line = frame.line.wrapping_add(lines);
        }
    }

    fn number(&mut self) -> Option<u32> {
        varint(&mut self.rest)
    }
}

/// A name in a form that is safe to print.
fn printable(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(char::is_control) => text.to_owned(),
        _ => bytes.escape_ascii().to_string(),
    }
}

/// A number, encoded as everywhere in the container.
fn varint(bytes: &mut &[u8]) -> Option<u32> {
    let mut reader = Reader::new(bytes, 0, Section::Optional);
    let value = reader.varint().ok()?;
    *bytes = bytes.get(reader.offset()..)?;
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A container whose only sections are these.
    fn container(strings: &[u8], programs: &[u8], ranges: &[u32]) -> Vec<u8> {
        let ranges: Vec<u8> = ranges.iter().flat_map(|word| word.to_le_bytes()).collect();
        let mut bytes = b"PVM\0\x03\0\0\0\0\0\0\0\0".to_vec();
        for (id, contents) in [(STRINGS, strings), (LINE_PROGRAMS, programs), (RANGES, &ranges)] {
            bytes.extend([id, contents.len() as u8]);
            bytes.extend(contents);
        }
        bytes.push(0);
        bytes
    }

    /// Offsets: 0 nothing, 1 `ns`, 4 `outer`, 10 `inner`, 16 `a.rs`.
    const NAMES: &[u8] = b"\0\x02ns\x05outer\x05inner\x04a.rs";

    fn frames(bytes: &[u8], pc: u32) -> Vec<String> {
        let info = DebugInfo::from_container(bytes).expect("there is debug information");
        info.frames_at(pc).iter().map(Frame::to_string).collect()
    }

    #[test]
    fn a_line_program_is_followed_to_the_instruction() {
        let program = [
            VERSION, // Behind it, at offset 1, the program.
            1, 0, 5, 1, 6, 4, 7, 16, 8, 10, // Frame 0: ns::outer in a.rs, line 10.
            1, 1, 6, 10, // Frame 1: inner.
            10, 1, 17, 2, // One frame counts for two bytes, then two frames do.
            1, 0, 12, 5, 9, 3, 15, 3, // Frame 0 is at 15:3, for three bytes.
            13, 6, 11, 18, // At 10:3 for one byte, then one frame counts.
            14, // One byte.
            0,
        ];
        let bytes = container(NAMES, &program, &[10, 17, 1]);
        assert_eq!(frames(&bytes, 9), [""; 0]);
        assert_eq!(frames(&bytes, 10), ["ns::outer (a.rs:10)"]);
        assert_eq!(frames(&bytes, 11), ["ns::outer (a.rs:10)"]);
        assert_eq!(frames(&bytes, 12), ["inner", "ns::outer (a.rs:15:3)"]);
        assert_eq!(frames(&bytes, 14), ["inner", "ns::outer (a.rs:15:3)"]);
        assert_eq!(frames(&bytes, 15), ["inner", "ns::outer (a.rs:10:3)"]);
        assert_eq!(frames(&bytes, 16), ["ns::outer (a.rs:10:3)"]);
        assert_eq!(frames(&bytes, 17), [""; 0]);
    }

    #[test]
    fn what_makes_no_sense_is_no_information() {
        let depth_of_billions = [VERSION, 10, 0xf0, 0xff, 0xff, 0xff, 0xff, 14, 0];
        assert_eq!(
            frames(&container(NAMES, &depth_of_billions, &[0, 1, 1]), 0),
            ["a function without a name"; 16]
        );
        for program in [
            &[VERSION, 99][..],
            &[VERSION, 0],
            &[VERSION, 15, 0, 15, 0, 0],
            &[VERSION, 15],
            &[VERSION, 15, 0xff],
            &[VERSION, 6, 0x7f, 10, 1, 14],
            &[VERSION, 6, 22, 10, 1, 14],
        ] {
            assert_eq!(frames(&container(NAMES, program, &[0, 9, 1]), 0), [""; 0], "{program:?}");
        }
        assert_eq!(frames(&container(NAMES, &[VERSION, 10, 1, 14], &[0, 9, u32::MAX]), 0), [""; 0]);
        assert!(DebugInfo::from_container(&container(NAMES, &[2], &[])).is_none(), "another version");
        assert!(DebugInfo::from_container(b"PVM\0").is_none());
    }
}
