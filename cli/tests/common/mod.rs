//! What the tests share: the built command, programs to feed it, golden files.

#![allow(dead_code, reason = "each test binary uses its part of this")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a run of the command gave.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    /// Checks the exit status, and that each of these is somewhere in standard error.
    #[track_caller]
    pub(crate) fn expect(&self, status: i32, in_stderr: &[&str]) {
        assert_eq!(self.status, status, "{self:#?}");
        for text in in_stderr {
            assert!(self.stderr.contains(text), "{text:?} is not in {self:#?}");
        }
        assert!(!self.stderr.contains("panicked"), "{self:#?}");
    }
}

/// Runs the command in the folder of the tests, with an empty input.
#[track_caller]
pub(crate) fn hatchery(arguments: &[&str]) -> Outcome {
    hatchery_reading(b"", arguments)
}

/// Runs the command with an input.
#[track_caller]
pub(crate) fn hatchery_reading(input: &[u8], arguments: &[&str]) -> Outcome {
    let mut child = command(arguments).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // The command may end without reading.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Outcome {
        status: output.status.code().expect("it was not ended by a signal"),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The command, with its output taken.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hatchery"));
    command.current_dir(folder()).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The folder of the tests.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

/// The path of a committed guest, from the folder of the tests.
pub(crate) fn guest(name: &str) -> String {
    format!("../../guests/blobs/jam-v1/{name}.polkavm")
}

/// Compares with the file `golden/NAME`, or writes it if `HATCHERY_BLESS` is set.
#[track_caller]
pub(crate) fn golden(name: &str, text: &str) {
    let path = folder().join("golden").join(name);
    if std::env::var_os("HATCHERY_BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(text == expected, "{} should be\n{text}(HATCHERY_BLESS=1 writes it)", path.display());
}

/// Files that last as long as this.
pub(crate) struct Files(tempfile::TempDir);

impl Files {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Writes a file and gives its path.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The folder.
    pub(crate) fn path(&self) -> &str {
        self.0.path().to_str().unwrap()
    }
}

/// Jump table of bytes, code, and bitmask of the instruction starts.
pub(crate) fn raw(jump_table: &[u8], code: &[u8], starts: &[usize]) -> Vec<u8> {
    let mut bytes = vec![jump_table.len() as u8, 1, code.len() as u8];
    bytes.extend(jump_table);
    bytes.extend(code);
    let mut bitmask = vec![0; code.len().div_ceil(8)];
    starts.iter().for_each(|start| bitmask[start / 8] |= 1 << (start % 8));
    bytes.extend(bitmask);
    bytes
}

/// A PolkaVM container, with a read-write section of `rw_data` and 64 KiB of stack.
pub(crate) fn container(
    version: u8,
    rw_data: &[u8],
    imports: &[&str],
    exports: &[(&str, u8)],
    code: &[u8],
) -> Vec<u8> {
    let mut memory = vec![0];
    memory.extend(varint(rw_data.len()));
    memory.extend(varint(0x1_0000));
    let mut import_section = vec![imports.len() as u8];
    let mut offset = 0_u32;
    for import in imports {
        import_section.extend(offset.to_le_bytes());
        offset += import.len() as u32;
    }
    imports.iter().for_each(|import| import_section.extend(import.bytes()));
    let mut export_section = vec![exports.len() as u8];
    for (symbol, pc) in exports {
        export_section.extend([*pc, symbol.len() as u8]);
        export_section.extend(symbol.bytes());
    }
    let mut bytes = b"PVM\0".to_vec();
    bytes.push(version);
    bytes.extend([0; 8]);
    let sections = [(1, &memory[..]), (3, rw_data), (4, &import_section), (5, &export_section), (6, code)];
    for (id, contents) in sections {
        bytes.push(id);
        bytes.extend(varint(contents.len()));
        bytes.extend(contents);
    }
    bytes.push(0);
    let length = bytes.len() as u64;
    bytes[5..13].copy_from_slice(&length.to_le_bytes());
    bytes
}

/// A number in the form of five bytes, which any number has.
fn varint(number: usize) -> Vec<u8> {
    let mut bytes = vec![0xf0];
    bytes.extend((number as u32).to_le_bytes());
    bytes
}
