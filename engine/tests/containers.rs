//! Containers as they should not be: nothing panics, errors name the place, and what polkavm 0.33 accepts is accepted.

mod common;

use common::asm::{ecalli, ret};
use common::{Assembly, container, guest};
use hatchery_engine::program::{Program, ProgramError, Section};
use hatchery_engine::{Config, Engine, InstructionSet};
use polkavm_033 as polkavm;

fn small() -> Vec<u8> {
    Assembly::new(InstructionSet::ReviveV1, vec![ecalli(0), ret()]).container()
}

fn error(blob: &[u8]) -> ProgramError {
    Program::from_polkavm(blob, InstructionSet::Latest64Bitmask).unwrap_err()
}

/// Makes the length in the header right again.
fn with_length(mut blob: Vec<u8>) -> Vec<u8> {
    let length = blob.len() as u64;
    blob[5..13].copy_from_slice(&length.to_le_bytes());
    blob
}

#[test]
fn headers() {
    let blob = small();
    assert_eq!(error(b""), ProgramError::Magic);
    assert_eq!(error(b"PVM"), ProgramError::Magic);
    assert_eq!(error(b"PVM\x01"), ProgramError::Magic);
    assert_eq!(error(b"PVM\0"), ProgramError::Truncated { section: Section::Header, offset: 4, missing: 1 });
    let mut other = blob.clone();
    other[4] = 9;
    assert_eq!(
        error(&other).to_string(),
        "version 9 at offset 4 is unknown (known: 0 ReviveV1, 1 Latest32, 2 Latest64, 3 JamV1)"
    );
    let mut longer = blob.clone();
    longer.push(0);
    assert_eq!(
        error(&longer),
        ProgramError::Length { declared: blob.len() as u64, actual: blob.len() as u64 + 1 }
    );
}

#[test]
fn every_truncation_is_an_error_that_lies_in_the_bytes() {
    let blob = small();
    for length in 13..blob.len() {
        let error = error(&with_length(blob[..length].to_vec()));
        match error {
            ProgramError::Truncated { offset, missing, .. } => {
                assert!(offset <= length && missing > 0, "{length}: {error}");
            }
            ProgramError::Code(_) | ProgramError::NoCode => {}
            other => panic!("{length}: {other}"),
        }
    }
}

#[test]
fn sections_that_contradict_themselves() {
    let build = |sizes, data: [&[u8]; 2], imports: &[&str], bitmask: &[u8]| {
        error(&container(0, data, sizes, imports, &[], &[0, 0], bitmask, &[])).to_string()
    };
    assert_eq!(
        build([1, 0, 0], [&[1, 2], &[]], &[], &[3]),
        "read-only data: 2 bytes of contents exceed the declared size of 1"
    );
    assert_eq!(
        build([0, 1, 0], [&[], &[1, 2]], &[], &[3]),
        "read-write data: 2 bytes of contents exceed the declared size of 1"
    );
    assert_eq!(
        build([0; 3], [&[], &[]], &[], &[3, 0]),
        "code: the bitmask has 2 bytes, code of 2 bytes takes 1"
    );
    let message = build([0; 3], [&[], &[]], &[], &[7]);
    assert!(message.starts_with("code: bits of the bitmask's last byte"), "{message}");
    let many = vec!["x"; 1025];
    assert_eq!(build([0; 3], [&[], &[]], &many, &[3]), "imports: 1025 exceeds the limit of 1024");
}

#[test]
fn an_import_outside_of_the_symbol_table_is_an_error() {
    let mut blob = container(0, [&[], &[]], [0; 3], &["abc", "def"], &[], &[0], &[1], &[]);
    let at = blob.windows(6).position(|w| w == b"abcdef").unwrap() - 4;
    blob[at] = 7;
    assert_eq!(error(&blob), ProgramError::ImportSymbol { index: 0, size: 6 });
    blob[at] = 2;
    let program = Program::from_polkavm(&blob, InstructionSet::Latest64Bitmask).unwrap();
    assert_eq!(program.imports, [b"ab".to_vec(), b"cdef".to_vec()]);
}

#[test]
fn unknown_sections_are_skipped_if_they_may_be() {
    let mut blob = small();
    blob.pop();
    for (id, ok) in [(0x85, true), (0xff, true), (7, false), (1, false)] {
        let mut other = blob.clone();
        other.extend([id, 2, 0xaa, 0xbb, 0]);
        let result = Program::from_polkavm(&with_length(other), InstructionSet::Latest64Bitmask);
        if ok {
            assert!(result.is_ok(), "{id}");
        } else {
            assert_eq!(result.unwrap_err(), ProgramError::UnexpectedSection { id, offset: blob.len() });
        }
    }
}

#[test]
fn memory_that_does_not_fit_is_refused_when_compiling() {
    let engine = |limit| Engine::new(Config::default().memory_limit(limit)).unwrap();
    let blob = |sizes| container(0, [&[], &[]], sizes, &[], &[], &[0], &[1], &[]);
    let message = |limit, sizes| engine(limit).compile(&blob(sizes)).unwrap_err().to_string();
    assert!(engine(3 * 4096).compile(&blob([1, 1, 4096])).is_ok());
    assert_eq!(
        message(3 * 4096, [1, 1, 4097]),
        "memory: the program declares 16384 bytes, the limit is 12288"
    );
    assert_eq!(
        message(1 << 32, [u32::MAX, 0, 0]),
        "memory: 4294967295 bytes read-only, 0 read-write, 0 of stack and 0 auxiliary do not fit 4 GiB with their guards"
    );
}

/// Whether polkavm accepts a container; what its user sc-virtualization makes of malformed imports is a refusal too.
fn accepted_by_polkavm(engine: &polkavm::Engine, blob: &[u8]) -> bool {
    let module = polkavm::Module::new(engine, &polkavm::ModuleConfig::new(), blob.to_vec().into());
    module.is_ok_and(|module| module.imports().into_iter().all(|import| import.is_some()))
}

#[test]
fn every_change_of_a_byte_is_accepted_by_both_or_by_none() {
    let mut config = polkavm::Config::new();
    config.set_backend(Some(polkavm::BackendKind::Interpreter));
    let theirs = polkavm::Engine::new(&config).unwrap();
    let ours = Engine::new(Config::default().latest64(InstructionSet::Latest64Bitmask)).unwrap();
    let mut accepted = 0;
    let counter = guest("jam-v1", "counter");
    for blob in [small(), counter] {
        for at in 4..blob.len() {
            for change in [1, 2, 0x10, 0x80, 0xff] {
                let mut other = blob.clone();
                other[at] ^= change;
                let result = ours.compile(&other);
                assert_eq!(
                    result.is_ok(),
                    accepted_by_polkavm(&theirs, &other),
                    "byte {at} changed by {change:#x}: {result:?}"
                );
                accepted += usize::from(result.is_ok());
            }
        }
    }
    assert!(accepted > 100, "{accepted}");
}
