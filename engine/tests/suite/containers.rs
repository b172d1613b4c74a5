//! Containers as they should not be: nothing panics, errors name the place, and what polkavm 0.33 accepts is accepted.

use std::cell::Cell;
use std::collections::BTreeMap;

use crate::common::asm::{ecalli, ret};
use crate::common::{Assembly, container, engines, guest};
use hatchery_engine::program::{MAX_CODE_SIZE, Program, ProgramError, Section};
use hatchery_engine::{Config, Engine, Exit, InstructionSet, ProgramCounter};
use polkavm_033 as polkavm;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

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
    let most = container(0, [&[], &[]], [0; 3], &vec!["x"; 1024], &[], &[0, 0], &[3], &[]);
    assert!(Program::from_polkavm(&most, InstructionSet::Latest64Bitmask).is_ok());
    let many = vec!["x"; 1025];
    assert_eq!(build([0; 3], [&[], &[]], &many, &[3]), "imports: 1025 exceeds the limit of 1024");
}

#[test]
fn counts_in_a_header_can_reach_their_limits_and_not_exceed_them() {
    // Entries of no bytes; code and bitmask of one.
    let program = |entries: [u8; 4]| {
        let blob = [&entries[..], &[0, 1, 0, 1]].concat();
        Program::from_raw(&blob, InstructionSet::JamV1).map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(program([0xe1, 0, 0, 0]), Ok(()));
    let message = "jump table: 16777217 exceeds the limit of 16777216".to_owned();
    assert_eq!(program([0xe1, 1, 0, 0]), Err(message));
    // As much code: without it the program ends too early, with one byte more it is refused at once.
    let code = |length: [u8; 4]| {
        let blob = [&[0, 0][..], &length].concat();
        Program::from_raw(&blob, InstructionSet::JamV1).unwrap_err().to_string()
    };
    assert_ne!(code([0xe2, 0, 0, 0]), code([0xe2, 1, 0, 0]));
    assert_eq!(code([0xe2, 1, 0, 0]), "code: 33554433 exceeds the limit of 33554432");
}

#[test]
fn the_longest_code_is_accepted_and_one_byte_more_is_not() {
    let engine = Engine::new(Config::default().latest64(InstructionSet::Latest64Bitmask)).unwrap();
    let blobs = |length: usize| {
        let code = vec![0; length];
        // One instruction, and nothing but a gap behind it.
        let mut bitmask = vec![0; length.div_ceil(8)];
        bitmask[0] = 1;
        let length = [0xe2, (length & 1) as u8, 0, 0];
        let raw = [&[0, 0], &length[..], &code, &bitmask].concat();
        (raw, container(0, [&[], &[]], [0; 3], &[], &[], &code, &bitmask, &[]))
    };
    let limit = MAX_CODE_SIZE as usize;
    assert_eq!(limit, 0x200_0000, "what the encoded length says");
    let (raw, container) = blobs(limit);
    for program in [
        Program::from_raw(&raw, InstructionSet::JamV1),
        Program::from_polkavm(&container, InstructionSet::Latest64Bitmask),
    ] {
        let module = engine.compile_program(program.unwrap()).unwrap();
        assert_eq!(module.code().length(), MAX_CODE_SIZE);
    }
    let (raw, container) = blobs(limit + 1);
    let message = "code: 33554433 exceeds the limit of 33554432";
    assert_eq!(Program::from_raw(&raw, InstructionSet::JamV1).unwrap_err().to_string(), message);
    assert_eq!(error(&container).to_string(), message);
}

/// How long symbols may be is up to who answers the calls: sc-virtualization and the client take 32 bytes.
#[test]
fn symbols_around_the_limit_of_the_runtime_interface_mean_the_same_to_both() {
    let (ours, theirs) = both();
    for length in [1, 31, 32, 33, 1000] {
        let symbol = "s".repeat(length);
        let imports = ["first", &symbol, "last"];
        let blob = container(0, [&[], &[]], [0; 3], &imports, &[(&symbol, 0)], &[0], &[1], &[]);
        let understood = understood(&ours, &blob).unwrap();
        assert_eq!(understood.imports, imports.map(|import| import.as_bytes().to_vec()), "{length}");
        assert_eq!(understood.exports.keys().next().map(Vec::len), Some(length));
        assert_eq!(Some(understood), understood_by_polkavm(&theirs, &blob), "{length}");
    }
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
fn a_program_put_together_by_hand_must_make_sense_too() {
    let engine = Engine::new(Config::default()).unwrap();
    let mut program = Program::from_raw(&[0, 0, 1, 0, 1], InstructionSet::JamV1).unwrap();
    program.memory.rw_size = 4;
    program.memory.rw_data = vec![1; 4];
    assert!(engine.compile_program(program.clone()).is_ok());
    program.memory.rw_data.push(1);
    assert_eq!(
        engine.compile_program(program).unwrap_err().to_string(),
        "read-write data: 5 bytes of contents exceed the declared size of 4"
    );
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

/// What a container says, apart from its code.
#[derive(PartialEq, Debug)]
struct Understood {
    imports: Vec<Vec<u8>>,
    exports: BTreeMap<Vec<u8>, u32>,
    /// Read-only data, read-write data, stack, start and largest size of the heap.
    memory: [core::ops::Range<u32>; 4],
    code: Vec<u8>,
}

fn understood(engine: &Engine, blob: &[u8]) -> Option<Understood> {
    let module = engine.compile(blob).ok()?;
    let map = module.memory_map();
    Some(Understood {
        imports: module.imports().to_vec(),
        exports: module.exports().map(|(symbol, pc)| (symbol.to_vec(), pc.0)).collect(),
        memory: [map.ro_data(), map.rw_data(), map.stack(), map.heap_base()..map.max_heap_size()],
        code: module.code().bytes().to_vec(),
    })
}

/// The same by polkavm; what its user sc-virtualization makes of malformed imports is a refusal too.
fn understood_by_polkavm(engine: &polkavm::Engine, blob: &[u8]) -> Option<Understood> {
    let parsed = polkavm::ProgramBlob::parse(blob.to_vec().into()).ok()?;
    let module = polkavm::Module::new(engine, &polkavm::ModuleConfig::new(), blob.to_vec().into()).ok()?;
    let imports = module.imports().into_iter().map(|import| Some(import?.as_bytes().to_vec()));
    let exports = module.exports();
    let map = module.memory_map();
    Some(Understood {
        imports: imports.collect::<Option<_>>()?,
        exports: exports
            .map(|export| (export.symbol().as_bytes().to_vec(), export.program_counter().0))
            .collect(),
        memory: [
            map.ro_data_range(),
            map.rw_data_range(),
            map.stack_range(),
            map.heap_base()..map.max_heap_size(),
        ],
        code: parsed.code().to_vec(),
    })
}

fn both() -> (Engine, polkavm::Engine) {
    let mut config = polkavm::Config::new();
    config.set_backend(Some(polkavm::BackendKind::Interpreter));
    let theirs = polkavm::Engine::new(&config).unwrap();
    (Engine::new(Config::default().latest64(InstructionSet::Latest64Bitmask)).unwrap(), theirs)
}

#[test]
fn every_change_of_a_byte_means_the_same_to_both() {
    let (ours, theirs) = both();
    let mut accepted = 0;
    let counter = guest("jam-v1", "counter");
    for blob in [small(), counter] {
        for at in 4..blob.len() {
            for change in [1, 2, 0x10, 0x80, 0xff] {
                let mut other = blob.clone();
                other[at] ^= change;
                let result = understood(&ours, &other);
                assert_eq!(
                    result,
                    understood_by_polkavm(&theirs, &other),
                    "byte {at} changed by {change:#x}"
                );
                accepted += usize::from(result.is_some());
            }
        }
    }
    assert!(accepted > 100, "{accepted}");
}

#[test]
fn several_changes_mean_the_same_to_both() {
    let (ours, theirs) = both();
    let change = (any::<prop::sample::Index>(), any::<u8>(), 0..4u8);
    let optional = prop::collection::vec((128..=255u8, prop::collection::vec(any::<u8>(), 0..9)), 0..4);
    let strategy = (any::<bool>(), prop::collection::vec(change, 0..5), optional);
    let config = ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let accepted = Cell::new(0);
    let result = runner.run(&strategy, |(is_small, changes, optional)| {
        let mut blob = if is_small { small() } else { guest("revive-v1", "counter") };
        blob.pop();
        for (id, contents) in optional {
            blob.extend([id, contents.len() as u8]);
            blob.extend(contents);
        }
        blob.push(0);
        for (index, byte, kind) in changes {
            let at = 13 + index.index(blob.len() - 13);
            match kind {
                0 => blob[at] = byte,
                1 => blob[at] = blob[at].wrapping_add(byte % 5).wrapping_sub(2),
                2 => blob.insert(at, byte),
                _ => drop(blob.remove(at)),
            }
        }
        let blob = with_length(blob);
        let result = understood(&ours, &blob);
        accepted.set(accepted.get() + u32::from(result.is_some()));
        prop_assert_eq!(result, understood_by_polkavm(&theirs, &blob));
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    assert!(accepted.get() > 500, "{}", accepted.get());
}

#[test]
fn nothing_panics_whatever_the_bytes() {
    let interesting = prop::sample::select(vec![0u8, 1, 2, 10, 40, 50, 80, 100, 170, 180, 255]);
    let bytes = prop::collection::vec(prop_oneof![any::<u8>(), interesting], 0..200);
    // A likely beginning: the sizes of a standard program, an empty jump table, some code and its bitmask.
    let code = prop::collection::vec(any::<u8>(), 1..100).prop_map(|code| {
        let mut raw = vec![0, 0, code.len() as u8];
        raw.extend(&code);
        raw.extend(vec![0xff; code.len() / 8]);
        raw.extend((code.len() % 8 != 0).then(|| (1 << (code.len() % 8)) - 1));
        raw
    });
    let strategy = (prop_oneof![bytes, code], any::<u32>(), any::<bool>());
    for set in InstructionSet::ALL {
        let config = ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
        let result = runner.run(&strategy, |(bytes, pc, faults_to_host)| {
            let mut standard = vec![0; 11];
            standard.extend((bytes.len() as u32).to_le_bytes());
            standard.extend(&bytes);
            let mut container = [b"PVM\0\x02", &[0; 8][..], &bytes].concat();
            container = with_length(container);
            for program in [
                Program::from_raw(&bytes, set),
                Program::from_standard(&bytes, set),
                Program::from_standard(&standard, set),
                Program::from_polkavm(&container, set),
            ] {
                let Ok(program) = program else { continue };
                for (_, engine) in engines(Config::default().faults_to_host(faults_to_host)) {
                    let Ok(module) = engine.compile_program(program.clone()) else { continue };
                    let starts = module.instructions().count();
                    prop_assert!(module.blocks().count() <= starts);
                    prop_assert!(module.resident_bytes() <= module.most_resident_bytes());
                    let mut instance = module.instantiate();
                    for pc in [0, pc % (module.code().length() + 2), pc] {
                        instance.prepare_at(ProgramCounter(pc), &[u64::from(pc) << 16]).unwrap();
                        instance.set_gas(1000);
                        for _ in 0..20 {
                            instance.step().unwrap();
                            if !instance.is_prepared() || matches!(instance.run().unwrap(), Exit::Finished) {
                                break;
                            }
                            if !instance.is_prepared() {
                                break;
                            }
                        }
                    }
                    prop_assert!(module.resident_bytes() <= module.most_resident_bytes());
                }
            }
            Ok(())
        });
        result.unwrap_or_else(|error| panic!("{set}: {error}"));
    }
}
